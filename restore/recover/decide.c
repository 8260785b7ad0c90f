/* decide: see decide.h. */
#include "restore/recover/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/procedure/procedure.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/choose/choose.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/drill/prepare.h"
#include "restore/recover/recovery.h"

/* ---- what there is to choose ---- */

/* The generation that a step is about: its own, or the one that was brought back last before it. */
static const struct drill_generation *about(const struct recovery *r, const struct drill_step *s)
{
	const struct drill_generation *g = NULL;
	const struct drill *d = r->s.d;

	for (size_t i = 0; i < d->n && d->order[i] != s; i++)
		if (d->order[i]->is->kind == PROCEDURE_RESTORE)
			g = d->order[i]->from;
	return s->is->kind == PROCEDURE_RESTORE ? s->from : g;
}

static const char *choices(const struct recovery *r, const struct drill_step *s)
{
	if (s->is->kind == PROCEDURE_GATE)
		return "ra";
	return about(r, s) ? "rmgsa" : "rsa";
}

/* ---- doing it ---- */

static bool to_next_medium(struct recovery *r, const struct drill_generation *g)
{
	struct app *app = r->s.app;
	struct drill *d = r->s.d;
	struct err err = ERR_INIT;
	size_t now = 0, next;

	while (now < app->n_media && app->vaults[now] != app->vault)
		now++;
	next = now;
	do
		next = (next + 1) % app->n_media;
	while (!app->vaults[next]);
	if (next == now) {
		err_set(&err, "E-RECOVER-10", "%s", text("no other medium was given"));
		err_hint(&err, "%s",
		    text(
			"attach it, and run the same command with --medium of it too: it goes on from here"));
		app_error(&err, APP_FAILED);
		return false;
	}
	app->vault = app->vaults[next];
	app->medium = app->media[next];
	app_note(app, text("from now on the first medium is %s"), app->medium);
	if (session_medium(&r->s, &err)) {
		app_error(&err, APP_FAILED);
		return false;
	}
	return !prepare_again(app, d, r->s.variables, &d->generation[g - d->generation], g->number,
	    &r->s.generation[g - d->generation]);
}

static bool to_older(struct recovery *r, const struct drill_generation *g)
{
	struct drill *d = r->s.d;
	struct choose c = {.sel = {.kind = SELECTOR_LATEST}, .below = g->number};
	struct err err = ERR_INIT;
	uint64_t number;

	snprintf(c.sel.dataset, sizeof(c.sel.dataset), "%s", g->dataset);
	if (choose_generation(r->s.app, &c, &number, &err)) {
		app_error(&err, APP_FAILED);
		return false;
	}
	app_note(
	    r->s.app, text("%s@%ju is taken in the place of %s"), g->dataset, (uintmax_t)number, g->label);
	return !prepare_again(r->s.app, d, r->s.variables, &d->generation[g - d->generation], number,
	    &r->s.generation[g - d->generation]);
}

static bool note_decision(
    const struct recovery *r, struct drill_step *s, char choice, const char *by, const char *reason)
{
	struct drill_decision *more = reallocarray(s->decision, s->n_decisions + 1, sizeof(*more));
	struct drill_decision *d;
	struct clock_stamp now;

	if (!more)
		return false;
	s->decision = more;
	d = &more[s->n_decisions];
	clock_now(&now);
	*d = (struct drill_decision){.choice = choice, .when_ns = now.wall_ns};
	snprintf(d->fault, sizeof(d->fault), "%s", s->why.code);
	d->by = strdup(by && *by ? by : r->s.d->operator_name);
	d->reason = strdup(reason ? reason : "");
	if (!d->by || !d->reason) {
		free(d->by);
		free(d->reason);
		return false;
	}
	s->n_decisions++;
	return true;
}

