/* refill: see refill.h.
 *
 * collect_missing() makes the list of generations that the journal counts and the medium lacks, in the order in which they are brought;
 * bring_generation() does one: is there room for it, copy, read back.  What came is recorded together (readback_record()): at the
 * end, and now and then on the way, so that little is done again when the process dies.  A broken medium
 * ends the list, and so does one that is full after all; copies that were found to lack files and did not get them back are then recorded
 * as damaged. */
#include "write/copies/refill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/err.h"
#include "format/medium/generation.h"
#include "format/parity/parity.h"
#include "format/policy/policy.h"
#include "read/file/digestset.h"
#include "read/store/store.h"
#include "read/ledger/ledger.h"
#include "read/rules/holds.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/copies/mirror.h"
#include "write/copies/readback.h"
#include "write/state/state.h"
#include "write/pack/vault_w.h"

#define ARCHIVES_MAX ((size_t)8 << 20)
#define ROOM_KEPT    ((uint64_t)1 << 20) /* bytes: documents, folders */

struct item {
	char dataset[GENERATION_NAME], uuid[GENERATION_UUID];
	uint64_t number;
	unsigned group; /* equal, and not 0, of those that their run captured together */
	bool left_out;	/* there was no room for it, or for what was captured together with it */
	unsigned round; /* how many newer ones of its data set there are */
	size_t rank;	/* of its data set: the most urgent has 0 */
	bool held;	/* the journal says that it is there, but files are missing */
	bool verified;	/* and that they were read back, and not found damaged since */
};

struct refilling {
	const struct refill *r;
	struct refill_result *res;
	struct item *items;
	size_t n, at;
	bool stop;		/* it is full after all, or broken */
	unsigned parity;	/* per cent, where room is looked for */
	uint64_t before, total; /* bytes: written when it began, expected */
};

/* ---- what is missing ---- */

static void note_unread(void *arg, const char *file, const struct err *fault)
{
	struct err *first = arg;

	(void)file;
	if (!first->code[0] && err_is_unread(fault))
		*first = *fault;
}

/* Is everything the generation lists on that medium?  1, 0; -1: it cannot be looked at (why). */
static int stands_whole(struct vault_r *v, const struct ledger_generation *lg, struct err *why)
{
	struct vault_r_generation *g = NULL;
	uint64_t faults = 1;
	int r;

	if (vault_r_generation_open(v, lg->dataset, lg->number, &g, why))
		return err_is_unread(why) ? -1 : 0;
	r = vault_r_presence(v, g, note_unread, why, &faults, why);
	vault_r_generation_close(g);
	return r || why->code[0] ? -1 : !faults;
}

static struct vault_r *open_reader(const struct refill *r, const struct medium *m, struct err *why)
{
	struct vault_r *v = NULL;

	return vault_r_open_medium(m, state_repository(r->state), NULL, &v, why) ? NULL : v;
}

/* What is recorded as being there: must it be brought again?  What cannot be looked at is neither there nor
 * missing: it is said. */
static bool is_lost(
    struct refilling *run, struct vault_r *v, const struct ledger_generation *lg, const struct err *blind)
{
	struct err why = *blind;
	int is = v ? stands_whole(v, lg, &why) : -1;
	char label[GENERATION_LABEL];

	if (is < 0) {
		run->res->missing++;
		if (!run->res->why.code[0]) {
			run->res->why = why;
			err_wrap(&run->res->why,
			    text("whether generation %s is whole on '%s' could not be looked at"),
			    generation_label(lg->dataset, lg->number, label), medium_label(run->r->to));
		}
	}
	return is == 0;
}

/* The place of its data set in the order in which they are brought. */
static size_t rank_of(const struct policy *p, const char *dataset)
{
	const struct policy_dataset *d = policy_find_dataset(p, dataset);
	size_t rank = 0;

	if (!d)
		return SIZE_MAX; /* it left the policy */
	for (size_t i = 0; i < p->n_datasets; i++)
		rank += policy_order(&p->datasets[i], d) < 0;
	return rank;
}

static int by_turn(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->round != y->round)
		return x->round < y->round ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->dataset, y->dataset);
}

