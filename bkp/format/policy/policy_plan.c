/* policy_plan: see policy_plan.h.
 *
 * One render_*() for each heading of the text that `bkp check` prints, in the order of policy_plan_render(); each builds a
 * table and appends it.  What a site wrote is shown through path_show(). */
#include "format/policy/policy_plan.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/day.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/policy.h"

#define SHOWN  512
#define DETAIL 4200 /* a whole path; a long command is cut */

/* ---- words ---- */

static const char *technology_of(const char *type)
{
	static const char *const names[][2] = {{"hdd", TEXT_LATER("magnetic disk")},
	    {"rdx", TEXT_LATER("magnetic disk")}, {"ssd", TEXT_LATER("SSD")}, {"tape", TEXT_LATER("tape")},
	    {"optical", TEXT_LATER("optical disc")}, {"object", TEXT_LATER("object store")}};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i][0], type))
			return names[i][1];
	return type;
}

const char *policy_plan_technology(const char *type)
{
	return text(technology_of(type));
}

char *policy_plan_duration(int64_t s, char out[POLICY_PLAN_TEXT])
{
	if (!s)
		snprintf(out, POLICY_PLAN_TEXT, "-");
	else if (s % 86400 == 0 && s > 86400)
		snprintf(out, POLICY_PLAN_TEXT, text("%lld days"), (long long)s / 86400);
	else if (s % 3600 == 0)
		snprintf(out, POLICY_PLAN_TEXT, text("%lld h"), (long long)s / 3600);
	else
		snprintf(out, POLICY_PLAN_TEXT, text("%lld min"), (long long)s / 60);
	return out;
}

char *policy_plan_every(const struct config_every *every, char out[POLICY_PLAN_TEXT])
{
	static const char *const one[] = {TEXT_LATER("every hour"), TEXT_LATER("every day"),
	    TEXT_LATER("every week"), TEXT_LATER("every month")};

	if (every->n == 1)
		snprintf(out, POLICY_PLAN_TEXT, "%s", text(one[every->unit]));
	else if (every->unit == CONFIG_HOUR)
		snprintf(out, POLICY_PLAN_TEXT, text("every %u hours"), every->n);
	else
		snprintf(out, POLICY_PLAN_TEXT, text("every %u days"), every->n);
	return out;
}

char *policy_plan_schedule(
    const struct policy *policy, const struct policy_dataset *d, char out[POLICY_PLAN_TEXT])
{
	static const char *const days[] = {TEXT_LATER("Sunday"), TEXT_LATER("Monday"), TEXT_LATER("Tuesday"),
	    TEXT_LATER("Wednesday"), TEXT_LATER("Thursday"), TEXT_LATER("Friday"), TEXT_LATER("Saturday")};
	int at = d->at >= 0 ? d->at : policy->schedule_at >= 0 ? policy->schedule_at : 0;
	char every[POLICY_PLAN_TEXT];

	policy_plan_every(&d->every, every);
	if (d->every.unit == CONFIG_HOUR && d->every.n == 1)
		snprintf(out, POLICY_PLAN_TEXT, text("%s at minute %02d"), every, at % 60);
	else if (d->every.unit == CONFIG_WEEK)
		snprintf(out, POLICY_PLAN_TEXT, text("%s, %s at %02d:%02d"), every, text(days[d->weekday]),
		    at / 60, at % 60);
	else if (d->every.unit == CONFIG_MONTH)
		snprintf(out, POLICY_PLAN_TEXT, text("%s, day %u at %02d:%02d"), every, d->monthday, at / 60,
		    at % 60);
	else if (d->every.unit == CONFIG_HOUR)
		snprintf(out, POLICY_PLAN_TEXT, text("%s from %02d:%02d"), every, at / 60, at % 60);
	else
		snprintf(out, POLICY_PLAN_TEXT, text("%s at %02d:%02d"), every, at / 60, at % 60);
	return out;
}

/* "128 MiB" when it is a whole number of such a unit, else bytes. */
static char *policy_plan_size(uint64_t bytes, char out[POLICY_PLAN_TEXT])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t i = 0;

	while (bytes && bytes % 1024 == 0 && i < 5) {
		bytes /= 1024;
		i++;
	}
	snprintf(out, POLICY_PLAN_TEXT, "%" PRIu64 " %s", bytes, units[i]);
	return out;
}

