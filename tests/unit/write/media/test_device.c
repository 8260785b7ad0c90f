/* device: the file system and the disk behind a folder; blkid and findmnt judge. */
#include <sys/mount.h>

#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "read/store/store.h"
#include "write/media/device.h"

static void matches(const struct device *d, const char *uuid, const char *serial, const char *code)
{
	struct err err = ERR_INIT;
	int r = device_match(d, uuid, serial, &err);

	assert_int_equal(r, *code ? -1 : 0);
	assert_string_equal(err.code, code);
	assert_true(!*code || err.hint[0]);
}

static void a_disk_is_told_from_another(void **state)
{
	struct device d = {
	    .mount_point = "/mnt", .source = "/dev/sdb1", .fs_type = "ext4", .fs_uuid = "u1", .serial = "s1"};

	(void)state;
	matches(&d, "u1", "s1", "");
	matches(&d, "", "", ""); /* nothing was recorded */
	matches(&d, "u2", "s1", "E-DEVICE-02");
	matches(&d, "u1", "s2", "E-DEVICE-03");
	matches(&d, "u2", "s2", "E-DEVICE-02");
	d.serial[0] = '\0'; /* a dock that does not tell */
	matches(&d, "u1", "s1", "");
	d.fs_uuid[0] = '\0'; /* not root: a disk, but which one cannot be told */
	matches(&d, "u1", "s1", "");
	snprintf(d.source, sizeof(d.source), "tmpfs"); /* that can: no disk at all */
	matches(&d, "u1", "s1", "E-DEVICE-02");
	matches(&d, "", "", "");
	d.source[0] = '\0';
	matches(&d, "u1", "s1", "");
}

static void what_both_disks_are_is_said(void **state)
{
	struct device d = {
	    .mount_point = "/mnt/x\n", .source = "/dev/sdb1", .fs_type = "ext4", .fs_uuid = "uuid-of-this"};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(device_match(&d, "uuid-of-that", "", &err), -1);
	assert_non_null(strstr(err.msg, "uuid-of-this"));
	assert_non_null(strstr(err.msg, "uuid-of-that"));
	assert_null(strchr(err.msg, '\n'));
}

static void nothing_there(void **state)
{
	struct err err = ERR_INIT;
	struct device d;

	(void)state;
	assert_int_equal(device_look(in_scratch("absent"), &d, &err), -1);
	assert_string_equal(err.code, "E-DEVICE-01");
}

static void a_file_system_in_memory(void **state)
{
	struct err err = ERR_INIT;
	struct device d;

	(void)state;
	assert_int_equal(mkdir(in_scratch("t"), 0755), 0);
	if (mount("memory", in_scratch("t"), "tmpfs", 0, "size=1m"))
		skip();
	assert_int_equal(sh("mkdir -p t/a/b"), 0);
	assert_int_equal(device_look(in_scratch("t/a/b"), &d, &err), 0);
	assert_string_equal(d.mount_point, in_scratch("t"));
	assert_string_equal(d.source, "memory");
	assert_string_equal(d.fs_type, "tmpfs");
	assert_true(!*d.fs_uuid && !*d.serial);
	/* so far down it is a folder on something larger, not a disk to be unmounted */
	assert_false(d.whole);
	assert_int_equal(device_look(in_scratch("t/a"), &d, &err), 0);
	assert_true(d.whole);
	assert_int_equal(umount(in_scratch("t")), 0);
	assert_int_equal(device_look("/", &d, &err), 0);
	assert_false(d.whole);
}

/* A real file system on a loop device, in a folder with a blank and letters of Japan, by a link, below a bind
 * mount. */
static void a_real_file_system(void **state)
{
	struct err err = ERR_INIT;
	struct device d;
	struct store folder, bound;

	(void)state;
	if (sh("truncate -s 8M img && mkfs.ext4 -q img && mkdir '媒 体' bound && mount -o loop img '媒 体' "
	       "&& ln -s '媒 体' link && "
	       "mkdir link/bkp && mount --bind link/bkp bound && blkid -p -s UUID -o value img | tr -d '\\n' "
	       ">uuid"))
		skip();
	assert_int_equal(device_look(in_scratch("link/bkp"), &d, &err), 0);
	put_file("got", d.fs_uuid, strlen(d.fs_uuid));
	assert_int_equal(sh("cmp got uuid"), 0);
	assert_string_equal(d.mount_point, in_scratch("媒 体"));
	assert_string_equal(d.fs_type, "ext4");
	assert_true(d.whole && !strncmp(d.source, "/dev/loop", 9));
	assert_int_equal(store_open_place(in_scratch("link/bkp"), &folder, &err), 0);
	assert_int_equal(store_open_place(in_scratch("bound"), &bound, &err), 0);
	assert_int_equal(device_of(&folder, &d, &err), 0);
	assert_string_equal(d.mount_point, in_scratch("媒 体"));
	assert_true(device_same_mount(&folder, &folder) && !device_same_mount(&folder, &bound));
	store_close(&folder);
	store_close(&bound);
	assert_int_equal(device_look(in_scratch("bound"), &d, &err), 0);
	put_file("got", d.fs_uuid, strlen(d.fs_uuid));
	assert_int_equal(sh("cmp got uuid"), 0);
	assert_string_equal(d.mount_point, in_scratch("bound"));
	assert_int_equal(sh("umount bound && umount '媒 体'"), 0);
}

static void another_kind_of_store_has_none(void **state)
{
	const struct store other = {.kind = &(const struct store_kind){0}};
	struct device d = {.fs_uuid = "u1", .serial = "s1", .whole = true};
	struct store_space space;

	(void)state;
	assert_int_equal(device_of(&other, &d, NULL), 0);
	assert_false(*d.fs_uuid || *d.serial || *d.mount_point || d.whole);
	matches(&d, "u1", "s1", "");
	assert_true(device_same_mount(&other, &other));
	assert_false(store_space(&other, &space));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_disk_is_told_from_another),
	    cmocka_unit_test(what_both_disks_are_is_said),
	    cmocka_unit_test(nothing_there),
	    cmocka_unit_test(a_file_system_in_memory),
	    cmocka_unit_test(a_real_file_system),
	    cmocka_unit_test(another_kind_of_store_has_none),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
