/* vault_w: published whole and unchangeable, or not at all, whatever fails. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "unit.h"
#include "base/err.h"
#include "format/medium/arcfile.h"
#include "scratch.h"
#include "vaultdir.h"
#include "read/file/segments.h"
#include "read/store/store_dir.h"
#include "write/pack/vault_w.h"

#define SET  "emr"
#define PATH 160

static const struct store_doc docs[] = {{"manifest.json", "{}\n", 3}, {"root.age", "rootroot", 8},
    {"SHA256SUMS", "sums\n", 5}, {"SHA256SUMS.minisig", "sig", 3}};

static struct vault_w *open_in(const char *name)
{
	int fd = open(in_scratch(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct vault_w *v = NULL;
	struct err err = ERR_INIT;

	assert_true(fd >= 0);
	if (vault_w_open_dir(fd, &v, &err))
		fail_msg("%s", err.msg);
	close(fd);
	return v;
}

/* A repository of its own for each test. */
static struct vault_w *fresh(const char *name)
{
	assert_int_equal(mkdir(in_scratch(name), 0755), 0);
	return open_in(name);
}

/* "datasets/emr/archives/ab/….age" */
static void set_path(const uint8_t sha256[DIGEST_LEN], char path[PATH])
{
	char name[ARCFILE_PATH];

	snprintf(path, PATH, "datasets/" SET "/%s", arcfile_path(sha256, name));
}

/* n bytes of one kind; their hash and their path below the repository. */
static void content(char c, size_t n, uint8_t **ret, uint8_t sha256[DIGEST_LEN], char path[PATH])
{
	*ret = malloc(n + 1);
	memset(*ret, c, n);
	digest_sha256(*ret, n, sha256);
	set_path(sha256, path);
}

static int publish(struct vault_w *v, char c, size_t n, char path[PATH], struct err *err)
{
	struct store_staged *f = NULL;
	uint8_t sha256[DIGEST_LEN], *p;
	int r;

	content(c, n, &p, sha256, path);
	r = vault_w_stage(v, &f, err);
	for (size_t done = 0; !r && done < n; done += 30000)
		r = vault_w_write(v, f, p + done, n - done < 30000 ? n - done : 30000, err);
	free(p);
	if (r) {
		vault_w_discard(v, f);
		return r;
	}
	return vault_w_publish_archive(v, SET, f, sha256, err);
}

/* Whatever stands in archives/ is what its name says. */
static void all_whole(const char *name)
{
	assert_int_equal(
	    sh("cd %s && for f in archives/*/*; do [ -e $f ] || continue; h=$(sha256sum <$f | cut -c1-64); "
	       "[ archives/${h%%${h#??}}/$h.age = $f ] || exit 1; done",
		name),
	    0);
}

static void published_files(void **state)
{
	struct vault_w *v = fresh("plain");
	struct err err = ERR_INIT;
	char path[PATH], full[300];

	(void)state;
	assert_int_equal(publish(v, 'a', 100000, path, &err), 0);
	all_whole("plain");
	snprintf(full, sizeof(full), "plain/%s", path);
	assert_int_equal(sh("test $(stat -c %%s plain/datasets/emr/archives/*/*.age) = 100000"), 0);
	assert_int_equal(mode_of(full), 0444);
	assert_int_equal(vault_w_publish_generation(v, SET, 42, docs, 4, &err), 0);
	assert_int_equal(
	    sh("cd plain/datasets/emr/generations/000042 && test \"$(ls | tr '\\n' ' ')\" = 'SHA256SUMS "
	       "SHA256SUMS.minisig manifest.json root.age ' "
	       "&& test $(cat root.age) = rootroot && test $(cat SHA256SUMS.minisig) = sig && "
	       "test $(stat -c %%a *| sort -u) = 444"),
	    0);
	assert_int_equal(vault_w_written(v), 100000 + 3 + 8 + 5 + 3);
	assert_int_equal(count_names("plain/tmp"), 0);
	vault_w_close(v);
	vault_w_close(NULL);
}

