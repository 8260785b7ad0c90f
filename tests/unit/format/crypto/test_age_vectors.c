/* age: the test vectors of C2SP (tests/vectors/age).  Each is a header (expect, payload, identity, passphrase, armored,
 * compressed), an empty line, and a file that must open, or fail at the step that `expect` names, with no more plaintext
 * let go than `payload` is the SHA-256 of. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>
#include <zlib.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/age.h"

#define ROOM ((size_t)32 << 20)

struct vector {
	char expect[512], payload[512], identity[8][512], passphrase[8][512];
	size_t n_identities, n_passphrases;
	bool armored, compressed, other; /* other: for a kind of recipient that is not ours */
	struct buf file;
};

static bool is_key(const char *line, const char *key, const char **value)
{
	size_t n = strlen(key);

	*value = line + n + 2;
	return !strncmp(line, key, n) && line[n] == ':';
}

static void header_line(struct vector *v, const char *line)
{
	const char *is;

	if (is_key(line, "expect", &is))
		snprintf(v->expect, sizeof(v->expect), "%s", is);
	else if (is_key(line, "payload", &is))
		snprintf(v->payload, sizeof(v->payload), "%s", is);
	else if (is_key(line, "identity", &is) && !strncmp(is, "AGE-SECRET-KEY-1", 16))
		snprintf(v->identity[v->n_identities++], sizeof(*v->identity), "%s", is);
	else if (is_key(line, "identity", &is))
		v->other = true;
	else if (is_key(line, "passphrase", &is))
		snprintf(v->passphrase[v->n_passphrases++], sizeof(*v->passphrase), "%s", is);
	else if (is_key(line, "armored", &is))
		v->armored = true;
	else if (is_key(line, "compressed", &is))
		v->compressed = true;
	else if (!is_key(line, "file key", &is) && !is_key(line, "comment", &is))
		fail_msg("an unknown key: %s", line);
}

static void load(const char *name, struct vector *v)
{
	char path[512];
	BUF_AUTO raw = BUF_INIT(ROOM);
	size_t off = 0;

	memset(v, 0, sizeof(*v));
	buf_init(&v->file, ROOM);
	snprintf(path, sizeof(path), "%s/vectors/age/%s", TEST_DATA, name);
	assert_int_equal(io_read_file(AT_FDCWD, path, &raw, NULL), 0);
	for (;;) {
		char line[512];
		const uint8_t *nl = memchr(raw.p + off, '\n', raw.n - off);
		size_t n = (size_t)(nl - (raw.p + off));

		assert_true(nl && n < sizeof(line));
		memcpy(line, raw.p + off, n);
		line[n] = '\0';
		off += n + 1;
		if (!n)
			break;
		header_line(v, line);
	}
	assert_int_equal(buf_reserve(&v->file, v->compressed ? ROOM : raw.n - off + 1, NULL), 0);
	if (v->compressed) {
		uLongf room = ROOM;

		assert_int_equal(uncompress(v->file.p, &room, raw.p + off, raw.n - off), Z_OK);
		v->file.n = room;
	} else {
		memcpy(v->file.p, raw.p + off, raw.n - off);
		v->file.n = raw.n - off;
	}
}

