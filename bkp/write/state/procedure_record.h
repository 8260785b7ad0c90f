/* procedure_record: which recovery procedures are in force, for the journal: a procedure that was edited after its last drill is not
 * proved as it stands (未検証).
 *
 * A record `procedures` is appended when the policy's files are others than those recorded last.  One that cannot be read, or is none,
 * is left out: the documents of media tell why (E-DOCS-02), and a drill of it counts no more.
 */
#ifndef BKP_WRITE_STATE_PROCEDURE_RECORD_H
#define BKP_WRITE_STATE_PROCEDURE_RECORD_H

struct err;
struct policy;
struct procedure;
struct state;

int procedure_record(struct state *s, const struct policy *policy, struct err *err)
    __attribute__((warn_unused_result));

/* One of the policy's files; the caller's.  NULL: it cannot be read, or is none. */
struct procedure *procedure_record_read(const char *path);

#endif
