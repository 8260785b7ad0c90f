/* suggest: the known word that a mistyped one was probably meant to be.
 *
 * Damerau-Levenshtein distance in its optimal-string-alignment form (insert, delete, replace, swap
 * neighbours), on bytes, with upper and lower case equal, '-' equal to '_', and what a Japanese keyboard
 * gives in full width equal to its half-width form.
 */
#ifndef BKP_BASE_SHOW_SUGGEST_H
#define BKP_BASE_SHOW_SUGGEST_H

#include <stddef.h>

struct option;

#define SUGGEST_BYTES_MAX 48 /* longer words are near to nothing */

unsigned suggest_distance(
    const char *a, const char *b); /* UINT_MAX when one is longer than SUGGEST_BYTES_MAX */

/* The nearest of n words if it is close enough to be a likely slip (1 change in up to 4 letters, 2 in up to
 * 7, else 3), or NULL.  The first of equally near ones. */
const char *suggest_word(const char *word, const char *const *known, size_t n);

/* The same for a long option as it was typed ("--quite=x"), among those of a getopt_long table; without the
 * dashes. */
const char *suggest_option(const char *word, const struct option *known);

#endif
