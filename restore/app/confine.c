/* confine: see confine.h.
 *
 * A ruleset names what is governed (all) and is then given exceptions (allow_beneath).  What the kernel's
 * version does not know is left out of `all`: asking for it would fail the whole ruleset.  Every failure
 * returns with what was reached so far; the program goes on.
 */
#include "restore/app/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
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

void confine_thread(int target)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t write = version < 3 ? FS_WRITE & ~FS_TRUNCATE : FS_WRITE;
	struct rules all = {
	    write | LANDLOCK_ACCESS_FS_EXECUTE, version < 4 ? 0 : NET_TCP, version < 6 ? 0 : SCOPES};
	IO_FD_AUTO rules = -1;
	IO_FD_AUTO terminal = -1;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || version < VERSION_LEAST)
		return;
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (rules < 0)
		return;
	allow_beneath(rules, target, write);
	/* where a passphrase is asked for */
	terminal = open("/dev/tty", O_PATH | O_CLOEXEC);
	allow_beneath(rules, terminal, LANDLOCK_ACCESS_FS_WRITE_FILE);
	(void)syscall(SYS_landlock_restrict_self, rules, 0);
}

void confine_command(const char *to)
{
	IO_FD_AUTO target = to ? within_nearest(to) : -1;

	confine_thread(target);
}
