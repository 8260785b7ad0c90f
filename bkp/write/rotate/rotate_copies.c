/* rotate_copies: steps 2 to 4 of the rotation: bringing, reading back, sealing; see rotate.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/file/digestset.h"
#include "read/ledger/ledger.h"
#include "read/rules/holds.h"
#include "read/rules/rereading.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/copies/readback.h"
#include "write/media/strangers.h"
#include "write/parity/parity_watch.h"
#include "write/rotate/rotate_private.h"
#include "write/state/state.h"
#include "write/pack/vault_w.h"

#define FILES_MAX     ((size_t)8 << 20)
#define GUESS_BYTES_S ((uint64_t)60000000) /* a disk that nothing was measured on */
#define RESERVE_BYTES ((uint64_t)16 << 20) /* README.txt, tools/, procedures/ */

static void tell_progress(const struct rotate *ro, const char *what, uint64_t done, uint64_t total)
{
	if (ro->cfg->progress)
		ro->cfg->progress(ro->cfg->arg, what, done, total);
}

static void on_copied(void *arg, const char *generation, uint64_t left, uint64_t bytes, uint64_t total)
{
	(void)generation, (void)left;
	tell_progress(arg, text("copying"), bytes, total);
}

static void on_read_back(void *arg, uint64_t bytes, uint64_t total)
{
	tell_progress(arg, text("reading back"), bytes, total);
}

static bool is_stale(const struct rotate *ro, const struct ledger_copy *c, int64_t now_ns)
{
	/* a clock that was set back makes no copy fresh */
	return ro->cfg->recheck_s != ROTATE_RECHECK_NONE &&
	       (!c->verified_ns || c->verified_ns > now_ns ||
		   (ro->cfg->recheck_s != ROTATE_RECHECK_PERIOD &&
		       (now_ns - c->verified_ns) / SECOND_NS >= ro->cfg->recheck_s));
}

/* About what the copies on it hold, or those of them that rotate_recheck() reads: all of the oldest one of each data set, of the later
 * ones what was new in them. */
static uint64_t bytes_there(const struct rotate *ro, bool stale)
{
	const struct ledger *l = state_ledger(ro->cfg->state);
	const struct policy *p = ro->cfg->policy;
	struct clock_stamp now;
	uint64_t bytes = 0;

	clock_now(&now);
	for (size_t d = 0; d < p->n_datasets; d++) {
		bool first = true;

		for (size_t i = 0; i < ledger_generations(l); i++) {
			const struct ledger_generation *g = ledger_generation(l, i);
			const struct ledger_copy *c = ledger_copy_there(g, ro->uuid);

			if (!c || strcmp(g->dataset, p->datasets[d].name) != 0 ||
			    (stale && !is_stale(ro, c, now.wall_ns)))
				continue;
			bytes += first ? g->archive_bytes : g->new_bytes;
			first = false;
		}
	}
	return bytes;
}

/* What verify_every makes due. */
static struct rereading parts_due(const struct rotate *ro, int64_t now_ns)
{
	if (ro->cfg->recheck_s != ROTATE_RECHECK_PERIOD)
		return (struct rereading){0};
	return rereading_due(ledger_medium_by_uuid(state_ledger(ro->cfg->state), ro->uuid),
	    ro->cfg->policy->verify_every_s, now_ns, false);
}

/* fresh: bytes that are to come first. */
static uint64_t bytes_to_reread(const struct rotate *ro, uint64_t fresh)
{
	struct clock_stamp now;

	clock_now(&now);
	return bytes_there(ro, true) +
	       (bytes_there(ro, false) + fresh) / LEDGER_PARTS * parts_due(ro, now.wall_ns).parts;
}

/* Seconds for so many bytes: as it was measured on this medium, else on another one of its type, else a guess. */
static uint64_t seconds_for(const struct rotate *ro, uint64_t bytes, bool reading, enum rotate_pace *worst)
{
	const struct ledger *l = state_ledger(ro->cfg->state);
	const struct ledger_medium *own = ledger_medium_by_uuid(l, ro->uuid);
	struct ledger_pace p = reading ? own->read : own->wrote;
	enum rotate_pace pace = ROTATE_MEASURED;

	for (size_t i = 0; !p.ms && i < ledger_media(l); i++) {
		const struct ledger_medium *m = ledger_medium(l, i);

		if (!strcmp(m->type, own->type))
			p = reading ? m->read : m->wrote;
		pace = ROTATE_MEASURED_OTHER;
	}
	if (!p.ms) {
		p = (struct ledger_pace){GUESS_BYTES_S, 1000};
		pace = ROTATE_GUESSED;
	}
	if (bytes && pace < *worst)
		*worst = pace;
	return (uint64_t)((double)bytes * (double)p.ms / (double)p.bytes / 1000);
}

