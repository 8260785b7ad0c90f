/* tarsource: see tarsource.h.
 *
 * libarchive pulls: take_block() gives it the bytes, and counts them.  next_entry() is one turn: what is left of
 * the former content is skipped, the header is read into the event's entry, take_entry() makes it fit for a
 * catalog or refuses it, queue_file() sends its content.
 *
 * The stream is hostile.  libarchive bounds neither headers nor claims, so this file does: bytes of headers
 * (`header`, `flooded`), size of an entry, of all, of names.  Whether the stream is whole is judged here, by what
 * came last: its position, the end mark of END_BYTES zeros, and nothing else but zeros after it.  A lost malloc
 * within libarchive would look like a damaged stream: starved_since() tells the two apart.
 *
 * Return values: 0 goes on, 1 the stream has ended (why, if at all, is in tarsource.why), -1 the queue takes no
 * more. */
#include "write/source/tarsource.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/path.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/config/exclude.h"
#include "write/source/queue.h"
#include "write/source/tarsource.h"
#include "write/source/tarsource_entry.h"

#define BLOCK	    ((size_t)256 << 10)
#define END_BYTES   1024
#define PADDING_MAX ((uint64_t)256 << 20) /* zeros after the end: far more than any tape's block */

struct tar {
	struct tarsource *s;
	struct queue *f;
	struct archive *a;
	uint8_t *block;	     /* what was read last, BLOCK */
	uint64_t zeros_from; /* nothing but zeros came from this byte on */
	uint64_t header;     /* a header is being read, since this byte; UINT64_MAX: none is */
	bool flooded;	     /* and it did not end */
	uint64_t position;   /* of the current header; libarchive tells it no more once it has failed */
	unsigned long mark;  /* starved_mark() before the current entry */
	bool begun;	     /* an entry was read */
	uint64_t claimed;    /* bytes of all files so far, holes included */
	uint8_t head[8];     /* how it begins */
	size_t n_head;
	struct buf path, link;
	/* the current content */
	const uint8_t *data;
	size_t n;
	int64_t at, next; /* where in the file we are; where `data` belongs */
	bool data_ended;
};

/* ---- the bytes of the stream ---- */

static void look_at(struct tar *t, size_t n)
{
	size_t last = n;

	for (size_t i = 0; i < n && t->n_head < sizeof(t->head); i++)
		t->head[t->n_head++] = t->block[i];
	while (last && !t->block[last - 1])
		last--;
	if (last)
		t->zeros_from = t->s->total + last;
	t->s->total += n;
}

static la_ssize_t take_block(struct archive *a, void *arg, const void **ret)
{
	struct tar *t = arg;
	ssize_t n;

	if (t->header != UINT64_MAX && t->s->total - t->header > TARSOURCE_HEADER_MAX) {
		t->flooded = true;
		archive_set_error(a, EFBIG, "%s", "");
		return -1;
	}
	n = t->s->read(t->s->arg, t->block, BLOCK);
	if (n < 0) {
		t->s->errnum = errno;
		archive_set_error(a, errno, "%s", "");
		return -1;
	}
	t->s->ended = n == 0;
	look_at(t, (size_t)n);
	*ret = t->block;
	return n;
}

/* ---- faults ---- */

static bool is_compressed(const struct tar *t)
{
	static const struct {
		uint8_t bytes[6];
		size_t n;
	} magic[] = {{{0x1f, 0x8b}, 2}, {{0xfd, '7', 'z', 'X', 'Z'}, 5}, {{0x28, 0xb5, 0x2f, 0xfd}, 4},
	    {{'B', 'Z', 'h'}, 3}};

	for (size_t i = 0; i < sizeof(magic) / sizeof(*magic); i++)
		if (t->n_head >= magic[i].n && !memcmp(t->head, magic[i].bytes, magic[i].n))
			return true;
	return false;
}

/* libarchive says so.  Always 1: the stream is at its end. */
static int damaged_stream(struct tar *t)
{
	const char *said = archive_error_string(t->a);
	struct err *why = &t->s->why;
	char shown[200];

	if (t->s->errnum)
		return 1;
	if (starved_since(t->mark)) {
		err_nomem(why);
	} else if (t->flooded) {
		err_set(why, "E-TAR-04",
		    text("the header of the entry at byte %ju of the tar stream does not end"),
		    (uintmax_t)t->position);
	} else if (is_compressed(t)) {
		err_set(why, "E-TAR-01", "%s", text("the command's output is compressed, and no tar stream"));
		err_hint(why, "%s",
		    text("let the command give a plain one, as with 'gzip -dc' behind it; what is stored is "
			 "compressed anyway"));
	} else if (!t->s->total) {
		err_set(
		    why, "E-TAR-02", "%s", text("the command gave nothing, where a tar stream is expected"));
		err_hint(why, "%s", text("run it by hand as the same user and pipe it into 'tar t'"));
	} else if (t->s->ended) {
		err_set(why, "E-TAR-02",
		    text("the tar stream ends too early: at byte %ju, within the entry that begins at byte "
			 "%ju"),
		    (uintmax_t)t->s->total, (uintmax_t)t->position);
		err_hint(why, "%s", text("the connection broke, or the command died: see what it says"));
	} else {
		err_set(why, "E-TAR-01", text("this is no tar stream, or a damaged one: at byte %ju: %s"),
		    (uintmax_t)t->position, said ? path_show(said, shown, sizeof(shown)) : "?");
		err_hint(why, "%s",
		    text("run the command by hand as the same user and pipe it into 'tar tv'; nothing else "
			 "may write into its output"));
	}
	return 1;
}

