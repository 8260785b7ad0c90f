/* quarantine: see quarantine.h.
 *
 * Files are made in held/; for a run those that it is to judge are renamed into run/ and named in list, and back behind it. */
#include "restore/bisect/quarantine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "read/vault/extent_r.h"
#include "restore/bisect/scanner.h"
#include "restore/extract/scratch.h"

#define FILES	   20000
#define BYTES	   ((uint64_t)1 << 30)
#define TROUBLES   40 /* runs that end in trouble: behind so many of a batch nothing is halved any more */
#define NAME	   24
#define ENDING_MAX 8
#define LIST_MAX   ((size_t)64 << 20)
#define SIGNATURE  200

struct file {
	uint8_t key[DIGEST_LEN];
	char name[NAME];
	enum quarantine_verdict v;
	char *found;
	struct err *why;
};

struct quarantine {
	struct scratch *scratch;
	struct scanner *scanner;
	struct interrupt *interrupt;
	int held, run;
	struct file *file; /* FILES of them */
	size_t n, runs, troubles;
	uint64_t bytes, room;
};

/* ---- the folder ---- */

static uint64_t room_of(int fd)
{
	struct statvfs s;
	uint64_t free_bytes = fstatvfs(fd, &s) ? 0 : (uint64_t)s.f_bavail * s.f_frsize;

	return free_bytes / 2 < BYTES ? free_bytes / 2 : BYTES;
}

int quarantine_open(const char *to, const char *command, const char *const *hidden, size_t n,
    struct quarantine **ret, struct err *err)
{
	struct quarantine *q = calloc(1, sizeof(*q));

	if (!q || !(q->file = calloc(FILES, sizeof(*q->file)))) {
		free(q);
		return err_nomem(err);
	}
	q->held = q->run = -1;
	/* nobody but its owner has anything to do in it: unlike a drill it starts no servers */
	if (scratch_make(to, &q->scratch, err) || fchmod(scratch_dirfd(q->scratch), 0700) ||
	    fchmod(scratch_fd(q->scratch), 0700) ||
	    (q->held = io_make_dir(scratch_fd(q->scratch), "held", 0700, err)) < 0 ||
	    (q->run = io_make_dir(scratch_fd(q->scratch), "run", 0700, err)) < 0 ||
	    scanner_start(command, q->scratch, hidden, n, &q->scanner, err)) {
		struct scratch_erased erased;

		if (q->scratch)
			(void)!scratch_undo(q->scratch, &erased, NULL);
		(void)quarantine_close(q);
		return -1;
	}
	q->room = room_of(q->held);
	*ret = q;
	return 0;
}

static void forget_files(struct quarantine *q)
{
	for (size_t i = 0; i < q->n; i++) {
		(void)unlinkat(q->held, q->file[i].name, 0);
		free(q->file[i].found);
		free(q->file[i].why);
		q->file[i] = (struct file){.v = QUARANTINE_OPEN};
	}
	q->n = q->troubles = 0;
	q->bytes = 0;
}

int quarantine_close(struct quarantine *q)
{
	int r;

	if (!q)
		return 0;
	forget_files(q);
	r = scanner_end(q->scanner);
	io_close_quietly(&q->held);
	io_close_quietly(&q->run);
	scratch_free(q->scratch);
	free(q->file);
	free(q);
	return r;
}

size_t quarantine_runs(const struct quarantine *q)
{
	return q->runs;
}

/* ---- a file comes in ---- */

bool quarantine_full(const struct quarantine *q, uint64_t size)
{
	return q->n == FILES || (q->n && (size > q->room || q->bytes > q->room - size));
}

/* ".docx", or "": plain letters alone, for a name may be a person's. */
static const char *ending_of(const char *path, char out[ENDING_MAX + 2])
{
	const char *dot = strrchr(path, '.');
	size_t n = dot ? strlen(dot + 1) : 0;

	for (size_t i = 0; i < n; i++)
		if (!isascii((unsigned char)dot[1 + i]) || !isalnum((unsigned char)dot[1 + i]))
			n = 0;
	snprintf(out, ENDING_MAX + 2, "%s", n && n <= ENDING_MAX ? dot : "");
	return out;
}

