/* parity_make: the parity of one archive, made while its bytes pass by.
 *
 * parity_make_new() → parity_make_bytes() … all of the archive, in order → parity_make_file() → parity_make_free().  The file is the same
 * for the same archive and share, so whether one is as it should be is asked by comparing bytes.  Memory: the file
 * itself and its CRCs. */
#ifndef BKP_WRITE_PARITY_PARITY_MAKE_H
#define BKP_WRITE_PARITY_PARITY_MAKE_H

#include <stddef.h>

#include "format/parity/parity.h"

struct parity_make;

/* NULL: out of memory. */
struct parity_make *parity_make_new(const struct parity_shape *s);
void parity_make_free(struct parity_make *m); /* NULL allowed */
void parity_make_bytes(struct parity_make *m, const void *p, size_t n);
/* All of the file, parity_file_bytes() long; it belongs to m.  NULL: other than shape.size bytes were given. */
const void *parity_make_file(struct parity_make *m);

#endif
