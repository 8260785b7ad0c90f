/* rotate_find: step 0 of the rotation: the medium is there, it is the one, and something is there to copy
 * from; see rotate.h.
 *
 * The medium is looked for where it may be attached (attendance.h), opened by its signed identity, and compared with
 * the disk that was registered (device.h): a copy of the files on another disk is refused.  Each refusal says what
 * the person at the disk can do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "write/media/attendance.h"
#include "write/media/journal_copies.h"
#include "write/rotate/rotate_private.h"
#include "write/state/state.h"
#include "write/pack/vault_w.h"

#define SHOW	  256
#define NAMES_MAX 256

static int find_attended(
    const struct rotate *ro, const struct policy_medium *pm, char **ret_path, struct err *err)
{
	struct attendance_keys k = {.repository = state_repository(ro->cfg->state)};

	k.keys = state_keys(ro->cfg->state, &k.n_keys);
	return attendance_find(state_ledger(ro->cfg->state), &k, pm, ret_path, err);
}

/* A place that cannot be looked at: the disk may be there, and failing. */
static int say_unlooked(struct err *why, struct err *err)
{
	err_hint(why, "%s",
	    text("see that the disk is well connected and mounted, then run the command again as root"));
	if (err)
		*err = *why;
	return -1;
}

/* Something else stands where the medium is expected: that says more than "not attached". */
static bool tells_why(const struct err *why)
{
	return why->kind == ERR_FOREIGN || why->kind == ERR_UNREGISTERED || why->kind == ERR_UNMOUNTED;
}

static int not_attached(
    const struct rotate *ro, const struct policy_medium *pm, const struct err *why, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(ro->cfg->state), pm->name);
	struct err e = *why;
	char show[SHOW];

	if (!tells_why(why)) {
		err_set(&e, "E-ROTATE-02", "%s", why->msg);
		err_wrap(&e, text("medium '%s' is not attached"), pm->name);
		if (lm && *lm->place)
			err_hint(&e,
			    text("attach it (it was last recorded at '%s'), then run the command "
				 "again"),
			    path_show(lm->place, show, sizeof(show)));
		err_hint(&e, "%s", text("attach it, then run the command again"));
	}
	if (err)
		*err = e;
	return -1;
}

static int say_undeclared(const struct rotate *ro, struct err *err)
{
	const struct policy *p = ro->cfg->policy;
	const char *names[NAMES_MAX], *near;
	char show[SHOW];
	size_t n = 0;

	for (size_t i = 0; i < p->n_media && n < NAMES_MAX; i++)
		if (p->media[i].offline)
			names[n++] = p->media[i].name;
	near = suggest_word(ro->cfg->medium, names, n);
	err_set_kind(err, ERR_USAGE, "E-MEDIA-15", text("the policy declares no medium '%s'"),
	    path_show(ro->cfg->medium, show, sizeof(show)));
	if (near)
		err_hint(err, text("did you mean '%s'?"), near);
	return err_hint(err, "%s", text("write it into the policy's 'media' first"));
}

static int find_named(struct rotate *ro, struct err *err)
{
	const struct policy_medium *pm = policy_find_medium(ro->cfg->policy, ro->cfg->medium);
	struct err why = ERR_INIT;
	int r;

	if (!pm)
		return say_undeclared(ro, err);
	if (policy_medium_is_series(pm)) {
		err_set_kind(err, ERR_USAGE, "E-ROTATE-01",
		    text("medium '%s' is a series of discs that are written once"), pm->name);
		return err_hint(err, "%s", text("'bkp disc write' makes the next one"));
	}
	if (!pm->offline) {
		err_set_kind(
		    err, ERR_USAGE, "E-ROTATE-01", text("medium '%s' is not kept offline"), pm->name);
		return err_hint(err, "%s",
		    text("every 'bkp run' brings it up to date; a medium to be rotated has 'offline: true' "
			 "in the policy"));
	}
	r = find_attended(ro, pm, &ro->ret->path, &why);
	if (r == 0)
		return not_attached(ro, pm, &why, err);
	if (r < 0)
		return say_unlooked(&why, err);
	ro->ret->medium = pm;
	return 0;
}

static int say_several(const struct policy_medium *a, const struct policy_medium *b, struct err *err)
{
	err_set_kind(err, ERR_USAGE, "E-ROTATE-03",
	    text("several media kept offline are attached: '%s' and '%s'"), a->name, b->name);
	return err_hint(err, text("name one: 'bkp rotate %s --operator NAME'"), a->name);
}

