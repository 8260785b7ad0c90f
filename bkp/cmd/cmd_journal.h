/* cmd_journal: what the parts of `bkp journal` share. */
#ifndef BKP_CMD_CMD_JOURNAL_H
#define BKP_CMD_CMD_JOURNAL_H

#include <stdint.h>

#include "format/crypto/minisig.h"

struct app;
struct err;
struct json_t;
struct ledger;
struct store_file;

struct cmd_journal_options {
	const char *file;	     /* segments_open_path(); NULL: the state folder's */
	const char *root_key;	     /* as given */
	const char *against;	     /* of verify */
	const char *format, *out;    /* of export */
	const char *operator;	     /* of import, repair, countersign */
	const char *public_key, *by; /* of countersign */
	const char *record;	     /* of find */
	char **words;		     /* of import: files; of countersign: the statement; of find: digits */
	int n;
	struct minisig_public root;
};

/* Opens the journal by its own path or by the policy's; the caller closes it.  An exit code. */
int cmd_journal_open(struct app *app, const struct cmd_journal_options *o, struct store_file *ret,
    char *ret_name, size_t size);

/* cmd_journal_against.c: compares the open journal, whose ledger is `l`, with another copy of it.  An exit
 * code; *ret (or NULL) is what there is to say for programs. */
int cmd_journal_against(struct app *app, const struct cmd_journal_options *o, struct store_file *ours,
    const struct ledger *l, struct json_t **ret);

/* The same with the copies on all media of the policy that are attached; *ret: an array. */
int cmd_journal_against_media(
    struct app *app, struct store_file *ours, const struct ledger *l, struct json_t **ret);

/* cmd_journal_export.c: bkp journal export; cmd_journal_repair.c: bkp journal repair */
int cmd_journal_export(struct app *app, struct cmd_journal_options *o);
int cmd_journal_repair(struct app *app, struct cmd_journal_options *o);
/* cmd_journal_countersign.c: bkp journal head, countersign; cmd_journal_find.c: bkp journal find */
int cmd_journal_head(struct app *app, struct cmd_journal_options *o);
int cmd_journal_countersign(struct app *app, struct cmd_journal_options *o);
int cmd_journal_find(struct app *app, struct cmd_journal_options *o);
/* --record: *ret stays where it was not given.  An exit code. */
int cmd_journal_number(struct app *app, const char *s, uint64_t *ret);

#endif
