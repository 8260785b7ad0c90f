/* period_make: see period_make.h. */
#include "format/medium/period_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/text.h"
#include "format/crypto/passphrase.h"
#include "format/medium/period_recipient.h"

struct secret {
	struct age_identity id;
	char text[AGE_IDENTITY_TEXT + 1]; /* with a newline */
};

static void write_secret(struct secret *s)
{
	age_identity_format(&s->id, s->text);
	memcpy(s->text + strlen(s->text), "\n", 2);
}

/* ---- the layers of a person's file, from the inside out ---- */

static int not_here(struct err *err)
{
	err_set(err, "E-PERIOD-07", "%s", text("that kind of recipient cannot be made here"));
	return err_hint(
	    err, "%s", text("on another computer: 'bkp-restore key begin', then 'bkp init --keys DIR'"));
}

static int seal_passphrase(const struct period_means *by, const char *person, const void *p, size_t n,
    struct buf *out, struct err *err)
{
	char *passphrase;
	int r;

	if (!by->passphrase)
		return not_here(err);
	passphrase = sodium_malloc(PASSPHRASE_MAX);
	if (!passphrase)
		return err_nomem(err);
	r = by->passphrase(by->arg, person, passphrase, err) ||
	    age_encrypt_scrypt(passphrase, by->random, p, n, out, err);
	sodium_free(passphrase);
	return r ? -1 : 0;
}

static int seal_layer(const struct period_means *by, const char *person, const struct period_recipient *r,
    size_t layer, const void *p, size_t n, struct buf *out, struct err *err)
{
	struct age_recipient own;

	if (r->kind[layer] == PERIOD_LAYER_PASSPHRASE)
		return seal_passphrase(by, person, p, n, out, err);
	if (r->kind[layer] == PERIOD_LAYER_STOCK && !by->seal)
		return not_here(err);
	if (r->kind[layer] == PERIOD_LAYER_STOCK)
		return by->seal(by->arg, r->layer[layer], p, n, out, err) ||
			       period_file_check(r->layer[layer], out, err)
			   ? -1
			   : 0;
	return age_recipient_parse(r->layer[layer], &own, err) ||
		       age_encrypt(&own, 1, by->random, p, n, out, err)
		   ? -1
		   : 0;
}

static int seal(const struct period_means *by, const char *person, const struct period_recipient *r,
    const struct secret *s, struct buf *out, struct err *err)
{
	BUF_AUTO inner = BUF_INIT(PERIOD_FILE_MAX);

	for (size_t layer = r->n; layer--;) {
		const void *p = layer + 1 == r->n ? (const void *)s->text : inner.p;
		size_t n = layer + 1 == r->n ? strlen(s->text) : inner.n;

		out->n = 0;
		if (seal_layer(by, person, r, layer, p, n, out, err))
			return -1;
		if (layer) {
			struct buf done = *out;

			*out = inner;
			inner = done;
		}
	}
	return 0;
}

static struct period_file *add_file(struct period_making *m, const char *name)
{
	struct period_file *f = &m->files[m->n_files++];

	buf_init(&f->bytes, PERIOD_FILE_MAX);
	snprintf(f->name, sizeof(f->name), "%s", name);
	return f;
}

static int add_sealed(struct period_making *m, const struct period_means *by,
    const struct period_member *person, const struct period_recipient *to, const struct secret *s,
    struct err *err)
{
	struct period_person *p = &m->period->people[m->period->n_people];
	char name[PERIOD_NAME + 8], recipient[PERIOD_RECIPIENT];
	struct period_file *f;

	snprintf(p->name, sizeof(p->name), "%s", person->name);
	p->recipient = strdup(period_recipient_text(to, recipient));
	m->period->n_people++;
	if (!p->recipient)
		return err_nomem(err);
	snprintf(name, sizeof(name), "%s.age", person->name);
	f = add_file(m, name);
	if (seal(by, person->name, to, s, &f->bytes, err))
		return -1;
	digest_sha256(f->bytes.p, f->bytes.n, p->sha256);
	return 0;
}

static int add_person(struct period_making *m, const struct period_means *by,
    const struct period_member *person, const struct secret *s, struct err *err)
{
	struct period_recipient to;

	if (!period_name_ok(person->name) || period_person(m->period, person->name))
		return err_set_kind(err, ERR_USAGE, "E-PERIOD-07",
		    text("a person cannot be called '%s' here, or two are"), person->name);
	if (period_recipient_parse(person->recipient, &to, err) || add_sealed(m, by, person, &to, s, err))
		return err_wrap(err, "%s", person->name);
	return 0;
}

