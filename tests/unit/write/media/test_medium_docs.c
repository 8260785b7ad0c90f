/* medium_docs: a medium explains itself, nothing is written that is there already, nothing is written through
 * a link, and what cannot be brought is said.  Judged by sha256sum, minisign and the shell. */

#include "unit.h"
#include "site.h"

#include "base/text.h"
#include "format/crypto/minisig.h"
#include "write/media/medium_docs.h"

static char key[MINISIG_KEY_TEXT], signing[MINISIG_KEY_TEXT]; /* the root key; who signs now */

static int setup(void **state)
{
	size_t n;

	if (scratch_setup_memory(state))
		return -1;
	site_create("さくら内科");
	minisig_public_format(state_keys(repo, &n), key);
	minisig_public_format(&state_signing(repo)->pub, signing);
	sh("mkdir tools p && echo program >tools/bkp-restore && echo rescue >tools/rescue.py && echo format "
	   ">tools/FORMAT.md");
	return 0;
}

static void write_procedure(const char *name, const char *title)
{
	char doc[512];
	int n = snprintf(
	    doc, sizeof(doc), "# %s\n\n```note\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 1\n```\n", title);

	put_file(name, doc, (size_t)n);
}

/* "procedures: [<scratch>/p/NAME, …]" of names separated by spaces. */
static const char *list_of(const char *names)
{
	static char list[16384];
	char all[1024], *save = NULL, *name;
	size_t n = (size_t)snprintf(list, sizeof(list), "procedures: [");

	snprintf(all, sizeof(all), "%s", names);
	for (name = strtok_r(all, " ", &save); name; name = strtok_r(NULL, " ", &save))
		n += (size_t)snprintf(list + n, sizeof(list) - n, "'%s/%s', ", scratch, name);
	snprintf(list + n, sizeof(list) - n, "]\n");
	return list;
}

/* ---- one medium a test ---- */

struct site {
	struct medium *medium;
	struct policy *policy;
	struct medium_docs_sources from;
	char name[64];
};

/* What a build would know of the tools as they are now. */
static const char *built(void)
{
	static char sums[4096];
	FILE *f;
	size_t n;

	assert_int_equal(sh("cd tools && sha256sum * >../built 2>/dev/null; true"), 0);
	f = fopen(in_scratch("built"), "r");
	assert_non_null(f);
	n = fread(sums, 1, sizeof(sums) - 1, f);
	sums[n] = '\0';
	fclose(f);
	return sums;
}

/* procedures: lines of YAML for the policy. */
static void open_site(struct site *s, const char *name, const char *procedures)
{
	struct medium_expect want = {.repository = state_repository(repo)};
	char yaml[16384], uuid[JOURNAL_UUID];
	struct err err = ERR_INIT;

	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	assert_int_equal(sh("mkdir -p %s", name), 0);
	if (medium_w_register(repo, in_scratch(name), name, "hdd", uuid, &err) < 0)
		fail_msg("%s", err.msg);
	want.keys = state_keys(repo, &want.n_keys);
	assert_int_equal(medium_open(in_scratch(name), &want, &s->medium, &err), 0);
	snprintf(yaml, sizeof(yaml),
	    "site: {name: さくら内科, language: ja}\ndatasets:\n  - {name: d, paths: [/srv]}\nmedia:\n"
	    "  - {name: %s, type: hdd, path: %s}\n%s",
	    name, in_scratch(name), procedures);
	if (policy_parse("p.yaml", yaml, strlen(yaml), &s->policy, NULL, &err))
		fail_msg("%s", err.msg);
	s->from =
	    (struct medium_docs_sources){.tools = in_scratch("tools"), .version = "9.9", .built = built()};
}

static void close_site(struct site *s)
{
	medium_close(s->medium);
	policy_free(s->policy);
}

static struct medium_docs_result put(struct site *s, struct err *why)
{
	struct medium_docs_result ret;
	struct err err = ERR_INIT;

