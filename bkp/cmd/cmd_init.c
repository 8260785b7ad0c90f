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
#include "cmd/app/passphrase.h"
#include "format/crypto/age.h"
#include "format/crypto/minisig.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/repository.h"
#include "write/state/state.h"

#define WORK_FACTOR   18 /* scrypt 2^18, as age itself uses */
#define IDENTITY_TEXT 512

struct options {
	struct age_recipient recipients[REPOSITORY_PEOPLE];
	size_t n;
	const char *identity_out;
	const char *passphrase_file;
	const char *root_key_out;
	bool plain;
};

static int add_recipient(struct app *app, struct options *o, const char *s)
{
	struct err err = ERR_INIT;

	if (o->n == REPOSITORY_PEOPLE)
		return app_usage(app, text("there can be %d recipients at most"), REPOSITORY_PEOPLE);
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
	if (age_recipient_parse(s, &o->recipients[o->n], &err))
		return app_error(&err, APP_USAGE);
	for (size_t i = 0; i < o->n; i++)
		if (!memcmp(&o->recipients[i], &o->recipients[o->n], sizeof(o->recipients[i])))
			return app_usage(app, text("recipient '%s' is given twice"), s);
	o->n++;
	return APP_OK;
}

static int check_options(struct app *app, const struct options *o, int argc)
{
	struct err err = ERR_INIT;

	if (optind < argc)
		return app_usage(app, "%s", text("'init' takes options only"));
	if (!o->identity_out && (o->plain || o->passphrase_file))
		return app_usage(
		    app, "%s", text("--plain-identity and --passphrase-file go with --identity-out"));
	if (o->plain && o->passphrase_file)
		return app_usage(app, "%s", text("an identity is either plain or protected by a passphrase"));
	if (o->identity_out && o->root_key_out && !strcmp(o->identity_out, o->root_key_out))
		return app_usage(app, "%s", text("the identity and the root secret key go into a file each"));
	if (o->identity_out && o->n == REPOSITORY_PEOPLE)
		return app_usage(app, text("there can be %d recipients at most"), REPOSITORY_PEOPLE);
	if (o->n || o->identity_out)
		return APP_OK;
	err_set(&err, "E-INIT-01", "%s", text("no recipient: nobody could ever restore"));
	err_hint(&err, "%s",
	    text("on another computer run 'age-keygen -o FILE' and give the public key it prints as "
		 "--recipient age1…; "
		 "or have a recovery identity made here with --identity-out FILE"));
	return app_error(&err, APP_USAGE);
}

static int parse_options(struct app *app, int argc, char **argv, struct options *o, int *ret_exit)
{
	enum { RECIPIENT = 1, IDENTITY_OUT, PASSPHRASE_FILE, PLAIN, ROOT_KEY_OUT };
	static const struct option own[] = {{"recipient", required_argument, NULL, RECIPIENT},
	    {"identity-out", required_argument, NULL, IDENTITY_OUT},
	    {"passphrase-file", required_argument, NULL, PASSPHRASE_FILE},
	    {"plain-identity", no_argument, NULL, PLAIN},
	    {"root-key-out", required_argument, NULL, ROOT_KEY_OUT}, {NULL, 0, NULL, 0}};
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
		else if ((*ret_exit = add_recipient(app, o, optarg)))
			return -1;
	}
	*ret_exit = check_options(app, o, argc);
	return *ret_exit ? -1 : 0;
}

/* ---- the identity ---- */

/* The text of an identity file, as age-keygen writes it, into secure memory. */
static void identity_text(const struct age_identity *id, const struct age_recipient *pub, char *out)
{
	char time[CLOCK_TEXT], recipient[AGE_RECIPIENT_TEXT];
	struct clock_stamp now;
	size_t n;

	clock_now(&now);
	n = (size_t)snprintf(out, IDENTITY_TEXT, "# created: %s\n# public key: %s\n",
	    clock_format(now.wall_ns, time), age_recipient_format(pub, recipient));
	age_identity_format(id, out + n);
	n += strlen(out + n);
	out[n++] = '\n';
	out[n] = '\0';
}

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

static int protect_identity(const char *identity, const char *passphrase, struct buf *out, struct err *err)
{
	struct age_writer *w;
	int r;

	if (age_writer_new_scrypt(passphrase, WORK_FACTOR, state_random(), out, &w, err))
		return -1;
	r = age_writer_update(w, identity, strlen(identity), out, err) || age_writer_finish(w, out, err);
	age_writer_free(w);
	return r ? -1 : 0;
}