/* ---- 3-2-1 ---- */

static bool stands_online(const struct policy *p, const char *place)
{
	size_t i;

	for (i = 0; i < p->n_media; i++)
		if (!p->media[i].offline && p->media[i].place && !strcmp(p->media[i].place, place))
			return true;
	return false;
}

/* Of the media that hold the data set. */
static struct policy_plan_count count_for(const struct policy *policy, const char *dataset)
{
	struct policy_plan_count c = {.copies = 1};

	for (size_t i = 0; i < policy->n_media; i++) {
		const struct policy_medium *m = &policy->media[i];
		size_t k = 0;

		if (!policy_medium_holds(m, dataset))
			continue;
		c.copies++;
		while (
		    k < i && (!policy_medium_holds(&policy->media[k], dataset) ||
				 strcmp(technology_of(policy->media[k].type), technology_of(m->type)) != 0))
			k++;
		c.technologies += k == i;
		c.offline += m->offline;
		c.elsewhere += m->offline && m->place &&
			       (policy->n_places ? policy_place_is_separate(policy, m->place)
						 : !stands_online(policy, m->place));
	}
	return c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void policy_plan_count(const struct policy *policy, struct policy_plan_count *ret)
{
	struct policy_plan_count all = count_for(policy, policy->datasets[0].name);

	for (size_t i = 1; i < policy->n_datasets; i++) {
		const struct policy_plan_count c = count_for(policy, policy->datasets[i].name);

		all.copies = least(all.copies, c.copies);
		all.technologies = least(all.technologies, c.technologies);
		all.offline = least(all.offline, c.offline);
		all.elsewhere = least(all.elsewhere, c.elsewhere);
	}
	*ret = all;
}

static int render_321(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	struct policy_plan_count c;
	struct table *t = table_new(4);
	int r;

	if (!t)
		return err_nomem(err);
	policy_plan_count(p, &c);
	table_cell(t, "3");
	table_cell(t, "%s", text("copies, the original among them"));
	table_cell(t, "%zu", c.copies);
	table_cell(t, "%s", c.copies >= 3 ? text("met") : text("NOT MET: declare one more medium"));
	table_cell(t, "2");
	table_cell(t, "%s", text("technologies of media"));
	table_cell(t, "%zu", c.technologies);
	table_cell(t, "%s",
	    c.technologies >= 2 ? text("met")
	    : p->n_media >= 2
		? text("CAUTION: all media are of one technology; one fault can hit all of them")
		: text("NOT MET: declare a medium of another technology"));
	table_cell(t, "1");
	table_cell(t, "%s", text("kept offline, at another place"));
	table_cell(t, "%zu", c.elsewhere);
	table_cell(t, "%s",
	    c.elsewhere ? text("met")
	    : c.offline ? text("CAUTION: offline, but no place is stated that is apart from the online media")
			: text("NOT MET: declare a medium with 'offline: true' and its place"));
	r = buf_puts(out, text("\n3-2-1 that the declared media allow\n"), err);
	if (!r)
		r = table_fit(t, 2, columns, out, err);
	table_free(t);
	return r;
}

/* ---- what ---- */

static void detail_row(struct table *t, const char *what, const char *value)
{
	char shown[DETAIL];

	table_cell(t, "%s", what);
	table_cell(t, "%s", path_show(value, shown, sizeof(shown)));
}

/* A command may have several lines: one row each, as its author wrote them. */
static void detail_lines(struct table *t, const char *what, const char *value)
{
	char line[DETAIL], shown[DETAIL];

	while (*value) {
		size_t n = strcspn(value, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1), value);
		table_cell(t, "%s", what);
		/* not what path_show() gives for an empty line */
		table_cell(t, "%s", n ? path_show(line, shown, sizeof(shown)) : "");
		what = "";
		value += n + (value[n] == '\n');
	}
}

