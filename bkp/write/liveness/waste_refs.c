/* waste_refs: references as bytes, and the file that holds them; see waste_private.h. */
#include "write/liveness/waste_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/io.h"
#include "base/le.h"

int waste_put_varint(struct buf *out, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;

	for (; v >= 128; v >>= 7)
		b[n++] = (uint8_t)(v | 128);
	b[n++] = (uint8_t)v;
	return buf_append(out, b, n, NULL);
}

bool waste_get_varint(struct waste_unpack *u, uint64_t *ret)
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

void waste_pack_begin(struct waste_pack *p, struct buf *out)
{
	*p = (struct waste_pack){.out = out};
}

static uint64_t zigzag(uint64_t delta)
{
	return delta << 1 ^ (delta >> 63 ? UINT64_MAX : 0);
}

static void put_pending(struct waste_pack *p)
{
	const struct waste_ref *r = &p->pending;

	if (!r->length)
		return;
	p->failed |= waste_put_varint(p->out, zigzag(r->archive - p->before.archive)) ||
		     waste_put_varint(p->out, r->chunk) || waste_put_varint(p->out, r->offset) ||
		     waste_put_varint(p->out, r->length);
	p->before = *r;
}

void waste_pack_ref(struct waste_pack *p, const struct waste_ref *r)
{
	struct waste_ref *q = &p->pending;

	if (q->length && q->archive == r->archive && q->chunk == r->chunk &&
	    q->offset + q->length == r->offset) {
		q->length += r->length;
		return;
	}
	put_pending(p);
	*q = *r;
}

void waste_pack_end(struct waste_pack *p)
{
	put_pending(p);
	p->pending.length = 0;
}

void waste_unpack_begin(struct waste_unpack *u, const void *payload, size_t n)
{
	u->p = payload;
	u->end = u->p + n;
	u->before.archive = 0;
}

bool waste_unpack_ref(struct waste_unpack *u, struct waste_ref *ret)
{
	uint64_t delta, chunk, offset, length;

	if (!waste_get_varint(u, &delta) || !waste_get_varint(u, &chunk) || !waste_get_varint(u, &offset) ||
	    !waste_get_varint(u, &length))
		return false;
	u->before.archive += delta >> 1 ^ (delta & 1 ? UINT64_MAX : 0);
	*ret = (struct waste_ref){u->before.archive, (uint32_t)chunk, (uint32_t)offset, length};
	return true;
}

/* Against damage, not against malice. */
static void sum_of(const uint8_t *head, const void *payload, size_t n, uint8_t out[WASTE_SUM])
{
	uint8_t key[crypto_shorthash_KEYBYTES] = "bkpwaste";

	crypto_shorthash(key + 8, head, WASTE_HEAD, key);
	crypto_shorthash(out, payload, n, key);
}

int waste_put_record(
    struct buf *out, enum waste_kind kind, const struct waste_key *key, const void *payload, size_t n)
{
	uint8_t head[WASTE_HEAD], sum[WASTE_SUM];

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

int waste_write_head(struct buf *out, const char *repository, uint64_t generation)
{
	return buf_printf(out, NULL, "bkp-waste 1 %s %" PRIu64 "\n", repository, generation);
}

int waste_read_open(int dirfd, const char *dataset, const char *repository, struct waste_reader *r)
{
	int fd = openat(dirfd, dataset, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char line[200], want[200];
	size_t n;

	memset(r, 0, sizeof(*r));
	buf_init(&r->payload, WASTE_PAYLOAD_MAX + WASTE_SUM);
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
		waste_read_close(r);
		return -1;
	}
	r->generation = strtoull(line + n, NULL, 10);
	r->at = strlen(line);
	return 0;
}

int waste_read_next(struct waste_reader *r)
{
	uint8_t head[WASTE_HEAD], sum[WASTE_SUM];
	size_t n;

	if (fread(head, 1, sizeof(head), r->f) != sizeof(head))
		return -1;
	n = le_get(head + 1, 4);
	if (n > WASTE_PAYLOAD_MAX)
		return -1;
	r->payload.n = 0;
	if (buf_reserve(&r->payload, n + WASTE_SUM, NULL) ||
	    fread(r->payload.p, 1, n + WASTE_SUM, r->f) != n + WASTE_SUM)
		return -1;
	sum_of(head, r->payload.p, n, sum);
	if (memcmp(sum, r->payload.p + n, WASTE_SUM) != 0)
		return -1;
	r->payload.n = n;
	r->record = (struct waste_record){(enum waste_kind)head[0],
	    {le_get(head + 5, 8), (uint32_t)le_get(head + 13, 4), (uint32_t)le_get(head + 17, 4)},
	    (uint32_t)n, r->at};
	r->at += WASTE_HEAD + n + WASTE_SUM;
	return r->record.kind == WASTE_LAST ? 0 : 1;
}

void waste_read_close(struct waste_reader *r)
{
	if (r->f)
		fclose(r->f);
	r->f = NULL;
	buf_free(&r->payload);
}
