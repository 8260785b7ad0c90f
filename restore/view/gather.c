/* gather: see gather.h.
 *
 * One walk in depth: each folder is read whole (names, sorted), `path` is the way to it.  A patient's folder is walked by patient_folder(). */
#include "restore/view/gather.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "base/width.h"
#include "format/chart/dicom.h"
#include "format/chart/hl7.h"
#include "format/chart/kanji.h"
#include "restore/view/listing.h"

#define PATH_LONGEST ((size_t)64 << 10)
#define FIRST_HEAD   ((size_t)16 << 10) /* is enough of most DICOM files */
#define DATE	     32

struct study {
	char *uid;
	size_t row;
};

struct walk {
	struct gathered *g;
	gather_looked_fn *looked;
	void *arg;
	struct buf path;
	size_t depth;
	void *studies; /* tsearch(3) */
	uint8_t *head; /* DICOM_HEAD bytes */
	bool ends;     /* each_name() has said so: not the folder */
};

/* A patient's folder, while what is in it is read. */
struct patient {
	char number[GATHER_LEAF];
	char newest[DATE]; /* day of a message */
	uint32_t messages;
	struct buf who; /* the message that is to say who it is */
};

/* The folder that is being read. */
struct place {
	struct walk *w;
	int fd;
	bool looked_for_html, has_html;
	struct patient *patient; /* or NULL */
	const char *day, *kind;	 /* of the patient's folders; NULL above */
};

int gather_new(struct gathered *ret, struct err *err)
{
	for (size_t i = 0; i < GATHER_KINDS; i++)
		if (!(ret->rows[i] = listing_new()))
			return err_nomem(err);
	return 0;
}

void gather_free(struct gathered *g)
{
	for (size_t i = 0; i < GATHER_KINDS; i++)
		listing_free(g->rows[i]);
	free(g->front);
}

/* ---- names ---- */

const char *gather_shown(const char *name, char out[GATHER_LEAF])
{
	BUF_AUTO b = BUF_INIT(PATH_LONGEST * 4);
	size_t n = strlen(name);

	*out = '\0';
	if (kanji_text(kanji_guess(name, n), name, n, &b, NULL))
		return out;
	n = b.n < GATHER_LEAF - 1 ? b.n : GATHER_LEAF - 1;
	if (n)
		memcpy(out, b.p, n);
	out[n] = '\0';
	width_whole(out);
	return out;
}

static bool ends_with(const char *name, const char *const *endings)
{
	const char *dot = strrchr(name, '.');

	for (; dot && *endings; endings++)
		if (!strcasecmp(dot + 1, *endings))
			return true;
	return false;
}

static bool is_html(const char *name)
{
	return ends_with(name, (const char *const[]){"html", "htm", "xhtml", NULL});
}

static bool is_image(const char *name)
{
	return ends_with(
	    name, (const char *const[]){"jpg", "jpeg", "png", "gif", "bmp", "webp", "svg", NULL});
}

bool gather_is_document(const char *name)
{
	return is_html(name) || is_image(name) || ends_with(name, (const char *const[]){"pdf", "txt", NULL});
}

static bool is_digits(const char *s, size_t n)
{
	return strspn(s, "0123456789") >= n;
}

bool gather_is_day(const char *name)
{
	return !strcmp(name, "-") || (strlen(name) == 8 && is_digits(name, 8));
}

bool gather_is_message(const char *name, const char *patient)
{
	size_t n = strlen(patient);

	return !strncmp(name, patient, n) && name[n] == '_';
}

/* What the name of a DICOM file may be: those without an ending, or whose ending is a part of a UID, too. */
static bool may_be_dicom(const char *name)
{
	const char *dot = strrchr(name, '.');

	return !dot || (dot[1] && is_digits(dot + 1, strlen(dot + 1))) ||
	       ends_with(name, (const char *const[]){"dcm", "dic", "dicom", "ima", NULL});
}

/* ---- faults ---- */

