/* state_period: the first period of a repository: its identity is made in memory, encrypted to each person, and wiped; or all of that was
 * done elsewhere (keys_begun_read()); see period.h.
 *
 * Everything is written into the state folder that is being made: keys/1/.  The host that captures keeps the recipient alone. */
#include "write/state/state_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/period_make.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"
#include "read/vault/age_tool.h"
#include "read/vault/periods.h"
#include "read/vault/repository.h"

void state_person_number(size_t n, char name[PERIOD_NAME])
{
	snprintf(name, PERIOD_NAME, "holder-%zu", n);
}

static int put_signed(int dir, const struct period *p, const struct minisig_secret *root,
    uint8_t ret_sha256[DIGEST_LEN], struct err *err)
{
	BUF_AUTO json = BUF_INIT(PERIOD_FILE_MAX);
	BUF_AUTO sig = BUF_INIT(PERIOD_FILE_MAX);
	char comment[PERIOD_COMMENT], name[PERIOD_NAME];

	if (period_format(p, &json, err) ||
	    minisig_sign(root, json.p, json.n, period_comment(p->repository, p->number, p->revision, comment),
		&sig, err))
		return -1;
	digest_sha256(json.p, json.n, ret_sha256);
	return io_write_new(dir, period_file(p->revision, PERIOD_OF_JSON, name), 0444, json.p, json.n, err) ||
		       io_write_new(
			   dir, period_file(p->revision, PERIOD_OF_SIG, name), 0444, sig.p, sig.n, err)
		   ? -1
		   : 0;
}

static int put_files(int dir, const struct period_making *m, const struct minisig_secret *root,
    uint8_t ret_sha256[DIGEST_LEN], struct err *err)
{
	for (size_t i = 0; i < m->n_files; i++)
		if (io_write_new(dir, m->files[i].name, 0444, m->files[i].bytes.p, m->files[i].bytes.n, err))
			return -1;
	return put_signed(dir, m->period, root, ret_sha256, err) || io_sync_dir(dir, err) ? -1 : 0;
}

/* Made here, or made elsewhere: then it gets the repository that it is of now. */
static int make_first(const char *repository, int64_t now_ns, const struct state_keys *keys,
    struct period_making **ret, struct err *err)
{
	const struct period_means by = {.random = state_random(), .seal = age_tool_seal, .now_ns = now_ns};
	struct period_member members[PERIOD_PEOPLE_MAX];

	for (size_t i = 0; i < keys->n; i++)
		members[i] = (struct period_member){keys->people[i].name, keys->people[i].recipient};
	if (!keys->begun)
		return period_make(&by, repository, NULL, NULL, NULL, members, keys->n, ret, err);
	snprintf(keys->begun->period->repository, GENERATION_UUID, "%s", repository);
	keys->begun->period->begun_ns = now_ns;
	*ret = keys->begun;
	return 0;
}

int state_period_create(int dirfd, const char *repository, int64_t now_ns, const struct state_keys *keys,
    const struct minisig_secret *root, struct age_recipient *ret, uint8_t ret_sha256[DIGEST_LEN],
    struct err *err)
{
	struct period_making *m;
	IO_FD_AUTO parent = -1, dir = -1;
	int r = -1;

	if (make_first(repository, now_ns, keys, &m, err))
		return -1;
	*ret = m->period->recipient;
	if ((parent = io_make_dir(dirfd, PERIOD_KEYS, 0700, err)) >= 0 &&
	    (dir = io_make_dir(parent, "1", 0700, err)) >= 0)
		r = put_files(dir, m, root, ret_sha256, err) || io_sync_dir(parent, err) ? -1 : 0;
	if (!keys->begun)
		period_making_free(m);
	return r;
}

/* ---- opening ---- */

/* Those that the journal names, and none beyond: what a keys_take() that died left is not in force. */
static int load(struct state *s, struct err *err)
{
	const struct ledger_period *want = ledger_period(s->ledger);
	const struct periods_limit limit = {want->number, want->revision};
	const struct store folder = store_dir_of(s->dir);

	periods_free(s->periods);
	s->periods = NULL;
	return periods_load(
	    &folder, repository_id(s->repo), ledger_root(s->ledger), &limit, &s->periods, err);
}

int state_period_load(struct state *s, struct err *err)
{
	const struct ledger_period *want = ledger_period(s->ledger);
	char path[PERIOD_PATH], name[PERIOD_NAME], hex[DIGEST_HEX];
	const struct period *is;

	if (load(s, err))
		return -1;
	is = state_period(s);
	/* whoever puts an older or another one there could make us encrypt to it */
	if (is && is->revision == want->revision &&
	    !strcmp(digest_hex(periods_sha256(s->periods, is->number), DIGEST_LEN, hex), want->sha256))
		return 0;
	return state_damaged(
	    s, period_path(want->number, period_file(want->revision, PERIOD_OF_JSON, name), path), err);
}