static int say_none(const struct rotate *ro, struct err *why, struct err *err)
{
	const struct policy *p = ro->cfg->policy;
	char names[SHOW] = "";
	size_t n = 0;

	/* what stands there instead, or why it cannot be looked at */
	if (why->code[0])
		return say_unlooked(why, err);
	for (size_t i = 0; i < p->n_media && n < sizeof(names); i++)
		if (p->media[i].offline)
			n += (size_t)snprintf(
			    names + n, sizeof(names) - n, "%s%s", n ? ", " : "", p->media[i].name);
	if (!n) {
		err_set(err, "E-ROTATE-02", "%s", text("the policy declares no medium that is kept offline"));
		return err_hint(err, "%s",
		    text("give one 'offline: true' in the policy, then register it with 'bkp medium add'"));
	}
	width_whole(names);
	err_set(err, "E-ROTATE-02", "%s", text("no medium that is kept offline is attached"));
	return err_hint(err, text("attach one of these, then run the command again: %s"), names);
}

/* The one that is attached. */
static int find_any(struct rotate *ro, struct err *err)
{
	const struct policy *p = ro->cfg->policy;
	struct err first = ERR_INIT;

	for (size_t i = 0; i < p->n_media; i++) {
		struct err why = ERR_INIT;
		char *path = NULL;
		int r = p->media[i].offline ? find_attended(ro, &p->media[i], &path, &why) : 0;

		if (r > 0 && ro->ret->medium && p->media[i].pool &&
		    p->media[i].pool == ro->ret->medium->pool) {
			free(path); /* rotate_turn() finds both */
			continue;
		}
		if (r > 0 && ro->ret->medium) {
			free(path);
			return say_several(ro->ret->medium, &p->media[i], err);
		}
		if (r > 0) {
			ro->ret->medium = &p->media[i];
			ro->ret->path = path;
		} else if ((r < 0 || (tells_why(&why) && why.kind != ERR_UNREGISTERED)) && !first.code[0]) {
			first = why;
		}
	}
	return ro->ret->medium ? 0 : say_none(ro, &first, err);
}

int rotate_find(struct rotate *ro, struct err *err)
{
	return ro->cfg->medium ? find_named(ro, err) : find_any(ro, err);
}

/* Where it goes, and that there is something to bring to it. */
static int find_purpose(struct rotate *ro, const struct ledger_medium *lm, struct err *err)
{
	const char *place = ro->cfg->place;

	if (!place)
		place = ro->ret->medium->place ? ro->ret->medium->place : lm->place;
	if (!*place) {
		err_set_kind(err, ERR_USAGE, "E-ROTATE-07",
		    text("no place is stated where medium '%s' is kept"), lm->label);
		return err_hint(
		    err, "%s", text("name it with --place TEXT, or as the medium's 'place' in the policy"));
	}
	ro->ret->place = strdup(place);
	if (!ro->ret->place)
		return err_nomem(err);
	if (!ledger_last_committed(state_ledger(ro->cfg->state), NULL)) {
		err_set(err, "E-ROTATE-06", "%s", text("there is no generation yet"));
		return err_hint(err, "%s", text("capture one with 'bkp run'"));
	}
	return 0;
}

static int read_only(const struct rotate *ro, int errnum, struct err *err)
{
	char show[SHOW];

	path_word(*ro->device.mount_point ? ro->device.mount_point : ro->ret->path, show, sizeof(show));
	if (errnum == EROFS) {
		err_set(err, "E-ROTATE-05", text("medium '%s' is attached for reading only"),
		    ro->ret->medium->name);
		return err_hint(err,
		    text("look at its write-protect switch, then mount it for writing: 'mount -o remount,rw "
			 "%s'"),
		    show);
	}
	err_sys(err, "E-ROTATE-05", errnum, text("medium '%s' cannot be written by this user"),
	    ro->ret->medium->name);
	return err_hint(err, "%s", text("run the command as root"));
}

static int keep_mount_point(struct rotate *ro, struct err *err)
{
	if (!ro->device.whole)
		return 0;
	ro->ret->mount_point = strdup(ro->device.mount_point);
	return ro->ret->mount_point ? 0 : err_nomem(err);
}

