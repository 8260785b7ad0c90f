/* keyring: see keyring.h.
 *
 * Secrets stand in k->ids (one allocation for good, locked into memory where the limit allows, wiped by
 * sodium_munlock), in the contents of files (BUF_SECRET_AUTO: wiped on every way out, reserved whole so that
 * growing leaves no copies), and in the passphrase on decrypt_identity_file()'s stack, wiped when it was
 * used.
 */
#include "read/vault/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/medium/period.h"
#include "read/vault/age_tool.h"

#define CTRL_C	 3
#define WORK_MAX 22 /* scrypt, 2^22: about a minute; age writes 18, a hostile file may ask for more */

struct keyring {
	struct age_identity *ids;
	size_t n;
	char *files[KEYRING_FILES]; /* for stock age */
	size_t n_files;
	keyring_age_fn *age;
	void *age_arg;
	uint32_t period;
	char person[PERIOD_NAME];
};

struct keyring *keyring_new(void)
{
	struct keyring *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	/* one allocation for good: growing would leave copies of secrets behind */
	k->ids = calloc(KEYRING_MAX, sizeof(*k->ids));
	if (!k->ids) {
		free(k);
		return NULL;
	}
	k->age = age_tool_open;
	(void)sodium_mlock(
	    k->ids, KEYRING_MAX * sizeof(*k->ids)); /* best effort: RLIMIT_MEMLOCK may be small */
	return k;
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	sodium_munlock(k->ids, KEYRING_MAX * sizeof(*k->ids)); /* wipes */
	free(k->ids);
	for (size_t i = 0; i < k->n_files; i++)
		free(k->files[i]);
	free(k);
}

const struct age_identity *keyring_identities(const struct keyring *k, size_t *ret_n)
{
	*ret_n = k->n;
	return k->ids;
}

void keyring_cut(struct keyring *k, size_t n)
{
	if (n >= k->n)
		return;
	sodium_memzero(&k->ids[n], (k->n - n) * sizeof(*k->ids));
	k->n = n;
}

void keyring_opened_by(struct keyring *k, uint32_t period, const char *person)
{
	if (k->period)
		return;
	k->period = period;
	snprintf(k->person, sizeof(k->person), "%s", person);
}

const char *keyring_person(const struct keyring *k, uint32_t *ret_period)
{
	*ret_period = k->period;
	return k->person;
}

static bool contains(const void *p, size_t n, const char *word)
{
	return memmem(p, n, word, strlen(word)) != NULL;
}

static bool is_for_age(const void *p, size_t n)
{
	return contains(p, n, "AGE-PLUGIN-") ||
	       (n > 11 && !memcmp(p, "-----BEGIN ", 11) && contains(p, n, "PRIVATE KEY-----"));
}

/* Says what the file is instead of an identity file, when that can be told. */
static int not_identities(const char *name, const void *p, size_t n, struct err *err)
{
	if (contains(p, n, "AGE-PLUGIN-"))
		err_set(err, "E-KEY-02",
		    text("'%s' holds an identity of an age plugin, which cannot be used here"), name);
	else if (is_for_age(p, n))
		err_set(err, "E-KEY-02", text("'%s' is an SSH key, not an age identity"), name);
	else if (contains(p, n, "age1"))
		err_set(err, "E-KEY-02",
		    text("'%s' holds a recipient (age1…), which can only encrypt, not an identity"), name);
	else
		err_set(err, "E-KEY-02", text("'%s' is not an identity file"), name);
	if (is_for_age(p, n))
		return err_hint(
		    err, "%s", text("'age' reads such an identity by itself: give a file that is no pipe"));
	return err_hint(err, "%s",
	    text("an identity file has a line AGE-SECRET-KEY-1…, or is such a file encrypted by 'age -p'"));
}

static int take_plain(struct keyring *k, const char *name, const void *p, size_t n, struct err *err)
{
	struct err why = ERR_INIT;
	struct age_identity *ids;
	size_t got, i, j;

	if (age_identities_parse(p, n, &ids, &got, &why)) {
		if (contains(p, n, "AGE-SECRET-KEY-1"))
			return err_set(
			    err, "E-KEY-02", text("'%s' holds a damaged identity: %s"), name, why.msg);
		return not_identities(name, p, n, err);
	}
	if (!got) {
		age_identities_free(ids, got);
		return not_identities(name, p, n, err);
	}
	if (got > KEYRING_MAX - k->n) {
		age_identities_free(ids, got);
		return err_set(err, "E-KEY-06", text("more than %d identities"), KEYRING_MAX);
	}
	for (i = 0; i < got; i++) {
		for (j = 0; j < k->n && sodium_memcmp(&k->ids[j], &ids[i], sizeof(ids[i])) != 0; j++)
			;
		if (j == k->n)
			k->ids[k->n++] = ids[i];
	}
	age_identities_free(ids, got);
	return 0;
}

