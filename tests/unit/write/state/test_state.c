/* state: made in one step, opened by one program, closed to others, and what was acknowledged stays. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "place.h"
#include "unlocked.h"
#include "base/buf.h"
#include "base/io.h"
#include "format/crypto/minisig.h"
#include "read/ledger/ledger.h"
#include "write/state/journal_w.h"

static void make(struct place *p)
{
	struct err err = ERR_INIT;

	new_place(p);
	if (state_create(p->state, "さくら内科クリニック", &p->pub, 1, &err))
		fail_msg("%s %s", err.code, err.msg);
}

static const char *in(const struct place *p, const char *name)
{
	static char path[2 * PATH];

	snprintf(path, sizeof(path), "%s/%s", p->state, name);
	return path;
}

static int refused(const struct place *p, const char *code)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	int r = state_open(p->state, &s, &err);

	assert_int_not_equal(r, 0);
	assert_string_equal(err.code, code);
	return r;
}

static json_t *medium(void)
{
	return json_pack("{s:s, s:s, s:s, s:b}", "medium", "11111111-3c5d-4f60-9a11-2f4b8c0d7e01", "label",
	    "nas", "type", "hdd", "offline", 0);
}

static void what_is_made_can_be_opened(void **state)
{
	static const char *const closed[] = {"secrets.json", "signing-2.key", "journal/000001.jsonl", "lock"};
	struct stat st;
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	const struct minisig_public *keys;
	size_t n;
	(void)state;

	make(&p);
	assert_int_equal(stat(p.state, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(stat(in(&p, closed[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	s = open_it(&p);
	assert_string_equal(state_site(s), "さくら内科クリニック");
	/* the repository's key is nobody's own: people open it */
	assert_memory_not_equal(&state_period(s)->recipient, &p.pub, sizeof(p.pub));
	assert_int_equal(state_period(s)->n_people, 1);
	assert_string_equal(state_period(s)->people[0].name, "holder-1");
	assert_int_equal(state_epoch(s), 2); /* the root key is epoch 1, and is not here any more */
	keys = state_keys(s, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(&keys[0], ledger_root(state_ledger(s)), sizeof(*keys));
	assert_memory_equal(&keys[1], &state_signing(s)->pub, sizeof(*keys));
	assert_int_equal(ledger_seq(state_ledger(s)), 2);
	assert_string_equal(ledger_repository(state_ledger(s)), state_repository(s));
	assert_int_equal(state_append(s, "medium-added", medium(), &err), 0);
	assert_int_equal(ledger_media(state_ledger(s)), 1);
	state_close(s);
	s = open_it(&p);
	assert_int_equal(ledger_seq(state_ledger(s)), 3);
	state_close(s);
	end_place(&p);
}

/* The recovery identity, and nothing in the folder, gives the secrets back. */
static void the_identity_holds_the_secrets(void **state)
{
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	struct age_identity key;
	BUF_AUTO plain = BUF_INIT(4096);
	char hex[2 * STATE_KEY + 1];
	const uint8_t *file;
	size_t n;
	json_t *o;
	(void)state;

	make(&p);
	s = open_it(&p);
	file = state_file(s, STATE_REPOSITORY_AGE, &n);
	assert_int_equal(age_decrypt(file, n, &p.id, 1, &plain, &err), AGE_NO_MATCH);
	key = unlocked(s, &p.id);
	assert_int_equal(age_decrypt(file, n, &key, 1, &plain, &err), 0);
	o = json_loadb((char *)plain.p, plain.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "kind")), "bkp-repository-secrets");
	assert_string_equal(json_string_value(json_object_get(o, "repository")), state_repository(s));
	assert_string_equal(json_string_value(json_object_get(o, "chunk_id_key")),
	    digest_hex(state_chunk_id_key(s), STATE_KEY, hex));
	assert_string_equal(json_string_value(json_object_get(o, "chunker_seed")),
	    digest_hex(state_chunker_seed(s), STATE_KEY, hex));
	assert_memory_not_equal(state_chunk_id_key(s), state_chunker_seed(s), STATE_KEY);
	json_decref(o);
	state_close(s);
	end_place(&p);
}

