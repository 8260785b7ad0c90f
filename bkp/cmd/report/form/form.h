/* form: the forms of 'bkp report' (帳票): which there are, their columns, and where the rows of each come from.
 *
 * A form is a row of the table in forms.c: texts by key, made from the fold, from single records, or by a function of its own; one mechanism
 * each writes them as HTML for A4, as CSV and as JSON (../report_write.c).  What a form says follows from the journal, the policy's text and
 * the moment alone, so that another copy of the journal gives the same form.  Nothing is invented: what is not on record is "".
 */
#ifndef BKP_CMD_REPORT_FORM_FORM_H
#define BKP_CMD_REPORT_FORM_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/medium/medium_facts.h"

struct compliance;
struct err;
struct journal_record;
struct json_t;
struct ledger;
struct ledger_generation;
struct ledger_medium;
struct policy;
struct policy_dataset;
struct store;

/* What all forms of one moment are made from. */
struct report {
	const struct policy *policy;
	const struct ledger *l;
	int64_t now_ns;			   /* as of when */
	const struct store *records;	   /* the folder that the journal is in */
	const struct compliance *standing; /* as judged from records alone */
};

enum form_shape {
	FORM_TABLE,
	FORM_WIDE,  /* a table on A4 that lies on its side */
	FORM_CARDS, /* too wide for a table: a block of pairs each, under the first column */
	FORM_WALL,  /* to be read from where one stands: large */
};

struct form {
	const char *number, *name, *title; /* "04"; "generations"; English, shown through text() */
	bool paper;			   /* ▲: a page for A4 belongs to it */
	enum form_shape shape;
	const struct fact_column *columns;
	size_t n;
	const char *quote; /* of a founding document, exactly, in Japanese; or NULL */
	/* one of these: is that medium in it; its rows for that record (an array); all of them (filled in) */
	bool (*medium)(const struct report *r, const struct ledger_medium *m);
	struct json_t *(*record)(const struct report *r, const struct journal_record *o);
	int (*rows)(const struct report *r, struct json_t *rows, struct err *err);
	/* ERR_INCOMPLETE: it cannot be printed before that is filled in; or NULL */
	int (*refuses)(const struct report *r, struct err *err);
	const char *const *signers; /* who signs, NULL behind the last; NULL: made, checked, manager */
};

/* By its name or its number; NULL: there is none. */
const struct form *form_of(const char *name);
/* The n-th; NULL: there are no more. */
const struct form *form_nth(size_t n);
#define FORM_MAX 32
/* The rows of n of them, with one reading of the journal at most, in which each record's own signature is checked: arrays, the caller's.
 * 0, or an exit code after the error has been reported. */
int form_rows(const struct report *r, const struct form *const *forms, size_t n, struct json_t **ret);

/* ---- for those who fill in rows ---- */

/* One more row: key, text, key, text …, NULL.  A NULL text is "". */
int form_row(struct json_t *rows, struct err *err, ...) __attribute__((sentinel));
/* "2026-11-21T02:00:00Z", or "" for 0; returns out. */
#define FORM_TIME 32
char *form_time(int64_t ns, char out[FORM_TIME]);
/* "2026-11-21", or "" for 0; returns out. */
char *form_date(int32_t day, char out[FORM_TIME]);
#define FORM_TEXT	      768
#define FORM_GENERATIONS_DAYS 366 /* how far back dates without a generation are named */
/* The data set's title, or its name. */
const char *form_dataset(const struct report *r, const char *name);
/* "24 h", or "" for 0; returns out. */
char *form_span(int64_t s, char out[FORM_TEXT]);
/* "○ met", "△ attention", "× not met". */
const char *form_verdict(int verdict);
/* Appends to a list within out: ", " in front of all but the first; what has no room is left out. */
void form_join(char *out, size_t size, const char *more);

