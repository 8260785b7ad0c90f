/* meta: what stat, getfattr, getfacl and lsattr say of a file stands in its entry. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "unit.h"
#include "base/buf.h"
#include "base/io.h"
#include "format/medium/catalog.h"
#include "format/medium/pax.h"
#include "lib/runs.h"
#include "write/source/holes.h"
#include "write/source/meta.h"
#include "write/source/walk.h"

static char top[64];
static int top_fd;
static struct meta *m;
static struct archive_entry *entry;

static int setup(void **state)
{
	(void)state;
	snprintf(
	    top, sizeof(top), "/var/tmp/bkp-meta.XXXXXX"); /* not a tmpfs, which has no user attributes */
	if (!mkdtemp(top) || chmod(top, 0755) || meta_new(&m, NULL) || !(entry = archive_entry_new()))
		return -1;
	top_fd = open(top, O_RDONLY | O_DIRECTORY);
	return top_fd < 0;
}

static int teardown(void **state)
{
	char command[200];
	(void)state;

	meta_free(m);
	archive_entry_free(entry);
	close(top_fd);
	snprintf(command, sizeof(command), "%s/lib/rmtree.sh %s", TEST_DATA, top);
	return system(command);
}

static void shell(const char *command)
{
	char line[2000];

	snprintf(line, sizeof(line), "cd %s && { %s; }", top, command);
	assert_int_equal(system(line), 0);
}

static struct walk_item item_of(int dirfd, const char *name)
{
	struct walk_item it = {.dirfd = dirfd, .name = name, .path = name};

	assert_int_equal(fstatat(dirfd, name, &it.st, AT_SYMLINK_NOFOLLOW), 0);
	return it;
}

static struct archive_entry *read_named(const char *name, struct meta_result *ret)
{
	struct walk_item it = item_of(top_fd, name);

	assert_int_equal(meta_read(m, &it, entry, ret, NULL), 0);
	return entry;
}

static const void *attribute(struct archive_entry *e, const char *name, size_t *ret_n)
{
	const char *other;
	const void *value;

	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &other, &value, ret_n) == ARCHIVE_OK)
		if (!strcmp(other, name))
			return value;
	return NULL;
}

static void a_regular_file_is_opened_once(void **state)
{
	struct meta_result r;
	struct archive_entry *e = entry;
	struct stat before, after;
	unsigned long set, clear;
	char content[5] = "";
	size_t n;
	(void)state;

	shell("printf data >f; setfattr -n user.a -v 1 f; setfattr -n user.empty f; setfattr -n "
	      "\"user.$(printf '\\351\\nx')\" -v 0x00ff f;"
	      " touch -d '1901-12-14 00:00:01.123456789 UTC' f; touch -a -d '2001-01-01' f; chmod 4751 f; "
	      "chattr +d f");
	assert_int_equal(fstatat(top_fd, "f", &before, 0), 0);
	e = read_named("f", &r);
	assert_int_equal(r.incomplete, 0);
	assert_int_equal(r.open_errno, 0);
	assert_int_equal(io_read_full(r.fd, content, 5), 4);
	assert_string_equal(content, "data");
	close(r.fd);
	assert_int_equal(r.st.st_ino, before.st_ino);
	assert_int_equal(archive_entry_mode(e), S_IFREG | 04751);
	assert_int_equal(archive_entry_mtime(e), before.st_mtim.tv_sec);
	assert_int_equal(archive_entry_mtime_nsec(e), 123456789);
	assert_string_equal(archive_entry_uname(e), geteuid() ? archive_entry_uname(e) : "root");
	assert_memory_equal(attribute(e, "user.a", &n), "1", 1);
	assert_non_null(attribute(e, "user.empty", &n));
	assert_int_equal(n, 0);
	assert_memory_equal(attribute(e, "user.\351\nx", &n), "\0\377", 2);
	archive_entry_fflags(e, &set, &clear);
	assert_int_equal(set, 0x40); /* nodump, and not ext4's own "extents" */
	assert_string_equal(archive_entry_fflags_text(e), "nodump");
	assert_int_equal(fstatat(top_fd, "f", &after, 0), 0);
	assert_memory_equal(
	    &after.st_atim, &before.st_atim, sizeof(after.st_atim)); /* read, and left no trace */
}

