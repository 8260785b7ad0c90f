/* disk, disk_mount: loop devices; losetup, blkid, blockdev and sha256sum judge. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "write/disk/disk.h"
#include "write/disk/disk_mount.h"

static char id[40]; /* of this process: another test of this kind may run beside it */
static struct disk_room room;

/* The device that losetup named in the file. */
static bool find(const char *uuid, struct disk *ret)
{
	struct disk *all = NULL;
	size_t n = 0;
	bool found = false;

	assert_int_equal(disk_scan(&all, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].uuid, uuid)) {
			*ret = all[i];
			found = true;
		}
	free(all);
	return found;
}

static void words_of_strangers_are_escaped(void **state)
{
	struct disk d = {.node = "/dev/sdb1",
	    .size = 4000000000000,
	    .maker = "ACME\033[2J",
	    .kind = "ext4",
	    .label = "\xff\n' x"};
	char out[DISK_WORDS];

	(void)state;
	disk_words(&d, out);
	assert_non_null(strstr(out, "/dev/sdb1 (4.0 TB, ACME"));
	for (const char *s = out; *s; s++)
		assert_true((unsigned char)*s >= ' ' && (unsigned char)*s < 0x7f);
	memset(d.maker, 'x', sizeof(d.maker) - 1);
	memset(d.label, '\n', sizeof(d.label) - 1);
	assert_true(strlen(disk_words(&d, out)) < DISK_WORDS);
	d = (struct disk){.node = "/dev/sdc", .size = 1000};
	assert_string_equal(disk_words(&d, out), "/dev/sdc (1.0 kB)");
}

static void what_is_mounted(void **state)
{
	(void)state;
	assert_true(disk_knows("ext4") && disk_knows("xfs") && disk_knows("btrfs"));
	assert_false(disk_knows("") || disk_knows("swap") || disk_knows("crypto_LUKS") || disk_knows("ext"));
}

static void one_that_is_not_there(void **state)
{
	struct disk d = {.name = "none", .whole = "none", .node = "/dev/none", .kind = "ext4"};

	(void)state;
	assert_false(
	    disk_there(&d) || disk_in_use(&d) || disk_plugged_in("") || disk_plugged_in("no-such-uuid"));
	assert_int_equal(disk_stop(&d), -1);
}

static int look(void *arg, const char *point, struct err *err)
{
	struct disk *d = arg;
	struct statvfs fs;

	assert_int_equal(statvfs(point, &fs), 0);
	assert_true((fs.f_flag & ST_RDONLY) && (fs.f_flag & ST_NOEXEC) && (fs.f_flag & ST_NOSUID) &&
		    (fs.f_flag & ST_NODEV));
	assert_int_equal(sh("test $(blockdev --getro %s) = 1 && test -d %s/lost+found", d->node, point), 0);
	assert_int_equal(sh("touch %s/x 2>/dev/null", point), 1);
	return err_set(err, "E-TEST-01", "as wanted");
}

/* For whoever is not root there is none; for root, one that is not found is a failure. */
static void the_disk(struct disk *ret)
{
	if (geteuid())
		skip();
	assert_true(find(id, ret));
}

static void proved_and_unchanged(void **state)
{
	struct err err = ERR_INIT;
	struct disk d;

	(void)state;
	the_disk(&d);
	assert_string_equal(d.kind, "ext4");
	assert_string_equal(d.label, "LABEL");
	assert_int_equal(d.size, 8 << 20);
	assert_true(disk_there(&d) && disk_plugged_in(id));
	assert_false(d.busy || d.read_only || disk_in_use(&d));
	assert_int_equal(sh("sha256sum img >before"), 0);
	assert_int_equal(disk_prove(&room, &d, look, &d, &err), -1);
	assert_string_equal(err.code, "E-TEST-01");
	assert_int_equal(sh("blockdev --flushbufs %s; sync img; sha256sum --status -c before && test "
			    "$(blockdev --getro %s) = 0",
			     d.node, d.node),
	    0);
	assert_int_equal(
	    sh("test ! -e %s/read-only && ! grep -q %s /proc/self/mounts", room.folder, room.point), 0);
}

