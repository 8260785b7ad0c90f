/* packing: a pack with everything it needs, in the scratch folder, and tests/lib/resolve.py as the judge of
 * what it wrote.
 *
 * packing_begin(night) → pack_… → packing_end(); packing_expect() notes what extents must resolve to,
 * packing_judge() asks.
 */
#ifndef BKP_TESTS_PACKING_H
#define BKP_TESTS_PACKING_H

#include <sodium.h>

#include "format/crypto/age.h"
#include "format/crypto/digest.h"
#include "scratch.h"
#include "write/index/dedup.h"
#include "write/pack/pack.h"
#include "vaultdir.h"
#include "write/pack/vault_w.h"

#define PACKING_REPO "11111111-2222-4333-8444-555555555555"
#define PACKING_SET  "emr"

struct packing {
	struct pack_sink sinks[3];
	size_t n_sinks;
	struct dedup *dedup;
	struct hmac *ids;
	struct pack *pack;
};

static struct age_recipient packing_recipient;
static uint8_t packing_key[32] = {3, 1, 4, 1, 5};

static void packing_fill(void *arg, void *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

static const struct age_random packing_random = {packing_fill, NULL};

static UNUSED int packing_setup(void **state)
{
	struct age_identity id;
	char secret[AGE_IDENTITY_TEXT];

	if (sodium_init() < 0 || scratch_setup_memory(state))
		return -1;
	age_identity_generate(&packing_random, &id);
	age_identity_format(&id, secret);
	put_file("identity", secret, strlen(secret));
	return age_identity_recipient(&id, &packing_recipient);
}

/* `names`: folders of the scratch folder, one a sink, made if absent; ended by NULL. */
static UNUSED void packing_begin(
    struct packing *k, const char *const *names, const char *index, uint64_t archive_size)
{
	struct pack_config cfg = {.repository = PACKING_REPO,
	    .recipients = &packing_recipient,
	    .n_recipients = 1,
	    .random = &packing_random,
	    .cachefd = -1,
	    .sinks = k->sinks,
	    .generation = 1};

	memset(k, 0, sizeof(*k));
	for (; names[k->n_sinks]; k->n_sinks++) {
		int fd;

		mkdir(in_scratch(names[k->n_sinks]), 0755);
		fd = open(in_scratch(names[k->n_sinks]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(vault_w_open_dir(fd, &k->sinks[k->n_sinks].vault, NULL), 0);
		close(fd);
	}
	assert_int_equal(dedup_open(in_scratch(index), PACKING_REPO, &k->dedup, NULL), 0);
	k->ids = hmac_new(packing_key, sizeof(packing_key));
	cfg.ids = k->ids;
	cfg.dedup = k->dedup;
	cfg.n_sinks = k->n_sinks;
	assert_int_equal(dedup_use(k->dedup, PACKING_SET, NULL), 0);
	assert_int_equal(pack_new(&cfg, &k->pack, NULL), 0);
	assert_int_equal(
	    pack_begin_set(k->pack, PACKING_SET, archive_size, dedup_last_archive(k->dedup) + 1, NULL), 0);
}

static UNUSED void packing_end(struct packing *k)
{
	pack_free(k->pack);
	for (size_t i = 0; i < k->n_sinks; i++)
		vault_w_close(k->sinks[i].vault);
	dedup_close(k->dedup);
	hmac_free(k->ids);
}

static UNUSED void packing_expect(const char *extents, const void *p, size_t n)
{
	char hex[DIGEST_HEX];
	uint8_t sha256[DIGEST_LEN];
	FILE *f = fopen(in_scratch("expected"), "a");

	digest_sha256(p, n, sha256);
	fprintf(f, "%s %s\n", digest_hex(sha256, DIGEST_LEN, hex), extents);
	fclose(f);
}

static UNUSED void packing_expect_place(const struct dedup_place *pl, const void *p)
{
	char extents[300], hex[DIGEST_HEX];
	uint8_t id[DIGEST_LEN];
	struct hmac *ids = hmac_new(packing_key, sizeof(packing_key));

	hmac_of(ids, p, pl->length, id);
	hmac_free(ids);
	digest_sha256(id, DIGEST_LEN, id);
	snprintf(extents, sizeof(extents), "%u %llu:%u:%u:%u:%s", pl->length, (unsigned long long)pl->archive,
	    pl->chunk, pl->offset, pl->length, digest_hex(id, DIGEST_LEN, hex));
	packing_expect(extents, p, pl->length);
}

/* Everything expected is in that repository; the list of its archives goes to the file "archives.list". */
static UNUSED void packing_judge(const char *name)
{
	char hex[DIGEST_HEX];

	assert_int_equal(sh("touch expected && python3 %s/lib/resolve.py identity %s %s/datasets/" PACKING_SET
			    " <expected >archives.list",
			     TEST_DATA, digest_hex(packing_key, 32, hex), name),
	    0);
}

static UNUSED void packing_forget(void)
{
	assert_int_equal(sh("chattr -R -i . 2>/dev/null; find . -mindepth 1 ! -name identity -delete"), 0);
}

#endif