static void it_is_made_once_and_only_where_nothing_is(void **state)
{
	struct place p;
	struct err err = ERR_INIT;
	char other[2 * PATH];
	(void)state;

	make(&p);
	assert_int_equal(state_create(p.state, "x", &p.pub, 1, &err), STATE_EXISTS);
	assert_string_equal(err.code, "E-STATE-05");
	state_close(open_it(&p));
	snprintf(other, sizeof(other), "%s/other/", p.dir);
	assert_int_equal(mkdir(other, 0755), 0);
	assert_int_equal(state_create(other, "x", &p.pub, 1, &err), 0); /* an empty folder is fine */
	snprintf(other, sizeof(other), "%s", p.dir);
	assert_int_equal(state_create(other, "x", &p.pub, 1, &err), -1);
	assert_string_equal(err.code, "E-STATE-07");
	snprintf(other, sizeof(other), "%s/a/b", p.dir);
	assert_int_equal(state_create(other, "x", &p.pub, 1, &err), -1);
	assert_string_equal(err.code, "E-STATE-06");
	assert_non_null(strstr(err.hint, "mkdir"));
	snprintf(other, sizeof(other), "%s/none", p.dir);
	assert_int_equal(state_create(other, "x", &p.pub, 0, &err), -1); /* nobody could restore */
	assert_int_equal(state_create("/", "x", &p.pub, 1, &err), -1);
	assert_int_equal(access(other, F_OK), -1);
	snprintf(p.state, sizeof(p.state), "%.200s/none", p.dir);
	assert_int_equal(refused(&p, "E-STATE-01"), STATE_ABSENT);
	end_place(&p);
}

static void what_a_dead_init_left_is_replaced(void **state)
{
	struct place p;
	struct err err = ERR_INIT;
	char left[2 * PATH];
	int fd;
	(void)state;

	new_place(&p);
	snprintf(left, sizeof(left), "%s/.state.new", p.dir);
	assert_int_equal(mkdir(left, 0755), 0);
	fd = open(left, O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_write_new(fd, "secrets.json", 0600, "half", 4, &err), 0);
	assert_int_equal(mkdirat(fd, "journal", 0700), 0);
	assert_int_equal(io_write_new(fd, "journal/000001.jsonl", 0600, "", 0, &err), 0);
	close(fd);
	assert_int_equal(state_create(p.state, "x", &p.pub, 1, &err), 0);
	assert_int_equal(access(left, F_OK), -1);
	state_close(open_it(&p));
	end_place(&p);
}

static void secrets_that_others_can_read_are_refused(void **state)
{
	static const char *const names[] = {"secrets.json", "signing-2.key"};
	static const mode_t modes[] = {0640, 0604, 0620, 0666};
	struct place p;
	(void)state;

	make(&p);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 4; k++) {
			struct state *s;
			struct err err = ERR_INIT;

			chmod(in(&p, names[i]), modes[k]);
			assert_int_equal(state_open(p.state, &s, &err), -1);
			assert_string_equal(err.code, "E-STATE-03");
			assert_non_null(strstr(err.hint, "chmod 600"));
			assert_non_null(strstr(err.hint, names[i]));
			chmod(in(&p, names[i]), 0600);
		}
	chmod(p.state, 0750);
	refused(&p, "E-STATE-03");
	chmod(p.state, 0700);
	if (!geteuid()) {
		assert_int_equal(chown(in(&p, "secrets.json"), 65534, 65534), 0);
		refused(&p, "E-STATE-03");
		assert_int_equal(chown(in(&p, "secrets.json"), 0, 0), 0);
	}
	state_close(open_it(&p));
	end_place(&p);
}

