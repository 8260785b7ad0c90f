/* night_commit: steps 3 to 7 of the night: from captured archives to a reported, read-back generation; see night.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/arcfile.h"
#include "format/journal.h"
#include "read/ledger.h"
#include "read/medium.h"
#include "read/verify.h"
#include "write/dedup.h"
#include "write/night_private.h"
#include "write/pack.h"
#include "write/state.h"
#include "write/vault_w.h"

/* Copies one archive to medium `to` from whichever other medium has it whole. 0, -1 the target failed or nobody has it. */
static int supply_archive(struct night *n, size_t to, const struct dedup_archive *a, struct err *err)
{
	char path[ARCFILE_PATH];
	size_t from;
	int r = MIRROR_SOURCE;

	err_set(err, "E-MIRROR-01", text("no medium has '%s'"), arcfile_path(a->sha256, path));
	for (from = 0; from < n->n_online && r == MIRROR_SOURCE; from++)
		if (from != to)
			r = mirror_archive(medium_repo_dirfd(n->online[from].medium), n->online[to].vault, a->sha256, err);
	if (r)
		return -1;
	return mirror_fresh_add(&n->online[to].fresh, path, a->sha256, err);
}

static int supply_medium(struct night *n, size_t to, struct err *err)
{
	size_t i;

	for (i = 0; i < n->n_needed; i++) {
		int r = vault_w_has_archive(n->online[to].vault, n->needed[i].sha256, n->needed[i].size, err);

		if (r < 0 || (r == 0 && supply_archive(n, to, &n->needed[i], err)))
			return -1;
	}
	return 0;
}

/* What the pack has just published counts as fresh on every medium that took all of it. */
static int fresh_from_pack(struct night *n, size_t to, struct err *err)
{
	char path[ARCFILE_PATH];
	size_t i, count;
	const struct dedup_archive *a = pack_published(n->pack, &count);

	n->ret->new_archives = count;
	for (i = 0; i < count; i++)
		if (mirror_fresh_add(&n->online[to].fresh, arcfile_path(a[i].sha256, path), a[i].sha256, err))
			return -1;
	return 0;
}

int night_supply(struct night *n, struct err *err)
{
	struct err why = ERR_INIT;
	size_t i;

	for (i = 0; i < n->n_online; i++) {
		if (n->sinks[i].failed)
			continue;
		if (fresh_from_pack(n, i, err))
			return -1;
		if (supply_medium(n, i, &why))
			night_drop(n, i, &why);
	}
	if (!night_any_left(n)) {
		*err = why;
		return err_wrap(err, "%s", text("no medium is left to write to"));
	}
	return 0;
}

static int fresh_doc(struct night *n, size_t i, const char *name, const struct buf *doc, struct err *err)
{
	char dir[GENERATION_DIR], path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];

	snprintf(path, sizeof(path), "%s/%s", generation_dir(n->ret->generation, dir), name);
	digest_sha256(doc->p, doc->n, sha256);
	return mirror_fresh_add(&n->online[i].fresh, path, sha256, err);
}

int night_publish(struct night *n, struct err *err)
{
	const struct vault_doc docs[] = {
	    {"manifest.json", n->manifest.p, n->manifest.n},
	    {"root.age", n->root.p, n->root.n},
	    {"SHA256SUMS", n->sums.p, n->sums.n},
	    {"SHA256SUMS.minisig", n->sig.p, n->sig.n},
	};
	struct err why = ERR_INIT;
	size_t i;

	for (i = 0; i < n->n_online; i++) {
		if (n->sinks[i].failed)
			continue;
		if (vault_w_publish_generation(n->online[i].vault, n->ret->generation, docs, 4, &why)) {
			night_drop(n, i, &why);
			continue;
		}
		n->online[i].report->ok = true;
		if (fresh_doc(n, i, "manifest.json", &n->manifest, err) || fresh_doc(n, i, "root.age", &n->root, err) ||
		    fresh_doc(n, i, "SHA256SUMS", &n->sums, err) || fresh_doc(n, i, "SHA256SUMS.minisig", &n->sig, err))
			return -1;
	}
	if (!night_any_left(n)) {
		*err = why;
		return err_wrap(err, "%s", text("no medium is left to write to"));
	}
	return 0;
}

