/* tools_folder: see tools_folder.h. */
#include "cmd/tools_folder.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BESIDE "tools"

const char *tools_folder(char out[PATH_MAX])
{
	struct stat st;
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - sizeof(BESIDE));
	char *slash;

	if (n > 0 && n < (ssize_t)(PATH_MAX - sizeof(BESIDE))) {
		out[n] = '\0';
		slash = strrchr(out, '/');
		if (slash) {
			memcpy(slash + 1, BESIDE, sizeof(BESIDE));
			if (!stat(out, &st) && S_ISDIR(st.st_mode))
				return out;
		}
	}
	snprintf(out, PATH_MAX, "%s", BKP_TOOLS_FOLDER);
	return !stat(out, &st) && S_ISDIR(st.st_mode) ? out : NULL;
}
