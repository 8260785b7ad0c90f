/* rotate_disk: see rotate_disk.h. */
#include "write/rotate/rotate_disk.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/path.h"
#include "base/show/pace.h"
#include "base/text.h"
#include "base/width.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/store/store_dir.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "write/disk/disk_mount.h"
#include "write/media/attendance.h"
#include "write/media/device.h"
#include "write/state/state.h"

#define SHOW  256
#define NAMES 4 /* of what is on a disk, that are said */

struct looking {
	const struct state *state;
	const struct policy *policy;
	const struct rotate_disk_wanted *wanted;
	struct rotate_disk *d;
	char words[DISK_WORDS];
};

bool rotate_disk_mounted(const struct state *s, const struct policy *p, const char *name)
{
	struct attendance_keys k = {.repository = state_repository(s)};
	bool found = false;

	k.keys = state_keys(s, &k.n_keys);
	for (size_t i = 0; i < p->n_media && !found; i++) {
		const struct policy_medium *m = &p->media[i];
		char *path = NULL;

		found = m->offline && (!name || !strcmp(m->name, name)) &&
			attendance_find(state_ledger(s), &k, m, &path, NULL) == 1;
		free(path);
	}
	return found;
}

/* ---- what is on a disk that is none of ours ---- */

/* "on it: DCIM, report.odt … (7 in all), 3.2 GB used" */
static void tell_content(const char *point, char *out, size_t size)
{
	DIR *dir = opendir(point);
	struct statvfs fs;
	const struct dirent *e;
	char names[SHOW * NAMES] = "", show[SHOW], used[PACE_SIZE];
	size_t n = 0, at = 0;

	while (dir && (e = readdir(dir)) && n < 100000) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "lost+found"))
			continue;
		if (n++ < NAMES)
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "",
			    path_show(e->d_name, show, 48));
	}
	if (dir)
		closedir(dir);
	if (statvfs(point, &fs))
		fs = (struct statvfs){0};
	pace_size((uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize, 1000, used);
	if (!n)
		snprintf(out, size, text("it is empty (%s used)"), used);
	else
		snprintf(out, size, text("on it: %s%s (%zu in all), %s used"), names, n > NAMES ? " …" : "",
		    n, used);
}

/* The public facts of another repository tell whose it is; "" where they do not. */
static void tell_site(const char *point, char *out, size_t size)
{
	STORE_AUTO top = {0}, folder = {0};
	DIR *dir = opendir(point);
	const struct dirent *e;
	struct repository *r = NULL;

	*out = '\0';
	while (dir && !*out && (e = readdir(dir))) {
		if (!journal_is_uuid(e->d_name) || store_dir_open(point, &top, NULL))
			continue;
		if (!store_below(&top, e->d_name, &folder, NULL) &&
		    !repository_load(&folder, NULL, &r, NULL)) {
			path_show(repository_site(r), out, size);
			repository_free(r);
		}
		store_close(&folder);
		store_close(&top);
	}
	if (dir)
		closedir(dir);
}

static int no_medium(struct looking *l, const char *point)
{
	char content[SHOW * NAMES * 2];

	tell_content(point, content, sizeof(content));
	err_set(&l->d->why, "E-DISK-04", text("%s is no medium of bkp: %s"), l->words, content);
	err_hint(&l->d->why, "%s",
	    text(
		"take it out: nothing on it was changed; a new disk becomes a medium with 'bkp medium add'"));
	return 0;
}

/* ---- is it ours, and which ---- */

static int say_unknown(struct looking *l, const char *label)
{
	char show[SHOW];

	err_set_kind(&l->d->why, ERR_UNREGISTERED, "E-MEDIA-06",
	    text("%s calls itself '%s', and is not a registered medium"), l->words,
	    path_show(label, show, sizeof(show)));
	return err_hint(&l->d->why, "%s",
	    text("it was given up, or registered by an older state folder: ask the person in charge of the "
		 "system"));
}

static bool is_wanted(const struct rotate_disk *d, const struct rotate_disk_wanted *w)
{
	return d->medium && (!w->name || !strcmp(d->medium->name, w->name));
}

static int take_ours(struct looking *l, const char *path, const struct medium *m)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(l->state), medium_uuid(m));
	const struct policy_medium *pm;
	struct device device;

	if (!lm || lm->retired_ns)
		return say_unknown(l, medium_label(m));
	if (device_look(path, &device, &l->d->why) ||
	    device_match(&device, lm->fs_uuid, lm->serial, &l->d->why)) {
		err_wrap(&l->d->why, text("%s holds a copy of medium '%s'"), l->words, lm->label);
		return 0;
	}
	pm = policy_find_medium(l->policy, lm->label);
	if (pm && pm->offline) {
		l->d->medium = pm;
		if (l->wanted->judge && is_wanted(l->d, l->wanted))
			l->d->judged = l->wanted->judge(l->wanted->arg, pm, path, &l->d->why);
		return 0;
	}
	err_set(&l->d->why, "E-DISK-10", text("%s is medium '%s', which is not kept offline"), l->words,
	    lm->label);
	return err_hint(&l->d->why, "%s", text("mount it where the policy says, for 'bkp run'"));
}

