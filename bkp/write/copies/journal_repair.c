/* journal_repair: see journal_repair.h.
 *
 * The order on the host: the bytes to be cut are kept in a file of their own, then the journal is replaced in one
 * rename by its valid part and the record "journal-repaired".  That rename is the commit. */
#include "write/copies/journal_repair.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/file/segments.h"
#include "read/store/store.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/journal_copies.h"
#include "write/pack/vault_w.h"
#include "write/state/journal_w.h"
#include "write/state/state_private.h"

#define WHOLE_MAX  ((size_t)1 << 30)
#define RECORD_MAX ((size_t)16 << 10) /* of a repair: its texts are bounded */

/* Counts the lines of what stands after record `kept`.  contradicts: the first is signed and in its place. */
static int check_end(
    const char *p, const char *end, uint64_t kept, bool contradicts, uint64_t *ret_lines, struct err *err)
{
	static const char head[] = "{\"seq\":";
	uint64_t line = kept, seq;
	const char *newline;

	for (; p < end; p = newline ? newline + 1 : end) {
		newline = memchr(p, '\n', (size_t)(end - p));
		line++;
		seq = 0;
		if (newline && (size_t)(newline - p) > sizeof(head) && !memcmp(p, head, sizeof(head) - 1))
			for (const char *d = p + sizeof(head) - 1; *d >= '0' && *d <= '9' && seq <= line; d++)
				seq = seq * 10 + (uint64_t)(*d - '0');
		if (contradicts || (line == kept + 1 ? seq <= line : seq < line))
			continue;
		err_set(err, "E-JOURNAL-28",
		    text("the fault in the journal is not at its end: line %ju behind it is a record that is "
			 "in its place, or one is missing before it"),
		    (uintmax_t)line);
		return err_hint(err, "%s",
		    text("a record was changed or taken out: keep the file, and bring the journal back from "
			 "a medium's copy or a backup of the state folder"));
	}
	*ret_lines = line - kept;
	return 0;
}

static int read_all(struct store_file *f, struct buf *out, struct err *err)
{
	ssize_t got =
	    buf_reserve(out, (size_t)f->size, err) ? -1 : store_read_full(f, out->p, (size_t)f->size, 0);

	if (got < 0)
		return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), JOURNAL_DIR);
	out->n = (size_t)got;
	return 0;
}

/* All of it, and where its last segment begins. */
static int read_journal(
    const struct state *s, struct buf *whole, uint32_t *ret_last, size_t *ret_start, struct err *err)
{
	STORE_FILE_AUTO f = {0};

	if (state_journal(s, &f, err) || read_all(&f, whole, err))
		return -1;
	*ret_last = segments_count(&f);
	*ret_start = *ret_last ? (size_t)segments_start(&f, *ret_last) : 0;
	return 0;
}

/* A segment that is closed was durable before the next one began: only in the last one can a writer have gone wrong. */
static int check_place(size_t size, size_t start, size_t end, struct err *err)
{
	if (size >= start && size < end && size - start <= JOURNAL_SEGMENT_MAX - RECORD_MAX)
		return 0;
	err_set(err, "E-JOURNAL-28", "%s",
	    text("the fault in the journal is not at the end of its last segment"));
	return err_hint(err, "%s",
	    text("keep the files, and bring the journal back from a medium's copy or a backup of the state "
		 "folder"));
}

int journal_repair_host(
    struct state *s, const struct err *why, struct journal_repair_result *ret, struct err *err)
{
	BUF_AUTO whole = BUF_INIT(WHOLE_MAX);
	BUF_AUTO line = BUF_INIT(JOURNAL_LINE_MAX + 1);
	struct journal_repair_result r = {.kept = ledger_seq(s->ledger)};
	size_t size = (size_t)ledger_size(s->ledger), start;
	char hex[DIGEST_HEX], said[sizeof(why->msg)];
	uint8_t sha256[DIGEST_LEN];
	uint32_t last;

