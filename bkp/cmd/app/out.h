/* out: how figures, JSON and progress are shown to people and programs. */
#ifndef BKP_CMD_APP_OUT_H
#define BKP_CMD_APP_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/show/pace.h"

struct app;
struct json_t;
struct table;

#define OUT_BYTES PACE_SIZE /* room for out_bytes() */

/* "0 B", "1023 B", "1.4 GiB": powers of 1024, three significant digits at most; returns out. */
char *out_bytes(uint64_t n, char out[OUT_BYTES]);

/* Writes one JSON object and a newline to stdout, and lets it go.  NULL: out of memory.  An exit code:
 * `code`, or APP_FAILED after a report. */
int out_json(struct json_t *o, int code);

/* RFC 3339, UTC; null for 0. */
struct json_t *out_time_json(int64_t ns);

/* How wide lines may be: 80, or $COLUMNS where somebody has exported that. */
unsigned out_columns(void);

/* Writes the table to stdout behind `indent` spaces, in lines of so many columns (table_fit()), and frees it.  Likewise. */
int out_table(struct table *t, unsigned indent, int code);

/* Writes sentences and a newline, in lines of so many columns of which all but the first stand behind `indent` spaces.  at: columns of
 * the first one that are written already. */
void out_wrapped(FILE *to, unsigned at, unsigned indent, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Progress on stderr: a live line on a terminal (four times a second), else one line a minute; nothing with
 * --quiet. Memory and time of a call are negligible, so that it may be called for every chunk. */
struct out_progress {
	struct pace pace;
	bool quiet, shown;
};
void out_progress_begin(struct out_progress *p, const struct app *app, const char *what, uint64_t total);
/* Of what is done only `fresh` was work: base/show/pace.h. */
void out_progress_update(struct out_progress *p, uint64_t done, uint64_t fresh);
/* Clears the live line. */
void out_progress_end(struct out_progress *p);

#endif
