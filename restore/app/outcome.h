/* outcome: what a restore did, could not do and left out on purpose; said entry by entry on stderr as it
 * happens, counted for the summary and the exit code. */
#ifndef RESTORE_APP_OUTCOME_H
#define RESTORE_APP_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct progress;

enum outcome_kind {
	/* done */
	OUTCOME_FILE,
	OUTCOME_FOLDER,
	OUTCOME_LINK, /* symbolic and hard links */
	OUTCOME_SPECIAL,
	OUTCOME_SAME, /* is there already as it would be made (--skip-same) */
	/* left out because nobody asked for it: no fault */
	OUTCOME_STRIPPED_MODE,	/* setuid, setgid */
	OUTCOME_STRIPPED_XATTR, /* trusted.*, security.*, system.* */
	OUTCOME_STRIPPED_FLAG,	/* immutable, append only */
	OUTCOME_OLDER,		/* than --since */
	OUTCOME_RENAMED,	/* --windows-names: a name that Windows cannot hold */
	OUTCOME_STRANGER,	/* an owner's name is not here, and its number nobody's */
	/* a person should look */
	OUTCOME_CHANGED,      /* the file changed while it was captured */
	OUTCOME_INCOMPLETE,   /* attributes missing in the catalog already */
	OUTCOME_UNREADABLE,   /* it could not be captured */
	OUTCOME_SKIPPED,      /* devices without --same-owner */
	OUTCOME_EXISTS,	      /* is there already, no --overwrite */
	OUTCOME_ATTRIBUTES,   /* some could not be set */
	OUTCOME_TAKEN,	      /* an owner's name is not here, and its number is somebody else's */
	OUTCOME_FOREIGN_MODE, /* without setuid or setgid, for its owner is another one */
	OUTCOME_COPIED,	      /* a hard link could not be made: it is a file of its own */
	/* failed */
	OUTCOME_FAILED,	 /* an entry whose content or place cannot be had */
	OUTCOME_LOST,	 /* a catalog block, a pattern that selects nothing, a data set */
	OUTCOME_STOPPED, /* the run ended early */
	OUTCOME_KINDS,
};

struct outcome {
	uint64_t count[OUTCOME_KINDS];
	uint64_t bytes;
	struct progress *progress; /* its live line is taken away before something is said */
	bool quiet;
	enum outcome_kind worst_kind; /* of what was said; valid when worst.code is not "" */
	char hinted[512];	      /* codes of which it was said what to do */
	char hint[512];		      /* the last hint of its own that one of them had */
	struct err worst;	      /* the first fault of the worst group (failed before attention) */
};

/* Counts, and says it with the entry's path (escaped; NULL: about no entry) unless the kind is one that is
 * only counted. */
void outcome_say(struct outcome *o, enum outcome_kind kind, const char *path, const struct err *why);
void outcome_count(struct outcome *o, enum outcome_kind kind);
/* Its member in JSON. */
const char *outcome_name(enum outcome_kind kind);
/* 0, 1 or 2 as enum app_exit. */
int outcome_exit(const struct outcome *o);
/* The summary on stdout: for people, or as one JSON object. */
void outcome_summary(const struct outcome *o, double seconds, bool json);

#endif
