/* journal_words: see journal_words.h.
 *
 * A new event is a row in rules[] and its say_*().  Members may be missing (records of other versions): a text is then "" and
 * a number 0. */
#include "cmd/show/journal_words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/out.h"
#include "format/medium/generation.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"

#define SHOW 256

static uintmax_t member_number(const struct journal_record *r, const char *key)
{
	return (uintmax_t)json_integer_value(json_object_get(r->json, key));
}

static bool member_true(const struct journal_record *r, const char *key)
{
	return json_is_true(json_object_get(r->json, key));
}

/* ": reason", or nothing */
static const char *because(const struct journal_record *r, const char *key, char out[JOURNAL_WORDS / 2])
{
	snprintf(out, JOURNAL_WORDS / 2, "%s%s", *journal_text(r->json, key) ? ": " : "",
	    journal_text(r->json, key));
	return out;
}

char *journal_words_item(const json_t *v, char *out, size_t size)
{
	const char *s = json_string_value(v), *name = journal_text(v, "name"),
		   *why = journal_text(v, "reason");
	char label[GENERATION_LABEL], show[SHOW];

	if (json_is_object(v) && *journal_text(v, "dataset"))
		s = generation_label(journal_text(v, "dataset"),
		    (uint64_t)json_integer_value(json_object_get(v, "generation")), label);
	else if (json_is_object(v))
		s = *name ? name : "?";
	path_show(s ? s : "?", out, size);
	if (json_is_object(v) && *why) {
		size_t n = strlen(out);

		snprintf(out + n, size - n, ": %s", path_show(why, show, sizeof(show)));
		width_whole(out);
	}
	return out;
}

/* "emr@42" of what the record is about; returns out. */
static const char *label_of_record(const struct journal_record *r, char out[GENERATION_LABEL])
{
	char show[GENERATION_LABEL];

	return generation_label(path_show(journal_text(r->json, "dataset"), show, GENERATION_NAME),
	    member_number(r, "generation"), out);
}

/* "a; b; c" of a list: those for which there is room, and how many there are in all; returns out. */
static const char *few_of(
    const struct journal_record *r, const char *key, size_t all, char out[JOURNAL_WORDS / 2])
{
	enum { ONE = 136, TAIL = 64 };
	const json_t *list = json_object_get(r->json, key);
	size_t used = 0, i = 0;
	char show[ONE];

	*out = '\0';
	for (; i < json_array_size(list) && used + ONE + TAIL < JOURNAL_WORDS / 2; i++)
		used += (size_t)snprintf(out + used, JOURNAL_WORDS / 2 - used, "%s%s", i ? "; " : "",
		    journal_words_item(json_array_get(list, i), show, sizeof(show)));
	if (all > i)
		snprintf(out + used, JOURNAL_WORDS / 2 - used, text("; … (%zu in all)"), all);
	return out;
}

static const char *label_of_medium(const struct ledger *l, const char *uuid)
{
	const struct ledger_medium *m = ledger_medium_by_uuid(l, uuid);

	return m ? m->label : uuid;
}

char *journal_words_medium(const struct journal_record *r, const struct ledger *l, char out[JOURNAL_WORDS])
{
	const json_t *list = json_object_get(r->json, !strcmp(r->event, "media-counted") ? "seen" : "media");
	size_t used = 0;

	snprintf(out, JOURNAL_WORDS, "%s",
	    *journal_text(r->json, "medium") ? label_of_medium(l, journal_text(r->json, "medium")) : "");
	for (size_t i = 0; i < json_array_size(list) && used < JOURNAL_WORDS; i++) {
		const json_t *m = json_array_get(list, i);
		const char *uuid = json_string_value(json_is_object(m) ? json_object_get(m, "medium") : m);

		used += (size_t)snprintf(out + used, JOURNAL_WORDS - used, "%s%s", i ? ", " : "",
		    uuid ? label_of_medium(l, uuid) : "?");
	}
	return out;
}

/* Of a committed or failed run, too: what a spreadsheet is filtered by. */
char *journal_words_generation(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	const json_t *list = json_object_get(r->json, "generations");
	char label[GENERATION_LABEL], few[JOURNAL_WORDS / 2];

	if (json_is_array(list))
		snprintf(out, JOURNAL_WORDS, "%s", few_of(r, "generations", json_array_size(list), few));
	else if (*journal_text(r->json, "dataset") && member_number(r, "generation"))
		snprintf(out, JOURNAL_WORDS, "%s", label_of_record(r, label));
	else if (member_number(r, "run"))
		snprintf(out, JOURNAL_WORDS, "%ju", member_number(r, "run"));
	else
		*out = '\0';
	return out;
}

