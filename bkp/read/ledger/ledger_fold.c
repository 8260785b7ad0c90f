/* ledger_fold: what each event does to the state; see ledger.h and docs/format-writer.md, section 9.
 *
 * ledger_check() has passed the record, so members that an event must have are there and of their kind, and
 * media and generations that it names are known: nothing is checked a second time here.  Only memory can
 * fail.
 *
 * `begin` makes a generation of each data set that the run is to capture.  States: begin → LEDGER_BEGUN; the
 * next begin makes it LEDGER_ABANDONED, committed (also a recovered one of an abandoned generation)
 * LEDGER_COMMITTED, failed LEDGER_GEN_FAILED.  A committed one becomes LEDGER_EXPIRED when its last copy has
 * expired or its medium was retired, and LEDGER_COMMITTED again when it is found on a medium (verified).  Of a
 * copy, `ok` says whether it is there, verified_ns and damaged_ns are never both set.
 */
#include "read/ledger/ledger_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/guard/announce.h"
#include "format/journal/journal.h"

static char *copy_of(const char *s, int *failed)
{
	char *c = strdup(s);

	*failed |= !c;
	return c;
}

typedef int apply_fn(struct ledger *l, const struct journal_record *r, struct err *err);

static void take_period(struct ledger *l, const json_t *o, uint32_t number, uint32_t revision)
{
	l->period.number = number;
	l->period.revision = revision;
	snprintf(l->period.recipient, sizeof(l->period.recipient), "%s", member_str(o, "recipient"));
	snprintf(l->period.sha256, sizeof(l->period.sha256), "%s", member_str(o, "period_sha256"));
}

static int apply_init(struct ledger *l, const struct journal_record *r, struct err *err)
{
	(void)err;
	l->created_ns = r->wall_ns;
	take_period(l, r->json, 1, 1);
	return 0;
}

static int apply_keys(struct ledger *l, const struct journal_record *r, struct err *err)
{
	bool fresh = member_num(r->json, "period") != l->period.number;

	(void)err;
	take_period(
	    l, r->json, (uint32_t)member_num(r->json, "period"), (uint32_t)member_num(r->json, "revision"));
	if (fresh)
		l->period.first_run = ledger_next_run(l);
	if (fresh && json_is_true(json_object_get(r->json, "renew")))
		l->period.renew_before = l->period.first_run;
	return 0;
}

static void medium_clear(struct ledger_medium *m)
{
	free((char *)m->uuid);
	free((char *)m->label);
	free((char *)m->type);
	free((char *)m->path);
	free((char *)m->place);
	free((char *)m->fs_uuid);
	free((char *)m->serial);
	free((char *)m->store);
	free((char *)m->shows);
	free((char *)m->destination);
	free((char *)m->custodian);
	free((char *)m->copy_fault);
	json_decref((json_t *)m->data);
	json_decref((json_t *)m->lent);
	free(m->marks);
	json_decref((json_t *)m->parts);
	memset(m, 0, sizeof(*m));
}

static int apply_medium(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));
	struct ledger_medium was = {0};
	int failed = 0;

	if (!m) {
		m = reallocarray(l->media, l->n_media + 1, sizeof(*m));
		if (!m)
			return err_nomem(err);
		l->media = m;
		m += l->n_media++;
		memset(m, 0, sizeof(*m));
	}
	/* a disk that is registered again still knows what it was given, and is the same thing */
	was = *m;
	m->marks = NULL;
	m->data = NULL;
	medium_clear(m);
	m->data = was.data;
	m->marks = was.marks;
	m->n_marks = was.n_marks;
	m->turns = was.turns;
	m->copy_seq = was.copy_seq;
	memcpy(m->copy_sha256, was.copy_sha256, sizeof(m->copy_sha256));
	m->uuid = copy_of(member_str(r->json, "medium"), &failed);
	m->label = copy_of(member_str(r->json, "label"), &failed);
	m->type = copy_of(member_str(r->json, "type"), &failed);
	m->path = copy_of(journal_text(r->json, "path"), &failed);
	m->place = copy_of(journal_text(r->json, "place"), &failed);
	m->offline = json_is_true(json_object_get(r->json, "offline"));
	m->added_ns = r->wall_ns;
	m->fs_uuid = copy_of(journal_text(r->json, "fs_uuid"), &failed);
	m->serial = copy_of(journal_text(r->json, "serial"), &failed);
	m->store = copy_of(
	    *journal_text(r->json, "store") ? member_str(r->json, "store") : journal_text(r->json, "fs_uuid"),
	    &failed);
	m->shows = copy_of(journal_text(r->json, "shows"), &failed);
	m->destination = copy_of("", &failed);
	m->custodian = copy_of("", &failed);
	m->copy_fault = copy_of("", &failed);
	m->attached = true; /* its identity was written to it just then */
	m->attach_ns = r->wall_ns;
	return failed ? err_nomem(err) : 0;
}