static json_t *media_json(struct night *n)
{
	json_t *media = json_array();
	size_t i, k;

	for (i = 0; i < n->ret->n_media; i++) {
		struct night_medium *m = &n->ret->media[i];
		bool frozen = m->ok;
		int why;

		for (k = 0; k < n->n_online; k++)
			if (n->online[k].report == m) {
				if (n->sinks[k].failed)
					m->why = n->sinks[k].why;
				frozen = m->ok && vault_w_unfrozen(n->online[k].vault, &why) == 0;
			}
		json_array_append_new(media, json_pack("{s:s, s:s, s:b, s:b, s:s*}", "medium", m->uuid, "label", m->label, "ok",
						 m->ok, "frozen", frozen, "reason", m->ok ? NULL : m->why.msg));
	}
	return media;
}

static json_t *datasets_json(const struct night *n)
{
	json_t *sets = json_array();
	size_t i;

	for (i = 0; i < n->ret->n_datasets; i++) {
		const struct generation_dataset *d = &n->ret->datasets[i];

		json_array_append_new(sets, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s*}", "name", d->name, "verdict",
						generation_verdict_word(d->verdict), "entries", (json_int_t)d->entries,
						"files", (json_int_t)d->files, "bytes", (json_int_t)d->bytes, "unreadable",
						(json_int_t)d->unreadable, "changed", (json_int_t)d->changed, "skipped",
						(json_int_t)d->skipped, "reason", d->reason));
	}
	return sets;
}

int night_committed(struct night *n, struct err *err)
{
	char hex[DIGEST_HEX];

	return state_append(n->cfg->state, "committed",
	    json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "generation", (json_int_t)n->ret->generation, "uuid",
		n->uuid, "manifest_sha256", digest_hex(n->manifest_sha256, DIGEST_LEN, hex), "archives",
		(json_int_t)n->ret->archives, "archive_bytes", (json_int_t)n->ret->archive_bytes, "new_bytes",
		(json_int_t)n->ret->new_bytes, "next_archive", (json_int_t)pack_next_archive(n->pack), "datasets",
		datasets_json(n), "media", media_json(n)),
	    err);
}

/* Reads `fresh` from the device. 0 and a "verified" record, or 1 and a "verify-failed" record with *why; -1. */
static int read_back_one(struct night *n, size_t i, uint64_t generation, struct err *why, struct err *err)
{
	struct night_online *o = &n->online[i];
	uint64_t bytes = 0;
	size_t k;
	int bad = 0;

	for (k = 0; k < o->fresh.n && !bad; k++) {
		uint64_t got = 0;

		bad = verify_file(medium_repo_dirfd(o->medium), o->fresh.files[k].path, o->fresh.files[k].sha256, true, &got, why);
		bytes += got;
	}
	if (bad) {
		if (state_append(n->cfg->state, "verify-failed",
			json_pack("{s:I, s:s, s:s}", "generation", (json_int_t)generation, "medium", o->report->uuid, "reason",
			    why->msg),
			err))
			return -1;
		return 1;
	}
	if (state_append(n->cfg->state, "verified",
		json_pack("{s:I, s:s, s:I, s:I}", "generation", (json_int_t)generation, "medium", o->report->uuid, "files",
		    (json_int_t)o->fresh.n, "bytes", (json_int_t)bytes),
		err))
		return -1;
	return 0;
}

int night_read_back(struct night *n, struct err *err)
{
	size_t i;

	for (i = 0; i < n->n_online; i++) {
		struct night_medium *m = n->online[i].report;
		int r;

		if (!m->ok)
			continue;
		r = read_back_one(n, i, n->ret->generation, &m->why, err);
		if (r < 0)
			return -1;
		m->verified = r == 0;
	}
	return 0;
}

