/* cmd_journal: bkp journal show | verify | export | import | repair | head | countersign | find: the audit record, readable and checkable
 * by anyone with the public key.  This file: which is meant, show and verify.
 *
 * No record is shown before the whole journal has been verified: it is read twice, the first time without output.  verify
 * looks at each record, so that every signature is checked by itself and none is vouched for by a later one. */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/root_key.h"
#include "cmd/cmd_journal.h"
#include "cmd/import/import.h"
#include "cmd/show/journal_words.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"

#define SHOW	     200
#define KEY_FILE_MAX 4096

/* ---- which journal ---- */

int cmd_journal_open(
    struct app *app, const struct cmd_journal_options *o, struct store_file *ret, char *ret_name, size_t size)
{
	POLICY_AUTO policy = NULL;
	struct err err = ERR_INIT;
	int code = o->file ? APP_OK : app_policy(app, &policy);

	if (code)
		return code;
	if (o->file)
		snprintf(ret_name, size, "%s", o->file);
	else
		snprintf(ret_name, size, "%s", policy->state);
	if (!segments_open_path(ret_name, ret, &err))
		return APP_OK;
	err_hint(&err, "%s", text("name the journal with --file, or the policy with --policy"));
	return app_error(&err, APP_UNKNOWN);
}

/* ---- show ---- */

struct showing {
	struct app *app;
	const struct ledger *l; /* of the whole journal */
	uint64_t shown;
};

