/* rotational: does what a folder stands on bear being read at several places at once?
 *
 * A disk that turns has one head: two readers on it make it seek between them, and both wait.  Looks at the
 * file system and at what the kernel says of the disk below (queue/rotational).  What cannot be told (a file
 * system of many disks, one in user space, a missing /sys) is taken for one that turns: one reader is never
 * wrong, only slower.
 */
#ifndef BKP_READ_STORE_ROTATIONAL_H
#define BKP_READ_STORE_ROTATIONAL_H

enum rotational {
	ROTATIONAL_LOOK = 0, /* nothing yet: for options */
	ROTATIONAL_ONE,	     /* one reader at a time */
	ROTATIONAL_NONE,     /* flash, or a server: several readers, each waits for the device */
	ROTATIONAL_MEMORY,   /* several readers, none waits */
};

enum rotational rotational_of(int fd);

#endif
