/* buf: a growable byte string with a ceiling.
 *
 * buf_init(max) first; the ceiling is what bounds memory whatever a hostile medium says.  A buffer owns its
 * bytes; buf_free() gives them back and leaves an empty, reusable buffer with the same ceiling.  `p` may be
 * NULL while n is 0.
 */
#ifndef BKP_BASE_BUF_H
#define BKP_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct buf {
	uint8_t *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* ceiling for n; reaching it is E-MEM-02 */
};

#define BUF_INIT(ceiling)                                                                                    \
	{                                                                                                    \
		NULL, 0, 0, (ceiling)                                                                        \
	}

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
/* For __attribute__((cleanup(buf_free))). */
#define BUF_AUTO __attribute__((cleanup(buf_free))) struct buf
/* The same for what held a secret: wipes first.  Reserved whole: growing leaves copies behind. */
void buf_wipe(struct buf *b);
#define BUF_SECRET_AUTO __attribute__((cleanup(buf_wipe))) struct buf

/* Room for `more` bytes behind n.  0, or -1: ceiling reached or out of memory. */
int buf_reserve(struct buf *b, size_t more, struct err *err) __attribute__((warn_unused_result));
int buf_append(struct buf *b, const void *p, size_t n, struct err *err) __attribute__((warn_unused_result));
int buf_puts(struct buf *b, const char *s, struct err *err) __attribute__((warn_unused_result));
int buf_printf(struct buf *b, struct err *err, const char *fmt, ...)
    __attribute__((warn_unused_result, format(printf, 3, 4)));
/* Appends a NUL that is not counted in n, so that p can be read as a C string. */
int buf_terminate(struct buf *b, struct err *err) __attribute__((warn_unused_result));
/* Drops the first n bytes (n ≤ b->n). */
void buf_consume(struct buf *b, size_t n);

#endif
