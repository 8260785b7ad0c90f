/* scratch (restore): a drill begins in an empty folder and leaves nothing of what it made, whatever a step
 * did in it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define scratch_dirfd of_the_test /* both headers have one */
#include "unit.h"
#include "scratch.h"
#undef scratch_dirfd

#include "../../restore/extract/scratch.h"
#include "base/err.h"

static struct scratch *make(const char *name)
{
	struct scratch *s = NULL;
	struct err err = ERR_INIT;

	if (scratch_make(in_scratch(name), &s, &err))
		fail_msg("%s: %s", err.code, err.msg);
	return s;
}

static void erase(struct scratch *s)
{
	struct scratch_erased done;
	struct err err = ERR_INIT;

	if (scratch_erase(s, &done, &err))
		fail_msg("%s: %s", err.code, err.msg);
	scratch_free(s);
}

static void makes_folders(void **state)
{
	struct scratch *s = make("a");
	struct stat st;

	(void)state;
	assert_int_equal(mode_of("a"), 0711);
	assert_int_equal(mode_of("a/scratch"), 0711);
	assert_int_equal(mode_of("a/scratch/tmp"), 01777);
	assert_int_equal(stat(scratch_path(s), &st), 0);
	assert_int_equal(scratch_path(s)[0], '/');
	erase(s);
	assert_int_equal(count_names("a"), 0);
}

static void refused(const char *name, const char *code)
{
	struct scratch *s = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(scratch_make(in_scratch(name), &s, &err), -1);
	assert_string_equal(err.code, code);
	assert_null(s);
}

static void only_an_empty_folder(void **state)
{
	(void)state;
	assert_int_equal(
	    sh("mkdir full empty && touch full/.hidden file && ln -s full link && ln -s nowhere bad"), 0);
	refused("full", "E-DRILL-01");
	refused("link", "E-DRILL-01");
	refused("file", "E-DRILL-01");
	refused("bad", "E-DRILL-01");
	refused("no/parent", "E-DRILL-01");
	refused("ctrl\nname", "E-DRILL-01");
	assert_int_equal(count_names("full"), 1);
	erase(make("empty"));
	/* a folder that is there keeps its modes, but can be passed through */
	assert_int_equal(sh("mkdir -m 0750 mine"), 0);
	erase(make("mine"));
	assert_int_equal(mode_of("mine"), 0751);
}

static void undo_leaves_no_trace(void **state)
{
	struct scratch_erased done;
	struct scratch *s = make("new");

	(void)state;
	assert_int_equal(scratch_undo(s, &done, NULL), 0);
	scratch_free(s);
	assert_int_equal(access(in_scratch("new"), F_OK), -1);
	assert_int_equal(sh("mkdir old"), 0);
	s = make("old");
	assert_int_equal(scratch_undo(s, &done, NULL), 0);
	scratch_free(s);
	assert_int_equal(count_names("old"), 0);
	assert_int_equal(access(in_scratch("old"), F_OK), 0);
}

static void erases_everything_and_follows_nothing(void **state)
{
	struct scratch_erased done;
	struct scratch *s = make("b");

	(void)state;
	assert_int_equal(
	    sh("mkdir outside && echo keep >outside/file && cd b/scratch && "
	       "mkdir -p d/e 'new\nline' 患者 && ln -s ../../outside out && ln -s / root && "
	       "ln -s ../../../outside d/out && mkfifo p && echo x >d/e/f && touch .hidden ' ' '*' && "
	       "ln d/e/f hard && ln ../../outside/file d/hard && chmod 0 d/e d && chmod 0 d/e/f"),
	    0);
	assert_int_equal(scratch_erase(s, &done, NULL), 0);
	scratch_free(s);
	assert_int_equal(done.files, 10);
	assert_int_equal(done.folders, 6); /* d, e, two others, tmp, scratch */
	assert_int_equal(done.left, 0);
	assert_int_equal(count_names("b"), 0);
	assert_int_equal(sh("[ \"$(cat outside/file)\" = keep ] && [ -d /usr ]"), 0);
}

static void erases_any_depth(void **state)
{
	struct scratch *s = make("deep");

	(void)state;
	/* longer than PATH_MAX: only by descriptors; names that folders are moved up to are taken */
	assert_int_equal(sh("cd deep/scratch && mkdir -p .bkp-erase-0 .bkp-erase-1/sub && touch .bkp-erase-2 "
			    "&& python3 -c 'import os\n"
			    "for i in range(5000):\n"
			    "    os.mkdir(\"a\" * 20); open(\"f\", \"w\").close(); os.chdir(\"a\" * 20)'"),
	    0);
	erase(s);
	assert_int_equal(count_names("deep"), 0);
}

static void gone_or_moved_already(void **state)
{
	struct scratch *s = make("gone");

	(void)state;
	assert_int_equal(sh("rm -r gone/scratch"), 0);
	erase(s);
	/* moved to where nobody looks: what is in it is erased all the same */
	s = make("moved");
	assert_int_equal(sh("touch moved/scratch/data && mv moved/scratch hidden"), 0);
	erase(s);
	assert_int_equal(count_names("hidden"), 0);
	/* something else in its place is not touched */
	s = make("replaced");
	assert_int_equal(sh("mkdir mine2 && touch mine2/file && mv replaced/scratch away && ln -s ../mine2 "
			    "replaced/scratch"),
	    0);
	{
		struct scratch_erased done;
		struct err err = ERR_INIT;

		assert_int_equal(scratch_erase(s, &done, &err), -1);
		assert_string_equal(err.code, "E-DRILL-21");
	}
	scratch_free(s);
	assert_int_equal(sh("[ -f mine2/file ]"), 0);
}

