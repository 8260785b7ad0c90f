/* out: see out.h. */
#include "cmd/app/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/show/table.h"
#include "base/show/wrap.h"
#include "base/text.h"
#include "cmd/app/app.h"

#define COLUMNS_LEAST 40
#define COLUMNS_MOST  1000000
#define TABLE_MAX     ((size_t)256 << 20)

json_t *out_time_json(int64_t ns)
{
	char time[CLOCK_TEXT];

	return ns ? json_string(clock_format(ns, time)) : json_null();
}

unsigned out_columns(void)
{
	const char *given = getenv("COLUMNS");
	unsigned long n = given ? strtoul(given, NULL, 10) : 0;

	return n >= COLUMNS_LEAST && n <= COLUMNS_MOST ? (unsigned)n : WRAP_COLUMNS;
}

char *out_bytes(uint64_t n, char out[OUT_BYTES])
{
	return pace_size(n, 1024, out);
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
	if (failed && !ferror(stdout)) {
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
	int r = t ? table_fit(t, indent, out_columns(), &b, &err) : err_nomem(&err);

	table_free(t);
	if (r)
		return app_error(&err, APP_FAILED);
	if (b.n)
		fwrite(b.p, 1, b.n, stdout);
	return app_flush(code);
}

void out_wrapped(FILE *to, unsigned at, unsigned indent, const char *fmt, ...)
{
	BUF_AUTO b = BUF_INIT(TABLE_MAX);
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		fprintf(to, "%s\n", text("out of memory"));
	else if (wrap_text(s, out_columns(), at, indent, &b, NULL) || buf_terminate(&b, NULL))
		fprintf(to, "%s\n", s); /* no memory: as it is */
	else
		fprintf(to, "%s\n", (char *)b.p);
	if (n >= 0)
		free(s);
}

void out_progress_begin(struct out_progress *p, const struct app *app, const char *what, uint64_t total)
{
	*p = (struct out_progress){.quiet = app->quiet};
	pace_begin(&p->pace, what, total, 1024, pace_columns(STDERR_FILENO), pace_now());
}

void out_progress_update(struct out_progress *p, uint64_t done, uint64_t fresh)
{
	char line[PACE_LINE];

	if (p->quiet || !pace_step(&p->pace, pace_now(), done, fresh, NULL, line))
		return;
	fputs(line, stderr);
	fflush(stderr);
	p->shown = p->pace.columns != 0;
}

void out_progress_end(struct out_progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
