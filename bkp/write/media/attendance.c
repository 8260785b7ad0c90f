/* attendance: see attendance.h.
 *
 * Looking at a place can hang for ever in the kernel (a network share that is gone).  So attendance_look(), which is
 * for reports, asks in a child process for each medium and gives up after ATTENDANCE_LOOK_S; commands that need the
 * medium itself look in their own process (attendance_find()). */
#include "write/media/attendance.h"

#include <libmount/libmount.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"
#include "read/vault/medium.h"
#include "write/disk/disk.h"
#include "write/state/state.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define PATH_SIZE 4096
#define TICK_MS	  10

/* One search.  What is found at places where the medium was not expected is nobody's fault and not kept. */
struct search {
	struct medium_expect want;
	const struct stat *but; /* this folder is not meant; or NULL */
	char *found;
	bool unknown; /* an expected place could not be looked at */
	struct err why;
	int why_rank;
};

static bool is_other(const struct search *s, const struct medium *m)
{
	struct stat st;

	return !s->but || (!fstat(store_dir_fd(medium_store(m)), &st) &&
			      (st.st_dev != s->but->st_dev || st.st_ino != s->but->st_ino));
}

/* 1: it stands there. */
static int try_place(struct search *s, const char *path, bool expected)
{
	struct err err = ERR_INIT;
	struct medium *m = NULL;
	int r = medium_open(path, &s->want, &m, &err), rank;

	if (!r) {
		bool other = is_other(s, m);

		medium_close(m);
		if (other)
			s->found = strdup(path);
		return other;
	}
	/* what cannot be looked at is worse than another medium, and that tells more than an empty place */
	rank = r < 0 ? 3 : r != MEDIUM_ABSENT ? 2 : 1;
	if (expected && rank > s->why_rank) {
		s->why = err;
		s->why_rank = rank;
	}
	s->unknown |= expected && r < 0;
	return 0;
}

/* Disks only: a walk over network shares and what the kernel invents could take for ever and finds nothing.
 */
static bool is_disk(struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs);

	return source && !strncmp(source, "/dev/", 5) && !mnt_fs_is_pseudofs(fs) && !mnt_fs_is_netfs(fs);
}

static int try_mount(struct search *s, const char *mount_point, const char *last)
{
	char path[PATH_SIZE];
	int n;

	if (try_place(s, mount_point, false))
		return 1;
	if (!*last)
		return 0;
	n = snprintf(path, sizeof(path), "%s/%s", strcmp(mount_point, "/") ? mount_point : "", last);
	return n > 0 && (size_t)n < sizeof(path) && try_place(s, path, false);
}

/* A desktop or an administrator mounts a disk wherever it pleases them. */
static int try_mounts(struct search *s, const char *recorded)
{
	const char *slash = strrchr(recorded, '/'), *last = slash ? slash + 1 : recorded;
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs;
	int found = 0;

	if (!table || !i || mnt_table_parse_file(table, MOUNTINFO)) {
		if (!s->unknown)
			err_set(&s->why, "E-DEVICE-01", text("'%s' cannot be read"), MOUNTINFO);
		s->unknown = true;
	} else {
		while (!found && !mnt_table_next_fs(table, i, &fs))
			if (is_disk(fs) && mnt_fs_get_target(fs))
				found = try_mount(s, mnt_fs_get_target(fs), last);
	}
	mnt_free_iter(i);
	mnt_unref_table(table);
	return found;
}

/* ---- plugged in, not mounted ---- */

#define BY_UUID "/dev/disk/by-uuid/"
#define UDEV	"/run/udev/control" /* is there while it runs */

static bool is_mounted(const char *device)
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	bool found = !table || !i || mnt_table_parse_file(table, MOUNTINFO);

	while (!found && !mnt_table_next_fs(table, i, &fs)) {
		char *source = is_disk(fs) ? realpath(mnt_fs_get_source(fs), NULL) : NULL;

		found = source && !strcmp(source, device);
		free(source);
	}
	mnt_free_iter(i);
	mnt_unref_table(table);
	return found;
}