static void many_files(void **state)
{
	struct scratch_erased done;
	struct scratch *s = make("many");

	(void)state;
	assert_int_equal(sh("cd many/scratch && seq 20000 | xargs touch"), 0);
	assert_int_equal(scratch_erase(s, &done, NULL), 0);
	scratch_free(s);
	assert_int_equal(done.files, 20000);
}

static void mounts_stay(void **state)
{
	struct scratch_erased done;
	struct err err = ERR_INIT;
	struct scratch *s;

	(void)state;
	if (geteuid() != 0)
		skip();
	s = make("m");
	assert_int_equal(
	    sh("mkdir -p precious m/scratch/x/bound m/scratch/x/fs m/scratch/y && touch precious/file "
	       "m/scratch/y/z"),
	    0);
	if (mount(in_scratch("precious"), in_scratch("m/scratch/x/bound"), NULL, MS_BIND, NULL)) {
		erase(s);
		skip(); /* a container without the right to mount */
	}
	assert_int_equal(mount("none", in_scratch("m/scratch/x/fs"), "tmpfs", 0, "size=64k"), 0);
	assert_int_equal(sh("touch m/scratch/x/fs/inside"), 0);
	assert_int_equal(scratch_erase(s, &done, &err), -1);
	assert_string_equal(err.code, "E-DRILL-21");
	assert_true(strstr(err.msg, "bound") || strstr(err.msg, "fs"));
	assert_non_null(strstr(err.msg, "mount"));
	assert_true(done.left >= 2);
	/* what can be erased is */
	assert_int_equal(
	    sh("[ -f precious/file ] && [ -f m/scratch/x/fs/inside ] && [ ! -e m/scratch/y ]"), 0);
	assert_int_equal(
	    umount2(in_scratch("m/scratch/x/bound"), 0) | umount2(in_scratch("m/scratch/x/fs"), 0), 0);
	erase(s);
	assert_int_equal(sh("[ -f precious/file ]"), 0);
}

static void says_what_it_cannot(void **state)
{
	struct scratch_erased done;
	struct err err = ERR_INIT;
	struct scratch *s;

	(void)state;
	s = make("i");
	assert_int_equal(sh("touch i/scratch/fixed i/scratch/other"), 0);
	if (sh("chattr +i i/scratch/fixed 2>/dev/null") != 0) {
		erase(s);
		skip(); /* a file system without the flag */
	}
	assert_int_equal(scratch_erase(s, &done, &err), -1);
	assert_string_equal(err.code, "E-DRILL-21");
	assert_non_null(strstr(err.msg, "fixed"));
	assert_int_equal(done.files, 1);
	assert_int_equal(sh("chattr -i i/scratch/fixed"), 0);
	erase(s);
}

/* Somebody who is not root, whose restored folders have modes that shut himself out. */
static void without_root(void **state)
{
	struct scratch_erased done;
	struct scratch *s = NULL;
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(scratch, 0755), 0);
	assert_int_equal(sh("mkdir user && chown 65534 user"), 0);
	pid = fork();
	if (pid == 0) {
		in_child();
		if (setresuid(65534, 65534, 65534) || scratch_make(in_scratch("user/drill"), &s, NULL) ||
		    sh("cd user/drill/scratch && mkdir -p a/b && touch a/b/c && chmod 0 a/b && chmod 0500 "
		       "a") ||
		    scratch_erase(s, &done, NULL))
			_exit(1);
		_exit(done.files == 1 && done.folders == 4 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_names("user/drill"), 0);
}

static void what_is_done_again_is_erased_first(void **state)
{
	struct scratch *s = NULL, *again = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(scratch_open(in_scratch("rec"), "data", &s, &err), 0);
	assert_int_equal(
	    sh("mkdir -p %s/rec/data/a/b/c && echo x >%s/rec/data/a/b/c/f && echo keep >%s/rec/data/a/k &&"
	       " ln -s %s/rec/data/a %s/rec/data/link",
		scratch, scratch, scratch, scratch, scratch),
	    0);
	assert_int_equal(scratch_open(in_scratch("rec"), "data", &again, &err), 0); /* as after a crash */
	assert_int_equal(scratch_erase_below(again, "a/b", &err), 0);
	assert_int_equal(sh("! test -e %s/rec/data/a/b && test -e %s/rec/data/a/k", scratch, scratch), 0);
	assert_int_equal(scratch_erase_below(again, "a/b", &err), 0);
	assert_int_equal(scratch_erase_below(again, "nowhere/at/all", &err), 0);
	assert_int_equal(scratch_erase_below(again, "link", &err), 0); /* what is no folder stays */
	assert_int_equal(scratch_erase_below(again, "link/k", &err), -1);
	assert_int_equal(sh("test -e %s/rec/data/a/k", scratch), 0);
	scratch_free(again);
	erase(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(makes_folders),
	    cmocka_unit_test(only_an_empty_folder),
	    cmocka_unit_test(undo_leaves_no_trace),
	    cmocka_unit_test(erases_everything_and_follows_nothing),
	    cmocka_unit_test(erases_any_depth),
	    cmocka_unit_test(gone_or_moved_already),
	    cmocka_unit_test(many_files),
	    cmocka_unit_test(mounts_stay),
	    cmocka_unit_test(says_what_it_cannot),
	    cmocka_unit_test(what_is_done_again_is_erased_first),
	    cmocka_unit_test(without_root),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