static void access_control_lists(void **state)
{
	struct meta_result r;
	struct archive_entry *e = entry;
	char *s;
	(void)state;

	if (geteuid())
		skip();
	shell("mkdir d; setfacl -n -m u::rwx,u:7:rx,u:0:-,g::r,g:1000000:rw,m::rwx,o::- d;"
	      "setfacl -d -n -m u::rwx,u:1234567890:r,g::-,m::r,o::rx d");
	e = read_named("d", &r);
	assert_int_equal(r.incomplete, 0);
	assert_int_equal(r.fd, -1); /* folders are the walk's */
	s = archive_entry_acl_to_text(e, NULL, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
	/* user 7 has a name or not, as the machine has it */
	assert_non_null(strstr(s, ":r-x"));
	assert_non_null(strstr(s, "group::r--\n"));
	assert_non_null(strstr(s, "group:1000000:rw-\n"));
	assert_non_null(strstr(s, "mask::rwx"));
	free(s);
	s = archive_entry_acl_to_text(e, NULL, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT);
	assert_string_equal(s, "user::rwx\nuser:1234567890:r--\ngroup::---\nmask::r--\nother::r-x");
	free(s);
	assert_int_equal(archive_entry_xattr_count(e), 0); /* not a second time as attributes */
	/* stat(2) shows the mask, 0770; the owning group had less */
	assert_int_equal(r.st.st_mode & 0777, 0770);
	assert_int_equal(pax_mode(e), 0740);

	/* an id that libarchive would turn into root's is left out, and said */
	shell("touch g; setfacl -n -m u:3000000000:rwx,u:5:r,m::rwx g");
	e = read_named("g", &r);
	close(r.fd);
	assert_int_equal(r.incomplete, EOVERFLOW);
	assert_string_equal(r.what, "system.posix_acl_access");
	s = archive_entry_acl_to_text(e, NULL, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
	assert_null(strstr(s, "rwx\nuser")); /* nobody but the owner */
	free(s);
}

static void things_that_are_not_opened(void **state)
{
	struct meta_result r;
	struct archive_entry *e = entry;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct walk_item it;
	char target[4096];
	int s;
	(void)state;

	/* a FIFO without a writer would hang us */
	shell("mkfifo p; ln -s nowhere l; ln -s / root");
	e = read_named("p", &r);
	assert_int_equal(archive_entry_filetype(e), AE_IFIFO);
	assert_int_equal(r.fd, -1);
	e = read_named("l", &r);
	assert_string_equal(archive_entry_symlink(e), "nowhere");
	e = read_named("root", &r);
	assert_int_equal(archive_entry_filetype(e), AE_IFLNK);
	assert_int_equal(r.st.st_ino != 2, 1);
	memset(target, 't', 4095);
	target[4095] = '\0';
	assert_int_equal(symlinkat(target, top_fd, "longest"), 0);
	e = read_named("longest", &r);
	assert_string_equal(archive_entry_symlink(e), target);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/sock", top);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	close(s);
	it = item_of(top_fd, "sock");
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), META_VANISHED);
	if (geteuid())
		return;
	shell("mknod c c 4095 1048575; setfattr -h -n trusted.t -v x l; setfattr -n trusted.t -v y c;"
	      "setfattr -n trusted.t -v z p; setfacl -n -m u:5:rw,m::rw p");
	e = read_named("c", &r);
	assert_int_equal(archive_entry_rdevmajor(e), 4095);
	assert_int_equal(archive_entry_rdevminor(e), 1048575);
	assert_int_equal(archive_entry_xattr_count(e), 1);
	e = read_named("l", &r);
	assert_int_equal(archive_entry_xattr_count(e), 1);
	e = read_named("p", &r);
	assert_int_equal(archive_entry_xattr_count(e), 1);
	assert_int_equal(archive_entry_acl_count(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) > 3, 1);
}

