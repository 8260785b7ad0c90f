/* app: what all commands of bkp-restore share: options, the open medium, exit codes, how an error is shown.
 *
 * A command is a row of the table in main.c and a function in cmd_x.c that gets its operands (argv[0] is the
 * first one) and returns one of enum app_exit.  app_vault / app_identities / app_generation open what it
 * needs, report what is wrong, and return 0 or the exit code to return at once; which generations a person
 * names, selection.h finds out.
 */
#ifndef RESTORE_APP_APP_H
#define RESTORE_APP_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/threads/throttle.h"
#include "format/medium/generation.h"
#include "read/store/store.h"

struct age_aside;
struct age_identity;
struct arc_r;
struct err;
struct keyring;
struct mounted;
struct period;
struct quarantine;
struct rehearsal;
struct slip;
struct view;
struct vault_r;
struct vault_r_generation;

#define APP_IDENTITIES 32
#define APP_SETTINGS   64
#define APP_MEDIA      8
#define APP_JOURNALS   8
#define APP_EXCLUDES   64

/* The Nagios order, so that monitors can use them as they are. */
enum app_exit {
	APP_OK = 0,
	APP_ATTENTION = 1, /* done, but a person should look */
	APP_FAILED = 2,	   /* what was asked is not there */
	APP_UNKNOWN = 3,   /* the medium cannot be read */
	APP_USAGE = 64,
};

struct app {
	const struct app_command *command;
	const char *media[APP_MEDIA]; /* as given */
	size_t n_media;
	const char *journals[APP_JOURNALS];
	size_t n_journals;
	const char *medium; /* that `vault` is on, the first that could be opened */
	const char *repository, *root_key, *passphrase_file;
	bool unlocked; /* the keyring has what opens archives */
	const char *identities[APP_IDENTITIES];
	size_t n_identities;
	const char *to;
	const char *at, *attest, *operator_name;
	bool random;			    /* medium and generations are drawn */
	const char *seed;		    /* by it; NULL: a new one */
	bool unattended;		    /* drill: begun by a timer, nobody is asked */
	struct rehearsal *rehearsal;	    /* likewise */
	const char *isolation;		    /* of a drill: required, try (NULL), off */
	const char *settings[APP_SETTINGS]; /* NAME=VALUE */
	size_t n_settings;
	const char *excluded[APP_EXCLUDES];
	size_t n_excluded;
	const char *needed, *shares; /* -k, -n */
	const char *since;	     /* of a key drill: a run; of find: a day */
	const char *envelope;
	const char *slip_file, *sign_slip;
	uint64_t from, upto; /* --generations; 0: from the first on, to the last */
	bool timeline;
	const char *svg;
	int svg_fd; /* opened before the process is confined */
	const char *known_bad, *scan;
	const char *idle; /* of a shell */
	bool allow_other;
	bool no_browser;
	struct view *view;	 /* of `view`, likewise */
	struct mounted *mounted; /* `mount`: made before the process is confined */
	bool session; /* a line of a shell: media, identities and what may be written are its own */
	const struct app_command *commands; /* all; the last has no name */
	bool until_clean;
	struct quarantine *quarantine; /* of `scan`, likewise */
	char *own_to;		       /* `to`, where nobody gave one for it */
	struct slip *slip;	       /* NULL: no identity is used */
	bool plain;
	bool keep;
	bool same_owner, overwrite, deep;
	bool skip_same, check, dry_run, windows_names;
	bool numeric_owner;
	const char *owner_map;
	struct throttle throttle; /* --limit-rate */
	bool json, quiet;
	struct vault_r *vault;		   /* the first of those that could be opened */
	struct vault_r *vaults[APP_MEDIA]; /* of each medium; NULL: it could not be opened */
	struct age_aside *aside;	   /* runs stock age; NULL: nothing needs it, or this process may */
	struct keyring *keyring;
	size_t cache_bytes; /* of decoded chunks (arc_r.h); 0: the usual */
	/* one of several media could not be used, or not all of one, or a data set of a run is not there:
	 * exit 1 at least */
	bool incomplete;
	bool unvouched; /* no journal that was given reports what is read: exit 1 at least */
};

typedef int app_fn(struct app *app, int argc, char **argv);

/* Options that only some commands take. */
enum app_option {
	APP_TO = 1,
	APP_SAME_OWNER = 2,
	APP_OVERWRITE = 4,
	APP_DEEP = 8,
	APP_JSON = 32,
	APP_IDENTITY = 64,   /* and what is written down of its use: --operator --slip --sign-slip */
	APP_DRILL = 128,     /* --at --set --attest --keep --isolation */
	APP_NO_MEDIUM = 256, /* neither --medium nor --journal */
	APP_KEY = 1024,	     /* -k -n --plain-identity --envelope */
	APP_SELECTS = 512,   /* no option: the first operand is a selector */
	APP_TIMELINE = 2048, /* --timeline --svg */
	APP_RANGE = 4096,    /* --generations */
	APP_BISECT = 8192,   /* --scan --until-clean */
	APP_SINCE = 16384,   /* --since */
	APP_MOUNT = 32768,   /* --allow-other */
	APP_SHELL = 65536,   /* --idle */
	APP_KNOWN = 131072,  /* --known-bad */
	APP_VIEW = 16,	     /* --no-browser */
	APP_PART = 262144,   /* --exclude --skip-same --check --dry-run --windows-names */
	APP_OWNERS = 524288  /* --numeric-owner --owner-map */
};

