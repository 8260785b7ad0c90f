/* out: see out.h. */
#include "cmd/out.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/app.h"

#define NS	   1000000000LL
#define TABLE_MAX  ((size_t)256 << 20)
#define PERIOD_TTY (NS / 4)
#define PERIOD_LOG (60 * NS)

char *out_bytes(uint64_t n, char out[OUT_BYTES])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)n;
	size_t u = 0;

	if (n < 1024) {
		snprintf(out, OUT_BYTES, "%" PRIu64 " B", n);
		return out;
	}
	for (; v >= 999.5 && u < 6; u++)
		v /= 1024;
	snprintf(out, OUT_BYTES, v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
	return out;
}

int out_json(json_t *o, int code)
{
	struct err err = ERR_INIT;
	int failed;

	if (!o) {
		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	failed = json_dumpf(o, stdout, JSON_COMPACT);
	json_decref(o);
	if (failed) {
		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	putchar('\n');
	return app_flush(code);
}

int out_table(struct table *t, unsigned indent, int code)
{
	BUF_AUTO b = BUF_INIT(TABLE_MAX);
	struct err err = ERR_INIT;
	int r = t ? table_render(t, indent, &b, &err) : err_nomem(&err);

	table_free(t);
	if (r)
		return app_error(&err, APP_FAILED);
	if (b.n)
		fwrite(b.p, 1, b.n, stdout);
	return app_flush(code);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

void out_progress_begin(struct out_progress *p, const struct app *app, const char *what, uint64_t total)
{
	*p = (struct out_progress){.what = what, .total = total, .quiet = app->quiet, .live = isatty(2)};
	p->began_ns = p->shown_ns = now_ns();
}

static void show(const struct out_progress *p, uint64_t done, int64_t elapsed)
{
	char a[OUT_BYTES], b[OUT_BYTES], rate[OUT_BYTES], left[32] = "";
	double per_s = (double)done / ((double)elapsed / (double)NS);

	out_bytes((uint64_t)per_s, rate);
	if (!p->total) {
		fprintf(stderr, "%s %s  %s/s", p->what, out_bytes(done, a), rate);
		return;
	}
	if (per_s > 0 && done <= p->total) {
		uint64_t s = (uint64_t)((double)(p->total - done) / per_s);

		snprintf(left, sizeof(left), "  %" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60),
		    (unsigned)(s % 60));
	}
	fprintf(stderr, "%s %3.0f%%  %s / %s  %s/s%s", p->what, 100.0 * (double)done / (double)p->total,
	    out_bytes(done, a), out_bytes(p->total, b), rate, left);
}

void out_progress_update(struct out_progress *p, uint64_t done)
{
	int64_t now;

	if (p->quiet)
		return;
	now = now_ns();
	if (now - p->shown_ns < (p->live ? PERIOD_TTY : PERIOD_LOG))
		return;
	p->shown_ns = now;
	p->shown++;
	if (p->live)
		fputs("\r\033[K", stderr);
	show(p, done, now - p->began_ns);
	if (!p->live)
		fputc('\n', stderr);
	fflush(stderr);
}

void out_progress_end(struct out_progress *p)
{
	if (p->live && p->shown)
		fputs("\r\033[K", stderr);
}
