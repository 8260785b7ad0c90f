/* clang-format off */
/* policy: the site's 運用方針, one YAML file, parsed and checked.
 *
 * Purpose: people, data sets, media, retention and schedule as the site declared them.  No key and no secret
 * ever stands in it: one that looks like it is refused (設定ファイルにパスワードが記載される等があってはならない).
 *
 * Calling order: read the file (at most POLICY_BYTES_MAX) → policy_parse() → use → policy_free().  Pure: no
 * files, no clock.  A struct policy is complete and consistent: every rule below holds, so callers need no
 * checks of their own.
 *
 * Problems: policy_parse() goes on after the first fault and collects up to CONFIG_PROBLEMS_MAX of them, each
 * with line, column (both from 1; columns count characters), code, what is wrong and what would be right.
 * Errors make it fail; warnings alone do not.  A message never repeats a secret.
 *
 * Language: a subset of YAML 1.1 in UTF-8: one document, no anchors, aliases or tags, no key twice, at most
 * CONFIG_DEPTH_MAX levels.  Keys (* required):
 * 	site*: {name*, language: ja|en}			default ja
 * 	state: PATH					default /var/lib/bkp
 * 	archive_size: SIZE				default 128 MiB; 1 MiB to 1 GiB
 * 	locale: NAME					default C.UTF-8: what all commands run in
 * 	compression: lz4|zstd				default lz4; what data sets without one of their own use
 * 	people: [{name*, roles*: [manager operator witness keyholder restorer auditor vendor], public_key: PUBLICKEY}]
 * 	datasets*: [{name*, title, paths: [PATH…] or command (exactly one), exclude: [PATTERN…],
 * 		cross_mounts: true|false, format: stream|tar (default stream), store_as (required with command, unless
 * 		format: tar), before, after, time_limit: DURATION, probe, version, stderr: warn|ignore (default warn),
 * 		expect: {min_bytes: SIZE, shrink_alarm: N %, min_entries: N, max_age: DURATION, content: KIND},
 * 		every: hour|day|week|month|Nh|Nd (default day), at: "HH:MM", weekday: sun…sat (default sun),
 * 		monthday: 1…28 (default 1), generations (default 3), keep: {daily, weekly, monthly, yearly: N},
 * 		protect: DURATION, guard: {enabled: true|false, sensitivity: low|normal|high},
 * 		canaries: [PATH…], rpo, rto, offline_rpo: DURATION, priority: 1…99, together: [NAME…], compression: lz4|zstd, archive_size: SIZE}]
 * 	media*: [{name*, type*: hdd|ssd|rdx|tape|optical|object, path (required unless offline), place,
 * 		datasets: [NAME…] (default all), offline: true|false, max_attached, swap_every: DURATION (offline only)}]
 * 	places: [{name*, address, originals: true|false, separate_from: [NAME…]}]
 * 	pools: [{name*, media*: [NAME…], swap_every*: DURATION, weekday: sun…sat, away_at_least: N (default 1 where two of
 * 		their places are separate, else 0), holds: all|newest|oldest (default all), remind: [{tell*: NAME, after: DURATION (default: on the day)}]}]
 * 	holidays: PATH					see holidays.h
 * 	status_page: PATH				written anew when something was done (outcome.h)
 * 	stop_while_suspect: true|false (default false)
 * 	parity: N % (default 5; 0 to 50)
 * 	verify_every: DURATION (default 90d)
 * 	retention: {protect: DURATION (default 14d), live_share: N % (default 50), anchor_every: N (default 365),
 * 		expire_by: anyone|ROLE (default anyone)}
 * 	schedule: {at: "HH:MM"}
 * 	notify: {command*, when: attention|always (default attention), time_limit: DURATION (default 5m),
 * 		good_news: never|sun…sat (default never)}
 * 	procedures: [PATH…]
 * 	excluded, external, contacts, assets, checklist; and of a data set importance, owner, responsibility, retention_years,
 * 		source_host: policy_evidence.h
 * SIZE is a number with an optional unit B kB MB GB TB PB (powers of 1000) or KiB MiB GiB TiB PiB; DURATION a
 * number with m, h, d or w.  KIND is one of enum policy_content's words.  PUBLICKEY is a minisign public key,
 * "RW…".  PATH is absolute and normalised.  PATTERN: see format/config/exclude.h.
 *
 * Lexical rules: no path of a data set within another of the same data set; no medium and no state folder
 * inside a data set unless excluded there; no data set inside a medium; media apart from each other and from
 * the state folder. Symbolic links and mount points are the caller's to check: this module never looks at a
 * disk.
 *
 * Errors (stable codes), E-POLICY-NN:
 * 	01 empty or too large			02 not UTF-8, control character		03 YAML syntax
 * 	04 anchor, alias, tag, second document	05 key twice				06 too deep, too many values
 * 	07 wrong kind of value			08 unknown key				09 required key missing
 * 	10 text empty, too long, control character				11 malformed name
 * 	12 name twice				13 malformed path			14 paths overlap
 * 	15 number malformed or out of range	16 size or percentage			17 duration or interval
 * 	18 time of day				19 unknown word				20 key for a secret
 * 	21 value with a secret			22 paths, command, store_as, exclude do not fit together
 * 	23 keys of a medium do not fit together	24 backup, state and data inside one another
 * 	25 malformed or useless exclusion	26 malformed public key			27 canary outside the paths
 * 	28 keys of the schedule do not fit together				29 nobody has the role that approves an expiry
 * 	35 a type of medium that is not built yet				36 a name that is none of a data set or a place
 * 	37 a data set that no medium holds					38 no place has the originals
 * 	40 data sets that are captured together differ in what must be equal
 * 	41 a pool's medium that the policy does not declare			42 a medium that is in two pools
 * 	43 media of a pool differ, or are not kept offline			44 keys of a pool do not fit together
 * 	45 more media away than there can be					46 a reminder to nobody
 * 	47 a line of the holidays is malformed					48 the holidays cannot be read
 * 	49 malformed date							50 an item of the checklist that bkp judges itself
 * 	51 warning: a contact was not confirmed for six months
 * 	30…34, 39 warnings: fewer than 3 generations, captured less often than the RPO, time without quotes, no online medium,
 * 	exclusion that excludes nothing, data sets that overlap (stored twice)
 */
