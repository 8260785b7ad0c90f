/* walk: everything below a root, in order, whatever the tree looks like. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "base/err.h"
#include "base/path.h"
#include "format/config/exclude.h"
#include "write/source/walk.h"

static char top[64];
static int scratch;

static int setup(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/bkp-walk.XXXXXX");
	if (!mkdtemp(top) || chmod(top, 0755))
		return -1;
	scratch = open("/tmp", O_RDONLY | O_DIRECTORY);
	return scratch < 0;
}

static int teardown(void **state)
{
	char command[200];
	(void)state;

	close(scratch);
	snprintf(command, sizeof(command), "%s/lib/rmtree.sh %s", TEST_DATA, top);
	return system(command);
}

static void make_file(const char *path)
{
	char full[5000];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", top, path);
	fd = open(full, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0);
	close(fd);
}

static void make_dir(const char *path)
{
	char full[5000];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static size_t open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

struct seen {
	size_t count, errors, mounts, most_fds;
	char list[2000];
	int error;
};

/* Walks, checks what must hold of every item, and gives the names in one line. */
static int walk_all(const char *root, const struct walk_options *opt, struct seen *s, struct err *err)
{
	size_t before = open_descriptors();
	struct walk_item it;
	struct walk *w;
	char *last = NULL;
	int r;

	memset(s, 0, sizeof(*s));
	if (walk_open(root, opt, &w, err))
		return -1;
	while (!(r = walk_next(w, &it, err))) {
		struct stat st;

		s->count++;
		if (last && path_compare(last, it.path) >= 0)
			fail_msg("'%s' before '%s'", last, it.path);
		free(last);
		last = strdup(it.path);
		assert_int_equal(fstatat(it.dirfd, it.name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_ino, it.st.st_ino);
		assert_string_equal(
		    *it.path ? (strrchr(it.path, '/') ? strrchr(it.path, '/') + 1 : it.path) : ".", it.name);
		s->errors += it.error != 0;
		s->error = it.error ? it.error : s->error;
		s->mounts += it.mount;
		if (s->count % 64 == 0) {
			size_t now = open_descriptors();

			s->most_fds = now - before > s->most_fds ? now - before : s->most_fds;
		}
		if (strlen(it.path) > strlen(root) &&
		    strlen(s->list) + strlen(it.path) < sizeof(s->list) - 2) {
			strcat(s->list, it.path + strlen(root));
			strcat(s->list, " ");
		}
	}
	free(last);
	walk_close(w);
	assert_int_equal(open_descriptors(), before);
	return r == WALK_END ? 0 : -1;
}

static void the_order_is_the_catalogs(void **state)
{
	struct walk_options opt = {.scratch_dir = scratch};
	struct seen s;
	struct err err = ERR_INIT;
	char path[200];
	(void)state;

	make_dir("a");
	make_file("a!b");
	make_file("a/z");
	make_dir("a/b");
	make_file("a/b/c");
	make_file("a/b!");
	make_file("a\xff");
	make_file("b");
	snprintf(path, sizeof(path), "%s/c", top);
	assert_int_equal(symlink("a", path), 0);
	assert_int_equal(walk_all(top, &opt, &s, &err), 0);
	assert_string_equal(s.list, "a a/b a/b/c a/b! a/z a!b a\xff b c ");
	assert_int_equal(s.count, 10); /* with the root */

	/* a slash behind, a link among the parents, a link as the root, a file as the root */
	snprintf(path, sizeof(path), "%s/", top);
	assert_int_equal(walk_all(path, &opt, &s, &err), 0);
	assert_int_equal(s.count, 10);
	snprintf(path, sizeof(path), "%s/c/b", top);
	assert_int_equal(walk_all(path, &opt, &s, &err), 0);
	assert_string_equal(s.list, "c ");
	snprintf(path, sizeof(path), "%s/c", top);
	assert_int_equal(walk_all(path, &opt, &s, &err), 0);
	assert_int_equal(s.count, 1);
	snprintf(path, sizeof(path), "%s/b", top);
	assert_int_equal(walk_all(path, &opt, &s, &err), 0);
	assert_int_equal(s.count, 1);
}

static void roots_that_are_not_there(void **state)
{
	static const char *bad[] = {
	    "", "relative", "/nowhere/at/all", "/tmp/../etc", "/tmp//x", "/etc/passwd/x"};
	struct walk_options opt = {.scratch_dir = scratch};
	struct walk *w;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(walk_open(bad[i], &opt, &w, &err), -1);
		assert_string_equal(err.code, "E-WALK-01");
	}
}

