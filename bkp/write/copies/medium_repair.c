/* medium_repair: see medium_repair.h.
 *
 * First what belongs to no generation (mend_around(): facts of the repository, keys, journal, papers), because
 * without it the medium cannot be read as a repository.  Then each generation: looked at from the device
 * (look_at()), its archives mended from their parity (mend_archives()), then from each source that vouches for itself (bring_from()), then
 * block by block from all, looked at again, recorded. */
#include "write/copies/medium_repair.h"
#include "write/media/attendance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/parity/parity.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "read/verify/inventory.h"
#include "read/verify/verify.h"
#include "write/copies/mirror.h"
#include "write/media/journal_copies.h"
#include "write/media/medium_docs.h"
#include "write/parity/parity_mend.h"
#include "write/parity/parity_watch.h"
#include "write/put/store_w.h"
#include "write/state/state.h"
#include "write/reap/reap.h"
#include "write/pack/vault_w.h"

#define RECORDED  100 /* paths in a record */
#define PATHS	  512
#define MEDIA_MAX 64

struct mending {
	const struct mend *m;
	struct vault_w *vault;
	const struct ledger_generation *g; /* the current one */
	json_t *files;			   /* mended: paths from the medium's folder, the first of them */
	size_t n_files;			   /* all of them */
	size_t by[MEND_HOWS];		   /* of these */
	struct parity_watch *parity;
	json_t *strays;		      /* what belongs to no generation and is not as it must be */
	json_t *bad;		      /* of it: paths to reasons */
	bool unread;		      /* all of them: nothing is known of them */
	uint64_t faults, read, bytes; /* of it when it was looked at last */
	json_t *said;		      /* archives that could not be mended, each named once */
	bool proof;		      /* of them one is signed anew: nothing is written over it */
	bool stale;		      /* what was found bad before is not any more */
};

static struct vault_r *open_reader(const struct mending *w, const struct medium *m, struct err *err)
{
	const struct ledger *l = state_ledger(w->m->state);
	struct vault_r *v = NULL;

	return vault_r_open_medium(m, ledger_repository(l), ledger_root(l), &v, err) ? NULL : v;
}

static void say_mended(struct mending *w, const char *path, enum mend_how how, const char *from)
{
	w->n_files++;
	w->by[how]++;
	if (json_array_size(w->files) < RECORDED)
		json_array_append_new(w->files, json_string(path));
	w->m->mended(w->m->arg, path, how, from);
}

/* ---- what belongs to no generation ---- */

static void take_stray(void *arg, const char *file, enum inventory_kind kind, const struct err *why)
{
	char show[PATHS];

	json_object_set_new(arg, path_show(file, show, sizeof(show)),
	    json_pack("{s:s, s:s, s:s, s:i}", "code", why->code, "msg", why->msg, "hint", why->hint, "kind",
		(int)kind));
}

static json_t *look_around(const struct mending *w, struct err *err)
{
	struct vault_r *v = open_reader(w, w->m->medium, err);
	json_t *strays = v ? json_object() : NULL;

	if (strays && inventory_check(medium_store(w->m->medium), v, true, take_stray, strays, err)) {
		json_decref(strays);
		strays = NULL;
	}
	vault_r_close(v);
	return strays;
}

/* Byte for byte what this host has. */
static int put_facts(struct mending *w, struct err *err)
{
	static const struct {
		const char *name;
		enum state_file which;
	} files[] = {{REPOSITORY_JSON, STATE_REPOSITORY_JSON}, {REPOSITORY_SIG, STATE_REPOSITORY_SIG},
	    {REPOSITORY_AGE, STATE_REPOSITORY_AGE}};
	char path[PATHS];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		BUF_AUTO there = BUF_INIT(REPOSITORY_MAX);
		size_t n;
		const uint8_t *p = state_file(w->m->state, files[i].which, &n);

		if (!store_read(medium_repo(w->m->medium), files[i].name, &there, NULL) && there.n == n &&
		    !memcmp(there.p, p, n))
			continue;
		if (store_w_replace(medium_repo(w->m->medium), files[i].name, 0444, p, n, err))
			return -1;
		snprintf(path, sizeof(path), "%s/%s", state_repository(w->m->state), files[i].name);
		say_mended(w, path, MEND_HOST, NULL);
	}
	return 0;
}

struct aside {
	const struct mending *w;
	struct store_file *ours;
};

