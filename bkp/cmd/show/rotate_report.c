/* rotate_report: see rotate_report.h. */
#include "cmd/show/rotate_report.h"

#include <stdio.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "write/rotate/rotate.h"

#define SHOW	 256
#define SENTENCE 1200

static bool is_complete(const struct rotate_result *r)
{
	return r->current && !r->refill.missing && !r->damaged;
}

bool rotate_report_leaves(const struct rotate_result *r)
{
	if (r->damaged || (r->refill.full && r->may_go))
		return false;
	return r->current || (r->refill.full && r->generations);
}

/* "unmount it (umount /mnt/rdx), take it to '…', then record …": what the operator does with every disk. */
static void carry_away(const struct rotate_result *r, const char *operator, char * out, size_t size)
{
	char place[SHOW], point[SHOW], who[SHOW];

	path_show(r->place, place, sizeof(place));
	path_word(operator, who, sizeof(who));
	if (r->awaited)
		snprintf(out, size, text("unplug it now and take it to '%s'"), place);
	else if (r->unmounted)
		snprintf(out, size,
		    text("unplug it (it is unmounted), take it to '%s', then record it with "
			 "'bkp medium move %s --operator %s'"),
		    place, r->medium->name, who);
	else if (r->mount_point)
		snprintf(out, size,
		    text("unmount it (umount %s), take it to '%s', then record it with 'bkp medium move %s "
			 "--operator %s'"),
		    path_word(r->mount_point, point, sizeof(point)), place, r->medium->name, who);
	else
		snprintf(out, size,
		    text(
			"detach it, take it to '%s', then record it with 'bkp medium move %s --operator %s'"),
		    place, r->medium->name, who);
}

/* The one sentence that tells the operator what to do next, into out; returns out. */
static char *rotate_report_next(const struct rotate_result *r, const char *operator, char * out, size_t size)
{
	char away[SENTENCE], who[SHOW], bytes[OUT_BYTES], room[OUT_BYTES];
	const char *name = r->medium->name;

	path_word(operator, who, sizeof(who));
	carry_away(r, operator, away, sizeof(away));
	if (r->damaged)
		snprintf(out, size,
		    text("'%s' holds damaged copies: keep it for examination, rotate another disk, and tell "
			 "the person in "
			 "charge of the system"),
		    name);
	else if (r->refill.full && r->may_go)
		snprintf(out, size,
		    text("'%s' is full, and %ju generations may go from it: run 'bkp expire --operator %s "
			 "--medium "
			 "%s', then 'bkp rotate %s --operator %s' again"),
		    name, r->may_go, who, name, name, who);
	else if (r->refill.full && !r->current && !r->generations)
		snprintf(out, size,
		    text("'%s' is too small for the newest generations: the next one needs about %s, %s are "
			 "free; register a larger disk and rotate that"),
		    name, out_bytes(r->refill.lacking_next, bytes), out_bytes(r->refill.room, room));
	else if (r->refill.full && !r->current)
		snprintf(out, size,
		    text("'%s' is too small for all data sets, and is without %s (about %s in all, %s are "
			 "free): "
			 "register a larger disk, or say with 'datasets' in the policy which ones this one "
			 "is to "
			 "hold; for what is on it: %s"),
		    name, r->refill.left_out, out_bytes(r->refill.lacking, bytes),
		    out_bytes(r->refill.room, room), away);
	else if (r->refill.full)
		snprintf(out, size,
		    text("'%s' is full, %ju older generations (about %s) are not on it: it protects the "
			 "newest ones, so %s; prepare a larger disk for the next time"),
		    name, r->refill.missing, out_bytes(r->refill.lacking, bytes), away);
	else if (!r->current)
		snprintf(out, size,
		    text("'%s' does not hold the newest generation of every data set: attach the medium that "
			 "has them, then run 'bkp rotate %s' again"),
		    name, name);
	else if (r->refill.missing)
		snprintf(out, size,
		    text("'%s' holds the newest generations, but %ju others could not be brought to it (see "
			 "above): %s"),
		    name, r->refill.missing, away);
	else if (r->unfrozen)
		snprintf(out, size, text("'%s' is complete: %s"), name, away);
	else
		snprintf(out, size, text("'%s' is complete and sealed: %s"), name, away);
	width_whole(out);
	return out;
}