/* The items stand as they were made: what follows of the same data set is newer. */
static void set_rounds(struct refilling *run)
{
	for (size_t i = run->n; i-- > 0;) {
		struct item *it = &run->items[i];

		it->rank = rank_of(run->r->policy, it->dataset);
		for (size_t k = i + 1; k < run->n; k++)
			if (!strcmp(run->items[k].dataset, it->dataset)) {
				it->round = run->items[k].round + 1;
				break;
			}
	}
	qsort(run->items, run->n, sizeof(*run->items), by_turn);
}

/* Is it to be brought? */
static bool is_missing(
    struct refilling *run, struct vault_r *v, const struct ledger_generation *g, const struct err *blind)
{
	const struct refill *r = run->r;
	const struct ledger_copy *c = ledger_copy_in(g, medium_uuid(r->to));
	const struct ledger_copy *held = ledger_copy_there(g, medium_uuid(r->to));

	if (g->state != LEDGER_COMMITTED || (c && c->expired_ns) ||
	    (r->holds && !policy_medium_holds(r->holds, g->dataset)))
		return false;
	/* what is there already is looked after, whatever is to come */
	if (!held && r->holds && !g->suspect && !holds_wants(r->policy, state_ledger(r->state), r->holds, g))
		return false;
	if (!held && g->suspect) {
		run->res->suspect +=
		    !g->held_ns; /* a person has decided: it is proof, and stays where it is */
		return false;
	}
	return !held || (r->look && is_lost(run, v, g, blind));
}

static int collect_missing(struct refilling *run, struct err *err)
{
	const struct refill *r = run->r;
	const struct ledger *l = state_ledger(r->state);
	size_t all = ledger_generations(l);
	struct err blind = ERR_INIT;
	struct vault_r *v = r->look ? open_reader(r, r->to, &blind) : NULL;

	run->items = calloc(all + 1, sizeof(*run->items));
	for (size_t k = 0; run->items && k < all; k++) {
		const struct ledger_generation *g = ledger_generation(l, k);
		const struct ledger_copy *held = ledger_copy_there(g, medium_uuid(r->to));
		struct item *it = &run->items[run->n];

		if (!is_missing(run, v, g, &blind))
			continue;
		snprintf(it->dataset, sizeof(it->dataset), "%s", g->dataset);
		memcpy(it->uuid, g->uuid, sizeof(it->uuid));
		it->number = g->number;
		it->group = g->group;
		it->held = held != NULL;
		it->verified = held && held->verified_ns;
		run->n++;
	}
	vault_r_close(v);
	if (run->items && r->newest_first)
		set_rounds(run);
	return run->items ? 0 : err_nomem(err);
}

/* Bytes of the generation's archives that are not on the medium and were not counted yet. */
static uint64_t to_come(
    struct refilling *run, struct vault_r *source, const struct item *it, struct digestset *counted)
{
	struct vault_r_generation *g = NULL;
	char path[GENERATION_SUMS_PATH], set[GENERATION_SET_DIR],
	    whole[GENERATION_SET_DIR + GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	uint64_t bytes = 0, there;
	const struct buf *sums;
	size_t pos = 0;

	if (vault_r_generation_open(source, it->dataset, it->number, &g, NULL))
		return 0;
	sums = vault_r_sums(g);
	while (!generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL)) {
		snprintf(whole, sizeof(whole), "%s/%s", generation_set_dir(it->dataset, set), path);
		if (digestset_get(counted, sha256) ||
		    store_size(vault_r_store(source), whole, &there, NULL) ||
		    store_has(vault_w_store(run->r->vault), whole))
			continue;
		bytes += there + parity_share_of(there, run->parity);
		if (digestset_put(counted, sha256, 1, NULL))
			break; /* an estimate is still one */
	}
	vault_r_generation_close(g);
	return bytes;
}

/* How much is still to be brought, from generation `first` of the list on: what the sources that answer say.
 */
static uint64_t estimate(struct refilling *run, size_t first, size_t end)
{
	struct digestset *counted = digestset_new(ARCHIVES_MAX);
	uint64_t bytes = 0;

	for (size_t s = 0; counted && s < run->r->n_sources; s++) {
		struct medium *m = run->r->sources[s].medium;
		struct vault_r *v = m == run->r->to ? NULL : open_reader(run->r, m, NULL);

		for (size_t i = first; v && i < end; i++)
			bytes += to_come(run, v, &run->items[i], counted);
		vault_r_close(v);
	}
	digestset_free(counted);
	return bytes;
}

/* ---- bringing it ---- */

static uint64_t written(const struct refilling *run)
{
	return vault_w_written(run->r->vault) - run->before;
}

