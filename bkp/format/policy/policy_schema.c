/* policy_schema: see policy_schema.h.
 *
 * A key is one row: its name, its type, the member it goes into, its range.  Words of an enum stand in the order of that
 * enum.  Defaults of the policy are in policy_schema_defaults(), of a data set in dataset_init(); what a data set takes over
 * from the policy is filled in last, in policy_schema_read(). */
#include "format/policy/policy_schema.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/config/config_field.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_table.h"
#include "format/medium/codec.h"
#include "format/parity/parity.h"
#include "format/policy/policy.h"
#include "format/policy/policy_rules.h"

#define DAY_S (24 * 3600)
#define MIB   (UINT64_C(1) << 20)

/* ---- the tables ---- */

static const char *const role_words[] = {"manager", "operator", "witness", "keyholder", "restorer", "auditor",
    "vendor", NULL}; /* bit by bit as enum policy_role */
static const char *const approver_words[] = {"anyone", "manager", "operator", "witness", "keyholder",
    "restorer", "auditor", "vendor", NULL}; /* 1 + the number of the bit */
static const char *const type_words[] = {"hdd", "ssd", "rdx", "tape", "optical", "object", NULL};
static const char *const content_words[] = {
    "any", "pgdump", "pgdumpall", "mysqldump", "gzip", "zip", "tar", NULL}; /* as enum policy_content */
static const char *const stderr_words[] = {"warn", "ignore", NULL};	    /* as enum policy_stderr */
static const char *const format_words[] = {"stream", "tar", NULL};	    /* as enum policy_format */
static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const char *const sensitivity_words[] = {
    "low", "normal", "high", NULL}; /* as enum policy_sensitivity */
static const char *const good_news_words[] = {"never", "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const char *const turn_words[] = {"any", "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const char *const holds_words[] = {"all", "newest", "oldest", NULL}; /* as enum policy_holds */
static const char *const notify_words[] = {"attention", "always", NULL};    /* as enum policy_notify */
static const char *const compression_words[] = {"lz4", "zstd", NULL};	    /* as enum codec_kind */
#define NOT_SAID UINT_MAX

/* one key a line: */
/* clang-format off */
#define AT(type, member) offsetof(struct type, member)
#define SHAPE(label, fields, bytes, mark_at, initial) {label, fields, sizeof(fields) / sizeof(*(fields)), bytes, mark_at, initial}

static const struct config_field site_fields[] = {
	{.key = "name", .type = CONFIG_T_TEXT, .offset = AT(policy, site_name), .required = true},
	{.key = "language", .type = CONFIG_T_LANG, .offset = AT(policy, lang)},
};
static const struct config_shape site_shape = SHAPE(TEXT_LATER("the site"), site_fields, 0, 0, NULL);

static const struct config_field person_fields[] = {
	{.key = "name", .type = CONFIG_T_TEXT, .offset = AT(policy_person, name), .required = true},
	{.key = "roles", .type = CONFIG_T_ROLES, .offset = AT(policy_person, roles), .words = role_words, .required = true},
	{.key = "public_key", .type = CONFIG_T_TEXT, .offset = AT(policy_person, key), .max = 64},
};
static const struct config_shape person_shape = SHAPE(TEXT_LATER("a person"), person_fields,
	sizeof(struct policy_person), AT(policy_person, mark), NULL);

static const struct config_field expect_fields[] = {
	{.key = "min_bytes", .type = CONFIG_T_SIZE, .offset = AT(policy_dataset, min_bytes), .min = 1, .max = INT64_MAX,
		.range = TEXT_LATER("from 1 B to 8191 PiB")},
	{.key = "shrink_alarm", .type = CONFIG_T_PERCENT, .offset = AT(policy_dataset, shrink_alarm_pct), .min = 1, .max = 99},
	{.key = "min_entries", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, min_entries), .min = 1, .max = 1000000000},
	{.key = "max_age", .type = CONFIG_T_DURATION, .offset = AT(policy_dataset, max_age_s)},
	{.key = "content", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, content), .words = content_words},
};
static const struct config_shape expect_shape = SHAPE(TEXT_LATER("what to expect"), expect_fields, 0, 0, NULL);

static const struct config_field keep_fields[] = {
	{.key = "daily", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, keep.daily), .min = 0, .max = 9999},
	{.key = "weekly", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, keep.weekly), .min = 0, .max = 9999},
	{.key = "monthly", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, keep.monthly), .min = 0, .max = 9999},
	{.key = "yearly", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, keep.yearly), .min = 0, .max = 9999},
};
static const struct config_shape keep_shape = SHAPE(TEXT_LATER("what to keep"), keep_fields, 0, 0, NULL);

