/* pack: see pack.h. */
#include "write/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/arcfile.h"
#include "format/codec.h"
#include "write/pending.h"
#include "write/vault_w.h"

#define BUNDLE_TARGET ((size_t)1 << 20)
#define CIPHER_MAX    ((size_t)64 << 20) /* ciphertext of one addition; far above a chunk and an INDEX */

/* An archive being written in one stream. */
struct stream {
	struct arcfile_writer *writer; /* NULL: none open */
	struct vault_file **files;     /* one per sink, NULL where the sink failed */
	struct digest *sha;
	struct pending *pending;
	uint64_t number, size;
	bool failed; /* no further archive can come of it */
};

struct pack {
	struct pack_config cfg;
	struct stream streams[PACK_STREAMS];
	struct codec *codec;
	struct buf cipher, frame, bundle;
	uint64_t next, new_bytes;
	uint8_t *needed; /* a bit per archive number */
	size_t needed_bits;
	struct dedup_archive *published;
	size_t n_published;
};

static int stream_init(struct stream *s, size_t n_sinks, struct err *err)
{
	s->files = calloc(n_sinks ? n_sinks : 1, sizeof(*s->files));
	s->sha = digest_new();
	s->pending = pending_new();
	return s->files && s->sha && s->pending ? 0 : err_nomem(err);
}

int pack_new(const struct pack_config *cfg, struct pack **ret, struct err *err)
{
	struct pack *p = calloc(1, sizeof(*p));
	int i;

	if (!p)
		return err_nomem(err);
	p->cfg = *cfg;
	p->next = cfg->next_archive;
	buf_init(&p->cipher, CIPHER_MAX);
	buf_init(&p->frame, codec_bound(CODEC_RAW_MAX));
	buf_init(&p->bundle, CODEC_RAW_MAX);
	p->codec = codec_new();
	if (!p->codec) {
		pack_free(p);
		return err_nomem(err);
	}
	for (i = 0; i < PACK_STREAMS; i++)
		if (stream_init(&p->streams[i], cfg->n_sinks, err)) {
			pack_free(p);
			return -1;
		}
	*ret = p;
	return 0;
}

static void drop_files(struct pack *p, struct stream *s)
{
	size_t i;

	for (i = 0; s->files && i < p->cfg.n_sinks; i++) {
		vault_w_discard(p->cfg.sinks[i].vault, s->files[i]);
		s->files[i] = NULL;
	}
}

void pack_free(struct pack *p)
{
	int i;

	if (!p)
		return;
	for (i = 0; i < PACK_STREAMS; i++) {
		struct stream *s = &p->streams[i];

		drop_files(p, s);
		arcfile_writer_free(s->writer);
		digest_free(s->sha);
		pending_free(s->pending);
		free(s->files);
	}
	codec_free(p->codec);
	buf_free(&p->cipher);
	buf_free(&p->frame);
	buf_free(&p->bundle);
	free(p->needed);
	free(p->published);
	free(p);
}

/* A medium that failed takes no further part; its unfinished files go. */
static void sink_failed(struct pack *p, size_t i, const struct err *why)
{
	int k;

	p->cfg.sinks[i].failed = true;
	p->cfg.sinks[i].why = *why;
	for (k = 0; k < PACK_STREAMS; k++) {
		vault_w_discard(p->cfg.sinks[i].vault, p->streams[k].files[i]);
		p->streams[k].files[i] = NULL;
	}
}

static int any_sink(const struct pack *p, struct err *err)
{
	size_t i;

	for (i = 0; i < p->cfg.n_sinks; i++)
		if (!p->cfg.sinks[i].failed)
			return 0;
	if (p->cfg.n_sinks && err)
		*err = p->cfg.sinks[p->cfg.n_sinks - 1].why;
	else
		err_set(err, "E-PACK-01", "%s", text("no medium"));
	return err_wrap(err, "%s", text("no medium is left to write to"));
}

