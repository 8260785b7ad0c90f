/* age_bech32: recipients and identities as text (BIP 173). */
#include "format/crypto/age_private.h"

#include <string.h>

#include <sodium.h>

#include "format/crypto/bech32_alphabet.h"

#define GROUPS	 52 /* 32 bytes in groups of five bits; the last four bits are zero */
#define CHECKSUM 6

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static uint32_t polymod(uint32_t sum, uint8_t value)
{
	static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t top = sum >> 25;
	size_t i;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

static uint32_t polymod_hrp(const char *hrp)
{
	uint32_t sum = 1;
	const char *c;

	for (c = hrp; *c; c++)
		sum = polymod(sum, (uint8_t)lower(*c) >> 5);
	sum = polymod(sum, 0);
	for (c = hrp; *c; c++)
		sum = polymod(sum, (uint8_t)lower(*c) & 31);
	return sum;
}

static bool one_case(const char *s, size_t n)
{
	bool has_lower = false;
	bool has_upper = false;
	size_t i;

	for (i = 0; i < n; i++) {
		has_lower |= upper(s[i]) != s[i];
		has_upper |= lower(s[i]) != s[i];
	}
	return !(has_lower && has_upper);
}

static bool hrp_matches(const char *s, const char *hrp)
{
	size_t i;

	for (i = 0; hrp[i]; i++)
		if (lower(s[i]) != lower(hrp[i]))
			return false;
	return s[i] == '1';
}

bool age_bech32_decode(const char *s, size_t n, const char *hrp, uint8_t ret_key[AGE_KEY])
{
	uint8_t v[GROUPS + CHECKSUM];
	uint8_t key[AGE_KEY + 1] = {0};
	size_t prefix = strlen(hrp) + 1;
	uint32_t sum = polymod_hrp(hrp);
	bool good = n == prefix + sizeof(v) && one_case(s, n) && hrp_matches(s, hrp);
	size_t i;

	for (i = 0; good && i < sizeof(v); i++) {
		v[i] = bech32_value(lower(s[prefix + i]));
		good = v[i] != BECH32_NONE;
		sum = polymod(sum, v[i]);
	}
	good = good && sum == 1 && !(v[GROUPS - 1] & 15);
	for (i = 0; good && i < GROUPS; i++) {
		size_t bit = 5 * i;
		uint16_t w = (uint16_t)(v[i] << (11 - bit % 8));

		key[bit / 8] |= (uint8_t)(w >> 8);
		key[bit / 8 + 1] |= (uint8_t)w;
	}
	if (good)
		memcpy(ret_key, key, AGE_KEY);
	sodium_memzero(v, sizeof(v));
	sodium_memzero(key, sizeof(key));
	return good;
}

char *age_bech32_encode(const char *hrp, const uint8_t key[AGE_KEY], char *out)
{
	bool capital = lower(hrp[0]) != hrp[0];
	size_t prefix = strlen(hrp);
	uint32_t sum = polymod_hrp(hrp);
	char *o = out + prefix;
	size_t i;

	memcpy(out, hrp, prefix);
	*o++ = '1';
	for (i = 0; i < GROUPS; i++) {
		size_t bit = 5 * i;
		uint8_t next = bit / 8 + 1 < AGE_KEY ? key[bit / 8 + 1] : 0;
		uint8_t v = (uint8_t)((key[bit / 8] << 8 | next) >> (11 - bit % 8) & 31);

		sum = polymod(sum, v);
		*o++ = bech32_character(v);
	}
	for (i = 0; i < CHECKSUM; i++)
		sum = polymod(sum, 0);
	sum ^= 1;
	for (i = 0; i < CHECKSUM; i++)
		*o++ = bech32_character(sum >> 5 * (CHECKSUM - 1 - i) & 31);
	*o = '\0';
	for (o = out + prefix; capital && *o; o++)
		*o = upper(*o);
	return out;
}