static void a_second_program_is_turned_away(void **state)
{
	struct place p;
	struct state *s;
	int status;
	pid_t pid;
	(void)state;

	make(&p);
	s = open_it(&p);
	pid = fork();
	if (!pid) {
		struct state *t;
		struct err err = ERR_INIT;
		int r = state_open(p.state, &t, &err);

		_exit(r == STATE_BUSY && !strcmp(err.code, "E-STATE-02") ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	state_close(s);
	/* one that dies leaves no lock behind */
	pid = fork();
	if (!pid) {
		open_it(&p);
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	state_close(open_it(&p));
	end_place(&p);
}

/* All that a run works with. */
struct essence {
	uint8_t id_key[STATE_KEY], seed[STATE_KEY], head[DIGEST_LEN];
	struct minisig_secret signing;
	struct age_recipient recipient;
	char repository[64], site[64];
};

static void essence_of(const struct state *s, struct essence *e)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->id_key, state_chunk_id_key(s), STATE_KEY);
	memcpy(e->seed, state_chunker_seed(s), STATE_KEY);
	memcpy(e->head, ledger_head(state_ledger(s)), DIGEST_LEN);
	e->signing = *state_signing(s);
	e->recipient = state_period(s)->recipient;
	snprintf(e->repository, sizeof(e->repository), "%s", state_repository(s));
	snprintf(e->site, sizeof(e->site), "%s", state_site(s));
}

/* Comments and unused fields may rot; no key, no fact and no record may. */
static void rot_never_changes_what_a_run_works_with(void **state)
{
	static const char *const names[] = {"secrets.json", "secrets.json.minisig", "signing-2.key",
	    "repository.json", "repository.json.minisig", "repository.age", "journal/000001.jsonl"};
	size_t tried = 0, passed = 0;
	struct essence want, got;
	struct place p;
	struct state *s;
	(void)state;

	make(&p);
	s = open_it(&p);
	essence_of(s, &want);
	state_close(s);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct stat st;
		int fd = open(in(&p, names[i]), O_RDWR);

		assert_int_equal(fstat(fd, &st), 0);
		for (off_t at = 0; at < st.st_size; at++, tried++) {
			struct err err = ERR_INIT;
			char was, now;

			assert_int_equal(pread(fd, &was, 1, at), 1);
			now = (char)(was ^ 4);
			assert_int_equal(pwrite(fd, &now, 1, at), 1);
			if (!state_open(p.state, &s, &err)) {
				essence_of(s, &got);
				assert_memory_equal(&got, &want, sizeof(want));
				assert_true(i == 1 || i == 2 || i == 4);
				state_close(s);
				passed++;
			} else {
				assert_string_not_equal(err.code, "");
			}
			assert_int_equal(pwrite(fd, &was, 1, at), 1);
		}
		close(fd);
		state_close(open_it(&p));
	}
	print_message("%zu bytes changed, %zu of them in comments and unused fields\n", tried, passed);
	end_place(&p);
}

/* A power cut at every byte of a record that is being written. */
static void a_torn_record_goes_and_acknowledged_ones_stay(void **state)
{
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	BUF_AUTO before = BUF_INIT(65536);
	BUF_AUTO after = BUF_INIT(65536);
	size_t whole;
	int fd;
	(void)state;

	make(&p);
	fd = open(p.state, O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_read_file(fd, "journal/000001.jsonl", &before, &err), 0);
	s = open_it(&p);
	assert_int_equal(state_append(s, "medium-added", medium(), &err), 0);
	state_close(s);
	assert_int_equal(io_read_file(fd, "journal/000001.jsonl", &after, &err), 0);
	whole = after.n;
	for (size_t n = before.n; n < whole; n++) {
		BUF_AUTO now = BUF_INIT(65536);

		after.n = n;
		assert_int_equal(journal_w_replace(fd, 1, &after, &err), 0);
		s = open_it(&p);
		assert_int_equal(ledger_seq(state_ledger(s)), 2);
		assert_int_equal(ledger_media(state_ledger(s)), 0);
		assert_int_equal(state_append(s, "medium-added", medium(), &err), 0);
		state_close(s);
		assert_int_equal(io_read_file(fd, "journal/000001.jsonl", &now, &err), 0);
		assert_memory_equal(now.p, before.p, before.n);
		s = open_it(&p);
		assert_int_equal(ledger_seq(state_ledger(s)), 3);
		state_close(s);
	}
	close(fd);
	end_place(&p);
}

