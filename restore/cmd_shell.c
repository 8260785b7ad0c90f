/* bkp-restore shell: one opening of the keys, and of the media, for several commands.
 *
 * A line is a command of the table with its operands and options; what belongs to the session (media, identities, the slip of the keys' use)
 * is given once, before.  The process is confined from its beginning to --to, below which `extract` restores.  It ends at the end of input, by
 * 'quit', by an interrupt, and when nothing is typed for --idle; whichever it is, the keys go with the process. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/line.h"
#include "restore/app/options.h"
#include "restore/app/within.h"
#include "restore/extract/target.h"

#define LINE_MAX_BYTES ((size_t)64 << 10)
#define WORDS	       64
#define IDLE	       900   /* seconds */
#define IDLE_MAX       43200 /* half a day: longer is no session any more */

struct session {
	struct app *app;
	struct buf typed;
	long idle;
	bool person; /* at a terminal */
	int code;
};

/* "90s", "15m", "2h" */
static bool parse_idle(const char *s, long *ret)
{
	char *end;
	long n = strtol(s, &end, 10), unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : 0;

	if (!isdigit((unsigned char)*s) || !unit || end[1] || n < 1 || n > IDLE_MAX / unit)
		return false;
	*ret = n * unit;
	return true;
}

/* ---- one line ---- */

/* Words as a shell has them: quotes and backslashes; nothing is expanded.  In place.  -1: it does not end, or has too many. */
static int split_words(char *line, char *words[WORDS])
{
	char *to = line, quote = 0;
	int n = 0;

	while (*line) {
		while (isspace((unsigned char)*line))
			line++;
		if (!*line)
			break;
		if (n == WORDS - 1)
			return -1;
		words[n++] = to;
		for (; *line && (quote || !isspace((unsigned char)*line)); line++) {
			if (*line == quote)
				quote = 0;
			else if (!quote && (*line == '\'' || *line == '"'))
				quote = *line;
			else if (*line == '\\' && quote != '\'' && line[1])
				*to++ = *++line;
			else
				*to++ = *line;
		}
		line += *line != '\0';
		*to++ = '\0';
	}
	words[n] = NULL;
	return quote ? -1 : n;
}

static bool is_offered(const struct app_command *c)
{
	static app_fn *const offered[] = {
	    cmd_find, cmd_history, cmd_show, cmd_diff, cmd_list, cmd_cat, cmd_extract, cmd_generations};

	for (size_t i = 0; i < sizeof(offered) / sizeof(*offered); i++)
		if (c->run == offered[i])
			return true;
	return false;
}

static int print_help(const struct app *app)
{
	for (const struct app_command *c = app->commands; c->name; c++)
		if (is_offered(c))
			printf("%s %s\n    %s\n", c->name, c->usage, text(c->summary));
	printf("quit\n    %s\n", text("ends the session"));
	return app_flush(APP_OK);
}

/* Media, identities and what else is the session's; nothing of a line before. */
static struct app fresh_line(const struct app *app)
{
	struct app line = *app;

	line.session = true;
	line.command = NULL;
	line.to = line.since = line.svg = NULL;
	line.from = line.upto = 0;
	line.owner_map = NULL;
	line.n_excluded = 0;
	line.json = line.timeline = line.same_owner = line.overwrite = line.deep = line.incomplete =
	    line.unvouched = line.skip_same = line.check = line.dry_run = line.windows_names =
		line.numeric_owner = false;
	return line;
}

/* --to of a line lies in that of the session. */
static int choose_target(const struct app *app, struct app *line, char **ret)
{
	if (line->command->run != cmd_extract)
		return 0;
	if (!app->to)
		return app_usage(line, "%s",
		    text("nothing can be restored in this session: begin it with shell --to DIR"));
	if (line->to && !path_is_entry(line->to))
		return app_usage(
		    line, text("--to '%s': within a session a name below %s is needed"), line->to, app->to);
	if (asprintf(ret, "%s%s%s", app->to, line->to ? "/" : "", line->to ? line->to : "") < 0)
		app_no_memory();
	line->to = *ret;
	return 0;
}

