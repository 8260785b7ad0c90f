/* progress: see progress.h. */
#include "restore/app/progress.h"

#include <stdio.h>
#include <unistd.h>

char *progress_size(uint64_t bytes, char out[PROGRESS_SIZE_TEXT])
{
	return pace_size(bytes, 1000, out);
}

void progress_begin(struct progress *p, uint64_t total, bool quiet)
{
	*p = (struct progress){.quiet = quiet};
	pace_begin(&p->pace, "", total, 1000, pace_columns(STDERR_FILENO), pace_now());
}

double progress_seconds(const struct progress *p)
{
	return (double)(pace_now() - p->pace.begun_ns) / 1e9;
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

void progress_set(struct progress *p, uint64_t done, const char *current)
{
	char line[PACE_LINE];

	p->pace.done = done;
	if (p->quiet || !pace_step(&p->pace, pace_now(), done, done, current, line))
		return;
	fputs(line, stderr);
	fflush(stderr);
	p->shown = p->pace.columns != 0;
}

void progress_add(struct progress *p, uint64_t bytes, const char *current)
{
	progress_set(p, p->pace.done + bytes, current);
}
