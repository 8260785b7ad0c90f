/* procedure_html_private: what the modules of a procedure's page share (procedure_html*.c), beside format/page/sheet.h.
 */
#ifndef BKP_FORMAT_PROCEDURE_PROCEDURE_HTML_PRIVATE_H
#define BKP_FORMAT_PROCEDURE_PROCEDURE_HTML_PRIVATE_H

#include "format/page/sheet.h"
#include "format/procedure/procedure_html.h"

/* A piece with one text under the name TEXT, whose variables are replaced first; label may be NULL. */
void sheet_template(struct sheet *s, const char *piece, const char *label, const char *template);
/* "○ Passed": readable without colour. */
void sheet_mark(struct sheet *s, const char *piece, enum procedure_mark mark, const char *word);

/* ---- procedure_html_step.c ---- */
void sheet_step(struct sheet *s, size_t i);

/* ---- procedure_html_body.c: the document's own text, and the steps in their places ---- */
void sheet_body(struct sheet *s);

#endif
