/* disc_plan, disc_read, names of a series: what is planned fits and is complete, at every size of disc; an image of which any byte was
 * changed, that was cut short, or that has a file too many is never taken for what was to be there. */
#include "unit.h"
#include "site.h"

#include "write/disc/disc_burn.h"
#include "write/disc/disc_plan.h"
#include "write/disc/disc_read.h"

#define MIB ((uint64_t)1 << 20)

static struct policy_medium series = {.name = "BD", .type = "optical", .offline = true};

static int setup(void **state)
{
	if (scratch_setup_memory(state) || sh("mkdir src"))
		return -1;
	site_create("s");
	site_add_medium("a", "hdd", false, NULL);
	site_policy(1, "", (const char *const[]){"a", NULL});
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(sh("head -c 2500000 /dev/urandom >src/%d", i), 0);
		site_run();
	}
	return 0;
}

static void names_of_a_series(void **state)
{
	static const char *const no[] = {"BD", "BD-", "BD-2026-", "BD-2026-01", "BD-226-001", "BD-2026-001x",
	    "BD-20261-001", "BDX-2026-001", "BD--2026-001", "BD-2026-001-1", ""};
	struct policy_medium folder = series;

	(void)state;
	folder.path = "/mnt/bd";
	assert_true(policy_series_has(&series, "BD-2026-001"));
	assert_true(policy_series_has(&series, "bd-2026-1234"));
	assert_false(policy_series_has(&folder, "BD-2026-001"));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(policy_series_has(&series, no[i]));
}

static bool is_wanted(void *arg, const char *dataset, uint64_t number)
{
	(void)dataset;
	return !arg || *(uint64_t *)arg == number;
}

static struct disc_plan plan_of(
    uint64_t capacity, uint64_t reserve, uint64_t *number, struct medium *const *sources)
{
	return (struct disc_plan){.ledger = state_ledger(repo),
	    .policy = policy,
	    .series = &series,
	    .sources = sources,
	    .n_sources = 1,
	    .capacity = capacity,
	    .reserve = reserve,
	    .wanted = is_wanted,
	    .arg = number};
}

/* At every size: what is planned fits, whole ones are whole, and the newest comes first. */
static void what_is_planned_fits(void **state)
{
	struct medium *sources[1] = {site_medium("a")};
	uint64_t discs = UINT64_MAX;
	bool cut = false, whole = false;

	(void)state;
	for (uint64_t capacity = 300000; capacity < 12 * MIB; capacity += 250000) {
		struct disc_plan p = plan_of(capacity, 100000, NULL, sources);
		struct err err = ERR_INIT;
		uint64_t sum = p.reserve;

		if (disc_plan(&p, &err)) {
			assert_string_equal(err.code, "E-DISC-05");
			assert_true(capacity < 3 * MIB);
			disc_plan_free(&p);
			continue;
		}
		for (size_t i = 0; i < p.files.n; i++)
			sum += disc_room(p.files.file[i].size);
		assert_true(sum == p.bytes && sum <= capacity);
		assert_true(p.n && p.items[0].number == 3 && p.discs <= discs);
		for (size_t i = 0; i < p.n; i++) {
			cut |= p.items[i].taken != p.items[i].archives;
			whole |= p.items[i].taken == p.items[i].archives;
			assert_true(p.items[i].taken == p.items[i].archives || p.n == 1);
			assert_true(!p.items[i].first && p.items[i].taken);
		}
		discs = p.discs;
		if (p.discs == 1)
			assert_int_equal(p.n, 3);
		disc_plan_free(&p);
	}
	assert_true(cut && whole && discs == 1);
	medium_close(sources[0]);
}

static int read_image(const char *image, struct disc_list *files, struct err *err)
{
	struct disc_read r = {.path = in_scratch(image), .files = files};

	return disc_read(&r, err);
}

/* Made by libarchive's own writer; another one than the drive's. */
static void no_changed_image_is_taken(void **state)
{
	static const uint8_t none[DIGEST_LEN];
	struct medium *sources[1] = {site_medium("a")};
	uint64_t number = 1;
	struct disc_plan p = plan_of(100 * MIB, 0, &number, sources);
	struct err err = ERR_INIT;
	unsigned bad = 0;

	(void)state;
	assert_int_equal(disc_plan(&p, &err), 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(sh("mkdir tree"), 0);
	for (size_t i = 0; i < p.files.n; i++)
		assert_int_equal(sh("mkdir -p $(dirname tree/%s) && cp %s tree/%s", p.files.file[i].to,
				     p.files.file[i].from, p.files.file[i].to),
		    0);
	assert_int_equal(sh("bsdtar --format iso9660 -cf image -C tree $(ls tree)"), 0);
	if (read_image("image", &p.files, &err))
		fail_msg("%s %s", err.code, err.msg);
	/* each of them in the midst of an archive */
	for (unsigned i = 1; i < 20; i++) {
		/* the byte may be an X already */
		assert_int_equal(
		    sh("at=$(( $(stat -c %%s image) / 4 + %u * 30011 )) && cp image bad && for c in X Y; do "
		       "! cmp -s image bad || printf $c | dd of=bad bs=1 conv=notrunc status=none seek=$at; "
		       "done "
		       "&& ! cmp -s image bad",
			i),
		    0);
		bad += read_image("bad", &p.files, &err) != 0;
	}
	assert_int_equal(bad, 19);
	assert_string_equal(err.code, "E-DISC-08");
	/* anywhere at all: refused or equal, and nothing crashes */
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(sh("cp image bad && printf '\\377' | dd of=bad bs=1 conv=notrunc "
				    "status=none seek=$((32768 + %u * 997))",
				     i),
		    0);
		(void)!read_image("bad", &p.files, &err);
	}
	assert_int_equal(sh("head -c 1000000 image >bad"), 0);
	assert_int_equal(read_image("bad", &p.files, &err), -1);
	assert_int_equal(sh(": >bad"), 0);
	assert_int_equal(read_image("bad", &p.files, &err), -1);
	assert_int_equal(sh("echo x >tree/added && bsdtar --format iso9660 -cf bad -C tree $(ls tree)"), 0);
	assert_int_equal(read_image("bad", &p.files, &err), -1);
	assert_int_equal(disc_list_add(&p.files, "zz", "zz", none, 0, &err), 0);
	assert_int_equal(read_image("image", &p.files, &err), -1);
	disc_plan_free(&p);
	medium_close(sources[0]);
}

static void nothing_but_a_drive_or_a_new_file(void **state)
{
	static const char *const no[] = {"", "sr0", "/dev/null", "/dev/zero", "stdio:", "stdio:x",
	    "stdio:/dev/null", "stdio:/", "/", "/dev/a\nb"};
	struct disc_drive d;

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(disc_probe(no[i], &d, &err), -1);
		assert_string_equal(err.code, "E-DISC-02");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_of_a_series),
	    cmocka_unit_test(what_is_planned_fits), cmocka_unit_test(no_changed_image_is_taken),
	    cmocka_unit_test(nothing_but_a_drive_or_a_new_file)};

	return cmocka_run_group_tests(tests, setup, site_teardown);
}
