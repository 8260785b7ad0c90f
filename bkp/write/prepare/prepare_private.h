/* prepare_private: what the files of prepare share; see prepare.h. */
#ifndef BKP_WRITE_PREPARE_PREPARE_PRIVATE_H
#define BKP_WRITE_PREPARE_PREPARE_PRIVATE_H

#include <sys/types.h>

#include "write/prepare/prepare.h"

/* A file of /sys about the device, without the blanks at its end, printable; false: there is none. */
bool prepare_sys(dev_t dev, const char *name, char *out, size_t size);
/* "/dev/sdb1", partition `number` of the disk, as the kernel names it; false: it shows none, or there is no such node. */
bool prepare_node(dev_t disk, int number, char out[PREPARE_TEXT]);
/* E-PREPARE-03; returns -1. */
int prepare_is_medium(const struct prepare_disk *d, const char *label, struct err *err);

#endif
