/* isolation_inside: how the place looks from inside; see isolation.h.
 *
 * Runs in the first process of new namespaces, on a copy of the mounts that nobody else sees.  Order: descriptors of all that must stay
 * reachable, while nothing covers it → everything read-only → what is covered → what is put back → what is hidden.  A mount takes the
 * flags of what it was made from, so the scratch folder and devices are given theirs back one by one. */
#include "restore/command/isolation_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"

#define PLAIN	  (MS_NOSUID | MS_NODEV)
#define FILES_MAX 128

#define KEEP(c) (UINT64_C(1) << (c))
/* What servers need to become another user and to work with files; nothing that changes mounts, devices, the kernel, the clock, or other
 * processes. */
static const uint64_t kept = KEEP(CAP_CHOWN) | KEEP(CAP_DAC_OVERRIDE) | KEEP(CAP_FOWNER) | KEEP(CAP_FSETID) |
			     KEEP(CAP_KILL) | KEEP(CAP_SETGID) | KEEP(CAP_SETUID) | KEEP(CAP_SETPCAP) |
			     KEEP(CAP_NET_BIND_SERVICE) | KEEP(CAP_IPC_LOCK) | KEEP(CAP_SYS_CHROOT) |
			     KEEP(CAP_SYS_NICE) | KEEP(CAP_SYS_RESOURCE) | KEEP(CAP_AUDIT_WRITE) |
			     KEEP(CAP_SETFCAP);

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
#define DEVICES (sizeof(devices) / sizeof(*devices))
static const char *const covered[] = {"/dev/shm", "/tmp", "/var/tmp"};

static int fault(struct isolation_fault *f, const char *what)
{
	f->errnum = errno;
	snprintf(f->what, sizeof(f->what), "%s", what);
	return -1;
}

static int set_flags(const char *path, bool recursive, uint64_t set, uint64_t clear)
{
	struct mount_attr a = {.attr_set = set, .attr_clr = clear};

	return mount_setattr(AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &a, sizeof(a));
}

static int bind_fd(int fd, const char *to)
{
	char from[40];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	return mount(from, to, NULL, MS_BIND | MS_REC, NULL);
}

static int touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 || close(fd) ? -1 : 0;
}

/* ---- /dev and /run ---- */

static int make_devices(struct isolation_fault *f)
{
	int fd[DEVICES];

	for (size_t i = 0; i < DEVICES; i++)
		if ((fd[i] = open(devices[i], O_PATH | O_CLOEXEC)) < 0)
			return fault(f, devices[i]);
	if (mount("tmpfs", "/dev", "tmpfs", PLAIN, "mode=755,size=1m") || mkdir("/dev/shm", 01777))
		return fault(f, "/dev");
	for (size_t i = 0; i < DEVICES; i++)
		if (touch(devices[i]) || bind_fd(fd[i], devices[i]) ||
		    set_flags(devices[i], false, 0, MOUNT_ATTR_NODEV) || close(fd[i]))
			return fault(f, devices[i]);
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr") ||
	    set_flags("/dev", false, MOUNT_ATTR_RDONLY, 0))
		return fault(f, "/dev");
	return 0;
}