static void the_whole_file_system_begins(void **state)
{
	struct walk_options opt = {.scratch_dir = scratch};
	struct walk_item it;
	struct walk *w;
	(void)state;

	assert_int_equal(walk_open("/", &opt, &w, NULL), 0);
	assert_int_equal(walk_next(w, &it, NULL), 0);
	assert_string_equal(it.path, "");
	assert_string_equal(it.name, ".");
	assert_true(S_ISDIR(it.st.st_mode));
	assert_int_equal(walk_next(w, &it, NULL), 0);
	assert_null(strchr(it.path, '/'));
	walk_close(w);
}

static void excluded_is_not_even_entered(void **state)
{
	char pattern[] = "skip", pattern2[] = "only-folders/";
	char *patterns[] = {pattern, pattern2}, *roots[] = {top};
	struct exclude *x;
	struct seen s;
	struct err err = ERR_INIT;
	(void)state;

	make_dir("a");
	make_dir("a/skip");
	make_file("a/skip/x");
	make_dir("only-folders");
	make_file("only-folders/y");
	make_dir("b");
	make_file("b/only-folders");
	x = exclude_new(patterns, 2, roots, 1, &err);
	assert_non_null(x);
	assert_int_equal(
	    walk_all(top, &(struct walk_options){.exclude = x, .scratch_dir = scratch}, &s, &err), 0);
	assert_string_equal(s.list, "a b b/only-folders ");
	exclude_free(x);
}