/* The words of the policy: that is what its reader looks for. */
static const char *content_word(unsigned content)
{
	static const char *const words[] = {[POLICY_CONTENT_PGDUMP] = "pgdump",
	    [POLICY_CONTENT_PGDUMPALL] = "pgdumpall",
	    [POLICY_CONTENT_MYSQLDUMP] = "mysqldump",
	    [POLICY_CONTENT_GZIP] = "gzip",
	    [POLICY_CONTENT_ZIP] = "zip",
	    [POLICY_CONTENT_TAR] = "tar"};

	return content < sizeof(words) / sizeof(words[0]) && words[content] ? words[content] : "?";
}

static void expectation_rows(struct table *t, const struct policy_dataset *d)
{
	char size[POLICY_PLAN_TEXT];

	if (d->content != POLICY_CONTENT_ANY) {
		table_cell(t, "%s", text("alarm"));
		table_cell(t, text("not whole as %s"), content_word(d->content));
	}
	if (d->min_entries) {
		table_cell(t, "%s", text("alarm"));
		table_cell(t, text("fewer than %u entries"), d->min_entries);
	}
	if (d->max_age_s) {
		table_cell(t, "%s", text("alarm"));
		table_cell(
		    t, text("the newest file is older than %s"), policy_plan_duration(d->max_age_s, size));
	}

	if (d->min_bytes) {
		table_cell(t, "%s", text("alarm"));
		table_cell(t, text("smaller than %s"), policy_plan_size(d->min_bytes, size));
	}
	if (d->shrink_alarm_pct) {
		table_cell(t, "%s", text("alarm"));
		table_cell(t, text("%u %% smaller than last time"), d->shrink_alarm_pct);
	}
}

/* What differs from what is usual. */
static void kept_rows(struct table *t, const struct policy *p, const struct policy_dataset *d)
{
	const struct policy_keep *k = &d->keep;
	char span[POLICY_PLAN_TEXT];

	if (k->daily || k->weekly || k->monthly || k->yearly) {
		table_cell(t, "%s", text("also kept"));
		table_cell(t, text("the newest of each of %u days, %u weeks, %u months, %u years"), k->daily,
		    k->weekly, k->monthly, k->yearly);
	}
	if (d->protect_s != p->protect_s) {
		table_cell(t, "%s", text("protected"));
		table_cell(t, "%s", policy_plan_duration(d->protect_s, span));
	}
	if (!d->guard)
		detail_row(t, text("guard"), text("off: nothing is judged"));
	else if (d->guard_sensitivity != POLICY_GUARD_NORMAL)
		detail_row(t, text("guard"), d->guard_sensitivity == POLICY_GUARD_LOW ? "low" : "high");
	for (size_t i = 0; i < d->n_canaries; i++)
		detail_row(t, text("canary"), d->canaries[i]);
}

/* What stands in papers alone. */
static void paper_rows(struct table *t, const struct policy_dataset *d)
{
	char span[POLICY_PLAN_TEXT];

	if (d->offline_rpo_s)
		detail_row(t, text("offline RPO"), policy_plan_duration(d->offline_rpo_s, span));
	if (d->importance)
		detail_row(t, text("importance"), policy_importance_words[d->importance]);
	if (d->owner)
		detail_row(t, text("owned by"), d->owner);
	if (d->responsibility)
		detail_row(t, text("responsible"), policy_responsibility_text(d->responsibility));
	if (d->source_host)
		detail_row(t, text("original on"), d->source_host);
	if (d->retention_years) {
		table_cell(t, "%s", text("to be retained"));
		table_cell(t, text("%u years"), d->retention_years);
	}
}

static int render_dataset(const struct policy *p, const struct policy_dataset *d, unsigned columns,
    struct buf *out, struct err *err)
{
	struct table *t = table_new(2);
	size_t i;
	int r;

