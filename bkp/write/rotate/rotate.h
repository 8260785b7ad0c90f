/* rotate: one medium kept offline is brought up to date, checked and sealed (媒体ローテーション).
 *
 * rotate_run() is one transaction.  The steps, and the function that makes each:
 *   0. rotate_allowed()        a generation is suspect and nobody has decided: nothing is looked at or written.
 *      rotate_find()           the medium is there.
 *      rotate_turn()           of its pool no other is attached, and it is not the newest offline copy while another can be used.
 *      rotate_prove()          no other disk with its identity is attached; it is the one registered: identity, file
 *                              system, disk (device.h); neither it nor the media that are copied from know more than this
 *                              host (journal_copies.h), and it is not as it was on a former day (rollback.h).  Up to here
 *                              nothing is written: rotate_judge() asks these two of a disk before it is mounted for writing.
 *      rotate_open()           it can be written to.  Up to here nothing is recorded; on the medium at most tmp/ was emptied
 *                              (vault_w_open()).
 *      rotate_begin()          a new signing key when one is due; what is wrong with the copy of the journal;
 *                              journal "medium-attached" unless it is recorded as attached already; the keys to all
 *                              these media.
 *   1. prepare_medium()        public files of the repository that the medium lost are written again; has the clock
 *                              been moved (clockwatch.h); what an expiry that was interrupted left is judged again,
 *                              told, and, when a person has agreed to it, finished (reap.h).  What an interrupted run
 *                              left open is not this command's business: only committed generations are copied.
 *   2. rotate_refill()         newest generation first (refill.h), so that a medium that fills up holds what matters
 *                              most; each is read back from the device and recorded.  What the journal says is on the
 *                              medium is looked for; copies that lost files get them again.
 *   3. rotate_recheck()        copies that were not read back within `recheck_s` are read back too, or the parts that are due.
 *   4. rotate_seal()           every file of every generation on it carries the immutable flag, where the file system
 *                              can.
 *   5. bring_docs(), replaced_tell()  what people need who have only this medium: README.txt, tools/, procedures/
 *                              (medium_docs.h), and what of it somebody else had changed.
 *   6. synchronise()           syncfs: what is on the medium stays there if it is pulled out now.
 *      record_rotated()        journal "rotated" with operator and place: the commit.
 *      put_journals()          a copy of the whole journal to the medium, and where that is possible to the online
 *                              media; then synchronise() again.
 * No byte of a generation that was on the medium before is changed at any moment; generations appear by one rename
 * each.  If the process dies, the medium holds whole generations only, and running the command again goes on.
 *
 * Errors: E-ROTATE-01 the medium is not declared offline, E-ROTATE-02 it is not attached, E-ROTATE-03 several
 * are attached (name one), E-ROTATE-04 no other medium is there to copy from, E-ROTATE-05 it is attached for
 * reading only, E-ROTATE-06 there is no generation yet, E-ROTATE-07 no place is stated, E-ROTATE-08 it failed
 * on the way, E-ROTATE-10 another medium of its pool is attached, E-ROTATE-11 it holds the newest offline copy
 * and another is due, E-ROTATE-20 it is as it was on a former day, E-ROTATE-21 two disks with its identity are
 * attached, E-ROTATE-22 it holds generations that are signed with this host's keys and that this host does not know,
 * E-ROTATE-23 a rollback was accepted and there is none, E-GUARD-02 a generation is suspect and nobody has decided:
 * nothing is looked at or written;
 * E-MEDIA-*, E-DEVICE-*.
 */
#ifndef BKP_WRITE_ROTATE_ROTATE_H
#define BKP_WRITE_ROTATE_ROTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "write/copies/refill.h"
#include "write/copies/reread.h"
#include "write/media/medium_docs.h"

struct policy;
struct policy_medium;
struct reap_leftover;
struct state;

#define ROTATE_RECHECK_NONE   (-1)
#define ROTATE_RECHECK_PERIOD (-2) /* what the policy's verify_every makes due (rereading.h) */