/* clang-format on */
#ifndef BKP_FORMAT_POLICY_POLICY_H
#define BKP_FORMAT_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "format/config/config_problem.h"
#include "format/config/config_value.h"
#include "format/medium/generation.h"
#include "format/policy/policy_evidence.h"

struct err;
struct holidays;

#define POLICY_BYTES_MAX ((size_t)1 << 20)

/* Bits of policy_person.roles. */
enum policy_role {
	POLICY_MANAGER = 1,   /* 責任者: decides, approves */
	POLICY_OPERATOR = 2,  /* 実施者: brings media in and out */
	POLICY_WITNESS = 4,   /* 立会者: second signature at a hand-over */
	POLICY_KEYHOLDER = 8, /* 復旧鍵保管者 */
	POLICY_RESTORER = 16, /* 復旧担当 */
	POLICY_AUDITOR = 32,  /* 監査者: not one who operates */
	POLICY_VENDOR = 64,   /* 委託ベンダ */
};

struct policy_person {
	char *name;
	unsigned roles; /* enum policy_role, at least one */
	char *key;	/* minisign public key, checked; or NULL */
	struct config_mark mark;
};

/* What the output of a command must be, from its first byte to its last (expect: {content: …}). */
enum policy_content {
	POLICY_CONTENT_ANY,
	POLICY_CONTENT_PGDUMP,	  /* "pgdump": pg_dump -Fc */
	POLICY_CONTENT_PGDUMPALL, /* "pgdumpall": pg_dumpall, or pg_dump as SQL text */
	POLICY_CONTENT_MYSQLDUMP, /* "mysqldump": mysqldump, mariadb-dump */
	POLICY_CONTENT_GZIP,
	POLICY_CONTENT_ZIP,
	POLICY_CONTENT_TAR,
};

enum policy_format { POLICY_STREAM, POLICY_TAR };
enum policy_stderr { POLICY_STDERR_WARN, POLICY_STDERR_IGNORE };
enum policy_sensitivity { POLICY_GUARD_LOW, POLICY_GUARD_NORMAL, POLICY_GUARD_HIGH };
enum policy_notify { POLICY_NOTIFY_ATTENTION, POLICY_NOTIFY_ALWAYS };

/* keep: how many of each are kept beyond the floor; 0: none */
struct policy_keep {
	unsigned daily, weekly, monthly, yearly;
};

