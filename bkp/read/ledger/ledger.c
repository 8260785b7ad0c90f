/* ledger: reading the journal as a stream, and asking what it says; see ledger.h.
 *
 * take_record() is the one way in: chain and signature, check, fold, in this order.  After a failure the
 * ledger takes no further record (ledger.h).  The buffer of load_records() holds at most one record after
 * each round; a longer rest is given to the checker, which refuses it and names the line.
 */
#include "read/ledger/ledger_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/medium/selector.h"
#include "read/file/lines.h"
#include "read/file/segments.h"
#include "read/store/store_dir.h"
#include "read/verify/verify.h"

#define READ_SIZE ((size_t)256 << 10)
#define LINKS_MAX ((size_t)64 << 20) /* as REPOSITORY_LINKS_MAX: more would not be read from a medium */

int ledger_new(const struct minisig_public *root, struct ledger **ret, struct err *err)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (!l)
		return err_nomem(err);
	buf_init(&l->links, LINKS_MAX);
	if (journal_check_new(root, NULL, &l->check, err)) {
		free(l);
		return -1;
	}
	*ret = l;
	return 0;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	journal_check_free(l->check);
	buf_free(&l->links);
	ledger_fold_clear(l);
	free(l);
}

static int keep_link(
    struct ledger *l, const struct journal_record *r, const void *line, size_t n, struct err *err)
{
	l->epoch_ns = r->wall_ns;
	return buf_append(&l->links, line, n, err) || buf_append(&l->links, "\n", 1, err) ? -1 : 0;
}

static int take_record(
    struct ledger *l, const void *line, size_t n, ledger_each_fn *each, void *arg, struct err *err)
{
	struct journal_record r = {0};
	int failed;

	if (journal_check_line(l->check, line, n, &r, err))
		return -1;
	failed = ledger_check(l, r.event, r.json, r.seq, err) || ledger_fold_apply(l, &r, err) ||
		 ledger_keep_head(l, &r, err) ||
		 (!strcmp(r.event, JOURNAL_EPOCH_EVENT) && keep_link(l, &r, line, n, err)) ||
		 (each && each(arg, &r, err));
	journal_record_clear(&r);
	l->size += n + 1;
	return failed ? -1 : 0;
}

int ledger_take(struct ledger *l, const void *line, size_t n, struct err *err)
{
	return take_record(l, line, n, NULL, NULL, err);
}

int ledger_would(const struct ledger *l, const void *line, size_t n, struct err *err)
{
	struct journal_record r = {0};
	int failed;

	if (journal_check_would(l->check, line, n, &r, err))
		return -1;
	failed = ledger_check(l, r.event, r.json, r.seq, err);
	journal_record_clear(&r);
	return failed;
}

int ledger_accepts(const struct ledger *l, const char *event, const json_t *members, struct err *err)
{
	return ledger_check(l, event, members, ledger_seq(l) + 1, err);
}

static bool has_ended(const struct ledger *l)
{
	return l->upto && ledger_seq(l) >= l->upto;
}

/* All whole lines in `b`; what is left of it stays.  With `each` no signature vouches for other lines: each
 * record that is shown was checked by its own. */
static int take_lines(struct ledger *l, struct buf *b, ledger_each_fn *each, void *arg, struct err *err)
{
	size_t at = 0;
	uint8_t *newline;

	while (!has_ended(l) && at < b->n && (newline = memchr(b->p + at, '\n', b->n - at))) {
		size_t len = (size_t)(newline - (b->p + at));

		if (!each)
			journal_check_vouch(l->check, b->p + at, b->n - at);
		if (take_record(l, b->p + at, len, each, arg, err))
			return -1;
		at += len + 1;
	}
	buf_consume(b, at);
	if (b->n > JOURNAL_LINE_MAX && !has_ended(l))
		/* refused by the checker for its length, which names the line */
		return take_record(l, b->p, b->n, NULL, NULL, err);
	return 0;
}

