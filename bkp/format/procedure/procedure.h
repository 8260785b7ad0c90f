/* procedure: a recovery procedure (復旧手順書): one CommonMark document that people read and the restore
 * engine replays.
 *
 * Purpose: 誰が、何を、どのように行うかを整備し、必ず復旧の手順書やチェックリストを作成して
 * (checklist item 3-②).
 *
 * Calling order: read the file (at most PROCEDURE_BYTES_MAX) → procedure_parse() → use → procedure_free().
 * Pure: no files, no clock; nothing is run.
 *
 * Language.  CommonMark (libcmark).  The title is the first heading of level 1 (required).  What the engine
 * acts on stands in fenced code blocks (``` or ~~~) at the left margin whose info string is one of the words
 * below alone; every other block is text for people.  Raw HTML is shown as text, never passed on.  What only
 * looks like a step is an error: it would be left out of a recovery.  A block's content is the same YAML
 * subset as a policy (format/policy/policy.h): one table of keys (* required).
 *
 * procedure: at most once, before the first step.
 *	id: WORD
 *	version: TEXT
 *	dataset: NAME (what is being recovered, for the report)
 *	scenario (想定): TEXT: what has happened, as it is assumed in a drill
 *	rto, rpo: DURATION
 *	contacts: [TEXT…]
 *	variables: [{name*, title, type: text|number|name|path (default text), value}]
 *		value: the default; without it --set is needed
 *	target: NAME of a variable of type path: a recovery checks that folder
 *		(restore/recover/place.h), a drill puts one below the scratch folder in its place
 * confirm: a person confirms something.
 *	names (氏名): [TEXT…]: each is looked at and answered by itself (1…20)
 *	names_from (名簿): a file that a step before leaves in the scratch folder, one name a line, in the place of names
 * note: something to know at this point.
 * restore: brings data back.
 *	dataset*
 *	paths: [PATTERN…]
 *	to: a folder below the scratch folder; default: the data set's name
 *	generation: what stands behind the '@' of a selector (format/medium/selector.h): a number, latest,
 *		2026-11-20, 3d, or a variable; default: the drill's
 *	select: latest | newest-not-suspect | newest-before DATE, in the place of generation
 *	priority (復旧優先度): 1…99: of restore steps behind one another the lowest is brought back first
 *	parallel (同時): true: together with those that stand beside it and say so, too
 * gate: nothing behind it is done before people of that role have signed it (復旧前確認).
 *	role* (役割), text (確認文; default: what), people (人数; 1…9; default 1)
 * scan: runs a script over what was restored; it passes when exit status is 0 and it printed nothing.
 *	command*, limit
 *	A run step between a restore step and the scan behind it is an error: it could let out what was not looked at.
 * run: runs a script.
 *	command*: for /bin/sh -eu
 *	limit: DURATION
 * check: runs a script and compares what it prints; with neither probe nor value exit status 0 decides.
 *	command*, limit
 *	probe: DATASET (with the value recorded at capture)
 *	value: TEXT
 *
 * Every step has, all required: who (誰), what (何を), how (どのように), pass (合否条件), minutes (予定分;
 * 0…10080); and may have: id: WORD (default: its number), always: true (後始末: is done also after an
 * earlier step has failed).  who has one line; what, how and pass may have several.  Keys may be written in
 * either language; both at once is a key twice.
 *
 * Variables.  name: [a-z][a-z0-9_]{0,31}; names of the engine (scratch, generation, medium, procedure) are
 * taken; ${generation} is what the drill
 * uses: "emr@42 documents@41".  ${name} is replaced in what people read (who, what, how, pass) and in paths, to, generation,
 * dataset, probe, value; `$$` stands for one $.  NEVER in command: a script gets the same values as
 * environment variables of those names, so that no value is ever parsed as shell.  A ${name} that is not
 * declared is an error there.  A template is checked as it stands; what it has become must be checked again
 * by who uses it: that `dataset` is a name, that `to` stays below the scratch folder (path_is_entry()):
 * values are only held to their own type.
 * Values: text: 1…1024 bytes of UTF-8 without control characters; number: decimal digits with an optional
 * sign in front, at most 18 of them; name: [A-Za-z0-9_][A-Za-z0-9_.-]{0,63}; path: absolute, normalised, no
 * control characters.
 *
 * Problems are collected as for a policy (struct config_problems), with line and column in the document:
 *	E-PROC-01 empty, too large, not UTF-8	02 no title		03 no step
 *	E-PROC-04 what only looks like a step: a near miss ("retore"), not at the margin, not closed
 *	E-PROC-05 YAML				06 wrong kind of value	07 unknown key
 *	E-PROC-08 required key missing		09 key twice		10 text malformed
 *	E-PROC-11 number or duration malformed	12 name malformed	13 id or variable twice
 *	E-PROC-14 undeclared variable, or ${ that is not closed
 *	E-PROC-15 keys that do not fit together (probe with value, generation with select, a gate that is always done)
 *	E-PROC-16 path malformed (leaves the scratch folder)
 *	E-PROC-17 "procedure" block twice or behind a step
 *	E-PROC-18 too many (steps, variables, values)
 *	E-PROC-19 word of the engine		20 value that is not of its variable's type
 *	E-PROC-21 a run step stands between a restore step and its scan
 */
