/* base64: exactly one text for given bytes. */
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "format/crypto/base64.h"

static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void rfc_4648_vectors(void **state)
{
	static const char *text[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	uint8_t back[6];
	size_t len;
	(void)state;

	for (size_t n = 0; n <= 6; n++) {
		BUF_AUTO padded = BUF_INIT(64);
		BUF_AUTO bare = BUF_INIT(64);
		size_t pad = (3 - n % 3) % 3;

		assert_int_equal(base64_append(&padded, "foobar", n, BASE64_PADDED, NULL), 0);
		assert_int_equal(base64_append(&bare, "foobar", n, BASE64_UNPADDED, NULL), 0);
		assert_int_equal(padded.n, strlen(text[n]));
		assert_int_equal(bare.n, padded.n - pad);
		assert_memory_equal(padded.p, text[n], padded.n);
		assert_memory_equal(bare.p, text[n], bare.n);
		assert_true(base64_decode(text[n], padded.n, BASE64_PADDED, back, n, &len));
		assert_int_equal(len, n);
		assert_memory_equal(back, "foobar", n);
		assert_true(base64_decode(text[n], bare.n, BASE64_UNPADDED, back, n, &len));
		assert_int_equal(len, n);
		if (pad) {
			assert_false(base64_decode(text[n], padded.n, BASE64_UNPADDED, back, 6, &len));
			assert_false(base64_decode(text[n], bare.n, BASE64_PADDED, back, 6, &len));
			assert_false(
			    base64_decode(text[n], padded.n - 1, BASE64_PADDED, back, 6, &len) && pad == 1);
		}
		if (n)
			assert_false(base64_decode(text[n], padded.n, BASE64_PADDED, back, n - 1, &len));
	}
}

/* all 256 bytes in each place of a text of 2, 3 and 4 characters */
static void every_byte_in_every_place(void **state)
{
	uint8_t back[3];
	size_t len;
	(void)state;

	for (size_t n = 2; n <= 4; n++)
		for (size_t at = 0; at < n; at++)
			for (int c = 0; c < 256; c++) {
				char s[] = "AAAA";
				const char *place = c ? strchr(set, c) : NULL;
				size_t unused = n == 2 ? 15 : n == 3 ? 3 : 0;
				bool good = place && (at < n - 1 || !((size_t)(place - set) & unused));

				s[at] = (char)c;
				assert_int_equal(base64_decode(s, n, BASE64_UNPADDED, back, 3, &len), good);
			}
	assert_false(base64_decode("A", 1, BASE64_UNPADDED, back, 3, &len));
	assert_false(base64_decode("A===", 4, BASE64_PADDED, back, 3, &len));
	assert_false(base64_decode("====", 4, BASE64_PADDED, back, 3, &len));
	assert_false(base64_decode("AA==AAAA", 8, BASE64_PADDED, back, 3, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc_4648_vectors),
	    cmocka_unit_test(every_byte_in_every_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
