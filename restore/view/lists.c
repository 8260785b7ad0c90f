/* lists: see lists.h.
 *
 * A list is cut into pages of LISTS_ROWS (level 0); LISTS_RANGES pages of a level are one page of the next, until the ranges fit into the index.
 * A page's name: kind, order, level, number in it. */
#include "restore/view/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "restore/view/gather.h"
#include "restore/view/pagefile.h"
#include "restore/view/listing.h"

#define LABEL 512

struct list {
	struct pagefile *page;
	enum gather_kind kind;
	enum listing_order order;
	const struct listing *rows;
	uint32_t *sorted;
	size_t n;
};

const char *lists_chart(unsigned long row, char *out)
{
	snprintf(out, PAGEFILE_NAME, "chart-%06lu.html", row);
	return out;
}

static const char *title_of(enum gather_kind kind)
{
	return kind == GATHER_PATIENTS	? text("Patients (SS-MIX2)")
	       : kind == GATHER_STUDIES ? text("Studies (DICOM)")
					: text("Documents (HTML, PDF, images)");
}

static const char *order_of(enum gather_kind kind, enum listing_order order)
{
	return order == LISTING_BY_NUMBER ? text("by the patient's number")
	       : order == LISTING_BY_DATE ? text("by date, the newest first")
	       : kind == GATHER_DOCUMENTS ? text("by the file's name")
					  : text("by the name as it is read (kana)");
}

static const char *page_name(const struct list *l, unsigned level, size_t i, char out[PAGEFILE_NAME])
{
	static const char kinds[] = "psd", orders[] = "nkd";

	snprintf(out, PAGEFILE_NAME, "%c%c-%u-%05zu.html", kinds[l->kind], orders[l->order], level, i);
	return out;
}

/* How many rows a page of that level has. */
static size_t span_of(unsigned level)
{
	size_t n = LISTS_ROWS;

	while (level--)
		n *= LISTS_RANGES;
	return n;
}

/* What the row is found by. */
static const char *key_of(const struct list *l, size_t i, char date[PAGEFILE_NAME])
{
	uint32_t row = l->sorted[i];
	const char *s;

	if (l->order == LISTING_BY_NUMBER)
		s = listing_text(l->rows, row, LISTING_NUMBER);
	else if (l->order == LISTING_BY_DATE)
		s = pagefile_date(listing_text(l->rows, row, LISTING_DATE), date);
	else if (*(s = listing_text(l->rows, row, LISTING_KANA)) == '\0')
		s = listing_text(l->rows, row, LISTING_NAME);
	return *s ? s : text("(not known)");
}

static void put_range(struct list *l, unsigned level, size_t i)
{
	size_t first = i * span_of(level), last = first + span_of(level) - 1;
	char from[PAGEFILE_NAME], to[PAGEFILE_NAME], label[LABEL], href[PAGEFILE_NAME], number[32];
	struct sheet *s = &l->page->sheet;

	last = last < l->n ? last : l->n - 1;
	snprintf(label, sizeof(label), "%s … %s", key_of(l, first, from), key_of(l, last, to));
	snprintf(number, sizeof(number), "%zu", last - first + 1);
	sheet_piece(s, "list row", NULL);
	sheet_piece(s, "list link", "HREF", page_name(l, level, i, href), "TEXT", label, NULL);
	sheet_piece(s, "list cell", "TEXT", number, NULL);
	sheet_piece(s, "list row end", NULL);
}

static void begin_table(struct sheet *s, const char *const *heads)
{
	sheet_piece(s, "look", NULL);
	for (; *heads; heads++)
		sheet_piece(s, "list head", "TEXT", *heads, NULL);
	sheet_piece(s, "list rows", NULL);
}

/* The pages [first, last) of a level, as lines. */
static void put_ranges(struct list *l, unsigned level, size_t first, size_t last)
{
	begin_table(&l->page->sheet, (const char *const[]){text("from … to"), text("number"), NULL});
	for (size_t i = first; i < last; i++)
		put_range(l, level, i);
	sheet_piece(&l->page->sheet, "list end", NULL);
}

/* Back to the index, and to the pages beside. */
static void put_links(struct list *l, unsigned level, size_t i, size_t pages)
{
	struct sheet *s = &l->page->sheet;
	char name[PAGEFILE_NAME];

	sheet_piece(s, "links", NULL);
	sheet_piece(s, "link", "HREF", "index.html", "TEXT", text("To the beginning"), NULL);
	if (i)
		sheet_piece(
		    s, "link", "HREF", page_name(l, level, i - 1, name), "TEXT", text("Page before"), NULL);
	if (i + 1 < pages)
		sheet_piece(
		    s, "link", "HREF", page_name(l, level, i + 1, name), "TEXT", text("Next page"), NULL);
	sheet_piece(s, "links end", NULL);
}

/* ---- rows ---- */