static void written_and_gone(void **state)
{
	struct err err = ERR_INIT;
	struct disk d;

	(void)state;
	the_disk(&d);
	assert_int_equal(disk_mount(&room, &d, &err), 0);
	assert_int_equal(sh("echo hello >%s/hello", room.point), 0);
	assert_true(disk_in_use(&d) && !disk_plugged_in(id));
	assert_int_equal(disk_unmount(&room, &d, &err), 0);
	assert_int_equal(sh("debugfs -R 'cat hello' img 2>/dev/null | grep -q hello"), 0);
	assert_int_equal(disk_stop(&d), DISK_NO_MOTOR);
	/* another disk under the same name is another disk */
	d.seq++;
	assert_int_equal(disk_mount(&room, &d, &err), -1);
	assert_string_equal(err.code, "E-DISK-08");
	d.seq--;
	snprintf(d.kind, sizeof(d.kind), "xfs"); /* not what is on it */
	assert_int_equal(disk_mount(&room, &d, &err), -1);
	assert_string_equal(err.code, "E-DISK-06");
	assert_true(disk_there(&d));
	assert_int_equal(sh("losetup -d %s", d.node), 0);
	for (int i = 0; i < 100 && disk_there(&d); i++)
		usleep(20000);
	assert_false(disk_there(&d));
}

/* What a command left that was killed: taken back by the next one; of a device that is another one by now nothing is touched. */
static void a_mark_that_was_left(void **state)
{
	struct err err = ERR_INIT;
	struct disk d;

	(void)state;
	the_disk(&d);
	assert_int_equal(sh("blockdev --setro %s && echo '%s %llu' >%s/read-only", d.node, d.name,
			     (unsigned long long)d.seq + 1, room.folder),
	    0);
	assert_int_equal(disk_room_enter(&room, id, &err), 0);
	assert_int_equal(
	    sh("test $(blockdev --getro %s) = 1 && test ! -e %s/read-only", d.node, room.folder), 0);
	assert_int_equal(
	    sh("echo '%s %llu' >%s/read-only", d.name, (unsigned long long)d.seq, room.folder), 0);
	assert_int_equal(disk_room_enter(&room, id, &err), 0);
	assert_int_equal(
	    sh("test $(blockdev --getro %s) = 0 && test ! -e %s/read-only", d.node, room.folder), 0);
	assert_int_equal(sh("echo rubbish >%s/read-only", room.folder), 0);
	assert_int_equal(disk_room_enter(&room, id, &err), 0);
	assert_int_equal(sh("test ! -e %s/read-only", room.folder), 0);
}

static int take_out(void *arg, const char *point, struct err *err)
{
	struct disk *d = arg;

	(void)point;
	return sh("losetup -d %s", d->node) ? err_set(err, "E-TEST-02", "not detached") : 0;
}

/* The name is given to another disk later, which nobody has told to be read-only. */
static void taken_out_while_it_is_proved(void **state)
{
	struct err err = ERR_INIT;
	struct disk d;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(sh("blockdev --setrw $(losetup -f --show img)"), 0);
	the_disk(&d);
	assert_int_equal(disk_prove(&room, &d, take_out, &d, &err), 0);
	for (int i = 0; i < 100 && disk_there(&d); i++)
		usleep(20000);
	assert_false(disk_there(&d));
	assert_int_equal(sh("test $(blockdev --getro %s) = 0", d.node), 0);
}

static int begin(void **state)
{
	if (scratch_setup_memory(state))
		return -1;
	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012x", (unsigned)getpid());
	if (geteuid()) /* loop devices are root's */
		return 0;
	return disk_room_enter(&room, id, NULL) ||
		       sh("truncate -s 8M img && mkfs.ext4 -q -L LABEL -U %s img && "
			  "blockdev --setrw $(losetup -f --show img)",
			   id)
		   ? -1
		   : 0;
}

static int end(void **state)
{
	sh("losetup -j img -O NAME -n | xargs -r losetup -d; rm -rf /run/bkp/%s", id);
	return scratch_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_of_strangers_are_escaped),
	    cmocka_unit_test(what_is_mounted),
	    cmocka_unit_test(one_that_is_not_there),
	    cmocka_unit_test(proved_and_unchanged),
	    cmocka_unit_test(a_mark_that_was_left),
	    cmocka_unit_test(written_and_gone),
	    cmocka_unit_test(taken_out_while_it_is_proved),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