	why->code[0] = '\0';
	if (medium_docs_put(repo, s->policy, s->medium, &s->from, &ret, NULL, why, &err))
		fail_msg("%s %s", err.code, err.msg);
	return ret;
}

static void cannot_put(struct site *s)
{
	struct medium_docs_result ret;
	struct err why = ERR_INIT, err = ERR_INIT;

	assert_int_equal(medium_docs_put(repo, s->policy, s->medium, &s->from, &ret, NULL, &why, &err), -1);
	assert_string_equal(err.code, "E-DOCS-01");
	assert_non_null(strstr(err.msg, s->name));
}

static void sealed(const struct site *s, const char *folder)
{
	assert_int_equal(sh("cd %s/%s && minisign -V -q -P '%s' -m SHA256SUMS", s->name, folder, signing), 0);
	/* an empty list is no mistake to us; to sha256sum it is */
	assert_int_equal(
	    sh("cd %s/%s && { [ ! -s SHA256SUMS ] || sha256sum --quiet --strict -c SHA256SUMS; }", s->name,
		folder),
	    0);
	assert_int_equal(sh("cd %s/%s && LC_ALL=C sort -k2 -c SHA256SUMS", s->name, folder), 0);
}

static const char *procedures_of(const struct site *s)
{
	static char folder[128];

	(void)s;
	snprintf(folder, sizeof(folder), "%s/procedures", state_repository(repo));
	return folder;
}

static bool readme_has(const struct site *s, const char *words)
{
	return sh("grep -qF -e '%s' %s/README.txt", words, s->name) == 0;
}

static void test_tools_and_readme(void **state)
{
	struct medium_docs_result r;
	struct err why;
	struct site s;

	(void)state;
	open_site(&s, "plain", "");
	r = put(&s, &why);
	assert_true(r.tools);
	assert_int_equal(r.procedures + r.procedures_bad, 0);
	assert_string_equal(why.code, "");
	sealed(&s, "tools");
	assert_int_equal(
	    sh("for f in bkp-restore rescue.py FORMAT.md; do cmp tools/$f plain/tools/$f || exit 1; done"),
	    0);
	assert_int_equal(
	    sh("grep -qx 'trusted comment: bkp:1 kind=tools repository=%s' plain/tools/SHA256SUMS.minisig",
		state_repository(repo)),
	    0);
	assert_int_equal(mode_of("plain/tools/bkp-restore"), 0555);
	assert_int_equal(mode_of("plain/tools/FORMAT.md"), 0444);
	assert_int_equal(mode_of("plain/README.txt"), 0444);
	assert_true(readme_has(&s, "さくら内科") && readme_has(&s, "plain") && readme_has(&s, "bkp 9.9"));
	assert_true(readme_has(&s, key) && readme_has(&s, state_repository(repo)) &&
		    readme_has(&s, medium_uuid(s.medium)));
	assert_true(readme_has(&s, "$D/bkp-restore --medium . "));
	assert_false(readme_has(&s, "procedures/"));
	assert_int_equal(sh("grep -qE '@[A-Z_]+@' plain/README.txt"), 1); /* every name was replaced */
	assert_true(readme_has(&s, "$ S=d") && readme_has(&s, "extract $S@latest"));
	assert_int_equal(sh("grep -qE '^[-+tpd][|]' plain/README.txt"), 1);
	assert_int_not_equal(sh("test -e plain/%s", procedures_of(&s)), 0);
	/* nothing but what should be there */
	assert_int_equal(
	    sh("[ $(ls -A plain | grep -vxE "
	       "'%s|README.txt|README.txt.minisig|bkp-medium.json|bkp-medium.json.minisig|tools' | "
	       "wc -l) = 0 ]",
		state_repository(repo)),
	    0);
	close_site(&s);
}

