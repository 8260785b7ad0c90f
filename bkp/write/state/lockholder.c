/* lockholder: see lockholder.h. */
#include "write/state/lockholder.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"

/* The device's number in /proc/locks is not always stat's (btrfs, overlay): what a process has open says it.
 */
static bool has_open(long pid, const struct stat *file)
{
	char path[300];
	struct stat st;
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%ld/fd/%s", pid, e->d_name);
		found = !stat(path, &st) && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	}
	if (dir)
		closedir(dir);
	return found;
}

static long find_pid(const struct stat *file)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[300];
	long pid = 0, at;
	uintmax_t inode;

	while (f && !pid && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: FLOCK %*s WRITE %ld %*x:%*x:%ju", &at, &inode) == 2 &&
		    inode == file->st_ino && at > 0 && has_open(at, file))
			pid = at;
	if (f)
		fclose(f);
	return pid;
}

static ssize_t read_proc(long pid, const char *what, char *out, size_t size)
{
	char path[64];
	IO_FD_AUTO fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : io_read_full(fd, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

static void read_command(long pid, char out[LOCKHOLDER_COMMAND])
{
	char words[LOCKHOLDER_COMMAND];
	ssize_t n = read_proc(pid, "cmdline", words, sizeof(words));

	for (ssize_t i = 0; i + 1 < n; i++)
		if (!words[i])
			words[i] = ' ';
	path_show(words, out, LOCKHOLDER_COMMAND);
}

/* Field 22 of stat: ticks between boot and start.  The second field, in brackets, may hold anything. */
static int64_t read_since(long pid)
{
	struct clock_stamp now;
	char text[1024], *p;
	long hz = sysconf(_SC_CLK_TCK);
	uintmax_t ticks;

	if (read_proc(pid, "stat", text, sizeof(text)) <= 0 || !(p = strrchr(text, ')')) || hz <= 0)
		return 0;
	for (int field = 2; field < 22; field++)
		if (!(p = strchr(p + 1, ' ')))
			return 0;
	ticks = strtoumax(p + 1, NULL, 10);
	clock_now(&now);
	return now.wall_ns - now.mono_ns + (int64_t)ticks * (SECOND_NS / hz);
}

int lockholder_find(int fd, struct lockholder *ret)
{
	struct stat st;
	long pid = fstat(fd, &st) ? 0 : find_pid(&st);

	if (!pid)
		return -1;
	ret->pid = pid;
	ret->since_ns = read_since(pid);
	read_command(pid, ret->command);
	return 0;
}
