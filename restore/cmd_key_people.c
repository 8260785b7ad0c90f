/* bkp-restore key begin|add NAME=RECIPIENT, key remove NAME, key approver NAME=RW… DATE: who can open what is captured, made by somebody who can.
 *
 * On whatever computer the holder of an identity uses, from a medium of the last run: the files of the next revision (one person more) or
 * of the next period (one person less) come into a new folder.  The root key signs them, here or elsewhere; 'bkp key add', 'bkp key remove'
 * on the capturing host take them over.  The medium is not changed.  An approver whom the root key named signs in its place.  `begin` needs none: the first period of a repository that is not
 * there yet, which 'bkp init --keys' takes over and signs. */
#include <stdio.h>
#include <string.h>
#include <fcntl.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/period_make.h"
#include "format/medium/period_recipient.h"
#include "format/medium/period_signed.h"
#include "read/vault/keyring.h"
#include "read/vault/passphrase_ask.h"
#include "read/vault/periods.h"
#include "read/vault/vault_r.h"
#include "restore/app/age_aside.h"
#include "restore/app/app.h"

static void fill_random(void *arg, void *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

static const struct age_random random_bytes = {fill_random, NULL};

const struct age_identity *app_period_identity(const struct app *app, const struct period *p)
{
	struct age_recipient r;
	size_t n;
	const struct age_identity *ids = keyring_identities(app->keyring, &n);

	for (size_t i = 0; i < n; i++)
		if (!age_identity_recipient(&ids[i], &r) && !memcmp(&r, &p->recipient, sizeof(r)))
			return &ids[i];
	return NULL;
}

/* "incho=age1…", cut at '='. */
static int take_member(char *operand, struct period_member *ret, struct err *err)
{
	char *equals = strchr(operand, '=');

	if (!equals)
		return err_set_kind(
		    err, ERR_USAGE, "E-KEYS-02", "%s", text("a name and a recipient: incho=age1…"));
	*equals = '\0';
	*ret = (struct period_member){operand, equals + 1};
	return 0;
}

static int make_revision(const struct period_means *by, const struct period *p, const struct age_identity *id,
    char *operand, struct period_making **ret, struct err *err)
{
	struct period_member person;

	return take_member(operand, &person, err) ? -1 : period_make_revision(by, p, id, &person, ret, err);
}

static int make_period(const struct period_means *by, const struct period *p, const uint8_t *sha256,
    const struct age_identity *id, const char *leaves, struct period_making **ret, struct err *err)
{
	struct period_member people[PERIOD_PEOPLE_MAX];
	size_t n = 0;

	if (!period_person(p, leaves))
		return err_set_kind(
		    err, ERR_USAGE, "E-KEYS-02", text("nobody called '%s' holds a key"), leaves);
	for (size_t i = 0; i < p->n_people; i++)
		if (strcmp(p->people[i].name, leaves) != 0)
			people[n++] = (struct period_member){p->people[i].name, p->people[i].recipient};
	if (!n)
		return err_set_kind(err, ERR_USAGE, "E-KEYS-02", "%s",
		    text("then nobody could open anything: add another person first"));
	return period_make(by, p->repository, p, sha256, id, people, n, ret, err);
}

/* Everything but the signature, into a new folder. */
static int write_all(const char *to, const struct period_making *m, struct err *err)
{
	BUF_AUTO json = BUF_INIT(PERIOD_FILE_MAX);
	IO_FD_AUTO dir = io_make_dir(AT_FDCWD, to, 0700, err);

	if (dir < 0 || period_format(m->period, &json, err))
		return -1;
	for (size_t i = 0; i < m->n_files; i++)
		if (io_write_new(dir, m->files[i].name, 0600, m->files[i].bytes.p, m->files[i].bytes.n, err))
			return -1;
	return io_write_new(dir, PERIOD_JSON, 0600, json.p, json.n, err) || io_sync_dir(dir, err) ? -1 : 0;
}

static void tell_next(const struct app *app, const struct period *p, bool add, const char *name)
{
	char comment[PERIOD_COMMENT], to[256];

	path_show(app->to, to, sizeof(to));
	printf(text("made in '%s': period %u, revision %u\n"), to, p->number, p->revision);
	printf("%s\n", text("Next: the root key signs it, wherever that is kept:"));
	printf("  minisign -S -s root.key -m '%s/%s' -t '%s'\n", to, PERIOD_JSON,
	    period_comment(p->repository, p->number, p->revision, comment));
	printf("%s\n", text("then, on the computer that captures:"));
	printf("  bkp key %s %s --from '%s' --operator NAME\n", add ? "add" : "remove", name, to);
}

/* ---- what the files are made with ---- */

struct maker {
	const struct app *app;
	const char *passphrase_file; /* a new one's, or NULL */
	bool used;
};

/* For a new file of that person. */
static int ask_passphrase(void *arg, const char *person, char *out, struct err *err)
{
	struct maker *m = arg;
	char prompt[PERIOD_NAME + 64];

	if (m->used)
		return err_set_kind(err, ERR_USAGE, "E-KEYS-02", "%s",
		    text("one passphrase for two people: each types one of their own, without "
			 "--passphrase-file"));
	m->used = m->passphrase_file;
	snprintf(prompt, sizeof(prompt), text("new passphrase of %s"), person);
	return passphrase_ask_new(m->passphrase_file, prompt, NULL, &random_bytes, out, err);
}

static int seal(void *arg, const char *recipient, const void *p, size_t n, struct buf *out, struct err *err)
{
	const struct maker *m = arg;

	return age_aside_seal(m->app->aside, recipient, p, n, out, err);
}

static struct period_means means(struct maker *m)
{
	struct clock_stamp now;

	clock_now(&now);
	return (struct period_means){&random_bytes, seal, ask_passphrase, m, now.wall_ns};
}

/* --passphrase-file is of the identity that is given; where a new passphrase is made it is that one. */
static void take_passphrase_file(struct app *app, int argc, char **argv, struct maker *m)
{
	for (int i = 0; i < argc; i++)
		if (strstr(argv[i], "+" PERIOD_PASSPHRASE))
			m->passphrase_file = app->passphrase_file;
	if (m->passphrase_file)
		app->passphrase_file = NULL;
}

static int make(const struct app *app, struct maker *maker, bool add, char *operand, struct err *err)
{
	const struct periods *all = vault_r_periods(app->vault, err);
	const struct period *p = all ? periods_get(all, periods_newest(all)) : NULL;
	const struct age_identity *id = p ? app_period_identity(app, p) : NULL;
	const struct period_means by = means(maker);
	struct period_making *m;
	int r;

	if (all && !p && err)
		*err = *periods_fault(all, periods_newest(all));
	else if (p && !id)
		err_set_kind(err, ERR_WRONG_KEY, "E-PERIOD-04",
		    text("the identity that was given does not open period %u"), p->number);
	if (!p || !id)
		return -1;
	r = add ? make_revision(&by, p, id, operand, &m, err)
		: make_period(&by, p, periods_sha256(all, p->number), id, operand, &m, err);
	if (r)
		return -1;
	r = write_all(app->to, m, err);
	if (!r)
		tell_next(app, m->period, add, operand);
	period_making_free(m);
	return r;
}

/* ---- an approver: named by the root key, once ---- */

static int take_approver(
    char *operand, const char *until, const char *repository, struct period_approver *a, struct err *err)
{
	char *equals = strchr(operand, '='), time[CLOCK_TEXT];

	snprintf(a->repository, sizeof(a->repository), "%s", repository);
	snprintf(time, sizeof(time), "%.10sT23:59:59Z", until);
	if (equals)
		*equals = '\0';
	if (!equals || !period_name_ok(operand) || !strcmp(operand, "root") ||
	    minisig_public_parse(equals + 1, &a->key, NULL) || clock_parse(time, &a->until_ns))
		return err_set_kind(err, ERR_USAGE, "E-KEYS-02", "%s",
		    text("a name, a public key of minisign's, and the last day: jimucho=RW… 2027-03-31"));
	snprintf(a->name, sizeof(a->name), "%s", operand);
	return 0;
}

static int name_approver(const struct app *app, char *operand, const char *until, struct err *err)
{
	const char *repository = vault_r_repository(app->vault);
	struct period_approver a = {.name = ""};
	BUF_AUTO json = BUF_INIT(PERIOD_FILE_MAX);
	char comment[PERIOD_COMMENT], to[256];
	IO_FD_AUTO dir = -1;

	if (take_approver(operand, until, repository, &a, err) || period_approver_format(&a, &json, err))
		return -1;
	dir = io_make_dir(AT_FDCWD, app->to, 0700, err);
	if (dir < 0 || io_write_new(dir, PERIOD_APPROVER, 0644, json.p, json.n, err) || io_sync_dir(dir, err))
		return -1;
	path_show(app->to, to, sizeof(to));
	printf("%s\n", text("Next: the root key signs it, wherever that is kept:"));
	printf("  minisign -S -s root.key -m '%s/%s' -t '%s'\n", to, PERIOD_APPROVER,
	    period_approver_comment(repository, comment));
	printf("%s\n", text("Both files go with the approver: they lie beside each period.json that the "
			    "approver signs in the place of "
			    "the root key."));
	return 0;
}

static int key_approver(struct app *app, char *operand, const char *until)
{
	struct err err = ERR_INIT;
	int r = app_vault(app);

	if (!r && name_approver(app, operand, until, &err))
		r = app_error(&err, err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED);
	return r ? r : app_flush(APP_OK);
}

/* ---- the first period, of a repository that is not there yet ---- */

static void tell_begun(const struct app *app, const struct period *p)
{
	char recipient[AGE_RECIPIENT_TEXT], to[256];

	path_show(app->to, to, sizeof(to));
	for (size_t i = 0; i < p->n_people; i++)
		printf("%s %s %s\n", text("key holder:     "), p->people[i].name, p->people[i].recipient);
	printf("%s %s\n", text("recipient:      "), age_recipient_format(&p->recipient, recipient));
	printf("%s\n", text("Next, on the computer that captures; compare the recipient that it prints:"));
	printf("  bkp init --keys '%s' --root-key-out FILE\n", to);
}

static int begin(const struct app *app, struct maker *maker, int argc, char **argv, struct err *err)
{
	const struct period_means by = means(maker);
	struct period_member people[PERIOD_PEOPLE_MAX];
	struct period_making *m;
	int r;

	for (int i = 0; i < argc; i++)
		if (take_member(argv[i], &people[i], err))
			return -1;
	if (period_make(&by, PERIOD_NO_REPOSITORY, NULL, NULL, NULL, people, (size_t)argc, &m, err))
		return -1;
	r = write_all(app->to, m, err);
	if (!r)
		tell_begun(app, m->period);
	period_making_free(m);
	return r;
}

bool cmd_key_seals(const char *word)
{
	return !strcmp(word, "begin") || !strcmp(word, "add") || !strcmp(word, "remove");
}

int cmd_key_people(struct app *app, int argc, char **argv)
{
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	bool first = !strcmp(argv[0], "begin"), add = !strcmp(argv[0], "add");
	struct maker m = {.app = app};
	size_t n;
	int r = 0;

	if (!strcmp(argv[0], "approver") ? argc != 3 : argc < 2 || (argc > 2 && !first))
		return app_usage(app, "%s",
		    text("one of: key begin NAME=RECIPIENT …, key add NAME=RECIPIENT, key remove NAME, key "
			 "approver NAME=RW… DATE"));
	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: a new folder for the files"));
	if (argc == 3 && !first)
		return key_approver(app, argv[1], argv[2]);
	take_passphrase_file(app, argc - 1, argv + 1, &m);
	if (!first)
		r = app_unlock(app, &ids, &n);
	if (!r && (first ? begin(app, &m, argc - 1, argv + 1, &err) : make(app, &m, add, argv[1], &err)))
		r = app_error(&err, err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED);
	return r ? r : app_flush(APP_OK);
}