static int decrypt_identity_file(const char *name, const void *p, size_t n,
    const struct keyring_passphrase *pass, struct buf *out, struct err *err)
{
	char phrase[KEYRING_PASSPHRASE] = "";
	struct age_header *h;
	size_t len;
	bool scrypt;
	int r = age_header_parse(p, n, &h, &len, err);

	if (r)
		return r == AGE_MORE ? err_set(err, "E-KEY-02", text("'%s' ends too early"), name)
				     : err_wrap(err, "'%s'", name);
	scrypt = age_header_is_scrypt(h);
	age_header_free(h);
	if (!scrypt) {
		err_set(
		    err, "E-KEY-02", text("'%s' is encrypted for a recipient, not with a passphrase"), name);
		return err_hint(
		    err, "%s", text("decrypt it with 'age -d' first, or give the identity itself"));
	}
	if (!pass)
		return err_set(err, "E-KEY-04", text("'%s' needs a passphrase"), name);
	r = pass->get(pass->arg, name, phrase, err);
	if (!r) {
		r = age_decrypt_scrypt(p, n, phrase, WORK_MAX, out, err);
		if (r && err && err->kind == ERR_WRONG_KEY) {
			err_set(err, "E-KEY-03", text("the passphrase of '%s' is wrong"), name);
			err_hint(err, "%s",
			    text("mind upper and lower case and the keyboard layout, and try again"));
		} else if (r) {
			err_wrap(err, "'%s'", name);
		}
	}
	sodium_memzero(phrase, sizeof(phrase));
	return r ? -1 : 0;
}

int keyring_add(struct keyring *k, const char *name, const void *p, size_t n,
    const struct keyring_passphrase *pass, struct err *err)
{
	BUF_SECRET_AUTO plain = BUF_INIT(KEYRING_FILE_MAX);
	BUF_AUTO binary = BUF_INIT(KEYRING_FILE_MAX);

	if (age_is_armored(p, n)) {
		if (age_dearmor(p, n, &binary, err)) {
			err_wrap(err, "'%s'", name);
			return -1;
		}
		p = binary.p;
		n = binary.n;
		if (!age_is_age(p, n))
			return not_identities(name, p, n, err);
	}
	if (!age_is_age(p, n))
		return take_plain(k, name, p, n, err);
	/* room at once: growing would leave copies of the secret behind */
	if (buf_reserve(&plain, n + 1, err) || decrypt_identity_file(name, p, n, pass, &plain, err))
		return -1;
	return take_plain(k, name, plain.p, plain.n, err);
}

static int read_all(int fd, const char *name, struct buf *out, struct err *err)
{
	ssize_t got;

	if (buf_reserve(out, out->max, err))
		return -1;
	got = io_read_full(fd, out->p, out->max);
	if (got < 0)
		return err_sys(err, "E-KEY-01", errno, text("cannot read identity file '%s'"), name);
	if ((size_t)got == out->max)
		return err_set(err, "E-KEY-02", text("'%s' is too large to be an identity file"), name);
	out->n = (size_t)got;
	return 0;
}

static int keep_file(struct keyring *k, const char *path, struct err *err)
{
	if (k->n_files == KEYRING_FILES)
		return err_set(err, "E-KEY-06", text("more than %d identities"), KEYRING_FILES);
	k->files[k->n_files] = strdup(path);
	if (!k->files[k->n_files])
		return err_nomem(err);
	k->n_files++;
	return 0;
}