/* The disk must be the registered one. */
static int open_identified(struct rotate *ro, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(ro->cfg->state), ro->uuid);
	struct medium_expect want = {
	    .repository = state_repository(ro->cfg->state), .uuid = ro->uuid, .label = lm->label};

	want.keys = state_keys(ro->cfg->state, &want.n_keys);
	if (medium_open(ro->ret->path, &want, &ro->medium, err))
		return -1;
	if (device_of(medium_store(ro->medium), &ro->device, err) || keep_mount_point(ro, err))
		return -1;
	if (device_match(&ro->device, lm->fs_uuid, lm->serial, err))
		return err_wrap(err, text("this is not medium '%s'"), lm->label);
	if (device_same_mount(medium_store(ro->medium), medium_repo(ro->medium)))
		return 0;
	err_set(err, "E-PUBLISH-06", text("the folder '%s' on the medium is a mount of something else"),
	    medium_repository(ro->medium));
	return err_hint(err, "%s", text("unmount what is mounted there"));
}

/* The media it is copied from may know more than this host, too. */
static int histories_of_sources(const struct rotate *ro, struct err *err)
{
	struct journal_copies_finding finding; /* the next run says it, which writes to them */

	for (size_t i = 0; i < ro->n_sources; i++)
		if (journal_copies_check(ro->cfg->state, ro->sources[i].medium, &finding, err) ==
		    JOURNAL_COPIES_AHEAD)
			return -1;
	return 0;
}

/* Online media that are attached. */
static int open_sources(struct rotate *ro, struct err *err)
{
	const struct policy *p = ro->cfg->policy;
	struct err why = ERR_INIT, first = ERR_INIT;

	ro->sources = calloc(p->n_media, sizeof(*ro->sources));
	if (!ro->sources)
		return err_nomem(err);
	for (size_t i = 0; i < p->n_media; i++) {
		const struct policy_medium *pm = &p->media[i];
		const struct ledger_medium *lm =
		    ledger_medium_by_label(state_ledger(ro->cfg->state), pm->name);
		struct medium_expect want = {
		    .repository = state_repository(ro->cfg->state), .label = pm->name};
		char *path = NULL;

		if (pm->offline || !lm)
			continue;
		want.uuid = lm->uuid;
		want.keys = state_keys(ro->cfg->state, &want.n_keys);
		if (find_attended(ro, pm, &path, &why) == 1 &&
		    !medium_open(path, &want, &ro->sources[ro->n_sources].medium, &why))
			ro->n_sources++;
		else if (!first.code[0])
			first = why;
		free(path);
	}
	if (ro->n_sources)
		return histories_of_sources(ro, err);
	err_set(err, "E-ROTATE-04", "%s", first.code[0] ? first.msg : text("none is registered"));
	err_wrap(err, text("no online medium is there to copy from to '%s'"), ro->ret->medium->name);
	return err_hint(
	    err, "%s", text("bring the online medium back (is it mounted?), then run the command again"));
}

int rotate_prove(struct rotate *ro, struct err *err)
{
	const struct ledger_medium *lm =
	    ledger_medium_by_label(state_ledger(ro->cfg->state), ro->ret->medium->name);

	memcpy(ro->uuid, lm->uuid, sizeof(ro->uuid));
	return rotate_alone(ro, err) || find_purpose(ro, lm, err) || open_identified(ro, err) ||
		       rotate_believed(ro, err) || open_sources(ro, err)
		   ? -1
		   : 0;
}

int rotate_open(struct rotate *ro, struct err *err)
{
	struct store_space space;
	struct err why = ERR_INIT;

	if (store_space(medium_store(ro->medium), &space) && space.read_only)
		return read_only(ro, EROFS, err);
	if (!vault_w_open(medium_repo(ro->medium), &ro->vault, &why))
		return 0;
	if (why.errnum == EROFS || why.errnum == EACCES || why.errnum == EPERM)
		return read_only(ro, why.errnum, err);
	return rotate_failed(ro, &why, err);
}

int rotate_begin(struct rotate *ro, struct err *err)
{
	struct err why = ERR_INIT;

	if (state_new_epoch(ro->cfg->state, err) || rotate_record_return(ro, err) ||
	    attendance_arrived(ro->cfg->state, ro->uuid, ro->ret->path, err))
		return -1;
	if (journal_copies_put_keys(ro->cfg->state, medium_repo(ro->medium), &ro->replaced, &why))
		return rotate_failed(ro, &why, err);
	/* they get the next copy of the journal, whose last records the new key signs */
	for (size_t i = 0; i < ro->n_sources; i++) {
		const struct medium *m = ro->sources[i].medium;
		struct replaced replaced = {0};

		(void)!journal_copies_put_keys(ro->cfg->state, medium_repo(m), &replaced, NULL);
		if (replaced_tell(&replaced, ro->cfg->state, m, &ro->ret->replaced_source, err))
			return -1;
	}
	return 0;
}
