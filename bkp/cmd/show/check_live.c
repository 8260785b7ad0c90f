/* check_live: see check_live.h.
 *
 * One look_at_*() for each kind of thing; each calls report_finding(), which prints at once and keeps the worst verdict.  Of the
 * site's commands only the names of programs are looked up, by a shell in the policy's locale (`command -v`).
 * next_program() finds those names without being a shell: where it cannot be sure it stops, and finds fewer. */
#include "cmd/show/check_live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/source/command.h"

#define SHOW	    256
#define WORD	    128
#define RUNS	    7			 /* that are looked back on for what a run takes */
#define STATE_LEAST ((uint64_t)64 << 20) /* bytes free in the state folder */
#define PROBE_S	    10

enum verdict { FINE, LOOK, MISSING };

struct live {
	struct app *app;
	const struct policy *policy;
	struct ledger *l; /* or NULL: there is no repository yet, or it cannot be read */
	json_t *findings;
	enum verdict worst;
	bool unknown;
};

static void report_finding(struct live *v, enum verdict verdict, const char *next, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void report_finding(struct live *v, enum verdict verdict, const char *next, const char *fmt, ...)
{
	static const char *const signs[] = {"○", "△", "×"}, *const words[] = {"ok", "attention", "missing"};
	char what[1024], show[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	path_show(what, show, sizeof(show));
	if (verdict > v->worst)
		v->worst = verdict;
	json_array_append_new(v->findings, json_pack("{s:s, s:s, s:s*}", "verdict", words[verdict], "what",
					       show, "next", verdict ? next : NULL));
	if (v->app->json || (v->app->quiet && verdict == FINE))
		return;
	out_wrapped(stdout, 0, 2, "%s %s", signs[verdict], show);
	if (verdict && next)
		out_wrapped(stdout, 0, 4, "  → %s", next);
}

/* ---- the state folder ---- */

static void look_at_state(struct live *v)
{
	const char *state = v->policy->state;
	struct err err = ERR_INIT;
	struct statvfs fs;

	if (app_ledger_read(v->policy, &v->l, &err)) {
		v->l = NULL;
		v->unknown = err.kind != ERR_ABSENT;
		report_finding(v, MISSING, err.hint, "%s: %s", err.code, err.msg);
		return;
	}
	if (access(state, W_OK))
		report_finding(v, MISSING, text("run bkp as the user whom it belongs to"),
		    text("the state folder '%s' cannot be written to: %s"), state, text_errno(errno));
	else if (!statvfs(state, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize < STATE_LEAST)
		report_finding(v, MISSING, text("make room on its disk"),
		    text("the state folder '%s' has less than 64 MiB of room"), state);
	else
		report_finding(v, FINE, NULL, text("state folder '%s'"), state);
}

/* ---- paths ---- */

static void look_at_path(struct live *v, const struct policy_dataset *d, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), n = 0;
	struct stat st;
	DIR *dir;

	if (fd < 0) {
		report_finding(v, MISSING,
		    text("mount it, correct the policy, or run bkp as a user who may read it"),
		    "%s: '%s': %s", d->name, path, text_errno(errno));
		return;
	}
	if (fstat(fd, &st) || !S_ISDIR(st.st_mode) || !(dir = fdopendir(fd))) {
		close(fd);
		n = 3;
	} else {
		while (n < 3 && readdir(dir)) /* "." and ".." */
			n++;
		closedir(dir);
	}
	if (n < 3)
		report_finding(v, LOOK, text("if a disk or a share should be mounted there, it is not"),
		    text("%s: '%s' is empty"), d->name, path);
	else
		report_finding(v, FINE, NULL, "%s: '%s'", d->name, path);
}

/* ---- programs of commands ---- */

static bool is_one_of(const char *w, const char *const *list)
{
	while (*list && strcmp(*list, w) != 0)
		list++;
	return *list != NULL;
}

/* The end of a shell's word; *ret_plain: it stands for itself. */
static const char *word_end(const char *p, bool *ret_plain)
{
	char quote = 0;

	*ret_plain = true;
	for (; *p && (quote || !strchr(" \t\n;|&()<>", *p)); p++) {
		*ret_plain = *ret_plain && !strchr("$`'\"\\*?[{}", *p);
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		else if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? 0 : *p;
	}
	return p;
}

static bool is_redirection(const char *p)
{
	const size_t n = strspn(p, "0123456789");

	return n && (p[n] == '<' || p[n] == '>');
}

/* The next word where a command's name stands, as far as that can be told without being a shell.  *at: where
 * to go on.  false: there is none, or what comes is beyond this. */
static bool next_program(const char **at, bool *begins, char out[WORD])
{
	static const char *const before_commands[] = {
	    "if", "then", "do", "else", "elif", "while", "until", "!", "{", "exec", NULL};
	const char *p = *at, *end;
	bool plain;

	while (*p) {
		size_t n;

		if (*p == ' ' || *p == '\t') {
			p++;
		} else if (*p == '#') {
			p += strcspn(p, "\n");
		} else if (*p == '<' || *p == '>') {
			if (p[0] == '<' && p[1] == '<')
				return false;
			p += strspn(p, "<>&| \t");
			p = word_end(p, &plain);
		} else if (is_redirection(p)) { /* "2>": the number belongs to what follows */
			p += strspn(p, "0123456789");
		} else if (strchr("\n;|&()", *p)) {
			*begins = true;
			p++;
		} else {
			end = word_end(p, &plain);
			n = (size_t)(end - p);
			snprintf(out, WORD, "%.*s", n < WORD ? (int)n : WORD - 1, p);
			p = end;
			if (!*begins || is_one_of(out, before_commands) ||
			    (strchr(out, '=') && strchr(out, '=') != out))
				continue;
			*begins = false;
			if (!strcmp(out, "case") || *p == '(' || n >= WORD)
				return false;
			if (!plain ||
			    is_one_of(out, (const char *const[]){"}", "fi", "done", "for", "in", NULL}))
				continue;
			*at = p;
			return true;
		}
	}
	return false;
}

static bool is_program(const struct policy *p, const char *word)
{
	char name[WORD + 16], locale[96];
	const char *const env[] = {name, locale, NULL};
	const struct command_config cfg = {
	    .line = "command -v \"$BKP_WORD\" >/dev/null 2>&1", .env = env, .limit_s = PROBE_S};
	struct err err = ERR_INIT;

	snprintf(name, sizeof(name), "BKP_WORD=%s", word);
	snprintf(locale, sizeof(locale), "LC_ALL=%s", p->locale);
	return !command_run(&cfg, NULL, &err);
}

static void look_at_command(struct live *v, const char *whose, const char *key, const char *line)
{
	char word[WORD];
	bool begins = true, all = true;

	if (!line)
		return;
	for (const char *p = line; next_program(&p, &begins, word);)
		if (!is_program(v->policy, word)) {
			all = false;
			report_finding(v, MISSING,
			    text("install it, or name it by its whole path: cron knows fewer folders than a "
				 "login"),
			    text("%s: the program '%s' of '%s' is not found"), whose, word, key);
		}
	if (all)
		report_finding(v, FINE, NULL, text("%s: programs of '%s'"), whose, key);
}

static void look_at_dataset(struct live *v, const struct policy_dataset *d)
{
	for (size_t i = 0; i < d->n_paths; i++)
		look_at_path(v, d, d->paths[i]);
	look_at_command(v, d->name, "before", d->before);
	look_at_command(v, d->name, "command", d->command);
	look_at_command(v, d->name, "probe", d->probe);
	look_at_command(v, d->name, "after", d->after);
}

/* ---- media ---- */

/* What the last runs brought to a medium. */
struct night {
	uint64_t most;	  /* that one of them brought of all data sets that it holds; 0: there was none */
	uint64_t largest; /* the most of one data set in that run */
	const char *dataset;
};

static struct night a_run_takes(const struct ledger *l, const struct policy_medium *m)
{
	struct night most = {0}, run = {0};
	uint64_t number = 0;
	unsigned runs = 0;

	for (size_t i = ledger_generations(l); i--;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if ((g->state != LEDGER_COMMITTED && g->state != LEDGER_EXPIRED) ||
		    !policy_medium_holds(m, g->dataset))
			continue;
		if (g->number != number) {
			if (runs++ == RUNS)
				break;
			number = g->number;
			run = (struct night){0};
		}
		run.most += g->new_bytes;
		if (g->new_bytes > run.largest) {
			run.largest = g->new_bytes;
			run.dataset = g->dataset;
		}
		if (run.most > most.most)
			most = run;
	}
	return most;
}

/* "1.2 GiB (emr 1.0 GiB)": how much a night takes, and most of it of which data set. */
static const char *night_text(const struct night *n, char out[SHOW])
{
	char all[OUT_BYTES], one[OUT_BYTES];

	out_bytes(n->most, all);
	out_bytes(n->largest, one);
	if (n->dataset && n->largest < n->most)
		snprintf(out, SHOW, text("%s (of it %s %s)"), all, n->dataset, one);
	else
		snprintf(out, SHOW, "%s", all);
	return out;
}

static void look_at_room(struct live *v, const struct policy_medium *m)
{
	const struct night takes = a_run_takes(v->l, m);
	char has[OUT_BYTES], run[SHOW];
	struct statvfs fs;
	uint64_t room;

	if (statvfs(m->path, &fs)) {
		report_finding(v, MISSING, text("attach and mount it"), "%s: '%s': %s", m->name, m->path,
		    text_errno(errno));
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	out_bytes(room, has);
	night_text(&takes, run);
	if (room < takes.most)
		report_finding(v, MISSING,
		    text("'bkp expire --dry-run' says what may go; or take a larger one under a new name"),
		    text("medium %s: %s of room, and one of the last nights took %s"), m->name, has, run);
	else if (takes.most && room / RUNS < takes.most)
		report_finding(v, LOOK,
		    text("'bkp expire --dry-run' says what may go; or take a larger one under a new name"),
		    text("medium %s: %s of room, not a week of nights like one of the last, which took %s"),
		    m->name, has, run);
	else if (takes.most)
		report_finding(v, FINE, NULL, text("medium %s: %s of room; a night takes at most %s"),
		    m->name, has, run);
	else
		report_finding(v, FINE, NULL,
		    text("medium %s: %s of room; what a night takes is not known yet"), m->name, has);
}

static void look_at_medium(struct live *v, const struct policy_medium *m)
{
	const struct ledger_medium *lm = v->l ? ledger_medium_by_label(v->l, m->name) : NULL;
	struct medium_expect want = {.label = m->name};
	struct err err = ERR_INIT;
	struct medium *found;
	char next[SHOW];

	if (!lm) {
		snprintf(next, sizeof(next),
		    m->path ? text("register it with 'bkp medium add %s'")
			    : text("register it with 'bkp medium add %s --path DIR'"),
		    m->name);
		report_finding(v, LOOK, next, text("medium %s is not registered"), m->name);
		return;
	}
	if (m->offline) {
		report_finding(v, FINE, NULL,
		    text("medium %s is kept offline: 'bkp status' says when its rotation is due"), m->name);
		return;
	}
	want.uuid = lm->uuid;
	want.repository = ledger_repository(v->l);
	want.keys = ledger_keys(v->l, &want.n_keys);
	if (medium_open(m->path, &want, &found, &err)) {
		report_finding(v, MISSING, err.hint[0] ? err.hint : text("attach and mount it"), "%s: %s",
		    err.code, err.msg);
		return;
	}
	medium_close(found);
	look_at_room(v, m);
}

/* ---- who is told, in what words, and when ---- */

static void look_at_host(struct live *v)
{
	const struct policy *p = v->policy;
	locale_t locale = newlocale(LC_ALL_MASK, p->locale, (locale_t)0);
	struct clock_stamp now;

	if (locale)
		freelocale(locale);
	else
		report_finding(v, MISSING,
		    text("install it, or name one of 'locale -a' as 'locale' in the policy"),
		    text("the locale '%s', in which commands run, is not installed"), p->locale);
	if (p->notify_command)
		look_at_command(v, "notify", "command", p->notify_command);
	else if (access(CHECK_LIVE_MAILER, X_OK))
		report_finding(v, LOOK,
		    text("add 'notify' to the policy and try it with 'bkp notify --test', or install a "
			 "mailer for cron"),
		    text("nobody is told of a bad night: no 'notify' in the policy, no mailer (%s)"),
		    CHECK_LIVE_MAILER);
	else
		report_finding(v, FINE, NULL, text("cron can mail (%s)"), CHECK_LIVE_MAILER);
	clock_now(&now);
	if (v->l && ledger_latch(v->l)->found_ns)
		report_finding(v, LOOK,
		    text("set it right, then 'bkp clock attest --operator NAME --reason TEXT'"), "%s",
		    text("the clock jumped, and nobody has attested it since"));
	else if (!now.synced)
		report_finding(v, LOOK, text("let a time service keep it (chrony, systemd-timesyncd)"), "%s",
		    text("the clock is not synchronised"));
	else
		report_finding(v, FINE, NULL, "%s", text("the clock is synchronised"));
}

int check_live(struct app *app, const struct policy *policy)
{
	static const int codes[] = {APP_OK, APP_ATTENTION, APP_FAILED};
	struct live v = {.app = app, .policy = policy, .findings = json_array()};
	int code;

	look_at_state(&v);
	for (size_t i = 0; i < policy->n_datasets; i++)
		look_at_dataset(&v, &policy->datasets[i]);
	for (size_t i = 0; i < policy->n_media; i++)
		look_at_medium(&v, &policy->media[i]);
	look_at_host(&v);
	ledger_free(v.l);
	code = v.unknown ? APP_UNKNOWN : codes[v.worst];
	if (app->json)
		return out_json(
		    json_pack("{s:b, s:o}", "ready", v.worst != MISSING, "findings", v.findings), code);
	json_decref(v.findings);
	if (!app->quiet)
		puts(v.worst == FINE ? text("the next night can work")
		     : v.worst == LOOK
			 ? text("the next night can work, but see to what is marked △")
			 : text("the next night cannot work as planned: see to what is marked ×"));
	return app_flush(code);
}
