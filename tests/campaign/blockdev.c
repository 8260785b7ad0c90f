/* blockdev: files that stand under loop devices as disks do: what is written and flushed is logged, power is
 * lost, errors come on demand.
 *
 *   blockdev FOLDER IMAGE...     shows the images as FOLDER/0, FOLDER/1, ... (libfuse3); nothing is written into them
 *
 * Commands come on standard input, a line each, and are answered with a line each ("?" and why when they are
 * not understood):
 *   log                          from now on every write and flush is kept; what was kept before is forgotten
 *   events                       how many were kept, then a line each: "w DISK OFFSET LENGTH" or "f DISK"; they are numbered from 0
 *   durable DISK N               the disk holds the image and what was written to it before event N; N never goes back
 *   show DISK [N[:BYTES]]...     ... and of these writes all, or the first BYTES; answers a hash of its content.  What is written to the
 *                                disk afterwards (a file system's recovery) is gone with the next "show"
 *   fail DISK eio|gone N         from the N-th write on (from 1; 0: at once) it gives EIO or ENXIO for everything; "fail DISK ok": no more
 *   writes DISK                  how many writes came since "log"
 * A write that was answered before a flush came is on the disk when the flush was answered; of the others any
 * may be, or none.
 */
#define FUSE_USE_VERSION 35
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, DISKS = 8, FIRST_INODE = 2 };

struct hash {
	uint64_t a, b;
};

struct disk {
	const uint8_t *image;
	size_t size, pages;
	uint8_t **durable; /* pages that differ from the image; NULL: the image's */
	uint8_t **now;	   /* pages that differ from the durable ones */
	size_t *changed, n_changed;
	struct hash hash; /* of the durable content */
	size_t frontier;  /* events that are in it */
	uint64_t writes, fails_from;
	int error;
};

struct event {
	int disk;
	bool flush;
	uint64_t at;
	size_t n;
	uint8_t *bytes;
};

static struct disk disks[DISKS];
static int n_disks;
static struct event *events;
static size_t n_events, room;
static bool logging;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *must(void *p)
{
	if (!p) {
		perror("blockdev");
		_exit(1);
	}
	return p;
}

/* ---- content ---- */

static const uint8_t *durable_page(const struct disk *d, size_t i)
{
	return d->durable[i] ? d->durable[i] : d->image + i * PAGE;
}
static const uint8_t *page(const struct disk *d, size_t i)
{
	return d->now[i] ? d->now[i] : durable_page(d, i);
}

static uint8_t *changeable(struct disk *d, size_t i)
{
	if (!d->now[i]) {
		d->now[i] = must(malloc(PAGE));
		memcpy(d->now[i], durable_page(d, i), PAGE);
		d->changed[d->n_changed++] = i;
	}
	return d->now[i];
}

static void put(struct disk *d, uint64_t at, const uint8_t *bytes, size_t n)
{
	for (size_t part; n; at += part, bytes += part, n -= part) {
		part = PAGE - at % PAGE;
		if (part > n)
			part = n;
		memcpy(changeable(d, at / PAGE) + at % PAGE, bytes, part);
	}
}

static void get(const struct disk *d, uint64_t at, uint8_t *bytes, size_t n)
{
	for (size_t part; n; at += part, bytes += part, n -= part) {
		part = PAGE - at % PAGE;
		if (part > n)
			part = n;
		memcpy(bytes, page(d, at / PAGE) + at % PAGE, part);
	}
}

static void forget_changes(struct disk *d)
{
	for (size_t i = 0; i < d->n_changed; i++) {
		free(d->now[d->changed[i]]);
		d->now[d->changed[i]] = NULL;
	}
	d->n_changed = 0;
}

/* Two mixes of a page at its place: nobody chooses the content against us. */
static struct hash mix(size_t i, const uint8_t *p)
{
	struct hash h = {i * 0x9e3779b97f4a7c15U + 1, i ^ 0xd6e8feb86659fd93U};
	uint64_t w;

	for (size_t k = 0; k < PAGE; k += 8) {
		memcpy(&w, p + k, 8);
		h.a = (h.a ^ w) * 0x2545f4914f6cdd1dU;
		h.a ^= h.a >> 29;
		h.b = (h.b + w) * 0xff51afd7ed558ccdU;
		h.b ^= h.b >> 31;
	}
	return h;
}

/* The durable hash with the changed pages in place of those below: the same content has the same, whatever
 * led to it. */
static struct hash hash_now(const struct disk *d)
{
	struct hash h = d->hash, was, is;

