/* verify_fault: faults that another thread found, word for word and in little room; see verify.h.
 *
 * A record in the buffer: number, errnum, code, message and hint (each with its NUL), whether a path follows,
 * the path.  struct err itself is over a kilobyte, and a dead disk has a fault for each chunk.
 */
#include <string.h>

#include "read/verify/verify_private.h"

int verify_fault_keep(
    struct buf *b, uint64_t number, const char *path, const struct err *fault, struct err *err)
{
	uint8_t has_path = path != NULL;

	if (buf_append(b, &number, sizeof(number), err) ||
	    buf_append(b, &fault->errnum, sizeof(fault->errnum), err) ||
	    buf_append(b, fault->code, strlen(fault->code) + 1, err) ||
	    buf_append(b, fault->msg, strlen(fault->msg) + 1, err) ||
	    buf_append(b, fault->hint, strlen(fault->hint) + 1, err) || buf_append(b, &has_path, 1, err) ||
	    (path && buf_append(b, path, strlen(path) + 1, err)))
		return -1;
	return 0;
}

static void take_text(const struct buf *b, size_t *pos, char *out)
{
	size_t n = strlen((const char *)b->p + *pos) + 1;

	memcpy(out, b->p + *pos, n);
	*pos += n;
}

bool verify_fault_next(
    const struct buf *b, size_t *pos, uint64_t *ret_number, const char **ret_path, struct err *ret_fault)
{
	if (*pos == b->n)
		return false;
	memcpy(ret_number, b->p + *pos, sizeof(*ret_number));
	*pos += sizeof(*ret_number);
	memcpy(&ret_fault->errnum, b->p + *pos, sizeof(ret_fault->errnum));
	*pos += sizeof(ret_fault->errnum);
	take_text(b, pos, ret_fault->code);
	take_text(b, pos, ret_fault->msg);
	take_text(b, pos, ret_fault->hint);
	*ret_path = NULL;
	if (b->p[(*pos)++]) {
		*ret_path = (const char *)b->p + *pos;
		*pos += strlen(*ret_path) + 1;
	}
	return true;
}
