/* canary: see canary.h.
 *
 * The list: a line `bkp-canaries 1 DATASET SALT`, then `NUMBER SHA256 PATH` each, the path percent-encoded. */
#include "write/canary/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger.h"
#include "write/canary/canary_make.h"
#include "write/canary/canary_site.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define FOLDER	  "canaries"
#define MAGIC	  "bkp-canaries 1 "
#define LIST_MAX  ((size_t)2 << 20)
#define LOOKED_AT ((uint64_t)16 << 20) /* bytes of a canary that are looked at */
#define STEP	  ((size_t)64 << 10)
#define SALT	  16
#define SHOW	  1024

void canary_list_free(struct canary_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->all[i].path);
	free(list->all);
	*list = (struct canary_list){NULL, 0};
}

/* ---- the list ---- */

static int add_canary(
    struct canary_list *list, uint64_t number, const char *sha256, const char *path, struct err *err)
{
	struct canary *more = reallocarray(list->all, list->n + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	list->all = more;
	more += list->n;
	more->number = number;
	snprintf(more->sha256, sizeof(more->sha256), "%.*s", 2 * DIGEST_LEN, sha256);
	more->path = strdup(path);
	if (!more->path)
		return err_nomem(err);
	list->n++;
	return 0;
}

/* One line behind the first.  0, 1: it is none, -1. */
static int parse_line(struct canary_list *list, const char *line, size_t n, struct err *err)
{
	BUF_AUTO path = BUF_INIT(LIST_MAX);
	char sha256[2 * DIGEST_LEN + 1];
	int at = 0;
	uint64_t number;

	if (sscanf(line, "%" SCNu64 " %64[0-9a-f] %n", &number, sha256, &at) != 2 || !at || (size_t)at >= n ||
	    strlen(sha256) != 2 * DIGEST_LEN || path_decode(line + at, n - (size_t)at, &path, NULL) ||
	    buf_terminate(&path, NULL) || ((char *)path.p)[0] != '/' || !path_is_entry((char *)path.p + 1))
		return 1;
	return add_canary(list, number, sha256, (char *)path.p, err);
}

/* A NUL follows its bytes.  0, 1: it is no list, -1. */
static int parse_list(const struct buf *raw, struct canary_list *ret, struct err *err)
{
	const char *p = (char *)raw->p, *end = p + raw->n;
	bool first = true;
	int r = 0;

	while (p < end && !r) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		if (!stop)
			r = 1;
		else if (first)
			r = strncmp(p, MAGIC, strlen(MAGIC)) != 0;
		else
			r = parse_line(ret, p, (size_t)(stop - p), err);
		first = false;
		p = stop ? stop + 1 : end;
	}
	if (r)
		canary_list_free(ret);
	return r;
}

static char *list_hash(const struct buf *raw, char out[DIGEST_HEX])
{
	uint8_t hash[DIGEST_LEN];

	digest_sha256(raw->p, raw->n, hash);
	return digest_hex(hash, DIGEST_LEN, out);
}

#define NAME (GENERATION_NAME + sizeof(".new"))
static char *name_of(const char *dataset, const char *end, char out[NAME])
{
	snprintf(out, NAME, "%s%s", dataset, end);
	return out;
}

/* The file's bytes; none where there is no such file. */
static int load(int statefd, const char *dataset, const char *end, struct buf *ret, struct err *err)
{
	IO_FD_AUTO dir = openat(statefd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char name[NAME];

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), FOLDER);
	if (io_read_file(dir, name_of(dataset, end, name), ret, err) < 0)
		return -1;
	return buf_terminate(ret, err);
}

/* Which of the two files the journal signs for: 0: neither; ret: what it says. */
static const char *load_signed(
    int statefd, const struct ledger_placed *p, const char *dataset, struct buf *ret, struct err *err)
{
	static const char *const ends[] = {"", ".new"};
	char hash[DIGEST_HEX];

	for (size_t i = 0; p && i < 2; i++) {
		ret->n = 0;
		if (!load(statefd, dataset, ends[i], ret, err) &&
		    !strcmp(list_hash(ret, hash), p->list_sha256))
			return ends[i];
	}
	ret->n = 0;
	return NULL;
}

static int lost(const char *dataset, struct err *err)
{
	err_set(err, "E-GUARD-05",
	    text("the list of the canaries of '%s' in the state folder is gone, or is not the one on record"),
	    dataset);
	err_hint(
	    err, text("'bkp guard canary remove --datasets %s --operator NAME', then make others"), dataset);
	return CANARY_LOST;
}

