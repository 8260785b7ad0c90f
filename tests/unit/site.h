/* site: a repository in the scratch folder, made by the product's own code: its state folder (state), the one data
 * set d (of the folder src), and media, each a folder of its name.
 *
 * site_create() → site_add_medium() … → site_policy() → site_run() …; site_teardown().
 */
#ifndef BKP_TESTS_SITE_H
#define BKP_TESTS_SITE_H

#include <jansson.h>
#include <sodium.h>

#include "scratch.h"
#include "unlocked.h"

#include "base/err.h"
#include "format/crypto/age.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/medium_w.h"
#include "write/run/run.h"
#include "write/state/state.h"

static struct state *repo;
static struct policy *policy;
static struct age_identity identity; /* that opens the backups */

static UNUSED void site_create(const char *name)
{
	struct age_recipient pub;
	struct err err = ERR_INIT;

	assert_true(sodium_init() >= 0);
	age_identity_generate(state_random(), &identity);
	assert_int_equal(age_identity_recipient(&identity, &pub), 0);
	if (state_create(in_scratch("state"), name, &pub, 1, &err) ||
	    state_open(in_scratch("state"), &repo, &err))
		fail_msg("%s %s", err.code, err.msg);
	identity = unlocked(repo, &identity);
}

/* Made, registered and on record.  ret_uuid may be NULL. */
static UNUSED void site_add_medium(const char *name, const char *type, bool offline, char *ret_uuid)
{
	struct err err = ERR_INIT;
	char uuid[JOURNAL_UUID];

	if (sh("mkdir -p %s", name) ||
	    medium_w_register(repo, in_scratch(name), name, type, uuid, &err) < 0 ||
	    state_append(repo, "medium-added",
		json_pack("{s:s, s:s, s:s, s:s, s:n, s:b}", "medium", uuid, "label", name, "type", type,
		    "path", in_scratch(name), "place", "offline", offline),
		&err))
		fail_msg("%s", err.msg);
	if (ret_uuid)
		memcpy(ret_uuid, uuid, sizeof(uuid));
}

/* more: keys of the data set, each behind ", "; media: their names, all of them hard disks. */
static UNUSED void site_policy(unsigned archive_mib, const char *more, const char *const *media)
{
	struct err err = ERR_INIT;
	char yaml[2000];
	int n = snprintf(yaml, sizeof(yaml),
	    "site: {name: s, language: en}\nstate: %s/state\narchive_size: %u MiB\ndatasets:\n"
	    "  - {name: d, paths: [%s/src]%s}\nmedia:\n",
	    scratch, archive_mib, scratch, more);

	for (; *media; media++)
		n += snprintf(yaml + n, sizeof(yaml) - (size_t)n, "  - {name: %s, type: hdd, path: %s/%s}\n",
		    *media, scratch, *media);
	if (policy_parse("p", yaml, (size_t)n, &policy, NULL, &err))
		fail_msg("%s", err.msg);
}

/* What stands in src, onto all media. */
static UNUSED void site_run(void)
{
	const struct policy_dataset *sets[1] = {&policy->datasets[0]};
	struct run_config cfg = {.state = repo,
	    .policy = policy,
	    .datasets = sets,
	    .n_datasets = 1,
	    .version = "1",
	    .docs = {.version = "1"}};
	struct run_result res;
	struct err err = ERR_INIT;

	if (run_run(&cfg, &res, &err))
		fail_msg("%s %s", err.code, err.msg);
	for (size_t i = 0; i < res.n_media; i++)
		assert_true(res.media[i].verified);
	run_result_free(&res);
}

static UNUSED struct medium *site_medium(const char *name)
{
	struct medium_expect want = {.repository = state_repository(repo)};
	struct medium *m = NULL;
	struct err err = ERR_INIT;

	want.keys = state_keys(repo, &want.n_keys);
	if (medium_open(in_scratch(name), &want, &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

static UNUSED void site_close(void)
{
	policy_free(policy);
	state_close(repo);
	policy = NULL;
	repo = NULL;
}

static UNUSED int site_teardown(void **state)
{
	site_close();
	return scratch_teardown(state);
}

#endif