/* Where the pace comes from: what this medium's last rotation measured, what another one's of its type did, or nothing. */
enum rotate_pace { ROTATE_GUESSED, ROTATE_MEASURED_OTHER, ROTATE_MEASURED };
struct rotate_expected {
	const char *medium;
	uint64_t generations, bytes; /* to be copied, and read back */
	uint64_t reread;	     /* bytes of older copies that are read again, about */
	uint64_t seconds;
	enum rotate_pace pace;
};

struct rotate_config {
	struct state *state;
	const struct policy *policy;
	const char *medium;   /* name, or NULL: the one offline medium that is attached */
	const char *operator; /* who does it; UTF-8, not empty */
	const char *place;    /* where it will be taken; UTF-8; NULL: the policy's, else the recorded one */
	int64_t recheck_s;    /* 0: every copy; ROTATE_RECHECK_NONE: none but those that were just brought */
	bool out_of_turn; /* the medium that is due cannot be had, the operator says (read/rules/turns.h) */
	bool yes;	  /* the operator agrees to what an interrupted expiry is about to delete (reap.h) */
	const char *accept_rollback; /* why a person takes the disk as it was on a former day; or NULL */
	struct medium_docs_sources docs;
	/* what it will take, before the first byte; may be NULL */
	void (*expect)(void *arg, const struct rotate_expected *e);
	/* what is being done (a text of text(), the same pointer for the same), bytes, of how many (0: not
	 * known); may be NULL */
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	/* what an interrupted expiry left on it, before anything is deleted (reap.h) */
	void (*about)(void *arg, const struct reap_leftover *l);
	void *arg;
};

struct rotate_result {
	const struct policy_medium *medium;
	char *path;	   /* where it is attached */
	char *mount_point; /* to be unmounted, or NULL when it is not a mount of its own */
	/* the caller mounted it and has unmounted it; and waits until it is gone, and records that */
	bool unmounted, awaited;
	char *place; /* where it is to be taken */
	struct rotate_expected expected;
	struct refill_result refill;
	uint64_t number;      /* its number, from 1 on */
	uint64_t generations; /* verified ones on it now */
	uint64_t newest;
	int64_t newest_ns;
	bool current; /* the newest generation of every data set that it is to hold is on it, verified */
	uint64_t rechecked;
	struct reread_result reread; /* parts of it that were read again */
	struct err parity_why;	     /* W-PARITY-01, or code "" */
	uint64_t damaged;	     /* copies on it that are recorded as damaged */
	struct err damaged_why;	     /* what this run found */
	uint64_t unfrozen;	     /* files that could not be made immutable */
	int unfrozen_errno;
	struct err history; /* what is wrong with its copy of the journal (journal_copies.h), or code "" */
	bool docs_complete; /* the static program is there, and all procedures */
	struct err docs_why;
	struct err strangers, beside; /* files on it that are not ours (strangers.h) */
	struct err replaced,
	    replaced_source; /* files that were not what was written, on it, on an online one (replaced.h) */
	struct err turn;     /* what is out of order in its pool's turns, or code "" */
	struct err clock;    /* the clock was moved: what a person should hear, or code "" */
	struct err reaped;   /* why an expiry that was interrupted could not be finished, or code "" */
	uint64_t finished;   /* generations that it recorded and that this rotation deleted */
	uint64_t may_go;     /* generations that an expiry would take off it, when it is full */
};

/* 0: rotated (see refill.missing and damaged for what a person should look at); -1: not rotated.  *ret is
 * filled as far as it came in both cases; rotate_result_free(). */
/* Would it be refused before anything is looked at?  0, or -1: E-GUARD-02. */
int rotate_allowed(const struct state *state, const struct policy *policy, struct err *err)
    __attribute__((warn_unused_result));
/* Will this medium, at that path, be refused?  Asked of a disk that is mounted so that not a bit of it changes (disk_prove()), before it
 * is mounted for writing; it is closed again.  0; ROTATE_ANOTHER: E-ROTATE-10, -11: another one is to be brought; -1: any other refusal. */
#define ROTATE_ANOTHER 1
int rotate_judge(const struct rotate_config *cfg, const struct policy_medium *m, const char *path,
    struct err *err) __attribute__((warn_unused_result));
int rotate_run(const struct rotate_config *cfg, struct rotate_result *ret, struct err *err)
    __attribute__((warn_unused_result));
void rotate_result_free(struct rotate_result *r);

#endif
