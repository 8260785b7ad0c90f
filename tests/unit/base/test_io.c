/* io: whole or not at all, whatever stands in the way under the name. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "unit.h"
#include "base/err.h"
#include "base/io.h"
#include "scratch.h"

static int dir;

static int setup(void **state)
{
	if (scratch_setup_memory(state))
		return -1;
	dir = scratch_dirfd();
	alarm(60); /* what hangs has failed */
	return 0;
}

static int teardown(void **state)
{
	close(dir);
	return scratch_teardown(state);
}

static void holds(const char *name, const char *want)
{
	BUF_AUTO b = BUF_INIT(1 << 20);

	get_file(name, &b);
	assert_string_equal((char *)b.p, want);
}

/* ---- reading ---- */

static void a_file_up_to_the_ceiling_is_read(void **state)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 200000};
	static uint8_t bytes[200000];

	(void)state;
	noise(bytes, sizeof(bytes), 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		BUF_AUTO exact = BUF_INIT(sizes[i]);
		BUF_AUTO less = BUF_INIT(sizes[i] ? sizes[i] - 1 : 0);
		struct err err = ERR_INIT;

		put_file("sized", bytes, sizes[i]);
		assert_int_equal(io_read_file(dir, "sized", &exact, &err), 0);
		assert_int_equal(exact.n, sizes[i]);
		if (!sizes[i])
			continue;
		assert_memory_equal(exact.p, bytes, sizes[i]);
		assert_int_equal(io_read_file(dir, "sized", &less, &err), -1);
		assert_string_equal(err.code, "E-IO-08");
		assert_non_null(strstr(err.msg, "'sized'"));
	}
}

static void what_was_in_the_buffer_stays_and_counts(void **state)
{
	BUF_AUTO b = BUF_INIT(8);

	(void)state;
	assert_int_equal(buf_puts(&b, "abc", NULL), 0);
	put_file("five", "12345", 5);
	assert_int_equal(io_read_file(dir, "five", &b, NULL), 0);
	assert_memory_equal(b.p, "abc12345", 8);
	assert_int_equal(io_read_file(dir, "five", &b, NULL), -1);
}

static void a_file_that_says_size_zero_is_read_all_the_same(void **state)
{
	BUF_AUTO b = BUF_INIT(1 << 20);

	(void)state;
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/maps", &b, NULL), 0);
	assert_true(b.n > 100);
}

static void only_a_missing_file_is_absent(void **state)
{
	static const char *const in_the_way[] = {
	    "fifo", "folder", "link", "dangling", "device", "loop", "socket"};
	BUF_AUTO b = BUF_INIT(100);
	struct err err;

	(void)state;
	assert_int_equal(io_read_file(dir, "nothing", &b, &err), IO_ABSENT);
	assert_int_equal(
	    sh("mkfifo fifo && mkdir folder && echo x >real && ln -s real link && ln -s nowhere dangling && "
	       "ln -s loop loop && ln -s /dev/zero device && python3 -c 'import socket;"
	       "socket.socket(socket.AF_UNIX).bind(\"socket\")'"),
	    0);
	if (!geteuid())
		assert_int_equal(sh("rm device; mknod device c 1 5"), 0);
	for (size_t i = 0; i < sizeof(in_the_way) / sizeof(*in_the_way); i++) {
		err = (struct err)ERR_INIT;
		errno = ENOENT; /* what a call before may have left */
		assert_int_equal(io_read_file(dir, in_the_way[i], &b, &err), -1);
		assert_string_equal(err.code, "E-IO-01");
		assert_non_null(strstr(err.msg, in_the_way[i]));
		errno = ENOENT;
		assert_int_equal(io_open_file(dir, in_the_way[i], &err), -1);
		assert_int_not_equal(errno, ENOENT);
	}
	assert_int_equal(b.n, 0);
}

