/* command: what it writes, how it ends, what it leaves behind; whatever it does with its descriptors. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"
#include "base/err.h"
#include "scratch.h"
#include "write/index/dedup.h"
#include "write/index/linkmap.h"
#include "write/source/command.h"

/* Every '@' is this process's number: the same test may run beside us. */
static const char *own(const char *line)
{
	static char room[4][200];
	static unsigned turn;
	char *out = room[turn++ % 4];
	size_t n = 0;

	for (; *line && n < 180; line++)
		n += (size_t)snprintf(
		    out + n, 200 - n, *line == '@' ? "%d" : "%c", *line == '@' ? (int)getpid() : *line);
	return out;
}

static int setup(void **state)
{
	alarm(50); /* what hangs has failed */
	return scratch_setup_memory(state);
}

static int start_line(const char *line, struct command **ret, struct err *err)
{
	return command_start(&(struct command_config){.line = line}, ret, err);
}

/* Runs it to the end.  command_finish's result. */
static int run(const char *line, struct buf *out, struct command_words *said, struct err *err)
{
	struct command *c = NULL;
	char block[10000];
	ssize_t n;
	int r;

	assert_int_equal(start_line(line, &c, err), 0);
	while ((n = command_read(c, block, sizeof(block))) > 0)
		assert_int_equal(buf_append(out, block, (size_t)n, NULL), 0);
	assert_int_equal(n, 0);
	r = command_finish(c, err);
	command_said(c, said);
	command_free(c);
	assert_int_equal(buf_terminate(out, NULL), 0);
	return r;
}

static void gives(const char *line, const char *want)
{
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (run(line, &out, NULL, &err))
		fail_msg("%s: %s", line, err.msg);
	assert_string_equal((char *)out.p, want);
	assert_string_equal(err.code, "");
}