/* Is the disk's file system (fs_uuid, as registered) here, plugged in but not mounted?  Then it is not away:
 * whoever controls this computer can mount it.  Where no udev tells, the disks are asked themselves, as far as this
 * user may.  False when its UUID is not known. */
static bool attendance_connected(const struct ledger_medium *lm)
{
	char link[sizeof(BY_UUID) + 256];
	char *device;
	bool connected;

	if (!*lm->fs_uuid || strchr(lm->fs_uuid, '/') || strlen(lm->fs_uuid) > 255)
		return false;
	snprintf(link, sizeof(link), BY_UUID "%s", lm->fs_uuid);
	device = realpath(link, NULL);
	/* a file system that is mounted was looked into, and the medium is not on it (any more) */
	connected = device ? !is_mounted(device) : access(UDEV, F_OK) && disk_plugged_in(lm->fs_uuid);
	free(device);
	return connected;
}

int attendance_unregistered(const struct ledger *l, const char *name, const char *path, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_known(l, name);
	char at[CLOCK_TEXT];

	if (lm && lm->lost_ns) {
		err_set_kind(err, ERR_UNREGISTERED, "E-MEDIA-20", text("'%s' is recorded as lost since %s"),
		    name, clock_format_local(lm->lost_ns, at));
		return err_hint(err,
		    text("if it was found: 'bkp medium found %s --place PLACE --operator NAME'; if not: 'bkp "
			 "medium retire %s --operator NAME --reason TEXT'"),
		    name, name);
	}
	err_set_kind(err, ERR_UNREGISTERED, "E-MEDIA-06", text("'%s' is not a registered medium"), name);
	return err_hint(err,
	    path ? text("register it with 'bkp medium add %s'")
		 : text("register it with 'bkp medium add %s --path DIR'"),
	    name);
}

static int look_everywhere(struct search *s, const struct ledger_medium *lm, const struct policy_medium *m)
{
	return (m->path && try_place(s, m->path, true)) ||
	       (*lm->path && (!m->path || strcmp(lm->path, m->path) != 0) && try_place(s, lm->path, true)) ||
	       (m->offline && try_mounts(s, lm->path));
}

int attendance_twin(const struct ledger *l, const struct attendance_keys *k, const struct policy_medium *m,
    const char *path, char **ret_path, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(l, m->name);
	struct search s = {.want = {k->repository, lm ? lm->uuid : NULL, m->name, k->keys, k->n_keys}};
	struct stat st;

	/* what has no folder cannot be there twice; one that is gone meanwhile is found out by who opens it */
	if (!lm || stat(path, &st))
		return 0;
	s.but = &st;
	if (!look_everywhere(&s, lm, m))
		return 0;
	*ret_path = s.found;
	return s.found ? 1 : err_nomem(err);
}

int attendance_find(const struct ledger *l, const struct attendance_keys *k, const struct policy_medium *m,
    char **ret_path, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(l, m->name);
	struct search s = {.want = {k->repository, NULL, m->name, k->keys, k->n_keys}};

	if (!lm) {
		attendance_unregistered(l, m->name, m->path, err);
		return 0;
	}
	s.want.uuid = lm->uuid;
	if (look_everywhere(&s, lm, m)) {
		if (!s.found)
			return err_nomem(err);
		*ret_path = s.found;
		return 1;
	}
	if (s.why_rank < 2 && m->offline && attendance_connected(lm)) {
		err_set_kind(&s.why, ERR_UNMOUNTED, "E-MEDIA-18", text("'%s' is plugged in, but not mounted"),
		    m->name);
		err_hint(&s.why, "%s", text("mount it to use it; to take it away, unplug it"));
	} else if (!s.why_rank && !s.unknown) {
		err_set(&s.why, "E-MEDIA-01", text("'%s' is not attached"), m->name);
		err_hint(&s.why, "%s", text("attach and mount it"));
	}
	if (err)
		*err = s.why;
	return s.unknown ? -1 : 0;
}

/* One step from attached, and not under lock and key. */
static bool is_plugged_in(const struct ledger *l, const struct policy_medium *m)
{
	const struct ledger_medium *lm = ledger_medium_by_label(l, m->name);

	return m->offline && lm && attendance_connected(lm);
}