static void folders_are_opened_not_followed(void **state)
{
	struct err err = ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(sh("mkdir real_dir && ln -s real_dir dir_link && touch dir_file"), 0);
	assert_int_equal(io_open_dir(dir, "dir_link", &err), -1);
	assert_string_equal(err.code, "E-IO-07");
	assert_int_equal(io_make_dir(dir, "dir_link", 0755, &err), -1);
	assert_int_equal(io_make_dir(dir, "dir_file", 0755, &err), -1);
	assert_int_equal(io_make_dir(dir, "no/such", 0755, &err), -1);
	fd = io_make_dir(dir, "real_dir", 0755, &err);
	assert_true(fd >= 0);
	assert_int_equal(io_sync_dir(fd, &err), 0);
	assert_int_equal(io_close(&fd, "real_dir", &err), 0);
	assert_int_equal(fd, -1);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A slow pipe, and a signal every millisecond that interrupts whatever is under way. */
static void signals_and_short_reads_lose_nothing(void **state)
{
	struct sigaction act = {.sa_handler = on_alarm}, old;
	struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	static uint8_t sent[300000], got[300001];
	int p[2], status;
	pid_t pid;

	(void)state;
	noise(sent, sizeof(sent), 2);
	assert_int_equal(pipe(p), 0);
	alarm(0);
	sigaction(SIGALRM, &act, &old);
	pid = fork();
	if (!pid) {
		setitimer(ITIMER_REAL, &often, NULL);
		_exit(io_write_full(p[1], sent, sizeof(sent)) != 0);
	}
	close(p[1]);
	setitimer(ITIMER_REAL, &often, NULL);
	for (size_t n = 0; n < sizeof(sent); n += 30000) {
		usleep(3000);
		assert_int_equal(io_read_full(p[0], got + n, 30000), 30000);
	}
	assert_int_equal(io_read_full(p[0], got, 0), 0);
	assert_int_equal(io_read_full(p[0], got + sizeof(sent), 1), 0);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	alarm(60);
	assert_memory_equal(got, sent, sizeof(sent));
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_int_equal(status, 0);
	close(p[0]);
}

static void reading_at_a_place(void **state)
{
	char got[10];
	int fd;

	(void)state;
	put_file("place", "0123456789", 10);
	fd = io_open_file(dir, "place", NULL);
	assert_true(fd >= 0);
	assert_int_equal(io_pread_full(fd, got, 4, 3), 4);
	assert_memory_equal(got, "3456", 4);
	assert_int_equal(io_pread_full(fd, got, 10, 8), 2);
	assert_int_equal(io_pread_full(fd, got, 10, 10), 0);
	assert_int_equal(io_pread_full(fd, got, 10, INT64_C(1) << 40), 0);
	close(fd);
	assert_int_equal(io_pread_full(fd, got, 10, 0), -1);
	assert_int_equal(errno, EBADF);
}

/* ---- writing ---- */

static void modes_are_what_was_asked_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077, 0777};

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		mode_t old = umask(masks[i]);

		assert_int_equal(io_write_new(dir, "mode", 0444, "x", 1, NULL), 0);
		assert_int_equal(io_replace(dir, "mode2", 0600, "y", 1, NULL), 0);
		umask(old);
		assert_int_equal(mode_of("mode"), 0444);
		assert_int_equal(mode_of("mode2"), 0600);
		assert_int_equal(sh("rm -f mode mode2"), 0);
	}
}

static void a_new_file_never_touches_an_old_one(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(sh("printf old >taken; printf target >behind; ln -s behind taken_link; ln -s "
			    "newborn taken_dangling;"
			    "mkdir taken_dir; mkfifo taken_fifo"),
	    0);
	assert_int_equal(io_write_new(dir, "taken", 0644, "new", 3, &err), -1);
	assert_string_equal(err.code, "E-IO-01");
	assert_int_equal(io_write_new(dir, "taken_link", 0644, "new", 3, &err), -1);
	assert_int_equal(io_write_new(dir, "taken_dangling", 0644, "new", 3, &err), -1);
	assert_int_equal(io_write_new(dir, "taken_dir", 0644, "new", 3, &err), -1);
	assert_int_equal(io_write_new(dir, "taken_fifo", 0644, "new", 3, &err), -1);
	holds("taken", "old");
	holds("behind", "target");
	assert_int_equal(sh("test -L taken_link -a -L taken_dangling -a -d taken_dir -a -p taken_fifo && ! "
			    "test -e newborn"),
	    0);
}

