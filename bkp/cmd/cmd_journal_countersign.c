/* cmd_journal_countersign: bkp journal head, bkp journal countersign: a witness signs that the journal stood so, with stock minisign and a
 * key of his own, and the journal keeps it.
 *
 * What comes back is never believed: the statement is built again from this journal.  One that names another hash than this journal has at
 * that record is the alarm: the journal was rewritten, or is an old copy. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/signed_file.h"
#include "cmd/app/root_key.h"
#include "cmd/cmd_journal.h"
#include "cmd/show/summary.h"
#include "format/crypto/minisig.h"
#include "format/journal/approval.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define SHOW	      256
#define STATEMENT_MAX ((size_t)4096)

/* ---- the statement ---- */

static int head_json(const struct ledger *l, uint64_t seq, const char *statement)
{
	const struct ledger_head *h = ledger_head_of(l, seq);
	char head[DIGEST_HEX], time[CLOCK_TEXT];

	return out_json(json_pack("{s:s, s:I, s:s, s:s, s:s}", "repository", ledger_repository(l), "record",
			    (json_int_t)seq, "sha256", digest_hex(h->sha256, DIGEST_LEN, head), "recorded",
			    clock_format(h->at_ns, time), "statement", statement),
	    APP_OK);
}

/* seq: of the record that is signed. */
static int tell_head(
    struct app *app, const struct cmd_journal_options *o, const struct ledger *l, uint64_t seq)
{
	BUF_AUTO b = BUF_INIT(STATEMENT_MAX);
	struct err err = ERR_INIT;
	char show[SHOW];

	if (ledger_head_statement(l, seq, &b, &err) || (o->out && signed_file_write(o->out, &b, &err)) ||
	    buf_terminate(&b, &err))
		return app_error(&err, APP_FAILED);
	if (app->json)
		return head_json(l, seq, (char *)b.p);
	if (!o->out)
		fputs((char *)b.p, stdout);
	else if (!app->quiet)
		printf(
		    text("the journal's head, record %ju, is written for a witness to sign: minisign -S -m "
			 "'%s'\n"),
		    (uintmax_t)seq, path_show(o->out, show, sizeof(show)));
	return app_flush(APP_OK);
}

int cmd_journal_head(struct app *app, struct cmd_journal_options *o)
{
	STORE_FILE_AUTO journal = {0};
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	char name[4096];
	uint64_t seq = 0;
	int code = cmd_journal_number(app, o->record, &seq);

	if (!code)
		code = cmd_journal_open(app, o, &journal, name, sizeof(name));
	if (code)
		return code;
	if (ledger_load_file(&journal, name, NULL, NULL, NULL, &l, &err))
		return app_error(&err, APP_FAILED);
	code = tell_head(app, o, l, seq ? seq : ledger_seq(l));
	ledger_free(l);
	return code;
}

/* ---- taking a countersignature in ---- */

struct countersign {
	const struct cmd_journal_options *o;
	const struct policy *policy;
	struct state *s;
	struct buf statement, signature;
	uint64_t upto;
	char key[MINISIG_KEY_TEXT];
	const char *name;
	bool known, there;
};

static int another_journal(struct err *err)
{
	return err_hint(err, "%s",
	    text("keep this computer's journal, what was signed and every medium as they are, and ask the "
		 "witness; "
		 "compare with the copies on media: 'bkp journal verify'"));
}

/* Is it what this journal says of that record? */
static int check_head(struct countersign *c, struct err *err)
{
	const struct ledger *l = state_ledger(c->s);
	BUF_AUTO want = BUF_INIT(STATEMENT_MAX);
	char repository[JOURNAL_UUID], hex[DIGEST_HEX];
	struct approval_record head;

	if (approval_head_parse((char *)c->statement.p, c->statement.n, repository, &head, err))
		return -1;
	if (strcmp(repository, ledger_repository(l)) != 0)
		return err_set_kind(err, ERR_FOREIGN, "E-JOURNAL-31",
		    text("it is on the journal of another repository, %s"), repository);
	if (head.seq > ledger_seq(l)) {
		err_set_kind(err, ERR_CONTRADICTION, "E-JOURNAL-32",
		    text("the witness signed %ju records, and this journal has %ju: its end was cut off, or "
			 "it is an old copy"),
		    head.seq, ledger_seq(l));
		return another_journal(err);
	}
	if (ledger_head_statement(l, head.seq, &want, err))
		return -1;
	if (want.n != c->statement.n || memcmp(want.p, c->statement.p, want.n) != 0) {
		err_set_kind(err, ERR_CONTRADICTION, "E-JOURNAL-33",
		    text("the witness signed another journal: record %ju is not %.16s… here, so it was "
			 "rewritten"),
		    head.seq, digest_hex(head.sha256, DIGEST_LEN, hex));
		return another_journal(err);
	}
	c->upto = head.seq;
	return 0;
}

