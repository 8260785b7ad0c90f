/* import: the order, and what is the same for all kinds; see import.h. */
#include "cmd/import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/outcome.h"
#include "cmd/app/signed_file.h"
#include "cmd/show/summary.h"
#include "format/journal/approval.h"
#include "format/journal/drill_slip.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define SHOW 256

int import_signer(
    const struct policy *policy, const char *file, const struct buf *slip, const char **ret, struct err *err)
{
	const struct policy_person *person;
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	char *path = NULL;
	int r = 0;

	*ret = NULL;
	if (asprintf(&path, "%s.minisig", file) < 0)
		return err_nomem(err);
	if (!access(path, F_OK)) {
		r = signed_file_read(path, &sig, err) || signed_file_person(policy, slip, &sig, &person, err)
			? -1
			: 0;
		if (!r)
			*ret = person->name;
	}
	free(path);
	return r;
}

/* By what the file says it is; NULL: it is nothing that is known here. */
static const struct import_kind *kind_of(const struct buf *b)
{
	static const struct {
		const char *word;
		const struct import_kind *kind;
	} kinds[] = {{"bkp-use", &import_use}, {DRILL_SLIP_DRILL, &import_drill},
	    {DRILL_SLIP_RECOVERY, &import_drill}};
	json_t *o = json_loadb((const char *)b->p, b->n, JSON_REJECT_DUPLICATES, NULL);
	const char *word = journal_text(o, "kind");
	const struct import_kind *kind = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(word, kinds[i].word))
			kind = kinds[i].kind;
	json_decref(o);
	return kind;
}

/* 1: it is on record already. */
static int check(const struct import *m, const struct import_kind *kind, const char *repository,
    const json_t *o, struct err *err)
{
	const json_t *there = kind->there(state_ledger(m->s), o);

	if (strcmp(repository, state_repository(m->s)) != 0)
		return err_set_kind(
		    err, ERR_FOREIGN, "E-USE-02", text("it is of another repository, %s"), repository);
	if (!there)
		return 0;
	if (strcmp(journal_text(there, kind->sha256), m->sha256) != 0)
		return err_set_kind(err, ERR_CONTRADICTION, "E-USE-03", "%s",
		    text("this is on record, and its file said something else then"));
	return 1;
}

static int record(
    struct import *m, const struct import_kind *kind, json_t *o, const char *signer, struct err *err)
{
	if (json_object_set_new(o, kind->sha256, json_string(m->sha256)) ||
	    json_object_set_new(o, "signed_by", signer ? json_string(signer) : json_null()) ||
	    json_object_set_new(o, "carried_by", m->operator? json_string(m->operator) : json_null()))
		return err_nomem(err);
	if (reserve_append(m->s, kind->event, json_incref(o), err))
		return -1;
	m->taken++;
	if (!m->app->quiet && !m->app->json)
		kind->tell(m, o, signer);
	kind->warn(m, o);
	return 0;
}

static int import_known(struct import *m, const struct import_kind *kind, struct err *err)
{
	char repository[JOURNAL_UUID], show[SHOW];
	const char *signer;
	json_t *o = NULL;
	int r;

	if (kind->parse(m->bytes->p, m->bytes->n, repository, &o, err))
		return -1;
	r = check(m, kind, repository, o, err);
	if (r == 1 && !m->app->quiet && !m->app->json)
		printf(text("%s: it is on record already\n"), path_show(m->file, show, sizeof(show)));
	if (!r &&
	    (import_signer(m->policy, m->file, m->bytes, &signer, err) || record(m, kind, o, signer, err)))
		r = -1;
	json_decref(o);
	return r < 0 ? -1 : 0;
}

static int import_one(struct import *m, struct err *err)
{
	BUF_AUTO bytes = BUF_INIT(DRILL_SLIP_MAX);
	uint8_t sha256[DIGEST_LEN];
	const struct import_kind *kind;

	if (signed_file_read(m->file, &bytes, err))
		return -1;
	kind = kind_of(&bytes);
	if (!kind) {
		err_set_kind(err, ERR_MALFORMED, "E-IMPORT-02", "%s",
		    text("it is no record of a key's use, a drill or a recovery"));
		return err_hint(err, "%s",
		    text("bring the file as bkp-restore wrote it: …use-….json, drill.json or recovery.json"));
	}
	digest_sha256(bytes.p, bytes.n, sha256);
	digest_hex(sha256, DIGEST_LEN, m->sha256);
	m->bytes = &bytes;
	return import_known(m, kind, err);
}

int import_files(struct app *app, const struct policy *policy, const char *command, const char *operator,
    char ** files, int n)
{
	struct import m = {.app = app, .policy = policy, .operator= operator};
	struct err err = ERR_INIT, first = ERR_INIT;
	char line[SUMMARY_LINE], show[SHOW];
	int code;

	app_act(app, command, "manager", operator);
	code = operator? operator_check(app, policy, operator) : APP_OK;
	if (code || (code = app_state(app, policy, &m.s)))
		return code;
	for (int i = 0; i < n; i++) {
		err = (struct err)ERR_INIT;
		m.file = files[i];
		if (!import_one(&m, &err))
			continue;
		err_wrap(&err, "'%s'", path_show(files[i], show, sizeof(show)));
		code = app_error(&err, APP_FAILED);
		if (!first.code[0])
			first = err;
	}
	if (!code && m.look)
		code = APP_ATTENTION;
	snprintf(line, sizeof(line), text("records taken over: %zu"), m.taken);
	code = outcome_record(app, m.s, command, code, first.code[0] ? summary_failure(&first, line) : line);
	state_close(m.s);
	return app_flush(code);
}