static enum compliance_sight see_medium(
    const struct ledger *l, const struct attendance_keys *k, const struct policy_medium *m)
{
	char *path = NULL;
	int r = attendance_find(l, k, m, &path, NULL);

	free(path);
	if (!r && is_plugged_in(l, m))
		r = 1;
	return r > 0 ? COMPLIANCE_SEEN : r == 0 ? COMPLIANCE_NOT_SEEN : COMPLIANCE_UNKNOWN;
}

/* Until all have said what they see, or the time is over: what hangs in the kernel is left behind. */
static void gather_sights(pid_t *lookers, enum compliance_sight *sights, size_t n)
{
	size_t left = n;

	for (unsigned ms = 0; left && ms < ATTENDANCE_LOOK_S * 1000; ms += TICK_MS) {
		left = 0;
		for (size_t i = 0; i < n; i++) {
			int status = 0;
			pid_t r = lookers[i] ? waitpid(lookers[i], &status, WNOHANG) : -1;

			left += r == 0;
			if (r == 0 || !lookers[i])
				continue;
			lookers[i] = 0;
			if (r > 0 && WIFEXITED(status))
				sights[i] = (enum compliance_sight)WEXITSTATUS(status);
		}
		if (left)
			poll(NULL, 0, TICK_MS);
	}
	for (size_t i = 0; i < n; i++)
		if (lookers[i] && !kill(lookers[i], SIGKILL))
			(void)waitpid(lookers[i], NULL, WNOHANG);
}

void attendance_look(const struct ledger *l, const struct attendance_keys *k, const struct policy *policy,
    enum compliance_sight *sights)
{
	pid_t *lookers = calloc(policy->n_media, sizeof(*lookers));

	for (size_t i = 0; i < policy->n_media; i++) {
		sights[i] = COMPLIANCE_UNKNOWN;
		if (!lookers)
			continue;
		lookers[i] = fork();
		if (!lookers[i])
			_exit((int)see_medium(l, k, &policy->media[i]));
		if (lookers[i] < 0)
			lookers[i] = 0;
	}
	if (lookers)
		gather_sights(lookers, sights, policy->n_media);
	free(lookers);
}

/* path: where it was found, or NULL: nowhere, or plugged in only. */
static int record_attendance(
    struct state *s, const struct ledger_medium *lm, bool attached, const char *path, struct err *err)
{
	char show[PATH_SIZE];

	/* JSON wants UTF-8, and mount points are bytes */
	path_show(path ? path : lm->path, show, sizeof(show));
	return state_append(s, attached ? "medium-attached" : "medium-detached",
	    json_pack("{s:s, s:s}", "medium", lm->uuid, "path", show), err);
}

int attendance_arrived(struct state *s, const char *uuid, const char *path, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(s), uuid);

	return lm->attached ? 0 : record_attendance(s, lm, true, path, err);
}

static void note_seen(json_t *o, const char *list, const char *uuid)
{
	if (!json_object_get(o, list))
		json_object_set_new(o, list, json_array());
	json_array_append_new(json_object_get(o, list), json_string(uuid));
}

int attendance_record(struct state *s, const struct policy *policy, json_t *ret_seen, struct err *err)
{
	struct attendance_keys k = {.repository = state_repository(s)};

	k.keys = state_keys(s, &k.n_keys);
	for (size_t i = 0; i < policy->n_media; i++) {
		const struct policy_medium *m = &policy->media[i];
		/* asked again each time: a record makes what the ledger gave before stale */
		const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(s), m->name);
		char *path = NULL;
		int seen, r = 0;

		if (!lm || (!m->offline && lm->attached))
			continue;
		seen = attendance_find(state_ledger(s), &k, m, &path, NULL);
		if (!seen && attendance_connected(lm))
			seen = 1;
		if (seen >= 0 && m->offline && ret_seen)
			note_seen(ret_seen, seen ? "here" : "away", lm->uuid);
		/* what could not be looked at is neither: nothing is recorded that was not seen */
		if (seen >= 0 && (seen > 0) != lm->attached)
			r = record_attendance(s, lm, seen > 0, path, err);
		free(path);
		if (r)
			return -1;
	}
	return 0;
}