static void put_heads(const struct list *l)
{
	static const char *const heads[] = {TEXT_LATER("patient's number"), TEXT_LATER("name"),
	    TEXT_LATER("reading"), TEXT_LATER("born"), TEXT_LATER("date"), TEXT_LATER("what"),
	    TEXT_LATER("number"), TEXT_LATER("place")};
	const char *patients[] = {text(heads[0]), text(heads[1]), text(heads[2]), text(heads[3]),
	    text("last day"), text("messages"), NULL};
	const char *studies[] = {text(heads[0]), text(heads[1]), text(heads[2]), text(heads[3]),
	    text(heads[4]), text(heads[5]), text("images"), text("folder"), NULL};
	const char *documents[] = {text(heads[0]), text("file"), text(heads[4]), text(heads[7]), NULL};

	begin_table(&l->page->sheet, l->kind == GATHER_PATIENTS	 ? patients
				     : l->kind == GATHER_STUDIES ? studies
								 : documents);
}

static void put_cell(const struct list *l, const char *t)
{
	sheet_piece(&l->page->sheet, "list cell", "TEXT", t, NULL);
}

static int put_document(struct list *l, uint32_t row, struct err *err)
{
	const char *path = listing_text(l->rows, row, LISTING_PATH);
	char shown[GATHER_LEAF], date[PAGEFILE_NAME];
	BUF_AUTO href = BUF_INIT(PAGEFILE_MAX);

	if (pagefile_link(l->page, path, &href, err))
		return -1;
	put_cell(l, listing_text(l->rows, row, LISTING_NUMBER));
	sheet_piece(&l->page->sheet, "list link", "HREF", (char *)href.p, "TEXT",
	    listing_text(l->rows, row, LISTING_NAME), NULL);
	put_cell(l, pagefile_date(listing_text(l->rows, row, LISTING_DATE), date));
	put_cell(l, gather_shown(path, shown));
	return 0;
}

static void put_person(struct list *l, uint32_t row)
{
	char date[PAGEFILE_NAME], name[PAGEFILE_NAME], count[32], shown[GATHER_LEAF];
	const char *is = listing_text(l->rows, row, LISTING_NAME);

	put_cell(l, listing_text(l->rows, row, LISTING_NUMBER));
	is = *is ? is : text("(not known)");
	if (l->kind == GATHER_PATIENTS)
		sheet_piece(&l->page->sheet, "list link", "HREF", lists_chart(row, name), "TEXT", is, NULL);
	else
		put_cell(l, is);
	put_cell(l, listing_text(l->rows, row, LISTING_KANA));
	put_cell(l, pagefile_date(listing_text(l->rows, row, LISTING_BORN), date));
	put_cell(l, pagefile_date(listing_text(l->rows, row, LISTING_DATE), date));
	if (l->kind == GATHER_STUDIES)
		put_cell(l, listing_text(l->rows, row, LISTING_WHAT));
	snprintf(count, sizeof(count), "%u", listing_count(l->rows, row));
	put_cell(l, count);
	if (l->kind == GATHER_STUDIES)
		put_cell(l, gather_shown(listing_text(l->rows, row, LISTING_PATH), shown));
}

static int write_rows(struct list *l, size_t page, size_t pages, struct err *err)
{
	size_t first = page * LISTS_ROWS, last = first + LISTS_ROWS < l->n ? first + LISTS_ROWS : l->n;
	char name[PAGEFILE_NAME], title[LABEL];

	snprintf(title, sizeof(title), "%s, %s", title_of(l->kind), order_of(l->kind, l->order));
	pagefile_begin(l->page, title, err);
	put_links(l, 0, page, pages);
	put_heads(l);
	for (size_t i = first; i < last; i++) {
		sheet_piece(&l->page->sheet, "list row", NULL);
		if (l->kind != GATHER_DOCUMENTS)
			put_person(l, l->sorted[i]);
		else if (put_document(l, l->sorted[i], err))
			return -1;
		sheet_piece(&l->page->sheet, "list row end", NULL);
	}
	sheet_piece(&l->page->sheet, "list end", NULL);
	put_links(l, 0, page, pages);
	return pagefile_end(l->page, page_name(l, 0, page, name), err);
}

static size_t pages_of(const struct list *l, unsigned level)
{
	return (l->n + span_of(level) - 1) / span_of(level);
}

/* All pages of one list; its top level is *ret_level. */
static int write_list(struct list *l, unsigned *ret_level, struct err *err)
{
	char name[PAGEFILE_NAME], title[LABEL];
	unsigned level = 0;

	for (size_t i = 0; i < pages_of(l, 0); i++)
		if (write_rows(l, i, pages_of(l, 0), err))
			return -1;
	snprintf(title, sizeof(title), "%s, %s", title_of(l->kind), order_of(l->kind, l->order));
	for (; pages_of(l, level) > LISTS_RANGES; level++)
		for (size_t i = 0; i < pages_of(l, level + 1); i++) {
			size_t last = (i + 1) * LISTS_RANGES, all = pages_of(l, level);

			pagefile_begin(l->page, title, err);
			put_links(l, level + 1, i, pages_of(l, level + 1));
			put_ranges(l, level, i * LISTS_RANGES, last < all ? last : all);
			if (pagefile_end(l->page, page_name(l, level + 1, i, name), err))
				return -1;
		}
	*ret_level = level;
	return 0;
}

