/* serve: see serve.h.
 *
 * libfuse's low-level calls: a node is a number (tree.h), so nothing is looked up, kept or forgotten here but open files. */
#define FUSE_USE_VERSION 314

#include "restore/mount/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/mount/blocks.h"
#include "restore/mount/content.h"
#include "restore/mount/tree.h"

#define KEEP_SECONDS 86400.0 /* a generation never changes */
#define SAME_MAX     20	     /* faults that are told; what follows is only counted */
#define SHOW	     300

/* An open file. */
struct file {
	struct content *content;
	size_t generation;
	char name[SHOW]; /* for messages */
	struct file *next, **back;
};

struct serve {
	struct blocks *blocks;
	struct tree *tree;
	struct file *files;
	struct err last;
	unsigned faults;
};

struct serve *serve_new(void)
{
	return calloc(1, sizeof(struct serve));
}

static void close_file(struct file *f)
{
	*f->back = f->next;
	if (f->next)
		f->next->back = f->back;
	content_close(f->content);
	free(f);
}

void serve_free(struct serve *s)
{
	if (!s)
		return;
	while (s->files)
		close_file(s->files);
	tree_free(s->tree);
	free(s);
}

void serve_pause(void *serve, size_t generation)
{
	struct serve *s = serve;

	for (struct file *f = s->files; f; f = f->next)
		if (f->generation == generation)
			content_pause(f->content);
}

unsigned serve_faults(const struct serve *s)
{
	return s->faults;
}

static void on_fault(void *arg, const struct err *why)
{
	struct serve *s = arg;

	if (!strcmp(s->last.msg, why->msg))
		return; /* each program that looks there asks again */
	s->last = *why;
	if (s->faults++ < SAME_MAX)
		app_error(why, APP_FAILED);
	else if (s->faults == SAME_MAX + 1)
		fprintf(stderr, "%s\n",
		    text("bkp-restore: further faults are not shown; 'bkp-restore verify --deep' names all"));
}

/* ---- names ---- */

static struct fuse_entry_param entry_param(const struct tree_node *n)
{
	return (struct fuse_entry_param){
	    .ino = n->number, .attr = n->st, .attr_timeout = KEEP_SECONDS, .entry_timeout = KEEP_SECONDS};
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct serve *s = fuse_req_userdata(req);
	struct fuse_entry_param e;
	struct tree_node n;
	int r = tree_lookup(s->tree, parent, name, &n);

	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	e = entry_param(&n);
	fuse_reply_entry(req, &e);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct serve *s = fuse_req_userdata(req);
	struct tree_node n;
	int r = tree_node(s->tree, ino, &n);

	(void)fi;
	if (r)
		fuse_reply_err(req, r);
	else
		fuse_reply_attr(req, &n.st, KEEP_SECONDS);
}

static void do_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct serve *s = fuse_req_userdata(req);
	struct tree_node n;
	int r = tree_node(s->tree, ino, &n);

	if (!r && (!n.entry || !n.entry->link))
		r = EINVAL;
	if (r)
		fuse_reply_err(req, r);
	else
		fuse_reply_readlink(req, n.entry->link);
}

/* "." and ".." take the first two offsets; the others are cookies of the tree, two further, so that none is 0. */
static size_t add_dots(fuse_req_t req, char *p, size_t size, fuse_ino_t ino, off_t off)
{
	struct fuse_entry_param e = {.attr = {.st_ino = ino, .st_mode = S_IFDIR}};
	size_t used = 0, n;

	for (; off < 2; off++) {
		n = fuse_add_direntry_plus(req, p + used, size - used, off ? ".." : ".", &e, off + 1);
		if (n > size - used)
			break;
		used += n;
	}
	return used;
}