void rotate_report_faults(const struct rotate_result *r, FILE *out)
{
	if (r->turn.code[0])
		app_fault(&r->turn, out);
	if (r->clock.code[0])
		app_fault(&r->clock, out);
	if (r->reaped.code[0])
		app_fault(&r->reaped, out);
	if (r->refill.why.code[0])
		app_fault(&r->refill.why, out);
	if (r->damaged_why.code[0] && !r->refill.damaged)
		app_fault(&r->damaged_why, out);
	if (r->refill.lost) {
		fprintf(out,
		    text("bkp: W-ROTATE-02: files of %ju generations that were verified on '%s' had vanished "
			 "from it\n"),
		    r->refill.lost, r->medium->name);
		fprintf(out, "  → %s\n",
		    text("somebody erased them, brought an old copy of the disk, or the disk is failing: ask "
			 "who had it"));
	}
	if (r->refill.suspect) {
		fprintf(out,
		    text("bkp: W-ROTATE-03: %ju generations were not brought to it: they are suspect, and "
			 "nobody "
			 "has decided\n"),
		    r->refill.suspect);
		fprintf(out, "  → %s\n",
		    text("see which with 'bkp generations', look at the files, then 'bkp accept' or 'bkp "
			 "hold'"));
	}
	if (r->history.code[0])
		app_fault(&r->history, out);
	if (r->strangers.code[0])
		app_fault(&r->strangers, out);
	if (r->beside.code[0])
		app_fault(&r->beside, out);
	if (r->replaced_source.code[0])
		app_fault(&r->replaced_source, out);
	if (r->replaced.code[0])
		app_fault(&r->replaced, out);
	if (r->parity_why.code[0])
		app_fault(&r->parity_why, out);
	if (r->docs_why.code[0])
		app_fault(&r->docs_why, out);
	else if (!r->docs_complete)
		fprintf(out, "%s\n",
		    text("bkp: W-ROTATE-01: the static bkp-restore is not installed here, so the medium does "
			 "not carry it"));
}

static const char *const pace_words[] = {"guess", "measured-other", "measured"};

void rotate_report_expected(const struct rotate_expected *e, FILE *out)
{
	char copied[OUT_BYTES], again[OUT_BYTES], time[SHOW];
	uint64_t minutes = (e->seconds + 59) / 60;

	if (minutes <= 1)
		snprintf(time, sizeof(time), "%s", text("about a minute"));
	else
		snprintf(time, sizeof(time), text("about %ju minutes"), (uintmax_t)minutes);
	out_wrapped(out, 0, 2,
	    text("'%s': %ju generations, %s to copy and read back, %s to read again: %s (%s)"), e->medium,
	    (uintmax_t)e->generations, out_bytes(e->bytes, copied), out_bytes(e->reread, again), time,
	    e->pace == ROTATE_MEASURED	       ? text("as measured at its last rotation")
	    : e->pace == ROTATE_MEASURED_OTHER ? text("as measured on another medium of its type")
					       : text("a guess: nothing has been measured yet"));
}

static void print_summary(const struct rotate_result *r)
{
	char show[SHOW], bytes[OUT_BYTES], time[CLOCK_TEXT];

	printf(text("medium '%s' at %s\n"), r->medium->name, path_show(r->path, show, sizeof(show)));
	printf(text("  copied: %ju generations, %s; read back and equal: %ju\n"), r->refill.copied,
	    out_bytes(r->refill.bytes, bytes), r->refill.verified);
	if (r->rechecked)
		printf(text("  older copies read back again: %ju\n"), r->rechecked);
	if (r->reread.parts)
		printf(text("  read again: %ju of 256 parts of it, %s\n"), r->reread.parts,
		    out_bytes(r->reread.bytes, bytes));
	if (r->finished)
		printf(text("  deleted from it, as recorded earlier: %ju generations\n"), r->finished);
	printf(text("  verified generations on it: %ju"), r->generations);
	if (r->newest)
		printf(
		    text(", the newest of run %ju, %s"), r->newest, clock_format_local(r->newest_ns, time));
	putchar('\n');
	if (r->refill.lost)
		printf(text("  had VANISHED from it, brought again: %ju generations\n"), r->refill.lost);
	if (r->refill.missing)
		out_wrapped(stdout, 0, 4, text("  NOT on it: %ju generations%s%s"), r->refill.missing,
		    *r->refill.left_out ? ": " : "", r->refill.left_out);
	if (r->damaged)
		printf(text("  DAMAGED on it: %ju generations\n"), r->damaged);
	/* nothing of it is a backup yet */
	if (!r->generations)
		printf("%s\n", text("  NOT sealed: there is no whole generation on it"));
	else if (r->unfrozen)
		out_wrapped(stdout, 0, 4,
		    text("  sealed by signature only: %ju files could not be made immutable here (%s)"),
		    r->unfrozen, text_errno(r->unfrozen_errno));
	else
		out_wrapped(stdout, 0, 4, "%s",
		    text("  sealed: offline medium, signed, files immutable (tampering is detected)"));
}

