/* former_keys: see former_keys.h. */
#include "read/rules/former_keys.h"

#include <string.h>

#include "read/ledger/ledger.h"

static bool is_former(const struct ledger *l, const struct ledger_generation *g)
{
	return g->state == LEDGER_COMMITTED && ledger_period(l)->number > 1 &&
	       g->number < ledger_period(l)->first_run;
}

static bool is_newest(const struct ledger *l, size_t i)
{
	const struct ledger_generation *g = ledger_generation(l, i);

	for (size_t k = i + 1; k < ledger_generations(l); k++)
		if (ledger_generation(l, k)->state == LEDGER_COMMITTED &&
		    !strcmp(ledger_generation(l, k)->dataset, g->dataset))
			return false;
	return g->state == LEDGER_COMMITTED;
}

uint64_t former_keys_bytes(const struct ledger *l)
{
	uint64_t bytes = 0;

	for (size_t i = 0; ledger_period(l)->number > 1 && i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (is_newest(l, i))
			bytes += is_former(l, g) ? g->archive_bytes : g->former_bytes;
	}
	return bytes;
}

size_t former_keys_generations(const struct ledger *l, const struct ledger_medium *m)
{
	size_t n = 0;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		for (size_t k = 0; is_former(l, g) && k < g->n_copies; k++)
			n += g->copies[k].ok && !g->copies[k].expired_ns &&
			     !strcmp(g->copies[k].medium, m->uuid);
	}
	return n;
}