struct policy_dataset {
	char *name;
	char *title;  /* or NULL */
	char **paths; /* exactly one of paths (n_paths ≥ 1) and command (n_paths == 0) */
	size_t n_paths;
	char **exclude; /* give them to exclude_new() with paths as roots */
	size_t n_exclude;
	bool one_file_system; /* !cross_mounts: mount points are not crossed (default) */
	char *command;	      /* for a shell, or NULL */
	char *store_as;	      /* plain file name; NULL exactly when command is */
	unsigned format;      /* enum policy_format: what the command's output is */
	char *before, *after; /* for a shell, or NULL: around the capture; `after` runs also when it failed */
	int64_t time_limit_s; /* of the command, before, after and probe each; 0: none */
	char *probe;	      /* for a shell, or NULL */
	char *version;	      /* likewise: what it prints is the version of the source's software */
	unsigned stderr_words;	   /* enum policy_stderr: commands that succeed and say something there */
	uint64_t min_bytes;	   /* 0: not stated */
	unsigned shrink_alarm_pct; /* 1…99; 0: not stated */
	unsigned min_entries;	   /* 0: not stated */
	int64_t max_age_s;	   /* the newest file may be no older; 0: not stated */
	unsigned content;	   /* enum policy_content */
	struct config_every every;
	int at;		   /* minutes of the day, or -1: the schedule's */
	unsigned weekday;  /* 0 Sunday … 6: for every: week */
	unsigned monthday; /* 1 … 28: for every: month */
	struct policy_keep keep;
	int64_t protect_s; /* nothing of it expires earlier; the policy's where it has none of its own */
	bool guard;	   /* measured and judged (default) */
	unsigned guard_sensitivity; /* enum policy_sensitivity */
	char **canaries;	    /* files that nobody ever changes; each within one of paths */
	size_t n_canaries;
	unsigned generations; /* ≥ 1 */
	int64_t rpo_s, rto_s; /* 0: not stated */
	int64_t
	    offline_rpo_s; /* how old the newest generation on a medium that is removed may be; 0: not stated */
	unsigned priority; /* 1 is restored first … 99; 0: not stated */
	char **together;   /* the data sets that it is captured with, as they stand there */
	size_t n_together;
	unsigned compression;  /* enum codec_kind, the policy's where it has none of its own */
	uint64_t archive_size; /* bytes; the policy's where it has none of its own */
	struct config_mark mark;
	/* policy_groups(), from `together` and `priority` of all: the first one of those that are captured together, itself where there
	 * is no other; how soon it is their turn: the smaller, the sooner */
	const struct policy_dataset *leader;
	unsigned turn;
	/* what papers say of it (policy_evidence.h) */
	unsigned importance;	 /* enum policy_importance */
	unsigned responsibility; /* enum policy_responsibility */
	unsigned
	    retention_years; /* 保存年限; 0: not stated.  What is deleted when is said by generations, keep and protect */
	char *owner, *source_host; /* 管理部門, the computer where the original is; or NULL */
};

/* A place where media or originals are. */
struct policy_place {
	char *name;
	char *address;	/* for people; or NULL */
	bool originals; /* where the originals are */
	char **
	    separate_from; /* places that are not lost together with it (fire, flood, theft, the same network) */
	size_t n_separate_from;
	struct config_mark mark;
};

struct policy_pool;

struct policy_medium {
	char *name;
	char *type;	 /* "hdd" "ssd" "rdx" "tape" "optical" "object" */
	char *path;	 /* NULL only when offline */
	char *place;	 /* or NULL; where `places` are listed, the name of one */
	char **datasets; /* that it holds; n_datasets 0: all */
	size_t n_datasets;
	bool offline;
	int64_t max_attached_s, swap_every_s; /* 0: not stated */
	const struct policy_pool *pool;	      /* that it takes turns in, or NULL */
	struct config_mark mark;
};

/* What of its data sets a medium of a pool is to hold (read/rules/holds.h). */
enum policy_holds { POLICY_HOLDS_ALL, POLICY_HOLDS_NEWEST, POLICY_HOLDS_OLDEST };

struct policy_reminder {
	char *tell;	 /* one of the people */
	int64_t after_s; /* behind the day of the turn; 0: on that day */
	struct config_mark mark;
};

/* Media kept offline that take turns: one comes, is rotated and goes, then another one. */
struct policy_pool {
	char *name;
	char **media; /* names, two at least */
	size_t n_media;
	int64_t swap_every_s;	/* whole days */
	unsigned weekday;	/* 0: any; 1 Sunday … 7: turns are on that day */
	unsigned away_at_least; /* media at a place that is separate from the originals, at any time */
	unsigned holds;		/* enum policy_holds */
	struct policy_reminder *remind;
	size_t n_remind;
	struct config_mark mark;
};

