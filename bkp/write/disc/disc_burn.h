/* disc_burn: the drive, through the program xorriso (package of that name): what is in it, and one session of ISO 9660 level 3 with Rock
 * Ridge and long Joliet names, closed.
 *
 * Values go to xorriso in the environment of its shell and in a list of paths, never in the text of a command.  A drive is an optical drive of
 * this host ("/dev/sr0"), or "stdio:/FILE" for an image: a file that is not there yet, or empty.  Anything else, a disk above all, is refused before
 * xorriso sees it.
 *
 * Errors: E-DISC-02, E-DISC-03, E-DISC-04.
 */
#ifndef BKP_WRITE_DISC_DISC_BURN_H
#define BKP_WRITE_DISC_DISC_BURN_H

#include <stdbool.h>
#include <stdint.h>

struct disc_list;
struct err;

struct disc_drive {
	const char *name;  /* as it was given */
	const char *path;  /* what is read back: the part of it behind "stdio:" */
	bool optical;	   /* a drive, not an image */
	uint64_t capacity; /* bytes that the blank disc in it takes */
};

/* 0: a blank disc is in it; -1. */
int disc_probe(const char *name, struct disc_drive *ret, struct err *err) __attribute__((warn_unused_result));

struct disc_burn {
	const struct disc_drive *drive;
	const struct disc_list *files;
	const char *folder; /* in which a list of them is written */
	const char *volume; /* label of the medium */
	const char *
	    volume_id; /* 16 digits: what libblkid shows as UUID, 2026112321050000 as 2026-11-23-21-05-00-00 */
	void (*progress)(void *arg, uint64_t bytes);
	void *arg;
};
/* 0, or -1: what is on the disc now is not to be relied on. */
int disc_burn(const struct disc_burn *b, struct err *err) __attribute__((warn_unused_result));

#endif
