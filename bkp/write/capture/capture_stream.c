/* capture_stream: what a command gives: the command itself and the check of its output, and the output as one
 * file; see capture.h.
 *
 * struct capture_output belongs to the reader thread from queue_start() to queue_stop(): it alone reads the command
 * and feeds the check.  This thread may only interrupt the command meanwhile; it waits for the command's end after
 * queue_stop().  Content is stored as it comes; the entry is made only after the command ended well and the check
 * found the output whole. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <archive_entry.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/dump/rows.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/capture/content.h"
#include "write/expect/dumpcheck.h"
#include "write/source/command.h"
#include "write/source/queue.h"
#include "write/source/reader.h"

/* ---- the command ---- */

static void feed_rows(void *rows, const void *p, size_t n)
{
	rows_feed(rows, p, n);
}

int capture_output_begin(struct capture *c, struct capture_output *o, struct err *err)
{
	struct capture_env env;
	struct command_config cfg = capture_command_config(c, &env, c->set.policy->command, NULL);

	*o = (struct capture_output){0};
	/* whether to stop is asked by who takes what is read, not by the thread that reads */
	cfg.stop = NULL;
	if (c->set.policy->content != POLICY_CONTENT_ANY &&
	    dumpcheck_new(c->set.policy->content, &o->check, err))
		return -1;
	if (capture_rows_begin(c, err)) {
		capture_output_free(o);
		return -1;
	}
	o->rows = c->guard.rows;
	o->tapped = o->rows && o->check && dumpcheck_tap(o->check, feed_rows, o->rows);
	if (command_start(&cfg, &o->command, err)) {
		c->set.result->verdict = GENERATION_FAILED;
		capture_output_free(o);
		return -1;
	}
	return 0;
}

void capture_output_free(struct capture_output *o)
{
	dumpcheck_free(o->check);
	command_free(o->command);
	*o = (struct capture_output){0};
}

ssize_t capture_output_read(void *output, void *p, size_t n)
{
	struct capture_output *o = output;
	ssize_t r = command_read(o->command, p, n);

	if (r > 0) {
		o->bytes += (uint64_t)r;
		if (o->check)
			dumpcheck_feed(o->check, p, (size_t)r);
		if (o->rows && !o->tapped)
			rows_feed(o->rows, p, (size_t)r);
	}
	return r;
}

static int check_output(struct capture *c, struct capture_output *o, struct err *err)
{
	struct command_words said = {0};
	struct err why = ERR_INIT;
	int r = o->check ? dumpcheck_end(o->check, &why) : 0;

	if (r == DUMPCHECK_UNKNOWN) {
		capture_note(c, CAPTURE_UNCHECKED, why.msg, 0);
		snprintf(said.text, sizeof(said.text), "%.*s", COMMAND_SAID - 1, why.msg);
		capture_said(c, "expect", &said);
		return 0;
	}
	if (r && err)
		*err = why;
	return r;
}

int capture_output_end(struct capture *c, struct capture_output *o, int r, int errnum, struct err *err)
{
	struct command_words said;
	struct err why = ERR_INIT;
	int ended;

	/* who has to write no more ends by himself, or is told to */
	if (r < 0 || (r == READER_UNREADABLE && errnum != ETIMEDOUT)) {
		command_end(o->command);
		ended = -1;
	} else {
		command_on_wait(o->command, c->cfg.cb.stop, c->cfg.cb.arg);
		ended = command_finish(o->command, &why);
	}
	command_said(o->command, &said);
	capture_said(c, "command", &said);
	if (r < 0)
		return -1;
	c->set.result->verdict = GENERATION_FAILED;
	if (ended && capture_is_ended(c))
		return capture_stop(c, err); /* ended because of that */
	if (r == READER_UNREADABLE && errnum != ETIMEDOUT)
		return err_sys(
		    err, "E-CAPTURE-02", errnum, "%s", text("cannot read what the command writes"));
	if (ended) {
		if (err)
			*err = why;
		return -1;
	}
	return check_output(c, o, err);
}

/* ---- its output as one file ---- */

static int put_file(struct capture *c, uint64_t size, struct err *err)
{
	struct archive_entry *e = archive_entry_new();
	int r;

	if (!e)
		return err_nomem(err);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_uid(e, geteuid());
	archive_entry_set_gid(e, getegid());
	archive_entry_set_mtime(e, c->cfg.now_ns / SECOND_NS, 0);
	c->set.result->files = 1;
	c->set.result->bytes = size;
	r = capture_add_entry(c, e, c->set.policy->store_as, true, 0, err);
	archive_entry_free(e);
	return r ? -1 : capture_finish_catalog(c, err);
}

struct stream {
	const struct chunker *chunker;
	struct capture_output output;
};

static int read_output(void *arg, struct queue *f, struct err *err)
{
	struct stream *s = arg;

	(void)err;
	return reader_stream(f, s->chunker, capture_output_read, &s->output);
}

/* What came from the command.  0, -1. */
static int take_output(
    struct capture *c, const struct queue_event *e, int *ret_result, int *ret_errno, struct err *err)
{
	capture_guard_look(c, e);
	if (e->kind == QUEUE_CHUNK)
		c->set.result->bytes += e->n; /* how far it came, should it be stopped */
	capture_tell(c, NULL);
	if (e->kind != QUEUE_DONE)
		return content_take(c->content, c->queue, e, err);
	*ret_errno = e->errnum;
	*ret_result = e->result;
	return 0;
}

/* The output into c->now.extents.  0, READER_UNREADABLE, -1. */
static int take_stream(
    struct capture *c, struct stream *s, uint64_t *ret_size, int *ret_errno, struct err *err)
{
	struct queue_event *e;
	int r, result = -1;

	if (queue_start(c->queue, read_output, s, err))
		return -1;
	content_begin(c->content);
	while ((r = queue_next(c->queue, &e, err)) == 0 || r == QUEUE_IDLE) {
		r = r == QUEUE_IDLE ? 0 : take_output(c, e, &result, ret_errno, err);
		if (!r && capture_is_ended(c))
			r = capture_stop(c, err);
		if (r)
			break;
	}
	if (r != QUEUE_END)
		command_interrupt(s->output.command); /* the reader may be waiting for it */
	queue_stop(c->queue);
	if (r != QUEUE_END || result)
		return r == QUEUE_END ? result : -1;
	return content_end(c->content, &c->now.extents, ret_size, &c->now.sha256, err);
}

/* The command's end decides: only an output that ended well is put into the catalog. */
int capture_stream(struct capture *c, struct err *err)
{
	struct stream s = {.chunker = c->cfg.chunker};
	uint64_t size = 0;
	int errnum = 0, r;

	if (capture_output_begin(c, &s.output, err))
		return -1;
	r = take_stream(c, &s, &size, &errnum, err);
	r = capture_output_end(c, &s.output, r, errnum, err);
	if (!r && size < c->set.policy->min_bytes)
		r = err_set(err, "E-CAPTURE-03",
		    text("the command gave %llu bytes where at least %llu are expected"),
		    (unsigned long long)size, (unsigned long long)c->set.policy->min_bytes);
	if (!r) {
		c->set.result->verdict = GENERATION_GOOD;
		r = put_file(c, size, err);
	}
	capture_output_free(&s.output);
	return r;
}
