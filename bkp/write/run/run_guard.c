/* run_guard: compares what was measured of a data set with its history in the journal, and its canaries with
 * what they were; see format/guard/guard.h and run.h.
 *
 * The guard never stops a run: it marks the data set as suspect, and says where it saw less than it should
 * (be_blind()).  Only captures that nobody doubted, or that a person accepted, are history to compare with; one
 * that was suspect stays so until a person accepts it or a later one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/guard/announce.h"
#include "format/guard/guard.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/canary/canary.h"
#include "write/capture/examples.h"
#include "write/run/run_private.h"
#include "write/state/state.h"

#define NOTICE_MAX ((size_t)16 << 10)

/* Was it reported, well enough to be restored? */
static bool is_reported(const struct ledger_generation *g)
{
	return (g->state == LEDGER_COMMITTED || g->state == LEDGER_EXPIRED) &&
	       (g->verdict == LEDGER_GOOD || g->verdict == LEDGER_PARTIAL);
}

bool run_was_reported(void *arg, uint64_t generation, const char *dataset)
{
	const struct run *n = arg;
	const struct ledger_generation *g =
	    ledger_generation_of(state_ledger(n->cfg->state), dataset, generation);

	return g && is_reported(g);
}

enum rows_trust run_trust(void *arg, uint64_t generation, const char *dataset)
{
	const struct run *n = arg;
	const struct ledger_generation *g =
	    ledger_generation_of(state_ledger(n->cfg->state), dataset, generation);

	if (!g || !is_reported(g) || (g->guard.suspect && !g->accepted_ns))
		return ROWS_DOUBTED;
	return g->accepted_ns || g->guard.noticed & GUARD_R_ROWS ? ROWS_ACCEPTED : ROWS_TRUSTED;
}

uint64_t run_decided(void *arg, const char *dataset)
{
	const struct run *n = arg;
	const struct ledger *l = state_ledger(n->cfg->state);

	for (size_t i = ledger_generations(l); i--;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (!strcmp(g->dataset, dataset) && (g->guard.suspect || g->accepted_ns || g->guard.noticed))
			return g->number;
	}
	return 0;
}

/* ---- canaries ---- */

