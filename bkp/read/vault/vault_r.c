/* vault_r: see vault_r.h.  This file: the repository.  One generation: vault_r_gen.c; which there are:
 * vault_r_list.c. */
#include "read/vault/vault_r.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "read/store/store.h"
#include "read/vault/agefile.h"
#include "read/vault/medium.h"
#include "read/vault/periods.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r_private.h"

/* Folders of the medium that are named like a repository. */
struct found {
	const struct store *medium;
	size_t n;
	char first[GENERATION_UUID];
	struct buf names; /* for the message when there are several */
};

static int note_repository(void *arg, const char *name, struct err *err)
{
	struct found *f = arg;
	STORE_AUTO below = {0};

	if (!journal_is_uuid(name))
		return 0;
	if (store_below(f->medium, name, &below, NULL))
		return 0;
	if (!f->n++)
		snprintf(f->first, sizeof(f->first), "%s", name);
	/* a message holds no more than a few; a hostile medium may have thousands */
	return f->n > 8 ? 0 : buf_printf(&f->names, err, "%s%s", f->n > 1 ? ", " : "", name);
}

static int choose_repository(
    const struct store *medium, const char *wanted, char ret[GENERATION_UUID], struct err *err)
{
	struct found f = {.medium = medium, .names = BUF_INIT(4096)};
	int r = store_list(medium, "", note_repository, &f, err);

	if (!r)
		r = buf_terminate(&f.names, err);
	if (!r && !f.n) {
		r = err_set(err, "E-VAULT-01", "%s", text("there is no repository on this medium"));
		err_hint(err, "%s", text("give --medium the folder that holds bkp-medium.json"));
	} else if (!r && wanted && (!journal_is_uuid(wanted) || !strstr((char *)f.names.p, wanted)) &&
		   f.n <= 8) {
		r = err_set(err, "E-VAULT-01", text("repository '%s' is not on this medium; there is: %s"),
		    wanted, (char *)f.names.p);
	} else if (!r && !wanted && f.n > 1) {
		r = err_set(err, "E-VAULT-01", text("there are %zu repositories on this medium: %s"), f.n,
		    (char *)f.names.p);
		err_hint(err, "%s", text("choose one with --repository"));
	}
	if (!r)
		snprintf(ret, GENERATION_UUID, "%s", wanted ? wanted : f.first);
	buf_free(&f.names);
	return r;
}

/* The key that repository.json calls the root key has signed the file; it is compared with the one given. */
static int load_repository(struct vault_r *v, const char *root_key, struct err *err)
{
	struct minisig_public given;
	const struct minisig_public *keys;
	size_t n;

	if (root_key && minisig_public_parse(root_key, &given, err))
		return err_wrap(err, "%s", text("the root key that was given"));
	if (repository_load(&v->store, NULL, &v->repo, err))
		return -1;
	keys = repository_keys(v->repo, &n);
	minisig_public_format(&keys[0], v->root_key);
	if (root_key && memcmp(&keys[0], &given, sizeof(given)) != 0) {
		err_set(
		    err, "E-VAULT-03", text("the medium's root key is %s, not the one given"), v->root_key);
		return err_hint(err, "%s",
		    text("compare with the paper; if the paper is right, this medium is not from that site"));
	}
	if (repository_load_keys(v->repo, &v->store, err))
		return -1;
	v->compared = root_key != NULL;
	if (strcmp(repository_id(v->repo), v->id) != 0)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("folder '%s' holds repository '%s': it was copied or renamed"), v->id,
		    repository_id(v->repo));
	return 0;
}

/* Archives and generations stood directly below the repository once.  With datasets/ beside them they are somebody's
 * copy, or left over, and nobody's business here; so is the one file that was the journal, beside segments. */
static int check_layout(const struct vault_r *v, struct err *err)
{
	const bool alone = store_has(&v->store, "datasets") ||
			   (!store_has(&v->store, "generations") && !store_has(&v->store, "archives"));

	if (alone && (!store_has(&v->store, JOURNAL_DIR "/" JOURNAL_OLD) ||
			 store_has(&v->store, JOURNAL_DIR "/000001.jsonl")))
		return 0;
	err_set_kind(err, ERR_FOREIGN, "E-VAULT-11",
	    alone
		? text(
		      "repository '%s' is of a version whose journal was one file: this one does not read it")
		: text("repository '%s' is of a version in which data sets did not stand alone: this one "
		       "does not read it"),
	    v->id);
	return err_hint(err, "%s", text("use the bkp-restore that the medium carries in its folder 'tools'"));
}

int vault_r_open_at(const struct store *medium, const char *repository, const char *root_key,
    struct vault_r **ret, struct err *err)
{
	struct vault_r *v = calloc(1, sizeof(*v));

	if (!v)
		return err_nomem(err);
	if (choose_repository(medium, repository, v->id, err))
		goto fail;
	if (store_below(medium, v->id, &v->store, err) || load_repository(v, root_key, err) ||
	    check_layout(v, err))
		goto fail;
	*ret = v;
	return 0;
fail:
	vault_r_close(v);
	return -1;
}

int vault_r_open_medium(const struct medium *m, const char *repository, const struct minisig_public *root,
    struct vault_r **ret, struct err *err)
{
	char key[MINISIG_KEY_TEXT];

	return vault_r_open_at(
	    medium_store(m), repository, root ? minisig_public_format(root, key) : NULL, ret, err);
}

