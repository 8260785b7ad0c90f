/* replaced: files of a medium that were not what was written there, and that a command writes again.
 *
 *     replaced_add() for each → replaced_tell()
 *
 * What bkp itself changes (newer content, what a run that was killed left) is not among them.  The journal gets
 * one record "repaired" of them all, a person W-DOCS-05.  If the process dies before that the files are mended
 * and nobody is told: what was there is gone.
 */
#ifndef BKP_WRITE_MEDIA_REPLACED_H
#define BKP_WRITE_MEDIA_REPLACED_H

#include <stdint.h>

struct err;
struct json_t;
struct medium;
struct state;

struct replaced {
	struct json_t *files; /* paths on the medium, the first hundred; NULL: none */
	uint64_t count;	      /* of all */
};

/* r may be NULL: whoever called finds them in another way. */
void replaced_add(struct replaced *r, const char *path);
/* Records them and forgets them.  *ret_said becomes W-DOCS-05, and is not touched when there were none.  0, -1. */
int replaced_tell(struct replaced *r, struct state *s, const struct medium *m, struct err *ret_said,
    struct err *err) __attribute__((warn_unused_result));
void replaced_free(struct replaced *r);

#endif
