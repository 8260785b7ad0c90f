/* verify: see verify.h.  This file: hashes and signatures; verify_deep.c: what needs an identity. */
#include "read/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/generation.h"
#include "read/digestset.h"
#include "read/inside.h"
#include "read/vault_r.h"
#include "read/verify_private.h"

#define PART	 ((size_t)1 << 20)
#define ALIGN	 4096
#define SEEN_MAX ((size_t)8 << 20) /* files: 1 PiB of archives */

enum { SEEN_GOOD = 1, SEEN_BAD = 2, SEEN_VOUCHED = 3 };

static void free_part(uint8_t **p)
{
	free(*p);
}

static ssize_t read_some(int fd, uint8_t *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* The page cache is left aside; where the file system cannot do that it is emptied of this file first. */
static bool set_direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}

static void drop_cache(int fd)
{
	(void)fdatasync(fd); /* dirty pages would stay */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int hash_fd(int fd, bool from_device, uint64_t *ret_bytes, uint8_t out[DIGEST_LEN], struct err *err)
{
	__attribute__((cleanup(free_part))) uint8_t *part = NULL;
	bool direct = from_device && set_direct(fd, true);
	struct digest *d;
	uint64_t bytes = 0;
	ssize_t got;
	int saved;

	if (from_device && !direct)
		drop_cache(fd);
	if (posix_memalign((void **)&part, ALIGN, PART))
		return err_nomem(err);
	d = digest_new();
	if (!d)
		return err_nomem(err);
	while ((got = read_some(fd, part, PART)) != 0) {
		if (got < 0 && errno == EINVAL && direct) {
			/* accepted by open, refused by read (some file systems and odd block sizes) */
			direct = !set_direct(fd, false);
			drop_cache(fd);
			if (!direct)
				continue;
		}
		if (got < 0)
			break;
		digest_update(d, part, (size_t)got);
		bytes += (uint64_t)got;
	}
	saved = errno;
	digest_final(d, out);
	digest_free(d);
	*ret_bytes = bytes;
	return got < 0 ? err_sys(err, "E-VERIFY-03", saved, "%s", text("cannot be read to its end")) : 0;
}

int verify_file(int dirfd, const char *path, const uint8_t sha256[DIGEST_LEN], bool from_device,
    uint64_t *ret_bytes, struct err *err)
{
	uint8_t have[DIGEST_LEN];
	uint64_t bytes = 0;
	IO_FD_AUTO fd = -1;
	int r = inside_open(dirfd, path, &fd, err);

	if (r == INSIDE_ABSENT) {
		err_set(err, "E-VERIFY-01", text("'%s' is missing"), path);
		return VERIFY_ABSENT;
	}
	if (r) {
		char why[sizeof(err->msg)];

		memcpy(why, err ? err->msg : "", err ? sizeof(why) : 1);
		return err_set(err, "E-VERIFY-03", "%s", why);
	}
	r = hash_fd(fd, from_device, &bytes, have, err);
	if (ret_bytes)
		*ret_bytes = bytes;
	if (r)
		return err_wrap(err, "'%s'", path);
	if (memcmp(have, sha256, DIGEST_LEN) != 0) {
		err_set(err, "E-VERIFY-02",
		    text("'%s' is not the file that was signed: its SHA-256 is another"), path);
		return VERIFY_WRONG;
	}
	return 0;
}

/* ---- seen ---- */

struct verify_seen {
	struct digestset *set;
};

struct verify_seen *verify_seen_new(void)
{
	struct verify_seen *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->set = digestset_new(SEEN_MAX);
	if (!s->set) {
		free(s);
		return NULL;
	}
	return s;
}

int verify_seen_vouch(struct verify_seen *s, const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	/* full: the file will be read once more than needed */
	return digestset_put(s->set, sha256, SEEN_VOUCHED, err) < 0 ? -1 : 0;
}

void verify_seen_free(struct verify_seen *s)
{
	if (s)
		digestset_free(s->set);
	free(s);
}

/* ---- a generation ---- */

void verify_report(
    struct verify_run *run, const char *file, const char *dataset, const char *path, const struct err *err)
{
	struct verify_fault f = {file, dataset, path, err};

	run->res.faults++;
	if (run->cb && run->cb->fault)
		run->cb->fault(run->cb->arg, &f);
}

int verify_listed(struct verify_run *run, const char *path, const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	struct digestset *seen = run->opt->seen ? run->opt->seen->set : NULL;
	uint8_t known = seen ? digestset_get(seen, sha256) : 0;
	struct err why = ERR_INIT;
	uint64_t bytes = 0;
	int r = 0;

	if (run->cb && run->cb->progress)
		run->cb->progress(run->cb->arg, run->res.bytes, run->total, path);
	if (known == SEEN_GOOD || (known == SEEN_VOUCHED && !run->opt->again)) {
		run->res.seen++;
		return 0;
	}
	if (known == SEEN_BAD) {
		run->res.seen++;
		err_set(
		    &why, "E-VERIFY-02", text("'%s' is missing, unreadable or wrong, as said before"), path);
		verify_report(run, path, NULL, NULL, &why);
		return 1;
	}
	r = verify_file(vault_r_fd(run->v), path, sha256, run->opt->from_device, &bytes, &why);
	run->res.files++;
	run->res.bytes += bytes;
	if (r)
		verify_report(run, path, NULL, NULL, &why);
	if (seen && digestset_put(seen, sha256, r ? SEEN_BAD : SEEN_GOOD, err) < 0)
		return -1;
	return r ? 1 : 0;
}

static int hash_listed(struct verify_run *run, bool archives, struct err *err)
{
	const struct buf *sums = vault_r_sums(run->g);
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, err))) {
		if (!archives && !strncmp(path, "archives/", 9))
			continue;
		if (verify_listed(run, path, sha256, err) < 0)
			return -1;
	}
	return r < 0 ? -1 : 0;
}

