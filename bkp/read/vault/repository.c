/* repository: see repository.h.
 *
 * repository.json names its own key, so it is parsed before its signature is checked; it proves only that the
 * file is whole unless the caller gives the key to believe in.
 *
 * Keys of later epochs are a chain from the root key, checked record by record (journal_check, links only).
 * repository_load_keys() reads keys.jsonl; if that is missing or faulty, the same links out of the medium's
 * journal. Of the two the one that reaches further counts, whatever became of the other: a chain that is
 * proven up to some epoch is good up to there.
 */
#include "read/vault/repository.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "read/store/store.h"
#include "read/file/lines.h"
#include "read/file/segments.h"

struct repository {
	char id[JOURNAL_UUID];
	char *site;
	uint8_t secrets_sha256[DIGEST_LEN];
	struct minisig_public root;
	struct journal_check *links; /* the keys after it; or NULL: the root key alone */
	struct err keys_fault;
	bool journal_asked; /* repository_more_keys() */
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
	journal_check_free(r->links);
	free(r->site);
	free(r);
}

static int say_malformed(const char *why, struct err *err)
{
	return err_set(err, "E-REPO-02", text("'%s' is malformed: %s"), REPOSITORY_JSON, why);
}

/* The root key alone: those after it do not exist yet when this file is signed, once for ever. */
static int fill_keys(struct repository *r, const json_t *list, struct err *err)
{
	const json_t *k = json_array_get(list, 0);

	if (json_array_size(list) != 1)
		return say_malformed(text("the number of keys"), err);
	if (json_integer_value(json_object_get(k, "epoch")) != 1 ||
	    minisig_public_parse(journal_text(k, "public"), &r->root, NULL))
		return say_malformed(text("the list of keys"), err);
	return 0;
}

static int fill_repository(struct repository *r, const json_t *o, struct err *err)
{
	const char *site = json_string_value(json_object_get(o, "site"));
	int64_t created_ns;

	if (json_integer_value(json_object_get(o, "format")) != 1 ||
	    strcmp(journal_text(o, "kind"), "bkp-repository") != 0)
		return say_malformed(text("it is not a repository of format 1"), err);
	if (strlen(journal_text(o, "secrets_sha256")) != (size_t)2 * DIGEST_LEN ||
	    !digest_unhex(journal_text(o, "secrets_sha256"), DIGEST_LEN, r->secrets_sha256))
		return say_malformed(text("a member is missing or of the wrong kind"), err);
	if (!journal_is_uuid(journal_text(o, "repository")) || !site ||
	    clock_parse(journal_text(o, "created"), &created_ns))
		return say_malformed(text("a member is missing or of the wrong kind"), err);
	memcpy(r->id, journal_text(o, "repository"), sizeof(r->id));
	r->site = strdup(site);
	if (!r->site)
		return err_nomem(err);
	return fill_keys(r, json_object_get(o, "keys"), err);
}

