/* periods: see periods.h.
 *
 * periods_load() → take_number() for each folder below keys/ → load_one(): signature, then what it says.  periods_unlock(), from the newest
 * period down: step_down() by what the period after it hands on (previous.age), else open_people(). */
#include "read/vault/periods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/minisig.h"
#include "format/medium/period_recipient.h"
#include "format/medium/period_signed.h"
#include "read/store/store.h"
#include "read/vault/keyring.h"

struct one {
	struct period *period; /* or NULL, and why */
	uint8_t sha256[DIGEST_LEN];
	struct period_approver by;
	struct err why;
};

struct periods {
	struct one *one; /* number 1 at index 0 */
	uint32_t n;
	struct err none;
};

/* ---- loading ---- */

struct scanning {
	const struct store *folder;
	const char *repository;
	const struct minisig_public *root;
	uint32_t number;
	uint32_t below; /* only revisions below it are looked for */
	uint8_t there[PERIOD_REVISION_MAX / 8 +
		      1]; /* of the others one bit each: listed once, however many they are */
};

static int read_file(const struct store *folder, uint32_t number, uint32_t revision, const char *suffix,
    struct buf *out, struct err *err)
{
	char name[PERIOD_NAME], path[PERIOD_PATH];

	return store_read(folder, period_path(number, period_file(revision, suffix, name), path), out, err);
}

/* Most have no approver. */
static int read_files(
    const struct store *folder, uint32_t number, uint32_t revision, struct period_signed *f, struct err *err)
{
	int r = read_file(folder, number, revision, PERIOD_OF_APPROVER, &f->approver, err);

	if (!r)
		r = read_file(folder, number, revision, PERIOD_OF_APPROVER_SIG, &f->approver_sig, err);
	return (r && r != STORE_ABSENT) ||
		       read_file(folder, number, revision, PERIOD_OF_JSON, &f->json, err) ||
		       read_file(folder, number, revision, PERIOD_OF_SIG, &f->sig, err)
		   ? -1
		   : 0;
}

static int check_files(const struct period_signed *f, const struct scanning *s, uint32_t revision,
    struct one *ret, struct err *err)
{
	struct period *p;
	char name[PERIOD_NAME];

	if (period_parse((const char *)f->json.p, f->json.n, &p, err))
		return -1;
	if (period_signed_check(f, s->repository, p, s->root, &ret->by, err) ||
	    ((p->number != s->number || p->revision != revision) &&
		err_set_kind(err, ERR_FORGED, "E-PERIOD-02",
		    text("'%s/%u/%s' is of another period or revision"), PERIOD_KEYS, s->number,
		    period_file(revision, PERIOD_OF_JSON, name)))) {
		period_free(p);
		return -1;
	}
	digest_sha256(f->json.p, f->json.n, ret->sha256);
	ret->period = p;
	return 0;
}

static int read_revision(const struct scanning *s, uint32_t revision, struct one *ret, struct err *err)
{
	struct period_signed f;
	int r;

	period_signed_init(&f);
	r = read_files(s->folder, s->number, revision, &f, err) || check_files(&f, s, revision, ret, err) ? -1
													  : 0;
	period_signed_free(&f);
	return r;
}

static int take_revision(void *arg, const char *name, struct err *err)
{
	struct scanning *s = arg;
	uint32_t revision = period_file_revision(name, PERIOD_OF_JSON);

	(void)err;
	if (revision && revision < s->below)
		s->there[revision / 8] |= (uint8_t)(1 << revision % 8);
	return 0;
}

/* Below that one; 0: none. */
static uint32_t highest(const struct scanning *s, uint32_t below)
{
	do {
		below--;
	} while (below && !(s->there[below / 8] & 1 << below % 8));
	return below;
}

/* The highest revision that is as it was signed; what is wrong with those above it is kept. */
static int read_one(struct scanning *s, struct one *ret)
{
	struct err why = ERR_INIT;
	char dir[PERIOD_PATH];
	uint32_t revision = PERIOD_REVISION_MAX + 1;
	int r = store_list(s->folder, period_path(s->number, "", dir), take_revision, s, &why);

	if (r >= 0 && !highest(s, revision))
		err_set_kind(
		    &why, ERR_ABSENT, "E-PERIOD-06", text("nothing in '%s' says which key it is"), dir);
	ret->why = why;
	while (!ret->period && (revision = highest(s, revision))) {
		why = (struct err)ERR_INIT;
		r = read_revision(s, revision, ret, &why);
		if (r && why.kind == ERR_MEMORY)
			return -1;
		if (r && !ret->why.code[0])
			ret->why = why;
	}
	return 0;
}

