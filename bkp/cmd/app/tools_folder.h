/* tools_folder: where the tools are that media carry (write/media/medium_docs.h): in the folder "tools"
 * beside the running program (a build), else where they were installed.  No variable of the environment has a
 * say: what is found here is signed and put on every medium. */
#ifndef BKP_CMD_APP_TOOLS_FOLDER_H
#define BKP_CMD_APP_TOOLS_FOLDER_H

#include <limits.h>

struct medium_docs_sources;

/* The folder's path in out; it exists: of that name beside the program, else at `installed`, as seen from the program's folder.  NULL: there is
 * none. */
const char *tools_folder_of(const char *built, const char *installed, char out[PATH_MAX]);
const char *tools_folder(char out[PATH_MAX]);
/* Likewise: what makes a rescue image (restore/rescue), and the program bkp-restore. */
const char *tools_rescue(char out[PATH_MAX]);
const char *tools_restore(char out[PATH_MAX]);
/* The same, and what this program was built with. */
struct medium_docs_sources tools_sources(char out[PATH_MAX]);

#endif
