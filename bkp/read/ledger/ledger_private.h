/* ledger_private: what ledger*.c share; see ledger.h.  ledger.c reads and answers, ledger_check*.c judge a
 * record before it counts, ledger_fold*.c and ledger_canary.c change the state. */
#ifndef BKP_READ_LEDGER_LEDGER_PRIVATE_H
#define BKP_READ_LEDGER_LEDGER_PRIVATE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "format/journal/approval.h"
#include "read/ledger/clockskew.h"
#include "read/ledger/ledger.h"

struct journal_check;

/* The strings and arrays of the public structs are malloc'd and belong to the ledger. */
struct ledger {
	/* the journal: ledger.c */
	struct journal_check *check;
	struct buf links; /* see ledger_links() */
	int64_t epoch_ns;
	struct ledger_period period;
	int64_t created_ns, head_ns;
	struct clock_stamp head_stamp;
	uint64_t size;
	uint64_t upto; /* ledger_load_until() ends there; 0: at the end */
	bool torn;
	/* media, generations, copies: ledger_fold.c */
	struct ledger_medium *media;
	size_t n_media;
	struct ledger_stays {
		char *uuid;
		int64_t away_ns; /* known to be away, last; 0: never */
		struct ledger_stay *all;
		size_t n;
	} * stays; /* ledger_stays.c */
	size_t n_stays;
	struct ledger_generation
	    *generations; /* ascending by number; those of a run as its begin named them */
	size_t n_generations, cap_generations;
	struct ledger_next {
		char *dataset;
		uint64_t archive;
	} * next; /* next_archive of each data set */
	size_t n_next;
	/* what people decided and agreed: ledger_fold_rules.c */
	char policy_sha256[DIGEST_HEX];
	struct ledger_agreed *agreed;
	size_t n_agreed;
	char **approvers;
	size_t n_approvers;
	struct approval_record agreed_at; /* the "agreed" record in force; seq 0: none */
	struct ledger_latch latch;
	struct clockskew_track clock;
	struct ledger_notified notified;
	char *tools;	/* accepted, or NULL */
	char *narrowed; /* the first change of the policy that nobody has accepted, or NULL */
	size_t n_narrowed;
	int64_t narrowed_ns;
	struct approval_record latch_at; /* the "clock-jump" record that latched; seq 0: none */
	struct approval_plan *plan;	 /* the last plan that was approved, or NULL */
	char plan_sha256[DIGEST_HEX];
	char *plan_by; /* key of its approver, or NULL */
	struct ledger_outcome *outcomes;
	size_t n_outcomes;
	struct ledger_canary {
		char *dataset;
		struct guard_canary is;
	} * canaries; /* what they must be: ledger_canary.c */
	size_t n_canaries;
	struct ledger_placed *placed; /* ledger_canary.c */
	size_t n_placed;
	struct ledger_announcement *announcements; /* ledger_announce.c */
	size_t n_announcements;
	/* ledger_witness.c */
	struct ledger_head *heads; /* of all records */
	size_t n_heads, cap_heads;
	struct ledger_countersign *countersigns;
	size_t n_countersigns;
	struct ledger_drill *drills; /* ledger_drills.c */
	size_t n_drills;
	json_t *procedures;
	json_t *regulation; /* the newest record regulation-approved; or NULL */
	json_t *approved;   /* records procedure-approved by sha256, the newest of each; NULL: none */
	struct ledger_finding *findings; /* ledger_findings.c */
	size_t n_findings;
	/* the keys of people: ledger_uses.c */
	struct ledger_use *uses;
	size_t n_uses;
	int64_t reviewed_ns, drill_ns;
	uint64_t drill_failed;
	struct ledger_opened *opened;
	size_t n_opened;
	struct ledger_envelope *envelopes;
	size_t n_envelopes;
};

