/* width: how many columns of a terminal a text takes.
 *
 * Japanese characters take two columns, combining marks none.  wcwidth() of the C library would need a
 * locale, and cron and rescue systems have none, so the widths stand in a table of ours (Unicode's East Asian
 * Width; the "ambiguous" ones count one, as terminals in UTF-8 draw them).
 */
#ifndef BKP_BASE_WIDTH_H
#define BKP_BASE_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0, 1 or 2 columns.  Control characters count 0. */
unsigned width_char(uint32_t cp);

/* Columns of the UTF-8 text s; each byte that is not part of a valid sequence counts one. */
size_t width_text(const char *s);

/* Takes one character off the n bytes at s: returns its length (1…4) and its code point; an invalid byte has
 * length 1 and is given as UINT32_MAX.  n ≥ 1. */
size_t width_decode(const char *s, size_t n, uint32_t *ret_cp);

/* Characters that change the order in which others are shown, or are not seen at all: what is read is not
 * what stands there.  Not among them: those that join (U+200C, U+200D: emoji) or choose a variant (names in
 * kanji). */
bool width_is_deceptive(uint32_t cp);
/* Does the UTF-8 text s hold one? */
bool width_has_deceptive(const char *s);

/* For a text that a fixed buffer may have cut: takes off what is left of a character at its end. */
void width_whole(char *s);

#endif
