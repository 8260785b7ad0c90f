/* schedule: see schedule.h.  This file: what is there, and putting it there.
 *
 * All files are looked at before one is written or removed (may_touch()): a file that somebody else wrote or changed
 * stops the command as a whole. */
#include "write/state/schedule_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"

#define FILE_MAX ((size_t)1 << 20)
#define MARK_LEN (sizeof(SCHEDULE_MARK) - 1)

const char *schedule_word(enum schedule_kind kind)
{
	static const char *const words[] = {"cron", "systemd"};

	return words[kind];
}

const char *schedule_state_word(enum schedule_state s)
{
	static const char *const words[] = {
	    "absent", "fits", "outdated", "edited", "other policy", "foreign"};

	return words[s];
}

/* ---- what is there ---- */

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* The folders of `dir` that are below `root`, which is there. */
static void make_folders(const char *root, const char *dir)
{
	int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[PATH_MAX];

	for (const char *p = dir + strlen(root); at >= 0 && *p; p += strcspn(p, "/")) {
		int next;

		p += strspn(p, "/");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "/"), p);
		next = *name ? io_make_dir(at, name, 0755, NULL) : -1;
		io_close_quietly(&at);
		at = next;
	}
	io_close_quietly(&at);
}

static int open_folder(const char *path, const char *root, struct err *err)
{
	char dir[PATH_MAX], show[PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", (int)(base_name(path) - path - 1), path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(err, "E-SCHED-05", errno, text("cannot open folder '%s'"),
		    path_show(dir, show, sizeof(show)));
		if (*root)
			err_hint(err,
			    text("make the folder '%s' first, and look whether --root names the right one"),
			    path_show(dir, show, sizeof(show)));
		err_hint(err, "%s",
		    text("see which of cron and systemd is installed here, and name it with --kind"));
	}
	return fd;
}

/* The value after `key` in the second line, decoded; false: none of ours. */
static bool read_option(const char *line, const char *key, char *out, size_t size)
{
	BUF_AUTO value = BUF_INIT(size - 1);
	const char *p = strstr(line, key);
	size_t n;

	if (!p)
		return false;
	p += strlen(key);
	n = strcspn(p, " \n");
	if (n && path_decode(p, n, &value, NULL))
		return false;
	snprintf(out, size, "%s", n ? (const char *)value.p : "");
	return true;
}

static bool read_options(const char *line, struct schedule *s)
{
	return read_option(line, "# policy=", s->policy, sizeof(s->policy)) &&
	       read_option(line, " program=", s->program, sizeof(s->program)) &&
	       read_option(line, " user=", s->user, sizeof(s->user)) &&
	       read_option(line, " mailto=", s->mailto, sizeof(s->mailto)) &&
	       read_option(line, " root-key=", s->root_key, sizeof(s->root_key));
}

/* Did bkp write it, and was it left alone?  With the options it was written with. */
static enum schedule_state provenance(const struct buf *b, struct schedule *ret)
{
	const char *text_of = (const char *)b->p, *body;
	uint8_t said[DIGEST_LEN], hash[DIGEST_LEN];

	if (b->n < MARK_LEN || memcmp(text_of, SCHEDULE_MARK, MARK_LEN) != 0)
		return SCHEDULE_FOREIGN;
	body = memchr(text_of, '\n', b->n);
	if (!body || !digest_unhex(text_of + MARK_LEN, DIGEST_LEN, said) ||
	    body != text_of + MARK_LEN + (size_t)2 * DIGEST_LEN)
		return SCHEDULE_EDITED;
	body++;
	digest_sha256(body, b->n - (size_t)(body - text_of), hash);
	return memcmp(hash, said, sizeof(hash)) != 0 || !read_options(body, ret) ? SCHEDULE_EDITED
										 : SCHEDULE_OUTDATED;
}

/* One file as it is: ABSENT, FOREIGN, EDITED, or OUTDATED: one of ours, with what it says. */
static int look_file(
    const char *path, struct buf *out, struct schedule *ret, enum schedule_state *state, struct err *err)
{
	IO_FD_AUTO dir = open_folder(path, "", err);
	int r;

	if (dir < 0)
		return errno == ENOENT ? (*state = SCHEDULE_ABSENT, 0) : -1;
	r = io_read_file(dir, base_name(path), out, err);
	if (r < 0)
		return -1;
	if (!r && buf_terminate(out, err))
		return -1;
	*state = r ? SCHEDULE_ABSENT : provenance(out, ret);
	return 0;
}

static void fill_field(char *at, size_t size, const char *from)
{
	if (!*at)
		snprintf(at, size, "%s", from);
}

/* Is it what would be written today? */
static int compare_file(const struct schedule *found, const struct policy *policy, size_t i,
    const struct buf *is, enum schedule_state *state, struct err *err)
{
	struct schedule_file files[SCHEDULE_FILES];
	size_t n;
	int r = schedule_render(found, policy, files, &n, err);

	if (!r && files[i].text.n == is->n && !memcmp(files[i].text.p, is->p, is->n) &&
	    !access(found->program, X_OK))
		*state = SCHEDULE_FITS;
	for (size_t k = 0; k < SCHEDULE_FILES; k++)
		buf_free(&files[k].text);
	return r;
}

/* The worse of two; of systemd's files one alone is not enough. */
static enum schedule_state worse_state(enum schedule_state a, enum schedule_state b)
{
	if ((a == SCHEDULE_ABSENT) != (b == SCHEDULE_ABSENT) && (a | b) == SCHEDULE_FITS)
		return SCHEDULE_OUTDATED;
	return a > b ? a : b;
}

