/* dumpcheck_private: what the kinds of dumpcheck.h are made of. */
#ifndef BKP_WRITE_EXPECT_DUMPCHECK_PRIVATE_H
#define BKP_WRITE_EXPECT_DUMPCHECK_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "write/expect/dumpcheck.h"

/* What all kinds share.  Once `failed` or `unknown` nothing more is looked at. */
struct dumpcheck_state {
	uint64_t total; /* bytes seen */
	bool failed, unknown;
	struct err why;
	dumpcheck_plain_fn *plain; /* or NULL */
	void *plain_arg;
};

struct dumpcheck_kind {
	const char *what;    /* for messages: TEXT_LATER */
	void *(*make)(void); /* NULL: out of memory */
	/* The bytes from s->total on. */
	void (*feed)(void *self, struct dumpcheck_state *s, const uint8_t *p, size_t n);
	/* No more come: sets s->failed when that is too early. */
	void (*end)(void *self, struct dumpcheck_state *s);
	void (*destroy)(void *self);
};

extern const struct dumpcheck_kind dumpcheck_pgdump, dumpcheck_pgdumpall, dumpcheck_mysqldump, dumpcheck_gzip,
    dumpcheck_zip, dumpcheck_tar;

/* Each says what is wrong at byte `at`, and hints at what to do. */
void dumpcheck_other(struct dumpcheck_state *s, const char *what);
void dumpcheck_cut(struct dumpcheck_state *s, const char *where);
void dumpcheck_damaged(struct dumpcheck_state *s, uint64_t at, const char *what);
void dumpcheck_behind(struct dumpcheck_state *s, uint64_t at);
void dumpcheck_cannot_tell(struct dumpcheck_state *s, const char *why);

#endif
