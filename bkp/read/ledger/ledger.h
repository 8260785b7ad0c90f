/* ledger: the state of the world as a fold over the journal: media, generations, copies.
 *
 * There is no second source of truth: what this module says is what the signed records say, or there is an
 * error naming the line.  ledger_load() reads the journal as a stream and keeps only what the fold needs.
 *
 * A last line without a newline was never acknowledged (the writer died): it is left out and ledger_torn()
 * says so.  Any other fault is an error.  Events that are not known (of a later version) are checked as lines
 * of the chain, counted and passed over.
 *
 * Errors: E-JOURNAL-NN (journal.h) for lines, E-LEDGER-01 a known event lacks a member or has one of the
 * wrong kind, E-LEDGER-02 a record contradicts what stands before it, E-LEDGER-03 there is no journal,
 * E-LEDGER-04 it is empty, E-LEDGER-05 it was made before each data set stood alone, or before its segments: no later version
 * reads it; E-JOURNAL-11 a segment is missing or not what it must be (read/file/segments.h).
 *
 * Everything an accessor returns belongs to the ledger and is valid until the next ledger_take() or
 * ledger_free().
 */
#ifndef BKP_READ_LEDGER_LEDGER_H
#define BKP_READ_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "format/crypto/digest.h"
#include "format/guard/guard.h"
#include "format/journal/approval.h"

struct err;
struct journal_record;
struct json_t;
struct minisig_public;
struct selector;
struct store_file;
struct verify_record;

enum ledger_verdict { LEDGER_PENDING, LEDGER_GOOD, LEDGER_PARTIAL, LEDGER_FAILED };
enum ledger_state {
	LEDGER_BEGUN,	  /* begun; nothing is known of its end: running now, or the run died */
	LEDGER_COMMITTED, /* reported */
	LEDGER_GEN_FAILED,
	LEDGER_ABANDONED, /* begun, never ended, and a later one has begun */
	LEDGER_EXPIRED,	  /* was committed; since then it expired on every medium that held it */
};

/* A copy of the journal that this host has put on a medium: how far it went, after how many rotations, when. */
struct ledger_copy_mark {
	uint64_t seq, turn;
	int64_t ns;
};

/* Bytes of archives, and the milliseconds that they took. */
struct ledger_pace {
	uint64_t bytes, ms;
};
#define LEDGER_PACE_MIN ((uint64_t)32 << 20) /* less says more of how the disk spins up */

/* A medium is read again in parts: what begins with the same two digits of SHA-256 is one. */
#define LEDGER_PARTS 256

struct ledger_medium {
	const char *uuid;
	const char *label;
	const char *type; /* "hdd" … */
	const char *path;
	const char *place; /* where it is kept: as of its registration, then as of the newest medium-moved */
	bool offline;
	int64_t added_ns; /* wall time of the newest medium-added record */
	/* what the disk itself is, as far as the system could tell at registration; "" unknown */
	const char *fs_uuid, *serial;
	const char *store; /* which storage it is, as device.h says; where that was not recorded fs_uuid */
	const char *shows; /* its type as the device itself shows it, or "memory"; "" it cannot be told */
	/* Is it connected?  What was recorded last (medium-added, medium-attached, rotated: true;
	 * medium-detached, medium-moved with detached: false), and since when. */
	bool attached;
	int64_t attach_ns;
	/* the newest rotation that left nothing out, or at least brought the newest generation; 0: never */
	int64_t rotated_ns;
	bool came;     /* it was seen to be attached, and since then neither rotated nor recorded anywhere */
	bool unplaced; /* gone again after that, or not found at a stock-take: nobody recorded where it is */
	const char *destination; /* where the last rotation said it would be taken; "" once it was moved */
	/* who has it in hand: as the newest record says that was about that; "" */
	const char *custodian;
	int64_t moved_ns; /* of the newest medium-moved; 0: never */
	/* how far its copy of the journal went when this host last wrote it; 0, "": never */
	uint64_t copy_seq;
	char copy_sha256[DIGEST_HEX];
	struct ledger_copy_mark *marks; /* of one kept offline: every such copy, ascending; n_marks */
	size_t n_marks;
	uint64_t turns; /* how often it was rotated */
	/* what its newest rotation with more than LEDGER_PACE_MIN bytes measured; ms 0: none has */
	struct ledger_pace wrote, read;
	/* of the newest "strangers" record of it: which files that are not ours lie on it; "": none */
	char strangers_sha256[DIGEST_HEX];
	/* what was last found wrong with that copy and not mended since, "truncated", "rolled-back" or
	 * "forked", and from which line on; "" */
	const char *copy_fault;
	uint64_t copy_fault_line;
	int64_t retired_ns; /* a person gave it up: nothing on it counts, its name is free; 0: not */
	/* what people recorded of it (medium-data), by LEDGER_MEDIUM_DATA's names; NULL: nothing */
	const struct json_t *data;
	const struct json_t *lent; /* the record medium-lent, while it is lent: to, until, reason; or NULL */
	int64_t counted_ns;	   /* seen at a stock-take last; 0: never */
	int64_t missing_ns;	   /* looked for at a stock-take and not found, nor seen since; 0: not */
	int64_t lost_ns; /* recorded as lost: nothing on it counts until it is found and read back; 0: not */
	bool full; /* it had no room for what was last written to it, and nothing expired from it since */
	char docs_sha256[DIGEST_HEX]; /* of the newest "documents" record of it; "": none */
	uint64_t free;	 /* bytes free on it when something was last brought to it or read back from it */
	int64_t free_ns; /* when that was; 0: it was never told */
	int64_t read_ns[LEDGER_PARTS]; /* when each part of it was last read again (rereading.h); 0: never */
	/* of a disc: which archives of generations that are larger than one it holds (docs/format-writer.md, section 9); NULL: none */
	const struct json_t *parts;
};