static const struct config_field guard_fields[] = {
	{.key = "enabled", .type = CONFIG_T_BOOL, .offset = AT(policy_dataset, guard)},
	{.key = "sensitivity", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, guard_sensitivity), .words = sensitivity_words},
};
static const struct config_shape guard_shape = SHAPE(TEXT_LATER("the guard"), guard_fields, 0, 0, NULL);

static void dataset_init(void *at)
{
	struct policy_dataset *d = at;

	d->one_file_system = true;
	d->every = (struct config_every){CONFIG_DAY, 1, DAY_S};
	d->generations = 3;
	d->compression = NOT_SAID;
	d->at = -1;
	d->monthday = 1;
	d->guard = true;
	d->guard_sensitivity = POLICY_GUARD_NORMAL;
}

static const struct config_field dataset_fields[] = {
	{.key = "name", .type = CONFIG_T_DATASET_NAME, .offset = AT(policy_dataset, name), .required = true},
	{.key = "title", .type = CONFIG_T_TEXT, .offset = AT(policy_dataset, title)},
	{.key = "paths", .type = CONFIG_T_TEXTS, .item = CONFIG_T_PATH, .offset = AT(policy_dataset, paths),
		.count = AT(policy_dataset, n_paths), .min = 1},
	{.key = "exclude", .type = CONFIG_T_TEXTS, .item = CONFIG_T_PATTERN, .offset = AT(policy_dataset, exclude),
		.count = AT(policy_dataset, n_exclude)},
	{.key = "cross_mounts", .type = CONFIG_T_BOOL_NOT, .offset = AT(policy_dataset, one_file_system)},
	{.key = "command", .type = CONFIG_T_COMMAND, .offset = AT(policy_dataset, command)},
	{.key = "store_as", .type = CONFIG_T_FILE_NAME, .offset = AT(policy_dataset, store_as)},
	{.key = "format", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, format), .words = format_words},
	{.key = "before", .type = CONFIG_T_COMMAND, .offset = AT(policy_dataset, before)},
	{.key = "after", .type = CONFIG_T_COMMAND, .offset = AT(policy_dataset, after)},
	{.key = "time_limit", .type = CONFIG_T_DURATION, .offset = AT(policy_dataset, time_limit_s)},
	{.key = "probe", .type = CONFIG_T_COMMAND, .offset = AT(policy_dataset, probe)},
	{.key = "version", .type = CONFIG_T_COMMAND, .offset = AT(policy_dataset, version)},
	{.key = "stderr", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, stderr_words), .words = stderr_words},
	{.key = "expect", .type = CONFIG_T_TABLE, .shape = &expect_shape},
	{.key = "every", .type = CONFIG_T_EVERY, .offset = AT(policy_dataset, every)},
	{.key = "at", .type = CONFIG_T_TIME, .offset = AT(policy_dataset, at)},
	{.key = "weekday", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, weekday), .words = weekday_words},
	{.key = "monthday", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, monthday), .min = 1, .max = 28},
	{.key = "keep", .type = CONFIG_T_TABLE, .shape = &keep_shape},
	{.key = "protect", .type = CONFIG_T_DURATION, .offset = AT(policy_dataset, protect_s)},
	{.key = "guard", .type = CONFIG_T_TABLE, .shape = &guard_shape},
	{.key = "canaries", .type = CONFIG_T_TEXTS, .item = CONFIG_T_PATH, .offset = AT(policy_dataset, canaries),
		.count = AT(policy_dataset, n_canaries)},
	{.key = "generations", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, generations), .min = 1, .max = 9999},
	{.key = "rpo", .type = CONFIG_T_DURATION, .offset = AT(policy_dataset, rpo_s)},
	{.key = "rto", .type = CONFIG_T_DURATION, .offset = AT(policy_dataset, rto_s)},
	{.key = "offline_rpo", .type = CONFIG_T_DURATION, .offset = AT(policy_dataset, offline_rpo_s)},
	{.key = "priority", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, priority), .min = 1, .max = 99},
	{.key = "together", .type = CONFIG_T_TEXTS, .item = CONFIG_T_DATASET_NAME, .offset = AT(policy_dataset, together),
		.count = AT(policy_dataset, n_together), .min = 1},
	{.key = "compression", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, compression), .words = compression_words},
	{.key = "archive_size", .type = CONFIG_T_SIZE, .offset = AT(policy_dataset, archive_size), .min = MIB, .max = 1024 * MIB,
		.range = TEXT_LATER("from 1 MiB to 1 GiB")},
	{.key = "importance", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, importance), .words = policy_importance_words},
	{.key = "owner", .type = CONFIG_T_TEXT, .offset = AT(policy_dataset, owner)},
	{.key = "responsibility", .type = CONFIG_T_ENUM, .offset = AT(policy_dataset, responsibility), .words = policy_responsibility_words,
		.also = policy_responsibility_also},
	{.key = "retention_years", .type = CONFIG_T_NUMBER, .offset = AT(policy_dataset, retention_years), .min = 1, .max = 100},
	{.key = "source_host", .type = CONFIG_T_TEXT, .offset = AT(policy_dataset, source_host)},
};
static const struct config_shape dataset_shape = SHAPE(TEXT_LATER("a data set"), dataset_fields,
	sizeof(struct policy_dataset), AT(policy_dataset, mark), dataset_init);

