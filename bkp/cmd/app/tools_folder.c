/* tools_folder: see tools_folder.h. */
#include "cmd/app/tools_folder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/version.h"
#include "cmd/tools_sums.h"
#include "write/media/medium_docs.h"

static bool is_there(const char *program, size_t n, const char *relative, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%.*s/%s", (int)n, program, relative) < PATH_MAX && !access(out, R_OK);
}

const char *tools_folder_of(const char *built, const char *installed, char out[PATH_MAX])
{
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	while (n > 0 && program[n - 1] != '/')
		n--;
	if (n < 2)
		return NULL;
	/* where it was built, or where it was installed, under whatever prefix */
	n--;
	return is_there(program, (size_t)n, built, out) || is_there(program, (size_t)n, installed, out)
		   ? out
		   : NULL;
}

const char *tools_folder(char out[PATH_MAX])
{
	return tools_folder_of("tools", BKP_TOOLS_FOLDER, out);
}

const char *tools_rescue(char out[PATH_MAX])
{
	return tools_folder_of("rescue", BKP_TOOLS_FOLDER "/../rescue", out);
}

const char *tools_restore(char out[PATH_MAX])
{
	return tools_folder_of("bkp-restore", "../bin/bkp-restore", out);
}

struct medium_docs_sources tools_sources(char out[PATH_MAX])
{
	return (struct medium_docs_sources){
	    .tools = tools_folder(out), .version = BKP_VERSION, .built = TOOLS_SUMS};
}