static int load_records(struct ledger *l, struct store_file *file, const char *name, ledger_each_fn *each,
    void *arg, struct err *err)
{
	BUF_AUTO b = BUF_INIT(JOURNAL_LINE_MAX + READ_SIZE);
	int64_t done = 0;
	ssize_t r;

	do {
		if (buf_reserve(&b, READ_SIZE, err))
			return -1;
		r = store_read_full(file, b.p + b.n, READ_SIZE, done);
		if (r < 0)
			return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), name);
		b.n += (size_t)r;
		done += r;
		if (take_lines(l, &b, each, arg, err))
			return -1;
	} while ((size_t)r == READ_SIZE && !has_ended(l));
	if (has_ended(l))
		return 0;
	l->torn = b.n > 0;
	if (segments_whole(file, err))
		return -1;
	if (!ledger_seq(l))
		return err_set(err, "E-LEDGER-04", text("the journal '%s' holds no record"), name);
	return 0;
}

static int load_file(struct store_file *file, const char *name, const struct minisig_public *root,
    uint64_t upto, ledger_each_fn *each, void *arg, struct ledger **ret, struct err *err)
{
	struct ledger *l;

	if (ledger_new(root, &l, err))
		return -1;
	l->upto = upto;
	if (load_records(l, file, name, each, arg, err)) {
		ledger_free(l);
		return -1;
	}
	l->upto = 0;
	*ret = l;
	return 0;
}

int ledger_load_file(struct store_file *file, const char *name, const struct minisig_public *root,
    ledger_each_fn *each, void *arg, struct ledger **ret, struct err *err)
{
	return load_file(file, name, root, 0, each, arg, ret, err);
}

struct following {
	ledger_follow_fn *follow;
	void *arg;
	const struct ledger *l;
};

static int follow_each(void *arg, const struct journal_record *r, struct err *err)
{
	const struct following *f = arg;

	return f->follow(f->arg, f->l, r, err);
}

int ledger_follow_file(struct store_file *file, const char *name, ledger_follow_fn *follow, void *arg,
    struct ledger **ret, struct err *err)
{
	struct following f = {follow, arg, NULL};
	struct ledger *l;

	if (ledger_new(NULL, &l, err))
		return -1;
	f.l = l;
	if (load_records(l, file, name, follow_each, &f, err)) {
		ledger_free(l);
		return -1;
	}
	*ret = l;
	return 0;
}

int ledger_load_until(struct store_file *file, const char *name, const struct minisig_public *root,
    uint64_t upto, struct ledger **ret, struct err *err)
{
	return load_file(file, name, root, upto, NULL, NULL, ret, err);
}

/* 0, LEDGER_ABSENT, -1. */
static int open_state(int dirfd, struct store_file *ret, struct err *err)
{
	const struct store folder = store_dir_of(dirfd);
	const int r = segments_open(&folder, ret, err);

	return r == STORE_ABSENT ? LEDGER_ABSENT : r;
}

int ledger_load(int dirfd, const struct minisig_public *root, struct ledger **ret, struct err *err)
{
	STORE_FILE_AUTO file = {0};
	const int r = open_state(dirfd, &file, err);

	return r ? r : ledger_load_file(&file, JOURNAL_DIR, root, NULL, NULL, ret, err);
}

struct valid {
	struct ledger *l;
	struct err *why;
};

static int take_valid(void *arg, const uint8_t *line, size_t n, size_t ahead, struct err *err)
{
	const struct valid *v = arg;

	(void)ahead;
	if (!ledger_would(v->l, line, n, v->why))
		return ledger_take(v->l, line, n, err);
	/* what could not be judged is not invalid */
	return v->why->kind == ERR_MEMORY ? err_nomem(err) : 1;
}

