/* run_progress: what a run tells of how far it is; see run.h.  Its parts are the capture and, for each
 * medium, what is read back from it. */
#include "base/text.h"
#include "format/policy/policy.h"
#include "write/copies/readback.h"
#include "write/expect/expect.h"
#include "write/run/run_private.h"
#include "write/store/pack.h"

static void tell(struct run *n, uint64_t done, uint64_t total, uint64_t fresh)
{
	n->at.done = done;
	n->at.total = total;
	n->at.fresh = fresh;
	if (n->cfg->progress)
		n->cfg->progress(n->cfg->cb.arg, &n->at);
}

void run_progress_bytes(void *arg, uint64_t bytes)
{
	struct run *n = arg;

	tell(n, n->captured + bytes, n->at.total, pack_new_bytes(n->pack));
}

void run_progress_dataset(struct run *n, size_t i)
{
	uint64_t expected = 0;
	bool known = true;

	n->captured = 0;
	for (size_t k = 0; k < i; k++)
		n->captured += n->ret->datasets[k].bytes;
	for (size_t k = i; k < n->cfg->n_datasets && known; k++) {
		struct expect_former f = {0};

		run_former(n, n->cfg->datasets[k]->name, &f);
		known = f.generation != 0;
		expected += f.bytes;
	}
	n->at = (struct run_progress){.part = text("capture"),
	    .of = n->cfg->datasets[i]->name,
	    .number = 1,
	    .parts = 1 + (unsigned)n->n_online,
	    .estimated = true,
	    .total = known ? n->captured + expected : 0};
}

static void on_read_back(void *arg, uint64_t bytes, uint64_t total)
{
	struct run *n = arg;

	n->at.part = text("read-back");
	tell(n, bytes, total, bytes);
}

void run_progress_copied(void *arg, uint64_t generation, uint64_t left, uint64_t bytes, uint64_t total)
{
	struct run *n = arg;

	(void)generation, (void)left;
	n->at.part = text("catching up");
	tell(n, bytes, total, bytes);
}

void run_progress_medium(struct run *n, size_t i)
{
	n->at = (struct run_progress){
	    .of = n->online[i].report->label, .number = 2 + (unsigned)i, .parts = 1 + (unsigned)n->n_online};
	readback_on_progress(n->online[i].readback, on_read_back, n);
}
