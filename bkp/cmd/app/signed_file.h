/* signed_file: files that travel to a person who signs, and come back. */
#ifndef BKP_CMD_APP_SIGNED_FILE_H
#define BKP_CMD_APP_SIGNED_FILE_H

struct buf;
struct err;

/* Appends the file to `out`.  0, -1. */
int signed_file_read(const char *path, struct buf *out, struct err *err);
/* A new file; one that is there stays.  0, -1. */
int signed_file_write(const char *path, const struct buf *b, struct err *err);

#endif
