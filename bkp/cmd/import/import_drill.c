/* import_drill: the record of a drill (復旧訓練) or of a recovery. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/import/import.h"
#include "format/journal/drill_slip.h"
#include "format/journal/journal.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger.h"
#include "write/state/state.h"

#define SHOW 256

static const json_t *there(const struct ledger *l, const json_t *o)
{
	const struct ledger_drill *d = ledger_drill_same(l, o);

	return d ? d->record : NULL;
}

static void tell(const struct import *m, const json_t *o, const char *signer)
{
	char show[SHOW], title[SHOW];

	printf(!strcmp(journal_text(o, "kind"), "drill") ? text("%s: drill of '%s' by %s: %s, %s\n")
							 : text("%s: recovery by '%s' by %s: %s, %s\n"),
	    path_show(m->file, show, sizeof(show)),
	    path_show(journal_text(json_object_get(o, "procedure"), "title"), title, sizeof(title)),
	    journal_text(o, "operator"), drill_slip_verdict_text(journal_text(o, "verdict")),
	    signer ? text("signed") : text("declared only"));
}

/* Why it does not count although it passed, if it is so. */
static void warn(struct import *m, const json_t *o)
{
	const json_t *list = json_object_get(o, "datasets");
	const struct ledger *l = state_ledger(m->s);
	struct err err = ERR_INIT;
	char label[GENERATION_LABEL];

	const char *verdict = journal_text(o, "verdict");

	/* a sample counts for no full drill, and nothing is wrong with it */
	if (!drill_slip_proves(o) &&
	    (strcmp(verdict, "partial") != 0 || !json_is_true(json_object_get(o, "erased")))) {
		err_set(&err, "W-IMPORT-01", "%s",
		    !strcmp(verdict, "failed")
			? text("a step failed or was not done: it counts for nothing but the list of drills")
			: text("what it restored was not erased: it counts for nothing but the list of "
			       "drills"));
		err_hint(&err, "%s", text("mend what its record says, and rehearse again"));
	}
	for (size_t i = 0; i < json_array_size(list) && !err.code[0]; i++) {
		const json_t *r = json_array_get(list, i);
		const char *set = journal_text(r, "dataset");
		uint64_t number = (uint64_t)json_integer_value(json_object_get(r, "generation"));
		const struct ledger_generation *g = ledger_generation_of(l, set, number);

		if (g && !strcmp(g->uuid, journal_text(r, "uuid")))
			continue;
		err_set(&err, "W-IMPORT-01",
		    text("%s, which was brought back, is not the one that was captured here"),
		    generation_label(set, number, label));
		err_hint(&err, "%s", text("look at that medium with 'bkp-restore verify'"));
	}
	if (!err.code[0])
		return;
	m->look = true;
	app_error(&err, APP_ATTENTION);
}

const struct import_kind import_drill = {drill_slip_parse, there, "drill", "file_sha256", tell, warn};
