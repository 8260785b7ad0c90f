/* history: see history.h. */
#include "write/state/history.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "read/store/store.h"

#define JOURNAL "journal/journal.jsonl"

int history_differs(const struct history *h, struct err *err)
{
	err_set(err, "E-PUBLISH-05",
	    text("the journal on the medium is not the beginning of this host's: they differ from line %ju "
		 "on"),
	    (uintmax_t)h->lines + 1);
	return err_hint(err, "%s",
	    text("one of the two was rewritten, or the state folder is an old copy: keep the medium as it "
		 "is, it "
		 "may be the proof; look at both with 'bkp journal verify --file'"));
}

int history_compare(struct store_file *theirs, int ours, uint64_t size, struct history *ret, struct err *err)
{
	char a[16384], b[sizeof(a)];
	struct history h = {HISTORY_BEGINS, 0};
	uint64_t done = 0;
	ssize_t n, m;

	while (h.kind == HISTORY_BEGINS && (n = store_read_full(theirs, a, sizeof(a), (int64_t)done)) > 0) {
		m = io_pread_full(ours, b, (size_t)n, (int64_t)done);
		if (m < 0)
			return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), "journal.jsonl");
		for (ssize_t i = 0; i < n && h.kind == HISTORY_BEGINS; i++) {
			if (done + (uint64_t)i >= size)
				h.kind = HISTORY_LONGER;
			else if (i >= m || a[i] != b[i])
				h.kind = HISTORY_FORKED;
			else
				h.lines += a[i] == '\n';
		}
		done += (uint64_t)n;
	}
	if (h.kind == HISTORY_BEGINS && n < 0)
		return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), "journal.jsonl");
	*ret = h;
	return 0;
}

int history_look(const struct store *repo, int ours, uint64_t size, struct store_file *ret_file,
    struct history *ret, struct err *err)
{
	STORE_FILE_AUTO theirs = {0};
	struct err why = ERR_INIT;
	int r = store_open(repo, JOURNAL, &theirs, &why);

	if (r == STORE_ABSENT)
		*ret = (struct history){HISTORY_NONE, 0};
	else if (r || history_compare(&theirs, ours, size, ret, &why)) {
		if (err)
			*err = why;
		return -1;
	}
	if (ret_file)
		*ret_file = store_take(&theirs);
	return 0;
}

int history_continues(const struct store *repo, int fd, uint64_t size, struct err *err)
{
	struct history h;

	if (history_look(repo, fd, size, NULL, &h, err))
		return -1;
	return h.kind == HISTORY_LONGER || h.kind == HISTORY_FORKED ? history_differs(&h, err) : 0;
}
