/* bkp-restore key drill [--since RUN] [--envelope NUMBER]: does the key that is in the safe still open what is captured?
 *
 * A host that encrypts to a key of its own cannot be prevented, for an age header names no recipient; it is found here.  Of each data set on
 * the medium the newest generation is opened (root.age, and its recipient is the one that the root key signed), and then every archive
 * that it refers to and that no drill before has opened: header and first segment.  What was opened before says the medium's copy of the
 * journal, unless --since does; a host could lie there, --since 0 believes nobody.
 *
 * Which data sets, generations and archives: into the slip (restore/app/slip.h), which 'bkp key use --import' takes over. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/journal/use_slip.h"
#include "format/medium/arcfile.h"
#include "read/file/digestset.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/vault/agefile.h"
#include "read/vault/keyring.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/outcome.h"
#include "restore/app/selection.h"
#include "restore/app/slip.h"

#define KNOWN_MAX ((size_t)1 << 24) /* archives of a generation */

struct drill {
	struct app *app;
	struct ledger *ledger; /* of the medium's journal; NULL: there is none that is sound */
	uint64_t since;	       /* with app->since */
	char (*sets)[GENERATION_NAME];
	size_t n_sets;
	uint64_t archives; /* that were opened */
	struct outcome outcome;
	json_t *opened, *failed;
};

static bool parse_since(const char *s, uint64_t *ret)
{
	char *end;

	*ret = s && *s >= '0' && *s <= '9' ? strtoull(s, &end, 10) : 0;
	return !s || (*s >= '0' && *s <= '9' && !*end);
}

static int take_set(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct drill *d = arg;
	char(*more)[GENERATION_NAME];

	(void)number;
	if (d->n_sets && !strcmp(d->sets[d->n_sets - 1], dataset))
		return 0;
	more = reallocarray(d->sets, d->n_sets + 1, sizeof(*more));
	if (!more)
		return err_nomem(err);
	d->sets = more;
	snprintf(d->sets[d->n_sets++], sizeof(*more), "%s", dataset);
	return 0;
}

/* One that is none, or not sound, says nothing: then everything is opened. */
static void read_journal(struct drill *d)
{
	STORE_FILE_AUTO file = {0};
	size_t n;

	if (!segments_open(vault_r_store(d->app->vault), &file, NULL))
		(void)!ledger_load_file(&file, JOURNAL_DIR, repository_keys(vault_r_facts(d->app->vault), &n),
		    NULL, NULL, &d->ledger, NULL);
}

struct newest {
	uint64_t upto, found;
};

static int take_newest(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct newest *n = arg;

	(void)dataset, (void)err;
	if (number <= n->upto)
		n->found = number;
	return 0;
}

/* The run up to which a drill has opened the data set; 0: none. */
static uint64_t opened_upto(const struct drill *d, const char *dataset)
{
	const struct ledger_opened *o = d->ledger ? ledger_opened(d->ledger, dataset) : NULL;
	struct newest n = {.upto = d->since};

	if (!d->app->since)
		return o ? o->generation : 0;
	(void)!vault_r_numbers(d->app->vault, dataset, take_newest, &n, NULL);
	return n.found;
}

/* The archives of that generation, or NULL: it is not there any more, all are opened. */
static struct digestset *known_of(const struct drill *d, const char *dataset, uint64_t number)
{
	struct digestset *known = number ? digestset_new(KNOWN_MAX) : NULL;
	struct vault_r_generation *g = NULL;
	uint8_t sha256[DIGEST_LEN];
	char path[GENERATION_SUMS_PATH];
	size_t pos = 0;
	const struct buf *sums;

	if (!known || vault_r_generation_open(d->app->vault, dataset, number, &g, NULL)) {
		digestset_free(known);
		return NULL;
	}
	sums = vault_r_sums(g);
	while (!generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL))
		if (!strncmp(path, "archives/", 9) && digestset_put(known, sha256, 1, NULL) < 0)
			break; /* those that are not in it are opened once more */
	vault_r_generation_close(g);
	return known;
}

static int open_archive(const struct app_generation *g, const char *path, struct err *err)
{
	STORE_FILE_AUTO file = {0};
	struct agefile *f = NULL;
	char first;
	size_t n;
	const struct age_identity *ids = keyring_identities(g->app->keyring, &n);
	int r;

	if (store_open(vault_r_generation_store(g->g), path, &file, err))
		return -1;
	r = agefile_open(&file, ids, n, &f, err) || (agefile_size(f) && agefile_read(f, 0, &first, 1, err))
		? -1
		: 0;
	agefile_close(f);
	if (r && err->kind == ERR_WRONG_KEY) {
		*err = (struct err)ERR_INIT;
		err_set_kind(err, ERR_WRONG_KEY, "E-USE-05", "%s",
		    text("it is not encrypted to the repository's key: whoever captured it may open it, and "
			 "you cannot"));
		err_hint(err, "%s",
		    text("keep the medium as it is, look at the computer that captures, and capture anew "
			 "with another one"));
	}
	return r;
}

