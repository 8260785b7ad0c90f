/* generation_private: JSON helpers shared by manifest.c and root.c; see generation.h. */
#ifndef BKP_FORMAT_MEDIUM_GENERATION_PRIVATE_H
#define BKP_FORMAT_MEDIUM_GENERATION_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct buf;
struct err;
struct generation_dataset;
struct generation_id;

void generation_dataset_clear(struct generation_dataset *d); /* frees what it holds, not itself */

/* Members of a parsed object; each false/-1 when absent or of another type.  Numbers are 0 … INT64_MAX. */
bool generation_json_u64(const json_t *o, const char *key, uint64_t *ret);
bool generation_json_time(const json_t *o, const char *key, int64_t *ret_ns);
bool generation_json_sha256(const json_t *o, const char *key, uint8_t *ret);
/* A malloc'd copy of a string member; *ret stays when it is false.  _or_none: absent and null are good too,
 * and leave *ret as it is; anything but a string is not. */
bool generation_json_text(const json_t *o, const char *key, char **ret);
bool generation_json_text_or_none(const json_t *o, const char *key, char **ret);
/* What manifest and root say alike of a data set: verdict (good or partial), entries, files, bytes.  Its name is id's. */
bool generation_json_dataset(const json_t *o, const struct generation_id *id, struct generation_dataset *ret);
/* kind, format 1, repository, dataset, generation, uuid. */
bool generation_json_id(const json_t *o, const char *kind, struct generation_id *ret);

/* Serialises and frees `o` (NULL: out of memory) as one line with a newline. */
int generation_json_line(json_t *o, struct buf *out, struct err *err);

#endif