static void on_begin(void *arg, uint64_t generations, uint64_t bytes)
{
	struct rotate *ro = arg;
	struct rotate_expected e = {.medium = ro->ret->medium->name,
	    .generations = generations,
	    .bytes = bytes,
	    .reread = bytes_to_reread(ro, bytes),
	    .pace = ROTATE_MEASURED};

	e.seconds = seconds_for(ro, bytes, false, &e.pace) + seconds_for(ro, bytes + e.reread, true, &e.pace);
	ro->ret->expected = e;
	if (ro->cfg->expect && bytes + e.reread)
		ro->cfg->expect(ro->cfg->arg, &e);
}

int rotate_refill(struct rotate *ro, struct err *err)
{
	struct refill refill = {.state = ro->cfg->state,
	    .policy = ro->cfg->policy,
	    .holds = ro->ret->medium,
	    .to = ro->medium,
	    .vault = ro->vault,
	    .readback = ro->readback,
	    .sources = ro->sources,
	    .n_sources = ro->n_sources,
	    .newest_first = true,
	    .look = true,
	    .begin = on_begin,
	    .progress = on_copied,
	    .arg = ro};
	struct err why = ERR_INIT;
	int r, kept;

	readback_on_progress(ro->readback, on_read_back, ro);
	vault_w_reserve(ro->vault, RESERVE_BYTES + 2 * ledger_size(state_ledger(ro->cfg->state)));
	r = refill_run(&refill, &ro->ret->refill, err);
	kept = vault_w_release(ro->vault, &why);
	if (!r && ro->ret->refill.broken)
		return rotate_failed(ro, &ro->ret->refill.why, err);
	if (!r && kept)
		return rotate_failed(ro, &why, err);
	if (!r && ro->ret->refill.damaged)
		ro->ret->damaged_why = ro->ret->refill.why;
	return r;
}

static int reread_parts(struct rotate *ro, int64_t now_ns, struct err *err)
{
	const struct reread reread = {ro->cfg->state, ro->medium, ro->readback, NULL, NULL};
	const struct rereading due = parts_due(ro, now_ns);
	struct reread_result *got = &ro->ret->reread;

	if (!due.parts)
		return 0;
	if (reread_run(&reread, &due, got, err))
		return -1;
	if (got->gone)
		return rotate_failed(ro, &got->why, err);
	if (got->why.code[0] && !ro->ret->damaged_why.code[0])
		ro->ret->damaged_why = got->why;
	return 0;
}

int rotate_recheck(struct rotate *ro, struct err *err)
{
	struct clock_stamp now;
	struct err why = ERR_INIT;

	clock_now(&now);
	for (size_t i = 0; i < ledger_generations(state_ledger(ro->cfg->state)); i++) {
		/* asked again each time: a record makes what the ledger gave before stale */
		const struct ledger_generation *g = ledger_generation(state_ledger(ro->cfg->state), i);
		const struct ledger_copy *c = ledger_copy_there(g, ro->uuid);
		char dataset[GENERATION_NAME];
		int r;

		if (!c || readback_done(ro->readback, g->dataset, g->number) || !is_stale(ro, c, now.wall_ns))
			continue;
		snprintf(dataset, sizeof(dataset), "%s", g->dataset);
		r = readback_generation(ro->readback, dataset, g->number, true, &why, err);
		if (r < 0)
			return -1;
		if (r == READBACK_GONE)
			return rotate_failed(ro, &why, err);
		ro->ret->rechecked++;
		if (r && !ro->ret->damaged_why.code[0])
			ro->ret->damaged_why = why;
		if (readback_is_due(ro->readback) && readback_record(ro->readback, err))
			return -1;
	}
	if (readback_record(ro->readback, err) || reread_parts(ro, now.wall_ns, err))
		return -1;
	if (readback_parity_why(ro->readback)->code[0])
		parity_watch_say(
		    readback_parity_why(ro->readback), ro->ret->medium->name, &ro->ret->parity_why);
	return 0;
}

/* ---- seal ---- */

static void freeze_path(struct rotate *ro, const char *path)
{
	int why = vault_w_freeze(ro->vault, path);

	if (!why || why == ENOENT)
		return; /* what is not there is for others to tell */
	if (!ro->ret->unfrozen++)
		ro->ret->unfrozen_errno = why;
}

static int seal_generation(struct rotate *ro, struct vault_r *v, const struct ledger_generation *lg,
    struct digestset *seen, struct err *err)
{
	char set[GENERATION_SET_DIR], dir[GENERATION_DIR], path[GENERATION_SUMS_PATH],
	    whole[GENERATION_SET_DIR + GENERATION_SUMS_PATH];
	struct vault_r_generation *g = NULL;
	uint8_t sha256[DIGEST_LEN];
	const struct buf *sums;
	size_t pos = 0;
	int r = 0;

	if (vault_r_generation_open(v, lg->dataset, lg->number, &g, NULL))
		return 0; /* damaged, and told as such */
	generation_set_dir(lg->dataset, set);
	sums = vault_r_sums(g);
	while (r >= 0 && !generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL)) {
		if (digestset_get(seen, sha256))
			continue;
		snprintf(whole, sizeof(whole), "%s/%s", set, path);
		freeze_path(ro, whole);
		r = digestset_put(seen, sha256, 1, err);
	}
	generation_dir(lg->number, dir);
	snprintf(whole, sizeof(whole), "%s/%s/SHA256SUMS", set, dir);
	freeze_path(ro, whole);
	snprintf(whole, sizeof(whole), "%s/%s/SHA256SUMS.minisig", set, dir);
	freeze_path(ro, whole);
	vault_r_generation_close(g);
	return r < 0 ? -1 : 0;
}

