/* keys_take: see keys_take.h.
 *
 * Into the state folder in this order: the people's files, the approver's, the signature, the revision itself; then the record, by which it
 * counts: state_period_load() reads none that is not recorded. */
#include "write/state/keys_take.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/period_make.h"
#include "format/medium/period_recipient.h"
#include "format/medium/period_signed.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/store/store_dir.h"
#include "read/vault/periods.h"
#include "write/state/state_private.h"

struct keys_offer {
	struct period *period;
	struct period_signed files_signed;
	struct period_approver by; /* name "": the root key */
	struct period_file *files; /* that are not in force yet */
	size_t n_files;
};

/* ---- looking at it ---- */

static int does_not_follow(const char *why, struct err *err)
{
	err_set(err, "E-PERIOD-08", text("these keys do not follow those in force: %s"), why);
	return err_hint(err, "%s",
	    text("make them anew from a medium of the last run: 'bkp-restore key add', 'bkp-restore key "
		 "remove'"));
}

static bool same_file(const struct period_person *a, const struct period_person *b)
{
	return a && b && !memcmp(a->sha256, b->sha256, DIGEST_LEN);
}

/* The next revision has all people that there were, and one more at least. */
static int check_revision(const struct period *is, const struct period *next, struct err *err)
{
	if (next->revision != is->revision + 1)
		return does_not_follow(text("another change was made meanwhile"), err);
	if (memcmp(&next->recipient, &is->recipient, sizeof(is->recipient)) != 0 ||
	    memcmp(next->former_sha256, is->former_sha256, DIGEST_LEN) != 0 ||
	    memcmp(next->previous_sha256, is->previous_sha256, DIGEST_LEN) != 0)
		return does_not_follow(text("they are of another period"), err);
	for (size_t i = 0; i < is->n_people; i++)
		if (!same_file(period_person(next, is->people[i].name), &is->people[i]))
			return does_not_follow(
			    text("somebody is missing who holds a key: that takes a new period"), err);
	return 0;
}

static int check_follows(const struct state *s, const struct period *next, struct err *err)
{
	const struct period *is = state_period(s);

	if (strcmp(next->repository, is->repository) != 0)
		return does_not_follow(text("they are of another repository"), err);
	if (next->number == is->number)
		return check_revision(is, next, err);
	if (next->number != is->number + 1 || next->revision != 1 ||
	    memcmp(next->former_sha256, periods_sha256(state_periods(s), is->number), DIGEST_LEN) != 0)
		return does_not_follow(text("another change was made meanwhile"), err);
	return 0;
}

/* They are shown to people, and the next period is encrypted to them. */
static int check_recipients(const struct period *p, struct err *err)
{
	struct period_recipient r;

	for (size_t i = 0; i < p->n_people; i++)
		if (period_recipient_parse(p->people[i].recipient, &r, err))
			return err_wrap(err, "%s", p->people[i].name);
	return 0;
}

static int check_signed(const struct state *s, struct keys_offer *o, struct err *err)
{
	struct clock_stamp now;

	if (period_signed_check(
		&o->files_signed, state_repository(s), o->period, ledger_root(state_ledger(s)), &o->by, err))
		return -1;
	clock_now(&now);
	return *o->by.name && now.wall_ns > o->by.until_ns
		   ? err_set_kind(err, ERR_FORGED, "E-PERIOD-09",
			 text("'%s' was an approver for a time that is over: the root key names one anew"),
			 o->by.name)
		   : 0;
}

/* A file that is named and not in force yet: it comes from the folder. */
static int take_file(struct keys_offer *o, const struct store *dir, const char *name,
    const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	struct period_file *f = &o->files[o->n_files];
	uint8_t is[DIGEST_LEN];
	int r;

	buf_init(&f->bytes, PERIOD_FILE_MAX);
	snprintf(f->name, sizeof(f->name), "%s", name);
	o->n_files++;
	r = store_read(dir, name, &f->bytes, err);
	if (r)
		return -1;
	digest_sha256(f->bytes.p, f->bytes.n, is);
	if (memcmp(is, sha256, DIGEST_LEN) != 0)
		return err_set_kind(
		    err, ERR_FORGED, "E-PERIOD-03", text("'%s' is not the file that was signed"), name);
	return period_file_check(name, &f->bytes, err);
}

