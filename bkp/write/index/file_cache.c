/* file_cache: see file_cache.h.  What reader and writer share (headers, frames, checks), and the blocks. */
#include "write/index/file_cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lz4.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "write/index/file_cache_private.h"

int file_cache_failed(int errnum, const char *dataset, struct err *err)
{
	return err_sys(
	    err, "E-STATCACHE-01", errnum, text("cannot write what is remembered of data set '%s'"), dataset);
}

void file_cache_name(const char *dataset, const char *suffix, char ret[FILE_CACHE_NAME])
{
	snprintf(ret, FILE_CACHE_NAME, "%s%s", dataset, suffix);
}

/* ---- what the file system says ---- */

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)((uint64_t)t->tv_sec * SECOND_NS + (uint64_t)t->tv_nsec);
}

struct file_cache_stat file_cache_stat_of(const struct stat *st, unsigned flags, int64_t now_ns)
{
	struct file_cache_stat s = {
	    .ino = st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .mtime_ns = nanoseconds(&st->st_mtim),
	    .ctime_ns = nanoseconds(&st->st_ctim),
	    .mode = st->st_mode,
	};
	int64_t old = now_ns - FILE_CACHE_MARGIN_NS;

	/* a time of change in the future says that a clock was wrong; a modification time in the future that
	 * somebody has set it.  Where there is no time of change (FAT), modification is all there is. */
	s.believed = !flags && st->st_mode && s.ctime_ns < old &&
		     (s.mtime_ns < old || s.mtime_ns > now_ns + FILE_CACHE_MARGIN_NS);
	return s;
}

bool file_cache_same(const struct file_cache_stat *cached, const struct stat *now)
{
	return cached->believed && cached->ino == now->st_ino && cached->size == (uint64_t)now->st_size &&
	       cached->mode == now->st_mode && cached->mtime_ns == nanoseconds(&now->st_mtim) &&
	       cached->ctime_ns == nanoseconds(&now->st_ctim);
}

/* ---- checks ---- */

void file_cache_check(
    const struct file_cache_key *key, const void *p, size_t n, uint8_t ret[FILE_CACHE_CHECK])
{
	crypto_generichash(ret, FILE_CACHE_CHECK, p, n, key ? key->key : NULL, key ? sizeof(key->key) : 0);
}

static void derive(const char *repository, const char *dataset, struct file_cache_key *key)
{
	crypto_generichash_state s;

	crypto_generichash_init(&s, key->salt, FILE_CACHE_SALT, sizeof(key->key));
	crypto_generichash_update(&s, (const uint8_t *)FILE_CACHE_MAGIC, 16);
	crypto_generichash_update(&s, (const uint8_t *)repository, strlen(repository) + 1);
	crypto_generichash_update(&s, (const uint8_t *)dataset, strlen(dataset) + 1);
	crypto_generichash_final(&s, key->key, sizeof(key->key));
}

void file_cache_header_make(
    const char *repository, const char *dataset, struct file_cache_key *key, uint8_t ret[FILE_CACHE_HEADER])
{
	if (sodium_is_zero(key->salt, FILE_CACHE_SALT))
		randombytes_buf(key->salt, FILE_CACHE_SALT);
	derive(repository, dataset, key);
	memcpy(ret, FILE_CACHE_MAGIC, 16);
	memcpy(ret + 16, key->salt, FILE_CACHE_SALT);
	file_cache_check(key, ret, 48, ret + 48);
}

