/* output: how entries and strings are written to stdout, for people and as JSON. */
#ifndef RESTORE_APP_OUTPUT_H
#define RESTORE_APP_OUTPUT_H

struct catalog_item;
struct err;

/* A JSON string.  Bytes that are not UTF-8 are shown escaped as on a terminal (\ooo). */
void output_json(const char *s);
/* "name":"…" and, when s is not UTF-8, "name_b64":"…" with the very bytes. */
void output_json_name(const char *name, const char *s);
/* {"code":…,"message":…} */
void output_json_fault(const struct err *err);

/* One line like ls -l, followed by the flags of the catalog. */
void output_line(const struct catalog_item *item);
/* One object; dataset NULL: leave it out. */
void output_entry_json(const struct catalog_item *item, const char *dataset);
/* Prints s escaped for a terminal. */
void output_shown(const char *s);

#endif