static int check_signature(const struct repository *r, const struct buf *json, const struct buf *sig,
    const struct minisig_public *root, struct err *err)
{
	char comment[MINISIG_COMMENT_MAX], want[MINISIG_COMMENT_MAX], key[MINISIG_KEY_TEXT];
	struct err why = ERR_INIT;

	if (root && memcmp(root, &r->root, sizeof(*root)) != 0) {
		err_set(err, "E-REPO-03", text("the root key of this repository is %s, not the one given"),
		    minisig_public_format(&r->root, key));
		return err_hint(err, "%s", text("compare it with the one on paper"));
	}
	if (minisig_verify(&r->root, json->p, json->n, (const char *)sig->p, sig->n, comment, &why))
		return err_set(err, "E-REPO-03", text("'%s' is not what '%s' signed: %s"), REPOSITORY_JSON,
		    REPOSITORY_SIG, why.msg);
	if (strcmp(comment, repository_comment("repository", r->id, want)) != 0)
		return err_set(err, "E-REPO-03",
		    text("'%s', the signature of '%s', is one of something else"), REPOSITORY_SIG,
		    REPOSITORY_JSON);
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
		return say_malformed(json->n ? why.text : text("it is empty"), err);
	r = calloc(1, sizeof(*r));
	failed = r ? fill_repository(r, o, err) || check_signature(r, json, sig, root, err) : err_nomem(err);
	json_decref(o);
	if (failed) {
		repository_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

int repository_load(
    const struct store *folder, const struct minisig_public *root, struct repository **ret, struct err *err)
{
	BUF_AUTO json = BUF_INIT(REPOSITORY_MAX);
	BUF_AUTO sig = BUF_INIT(REPOSITORY_MAX);
	const char *missing = NULL;
	int r;

	r = store_read(folder, REPOSITORY_JSON, &json, err);
	if (r == STORE_ABSENT)
		missing = REPOSITORY_JSON;
	else if (r || (r = store_read(folder, REPOSITORY_SIG, &sig, err)) == -1)
		return -1;
	else if (r == STORE_ABSENT)
		missing = REPOSITORY_SIG;
	if (missing) {
		err_set(err, "E-REPO-01", text("'%s' is missing"), missing);
		return REPOSITORY_ABSENT;
	}
	return repository_parse(&json, &sig, root, ret, err);
}

/* ---- the keys of later epochs ---- */

struct feeding {
	struct journal_check *check;
	bool chosen; /* a journal: lines that do not look like a link are passed over */
	uint64_t bytes;
};

static int feed_line(void *arg, const uint8_t *line, size_t n, size_t ahead, struct err *err)
{
	static const char mark[] = ",\"event\":\"" JOURNAL_EPOCH_EVENT "\",\"next\":";
	struct feeding *f = arg;
	struct journal_record r;

	(void)ahead;
	f->bytes += n + 1;
	if (!f->chosen && f->bytes > REPOSITORY_LINKS_MAX)
		return err_set(err, "E-REPO-05", "%s", text("it is too long"));
	if (f->chosen && !memmem(line, n, mark, sizeof(mark) - 1))
		return 0;
	if (journal_check_line(f->check, line, n, &r, err))
		return -1;
	journal_record_clear(&r);
	return 0;
}

/* What keys.jsonl tells, or (chosen) the journal; *ret is NULL when it is not there.  why: what is wrong with it. */
static int links_of(const struct repository *r, const struct store *folder, bool chosen,
    struct journal_check **ret, struct err *why, struct err *err)
{
	struct feeding f = {.chosen = chosen};
	bool torn = false;
	STORE_FILE_AUTO file = {0};

	*ret = NULL;
	if (chosen ? segments_open(folder, &file, why) : store_open(folder, REPOSITORY_LINKS, &file, why))
		return 0;
	if (journal_check_new_links(&r->root, r->id, &f.check, err))
		return -1;
	*ret = f.check;
	/* a journal may end in a torn line; a list of keys is replaced whole */
	if (!lines_each(&file, feed_line, &f, &torn, why) && torn && !chosen)
		err_set(why, "E-REPO-05", "%s", text("its last line has no end"));
	return 0;
}

static size_t count_keys(const struct journal_check *c)
{
	size_t n = 0;

	if (c)
		(void)journal_check_keys(c, &n);
	return n;
}

int repository_load_keys(struct repository *r, const struct store *folder, struct err *err)
{
	struct journal_check *first = NULL, *second = NULL;
	struct err why = ERR_INIT, other = ERR_INIT;
	int failed = links_of(r, folder, false, &first, &why, err);

	if (!failed && why.code[0])
		failed = links_of(r, folder, true, &second, &other, err);
	if (failed) {
		journal_check_free(first);
		journal_check_free(second);
		return -1;
	}
	r->keys_fault = (struct err)ERR_INIT;
	if (err_is_unread(&why))
		err_set(&r->keys_fault, "E-REPO-05", "'%s': %s", REPOSITORY_LINKS, why.msg);
	else if (first && why.code[0])
		err_set(&r->keys_fault, "E-REPO-05", text("'%s' is damaged: %s"), REPOSITORY_LINKS, why.msg);
	else if (why.code[0] && count_keys(second) > 1)
		err_set_kind(
		    &r->keys_fault, ERR_ABSENT, "E-REPO-04", text("'%s' is missing"), REPOSITORY_LINKS);
	if (err_is_unread(&why))
		r->keys_fault.errnum = why.errnum ? why.errnum : ENOMEM;
	if (count_keys(second) > count_keys(first)) {
		struct journal_check *better = second;

		second = first;
		first = better;
	}
	journal_check_free(second);
	journal_check_free(r->links);
	r->links = first;
	return 0;
}

int repository_more_keys(struct repository *r, const struct store *folder, struct err *err)
{
	struct journal_check *more = NULL;
	struct err why = ERR_INIT;

	if (r->journal_asked || r->keys_fault.code[0])
		return 0;
	r->journal_asked = true;
	if (links_of(r, folder, true, &more, &why, err))
		return -1;
	if (count_keys(more) <= count_keys(r->links)) {
		journal_check_free(more);
		return 0;
	}
	journal_check_free(r->links);
	r->links = more;
	err_set(&r->keys_fault, "E-REPO-05", text("'%s' is damaged: %s"), REPOSITORY_LINKS,
	    text("it ends before the journal's newest keys"));
	return 1;
}

const struct err *repository_keys_fault(const struct repository *r)
{
	return &r->keys_fault;
}

const char *repository_id(const struct repository *r)
{
	return r->id;
}

const char *repository_site(const struct repository *r)
{
	return r->site;
}

const struct minisig_public *repository_keys(const struct repository *r, size_t *ret_n)
{
	*ret_n = 1;
	return r->links ? journal_check_keys(r->links, ret_n) : &r->root;
}

const uint8_t *repository_secrets_sha256(const struct repository *r)
{
	return r->secrets_sha256;
}