/* An archive that no list of a generation on it names, and that no other medium has: it is nobody's. */
struct fan {
	const struct rotate *ro;
	const struct digestset *listed;
	const char *set;
};

static int each_archive(void *arg, const char *name, struct err *err)
{
	const struct fan *f = arg;
	char set[GENERATION_SET_DIR], at[ARCFILE_PATH], path[sizeof(set) + sizeof(at)],
	    whole[sizeof(path) + JOURNAL_UUID];
	uint8_t sha256[DIGEST_LEN];

	(void)err;
	/* of another form: named already (inventory.h) */
	if (strlen(name) != (size_t)2 * DIGEST_LEN + 4 || !digest_unhex(name, DIGEST_LEN, sha256) ||
	    digestset_get(f->listed, sha256))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", generation_set_dir(f->set, set), arcfile_path(sha256, at));
	for (size_t i = 0; i < f->ro->n_sources; i++)
		if (store_has(medium_repo(f->ro->sources[i].medium), path))
			return 0; /* a rotation that was interrupted brought it */
	snprintf(whole, sizeof(whole), "%s/%s", medium_repository(f->ro->medium), path);
	strangers_add(f->ro->strangers, whole, false);
	return 0;
}

static int each_fan(void *arg, const char *name, struct err *err)
{
	const struct fan *f = arg;
	char set[GENERATION_SET_DIR], dir[sizeof(set) + 16];

	if (strlen(name) == 2) {
		snprintf(dir, sizeof(dir), "%s/archives/%.2s", generation_set_dir(f->set, set), name);
		(void)!store_list(medium_repo(f->ro->medium), dir, each_archive, arg, err);
	}
	return 0;
}

static int each_set(void *arg, const char *name, struct err *err)
{
	struct fan *f = arg;
	char set[GENERATION_SET_DIR], dir[sizeof(set) + 16];

	if (!generation_name_ok(name))
		return 0;
	f->set = name;
	snprintf(dir, sizeof(dir), "%s/archives", generation_set_dir(name, set));
	(void)!store_list(medium_repo(f->ro->medium), dir, each_fan, f, err);
	return 0;
}

/* A folder that cannot be listed was named already. */
static void look_for_unlisted(const struct rotate *ro, const struct digestset *listed)
{
	struct fan f = {.ro = ro, .listed = listed};

	(void)!store_list(medium_repo(ro->medium), "datasets", each_set, &f, NULL);
}

int rotate_seal(struct rotate *ro, struct err *err)
{
	const struct ledger *l = state_ledger(ro->cfg->state);
	struct digestset *seen = digestset_new(FILES_MAX);
	struct vault_r *v = NULL;
	int r = seen ? 0 : err_nomem(err);

	if (!r)
		r = vault_r_open_medium(ro->medium, ledger_repository(l), NULL, &v, err);
	for (size_t i = 0; !r && i < ledger_generations(l); i++)
		if (ledger_copy_there(ledger_generation(l, i), ro->uuid))
			r = seal_generation(ro, v, ledger_generation(l, i), seen, err);
	if (!r)
		look_for_unlisted(ro, seen);
	vault_r_close(v);
	digestset_free(seen);
	return r;
}

/* Is the newest generation of every data set that it is to hold on it, verified, or what its pool says that it holds?  One that is
 * suspect is not missed. */
static bool is_current(const struct rotate *ro)
{
	const struct ledger *l = state_ledger(ro->cfg->state);
	const struct policy *p = ro->cfg->policy;

	const struct policy_medium *m = ro->ret->medium;

	for (size_t i = 0; i < p->n_datasets; i++) {
		const struct ledger_generation *last = ledger_last_committed(l, p->datasets[i].name);
		const struct ledger_copy *c = ledger_copy_there(last, ro->uuid);

		if (m->pool && m->pool->holds != POLICY_HOLDS_ALL) {
			if (!holds_complete(p, l, m, ro->uuid, p->datasets[i].name))
				return false;
			continue;
		}
		if (last && !last->suspect && policy_medium_holds(ro->ret->medium, last->dataset) &&
		    (!c || !c->verified_ns))
			return false;
	}
	return true;
}

void rotate_tally(struct rotate *ro)
{
	const struct ledger *l = state_ledger(ro->cfg->state);
	struct rotate_result *ret = ro->ret;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		/* also of copies that never came whole */
		for (size_t k = 0; k < g->n_copies; k++)
			ret->damaged += g->copies[k].damaged_ns && !strcmp(g->copies[k].medium, ro->uuid);
		if (!ledger_copy_there(g, ro->uuid) || !ledger_copy_there(g, ro->uuid)->verified_ns)
			continue;
		ret->generations++;
		ret->newest = g->number;
		ret->newest_ns = g->begun_ns;
	}
	ret->current = ret->newest && is_current(ro);
}