static void modes_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077};
	char path[PATH], name[16], full[300];

	(void)state;
	for (int i = 0; i < 3; i++) {
		mode_t old = umask(masks[i]);
		struct vault_w *v;

		snprintf(name, sizeof(name), "mask%d", i);
		v = fresh(name);
		assert_int_equal(publish(v, 'm', 10, path, NULL), 0);
		assert_int_equal(vault_w_publish_generation(v, SET, 1, docs, 4, NULL), 0);
		vault_w_close(v);
		umask(old);
		snprintf(full, sizeof(full), "%s/%s", name, path);
		assert_int_equal(mode_of(full), 0444);
		assert_int_equal(
		    sh("test \"$(stat -c %%a %s/datasets/emr/generations/*/* | sort -u)\" = 444", name), 0);
		assert_int_equal(
		    sh("! find %s -perm /022 ! -type l | grep .", name), 0); /* nobody else may write */
	}
}

/* lsattr is asked what could be frozen; what could not must be counted. */
static void frozen_is_said_truly(void **state)
{
	struct vault_w *v = fresh("frozen");
	char path[PATH];
	uint64_t unfrozen;
	int why = 4711, by_lsattr;

	(void)state;
	assert_int_equal(publish(v, 'f', 100, path, NULL), 0);
	assert_int_equal(vault_w_publish_generation(v, SET, 1, docs, 4, NULL), 0);
	unfrozen = vault_w_unfrozen(v, &why);
	by_lsattr = sh("exit $(lsattr frozen/datasets/emr/archives/*/* frozen/datasets/emr/generations/*/* "
		       "2>/dev/null | cut -d' ' -f1 "
		       "| grep -c i)");
	assert_int_equal(unfrozen + (unsigned)by_lsattr, 5);
	assert_int_equal(why != 0, unfrozen != 0);
	if (by_lsattr == 5)
		assert_int_not_equal(
		    sh("(echo x >>frozen/%s || rm -f frozen/%s) 2>/dev/null", path, path), 0);
	vault_w_close(v);
}

