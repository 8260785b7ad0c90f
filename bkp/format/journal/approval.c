/* approval: see approval.h.
 *
 * Texts are built with canonical numbers and encoded names, so that the checker can build the same bytes again.  Only a
 * plan is parsed as well: line by line, each of at most 511 bytes; lines that begin with '#' are for people and skipped.  A
 * generation belongs to the medium line before it; numbers ascend within a medium. */
#include "format/journal/approval.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/minisig.h"

static int begin_text(const char *kind, const char *repository, const char *what,
    const struct approval_record *r, struct buf *out, struct err *err)
{
	char hex[DIGEST_HEX];

	return buf_printf(out, err, "bkp:1 kind=%s\nrepository %s\n%s %ju %s\n", kind, repository, what,
	    r->seq, digest_hex(r->sha256, DIGEST_LEN, hex));
}

static int put_named(const char *word, const char *name, const char *behind, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "%s ", word) || path_encode(name, out, err) || buf_puts(out, behind, err)
		   ? -1
		   : 0;
}

int approval_agreement(const char *repository, const struct approval_record *after, const json_t *members,
    struct buf *out, struct err *err)
{
	static const char *const figures[] = {
	    "generations", "protect_s", "daily", "weekly", "monthly", "yearly"};
	const json_t *sets = json_object_get(members, "datasets"),
		     *keys = json_object_get(members, "approvers");

	if (begin_text("agreement", repository, "after", after, out, err))
		return -1;
	for (size_t i = 0; i < json_array_size(sets); i++) {
		const json_t *o = json_array_get(sets, i);

		if (put_named("dataset", journal_text(o, "name"), "", out, err))
			return -1;
		for (size_t k = 0; k < sizeof(figures) / sizeof(*figures); k++)
			if (buf_printf(out, err, " %s=%ju", figures[k],
				(uintmax_t)json_integer_value(json_object_get(o, figures[k]))))
				return -1;
		if (buf_puts(out, "\n", err))
			return -1;
	}
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));

		if (buf_printf(out, err, "approver %s\n", key ? key : ""))
			return -1;
	}
	return 0;
}

int approval_clock(const char *repository, const struct approval_record *jump, const char *operator,
    const char * reason, struct buf *out, struct err *err)
{
	return begin_text("clock", repository, "jump", jump, out, err) ||
		       put_named("operator", operator, "\n", out, err) ||
		       put_named("reason", reason, "\n", out, err)
		   ? -1
		   : 0;
}

/* ---- plans ---- */

int approval_plan_begin(
    const char *repository, const struct approval_record *head, struct buf *out, struct err *err)
{
	return begin_text("expiry", repository, "head", head, out, err);
}

int approval_plan_medium(const char *uuid, const char *label, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "medium %s ", uuid) || path_encode(label, out, err) ||
		       buf_puts(out, "\n", err)
		   ? -1
		   : 0;
}

int approval_plan_generation(
    const char *dataset, uint64_t number, const char *uuid, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "generation %s@%ju %s\n", dataset, number, uuid);
}

int approval_plan_note(const char *note, struct buf *out, struct err *err)
{
	size_t n = 0;

	while ((unsigned char)note[n] >= 0x20 && note[n] != 0x7f)
		n++;
	return buf_printf(out, err, "# %.*s\n", (int)n, note);
}

/* What is left of a text, and the line read last. */
struct lines {
	const char *p;
	size_t n;
	uint64_t number;
	char line[512];
};

static int malformed(const struct lines *l, struct err *err)
{
	err_set(err, "E-APPROVAL-01", text("malformed plan, line %ju"), l->number);
	return err_hint(err, "%s", text("take the file as 'bkp expire --plan-out' wrote it"));
}

/* 1: a line, 0: the end, -1. */
static int next_line(struct lines *l, struct err *err)
{
	const char *nl = l->n ? memchr(l->p, '\n', l->n) : NULL;
	size_t len = nl ? (size_t)(nl - l->p) : 0;

	if (!l->n)
		return 0;
	l->number++;
	if (!nl || memchr(l->p, '\0', len))
		return malformed(l, err);
	/* what is for people may be longer than what counts */
	if (len >= sizeof(l->line) && *l->p != '#')
		return malformed(l, err);
	memcpy(l->line, l->p, len < sizeof(l->line) ? len : 1);
	l->line[len < sizeof(l->line) ? len : 1] = '\0';
	l->p += len + 1;
	l->n -= len + 1;
	return 1;
}

/* A number from 1 on, without leading zeros, ended by `end`. */
static const char *parse_number(const char *s, char end, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s < '1' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (v > (UINT64_MAX - 9) / 10)
			return NULL;
		v = 10 * v + (uint64_t)(*s - '0');
	}
	*ret = v;
	return *s == end ? s + 1 : NULL;
}

static bool uuid_at(const char *s, char end, char out[JOURNAL_UUID])
{
	if (strlen(s) < JOURNAL_UUID - 1 || s[JOURNAL_UUID - 1] != end)
		return false;
	memcpy(out, s, JOURNAL_UUID - 1);
	out[JOURNAL_UUID - 1] = '\0';
	return journal_is_uuid(out);
}

