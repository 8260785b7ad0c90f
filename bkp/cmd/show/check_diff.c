/* check_diff: see check_diff.h.  This file: finding out; check_diff_show.c shows it.
 *
 * find_out() judges both policies by the same journal and the same moment and keeps what differs: keys (policy_diff), when
 * data sets are due, what is kept at least, verdicts of 3-2-1, what an expiry could take.  Lists of struct check_diff are its
 * own; names in them belong to the two policies, which outlive it. */
#include "cmd/show/check_diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/show/check_diff_private.h"
#include "format/policy/policy.h"
#include "format/policy/policy_diff.h"
#include "read/ledger/ledger.h"
#include "read/rules/retention.h"
#include "write/state/policy_record.h"

/* ---- the other policy ---- */

static int parse_old(const char *name, const struct buf *b, struct policy **ret, struct err *err)
{
	return policy_parse(name, (const char *)b->p, b->n, ret, NULL, err);
}

static int old_from_file(struct check_diff *c, const char *file, struct policy **ret, struct err *err)
{
	BUF_AUTO b = BUF_INIT(POLICY_BYTES_MAX);

	path_show(file, c->against, sizeof(c->against));
	return io_read_file(AT_FDCWD, file, &b, err) || parse_old(file, &b, ret, err) ? -1 : 0;
}

static int old_from_record(struct check_diff *c, struct policy **ret, struct err *err)
{
	const char *sha256 = c->ledger ? ledger_policy_sha256(c->ledger) : "";
	BUF_AUTO b = BUF_INIT(POLICY_BYTES_MAX);
	IO_FD_AUTO dir = -1;
	int r;

	if (!*sha256) {
		err_set(err, "E-RECORD-02", "%s", text("no policy is on record yet"));
		return err_hint(err, "%s",
		    text("the next command that changes anything records it; or name one with --against "
			 "FILE"));
	}
	snprintf(c->against, sizeof(c->against), text("the policy on record (SHA-256 %.16s…)"), sha256);
	dir = open(c->new->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = policy_record_read(dir, sha256, &b, err);
	if (r == POLICY_RECORD_ABSENT) {
		err_set(err, "E-RECORD-01", text("the policy on record, '%s', is not in the state folder"),
		    sha256);
		return err_hint(err, "%s", text("compare with a copy of it: --against FILE"));
	}
	return r || parse_old("policies", &b, ret, err) ? -1 : 0;
}

/* ---- what it means ---- */

static int grow_list(void **list, size_t n, size_t size, struct err *err)
{
	void *p = reallocarray(*list, n + 1, size);

	if (!p)
		return err_nomem(err);
	*list = p;
	return 0;
}

static int add_due(struct check_diff *c, const struct check_due *d, struct err *err)
{
	if (grow_list((void **)&c->due, c->n_due, sizeof(*c->due), err))
		return -1;
	c->due[c->n_due++] = *d;
	return 0;
}

static int find_due(struct check_diff *c, int64_t now_ns, struct err *err)
{
	for (size_t i = 0; i < c->new->n_datasets; i++) {
		const struct policy_dataset *now = &c->new->datasets[i],
					    *was = policy_find_dataset(c->old, now->name);
		struct check_due d = {.name = now->name, .was = was != NULL, .is = true};

		if (was)
			slots_look(c->old, was, c->ledger, now_ns, &d.before);
		slots_look(c->new, now, c->ledger, now_ns, &d.after);
		if ((!was || d.before.due != d.after.due || d.before.next_ns != d.after.next_ns) &&
		    add_due(c, &d, err))
			return -1;
	}
	for (size_t i = 0; i < c->old->n_datasets; i++) {
		struct check_due d = {.name = c->old->datasets[i].name, .was = true};

		if (policy_find_dataset(c->new, d.name))
			continue;
		slots_look(c->old, &c->old->datasets[i], c->ledger, now_ns, &d.before);
		if (add_due(c, &d, err))
			return -1;
	}
	return 0;
}

struct floor {
	const char *key;
	uint64_t old, agreed, to;
	bool duration;
};

static int add_floors(struct check_diff *c, const struct policy_dataset *was,
    const struct policy_dataset *now, const struct ledger_agreed *a, struct err *err)
{
	const struct policy_dataset none = {0}, *o = was ? was : &none;
	const struct ledger_agreed nothing = {0}, *g = a ? a : &nothing;
	const struct floor all[] = {{"generations", o->generations, g->generations, now->generations, false},
	    {"protect", (uint64_t)o->protect_s, g->protect_s, (uint64_t)now->protect_s, true},
	    {"keep/daily", o->keep.daily, g->daily, now->keep.daily, false},
	    {"keep/weekly", o->keep.weekly, g->weekly, now->keep.weekly, false},
	    {"keep/monthly", o->keep.monthly, g->monthly, now->keep.monthly, false},
	    {"keep/yearly", o->keep.yearly, g->yearly, now->keep.yearly, false}};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		uint64_t from = a && all[i].agreed > all[i].to ? all[i].agreed : all[i].old;

		if (all[i].to >= from)
			continue;
		if (grow_list((void **)&c->floors, c->n_floors, sizeof(*c->floors), err))
			return -1;
		c->floors[c->n_floors++] = (struct check_floor){
		    now->name, all[i].key, from, all[i].to, all[i].duration, a && all[i].agreed > all[i].to};
	}
	return 0;
}

