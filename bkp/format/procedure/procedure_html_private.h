/* procedure_html_private: what the modules of a procedure's page share (procedure_html*.c).
 *
 * The page is well-formed XML as well as HTML, so that other programs can read it too.  The first failure (no
 * room) is kept in the sheet; what is added behind it is nothing.
 */
#ifndef BKP_FORMAT_PROCEDURE_PROCEDURE_HTML_PRIVATE_H
#define BKP_FORMAT_PROCEDURE_PROCEDURE_HTML_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "format/procedure/procedure_html.h"

struct sheet {
	const struct procedure *p;
	const struct procedure_page *page;
	struct buf *out;
	struct err *err;
	int r; /* 0, or -1: failed */
};

/* ---- procedure_html_text.c: everything that is not a literal of ours goes through one of these ---- */
void sheet_markup(struct sheet *s, const char *literal);
void sheet_text(struct sheet *s, const char *text);	    /* escaped; line ends become <br/> */
void sheet_template(struct sheet *s, const char *template); /* names replaced, then as text */
void sheet_pre(struct sheet *s, const char *text);	    /* escaped; line ends stay */
void sheet_rendered(struct sheet *s, const char *html); /* of libcmark: what XML does not know is replaced */
/* A row of a table: label and text. */
void sheet_row(struct sheet *s, const char *label, const char *text);
void sheet_row_begin(struct sheet *s, const char *label);
void sheet_row_end(struct sheet *s);
/* "○ Passed": readable without colour. */
void sheet_mark(struct sheet *s, enum procedure_mark mark, const char *word);

/* ---- procedure_html_step.c ---- */
void sheet_step(struct sheet *s, size_t i);

/* ---- procedure_html_body.c: the document's own text, and the steps in their places ---- */
void sheet_body(struct sheet *s);

#endif
