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
#include "cmd/page/status_page.h"
#include "cmd/app/out.h"
#include "format/crypto/shortage.h"
#include "format/policy/policy.h"

#define N_(s)	     s /* marks a text that is translated where it is shown */
#define NAME_COLUMNS 16

/* In the order of `bkp help all`; the first group is what `bkp help` shows. */
static const struct app_command commands[] = {
    {"init", APP_EVERYDAY,
	"init --recipient [NAME=]age1… [--recipient …] --root-key-out FILE\n"
	"init --identity-out FILE [--passphrase-file FILE | --plain-identity] [--recipient [NAME=]age1…] "
	"--root-key-out FILE\n"
	"init --keys DIR --root-key-out FILE\n"
	"init --continue MEDIUM … --secrets FILE --root-key FILE --operator NAME",
	N_("make the repository: keys, state folder, first journal record"), cmd_init},
    {"check", APP_EVERYDAY, "check\ncheck --live\ncheck --diff [--against FILE]",
	N_("is the policy right, what does it plan, can the next night work"), cmd_check},
    {"run", APP_EVERYDAY,
	"run [DATASET…] [--all] [--anchor] [--timings] [--until HH:MM] [--dry-run] [--catch-up] "
	"[--root-key RW…]",
	N_("capture what is due, each data set by itself, on the media"), cmd_run},
    {"rotate", APP_EVERYDAY,
	"rotate [MEDIUM] [--operator NAME] [--place TEXT] [--recheck all|none|DAYS] [--wait SECONDS] "
	"[--keep-mounted] [--yes] [--out-of-turn] [--accept-rollback REASON]\n"
	"rotate --plan [--weeks N] [--calendar]",
	N_("bring the medium kept offline up to date, check and seal it"), cmd_rotate},
    {"status", APP_EVERYDAY, "status [--short | --forecast] [--at MOMENT] [--prometheus FILE] [--html FILE]",
	N_("how things stand, and what to do next"), cmd_status},
    {"verify", APP_EVERYDAY,
	"verify [DATASET | GENERATION…] [--medium NAME] [--identity FILE] [--passphrase-file FILE]",
	N_("read what was captured back from the media and compare"), cmd_verify},
    {"generations", APP_GENERATIONS, "generations [DATASET | GENERATION…] [--all] [--medium NAME]",
	N_("list what was captured, when, how well, and where it is"), cmd_generations},
    {"accept", APP_GENERATIONS,
	"accept GENERATION… --operator NAME --reason TEXT\n"
	"accept --tools | --policy-change --operator NAME --reason TEXT",
	N_("say that a generation that is suspect or partial is right"), cmd_accept},
    {"hold", APP_GENERATIONS, "hold GENERATION… --operator NAME --reason TEXT",
	N_("keep a generation until it is released, whatever the policy says"), cmd_hold},
    {"release", APP_GENERATIONS, "release GENERATION… --operator NAME [--reason TEXT]", N_("end a hold"),
	cmd_release},
    {"announce", APP_GENERATIONS,
	"announce\n"
	"announce TEXT --datasets NAME,…|all --until DAY [--from DAY] [--expect KIND,…] --operator NAME\n"
	"announce --end NUMBER --operator NAME",
	N_("tell the guard beforehand of a change that it should expect"), cmd_announce},
    {"finding", APP_GENERATIONS,
	"finding [list] [--all]\n"
	"finding add TEXT --owner NAME --due DAY --operator NAME\n"
	"finding measure NUMBER TEXT [--due DAY] --operator NAME\n"
	"finding close NUMBER TEXT --operator NAME",
	N_("what drills and audits showed to be mended, what was done, and that it is"), cmd_finding},
    {"guard", APP_GENERATIONS,
	"guard show [DATASET | GENERATION]\n"
	"guard since N [DATASET]\n"
	"guard canary list [--datasets NAME,…|all]\n"
	"guard canary add [--datasets NAME,…|all] [--per-folder | --count N] [--exclude PATH] [--dry-run] "
	"[--yes] --operator NAME\n"
	"guard canary remove [--datasets NAME,…|all] --operator NAME",
	N_("what the guard found, in words and figures; files that nobody changes, as tripwires"), cmd_guard},
    {"expire", APP_GENERATIONS,
	"expire --dry-run [DATASET | GENERATION…] [--medium NAME]\n"
	"expire --operator NAME [DATASET | GENERATION…] [--medium NAME] [--yes]\n"
	"expire --plan-out FILE [DATASET | GENERATION…] [--medium NAME]\n"
	"expire --plan FILE --signature FILE.minisig --operator NAME [--medium NAME]",
	N_("say which generations stay and go and why, and let them go"), cmd_expire},
    {"agree", APP_GENERATIONS,
	"agree\nagree --operator NAME --root-key FILE\nagree --statement-out FILE\n"
	"agree --operator NAME --statement FILE --signature FILE.minisig\n"
	"agree --procedure FILE --operator NAME\n"
	"agree --regulation FILE --operator NAME",
	N_("show what is agreed of retention, or agree to less"), cmd_agree},
    {"medium", APP_MEDIA,
	"medium add NAME [--path DIR]\nmedium list\nmedium show NAME\n"
	"medium move NAME --operator NAME [--place TEXT]\n"
	"medium rename OLD NEW --operator NAME\n"
	"medium retire NAME --operator NAME --reason TEXT [--method TEXT] [--witness NAME] [--certificate "
	"NUMBER] [--keys-destroyed TEXT]\n"
	"medium prepare DEVICE NAME --operator NAME [--erase WHAT] [--fs ext4|xfs] [--path DIR] [--add]\n"
	"medium set NAME --operator NAME [--maker TEXT] [--model TEXT] [--serial TEXT] [--bought DATE] "
	"[--use-until DATE] [--support-until DATE] [--lock TEXT] [--writing once|many] [--custodian TEXT]\n"
	"medium hand NAME --to TEXT --witness NAME --operator NAME\n"
	"medium lend NAME --to TEXT --until DATE --reason TEXT --operator NAME [--witness NAME]\n"
	"medium return NAME --place TEXT --operator NAME [--witness NAME]\n"
	"medium count --place TEXT --operator NAME [--seen NAME,…] [--witness NAME]\n"
	"medium lost NAME --reason TEXT --operator NAME\n"
	"medium found NAME --place TEXT --operator NAME",
	N_("prepare and register media, list them, record where they are and who has them"), cmd_medium},
    {"report", APP_RECORD,
	"report receipt MEDIUM [--at MOMENT] [--out PATH]\n"
	"report [FORM [--at MOMENT] [--format html|csv|json | --csv] [--out PATH] "
	"[--medium DIR --root-key KEY]]\n"
	"report pack [--at MOMENT] --out PATH [--profile clinic|hospital] [--signer NAME] [--medium DIR "
	"--root-key KEY]\n"
	"report index --dir DIR [--format html|csv|json | --csv] [--out PATH] [--medium DIR --root-key KEY]",
	N_("papers from the journal, for A4 or a spreadsheet: the slip that goes with a medium, and the "
	   "forms "
	   "that inspectors ask for"),
	cmd_report},
    {"disc", APP_MEDIA,
	"disc write [DATASET | GENERATION…] --to DRIVE --operator NAME [--series NAME] [--disc "
	"cd|dvd|bd|bd-dl|SIZE] "
	"[--place TEXT] [--again] [--dry-run]",
	N_("write generations to an optical disc, read it back and register it"), cmd_disc},
    {"repair", APP_MEDIA, "repair [MEDIUM]", N_("write anew what is damaged on a medium, from other media"),
	cmd_repair},
    {"key", APP_HOST,
	"key list\nkey add NAME --from DIR --operator NAME\nkey remove NAME --from DIR [--renew] --operator "
	"NAME\n"
	"key page root\nkey page media\nkey use [--all]\nkey use --import FILE...\nkey use --reviewed "
	"--operator NAME\n"
	"key envelope list [--all]\nkey envelope add NUMBER --person NAME --seal TEXT --place TEXT --holder "
	"TEXT --operator NAME\n"
	"key envelope opened NUMBER --why TEXT --operator NAME\nkey envelope sealed NUMBER --seal TEXT "
	"--operator NAME\n"
	"key envelope retire NUMBER --why TEXT --operator NAME",
	N_("who can open what is captured; take over another person, or one person less; pages for A4; who "
	   "used a key, and the envelopes they are in"),
	cmd_key},
    {"rescue-image", APP_HOST,
	"rescue-image FILE [--kernel FILE --modules DIR] [--root-key RW…] [--include PATH]… [--serial]",
	N_("make the image of a USB stick that restores on a computer with nothing on it"), cmd_rescue_image},
    {"schedule", APP_HOST,
	"schedule install [--kind cron|systemd] [--user USER] [--mailto ADDRESS] [--root-key RW…] [--name "
	"NAME] [--root DIR]\n"
	"schedule show [--kind cron|systemd] [--name NAME] [--root DIR]\n"
	"schedule remove [--kind cron|systemd] [--name NAME] [--root DIR]",
	N_("let cron or systemd run what is due"), cmd_schedule},
    {"notify", APP_HOST, "notify [--test]", N_("tell by the policy's notify command how things stand"),
	cmd_notify},
    {"clock", APP_HOST,
	"clock show\nclock attest --operator NAME --reason TEXT [--root-key FILE | --statement-out FILE | "
	"--signature FILE.minisig]",
	N_("say that the clock is right, after it has jumped"), cmd_clock},
    {"journal", APP_RECORD,
	"journal show [--file JOURNAL]\n"
	"journal verify [--root-key RW…|FILE] [--file JOURNAL] [--against FILE|DIR|MEDIUM]\n"
	"journal export --format csv|json [--out FILE] [--file JOURNAL]\n"
	"journal import FILE... [--operator NAME]\n"
	"journal head [--record NUMBER] [--out FILE] [--file JOURNAL]\n"
	"journal countersign FILE [--public-key RW…|FILE --by NAME] [--operator NAME]\n"
	"journal find DIGITS [--record NUMBER] [--file JOURNAL]\n"
	"journal repair --operator NAME",
	N_("show, verify, export or repair the audit record; countersign it; take over records of drills, "
	   "recoveries and "
	   "uses of keys"),
	cmd_journal},
    {"explain", APP_RECORD, "explain CODE …", N_("what the code of a message means, and what to do"),
	cmd_explain},
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

static void print_group(FILE *out, enum app_group group)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (commands[i].group == group) {
			fprintf(out, "  %-12s  ", commands[i].name);
			out_wrapped(out, NAME_COLUMNS, NAME_COLUMNS, "%s", text(commands[i].summary));
		}
}