static void set_attached(struct ledger_medium *m, bool attached, int64_t now_ns)
{
	if (m->attached != attached)
		m->attach_ns = now_ns;
	m->attached = attached;
}

int ledger_replace_text(const char **at, const char *with, struct err *err)
{
	char *copy = strdup(with);

	if (!copy)
		return err_nomem(err);
	free((char *)*at);
	*at = copy;
	return 0;
}

static void take_pace(struct ledger_pace *p, uint64_t bytes, uint64_t ms)
{
	if (bytes >= LEDGER_PACE_MIN && ms)
		*p = (struct ledger_pace){bytes, ms};
}

/* medium-attached, medium-detached, rotated, medium-moved */
static int apply_whereabouts(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	if (!strcmp(r->event, "medium-attached") || !strcmp(r->event, "medium-detached")) {
		set_attached(m, !strcmp(r->event, "medium-attached"), r->wall_ns);
		m->unplaced = !m->attached && m->came;
		m->came = m->came || m->attached;
		if (m->attached)
			m->missing_ns = 0;
		return 0;
	}
	m->came = m->unplaced = false;
	m->missing_ns = 0;
	if (ledger_replace_text(&m->custodian, member_str(r->json, "operator"), err))
		return -1;
	if (!strcmp(r->event, "rotated")) {
		const struct ledger_generation *last = ledger_last_committed(l, NULL);

		set_attached(m, true, r->wall_ns);
		m->turns++;
		take_pace(&m->wrote, member_num(r->json, "bytes"), member_num(r->json, "write_ms"));
		take_pace(&m->read, member_num(r->json, "read_bytes"), member_num(r->json, "read_ms"));
		m->full = json_is_true(json_object_get(r->json, "full"));
		/* one that could not bring the newest generation is no rotation: the medium stays due */
		if (json_is_true(json_object_get(r->json, "complete")) ||
		    (last && member_num(r->json, "newest") == last->number))
			m->rotated_ns = r->wall_ns;
		return ledger_replace_text(&m->destination, member_str(r->json, "place"), err);
	}
	if (json_is_true(json_object_get(r->json, "detached")))
		set_attached(m, false, r->wall_ns);
	m->moved_ns = r->wall_ns;
	return ledger_replace_text(&m->destination, "", err) ||
		       ledger_replace_text(&m->place, member_str(r->json, "place"), err)
		   ? -1
		   : 0;
}

