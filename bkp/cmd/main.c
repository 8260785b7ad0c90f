/* bkp: an offline backup orchestrator with immutable generations.
 *
 * main(): descriptors 0 to 2 are held open → shortage_watch() → the language (environment, then policy) → global options →
 * the command's row in commands[] → its function.  Every way out passes through shortage_end(), which tells a wanted exit()
 * from one of a library that goes without memory. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/show/suggest.h"
#include "base/text.h"
#include "base/version.h"
#include "cmd/app/app.h"
#include "format/crypto/shortage.h"
#include "format/policy/policy.h"

#define N_(s) s /* marks a text that is translated where it is shown */

static const struct app_command commands[] = {
    {"init",
	"init --recipient age1… [--recipient …] [--root-key-out FILE]\n"
	"init --identity-out FILE [--passphrase-file FILE | --plain-identity] [--recipient age1…] "
	"[--root-key-out FILE]",
	N_("make the repository: keys, state folder, first journal record"), cmd_init},
    {"check", "check\ncheck --live\ncheck --diff [--against FILE]",
	N_("check the policy and show what it plans, what a change of it means, or whether the next night "
	   "can work"),
	cmd_check},
    {"run",
	"run [DATASET...] [--all] [--anchor] [--timings] [--until HH:MM] [--dry-run] [--catch-up] "
	"[--root-key RW…]",
	N_("capture what is due as one generation on every online medium"), cmd_run},
    {"schedule",
	"schedule install [--kind cron|systemd] [--user USER] [--mailto ADDRESS] [--root-key RW…] [--name "
	"NAME] "
	"[--root DIR]\n"
	"schedule show [--kind cron|systemd] [--name NAME] [--root DIR]\n"
	"schedule remove [--kind cron|systemd] [--name NAME] [--root DIR]",
	N_("let cron or systemd run what is due"), cmd_schedule},
    {"rotate", "rotate [MEDIUM] --operator NAME [--place TEXT] [--recheck all|none|DAYS] [--yes]",
	N_("bring the medium kept offline up to date, check and seal it"), cmd_rotate},
    {"expire",
	"expire --dry-run [--medium NAME]\n"
	"expire --operator NAME [--medium NAME] [--yes]\n"
	"expire --plan-out FILE [--medium NAME]\n"
	"expire --plan FILE --signature FILE.minisig --operator NAME [--medium NAME]",
	N_("say which generations stay and go and why, and let them go"), cmd_expire},
    {"agree",
	"agree\nagree --operator NAME --root-key FILE\nagree --statement-out FILE\n"
	"agree --operator NAME --statement FILE --signature FILE.minisig",
	N_("show what is agreed of retention, or agree to less with the root key"), cmd_agree},
    {"clock",
	"clock show\nclock attest --operator NAME --reason TEXT [--root-key FILE | --statement-out FILE | "
	"--signature "
	"FILE.minisig]",
	N_("say that the clock is right, after it has jumped"), cmd_clock},
    {"verify", "verify [--medium NAME] [--generation N] [--identity FILE] [--passphrase-file FILE]",
	N_("read what was captured back from the media and compare"), cmd_verify},
    {"repair", "repair [MEDIUM]",
	N_("write what is damaged on a medium anew, from this host and from other media"), cmd_repair},
    {"medium",
	"medium add NAME [--path DIR]\nmedium list\nmedium show NAME\n"
	"medium move NAME --operator NAME [--place TEXT]\n"
	"medium rename OLD NEW --operator NAME\n"
	"medium retire NAME --operator NAME --reason TEXT",
	N_("register media, list them, record where they are"), cmd_medium},
    {"status", "status [--prometheus FILE]",
	N_("3-2-1 and generations of each data set, media, what to do next"), cmd_status},
    {"accept",
	"accept N … --operator NAME --reason TEXT\naccept --tools | --policy-change --operator NAME --reason "
	"TEXT",
	N_("say that a generation that is suspect or partial is right"), cmd_accept},
    {"hold", "hold N … --operator NAME --reason TEXT",
	N_("keep a generation until it is released, whatever the policy says"), cmd_hold},
    {"release", "release N … --operator NAME [--reason TEXT]", N_("end a hold"), cmd_release},
    {"notify", "notify [--test]", N_("tell by the policy's notify command how things stand"), cmd_notify},
    {"generations", "generations [--medium NAME]", N_("list the generations"), cmd_generations},
    {"journal",
	"journal show [--file JOURNAL]\n"
	"journal verify [--root-key RW…|FILE] [--file JOURNAL] [--against FILE|DIR|MEDIUM]\n"
	"journal export --format csv|json [--out FILE] [--file JOURNAL]\n"
	"journal repair --operator NAME",
	N_("show, verify, export or repair the audit record"), cmd_journal},
    {"explain", "explain CODE …", N_("what the code of a message means, and what to do"), cmd_explain},
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

/* A file opened as descriptor 2 would receive the error messages. */
static void hold_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

static void print_usage(FILE *out)
{
	fprintf(
	    out, "%s\n\n", text("usage: bkp [--policy FILE] [--lang ja|en] [--json] [--quiet] COMMAND …"));
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-12s  %s\n", commands[i].name, text(commands[i].summary));
	fprintf(out, "\n%s\n",
	    text("What is stored is listed, restored and rehearsed with bkp-restore: see 'bkp-restore "
		 "--help'."));
	fprintf(out, "%s\n",
	    text("'bkp help COMMAND' tells more.  Exit status: 0 well, 1 look at it, 2 failed, "
		 "3 unknown, 64 wrong usage or policy."));
}

static const struct app_command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const struct app *app, const char *name)
{
	static const char *const restoring[][2] = {{"list", "bkp-restore list"},
	    {"extract", "bkp-restore extract"}, {"restore", "bkp-restore extract"},
	    {"drill", "bkp-restore drill"}, {"cat", "bkp-restore cat"}, {"export", "bkp-restore export"},
	    {"procedure", "bkp-restore procedure"}};
	const char *names[N_COMMANDS], *near;

	for (size_t i = 0; i < sizeof(restoring) / sizeof(*restoring); i++)
		if (!strcmp(restoring[i][0], name))
			return app_unknown(app, restoring[i][1],
			    text("'%s' is no command of bkp: what is stored is read and restored with "
				 "bkp-restore"),
			    name);

	for (size_t i = 0; i < N_COMMANDS; i++)
		names[i] = commands[i].name;
	near = suggest_word(name, names, N_COMMANDS);
	return app_unknown(app, near, text("unknown command '%s'"), name);
}

