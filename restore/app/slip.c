/* slip: see slip.h.
 *
 * Between the two processes: a packet socket.  Each packet is the trusted comment, a newline, and the slip as it is so far; the end of
 * them is the sign to write; the answer is one struct err, code "" when all is well. */
#include "restore/app/slip.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/slip.h"
#include "format/journal/use_slip.h"
#include "read/file/secret_file.h"
#include "read/vault/keyring.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/within.h"

#define PACKET (USE_SLIP_COMMENT + USE_SLIP_MAX)
#define ID8    8
#define LABELS 400 /* bytes of labels in "what" */

struct slip {
	pid_t writer;
	int fd; /* -1: there is no writer */
	struct json_t *members;
	char labels[SLIP_TEXT];
	bool used;
	struct err why; /* why it cannot be written */
};

char *slip_operator(const struct app *app)
{
	const char *name = app->operator_name;
	char *s = NULL;

	if (!name || !*name)
		name = getenv("SUDO_USER");
	if (!name || !*name)
		name = getenv("LOGNAME");
	if (name && *name)
		return strdup(name);
	return asprintf(&s, "uid %u", (unsigned)getuid()) < 0 ? NULL : s;
}

/* ---- the writer ---- */

static void make_parents(const char *path)
{
	char *p = strdup(path);

	for (char *slash = p ? strchr(p + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(p, 0700); /* what cannot be made is said when the file cannot be */
		*slash = '/';
	}
	free(p);
}

static int write_file(const char *path, const void *p, size_t n, struct err *err)
{
	return io_write_new(AT_FDCWD, path, 0600, p, n, err) || io_sync_parent(path, err) ? -1 : 0;
}

static int write_slip(
    const char *path, const struct minisig_secret *key, char *packet, size_t n, struct err *err)
{
	char *json = memchr(packet, '\n', n);
	BUF_AUTO sig = BUF_INIT(16384);
	char beside[4096 + 16];

	*json++ = '\0';
	n -= (size_t)(json - packet);
	make_parents(path);
	snprintf(beside, sizeof(beside), "%s.minisig", path);
	if (write_file(path, json, n, err))
		return -1;
	return key && (minisig_sign(key, json, n, packet, &sig, err) || write_file(beside, sig.p, sig.n, err))
		   ? -1
		   : 0;
}

/* It outlives whoever is interrupted or killed, holds no output of his open, and ends right behind him. */
__attribute__((noreturn)) static void serve(int fd, const char *path, const struct minisig_secret *key)
{
	static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	static char last[PACKET], next[PACKET];
	IO_FD_AUTO null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct err err = ERR_INIT;
	ssize_t n, size = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		signal(all[i], SIG_IGN);
	(void)setsid();
	for (int i = 0; i < 3 && null >= 0; i++)
		(void)dup2(null, i);
	while ((n = recv(fd, next, sizeof(next), 0)) > 0) {
		memcpy(last, next, (size_t)n);
		size = n;
	}
	if (size)
		(void)!write_slip(path, key, last, (size_t)size, &err);
	(void)send(fd, &err, sizeof(err), MSG_NOSIGNAL);
	_exit(0);
}

/* ---- where ---- */

/* DIR.use-<id>.json; NULL: DIR has no folder above. */
static char *beside_output(const char *to, const char *id)
{
	char *real = realpath(to, NULL), *path = NULL;
	const char *dir = real ? real : to;
	size_t n = strlen(dir);

	while (n && dir[n - 1] == '/')
		n--;
	if (n && asprintf(&path, "%.*s.use-%.*s.json", (int)n, dir, ID8, id) < 0)
		path = NULL;
	free(real);
	return path;
}

static char *in_folder(const char *id)
{
	const char *own = getenv("BKP_SLIPS"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int r = -1;

	if (own && *own)
		r = asprintf(&path, "%s/use-%.*s.json", own, ID8, id);
	else if (state && *state == '/')
		r = asprintf(&path, "%s/bkp-uses/use-%.*s.json", state, ID8, id);
	else if (home && *home == '/')
		r = asprintf(&path, "%s/.local/state/bkp-uses/use-%.*s.json", home, ID8, id);
	return r < 0 ? NULL : path;
}

/* A target on a medium is refused later on; until then its slip has another place. */
static char *slip_path(const struct app *app, const char *id, struct err *err)
{
	char *path = app->slip_file ? strdup(app->slip_file) : NULL;

	if (!app->slip_file && app->to && !app->dry_run)
		path = beside_output(app->to, id);
	if (path && !app->slip_file && within_refuse_media(app, path, NULL)) {
		free(path);
		path = NULL;
	}
	if (!path && !app->slip_file)
		path = in_folder(id);
	if (!path || strlen(path) >= 4096) {
		free(path);
		err_set(err, "W-USE-01", "%s", text("there is no folder for it"));
		return NULL;
	}
	if (within_refuse_media(app, path, err)) {
		free(path);
		return NULL;
	}
	return path;
}

/* ---- what it says ---- */

static json_t *shown(const char *s)
{
	char show[SLIP_TEXT];

	return s ? json_string(path_show(s, show, 256)) : json_null();
}

/* A random UUID (RFC 9562, version 4). */
static void new_id(char out[JOURNAL_UUID])
{
	uint8_t u[16];

	randombytes_buf(u, sizeof(u));
	u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	for (size_t i = 0, at = 0; i < sizeof(u); i++)
		at += (size_t)snprintf(out + at, JOURNAL_UUID - at, "%s%02x",
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
}

static json_t *now_json(void)
{
	struct clock_stamp now;
	char time[CLOCK_TEXT];

	clock_now(&now);
	return json_string(clock_format(now.wall_ns, time));
}

static void say(struct slip *s, const char *key, json_t *value)
{
	if (json_object_set_new(s->members, key, value))
		app_no_memory();
}

static void begin_members(struct app *app, const char *id, int argc, char **argv)
{
	struct slip *s = app->slip;
	bool key = !strcmp(app->command->name, "key"), selects = app->command->options & APP_SELECTS;
	char *operator= slip_operator(app), command[64];
	struct utsname host = {.nodename = ""};
	json_t *paths = json_array();
	const int first = key || selects;

	uname(&host);
	snprintf(command, sizeof(command), "%s%s%s", app->command->name, key ? " " : "", key ? argv[0] : "");
	for (int i = first; i < argc && i < first + USE_SLIP_NAMED; i++)
		if (json_array_append_new(paths, shown(argv[i])))
			app_no_memory();
	say(s, "id", json_string(id));
	say(s, "begun", now_json());
	say(s, "finished", json_null());
	say(s, "command", json_string(command));
	say(s, "what", selects && argc ? shown(argv[0]) : json_string(""));
	say(s, "paths", paths);
	say(s, "paths_total", json_integer(argc > first ? argc - first : 0));
	say(s, "to", shown(app->to));
	say(s, "operator", shown(operator));
	say(s, "host", shown(host.nodename));
	say(s, "medium", json_null());
	say(s, "label", json_null());
	say(s, "person", json_null());
	say(s, "exit", json_null());
	say(s, "drill", json_null());
	say(s, "envelope", app->envelope ? json_string(app->envelope) : json_null());
	free(operator);
}

/* The medium's own identity; a copy of its files may have none. */
static void say_medium(struct app *app)
{
	struct medium_expect want = {.repository = vault_r_repository(app->vault)};
	struct medium *m;

	want.keys = repository_keys(vault_r_facts(app->vault), &want.n_keys);
	if (medium_open(app->medium, &want, &m, NULL))
		return;
	say(app->slip, "medium", json_string(medium_uuid(m)));
	say(app->slip, "label", shown(medium_label(m)));
	medium_close(m);
}

static void say_person(struct app *app)
{
	uint32_t period = 0;
	const char *name = app->keyring ? keyring_person(app->keyring, &period) : "";

	if (*name)
		say(app->slip, "person", json_pack("{s:I, s:s}", "period", (json_int_t)period, "name", name));
}

/* The writer has what is to be written from now on. */
static void tell(struct app *app)
{
	struct slip *s = app->slip;
	BUF_AUTO b = BUF_INIT(PACKET);
	char comment[USE_SLIP_COMMENT];
	struct err err = ERR_INIT;
	const char *repository = vault_r_repository(app->vault);

	if (s->fd < 0)
		return;
	use_slip_comment(repository, json_string_value(json_object_get(s->members, "id")), comment);
	if (buf_puts(&b, comment, &err) || buf_puts(&b, "\n", &err) ||
	    use_slip_format(repository, s->members, &b, &err))
		s->why = err;
	else if (send(s->fd, b.p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n)
		err_sys(&s->why, "W-USE-01", errno, "%s", text("who is to write it cannot be told"));
}

/* ---- in order ---- */

static int start_writer(struct app *app, const char *path, const struct minisig_secret *key, struct err *err)
{
	struct slip *s = app->slip;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_sys(err, "W-USE-01", errno, "%s", text("no process can be started for it"));
	s->writer = fork();
	if (s->writer == 0) {
		close(pair[0]);
		serve(pair[1], path, key);
	}
	close(pair[1]);
	if (s->writer < 0) {
		close(pair[0]);
		return err_sys(err, "W-USE-01", errno, "%s", text("no process can be started for it"));
	}
	s->fd = pair[0];
	return 0;
}

int slip_begin(struct app *app, int argc, char **argv)
{
	struct minisig_secret *key = NULL;
	struct err err = ERR_INIT;
	char id[JOURNAL_UUID], *path;

	if (!app->n_identities || app->command->options & APP_NO_MEDIUM)
		return 0;
	if (app->sign_slip && secret_file_read(app->sign_slip, &key, &err))
		return app_error(&err, APP_FAILED);
	app->slip = calloc(1, sizeof(*app->slip));
	if (!app->slip || !(app->slip->members = json_object()))
		app_no_memory();
	app->slip->fd = -1;
	new_id(id);
	begin_members(app, id, argc, argv);
	path = slip_path(app, id, &app->slip->why);
	if (path)
		(void)!start_writer(app, path, key, &app->slip->why);
	free(path);
	secret_file_forget(key);
	return 0;
}

void slip_used(struct app *app)
{
	if (!app->slip)
		return;
	app->slip->used = true;
	say_medium(app);
	say_person(app);
	tell(app);
}

void slip_opened(struct app *app, const char *label)
{
	struct slip *s = app->slip;
	size_t n = s ? strlen(s->labels) : 0;

	if (!s)
		return;
	if (n < LABELS)
		snprintf(s->labels + n, sizeof(s->labels) - n, "%s%s", n ? ", " : "", label);
	else if (s->labels[n - 1] != '.')
		snprintf(s->labels + n, sizeof(s->labels) - n, ", ...");
	say(s, "what", json_string(s->labels));
	tell(app);
}

void slip_drill(struct app *app, json_t *drill)
{
	if (app->slip)
		say(app->slip, "drill", drill);
	else
		json_decref(drill);
}

/* What the writer says of it, once it has been told everything. */
static void hear(struct slip *s)
{
	struct err err = ERR_INIT;

	if (s->fd < 0)
		return;
	shutdown(s->fd, SHUT_WR);
	if (recv(s->fd, &err, sizeof(err), 0) != sizeof(err))
		err_set(&err, "W-USE-01", "%s", text("who was to write it has died"));
	if (err.code[0])
		s->why = err;
	while (waitpid(s->writer, NULL, 0) < 0 && errno == EINTR)
		;
}

int slip_end(struct app *app, int code)
{
	struct slip *s = app->slip;

	if (!s)
		return code;
	if (s->used) {
		say(s, "finished", now_json());
		say(s, "exit", json_integer(code));
		tell(app);
	}
	hear(s);
	if (s->used && s->why.code[0]) {
		snprintf(s->why.code, sizeof(s->why.code), "W-USE-01");
		err_wrap(&s->why, "%s", text("that the recovery key was used is not on record"));
		err_hint(&s->why, "%s",
		    text("write it down on paper, who, when and what for; name a place with --slip FILE the "
			 "next time"));
		app_error(&s->why, APP_ATTENTION);
		code = app_worse(code, APP_ATTENTION);
	}
	io_close_quietly(&s->fd);
	json_decref(s->members);
	free(s);
	app->slip = NULL;
	return code;
}