/* ---- how it ended ---- */

static const char *copies_word(const struct journal_record *r)
{
	const json_t *list = json_object_get(r->json, "media");
	bool all = true;

	for (size_t i = 0; i < json_array_size(list); i++)
		all &= json_is_true(json_object_get(json_array_get(list, i), "ok"));
	all &= !strcmp(journal_text(r->json, "verdict"), "good");
	return all ? text("ok") : text("partial");
}

char *journal_words_outcome(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	const char *said = "";

	if (!strcmp(r->event, "outcome"))
		said = !member_number(r, "exit")       ? text("ok")
		       : member_number(r, "exit") == 1 ? text("look at it")
						       : text("failed");
	else if (!strcmp(r->event, "committed"))
		said = copies_word(r);
	else if (!strcmp(r->event, "failed"))
		said = text("failed");
	else if (!strcmp(r->event, "verified"))
		said = text("ok");
	else if (!strcmp(r->event, "verify-failed"))
		said = text("damaged");
	else if (!strcmp(r->event, "rotated"))
		said = member_true(r, "complete") ? text("ok") : text("incomplete");
	snprintf(out, JOURNAL_WORDS, "%s", said);
	return out;
}

/* ---- what happened ---- */

typedef void words_fn(const struct journal_record *r, char out[JOURNAL_WORDS]);

static void say_init(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, text("the repository of '%s' was made; root key %s"),
	    journal_text(r->json, "site"), journal_text(r->json, "root_key"));
}

static void say_epoch(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, text("from here on the key of epoch %ju signs: %s"),
	    member_number(r, "next"), journal_text(r->json, "key"));
}

static void say_added(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, text("the medium '%s' (%s) was registered at '%s'"),
	    journal_text(r->json, "label"), journal_text(r->json, "type"), journal_text(r->json, "path"));
}

static void say_begin(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	size_t n = json_array_size(json_object_get(r->json, "datasets"));
	char few[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS, text("run %ju was begun: %s"), member_number(r, "run"),
	    few_of(r, "datasets", n, few));
}

static void say_committed(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char label[GENERATION_LABEL], all[OUT_BYTES], fresh[OUT_BYTES];

	snprintf(out, JOURNAL_WORDS,
	    member_true(r, "recovered")
		? text("%s, which an interrupted run had left complete, is reported: archives of %s, %s of "
		       "new "
		       "data before compression")
		: text("%s is reported: archives of %s, %s of new data before compression"),
	    label_of_record(r, label), out_bytes(member_number(r, "archive_bytes"), all),
	    out_bytes(member_number(r, "new_bytes"), fresh));
}

/* What one record says of several generations. */
static void say_several(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	size_t n = json_array_size(json_object_get(r->json, "generations"));
	char few[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS,
	    !strcmp(r->event, "verified") ? text("read back and compared, %zu generations: %s")
					  : text("brought to the medium, %zu generations: %s"),
	    n, few_of(r, "generations", n, few));
}

static void say_damaged(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char label[GENERATION_LABEL], why[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS, text("%s was found damaged%s"), label_of_record(r, label),
	    because(r, "reason", why));
}

static void say_failed(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	size_t n = json_array_size(json_object_get(r->json, "datasets"));
	char why[JOURNAL_WORDS / 2], few[JOURNAL_WORDS / 2];
	size_t used = (size_t)snprintf(out, JOURNAL_WORDS, text("run %ju made no generation of: %s"),
	    member_number(r, "run"), few_of(r, "datasets", n, few));

	if (used < JOURNAL_WORDS)
		snprintf(out + used, JOURNAL_WORDS - used, "%s", because(r, "reason", why));
}

static void say_attached(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS,
	    !strcmp(r->event, "medium-attached") ? text("the medium was seen at '%s'")
						 : text("the medium is no longer at '%s'"),
	    journal_text(r->json, "path"));
}

