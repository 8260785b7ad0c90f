/* age_aside: stock `age` (read/vault/age_tool.h) for a program that may start none any more.
 *
 * confine_command() takes away the starting of programs before anything of a medium is read, and would take the token's device away from a
 * plug-in.  So a second process is forked before that, which does two things when it is asked, and ends with this one: it opens an age file
 * with one of the identities that the person named, and, where `seal` says so, encrypts to a recipient that stock age knows.
 *
 * age_aside_start(), before confine_command() and before there are threads → age_aside_open() as a keyring_age_fn, age_aside_seal() as a
 * period_seal_fn, one thread at a time → age_aside_end().  Errors: those of age_tool.h; E-AGE-11 also when that process is gone.
 */
#ifndef RESTORE_APP_AGE_ASIDE_H
#define RESTORE_APP_AGE_ASIDE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

struct age_aside;
/* identities: n names of files, as they will be asked for. */
int age_aside_start(const char *const *identities, size_t n, bool seal, struct age_aside **ret,
    struct err *err) __attribute__((warn_unused_result));
int age_aside_open(
    void *aside, const char *identity, const void *p, size_t n, struct buf *out, struct err *err);
int age_aside_seal(
    void *aside, const char *recipient, const void *p, size_t n, struct buf *out, struct err *err);
void age_aside_end(struct age_aside *a);

#endif
