/* options: see options.h. */
#include "restore/app/options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/show/suggest.h"
#include "base/threads/throttle.h"
#include "base/text.h"
#include "restore/app/app.h"

#define RATE_MIN ((uint64_t)64 << 10) /* a segment of an archive: what is read at once */

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
	OPT_JSON,
	OPT_AT,
	OPT_SET,
	OPT_ATTEST,
	OPT_OPERATOR,
	OPT_KEEP,
	OPT_ISOLATION,
	OPT_RANDOM,
	OPT_UNATTENDED,
	OPT_SEED,
	OPT_JOURNAL,
	OPT_PLAIN,
	OPT_SINCE,
	OPT_ENVELOPE,
	OPT_SLIP,
	OPT_SIGN_SLIP,
	OPT_RANGE,
	OPT_TIMELINE,
	OPT_SVG,
	OPT_KNOWN_BAD,
	OPT_SCAN,
	OPT_UNTIL_CLEAN,
	OPT_ALLOW_OTHER,
	OPT_IDLE,
	OPT_NO_BROWSER,
	OPT_EXCLUDE,
	OPT_SKIP_SAME,
	OPT_CHECK,
	OPT_DRY_RUN,
	OPT_WINDOWS_NAMES,
	OPT_NUMERIC_OWNER,
	OPT_OWNER_MAP,
	OPT_LIMIT_RATE,
};