static const struct config_field medium_fields[] = {
	{.key = "name", .type = CONFIG_T_MEDIUM_NAME, .offset = AT(policy_medium, name), .required = true},
	{.key = "type", .type = CONFIG_T_WORD, .offset = AT(policy_medium, type), .words = type_words, .required = true},
	{.key = "path", .type = CONFIG_T_PATH, .offset = AT(policy_medium, path)},
	{.key = "place", .type = CONFIG_T_TEXT, .offset = AT(policy_medium, place)},
	{.key = "datasets", .type = CONFIG_T_TEXTS, .item = CONFIG_T_DATASET_NAME, .offset = AT(policy_medium, datasets),
		.count = AT(policy_medium, n_datasets), .min = 1},
	{.key = "offline", .type = CONFIG_T_BOOL, .offset = AT(policy_medium, offline)},
	{.key = "max_attached", .type = CONFIG_T_DURATION, .offset = AT(policy_medium, max_attached_s)},
	{.key = "swap_every", .type = CONFIG_T_DURATION, .offset = AT(policy_medium, swap_every_s)},
};
static const struct config_shape medium_shape = SHAPE(TEXT_LATER("a medium"), medium_fields,
	sizeof(struct policy_medium), AT(policy_medium, mark), NULL);

static const struct config_field place_fields[] = {
	{.key = "name", .type = CONFIG_T_TEXT, .offset = AT(policy_place, name), .required = true},
	{.key = "address", .type = CONFIG_T_TEXT, .offset = AT(policy_place, address)},
	{.key = "originals", .type = CONFIG_T_BOOL, .offset = AT(policy_place, originals)},
	{.key = "separate_from", .type = CONFIG_T_TEXTS, .item = CONFIG_T_TEXT, .offset = AT(policy_place, separate_from),
		.count = AT(policy_place, n_separate_from)},
};
static const struct config_shape place_shape = SHAPE(TEXT_LATER("a place"), place_fields,
	sizeof(struct policy_place), AT(policy_place, mark), NULL);

static const struct config_field reminder_fields[] = {
	{.key = "tell", .type = CONFIG_T_TEXT, .offset = AT(policy_reminder, tell), .required = true},
	{.key = "after", .type = CONFIG_T_DURATION, .offset = AT(policy_reminder, after_s)},
};
static const struct config_shape reminder_shape = SHAPE(TEXT_LATER("a reminder"), reminder_fields,
	sizeof(struct policy_reminder), AT(policy_reminder, mark), NULL);

static void pool_init(void *at)
{
	struct policy_pool *pool = at;

	pool->away_at_least = NOT_SAID;
}

static const struct config_field pool_fields[] = {
	{.key = "name", .type = CONFIG_T_MEDIUM_NAME, .offset = AT(policy_pool, name), .required = true},
	{.key = "media", .type = CONFIG_T_TEXTS, .item = CONFIG_T_MEDIUM_NAME, .offset = AT(policy_pool, media),
		.count = AT(policy_pool, n_media), .required = true, .min = 1},
	{.key = "swap_every", .type = CONFIG_T_DURATION, .offset = AT(policy_pool, swap_every_s), .required = true},
	{.key = "weekday", .type = CONFIG_T_ENUM, .offset = AT(policy_pool, weekday), .words = turn_words},
	{.key = "away_at_least", .type = CONFIG_T_NUMBER, .offset = AT(policy_pool, away_at_least), .min = 0, .max = 99},
	{.key = "holds", .type = CONFIG_T_ENUM, .offset = AT(policy_pool, holds), .words = holds_words},
	{.key = "remind", .type = CONFIG_T_TABLES, .shape = &reminder_shape, .offset = AT(policy_pool, remind),
		.count = AT(policy_pool, n_remind), .min = 1},
};
static const struct config_shape pool_shape = SHAPE(TEXT_LATER("a pool"), pool_fields,
	sizeof(struct policy_pool), AT(policy_pool, mark), pool_init);

