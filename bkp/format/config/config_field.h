/* config_field: reads one value of the tree into one member of a struct, and says what is wrong with it.
 *
 * policy_schema.c says in tables which key goes where and what it may be; here is what each type of value
 * means.
 */
#ifndef BKP_FORMAT_CONFIG_CONFIG_FIELD_H
#define BKP_FORMAT_CONFIG_CONFIG_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct config_node;
struct config_problems;
struct config_shape;

enum config_type {
	CONFIG_T_TEXT,	       /* char *: one line for people */
	CONFIG_T_COMMAND,      /* char *: for a shell, may have lines */
	CONFIG_T_LINES,	       /* char *: for people, may have lines; without the line ends behind it */
	CONFIG_T_PATH,	       /* char *: absolute, normalised */
	CONFIG_T_DATASET_NAME, /* char * */
	CONFIG_T_MEDIUM_NAME,  /* char * */
	CONFIG_T_FILE_NAME,    /* char *: one component */
	CONFIG_T_WORD,	       /* char *: one of `words` */
	CONFIG_T_PATTERN,      /* char *: see exclude.h */
	CONFIG_T_ENUM, /* unsigned: index of one of `words`; where the first is "", 0 is what was not said */
	CONFIG_T_LANG, /* enum text_lang */
	CONFIG_T_BOOL, /* bool */
	CONFIG_T_BOOL_NOT, /* bool: the opposite of what is written */
	CONFIG_T_SIZE,	   /* uint64_t: bytes, min to max */
	CONFIG_T_PERCENT,  /* unsigned: min to max */
	CONFIG_T_NUMBER,   /* unsigned: min to max */
	CONFIG_T_DURATION, /* int64_t: seconds, at least one minute */
	CONFIG_T_EVERY,	   /* struct config_every */
	CONFIG_T_TIME,	   /* int: minutes of the day */
	CONFIG_T_DAY,	   /* int32_t: base/day.h, from 1970-01-02; 0 is what was not said */
	CONFIG_T_ROLES,	   /* unsigned: bits, in the order of `words` */
	CONFIG_T_TABLE,	   /* a table whose keys go into the same struct: `shape` */
	CONFIG_T_TEXTS,	   /* char ** and size_t at `count`: a list of `item`; a malformed one is NULL */
	CONFIG_T_TABLES,   /* array and size_t at `count`: a list of tables of `shape` */
};

struct config_field {
	const char *key;
	const char *alias; /* the same key in the other language, or NULL */
	enum config_type type;
	size_t offset, count;	  /* in the struct */
	bool required;		  /* the key; for lists: also at least one entry */
	uint64_t min, max;	  /* TEXT, LINES, COMMAND: max bytes, or 0 for the usual */
	const char *range;	  /* SIZE: min to max in words */
	const char *const *words; /* NULL-terminated */
	const char *const *also;  /* ENUM: the same words in the other language, or NULL */
	enum config_type item;
	const struct config_shape *shape;
};

struct config_shape {
	const char *name; /* for people: "a data set" (TEXT_LATER) */
	const struct config_field *field;
	size_t n;
	size_t size;	      /* of the struct; 0 for one that fills its parent's */
	size_t mark;	      /* offset of its struct config_mark, when size is not 0 */
	void (*init)(void *); /* defaults, or NULL */
};

/* Reads a single value (every type but TABLE, TEXTS and TABLES) into *at.  Problems are reported; -1 is out
 * of memory. */
int config_field_read(const struct config_field *field, const struct config_node *node, void *at,
    struct config_problems *problems, struct err *err);

/* Reports that `node` should have been of another kind ("a list", "a table of keys", "a single value"), or is
 * empty. */
void config_field_wrong_kind(
    const char *key, const struct config_node *node, const char *wanted, struct config_problems *problems);
void config_field_no_value(const char *key, const struct config_node *node, struct config_problems *problems);

/* "a, b, c" into out. */
char *config_field_join(const char *const *words, size_t n, char *out, size_t size);

#endif
