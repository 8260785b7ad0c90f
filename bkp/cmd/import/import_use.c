/* import_use: the slip of who used a recovery key (使用記録). */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/import/import.h"
#include "format/journal/journal.h"
#include "format/journal/use_slip.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger.h"
#include "write/state/state.h"

#define SHOW 256

static const json_t *there(const struct ledger *l, const json_t *o)
{
	for (size_t i = 0; i < ledger_uses(l); i++)
		if (!strcmp(journal_text(ledger_use(l, i)->record, "id"), journal_text(o, "id")))
			return ledger_use(l, i)->record;
	return NULL;
}

/* A generation that a holder opened somewhere, and that is not the one that was captured here. */
static void warn(struct import *m, const json_t *use)
{
	const json_t *drill = json_object_get(use, "drill");
	const json_t *opened = json_object_get(drill, "opened");
	const json_int_t failed = json_integer_value(json_object_get(drill, "failed_total"));
	struct err err = ERR_INIT;

	if (failed)
		err_set(&err, "W-USE-02", text("key drill: %jd archives or generations did not open"),
		    (intmax_t)failed);
	for (size_t i = 0; !failed && i < json_array_size(opened); i++) {
		const json_t *o = json_array_get(opened, i);
		uint64_t number = (uint64_t)json_integer_value(json_object_get(o, "generation"));
		const struct ledger_generation *g =
		    ledger_generation_of(state_ledger(m->s), journal_text(o, "dataset"), number);
		char label[GENERATION_LABEL];

		if (!g || strcmp(g->manifest_sha256, journal_text(o, "manifest_sha256")) != 0)
			err_set(&err, "W-USE-02",
			    text("key drill: %s, which was opened, is not the one that was captured here"),
			    generation_label(journal_text(o, "dataset"), number, label));
	}
	if (!err.code[0])
		return;
	err_hint(&err, "%s",
	    text("keep that medium as it is, and look at this computer: who has it may encrypt to a key of "
		 "his own"));
	m->look = true;
	app_error(&err, APP_ATTENTION);
}

static void tell(const struct import *m, const json_t *o, const char *signer)
{
	char show[SHOW];

	printf(text("%s: %s %s by %s, %s\n"), path_show(m->file, show, sizeof(show)),
	    journal_text(o, "command"), journal_text(o, "what"), journal_text(o, "operator"),
	    signer ? text("signed") : text("declared only"));
}

const struct import_kind import_use = {use_slip_parse, there, "use", "slip_sha256", tell, warn};
