/* medium: see medium.h.
 *
 * Order of the checks, because it decides what a person is told: is there an identity at all; is it one of
 * format 1; of which repository (a medium of another one cannot be verified here, we have not its key); is it
 * signed, as a medium of this repository; is it the medium that was asked for.  identify_medium() parses the
 * JSON before the signature is checked; nothing of it is used before, but the repository's id in a message.
 */
#include "read/vault/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "read/store/store_dir.h"
#include "read/vault/repository.h"

#define SHOW 256 /* bytes of a name in a message */

struct medium {
	char *path;
	char *label;
	char type[16];
	char uuid[JOURNAL_UUID];
	char repository[JOURNAL_UUID];
	struct store store, repo;
};

/* 1 for a type the format knows, else 0. */
static int medium_is_type(const char *type)
{
	static const char *const types[] = {"hdd", "ssd", "rdx", "tape", "optical", "object"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i]))
			return 1;
	return 0;
}

void medium_close(struct medium *m)
{
	if (!m)
		return;
	store_close(&m->repo);
	store_close(&m->store);
	free(m->path);
	free(m->label);
	free(m);
}

static int say_forged(const char *path, const char *why, struct err *err)
{
	char show[SHOW];

	err_set_kind(err, ERR_FOREIGN, "E-MEDIA-03",
	    text("the identity of the medium at '%s' is not valid: %s"), path_show(path, show, sizeof(show)),
	    why);
	err_hint(err, "%s", text("do not use this medium; tell the person in charge of the system"));
	return MEDIUM_FORGED;
}

/* The members of the identity. 0, MEDIUM_FORGED: not an identity of format 1, -1: out of memory. */
static int fill_identity(struct medium *m, const json_t *o, struct err *err)
{
	int64_t first_use_ns;

	if (json_integer_value(json_object_get(o, "format")) != 1 ||
	    strcmp(journal_text(o, "kind"), "bkp-medium") != 0 ||
	    !journal_is_uuid(journal_text(o, "repository")) || !journal_is_uuid(journal_text(o, "medium")) ||
	    !*journal_text(o, "label") || !medium_is_type(journal_text(o, "type")) ||
	    clock_parse(journal_text(o, "first_use"), &first_use_ns))
		return MEDIUM_FORGED;
	memcpy(m->repository, journal_text(o, "repository"), sizeof(m->repository));
	memcpy(m->uuid, journal_text(o, "medium"), sizeof(m->uuid));
	snprintf(m->type, sizeof(m->type), "%s", journal_text(o, "type"));
	m->label = strdup(journal_text(o, "label"));
	return m->label ? 0 : err_nomem(err);
}

static int check_signature(const struct medium *m, const struct buf *json, const struct buf *sig,
    const struct medium_expect *want, struct err *err)
{
	char comment[MINISIG_COMMENT_MAX], said[MINISIG_COMMENT_MAX];
	struct err why = ERR_INIT;

	if (minisig_verify_one_of(
		want->keys, want->n_keys, json->p, json->n, (const char *)sig->p, sig->n, said, NULL, &why))
		return say_forged(m->path, why.msg, err);
	if (!strcmp(said, repository_comment("medium", m->repository, comment)))
		return 0;
	return say_forged(m->path, text("it carries the signature of something else"), err);
}

/* A registered medium of another repository, or not ours by its own words: said before any signature is
 * looked at, because we cannot have the other's key. */
static int check_repository(const struct medium *m, const struct medium_expect *want, struct err *err)
{
	char show[SHOW];

	if (!want->repository || !strcmp(want->repository, m->repository))
		return 0;
	err_set_kind(err, ERR_FOREIGN, "E-MEDIA-02",
	    text("the medium at '%s' belongs to another repository, %s"),
	    path_show(m->path, show, sizeof(show)), m->repository);
	err_hint(err, "%s", text("attach a medium of this repository, or use an empty one"));
	return MEDIUM_FOREIGN;
}