/* ---- what several forms say in the same words (form_words.c, form_datasets.c); each returns out, or a text that lives as long as the
 * process ---- */

/* Those who have the role (a bit of enum policy_role), ", " between them; "" where nobody has. */
/* "24 h"; for 0 that the policy does not say it. */
const char *form_span_or(int64_t s, char out[FORM_TEXT]);

/* What is captured; what its command is stays in the policy. */
char *form_location(const struct policy_dataset *d, char out[FORM_TEXT]);
/* "files", "dump by a command" …: how a copy is made. */
const char *form_made(const struct policy_dataset *d);

/* One of the forms: columns and where they come from, each in its file. */
#define FORM_DECLARE(name, count) extern const struct fact_column form_##name##_columns[count]
FORM_DECLARE(selfcheck, 8);
FORM_DECLARE(evidence, 7);
FORM_DECLARE(allowed, 10);
FORM_DECLARE(transfers, 11);
FORM_DECLARE(disposals, 13);
FORM_DECLARE(losses, 11);
FORM_DECLARE(drills, 21);
FORM_DECLARE(gates, 13);
FORM_DECLARE(pace, 7);
FORM_DECLARE(findings, 10);
FORM_DECLARE(datasets, 14);
FORM_DECLARE(bcp, 7);
FORM_DECLARE(regulation, 3);
FORM_DECLARE(plan, 3);
FORM_DECLARE(hearing, 4);
FORM_DECLARE(external, 9);
FORM_DECLARE(contacts, 9);
FORM_DECLARE(wall, 4);
FORM_DECLARE(assets, 14);
FORM_DECLARE(generations, 8);
FORM_DECLARE(rule, 9);
FORM_DECLARE(procedures, 9);
FORM_DECLARE(people, 6);
FORM_DECLARE(keys, 11);
FORM_DECLARE(month, 4);
bool form_media_any(const struct report *r, const struct ledger_medium *m);
bool form_media_allowed(const struct report *r, const struct ledger_medium *m);
struct json_t *form_transfer(const struct report *r, const struct journal_record *o);
struct json_t *form_disposal(const struct report *r, const struct journal_record *o);
struct json_t *form_loss(const struct report *r, const struct journal_record *o);
struct json_t *form_drill(const struct report *r, const struct journal_record *o);
struct json_t *form_gates(const struct report *r, const struct journal_record *o);
struct json_t *form_key(const struct report *r, const struct journal_record *o);
int form_checklist_refuses(const struct report *r, struct err *err);
int form_selfcheck(const struct report *r, struct json_t *rows, struct err *err);
int form_evidence(const struct report *r, struct json_t *rows, struct err *err);
int form_datasets(const struct report *r, struct json_t *rows, struct err *err);
int form_external(const struct report *r, struct json_t *rows, struct err *err);
int form_contacts(const struct report *r, struct json_t *rows, struct err *err);
int form_assets(const struct report *r, struct json_t *rows, struct err *err);
int form_regulation_refuses(const struct report *r, struct err *err);
/* What is not well with its approval, or ""; NULL: out of memory. */
const char *form_regulation_note(const struct report *r);
int form_regulation(const struct report *r, struct json_t *rows, struct err *err);
int form_plan(const struct report *r, struct json_t *rows, struct err *err);
int form_hearing(const struct report *r, struct json_t *rows, struct err *err);
int form_bcp(const struct report *r, struct json_t *rows, struct err *err);
int form_generations(const struct report *r, struct json_t *rows, struct err *err);
int form_rule(const struct report *r, struct json_t *rows, struct err *err);
int form_procedures(const struct report *r, struct json_t *rows, struct err *err);
int form_people(const struct report *r, struct json_t *rows, struct err *err);
int form_pace(const struct report *r, struct json_t *rows, struct err *err);
int form_findings(const struct report *r, struct json_t *rows, struct err *err);
int form_month(const struct report *r, struct json_t *rows, struct err *err);

#endif
