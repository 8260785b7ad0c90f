/* replay_confirm: a step that a person confirms, or people sign, beforehand in a file or now on the terminal; see replay.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/drill/replay.h"
#include "restore/drill/variables.h"
#include "restore/extract/scratch.h"

#define LINE	    1024
#define NAMES_BYTES 8192

enum replay_heard replay_listen(struct replay *r, const char *question, char **ret)
{
	char line[LINE];
	size_t n = 0;

	fprintf(stderr, "    %s ", question);
	fflush(stderr);
	for (;;) {
		struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt_fd(r->interrupt), POLLIN, 0}};
		ssize_t got;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return REPLAY_SILENCE;
		if (replay_interrupted(r))
			return REPLAY_INTERRUPTED;
		if (!fds[0].revents)
			continue;
		got = read(STDIN_FILENO, line + n, 1);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			return REPLAY_SILENCE;
		if (got > 0 && line[n] == '\n')
			break;
		if (got > 0 && n + 1 < LINE)
			n++;
	}
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\r'))
		n--;
	*ret = drill_safe(line, n);
	return *ret ? REPLAY_HEARD : REPLAY_SILENCE;
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

/* ---- what is looked at one by one ---- */

static bool add_seen(struct drill_step *s, char *name)
{
	struct drill_seen *more = reallocarray(s->seen, s->n_seen + 1, sizeof(*more));

	s->seen = more ? more : s->seen;
	if (!more || !name) {
		free(name);
		err_nomem(&s->why);
		return false;
	}
	s->seen[s->n_seen++] = (struct drill_seen){.name = name};
	return true;
}

/* The lines of a file that a step before has left: whatever it is and holds. */
static bool read_names(const struct replay *r, struct drill_step *s)
{
	IO_FD_AUTO fd =
	    openat(scratch_fd(r->scratch), s->is->names_from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text_of[NAMES_BYTES + 1], *rest = text_of, *line;
	struct stat st;
	ssize_t n = fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)
			? -1
			: io_read_full(fd, text_of, sizeof(text_of));

	if (n >= 0 && n <= NAMES_BYTES) {
		text_of[n] = '\0';
		while ((line = strsep(&rest, "\n")) && s->n_seen <= PROCEDURE_NAMES_MAX)
			if (*line && !add_seen(s, drill_safe(line, strlen(line))))
				return false;
	}
	if (n >= 0 && s->n_seen && s->n_seen <= PROCEDURE_NAMES_MAX)
		return true;
	err_set(&s->why, "E-DRILL-30", text("'%s' holds no names to be looked at (1 to %d lines)"),
	    s->is->names_from, PROCEDURE_NAMES_MAX);
	err_hint(&s->why, "%s", text("a step before is to leave it in the scratch folder, one name a line"));
	return false;
}

/* Each is answered for by itself; what was not looked at has no answer. */
static enum replay_heard ask_names(struct replay *r, struct drill_step *s, bool *ret_all)
{
	enum replay_heard h = REPLAY_HEARD;

	for (size_t i = 0; i < s->n_seen && h == REPLAY_HEARD; i++) {
		struct drill_seen *k = &s->seen[i];
		int yes = -1;

		show_text(text("look at"), k->name);
		while (yes < 0 && h == REPLAY_HEARD) {
			char *answer = NULL;

			h = replay_listen(r, text("is it so? (yes/no)"), &answer);
			if (h == REPLAY_HEARD)
				yes = meaning_of(answer);
			free(answer);
		}
		if (h == REPLAY_HEARD)
			h = replay_listen(r, text("remark (or empty)?"), &k->note);
		k->answered = yes >= 0;
		k->yes = yes == 1;
		*ret_all &= k->yes;
	}
	return h;
}

static enum replay_heard ask_person(struct replay *r, struct drill_step *s)
{
	enum replay_heard h;
	bool all = true;
	int yes = -1;

	show_text(text("who"), s->who);
	show_text(text("what"), s->what);
	show_text(text("how"), s->how);
	show_text(text("passes when"), s->pass);
	h = ask_names(r, s, &all);
	if (s->n_seen)
		yes = all;
	while (yes < 0 && h == REPLAY_HEARD) {
		char *answer = NULL;

		h = replay_listen(r, text("is it so? (yes/no)"), &answer);
		if (h == REPLAY_HEARD)
			yes = meaning_of(answer);
		free(answer);
	}
	if (h == REPLAY_HEARD)
		h = replay_listen(r, text("your name (empty: the operator)?"), &s->by);
	if (h == REPLAY_HEARD && !s->by[0]) {
		free(s->by);
		s->by = strdup(r->d->operator_name);
	}
	if (h == REPLAY_HEARD)
		h = replay_listen(r, text("remark (or empty)?"), &s->note);
	s->confirmed = h == REPLAY_HEARD && yes == 1;
	return h;
}

static bool say_unheard(struct drill_step *s, enum replay_heard h)
{
	if (h == REPLAY_INTERRUPTED)
		err_set(&s->why, "E-DRILL-20", "%s", text("interrupted"));
	else if (h == REPLAY_SILENCE)
		err_set(&s->why, "E-DRILL-19", "%s", text("nobody answered"));
	return h != REPLAY_HEARD;
}

