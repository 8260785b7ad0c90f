/* lines: see lines.h.
 *
 * After each round at most JOURNAL_LINE_MAX bytes are left in the buffer (a longer rest is refused), and the
 * next round adds READ_SIZE: that is the bound.  A read that gives less than READ_SIZE is the end of the
 * file.
 */
#include "read/file/lines.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "read/file/segments.h"
#include "read/store/store.h"

#define READ_SIZE ((size_t)64 << 10)

int lines_each(struct store_file *file, lines_fn *fn, void *arg, bool *ret_torn, struct err *err)
{
	BUF_AUTO b = BUF_INIT(JOURNAL_LINE_MAX + 1 + READ_SIZE);
	int64_t done = 0;
	ssize_t n;

	do {
		uint8_t *newline;
		size_t at = 0;

		if (buf_reserve(&b, READ_SIZE, err))
			return -1;
		n = store_read_full(file, b.p + b.n, READ_SIZE, done);
		if (n < 0)
			return err_sys(err, "E-IO-02", errno, "%s", text("it cannot be read to its end"));
		b.n += (size_t)n;
		done += n;
		while (at < b.n && (newline = memchr(b.p + at, '\n', b.n - at))) {
			size_t len = (size_t)(newline - (b.p + at));
			int r = fn(arg, b.p + at, len, b.n - at, err);

			if (r)
				return r;
			at += len + 1;
		}
		buf_consume(&b, at);
		if (b.n > JOURNAL_LINE_MAX)
			return err_set_kind(
			    err, ERR_MALFORMED, "E-JOURNAL-01", "%s", text("a line is too long"));
	} while ((size_t)n == READ_SIZE);
	*ret_torn = b.n > 0;
	return segments_whole(file, err);
}
