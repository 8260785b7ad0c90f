/* state_epoch: the signing keys, one after the other; see state.h and docs/format.md, section 2.
 *
 * A change of epochs, each step durable before the next:
 *   1. the new key's file          dies here: nobody was told of that key; the next opening erases it
 *   2. the record "epoch"          dies here: the new key signs; the next opening erases the old one
 *   3. the old key's bytes overwritten, its file removed
 * So at every moment the key that the journal says signs now has a file, and whoever opens the folder next
 * ends with that one alone. */
#include "write/state/state_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "read/ledger/ledger.h"

#define EPOCH_NS ((int64_t)20 * 3600 * SECOND_NS) /* a key lasts at least so long: one a run */

void state_epoch_shield(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int state_epoch_generate(struct minisig_secret *ret, struct err *err)
{
	uint8_t *seed = sodium_malloc(STATE_KEY);

	if (!seed)
		return err_nomem(err);
	randombytes_buf(seed, STATE_KEY);
	minisig_from_seed(seed, ret);
	sodium_free(seed);
	return 0;
}

/* Backup programs that ask the file system what to leave out (dump(8)) leave it out; others do not ask. */
static void mark_nodump(int fd)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return;
	flags |= FS_NODUMP_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

int state_epoch_write(int dirfd, const char *name, const struct minisig_secret *sec, struct err *err)
{
	/* the buffer stands in locked memory and has room for all of it: it is never moved elsewhere */
	uint8_t *p = sodium_malloc(STATE_KEY_FILE_MAX);
	struct buf b = {p, 0, STATE_KEY_FILE_MAX, STATE_KEY_FILE_MAX};
	IO_FD_AUTO fd = -1;
	int r;

	if (!p)
		return err_nomem(err);
	r = minisig_secret_file(sec, &b, err) || io_write_new(dirfd, name, 0600, b.p, b.n, err) ? -1 : 0;
	sodium_free(p);
	if (r)
		return -1;
	fd = io_open_file(dirfd, name, NULL);
	if (fd >= 0)
		mark_nodump(fd);
	return 0;
}

static int cannot_erase(const char *name, struct err *err)
{
	err_sys(err, "E-STATE-09", errno, text("the old signing key '%s' cannot be erased"), name);
	return err_hint(err, "%s",
	    text(
		"see that the state folder can be written to; whoever reads that key can sign in its epoch's "
		"name"));
}

static int overwrite(int fd, off_t size)
{
	uint8_t noise[512];

	for (off_t at = 0; at < size;) {
		size_t n = size - at < (off_t)sizeof(noise) ? (size_t)(size - at) : sizeof(noise);
		ssize_t done;

		/* not zeros: a file system may keep those as a hole and the old block as it was */
		randombytes_buf(noise, n);
		done = pwrite(fd, noise, n, at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		at += done;
	}
	return fsync(fd);
}

int state_epoch_erase(int dirfd, const char *name, struct err *err)
{
	IO_FD_AUTO fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return cannot_erase(name, err);
	if (S_ISREG(st.st_mode) &&
	    overwrite(fd, st.st_size < STATE_KEY_FILE_MAX ? st.st_size : STATE_KEY_FILE_MAX))
		return cannot_erase(name, err);
	/* should the name come back, noise stands there, and the next opening removes it */
	return unlinkat(dirfd, name, 0) ? cannot_erase(name, err) : 0;
}

/* ---- what stands in the folder ---- */

char *state_epoch_name(uint32_t epoch, char out[STATE_SIGNING_NAME])
{
	snprintf(out, STATE_SIGNING_NAME, STATE_SIGNING, epoch);
	return out;
}

uint32_t state_epoch_of(const char *name)
{
	char again[STATE_SIGNING_NAME];
	unsigned n;

	if (sscanf(name, STATE_SIGNING, &n) != 1 || strcmp(state_epoch_name(n, again), name) != 0)
		return 0;
	return n;
}

static int not_of_one_moment(const struct state *s, uint32_t epoch, struct err *err)
{
	err_set(err, "E-STATE-08",
	    text("'%s' is a mixture: its journal ends in epoch %u, but it holds the signing key of epoch %u"),
	    s->path, s->epoch, epoch);
	return err_hint(err, "%s",
	    text("bring all of the newest state folder back; if there is none, move this one aside and go on "
		 "from a medium with 'bkp init --continue'"));
}

struct tidying {
	struct state *s;
	uint32_t other; /* a key of an epoch that cannot be */
};

static int look_for_others(void *arg, const char *name, struct err *err)
{
	struct tidying *t = arg;
	uint32_t epoch = state_epoch_of(name);

	(void)err;
	/* the next one's may be left from a change that was broken off; no later one's can */
	if (epoch > t->s->epoch + 1)
		t->other = epoch;
	return 0;
}

static int erase_others(void *arg, const char *name, struct err *err)
{
	const struct tidying *t = arg;
	uint32_t epoch = state_epoch_of(name);

	return epoch && epoch != t->s->epoch ? state_epoch_erase(t->s->dir, name, err) : 0;
}

/* The current key is not here: which one is? */
static int say_missing(struct state *s, struct err *err)
{
	struct tidying t = {s, 0};
	char name[STATE_SIGNING_NAME];

	(void)!io_each_name(s->dir, look_for_others, &t, NULL);
	if (t.other)
		return not_of_one_moment(s, t.other, err);
	err_set(err, "E-STATE-08", text("the signing key of epoch %u, '%s/%s', is missing"), s->epoch,
	    s->path, state_epoch_name(s->epoch, name));
	return err_hint(err, "%s",
	    text("bring all of the newest state folder back; if there is none, move this one aside and go on "
		 "from a medium with 'bkp init --continue'"));
}

static int read_key(struct state *s, const char *name, struct err *err)
{
	char *p = sodium_malloc(STATE_KEY_FILE_MAX);
	ssize_t n;
	int r = -1;

	if (!p)
		return err_nomem(err);
	n = state_read_secret(s, name, p, STATE_KEY_FILE_MAX, err);
	if (n > 0 && (r = minisig_secret_file_parse(p, (size_t)n, &s->secrets->signing, err)))
		err_wrap(err, "%s/%s", s->path, name);
	sodium_free(p);
	return r;
}

int state_epoch_load(struct state *s, struct err *err)
{
	struct tidying t = {s, 0};
	char name[STATE_SIGNING_NAME];
	const struct minisig_public *keys;
	struct stat st;
	size_t n;

	keys = ledger_keys(s->ledger, &n);
	s->epoch = (uint32_t)n;
	state_epoch_name(s->epoch, name);
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
		return say_missing(s, err);
	if (read_key(s, name, err))
		return -1;
	if (memcmp(&keys[n - 1], &s->secrets->signing.pub, sizeof(*keys)) != 0)
		return state_damaged(s, name, err);
	if (io_each_name(s->dir, look_for_others, &t, err))
		return -1;
	return t.other ? not_of_one_moment(s, t.other, err) : 0;
}

int state_epoch_tidy(struct state *s, struct err *err)
{
	struct tidying t = {s, 0};

	return io_each_name(s->dir, erase_others, &t, err) ? -1 : 0;
}

/* ---- the next one ---- */

static bool is_due(const struct state *s)
{
	int64_t since = ledger_epoch_ns(s->ledger);
	struct clock_stamp now;

	clock_now(&now);
	/* begun in the future: the clock was set back, and would keep this key for as long */
	return now.wall_ns < since || now.wall_ns - since >= EPOCH_NS;
}

static int hand_over(struct state *s, struct minisig_secret *next, struct err *err)
{
	char name[STATE_SIGNING_NAME], key[MINISIG_KEY_TEXT];
	uint32_t old = s->epoch;

	if (state_epoch_generate(next, err) ||
	    state_epoch_write(s->dir, state_epoch_name(old + 1, name), next, err) || io_sync_dir(s->dir, err))
		return -1;
	/* if this fails the record may stand in the journal nevertheless: the new key's file stays, and the
	 * next opening sees which of the two counts */
	if (state_append(s, JOURNAL_EPOCH_EVENT,
		json_pack(
		    "{s:I, s:s}", "next", (json_int_t)old + 1, "key", minisig_public_format(&next->pub, key)),
		err))
		return -1;
	s->secrets->signing = *next;
	s->epoch = old + 1;
	return state_epoch_erase(s->dir, state_epoch_name(old, name), err);
}

int state_new_epoch(struct state *s, struct err *err)
{
	struct minisig_secret *next;
	int r;

	if (!is_due(s) || s->epoch >= JOURNAL_EPOCHS_MAX)
		return 0;
	next = sodium_malloc(sizeof(*next));
	if (!next)
		return err_nomem(err);
	r = hand_over(s, next, err);
	sodium_free(next);
	return r;
}
