/* verify_deep: the part of verify that needs an identity; see verify.h.
 *
 * First every archive by itself, each chunk decoded once; what is bad is remembered.  Then every catalog:
 * each extent must lie inside chunks that are good.  So nothing is decoded twice, however often it is
 * referenced. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/arcfile.h"
#include "format/catalog.h"
#include "format/codec.h"
#include "format/generation.h"
#include "read/agefile.h"
#include "read/arc_r.h"
#include "read/catalog_r.h"
#include "read/digestset.h"
#include "read/extent_r.h"
#include "read/vault_r.h"
#include "read/verify_private.h"

/* offsets below are those of a ustar header: POSIX.1-2001 pax, "ustar Interchange Format" */
#define BLOCK	512
#define BAD_MAX ((size_t)4 << 20)

struct deep {
	struct verify_run *run;
	struct generation_root *root;
	struct arc_r *arc;
	struct hmac *hmac; /* chunk ids; NULL when repository.age cannot be read */
	struct codec *codec;
	struct digestset *bad; /* chunks that cannot be had */
	struct buf frame, raw;
};

static void bad_key(uint64_t archive, uint32_t chunk, uint8_t out[DIGEST_LEN])
{
	uint64_t id[2] = {archive, chunk};

	digestset_key_of(id, sizeof(id), out);
}

static uint64_t padded(uint64_t n)
{
	return (n + BLOCK - 1) / BLOCK * BLOCK;
}

static bool octal(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v * 8 + (uint64_t)(p[i] - '0');
	*ret = v;
	return i > 0;
}