/* Each segment that is not what stands here keeps its bytes under another name. */
static int each_segment(void *arg, const char *name, struct err *err)
{
	const struct aside *a = arg;
	const struct store *repo = medium_repo(a->w->m->medium);
	const uint32_t number = journal_segment_number(name);
	BUF_AUTO theirs = BUF_INIT(JOURNAL_SEGMENT_MAX);
	BUF_AUTO ours = BUF_INIT(JOURNAL_SEGMENT_MAX);
	char from[64], to[64];
	ssize_t n = 0;

	if (!number)
		return 0;
	snprintf(from, sizeof(from), JOURNAL_DIR "/%s", name);
	snprintf(to, sizeof(to), JOURNAL_DIR "/damaged-%ju-%06u",
	    (uintmax_t)ledger_seq(state_ledger(a->w->m->state)), number);
	if (!store_read(repo, from, &theirs, NULL) && number <= segments_count(a->ours)) {
		if (buf_reserve(&ours, theirs.n, err))
			return -1;
		n = store_read_full(a->ours, ours.p, theirs.n, (int64_t)segments_start(a->ours, number));
		if (n == (ssize_t)theirs.n && !memcmp(ours.p, theirs.p, theirs.n) &&
		    segments_start(a->ours, number) + theirs.n <= segments_start(a->ours, number + 1))
			return 0;
	}
	return store_w_set_aside(repo, from, to, err);
}

/* A copy that is no journal any more is kept, under other names; another history stays what it is. */
static int put_aside(struct mending *w, struct store_file *ours, bool *ret_mended, struct err *err)
{
	struct journal_copies_finding found;
	struct aside a = {w, ours};

	if (journal_copies_check(w->m->state, w->m->medium, &found, err))
		return -1;
	if (!strcmp(found.found, "rolled-back")) {
		if (err)
			*err = found.why;
		return -1;
	}
	*ret_mended = !strcmp(found.found, "forked");
	if (!*ret_mended)
		return 0;
	if (journal_copies_is_signed(w->m->state, w->m->medium)) {
		if (err)
			*err = found.why;
		return -1;
	}
	return store_list(medium_repo(w->m->medium), JOURNAL_DIR, each_segment, &a, err);
}

static int put_journal(struct mending *w, struct err *err)
{
	STORE_FILE_AUTO ours = {0};
	const char *uuid = medium_uuid(w->m->medium);
	struct journal_copies_mark mark;
	bool mended;

	journal_copies_mark(w->m->state, &mark);
	if (state_journal(w->m->state, &ours, err) || put_aside(w, &ours, &mended, err) ||
	    vault_w_put_journal(w->vault, &ours, ledger_size(state_ledger(w->m->state)), mended, err))
		return -1;
	return journal_copies_copied(w->m->state, &mark, &uuid, 1, err);
}

/* Parity comes to be again when its archive is read: judged after that. */
static bool is_parity(const struct mending *w, const char *file)
{
	const size_t n = strlen(state_repository(w->m->state));

	return strlen(file) > n && !strncmp(file + n, "/" PARITY_DIR "/", strlen(PARITY_DIR) + 2);
}

/* parity: of these, or of all others. */
static void say_strays(struct mending *w, json_t *before, json_t *after, bool parity)
{
	const char *file;
	json_t *value;

	json_object_foreach(
	    before, file, value) if (is_parity(w, file) == parity && !json_object_get(after, file))
	    say_mended(w, file, MEND_HOST, NULL);
	json_object_foreach(after, file, value)
	{
		struct err why = ERR_INIT;

		if (is_parity(w, file) != parity)
			continue;

		err_set(&why, json_string_value(json_object_get(value, "code")), "%s",
		    json_string_value(json_object_get(value, "msg")));
		if (json_string_length(json_object_get(value, "hint")))
			err_hint(&why, "%s", json_string_value(json_object_get(value, "hint")));
		w->m->left(w->m->arg, file,
		    (enum inventory_kind)json_integer_value(json_object_get(value, "kind")), &why);
	}
}

