/* drill: what a drill is to do and what became of it: the state that the other modules fill and read.
 *
 * drill_new → prepare.h fills what is to be done → replay.h fills what was done, step by step → drill_judge →
 * record.h, drill_page.h write it down → drill_free.  Pure: no files, no clock.
 *
 * Verdict: failed, when a step failed or was not done, or the drill was interrupted; partial, when people were not asked
 * (unattended); late, when all passed
 * but one took longer than planned, or the recovery longer than its RTO; passed.  The time of a step is
 * compared in whole seconds, so that a step of 0 minutes may take a moment.  The recovery lasts from the
 * beginning to the end of the last step that is not a clearing up (always: true).
 */
#ifndef RESTORE_DRILL_DRILL_H
#define RESTORE_DRILL_DRILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"
#include "format/procedure/procedure.h"
#include "format/procedure/procedure_html.h"
#include "restore/app/outcome.h"

struct attest_answer;

/* A data set is brought back from it, or compared with what was recorded in it. */
struct drill_generation {
	char dataset[GENERATION_NAME];
	uint64_t number;
	char label[GENERATION_LABEL]; /* "emr@42" */
	char uuid[GENERATION_UUID];
	int64_t begun_ns;
	bool vouched; /* a journal that was given reports it */
};

struct drill_step {
	const struct procedure_step *is;
	/* what is to be done, ${name} replaced */
	char *who, *what, *how, *pass;
	char *dataset;			     /* restore, or check with probe; else NULL */
	const struct drill_generation *from; /* of that data set, in drill.generation */
	char *to;			     /* restore */
	char **paths;
	size_t n_paths;
	char *statement; /* gate: what is signed, where that is not `what` */
	uint64_t wanted; /* ≠ 0: that generation, whatever the procedure says */
	char *expected;	 /* check: value or probe; NULL: exit status 0 decides, or (probe) there is none */
	const struct attest_answer *answer; /* confirm: given beforehand; or NULL */
	/* what was done */
	enum procedure_mark mark; /* NONE until it was its turn */
	bool attention;		  /* passed, but a person should look */
	bool not_asked;		  /* confirm, gate: nobody was there */
	int64_t begun_ns;	  /* wall clock */
	double seconds;
	struct err why;			      /* code "": nothing to say */
	uint64_t count[OUTCOME_KINDS], bytes; /* restore */
	char *found;			      /* check: what it printed, safe */
	int exit_status;		      /* run, check; -1: none */
	int signal;			      /* likewise; 0: none */
	char *tail;			      /* of failed ones: the end of what it said, safe; or NULL */
	/* confirm: what was looked at one by one */
	struct drill_seen {
		char *name, *note; /* note: or NULL */
		bool answered, yes;
	} * seen;
	size_t n_seen;
	bool confirmed; /* confirm: the answer, when `by` is there */
	char *by, *note;
	bool mock; /* gate: played in a drill, signed for nothing */
	/* gate: who signed */
	struct drill_signer {
		char *by, *evidence;
		int64_t when_ns;
	} * signer;
	size_t n_signers;
	/* of a recovery: what was decided after it had failed; the newest last */
	struct drill_decision {
		char choice; /* r m g s a, see restore/recover/decide.h */
		char *by, *reason;
		int64_t when_ns;
		char fault[16]; /* code */
	} * decision;
	size_t n_decisions;
	unsigned tries; /* how often it was begun */
};

/* What is to be mended (指摘). */
struct drill_finding {
	unsigned step; /* its number; 0: none */
	char *text, *owner, *due;
};

struct drill_erased {
	bool done; /* tried */
	bool kept; /* --keep */
	bool ok;
	int64_t when_ns;
	uint64_t files, folders, left;
	struct err why;
};

/* Where its commands ran (restore/command/isolation.h). */
enum drill_isolation {
	DRILL_ISOLATION_NONE, /* it has none; or a recovery */
	DRILL_ISOLATED,
	DRILL_NOT_ISOLATED, /* it could not be had */
	DRILL_ISOLATION_OFF /* nobody wanted it */
};

