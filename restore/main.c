/* bkp-restore: brings data back from a medium, and looks at what is on it.  It can only read media: nothing
 * that could change one is linked in. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "app.h"
#include "base/err.h"
#include "base/text.h"
#include "read/keyring.h"
#include "read/vault_r.h"

#define GENERAL (APP_JSON)

static const struct app_command commands[] = {
    {"generations", "", TEXT_LATER("what is on this medium (no identity needed)"), APP_JSON, 0, 0, cmd_generations},
    {"list", "N [DATASET] [GLOB]", TEXT_LATER("entries of a generation, like ls -l"), APP_JSON | APP_IDENTITY | APP_TRUST,
	1, 3, cmd_list},
    {"extract", "N [DATASET] [PATH...] --to DIR [--same-owner] [--overwrite]",
	TEXT_LATER("brings files back; without DATASET each data set goes to a folder of its name"),
	APP_JSON | APP_IDENTITY | APP_TO | APP_SAME_OWNER | APP_OVERWRITE | APP_TRUST, 1, -1, cmd_extract},
    {"cat", "N DATASET PATH", TEXT_LATER("one file to standard output"), APP_IDENTITY | APP_TRUST, 3, 3, cmd_cat},
    {"export", "N DATASET", TEXT_LATER("a pax archive to standard output (pipe into tar)"), APP_IDENTITY | APP_TRUST, 2,
	2, cmd_export},
    {"verify", "N [--deep]", TEXT_LATER("is everything there and what was signed? --deep also decrypts it all"),
	APP_JSON | APP_IDENTITY | APP_DEEP, 1, 1, cmd_verify},
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

enum {
	OPT_MEDIUM = 256,
	OPT_REPOSITORY,
	OPT_IDENTITY,
	OPT_PASSPHRASE_FILE,
	OPT_ROOT_KEY,
	OPT_LANG,
	OPT_TO,
	OPT_SAME_OWNER,
	OPT_OVERWRITE,
	OPT_DEEP,
	OPT_TRUST,
	OPT_JSON,
};

static const struct option options[] = {
    {"medium", required_argument, NULL, OPT_MEDIUM},
    {"repository", required_argument, NULL, OPT_REPOSITORY},
    {"identity", required_argument, NULL, OPT_IDENTITY},
    {"passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE},
    {"root-key", required_argument, NULL, OPT_ROOT_KEY},
    {"lang", required_argument, NULL, OPT_LANG},
    {"to", required_argument, NULL, OPT_TO},
    {"same-owner", no_argument, NULL, OPT_SAME_OWNER},
    {"overwrite", no_argument, NULL, OPT_OVERWRITE},
    {"deep", no_argument, NULL, OPT_DEEP},
    {"trust-archives", no_argument, NULL, OPT_TRUST},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void help_options(unsigned which)
{
	printf("\n%s\n", text("Options:"));
	printf("  --medium DIR            %s\n", text("the folder that holds bkp-medium.json"));
	printf("  --repository ID         %s\n", text("when the medium has several"));
	printf("  --root-key RW...        %s\n",
	    text("the root key from paper, to be compared with the medium's"));
	if (!which || which & APP_IDENTITY) {
		printf("  --identity FILE         %s\n",
		    text("recovery identity (an age identity file), - for standard input; repeatable"));
		printf("  --passphrase-file FILE  %s\n",
		    text("its passphrase, if it should not be asked on the terminal"));
	}
	if (!which || which & APP_TO)
		printf("  --to DIR                %s\n", text("where to; made if missing"));
	if (!which || which & APP_SAME_OWNER)
		printf("  --same-owner            %s\n",
		    text("as root: owners, setuid bits, devices, capabilities, immutable flags too"));
	if (!which || which & APP_OVERWRITE)
		printf("  --overwrite             %s\n", text("replace files that are there"));
	if (!which || which & APP_DEEP)
		printf("  --deep                  %s\n", text("decrypt and decode everything"));
	if (!which || which & APP_TRUST) {
		printf("  --trust-archives        %s\n",
		    text("do not compare each archive's SHA-256 first: faster for a few files, reads"));
		printf("                          %s\n",
		    text("what is left of damaged archives, but would not notice a forged one"));
	}
	if (!which || which & APP_JSON)
		printf("  --json                  %s\n", text("one JSON object on standard output"));
	printf("  --quiet, -q             %s\n", text("no progress, no summary"));
	printf("  --lang ja|en            %s\n", text("language of messages (also $BKP_LANG)"));
	printf("  --help, --version\n");
}

static int help(const struct app *app)
{
	size_t i;

	if (app->command) {
		printf("bkp-restore --medium DIR %s %s\n  %s\n", app->command->name, app->command->usage,
		    text(app->command->summary));
		help_options(app->command->options | 1u << 30);
		return app_flush(APP_OK);
	}
	printf("%s\n\n", text("bkp-restore: brings data back from a medium; it never changes one"));
	for (i = 0; i < N_COMMANDS; i++)
		printf("bkp-restore --medium DIR %s %s\n    %s\n", commands[i].name, commands[i].usage,
		    text(commands[i].summary));
	help_options(0);
	printf("\n%s\n",
	    text("Exit: 0 all well, 1 done but look, 2 failed, 3 the medium cannot be read, 64 wrong usage"));
	return app_flush(APP_OK);
}

/* --lang, else $BKP_LANG, else the locale's. */
static void choose_lang(const char *wanted)
{
	enum text_lang lang;

	text_set_lang(wanted && !text_parse_lang(wanted, &lang) ? lang : text_environment());
}

