/* run_guard: compares what was measured of a data set with its history in the journal, and its canaries with
 * what they were; see format/guard/guard.h and run.h.
 *
 * The guard never stops a run: it marks the data set as suspect, and says where it saw less than it should
 * (be_blind()).  Only captures that nobody doubted, or that a person accepted, are history to compare with; one
 * that was suspect stays so until a person accepts it or a later one. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/guard/guard.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/run/run_private.h"
#include "write/state/state.h"

#define CANARY_MAX ((uint64_t)16 << 20) /* bytes of a canary that are looked at */
#define STEP	   ((size_t)64 << 10)

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

/* ---- canaries ---- */

/* SHA-256 of the file, "" when it is not there.  -1: it cannot be read: errno. */
static int canary_hash(const char *path, char ret[DIGEST_HEX])
{
	IO_FD_AUTO fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t buf[STEP], hash[DIGEST_LEN];
	struct digest *d;
	uint64_t left = CANARY_MAX;
	struct stat st;
	ssize_t got = 0;

	*ret = '\0';
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	if (fstat(fd, &st))
		return -1;
	if (!S_ISREG(st.st_mode))
		return 0; /* something else is there now */
	d = digest_new();
	if (!d) {
		errno = ENOMEM;
		return -1;
	}
	while (left && (got = io_read_full(fd, buf, STEP)) > 0) {
		digest_update(d, buf, (size_t)got);
		left -= left < (uint64_t)got ? left : (uint64_t)got;
	}
	digest_final(d, hash);
	digest_free(d);
	if (got < 0)
		return -1;
	digest_hex(hash, DIGEST_LEN, ret);
	return 0;
}

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

static int look_at_canaries(
    struct run *n, const struct policy_dataset *p, struct generation_dataset *d, struct err *err)
{
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

/* What was harmed stays harmed, also on the runs on which nothing changes any more. */
static void still_suspect(uint64_t since, char why[GUARD_WHY], struct guard *g)
{
	size_t n = strlen(why), room = GUARD_WHY - n;

	g->suspect = true;
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

static int judge(struct run *n, const struct policy_dataset *p, struct generation_dataset *d,
    const struct past *past, struct err *err)
{
	char why[GUARD_WHY] = "";

	if (p->guard) {
		if (look_at_canaries(n, p, d, err))
			return -1;
		guard_judge(&d->guard, past->history, past->n, p->guard_sensitivity, why);
	} else {
		memset(&d->guard, 0, sizeof(d->guard));
	}
	if (past->suspect)
		still_suspect(past->suspect, why, &d->guard);
	if (d->guard.suspect && !(d->suspicion = strdup(why)))
		return err_nomem(err);
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
