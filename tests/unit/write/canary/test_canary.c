/* canary: made all or none, never in the place of anything, known by a list that the journal signs for; what a command that died left is
 * cleared up by the next; where and how they are made. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "unit.h"
#include "place.h"
#include "base/buf.h"
#include "base/io.h"
#include "format/guard/kind.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/canary/canary.h"
#include "write/canary/canary_make.h"
#include "write/canary/canary_site.h"

static void make(struct place *p)
{
	struct err err = ERR_INIT;

	new_place(p);
	if (state_create(p->state, "clinic", &p->pub, 1, &err))
		fail_msg("%s %s", err.code, err.msg);
}

static char *at(const struct place *p, const char *name, char out[2 * PATH])
{
	snprintf(out, 2 * PATH, "%s/%s", p->dir, name);
	return out;
}

static void put(const struct place *p, const char *name, const char *content)
{
	char path[2 * PATH];
	FILE *f = fopen(at(p, name, path), "w");

	assert_non_null(f);
	fputs(content, f);
	assert_int_equal(fclose(f), 0);
}

static bool is_there(const struct place *p, const char *name)
{
	char path[2 * PATH];
	struct stat st;

	return !lstat(at(p, name, path), &st);
}

/* Where it would be made; its path is the caller's array. */
static struct canary_site site(
    const struct place *p, const char *name, enum canary_kind kind, char path[2 * PATH])
{
	struct canary_site s = {.path = at(p, name, path),
	    .kind = kind,
	    .uid = getuid(),
	    .gid = getgid(),
	    .mode = 0640,
	    .mtime = {1700000000, 0}};

	memset(s.seed, (int)strlen(name), sizeof(s.seed));
	return s;
}

static size_t readable(const struct state *s, int want)
{
	struct canary_list list;
	struct err err = ERR_INIT;
	char is[DIGEST_HEX];
	size_t whole = 0;
	int r = canary_read(state_dirfd(s), state_ledger(s), "docs", &list, &err);

	if (r != want)
		fail_msg("canary_read: %d: %s", r, err.msg);
	for (size_t i = 0; i < list.n; i++)
		whole += !canary_hash(list.all[i].path, is) && !strcmp(is, list.all[i].sha256);
	canary_list_free(&list);
	return whole;
}

static void placed_two(struct place *p, struct state **s)
{
	char a[2 * PATH], b[2 * PATH];
	struct canary_site sites[2];
	struct err err = ERR_INIT;

	make(p);
	mkdir(at(p, "src", a), 0755);
	mkdir(at(p, "src/Yamada", a), 0755);
	*s = open_it(p);
	sites[0] = site(p, "src/Yamada/x.pdf", CANARY_PDF, a);
	sites[1] = site(p, "src/y.txt", CANARY_TEXT, b);
	if (canary_place(*s, "docs", sites, 2, "Sato", &err))
		fail_msg("%s %s", err.code, err.msg);
}

