/* index_scale: the chunk index with generated ids.  Prints a line for each number of entries: rates of adding
 * and looking up, size of the file, memory, time to open, time to open after a death.
 *
 *     index_scale FOLDER ENTRIES_EACH [=N] N [N ...]     ascending; the folder is made, and stays
 *
 * =N: the first N entries are added in the order of their ids, which takes minutes instead of hours where the
 * disk is slow; the ids of the others are as evenly spread as keyed hashes are.
 *
 *     index_scale FOLDER ENTRIES_EACH check          after a kill: how long opening took; all that was added
 * is known
 *
 * ENTRIES_EACH is what one archive holds: 128 for chunks of large files, 65536 for small files; 0: archives
 * of 128 chunks and of 65536 small files in turn, so that either kind has its share of the entries as in a
 * mixed tree (one archive in 16 is of small files).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "write/index/dedup.h"

#define REPOSITORY "11111111-2222-4333-8444-555555555555"
#define LOOKUPS	   300000
#define EACH_MAX   65536

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* SplitMix64: ids as evenly spread as keyed hashes are. */
static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Of the first `filled` entries the order of the ids is their own order. */
static uint64_t filled;

static void id_of(uint64_t i, uint8_t *out)
{
	uint64_t both[2] = {mix(i), mix(~i)};

	if (i < filled)
		both[0] = __builtin_bswap64(UINT64_MAX / filled * i);
	memcpy(out, both, sizeof(both));
}

static long vm(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kib = strtol(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return kib / 1024;
}

static void die(const struct err *err)
{
	fprintf(stderr, "%s: %s\n", err->code, err->msg);
	exit(1);
}

static int everything(void *arg, const struct dedup_archive *a, struct err *err)
{
	(void)arg;
	(void)a;
	(void)err;
	return 1;
}

static struct dedup *open_index(const char *path, double *ret_s)
{
	struct err err = ERR_INIT;
	struct dedup *d = NULL;
	double t = seconds();

	if (dedup_open(path, REPOSITORY, &d, &err) || dedup_use(d, "emr", &err) ||
	    dedup_check_available(d, everything, NULL, &err))
		die(&err);
	*ret_s = seconds() - t;
	return d;
}

static uint64_t add_archive(struct dedup *d, struct dedup_entry *e, uint64_t first, uint64_t n)
{
	struct dedup_archive a = {dedup_last_archive(d) + 1, 1 << 27, {0}, 4711, 1, {0}};
	struct err err = ERR_INIT;

	for (uint64_t i = 0; i < n; i++) {
		id_of(first + i, e[i].id);
		e[i].place = n > 1000 ? (struct dedup_place){a.number, (uint32_t)(i / 512),
					    (uint32_t)(i % 512) * 2048, 2048, false}
				      : (struct dedup_place){a.number, (uint32_t)i, 0, 1 << 20, true};
	}
	if (dedup_add(d, &a, e, n, &err))
		die(&err);
	return n;
}

/* Microseconds of CPU for one of LOOKUPS; `found`: how many must be known. */
static double look(struct dedup *d, uint64_t from, uint64_t span, unsigned found)
{
	double t = cpu();
	unsigned known = 0;

	for (uint64_t i = 0; i < LOOKUPS; i++) {
		uint8_t id[DIGEST_LEN] = {0};
		struct dedup_place pl;

		id_of(from + mix(i ^ from) % span, id);
		known += dedup_lookup(d, id, &pl, NULL) == 1;
	}
	if (known != found) {
		fprintf(stderr, "%u of %u known\n", known, found);
		exit(1);
	}
	return (cpu() - t) / LOOKUPS * 1e6;
}

static void pretend_death(const char *path, const char *bytes)
{
	char name[4200];
	int fd;

	snprintf(name, sizeof(name), "%s/guard", path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, bytes, 2) != 2)
		exit(1);
	close(fd);
}

static void report(const char *path, struct dedup **d, uint64_t n, double rate)
{
	char name[4200];
	struct stat st;
	double hit, miss, open_s, death_s;
	long after_adding = vm("VmHWM:");

	hit = look(*d, 0, n, LOOKUPS);
	miss = look(*d, n + ((uint64_t)1 << 60), (uint64_t)1 << 40, 0);
	dedup_close(*d);
	*d = open_index(path, &open_s);
	dedup_close(*d);
	pretend_death(path, "\1\0");
	*d = open_index(path, &death_s);
	snprintf(name, sizeof(name), "%s/data.mdb", path);
	if (stat(name, &st))
		exit(1);
	printf("%11llu  %9.0f  %6.2f  %6.2f  %8.0f  %5.1f  %7ld  %7ld  %8.3f  %8.3f\n", (unsigned long long)n,
	    rate, hit, miss, (double)st.st_size / 1e6, (double)st.st_size / (double)n, after_adding,
	    vm("VmHWM:"), open_s, death_s);
	fflush(stdout);
}

static uint64_t size_of(uint64_t each, uint64_t archive)
{
	return each ? each : archive % 16 ? 128 : EACH_MAX;
}

static int check(const char *path, uint64_t each)
{
	double s;
	struct dedup *d = open_index(path, &s);
	uint64_t n = 0, last = dedup_last_archive(d);

	for (uint64_t i = 0; i < last; i++)
		n += size_of(each, i);
	if (n) {
		look(d, 0, n, LOOKUPS);
		look(d, n - (n < EACH_MAX ? n : EACH_MAX), n < EACH_MAX ? n : EACH_MAX, LOOKUPS);
	}
	look(d, n + EACH_MAX, (uint64_t)1 << 40, 0);
	printf("opened in %.3f s; %llu archives with %llu entries are known, nothing else is\n", s,
	    (unsigned long long)last, (unsigned long long)n);
	dedup_close(d);
	return 0;
}

int main(int argc, char **argv)
{
	struct dedup_entry *e = calloc(EACH_MAX, sizeof(*e));
	uint64_t n = 0, archives = 0, each;
	struct dedup *d;
	double s;

	if (argc < 4 || !e) {
		fprintf(stderr, "usage: index_scale FOLDER ENTRIES_EACH N [N ...]\n");
		return 64;
	}
	each = strtoull(argv[2], NULL, 10);
	if (!strcmp(argv[3], "check"))
		return check(argv[1], each);
	d = open_index(argv[1], &s);
	printf("    entries      add/s  hit us miss us   file MB  B each  HWM add  HWM all    open s  after "
	       "death s\n");
	if (argv[3][0] == '=') {
		filled = strtoull(argv[3] + 1, NULL, 10);
		while (n < filled)
			n += add_archive(d, e, n, filled - n < EACH_MAX ? filled - n : EACH_MAX);
	}
	for (int i = filled ? 4 : 3; i < argc; i++) {
		uint64_t want = strtoull(argv[i], NULL, 10), before = n;
		double t = seconds();

		while (n < want) {
			uint64_t m = size_of(each, archives++);

			n += add_archive(d, e, n, m < want - n ? m : want - n);
		}
		report(argv[1], &d, n, (double)(n - before) / (seconds() - t));
	}
	dedup_close(d);
	free(e);
	return 0;
}