static json_t *large(size_t n)
{
	char *p = malloc(n + 1);
	json_t *o;

	memset(p, 'x', n);
	p[n] = '\0';
	o = json_pack("{s:s}", "what", p);
	free(p);
	return o;
}

static off_t size_of(const struct place *p, uint32_t number)
{
	char name[PATH], segment[JOURNAL_NAME];
	struct stat st;

	snprintf(name, sizeof(name), "journal/%s", journal_segment_name(number, segment));
	return stat(in(p, name), &st) ? -1 : st.st_size;
}

/* At its real size: a segment is closed when the next line would make it too long, and never touched again. */
static void a_full_segment_is_closed_and_the_next_begun(void **state)
{
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	off_t first, second;
	(void)state;

	make(&p);
	s = open_it(&p);
	for (int i = 0; i < 8; i++)
		assert_int_equal(state_append(s, "note", large(900000), &err), 0);
	state_close(s);
	first = size_of(&p, 1);
	second = size_of(&p, 2);
	assert_true(first <= (off_t)JOURNAL_SEGMENT_FULL && first + 900000 > (off_t)JOURNAL_SEGMENT_FULL);
	assert_true(second > 3 * 900000 && second <= (off_t)JOURNAL_SEGMENT_FULL);
	assert_int_equal(size_of(&p, 3), -1);
	s = open_it(&p);
	assert_int_equal(ledger_seq(state_ledger(s)), 10);
	assert_int_equal(ledger_size(state_ledger(s)), first + second);
	assert_int_equal(state_append(s, "note", large(500000), &err), 0);
	assert_int_equal(size_of(&p, 3), -1); /* it still went into the second */
	assert_int_equal(state_append(s, "note", NULL, &err), 0);
	state_close(s);
	assert_int_equal(size_of(&p, 1), first);
	end_place(&p);
}

/* A power cut between closing one segment and the newline of the first record of the next, at every byte of it. */
static void nothing_is_lost_between_two_segments(void **state)
{
	BUF_AUTO next = BUF_INIT(65536);
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	off_t first;
	int fd;
	(void)state;

	make(&p);
	s = open_it(&p);
	for (int i = 0; i < 4; i++)
		assert_int_equal(state_append(s, "note", large(980000), &err), 0);
	assert_int_equal(state_append(s, "note", large(200000), &err), 0);
	first = size_of(&p, 1);
	assert_int_equal(size_of(&p, 2), -1);
	assert_int_equal(state_append(s, "note", large(6000), &err), 0);
	state_close(s);
	assert_true(size_of(&p, 2) > 6000);
	fd = open(p.state, O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_read_file(fd, "journal/000002.jsonl", &next, &err), 0);
	for (size_t n = next.n - 1; n<next.n; n = n> 250 ? n - 250 : n > 30 ? n - 30 : n - 1) {
		next.n = n;
		assert_int_equal(journal_w_replace(fd, 2, &next, &err), 0);
		s = open_it(&p);
		assert_int_equal(ledger_seq(state_ledger(s)), 7);
		assert_int_equal(state_append(s, "medium-added", medium(), &err), 0);
		state_close(s);
		s = open_it(&p); /* it stands where the torn one stood */
		assert_int_equal(ledger_seq(state_ledger(s)), 8);
		assert_int_equal(ledger_media(state_ledger(s)), 1);
		state_close(s);
		assert_true(size_of(&p, 1) == first && size_of(&p, 2) > 0 && size_of(&p, 3) == -1);
	}
	/* torn, and another behind it: that is no power cut */
	next.n = 30;
	assert_int_equal(journal_w_replace(fd, 2, &next, &err), 0);
	assert_int_equal(io_write_new(fd, "journal/000003.jsonl", 0600, "", 0, &err), 0);
	refused(&p, "E-JOURNAL-11");
	/* and one that is gone */
	assert_int_equal(unlinkat(fd, "journal/000002.jsonl", 0), 0);
	refused(&p, "E-JOURNAL-11");
	close(fd);
	end_place(&p);
}

