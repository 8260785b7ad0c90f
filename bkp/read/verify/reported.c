/* reported: see reported.h.
 *
 * Two records make the answer: "begin" of the run gives the epoch (the first one only: whoever holds a later
 * key may append another), if it was to capture the data set; "committed" gives the manifest's hash.  begun,
 * the highest run ever begun, tells a journal that ends too early (REPORTED_LATER) from one that knows the
 * run and never reported the generation (REPORTED_NOT).
 */
#include "read/verify/reported.h"

#include <string.h>

#include <jansson.h>

#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/medium/period.h"
#include "read/store/store.h"
#include "read/file/lines.h"
#include "read/file/segments.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"

struct looking {
	struct journal_check *check;
	const char *dataset;
	uint64_t number;
	struct reported *ret;
	uint64_t begun; /* the highest run of all "begin" records */
	uint64_t taken; /* bytes of the lines that were accepted */
	bool seen;	/* the first "begin" of this run was */
};

static uint64_t number_of(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static bool is_named(const json_t *names, const char *dataset)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (name && !strcmp(name, dataset))
			return true;
	}
	return false;
}

static void take_begin(struct looking *l, const struct journal_record *r)
{
	const uint64_t run = number_of(r->json, "run");

	if (run > l->begun)
		l->begun = run;
	/* a number is given once: who signs today makes no other run of it */
	if (run != l->number || l->seen)
		return;
	l->seen = true;
	if (is_named(json_object_get(r->json, "datasets"), l->dataset))
		l->ret->record.epoch = r->epoch;
}

static void take_committed(struct looking *l, const struct journal_record *r)
{
	const char *dataset = json_string_value(json_object_get(r->json, "dataset"));
	const char *hex = json_string_value(json_object_get(r->json, "manifest_sha256"));
	struct verify_record *record = &l->ret->record;

	if (l->ret->known || number_of(r->json, "generation") != l->number || !dataset ||
	    strcmp(dataset, l->dataset) != 0)
		return;
	l->ret->known = hex && strlen(hex) == (size_t)2 * DIGEST_LEN && record->epoch &&
			digest_unhex(hex, DIGEST_LEN, record->manifest_sha256);
}

static void take_keys(struct looking *l, const struct journal_record *r)
{
	const uint64_t period = number_of(r->json, "period"), revision = number_of(r->json, "revision");
	struct reported *ret = l->ret;

	if (period > PERIOD_MAX || revision > PERIOD_REVISION_MAX || period < ret->period ||
	    (period == ret->period && revision < ret->revision))
		return;
	ret->period = (uint32_t)period;
	ret->revision = (uint32_t)revision;
}

static int each_line(void *arg, const uint8_t *line, size_t n, size_t ahead, struct err *err)
{
	struct looking *l = arg;
	struct journal_record r;

	journal_check_vouch(l->check, line, ahead);
	if (journal_check_line(l->check, line, n, &r, err))
		return -1;
	if (!strcmp(r.event, "begin"))
		take_begin(l, &r);
	else if (!strcmp(r.event, "committed"))
		take_committed(l, &r);
	else if (!strcmp(r.event, "keys"))
		take_keys(l, &r);
	journal_record_clear(&r);
	l->ret->head = journal_check_seq(l->check);
	l->taken += n + 1;
	return 0;
}

static enum reported_state judge_state(const struct looking *l, bool broken)
{
	return broken		      ? REPORTED_BROKEN
	       : l->ret->known	      ? REPORTED_YES
	       : l->begun < l->number ? REPORTED_LATER
				      : REPORTED_NOT;
}

int reported_look_in(const struct vault_r *v, struct store_file *journal, const char *dataset,
    uint64_t number, struct reported *ret, struct err *err)
{
	struct reported found = {.why = ERR_INIT};
	struct looking l = {.dataset = dataset, .number = number, .ret = &found};
	bool torn = false;
	size_t n;

	if (journal_check_new(repository_keys(vault_r_facts(v), &n), vault_r_repository(v), &l.check, err))
		return -1;
	found.state = judge_state(&l, lines_each(journal, each_line, &l, &torn, &found.why) != 0);
	journal_check_free(l.check);
	found.torn = torn;
	if (segments_count(journal))
		found.segment = segments_at(journal, l.taken);
	*ret = found;
	return 0;
}

int reported_look(
    const struct vault_r *v, const char *dataset, uint64_t number, struct reported *ret, struct err *err)
{
	struct reported absent = {.state = REPORTED_ABSENT, .why = ERR_INIT};
	STORE_FILE_AUTO file = {0};

	if (segments_open(vault_r_store(v), &file, &absent.why)) {
		*ret = absent;
		return 0;
	}
	return reported_look_in(v, &file, dataset, number, ret, err);
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