static void say_repaired(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char few[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS, text("damaged files were written anew: %ju (%s)"),
	    member_number(r, "count"), few_of(r, "files", member_number(r, "count"), few));
}

static void say_reread(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char bytes[OUT_BYTES];

	snprintf(out, JOURNAL_WORDS,
	    text("read again: %ju of 256 parts of the medium, %ju files, %s; damaged: %ju"),
	    member_number(r, "parts"), member_number(r, "files"), out_bytes(member_number(r, "bytes"), bytes),
	    member_number(r, "bad"));
}

static void say_rotated(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS,
	    text("the medium was brought up to date: %ju generations, newest %ju; to be taken to '%s'"),
	    member_number(r, "generations"), member_number(r, "newest"), journal_text(r->json, "place"));
}

static void say_rollback_accepted(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, text("the medium was taken as it was after rotation %ju: '%s'"),
	    member_number(r, "turn"), journal_text(r->json, "reason"));
}

static void say_strangers(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char few[JOURNAL_WORDS / 2];
	uint64_t n = member_number(r, "ours") + member_number(r, "beside");

	snprintf(out, JOURNAL_WORDS, text("files on the medium that are not of bkp: %ju (%s)"), n,
	    few_of(r, "files", n, few));
}

static void say_disc(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS,
	    text("the disc was written and read back, byte by byte: %ju files, %ju bytes, SHA-256 %s"),
	    member_number(r, "files"), member_number(r, "bytes"), journal_text(r->json, "sha256"));
}

static void say_moved(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, text("the medium was taken from '%s' to '%s'"),
	    journal_text(r->json, "from"), journal_text(r->json, "place"));
}

static void say_journal_copies(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, text("the journal up to record %ju was copied to %zu media"),
	    member_number(r, "upto"), json_array_size(json_object_get(r->json, "media")));
}

static void say_history(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS,
	    !strcmp(journal_text(r->json, "found"), "truncated")
		? text("the medium's copy of the journal was cut: from record %ju on it is gone")
	    : !strcmp(journal_text(r->json, "found"), "rolled-back")
		? text("the medium was as it was on a former day: it knew nothing from record %ju on")
		: text("the medium's copy of the journal is another from record %ju on"),
	    member_number(r, "line"));
}

static void say_policy(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	const size_t changes = json_array_size(json_object_get(r->json, "changes")),
		     narrows = json_array_size(json_object_get(r->json, "narrows"));
	size_t used = (size_t)snprintf(out, JOURNAL_WORDS,
	    text("the policy is another from here on: SHA-256 %s"), journal_text(r->json, "sha256"));
	char few[JOURNAL_WORDS / 2];

	if (narrows && used < JOURNAL_WORDS)
		used += (size_t)snprintf(out + used, JOURNAL_WORDS - used,
		    text("; by which less is captured or guarded: %s"), few_of(r, "narrows", narrows, few));
	if (changes && used < JOURNAL_WORDS)
		snprintf(out + used, JOURNAL_WORDS - used, text("; all that changed: %s"),
		    few_of(r, "changes", changes, few));
}

static void say_policy_accepted(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char why[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS,
	    text("a change of the policy by which less is captured or guarded was accepted%s"),
	    because(r, "reason", why));
}

static void say_agreed(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, text("what is kept at least was agreed for %zu data sets"),
	    json_array_size(json_object_get(r->json, "datasets")));
}

static void say_decision(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char label[GENERATION_LABEL], why[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS,
	    !strcmp(r->event, "accepted") ? text("%s was accepted as good%s%s")
	    : !strcmp(r->event, "held")	  ? text("%s is held from here on%s%s")
					  : text("%s is no longer held%s%s"),
	    label_of_record(r, label), because(r, "reason", why),
	    json_is_false(json_object_get(r->json, "terminal")) ? text(" (not typed at a terminal)") : "");
}

static void say_expired(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char label[GENERATION_LABEL], why[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS, text("%s expired on the medium%s"), label_of_record(r, label),
	    because(r, "why", why));
}

static void say_finished(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char label[GENERATION_LABEL];

	snprintf(out, JOURNAL_WORDS, text("deleting %s, recorded as expired earlier, was agreed to"),
	    label_of_record(r, label));
}

static const char *or_dash(const struct journal_record *r, const char *key)
{
	return *journal_text(r->json, key) ? journal_text(r->json, key) : "-";
}