/* A disk that has no room for the next segment: the same program goes on there when it has. */
static void a_full_disk_at_the_beginning_of_a_segment(void **state)
{
	struct rlimit was, none;
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	(void)state;

	make(&p);
	s = open_it(&p);
	for (int i = 0; i < 4; i++)
		assert_int_equal(state_append(s, "note", large(980000), &err), 0);
	getrlimit(RLIMIT_FSIZE, &was);
	signal(SIGXFSZ, SIG_IGN);
	none = was;
	none.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(state_append(s, "note", large(300000), &err), -1);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_string_equal(err.code, "E-JOURNAL-22");
	assert_int_equal(size_of(&p, 2), 0);
	assert_int_equal(state_append(s, "medium-added", medium(), &err), 0);
	state_close(s);
	s = open_it(&p);
	assert_int_equal(ledger_seq(state_ledger(s)), 7);
	state_close(s);
	end_place(&p);
}

/* One file was the journal once. */
static void the_journal_of_before_is_named(void **state)
{
	char from[2 * PATH];
	struct place p;
	(void)state;

	make(&p);
	snprintf(from, sizeof(from), "%s", in(&p, "journal/000001.jsonl"));
	assert_int_equal(rename(from, in(&p, "journal.jsonl")), 0);
	assert_int_equal(rmdir(in(&p, "journal")), 0);
	refused(&p, "E-LEDGER-05");
	end_place(&p);
}

/* Someone writes, cuts or replaces the journal while we hold it. */
static void nothing_is_written_behind_a_strange_hand(void **state)
{
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	char aside[2 * PATH];
	int fd;
	(void)state;

	for (int how = 0; how < 5; how++) {
		make(&p);
		s = open_it(&p);
		fd = open(in(&p, "journal/000001.jsonl"), O_RDWR | O_APPEND);
		snprintf(aside, sizeof(aside), "%s/aside", p.dir);
		if (how == 0)
			assert_int_equal(write(fd, "x", 1), 1);
		else if (how == 1)
			assert_int_equal(ftruncate(fd, 10), 0);
		else if (how == 2)
			assert_int_equal(rename(in(&p, "journal/000001.jsonl"), aside), 0);
		else if (how == 3) /* somebody goes on in a new segment */
			close(open(in(&p, "journal/000002.jsonl"), O_WRONLY | O_CREAT | O_EXCL, 0600));
		else {
			/* a restored copy: same bytes, another file */
			BUF_AUTO b = BUF_INIT(65536);
			int dir = open(p.state, O_RDONLY | O_DIRECTORY);

			assert_int_equal(io_read_file(dir, "journal/000001.jsonl", &b, &err), 0);
			assert_int_equal(journal_w_replace(dir, 1, &b, &err), 0);
			close(dir);
		}
		err = (struct err)ERR_INIT;
		assert_int_equal(state_append(s, "medium-added", medium(), &err), -1);
		assert_string_equal(err.code, "E-JOURNAL-21");
		assert_int_equal(ledger_media(state_ledger(s)), 0);
		close(fd);
		state_close(s);
		end_place(&p);
	}
}

