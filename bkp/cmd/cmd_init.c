/* cmd_init: bkp init: keys, state folder, first record.
 *
 * Order: is the place free → the recovery identity, when one is asked for, into its file → the state folder
 * (state_create_with_root(), whose rename is the commit) → the outcome is recorded.  When the folder cannot be made the
 * identity's file is removed again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/cmd_init.h"
#include "format/crypto/age.h"
#include "format/crypto/minisig.h"
#include "format/crypto/passphrase.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "format/medium/period_make.h"
#include "format/medium/period_recipient.h"
#include "read/vault/passphrase_ask.h"
#include "read/vault/repository.h"
#include "write/state/keys_take.h"
#include "write/state/state.h"

struct options {
	struct state_person people[PERIOD_PEOPLE_MAX];
	size_t n;
	struct period_making *begun; /* of --keys */
	const char *keys;
	char made[AGE_RECIPIENT_TEXT]; /* of --identity-out */
	const char *identity_out;
	const char *passphrase_file;
	const char *root_key_out;
	bool plain;
	struct cmd_init_continue go_on;
};

/* "name=age1…": the name that the person's file is to have; else they are numbered.  The recipient, or NULL. */
static const char *take_name(struct options *o, const char *s, struct err *err)
{
	const char *end = strchr(s, '=');
	struct state_person *p = &o->people[o->n];

	state_person_number(o->n + 1, p->name);
	if (end) {
		snprintf(p->name, sizeof(p->name), "%.*s", (int)(end - s), s);
		s = end + 1;
	}
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->people[i].name, p->name)) {
			err_set(err, "E-INIT-05", text("two people are called '%s'"), p->name);
			return NULL;
		}
	if ((end && (size_t)(end + 1 - s) > sizeof(p->name)) || !period_name_ok(p->name)) {
		err_set(err, "E-INIT-05", text("a person cannot be called '%s' here"), p->name);
		err_hint(err, "%s",
		    text("small letters, digits and '-', at most 32: it becomes the name of a file"));
		return NULL;
	}
	return s;
}

static int add_recipient(struct app *app, struct options *o, const char *s)
{
	struct period_recipient r;
	struct err err = ERR_INIT;

	if (o->n == PERIOD_PEOPLE_MAX)
		return app_usage(app, text("there can be %d recipients at most"), PERIOD_PEOPLE_MAX);
	if ((s = take_name(o, s, &err)) == NULL)
		return app_error(&err, APP_USAGE);
	if (!strncasecmp(s, "AGE-SECRET-KEY-", strlen("AGE-SECRET-KEY-"))) {
		err_set(&err, "E-INIT-04", "%s",
		    text("this is a secret key, not a recipient: it has been seen by this computer"));
		err_hint(&err, "%s",
		    text("burn it: clear it from the screen and the shell's history, never use it again; "
			 "make another one on "
			 "another computer ('age-keygen -o FILE') and give only the public key it prints "
			 "(age1…)"));
		return app_error(&err, APP_USAGE);
	}
	if (period_recipient_parse(s, &r, &err))
		return app_error(&err, APP_USAGE);
	for (size_t i = 0; i < o->n; i++)
		if (!strcasecmp(o->people[i].recipient, s))
			return app_usage(app, text("recipient '%s' is given twice"), s);
	o->people[o->n].recipient = s;
	o->n++;
	return APP_OK;
}

static int check_continue(struct app *app, const struct options *o)
{
	if (!o->go_on.n || !o->go_on.secrets || !o->go_on.root_key || !o->go_on.operator)
		return app_usage(app, "%s",
		    text("to go on with a repository: --continue MEDIUM --secrets FILE --root-key FILE "
			 "--operator NAME"));
	return o->n || o->identity_out || o->root_key_out || o->keys
		   ? app_usage(app, "%s", text("--continue makes no keys: who can open it stays as it is"))
		   : APP_OK;
}

static int check_options(struct app *app, const struct options *o, int argc)
{
	struct err err = ERR_INIT;

	if (optind < argc)
		return app_usage(app, "%s", text("'init' takes options only"));
	if (o->go_on.n || o->go_on.secrets || o->go_on.root_key || o->go_on.operator)
		return check_continue(app, o);
	if (!o->identity_out && (o->plain || o->passphrase_file))
		return app_usage(
		    app, "%s", text("--plain-identity and --passphrase-file go with --identity-out"));
	if (o->plain && o->passphrase_file)
		return app_usage(app, "%s", text("an identity is either plain or protected by a passphrase"));
	if (o->identity_out && o->root_key_out && !strcmp(o->identity_out, o->root_key_out))
		return app_usage(app, "%s", text("the identity and the root secret key go into a file each"));
	if (o->identity_out && o->n == PERIOD_PEOPLE_MAX)
		return app_usage(app, text("there can be %d recipients at most"), PERIOD_PEOPLE_MAX);
	if (o->keys && (o->n || o->identity_out))
		return app_usage(app, "%s",
		    text(
			"who holds a key stands in the folder of --keys: no --recipient, no --identity-out"));
	if (!o->n && !o->identity_out && !o->keys) {
		err_set(&err, "E-INIT-01", "%s", text("no recipient: nobody could ever restore"));
		err_hint(&err, "%s",
		    text("on another computer run 'age-keygen -o FILE' and give the public key it prints as "
			 "--recipient age1…; "
			 "or have a recovery identity made here with --identity-out FILE"));
		return app_error(&err, APP_USAGE);
	}
	if (o->root_key_out)
		return APP_OK;
	err_set(&err, "E-INIT-06", "%s", text("the root secret key needs a place that is not this computer"));
	err_hint(&err, "%s",
	    text("--root-key-out FILE, on a USB stick that goes into the safe: who may open the "
		 "backups, and an agreement "
		 "to keep less, are signed with it"));
	return app_error(&err, APP_USAGE);
}