/* Sends the ciphertext gathered in p->cipher to every working medium. */
static int drain(struct pack *p, struct stream *s, struct err *err)
{
	struct err why = ERR_INIT;
	size_t i;

	digest_update(s->sha, p->cipher.p, p->cipher.n);
	s->size += p->cipher.n;
	for (i = 0; i < p->cfg.n_sinks; i++)
		if (s->files[i] && vault_w_write(s->files[i], p->cipher.p, p->cipher.n, &why))
			sink_failed(p, i, &why);
	p->cipher.n = 0;
	return any_sink(p, err);
}

static int open_archive(struct pack *p, struct stream *s, struct err *err)
{
	struct err why = ERR_INIT;
	size_t i;

	for (i = 0; i < p->cfg.n_sinks; i++)
		if (!p->cfg.sinks[i].failed && vault_w_stage(p->cfg.sinks[i].vault, &s->files[i], &why))
			sink_failed(p, i, &why);
	if (any_sink(p, err))
		return -1;
	s->number = p->next++;
	s->size = 0;
	digest_reset(s->sha);
	p->cipher.n = 0;
	if (arcfile_writer_new(p->cfg.repository, s->number, p->cfg.recipients, p->cfg.n_recipients, p->cfg.random,
		&p->cipher, &s->writer, err))
		return -1;
	return drain(p, s, err);
}

