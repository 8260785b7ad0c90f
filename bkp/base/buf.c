/* buf: see buf.h.
 *
 * The capacity doubles, from 256 bytes on, so that appending costs constant time on average.  The ceiling bounds n, not the
 * capacity: up to twice as much may be allocated.  realloc() leaves copies behind: what is secret and grows does not
 * belong here. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

/* `extra`: for a NUL, which does not count against the ceiling. */
static int grow_bytes(struct buf *b, size_t more, size_t extra, struct err *err)
{
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *p;

	if (more > b->max || b->n > b->max - more)
		return err_set(
		    err, "E-MEM-02", text("more than %zu bytes where at most that many belong"), b->max);
	if (extra > SIZE_MAX - b->n - more)
		return err_nomem(err);
	more += extra;
	if (b->n + more <= b->cap && b->p)
		return 0;
	while (cap < b->n + more)
		cap = cap > SIZE_MAX / 2 ? b->n + more : cap * 2;
	p = realloc(b->p, cap);
	if (!p)
		return err_nomem(err);
	b->p = p;
	b->cap = cap;
	return 0;
}

int buf_reserve(struct buf *b, size_t more, struct err *err)
{
	return grow_bytes(b, more, 0, err);
}

int buf_append(struct buf *b, const void *p, size_t n, struct err *err)
{
	if (buf_reserve(b, n, err))
		return -1;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int buf_puts(struct buf *b, const char *s, struct err *err)
{
	return buf_append(b, s, strlen(s), err);
}

int buf_printf(struct buf *b, struct err *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_nomem(err);
	if (grow_bytes(b, (size_t)n, 1, err))
		return -1;
	va_start(ap, fmt);
	vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
	return 0;
}

int buf_terminate(struct buf *b, struct err *err)
{
	if (grow_bytes(b, 0, 1, err))
		return -1;
	b->p[b->n] = '\0';
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	b->n -= n;
	if (b->n && n)
		memmove(b->p, b->p + n, b->n);
}
