/* schedule: what starts `bkp run` at night: a file for cron, or a service and a timer of systemd.
 *
 *     cron     /etc/cron.d/NAME
 *     systemd  /etc/systemd/system/NAME.service and NAME.timer
 *
 * schedule_look() says what is there.  schedule_install() writes what the policy needs today, durably, one
 * rename for each file; installing twice changes nothing.  schedule_remove() takes away.  Both touch only
 * files that bkp wrote and nobody has changed since: the first line of each carries the SHA-256 of the rest.
 * The second says for which policy and with which options it was written, so that it can be written again.
 *
 * If the process dies half-way one of the two files of systemd is there; the same command again completes it.
 *
 * Errors: E-SCHED-01 somebody else's file, E-SCHED-02 changed by hand, E-SCHED-03 for another policy,
 * E-SCHED-04 a path or word that cannot stand there, E-SCHED-05 no such folder; those of io.h.
 */
#ifndef BKP_WRITE_STATE_SCHEDULE_H
#define BKP_WRITE_STATE_SCHEDULE_H

#include <limits.h>
#include <stddef.h>

#include "base/buf.h"

struct err;
struct policy;

enum schedule_kind { SCHEDULE_CRON, SCHEDULE_SYSTEMD, SCHEDULE_KINDS };
const char *schedule_word(enum schedule_kind kind); /* "cron", "systemd" */

#define SCHEDULE_WORD 128
struct schedule {
	enum schedule_kind kind;
	char root[PATH_MAX];	    /* the files lie below; "" for the system itself */
	char name[SCHEDULE_WORD];   /* "bkp" */
	char program[PATH_MAX];	    /* absolute */
	char policy[PATH_MAX];	    /* absolute */
	char user[SCHEDULE_WORD];   /* who runs it */
	char mailto[SCHEDULE_WORD]; /* cron only; "": cron's own default */
	char root_key
	    [SCHEDULE_WORD]; /* of the repository that is meant; "": whatever stands in the state folder */
};

enum schedule_state {
	SCHEDULE_ABSENT,
	SCHEDULE_FITS,
	SCHEDULE_OUTDATED, /* the policy, or what is to be run, is another one since */
	SCHEDULE_EDITED,   /* bkp wrote it, somebody changed it */
	SCHEDULE_OTHER,	   /* bkp wrote it for another policy */
	SCHEDULE_FOREIGN,  /* bkp did not write it */
};
const char *schedule_state_word(enum schedule_state s); /* "absent", "fits" … (JSON) */

#define SCHEDULE_FILES 2
struct schedule_file {
	char path[PATH_MAX];
	struct buf text; /* what it should be */
};
/* The files that this schedule consists of; the buffers are the caller's to free.  0, -1. */
int schedule_render(const struct schedule *s, const struct policy *policy,
    struct schedule_file files[SCHEDULE_FILES], size_t *ret_n, struct err *err)
    __attribute__((warn_unused_result));

/* What is there for kind, root and name.  For the policy path in `s` (or any, when ""); program, user and
 * mailto of `s` are filled in from the files unless something stands there already.  The worst of both files
 * counts.  0, -1. */
int schedule_look(struct schedule *s, const struct policy *policy, enum schedule_state *ret, struct err *err)
    __attribute__((warn_unused_result));

/* program, policy and user must be filled in.  0, SCHEDULE_UNCHANGED: all of it was there already, -1. */
#define SCHEDULE_UNCHANGED 1
int schedule_install(const struct schedule *s, const struct policy *policy, struct err *err)
    __attribute__((warn_unused_result));
/* 0, SCHEDULE_UNCHANGED: there was nothing, -1. */
int schedule_remove(const struct schedule *s, struct err *err) __attribute__((warn_unused_result));

#endif
