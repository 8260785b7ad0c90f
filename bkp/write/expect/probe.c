/* probe: see probe.h. */
#include "write/expect/probe.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/config/config_value.h"
#include "write/source/command.h"

#define READ_MAX ((size_t)2 * PROBE_MAX) /* newlines at the end do not count */

static int too_much(struct err *err)
{
	err_set(err, "E-PROBE-02", text("it printed more than %d bytes"), PROBE_MAX);
	return err_hint(err, "%s", text("a probe prints one value, as a count"));
}

/* Told to end in the very moment that it ended well by itself. */
static int too_late(struct err *err)
{
	return err_set(err, "E-PROBE-01", "%s", text("it printed nothing"));
}

/* All of its output: more than that can be no value, and the command is not waited for. */
static int read_output(struct command *c, struct buf *out, struct err *err)
{
	for (;;) {
		char block[4096];
		ssize_t n = command_read(c, block, sizeof(block));

		if (n < 0 && (errno == ETIMEDOUT || errno == ECANCELED))
			return command_finish(c, err) ? -1 : too_late(err);
		if (n < 0)
			return err_sys(
			    err, "E-CAPTURE-02", errno, "%s", text("cannot read what the command writes"));
		if (n == 0)
			return 0;
		if (out->n + (size_t)n > READ_MAX)
			return too_much(err);
		if (buf_append(out, block, (size_t)n, err))
			return -1;
	}
}

static int take_value(struct buf *out, char **ret_value, struct err *err)
{
	while (out->n && out->p[out->n - 1] == '\n')
		out->n--;
	if (!out->n) {
		err_set(err, "E-PROBE-01", "%s", text("it printed nothing"));
		return err_hint(err, "%s", text("a probe prints one value, as a count"));
	}
	if (out->n > PROBE_MAX)
		return too_much(err);
	if (buf_terminate(out, err))
		return -1;
	if (memchr(out->p, '\0', out->n) || config_value_has_control((const char *)out->p, true)) {
		err_set(err, "E-PROBE-03", "%s",
		    text("what it printed is not UTF-8, or holds a control character"));
		return err_hint(err, "%s", text("let it print plain text, as a count"));
	}
	*ret_value = strdup((const char *)out->p);
	return *ret_value ? 0 : err_nomem(err);
}

int probe_run(const struct command_config *cfg, char **ret_value, struct command_words *said, struct err *err)
{
	BUF_AUTO out = BUF_INIT(READ_MAX + 1);
	struct command *c = NULL;
	int r;

	if (said)
		memset(said, 0, sizeof(*said));
	if (command_start(cfg, &c, err))
		return -1;
	r = read_output(c, &out, err);
	if (!r)
		r = command_finish(c, err);
	else
		command_end(c); /* what is more than a value is not waited for */
	command_said(c, said);
	command_free(c);
	return r ? -1 : take_value(&out, ret_value, err);
}