/* ---- bringing media up to date ---- */

static bool has_copy(const struct ledger_generation *g, const char *uuid)
{
	size_t i;

	for (i = 0; i < g->n_copies; i++)
		if (!strcmp(g->copies[i].medium, uuid))
			return g->copies[i].ok;
	return false;
}

/* Copies one reported generation to medium `to`. 1 copied, 0 not possible (why), -1. */
static int catch_up_one(struct night *n, size_t to, const struct mirror_generation *g, struct err *why, struct err *err)
{
	struct night_online *o = &n->online[to];
	size_t from;
	int r = MIRROR_SOURCE;

	for (from = 0; from < n->n_online && r == MIRROR_SOURCE; from++) {
		if (from == to || n->sinks[from].failed)
			continue;
		o->fresh.n = 0;
		r = mirror_generation(medium_repo_dirfd(n->online[from].medium), o->vault, g, &o->fresh, why);
	}
	if (r)
		return 0;
	if (state_append(n->cfg->state, "copied",
		json_pack("{s:I, s:s, s:I, s:I}", "generation", (json_int_t)g->number, "medium", o->report->uuid, "files",
		    (json_int_t)o->fresh.n, "bytes", (json_int_t)vault_w_written(o->vault)),
		err))
		return -1;
	o->report->caught_up++;
	r = read_back_one(n, to, g->number, why, err);
	return r < 0 ? -1 : 1;
}

static int catch_up_medium(struct night *n, size_t to, struct err *err)
{
	struct mirror_generation g = {.repository = state_repository(n->cfg->state)};
	char uuid[GENERATION_UUID];
	struct err why = ERR_INIT;
	size_t i;

	g.keys = state_keys(n->cfg->state, &g.n_keys);
	for (i = 0; i < ledger_generations(state_ledger(n->cfg->state)); i++) {
		const struct ledger_generation *lg = ledger_generation(state_ledger(n->cfg->state), i);
		int r;

		if (lg->state != LEDGER_COMMITTED || has_copy(lg, n->online[to].report->uuid))
			continue;
		g.number = lg->number;
		memcpy(uuid, lg->uuid, sizeof(uuid));
		g.uuid = uuid;
		r = catch_up_one(n, to, &g, &why, err);
		if (r < 0)
			return -1;
		if (r == 0) {
			n->online[to].report->why = why;
			err_wrap(&n->online[to].report->why, text("generation %llu could not be copied"),
			    (unsigned long long)g.number);
			n->online[to].report->verified = false;
			return 0;
		}
	}
	return 0;
}

int night_catch_up(struct night *n, struct err *err)
{
	size_t i;

	for (i = 0; i < n->n_online; i++)
		if (!n->sinks[i].failed && catch_up_medium(n, i, err))
			return -1;
	return 0;
}

void night_copy_journal(struct night *n)
{
	IO_FD_AUTO fd = io_open_file(state_dirfd(n->cfg->state), JOURNAL_FILE, NULL);
	struct err why = ERR_INIT;
	size_t i;

	for (i = 0; fd >= 0 && i < n->n_online; i++)
		if (!n->sinks[i].failed &&
		    vault_w_put_journal(n->online[i].vault, fd, ledger_size(state_ledger(n->cfg->state)), &why)) {
			/* the generation is there; that the copy of the journal is not is for a person to see */
			n->online[i].report->why = why;
			n->online[i].report->verified = false;
		}
}

void night_medium_docs(struct night *n)
{
	struct medium_docs_result brought;
	struct err missing = ERR_INIT, why = ERR_INIT;
	size_t i;

	for (i = 0; i < n->n_online; i++)
		if (!n->sinks[i].failed && medium_docs_put(n->cfg->state, n->cfg->policy, n->online[i].medium, &n->cfg->docs,
					       &brought, &missing, &why)) {
			n->online[i].report->why = why;
			n->online[i].report->verified = false;
		}
	n->ret->missing = missing;
}
