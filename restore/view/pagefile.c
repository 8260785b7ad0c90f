/* pagefile: see pagefile.h. */
#include "restore/view/pagefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define NEW ".new"

void pagefile_begin(struct pagefile *p, const char *title, struct err *err)
{
	p->html.n = 0;
	p->sheet = (struct sheet){.out = &p->html, .err = err};
	sheet_begin(&p->sheet, text("for looking only; nothing here is entered into a chart"), title, p->of);
}

int pagefile_end(struct pagefile *p, const char *name, struct err *err)
{
	IO_FD_AUTO fd = -1;

	sheet_end(&p->sheet);
	if (p->sheet.r)
		return -1;
	(void)unlinkat(p->folder, NEW, 0);
	fd = openat(p->folder, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || io_write_full(fd, p->html.p, p->html.n) || renameat(p->folder, NEW, p->folder, name)) {
		err_sys(err, "E-VIEW-01", errno, text("the page '%s' cannot be written"), name);
		return err_hint(err, "%s", text("make room, or name a folder on another disk with --to"));
	}
	return io_close(&fd, name, err);
}

int pagefile_link(const struct pagefile *p, const char *path, struct buf *out, struct err *err)
{
	out->n = 0;
	return buf_puts(out, p->data, err) ||
		       (*path && (buf_puts(out, "/", err) || path_encode(path, out, err))) ||
		       buf_terminate(out, err)
		   ? -1
		   : 0;
}

const char *pagefile_date(const char *date, char out[PAGEFILE_NAME])
{
	if (strspn(date, "0123456789") < 8)
		return date;
	snprintf(out, PAGEFILE_NAME, "%.4s-%.2s-%.2s", date, date + 4, date + 6);
	return out;
}