static bool is_frame(const char *key)
{
	static const char *const keys[] = {"seq", "time", "boot", "mono_ns", "synced", "version", "by",
	    "repository", "event", "prev", "epoch", "sig"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

/* Lists of which a person needs the texts, and how many of them; 0: all.  Of others the length. */
static bool is_shown(const char *key, size_t *ret_few)
{
	static const struct {
		const char *key;
		size_t few;
	} lists[] = {{"changes", 0}, {"narrows", 0}, {"files", 3}, {"generations", 3}, {"datasets", 3}};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (!strcmp(lists[i].key, key)) {
			*ret_few = lists[i].few;
			return true;
		}
	return false;
}

/* n: how many there are; the list may hold only the first of them. */
static void show_texts(const json_t *list, size_t few, size_t n)
{
	char show[SHOW];

	putchar('[');
	for (size_t i = 0; i < json_array_size(list) && (!few || i < few); i++)
		printf(
		    "%s%s", i ? "; " : "", journal_words_item(json_array_get(list, i), show, sizeof(show)));
	if (few && n > few)
		printf(text("; … (%zu in all)"), n);
	putchar(']');
}

/* "run=42 uuid=… datasets=[emr; lab] narrows=[datasets/emr/exclude: added]" */
static void show_members(json_t *o)
{
	char show[SHOW];
	const char *key;
	size_t few;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		if (is_frame(key) || json_is_null(v))
			continue;
		printf("  %s=", key);
		if (json_is_string(v))
			printf("%s", path_show(json_string_value(v), show, sizeof(show)));
		else if (json_is_integer(v))
			printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
		else if (json_is_boolean(v))
			printf("%s", json_is_true(v) ? "true" : "false");
		else if (json_is_array(v) && is_shown(key, &few))
			show_texts(v, few,
			    json_is_integer(json_object_get(o, "count"))
				? (size_t)json_integer_value(json_object_get(o, "count"))
				: json_array_size(v));
		else
			printf("[%zu]", json_is_array(v) ? json_array_size(v) : json_object_size(v));
	}
}

static int show_record(void *arg, const struct journal_record *r, struct err *err)
{
	struct showing *s = arg;
	char time[CLOCK_TEXT], by[SHOW], signature[JOURNAL_WORDS], show[JOURNAL_WORDS];

	(void)err;
	if (s->app->json) {
		fputs(s->shown++ ? "," : "", stdout);
		json_dumpf(r->json, stdout, JSON_COMPACT);
		return 0;
	}
	printf("%6" PRIu64 "  %s%s  %s  %s", r->seq, clock_format_local(r->wall_ns, time),
	    r->synced ? " " : "?", path_show(r->by, by, sizeof(by)), r->event);
	show_members(r->json);
	if (*journal_words_signed(r, s->l, signature))
		printf("  (%s)", path_show(signature, show, sizeof(show)));
	putchar('\n');
	return 0;
}

static int show_journal(struct app *app, struct cmd_journal_options *o)
{
	struct showing s = {.app = app};
	struct ledger *l = NULL, *all = NULL;
	struct err err = ERR_INIT;
	char name[4096];
	STORE_FILE_AUTO journal = {0};
	int code = cmd_journal_open(app, o, &journal, name, sizeof(name)), r;

	if (code)
		return code;
	/* all of it is checked before any of it is shown */
	if (ledger_load_file(&journal, name, NULL, NULL, NULL, &all, &err))
		return app_error(&err, APP_FAILED);
	s.l = all;
	fputs(app->json ? "{\"records\":[" : "", stdout);
	r = ledger_load_file(&journal, name, NULL, show_record, &s, &l, &err);
	if (!r)
		ledger_free(l);
	fputs(app->json ? "]}\n" : "", stdout);
	ledger_free(all);
	return app_flush(r ? app_error(&err, APP_FAILED) : APP_OK);
}

/* ---- verify ---- */

/* How much of it somebody else than this host has signed. */
static void report_countersigned(const struct ledger *l)
{
	const struct ledger_countersign *c = ledger_countersigned(l);
	char time[CLOCK_TEXT], show[SHOW];

	if (!c) {
		printf("%s %s\n", text("witnesses: "), text("nobody has countersigned it yet"));
		return;
	}
	printf("%s ", text("witnesses: "));
	printf(text("%s countersigned it up to record %ju (%ju%%), recorded %s; %ju records are newer\n"),
	    path_show(c->name, show, sizeof(show)), (uintmax_t)c->upto,
	    (uintmax_t)(100 * c->upto / ledger_seq(l)), clock_format_local(c->at_ns, time),
	    (uintmax_t)(ledger_seq(l) - c->upto));
	printf("%s %s  (%s)\n", "           ", c->key,
	    c->known ? text("of the policy: compare it with the person's")
		     : text("as it was given: compare it with the person's"));
}

static json_t *countersigned_json(const struct ledger *l)
{
	const struct ledger_countersign *c = ledger_countersigned(l);
	char time[CLOCK_TEXT];

	return c ? json_pack("{s:I, s:I, s:s, s:s, s:b, s:s, s:I}", "upto", (json_int_t)c->upto, "newer",
		       (json_int_t)(ledger_seq(l) - c->upto), "name", c->name, "key", c->key, "of_policy",
		       (int)c->known, "time", clock_format(c->at_ns, time), "record", (json_int_t)c->seq)
		 : json_null();
}

static json_t *report_json(
    const struct cmd_journal_options *o, const struct ledger *l, const struct journal_acts *acts)
{
	char key[MINISIG_KEY_TEXT], head[DIGEST_HEX], time[CLOCK_TEXT];

	return json_pack("{s:b, s:s, s:s, s:b, s:I, s:I, s:s, s:s, s:b, s:o, s:o}", "valid", 1, "repository",
	    ledger_repository(l), "root_key", minisig_public_format(ledger_root(l), key), "root_key_given",
	    o->root_key != NULL, "records", (json_int_t)ledger_seq(l), "epochs", (json_int_t)ledger_epoch(l),
	    "head", digest_hex(ledger_head(l), DIGEST_LEN, head), "head_time",
	    clock_format(ledger_head_ns(l), time), "torn", (int)ledger_torn(l), "countersigned",
	    countersigned_json(l), "acts", journal_words_acts_json(acts, l));
}

static void report_text(
    const struct cmd_journal_options *o, const struct ledger *l, const struct journal_acts *acts)
{
	char key[MINISIG_KEY_TEXT], head[DIGEST_HEX], time[CLOCK_TEXT];

	printf("%s %" PRIu64 "\n", text("records:   "), ledger_seq(l));
	printf("%s %s\n", text("repository:"), ledger_repository(l));
	printf("%s %s  (%s)\n", text("root key:  "), minisig_public_format(ledger_root(l), key),
	    o->root_key ? text("as given") : text("as the journal says itself: compare it with paper"));
	printf("%s %u  (%s)\n", text("epochs:    "), ledger_epoch(l),
	    text("each key was named by the one before it"));
	printf("%s %s  %s\n", text("head:      "), digest_hex(ledger_head(l), DIGEST_LEN, head),
	    clock_format_local(ledger_head_ns(l), time));
	report_countersigned(l);
	journal_words_acts_print(acts, l);
	printf("%s\n", text("every record is in its place, unchanged and signed"));
}

static int report_torn(const struct ledger *l)
{
	struct err err = ERR_INIT;

	if (!ledger_torn(l))
		return APP_OK;
	err_set(&err, "E-JOURNAL-24", text("behind record %ju stand bytes without an end of line"),
	    ledger_seq(l));
	err_hint(
	    &err, "%s", text("a record was being written: it does not count, and the next run removes it"));
	return app_error(&err, APP_ATTENTION);
}

/* The journal is in itself as it must be.  Is it also the one that other places know? */
static int report_verified(struct app *app, const struct cmd_journal_options *o, struct store_file *journal,
    const struct ledger *l, const struct journal_acts *acts)
{
	json_t *other = NULL, *out;
	int code, compared = APP_OK;

	if (!app->json && !app->quiet)
		report_text(o, l, acts);
	code = report_torn(l);
	if (o->against)
		compared = cmd_journal_against(app, o, journal, l, &other);
	else if (!o->file)
		compared = cmd_journal_against_media(app, journal, l, &other);
	if (compared > code)
		code = compared;
	if (!app->json) {
		json_decref(other);
		return app_flush(code);
	}
	out = report_json(o, l, acts);
	if (other)
		json_object_set_new(out, o->against ? "against" : "media", other);
	return out_json(out, code);
}

int cmd_journal_number(struct app *app, const char *s, uint64_t *ret)
{
	char *end = NULL;

	if (!s)
		return APP_OK;
	*ret = strtoull(s, &end, 10);
	return *s < '1' || *s > '9' || *end || *ret > INT64_MAX
		   ? app_usage(app, text("'%s' is no number of a record"), s)
		   : APP_OK;
}

static int verify_journal(struct app *app, struct cmd_journal_options *o)
{
	struct ledger *l;
	struct err err = ERR_INIT;
	char name[4096];
	STORE_FILE_AUTO journal = {0};
	struct journal_acts acts = {0};
	int code;

	if (o->root_key && root_key_read(o->root_key, &o->root, &err))
		return app_error(&err, APP_USAGE);
	code = cmd_journal_open(app, o, &journal, name, sizeof(name));
	if (code)
		return code;
	/* who looks at each record has the signature of each checked, see ledger.h */
	if (ledger_load_file(
		&journal, name, o->root_key ? &o->root : NULL, journal_words_acts_take, &acts, &l, &err)) {
		journal_words_acts_clear(&acts);
		app_error(&err, APP_FAILED);
		return app->json ? out_json(json_pack("{s:b, s:s, s:s}", "valid", 0, "code", err.code,
						"message", err.msg),
				       APP_FAILED)
				 : APP_FAILED;
	}
	code = report_verified(app, o, &journal, l, &acts);
	journal_words_acts_clear(&acts);
	ledger_free(l);
	return code;
}

/* ---- import ---- */

static int import_records(struct app *app, struct cmd_journal_options *o)
{
	POLICY_AUTO policy = NULL;
	int code = app_policy(app, &policy);

	return code ? code : import_files(app, policy, "journal import", o->operator, o->words, o->n);
}

/* ---- which is meant ---- */

enum { ROOT_KEY = 1, FILE_, AGAINST, FORMAT, OUT, OPERATOR, PUBLIC_KEY, BY, RECORD };
#define MAY(option) (1u << (option))

static const struct verb {
	const char *name;
	int (*run)(struct app *app, struct cmd_journal_options *o);
	unsigned may;	 /* options that go with it */
	int least, most; /* words behind it */
} verbs[] = {{"show", show_journal, MAY(FILE_), 0, 0},
    {"verify", verify_journal, MAY(FILE_) | MAY(ROOT_KEY) | MAY(AGAINST), 0, 0},
    {"export", cmd_journal_export, MAY(FILE_) | MAY(FORMAT) | MAY(OUT), 0, 0},
    {"import", import_records, MAY(OPERATOR), 1, INT_MAX},
    {"repair", cmd_journal_repair, MAY(OPERATOR), 0, 0},
    {"head", cmd_journal_head, MAY(FILE_) | MAY(OUT) | MAY(RECORD), 0, 0},
    {"countersign", cmd_journal_countersign, MAY(OPERATOR) | MAY(PUBLIC_KEY) | MAY(BY), 1, 1},
    {"find", cmd_journal_find, MAY(FILE_) | MAY(RECORD), 1, 1}};

static int dispatch(struct app *app, const char *what, unsigned given, struct cmd_journal_options *o)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verbs[i].name, what) && !(given & ~verbs[i].may) && o->n >= verbs[i].least &&
		    o->n <= verbs[i].most)
			return verbs[i].run(app, o);
	return app_usage(app, "%s",
	    text("'journal' is followed by 'show', 'verify', 'export', 'import FILE...', 'repair', 'head', "
		 "'countersign FILE' or 'find DIGITS', each with options of its own"));
}

