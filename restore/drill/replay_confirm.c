/* replay_confirm: a step that a person confirms, beforehand in a file or now on the terminal; see replay.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "restore/app/interrupt.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/drill/replay.h"

#define LINE 1024

/* SILENCE: the end of input, or it cannot be read */
enum heard { HEARD, SILENCE, INTERRUPTED };

/* One line of the terminal, without its end, safe. */
static enum heard listen_line(struct replay *r, const char *question, char **ret)
{
	char line[LINE];
	size_t n = 0;

	fprintf(stderr, "    %s ", question);
	fflush(stderr);
	for (;;) {
		struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt_fd(r->interrupt), POLLIN, 0}};
		ssize_t got;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return SILENCE;
		if (replay_interrupted(r))
			return INTERRUPTED;
		if (!fds[0].revents)
			continue;
		got = read(STDIN_FILENO, line + n, 1);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			return SILENCE;
		if (got > 0 && line[n] == '\n')
			break;
		if (got > 0 && n + 1 < LINE)
			n++;
	}
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\r'))
		n--;
	*ret = drill_safe(line, n);
	return *ret ? HEARD : SILENCE;
}

/* 1 yes, 0 no, -1 neither. */
static int meaning_of(const char *s)
{
	static const char *const yes[] = {"y", "yes", "はい", "ｙ", "h", "hai"};
	static const char *const no[] = {"n", "no", "いいえ", "ｎ", "i", "iie"};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (!strcasecmp(s, yes[i]))
			return 1;
		if (!strcasecmp(s, no[i]))
			return 0;
	}
	return -1;
}

/* A text of several lines, as commands to be typed, keeps its lines. */
static void show_text(const char *label, const char *s)
{
	char *safe = drill_safe(s, strlen(s)), *rest = safe, *line;

	fprintf(stderr, "    %s:", label);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			fprintf(stderr, "%s%s\n", line == safe ? " " : "      ", line);
	free(safe);
}

static enum heard ask_person(struct replay *r, struct drill_step *s)
{
	enum heard h = HEARD;
	int yes = -1;

	show_text(text("who"), s->who);
	show_text(text("what"), s->what);
	show_text(text("how"), s->how);
	show_text(text("passes when"), s->pass);
	while (yes < 0 && h == HEARD) {
		char *answer = NULL;

		h = listen_line(r, text("is it so? (yes/no)"), &answer);
		if (h == HEARD)
			yes = meaning_of(answer);
		free(answer);
	}
	if (h == HEARD)
		h = listen_line(r, text("your name (empty: the operator)?"), &s->by);
	if (h == HEARD && !s->by[0]) {
		free(s->by);
		s->by = strdup(r->d->operator_name);
	}
	if (h == HEARD)
		h = listen_line(r, text("remark (or empty)?"), &s->note);
	s->confirmed = h == HEARD && yes == 1;
	return h;
}

bool replay_confirm(struct replay *r, struct drill_step *s)
{
	const struct attest_answer *a = s->answer;
	enum heard h = HEARD;

	if (a) {
		s->by = strdup(a->by);
		s->note = a->note ? strdup(a->note) : NULL;
		s->confirmed = a->yes;
		if (!s->by || (a->note && !s->note)) {
			err_nomem(&s->why);
			return false;
		}
	} else {
		h = ask_person(r, s);
	}
	if (h == INTERRUPTED)
		err_set(&s->why, "E-DRILL-20", "%s", text("interrupted"));
	else if (h == SILENCE)
		err_set(&s->why, "E-DRILL-19", "%s", text("nobody answered"));
	else if (!s->confirmed)
		err_set(&s->why, "E-DRILL-19", "%s", text("it was answered with no"));
	return s->confirmed;
}