/* Makes the recovery identity and writes it, only to the file that was asked for. */
static int make_identity(struct options *o, char *plain, char *passphrase, struct err *err)
{
	struct age_identity id;
	BUF_AUTO out = BUF_INIT(65536);
	int r = -1;

	age_identity_generate(state_random(), &id);
	if (age_identity_recipient(&id, &o->recipients[o->n]))
		err_nomem(err);
	else
		r = 0;
	identity_text(&id, &o->recipients[o->n], plain);
	sodium_memzero(&id, sizeof(id));
	if (r)
		return -1;
	if (o->plain)
		r = write_identity(o, plain, strlen(plain), err);
	else
		r = passphrase_new(
			o->passphrase_file, text("passphrase of the recovery identity"), passphrase, err) ||
		    protect_identity(plain, passphrase, &out, err) || write_identity(o, out.p, out.n, err);
	o->n += r == 0;
	return r ? -1 : 0;
}

static int recovery_identity(struct options *o, struct err *err)
{
	char *plain, *passphrase;
	int r;

	if (!o->identity_out)
		return 0;
	if (sodium_init() < 0)
		return err_nomem(err);
	plain = sodium_malloc(IDENTITY_TEXT);
	passphrase = sodium_malloc(PASSPHRASE_MAX);
	r = plain && passphrase ? make_identity(o, plain, passphrase, err) : err_nomem(err);
	sodium_free(plain);
	sodium_free(passphrase);
	return r;
}

/* ---- the report ---- */

static int report_json(const struct options *o, const struct policy *policy, const struct ledger *l)
{
	char key[MINISIG_KEY_TEXT];
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_recipients(l); i++)
		json_array_append_new(list, json_string(ledger_recipient(l, i)));
	json_t *out = json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s?}", "repository", ledger_repository(l),
	    "state", policy->state, "root_key", minisig_public_format(ledger_root(l), key), "recipients",
	    list, "identity", o->identity_out, "root_secret_key", o->root_key_out);

	return out_json(out, APP_OK);
}

static int report_init(
    const struct app *app, const struct options *o, const struct policy *policy, const struct ledger *l)
{
	char key[MINISIG_KEY_TEXT];

	if (app->json)
		return report_json(o, policy, l);
	printf("%s %s\n", text("repository:     "), ledger_repository(l));
	printf("%s %s\n", text("state folder:   "), policy->state);
	printf("%s %s\n", text("root public key:"), minisig_public_format(ledger_root(l), key));
	for (size_t i = 0; i < ledger_recipients(l); i++)
		printf("%s %s\n", text("recipient:      "), ledger_recipient(l, i));
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
	if (ledger_recipients(l) == 1)
		printf("%s\n",
		    text("There is one recipient only: if its identity is lost, every backup is lost."));
	return app_flush(APP_OK);
}

/* Said where nobody overlooks it: it cannot be made up for. */
static void root_key_is_gone(const struct app *app, const struct options *o)
{
	if (o->root_key_out || app->quiet)
		return;
	fprintf(stderr, "bkp: W-INIT-03: %s\n",
	    text("the root secret key was not kept: what needs it later (lowering an agreed retention) will "
		 "never "
		 "be possible in this repository"));
	fprintf(stderr, "  → %s\n",
	    text("if that is not wanted, remove the new state folder now, before a medium is registered, and "
		 "run "
		 "'bkp init' again with --root-key-out FILE"));
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
		code = report_init(app, o, policy, state_ledger(s));
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
	    recovery_identity(o, &err))
		return app_error(&err, APP_FAILED);
	if (state_create_with_root(
		policy->state, policy->site_name, o->recipients, o->n, o->root_key_out, &err)) {
		take_identity_back(o, policy);
		return app_error(&err, APP_FAILED);
	}
	code = record_init(app, o, policy);
	app_warn_keeping(policy);
	root_key_is_gone(app, o);
	return code;
}

int cmd_init(struct app *app, int argc, char **argv)
{
	struct options o = {.n = 0};
	POLICY_AUTO policy = NULL;
	int code;

	if (parse_options(app, argc, argv, &o, &code))
		return code;
	code = app_policy(app, &policy);
	return code ? code : init_repository(app, &o, policy);
}
