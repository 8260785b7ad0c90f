/* disc_stage: see disc_stage.h. */
#include "write/disc/disc_stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "write/disc/disc_plan.h"
#include "write/media/medium_w.h"
#include "write/pack/vault_w.h"
#include "write/state/state.h"

#define FOLDER	 "disc"
#define MEDIUM	 FOLDER "/medium"
#define FILE_MAX ((size_t)1 << 30)
#define TEXT_MAX ((size_t)1 << 20)
#define SPARE	 ((uint64_t)2 << 20) /* identity, README.txt, procedures, the file system's own */

/* ---- taking away, depth first; no link is followed ---- */

static int remove_name(void *arg, const char *name, struct err *err);

static int remove_all(int dirfd, const char *name, struct err *err)
{
	IO_FD_AUTO fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0 && (fchmod(fd, 0700) || io_each_name(fd, remove_name, &fd, err)))
		return -1;
	if (unlinkat(dirfd, name, fd < 0 ? 0 : AT_REMOVEDIR) && errno != ENOENT)
		return err_sys(err, "E-DISC-09", errno, text("cannot remove '%s'"), name);
	return 0;
}

static int remove_name(void *arg, const char *name, struct err *err)
{
	return remove_all(*(const int *)arg, name, err);
}

/* ---- what it comes to ---- */

struct weighing {
	int fd;
	uint64_t bytes;
};