	for (size_t k = 0; k < d->n_changed; k++) {
		size_t i = d->changed[k];

		was = mix(i, durable_page(d, i));
		is = mix(i, d->now[i]);
		h.a += is.a - was.a;
		h.b += is.b - was.b;
	}
	return h;
}

static void make_durable(struct disk *d)
{
	d->hash = hash_now(d);
	for (size_t k = 0; k < d->n_changed; k++) {
		size_t i = d->changed[k];

		free(d->durable[i]);
		d->durable[i] = d->now[i];
		d->now[i] = NULL;
	}
	d->n_changed = 0;
}

/* ---- what the loop device asks ---- */

static void keep(int disk, bool flush, uint64_t at, const void *bytes, size_t n)
{
	if (!logging)
		return;
	if (n_events == room) {
		room = room ? room * 2 : 1024;
		events = must(realloc(events, room * sizeof(*events)));
	}
	events[n_events] = (struct event){disk, flush, at, n, flush ? NULL : must(malloc(n ? n : 1))};
	if (!flush)
		memcpy(events[n_events].bytes, bytes, n);
	n_events++;
}

static struct disk *disk_of(fuse_ino_t ino)
{
	return ino >= FIRST_INODE && ino < FIRST_INODE + (fuse_ino_t)n_disks ? &disks[ino - FIRST_INODE]
									     : NULL;
}

/* 0, or the error that the disk gives now. */
static int failing(const struct disk *d)
{
	return d->error && d->writes >= d->fails_from ? d->error : 0;
}

static void attributes(fuse_ino_t ino, struct stat *st)
{
	*st = (struct stat){
	    .st_ino = ino, .st_nlink = 1, .st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0700 : S_IFREG | 0600};
	if (disk_of(ino))
		st->st_size = (off_t)disk_of(ino)->size;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = {.attr_timeout = 3600, .entry_timeout = 3600};
	char *end;
	unsigned long i = strtoul(name, &end, 10);

	if (parent != FUSE_ROOT_ID || *end || i >= (unsigned long)n_disks) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	e.ino = FIRST_INODE + i;
	attributes(e.ino, &e.attr);
	fuse_reply_entry(req, &e);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attributes(ino, &st);
	fuse_reply_attr(req, &st, 3600);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1; /* nothing may stay in between: the content changes below it */
	fuse_reply_open(req, fi);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t n, off_t at, struct fuse_file_info *fi)
{
	static uint8_t *buffer;
	static size_t room_here;
	struct disk *d = disk_of(ino);
	int error;

	(void)fi;
	pthread_mutex_lock(&lock);
	error = failing(d);
	if ((size_t)at > d->size)
		at = (off_t)d->size;
	if (n > d->size - (size_t)at)
		n = d->size - (size_t)at;
	if (n > room_here)
		buffer = must(realloc(buffer, room_here = n));
	get(d, (uint64_t)at, buffer, n);
	pthread_mutex_unlock(&lock);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_buf(req, (char *)buffer, n);
}

static void on_write(
    fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t n, off_t at, struct fuse_file_info *fi)
{
	struct disk *d = disk_of(ino);
	int error = (size_t)at > d->size || n > d->size - (size_t)at ? ENOSPC : 0;

	(void)fi;
	pthread_mutex_lock(&lock);
	d->writes++;
	if (!error)
		error = failing(d);
	if (!error) {
		put(d, (uint64_t)at, (const uint8_t *)bytes, n);
		keep((int)(d - disks), false, (uint64_t)at, bytes, n);
	}
	pthread_mutex_unlock(&lock);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_write(req, n);
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct disk *d = disk_of(ino);
	int error;

	(void)datasync;
	(void)fi;
	pthread_mutex_lock(&lock);
	error = failing(d);
	if (!error)
		keep((int)(d - disks), true, 0, NULL, 0);
	pthread_mutex_unlock(&lock);
	fuse_reply_err(req, error);
}

static const struct fuse_lowlevel_ops ops = {.lookup = on_lookup,
    .getattr = on_getattr,
    .open = on_open,
    .read = on_read,
    .write = on_write,
    .fsync = on_fsync};

/* ---- commands ---- */

static const char *durable(struct disk *d, size_t n)
{
	if (n < d->frontier || n > n_events)
		return "it never goes back, or on past the last event";
	forget_changes(d);
	for (; d->frontier < n; d->frontier++) {
		const struct event *e = &events[d->frontier];

		if (e->disk == d - disks && !e->flush)
			put(d, e->at, e->bytes, e->n);
	}
	make_durable(d);
	return NULL;
}