static void do_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct serve *s = fuse_req_userdata(req);
	char *p = malloc(size), name[TREE_NAME];
	size_t used = p ? add_dots(req, p, size, ino, off) : 0, n;
	uint64_t cookie = off > 2 ? (uint64_t)off - 2 : 0;
	int r = p ? 0 : ENOMEM;

	(void)fi;
	while (!r) {
		struct fuse_entry_param e;
		struct tree_node node;

		r = tree_list(s->tree, ino, &cookie, name, &node);
		if (r)
			break;
		e = entry_param(&node);
		n = fuse_add_direntry_plus(req, p + used, size - used, name, &e, (off_t)(cookie + 2));
		if (n > size - used)
			break;
		used += n;
	}
	/* what was there before the fault is given out; the fault comes again with the next call */
	if (r > 0 && !used)
		fuse_reply_err(req, r);
	else
		fuse_reply_buf(req, p, used);
	free(p);
}

/* ---- attributes ---- */

/* The value of that name, or NULL. */
static const uint8_t *next_attr(const uint8_t **p, const uint8_t *end, const char **ret_name, uint32_t *ret_n)
{
	const uint8_t *value;

	if (*p >= end)
		return NULL;
	memcpy(ret_n, *p, sizeof(*ret_n));
	*ret_name = (const char *)*p + sizeof(*ret_n);
	value = (const uint8_t *)*ret_name + strlen(*ret_name) + 1;
	*p = value + *ret_n;
	return value;
}

static void reply_sized(fuse_req_t req, const void *p, size_t n, size_t size)
{
	if (!size)
		fuse_reply_xattr(req, n);
	else if (n > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, p, n);
}

static void do_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct serve *s = fuse_req_userdata(req);
	const uint8_t *p, *value = NULL, *end;
	const char *has = "";
	struct tree_node n;
	uint32_t len = 0;
	int r = tree_node(s->tree, ino, &n);

	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	p = n.entry ? n.entry->attrs : NULL;
	end = p ? p + n.entry->attrs_len : NULL;
	while (p && (value = next_attr(&p, end, &has, &len)) && strcmp(has, name) != 0)
		;
	if (value)
		reply_sized(req, value, len, size);
	else
		fuse_reply_err(req, ENODATA);
}

static void do_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct serve *s = fuse_req_userdata(req);
	const uint8_t *p, *end;
	struct tree_node n;
	const char *name;
	uint32_t len;
	char *names;
	size_t used = 0;
	int r = tree_node(s->tree, ino, &n);

	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	p = n.entry ? n.entry->attrs : NULL;
	end = p ? p + n.entry->attrs_len : NULL;
	names = malloc(p ? n.entry->attrs_len + 1 : 1);
	while (names && p && next_attr(&p, end, &name, &len)) {
		memcpy(names + used, name, strlen(name) + 1);
		used += strlen(name) + 1;
	}
	if (names)
		reply_sized(req, names, used, size);
	else
		fuse_reply_err(req, ENOMEM);
	free(names);
}

/* ---- content ---- */

static int open_file(struct serve *s, const struct tree_node *n, struct file **ret)
{
	struct file *f = calloc(1, sizeof(*f));
	struct err why = ERR_INIT;

	if (!f || !n->entry)
		return free(f), f ? EISDIR : ENOMEM;
	path_show(n->entry->path, f->name, sizeof(f->name));
	f->generation = n->generation;
	if (!n->entry->extents)
		err_set(&why, "E-RESTORE-03",
		    text("'%s' could not be read when it was captured, there is no content"), f->name);
	else if (!content_open(n->entry, &f->content, &why)) {
		f->next = s->files;
		f->back = &s->files;
		if (f->next)
			f->next->back = &f->next;
		s->files = f;
		*ret = f;
		return 0;
	}
	free(f);
	on_fault(s, &why);
	return why.kind == ERR_MEMORY ? ENOMEM : EIO;
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct serve *s = fuse_req_userdata(req);
	struct tree_node n;
	struct file *f;
	int r = tree_node(s->tree, ino, &n);

	if (!r && (fi->flags & O_ACCMODE) != O_RDONLY)
		r = EROFS;
	if (!r)
		r = open_file(s, &n, &f);
	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	fi->fh = (uint64_t)(uintptr_t)f;
	fi->keep_cache = 1;
	if (fuse_reply_open(req, fi) == -ENOENT)
		close_file(f); /* who asked has gone: no release comes */
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct serve *s = fuse_req_userdata(req);
	struct file *f = (struct file *)(uintptr_t)fi->fh;
	struct err why = ERR_INIT;
	struct arc_r *arc;
	char *p = malloc(size);
	size_t n = 0;

	(void)ino;
	if (!p) {
		fuse_reply_err(req, ENOMEM);
	} else if (blocks_arc(s->blocks, f->generation, &arc, &why) ||
		   content_read(f->content, arc, (uint64_t)off, p, size, &n, &why)) {
		err_wrap(&why, "'%s'", f->name);
		on_fault(s, &why);
		fuse_reply_err(req, why.kind == ERR_MEMORY ? ENOMEM : EIO);
	} else {
		fuse_reply_buf(req, p, n);
	}
	free(p);
}