static void note_failed(struct drill *d, const char *what, const struct err *why)
{
	outcome_say(&d->outcome, OUTCOME_FAILED, what, why);
	if (json_array_size(d->failed) < USE_SLIP_NAMED)
		json_array_append_new(d->failed, json_string(what));
}

static void open_archives(struct drill *d, const struct app_generation *g)
{
	const uint64_t upto = opened_upto(d, g->dataset), failed = d->outcome.count[OUTCOME_FAILED];
	struct digestset *known = known_of(d, g->dataset, upto);
	uint64_t opened = 0, before = 0;
	char path[ARCFILE_PATH], what[ARCFILE_PATH + GENERATION_NAME + 2];

	for (size_t i = 0; i < g->root->n_archives; i++) {
		const struct generation_archive *a = &g->root->archives[i];
		struct err err = ERR_INIT;

		if (known && digestset_get(known, a->sha256)) {
			before++;
			continue;
		}
		snprintf(what, sizeof(what), "%s/%s", g->dataset, arcfile_path(a->sha256, path));
		if (open_archive(g, path, &err))
			note_failed(d, what, &err);
		else
			opened++;
	}
	digestset_free(known);
	d->archives += opened;
	if (d->app->json || d->app->quiet)
		return;
	printf(text("%s: opened, and %ju archives of it; %ju do not open"), g->label, (uintmax_t)opened,
	    (uintmax_t)(d->outcome.count[OUTCOME_FAILED] - failed));
	if (before)
		printf(
		    text("; %ju were opened in a drill up to run %ju"), (uintmax_t)before, (uintmax_t)upto);
	putchar('\n');
}

static int drill_set(struct drill *d, const char *dataset)
{
	struct app_generation g;
	char selector[GENERATION_LABEL], hex[DIGEST_HEX];
	int r;

	snprintf(selector, sizeof(selector), "%s@latest", dataset);
	r = selection_one(d->app, selector, &g);
	if (r) {
		outcome_count(&d->outcome, OUTCOME_FAILED);
		if (json_array_size(d->failed) < USE_SLIP_NAMED)
			json_array_append_new(d->failed, json_string(dataset));
		return r;
	}
	open_archives(d, &g);
	digest_hex(vault_r_manifest_sha256(g.g), DIGEST_LEN, hex);
	json_array_append_new(d->opened, json_pack("{s:s, s:I, s:s}", "dataset", dataset, "generation",
					     (json_int_t)g.number, "manifest_sha256", hex));
	app_generation_close(&g);
	return 0;
}

static int drill_all(struct drill *d)
{
	json_t *found;
	int code = APP_OK;

	for (size_t i = 0; i < d->n_sets; i++)
		code = app_worse(code, drill_set(d, d->sets[i]));
	found = json_pack("{s:O, s:I, s:O, s:I}", "opened", d->opened, "archives", (json_int_t)d->archives,
	    "failed", d->failed, "failed_total", (json_int_t)d->outcome.count[OUTCOME_FAILED]);
	if (!found)
		app_no_memory();
	if (d->app->json) {
		json_dumpf(found, stdout, JSON_COMPACT);
		putchar('\n');
	}
	slip_drill(d->app, found);
	return app_worse(code, outcome_exit(&d->outcome));
}

int cmd_key_drill(struct app *app, int argc, char **argv)
{
	struct drill d = {.app = app, .opened = json_array(), .failed = json_array()};
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	size_t n;
	int r;

	(void)argv;
	if (argc != 1 || app->to || !parse_since(app->since, &d.since))
		r = app_usage(app, "%s", text("key drill takes --since RUN and --envelope NUMBER only"));
	else if (app->envelope && !use_slip_is_envelope(app->envelope))
		r = app_usage(
		    app, text("'%s' is no number of an envelope: letters, digits and '-'"), app->envelope);
	else
		r = app_unlock(app, &ids, &n);
	if (!r && vault_r_numbers(app->vault, NULL, take_set, &d, &err))
		r = app_error(&err, APP_UNKNOWN);
	if (!r && !d.n_sets) {
		err_set(&err, "E-RESTORE-01", "%s", text("no generation is on this medium"));
		r = app_error(&err, APP_FAILED);
	}
	if (!r) {
		read_journal(&d);
		r = app_flush(drill_all(&d));
	}
	ledger_free(d.ledger);
	free(d.sets);
	json_decref(d.opened);
	json_decref(d.failed);
	return r;
}
