/* known_bad_file: known_bad.h of a file; the user's own, a pipe will do. */
#ifndef RESTORE_BISECT_KNOWN_BAD_FILE_H
#define RESTORE_BISECT_KNOWN_BAD_FILE_H

#include "restore/bisect/known_bad.h"

/* Errors: E-IO-01, -02, and those of known_bad.h, with the file's name. */
int known_bad_file(const char *path, known_bad_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));

#endif
