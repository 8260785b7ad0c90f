/* config_text: is this a text file that people and programs read alike?
 *
 * UTF-8; line ends LF or CRLF; no control, separator or non-characters, which an editor hides and a reader
 * misses.
 */
#ifndef BKP_FORMAT_CONFIG_CONFIG_TEXT_H
#define BKP_FORMAT_CONFIG_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct config_problems;

/* False, and reported with that code at its place: the first byte that is not part of a text. */
bool config_text_check(const char *p, size_t n, const char *code, struct config_problems *problems);

#endif
