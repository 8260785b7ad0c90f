/* err: see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/width.h"

/* Reasons go into JSON, which is UTF-8 or nothing: a message that is cut ends with a whole character. */
static void whole(char *s, size_t size)
{
	if (strlen(s) == size - 1)
		width_whole(s);
}

int err_set(struct err *err, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	snprintf(err->code, sizeof(err->code), "%s", code);
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	whole(err->msg, sizeof(err->msg));
	return -1;
}

int err_sys(struct err *err, const char *code, int errnum, const char *fmt, ...)
{
	va_list ap;
	size_t n;
	int r;

	if (!err)
		return -1;
	snprintf(err->code, sizeof(err->code), "%s", code);
	err->hint[0] = '\0';
	va_start(ap, fmt);
	r = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	n = r < 0 ? 0 : strlen(err->msg);
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", text_errno(errnum));
	whole(err->msg, sizeof(err->msg));
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
	whole(err->hint, sizeof(err->hint));
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
	whole(err->msg, sizeof(err->msg));
	return -1;
}

int err_nomem(struct err *err)
{
	return err_set(err, "E-MEM-01", "%s", text("out of memory"));
}
