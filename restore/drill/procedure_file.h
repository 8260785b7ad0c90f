/* procedure_file: reads a procedure, or answers to one, from a file named on the command line; everything
 * that is wrong is said on stderr, each with file:line:column. */
#ifndef RESTORE_DRILL_PROCEDURE_FILE_H
#define RESTORE_DRILL_PROCEDURE_FILE_H

struct attest;
struct config_problems;
struct procedure;

/* 0 or the exit code.  problems: kept for the caller, or NULL. */
int procedure_file(const char *file, struct procedure **ret, struct config_problems *problems);
int procedure_file_attest(const char *file, const struct procedure *p, struct attest **ret);

#endif
