/* session: what a drill and a recovery hold from their beginning to their end, and what both find out before they begin.
 *
 * session_begin() (no medium is needed) → the vault, the identities, interrupts held → scratch, session_about() → prepare.h → … →
 * session_end().
 *
 * Errors: E-DRILL-07 a question has no answer and nobody can be asked.
 */
#ifndef RESTORE_DRILL_SESSION_H
#define RESTORE_DRILL_SESSION_H

struct app;
struct buf;
struct app_generation;
struct attest;
struct drill;
struct err;
struct interrupt;
struct procedure;
struct scratch;
struct variables;

struct session {
	struct app *app;
	const char *file;
	struct procedure *procedure;
	struct variables *variables;
	struct attest *attest; /* or NULL */
	struct drill *d;
	struct scratch *scratch;
	struct interrupt *interrupt;
	struct app_generation *generation; /* room for one a step */
};

/* Procedure, variables, answers.  0 or the exit code. */
int session_begin(struct session *s);
/* E-DRILL-07 unless all questions have an answer, or a person can be asked. */
int session_answered(const struct session *s, struct err *err) __attribute__((warn_unused_result));
/* The medium, and who may do what: opens the vault and the identities while ^C still ends the program, then holds interrupts.  0 or the
 * exit code. */
int session_open(struct session *s);
/* Who, where, from which medium; the engine's variables.  Needs the scratch folder. */
int session_about(struct session *s, struct err *err) __attribute__((warn_unused_result));
/* What the medium that is read first says of itself. */
int session_medium(struct session *s, struct err *err) __attribute__((warn_unused_result));
void session_end(struct session *s);

/* FILE.minisig of what was recorded, by --sign-slip, so that the host knows who brings it; 0 also where no key was named. */
int session_sign(const struct session *s, const char *name, const char *comment, const struct buf *json,
    struct err *err) __attribute__((warn_unused_result));

#endif
