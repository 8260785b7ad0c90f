/* root_key: what is typed as --root-key where the public one is meant. */
#ifndef BKP_CMD_APP_ROOT_KEY_H
#define BKP_CMD_APP_ROOT_KEY_H

struct err;

/* Is it the name of the file with the secret key?  -1: it is, and err (with that code) says so; else 0. */
int root_key_refuse_secret(const char *word, const char *code, struct err *err)
    __attribute__((warn_unused_result));

/* The public one: its text, or a file with it.  0, or -1: E-SIG-05. */
struct minisig_public;
int root_key_read(const char *word, struct minisig_public *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