static void fails(const char *line, const char *message)
{
	BUF_AUTO out = BUF_INIT(16 << 20);
	struct command_words said;
	char both[sizeof(said) + sizeof(((struct err *)0)->msg) + 2];
	struct err err = ERR_INIT;

	assert_int_equal(run(line, &out, &said, &err), -1);
	assert_string_equal(err.code, "E-CMD-02");
	snprintf(both, sizeof(both), "%s: %s", err.msg, said.text);
	if (!strstr(both, message))
		fail_msg("%s: '%s' is not in '%s'", line, message, both);
	/* what it said may name patients, and errors go into records */
	if (*said.text && strstr(err.msg, said.text))
		fail_msg("%s: '%s' is in '%s'", line, said.text, err.msg);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void output_is_output(void **state)
{
	(void)state;
	gives("echo hello", "hello\n");
	gives("true", "");
	gives("printf 'no newline'", "no newline");
	gives("echo seen; echo not seen >&2", "seen\n");
	gives("echo a | tr a b && echo \"$((1+1))\"", "b\n2\n");
	gives("echo 患者", "患者\n");
}

static void every_byte_comes_through(void **state)
{
	BUF_AUTO out = BUF_INIT(16 << 20);
	BUF_AUTO want = BUF_INIT(16 << 20);

	(void)state;
	assert_int_equal(buf_reserve(&want, 3000001, NULL), 0);
	noise(want.p, 3000001, 5);
	want.n = 3000001;
	put_file("bytes", want.p, want.n);
	{
		char line[300];

		snprintf(line, sizeof(line), "cat %s", in_scratch("bytes"));
		assert_int_equal(run(line, &out, NULL, NULL), 0);
	}
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
}

static void the_exit_status_decides(void **state)
{
	(void)state;
	fails("echo looks fine; exit 3", "status 3");
	fails("exit 255", "status 255");
	fails("false", "status 1");
	fails("no-such-command-anywhere", "status 127");
	fails("no-such-command-anywhere", "no-such-command-anywhere");
	fails("/etc/passwd", "status 126");
	fails("if then", "status 2");
	fails("kill -9 $$", "signal 9");
	fails("kill -SEGV $$", "signal 11");
	fails("echo dead >&2; kill -TERM $$", "signal 15: dead");
}

static void standard_input_is_empty(void **state)
{
	(void)state;
	gives("cat; echo end", "end\n");
	gives("readlink /proc/self/fd/0", "/dev/null\n");
	gives("test -t 0 || echo no terminal", "no terminal\n");
}

/* What this process has open is none of the command's business: archives, keys, the index. */
static void nothing_else_is_open(void **state)
{
	struct command *other = NULL;
	struct dedup *d = NULL;
	struct linkmap *m = NULL;

	(void)state;
	assert_int_equal(dedup_open(in_scratch("ix"), "r", &d, NULL), 0);
	assert_int_equal(linkmap_open(in_scratch("links"), &m, NULL), 0);
	assert_int_equal(start_line("sleep 50", &other, NULL), 0);
	gives("i=3; while [ $i -lt 300 ]; do [ ! -e /proc/$$/fd/$i ] || echo $i; i=$((i+1)); done", "");
	command_free(other);
	linkmap_close(m);
	dedup_close(d);
}

static void signals_are_as_usual(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	gives("yes | head -1", "y\n");
	gives("(yes 2>/dev/null; echo $? >&2) 2>&1 >/dev/full | cat; sh -c 'kill -PIPE $$; echo alive'; true",
	    "1\n");
	signal(SIGPIPE, SIG_DFL);
}

/* ---- standard error ---- */

static void the_end_of_standard_error_is_kept(void **state)
{
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct command_words said;
	struct err err = ERR_INIT;

	(void)state;
	fails("echo first >&2; seq 1 100000 >&2; echo 'FATAL: the reason' >&2; exit 1", "FATAL: the reason");
	fails("echo 'FATAL: the reason' >&2; exit 1", "FATAL: the reason");
	fails("printf x >&2; sleep 0.1; printf y >&2; sleep 0.1; printf z >&2; exit 1", "xyz");
	fails("i=0; while [ $i -lt 700 ]; do echo line $i >&2; i=$((i+1)); done; exit 1", "line 699");
	assert_int_equal(run("seq 1 100000 >&2; exit 1", &out, NULL, &err), -1);
	assert_true(strlen(err.msg) < 200);
	/* safe on a terminal, one line */
	fails("printf '\\033[2Jboom\\n\\007' >&2; exit 1", "\\033[2Jboom");
	assert_int_equal(run("printf 'a\\nb' >&2; exit 1", &out, &said, &err), -1);
	assert_string_equal(said.text, "a / b");
	assert_true(said.lines == 2);
	assert_int_equal(run("seq 1 100000 >&2", &out, &said, &err), 0);
	assert_true(said.lines == 100000);
}

/* Bytes that are shown as four characters each: it is still the end that is kept. */
static void the_end_of_standard_error_in_another_encoding(void **state)
{
	(void)state;
	fails("i=0; while [ $i -lt 300 ]; do printf '\\212\\263'; i=$((i+1)); done >&2; echo 'THE END' >&2; "
	      "exit 1",
	    "THE END");
	fails("i=0; while [ $i -lt 600 ]; do echo; i=$((i+1)); done >&2; echo 'THE END' >&2; exit 1",
	    "THE END");
	fails("printf 'before\\0after' >&2; exit 1", "after");
}

static void the_message_is_utf8(void **state)
{
	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		BUF_AUTO out = BUF_INIT(1 << 20);
		struct command_words said;
		struct err err = ERR_INIT;
		char line[200];

		snprintf(line, sizeof(line),
		    "i=0; while [ $i -lt 400 ]; do printf 診; i=$((i+1)); done >&2; printf '%.*s' >&2; exit "
		    "1",
		    shift, "xyz");
		assert_int_equal(run(line, &out, &said, &err), -1);
		put_file("msg", said.text, strlen(said.text));
		assert_int_equal(sh("iconv -f UTF-8 -t UTF-8 msg >/dev/null"), 0);
		assert_non_null(strstr(said.text, "診診診診"));
	}
}

static void both_flow_without_standing_still(void **state)
{
	BUF_AUTO out = BUF_INIT(16 << 20);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run("seq 1 200000 >&2 & seq 1 200000; wait", &out, NULL, &err), 0);
	put_file("out", out.p, out.n);
	assert_int_equal(sh("seq 1 200000 | cmp - out"), 0);
	out.n = 0;
	assert_int_equal(run("seq 1 200000 >&2; seq 1 200000; seq 1 200000 >&2", &out, NULL, &err), 0);
	put_file("out", out.p, out.n);
	assert_int_equal(sh("seq 1 200000 | cmp - out"), 0);
	/* standard output is over long before the rest is */
	fails("exec >&-; seq 1 200000 >&2; echo late >&2; exit 9", "status 9");
	fails("exec 2>&-; sleep 0.2; exit 9", "status 9");
	gives("exec 2>&-; echo x", "x\n");
}

/* ---- what runs on ---- */

static void something_left_in_the_background_does_not_hang_us(void **state)
{
	double begun = now();

	(void)state;
	gives("sleep 30 >/dev/null & echo done", "done\n"); /* holds standard error */
	gives("sleep 30 >/dev/null 2>&1 & echo done", "done\n");
	fails("sleep 30 >/dev/null & exit 4", "status 4");
	fails("sleep 30 >/dev/null & echo why >&2; exit 4", "why");
	assert_true(now() - begun < 5);
}

