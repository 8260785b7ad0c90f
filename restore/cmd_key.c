/* bkp-restore key make|split|combine: a recovery identity is made away from the host, goes onto paper as shares, and comes
 * back from there.  Files go into --to only, 0600; secrets stand in memory that is wiped. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/codex32.h"
#include "format/crypto/passphrase.h"
#include "format/page/key_page.h"
#include "read/vault/keyring.h"
#include "read/vault/passphrase_ask.h"
#include "restore/app/app.h"
#include "restore/app/shares.h"
#include "restore/app/within.h"
#include "restore/extract/target.h"

#define MEDIUM_FILE "bkp-medium.json"
#define FILE_MAX    ((size_t)64 << 10)

static void fill_random(void *arg, void *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

static const struct age_random system_random = {fill_random, NULL};

/* What a passphrase or nothing protects never lies on a medium: whoever takes that could guess at leisure. */
static int refuse_medium(const char *to, struct err *err)
{
	IO_FD_AUTO at = within_nearest(to);
	char shown[400];

	for (int up = 0; at >= 0 && up < 64; up++) {
		int above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (!faccessat(at, MEDIUM_FILE, F_OK, AT_SYMLINK_NOFOLLOW)) {
			io_close_quietly(&above);
			err_set(err, "E-KEY-07", text("'%s' lies on a medium of backups"),
			    path_show(to, shown, sizeof(shown)));
			return err_hint(err, "%s",
			    text("name a folder on another thing, that is kept apart from the media"));
		}
		io_close_quietly(&at);
		at = above;
	}
	return 0;
}

int cmd_key_folder(const struct app *app, int *ret_fd, struct err *err)
{
	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: the folder into which it is written"));
	if (refuse_medium(app->to, err))
		return app_error(err, APP_FAILED);
	*ret_fd = target_open(app->to, err);
	return *ret_fd < 0 ? app_error(err, APP_FAILED) : APP_OK;
}

/* ---- an identity's file ---- */

static int write_identity(
    const struct app *app, const struct age_identity *id, const char *passphrase, int dir, struct err *err)
{
	const char *name = passphrase ? "identity.age" : "identity.txt";
	BUF_SECRET_AUTO out = BUF_INIT(FILE_MAX);
	struct age_recipient r;
	struct clock_stamp now;
	char time[CLOCK_TEXT], recipient[AGE_RECIPIENT_TEXT];

	if (!faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW)) {
		err_set(err, "E-INIT-02", text("'%s' exists already and is not overwritten"), name);
		return err_hint(err, "%s", text("name another folder"));
	}
	clock_now(&now);
	if (buf_reserve(&out, out.max, err) || age_identity_recipient(id, &r) ||
	    age_identity_file(id, clock_format(now.wall_ns, time), passphrase, &system_random, &out, err) ||
	    io_write_new(dir, name, 0600, out.p, out.n, err) || io_sync_dir(dir, err))
		return -1;
	printf("%s %s/%s\n", text("identity:       "), app->to, name);
	printf("%s %s\n", text("recipient:      "), age_recipient_format(&r, recipient));
	return 0;
}

static int make_with(const struct app *app, char *passphrase, int dir)
{
	struct age_identity id;
	struct err err = ERR_INIT;
	int r = 0;

	if (!passphrase)
		return app_error((err_nomem(&err), &err), APP_FAILED);
	age_identity_generate(&system_random, &id);
	if (!app->plain)
		r = passphrase_ask_new(app->passphrase_file, text("passphrase of the recovery identity"),
		    NULL, &system_random, passphrase, &err);
	if (!r)
		r = write_identity(app, &id, app->plain ? NULL : passphrase, dir, &err);
	sodium_memzero(&id, sizeof(id));
	if (r)
		return app_error(&err, APP_FAILED);
	app_note(app, "%s",
	    text("give the recipient to the host ('bkp init --recipient age1…'); the identity stays here, "
		 "away from it"));
	return APP_OK;
}