/* Servers expect their folder there: it is, and empty. */
static int make_run(struct isolation_fault *f)
{
	DIR *was = opendir("/run");
	const struct dirent *e;
	struct stat st;
	int now;

	if (!was)
		return errno == ENOENT ? 0 : fault(f, "/run");
	if (mount("tmpfs", "/run", "tmpfs", PLAIN, "mode=755,size=64m") ||
	    (now = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		closedir(was);
		return fault(f, "/run");
	}
	while ((e = readdir(was)))
		/* whose it is cannot always be said (without root): then its mode does not matter either */
		if (*e->d_name != '.' && !fstatat(dirfd(was), e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISDIR(st.st_mode) && !mkdirat(now, e->d_name, 0700) &&
		    !fchownat(now, e->d_name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) &&
		    fchmodat(now, e->d_name, st.st_mode & 07777, 0)) {
			closedir(was);
			close(now);
			return fault(f, "/run");
		}
	closedir(was);
	close(now);
	return 0;
}

static int cover(struct isolation_fault *f)
{
	for (size_t i = 0; i < sizeof(covered) / sizeof(*covered); i++)
		if (mount("tmpfs", covered[i], "tmpfs", PLAIN, "mode=1777") && errno != ENOENT)
			return fault(f, covered[i]);
	return make_run(f);
}

/* ---- what stays ---- */

/* A place to mount on, where a folder above it was covered. */
static int make_place(const char *path, bool folder)
{
	char above[4096];

	if (!access(path, F_OK))
		return 0;
	if (strlen(path) >= sizeof(above)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(above, sizeof(above), "%s", path);
	for (char *p = above + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(above, 0711) && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return folder ? mkdir(path, 0700) : touch(path);
}

static int put_back(int fd, const char *path)
{
	struct stat st;

	return fstat(fd, &st) || make_place(path, S_ISDIR(st.st_mode)) || bind_fd(fd, path) ? -1 : 0;
}

static bool is_covered(const char *path)
{
	return !strncmp(path, "/tmp/", 5) || !strncmp(path, "/var/tmp/", 9) || !strncmp(path, "/run/", 5) ||
	       !strncmp(path, "/dev/", 5);
}

static int look_at_files(const struct isolation_plan *p, struct isolation_fault *f)
{
	int fd[FILES_MAX], scratch = open(p->scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (scratch < 0)
		return fault(f, p->scratch);
	if (p->n_seen > FILES_MAX) {
		errno = E2BIG;
		return fault(f, "/");
	}
	for (size_t i = 0; i < p->n_seen; i++)
		if ((fd[i] = open(p->seen[i], O_PATH | O_CLOEXEC)) < 0)
			return fault(f, p->seen[i]);
	if (set_flags("/", true, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0))
		return fault(f, "/");
	if (make_devices(f) || cover(f))
		return -1;
	for (size_t i = 0; i < p->n_seen; i++)
		if ((is_covered(p->seen[i]) && put_back(fd[i], p->seen[i])) || close(fd[i]))
			return fault(f, p->seen[i]);
	if (put_back(scratch, p->scratch) ||
	    set_flags(p->scratch, false, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY) || close(scratch))
		return fault(f, p->scratch);
	for (size_t i = 0; i < p->n_hidden; i++)
		if (mount("/dev/null", p->hidden[i], NULL, MS_BIND, NULL) && errno != ENOENT &&
		    errno != ENOTDIR && errno != EACCES)
			return fault(f, p->hidden[i]);
	return 0;
}

/* ---- the network ---- */

static int raise_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	IO_FD_AUTO fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &lo);
}

int isolation_make(const struct isolation_plan *p, struct isolation_fault *ret)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fault(ret, "/");
	if (mount("proc", "/proc", "proc", PLAIN, NULL))
		return fault(ret, "/proc");
	if (look_at_files(p, ret))
		return -1;
	if (raise_loopback())
		return fault(ret, "lo");
	return 0;
}

/* ---- what has no namespace ---- */

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif
#define X32 0x40000000u /* the bit of x86's third set of numbers; no native number has it */

#define LOAD(member)		   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define UNLESS_EQUAL(value, ahead) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, ahead)
#define ANSWER(what)		   BPF_STMT(BPF_RET | BPF_K, what)
#define REFUSED(number, errnum)	   UNLESS_EQUAL(number, 1), ANSWER(SECCOMP_RET_ERRNO | (errnum))

/* The kernel's keyrings are the user's, wherever his processes run: other programs' secrets lie there, and what is put there outlives the
 * drill.  A vsock leads to the hypervisor.  Numbers of other architectures would go around the filter. */
int isolation_filter(void)
{
#ifdef NATIVE
	struct sock_filter filter[] = {
	    LOAD(arch),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
	    ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
	    LOAD(nr),
	    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1),
	    ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
	    REFUSED(SYS_add_key, ENOSYS),
	    REFUSED(SYS_request_key, ENOSYS),
	    REFUSED(SYS_keyctl, ENOSYS),
	    UNLESS_EQUAL(SYS_socket, 3),
	    LOAD(args[0]),
	    REFUSED(AF_VSOCK, EAFNOSUPPORT),
	    ANSWER(SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? errno : 0;
#else
	return ENOTSUP;
#endif
}

int isolation_drop(void)
{
	for (unsigned long c = 0; c < 64; c++)
		if (!(kept >> c & 1) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) && errno != EINVAL)
			return errno;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ? errno : 0;
}
