/* examples: see examples.h. */
#include "write/capture/examples.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fnv.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/guard/signs.h"

#define FOLDER	   "guard"
#define NAME_BYTES 160
#define FILE_BYTES ((size_t)64 << 10)

static const char *const words[EXAMPLE_REASONS] = {
    [EXAMPLE_HARMED] = "harmed",
    [EXAMPLE_SEALED] = "sealed",
    [EXAMPLE_ALIEN] = "alien",
    [EXAMPLE_DELETED] = "deleted",
    [EXAMPLE_REWRITTEN] = "rewritten",
};

void examples_begin(struct examples *e)
{
	memset(e->n, 0, sizeof(e->n));
}

void examples_add(struct examples *e, enum example reason, const char *path)
{
	const size_t len = strlen(path);
	const uint64_t h = fnv_bytes(FNV_START, path, len), hash = h ^ h >> 29;
	struct example_path *p = e->of[reason];
	size_t at = e->n[reason];

	if (len >= EXAMPLES_PATH)
		return;
	if (at < EXAMPLES) {
		e->n[reason]++;
	} else {
		at = 0;
		for (size_t i = 1; i < EXAMPLES; i++)
			at = p[i].hash > p[at].hash ? i : at;
		if (p[at].hash <= hash)
			return;
	}
	p[at].hash = hash;
	memcpy(p[at].path, path, len + 1);
}

static int write_lines(const struct examples *e, struct buf *out, struct err *err)
{
	for (size_t r = 0; r < EXAMPLE_REASONS; r++)
		for (size_t i = 0; i < e->n[r]; i++)
			if (buf_printf(out, err, "%s\t", words[r]) ||
			    path_encode(e->of[r][i].path, out, err) || buf_puts(out, "\n", err))
				return -1;
	return 0;
}

int examples_save(const struct examples *e, int cachefd, const char *dataset, struct err *err)
{
	BUF_AUTO b = BUF_INIT(FILE_BYTES);
	char name[NAME_BYTES];
	IO_FD_AUTO dir = -1;
	IO_FD_AUTO fd = -1;

	if (write_lines(e, &b, err))
		return -1;
	snprintf(name, sizeof(name), "%s.examples.new", dataset);
	if (mkdirat(cachefd, FOLDER, 0700) && errno != EEXIST)
		return err_sys(err, "E-STATCACHE-01", errno, text("cannot make folder '%s'"), "cache/guard");
	dir = openat(cachefd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && !b.n && (!unlinkat(dir, name, 0) || errno == ENOENT))
		return 0;
	fd = dir < 0 ? -1 : openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || io_write_full(fd, b.p, b.n))
		return err_sys(err, "E-STATCACHE-01", errno, text("cannot write '%s'"), name);
	return 0;
}

void examples_settle(int cachefd, const char *dataset, enum examples_of which)
{
	IO_FD_AUTO dir = openat(cachefd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char now[NAME_BYTES], name[NAME_BYTES];

	if (dir < 0)
		return;
	snprintf(now, sizeof(now), "%s.examples.new", dataset);
	snprintf(name, sizeof(name), "%s.examples", dataset);
	if (which != EXAMPLES_FORMER || (faccessat(dir, name, F_OK, 0) && errno == ENOENT)) {
		unlinkat(dir, name, 0);
		if (which != EXAMPLES_NONE && !renameat(dir, now, dir, name))
			return;
	}
	unlinkat(dir, now, 0);
}
