/* disc: see disc.h.  This file: the order of the steps, the sources, and the records. */
#include "write/disc/disc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"
#include "read/vault/medium.h"
#include "write/disc/disc_burn.h"
#include "write/disc/disc_read.h"
#include "write/disc/disc_stage.h"
#include "write/media/attendance.h"
#include "write/state/state.h"

#define BLOCK ((size_t)1 << 20)
#define GB    UINT64_C(1000000000)

struct disc {
	const struct disc_config *cfg;
	struct disc_result *ret;
	const struct policy_medium *series;
	struct disc_drive drive;
	struct medium **sources;
	size_t n_sources;
	struct disc_plan plan;
	struct disc_stage stage;
	struct disc_read read;
	char volume_id[64], fs_uuid[64]; /* the same time, as xorriso takes it and as libblkid shows it */
};

static void tell_progress(const struct disc *d, const char *what, uint64_t done, uint64_t total)
{
	if (d->cfg->progress)
		d->cfg->progress(d->cfg->arg, what, done, total);
}

/* ---- which series, which place ---- */

static int disc_series(struct disc *d, struct err *err)
{
	const struct policy *p = d->cfg->policy;
	const char *place = d->cfg->place;
	size_t n = 0;

	for (size_t i = 0; i < p->n_media; i++) {
		const struct policy_medium *m = &p->media[i];

		if (!policy_medium_is_series(m) || (d->cfg->series && strcmp(d->cfg->series, m->name) != 0))
			continue;
		d->series = m;
		n++;
	}
	if (n != 1) {
		err_set_kind(err, ERR_USAGE, "E-DISC-01", "%s",
		    n ? text("the policy declares several series of discs: name one with --series")
		    : d->cfg->series ? text("the policy declares no series of discs of that name")
				     : text("the policy declares no series of discs"));
		return err_hint(err, "%s",
		    text("a series is a medium without a path: '{name: BD, type: optical, offline: true, "
			 "place: …}'"));
	}
	place = place ? place : d->series->place;
	if (!place || !*place) {
		err_set_kind(err, ERR_USAGE, "E-DISC-10",
		    text("no place is stated where discs of '%s' are kept"), d->series->name);
		return err_hint(
		    err, "%s", text("name it with --place TEXT, or as the medium's 'place' in the policy"));
	}
	snprintf(d->ret->place, sizeof(d->ret->place), "%s", place);
	return 0;
}

/* "BD-2026-004": each number once a year, also those of discs that became waste. */
static void name_disc(struct disc *d, int64_t now_ns)
{
	const struct ledger *l = state_ledger(d->cfg->state);
	const time_t now = (time_t)(now_ns / SECOND_NS);
	char start[DISC_LABEL];
	unsigned long last = 0;
	struct tm tm = {0};

	localtime_r(&now, &tm);
	snprintf(start, sizeof(start), "%s-%04d-", d->series->name, tm.tm_year + 1900);
	for (size_t i = 0; i < ledger_media(l); i++) {
		const char *label = ledger_medium(l, i)->label;
		unsigned long number;

		if (!policy_series_has(d->series, label) || strncasecmp(label, start, strlen(start)) != 0)
			continue;
		number = strtoul(label + strlen(start), NULL, 10);
		last = number > last ? number : last;
	}
	snprintf(d->ret->label, sizeof(d->ret->label), "%.*s%03lu", DISC_LABEL - 24, start, last + 1);
	gmtime_r(&now, &tm);
	strftime(d->volume_id, sizeof(d->volume_id), "%Y%m%d%H%M%S00", &tm);
	strftime(d->fs_uuid, sizeof(d->fs_uuid), "%Y-%m-%d-%H-%M-%S-00", &tm);
}

/* ---- the media that are copied from ---- */