/* What a clinic needs, or all commands by what they are about. */
static void print_usage(FILE *out, bool all)
{
	static const char *const groups[] = {[APP_EVERYDAY] = TEXT_LATER("Day by day"),
	    [APP_GENERATIONS] = TEXT_LATER("Generations"),
	    [APP_MEDIA] = TEXT_LATER("Media"),
	    [APP_HOST] = TEXT_LATER("This computer: when it runs, who is told"),
	    [APP_RECORD] = TEXT_LATER("The record, and messages")};

	fprintf(out, "%s\n", text("usage: bkp [--policy FILE] [--lang ja|en] [--json] [--quiet] COMMAND …"));
	for (int g = 0; g < (all ? APP_GROUPS : 1); g++) {
		fprintf(out, all ? "\n%s\n" : "\n", text(groups[g]));
		print_group(out, (enum app_group)g);
	}
	putc('\n', out);
	out_wrapped(out, 0, 0, "%s",
	    text("A generation is named as emr@42, emr@latest, emr@2026-11-20 (the newest begun on or before "
		 "that day) or emr@3d (at least three days old); 42 is all of run 42."));
	out_wrapped(out, 0, 0, "%s",
	    text("What is stored is listed, restored and rehearsed with bkp-restore: see 'bkp-restore "
		 "--help'."));
	if (!all)
		out_wrapped(out, 0, 0, "%s", text("'bkp help all' shows the other commands."));
	out_wrapped(out, 0, 0, "%s",
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

/* bkp help [COMMAND | all]: what --help says, or all of it. */
static int run_help(struct app *app, int argc, char **argv)
{
	char *asked[] = {argv[0], (char *)(uintptr_t) "--help", NULL};

	if (argc > 1 && strcmp(argv[1], "all") != 0) {
		app->command = find_command(argv[1]);
		if (!app->command)
			return unknown_command(app, argv[1]);
		optind = 0; /* glibc: scan from the start */
		return app->command->run(app, 2, asked);
	}
	print_usage(stdout, argc > 1);
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
		print_usage(stdout, false);
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
	    .policy_text = BUF_INIT(POLICY_BYTES_MAX),
	    .page = status_page_of_policy};
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
		print_usage(stderr, false);
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
