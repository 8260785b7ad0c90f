/* known_bad_file: see known_bad_file.h. */
#include "restore/bisect/known_bad_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define SHOW 300

int known_bad_file(const char *path, known_bad_fn *fn, void *arg, struct err *err)
{
	IO_FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	BUF_AUTO list = BUF_INIT(KNOWN_BAD_MAX);
	char shown[SHOW];
	ssize_t n = 1;

	path_show(path, shown, sizeof(shown));
	if (fd < 0)
		return err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), shown);
	for (; n > 0; list.n += (size_t)n) {
		if (buf_reserve(&list, 1 << 16, err))
			return -1;
		n = io_read_full(fd, list.p + list.n, 1 << 16);
		if (n < 0)
			return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), shown);
	}
	return known_bad_each((char *)list.p, list.n, fn, arg, err) ? err_wrap(err, "'%s'", shown) : 0;
}
