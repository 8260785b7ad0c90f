/* journal: see journal.h. */
#include "restore/choose/journal.h"

#include "base/err.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"

/* Keeps the longer one. */
static void take_journal(struct app *app, struct store_file *file, const char *name, struct ledger **best)
{
	size_t n;
	const struct minisig_public *root = repository_keys(vault_r_facts(app->vault), &n);
	struct ledger *l = NULL, *less;
	struct err err = ERR_INIT;

	if (ledger_load_file(file, name, root, NULL, NULL, &l, &err)) {
		app_error(&err, APP_ATTENTION);
		app->incomplete = true;
		return;
	}
	less = *best && ledger_seq(*best) >= ledger_seq(l) ? l : *best;
	*best = less == l ? *best : l;
	ledger_free(less);
}

int journal_find(struct app *app, struct ledger **ret)
{
	struct err err = ERR_INIT;

	*ret = NULL;
	for (size_t i = 0; i < app->n_media + app->n_journals; i++) {
		const char *name = i < app->n_media ? app->media[i] : app->journals[i - app->n_media];
		STORE_FILE_AUTO file = {0};

		if (i < app->n_media && !app->vaults[i])
			continue;
		if (i < app->n_media ? segments_open(vault_r_store(app->vaults[i]), &file, &err)
				     : segments_open_path(name, &file, &err)) {
			app_error(&err, APP_ATTENTION);
			app->incomplete = true;
		} else {
			take_journal(app, &file, name, ret);
		}
	}
	return *ret ? 0 : APP_UNKNOWN;
}
