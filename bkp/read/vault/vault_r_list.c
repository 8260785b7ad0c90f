/* vault_r_list: all generations of a repository with their states; see vault_r.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "read/vault/vault_r_private.h"

#define NUMBERS_MAX ((size_t)1 << 20) /* generations; a medium with more cannot be listed */

const char *vault_r_state_word(enum vault_r_state s)
{
	static const char *const words[] = {"complete", "incomplete", "damaged", "forged"};

	return words[s];
}

static int collect_number(void *arg, const char *name, struct err *err)
{
	struct buf *numbers = arg;
	uint64_t n;

	if (generation_dir_parse(name, &n))
		return 0;
	return buf_append(numbers, &n, sizeof(n), err);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static void first_fault(void *arg, const char *file, const struct err *fault)
{
	struct err *why = arg;

	(void)file;
	if (!why->code[0])
		*why = *fault;
}

static enum vault_r_state state_of(const struct err *why)
{
	if (why->kind == ERR_INCOMPLETE)
		return VAULT_R_INCOMPLETE;
	/* what was signed by this repository and yet says nonsense was not written by it */
	if (why->kind == ERR_FORGED || why->kind == ERR_MALFORMED)
		return VAULT_R_FORGED;
	return VAULT_R_DAMAGED;
}

static int list_one(struct vault_r *v, uint64_t number, vault_r_list_fn *fn, void *arg, struct err *err)
{
	struct vault_r_listed listed = {.number = number, .why = ERR_INIT};
	struct vault_r_generation *g = NULL;
	int r;

	if (!vault_r_generation_open(v, number, &g, &listed.why)) {
		listed.manifest = vault_r_manifest(g);
		if (vault_r_presence(v, g, first_fault, &listed.why, &listed.missing, &listed.why))
			listed.missing = 1;
	}
	listed.state = listed.why.code[0] ? state_of(&listed.why) : VAULT_R_COMPLETE;
	r = fn(arg, &listed, err);
	vault_r_generation_close(g);
	return r;
}

int vault_r_list(struct vault_r *v, vault_r_list_fn *fn, void *arg, struct err *err)
{
	BUF_AUTO numbers = BUF_INIT(NUMBERS_MAX * sizeof(uint64_t));
	IO_FD_AUTO dir = openat(v->fd, "generations", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t i;
	int r;

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0)
		return err_sys(err, "E-IO-07", errno, text("cannot open folder '%s'"), "generations");
	if (io_each_name(dir, collect_number, &numbers, err))
		return -1;
	if (numbers.n)
		qsort(numbers.p, numbers.n / sizeof(uint64_t), sizeof(uint64_t), by_number);
	for (i = 0; i < numbers.n; i += sizeof(uint64_t)) {
		uint64_t number;

		memcpy(&number, numbers.p + i, sizeof(number));
		r = list_one(v, number, fn, arg, err);
		if (r)
			return r;
	}
	return 0;
}