static int remember_published(struct pack *p, const struct dedup_archive *a, struct err *err)
{
	struct dedup_archive *more = reallocarray(p->published, p->n_published + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	p->published = more;
	more[p->n_published++] = *a;
	return 0;
}

static int close_archive(struct pack *p, struct stream *s, struct err *err)
{
	struct dedup_archive a = {.number = s->number};
	const struct dedup_entry *entries;
	struct err why = ERR_INIT;
	size_t i, n;

	if (arcfile_writer_finish(s->writer, &p->cipher, err) || drain(p, s, err))
		return -1;
	digest_final(s->sha, a.sha256);
	a.size = s->size;
	for (i = 0; i < p->cfg.n_sinks; i++) {
		struct vault_file *f = s->files[i];

		s->files[i] = NULL;
		if (f && vault_w_publish_archive(p->cfg.sinks[i].vault, f, a.sha256, &why))
			sink_failed(p, i, &why);
	}
	if (any_sink(p, err))
		return -1;
	arcfile_writer_free(s->writer);
	s->writer = NULL;
	entries = pending_entries(s->pending, &n);
	if (dedup_add(p->cfg.dedup, &a, entries, n, err))
		return -1;
	pending_clear(s->pending);
	return remember_published(p, &a, err);
}

static int need(struct pack *p, uint64_t number, struct err *err)
{
	if (number >= p->needed_bits) {
		size_t bits = (size_t)(number | 65535) + 1;
		uint8_t *more = realloc(p->needed, bits / 8);

		if (!more)
			return err_nomem(err);
		memset(more + p->needed_bits / 8, 0, (bits - p->needed_bits) / 8);
		p->needed = more;
		p->needed_bits = bits;
	}
	p->needed[number / 8] |= (uint8_t)(1u << (number % 8));
	return 0;
}

/* Compresses and appends one chunk to an open archive. */
static int append(struct pack *p, struct stream *s, const uint8_t id[DIGEST_LEN], const void *raw, size_t n, struct err *err)
{
	p->frame.n = 0;
	p->cipher.n = 0;
	if (codec_pack(p->codec, raw, n, &p->frame, err) ||
	    arcfile_writer_add(s->writer, id, p->frame.p, p->frame.n, n, &p->cipher, err))
		return -1;
	return drain(p, s, err);
}

static bool archive_full(const struct pack *p, const struct stream *s)
{
	return arcfile_writer_size(s->writer) >= p->cfg.archive_size || arcfile_writer_chunks(s->writer) >= PENDING_MAX ||
	    pending_full(s->pending);
}

/* 1: known, *ret is its place; 0: not known; -1. */
static int known(struct pack *p, const uint8_t id[DIGEST_LEN], size_t n, struct dedup_place *ret, struct err *err)
{
	int i, r;

	for (i = 0; i < PACK_STREAMS; i++)
		if (pending_find(p->streams[i].pending, id, ret))
			break;
	if (i == PACK_STREAMS) {
		r = dedup_lookup(p->cfg.dedup, id, ret, err);
		if (r != 1)
			return r;
	}
	if (ret->length != n)
		return 0;
	return need(p, ret->archive, err) ? -1 : 1;
}

int pack_chunk(struct pack *p, enum pack_stream which, const void *raw, size_t n, struct dedup_place *ret, struct err *err)
{
	struct stream *s = &p->streams[which];
	uint8_t id[DIGEST_LEN];
	int r;

	hmac_of(p->cfg.ids, raw, n, id);
	r = known(p, id, n, ret, err);
	if (r)
		return r < 0 ? -1 : 0;
	if (!s->writer && open_archive(p, s, err))
		return -1;
	*ret = (struct dedup_place){s->number, (uint32_t)arcfile_writer_chunks(s->writer), 0, (uint32_t)n, true};
	if (append(p, s, id, raw, n, err) || need(p, s->number, err))
		return -1;
	p->new_bytes += n;
	pending_add(s->pending, id, ret);
	return archive_full(p, s) ? close_archive(p, s, err) : 0;
}

static int flush_bundle(struct pack *p, struct err *err)
{
	struct stream *s = &p->streams[PACK_BUNDLE];
	uint8_t id[DIGEST_LEN];

	if (!p->bundle.n)
		return 0;
	hmac_of(p->cfg.ids, p->bundle.p, p->bundle.n, id);
	if (append(p, s, id, p->bundle.p, p->bundle.n, err))
		return -1;
	p->bundle.n = 0;
	return archive_full(p, s) ? close_archive(p, s, err) : 0;
}

int pack_small(struct pack *p, const void *raw, size_t n, struct dedup_place *ret, struct err *err)
{
	struct stream *s = &p->streams[PACK_BUNDLE];
	uint8_t id[DIGEST_LEN];
	int r;

	hmac_of(p->cfg.ids, raw, n, id);
	r = known(p, id, n, ret, err);
	if (r)
		return r < 0 ? -1 : 0;
	/* a slice's place is given out before its bundle is written: the bundle's number is fixed because nothing else
	 * goes into this stream */
	if ((p->bundle.n + n > BUNDLE_TARGET || pending_full(s->pending)) && flush_bundle(p, err))
		return -1;
	if (!s->writer && open_archive(p, s, err))
		return -1;
	*ret = (struct dedup_place){
	    s->number, (uint32_t)arcfile_writer_chunks(s->writer), (uint32_t)p->bundle.n, (uint32_t)n, false};
	if (buf_append(&p->bundle, raw, n, err) || need(p, s->number, err))
		return -1;
	p->new_bytes += n;
	pending_add(s->pending, id, ret);
	return 0;
}

int pack_finish(struct pack *p, struct err *err)
{
	int i;

	if (flush_bundle(p, err))
		return -1;
	for (i = 0; i < PACK_STREAMS; i++)
		if (p->streams[i].writer && close_archive(p, &p->streams[i], err))
			return -1;
	return any_sink(p, err);
}

int pack_needed(struct pack *p, struct dedup_archive **ret, size_t *ret_n, struct err *err)
{
	struct dedup_archive *all = NULL;
	size_t number, n = 0, count = 0;

	for (number = 0; number < p->needed_bits; number++)
		count += p->needed[number / 8] >> (number % 8) & 1;
	all = calloc(count ? count : 1, sizeof(*all));
	if (!all)
		return err_nomem(err);
	for (number = 0; number < p->needed_bits; number++) {
		int r;

		if (!(p->needed[number / 8] >> (number % 8) & 1))
			continue;
		r = dedup_archive(p->cfg.dedup, number, &all[n], err);
		if (r != 1) {
			free(all);
			return r ? -1 : err_set(err, "E-DEDUP-01", text("archive %zu is not in the index"), number);
		}
		n++;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

uint64_t pack_next_archive(const struct pack *p)
{
	return p->next;
}

const struct dedup_archive *pack_published(const struct pack *p, size_t *ret_n)
{
	*ret_n = p->n_published;
	return p->published;
}

uint64_t pack_new_bytes(const struct pack *p)
{
	return p->new_bytes;
}
