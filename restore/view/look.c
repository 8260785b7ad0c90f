/* look: see look.h. */
#include "restore/view/look.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/view/charts.h"
#include "restore/view/gather.h"
#include "restore/view/lists.h"
#include "restore/view/pagefile.h"
#include "restore/view/listing.h"

struct work {
	struct look *l;
	struct gathered g;
	struct pagefile page;
	time_t begun;
	bool ready, stopped;
};

static time_t seconds(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) ? 0 : t.tv_sec;
}

static int write_lists(struct work *w, bool done, struct err *err)
{
	if (lists_write(&w->page, &w->g, done, err) || charts_wait(&w->page, w->g.rows[GATHER_PATIENTS], err))
		return -1;
	if (!w->ready && w->l->ready)
		w->l->ready(w->l->arg, w->l);
	w->ready = true;
	return 0;
}

static bool is_stopped(struct work *w)
{
	w->stopped |= w->l->stop && w->l->stop(w->l->arg);
	return w->stopped;
}

static int on_looked(void *arg, struct err *err)
{
	struct work *w = arg;

	if (is_stopped(w))
		return err_set_kind(err, ERR_STOPPED, "E-RESTORE-15", "%s", text("interrupted"));
	return !w->ready && seconds() - w->begun >= LOOK_FIRST_S ? write_lists(w, false, err) : 0;
}

static int write_all(struct work *w, struct err *err)
{
	const struct listing *patients = w->g.rows[GATHER_PATIENTS];

	if (gather_folder(w->l->data, &w->g, on_looked, w, err) || write_lists(w, true, err))
		return -1;
	for (size_t i = 0; i < listing_n(patients) && !is_stopped(w); i++)
		if (charts_write(&w->page, w->l->data, patients, i, &w->g.faults, &w->l->last, err))
			return -1;
	return 0;
}

int look_folder(struct look *l, struct err *err)
{
	struct work w = {
	    .l = l, .page = {l->pages, l->link, l->of, BUF_INIT(PAGEFILE_MAX), {0}}, .begun = seconds()};
	int r;

	l->last = (struct err)ERR_INIT;
	w.g.last = &l->last;
	r = gather_new(&w.g, err) || write_all(&w, err) ? -1 : 0;
	l->files = w.g.files;
	l->faults = w.g.faults;
	if (w.g.rows[GATHER_KINDS - 1]) {
		l->patients = listing_n(w.g.rows[GATHER_PATIENTS]);
		l->studies = listing_n(w.g.rows[GATHER_STUDIES]);
		l->documents = listing_n(w.g.rows[GATHER_DOCUMENTS]);
	}
	buf_free(&w.page.html);
	gather_free(&w.g);
	return w.stopped ? 0 : r;
}

char *look_link(const char *path)
{
	struct buf b = BUF_INIT((size_t)64 << 10);

	if (buf_puts(&b, "file://", NULL) || path_encode(path, &b, NULL) || buf_terminate(&b, NULL))
		buf_free(&b);
	return (char *)b.p;
}
