/* passphrase: see passphrase.h.
 *
 * passphrase_check() goes from the left and takes the longest thing that is guessed first (longest_at()), or one
 * character; what it takes counts as one.  What saved most is the reason that is given. */
#include "format/crypto/passphrase.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/crypto/age.h"
#include "format/crypto/bech32_alphabet.h"

#define ROW 3 /* characters that make a row or a repetition, at least */

enum guess { REPETITION, ROWS, WORD, GUESSES };

/* Keys beside one another, of Japanese and other keyboards. */
static const char *const rows[] = {
    "1234567890-^\\", "qwertyuiop@[", "asdfghjkl;:]", "zxcvbnm,./", "1qaz2wsx3edc4rfv5tgb6yhn"};

static const char *const words[] = {"administrator", "admin", "aikotoba", "angou", "anzen", "arigatou",
    "arigato", "backup", "bkp", "byouin", "byoin", "clinic", "computer", "denshi", "doctor", "dragon",
    "football", "fukkyuu", "fukkyu", "heisei", "himitsu", "hospital", "hozon", "iloveyou", "inchou", "incho",
    "iryou", "isha", "japan", "jimu", "kangoshi", "kango", "kanja", "karute", "konnichiwa", "letmein",
    "login", "master", "medical", "monkey", "nihon", "nippon", "nurse", "ohayou", "osaka", "pass",
    "passphrase", "password", "pasuwaado", "patient", "princess", "recovery", "reiwa", "restore", "root",
    "sakura", "satou", "secret", "sensei", "shinryoujo", "shinryou", "shouwa", "sunshine", "suzuki", "system",
    "takahashi", "tanaka", "tokyo", "user", "watanabe", "welcome", "yamamoto", "病院", "医院", "診療所",
    "暗号", "秘密", "ぱすわーど", "パスワード", "びょういん", "ひみつ"};

struct typed {
	uint32_t c[PASSPHRASE_MAX]; /* capitals as small letters */
	size_t n;
};

static void decode(const char *s, struct typed *t)
{
	size_t left = strlen(s);

	for (t->n = 0; left && t->n < PASSPHRASE_MAX; t->n++) {
		size_t len = width_decode(s, left, &t->c[t->n]);

		if (t->c[t->n] >= 'A' && t->c[t->n] <= 'Z')
			t->c[t->n] += 'a' - 'A';
		s += len;
		left -= len;
	}
}

/* Is c the letter, or what people write for it? */
static bool stands_for(uint32_t c, uint32_t letter)
{
	static const char pairs[] = "0o1l1i3e4a5s7t@a$s";

	for (size_t i = 0; pairs[i]; i += 2)
		if (c == (uint32_t)pairs[i] && letter == (uint32_t)pairs[i + 1])
			return true;
	return c == letter;
}

static size_t word_at(const struct typed *t, size_t at, const char *word)
{
	struct typed w;
	size_t n = 0;

	decode(word, &w);
	while (n < w.n && at + n < t->n && stands_for(t->c[at + n], w.c[n]))
		n++;
	return n == w.n ? n : 0;
}

/* A year that people are born in, or write a passphrase in. */
static size_t year_at(const struct typed *t, size_t at)
{
	const uint32_t *c = t->c + at;

	for (size_t i = 0; i < 4; i++)
		if (at + i >= t->n || c[i] < '0' || c[i] > '9')
			return 0;
	return (c[0] == '1' && c[1] == '9') || (c[0] == '2' && c[1] == '0') ? 4 : 0;
}

static size_t longest_word_at(const struct typed *t, size_t at, const char *site)
{
	size_t best = year_at(t, at), n;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if ((n = word_at(t, at, words[i])) > best)
			best = n;
	n = site && *site ? word_at(t, at, site) : 0;
	return n > best ? n : best;
}

/* Numbers and letters with one step between them (abc, 321, あいう), and keys beside one another. */
static size_t row_at(const struct typed *t, size_t at)
{
	const uint32_t *c = t->c + at;
	size_t left = t->n - at, n = left < 2 ? left : 2, best;
	int64_t step = left < 2 ? 0 : (int64_t)c[1] - c[0];

	while (step && step >= -2 && step <= 2 && n < left && (int64_t)c[n] - c[n - 1] == step)
		n++;
	best = n;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int way = -1; way <= 1; way += 2) {
			const char *k = c[0] < 128 && c[0] ? strchr(rows[i], (int)c[0]) : NULL;

			for (n = 0; k && k >= rows[i] && *k && n < left && c[n] == (unsigned char)*k;
			     k += way)
				n++;
			best = n > best ? n : best;
		}
	return best;
}

/* What stood before, again. */
static size_t repetition_at(const struct typed *t, size_t at)
{
	size_t best = 0;

	for (size_t from = 0; from < at; from++) {
		size_t n = 0;

		while (at + n < t->n && t->c[from + n] == t->c[at + n])
			n++;
		best = n > best ? n : best;
	}
	return best;
}

static size_t longest_at(const struct typed *t, size_t at, const char *site, enum guess *ret)
{
	size_t n[GUESSES], best = 1;

	n[REPETITION] = repetition_at(t, at);
	n[ROWS] = row_at(t, at);
	n[WORD] = longest_word_at(t, at, site);
	for (int g = 0; g < GUESSES; g++)
		if (n[g] > best && (g == WORD || n[g] >= ROW)) {
			best = n[g];
			*ret = (enum guess)g;
		}
	return best;
}

static int too_weak(const char *why, struct err *err)
{
	err_set(err, "E-PASS-04", text("the passphrase is too weak: %s"), why);
	return err_hint(err,
	    text("%d characters or more that nobody guesses, or the one that is proposed; not one that is "
		 "used elsewhere"),
	    PASSPHRASE_LEAST);
}

int passphrase_check(const char *s, const char *site, struct err *err)
{
	static const char *const reasons[GUESSES] = {TEXT_LATER("it repeats itself"),
	    TEXT_LATER("it is made of rows of numbers, letters or keys"),
	    TEXT_LATER("it is made of common words, years or the site's name")};
	size_t saved[GUESSES] = {0}, left = 0, worst = 0;
	struct typed t;
	bool weak;
	char why[96];

	decode(s, &t);
	for (size_t at = 0; at < t.n; left++) {
		enum guess g = REPETITION;
		size_t n = longest_at(&t, at, site, &g);

		saved[g] += n - 1;
		at += n;
	}
	for (size_t g = 1; g < GUESSES; g++)
		if (saved[g] > saved[worst])
			worst = g;
	snprintf(why, sizeof(why), text("it has %zu characters"), t.n);
	weak = t.n < PASSPHRASE_LEAST || left < PASSPHRASE_LEFT;
	if (weak)
		too_weak(t.n < PASSPHRASE_LEAST ? why : text(reasons[worst]), err);
	sodium_memzero(&t, sizeof(t));
	return weak ? -1 : 0;
}

char *passphrase_propose(const struct age_random *rnd, char out[PASSPHRASE_PROPOSED])
{
	uint8_t random[PASSPHRASE_PROPOSED];

	rnd->fill(rnd->arg, random, sizeof(random));
	for (size_t i = 0; i < PASSPHRASE_PROPOSED - 1; i++)
		out[i] = i % 6 == 5 ? '-' : bech32_character(random[i] & 31);
	out[PASSPHRASE_PROPOSED - 1] = '\0';
	sodium_memzero(random, sizeof(random));
	return out;
}
