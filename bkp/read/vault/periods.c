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

/* Most periods have none. */
static int read_approver(
    const struct store *folder, uint32_t number, struct period_signed *f, struct err *err)
{
	char path[PERIOD_PATH];
	int r = store_read(folder, period_path(number, PERIOD_APPROVER, path), &f->approver, err);

	if (!r)
		r = store_read(folder, period_path(number, PERIOD_APPROVER_SIG, path), &f->approver_sig, err);
	return r == STORE_ABSENT ? 0 : r;
}

static int read_signed(const struct store *folder, const char *repository, const struct minisig_public *root,
    uint32_t number, struct period_signed *f, struct one *ret)
{
	char path[PERIOD_PATH];
	struct period *p;

	if (store_read(folder, period_path(number, PERIOD_JSON, path), &f->json, &ret->why) ||
	    store_read(folder, period_path(number, PERIOD_SIG, path), &f->sig, &ret->why) ||
	    read_approver(folder, number, f, &ret->why) ||
	    period_parse((const char *)f->json.p, f->json.n, &p, &ret->why))
		return -1;
	if (period_signed_check(f, repository, p, root, &ret->by, &ret->why) ||
	    (p->number != number &&
		err_set_kind(&ret->why, ERR_FORGED, "E-PERIOD-02", text("'%s/%u/%s' is of another period"),
		    PERIOD_KEYS, number, PERIOD_JSON))) {
		period_free(p);
		return -1;
	}
	digest_sha256(f->json.p, f->json.n, ret->sha256);
	ret->period = p;
	return 0;
}

static int read_one(const struct store *folder, const char *repository, const struct minisig_public *root,
    uint32_t number, struct one *ret)
{
	struct period_signed f;
	int r;

	period_signed_init(&f);
	r = read_signed(folder, repository, root, number, &f, ret);
	period_signed_free(&f);
	if (!r)
		ret->why = (struct err)ERR_INIT;
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
    struct periods **ret, struct err *err)
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
	p->one = calloc(p->n + 1, sizeof(*p->one));
	if (!p->one) {
		periods_free(p);
		return err_nomem(err);
	}
	for (uint32_t i = 0; i < p->n; i++)
		if (read_one(folder, repository, root, i + 1, &p->one[i]) &&
		    p->one[i].why.kind == ERR_MEMORY) {
			if (err)
				*err = p->one[i].why;
			periods_free(p);
			return -1;
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
	const char *const rest[] = {number > 1 ? PERIOD_PREVIOUS : NULL, approved ? PERIOD_APPROVER : NULL,
	    approved ? PERIOD_APPROVER_SIG : NULL, PERIOD_SIG, PERIOD_JSON};
	char name[PERIOD_NAME + 8];
	int r = 0;

	for (size_t i = 0; !r && i < period->n_people; i++) {
		snprintf(name, sizeof(name), "%s.age", period->people[i].name);
		r = fn(arg, name, err);
	}
	for (size_t i = 0; !r && i < sizeof(rest) / sizeof(*rest); i++)
		if (rest[i])
			r = fn(arg, rest[i], err);
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
	const struct periods *p;
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
	struct err why = ERR_INIT;
	char path[PERIOD_PATH];

	if (open_file(u, number, period_path(number + 1, PERIOD_PREVIOUS, path),
		after ? after->previous_sha256 : NULL, &why))
		note(u, &why);
	else
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

int periods_unlock(const struct periods *p, const struct store *folder, struct keyring *k,
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
		if (!u.known && !is_own(&u, number))
			periods_get(p, number) ? open_people(&u, number) : open_unsigned(&u, number);
		else
			u.known = true;
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