/* A time in which a medium was attached, as far as records tell: somewhere between `away` and `here` it came, somewhere
 * between `last` and `gone` it went. */
struct ledger_stay {
	int64_t
	    away_ns; /* the last record by which it was away; of a new medium that by which it was registered */
	int64_t here_ns;    /* the first by which it was here */
	int64_t last_ns;    /* the last by which it was here */
	int64_t gone_ns;    /* the first by which it was gone; 0: none yet */
	int64_t rotated_ns; /* its last rotation in this time; 0: none */
	bool doubtful;	    /* the clock was moved meanwhile: no figure follows from these times */
};

/* The members of medium-data; which of them are dates: ledger_data_is_date(). */
#define LEDGER_MEDIUM_DATA                                                                                   \
	{                                                                                                    \
		"maker", "model", "serial", "bought", "use_until", "support_until", "lock", "writing"        \
	}
#define LEDGER_MEDIUM_DATA_N 8

struct ledger_copy {
	const char *medium; /* UUID */
	const char *label;  /* as of the record */
	bool ok;	    /* the generation is there: committed to it, or copied later */
	bool frozen;	    /* immutable flags were set */
	const char *reason; /* why not, or "" */
	/* last time it was read back and compared; 0: never, or files were brought or found damaged since */
	int64_t verified_ns;
	int64_t damaged_ns;	/* last time it was found damaged, unless it verified since; 0: never */
	int64_t copied_ns;	/* brought there from another medium; 0: never */
	int64_t expired_ns;	/* expired there: not to be brought again; 0: never */
	uint64_t expired_bytes; /* of archives that went with it then */
	bool approved;		/* an approver signed for that expiry */
};

/* One data set as one run captured it, or was to: run 42 makes emr@42 and documents@42. */
/* format/medium/period.h */
struct ledger_period {
	uint32_t number, revision;
	char recipient[64];	 /* "age1…" */
	char sha256[DIGEST_HEX]; /* of the revision in force */
	uint64_t first_run;	 /* that encrypts to it */
	uint64_t renew_before;	 /* what runs before this one stored is stored anew; 0: nothing is */
};