static void what_takes_a_files_place_meanwhile(void **state)
{
	struct meta_result r;
	struct archive_entry *e = entry;
	struct walk_item it;
	(void)state;

	shell("touch a b c d e g; mkdir f");
	it = item_of(top_fd, "a");
	shell("rm a");
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), META_VANISHED);
	it = item_of(top_fd, "b");
	shell("rm b; mkfifo b"); /* would hang if it were opened */
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), 0);
	assert_int_equal(archive_entry_filetype(e), AE_IFIFO);
	it = item_of(top_fd, "c");
	shell("rm c; ln -s /etc/passwd c");
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), 0);
	assert_int_equal(archive_entry_filetype(e), AE_IFLNK);
	assert_int_equal(r.fd, -1);
	it = item_of(top_fd, "d");
	shell("rm d; mkdir d; touch d/x"); /* d/x is not walked: the catalog must not call d whole */
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), 0);
	assert_int_equal(archive_entry_filetype(e), AE_IFDIR);
	assert_int_equal(r.open_errno, ESTALE);
	it = item_of(top_fd, "e");
	shell("rm e; printf new >e");
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), 0);
	assert_int_equal(archive_entry_size(e), 3); /* of what was opened */
	close(r.fd);
	it = item_of(top_fd, "f");
	shell("rmdir f; printf file >f");
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), 0);
	assert_int_equal(archive_entry_filetype(e), AE_IFREG);
	close(r.fd);
	it = item_of(top_fd, "g");
	memset(&it.st, 0, sizeof(it.st));
	it.error = EIO;
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), META_UNREADABLE);
	assert_int_equal(r.open_errno, EIO);
}

static void without_permission(void **state)
{
	struct meta_result r;
	struct archive_entry *e = entry;
	(void)state;

	if (geteuid())
		skip();
	shell("printf x >f; setfattr -n user.a -v 1 f; chmod 0 f; chown 4294967294:4294967294 f");
	assert_int_equal(seteuid(65534), 0);
	e = read_named("f", &r);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(r.fd, -1);
	assert_int_equal(r.open_errno, EACCES);
	assert_int_equal(r.incomplete, EACCES);
	assert_string_equal(r.what, "user.a");
	assert_int_equal(archive_entry_uid(e), 4294967294);
	assert_int_equal(archive_entry_gid(e), 4294967294);
	assert_null(archive_entry_uname(e));
}

static void beyond_path_max(void **state)
{
	struct meta_result r;
	struct archive_entry *e = entry;
	struct walk_item it;
	char name[256];
	size_t n;
	int fd = dup(top_fd);
	(void)state;

	memset(name, 'n', 255);
	name[255] = '\0';
	for (int i = 0; i < 40; i++) {
		int next;

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	assert_int_equal(symlinkat("target", fd, "l"), 0);
	{
		int f = openat(fd, name, O_CREAT | O_WRONLY, 0600);

		assert_int_equal(fsetxattr(f, "user.deep", "1", 1, 0), 0);
		close(f);
	}
	it = item_of(fd, name);
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), 0);
	assert_memory_equal(attribute(e, "user.deep", &n), "1", 1);
	close(r.fd);
	it = item_of(fd, "l");
	assert_int_equal(meta_read(m, &it, entry, &r, NULL), 0);
	assert_string_equal(archive_entry_symlink(e), "target");
	close(fd);
}

