/* app: see app.h.
 *
 * app_getopt() puts the command's own options and the common ones into one table; common ones are taken here and the command
 * never sees them.  Before the command's name is known the scan stops at the first word.
 *
 * app_state_open(), in order: the folder with its lock → who acts, for the records → is a copy of the journal on an attached
 * medium ahead of ours (then nothing is done) → the policy is recorded when it changed.  A fault of any closes the state. */
#include "cmd/app/app.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "cmd/app/watchdog.h"
#include "format/policy/holidays.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/ledger/ledger_then.h"
#include "read/store/store_dir.h"
#include "read/vault/repository.h"
#include "write/media/device.h"
#include "write/media/journal_copies.h"
#include "write/state/policy_record.h"
#include "write/state/procedure_record.h"
#include "write/state/state.h"

#define FULL_WIDTH_BLANK "\xe3\x80\x80"
#define OWN_MAX		 24 /* options of one command */

enum { OPT_POLICY = 1000, OPT_LANG, OPT_JSON };

static const struct option common[] = {
    {"policy", required_argument, NULL, OPT_POLICY},
    {"lang", required_argument, NULL, OPT_LANG},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
};
#define N_COMMON (sizeof(common) / sizeof(*common))

/* Was it refused only because of who asks?  Then nothing is damaged, whatever the code stands for otherwise. */
static bool is_forbidden(const struct err *err)
{
	return (err->errnum == EACCES || err->errnum == EPERM) && geteuid() != 0;
}

void app_next(const struct err *err, FILE *out)
{
	if (is_forbidden(err))
		fprintf(out, "  → %s\n",
		    text("this user may not: run it as root (sudo), or as the user that it belongs to"));
	else if (err->hint[0])
		fprintf(out, "  → %s\n", err->hint);
	else
		fprintf(out, text("  → 'bkp explain %s' says what to do\n"),
		    err->code[0] ? err->code : "E-BKP-00");
}

void app_fault(const struct err *err, FILE *out)
{
	fprintf(out, "bkp: %s: %s\n", err->code[0] ? err->code : "E-BKP-00", err->msg);
	app_next(err, out);
}

int app_error(const struct err *err, int code)
{
	app_fault(err, stderr);
	/* nobody has typed anything wrong */
	return code == APP_USAGE && err->kind == ERR_MEMORY ? APP_FAILED : code;
}

void app_no_memory(void)
{
	struct err err = ERR_INIT;

	err_nomem(&err);
	app_fault(&err, stderr);
	_exit(watchdog_exit(APP_FAILED));
}

__attribute__((format(printf, 3, 0))) static int usage_error(
    const struct app *app, const char *near, const char *fmt, va_list ap)
{
	struct err err = {.code = "E-USAGE-01"};

	vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
	if (strstr(err.msg, FULL_WIDTH_BLANK))
		err_hint(&err, "%s",
		    text("it contains a full-width blank (U+3000): type an ordinary one between words"));
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	if (app->command)
		err_hint(&err, text("see 'bkp %s --help'"), app->command->name);
	else
		err_hint(&err, "%s", text("see 'bkp --help'"));
	return app_error(&err, APP_USAGE);
}

int app_usage(const struct app *app, const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = usage_error(app, NULL, fmt, ap);
	va_end(ap);
	return code;
}

int app_unknown(const struct app *app, const char *near, const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = usage_error(app, near, fmt, ap);
	va_end(ap);
	return code;
}

int app_flush(int code)
{
	static bool said; /* a command flushes after each table: a pipe that is closed is said once */
	struct err err = ERR_INIT;

	if (!fflush(stdout) && !ferror(stdout))
		return code;
	if (said)
		return APP_FAILED;
	said = true;
	err_sys(&err, "E-IO-03", errno, "%s", text("cannot write the output"));
	return app_error(&err, APP_FAILED);
}

void app_language(const struct app *app)
{
	char *real = realpath(app->config_path, NULL);
	BUF_AUTO b = BUF_INIT(POLICY_BYTES_MAX);
	struct err err = ERR_INIT;
	enum text_lang lang;
	struct stat st;

	/* a pipe can be read once only, and not here */
	if (!app->lang_given && real && !stat(real, &st) && S_ISREG(st.st_mode) &&
	    !io_read_file(AT_FDCWD, real, &b, &err) && !policy_language((const char *)b.p, b.n, &lang))
		text_set_lang(lang);
	free(real);
}