static void say_name(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char why[JOURNAL_WORDS / 2];

	if (*journal_text(r->json, "label"))
		snprintf(out, JOURNAL_WORDS, text("the medium is called '%s' from now on"),
		    journal_text(r->json, "label"));
	else
		snprintf(out, JOURNAL_WORDS, text("the medium is retired%s"), because(r, "reason", why));
	if (*journal_text(r->json, "method")) {
		size_t n = strlen(out);

		snprintf(out + n, JOURNAL_WORDS - n,
		    text("; destroyed: %s; witness %s; certificate %s; keys: %s"),
		    journal_text(r->json, "method"), journal_text(r->json, "witness"),
		    or_dash(r, "certificate"), or_dash(r, "keys_destroyed"));
	}
}

/* "maker: …; model: …" */
static void say_data(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	static const char *const names[] = {"maker", "model", "serial", "bought", "use_until",
	    "support_until", "lock", "writing", "custodian"};
	size_t n = (size_t)snprintf(out, JOURNAL_WORDS, "%s", text("recorded of the medium"));

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && n < JOURNAL_WORDS; i++)
		if (json_is_string(json_object_get(r->json, names[i])))
			n += (size_t)snprintf(out + n, JOURNAL_WORDS - n, "; %s: %s", names[i],
			    journal_text(r->json, names[i]));
}

static void say_prepared(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char few[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS,
	    text("the disk %s (serial number %s) was made fit for use as '%s'; it held: %s"),
	    journal_text(r->json, "device"), or_dash(r, "serial"), journal_text(r->json, "label"),
	    few_of(r, "held", json_array_size(json_object_get(r->json, "held")), few));
}

static void say_custody(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	const char *to = journal_text(r->json, "to"), *place = journal_text(r->json, "place");
	char why[JOURNAL_WORDS / 2];

	because(r, "reason", why);
	if (!strcmp(r->event, "medium-handed"))
		snprintf(out, JOURNAL_WORDS, text("the medium was handed over to %s; witness %s"), to,
		    journal_text(r->json, "witness"));
	else if (!strcmp(r->event, "medium-lent"))
		snprintf(out, JOURNAL_WORDS, text("the medium was lent to %s until %s%s"), to,
		    journal_text(r->json, "until"), why);
	else if (!strcmp(r->event, "medium-returned"))
		snprintf(out, JOURNAL_WORDS, text("the medium was brought back to '%s'"), place);
	else if (!strcmp(r->event, "medium-lost"))
		snprintf(out, JOURNAL_WORDS, text("the medium is lost%s"), why);
	else if (!strcmp(r->event, "medium-found"))
		snprintf(out, JOURNAL_WORDS, text("the medium was found and is at '%s'"), place);
	else
		snprintf(out, JOURNAL_WORDS, text("stock-take of '%s': seen %zu, not found %zu"), place,
		    json_array_size(json_object_get(r->json, "seen")),
		    json_array_size(json_object_get(r->json, "missing")));
}

static void say_tools(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char why[JOURNAL_WORDS / 2];

	if (*journal_text(r->json, "operator"))
		snprintf(out, JOURNAL_WORDS, text("changed tools for media are accepted%s"),
		    because(r, "reason", why));
	else
		snprintf(out, JOURNAL_WORDS, "%s",
		    text("other tools, procedures or README.txt are on the medium"));
}

/* A time of a record, for people who look at the clock on the wall. */
static const char *local_time_of(const char *utc, char out[CLOCK_TEXT])
{
	int64_t ns;

	return clock_parse(utc, &ns) ? utc : clock_format_local(ns, out);
}

static const char *judge_words(const char *source)
{
	return !strcmp(source, "monotonic")    ? text("the time since the computer started")
	       : !strcmp(source, "journal")    ? text("the journal's last record")
	       : !strcmp(source, "filesystem") ? text("the clock of a medium's file system")
					       : source;
}

static void say_clock(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char why[JOURNAL_WORDS / 2], before[CLOCK_TEXT], after[CLOCK_TEXT];

	if (!strcmp(r->event, "clock-jump"))
		snprintf(out, JOURNAL_WORDS,
		    json_integer_value(json_object_get(r->json, "seconds")) > 0
			? text("the clock had jumped forward: it should have been %s and said %s, judged by "
			       "%s")
			: text("the clock had been set back: it should have been %s and said %s, judged by "
			       "%s"),
		    local_time_of(journal_text(r->json, "before"), before),
		    local_time_of(journal_text(r->json, "after"), after),
		    judge_words(journal_text(r->json, "source")));
	else
		snprintf(
		    out, JOURNAL_WORDS, text("a person attested the clock%s"), because(r, "reason", why));
}

