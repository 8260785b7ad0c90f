/* canary_site: see canary_site.h.
 *
 * One walk a root.  It is sorted, so at most three parts are open at a time: the root's own, that of the first level, that of the
 * second (open_part()); of each the files are counted, and one of them is kept by lot (consider()).  A part that ends is settled
 * (end_part()): large enough, it becomes a site; of those canary_sites() keeps so many, evenly. */
#include "write/canary/canary_site.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/err.h"
#include "base/io.h"
#include "format/config/exclude.h"
#include "format/policy/policy.h"
#include "write/canary/canary_make.h"
#include "write/source/walk.h"

#define LEVELS	  3
#define HEAD	  132 /* "DICM" ends there */
#define GAP	  50  /* numbers in a row that are looked at */
#define SECONDS	  600 /* a canary is younger than its neighbour by up to so many */
#define DIGITS	  9
#define ENDS	  5
#define NAME_LONG 200
#define TRIES	  1000 /* files of a part that are opened until something can be made like one */

struct finding {
	const struct canary_question *q;
	struct canary_site *sites;
	size_t n;
	uint64_t drawn; /* random numbers so far */
	struct part {
		char *name; /* its folder, relative to the root */
		uint64_t files, tried;
		struct canary_site site; /* path NULL: nothing fits yet */
	} part[LEVELS];
};

void canary_sites_free(struct canary_site *sites, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(sites[i].path);
	free(sites);
}

/* The same for the same question. */
static void draw(struct finding *f, void *out, size_t n)
{
	uint8_t seed[CANARY_SEED];

	memcpy(seed, f->q->seed, sizeof(seed));
	f->drawn++;
	for (size_t i = 0; i < sizeof(f->drawn); i++)
		seed[i] ^= (uint8_t)(f->drawn >> (8 * i));
	randombytes_buf_deterministic(out, n, seed);
}

static uint64_t draw_below(struct finding *f, uint64_t n)
{
	uint64_t v;

	draw(f, &v, sizeof(v));
	return v % n;
}

/* ---- names ---- */

static bool is_free(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0;
}

/* The neighbour's name with this number in the place of its last one, n digits from `at` on. */
static bool renumber(const char *name, size_t at, size_t n, uint64_t number, char out[NAME_MAX + 1])
{
	char digits[24];

	return snprintf(digits, sizeof(digits), "%0*ju", (int)n, (uintmax_t)number) == (int)n &&
	       snprintf(out, NAME_MAX + 1, "%.*s%s%s", (int)at, name, digits, name + at + n) <= NAME_MAX;
}

/* A number that is free between two in use: a counter has passed there.  by: 1, or -1: below the neighbour's. */
static bool find_gap(int dirfd, const char *name, size_t stem, int by, char out[NAME_MAX + 1])
{
	char other[NAME_MAX + 1];
	size_t at = stem, n;
	int64_t number;
	bool gap = false;

	while (at && (name[at - 1] < '0' || name[at - 1] > '9'))
		at--;
	for (n = 0; at && n < DIGITS && name[at - 1] >= '0' && name[at - 1] <= '9'; n++)
		at--;
	number = strtol(name + at, NULL, 10);
	for (int d = 0; n && d < GAP; d++) {
		number += by;
		if (number < 0 || !renumber(name, at, n, (uint64_t)number, other))
			return false;
		if (!gap && is_free(dirfd, other)) {
			gap = true;
			memcpy(out, other, sizeof(other));
		} else if (gap && !is_free(dirfd, other)) {
			return true;
		}
	}
	return false;
}

/* A name like the neighbour's that nothing has, and that no counter gives. */
static bool find_name(struct finding *f, int dirfd, const char *name, char out[NAME_MAX + 1])
{
	static const char *const ends[] = {"-2", "_2", "b", "(2)", "-1"};
	const char *dot = strrchr(name, '.');
	size_t stem = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	uint64_t first = draw_below(f, ENDS);

	if (strlen(name) > NAME_LONG)
		return false;
	if (find_gap(dirfd, name, stem, 1, out) || find_gap(dirfd, name, stem, -1, out))
		return true;
	for (uint64_t i = 0; i < ENDS; i++) {
		snprintf(
		    out, NAME_MAX + 1, "%.*s%s%s", (int)stem, name, ends[(first + i) % ENDS], name + stem);
		if (is_free(dirfd, out))
			return true;
	}
	return false;
}

/* ---- files ---- */