struct ledger_generation {
	const char *dataset;
	uint64_t number;  /* of the run */
	const char *uuid; /* of the run */
	enum ledger_state state;
	int64_t begun_ns; /* of the run */
	/* begun while the clock had jumped and nobody had attested it: begun_ns cannot be relied on */
	bool undated;
	unsigned group;	  /* equal, and not 0, of those that its run captured together; 0: it stands alone */
	uint32_t epoch;	  /* of its begin record: the key that signs it */
	uint32_t period;  /* in force then: whose key it is encrypted to */
	int64_t ended_ns; /* time of the committed or failed record; 0: none */
	bool recovered;
	const char *reason; /* why it failed, or has no probe's value; or "" */
	char manifest_sha256[DIGEST_HEX];
	uint64_t archives, archive_bytes, new_bytes;
	uint64_t former_bytes; /* of archive_bytes: stored under a former period (format/medium/period.h) */
	enum ledger_verdict verdict; /* LEDGER_PENDING until it is committed or failed */
	uint64_t entries, files, bytes, unreadable, changed, skipped;
	struct guard guard;
	const char *suspicion;		     /* why the guard found it suspect, or "" */
	const char *notice;		     /* what would have been that, had nobody announced it; or "" */
	const struct guard_canary *canaries; /* as found, when they were first seen or had changed */
	size_t n_canaries;
	const struct json_t
	    *placed_wrong; /* numbers of canaries that bkp made and found changed or gone; or NULL */
	const struct ledger_copy *copies;
	size_t n_copies;
	bool suspect;	      /* the guard found it suspect, and nobody has accepted it */
	int64_t accepted_ns;  /* somebody accepted it as good; 0: never */
	int64_t held_ns;      /* held now: never expires; 0: not */
	int64_t released_ns;  /* was held until then; 0: never, or it is held again */
	const char *held_why; /* or "" */
	bool proved;	      /* a copy of it was read back and compared once, whatever became of it since */
	const char *version; /* of the source's software, as it said itself (the policy's `version`); or "" */
	const char *host;    /* that captured it; or "" */
};

/* What was agreed of a data set's retention: the least that holds whatever the policy says, until it is
 * lowered with the root key. */
struct ledger_agreed {
	const char *name;
	uint64_t generations, protect_s;
	uint64_t daily, weekly, monthly, yearly;
};

/* The clock was found to have jumped forward and nobody has attested it since. */
struct ledger_latch {
	int64_t found_ns; /* wall time of the record, as the clock said then; 0: not latched */
	int64_t seconds;  /* how far: > 0 forward */
	/* what told: "monotonic", "journal", "filesystem"; NULL or "" while not latched */
	const char *source;
	uint64_t attested; /* generations up to this number were begun before the clock was last attested */
};

struct ledger_outcome {
	const char *command; /* "run" … */
	int64_t ended_ns;
	int exit;
	int signal;	  /* that ended it early, or 0 */
	const char *line; /* what a person was told, or "" */
};

/* Was anybody told, when somebody was to be told last? */
struct ledger_notified {
	int64_t at_ns; /* 0: never tried */
	bool ok;
	const char *reason; /* why not; NULL or "" */
};

/* A use of a recovery key that was taken over into the journal: what the slip says (format/journal/use_slip.h), and more. */
struct ledger_use {
	uint64_t seq;		     /* of its record */
	int64_t at_ns;		     /* as the slip says, but not after its record */
	const struct json_t *record; /* whole: the slip's members, "slip_sha256", "signed_by" */
	bool declared;		     /* nobody has signed it (申告) */
	bool reviewed;		     /* a manager has looked at it */
};

/* A drill (復旧訓練) or a recovery that was taken over into the journal: what is kept of it (format/journal/drill_slip.h), and more. */
struct ledger_drill {
	uint64_t seq;		     /* of its record */
	int64_t at_ns;		     /* when it ended, as it says, but not after its record */
	const struct json_t *record; /* whole: drill_slip's members, "file_sha256", "signed_by" */
	bool declared;		     /* nobody has signed it (申告) */
	bool proves;		     /* drill_slip_proves() */
};

/* A finding (指摘) of a drill, a recovery or an audit: what is to be mended, until somebody records that it is (確認). */
struct ledger_finding {
	char id[32];  /* "41.2": the second of record 41 */
	uint64_t seq; /* of the record that raised it */
	int64_t at_ns;
	const struct json_t *raised; /* "text", "owner", "due": "2026-11-30" */
	const struct json_t
	    *measure; /* the record of the last measure (対応): "text", "due" or null; or NULL */
	const struct json_t *closed; /* that of its end (確認): "text"; or NULL */
	char due[16];		     /* as it was said last */
	const char *title;	     /* of the drill's procedure; or NULL */
};

/* The newest generation of a data set that a holder has opened in a key drill in which everything opened. */
struct ledger_opened {
	const char *dataset;
	uint64_t generation;
	int64_t begun_ns; /* of the generation */
	bool declared;
};