/* A limit on the size of files stands for the full disk: the write fails half-way. */
static void a_write_that_fails_leaves_nothing(void **state)
{
	struct rlimit old, small;
	static char big[100000];
	struct err err = ERR_INIT;

	(void)state;
	put_file("keep", "old", 3);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){50000, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(io_write_new(dir, "toobig", 0644, big, sizeof(big), &err), -1);
	assert_string_equal(err.code, "E-IO-03");
	assert_int_equal(io_replace(dir, "keep", 0644, big, sizeof(big), &err), -1);
	setrlimit(RLIMIT_FSIZE, &old);
	holds("keep", "old");
	assert_int_equal(sh("! ls -A | grep -E 'toobig|keep.*tmp|tmp.*keep|[.]keep'"), 0);
}

static void a_full_disk_leaves_nothing(void **state)
{
	static char big[200000];
	struct err err = ERR_INIT;
	int small;

	(void)state;
	assert_int_equal(sh("mkdir disk"), 0);
	if (mount("none", in_scratch("disk"), "tmpfs", 0, "size=64k"))
		skip();
	small = open(in_scratch("disk"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(io_write_new(small, "keep", 0644, "old", 3, &err), 0);
	assert_int_equal(io_write_new(small, "toobig", 0644, big, sizeof(big), &err), -1);
	assert_string_equal(err.code, "E-IO-03");
	assert_non_null(strstr(err.msg, "No space left"));
	assert_int_equal(io_replace(small, "keep", 0644, big, sizeof(big), &err), -1);
	holds("disk/keep", "old");
	assert_int_equal(count_names("disk"), 1);
	close(small);
	assert_int_equal(umount(in_scratch("disk")), 0);
}

static void replacing(void **state)
{
	char longest[256];

	(void)state;
	assert_int_equal(io_replace(dir, "rep", 0600, "one", 3, NULL), 0);
	assert_int_equal(io_replace(dir, "rep", 0644, "two", 3, NULL), 0);
	holds("rep", "two");
	assert_int_equal(mode_of("rep"), 0644);
	assert_int_equal(io_replace(dir, "rep", 0644, "", 0, NULL), 0);
	holds("rep", "");
	assert_int_equal(sh("! ls -A | grep '[.]rep'"), 0);
	memset(longest, 'n', 255);
	longest[250] = '\0';
	assert_int_equal(io_replace(dir, longest, 0644, "x", 1, NULL), 0);
	holds(longest, "x");
}

static void adding_replaces_nothing(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(sh("printf half >.added.tmp; ln -s nowhere occupied"), 0);
	assert_int_equal(io_add(dir, "added", 0444, "one", 3, NULL), 0);
	holds("added", "one");
	assert_int_equal(mode_of("added"), 0444);
	assert_int_equal(io_add(dir, "added", 0444, "two", 3, &err), -1);
	assert_string_equal(err.code, "E-IO-05");
	holds("added", "one");
	assert_int_equal(io_add(dir, "occupied", 0444, "two", 3, NULL), -1);
	assert_int_equal(
	    sh("test \"$(readlink occupied)\" = nowhere && ! ls -A | grep '[.]\\(added\\|occupied\\)'"), 0);
}

/* What a dead run left under the temporary name is rubbish, and a link there is no way out. */
static void leftovers_do_not_stop_a_replacement(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(sh("printf half >.left.tmp; printf secret >outside; ln -s outside .link.tmp; printf "
			    "target >behind2;"
			    "ln -s behind2 onlink"),
	    0);
	assert_int_equal(io_replace(dir, "left", 0644, "new", 3, NULL), 0);
	holds("left", "new");
	assert_int_equal(io_replace(dir, "link", 0644, "new", 3, NULL), 0);
	holds("link", "new");
	holds("outside", "secret");
	assert_int_equal(io_replace(dir, "onlink", 0644, "new", 3, NULL), 0);
	holds("onlink", "new");
	holds("behind2", "target");
	assert_int_equal(
	    sh("test ! -L onlink -a ! -e .left.tmp -a ! -e .link.tmp && mkdir full && touch full/x"), 0);
	assert_int_equal(io_replace(dir, "full", 0644, "new", 3, &err), -1);
	assert_string_equal(err.code, "E-IO-05");
	assert_int_equal(sh("test -e full/x -a ! -e .full.tmp"), 0);
}

/* Whoever reads meanwhile sees the old or the new text, never a mixture or nothing; also when the writer is
 * killed. */
static void a_reader_sees_old_or_new(void **state)
{
	static char text_[2][20000];
	pid_t pid;

	(void)state;
	memset(text_[0], 'a', sizeof(text_[0]));
	memset(text_[1], 'b', sizeof(text_[1]));
	assert_int_equal(io_replace(dir, "seen", 0644, text_[0], sizeof(text_[0]), NULL), 0);
	for (int round = 0; round < 10; round++) {
		pid = fork();
		if (!pid)
			for (unsigned i = 0;; i++)
				if (io_replace(dir, "seen", 0644, text_[i % 2], sizeof(text_[0]), NULL))
					_exit(1);
		for (int i = 0; i < 20; i++) {
			BUF_AUTO b = BUF_INIT(1 << 20);

			assert_int_equal(io_read_file(dir, "seen", &b, NULL), 0);
			assert_int_equal(b.n, sizeof(text_[0]));
			assert_memory_equal(b.p, text_[b.p[0] == 'b'], b.n);
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	assert_int_equal(io_replace(dir, "seen", 0644, "end", 3, NULL), 0);
	holds("seen", "end");
}

/* ---- renaming; run a second time where the kernel knows no RENAME_NOREPLACE ---- */

static void a_taken_name_stays(void **state)
{
	(void)state;
	assert_int_equal(sh("rm -rf r && mkdir r r/d r/e && printf 1 >r/one && printf 2 >r/two && ln -s "
			    "nowhere r/dangling &&"
			    "touch r/e/x"),
	    0);
	assert_int_equal(io_rename_new(dir, "r/one", dir, "r/two", NULL), IO_EXISTS);
	assert_int_equal(io_rename_new(dir, "r/one", dir, "r/dangling", NULL), IO_EXISTS);
	assert_int_equal(io_rename_new(dir, "r/one", dir, "r/d", NULL), IO_EXISTS);
	assert_int_equal(io_rename_new(dir, "r/e", dir, "r/d", NULL),
	    IO_EXISTS); /* rename(2) would replace it: it is empty */
	assert_int_equal(io_rename_new(dir, "r/e", dir, "r/two", NULL), IO_EXISTS);
	holds("r/one", "1");
	holds("r/two", "2");
	assert_int_equal(sh("test -e r/e/x -a ! -e r/nowhere -a -L r/dangling"), 0);
}

static void a_free_name_is_taken(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(sh("rm -rf r && mkdir r r/sub r/e && printf 1 >r/one && touch r/e/x"), 0);
	assert_int_equal(io_rename_new(dir, "r/one", dir, "r/sub/uno", &err), 0);
	holds("r/sub/uno", "1");
	assert_int_equal(io_rename_new(dir, "r/e", dir, "r/sub/e", &err), 0);
	assert_int_equal(
	    sh("test -e r/sub/e/x -a ! -e r/one -a ! -e r/e && test $(stat -c %%h r/sub/uno) = 1"), 0);
	assert_string_equal(err.code, "");
	assert_int_equal(io_rename_new(dir, "r/none", dir, "r/x", &err), -1);
	assert_string_equal(err.code, "E-IO-05");
	assert_int_equal(io_rename_new(dir, "r/sub/uno", dir, "r/no/x", &err), -1);
	holds("r/sub/uno", "1");
}

static void the_same_where_the_kernel_cannot(void **state)
{
	static const char *const without[] = {"renameat2:error=EINVAL", "renameat2:error=ENOSYS",
	    "renameat2:error=EINVAL -e inject=linkat:error=EPERM"};
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	if (sh("strace -o /dev/null true 2>/dev/null"))
		skip();
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++)
		assert_int_equal(sh("ASAN_OPTIONS=detect_leaks=0 strace -o /dev/null -e "
				    "trace=renameat2,linkat -e inject=%s %s "
				    "rename >rename.log 2>&1",
				     without[i], self),
		    0);
}

/* ---- the rest ---- */

static void a_lock_is_held_once_and_dies_with_its_holder(void **state)
{
	int a, b, p[2];
	char c;
	pid_t pid;

	(void)state;
	put_file("lock", "", 0);
	a = io_open_file(dir, "lock", NULL);
	b = io_open_file(dir, "lock", NULL);
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (!pid) {
		close(a);
		if (!io_lock(b, NULL) && write(p[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(b);
	assert_int_equal(io_read_full(p[0], &c, 1), 1);
	assert_int_equal(io_lock(a, NULL), IO_BUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(io_lock(a, NULL), 0);
	assert_int_equal(io_lock(a, NULL), 0);
	close(a);
	close(p[0]);
	close(p[1]);
	assert_int_equal(io_lock(-1, NULL), -1);
}

struct seen {
	size_t n, stop_at;
	char last[300];
	bool descending;
};

static int see(void *arg, const char *name, struct err *err)
{
	struct seen *s = arg;

	(void)err;
	if (s->n && strcmp(s->last, name) >= 0)
		s->descending = true;
	snprintf(s->last, sizeof(s->last), "%s", name);
	return ++s->n == s->stop_at ? 42 : 0;
}

static int remove_it(void *arg, const char *name, struct err *err)
{
	(void)err;
	return unlinkat(*(int *)arg, name, 0);
}

static void names_come_in_byte_order(void **state)
{
	struct seen s = {0};
	int fd;

	(void)state;
	assert_int_equal(
	    sh("mkdir names && python3 -c 'import os\n"
	       "for i in range(3000): open(\"names/%%d\"%%i,\"w\")\n"
	       "for i in range(1,256):\n"
	       "  if i!=47: open(b\"names/x\"+bytes([i]),\"w\")\n"
	       "open(\"names/\"+\"l\"*255,\"w\"); open(\"names/.hidden\",\"w\"); open(\"names/...\",\"w\")'"),
	    0);
	fd = io_open_dir(dir, "names", NULL);
	assert_int_equal(io_each_name(fd, see, &s, NULL), 0);
	assert_int_equal(s.n, 3000 + 254 + 3);
	assert_false(s.descending);
	/* a second time: the descriptor's place has not moved */
	s = (struct seen){.stop_at = 7};
	assert_int_equal(io_each_name(fd, see, &s, NULL), 42);
	assert_int_equal(s.n, 7);
	assert_int_equal(io_each_name(fd, remove_it, &fd, NULL), 0);
	s = (struct seen){0};
	assert_int_equal(io_each_name(fd, see, &s, NULL), 0);
	assert_int_equal(s.n, 0);
	close(fd);
	assert_int_equal(io_each_name(fd, see, &s, NULL), -1);
}

static void closing_reports(void **state)
{
	int fd = dup(dir), gone = fd;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(io_close(&fd, "x", &err), 0);
	assert_int_equal(io_close(&gone, "x", &err), -1);
	assert_string_equal(err.code, "E-IO-04");
	assert_int_equal(gone, -1);
	errno = 77;
	io_close_quietly(&gone);
	assert_int_equal(errno, 77);
	assert_int_equal(io_sync(-1, "x", &err), -1);
	assert_int_equal(io_sync_dir(-1, &err), -1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest renames[] = {
	    cmocka_unit_test(a_taken_name_stays),
	    cmocka_unit_test(a_free_name_is_taken),
	};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_up_to_the_ceiling_is_read),
	    cmocka_unit_test(what_was_in_the_buffer_stays_and_counts),
	    cmocka_unit_test(a_file_that_says_size_zero_is_read_all_the_same),
	    cmocka_unit_test(only_a_missing_file_is_absent),
	    cmocka_unit_test(folders_are_opened_not_followed),
	    cmocka_unit_test(signals_and_short_reads_lose_nothing),
	    cmocka_unit_test(reading_at_a_place),
	    cmocka_unit_test(modes_are_what_was_asked_whatever_the_umask),
	    cmocka_unit_test(a_new_file_never_touches_an_old_one),
	    cmocka_unit_test(a_write_that_fails_leaves_nothing),
	    cmocka_unit_test(a_full_disk_leaves_nothing),
	    cmocka_unit_test(replacing),
	    cmocka_unit_test(adding_replaces_nothing),
	    cmocka_unit_test(leftovers_do_not_stop_a_replacement),
	    cmocka_unit_test(a_reader_sees_old_or_new),
	    cmocka_unit_test(a_taken_name_stays),
	    cmocka_unit_test(a_free_name_is_taken),
	    cmocka_unit_test(the_same_where_the_kernel_cannot),
	    cmocka_unit_test(a_lock_is_held_once_and_dies_with_its_holder),
	    cmocka_unit_test(names_come_in_byte_order),
	    cmocka_unit_test(closing_reports),
	};

	if (argc > 1 && !strcmp(argv[1], "rename"))
		return cmocka_run_group_tests(renames, setup, teardown);
	return cmocka_run_group_tests(tests, setup, teardown);
}
