/* repository: the keys of later epochs count as far as each is named by the one before it, and no further. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"
#include "read/store/store_dir.h"
#include "read/vault/repository.h"

#define REPO   "0b54aa2e-3c5d-4f60-9a11-2f4b8c0d7e01"
#define OTHER  "99999999-3c5d-4f60-9a11-2f4b8c0d7e01"
#define EPOCHS 6

struct place {
	char dir[64];
	int fd;
	struct minisig_secret keys[EPOCHS]; /* of epoch 1 … */
};

static struct minisig_secret secret(uint8_t n)
{
	struct minisig_secret s;
	uint8_t seed[32];

	memset(seed, n, sizeof(seed));
	minisig_from_seed(seed, &s);
	return s;
}

/* A record of that event, signed with `sec`, as of `epoch`; what `prev` is does not matter to a link. */
static void add(struct buf *out, uint64_t seq, const char *repo, const char *event, json_t *members,
    uint32_t epoch, const struct minisig_secret *sec)
{
	struct journal_frame f = {.seq = seq,
	    .stamp = {.wall_ns = 1795226400000000000, .boot_id = "b"},
	    .version = "1",
	    .by = "root",
	    .repository = repo,
	    .epoch = epoch};
	struct err err = ERR_INIT;

	assert_int_equal(journal_build(&f, event, members, sec, out, &err), 0);
	assert_int_equal(buf_append(out, "\n", 1, &err), 0);
	json_decref(members);
}

static json_t *names(int next, const struct minisig_secret *sec)
{
	char key[MINISIG_KEY_TEXT];

	return json_pack("{s:i, s:s}", "next", next, "key", minisig_public_format(&sec->pub, key));
}

/* The link that names the key of epoch n + 1, signed with that of epoch n. */
static void link_to(struct place *p, struct buf *out, int n)
{
	add(out, (uint64_t)n * 10, REPO, "epoch", names(n + 1, &p->keys[n]), (uint32_t)n, &p->keys[n - 1]);
}

static void open_place(struct place *p)
{
	char key[MINISIG_KEY_TEXT], comment[MINISIG_COMMENT_MAX];
	BUF_AUTO json = BUF_INIT(4096);
	BUF_AUTO sig = BUF_INIT(4096);
	struct err err = ERR_INIT;

	for (int i = 0; i < EPOCHS; i++)
		p->keys[i] = secret((uint8_t)(i + 1));
	snprintf(p->dir, sizeof(p->dir), "/tmp/bkp-repository-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(
	    buf_printf(&json, &err,
		"{\"format\":1,\"kind\":\"bkp-repository\",\"repository\":\"" REPO
		"\",\"site\":\"s\",\"created\":\"2026-11-21T02:00:00Z\",\"keys\":[{\"epoch\":1,\"public\":\"%"
		"s\"}],"
		"\"recipients\":[\"age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\"],"
		"\"secrets_sha256\":\"%064d\"}\n",
		minisig_public_format(&p->keys[0].pub, key), 0),
	    0);
	assert_int_equal(minisig_sign(&p->keys[0], json.p, json.n,
			     repository_comment("repository", REPO, comment), &sig, &err),
	    0);
	assert_int_equal(io_write_new(p->fd, REPOSITORY_JSON, 0644, json.p, json.n, &err), 0);
	assert_int_equal(io_write_new(p->fd, REPOSITORY_SIG, 0644, sig.p, sig.n, &err), 0);
}

static void close_place(struct place *p)
{
	unlinkat(p->fd, "journal/000001.jsonl", 0);
	unlinkat(p->fd, "journal", AT_REMOVEDIR);
	unlinkat(p->fd, REPOSITORY_LINKS, 0);
	unlinkat(p->fd, REPOSITORY_JSON, 0);
	unlinkat(p->fd, REPOSITORY_SIG, 0);
	close(p->fd);
	assert_int_equal(rmdir(p->dir), 0);
}

/* How many keys a reader knows with these bytes in keys.jsonl (NULL: no such file), and what it says. */
static size_t known(struct place *p, const struct buf *links, const char *fault)
{
	struct repository *r;
	struct err err = ERR_INIT;
	const struct minisig_public *keys;
	struct store folder;
	size_t n;

	unlinkat(p->fd, REPOSITORY_LINKS, 0);
	if (links)
		assert_int_equal(io_write_new(p->fd, REPOSITORY_LINKS, 0644, links->n ? (char *)links->p : "",
				     links->n, &err),
		    0);
	folder = store_dir_of(p->fd);
	if (repository_load(&folder, &p->keys[0].pub, &r, &err) || repository_load_keys(r, &folder, &err))
		fail_msg("%s %s", err.code, err.msg);
	assert_string_equal(repository_keys_fault(r)->code, fault);
	keys = repository_keys(r, &n);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(&keys[i], &p->keys[i].pub, sizeof(keys[i]));
	repository_free(r);
	return n;
}

static void each_key_is_named_by_the_one_before_it(void **state)
{
	BUF_AUTO b = BUF_INIT(65536);
	struct place p;
	(void)state;

	open_place(&p);
	assert_int_equal(known(&p, NULL, ""), 1); /* an old medium */
	assert_int_equal(known(&p, &b, ""), 1);
	for (int n = 1; n < EPOCHS; n++) {
		link_to(&p, &b, n);
		assert_int_equal(known(&p, &b, ""), n + 1);
	}
	close_place(&p);
}

