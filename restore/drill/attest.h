/* attest: answers to the questions of a procedure, given beforehand in a file so that a drill can run
 * unattended.
 *
 * A YAML file of the same subset as a policy (format/config/config_node.h); * required:
 *
 *     by: NAME                 who answers, unless an answer says otherwise
 *     answers: [{step: ID*, answer: yes|no*, by: NAME, note: TEXT}]
 *             to a confirm step or a gate; a gate has one for each of its people, and note* (the evidence)
 *     findings: [{text: TEXT*, owner: NAME*, due: DAY*, step: ID}]
 *             what is to be mended (指摘), who sees to it, by when
 *     confirm: TEXT            what a recovery wants typed before it begins
 *     again: yes               commands that were cut off when the computer died are run again
 *     decisions: [{step: ID*, choice: retry|medium|older|skip|abort*, by: NAME, reason: TEXT}]
 *             when that step of a recovery has failed, in this order; skip wants a reason
 *
 * Pure.  Problems are collected as for a policy, with line and column.  attest_missing() tells which confirm
 * steps and gates have no answer.
 *
 * Errors: E-POLICY-03…06, -10 as for a policy (what YAML itself can have wrong), E-DRILL-08 no text, an
 * unknown or missing key, or a value that is none; E-DRILL-09 an answer to something that asks nobody,
 * or one too many; two of one person to a gate.
 */
#ifndef RESTORE_DRILL_ATTEST_H
#define RESTORE_DRILL_ATTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "format/policy/policy.h"
#include "format/procedure/procedure.h"

struct err;

#define ATTEST_BYTES_MAX ((size_t)1 << 20)

struct attest_answer {
	bool given;
	bool yes;
	char *by;
	char *note; /* or NULL */
	unsigned line;
	struct attest_answer *more; /* to a gate: the next person's */
};

struct attest_decision {
	size_t step; /* index */
	char choice; /* r m g s a */
	char *by, *reason;
};

struct attest_finding {
	size_t step; /* index; n_steps: none */
	char *text, *owner, *due;
};

struct attest {
	struct attest_answer *answer; /* one a step of the procedure, by its index */
	size_t n;
	char *confirm; /* or NULL */
	bool again;
	struct attest_decision *decision;
	size_t n_decisions;
	struct attest_finding *finding;
	size_t n_findings;
};

/* 0, or -1: err says the first problem as "file:line:column: …", problems (may be NULL) holds all. */
int attest_parse(const char *file, const char *p, size_t n, const struct procedure *procedure,
    struct attest **ret, struct config_problems *problems, struct err *err)
    __attribute__((warn_unused_result));
void attest_free(struct attest *a);

/* The next confirm step or gate at or after index `from` without all its answers; procedure->n_steps: none.  a NULL: none
 * is answered. */
size_t attest_missing(const struct attest *a, const struct procedure *procedure, size_t from);

#endif