struct app_command {
	const char *name;
	const char *usage;   /* operands and own options */
	const char *summary; /* English; shown through text() */
	unsigned options;    /* enum app_option */
	int min, max;	     /* operands; max -1: any number */
	app_fn *run;
};

/* A generation that is open for reading, on the medium where its documents are whole. */
struct app_generation {
	struct app *app;
	char dataset[GENERATION_NAME];
	uint64_t number;
	char label[GENERATION_LABEL]; /* "emr@42" */
	struct vault_r *vault;
	const char *medium; /* that `vault` is on */
	struct vault_r_generation *g;
	struct generation_root *root; /* NULL unless asked for */
	struct arc_r *arc;	      /* likewise */
	/* the data set's folder on the other media */
	struct store others[APP_MEDIA];
	const struct store *borrowed[APP_MEDIA]; /* the same, as arc_r takes them */
	size_t n_others;
};

/* Opens every medium that was given; one that can be opened is enough, the others are said. */
int app_vault(struct app *app);
void app_close(struct app *app);
/* The folder of the i-th medium that was given (O_PATH, the caller's), also when it could not be opened as a
 * medium; -1: there is none. */
int app_medium_folder(const struct app *app, size_t i);
int app_identities(struct app *app, const struct age_identity **ret_ids, size_t *ret_n);
/* The same, and those that they lead to on the media: what opens archives. */
int app_unlock(struct app *app, const struct age_identity **ret_ids, size_t *ret_n);
/* content: also root.age and archives (needs identities).  *ret must stay where it is until it is closed. */
int app_generation(
    struct app *app, const char *dataset, uint64_t number, bool content, struct app_generation *ret);
/* Lets go of its archives and decoded chunks; app_generation_wake() gets them again.  0, -1. */
void app_generation_rest(struct app_generation *g);
int app_generation_wake(struct app_generation *g, struct err *err) __attribute__((warn_unused_result));
void app_generation_close(struct app_generation *g);

/* "bkp-restore: CODE: message" and "  → hint" on stderr; returns `code`. */
int app_error(const struct err *err, int code);
/* Its second line alone: the next action, or where it is written. */
void app_next(const struct err *err);
/* For shortage_watch(). */
void app_no_memory(void) __attribute__((noreturn));
/* A line for people on stderr, unless --quiet. */
void app_note(const struct app *app, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int app_usage(const struct app *app, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a word that is not known; near: the one that was probably meant, or NULL. */
int app_unknown(const struct app *app, const char *near, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What a person types for an entry: '/' in front and at the end is left out, in place.  False: it is no entry's path. */
bool app_entry_path(char **path);
/* stdout must have arrived: flushes, and turns a failure (disk full) into APP_FAILED. */
int app_flush(int code);
/* The worse of two exit codes. */
int app_worse(int a, int b);

app_fn cmd_generations, cmd_list, cmd_extract, cmd_cat, cmd_export, cmd_verify, cmd_drill, cmd_recover,
    cmd_procedure, cmd_explain, cmd_key, cmd_key_people, cmd_key_drill, cmd_bisect, cmd_find, cmd_history,
    cmd_show, cmd_diff, cmd_mount, cmd_shell, cmd_index, cmd_view;
/* generations --timeline [DATASET]; and its --svg, which is made before the process is confined. */
int cmd_timeline(struct app *app, const char *dataset);
int cmd_timeline_begin(struct app *app);
/* The scanner of `bisect`, likewise. */
int cmd_bisect_begin(struct app *app);
/* The mount of `mount`, likewise; its end, and its unmounting. */
int cmd_mount_begin(struct app *app, int argc, char **argv);
int cmd_mount_end(struct app *app, int code);
/* What shows the charts of `view`, likewise; its end, and its erasure. */
int cmd_view_begin(struct app *app, int argc, char **argv);
int cmd_view_end(struct app *app, int code);
/* `drill --unattended`: before anything is opened; and its one line, behind everything. */
int cmd_drill_begin(struct app *app);
int cmd_drill_end(struct app *app, int code);
/* Erases what was brought there; the exit code: `code`, or worse. */
int cmd_bisect_end(struct app *app, int code);
/* key host; and the folder --to of what is not to lie on a medium: 0, or an exit code. */
int cmd_key_host(struct app *app);
int cmd_key_open(struct app *app);
/* The identity of that period among those that app_unlock() found, or NULL. */
const struct age_identity *app_period_identity(const struct app *app, const struct period *p);
int cmd_key_folder(const struct app *app, int *ret_fd, struct err *err);
/* Does that `key` command make files for people, of whom some may be stock age's? */
bool cmd_key_seals(const char *word);

#endif
