/* reap_lists: what the generations that stand on a medium list; see reap.h.
 *
 * An archive may be deleted only when no list that stays names it, so every list must be read: one that cannot
 * be verified stops all deleting.  Memory: a set of at most ARCHIVES_MAX bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/file/digestset.h"
#include "read/vault/vault_r.h"
#include "write/store/reap_private.h"

#define ARCHIVES_MAX ((size_t)32 << 20)

struct listing {
	struct vault_r *v;
	const struct reap_item *but;
	size_t n;
	struct digestset *set;
	struct err *why;
};

static int add_list(struct listing *l, const struct buf *sums, struct err *err)
{
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, err))) {
		r = strncmp(path, "archives/", 9) != 0 ? 0 : digestset_put(l->set, sha256, 1, err);
		if (r == DIGESTSET_FULL)
			err_set(
			    err, "E-MEM-02", "%s", text("there are too many archives to be held in memory"));
		if (r)
			return -1;
	}
	return r < 0 ? -1 : 0;
}

static int look_at_generation(void *arg, const char *name, struct err *err)
{
	struct listing *l = arg;
	struct vault_r_generation *g = NULL;
	struct err fault = ERR_INIT;
	uint64_t number;
	int r;

	if (generation_dir_parse(name, &number))
		return 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->but[i].number == number)
			return 0;
	if (vault_r_generation_open(l->v, number, &g, &fault)) {
		err_set(l->why, "E-REAP-03",
		    text("generation %ju on the medium cannot be verified, so no archive is deleted: %s"),
		    number, fault.msg);
		return err_hint(l->why, "%s",
			   text("see 'bkp verify'; a rotation or the next run mends what was lost")),
		       1;
	}
	r = add_list(l, vault_r_sums(g), err);
	vault_r_generation_close(g);
	return r;
}

int reap_listed(struct vault_r *v, const struct reap_item *but, size_t n, struct digestset **ret,
    struct err *why, struct err *err)
{
	struct listing l = {v, but, n, digestset_new(ARCHIVES_MAX), why};
	IO_FD_AUTO dir = -1;
	int r = -1;

	if (!l.set)
		return err_nomem(err);
	dir = reap_folder(vault_r_fd(v), "generations", err);
	if (dir >= 0)
		r = io_each_name(dir, look_at_generation, &l, err);
	if (r)
		digestset_free(l.set);
	else
		*ret = l.set;
	return r;
}

int reap_next(
    const struct buf *sums, size_t *pos, const struct digestset *listed, char path[], struct err *err)
{
	uint8_t sha256[DIGEST_LEN];
	int r;

	do
		r = generation_sums_next((const char *)sums->p, sums->n, pos, sha256, path, err);
	while (!r && (strncmp(path, "archives/", 9) != 0 || digestset_get(listed, sha256)));
	return r;
}
