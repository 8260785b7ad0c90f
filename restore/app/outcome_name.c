/* outcome_name: what a kind of outcome is called in JSON; see outcome.h. */
#include "restore/app/outcome.h"

const char *outcome_name(enum outcome_kind kind)
{
	static const char *const names[OUTCOME_KINDS] = {"files", "folders", "links", "special",
	    "stripped_modes", "stripped_xattrs", "stripped_flags", "changed", "attributes_incomplete",
	    "unreadable", "skipped", "existing", "attributes_failed", "links_copied", "failed", "lost",
	    "stopped"};

	return names[kind];
}
