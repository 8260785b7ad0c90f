/* state_create: makes the state folder in one step; see state.h.
 *
 * Everything is written into ".<name>.new" beside the place, read back by the readers of later (check_written()),
 * made durable, and renamed.  The rename is the commit.  The folder is locked while it is filled; what a dead init
 * left in it is removed first: nobody was told its keys.  The root secret is written to its own file before the
 * rename, and never into the folder. */
#include "write/state/state_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "base/version.h"
#include "format/crypto/age.h"
#include "format/medium/chunker.h"
#include "format/medium/period.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"
#include "read/vault/repository.h"
#include "write/state/journal_w.h"
#include "write/state/policy_record.h"
#include "write/state/state_place.h"

#define FIRST_SEGMENT JOURNAL_DIR "/000001.jsonl"
#define FIRST_KEY     "signing-2.key"

/* What is being made. */
struct making {
	struct state_place place;
	const char *site;
	const struct state_keys *keys;
	struct age_recipient recipient; /* of the first period */
	uint8_t period_sha256[DIGEST_LEN];
	char id[JOURNAL_UUID];
	struct clock_stamp now;
	struct state_secrets *secrets;
	struct minisig_secret *root; /* signs what is signed once for ever; it never stands in the folder */
	const char *root_key;	     /* where it goes instead, or NULL */
	bool root_written;
	uint8_t secrets_sha256[DIGEST_LEN]; /* of repository.age as written */
};

/* ---- the files ---- */

static int put_file(
    const struct making *m, const char *name, mode_t mode, const void *p, size_t n, struct err *err)
{
	return io_write_new(m->place.dir, name, mode, p, n, err);
}

static int write_secrets(struct making *m, struct err *err)
{
	struct state_secrets *s = m->secrets;
	char comment[MINISIG_COMMENT_MAX];
	BUF_AUTO sig = BUF_INIT(4096);

	randombytes_buf(s->chunk_id_key, sizeof(s->chunk_id_key));
	randombytes_buf(s->chunker_seed, sizeof(s->chunker_seed));
	if (state_epoch_generate(m->root, err) || state_epoch_generate(&s->signing, err))
		return -1;
	state_secrets_write(s, m->id);
	return state_epoch_write(m->place.dir, FIRST_KEY, &s->signing, err) ||
		       put_file(m, STATE_SECRETS, 0600, s->text, strlen(s->text), err) ||
		       minisig_sign(m->root, s->text, strlen(s->text),
			   repository_comment("secrets", m->id, comment), &sig, err) ||
		       put_file(m, STATE_SECRETS_SIG, 0600, sig.p, sig.n, err)
		   ? -1
		   : 0;
}

static int write_repository(struct making *m, struct err *err)
{
	char time[CLOCK_TEXT], key[MINISIG_KEY_TEXT], comment[MINISIG_COMMENT_MAX], hex[DIGEST_HEX];
	BUF_AUTO json = BUF_INIT(REPOSITORY_MAX);
	BUF_AUTO sig = BUF_INIT(REPOSITORY_MAX);
	char *s = NULL;
	json_t *o;

	o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:[{s:i, s:s}], s:{s:i, s:i, s:i}, s:s}", "format", 1,
	    "kind", "bkp-repository", "repository", m->id, "site", m->site, "created",
	    clock_format(m->now.wall_ns, time), "keys", "epoch", 1, "public",
	    minisig_public_format(&m->root->pub, key), "chunker", "min", (int)CHUNKER_MIN, "average",
	    (int)CHUNKER_AVG, "max", (int)CHUNKER_MAX, "secrets_sha256",
	    digest_hex(m->secrets_sha256, DIGEST_LEN, hex));
	if (o)
		s = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!s)
		return state_place_refuse(
		    &m->place, text("the site's name is not UTF-8, or memory ran out"), err);
	if (buf_printf(&json, err, "%s\n", s)) {
		free(s);
		return -1;
	}
	free(s);
	if (minisig_sign(
		m->root, json.p, json.n, repository_comment("repository", m->id, comment), &sig, err))
		return -1;
	return put_file(m, REPOSITORY_JSON, 0444, json.p, json.n, err) ||
		       put_file(m, REPOSITORY_SIG, 0444, sig.p, sig.n, err)
		   ? -1
		   : 0;
}