static int find_floors(struct check_diff *c, struct err *err)
{
	for (size_t i = 0; i < c->new->n_datasets; i++) {
		const struct policy_dataset *now = &c->new->datasets[i];

		if (add_floors(c, policy_find_dataset(c->old, now->name), now,
			c->ledger ? ledger_agreed(c->ledger, now->name) : NULL, err))
			return -1;
	}
	return 0;
}

static const struct compliance_dataset *compliance_of(const struct compliance *s, const char *name)
{
	for (size_t i = 0; i < s->n_datasets; i++)
		if (!strcmp(s->datasets[i].policy->name, name))
			return &s->datasets[i];
	return NULL;
}

static int find_verdicts(struct check_diff *c, int64_t now_ns, struct err *err)
{
	static const char *const words[] = {"generations", "three", "two", "one"};

	if (!c->ledger)
		return 0;
	if (compliance_new(c->old, c->ledger, NULL, now_ns, &c->before, err) ||
	    compliance_new(c->new, c->ledger, NULL, now_ns, &c->after, err))
		return -1;
	for (size_t i = 0; i < c->after->n_datasets; i++) {
		const struct compliance_dataset *a = &c->after->datasets[i],
						*b = compliance_of(c->before, a->policy->name);
		const struct compliance_rule *after[] = {&a->generations, &a->three, &a->two, &a->one};

		for (size_t k = 0; k < 4; k++) {
			const struct compliance_rule *before = !b	? NULL
							       : k == 0 ? &b->generations
							       : k == 1 ? &b->three
							       : k == 2 ? &b->two
									: &b->one;

			if (before && before->verdict == after[k]->verdict)
				continue;
			if (grow_list((void **)&c->verdicts, c->n_verdicts, sizeof(*c->verdicts), err))
				return -1;
			c->verdicts[c->n_verdicts++] =
			    (struct check_verdict){a->policy->name, words[k], before, after[k]};
		}
	}
	return 0;
}

static int add_expiry(struct check_diff *c, const struct retention_medium *m, const struct retention *other,
    bool after, struct err *err)
{
	const struct retention_medium *there = retention_on(other, m->uuid);

	for (size_t i = 0; i < m->n; i++) {
		bool stays = true;

		for (size_t k = 0; there && k < there->n; k++)
			if (there->copies[k].number == m->copies[i].number &&
			    !strcmp(there->copies[k].dataset, m->copies[i].dataset))
				stays = there->copies[k].stays;
		if (m->copies[i].stays || !stays)
			continue;
		if (grow_list((void **)&c->expiry, c->n_expiry, sizeof(*c->expiry), err))
			return -1;
		c->expiry[c->n_expiry++] =
		    (struct check_expiry){m->label, m->copies[i].dataset, m->copies[i].number, after};
	}
	return 0;
}

static int find_expiry(struct check_diff *c, int64_t now_ns, struct err *err)
{
	if (!c->ledger)
		return 0;
	if (retention_judge(c->old, c->ledger, now_ns, &c->kept_before, err) ||
	    retention_judge(c->new, c->ledger, now_ns, &c->kept_after, err))
		return -1;
	for (size_t i = 0; i < c->kept_after->n; i++)
		if (add_expiry(c, &c->kept_after->media[i], c->kept_before, true, err))
			return -1;
	for (size_t i = 0; i < c->kept_before->n; i++)
		if (add_expiry(c, &c->kept_before->media[i], c->kept_after, false, err))
			return -1;
	return 0;
}

static int find_out(struct check_diff *c, struct err *err)
{
	struct clock_stamp now;

	clock_now(&now);
	return policy_diff_new(c->old, c->new, &c->diff, err) || find_due(c, now.wall_ns, err) ||
		       find_floors(c, err) || find_verdicts(c, now.wall_ns, err) ||
		       find_expiry(c, now.wall_ns, err)
		   ? -1
		   : 0;
}

/* ---- together ---- */

/* Before `bkp init` two policies can be compared all the same. */
static bool has_repository(const char *state)
{
	IO_FD_AUTO dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? errno != ENOENT : !faccessat(dir, "repository.json", F_OK, 0) || errno != ENOENT;
}

int check_diff(struct app *app, const struct policy *policy, const char *against)
{
	struct check_diff c = {.new = policy};
	POLICY_AUTO old = NULL;
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	int code = has_repository(policy->state) ? app_ledger(app, policy, &l) : APP_OK;

	if (code)
		return code;
	c.ledger = l;
	if (against ? old_from_file(&c, against, &old, &err) : old_from_record(&c, &old, &err)) {
		code = app_error(&err, against ? APP_USAGE : APP_UNKNOWN);
	} else {
		c.old = old;
		code = find_out(&c, &err) ? app_error(&err, APP_FAILED) : check_diff_show(app, &c);
	}
	policy_diff_free(c.diff);
	compliance_free(c.before);
	compliance_free(c.after);
	retention_free(c.kept_before);
	retention_free(c.kept_after);
	free(c.expiry);
	free(c.due);
	free(c.floors);
	free(c.verdicts);
	ledger_free(l);
	return code;
}