static int key_make(const struct app *app)
{
	struct err err = ERR_INIT;
	IO_FD_AUTO dir = -1;
	char *passphrase;
	int code;

	if (app->plain && app->passphrase_file)
		return app_usage(app, "%s", text("an identity is either plain or protected by a passphrase"));
	code = cmd_key_folder(app, &dir, &err);
	if (code)
		return code;
	passphrase = sodium_malloc(PASSPHRASE_MAX);
	code = make_with(app, passphrase, dir);
	sodium_free(passphrase);
	return code;
}

/* ---- into shares ---- */

struct splitting {
	const struct app *app;
	struct codex32 share[CODEX32_N_MAX];
	size_t k, n;
	char recipient[AGE_RECIPIENT_TEXT];
};

static size_t number_of(const char *s)
{
	char *end;
	unsigned long n = s && *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0;

	return n && !*end && n < 1000 ? n : 0;
}

/* The shares, and proof that the last k of them give the identity back. */
static int make_shares(struct splitting *s, const struct age_identity *id, struct err *err)
{
	uint8_t random[CODEX32_RANDOM], back[64];
	struct codex32 joined;
	int r;

	randombytes_buf(random, sizeof(random));
	r = codex32_split(id->secret, s->k, s->n, random, s->share, err) ||
	    codex32_join(s->share + s->n - s->k, s->k, 's', &joined, err);
	if (!r) {
		codex32_bytes(&joined, back);
		if (sodium_memcmp(back, id->secret, sizeof(id->secret)) != 0)
			r = err_set(
			    err, "E-SHARE-05", "%s", text("the shares do not give the identity back"));
	}
	sodium_memzero(random, sizeof(random));
	sodium_memzero(back, sizeof(back));
	sodium_memzero(&joined, sizeof(joined));
	return r ? -1 : 0;
}

static void print_share(const struct codex32 *share)
{
	char line[CODEX32_TEXT], row[KEY_PAGE_GROUPS];
	size_t n = strlen(codex32_write(CODEX32_IDENTITY, share, line));

	for (size_t at = 0; at < n; at += KEY_PAGE_ROW) {
		for (size_t i = at; i < n && i < at + KEY_PAGE_ROW; i++)
			line[i] = (char)(line[i] >= 'a' && line[i] <= 'z' ? line[i] - 'a' + 'A' : line[i]);
		printf("%s%s", at ? " " : "", key_page_groups(line + at, n - at, row));
	}
	putchar('\n');
	sodium_memzero(line, sizeof(line));
	sodium_memzero(row, sizeof(row));
}

static int write_pages(const struct splitting *s, int dir, struct err *err)
{
	BUF_SECRET_AUTO html = BUF_INIT(KEY_PAGE_MAX);
	char date[CLOCK_DATE], name[32];
	struct clock_stamp now;

	clock_now(&now);
	clock_format_date(now.wall_ns, date);
	for (size_t i = 0; i < s->n; i++) {
		const struct key_page_share page = {&s->share[i], i + 1, s->n, s->recipient, date};

		html.n = 0;
		snprintf(name, sizeof(name), "share-%s-%c.html", s->share[i].id, s->share[i].index);
		if (key_page_share(&page, &html, err) || io_write_new(dir, name, 0600, html.p, html.n, err))
			return -1;
		printf("%s/%s\n", s->app->to, name);
	}
	return io_sync_dir(dir, err);
}

static int give_shares(const struct splitting *s)
{
	struct err err = ERR_INIT;
	IO_FD_AUTO dir = -1;
	int code;

	if (!s->app->to) {
		printf(text("# set %s: any %zu of %zu give back %s\n"), s->share[0].id, s->k, s->n,
		    s->recipient);
		for (size_t i = 0; i < s->n; i++)
			print_share(&s->share[i]);
		return APP_OK;
	}
	code = cmd_key_folder(s->app, &dir, &err);
	if (!code && write_pages(s, dir, &err))
		code = app_error(&err, APP_FAILED);
	if (!code)
		app_note(s->app, "%s",
		    text("print each page, see that the papers give the key back ('key combine'), then erase "
			 "the files: each is a "
			 "share"));
	return code;
}

