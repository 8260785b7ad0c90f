/* cmd_guard_show: bkp guard show: what the guard found, in words for whoever must decide, with files by name, and what to do in which
 * order.
 *
 * Figures are those of the journal.  Names stand in the state folder alone (cache/guard/DATASET.examples, a line each: a word, a tab, the
 * path percent-encoded), which anybody on this host may have written: they are shown, nothing is opened. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/out.h"
#include "cmd/guard/cmd_guard.h"
#include "cmd/show/overview.h"
#include "format/guard/announce.h"
#include "format/guard/guard.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define EXAMPLES      3
#define EXAMPLES_MAX  ((size_t)64 << 10)
#define SHOW	      512
#define INDENT	      4
#define DECIDE_LABELS ((size_t)4096)

/* What each figure is in plain words, behind its number; of a command's output, of which there is one. */
static const struct row {
	uint32_t reason; /* enum guard_reason */
	const char *figure, *words, *stream;
} rows[] = {
    {GUARD_R_CANARY, "canaries",
	TEXT_LATER("canary files, which nobody ever changes, were changed or are gone"), NULL},
    {GUARD_R_HARM, "harmed", TEXT_LATER("files look encrypted or destroyed"), NULL},
    {GUARD_R_HARM, "lost",
	TEXT_LATER("files are no longer what they were: no document, no image, only bytes"),
	TEXT_LATER("what the command gives is no longer what it was")},
    {GUARD_R_HARM, "broken", TEXT_LATER("files are whole only at their beginning"), NULL},
    {GUARD_R_HARM, "alien", TEXT_LATER("new files are not what their names say"), NULL},
    {GUARD_R_DENSE, "dense", TEXT_LATER("files look encrypted"),
	TEXT_LATER("what the command gives looks encrypted")},
    {GUARD_R_SEALED, "sealed", TEXT_LATER("files can only be opened with a password"), NULL},
    {GUARD_R_ROWS, "tables_harmed", TEXT_LATER("tables of the database cannot be read any more"),
	TEXT_LATER("tables of the database cannot be read any more")},
    {GUARD_R_NEWKIND, "strange", TEXT_LATER("files have endings that were never seen here"), NULL},
    {GUARD_R_CHANGED, "changed", TEXT_LATER("files were changed"), NULL},
    {GUARD_R_CHANGED, "rewritten",
	TEXT_LATER("files were overwritten in several folders, more than usual there"), NULL},
    {GUARD_R_DELETED, "deleted", TEXT_LATER("files were deleted"), NULL},
    {GUARD_R_DELETED, "removed", TEXT_LATER("files were deleted in several folders, more than usual there"),
	NULL},
    {GUARD_R_DELETED, "emptied", TEXT_LATER("files were deleted with nearly all of their folder"), NULL},
    {GUARD_R_RENAMED, "renamed", TEXT_LATER("files were renamed"), NULL},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

struct example {
	const char *what; /* in the reader's language */
	bool there;	  /* it can be opened: it was not deleted */
	char path[SHOW];
};

static const struct {
	const char *word, *what;
	bool there;
} words[] = {{"harmed", TEXT_LATER("looks harmed"), true},
    {"alien", TEXT_LATER("not what its name says"), true}, {"sealed", TEXT_LATER("wants a password"), true},
    {"rewritten", TEXT_LATER("was rewritten"), true}, {"deleted", TEXT_LATER("was deleted"), false}};

struct finding {
	const struct ledger *l;
	const struct ledger_generation *g;
	bool stream;
	struct figures {
		uint64_t now, recent, usual;
	} figures[ROWS]; /* now 0 and recent 0: nothing is said of it */
	struct example examples[EXAMPLES];
	size_t n_examples;
	char undecided[DECIDE_LABELS]; /* "docs@42 docs@43": all of the data set that are to be decided */
};

static bool is_undecided(const struct ledger_generation *g)
{
	return g->state == LEDGER_COMMITTED && g->suspect && !g->held_ns;
}

static bool says_more(const struct ledger_generation *g)
{
	return !g->guard.reasons || g->guard.reasons & ~(uint32_t)GUARD_R_STILL;
}

/* ---- which generation ---- */

/* The night on which it began: the first of the data set on which nobody has decided, and that says more than that it is suspect still. */
static const struct ledger_generation *find_first(
    const struct ledger *l, const struct ledger_generation *last)
{
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (is_undecided(g) && says_more(g) && !strcmp(g->dataset, last->dataset))
			return g;
	}
	return last;
}