	if (!t)
		return err_nomem(err);
	for (i = 0; i < d->n_paths; i++)
		detail_row(t, text("path"), d->paths[i]);
	for (i = 0; i < d->n_exclude; i++)
		detail_row(t, text("without"), d->exclude[i]);
	if (d->n_paths)
		detail_row(t, text("mounts"), d->one_file_system ? text("not crossed") : text("crossed"));
	if (d->command) {
		detail_lines(t, text("output of"), d->command);
		detail_row(t, text("stored as"),
		    d->store_as ? d->store_as : text("the entries of its tar stream, one by one"));
	}
	if (d->before)
		detail_lines(t, text("before"), d->before);
	if (d->after)
		detail_lines(t, text("after"), d->after);
	if (d->probe)
		detail_lines(t, text("probe"), d->probe);
	if (d->version)
		detail_lines(t, text("version"), d->version);
	expectation_rows(t, d);
	kept_rows(t, p, d);
	paper_rows(t, d);
	r = buf_printf(out, err, "    %s\n", d->name);
	if (!r)
		r = table_fit(t, 6, columns, out, err);
	table_free(t);
	return r;
}

static void promise_row(struct table *t, const struct policy *p, const struct policy_dataset *d)
{
	char every[POLICY_PLAN_TEXT], rpo[POLICY_PLAN_TEXT], rto[POLICY_PLAN_TEXT], shown[SHOWN];

	table_cell(t, "%s", d->name);
	table_cell(t, "%s", d->title ? path_show(d->title, shown, sizeof(shown)) : "-");
	table_cell(t, "%s", policy_plan_schedule(p, d, every));
	table_cell(t, "%u", d->generations);
	table_cell(t, "%s", policy_plan_duration(d->rpo_s, rpo));
	table_cell(t, "%s", policy_plan_duration(d->rto_s, rto));
	if (d->priority)
		table_cell(t, "%u", d->priority);
	else
		table_cell(t, "-");
}

static int render_what(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("TITLE"),
	    TEXT_LATER("CAPTURED"), TEXT_LATER("GENERATIONS"), "RPO", "RTO", TEXT_LATER("PRIORITY")};
	struct table *t = table_headed(heads, 7);
	size_t i;
	int r;

	if (!t)
		return err_nomem(err);
	for (i = 0; i < p->n_datasets; i++)
		promise_row(t, p, &p->datasets[i]);
	r = buf_puts(out, text("\nWhat is captured\n"), err);
	if (!r)
		r = table_fit(t, 2, columns, out, err);
	table_free(t);
	for (i = 0; i < p->n_datasets && !r; i++)
		r = render_dataset(p, &p->datasets[i], columns, out, err);
	return r;
}

/* ---- where, when, who ---- */

/* "all", or those that it holds */
static void held_cell(struct table *t, const struct policy_medium *m)
{
	BUF_AUTO b = BUF_INIT((size_t)1 << 20);
	int r = 0;

	for (size_t i = 0; i < m->n_datasets && !r; i++)
		r = buf_printf(&b, NULL, "%s%s", i ? text(", ") : "", m->datasets[i]);
	table_cell(t, "%s", r || buf_terminate(&b, NULL) ? "?" : m->n_datasets ? (char *)b.p : text("all"));
}

static void medium_row(struct table *t, const struct policy_medium *m)
{
	char a[POLICY_PLAN_TEXT], b[POLICY_PLAN_TEXT], shown[SHOWN];

	table_cell(t, "%s", m->name);
	table_cell(t, "%s (%s)", policy_plan_technology(m->type), m->type);
	table_cell(t, "%s", m->offline ? text("offline") : text("online"));
	table_cell(t, "%s", m->place ? path_show(m->place, shown, sizeof(shown)) : "-");
	table_cell(t, "%s", policy_plan_duration(m->max_attached_s, a));
	table_cell(t, "%s", policy_plan_duration(m->pool ? m->pool->swap_every_s : m->swap_every_s, b));
	table_cell(t, "%s", m->path ? path_show(m->path, shown, sizeof(shown)) : "-");
	held_cell(t, m);
}

static int render_where(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("MEDIUM"), TEXT_LATER("TECHNOLOGY"),
	    TEXT_LATER("CONNECTION"), TEXT_LATER("PLACE"), TEXT_LATER("ATTACHED AT MOST"),
	    TEXT_LATER("SWAPPED EVERY"), TEXT_LATER("PATH"), TEXT_LATER("DATA SETS")};
	struct table *t = table_headed(heads, 8);
	size_t i;
	int r;

	if (!t)
		return err_nomem(err);
	for (i = 0; i < p->n_media; i++)
		medium_row(t, &p->media[i]);
	r = buf_puts(out, text("\nWhere it goes\n"), err);
	if (!r)
		r = table_fit(t, 2, columns, out, err);
	table_free(t);
	return r;
}

