/* key_page: see key_page.h.  What is HTML stands in page.html. */
#include "format/page/key_page.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/codex32.h"
#include "format/crypto/minisig.h"
#include "format/page/qr.h"
#include "format/page/sheet.h"

#define LINE 256

char *key_page_groups(const char *s, size_t n, char out[KEY_PAGE_GROUPS])
{
	char *o = out;

	for (size_t i = 0; i < n && i < KEY_PAGE_ROW; i++) {
		if (i && i % KEY_PAGE_GROUP == 0)
			*o++ = ' ';
		*o++ = s[i];
	}
	*o = '\0';
	return out;
}

/* Rows with their numbers, and the QR code beside them. */
static void groups(struct sheet *s, const char *line)
{
	char row[KEY_PAGE_GROUPS], number[24];
	size_t n = strlen(line);

	sheet_piece(s, "groups", NULL);
	for (size_t at = 0; at < n; at += KEY_PAGE_ROW) {
		snprintf(number, sizeof(number), "%zu", at / KEY_PAGE_ROW + 1);
		key_page_groups(line + at, n - at, row);
		sheet_piece(s, "groups row", "NUMBER", number, "=TEXT", row, NULL);
	}
	sheet_piece(s, "groups qr", NULL);
	if (!s->r)
		s->r = qr_svg(line, s->out, s->err);
	sheet_piece(s, "groups end", NULL);
	sodium_memzero(row, sizeof(row));
}

static void list(struct sheet *s, const char *label, const char *const *items, size_t n)
{
	sheet_piece(s, "contacts", "LABEL", label, NULL);
	for (size_t i = 0; i < n; i++)
		sheet_piece(s, "contact", "TEXT", items[i], NULL);
	sheet_piece(s, "contacts end", NULL);
}

/* Lines that a hand fills in. */
static void blanks(struct sheet *s, const char *const *labels, size_t n)
{
	sheet_piece(s, "form", NULL);
	for (size_t i = 0; i < n; i++)
		sheet_row(s, labels[i], "");
	sheet_piece(s, "form end", NULL);
}

/* ---- a share ---- */

static void share_facts(struct sheet *s, const struct key_page_share *page)
{
	const struct codex32 *c = page->share;
	char line[LINE];

	sheet_piece(s, "form", NULL);
	sheet_row(s, text("Key"), page->recipient);
	sheet_row(s, text("Set"), c->id);
	snprintf(line, sizeof(line), text("'%c', number %zu of %zu; any %u of them give the key back"),
	    c->index, page->number, page->of, c->k);
	sheet_row(s, text("This share"), line);
	sheet_row(s, text("Made"), page->date);
	sheet_piece(s, "form end", NULL);
}

static void share_advice(struct sheet *s, const struct key_page_share *page)
{
	char alone[LINE];
	const char *const lines[] = {alone,
	    text(
		"Put it into a sealed envelope, and keep it apart from the other shares and from the media."),
	    text("Never photograph, copy, send or type it, except to recover or to rehearse."),
	    text("To recover: 'bkp-restore key combine --to DIR' on any computer (it is on every medium, in "
		 "tools/), and type "
		 "the rows; capitals and blanks do not matter, and a wrong row is named."),
	    text("When the seal is broken or the envelope is gone: tell the manager at once; the key is then "
		 "split anew, or "
		 "replaced.")};

	snprintf(alone, sizeof(alone),
	    text("Alone it opens nothing and says nothing; with %u more of set %s it opens every backup."),
	    page->share->k - 1u, page->share->id);
	list(s, text("What to do with it"), lines, sizeof(lines) / sizeof(*lines));
}

int key_page_share(const struct key_page_share *page, struct buf *out, struct err *err)
{
	const char *const labels[] = {text("Envelope number"), text("Seal number"), text("Place"),
	    text("Holder"), text("Signature and date"), text("Opened on, by, why")};
	struct sheet s = {.out = out, .err = err};
	char line[CODEX32_TEXT], title[LINE];
	size_t before = out->n;

	if (buf_reserve(out, out->max - out->n, err))
		return -1;
	codex32_write(CODEX32_IDENTITY, page->share, line);
	for (char *c = line; *c; c++) /* clearer on paper, and shorter in the code */
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	snprintf(
	    title, sizeof(title), text("Share '%c' of recovery key %s"), page->share->index, page->share->id);
	sheet_begin(&s, text("Secret: one share of a recovery key"), title, title);
	share_facts(&s, page);
	groups(&s, line);
	share_advice(&s, page);
	blanks(&s, labels, sizeof(labels) / sizeof(*labels));
	sheet_end(&s);
	sodium_memzero(line, sizeof(line));
	if (s.r)
		out->n = before;
	return s.r;
}

/* ---- the root public key ---- */

int key_page_root(const struct key_page_root *page, struct buf *out, struct err *err)
{
	const char *const lines[] = {text("It proves every generation and every record. It is no secret: "
					  "what matters is that nobody exchanges it."),
	    text("Before a medium is believed: compare what 'bkp-restore' shows with this page, group by "
		 "group, or give it with "
		 "--root-key."),
	    text("Compare the SHA-256 of tools/bkp-restore with 'sha256sum' before the program of a medium "
		 "is run.")};
	const char *const labels[] = {text("Place"), text("Compared on, by"), text("Signature and date")};
	struct sheet s = {.out = out, .err = err};
	char key[MINISIG_KEY_TEXT], id[17] = "";
	size_t before = out->n;

	for (size_t i = 0; i < 8; i++) /* as minisign shows it */
		snprintf(id + 2 * i, 3, "%02X", page->key->id[7 - i]);
	sheet_begin(&s, text("Root public key"), page->site, page->repository);
	sheet_piece(&s, "form", NULL);
	sheet_row(&s, text("Repository"), page->repository);
	sheet_row(&s, text("Key ID"), id);
	sheet_row(&s, text("Program (SHA-256)"), page->program ? page->program : "");
	sheet_row(&s, text("Printed"), page->date);
	sheet_piece(&s, "form end", NULL);
	groups(&s, minisig_public_format(page->key, key));
	list(&s, text("What to do with it"), lines, sizeof(lines) / sizeof(*lines));
	blanks(&s, labels, sizeof(labels) / sizeof(*labels));
	sheet_end(&s);
	if (s.r)
		out->n = before;
	return s.r;
}

/* ---- the media ---- */

int key_page_media(const char *site, const char *repository, const char *date,
    const struct key_page_medium *media, size_t n, struct buf *out, struct err *err)
{
	struct sheet s = {.out = out, .err = err};
	size_t before = out->n;

	sheet_begin(&s, text("Media"), site, repository);
	sheet_piece(&s, "form", NULL);
	sheet_row(&s, text("Repository"), repository);
	sheet_row(&s, text("Printed"), date);
	sheet_piece(&s, "form end", NULL);
	sheet_piece(&s, "media", "LABEL", text("Medium"), "TYPE", text("Type"), "PLACE", text("Place"),
	    "CHANGED", text("Moved to, on"), "BY", text("By"), NULL);
	for (size_t i = 0; i < n; i++)
		sheet_piece(&s, "medium", "LABEL", media[i].label, "UUID", media[i].uuid, "TYPE",
		    media[i].type, "PLACE", media[i].place, NULL);
	sheet_piece(&s, "form end", NULL);
	sheet_end(&s);
	if (s.r)
		out->n = before;
	return s.r;
}