static int mend_around(struct mending *w, struct err *err)
{
	json_t *before, *after = NULL;
	struct medium_docs_result docs;
	struct err why = ERR_INIT;
	int r = put_facts(w, err); /* without these there is no repository to read */

	before = r ? NULL : look_around(w, err);
	if (!before)
		return -1;
	if (journal_copies_put_keys(w->m->state, medium_repo(w->m->medium), NULL, &why))
		w->m->left(w->m->arg, REPOSITORY_LINKS, INVENTORY_NEEDED, &why);
	why = (struct err)ERR_INIT;
	if (put_journal(w, &why))
		w->m->left(w->m->arg, JOURNAL_DIR "/", INVENTORY_TEXT, &why);
	why = (struct err)ERR_INIT;
	r = medium_docs_put(w->m->state, w->m->policy, w->m->medium, w->m->docs, &docs, NULL, &why, err);
	if (!r && why.code[0])
		w->m->left(w->m->arg, MEDIUM_DOCS_TOOLS, INVENTORY_TEXT, &why);
	after = r ? NULL : look_around(w, err);
	if (after)
		say_strays(w, before, after, false);
	json_decref(before);
	w->strays = after;
	return after ? 0 : -1;
}

static int mend_parity(struct mending *w, struct err *err)
{
	json_t *before = w->strays, *after = NULL;
	bool any = false;
	const char *file;
	json_t *value;

	json_object_foreach(before, file, value) any |= is_parity(w, file);
	if (any)
		after = look_around(w, err);
	if (after)
		say_strays(w, before, after, true);
	json_decref(after);
	return any && !after ? -1 : 0;
}

/* ---- generations ---- */

static void take_fault(void *arg, const struct verify_fault *f)
{
	struct mending *w = arg;

	w->proof |= f->err->kind == ERR_SIGNED_ANEW;
	json_object_set_new(w->bad, f->file ? f->file : "", json_string(f->err->code));
}

/* w->bad is filled. */
static int look_at(struct mending *w, struct verify_seen *seen, struct err *err)
{
	struct verify_callbacks cb = {take_fault, NULL, w};
	struct verify_options opt = {
	    .from_device = true, .seen = seen, .watch = parity_watch_hook(w->parity)};
	struct verify_result res = {0};
	struct verify_record reported;
	struct vault_r *v = open_reader(w, w->m->medium, err);
	int r = -1;

	json_object_clear(w->bad);
	w->proof = false;
	if (ledger_generation_record(state_ledger(w->m->state), w->g->dataset, w->g->number, &reported))
		opt.record = &reported;
	if (v)
		r = verify_generation(v, w->g->dataset, w->g->number, &opt, &cb, &res, err);
	vault_r_close(v);
	w->unread = res.faults && res.faults == res.unread;
	w->faults = res.faults;
	w->read = res.files;
	w->bytes = res.bytes;
	return r;
}

/* Is the source's generation the one that was reported, with its documents whole? */
static bool source_vouches(const struct mending *w, const struct medium *source)
{
	struct vault_r_generation *g = NULL;
	struct vault_r *v = open_reader(w, source, NULL);
	struct verify_record reported;
	bool good =
	    v &&
	    ledger_generation_record(state_ledger(w->m->state), w->g->dataset, w->g->number, &reported) &&
	    !vault_r_generation_open(v, w->g->dataset, w->g->number, &g, NULL) &&
	    !verify_is_another(&reported, g, "", NULL) && !verify_is_later(&reported, g, "", NULL);

	vault_r_generation_close(g);
	vault_r_close(v);
	return good;
}

/* "datasets/emr/archives/ab/ab12….age": the hash in it.  False: it is no archive. */
static bool archive_of(const char *path, uint8_t ret[DIGEST_LEN])
{
	/* behind the data set's name: that may be "archives" */
	const char *set = strchr(path, '/'), *rest = set ? strchr(set + 1, '/') : NULL;
	const char *name = rest && !strncmp(rest, "/archives/", 10) ? rest : NULL;

	return name && strlen(name) >= 13 + (size_t)2 * DIGEST_LEN &&
	       digest_unhex(name + 13, DIGEST_LEN, ret);
}

/* Those of the archives that are bad and that the source has whole. */
static int clear_archives(struct mending *w, const struct medium *source, struct err *err)
{
	const char *path;
	json_t *code;

	json_object_foreach(w->bad, path, code)
	{
		uint8_t sha256[DIGEST_LEN];
		int r;

		if (!archive_of(path, sha256) ||
		    verify_file(medium_repo(source), path, sha256, false, NULL, NULL))
			continue;
		r = mirror_archive(medium_repo(source), w->vault, w->g->dataset, sha256, true, err);
		if (r < 0)
			return -1;
		/* it was whole a moment ago; the next source may have it */
		if (r && err)
			*err = (struct err)ERR_INIT;
	}
	return 0;
}