static int run_words(struct session *s, int argc, char **argv)
{
	struct options_found found = {.used = 0};
	struct app line = fresh_line(s->app);
	char *to = NULL;
	int r;

	optind = 0; /* getopt_long begins anew */
	r = options_take(&line, argc, argv, &found);
	if (r >= 0)
		return r;
	argc -= optind;
	argv += optind;
	if (!found.help)
		r = line_command(&line, argc, argv, &found);
	if (r >= 0)
		return r;
	if (found.help)
		return print_help(&line);
	if (!is_offered(line.command) || found.used & APP_IDENTITY || line.n_media != s->app->n_media ||
	    line.svg || line.n_identities != s->app->n_identities || line.n_journals != s->app->n_journals ||
	    line.repository != s->app->repository || line.root_key != s->app->root_key ||
	    line.passphrase_file != s->app->passphrase_file || line.throttle.rate != s->app->throttle.rate)
		return app_usage(
		    &line, "%s", text("that is not for a line of a session: 'help' shows what is"));
	r = line_check(&line, argc - 1, &found);
	if (r < 0)
		r = choose_target(s->app, &line, &to);
	if (!r)
		r = line.command->run(&line, argc - 1, argv + 1);
	free(to);
	return r == APP_OK && (line.unvouched || line.incomplete) ? APP_ATTENTION : r;
}

/* True: the session ends. */
static bool run_line(struct session *s, char *text_of)
{
	char *words[WORDS + 1] = {(char *)(uintptr_t) "bkp-restore"};
	int n = split_words(text_of, words + 1), r;

	if (!n)
		return false;
	if (n > 0 && n == 1 && (!strcmp(words[1], "quit") || !strcmp(words[1], "exit")))
		return true;
	r = n < 0 ? app_usage(s->app, "%s", text("a quote is not closed, or there are too many words"))
		  : run_words(s, n + 1, words);
	clearerr(stdout);
	s->code = app_worse(s->code, r == APP_USAGE ? APP_FAILED : r);
	return false;
}

/* ---- all of them ---- */

/* 1: a line, without its end; 0: the end of input; -1: nobody typed. */
static int read_line(struct session *s, char **ret)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};

	for (;;) {
		char *end = s->typed.n ? memchr(s->typed.p, '\n', s->typed.n) : NULL;
		ssize_t n;

		if (end) {
			*end = '\0';
			*ret = (char *)s->typed.p;
			return 1;
		}
		n = poll(&in, 1, (int)(s->idle * 1000));
		if (!n)
			return -1;
		if ((n < 0 && errno != EINTR) || buf_reserve(&s->typed, 4096, NULL))
			return 0;
		n = n < 0 ? 1 : read(STDIN_FILENO, s->typed.p + s->typed.n, 4096);
		if (n <= 0)
			return 0;
		s->typed.n += (size_t)n;
	}
}

static void prompt(const struct session *s)
{
	interrupt_says(
	    text("the session was interrupted, and the keys are gone"), text("begin it again"), APP_FAILED);
	if (!s->person)
		return;
	fputs("bkp> ", stdout);
	fflush(stdout);
}

static int go_on(struct session *s)
{
	char *line;
	int r;

	if (s->person)
		app_note(s->app, "%s", text("'help' shows what can be typed, 'quit' ends"));
	for (prompt(s); (r = read_line(s, &line)) > 0; prompt(s)) {
		size_t n = strlen(line) + 1;
		bool end = run_line(s, line);

		buf_consume(&s->typed, n);
		if (end)
			break;
	}
	if (r < 0) {
		struct err err = ERR_INIT;

		err_set(&err, "W-SHELL-01",
		    text("nothing was typed for %ld seconds: the session has ended, and the keys are gone"),
		    s->idle);
		err_hint(&err, "%s", text("begin it again; --idle 1h waits longer"));
		s->code = app_worse(s->code, app_error(&err, APP_ATTENTION));
	}
	return app_flush(s->code);
}

static int check_target(const struct app *app)
{
	struct err err = ERR_INIT;
	int fd = -1;

	if (!app->to)
		return 0;
	if (within_refuse_media(app, app->to, &err) || (fd = target_open(app->to, &err)) < 0)
		return app_error(&err, APP_FAILED);
	close(fd);
	return 0;
}

int cmd_shell(struct app *app, int argc, char **argv)
{
	struct session s = {
	    .app = app, .typed = BUF_INIT(LINE_MAX_BYTES), .idle = IDLE, .person = isatty(STDIN_FILENO)};
	const struct age_identity *ids;
	size_t n;
	int r;

	(void)argc, (void)argv;
	if (app->idle && !parse_idle(app->idle, &s.idle))
		return app_usage(
		    app, text("--idle: '%s' is no time up to 12h, as 90s, 15m or 2h"), app->idle);
	for (size_t i = 0; i < app->n_identities; i++)
		if (!strcmp(app->identities[i], "-"))
			return app_usage(app, "%s",
			    text("an identity from standard input leaves no input for the session: name a "
				 "file"));
	r = app_unlock(app, &ids, &n);
	if (!r)
		r = check_target(app);
	if (!r)
		r = go_on(&s);
	buf_free(&s.typed);
	return r;
}