static int impossible_size(struct tar *t, int64_t size)
{
	err_set(&t->s->why, "E-TAR-04",
	    text("the entry at byte %ju of the tar stream claims to have %jd bytes"), (uintmax_t)t->position,
	    (intmax_t)size);
	return 1;
}

/* The end mark was read, or the bytes are over: is that all, and is it whole?  Always 1. */
static int check_end(struct tar *t)
{
	uint64_t end = t->position;
	struct err *why = &t->s->why;
	const void *block;

	t->header = UINT64_MAX;
	while (!t->s->ended && t->zeros_from <= end && t->s->total - end <= PADDING_MAX)
		if (take_block(t->a, t, &block) < 0)
			return 1;
	if (t->zeros_from > end) {
		err_set(why, "E-TAR-03",
		    text("the tar stream ends at byte %ju, but something stands behind its end"),
		    (uintmax_t)end);
		return err_hint(why, "%s",
			   text("let the command write one tar stream and nothing else into its output")),
		       1;
	}
	if (!t->s->ended) {
		err_set(why, "E-TAR-03",
		    text("the tar stream ends at byte %ju, but zeros without end stand behind it"),
		    (uintmax_t)end);
		err_hint(
		    why, "%s", text("let the command write one tar stream and nothing else into its output"));
		return 1;
	}
	if (t->s->total < end + END_BYTES) {
		err_set(why, "E-TAR-02",
		    text("the tar stream ends at byte %ju without its end mark: it was cut off"),
		    (uintmax_t)end);
		err_hint(why, "%s", text("the connection broke, or the command died: see what it says"));
	}
	return 1;
}

/* ---- content ---- */

/* The next piece of it.  0, 1: the stream has ended. */
static int fetch_data(struct tar *t)
{
	const void *p;
	la_int64_t offset = 0;
	size_t n = 0;
	int r = archive_read_data_block(t->a, &p, &n, &offset);

	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return damaged_stream(t);
	if (offset < t->at || offset > TARSOURCE_SIZE_MAX ||
	    (uint64_t)n > (uint64_t)(TARSOURCE_SIZE_MAX - offset)) {
		if (r == ARCHIVE_EOF && offset < t->at && offset >= 0) {
			t->data_ended = true; /* shorter than its pieces: they are what came */
			t->next = t->at;
			return 0;
		}
		return impossible_size(t, offset);
	}
	t->data = p;
	t->n = n;
	t->next = offset;
	t->data_ended = r == ARCHIVE_EOF;
	return 0;
}

/* The bytes up to the next hole or the end. */
static ssize_t read_data(void *arg, void *p, size_t n)
{
	struct tar *t = arg;

	while (!t->n && !t->data_ended)
		if (fetch_data(t)) {
			errno = EIO;
			return -1;
		}
	if (!t->n || t->next != t->at)
		return 0;
	n = n < t->n ? n : t->n;
	memcpy(p, t->data, n);
	t->data += n;
	t->n -= n;
	t->at += (int64_t)n;
	t->next = t->at;
	return (ssize_t)n;
}

static int add_hole(struct tar *t)
{
	struct queue_event *e = queue_add(t->f, QUEUE_HOLE);

	if (!e)
		return -1;
	e->length = (uint64_t)(t->next - t->at);
	t->at = t->next;
	return 0;
}

/* 0, 1: the stream has ended, -1: the queue takes no more. */
static int queue_file(struct tar *t, int64_t size)
{
	int errnum, r;

	t->data = NULL;
	t->n = 0;
	t->at = t->next = 0;
	t->data_ended = false;
	for (;;) {
		uint64_t most = size > t->at ? (uint64_t)(size - t->at) : UINT64_MAX, got;

		if (!t->n && !t->data_ended && fetch_data(t))
			return 1;
		if (t->next > t->at && add_hole(t))
			return -1;
		if (!t->n && t->data_ended)
			break;
		r = reader_part(t->f, t->s->chunker, read_data, t, most, &got, &errnum);
		if (r)
			return r < 0 ? -1 : 1;
	}
	t->claimed += (uint64_t)t->at;
	if (t->claimed > TARSOURCE_TOTAL_MAX)
		return impossible_size(t, t->at);
	return queue_add(t->f, QUEUE_DONE) ? 0 : -1;
}

/* ---- entries ---- */

/* An entry that is not stored, to be told. */
static int refuse_entry(struct tar *t, struct queue_event *e, const char *name, int errnum)
{
	e->item.entry = NULL;
	e->item.error = errnum;
	return queue_set_path(t->f, e, name ? name : "?");
}