static void they_are_made_and_known(void **state)
{
	char path[2 * PATH];
	BUF_AUTO journal = BUF_INIT(1 << 20);
	struct place p;
	struct state *s;
	struct stat st;
	(void)state;

	placed_two(&p, &s);
	assert_int_equal(readable(s, 0), 2);
	assert_int_equal(stat(at(&p, "src/y.txt", path), &st), 0);
	assert_true((st.st_mode & 07777) == 0640 && st.st_mtim.tv_sec == 1700000000);
	assert_int_equal(stat(at(&p, "state/canaries/docs", path), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(is_there(&p, "state/canaries/docs.new"));
	/* what the journal says names no folder */
	assert_int_equal(io_read_file(state_dirfd(s), "journal/000001.jsonl", &journal, NULL), 0);
	assert_non_null(memmem(journal.p, journal.n, "canary-placed", 13));
	assert_null(memmem(journal.p, journal.n, "Yamada", 6));
	/* changed, and gone */
	put(&p, "src/y.txt", "encrypted");
	assert_int_equal(readable(s, 0), 1);
	unlink(at(&p, "src/Yamada/x.pdf", path));
	assert_int_equal(readable(s, 0), 0);
	state_close(s);
	end_place(&p);
}

static void nothing_is_replaced_and_none_is_made_then(void **state)
{
	char a[2 * PATH], b[2 * PATH];
	struct canary_site sites[2];
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	(void)state;

	make(&p);
	mkdir(at(&p, "src", a), 0755);
	put(&p, "src/b.txt", "a patient's");
	s = open_it(&p);
	sites[0] = site(&p, "src/a.txt", CANARY_TEXT, a);
	sites[1] = site(&p, "src/b.txt", CANARY_TEXT, b);
	assert_int_equal(canary_place(s, "docs", sites, 2, "Sato", &err), -1);
	assert_string_equal(err.code, "E-GUARD-04");
	assert_false(is_there(&p, "src/a.txt"));
	assert_true(is_there(&p, "src/b.txt"));
	/* nor through a link that somebody put in the place of a folder */
	assert_int_equal(symlink("/tmp", at(&p, "src/link", a)), 0);
	sites[0] = site(&p, "src/link/bkp-canary-of-a-test.txt", CANARY_TEXT, a);
	assert_int_equal(canary_place(s, "docs", sites, 1, "Sato", &err), -1);
	assert_int_not_equal(access("/tmp/bkp-canary-of-a-test.txt", F_OK), 0);
	assert_null(ledger_placed(state_ledger(s), "docs"));
	assert_false(is_there(&p, "state/canaries/docs.new"));
	state_close(s);
	end_place(&p);
}

/* Died behind step 2: made, and nothing recorded; behind step 3: recorded, and the list has not its name yet. */
static void what_was_left_half_done_is_cleared_up(void **state)
{
	char path[2 * PATH], to[2 * PATH], line[4 * PATH], is[DIGEST_HEX], other[DIGEST_HEX];
	struct canary_site one;
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	(void)state;

	placed_two(&p, &s);
	rename(at(&p, "state/canaries/docs", path), at(&p, "state/canaries/docs.new", to));
	assert_int_equal(readable(s, 0), 2);
	put(&p, "src/left.txt", "left");
	put(&p, "src/theirs.txt", "theirs");
	one = site(&p, "src/z.csv", CANARY_CSV, path);
	assert_int_equal(canary_place(s, "docs", &one, 1, "Sato", &err), 0);
	assert_int_equal(readable(s, 0), 3);
	assert_false(is_there(&p, "state/canaries/docs.new"));
	assert_int_equal(canary_hash(at(&p, "src/left.txt", path), is), 0);
	assert_int_equal(canary_hash(at(&p, "src/y.txt", path), other), 0);
	snprintf(line, sizeof(line), "bkp-canaries 1 docs 00\n7 %s %s/src/left.txt\n8 %s %s/src/theirs.txt\n",
	    is, p.dir, other, p.dir);
	put(&p, "state/canaries/docs.new", line);
	one = site(&p, "src/zz.csv", CANARY_CSV, path);
	assert_int_equal(canary_place(s, "docs", &one, 1, "Sato", &err), 0);
	assert_false(is_there(&p, "src/left.txt"));
	assert_true(is_there(&p, "src/theirs.txt")); /* its content is not what that list says */
	assert_int_equal(readable(s, 0), 4);
	state_close(s);
	end_place(&p);
}

static void they_are_removed_unless_somebody_changed_them(void **state)
{
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	(void)state;

	placed_two(&p, &s);
	put(&p, "src/y.txt", "changed");
	assert_int_equal(canary_remove(s, "docs", "Sato", &err), 0);
	assert_false(is_there(&p, "src/Yamada/x.pdf"));
	assert_true(is_there(&p, "src/y.txt"));
	assert_int_equal(readable(s, CANARY_NONE), 0);
	state_close(s);
	end_place(&p);
}

static void a_list_that_is_another_is_not_believed(void **state)
{
	static const char *const lists[] = {
	    "", "x", "bkp-canaries 1 docs 00\n", "bkp-canaries 1 docs 00\n1 x y\n"};
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	(void)state;

	placed_two(&p, &s);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		put(&p, "state/canaries/docs", lists[i]);
		assert_int_equal(readable(s, CANARY_LOST), 0);
	}
	assert_int_equal(canary_remove(s, "docs", "Sato", &err), 0);
	assert_int_equal(readable(s, CANARY_NONE), 0);
	assert_true(is_there(&p, "src/y.txt")); /* nobody says where it is */
	state_close(s);
	end_place(&p);
}

static void each_kind_is_one_and_none_is_like_another(void **state)
{
	static const struct {
		enum canary_kind kind;
		const char *name;
		bool format;
	} all[] = {{CANARY_TEXT, "x.TXT", false}, {CANARY_CSV, "x.csv", false}, {CANARY_HL7, "x.hl7", true},
	    {CANARY_PDF, "x.pdf", true}, {CANARY_JPEG, "x.JPEG", true}, {CANARY_DICOM, "x.dcm", true},
	    {CANARY_DOCX, "x.docx", true}};
	uint8_t seed[32] = {1}, head[132] = {0};
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		BUF_AUTO a = BUF_INIT(CANARY_CONTENT_MAX);
		BUF_AUTO b = BUF_INIT(CANARY_CONTENT_MAX);
		BUF_AUTO c = BUF_INIT(CANARY_CONTENT_MAX);

		assert_int_equal(canary_kind_of(all[i].name, head, 0), all[i].kind);
		seed[0] = 1;
		assert_int_equal(canary_make(all[i].kind, seed, &a, NULL), 0);
		assert_int_equal(canary_make(all[i].kind, seed, &b, NULL), 0);
		seed[0] = 2;
		assert_int_equal(canary_make(all[i].kind, seed, &c, NULL), 0);
		assert_true(a.n == b.n && !memcmp(a.p, b.p, a.n));
		assert_true(a.n != c.n || memcmp(a.p, c.p, a.n) != 0);
		assert_int_equal(kind_is_format(kind_of(a.p, a.n)), all[i].format);
	}
	memcpy(head + 128, "DICM", 4);
	assert_int_equal(canary_kind_of("1234", head, 132), CANARY_DICOM);
	assert_int_equal(canary_kind_of("1234.exe", head, 132), CANARY_NOTHING);
	assert_int_equal(canary_kind_of("1234", head, 131), CANARY_NOTHING);
}