#ifndef BKP_FORMAT_PROCEDURE_PROCEDURE_H
#define BKP_FORMAT_PROCEDURE_PROCEDURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "format/policy/policy.h"

struct buf;
struct err;

#define PROCEDURE_BYTES_MAX                                                                                  \
	((size_t)256 << 10) /* libcmark takes quadratic time for hostile text: seconds, not minutes */
#define PROCEDURE_STEPS_MAX	200
#define PROCEDURE_VARIABLES_MAX 64
#define PROCEDURE_NAMES_MAX	20   /* of a confirm step */
#define PROCEDURE_VALUE_MAX	1024 /* bytes of a variable's value */

enum procedure_kind {
	PROCEDURE_CONFIRM,
	PROCEDURE_RESTORE,
	PROCEDURE_RUN,
	PROCEDURE_CHECK,
	PROCEDURE_NOTE,
	PROCEDURE_GATE,
	PROCEDURE_SCAN
};
const char *procedure_kind_word(enum procedure_kind k); /* "confirm" … as in the document */

struct procedure_step {
	enum procedure_kind kind;
	unsigned number;	       /* from 1, in the order of the document */
	unsigned line;		       /* of the opening fence, from 1 */
	char *id;		       /* as written, or the number */
	char *who, *what, *how, *pass; /* templates: may hold ${name} */
	unsigned minutes;	       /* planned */
	bool always;
	/* confirm: what is looked at one by one; templates, but for the file's name */
	char **names;
	size_t n_names;
	char *names_from; /* or NULL */
	/* restore; templates but for n_paths */
	char *dataset;
	char **paths;
	size_t n_paths;
	char *to;	   /* never NULL for restore */
	char *generation;  /* or NULL: the drill's */
	char *select;	   /* or NULL; never both; a template */
	unsigned priority; /* 1 is brought back first; 0: not stated, last */
	bool parallel;	   /* together with its neighbours that say so, too */
	/* gate */
	char *role;
	char *statement; /* or NULL: `what` is what is signed; a template */
	unsigned people; /* how many sign, ≥ 1 */
	/* run, check, scan */
	char *command;
	int64_t limit_s; /* 0: not stated */
	char *probe;	 /* check: data set, or NULL; a template */
	char *value;	 /* check: or NULL; a template */
};

enum procedure_type { PROCEDURE_TEXT, PROCEDURE_NUMBER, PROCEDURE_NAME, PROCEDURE_PATH };
struct procedure_variable {
	char *name;
	char *title; /* or NULL */
	enum procedure_type type;
	char *value; /* default, or NULL: must be given */
	struct config_mark mark;
};

struct procedure {
	char *title;
	char *id, *version, *dataset; /* or NULL */
	char *scenario;		      /* or NULL */
	char *target;	      /* the variable that names where the recovered system is to live; or NULL */
	int64_t rto_s, rpo_s; /* 0: not stated */
	char **contacts;
	size_t n_contacts;
	struct procedure_variable *variables;
	size_t n_variables;
	struct procedure_step *steps; /* ≥ 1 */
	size_t n_steps;
	unsigned minutes;	    /* sum of the plan */
	uint8_t sha256[DIGEST_LEN]; /* of the document's bytes */
	char *source;		    /* the document, NUL-terminated (it holds none) */
	size_t source_len;
};

/* Does the procedure state another RTO than the policy for what it brings back?  Then the policy's, the strictest of the data sets whose
 * names are no template, and *ret that data set; else 0. */
int64_t procedure_other_rto(
    const struct procedure *p, const struct policy *policy, const struct policy_dataset **ret);

/* What a restore step's `select` says, once it is expanded. */
enum procedure_select_kind { PROCEDURE_LATEST, PROCEDURE_NOT_SUSPECT, PROCEDURE_BEFORE };
struct procedure_select {
	enum procedure_select_kind kind;
	/* BEFORE: begun before that day (yyyymmdd), as the calendar stood where it was captured; or, 0, before that time */
	uint64_t day;
	int64_t before_ns;
};
bool procedure_select_parse(const char *s, struct procedure_select *ret);

/* Parses n bytes.  `file` names them in err.  0 with *ret, or -1: err says the first error as
 * "file:line:column: …", problems (may be NULL) holds all. */
int procedure_parse(const char *file, const char *p, size_t n, struct procedure **ret,
    struct config_problems *problems, struct err *err) __attribute__((warn_unused_result));
void procedure_free(struct procedure *p);

const struct procedure_variable *procedure_find_variable(
    const struct procedure *p, const char *name); /* or NULL */
/* Is `value` one that a variable of this type may have?  0, or -1 with E-PROC-20 and what would be right. */
int procedure_value_check(const struct procedure_variable *v, const char *value, struct err *err);

/* What stands for a name; NULL: unknown. */
typedef const char *procedure_lookup_fn(void *arg, const char *name);
/* Appends the template with its ${name} replaced (not NUL-terminated).  0, -1 (E-PROC-14 unknown, or no
 * room). */
int procedure_expand(
    const char *text, procedure_lookup_fn *lookup, void *arg, struct buf *out, struct err *err);

#endif
