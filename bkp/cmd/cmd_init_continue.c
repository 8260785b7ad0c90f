/* bkp init --continue MEDIUM: the repository of a host that is lost goes on here; see write/state/make/state_continue.h. */
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/outcome.h"
#include "cmd/app/signed_file.h"
#include "cmd/cmd_init.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/file/secret_file.h"
#include "read/ledger/ledger.h"
#include "read/file/segments.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/media/journal_copies.h"
#include "write/state/state.h"
#include "write/state/make/state_continue.h"

#define SECRETS_MAX ((size_t)4096)

struct media {
	struct vault_r *vault[CONTINUE_MEDIA_MAX];
	struct store repo[CONTINUE_MEDIA_MAX]; /* borrowed */
	size_t n;
};

static void close_media(struct media *m)
{
	for (size_t i = 0; i < m->n; i++)
		vault_r_close(m->vault[i]);
}

static int open_media(
    const struct cmd_init_continue *o, const struct minisig_secret *root, struct media *m, struct err *err)
{
	char key[MINISIG_KEY_TEXT];

	minisig_public_format(&root->pub, key);
	for (size_t i = 0; i < o->n; i++) {
		if (vault_r_open(o->media[i], NULL, key, &m->vault[i], err))
			return err_wrap(err, "%s", o->media[i]);
		m->repo[i] = *vault_r_store(m->vault[i]);
		m->n++;
	}
	return 0;
}

static int go_on(const struct cmd_init_continue *o, const struct policy *policy,
    const struct minisig_secret *root, const struct buf *secrets, size_t *ret_missing, struct err *err)
{
	struct media m = {.n = 0};
	struct state_continue how = {.path = policy->state,
	    .repos = m.repo,
	    .secrets = secrets,
	    .root = root,
	    .person = o->operator,
	    .ret_missing = ret_missing };
	int r = open_media(o, root, &m, err);

	how.n_repos = m.n;
	if (!r)
		r = state_continue(&how, err);
	close_media(&m);
	return r;
}

/* Secrets come into memory that is not swapped, and leave it wiped. */
static int with_secrets(
    const struct cmd_init_continue *o, const struct policy *policy, size_t *ret_missing, struct err *err)
{
	uint8_t *p = sodium_init() < 0 ? NULL : sodium_malloc(SECRETS_MAX);
	struct buf secrets = {p, 0, SECRETS_MAX, SECRETS_MAX};
	struct minisig_secret *root = NULL;
	int r = p ? secret_file_read(o->root_key, &root, err) : err_nomem(err);

	if (!r)
		r = signed_file_read(o->secrets, &secrets, err) ||
			    go_on(o, policy, root, &secrets, ret_missing, err)
			? -1
			: 0;
	if (root)
		secret_file_forget(root);
	sodium_free(p);
	return r;
}

/* What the medium's copy of the journal has: known from now on, as if this host had written it. */
static int note_copy(struct state *s, const char *path, struct err *err)
{
	struct medium_expect want = {.repository = state_repository(s)};
	struct journal_copies_mark mark;
	STORE_FILE_AUTO file = {0};
	struct ledger *l = NULL;
	const char *uuid;
	struct medium *m;
	int r;

	want.keys = state_keys(s, &want.n_keys);
	if (medium_open(path, &want, &m, err))
		return -1;
	uuid = medium_uuid(m);
	r = segments_open(medium_repo(m), &file, err) ||
	    ledger_load_file(&file, JOURNAL_DIR, want.keys, NULL, NULL, &l, err);
	if (!r) {
		mark.seq = ledger_seq(l);
		digest_hex(ledger_head(l), DIGEST_LEN, mark.sha256);
		r = journal_copies_copied(s, &mark, &uuid, 1, err);
	}
	ledger_free(l);
	medium_close(m);
	return r ? -1 : 0;
}

static int record(
    struct app *app, const struct policy *policy, const struct cmd_init_continue *o, size_t missing)
{
	struct err err = ERR_INIT;
	struct state *s = NULL;
	char line[200];
	int code = app_state(app, policy, &s);

	for (size_t i = 0; !code && i < o->n; i++)
		if (note_copy(s, o->media[i], &err))
			code = app_error(&err, APP_ATTENTION);
	if (!s)
		return code;
	snprintf(line, sizeof(line),
	    text("the repository goes on here: %ju records, signed from now on in epoch %u"),
	    (uintmax_t)ledger_seq(state_ledger(s)), state_epoch(s));
	code = outcome_record(app, s, "init", code, line);
	if (!app->quiet) {
		puts(line);
		if (missing)
			printf(
			    text("The texts of %zu former policies are on none of these media: what was then "
				 "is judged by today's (W-STATUS-01).\n"),
			    missing);
		puts(text("Next: 'bkp check --live'; the next run looks through the media for what is stored "
			  "already. Erase "
			  "the file of "
			  "--secrets, and put the root key back into its safe."));
	}
	state_close(s);
	return app_flush(code);
}

int cmd_init_continue(struct app *app, const struct cmd_init_continue *o)
{
	POLICY_AUTO policy = NULL;
	struct err err = ERR_INIT;
	size_t missing = 0;
	int code = app_policy(app, &policy);

	app_act(app, "init", "manager", o->operator);
	if (!code)
		code = operator_check(app, policy, o->operator);
	if (code)
		return code;
	if (state_check_place(policy->state, &err) || with_secrets(o, policy, &missing, &err))
		return app_error(&err, APP_FAILED);
	return record(app, policy, o, missing);
}
