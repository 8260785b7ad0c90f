/* err: see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/width.h"

/* A text that filled its room may have been cut inside a character; what is left must stay UTF-8, because
 * JSON refuses anything else. */
static void mend_cut(char *s, size_t size)
{
	if (strlen(s) + 1 == size)
		width_whole(s);
}

/* Code and message; what belonged to an earlier error goes. */
static void set_message(struct err *err, enum err_kind kind, const char *code, const char *fmt, va_list ap)
{
	snprintf(err->code, sizeof(err->code), "%s", code);
	err->hint[0] = '\0';
	err->errnum = 0;
	err->kind = kind;
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	mend_cut(err->msg, sizeof(err->msg));
}

int err_set(struct err *err, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	set_message(err, ERR_OTHER, code, fmt, ap);
	va_end(ap);
	return -1;
}

int err_set_kind(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	set_message(err, kind, code, fmt, ap);
	va_end(ap);
	return -1;
}

int err_kind(struct err *err, enum err_kind kind)
{
	if (err)
		err->kind = kind;
	return -1;
}

int err_sys(struct err *err, const char *code, int errnum, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	if (!err)
		return -1;
	va_start(ap, fmt);
	set_message(err, ERR_OTHER, code, fmt, ap);
	va_end(ap);
	err->errnum = errnum;
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", text_errno(errnum));
	mend_cut(err->msg, sizeof(err->msg));
	return -1;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->hint[0])
		return -1;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	mend_cut(err->hint, sizeof(err->hint));
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->msg)];
	va_list ap;
	size_t n;

	if (!err)
		return -1;
	memcpy(inner, err->msg, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", inner);
	mend_cut(err->msg, sizeof(err->msg));
	return -1;
}

bool err_is_full(const struct err *err)
{
	return err->errnum == ENOSPC || err->errnum == EDQUOT;
}

bool err_is_unread(const struct err *err)
{
	return err->errnum ? err->errnum != ENOENT && err->errnum != ENOTDIR && err->errnum != ELOOP
			   : err->kind == ERR_MEMORY;
}

int err_nomem(struct err *err)
{
	return err_set_kind(err, ERR_MEMORY, "E-MEM-01", "%s", text("out of memory"));
}
