/* journal: building lines; see journal.h.  journal_check.c: checking them. */
#include "format/journal/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal_private.h"

#define EVENT_MAX 64 /* bytes of an event's word */

const char *journal_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

int journal_is_uuid(const char *s)
{
	size_t i;

	for (i = 0; i < JOURNAL_UUID - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (!s[i] || (dash ? s[i] != '-' : !strchr("0123456789abcdef", s[i])))
			return 0;
	}
	return !s[i];
}

char *journal_segment_name(uint32_t number, char *out)
{
	snprintf(out, JOURNAL_NAME, "%06" PRIu32 ".jsonl", number <= JOURNAL_SEGMENTS ? number : 0);
	return out;
}

uint32_t journal_segment_number(const char *name)
{
	char again[JOURNAL_NAME];
	const uint32_t n = strspn(name, "0123456789") == 6 ? (uint32_t)strtoul(name, NULL, 10) : 0;

	return n && !strcmp(journal_segment_name(n, again), name) ? n : 0;
}

bool journal_is_event(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= EVENT_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* ---- building ---- */

static int set_member(json_t *o, const char *key, json_t *value)
{
	return value ? json_object_set_new(o, key, value) : -1;
}

static int set_head(json_t *o, const struct journal_frame *f, const char *event)
{
	char time[CLOCK_TEXT];

	return set_member(o, "seq", json_integer((json_int_t)f->seq)) ||
	       set_member(o, "time", json_string(clock_format(f->stamp.wall_ns, time))) ||
	       set_member(o, "boot", json_string(f->stamp.boot_id)) ||
	       set_member(o, "mono_ns", json_integer(f->stamp.mono_ns)) ||
	       set_member(o, "synced", json_boolean(f->stamp.synced)) ||
	       set_member(o, "version", json_string(f->version)) || set_member(o, "by", json_string(f->by)) ||
	       set_member(o, "repository", json_string(f->repository)) ||
	       set_member(o, "event", json_string(event));
}

static int set_members(json_t *o, const json_t *members, struct err *err)
{
	const char *key;
	json_t *value;

	if (!members)
		return 0;
	if (!json_is_object(members))
		return err_set(err, "E-JOURNAL-08", "%s", text("the members of a record are not an object"));
	json_object_foreach(
	    (json_t *)members, key, value) /* the iterator's type predates const; nothing is changed */
	{
		bool taken = json_object_get(o, key) || !strcmp(key, "prev") || !strcmp(key, "epoch") ||
			     !strcmp(key, "sig");

		if (taken)
			return err_set(err, "E-JOURNAL-08", text("a record cannot have a member '%s'"), key);
		if (json_object_set(o, key, value))
			return err_nomem(err);
	}
	return 0;
}

/* The record without its signature: what is signed, and then the line but for its end. */
static char *unsigned_line(
    const struct journal_frame *f, const char *event, const json_t *members, struct err *err)
{
	char prev[DIGEST_HEX], *s = NULL;
	json_t *o = json_object();

	if (!o || set_head(o, f, event)) {
		err_set(
		    err, "E-JOURNAL-08", "%s", text("the record's user, version or repository is not UTF-8"));
	} else if (!set_members(o, members, err)) {
		if (set_member(o, "prev", json_string(digest_hex(f->prev, DIGEST_LEN, prev))) ||
		    set_member(o, "epoch", json_integer(f->epoch)) || !(s = json_dumps(o, JSON_COMPACT)))
			err_nomem(err);
	}
	json_decref(o);
	return s;
}

int journal_build(const struct journal_frame *f, const char *event, const json_t *members,
    const struct minisig_secret *sec, struct buf *out, struct err *err)
{
	size_t start = out->n, n;
	uint8_t sig[64];
	char *s;
	int r;

	if (!journal_is_event(event) || !journal_is_uuid(f->repository) || !f->seq || f->seq > INT64_MAX ||
	    !f->epoch)
		return err_set(err, "E-JOURNAL-08", text("a record '%s' cannot be written"), event);
	s = unsigned_line(f, event, members, err);
	if (!s)
		return -1;
	n = strlen(s);
	if (n + JOURNAL_SIG_MEMBER > JOURNAL_LINE_MAX) {
		free(s);
		return err_set(err, "E-JOURNAL-08", text("a record '%s' of %zu bytes is too long"), event, n);
	}
	minisig_raw_sign(sec, s, n, sig);
	r = buf_append(out, s, n - 1, err) || buf_puts(out, ",\"sig\":\"", err) ||
		    minisig_b64_encode(sig, sizeof(sig), out, err) || buf_puts(out, "\"}", err)
		? -1
		: 0;
	free(s);
	if (r)
		out->n = start;
	return r;
}
