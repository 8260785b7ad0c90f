/* holes: see holes.h. */
#include "write/source/holes.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"

void holes_begin(struct holes *h, int fd, uint64_t size)
{
	*h = (struct holes){fd, 0, size, false};
}

/* Where, from pos on, the next data (or hole) begins; `size` when there is none before it. */
static int seek_part(struct holes *h, int whence, uint64_t *ret, struct err *err)
{
	off_t at = lseek(h->fd, (off_t)h->pos, whence);

	if (at < 0 &&
	    errno == ENXIO) { /* no data up to the end; or the file has shrunk, which reads as the same */
		*ret = h->size;
		return 0;
	}
	if (at < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) {
		h->blind = true;
		return 0;
	}
	if (at < 0)
		return err_sys(err, "E-IO-02", errno, "%s", text("cannot find the holes of a file"));
	*ret = (uint64_t)at > h->size ? h->size : (uint64_t)at;
	return 0;
}

int holes_next(struct holes *h, struct holes_part *ret, struct err *err)
{
	enum holes_kind kind = HOLES_DATA;
	uint64_t data = h->pos, end = h->size;

	if (h->pos >= h->size)
		return HOLES_END;
	if (!h->blind && seek_part(h, SEEK_DATA, &data, err))
		return -1;
	if (!h->blind && data > h->pos) {
		kind = HOLES_HOLE;
		end = data;
	} else if (!h->blind) {
		if (seek_part(h, SEEK_HOLE, &end, err))
			return -1;
		/* punched just now, between the two questions: reading it as data is right, and goes on */
		if (!h->blind && end <= h->pos)
			end = h->size - h->pos < 4096 ? h->size : h->pos + 4096;
	}
	*ret = (struct holes_part){kind, h->pos, end - h->pos};
	h->pos = end;
	return 0;
}