static int weigh_file(void *arg, const char *name, struct err *err)
{
	struct weighing *w = arg;
	struct stat st;

	(void)err;
	if (!fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
		w->bytes += disc_room((uint64_t)st.st_size);
	return 0;
}

uint64_t disc_stage_reserve(const struct state *state, const struct medium_docs_sources *docs)
{
	struct weighing w = {.fd = docs->tools ? open(docs->tools, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1};

	if (w.fd >= 0)
		(void)!io_each_name(w.fd, weigh_file, &w, NULL);
	io_close_quietly(&w.fd);
	return w.bytes + 2 * ledger_size(state_ledger(state)) + SPARE;
}

/* ---- making it ---- */

static int make_folder(struct disc_stage *s, struct err *err)
{
	const int state = state_dirfd(s->state);
	IO_FD_AUTO folder = -1;
	IO_FD_AUTO medium = -1;

	if (snprintf(s->path, sizeof(s->path), "%s/" MEDIUM, state_path(s->state)) >= (int)sizeof(s->path))
		return err_set(err, "E-DISC-09", "%s", text("the path of the state folder is too long"));
	snprintf(s->folder, sizeof(s->folder), "%.*s", (int)(strlen(s->path) - strlen("/medium")), s->path);
	if (remove_all(state, FOLDER, err))
		return -1;
	folder = io_make_dir(state, FOLDER, 0700, err);
	if (folder >= 0)
		medium = io_make_dir(folder, "medium", 0755, err);
	return medium < 0 ? -1 : 0;
}

static int say_items(const struct disc_stage *r, struct buf *b, struct err *err)
{
	char label[GENERATION_LABEL], time[CLOCK_TEXT];

	for (size_t i = 0; i < r->n; i++) {
		const struct disc_item *t = &r->items[i];

		generation_label(t->dataset, t->number, label);
		clock_format_local(t->begun_ns, time);
		if (t->taken == t->archives
			? buf_printf(b, err, text("%s (%s): whole\n"), label, time)
			: buf_printf(b, err, text("%s (%s): a part, archives %ju to %ju of %ju\n"), label,
			      time, t->first + 1, t->first + t->taken, t->archives))
			return -1;
	}
	return 0;
}

/* At the end of README.txt. */
static int say_disc(const struct disc_stage *r, struct buf *b, struct err *err)
{
	bool part = false;

	for (size_t i = 0; i < r->n; i++)
		part |= r->items[i].taken != r->items[i].archives;
	if (buf_printf(b, err, text("\n== On the disc %s ==\n\n"), r->label) || say_items(r, b, err))
		return -1;
	if (part && buf_puts(b,
			text("\nA part alone does not restore.  Copy each disc that holds a part of this "
			     "generation into one empty\n"
			     "folder (what is there already is the same), then restore from that folder:\n"
			     "    cp -rn /media/DISC/. FOLDER/\n"
			     "    bkp-restore --medium FOLDER verify GENERATION\n"),
			err))
		return -1;
	return buf_terminate(b, err);
}

static int put_journal(struct disc_stage *s, struct err *err)
{
	STORE_FILE_AUTO journal = {0};
	struct vault_w *v = NULL;
	int r = 0;

	journal_copies_mark(s->state, &s->mark);
	if (state_journal(s->state, &journal, err) || vault_w_open(medium_repo(s->medium), &v, err))
		r = -1;
	if (!r)
		r = vault_w_put_journal(v, &journal, ledger_size(state_ledger(s->state)), false, err);
	vault_w_close(v);
	return r;
}

static bool is_coming(const void *arg, const char *dataset, uint64_t number)
{
	const struct disc_stage *r = arg;

	for (size_t i = 0; i < r->n; i++)
		if (r->items[i].number == number && !strcmp(r->items[i].dataset, dataset))
			return true;
	return false;
}

static int fill_folder(struct disc_stage *s, struct err *err)
{
	struct medium_expect want = {
	    .repository = state_repository(s->state), .uuid = s->uuid, .label = s->label};
	struct medium_docs_sources docs = s->docs;
	struct medium_docs_result brought;
	BUF_AUTO about = BUF_INIT(TEXT_MAX);

	if (say_disc(s, &about, err))
		return -1;
	docs.about = (const char *)about.p;
	docs.coming = is_coming;
	docs.coming_arg = s;
	want.keys = state_keys(s->state, &want.n_keys);
	return medium_open(s->path, &want, &s->medium, err) ||
		       medium_docs_put(
			   s->state, s->policy, s->medium, &docs, &brought, NULL, &s->docs_why, err) ||
		       put_journal(s, err)
		   ? -1
		   : 0;
}

int disc_stage_open(struct disc_stage *s, struct json_t *members, struct err *err)
{
	char uuid[JOURNAL_UUID];

	if (make_folder(s, err) || medium_w_register(s->state, s->path, s->label, "optical", uuid, err) < 0) {
		json_decref(members);
		return -1;
	}
	if (json_object_set_new(members, "medium", json_string(uuid)) ||
	    json_object_set_new(members, "label", json_string(s->label))) {
		json_decref(members);
		return err_nomem(err);
	}
	if (state_append(s->state, "medium-added", members, err))
		return -1;
	memcpy(s->uuid, uuid, sizeof(s->uuid));
	return fill_folder(s, err);
}

/* ---- its files ---- */

struct listing {
	struct disc_list *list;
	const char *from, *to; /* of the folder: on this host; on the disc, with its '/' */
	int fd;
};

static int list_folder(struct disc_list *list, const char *from, const char *to, struct err *err);

static int list_name(void *arg, const char *name, struct err *err)
{
	const struct listing *w = arg;
	char from[4096], to[4096];
	BUF_AUTO b = BUF_INIT(FILE_MAX);
	uint8_t sha256[DIGEST_LEN];
	struct stat st;

	/* where a medium that is written to keeps what is unfinished */
	if (*w->to && !strcmp(name, "tmp"))
		return 0;
	if (snprintf(from, sizeof(from), "%s/%s", w->from, name) >= (int)sizeof(from) ||
	    fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_sys(err, "E-DISC-09", errno, text("'%s' cannot be looked at"), name);
	snprintf(to, sizeof(to), "%s%s%s", w->to, name, S_ISDIR(st.st_mode) ? "/" : "");
	if (S_ISDIR(st.st_mode))
		return list_folder(w->list, from, to, err);
	if (io_read_file(w->fd, name, &b, err))
		return -1;
	digest_sha256(b.p, b.n, sha256);
	return disc_list_add(w->list, to, from, sha256, b.n, err);
}

static int list_folder(struct disc_list *list, const char *from, const char *to, struct err *err)
{
	struct listing w = {.list = list, .from = from, .to = to, .fd = io_open_dir(AT_FDCWD, from, err)};
	int r = w.fd < 0 ? -1 : io_each_name(w.fd, list_name, &w, err);

	io_close_quietly(&w.fd);
	return r;
}

int disc_stage_list(const struct disc_stage *s, struct disc_list *l, struct err *err)
{
	return list_folder(l, s->path, "", err);
}

void disc_stage_close(struct disc_stage *s)
{
	medium_close(s->medium);
	s->medium = NULL;
	if (*s->path)
		(void)!remove_all(state_dirfd(s->state), FOLDER, NULL);
	*s->path = '\0';
}