static int parse_options(struct app *app, int argc, char **argv, struct options *o, int *ret_exit)
{
	enum {
		RECIPIENT = 1,
		IDENTITY_OUT,
		PASSPHRASE_FILE,
		PLAIN,
		ROOT_KEY_OUT,
		CONTINUE,
		SECRETS,
		ROOT_KEY,
		OPERATOR,
		KEYS
	};
	static const struct option own[] = {{"recipient", required_argument, NULL, RECIPIENT},
	    {"identity-out", required_argument, NULL, IDENTITY_OUT},
	    {"passphrase-file", required_argument, NULL, PASSPHRASE_FILE},
	    {"plain-identity", no_argument, NULL, PLAIN},
	    {"root-key-out", required_argument, NULL, ROOT_KEY_OUT},
	    {"continue", required_argument, NULL, CONTINUE}, {"secrets", required_argument, NULL, SECRETS},
	    {"root-key", required_argument, NULL, ROOT_KEY}, {"operator", required_argument, NULL, OPERATOR},
	    {"keys", required_argument, NULL, KEYS}, {NULL, 0, NULL, 0}};
	int opt;

	*ret_exit = APP_OK;
	while ((opt = app_getopt(app, argc, argv, own, ret_exit)) != -1) {
		if (opt == APP_OPT_STOP)
			return -1;
		if (opt == IDENTITY_OUT)
			o->identity_out = optarg;
		else if (opt == PASSPHRASE_FILE)
			o->passphrase_file = optarg;
		else if (opt == PLAIN)
			o->plain = true;
		else if (opt == ROOT_KEY_OUT)
			o->root_key_out = optarg;
		else if (opt == KEYS)
			o->keys = optarg;
		else if (opt == SECRETS)
			o->go_on.secrets = optarg;
		else if (opt == ROOT_KEY)
			o->go_on.root_key = optarg;
		else if (opt == OPERATOR)
			o->go_on.operator= optarg;
		else if (opt == CONTINUE && o->go_on.n < CONTINUE_MEDIA_MAX)
			o->go_on.media[o->go_on.n++] = optarg;
		else if (opt != CONTINUE && (*ret_exit = add_recipient(app, o, optarg)))
			return -1;
	}
	*ret_exit = check_options(app, o, argc);
	return *ret_exit ? -1 : 0;
}

/* ---- the identity ---- */

static int write_identity(const struct options *o, const void *p, size_t n, struct err *err)
{
	if (!access(o->identity_out, F_OK)) {
		err_set(
		    err, "E-INIT-02", text("'%s' exists already and is not overwritten"), o->identity_out);
		return err_hint(err, "%s",
		    text("name another file; if it is left from an init that was interrupted, remove it "
			 "first"));
	}
	return io_write_new(AT_FDCWD, o->identity_out, 0600, p, n, err) ||
		       io_sync_parent(o->identity_out, err)
		   ? -1
		   : 0;
}

/* Makes the recovery identity and writes it, only to the file that was asked for. */
static int make_identity(struct options *o, const char *site, char *passphrase, struct err *err)
{
	struct age_identity id;
	struct age_recipient recipient;
	struct clock_stamp now;
	char time[CLOCK_TEXT];
	BUF_AUTO out = BUF_INIT(65536);
	int r = 0;

	clock_now(&now);
	age_identity_generate(state_random(), &id);
	if (age_identity_recipient(&id, &recipient))
		r = err_nomem(err);
	else
		o->people[o->n].recipient = age_recipient_format(&recipient, o->made);
	if (!r && !o->plain)
		r = passphrase_ask_new(o->passphrase_file, text("passphrase of the recovery identity"), site,
		    state_random(), passphrase, err);
	if (!r)
		r = age_identity_file(&id, clock_format(now.wall_ns, time), o->plain ? NULL : passphrase,
			state_random(), &out, err) ||
		    write_identity(o, out.p, out.n, err);
	sodium_memzero(&id, sizeof(id));
	if (out.p)
		sodium_memzero(out.p, out.cap);
	state_person_number(o->n + 1, o->people[o->n].name);
	o->n += r == 0;
	return r ? -1 : 0;
}