/* What `expect` calls it. */
static const char *outcome_of(const struct err *err)
{
	static const char *const words[][2] = {{"E-AGE-01", "header failure"}, {"E-AGE-02", "HMAC failure"},
	    {"E-AGE-03", "no match"}, {"E-AGE-04", "payload failure"}, {"E-AGE-05", "payload failure"},
	    {"E-AGE-07", "no match"}, {"E-AGE-08", "header failure"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(err->code, words[i][0]))
			return words[i][1];
	return err->code;
}

static int unwrap(
    const struct vector *v, const struct age_header *h, uint8_t key[AGE_FILE_KEY], struct err *err)
{
	struct age_identity *ids = NULL;
	char text[8192] = "";
	size_t n = 0;
	int r = -1;

	if (v->n_passphrases) {
		for (size_t i = 0; r && i < v->n_passphrases; i++)
			r = age_header_unwrap_scrypt(h, v->passphrase[i], 22, key, err);
		return r;
	}
	for (size_t i = 0; i < v->n_identities; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", v->identity[i]);
	assert_int_equal(age_identities_parse(text, strlen(text), &ids, &n, err), 0);
	r = age_header_unwrap(h, ids, n, key, err);
	age_identities_free(ids, n);
	return r;
}

/* Segment by segment, as archives are read.  This reader knows the size, so it knows at once that a segment is the last or is
 * not; the vectors are for one that does not, and lets the plaintext of that segment go before it sees the fault.  It is
 * hashed here as if: what really was let go is less, and a beginning of it. */
static int payload(const uint8_t *p, size_t n, const uint8_t key[AGE_FILE_KEY], crypto_hash_sha256_state *sha,
    struct err *err)
{
	static uint8_t out[AGE_SEGMENT];
	struct age_payload *pl;
	uint64_t plain;
	int r = 0;

	if (n < AGE_NONCE)
		return err_set(err, "E-AGE-01", "the nonce, which the vectors count with the header");
	if (age_plain_size(n - AGE_NONCE, &plain, err))
		r = -1;
	pl = age_payload_new(key, p);
	p += AGE_NONCE;
	n -= AGE_NONCE;
	for (uint64_t i = 0; n; i++) {
		size_t take = n < AGE_SEGMENT + AGE_TAG ? n : AGE_SEGMENT + AGE_TAG;

		bool last = take == n;

		if (take < AGE_TAG)
			break;
		if (age_payload_open(pl, i, last, p, take, out, err)) {
			r = -1;
			last = !last;
			if (age_payload_open(pl, i, last, p, take, out, NULL))
				break;
		}
		crypto_hash_sha256_update(sha, out, take - AGE_TAG);
		if (last)
			break;
		p += take;
		n -= take;
	}
	age_payload_free(pl);
	return r;
}

/* The step at which it ends. */
static const char *opened(const struct vector *v, char hex[80])
{
	BUF_AUTO binary = BUF_INIT(ROOM);
	const struct buf *file = &v->file;
	uint8_t key[AGE_FILE_KEY], sum[32];
	crypto_hash_sha256_state sha;
	struct age_header *h = NULL;
	struct err err = ERR_INIT;
	size_t len;
	int r;

	*hex = '\0';
	if (v->armored) {
		if (!age_is_armored(file->p, file->n) || age_dearmor(file->p, file->n, &binary, &err))
			return "armor failure";
		file = &binary;
	}
	r = age_header_parse(file->p, file->n, &h, &len, &err);
	if (r)
		return r == AGE_MORE ? "header failure" : outcome_of(&err);
	r = unwrap(v, h, key, &err);
	age_header_free(h);
	if (r)
		return outcome_of(&err);
	crypto_hash_sha256_init(&sha);
	r = payload(file->p + len, file->n - len, key, &sha, &err);
	crypto_hash_sha256_final(&sha, sum);
	sodium_bin2hex(hex, 80, sum, sizeof(sum));
	return r ? outcome_of(&err) : "success";
}

/* The same at once: never a byte of a file that is not wholly good. */
static void opened_whole(const struct vector *v, const char *name)
{
	struct age_identity *ids = NULL;
	BUF_AUTO out = BUF_INIT(ROOM);
	size_t n;

	if (v->armored || v->n_identities != 1)
		return;
	assert_int_equal(age_identities_parse(v->identity[0], strlen(v->identity[0]), &ids, &n, NULL), 0);
	if ((age_decrypt(v->file.p, v->file.n, ids, n, &out, NULL) == 0) != !strcmp(v->expect, "success"))
		fail_msg("%s: age_decrypt() disagrees", name);
	if (strcmp(v->expect, "success") != 0)
		assert_int_equal(out.n, 0);
	age_identities_free(ids, n);
}

static void every_vector_ends_as_it_says(void **state)
{
	char folder[512];
	size_t applicable = 0, armored = 0, other = 0, wrong = 0;
	struct dirent *e;
	DIR *d;
	(void)state;

	snprintf(folder, sizeof(folder), "%s/vectors/age", TEST_DATA);
	d = opendir(folder);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		struct vector v;
		char hex[80];
		const char *got;

		if (*e->d_name == '.')
			continue;
		load(e->d_name, &v);
		if (v.other) {
			print_message("not applicable: %s\n", e->d_name);
			other++;
		} else {
			applicable++;
			armored += v.armored;
			got = opened(&v, hex);
			if (strcmp(got, v.expect) != 0 || (*v.payload && strcmp(v.payload, hex) != 0)) {
				print_message(
				    "%s: %s, not %s (%s, %s)\n", e->d_name, got, v.expect, hex, v.payload);
				wrong++;
			}
			opened_whole(&v, e->d_name);
		}
		buf_free(&v.file);
	}
	closedir(d);
	print_message("C2SP age: %zu vectors apply (%zu of them armoured), %zu are for other recipients\n",
	    applicable, armored, other);
	assert_int_equal(wrong, 0);
	assert_int_equal(applicable + other, 143);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_vector_ends_as_it_says)};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