struct ledger_envelope {
	const char *number, *person, *seal, *place, *holder;
	const char *why; /* it was opened last, as far as that was recorded by hand; or "" */
	int64_t added_ns, sealed_ns;
	int64_t opened_ns, drilled_ns; /* last, by whatever record; 0: never */
	bool open;		       /* and nobody has recorded that it was sealed again */
	bool retired;
};

/* Canaries that bkp made in a data set, by number: their paths stand in a list in the state folder (write/canary/canary.h), for folders
 * may be called by patients. */
struct ledger_placed {
	const char *dataset;
	char list_sha256[DIGEST_HEX]; /* of that list */
	uint64_t last;		      /* the highest number ever given */
	uint64_t removed; /* the run that was next when all there were then were removed; 0: never */
	struct ledger_placed_canary {
		uint64_t number;
		char sha256[DIGEST_HEX]; /* of its content */
		bool given_up;		 /* found changed or gone in a generation that a person accepted */
	} * all;			 /* ascending */
	size_t n;
};
#define LEDGER_PLACED_MAX 64 /* of a data set */

/* A change that somebody announced to the guard.  The texts live in the record. */
struct ledger_announcement {
	uint64_t number; /* from 1 */
	const char *text, *person;
	const struct json_t *datasets; /* names */
	uint32_t expects;	       /* enum guard_expect */
	int64_t announced_ns, from_ns, until_ns;
	bool over; /* a record is later than until_ns: a clock that is set back does not bring it back */
	int64_t ended_ns; /* early; 0: not */
	const char *ended_by;
	const struct json_t *record;
};

struct ledger;

/* Called with each record once it counts, and the ledger as of it.  0, or -1 with err set: reading ends. */
typedef int ledger_follow_fn(
    void *arg, const struct ledger *l, const struct journal_record *r, struct err *err);
/* As ledger_load_file(), with that; the signature of each record is checked by itself. */
int ledger_follow_file(struct store_file *file, const char *name, ledger_follow_fn *follow, void *arg,
    struct ledger **ret, struct err *err) __attribute__((warn_unused_result));

/* Reads the journal in the folder.  root: the key of epoch 1, or NULL: take it from the init record.
 * 0, LEDGER_ABSENT (E-LEDGER-03), -1. */
#define LEDGER_ABSENT 1
int ledger_load(int dirfd, const struct minisig_public *root, struct ledger **ret, struct err *err)
    __attribute__((warn_unused_result));
/* The same from an open file.  `each`, unless NULL, sees every record, and none of which
 * the signature was not checked; without it one signature vouches for the lines of the same epoch before it
 * (journal_check_vouch). */
typedef int ledger_each_fn(void *arg, const struct journal_record *r, struct err *err);
int ledger_load_file(struct store_file *file, const char *name, const struct minisig_public *root,
    ledger_each_fn *each, void *arg, struct ledger **ret, struct err *err)
    __attribute__((warn_unused_result));
/* As it was after its first `upto` records (as many as there are, at least one): what stands behind them is not looked at. */
int ledger_load_until(struct store_file *file, const char *name, const struct minisig_public *root,
    uint64_t upto, struct ledger **ret, struct err *err) __attribute__((warn_unused_result));
/* As far as the journal is valid: *ret_why (code "" when that is all of it) says what is wrong with the first
 * line after ledger_size().  A journal without a first record is -1. */
int ledger_load_valid(int dirfd, const struct minisig_public *root, struct ledger **ret, struct err *ret_why,
    struct err *err) __attribute__((warn_unused_result));
/* An empty ledger, for a journal whose first record is about to be taken. */
int ledger_new(const struct minisig_public *root, struct ledger **ret, struct err *err);
void ledger_free(struct ledger *l);

/* Would the fold accept this event next?  Asked before a record is written, so that a journal never holds one
 * that its readers refuse. */
int ledger_accepts(const struct ledger *l, const char *event, const struct json_t *members, struct err *err)
    __attribute__((warn_unused_result));
/* The same of the finished line: is it what the next record must be?  Changes nothing. */
int ledger_would(const struct ledger *l, const void *line, size_t n, struct err *err)
    __attribute__((warn_unused_result));
/* Checks the next line (no newline) and folds it in.  After a failure the ledger is behind the journal, or
 * holds half a record: it is good for looking, not for the next line. */
