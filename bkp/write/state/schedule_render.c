/* schedule_render: the text of the files; see schedule.h, crontab(5), systemd.timer(5), systemd.syntax(7). */
#include "write/state/schedule_private.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/rules/timetable.h"

#define TEXT_MAX  ((size_t)64 << 10)
#define LINE_MAX_ 900 /* cron takes commands of 999 bytes */

static const char path_line[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";

/* ---- words ---- */

/* What both shells of this world take in quotes as it is. */
static int check_path(const char *path, struct err *err)
{
	char show[PATH_MAX];

	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if (*p < 0x20 || *p == 0x7f || strchr("\\\"'`$", *p)) {
			err_set(err, "E-SCHED-04",
			    text("'%s' cannot stand in a schedule: it has a character that cron or systemd "
				 "would not take as it is"),
			    path_show(path, show, sizeof(show)));
			return err_hint(err, "%s", text("rename it, or use a link with a plain name"));
		}
	if (*path == '/')
		return 0;
	return err_set(
	    err, "E-SCHED-04", text("'%s' is not an absolute path"), path_show(path, show, sizeof(show)));
}

static int check_word(
    const char *what, const char *word, const char *also, bool may_be_empty, struct err *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char all[sizeof(plain) + 8], show[256];

	snprintf(all, sizeof(all), "%s%s", plain, also);
	if ((*word || may_be_empty) && word[strspn(word, all)] == '\0' && *word != '-')
		return 0;
	return err_set(err, "E-SCHED-04", text("'%s' cannot stand in a schedule as %s"),
	    path_show(word, show, sizeof(show)), what);
}

static int check_words(const struct schedule *s, struct err *err)
{
	return check_path(s->program, err) || check_path(s->policy, err) ||
		       check_word(text("a user"), s->user, ".", false, err) ||
		       check_word(text("an address"), s->mailto, "@.+,", true, err) ||
		       check_word(text("a root key"), s->root_key, "+/=", true, err) ||
		       check_word(text("a name"), s->name, "", false, err)
		   ? -1
		   : 0;
}

static bool is_plain(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+:@,-")] == '\0';
}

/* In quotes where it needs them; % is special to both: a newline to cron, a specifier to systemd. */
static int put_path(const struct schedule *s, const char *path, struct buf *out, struct err *err)
{
	const char *quote = is_plain(path) ? "" : s->kind == SCHEDULE_CRON ? "'" : "\"";
	int r = buf_puts(out, quote, err);

	for (; *path && !r; path++)
		r = *path == '%' ? buf_puts(out, s->kind == SCHEDULE_CRON ? "\\%" : "%%", err)
				 : buf_append(out, path, 1, err);
	return r ? -1 : buf_puts(out, quote, err);
}

static int put_command(const struct schedule *s, bool catch_up, struct buf *out, struct err *err)
{
	return put_path(s, s->program, out, err) || buf_puts(out, " run --quiet ", err) ||
		       (catch_up && buf_puts(out, "--catch-up ", err)) ||
		       (*s->root_key && buf_printf(out, err, "--root-key %s ", s->root_key)) ||
		       buf_puts(out, "--policy ", err) || put_path(s, s->policy, out, err) ||
		       buf_puts(out, "\n", err)
		   ? -1
		   : 0;
}

/* "2,8,14,20", each with at least `width` digits. */
static int put_bits(uint32_t bits, unsigned width, struct buf *out, struct err *err)
{
	const char *comma = "";

	for (unsigned i = 0; i < 32; i++)
		if (bits & 1u << i) {
			if (buf_printf(out, err, "%s%0*u", comma, (int)width, i))
				return -1;
			comma = ",";
		}
	return 0;
}

static int put_hours(uint32_t hours, unsigned width, struct buf *out, struct err *err)
{
	return hours == TIMETABLE_EVERY_HOUR ? buf_puts(out, "*", err) : put_bits(hours, width, out, err);
}

/* ---- cron ---- */

static int cron_line(
    const struct schedule *s, const struct timetable_line *l, struct buf *out, struct err *err)
{
	size_t before = out->n;

	if (buf_printf(out, err, "%u ", l->minute) || put_hours(l->hours, 1, out, err) ||
	    buf_puts(out, " ", err) ||
	    (l->monthdays ? put_bits(l->monthdays, 1, out, err) : buf_puts(out, "*", err)) ||
	    buf_puts(out, " * ", err) ||
	    (l->weekdays ? put_bits(l->weekdays, 1, out, err) : buf_puts(out, "*", err)) ||
	    buf_printf(out, err, " %s ", s->user) || put_command(s, l->catch_up, out, err))
		return -1;
	if (out->n - before > LINE_MAX_)
		return err_set(err, "E-SCHED-04", "%s", text("the paths are too long for a line of cron"));
	return 0;
}

static int cron_text(const struct schedule *s, const struct timetable *t, struct buf *out, struct err *err)
{
	/* cron itself may run without a locale, and would call what it mails ASCII */
	static const char utf8[] = "CONTENT_TYPE=\"text/plain; charset=UTF-8\"\n";

	if (buf_puts(out, "SHELL=/bin/sh\n", err) || buf_puts(out, path_line, err) ||
	    buf_puts(out, utf8, err) || (*s->mailto && buf_printf(out, err, "MAILTO=%s\n", s->mailto)))
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if ((t->line[i].catch_up &&
			buf_puts(out, "# what failed, and computers that slept\n", err)) ||
		    cron_line(s, &t->line[i], out, err))
			return -1;
	/* two minutes: for mounts and for databases that start, too */
	return buf_printf(out, err, "# nights switched off\n@reboot %s sleep 120; ", s->user) ||
		       put_command(s, true, out, err)
		   ? -1
		   : 0;
}

/* ---- systemd ---- */

static int service_text(const struct schedule *s, struct buf *out, struct err *err)
{
	static const char head[] = "[Unit]\n"
				   "Description=bkp: capture what is due\n"
				   "Documentation=man:bkp-run(8)\n"
				   "Wants=network-online.target\n"
				   "After=network-online.target local-fs.target remote-fs.target\n"
				   "\n"
				   "[Service]\n"
				   "Type=oneshot\n"
				   "ExecStart=";
	/* what the policy's commands may need (mounts, snapshots, su, device nodes) cannot be taken from them
	 * here.  Whoever stops it tells bkp alone, which ends its commands itself: an `after` that brings a
	 * service back is not ended with them, and has its five minutes. */
	static const char tail[] = "Nice=10\n"
				   "IOSchedulingClass=best-effort\n"
				   "IOSchedulingPriority=7\n"
				   "TimeoutStartSec=infinity\n"
				   "KillMode=mixed\n"
				   "TimeoutStopSec=6min\n"
				   "LockPersonality=yes\n"
				   "RestrictRealtime=yes\n"
				   "ProtectHostname=yes\n"
				   "CapabilityBoundingSet=~CAP_SYS_TIME CAP_SYS_BOOT CAP_WAKE_ALARM\n";

	if (buf_puts(out, head, err) || put_command(s, false, out, err) ||
	    buf_printf(out, err, "Environment=%s", path_line))
		return -1;
	if (strcmp(s->user, "root") != 0 && buf_printf(out, err, "User=%s\n", s->user))
		return -1;
	return buf_puts(out, tail, err);
}

static int timer_line(const struct timetable_line *l, struct buf *out, struct err *err)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	const char *comma = "";

	if ((l->catch_up && buf_puts(out, "# what failed, and computers that slept\n", err)) ||
	    buf_puts(out, "OnCalendar=", err))
		return -1;
	for (unsigned i = 0; i < 7; i++)
		if (l->weekdays & 1u << i) {
			if (buf_printf(out, err, "%s%s", comma, days[i]))
				return -1;
			comma = ",";
		}
	if (buf_puts(out, l->weekdays ? " *-*-" : "*-*-", err) ||
	    (l->monthdays ? put_bits(l->monthdays, 2, out, err) : buf_puts(out, "*", err)) ||
	    buf_puts(out, " ", err) || put_hours(l->hours, 2, out, err))
		return -1;
	return buf_printf(out, err, ":%02u:00\n", l->minute);
}