static void something_that_floods_standard_error_from_the_background_does_not_hang_us(void **state)
{
	double begun = now();

	(void)state;
	gives("yes noise >&2 & echo done", "done\n");
	assert_true(now() - begun < 5);
}

/* The reason is written in the very moment of the end, many times over. */
static void last_words_are_not_lost(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		char line[100];

		snprintf(line, sizeof(line), "exec >&-; sleep 0.0%d; echo last words >&2; exit 5", 45 + i);
		fails(line, "status 5: last words");
	}
}

/* A run that is given up: the command and all that it started end with it. */
static void freed_it_is_ended_with_all_it_started(void **state)
{
	struct command *c = NULL;
	char block[100];

	(void)state;
	assert_int_equal(
	    start_line(own("sleep 4711.@ & sleep 4711.@ & echo started; sleep 4711.@"), &c, NULL), 0);
	assert_int_equal(command_read(c, block, sizeof(block)), 8);
	command_free(c);
	usleep(50000);
	assert_int_equal(sh("%s", own("! pgrep -f '^sleep 4711[.]@'")), 0);
	assert_int_equal(start_line("yes", &c, NULL), 0);
	assert_true(command_read(c, block, sizeof(block)) > 0);
	command_free(c);
	assert_int_equal(start_line("true", &c, NULL), 0);
	command_free(c); /* at once */
	command_free(NULL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left to wait for */
	assert_int_equal(errno, ECHILD);
}

static void our_own_descriptors_are_closed(void **state)
{
	int before = open("/dev/null", O_RDONLY), after;

	(void)state;
	close(before);
	for (int i = 0; i < 20; i++) {
		BUF_AUTO out = BUF_INIT(1000);

		run(i % 2 ? "echo x; exit 1" : "echo x", &out, NULL, NULL);
	}
	after = open("/dev/null", O_RDONLY);
	close(after);
	assert_int_equal(after, before);
}

static bool enough(void *arg)
{
	(void)arg;
	return true;
}

/* It has closed its output and does not end: who waits for it may stop. */
static void one_that_does_not_end_can_be_stopped(void **state)
{
	struct command *c = NULL;
	struct err err = ERR_INIT;
	time_t begun = time(NULL);
	char byte;

	(void)state;
	assert_int_equal(start_line("exec >&-; exec sleep 60", &c, NULL), 0);
	assert_int_equal(command_read(c, &byte, 1), 0);
	command_on_wait(c, enough, NULL);
	assert_int_equal(command_finish(c, &err), -1);
	assert_string_equal(err.code, "E-CMD-02");
	assert_true(time(NULL) - begun < 30);
	command_free(c);
}

/* ---- limits, environment, what is said ---- */

static int run_with(
    const struct command_config *cfg, struct command_words *said, struct err *err, double *ret_seconds)
{
	double begun = now();
	int r = command_run(cfg, said, err);

	*ret_seconds = now() - begun;
	return r;
}

static void it_ends_within_its_time(void **state)
{
	struct command_config cfg = {
	    .line = own("echo before >&2; sleep 4712.@ & sleep 4712.@"), .limit_s = 1};
	struct command_words said;
	struct err err = ERR_INIT;
	double seconds;

	(void)state;
	assert_int_equal(run_with(&cfg, &said, &err, &seconds), -1);
	assert_string_equal(err.code, "E-CMD-03");
	assert_null(strstr(err.msg, "before"));
	assert_non_null(strstr(err.hint, "time_limit"));
	assert_string_equal(said.text, "before");
	assert_true(seconds >= 1 && seconds < 4);
	assert_int_equal(sh("%s", own("! pgrep -f '^sleep 4712[.]@'")), 0);
	/* one that wants to tidy up may; one that does not care is ended all the same */
	cfg.line = own("trap 'echo tidied >&2; exit 3' TERM; sleep 4712.@ & wait");
	assert_int_equal(run_with(&cfg, &said, &err, &seconds), -1);
	assert_string_equal(err.code, "E-CMD-03");
	assert_string_equal(said.text, "tidied");
	cfg.line = own("trap '' TERM; echo deaf >&2; sleep 4712.@; sleep 4712.@");
	assert_int_equal(run_with(&cfg, &said, &err, &seconds), -1);
	assert_string_equal(err.code, "E-CMD-03");
	assert_true(seconds >= 1 + COMMAND_GRACE_S && seconds < 4 + COMMAND_GRACE_S);
	assert_int_equal(sh("%s", own("! pgrep -f '^sleep 4712[.]@'")), 0);
	/* time enough */
	cfg.line = "echo fine >&2";
	cfg.limit_s = 60;
	assert_int_equal(run_with(&cfg, &said, &err, &seconds), 0);
	assert_string_equal(said.text, "fine");
	assert_true(seconds < 3);
}

/* While its output is read. */
static void reading_ends_with_its_time(void **state)
{
	struct command_config cfg = {.line = "echo x; sleep 60", .limit_s = 1};
	struct command *c = NULL;
	struct err err = ERR_INIT;
	char block[100];

	(void)state;
	assert_int_equal(command_start(&cfg, &c, NULL), 0);
	assert_int_equal(command_read(c, block, sizeof(block)), 2);
	assert_int_equal(command_read(c, block, sizeof(block)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(command_finish(c, &err), -1);
	assert_string_equal(err.code, "E-CMD-03");
	command_free(c);
	/* its output is held open by something that is in no group of ours */
	cfg.line = "setsid sleep 3 & echo x";
	assert_int_equal(command_start(&cfg, &c, NULL), 0);
	assert_int_equal(command_read(c, block, sizeof(block)), 2);
	assert_int_equal(command_read(c, block, sizeof(block)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	command_end(c);
	command_free(c);
}

static void it_learns_what_it_is_for(void **state)
{
	static const char *const env[] = {"BKP_DATASET=emr", "BKP_RESULT=partial", NULL};
	struct command_config cfg = {.line = "echo $BKP_DATASET:$BKP_RESULT:$HOME >&2", .env = env};
	struct command_words said;
	char want[200];

	(void)state;
	setenv("BKP_DATASET", "another", 1);
	assert_int_equal(command_run(&cfg, &said, NULL), 0);
	snprintf(want, sizeof(want), "emr:partial:%s", getenv("HOME"));
	assert_string_equal(said.text, want);
	unsetenv("BKP_DATASET");
}

static void what_it_says_is_kept(void **state)
{
	struct command_config cfg = {.line = "echo standard output; echo standard error >&2"};
	struct command_words said;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(command_run(&cfg, &said, &err), 0);
	assert_string_equal(said.text, "standard output / standard error");
	cfg.line = "true";
	assert_int_equal(command_run(&cfg, &said, &err), 0);
	assert_string_equal(said.text, "");
	cfg.line = "seq 1 5000; printf '\\033[2J患者'; exit 4";
	assert_int_equal(command_run(&cfg, &said, &err), -1);
	assert_true(strlen(said.text) <= 600 && strlen(said.text) > 500);
	assert_non_null(strstr(said.text, "5000 / \\033[2J患者"));
}

/* What the caller of bkp left open is none of the command's business either. */
static void nothing_that_we_were_given_is_open(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(dup2(fd, 77) == 77); /* not close-on-exec */
	gives("[ ! -e /proc/$$/fd/77 ] && echo closed", "closed\n");
	gives("ps -o pgid= -p $$ | tr -d ' ' | grep -qx $$ && echo own group", "own group\n");
	gives("ps -o sid= -p $$ | tr -d ' ' | grep -qx $$ && echo own session", "own session\n");
	close(77);
	close(fd);
}

int main(void)
{
	closefrom(3); /* what the caller left open is not the matter here */

	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(output_is_output),
	    cmocka_unit_test(every_byte_comes_through),
	    cmocka_unit_test(the_exit_status_decides),
	    cmocka_unit_test(standard_input_is_empty),
	    cmocka_unit_test(nothing_else_is_open),
	    cmocka_unit_test(signals_are_as_usual),
	    cmocka_unit_test(the_end_of_standard_error_is_kept),
	    cmocka_unit_test(the_end_of_standard_error_in_another_encoding),
	    cmocka_unit_test(the_message_is_utf8),
	    cmocka_unit_test(both_flow_without_standing_still),
	    cmocka_unit_test(something_left_in_the_background_does_not_hang_us),
	    cmocka_unit_test(something_that_floods_standard_error_from_the_background_does_not_hang_us),
	    cmocka_unit_test(last_words_are_not_lost),
	    cmocka_unit_test(freed_it_is_ended_with_all_it_started),
	    cmocka_unit_test(our_own_descriptors_are_closed),
	    cmocka_unit_test(one_that_does_not_end_can_be_stopped),
	    cmocka_unit_test(it_ends_within_its_time),
	    cmocka_unit_test(reading_ends_with_its_time),
	    cmocka_unit_test(it_learns_what_it_is_for),
	    cmocka_unit_test(what_it_says_is_kept),
	    cmocka_unit_test(nothing_that_we_were_given_is_open),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