/* What is returned for it; 0: it cannot be done (said why). */
static char carry_out(struct recovery *r, struct drill_step *s, char choice, const char *by,
    const char *reason, const struct drill_generation **ret_g)
{
	const struct drill_generation *g = about(r, s);
	struct err err = ERR_INIT;

	if (!strchr(choices(r, s), choice)) {
		err_set(&err, "E-RECOVER-10", text("step '%s' cannot be answered with '%s'"), s->is->id,
		    drill_decision_word(choice));
		app_error(&err, APP_FAILED);
		return 0;
	}
	if ((choice == 'm' && !to_next_medium(r, g)) || (choice == 'g' && !to_older(r, g)))
		return 0;
	if (!note_decision(r, s, choice, by, reason))
		app_no_memory();
	*ret_g = g;
	return choice == 'm' ? 'g' : choice;
}

/* ---- who decides ---- */

/* The next one of the file for this step: as many as stand in the state were used. */
static const struct attest_decision *given(const struct recovery *r, const struct drill_step *s)
{
	const struct attest *a = r->s.attest;
	size_t skip = s->n_decisions;

	for (size_t i = 0; a && i < a->n_decisions; i++)
		if (a->decision[i].step == (size_t)(s - r->s.d->step) && !skip--)
			return &a->decision[i];
	return NULL;
}

/* The letter of one of `of`; 0: nobody answers. */
static char ask_letter(struct recovery *r, const char *question, const char *of)
{
	char letter = 0;

	while (!letter) {
		char *answer = NULL;

		if (replay_listen(&r->replay, question, &answer) != REPLAY_HEARD)
			return 0;
		letter = *answer && !answer[1] && strchr(of, *answer) ? *answer : 0;
		free(answer);
	}
	return letter;
}

static void show_choices(const char *of)
{
	fprintf(stderr, "    %s\n", text("this step failed; what now?"));
	for (; *of; of++)
		fprintf(stderr, "      %c  %s\n", *of, drill_decision_text(*of));
}

static char ask(struct recovery *r, struct drill_step *s, const struct drill_generation **ret_g)
{
	const char *of = choices(r, s);
	char *by = NULL, *reason = NULL, question[64], choice, done = 0;
	enum replay_heard h = REPLAY_HEARD;

	show_choices(of);
	snprintf(question, sizeof(question), "(%s)?", of);
	choice = ask_letter(r, question, of);
	if (choice)
		h = replay_listen(&r->replay, text("your name (empty: the operator)?"), &by);
	while (choice && h == REPLAY_HEARD && strchr("sa", choice) && (!reason || !*reason)) {
		free(reason);
		reason = NULL;
		h = replay_listen(&r->replay, text("for what reason?"), &reason);
	}
	if (choice && h == REPLAY_HEARD)
		done = carry_out(r, s, choice, by, reason, ret_g);
	free(by);
	free(reason);
	return choice && h == REPLAY_HEARD && !done ? '?' : done;
}

char decide(struct recovery *r, struct drill_step *s, const struct drill_generation **ret_g)
{
	const struct attest_decision *d = given(r, s);
	char choice = '?';

	if (d)
		return carry_out(r, s, d->choice, d->by, d->reason, ret_g);
	if (r->s.attest || !isatty(STDIN_FILENO))
		return 0;
	while (choice == '?') /* what was chosen cannot be done */
		choice = ask(r, s, ret_g);
	return choice;
}

char decide_cut_off(struct recovery *r, struct drill_step *s)
{
	char what[300], choice = 0;
	struct err err = ERR_INIT;

	path_show(s->what, what, sizeof(what));
	if (!r->s.attest && isatty(STDIN_FILENO)) {
		fprintf(stderr, "    %s: %s\n", text("this command was cut off, nobody knows where"), what);
		fprintf(stderr, "      r  %s\n      d  %s\n", text("run it again from its beginning"),
		    text("it was done to its end, as a look at the system shows"));
		choice = ask_letter(r, "(rd)?", "rd");
		if (choice == 'd' && !note_decision(r, s, 'd', NULL, NULL))
			app_no_memory();
		return choice;
	}
	err_set(&err, "E-RECOVER-07", text("%s:%u: this command was cut off, nobody knows where: %s"),
	    r->s.d->file, s->is->line, what);
	err_hint(&err, "%s",
	    text("look how far it came; on a terminal it is asked, or write 'again: yes' into the file of "
		 "--attest: "
		 "it is run again"));
	app_error(&err, APP_FAILED);
	return 0;
}
