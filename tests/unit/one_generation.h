/* one_generation: a repository's folder with one signed generation of a few archives, without a key to open them; behind scratch.h. */
#ifndef TESTS_UNIT_ONE_GENERATION_H
#define TESTS_UNIT_ONE_GENERATION_H

#include <sodium.h>

#include "format/crypto/minisig.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"

#define REPO "11111111-2222-4333-8444-555555555555"
#define SET  "emr"
#define DIR  "datasets/" SET /* of the data set, in the repository */
#define UUID "99999999-8888-4777-8666-abcdefabcdef"
#define N    5
#define SIZE 300000

static struct minisig_secret signer, stranger;
static char paths[N][200]; /* from the repository's folder, in order of their names */
static uint8_t sums_of[N][DIGEST_LEN];

/* In `key` lies the signer's public key. */
static int one_generation_setup(void **state)
{
	static const uint8_t seed[32] = {7}, other[32] = {8};
	char key[MINISIG_KEY_TEXT];

	if (sodium_init() < 0 || scratch_setup(state))
		return -1;
	minisig_from_seed(seed, &signer);
	minisig_from_seed(other, &stranger);
	minisig_public_format(&signer.pub, key);
	put_file("key", key, strlen(key));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_LEN);
}

static uint8_t *bytes_of(int i)
{
	uint8_t *p = malloc(SIZE);

	noise(p, SIZE, (uint64_t)i + 1);
	return p;
}

/* SHA256SUMS and its signature, over manifest.json and root.age of these texts. */
static void sign_list(const char *dir, const struct buf *sums, const struct minisig_secret *by,
    uint64_t number, const char *uuid)
{
	struct generation_id id = {.number = number};
	BUF_AUTO comment = BUF_INIT(1000);
	BUF_AUTO sig = BUF_INIT(4096);
	char name[200];

	snprintf(id.repository, sizeof(id.repository), "%s", REPO);
	snprintf(id.dataset, sizeof(id.dataset), "%s", SET);
	snprintf(id.uuid, sizeof(id.uuid), "%s", uuid);
	assert_int_equal(generation_comment("generation", &id, &comment, NULL), 0);
	assert_int_equal(minisig_sign(by, sums->p, sums->n, (char *)comment.p, &sig, NULL), 0);
	snprintf(name, sizeof(name), "%s/" DIR "/generations/000042/SHA256SUMS", dir);
	put_file(name, sums->p, sums->n);
	snprintf(name, sizeof(name), "%s/" DIR "/generations/000042/SHA256SUMS.minisig", dir);
	put_file(name, sig.p, sig.n);
}

static void add_line(struct buf *sums, const char *path, const char *text)
{
	uint8_t sha256[DIGEST_LEN];

	digest_sha256(text, strlen(text), sha256);
	assert_int_equal(generation_sums_add(sums, sha256, path, NULL), 0);
}

/* A repository with generation 42 of N archives. */
static void make_source(const char *dir)
{
	BUF_AUTO sums = BUF_INIT(1 << 20);
	struct {
		uint8_t sha256[DIGEST_LEN];
		int kind;
	} all[N];
	char name[1400], listed[ARCFILE_PATH];

	assert_int_equal(sh("mkdir -p %s/" DIR "/archives %s/" DIR "/generations/000042", dir, dir), 0);
	for (int i = 0; i < N; i++) {
		uint8_t *p = bytes_of(i);

		digest_sha256(p, SIZE, all[i].sha256);
		all[i].kind = i;
		free(p);
	}
	qsort(all, N, sizeof(*all), by_name);
	for (int i = 0; i < N; i++) {
		uint8_t *p = bytes_of(all[i].kind);

		memcpy(sums_of[i], all[i].sha256, DIGEST_LEN);
		arcfile_path(all[i].sha256, listed);
		snprintf(paths[i], sizeof(paths[i]), DIR "/%s", listed);
		assert_int_equal(sh("mkdir -p %s/$(dirname %s)", dir, paths[i]), 0);
		snprintf(name, sizeof(name), "%s/%s", dir, paths[i]);
		put_file(name, p, SIZE);
		free(p);
		assert_int_equal(generation_sums_add(&sums, all[i].sha256, listed, NULL), 0);
	}
	snprintf(name, sizeof(name), "%s/" DIR "/generations/000042/manifest.json", dir);
	put_file(name, "{}\n", 3);
	snprintf(name, sizeof(name), "%s/" DIR "/generations/000042/root.age", dir);
	put_file(name, "root", 4);
	snprintf(name, sizeof(name), "%s/" DIR "/generations/000042/places.age", dir);
	put_file(name, "places", 6);
	add_line(&sums, "generations/000042/manifest.json", "{}\n");
	add_line(&sums, "generations/000042/places.age", "places");
	add_line(&sums, "generations/000042/root.age", "root");
	sign_list(dir, &sums, &signer, 42, UUID);
}

#endif
