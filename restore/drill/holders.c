/* holders: see holders.h. */
#include "restore/drill/holders.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"

#define NAMED 5 /* in the list */

/* Does the link lead there?  The kernel appends " (deleted)" to the path of what has no name any more. */
static bool leads_to(int dir, const char *link, const char *folder, size_t n)
{
	char to[PATH_MAX + 16];
	ssize_t got = readlinkat(dir, link, to, sizeof(to) - 1);

	if (got < (ssize_t)n || memcmp(to, folder, n) != 0)
		return false;
	to[got] = '\0';
	return !to[n] || to[n] == '/' || !strcmp(to + n, " (deleted)");
}

static bool has_open(int process, const char *folder, size_t n)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	bool found = false;

	if (!dir) {
		io_close_quietly(&fd);
		return false;
	}
	while (!found && (e = readdir(dir)))
		found = leads_to(dirfd(dir), e->d_name, folder, n);
	closedir(dir);
	return found;
}

static bool uses_folder(int process, const char *folder, size_t n)
{
	return leads_to(process, "cwd", folder, n) || leads_to(process, "root", folder, n) ||
	       leads_to(process, "exe", folder, n) || has_open(process, folder, n);
}

static void name_it(int process, const char *pid, char *out, size_t size)
{
	IO_FD_AUTO fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	char name[32] = "?", shown[80];
	ssize_t got = fd < 0 ? -1 : io_read_full(fd, name, sizeof(name) - 1);
	size_t at = strlen(out);

	if (got > 0)
		name[name[got - 1] == '\n' ? got - 1 : got] = '\0';
	snprintf(
	    out + at, size - at, "%s%s (%s)", at ? ", " : "", path_show(name, shown, sizeof(shown)), pid);
}

size_t holders_find(const char *folder, char *out, size_t size)
{
	DIR *proc = opendir("/proc");
	size_t found = 0, n = strlen(folder);
	struct dirent *e;

	*out = '\0';
	while (proc && (e = readdir(proc))) {
		IO_FD_AUTO process = -1;

		if (!isdigit((unsigned char)*e->d_name) || strtol(e->d_name, NULL, 10) == getpid())
			continue;
		process = openat(dirfd(proc), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0 || !uses_folder(process, folder, n))
			continue;
		if (found++ < NAMED)
			name_it(process, e->d_name, out, size);
	}
	if (proc)
		closedir(proc);
	return found;
}
