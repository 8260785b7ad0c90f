/* history: see history.h. */
#include "write/history.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "read/inside.h"

#define JOURNAL "journal/journal.jsonl"

static int another_history(uint64_t line, struct err *err)
{
	err_set(err, "E-PUBLISH-05",
	    text("the journal on the medium is not the beginning of this host's: they differ from line %ju "
		 "on"),
	    (uintmax_t)line);
	return err_hint(err, "%s",
	    text("one of the two was rewritten, or the state folder is an old copy: keep the medium as it "
		 "is, it "
		 "may be the proof; look at both with 'bkp journal verify --file'"));
}

/* 0, 1 they differ (err), -1 */
static int compare(int theirs, int ours, uint64_t size, struct err *err)
{
	char a[16384], b[sizeof(a)];
	uint64_t line = 1, done = 0;
	ssize_t n, m;

	while ((n = io_pread_full(theirs, a, sizeof(a), (int64_t)done)) > 0) {
		m = io_pread_full(ours, b, (size_t)n, (int64_t)done);
		if (m < 0)
			return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), "journal.jsonl");
		for (ssize_t i = 0; i < n; i++) {
			if (i >= m || done + (uint64_t)i >= size || a[i] != b[i])
				return another_history(line, err);
			line += a[i] == '\n';
		}
		done += (uint64_t)n;
	}
	return n < 0 ? err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), "journal.jsonl") : 0;
}

int history_continues(int repo_dirfd, int fd, uint64_t size, struct err *err)
{
	IO_FD_AUTO theirs = -1;
	struct stat st;
	int r = inside_stat(repo_dirfd, JOURNAL, &st, err);

	if (r == INSIDE_ABSENT)
		return 0;
	if (r || inside_open(repo_dirfd, JOURNAL, &theirs, err))
		return -1;
	return compare(theirs, fd, size, err);
}
