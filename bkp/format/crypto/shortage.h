/* shortage: what becomes of a library that goes without memory.
 *
 * When an allocation fails jansson leaves members out, takes a document for malformed, or writes behind its
 * buffers; libcrypto follows a null pointer; others call exit() or abort().  `fatal` is called in place of
 * all that, unless shortage_end() was called before an exit().  shortage_watch() once, at the start of the
 * program, before anything.
 */
#ifndef BKP_FORMAT_CRYPTO_SHORTAGE_H
#define BKP_FORMAT_CRYPTO_SHORTAGE_H

/* fatal: says it and ends the process by _exit(). */
void shortage_watch(void (*fatal)(void));
/* From here on exit() is the program's own: returns code. */
int shortage_end(int code);

#endif
