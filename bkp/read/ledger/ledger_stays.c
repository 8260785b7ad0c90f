/* ledger_stays: when media were attached, folded from every record that proves where one was; see ledger.h.
 *
 * Whoever reads from a medium, or writes to it, has it here.  That it is away is known from the record of its going
 * and from each run that looked for it (`here`, `away` of `begin`).  What lies between a proof of the one and a proof of the
 * other is not known, and stays a bound on both sides.
 */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "format/journal/journal.h"

/* Events whose member `medium` was attached. */
static const char *const proofs[] = {"medium-added", "medium-attached", "rotated", "verified",
    "verify-failed", "copied", "repaired", "documents", "expired", "expiry-finished"};

static struct ledger_stays *find_stays(const struct ledger *l, const char *uuid)
{
	for (size_t i = 0; uuid && i < l->n_stays; i++)
		if (!strcmp(l->stays[i].uuid, uuid))
			return &l->stays[i];
	return NULL;
}

static struct ledger_stay *open_stay(const struct ledger_stays *s)
{
	return s && s->n && !s->all[s->n - 1].gone_ns ? &s->all[s->n - 1] : NULL;
}

static int add_medium(struct ledger *l, const char *uuid, struct ledger_stays **ret, struct err *err)
{
	struct ledger_stays *more = reallocarray(l->stays, l->n_stays + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	l->stays = more;
	more += l->n_stays;
	memset(more, 0, sizeof(*more));
	more->uuid = strdup(uuid);
	if (!more->uuid)
		return err_nomem(err);
	l->n_stays++;
	*ret = more;
	return 0;
}

/* added: before its registration nothing of ours was on it. */
static int note_here(struct ledger *l, const char *uuid, int64_t now_ns, bool added, struct err *err)
{
	struct ledger_stays *s = find_stays(l, uuid);
	struct ledger_stay *stay = open_stay(s), *more;

	if (stay) {
		stay->last_ns = now_ns > stay->last_ns ? now_ns : stay->last_ns;
		return 0;
	}
	if (!uuid || (!s && add_medium(l, uuid, &s, err)))
		return uuid ? -1 : 0;
	more = reallocarray(s->all, s->n + 1, sizeof(*more));
	if (!more)
		return err_nomem(err);
	s->all = more;
	s->all[s->n++] = (struct ledger_stay){
	    .away_ns = added || !s->away_ns ? now_ns : s->away_ns, .here_ns = now_ns, .last_ns = now_ns};
	s->all[s->n - 1].doubtful = s->all[s->n - 1].away_ns > now_ns;
	return 0;
}

static void note_away(struct ledger *l, const char *uuid, int64_t now_ns)
{
	struct ledger_stays *s = find_stays(l, uuid);
	struct ledger_stay *stay = open_stay(s);

	if (stay)
		stay->gone_ns = now_ns;
	if (s)
		s->away_ns = now_ns;
}

static int note_list(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *media = json_object_get(r->json, "media");

	for (size_t i = 0; i < json_array_size(media); i++) {
		const json_t *m = json_array_get(media, i);

		/* "committed" has objects, "heads" has texts */
		if ((json_is_string(m) || json_is_true(json_object_get(m, "ok"))) &&
		    note_here(l, json_is_string(m) ? json_string_value(m) : member_str(m, "medium"),
			r->wall_ns, false, err))
			return -1;
	}
	return 0;
}

static void note_doubt(struct ledger *l, const struct journal_record *r)
{
	if (r->wall_ns >= l->head_ns && strcmp(r->event, "clock-jump") != 0)
		return;
	for (size_t i = 0; i < l->n_stays; i++) {
		struct ledger_stay *stay = open_stay(&l->stays[i]);

		if (stay)
			stay->doubtful = true;
	}
}

/* What a run saw when it looked, before it began. */
static int note_look(struct ledger *l, const struct journal_record *r, int64_t looked_ns, struct err *err)
{
	const json_t *here = json_object_get(r->json, "here"), *away = json_object_get(r->json, "away");

	for (size_t i = 0; i < json_array_size(away); i++)
		note_away(l, json_string_value(json_array_get(away, i)), looked_ns);
	for (size_t i = 0; i < json_array_size(here); i++)
		if (open_stay(find_stays(l, json_string_value(json_array_get(here, i)))) &&
		    note_here(l, json_string_value(json_array_get(here, i)), looked_ns, false, err))
			return -1;
	return 0;
}

int ledger_fold_stays(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const char *uuid = member_str(r->json, "medium");
	struct ledger_stay *stay;
	int64_t looked_ns;

	note_doubt(l, r);
	for (size_t i = 0; i < sizeof(proofs) / sizeof(*proofs); i++)
		if (!strcmp(proofs[i], r->event))
			if (note_here(l, uuid, r->wall_ns, !strcmp(r->event, "medium-added"), err))
				return -1;
	stay = open_stay(find_stays(l, uuid));
	if (stay && !strcmp(r->event, "rotated"))
		stay->rotated_ns = r->wall_ns;
	if (!strcmp(r->event, "medium-detached") ||
	    (!strcmp(r->event, "medium-moved") && json_is_true(json_object_get(r->json, "detached"))))
		note_away(l, uuid, r->wall_ns);
	if (!strcmp(r->event, "begin") && !clock_parse(journal_text(r->json, "looked"), &looked_ns) &&
	    note_look(l, r, looked_ns, err))
		return -1;
	return !strcmp(r->event, "committed") || !strcmp(r->event, "heads") ? note_list(l, r, err) : 0;
}

void ledger_stays_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_stays; i++) {
		free(l->stays[i].uuid);
		free(l->stays[i].all);
	}
	free(l->stays);
}

const struct ledger_stay *ledger_stays(const struct ledger *l, const char *uuid, size_t *ret_n)
{
	const struct ledger_stays *s = find_stays(l, uuid);

	*ret_n = s ? s->n : 0;
	return s ? s->all : NULL;
}
