/* ledger_witness: the hash of every record, and what people have signed of them: countersignatures of the journal's head; see ledger.h
 * and docs/format-writer.md, section 9.
 *
 * What somebody has signed elsewhere holds against whoever has the keys of this host: a journal that was written anew has another hash at
 * that record, or lacks the countersignature that the witness still has. */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"

/* ---- every record ---- */

int ledger_keep_head(struct ledger *l, const struct journal_record *r, struct err *err)
{
	if (l->n_heads == l->cap_heads) {
		const size_t cap = l->cap_heads ? 2 * l->cap_heads : 256;
		struct ledger_head *more = reallocarray(l->heads, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		l->heads = more;
		l->cap_heads = cap;
	}
	l->heads[l->n_heads].at_ns = r->wall_ns;
	memcpy(l->heads[l->n_heads++].sha256, ledger_head(l), DIGEST_LEN);
	return 0;
}

const struct ledger_head *ledger_head_of(const struct ledger *l, uint64_t seq)
{
	return seq && seq <= l->n_heads ? &l->heads[seq - 1] : NULL;
}

/* ---- countersignatures ---- */

int ledger_head_statement(const struct ledger *l, uint64_t seq, struct buf *out, struct err *err)
{
	const struct ledger_head *h = ledger_head_of(l, seq);
	struct approval_record head = {.seq = seq};

	if (!h)
		return err_set(err, "E-JOURNAL-30", text("the journal has no record %ju"), seq);
	memcpy(head.sha256, h->sha256, DIGEST_LEN);
	return approval_head(ledger_repository(l), &head, h->at_ns, out, err);
}

const struct ledger_countersign *ledger_countersigned_same(
    const struct ledger *l, uint64_t upto, const char *key)
{
	for (size_t i = 0; i < l->n_countersigns; i++)
		if (l->countersigns[i].upto == upto && !strcmp(l->countersigns[i].key, key))
			return &l->countersigns[i];
	return NULL;
}

int ledger_check_countersigned(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const char *said = member_str(o, "statement"), *sig = member_str(o, "signature"),
		   *key = member_str(o, "key");
	const uint64_t upto = member_num(o, "upto");
	BUF_AUTO want = BUF_INIT(APPROVAL_TEXT_MAX);
	struct minisig_public pub;
	size_t which;

	if (minisig_public_parse(key, &pub, NULL))
		return ledger_wrong_member(line, event, "key", err);
	if (upto >= line || ledger_head_statement(l, upto, &want, NULL))
		return ledger_contradiction(line, event, text("there is no such record yet"), err);
	if (want.n != strlen(said) || memcmp(want.p, said, want.n) != 0)
		return ledger_contradiction(
		    line, event, text("what was countersigned is not this journal"), err);
	if (approval_verify(&pub, 1, said, want.n, sig, strlen(sig), &which, NULL))
		return ledger_contradiction(
		    line, event, text("the countersignature is not by that key"), err);
	return ledger_countersigned_same(l, upto, key)
		   ? ledger_contradiction(
			 line, event, text("this countersignature is on record already"), err)
		   : 0;
}

int ledger_fold_witness(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_countersign *c;

	c = reallocarray(l->countersigns, l->n_countersigns + 1, sizeof(*c));
	if (!c)
		return err_nomem(err);
	l->countersigns = c;
	c += l->n_countersigns;
	*c = (struct ledger_countersign){.seq = r->seq,
	    .at_ns = r->wall_ns,
	    .upto = member_num(r->json, "upto"),
	    .known = json_is_true(json_object_get(r->json, "known")),
	    .name = strdup(journal_text(r->json, "name")),
	    .key = strdup(journal_text(r->json, "key"))};
	l->n_countersigns++;
	return c->name && c->key ? 0 : err_nomem(err);
}

void ledger_witness_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_countersigns; i++) {
		free((char *)l->countersigns[i].name);
		free((char *)l->countersigns[i].key);
	}
	free(l->countersigns);
	free(l->heads);
}

size_t ledger_countersigns(const struct ledger *l)
{
	return l->n_countersigns;
}

const struct ledger_countersign *ledger_countersign(const struct ledger *l, size_t i)
{
	return &l->countersigns[i];
}

const struct ledger_countersign *ledger_countersigned(const struct ledger *l)
{
	const struct ledger_countersign *best = NULL;

	for (size_t i = 0; i < l->n_countersigns; i++)
		if (!best || l->countersigns[i].upto >= best->upto)
			best = &l->countersigns[i];
	return best;
}

bool ledger_signed_by(const struct ledger *l, uint64_t seq, const char *name)
{
	for (size_t i = 0; i < l->n_countersigns; i++)
		if (l->countersigns[i].upto == seq && l->countersigns[i].known &&
		    !strcmp(l->countersigns[i].name, name))
			return true;
	return false;
}
