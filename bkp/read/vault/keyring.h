/* keyring: the recovery identities of this run, from age identity files.
 *
 * keyring_new → keyring_add_file (any number) → keyring_identities → keyring_free, which wipes.
 *
 * A file may be a plain identity file ("AGE-SECRET-KEY-1…", comments allowed) or the same, encrypted with a
 * passphrase by `age -p`, binary or armoured.  "-" is standard input.  The passphrase comes from a struct
 * keyring_passphrase: the terminal (asked on /dev/tty with echo off, never on stdin) or a file's first line;
 * never from argv or the environment.
 *
 * A file with an SSH key or with a plug-in's identity (AGE-PLUGIN-…) is kept by its name, for stock `age` reads it by itself
 * (age_tool.h): keyring_open() gives it what none of the other identities opens.
 *
 * Errors: E-KEY-01 the file cannot be read, E-KEY-02 it holds no identity (what it holds instead is said),
 * E-KEY-03 wrong passphrase, E-KEY-04 a passphrase is needed and there is no terminal, E-KEY-05 the
 * passphrase file cannot be used, E-KEY-06 too many identities.
 */
#ifndef BKP_READ_VAULT_KEYRING_H
#define BKP_READ_VAULT_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct age_identity;
struct buf;
struct err;

#define KEYRING_MAX	   256		     /* identities */
#define KEYRING_FILES	   32		     /* that stock age reads */
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

/* Is it a file that stock `age` has to read?  A pipe is none: it can be read once. */
bool keyring_wants_age(const char *path);
/* How `age` is called: age_tool_open(), or what stands for it where this process may not start programs. */
typedef int keyring_age_fn(
    void *arg, const char *identity, const void *p, size_t n, struct buf *out, struct err *err);
void keyring_use_age(struct keyring *k, keyring_age_fn *open, void *arg);
/* Opens one age file, KEYRING_FILE_MAX bytes at most, by whatever identity fits; out holds a secret and is to be reserved and wiped by the
 * caller.  0; AGE_NO_MATCH: none fits; -1. */
int keyring_open(const struct keyring *k, const void *p, size_t n, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

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
