/* progress: see progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"

#define NS	   INT64_C(1000000000)
#define LIVE_EVERY (NS / 5)
#define LINE_EVERY (60 * NS)

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

char *progress_size(uint64_t bytes, char out[PROGRESS_SIZE_TEXT])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 999.5 && i < 6) {
		v /= 1000;
		i++;
	}
	snprintf(out, PROGRESS_SIZE_TEXT, v < 10 && i ? "%.1f %s" : "%.0f %s", v, units[i]);
	return out;
}

void progress_begin(struct progress *p, uint64_t total, bool quiet)
{
	memset(p, 0, sizeof(*p));
	p->quiet = quiet;
	p->live = isatty(STDERR_FILENO);
	p->total = total;
	p->begun_ns = now();
	p->next_ns = p->begun_ns + (p->live ? LIVE_EVERY : LINE_EVERY);
}

double progress_seconds(const struct progress *p)
{
	return (double)(now() - p->begun_ns) / (double)NS;
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

static void eta(const struct progress *p, double rate, char *out, size_t size)
{
	uint64_t s;

	out[0] = '\0';
	if (p->total <= p->done || rate < 1)
		return;
	s = (uint64_t)((double)(p->total - p->done) / rate);
	snprintf(out, size, "  %" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);
}

static void show(struct progress *p, const char *current)
{
	char done[PROGRESS_SIZE_TEXT], total[PROGRESS_SIZE_TEXT], rate[PROGRESS_SIZE_TEXT], left[48],
	    name[256], line[512];
	double s = progress_seconds(p), per_s = s > 0 ? (double)p->done / s : 0;
	struct winsize w = {.ws_col = 80};
	int n;

	if (p->live && (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) || w.ws_col < 20))
		w.ws_col = 80;
	eta(p, per_s, left, sizeof(left));
	n = snprintf(line, sizeof(line), "%s", progress_size(p->done, done));
	if (p->total && n > 0)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " / %s  %2.0f %%",
		    progress_size(p->total, total), 100.0 * (double)p->done / (double)p->total);
	n += snprintf(
	    line + n, sizeof(line) - (size_t)n, "  %s/s%s", progress_size((uint64_t)per_s, rate), left);
	/* names can be wide: half the columns is always enough room for as many bytes */
	n = p->live ? (w.ws_col > n + 4 ? w.ws_col - n - 4 : 0) / 2 : 200;
	/* the end of a path says more than its beginning */
	if (current && n >= 8 && strlen(current) >= (size_t)n && strrchr(current, '/'))
		current = strrchr(current, '/') + 1;
	if (n < 8)
		name[0] = '\0';
	else
		path_show(current ? current : "", name, (size_t)n < sizeof(name) ? (size_t)n : sizeof(name));
	fprintf(stderr, p->live ? "\r\033[K%s  %s" : "%s  %s\n", line, name);
	fflush(stderr);
	p->shown = p->live;
}

void progress_set(struct progress *p, uint64_t done, const char *current)
{
	int64_t t;

	p->done = done;
	if (p->quiet)
		return;
	t = now();
	if (t < p->next_ns)
		return;
	p->next_ns = t + (p->live ? LIVE_EVERY : LINE_EVERY);
	show(p, current);
}

void progress_add(struct progress *p, uint64_t bytes, const char *current)
{
	progress_set(p, p->done + bytes, current);
}
