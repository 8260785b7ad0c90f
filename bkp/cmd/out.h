/* out: how figures, JSON and progress are shown to people and programs. */
#ifndef BKP_CMD_OUT_H
#define BKP_CMD_OUT_H

#include <stdint.h>

struct app;
struct err;
struct json_t;
struct table;

#define OUT_BYTES 24 /* room for out_bytes() */

/* "0 B", "1023 B", "1.4 GiB": powers of 1024, three significant digits at most; returns out. */
char *out_bytes(uint64_t n, char out[OUT_BYTES]);

/* Writes one JSON object and a newline to stdout, and lets it go.  NULL: out of memory.  An exit code:
 * `code`, or APP_FAILED after a report. */
int out_json(struct json_t *o, int code);

/* Writes the table to stdout behind `indent` spaces, and frees it.  Likewise. */
int out_table(struct table *t, unsigned indent, int code);

/* Progress on stderr: a live line on a terminal (four times a second), else one line a minute; nothing with
 * --quiet. Memory and time of a call are negligible, so that it may be called for every chunk. */
struct out_progress {
	const char *what; /* "capture" …, already in the reader's language */
	uint64_t total;	  /* bytes; 0: not known */
	int64_t began_ns, shown_ns;
	int live, quiet;
	unsigned shown; /* lines or redraws so far */
};
void out_progress_begin(struct out_progress *p, const struct app *app, const char *what, uint64_t total);
void out_progress_update(struct out_progress *p, uint64_t done);
/* Clears the live line. */
void out_progress_end(struct out_progress *p);

#endif
