/* lastclean: see lastclean.h. */
#include "restore/bisect/lastclean.h"

#include "base/text.h"

const char *lastclean_word(enum lastclean_state s)
{
	return s == LASTCLEAN_CLEAN ? "clean" : s == LASTCLEAN_BAD ? "unclean" : "unknown";
}

const char *lastclean_text(enum lastclean_state s)
{
	return s == LASTCLEAN_CLEAN ? text("none found")
	       : s == LASTCLEAN_BAD ? text("FOUND")
				    : text("UNKNOWN");
}

struct lastclean lastclean_judge(const struct lastclean_generation *g, size_t n)
{
	struct lastclean l = {n, n, n, 0};

	for (size_t i = 0; i < n; i++) {
		l.unknown += g[i].state == LASTCLEAN_UNKNOWN;
		if (g[i].state == LASTCLEAN_BAD) {
			l.first_bad = i;
			l.behind = l.behind == n ? l.last : l.behind;
			l.last = n;
		} else if (g[i].state == LASTCLEAN_CLEAN && l.last == n) {
			l.last = i;
		}
	}
	return l;
}
