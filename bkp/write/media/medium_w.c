/* medium_w: see medium_w.h.
 *
 * The commit is bkp-medium.json: a folder without it is no medium, whatever else is in it.  The repository's files,
 * the keys and the signature are durable before it gets its name.  Files of another repository, or other bytes under
 * our names, are never replaced. */
#include "write/media/medium_w.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "write/media/journal_copies.h"
#include "write/put/store_w.h"
#include "write/state/state.h"

#define SHOW 256
#define PATH 128

/* The medium being made. */
struct making {
	const struct state *state;
	const char *path, *label, *type;
	int64_t first_ns; /* when it was registered; 0: now */
	struct store root;
};

static int cannot_write(const struct making *m, struct err *err)
{
	char show[SHOW];

	err_wrap(err, text("cannot make '%s' a medium"), path_show(m->path, show, sizeof(show)));
	if (err)
		snprintf(err->code, sizeof(err->code), "%s", "E-MEDIA-12");
	return err_hint(
	    err, "%s", text("see that it is mounted for writing and not full, then run the command again"));
}

/* What is there now. 0: a place to begin with, MEDIUM_W_FOUND, -1. */
static int look_at_place(const struct making *m, char ret_uuid[JOURNAL_UUID], struct err *err)
{
	char show[SHOW], label[SHOW];
	struct medium_expect want = {.repository = state_repository(m->state)};
	struct medium *found = NULL;
	int r;

	want.keys = state_keys(m->state, &want.n_keys);
	r = medium_open(m->path, &want, &found, err);
	if (r == MEDIUM_ABSENT)
		return 0;
	if (r)
		return -1;
	if (strcmp(medium_label(found), m->label) != 0 || strcmp(medium_type(found), m->type) != 0) {
		err_set(err, "E-MEDIA-13", text("'%s' is registered already as '%s' of type '%s'"),
		    path_show(m->path, show, sizeof(show)),
		    path_show(medium_label(found), label, sizeof(label)), medium_type(found));
		medium_close(found);
		return err_hint(err, "%s", text("use that name and type in the policy, or another medium"));
	}
	memcpy(ret_uuid, medium_uuid(found), JOURNAL_UUID);
	medium_close(found);
	return MEDIUM_W_FOUND;
}

/* In the repository's folder. */
static const char *path_of(const struct making *m, const char *name, char path[PATH])
{
	snprintf(path, PATH, "%s/%s", state_repository(m->state), name);
	return path;
}

/* Their names become durable with what is put beside them. */
static int make_folders(const struct making *m, struct err *err)
{
	static const char *const names[] = {"datasets", "journal", "tmp"};
	char path[PATH];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (store_w_make_folder(&m->root, path_of(m, names[i], path), err))
			return -1;
	return 0;
}

/* A file of the repository: written, or there already with the same bytes. */
static int put_file(const struct making *m, const char *name, enum state_file which, struct err *err)
{
	BUF_AUTO there = BUF_INIT(REPOSITORY_MAX);
	size_t n;
	const uint8_t *p = state_file(m->state, which, &n);
	char show[SHOW], path[PATH];
	int r = store_read(&m->root, path_of(m, name, path), &there, err);

	if (!r && (there.n != n || memcmp(there.p, p, n) != 0)) {
		err_set(err, "E-MEDIA-11", text("'%s' on '%s' is not the one of this repository"), name,
		    path_show(m->path, show, sizeof(show)));
		return err_hint(err, "%s", text("use an empty medium"));
	}
	if (r == STORE_ABSENT)
		r = store_w_add(&m->root, path, p, n, err);
	return r ? cannot_write(m, err) : 0;
}

static int sign_identity(
    const struct making *m, const char *uuid, struct buf *json, struct buf *sig, struct err *err)
{
	char comment[MINISIG_COMMENT_MAX], time[CLOCK_TEXT], *s = NULL;
	struct clock_stamp now;
	json_t *o;
	int r;

	clock_now(&now);
	if (m->first_ns)
		now.wall_ns = m->first_ns;
	o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "format", 1, "kind", "bkp-medium", "repository",
	    state_repository(m->state), "medium", uuid, "label", m->label, "type", m->type, "first_use",
	    clock_format(now.wall_ns, time));
	if (o)
		s = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!s)
		return err_nomem(err);
	r = buf_printf(json, err, "%s\n", s);
	free(s);
	return r || minisig_sign(state_signing(m->state), json->p, json->n,
			repository_comment("medium", state_repository(m->state), comment), sig, err)
		   ? -1
		   : 0;
}