struct drill {
	const struct procedure *procedure;
	const char *file;      /* of the procedure, as given */
	bool signed_on_medium; /* the procedure: see provenance.h */
	struct variables *variables;
	char *folder; /* absolute path of the drill's folder */
	char *operator_name, *host;
	/* the medium; strings may be NULL where it does not say */
	char *medium_path, *medium_uuid, *medium_label, *medium_type;
	char *repository, *site, *root_key;
	struct drill_generation *generation; /* room for one a step; in the order in which steps name them */
	size_t n_generations;
	struct drill_step *step; /* procedure->n_steps of them */
	size_t n;
	struct drill_step *
	    *order; /* in which they are done: restore steps behind one another by their priority */
	/* the result */
	/* what it may take and how old its data may be; 0: not stated (target.h) */
	int64_t rto_s, rpo_s;
	char rto_of
	    [GENERATION_NAME]; /* the data set for which the policy says so; "": it is the procedure's */
	char policy_sha256[DIGEST_HEX]; /* of the policy that was looked into; "": none was at hand */
	int64_t begun_ns, finished_ns;	/* wall clock */
	double seconds;			/* of everything but the erasure */
	double recovery_s;		/* what RTO is compared with */
	bool interrupted;
	bool recovery;	  /* no drill: nothing is erased */
	char *target;	  /* recovery: where the recovered system is to live; or NULL */
	unsigned resumed; /* recovery: how often it was gone on with */

	struct drill_finding *finding;
	size_t n_findings;
	bool unattended;
	bool random;   /* medium and generations were drawn */
	uint64_t seed; /* by it, once more the same ones */

	enum drill_isolation isolation;
	struct err isolation_why; /* of DRILL_NOT_ISOLATED */

	enum procedure_mark verdict;
	struct drill_erased erased;
};

int drill_new(const struct procedure *p, const char *file, struct drill **ret, struct err *err)
    __attribute__((warn_unused_result));
void drill_free(struct drill *d);

/* Sets `order`, of steps that prepare.h has filled. */
void drill_order(struct drill *d);
/* How many from order[at] on are done together (≥ 1): restore steps that say so, each of another generation. */
size_t drill_together(const struct drill *d, size_t at);

/* Longer than planned? */
bool drill_is_late(const struct drill_step *s);
bool drill_over_rto(const struct drill *d);
/* Seconds between the beginning of the oldest generation and that of the drill; < 0: cannot be told. */
double drill_rpo(const struct drill *d);
/* A step has ended well or not; sets mark. */
void drill_step_done(struct drill_step *s, bool well);
/* Sets verdict; steps that were not reached become NOT_DONE. */
void drill_judge(struct drill *d);
/* A number that follows from the seed and what it is drawn for alone. */
uint64_t drill_draw(uint64_t seed, const char *what);
bool drill_runs_commands(const struct procedure *p);
/* 0, 1 or 2 as enum app_exit. */
int drill_exit(const struct drill *d);

const char *drill_mark_word(enum procedure_mark m); /* "passed" "late" "failed" "not-done", for the record */
const char *drill_mark_text(enum procedure_mark m); /* for people */

/* For people: of a recovery, in which steps may have been skipped, other words. */
const char *drill_verdict_text(const struct drill *d);
bool drill_complete(const struct drill *d);   /* every step was done, or skipped by a decision */
const char *drill_decision_word(char choice); /* "retry" … */
const char *drill_decision_text(char choice);

/* Does what a check printed agree with what is expected?  Bytes, but for newlines at the end of both. */
bool drill_same(const char *expected, const char *found, size_t found_n);
/* n bytes as text that can stand in a record: what is not UTF-8, and control characters but newline and tab,
 * become U+FFFD.  NULL: out of memory. */
char *drill_safe(const char *p, size_t n);

#endif
