/* schedule_private: what schedule.c (files) and schedule_render.c (their text) share; see schedule.h. */
#ifndef BKP_WRITE_STATE_SCHEDULE_PRIVATE_H
#define BKP_WRITE_STATE_SCHEDULE_PRIVATE_H

#include "write/state/schedule.h"

/* The first line is this, 64 digits, newline; the second the options, percent-encoded. */
#define SCHEDULE_MARK "# Written by bkp schedule install; sha256 of what follows: "

/* The names of the files, without their text. */
size_t schedule_paths(const struct schedule *s, struct schedule_file files[SCHEDULE_FILES]);

#endif