/* A disk that fills up in the middle of a record, at every byte of it. */
static void a_full_disk_leaves_no_part_of_a_record(void **state)
{
	struct rlimit was, small;
	struct stat before, now;
	struct place p;
	struct state *s;
	struct err err;
	(void)state;

	make(&p);
	s = open_it(&p);
	assert_int_equal(stat(in(&p, "journal/000001.jsonl"), &before), 0);
	getrlimit(RLIMIT_FSIZE, &was);
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t room = 0; room < 300; room++) {
		err = (struct err)ERR_INIT;
		small = was;
		small.rlim_cur = (rlim_t)before.st_size + room;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		assert_int_equal(state_append(s, "medium-added", medium(), &err), -1);
		setrlimit(RLIMIT_FSIZE, &was);
		assert_string_equal(err.code, "E-JOURNAL-22");
		assert_int_equal(stat(in(&p, "journal/000001.jsonl"), &now), 0);
		assert_int_equal(now.st_size, before.st_size);
		assert_int_equal(ledger_media(state_ledger(s)), 0);
	}
	/* with room again the same program goes on */
	assert_int_equal(state_append(s, "medium-added", medium(), &err), 0);
	state_close(s);
	s = open_it(&p);
	assert_int_equal(ledger_seq(state_ledger(s)), 3);
	state_close(s);
	end_place(&p);
}

static void a_record_that_cannot_be_is_not_written(void **state)
{
	struct place p;
	struct state *s;
	struct err err = ERR_INIT;
	struct stat before, after;
	(void)state;

	make(&p);
	s = open_it(&p);
	assert_int_equal(stat(in(&p, "journal/000001.jsonl"), &before), 0);
	assert_int_equal(state_append(s, "committed", json_object(), &err), -1);
	assert_int_equal(state_append(s, "init", json_object(), &err), -1);
	assert_int_equal(state_append(s, "note", json_pack("{s:i}", "seq", 1), &err), -1);
	assert_int_equal(stat(in(&p, "journal/000001.jsonl"), &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(state_append(s, "medium-added", medium(), &err), 0);
	state_close(s);
	end_place(&p);
}

static void the_actor_is_named_safely(void **state)
{
	char by[JOURNAL_W_BY];
	(void)state;

	unsetenv("SUDO_USER");
	assert_null(strchr(journal_w_by(by), '('));
	setenv("SUDO_USER", "tanaka", 1);
	assert_non_null(strstr(journal_w_by(by), " (sudo tanaka)"));
	setenv("SUDO_USER", "a\") \n\x1b[31m\xff", 1);
	assert_non_null(strstr(journal_w_by(by), " (sudo a______31m_)"));
	unsetenv("SUDO_USER");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_made_can_be_opened),
	    cmocka_unit_test(the_identity_holds_the_secrets),
	    cmocka_unit_test(it_is_made_once_and_only_where_nothing_is),
	    cmocka_unit_test(what_a_dead_init_left_is_replaced),
	    cmocka_unit_test(secrets_that_others_can_read_are_refused),
	    cmocka_unit_test(a_second_program_is_turned_away),
	    cmocka_unit_test(rot_never_changes_what_a_run_works_with),
	    cmocka_unit_test(a_torn_record_goes_and_acknowledged_ones_stay),
	    cmocka_unit_test(a_full_segment_is_closed_and_the_next_begun),
	    cmocka_unit_test(nothing_is_lost_between_two_segments),
	    cmocka_unit_test(a_full_disk_at_the_beginning_of_a_segment),
	    cmocka_unit_test(the_journal_of_before_is_named),
	    cmocka_unit_test(nothing_is_written_behind_a_strange_hand),
	    cmocka_unit_test(a_full_disk_leaves_no_part_of_a_record),
	    cmocka_unit_test(a_record_that_cannot_be_is_not_written),
	    cmocka_unit_test(the_actor_is_named_safely),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