/* cron may run it as a plain user: nothing can be frozen, everything is published, and it is said. */
static void without_privileges(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(sh("mkdir user && chown 65534 user && chmod 755 . "), 0);
	pid = fork();
	if (!pid) {
		struct vault_w *v = NULL;
		char path[PATH];
		int why = 0, fd;

		in_child();
		if (setgid(65534) || setuid(65534))
			_exit(1);
		fd = open(in_scratch("user"), O_RDONLY | O_DIRECTORY);
		if (vault_w_open_dir(fd, &v, NULL) || publish(v, 'u', 100, path, NULL))
			_exit(2);
		if (vault_w_publish_generation(v, SET, 1, docs, 4, NULL))
			_exit(3);
		if (vault_w_unfrozen(v, &why) != 5 || why == 0)
			_exit(4);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	all_whole("user");
	assert_int_equal(sh("test $(stat -c %%a user/datasets/emr/archives/*/*) = 444"), 0);
}

/* ---- what stands there already ---- */

static void leftovers_are_cleared(void **state)
{
	struct vault_w *v = fresh("left");

	(void)state;
	vault_w_close(v);
	assert_int_equal(sh("mkdir outside && touch outside/keep && cd left/tmp && touch stage-0 .hidden && "
			    "mkdir -p generation-1/deep/er && "
			    "touch generation-1/root.age generation-1/deep/er/x && ln -s ../../outside link "
			    "&& mkfifo fifo && chmod 0 generation-1"),
	    0);
	v = open_in("left");
	assert_int_equal(count_names("left/tmp"), 0);
	assert_int_equal(sh("test -e outside/keep"), 0);
	vault_w_close(v);
}

static void links_in_the_way_lead_nowhere(void **state)
{
	static const char *const names[] = {"datasets", "tmp"};
	struct vault_w *v;
	struct err err = ERR_INIT;
	uint8_t sha256[DIGEST_LEN], *p;
	char path[PATH];
	int fd;

	(void)state;
	assert_int_equal(sh("mkdir elsewhere"), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    sh("rm -rf linked && mkdir linked && ln -s ../elsewhere linked/%s", names[i]), 0);
		fd = open(in_scratch("linked"), O_RDONLY | O_DIRECTORY);
		assert_int_equal(vault_w_open_dir(fd, &v, &err), -1);
		close(fd);
	}
	assert_int_equal(vault_w_open_dir(-1, &v, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-01");
	/* the folder of two digits */
	v = fresh("fan");
	content('l', 1000, &p, sha256, path);
	*strrchr(path, '/') = '\0'; /* "datasets/emr/archives/ab" */
	assert_int_equal(
	    sh("mkdir -p elsewhere/x fan/$(dirname %s) && ln -s ../../../../elsewhere/x fan/%s", path, path),
	    0);
	assert_int_equal(publish(v, 'l', 1000, path, &err), -1);
	assert_int_equal(count_names("elsewhere/x"), 0);
	/* a file there with the right name and size is none of the medium's */
	put_file("elsewhere/whole", p, 1000);
	assert_int_equal(sh("cp elsewhere/whole elsewhere/x/%s", path + strlen(path) + 1), 0);
	assert_int_not_equal(vault_w_has_archive(v, SET, sha256, 1000, &err), 1);
	assert_int_equal(sh("! lsattr elsewhere/x/* | cut -d' ' -f1 | grep i"), 0);
	assert_int_equal(count_names("fan/tmp"), 0);
	free(p);
	vault_w_close(v);
}

static void twice_is_once(void **state)
{
	struct vault_w *v = fresh("twice");
	char path[PATH];

	(void)state;
	assert_int_equal(publish(v, 't', 5000, path, NULL), 0);
	assert_int_equal(sh("stat -c %%i twice/%s >inode", path), 0);
	assert_int_equal(publish(v, 't', 5000, path, NULL), 0);
	assert_int_equal(
	    sh("stat -c %%i twice/%s | cmp - inode", path), 0); /* an archive that is there stays */
	assert_int_equal(count_names("twice/tmp"), 0);
	assert_int_equal(vault_w_publish_generation(v, SET, 7, docs, 4, NULL), 0);
	assert_int_equal(vault_w_publish_generation(v, SET, 7, docs, 4, NULL),
	    0); /* the same once more: a run that died before it was recorded */
	vault_w_close(v);
	v = open_in("twice");
	assert_int_equal(count_names("twice/tmp"), 0);
	assert_int_equal(count_names("twice/datasets/emr/generations"), 1);
	vault_w_close(v);
}

static void something_else_under_the_name_is_refused(void **state)
{
	static const char *const make[] = {
	    "printf short >%s", "mkdir %s", "ln -s /etc/passwd %s", "mkfifo %s", "ln -s nowhere %s"};
	struct vault_w *v = fresh("other");
	struct err err;
	uint8_t sha256[DIGEST_LEN], *p;
	char path[PATH], full[300], line[400];

	(void)state;
	content('o', 1000, &p, sha256, path);
	snprintf(full, sizeof(full), "other/%s", path);
	assert_int_equal(sh("mkdir -p $(dirname %s)", full), 0);
	for (size_t i = 0; i < sizeof(make) / sizeof(*make); i++) {
		snprintf(line, sizeof(line), make[i], full);
		assert_int_equal(sh("%s && ls -l %s >before", line, full), 0);
		err = (struct err)ERR_INIT;
		assert_int_equal(vault_w_has_archive(v, SET, sha256, 1000, &err), 0);
		assert_int_equal(publish(v, 'o', 1000, path, &err), -1);
		assert_string_equal(err.code, "E-PUBLISH-03");
		assert_int_not_equal(err.hint[0], '\0');
		assert_int_equal(sh("ls -l %s | cmp - before && rm -rf %s", full, full), 0);
		assert_int_equal(count_names("other/tmp"), 0);
	}
	free(p);
	vault_w_close(v);
}

static void a_taken_number_is_refused(void **state)
{
	struct store_doc others[4];
	struct vault_w *v = fresh("number");
	struct err err = ERR_INIT;

	(void)state;
	memcpy(others, docs, sizeof(docs));
	others[3] = (struct store_doc){"SHA256SUMS.minisig", "sih", 3};
	assert_int_equal(vault_w_publish_generation(v, SET, 9, docs, 4, &err), 0);
	assert_int_equal(vault_w_publish_generation(v, SET, 9, others, 4, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-04");
	others[3].n = 2;
	assert_int_equal(vault_w_publish_generation(v, SET, 9, others, 4, &err), -1);
	assert_int_equal(
	    sh("test $(cat number/datasets/emr/generations/000009/SHA256SUMS.minisig) = sig && mkdir "
	       "number/datasets/emr/generations/000010"),
	    0);
	/* strange files in it: not ours to complete */
	assert_int_equal(sh("printf x >number/datasets/emr/generations/000010/other"), 0);
	assert_int_equal(vault_w_publish_generation(v, SET, 10, docs, 4, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-04");
	assert_int_equal(count_names("number/datasets/emr/generations/000010"), 1);
	assert_int_equal(sh("printf x >number/datasets/emr/generations/000011"), 0);
	assert_int_equal(vault_w_publish_generation(v, SET, 11, docs, 4, &err), -1);
	vault_w_close(v);
}

/* Someone deleted documents of a generation: each comes back, the others keep their inodes. */
static void lost_documents_are_supplied(void **state)
{
	static const char *const lost[] = {"root.age", "SHA256SUMS.minisig", "manifest.json SHA256SUMS", "*"};
	struct vault_w *v = fresh("lost");

	(void)state;
	assert_int_equal(vault_w_publish_generation(v, SET, 9, docs, 4, NULL), 0);
	for (size_t i = 0; i < sizeof(lost) / sizeof(*lost); i++) {
		assert_int_equal(
		    sh("cd lost/datasets/emr/generations/000009 && { chattr -i * 2>/dev/null; cp -a . "
		       "../../../../../whole.%zu && "
		       "rm -f %s && ls -i >../../../../../kept; }",
			i, lost[i]),
		    0);
		assert_int_equal(vault_w_publish_generation(v, SET, 9, docs, 4, NULL), 0);
		assert_int_equal(sh("diff -r lost/datasets/emr/generations/000009 whole.%zu && cd "
				    "lost/datasets/emr/generations/000009 && ls -i "
				    ">../../../../../now && "
				    "! grep -vxFf ../../../../../now ../../../../../kept && test $(stat -c "
				    "%%a * | sort -u) = 444",
				     i),
		    0);
		assert_int_equal(count_names("lost/tmp"), 0);
	}
	/* one byte another: nothing is supplied beside it */
	assert_int_equal(
	    sh("cd lost/datasets/emr/generations/000009 && { chattr -i * 2>/dev/null; rm -f root.age "
	       "manifest.json; printf x >root.age; }"),
	    0);
	assert_int_equal(vault_w_publish_generation(v, SET, 9, docs, 4, NULL), -1);
	assert_int_equal(count_names("lost/datasets/emr/generations/000009"), 3);
	vault_w_close(v);
}

/* What is written last finds room on a disk that was filled up. */
static void room_is_kept(void **state)
{
	struct vault_w *v;

	(void)state;
	assert_int_equal(mkdir(in_scratch("room"), 0755), 0);
	if (mount("none", in_scratch("room"), "tmpfs", 0, "size=2m"))
		skip();
	v = open_in("room");
	vault_w_reserve(v, 64 << 20); /* more than there is: what can be had */
	assert_int_equal(sh("head -c 4000000 /dev/zero >room/ballast"), 1);
	assert_int_equal(vault_w_release(v, NULL), 0);
	assert_int_equal(sh("head -c 400000 /dev/zero >room/journal"), 0);
	vault_w_reserve(v, 100000);
	vault_w_close(v);
	assert_int_equal(count_names("room/tmp"), 0);
	assert_int_equal(umount(in_scratch("room")), 0);
}

static void has_archive_freezes_what_a_crash_left(void **state)
{
	struct vault_w *v = fresh("has");
	uint8_t sha256[DIGEST_LEN], *p;
	char path[PATH];
	int why;

	(void)state;
	content('h', 1000, &p, sha256, path);
	free(p);
	assert_int_equal(vault_w_has_archive(v, SET, sha256, 1000, NULL), 0);
	assert_int_equal(publish(v, 'h', 1000, path, NULL), 0);
	assert_int_equal(vault_w_has_archive(v, SET, sha256, 1000, NULL), 1);
	assert_int_equal(vault_w_has_archive(v, SET, sha256, 1001, NULL), 0);
	if (!vault_w_unfrozen(v, &why)) {
		assert_int_equal(sh("chattr -i has/%s", path), 0);
		assert_int_equal(vault_w_has_archive(v, SET, sha256, 1000, NULL), 1);
		assert_int_equal(sh("lsattr has/%s | cut -d' ' -f1 | grep -q i", path), 0);
		/* and so for a generation that was published but not frozen */
		assert_int_equal(vault_w_publish_generation(v, SET, 1, docs, 4, NULL), 0);
		assert_int_equal(sh("chattr -i has/datasets/emr/generations/000001/*"), 0);
		assert_int_equal(vault_w_publish_generation(v, SET, 1, docs, 4, NULL), 0);
		assert_int_equal(
		    sh("test $(lsattr has/datasets/emr/generations/000001 | cut -d' ' -f1 | grep -c i) = 4"),
		    0);
	}
	vault_w_close(v);
}

static void what_is_discarded_is_gone(void **state)
{
	struct vault_w *v = fresh("gone");
	struct store_staged *f = NULL, *g = NULL;

	(void)state;
	assert_int_equal(vault_w_stage(v, &f, NULL), 0);
	assert_int_equal(vault_w_stage(v, &g, NULL), 0);
	assert_int_equal(vault_w_write(v, f, "x", 1, NULL), 0);
	assert_int_equal(count_names("gone/tmp"), 2);
	vault_w_discard(v, f);
	vault_w_discard(v, g);
	vault_w_discard(v, NULL);
	assert_int_equal(count_names("gone/tmp"), 0);
	assert_int_equal(vault_w_written(v), 0);
	vault_w_close(v);
}

static void a_full_medium(void **state)
{
	struct vault_w *v;
	struct err err = ERR_INIT;
	char path[PATH], *big = calloc(1, 300000);
	struct store_doc large[] = {docs[0], {"root.age", big, 300000}, docs[2], docs[3]};

	(void)state;
	assert_int_equal(mkdir(in_scratch("full"), 0755), 0);
	if (mount("none", in_scratch("full"), "tmpfs", 0, "size=200k")) {
		free(big);
		skip();
	}
	v = open_in("full");
	assert_int_equal(publish(v, '1', 50000, path, &err), 0);
	assert_int_equal(publish(v, '2', 300000, path, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-02");
	assert_non_null(strstr(err.msg, "No space left"));
	assert_int_equal(vault_w_publish_generation(v, SET, 1, large, 4, &err), -1);
	assert_non_null(strstr(err.msg, "No space left"));
	all_whole("full");
	assert_int_equal(sh("test $(ls full/datasets/emr/archives/*/* | wc -l) = 1 && test $(ls "
			    "full/datasets/emr/generations 2>/dev/null | wc -l) = 0"),
	    0);
	assert_int_equal(
	    vault_w_publish_generation(v, SET, 1, docs, 4, &err), 0); /* what still fits goes on */
	vault_w_close(v);
	v = open_in("full");
	assert_int_equal(count_names("full/tmp"), 0);
	vault_w_close(v);
	assert_int_equal(umount(in_scratch("full")), 0);
	free(big);
}

static int put_journal(struct vault_w *v, uint64_t size, bool mended, struct err *err)
{
	STORE_AUTO host = {0};
	STORE_FILE_AUTO ours = {0};

	assert_int_equal(store_dir_open(in_scratch("host"), &host, err), 0);
	assert_int_equal(segments_open(&host, &ours, err), 0);
	return vault_w_put_journal(v, &ours, size, mended, err);
}

static void the_journals_copy(void **state)
{
	struct vault_w *v = fresh("journal");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(sh("mkdir -p host/journal"), 0);
	put_file("host/journal/000001.jsonl", "line 1\nline 2\nhalf a li", 23);
	assert_int_equal(put_journal(v, 14, false, &err), 0);
	assert_int_equal(sh("printf 'line 1\\nline 2\\n' | cmp - journal/journal/000001.jsonl"), 0);
	assert_int_equal(put_journal(v, 14, false, &err), 0);
	assert_int_equal(put_journal(v, 100, false, &err), -1); /* more than there is: the old copy stays */
	assert_string_equal(err.code, "E-IO-02");
	/* a shorter one, another, none: what stands there may be the proof, and stays */
	assert_int_equal(put_journal(v, 7, false, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-05");
	assert_non_null(strstr(err.msg, "line 2"));
	assert_int_equal(put_journal(v, 0, false, &err), -1);
	put_file("host/journal/000001.jsonl", "line 1\nline X\nline 3\n", 21);
	assert_int_equal(put_journal(v, 21, false, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-05");
	assert_int_equal(sh("printf 'line 1\\nline 2\\n' | cmp - journal/journal/000001.jsonl"), 0);
	put_file("host/journal/000001.jsonl", "line 1\nline 2\nline 3\n", 21);
	assert_int_equal(put_journal(v, 21, false, &err), 0);
	assert_int_equal(sh("cmp host/journal/000001.jsonl journal/journal/000001.jsonl"), 0);
	vault_w_close(v);
	v = open_in("journal");
	assert_int_equal(count_names("journal/tmp"), 0);
	vault_w_close(v);
}

/* A segment that is closed is put once: the file itself stays the same.  The last one is put anew. */
static void closed_segments_are_published_once(void **state)
{
	struct vault_w *v = fresh("closed");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
	    sh("rm -rf host && mkdir -p host/journal && cd host/journal && echo 1 >000001.jsonl && "
	       "echo 2 >000002.jsonl && echo 3 >000003.jsonl && printf torn >>000003.jsonl"),
	    0);
	assert_int_equal(put_journal(v, 6, false, &err), 0);
	assert_int_equal(sh("cat closed/journal/*.jsonl | tr '\\n' , | grep -x 1,2,3,"), 0);
	assert_int_equal(
	    sh("stat -c %%i closed/journal/00000[12].jsonl >inodes && echo 3 >host/journal/000003.jsonl &&"
	       " echo 33 >>host/journal/000003.jsonl && echo 4 >host/journal/000004.jsonl"),
	    0);
	assert_int_equal(put_journal(v, 11, false, &err), 0);
	assert_int_equal(sh("stat -c %%i closed/journal/00000[12].jsonl | cmp - inodes && diff -r "
			    "host/journal closed/journal"),
	    0);
	/* two that are swapped, one with the lines of another, one too few: it is another history, and stays */
	assert_int_equal(
	    sh("cd closed/journal && mv 000001.jsonl x && mv 000002.jsonl 000001.jsonl && mv x 000002.jsonl"),
	    0);
	assert_int_equal(put_journal(v, 11, false, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-05");
	assert_int_equal(sh("cd closed/journal && rm 000001.jsonl && cp ../../host/journal/000001.jsonl . && "
			    "cp 000001.jsonl 000002.jsonl"),
	    0);
	assert_int_equal(put_journal(v, 11, false, &err), -1);
	assert_int_equal(sh("cd closed/journal && rm 000002.jsonl"), 0);
	assert_int_equal(put_journal(v, 11, false, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-05");
	assert_non_null(strstr(err.msg, "line 2"));
	/* whoever has made sure that it is none puts back what is missing */
	assert_int_equal(put_journal(v, 11, true, &err), 0);
	assert_int_equal(sh("diff -r host/journal closed/journal"), 0);
	vault_w_close(v);
}

/* ---- calls that fail: this program under strace, in its mode "publish FOLDER" ---- */

/* 0: all published, 1: refused with a message, 2: refused without one. */
static int publish_all(const char *folder)
{
	struct vault_w *v = NULL;
	struct err err = ERR_INIT;
	char path[PATH];
	int fd = open(folder, O_RDONLY | O_DIRECTORY), r;

	r = vault_w_open_dir(fd, &v, &err) || publish(v, 'x', 70000, path, &err) ||
	    publish(v, 'y', 10, path, &err) || vault_w_publish_generation(v, SET, 3, docs, 4, &err);
	vault_w_close(v);
	if (r)
		fprintf(stderr, "%s: %s\n", err.code, err.msg);
	return !r ? 0 : err.code[0] && err.msg[0] ? 1 : 2;
}

/* What is there is whole; the next run needs no help. */
static void injected(const char *what, int want)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct vault_w *v;
	int r;

	self[n] = '\0';
	assert_int_equal(sh("chattr -R -i inj 2>/dev/null; rm -rf inj && mkdir inj"), 0);
	r = sh("ASAN_OPTIONS=detect_leaks=0 strace -f -o /dev/null -e trace=fsync,fchmod,renameat2,ioctl -e "
	       "inject=%s %s publish inj "
	       "2>inj.log",
	    what, self);
	if (r != want && want >= 0) {
		sh("cat inj.log");
		fail_msg("%s: %d instead of %d", what, r, want);
	}
	assert_true(r == 0 || r == 1);
	all_whole("inj");
	if (r == 0)
		assert_int_equal(sh("test $(ls inj/datasets/emr/archives/*/* | wc -l) = 2"), 0);
	assert_int_equal(sh("[ ! -e inj/datasets/emr/generations/000003 ] || [ $(ls "
			    "inj/datasets/emr/generations/000003 | wc -l) = 4 ]"),
	    0);
	v = open_in("inj");
	assert_int_equal(count_names("inj/tmp"), 0);
	vault_w_close(v);
	assert_int_equal(publish_all(in_scratch("inj")), 0);
	assert_int_equal(sh("test $(ls inj/datasets/emr/archives/*/* | wc -l) = 2 && test $(ls "
			    "inj/datasets/emr/generations/000003 | wc -l) = 4"),
	    0);
}

static void file_systems_without_modes_or_flags(void **state)
{
	(void)state;
	if (sh("strace -o /dev/null true 2>/dev/null"))
		skip();
	injected("fchmod:error=EPERM", 0); /* vfat, exfat */
	injected("fchmod:error=EOPNOTSUPP", 0);
	injected("renameat2:error=EINVAL", 0);
	injected("ioctl:error=ENOTTY", 0);
}

static void every_sync_that_fails_abandons(void **state)
{
	char what[64];

	(void)state;
	if (sh("strace -o /dev/null true 2>/dev/null"))
		skip();
	for (int i = 1; i <= 17; i += 5) {
		snprintf(what, sizeof(what), "fsync:error=EIO:when=%d", i);
		injected(what, -1);
	}
	injected("fsync:error=EIO", 1);
	injected("fchmod:error=EIO", 1);
}

/* A network file system may report a lost write only when the file is closed: then it is not published. */
static void an_archive_is_closed_before_it_has_its_name(void **state)
{
	(void)state;
	if (sh("strace -o /dev/null true 2>/dev/null"))
		skip();
	assert_int_equal(sh("chattr -R -i inj 2>/dev/null; rm -rf inj && mkdir inj"), 0);
	assert_int_equal(sh("ASAN_OPTIONS=detect_leaks=0 strace -y -o trace -e trace=close,renameat2 "
			    "$(readlink /proc/%d/exe) publish inj",
			     getpid()),
	    0);
	/* each close of a staged file comes before the rename of that name */
	assert_int_equal(sh("awk '/^close/ && /stage-0>/ {c=NR} /^renameat2/ && /\"stage-0\"/ {r=NR} END "
			    "{exit !(c && r && c<r)}' trace"),
	    0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_files),
	    cmocka_unit_test(modes_whatever_the_umask),
	    cmocka_unit_test(frozen_is_said_truly),
	    cmocka_unit_test(without_privileges),
	    cmocka_unit_test(leftovers_are_cleared),
	    cmocka_unit_test(links_in_the_way_lead_nowhere),
	    cmocka_unit_test(twice_is_once),
	    cmocka_unit_test(something_else_under_the_name_is_refused),
	    cmocka_unit_test(a_taken_number_is_refused),
	    cmocka_unit_test(lost_documents_are_supplied),
	    cmocka_unit_test(room_is_kept),
	    cmocka_unit_test(has_archive_freezes_what_a_crash_left),
	    cmocka_unit_test(what_is_discarded_is_gone),
	    cmocka_unit_test(a_full_medium),
	    cmocka_unit_test(the_journals_copy),
	    cmocka_unit_test(closed_segments_are_published_once),
	    cmocka_unit_test(file_systems_without_modes_or_flags),
	    cmocka_unit_test(every_sync_that_fails_abandons),
	    cmocka_unit_test(an_archive_is_closed_before_it_has_its_name),
	};

	if (argc > 2 && !strcmp(argv[1], "publish"))
		return publish_all(argv[2]);
	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