/* The list and its signature are read whole by the reader of the vault: what it reads must be the device's. */
static void drop_list(int dirfd, uint64_t number)
{
	static const char *const names[] = {"SHA256SUMS", "SHA256SUMS.minisig"};
	char dir[GENERATION_DIR], path[GENERATION_SUMS_PATH];

	generation_dir(number, dir);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		IO_FD_AUTO fd = -1;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (!inside_open(dirfd, path, &fd, NULL))
			drop_cache(fd);
	}
}

bool verify_shares_damage(struct vault_r *v, uint64_t number, const struct verify_seen *s)
{
	struct vault_r_generation *g = NULL;
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	const struct buf *sums;
	bool shares = false;
	size_t pos = 0;

	if (vault_r_generation_open(v, number, &g, NULL))
		return false;
	sums = vault_r_sums(g);
	while (!shares && !generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL))
		shares = digestset_get(s->set, sha256) == SEEN_BAD;
	vault_r_generation_close(g);
	return shares;
}

int verify_generation(struct vault_r *v, uint64_t number, const struct verify_options *opt,
    const struct verify_callbacks *cb, struct verify_result *ret, struct err *err)
{
	struct verify_run run = {.v = v, .opt = opt, .cb = cb};
	struct vault_r_generation *g = NULL;
	struct err why = ERR_INIT;
	char dir[GENERATION_DIR];
	int r;

	if (opt->from_device)
		drop_list(vault_r_fd(v), number);
	if (vault_r_generation_open(v, number, &g, &why)) {
		verify_report(&run, generation_dir(number, dir), NULL, NULL, &why);
		*ret = run.res;
		return 0;
	}
	run.g = g;
	run.total = vault_r_manifest(g)->archive_bytes;
	r = hash_listed(&run, opt->n_ids == 0, err);
	if (!r && opt->n_ids)
		r = verify_deep(&run, err);
	vault_r_generation_close(g);
	if (!r)
		*ret = run.res;
	return r;
}
