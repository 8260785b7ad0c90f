/* text: what people read, in Japanese or English.
 *
 * Every message is written in English in the source and passed through text() at the place where it is used:
 *	err_set(err, "E-MEDIA-03", text("'%s' is not a registered medium"), name)
 * The Japanese stands in bkp/po/ja.po (gettext), is checked and compiled by msgfmt, and is linked into the
 * program: what is spoken depends on the policy or --lang, never on an installed locale (cron has LANG=C, a
 * rescue system has none).  A message that has no translation is shown in English.
 *
 * The language is the one piece of process-wide state: set once by main(), before threads exist.
 */
#ifndef BKP_BASE_TEXT_H
#define BKP_BASE_TEXT_H

#include <stddef.h>

enum text_lang { TEXT_EN, TEXT_JA };

/* Chooses the language for the rest of the process.  The first call with a given origin wins nothing: the
 * last call counts (main sets the policy's language first, --lang afterwards). */
void text_set_lang(enum text_lang lang);
enum text_lang text_lang(void);

/* What the environment asks for: $BKP_LANG, else the language of $LC_ALL, $LC_MESSAGES or $LANG.  For the
 * time before the policy has been read, and for programs without one. */
enum text_lang text_environment(void);

/* Parses "ja" or "en".  Returns 0, or -1 when it is neither (ret_lang untouched). */
int text_parse_lang(const char *s, enum text_lang *ret_lang);

/* Marks a literal in a table for xgettext where text() itself comes later (--keyword=TEXT_LATER). */
#define TEXT_LATER(msgid) msgid

/* The message in the chosen language.  `msgid` must be a string literal (xgettext collects it) or one marked
 * with TEXT_LATER. */
const char *text(const char *msgid) __attribute__((format_arg(1), nonnull, returns_nonnull));

/* What the operating system says of an errno, in the chosen language; "?" for one that it does not know.  The
 * C library's own translations would need a locale.  Rare ones stay English. */
const char *text_errno(int errnum) __attribute__((returns_nonnull));

#endif
