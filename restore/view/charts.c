/* charts: see charts.h.
 *
 * A patient's page goes into a sheet of its own while the pages of the days are written one after the other. */
#include "restore/view/charts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/chart/hl7.h"
#include "restore/view/gather.h"
#include "restore/view/lists.h"
#include "restore/view/pagefile.h"
#include "restore/view/listing.h"

#define WAIT  "waiting.html"
#define TITLE 700

struct chart {
	struct pagefile *day; /* the page that is being written */
	struct pagefile own;  /* of the patient */
	const struct listing *patients;
	size_t row;
	uint64_t *faults;
	struct err *last;
	char **days; /* names of folders, ascending */
	size_t n;
	struct buf path; /* of what is being read, from the data on */
	const char *date, *kind;
	unsigned part;	   /* of the day's page, from 1 on */
	unsigned messages; /* of the day */
	const char *number;
	bool ends; /* each_entry() has said so: not the folder */
};

/* ---- words ---- */

static const struct {
	const char *code, *words;
} kinds[] = {
    {"ADT-00", TEXT_LATER("basic data")},
    {"ADT-01", TEXT_LATER("attending doctor")},
    {"ADT-12", TEXT_LATER("outpatient reception")},
    {"ADT-21", TEXT_LATER("admission planned")},
    {"ADT-22", TEXT_LATER("admission")},
    {"ADT-31", TEXT_LATER("leave of absence")},
    {"ADT-32", TEXT_LATER("back from leave")},
    {"ADT-41", TEXT_LATER("transfer planned")},
    {"ADT-42", TEXT_LATER("transfer of ward or department")},
    {"ADT-51", TEXT_LATER("discharge planned")},
    {"ADT-52", TEXT_LATER("discharge")},
    {"ADT-61", TEXT_LATER("allergies")},
    {"PPR-01", TEXT_LATER("diagnoses")},
    {"OMD", TEXT_LATER("diet order")},
    {"OMP-01", TEXT_LATER("prescription order")},
    {"OMP-11", TEXT_LATER("prescription dispensed")},
    {"OMP-02", TEXT_LATER("injection order")},
    {"OMP-12", TEXT_LATER("injection given")},
    {"OML-01", TEXT_LATER("laboratory order")},
    {"OML-11", TEXT_LATER("laboratory result")},
    {"OMG-01", TEXT_LATER("radiology order")},
    {"OMG-11", TEXT_LATER("radiology done")},
    {"OMG-02", TEXT_LATER("endoscopy order")},
    {"OMG-12", TEXT_LATER("endoscopy done")},
    {"OMG-03", TEXT_LATER("physiology order")},
    {"OMG-13", TEXT_LATER("physiology result")},
};

static const struct {
	const char *code, *words;
} segments[] = {
    {"PID", TEXT_LATER("patient")},
    {"PV1", TEXT_LATER("visit")},
    {"AL1", TEXT_LATER("allergy")},
    {"IAM", TEXT_LATER("allergy")},
    {"PRB", TEXT_LATER("diagnosis")},
    {"DG1", TEXT_LATER("diagnosis")},
    {"ZPR", TEXT_LATER("diagnosis, more of it")},
    {"ORC", TEXT_LATER("order")},
    {"OBR", TEXT_LATER("examination")},
    {"OBX", TEXT_LATER("observation")},
    {"NTE", TEXT_LATER("remark")},
    {"RXO", TEXT_LATER("prescription")},
    {"RXE", TEXT_LATER("medicine")},
    {"RXR", TEXT_LATER("route")},
    {"RXC", TEXT_LATER("component")},
    {"TQ1", TEXT_LATER("when, how often")},
    {"IN1", TEXT_LATER("insurance")},
    {"NK1", TEXT_LATER("next of kin")},
    {"SPM", TEXT_LATER("specimen")},
};

static const char *words_of_kind(const char *code)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].code, code))
			return text(kinds[i].words);
	return "";
}

static const char *words_of_segment(const char *code)
{
	for (size_t i = 0; i < sizeof(segments) / sizeof(*segments); i++)
		if (!strcmp(segments[i].code, code))
			return text(segments[i].words);
	return "";
}

/* ---- a message ---- */

