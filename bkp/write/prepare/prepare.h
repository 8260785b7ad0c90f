/* prepare: a new disk is made fit to be a medium: partition table, file system, label.
 *
 *     prepare_look() → a person agrees to what it holds → prepare_make() → prepare_mount()
 *
 * What is in use (mounted, swap, part of a RAID or LVM) or is a medium of this repository in use is refused whatever anybody agrees to.
 * prepare_make() looks again and goes on only when the disk is what it was.  If the process dies in it, the disk holds nothing that anybody
 * agreed to keep, and preparing it again begins anew.  The programs of others do the work (sfdisk, mkfs.*), started with their arguments,
 * without a shell.
 *
 * Errors: E-PREPARE-01 no whole block device, or it cannot be looked at, E-PREPARE-02 in use, E-PREPARE-03 it is a medium in use,
 * E-PREPARE-04 read-only or too small, E-PREPARE-07 it is another than it was, E-PREPARE-08 a program is missing or failed, E-PREPARE-09
 * the place to mount it at is not an empty folder, or it cannot be mounted.
 */
#ifndef BKP_WRITE_PREPARE_PREPARE_H
#define BKP_WRITE_PREPARE_PREPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ledger;

#define PREPARE_TEXT  256
#define PREPARE_HELD  32 /* what more it holds is not listed; the partition table alone has word enough */
#define PREPARE_WORDS 8

struct prepare_disk {
	char path[PREPARE_TEXT]; /* /dev/sdb */
	uint64_t bytes;
	char model[PREPARE_TEXT], serial[PREPARE_TEXT]; /* or "" */
	char held[PREPARE_HELD][PREPARE_TEXT];		/* a line each: "ext4 'RDX-01' 0f31…" */
	size_t n_held;
	/* what names it and what it holds: UUIDs of file systems, serial number, UUID of the partition table, size: the first one is
	 * asked for, each is right */
	char words[PREPARE_WORDS][PREPARE_TEXT];
	size_t n_words;
};

int prepare_look(const char *device, const struct ledger *l, struct prepare_disk *ret, struct err *err)
    __attribute__((warn_unused_result));
/* Does that text name it? */
bool prepare_agrees(const struct prepare_disk *d, const char *word);

#define PREPARE_FS_DEFAULT "ext4"
bool prepare_fs_known(const char *fs);
struct prepare_made {
	char node[PREPARE_TEXT];    /* /dev/sdb1 */
	char fs_uuid[PREPARE_TEXT]; /* of the new file system */
};
/* label: the medium's name; the file system gets as much of it as it can have. */
int prepare_make(const struct prepare_disk *d, const struct ledger *l, const char *label, const char *fs,
    struct prepare_made *ret, struct err *err) __attribute__((warn_unused_result));
/* noexec, nosuid, nodev; the folder is made where it is missing. */
int prepare_mount(const struct prepare_made *m, const char *fs, const char *path, struct err *err)
    __attribute__((warn_unused_result));

#endif