int periods_look(const struct store *folder, const char *repository, const struct minisig_public *root,
    uint32_t number, uint32_t revision, struct err *err)
{
	const struct scanning s = {
	    .folder = folder, .repository = repository, .root = root, .number = number};
	struct one one = {.period = NULL};
	int r = read_revision(&s, revision, &one, err);

	period_free(one.period);
	return r;
}

/* "17", and nothing else that stands for it. */
static uint32_t number_of(const char *name)
{
	char again[16];
	unsigned long n = strtoul(name, NULL, 10);

	snprintf(again, sizeof(again), "%lu", n);
	return n && n <= PERIOD_MAX && !strcmp(again, name) ? (uint32_t)n : 0;
}

static int take_number(void *arg, const char *name, struct err *err)
{
	struct periods *p = arg;
	uint32_t n = number_of(name);

	(void)err;
	p->n = n > p->n ? n : p->n;
	return 0;
}

int periods_load(const struct store *folder, const char *repository, const struct minisig_public *root,
    const struct periods_limit *limit, struct periods **ret, struct err *err)
{
	struct periods *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(err);
	if (store_list(folder, PERIOD_KEYS, take_number, p, &p->none) < 0) {
		if (err)
			*err = p->none;
		periods_free(p);
		return -1;
	}
	if (!p->n)
		err_set_kind(&p->none, ERR_ABSENT, "E-PERIOD-06",
		    text("there is no '%s' on this medium: nothing says which key opens what is stored"),
		    PERIOD_KEYS);
	if (limit && p->n > limit->number)
		p->n = limit->number;
	p->one = calloc(p->n + 1, sizeof(*p->one));
	if (!p->one) {
		periods_free(p);
		return err_nomem(err);
	}
	for (uint32_t i = 0; i < p->n; i++) {
		struct scanning s = {.folder = folder,
		    .repository = repository,
		    .root = root,
		    .number = i + 1,
		    .below = UINT32_MAX};

		if (limit && limit->number == i + 1)
			s.below = limit->revision + 1;
		if (read_one(&s, &p->one[i])) {
			if (err)
				err_nomem(err);
			periods_free(p);
			return -1;
		}
	}
	*ret = p;
	return 0;
}

void periods_free(struct periods *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; p->one && i < p->n; i++)
		period_free(p->one[i].period);
	free(p->one);
	free(p);
}

uint32_t periods_newest(const struct periods *p)
{
	return p->n;
}

const struct period *periods_get(const struct periods *p, uint32_t number)
{
	return number && number <= p->n ? p->one[number - 1].period : NULL;
}

const uint8_t *periods_sha256(const struct periods *p, uint32_t number)
{
	return periods_get(p, number) ? p->one[number - 1].sha256 : NULL;
}

const char *periods_signed_by(const struct periods *p, uint32_t number)
{
	return periods_get(p, number) ? p->one[number - 1].by.name : NULL;
}