static const char *value_after(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

/* The three lines that a text about a head begins with; first: the first of them. */
static int parse_begin(struct lines *l, const char *first, char repository[JOURNAL_UUID],
    struct approval_record *head, struct err *err)
{
	const char *s;

	if (next_line(l, err) != 1 || strcmp(l->line, first) != 0 || next_line(l, err) != 1 ||
	    !(s = value_after(l->line, "repository")) || !uuid_at(s, '\0', repository) ||
	    next_line(l, err) != 1 || !(s = value_after(l->line, "head")) ||
	    !(s = parse_number(s, ' ', &head->seq)) || strlen(s) != 2 * (size_t)DIGEST_LEN ||
	    !digest_unhex(s, DIGEST_LEN, head->sha256))
		return malformed(l, err);
	return 0;
}

static int add_item(struct approval_plan *p, const struct approval_item *it, struct err *err)
{
	struct approval_item *more;

	if (!(p->n & (p->n - 1))) {
		more = reallocarray(p->items, p->n ? 2 * p->n : 1, sizeof(*more));
		if (!more)
			return err_nomem(err);
		p->items = more;
	}
	p->items[p->n++] = *it;
	return 0;
}

/* "emr@42 <uuid>" into at. */
static bool parse_generation(const char *s, struct approval_item *at)
{
	const char *end = s ? strchr(s, '@') : NULL;

	if (!end || (size_t)(end - s) >= sizeof(at->dataset))
		return false;
	memcpy(at->dataset, s, (size_t)(end - s));
	at->dataset[end - s] = '\0';
	s = parse_number(end + 1, ' ', &at->number);
	return s && generation_name_ok(at->dataset) && uuid_at(s, '\0', at->uuid);
}

/* Behind what stands before it on its medium: those of a data set follow one another, ascending. */
static bool follows(const struct approval_plan *p, const struct approval_item *it)
{
	const struct approval_item *last = p->n ? &p->items[p->n - 1] : NULL;

	if (!last || strcmp(last->medium, it->medium) != 0)
		return true;
	if (!strcmp(last->dataset, it->dataset))
		return it->number > last->number;
	for (size_t i = p->n; i-- && !strcmp(p->items[i].medium, it->medium);)
		if (!strcmp(p->items[i].dataset, it->dataset))
			return false;
	return true;
}

static int parse_items(struct lines *l, struct approval_plan *p, struct err *err)
{
	struct approval_item at = {0};
	const char *s;
	int r;

	while ((r = next_line(l, err)) == 1) {
		if (*l->line == '#')
			continue;
		if ((s = value_after(l->line, "medium"))) {
			if (!uuid_at(s, ' ', at.medium) || !s[JOURNAL_UUID])
				return malformed(l, err);
			continue;
		}
		if (!*at.medium || !parse_generation(value_after(l->line, "generation"), &at) ||
		    !follows(p, &at))
			return malformed(l, err);
		if (add_item(p, &at, err))
			return -1;
	}
	return r;
}

int approval_plan_parse(const char *p, size_t n, struct approval_plan **ret, struct err *err)
{
	struct lines l = {.p = p, .n = n};
	struct approval_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return err_nomem(err);
	if (n > APPROVAL_TEXT_MAX)
		l.n = 0;
	if (parse_begin(&l, "bkp:1 kind=expiry", plan->repository, &plan->head, err) ||
	    parse_items(&l, plan, err)) {
		approval_plan_free(plan);
		return -1;
	}
	*ret = plan;
	return 0;
}

void approval_plan_free(struct approval_plan *p)
{
	if (!p)
		return;
	free(p->items);
	free(p);
}

bool approval_plan_has(
    const struct approval_plan *p, const char *medium, const char *dataset, uint64_t number)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].number == number && !strcmp(p->items[i].dataset, dataset) &&
		    !strcmp(p->items[i].medium, medium))
			return true;
	return false;
}

/* ---- heads ---- */

int approval_head(const char *repository, const struct approval_record *head, int64_t recorded_ns,
    struct buf *out, struct err *err)
{
	char time[CLOCK_TEXT];

	return begin_text("head", repository, "head", head, out, err) ||
		       buf_printf(out, err, "recorded %s\n", clock_format(recorded_ns, time))
		   ? -1
		   : 0;
}

int approval_head_parse(const char *p, size_t n, char ret_repository[JOURNAL_UUID],
    struct approval_record *ret_head, struct err *err)
{
	struct lines l = {.p = p, .n = n};
	struct approval_record head;
	char repository[JOURNAL_UUID];
	const char *time;
	int64_t ns;

	if (parse_begin(&l, "bkp:1 kind=head", repository, &head, NULL) || next_line(&l, NULL) != 1 ||
	    !(time = value_after(l.line, "recorded")) || clock_parse(time, &ns) || l.n) {
		err_set_kind(err, ERR_MALFORMED, "E-APPROVAL-03", "%s",
		    text("it is no statement on the head of a journal"));
		return err_hint(err, "%s", text("take the file as 'bkp journal head --out' wrote it"));
	}
	memcpy(ret_repository, repository, JOURNAL_UUID);
	*ret_head = head;
	return 0;
}

/* ---- */

int approval_verify(const struct minisig_public *keys, size_t n_keys, const void *txt, size_t n,
    const char *sig, size_t sn, size_t *ret_which, struct err *err)
{
	struct err why = ERR_INIT, best = ERR_INIT;

	for (size_t i = 0; i < n_keys; i++) {
		why = (struct err)ERR_INIT;
		if (!minisig_verify_any(&keys[i], txt, n, sig, sn, NULL, &why)) {
			*ret_which = i;
			return 0;
		}
		/* the most telling reason is kept: "signed by another key" says least */
		if (!best.code[0] || best.kind == ERR_WRONG_KEY)
			best = why;
	}
	if (best.code[0] && best.kind != ERR_WRONG_KEY) {
		if (err)
			*err = best;
		return -1;
	}
	return err_set(
	    err, "E-APPROVAL-02", "%s", text("it was not signed with a key that may approve this"));
}
