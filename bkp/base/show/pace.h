/* pace: how far, how fast, how long still, as one line of text; the caller prints it.
 *
 *     pace_begin() for each part of the work → pace_step() as often as it likes, which gives a line now and then
 *
 * Speed is that of `fresh` alone: what was stored before, or is only referred to again, was no work.  The
 * time left goes by `done`, at the slower of the pace of the whole part and that of the last seconds: what
 * was skipped at first, as after a resume, promises nothing.  A call costs a look at the clock.
 */
#ifndef BKP_BASE_SHOW_PACE_H
#define BKP_BASE_SHOW_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SIZE    24	  /* room for pace_size() */
#define PACE_LINE    1024 /* room for a line */
#define PACE_COLUMNS 79	  /* that one takes on a terminal at most */

struct pace {
	const char *what; /* in the reader's language, or ""; borrowed */
	uint64_t total;	  /* bytes; 0: not known */
	bool about;	  /* the total is an estimate, and is said to be one */
	bool fresh_only;  /* the speed is said to be that of what is new */
	unsigned columns; /* a line of a terminal, drawn again over itself; 0: a line a minute */
	unsigned unit;	  /* 1000 or 1024: see pace_size() */
	uint64_t done, fresh;
	int64_t begun_ns, next_ns, seen_ns;
	uint64_t seen;
	double recent; /* bytes a second */
};

int64_t pace_now(void); /* CLOCK_MONOTONIC, ns */
/* Of the terminal, for pace_begin(); 0: it is none. */
unsigned pace_columns(int fd);
void pace_begin(
    struct pace *p, const char *what, uint64_t total, unsigned unit, unsigned columns, int64_t now);
/* So much is done, so much of it was work; current: a path, or NULL.  NULL: nothing is to be shown yet; else
 * out, with all that it takes to draw it. */
const char *pace_step(
    struct pace *p, int64_t now, uint64_t done, uint64_t fresh, const char *current, char out[PACE_LINE]);

/* "1.5 GB" (unit 1000) or "1.5 GiB" (1024), three digits at most, into out; returns out. */
char *pace_size(uint64_t bytes, unsigned unit, char out[PACE_SIZE]);

#endif