/* ---- the first page ---- */

static void put_note(struct sheet *s, const char *t)
{
	sheet_piece(s, "note", "TEXT", t, NULL);
}

static void put_state(struct sheet *s, const struct gathered *g, bool done)
{
	uint64_t left_out = 0;
	char line[LABEL];

	for (size_t i = 0; i < GATHER_KINDS; i++)
		left_out += listing_left_out(g->rows[i]);
	if (!done)
		put_note(s,
		    text(
			"Not complete yet: more is being looked at. Load this page again (F5) in a minute."));
	snprintf(line, sizeof(line),
	    text("%ju files were looked at; %ju of them are nothing that is listed here."),
	    (uintmax_t)g->files, (uintmax_t)g->others);
	put_note(s, line);
	if (g->faults) {
		snprintf(line, sizeof(line),
		    text("%ju files or folders could not be read: what they hold is missing here."),
		    (uintmax_t)g->faults);
		put_note(s, line);
	}
	if (left_out) {
		snprintf(line, sizeof(line),
		    text("%ju more do not fit into these lists: name folders to look at fewer."),
		    (uintmax_t)left_out);
		put_note(s, line);
	}
	put_note(s, text("This is the state of the night when it was captured. To find: choose a range, then "
			 "search in the "
			 "page with Ctrl+F."));
}

static int put_front(struct pagefile *p, const struct gathered *g, struct err *err)
{
	BUF_AUTO href = BUF_INIT(PAGEFILE_MAX);

	if (!g->front)
		return 0;
	if (pagefile_link(p, g->front, &href, err))
		return -1;
	sheet_piece(&p->sheet, "links", NULL);
	sheet_piece(
	    &p->sheet, "link", "HREF", (char *)href.p, "TEXT", text("The export's own first page"), NULL);
	sheet_piece(&p->sheet, "links end", NULL);
	return 0;
}

/* Lists are written before the page that leads to them: only then is their level known. */
static int write_lists(struct list lists[GATHER_KINDS][LISTING_ORDERS],
    unsigned level[GATHER_KINDS][LISTING_ORDERS], struct pagefile *p, const struct gathered *g,
    struct err *err)
{
	for (size_t k = 0; k < GATHER_KINDS; k++)
		for (size_t o = 0; o < LISTING_ORDERS; o++) {
			struct list *l = &lists[k][o];

			*l = (struct list){p, (enum gather_kind)k, (enum listing_order)o, g->rows[k], NULL,
			    listing_n(g->rows[k])};
			if (listing_sorted(l->rows, l->order, &l->sorted, err) ||
			    write_list(l, &level[k][o], err))
				return -1;
		}
	return 0;
}

static int write_index(struct list lists[GATHER_KINDS][LISTING_ORDERS],
    unsigned level[GATHER_KINDS][LISTING_ORDERS], struct pagefile *p, const struct gathered *g, bool done,
    struct err *err)
{
	char title[LABEL];

	snprintf(title, sizeof(title), text("Charts of %s"), p->of);
	pagefile_begin(p, title, err);
	put_state(&p->sheet, g, done);
	if (put_front(p, g, err))
		return -1;
	for (size_t k = 0; k < GATHER_KINDS; k++)
		for (size_t o = 0; o < LISTING_ORDERS && lists[k][o].n; o++) {
			struct list *l = &lists[k][o];

			snprintf(
			    title, sizeof(title), "%s, %s", title_of(l->kind), order_of(l->kind, l->order));
			sheet_piece(&p->sheet, "message", "LABEL", title, "TEXT", "", NULL);
			put_ranges(l, level[k][o], 0, pages_of(l, level[k][o]));
			sheet_piece(&p->sheet, "section done", NULL);
		}
	if (listing_n(g->rows[GATHER_STUDIES]))
		put_note(&p->sheet, text("Images themselves are shown by a DICOM viewer: open the folder of "
					 "the study with one."));
	return pagefile_end(p, "index.html", err);
}

int lists_write(struct pagefile *p, const struct gathered *g, bool done, struct err *err)
{
	struct list lists[GATHER_KINDS][LISTING_ORDERS] = {0};
	unsigned level[GATHER_KINDS][LISTING_ORDERS] = {0};
	int r = write_lists(lists, level, p, g, err) || write_index(lists, level, p, g, done, err) ? -1 : 0;

	for (size_t k = 0; k < GATHER_KINDS; k++)
		for (size_t o = 0; o < LISTING_ORDERS; o++)
			free(lists[k][o].sorted);
	return r;
}
