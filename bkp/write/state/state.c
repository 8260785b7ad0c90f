/* state: opening and using the state folder; see state.h.
 *
 * The order of opening is the order of trust: the lock, public facts by the root key, the journal by its chain of
 * signatures, the secrets by the root key, the signing key by the journal, and only then the journal for writing.
 *
 * A record (state_append()): may it be said (ledger_accepts()) → built and signed → read as every reader will read
 * it (ledger_would()) → durable in the journal → taken into the ledger.  All calls belong to one thread; what the
 * ledger gave before a record is stale after it. */
#include "write/state/state_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>
#include <uuid/uuid.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "base/version.h"
#include "format/crypto/age.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"
#include "read/vault/periods.h"
#include "read/vault/repository.h"
#include "write/state/journal_w.h"
#include "write/state/lockholder.h"

static void fill_random(void *arg, void *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

const struct age_random *state_random(void)
{
	static const struct age_random random = {fill_random, NULL};

	return &random;
}

char *state_uuid(char *out)
{
	uuid_t u;

	uuid_generate_random(u);
	uuid_unparse_lower(u, out);
	return out;
}

/* ---- secrets.json ---- */

#define SECRETS_HEAD                                                                                         \
	"{\"format\":1,\"kind\":\"bkp-repository-secrets\",\"repository\":\"%s\",\"chunk_id_key\":\""
#define SECRETS_MID  "\",\"chunker_seed\":\""
#define SECRETS_TAIL "\"}\n"

void state_secrets_write(struct state_secrets *s, const char *repository)
{
	char *p = s->text;

	p += snprintf(p, sizeof(s->text), SECRETS_HEAD, repository);
	digest_hex(s->chunk_id_key, STATE_KEY, p);
	p += 2 * STATE_KEY;
	p += snprintf(p, sizeof(SECRETS_MID), "%s", SECRETS_MID);
	digest_hex(s->chunker_seed, STATE_KEY, p);
	p += 2 * STATE_KEY;
	snprintf(p, sizeof(SECRETS_TAIL), "%s", SECRETS_TAIL);
}

int state_secrets_read(struct state_secrets *s, const char *repository)
{
	char head[STATE_SECRETS_MAX];
	const char *p = s->text;
	size_t n = (size_t)snprintf(head, sizeof(head), SECRETS_HEAD, repository),
	       mid = sizeof(SECRETS_MID) - 1;

	if (strlen(p) != n + 4 * STATE_KEY + mid + sizeof(SECRETS_TAIL) - 1 || memcmp(p, head, n) != 0 ||
	    !digest_unhex(p + n, STATE_KEY, s->chunk_id_key) ||
	    memcmp(p + n + 2 * STATE_KEY, SECRETS_MID, mid) != 0 ||
	    !digest_unhex(p + n + 2 * STATE_KEY + mid, STATE_KEY, s->chunker_seed) ||
	    strcmp(p + n + 4 * STATE_KEY + mid, SECRETS_TAIL) != 0)
		return -1;
	return 0;
}

/* ---- opening ---- */

int state_damaged(const struct state *s, const char *name, struct err *err)
{
	err_set(err, "E-STATE-04", text("'%s/%s' is damaged"), s->path, name);
	return err_hint(err, "%s", text("bring the state folder back from a backup of it"));
}

/* Secrets that others can read are not secrets; the user is told the command that closes the gap. */
static int check_private(const struct state *s, int fd, const char *name, bool folder, struct err *err)
{
	const char *slash = *name ? "/" : "";
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(
		    err, "E-STATE-04", errno, text("cannot look at '%s%s%s'"), s->path, slash, name);
	if (st.st_mode & 077) {
		err_set(err, "E-STATE-03", text("'%s%s%s' can be read by others"), s->path, slash, name);
		return err_hint(err, text("close it: chmod %s '%s%s%s'; then ask who may have read it"),
		    folder ? "700" : "600", s->path, slash, name);
	}
	if (st.st_uid != geteuid()) {
		err_set(err, "E-STATE-03", text("'%s%s%s' belongs to another user"), s->path, slash, name);
		return err_hint(err, "%s", text("run bkp as the user who made the state folder"));
	}
	return 0;
}

static int open_dir(struct state *s, struct err *err)
{
	struct stat st;

	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0 && errno != ENOENT)
		return err_sys(err, "E-STATE-04", errno, text("cannot open folder '%s'"), s->path);
	if (s->dir < 0 || (fstatat(s->dir, REPOSITORY_JSON, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)) {
		err_set_kind(err, ERR_ABSENT, "E-STATE-01", text("there is no repository in '%s'"), s->path);
		err_hint(err, "%s",
		    text("make one with 'bkp init', or name the right folder as 'state' in the policy"));
		return STATE_ABSENT;
	}
	return check_private(s, s->dir, "", true, err);
}

static int say_busy(const struct state *s, struct err *err)
{
	struct lockholder holder;
	char since[CLOCK_TEXT];

	if (lockholder_find(s->lock, &holder)) {
		err_set(
		    err, "E-STATE-02", text("another bkp is running with the state folder '%s'"), s->path);
		err_hint(
		    err, "%s", text("wait until it has finished; 'fuser' on the file 'lock' there names it"));
	} else {
		err_set(err, "E-STATE-02",
		    text("another bkp is running with the state folder '%s': process %ld since %s: %s"),
		    s->path, holder.pid, clock_format_local(holder.since_ns, since), holder.command);
		err_hint(err, "%s", text("wait until it has finished"));
	}
	return STATE_BUSY;
}

static int take_lock(struct state *s, struct err *err)
{
	int r;

	s->lock = openat(s->dir, STATE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return err_sys(err, "E-STATE-04", errno, text("cannot open '%s/%s'"), s->path, STATE_LOCK);
	r = io_lock(s->lock, err);
	if (r == IO_BUSY)
		return say_busy(s, err);
	return r;
}

ssize_t state_read_secret(const struct state *s, const char *name, char *p, size_t max, struct err *err)
{
	IO_FD_AUTO fd = io_open_file(s->dir, name, err);
	ssize_t n;

	if (fd < 0 || check_private(s, fd, name, false, err))
		return -1;
	n = io_read_full(fd, p, max);
	if (n < 0)
		return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), name);
	if (n == 0 || (size_t)n == max)
		return state_damaged(s, name, err);
	p[n] = '\0';
	return n;
}

