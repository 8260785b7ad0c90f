/* keyring: the recovery identities of this run, from age identity files.
 *
 * keyring_new → keyring_add_file (any number) → keyring_identities → keyring_free, which wipes.
 *
 * A file may be a plain identity file ("AGE-SECRET-KEY-1…", comments allowed) or the same, encrypted with a
 * passphrase by `age -p`, binary or armoured.  "-" is standard input.  The passphrase comes from a struct
 * keyring_passphrase: the terminal (asked on /dev/tty with echo off, never on stdin) or a file's first line;
 * never from argv or the environment.
 *
 * Errors: E-KEY-01 the file cannot be read, E-KEY-02 it holds no identity (what it holds instead is said),
 * E-KEY-03 wrong passphrase, E-KEY-04 a passphrase is needed and there is no terminal, E-KEY-05 the
 * passphrase file cannot be used, E-KEY-06 too many identities.
 */
#ifndef BKP_READ_VAULT_KEYRING_H
#define BKP_READ_VAULT_KEYRING_H

#include <stddef.h>
#include <stdint.h>

struct age_identity;
struct err;

#define KEYRING_MAX	   256		     /* identities */
#define KEYRING_PASSPHRASE 1024		     /* bytes, NUL included */
#define KEYRING_FILE_MAX   ((size_t)1 << 20) /* bytes of an identity file */

/* Puts the passphrase for `file` into out (NUL-terminated).  0, or -1. */
struct keyring_passphrase {
	int (*get)(void *arg, const char *file, char out[KEYRING_PASSPHRASE], struct err *err);
	void *arg;
};

struct keyring;
struct keyring *keyring_new(void); /* NULL: out of memory */
void keyring_free(struct keyring *k);

/* Adds all identities of the file; on failure none of them is added. */
int keyring_add_file(struct keyring *k, const char *path, const struct keyring_passphrase *pass,
    struct err *err) __attribute__((warn_unused_result));
/* The same for bytes in memory; `name` is for messages. */
int keyring_add(struct keyring *k, const char *name, const void *p, size_t n,
    const struct keyring_passphrase *pass, struct err *err) __attribute__((warn_unused_result));

/* Takes out, and wipes, what was added last, down to n. */
void keyring_cut(struct keyring *k, size_t n);

/* Borrowed, valid until the next call that adds. *ret_n may be 0. */
const struct age_identity *keyring_identities(const struct keyring *k, size_t *ret_n);

/* Whose file of which period the identities opened, as keys/ names it; the first that is told is kept.  "": nobody was told. */
void keyring_opened_by(struct keyring *k, uint32_t period, const char *person);
const char *keyring_person(const struct keyring *k, uint32_t *ret_period);

/* Ready-made sources.  The first asks on the controlling terminal; the second reads the first line of a file
 * (arg of keyring_file is the path). */
int keyring_terminal(void *arg, const char *file, char out[KEYRING_PASSPHRASE], struct err *err);
int keyring_file(void *arg, const char *file, char out[KEYRING_PASSPHRASE], struct err *err);

#endif
