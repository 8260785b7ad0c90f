/* period_signed: see period_signed.h. */
#include "format/medium/period_signed.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/generation_private.h"

char *period_approver_comment(const char *repository, char out[PERIOD_COMMENT])
{
	snprintf(out, PERIOD_COMMENT, "bkp:1 kind=key-approver repository=%s", repository);
	return out;
}

int period_approver_format(const struct period_approver *a, struct buf *out, struct err *err)
{
	char key[MINISIG_KEY_TEXT], time[CLOCK_TEXT];

	return generation_json_line(
	    json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "format", 1, "kind", "bkp-key-approver", "repository",
		a->repository, "name", a->name, "public", minisig_public_format(&a->key, key), "until",
		clock_format(a->until_ns, time)),
	    out, err);
}

static bool take(const json_t *o, struct period_approver *a)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));
	const char *id = json_string_value(json_object_get(o, "repository"));
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *key = json_string_value(json_object_get(o, "public"));

	if (json_integer_value(json_object_get(o, "format")) != 1 || !kind ||
	    strcmp(kind, "bkp-key-approver") != 0 || !id || strlen(id) != sizeof(a->repository) - 1 ||
	    !name || !period_name_ok(name) || !strcmp(name, "root") || !key ||
	    minisig_public_parse(key, &a->key, NULL) || !generation_json_time(o, "until", &a->until_ns))
		return false;
	memcpy(a->repository, id, sizeof(a->repository));
	snprintf(a->name, sizeof(a->name), "%s", name);
	return true;
}

int period_approver_parse(const char *json, size_t n, struct period_approver *ret, struct err *err)
{
	json_t *o = json_loadb(json, n, JSON_REJECT_DUPLICATES, NULL);
	bool good = take(o, ret);

	json_decref(o);
	return good ? 0
		    : err_set_kind(
			  err, ERR_MALFORMED, "E-PERIOD-09", text("'%s' is malformed"), PERIOD_APPROVER);
}

void period_signed_init(struct period_signed *f)
{
	buf_init(&f->json, PERIOD_FILE_MAX);
	buf_init(&f->sig, PERIOD_FILE_MAX);
	buf_init(&f->approver, PERIOD_FILE_MAX);
	buf_init(&f->approver_sig, PERIOD_FILE_MAX);
}

void period_signed_free(struct period_signed *f)
{
	buf_free(&f->json);
	buf_free(&f->sig);
	buf_free(&f->approver);
	buf_free(&f->approver_sig);
}

static bool signed_as(
    const struct minisig_public *key, const struct buf *b, const struct buf *sig, const char *comment)
{
	char said[MINISIG_COMMENT_MAX];

	return !minisig_verify_any(key, b->p, b->n, (const char *)sig->p, sig->n, said, NULL) &&
	       !strcmp(said, comment);
}

/* Is there one whom the root key named for this repository, and for that time? */
static int check_approver(const struct period_signed *f, const char *repository, const struct period *p,
    const struct minisig_public *root, struct period_approver *a, struct err *err)
{
	char comment[PERIOD_COMMENT];

	if (period_approver_parse((const char *)f->approver.p, f->approver.n, a, err))
		return -1;
	if (!signed_as(root, &f->approver, &f->approver_sig, period_approver_comment(repository, comment)) ||
	    strcmp(a->repository, repository) != 0)
		return err_set_kind(err, ERR_FORGED, "E-PERIOD-09",
		    text("'%s' is not signed by the root key"), PERIOD_APPROVER);
	if (p->begun_ns > a->until_ns)
		return err_set_kind(err, ERR_FORGED, "E-PERIOD-09",
		    text("'%s' was an approver for a time that is over: the root key names one anew"),
		    a->name);
	return 0;
}

int period_signed_check(const struct period_signed *f, const char *repository, const struct period *p,
    const struct minisig_public *root, struct period_approver *ret, struct err *err)
{
	char comment[PERIOD_COMMENT], name[PERIOD_NAME];

	memset(ret, 0, sizeof(*ret));
	if (strcmp(p->repository, repository) != 0)
		return err_set_kind(
		    err, ERR_FORGED, "E-PERIOD-02", text("'%s' is of another repository"), PERIOD_JSON);
	period_comment(repository, p->number, p->revision, comment);
	if (signed_as(root, &f->json, &f->sig, comment))
		return 0;
	if (f->approver.n && check_approver(f, repository, p, root, ret, err))
		return -1;
	if (f->approver.n && signed_as(&ret->key, &f->json, &f->sig, comment))
		return 0;
	err_set_kind(err, ERR_FORGED, "E-PERIOD-02",
	    text("'%s/%u/%s' is not signed by the root key, nor by somebody whom it named, as what it is"),
	    PERIOD_KEYS, p->number, period_file(p->revision, PERIOD_OF_JSON, name));
	return err_hint(err, text("minisign -S -s ROOT.key -m period.json -t '%s'"), comment);
}
