/* state_continue: see state_continue.h.
 *
 * Into ".<name>.new" (state_place.h): the repository's facts, the journal's segments, policies/ and keys/ as they are on the medium → the secrets, signed
 * by the root key → signing-<n+1>.key → the record `epoch` that names it, signed by the root key → everything read back → rename. */
#include "write/state/make/state_continue.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "base/version.h"
#include "format/crypto/digest.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/store/store_dir.h"
#include "read/vault/periods.h"
#include "read/vault/repository.h"
#include "write/state/history.h"
#include "write/state/journal_w.h"
#include "write/state/policy_record.h"
#include "write/state/state_place.h"
#include "write/state/state_private.h"

struct continuing {
	const struct state_continue *how;
	struct state_place place;
	const struct store *from; /* the medium with the longest journal */
	struct repository *repo;
	struct state_secrets *secrets;
	struct ledger *ledger;
};

/* ---- which journal ---- */

static int lines_of(const struct continuing *c, const struct store *repo, uint64_t *ret, struct err *err)
{
	STORE_FILE_AUTO file = {0};
	struct ledger *l;

	if (segments_open(repo, &file, err) ||
	    ledger_load_file(&file, JOURNAL_DIR, &c->how->root->pub, NULL, NULL, &l, err))
		return -1;
	*ret = ledger_seq(l);
	ledger_free(l);
	return 0;
}

static int compare(const struct continuing *c, const struct store *other, struct err *err)
{
	STORE_FILE_AUTO ours = {0};
	struct history h;

	if (segments_open(c->from, &ours, err) ||
	    history_look(other, &ours, (uint64_t)ours.size, NULL, &h, err))
		return -1;
	if (h.kind == HISTORY_BEGINS)
		return 0;
	err_set_kind(err, ERR_FORGED, "E-CONTINUE-01", "%s",
	    text("the journals of these media do not belong together: one of them was rewritten"));
	return err_hint(err, "%s",
	    text("keep all media as they are, and find out with 'bkp journal verify' which one the paper of "
		 "the last rotation belongs to"));
}

/* The longest; every other one must be its beginning. */
static int choose(struct continuing *c, struct err *err)
{
	uint64_t best = 0, lines;

	for (size_t i = 0; i < c->how->n_repos; i++) {
		if (lines_of(c, &c->how->repos[i], &lines, err))
			return -1;
		if (lines > best) {
			best = lines;
			c->from = &c->how->repos[i];
		}
	}
	for (size_t i = 0; i < c->how->n_repos; i++)
		if (&c->how->repos[i] != c->from && compare(c, &c->how->repos[i], err))
			return -1;
	return 0;
}

/* ---- what is copied ---- */

static int copy_file(const struct store *from, int dir, const char *path, const char *name, mode_t mode,
    size_t max, struct err *err)
{
	BUF_AUTO b = BUF_INIT(max);

	return store_read(from, path, &b, err) || io_write_new(dir, name, mode, b.p, b.n, err) ? -1 : 0;
}

/* repository.age cannot be opened here: that it is the one that was signed is what can be said of it. */
static int copy_facts(struct continuing *c, struct err *err)
{
	BUF_AUTO age = BUF_INIT(REPOSITORY_MAX);
	uint8_t sha256[DIGEST_LEN];

	if (repository_load(c->from, &c->how->root->pub, &c->repo, err) ||
	    store_read(c->from, REPOSITORY_AGE, &age, err))
		return -1;
	digest_sha256(age.p, age.n, sha256);
	if (memcmp(sha256, repository_secrets_sha256(c->repo), DIGEST_LEN) != 0)
		return err_set_kind(err, ERR_FORGED, "E-CONTINUE-03",
		    text("'%s' is not the file that was signed"), REPOSITORY_AGE);
	return io_write_new(c->place.dir, REPOSITORY_AGE, 0444, age.p, age.n, err) ||
		       copy_file(c->from, c->place.dir, REPOSITORY_JSON, REPOSITORY_JSON, 0444,
			   REPOSITORY_MAX, err) ||
		       copy_file(
			   c->from, c->place.dir, REPOSITORY_SIG, REPOSITORY_SIG, 0444, REPOSITORY_MAX, err)
		   ? -1
		   : 0;
}

static int copy_segments(const struct continuing *c, struct err *err)
{
	IO_FD_AUTO dir = io_make_dir(c->place.dir, JOURNAL_DIR, 0700, err);
	STORE_FILE_AUTO file = {0};
	char name[JOURNAL_NAME], path[JOURNAL_NAME + sizeof(JOURNAL_DIR)];

	if (dir < 0 || segments_open(c->from, &file, err))
		return -1;
	for (uint32_t i = 1; i <= segments_count(&file); i++) {
		snprintf(path, sizeof(path), "%s/%s", JOURNAL_DIR, journal_segment_name(i, name));
		if (copy_file(c->from, dir, path, name, 0600, JOURNAL_SEGMENT_MAX, err))
			return -1;
	}
	return 0; /* journal_w_open() makes their names durable */
}

