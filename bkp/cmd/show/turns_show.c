/* turns_show: see turns_show.h. */
#include "cmd/show/turns_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/day.h"
#include "base/path.h"
#include "base/show/wrap.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/out.h"
#include "cmd/time/room_show.h"
#include "format/policy/holidays.h"
#include "format/policy/policy.h"
#include "read/rules/compliance.h"
#include "read/rules/turns.h"

#define SHOW	 128
#define LINE_MAX 4096

/* ---- for people ---- */

/* "; left out: RDX-03 (damaged), RDX-04 (retired)" behind what stands in out. */
static void add_left_out(const struct turns *t, char *out, size_t size)
{
	const char *before = text("; left out: ");

	for (size_t i = 0; i < t->n; i++) {
		size_t n = strlen(out);

		if (t->disks[i].out == TURNS_USABLE)
			continue;
		snprintf(out + n, size - n, "%s%s (%s)", before, t->disks[i].policy->name,
		    turns_out_shown(t->disks[i].out));
		before = text(", ");
	}
	width_whole(out);
}

static void next_line(const struct turns *t, char *out, size_t size)
{
	char day[DAY_TEXT], place[SHOW], late[TURNS_SPAN], names[TURNS_NAMES];
	const char *weekday = day_weekday(day_split(t->date).weekday);

	day_format(t->date, day);
	if (t->due)
		path_show(turns_place(t->due), place, sizeof(place));
	if (!t->due)
		snprintf(out, size, text("turns of '%s': no medium can be used"), t->pool->name);
	else if (t->late && *turns_names(t, names))
		snprintf(out, size,
		    text("turns of '%s': %s (from '%s') was due on %s (%s), %s ago; to be told: %s"),
		    t->pool->name, t->due->policy->name, place, day, weekday, turns_span(t, late), names);
	else if (t->late)
		snprintf(out, size, text("turns of '%s': %s (from '%s') was due on %s (%s), %s ago"),
		    t->pool->name, t->due->policy->name, place, day, weekday, turns_span(t, late));
	else if (t->today == t->date)
		snprintf(out, size, text("turns of '%s': today %s (from '%s')"), t->pool->name,
		    t->due->policy->name, place);
	else
		snprintf(out, size, text("turns of '%s': next %s (from '%s') on %s (%s)"), t->pool->name,
		    t->due->policy->name, place, day, weekday);
	add_left_out(t, out, size);
}

unsigned turns_show_lines(const struct compliance *s)
{
	unsigned lines = 0;

	for (size_t i = 0; i < s->n_pools; i++) {
		BUF_AUTO b = BUF_INIT((size_t)1 << 16);
		char line[LINE_MAX];

		next_line(&s->pools[i], line, sizeof(line));
		if (wrap_text(line, out_columns(), 0, 2, &b, NULL) || buf_terminate(&b, NULL))
			continue; /* no memory: what to do next says what is urgent */
		puts((char *)b.p);
		lines++;
		for (const char *p = (char *)b.p; (p = strchr(p, '\n')); p++)
			lines++;
	}
	return lines;
}

/* ---- for programs ---- */

static json_t *disk_json(const struct turns_disk *d)
{
	return json_pack("{s:s, s:s?, s:b, s:b, s:s}", "medium", d->policy->name, "left_out",
	    turns_out_word(d->out), "attached", (int)d->attached, "away", (int)d->away, "place",
	    turns_place(d));
}

static const char *name_of(const struct turns_disk *d)
{
	return d ? d->policy->name : NULL;
}

json_t *turns_show_json(const struct turns *t)
{
	static const char *const holds[] = {"all", "newest", "oldest"};
	json_t *media = json_array(), *told = json_array();
	char date[DAY_TEXT], planned[DAY_TEXT];

	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(media, disk_json(&t->disks[i]));
	for (size_t i = 0; i < t->pool->n_remind; i++)
		if (turns_told(t, i))
			json_array_append_new(told, json_string(t->pool->remind[i].tell));
	return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:s?, s:s?, s:I, s:s?, s:s?, s:s?, s:I, s:o, s:o}",
	    "pool", t->pool->name, "holds", holds[t->pool->holds], "swap_every_s",
	    (json_int_t)t->pool->swap_every_s, "away_at_least", (json_int_t)t->pool->away_at_least, "date",
	    day_format(t->date, date), "planned", day_format(t->planned, planned), "holiday",
	    t->date != t->planned ? holidays_on(t->policy->holidays, t->planned) : NULL, "due",
	    name_of(t->due), "days_late", (json_int_t)t->late, "newest", name_of(t->newest),
	    "take_away_first", name_of(t->first), "attached_beside", name_of(t->second), "away",
	    (json_int_t)t->away, "media", media, "to_be_told", told);
}

json_t *turns_show_all_json(const struct compliance *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_pools; i++) {
		const struct compliance_medium *m = room_of_pool(s, &s->pools[i]);
		json_t *o = turns_show_json(&s->pools[i]);

		json_object_set_new(o, "full_first", m ? json_string(m->policy->name) : json_null());
		json_object_set_new(o, "room", m ? room_json(&m->room) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}

/* ---- for the night ---- */

static void tell_pool(const struct turns *t, struct turns_tell *ret)
{
	char names[TURNS_NAMES], place[SHOW], span[TURNS_SPAN];
	size_t n = strlen(ret->names);

	if (!t->due || !*turns_names(t, names))
		return;
	snprintf(ret->names + n, sizeof(ret->names) - n, "%s%s", n ? text(", ") : "", names);
	width_whole(ret->names);
	if (ret->why.msg[0] && (ret->late || !t->late))
		return;
	path_show(turns_place(t->due), place, sizeof(place));
	ret->late = t->late > 0;
	if (t->late) {
		err_set(&ret->why, "W-TURN-01",
		    text("the turn of pool '%s' is %s late: bring %s (from '%s')"), t->pool->name,
		    turns_span(t, span), t->due->policy->name, place);
		err_hint(
		    &ret->why, text("attach it and run 'bkp rotate --operator NAME'; to be told: %s"), names);
	} else {
		err_set(&ret->why, "", text("today is the turn of pool '%s': bring %s (from '%s')"),
		    t->pool->name, t->due->policy->name, place);
	}
}

void turns_show_tell(
    const struct policy *policy, const struct ledger *l, int64_t now_ns, struct turns_tell *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < policy->n_pools; i++) {
		struct turns t;

		if (!policy->pools[i].n_remind)
			continue;
		if (turns_look(policy, &policy->pools[i], l, NULL, now_ns, &t, NULL))
			return; /* no memory: 'bkp status' says it */
		tell_pool(&t, ret);
		turns_free(&t);
	}
}
