/* holes: which parts of an open regular file hold data and which are holes, by SEEK_DATA and SEEK_HOLE.
 *
 * holes_begin → holes_next until HOLES_END.  The parts cover 0…size without gaps in ascending order; no part
 * is empty.  A file system that cannot tell says "all data".  The file offset of `fd` is moved: read with
 * pread.
 *
 * The file may change meanwhile: what is reported is then some mixture, still covering 0…size; a part said to
 * be data may end early when it is read.  That the file changed is for the caller to notice (mtime, ctime,
 * size).
 *
 * Errors: E-IO-02 the file cannot be looked at.
 */
#ifndef BKP_WRITE_SOURCE_HOLES_H
#define BKP_WRITE_SOURCE_HOLES_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum holes_kind { HOLES_DATA, HOLES_HOLE };

struct holes {
	int fd;
	uint64_t pos, size;
	bool blind; /* the file system cannot tell */
};

struct holes_part {
	enum holes_kind kind;
	uint64_t offset, length; /* bytes, length ≥1 */
};

/* `size`: st_size; nothing after it is reported. */
void holes_begin(struct holes *h, int fd, uint64_t size);
#define HOLES_END 1
int holes_next(struct holes *h, struct holes_part *ret, struct err *err);

#endif
