/* output: how entries and strings are written to stdout, for people and as JSON. */
#ifndef RESTORE_APP_OUTPUT_H
#define RESTORE_APP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

struct catalog_item;
struct err;

/* What of an entry is shown.  Borrowed from where it was taken. */
struct output_entry {
	const char *path, *link, *user, *group; /* raw bytes; all but path may be NULL */
	char letter;				/* as ls -l has it; 'h': a hard link */
	bool has_mtime;
	unsigned perm, flags; /* enum catalog_flag */
	unsigned major, minor;
	int64_t uid, gid, mtime;
	uint64_t size;
	long mtime_ns;
};
void output_entry_of(const struct catalog_item *item, struct output_entry *ret);

/* A JSON string.  Bytes that are not UTF-8 are shown escaped as on a terminal (\ooo). */
void output_json(const char *s);
/* "name":"…" and, when s is not UTF-8, "name_b64":"…" with the very bytes. */
void output_json_name(const char *name, const char *s);
/* {"code":…,"message":…} */
void output_json_fault(const struct err *err);

/* One line like ls -l, followed by the flags of the catalog. */
void output_line(const struct catalog_item *item);
void output_entry_line(const struct output_entry *e);
/* One object; dataset NULL: leave it out. */
void output_entry_json(const struct catalog_item *item, const char *dataset);
/* The members of such an object but for the path, without braces. */
void output_members_json(const struct output_entry *e);
/* Prints s escaped for a terminal. */
void output_shown(const char *s);

#endif
