/* sheet: a page for A4 (one self-contained HTML file) out of the pieces of page.html.
 *
 * The page is well-formed XML as well as HTML, so that other programs can read it too; it fetches nothing and holds no
 * script.  Everything from outside is escaped here.  The first failure (no room) is kept in the sheet; what is added
 * behind it is nothing.
 *
 *     sheet_begin() → what belongs on it → sheet_end()
 */
#ifndef BKP_FORMAT_PAGE_SHEET_H
#define BKP_FORMAT_PAGE_SHEET_H

struct buf;
struct err;
struct procedure;
struct procedure_page;

struct sheet {
	struct buf *out;
	struct err *err;
	int r; /* 0, or -1: failed */
	/* what a procedure's page is about; NULL on others */
	const struct procedure *p;
	const struct procedure_page *page;
	const char *
	    shape; /* class of the body: "wide": A4 lies on its side, "wall": large; NULL: as letters stand */
};

/* A piece of page.html with its places filled: name, text, name, text …, NULL.  A name that begins with '='
 * keeps the text's line ends; elsewhere they become <br/>. */
void sheet_piece(struct sheet *s, const char *piece, ...) __attribute__((sentinel));
/* HTML of our own or of libcmark: what XML does not know is replaced. */
void sheet_rendered(struct sheet *s, const char *html);
/* A row of a table: label and text. */
void sheet_row(struct sheet *s, const char *label, const char *text);

/* kind: the line above the title; foot: on every printed page. */
void sheet_begin(struct sheet *s, const char *kind, const char *title, const char *foot);
void sheet_end(struct sheet *s);

#endif
