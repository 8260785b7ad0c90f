/* period_recipient: see period_recipient.h.
 *
 * '+' is a letter of base64, too: what stands behind it ends a layer only where it begins another one (begins_layer()). */
#include "format/medium/period_recipient.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/bech32_alphabet.h"

#define PLUGIN "abcdefghijklmnopqrstuvwxyz0123456789._-" /* of its name, which becomes that of a program */
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

static const char *const ssh[] = {"ssh-ed25519 ", "ssh-rsa "};

static bool begins(const char *s, const char *word)
{
	return !strncmp(s, word, strlen(word));
}

static size_t ssh_prefix(const char *s)
{
	for (size_t i = 0; i < sizeof(ssh) / sizeof(*ssh); i++)
		if (begins(s, ssh[i]))
			return strlen(ssh[i]);
	return 0;
}

/* "age1…" or "age1NAME1…", in n bytes. */
static bool is_native(const char *s, size_t n)
{
	return n == AGE_RECIPIENT_TEXT - 1 && begins(s, "age1") && strspn(s + 4, BECH32_ALPHABET) >= n - 4;
}

static bool is_plugin(const char *s, size_t n)
{
	size_t data = n;

	while (data && s[data - 1] != '1')
		data--;
	return begins(s, "age1") && data > 5 && strspn(s + 4, PLUGIN) >= data - 5 && n - data >= 6 &&
	       strspn(s + data, BECH32_ALPHABET) >= n - data;
}

static bool begins_layer(const char *s)
{
	size_t n = strcspn(s, "+");

	return ssh_prefix(s) || !strcmp(s, PERIOD_PASSPHRASE) || is_native(s, n) || is_plugin(s, n);
}

/* Up to the '+' that ends this layer, or the end. */
static size_t layer_length(const char *s)
{
	for (const char *at = s; (at = strchr(at, '+')); at++)
		if (begins_layer(at + 1) || !ssh_prefix(s))
			return (size_t)(at - s);
	return strlen(s);
}

static int refuse(const char *why, struct err *err)
{
	err_set_kind(err, ERR_USAGE, "E-PERIOD-07", "%s", why);
	return err_hint(err, "%s",
	    text("age1… (62 characters), age1NAME1… of a plug-in, ssh-ed25519 …, ssh-rsa …; two factors: "
		 "OUTER+INNER, OUTER+passphrase"));
}

static int take_age(const char *s, size_t n, enum period_layer *kind, char *out, struct err *err)
{
	struct age_recipient r;

	snprintf(out, n + 1, "%s", s);
	*kind = is_plugin(s, n) ? PERIOD_LAYER_STOCK : PERIOD_LAYER_X25519;
	if (*kind == PERIOD_LAYER_STOCK)
		return 0;
	if (age_recipient_parse(out, &r, err))
		return err_kind(err, ERR_USAGE);
	age_recipient_format(&r, out);
	return 0;
}

/* One layer without its comment, to out; bytes that it takes there with its NUL, or 0. */
static size_t take_layer(
    const char *s, size_t n, enum period_layer *kind, char *out, size_t room, struct err *err)
{
	size_t word = ssh_prefix(s), end = word + strspn(s + word, BASE64);

	if (n >= room) {
		refuse(text("the recipient is too long"), err);
		return 0;
	}
	if (!word && n == strlen(PERIOD_PASSPHRASE) && begins(s, PERIOD_PASSPHRASE)) {
		*kind = PERIOD_LAYER_PASSPHRASE;
		return (size_t)snprintf(out, room, "%s", PERIOD_PASSPHRASE) + 1;
	}
	if (!word)
		return take_age(s, n, kind, out, err) ? 0 : strlen(out) + 1;
	end = end > n ? n : end;
	/* a '+' in a comment may be a factor that was mistyped: not left out without a word */
	if (end - word < 64 || (end < n && s[end] != ' ') || memchr(s + end, '+', n - end)) {
		refuse(text("an SSH key is the first two words of its .pub file"), err);
		return 0;
	}
	*kind = PERIOD_LAYER_STOCK;
	return (size_t)snprintf(out, room, "%.*s", (int)end, s) + 1;
}

static int check_layers(const struct period_recipient *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->kind[i] == PERIOD_LAYER_PASSPHRASE && (!i || i + 1 < r->n))
			return refuse(text("a passphrase is the innermost factor, never the only or an outer "
					   "one: who takes a medium could "
					   "guess at it at leisure"),
			    err);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(r->layer[i], r->layer[k]))
				return refuse(
				    text("the same recipient stands there twice: that is one factor"), err);
	}
	return 0;
}

int period_recipient_parse(const char *s, struct period_recipient *ret, struct err *err)
{
	size_t used = 0, n, took;

	memset(ret, 0, sizeof(*ret));
	if (!strncasecmp(s, "AGE-SECRET-KEY-", 15) || !strncasecmp(s, "AGE-PLUGIN-", 11))
		return refuse(text("this is a secret identity, not a recipient"), err);
	for (;; s += n + 1) {
		if (ret->n == PERIOD_LAYERS)
			return refuse(text("there are too many factors"), err);
		n = layer_length(s);
		took = take_layer(s, n, &ret->kind[ret->n], ret->text + used, sizeof(ret->text) - used, err);
		if (!took)
			return -1;
		ret->layer[ret->n++] = ret->text + used;
		used += took;
		if (!s[n])
			return check_layers(ret, err);
	}
}

char *period_recipient_text(const struct period_recipient *r, char out[PERIOD_RECIPIENT])
{
	size_t at = 0;

	for (size_t i = 0; i < r->n; i++)
		at += (size_t)snprintf(out + at, PERIOD_RECIPIENT - at, "%s%s", i ? "+" : "", r->layer[i]);
	return out;
}

int period_file_check(const char *name, const struct buf *file, struct err *err)
{
	struct age_header *h;
	size_t len;
	bool guessed;

	if (!age_is_age(file->p, file->n) || age_header_parse(file->p, file->n, &h, &len, NULL))
		return err_set_kind(err, ERR_MALFORMED, "E-PERIOD-07", text("'%s' is no age file"), name);
	guessed = age_header_is_scrypt(h);
	age_header_free(h);
	return guessed ? err_set_kind(err, ERR_MALFORMED, "E-PERIOD-07",
			     text("'%s' is opened by a passphrase alone: who takes a medium could guess at "
				  "it at leisure"),
			     name)
		       : 0;
}
