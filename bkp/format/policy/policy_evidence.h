/* policy_evidence: what a policy says for papers alone: whose a data set is, what is not captured and who decided so, what others back up,
 * whom to call, which equipment there is, what people answered to the checklist.  Nothing of it changes what a run does.
 *
 * All of it is optional; a text that was not said is NULL, a number 0, a day (base/day.h) 0.  Names are there, and unique in their list.
 * Keys (* required), TEXT at most 200 bytes unless said otherwise, DATE as 2026-11-24:
 * 	of a data set: importance: A|B|C, owner, responsibility: hospital|vendor (病院|ベンダ), retention_years: 1…100, source_host
 * 	excluded: [{name*, where, reason (600), decided_by, decided_on: DATE, review_on: DATE}]
 * 	external: [{name*, vendor, what (600), how_often, generations: 1…9999, method, place, contract, confirmed_on: DATE}]
 * 	contacts: [{name*, kind*, person, tel (64), mail (254), hours, confirmed_on: DATE}]
 * 	assets: [{name*, model, maker, serial, bought_on: DATE, support_until: DATE, place, network, users, os, system, use, data, license}]
 * 	checklist: {edition (16), target: DATE, self: [{item* (16), answer: yes|no (はい|いいえ), on: DATE, by, why (600), target: DATE,
 * 		document}]}
 * Words stand in the struct as numbers.
 *
 * circle: policy, which has these in it and lets go of them.
 */
#ifndef BKP_FORMAT_POLICY_POLICY_EVIDENCE_H
#define BKP_FORMAT_POLICY_POLICY_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/config/config_problem.h"

struct policy;
struct policy_dataset;

enum policy_importance {
	POLICY_IMPORTANCE_UNSAID,
	POLICY_IMPORTANCE_A,
	POLICY_IMPORTANCE_B,
	POLICY_IMPORTANCE_C
};
enum policy_responsibility {
	POLICY_RESPONSIBLE_UNSAID,
	POLICY_RESPONSIBLE_HOSPITAL,
	POLICY_RESPONSIBLE_VENDOR
};
enum policy_answer { POLICY_ANSWER_UNSAID, POLICY_ANSWER_YES, POLICY_ANSWER_NO };

/* 対象外: not captured, by decision. */
struct policy_excluded {
	char *name, *where, *reason, *decided_by;
	int32_t decided_on, review_on;
	struct config_mark mark;
};

/* Data that a vendor or a cloud backs up. */
struct policy_external {
	char *name, *vendor, *what, *how_often, *method, *place, *contract;
	unsigned generations;
	int32_t confirmed_on;
	struct config_mark mark;
};

/* 連絡先: whom the guideline's 連絡体制図 names.  In the order of its boxes. */
enum policy_contact_kind {
	POLICY_CONTACT_UNSAID,
	POLICY_CONTACT_VENDOR,	    /* 医療情報システム事業者 */
	POLICY_CONTACT_SECURITY,    /* 情報セキュリティ事業者 */
	POLICY_CONTACT_EXPERT,	    /* 外部有識者(任意) */
	POLICY_CONTACT_POLICE,	    /* 都道府県警察の担当部署 */
	POLICY_CONTACT_MINISTRY,    /* 厚生労働省 */
	POLICY_CONTACT_PREFECTURE,  /* 各都道府県衛生主管部（局） */
	POLICY_CONTACT_INSURER,	    /* 保険会社 */
	POLICY_CONTACT_ASSOCIATION, /* 日本医師会 */
	POLICY_CONTACT_KINDS
};
struct policy_contact {
	char *name, *person, *tel, *mail, *hours;
	unsigned kind; /* enum policy_contact_kind, not UNSAID */
	int32_t confirmed_on;
	struct config_mark mark;
};

/* 情報資産台帳, a device a row. */
struct policy_asset {
	char *name, *model, *maker, *serial, *place, *network, *users, *os, *system, *use, *data, *license;
	int32_t bought_on, support_until;
	struct config_mark mark;
};

/* What people answered to an item of the checklist that bkp cannot see. */
struct policy_self {
	char *item;	 /* "2-④" or "2-4" */
	unsigned answer; /* enum policy_answer */
	char *by, *why, *document;
	int32_t on, target;
	struct config_mark mark;
};
struct policy_checklist {
	char *edition;	/* "R7"; or NULL */
	int32_t target; /* 目標日 of what is not yet はい */
	struct policy_self *self;
	size_t n_self;
};

/* The words of the policy by the numbers above, "" where it was not said, NULL behind the last: "A"; "hospital"; "yes"; of a contact the
 * form's own word, in any language "厚生労働省".  `also`: what may be written instead. */
extern const char *const policy_importance_words[],
    *const policy_responsibility_words[],
	*const policy_responsibility_also[],
	    *const policy_contact_words[], *const policy_contact_also[], *const policy_answer_words[],
									     *const policy_answer_also[];
/* For people, in the language of text(): "the hospital", "病院"; "" where it was not said. */
const char *policy_responsibility_text(unsigned responsibility);
const char *policy_contact_text(unsigned kind);

/* policy_free() does it. */
void policy_evidence_free(struct policy *policy);

/* Does the site say of any data set how important it is?  Where it does not, all of them count. */
bool policy_has_importance(const struct policy *policy);
/* Does the data set count for item 3-② of the checklist: importance A or B, or nothing is said of any? */
bool policy_counts_for_evidence(const struct policy *policy, const struct policy_dataset *d);

/* Six calendar months after its last confirmation (or never confirmed): the contact is to be confirmed again. */
bool policy_contact_is_stale(const struct policy_contact *c, int32_t today);
/* An exclusion is decided when it says why, who and when, and its day of review is not past. */
bool policy_exclusion_is_decided(const struct policy_excluded *x, int32_t today);

/* Warnings of what is too old on that day, each at its line, in the order of the file. */
void policy_evidence_check(const struct policy *policy, int32_t today, struct config_problems *problems);

#endif