static void say_outcome(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char why[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS, text("'bkp %s' ended with exit status %ju%s"),
	    journal_text(r->json, "command"), member_number(r, "exit"), because(r, "line", why));
}

static void say_scheduled(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS,
	    !strcmp(journal_text(r->json, "action"), "install")
		? text("runs of the policy were given to %s: '%s'")
		: text("runs of the policy were taken from %s: '%s'"),
	    journal_text(r->json, "kind"), journal_text(r->json, "file"));
}

static void say_notified(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, "%s",
	    member_true(r, "ok") ? text("somebody was told") : journal_text(r->json, "reason"));
}

static void say_journal_repaired(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char why[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS,
	    text("%ju lines behind record %ju were cut off the journal and are kept in '%s'%s"),
	    member_number(r, "lines"), member_number(r, "kept"), journal_text(r->json, "file"),
	    because(r, "why", why));
}

static void say_keys(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char few[JOURNAL_WORDS / 2];

	snprintf(out, JOURNAL_WORDS,
	    member_true(r, "renew") ? text("period %ju, revision %ju: a key is held by %s; what was captured "
					   "before is stored anew")
				    : text("period %ju, revision %ju: a key is held by %s"),
	    member_number(r, "period"), member_number(r, "revision"),
	    few_of(r, "people", json_array_size(json_object_get(r->json, "people")), few));
}

static void say_use(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	const char *person = journal_text(json_object_get(r->json, "person"), "name"),
		   *signer = journal_text(r->json, "signed_by");
	char show[SHOW];

	snprintf(out, JOURNAL_WORDS, text("the key of %s was used at %s: %s %s; %s"), *person ? person : "?",
	    journal_text(r->json, "begun"), journal_text(r->json, "command"),
	    path_show(journal_text(r->json, "what"), show, sizeof(show)),
	    *signer ? text("signed") : text("declared only"));
}

static void say_reviewed(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS,
	    text("%zu uses of recovery keys were looked at, %zu of them declared only"),
	    (size_t)member_number(r, "uses"), (size_t)member_number(r, "declared"));
}

static void say_envelope(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	const char *action = journal_text(r->json, "action"), *number = journal_text(r->json, "number");
	char why[JOURNAL_WORDS / 2];

	if (!strcmp(action, "added") || !strcmp(action, "sealed"))
		snprintf(out, JOURNAL_WORDS, text("the envelope %s was sealed: %s"), number,
		    journal_text(r->json, "seal"));
	else
		snprintf(out, JOURNAL_WORDS,
		    !strcmp(action, "opened") ? text("the envelope %s was opened%s")
					      : text("the envelope %s is retired%s"),
		    number, because(r, "why", why));
}

static void say_announced(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	char few[JOURNAL_WORDS / 2], until[CLOCK_TEXT];

	if (*journal_text(r->json, "text"))
		snprintf(out, JOURNAL_WORDS, text("announced until %s, number %ju: '%s', of %s"),
		    local_time_of(journal_text(r->json, "until"), until), member_number(r, "number"),
		    journal_text(r->json, "text"),
		    few_of(r, "datasets", json_array_size(json_object_get(r->json, "datasets")), few));
	else
		snprintf(
		    out, JOURNAL_WORDS, text("announcement %ju was ended early"), member_number(r, "number"));
}

static void say_canaries(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	size_t n = json_array_size(json_object_get(r->json, "canaries"));

	if (n)
		snprintf(out, JOURNAL_WORDS, text("%zu canaries were made in %s"), n,
		    journal_text(r->json, "dataset"));
	else
		snprintf(out, JOURNAL_WORDS, text("the canaries of %s were removed"),
		    journal_text(r->json, "dataset"));
}

static void say_countersigned(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS,
	    member_true(r, "known")
		? text("countersigned up to record %ju by %s, key %s")
		: text("countersigned up to record %ju by %s, key %s, which the policy does not have"),
	    member_number(r, "upto"), journal_text(r->json, "name"), journal_text(r->json, "key"));
}

