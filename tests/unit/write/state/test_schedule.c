/* timetable, schedule: as few lines as possible, none missing; only files of its own are touched. */
#include <time.h>

#include "unit.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "read/rules/slots.h"
#include "read/rules/timetable.h"
#include "scratch.h"
#include "write/state/schedule.h"

#define SITE "site: {name: s, language: en}\nmedia: [{name: nas, type: hdd, path: /mnt/nas}]\n"

static struct policy *policy_of(const char *sets)
{
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	char p[4096];

	snprintf(p, sizeof(p), SITE "datasets: [%s]\n", sets);
	if (policy_parse("p.yaml", p, strlen(p), &policy, NULL, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	return policy;
}

#define SET(name, rest) "{name: " name ", paths: [/srv/" name "]" rest "},"

/* "hours:minute weekdays monthdays", a catch-up line with '+' */
static void lines_are(const char *sets, const char *expected)
{
	POLICY_AUTO p = policy_of(sets);
	struct timetable *t = timetable_new(p);
	char got[2048] = "";
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%x:%u %x %x;",
		    t->line[i].catch_up ? "+" : "", t->line[i].hours, t->line[i].minute, t->line[i].weekdays,
		    t->line[i].monthdays);
	assert_string_equal(got, expected);
	timetable_free(t);
}

static void few_lines(void **state)
{
	(void)state;
	lines_are(SET("a", ""), "1:0 0 0;+10:0 0 0;");
	lines_are(SET("a", ", at: \"02:00\"") SET("b", ", at: \"02:00\"")
		      SET("c", ", every: 3d, at: \"02:00\""),
	    "4:0 0 0;+40:0 0 0;");
	lines_are(SET("a", ", at: \"22:30\""), "400000:30 0 0;+4:30 0 0;");
	lines_are(
	    SET("a", ", every: hour, at: \"00:15\"") SET("b", ", at: \"02:00\""), "ffffff:15 0 0;4:0 0 0;");
	lines_are(SET("a", ", every: 6h, at: \"02:00\"") SET("b", ", at: \"08:00\""), "104104:0 0 0;");
	lines_are(SET("a", ", every: 5h, at: \"02:20\""), "ffffff:20 0 0;");
	lines_are(SET("a", ", every: 48h, at: \"02:20\""), "4:20 0 0;+40:20 0 0;");
	lines_are(SET("a", ", every: week, at: \"03:00\", weekday: sat") SET("b",
		      ", every: week, at: \"03:00\"") SET("c", ", every: month, at: \"03:00\", monthday: 28"),
	    "8:0 41 0;8:0 0 10000000;+80:0 0 0;");
	/* a weekly one at the time of a daily one needs no line */
	lines_are(SET("a", ", every: week, at: \"02:00\"") SET("b", ", at: \"02:00\""), "4:0 0 0;+40:0 0 0;");
	/* the time for catching up is one of the slots */
	lines_are(SET("a", ", at: \"00:00\"") SET("b", ", at: \"20:00\""), "100001:0 0 0;");
}

/* Every slot of a year falls on a line. */
static void no_slot_is_missed(void **state)
{
	static const char *const every[] = {"hour", "2h", "3h", "4h", "6h", "8h", "12h", "5h", "7h", "36h",
	    "day", "2d", "9d", "week, weekday: thu", "month, monthday: 28"};
	char sets[256];

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	for (size_t i = 0; i < sizeof(every) / sizeof(*every); i++) {
		POLICY_AUTO p = NULL;
		struct timetable *t;
		int64_t at = INT64_C(1795226400000000000), end = at + INT64_C(366) * 86400 * 1000000000;

		snprintf(sets, sizeof(sets), "{name: a, paths: [/a], at: \"02:40\", every: %s}", every[i]);
		p = policy_of(sets);
		t = timetable_new(p);
		while ((at = slots_after(p, p->datasets, at)) < end) {
			time_t s = (time_t)(at / 1000000000);
			bool found = false;
			struct tm tm;

			localtime_r(&s, &tm);
			for (size_t k = 0; k < t->n; k++) {
				const struct timetable_line *l = &t->line[k];

				found |= l->minute == (unsigned)tm.tm_min && l->hours & 1u << tm.tm_hour &&
					 (!l->weekdays || l->weekdays & 1u << tm.tm_wday) &&
					 (!l->monthdays || l->monthdays & 1u << tm.tm_mday);
			}
			if (!found)
				fail_msg("every %s: no line for %d-%d %02d:%02d", every[i], tm.tm_mon + 1,
				    tm.tm_mday, tm.tm_hour, tm.tm_min);
		}
		timetable_free(t);
	}
}

static struct schedule schedule_in(enum schedule_kind kind)
{
	struct schedule s = {
	    .kind = kind, .name = "bkp", .program = "/bin/true", .policy = "/etc/bkp/p.yaml", .user = "root"};