static int load_repository(struct state *s, struct err *err)
{
	static const char *const names[] = {REPOSITORY_JSON, REPOSITORY_SIG, REPOSITORY_AGE};
	uint8_t hash[DIGEST_LEN];

	for (size_t i = 0; i < 3; i++) {
		int r = io_read_file(s->dir, names[i], &s->files[i], err);

		if (r || !s->files[i].n)
			return r < 0 ? -1 : state_damaged(s, names[i], err);
	}
	if (repository_parse(
		&s->files[STATE_REPOSITORY_JSON], &s->files[STATE_REPOSITORY_SIG], NULL, &s->repo, err))
		return err_wrap(err, "%s", s->path);
	/* it is copied to every medium as it is */
	digest_sha256(s->files[STATE_REPOSITORY_AGE].p, s->files[STATE_REPOSITORY_AGE].n, hash);
	if (memcmp(hash, repository_secrets_sha256(s->repo), sizeof(hash)) != 0)
		return state_damaged(s, REPOSITORY_AGE, err);
	return 0;
}

static int load_keys(struct state *s, struct err *err)
{
	char said[MINISIG_COMMENT_MAX], want[MINISIG_COMMENT_MAX];
	const char *id = repository_id(s->repo);
	BUF_AUTO sig = BUF_INIT(STATE_KEY_FILE_MAX);
	size_t n;
	int r;

	if (state_read_secret(s, STATE_SECRETS, s->secrets->text, sizeof(s->secrets->text), err) < 0)
		return -1;
	r = io_read_file(s->dir, STATE_SECRETS_SIG, &sig, err);
	if (r)
		return r < 0 ? -1 : state_damaged(s, STATE_SECRETS_SIG, err);
	if (minisig_verify(repository_keys(s->repo, &n), s->secrets->text, strlen(s->secrets->text),
		(const char *)sig.p, sig.n, said, NULL) ||
	    strcmp(said, repository_comment("secrets", id, want)) != 0 || state_secrets_read(s->secrets, id))
		return state_damaged(s, STATE_SECRETS, err);
	sodium_memzero(s->secrets->text, sizeof(s->secrets->text));
	return 0;
}

/* ret_why: or NULL, then all of it must be one. */
static int load_journal(struct state *s, struct err *ret_why, struct err *err)
{
	size_t n;
	const struct minisig_public *root = repository_keys(s->repo, &n);

	if (ret_why ? ledger_load_valid(s->dir, root, &s->ledger, ret_why, err)
		    : ledger_load(s->dir, root, &s->ledger, err)) {
		err_wrap(err, "%s", s->path);
		return err_hint(err, "%s",
		    text("nothing was changed; see it with 'bkp journal verify'; if its end alone is at "
			 "fault, 'bkp journal repair' mends it"));
	}
	if (strcmp(ledger_repository(s->ledger), repository_id(s->repo)) != 0)
		return state_damaged(s, JOURNAL_DIR, err);
	s->former = ledger_head_stamp(s->ledger);
	return 0;
}

static int open_journal(struct state *s, struct err *err)
{
	return journal_w_open(s->dir, s->ledger, &s->journal, err);
}