int cmd_journal(struct app *app, int argc, char **argv)
{
	static const struct option own[] = {{"root-key", required_argument, NULL, ROOT_KEY},
	    {"file", required_argument, NULL, FILE_}, {"against", required_argument, NULL, AGAINST},
	    {"format", required_argument, NULL, FORMAT}, {"out", required_argument, NULL, OUT},
	    {"operator", required_argument, NULL, OPERATOR},
	    {"public-key", required_argument, NULL, PUBLIC_KEY}, {"by", required_argument, NULL, BY},
	    {"record", required_argument, NULL, RECORD}, {NULL, 0, NULL, 0}};
	struct cmd_journal_options o = {.file = NULL};
	const char **into[] = {[ROOT_KEY] = &o.root_key,
	    [FILE_] = &o.file,
	    [AGAINST] = &o.against,
	    [FORMAT] = &o.format,
	    [OUT] = &o.out,
	    [OPERATOR] = &o.operator,
	    [PUBLIC_KEY] = & o.public_key,
	    [BY] = &o.by,
	    [RECORD] = &o.record};
	unsigned given = 0;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		*into[opt] = optarg;
		given |= MAY(opt);
	}
	o.words = argv + optind + 1;
	o.n = argc - optind - 1;
	return dispatch(app, argc > optind ? argv[optind] : "", given, &o);
}