/* The option that getopt did not like; within a group of letters it has not gone on to the next word. */
static const char *disliked_option(int argc, char *const *argv)
{
	const char *next = optind < argc ? argv[optind] : "";

	return optopt && next[0] == '-' && next[1] != '-' && strchr(next, optopt) ? next : argv[optind - 1];
}

/* own: the command's options, for --help. */
static int take_common(struct app *app, int opt, const struct option *own, int *ret_exit)
{
	enum text_lang lang;

	switch (opt) {
	case OPT_POLICY:
		app->config_path = optarg;
		app_language(app);
		return 0;
	case OPT_LANG:
		if (text_parse_lang(optarg, &lang)) {
			*ret_exit = app_usage(app, text("'%s' is not a language: ja or en"), optarg);
			return APP_OPT_STOP;
		}
		text_set_lang(lang);
		app->lang_given = true;
		return 0;
	case OPT_JSON:
		app->json = true;
		return 0;
	case 'q':
		app->quiet = true;
		return 0;
	case 'h':
		if (!app->command)
			return 'h'; /* main knows the list of commands */
		help_command(app->command, own);
		*ret_exit = app_flush(APP_OK);
		return APP_OPT_STOP;
	}
	return opt;
}

static int unknown_option(const struct app *app, const char *word, const struct option *all)
{
	const char *near = suggest_option(word, all);
	char option[SUGGEST_BYTES_MAX + 4];

	snprintf(option, sizeof(option), "--%s", near ? near : "");
	return app_unknown(app, near ? option : NULL, text("unknown or ambiguous option '%s'"), word);
}

int app_getopt(struct app *app, int argc, char **argv, const struct option *own, int *ret_exit)
{
	struct option all[OWN_MAX + N_COMMON + 1] = {{0}};
	/* before the command's name options end at the first word; behind it they may stand anywhere */
	const char *shorts = app->command ? ":hq" : "+:hqV";
	size_t n = 0;
	int opt;

	for (; own && own[n].name && n < OWN_MAX; n++)
		all[n] = own[n];
	memcpy(all + n, common, sizeof(common));
	opterr = 0;
	do {
		opt = getopt_long(argc, argv, shorts, all, NULL);
		if (opt == ':')
			*ret_exit = app_usage(app, text("option '%s' needs a value"), argv[optind - 1]);
		else if (opt == '?')
			*ret_exit = unknown_option(app, disliked_option(argc, argv), all);
		if (opt == ':' || opt == '?')
			return APP_OPT_STOP;
		opt = opt == -1 ? -1 : take_common(app, opt, all, ret_exit);
	} while (opt == 0);
	return opt;
}

static int read_policy(const char *path, struct buf *out, struct err *err)
{
	char *real = realpath(path, NULL); /* the administrator may keep the policy behind a link */
	int r = io_read_file(AT_FDCWD, real ? real : path, out, err);

	free(real);
	if (r) {
		err_wrap(err, "%s", text("the policy cannot be read"));
		err_hint(err, "%s", text("name it with --policy FILE, or write it to /etc/bkp/policy.yaml"));
	}
	return r;
}

/* Whatever is wrong with them keeps no night from being captured: 'bkp check' and 'bkp status' say it. */
static int load_holidays(struct policy *p, struct err *err)
{
	BUF_AUTO b = BUF_INIT(HOLIDAYS_BYTES_MAX);
	struct err why = ERR_INIT;
	char show[400];
	int r;

	if (!p->holidays_path)
		return 0;
	r = io_read_file(AT_FDCWD, p->holidays_path, &b, &why);
	if (r) {
		struct err e = ERR_INIT;

		err_set(&e, "E-POLICY-48", text("the holidays cannot be read: %s"),
		    r == IO_ABSENT ? path_show(p->holidays_path, show, sizeof(show)) : why.msg);
		err_hint(&e, "%s",
		    text("make the file, as from policies/holidays-ja.txt, or take 'holidays' out of the "
			 "policy"));
		why = e;
	} else {
		r = holidays_parse(p->holidays_path, (const char *)b.p, b.n, &p->holidays, &why);
	}
	if (!r)
		return 0;
	p->holidays_fault = malloc(sizeof(*p->holidays_fault));
	if (!p->holidays_fault)
		return err_nomem(err);
	*p->holidays_fault = why;
	return 0;
}

