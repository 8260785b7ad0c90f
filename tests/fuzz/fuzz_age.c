/* fuzz: everything of age that reads foreign bytes.  The first byte chooses: a whole file; stanzas that get a
 * good version line, a recipient, MAC and payload around them (random bytes hardly ever pass the MAC);
 * armour; identities and recipients as text; a plaintext that must come back. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/age.h"
#include "format/crypto/age_private.h"

#define CEILING ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct age_identity identity = {{7, 7, 7}};

static void must(int ok)
{
	if (!ok)
		abort();
}

static void fill(void *arg, void *p, size_t n)
{
	(void)arg;
	memset(p, 0x42, n);
}

static const struct age_random rnd = {fill, NULL};

static void whole(const uint8_t *p, size_t n)
{
	BUF_AUTO out = BUF_INIT(CEILING);
	struct err err = ERR_INIT;
	struct age_header *h = NULL;
	size_t len;
	int r = age_header_parse(p, n, &h, &len, &err);

	if (r == 0) {
		struct age_header *again = NULL;
		size_t len2;

		must(len <= n && age_is_age(p, n));
		must(age_header_parse(p, len - 1, &again, &len2, &err) == AGE_MORE);
		must(age_header_parse(p, len, &again, &len2, &err) == 0 && len2 == len);
		must(age_header_stanzas(again) == age_header_stanzas(h));
		age_header_free(again);
	}
	age_header_free(h);
	if (age_decrypt(p, n, &identity, 1, &out, &err) != 0)
		must(out.n == 0);
	out.n = 0;
	if (age_decrypt_scrypt(p, n, "p", 4, &out, &err) != 0)
		must(out.n == 0);
}

/* Only the grammar decides: what is accepted must decrypt. */
static void stanzas(const uint8_t *p, size_t n)
{
	static const uint8_t key[AGE_FILE_KEY] = "the file's key";
	BUF_AUTO file = BUF_INIT(CEILING);
	struct age_header *h = NULL;
	struct age_recipient r;
	uint8_t got[AGE_FILE_KEY];
	uint8_t mac[AGE_MAC];
	char text[64];
	size_t len;

	must(age_identity_recipient(&identity, &r) == 0);
	must(buf_puts(&file, AGE_VERSION_LINE, NULL) == 0 &&
	     age_wrap_x25519(&r, key, &rnd, &file, NULL) == 0 && buf_append(&file, p, n, NULL) == 0 &&
	     buf_puts(&file, "---", NULL) == 0);
	must(age_header_mac(key, file.p, file.n, mac, NULL) == 0);
	sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	must(buf_printf(&file, NULL, " %s\n", text) == 0);
	if (age_header_parse(file.p, file.n, &h, &len, NULL) != 0)
		return;
	/* a low-order share or, when p brings its own footer, another MAC may still refuse it */
	if (age_header_unwrap(h, &identity, 1, got, NULL) == 0)
		must(memcmp(got, key, sizeof(key)) == 0);
	age_header_free(h);
}

static void texts(const uint8_t *p, size_t n)
{
	struct age_identity *ids = NULL;
	struct age_recipient r;
	char *s = malloc(n + 1);
	char out[AGE_RECIPIENT_TEXT];
	size_t n_ids;

	must(s != NULL);
	memcpy(s, p, n);
	s[n] = '\0';
	if (age_identities_parse((const char *)p, n, &ids, &n_ids, NULL) == 0) {
		must(n_ids > 0 && n_ids <= 64);
		age_identities_free(ids, n_ids);
	}
	if (age_recipient_parse(s, &r, NULL) == 0) {
		if (s[0] == 'a')
			must(strcmp(s, age_recipient_format(&r, out)) == 0);
	}
	free(s);
}

static void armour(const uint8_t *p, size_t n)
{
	BUF_AUTO out = BUF_INIT(CEILING);

	if (age_dearmor(p, n, &out, NULL) == 0) {
		must(age_is_armored(p, n) && out.n < n);
		whole(out.p, out.n);
	}
}

static void round_trip(const uint8_t *p, size_t n)
{
	BUF_AUTO file = BUF_INIT(CEILING);
	BUF_AUTO plain = BUF_INIT(CEILING);
	struct age_writer *w = NULL;
	struct age_recipient r;
	size_t repeat = n && p[0] % 8 == 0 ? 65536 / n + 1 : 1;
	size_t i;

	must(age_identity_recipient(&identity, &r) == 0);
	must(age_writer_new(&r, 1, &rnd, &file, &w, NULL) == 0);
	for (i = 0; i < repeat; i++)
		must(age_writer_update(w, p, n, &file, NULL) == 0);
	must(age_writer_finish(w, &file, NULL) == 0);
	age_writer_free(w);
	must(age_decrypt(file.p, file.n, &identity, 1, &plain, NULL) == 0 && plain.n == n * repeat);
	for (i = 0; n && i < repeat; i++)
		must(memcmp(plain.p + i * n, p, n) == 0);
	file.p[file.n - 1 - (n ? p[n - 1] : 0) % file.n] ^= 1;
	plain.n = 0;
	must(age_decrypt(file.p, file.n, &identity, 1, &plain, NULL) != 0 && plain.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const ways[])(const uint8_t *, size_t) = {whole, stanzas, texts, armour, round_trip};

	if (n == 0 || p[0] < '0' || p[0] > '4' || n > (size_t)1 << 20)
		return 0;
	ways[p[0] - '0'](p + 1, n - 1);
	return 0;
}
