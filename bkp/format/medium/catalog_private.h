/* catalog_private: what catalog.c writes and catalog_read.c reads. */
#ifndef BKP_FORMAT_MEDIUM_CATALOG_PRIVATE_H
#define BKP_FORMAT_MEDIUM_CATALOG_PRIVATE_H

/* Attributes of ours.  A source's own of such a name are not stored: it could forge ours. */
#define CATALOG_ATTR_OURS    "bkp."
#define CATALOG_ATTR_EXTENTS "bkp.extents"
#define CATALOG_ATTR_FLAGS   "bkp.flags"
#define CATALOG_ATTR_SHA256  "bkp.sha256"
/* Of a hard link to what is no regular file: "symlink <target>", "char <major> <minor>", "block <major>
 * <minor>", "fifo". */
#define CATALOG_ATTR_SPECIAL "bkp.special"

/* The words of enum catalog_flag, bit by bit. */
#define CATALOG_FLAG_WORDS                                                                                   \
	{                                                                                                    \
		"changed", "unreadable", "attributes-incomplete"                                             \
	}
#define CATALOG_FLAGS 3

#endif