static int take_files(const struct state *s, struct keys_offer *o, const struct store *dir, struct err *err)
{
	const struct period *is = state_period(s), *p = o->period;
	char name[PERIOD_NAME + 8];

	o->files = calloc(p->n_people + 1, sizeof(*o->files));
	if (!o->files)
		return err_nomem(err);
	for (size_t i = 0; i < p->n_people; i++) {
		snprintf(name, sizeof(name), "%s.age", p->people[i].name);
		if ((p->number != is->number || !period_person(is, p->people[i].name)) &&
		    take_file(o, dir, name, p->people[i].sha256, err))
			return -1;
	}
	return p->number != is->number ? take_file(o, dir, PERIOD_PREVIOUS, p->previous_sha256, err) : 0;
}

static int read_offer(const struct state *s, const struct store *dir, struct keys_offer *o, struct err *err)
{
	struct period_signed *f = &o->files_signed;
	int approver = store_read(dir, PERIOD_APPROVER, &f->approver, err);

	return (approver && approver != STORE_ABSENT) ||
		       (!approver && store_read(dir, PERIOD_APPROVER_SIG, &f->approver_sig, err)) ||
		       store_read(dir, PERIOD_JSON, &f->json, err) ||
		       store_read(dir, PERIOD_SIG, &f->sig, err) ||
		       period_parse((const char *)f->json.p, f->json.n, &o->period, err) ||
		       check_signed(s, o, err) || check_follows(s, o->period, err) ||
		       check_recipients(o->period, err) || take_files(s, o, dir, err)
		   ? -1
		   : 0;
}

static int check_begun(const struct period *p, struct err *err)
{
	if (strcmp(p->repository, PERIOD_NO_REPOSITORY) != 0 || p->number != 1 || p->revision != 1) {
		err_set_kind(err, ERR_CONTRADICTION, "E-PERIOD-08", "%s",
		    text("these are not the first keys of a repository that is not there yet"));
		return err_hint(err, "%s", text("make them by 'bkp-restore key begin'"));
	}
	return check_recipients(p, err);
}

static int read_begun(const struct store *dir, struct keys_offer *o, struct err *err)
{
	struct buf *json = &o->files_signed.json;
	char name[PERIOD_NAME + 8];

	if (store_read(dir, PERIOD_JSON, json, err) ||
	    period_parse((const char *)json->p, json->n, &o->period, err) || check_begun(o->period, err))
		return -1;
	o->files = calloc(o->period->n_people, sizeof(*o->files));
	if (!o->files)
		return err_nomem(err);
	for (size_t i = 0; i < o->period->n_people; i++) {
		snprintf(name, sizeof(name), "%s.age", o->period->people[i].name);
		if (take_file(o, dir, name, o->period->people[i].sha256, err))
			return -1;
	}
	return 0;
}

int keys_begun_read(const char *dir, struct period_making **ret, struct err *err)
{
	struct keys_offer *o = calloc(1, sizeof(*o));
	struct period_making *m = calloc(1, sizeof(*m));
	STORE_AUTO store = {0};
	int r = o && m ? 0 : err_nomem(err);

	if (!r) {
		period_signed_init(&o->files_signed);
		r = store_open_place(dir, &store, err) || read_begun(&store, o, err) ? -1 : 0;
	}
	if (!r) {
		*m = (struct period_making){o->period, o->files, o->n_files};
		*ret = m;
		m = NULL;
		o->period = NULL;
		o->files = NULL;
		o->n_files = 0;
	}
	free(m);
	keys_offer_free(o);
	return r;
}

int keys_offer_read(const struct state *s, const char *dir, struct keys_offer **ret, struct err *err)
{
	struct keys_offer *o = calloc(1, sizeof(*o));
	STORE_AUTO store = {0};
	int r = -1;

	if (!o)
		return err_nomem(err);
	period_signed_init(&o->files_signed);
	if (!store_open_place(dir, &store, err))
		r = read_offer(s, &store, o, err);
	if (r)
		keys_offer_free(o);
	else
		*ret = o;
	return r;
}

