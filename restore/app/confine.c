/* confine: see confine.h.
 *
 * A ruleset names what is governed (all) and is then given exceptions (allow_beneath).  What the kernel's
 * version does not know is left out of `all`: asking for it would fail the whole ruleset.  Every failure
 * returns with what was reached so far; the program goes on.
 */
#include "restore/app/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "restore/app/within.h"

#define VERSION_LEAST 2
/* later than Debian 12's header: linux/landlock.h of Linux 6.12 */
#define FS_TRUNCATE (UINT64_C(1) << 14) /* version 3 */
#define NET_TCP	    UINT64_C(3)		/* version 4: binding, connecting */
#define SCOPES	    UINT64_C(3)		/* version 6: abstract UNIX sockets, signals */
#define FS_MAKE                                                                                              \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |          \
	    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |    \
	    LANDLOCK_ACCESS_FS_MAKE_SYM)
#define FS_WRITE                                                                                             \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |    \
	    FS_MAKE | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

/* A later kernel takes a shorter one, an earlier one a longer one that ends in zeros. */
struct rules {
	uint64_t fs, net, scoped;
};

static void allow_beneath(int rules, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr below = {.allowed_access = access, .parent_fd = fd};

	if (fd >= 0)
		(void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
}

/* Below `target` and on `device` alone something is written; `also`: rights of files that are taken away as well. */
static void restrict_files(int target, const char *device, const char *processes, uint64_t also)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t write = version < 3 ? FS_WRITE & ~FS_TRUNCATE : FS_WRITE;
	struct rules all = {write | also, version < 4 ? 0 : NET_TCP, version < 6 ? 0 : SCOPES};
	IO_FD_AUTO rules = -1;
	IO_FD_AUTO special = -1;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || version < VERSION_LEAST)
		return;
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (rules < 0)
		return;
	allow_beneath(rules, target, write);
	special = open(device, O_PATH | O_CLOEXEC);
	allow_beneath(rules, special, LANDLOCK_ACCESS_FS_WRITE_FILE);
	if (processes) {
		IO_FD_AUTO proc = open(processes, O_PATH | O_CLOEXEC);

		allow_beneath(rules, proc, LANDLOCK_ACCESS_FS_WRITE_FILE);
	}
	(void)syscall(SYS_landlock_restrict_self, rules, 0);
}

void confine_thread(int target)
{
	/* the terminal is where a passphrase is asked for */
	restrict_files(target, "/dev/tty", NULL, LANDLOCK_ACCESS_FS_EXECUTE);
}

/* The folder mounted on itself, in a view of the file system that nobody else has. */
static void hide_files(const char *folder, const char *const *hidden, size_t n)
{
	const unsigned long flags = MS_BIND | MS_REMOUNT | MS_NOEXEC | MS_NOSUID | MS_NODEV;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return;
	if (!mount(folder, folder, NULL, MS_BIND, NULL))
		(void)mount(NULL, folder, NULL, flags, NULL);
	for (size_t i = 0; i < n; i++)
		(void)mount("/dev/null", hidden[i], NULL, MS_BIND, NULL);
}

void confine_scanner(const char *folder, const char *const *hidden, size_t n)
{
	IO_FD_AUTO target = -1;

	hide_files(folder, hidden, n);
	target = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	restrict_files(target, "/dev/null", NULL, 0);
}

/* What the kernel lets root write to by its number alone, without any capability. */
static int protect_proc(void)
{
	static const char *const places[] = {
	    "/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger"};
	const unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOEXEC | MS_NOSUID | MS_NODEV;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (!access(places[i], F_OK) && (mount(places[i], places[i], NULL, MS_BIND | MS_REC, NULL) ||
						    mount(NULL, places[i], NULL, flags, NULL)))
			return -1;
	return 0;
}

int confine_browser(const char *folder, const char *const *hidden, size_t n)
{
	IO_FD_AUTO target = -1;

	hide_files(folder, hidden, n);
	if (protect_proc())
		return -1;
	target = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return -1;
	restrict_files(target, "/dev/null", "/proc", 0);
	return 0;
}

void confine_command(const char *to)
{
	IO_FD_AUTO target = to ? within_nearest(to) : -1;

	confine_thread(target);
}
