/* reported: see reported.h.
 *
 * Two records make the answer: "begin" of the number gives the epoch (the first one only: whoever holds a
 * later key may append another), "committed" the manifest's hash.  begun, the highest number ever begun,
 * tells a journal that ends too early (REPORTED_LATER) from one that knows the number and never reported it
 * (REPORTED_NOT).
 */
#include "read/verify/reported.h"

#include <string.h>

#include <jansson.h>

#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "read/store/store.h"
#include "read/file/lines.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"

#define JOURNAL "journal/" JOURNAL_FILE

struct looking {
	struct journal_check *check;
	uint64_t number;
	struct reported *ret;
	uint64_t begun; /* the highest number of all "begin" records */
};

static void take_record(struct looking *l, const struct journal_record *r)
{
	json_int_t number = json_integer_value(json_object_get(r->json, "generation"));
	const char *hex = json_string_value(json_object_get(r->json, "manifest_sha256"));
	struct verify_record *record = &l->ret->record;

	if (number <= 0)
		return;
	if (!strcmp(r->event, "begin")) {
		if ((uint64_t)number > l->begun)
			l->begun = (uint64_t)number;
		/* a number is given once: who signs today makes no other run of it */
		if ((uint64_t)number == l->number && !record->epoch)
			record->epoch = r->epoch;
	} else if (!strcmp(r->event, "committed") && (uint64_t)number == l->number && !l->ret->known) {
		l->ret->known = hex && strlen(hex) == (size_t)2 * DIGEST_LEN && record->epoch &&
				digest_unhex(hex, DIGEST_LEN, record->manifest_sha256);
	}
}

static int each_line(void *arg, const uint8_t *line, size_t n, size_t ahead, struct err *err)
{
	struct looking *l = arg;
	struct journal_record r;

	journal_check_vouch(l->check, line, ahead);
	if (journal_check_line(l->check, line, n, &r, err))
		return -1;
	take_record(l, &r);
	journal_record_clear(&r);
	l->ret->head = journal_check_seq(l->check);
	return 0;
}

static enum reported_state judge_state(const struct looking *l, bool broken)
{
	return broken		      ? REPORTED_BROKEN
	       : l->ret->known	      ? REPORTED_YES
	       : l->begun < l->number ? REPORTED_LATER
				      : REPORTED_NOT;
}

int reported_look_in(const struct vault_r *v, struct store_file *journal, uint64_t number,
    struct reported *ret, struct err *err)
{
	struct reported found = {.why = ERR_INIT};
	struct looking l = {.number = number, .ret = &found};
	bool torn = false;
	size_t n;

	if (journal_check_new(repository_keys(vault_r_facts(v), &n), vault_r_repository(v), &l.check, err))
		return -1;
	found.state = judge_state(&l, lines_each(journal, each_line, &l, &torn, &found.why) != 0);
	journal_check_free(l.check);
	found.torn = torn;
	*ret = found;
	return 0;
}

int reported_look(const struct vault_r *v, uint64_t number, struct reported *ret, struct err *err)
{
	struct reported absent = {.state = REPORTED_ABSENT, .why = ERR_INIT};
	STORE_FILE_AUTO file = {0};

	if (store_open(vault_r_store(v), JOURNAL, &file, &absent.why)) {
		*ret = absent;
		return 0;
	}
	return reported_look_in(v, &file, number, ret, err);
}

int reported_why(const struct reported *r, const char *where, struct err *err)
{
	switch (r->state) {
	case REPORTED_ABSENT:
		return err_set(err, "W-VAULT-11", text("'%s' carries no journal"), where);
	case REPORTED_LATER:
		return err_set(err, "W-VAULT-11", text("the journal of '%s' ends before it, with record %ju"),
		    where, (uintmax_t)r->head);
	case REPORTED_BROKEN:
		return err_set(
		    err, "W-VAULT-11", text("the journal of '%s' is not valid: %s"), where, r->why.msg);
	default:
		return err_set(err, "W-VAULT-11",
		    text("the journal of '%s' does not report it: the run that made it did not end well, or "
			 "somebody else made it"),
		    where);
	}
}