/* Of the data set (NULL: of any) what nobody has decided on; else the newest that is suspect, or of which there is a notice. */
static const struct ledger_generation *find_newest(const struct ledger *l, const char *dataset)
{
	const struct ledger_generation *other = NULL;

	for (size_t i = ledger_generations(l); i--;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (dataset && strcmp(g->dataset, dataset) != 0)
			continue;
		if (is_undecided(g))
			return find_first(l, g);
		if (!other && g->state == LEDGER_COMMITTED && (g->suspect || *g->notice))
			other = g;
	}
	return other;
}

/* 0, or an exit code after a report; *ret NULL: there is nothing to show. */
static int find_asked(const struct app *app, const struct policy *policy, const struct ledger *l,
    char **words_, int n, const struct ledger_generation **ret)
{
	struct chosen c = {0};
	int code = chosen_parse(words_, (size_t)n, true, &c);

	*ret = NULL;
	if (code)
		return code;
	if (!c.n_asked || c.asked[0].whole) {
		const char *name = c.n_asked ? c.asked[0].typed : NULL;

		if (name && !policy_find_dataset(policy, name) && !ledger_last_committed(l, name))
			code = app_unknown(app, policy_suggest_dataset(policy, name),
			    text("'%s' is not a data set of the policy, and there is no generation of it"),
			    name);
		else
			*ret = find_newest(l, name);
	} else {
		code = chosen_find(l, true, &c);
		code = code ? code : c.code == APP_FAILED ? APP_FAILED : APP_OK;
		for (size_t i = 0; i < c.n && !code; i++) {
			const struct ledger_generation *g =
			    ledger_generation_of(l, c.item[i].dataset, c.item[i].number);

			if (!*ret || (g->suspect && !(*ret)->suspect))
				*ret = g;
		}
	}
	chosen_free(&c);
	return code;
}

/* ---- what was found ---- */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t figure_of(const struct ledger_generation *g, const char *name)
{
	for (size_t i = 0; i < GUARD_FIGURES; i++)
		if (!strcmp(guard_figures[i].name, name))
			return guard_figure(&g->guard, &guard_figures[i]);
	return 0;
}

/* That of this generation; summed up over GUARD_WINDOW of those that nobody doubted, back to the last that a person accepted; their
 * median. */
static struct figures measure(const struct finding *f, const char *name)
{
	struct figures r = {figure_of(f->g, name), figure_of(f->g, name), 0};
	uint64_t former[GUARD_HISTORY];
	size_t n = 0, captures = 1;
	bool open = true;

	for (size_t i = ledger_generations(f->l); i-- && n < GUARD_HISTORY;) {
		const struct ledger_generation *g = ledger_generation(f->l, i);

		if (g->number >= f->g->number || strcmp(g->dataset, f->g->dataset) != 0 || !g->guard.measured)
			continue;
		if (g->guard.suspect && !g->accepted_ns)
			continue;
		open = open && ++captures <= GUARD_WINDOW && !g->accepted_ns;
		r.recent += open ? figure_of(g, name) : 0;
		former[n++] = figure_of(g, name);
	}
	qsort(former, n, sizeof(*former), by_size);
	r.usual = n ? former[n / 2] : 0;
	return r;
}

static void take_example(struct finding *f, const char *line, size_t n)
{
	BUF_AUTO path = BUF_INIT(EXAMPLES_MAX);
	size_t word = strcspn(line, "\t");

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct example *e = &f->examples[f->n_examples];
		size_t slash = 0;

		if (word >= n || strlen(words[i].word) != word || memcmp(words[i].word, line, word) != 0 ||
		    path_decode(line + word + 1, n - word - 1, &path, NULL) || buf_terminate(&path, NULL))
			continue;
		slash = path.n && path.p[0] != '/'; /* as the catalog has it */
		e->path[0] = '/';
		path_show((char *)path.p, e->path + slash, sizeof(e->path) - slash);
		e->what = text(words[i].what);
		e->there = words[i].there;
		f->n_examples++;
		return;
	}
}

/* Nothing newer was found good: what the file names is of this generation, or of one behind it that is suspect, too. */
static bool has_examples(const struct finding *f)
{
	for (size_t i = ledger_generations(f->l); i--;) {
		const struct ledger_generation *g = ledger_generation(f->l, i);

		if (g->number > f->g->number && !strcmp(g->dataset, f->g->dataset) &&
		    g->state == LEDGER_COMMITTED && !g->suspect)
			return false;
	}
	return true;
}

