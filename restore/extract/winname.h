/* winname: under which name a file is written where Windows will read it.  Pure.
 *
 * What Windows cannot hold is written as its bytes, each as %XX: < > : " \ | ? * and bytes below 32, a dot or space at the end, what is no
 * UTF-8; and % itself where it would be read as such.  So every name gets another one, and %XX read as bytes (percent-decoding) is the name.
 * A device's name (CON, com1.txt, LPT²) and, with `cased`, a name that another one differs from in case only, gets its first letter written
 * so, and each letter that is not a to z: whatever differs in case alone is different then.  What is longer than WINNAME_MAX bytes (so never more
 * than 255 UTF-16 units) is cut, with "%~", the beginning of the SHA-256 of the name and its ending behind: only a list says what it was.
 *
 * Case: Latin, Greek, Cyrillic, Armenian, Roman numerals, letters in circles, full-width letters.
 */
#ifndef RESTORE_EXTRACT_WINNAME_H
#define RESTORE_EXTRACT_WINNAME_H

#include <stdbool.h>
#include <stddef.h>

#define WINNAME_MAX  255
#define WINNAME_SIZE (WINNAME_MAX + 1)

/* One component of a path, of n bytes; true: it is another one. */
bool winname_map(const char *name, size_t n, bool cased, char out[WINNAME_SIZE]);
/* The same for two names which Windows takes for one; of what winname_map() gave. */
void winname_fold(const char *name, char out[WINNAME_SIZE]);

#endif