char *policy_plan_rhythm(const struct policy_pool *pool, char out[POLICY_PLAN_TEXT])
{
	char every[POLICY_PLAN_TEXT];

	policy_plan_duration(pool->swap_every_s, every);
	if (pool->weekday)
		snprintf(
		    out, POLICY_PLAN_TEXT, text("every %s, on %s"), every, day_weekday(pool->weekday - 1));
	else
		snprintf(out, POLICY_PLAN_TEXT, text("every %s"), every);
	return out;
}

const char *policy_plan_holds(const struct policy_pool *pool)
{
	static const char *const words[] = {TEXT_LATER("all generations"),
	    TEXT_LATER("the newest generations"), TEXT_LATER("the oldest generations")};

	return text(words[pool->holds]);
}

char *policy_plan_remind(const struct policy_pool *pool, char *out, size_t size)
{
	char after[POLICY_PLAN_TEXT];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < pool->n_remind && n < size; i++) {
		const struct policy_reminder *r = &pool->remind[i];

		n += (size_t)(r->after_s
				  ? snprintf(out + n, size - n, text("%s%s is told after %s"),
					n ? text(", ") : "", r->tell, policy_plan_duration(r->after_s, after))
				  : snprintf(out + n, size - n, text("%s%s is told on the day"),
					n ? text(", ") : "", r->tell));
	}
	width_whole(out);
	return out;
}

static void pool_row(struct table *t, const struct policy_pool *pool)
{
	char line[SHOWN], shown[SHOWN];
	size_t n = 0;

	table_cell(t, "%s", pool->name);
	line[0] = '\0';
	for (size_t i = 0; i < pool->n_media && n < sizeof(line); i++)
		n +=
		    (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", n ? text(", ") : "", pool->media[i]);
	table_cell(t, "%s", line);
	table_cell(t, "%s", policy_plan_rhythm(pool, line));
	table_cell(t, "%s", policy_plan_holds(pool));
	table_cell(t, "%u", pool->away_at_least);
	table_cell(t, "%s", path_show(policy_plan_remind(pool, line, sizeof(line)), shown, sizeof(shown)));
}

static int render_turns(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("POOL"), TEXT_LATER("MEDIA"), TEXT_LATER("SWAPPED"),
	    TEXT_LATER("HOLDS"), TEXT_LATER("AWAY AT LEAST"), TEXT_LATER("REMINDERS")};
	struct table *t;
	int r;

	if (!p->n_pools)
		return 0;
	t = table_headed(heads, 6);
	if (!t)
		return err_nomem(err);
	for (size_t i = 0; i < p->n_pools; i++)
		pool_row(t, &p->pools[i]);
	r = buf_puts(out, text("\nWhich media take turns\n"), err);
	if (!r)
		r = table_fit(t, 2, columns, out, err);
	table_free(t);
	return r;
}

static int render_service(const struct policy *p, struct buf *out, struct err *err)
{
	if (p->live_share
		? buf_printf(out, err,
		      text(
			  "  an archive of which less than %u %% is still needed is not referred to again\n"),
		      p->live_share)
		: buf_printf(out, err, "  %s\n",
		      text("an archive is referred to again however little of it is still needed")))
		return -1;
	if (!p->anchor_every)
		return buf_printf(out, err, "  %s\n", text("an archive may serve for ever"));
	return buf_printf(
	    out, err, text("  no archive serves more than %u generations of a data set\n"), p->anchor_every);
}

/* What mends what goes bad, and when that is noticed. */
static int render_care(const struct policy *p, struct buf *out, struct err *err)
{
	char every[POLICY_PLAN_TEXT];

	if (p->parity
		? buf_printf(out, err, text("  each archive has %u %% of parity beside it\n"), p->parity)
		: buf_printf(
		      out, err, "  %s\n", text("no archive gets parity: what goes bad needs another medium")))
		return -1;
	return buf_printf(out, err, text("  all of a medium is read again within %s\n"),
	    policy_plan_duration(p->verify_every_s, every));
}

