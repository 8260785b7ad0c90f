/* path: names of any bytes.
 *
 * File names are bytes, not text (CP932, EUC-JP and invalid UTF-8 exist on real servers).  They are stored
 * and compared as bytes; only for display are they escaped.
 *
 * Entry paths inside a data set are relative, without a leading '/', without empty, "." or ".." components.
 */
#ifndef BKP_BASE_PATH_H
#define BKP_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* The order of entries in a catalog: component by component, each as unsigned bytes; equivalently byte order
 * with '/' sorting before every other byte.  So a folder comes directly before all that is in it. */
int path_compare(const char *a, const char *b) __attribute__((nonnull));

/* True when `path` is `dir` or lies below it. */
bool path_within(const char *path, const char *dir) __attribute__((nonnull));

/* True for a well-formed entry path (see above) of at least one byte: the check that keeps hostile catalogs
 * inside the target. */
bool path_is_entry(const char *path) __attribute__((nonnull));

/* Appends `s` for display: valid UTF-8 that is printable stays, every other byte becomes \ooo (as `ls -b`), a
 * backslash becomes \\.  Safe on a terminal. */
int path_display(const char *s, struct buf *out, struct err *err);

/* path_display() into a fixed buffer, cut with "..." when longer; returns out. */
char *path_show(const char *s, char *out, size_t size);

/* As one word of a command that a person copies into a shell: in quotes where it needs them; "?" where it
 * cannot be shown as it is. */
char *path_word(const char *s, char *out, size_t size);

/* RFC 3986 percent-encoding of every byte except A-Z a-z 0-9 - . _ ~ and '/': one line of ASCII without spaces. */
int path_encode(const char *s, struct buf *out, struct err *err);
/* The inverse.  -1 with E-PATH-01 when malformed (also an encoded NUL); `out` is NUL-terminated, the NUL not
 * counted. */
int path_decode(const char *s, size_t n, struct buf *out, struct err *err);

#endif