/* As long as that text is on one of them: its name is its SHA-256, which the journal vouches for. */
static int take_policy(void *arg, const struct journal_record *r, struct err *err)
{
	const struct continuing *c = arg;
	const char *sha256 = journal_text(r->json, "sha256");
	BUF_AUTO b = BUF_INIT(POLICY_BYTES_MAX);
	char path[DIGEST_HEX + 16], is[DIGEST_HEX];
	uint8_t sum[DIGEST_LEN];

	if (strcmp(r->event, "policy") != 0)
		return 0;
	snprintf(path, sizeof(path), "policy/%s.yaml", sha256);
	for (size_t i = 0; i < c->how->n_repos; i++) {
		b.n = 0;
		if (store_read(&c->how->repos[i], path, &b, NULL))
			continue;
		digest_sha256(b.p, b.n, sum);
		if (!strcmp(digest_hex(sum, DIGEST_LEN, is), sha256))
			return policy_record_keep(c->place.dir, sha256, b.p, b.n, err);
	}
	++*c->how->ret_missing;
	return 0;
}

static int copy_policies(struct continuing *c, struct err *err)
{
	STORE_FILE_AUTO file = {0};
	struct ledger *l;

	if (segments_open(c->from, &file, err) ||
	    ledger_load_file(&file, JOURNAL_DIR, &c->how->root->pub, take_policy, c, &l, err))
		return -1;
	ledger_free(l);
	return 0;
}

struct copying {
	const struct continuing *c;
	uint32_t number;
	int dir;
};

static int copy_named(void *arg, const char *name, struct err *err)
{
	const struct copying *to = arg;
	char path[PERIOD_PATH];

	return copy_file(
	    to->c->from, to->dir, period_path(to->number, name, path), name, 0444, PERIOD_FILE_MAX, err);
}

static int copy_period(
    const struct continuing *c, int keys, const struct periods *all, uint32_t number, struct err *err)
{
	char name[16];
	IO_FD_AUTO dir = -1;
	struct copying to = {c, number, -1};

	snprintf(name, sizeof(name), "%u", number);
	to.dir = dir = io_make_dir(keys, name, 0700, err);
	return dir < 0 || periods_each_file(all, number, copy_named, &to, err) || io_sync_dir(dir, err) ? -1
													: 0;
}

/* Those that the journal names must be there; state_period_load() compares them when the folder is opened. */
static int copy_keys(const struct continuing *c, struct err *err)
{
	IO_FD_AUTO keys = io_make_dir(c->place.dir, PERIOD_KEYS, 0700, err);
	struct periods *all;
	int r = 0;

	if (keys < 0 || periods_load(c->from, repository_id(c->repo), &c->how->root->pub, NULL, &all, err))
		return -1;
	for (uint32_t i = 1; !r && i <= periods_newest(all); i++) {
		if (periods_get(all, i))
			r = copy_period(c, keys, all, i, err);
		else if ((r = -1) && err)
			*err = *periods_fault(all, i);
	}
	periods_free(all);
	return r || io_sync_dir(keys, err) ? -1 : 0;
}

/* ---- what is new ---- */

static int write_secrets(const struct continuing *c, struct err *err)
{
	const struct buf *b = c->how->secrets;
	const char *id = repository_id(c->repo);
	char comment[MINISIG_COMMENT_MAX];
	BUF_AUTO sig = BUF_INIT(STATE_KEY_FILE_MAX);

	if (b->n < sizeof(c->secrets->text)) {
		memcpy(c->secrets->text, b->p, b->n);
		c->secrets->text[b->n] = '\0';
	}
	if (state_secrets_read(c->secrets, id)) {
		err_set_kind(err, ERR_MALFORMED, "E-CONTINUE-02", "%s",
		    text("these secrets are not those of this repository"));
		return err_hint(err, "%s",
		    text("somebody who holds a key makes the file from one of these media: 'bkp-restore key "
			 "host --to DIR'"));
	}
	return io_write_new(c->place.dir, STATE_SECRETS, 0600, c->secrets->text, b->n, err) ||
		       minisig_sign(c->how->root, c->secrets->text, b->n,
			   repository_comment("secrets", id, comment), &sig, err) ||
		       io_write_new(c->place.dir, STATE_SECRETS_SIG, 0600, sig.p, sig.n, err)
		   ? -1
		   : 0;
}

