/* passphrase_ask: see passphrase_ask.h.
 *
 * While echo is off the signals that could end or stop the program are blocked and watched through a signalfd; the terminal
 * is restored before they are let through.  So no signal leaves a terminal without echo. */
#include "read/vault/passphrase_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/passphrase.h"
#include "read/vault/keyring.h"

#define TRIES 3

_Static_assert(PASSPHRASE_MAX == KEYRING_PASSPHRASE, "both read the same file");

/* Cuts at the end of the line.  0, -1: it did not end within the buffer. */
static int first_line(char *s, size_t n, struct err *err)
{
	size_t len;

	s[n] = '\0';
	len = strcspn(s, "\r\n");
	if (len == PASSPHRASE_MAX - 1)
		return err_set(err, "E-PASS-03", "%s", text("the passphrase is too long"));
	s[len] = '\0';
	return 0;
}

/* What can end or stop the program while echo is off. */
static void deadly_signals(sigset_t *set)
{
	static const int list[] = {
	    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM, SIGPIPE};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		sigaddset(set, list[i]);
}

/* One line from the terminal.  Length, 0 when a signal is waiting, -1. */
static ssize_t wait_line(int tty, int signals, char *out)
{
	struct pollfd fds[2] = {{.fd = tty, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	ssize_t n;

	do
		n = poll(fds, 2, -1);
	while (n < 0 && errno == EINTR);
	if (n < 0 || (fds[1].revents & POLLIN))
		return n < 0 ? -1 : 0;
	return read(tty, out, PASSPHRASE_MAX - 1);
}

static int no_terminal(int errnum, struct err *err)
{
	err_sys(err, "E-PASS-01", errnum, "%s", text("the terminal cannot be used"));
	return err_kind(err, ERR_FATAL);
}

/* Signals are held back while echo is off and arrive when the terminal is itself again: those that end the
 * program end it then; after those that stop it (^Z) the question is asked again.  As wait_line(). */
static ssize_t ask_once(int tty, const char *prompt, char *out, struct err *err)
{
	struct termios was, quiet;
	sigset_t hold, before;
	ssize_t n = -1;
	int errnum, signals;

	if (tcgetattr(tty, &was))
		return no_terminal(errno, err);
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ICANON | ISIG;
	deadly_signals(&hold);
	signals = signalfd(-1, &hold, SFD_CLOEXEC);
	sigprocmask(SIG_BLOCK, &hold, &before);
	if (signals >= 0 && !tcsetattr(tty, TCSAFLUSH, &quiet)) {
		dprintf(tty, "%s: ", prompt);
		n = wait_line(tty, signals, out);
		dprintf(tty, "\n");
	}
	errnum = errno;
	tcsetattr(tty, TCSAFLUSH, &was);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (signals >= 0)
		close(signals);
	return n < 0 ? no_terminal(errnum, err) : n;
}

/* Text into `out`, which may be "".  proposed: or NULL.  0, -1. */
static int ask(const char *prompt, const char *proposed, char *out, struct err *err)
{
	IO_FD_AUTO tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	ssize_t n;
	int again = 0;

	if (tty < 0) {
		err_set_kind(err, ERR_FATAL, "E-PASS-01", "%s",
		    text("there is no terminal to ask for a passphrase on"));
		return err_hint(err, "%s", text("run it from a terminal, or use --passphrase-file FILE"));
	}
	if (proposed)
		dprintf(tty, text("Proposed (20 random characters; the dashes belong to it):\n\n    %s\n\n"),
		    proposed);
	do
		n = ask_once(tty, prompt, out, err);
	while (n == 0 && ++again < TRIES);
	return n < 0 ? -1 : first_line(out, (size_t)n, err);
}

/* The proposed one may be taken; what is typed instead must obey the rule. */
static int ask_twice(const char *prompt, const char *proposed, const char *site, char *out, struct err *err)
{
	char *second = sodium_malloc(PASSPHRASE_MAX);
	int r;

	if (!second)
		return err_nomem(err);
	r = ask(prompt, proposed, out, err);
	if (!r && !*out)
		memcpy(out, proposed, PASSPHRASE_PROPOSED);
	else if (!r)
		r = passphrase_check(out, site, err);
	if (!r)
		r = ask(text("the same again"), NULL, second, err);
	if (!r && strcmp(out, second) != 0)
		r = err_set(err, "E-PASS-05", "%s", text("the two passphrases differ"));
	sodium_free(second);
	return r;
}

static int from_terminal(
    const char *prompt, const char *site, const struct age_random *rnd, char *out, struct err *err)
{
	char proposed[PASSPHRASE_PROPOSED];
	struct err why = ERR_INIT;
	int r = -1;

	passphrase_propose(rnd, proposed);
	for (int i = 0; i < TRIES && r; i++) {
		r = ask_twice(prompt, proposed, site, out, &why);
		if (r && (why.kind == ERR_FATAL || why.kind == ERR_MEMORY))
			break;
		if (r && i + 1 < TRIES)
			fprintf(stderr, "%s\n%s%s", why.msg, why.hint, why.hint[0] ? "\n" : "");
	}
	sodium_memzero(proposed, sizeof(proposed));
	if (r && err)
		*err = why;
	return r;
}

int passphrase_ask_new(const char *file, const char *prompt, const char *site, const struct age_random *rnd,
    char *out, struct err *err)
{
	char question[256];

	if (file)
		return keyring_file((void *)(uintptr_t)file, file, out, err) ||
			       passphrase_check(out, site, err)
			   ? -1
			   : 0;
	snprintf(question, sizeof(question), text("%s (Enter alone takes the proposed one)"), prompt);
	return from_terminal(question, site, rnd, out, err);
}