static int key_split(struct app *app, const char *identity)
{
	struct splitting s = {.app = app, .k = number_of(app->needed), .n = number_of(app->shares)};
	const struct age_identity *ids;
	struct age_recipient r;
	struct err err = ERR_INIT;
	size_t n;
	int code;

	if (!s.k || !s.n)
		return app_usage(app, "%s",
		    text("-k NUMBER and -n NUMBER are needed: how many shares are needed, of how many"));
	app->identities[0] = identity;
	app->n_identities = 1;
	code = app_identities(app, &ids, &n);
	if (code)
		return code;
	if (n != 1) {
		err_set(
		    &err, "E-KEY-02", text("'%s' holds %zu identities, and one can be split"), identity, n);
		return app_error(&err, APP_FAILED);
	}
	if (age_identity_recipient(&ids[0], &r) || make_shares(&s, &ids[0], &err)) {
		code = app_error(&err, err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED);
	} else {
		age_recipient_format(&r, s.recipient);
		code = give_shares(&s);
	}
	sodium_memzero(&s, sizeof(s));
	return code;
}

/* ---- and back ---- */

static int write_joined(const struct app *app, const struct codex32 *shares, size_t n, int dir)
{
	struct age_identity id;
	struct codex32 joined;
	struct err err = ERR_INIT;
	uint8_t bytes[64];
	int r = codex32_join(shares, n, 's', &joined, &err);

	if (!r) {
		codex32_bytes(&joined, bytes);
		memcpy(id.secret, bytes, sizeof(id.secret));
		r = write_identity(app, &id, NULL, dir, &err);
	}
	sodium_memzero(&id, sizeof(id));
	sodium_memzero(&joined, sizeof(joined));
	sodium_memzero(bytes, sizeof(bytes));
	if (r)
		return app_error(&err, APP_FAILED);
	app_note(app, "%s", text("compare the recipient with the papers"));
	app_note(
	    app, "%s", text("the identity's file is not protected: erase it when it is not needed any more"));
	return APP_OK;
}

static int key_combine(const struct app *app, const char *file)
{
	struct codex32 shares[CODEX32_K_MAX];
	struct err err = ERR_INIT;
	IO_FD_AUTO dir = -1;
	FILE *in = stdin;
	size_t n = 0;
	int code = cmd_key_folder(app, &dir, &err);

	if (code)
		return code;
	if (file && strcmp(file, "-") != 0 && !(in = fopen(file, "re"))) {
		err_sys(&err, "E-KEY-01", errno, text("cannot open '%s'"), file);
		return app_error(&err, APP_FAILED);
	}
	setvbuf(in, NULL, _IONBF, 0); /* no copy of what is read stays in a buffer */
	code = shares_read(in, isatty(fileno(in)), shares, &n);
	if (!code)
		code = write_joined(app, shares, n, dir);
	sodium_memzero(shares, sizeof(shares));
	if (in != stdin)
		fclose(in);
	return code;
}

int cmd_key(struct app *app, int argc, char **argv)
{
	int code;

	if (!strcmp(argv[0], "drill"))
		return cmd_key_drill(app, argc, argv);
	if (app->since || app->envelope || app->json)
		return app_usage(app, "%s", text("--since, --envelope and --json go with 'key drill'"));
	if (cmd_key_seals(argv[0]) || !strcmp(argv[0], "approver"))
		return cmd_key_people(app, argc, argv);
	if (!strcmp(argv[0], "make") && argc == 1)
		code = key_make(app);
	else if (!strcmp(argv[0], "split") && argc == 2)
		code = key_split(app, argv[1]);
	else if (!strcmp(argv[0], "combine") && argc < 3)
		code = key_combine(app, argc > 1 ? argv[1] : NULL);
	else if (!strcmp(argv[0], "host") && argc == 1)
		code = cmd_key_host(app);
	else if (!strcmp(argv[0], "open") && argc == 1)
		code = cmd_key_open(app);
	else
		return app_usage(app,
		    text("'%s' is none of make, split IDENTITY, combine, open, host, begin NAME=RECIPIENT …, "
			 "add "
			 "NAME=RECIPIENT, remove NAME, approver NAME=RW… DATE, drill"),
		    argv[0]);
	return app_flush(code);
}
