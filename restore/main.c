/* bkp-restore: brings data back from a medium, and looks at what is on it.  It can only read media: nothing
 * that could change one is linked in. */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/err.h"
#include "base/text.h"
#include "base/version.h"
#include "format/crypto/shortage.h"
#include "format/medium/period.h"
#include "read/vault/keyring.h"
#include "restore/app/age_aside.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/app/line.h"
#include "restore/app/options.h"
#include "restore/app/slip.h"
#include "restore/mount/tree.h"
#include "restore/view/through.h"

static const struct app_command commands[] = {
    {"generations", "[--timeline [DATASET] [--svg FILE]]",
	TEXT_LATER("what is on this medium, or what changed when (no identity needed)"),
	APP_JSON | APP_TIMELINE | APP_RANGE, 0, 1, cmd_generations},
    {"list", "SELECTOR [GLOB]", TEXT_LATER("entries of a generation, like ls -l"),
	APP_JSON | APP_IDENTITY | APP_SELECTS, 1, 2, cmd_list},
    {"extract", "SELECTOR [PATH...] --to DIR [--same-owner [--owner-map FILE]] [--overwrite] [--skip-same]",
	TEXT_LATER("brings files back; of a whole run each data set goes to a folder of its name"),
	APP_JSON | APP_IDENTITY | APP_TO | APP_SAME_OWNER | APP_OVERWRITE | APP_PART | APP_OWNERS |
	    APP_SINCE | APP_SELECTS,
	1, -1, cmd_extract},
    {"cat", "SELECTOR PATH", TEXT_LATER("one file to standard output"), APP_IDENTITY | APP_SELECTS, 2, 2,
	cmd_cat},
    {"export", "SELECTOR", TEXT_LATER("a pax archive to standard output (pipe into tar)"),
	APP_IDENTITY | APP_SELECTS, 1, 1, cmd_export},
    {"verify", "SELECTOR [--deep]",
	TEXT_LATER("is everything there and what was signed? --deep also decrypts it all"),
	APP_JSON | APP_IDENTITY | APP_DEEP | APP_SELECTS, 1, 1, cmd_verify},
    {"find", "NAME [DATASET] [--since DAY] [--generations A-B]",
	TEXT_LATER("in which generations something of that name is, on all media"),
	APP_JSON | APP_IDENTITY | APP_RANGE | APP_SINCE, 1, 2, cmd_find},
    {"history", "PATH [DATASET] [--since DAY] [--generations A-B]",
	TEXT_LATER("which generations have which version of it"),
	APP_JSON | APP_IDENTITY | APP_RANGE | APP_SINCE, 1, 2, cmd_history},
    {"show", "PATH@GENERATION", TEXT_LATER("all that is known of one entry"), APP_JSON | APP_IDENTITY, 1, 1,
	cmd_show},
    {"diff", "GENERATION GENERATION|FOLDER [--same-owner]",
	TEXT_LATER("what differs between two generations, or between one and a folder"),
	APP_JSON | APP_IDENTITY | APP_SAME_OWNER | APP_SELECTS, 2, 2, cmd_diff},
    {"mount", "SELECTOR... FOLDER [--allow-other]",
	TEXT_LATER("generations to be looked at as folders, read-only"),
	APP_IDENTITY | APP_MOUNT | APP_SELECTS, 2, TREE_GENERATIONS + 1, cmd_mount},
    {"view", "DATASET|SELECTOR [PATH...] [--to DIR] [--no-browser]",
	TEXT_LATER("reads charts in a browser that is cut off from the network; nothing is left of them"),
	APP_IDENTITY | APP_TO | APP_VIEW | APP_SELECTS, 1, -1, cmd_view},
    {"index", "FOLDER --to DIR", TEXT_LATER("pages to read charts by, of a folder that was brought back"),
	APP_NO_MEDIUM | APP_TO, 1, 1, cmd_index},
    {"shell", "[--to DIR] [--idle TIME]", TEXT_LATER("one opening of the keys for several of these commands"),
	APP_IDENTITY | APP_TO | APP_SHELL, 0, 0, cmd_shell},
    {"bisect", "DATASET [--known-bad FILE] [--scan COMMAND] [--to DIR]",
	TEXT_LATER("which generation is the last without files that are known to be bad, or that a virus "
		   "scanner finds"),
	APP_JSON | APP_IDENTITY | APP_TO | APP_RANGE | APP_BISECT | APP_KNOWN, 1, 1, cmd_bisect},
    {"drill", "FILE --to DIR",
	TEXT_LATER(
	    "replays a recovery procedure into an empty folder, times and checks it, and erases the data"),
	APP_JSON | APP_IDENTITY | APP_TO | APP_DRILL | APP_KNOWN, 1, 1, cmd_drill},
    {"recover", "FILE --to DIR",
	TEXT_LATER("carries a recovery procedure out for real: gates are signed, it can be gone on with "
		   "after a crash"),
	APP_JSON | APP_IDENTITY | APP_TO | APP_DRILL | APP_SAME_OWNER | APP_OWNERS | APP_KNOWN, 1, 1,
	cmd_recover},
    {"procedure", "check|print FILE",
	TEXT_LATER("is it a valid recovery procedure? / the form to be filled in by hand, as HTML"),
	APP_JSON | APP_NO_MEDIUM, 2, 2, cmd_procedure},
    {"key",
	"make --to DIR [--plain-identity] | split -k NUMBER -n NUMBER IDENTITY [--to DIR] | combine [FILE] "
	"--to DIR | begin NAME=RECIPIENT ... --to DIR | add NAME=RECIPIENT --to DIR | remove NAME --to DIR | "
	"approver NAME=RW... DATE --to DIR | "
	"open --to DIR | host --to DIR | drill [--since RUN] [--envelope NUMBER]",
	TEXT_LATER(
	    "makes a recovery identity; splits one into shares for paper, or puts it together again; "
	    "one person more, or "
	    "one less, who can open what is captured: files for the root key to sign; what a new host needs; "
	    "does the key still open what is captured?"),
	APP_IDENTITY | APP_TO | APP_KEY | APP_SINCE | APP_JSON, 1, PERIOD_PEOPLE_MAX + 1, cmd_key},
    {"explain", "CODE ...", TEXT_LATER("what the code of a message means, and what to do"), APP_NO_MEDIUM, 1,
	-1, cmd_explain},
    {NULL, NULL, NULL, 0, 0, 0, NULL},
};