/* The signature first; the file that makes the place a medium last, and whole. */
static int put_identity(const struct making *m, const char *uuid, struct err *err)
{
	BUF_AUTO json = BUF_INIT(MEDIUM_MAX);
	BUF_AUTO sig = BUF_INIT(MEDIUM_MAX);

	if (sign_identity(m, uuid, &json, &sig, err))
		return -1;
	return store_w_replace(&m->root, MEDIUM_SIG, 0444, sig.p, sig.n, err) ||
		       store_w_add(&m->root, MEDIUM_JSON, json.p, json.n, err)
		   ? cannot_write(m, err)
		   : 0;
}

static int put_repository(const struct making *m, struct err *err)
{
	STORE_AUTO repo = {0};

	if (make_folders(m, err))
		return cannot_write(m, err);
	if (put_file(m, REPOSITORY_JSON, STATE_REPOSITORY_JSON, err) ||
	    put_file(m, REPOSITORY_SIG, STATE_REPOSITORY_SIG, err) ||
	    put_file(m, REPOSITORY_AGE, STATE_REPOSITORY_AGE, err))
		return -1;
	/* the identity may be signed with any epoch's key: that key is known first */
	if (store_below(&m->root, state_repository(m->state), &repo, err) ||
	    journal_copies_put_keys(m->state, &repo, NULL, err))
		return cannot_write(m, err);
	/* those that were there, too: a dead run may have brought them */
	return store_w_settle(&repo, REPOSITORY_JSON, err) ? cannot_write(m, err) : 0;
}

static int write_all(const struct making *m, const char *uuid, struct err *err)
{
	return put_repository(m, err) ? -1 : put_identity(m, uuid, err);
}

/* Our own readers must see what was written as a medium. */
static int check_written(const struct making *m, const char *uuid, struct err *err)
{
	struct medium_expect want = {
	    .repository = state_repository(m->state), .uuid = uuid, .label = m->label};
	struct medium *found;

	want.keys = state_keys(m->state, &want.n_keys);
	if (medium_open(m->path, &want, &found, err))
		return -1;
	medium_close(found);
	return 0;
}

int medium_w_register(const struct state *s, const char *path, const char *label, const char *type,
    char ret_uuid[JOURNAL_UUID], struct err *err)
{
	struct making m = {.state = s, .path = path, .label = label, .type = type};
	char uuid[JOURNAL_UUID], show[SHOW];
	int r;

	if (store_open_place(path, &m.root, NULL)) {
		err_sys(err, "E-MEDIA-10", errno, text("the folder '%s' of the medium cannot be opened"),
		    path_show(path, show, sizeof(show)));
		return err_hint(err, "%s", text("attach and mount the medium, and make the folder on it"));
	}
	r = look_at_place(&m, uuid, err);
	/* the one that wrote it may have died before it was durable */
	if (r == MEDIUM_W_FOUND && store_w_settle(&m.root, MEDIUM_JSON, err))
		r = -1;
	if (!r) {
		state_uuid(uuid);
		r = write_all(&m, uuid, err) || check_written(&m, uuid, err) ? -1 : 0;
	}
	store_close(&m.root);
	if (r >= 0)
		memcpy(ret_uuid, uuid, JOURNAL_UUID);
	return r;
}

int medium_w_mend(const struct state *s, const struct medium *m, struct err *err)
{
	const struct making k = {.state = s,
	    .path = medium_path(m),
	    .label = medium_label(m),
	    .type = medium_type(m),
	    .root = *medium_store(m)}; /* the medium's own */

	return put_repository(&k, err);
}

/* Does what stands there say which medium it is?  README.txt names it, too. */
static bool names_medium(const struct store *root, const char *uuid)
{
	static const char *const files[] = {MEDIUM_JSON, "README.txt"};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		BUF_AUTO b = BUF_INIT((size_t)1 << 20);

		if (!store_read(root, files[i], &b, NULL) && b.n && memmem(b.p, b.n, uuid, strlen(uuid)))
			return true;
	}
	return false;
}

int medium_w_identity(const struct state *s, const char *path, const char *uuid, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(s), uuid);
	struct making m = {
	    .state = s, .path = path, .label = lm->label, .type = lm->type, .first_ns = lm->added_ns};
	STORE_AUTO root = {0};
	STORE_AUTO repo = {0};
	BUF_AUTO json = BUF_INIT(MEDIUM_MAX);
	BUF_AUTO sig = BUF_INIT(MEDIUM_MAX);

	if (store_open_place(path, &root, NULL) || store_below(&root, state_repository(s), &repo, NULL) ||
	    !names_medium(&root, uuid))
		return MEDIUM_W_UNKNOWN;
	if (sign_identity(&m, uuid, &json, &sig, err) ||
	    store_w_replace(&root, MEDIUM_SIG, 0444, sig.p, sig.n, err) ||
	    store_w_replace(&root, MEDIUM_JSON, 0444, json.p, json.n, err))
		return cannot_write(&m, err);
	return check_written(&m, uuid, err);
}
