/* visit: see visit.h. */
#include "cmd/rotate/visit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/rotate/rotate.h"
#include "write/state/state.h"

#define TICK_NS 200000000
#define SHOW	512

static bool talks(const struct visit *v)
{
	return !v->app->json && !v->app->quiet;
}

bool visit_sought(const struct state *s, const struct policy *p, const char *name)
{
	const struct policy_medium *m = name ? policy_find_medium(p, name) : NULL;

	if (geteuid())
		return false;
	return !name || (m && m->offline && ledger_medium_by_label(state_ledger(s), m->name));
}

static bool is_wanted(const struct rotate_disk *d, const char *name)
{
	return d->medium && (!name || !strcmp(d->medium->name, name));
}

/* What is there and is not the one.  What a registered medium's disk turned out to be ends the command (*ret_worst). */
static void say_others(const struct visit *v, const char *name, struct err *ret_worst)
{
	for (size_t i = 0; i < v->disks.n; i++) {
		const struct rotate_disk *d = &v->disks.all[i];
		char words[DISK_WORDS];
		struct err e = d->why;

		if (d->medium) {
			err_set_kind(&e, ERR_FOREIGN, "E-MEDIA-04", text("%s is medium '%s', not '%s'"),
			    disk_words(&d->disk, words), d->medium->name, name);
			err_hint(&e, text("take it out and plug in '%s'"), name);
		}
		if (d->expected && !ret_worst->code[0])
			*ret_worst = e;
		else if (!v->app->json)
			app_fault(&e, stderr);
	}
}

static int say_several(const struct rotate_disk *a, const struct rotate_disk *b, struct err *err)
{
	char one[DISK_WORDS], other[DISK_WORDS];

	disk_words(&a->disk, one);
	disk_words(&b->disk, other);
	if (a->medium == b->medium) {
		err_set_kind(err, ERR_FOREIGN, "E-DISK-11", text("two disks are '%s': %s and %s"),
		    a->medium->name, one, other);
		err_hint(err, "%s",
		    text("one is a copy of the other: take both out, keep them apart, and tell the person in "
			 "charge of the system; nothing on them was changed"));
		return -1;
	}
	err_set_kind(err, ERR_USAGE, "E-DISK-03",
	    text("several media are plugged in: '%s' on %s and '%s' on %s"), a->medium->name, one,
	    b->medium->name, other);
	err_hint(err, text("name one: 'bkp rotate %s --operator NAME'"), a->medium->name);
	return VISIT_SEVERAL;
}

/* The one that is wanted: 0, or as visit_attach(). */
static int pick(const struct visit *v, const char *name, const struct rotate_disk **ret, struct err *err)
{
	const struct rotate_disk *found = NULL;
	struct err worst = ERR_INIT;

	for (size_t i = 0; i < v->disks.n; i++) {
		const struct rotate_disk *d = &v->disks.all[i];

		if (!is_wanted(d, name) || (*v->chosen && strcmp(v->chosen, d->disk.name) != 0))
			continue;
		if (found)
			return say_several(found, d, err);
		found = d;
	}
	*ret = found;
	if (found)
		return 0;
	say_others(v, name, &worst);
	if (!worst.code[0])
		return VISIT_NOTHING;
	*err = worst;
	return -1;
}

static int mount_one(struct visit *v, const struct rotate_disk *d, struct err *err)
{
	char words[DISK_WORDS];

	disk_words(&d->disk, words);
	if (d->judged) {
		v->refused = d->judged != VISIT_ANOTHER;
		*err = d->why;
		return -1;
	}
	if (d->disk.read_only) {
		err_set(err, "E-DISK-05", text("%s is write-protected"), words);
		return err_hint(err, "%s",
		    text("take it out, put its write-protect switch to 'write', plug it in, and run the "
			 "command "
			 "again"));
	}
	if (disk_mount(&v->room, &d->disk, err))
		return -1;
	v->mounted = true;
	v->disk = d->disk;
	if (talks(v))
		out_wrapped(stdout, 0, 0,
		    text("'%s' is %s: proved without changing it, now mounted for writing"), d->medium->name,
		    words);
	fflush(stdout);
	return 0;
}