/* README.txt speaks only of what is there. */
static void test_without_the_program(void **state)
{
	struct medium_docs_result r;
	struct err why;
	struct site s;

	(void)state;
	sh("mkdir few && cp tools/rescue.py tools/FORMAT.md few");
	open_site(&s, "without", "");
	s.from.tools = in_scratch("few");
	r = put(&s, &why);
	assert_false(r.tools);
	assert_string_equal(why.code, ""); /* not every build has it */
	sealed(&s, "tools");
	assert_false(readme_has(&s, "$D/bkp-restore --medium"));
	assert_true(readme_has(&s, "$D/rescue.py"));
	s.from.tools = NULL;
	r = put(&s, &why);
	assert_false(r.tools);
	assert_false(readme_has(&s, "$ python3 $D/rescue.py"));
	assert_false(readme_has(&s, "$D/SHA256SUMS"));
	close_site(&s);
}

static void test_incomplete_sources_are_said(void **state)
{
	struct err why;
	struct site s;

	(void)state;
	sh("mkdir half && cp tools/bkp-restore tools/FORMAT.md half");
	open_site(&s, "half-tools", "");
	s.from.tools = in_scratch("half");
	assert_true(put(&s, &why).tools);
	assert_string_equal(why.code, "E-DOCS-03");
	assert_non_null(strstr(why.msg, "rescue.py"));
	sealed(&s, "tools");
	s.from.tools = in_scratch("nowhere");
	put(&s, &why);
	assert_string_equal(why.code, "E-DOCS-03");
	assert_true(readme_has(&s, "さくら内科"));
	assert_true(readme_has(&s, "$D/bkp-restore --medium"));
	close_site(&s);
}

/* What was there keeps its line in the list: it is none that nobody knows. */
static void test_what_cannot_be_read_stays(void **state)
{
	struct err why;
	struct site s;

	(void)state;
	sh("mkdir sick && cp tools/* sick");
	open_site(&s, "sick-tools", "");
	s.from.tools = in_scratch("sick");
	put(&s, &why);
	assert_string_equal(why.code, "");
	sh("cp sick-tools/tools/SHA256SUMS before && rm sick/rescue.py && mkdir sick/rescue.py");
	assert_true(put(&s, &why).tools);
	assert_string_equal(why.code, "E-DOCS-03");
	assert_int_equal(sh("cmp before sick-tools/tools/SHA256SUMS"), 0);
	sealed(&s, "tools");
	close_site(&s);
}

static void test_only_what_changed_is_written(void **state)
{
	struct err why;
	struct site s;

	(void)state;
	write_procedure("p/one.md", "one");
	open_site(&s, "twice", list_of("p/one.md"));
	put(&s, &why);
	assert_string_equal(why.code, "");
	sh("find twice -type f -printf '%%p %%i %%T@\\n' | sort >before");
	put(&s, &why);
	assert_int_equal(sh("find twice -type f -printf '%%p %%i %%T@\\n' | sort | diff before -"), 0);
	/* the language of who runs it changes nothing on the medium */
	text_set_lang(text_lang() == TEXT_JA ? TEXT_EN : TEXT_JA);
	put(&s, &why);
	assert_int_equal(sh("find twice -type f -printf '%%p %%i %%T@\\n' | sort | diff before -"), 0);
	text_set_lang(TEXT_EN);
	/* a byte that changed, a mode that changed, a file that is gone */
	sh("chmod u+w twice/tools/rescue.py && printf X | dd of=twice/tools/rescue.py conv=notrunc "
	   "status=none && chmod 600 "
	   "twice/tools/bkp-restore && rm twice/README.txt");
	put(&s, &why);
	sealed(&s, "tools");
	assert_int_equal(mode_of("twice/tools/bkp-restore"), 0555);
	assert_true(readme_has(&s, key));
	/* one that nobody installed: nothing is touched, and it is named */
	sh("echo newer >tools/bkp-restore");
	assert_true(put(&s, &why).tools);
	assert_string_equal(why.code, "E-DOCS-04");
	assert_non_null(strstr(why.msg, "bkp-restore"));
	sealed(&s, "tools");
	assert_int_equal(sh("grep -q program twice/tools/bkp-restore"), 0);
	/* a new version, built with the program that brings it */
	s.from.built = built();
	put(&s, &why);
	sealed(&s, "tools");
	assert_int_equal(sh("cmp tools/bkp-restore twice/tools/bkp-restore"), 0);
	close_site(&s);
}