/* A result: what was examined, and what came of it. */
static int put_result(struct sheet *s, const struct hl7 *h, size_t i, struct err *err)
{
	static const unsigned shown[] = {5, 6, 7, 8, 11};
	BUF_AUTO line = BUF_INIT(PAGEFILE_MAX);
	BUF_AUTO value = BUF_INIT(PAGEFILE_MAX);
	BUF_AUTO item = BUF_INIT(PAGEFILE_MAX);
	int r;

	for (size_t k = 0; k < sizeof(shown) / sizeof(*shown); k++) {
		r = hl7_value(h, i, shown[k], &value, err);
		if (r < 0)
			return -1;
		if (!r && value.n &&
		    (buf_puts(&line, line.n ? "  " : "", err) || buf_append(&line, value.p, value.n, err)))
			return -1;
	}
	r = hl7_value(h, i, 3, &item, err);
	if (r < 0 || (r && buf_terminate(&item, err)) || buf_terminate(&line, err))
		return -1;
	sheet_piece(s, "segment", "NAME", "OBX", "LABEL", (char *)item.p, "TEXT", (char *)line.p, NULL);
	return 0;
}

static int put_fields(const struct hl7 *h, size_t i, struct buf *out, struct err *err)
{
	BUF_AUTO value = BUF_INIT(PAGEFILE_MAX);
	unsigned n = 1;
	int r = 0;

	for (; n <= CHARTS_FIELDS && !(r = hl7_value(h, i, n, &value, err)); n++)
		if (value.n && (buf_printf(out, err, "%s%u: ", out->n ? "\n" : "", n) ||
				   buf_append(out, value.p, value.n, err)))
			return -1;
	if (n > CHARTS_FIELDS && buf_puts(out, "\n…", err))
		return -1;
	return r < 0 || buf_terminate(out, err) ? -1 : 0;
}

/* who: the patient's segment as well, which stands in each message and is read once. */
static int put_segments(struct sheet *s, const struct hl7 *h, bool who, struct err *err)
{
	BUF_AUTO fields = BUF_INIT(PAGEFILE_MAX);
	char name[4];

	sheet_piece(s, "segments", NULL);
	for (size_t i = 0; i < hl7_segments(h); i++) {
		fields.n = 0;
		hl7_segment(h, i, name);
		if (!strcmp(name, "MSH") || (!who && !strcmp(name, "PID")))
			continue;
		if (!strcmp(name, "OBX")) {
			if (put_result(s, h, i, err))
				return -1;
			continue;
		}
		if (put_fields(h, i, &fields, err))
			return -1;
		sheet_piece(s, "segment", "NAME", name, "LABEL", words_of_segment(name), "TEXT",
		    (char *)fields.p, NULL);
	}
	if (hl7_segments(h) == HL7_SEGMENTS)
		sheet_piece(s, "segment", "NAME", "…", "LABEL", text("more is left out"), "TEXT", "", NULL);
	return 0;
}

static void note_fault(struct chart *c, const char *name, int errnum)
{
	char shown[GATHER_LEAF];

	++*c->faults;
	err_sys(c->last, "W-VIEW-02", errnum, text("'%s' cannot be read"), gather_shown(name, shown));
}

static int put_original(struct pagefile *p, const char *path, const char *name, struct err *err)
{
	BUF_AUTO href = BUF_INIT(PAGEFILE_MAX);
	char shown[GATHER_LEAF];

	if (pagefile_link(p, path, &href, err))
		return -1;
	sheet_piece(&p->sheet, "links", NULL);
	sheet_piece(&p->sheet, "link", "HREF", (char *)href.p, "TEXT", gather_shown(name, shown), NULL);
	sheet_piece(&p->sheet, "links end", NULL);
	return 0;
}

static int read_message(struct chart *c, int folder, const char *name, struct hl7 **ret)
{
	BUF_AUTO b = BUF_INIT(HL7_MAX);
	struct err why = ERR_INIT;
	int r = io_read_file(folder, name, &b, &why);

	*ret = NULL;
	if (!r && !hl7_parse(b.p ? b.p : (const void *)"", b.n, ret, &why))
		return 0;
	note_fault(c, name, r ? why.errnum : EILSEQ);
	return -1;
}

static int put_message(struct chart *c, struct pagefile *p, int folder, const char *name, struct err *err)
{
	bool taken_back = name[strlen(name) - 1] == '0';
	char label[TITLE];
	struct hl7 *h;
	int r;

	snprintf(label, sizeof(label), "%s %s%s", c->kind, words_of_kind(c->kind),
	    taken_back ? text(" (taken back)") : "");
	sheet_piece(&p->sheet, "message", "LABEL", label, "TEXT", "", NULL);
	if (read_message(c, folder, name, &h)) {
		sheet_piece(&p->sheet, "note", "TEXT", text("this cannot be read as a message of HL7"), NULL);
		sheet_piece(&p->sheet, "section done", NULL);
		return put_original(p, (char *)c->path.p, name, err);
	}
	r = put_segments(&p->sheet, h, !strcmp(c->kind, "ADT-00"), err);
	hl7_free(h);
	sheet_piece(&p->sheet, "message end", NULL);
	return r;
}