/* Room for n people and as many files, and one file more. */
static struct period_making *making_new(const char *repository, size_t n, int64_t now_ns, struct err *err)
{
	struct period_making *m = n <= PERIOD_PEOPLE_MAX ? calloc(1, sizeof(*m)) : NULL;

	if (m) {
		m->period = calloc(1, sizeof(*m->period));
		m->files = calloc(n + 1, sizeof(*m->files));
	}
	if (m && m->period)
		m->period->people = calloc(n, sizeof(*m->period->people));
	if (!m || !m->period || !m->files || !m->period->people) {
		period_making_free(m);
		err_nomem(err);
		return NULL;
	}
	snprintf(m->period->repository, sizeof(m->period->repository), "%s", repository);
	m->period->begun_ns = now_ns;
	return m;
}

/* What the period before is opened with, to this one. */
static int hand_on(struct period_making *m, const struct period_means *by,
    const struct age_identity *former_id, struct err *err)
{
	struct secret *s = sodium_malloc(sizeof(*s));
	struct period_file *f = add_file(m, PERIOD_PREVIOUS);
	int r = s ? 0 : err_nomem(err);

	if (!r) {
		s->id = *former_id;
		write_secret(s);
		r = age_encrypt(
		    &m->period->recipient, 1, by->random, s->text, strlen(s->text), &f->bytes, err);
		digest_sha256(f->bytes.p, f->bytes.n, m->period->previous_sha256);
	}
	sodium_free(s);
	return r;
}

static int fill(struct period_making *m, const struct period_means *by, const struct secret *s,
    const struct age_identity *former_id, const struct period_member *people, size_t n, struct err *err)
{
	if (age_identity_recipient(&s->id, &m->period->recipient))
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (add_person(m, by, &people[i], s, err))
			return -1;
	return former_id ? hand_on(m, by, former_id, err) : 0;
}

int period_make(const struct period_means *by, const char *repository, const struct period *former,
    const uint8_t former_sha256[DIGEST_LEN], const struct age_identity *former_id,
    const struct period_member *people, size_t n, struct period_making **ret, struct err *err)
{
	struct secret *s = sodium_malloc(sizeof(*s));
	struct period_making *m = making_new(repository, n, by->now_ns, err);
	int r = -1;

	if (m && !s)
		err_nomem(err);
	if (m && s) {
		m->period->number = former ? former->number + 1 : 1;
		m->period->revision = 1;
		if (former)
			memcpy(m->period->former_sha256, former_sha256, DIGEST_LEN);
		age_identity_generate(by->random, &s->id);
		write_secret(s);
		r = fill(m, by, s, former ? former_id : NULL, people, n, err);
	}
	sodium_free(s);
	if (r)
		period_making_free(m);
	else
		*ret = m;
	return r;
}

static int copy_people(struct period *to, const struct period *from, struct err *err)
{
	for (; to->n_people < from->n_people; to->n_people++) {
		to->people[to->n_people] = from->people[to->n_people];
		to->people[to->n_people].recipient = strdup(from->people[to->n_people].recipient);
		if (!to->people[to->n_people].recipient)
			return err_nomem(err);
	}
	return 0;
}

int period_make_revision(const struct period_means *by, const struct period *former,
    const struct age_identity *id, const struct period_member *person, struct period_making **ret,
    struct err *err)
{
	struct secret *s = sodium_malloc(sizeof(*s));
	struct period_making *m = making_new(former->repository, former->n_people + 1, by->now_ns, err);
	int r = -1;

	if (m && !s)
		err_nomem(err);
	if (m && s) {
		m->period->number = former->number;
		m->period->revision = former->revision + 1;
		m->period->recipient = former->recipient;
		memcpy(m->period->former_sha256, former->former_sha256, DIGEST_LEN);
		memcpy(m->period->previous_sha256, former->previous_sha256, DIGEST_LEN);
		s->id = *id;
		write_secret(s);
		r = copy_people(m->period, former, err) || add_person(m, by, person, s, err) ? -1 : 0;
	}
	sodium_free(s);
	if (r)
		period_making_free(m);
	else
		*ret = m;
	return r;
}

void period_making_free(struct period_making *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_files; i++)
		buf_free(&m->files[i].bytes);
	free(m->files);
	period_free(m->period);
	free(m);
}
