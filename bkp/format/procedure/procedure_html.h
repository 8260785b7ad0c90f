/* procedure_html: a procedure as one self-contained HTML page for A4: to be printed and filled in by hand, or
 * with the result of a drill stamped at each step.
 *
 * Pure.  The document's own text is rendered by libcmark (raw HTML shown as text, links and pictures inert:
 * no URL is fetched, no script exists: the page carries a Content-Security-Policy of none but its own style);
 * each step block appears as a form: 誰・何を・どのように・合否条件・予定分, the command if any, and a stamp
 * or an empty box.  Everything that comes from outside is escaped.  The language is text_lang() (labels), the
 * document's text stays as it is.
 */
#ifndef BKP_FORMAT_PROCEDURE_PROCEDURE_HTML_H
#define BKP_FORMAT_PROCEDURE_PROCEDURE_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "format/procedure/procedure.h"

struct buf;
struct err;

enum procedure_mark {
	PROCEDURE_MARK_NONE, /* empty boxes to be filled in by hand: result, time, name */
	PROCEDURE_MARK_PASSED,
	PROCEDURE_MARK_LATE, /* passed, but took longer than planned */
	PROCEDURE_MARK_FAILED,
	PROCEDURE_MARK_NOT_DONE,  /* was not reached */
	PROCEDURE_MARK_SKIPPED,	  /* a person decided so */
	PROCEDURE_MARK_NOT_ASKED, /* a step for people, and nobody was there */
	PROCEDURE_MARK_PARTIAL,	  /* verdict: nothing failed, and people were not asked */
};

/* A line of label and value; the label is already in the reader's language. */
struct procedure_fact {
	const char *label, *value;
};

struct procedure_stamp {
	enum procedure_mark mark;
	double seconds; /* taken; shown beside the plan when mark is not NONE or NOT_DONE */
	int64_t begun_ns;
	const struct procedure_fact *facts; /* who confirmed, expected and found value, message … */
	size_t n_facts;
};

struct procedure_page {
	const char *kind;	     /* the line above the title; NULL: what it usually is */
	procedure_lookup_fn *lookup; /* NULL: ${name} stays as it is */
	void *arg;
	/* a drill's page; for a blank form: mark NONE, no facts, stamps NULL */
	enum procedure_mark verdict;
	const char *verdict_text;	    /* "合格", …; or NULL */
	const struct procedure_fact *facts; /* head of the report: medium, generation, times, RTO, RPO … */
	size_t n_facts;
	const struct procedure_stamp *stamps; /* one a step, or NULL */
	const struct procedure_fact *footer;  /* e.g. erasure, SHA-256 of the record */
	size_t n_footer;
	const char *const
	    *signatures; /* captions of the signature boxes at the end: 実施者, 立会者, 病院長 … */
	size_t n_signatures;
};

int procedure_html(const struct procedure *p, const struct procedure_page *page, struct buf *out,
    struct err *err) __attribute__((warn_unused_result));

#endif
