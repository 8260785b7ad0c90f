/* bech32_alphabet: the 32 characters of BIP 173, which age and codex32 share.
 *
 * The whole table is gone through each time, so that the time does not tell which character of a secret stood
 * there. */
#ifndef BKP_FORMAT_CRYPTO_BECH32_ALPHABET_H
#define BKP_FORMAT_CRYPTO_BECH32_ALPHABET_H

#include <stdint.h>

#define BECH32_ALPHABET "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
#define BECH32_NONE	255

/* The five-bit value of a character in lower case; BECH32_NONE. */
static inline uint8_t bech32_value(char c)
{
	unsigned found = BECH32_NONE;

	for (unsigned i = 0; i < 32; i++) {
		unsigned differs = (unsigned char)(BECH32_ALPHABET[i] ^ c);

		found ^= (found ^ i) & ((differs - 1) >> 8); /* all ones when it is the one */
	}
	return (uint8_t)found;
}

/* v: 0 to 31. */
static inline char bech32_character(uint8_t v)
{
	unsigned found = 0;

	for (unsigned i = 0; i < 32; i++)
		found |= (unsigned char)BECH32_ALPHABET[i] & (((i ^ v) - 1u) >> 8);
	return (char)found;
}

#endif
