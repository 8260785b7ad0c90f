/* err: what went wrong, for a person.
 *
 * A struct err is a fixed-size value that the caller owns (usually on its stack) and passes as the last
 * parameter of a function that can fail.  It is written only on failure and untouched on success.  It needs
 * no freeing.  A NULL err is allowed everywhere: then only the return value speaks.
 *
 * Calling order: the function that first sees the fault calls err_set() or err_sys(); callers may put their
 * own context in front with err_wrap() ("outer: inner") and may name the next action with err_hint() if none
 * stands there yet.  All of them return -1, so that a failure path is `return err_set(...)`.
 *
 * Codes are "E-AREA-NN": ASCII, stable for ever, what a person reads out on the telephone (docs/messages.md).
 * They are for people: what a program does next depends on the kind, never on a code's text.
 */
#ifndef BKP_BASE_ERR_H
#define BKP_BASE_ERR_H

#include <stdbool.h>

/* What a caller may have to know to go on.  Most errors are of no kind: they are passed up and shown. */
enum err_kind {
	ERR_OTHER,
	ERR_MEMORY,	/* out of memory: says nothing of what was looked at */
	ERR_FATAL,	/* the same would befall whatever is tried next: no terminal, a target that is full */
	ERR_STOPPED,	/* a person or the system asked to end */
	ERR_USAGE,	/* what a person typed is wrong, as against what was found */
	ERR_ABSENT,	/* there is none */
	ERR_INCOMPLETE, /* begun and not finished, or a part of it is missing */
	ERR_LARGE,	/* larger than such a thing can be */
	ERR_MALFORMED,	/* not of its form */
	ERR_NEWER,	/* of a format that this program does not know */
	ERR_CONTRADICTION, /* well formed, and cannot follow what came before it */
	ERR_FORGED,	   /* its signature does not verify, or it was signed as something else */
	ERR_SIGNED_ANEW,   /* properly signed, and not what was reported: the proof that somebody did it */
	ERR_WRONG_KEY,	   /* another key, identity or passphrase than those given */
	ERR_FOREIGN,	   /* something else stands where it was expected */
	ERR_UNREGISTERED,  /* a medium that the journal does not know */
	ERR_UNMOUNTED,	   /* a medium that is plugged in and not mounted */
	ERR_AHEAD,	   /* a medium knows more than this host: the state folder is an old copy */
	ERR_TAKEN,	   /* something else has the name */
	ERR_CACHE,	   /* a cache failed: without it the same can be done again */
};

struct err {
	char code[16];	/* "E-MEDIA-03", or "" while nothing has failed */
	char msg[1024]; /* fault first, subject quoted, no newline */
	char hint[512]; /* the next action, or "" */
	int errnum;	/* what err_sys() was given: tells a full disk from other faults; else 0 */
	enum err_kind kind;
};

#define ERR_INIT                                                                                             \
	{                                                                                                    \
		"", "", "", 0, ERR_OTHER                                                                     \
	}

/* Did it fail because there is no room left (disk or quota)? */
bool err_is_full(const struct err *err);

/* Did the system not give it, or memory not hold it?  That says nothing of what stands there: it is no
 * damage, unlike what was read and is wrong, what is missing, and what is no file. */
bool err_is_unread(const struct err *err);

/* Sets code and message, clears the hint.  Returns -1. */
int err_set(struct err *err, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

int err_set_kind(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The kind of what was set last.  Returns -1. */
int err_kind(struct err *err, enum err_kind kind);

/* As err_set(), then ": " and the text of `errnum` (an errno value) behind the message.  Returns -1. */
int err_sys(struct err *err, const char *code, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Sets the next action if none is set yet.  Returns -1. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the message.  Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Code E-MEM-01, ERR_MEMORY.  Returns -1. */
int err_nomem(struct err *err);

#endif