static size_t sites_of(const struct place *p, const char *exclude, size_t most, struct canary_site **ret)
{
	char root[2 * PATH], left[2 * PATH];
	char *paths[] = {at(p, "src", root)};
	const char *const excluded[] = {exclude ? at(p, exclude, left) : NULL};
	struct policy_dataset d = {.name = (char *)"docs", .paths = paths, .n_paths = 1};
	struct canary_question q = {.dataset = &d,
	    .exclude = excluded,
	    .n_exclude = exclude != NULL,
	    .most = most,
	    .seed = {9},
	    .scratch_dir = AT_FDCWD};
	struct err err = ERR_INIT;
	size_t n = 0, parts;

	if (canary_sites(&q, ret, &n, &parts, &err))
		fail_msg("%s %s", err.code, err.msg);
	return n;
}

/* Parts: the root's own files, a, a/b with all below it, and one too small. */
static void each_part_gets_one_like_its_neighbours(void **state)
{
	struct canary_site *sites, *again;
	char name[PATH], a[2 * PATH];
	struct place p;
	size_t n;
	(void)state;

	make(&p);
	for (int i = 0; i < 4; i++) {
		static const char *const folders[] = {"src", "src/a", "src/a/b", "src/few"};

		mkdir(at(&p, folders[i], a), 0755);
	}
	mkdir(at(&p, "src/a/b/deep", a), 0755);
	for (int i = 1; i <= 30; i++) {
		snprintf(name, sizeof(name), "src/scan-%04d.pdf", i + (i > 10));
		put(&p, name, "%PDF-1.4");
		snprintf(name, sizeof(name), "src/a/note %d.txt", i);
		put(&p, name, "x");
		snprintf(name, sizeof(name), "src/a/b/deep/%d.exe", i);
		put(&p, name, i < 30 ? "MZ" : "x");
		snprintf(name, sizeof(name), "src/few/%d.txt", i);
		if (i < 20)
			put(&p, name, "x");
	}
	put(&p, "src/a/b/deep/only.csv", "a,b");
	n = sites_of(&p, NULL, 64, &sites);
	assert_int_equal(n, 3);
	assert_int_equal(sites_of(&p, NULL, 64, &again), 3);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(sites[i].path, again[i].path);
		assert_int_not_equal(access(sites[i].path, F_OK), 0);
	}
	/* the one number that is missing, or something behind a name: never the next number */
	for (size_t i = 0; i < n; i++)
		if (strstr(sites[i].path, "scan-"))
			assert_null(strstr(sites[i].path, "scan-0032.pdf"));
	assert_non_null(strstr(sites[0].path, "/src/a/b/deep/only"));
	canary_sites_free(again, n);
	canary_sites_free(sites, n);
	assert_int_equal(n = sites_of(&p, "src/a", 64, &sites), 1);
	canary_sites_free(sites, n);
	assert_int_equal(n = sites_of(&p, NULL, 2, &sites), 2);
	canary_sites_free(sites, n);
	end_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(they_are_made_and_known),
	    cmocka_unit_test(nothing_is_replaced_and_none_is_made_then),
	    cmocka_unit_test(what_was_left_half_done_is_cleared_up),
	    cmocka_unit_test(they_are_removed_unless_somebody_changed_them),
	    cmocka_unit_test(a_list_that_is_another_is_not_believed),
	    cmocka_unit_test(each_kind_is_one_and_none_is_like_another),
	    cmocka_unit_test(each_part_gets_one_like_its_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