static int bring_from(struct mending *w, const struct medium *source, struct err *err)
{
	struct mirror_generation g = {.repository = state_repository(w->m->state),
	    .dataset = w->g->dataset,
	    .number = w->g->number,
	    .uuid = w->g->uuid,
	    .epoch = w->g->epoch,
	    .manifest_sha256 = w->g->manifest_sha256,
	    .replace = true};
	uint64_t files = 0;

	g.keys = state_keys(w->m->state, &g.n_keys);
	if (clear_archives(w, source, err))
		return -1;
	if (!source_vouches(w, source))
		return 0;
	/* what the source lacks another one may have */
	return mirror_generation(medium_repo(source), w->vault, &g, &files, err) < 0 ? -1 : 0;
}

/* What was bad before and is not any more came from there. */
static void say_generation(struct mending *w, json_t *before, enum mend_how how, const char *from)
{
	char path[PATHS];
	const char *file;
	json_t *code;

	json_object_foreach(before, file, code)
	{
		if (json_object_get(w->bad, file))
			continue;
		w->stale = true;
		snprintf(path, sizeof(path), "%s/%s", state_repository(w->m->state), file);
		say_mended(w, path, how, from);
	}
}

static int record_generation(struct mending *w, struct err *err)
{
	if (w->faults)
		return state_append(w->m->state, "verify-failed",
		    json_pack("{s:s, s:s, s:I, s:s}", "medium", medium_uuid(w->m->medium), "dataset",
			w->g->dataset, "generation", (json_int_t)w->g->number, "reason",
			"bkp repair could not mend it"),
		    err);
	return state_append(w->m->state, "verified",
	    json_pack("{s:s, s:[{s:s, s:I, s:I, s:I}]}", "medium", medium_uuid(w->m->medium), "generations",
		"dataset", w->g->dataset, "generation", (json_int_t)w->g->number, "files",
		(json_int_t)w->read, "bytes", (json_int_t)w->bytes),
	    err);
}

static void say_left(struct mending *w, bool proof)
{
	uint8_t sha256[DIGEST_LEN];
	char path[PATHS];
	const char *file;
	json_t *code;

	json_object_foreach(w->bad, file, code)
	{
		struct err why = ERR_INIT;

		/* each generation that rests on it finds it again */
		if (archive_of(file, sha256)) {
			if (json_object_get(w->said, file))
				continue;
			json_object_set_new(w->said, file, json_true());
		}
		snprintf(path, sizeof(path), "%s/%s", state_repository(w->m->state), file);
		if (proof)
			err_set(&why, "E-MEND-02",
			    text("'%s' is not the one that was reported: it stays, as the proof"), path);
		else if (w->unread)
			err_set(&why, "E-MEND-03",
			    text("'%s' could not be read, and no other attached medium holds it whole"),
			    path);
		else
			err_set(&why, "E-MEND-01",
			    text("'%s' is damaged, and no other attached medium holds it whole"), path);
		err_hint(&why, "%s",
		    text("attach another medium that has this generation, and repeat the command"));
		w->m->left(w->m->arg, path, w->unread && !proof ? INVENTORY_UNREAD : INVENTORY_NEEDED, &why);
	}
}

static int bring_from_all(struct mending *w, struct err *err)
{
	for (size_t i = 0; i < w->m->n_sources && json_object_size(w->bad); i++) {
		const struct medium *source = w->m->sources[i];
		json_t *before;

		if (source == w->m->medium)
			continue;
		before = json_deep_copy(w->bad);
		if (!before || bring_from(w, source, err) || look_at(w, NULL, err)) {
			json_decref(before);
			return before ? -1 : err_nomem(err);
		}
		say_generation(w, before, MEND_MEDIUM, medium_label(source));
		json_decref(before);
	}
	return 0;
}

/* The archives that are bad, from parity: this medium's alone, or with all that the others have. */
static int mend_archives(struct mending *w, enum mend_how how, struct err *err)
{
	const struct store *repos[MEDIA_MAX] = {medium_repo(w->m->medium)};
	json_t *before = json_deep_copy(w->bad);
	bool any = false;
	const char *path;
	json_t *code;
	size_t n = 1;
	int r = before ? 0 : err_nomem(err);

	for (size_t i = 0; how == MEND_SEVERAL && i < w->m->n_sources && n < MEDIA_MAX; i++)
		if (w->m->sources[i] != w->m->medium)
			repos[n++] = medium_repo(w->m->sources[i]);
	json_object_foreach(before, path, code)
	{
		uint8_t sha256[DIGEST_LEN];
		struct err why = ERR_INIT;
		int lost;

		if (r || (n == 1 && how == MEND_SEVERAL) || !archive_of(path, sha256))
			continue;
		lost = parity_mend(w->vault, repos, n, w->g->dataset, sha256, &why);
		any |= !lost;
		if (lost < 0 && err)
			*err = why;
		r = lost < 0 ? -1 : 0;
	}
	if (!r && any)
		r = look_at(w, NULL, err);
	if (!r && any)
		say_generation(w, before, how, NULL);
	json_decref(before);
	return r;
}