static int add_mark(struct ledger_medium *m, uint64_t seq, int64_t ns, struct err *err)
{
	struct ledger_copy_mark *more = reallocarray(m->marks, m->n_marks + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	m->marks = more;
	more[m->n_marks++] = (struct ledger_copy_mark){seq, m->turns, ns};
	return 0;
}

/* The journal was copied to these media, up to that record. */
static int apply_journal_copies(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *media = json_object_get(r->json, "media");

	for (size_t i = 0; i < json_array_size(media); i++) {
		struct ledger_medium *m = (struct ledger_medium *)ledger_medium_by_uuid(
		    l, json_string_value(json_array_get(media, i)));

		m->copy_seq = member_num(r->json, "upto");
		memcpy(m->copy_sha256, member_str(r->json, "sha256"), DIGEST_HEX);
		m->copy_fault_line = 0;
		if (ledger_replace_text(&m->copy_fault, "", err) ||
		    (m->offline && add_mark(m, m->copy_seq, r->wall_ns, err)))
			return -1;
	}
	return 0;
}

/* What was found wrong with a medium's copy. */
static int apply_history(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	m->copy_fault_line = member_num(r->json, "line");
	return ledger_replace_text(&m->copy_fault, member_str(r->json, "found"), err);
}

static int apply_strangers(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	(void)err;
	snprintf(m->strangers_sha256, sizeof(m->strangers_sha256), "%s", member_str(r->json, "sha256"));
	return 0;
}

static int apply_renamed(struct ledger *l, const struct journal_record *r, struct err *err)
{
	return ledger_replace_text(
	    &((struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium")))->label,
	    member_str(r->json, "label"), err);
}

void ledger_drop_medium(struct ledger *l, struct ledger_medium *m, int64_t now_ns)
{
	set_attached(m, false, now_ns);
	for (size_t i = 0; i < l->n_generations; i++) {
		struct ledger_generation *g = &l->generations[i];
		bool was = false, is = false;

		for (size_t k = 0; k < g->n_copies; k++) {
			struct ledger_copy *c = (struct ledger_copy *)&g->copies[k];

			if (!strcmp(c->medium, m->uuid)) {
				was |= c->ok;
				c->ok = false;
				c->verified_ns = c->damaged_ns = c->copied_ns = 0;
			}
			is |= c->ok;
		}
		if (was && !is && g->state == LEDGER_COMMITTED)
			g->state = LEDGER_EXPIRED;
	}
}

static int apply_retired(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	(void)err;
	m->retired_ns = r->wall_ns;
	ledger_drop_medium(l, m, r->wall_ns);
	return 0;
}

static int apply_documents(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	(void)err;
	memcpy(m->docs_sha256, member_str(r->json, "sha256"), DIGEST_HEX);
	return 0;
}

static int apply_reread(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	(void)err;
	for (uint64_t i = 0; i < member_num(r->json, "parts"); i++)
		m->read_ns[(member_num(r->json, "first") + i) % LEDGER_PARTS] = r->wall_ns;
	return 0;
}

static int apply_disc(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	(void)err;
	json_decref((json_t *)m->parts);
	m->parts = json_incref(json_object_get(r->json, "parts"));
	return 0;
}

static void generation_clear(struct ledger_generation *g)
{
	ledger_canaries_free(g);
	free((char *)g->suspicion);
	free((char *)g->notice);
	for (size_t i = 0; i < g->n_copies; i++) {
		free((char *)g->copies[i].medium);
		free((char *)g->copies[i].label);
		free((char *)g->copies[i].reason);
	}
	free((struct ledger_copy *)g->copies);
	free((char *)g->dataset);
	free((char *)g->uuid);
	free((char *)g->reason);
	free((char *)g->held_why);
	free((char *)g->version);
	free((char *)g->host);
}

static uint32_t reasons_of(const json_t *words)
{
	uint32_t all = 0;

	for (size_t i = 0; i < json_array_size(words); i++)
		all |= announce_reason(json_string_value(json_array_get(words, i)));
	return all;
}

static void set_guard(struct guard *g, const json_t *o)
{
	const json_t *census = json_object_get(o, "census");

	g->measured = json_is_true(json_object_get(o, "measured"));
	for (size_t i = 0; i < GUARD_FIGURES; i++)
		guard_set_figure(g, &guard_figures[i], member_num(o, guard_figures[i].name));
	g->suspect = json_is_true(json_object_get(o, "suspect"));
	g->reasons = reasons_of(json_object_get(o, "reasons"));
	g->noticed = json_is_object(json_object_get(o, "notice")) ? g->reasons : 0;
	g->census = (struct guard_census){json_is_object(census), member_num(census, "files"),
	    member_num(census, "formats"), member_num(census, "opaque"),
	    json_is_integer(json_object_get(census, "zero")) ? member_num(census, "zero") : GUARD_UNKNOWN};
}

/* Room for n more. */
static int reserve_generations(struct ledger *l, size_t n, struct err *err)
{
	size_t cap = l->cap_generations ? l->cap_generations : 64;
	struct ledger_generation *more;

	while (cap - l->n_generations < n)
		cap *= 2;
	if (cap == l->cap_generations)
		return 0;
	more = reallocarray(l->generations, cap, sizeof(*more));
	if (!more)
		return err_nomem(err);
	l->generations = more;
	l->cap_generations = cap;
	return 0;
}

/* 1 for those of the first group …; 0: it is in none. */
static unsigned group_of(const json_t *groups, const char *dataset)
{
	for (size_t i = 0; i < json_array_size(groups); i++)
		for (size_t k = 0; k < json_array_size(json_array_get(groups, i)); k++)
			if (!strcmp(json_string_value(json_array_get(json_array_get(groups, i), k)), dataset))
				return (unsigned)i + 1;
	return 0;
}

static int apply_begin(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *names = json_object_get(r->json, "datasets");
	int failed = 0;
	size_t at;

	/* those of the run before: each begin has seen to all before that */
	for (size_t i = ledger_run(l, ledger_next_run(l) - 1, &at); i--;)
		if (l->generations[at + i].state == LEDGER_BEGUN)
			l->generations[at + i].state = LEDGER_ABANDONED;
	if (reserve_generations(l, json_array_size(names), err))
		return -1;
	for (size_t i = 0; i < json_array_size(names); i++) {
		struct ledger_generation *g = &l->generations[l->n_generations++];

		memset(g, 0, sizeof(*g));
		g->number = member_num(r->json, "run");
		g->begun_ns = r->wall_ns;
		g->undated = l->latch.found_ns != 0;
		g->epoch = r->epoch;
		g->period = l->period.number;
		g->state = LEDGER_BEGUN;
		g->dataset = copy_of(json_string_value(json_array_get(names, i)), &failed);
		g->group = group_of(
		    json_object_get(r->json, "together"), json_string_value(json_array_get(names, i)));
		g->uuid = copy_of(member_str(r->json, "uuid"), &failed);
		g->reason = copy_of("", &failed);
		g->suspicion = copy_of("", &failed);
		g->notice = copy_of("", &failed);
		g->held_why = copy_of("", &failed);
		g->version = copy_of("", &failed);
		g->host = copy_of(journal_text(r->json, "host"), &failed);
	}
	return failed ? err_nomem(err) : 0;
}

struct ledger_copy *ledger_copy_on(struct ledger *l, struct ledger_generation *g, const char *uuid)
{
	struct ledger_copy *c = (struct ledger_copy *)g->copies;
	int failed = 0;

	for (size_t i = 0; i < g->n_copies; i++)
		if (!strcmp(c[i].medium, uuid))
			return &c[i];
	c = reallocarray(c, g->n_copies + 1, sizeof(*c));
	if (!c)
		return NULL;
	g->copies = c;
	c += g->n_copies++;
	memset(c, 0, sizeof(*c));
	c->medium = copy_of(uuid, &failed);
	c->label = copy_of(ledger_medium_by_uuid(l, uuid)->label, &failed);
	c->reason = copy_of("", &failed);
	return failed ? NULL : c;
}

/* A copy that failed for another reason than room says nothing about how full the medium is. */
static void set_full(struct ledger *l, const json_t *copy, bool ok)
{
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(copy, "medium"));

	if (ok || json_is_true(json_object_get(copy, "full")))
		m->full = !ok;
}

static int set_next_archive(struct ledger *l, const char *dataset, uint64_t archive, struct err *err)
{
	struct ledger_next *more;

	for (size_t i = 0; i < l->n_next; i++)
		if (!strcmp(l->next[i].dataset, dataset)) {
			if (archive > l->next[i].archive)
				l->next[i].archive = archive;
			return 0;
		}
	more = reallocarray(l->next, l->n_next + 1, sizeof(*more));
	if (!more)
		return err_nomem(err);
	l->next = more;
	more += l->n_next;
	more->dataset = strdup(dataset);
	more->archive = archive;
	l->n_next += more->dataset != NULL;
	return more->dataset ? 0 : err_nomem(err);
}

static int set_copies(struct ledger *l, struct ledger_generation *g, const json_t *media, struct err *err)
{
	for (size_t i = 0; i < json_array_size(media); i++) {
		const json_t *m = json_array_get(media, i);
		struct ledger_copy *c = ledger_copy_on(l, g, member_str(m, "medium"));
		char *reason = strdup(journal_text(m, "reason"));

		if (!c || !reason) {
			free(reason);
			return err_nomem(err);
		}
		c->ok = json_is_true(json_object_get(m, "ok"));
		c->frozen = json_is_true(json_object_get(m, "frozen"));
		set_full(l, m, c->ok);
		free((char *)c->reason);
		c->reason = reason;
	}
	return 0;
}

/* How the data set was captured. */
static int set_captured(struct ledger_generation *g, const json_t *o, struct err *err)
{
	const json_t *guard = json_object_get(o, "guard"), *notice = json_object_get(guard, "notice");

	g->verdict = !strcmp(member_str(o, "verdict"), "good") ? LEDGER_GOOD : LEDGER_PARTIAL;
	g->entries = member_num(o, "entries");
	g->files = member_num(o, "files");
	g->bytes = member_num(o, "bytes");
	g->unreadable = member_num(o, "unreadable");
	g->changed = member_num(o, "changed");
	g->skipped = member_num(o, "skipped");
	set_guard(&g->guard, guard);
	g->suspect = g->guard.suspect;
	return ledger_replace_text(&g->reason, journal_text(o, "reason"), err) ||
		       ledger_replace_text(&g->suspicion, journal_text(guard, "why"), err) ||
		       ledger_replace_text(&g->notice, journal_text(notice, "text"), err) ||
		       ledger_canaries_read(g, guard, err)
		   ? -1
		   : 0;
}

static int apply_committed(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *o = r->json;
	struct ledger_generation *g = generation_of(l, o);

	g->state = LEDGER_COMMITTED;
	g->ended_ns = r->wall_ns;
	g->recovered = json_is_true(json_object_get(o, "recovered"));
	memcpy(g->manifest_sha256, member_str(o, "manifest_sha256"), DIGEST_HEX);
	g->archives = member_num(o, "archives");
	g->archive_bytes = member_num(o, "archive_bytes");
	g->new_bytes = member_num(o, "new_bytes");
	g->former_bytes = member_num(o, "former_bytes");
	return set_next_archive(l, g->dataset, member_num(o, "next_archive"), err) ||
		       ledger_replace_text(&g->version, journal_text(o, "source_version"), err) ||
		       set_copies(l, g, json_object_get(o, "media"), err) || set_captured(g, o, err) ||
		       ledger_canaries_take(l, g, false, err)
		   ? -1
		   : 0;
}

/* It is there, but damaged, and counts for nothing until it verifies again. */
static int apply_verify_failed(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_copy *c = ledger_copy_on(l, generation_of(l, r->json), member_str(r->json, "medium"));

	if (!c)
		return err_nomem(err);
	c->damaged_ns = r->wall_ns;
	c->verified_ns = 0;
	return ledger_replace_text(&c->reason, journal_text(r->json, "reason"), err);
}

/* Either way the generation is on the medium now. */
static int apply_copied_one(
    struct ledger *l, const struct journal_record *r, const json_t *o, struct err *err)
{
	struct ledger_generation *g = generation_of(l, o);
	struct ledger_copy *c = ledger_copy_on(l, g, member_str(r->json, "medium"));

	if (!c)
		return err_nomem(err);
	if (!strcmp(r->event, "verified")) {
		c->verified_ns = r->wall_ns;
		c->damaged_ns = 0;
		g->proved = true;
	} else {
		/* files came, perhaps into a copy that had lost them: nobody has read those back yet */
		c->copied_ns = r->wall_ns;
		c->verified_ns = 0;
	}
	g->state = LEDGER_COMMITTED;
	c->ok = true;
	c->expired_ns = 0;
	return ledger_replace_text(&c->reason, "", err);
}

static int apply_copied(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *list = json_object_get(r->json, "generations"),
		     *space = json_object_get(r->json, "free");
	struct ledger_medium *m =
	    (struct ledger_medium *)ledger_medium_by_uuid(l, member_str(r->json, "medium"));

	if (json_is_integer(space) && json_integer_value(space) >= 0) {
		m->free = (uint64_t)json_integer_value(space);
		m->free_ns = r->wall_ns;
	}

	for (size_t i = 0; i < json_array_size(list); i++)
		if (apply_copied_one(l, r, json_array_get(list, i), err))
			return -1;
	return 0;
}

static int apply_failed(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *list = json_object_get(r->json, "datasets");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		struct ledger_generation *g = (struct ledger_generation *)ledger_generation_of(
		    l, member_str(o, "name"), member_num(r->json, "run"));
		const char *reason = journal_text(o, "reason");

		g->state = LEDGER_GEN_FAILED;
		g->verdict = LEDGER_FAILED;
		g->ended_ns = r->wall_ns;
		if (ledger_replace_text(&g->reason, *reason ? reason : journal_text(r->json, "reason"), err))
			return -1;
	}
	return 0;
}

static const struct rule {
	const char *event;
	apply_fn *apply;
} rules[] = {
    {"init", apply_init},
    {"medium-added", apply_medium},
    {"keys", apply_keys},
    {"begin", apply_begin},
    {"committed", apply_committed},
    {"verified", apply_copied},
    {"copied", apply_copied},
    {"verify-failed", apply_verify_failed},
    {"failed", apply_failed},
    {"medium-attached", apply_whereabouts},
    {"medium-detached", apply_whereabouts},
    {"rotated", apply_whereabouts},
    {"medium-moved", apply_whereabouts},
    {"heads", apply_journal_copies},
    {"history", apply_history},
    {"strangers", apply_strangers},
    {"documents", apply_documents},
    {"reread", apply_reread},
    {"medium-renamed", apply_renamed},
    {"medium-retired", apply_retired},
    {"medium-data", ledger_fold_custody},
    {"medium-handed", ledger_fold_custody},
    {"medium-lent", ledger_fold_custody},
    {"medium-returned", ledger_fold_custody},
    {"media-counted", ledger_fold_custody},
    {"medium-lost", ledger_fold_custody},
    {"medium-found", ledger_fold_custody},
    {"disc-written", apply_disc},
    {"drill", ledger_fold_drills},
    {"procedures", ledger_fold_drills},
    {"countersigned", ledger_fold_witness},
    {"procedure-approved", ledger_fold_drills},
    {"regulation-approved", ledger_fold_drills},
    {"finding", ledger_fold_findings},
};

static void follow_clock(struct ledger *l, const struct journal_record *r)
{
	struct clock_stamp now = {.wall_ns = r->wall_ns, .mono_ns = r->mono_ns, .synced = r->synced};
	bool said =
	    !strcmp(r->event, "clock-attested") ||
	    (!strcmp(r->event, "clock-jump") && json_integer_value(json_object_get(r->json, "seconds")) > 0);

	snprintf(now.boot_id, sizeof(now.boot_id), "%s", r->boot);
	if (r->seq > 1)
		clockskew_follow(&l->clock, &l->head_stamp, &now, said);
	l->head_stamp = now;
}

int ledger_fold_apply(struct ledger *l, const struct journal_record *r, struct err *err)
{
	if (ledger_fold_stays(l, r, err))
		return -1;
	l->head_ns = r->wall_ns;
	follow_clock(l, r);
	if (ledger_fold_announcements(l, r, err))
		return -1;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!strcmp(rules[i].event, r->event))
			return rules[i].apply(l, r, err);
	return ledger_fold_rules(l, r, err) < 0 || ledger_fold_uses(l, r, err) ? -1 : 0;
}

void ledger_fold_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_generations; i++)
		generation_clear(&l->generations[i]);
	free(l->generations);
	for (size_t i = 0; i < l->n_next; i++)
		free(l->next[i].dataset);
	free(l->next);
	for (size_t i = 0; i < l->n_media; i++)
		medium_clear(&l->media[i]);
	free(l->media);
	ledger_fold_rules_clear(l);
	ledger_fold_uses_clear(l);
	ledger_announcements_clear(l);
	ledger_drills_clear(l);
	ledger_witness_clear(l);
	ledger_findings_clear(l);
	ledger_stays_clear(l);
}