static const struct config_field retention_fields[] = {
	{.key = "protect", .type = CONFIG_T_DURATION, .offset = AT(policy, protect_s)},
	{.key = "live_share", .type = CONFIG_T_PERCENT, .offset = AT(policy, live_share), .min = 0, .max = 90},
	{.key = "anchor_every", .type = CONFIG_T_NUMBER, .offset = AT(policy, anchor_every), .min = 0, .max = 9999},
	{.key = "expire_by", .type = CONFIG_T_ENUM, .offset = AT(policy, expire_by), .words = approver_words},
};
static const struct config_shape retention_shape = SHAPE(TEXT_LATER("the retention"), retention_fields, 0, 0, NULL);

static const struct config_field schedule_fields[] = {
	{.key = "at", .type = CONFIG_T_TIME, .offset = AT(policy, schedule_at), .required = true},
};
static const struct config_shape schedule_shape = SHAPE(TEXT_LATER("the schedule"), schedule_fields, 0, 0, NULL);

static const struct config_field notify_fields[] = {
	{.key = "command", .type = CONFIG_T_COMMAND, .offset = AT(policy, notify_command), .required = true},
	{.key = "when", .type = CONFIG_T_ENUM, .offset = AT(policy, notify_when), .words = notify_words},
	{.key = "time_limit", .type = CONFIG_T_DURATION, .offset = AT(policy, notify_limit_s)},
	{.key = "good_news", .type = CONFIG_T_ENUM, .offset = AT(policy, good_news), .words = good_news_words},
};
static const struct config_shape notify_shape = SHAPE(TEXT_LATER("the notification"), notify_fields, 0, 0, NULL);

static const struct config_field policy_fields[] = {
	{.key = "site", .type = CONFIG_T_TABLE, .shape = &site_shape, .required = true},
	{.key = "state", .type = CONFIG_T_PATH, .offset = AT(policy, state)},
	{.key = "locale", .type = CONFIG_T_TEXT, .offset = AT(policy, locale)},
	{.key = "archive_size", .type = CONFIG_T_SIZE, .offset = AT(policy, archive_size), .min = MIB, .max = 1024 * MIB,
		.range = TEXT_LATER("from 1 MiB to 1 GiB")},
	{.key = "compression", .type = CONFIG_T_ENUM, .offset = AT(policy, compression), .words = compression_words},
	{.key = "people", .type = CONFIG_T_TABLES, .shape = &person_shape, .offset = AT(policy, people),
		.count = AT(policy, n_people)},
	{.key = "datasets", .type = CONFIG_T_TABLES, .shape = &dataset_shape, .offset = AT(policy, datasets),
		.count = AT(policy, n_datasets), .required = true, .min = 1},
	{.key = "media", .type = CONFIG_T_TABLES, .shape = &medium_shape, .offset = AT(policy, media),
		.count = AT(policy, n_media), .required = true, .min = 1},
	{.key = "places", .type = CONFIG_T_TABLES, .shape = &place_shape, .offset = AT(policy, places),
		.count = AT(policy, n_places)},
	{.key = "pools", .type = CONFIG_T_TABLES, .shape = &pool_shape, .offset = AT(policy, pools),
		.count = AT(policy, n_pools), .min = 1},
	{.key = "holidays", .type = CONFIG_T_PATH, .offset = AT(policy, holidays_path)},
	{.key = "status_page", .type = CONFIG_T_PATH, .offset = AT(policy, status_page)},
	{.key = "stop_while_suspect", .type = CONFIG_T_BOOL, .offset = AT(policy, stop_while_suspect)},
	{.key = "drill_every", .type = CONFIG_T_DURATION, .offset = AT(policy, drill_every_s)},
	{.key = "key_drill_every", .type = CONFIG_T_DURATION, .offset = AT(policy, key_drill_every_s)},
	{.key = "parity", .type = CONFIG_T_PERCENT, .offset = AT(policy, parity), .min = 0, .max = PARITY_SHARE_MAX},
	{.key = "verify_every", .type = CONFIG_T_DURATION, .offset = AT(policy, verify_every_s)},
	{.key = "retention", .type = CONFIG_T_TABLE, .shape = &retention_shape},
	{.key = "procedures", .type = CONFIG_T_TEXTS, .item = CONFIG_T_PATH, .offset = AT(policy, procedures),
		.count = AT(policy, n_procedures)},
	{.key = "schedule", .type = CONFIG_T_TABLE, .shape = &schedule_shape},
	{.key = "notify", .type = CONFIG_T_TABLE, .shape = &notify_shape},
	{.key = "excluded", .type = CONFIG_T_TABLES, .shape = &policy_schema_excluded, .offset = AT(policy, excluded),
		.count = AT(policy, n_excluded)},
	{.key = "external", .type = CONFIG_T_TABLES, .shape = &policy_schema_external, .offset = AT(policy, external),
		.count = AT(policy, n_external)},
	{.key = "contacts", .type = CONFIG_T_TABLES, .shape = &policy_schema_contact, .offset = AT(policy, contacts),
		.count = AT(policy, n_contacts)},
	{.key = "assets", .type = CONFIG_T_TABLES, .shape = &policy_schema_asset, .offset = AT(policy, assets),
		.count = AT(policy, n_assets)},
	{.key = "checklist", .type = CONFIG_T_TABLE, .shape = &policy_schema_checklist},
};
static const struct config_shape config_shape = SHAPE(TEXT_LATER("the policy"), policy_fields,
	sizeof(struct policy), 0, NULL);