int ledger_take(struct ledger *l, const void *line, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* What if this were recorded at that time?  Folds it in without a line and without a signature: from here on it is a ledger of
 * what might be, for a forecast, and no record may be taken any more.  members is consumed. */
int ledger_suppose(struct ledger *l, int64_t at_ns, const char *event, struct json_t *members,
    struct err *err) __attribute__((warn_unused_result));

const char *ledger_repository(const struct ledger *l);
const struct minisig_public *ledger_root(const struct ledger *l); /* key of epoch 1 */
/* Keys of all epochs so far, epoch 1 at index 0; the last one signs the next record. */
const struct minisig_public *ledger_keys(const struct ledger *l, size_t *ret_n);
uint32_t ledger_epoch(const struct ledger *l);	 /* the newest: how many keys there are */
int64_t ledger_epoch_ns(const struct ledger *l); /* wall time of the record that named its key */
/* The records that hand over from one epoch to the next, byte for byte, each with its newline: keys.jsonl. */
const uint8_t *ledger_links(const struct ledger *l, size_t *ret_n);
/* Whose key is in force: what is captured from now on is encrypted to it. */
const struct ledger_period *ledger_period(const struct ledger *l);
int64_t ledger_created_ns(const struct ledger *l); /* of the init record */

uint64_t ledger_seq(const struct ledger *l);	    /* of the head; also the number of records */
const uint8_t *ledger_head(const struct ledger *l); /* SHA-256 of the head's line, DIGEST_LEN bytes */
int64_t ledger_head_ns(const struct ledger *l);	    /* wall time of the head */
struct clock_stamp ledger_head_stamp(
    const struct ledger *l);		      /* all of its clock; zeros: there is no record */
uint64_t ledger_size(const struct ledger *l); /* bytes of the journal up to and with the head's newline */
bool ledger_torn(const struct ledger *l);     /* bytes without a newline follow ledger_size() */

/* A record: the SHA-256 of its line, and its time.  NULL: there is none of that number. */
struct ledger_head {
	uint8_t sha256[DIGEST_LEN];
	int64_t at_ns;
};
const struct ledger_head *ledger_head_of(const struct ledger *l, uint64_t seq);
/* What a witness signs: that record was the last one (approval_head()).  0, or -1 with E-JOURNAL-30. */
struct buf;
int ledger_head_statement(const struct ledger *l, uint64_t seq, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* A countersignature (連署): a person's own key stands for the journal up to a record.  Those that are on record; the one that reaches
 * furthest (NULL: there is none); that of this key over this record (NULL). */
struct ledger_countersign {
	uint64_t seq; /* of its own record */
	int64_t at_ns;
	uint64_t upto;
	bool known; /* the policy had that key then; else it was only given */
	const char *name, *key;
};
size_t ledger_countersigns(const struct ledger *l);
const struct ledger_countersign *ledger_countersign(const struct ledger *l, size_t i);
const struct ledger_countersign *ledger_countersigned(const struct ledger *l);
/* Has this person, whose key the policy had, signed that very record? */
bool ledger_signed_by(const struct ledger *l, uint64_t seq, const char *name);
const struct ledger_countersign *ledger_countersigned_same(
    const struct ledger *l, uint64_t upto, const char *key);

size_t ledger_media(const struct ledger *l);
const struct ledger_medium *ledger_medium(
    const struct ledger *l, size_t i); /* in the order of registration */
const struct ledger_medium *ledger_medium_by_uuid(const struct ledger *l, const char *uuid); /* or NULL */
const struct ledger_medium *ledger_medium_by_label(
    const struct ledger *l, const char *label); /* neither retired nor lost; or NULL */
/* The same, or one of that name that is lost and not retired. */
const struct ledger_medium *ledger_medium_known(const struct ledger *l, const char *label);
/* As people recorded it, or ""; where nobody said a serial number that of the disk. */
const char *ledger_medium_data(const struct ledger_medium *m, const char *name);
bool ledger_data_is_date(const char *name);

/* Ascending; the last one may be going on.  uuid: of a medium. */
const struct ledger_stay *ledger_stays(const struct ledger *l, const char *uuid, size_t *ret_n);

size_t ledger_generations(const struct ledger *l);
/* Ascending by number; those of one run in the order in which it was to capture them. */
const struct ledger_generation *ledger_generation(const struct ledger *l, size_t i);
const struct ledger_generation *ledger_generation_of(
    const struct ledger *l, const char *dataset, uint64_t number); /* or NULL */
/* Those of one run are the n from index *ret_first on; 0: there was no such run. */
size_t ledger_run(const struct ledger *l, uint64_t number, size_t *ret_first);
/* Which generation of the data set a selector means: the number, of one that is committed; 0: there is none.  The only answer
 * here that depends on the clock and the local time zone. */
uint64_t ledger_select(const struct ledger *l, const struct selector *s, const char *dataset);
/* What a reported generation must be, for verify_options.record.  1: known, 0: it is not reported. */
int ledger_generation_record(
    const struct ledger *l, const char *dataset, uint64_t number, struct verify_record *ret);
/* Of the data set, or (NULL) of any; or NULL */
const struct ledger_generation *ledger_last_committed(const struct ledger *l, const char *dataset);
/* What is recorded of its copy on the medium, whatever became of it; NULL: nothing.  g may be NULL. */
const struct ledger_copy *ledger_copy_in(const struct ledger_generation *g, const char *medium);
/* The copy that is there of a generation that is committed, or NULL. */
const struct ledger_copy *ledger_copy_there(const struct ledger_generation *g, const char *medium);
/* Is it good: its verdict is, or it is partial and a person accepted it as it is? */
bool ledger_good(const struct ledger_generation *g);
/* Does it count?  The one rule for floors, 3-2-1, expiry and what is due next: it is committed, good, and not suspect unless
 * accepted; and so are all that its run captured together with it.  Whether a copy of it is verified on a medium is asked beside it. */
bool ledger_counts(const struct ledger *l, const struct ledger_generation *g);
/* Is its copy on the medium verified, and not found damaged since; and are those of all that were captured together with it? */
bool ledger_sound_on(const struct ledger *l, const struct ledger_generation *g, const char *medium);
/* What its run captured together with it: the first one behind `after` (NULL: of all); NULL: there is no more. */
const struct ledger_generation *ledger_companion(
    const struct ledger *l, const struct ledger_generation *g, const struct ledger_generation *after);
/* What a canary of the data set must be: SHA-256 as hex as it was first found, or as in the generation that
 * was accepted last; "": it must not be there; NULL: never seen. */
const char *ledger_canary(const struct ledger *l, const char *dataset, const char *path);
/* The canaries that bkp made in it; NULL: none ever. */
const struct ledger_placed *ledger_placed(const struct ledger *l, const char *dataset);
bool ledger_placed_given_up(const struct ledger_placed *p, uint64_t number);
size_t ledger_drills(const struct ledger *l);
const struct ledger_drill *ledger_drill(const struct ledger *l, size_t i);
/* The one that a record of these members would be once more, or NULL. */
const struct ledger_drill *ledger_drill_same(const struct ledger *l, const struct json_t *members);
/* The generation of the data set that was brought back in it (tried: or was to be), if it is one that was captured here; or NULL. */
const struct ledger_generation *ledger_drill_restored(
    const struct ledger *l, const struct ledger_drill *d, const char *dataset, bool tried);
/* The newest that proves that the data set can be brought back, and from which generation; or NULL. */
const struct ledger_drill *ledger_drilled(
    const struct ledger *l, const char *dataset, const struct ledger_generation **ret_from);
/* The newest drill or recovery that was to bring one of its generations back, and failed; or NULL. */
const struct ledger_drill *ledger_drilled_in_vain(const struct ledger *l, const char *dataset);
size_t ledger_findings(const struct ledger *l);
const struct ledger_finding *ledger_finding(const struct ledger *l, size_t i);		   /* as they came */
const struct ledger_finding *ledger_finding_named(const struct ledger *l, const char *id); /* or NULL */
/* Not closed, and its day has passed. */
bool ledger_finding_overdue(const struct ledger_finding *f, int64_t now_ns);
/* Those in force when they were last looked at: [{"name", "sha256"}]; NULL: nobody has looked. */
const struct json_t *ledger_procedures(const struct ledger *l);
bool ledger_procedure_is(const struct ledger *l, const char *sha256); /* one of them */
/* The newest record by which a procedure of these bytes was approved: "name", "operator", "signed_by" (NULL: declared only), "time"; NULL:
 * nobody has approved it. */
const struct json_t *ledger_approved(const struct ledger *l, const char *sha256);
/* The newest record by which a manager approved the operating rules: "clauses", "lang", "sha256", "operator", "signed_by", "time"; or NULL. */
const struct json_t *ledger_regulation(const struct ledger *l);
/* Announced changes, as they came.  Is it in force then, and of that data set (NULL: of any)?  None is while the clock is latched. */
size_t ledger_announcements(const struct ledger *l);
const struct ledger_announcement *ledger_announcement(const struct ledger *l, size_t i);
bool ledger_announced(
    const struct ledger *l, const struct ledger_announcement *a, const char *dataset, int64_t now_ns);
/* The newest generation that the guard found suspect and that nobody has accepted or held yet, or NULL.
 * While there is one nothing may be expired anywhere, and it is brought to no medium that is kept offline. */
const struct ledger_generation *ledger_frozen_by(const struct ledger *l);
uint64_t ledger_next_run(const struct ledger *l); /* highest begun + 1 */
/* Highest next_archive recorded of the data set; 1 at first. */
uint64_t ledger_next_archive(const struct ledger *l, const char *dataset);

/* The newest "policy" record: SHA-256 of the policy's bytes as hex; "" none. */
const char *ledger_policy_sha256(const struct ledger *l);
/* Changes of the policy by which less is captured or guarded, and that nobody has accepted yet: how many, the
 * first one (a text; NULL: none), and since when. */
size_t ledger_narrowed(const struct ledger *l, const char **ret_first, int64_t *ret_since_ns);
/* NULL: nothing was agreed of it. */
const struct ledger_agreed *ledger_agreed(const struct ledger *l, const char *dataset);
size_t ledger_agreements(const struct ledger *l);
const struct ledger_agreed *ledger_agreement(const struct ledger *l, size_t i);
/* Public keys (RW…) of which one must approve an expiry; none: nobody needs to. */
size_t ledger_approvers(const struct ledger *l);
const char *ledger_approver(const struct ledger *l, size_t i);
const struct ledger_latch *ledger_latch(const struct ledger *l); /* never NULL */
/* What the stamps of all records say of the clock (clockskew.h); never NULL. */
struct clockskew_track;
const struct clockskew_track *ledger_clock(const struct ledger *l);
/* The records that approvals refer to: the "agreed" in force, the "clock-jump" that latched; seq 0: none. */
struct approval_record ledger_agreed_at(const struct ledger *l);
struct approval_record ledger_latch_at(const struct ledger *l);
/* Would an "agreed" record with these members agree to less than what is in force?  Then it needs an approval
 * by the root key.  why (may be NULL): the first thing that is less, for people. */
#define LEDGER_WHY 256
bool ledger_agrees_to_less(const struct ledger *l, const struct json_t *members, char why[LEDGER_WHY]);
/* The last outcome of that command, or NULL. */
const struct ledger_outcome *ledger_outcome(const struct ledger *l, const char *command);
const struct ledger_notified *ledger_notified(const struct ledger *l); /* never NULL */

/* Uses of recovery keys, as they came; how many of them nobody has looked at since the last sign-off (at *ret_since_ns; 0: never),
 * and how many of those are declared only. */
size_t ledger_uses(const struct ledger *l);
const struct ledger_use *ledger_use(const struct ledger *l, size_t i);
size_t ledger_uses_new(const struct ledger *l, size_t *ret_declared, int64_t *ret_since_ns);
/* NULL: nobody has. */
const struct ledger_opened *ledger_opened(const struct ledger *l, const char *dataset);
/* What did not open in the newest key drill: how many; *ret_ns: of that drill (0: there was none). */
uint64_t ledger_drill_failed(const struct ledger *l, int64_t *ret_ns);
size_t ledger_envelopes(const struct ledger *l);
const struct ledger_envelope *ledger_envelope(const struct ledger *l, size_t i);
/* Not retired, or NULL. */
const struct ledger_envelope *ledger_envelope_of(const struct ledger *l, const char *number);

/* SHA256SUMS of the tools that a person accepted last; "": none. */
const char *ledger_tools_accepted(const struct ledger *l);

/* Words of the format. */
const char *ledger_verdict_word(enum ledger_verdict v); /* "good" …; "pending" */
const char *ledger_state_word(
    enum ledger_state s); /* "begun", "committed", "failed", "abandoned", "expired" */

#endif
