/* journal_w: see journal_w.h.
 *
 * One append: is the file still ours and as long as we know (check_unchanged()) → the line, fsync → the newline,
 * fsync.  The newline is the commit: a line without it was never acknowledged and is cut off at the next opening.
 * After a failed write the bytes are taken back; after a failed fsync nothing said about the file can be believed,
 * so `broken` refuses all further records. */
#include "write/state/journal_w.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"

struct journal_w {
	int dirfd; /* not ours to close */
	int fd;
	dev_t dev;
	ino_t ino;
	int64_t size; /* verified, or appended by us */
	bool broken;
};

static int say_changed(const char *how, struct err *err)
{
	err_set(
	    err, "E-JOURNAL-21", text("the journal '%s' was changed by someone else: %s"), JOURNAL_FILE, how);
	return err_hint(err, "%s", text("nothing was written; run 'bkp journal verify'"));
}

/* Cuts off what was never acknowledged.  A newline in it would mean that it is a record after all. */
static int cut_torn(struct journal_w *w, int64_t size, struct err *err)
{
	size_t n = (size_t)(size - w->size);
	BUF_AUTO tail = BUF_INIT(JOURNAL_LINE_MAX);

	if (n > tail.max)
		return say_changed(text("it grew"), err);
	if (buf_reserve(&tail, n, err))
		return -1;
	if (io_pread_full(w->fd, tail.p, n, w->size) != (ssize_t)n || memchr(tail.p, '\n', n))
		return say_changed(text("it grew"), err);
	if (ftruncate(w->fd, w->size))
		return err_sys(
		    err, "E-JOURNAL-22", errno, text("cannot cut a torn line off '%s'"), JOURNAL_FILE);
	return 0;
}

static int prepare_file(struct journal_w *w, const struct ledger *l, struct err *err)
{
	struct stat st;

	w->fd = openat(w->dirfd, JOURNAL_FILE, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (w->fd < 0)
		return err_sys(
		    err, "E-JOURNAL-20", errno, text("cannot open '%s' for writing"), JOURNAL_FILE);
	if (fstat(w->fd, &st) || !S_ISREG(st.st_mode))
		return err_set(err, "E-JOURNAL-20", text("'%s' is not a regular file"), JOURNAL_FILE);
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	w->size = (int64_t)ledger_size(l);
	if (st.st_size < w->size)
		return say_changed(text("it is shorter than before"), err);
	if (st.st_size > w->size &&
	    (ledger_torn(l) ? cut_torn(w, st.st_size, err) : say_changed(text("it grew"), err)))
		return -1;
	/* a run that died may not have come to it, and what is read is relied on */
	return io_sync(w->fd, JOURNAL_FILE, err);
}

int journal_w_open(int dirfd, const struct ledger *l, struct journal_w **ret, struct err *err)
{
	struct journal_w *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(err);
	w->dirfd = dirfd;
	w->fd = -1;
	if (prepare_file(w, l, err)) {
		journal_w_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

/* Is the file under our name still the one we hold, with the bytes we know? */
static int check_unchanged(const struct journal_w *w, struct err *err)
{
	struct stat named;

	if (fstatat(w->dirfd, JOURNAL_FILE, &named, AT_SYMLINK_NOFOLLOW) || named.st_dev != w->dev ||
	    named.st_ino != w->ino)
		return say_changed(text("another file stands in its place"), err);
	if (named.st_size != w->size)
		return say_changed(
		    named.st_size < w->size ? text("it is shorter than before") : text("it grew"), err);
	return 0;
}

/* After a failed write: back to the last acknowledged byte, or no further records.  Were it to come back it
 * would be a torn line: the newline is what was written last. */
static int take_back(struct journal_w *w, int errnum, struct err *err)
{
	if (ftruncate(w->fd, w->size))
		w->broken = true;
	err_sys(err, "E-JOURNAL-22", errnum, text("cannot write to '%s'"), JOURNAL_FILE);
	return errnum == ENOSPC || errnum == EDQUOT
		   ? err_hint(err, "%s", text("make room on the disk of the state folder"))
		   : -1;
}

static int put_durably(struct journal_w *w, const void *p, size_t n, struct err *err)
{
	ssize_t r;

	do
		r = write(w->fd, p, n);
	while (r < 0 && errno == EINTR);
	if (r < 0 || (size_t)r != n)
		return take_back(w, r < 0 ? errno : ENOSPC, err);
	if (!fsync(w->fd))
		return 0;
	/* the kernel may have dropped the pages: nothing said about this file can be believed any more */
	w->broken = true;
	return err_sys(err, "E-JOURNAL-22", errno, text("cannot make '%s' durable"), JOURNAL_FILE);
}

int journal_w_append(struct journal_w *w, const void *line, size_t n, struct err *err)
{
	if (w->broken) {
		err_set(err, "E-JOURNAL-23", text("an earlier record could not be written to '%s'"),
		    JOURNAL_FILE);
		return err_hint(
		    err, "%s", text("look at the disk of the state folder, then run the command again"));
	}
	/* blocks reach a disk in any order, and what ends with a newline counts: it comes when all the rest
	 * is there */
	if (check_unchanged(w, err) || put_durably(w, line, n, err) || put_durably(w, "\n", 1, err))
		return -1;
	w->size += (int64_t)n + 1;
	return 0;
}

void journal_w_stop(struct journal_w *w)
{
	w->broken = true;
}

void journal_w_close(struct journal_w *w)
{
	if (!w)
		return;
	io_close_quietly(&w->fd);
	free(w);
}

int journal_w_replace(int dirfd, const struct buf *whole, struct err *err)
{
	return io_replace(dirfd, JOURNAL_FILE, 0600, whole->p, whole->n, err);
}

/* Names come from outside: printable ASCII without spaces, quotes and brackets. */
static void put_name(const char *name, char *out, size_t size)
{
	size_t i;

	for (i = 0; name[i] && i + 1 < size; i++)
		out[i] = isalnum((unsigned char)name[i]) || strchr("._@-", name[i]) ? name[i] : '_';
	out[i] = '\0';
}

char *journal_w_by(char out[JOURNAL_W_BY])
{
	char login[64], sudo[64], store[4096];
	const char *via = getenv("SUDO_USER");
	struct passwd pw, *found = NULL;

	if (!getpwuid_r(geteuid(), &pw, store, sizeof(store), &found) && found)
		put_name(pw.pw_name, login, sizeof(login));
	else
		snprintf(login, sizeof(login), "uid%ju", (uintmax_t)geteuid());
	snprintf(out, JOURNAL_W_BY, "%s", login);
	if (via && *via) {
		put_name(via, sudo, sizeof(sudo));
		snprintf(out, JOURNAL_W_BY, "%s (sudo %s)", login, sudo);
	}
	return out;
}