/* ---- a day ---- */

static const char *day_page(const struct chart *c, unsigned part, char out[PAGEFILE_NAME])
{
	snprintf(out, PAGEFILE_NAME, "chart-%06zu-%.8s-%u.html", c->row, c->date, part);
	return out;
}

static void begin_day(struct chart *c, struct err *err)
{
	char title[TITLE], date[PAGEFILE_NAME], name[PAGEFILE_NAME];
	struct sheet *s = &c->day->sheet;

	snprintf(title, sizeof(title), "%s %s  %s", c->number,
	    listing_text(c->patients, c->row, LISTING_NAME), pagefile_date(c->date, date));
	pagefile_begin(c->day, title, err);
	sheet_piece(s, "links", NULL);
	sheet_piece(s, "link", "HREF", "index.html", "TEXT", text("To the beginning"), NULL);
	sheet_piece(
	    s, "link", "HREF", lists_chart(c->row, name), "TEXT", text("All days of this patient"), NULL);
	sheet_piece(s, "links end", NULL);
}

static int end_day(struct chart *c, bool more, struct err *err)
{
	char name[PAGEFILE_NAME];

	if (more) {
		sheet_piece(&c->day->sheet, "links", NULL);
		sheet_piece(&c->day->sheet, "link", "HREF", day_page(c, c->part + 1, name), "TEXT",
		    text("Next page"), NULL);
		sheet_piece(&c->day->sheet, "links end", NULL);
	}
	return pagefile_end(c->day, day_page(c, c->part, name), err);
}

static int add_path(struct chart *c, const char *name, size_t *ret_before, struct err *err)
{
	*ret_before = c->path.n;
	return buf_puts(&c->path, "/", err) || buf_puts(&c->path, name, err) || buf_terminate(&c->path, err)
		   ? -1
		   : 0;
}

struct in_folder {
	struct chart *c;
	struct pagefile *page;
	int fd;
};

static int each_entry(void *arg, const char *name, struct err *err);

/* What is below is read; what cannot be is counted. */
static int in_folder(struct chart *c, struct pagefile *page, int above, const char *name, struct err *err)
{
	IO_FD_AUTO fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct in_folder f = {c, page, fd};
	struct err why = ERR_INIT;
	int r;

	if (fd < 0 && errno == ENOTDIR)
		return 0;
	r = fd < 0 ? -1 : io_each_name(fd, each_entry, &f, &why);
	if (!r || !c->ends) {
		if (r)
			note_fault(c, name, fd < 0 ? errno : why.errnum);
		return 0;
	}
	if (err)
		*err = why;
	return -1;
}

static int take_entry(struct in_folder *f, const char *name, struct err *err)
{
	struct chart *c = f->c;

	if (!c->kind) {
		int r;

		c->kind = name;
		r = in_folder(c, f->page, f->fd, name, err);
		c->kind = NULL;
		return r;
	}
	if (!gather_is_message(name, c->number))
		return gather_is_document(name) ? put_original(f->page, (char *)c->path.p, name, err) : 0;
	c->messages++;
	if (f->page == c->day && f->page->html.n > CHARTS_PAGE) {
		if (end_day(c, true, err))
			return -1;
		c->part++;
		begin_day(c, err);
	}
	return put_message(c, f->page, f->fd, name, err);
}

static int each_entry(void *arg, const char *name, struct err *err)
{
	struct in_folder *f = arg;
	size_t before;
	int r;

	if (add_path(f->c, name, &before, err))
		return -1;
	r = take_entry(f, name, err);
	f->c->ends |= r != 0;
	f->c->path.n = before;
	return r;
}

/* The basic data ("-") stand on the patient's own page. */
static int write_day(struct chart *c, int folder, const char *day, struct err *err)
{
	bool basic = !strcmp(day, "-");
	char name[PAGEFILE_NAME], date[PAGEFILE_NAME], line[TITLE];
	size_t before;

	c->date = day;
	c->kind = NULL;
	c->part = 1;
	c->messages = 0;
	if (add_path(c, day, &before, err))
		return -1;
	if (!basic)
		begin_day(c, err);
	if (in_folder(c, basic ? &c->own : c->day, folder, day, err) || (!basic && end_day(c, false, err)))
		return -1;
	c->path.n = before;
	if (basic)
		return 0;
	snprintf(line, sizeof(line), text("%s (%u messages)"), pagefile_date(day, date), c->messages);
	sheet_piece(&c->own.sheet, "links", NULL);
	sheet_piece(&c->own.sheet, "link", "HREF", day_page(c, 1, name), "TEXT", line, NULL);
	sheet_piece(&c->own.sheet, "links end", NULL);
	return 0;
}