int vault_r_open(
    const char *medium, const char *repository, const char *root_key, struct vault_r **ret, struct err *err)
{
	STORE_AUTO store = {0};

	if (store_open_place(medium, &store, NULL))
		return err_sys(err, "E-VAULT-01", errno, text("cannot open medium '%s'"), medium);
	return vault_r_open_at(&store, repository, root_key, ret, err) ? err_wrap(err, "'%s'", medium) : 0;
}

void vault_r_close(struct vault_r *v)
{
	if (!v)
		return;
	store_close(&v->store);
	periods_free(v->periods);
	repository_free(v->repo);
	free(v);
}

void vault_r_throttle(struct vault_r *v, struct throttle *throttle)
{
	v->store.throttle = throttle;
}

const struct store *vault_r_store(const struct vault_r *v)
{
	return &v->store;
}

const char *vault_r_repository(const struct vault_r *v)
{
	return v->id;
}

const char *vault_r_site(const struct vault_r *v)
{
	return repository_site(v->repo);
}

const char *vault_r_root_key(const struct vault_r *v)
{
	return v->root_key;
}

bool vault_r_root_key_compared(const struct vault_r *v)
{
	return v->compared;
}

const struct repository *vault_r_facts(const struct vault_r *v)
{
	return v->repo;
}

const struct err *vault_r_keys_fault(const struct vault_r *v)
{
	return repository_keys_fault(v->repo);
}

int vault_r_verify_signature(const struct vault_r *v, const void *msg, size_t n, const char *sig, size_t sn,
    char ret_comment[MINISIG_COMMENT_MAX], uint32_t *ret_epoch, struct err *err)
{
	const struct err *fault = repository_keys_fault(v->repo);
	const struct minisig_public *keys;
	size_t nkeys, which;

	keys = repository_keys(v->repo, &nkeys);
	if (minisig_verify_one_of(keys, nkeys, msg, n, sig, sn, ret_comment, &which, err)) {
		if (repository_more_keys(v->repo, &v->store, NULL) == 1)
			return vault_r_verify_signature(v, msg, n, sig, sn, ret_comment, ret_epoch, err);
		if (err && err_is_unread(fault)) /* it may be one of the keys that could not be read */
			*err = *fault;
		else if (fault->code[0])
			err_hint(err, "%s", fault->msg);
		return -1;
	}
	if (ret_epoch)
		*ret_epoch = (uint32_t)which + 1;
	return 0;
}

const struct periods *vault_r_periods(struct vault_r *v, struct err *err)
{
	size_t n;

	if (!v->periods &&
	    periods_load(&v->store, v->id, repository_keys(v->repo, &n), NULL, &v->periods, err))
		return NULL;
	return v->periods;
}

int vault_r_unlock(
    struct vault_r *v, struct keyring *k, const struct keyring_passphrase *pass, struct err *err)
{
	return vault_r_periods(v, err) ? periods_unlock(v->periods, &v->store, k, pass, err) : -1;
}

/* {"format":1,"kind":"bkp-repository-secrets",…} */
static int parse_secrets(const struct buf *plain, const char *repository, uint8_t ret_key[DIGEST_LEN])
{
	json_t *o = json_loadb((const char *)plain->p, plain->n, JSON_REJECT_DUPLICATES, NULL);
	const char *kind = json_string_value(json_object_get(o, "kind"));
	const char *of = json_string_value(json_object_get(o, "repository"));
	const char *hex = json_string_value(json_object_get(o, "chunk_id_key"));
	bool good = json_integer_value(json_object_get(o, "format")) == 1 && kind &&
		    !strcmp(kind, "bkp-repository-secrets") && of && !strcmp(of, repository) && hex &&
		    strlen(hex) == 2 * DIGEST_LEN && digest_unhex(hex, DIGEST_LEN, ret_key);

	json_decref(o);
	return good ? 0 : -1;
}

/* plain: its text, in memory that the caller wipes. */
static int open_secrets(struct vault_r *v, const struct age_identity *ids, size_t n, struct buf *plain,
    uint8_t ret_key[DIGEST_LEN], struct err *err)
{
	uint8_t sha256[DIGEST_LEN];
	STORE_FILE_AUTO file = {0};
	int r;

	if (store_open(&v->store, REPOSITORY_AGE, &file, err))
		return -1;
	r = agefile_slurp(&file, ids, n, plain, sha256, err);
	if (r)
		return err_wrap(err, "'%s'", REPOSITORY_AGE);
	if (memcmp(sha256, repository_secrets_sha256(v->repo), DIGEST_LEN) != 0)
		return err_set(
		    err, "E-VAULT-10", text("'%s' is not the file that was signed"), REPOSITORY_AGE);
	return parse_secrets(plain, v->id, ret_key)
		   ? err_set(err, "E-VAULT-10", text("'%s' is malformed or of another repository"),
			 REPOSITORY_AGE)
		   : 0;
}

int vault_r_secrets(
    struct vault_r *v, const struct age_identity *ids, size_t n, struct buf *plain, struct err *err)
{
	uint8_t key[DIGEST_LEN];
	int r = open_secrets(v, ids, n, plain, key, err);

	sodium_memzero(key, sizeof(key));
	return r;
}

int vault_r_chunk_id_key(
    struct vault_r *v, const struct age_identity *ids, size_t n, uint8_t ret_key[DIGEST_LEN], struct err *err)
{
	struct buf plain = BUF_INIT(VAULT_R_JSON_MAX);
	uint8_t key[DIGEST_LEN];
	int r = open_secrets(v, ids, n, &plain, key, err);

	if (!r)
		memcpy(ret_key, key, sizeof(key));
	if (plain.p)
		sodium_memzero(plain.p, plain.cap);
	buf_free(&plain);
	sodium_memzero(key, sizeof(key));
	return r;
}