static void do_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	close_file((struct file *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

static void do_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct serve *s = fuse_req_userdata(req);
	struct statvfs st = {
	    .f_bsize = 4096, .f_frsize = 4096, .f_namemax = TREE_NAME - 1, .f_flag = ST_RDONLY};

	(void)ino;
	for (size_t i = 0; i < blocks_count(s->blocks); i++) {
		const struct generation_dataset *d = &blocks_generation(s->blocks, i)->root->dataset;

		st.f_files += d->entries;
		st.f_blocks += d->bytes / 4096 + (d->bytes % 4096 > 0);
	}
	fuse_reply_statfs(req, &st);
}

/* ---- the session ---- */

static void do_init(void *arg, struct fuse_conn_info *conn)
{
	(void)arg;
	/* every folder with what is in it at once: most who list want it */
	conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
	conn->want |= conn->capable & FUSE_CAP_READDIRPLUS;
}

static const struct fuse_lowlevel_ops ops = {
    .init = do_init,
    .lookup = do_lookup,
    .getattr = do_getattr,
    .readlink = do_readlink,
    .readdirplus = do_readdirplus,
    .getxattr = do_getxattr,
    .listxattr = do_listxattr,
    .open = do_open,
    .read = do_read,
    .release = do_release,
    .statfs = do_statfs,
};

/* 1: it was unmounted; 0; -1. */
static int serve_one(struct fuse_session *se, struct fuse_buf *buf, struct err *err)
{
	int r = fuse_session_receive_buf(se, buf);

	if (r == -EINTR || r == -EAGAIN)
		return 0;
	if (r < 0)
		return err_sys(err, "E-MOUNT-03", -r, "%s", text("the kernel ended the mount"));
	if (!r)
		return 1;
	fuse_session_process_buf(se, buf);
	return fuse_session_exited(se);
}

static int serve_all(struct fuse_session *se, struct interrupt *stop, struct err *err)
{
	struct pollfd fds[] = {{fuse_session_fd(se), POLLIN, 0}, {interrupt_fd(stop), POLLIN, 0}};
	struct fuse_buf buf = {.mem = NULL};
	int r = 0;

	/* another thread of the kernel's may have taken back what woke us */
	(void)fcntl(fds[0].fd, F_SETFL, fcntl(fds[0].fd, F_GETFL) | O_NONBLOCK);
	while (!r && !interrupt_count(stop)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			r = err_sys(err, "E-MOUNT-03", errno, "%s", text("the kernel ended the mount"));
		else if (fds[0].revents)
			r = serve_one(se, &buf, err);
	}
	free(buf.mem);
	return r < 0 ? -1 : 0;
}

int serve_run(
    struct serve *s, struct blocks *b, bool folders, int fd, struct interrupt *stop, struct err *err)
{
	char name[] = "bkp-restore", place[32];
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *se;
	int r;

	s->blocks = b;
	s->tree = tree_new(b, folders, on_fault, s);
	se = s->tree ? fuse_session_new(&args, &ops, sizeof(ops), s) : NULL;
	fuse_opt_free_args(&args);
	snprintf(place, sizeof(place), "/dev/fd/%d", fd);
	if (!se || fuse_session_mount(se, place)) {
		if (se)
			fuse_session_destroy(se);
		close(fd);
		return err_set(err, "E-MOUNT-02", "%s", text("the mount cannot be begun"));
	}
	r = serve_all(se, stop, err);
	while (s->files)
		close_file(s->files);
	fuse_session_destroy(se); /* closes fd */
	return r;
}