static enum canary_kind kind_of_file(const struct walk_item *it)
{
	IO_FD_AUTO fd = openat(it->dirfd, it->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t head[HEAD];
	ssize_t n = fd < 0 ? -1 : io_pread_full(fd, head, sizeof(head), 0);

	return n > 0 ? canary_kind_of(it->name, head, (size_t)n) : CANARY_NOTHING;
}

/* As a path without symbolic links: what was one below the roots the walk has not entered. */
static char *path_beside(const struct walk_item *it, const char *name)
{
	const char *last = strrchr(it->path, '/');
	size_t above = last ? (size_t)(last - it->path) : 0;
	char *folder = NULL, *real, *path = NULL;

	if (asprintf(&folder, "/%.*s", (int)above, it->path) < 0)
		return NULL;
	real = realpath(folder, NULL);
	if (real && asprintf(&path, "%s/%s", strcmp(real, "/") ? real : "", name) < 0)
		path = NULL;
	free(real);
	free(folder);
	return path;
}

/* Of the files that something can be made like one is kept by lot. */
static void consider(struct finding *f, struct part *p, const struct walk_item *it)
{
	char name[NAME_MAX + 1];
	enum canary_kind kind;
	char *path;

	p->files++;
	if (!it->st.st_size || (p->site.path ? draw_below(f, p->files) != 0 : p->tried == TRIES))
		return;
	p->tried += !p->site.path;
	kind = kind_of_file(it);
	if (kind == CANARY_NOTHING)
		return;
	path = find_name(f, it->dirfd, it->name, name) ? path_beside(it, name) : NULL;
	if (!path)
		return;
	free(p->site.path);
	p->site = (struct canary_site){.path = path,
	    .kind = kind,
	    .uid = it->st.st_uid,
	    .gid = it->st.st_gid,
	    .mode = it->st.st_mode & 0777,
	    .mtime = it->st.st_mtim};
	p->site.mtime.tv_sec += 1 + (time_t)draw_below(f, SECONDS);
	if (p->site.mtime.tv_sec > time(NULL))
		p->site.mtime.tv_sec = it->st.st_mtim.tv_sec;
	draw(f, p->site.seed, sizeof(p->site.seed));
}

/* ---- parts ---- */

static int end_part(struct finding *f, struct part *p, struct err *err)
{
	struct canary_site *more;

	if (p->files >= CANARY_PART && p->site.path) {
		more = reallocarray(f->sites, f->n + 1, sizeof(*more));
		if (!more)
			return err_nomem(err);
		f->sites = more;
		f->sites[f->n++] = p->site;
		p->site.path = NULL;
	}
	free(p->name);
	free(p->site.path);
	memset(p, 0, sizeof(*p));
	return 0;
}

/* Of the file at `rel` below the root; those that it ends are settled. */
static int open_part(struct finding *f, const char *rel, struct part **ret, struct err *err)
{
	size_t level = 0, n = 0;

	for (const char *s = strchr(rel, '/'); s && level < LEVELS - 1; s = strchr(s + 1, '/')) {
		level++;
		n = (size_t)(s - rel);
	}
	for (size_t i = LEVELS; i--;) {
		struct part *p = &f->part[i];
		size_t own = p->name ? strlen(p->name) : 0;
		bool within = p->name && !strncmp(rel, p->name, own) && (!own || rel[own] == '/');

		if (p->name && !within && end_part(f, p, err))
			return -1;
	}
	*ret = &f->part[level];
	if (!(*ret)->name) {
		(*ret)->name = strndup(rel, n);
		if (!(*ret)->name)
			return err_nomem(err);
	}
	return 0;
}

static int walk_root(struct finding *f, const char *root, const struct exclude *exclude, struct err *err)
{
	struct walk_options opt = {.cross_mounts = !f->q->dataset->one_file_system,
	    .exclude = exclude,
	    .scratch_dir = f->q->scratch_dir};
	size_t above = strlen(root + 1);
	struct walk_item it;
	struct part *p;
	struct walk *w;
	int r;

	if (walk_open(root, &opt, &w, err))
		return -1;
	while (!(r = walk_next(w, &it, err))) {
		const char *rel = it.path + above;

		if (it.error || !S_ISREG(it.st.st_mode) || !*rel)
			continue; /* a root that is a file has no neighbours */
		if (open_part(f, above ? rel + 1 : rel, &p, err)) {
			r = -1;
			break;
		}
		consider(f, p, &it);
	}
	walk_close(w);
	for (size_t i = LEVELS; i-- && r >= 0;)
		r = end_part(f, &f->part[i], err);
	return r < 0 ? -1 : 0;
}

/* So many of them, evenly; the others go. */
static void thin_out(struct finding *f, size_t most)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->n <= most || i * most / f->n != (i + 1) * most / f->n)
			f->sites[kept++] = f->sites[i];
		else
			free(f->sites[i].path);
	f->n = kept;
}

int canary_sites(const struct canary_question *q, struct canary_site **ret, size_t *ret_n, size_t *ret_parts,
    struct err *err)
{
	const struct policy_dataset *d = q->dataset;
	struct finding f = {.q = q};
	size_t n = d->n_exclude + q->n_exclude;
	char **patterns = calloc(n + 1, sizeof(*patterns));
	struct exclude *exclude = NULL;
	int r = patterns ? 0 : err_nomem(err);

	for (size_t i = 0; i < n && !r; i++)
		patterns[i] = i < d->n_exclude ? d->exclude[i] : (char *)q->exclude[i - d->n_exclude];
	if (!r && !(exclude = exclude_new(patterns, n, d->paths, d->n_paths, err)))
		r = -1;
	for (size_t i = 0; i < d->n_paths && !r; i++)
		r = walk_root(&f, d->paths[i], exclude, err);
	exclude_free(exclude);
	free(patterns);
	for (size_t i = 0; i < LEVELS; i++) {
		free(f.part[i].name);
		free(f.part[i].site.path);
	}
	if (r) {
		canary_sites_free(f.sites, f.n);
		return -1;
	}
	*ret_parts = f.n;
	thin_out(&f, q->most);
	*ret = f.sites;
	*ret_n = f.n;
	return 0;
}