/* Would stock tar find a regular file of this name and size here? */
static bool is_header(const uint8_t h[BLOCK], const char *name, uint64_t size)
{
	uint64_t said_size, said_sum, sum = 0;
	size_t i;

	for (i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	return !strncmp((const char *)h, name, 100) && octal(h + 124, 12, &said_size) && said_size == size &&
	       octal(h + 148, 8, &said_sum) && said_sum == sum && h[156] == '0' &&
	       !memcmp(h + 257, "ustar", 5);
}

static int container_wrong(struct err *err, uint64_t offset)
{
	return err_set(
	    err, "E-VERIFY-04", text("its container does not agree with its INDEX at offset %ju"), offset);
}

/* Headers before each chunk and before INDEX, the marker behind it, and nothing else. */
static int check_container(struct agefile *f, const struct arcfile_index *ix, struct err *err)
{
	uint8_t h[BLOCK], end[2 * BLOCK], magic[4];
	char name[2 * DIGEST_LEN + 8];
	uint64_t at = 0, size = agefile_size(f), index_size;
	size_t i;

	for (i = 0; i < ix->n; i++) {
		const struct arcfile_chunk *c = &ix->chunks[i];

		size_t n = c->stored < sizeof(magic) ? c->stored : sizeof(magic);

		if (agefile_read(f, c->offset, magic, n, err))
			return -1;
		digest_hex(c->id, DIGEST_LEN, name);
		snprintf(name + 2 * DIGEST_LEN, 8, codec_is_zstd(magic, n) ? ".zst" : ".lz4");
		if (agefile_read(f, at, h, BLOCK, err))
			return -1;
		if (c->offset != at + BLOCK || !is_header(h, name, c->stored))
			return container_wrong(err, at);
		at = padded(c->offset + c->stored);
	}
	if (size < at + BLOCK + sizeof(end))
		return container_wrong(err, at);
	if (agefile_read(f, at, h, BLOCK, err))
		return -1;
	if (!octal(h + 124, 12, &index_size) || index_size > ARCFILE_INDEX_MAX ||
	    !is_header(h, "INDEX", index_size) || padded(at + BLOCK + index_size) + sizeof(end) != size)
		return container_wrong(err, at);
	if (agefile_read(f, size - sizeof(end), end, sizeof(end), err))
		return -1;
	return sodium_is_zero(end, sizeof(end)) ? 0 : container_wrong(err, size - sizeof(end));
}

static int check_chunk(struct deep *d, struct agefile *f, const struct arcfile_chunk *c, struct err *err)
{
	uint8_t id[DIGEST_LEN];

	d->frame.n = d->raw.n = 0;
	if (buf_reserve(&d->frame, c->stored, err) || buf_reserve(&d->raw, c->raw, err) ||
	    agefile_read(f, c->offset, d->frame.p, c->stored, err) ||
	    codec_unpack(d->codec, d->frame.p, c->stored, d->raw.p, c->raw, err))
		return -1;
	if (!d->hmac)
		return 0;
	hmac_of(d->hmac, d->raw.p, c->raw, id);
	if (memcmp(id, c->id, DIGEST_LEN) != 0)
		return err_set(err, "E-VERIFY-05", "%s", text("is not the chunk that its id says"));
	return 0;
}

/* -1 only when the verification cannot go on. */
static int check_archive(struct deep *d, const struct generation_archive *a, struct err *err)
{
	const struct arcfile_index *ix;
	struct err why = ERR_INIT;
	char path[ARCFILE_PATH];
	struct agefile *f;
	uint32_t i;

	arcfile_path(a->sha256, path);
	if (verify_listed(d->run, path, a->sha256, err) < 0)
		return -1;
	if (arc_r_open(d->arc, a->number, &ix, &f, &why)) {
		verify_report(d->run, path, NULL, NULL, &why);
		return 0; /* arc_r says so again for every file that needs it */
	}
	d->run->res.archives++;
	if (check_container(f, ix, &why)) {
		err_wrap(&why, text("archive '%s'"), path);
		verify_report(d->run, path, NULL, NULL, &why);
	}
	for (i = 0; i < ix->n; i++) {
		uint8_t key[DIGEST_LEN];

		d->run->res.chunks++;
		if (!check_chunk(d, f, &ix->chunks[i], &why))
			continue;
		err_wrap(&why, text("archive '%s', chunk %u at offset %ju"), path, i, ix->chunks[i].offset);
		verify_report(d->run, path, NULL, NULL, &why);
		bad_key(a->number, i, key);
		if (digestset_put(d->bad, key, 1, err) < 0)
			return -1;
	}
	return 0;
}

static int check_extents(struct deep *d, const struct catalog_item *item, struct err *err)
{
	struct extent_r_piece piece;
	uint8_t key[DIGEST_LEN];
	struct extent_r *x;
	int r;

	if (extent_r_open(d->arc, item->extents, item->extents_len, &x, err))
		return -1;
	while (!(r = extent_r_next(x, &piece, err))) {
		if (piece.hole)
			continue;
		bad_key(piece.archive, piece.chunk, key);
		if (digestset_get(d->bad, key)) {
			r = err_set(err, "E-VERIFY-05",
			    text("needs chunk %u of archive number %ju, which is bad"), piece.chunk,
			    piece.archive);
			break;
		}
	}
	extent_r_close(x);
	return r < 0 ? -1 : 0;
}

static void check_counts(struct deep *d, const struct generation_dataset *ds, uint64_t entries)
{
	const struct generation_manifest *m = vault_r_manifest(d->run->g);
	const struct generation_dataset *said = NULL;
	struct err why = ERR_INIT;
	size_t i;

	for (i = 0; i < m->n_datasets; i++)
		if (!strcmp(m->datasets[i].name, ds->name))
			said = &m->datasets[i];
	if (!said || said->verdict != ds->verdict || said->entries != ds->entries)
		err_set(&why, "E-VERIFY-06", text("data set '%s': manifest.json and root.age do not agree"),
		    ds->name);
	else if (entries != ds->entries)
		err_set(&why, "E-VERIFY-06", text("data set '%s' has %ju entries where %ju were promised"),
		    ds->name, entries, ds->entries);
	else
		return;
	verify_report(d->run, NULL, ds->name, NULL, &why);
}

static int check_dataset(struct deep *d, const struct generation_dataset *ds, struct err *err)
{
	struct catalog_r *c = NULL;
	struct err why = ERR_INIT;
	struct catalog_item item;
	uint64_t entries = 0;
	int r;

	if (catalog_r_open(d->arc, ds, &c, &why)) {
		verify_report(d->run, NULL, ds->name, NULL, &why);
		return 0;
	}
	while ((r = catalog_r_next(c, &item, &why)) != CATALOG_END) {
		if (r == CATALOG_R_LOST) {
			verify_report(d->run, NULL, ds->name, NULL, &why);
			continue;
		}
		if (r < 0)
			break;
		entries++;
		d->run->res.entries++;
		if (item.extents && check_extents(d, &item, &why)) {
			d->run->res.entries_bad++;
			verify_report(d->run, NULL, ds->name, item.path, &why);
		}
	}
	catalog_r_close(c);
	if (r < 0) {
		if (err)
			*err = why;
		return -1;
	}
	check_counts(d, ds, entries);
	return 0;
}

static int deep_open(struct deep *d, struct err *err)
{
	const struct verify_options *opt = d->run->opt;
	struct arc_r_options arc = {.unhashed = true}; /* hashed here, with the outcome reported by itself */
	uint8_t key[DIGEST_LEN];
	struct err why = ERR_INIT;

	buf_init(&d->frame, codec_bound(CODEC_RAW_MAX));
	buf_init(&d->raw, CODEC_RAW_MAX);
	if (vault_r_chunk_id_key(d->run->v, opt->ids, opt->n_ids, key, &why)) {
		verify_report(d->run, "repository.age", NULL, NULL, &why);
	} else {
		d->hmac = hmac_new(key, sizeof(key));
		sodium_memzero(key, sizeof(key));
		if (!d->hmac)
			return err_nomem(err);
	}
	d->codec = codec_new();
	d->bad = digestset_new(BAD_MAX);
	if (!d->codec || !d->bad)
		return err_nomem(err);
	return arc_r_new(vault_r_fd(d->run->v), d->root, opt->ids, opt->n_ids, &arc, &d->arc, err);
}

static void deep_close(struct deep *d)
{
	arc_r_free(d->arc);
	generation_root_free(d->root);
	hmac_free(d->hmac);
	codec_free(d->codec);
	digestset_free(d->bad);
	if (d->raw.p)
		sodium_memzero(d->raw.p, d->raw.cap);
	buf_free(&d->raw);
	buf_free(&d->frame);
}

int verify_deep(struct verify_run *run, struct err *err)
{
	struct deep d = {.run = run};
	struct err why = ERR_INIT;
	size_t i;
	int r;

	if (vault_r_root(run->v, run->g, run->opt->ids, run->opt->n_ids, &d.root, &why)) {
		verify_report(run, NULL, NULL, NULL, &why);
		return 0;
	}
	r = deep_open(&d, err);
	for (i = 0; !r && i < d.root->n_archives; i++)
		r = check_archive(&d, &d.root->archives[i], err);
	for (i = 0; !r && i < d.root->n_datasets; i++)
		r = check_dataset(&d, &d.root->datasets[i], err);
	deep_close(&d);
	return r;
}
