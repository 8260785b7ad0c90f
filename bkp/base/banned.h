/* banned: functions that have no safe use here fail to compile.  Included into every product source by the
 * build. */
#ifndef BKP_BASE_BANNED_H
#define BKP_BASE_BANNED_H

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* macros under clang's _FORTIFY_SOURCE, and a macro that exists must not be poisoned */
#undef sprintf
#undef vsprintf
/* unbounded copies, unchecked numbers, hidden static state, a shell where an argument vector belongs */
#pragma GCC poison strcpy strcat stpcpy strncpy strncat sprintf vsprintf gets
#pragma GCC poison atoi atol atoll strtok gmtime localtime ctime asctime mktemp tmpnam tempnam

#endif