static void test_procedures(void **state)
{
	struct medium_docs_result r;
	struct err why;
	struct site s;

	(void)state;
	write_procedure("p/復旧.md", "第一");
	write_procedure("p/a-b.md", "b");
	write_procedure("p/a.md", "a");
	write_procedure("p/a.k.md", "k");
	write_procedure("p/plain", "n");
	open_site(&s, "procs", list_of("p/復旧.md p/a.md p/a-b.md p/a.k.md p/plain"));
	r = put(&s, &why);
	assert_string_equal(why.code, "");
	assert_int_equal(r.procedures, 5);
	assert_int_equal(r.procedures_bad, 0);
	sealed(&s, procedures_of(&s));
	assert_int_equal(sh("cmp p/復旧.md procs/%s/復旧.md && cmp p/plain procs/%s/plain.md",
			     procedures_of(&s), procedures_of(&s)),
	    0);
	assert_int_equal(sh("grep -q 第一 procs/%s/復旧.html", procedures_of(&s)), 0);
	assert_int_equal(sh("[ $(wc -l <procs/%s/SHA256SUMS) = 10 ]", procedures_of(&s)), 0);
	assert_int_equal(sh("grep -q 'kind=procedures' procs/%s/SHA256SUMS.minisig", procedures_of(&s)), 0);
	assert_true(readme_has(&s, "procedures/復旧.md --to /srv/drill"));
	close_site(&s);

	/* one is withdrawn: it stays, but does not count any more */
	open_site(&s, "procs", list_of("p/a.md"));
	r = put(&s, &why);
	assert_int_equal(r.procedures, 1);
	sealed(&s, procedures_of(&s));
	assert_int_equal(sh("[ $(wc -l <procs/%s/SHA256SUMS) = 2 ] && test -e procs/%s/復旧.md",
			     procedures_of(&s), procedures_of(&s)),
	    0);
	close_site(&s);

	/* all are */
	open_site(&s, "procs", "");
	put(&s, &why);
	sealed(&s, procedures_of(&s));
	assert_int_equal(sh("[ ! -s procs/%s/SHA256SUMS ]", procedures_of(&s)), 0);
	assert_false(readme_has(&s, "procedures/"));
	close_site(&s);
}

/* Good ones are brought beside those that cannot be. */
static void bad_one(const char *name, const char *make, const char *path, const char *words)
{
	char list[300];
	struct medium_docs_result r;
	struct err why;
	struct site s;

	write_procedure("p/good.md", "good");
	assert_int_equal(sh("%s", make), 0);
	snprintf(list, sizeof(list), "p/%s p/good.md", path);
	open_site(&s, name, list_of(list));
	r = put(&s, &why);
	assert_int_equal(r.procedures, 1);
	assert_int_equal(r.procedures_bad, 1);
	assert_string_equal(why.code, "E-DOCS-02");
	assert_true(why.hint[0]);
	if (!strstr(why.msg, words))
		fail_msg("%s", why.msg);
	sealed(&s, procedures_of(&s));
	assert_int_equal(sh("grep -q '  good.md$' %s/%s/SHA256SUMS", name, procedures_of(&s)), 0);
	close_site(&s);
}

static void test_bad_procedures(void **state)
{
	(void)state;
	bad_one("bad1", "true", "absent.md", "absent.md");
	bad_one("bad2", "echo no title >p/invalid.md", "invalid.md", "invalid.md");
	bad_one("bad3", "mkdir p/folder.md", "folder.md", "folder.md");
	bad_one("bad4", "mkfifo p/fifo.md", "fifo.md", "fifo.md");
	bad_one("bad5", "truncate -s 2M p/large.md", "large.md", "large.md");
	bad_one("bad6", "cp p/good.md 'p/a:b.md'", "a:b.md", "a:b.md");
	bad_one("bad7", "cp p/good.md p/.md", ".md", "/.md");
}

