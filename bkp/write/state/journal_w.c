/* journal_w: see journal_w.h.
 *
 * One append: is the file still ours and as long as we know (check_unchanged()) → the line, fsync → the newline,
 * fsync.  The newline is the commit: a line without it was never acknowledged and is cut off at the next opening.
 * The first line of a segment: the file is made → the line, fsync → fsync of the folder → the newline, fsync.  What a death in
 * it leaves is an empty segment or a torn line in it: the next record goes there.
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
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"

struct journal_w {
	int dirfd; /* of the segments */
	int fd;	   /* of the last one */
	uint32_t number;
	char name[JOURNAL_NAME];
	dev_t dev;
	ino_t ino;
	int64_t size; /* verified, or appended by us */
	bool broken;
};

static int say_changed(const struct journal_w *w, const char *how, struct err *err)
{
	err_set(err, "E-JOURNAL-21", text("the journal '%s' was changed by someone else: %s"), w->name, how);
	return err_hint(err, "%s", text("nothing was written; run 'bkp journal verify'"));
}

/* Cuts off what was never acknowledged.  A newline in it would mean that it is a record after all. */
static int cut_torn(struct journal_w *w, int64_t size, struct err *err)
{
	size_t n = (size_t)(size - w->size);
	BUF_AUTO tail = BUF_INIT(JOURNAL_LINE_MAX);

	if (n > tail.max)
		return say_changed(w, text("it grew"), err);
	if (buf_reserve(&tail, n, err))
		return -1;
	if (io_pread_full(w->fd, tail.p, n, w->size) != (ssize_t)n || memchr(tail.p, '\n', n))
		return say_changed(w, text("it grew"), err);
	if (ftruncate(w->fd, w->size))
		return err_sys(err, "E-JOURNAL-22", errno, text("cannot cut a torn line off '%s'"), w->name);
	return 0;
}

/* flags: O_CREAT | O_EXCL, or 0. */
static int open_segment(struct journal_w *w, uint32_t number, int flags, struct err *err)
{
	char name[JOURNAL_NAME];
	IO_FD_AUTO fd = openat(w->dirfd, journal_segment_name(number, name),
	    flags | O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return err_sys(err, "E-JOURNAL-20", errno, text("cannot open '%s' for writing"), name);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return err_set(err, "E-JOURNAL-20", text("'%s' is not a regular file"), name);
	io_close_quietly(&w->fd); /* it was made durable line by line */
	w->fd = io_take(&fd);
	w->number = number;
	memcpy(w->name, name, sizeof(name));
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	w->size = 0;
	return 0;
}

/* The last segment, of which what the ledger was read from is ours. */
static int prepare_file(struct journal_w *w, int state, const struct ledger *l, struct err *err)
{
	const struct store folder = store_dir_of(state);
	STORE_FILE_AUTO all = {0};
	uint64_t start;
	struct stat st;

	w->dirfd = io_open_dir(state, JOURNAL_DIR, err);
	if (w->dirfd < 0 || segments_open(&folder, &all, err) || segments_whole(&all, err) ||
	    open_segment(w, segments_count(&all), 0, err))
		return -1;
	start = segments_start(&all, w->number);
	if (ledger_size(l) < start)
		return say_changed(w, text("it grew"), err);
	w->size = (int64_t)(ledger_size(l) - start);
	if (fstat(w->fd, &st) || st.st_size < w->size)
		return say_changed(w, text("it is shorter than before"), err);
	if (st.st_size > w->size &&
	    (ledger_torn(l) ? cut_torn(w, st.st_size, err) : say_changed(w, text("it grew"), err)))
		return -1;
	/* a run that died may not have come to it, and what is read is relied on */
	return io_sync(w->fd, w->name, err) || io_sync_dir(w->dirfd, err) ? -1 : 0;
}

int journal_w_open(int dirfd, const struct ledger *l, struct journal_w **ret, struct err *err)
{
	struct journal_w *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(err);
	w->dirfd = w->fd = -1;
	if (prepare_file(w, dirfd, l, err)) {
		journal_w_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

/* Is the file under our name still the one we hold, with the bytes we know, and the last? */
static int check_unchanged(const struct journal_w *w, struct err *err)
{
	char next[JOURNAL_NAME];
	struct stat named;

	if (fstatat(w->dirfd, w->name, &named, AT_SYMLINK_NOFOLLOW) || named.st_dev != w->dev ||
	    named.st_ino != w->ino)
		return say_changed(w, text("another file stands in its place"), err);
	if (named.st_size != w->size)
		return say_changed(
		    w, named.st_size < w->size ? text("it is shorter than before") : text("it grew"), err);
	if (!fstatat(w->dirfd, journal_segment_name(w->number + 1, next), &named, AT_SYMLINK_NOFOLLOW))
		return say_changed(w, text("it grew"), err);
	return 0;
}

/* After a failed write: back to the last acknowledged byte, or no further records.  Were it to come back it
 * would be a torn line: the newline is what was written last. */
static int take_back(struct journal_w *w, int errnum, struct err *err)
{
	if (ftruncate(w->fd, w->size))
		w->broken = true;
	err_sys(err, "E-JOURNAL-22", errnum, text("cannot write to '%s'"), w->name);
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
	return err_sys(err, "E-JOURNAL-22", errno, text("cannot make '%s' durable"), w->name);
}

static int name_durably(struct journal_w *w, struct err *err)
{
	if (!io_sync_dir(w->dirfd, err))
		return 0;
	w->broken = true;
	return -1;
}

int journal_w_append(struct journal_w *w, const void *line, size_t n, struct err *err)
{
	if (w->broken) {
		err_set(err, "E-JOURNAL-23", text("an earlier record could not be written to '%s'"), w->name);
		return err_hint(
		    err, "%s", text("look at the disk of the state folder, then run the command again"));
	}
	if (check_unchanged(w, err))
		return -1;
	if (w->size && (uint64_t)w->size + n + 1 > JOURNAL_SEGMENT_FULL &&
	    open_segment(w, w->number + 1, O_CREAT | O_EXCL, err))
		return -1;
	/* blocks reach a disk in any order, and what ends with a newline counts: it comes when all the rest
	 * is there, the segment's name, too */
	if (put_durably(w, line, n, err) || (!w->size && name_durably(w, err)) ||
	    put_durably(w, "\n", 1, err))
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
	io_close_quietly(&w->dirfd);
	free(w);
}

int journal_w_replace(int dirfd, uint32_t last, const struct buf *whole, struct err *err)
{
	char name[JOURNAL_NAME];
	IO_FD_AUTO segments = io_open_dir(dirfd, JOURNAL_DIR, err);

	return segments < 0
		   ? -1
		   : io_replace(segments, journal_segment_name(last, name), 0600, whole->p, whole->n, err);
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