/* Why the guard saw less than it should: the first reason. */
static int be_blind(struct generation_dataset *d, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int be_blind(struct generation_dataset *d, struct err *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (d->blind)
		return 0;
	va_start(ap, fmt);
	n = vasprintf(&d->blind, fmt, ap);
	va_end(ap);
	if (n >= 0)
		return 0;
	d->blind = NULL;
	return err_nomem(err);
}

static int look_at_canary(struct run *n, struct generation_dataset *d, const char *path, struct err *err)
{
	const char *must_be = ledger_canary(state_ledger(n->cfg->state), d->name, path);
	struct guard_canary *found = &d->canaries[d->n_canaries];

	if (canary_hash(path, found->sha256))
		return be_blind(d, err, text("its canary '%s' cannot be read"), path);
	if (must_be && !strcmp(must_be, found->sha256))
		return 0;
	if (!must_be && !*found->sha256)
		return be_blind(d, err, text("its canary '%s' was never there: make it"), path);
	d->guard.canaries += must_be != NULL;
	found->path = strdup(path);
	if (!found->path)
		return err_nomem(err);
	d->n_canaries++;
	return 0;
}

/* Those that bkp made: known by number, for a path may name a patient. */
static int look_at_placed(struct run *n, struct generation_dataset *d, struct err *err)
{
	const struct ledger *l = state_ledger(n->cfg->state);
	const struct ledger_placed *p = ledger_placed(l, d->name);
	struct canary_list list;
	struct err why = ERR_INIT;
	char is[DIGEST_HEX];
	const struct ledger_generation *last = ledger_last_committed(l, d->name);
	int r = p && last && p->removed > last->number
		    ? be_blind(d, err, "%s", text("its canaries were removed since it was captured last"))
		    : 0;

	if (r)
		return r;
	r = canary_read(state_dirfd(n->cfg->state), l, d->name, &list, &why);
	if (r)
		return r == CANARY_NONE ? 0 : be_blind(d, err, "%s", why.msg);
	d->placed_wrong = calloc(list.n + 1, sizeof(*d->placed_wrong));
	if (!d->placed_wrong)
		r = err_nomem(err);
	for (size_t i = 0; i < list.n && !r; i++) {
		if (ledger_placed_given_up(p, list.all[i].number))
			continue;
		if (canary_hash(list.all[i].path, is))
			r = be_blind(
			    d, err, text("its canary %ju cannot be read"), (uintmax_t)list.all[i].number);
		else if (strcmp(is, list.all[i].sha256) != 0)
			d->placed_wrong[d->n_placed_wrong++] = list.all[i].number;
	}
	d->guard.canaries += d->n_placed_wrong;
	canary_list_free(&list);
	return r;
}

static int look_at_canaries(
    struct run *n, const struct policy_dataset *p, struct generation_dataset *d, struct err *err)
{
	if (look_at_placed(n, d, err))
		return -1;
	if (!p->n_canaries)
		return 0;
	d->canaries = calloc(p->n_canaries, sizeof(*d->canaries));
	if (!d->canaries)
		return err_nomem(err);
	for (size_t i = 0; i < p->n_canaries; i++)
		if (look_at_canary(n, d, p->canaries[i], err))
			return -1;
	return 0;
}

/* ---- history ---- */

/* What the journal says of earlier captures of the data set. */
struct past {
	struct guard history[GUARD_HISTORY]; /* that may be trusted, newest first */
	size_t n;
	bool any, guarded; /* it was captured before; and looked at, the last time */
	uint64_t suspect;  /* the last one, when nobody has accepted it: its generation */
};

static void look_back(const struct ledger *l, const char *dataset, struct past *ret)
{
	for (size_t i = ledger_generations(l); i-- && ret->n < GUARD_HISTORY;) {
		const struct ledger_generation *g = ledger_generation(l, i);
		bool trusted = !g->guard.suspect || g->accepted_ns;

		if (strcmp(g->dataset, dataset) != 0 || !is_reported(g))
			continue;
		if (!ret->any) {
			ret->any = true;
			ret->guarded = g->guard.measured || g->guard.census.taken;
			ret->suspect = trusted ? 0 : g->number;
		}
		if (trusted && (g->guard.measured || g->guard.census.taken))
			ret->history[ret->n++] = g->guard;
	}
}

/* Rows of a dump, or what the probe counts. */
static void suspect_rows(const char *harm, char why[GUARD_WHY], struct guard *g)
{
	size_t n = strlen(why), room = GUARD_WHY - n;

	g->suspect = true;
	g->reasons |= GUARD_R_ROWS;
	if ((size_t)snprintf(why + n, room, "%s%s", n ? "; " : "", harm) >= room)
		why[n] = '\0';
}

/* What was harmed stays harmed, also on the runs on which nothing changes any more. */
static void still_suspect(uint64_t since, char why[GUARD_WHY], struct guard *g)
{
	size_t n = strlen(why), room = GUARD_WHY - n;

	g->suspect = true;
	g->reasons |= GUARD_R_STILL;
	if ((size_t)snprintf(why + n, room,
		text("%sit was suspect in generation %ju, and nobody has accepted that one or a later one"),
		n ? "; " : "", since) >= room)
		why[n] = '\0'; /* there are reasons enough */
}

/* Did a data set of the last run leave the policy?  This one may be it, under another name. */
static bool any_left(const struct run *n)
{
	const struct ledger *l = state_ledger(n->cfg->state);
	const struct ledger_generation *last = ledger_last_committed(l, NULL);
	size_t first, count = last ? ledger_run(l, last->number, &first) : 0;

	for (size_t i = 0; i < count; i++)
		if (!policy_find_dataset(n->cfg->policy, ledger_generation(l, first + i)->dataset))
			return true;
	return false;
}

static int tell_blindness(const struct run *n, const struct policy_dataset *p, const struct past *past,
    struct generation_dataset *d, struct err *err)
{
	if (!p->guard)
		return !past->guarded
			   ? 0
			   : be_blind(d, err, "%s",
				 text("the policy has switched its guard off since it was captured last"));
	if (past->n && past->history[0].rows && d->guard.rows && !d->guard.tables && !d->guard.tables_harmed)
		return be_blind(d, err, "%s",
		    text("what is remembered of its tables is gone, so their rows could not be compared"));
	if (past->any && !d->guard.measured && p->n_paths)
		return be_blind(d, err, "%s",
		    text("what is remembered of its last capture is gone, so only how many files of which "
			 "kinds there "
			 "are could be compared"));
	if (!past->any && guard_looks_empty(&d->guard.census))
		return be_blind(d, err,
		    text("it is captured for the first time, and %ju of its %ju files hold nothing but zero "
			 "bytes"),
		    d->guard.census.zero, d->guard.census.files);
	if (!past->any && p->n_paths && any_left(n) && guard_looks_encrypted(&d->guard.census))
		return be_blind(d, err,
		    text("it is captured for the first time under this name, and %ju of its %ju files look "
			 "encrypted"),
		    d->guard.census.opaque, d->guard.census.files);
	return 0;
}

/* Whether all that was raised had been announced: then it is said, and the generation counts like any other. */
static int look_for_announcements(
    struct run *n, struct generation_dataset *d, const char *why, struct err *err)
{
	const struct ledger *l = state_ledger(n->cfg->state);
	BUF_AUTO words = BUF_INIT(NOTICE_MAX);
	uint32_t explained = 0;
	char until[CLOCK_TEXT];

	if (buf_printf(&words, err, "%s", why))
		return -1;
	for (size_t i = 0; i < ledger_announcements(l); i++) {
		const struct ledger_announcement *a = ledger_announcement(l, i);
		uint32_t by_this = d->guard.reasons & announce_explains(a->expects);

		if (!by_this || !ledger_announced(l, a, d->name, n->begun_ns))
			continue;
		explained |= by_this;
		d->announced = a->number;
		if (buf_printf(&words, err, text("; announced: '%s' by %s until %s"), a->text, a->person,
			clock_format_local(a->until_ns, until)))
			return -1;
	}
	if (explained != d->guard.reasons)
		return 0;
	d->guard.suspect = false;
	d->guard.noticed = explained;
	return buf_terminate(&words, err) || !(d->notice = strdup((char *)words.p)) ? err_nomem(err) : 0;
}

static int judge(struct run *n, const struct policy_dataset *p, struct generation_dataset *d,
    const struct past *past, struct err *err)
{
	char why[GUARD_WHY] = "";

	if (p->guard) {
		if (look_at_canaries(n, p, d, err))
			return -1;
		guard_judge(&d->guard, past->history, past->n, p->guard_sensitivity, why);
		if (d->harm)
			suspect_rows(d->harm, why, &d->guard);
	} else {
		memset(&d->guard, 0, sizeof(d->guard));
	}
	if (past->suspect)
		still_suspect(past->suspect, why, &d->guard);
	if (d->guard.suspect && look_for_announcements(n, d, why, err))
		return -1;
	if (d->guard.suspect && !(d->suspicion = strdup(why)))
		return err_nomem(err);
	examples_settle(n->with.cachefd, d->name,
	    past->suspect      ? EXAMPLES_FORMER
	    : d->guard.reasons ? EXAMPLES_NOW
			       : EXAMPLES_NONE);
	return tell_blindness(n, p, past, d, err);
}

int run_guard(struct run *n, const struct policy_dataset *p, struct generation_dataset *d, struct err *err)
{
	struct past *past;
	int r;

	if (d->verdict == GENERATION_FAILED) {
		memset(&d->guard, 0, sizeof(d->guard));
		return 0;
	}
	past = calloc(1, sizeof(*past));
	if (!past)
		return err_nomem(err);
	look_back(state_ledger(n->cfg->state), d->name, past);
	r = judge(n, p, d, past, err);
	free(past);
	return r;
}
