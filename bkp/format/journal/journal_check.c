/* journal_check: is each line in its place, unchanged, and signed by who could sign then?  See journal.h.
 *
 * The order of the checks keeps unsigned bytes away from the JSON parser: read_ends() reads the frame's ends off the raw
 * bytes → check_place() (sequence, hash of the line before) → check_epoch() → signature → JSON → examine_record().  Only
 * the first line of a journal whose root key is not known is parsed before its signature can be checked: the key stands in
 * it.
 *
 * examine_line() changes nothing but `scratch` and what it returns.  journal_check_line() applies what was learned, and
 * only after everything that can fail: a refused line leaves the checker as it was.
 *
 * Vouching (journal_check_vouch()) spares signatures: each line holds the hash of the one before, so the signature of a
 * later line of the same key covers all lines between.  `vouched` is the number of that later line, `vouched_head` its
 * hash.  The lines between are accepted by their chain of hashes; the last must have this very hash (is_vouched()). */
#include "format/journal/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal_private.h"

#define PREV_MEMBER ((size_t)9 + 2 * DIGEST_LEN + 1) /* ,"prev":"…" */
#define HEAD_KEYS   9

static const char *const head_keys[HEAD_KEYS] = {
    "seq", "time", "boot", "mono_ns", "synced", "version", "by", "repository", "event"};
static const char *const tail_keys[3] = {"prev", "epoch", "sig"};

struct journal_check {
	struct minisig_public *keys; /* of epoch 1, 2, 3 …; the last one signs */
	size_t n_keys, cap_keys;
	bool links; /* only the records that hand over to the next epoch stand here */
	/* the state that the next line must continue */
	uint64_t line;		       /* lines accepted */
	char repository[JOURNAL_UUID]; /* "" while unknown */
	uint64_t seq;
	uint8_t head[DIGEST_LEN];
	/* see above; 0: nothing is vouched for */
	uint64_t vouched;		  /* up to this line a later signature vouches */
	uint8_t vouched_head[DIGEST_LEN]; /* SHA-256 of that line */
	struct buf scratch;		  /* the signed bytes of a line */
};

/* What is read off the bytes at both ends of a line. */
struct ends {
	uint64_t seq;
	uint64_t epoch;
	uint8_t prev[DIGEST_LEN];
	uint8_t sig[64];
	size_t signed_len; /* without the closing brace */
};

static int add_key(struct journal_check *c, const struct minisig_public *pub, struct err *err)
{
	assert(c->n_keys < JOURNAL_EPOCHS_MAX); /* check_next() refuses one more */
	if (c->n_keys == c->cap_keys) {
		size_t cap = c->cap_keys ? 2 * c->cap_keys : 16;
		struct minisig_public *keys = reallocarray(c->keys, cap, sizeof(*keys));

		if (!keys)
			return err_nomem(err);
		c->keys = keys;
		c->cap_keys = cap;
	}
	c->keys[c->n_keys++] = *pub;
	return 0;
}

int journal_check_new(
    const struct minisig_public *root, const char *repository, struct journal_check **ret, struct err *err)
{
	struct journal_check *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	buf_init(&c->scratch, JOURNAL_LINE_MAX);
	if (root && add_key(c, root, err)) {
		journal_check_free(c);
		return -1;
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
	free(c->keys);
	free(c);
}

int journal_check_new_links(
    const struct minisig_public *root, const char *repository, struct journal_check **ret, struct err *err)
{
	if (journal_check_new(root, repository, ret, err))
		return -1;
	(*ret)->links = true;
	return 0;
}

/* Decimal without leading zeros that ends before `end`; returns the place behind it, or NULL. */
static const char *parse_number(const char *p, const char *end, uint64_t *ret)
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
	const char *end = p + n, *sig = end - JOURNAL_SIG_MEMBER, *q, *e;

	if (n < JOURNAL_SIG_MEMBER + PREV_MEMBER + 64 || memcmp(p, head, sizeof(head) - 1) != 0)
		return false;
	q = parse_number(p + sizeof(head) - 1, end, &ret->seq);
	if (!q || (size_t)(end - q) < sizeof(after_seq) || memcmp(q, after_seq, sizeof(after_seq) - 1) != 0)
		return false;
	if (memcmp(sig, ",\"sig\":\"", 8) != 0 || memcmp(end - 2, "\"}", 2) != 0 ||
	    minisig_b64_decode(sig + 8, JOURNAL_SIG_TEXT, ret->sig, sizeof(ret->sig)))
		return false;
	ret->signed_len = n - JOURNAL_SIG_MEMBER;
	for (e = sig; e > q && e[-1] >= '0' && e[-1] <= '9';)
		e--;
	if (parse_number(e, sig, &ret->epoch) != sig ||
	    (size_t)(e - q) < sizeof(before_epoch) - 1 + PREV_MEMBER)
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
static bool fill_record(json_t *o, const struct ends *ends, struct journal_record *r)
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
	return r->boot && r->version && r->by && r->repository && r->event && journal_is_event(r->event) &&
	       journal_is_uuid(r->repository);
}