static const char *show(struct disk *d, char *which)
{
	char *save;

	forget_changes(d);
	for (char *w = strtok_r(which, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *end;
		size_t i = strtoull(w, &end, 10), n;

		if (i >= n_events || events[i].flush || events[i].disk != d - disks)
			return "that is no write of this disk";
		n = *end == ':' ? strtoull(end + 1, NULL, 10) : events[i].n;
		put(d, events[i].at, events[i].bytes, n < events[i].n ? n : events[i].n);
	}
	return NULL;
}

static const char *fail(struct disk *d, const char *how, unsigned long from)
{
	d->error = !strcmp(how, "eio") ? EIO : !strcmp(how, "gone") ? ENXIO : 0;
	d->fails_from = d->writes + from;
	return d->error || !strcmp(how, "ok") ? NULL : "eio, gone or ok";
}

static void forget_log(void)
{
	for (size_t i = 0; i < n_events; i++)
		free(events[i].bytes);
	n_events = 0;
	logging = true;
	for (int i = 0; i < n_disks; i++) {
		make_durable(&disks[i]);
		disks[i].frontier = 0;
		disks[i].writes = 0;
	}
}

static void tell_events(void)
{
	printf("%zu\n", n_events);
	for (size_t i = 0; i < n_events; i++)
		if (events[i].flush)
			printf("f %d\n", events[i].disk);
		else
			printf(
			    "w %d %llu %zu\n", events[i].disk, (unsigned long long)events[i].at, events[i].n);
}

static void obey(char *line)
{
	char *save, *verb = strtok_r(line, " \n", &save), *disk = verb ? strtok_r(NULL, " \n", &save) : NULL,
		    *rest = disk ? strtok_r(NULL, "\n", &save) : NULL;
	int i = disk ? atoi(disk) : -1;
	struct disk *d = i >= 0 && i < n_disks ? &disks[i] : NULL;
	const char *wrong = NULL;
	struct hash h;

	if (!verb)
		wrong = "empty";
	else if (!strcmp(verb, "log"))
		forget_log();
	else if (!strcmp(verb, "events")) {
		logging = false;
		tell_events();
		return;
	} else if (!d)
		wrong = "no such disk";
	else if (!strcmp(verb, "durable") && rest)
		wrong = durable(d, strtoull(rest, NULL, 10));
	else if (!strcmp(verb, "show")) {
		wrong = show(d, rest ? rest : (char[1]){0});
		if (!wrong) {
			h = hash_now(d);
			printf("%016llx%016llx\n", (unsigned long long)h.a, (unsigned long long)h.b);
			return;
		}
	} else if (!strcmp(verb, "fail") && rest) {
		char *how = strtok_r(rest, " ", &save), *from = strtok_r(NULL, " ", &save);

		wrong = fail(d, how ? how : "", from ? strtoul(from, NULL, 10) : 0);
	} else if (!strcmp(verb, "writes")) {
		printf("%llu\n", (unsigned long long)d->writes);
		return;
	} else
		wrong = "no such command";
	printf("%s%s\n", wrong ? "? " : "ok", wrong ? wrong : "");
}

static void *commands(void *arg)
{
	char *line = NULL;
	size_t n = 0;

	while (getline(&line, &n, stdin) > 0) {
		pthread_mutex_lock(&lock);
		obey(line);
		pthread_mutex_unlock(&lock);
		fflush(stdout);
	}
	(void)arg;
	_exit(
	    0); /* a file system that failed may hold the disk for ever: with us its reads and writes come to an end */
}

static void take(const char *file)
{
	struct disk *d = &disks[n_disks++];
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd < 0 || fstat(fd, &st) || st.st_size % PAGE) {
		fprintf(stderr, "blockdev: %s: no image of whole pages\n", file);
		exit(1);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	d->image = must(p == MAP_FAILED ? NULL : p);
	d->size = (size_t)st.st_size;
	d->pages = d->size / PAGE;
	d->durable = must(calloc(d->pages, sizeof(*d->durable)));
	d->now = must(calloc(d->pages, sizeof(*d->now)));
	d->changed = must(calloc(d->pages, sizeof(*d->changed)));
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *session;
	pthread_t thread;

	if (argc < 3 || argc > 2 + DISKS) {
		fprintf(stderr, "usage: blockdev FOLDER IMAGE...\n");
		return 64;
	}
	for (int i = 2; i < argc; i++)
		take(argv[i]);
	fuse_opt_add_arg(&args, argv[0]);
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_session_mount(session, argv[1]))
		return 1;
	printf("ready\n");
	fflush(stdout);
	if (pthread_create(&thread, NULL, commands, NULL))
		return 1;
	fuse_session_loop(session);
	fuse_session_destroy(session);
	return 0;
}
