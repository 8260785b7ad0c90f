/* reread: see reread.h.
 *
 * reread_run(): part by part, data set by data set (read_set()): first what the newest generation there lists, which is also
 * missed where it is not there, then what else stands in the part's folder, then documents. */
#include "write/copies/reread.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "format/crypto/digest.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/file/digestset.h"
#include "read/ledger/ledger.h"
#include "read/rules/rereading.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/copies/readback.h"
#include "write/state/state.h"

#define FILES_MAX ((size_t)8 << 20) /* of a part of a data set */

struct rereader {
	const struct reread *r;
	struct reread_result *ret;
	unsigned part;
	char dataset[GENERATION_NAME];
	struct digestset *read; /* archives of the current data set */
	bool stopped;
};

static bool must_stop(struct rereader *w)
{
	w->stopped = w->stopped || w->ret->gone || (w->r->stop && w->r->stop(w->r->arg));
	return w->stopped;
}

/* r: of readback_*(). */
static int take_outcome(struct rereader *w, int r, const struct err *why)
{
	w->ret->files++;
	if (r <= 0)
		return r;
	w->ret->bad++;
	w->ret->gone = r == READBACK_GONE && !readback_answers(w->r->readback);
	if (!w->ret->why.code[0])
		w->ret->why = *why;
	return 0;
}

static int read_archive(struct rereader *w, const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	char path[ARCFILE_PATH];
	struct err why = ERR_INIT;
	int r = digestset_put(w->read, sha256, 1, err);

	if (r < 0)
		return -1;
	r = readback_archive(
	    w->r->readback, w->dataset, arcfile_path(sha256, path), sha256, &w->ret->bytes, &why, err);
	return take_outcome(w, r, &why);
}

/* What the newest generation that stands there lists. */
static int read_listed(struct rereader *w, struct err *err)
{
	const struct ledger *l = state_ledger(w->r->state);
	struct vault_r_generation *g = NULL;
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	const struct buf *sums;
	uint64_t number = 0;
	size_t pos = 0;
	int r = 0;

	for (size_t i = ledger_generations(l); i-- > 0 && !number;)
		if (!strcmp(ledger_generation(l, i)->dataset, w->dataset) &&
		    ledger_copy_there(ledger_generation(l, i), medium_uuid(w->r->medium)))
			number = ledger_generation(l, i)->number;
	if (!number || vault_r_generation_open(readback_vault(w->r->readback), w->dataset, number, &g, NULL))
		return 0; /* of a list that is bad its documents tell */
	sums = vault_r_sums(g);
	while (!r && !must_stop(w) &&
	       !generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL))
		if (!strncmp(path, "archives/", 9) && sha256[0] == w->part)
			r = read_archive(w, sha256, err);
	vault_r_generation_close(g);
	return r;
}

static int each_archive(void *arg, const char *name, struct err *err)
{
	struct rereader *w = arg;
	uint8_t sha256[DIGEST_LEN];

	if (must_stop(w) || strlen(name) != (size_t)2 * DIGEST_LEN + 4 ||
	    strcmp(name + 2 * DIGEST_LEN, ".age") != 0 || !digest_unhex(name, DIGEST_LEN, sha256) ||
	    digestset_get(w->read, sha256))
		return 0;
	return read_archive(w, sha256, err);
}

static int read_documents(struct rereader *w, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < ledger_generations(state_ledger(w->r->state)) && !r; i++) {
		/* asked again each time: a record makes what the ledger gave before stale */
		const struct ledger_generation *g = ledger_generation(state_ledger(w->r->state), i);
		struct err why = ERR_INIT;

		if (g->number % LEDGER_PARTS != w->part || strcmp(g->dataset, w->dataset) != 0 ||
		    !ledger_copy_there(g, medium_uuid(w->r->medium)) || must_stop(w))
			continue;
		r = readback_documents(w->r->readback, w->dataset, g->number, &why, err);
		r = take_outcome(w, r, &why);
	}
	return r;
}

static int read_set(void *arg, const char *name, struct err *err)
{
	struct rereader *w = arg;
	char set[GENERATION_SET_DIR], dir[GENERATION_SET_DIR + 16];
	struct err why = ERR_INIT;
	int r;

	if (!generation_name_ok(name) || must_stop(w))
		return 0;
	snprintf(w->dataset, sizeof(w->dataset), "%s", name);
	snprintf(dir, sizeof(dir), "%s/archives/%02x", generation_set_dir(name, set), w->part);
	w->read = digestset_new(FILES_MAX);
	if (!w->read)
		return err_nomem(err);
	r = read_listed(w, err);
	/* a folder that cannot be listed: what it should hold was asked for by name */
	if (!r && store_list(medium_repo(w->r->medium), dir, each_archive, w, &why) < 0 &&
	    why.kind == ERR_MEMORY)
		r = err_nomem(err);
	digestset_free(w->read);
	return r ? r : read_documents(w, err);
}

int reread_run(
    const struct reread *r, const struct rereading *due, struct reread_result *ret, struct err *err)
{
	struct rereader w = {.r = r, .ret = ret};
	int bad = 0;

	memset(ret, 0, sizeof(*ret));
	while (ret->parts < due->parts && !bad && !must_stop(&w)) {
		w.part = (unsigned)((due->first + ret->parts) % LEDGER_PARTS);
		bad = store_list(medium_repo(r->medium), "datasets", read_set, &w, err) ? -1 : 0;
		ret->parts += !bad && !w.stopped;
	}
	if (bad || !ret->parts)
		return bad;
	return state_append(r->state, "reread",
	    json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "medium", medium_uuid(r->medium), "first",
		(json_int_t)due->first, "parts", (json_int_t)ret->parts, "files", (json_int_t)ret->files,
		"bytes", (json_int_t)ret->bytes, "bad", (json_int_t)ret->bad),
	    err);
}
