/* state: a key signs for a run, names the next one and is gone; the root secret leaves with its file. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "place.h"
#include "base/buf.h"
#include "base/io.h"
#include "format/crypto/minisig.h"
#include "read/ledger/ledger.h"
#include "read/ledger/ledger_private.h"
#include "write/state/journal_w.h"
#include "write/state/state_private.h"

static int create_with_root(const struct place *p, const char *root, struct err *err)
{
	char pub[AGE_RECIPIENT_TEXT];
	const struct state_person one = {"insho", age_recipient_format(&p->pub, pub)};

	return state_create_with_root(p->state, "x", &(struct state_keys){&one, 1, NULL}, root, err);
}

static void refused(const struct place *p, const char *code)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(state_open(p->state, &s, &err), -1);
	assert_string_equal(err.code, code);
}

/* The only key's file, or "" */
static const char *only_key(const struct place *p)
{
	static char found[256];
	DIR *d = opendir(p->state);
	struct dirent *e;
	int n = 0;

	found[0] = '\0';
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, "signing-", 8)) {
			snprintf(found, sizeof(found), "%s", e->d_name);
			n++;
		}
	closedir(d);
	return n == 1 ? found : "";
}

/* The clock of a test cannot be moved: the ledger is made to believe that the key is old. */
static void age_epoch(struct state *s)
{
	s->ledger->epoch_ns = 1;
}