static void note_fault(struct walk *w, const char *name, int errnum)
{
	char shown[GATHER_LEAF];

	w->g->faults++;
	err_sys(w->g->last, "W-VIEW-02", errnum, text("'%s' cannot be read"), gather_shown(name, shown));
}

/* The first n bytes at most of a regular file; -1: it cannot be read, which was noted. */
static ssize_t read_head(struct walk *w, int folder, const char *name, void *p, size_t n)
{
	IO_FD_AUTO fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : io_read_full(fd, p, n);

	if (got < 0)
		note_fault(w, name, errno);
	return got;
}

/* ---- documents ---- */

static int note_html(void *arg, const char *name, struct err *err)
{
	(void)err;
	*(bool *)arg |= is_html(name);
	return 0;
}

static bool is_part_of_page(struct place *p, const char *name)
{
	if (!is_image(name))
		return false;
	if (!p->looked_for_html) {
		p->looked_for_html = true;
		(void)!io_each_name(p->fd, note_html, &p->has_html, NULL);
	}
	return p->has_html;
}

static void date_of(const struct stat *st, char out[DATE])
{
	struct day d = day_split(day_of((int64_t)st->st_mtime * SECOND_NS));

	snprintf(out, DATE, "%04d%02u%02u", d.year, d.month, d.mday);
}

/* Five digits or more in a row, but for a date: most likely the patient's number. */
static void number_in(const char *path, char out[DATE])
{
	*out = '\0';
	for (const char *p = path; *p;) {
		size_t n = strspn(p, "0123456789");

		if (n >= 5 && n < DATE && !(n == 8 && (!strncmp(p, "19", 2) || !strncmp(p, "20", 2)))) {
			memcpy(out, p, n);
			out[n] = '\0';
		}
		p += n ? n : 1;
	}
}

static const char *path_of(struct walk *w, const char *name, size_t *ret_before, struct err *err)
{
	*ret_before = w->path.n;
	if ((w->path.n && buf_puts(&w->path, "/", err)) || buf_puts(&w->path, name, err) ||
	    buf_terminate(&w->path, err))
		return NULL;
	return (const char *)w->path.p;
}

static int note_front(struct walk *w, const char *name, const char *path, struct err *err)
{
	bool is_front = !strcasecmp(name, "index.html") || !strcasecmp(name, "index.htm");

	if (!is_front || (w->g->front && w->g->front_depth <= w->depth))
		return 0;
	free(w->g->front);
	w->g->front_depth = w->depth;
	w->g->front = strdup(path);
	return w->g->front ? 0 : err_nomem(err);
}

static int add_document(struct place *p, const char *name, const struct stat *st, struct err *err)
{
	char number[DATE], date[DATE], shown[GATHER_LEAF];
	size_t before;
	const char *path = path_of(p->w, name, &before, err);
	int r = !path || note_front(p->w, name, path, err) ? -1 : 0;

	if (!r) {
		number_in(path, number);
		date_of(st, date);
		r = listing_add(p->w->g->rows[GATHER_DOCUMENTS],
		    (const char *const[LISTING_COLUMNS]){
			[LISTING_NUMBER] = p->patient ? p->patient->number : number,
			[LISTING_NAME] = gather_shown(name, shown),
			[LISTING_DATE] = p->day && *p->day != '-' ? p->day : date,
			[LISTING_PATH] = path},
		    1, NULL, err);
	}
	p->w->path.n = before;
	return r < 0 ? -1 : 0;
}

/* ---- studies ---- */

static int compare_uids(const void *a, const void *b)
{
	return strcmp(((const struct study *)a)->uid, ((const struct study *)b)->uid);
}

static void study_free(void *p)
{
	free(((struct study *)p)->uid);
	free(p);
}

static int new_study(struct walk *w, struct study *s, const struct dicom *d, struct err *err)
{
	char what[2 * DICOM_TEXT + 2];
	int r;

	snprintf(what, sizeof(what), "%s%s%s", d->modality, *d->description ? " " : "", d->description);
	/* the folder of its first file; of the others nothing is said */
	if (buf_terminate(&w->path, err))
		return -1;
	r = listing_add(w->g->rows[GATHER_STUDIES],
	    (const char *const[LISTING_COLUMNS]){d->patient, d->name, *d->kana ? d->kana : d->letters,
		d->born, d->date, what, (const char *)w->path.p},
	    1, &s->row, err);
	if (r > 0)
		s->row = SIZE_MAX;
	return r < 0 ? -1 : 0;
}