bool replay_confirm(struct replay *r, struct drill_step *s)
{
	const struct attest_answer *a = s->answer;
	enum replay_heard h = REPLAY_HEARD;

	for (size_t i = 0; i < s->n_seen; i++) { /* of a former try */
		free(s->seen[i].name);
		free(s->seen[i].note);
	}
	s->n_seen = 0;
	for (size_t i = 0; i < s->is->n_names; i++)
		if (!add_seen(s, variables_expand(r->d->variables, s->is->names[i], &s->why)))
			return false;
	if (s->is->names_from && !read_names(r, s))
		return false;
	s->not_asked = !a && r->app->unattended;
	if (s->not_asked)
		return true;
	if (a) {
		for (size_t i = 0; i < s->n_seen; i++)
			s->seen[i].answered = true, s->seen[i].yes = a->yes;
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
	if (!say_unheard(s, h) && !s->confirmed)
		err_set(&s->why, "E-DRILL-19", "%s", text("it was answered with no"));
	return s->confirmed;
}

/* ---- a gate ---- */

static bool has_signed(const struct drill_step *s, const char *by)
{
	for (size_t i = 0; i < s->n_signers; i++)
		if (!strcmp(s->signer[i].by, by))
			return true;
	return false;
}

static bool add_signer(struct drill_step *s, const char *by, const char *evidence)
{
	struct drill_signer *more = reallocarray(s->signer, s->n_signers + 1, sizeof(*more));
	struct drill_signer one = {strdup(by), strdup(evidence), 0};
	struct clock_stamp now;

	clock_now(&now);
	one.when_ns = now.wall_ns;
	s->signer = more ? more : s->signer;
	if (!more || !one.by || !one.evidence) {
		free(one.by);
		free(one.evidence);
		err_nomem(&s->why);
		return false;
	}
	s->signer[s->n_signers++] = one;
	return true;
}

/* One person of those that are to sign; false: it is not signed (why, where that is to be said). */
static bool ask_signer(struct replay *r, struct drill_step *s)
{
	char *by = NULL, *evidence = NULL, *answer = NULL, question[200];
	enum replay_heard h;
	int yes = -1;
	bool well = false;

	snprintf(question, sizeof(question), text("who signs for '%s' (%zu of %u)? name:"), s->is->role,
	    s->n_signers + 1, s->is->people);
	h = replay_listen(r, question, &by);
	while (h == REPLAY_HEARD && yes < 0) {
		free(answer);
		answer = NULL;
		h = replay_listen(r, text("is it so? (yes/no)"), &answer);
		yes = h == REPLAY_HEARD ? meaning_of(answer) : -1;
	}
	while (h == REPLAY_HEARD && yes == 1 && (!evidence || !*evidence)) {
		free(evidence);
		evidence = NULL;
		h = replay_listen(r, text("evidence (what was looked at, where it is written)?"), &evidence);
	}
	if (say_unheard(s, h))
		;
	else if (yes == 0)
		err_set(&s->why, "E-DRILL-19", "%s", text("it was answered with no"));
	else if (!*by || has_signed(s, by))
		fprintf(stderr, "    %s\n", text("a name, and of each person only once"));
	else
		well = add_signer(s, by, evidence);
	free(by);
	free(evidence);
	free(answer);
	return well;
}

/* Whom the file of answers names; those that are there stay. */
static bool take_signers(struct drill_step *s)
{
	for (const struct attest_answer *a = s->answer; a && a->given; a = a->more) {
		if (!a->yes) {
			err_set(&s->why, "E-DRILL-19", text("'%s' answered with no"), a->by);
			return false;
		}
		if (s->n_signers < s->is->people && !has_signed(s, a->by) && !add_signer(s, a->by, a->note))
			return false;
	}
	return true;
}

bool replay_gate(struct replay *r, struct drill_step *s)
{
	s->mock = !r->d->recovery;
	if (s->mock)
		app_note(r->app, "    %s", text("MOCK: in a drill nothing is confirmed by signing here"));
	s->not_asked = !s->answer && r->app->unattended;
	if (s->not_asked)
		return true;
	if (!take_signers(s))
		return false;
	if (s->n_signers < s->is->people && !s->answer && isatty(STDIN_FILENO)) {
		show_text(text("what"), s->what);
		show_text(text("how"), s->how);
		show_text(text("passes when"), s->pass);
		show_text(text("what is signed"), s->statement ? s->statement : s->what);
		while (s->n_signers < s->is->people && !s->why.code[0])
			(void)ask_signer(r, s);
	}
	if (s->n_signers >= s->is->people)
		return true;
	if (!s->why.code[0]) {
		err_set(&s->why, "E-DRILL-27", text("the gate is not signed: %zu of %u for '%s'"),
		    s->n_signers, s->is->people, s->is->role);
		err_hint(&s->why,
		    text("each signs by name and evidence: {step: %s, answer: yes, by: NAME, note: "
			 "EVIDENCE} in the file of --attest"),
		    s->is->id);
	}
	return false;
}