int canary_read(
    int statefd, const struct ledger *l, const char *dataset, struct canary_list *ret, struct err *err)
{
	const struct ledger_placed *p = ledger_placed(l, dataset);
	BUF_AUTO raw = BUF_INIT(LIST_MAX);
	struct err why = ERR_INIT;
	int r;

	*ret = (struct canary_list){NULL, 0};
	if (!p || !p->n)
		return CANARY_NONE;
	if (!load_signed(statefd, p, dataset, &raw, &why))
		return lost(dataset, err);
	r = parse_list(&raw, ret, err);
	return r > 0 ? lost(dataset, err) : r;
}

int canary_hash(const char *path, char ret[DIGEST_HEX])
{
	IO_FD_AUTO fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t buf[STEP], hash[DIGEST_LEN];
	struct digest *d;
	uint64_t left = LOOKED_AT;
	struct stat st;
	ssize_t got = 0;

	*ret = '\0';
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	if (fstat(fd, &st))
		return -1;
	if (!S_ISREG(st.st_mode))
		return 0; /* something else is there now */
	d = digest_new();
	if (!d) {
		errno = ENOMEM;
		return -1;
	}
	while (left && (got = io_read_full(fd, buf, STEP)) > 0) {
		digest_update(d, buf, (size_t)got);
		left -= left < (uint64_t)got ? left : (uint64_t)got;
	}
	digest_final(d, hash);
	digest_free(d);
	if (got < 0)
		return -1;
	digest_hex(hash, DIGEST_LEN, ret);
	return 0;
}

/* ---- the files ---- */

/* The folder that holds it, through no symbolic link; *ret_name: what it is called there. */
static int open_folder(const char *path, const char **ret_name)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char part[NAME_MAX + 1];

	for (path++; fd >= 0; path += strcspn(path, "/") + 1) {
		size_t n = strcspn(path, "/");
		int next;

		*ret_name = path;
		if (!path[n])
			return fd;
		if (n > NAME_MAX) {
			close(fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	return -1;
}

static int cannot_make(const char *path, int errnum, struct err *err)
{
	char show[SHOW];

	err_sys(err, "E-GUARD-04", errnum, text("the canary '%s' cannot be made"),
	    path_show(path, show, sizeof(show)));
	return err_hint(err, "%s",
	    text("none was made; leave that folder out with --exclude, or run it as a user who may write "
		 "there"));
}

static int make_file(const struct canary_site *site, const struct buf *content, struct err *err)
{
	const struct timespec times[2] = {site->mtime, site->mtime};
	const char *name = NULL;
	IO_FD_AUTO dir = open_folder(site->path, &name);
	IO_FD_AUTO fd = -1;

	if (dir >= 0)
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return cannot_make(site->path, errno, err);
	if (io_write_full(fd, content->p, content->n) || fchown(fd, site->uid, site->gid) ||
	    fchmod(fd, site->mode) || futimens(fd, times) || fsync(fd) || fsync(dir)) {
		int errnum = errno;

		unlinkat(dir, name, 0);
		return cannot_make(site->path, errnum, err);
	}
	return io_close(&fd, name, err);
}

static void remove_unchanged(const struct canary *c)
{
	const char *name = NULL;
	char is[DIGEST_HEX];
	IO_FD_AUTO dir = open_folder(c->path, &name);

	if (dir >= 0 && !canary_hash(c->path, is) && !strcmp(is, c->sha256) && !unlinkat(dir, name, 0))
		(void)fsync(dir);
}

static bool has_number(const struct canary_list *list, uint64_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->all[i].number == number)
			return true;
	return false;
}

/* Step 4, also of a command that died. */
static int settle(struct state *s, const char *dataset, struct err *err)
{
	const struct ledger_placed *p = ledger_placed(state_ledger(s), dataset);
	BUF_AUTO raw = BUF_INIT(LIST_MAX);
	BUF_AUTO next = BUF_INIT(LIST_MAX);
	struct canary_list now = {NULL, 0}, other = {NULL, 0};
	IO_FD_AUTO dir = -1;
	char from[NAME], to[NAME], hash[DIGEST_HEX];
	bool is_next;
	int r;

	if (load(state_dirfd(s), dataset, ".new", &next, err))
		return -1;
	if (!next.n)
		return 0;
	is_next = p && !strcmp(list_hash(&next, hash), p->list_sha256);
	if (load(state_dirfd(s), dataset, "", &raw, err))
		return -1;
	/* a list that is none names nothing to remove */
	if (parse_list(is_next ? &next : &raw, &now, err) < 0 ||
	    parse_list(is_next ? &raw : &next, &other, err) < 0) {
		canary_list_free(&now);
		return -1;
	}
	for (size_t i = 0; i < other.n; i++)
		if (!has_number(&now, other.all[i].number))
			remove_unchanged(&other.all[i]);
	canary_list_free(&now);
	canary_list_free(&other);
	dir = io_open_dir(state_dirfd(s), FOLDER, err);
	if (dir < 0)
		return -1;
	name_of(dataset, ".new", from);
	r = is_next ? renameat(dir, from, dir, name_of(dataset, "", to)) : unlinkat(dir, from, 0);
	return r ? err_sys(err, "E-IO-05", errno, text("cannot rename '%s'"), from) : io_sync_dir(dir, err);
}

/* Step 1; *ret_sha256: of the list to come. */
static int write_next(struct state *s, const char *dataset, const struct canary_list *list,
    char ret_sha256[DIGEST_HEX], struct err *err)
{
	BUF_AUTO raw = BUF_INIT(LIST_MAX);
	uint8_t salt[SALT];
	char hex[2 * SALT + 1], name[NAME];
	IO_FD_AUTO dir = io_make_dir(state_dirfd(s), FOLDER, 0700, err);

	if (dir < 0 || io_sync_dir(state_dirfd(s), err))
		return -1;
	randombytes_buf(salt, SALT);
	if (buf_printf(&raw, err, MAGIC "%s %s\n", dataset, digest_hex(salt, SALT, hex)))
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (buf_printf(&raw, err, "%" PRIu64 " %s ", list->all[i].number, list->all[i].sha256) ||
		    path_encode(list->all[i].path, &raw, err) || buf_printf(&raw, err, "\n"))
			return -1;
	list_hash(&raw, ret_sha256);
	return io_replace(dir, name_of(dataset, ".new", name), 0600, raw.p, raw.n, err);
}

/* Their numbers and contents go on at the end of the list. */
static int make_contents(const struct ledger_placed *p, const struct canary_site *sites, size_t n,
    struct buf *contents, struct canary_list *list, json_t *record, struct err *err)
{
	uint8_t hash[DIGEST_LEN];
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < n; i++) {
		if (canary_make(sites[i].kind, sites[i].seed, &contents[i], err))
			return -1;
		digest_sha256(contents[i].p, contents[i].n, hash);
		digest_hex(hash, DIGEST_LEN, hex);
		if (add_canary(list, (p ? p->last : 0) + i + 1, hex, sites[i].path, err) ||
		    json_array_append_new(
			record, json_pack("{s:I, s:s}", "number",
				    (json_int_t)(p ? p->last : 0) + (json_int_t)i + 1, "sha256", hex)))
			return -1;
	}
	return 0;
}

