/* repository: see repository.h. */
#include "read/repository.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/age.h"

struct repository {
	char id[JOURNAL_UUID];
	char *site;
	int64_t created_ns;
	uint8_t secrets_sha256[DIGEST_LEN];
	size_t n_keys, n_recipients;
	struct minisig_public keys[REPOSITORY_KEYS];
	struct age_recipient recipients[REPOSITORY_PEOPLE];
};

char *repository_comment(const char *kind, const char *id, char out[MINISIG_COMMENT_MAX])
{
	snprintf(out, MINISIG_COMMENT_MAX, "bkp:1 kind=%s repository=%s", kind, id);
	return out;
}

void repository_free(struct repository *r)
{
	if (!r)
		return;
	free(r->site);
	free(r);
}

static int malformed(const char *why, struct err *err)
{
	return err_set(err, "E-REPO-02", text("'%s' is malformed: %s"), REPOSITORY_JSON, why);
}

static const char *str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* Epochs from 1 without gaps. */
static int fill_keys(struct repository *r, const json_t *list, struct err *err)
{
	r->n_keys = json_array_size(list);
	if (!r->n_keys || r->n_keys > REPOSITORY_KEYS)
		return malformed(text("the number of keys"), err);
	for (size_t i = 0; i < r->n_keys; i++) {
		const json_t *k = json_array_get(list, i);

		if (json_integer_value(json_object_get(k, "epoch")) != (json_int_t)i + 1 ||
		    minisig_public_parse(str(k, "public"), &r->keys[i], NULL))
			return malformed(text("the list of keys"), err);
	}
	return 0;
}

static int fill_recipients(struct repository *r, const json_t *list, struct err *err)
{
	r->n_recipients = json_array_size(list);
	if (!r->n_recipients || r->n_recipients > REPOSITORY_PEOPLE)
		return malformed(text("the number of recipients"), err);
	for (size_t i = 0; i < r->n_recipients; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (!s || age_recipient_parse(s, &r->recipients[i], NULL))
			return malformed(text("the list of recipients"), err);
	}
	return 0;
}

static int fill(struct repository *r, const json_t *o, struct err *err)
{
	const char *site = json_string_value(json_object_get(o, "site"));

	if (json_integer_value(json_object_get(o, "format")) != 1 ||
	    strcmp(str(o, "kind"), "bkp-repository") != 0)
		return malformed(text("it is not a repository of format 1"), err);
	if (strlen(str(o, "secrets_sha256")) != (size_t)2 * DIGEST_LEN ||
	    !digest_unhex(str(o, "secrets_sha256"), DIGEST_LEN, r->secrets_sha256))
		return malformed(text("a member is missing or of the wrong kind"), err);
	if (!journal_is_uuid(str(o, "repository")) || !site || clock_parse(str(o, "created"), &r->created_ns))
		return malformed(text("a member is missing or of the wrong kind"), err);
	memcpy(r->id, str(o, "repository"), sizeof(r->id));
	r->site = strdup(site);
	if (!r->site)
		return err_nomem(err);
	return fill_keys(r, json_object_get(o, "keys"), err) ||
		       fill_recipients(r, json_object_get(o, "recipients"), err)
		   ? -1
		   : 0;
}

static int check_signature(const struct repository *r, const struct buf *json, const struct buf *sig,
    const struct minisig_public *root, struct err *err)
{
	char comment[MINISIG_COMMENT_MAX], want[MINISIG_COMMENT_MAX], key[MINISIG_KEY_TEXT];
	struct err why = ERR_INIT;
	size_t i, n = root ? 1 : r->n_keys;

	if (root && memcmp(root, &r->keys[0], sizeof(*root)) != 0) {
		err_set(err, "E-REPO-03", text("the root key of this repository is %s, not the one given"),
		    minisig_public_format(&r->keys[0], key));
		return err_hint(err, "%s", text("compare it with the one on paper"));
	}
	for (i = 0; i < n; i++)
		if (!minisig_verify(
			&r->keys[i], json->p, json->n, (const char *)sig->p, sig->n, comment, &why))
			break;
	if (i == n)
		return err_set(
		    err, "E-REPO-03", text("the signature of '%s' is wrong: %s"), REPOSITORY_JSON, why.msg);
	if (strcmp(comment, repository_comment("repository", r->id, want)) != 0)
		return err_set(
		    err, "E-REPO-03", text("'%s' carries the signature of something else"), REPOSITORY_JSON);
	return 0;
}

int repository_parse(const struct buf *json, const struct buf *sig, const struct minisig_public *root,
    struct repository **ret, struct err *err)
{
	struct repository *r;
	json_error_t why;
	json_t *o;
	int failed;

	o = json->n ? json_loadb((const char *)json->p, json->n, JSON_REJECT_DUPLICATES, &why) : NULL;
	if (!o)
		return malformed(json->n ? why.text : text("it is empty"), err);
	r = calloc(1, sizeof(*r));
	failed = r ? fill(r, o, err) || check_signature(r, json, sig, root, err) : err_nomem(err);
	json_decref(o);
	if (failed) {
		repository_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

int repository_load(int dirfd, const struct minisig_public *root, struct repository **ret, struct err *err)
{
	BUF_AUTO json = BUF_INIT(REPOSITORY_MAX);
	BUF_AUTO sig = BUF_INIT(REPOSITORY_MAX);
	const char *missing = NULL;
	int r;

	r = io_read_file(dirfd, REPOSITORY_JSON, &json, err);
	if (r == IO_ABSENT)
		missing = REPOSITORY_JSON;
	else if (r || (r = io_read_file(dirfd, REPOSITORY_SIG, &sig, err)) == -1)
		return -1;
	else if (r == IO_ABSENT)
		missing = REPOSITORY_SIG;
	if (missing) {
		err_set(err, "E-REPO-01", text("'%s' is missing"), missing);
		return REPOSITORY_ABSENT;
	}
	return repository_parse(&json, &sig, root, ret, err);
}

const char *repository_id(const struct repository *r)
{
	return r->id;
}

const char *repository_site(const struct repository *r)
{
	return r->site;
}

int64_t repository_created_ns(const struct repository *r)
{
	return r->created_ns;
}

const struct minisig_public *repository_keys(const struct repository *r, size_t *ret_n)
{
	*ret_n = r->n_keys;
	return r->keys;
}

const struct age_recipient *repository_recipients(const struct repository *r, size_t *ret_n)
{
	*ret_n = r->n_recipients;
	return r->recipients;
}

const uint8_t *repository_secrets_sha256(const struct repository *r)
{
	return r->secrets_sha256;
}