void rotate_report_text(const struct rotate_result *r, const char *operator)
{
	char next[SENTENCE * 2];

	print_summary(r);
	out_wrapped(stdout, 0, 0, "%s", rotate_report_next(r, operator, next, sizeof(next)));
}

static json_t *facts_json(const struct rotate_result *r, const char *operator)
{
	char path[SHOW * 16], time[CLOCK_TEXT];

	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:I, s:I, s:s*, s:I, "
	    "s:I, s:I, s:b, s:b, s:I}",
	    "medium", r->medium->name, "path", path_show(r->path, path, sizeof(path)), "place", r->place,
	    "operator", operator, "copied", (json_int_t)r->refill.copied, "verified",
	    (json_int_t)r->refill.verified, "bytes", (json_int_t)r->refill.bytes, "vanished",
	    (json_int_t)r->refill.lost, "missing", (json_int_t)r->refill.missing, "suspect",
	    (json_int_t)r->refill.suspect, "lacking_bytes", (json_int_t)r->refill.lacking, "left_out",
	    r->refill.left_out, "full", (int)r->refill.full, "generations", (json_int_t)r->generations,
	    "newest", (json_int_t)r->newest, "newest_time",
	    r->newest ? clock_format(r->newest_ns, time) : NULL, "rechecked", (json_int_t)r->rechecked,
	    "damaged", (json_int_t)r->damaged, "not_frozen", (json_int_t)r->unfrozen, "documents",
	    (int)r->docs_complete, "complete", (int)is_complete(r), "deleted", (json_int_t)r->finished);
}

static json_t *expected_json(const struct rotate_expected *e)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:s}", "generations", (json_int_t)e->generations, "bytes",
	    (json_int_t)e->bytes, "read_again", (json_int_t)e->reread, "seconds", (json_int_t)e->seconds,
	    "basis", pace_words[e->pace]);
}

int rotate_report_json(
    const struct rotate_result *r, const char *operator, const struct err * failure, int code)
{
	char next[SENTENCE * 2], why[sizeof(failure->msg)];
	json_t *o;

	if (failure) {
		path_show(failure->msg, why, sizeof(why));
		return out_json(json_pack("{s:s, s:s, s:s, s:b}", "error", failure->code, "message", why,
				    "next", failure->hint, "complete", 0),
		    code);
	}
	o = facts_json(r, operator);
	if (o && r->turn.code[0])
		json_object_set_new(o, "turn", json_string(path_show(r->turn.msg, why, sizeof(why))));
	if (o) {
		json_object_set_new(o, "number", json_integer((json_int_t)r->number));
		json_object_set_new(o, "expected", expected_json(&r->expected));
	}
	if (o && r->refill.why.code[0])
		json_object_set_new(o, "reason", json_string(path_show(r->refill.why.msg, why, sizeof(why))));
	if (o)
		json_object_set_new(
		    o, "next", json_string(rotate_report_next(r, operator, next, sizeof(next))));
	return out_json(o, code);
}

int rotate_report_exit(const struct rotate_result *r)
{
	if (!r->current)
		return APP_FAILED;
	/* without the static program there are still rescue.py and stock tools: said, but no fault */
	return is_complete(r) && !r->refill.lost && !r->refill.suspect && !r->docs_why.code[0] &&
		       !r->parity_why.code[0] && !r->replaced.code[0] && !r->replaced_source.code[0] &&
		       !r->history.code[0] && !r->strangers.code[0] && !r->beside.code[0] &&
		       !r->clock.code[0] && !r->reaped.code[0] && !r->turn.code[0]
		   ? APP_OK
		   : APP_ATTENTION;
}