static const char *medium_of(const struct app_command *c)
{
	return c->options & APP_NO_MEDIUM ? "" : "--medium DIR ";
}

static int print_help(const struct app *app)
{
	size_t i;

	if (app->command) {
		printf("bkp-restore %s%s %s\n  %s\n", medium_of(app->command), app->command->name,
		    app->command->usage, text(app->command->summary));
		options_help(app->command->options | 1u << 30);
		return app_flush(APP_OK);
	}
	printf("%s\n\n", text("bkp-restore: brings data back from a medium; it never changes one"));
	for (i = 0; commands[i].name; i++)
		printf("bkp-restore %s%s %s\n    %s\n", medium_of(&commands[i]), commands[i].name,
		    commands[i].usage, text(commands[i].summary));
	options_help(0);
	printf("\n%s\n", text("SELECTOR: emr@42, emr@latest, emr@2026-11-20 (the newest begun on or before "
			      "that day), emr@3d "
			      "(begun three days ago or before); 42 is all of run 42"));
	printf("\n%s\n",
	    text("Exit: 0 all well, 1 done but look, 2 failed, 3 the medium cannot be read, 64 wrong usage"));
	return app_flush(APP_OK);
}

#ifdef BKP_STATIC_PROGRAM
/* FUSE needs a library and a program of the system it runs on: this one brings all it needs. */
int cmd_mount_begin(struct app *app, int argc, char **argv)
{
	struct err err = ERR_INIT;

	(void)argc, (void)argv;
	if (app->command->run != cmd_mount)
		return 0;
	err_set(&err, "E-MOUNT-04", "%s", text("the program from the medium cannot mount"));
	err_hint(
	    &err, "%s", text("install the package bkp for that; or 'list', 'find', 'cat' and 'extract'"));
	return app_error(&err, APP_FAILED);
}