static int render_when(const struct policy *p, struct buf *out, struct err *err)
{
	char protect[POLICY_PLAN_TEXT], size[POLICY_PLAN_TEXT], shown[SHOWN];

	if (buf_puts(out, text("\nWhen\n"), err))
		return -1;
	if (buf_printf(out, err, "  %s\n",
		text("'bkp run' captures what is due; 'bkp schedule install' lets cron or systemd start it")))
		return -1;
	if (buf_printf(out, err, text("  generations are protected from deletion for %s\n"),
		policy_plan_duration(p->protect_s, protect)) ||
	    render_service(p, out, err) || render_care(p, out, err) ||
	    buf_printf(out, err, text("  archives of %s; state in %s\n"),
		policy_plan_size(p->archive_size, size), path_show(p->state, shown, sizeof(shown))))
		return -1;
	if (p->status_page &&
	    buf_printf(out, err, text("  page to look at, made anew when something was done: %s\n"),
		path_show(p->status_page, shown, sizeof(shown))))
		return -1;
	if (p->expire_by &&
	    buf_printf(out, err, "  %s\n",
		text("nothing expires without the signature of those marked as approvers below")))
		return -1;
	if (p->notify_command)
		return buf_printf(out, err,
		    p->notify_when == POLICY_NOTIFY_ALWAYS ? text("  tells people after every run with: %s\n")
							   : text("  calls a person with: %s\n"),
		    path_show(p->notify_command, shown, sizeof(shown)));
	return buf_printf(
	    out, err, "  %s\n", text("calls nobody: set 'notify' so that a failed night is noticed"));
}

const char *policy_plan_role(unsigned number)
{
	static const char *const names[POLICY_ROLES] = {TEXT_LATER("manager"), TEXT_LATER("operator"),
	    TEXT_LATER("witness"), TEXT_LATER("key holder"), TEXT_LATER("restorer"), TEXT_LATER("auditor"),
	    TEXT_LATER("vendor")};

	return text(names[number]);
}

char *policy_plan_people(const struct policy *policy, unsigned roles, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (size_t i = 0; i < policy->n_people; i++)
		if (policy->people[i].roles & roles && n < size)
			n += (size_t)snprintf(
			    out + n, size - n, "%s%s", n ? ", " : "", policy->people[i].name);
	width_whole(out);
	return out;
}

static void person_row(struct table *t, const struct policy *p, const struct policy_person *person)
{
	char roles[256] = "", shown[SHOWN];
	size_t used = 0;

	for (unsigned i = 0; i < POLICY_ROLES; i++)
		if ((person->roles & 1u << i) && used < sizeof(roles))
			used += (size_t)snprintf(roles + used, sizeof(roles) - used, "%s%s", used ? ", " : "",
			    policy_plan_role(i));
	table_cell(t, "%s", path_show(person->name, shown, sizeof(shown)));
	if (p->expire_by && person->key && (person->roles & 1u << (p->expire_by - 1)) && used < sizeof(roles))
		snprintf(roles + used, sizeof(roles) - used, "; %s", text("approves expiries"));
	table_cell(t, "%s", roles);
}

static int render_who(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	struct table *t = table_new(2);
	size_t i;
	int r;

	if (!t)
		return err_nomem(err);
	for (i = 0; i < p->n_people; i++)
		person_row(t, p, &p->people[i]);
	if (!p->n_people)
		table_cell(t, "%s", text("nobody is named: set 'people'"));
	r = buf_puts(out, text("\nWho\n"), err);
	if (!r)
		r = table_fit(t, 2, columns, out, err);
	table_free(t);
	return r;
}

int policy_plan_render(const struct policy *policy, unsigned columns, struct buf *out, struct err *err)
{
	char shown[SHOWN];

	if (buf_printf(
		out, err, text("Plan of '%s'\n"), path_show(policy->site_name, shown, sizeof(shown))) ||
	    render_what(policy, columns, out, err) || render_when(policy, out, err) ||
	    render_where(policy, columns, out, err) || render_turns(policy, columns, out, err) ||
	    render_321(policy, columns, out, err) || render_who(policy, columns, out, err) ||
	    policy_plan_evidence(policy, columns, out, err))
		return -1;
	return 0;
}
