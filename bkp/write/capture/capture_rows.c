/* capture_rows: the rows of a dump, and what the probe counts, against what they usually are; see capture.h and
 * format/dump/rows_past.h.
 *
 * What is remembered stands beside the figures of capture_guard.c, in a file that is read and written once a capture, when all of
 * it is known.  Of a capture that is never reported, or doubted, it is dropped by the next one (capture_config.trusted).  Without
 * the file the tables are learned anew, which run_guard.c says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/dump/rows_past.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"

#define NAME_BYTES   160
#define PROBE_DIGITS 18

int capture_rows_begin(struct capture *c, struct err *err)
{
	rows_free(c->guard.rows);
	c->guard.rows = NULL;
	return c->set.policy->guard && c->set.result->source == GENERATION_STREAM
		   ? rows_new(&c->guard.rows, err)
		   : 0;
}

static void read_past(const struct capture *c, const char *name, struct rows_past *ret)
{
	BUF_AUTO b = BUF_INIT(ROWS_FILE_MAX);

	if (c->memory.cache_fd < 0 || io_read_file(c->memory.cache_fd, name, &b, NULL))
		b.n = 0;
	(void)rows_past_parse(b.p, b.n, ret);
}

static void write_past(const struct capture *c, const char *name, const struct rows_past *past)
{
	BUF_AUTO b = BUF_INIT(ROWS_FILE_MAX);

	if (c->memory.cache_fd >= 0 && !rows_past_format(past, &b, NULL))
		(void)!io_replace(c->memory.cache_fd, name, 0600, b.p, b.n, NULL);
}

/* What it counts, where that is all it says. */
static void take_probe(const char *value, struct rows_summary *to)
{
	const size_t n = value ? strspn(value, "0123456789") : 0;

	if (n && n <= PROBE_DIGITS && !value[n]) {
		to->probes[0] = strtoull(value, NULL, 10);
		to->n_probes = 1;
	}
}

static int judge(struct capture *c, const struct rows_past *past, struct err *err)
{
	struct guard *g = &c->set.result->guard;
	struct rows_verdict v;

	rows_judge(&past->newest, &past->usual, c->set.policy->guard_sensitivity, &v);
	g->tables = v.tables;
	g->tables_harmed = v.harmed;
	g->rows = past->newest.n ? past->newest.tables[ROWS_ALL].rows : 0;
	if (!v.harmed)
		return 0;
	c->set.result->harm = strdup(v.say);
	return c->set.result->harm ? 0 : err_nomem(err);
}

int capture_rows_judge(struct capture *c, struct err *err)
{
	const char *dataset = c->set.policy->name;
	struct rows_past *past = c->set.policy->guard ? calloc(1, sizeof(*past)) : NULL;
	char name[NAME_BYTES];
	int r = 0;

	if (!past)
		return c->set.policy->guard ? err_nomem(err) : 0;
	(void)capture_open_folder(c, NULL);
	snprintf(name, sizeof(name), "%s.rows", dataset);
	if (c->guard.rows || c->set.result->probe) {
		read_past(c, name, past);
		rows_past_take(past,
		    c->cfg.trusted ? c->cfg.trusted(c->cfg.reported_arg, past->newest.generation, dataset)
				   : ROWS_TRUSTED);
		if (c->guard.rows)
			rows_end(c->guard.rows, &past->newest);
		take_probe(c->set.result->probe, &past->newest);
		past->newest.generation = c->cfg.generation;
		r = judge(c, past, err);
		if (past->newest.n || past->newest.n_probes)
			write_past(c, name, past);
	}
	free(past);
	return r;
}
