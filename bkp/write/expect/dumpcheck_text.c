/* dumpcheck_text: SQL dumps, by the line that is written when all is done; see dumpcheck.h. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "write/expect/dumpcheck_private.h"

#define HEAD 4096
#define TAIL 1024

struct sql {
	char head[HEAD + 1], tail[TAIL + 1];
	size_t n_head, n_tail;
};

static void *make_sql(void)
{
	return calloc(1, sizeof(struct sql));
}

static void feed_sql(void *self, struct dumpcheck_state *s, const uint8_t *p, size_t n)
{
	struct sql *q = self;
	size_t room = HEAD - q->n_head, drop;

	(void)s;
	memcpy(q->head + q->n_head, p, n < room ? n : room);
	q->n_head += n < room ? n : room;
	if (n >= TAIL) {
		memcpy(q->tail, p + n - TAIL, TAIL);
		q->n_tail = TAIL;
		return;
	}
	drop = q->n_tail + n > TAIL ? q->n_tail + n - TAIL : 0;
	memmove(q->tail, q->tail + drop, q->n_tail - drop);
	memcpy(q->tail + q->n_tail - drop, p, n);
	q->n_tail += n - drop;
}

static bool begins_with(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* Takes the last line off the tail, NUL-terminated; NULL: there is none that is whole. */
static char *last_line(struct sql *q)
{
	char *nl;

	if (!q->n_tail || q->tail[q->n_tail - 1] != '\n')
		return NULL;
	q->tail[--q->n_tail] = '\0';
	if (q->n_tail && q->tail[q->n_tail - 1] == '\r')
		q->tail[--q->n_tail] = '\0';
	nl = memrchr(q->tail, '\n', q->n_tail);
	if (!nl && q->n_tail == TAIL)
		return NULL;
	q->n_tail = nl ? (size_t)(nl + 1 - q->tail) : 0;
	return q->tail + q->n_tail;
}

/* The end of a dump of PostgreSQL, backwards: blank lines, \unrestrict where \restrict stands in front (of one
 * data base: pg_dumpall writes it before the line), "--", the line. */
static void end_pg(void *self, struct dumpcheck_state *s)
{
	struct sql *q = self;
	bool cluster, restricted, rule = false;
	const char *line;

	q->head[q->n_head] = '\0';
	if (!strstr(q->head, "-- PostgreSQL database")) {
		dumpcheck_other(s, text("it does not begin as SQL of pg_dump or pg_dumpall"));
		return;
	}
	cluster = strstr(q->head, "-- PostgreSQL database cluster dump") != NULL;
	/* of pg_dumpall it is not the last line */
	restricted = !cluster && (begins_with(q->head, "\\restrict ") || strstr(q->head, "\n\\restrict "));
	while ((line = last_line(q))) {
		if (!*line)
			continue;
		if (begins_with(line, "\\unrestrict ")) {
			restricted = false;
			continue;
		}
		if (!strcmp(line, "--") && !rule) {
			rule = true;
			continue;
		}
		if ((cluster || !restricted) && rule &&
		    !strcmp(line, cluster ? "-- PostgreSQL database cluster dump complete"
					  : "-- PostgreSQL database dump complete"))
			return;
		break;
	}
	dumpcheck_cut(s, text("without the line that says it is complete"));
}

static void end_mysql(void *self, struct dumpcheck_state *s)
{
	struct sql *q = self;
	const char *line;

	while ((line = last_line(q)) && !*line)
		;
	if (!line || !begins_with(line, "-- Dump completed"))
		dumpcheck_cut(s, text("without the line that says it is complete"));
}

const struct dumpcheck_kind dumpcheck_pgdumpall = {
    TEXT_LATER("SQL of pg_dumpall or pg_dump"), make_sql, feed_sql, end_pg, free};
const struct dumpcheck_kind dumpcheck_mysqldump = {
    TEXT_LATER("SQL of mysqldump"), make_sql, feed_sql, end_mysql, free};
