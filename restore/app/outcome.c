/* outcome: see outcome.h. */
#include "restore/app/app.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
/* ---- words ---- */

const char *outcome_name(enum outcome_kind kind)
{
	static const char *const names[OUTCOME_KINDS] = {"files", "folders", "links", "special", "same",
	    "stripped_modes", "stripped_xattrs", "stripped_flags", "older", "renamed", "owners_unknown",
	    "changed", "attributes_incomplete", "unreadable", "skipped", "existing", "attributes_failed",
	    "owners_taken", "stripped_foreign", "links_copied", "failed", "lost", "stopped"};

	return names[kind];
}

/* ---- the rest ---- */

void outcome_count(struct outcome *o, enum outcome_kind kind)
{
	o->count[kind]++;
}

/* The next action is said once for each code, and again only when it is another: of a thousand files the same
 * is to be done. */
static bool is_news(struct outcome *o, const struct err *why)
{
	char code[sizeof(why->code) + 2];
	bool said;

	snprintf(code, sizeof(code), " %s ", why->code);
	said = strstr(o->hinted, code) && (!why->hint[0] || !strcmp(why->hint, o->hint));
	if (!strstr(o->hinted, code))
		snprintf(o->hinted + strlen(o->hinted), sizeof(o->hinted) - strlen(o->hinted), "%s", code);
	if (why->hint[0])
		snprintf(o->hint, sizeof(o->hint), "%s", why->hint);
	return !said;
}

void outcome_say(struct outcome *o, enum outcome_kind kind, const char *path, const struct err *why)
{
	BUF_AUTO shown = BUF_INIT((size_t)8 << 20);

	o->count[kind]++;
	if (kind >= OUTCOME_CHANGED &&
	    (!o->worst.code[0] || (kind >= OUTCOME_FAILED && o->worst_kind < OUTCOME_FAILED))) {
		char where[300];

		o->worst = *why;
		o->worst_kind = kind;
		if (path)
			err_wrap(&o->worst, "'%s'", path_show(path, where, sizeof(where)));
	}
	if (o->progress)
		progress_clear(o->progress);
	if (!path || path_display(path, &shown, NULL) || buf_terminate(&shown, NULL))
		fprintf(stderr, "bkp-restore: %s: %s\n", why->code, why->msg);
	else
		fprintf(stderr, "bkp-restore: %s: '%s': %s\n", why->code, (char *)shown.p, why->msg);
	if (is_news(o, why))
		app_next(why);
}

int outcome_exit(const struct outcome *o)
{
	if (o->count[OUTCOME_FAILED] || o->count[OUTCOME_LOST] || o->count[OUTCOME_STOPPED])
		return 2;
	if (o->count[OUTCOME_CHANGED] || o->count[OUTCOME_INCOMPLETE] || o->count[OUTCOME_UNREADABLE] ||
	    o->count[OUTCOME_SKIPPED] || o->count[OUTCOME_EXISTS] || o->count[OUTCOME_ATTRIBUTES] ||
	    o->count[OUTCOME_TAKEN] || o->count[OUTCOME_FOREIGN_MODE] || o->count[OUTCOME_COPIED])
		return 1;
	return 0;
}

static void count_line(uint64_t n, const char *what)
{
	if (n)
		printf("  %" PRIu64 " %s\n", n, what);
}

static void summary_json(const struct outcome *o, double seconds)
{
	int i;

	printf("{\"bytes\":%" PRIu64 ",\"seconds\":%.3f", o->bytes, seconds);
	for (i = 0; i < OUTCOME_KINDS; i++)
		printf(",\"%s\":%" PRIu64, outcome_name(i), o->count[i]);
	printf(",\"exit\":%d}\n", outcome_exit(o));
}

void outcome_summary(const struct outcome *o, double seconds, bool json)
{
	const uint64_t *n = o->count;
	char size[PROGRESS_SIZE_TEXT];

	if (json) {
		summary_json(o, seconds);
		return;
	}
	if (o->quiet)
		return;
	printf(text("restored: %ju files, %ju folders, %ju links, %ju others, %s in %.1f s\n"),
	    n[OUTCOME_FILE], n[OUTCOME_FOLDER], n[OUTCOME_LINK], n[OUTCOME_SPECIAL],
	    progress_size(o->bytes, size), seconds);
	count_line(
	    n[OUTCOME_SAME], text("entries that were there already as they are to be: not written again"));
	count_line(n[OUTCOME_STRIPPED_MODE],
	    text("entries without their setuid or setgid bit (--same-owner as root keeps it)"));
	count_line(n[OUTCOME_STRIPPED_XATTR],
	    text("entries without privileged attributes (--same-owner as root keeps them)"));
	count_line(n[OUTCOME_STRIPPED_FLAG],
	    text("entries without the immutable or append-only flag (--same-owner as root keeps it)"));
	count_line(n[OUTCOME_OLDER], text("entries that did not change since then: left out"));
	count_line(n[OUTCOME_STRANGER], text("owners whose name is not here: their number was kept"));
	count_line(
	    n[OUTCOME_CHANGED], text("files that changed while they were captured: check their content"));
	count_line(n[OUTCOME_INCOMPLETE], text("entries whose attributes were captured only in part"));
	count_line(n[OUTCOME_UNREADABLE],
	    text("entries that could not be read when they were captured: not restored"));
	count_line(n[OUTCOME_SKIPPED], text("devices left out (--same-owner as root makes them)"));
	count_line(n[OUTCOME_EXISTS],
	    text("entries that were there already: left as they are (--overwrite replaces files)"));
	count_line(n[OUTCOME_ATTRIBUTES], text("entries of which some attributes could not be set"));
	count_line(n[OUTCOME_TAKEN],
	    text("owners whose name is not here, and whose number is somebody else's (--owner-map)"));
	count_line(n[OUTCOME_FOREIGN_MODE],
	    text("programs without their setuid or setgid bit, for their owner is another one here"));
	count_line(n[OUTCOME_COPIED], text("hard links that could not be made: each is a file of its own"));
	count_line(n[OUTCOME_FAILED], text("entries that could not be restored"));
	count_line(n[OUTCOME_LOST], text("parts of the catalog, paths or data sets that could not be found"));
	if (n[OUTCOME_STOPPED])
		printf("  %s\n", text("it ended early: what comes later was not tried"));
}