/* 0, or -1 when the header is not that of this data set. */
static int file_cache_header_read(const uint8_t header[FILE_CACHE_HEADER], const char *repository,
    const char *dataset, struct file_cache_key *ret)
{
	struct file_cache_key key;
	uint8_t check[FILE_CACHE_CHECK];

	if (memcmp(header, FILE_CACHE_MAGIC, 16) != 0)
		return -1;
	memcpy(key.salt, header + 16, FILE_CACHE_SALT);
	derive(repository, dataset, &key);
	file_cache_check(&key, header, 48, check);
	if (memcmp(check, header + 48, FILE_CACHE_CHECK) != 0)
		return -1;
	*ret = key;
	return 0;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void file_cache_frame_make(
    const struct file_cache_key *key, const void *head, size_t n, size_t body, uint8_t ret[FILE_CACHE_FRAME])
{
	memcpy(ret, FILE_CACHE_FRAME_MAGIC, 8);
	put32(ret + 8, (uint32_t)n);
	put32(ret + 12, (uint32_t)body);
	file_cache_check(key, head, n, ret + 16);
	file_cache_check(key, ret, 32, ret + 32);
}

int file_cache_frame_read(const struct file_cache_key *key, const uint8_t frame[FILE_CACHE_FRAME],
    uint32_t *ret_head, uint32_t *ret_body)
{
	uint32_t head = get32(frame + 8), body = get32(frame + 12);
	uint8_t check[FILE_CACHE_CHECK];

	if (memcmp(frame, FILE_CACHE_FRAME_MAGIC, 8) != 0 || head > FILE_CACHE_HEAD_MAX ||
	    body > FILE_CACHE_BODY_MAX)
		return -1;
	file_cache_check(key, frame, 32, check);
	if (memcmp(check, frame + 32, FILE_CACHE_CHECK) != 0)
		return -1;
	*ret_head = head;
	*ret_body = body;
	return 0;
}

/* ---- files that are read ---- */

int file_cache_source_open(int dirfd, const char *name, const char *repository, const char *dataset,
    struct file_cache_source **ret, struct err *err)
{
	uint8_t header[FILE_CACHE_HEADER];
	IO_FD_AUTO fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct file_cache_source *s;
	struct file_cache_key key;
	struct stat st;

	*ret = NULL;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    io_pread_full(fd, header, sizeof(header), 0) != FILE_CACHE_HEADER ||
	    file_cache_header_read(header, repository, dataset, &key))
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(err);
	atomic_init(&s->refs, 1);
	buf_init(&s->raw, CATALOG_BLOCK_MAX);
	buf_init(&s->body, FILE_CACHE_BODY_MAX);
	s->fd = io_take(&fd);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->size = (uint64_t)st.st_size;
	s->key = key;
	*ret = s;
	return 0;
}

void file_cache_source_free(struct file_cache_source *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	io_close_quietly(&s->fd);
	buf_free(&s->raw);
	buf_free(&s->body);
	free(s);
}

int file_cache_source_read(const struct file_cache_source *s, uint64_t at, void *p, size_t n)
{
	return at > s->size || n > s->size - at || io_pread_full(s->fd, p, n, (int64_t)at) != (ssize_t)n ? -1
													 : 0;
}

/* ---- blocks ---- */

struct file_cache_block *file_cache_block_ref(struct file_cache_block *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

void file_cache_block_free(struct file_cache_block *b)
{
	if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	file_cache_source_free(b->source);
	free(b);
}

size_t file_cache_entries(const struct file_cache_block *b)
{
	return b->n;
}

const struct file_cache_entry *file_cache_entry(const struct file_cache_block *b, size_t i)
{
	return &b->entries[i];
}

bool file_cache_whole(const struct file_cache_block *b)
{
	return b->whole;
}

bool file_cache_full(const struct file_cache_block *b)
{
	return b->full;
}

const struct file_cache_archive *file_cache_archives(const struct file_cache_block *b, size_t *ret_n)
{
	*ret_n = b->n_archives;
	return b->archives;
}

const char *file_cache_place(const struct file_cache_block *b)
{
	return b->place;
}

const uint8_t *file_cache_bytes(struct file_cache_block *b)
{
	struct file_cache_source *s = b->source;
	uint8_t check[FILE_CACHE_CHECK];

	if (s->raw_at == b->at)
		return s->raw.p;
	s->raw_at = 0;
	s->raw.n = s->body.n = 0;
	if (buf_reserve(&s->raw, b->raw, NULL) || buf_reserve(&s->body, b->body, NULL) ||
	    file_cache_source_read(s, b->at + FILE_CACHE_FRAME + b->head, s->body.p, b->body))
		return NULL;
	file_cache_check(NULL, s->body.p, b->body, check);
	if (memcmp(check, b->body_check, FILE_CACHE_CHECK) != 0 ||
	    LZ4_decompress_safe((const char *)s->body.p, (char *)s->raw.p, (int)b->body, (int)b->raw) !=
		(int)b->raw)
		return NULL;
	s->raw_at = b->at;
	return s->raw.p;
}
