/* compliance: how things stand: 3世代 and 3-2-1 for each data set, オフライン保証復旧点, media, what to do next.
 *
 * Pure: policy + ledger + what was seen of the media just now + the time → struct compliance.
 *
 * What counts, all of it from signed records:
 * - A generation counts for a data set when ledger_counts() says so (committed; good, or partial and
 *   accepted; not suspect unless accepted), and at least one copy of it, on a medium that the policy
 *   declares, was read back and compared (verified) and not found damaged since (複数世代).
 * - Damage improves no verdict: a generation of which all copies were found damaged is still the newest that
 *   online media must hold.
 * - A copy that has expired is no copy, and none that is missing.
 * - A suspect generation does not count, and freezes expiry everywhere; other data sets of its run count.
 * - A medium that the policy no longer declares is looked after by nobody, and perhaps gone: it counts for
 *   nothing.
 *
 * 3世代: counting generations of distinct local dates, on whatever declared media, against the data set's
 * `generations`, or what was agreed where that is more.  It needs attention, too, when the newest of them is
 * older than one and a half intervals: backups that stopped still have three generations.
 *
 * Missed: a slot (slots.h) that no run has served an hour after it, or a quarter of the interval where that
 * is less.  Only where the policy says a time of day.
 *
 * 3-2-1.  Of the media that are to hold the data set one counts as a copy when it holds, verified: kept online, the newest counting
 * generation, unless a newer one was damaged; kept offline, one that is not older than swap_every and a day
 * (35 days where swap_every is not stated).  Media of a pool (policy_pool) are judged as one, by their turns (turns.h): what the last
 * rotation brought is recent enough as long as the next turn is not due for more than a day; the others of the pool are not asked for.
 *   3: the original and at least two such media (合計で3つ以上のデータを保持).  Media on one file system, or on
 *      one share, are one copy: of the technology of the first of them, kept offline only if all of them are,
 *      and detached only if all are, so that damage to one of them makes no other one more than it was.
 *   2: those media are of two technologies at least: magnetic disk (hdd, rdx), SSD, tape, optical, object
 *      store.  Two hard disks are one technology: ATTENTION, not met (異なる媒体: 特性や耐久性の異なる
 *      2種類以上のデバイス).  A medium of which policy and registration say different types adds none.  One
 *      whose device does not show its type (a share, a virtual disk; or it shows another, or is memory) is
 *      declared only (申告): ATTENTION, where two technologies need it.
 *   1: one of those media is kept offline, is COMPLIANCE_REMOVED (below), and lies at a place that
 *      is separate from where the originals are (policy_place_is_separate()): as it was recorded since the
 *      medium was here last, not as somebody said that it would be taken.  ATTENTION
 *      while such a medium is attached for no longer than max_attached (a day where that is not stated),
 *      when the copies on all of them are older than swap_every (about to lapse), where they are away but
 *      not recorded at a separate place, or the policy does not say which places are separate: a disk on the
 *      shelf of the same server room burns with the server; and where they are COMPLIANCE_SEPARATED only:
 *      who has this host mounts them again.
 *
 * オフライン保証復旧点: begin of the newest counting generation that is verified on a medium that is
 * COMPLIANCE_REMOVED.
 *
 * A turn that is due today is no sentence in `next` before the day is over, unless its medium is here already; a turn that is late is one.
 *
 * overall is not met exactly when there is something in `next`.
 */
#ifndef BKP_READ_RULES_COMPLIANCE_H
#define BKP_READ_RULES_COMPLIANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/medium/generation.h"
#include "read/rules/exposure.h"
#include "read/rules/room.h"

struct err;
struct ledger;
struct ledger_agreed;
struct ledger_latch;
struct ledger_medium;
struct ledger_notified;
struct ledger_outcome;
struct policy;
struct policy_dataset;
struct policy_medium;
struct turns;

enum compliance_verdict {
	COMPLIANCE_MET,
	COMPLIANCE_ATTENTION, /* △ partly, or about to lapse */
	COMPLIANCE_MISSING,   /* × */
};
const char *compliance_verdict_word(enum compliance_verdict v); /* "met", "attention", "missing" (JSON) */

enum compliance_technology {
	COMPLIANCE_MAGNETIC,
	COMPLIANCE_SSD,
	COMPLIANCE_TAPE,
	COMPLIANCE_OPTICAL,
	COMPLIANCE_OBJECT
};
enum compliance_technology compliance_technology(const char *type);
const char *compliance_technology_word(enum compliance_technology t); /* "magnetic disk" … (JSON) */

struct compliance_medium;
/* Does the device itself show that it is of the type it was registered as?  Else that is only declared
 * (申告). */
bool compliance_type_shown(const struct compliance_medium *m);

/* "9 days", "5 hours", "40 minutes" in the reader's language; a negative span is shown as 0.  Returns out. */
char *compliance_span(int64_t s, char *out, size_t size);

/* How long a medium kept offline may be attached: max_attached, or what holds where that is not stated. */
int64_t compliance_attach_s(const struct policy_medium *m);

/* What the caller saw of a medium of the policy just now. */
enum compliance_sight {
	COMPLIANCE_NOT_SEEN,
	COMPLIANCE_SEEN,
	COMPLIANCE_UNKNOWN /* did not or could not look */
};