/* The root key says who signs from now on. */
static int next_line(const struct continuing *c, uint32_t next, struct buf *out, struct err *err)
{
	char by[JOURNAL_W_BY], key[MINISIG_KEY_TEXT];
	struct journal_frame f = {.seq = ledger_seq(c->ledger) + 1,
	    .version = BKP_VERSION,
	    .by = journal_w_by(by),
	    .repository = repository_id(c->repo),
	    .epoch = next - 1};
	json_t *o = json_pack("{s:I, s:s, s:b, s:s, s:s, s:s}", "next", (json_int_t)next, "key",
	    minisig_public_format(&c->secrets->signing.pub, key), "continued", 1, "command", "init", "role",
	    "manager", "operator", c->how->person);
	int r;

	if (!o)
		return err_nomem(err);
	clock_now(&f.stamp);
	memcpy(f.prev, ledger_head(c->ledger), sizeof(f.prev));
	r = ledger_accepts(c->ledger, JOURNAL_EPOCH_EVENT, o, err) ||
	    journal_build(&f, JOURNAL_EPOCH_EVENT, o, c->how->root, out, err) ||
	    ledger_would(c->ledger, out->p, out->n, err);
	json_decref(o);
	return r ? -1 : 0;
}

static int next_epoch(struct continuing *c, struct err *err)
{
	BUF_AUTO line = BUF_INIT(JOURNAL_LINE_MAX);
	char name[STATE_SIGNING_NAME];
	struct journal_w *journal;
	uint32_t next;
	size_t n;
	int r;

	if (ledger_load(c->place.dir, &c->how->root->pub, &c->ledger, err))
		return -1;
	(void)ledger_keys(c->ledger, &n);
	next = (uint32_t)n + 1;
	if (state_epoch_generate(&c->secrets->signing, err) || next_line(c, next, &line, err) ||
	    state_epoch_write(c->place.dir, state_epoch_name(next, name), &c->secrets->signing, err) ||
	    journal_w_open(c->place.dir, c->ledger, &journal, err))
		return -1;
	r = journal_w_append(journal, line.p, line.n, err);
	journal_w_close(journal);
	return r;
}

/* The revision in force is the one that the journal names: where it could not be read on the medium an older one was taken. */
static int check_period(const struct continuing *c, const struct ledger_period *want, struct err *err)
{
	BUF_AUTO b = BUF_INIT(PERIOD_FILE_MAX);
	char name[PERIOD_NAME + 8], path[PERIOD_PATH], is[DIGEST_HEX];
	uint8_t sum[DIGEST_LEN];
	int r;

	period_path(want->number, period_file(want->revision, PERIOD_OF_JSON, name), path);
	r = io_read_file(c->place.dir, path, &b, err);
	digest_sha256(b.p, b.n, sum);
	if (!r && !strcmp(digest_hex(sum, DIGEST_LEN, is), want->sha256))
		return 0;
	err_set(err, "E-CONTINUE-03", text("'%s' is not the file that was signed"), path);
	return err_hint(
	    err, "%s", text("it cannot be read on this medium: try again, or name another medium first"));
}

static int check_written(const struct continuing *c, struct err *err)
{
	struct ledger *l = NULL;
	int r =
	    ledger_load(c->place.dir, &c->how->root->pub, &l, err) || check_period(c, ledger_period(l), err);

	ledger_free(l);
	return r ? -1 : 0;
}

static int fill(struct continuing *c, struct err *err)
{
	IO_FD_AUTO cache = -1;

	if (choose(c, err) || copy_facts(c, err) || copy_segments(c, err) || copy_policies(c, err) ||
	    copy_keys(c, err) || write_secrets(c, err) || next_epoch(c, err) ||
	    io_write_new(c->place.dir, STATE_LOCK, 0600, "", 0, err))
		return -1;
	cache = io_make_dir(c->place.dir, STATE_CACHE, 0700, err);
	return cache < 0 || check_written(c, err) || io_sync_dir(c->place.dir, err) ? -1 : 0;
}

static int make(struct continuing *c, struct err *err)
{
	int r;

	if ((r = state_place_open(&c->place, err)) || (r = state_place_check(&c->place, err)) ||
	    (r = state_place_begin(&c->place, err)))
		return r;
	r = fill(c, err);
	if (!r)
		r = state_place_publish(&c->place, err);
	if (r)
		(void)state_place_discard(&c->place);
	return r;
}

int state_continue(const struct state_continue *how, struct err *err)
{
	struct continuing c = {.how = how, .place = STATE_PLACE(how->path, state_is_ours)};
	int r;

	state_epoch_shield();
	if (sodium_init() >= 0)
		c.secrets = sodium_malloc(sizeof(*c.secrets));
	r = c.secrets ? make(&c, err) : err_nomem(err);
	state_place_close(&c.place);
	repository_free(c.repo);
	ledger_free(c.ledger);
	sodium_free(c.secrets);
	return r;
}
