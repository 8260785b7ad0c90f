/* age_aside: see age_aside.h.
 *
 * Over a socket: a struct ask, the name, the bytes; a struct answer, the bytes.  Both ends are this program; the one that runs age believes
 * no length and no name all the same, for the other one has read a medium. */
#include "restore/app/age_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/period_recipient.h"
#include "read/vault/age_tool.h"

struct age_aside {
	int fd;
	pid_t pid;
};

struct ask {
	bool seal;
	size_t name_n, n; /* bytes that follow */
};

struct answer {
	int r;
	size_t n;
	struct err err;
};

/* What the other process may do. */
struct leave {
	int fd;
	const char *const *identities;
	size_t n;
	bool seal;
};

static int send_all(int fd, const void *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(fd, (const char *)p + at, n - at, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return -1;
		at += sent > 0 ? (size_t)sent : 0;
	}
	return 0;
}

static int take_all(int fd, void *p, size_t n)
{
	return io_read_full(fd, p, n) == (ssize_t)n ? 0 : -1;
}

/* ---- the process beside ---- */

static bool may(const struct leave *l, bool seal, const char *name)
{
	struct period_recipient r;

	if (seal)
		return l->seal && !period_recipient_parse(name, &r, NULL) && r.n == 1 &&
		       r.kind[0] == PERIOD_LAYER_STOCK;
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->identities[i], name))
			return true;
	return false;
}

static int serve_one(const struct leave *l, char *name, struct buf *in, struct buf *out)
{
	struct answer a = {.err = ERR_INIT};
	struct ask q;

	if (take_all(l->fd, &q, sizeof(q)) || q.name_n >= PERIOD_RECIPIENT || q.n > in->cap ||
	    take_all(l->fd, name, q.name_n) || take_all(l->fd, in->p, q.n))
		return -1;
	name[q.name_n] = '\0';
	if (!may(l, q.seal, name))
		return -1;
	out->n = 0;
	a.r = (q.seal ? age_tool_seal : age_tool_open)(NULL, name, in->p, q.n, out, &a.err);
	a.n = out->n;
	return send_all(l->fd, &a, sizeof(a)) || send_all(l->fd, out->p, out->n) ? -1 : 0;
}

static void serve(const struct leave *l)
{
	struct buf in = BUF_INIT(PERIOD_FILE_MAX), out = BUF_INIT(PERIOD_FILE_MAX);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char name[PERIOD_RECIPIENT];

	/* who reads our standard output does not wait for this process */
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || buf_reserve(&in, in.max, NULL) ||
	    buf_reserve(&out, out.max, NULL))
		return;
	while (!serve_one(l, name, &in, &out)) {
		sodium_memzero(in.p, in.cap);
		sodium_memzero(out.p, out.cap);
	}
}

int age_aside_start(
    const char *const *identities, size_t n, bool seal, struct age_aside **ret, struct err *err)
{
	struct age_aside *a = calloc(1, sizeof(*a));
	int pair[2];

	if (!a)
		return err_nomem(err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		free(a);
		return err_sys(err, "E-AGE-10", errno, text("the program '%s' cannot be started"), "age");
	}
	a->fd = pair[0];
	a->pid = fork();
	if (a->pid == 0) {
		close(pair[0]);
		serve(&(struct leave){pair[1], identities, n, seal});
		_exit(0);
	}
	close(pair[1]);
	if (a->pid < 0) {
		err_sys(err, "E-AGE-10", errno, text("the program '%s' cannot be started"), "age");
		age_aside_end(a);
		return -1;
	}
	*ret = a;
	return 0;
}

/* ---- asking it ---- */

static int ask(struct age_aside *a, bool seal, const char *name, const void *p, size_t n, struct buf *out,
    struct err *err)
{
	struct ask q = {seal, strlen(name), n};
	struct answer got = {.r = -1};

	if (buf_reserve(out, out->max - out->n, err))
		return -1;
	if (send_all(a->fd, &q, sizeof(q)) || send_all(a->fd, name, q.name_n) || send_all(a->fd, p, n) ||
	    take_all(a->fd, &got, sizeof(got)) || got.n > out->max - out->n ||
	    take_all(a->fd, out->p + out->n, got.n))
		return err_set(err, "E-AGE-11", text("'%s' failed: %s"), "age", text("it was ended"));
	if (got.r && err)
		*err = got.err;
	out->n += got.r ? 0 : got.n;
	return got.r;
}

int age_aside_open(
    void *aside, const char *identity, const void *p, size_t n, struct buf *out, struct err *err)
{
	return ask(aside, false, identity, p, n, out, err);
}

int age_aside_seal(
    void *aside, const char *recipient, const void *p, size_t n, struct buf *out, struct err *err)
{
	return ask(aside, true, recipient, p, n, out, err);
}

void age_aside_end(struct age_aside *a)
{
	if (!a)
		return;
	close(a->fd);
	while (a->pid > 0 && waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(a);
}