static int place(struct state *s, const char *dataset, const struct canary_site *sites, size_t n,
    const char *person, struct buf *contents, struct canary_list *list, struct err *err)
{
	json_t *record = json_array();
	char sha256[DIGEST_HEX];
	int r = make_contents(ledger_placed(state_ledger(s), dataset), sites, n, contents, list, record, err);

	if (!r)
		r = write_next(s, dataset, list, sha256, err);
	for (size_t i = 0; i < n && !r; i++)
		r = make_file(&sites[i], &contents[i], err);
	if (r)
		(void)!settle(s, dataset, NULL); /* what cannot be undone now, the next command undoes */
	else if (!(r = reserve_append(s, "canary-placed",
		       json_pack("{s:s, s:O, s:s, s:s}", "dataset", dataset, "canaries", record,
			   "list_sha256", sha256, "operator", person),
		       err)))
		r = settle(s, dataset, err);
	else
		/* perhaps it stands there all the same: the next opening of the journal says which list is the one */
		err_hint(err, "%s", text("when that is put right, give the command again: it clears up"));
	json_decref(record);
	return r;
}

int canary_place(struct state *s, const char *dataset, const struct canary_site *sites, size_t n,
    const char *person, struct err *err)
{
	struct canary_list list = {NULL, 0};
	struct buf *contents = calloc(n, sizeof(*contents));
	int r;

	if (!contents)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		contents[i] = (struct buf)BUF_INIT(CANARY_CONTENT_MAX);
	r = settle(s, dataset, err);
	if (!r) {
		r = canary_read(state_dirfd(s), state_ledger(s), dataset, &list, err);
		r = r == CANARY_NONE ? 0 : r ? -1 : 0;
	}
	if (!r)
		r = place(s, dataset, sites, n, person, contents, &list, err);
	for (size_t i = 0; i < n; i++)
		buf_free(&contents[i]);
	free(contents);
	canary_list_free(&list);
	return r;
}

int canary_remove(struct state *s, const char *dataset, const char *person, struct err *err)
{
	struct canary_list none = {NULL, 0};
	char sha256[DIGEST_HEX];

	return settle(s, dataset, err) || write_next(s, dataset, &none, sha256, err) ||
		       reserve_append(s, "canary-removed",
			   json_pack("{s:s, s:s, s:s}", "dataset", dataset, "list_sha256", sha256, "operator",
			       person),
			   err) ||
		       settle(s, dataset, err)
		   ? -1
		   : 0;
}