	snprintf(s.root, sizeof(s.root), "%s", scratch);
	return s;
}

static void refused(const char *program, const char *policy, const char *user, const char *mailto)
{
	POLICY_AUTO p = policy_of(SET("a", ""));
	struct schedule_file files[SCHEDULE_FILES];
	struct schedule s = schedule_in(SCHEDULE_CRON);
	struct err err = ERR_INIT;
	size_t n;

	snprintf(s.program, sizeof(s.program), "%s", program);
	snprintf(s.policy, sizeof(s.policy), "%s", policy);
	snprintf(s.user, sizeof(s.user), "%s", user);
	snprintf(s.mailto, sizeof(s.mailto), "%s", mailto);
	assert_int_equal(schedule_render(&s, p, files, &n, &err), -1);
	assert_string_equal(err.code, "E-SCHED-04");
	for (size_t i = 0; i < SCHEDULE_FILES; i++)
		buf_free(&files[i].text);
}

static void what_cannot_stand_there(void **state)
{
	char longest[3000];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	refused("/bin/true", "relative.yaml", "root", "");
	refused("/bin/true", "/a\nb", "root", "");
	refused("/bin/true", "/a\n* * * * * root evil", "root", "");
	refused("/bin/true", "/it's", "root", "");
	refused("/bin/$(true)", "/p", "root", "");
	refused("/bin/`true`", "/p", "root", "");
	refused("/bin/a\\b", "/p", "root", "");
	refused("/bin/\"", "/p", "root", "");
	refused("/bin/true", longest, "root", "");
	refused("/bin/true", "/p", "", "");
	refused("/bin/true", "/p", "root evil", "");
	refused("/bin/true", "/p", "-x", "");
	refused("/bin/true", "/p", "root", "a@b\nX=1");
	refused("/bin/true", "/p", "root", "a b");
	refused("/bin/true", "/p", "root", "a@b;c");
}

static void files_of_its_own(void **state)
{
	static const char *const kinds[][2] = {
	    {"/etc/cron.d/bkp", NULL}, {"/etc/systemd/system/bkp.service", "/etc/systemd/system/bkp.timer"}};
	POLICY_AUTO p = policy_of(SET("a", ""));
	POLICY_AUTO q = policy_of(SET("a", ", at: \"04:00\""));
	struct err err = ERR_INIT;
	char dir[200];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(dir, sizeof(dir), "%s/%s", scratch,
		    (const char *[]){"etc", "etc/cron.d", "etc/systemd", "etc/systemd/system"}[i]);
		assert_int_equal(mkdir(dir, 0755), 0);
	}
	for (int k = 0; k < SCHEDULE_KINDS; k++) {
		struct schedule s = schedule_in((enum schedule_kind)k), found;
		enum schedule_state st;

		assert_int_equal(schedule_look(&s, p, &st, &err), 0);
		assert_int_equal(st, SCHEDULE_ABSENT);
		assert_int_equal(schedule_remove(&s, &err), SCHEDULE_UNCHANGED);
		assert_int_equal(schedule_install(&s, p, &err), 0);
		assert_int_equal(schedule_install(&s, p, &err), SCHEDULE_UNCHANGED);
		found = schedule_in((enum schedule_kind)k);
		*found.program = *found.user = '\0';
		assert_int_equal(schedule_look(&found, p, &st, &err), 0);
		assert_int_equal(st, SCHEDULE_FITS);
		assert_string_equal(found.program, "/bin/true");
		assert_string_equal(found.user, "root");
		assert_int_equal(schedule_look(&found, q, &st, &err), 0);
		assert_int_equal(st, SCHEDULE_OUTDATED);
		snprintf(found.policy, sizeof(found.policy), "/etc/bkp/q.yaml");
		assert_int_equal(schedule_look(&found, p, &st, &err), 0);
		assert_int_equal(st, SCHEDULE_OTHER);
		assert_int_equal(schedule_install(&found, p, &err), -1);
		assert_string_equal(err.code, "E-SCHED-03");
		assert_int_equal(schedule_remove(&found, &err), -1);
		/* of systemd's files one alone is not enough */
		if (kinds[k][1]) {
			snprintf(dir, sizeof(dir), "%s%s", scratch, kinds[k][0]);
			assert_int_equal(unlink(dir), 0);
			assert_int_equal(schedule_look(&s, p, &st, &err), 0);
			assert_int_equal(st, SCHEDULE_OUTDATED);
			assert_int_equal(schedule_install(&s, p, &err), 0);
		}
		assert_int_equal(schedule_install(&s, q, &err), 0);
		assert_int_equal(schedule_remove(&s, &err), 0);
		assert_int_equal(schedule_look(&s, q, &st, &err), 0);
		assert_int_equal(st, SCHEDULE_ABSENT);
	}
}

/* Any byte that is another one is noticed. */
static void every_byte_counts(void **state)
{
	POLICY_AUTO p = policy_of(SET("a", ""));
	struct schedule s = schedule_in(SCHEDULE_CRON);
	struct err err = ERR_INIT;
	enum schedule_state st;
	char path[200], text[4096];
	ssize_t n;
	int fd;

	(void)state;
	assert_int_equal(schedule_install(&s, p, &err), 0);
	snprintf(path, sizeof(path), "%s/etc/cron.d/bkp", scratch);
	fd = open(path, O_RDWR | O_CLOEXEC);
	n = read(fd, text, sizeof(text));
	assert_true(n > 300);
	for (ssize_t i = 0; i < n; i++) {
		char other = (char)(text[i] ^ 1);

		assert_int_equal(pwrite(fd, &other, 1, i), 1);
		assert_int_equal(schedule_look(&s, p, &st, &err), 0);
		if (st != SCHEDULE_EDITED && st != SCHEDULE_FOREIGN)
			fail_msg("byte %zd: %s", i, schedule_state_word(st));
		assert_int_equal(schedule_remove(&s, &err), -1);
		assert_int_equal(pwrite(fd, &text[i], 1, i), 1);
	}
	for (ssize_t i = n - 1; i >= 0; i--) {
		assert_int_equal(ftruncate(fd, i), 0);
		assert_int_equal(schedule_look(&s, p, &st, &err), 0);
		assert_true(st == SCHEDULE_EDITED || st == SCHEDULE_FOREIGN);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(few_lines), cmocka_unit_test(no_slot_is_missed),
	    cmocka_unit_test(what_cannot_stand_there), cmocka_unit_test(files_of_its_own),
	    cmocka_unit_test(every_byte_counts)};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
