/* fuzz: signatures and key files of minisign.  The first byte chooses: a signature file under a fixed key; a
 * public key file; a secret key file; a comment and message that are signed and must verify. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/minisig.h"

#define CEILING ((size_t)4 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* secret keys are held in memory of libsodium's */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (sodium_init() < 0)
		abort();
	return 0;
}

static const uint8_t seed[32] = "a seed of this test, 32 bytes...";

static void must(int ok)
{
	if (!ok)
		abort();
}

static void signature(const uint8_t *p, size_t n)
{
	char comment[MINISIG_COMMENT_MAX];
	struct minisig_secret sec;
	struct err err = ERR_INIT;

	minisig_from_seed(seed, &sec);
	if (minisig_verify(&sec.pub, "message", 7, (const char *)p, n, comment, &err) == 0)
		must(memchr(comment, '\0', sizeof(comment)) != NULL && strpbrk(comment, "\r\n") == NULL);
	else
		must(err.code[0] != '\0');
}

static void public_key(const uint8_t *p, size_t n)
{
	struct minisig_public pub;
	struct minisig_public again;
	char text[MINISIG_KEY_TEXT];

	if (minisig_public_file_parse((const char *)p, n, &pub, NULL) == 0)
		must(minisig_public_parse(minisig_public_format(&pub, text), &again, NULL) == 0 &&
		     memcmp(&pub, &again, sizeof(pub)) == 0 && memmem(p, n, text, strlen(text)) != NULL);
}

static void secret_key(const uint8_t *p, size_t n)
{
	BUF_AUTO out = BUF_INIT(4096);
	struct minisig_secret sec;
	struct minisig_secret again;

	if (minisig_secret_file_parse((const char *)p, n, &sec, NULL) == 0)
		must(minisig_secret_file(&sec, &out, NULL) == 0 &&
		     minisig_secret_file_parse((char *)out.p, out.n, &again, NULL) == 0 &&
		     memcmp(&sec, &again, sizeof(sec)) == 0);
}

/* comment NUL message */
static void round_trip(const uint8_t *p, size_t n)
{
	const uint8_t *end = memchr(p, '\0', n);
	BUF_AUTO sig = BUF_INIT(CEILING);
	char comment[MINISIG_COMMENT_MAX];
	struct minisig_secret sec;
	const char *c = (const char *)p;
	const uint8_t *msg;
	size_t len;

	if (!end)
		return;
	msg = end + 1;
	len = n - (size_t)(msg - p);
	minisig_from_seed(seed, &sec);
	if (minisig_sign(&sec, msg, len, c, &sig, NULL) != 0) {
		must(sig.n == 0 && (strpbrk(c, "\r\n") || strlen(c) >= MINISIG_COMMENT_MAX));
		return;
	}
	must(minisig_verify(&sec.pub, msg, len, (char *)sig.p, sig.n, comment, NULL) == 0 &&
	     !strcmp(comment, c));
	sig.p[sig.n - 10] ^= 1;
	must(minisig_verify(&sec.pub, msg, len, (char *)sig.p, sig.n, comment, NULL) == -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const ways[])(const uint8_t *, size_t) = {
	    signature, public_key, secret_key, round_trip};

	if (n == 0 || p[0] < '0' || p[0] > '3')
		return 0;
	ways[p[0] - '0'](p + 1, n - 1);
	return 0;
}
