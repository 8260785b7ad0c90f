/* retention_text: the reasons of retention as words and sentences; see retention.h. */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/width.h"
#include "read/rules/retention.h"

const char *retention_word(enum retention_reason r)
{
	static const char *const words[] = {"frozen", "latched", "held", "unknown", "future", "protected",
	    "suspect", "newest", "floor", "no-better", "daily", "weekly", "monthly", "yearly", "covered"};

	return words[r];
}

static void of_generation(const struct retention_why *w, char *out, size_t size)
{
	char date[CLOCK_TEXT];

	switch (w->reason) {
	case RETENTION_FROZEN:
		snprintf(out, size, text("generation %ju is suspect, and nobody has decided on it"), w->have);
		break;
	case RETENTION_LATCHED:
		snprintf(out, size, "%s", text("the clock has jumped forward, and nobody has attested it"));
		break;
	case RETENTION_HELD:
		snprintf(out, size, "%s", text("a person holds it"));
		break;
	case RETENTION_FUTURE:
		snprintf(out, size, "%s", text("it is dated later than now"));
		break;
	case RETENTION_PROTECTED:
		snprintf(out, size, text("protected until %s"), clock_format_local(w->until_ns, date));
		break;
	default:
		snprintf(out, size, "%s", text("it is suspect: a person decides"));
	}
}

static void of_dataset(const struct retention_why *w, char *out, size_t size)
{
	switch (w->reason) {
	case RETENTION_UNKNOWN:
		snprintf(out, size, text("%s: neither the policy nor what was agreed says how long it stays"),
		    w->dataset);
		break;
	case RETENTION_NEWEST:
		snprintf(out, size, text("%s: the last good copy of its newest good generation"), w->dataset);
		break;
	case RETENTION_FLOOR:
		snprintf(out, size, text("%s: newer verified ones on %ju of %ju dates here"), w->dataset,
		    w->have, w->want);
		break;
	case RETENTION_NO_BETTER:
		snprintf(out, size, text("%s: not good, but no newer good one is verified here"), w->dataset);
		break;
	case RETENTION_DAILY:
		snprintf(out, size, text("%s: the newest of its day (%ju are kept)"), w->dataset, w->want);
		break;
	case RETENTION_WEEKLY:
		snprintf(out, size, text("%s: the newest of its week (%ju are kept)"), w->dataset, w->want);
		break;
	case RETENTION_MONTHLY:
		snprintf(out, size, text("%s: the newest of its month (%ju are kept)"), w->dataset, w->want);
		break;
	case RETENTION_YEARLY:
		snprintf(out, size, text("%s: the newest of its year (%ju are kept)"), w->dataset, w->want);
		break;
	default:
		snprintf(out, size, text("%s: newer verified ones on %ju dates here, %ju are asked for"),
		    w->dataset, w->have, w->want);
	}
}

char *retention_sentence(const struct retention_why *w, char out[RETENTION_SENTENCE])
{
	bool whole = !w->dataset || w->reason == RETENTION_PROTECTED;

	(whole ? of_generation : of_dataset)(w, out, RETENTION_SENTENCE);
	width_whole(out);
	return out;
}