struct policy {
	char *site_name;
	enum text_lang lang;
	char *state;
	char *locale; /* a UTF-8 one */
	struct policy_person *people;
	size_t n_people;
	struct policy_dataset *datasets; /* ≥ 1 */
	size_t n_datasets;
	struct policy_medium *media; /* ≥ 1 */
	size_t n_media;
	struct policy_place *places; /* or none are listed */
	size_t n_places;
	struct policy_pool *pools;
	size_t n_pools;
	char *holidays_path; /* or NULL */
	char *status_page;   /* a file, or NULL */
	/* the caller's who has read it: what it holds, or why it cannot be used; both NULL: no days are closed */
	struct holidays *holidays;
	struct err *holidays_fault;
	bool stop_while_suspect; /* no medium kept offline is written to while a data set is suspect */
	int64_t protect_s;
	unsigned live_share;   /* per cent, 0 … 90 */
	unsigned anchor_every; /* generations; 0: never */
	char **procedures;     /* Markdown files that media carry along; absolute */
	size_t n_procedures;
	unsigned
	    expire_by; /* who approves an expiry: 0 whoever may run bkp, else a role: bit 1 << (expire_by - 1) */
	int64_t drill_every_s;	   /* bringing back is rehearsed that often; 0: not stated */
	int64_t key_drill_every_s; /* a holder opens what is captured that often */
	unsigned parity;	   /* per cent of each archive, 0 … 50; 0: none is made */
	int64_t verify_every_s;	   /* within that time all of a medium is read again */
	int schedule_at;	   /* minutes of the day, or -1: none */
	char *notify_command;	   /* for a shell, or NULL */
	unsigned notify_when;	   /* enum policy_notify */
	int64_t notify_limit_s;
	unsigned good_news;    /* 0: never; 1 Sunday … 7: a good run is told once on that day, too */
	uint64_t archive_size; /* bytes */
	unsigned compression;  /* enum codec_kind */
	/* what papers say, each in the order of the file, or none (policy_evidence.h) */
	struct policy_excluded *excluded;
	size_t n_excluded;
	struct policy_external *external;
	size_t n_external;
	struct policy_contact *contacts;
	size_t n_contacts;
	struct policy_asset *assets;
	size_t n_assets;
	struct policy_checklist checklist;
};

/* The language that a text says, which need not be a valid policy; -1: it says none, *ret is untouched. */
int policy_language(const char *p, size_t n, enum text_lang *ret);

/* Parses n bytes.  `file` only names them in err.  0 with *ret_policy (warnings may stand in problems), or
 * -1: err says the first error as "file:line:column: …" with its code and hint, problems (may be NULL) holds
 * all, and n_errors is 0 there only when memory ran out (E-MEM-01). */
int policy_parse(const char *file, const char *p, size_t n, struct policy **ret_policy,
    struct config_problems *problems, struct err *err) __attribute__((warn_unused_result));
void policy_free(struct policy *policy);
void policy_free_auto(struct policy **policy);
#define POLICY_AUTO __attribute__((cleanup(policy_free_auto))) struct policy *

/* What the data set is captured from: paths, or the output of its command in the format that is stated. */
enum generation_source policy_source(const struct policy_dataset *d);

/* The smaller of two durations that may not be stated (0). */
int64_t policy_stricter(int64_t a, int64_t b);

/* By exact name for data sets, in any case for media (labels are typed by hand).  NULL: none. */
const struct policy_dataset *policy_find_dataset(const struct policy *policy, const char *name);
const struct policy_medium *policy_find_medium(const struct policy *policy, const char *name);
const struct policy_person *policy_find_person(const struct policy *policy, const char *name);
/* An optical medium without a path stands for a series of discs, written once each, "NAME-2026-001" and so on. */
bool policy_medium_is_series(const struct policy_medium *m);
bool policy_series_has(const struct policy_medium *m, const char *label);
/* The medium of that name, or the series whose disc has it.  NULL: none. */
const struct policy_medium *policy_medium_of(const struct policy *policy, const char *label);
const struct policy_place *policy_find_place(const struct policy *policy, const char *name);
/* Which of two data sets of a policy is captured first?  < 0: a.  Those that are captured together stand together. */
int policy_order(const struct policy_dataset *a, const struct policy_dataset *b);
/* Are they captured together, which each data set is with itself? */
bool policy_together(const struct policy_dataset *a, const struct policy_dataset *b);
/* Is the medium to hold the data set?  m NULL: false. */
bool policy_medium_holds(const struct policy_medium *m, const char *dataset);
/* Is what lies at that place safe from what happens where the originals are?  The place must be listed, another one than those with
 * `originals`, and each of these must be named in `separate_from` of one of the two. */
bool policy_place_is_separate(const struct policy *policy, const char *place);
/* What a name that is none was probably meant to be, or NULL (base/show/suggest.h). */
const char *policy_suggest_medium(const struct policy *policy, const char *name);
const char *policy_suggest_dataset(const struct policy *policy, const char *name);

#endif
