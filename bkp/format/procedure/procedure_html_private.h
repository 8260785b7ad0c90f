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

/* ---- procedure_html_text.c: everything from outside goes through one of these ---- */
/* A piece of page.html with its places filled: name, text, name, text …, NULL.  A name that begins with '='
 * keeps the text's line ends; elsewhere they become <br/>. */
void sheet_piece(struct sheet *s, const char *piece, ...) __attribute__((sentinel));
/* The same of one text under the name TEXT, whose variables are replaced first; label may be NULL. */
void sheet_template(struct sheet *s, const char *piece, const char *label, const char *template);
void sheet_rendered(struct sheet *s, const char *html); /* of libcmark: what XML does not know is replaced */
/* A row of a table: label and text. */
void sheet_row(struct sheet *s, const char *label, const char *text);
/* "○ Passed": readable without colour. */
void sheet_mark(struct sheet *s, const char *piece, enum procedure_mark mark, const char *word);

/* ---- procedure_html_step.c ---- */
void sheet_step(struct sheet *s, size_t i);

/* ---- procedure_html_body.c: the document's own text, and the steps in their places ---- */
void sheet_body(struct sheet *s);

#endif