static char *label_of(const struct item *it, char out[GENERATION_LABEL])
{
	return generation_label(it->dataset, it->number, out);
}

static void on_copied(void *arg)
{
	const struct refilling *run = arg;
	const struct refill *r = run->r;
	char label[GENERATION_LABEL];

	if (r->progress)
		r->progress(r->arg, label_of(&run->items[run->at], label), run->n - 1 - run->at, written(run),
		    run->total);
}

static void blame_generation(struct refilling *run, const struct err *why)
{
	char label[GENERATION_LABEL];

	if (!run->res->why.code[0]) {
		run->res->why = *why;
		err_wrap(&run->res->why, text("generation %s could not be brought to '%s'"),
		    label_of(&run->items[run->at], label), medium_label(run->r->to));
	}
}

/* From the first source that has it whole.  0, MIRROR_SOURCE, -1. */
static int copy_generation(struct refilling *run, const struct item *it, uint64_t *files, struct err *why)
{
	const struct ledger_generation *known =
	    ledger_generation_of(state_ledger(run->r->state), it->dataset, it->number);
	char label[GENERATION_LABEL];
	struct mirror_generation g = {.repository = state_repository(run->r->state),
	    .dataset = it->dataset,
	    .number = it->number,
	    .uuid = it->uuid,
	    .copied = on_copied,
	    .arg = run};
	int r = MIRROR_SOURCE;

	g.keys = state_keys(run->r->state, &g.n_keys);
	g.epoch = known->epoch;
	g.manifest_sha256 = known->manifest_sha256;
	err_set(
	    why, "E-MIRROR-03", text("no medium that is attached holds generation %s"), label_of(it, label));
	for (size_t s = 0; s < run->r->n_sources && r == MIRROR_SOURCE; s++) {
		struct err last = ERR_INIT;

		if (run->r->sources[s].medium == run->r->to)
			continue;
		r = mirror_generation(
		    medium_repo(run->r->sources[s].medium), run->r->vault, &g, files, &last);
		/* that somebody signed it again says more than that another source has nothing */
		if (r < 0 || (r && why->kind != ERR_SIGNED_ANEW))
			*why = last;
	}
	return r;
}

/* What stands on the medium under a name is not what was signed: no fault of the others. */
static bool in_the_way(const struct err *why)
{
	return why->kind == ERR_TAKEN;
}

static int not_copied(
    struct refilling *run, int r, const struct item *it, const struct err *why, struct err *err)
{
	run->res->missing++;
	blame_generation(run, why);
	if (r < 0 && !in_the_way(why)) {
		run->res->full |= err_is_full(why);
		run->res->broken = !err_is_full(why);
		run->stop = true;
		return 0;
	}
	if (!it->held && r >= 0)
		return 0; /* it was never there, and nobody has it to give */
	run->res->damaged++;
	return readback_record_damage(run->r->readback, it->dataset, it->number, why, err);
}

/* Was it captured together with the current one? */
static bool is_companion(const struct refilling *run, const struct item *it)
{
	const struct item *at = &run->items[run->at];

	return it->group && it->group == at->group && it->number == at->number;
}

/* Of the current one, and of what was captured together with it and is still to come. */
static uint64_t to_come_together(struct refilling *run)
{
	uint64_t bytes = estimate(run, run->at, run->at + 1);

	for (size_t i = run->at + 1; i < run->n; i++)
		if (is_companion(run, &run->items[i]))
			bytes += estimate(run, i, i + 1);
	return bytes;
}

static void leave_out_together(struct refilling *run)
{
	for (size_t i = run->at; i < run->n; i++)
		run->items[i].left_out |= i == run->at || is_companion(run, &run->items[i]);
}

/* Is there room for it, and for what comes with it?  Known before the first byte; what the sources do not tell is tried. */
static bool has_room(struct refilling *run)
{
	bool left_out = run->items[run->at].left_out; /* with another one, whose room was short by both */
	uint64_t bytes = left_out ? 0 : to_come_together(run);
	struct store_space space;
	char label[GENERATION_LABEL];
	size_t used = strlen(run->res->left_out);

	if (!store_space(vault_w_store(run->r->vault), &space) ||
	    (!left_out && bytes + ROOM_KEPT <= space.free))
		return true;
	leave_out_together(run);
	run->res->lacking += bytes;
	if (!run->res->full)
		run->res->lacking_next = bytes;
	run->res->full = true;
	run->res->room = space.free;
	run->res->missing++;
	label_of(&run->items[run->at], label);
	if (used + strlen(label) + 3 < sizeof(run->res->left_out))
		snprintf(run->res->left_out + used, sizeof(run->res->left_out) - used, "%s%s",
		    used ? ", " : "", label);
	return false;
}