static bool has_candidates(void)
{
	struct disk *all = NULL;
	size_t n = 0;
	bool found = false;

	if (disk_scan(&all, &n, NULL))
		return true; /* said by who looks again */
	for (size_t i = 0; i < n; i++)
		found |= !all[i].busy;
	free(all);
	return found;
}

int visit_attach(struct visit *v, const struct state *s, const struct policy *p, const char *name,
    const char **ret, struct err *err)
{
	const struct rotate_disk_wanted wanted = {.name = name, .judge = v->may, .arg = v->arg};
	const struct rotate_disk *d = NULL;
	int r;

	v->refused = false;
	if (v->keep_mounted || !visit_sought(s, p, name))
		return VISIT_NOTHING;
	/* a computer that may be infected gets no disk at all */
	if (rotate_allowed(s, p, err))
		return -1;
	if (rotate_disk_mounted(s, p, name))
		return VISIT_NOTHING;
	if (talks(v))
		printf(
		    "%s\n", text("Looking at the disks that are plugged in; nothing on them is changed ..."));
	fflush(stdout);
	if (!v->entered && disk_room_enter(&v->room, state_repository(s), err))
		return has_candidates() ? -1 : VISIT_NOTHING;
	v->entered = true;
	rotate_disks_free(&v->disks);
	if (rotate_disk_look(s, p, &wanted, &v->room, &v->disks, err))
		return -1;
	r = pick(v, name, &d, err);
	if (r || mount_one(v, d, err))
		return r ? r : -1;
	*ret = d->medium->name;
	return 0;
}

int visit_leave(struct visit *v, struct err *err)
{
	struct err why = ERR_INIT;
	char words[DISK_WORDS];

	if (!v->mounted)
		return 0;
	v->mounted = false;
	if (disk_unmount(&v->room, &v->disk, err))
		return -1;
	if (disk_stop(&v->disk) < 0) {
		err_sys(&why, "W-DISK-01", errno, text("%s could not be stopped or ejected"),
		    disk_words(&v->disk, words));
		err_hint(&why, "%s", text("it is unmounted and may be unplugged; wait until it is still"));
		app_fault(&why, stderr);
	}
	return VISIT_LEFT;
}

int visit_wait(const struct visit *v, const char *operator)
{
	const int64_t begun_ns = clock_read(CLOCK_BOOTTIME);
	const struct timespec tick = {.tv_nsec = TICK_NS};
	struct err err = ERR_INIT;
	char who[SHOW];
	sigset_t ends, before;
	bool there, over = false;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	if (talks(v))
		printf("%s\n", text("Waiting until it is unplugged (Ctrl-C: not now) ..."));
	fflush(stdout);
	while ((there = disk_there(&v->disk)) && !over)
		over = sigtimedwait(&ends, NULL, &tick) > 0 ||
		       (v->wait_s != VISIT_FOREVER &&
			   clock_read(CLOCK_BOOTTIME) - begun_ns >= v->wait_s * SECOND_NS);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!there)
		return APP_OK;
	if (v->asks && !v->app->quiet)
		puts(""); /* the terminal shows ^C */
	fflush(stdout);
	err_set(&err, "W-DISK-02",
	    text("'%s' is still plugged in: it is filled, and not recorded as taken away"), v->medium);
	err_hint(&err,
	    text("unplug it, take it to '%s', then record it with 'bkp medium move %s --operator %s'"),
	    v->place, v->medium, path_word(operator, who, sizeof(who)));
	return app_error(&err, APP_ATTENTION);
}

void visit_free(struct visit *v)
{
	rotate_disks_free(&v->disks);
}