static void find_examples(struct finding *f, const struct policy *policy)
{
	BUF_AUTO raw = BUF_INIT(EXAMPLES_MAX);
	IO_FD_AUTO state = open(policy->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	IO_FD_AUTO cache = -1;
	IO_FD_AUTO dir = -1;
	char name[GENERATION_NAME + 16];
	const char *p, *end;

	if (!has_examples(f) || state < 0 || (cache = io_open_dir(state, "cache", NULL)) < 0 ||
	    (dir = io_open_dir(cache, "guard", NULL)) < 0)
		return;
	snprintf(name, sizeof(name), "%s.examples", f->g->dataset);
	if (io_read_file(dir, name, &raw, NULL) || buf_terminate(&raw, NULL))
		return;
	for (p = (char *)raw.p, end = p + raw.n; p < end && f->n_examples < EXAMPLES;) {
		size_t n = strcspn(p, "\n");

		take_example(f, p, n);
		p += n + 1;
	}
}

static void look(struct finding *f, const struct policy *policy)
{
	const struct policy_dataset *d = policy_find_dataset(policy, f->g->dataset);
	uint64_t harmed = figure_of(f->g, "harmed");
	uint32_t reasons = f->g->guard.reasons ? f->g->guard.reasons : ~(uint32_t)0;
	char label[GENERATION_LABEL];
	size_t used = 0;

	f->stream = d && !d->n_paths && d->format == POLICY_STREAM;
	for (size_t i = 0; i < ROWS; i++) {
		bool of_harmed =
		    rows[i].reason & (GUARD_R_HARM | GUARD_R_DENSE) && strcmp(rows[i].figure, "harmed") != 0;

		/* each file once: how it is harmed is what "harmed" has in all */
		if (reasons & rows[i].reason && (f->stream ? rows[i].stream != NULL : !of_harmed || !harmed))
			f->figures[i] = measure(f, rows[i].figure);
	}
	find_examples(f, policy);
	for (size_t i = 0; i < ledger_generations(f->l); i++) {
		const struct ledger_generation *g = ledger_generation(f->l, i);

		if (is_undecided(g) && !strcmp(g->dataset, f->g->dataset) &&
		    used + GENERATION_LABEL < DECIDE_LABELS)
			used += (size_t)snprintf(f->undecided + used, DECIDE_LABELS - used, "%s%s",
			    used ? " " : "", generation_label(g->dataset, g->number, label));
	}
}

/* ---- shown ---- */

static const char *verdict_of(const struct ledger_generation *g)
{
	return is_undecided(g)	? text("suspect, and nobody has decided")
	       : g->suspect	? text("suspect, and held")
	       : g->accepted_ns ? text("accepted: a person found it right")
	       : *g->notice	? text("as somebody had announced")
				: text("nothing is suspect");
}

static void show_figures(const struct finding *f)
{
	char show[4 * GUARD_WHY];
	bool any = false;

	for (size_t i = 0; i < ROWS; i++) {
		const struct figures *n = &f->figures[i];

		if (!n->now && !n->recent)
			continue;
		any = true;
		if (f->stream && rows[i].reason != GUARD_R_ROWS)
			out_wrapped(stdout, 0, INDENT, "  %s", text(rows[i].stream));
		else if (rows[i].reason == GUARD_R_CANARY)
			out_wrapped(stdout, 0, INDENT, "  %ju %s", n->now, text(rows[i].words));
		else if (n->recent > n->now)
			out_wrapped(stdout, 0, INDENT,
			    text("  %ju %s; in the last %d captures %ju (usually %ju a night)"), n->now,
			    text(rows[i].words), GUARD_WINDOW, n->recent, n->usual);
		else
			out_wrapped(stdout, 0, INDENT, text("  %ju %s (usually %ju)"), n->now,
			    text(rows[i].words), n->usual);
	}
	if (!any && *f->g->suspicion)
		out_wrapped(stdout, 0, INDENT, "  %s", path_show(f->g->suspicion, show, sizeof(show)));
	if (*f->g->notice)
		out_wrapped(stdout, 0, INDENT, "  %s", path_show(f->g->notice, show, sizeof(show)));
}

static void show_examples(const struct finding *f)
{
	if (f->n_examples)
		puts(text("Files, by name"));
	for (size_t i = 0; i < f->n_examples; i++)
		printf("  %s (%s)\n", f->examples[i].path, f->examples[i].what);
}

/* The steps, in their order; i from 0; NULL: there are no more. */
static char *step(const struct finding *f, unsigned i)
{
	char *s = NULL;
	bool there = false;
	int n = -1;

	for (size_t k = 0; k < f->n_examples; k++)
		there |= f->examples[k].there;
	if (i == 0)
		n = asprintf(
		    &s, "%s", text("Attach no disk that is kept offline. Is one attached: take it out now."));
	else if (i == 1 && there)
		n = asprintf(&s, "%s",
		    text("Open the files above, and one that was used yesterday. Can they be read?"));
	else if (i == 1)
		n = asprintf(
		    &s, "%s", text("Open three files of it that were used yesterday. Can they be read?"));
	else if (i == 2)
		n = asprintf(&s, "%s",
		    text("Ask colleagues and the vendor: was something moved, updated, converted or "
			 "scanned?"));
	else if (i == 3)
		n = asprintf(&s,
		    text("All can be read, and somebody knows why: 'bkp accept %s --operator NAME --reason "
			 "TEXT'"),
		    f->undecided);
	else if (i == 4)
		n = asprintf(&s,
		    text("One cannot be read, or nobody knows why: take this computer off the network, do "
			 "not switch "
			 "it off, call for help, and 'bkp hold %s --operator NAME --reason TEXT'"),
		    f->undecided);
	return n < 0 ? NULL : s;
}

static void show_steps(const struct finding *f)
{
	static const char *const numbers[] = {"1", "2", "3", "4a", "4b"};
	char *s;

	if (!is_undecided(f->g))
		return;
	puts(text("What to do, in this order"));
	for (unsigned i = 0; (s = step(f, i)); i++) {
		out_wrapped(stdout, 0, 5, " %2s. %s", numbers[i], s);
		free(s);
	}
}

static int show_text(const struct finding *f)
{
	char label[GENERATION_LABEL], time[CLOCK_TEXT];

	out_wrapped(stdout, 0, INDENT, "%s  %s  %s", generation_label(f->g->dataset, f->g->number, label),
	    clock_format_local(f->g->begun_ns, time), verdict_of(f->g));
	if (is_undecided(f->g) && strchr(f->undecided, ' '))
		out_wrapped(stdout, 0, INDENT, text("  to be decided on: %s"), f->undecided);
	show_figures(f);
	show_examples(f);
	show_steps(f);
	return app_flush(is_undecided(f->g) ? APP_ATTENTION : APP_OK);
}

static int show_json(const struct finding *f)
{
	const struct ledger_generation *g = f->g;
	json_t *figures = json_object(), *examples = json_array(), *reasons = json_array(),
	       *steps = json_array();
	const char *word;
	uint32_t one;
	char *s;

	for (size_t i = 0; i < ROWS; i++)
		if (f->figures[i].now || f->figures[i].recent)
			json_object_set_new(figures, rows[i].figure,
			    json_pack("{s:I, s:I, s:I}", "now", (json_int_t)f->figures[i].now, "recent",
				(json_int_t)f->figures[i].recent, "usual", (json_int_t)f->figures[i].usual));
	for (size_t i = 0; i < f->n_examples; i++)
		json_array_append_new(examples,
		    json_pack("{s:s, s:s}", "path", f->examples[i].path, "what", f->examples[i].what));
	for (unsigned i = 0; (word = announce_reason_nth(i, &one)); i++)
		if (g->guard.reasons & one)
			json_array_append_new(reasons, json_string(word));
	for (unsigned i = 0; is_undecided(g) && (s = step(f, i)); i++) {
		json_array_append_new(steps, json_string(s));
		free(s);
	}
	return out_json(
	    json_pack("{s:s, s:I, s:o, s:b, s:b, s:s, s:s, s:o, s:o, s:o, s:o}", "dataset", g->dataset,
		"generation", (json_int_t)g->number, "begun", overview_time_json(g->begun_ns), "suspect",
		(int)g->suspect, "undecided", (int)is_undecided(g), "suspicion", g->suspicion, "notice",
		g->notice, "reasons", reasons, "figures", figures, "examples", examples, "steps", steps),
	    is_undecided(g) ? APP_ATTENTION : APP_OK);
}

int cmd_guard_show(struct app *app, const struct policy *policy, const struct guard_request *q)
{
	struct finding *f = calloc(1, sizeof(*f));
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	int code;

	if (!f) {
		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	code = app_ledger(app, policy, &l);
	f->l = l;
	if (!code)
		code = find_asked(app, policy, l, q->words, q->n, &f->g);
	if (!code && !f->g) {
		if (app->json)
			code = out_json(json_pack("{s:n}", "generation"), APP_OK);
		else if (!app->quiet)
			puts(text("nothing is suspect"));
		code = app_flush(code);
	} else if (!code) {
		look(f, policy);
		code = app->json ? show_json(f) : show_text(f);
	}
	free(f);
	ledger_free(l);
	return code;
}
