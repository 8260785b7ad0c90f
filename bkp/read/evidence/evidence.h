/* evidence: item 3-② of the checklist (「インシデント発生時に診療を継続するために必要な情報を検討し、データやシステムのバックアップの実施と復旧手順を確認
 * している」), judged: はい, or いいえ with every condition that fails, of which data set, and what to do.
 *
 * Pure: policy + ledger + the time → struct evidence; the same for the same, and so `--at` of a former day gives what it gave on that day.  No
 * medium is looked at.
 *
 * はい exactly when all of these hold:
 * 	of each data set of importance A or B; where the policy says the importance of none, of each:
 * 	dates		three dates at least with a generation that counts (compliance.h: good, verified, there still)
 * 	fresh		the newest of them is no older than one and a half intervals (`every`)
 * 	gap		within 90 days no two dates with a good generation that was verified are more than three days apart, nor is the newest
 * 			from the day itself; where `every` is longer than two days: one and a half intervals, rounded up.  Generations that
 * 			expired since count.  Days before the first such generation are no gap
 * 	3-2-1		three verdicts of compliance.h are met, with a place that is separate from the originals
 * 	offline		オフライン保証復旧点 is not older than the data set's offline_rpo; where that is not stated the turn of a medium that holds it is
 * 			not past: counted from the first generation that it lacks, a day behind the next turn of its pool, or swap_every (34 days
 * 			where that is not stated)
 * 	suspect		no generation of it is suspect and undecided
 * 	procedure	the recovery procedure of its last drill is in force and approved (ledger_approved()); where it was never drilled, or
 * 			with a text that is not in force: there is one in force, and all of them are approved
 * 	drill		the last drill (or recovery) passed, not longer than a year ago, with the procedure, the source's version and the
 * 			capturing computer as they are now (read/drills)
 * 	of the site:
 * 	suspect		nor of a data set that does not count, or left the policy
 * 	excluded	each of `excluded` is decided: reason, by whom, when, and its day of review is not past
 * 	contacts	there are contacts, and each was confirmed within six months
 * 	datasets	at least one data set counts
 *
 * 目標日 (checklist: target) is asked for with いいえ: it must lie in the fiscal year of the judgement (April to March, in Japan's time), and
 * is past (超過) from the day behind it.
 */
#ifndef BKP_READ_EVIDENCE_EVIDENCE_H
#define BKP_READ_EVIDENCE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ledger;
struct policy;
struct policy_dataset;

enum evidence_condition {
	EVIDENCE_DATES,
	EVIDENCE_FRESH,
	EVIDENCE_GAP,
	EVIDENCE_321,
	EVIDENCE_OFFLINE,
	EVIDENCE_SUSPECT,
	EVIDENCE_PROCEDURE,
	EVIDENCE_DRILL,
	EVIDENCE_EXCLUDED,
	EVIDENCE_CONTACTS,
	EVIDENCE_DATASETS,
	EVIDENCE_CONDITIONS
};
const char *evidence_word(enum evidence_condition c); /* "dates" "fresh" "gap" "3-2-1" … (JSON) */

/* For people, in the language of text(): "generations of three dates" … */
const char *evidence_text(enum evidence_condition c);

struct evidence_fault {
	enum evidence_condition condition;
	const struct policy_dataset *dataset; /* NULL: of the site */
	char what[512], next[384]; /* a sentence each, in the reader's language: what is not so; what to do */
};

enum evidence_target {
	EVIDENCE_TARGET_NONE,	 /* はい: none is needed */
	EVIDENCE_TARGET_GOOD,	 /* within the fiscal year, and not past */
	EVIDENCE_TARGET_MISSING, /* the policy says none */
	EVIDENCE_TARGET_PAST,	 /* 超過 */
	EVIDENCE_TARGET_BEYOND,	 /* behind the last day of the fiscal year */
};
const char *evidence_target_word(enum evidence_target t); /* "none" "good" "missing" "past" "beyond" (JSON) */

struct evidence {
	bool yes;
	struct evidence_fault *faults; /* data set by data set in the policy's order, then the site's */
	size_t n;
	size_t counted;	      /* data sets that were judged */
	int32_t today;	      /* base/day.h, where the process is */
	int32_t target, last; /* 目標日 or 0; 31 March: the last day of the fiscal year */
	enum evidence_target target_is;
};

int evidence_judge(const struct policy *policy, const struct ledger *l, int64_t now_ns, struct evidence *ret,
    struct err *err) __attribute__((warn_unused_result));
void evidence_free(struct evidence *e);

/* The 31 March that ends the fiscal year in Japan (日本時間) of that moment; what a 目標日 is on that day. */
int32_t evidence_year_end(int64_t now_ns);
enum evidence_target evidence_target_is(int32_t target, int64_t now_ns);

#endif