void keys_offer_free(struct keys_offer *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n_files; i++)
		buf_free(&o->files[i].bytes);
	free(o->files);
	period_signed_free(&o->files_signed);
	period_free(o->period);
	free(o);
}

const struct period *keys_offer_period(const struct keys_offer *o)
{
	return o->period;
}

/* ---- taking it ---- */

static int open_folder(const struct state *s, uint32_t number, struct err *err)
{
	IO_FD_AUTO keys = io_open_dir(state_dirfd(s), PERIOD_KEYS, err);
	char name[16];
	int dir;

	if (keys < 0)
		return -1;
	snprintf(name, sizeof(name), "%u", number);
	dir = io_make_dir(keys, name, 0700, err);
	if (dir >= 0 && io_sync_dir(keys, err))
		io_close_quietly(&dir);
	return dir;
}

/* What a process that died left under the name is replaced: nothing refers to it. */
static int put(int dir, const char *name, const struct buf *b, struct err *err)
{
	return io_replace(dir, name, 0444, b->p, b->n, err);
}

static int put_files(const struct state *s, const struct keys_offer *o, struct err *err)
{
	IO_FD_AUTO dir = open_folder(s, o->period->number, err);
	const struct period_signed *f = &o->files_signed;
	const uint32_t revision = o->period->revision;
	char name[PERIOD_NAME];

	if (dir < 0)
		return -1;
	for (size_t i = 0; i < o->n_files; i++)
		if (put(dir, o->files[i].name, &o->files[i].bytes, err))
			return -1;
	if (*o->by.name &&
	    (put(dir, period_file(revision, PERIOD_OF_APPROVER, name), &f->approver, err) ||
		put(dir, period_file(revision, PERIOD_OF_APPROVER_SIG, name), &f->approver_sig, err)))
		return -1;
	return put(dir, period_file(revision, PERIOD_OF_SIG, name), &f->sig, err) ||
		       put(dir, period_file(revision, PERIOD_OF_JSON, name), &f->json, err)
		   ? -1
		   : 0;
}

/* A revision that was never recorded, of the period that a new one is to follow, must not come to count by that. */
static int drop_unrecorded(const struct state *s, const struct keys_offer *o, struct err *err)
{
	const struct period *is = state_period(s);
	char name[PERIOD_NAME], path[PERIOD_PATH];

	period_path(is->number, period_file(is->revision + 1, PERIOD_OF_JSON, name), path);
	if (o->period->number == is->number || !unlinkat(state_dirfd(s), path, 0) || errno == ENOENT)
		return 0;
	return err_sys(err, "E-IO-03", errno, text("cannot remove '%s'"), path);
}

static int record(
    struct state *s, const struct keys_offer *o, const char *person, bool renew, struct err *err)
{
	const struct period *p = o->period;
	char recipient[AGE_RECIPIENT_TEXT], hex[DIGEST_HEX];
	uint8_t sha256[DIGEST_LEN];
	json_t *people = json_array();

	for (size_t i = 0; i < p->n_people; i++)
		json_array_append_new(people, json_string(p->people[i].name));
	digest_sha256(o->files_signed.json.p, o->files_signed.json.n, sha256);
	return state_append(s, "keys",
	    json_pack("{s:I, s:I, s:s, s:s, s:o, s:s, s:b, s:s}", "period", (json_int_t)p->number, "revision",
		(json_int_t)p->revision, "recipient", age_recipient_format(&p->recipient, recipient),
		"period_sha256", digest_hex(sha256, DIGEST_LEN, hex), "people", people, "signed_by",
		*o->by.name ? o->by.name : "root", "renew", (int)renew, "operator", person),
	    err);
}

int keys_take(struct state *s, struct keys_offer *o, const char *person, bool renew, struct err *err)
{
	return drop_unrecorded(s, o, err) || put_files(s, o, err) || record(s, o, person, renew, err) ||
		       state_period_load(s, err)
		   ? -1
		   : 0;
}