static bool is_regular(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

bool keyring_wants_age(const char *path)
{
	BUF_SECRET_AUTO raw = BUF_INIT(KEYRING_FILE_MAX);
	struct stat st;
	/* a pipe is not even opened: its writer would be told that nobody reads any more */
	IO_FD_AUTO fd =
	    stat(path, &st) || !S_ISREG(st.st_mode) ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd >= 0 && !read_all(fd, path, &raw, NULL) && is_for_age(raw.p, raw.n);
}

void keyring_use_age(struct keyring *k, keyring_age_fn *open, void *arg)
{
	k->age = open;
	k->age_arg = arg;
}

static bool is_scrypt(const void *p, size_t n)
{
	struct age_header *h;
	size_t len;
	bool yes = age_header_parse(p, n, &h, &len, NULL) == 0;

	if (yes) {
		yes = age_header_is_scrypt(h);
		age_header_free(h);
	}
	return yes;
}

int keyring_open(const struct keyring *k, const void *p, size_t n, struct buf *out, struct err *err)
{
	struct err why = ERR_INIT;
	int r = age_decrypt(p, n, k->ids, k->n, out, err);

	for (size_t i = 0; r == AGE_NO_MATCH && i < k->n_files && !is_scrypt(p, n); i++)
		if (!k->age(k->age_arg, k->files[i], p, n, out, &why))
			return 0;
	if (r == AGE_NO_MATCH && why.code[0] && why.kind != ERR_WRONG_KEY) {
		if (err)
			*err = why;
		return -1;
	}
	return r;
}

int keyring_add_file(
    struct keyring *k, const char *path, const struct keyring_passphrase *pass, struct err *err)
{
	BUF_SECRET_AUTO raw = BUF_INIT(KEYRING_FILE_MAX);
	IO_FD_AUTO fd = -1;

	if (!strcmp(path, "-")) {
		if (read_all(STDIN_FILENO, text("standard input"), &raw, err))
			return -1;
		return keyring_add(k, text("standard input"), raw.p, raw.n, pass, err);
	}
	/* a named pipe is welcome here (process substitution), a link too: the person who runs this named it
	 */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		err_sys(err, "E-KEY-01", errno, text("cannot open identity file '%s'"), path);
		if (!strncmp(path, "AGE-SECRET-KEY-1", 16))
			err_set(err, "E-KEY-01", "%s",
			    text("--identity takes the name of a file, never the secret itself"));
		else
			err_hint(
			    err, "%s", text("see that what holds the identity is mounted, and the name"));
		return -1;
	}
	if (read_all(fd, path, &raw, err))
		return -1;
	if (is_for_age(raw.p, raw.n) && is_regular(fd))
		return keep_file(k, path, err);
	return keyring_add(k, path, raw.p, raw.n, pass, err);
}

/* ---- where passphrases come from ---- */

int keyring_file(void *arg, const char *file, char out[KEYRING_PASSPHRASE], struct err *err)
{
	const char *path = arg;
	IO_FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	(void)file;
	if (fd < 0)
		return err_sys(err, "E-KEY-05", errno, text("cannot open passphrase file '%s'"), path);
	n = io_read_full(fd, out, KEYRING_PASSPHRASE);
	if (n < 0)
		return err_sys(err, "E-KEY-05", errno, text("cannot read passphrase file '%s'"), path);
	if (n == KEYRING_PASSPHRASE && !memchr(out, '\n', (size_t)n))
		return err_set(err, "E-KEY-05", text("the passphrase in '%s' is too long"), path);
	out[n < KEYRING_PASSPHRASE ? n : n - 1] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	if (!out[0])
		return err_set(
		    err, "E-KEY-05", text("the first line of passphrase file '%s' is empty"), path);
	return 0;
}

/* Reads one line with echo off.  Signals are held back meanwhile, so that ^C cannot leave the terminal
 * silent; it is read as a character that ends the line. */
static int read_silently(int tty, char *out, size_t size)
{
	struct termios was, quiet;
	sigset_t block, before;
	ssize_t n = -1;
	size_t len = 0;
	int saved;

	sigemptyset(&block);
	sigaddset(&block, SIGTSTP);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &before);
	if (!tcgetattr(tty, &was)) {
		quiet = was;
		quiet.c_lflag = (quiet.c_lflag & ~(tcflag_t)(ECHO | ISIG)) | ECHONL | ICANON;
		quiet.c_cc[VEOL] = CTRL_C;
		if (!tcsetattr(tty, TCSAFLUSH, &quiet)) {
			while (len < size && (n = read(tty, out + len, 1)) == 1 && out[len] != '\n' &&
			       out[len] != CTRL_C)
				len++;
			saved = errno;
			tcsetattr(tty, TCSAFLUSH, &was);
			errno = saved;
		}
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (n <= 0 || len == size || out[len] == CTRL_C)
		return -1;
	out[len] = '\0';
	return 0;
}

int keyring_terminal(void *arg, const char *file, char out[KEYRING_PASSPHRASE], struct err *err)
{
	BUF_AUTO prompt = BUF_INIT(8192);
	IO_FD_AUTO tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)arg;
	if (tty < 0) {
		err_set(err, "E-KEY-04", text("'%s' needs a passphrase and there is no terminal to ask on"),
		    file);
		return err_hint(err, "%s", text("give --passphrase-file FILE"));
	}
	if (buf_printf(&prompt, err, text("Passphrase of '%s': "), file))
		return -1;
	if (io_write_full(tty, prompt.p, prompt.n) || read_silently(tty, out, KEYRING_PASSPHRASE))
		return err_set(err, "E-KEY-04", "%s", text("no passphrase was entered"));
	return 0;
}