int ledger_load_valid(
    int dirfd, const struct minisig_public *root, struct ledger **ret, struct err *ret_why, struct err *err)
{
	STORE_FILE_AUTO file = {0};
	struct valid v = {.why = ret_why};
	struct err said = ERR_INIT;
	int r = open_state(dirfd, &file, err);

	if (r || ledger_new(root, &v.l, err))
		return -1;
	r = lines_each(&file, take_valid, &v, &v.l->torn, &said);
	/* longer than a record can be, or a row of segments that is none: no more one than any other line that is none */
	if (r < 0 && said.kind == ERR_MALFORMED) {
		*ret_why = said;
		r = 1;
	}
	if (r < 0 && err)
		*err = said;
	if (r >= 0 && ledger_seq(v.l)) {
		*ret = v.l;
		return 0;
	}
	ledger_free(v.l);
	if (segments_whole(&file, err))
		return -1;
	return r < 0 ? -1
		     : err_set(err, "E-LEDGER-04", text("the journal '%s' holds no record"), JOURNAL_DIR);
}

const char *ledger_repository(const struct ledger *l)
{
	return journal_check_repository(l->check);
}

const struct minisig_public *ledger_root(const struct ledger *l)
{
	return journal_check_root(l->check);
}

const struct minisig_public *ledger_keys(const struct ledger *l, size_t *ret_n)
{
	return journal_check_keys(l->check, ret_n);
}

uint32_t ledger_epoch(const struct ledger *l)
{
	size_t n;

	(void)journal_check_keys(l->check, &n);
	return (uint32_t)n;
}

int64_t ledger_epoch_ns(const struct ledger *l)
{
	return l->epoch_ns ? l->epoch_ns : l->created_ns;
}

const uint8_t *ledger_links(const struct ledger *l, size_t *ret_n)
{
	*ret_n = l->links.n;
	return l->links.p;
}

const struct ledger_period *ledger_period(const struct ledger *l)
{
	return &l->period;
}

int64_t ledger_created_ns(const struct ledger *l)
{
	return l->created_ns;
}

uint64_t ledger_seq(const struct ledger *l)
{
	return journal_check_seq(l->check);
}

const uint8_t *ledger_head(const struct ledger *l)
{
	return journal_check_head(l->check);
}

int64_t ledger_head_ns(const struct ledger *l)
{
	return l->head_ns;
}

uint64_t ledger_size(const struct ledger *l)
{
	return l->size;
}

bool ledger_torn(const struct ledger *l)
{
	return l->torn;
}

size_t ledger_media(const struct ledger *l)
{
	return l->n_media;
}

const struct ledger_medium *ledger_medium(const struct ledger *l, size_t i)
{
	return &l->media[i];
}

const struct ledger_medium *ledger_medium_by_uuid(const struct ledger *l, const char *uuid)
{
	for (size_t i = 0; i < l->n_media; i++)
		if (!strcmp(l->media[i].uuid, uuid))
			return &l->media[i];
	return NULL;
}

const struct ledger_medium *ledger_medium_by_label(const struct ledger *l, const char *label)
{
	for (size_t i = l->n_media; i--;)
		if (!l->media[i].retired_ns && !l->media[i].lost_ns && !strcmp(l->media[i].label, label))
			return &l->media[i];
	return NULL;
}

size_t ledger_generations(const struct ledger *l)
{
	return l->n_generations;
}

const struct ledger_generation *ledger_generation(const struct ledger *l, size_t i)
{
	return &l->generations[i];
}