static int write_part(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	int fd = *(int *)arg;
	const char *from = p;

	while (p && n) {
		ssize_t done = pwrite(fd, from, (size_t)n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_sys(err,
			    errno == ENOSPC || errno == EDQUOT ? "E-RESTORE-10" : "E-RESTORE-09", errno, "%s",
			    text("cannot be written into the folder for the scanner"));
		from += done;
		at += (uint64_t)done;
		n -= (uint64_t)done;
	}
	return 0;
}

static struct file *next_file(struct quarantine *q, const char *path, const uint8_t key[DIGEST_LEN])
{
	struct file *f = &q->file[q->n];
	char ending[ENDING_MAX + 2];

	memcpy(f->key, key, DIGEST_LEN);
	snprintf(f->name, sizeof(f->name), "%06zu%s", q->n, ending_of(path, ending));
	return f;
}

int quarantine_add(struct quarantine *q, struct arc_r *arc, const struct catalog_item *item,
    const uint8_t key[DIGEST_LEN], struct err *err)
{
	struct file *f = next_file(q, item->path, key);
	IO_FD_AUTO fd = openat(q->held, f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	int r;

	if (fd < 0)
		return err_sys(err, "E-RESTORE-09", errno, "%s",
		    text("cannot be written into the folder for the scanner"));
	r = extent_r_file(arc, item->extents, item->extents_len, item->sha256, write_part, &fd, err);
	if (!r && ftruncate(fd, (off_t)item->size))
		r = err_sys(err, "E-RESTORE-09", errno, "%s",
		    text("cannot be written into the folder for the scanner"));
	if (r) {
		(void)unlinkat(q->held, f->name, 0);
		return -1;
	}
	q->n++;
	q->bytes += item->size;
	return 0;
}

/* ---- the scanner judges ---- */

/* Puts what of [a, b) is not judged yet where the scanner looks; *ret_n of them. */
static int place_files(struct quarantine *q, size_t a, size_t b, size_t *ret_n, struct err *err)
{
	BUF_AUTO list = BUF_INIT(LIST_MAX);

	*ret_n = 0;
	for (size_t i = a; i < b; i++) {
		const char *name = q->file[i].name;

		if (q->file[i].v != QUARANTINE_OPEN)
			continue;
		if (renameat(q->held, name, q->run, name))
			return err_sys(err, "E-RESTORE-09", errno, "%s",
			    text("cannot be written into the folder for the scanner"));
		if (buf_printf(&list, err, "%s/run/%s\n", scratch_path(q->scratch), name))
			return -1;
		(*ret_n)++;
	}
	return io_replace(scratch_fd(q->scratch), "list", 0400, list.p, list.n, err);
}

/* Some scanners take away what they find. */
static void take_back(struct quarantine *q, size_t a, size_t b)
{
	for (size_t i = a; i < b; i++)
		(void)renameat(q->run, q->file[i].name, q->held, q->file[i].name);
}

/* "…/run/000012.exe: Win.Trojan.X FOUND" */
static void take_line(struct quarantine *q, char *line, size_t a, size_t b, size_t *ret_found)
{
	static const char end[] = " FOUND", run[] = "/run/";
	size_t n = strlen(line), i;
	char *name, *colon;

	while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
		line[--n] = '\0';
	if (n < sizeof(end) || strcmp(line + n - sizeof(end) + 1, end) != 0)
		return;
	line[n - sizeof(end) + 1] = '\0';
	name = strstr(line, run);
	while (name && (colon = strstr(name + 1, run)))
		name = colon;
	colon = name ? strstr(name, ": ") : NULL;
	i = name ? strtoul(name + sizeof(run) - 1, NULL, 10) : b;
	if (!colon || i < a || i >= b || q->file[i].v != QUARANTINE_OPEN ||
	    strncmp(name + sizeof(run) - 1, q->file[i].name, strlen(q->file[i].name)) != 0)
		return;
	q->file[i].v = QUARANTINE_BAD;
	q->file[i].found = strndup(colon + 2, SIGNATURE);
	(*ret_found)++;
}

static size_t take_lines(struct quarantine *q, struct buf *out, size_t a, size_t b)
{
	size_t found = 0;

	for (char *line = (char *)out->p, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		take_line(q, line, a, b, &found);
	}
	return found;
}

static void set_rest(
    struct quarantine *q, size_t a, size_t b, enum quarantine_verdict v, const struct err *why)
{
	for (size_t i = a; i < b; i++) {
		struct file *f = &q->file[i];

		if (f->v != QUARANTINE_OPEN)
			continue;
		f->v = v;
		if (why && (f->why = malloc(sizeof(*why))))
			*f->why = *why;
	}
}

static int judge_range(struct quarantine *q, size_t a, size_t b, struct err *err);

/* It says of all that something is wrong, and not of which. */
static int halve_range(struct quarantine *q, size_t a, size_t b, struct err *err)
{
	size_t middle = a + (b - a) / 2;

	return judge_range(q, a, middle, err) || judge_range(q, middle, b, err) ? -1 : 0;
}

static int judge_range(struct quarantine *q, size_t a, size_t b, struct err *err)
{
	for (;;) {
		BUF_AUTO out = BUF_INIT(SCANNER_TEXT + 2);
		struct err why = ERR_INIT;
		int status = 0, r;
		size_t n, found;

		if (place_files(q, a, b, &n, err))
			return -1;
		if (!n)
			return 0;
		r = scanner_run(q->scanner, q->interrupt, &out, &status, &why);
		q->runs++;
		take_back(q, a, b);
		if (r < 0 || buf_terminate(&out, &why)) {
			if (err)
				*err = why;
			return -1;
		}
		if (!r && !status) {
			set_rest(q, a, b, QUARANTINE_CLEAN, NULL);
			return 0;
		}
		found = r ? 0 : take_lines(q, &out, a, b);
		if (found)
			continue; /* the others, once more, without those */
		q->troubles += r != 0;
		if (n > 1 && q->troubles <= TROUBLES)
			return halve_range(q, a, b, err);
		set_rest(q, a, b, r ? QUARANTINE_UNKNOWN : QUARANTINE_BAD, &why);
		return 0;
	}
}

int quarantine_judge(struct quarantine *q, quarantine_fn *fn, void *arg, struct err *err)
{
	int r = judge_range(q, 0, q->n, err);

	for (size_t i = 0; i < q->n && !r; i++) {
		struct file *f = &q->file[i];

		r = fn(arg, f->key, f->v, f->found ? f->found : "", f->why, err);
	}
	forget_files(q);
	return r;
}

int quarantine_check(struct quarantine *q, struct interrupt *interrupt, struct err *err)
{
	static const char words[] = "nothing in this file is harmful\n";
	static const uint8_t key[DIGEST_LEN];
	struct file *f = next_file(q, "check.txt", key);
	int r;

	q->interrupt = interrupt;
	if (io_write_new(q->held, f->name, 0400, words, sizeof(words) - 1, err))
		return -1;
	q->n = 1;
	r = judge_range(q, 0, 1, err);
	if (!r && f->v == QUARANTINE_UNKNOWN && f->why) {
		if (err)
			*err = *f->why;
		r = -1;
	} else if (!r && f->v != QUARANTINE_CLEAN) {
		r = err_set(
		    err, "E-BISECT-02", "%s", text("the scanner finds something in a file without harm"));
	}
	if (r)
		err_hint(err, "%s",
		    text("try the command by hand on a folder: 0 is nothing found, 1 something found"));
	forget_files(q);
	return r;
}
