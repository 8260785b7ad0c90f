/* journal: see journal.h. */
#include "format/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/minisig.h"

#define SIG_TEXT    88				     /* base64 of 64 bytes */
#define SIG_MEMBER  (8 + SIG_TEXT + 2)		     /* ,"sig":"…"} */
#define PREV_MEMBER ((size_t)9 + 2 * DIGEST_LEN + 1) /* ,"prev":"…" */
#define KEYS_MAX    64				     /* epochs; one lasts years */
#define EVENT_MAX   64				     /* bytes of an event's word */
#define HEAD_KEYS   9

static const char *const head_keys[HEAD_KEYS] = {
    "seq", "time", "boot", "mono_ns", "synced", "version", "by", "repository", "event"};
static const char *const tail_keys[3] = {"prev", "epoch", "sig"};

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

static bool is_event(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= EVENT_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* ---- building ---- */

static int set(json_t *o, const char *key, json_t *value)
{
	return value ? json_object_set_new(o, key, value) : -1;
}

static int set_head(json_t *o, const struct journal_frame *f, const char *event)
{
	char time[CLOCK_TEXT];

	return set(o, "seq", json_integer((json_int_t)f->seq)) ||
	       set(o, "time", json_string(clock_format(f->stamp.wall_ns, time))) ||
	       set(o, "boot", json_string(f->stamp.boot_id)) ||
	       set(o, "mono_ns", json_integer(f->stamp.mono_ns)) ||
	       set(o, "synced", json_boolean(f->stamp.synced)) ||
	       set(o, "version", json_string(f->version)) || set(o, "by", json_string(f->by)) ||
	       set(o, "repository", json_string(f->repository)) || set(o, "event", json_string(event));
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
		if (set(o, "prev", json_string(digest_hex(f->prev, DIGEST_LEN, prev))) ||
		    set(o, "epoch", json_integer(f->epoch)) || !(s = json_dumps(o, JSON_COMPACT)))
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

	if (!is_event(event) || !journal_is_uuid(f->repository) || !f->seq || f->seq > INT64_MAX || !f->epoch)
		return err_set(err, "E-JOURNAL-08", text("a record '%s' cannot be written"), event);
	s = unsigned_line(f, event, members, err);
	if (!s)
		return -1;
	n = strlen(s);
	if (n + SIG_MEMBER > JOURNAL_LINE_MAX) {
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

/* ---- checking ---- */

struct journal_check {
	struct {
		uint32_t epoch;
		struct minisig_public pub;
	} keys[KEYS_MAX];
	size_t n_keys;
	char repository[JOURNAL_UUID]; /* "" while unknown */
	uint64_t seq;
	uint8_t head[DIGEST_LEN];
	struct buf scratch; /* the signed bytes of a line */
};

/* What is read off the bytes at both ends of a line. */
struct ends {
	uint64_t seq;
	uint64_t epoch;
	uint8_t prev[DIGEST_LEN];
	uint8_t sig[64];
	size_t signed_len; /* without the closing brace */
};

int journal_check_new(
    const struct minisig_public *root, const char *repository, struct journal_check **ret, struct err *err)
{
	struct journal_check *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	buf_init(&c->scratch, JOURNAL_LINE_MAX);
	if (root) {
		c->keys[0].epoch = 1;
		c->keys[0].pub = *root;
		c->n_keys = 1;
	}
	if (repository)
		snprintf(c->repository, sizeof(c->repository), "%s", repository);
	*ret = c;
	return 0;
}

void journal_check_free(struct journal_check *c)
{
	if (!c)
		return;
	buf_free(&c->scratch);
	free(c);
}

static const struct minisig_public *find_key(const struct journal_check *c, uint64_t epoch)
{
	for (size_t i = 0; i < c->n_keys; i++)
		if (c->keys[i].epoch == epoch)
			return &c->keys[i].pub;
	return NULL;
}

int journal_check_add_key(
    struct journal_check *c, uint32_t epoch, const struct minisig_public *pub, struct err *err)
{
	if (find_key(c, epoch) || c->n_keys == KEYS_MAX)
		return err_set(err, "E-JOURNAL-06", text("a key of epoch %u cannot be added"), epoch);
	c->keys[c->n_keys].epoch = epoch;
	c->keys[c->n_keys++].pub = *pub;
	return 0;
}

/* Decimal without leading zeros that ends before `end`; returns the place behind it, or NULL. */
static const char *number(const char *p, const char *end, uint64_t *ret)
{
	uint64_t v = 0;
	const char *q = p;

	for (; q < end && *q >= '0' && *q <= '9' && q - p < 19; q++)
		v = v * 10 + (uint64_t)(*q - '0');
	if (q == p || (*p == '0' && q - p > 1) || v > INT64_MAX)
		return NULL;
	*ret = v;
	return q;
}

/* {"seq":N,"time":" … ,"prev":"…","epoch":N,"sig":"…"} */
static bool read_ends(const char *p, size_t n, struct ends *ret)
{
	static const char head[] = "{\"seq\":", after_seq[] = ",\"time\":\"", before_epoch[] = ",\"epoch\":";
	const char *end = p + n, *sig = end - SIG_MEMBER, *q, *e;

	if (n < SIG_MEMBER + PREV_MEMBER + 64 || memcmp(p, head, sizeof(head) - 1) != 0)
		return false;
	q = number(p + sizeof(head) - 1, end, &ret->seq);
	if (!q || (size_t)(end - q) < sizeof(after_seq) || memcmp(q, after_seq, sizeof(after_seq) - 1) != 0)
		return false;
	if (memcmp(sig, ",\"sig\":\"", 8) != 0 || memcmp(end - 2, "\"}", 2) != 0 ||
	    minisig_b64_decode(sig + 8, SIG_TEXT, ret->sig, sizeof(ret->sig)))
		return false;
	ret->signed_len = n - SIG_MEMBER;
	for (e = sig; e > q && e[-1] >= '0' && e[-1] <= '9';)
		e--;
	if (number(e, sig, &ret->epoch) != sig || (size_t)(e - q) < sizeof(before_epoch) - 1 + PREV_MEMBER)
		return false;
	e -= sizeof(before_epoch) - 1;
	if (memcmp(e, before_epoch, sizeof(before_epoch) - 1) != 0)
		return false;
	e -= PREV_MEMBER;
	return !memcmp(e, ",\"prev\":\"", 9) && e[PREV_MEMBER - 1] == '"' &&
	       digest_unhex(e + 9, DIGEST_LEN, ret->prev);
}

/* The frame's names in their order at both ends, and no other place for them (the parser refuses names given
 * twice). */
static bool order_is_right(json_t *o)
{
	size_t n = json_object_size(o), i = 0;
	const char *key;
	json_t *value;

	if (n < HEAD_KEYS + 3)
		return false;
	json_object_foreach(o, key, value)
	{
		if (i < HEAD_KEYS && strcmp(key, head_keys[i]) != 0)
			return false;
		if (i >= n - 3 && strcmp(key, tail_keys[i - (n - 3)]) != 0)
			return false;
		i++;
	}
	return true;
}

static const char *string_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* Fills the record from the object; false when a member of the frame is of the wrong kind. */
static bool fill(json_t *o, const struct ends *ends, struct journal_record *r)
{
	const json_t *mono = json_object_get(o, "mono_ns"), *synced = json_object_get(o, "synced");
	const char *time = string_of(o, "time");

	r->json = o;
	r->seq = ends->seq;
	r->epoch = (uint32_t)ends->epoch;
	r->boot = string_of(o, "boot");
	r->version = string_of(o, "version");
	r->by = string_of(o, "by");
	r->repository = string_of(o, "repository");
	r->event = string_of(o, "event");
	if (!time || clock_parse(time, &r->wall_ns) || !json_is_integer(mono) || !json_is_boolean(synced))
		return false;
	r->mono_ns = json_integer_value(mono);
	r->synced = json_is_true(synced);
	return r->boot && r->version && r->by && r->repository && r->event && is_event(r->event) &&
	       journal_is_uuid(r->repository);
}

static int malformed(uint64_t line, const char *why, struct err *err)
{
	return err_set(err, "E-JOURNAL-01", text("line %ju of the journal is malformed: %s"), line, why);
}

static int parse(const char *p, size_t n, const struct ends *ends, uint64_t line, struct journal_record *ret,
    struct err *err)
{
	struct journal_record r = {0};
	json_error_t why;
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, &why);

	if (!o)
		return malformed(line, why.text, err);
	if (!json_is_object(o) || !order_is_right(o) || !fill(o, ends, &r)) {
		json_decref(o);
		return malformed(line, text("a member is missing, out of order or of the wrong kind"), err);
	}
	*ret = r;
	return 0;
}

static int check_signature(struct journal_check *c, const char *p, const struct ends *ends,
    const struct minisig_public *key, struct err *err)
{
	uint64_t line = c->seq + 1;

	c->scratch.n = 0;
	if (buf_append(&c->scratch, p, ends->signed_len, err) || buf_append(&c->scratch, "}", 1, err))
		return -1;
	if (!key)
		return err_set(err, "E-JOURNAL-06",
		    text("line %ju of the journal is signed with the key of epoch %ju, which is not known"),
		    line, ends->epoch);
	if (minisig_raw_verify(key, c->scratch.p, c->scratch.n, ends->sig)) {
		err_set(err, "E-JOURNAL-04", text("the signature of line %ju of the journal is wrong"), line);
		return line > 1
			   ? -1
			   : err_hint(err, "%s",
				 text("compare the root key with the one on paper: the line was changed, or "
				      "this is another repository's journal"));
	}
	return 0;
}

/* The first record is the init of the root key, and is signed with it. */
static int check_init(const struct journal_record *r, const struct minisig_public *known,
    struct minisig_public *ret_root, struct err *err)
{
	const char *said = string_of(r->json, "root_key");
	char want[MINISIG_KEY_TEXT];
	struct minisig_public root;

	if (strcmp(r->event, "init") != 0 || r->epoch != 1 || !said ||
	    minisig_public_parse(said, &root, NULL))
		return err_set(err, "E-JOURNAL-07", "%s",
		    text("the first line of the journal is not an init record with a root key"));
	if (known && strcmp(minisig_public_format(known, want), said) != 0)
		return err_set(err, "E-JOURNAL-07",
		    text("line 1 of the journal names the root key %s, not %s"), said, want);
	*ret_root = root;
	return 0;
}

static int check_place(const struct journal_check *c, const struct ends *ends, struct err *err)
{
	uint64_t line = c->seq + 1;

	if (ends->seq != line)
		return err_set(err, "E-JOURNAL-02",
		    text("line %ju of the journal holds record %ju: records are missing or out of order"),
		    line, ends->seq);
	if (memcmp(ends->prev, c->head, DIGEST_LEN) != 0)
		return err_set(err, "E-JOURNAL-03",
		    text("line %ju of the journal does not continue the line before it"), line);
	return 0;
}

/* Everything but the state: the record of the line, or why it is refused. */
static int examine(struct journal_check *c, const char *p, size_t n, struct minisig_public *root,
    struct journal_record *ret, struct err *err)
{
	const struct minisig_public *key;
	uint64_t line = c->seq + 1;
	struct ends ends;
	bool learn;

	if (n > JOURNAL_LINE_MAX || memchr(p, '\n', n))
		return malformed(line, text("it is too long"), err);
	if (!read_ends(p, n, &ends) || ends.epoch > UINT32_MAX)
		return malformed(line, text("it does not begin and end as a record"), err);
	if (check_place(c, &ends, err))
		return -1;
	key = find_key(c, ends.epoch);
	learn = !key && !c->seq && !c->n_keys;
	if (!learn && check_signature(c, p, &ends, key, err))
		return -1;
	if (parse(p, n, &ends, line, ret, err))
		return -1;
	if (!c->seq && check_init(ret, find_key(c, 1), root, err))
		return -1;
	if (learn && check_signature(c, p, &ends, root, err))
		return -1;
	if (c->repository[0] && strcmp(c->repository, ret->repository) != 0)
		return err_set(err, "E-JOURNAL-05",
		    text("line %ju of the journal is of repository %s, not %s"), line, ret->repository,
		    c->repository);
	return 0;
}

int journal_check_line(
    struct journal_check *c, const void *line, size_t n, struct journal_record *ret, struct err *err)
{
	struct journal_record r = {0};
	struct minisig_public root;

	if (examine(c, line, n, &root, &r, err)) {
		journal_record_clear(&r);
		return -1;
	}
	if (!c->seq) {
		if (!c->n_keys) {
			c->keys[0].epoch = 1;
			c->keys[0].pub = root;
			c->n_keys = 1;
		}
		snprintf(c->repository, sizeof(c->repository), "%s", r.repository);
	}
	c->seq++;
	digest_sha256(line, n, c->head);
	*ret = r;
	return 0;
}

void journal_record_clear(struct journal_record *r)
{
	json_decref(r->json);
	memset(r, 0, sizeof(*r));
}

uint64_t journal_check_seq(const struct journal_check *c)
{
	return c->seq;
}

const uint8_t *journal_check_head(const struct journal_check *c)
{
	return c->head;
}

const struct minisig_public *journal_check_root(const struct journal_check *c)
{
	return find_key(c, 1);
}

const char *journal_check_repository(const struct journal_check *c)
{
	return c->repository[0] ? c->repository : NULL;
}
