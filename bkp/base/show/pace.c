/* pace: see pace.h.
 *
 * Two speeds are kept: that of the whole part, and `recent`, a mean of the last seconds.  The time left goes by the slower
 * one.  The speed that is shown is that of `fresh` over the whole part. */
#include "base/show/pace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"

#define FIGURES 512 /* room for what a line says besides names */

#define LIVE_EVERY (SECOND_NS / 4)
#define LINE_EVERY (60 * SECOND_NS)
#define TOO_SOON   0.1	/* seconds in which no speed can be told */
#define RECENT	   10.0 /* seconds that the last pace is made of */

int64_t pace_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

unsigned pace_columns(int fd)
{
	struct winsize w;

	if (!isatty(fd))
		return 0;
	return !ioctl(fd, TIOCGWINSZ, &w) && w.ws_col > 20 && w.ws_col < PACE_COLUMNS ? w.ws_col - 1u
										      : PACE_COLUMNS;
}

char *pace_size(uint64_t bytes, unsigned unit, char out[PACE_SIZE])
{
	static const char *const units[2][7] = {
	    {"B", "kB", "MB", "GB", "TB", "PB", "EB"}, {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}};
	double v = (double)bytes;
	size_t u = 0;

	/* whole bytes up to 1023 in binary units */
	for (; v >= (u || unit == 1000 ? 999.5 : 1024) && u < 6; u++)
		v /= unit;
	snprintf(out, PACE_SIZE, u && v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[unit == 1024][u]);
	return out;
}

void pace_begin(
    struct pace *p, const char *what, uint64_t total, unsigned unit, unsigned columns, int64_t now)
{
	*p = (struct pace){
	    .what = what, .total = total, .unit = unit, .columns = columns, .begun_ns = now, .seen_ns = now};
	p->next_ns = now + (columns ? LIVE_EVERY : LINE_EVERY);
}

/* A measurement over s seconds has the weight s / (s + RECENT): older ones fade.  The first one counts whole. */
static void measure_pace(struct pace *p, int64_t now)
{
	double s = (double)(now - p->seen_ns) / (double)SECOND_NS, pace;

	if (s < TOO_SOON)
		return;
	pace = p->done > p->seen ? (double)(p->done - p->seen) / s : 0;
	p->recent = p->seen_ns == p->begun_ns ? pace : p->recent + s / (s + RECENT) * (pace - p->recent);
	p->seen = p->done;
	p->seen_ns = now;
}

/* Cuts s, in place and between characters, to so many columns of a terminal. */
static void cut_to_columns(char *s, size_t columns)
{
	size_t n = strlen(s), at = 0, len, width = 0;
	uint32_t cp;

	for (; at < n; at += len) {
		len = width_decode(s + at, n - at, &cp);
		width += cp == UINT32_MAX ? 1 : width_char(cp);
		if (width > columns)
			break;
	}
	s[at] = '\0';
}

/* "1.2 GiB / about 2.6 GiB  46 %  21 MiB/s new  0:01:05 left" */
static void format_figures(const struct pace *p, int64_t now, char out[FIGURES])
{
	char done[PACE_SIZE], total[PACE_SIZE], rate[PACE_SIZE], left[32];
	double s = (double)(now - p->begun_ns) / (double)SECOND_NS,
	       slow = s >= TOO_SOON ? (double)p->done / s : 0;
	bool known = p->total && (p->done <= p->total || !p->about); /* an estimate that was passed is none */
	int n = snprintf(out, FIGURES, "%s", pace_size(p->done, p->unit, done));

	slow = slow < p->recent ? slow : p->recent;
	if (known)
		n += snprintf(out + n, FIGURES - (size_t)n, " / %s%s  %u %%", p->about ? text("about ") : "",
		    pace_size(p->total, p->unit, total),
		    p->done < p->total ? (unsigned)(100.0 * (double)p->done / (double)p->total) : 100);
	if (s >= TOO_SOON)
		n += snprintf(out + n, FIGURES - (size_t)n, p->fresh_only ? text("  %s/s new") : "  %s/s",
		    pace_size((uint64_t)((double)p->fresh / s), p->unit, rate));
	if (!known || p->done >= p->total || slow < 1)
		return;
	s = (double)(p->total - p->done) / slow;
	snprintf(left, sizeof(left), "%" PRIu64 ":%02u:%02u", (uint64_t)s / 3600,
	    (unsigned)((uint64_t)s / 60 % 60), (unsigned)((uint64_t)s % 60));
	snprintf(out + n, FIGURES - (size_t)n, text("  %s left"), left);
}

const char *pace_step(
    struct pace *p, int64_t now, uint64_t done, uint64_t fresh, const char *current, char out[PACE_LINE])
{
	char line[FIGURES], name[160], what[160];
	size_t columns;

	p->done = done;
	p->fresh = fresh;
	if (now < p->next_ns)
		return NULL;
	p->next_ns = now + (p->columns ? LIVE_EVERY : LINE_EVERY);
	measure_pace(p, now);
	format_figures(p, now, line);
	columns = width_text(line);
	columns = !p->columns ? sizeof(name) : columns + 2 < p->columns ? p->columns - columns - 2 : 0;
	if (p->columns)
		cut_to_columns(line, p->columns);
	path_show(p->what, what, sizeof(what));
	cut_to_columns(what, columns);
	columns -= width_text(what) + 2 < columns ? width_text(what) + 2 : columns;
	/* the end of a path says more than its beginning */
	if (current && strlen(current) > columns && strrchr(current, '/'))
		current = strrchr(current, '/') + 1;
	path_show(current && columns >= 8 ? current : "", name, sizeof(name));
	cut_to_columns(name, columns);
	snprintf(out, PACE_LINE, "%s%s%s%s%s%s%s", p->columns ? "\r\033[K" : "", what, *what ? "  " : "",
	    line, *name ? "  " : "", name, p->columns ? "" : "\n");
	return out;
}