int schedule_look(struct schedule *s, const struct policy *policy, enum schedule_state *ret, struct err *err)
{
	struct schedule_file files[SCHEDULE_FILES];
	enum schedule_state state = SCHEDULE_ABSENT, one;
	size_t n = schedule_paths(s, files);

	for (size_t i = 0; i < n; i++) {
		BUF_AUTO is = BUF_INIT(FILE_MAX);
		struct schedule found = *s;

		if (look_file(files[i].path, &is, &found, &one, err))
			return -1;
		if (one == SCHEDULE_OUTDATED) {
			if (*s->policy && strcmp(s->policy, found.policy) != 0)
				one = SCHEDULE_OTHER;
			else if (compare_file(&found, policy, i, &is, &one, err))
				return -1;
			fill_field(s->program, sizeof(s->program), found.program);
			fill_field(s->policy, sizeof(s->policy), found.policy);
			fill_field(s->user, sizeof(s->user), found.user);
			fill_field(s->mailto, sizeof(s->mailto), found.mailto);
			fill_field(s->root_key, sizeof(s->root_key), found.root_key);
		}
		state = i ? worse_state(state, one) : one;
	}
	*ret = state;
	return 0;
}

/* ---- changing it ---- */

static int not_ours(const char *path, enum schedule_state state, const char *policy, struct err *err)
{
	char show[PATH_MAX], other[PATH_MAX];

	path_show(path, show, sizeof(show));
	if (state == SCHEDULE_FOREIGN) {
		err_set(err, "E-SCHED-01", text("'%s' was not written by bkp"), show);
		return err_hint(err, "%s", text("move it away, or choose another name with --name"));
	}
	if (state == SCHEDULE_EDITED) {
		err_set(err, "E-SCHED-02", text("'%s' was changed by hand since bkp wrote it"), show);
		return err_hint(
		    err, "%s", text("remove it by hand when nothing in it is needed, then install again"));
	}
	err_set(err, "E-SCHED-03", text("'%s' is for another policy, '%s'"), show,
	    path_show(policy, other, sizeof(other)));
	return err_hint(err, "%s", text("give this policy's schedule a name of its own with --name"));
}

/* May it be written or taken away?  *ret_there: there is one. */
static int may_touch(
    const struct schedule *s, const char *path, struct buf *is, bool *ret_there, struct err *err)
{
	struct schedule found = {0};
	enum schedule_state state;

	if (look_file(path, is, &found, &state, err))
		return -1;
	if (state == SCHEDULE_OUTDATED && strcmp(s->policy, found.policy) != 0)
		state = SCHEDULE_OTHER;
	*ret_there = state != SCHEDULE_ABSENT;
	return state == SCHEDULE_ABSENT || state == SCHEDULE_OUTDATED
		   ? 0
		   : not_ours(path, state, found.policy, err);
}

static int write_file(const struct schedule *s, const struct schedule_file *f, struct err *err)
{
	char folder[PATH_MAX];
	IO_FD_AUTO dir = -1;

	/* an image of a system may have neither cron nor systemd yet; this computer's are not for us to make */
	snprintf(folder, sizeof(folder), "%.*s", (int)(base_name(f->path) - f->path - 1), f->path);
	if (*s->root)
		make_folders(s->root, folder);
	dir = open_folder(f->path, s->root, err);
	return dir < 0 || io_replace(dir, base_name(f->path), 0644, f->text.p, f->text.n, err) ? -1 : 0;
}

static int install_files(
    const struct schedule *s, const struct schedule_file *files, size_t n, struct err *err)
{
	bool change[SCHEDULE_FILES] = {false, false}, there;
	int r = SCHEDULE_UNCHANGED;

	/* all of them are looked at before one is written */
	for (size_t i = 0; i < n; i++) {
		BUF_AUTO is = BUF_INIT(FILE_MAX);

		if (may_touch(s, files[i].path, &is, &there, err))
			return -1;
		change[i] = !there || is.n != files[i].text.n || memcmp(is.p, files[i].text.p, is.n) != 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (change[i] && write_file(s, &files[i], err))
			return -1;
		r = change[i] ? 0 : r;
	}
	return r;
}

int schedule_install(const struct schedule *s, const struct policy *policy, struct err *err)
{
	struct schedule_file files[SCHEDULE_FILES];
	size_t n;
	int r = schedule_render(s, policy, files, &n, err);

	if (!r)
		r = install_files(s, files, n, err);
	for (size_t i = 0; i < SCHEDULE_FILES; i++)
		buf_free(&files[i].text);
	return r;
}

static int remove_file(const char *path, struct err *err)
{
	IO_FD_AUTO dir = open_folder(path, "", err);
	char show[PATH_MAX];

	if (dir < 0)
		return -1;
	if (unlinkat(dir, base_name(path), 0) && errno != ENOENT)
		return err_sys(
		    err, "E-IO-03", errno, text("cannot remove '%s'"), path_show(path, show, sizeof(show)));
	return io_sync_dir(dir, err);
}

int schedule_remove(const struct schedule *s, struct err *err)
{
	struct schedule_file files[SCHEDULE_FILES];
	bool there[SCHEDULE_FILES] = {false, false};
	size_t n = schedule_paths(s, files);
	int r = SCHEDULE_UNCHANGED;

	for (size_t i = 0; i < n; i++) {
		BUF_AUTO is = BUF_INIT(FILE_MAX);

		if (may_touch(s, files[i].path, &is, &there[i], err))
			return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (there[i] && remove_file(files[i].path, err))
			return -1;
		r = there[i] ? 0 : r;
	}
	return r;
}