static int check_which(const struct medium *m, const struct medium_expect *want, struct err *err)
{
	char show[SHOW], label[SHOW], wanted[SHOW];

	if (!want->uuid || !strcmp(want->uuid, m->uuid))
		return 0;
	path_show(want->label ? want->label : want->uuid, wanted, sizeof(wanted));
	err_set_kind(err, ERR_FOREIGN, "E-MEDIA-04", text("'%s' holds medium '%s' (%s), not '%s' (%s)"),
	    path_show(m->path, show, sizeof(show)), path_show(m->label, label, sizeof(label)), m->uuid,
	    wanted, want->uuid);
	err_hint(err, text("attach '%s'"), wanted);
	return MEDIUM_OTHER;
}

static int say_absent(const char *path, const char *fmt, struct err *err)
{
	char show[SHOW];

	err_set(err, "E-MEDIA-01", "'%s': %s", path_show(path, show, sizeof(show)), fmt);
	err_hint(err, "%s",
	    text("attach and mount the medium; a new one is registered with 'bkp medium add NAME'"));
	return MEDIUM_ABSENT;
}

static int read_identity(struct medium *m, struct buf *json, struct buf *sig, struct err *err)
{
	int r = store_read(&m->store, MEDIUM_JSON, json, err);

	if (r == STORE_ABSENT)
		return say_absent(m->path, text("no registered medium is here; it may not be mounted"), err);
	if (r)
		return -1;
	r = store_read(&m->store, MEDIUM_SIG, sig, err);
	return r == STORE_ABSENT ? say_forged(m->path, text("it is not signed"), err) : r;
}

static int identify_medium(struct medium *m, const struct medium_expect *want, struct err *err)
{
	BUF_AUTO json = BUF_INIT(MEDIUM_MAX);
	BUF_AUTO sig = BUF_INIT(MEDIUM_MAX);
	json_error_t why;
	json_t *o;
	int r = read_identity(m, &json, &sig, err);

	if (r)
		return r;
	o = json.n ? json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &why) : NULL;
	r = o ? fill_identity(m, o, err) : MEDIUM_FORGED;
	json_decref(o);
	if (r < 0)
		return -1;
	if (r)
		return say_forged(m->path, text("it is malformed"), err);
	if ((r = check_repository(m, want, err)) || (r = check_signature(m, &json, &sig, want, err)))
		return r;
	r = check_which(m, want, err);
	/* its name is the journal's to say: what is signed on it is the first one it had */
	if (!r && want->uuid && want->label && strcmp(m->label, want->label) != 0) {
		free(m->label);
		m->label = strdup(want->label);
		r = m->label ? 0 : err_nomem(err);
	}
	return r;
}

static int open_repo(struct medium *m, struct err *err)
{
	char show[SHOW];

	if (!store_below(&m->store, m->repository, &m->repo, NULL))
		return 0;
	err_sys(err, "E-MEDIA-05", errno,
	    text("the repository's folder '%s' on the medium at '%s' cannot be opened"), m->repository,
	    path_show(m->path, show, sizeof(show)));
	err_kind(err, ERR_FOREIGN);
	return err_hint(
	    err, "%s", text("register the medium again with 'bkp medium add NAME', or use another one"));
}

int medium_open(const char *path, const struct medium_expect *want, struct medium **ret, struct err *err)
{
	struct medium *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return err_nomem(err);
	m->path = strdup(path);
	/* links are followed here, and only here: it is the administrator's own path, and the identity that
	 * is found there proves it */
	r = m->path ? store_dir_open(path, &m->store, err) : err_nomem(err);
	if (r == STORE_ABSENT)
		r = say_absent(path, text("there is no such folder"), err);
	else if (!r && !(r = identify_medium(m, want, err)))
		r = open_repo(m, err);
	if (r) {
		medium_close(m);
		return r;
	}
	*ret = m;
	return 0;
}

const char *medium_path(const struct medium *m)
{
	return m->path;
}

const char *medium_uuid(const struct medium *m)
{
	return m->uuid;
}

const char *medium_label(const struct medium *m)
{
	return m->label;
}

const char *medium_type(const struct medium *m)
{
	return m->type;
}

const char *medium_repository(const struct medium *m)
{
	return m->repository;
}

const struct store *medium_store(const struct medium *m)
{
	return &m->store;
}

const struct store *medium_repo(const struct medium *m)
{
	return &m->repo;
}

int medium_dirfd(const struct medium *m)
{
	return store_dir_fd(&m->store);
}

int medium_repo_dirfd(const struct medium *m)
{
	return store_dir_fd(&m->repo);
}
