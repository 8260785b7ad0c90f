/* leftover: see leftover.h. */
#include "restore/recover/leftover.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "restore/command/step_run.h"
#include "restore/drill/variables.h"

#define ENVIRONMENT_MAX ((size_t)4 << 20)
#define LOOKS		10 /* a second */

static bool has_marker(int proc, const char *pid, const char *marker, char *buffer)
{
	const char *const name = VARIABLES_MARKER "=";
	char path[280];
	IO_FD_AUTO fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/environ", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : io_read_full(fd, buffer, ENVIRONMENT_MAX);
	for (ssize_t i = 0; i < n; i += (ssize_t)strnlen(buffer + i, (size_t)(n - i)) + 1)
		if (!strncmp(buffer + i, name, strlen(name)) && !strcmp(buffer + i + strlen(name), marker))
			return true;
	return false;
}

/* How many there are; each gets the signal, if any. */
static size_t each(const char *marker, int number, char *buffer)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	size_t found = 0;

	while (proc && (e = readdir(proc)))
		if (isdigit((unsigned char)*e->d_name) &&
		    has_marker(dirfd(proc), e->d_name, marker, buffer)) {
			found++;
			if (number)
				kill((pid_t)strtol(e->d_name, NULL, 10), number);
		}
	if (proc)
		closedir(proc);
	return found;
}

size_t leftover_end(const char *marker)
{
	const struct timespec moment = {.tv_nsec = 1000000000 / LOOKS};
	char *buffer = calloc(1, ENVIRONMENT_MAX + 1);
	size_t found = buffer ? each(marker, SIGTERM, buffer) : 0;

	for (int i = 0; found && i < STEP_RUN_GRACE * LOOKS && each(marker, 0, buffer); i++)
		nanosleep(&moment, NULL);
	/* what forks meanwhile is met by the next look */
	for (int i = 0; found && i < STEP_RUN_GRACE * LOOKS && each(marker, SIGKILL, buffer); i++)
		nanosleep(&moment, NULL);
	free(buffer);
	return found;
}
