/* kanji: Japanese text of other systems as UTF-8.
 *
 * ISO-2022 with the sets that HL7 and DICOM name (ISO IR 6, 13, 14, 87, 159; what is shifted ends with the line), CP932 and EUC-JP.  A byte
 * that is no text there is written as \ooo, as path_display() does.  Control characters stay as they are: who shows a text escapes it.
 *
 * Pure, with a table of its own: no iconv, whose files a rescue system may not have.
 */
#ifndef BKP_FORMAT_CHART_KANJI_H
#define BKP_FORMAT_CHART_KANJI_H

#include <stddef.h>

struct buf;
struct err;

enum kanji_code { KANJI_UTF8, KANJI_ISO2022, KANJI_CP932, KANJI_EUC };

/* What the bytes are most likely: ISO-2022 where there is an escape, else the first of UTF-8, CP932 and EUC-JP that they are valid in; of
 * the latter two EUC-JP where CP932 would make half-width katakana of them alone. */
enum kanji_code kanji_guess(const void *p, size_t n);
/* Appends; no NUL. */
int kanji_text(enum kanji_code code, const void *p, size_t n, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