static int disc_open_sources(struct disc *d, struct err *err)
{
	const struct policy *p = d->cfg->policy;
	struct state *s = d->cfg->state;
	struct attendance_keys k = {.repository = state_repository(s)};

	d->sources = calloc(p->n_media, sizeof(*d->sources));
	if (!d->sources)
		return err_nomem(err);
	k.keys = state_keys(s, &k.n_keys);
	for (size_t i = 0; i < p->n_media; i++) {
		const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(s), p->media[i].name);
		struct medium_expect want = {.repository = state_repository(s),
		    .label = p->media[i].name,
		    .keys = k.keys,
		    .n_keys = k.n_keys};
		struct journal_copies_finding finding;
		struct medium *m = NULL;
		char *path = NULL;
		bool open;

		if (!lm || p->media[i].offline)
			continue;
		want.uuid = lm->uuid;
		open = attendance_find(state_ledger(s), &k, &p->media[i], &path, NULL) == 1 &&
		       !medium_open(path, &want, &m, NULL);
		free(path);
		/* the burner reads by path */
		if (!open || store_dir_fd(medium_store(m)) < 0) {
			medium_close(m);
			continue;
		}
		d->sources[d->n_sources++] = m;
		if (journal_copies_check(s, m, &finding, err) == JOURNAL_COPIES_AHEAD)
			return -1;
	}
	return 0;
}

/* ---- plan ---- */

/* By what drives of that kind do, 8 times and 4 times the single speed of DVD and BD; twice, for it is read back. */
static unsigned minutes(uint64_t bytes, uint64_t capacity)
{
	const uint64_t rate = capacity < GB ? 3600000 : capacity < 10 * GB ? 11000000 : 18000000;

	return (unsigned)(2 * bytes / rate / 60 + 1);
}

static int make_plan(struct disc *d, struct err *err)
{
	const struct disc_config *cfg = d->cfg;
	uint64_t capacity = d->drive.capacity;

	if (cfg->capacity && (!capacity || cfg->capacity < capacity))
		capacity = cfg->capacity;
	d->plan = (struct disc_plan){.ledger = state_ledger(cfg->state),
	    .policy = cfg->policy,
	    .series = d->series,
	    .sources = d->sources,
	    .n_sources = d->n_sources,
	    .capacity = capacity,
	    .reserve = disc_stage_reserve(cfg->state, &cfg->docs),
	    .again = cfg->again,
	    .wanted = cfg->wanted,
	    .arg = cfg->arg};
	if (disc_plan(&d->plan, err))
		return -1;
	d->ret->items = d->plan.items;
	d->ret->n = d->plan.n;
	d->ret->of = d->plan.discs;
	d->ret->left = d->plan.discs;
	d->ret->bytes = d->plan.bytes;
	d->ret->capacity = capacity;
	d->ret->already = d->plan.already;
	d->ret->minutes = minutes(d->plan.bytes, capacity);
	if (cfg->planned)
		cfg->planned(cfg->arg, d->ret);
	return 0;
}

/* ---- before the first byte ---- */

static int retire(const struct disc *d, const char *uuid, const char *reason, struct err *err)
{
	return state_append(d->cfg->state, "medium-retired",
	    json_pack("{s:s, s:s, s:s}", "medium", uuid, "operator", d->cfg->operator, "reason", reason),
	    err);
}

/* Registered, and never said to be written: its process died. */
static int retire_broken(const struct disc *d, struct err *err)
{
	for (size_t i = 0; i < ledger_media(state_ledger(d->cfg->state)); i++) {
		const struct ledger_medium *m = ledger_medium(state_ledger(d->cfg->state), i);
		char uuid[JOURNAL_UUID];

		if (m->retired_ns || m->rotated_ns || !policy_series_has(d->series, m->label))
			continue;
		snprintf(uuid, sizeof(uuid), "%s", m->uuid);
		if (retire(d, uuid, "writing the disc was broken off", err))
			return -1;
	}
	return 0;
}

