/* scribe: a journal being written in memory, for tests of what its records amount to.
 *
 * start() or ready() → put() … → end(); `ledger` is what the records amount to and
 * `bytes` the journal itself.  A failure here is a failed assertion of the test.
 */
#ifndef BKP_TESTS_SCRIBE_H
#define BKP_TESTS_SCRIBE_H

#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"

#define REPO	      "0b54aa2e-3c5d-4f60-9a11-2f4b8c0d7e01"
#define NAS	      "11111111-3c5d-4f60-9a11-2f4b8c0d7e01"
#define RDX	      "22222222-3c5d-4f60-9a11-2f4b8c0d7e01"
#define GEN	      "33333333-3c5d-4f60-9a11-2f4b8c0d7e01"
#define HASH	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define T0	      1795226400000000000
#define SCRIBE_UNUSED __attribute__((unused))

/* A journal being written, in memory. */
struct scribe {
	struct minisig_secret sec;
	struct ledger *ledger;
	struct buf bytes;
	int64_t at_ns; /* wall time of the next record; 0: a minute after the one before, from T0 */
};

static SCRIBE_UNUSED void start(struct scribe *s)
{
	uint8_t seed[32] = {7};
	struct err err = ERR_INIT;

	memset(s, 0, sizeof(*s));
	minisig_from_seed(seed, &s->sec);
	buf_init(&s->bytes, (size_t)256 << 20);
	assert_int_equal(ledger_new(&s->sec.pub, &s->ledger, &err), 0);
}

static SCRIBE_UNUSED void end(struct scribe *s)
{
	ledger_free(s->ledger);
	buf_free(&s->bytes);
}

/* Writes a record whether the ledger would accept it or not; 0/-1 as the ledger takes it. */
static SCRIBE_UNUSED int put(struct scribe *s, const char *event, json_t *members, struct err *err)
{
	struct journal_frame f = {.seq = ledger_seq(s->ledger) + 1,
	    .version = "0.1.0",
	    .by = "root",
	    .repository = REPO,
	    .epoch = ledger_epoch(s->ledger)};
	size_t at = s->bytes.n;
	int accepts, r;

	assert_non_null(members);
	f.stamp.wall_ns = s->at_ns ? s->at_ns : T0 + (int64_t)f.seq * 60000000000;
	memcpy(f.prev, ledger_head(s->ledger), DIGEST_LEN);
	accepts = ledger_accepts(s->ledger, event, members, err);
	assert_int_equal(journal_build(&f, event, members, &s->sec, &s->bytes, err), 0);
	r = ledger_take(s->ledger, s->bytes.p + at, s->bytes.n - at, err);
	/* what would be refused is known before it is written */
	assert_int_equal(accepts, r);
	assert_int_equal(buf_append(&s->bytes, "\n", 1, err), 0);
	json_decref(members);
	return r;
}

static SCRIBE_UNUSED json_t *init_members(struct scribe *s)
{
	char key[MINISIG_KEY_TEXT];

	return json_pack("{s:s, s:s, s:s, s:s}", "site", "site", "root_key",
	    minisig_public_format(&s->sec.pub, key), "recipient", "age1a", "period_sha256",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static SCRIBE_UNUSED json_t *medium(const char *uuid, const char *label, int offline)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:n, s:b}", "medium", uuid, "label", label, "type", "hdd",
	    "path", "/mnt", "place", "offline", offline);
}

/* A run that is to capture one data set. */
static SCRIBE_UNUSED json_t *begin_of(const char *dataset, int n)
{
	return json_pack("{s:i, s:s, s:[s]}", "run", n, "uuid", GEN, "datasets", dataset);
}

/* One that is to capture two. */
static SCRIBE_UNUSED json_t *begin(int n)
{
	return json_pack("{s:i, s:s, s:[s, s]}", "run", n, "uuid", GEN, "datasets", "emr", "documents");
}

/* What the run made of one data set; takes media, copies as "committed" lists them. */
static SCRIBE_UNUSED json_t *committed_to(const char *dataset, int n, const char *verdict, json_t *media)
{
	return json_pack(
	    "{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:n, s:o}",
	    "dataset", dataset, "generation", n, "uuid", GEN, "manifest_sha256", HASH, "archives", 2,
	    "archive_bytes", 1000, "new_bytes", 10, "next_archive", n + 1, "verdict", verdict, "entries", 9,
	    "files", 7, "bytes", 4096, "unreadable", 1, "changed", 2, "skipped", 3, "reason", "media", media);
}

static SCRIBE_UNUSED json_t *copy_to(const char *uuid, const char *label)
{
	return json_pack(
	    "{s:s, s:s, s:b, s:b, s:s}", "medium", uuid, "label", label, "ok", 1, "frozen", 1, "reason", "");
}

/* Good, on the NAS; the disk had no room. */
static SCRIBE_UNUSED json_t *committed(const char *dataset, int n)
{
	return committed_to(dataset, n, "good",
	    json_pack("[o, {s:s, s:s, s:b, s:b, s:s}]", copy_to(NAS, "nas"), "medium", RDX, "label", "RDX-01",
		"ok", 0, "frozen", 0, "reason", "disk full"));
}

/* The run has no generation of that data set. */
static SCRIBE_UNUSED json_t *failed(const char *dataset, int n, const char *reason)
{
	return json_pack("{s:i, s:s, s:[{s:s, s:s}]}", "run", n, "reason", "", "datasets", "name", dataset,
	    "reason", reason);
}

/* Of "verified" and "copied". */
static SCRIBE_UNUSED json_t *on_medium(const char *dataset, int n, const char *uuid)
{
	return json_pack("{s:s, s:[{s:s, s:i, s:i, s:i}]}", "medium", uuid, "generations", "dataset", dataset,
	    "generation", n, "files", 3, "bytes", 1000);
}

/* Of "verify-failed" and "expired". */
static SCRIBE_UNUSED json_t *copy_of(const char *dataset, int n, const char *uuid)
{
	return json_pack("{s:s, s:i, s:s, s:i, s:i}", "dataset", dataset, "generation", n, "medium", uuid,
	    "files", 3, "bytes", 1000);
}

/* Of "accepted", "held" and "released". */
static SCRIBE_UNUSED json_t *decided(const char *dataset, int n)
{
	return json_pack("{s:s, s:i, s:s, s:s}", "dataset", dataset, "generation", n, "operator", "Sato",
	    "reason", "looked at it");
}

static SCRIBE_UNUSED void ready(struct scribe *s)
{
	struct err err = ERR_INIT;

	start(s);
	assert_int_equal(put(s, "init", init_members(s), &err), 0);
	assert_int_equal(put(s, "medium-added", medium(NAS, "nas", 0), &err), 0);
	assert_int_equal(put(s, "medium-added", medium(RDX, "RDX-01", 1), &err), 0);
}

#endif