/* 1: what stands there has been said. */
static int try_folder(struct looking *l, const char *path, const char *point)
{
	struct medium_expect want = {.repository = state_repository(l->state)};
	struct medium *m = NULL;
	struct err why = ERR_INIT;
	char site[SHOW];
	int r;

	want.keys = state_keys(l->state, &want.n_keys);
	r = medium_open(path, &want, &m, &why);
	if (r == MEDIUM_ABSENT)
		return 0;
	if (!r) {
		(void)!take_ours(l, path, m);
		medium_close(m);
		return 1;
	}
	tell_site(point, site, sizeof(site));
	if (r == MEDIUM_FOREIGN && *site)
		err_wrap(&why, text("%s, of '%s'"), l->words, site);
	else
		err_wrap(&why, "%s", l->words);
	l->d->why = why;
	return 1;
}

/* The medium is the whole disk, or the folder in it that was registered. */
static int identify(void *arg, const char *point, struct err *err)
{
	struct looking *l = arg;
	const struct ledger *ledger = state_ledger(l->state);
	char path[4096];

	(void)err;
	if (try_folder(l, point, point))
		return 0;
	for (size_t i = 0; i < ledger_media(ledger); i++) {
		const char *slash = strrchr(ledger_medium(ledger, i)->path, '/');

		if (!slash || !slash[1] ||
		    snprintf(path, sizeof(path), "%s%s", point, slash) >= (int)sizeof(path))
			continue;
		if (try_folder(l, path, point))
			return 0;
	}
	return no_medium(l, point);
}

/* A container, an empty disk, one that is in use or cannot be read: said without looking into it. 1: said. */
static int say_closed(struct looking *l)
{
	const struct disk *d = &l->d->disk;
	struct err *why = &l->d->why;

	if (d->busy) {
		err_set(why, "E-DISK-08", text("%s is in use on this computer"), l->words);
		err_hint(why, "%s",
		    text("unmount all of it, or plug it out and in again, then run the command again"));
	} else if (d->unread) {
		err_sys(why, "E-DISK-06", d->unread, text("%s cannot be read"), l->words);
		err_hint(why, "%s", text("plug it in at another place; if it stays so, rotate another disk"));
	} else if (!strcmp(d->kind, "crypto_LUKS")) {
		err_set(
		    why, "E-DISK-07", text("%s is an encrypted container (LUKS) that is not open"), l->words);
		err_hint(why,
		    text("if the medium is in it, open it with 'cryptsetup open %s medium' and run the "
			 "command again"),
		    d->node);
	} else if (!*d->kind) {
		err_set(why, "E-DISK-04", text("%s holds no file system that is known"), l->words);
		err_hint(why, "%s",
		    text("take it out: nothing on it was changed; a new disk becomes a medium with 'bkp "
			 "medium add'"));
	} else if (!disk_knows(d->kind)) {
		err_set(why, "E-DISK-06", text("%s holds no file system that is mounted here: '%s'"),
		    l->words, d->kind);
		err_hint(why,
		    text("these are: %s; another one is mounted by hand, and 'bkp rotate --keep-mounted'"),
		    disk_kinds());
	} else {
		return 0;
	}
	return 1;
}

static void look_into(const struct state *s, const struct policy *p, const struct rotate_disk_wanted *w,
    const struct disk_room *room, struct rotate_disk *d)
{
	struct looking l = {.state = s, .policy = p, .wanted = w, .d = d};
	struct err why = ERR_INIT;

	disk_words(&d->disk, l.words);
	width_whole(l.words);
	if (!say_closed(&l) && disk_prove(room, &d->disk, identify, &l, &why) < 0 && !d->medium)
		d->why = why;
}

/* The medium whose file system it seems to be: what a disk says is not yet the truth. */
static const struct ledger_medium *registered_as(const struct state *s, const struct disk *d)
{
	const struct ledger *l = state_ledger(s);

	for (size_t i = 0; *d->uuid && i < ledger_media(l); i++) {
		const struct ledger_medium *lm = ledger_medium(l, i);

		if (!lm->retired_ns && lm->offline && !strcmp(lm->fs_uuid, d->uuid))
			return lm;
	}
	return NULL;
}

int rotate_disk_look(const struct state *s, const struct policy *p, const struct rotate_disk_wanted *wanted,
    const struct disk_room *room, struct rotate_disks *ret, struct err *err)
{
	struct disk *disks = NULL;
	struct rotate_disk *all;
	size_t n = 0, kept = 0;
	bool found = false;

	if (disk_scan(&disks, &n, err))
		return -1;
	all = calloc(n ? n : 1, sizeof(*all));
	for (size_t i = 0; all && i < n; i++) {
		struct rotate_disk *d = &all[kept];

		d->disk = disks[i];
		d->expected = registered_as(s, &d->disk);
		/* what the computer itself runs on is nobody's business here */
		if (d->disk.busy && !d->expected)
			continue;
		kept++;
		if (d->expected)
			look_into(s, p, wanted, room, d);
		found |= is_wanted(d, wanted);
	}
	free(disks);
	if (!all)
		return err_nomem(err);
	for (size_t i = 0; i < kept && !found; i++)
		if (!all[i].expected)
			look_into(s, p, wanted, room, &all[i]);
	*ret = (struct rotate_disks){all, kept};
	return 0;
}

void rotate_disks_free(struct rotate_disks *d)
{
	free(d->all);
	*d = (struct rotate_disks){0};
}
