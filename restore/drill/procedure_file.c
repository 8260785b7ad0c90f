/* procedure_file: see procedure_file.h. */
#include "restore/drill/procedure_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/procedure/procedure.h"
#include "restore/app/app.h"
#include "restore/drill/attest.h"

/* The user's own file: links are followed, and it need not be a regular file (a pipe will do). */
static int slurp_file(const char *file, struct buf *out, size_t max, struct err *err)
{
	IO_FD_AUTO fd = open(file, O_RDONLY | O_CLOEXEC);
	char shown[300];
	ssize_t n;

	path_show(file, shown, sizeof(shown));
	if (fd < 0)
		return err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), shown);
	/* one byte more than allowed tells a file that is too large from one that just fits */
	if (buf_reserve(out, max + 1, err))
		return -1;
	n = io_read_full(fd, out->p, max + 1);
	if (n < 0)
		return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), shown);
	out->n = (size_t)n;
	return 0;
}

/* All problems, on stderr. */
static void say_problems(const struct config_problems *problems, const char *file)
{
	BUF_AUTO out = BUF_INIT((size_t)4 << 20);

	if (!config_problems_format(problems, file, &out, NULL))
		fwrite(out.p ? (const char *)out.p : "", 1, out.n, stderr);
}

/* Says the problems that parsing found; the exit code. */
static int after_parse(int r, const struct err *err, const struct config_problems *problems, const char *file)
{
	if (problems->n)
		say_problems(problems, file);
	if (!r)
		return 0;
	return problems->n_errors ? APP_USAGE : app_error(err, APP_FAILED);
}

int procedure_file(const char *file, struct procedure **ret, struct config_problems *problems)
{
	struct config_problems *own = problems ? problems : calloc(1, sizeof(*own));
	BUF_AUTO b = BUF_INIT(PROCEDURE_BYTES_MAX + 2);
	struct err err = ERR_INIT;
	int r;

	if (!own) {
		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	if (slurp_file(file, &b, PROCEDURE_BYTES_MAX, &err))
		r = app_error(&err, APP_USAGE);
	else
		r = after_parse(
		    procedure_parse(file, (const char *)b.p, b.n, ret, own, &err), &err, own, file);
	if (own != problems)
		free(own);
	return r;
}

int procedure_file_attest(const char *file, const struct procedure *p, struct attest **ret)
{
	struct config_problems *problems = calloc(1, sizeof(*problems));
	BUF_AUTO b = BUF_INIT(ATTEST_BYTES_MAX + 2);
	struct err err = ERR_INIT;
	int r;

	if (!problems) {
		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	if (slurp_file(file, &b, ATTEST_BYTES_MAX, &err))
		r = app_error(&err, APP_USAGE);
	else
		r = after_parse(
		    attest_parse(file, (const char *)b.p, b.n, p, ret, problems, &err), &err, problems, file);
	free(problems);
	return r;
}