/* Whose signature it is: of the key that was named, or of a person of the policy. */
static int find_witness(struct countersign *c, struct err *err)
{
	const struct policy_person *person;
	struct minisig_public pub;
	size_t which;

	if (!c->o->public_key) {
		if (signed_file_person(c->policy, &c->statement, &c->signature, &person, err))
			return -1;
		c->name = person->name;
		c->known = true;
		memcpy(c->key, person->key, strlen(person->key) + 1);
		return 0;
	}
	if (root_key_read(c->o->public_key, &pub, err))
		return -1;
	minisig_public_format(&pub, c->key);
	c->name = c->o->by;
	for (size_t i = 0; i < c->policy->n_people; i++)
		c->known |= c->policy->people[i].key && !strcmp(c->policy->people[i].key, c->key) &&
			    !strcmp(c->policy->people[i].name, c->name);
	return approval_verify(
	    &pub, 1, c->statement.p, c->statement.n, (char *)c->signature.p, c->signature.n, &which, err);
}

static int take_in(struct countersign *c, struct err *err)
{
	char path[PATH_MAX];
	json_t *members;

	if (snprintf(path, sizeof(path), "%s.minisig", c->o->words[0]) >= (int)sizeof(path))
		return err_set(err, "E-IO-02", text("the name is too long"));
	if (signed_file_read(c->o->words[0], &c->statement, err) || check_head(c, err) ||
	    signed_file_read(path, &c->signature, err) || find_witness(c, err))
		return -1;
	c->there = ledger_countersigned_same(state_ledger(c->s), c->upto, c->key) != NULL;
	if (c->there)
		return 0;
	members =
	    json_pack("{s:I, s:s%, s:s%, s:s, s:s, s:b, s:s*}", "upto", (json_int_t)c->upto, "statement",
		(char *)c->statement.p, c->statement.n, "signature", (char *)c->signature.p, c->signature.n,
		"key", c->key, "name", c->name, "known", (int)c->known, "operator", c->o->operator);
	return members ? reserve_append(c->s, "countersigned", members, err)
		       : err_set_kind(err, ERR_MALFORMED, "E-JOURNAL-37", "%s",
			     text("the comments in the signature's file are not UTF-8"));
}

static void tell_witness(const struct app *app, const struct countersign *c, const char *line)
{
	if (app->quiet || app->json)
		return;
	printf("%s\n", line);
	if (!c->known)
		printf("%s\n",
		    text("The key is not in the policy and was only given here: compare it with what the "
			 "witness says. The root key "
			 "has not approved it, and need not."));
}

static int take_countersignature(struct app *app, struct countersign *c)
{
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE], show[SHOW];
	int code = app_state(app, c->policy, &c->s);

	if (code)
		return code;
	if (take_in(c, &err)) {
		err_wrap(&err, "'%s'", path_show(c->o->words[0], show, sizeof(show)));
		code = app_error(&err, APP_FAILED);
	} else {
		snprintf(line, sizeof(line),
		    c->there ? text("countersigned up to record %ju by %s: on record already")
			     : text("countersigned up to record %ju by %s"),
		    (uintmax_t)c->upto, path_show(c->name, show, sizeof(show)));
		tell_witness(app, c, line);
	}
	code =
	    outcome_record(app, c->s, "journal countersign", code, code ? summary_failure(&err, line) : line);
	if (app->json)
		code = out_json(
		    code ? json_pack("{s:s, s:s}", "error", err.code, "message", err.msg)
			 : json_pack("{s:I, s:s, s:s, s:b, s:b}", "upto", (json_int_t)c->upto, "name",
			       c->name, "key", c->key, "of_policy", (int)c->known, "new", (int)!c->there),
		    code);
	state_close(c->s);
	return app_flush(code);
}

int cmd_journal_countersign(struct app *app, struct cmd_journal_options *o)
{
	POLICY_AUTO policy = NULL;
	struct countersign c = {
	    .o = o, .statement = BUF_INIT(STATEMENT_MAX), .signature = BUF_INIT(APPROVAL_SIG_MAX)};
	int code;

	if (!o->public_key != !o->by)
		return app_usage(app, "%s", text("--public-key and --by belong together"));
	if (o->by && (code = operator_text(app, "--by", o->by)))
		return code;
	app_act(app, "journal countersign", "manager", o->operator);
	code = app_policy(app, &policy);
	if (!code && o->operator)
		code = operator_check(app, policy, o->operator);
	c.policy = policy;
	if (!code)
		code = take_countersignature(app, &c);
	buf_free(&c.statement);
	buf_free(&c.signature);
	return code;
}