/* Which archives are bad may be known only when a list was brought. */
static int mend_in_all_ways(struct mending *w, struct err *err)
{
	return mend_archives(w, MEND_PARITY, err) || bring_from_all(w, err) ||
		       mend_archives(w, MEND_PARITY, err) || mend_archives(w, MEND_SEVERAL, err)
		   ? -1
		   : 0;
}

static int mend_generation(struct mending *w, struct verify_seen *seen, struct err *err)
{
	json_t *found;
	bool proof, again;
	int r = 0;

	if (look_at(w, seen, err))
		return -1;
	if (!w->faults)
		return 0;
	proof = w->proof;
	found = json_deep_copy(w->bad);
	if (!found)
		return err_nomem(err);
	if (!proof)
		r = mend_in_all_ways(w, err);
	/* which archives are bad is only known when the documents that list them are whole again, and any
	 * source may have them */
	again = !r && !proof && !json_equal(found, w->bad);
	json_decref(found);
	if (again)
		r = mend_in_all_ways(w, err);
	if (r)
		return r;
	say_left(w, proof);
	return w->unread ? 0 : record_generation(w, err);
}

static bool is_there(const struct ledger_generation *g, const char *medium)
{
	const struct ledger_copy *c = ledger_copy_there(g, medium);

	return c && !c->expired_ns;
}

static int mend_generations(struct mending *w, struct err *err)
{
	const struct ledger *l = state_ledger(w->m->state);
	size_t n = ledger_generations(l);
	struct verify_seen *seen = verify_seen_new();
	int r = seen ? 0 : err_nomem(err);

	w->bad = json_object();
	w->said = json_object();
	for (size_t i = 0; i < n && !r; i++) {
		w->g = ledger_generation(l, i);
		if (is_there(w->g, medium_uuid(w->m->medium)))
			r = mend_generation(w, seen, err);
		/* what one generation got, the others list as well */
		if (!r && w->stale) {
			w->stale = false;
			verify_seen_free(seen);
			seen = verify_seen_new();
			r = seen ? 0 : err_nomem(err);
		}
	}
	json_decref(w->bad);
	json_decref(w->said);
	verify_seen_free(seen);
	return r;
}

/* What mends it the next time. */
static void say_parity(const struct mending *w)
{
	const struct err *why;
	struct err said;

	if (!w->parity)
		return;
	(void)parity_watch_written(w->parity, &why);
	if (!why->code[0])
		return;
	parity_watch_say(why, medium_label(w->m->medium), &said);
	w->m->left(w->m->arg, PARITY_DIR "/", INVENTORY_TEXT, &said);
}

int medium_repair_run(const struct mend *m, struct err *err)
{
	struct mending w = {.m = m,
	    .files = json_array(),
	    .parity = parity_watch_new(medium_repo(m->medium), m->policy->parity)};
	int r = w.parity ? vault_w_open(medium_repo(m->medium), &w.vault, err) : err_nomem(err);

	if (m->identity)
		say_mended(&w, m->identity, MEND_HOST, NULL);
	if (!r)
		r = attendance_arrived(m->state, medium_uuid(m->medium), NULL, err) || mend_around(&w, err) ||
			    mend_generations(&w, err) || mend_parity(&w, err)
			? -1
			: 0;
	/* also what was written before it failed */
	if (json_array_size(w.files) &&
	    state_append(m->state, "repaired",
		json_pack("{s:s, s:O, s:I, s:I, s:I}", "medium", medium_uuid(m->medium), "files", w.files,
		    "count", (json_int_t)w.n_files, "parity", (json_int_t)w.by[MEND_PARITY], "several",
		    (json_int_t)w.by[MEND_SEVERAL]),
		r ? NULL : err))
		r = -1;
	say_parity(&w);
	parity_watch_free(w.parity);
	vault_w_close(w.vault);
	json_decref(w.files);
	json_decref(w.strays);
	return r;
}
