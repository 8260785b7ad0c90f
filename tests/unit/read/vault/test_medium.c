/* medium: a place is a medium only by its signed identity. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "unit.h"
#include "place.h"
#include "base/buf.h"
#include "base/io.h"
#include "format/crypto/minisig.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "write/media/medium_w.h"

struct site {
	struct place at;
	char medium[PATH];
	struct state *state;
	char uuid[JOURNAL_UUID];
};

static void begin(struct site *s)
{
	struct err err = ERR_INIT;

	new_place(&s->at);
	snprintf(s->medium, sizeof(s->medium), "%.200s/m1", s->at.dir);
	assert_int_equal(mkdir(s->medium, 0755), 0);
	assert_int_equal(state_create(s->at.state, "site", &s->at.pub, 1, &err), 0);
	s->state = open_it(&s->at);
}

static void finish(struct site *s)
{
	state_close(s->state);
	end_place(&s->at);
}

static int register_it(struct site *s, const char *label, struct err *err)
{
	return medium_w_register(s->state, s->medium, label, "rdx", s->uuid, err);
}

/* What medium_open() says; the code of the error behind it. */
static int look(const struct site *s, const char *path, const char *uuid, char *code)
{
	struct medium_expect want = {
	    .repository = state_repository(s->state), .uuid = uuid, .label = "RDX-01"};
	struct err err = ERR_INIT;
	struct medium *m;
	int r;

	want.keys = state_keys(s->state, &want.n_keys);
	r = medium_open(path, &want, &m, &err);
	if (!r)
		medium_close(m);
	else
		assert_true(err.msg[0] && (r < 0 || err.hint[0])); /* the next action is always named */
	snprintf(code, 16, "%s", err.code);
	return r;
}

static void a_registered_medium_is_known_again(void **state)
{
	struct medium_expect want = {.label = "RDX-01"};
	struct site s;
	struct medium *m;
	struct err err = ERR_INIT;
	char again[JOURNAL_UUID];
	(void)state;

	begin(&s);
	assert_int_equal(register_it(&s, "RDX-01", &err), 0);
	want.keys = state_keys(s.state, &want.n_keys);
	assert_int_equal(medium_open(s.medium, &want, &m, &err), 0);
	assert_string_equal(medium_uuid(m), s.uuid);
	assert_string_equal(medium_label(m), "RDX-01");
	assert_string_equal(medium_type(m), "rdx");
	assert_string_equal(medium_repository(m), state_repository(s.state));
	assert_true(store_has(medium_repo(m), REPOSITORY_JSON));
	assert_true(store_has(medium_store(m), MEDIUM_JSON));
	medium_close(m);
	memcpy(again, s.uuid, sizeof(again));
	assert_int_equal(register_it(&s, "RDX-01", &err), MEDIUM_W_FOUND);
	assert_string_equal(again, s.uuid);
	assert_int_equal(register_it(&s, "RDX-02", &err), -1);
	assert_string_equal(err.code, "E-MEDIA-13");
	finish(&s);
}

static void what_is_not_the_medium_is_told_apart(void **state)
{
	char code[16], path[2 * PATH];
	struct site a, b;
	struct err err = ERR_INIT;
	(void)state;

	begin(&a);
	begin(&b);
	assert_int_equal(look(&a, a.medium, NULL, code), MEDIUM_ABSENT);
	snprintf(path, sizeof(path), "%s/none", a.at.dir);
	assert_int_equal(look(&a, path, NULL, code), MEDIUM_ABSENT);
	assert_string_equal(code, "E-MEDIA-01");
	assert_int_equal(register_it(&a, "RDX-01", &err), 0);
	assert_int_equal(register_it(&b, "RDX-01", &err), 0);
	assert_int_equal(look(&a, a.medium, a.uuid, code), 0);
	assert_int_equal(look(&a, b.medium, NULL, code), MEDIUM_FOREIGN);
	assert_string_equal(code, "E-MEDIA-02");
	assert_int_equal(look(&a, a.medium, b.uuid, code), MEDIUM_OTHER);
	assert_string_equal(code, "E-MEDIA-04");
	/* b's medium is not made ours, and not a byte of it changes */
	assert_int_equal(medium_w_register(a.state, b.medium, "RDX-01", "rdx", a.uuid, &err), -1);
	assert_int_equal(look(&b, b.medium, b.uuid, code), 0);
	finish(&a);
	finish(&b);
}

