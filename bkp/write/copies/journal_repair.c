/* journal_repair: see journal_repair.h.
 *
 * The order on the host: the bytes to be cut are kept in a file of their own, then the journal is replaced in one
 * rename by its valid part and the record "journal-repaired".  That rename is the commit. */
#include "write/copies/journal_repair.h"

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
#include "read/store/store.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/journal_copies.h"
#include "write/state/journal_w.h"
#include "write/state/state_private.h"

#define WHOLE_MAX ((size_t)1 << 30)
#define COPY	  "journal/" JOURNAL_FILE

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

int journal_repair_host(
    struct state *s, const struct err *why, struct journal_repair_result *ret, struct err *err)
{
	BUF_AUTO whole = BUF_INIT(WHOLE_MAX);
	BUF_AUTO line = BUF_INIT(JOURNAL_LINE_MAX + 1);
	struct journal_repair_result r = {.kept = ledger_seq(s->ledger)};
	size_t size = (size_t)ledger_size(s->ledger);
	char hex[DIGEST_HEX], said[sizeof(why->msg)];
	uint8_t sha256[DIGEST_LEN];

	const int got = io_read_file(s->dir, JOURNAL_FILE, &whole, err);
	if (got > 0 || (!got && whole.n < size))
		return err_set(err, "E-JOURNAL-28", "%s", text("the journal was cut while it was looked at"));
	if (got || check_end((char *)whole.p + size, (char *)whole.p + whole.n, r.kept,
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
	if (buf_append(&whole, line.p, line.n, err) || buf_append(&whole, "\n", 1, err) ||
	    journal_w_replace(s->dir, &whole, err))
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

int journal_repair_copy(struct state *s, const struct medium *m, struct err *err)
{
	BUF_AUTO ours = BUF_INIT(WHOLE_MAX);
	BUF_AUTO theirs = BUF_INIT(WHOLE_MAX);
	const char *uuid = medium_uuid(m), *newline;
	struct journal_copies_mark mark;
	IO_FD_AUTO dir = -1;
	size_t at = 0;
	json_t *record;
	int r = store_read(medium_repo(m), COPY, &theirs, err);

	if (r || io_read_file(s->dir, JOURNAL_FILE, &ours, err))
		return r == STORE_ABSENT ? 0 : -1;
	for (size_t i = 0; i < ours.n && i < theirs.n && ours.p[i] == theirs.p[i]; i++)
		at = ours.p[i] == '\n' ? i + 1 : at;
	newline = at < ours.n && at < theirs.n ? memchr(ours.p + at, '\n', ours.n - at) : NULL;
	if (!newline)
		return 0;
	record =
	    json_loadb((const char *)ours.p + at, (size_t)(newline - ((const char *)ours.p + at)), 0, NULL);
	r = is_cut(s, record, theirs.p + at, theirs.n - at, err);
	json_decref(record);
	if (r != 1)
		return r;
	journal_copies_mark(s, &mark);
	dir = io_open_dir(medium_repo_dirfd(m), "journal", err);
	return dir < 0 || io_replace(dir, JOURNAL_FILE, 0644, ours.p, ours.n, err) ||
		       journal_copies_copied(s, &mark, &uuid, 1, err)
		   ? -1
		   : JOURNAL_REPAIR_MENDED;
}