struct compliance_rule {
	enum compliance_verdict verdict;
	unsigned have, want;
	char why[256]; /* one sentence, in the reader's language; "" when met */
};

struct compliance_dataset {
	const struct policy_dataset *policy;
	struct compliance_rule generations; /* 3世代: dates */
	struct compliance_rule three, two, one;
	uint64_t newest;     /* newest counting generation; 0: none */
	int64_t newest_ns;   /* when it was begun */
	uint64_t latest;     /* newest that counts, or would, were its copies not damaged; 0: none */
	int64_t verified_ns; /* newest read-back of any of its copies */
	uint64_t tried; /* newest generation that was to hold the data set, whatever became of it; 0: none */
	bool tried_failed; /* … and it does not count (failed, partial, not verified) */
	uint64_t suspect;  /* newest one in which it is suspect and on which nobody has decided; 0: none */
	const char *suspicion;		    /* why; or NULL */
	bool less;			    /* the policy asks for less than agreed: what was agreed holds */
	const struct ledger_agreed *agreed; /* or NULL */
	int64_t due_ns;			    /* the next slot; the one in force when it is due now */
	bool due;			    /* now */
	int64_t missed_ns;		    /* the slot that no run has served; 0: none */
	uint64_t offline;		    /* generation of the オフライン保証復旧点; 0: none */
	int64_t offline_ns;
};

/* What kind of offline a medium is, as far as it was seen; never called more.  That a store refuses to delete
 * (append-only, object lock) is none of them: nothing here has seen it, and the flag that this host can set it
 * can take off. */
enum compliance_offline {
	COMPLIANCE_NOT_OFFLINE, /* kept online, not registered, attached, or nobody has seen it to be gone */
	/* 論理的分離: seen to be gone, but only its mount was looked for: a share, or a disk of which no UUID is
	 * known.  It may be in reach, for whoever mounts it. */
	COMPLIANCE_SEPARATED,
	/* 取り外し: and its file system would be seen if its disk were plugged in unmounted (where udev runs); of
	 * a tape a person has recorded since where it is.  Of how far away it is this says nothing. */
	COMPLIANCE_REMOVED,
};
const char *compliance_offline_word(
    enum compliance_offline o); /* NULL, "logically separated", "removed" (JSON) */

struct compliance_medium {
	const struct policy_medium *policy; /* NULL: registered, but the policy no longer declares it */
	const struct ledger_medium *ledger; /* NULL: not registered yet */
	enum compliance_sight sight;
	bool attached;	       /* recorded or seen */
	bool overdue_swap;     /* offline: last rotation longer ago than swap_every, or never */
	bool overdue_attached; /* offline: attached longer than max_attached */
	uint64_t generations;  /* verified copies on it */
	uint64_t newest;       /* of them; 0: none */
	int64_t newest_ns;
	uint64_t damaged; /* copies found damaged */
	uint64_t missing; /* committed generations that it is to hold and does not */
	enum compliance_offline kind;
	const struct turns *turns; /* of its pool, or NULL */
	const struct ledger_medium
	    *lost;		 /* the medium of this name is recorded as lost; ledger is NULL then */
	struct room room;	 /* when it will be full; of a registered one */
	struct exposure exposed; /* offline: how long it was attached in this month */
};

/* Days from now until that date ("2026-11-21"); negative: it is past.  false: it is none. */
bool compliance_days_until(const char *date, int64_t now_ns, int64_t *ret_days);
#define COMPLIANCE_WARN_DAYS 90 /* before a medium must not be used any more */

struct compliance {
	int64_t now_ns;
	struct compliance_dataset *datasets; /* in the order of the policy */
	size_t n_datasets;
	struct compliance_medium *media; /* the policy's in its order, then those only the ledger knows */
	size_t n_media;
	struct turns *pools; /* as many as the policy has, in its order (turns.h) */
	size_t n_pools;
	char **next; /* what to do next, most urgent first, each one sentence in the reader's language */
	int64_t *next_since; /* of each, since when it has stood, as far as records tell; 0: they do not */
	size_t n_next;
	/* of the ledger, valid as long as that */
	const struct ledger_outcome *run, *rotation; /* the last ones, or NULL */
	const struct ledger_notified *notified;
	const struct ledger_latch *latch;
	char frozen
	    [GENERATION_LABEL]; /* the suspect generation that keeps everything from expiring, "emr@42"; "": none */
	enum compliance_verdict overall; /* the worst of all */
	bool nothing;			 /* some data set has no counting generation at all */
};

/* Has no key out of the envelope opened what is captured for as long as the policy lets pass (key_drill_every)? */
struct ledger_envelope;
bool compliance_envelope_overdue(
    const struct policy *policy, const struct ledger_envelope *e, int64_t now_ns);

/* sights: parallel to policy->media, or NULL: all unknown. */
int compliance_new(const struct policy *policy, const struct ledger *l, const enum compliance_sight *sights,
    int64_t now_ns, struct compliance **ret, struct err *err) __attribute__((warn_unused_result));
void compliance_free(struct compliance *s);

#endif