static int add_image(struct walk *w, const struct dicom *d, struct err *err)
{
	struct study *s = calloc(1, sizeof(*s)), **at;

	if (!s || !(s->uid = strdup(*d->study ? d->study : d->patient))) {
		free(s);
		return err_nomem(err);
	}
	at = tsearch(s, &w->studies, compare_uids);
	if (!at || *at != s)
		study_free(s);
	if (!at)
		return err_nomem(err);
	if (*at == s)
		return new_study(w, s, d, err);
	if ((*at)->row != SIZE_MAX)
		listing_counted(w->g->rows[GATHER_STUDIES], (*at)->row);
	return 0;
}

/* 0, or 1: it is none. */
static int try_dicom(struct place *p, const char *name, const struct stat *st, struct err *err)
{
	struct walk *w = p->w;
	struct err why = ERR_INIT;
	struct dicom d;
	ssize_t n;

	if (st->st_size < DICOM_MAGIC || !may_be_dicom(name))
		return 1;
	n = read_head(w, p->fd, name, w->head, FIRST_HEAD);
	if (n < 0 || !dicom_is(w->head, (size_t)n))
		return 1;
	if (dicom_parse(w->head, (size_t)n, &d, &why)) {
		note_fault(w, name, EILSEQ);
		return 0;
	}
	if (!*d.study && st->st_size > (off_t)FIRST_HEAD) {
		n = read_head(w, p->fd, name, w->head, DICOM_HEAD);
		if (n > 0 && dicom_parse(w->head, (size_t)n, &d, &why))
			note_fault(w, name, EILSEQ);
	}
	return add_image(w, &d, err);
}

/* ---- a patient's folder ---- */

/* Who it is say the basic data, the newest of them; where there are none, any message. */
static int take_message(struct place *p, const char *name, const struct stat *st, struct err *err)
{
	struct patient *t = p->patient;
	bool basic = !strcmp(p->kind, "ADT-00"), taken_back = name[strlen(name) - 1] == '0';
	ssize_t n;

	t->messages++;
	if (*p->day != '-' && strcmp(p->day, t->newest) > 0)
		snprintf(t->newest, sizeof(t->newest), "%s", p->day);
	if (st->st_size <= 0 || st->st_size > (off_t)HL7_MAX || (t->who.n && (!basic || taken_back)))
		return 0;
	t->who.n = 0;
	if (buf_reserve(&t->who, (size_t)st->st_size, err))
		return -1;
	n = read_head(p->w, p->fd, name, t->who.p, (size_t)st->st_size);
	t->who.n = n < 0 ? 0 : (size_t)n;
	return 0;
}

/* Hiragana as katakana: both are written, and sort apart. */
static void fold_kana(char *s)
{
	for (unsigned char *p = (unsigned char *)s; p[0] && p[1] && p[2]; p++) {
		unsigned cp = p[0] == 0xe3 ? 0x3000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu) : 0;

		if (cp < 0x3041 || cp > 0x3096)
			continue;
		cp += 0x60;
		p[1] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
		p[2] = (unsigned char)(0x80 | (cp & 0x3f));
	}
}

static int add_patient(struct walk *w, struct patient *t, struct err *err)
{
	struct hl7_patient who = {.number = ""};
	struct hl7 *h = NULL;
	int r = 0;

	if (!t->messages)
		return 0;
	if (t->who.n && !hl7_parse(t->who.p, t->who.n, &h, NULL))
		r = hl7_patient(h, &who, err);
	hl7_free(h);
	fold_kana(who.kana);
	if (!r && !(r = buf_terminate(&w->path, err)))
		r = listing_add(w->g->rows[GATHER_PATIENTS],
		    (const char *const[LISTING_COLUMNS]){[LISTING_NUMBER] = t->number,
			[LISTING_NAME] = who.name,
			[LISTING_KANA] = who.kana,
			[LISTING_BORN] = who.born,
			[LISTING_DATE] = t->newest,
			[LISTING_PATH] = (const char *)w->path.p},
		    t->messages, NULL, err);
	return r < 0 ? -1 : 0;
}