static int check_source(
    const struct disc_file *f, uint8_t *block, struct digest *sha, uint64_t *done, struct err *err)
{
	IO_FD_AUTO fd = io_open_file(AT_FDCWD, f->from, err);
	uint8_t is[DIGEST_LEN];
	char show[256];
	ssize_t n;

	if (fd < 0)
		return -1;
	digest_reset(sha);
	while ((n = io_read_full(fd, block, BLOCK)) > 0) {
		digest_update(sha, block, (size_t)n);
		*done += (uint64_t)n;
	}
	digest_final(sha, is);
	if (!n && !memcmp(is, f->sha256, DIGEST_LEN))
		return 0;
	err_set(err, "E-DISC-07", text("'%s' is damaged: nothing was written"),
	    path_show(f->from, show, sizeof(show)));
	return err_hint(err, "%s", text("run 'bkp verify' and 'bkp repair', then the command again"));
}

static int check_sources(const struct disc *d, struct err *err)
{
	uint8_t *block = malloc(BLOCK);
	struct digest *sha = digest_new();
	uint64_t done = 0;
	int r = block && sha ? 0 : err_nomem(err);

	for (size_t i = 0; !r && i < d->plan.files.n; i++) {
		r = check_source(&d->plan.files.file[i], block, sha, &done, err);
		tell_progress(d, text("checking what is to be written"), done, d->plan.bytes);
	}
	free(block);
	digest_free(sha);
	return r;
}

/* ---- the disc ---- */

static void on_burn(void *arg, uint64_t bytes)
{
	const struct disc *d = arg;

	tell_progress(d, text("writing"), bytes, d->plan.bytes);
}

static void on_read(void *arg, uint64_t done, uint64_t total)
{
	tell_progress(arg, text("reading back"), done, total);
}

static int write_and_read(struct disc *d, struct err *err)
{
	const struct disc_burn burn = {.drive = &d->drive,
	    .files = &d->plan.files,
	    .folder = d->stage.folder,
	    .volume = d->ret->label,
	    .volume_id = d->volume_id,
	    .progress = on_burn,
	    .arg = d};

	if (disc_stage_list(&d->stage, &d->plan.files, err) || disc_burn(&burn, err))
		return -1;
	d->read =
	    (struct disc_read){.path = d->drive.path, .files = &d->plan.files, .progress = on_read, .arg = d};
	return disc_read(&d->read, err);
}

/* ---- it counts ---- */

static json_t *copies_json(const struct disc *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->plan.n; i++) {
		const struct disc_item *t = &d->plan.items[i];

		if (t->taken == t->archives)
			json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I}", "dataset", t->dataset,
							"generation", (json_int_t)t->number, "files",
							(json_int_t)t->files, "bytes", (json_int_t)t->bytes));
	}
	return list;
}

static json_t *parts_json(const struct disc *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->plan.n; i++) {
		const struct disc_item *t = &d->plan.items[i];

		if (t->taken != t->archives)
			json_array_append_new(
			    list, json_pack("{s:s, s:I, s:I, s:I, s:I}", "dataset", t->dataset, "generation",
				      (json_int_t)t->number, "first", (json_int_t)t->first, "archives",
				      (json_int_t)t->taken, "of", (json_int_t)t->archives));
	}
	return list;
}

static int record_copies(const struct disc *d, struct err *err)
{
	static const char *const events[] = {"copied", "verified"};
	int r = 0;

	for (size_t i = 0; !r && i < 2; i++) {
		json_t *list = copies_json(d);

		if (json_array_size(list))
			r = state_append(d->cfg->state, events[i],
			    json_pack("{s:s, s:o}", "medium", d->stage.uuid, "generations", list), err);
		else
			json_decref(list);
	}
	return r;
}