static void every_changed_byte_of_an_identity_is_noticed(void **state)
{
	static const char *const names[] = {MEDIUM_JSON, MEDIUM_SIG};
	char code[16], path[2 * PATH];
	struct site s;
	struct err err = ERR_INIT;
	size_t tried = 0;
	(void)state;

	begin(&s);
	assert_int_equal(register_it(&s, "RDX-01", &err), 0);
	for (int i = 0; i < 2; i++) {
		struct stat st;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", s.medium, names[i]);
		assert_int_equal(chmod(path, 0644), 0);
		fd = open(path, O_RDWR);
		assert_int_equal(fstat(fd, &st), 0);
		for (off_t at = 0; at < st.st_size; at++, tried++) {
			char was, now;
			int r;

			assert_int_equal(pread(fd, &was, 1, at), 1);
			now = (char)(was ^ 2);
			assert_int_equal(pwrite(fd, &now, 1, at), 1);
			r = look(&s, s.medium, s.uuid, code);
			/* the first line of the signature file is a comment that nothing signs */
			if (i == 0)
				assert_true(r == MEDIUM_FORGED || r == MEDIUM_FOREIGN);
			else
				assert_true(r == MEDIUM_FORGED || (r == 0 && at < 80));
			assert_int_equal(pwrite(fd, &was, 1, at), 1);
		}
		close(fd);
	}
	print_message("%zu bytes changed\n", tried);
	assert_int_equal(look(&s, s.medium, s.uuid, code), 0);
	snprintf(path, sizeof(path), "%s/%s", s.medium, MEDIUM_SIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(look(&s, s.medium, s.uuid, code), MEDIUM_FORGED);
	finish(&s);
}

/* The repository's own signature of something else does not make an identity. */
static void a_signature_of_something_else_does_not_count(void **state)
{
	char code[16];
	BUF_AUTO json = BUF_INIT(MEDIUM_MAX);
	BUF_AUTO sig = BUF_INIT(MEDIUM_MAX);
	struct site s;
	struct err err = ERR_INIT;
	char comment[MINISIG_COMMENT_MAX];
	int fd;
	(void)state;

	begin(&s);
	assert_int_equal(register_it(&s, "RDX-01", &err), 0);
	fd = open(s.medium, O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_read_file(fd, MEDIUM_JSON, &json, &err), 0);
	assert_int_equal(
	    minisig_sign(state_signing(s.state), json.p, json.n,
		repository_comment("repository", state_repository(s.state), comment), &sig, &err),
	    0);
	assert_int_equal(io_replace(fd, MEDIUM_SIG, 0444, sig.p, sig.n, &err), 0);
	assert_int_equal(look(&s, s.medium, s.uuid, code), MEDIUM_FORGED);
	close(fd);
	finish(&s);
}

static void another_repositorys_files_are_not_mixed_with_ours(void **state)
{
	char path[2 * PATH];
	struct site s;
	struct err err = ERR_INIT;
	struct stat st;
	int fd;
	(void)state;

	begin(&s);
	snprintf(path, sizeof(path), "%s/%s", s.medium, state_repository(s.state));
	assert_int_equal(mkdir(path, 0755), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_write_new(fd, REPOSITORY_JSON, 0644, "{}\n", 3, &err), 0);
	assert_int_equal(register_it(&s, "RDX-01", &err), -1);
	assert_string_equal(err.code, "E-MEDIA-11");
	assert_int_equal(fstatat(fd, REPOSITORY_JSON, &st, 0), 0);
	assert_int_equal(st.st_size, 3);
	close(fd);
	snprintf(path, sizeof(path), "%s/%s", s.medium, MEDIUM_JSON);
	assert_int_equal(access(path, F_OK), -1);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_registered_medium_is_known_again),
	    cmocka_unit_test(what_is_not_the_medium_is_told_apart),
	    cmocka_unit_test(every_changed_byte_of_an_identity_is_noticed),
	    cmocka_unit_test(a_signature_of_something_else_does_not_count),
	    cmocka_unit_test(another_repositorys_files_are_not_mixed_with_ours),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