static const struct option options[] = {
    {"medium", required_argument, NULL, OPT_MEDIUM},
    {"journal", required_argument, NULL, OPT_JOURNAL},
    {"repository", required_argument, NULL, OPT_REPOSITORY},
    {"identity", required_argument, NULL, OPT_IDENTITY},
    {"passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE},
    {"root-key", required_argument, NULL, OPT_ROOT_KEY},
    {"lang", required_argument, NULL, OPT_LANG},
    {"to", required_argument, NULL, OPT_TO},
    {"same-owner", no_argument, NULL, OPT_SAME_OWNER},
    {"overwrite", no_argument, NULL, OPT_OVERWRITE},
    {"deep", no_argument, NULL, OPT_DEEP},
    {"json", no_argument, NULL, OPT_JSON},
    {"at", required_argument, NULL, OPT_AT},
    {"set", required_argument, NULL, OPT_SET},
    {"attest", required_argument, NULL, OPT_ATTEST},
    {"operator", required_argument, NULL, OPT_OPERATOR},
    {"keep", no_argument, NULL, OPT_KEEP},
    {"isolation", required_argument, NULL, OPT_ISOLATION},
    {"random", no_argument, NULL, OPT_RANDOM},
    {"unattended", no_argument, NULL, OPT_UNATTENDED},
    {"seed", required_argument, NULL, OPT_SEED},
    {"plain-identity", no_argument, NULL, OPT_PLAIN},
    {"since", required_argument, NULL, OPT_SINCE},
    {"envelope", required_argument, NULL, OPT_ENVELOPE},
    {"slip", required_argument, NULL, OPT_SLIP},
    {"sign-slip", required_argument, NULL, OPT_SIGN_SLIP},
    {"generations", required_argument, NULL, OPT_RANGE},
    {"timeline", no_argument, NULL, OPT_TIMELINE},
    {"svg", required_argument, NULL, OPT_SVG},
    {"known-bad", required_argument, NULL, OPT_KNOWN_BAD},
    {"scan", required_argument, NULL, OPT_SCAN},
    {"until-clean", no_argument, NULL, OPT_UNTIL_CLEAN},
    {"allow-other", no_argument, NULL, OPT_ALLOW_OTHER},
    {"idle", required_argument, NULL, OPT_IDLE},
    {"no-browser", no_argument, NULL, OPT_NO_BROWSER},
    {"exclude", required_argument, NULL, OPT_EXCLUDE},
    {"skip-same", no_argument, NULL, OPT_SKIP_SAME},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"windows-names", no_argument, NULL, OPT_WINDOWS_NAMES},
    {"check", no_argument, NULL, OPT_CHECK},
    {"numeric-owner", no_argument, NULL, OPT_NUMERIC_OWNER},
    {"owner-map", required_argument, NULL, OPT_OWNER_MAP},
    {"limit-rate", required_argument, NULL, OPT_LIMIT_RATE},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void help_drill(void)
{
	printf("  --at WHEN               %s\n",
	    text(
		"which generation of each data set: 42, 2026-11-20 or 3d; default: the newest complete one"));
	printf("  --set NAME=VALUE        %s\n", text("a variable of the procedure; repeatable"));
	printf("  --attest FILE           %s\n", text("answers for the steps that a person confirms"));
	printf("  --keep                  %s\n", text("do not erase the restored data at the end"));
	printf("  --random                %s\n",
	    text("drill: one of the media given and one of its generations, drawn; the seed is recorded"));
	printf("  --seed NUMBER           %s\n", text("with --random: the same choice once more"));
	printf("  --unattended            %s\n", text("drill: for cron: drawn, nobody is asked, one line "
						      "says how it was; --to is the folder of all"));
	printf("  --isolation HOW         %s\n",
	    text(
		"drill: required, try (default) or off: its commands reach no network, no other program, and "
		"write to the scratch folder alone"));
}

static void help_history(unsigned which)
{
	if (!which || which & APP_TIMELINE) {
		printf("  --timeline              %s\n",
		    text("what changed from one generation to the next, as the journal on the medium says"));
		printf(
		    "  --svg FILE              %s\n", text("the same as a drawing for A4, into a new file"));
	}
	if (!which || which & APP_RANGE)
		printf("  --generations A-B       %s\n", text("only those of runs A to B"));
	if (!which || which & APP_SINCE) {
		printf("  --since RUN             %s\n",
		    text("key drill: opens the archives added since that run; 0: all of them"));
		printf("  --since DAY             %s\n",
		    text("find, history: only generations begun from then on, as 2026-11-20 or 30d"));
	}
	if (!which || which & APP_MOUNT)
		printf("  --allow-other           %s\n",
		    text("others may look too, each as far as modes and owners let him"));
	if (!which || which & APP_VIEW)
		printf("  --no-browser            %s\n", text("only says which address is to be opened"));
	if (!which || which & APP_SHELL)
		printf("  --idle TIME             %s\n",
		    text("ends when nothing is typed for so long; default 15m"));
	if (!which || which & APP_KNOWN)
		printf("  --known-bad FILE        %s\n",
		    text("SHA-256 of files that are known to be bad, as sha256sum writes them"));
	if (!which || which & APP_BISECT) {
		printf("  --scan COMMAND          %s\n",
		    text("a virus scanner: {} is the folder to look at, {list} a list of its files"));
		printf("  --until-clean           %s\n", text("stop at the first generation without any"));
	}
}

void options_help(unsigned which)
{
	printf("\n%s\n", text("Options:"));
	if (!(which & APP_NO_MEDIUM)) {
		printf("  --limit-rate BYTES      %s\n",
		    text("reads no more of the media in a second, as 20M; for a server that others use"));
		printf("  --medium DIR            %s\n", text("the folder that holds bkp-medium.json"));
		printf("                          %s\n",
		    text("repeatable: other copies, for what is damaged or unproved on the first"));
		printf("  --journal FILE          %s\n",
		    text("another copy of the journal to compare with; repeatable"));
		printf("  --repository ID         %s\n", text("when the medium has several"));
		printf("  --root-key RW...        %s\n",
		    text("the root key from paper, to be compared with the medium's"));
	}
	if (!which || which & APP_IDENTITY) {
		printf("  --identity FILE         %s\n",
		    text("recovery identity (an age identity file), - for standard input; repeatable"));
		printf(
		    "  --operator NAME         %s\n", text("who does it, for the record of the key's use"));
		printf(
		    "  --slip FILE             %s\n", text("that record's file; default: beside the output, "
							   "else in $BKP_SLIPS or your own folder"));
		printf("  --sign-slip KEYFILE     %s\n",
		    text("signs it with a secret key of minisign that no passphrase protects"));
	}
	if (!which || which & (APP_IDENTITY | APP_KEY))
		printf("  --passphrase-file FILE  %s\n",
		    text("its passphrase, if it should not be asked on the terminal"));
	if (!which || which & APP_TO)
		printf("  --to DIR                %s\n", text("where to; made if missing"));
	if (!which || which & APP_SAME_OWNER)
		printf("  --same-owner            %s\n",
		    text("as root: owners, setuid bits, devices, capabilities, immutable flags too"));
	if (!which || which & APP_OWNERS) {
		printf("  --numeric-owner         %s\n",
		    text("with --same-owner: by number, not by name; for the disk of another system"));
		printf("  --owner-map FILE        %s\n",
		    text("with --same-owner: lines 'user OLD NEW', 'group OLD NEW'"));
	}
	if (!which || which & APP_OVERWRITE)
		printf("  --overwrite             %s\n", text("replace files that are there"));
	if (!which || which & APP_PART) {
		printf("  --exclude GLOB          %s\n",
		    text("leaves out what is called so, and all below it; repeatable"));
		printf("  --since DAY             %s\n",
		    text("extract: only what changed from then on, as 2026-11-20 or 30d"));
		printf("  --dry-run               %s\n",
		    text("writes nothing: what would be brought back, how much, and does it fit"));
		printf("  --windows-names         %s\n",
		    text("for Windows: names that it cannot hold are written under others, and listed"));
		printf("  --skip-same             %s\n",
		    text("does not write again what is there with the same size, time and mode"));
		printf("  --check                 %s\n",
		    text("with --skip-same: and the same content, by SHA-256"));
	}
	if (!which || which & APP_DEEP)
		printf("  --deep                  %s\n", text("decrypt and decode everything"));
	if (!which || which & APP_DRILL)
		help_drill();
	if (!which || which & APP_KEY) {
		printf("  -k NUMBER, -n NUMBER    %s\n", text("how many shares are needed, of how many"));
		printf("  --plain-identity        %s\n", text("do not protect the identity by a passphrase"));
		printf("  --envelope NUMBER       %s\n",
		    text("key drill: the envelope that the key came out of"));
	}
	help_history(which);
	if (!which || which & APP_JSON)
		printf("  --json                  %s\n", text("one JSON object on standard output"));
	printf("  --quiet, -q             %s\n", text("no progress, no summary"));
	printf("  --lang ja|en            %s\n", text("language of messages (also $BKP_LANG)"));
	printf("  --help, --version\n");
}

/* --lang, else $BKP_LANG, else the locale's. */
void options_lang(const char *wanted)
{
	enum text_lang lang;

	text_set_lang(wanted && !text_parse_lang(wanted, &lang) ? lang : text_environment());
}

/* Options of drill. -1: go on; otherwise the exit code. */
static int take_drill(struct app *app, int opt)
{
	switch (opt) {
	case OPT_AT:
		app->at = optarg;
		break;
	case OPT_SET:
		if (app->n_settings == APP_SETTINGS)
			return app_usage(app, text("at most %d times --set"), APP_SETTINGS);
		app->settings[app->n_settings++] = optarg;
		break;
	case OPT_ATTEST:
		app->attest = optarg;
		break;
	case OPT_KEEP:
		app->keep = true;
		break;
	case OPT_UNATTENDED:
		app->unattended = true;
		return -1;
	case OPT_RANDOM:
		app->random = true;
		break;
	case OPT_SEED:
		app->seed = optarg;
		break;
	case OPT_ISOLATION:
		if (strcmp(optarg, "required") != 0 && strcmp(optarg, "try") != 0 &&
		    strcmp(optarg, "off") != 0)
			return app_usage(app, text("--isolation: '%s' is not required, try or off"), optarg);
		app->isolation = optarg;
		break;
	default:
		return APP_USAGE;
	}
	return -1;
}

/* "A-B", "A-", "A" */
static bool parse_range(struct app *app, const char *s)
{
	char *end;

	app->from = strtoull(s, &end, 10);
	if (end == s || *s < '1' || *s > '9')
		return false;
	app->upto = app->from;
	if (*end == '-') {
		s = end + 1;
		app->upto = *s ? strtoull(s, &end, 10) : UINT64_MAX;
		end += !*s;
	}
	return !*end && *s != '-' && *s != '+' && *s != ' ' && app->upto >= app->from;
}

/* Options of mount and shell.  Likewise. */
static int take_look(struct app *app, int opt, unsigned *used)
{
	switch (opt) {
	case OPT_ALLOW_OTHER:
		app->allow_other = true;
		*used |= APP_MOUNT;
		return -1;
	case OPT_NO_BROWSER:
		app->no_browser = true;
		*used |= APP_VIEW;
		return -1;
	case OPT_IDLE:
		app->idle = optarg;
		*used |= APP_SHELL;
		return -1;
	default:
		*used |= APP_DRILL;
		return take_drill(app, opt);
	}
}

/* Options that look at many generations.  Likewise. */
static int take_history(struct app *app, int opt, unsigned *used)
{
	switch (opt) {
	case OPT_RANGE:
		*used |= APP_RANGE;
		return parse_range(app, optarg)
			   ? -1
			   : app_usage(app, text("'%s' is no range of runs, as 30-42"), optarg);
	case OPT_TIMELINE:
		app->timeline = true;
		*used |= APP_TIMELINE;
		return -1;
	case OPT_SVG:
		app->svg = optarg;
		*used |= APP_TIMELINE;
		return -1;
	case OPT_KNOWN_BAD:
		app->known_bad = optarg;
		*used |= APP_KNOWN;
		return -1;
	case OPT_SCAN:
		app->scan = optarg;
		*used |= APP_BISECT;
		return -1;
	case OPT_UNTIL_CLEAN:
		app->until_clean = true;
		*used |= APP_BISECT;
		return -1;
	default:
		return take_look(app, opt, used);
	}
}

/* Options of a restore in parts.  Likewise. */
static int take_part(struct app *app, int opt, unsigned *used)
{
	switch (opt) {
	case OPT_EXCLUDE:
		if (app->n_excluded == APP_EXCLUDES)
			return app_usage(app, text("at most %d times --exclude"), APP_EXCLUDES);
		app->excluded[app->n_excluded++] = optarg;
		break;
	case OPT_SKIP_SAME:
		app->skip_same = true;
		break;
	case OPT_DRY_RUN:
		app->dry_run = true;
		break;
	case OPT_WINDOWS_NAMES:
		app->windows_names = true;
		break;
	case OPT_CHECK:
		app->check = true;
		break;
	default:
		return take_history(app, opt, used);
	}
	*used |= APP_PART;
	return -1;
}

/* Options that change what is restored, or how it is shown. Likewise; *used: enum app_option. */
static int take_special(struct app *app, int opt, unsigned *used)
{
	switch (opt) {
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
	case OPT_NUMERIC_OWNER:
		app->numeric_owner = true;
		*used |= APP_OWNERS;
		break;
	case OPT_OWNER_MAP:
		app->owner_map = optarg;
		*used |= APP_OWNERS;
		break;
	case OPT_DEEP:
		app->deep = true;
		*used |= APP_DEEP;
		break;
	case OPT_JSON:
		app->json = true;
		*used |= APP_JSON;
		break;
	case 'k':
		app->needed = optarg;
		*used |= APP_KEY;
		break;
	case 'n':
		app->shares = optarg;
		*used |= APP_KEY;
		break;
	case OPT_PLAIN:
		app->plain = true;
		*used |= APP_KEY;
		break;
	case OPT_SINCE:
		app->since = optarg;
		*used |= APP_SINCE;
		break;
	case OPT_ENVELOPE:
		app->envelope = optarg;
		*used |= APP_KEY;
		break;
	default:
		return take_part(app, opt, used);
	}
	return -1;
}

/* BYTES, with K, M or G (of 1024) behind it. */
static int take_rate(struct app *app, const char *s)
{
	static const char units[] = "KMG";
	char *end;
	uint64_t n = strtoull(s, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (*s < '1' || *s > '9' || (*end && !unit) || (unit && end[1]) || n > (UINT64_MAX >> 20) >> shift ||
	    n << shift < RATE_MIN)
		return app_usage(
		    app, text("--limit-rate: '%s' is no number of bytes, as 20M, from 64K on"), s);
	throttle_begin(&app->throttle, n << shift);
	return -1;
}

static int take_option(struct app *app, int opt, unsigned *used)
{
	enum text_lang lang;

	switch (opt) {
	case OPT_MEDIUM:
		if (app->n_media == APP_MEDIA)
			return app_usage(app, text("at most %d times --medium"), APP_MEDIA);
		app->media[app->n_media++] = optarg;
		break;
	case OPT_JOURNAL:
		if (app->n_journals == APP_JOURNALS)
			return app_usage(app, text("at most %d times --journal"), APP_JOURNALS);
		app->journals[app->n_journals++] = optarg;
		break;
	case OPT_REPOSITORY:
		app->repository = optarg;
		break;
	case OPT_LIMIT_RATE:
		return take_rate(app, optarg);
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
		options_lang(optarg);
		break;
	case OPT_OPERATOR:
		app->operator_name = optarg;
		*used |= APP_IDENTITY;
		break;
	case OPT_SLIP:
		app->slip_file = optarg;
		*used |= APP_IDENTITY;
		break;
	case OPT_SIGN_SLIP:
		app->sign_slip = optarg;
		*used |= APP_IDENTITY;
		break;
	case 'q':
		app->quiet = true;
		break;
	default:
		return take_special(app, opt, used);
	}
	return -1;
}

static int unknown_option(const struct app *app, const char *word)
{
	const char *near = suggest_option(word, options);
	char option[SUGGEST_BYTES_MAX + 4];

	snprintf(option, sizeof(option), "--%s", near ? near : "");
	return app_unknown(app, near ? option : NULL, text("unknown or ambiguous option '%s'"), word);
}

int options_take(struct app *app, int argc, char **argv, struct options_found *ret)
{
	int opt, r;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":qhVk:n:", options, NULL)) != -1) {
		if (opt == ':')
			return app_usage(app, text("option '%s' needs a value"), argv[optind - 1]);
		if (opt == '?')
			return unknown_option(app, argv[optind - 1]);
		if (opt == 'V') {
			ret->version = true;
			return -1;
		}
		if (opt == 'h') {
			ret->help = true;
			continue;
		}
		r = take_option(app, opt, &ret->used);
		if (r >= 0)
			return r;
	}
	return -1;
}