int cmd_mount_end(struct app *app, int code)
{
	(void)app;
	return code;
}

int cmd_mount(struct app *app, int argc, char **argv)
{
	return cmd_mount_begin(app, argc, argv);
}

/* So charts are brought back before they are shown. */
struct through *through_start(const char *folder)
{
	(void)folder;
	return NULL;
}

bool through_mount(struct through *t)
{
	(void)t;
	return false;
}

int through_open(struct through *t, struct app_generation *g, bool *ret_lost, struct err *err)
{
	(void)t, (void)g, (void)ret_lost, (void)err;
	return -1;
}

int through_serve(struct through *t, struct interrupt *stop, unsigned *ret_faults, struct err *err)
{
	(void)t, (void)stop, (void)ret_faults, (void)err;
	return -1;
}

void through_end(struct through *t)
{
	(void)t;
}
#endif

/* What may have to run stock age forks a process for it while that is allowed. */
static int age_beside(struct app *app, const char *operand)
{
	struct err err = ERR_INIT;
	bool seal = app->command->run == cmd_key && cmd_key_seals(operand), open = false;

	for (size_t i = 0; i < app->n_identities && !open; i++)
		open = keyring_wants_age(app->identities[i]);
	return (seal || open) && age_aside_start(app->identities, app->n_identities, seal, &app->aside, &err)
		   ? app_error(&err, APP_FAILED)
		   : 0;
}

static int run_command(struct app *app, int argc, char **argv)
{
	struct options_found found = {.used = 0};
	int r = options_take(app, argc, argv, &found);

	if (r >= 0)
		return r;
	if (found.version) {
		printf("bkp-restore %s (format 1)\n", BKP_VERSION);
		return app_flush(APP_OK);
	}
	argc -= optind;
	argv += optind;
	r = line_command(app, argc, argv, &found);
	if (r >= 0)
		return r;
	if (found.help)
		return print_help(app);
	argc--;
	argv++;
	r = line_check(app, argc, &found);
	if (r < 0 && !(r = cmd_drill_begin(app)))
		r = slip_begin(app, argc, argv);
	if (r)
		return r;
	/* a drill starts the procedure's commands, which may need more: only what brings data back is
	 * confined there */
	if (!(app->command->options & APP_DRILL)) {
		if ((r = age_beside(app, argc ? argv[0] : "")) || (r = cmd_timeline_begin(app)) ||
		    (r = cmd_bisect_begin(app)) || (r = cmd_mount_begin(app, argc, argv)) ||
		    (r = cmd_view_begin(app, argc, argv)))
			return r;
		confine_command(app->to);
	}
	return app->command->run(app, argc, argv);
}

int main(int argc, char **argv)
{
	const char *lang = getenv("BKP_LANG");
	enum text_lang ignored;
	struct app app = {.svg_fd = -1, .commands = commands};
	int r;

	shortage_watch(app_no_memory);
	options_lang(NULL);
	if (lang && *lang && text_parse_lang(lang, &ignored))
		return shortage_end(app_unknown(
		    &app, "BKP_LANG=ja", text("BKP_LANG is '%s', which is not a language: ja or en"), lang));
	umask(077); /* what is restored is patients' data: modes come from the catalog, nothing is open
		       meanwhile */
	/* chunks are passed from thread to thread: with an arena for each of them memory would be kept
	 * several times over */
	mallopt(M_ARENA_MAX, 1);
	if (sodium_init() < 0) {
		return shortage_end(
		    app_error(&(struct err){.code = "E-INIT-01", .msg = "libsodium"}, APP_FAILED));
	}
	r = run_command(&app, argc, argv);
	if (r == APP_OK && (app.unvouched || app.incomplete))
		r = APP_ATTENTION;
	r = cmd_bisect_end(&app, cmd_mount_end(&app, cmd_view_end(&app, r)));
	r = cmd_drill_end(&app, slip_end(&app, r));
	app_close(&app);
	return shortage_end(r);
}
