/* liveness_refs: references as bytes, and the file that holds them; see liveness_private.h. */
#include "write/liveness/liveness_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/le.h"
/* ---- the attribute of an entry that names its blocks ---- */

/* finds the extents in a catalog block as it is stored; see liveness_private.h.
 *
 * Our own writer made the block a moment ago; what does not look as expected is passed over: this is a
 * statistic. */

#define BLOCK 512
#define KEY   "SCHILY.xattr.bkp.extents="

/* "<length> <key>=<value>\n", one after the other. */
static void each_record(const char *p, size_t n, liveness_text_fn *fn, void *arg)
{
	const size_t key = sizeof(KEY) - 1;

	while (n) {
		const char *space = memchr(p, ' ', n < 20 ? n : 20);
		size_t length = space ? strtoull(p, NULL, 10) : 0, skip;

		if (!length || length > n || p[length - 1] != '\n')
			return;
		skip = (size_t)(space + 1 - p);
		if (length > skip + key && !memcmp(space + 1, KEY, key))
			fn(arg, space + 1 + key, length - skip - key - 1);
		p += length;
		n -= length;
	}
}

void liveness_each_extents(const void *block, size_t n, liveness_text_fn *fn, void *arg)
{
	const char *p = block;

	while (n >= BLOCK && *p) {
		char digits[13] = "";
		size_t size, room;

		memcpy(digits, p + 124, 12);
		size = strtoull(digits, NULL, 8);
		room = (size + BLOCK - 1) / BLOCK * BLOCK;
		if (size > n || room > n - BLOCK)
			return;
		if (p[156] == 'x')
			each_record(p + BLOCK, size, fn, arg);
		p += BLOCK + room;
		n -= BLOCK + room;
	}
}

/* ---- the rest ---- */

int liveness_put_varint(struct buf *out, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;

	for (; v >= 128; v >>= 7)
		b[n++] = (uint8_t)(v | 128);
	b[n++] = (uint8_t)v;
	return buf_append(out, b, n, NULL);
}

bool liveness_get_varint(struct liveness_unpack *u, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && u->p < u->end; shift += 7) {
		v |= (uint64_t)(*u->p & 127) << shift;
		if (!(*u->p++ & 128)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

void liveness_pack_begin(struct liveness_pack *p, struct buf *out)
{
	*p = (struct liveness_pack){.out = out};
}

static uint64_t zigzag(uint64_t delta)
{
	return delta << 1 ^ (delta >> 63 ? UINT64_MAX : 0);
}

static void put_pending(struct liveness_pack *p)
{
	const struct liveness_ref *r = &p->pending;

	if (!r->length)
		return;
	p->failed |= liveness_put_varint(p->out, zigzag(r->archive - p->before.archive)) ||
		     liveness_put_varint(p->out, r->chunk) || liveness_put_varint(p->out, r->offset) ||
		     liveness_put_varint(p->out, r->length);
	p->before = *r;
}

void liveness_pack_ref(struct liveness_pack *p, const struct liveness_ref *r)
{
	struct liveness_ref *q = &p->pending;

	if (q->length && q->archive == r->archive && q->chunk == r->chunk &&
	    q->offset + q->length == r->offset) {
		q->length += r->length;
		return;
	}
	put_pending(p);
	*q = *r;
}

void liveness_pack_end(struct liveness_pack *p)
{
	put_pending(p);
	p->pending.length = 0;
}

void liveness_unpack_begin(struct liveness_unpack *u, const void *payload, size_t n)
{
	u->p = payload;
	u->end = u->p + n;
	u->before.archive = 0;
}

bool liveness_unpack_ref(struct liveness_unpack *u, struct liveness_ref *ret)
{
	uint64_t delta, chunk, offset, length;

	if (!liveness_get_varint(u, &delta) || !liveness_get_varint(u, &chunk) ||
	    !liveness_get_varint(u, &offset) || !liveness_get_varint(u, &length))
		return false;
	u->before.archive += delta >> 1 ^ (delta & 1 ? UINT64_MAX : 0);
	*ret = (struct liveness_ref){u->before.archive, (uint32_t)chunk, (uint32_t)offset, length};
	return true;
}

/* Against damage, not against malice. */
static void sum_of(const uint8_t *head, const void *payload, size_t n, uint8_t out[LIVENESS_SUM])
{
	uint8_t key[crypto_shorthash_KEYBYTES] = "bkpwaste";

	crypto_shorthash(key + 8, head, LIVENESS_HEAD, key);
	crypto_shorthash(out, payload, n, key);
}

int liveness_put_record(
    struct buf *out, enum liveness_kind kind, const struct liveness_key *key, const void *payload, size_t n)
{
	uint8_t head[LIVENESS_HEAD], sum[LIVENESS_SUM];

	head[0] = (uint8_t)kind;
	le_put(head + 1, n, 4);
	le_put(head + 5, key->archive, 8);
	le_put(head + 13, key->chunk, 4);
	le_put(head + 17, key->offset, 4);
	sum_of(head, payload, n, sum);
	return buf_append(out, head, sizeof(head), NULL) || (n && buf_append(out, payload, n, NULL)) ||
		       buf_append(out, sum, sizeof(sum), NULL)
		   ? -1
		   : 0;
}

int liveness_write_head(struct buf *out, const char *repository, uint64_t generation)
{
	return buf_printf(out, NULL, "bkp-waste 1 %s %" PRIu64 "\n", repository, generation);
}

int liveness_read_open(int dirfd, const char *dataset, const char *repository, struct liveness_reader *r)
{
	int fd = openat(dirfd, dataset, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char line[200], want[200];
	size_t n;

	memset(r, 0, sizeof(*r));
	buf_init(&r->payload, LIVENESS_PAYLOAD_MAX + LIVENESS_SUM);
	if (fd < 0)
		return -1;
	r->f = fdopen(fd, "r");
	if (!r->f) {
		close(fd);
		return -1;
	}
	snprintf(want, sizeof(want), "bkp-waste 1 %s ", repository);
	n = strlen(want);
	if (!fgets(line, sizeof(line), r->f) || strncmp(line, want, n) != 0) {
		liveness_read_close(r);
		return -1;
	}
	r->generation = strtoull(line + n, NULL, 10);
	r->at = strlen(line);
	return 0;
}

int liveness_read_next(struct liveness_reader *r)
{
	uint8_t head[LIVENESS_HEAD], sum[LIVENESS_SUM];
	size_t n;

	if (fread(head, 1, sizeof(head), r->f) != sizeof(head))
		return -1;
	n = le_get(head + 1, 4);
	if (n > LIVENESS_PAYLOAD_MAX)
		return -1;
	r->payload.n = 0;
	if (buf_reserve(&r->payload, n + LIVENESS_SUM, NULL) ||
	    fread(r->payload.p, 1, n + LIVENESS_SUM, r->f) != n + LIVENESS_SUM)
		return -1;
	sum_of(head, r->payload.p, n, sum);
	if (memcmp(sum, r->payload.p + n, LIVENESS_SUM) != 0)
		return -1;
	r->payload.n = n;
	r->record = (struct liveness_record){(enum liveness_kind)head[0],
	    {le_get(head + 5, 8), (uint32_t)le_get(head + 13, 4), (uint32_t)le_get(head + 17, 4)},
	    (uint32_t)n, r->at};
	r->at += LIVENESS_HEAD + n + LIVENESS_SUM;
	return r->record.kind == LIVENESS_LAST ? 0 : 1;
}

void liveness_read_close(struct liveness_reader *r)
{
	if (r->f)
		fclose(r->f);
	r->f = NULL;
	buf_free(&r->payload);
}