static int write_encrypted(struct making *m, struct err *err)
{
	BUF_AUTO out = BUF_INIT(REPOSITORY_MAX);
	if (age_encrypt(
		&m->recipient, 1, state_random(), m->secrets->text, strlen(m->secrets->text), &out, err))
		return -1;
	digest_sha256(out.p, out.n, m->secrets_sha256);
	return put_file(m, REPOSITORY_AGE, 0444, out.p, out.n, err);
}

bool state_is_ours(const char *name)
{
	static const char *const names[] = {STATE_LOCK, STATE_SECRETS, STATE_SECRETS_SIG, REPOSITORY_JSON,
	    REPOSITORY_SIG, REPOSITORY_AGE, JOURNAL_DIR, STATE_CACHE, PERIOD_KEYS, POLICY_RECORD_DIR};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return state_epoch_of(name) != 0;
}

/* One record signed with the root key; consumes `members`. */
static int add_record(const struct making *m, uint64_t seq, const char *event, json_t *members,
    struct buf *journal, struct err *err)
{
	char by[JOURNAL_W_BY];
	struct journal_frame f = {.seq = seq,
	    .stamp = m->now,
	    .version = BKP_VERSION,
	    .by = journal_w_by(by),
	    .repository = m->id,
	    .epoch = 1};
	size_t last = 0, n = journal->n;
	int r;

	if (!members || json_object_set_new(members, "command", json_string("init")) ||
	    json_object_set_new(members, "role", json_string("manager"))) {
		json_decref(members);
		return err_nomem(err);
	}
	for (size_t i = 0; i + 1 < n; i++)
		if (journal->p[i] == '\n')
			last = i + 1;
	if (n)
		digest_sha256(journal->p + last, n - 1 - last, f.prev);
	r = journal_build(&f, event, members, m->root, journal, err) || buf_append(journal, "\n", 1, err);
	json_decref(members);
	return r ? -1 : 0;
}

static int put_segment(const struct making *m, const struct buf *journal, struct err *err)
{
	IO_FD_AUTO dir = io_make_dir(m->place.dir, JOURNAL_DIR, 0700, err);

	return dir < 0 || put_file(m, FIRST_SEGMENT, 0600, journal->p, journal->n, err) ||
		       io_sync_dir(dir, err)
		   ? -1
		   : 0;
}

/* The root key's two records: what the repository is, and who signs from now on. */
static int write_journal(const struct making *m, struct err *err)
{
	BUF_AUTO journal = BUF_INIT(2 * JOURNAL_LINE_MAX);
	char root[MINISIG_KEY_TEXT], next[MINISIG_KEY_TEXT], recipient[AGE_RECIPIENT_TEXT], hex[DIGEST_HEX];

	minisig_public_format(&m->root->pub, root);
	minisig_public_format(&m->secrets->signing.pub, next);
	return add_record(m, 1, "init",
		   json_pack("{s:s, s:s, s:s, s:s}", "site", m->site, "root_key", root, "recipient",
		       age_recipient_format(&m->recipient, recipient), "period_sha256",
		       digest_hex(m->period_sha256, DIGEST_LEN, hex)),
		   &journal, err) ||
		       add_record(m, 2, JOURNAL_EPOCH_EVENT, json_pack("{s:i, s:s}", "next", 2, "key", next),
			   &journal, err) ||
		       put_segment(m, &journal, err)
		   ? -1
		   : 0;
}