static void the_root_secret_leaves_with_its_file(void **state)
{
	BUF_AUTO b = BUF_INIT(4096);
	struct minisig_secret root;
	struct err err = ERR_INIT;
	struct place p;
	struct state *s;
	struct stat st;
	char inside[2 * PATH];
	(void)state;

	new_place(&p);
	assert_int_equal(create_with_root(&p, p.root, &err), 0);
	assert_int_equal(stat(p.root, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(io_read_file(AT_FDCWD, p.root, &b, &err), 0);
	assert_int_equal(minisig_secret_file_parse((char *)b.p, b.n, &root, &err), 0);
	s = open_it(&p);
	assert_memory_equal(&root.pub, ledger_root(state_ledger(s)), sizeof(root.pub));
	state_close(s);
	assert_string_equal(only_key(&p), "signing-2.key");
	end_place(&p);
	/* never over a file, never inside the folder, not where there is no folder */
	new_place(&p);
	assert_int_equal(mkdir(p.state, 0700), 0);
	snprintf(inside, sizeof(inside), "%s/root.key", p.state);
	assert_int_equal(state_check_root_key(p.state, inside, &err), -1);
	assert_string_equal(err.code, "E-STATE-10");
	assert_int_equal(create_with_root(&p, inside, &err), -1);
	snprintf(inside, sizeof(inside), "%s/none/root.key", p.dir);
	assert_int_equal(create_with_root(&p, inside, &err), -1);
	assert_string_equal(err.code, "E-STATE-10");
	assert_int_equal(symlink("/nowhere", p.root), 0);
	assert_int_equal(create_with_root(&p, p.root, &err), -1);
	assert_int_equal(state_check_place(p.state, &err), 0); /* nothing was made */
	assert_int_equal(unlink(p.root), 0);
	assert_int_equal(create_with_root(&p, p.root, &err), 0);
	end_place(&p);
}

static void a_key_lasts_a_run(void **state)
{
	struct minisig_secret before;
	struct err err = ERR_INIT;
	struct place p;
	struct state *s;
	uint64_t seq;
	size_t n;
	(void)state;

	new_place(&p);
	assert_int_equal(state_create(p.state, "x", &p.pub, 1, &err), 0);
	s = open_it(&p);
	seq = ledger_seq(state_ledger(s));
	assert_int_equal(state_new_epoch(s, &err), 0); /* it is young */
	assert_int_equal(state_epoch(s), 2);
	assert_int_equal(ledger_seq(state_ledger(s)), seq);
	for (uint32_t e = 3; e < 6; e++) {
		before = *state_signing(s);
		age_epoch(s);
		assert_int_equal(state_new_epoch(s, &err), 0);
		assert_int_equal(state_epoch(s), e);
		assert_memory_not_equal(&before, state_signing(s), sizeof(before));
		assert_memory_equal(
		    &state_keys(s, &n)[e - 1], &state_signing(s)->pub, sizeof(struct minisig_public));
		assert_int_equal(n, e);
		assert_int_equal(state_append(s, "note", NULL, &err), 0);
		assert_int_equal(state_new_epoch(s, &err), 0); /* once */
		assert_int_equal(state_epoch(s), e);
	}
	state_close(s);
	assert_string_equal(only_key(&p), "signing-5.key");
	s = open_it(&p);
	assert_int_equal(state_epoch(s), 5);
	assert_int_equal(state_append(s, "note", NULL, &err), 0);
	state_close(s);
	end_place(&p);
}

#define SEGMENT "journal/000001.jsonl"

static void copy_file(const struct place *p, const char *from, const char *to)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	int dir = open(p->state, O_RDONLY | O_DIRECTORY);

	assert_int_equal(io_read_file(dir, from, &b, &err), 0);
	if (!strcmp(to, SEGMENT)) {
		assert_int_equal(journal_w_replace(dir, 1, &b, &err), 0);
	} else {
		assert_int_equal(io_replace(dir, to, 0600, b.p, b.n, &err), 0);
	}
	close(dir);
}

static void remove_file(const struct place *p, const char *name)
{
	int dir = open(p->state, O_RDONLY | O_DIRECTORY);

	assert_int_equal(unlinkat(dir, name, 0), 0);
	close(dir);
}

/* What a change of epochs that died left behind, on both sides of its record. */
static void what_a_broken_change_left_is_cleared(void **state)
{
	struct err err = ERR_INIT;
	struct place p;
	struct state *s;
	(void)state;

	new_place(&p);
	assert_int_equal(state_create(p.state, "x", &p.pub, 1, &err), 0);
	copy_file(&p, "signing-2.key", "signing-3.key"); /* made, and nobody was told */
	state_close(open_it(&p));
	assert_string_equal(only_key(&p), "signing-2.key");
	copy_file(&p, "signing-2.key", "kept");
	s = open_it(&p);
	age_epoch(s);
	assert_int_equal(state_new_epoch(s, &err), 0);
	state_close(s);
	copy_file(&p, "kept", "signing-2.key"); /* recorded, and not erased yet */
	s = open_it(&p);
	assert_int_equal(state_epoch(s), 3);
	state_close(s);
	assert_string_equal(only_key(&p), "signing-3.key");
	end_place(&p);
}

/* Parts of state folders of different days: nothing is changed, and it is said. */
static void a_mixture_is_refused_and_kept(void **state)
{
	struct err err = ERR_INIT;
	struct place p;
	struct state *s;
	(void)state;

	new_place(&p);
	assert_int_equal(state_create(p.state, "x", &p.pub, 1, &err), 0);
	copy_file(&p, SEGMENT, "journal.old");
	copy_file(&p, "signing-2.key", "kept");
	for (int i = 0; i < 2; i++) {
		s = open_it(&p);
		age_epoch(s);
		assert_int_equal(state_new_epoch(s, &err), 0);
		state_close(s);
	}
	copy_file(&p, SEGMENT, "journal.new");
	copy_file(&p, "journal.old", SEGMENT);
	refused(&p, "E-STATE-08"); /* the old journal, the new key */
	copy_file(&p, "kept", "signing-2.key");
	refused(&p, "E-STATE-08"); /* the old journal and key, beside the new key */
	copy_file(&p, "journal.new", SEGMENT);
	remove_file(&p, "signing-2.key");
	state_close(open_it(&p)); /* the new one was kept */
	copy_file(&p, "kept", "signing-4.key");
	refused(&p, "E-STATE-04"); /* an old key under the new name */
	remove_file(&p, "signing-4.key");
	refused(&p, "E-STATE-08");
	end_place(&p);
}

static void erasing_overwrites(void **state)
{
	BUF_AUTO b = BUF_INIT(4096);
	struct err err = ERR_INIT;
	char before[64], after[64];
	struct place p;
	int dir, fd;
	(void)state;

	new_place(&p);
	dir = open(p.dir, O_RDONLY | O_DIRECTORY);
	memset(before, 'S', sizeof(before));
	assert_int_equal(io_write_new(dir, "secret", 0600, before, sizeof(before), &err), 0);
	fd = openat(dir, "secret", O_RDONLY); /* who still holds it open */
	assert_int_equal(state_epoch_erase(dir, "secret", &err), 0);
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(after));
	assert_null(memmem(after, sizeof(after), "SSSS", 4));
	close(fd);
	assert_int_equal(faccessat(dir, "secret", F_OK, 0), -1);
	assert_int_equal(state_epoch_erase(dir, "secret", &err), 0); /* nothing to do */
	/* not through a link */
	assert_int_equal(io_write_new(dir, "precious", 0600, before, sizeof(before), &err), 0);
	assert_int_equal(symlinkat("precious", dir, "link"), 0);
	assert_int_equal(state_epoch_erase(dir, "link", &err), -1);
	assert_string_equal(err.code, "E-STATE-09");
	assert_int_equal(io_read_file(dir, "precious", &b, &err), 0);
	assert_memory_equal(b.p, before, sizeof(before));
	close(dir);
	end_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_root_secret_leaves_with_its_file),
	    cmocka_unit_test(a_key_lasts_a_run),
	    cmocka_unit_test(what_a_broken_change_left_is_cleared),
	    cmocka_unit_test(a_mixture_is_refused_and_kept),
	    cmocka_unit_test(erasing_overwrites),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