static int timer_text(const struct timetable *t, struct buf *out, struct err *err)
{
	if (buf_puts(out, "[Unit]\nDescription=bkp: when data sets are due\n\n[Timer]\n", err))
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (timer_line(&t->line[i], out, err))
			return -1;
	return buf_puts(out, "Persistent=true\nAccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n", err);
}

/* ---- whole files ---- */

size_t schedule_paths(const struct schedule *s, struct schedule_file files[SCHEDULE_FILES])
{
	if (s->kind == SCHEDULE_CRON) {
		snprintf(files[0].path, PATH_MAX, "%.3900s/etc/cron.d/%s", s->root, s->name);
		return 1;
	}
	snprintf(files[0].path, PATH_MAX, "%.3900s/etc/systemd/system/%s.service", s->root, s->name);
	snprintf(files[1].path, PATH_MAX, "%.3900s/etc/systemd/system/%s.timer", s->root, s->name);
	return 2;
}

static int put_options(const struct schedule *s, struct buf *out, struct err *err)
{
	static const char *const keys[] = {"# policy=", " program=", " user=", " mailto=", " root-key="};
	const char *const values[] = {s->policy, s->program, s->user, s->mailto, s->root_key};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (buf_puts(out, keys[i], err) || path_encode(values[i], out, err))
			return -1;
	return buf_puts(out,
	    "\n# Do not change this file: change the policy, then run 'bkp schedule install' again.\n", err);
}

/* The first line vouches for the rest. */
static int seal_text(const struct buf *body, struct buf *out, struct err *err)
{
	uint8_t hash[DIGEST_LEN];
	char hex[DIGEST_HEX];

	digest_sha256(body->p, body->n, hash);
	return buf_printf(out, err, "%s%s\n", SCHEDULE_MARK, digest_hex(hash, sizeof(hash), hex)) ||
		       buf_append(out, body->p, body->n, err)
		   ? -1
		   : 0;
}

int schedule_render(const struct schedule *s, const struct policy *policy,
    struct schedule_file files[SCHEDULE_FILES], size_t *ret_n, struct err *err)
{
	size_t n = schedule_paths(s, files);
	struct timetable *t;
	int r = check_words(s, err);

	for (size_t i = 0; i < SCHEDULE_FILES; i++)
		buf_init(&files[i].text, TEXT_MAX);
	if (r)
		return -1;
	t = timetable_new(policy);
	if (!t)
		return err_nomem(err);
	for (size_t i = 0; i < n && !r; i++) {
		BUF_AUTO body = BUF_INIT(TEXT_MAX);

		r = put_options(s, &body, err);
		if (!r)
			r = s->kind == SCHEDULE_CRON ? cron_text(s, t, &body, err)
			    : i == 0		     ? service_text(s, &body, err)
						     : timer_text(t, &body, err);
		if (!r)
			r = seal_text(&body, &files[i].text, err);
	}
	timetable_free(t);
	*ret_n = n;
	return r;
}