int periods_each_file(
    const struct periods *p, uint32_t number, periods_file_fn *fn, void *arg, struct err *err)
{
	const struct period *period = periods_get(p, number);
	bool approved = *periods_signed_by(p, number);
	const char *const suffixes[] = {approved ? PERIOD_OF_APPROVER : NULL,
	    approved ? PERIOD_OF_APPROVER_SIG : NULL, PERIOD_OF_SIG, PERIOD_OF_JSON};
	char name[PERIOD_NAME + 8];
	int r = 0;

	for (size_t i = 0; !r && i < period->n_people; i++) {
		snprintf(name, sizeof(name), "%s.age", period->people[i].name);
		r = fn(arg, name, err);
	}
	if (!r && number > 1)
		r = fn(arg, PERIOD_PREVIOUS, err);
	for (size_t i = 0; !r && i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (suffixes[i])
			r = fn(arg, period_file(period->revision, suffixes[i], name), err);
	return r;
}

const struct err *periods_fault(const struct periods *p, uint32_t number)
{
	return number ? &p->one[number - 1].why : &p->none;
}

int periods_check(
    const struct periods *p, uint32_t number, const struct age_recipient *recipient, struct err *err)
{
	const struct period *period = periods_get(p, number);

	if (!period || !memcmp(&period->recipient, recipient, sizeof(*recipient)))
		return 0; /* of one that nobody can read another one says what is wrong */
	err_set_kind(err, ERR_FORGED, "E-PERIOD-05",
	    text("the generation names another key of period %u than the root key signed"), number);
	return err_hint(err, "%s",
	    text("whoever captured it may be able to open it, and you are not: keep the medium as it is, and "
		 "take an earlier "
		 "generation"));
}

/* ---- unlocking ---- */

struct unlocking {
	struct periods *p;
	const struct store *folder;
	struct keyring *k;
	const struct keyring_passphrase *pass;
	size_t own;	/* identities that k had at first */
	bool known;	/* the identity of the period that was looked at last is the last one in k */
	bool opened;	/* the outer layer of the file that was looked at last */
	struct err why; /* the first thing that is wrong with a file that opened, or else with any */
	bool why_opened;
};

static void note(struct unlocking *u, const struct err *why)
{
	if (u->why.code[0] && (u->why_opened || !u->opened))
		return;
	u->why = *why;
	u->why_opened = u->opened;
}

/* One layer: what is in b instead of b.  0, AGE_NO_MATCH, -1. */
static int open_layer(const struct unlocking *u, struct buf *b, struct err *err)
{
	struct buf inner = BUF_INIT(PERIOD_FILE_MAX);
	int r = buf_reserve(&inner, PERIOD_FILE_MAX, err) ? -1 : keyring_open(u->k, b->p, b->n, &inner, err);

	if (r) {
		buf_wipe(&inner);
		return r;
	}
	buf_wipe(b);
	*b = inner;
	return 0;
}

/* Files within files: each for another of the identities.  What a passphrase opens the keyring asks for. */
static int peel(const struct unlocking *u, struct buf *plain, const char *path, struct err *err)
{
	struct err why = ERR_INIT;
	int r = 0;

	for (int layer = 1; layer < PERIOD_LAYERS && !r && age_is_age(plain->p, plain->n); layer++)
		r = open_layer(u, plain, &why);
	if (r == AGE_NO_MATCH && period_file_check(path, plain, NULL))
		return 0; /* for a passphrase */
	if (r == AGE_NO_MATCH) {
		err_set_kind(err, ERR_WRONG_KEY, "E-PERIOD-04",
		    text("'%s' opens, and holds another age file, which none of the identities opens"), path);
		return err_hint(err, "%s",
		    text("two factors: give the identity of the other one, too, by a second --identity"));
	}
	if (r && err)
		*err = why;
	return r;
}

/* Is the one that is signed among the identities now?  Else what was added is taken out again. */
static int check_added(struct unlocking *u, uint32_t number, size_t before, const char *path, struct err *err)
{
	const struct period *period = periods_get(u->p, number);
	struct age_recipient r;
	size_t n;
	const struct age_identity *ids = keyring_identities(u->k, &n);

	if (!period && n == before + 1)
		return 0;
	for (size_t i = 0; period && i < n; i++)
		if (!age_identity_recipient(&ids[i], &r) && !memcmp(&r, &period->recipient, sizeof(r)))
			return 0;
	keyring_cut(u->k, before);
	return err_set_kind(
	    err, ERR_FORGED, "E-PERIOD-03", text("'%s' opens, and holds another key than was signed"), path);
}

/* sha256: as signed, or NULL.  1: it is not for these identities; -1: something is wrong with it. */
static int open_file(
    struct unlocking *u, uint32_t number, const char *path, const uint8_t *sha256, struct err *err)
{
	BUF_SECRET_AUTO plain = BUF_INIT(PERIOD_FILE_MAX);
	uint8_t is[DIGEST_LEN];
	size_t before;
	int r;

	(void)keyring_identities(u->k, &before);
	u->opened = false;
	if (store_read(u->folder, path, &plain, err))
		return -1;
	digest_sha256(plain.p, plain.n, is);
	if (sha256 && memcmp(is, sha256, sizeof(is)) != 0)
		return err_set_kind(
		    err, ERR_FORGED, "E-PERIOD-03", text("'%s' is not the file that was signed"), path);
	r = open_layer(u, &plain, err);
	if (r)
		return r == AGE_NO_MATCH ? 1 : -1;
	u->opened = true;
	return peel(u, &plain, path, err) || keyring_add(u->k, path, plain.p, plain.n, u->pass, err) ||
		       check_added(u, number, before, path, err)
		   ? -1
		   : 0;
}

/* The period after it, which is open, hands its identity on. */
static void step_down(struct unlocking *u, uint32_t number)
{
	const struct period *after = periods_get(u->p, number + 1);
	struct err *fault = &u->p->one[number - 1].why;
	struct err why = ERR_INIT;
	char path[PERIOD_PATH];

	if (open_file(u, number, period_path(number + 1, PERIOD_PREVIOUS, path),
		after ? after->previous_sha256 : NULL, &why)) {
		note(u, &why);
		if (!fault->code[0])
			*fault = why;
	} else
		u->known = true;
}

static bool is_own(struct unlocking *u, uint32_t number)
{
	const struct period *period = periods_get(u->p, number);
	struct age_recipient r;
	size_t n;
	const struct age_identity *ids = keyring_identities(u->k, &n);

	for (size_t i = 0; period && i < u->own; i++)
		if (!age_identity_recipient(&ids[i], &r) && !memcmp(&r, &period->recipient, sizeof(r)))
			return true;
	return false;
}

static void open_people(struct unlocking *u, uint32_t number)
{
	const struct period *period = periods_get(u->p, number);
	char path[PERIOD_PATH];

	for (size_t i = 0; period && i < period->n_people && !u->known; i++) {
		struct err why = ERR_INIT;
		int r = open_file(u, number, period_person_path(number, period->people[i].name, path),
		    period->people[i].sha256, &why);

		u->known = r == 0;
		if (u->known)
			keyring_opened_by(u->k, number, period->people[i].name);
		if (r < 0)
			note(u, &why);
	}
}

/* Nobody says who the people are: whatever is called so is tried. */
struct trying {
	struct unlocking *u;
	uint32_t number;
};

static int try_name(void *arg, const char *name, struct err *err)
{
	struct trying *t = arg;
	size_t n = strlen(name);
	struct err why = ERR_INIT;
	char path[PERIOD_PATH];

	(void)err;
	if (t->u->known || n < 5 || n >= PERIOD_NAME + 4 || strcmp(name + n - 4, ".age") != 0 ||
	    !strcmp(name, PERIOD_PREVIOUS))
		return 0;
	t->u->known = open_file(t->u, t->number, period_path(t->number, name, path), NULL, &why) == 0;
	return 0;
}

static void open_unsigned(struct unlocking *u, uint32_t number)
{
	struct trying t = {u, number};
	char dir[PERIOD_PATH];

	(void)!store_list(u->folder, period_path(number, "", dir), try_name, &t, NULL);
}

int periods_unlock(struct periods *p, const struct store *folder, struct keyring *k,
    const struct keyring_passphrase *pass, struct err *err)
{
	struct unlocking u = {.p = p, .folder = folder, .k = k, .pass = pass};
	bool any = false;

	(void)keyring_identities(k, &u.own);
	for (uint32_t number = p->n; number; number--) {
		bool handed = u.known;

		u.known = false;
		if (handed)
			step_down(&u, number);
		u.known |= is_own(&u, number);
		open_people(&u, number);
		if (!u.known && periods_fault(p, number)->code[0])
			open_unsigned(&u, number); /* what is damaged may name somebody more */
		any |= u.known;
	}
	if (any)
		return 0;
	if (u.why.code[0] && err)
		*err = u.why;
	else if (!p->n && err)
		*err = p->none;
	else
		err_set_kind(err, ERR_WRONG_KEY, "E-PERIOD-04",
		    text("the identity that was given opens none of the files below '%s'"), PERIOD_KEYS);
	return err_hint(err, "%s",
	    text("bring the identity of one of the people who hold a key: 'bkp key list' names them"));
}
