/* vouch: a generation is compared with every journal that was given: the copies on the media, and those of
 * --journal.
 *
 * A signature proves who signed, not when (read/verify/reported.h).  One journal that says otherwise is
 * enough to refuse the generation (E-VERIFY-12, E-VERIFY-13); where none reports it that is said
 * (W-VAULT-11), and the exit status is 1.
 *
 * circle: app, whose media and journals are asked, and which warns by it when a generation is opened.
 */
#ifndef RESTORE_APP_VOUCH_H
#define RESTORE_APP_VOUCH_H

struct app;
struct app_generation;
struct err;
struct reported;

/* Calls fn for each of them: path of the journal's medium or file, and what it says.  A file that cannot be
 * read, and out of memory: -1. */
typedef void vouch_fn(void *arg, const char *where, const struct reported *r);
int vouch_each(struct app *app, const struct app_generation *g, vouch_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));

/* 0 (app->unvouched is set, and said why, where none vouches), or the exit code after saying what is
 * wrong. */
int vouch_generation(struct app *app, const struct app_generation *g);

#endif