/* 患者ID先頭3/4-6/患者ID */
static bool is_patient(const struct walk *w)
{
	const char *path = (const char *)w->path.p, *id, *b, *a;

	if (w->path.n < 10 || !(id = memrchr(path, '/', w->path.n)) || id - path < 7)
		return false;
	id++;
	b = id - 4;
	a = b - 4;
	return b[-1] == '/' && (a == path || a[-1] == '/') && !memcmp(a, id, 3) && strlen(id) >= 6 &&
	       !memcmp(b, id + 3, 3);
}

/* ---- all of it ---- */

static int each_name(void *arg, const char *name, struct err *err);

/* What is damaged of the medium is a folder that cannot be read: the others can be. */
static int read_folder(struct place *p, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	if (p->w->depth >= GATHER_DEPTH) {
		note_fault(p->w, (const char *)p->w->path.p, ELOOP);
		return 0;
	}
	p->w->depth++;
	r = io_each_name(p->fd, each_name, p, &why);
	p->w->depth--;
	if (r && !p->w->ends) {
		note_fault(p->w, p->w->path.n ? (const char *)p->w->path.p : "/", why.errnum);
		return 0;
	}
	if (r && err)
		*err = why;
	return r;
}

static int enter_folder(struct place *above, const char *name, struct err *err)
{
	IO_FD_AUTO fd = openat(above->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct patient t = {.who = BUF_INIT(HL7_MAX)};
	struct place p = {above->w, fd, false, false, above->patient, above->day, above->kind};
	size_t before;
	int r = 0;

	if (fd < 0) {
		note_fault(above->w, name, errno);
		return 0;
	}
	if (!path_of(above->w, name, &before, err))
		return -1;
	if (p.patient && !p.day)
		p.day = gather_is_day(name) ? name : NULL;
	else if (p.day && !p.kind)
		p.kind = name;
	else if (!p.patient && is_patient(above->w) && strlen(name) < sizeof(t.number)) {
		snprintf(t.number, sizeof(t.number), "%s", name);
		p.patient = &t;
	}
	r = read_folder(&p, err);
	if (!r && p.patient == &t)
		r = add_patient(above->w, &t, err);
	buf_free(&t.who);
	above->w->path.n = before;
	return r;
}

static int take_file(struct place *p, const char *name, const struct stat *st, struct err *err)
{
	int r;

	p->w->g->files++;
	if (p->kind && gather_is_message(name, p->patient->number))
		return take_message(p, name, st, err);
	if (gather_is_document(name))
		return is_part_of_page(p, name) ? 0 : add_document(p, name, st, err);
	r = try_dicom(p, name, st, err);
	p->w->g->others += r > 0;
	return r < 0 ? -1 : 0;
}

static int take_name(struct place *p, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		note_fault(p->w, name, errno);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return enter_folder(p, name, err);
	if (S_ISREG(st.st_mode) && take_file(p, name, &st, err))
		return -1;
	return p->w->looked(p->w->arg, err);
}

static int each_name(void *arg, const char *name, struct err *err)
{
	struct place *p = arg;
	int r = take_name(p, name, err);

	p->w->ends |= r != 0;
	return r;
}

int gather_folder(int folder, struct gathered *g, gather_looked_fn *looked, void *arg, struct err *err)
{
	struct walk w = {.g = g, .looked = looked, .arg = arg, .path = BUF_INIT(PATH_LONGEST)};
	struct place top = {.w = &w, .fd = folder};
	int r;

	w.head = malloc(DICOM_HEAD);
	r = !w.head || buf_terminate(&w.path, err) ? err_nomem(err) : read_folder(&top, err);
	tdestroy(w.studies, study_free);
	free(w.head);
	buf_free(&w.path);
	return r;
}