static int malformed(uint64_t line, const char *why, struct err *err)
{
	return err_set_kind(
	    err, ERR_MALFORMED, "E-JOURNAL-01", text("line %ju of the journal is malformed: %s"), line, why);
}

static int parse_record(const char *p, size_t n, const struct ends *ends, uint64_t line,
    struct journal_record *ret, struct err *err)
{
	struct journal_record r = {0};
	json_error_t why;
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, &why);

	if (!o)
		return malformed(line, why.text, err);
	if (!json_is_object(o) || !order_is_right(o) || !fill_record(o, ends, &r)) {
		json_decref(o);
		return malformed(line, text("a member is missing, out of order or of the wrong kind"), err);
	}
	*ret = r;
	return 0;
}

static int check_signature(struct journal_check *c, const char *p, const struct ends *ends,
    const struct minisig_public *key, struct err *err)
{
	uint64_t line = c->line + 1;

	c->scratch.n = 0;
	if (buf_append(&c->scratch, p, ends->signed_len, err) || buf_append(&c->scratch, "}", 1, err))
		return -1;
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

void journal_check_vouch(struct journal_check *c, const void *lines, size_t n)
{
	const char *p = lines, *end = p + n, *newline, *last = NULL;
	struct err unsaid = ERR_INIT; /* each line is then judged, and named, by itself */
	struct ends ends, of_last;
	uint8_t head[DIGEST_LEN];
	uint64_t line = c->line;

	if (c->links || !c->n_keys || c->line < c->vouched)
		return;
	memcpy(head, c->head, sizeof(head));
	for (; p < end && (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1) {
		size_t len = (size_t)(newline - p);

		if (len > JOURNAL_LINE_MAX || !read_ends(p, len, &ends) || ends.seq != line + 1 ||
		    ends.epoch != c->n_keys || memcmp(ends.prev, head, sizeof(head)) != 0)
			break;
		digest_sha256(p, len, head);
		last = p;
		of_last = ends;
		line++;
	}
	if (line < c->line + 2 || check_signature(c, last, &of_last, &c->keys[c->n_keys - 1], &unsaid))
		return;
	c->vouched = line;
	memcpy(c->vouched_head, head, sizeof(head));
}

/* A later line of the same key is signed, and the hashes lead there from this one. */
static bool is_vouched(const struct journal_check *c, const char *p, size_t n)
{
	uint8_t head[DIGEST_LEN];

	if (c->line + 1 != c->vouched)
		return c->line + 1 < c->vouched;
	digest_sha256(p, n, head);
	return !memcmp(head, c->vouched_head, sizeof(head));
}

/* Only the newest key signs: the secrets of those before it are erased, and who has kept one is not believed.
 */
static int check_epoch(const struct journal_check *c, const struct ends *ends, struct err *err)
{
	uint64_t line = c->line + 1;

	if (ends->epoch > c->n_keys)
		return err_set(err, "E-JOURNAL-06",
		    text("line %ju of the journal is signed with the key of epoch %ju, which is not known"),
		    line, ends->epoch);
	if (ends->epoch < c->n_keys)
		return err_set(err, "E-JOURNAL-09",
		    text("line %ju of the journal is signed with the key of epoch %ju, which epoch %zu had "
			 "replaced"),
		    line, ends->epoch, c->n_keys);
	return 0;
}

/* The record that hands over to the next epoch. */
static int check_next(const struct journal_check *c, const struct journal_record *r,
    struct minisig_public *ret_key, struct err *err)
{
	const char *key = string_of(r->json, "key");

	if (json_integer_value(json_object_get(r->json, "next")) != (json_int_t)c->n_keys + 1 || !key ||
	    minisig_public_parse(key, ret_key, NULL))
		return err_set(err, "E-JOURNAL-10",
		    text("line %ju of the journal does not name the key of epoch %zu"), c->line + 1,
		    c->n_keys + 1);
	if (c->n_keys >= JOURNAL_EPOCHS_MAX)
		return err_set(
		    err, "E-JOURNAL-10", text("the journal has more than %d epochs"), JOURNAL_EPOCHS_MAX);
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
	uint64_t line = c->line + 1;

	if (c->links ? ends->seq <= c->seq : ends->seq != line)
		return err_set(err, "E-JOURNAL-02",
		    text("line %ju of the journal holds record %ju: records are missing or out of order"),
		    line, ends->seq);
	if (!c->links && memcmp(ends->prev, c->head, DIGEST_LEN) != 0)
		return err_set(err, "E-JOURNAL-03",
		    text("line %ju of the journal does not continue the line before it"), line);
	return 0;
}

/* What a line adds to the checker. */
struct learned {
	struct minisig_public root, next;
	bool has_next;
};

static int examine_record(
    struct journal_check *c, const struct journal_record *r, struct learned *ret, struct err *err)
{
	bool is_link = !strcmp(r->event, JOURNAL_EPOCH_EVENT);

	if (!c->links && !c->line && check_init(r, c->n_keys ? c->keys : NULL, &ret->root, err))
		return -1;
	if (c->repository[0] && strcmp(c->repository, r->repository) != 0)
		return err_set(err, "E-JOURNAL-05",
		    text("line %ju of the journal is of repository %s, not %s"), c->line + 1, r->repository,
		    c->repository);
	if (c->links && !is_link)
		return err_set(err, "E-JOURNAL-10",
		    text("line %ju of the journal does not name the key of epoch %zu"), c->line + 1,
		    c->n_keys + 1);
	ret->has_next = is_link && c->n_keys > 0;
	return ret->has_next ? check_next(c, r, &ret->next, err) : 0;
}

/* Everything but the state: the record of the line, or why it is refused. */
static int examine_line(struct journal_check *c, const char *p, size_t n, struct learned *learned,
    struct journal_record *ret, struct err *err)
{
	uint64_t line = c->line + 1;
	bool by_root = false; /* it says who signs from now on, where the one who did is lost (a new host) */
	struct err why = ERR_INIT;
	struct ends ends;

	if (n > JOURNAL_LINE_MAX || memchr(p, '\n', n))
		return malformed(line, text("it is too long"), err);
	if (!read_ends(p, n, &ends) || ends.epoch > UINT32_MAX)
		return malformed(line, text("it does not begin and end as a record"), err);
	if (check_place(c, &ends, err))
		return -1;
	if (c->n_keys && check_epoch(c, &ends, err))
		return -1;
	if (c->n_keys && !is_vouched(c, p, n) &&
	    check_signature(c, p, &ends, &c->keys[c->n_keys - 1], &why)) {
		by_root = c->n_keys > 1 && !check_signature(c, p, &ends, c->keys, NULL);
		if (!by_root && err)
			*err = why;
		if (!by_root)
			return -1;
	}
	if (parse_record(p, n, &ends, line, ret, err) || examine_record(c, ret, learned, err))
		return -1;
	if (by_root && !learned->has_next)
		return check_signature(c, p, &ends, &c->keys[c->n_keys - 1], err);
	return c->n_keys ? 0 : check_signature(c, p, &ends, &learned->root, err);
}

int journal_check_would(
    struct journal_check *c, const void *line, size_t n, struct journal_record *ret, struct err *err)
{
	struct journal_record r = {0};
	struct learned learned;

	if (examine_line(c, line, n, &learned, &r, err)) {
		journal_record_clear(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

int journal_check_line(
    struct journal_check *c, const void *line, size_t n, struct journal_record *ret, struct err *err)
{
	struct journal_record r = {0};
	struct learned learned = {.has_next = false};

	if (examine_line(c, line, n, &learned, &r, err) || (!c->n_keys && add_key(c, &learned.root, err)) ||
	    (learned.has_next && add_key(c, &learned.next, err))) {
		journal_record_clear(&r);
		return -1;
	}
	if (!c->repository[0])
		snprintf(c->repository, sizeof(c->repository), "%s", r.repository);
	c->line++;
	c->seq = r.seq;
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
	return c->n_keys ? c->keys : NULL;
}

const struct minisig_public *journal_check_keys(const struct journal_check *c, size_t *ret_n)
{
	*ret_n = c->n_keys;
	return c->keys;
}

const char *journal_check_repository(const struct journal_check *c)
{
	return c->repository[0] ? c->repository : NULL;
}