static int record_disc(struct disc *d, struct err *err)
{
	const char *const uuids[] = {d->stage.uuid};
	const struct disc_config *cfg = d->cfg;
	uint64_t newest = 0, whole = 0;

	for (size_t i = 0; i < d->plan.n; i++) {
		const struct disc_item *t = &d->plan.items[i];

		whole += t->taken == t->archives;
		newest = t->number > newest ? t->number : newest;
	}
	d->ret->bytes = d->read.bytes;
	digest_hex(d->read.sha256, DIGEST_LEN, d->ret->sha256);
	if (record_copies(d, err) ||
	    state_append(cfg->state, "disc-written",
		json_pack("{s:s, s:s, s:I, s:s, s:I, s:o}", "medium", d->stage.uuid, "operator",
		    cfg->operator, "bytes", (json_int_t)d->read.bytes, "sha256", d->ret->sha256, "files",
		    (json_int_t)d->plan.files.n, "parts", parts_json(d)),
		err) ||
	    state_append(cfg->state, "rotated",
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "medium", d->stage.uuid,
		    "operator", cfg->operator, "place", d->ret->place, "generations", (json_int_t)whole,
		    "newest", (json_int_t)newest, "copied", (json_int_t)whole, "bytes",
		    (json_int_t)d->read.bytes, "unfrozen", (json_int_t)0, "complete", 1),
		err) ||
	    journal_copies_copied(cfg->state, &d->stage.mark, uuids, 1, err))
		return -1;
	d->ret->verified = true;
	d->ret->left--;
	return 0;
}

static int make_disc(struct disc *d, struct err *err)
{
	json_t *members = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s}", "type", "optical", "path",
	    d->drive.path, "place", "", "offline", 1, "fs_uuid", d->fs_uuid, "serial", "", "store",
	    d->fs_uuid, "shows", d->drive.optical ? "optical" : "");
	struct err why = ERR_INIT;
	int r;

	d->stage = (struct disc_stage){.state = d->cfg->state,
	    .policy = d->cfg->policy,
	    .docs = d->cfg->docs,
	    .label = d->ret->label,
	    .items = d->plan.items,
	    .n = d->plan.n};
	r = disc_stage_open(&d->stage, members, &why) || write_and_read(d, &why) || record_disc(d, &why) ? -1
													 : 0;

	if (r && *d->stage.uuid && retire(d, d->stage.uuid, why.msg, NULL))
		err_wrap(&why, "%s", text("and that could not be recorded"));
	disc_stage_close(&d->stage);
	d->ret->docs_why = d->stage.docs_why;
	if (r) {
		err_wrap(&why, text("disc '%s' does not count"), d->ret->label);
		if (err)
			*err = why;
	}
	return r;
}

/* As a rotation is: what is kept offline is the last that an attacker may reach. */
static int refuse_while_suspect(const struct disc *d, struct err *err)
{
	if (!ledger_frozen_by(state_ledger(d->cfg->state)) || !d->cfg->policy->stop_while_suspect)
		return 0;
	err_set(err, "E-GUARD-02", "%s",
	    text("a generation is suspect and nobody has decided on it: no disc is written"));
	return err_hint(err, "%s", text("see 'bkp generations', then 'bkp accept' or 'bkp hold'"));
}

int disc_run(const struct disc_config *cfg, struct disc_result *ret, struct err *err)
{
	struct disc d = {.cfg = cfg, .ret = ret};
	struct clock_stamp now;
	int r;

	memset(ret, 0, sizeof(*ret));
	clock_now(&now);
	r = refuse_while_suspect(&d, err) || disc_series(&d, err) || disc_probe(cfg->drive, &d.drive, err) ||
	    disc_open_sources(&d, err);
	if (!r) {
		name_disc(&d, now.wall_ns);
		r = make_plan(&d, err);
	}
	if (!r && !cfg->dry_run)
		r = retire_broken(&d, err) || check_sources(&d, err) || make_disc(&d, err);
	for (size_t i = 0; i < d.n_sources; i++)
		medium_close(d.sources[i]);
	free(d.sources);
	ret->items = d.plan.items; /* the caller's now */
	d.plan.items = NULL;
	disc_plan_free(&d.plan);
	return r ? -1 : 0;
}

void disc_result_free(struct disc_result *r)
{
	free(r->items);
	r->items = NULL;
}