/* ---- a patient ---- */

static int take_day(void *arg, const char *name, struct err *err)
{
	struct chart *c = arg;
	char **more;

	if (!gather_is_day(name))
		return 0;
	more = reallocarray(c->days, c->n + 1, sizeof(*more));
	if (!more || !(more[c->n] = strdup(name))) {
		c->days = more ? more : c->days;
		return err_nomem(err);
	}
	c->days = more;
	c->n++;
	return 0;
}

static int open_below(int data, const char *path)
{
	IO_FD_AUTO at = openat(data, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *copy = strdup(path), *rest = copy, *name;

	while (at >= 0 && copy && (name = strsep(&rest, "/"))) {
		int next =
		    openat(at, name, (rest ? O_PATH : O_RDONLY) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		io_close_quietly(&at);
		at = next;
	}
	free(copy);
	return io_take(&at);
}

static void begin_patient(struct chart *c, struct err *err)
{
	char title[TITLE], date[PAGEFILE_NAME];
	const struct listing *r = c->patients;
	struct sheet *s = &c->own.sheet;

	snprintf(title, sizeof(title), "%s %s", c->number, listing_text(r, c->row, LISTING_NAME));
	pagefile_begin(&c->own, title, err);
	sheet_piece(s, "links", NULL);
	sheet_piece(s, "link", "HREF", "index.html", "TEXT", text("To the beginning"), NULL);
	sheet_piece(s, "links end", NULL);
	sheet_piece(s, "form", NULL);
	sheet_row(s, text("patient's number"), c->number);
	sheet_row(s, text("name"), listing_text(r, c->row, LISTING_NAME));
	sheet_row(s, text("reading"), listing_text(r, c->row, LISTING_KANA));
	sheet_row(s, text("born"), pagefile_date(listing_text(r, c->row, LISTING_BORN), date));
	sheet_piece(s, "form end", NULL);
}

/* The newest day first, the basic data at the end. */
static int write_patient(struct chart *c, int folder, struct err *err)
{
	char name[PAGEFILE_NAME];

	if (io_each_name(folder, take_day, c, err)) {
		note_fault(c, (char *)c->path.p, EIO);
		return 0;
	}
	begin_patient(c, err);
	for (size_t i = c->n; i--;)
		if (write_day(c, folder, c->days[i], err))
			return -1;
	return pagefile_end(&c->own, lists_chart(c->row, name), err);
}

int charts_write(struct pagefile *p, int data, const struct listing *patients, size_t row, uint64_t *faults,
    struct err *last, struct err *err)
{
	const char *path = listing_text(patients, row, LISTING_PATH);
	IO_FD_AUTO folder = open_below(data, path);
	struct chart c = {.day = p,
	    .own = {p->folder, p->data, p->of, BUF_INIT(PAGEFILE_MAX), {0}},
	    .patients = patients,
	    .row = row,
	    .faults = faults,
	    .last = last,
	    .path = BUF_INIT(PAGEFILE_MAX),
	    .number = listing_text(patients, row, LISTING_NUMBER)};
	int r;

	if (folder < 0) {
		note_fault(&c, path, errno);
		return 0;
	}
	r = buf_puts(&c.path, path, err) || write_patient(&c, folder, err) ? -1 : 0;
	for (size_t i = 0; i < c.n; i++)
		free(c.days[i]);
	free(c.days);
	buf_free(&c.path);
	buf_free(&c.own.html);
	return r;
}

static int write_waiting(struct pagefile *p, struct err *err)
{
	pagefile_begin(p, text("This chart is being prepared"), err);
	sheet_piece(&p->sheet, "wait", NULL);
	sheet_piece(&p->sheet, "note", "TEXT", text("It opens by itself as soon as it is there."), NULL);
	sheet_piece(&p->sheet, "links", NULL);
	sheet_piece(&p->sheet, "link", "HREF", "index.html", "TEXT", text("To the beginning"), NULL);
	sheet_piece(&p->sheet, "links end", NULL);
	return pagefile_end(p, WAIT, err);
}

/* One file with many names; where the file system has no such thing the link leads nowhere until the page is there. */
int charts_wait(struct pagefile *p, const struct listing *patients, struct err *err)
{
	char name[PAGEFILE_NAME];

	if (write_waiting(p, err))
		return -1;
	for (size_t i = 0; i < listing_n(patients); i++) {
		lists_chart(i, name);
		/* a file has so many names at most: then another one */
		if (linkat(p->folder, WAIT, p->folder, name, 0) && errno == EMLINK &&
		    (write_waiting(p, err) || linkat(p->folder, WAIT, p->folder, name, 0)))
			return -1;
	}
	return 0;
}
