/* signed_file: files that travel to a person who signs, and come back. */
#ifndef BKP_CMD_APP_SIGNED_FILE_H
#define BKP_CMD_APP_SIGNED_FILE_H

struct buf;
struct err;
struct policy;
struct policy_person;

/* Appends the file to `out`.  0, -1. */
int signed_file_read(const char *path, struct buf *out, struct err *err);
/* A new file; one that is there stays.  0, -1. */
int signed_file_write(const char *path, const struct buf *b, struct err *err);

/* Which person of the policy has signed it with a key that stands there?  0, or -1: E-USE-04. */
int signed_file_person(const struct policy *policy, const struct buf *statement, const struct buf *signature,
    const struct policy_person **ret, struct err *err);

#endif