static int note_no_room(struct refilling *run, struct err *err)
{
	const struct item *it = &run->items[run->at];
	struct err why = ERR_INIT;

	err_sys(&why, "E-MIRROR-05", ENOSPC, text("%ju MB are to come, %ju MB are free"),
	    (uintmax_t)(run->res->lacking / 1000000), (uintmax_t)(run->res->room / 1000000));
	blame_generation(run, &why);
	/* it is recorded as being there, and lacks files that do not come */
	if (!it->held)
		return 0;
	run->res->damaged++;
	return readback_record_damage(run->r->readback, it->dataset, it->number, &why, err);
}

static int bring_generation(struct refilling *run, struct err *err)
{
	const struct item *it = &run->items[run->at];
	uint64_t files = 0, had = written(run);
	struct err why = ERR_INIT;
	int64_t began_ns;
	int r;

	if (!has_room(run))
		return note_no_room(run, err);
	began_ns = clock_read(CLOCK_MONOTONIC);
	r = copy_generation(run, it, &files, &why);
	run->res->copying_ns += clock_read(CLOCK_MONOTONIC) - began_ns;
	if (r)
		return not_copied(run, r, it, &why, err);
	if (readback_note_copied(run->r->readback, it->dataset, it->number, files, written(run) - had, err))
		return -1;
	run->res->copied++;
	run->res->lost += it->verified;
	/* from where files vanished, the others are not believed either */
	r = readback_generation(run->r->readback, it->dataset, it->number, it->held, &why, err);
	if (r < 0)
		return -1;
	if (r)
		blame_generation(run, &why);
	run->res->verified += r == 0;
	run->res->damaged += r == READBACK_DAMAGED;
	run->res->broken = run->stop = r == READBACK_GONE;
	return r || readback_is_due(run->r->readback) ? readback_record(run->r->readback, err) : 0;
}

/* It was full before all of what seemed to have room was there.  The one that failed is the last that was tried. */
static void measure_room(struct refilling *run)
{
	struct store_space space;

	run->res->lacking += estimate(run, run->at - 1, run->n);
	run->res->lacking_next = estimate(run, run->at - 1, run->at);
	if (store_space(vault_w_store(run->r->vault), &space))
		run->res->room = space.free;
}

/* Copies that were found to lack files and did not get them back: the journal must not go on saying that they
 * are whole.  When the medium does not answer, nothing was seen that is worth recording. */
static int record_lost(struct refilling *run, size_t first, struct err *err)
{
	struct err why = ERR_INIT;

	if (run->res->broken && !readback_answers(run->r->readback))
		return 0;
	err_set(&why, "E-VERIFY-01", "%s", text("files of it are missing and could not be brought again"));
	for (size_t i = first; i < run->n; i++) {
		const struct item *it = &run->items[i];

		if (!it->held || readback_done(run->r->readback, it->dataset, it->number))
			continue;
		run->res->damaged++;
		if (readback_record_damage(run->r->readback, it->dataset, it->number, &why, err))
			return -1;
	}
	return 0;
}

int refill_run(const struct refill *r, struct refill_result *ret, struct err *err)
{
	struct refilling run = {.r = r, .res = ret, .before = vault_w_written(r->vault)};
	int bad;

	memset(ret, 0, sizeof(*ret));
	bad = collect_missing(&run, err);
	if (!bad && run.n && r->progress)
		run.total = estimate(&run, 0, run.n);
	run.parity = r->policy->parity; /* takes room, and is not copied */
	if (!bad && r->begin)
		r->begin(r->arg, run.n, run.total);
	for (; !bad && run.at < run.n && !run.stop; run.at++)
		bad = bring_generation(&run, err);
	if (!bad && run.stop) {
		ret->missing += run.n - run.at;
		if (!ret->broken)
			measure_room(&run);
		bad = record_lost(&run, run.at - 1, err);
	}
	/* also after a failure: what came is there */
	if (readback_record(r->readback, bad ? NULL : err))
		bad = -1;
	ret->bytes = written(&run);
	free(run.items);
	return bad ? -1 : 0;
}
