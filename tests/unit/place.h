/* place: somewhere for a state folder, with who may open the backups; several at a time.
 *
 * new_place() → state_create() → open_it() …; end_place(). */
#ifndef BKP_TESTS_PLACE_H
#define BKP_TESTS_PLACE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"
#include "base/err.h"
#include "format/crypto/age.h"
#include "write/state/state.h"

#define PATH 256

struct place {
	char dir[PATH];	  /* temporary */
	char state[PATH]; /* dir/state */
	char root[PATH];  /* dir/root.key */
	struct age_identity id;
	struct age_recipient pub;
};

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void new_place(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/bkp-state-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->state, sizeof(p->state), "%.200s/state", p->dir);
	snprintf(p->root, sizeof(p->root), "%.200s/root.key", p->dir);
	age_identity_generate(state_random(), &p->id);
	assert_int_equal(age_identity_recipient(&p->id, &p->pub), 0);
}

static void end_place(struct place *p)
{
	nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct state *open_it(const struct place *p)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;

	if (state_open(p->state, &s, &err))
		fail_msg("%s %s", err.code, err.msg);
	return s;
}

#endif