/* What was written is read back by those who will read it later, before anybody relies on it. */
static int check_written(const struct making *m, struct err *err)
{
	const struct minisig_public *root = &m->root->pub;
	struct repository *repo = NULL;
	struct ledger *ledger = NULL;
	const struct store folder = store_dir_of(m->place.dir);
	int r = repository_load(&folder, root, &repo, err) || ledger_load(m->place.dir, root, &ledger, err);

	repository_free(repo);
	ledger_free(ledger);
	return r ? -1 : 0;
}

static int fill_folder(struct making *m, struct err *err)
{
	IO_FD_AUTO cache = -1;

	state_uuid(m->id);
	clock_now(&m->now);
	if (put_file(m, STATE_LOCK, 0600, "", 0, err) || write_secrets(m, err) ||
	    state_period_create(m->place.dir, m->id, m->now.wall_ns, m->keys, m->root, &m->recipient,
		m->period_sha256, err) ||
	    write_encrypted(m, err) || write_repository(m, err) || write_journal(m, err))
		return -1;
	cache = io_make_dir(m->place.dir, STATE_CACHE, 0700, err);
	if (cache < 0)
		return -1;
	return check_written(m, err) || io_sync_dir(m->place.dir, err) ||
		       (m->root_key && state_root_key_write(m->place.parent, m->place.name, m->root_key,
					   m->root, &m->root_written, err))
		   ? -1
		   : 0;
}

static void discard(const struct making *m)
{
	if (state_place_discard(&m->place) && m->root_written)
		state_root_key_take_back(m->root_key);
}

static int create_folder(struct making *m, struct err *err)
{
	int r;

	if ((r = state_place_open(&m->place, err)) || (r = state_place_check(&m->place, err)) ||
	    (r = state_place_begin(&m->place, err)))
		return r;
	r = fill_folder(m, err);
	if (!r)
		r = state_place_publish(&m->place, err);
	if (r)
		discard(m);
	return r;
}

int state_create_with_root(
    const char *path, const char *site, const struct state_keys *keys, const char *root_key, struct err *err)
{
	struct making m = {
	    .place = STATE_PLACE(path, state_is_ours), .site = site, .keys = keys, .root_key = root_key};
	int r;

	if (!keys->begun && (!keys->n || keys->n > PERIOD_PEOPLE_MAX))
		return state_place_refuse(&m.place, text("there must be 1 to 64 recipients"), err);
	state_epoch_shield();
	if (sodium_init() >= 0) {
		m.secrets = sodium_malloc(sizeof(*m.secrets));
		m.root = sodium_malloc(sizeof(*m.root));
	}
	r = m.secrets && m.root ? create_folder(&m, err) : err_nomem(err);
	state_place_close(&m.place);
	sodium_free(m.secrets);
	sodium_free(m.root);
	return r;
}

int state_create(
    const char *path, const char *site, const struct age_recipient *recipients, size_t n, struct err *err)
{
	struct state_person people[PERIOD_PEOPLE_MAX];
	char text[PERIOD_PEOPLE_MAX][AGE_RECIPIENT_TEXT];
	const struct state_keys keys = {people, n, NULL};

	for (size_t i = 0; i < n && i < PERIOD_PEOPLE_MAX; i++) {
		people[i].recipient = age_recipient_format(&recipients[i], text[i]);
		state_person_number(i + 1, people[i].name);
	}
	return state_create_with_root(path, site, &keys, NULL, err);
}

int state_check_place(const char *path, struct err *err)
{
	struct state_place place = STATE_PLACE(path, state_is_ours);
	int r = state_place_open(&place, err);

	if (!r)
		r = state_place_check(&place, err);
	state_place_close(&place);
	return r;
}

int state_check_root_key(const char *path, const char *root_key, struct err *err)
{
	struct state_place place = STATE_PLACE(path, state_is_ours);
	int r = state_place_open(&place, err);

	if (!r)
		r = state_root_key_check(place.parent, place.name, root_key, err);
	state_place_close(&place);
	return r;
}
