/* key_page: what people keep on paper of keys and media, as pages for A4: a share of an identity, the root public key,
 * the list of media.
 *
 * Pure.  The language is text_lang().  date: as a person reads it.  A share's page holds the share: `out` is to be
 * wiped, and its ceiling to be KEY_PAGE_MAX; it is reserved at once, so that growing leaves no copies.
 */
#ifndef BKP_FORMAT_PAGE_KEY_PAGE_H
#define BKP_FORMAT_PAGE_KEY_PAGE_H

#include <stddef.h>

struct buf;
struct codex32;
struct err;
struct minisig_public;

#define KEY_PAGE_MAX	((size_t)1 << 20)
#define KEY_PAGE_GROUP	4 /* characters */
#define KEY_PAGE_ROW	16
#define KEY_PAGE_GROUPS 128 /* bytes of key_page_groups(), NUL included */

struct key_page_share {
	const struct codex32 *share;
	size_t number, of;     /* which, of how many: from 1 on */
	const char *recipient; /* of the identity that was split: age1… */
	const char *date;
};
int key_page_share(const struct key_page_share *page, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

struct key_page_root {
	const char *site, *repository, *date;
	const struct minisig_public *key;
	const char *program; /* SHA-256 of the static bkp-restore as hex; NULL: left blank */
};
int key_page_root(const struct key_page_root *page, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

struct key_page_medium {
	const char *label, *type, *place, *uuid;
};
int key_page_media(const char *site, const char *repository, const char *date,
    const struct key_page_medium *media, size_t n, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Up to KEY_PAGE_ROW characters in groups of four with blanks between them.  Returns out. */
char *key_page_groups(const char *s, size_t n, char out[KEY_PAGE_GROUPS]);

#endif