/* The block of the same files is the same bytes whatever the language of the environment, and twice. */
static void same_bytes_in_every_language(void **state)
{
	static const char *langs[] = {"C", "C", "ja_JP.UTF-8", "ja_JP.EUC-JP", "C.UTF-8"};
	static const char *names[] = {"\x8a\xb3\x8e\xd2", "\xe6\x82\xa3\xe8\x80\x85"};
	BUF_AUTO first = BUF_INIT((size_t)1 << 20);
	(void)state;

	for (int i = 0; i < 2; i++) {
		int f = openat(top_fd, names[i], O_CREAT | O_WRONLY, 0600);

		assert_int_equal(fsetxattr(f, "user.z", "1", 1, 0), 0);
		assert_int_equal(fsetxattr(f, "user.\xe6\x82\xa3", "1", 1, 0), 0);
		close(f);
	}
	for (size_t i = 0; i < sizeof(langs) / sizeof(*langs); i++) {
		BUF_AUTO block = BUF_INIT((size_t)1 << 20);
		struct catalog_writer *w;

		setenv("LANG", langs[i], 1);
		setenv("LC_ALL", langs[i], 1);
		assert_int_equal(catalog_writer_new(&w, NULL), 0);
		for (int k = 0; k < 2; k++) {
			struct meta_result r;
			struct archive_entry *e = read_named(names[k], &r);

			close(r.fd);
			archive_entry_copy_pathname(e, names[k]);
			assert_int_equal(catalog_writer_add(w, e, "0", 1, runs_sha256, 0, NULL), 0);
		}
		assert_int_equal(catalog_writer_finish(w, i ? &block : &first, NULL), 0);
		catalog_writer_free(w);
		if (i) {
			assert_int_equal(block.n, first.n);
			assert_memory_equal(block.p, first.p, first.n);
		}
	}
	unsetenv("LC_ALL");
}

static void holes_are_found(void **state)
{
	static const struct {
		const char *make;
		const char *want;
	} cases[] = {{"truncate -s 0 h", ""}, {"printf x >h", "d1 "}, {"truncate -s 16G h", "h17179869184 "},
	    {"truncate -s 1M h; dd if=/dev/urandom of=h bs=64K count=1 seek=4 conv=notrunc status=none",
		"h262144 d65536 h720896 "},
	    {"dd if=/dev/urandom of=h bs=64K count=1 status=none; truncate -s 1M h", "d65536 h983040 "},
	    {"dd if=/dev/urandom of=h bs=64K count=1 seek=1 status=none", "h65536 d65536 "},
	    {"dd if=/dev/zero of=h bs=64K count=2 status=none", "d131072 "}};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char got[200] = "", command[300];
		struct holes_part part;
		struct holes h;
		struct stat st;
		int fd;

		snprintf(command, sizeof(command), "rm -f h; %s; sync h", cases[i].make);
		shell(command);
		fd = openat(top_fd, "h", O_RDONLY);
		fstat(fd, &st);
		holes_begin(&h, fd, (uint64_t)st.st_size);
		while (!holes_next(&h, &part, NULL))
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%c%llu ",
			    part.kind == HOLES_DATA ? 'd' : 'h', (unsigned long long)part.length);
		assert_string_equal(got, cases[i].want);
		close(fd);
	}
	/* a file system that cannot tell */
	{
		struct holes_part part;
		struct holes h;
		int fd = open("/proc/self/status", O_RDONLY);

		holes_begin(&h, fd, 1000);
		assert_int_equal(holes_next(&h, &part, NULL), 0);
		assert_int_equal(part.kind, HOLES_DATA);
		assert_int_equal(part.length, 1000);
		assert_int_equal(holes_next(&h, &part, NULL), HOLES_END);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_regular_file_is_opened_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(access_control_lists, setup, teardown),
	    cmocka_unit_test_setup_teardown(things_that_are_not_opened, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_takes_a_files_place_meanwhile, setup, teardown),
	    cmocka_unit_test_setup_teardown(without_permission, setup, teardown),
	    cmocka_unit_test_setup_teardown(beyond_path_max, setup, teardown),
	    cmocka_unit_test_setup_teardown(same_bytes_in_every_language, setup, teardown),
	    cmocka_unit_test_setup_teardown(holes_are_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