/* Members of a record: NULL or 0 when absent or of another kind. */
static inline const char *member_str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static inline uint64_t member_num(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* ledger_check.c: may `event` with the members of `o` come next?  `line` is its number, for messages. */
int ledger_check(const struct ledger *l, const char *event, const json_t *o, uint64_t line, struct err *err);
/* Both set err and return -1. */
int ledger_wrong_member(uint64_t line, const char *event, const char *name, struct err *err);
int ledger_contradiction(uint64_t line, const char *event, const char *why, struct err *err);
/* Are the members there, each of its kind?  Used for records within records, too. */
enum ledger_kind { UUID, WORD, TEXT_OPT, NUMBER, INTEGER, BOOLEAN, BOOLEAN_OPT, SHA256, LIST, STRINGS };
struct ledger_member {
	const char *name;
	enum ledger_kind kind;
};
int ledger_check_members(
    const json_t *o, const struct ledger_member *m, uint64_t line, const char *event, struct err *err);
typedef int ledger_check_fn(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err);
/* Names of data sets, at least one, each named once, by a name that may stand in a path. */
int ledger_check_names(const json_t *names, uint64_t line, const char *event, struct err *err);
/* ledger_check_rules.c: what the agreement, the approvers and the clock do not let be. */
ledger_check_fn ledger_check_agreed, ledger_check_expired, ledger_check_approved, ledger_check_attested;

/* ledger_fold.c: folds a record in that ledger_check() has passed; fails only for want of memory, and then
 * leaves the ledger fit only to be freed. */
int ledger_fold_apply(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_fold_clear(struct ledger *l);

/* ledger_fold_rules.c: what people decide and what is agreed: policy, agreed, held, released, accepted,
 * expired, clock-jump, clock-attested, outcome, notified.  LEDGER_NOT_MINE: another event. */
#define LEDGER_NOT_MINE 1
int ledger_fold_rules(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_fold_rules_clear(struct ledger *l);

/* ledger_canary.c: the canaries of a data set, from its "guard" object. */
int ledger_canaries_read(struct ledger_generation *g, const json_t *guard, struct err *err);
void ledger_canaries_free(struct ledger_generation *g);
/* As found in this generation, so they must be: those not seen before, or (accepted) all. */
int ledger_canaries_take(struct ledger *l, const struct ledger_generation *g, bool accepted, struct err *err);
void ledger_canaries_clear(struct ledger *l);
/* canary-placed, canary-removed */
ledger_check_fn ledger_check_placed, ledger_check_removed;
int ledger_fold_placed(struct ledger *l, const struct journal_record *r, struct err *err);

/* ledger_uses.c: uses of the keys of people, key drills, envelopes: use, uses-reviewed, envelope. */
ledger_check_fn ledger_check_use, ledger_check_envelope;
int ledger_fold_uses(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_fold_uses_clear(struct ledger *l);

/* ledger_stays.c: when media were attached.  Sees every record, before head_ns is that of the record. */
int ledger_fold_stays(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_stays_clear(struct ledger *l);

/* ledger_announce.c: announced, announcement-ended.  Sees every record. */
ledger_check_fn ledger_check_announced, ledger_check_announcement_ended;
int ledger_fold_announcements(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_announcements_clear(struct ledger *l);

/* ledger_drills.c: drill, procedures, procedure-approved. */
ledger_check_fn ledger_check_drill, ledger_check_procedures, ledger_check_regulation;
int ledger_fold_drills(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_drills_clear(struct ledger *l);

/* ledger_witness.c: the hash of every record, kept once it counts; countersigned. */
int ledger_keep_head(struct ledger *l, const struct journal_record *r, struct err *err);
ledger_check_fn ledger_check_countersigned;
int ledger_fold_witness(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_witness_clear(struct ledger *l);

/* ledger_findings.c: finding, and those that a drill brings. */
ledger_check_fn ledger_check_finding;
int ledger_fold_findings(struct ledger *l, const struct journal_record *r, struct err *err);
void ledger_findings_clear(struct ledger *l);

/* ledger_media.c: what people record of a medium: its data, who has it, stock-takes, loss. */
ledger_check_fn ledger_check_custody, ledger_check_counted;
int ledger_fold_custody(struct ledger *l, const struct journal_record *r, struct err *err);
/* ledger_fold.c: what was on it is on no medium any more, as if it had expired there; it is away. */
void ledger_drop_medium(struct ledger *l, struct ledger_medium *m, int64_t now_ns);

/* Shared by the two. */
static inline struct ledger_generation *generation_of(const struct ledger *l, const json_t *o)
{
	/* the accessor returns const for readers; the fold owns what it points to */
	const char *dataset = member_str(o, "dataset");

	return dataset
		   ? (struct ledger_generation *)ledger_generation_of(l, dataset, member_num(o, "generation"))
		   : NULL;
}
int ledger_replace_text(const char **at, const char *with, struct err *err);
/* The entry of that medium, made when there is none yet; NULL: out of memory. */
struct ledger_copy *ledger_copy_on(struct ledger *l, struct ledger_generation *g, const char *uuid);

#endif