static void a_forged_link_and_what_follows_it_do_not_count(void **state)
{
	struct minisig_secret thief = secret(99);
	struct place p;
	(void)state;

	open_place(&p);
	for (int how = 0; how < 9; how++) {
		BUF_AUTO b = BUF_INIT(65536);

		link_to(&p, &b, 1);
		if (how == 0) /* by nobody we know */
			add(&b, 20, REPO, "epoch", names(3, &thief), 2, &thief);
		else if (how == 1) /* by a key that was replaced */
			add(&b, 20, REPO, "epoch", names(3, &thief), 1, &p.keys[0]);
		else if (how == 2) /* what the root key signed and is no link */
			add(&b, 20, REPO, "begin", names(3, &p.keys[2]), 2, &p.keys[0]);
		else if (how == 3) /* a gap */
			add(&b, 20, REPO, "epoch", names(4, &p.keys[2]), 2, &p.keys[1]);
		else if (how == 4) /* of another repository */
			add(&b, 20, OTHER, "epoch", names(3, &p.keys[2]), 2, &p.keys[1]);
		else if (how == 5) /* no link, though signed as one */
			add(&b, 20, REPO, "begin", names(3, &p.keys[2]), 2, &p.keys[1]);
		else if (how == 6) /* earlier than the one before it */
			add(&b, 10, REPO, "epoch", names(3, &p.keys[2]), 2, &p.keys[1]);
		else if (how == 7) /* no key */
			add(&b, 20, REPO, "epoch", json_pack("{s:i, s:s}", "next", 3, "key", "RWhello"), 2,
			    &p.keys[1]);
		else /* the second one once more */
			link_to(&p, &b, 1);
		link_to(&p, &b, 3);
		assert_int_equal(known(&p, &b, "E-REPO-05"), 2);
	}
	close_place(&p);
}

/* Another host goes on: the key of the lost one is in the root key's place; of the epochs between none is. */
static void the_root_key_may_name_any_next_key(void **state)
{
	struct place p;
	(void)state;

	open_place(&p);
	for (int by = 0; by < 2; by++) {
		BUF_AUTO b = BUF_INIT(65536);

		link_to(&p, &b, 1);
		link_to(&p, &b, 2);
		add(&b, 30, REPO, "epoch", names(4, &p.keys[3]), 3, &p.keys[by]);
		assert_int_equal(known(&p, &b, by ? "E-REPO-05" : ""), by ? 3 : 4);
	}
	close_place(&p);
}

static void no_byte_of_a_list_of_keys_can_be_changed(void **state)
{
	BUF_AUTO good = BUF_INIT(65536);
	size_t whole = 0;
	struct place p;
	(void)state;

	open_place(&p);
	for (int n = 1; n < 4; n++)
		link_to(&p, &good, n);
	for (size_t at = 0; at < good.n; at++) {
		good.p[at] ^= 4;
		whole += known(&p, &good, "E-REPO-05") == 4;
		good.p[at] ^= 4;
	}
	for (size_t n = 1; n < good.n; n += 7) {
		struct buf cut = {good.p, n, good.cap, good.max};
		bool at_line = good.p[n - 1] == '\n';

		assert_true(known(&p, &cut, at_line ? "" : "E-REPO-05") < 4);
	}
	assert_int_equal(whole, 0);
	close_place(&p);
}

/* What keys.jsonl lost, the copy of the journal has. */
static void the_journal_helps_where_the_list_is_lost(void **state)
{
	BUF_AUTO journal = BUF_INIT(65536);
	BUF_AUTO links = BUF_INIT(65536);
	BUF_AUTO junk = BUF_INIT(65536);
	struct err err = ERR_INIT;
	struct place p;
	int dir;
	(void)state;

	open_place(&p);
	add(&journal, 1, REPO, "init", json_pack("{s:s}", "note", ",\"event\":\"epoch\",\"next\":2"), 1,
	    &p.keys[0]);
	for (int n = 1; n < 5; n++) {
		link_to(&p, &journal, n);
		add(&journal, (uint64_t)n * 10 + 1, REPO, "note", NULL, (uint32_t)n + 1, &p.keys[n]);
		if (n < 3)
			link_to(&p, &links, n);
	}
	assert_int_equal(buf_puts(&journal, "{\"seq\":99,\"torn", &err), 0);
	assert_int_equal(mkdirat(p.fd, "journal", 0755), 0);
	dir = openat(p.fd, "journal", O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_write_new(dir, "000001.jsonl", 0644, journal.p, journal.n, &err), 0);
	close(dir);
	assert_int_equal(known(&p, NULL, "E-REPO-04"), 5);
	assert_int_equal(known(&p, &links, ""), 3); /* whole in itself: nothing else is asked */
	assert_int_equal(buf_puts(&junk, "junk\n", &err), 0);
	assert_int_equal(known(&p, &junk, "E-REPO-05"), 5);
	close_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_key_is_named_by_the_one_before_it),
	    cmocka_unit_test(a_forged_link_and_what_follows_it_do_not_count),
	    cmocka_unit_test(the_root_key_may_name_any_next_key),
	    cmocka_unit_test(no_byte_of_a_list_of_keys_can_be_changed),
	    cmocka_unit_test(the_journal_helps_where_the_list_is_lost),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
