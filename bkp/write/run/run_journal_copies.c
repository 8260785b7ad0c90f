/* run_journal_copies: the journal and the media of the run: who knows more, who signs from now on, who gets a
 * copy; see run.h and journal_copies.h. */
#include <stdlib.h>

#include "base/err.h"
#include "base/io.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/journal_copies.h"
#include "write/run/run_private.h"
#include "write/state/state.h"
#include "write/store/pack.h"
#include "write/store/vault_w.h"

int run_histories(struct run *n, struct err *err)
{
	size_t i;

	for (i = 0; i < n->n_online; i++) {
		struct run_online *o = &n->online[i];
		struct err why = ERR_INIT;
		int r = journal_copies_check(n->cfg->state, o->medium, &o->finding, &why);

		if (r == JOURNAL_COPIES_AHEAD) {
			if (err)
				*err = why;
			return -1;
		}
		/* a copy that cannot be read is said when it is to be replaced */
		if (!r)
			o->report->history = o->finding.why;
	}
	return 0;
}

/* From here on records are made, signed with a key that every medium knows before it gets anything of it. */
int run_new_epoch(struct run *n, struct err *err)
{
	struct err why = ERR_INIT;
	size_t i;

	if (state_new_epoch(n->cfg->state, err))
		return -1;
	for (i = 0; i < n->n_online; i++) {
		struct run_online *o = &n->online[i];

		if (o->finding.found && journal_copies_record(n->cfg->state, o->medium, &o->finding, err))
			return -1;
		if (journal_copies_put_keys(n->cfg->state, medium_repo_dirfd(o->medium), &o->replaced, &why))
			run_drop(n, i, &why);
	}
	return 0;
}

void run_copy_journal(struct run *n)
{
	struct err why = ERR_INIT;
	/* the mark is taken before anything is copied: what is recorded is never more than what is there */
	IO_FD_AUTO fd = io_open_file(state_dirfd(n->cfg->state), JOURNAL_FILE, &why);
	const char **copied = calloc(n->n_online + 1, sizeof(*copied));
	struct journal_copies_mark mark;
	size_t i, n_copied = 0;

	if (!copied)
		err_nomem(&why);
	journal_copies_mark(n->cfg->state, &mark);
	for (i = 0; i < n->n_online; i++) {
		struct run_online *o = &n->online[i];

		if (n->sinks[i].failed)
			continue;
		if (copied && fd >= 0 &&
		    !vault_w_put_journal(o->vault, fd, ledger_size(state_ledger(n->cfg->state)), &why)) {
			copied[n_copied++] = o->report->uuid;
			continue;
		}
		/* the generation is there; that the copy of the journal is not is for a person to see */
		o->report->undone = why;
	}
	if (copied && journal_copies_copied(n->cfg->state, &mark, copied, n_copied, &why) && n_copied)
		n->ret->media[0].undone = why;
	free(copied);
}
