/* attendance: which media are attached now, and the record of their coming and going.
 *
 * A medium is attached when its signed identity stands at the place where it is expected: the policy's path,
 * the path recorded at its registration, or (offline media) the mount point of any file system or a folder of
 * the same last component directly below one.  Nothing is believed that medium_open() does not believe.
 * Errors: those of medium_open(), E-DEVICE-01 the list of mounts cannot be read.
 */
#ifndef BKP_WRITE_MEDIA_ATTENDANCE_H
#define BKP_WRITE_MEDIA_ATTENDANCE_H

#include <stddef.h>

#include "read/rules/compliance.h"

struct err;
struct json_t;
struct ledger;
struct ledger_medium;
struct minisig_public;
struct policy;
struct policy_medium;
struct state;

struct attendance_keys {
	const char *repository;
	const struct minisig_public *keys;
	size_t n_keys;
};

/* No medium in use has that name: E-MEDIA-20 it is lost, E-MEDIA-06 it is not registered.  path: the policy's, or NULL.  Returns -1. */
int attendance_unregistered(const struct ledger *l, const char *name, const char *path, struct err *err);

/* Where the medium is attached: 1 and its path in ret_path (malloc'd); 0 nowhere (err says what stands at the
 * expected place instead, in medium_open()'s words, E-MEDIA-01 to 04, E-MEDIA-06: not registered, or
 * E-MEDIA-18: plugged in, but not mounted); -1 it cannot be told, because an expected place cannot be looked
 * at. */
int attendance_find(const struct ledger *l, const struct attendance_keys *k, const struct policy_medium *m,
    char **ret_path, struct err *err) __attribute__((warn_unused_result));

/* Is there, beside the one at `path`, another file system with the same identity?  1 and its path in ret_path (malloc'd), 0, or
 * -1: out of memory.  The same folder mounted twice is no other. */
int attendance_twin(const struct ledger *l, const struct attendance_keys *k, const struct policy_medium *m,
    const char *path, char **ret_path, struct err *err) __attribute__((warn_unused_result));

/* Looks for every medium of the policy; one that is only plugged in is seen; sights: policy->n_media of them.
 * Each is looked for by a process of its own: a share whose server is gone answers to nobody, and those who
 * ask how things stand must be told so.  What has not been found out in ATTENDANCE_LOOK_S seconds (a disk may
 * have to spin up) is COMPLIANCE_UNKNOWN.  Not for a process that holds secrets or a lock. */
#define ATTENDANCE_LOOK_S 15
void attendance_look(const struct ledger *l, const struct attendance_keys *k, const struct policy *policy,
    enum compliance_sight *sights);

/* Journal "medium-attached", unless it is recorded as attached already: nothing is recorded of the copies on a
 * medium that is away (ledger.h). */
int attendance_arrived(struct state *s, const char *uuid, const char *path, struct err *err)
    __attribute__((warn_unused_result));

/* Looks, and records medium-attached or medium-detached for every offline medium whose recorded state is
 * another, and that one which is not kept offline any more came back; plugged in counts as attached.  What
 * cannot be told is not recorded.  ret_seen (or NULL): an object that gets
 * lists of the UUIDs of media kept offline that were seen to be `here` and to be `away`. */
int attendance_record(struct state *s, const struct policy *policy, struct json_t *ret_seen, struct err *err)
    __attribute__((warn_unused_result));

#endif