/* The first of the run, or where it would stand. */
static size_t find_run(const struct ledger *l, uint64_t number)
{
	size_t lo = 0, hi = l->n_generations;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->generations[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t ledger_run(const struct ledger *l, uint64_t number, size_t *ret_first)
{
	size_t first = find_run(l, number), n = 0;

	while (first + n < l->n_generations && l->generations[first + n].number == number)
		n++;
	*ret_first = first;
	return n;
}

const struct ledger_generation *ledger_generation_of(
    const struct ledger *l, const char *dataset, uint64_t number)
{
	for (size_t i = find_run(l, number); i < l->n_generations && l->generations[i].number == number; i++)
		if (!strcmp(l->generations[i].dataset, dataset))
			return &l->generations[i];
	return NULL;
}

uint64_t ledger_select(const struct ledger *l, const struct selector *s, const char *dataset)
{
	struct clock_stamp now;

	clock_now(&now);
	for (size_t i = l->n_generations; i--;) {
		const struct ledger_generation *g = &l->generations[i];

		if (g->state == LEDGER_COMMITTED && !strcmp(g->dataset, dataset) &&
		    selector_fits(s, g->number, g->begun_ns, clock_utc_offset(g->begun_ns), now.wall_ns))
			return g->number;
	}
	return 0;
}

int ledger_generation_record(
    const struct ledger *l, const char *dataset, uint64_t number, struct verify_record *ret)
{
	const struct ledger_generation *g = ledger_generation_of(l, dataset, number);

	if (!g || (g->state != LEDGER_COMMITTED && g->state != LEDGER_EXPIRED))
		return 0;
	ret->epoch = g->epoch;
	return digest_unhex(g->manifest_sha256, DIGEST_LEN, ret->manifest_sha256);
}

const struct ledger_generation *ledger_last_committed(const struct ledger *l, const char *dataset)
{
	for (size_t i = l->n_generations; i--;)
		if (l->generations[i].state == LEDGER_COMMITTED &&
		    (!dataset || !strcmp(l->generations[i].dataset, dataset)))
			return &l->generations[i];
	return NULL;
}

uint64_t ledger_next_run(const struct ledger *l)
{
	return l->n_generations ? l->generations[l->n_generations - 1].number + 1 : 1;
}

uint64_t ledger_next_archive(const struct ledger *l, const char *dataset)
{
	for (size_t i = 0; i < l->n_next; i++)
		if (!strcmp(l->next[i].dataset, dataset))
			return l->next[i].archive;
	return 1;
}

const struct ledger_copy *ledger_copy_in(const struct ledger_generation *g, const char *medium)
{
	for (size_t i = 0; g && i < g->n_copies; i++)
		if (!strcmp(g->copies[i].medium, medium))
			return &g->copies[i];
	return NULL;
}

const struct ledger_copy *ledger_copy_there(const struct ledger_generation *g, const char *medium)
{
	const struct ledger_copy *c = ledger_copy_in(g, medium);

	return c && c->ok && g->state == LEDGER_COMMITTED ? c : NULL;
}

bool ledger_good(const struct ledger_generation *g)
{
	return g->verdict == LEDGER_GOOD || (g->verdict == LEDGER_PARTIAL && g->accepted_ns);
}

const struct ledger_generation *ledger_companion(
    const struct ledger *l, const struct ledger_generation *g, const struct ledger_generation *after)
{
	size_t first, n = g->group ? ledger_run(l, g->number, &first) : 0;

	for (size_t i = 0; i < n; i++) {
		const struct ledger_generation *o = &l->generations[first + i];

		if (o->group == g->group && strcmp(o->dataset, g->dataset) != 0 && (!after || o > after))
			return o;
	}
	return NULL;
}

static bool counts_alone(const struct ledger_generation *g)
{
	return g->state == LEDGER_COMMITTED && !g->suspect && ledger_good(g);
}

bool ledger_counts(const struct ledger *l, const struct ledger_generation *g)
{
	const struct ledger_generation *o = NULL;
	bool counts = counts_alone(g);

	while (counts && (o = ledger_companion(l, g, o)))
		counts = counts_alone(o);
	return counts;
}

static bool is_sound(const struct ledger_copy *c)
{
	return c && c->ok && c->verified_ns && !c->damaged_ns && !c->expired_ns;
}

bool ledger_sound_on(const struct ledger *l, const struct ledger_generation *g, const char *medium)
{
	const struct ledger_generation *o = NULL;
	bool sound = is_sound(ledger_copy_in(g, medium));

	while (sound && (o = ledger_companion(l, g, o)))
		sound = is_sound(ledger_copy_in(o, medium));
	return sound;
}

const char *ledger_verdict_word(enum ledger_verdict v)
{
	static const char *const words[] = {"pending", "good", "partial", "failed"};

	return words[v];
}

const char *ledger_state_word(enum ledger_state s)
{
	static const char *const words[] = {"begun", "committed", "failed", "abandoned", "expired"};

	return words[s];
}