static int recovery_identity(struct options *o, const char *site, struct err *err)
{
	char *passphrase;
	int r;

	if (!o->identity_out)
		return 0;
	if (sodium_init() < 0)
		return err_nomem(err);
	passphrase = sodium_malloc(PASSPHRASE_MAX);
	r = passphrase ? make_identity(o, site, passphrase, err) : err_nomem(err);
	sodium_free(passphrase);
	return r;
}

/* ---- the report ---- */

static int report_json(
    const struct options *o, const struct policy *policy, const struct ledger *l, const struct period *p)
{
	char key[MINISIG_KEY_TEXT];
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_people; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "name", p->people[i].name, "recipient", p->people[i].recipient));
	json_t *out = json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s?}", "repository", ledger_repository(l),
	    "state", policy->state, "root_key", minisig_public_format(ledger_root(l), key), "people", list,
	    "identity", o->identity_out, "root_secret_key", o->root_key_out);

	return out_json(out, APP_OK);
}

static int report_init(
    const struct app *app, const struct options *o, const struct policy *policy, const struct state *s)
{
	const struct ledger *l = state_ledger(s);
	const struct period *p = state_period(s);
	char key[MINISIG_KEY_TEXT], recipient[AGE_RECIPIENT_TEXT];

	if (app->json)
		return report_json(o, policy, l, p);
	printf("%s %s\n", text("repository:     "), ledger_repository(l));
	printf("%s %s\n", text("state folder:   "), policy->state);
	printf("%s %s\n", text("root public key:"), minisig_public_format(ledger_root(l), key));
	for (size_t i = 0; i < p->n_people; i++)
		printf("%s %s %s\n", text("key holder:     "), p->people[i].name, p->people[i].recipient);
	if (o->keys)
		printf("%s %s\n", text("recipient:      "), age_recipient_format(&p->recipient, recipient));
	if (o->identity_out)
		printf("%s %s\n", text("identity:       "), o->identity_out);
	if (o->root_key_out)
		printf("%s %s\n", text("root secret key:"), o->root_key_out);
	if (app->quiet)
		return app_flush(APP_OK);
	printf("\n%s\n",
	    text("Print this page and keep it with the recovery procedure: the root public key proves every "
		 "backup and every record."));
	if (o->identity_out)
		printf("%s\n",
		    text("Move the identity file to a thing that is kept apart from this computer, and its "
			 "passphrase to another place; then remove it here."));
	if (o->root_key_out)
		printf("%s\n",
		    text("Move the root secret key to a thing that is kept apart from this computer, in the "
			 "safe say, then remove it here: nothing needs it every day, and who has it can "
			 "lower what was agreed."));
	if (p->n_people == 1)
		printf("%s\n",
		    text("There is one key holder only: if that identity is lost, every backup is lost."));
	return app_flush(APP_OK);
}

/* The identity file of a repository that was not made would only stand in the way of the next attempt. */
static void take_identity_back(const struct options *o, const struct policy *policy)
{
	if (o->identity_out && !state_check_place(policy->state, NULL))
		unlink(o->identity_out);
}

/* The repository is there, and says how it came to be like everything that is done to it later. */
static int record_init(struct app *app, const struct options *o, const struct policy *policy)
{
	struct state *s = NULL;
	int code = app_state(app, policy, &s);

	if (code)
		return code;
	code = outcome_record(app, s, "init", APP_OK, text("the repository is made"));
	if (!code)
		code = report_init(app, o, policy, s);
	state_close(s);
	return code;
}

static int init_repository(struct app *app, struct options *o, const struct policy *policy)
{
	struct err err = ERR_INIT;
	int r, code;

	app_act(app, "init", "manager", NULL);
	/* before anybody is asked for a passphrase */
	r = state_check_place(policy->state, &err);
	if (r == STATE_EXISTS)
		outcome_refused(app, policy, APP_FAILED, err.msg);
	if (r || (o->root_key_out && state_check_root_key(policy->state, o->root_key_out, &err)) ||
	    (o->keys && keys_begun_read(o->keys, &o->begun, &err)) ||
	    recovery_identity(o, policy->site_name, &err))
		return app_error(&err, APP_FAILED);
	if (state_create_with_root(policy->state, policy->site_name,
		&(struct state_keys){o->people, o->n, o->begun}, o->root_key_out, &err)) {
		take_identity_back(o, policy);
		return app_error(&err, APP_FAILED);
	}
	code = record_init(app, o, policy);
	app_warn_keeping(policy);
	return code;
}

int cmd_init(struct app *app, int argc, char **argv)
{
	struct options o = {.n = 0};
	POLICY_AUTO policy = NULL;
	int code;

	if (parse_options(app, argc, argv, &o, &code))
		return code;
	if (o.go_on.n)
		return cmd_init_continue(app, &o.go_on);
	code = app_policy(app, &policy);
	if (!code)
		code = init_repository(app, &o, policy);
	period_making_free(o.begun);
	return code;
}