static const struct {
	const char *event;
	words_fn *say;
} rules[] = {{"init", say_init}, {JOURNAL_EPOCH_EVENT, say_epoch}, {"medium-added", say_added},
    {"begin", say_begin}, {"committed", say_committed}, {"verified", say_several}, {"copied", say_several},
    {"verify-failed", say_damaged}, {"failed", say_failed}, {"medium-attached", say_attached},
    {"medium-detached", say_attached}, {"repaired", say_repaired}, {"reread", say_reread},
    {"rotated", say_rotated}, {"medium-moved", say_moved}, {"disc-written", say_disc},
    {"heads", say_journal_copies}, {"history", say_history}, {"rollback-accepted", say_rollback_accepted},
    {"strangers", say_strangers}, {"policy", say_policy}, {"policy-accepted", say_policy_accepted},
    {"agreed", say_agreed}, {"accepted", say_decision}, {"held", say_decision}, {"released", say_decision},
    {"expired", say_expired}, {"expiry-finished", say_finished}, {"medium-renamed", say_name},
    {"medium-retired", say_name}, {"documents", say_tools}, {"tools-accepted", say_tools},
    {"clock-jump", say_clock}, {"clock-attested", say_clock}, {"outcome", say_outcome},
    {"scheduled", say_scheduled}, {"notified", say_notified}, {"journal-repaired", say_journal_repaired},
    {"keys", say_keys}, {"use", say_use}, {"uses-reviewed", say_reviewed}, {"envelope", say_envelope},
    {"announced", say_announced}, {"announcement-ended", say_announced}, {"canary-placed", say_canaries},
    {"canary-removed", say_canaries}, {"medium-data", say_data}, {"medium-prepared", say_prepared},
    {"medium-handed", say_custody}, {"medium-lent", say_custody}, {"medium-returned", say_custody},
    {"media-counted", say_custody}, {"medium-lost", say_custody}, {"medium-found", say_custody},
    {"countersigned", say_countersigned}};

char *journal_words_what(const struct journal_record *r, char out[JOURNAL_WORDS])
{
	snprintf(out, JOURNAL_WORDS, "%s", r->event);
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!strcmp(rules[i].event, r->event))
			rules[i].say(r, out);
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	width_whole(out);
	return out;
}

/* Who is said to have done it; "outcome" and the like only repeat whom the command named. */
static const char *person_of(const struct journal_record *r, const char *member)
{
	static const char *const repeats[] = {"outcome", "notified", "policy", "begin", "documents", "heads"};

	for (size_t i = 0; i < sizeof(repeats) / sizeof(*repeats); i++)
		if (!strcmp(repeats[i], r->event))
			return "";
	return journal_text(r->json, member);
}

size_t journal_words_people(const struct journal_record *r, const char *ret[JOURNAL_PEOPLE], bool *ret_own)
{
	static const char *const members[] = {"operator", "witness"};
	const char *who = journal_text(r->json, "signed_by");
	size_t n = 0;

	*ret_own = *who && strcmp(r->event, "keys") != 0;
	if (*ret_own)
		ret[n++] = who;
	for (size_t i = 0; i < sizeof(members) / sizeof(*members) && !*ret_own; i++) {
		who = person_of(r, members[i]);
		if (*who)
			ret[n++] = who;
	}
	return n;
}

char *journal_words_signed(const struct journal_record *r, const struct ledger *l, char out[JOURNAL_WORDS])
{
	const bool by_itself = !strcmp(r->event, "countersigned");
	const char *who[JOURNAL_PEOPLE];
	bool own;
	const size_t n_who = journal_words_people(r, who, &own);
	size_t n = 0;

	out[0] = '\0';
	if (by_itself || own) {
		snprintf(out, JOURNAL_WORDS, text("signed by %s"),
		    by_itself ? journal_text(r->json, "name") : who[0]);
		return out;
	}
	for (size_t i = 0; i < n_who && n < JOURNAL_WORDS / 2; i++)
		n += (size_t)snprintf(out + n, JOURNAL_WORDS - n,
		    ledger_signed_by(l, r->seq, who[i]) ? text("%s%s: signed") : text("%s%s: claim only"),
		    n ? ", " : "", who[i]);
	width_whole(out);
	return out;
}