/* -1: go on; otherwise the exit code. */
static int take_option(struct app *app, int opt, unsigned *used)
{
	enum text_lang lang;

	switch (opt) {
	case OPT_MEDIUM:
		app->medium = optarg;
		break;
	case OPT_REPOSITORY:
		app->repository = optarg;
		break;
	case OPT_IDENTITY:
		if (app->n_identities == APP_IDENTITIES)
			return app_usage(app, text("at most %d times --identity"), APP_IDENTITIES);
		app->identities[app->n_identities++] = optarg;
		break;
	case OPT_PASSPHRASE_FILE:
		app->passphrase_file = optarg;
		break;
	case OPT_ROOT_KEY:
		app->root_key = optarg;
		break;
	case OPT_LANG:
		if (text_parse_lang(optarg, &lang))
			return app_usage(app, text("'%s' is not a language: ja or en"), optarg);
		choose_lang(optarg);
		break;
	case OPT_TO:
		app->to = optarg;
		*used |= APP_TO;
		break;
	case OPT_SAME_OWNER:
		app->same_owner = true;
		*used |= APP_SAME_OWNER;
		break;
	case OPT_OVERWRITE:
		app->overwrite = true;
		*used |= APP_OVERWRITE;
		break;
	case OPT_DEEP:
		app->deep = true;
		*used |= APP_DEEP;
		break;
	case OPT_TRUST:
		app->trust_archives = true;
		*used |= APP_TRUST;
		break;
	case OPT_JSON:
		app->json = true;
		*used |= APP_JSON;
		break;
	case 'q':
		app->quiet = true;
		break;
	default:
		return app_usage(app, "%s", text("unknown or incomplete option"));
	}
	return -1;
}

static const struct app_command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int run(struct app *app, int argc, char **argv)
{
	bool wants_help = false;
	unsigned used = 0;
	int opt, r;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "qhV", options, NULL)) != -1) {
		if (opt == 'V') {
			printf("bkp-restore %s (format 1)\n", BKP_VERSION);
			return app_flush(APP_OK);
		}
		if (opt == 'h') {
			wants_help = true;
			continue;
		}
		r = take_option(app, opt, &used);
		if (r >= 0)
			return r;
	}
	argc -= optind;
	argv += optind;
	app->command = argc ? find_command(argv[0]) : NULL;
	if (wants_help)
		return help(app);
	if (!argc)
		return app_usage(app, "%s", text("a command is missing"));
	if (!app->command)
		return app_usage(app, text("there is no command '%s'"), argv[0]);
	argc--;
	argv++;
	if (argc < app->command->min || (app->command->max >= 0 && argc > app->command->max))
		return app_usage(
		    app, text("wrong number of operands: %s %s"), app->command->name, app->command->usage);
	if (used & ~app->command->options)
		return app_usage(app, text("'%s' does not take one of these options"), app->command->name);
	return app->command->run(app, argc, argv);
}

int main(int argc, char **argv)
{
	struct app app = {0};
	int r;

	choose_lang(NULL);
	umask(077); /* what is restored is patients' data: modes come from the catalog, nothing is open
		       meanwhile */
	if (sodium_init() < 0) {
		fputs("bkp-restore: E-INIT-01: libsodium\n", stderr);
		return APP_FAILED;
	}
	r = run(&app, argc, argv);
	if (app.damaged && r < APP_FAILED)
		r = APP_FAILED;
	keyring_free(app.keyring);
	vault_r_close(app.vault);
	return r;
}