static bool is_excluded(struct tar *t, const char *path, bool folder)
{
	BUF_AUTO absolute = BUF_INIT(TARSOURCE_NAME_MAX + 2);

	if (!t->s->exclude || buf_puts(&absolute, "/", NULL) || buf_puts(&absolute, path, NULL) ||
	    buf_terminate(&absolute, NULL))
		return false;
	return exclude_match(t->s->exclude, (const char *)absolute.p, folder);
}

/* What libarchive warns of besides names that are not ASCII, which are taken as they are: 0 nothing, an
 * errno: some attribute is lost, -1: the entry may be another than it seems. */
static int warned_of(struct tar *t)
{
	const char *said = archive_error_string(t->a);

	if (!said || strstr(said, "can't be converted from"))
		return 0;
	return strstr(said, "acl") || strstr(said, "ACL") || strstr(said, "xattr") ? EINVAL : -1;
}

/* An entry was read into the event's.  0, 1, -1. */
static int take_entry(struct tar *t, struct queue_event *e)
{
	struct archive_entry *entry = e->item.entry;
	const char *name = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
	bool folder = archive_entry_filetype(entry) == AE_IFDIR;
	int64_t size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
	enum tarsource_name is;
	size_t weight;
	int lost;

	if (size < 0 || size >= TARSOURCE_SIZE_MAX) {
		queue_take_back(t->f);
		return impossible_size(t, size);
	}
	is = tarsource_path(name, &t->path);
	/* the stream's own folder: nothing to be stored */
	if (is == TARSOURCE_TOP ||
	    (is == TARSOURCE_INSIDE && is_excluded(t, (const char *)t->path.p, folder))) {
		queue_take_back(t->f);
		return 0;
	}
	if (is == TARSOURCE_INSIDE && link)
		is = tarsource_path(link, &t->link);
	if (is != TARSOURCE_INSIDE)
		return refuse_entry(t, e, name, is == TARSOURCE_LONG ? ENAMETOOLONG : EXDEV);
	lost = tarsource_clean(entry, name, &weight);
	if (lost < 0)
		return refuse_entry(t, e, name, ENOTSUP);
	if (lost)
		e->item.incomplete = ENOTSUP;
	if (link)
		archive_entry_copy_hardlink(entry, (const char *)t->link.p);
	e->item.content = !link && archive_entry_filetype(entry) == AE_IFREG;
	queue_weigh(t->f, weight);
	if (queue_set_path(t->f, e, (const char *)t->path.p))
		return -1;
	return e->item.content ? queue_file(t, size) : 0;
}

/* The next entry.  0, 1: the stream has ended, -1: the queue takes no more. */
static int next_entry(struct tar *t)
{
	struct queue_event *e = queue_add(t->f, QUEUE_ITEM);
	int r, warned = 0;

	if (!e || queue_set_path(t->f, e, ""))
		return -1;
	t->mark = starved_mark();
	archive_entry_clear(e->item.entry);
	archive_clear_error(t->a);
	/* content that nobody wants first, so that what is read then is the header alone */
	if (t->begun && archive_read_data_skip(t->a) < ARCHIVE_WARN) {
		queue_take_back(t->f);
		return damaged_stream(t);
	}
	t->position = t->begun ? (uint64_t)archive_filter_bytes(t->a, 0) : 0;
	t->header = t->s->total;
	r = archive_read_next_header2(t->a, e->item.entry);
	t->header = UINT64_MAX;
	t->begun = true;
	if (r == ARCHIVE_WARN)
		warned = warned_of(t);
	if ((r != ARCHIVE_OK && r != ARCHIVE_WARN) || warned < 0 || starved_since(t->mark)) {
		queue_take_back(t->f);
		return r == ARCHIVE_EOF && !starved_since(t->mark) ? check_end(t) : damaged_stream(t);
	}
	e->item.incomplete = warned;
	return take_entry(t, e);
}

static int read_entries(struct tar *t, struct err *err)
{
	int r;

	if (archive_read_support_format_tar(t->a))
		return err_nomem(err);
	if (archive_read_open(t->a, t, NULL, take_block, NULL)) /* it looks at the first block */
		return archive_errno(t->a) == ENOMEM && !t->s->errnum ? err_nomem(err) : damaged_stream(t);
	while (!(r = next_entry(t)))
		;
	return r;
}

int tarsource_run(void *source, struct queue *f, struct err *err)
{
	struct tar t = {.s = source, .f = f, .a = archive_read_new(), .block = malloc(BLOCK)};
	int r;

	t.s->total = 0;
	t.s->ended = false;
	t.s->errnum = 0;
	t.s->why = (struct err)ERR_INIT;
	t.header = UINT64_MAX;
	buf_init(&t.path, TARSOURCE_NAME_MAX);
	buf_init(&t.link, TARSOURCE_NAME_MAX);
	r = t.a && t.block ? read_entries(&t, err) : err_nomem(err);
	archive_read_free(t.a);
	free(t.block);
	buf_free(&t.path);
	buf_free(&t.link);
	return r < 0 ? -1 : 0;
}