/* bkp help [COMMAND]: what --help says. */
static int run_help(struct app *app, int argc, char **argv)
{
	char *asked[] = {argv[0], (char *)(uintptr_t) "--help", NULL};

	if (argc > 1) {
		app->command = find_command(argv[1]);
		if (!app->command)
			return unknown_command(app, argv[1]);
		optind = 0; /* glibc: scan from the start */
		return app->command->run(app, 2, asked);
	}
	print_usage(stdout);
	return app_flush(APP_OK);
}

/* The options before the command.  -1: go on with the command at optind. */
static int global_options(struct app *app, int argc, char **argv)
{
	static const struct option own[] = {{"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	int opt, code = APP_OK;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		if (opt == 'V') {
			printf("bkp %s\n", BKP_VERSION);
			return app_flush(APP_OK);
		}
		print_usage(stdout);
		return app_flush(APP_OK);
	}
	return -1;
}

int main(int argc, char **argv)
{
	const char *from_environment = getenv("BKP_POLICY"), *lang = getenv("BKP_LANG");
	enum text_lang ignored;
	struct app app = {
	    .config_path = from_environment && *from_environment ? from_environment : "/etc/bkp/policy.yaml",
	    .policy_text = BUF_INIT(POLICY_BYTES_MAX)};
	int code, first;

	hold_standard_descriptors();
	shortage_watch(app_no_memory);
	text_set_lang(text_environment()); /* until the policy says */
	umask(022);			   /* what must be closer says so itself */
	signal(SIGCHLD, SIG_DFL); /* who ignores it when starting us would keep the end of commands from us */
	/* what somebody has set in his terminal is meant for what he reads there */
	app.lang_given = lang && !text_parse_lang(lang, &ignored);
	/* what is said of the options themselves is for the people of the policy, too */
	app_language(&app);
	if (lang && *lang && text_parse_lang(lang, &ignored))
		return shortage_end(app_unknown(
		    &app, "BKP_LANG=ja", text("BKP_LANG is '%s', which is not a language: ja or en"), lang));
	code = global_options(&app, argc, argv);
	if (code != -1)
		return shortage_end(code);
	first = optind;
	if (first >= argc) {
		print_usage(stderr);
		return shortage_end(APP_USAGE);
	}
	if (!strcmp(argv[first], "help"))
		return shortage_end(run_help(&app, argc - first, argv + first));
	app.command = find_command(argv[first]);
	if (!app.command)
		return shortage_end(unknown_command(&app, argv[first]));
	optind = 0; /* glibc: scan from the start */
	code = app.command->run(&app, argc - first, argv + first);
	buf_free(&app.policy_text);
	return shortage_end(code);
}
