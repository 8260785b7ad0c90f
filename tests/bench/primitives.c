/* primitives: what the work of a first capture costs one thread when nothing but the primitives is done: read
 * every file, find cuts, HMAC-SHA-256, LZ4, ChaCha20-Poly1305, SHA-256 of the result.  No catalog, no
 * container, no index, no writing.  Libraries are called directly, but for cuts and HMAC.
 *     bench_primitives DIR      prints one line for each primitive: name, CPU seconds, MB, and their sum */
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lz4frame.h>
#include <openssl/evp.h>

#include "format/crypto/digest.h"
#include "format/medium/chunker.h"

#define WINDOW	((size_t)8 << 20)
#define SEGMENT ((size_t)65536)
#define SMALL	((size_t)262144)
#define BUNDLE	((size_t)1 << 20)

enum { READ, CUT, ID, LZ4, AEAD, SHA, STAGES };
static const char *const names[STAGES] = {"read", "cut", "id", "lz4", "aead", "sha256"};
static double cpu[STAGES];
static double bytes[STAGES];
static uint8_t *window, *bundle, *frame, *cipher;
static size_t bundled;
static struct chunker *chunker;
static struct hmac *hmac;
static EVP_CIPHER_CTX *aead;
static EVP_MD_CTX *sha;
static double since;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count(int stage, size_t n)
{
	double t = now();

	cpu[stage] += t - since;
	bytes[stage] += (double)n;
	since = t;
}

static void id(const uint8_t *p, size_t n)
{
	uint8_t out[DIGEST_LEN];

	hmac_of(hmac, p, n, out);
	count(ID, n);
}

static void store(const uint8_t *p, size_t n)
{
	LZ4F_preferences_t pref = LZ4F_INIT_PREFERENCES;
	uint8_t nonce[12] = {0}, tag[16];
	size_t len;

	pref.frameInfo.blockSizeID = LZ4F_max4MB;
	pref.frameInfo.blockMode = LZ4F_blockIndependent;
	len = LZ4F_compressFrame(frame, WINDOW, p, n, &pref);
	count(LZ4, n);
	for (size_t at = 0; at < len; at += SEGMENT) {
		int part = (int)(len - at < SEGMENT ? len - at : SEGMENT), done;

		EVP_EncryptInit_ex(aead, NULL, NULL, NULL, nonce);
		EVP_EncryptUpdate(aead, cipher + at, &done, frame + at, part);
		EVP_EncryptFinal_ex(aead, tag, &done);
		EVP_CIPHER_CTX_ctrl(aead, EVP_CTRL_AEAD_GET_TAG, 16, tag);
	}
	count(AEAD, len);
	EVP_DigestUpdate(sha, cipher, len);
	count(SHA, len);
}

static void flush(void)
{
	if (bundled)
		store(bundle, bundled);
	bundled = 0;
}

static void small(size_t n)
{
	id(window, n);
	if (bundled + n > BUNDLE)
		flush();
	memcpy(bundle + bundled, window, n);
	bundled += n;
}

static void large(int fd)
{
	size_t n = 0;

	for (;;) {
		ssize_t got = read(fd, window + n, WINDOW - n);
		size_t at = 0, len;

		count(READ, got > 0 ? (size_t)got : 0);
		n += got > 0 ? (size_t)got : 0;
		while (n - at >= CHUNKER_MAX || (got <= 0 && n > at)) {
			len = chunker_cut(chunker, window + at, n - at);
			count(CUT, len);
			id(window + at, len);
			store(window + at, len);
			at += len;
		}
		memmove(window, window + at, n - at);
		n -= at;
		if (got <= 0)
			return;
	}
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	int fd;
	(void)ftw;

	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if ((size_t)st->st_size <= SMALL) {
		ssize_t got = read(fd, window, SMALL);

		count(READ, got > 0 ? (size_t)got : 0);
		if (got > 0)
			small((size_t)got);
	} else {
		large(fd);
	}
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	static const uint8_t key[32] = {1};
	double sum = 0;

	if (argc != 2)
		return 64;
	window = malloc(WINDOW);
	bundle = malloc(BUNDLE);
	frame = malloc(WINDOW);
	cipher = malloc(WINDOW);
	chunker = chunker_new(key);
	hmac = hmac_new(key, sizeof(key));
	aead = EVP_CIPHER_CTX_new();
	sha = EVP_MD_CTX_new();
	if (!window || !bundle || !frame || !cipher || !chunker || !hmac ||
	    !EVP_EncryptInit_ex(aead, EVP_chacha20_poly1305(), NULL, key, NULL) ||
	    !EVP_DigestInit_ex(sha, EVP_sha256(), NULL))
		return 1;
	since = now();
	if (nftw(argv[1], visit, 64, FTW_PHYS))
		return 1;
	flush();
	for (int i = 0; i < STAGES; i++) {
		printf("%s %.3f %.1f\n", names[i], cpu[i], bytes[i] / 1e6);
		sum += cpu[i];
	}
	printf("sum %.3f %.1f\n", sum, bytes[READ] / 1e6);
	return 0;
}