/* clang-format on */

static const struct config_shape *const all_shapes[] = {&config_shape, &site_shape, &person_shape,
    &dataset_shape, &expect_shape, &keep_shape, &guard_shape, &medium_shape, &place_shape, &reminder_shape,
    &pool_shape, &retention_shape, &schedule_shape, &notify_shape, &policy_schema_excluded,
    &policy_schema_external, &policy_schema_contact, &policy_schema_asset, &policy_schema_checklist,
    &policy_schema_self};

const struct config_shape *policy_schema_shape(void)
{
	return &config_shape;
}

int policy_schema_defaults(struct policy *policy, struct err *err)
{
	memset(policy, 0, sizeof(*policy));
	policy->lang = TEXT_JA;
	policy->protect_s = 14 * DAY_S;
	policy->live_share = 50;
	policy->anchor_every = 365;
	policy->key_drill_every_s = 396 * DAY_S; /* 13 months: a drill once a year */
	policy->parity = 5;
	policy->verify_every_s = 90 * DAY_S;
	policy->schedule_at = -1;
	policy->notify_limit_s = 300;
	policy->archive_size = 128 * MIB;
	policy->compression = CODEC_ZSTD;
	policy->state = strdup("/var/lib/bkp");
	return policy->state ? 0 : err_nomem(err);
}

int policy_schema_read(
    const struct config_node *root, struct policy *policy, struct config_problems *problems, struct err *err)
{
	const struct config_shapes all = {all_shapes, sizeof(all_shapes) / sizeof(*all_shapes)};
	struct config_problem *item;
	struct config_mark top = {1, 1};

	if (!root || config_node_is_empty(root)) {
		item = config_problem_error(problems, top, "E-POLICY-01", text("the file holds no policy"));
		config_problem_hint(item, text("begin with one of the ready-made policies"));
		return 0;
	}
	if (root->refused)
		return 0;
	if (root->kind != CONFIG_TABLE) {
		config_field_wrong_kind(text("policy"), root, text("a table of keys"), problems);
		return 0;
	}
	if (config_node_has(root, "state")) { /* read_path() writes over it */
		free(policy->state);
		policy->state = NULL;
	}
	if (config_table_read(&all, &config_shape, root, policy, problems, err))
		return -1;
	if (!policy->locale && !(policy->locale = strdup("C.UTF-8")))
		return err_nomem(err);
	for (size_t i = 0; i < policy->n_datasets; i++) {
		struct policy_dataset *d = &policy->datasets[i];

		if (d->compression == NOT_SAID)
			d->compression = policy->compression;
		if (!d->archive_size)
			d->archive_size = policy->archive_size;
		if (!d->protect_s)
			d->protect_s = policy->protect_s;
	}
	policy_pools(policy);
	for (size_t i = 0; i < policy->n_pools; i++)
		if (policy->pools[i].away_at_least == NOT_SAID)
			policy->pools[i].away_at_least = policy_pool_separate(policy, &policy->pools[i]) > 1;
	return 0;
}