	if (read_journal(s, &whole, &last, &start, err) || check_place(size, start, whole.n, err) ||
	    check_end((char *)whole.p + size, (char *)whole.p + whole.n, r.kept,
		why->kind == ERR_CONTRADICTION, &r.lines, err))
		return -1;
	r.bytes = whole.n - size;
	digest_sha256(whole.p + size, r.bytes, sha256);
	snprintf(r.file, sizeof(r.file), "journal-cut-%s.jsonl", digest_hex(sha256, DIGEST_LEN, hex));
	path_show(why->msg, said, sizeof(said));
	if (io_replace(s->dir, r.file, 0600, whole.p + size, r.bytes, err) ||
	    state_line(s, "journal-repaired",
		json_pack("{s:I, s:I, s:I, s:s, s:s, s:s}", "kept", (json_int_t)r.kept, "lines",
		    (json_int_t)r.lines, "bytes", (json_int_t)r.bytes, "sha256", hex, "file", r.file, "why",
		    said),
		&line, err))
		return -1;
	whole.n = size;
	buf_consume(&whole, start);
	if (buf_append(&whole, line.p, line.n, err) || buf_append(&whole, "\n", 1, err) ||
	    journal_w_replace(s->dir, last, &whole, err))
		return -1;
	*ret = r;
	return 0;
}

/* ---- media ---- */

/* Do the n bytes, which stand on the medium where `record` stands here, come from what a repair cut off?  1, 0,
 * -1. */
static int is_cut(const struct state *s, const json_t *record, const void *p, size_t n, struct err *err)
{
	const char *event = json_string_value(json_object_get(record, "event")),
		   *file = json_string_value(json_object_get(record, "file")),
		   *want = json_string_value(json_object_get(record, "sha256"));
	BUF_AUTO cut = BUF_INIT(WHOLE_MAX);
	uint8_t sha256[DIGEST_LEN];
	char hex[DIGEST_HEX];

	if (!event || strcmp(event, "journal-repaired") != 0)
		return 0;
	if (!strchr(file, '/') && !io_read_file(s->dir, file, &cut, NULL)) {
		digest_sha256(cut.p, cut.n, sha256);
		if (!strcmp(digest_hex(sha256, DIGEST_LEN, hex), want))
			return n <= cut.n && !memcmp(p, cut.p, n);
	}
	return err_set(err, "E-JOURNAL-29",
	    text("'%s', which holds what was cut off the journal, is not there or is another"), want);
}

/* 1: what they have beyond the beginning of ours was cut off here; 0, -1. */
static int is_mendable(
    const struct state *s, const struct buf *ours, const struct buf *theirs, struct err *err)
{
	const char *newline;
	size_t at = 0;
	json_t *record;
	int r;

	for (size_t i = 0; i < ours->n && i < theirs->n && ours->p[i] == theirs->p[i]; i++)
		at = ours->p[i] == '\n' ? i + 1 : at;
	newline = at < ours->n && at < theirs->n ? memchr(ours->p + at, '\n', ours->n - at) : NULL;
	if (!newline)
		return 0;
	record =
	    json_loadb((const char *)ours->p + at, (size_t)(newline - ((const char *)ours->p + at)), 0, NULL);
	r = is_cut(s, record, theirs->p + at, theirs->n - at, err);
	json_decref(record);
	return r;
}

int journal_repair_copy(struct state *s, const struct medium *m, struct err *err)
{
	BUF_AUTO ours = BUF_INIT(WHOLE_MAX);
	BUF_AUTO theirs = BUF_INIT(WHOLE_MAX);
	STORE_FILE_AUTO here = {0};
	STORE_FILE_AUTO there = {0};
	const char *uuid = medium_uuid(m);
	struct journal_copies_mark mark;
	struct vault_w *v = NULL;
	int r = segments_open(medium_repo(m), &there, err);

	if (r == STORE_ABSENT)
		return 0;
	if (r || state_journal(s, &here, err) || read_all(&there, &theirs, err) ||
	    read_all(&here, &ours, err))
		return -1;
	if (segments_fault(&there) || segments_count(&there) > segments_count(&here))
		return 0; /* no repair did that */
	r = is_mendable(s, &ours, &theirs, err);
	if (r != 1)
		return r;
	journal_copies_mark(s, &mark);
	r = vault_w_open(medium_repo(m), &v, err) || vault_w_put_journal(v, &here, ours.n, true, err) ||
	    journal_copies_copied(s, &mark, &uuid, 1, err);
	vault_w_close(v);
	return r ? -1 : JOURNAL_REPAIR_MENDED;
}
