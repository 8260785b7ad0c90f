/* history: see history.h. */
#include "write/state/history.h"

#include <errno.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "read/file/segments.h"
#include "read/store/store.h"

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

/* 0: theirs ended before `size`; what is wrong with it there, if anything, makes it another. */
static int ended(const struct store_file *theirs, struct history *h, struct err *err)
{
	const struct err *fault = segments_fault(theirs);

	if (fault && err_is_unread(fault))
		return segments_whole(theirs, err);
	if (fault)
		h->kind = HISTORY_FORKED;
	return 0;
}

int history_compare(
    struct store_file *theirs, struct store_file *ours, uint64_t size, struct history *ret, struct err *err)
{
	char a[16384], b[sizeof(a)];
	struct history h = {HISTORY_BEGINS, 0, 0};
	ssize_t n, m;

	while (
	    h.kind == HISTORY_BEGINS && (n = store_read_full(theirs, a, sizeof(a), (int64_t)h.bytes)) > 0) {
		m = store_read_full(ours, b, (size_t)n, (int64_t)h.bytes);
		if (m < 0)
			return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), JOURNAL_DIR);
		for (ssize_t i = 0; i < n && h.kind == HISTORY_BEGINS; i++) {
			if (h.bytes >= size || i >= m)
				h.kind = HISTORY_LONGER;
			else if (a[i] != b[i])
				h.kind = HISTORY_FORKED;
			else {
				h.lines += a[i] == '\n';
				h.bytes++;
			}
		}
	}
	if (h.kind == HISTORY_BEGINS && n < 0)
		return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), JOURNAL_DIR);
	if (h.kind == HISTORY_BEGINS && ended(theirs, &h, err))
		return -1;
	*ret = h;
	return 0;
}

int history_look(const struct store *repo, struct store_file *ours, uint64_t size,
    struct store_file *ret_file, struct history *ret, struct err *err)
{
	STORE_FILE_AUTO theirs = {0};
	struct err why = ERR_INIT;
	int r = segments_open(repo, &theirs, &why);

	if (r == STORE_ABSENT)
		*ret = (struct history){HISTORY_NONE, 0, 0};
	else if (r || history_compare(&theirs, ours, size, ret, &why)) {
		if (err)
			*err = why;
		return -1;
	}
	if (ret_file)
		*ret_file = store_take(&theirs);
	return 0;
}