static void test_names_that_clash(void **state)
{
	struct medium_docs_result r;
	struct err why;
	struct site s;

	(void)state;
	write_procedure("p/same.md", "same");
	sh("mkdir q; cp p/same.md q/Same.MD; cp p/same.md q/other.md");
	open_site(&s, "clash", list_of("p/same.md q/other.md q/Same.MD"));
	r = put(&s, &why);
	assert_int_equal(r.procedures, 1);
	assert_int_equal(r.procedures_bad, 2);
	assert_string_equal(why.code, "E-DOCS-02");
	assert_non_null(strstr(why.msg, in_scratch("p/same.md")));
	assert_non_null(strstr(why.msg, in_scratch("q/Same.MD")));
	assert_int_equal(sh("! ls clash/%s | grep -qi same", procedures_of(&s)), 0);
	close_site(&s);
}

static void test_hostile_medium(void **state)
{
	struct err why;
	struct site s;

	(void)state;
	write_procedure("p/good.md", "good");
	sh("mkdir victim; for f in README.txt rescue.py good.md SHA256SUMS; do echo precious >victim/$f; "
	   "done; cp -a victim victim.was");
	open_site(&s, "hostile", list_of("p/good.md"));
	/* links and a FIFO in place of files, also under the names files have while they are written */
	sh("cd hostile && mkdir -p tools %s && ln -s ../victim/README.txt README.txt && ln -s "
	   "../victim/README.txt .README.txt.tmp && "
	   "ln -s ../../victim/rescue.py tools/rescue.py && ln -s ../../victim/SHA256SUMS "
	   "tools/.SHA256SUMS.tmp && mkfifo "
	   "tools/FORMAT.md && ln -s ../../../victim/good.md %s/good.md",
	    procedures_of(&s), procedures_of(&s));
	put(&s, &why);
	assert_string_equal(why.code, "");
	assert_int_equal(sh("test -f hostile/README.txt && test ! -L hostile/README.txt"), 0);
	sealed(&s, "tools");
	sealed(&s, procedures_of(&s));
	assert_int_equal(sh("diff -r victim victim.was"), 0);
	/* links in place of folders */
	sh("mv hostile/tools away && ln -s ../victim hostile/tools");
	cannot_put(&s);
	sh("rm hostile/tools; mv away hostile/tools; rm -r hostile/%s; ln -s ../../victim hostile/%s",
	    procedures_of(&s), procedures_of(&s));
	cannot_put(&s);
	close_site(&s);
	/* also when there is nothing to bring */
	open_site(&s, "hostile", "");
	cannot_put(&s);
	sh("rm hostile/%s; ln -s nowhere hostile/%s", procedures_of(&s), procedures_of(&s));
	cannot_put(&s);
	/* a folder in place of a file */
	sh("rm hostile/%s; rm hostile/README.txt; mkdir hostile/README.txt", procedures_of(&s));
	cannot_put(&s);
	sh("rmdir hostile/README.txt");
	put(&s, &why);
	assert_int_equal(sh("diff -r victim victim.was && test ! -e hostile/nowhere"), 0);
	close_site(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tools_and_readme),
	    cmocka_unit_test(test_without_the_program),
	    cmocka_unit_test(test_incomplete_sources_are_said),
	    cmocka_unit_test(test_what_cannot_be_read_stays),
	    cmocka_unit_test(test_only_what_changed_is_written),
	    cmocka_unit_test(test_procedures),
	    cmocka_unit_test(test_bad_procedures),
	    cmocka_unit_test(test_names_that_clash),
	    cmocka_unit_test(test_hostile_medium),
	};

	return cmocka_run_group_tests(tests, setup, site_teardown);
}