int app_policy_check(struct app *app, struct policy **ret, struct config_problems *problems, struct err *err)
{
	struct buf *b = &app->policy_text;

	b->n = 0;
	if (read_policy(app->config_path, b, err))
		return -1;
	if (policy_parse(app->config_path, (const char *)b->p, b->n, ret, problems, err))
		return 1;
	if (!app->lang_given)
		text_set_lang((*ret)->lang);
	return load_holidays(*ret, err);
}

int app_policy(struct app *app, struct policy **ret)
{
	struct err err = ERR_INIT;

	if (!app_policy_check(app, ret, NULL, &err))
		return APP_OK;
	err_hint(&err, "%s", text("see everything that is wrong with 'bkp check'"));
	return app_error(&err, APP_USAGE);
}

static void warn_unlocked(void)
{
	struct err err = ERR_INIT;

	err_set(&err, "W-STATE-11", "%s",
	    text("the memory of the signing key cannot be locked: it may be written to swap"));
	err_hint(&err, "%s", text("run bkp as root, raise 'ulimit -l', or encrypt the swap space"));
	app_error(&err, APP_OK);
}

void app_warn_keeping(const struct policy *policy)
{
	const char *name = device_keeps_erased(policy->state);
	struct err err = ERR_INIT;
	char shown[400];

	if (!name)
		return;
	err_set(&err, "W-STATE-12",
	    text("the state folder '%s' is on %s, which keeps what is erased: who gets the disk may find "
		 "signing keys of "
		 "earlier days"),
	    path_show(policy->state, shown, sizeof(shown)), name);
	err_hint(
	    &err, "%s", text("put the state folder on ext4 or XFS, without snapshots, before 'bkp init'"));
	app_error(&err, APP_OK);
}

void app_act(struct app *app, const char *command, const char *role, const char *person)
{
	app->actor = (struct app_actor){command, role, person};
}

int app_state_open(struct app *app, const struct policy *policy, struct state **ret, struct err *err)
{
	struct state *s;
	int r = state_open(policy->state, &s, err);

	app->policy = policy;
	if (r)
		return r == STATE_BUSY ? r : -1;
	if (!state_locked(s))
		warn_unlocked();
	state_act(s, app->actor.command ? app->actor.command : app->command->name, app->actor.role,
	    app->actor.person);
	r = journal_copies_check_media(s, policy, err) ||
	    policy_record(s, policy, app->policy_text.p, app->policy_text.n, err) ||
	    procedure_record(s, policy, err);
	if (r) {
		state_close(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int app_state(struct app *app, const struct policy *policy, struct state **ret)
{
	struct err err = ERR_INIT;
	int r = app_state_open(app, policy, ret, &err);

	if (r)
		return app_error(&err, APP_FAILED);
	return APP_OK;
}

/* The journal is checked against the root key of the repository file beside it.  then: where it ends, or NULL. */
static int read_ledger(const struct policy *policy, int64_t at_ns, struct ledger_then *then,
    struct ledger **ret, struct err *err)
{
	const char *path = policy->state;
	IO_FD_AUTO dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct store folder = store_dir_of(dir);
	struct repository *repo;
	size_t n;
	int r;

	if (dir < 0 && errno != ENOENT)
		return err_sys(err, "E-STATE-04", errno, text("cannot open folder '%s'"), path);
	r = dir < 0 ? REPOSITORY_ABSENT : repository_load(&folder, NULL, &repo, err);
	if (r == REPOSITORY_ABSENT) {
		err_set_kind(err, ERR_ABSENT, "E-STATE-01", text("there is no repository in '%s'"), path);
		return err_hint(err, "%s",
		    text("make one with 'bkp init', or name the right folder as 'state' in the policy"));
	}
	if (r)
		return -1;
	r = then ? ledger_then(&folder, repository_keys(repo, &n), at_ns, then, ret, err)
		 : ledger_load(dir, repository_keys(repo, &n), ret, err);
	repository_free(repo);
	return r ? -1 : 0;
}

int app_ledger_read(const struct policy *policy, struct ledger **ret, struct err *err)
{
	return read_ledger(policy, 0, NULL, ret, err);
}

int app_ledger_then(const struct policy *policy, int64_t at_ns, struct ledger_then *ret_where,
    struct ledger **ret, struct err *err)
{
	return read_ledger(policy, at_ns, ret_where, ret, err);
}

int app_ledger(struct app *app, const struct policy *policy, struct ledger **ret)
{
	struct err err = ERR_INIT;

	(void)app;
	return app_ledger_read(policy, ret, &err) ? app_error(&err, APP_UNKNOWN) : APP_OK;
}