static int open_with(const char *path, struct err *ret_why, struct state **ret, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_nomem(err);
	s->dir = s->lock = -1;
	for (size_t i = 0; i < 3; i++)
		buf_init(&s->files[i], REPOSITORY_MAX);
	s->path = strdup(path);
	state_epoch_shield();
	if (s->path && sodium_init() >= 0)
		s->secrets = sodium_malloc(sizeof(*s->secrets));
	r = s->secrets ? 0 : err_nomem(err);
	/* sodium_malloc() has tried to, and does not say whether it could */
	s->unlocked = !r && sodium_mlock(s->secrets, sizeof(*s->secrets));
	if (!r && !(r = open_dir(s, err)) && !(r = take_lock(s, err)) && !(r = load_repository(s, err)) &&
	    !(r = load_journal(s, ret_why, err)) && !(r = state_period_load(s, err)) &&
	    !(r = load_keys(s, err)) && !(r = state_epoch_load(s, err)) && !ret_why &&
	    !(r = open_journal(s, err)))
		r = state_epoch_tidy(s, err);
	if (r) {
		state_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

int state_open(const char *path, struct state **ret, struct err *err)
{
	return open_with(path, NULL, ret, err);
}

int state_open_valid(const char *path, struct state **ret, struct err *ret_why, struct err *err)
{
	return open_with(path, ret_why, ret, err);
}

void state_close(struct state *s)
{
	if (!s)
		return;
	journal_w_close(s->journal);
	ledger_free(s->ledger);
	repository_free(s->repo);
	periods_free(s->periods);
	for (size_t i = 0; i < 3; i++)
		buf_free(&s->files[i]);
	sodium_free(s->secrets);
	io_close_quietly(&s->lock);
	io_close_quietly(&s->dir);
	free(s->path);
	free(s);
}

/* ---- using ---- */

const char *state_path(const struct state *s)
{
	return s->path;
}

int state_dirfd(const struct state *s)
{
	return s->dir;
}

const char *state_repository(const struct state *s)
{
	return repository_id(s->repo);
}

const char *state_site(const struct state *s)
{
	return repository_site(s->repo);
}

const struct period *state_period(const struct state *s)
{
	return periods_get(s->periods, ledger_period(s->ledger)->number);
}

const struct periods *state_periods(const struct state *s)
{
	return s->periods;
}

const struct minisig_public *state_keys(const struct state *s, size_t *ret_n)
{
	return ledger_keys(s->ledger, ret_n);
}

const uint8_t *state_chunk_id_key(const struct state *s)
{
	return s->secrets->chunk_id_key;
}

const uint8_t *state_chunker_seed(const struct state *s)
{
	return s->secrets->chunker_seed;
}

const struct minisig_secret *state_signing(const struct state *s)
{
	return &s->secrets->signing;
}

uint32_t state_epoch(const struct state *s)
{
	return s->epoch;
}

bool state_locked(const struct state *s)
{
	return !s->unlocked;
}

const uint8_t *state_file(const struct state *s, enum state_file which, size_t *ret_n)
{
	*ret_n = s->files[which].n;
	return s->files[which].p;
}

const struct ledger *state_ledger(const struct state *s)
{
	return s->ledger;
}

int state_journal(const struct state *s, struct store_file *ret, struct err *err)
{
	const struct store folder = store_dir_of(s->dir);

	return segments_open(&folder, ret, err) ? -1 : 0;
}

const struct clock_stamp *state_former_clock(const struct state *s)
{
	return &s->former;
}

void state_act(struct state *s, const char *command, const char *role, const char *person)
{
	s->command = command;
	s->role = role;
	s->person = person;
}

static json_t *with_actor(const struct state *s, json_t *members)
{
	const struct {
		const char *key, *value;
	} said[] = {{"command", s->command}, {"role", s->role}, {"operator", s->person}};

	for (size_t i = 0; i < 3 && s->command; i++) {
		if (!members)
			members = json_object();
		if (said[i].value && !json_object_get(members, said[i].key) &&
		    json_object_set_new(members, said[i].key, json_string(said[i].value))) {
			json_decref(members);
			return NULL;
		}
	}
	return members;
}

int state_line(struct state *s, const char *event, json_t *members, struct buf *out, struct err *err)
{
	char by[JOURNAL_W_BY];
	struct journal_frame f = {.seq = ledger_seq(s->ledger) + 1,
	    .version = BKP_VERSION,
	    .by = journal_w_by(by),
	    .repository = state_repository(s),
	    .epoch = s->epoch};
	int r;

	members = with_actor(s, members);
	if (s->command && !members)
		return err_nomem(err);
	clock_now(&f.stamp);
	memcpy(f.prev, ledger_head(s->ledger), sizeof(f.prev));
	r = ledger_accepts(s->ledger, event, members, err) ||
	    journal_build(&f, event, members, &s->secrets->signing, out, err);
	json_decref(members);
	/* what is about to be said for ever is first read as every reader will read it */
	return r || ledger_would(s->ledger, out->p, out->n, err) ? -1 : 0;
}

int state_append(struct state *s, const char *event, json_t *members, struct err *err)
{
	BUF_AUTO line = BUF_INIT(JOURNAL_LINE_MAX);

	if (state_line(s, event, members, &line, err) || journal_w_append(s->journal, line.p, line.n, err))
		return -1;
	if (!ledger_take(s->ledger, line.p, line.n, err))
		return 0;
	/* the record stands, and this process does not know what it amounts to: the next one will */
	journal_w_stop(s->journal);
	return err_wrap(err, text("the record '%s' stands in the journal and cannot be taken in"), event);
}