/* Folders d/d/d/… and a file in each, made by descriptor. */
static void make_deep(size_t depth, const char *name)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < depth; i++) {
		int next, file = openat(fd, "~file", O_WRONLY | O_CREAT, 0644);

		assert_true(file >= 0);
		close(file);
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

static void very_deep_with_few_descriptors(void **state)
{
	struct walk_options opt = {.scratch_dir = scratch, .names_max = 4096};
	char name[200];
	struct seen s;
	struct err err = ERR_INIT;
	(void)state;

	make_deep(4096, "d");
	memset(name, 'n', 199);
	name[199] = '\0';
	make_deep(200, name); /* beside it, 40,000 bytes of path */
	if (walk_all(top, &opt, &s, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(s.count, 1 + 2 * 4096 + 2 * 200 - 1); /* "~file" at the top is one */
	assert_true(s.most_fds > 10 && s.most_fds <= 64);
	print_message("depth 4096: at most %zu descriptors\n", s.most_fds);
}

static void large_folders_are_sorted_on_disk(void **state)
{
	char path[200];
	struct seen s;
	struct err err = ERR_INIT;
	uint32_t x = 1;
	(void)state;

	for (int i = 0; i < 20000; i++) {
		x = x * 1103515245 + 12345;
		snprintf(path, sizeof(path), "%08x%.*s%05d", x, (int)(x >> 8 & 127),
		    "a name of any length, padded with some text "
		    "so that runs are cut at many places and "
		    "windows end inside names, all of them",
		    i);
		for (char *p = path; *p; p++)
			*p = *p == ' ' && x & 1 ? '\n' : *p;
		make_file(path);
	}
	make_dir("0");
	make_file("0/x");
	for (size_t max = 1024; max <= (size_t)64 << 20; max *= 64) {
		assert_int_equal(
		    walk_all(top, &(struct walk_options){.scratch_dir = scratch, .names_max = max}, &s, &err),
		    0);
		assert_int_equal(s.count, 20003);
	}
	/* a scratch folder that cannot be written to ends the walk, with what to do */
	assert_int_equal(
	    walk_all(top, &(struct walk_options){.scratch_dir = -1, .names_max = 1024}, &s, &err), -1);
	assert_string_equal(err.code, "E-SORT-01");
	assert_true(err.hint[0]);
}

static void folders_that_cannot_be_read_are_told(void **state)
{
	struct walk_options opt = {.scratch_dir = scratch};
	struct seen s;
	struct err err = ERR_INIT;
	char path[200];
	(void)state;

	if (geteuid())
		skip();
	make_dir("closed");
	make_file("closed/x");
	make_dir("listable");
	make_file("listable/x");
	make_dir("open");
	make_file("open/x");
	snprintf(path, sizeof(path), "%s/closed", top);
	assert_int_equal(chmod(path, 0), 0);
	snprintf(path, sizeof(path), "%s/listable", top);
	assert_int_equal(chmod(path, 0744), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(walk_all(top, &opt, &s, &err), 0);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(s.list, "closed listable open open/x ");
	assert_int_equal(s.errors, 2);
	assert_int_equal(s.error, EACCES);
}

static void mounts_are_told_and_left_out(void **state)
{
	struct seen s;
	struct err err = ERR_INIT;
	char path[200], file[250];
	(void)state;

	make_dir("m");
	make_dir("n");
	snprintf(path, sizeof(path), "%s/m", top);
	if (mount("none", path, "tmpfs", 0, NULL))
		skip();
	snprintf(file, sizeof(file), "%s/m/x", top);
	close(open(file, O_CREAT | O_WRONLY, 0644));
	assert_int_equal(walk_all(top, &(struct walk_options){.scratch_dir = scratch}, &s, &err), 0);
	assert_string_equal(s.list, "m n ");
	assert_int_equal(s.mounts, 1);
	assert_int_equal(
	    walk_all(top, &(struct walk_options){.scratch_dir = scratch, .cross_mounts = true}, &s, &err), 0);
	assert_string_equal(s.list, "m m/x n ");
	assert_int_equal(s.mounts, 0);
	assert_int_equal(walk_all(path, &(struct walk_options){.scratch_dir = scratch}, &s, &err), 0);
	assert_string_equal(s.list, "x "); /* the root may be a mount point */
	umount(path);
	/* a bind mount of the same file system has no device of its own */
	snprintf(file, sizeof(file), "%s/n", top);
	make_file("n/inside");
	if (!mount(file, path, NULL, MS_BIND, NULL)) {
		assert_int_equal(walk_all(top, &(struct walk_options){.scratch_dir = scratch}, &s, &err), 0);
		assert_string_equal(s.list, "m n n/inside ");
		umount(path);
	}
}

struct move {
	const char *from, *to; /* to NULL: removed */
};

static void move_each(const struct move *m, size_t n)
{
	char a[5000], b[5000];

	for (size_t i = 0; i < n; i++) {
		snprintf(a, sizeof(a), "%s/%s", top, m[i].from);
		snprintf(b, sizeof(b), "%s/%s", top, m[i].to ? m[i].to : "");
		assert_int_equal(m[i].to ? rename(a, b) : unlink(a), 0);
	}
}

/* Walks; when `at` is looked at, the moves are made. */
static int walk_and_move(const char *at, const struct move *m, size_t n, size_t *ret_count, struct err *err)
{
	struct walk_options opt = {.scratch_dir = scratch};
	struct walk_item it;
	struct walk *w;
	bool done = false;
	int r;

	*ret_count = 0;
	assert_int_equal(walk_open(top, &opt, &w, err), 0);
	while (!(r = walk_next(w, &it, err))) {
		++*ret_count;
		if (strlen(it.path) <= strlen(top) || strcmp(it.path + strlen(top), at) != 0)
			continue;
		move_each(m, n);
		done = true;
	}
	walk_close(w);
	assert_true(done);
	return r == WALK_END ? 0 : -1;
}

static void things_that_move_meanwhile(void **state)
{
	static const struct move remove_b = {"b", NULL}, move_a = {"a", "z/a"};
	struct err err = ERR_INIT;
	size_t count;
	(void)state;

	make_dir("a");
	make_file("a/x");
	make_file("b");
	make_file("c");
	make_dir("z");
	assert_int_equal(walk_and_move("a", &remove_b, 1, &count, &err), 0);
	assert_int_equal(count, 5); /* without b */
	assert_int_equal(walk_and_move("a", &move_a, 1, &count, &err), 0);
	assert_int_equal(count, 7); /* a and a/x at both of their places: nothing is lost */
}

static void moved_while_far_below(void **state)
{
	static const struct move aside = {"m/d/d/d/d/d/d", "away/d"};
	static const struct move lost[] = {{"m/d/d", "away/x"}, {"away/x/d/d/d/e", "gone"}};
	struct err err = ERR_INIT;
	char deep[300] = "m", deeper[300] = "m/d/d/d/d/d/e";
	size_t count;
	(void)state;

	make_dir("away");
	make_dir("m");
	for (int i = 0; i < 60; i++)
		make_dir(strcat(deep, "/d"));
	make_file("m/d/d/d/d/d/later");
	make_file("z");
	/* further down than folders are kept open: ".." leads astray, but by name the way back is found */
	assert_int_equal(walk_and_move(deep, &aside, 1, &count, &err), 0);
	assert_int_equal(count, 65);
	/* when that way is gone too, names would be missed: the walk ends rather than say nothing */
	for (int i = 0; i < 54; i++)
		strcat(deeper, "/d");
	{
		char a[200], b[200];

		snprintf(a, sizeof(a), "%s/away/d", top);
		snprintf(b, sizeof(b), "%s/m/d/d/d/d/d/e", top);
		assert_int_equal(rename(a, b), 0);
	}
	assert_int_equal(walk_and_move(deeper, lost, 2, &count, &err), -1);
	assert_string_equal(err.code, "E-WALK-02");
	assert_non_null(strstr(err.msg, "moved away"));
}

/* ---- renamed ---- */

static uint64_t inode_of(const char *path)
{
	char full[5000];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", top, path);
	assert_int_equal(lstat(full, &st), 0);
	return st.st_ino;
}

/* Walks as who reads what he is given does: by the name, or where walk_seek() says that it is now.  Then the
 * paths, and the inode of `watched`, 0: it was not yielded, or it is gone again. */
static void walk_and_follow(const struct walk_options *opt, const char *at, void (*change)(void),
    const char *watched, char *list, size_t size, uint64_t *ret_inode)
{
	size_t n = strlen(top), before = open_descriptors();
	struct err err = ERR_INIT;
	struct walk_item it;
	struct stat st;
	struct walk *w;
	int r;

	*ret_inode = 0;
	*list = '\0';
	assert_int_equal(walk_open(top, opt, &w, &err), 0);
	while (!(r = walk_next(w, &it, &err))) {
		const char *path = strlen(it.path) > n ? it.path + n : "";

		if (!strcmp(path, at))
			change();
		assert_true(strlen(list) + strlen(path) + 3 < size);
		sprintf(list + strlen(list), "%s%s ", path, it.error == ESTALE && !it.st.st_mode ? "!" : "");
		if (!it.st.st_mode)
			continue;
		if (fstatat(it.dirfd, it.name, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != it.st.st_ino) {
			r = walk_seek(w, &it, &err);
			if (r == WALK_GONE)
				continue;
			assert_int_equal(r, 0);
			assert_int_equal(fstatat(it.dirfd, it.name, &st, AT_SYMLINK_NOFOLLOW), 0);
			assert_int_equal(st.st_ino, it.st.st_ino);
		}
		if (!strcmp(path, watched))
			*ret_inode = it.st.st_ino;
	}
	if (r != WALK_END)
		fail_msg("%s", err.msg);
	walk_close(w);
	assert_int_equal(open_descriptors(), before);
}

/* So that what comes later was born later, as the file system's clock tells it. */
static void let_time_pass(void)
{
	usleep(30000);
}

static void rename_some(void)
{
	static const struct move m[] = {{"b", "0"}, {"c", "zz"}, {"d", "d.was"}, {"e", "e.was"}, {"f", NULL}};

	let_time_pass();
	move_each(m, sizeof(m) / sizeof(*m));
	make_file("e");	 /* another one has its name, and perhaps another's inode */
	make_file("a!"); /* what is new comes with the next walk */
}

static void renamed_are_given_as_they_were_listed(void **state)
{
	const struct walk_options options[] = {{.scratch_dir = scratch},
	    {.scratch_dir = scratch, .names_max = 1024}, {.scratch_dir = scratch, .helpers = 2}};
	uint64_t inode, want;
	char list[8000];
	(void)state;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		char path[100], others[8000] = "";

		make_file("a");
		make_file("b");
		make_file("c");
		make_dir("d");
		make_file("d/x");
		make_file("e");
		make_file("f");
		for (int k = 0; k < 100;
		     k++) { /* so many that helpers begin, or that they are sorted on disk */
			snprintf(path, sizeof(path), "m-and-some-more-of-it-%03d", k);
			make_file(path);
			sprintf(others + strlen(others), "%s ", path);
		}
		want = inode_of("e");
		let_time_pass();
		walk_and_follow(&options[i], "a", rename_some, "e", list, sizeof(list), &inode);
		assert_int_equal(inode, want);
		assert_true(!strncmp(list, " a b c d d/x e ", 15));
		assert_string_equal(
		    strstr(list, "m-"), others); /* the deleted one may have been seen before */
		assert_true(i == 2 || !strstr(list, " f "));
		teardown(NULL);
		assert_int_equal(setup(NULL), 0);
	}
}

static void replace_folder(void)
{
	static const struct move m[] = {{"p", "p.was"}};

	move_each(m, 1);
	make_dir("p");
	make_file("p/new");
}

static void a_folder_whose_place_is_taken(void **state)
{
	struct walk_options opt = {.scratch_dir = scratch};
	uint64_t inode, want;
	char list[200];
	(void)state;

	make_file("a");
	make_dir("p");
	make_file("p/x");
	want = inode_of("p/x");
	let_time_pass();
	walk_and_follow(&opt, "a", replace_folder, "p/x", list, sizeof(list), &inode);
	assert_int_equal(inode, want);
	assert_string_equal(list, " a p p/x ");
}

#define MANY 4000

static void delete_many(void)
{
	static const struct move m[] = {{"z/z-moved", "z/0"}};
	char path[100];

	for (int i = 1; i < 200; i++) {
		snprintf(path, sizeof(path), "%s/z/%04d", top, i);
		assert_int_equal(unlink(path), 0);
	}
	move_each(m, 1);
}

static void put_back(void)
{
	static const struct move m[] = {{"z/z-moved", NULL}};
	char path[100];

	for (int i = 1; i < 200; i++) {
		snprintf(path, sizeof(path), "%s/z/%04d", top, i);
		assert_int_equal(unlink(path), 0);
	}
	move_each(m, 1);
}

/* The search for each has an end; whether one is still there is found out at the end of the folder. */
static void very_many_missing(void **state)
{
	static char list[MANY * 10];
	struct walk_options opt = {.scratch_dir = scratch};
	uint64_t inode;
	char path[100];
	(void)state;

	for (int round = 0; round < 2; round++) {
		make_dir("z");
		for (int i = 0; i < MANY; i++) {
			snprintf(path, sizeof(path), "z/%04d", i);
			make_file(path);
		}
		make_file("z/z-moved");
		make_file("zz");
		let_time_pass();
		opt.helpers = round ? 2 : 0;
		walk_and_follow(&opt, "z/0000", delete_many, "z/z-moved", list, sizeof(list), &inode);
		assert_true(inode || strstr(list, " z/3999 z! zz "));
		assert_true(round || !inode);
		teardown(NULL);
		assert_int_equal(setup(NULL), 0);
	}
	/* all of them are gone: not a word */
	make_dir("z");
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "z/%04d", i);
		make_file(path);
	}
	make_file("z/z-moved");
	let_time_pass();
	opt.helpers = 0;
	walk_and_follow(&opt, "z/0000", put_back, "z/z-moved", list, sizeof(list), &inode);
	assert_null(strchr(list, '!'));
}

/* ---- helpers ---- */

static uint32_t random_state = 7;

static unsigned rnd(unsigned n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % n;
}

/* Wide, deep, large, and empty folders. */
static void make_wide(void)
{
	char path[4000];

	for (unsigned i = 0; i < 150; i++) {
		snprintf(path, sizeof(path), "p%03u", i);
		make_dir(path);
		for (unsigned k = rnd(i % 10 ? 5 : 300); k-- > 0;) {
			snprintf(path, sizeof(path), "p%03u/%u", i, k);
			make_dir(path);
			for (unsigned j = rnd(4); j-- > 0;) {
				snprintf(path, sizeof(path), "p%03u/%u/f%u.hl7", i, k, j);
				make_file(path);
			}
		}
	}
	for (unsigned i = 0; i < 2500; i++) {
		snprintf(path, sizeof(path), "p077/many%u", i);
		make_file(path);
	}
	snprintf(path, sizeof(path), "p055/deep");
	for (unsigned i = 0; i < 80; i++) {
		make_dir(path);
		strcat(path, "/x");
		make_file(path);
		strcpy(strrchr(path, '/'), "/d");
	}
}

struct listed {
	char *text;
	size_t n, cap, most_fds;
};

static void list_add(struct listed *l, const char *line)
{
	size_t n = strlen(line);

	if (l->n + n + 1 > l->cap) {
		l->cap = 2 * l->cap + n + 4096;
		l->text = realloc(l->text, l->cap);
		assert_non_null(l->text);
	}
	memcpy(l->text + l->n, line, n + 1);
	l->n += n;
}

/* Everything that the walk says, as text; items in the order given, each opened by its descriptor. */
static void list_walk(const struct walk_options *opt, struct listed *l)
{
	struct err err = ERR_INIT;
	struct walk_item it;
	struct walk *w;
	char line[6000];
	int r;

	memset(l, 0, sizeof(*l));
	assert_int_equal(walk_open(top, opt, &w, &err), 0);
	while (!(r = walk_next(w, &it, &err))) {
		struct stat st;

		assert_int_equal(fstatat(it.dirfd, it.name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_ino, it.st.st_ino);
		snprintf(line, sizeof(line), "%s %s %ju %o %ju %ju %ju %ju.%09ld %ju.%09ld %ju %d %d\n",
		    it.path, it.name, (uintmax_t)it.st.st_ino, it.st.st_mode, (uintmax_t)it.st.st_size,
		    (uintmax_t)it.st.st_nlink, (uintmax_t)it.st.st_dev, (uintmax_t)it.st.st_mtim.tv_sec,
		    it.st.st_mtim.tv_nsec, (uintmax_t)it.st.st_ctim.tv_sec, it.st.st_ctim.tv_nsec,
		    (uintmax_t)it.st.st_uid, it.error, it.mount);
		list_add(l, line);
		if (rnd(50) == 0) {
			size_t fds = open_descriptors();

			l->most_fds = fds > l->most_fds ? fds : l->most_fds;
		}
	}
	if (r != WALK_END)
		fail_msg("%s", err.msg);
	walk_close(w);
}

static void helpers_change_nothing(void **state)
{
	char skipped[] = "f1.hl7", below[] = "1*/";
	char *patterns[] = {skipped, below}, *roots[] = {top};
	struct exclude *x = exclude_new(patterns, 2, roots, 1, NULL);
	struct listed alone, with;
	size_t before = open_descriptors(), most = 0;
	(void)state;

	make_wide();
	for (unsigned i = 0; i < 10; i++) {
		struct walk_options opt = {
		    .scratch_dir = scratch, .exclude = i % 2 ? x : NULL, .names_max = i % 3 == 0 ? 4096 : 0};

		list_walk(&opt, &alone);
		opt.helpers = 1 + i % 4;
		list_walk(&opt, &with);
		assert_string_equal(alone.text, with.text);
		assert_true(alone.n > 10000 && alone.most_fds < before + 40);
		most = with.most_fds > most ? with.most_fds : most;
		free(alone.text);
		free(with.text);
	}
	exclude_free(x);
	assert_int_equal(open_descriptors(), before);
	assert_true(most < before + 40 + 256);
	print_message("with helpers at most %zu descriptors\n", most);
}

static void closed_at_any_time(void **state)
{
	size_t before = open_descriptors();
	(void)state;

	make_wide();
	for (unsigned i = 0; i < 16; i++) {
		struct walk_options opt = {.scratch_dir = scratch, .helpers = 1 + i % 3};
		struct walk_item it;
		struct walk *w;

		assert_int_equal(walk_open(top, &opt, &w, NULL), 0);
		for (unsigned k = rnd(i % 2 ? 6000 : 300); k-- > 0;)
			if (walk_next(w, &it, NULL))
				break;
		if (i == 8)
			sleep(2); /* what was looked at ahead is too old now */
		if (i == 8)
			assert_int_equal(walk_next(w, &it, NULL) < 0, 0);
		walk_close(w);
		assert_int_equal(open_descriptors(), before);
	}
}

struct meddling {
	pthread_t thread;
	atomic_bool stop;
};

/* Makes, moves and removes beside the walk; what begins with p0 is left alone. */
static void *meddle(void *arg)
{
	struct meddling *m = arg;
	uint32_t x = 1;

	while (!atomic_load(&m->stop)) {
		char a[200], b[200];
		unsigned i, k;

		x = x * 1103515245 + 12345;
		i = 100 + (x >> 8) % 50;
		k = (x >> 16) % 6;
		snprintf(a, sizeof(a), "%s/p%03u/%u", top, i, k);
		snprintf(b, sizeof(b), "%s/p%03u/%u", top, 100 + (x >> 20) % 50, k + 1);
		switch ((x >> 24) % 4) {
		case 0:
			(void)!rename(a, b);
			break;
		case 1:
			(void)!rmdir(a);
			break;
		case 2:
			(void)!mkdir(b, 0755);
			break;
		default:
			(void)!unlink(a);
			close(open(a, O_CREAT | O_WRONLY, 0644));
		}
	}
	return NULL;
}

static void things_change_beside_helpers(void **state)
{
	struct meddling m;
	size_t want = 0;
	(void)state;

	make_wide();
	atomic_init(&m.stop, false);
	assert_int_equal(pthread_create(&m.thread, NULL, meddle, &m), 0);
	for (unsigned i = 0; i < 16; i++) {
		struct walk_options opt = {.scratch_dir = scratch, .helpers = i % 4};
		struct err err = ERR_INIT;
		size_t n = strlen(top), stable = 0;
		struct walk_item it;
		char last[6000] = "";
		struct walk *w;
		int r;

		assert_int_equal(walk_open(top, &opt, &w, &err), 0);
		while (!(r = walk_next(w, &it, &err))) {
			assert_true(path_compare(last, it.path) < 0);
			snprintf(last, sizeof(last), "%s", it.path);
			stable += strlen(it.path) > n && !strncmp(it.path + n, "p0", 2);
		}
		if (r != WALK_END)
			fail_msg("%s", err.msg);
		walk_close(w);
		want = want ? want : stable;
		assert_int_equal(stable, want);
	}
	atomic_store(&m.stop, true);
	pthread_join(m.thread, NULL);
	assert_true(want > 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_order_is_the_catalogs, setup, teardown),
	    cmocka_unit_test_setup_teardown(roots_that_are_not_there, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_whole_file_system_begins, setup, teardown),
	    cmocka_unit_test_setup_teardown(excluded_is_not_even_entered, setup, teardown),
	    cmocka_unit_test_setup_teardown(very_deep_with_few_descriptors, setup, teardown),
	    cmocka_unit_test_setup_teardown(large_folders_are_sorted_on_disk, setup, teardown),
	    cmocka_unit_test_setup_teardown(folders_that_cannot_be_read_are_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(mounts_are_told_and_left_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(things_that_move_meanwhile, setup, teardown),
	    cmocka_unit_test_setup_teardown(moved_while_far_below, setup, teardown),
	    cmocka_unit_test_setup_teardown(renamed_are_given_as_they_were_listed, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_folder_whose_place_is_taken, setup, teardown),
	    cmocka_unit_test_setup_teardown(very_many_missing, setup, teardown),
	    cmocka_unit_test_setup_teardown(helpers_change_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(closed_at_any_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(things_change_beside_helpers, setup, teardown),
	};

	cmocka_set_skip_filter(getenv("BKP_TEST_SKIP"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
