/* clockwatch: see clockwatch.h. */
#include "write/state/clockwatch.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "read/ledger/clockskew.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define TOUCH "tmp/clock" /* where rubbish is cleared */

static void note_found(struct clockskew *j, int64_t before_ns, int64_t after_ns)
{
	*j = (struct clockskew){"filesystem", before_ns, after_ns, (after_ns - before_ns) / SECOND_NS};
}

/* ---- storage ---- */

/* Whose server gives files their times. */
static bool has_own_clock(int fd)
{
	static const uint32_t network[] = {0x6969 /* NFS */, 0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */,
	    0x517b /* SMB */, 0x00c36400 /* Ceph */, 0x5346414f /* AFS */, 0x01021997 /* 9P */,
	    0x65735546 /* FUSE */};
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	for (size_t i = 0; i < sizeof(network) / sizeof(*network); i++)
		if ((uint32_t)fs.f_type == network[i])
			return true;
	return false;
}

/* The time that a file made now is given; 0: it cannot be told. */
static int64_t storage_time(int dirfd)
{
	IO_FD_AUTO fd = openat(dirfd, TOUCH, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st = {0};
	bool told = fd >= 0 && write(fd, "", 1) == 1 && !fsync(fd) && !fstat(fd, &st);

	if (fd >= 0)
		unlinkat(dirfd, TOUCH, 0);
	return told ? (int64_t)st.st_mtim.tv_sec * SECOND_NS + st.st_mtim.tv_nsec : 0;
}

static void ask_storage(
    const struct store *media, size_t n, const struct clock_stamp *now, struct clockskew *ret)
{
	for (size_t i = 0; i < n && !ret->source; i++) {
		const int dirfd = store_dir_fd(&media[i]);
		int64_t t = has_own_clock(dirfd) ? storage_time(dirfd) : 0, off;

		if (!t)
			continue;
		off = now->wall_ns / SECOND_NS - t / SECOND_NS;
		if (off > CLOCKWATCH_STORAGE_S || off < -CLOCKWATCH_STORAGE_S)
			note_found(ret, t, now->wall_ns);
	}
}

/* ---- */

static int64_t longest_interval(const struct policy *p)
{
	int64_t longest = 0;

	for (size_t i = 0; i < p->n_datasets; i++)
		if (p->datasets[i].every.s > longest)
			longest = p->datasets[i].every.s;
	return longest;
}

static void tell_jump(const struct clockskew *j, struct err *told)
{
	char before[CLOCK_TEXT], after[CLOCK_TEXT];

	clock_format_local(j->before_ns, before);
	clock_format_local(j->after_ns, after);
	if (j->seconds > 0) {
		err_set(told, "W-CLOCK-01", text("the clock has jumped forward: it should be %s and says %s"),
		    before, after);
		err_hint(told, "%s",
		    text("nothing expires until somebody has looked at the clock and said so: 'bkp clock "
			 "attest --operator NAME --reason TEXT'"));
	} else {
		err_set(told, "W-CLOCK-01", text("the clock was set back: it should be %s and says %s"),
		    before, after);
		err_hint(told, "%s", text("see that the clock is right, and who set it"));
	}
}

static int record_jump(struct state *s, const struct clockskew *j, struct err *err)
{
	char before[CLOCK_TEXT], after[CLOCK_TEXT];

	return reserve_append(s, "clock-jump",
	    json_pack("{s:s, s:s, s:s, s:I}", "source", j->source, "before",
		clock_format(j->before_ns, before), "after", clock_format(j->after_ns, after), "seconds",
		(json_int_t)j->seconds),
	    err);
}

int clockwatch_storage(
    struct state *s, const struct store *media, size_t n, struct err *told, struct err *err)
{
	const struct ledger_latch *latch = ledger_latch(state_ledger(s));
	struct clockskew jump = {0};
	struct clock_stamp now;

	clock_now(&now);
	ask_storage(media, n, &now, &jump);
	if (!jump.source)
		return 0;
	tell_jump(&jump, told);
	/* storage whose clock is wrong stays so: told every time, recorded once */
	if (latch->found_ns && !strcmp(latch->source, "filesystem") && jump.seconds > 0)
		return 0;
	return record_jump(s, &jump, err);
}

static int tell_and_record(struct state *s, const struct clockskew *jump, struct err *told, struct err *err)
{
	if (!jump->source)
		return 0;
	tell_jump(jump, told);
	return record_jump(s, jump, err);
}

/* Between records of commands that do not watch. */
static void find_slip(const struct state *s, int64_t longest_s, struct clockskew *ret)
{
	const struct clockskew_track *t = ledger_clock(state_ledger(s));

	*ret = (struct clockskew){0};
	if (t->slip_after.wall_ns)
		clockskew_judge(&t->slip_before, &t->slip_after, longest_s, ret);
}

int clockwatch_run(struct state *s, const struct policy *policy, const struct store *media, size_t n,
    struct err *told, struct err *err)
{
	int64_t longest_s = longest_interval(policy);
	struct clockskew jump, slip;
	struct clock_stamp now;

	clock_now(&now);
	clockskew_judge_from(ledger_clock(state_ledger(s)), state_former_clock(s), &now, longest_s, &jump);
	find_slip(s, longest_s, &slip);
	return tell_and_record(s, &slip, told, err) || tell_and_record(s, &jump, told, err)
		   ? -1
		   : clockwatch_storage(s, media, n, told, err);
}
