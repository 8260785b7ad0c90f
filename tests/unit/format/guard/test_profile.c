/* profile, inside: files made of each kind, and each made by hand what ransomware makes of it behind its beginning; signs: what is alien. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>
#include <zlib.h>

#include "unit.h"
#include "format/guard/kind.h"
#include "format/guard/profile.h"
#include "format/guard/signs.h"

#define SIZE ((size_t)300 << 10)

static uint8_t file[SIZE + 4096], harmed[SIZE + 4096];
static size_t n_file;

static uint64_t drawn = 1; /* xorshift: what it draws is the same each time, and it draws quickly */

static uint32_t draw(uint32_t below)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	drawn ^= drawn << 17;
	return (uint32_t)(drawn >> 32) % below;
}

static void draw_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)draw(256);
}

/* ---- files ---- */

static void put(const void *p, size_t n)
{
	assert_true(n_file + n <= sizeof(file));
	memcpy(file + n_file, p, n);
	n_file += n;
}

static void put_words(const char *words)
{
	put(words, strlen(words));
}

static void put_text(size_t n)
{
	static const char *const words[] = {"佐藤", "血圧 128/76", "再診", "処方", "the", "patient",
	    "2026-11-20", "\n", "所見なし", ", ", "12.5"};

	for (size_t end = n_file + n; n_file < end;) {
		const char *w = words[draw(11)];

		put(w, strlen(w));
		put(" ", 1);
	}
}

static void make_text(size_t n)
{
	n_file = 0;
	put_text(n);
}

static void make_jpeg(size_t n)
{
	static const uint8_t head[] = {
	    0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};

	n_file = 0;
	put(head, sizeof(head));
	for (int i = 0; i < 4; i++) { /* tables have markers of their own */
		static const uint8_t table[66] = {0xff, 0xdb, 0, 67};

		put(table, sizeof(table));
	}
	while (n_file < n) {
		uint8_t b = (uint8_t)draw(256);

		put(&b, 1);
		if (b == 0xff)
			put("", 1);
	}
	put("\xff\xd9", 2);
}

static void make_zip(size_t n)
{
	struct archive *a = archive_write_new();
	size_t used = 0;

	make_text(SIZE - 4096);
	memcpy(harmed, file, n_file);
	archive_write_set_format_zip(a);
	assert_int_equal(archive_write_open_memory(a, file, sizeof(file), &used), ARCHIVE_OK);
	for (int i = 0; used < n && i < 60; i++) {
		struct archive_entry *e = archive_entry_new();
		size_t len = 1000 + draw(9000);
		char name[32];

		snprintf(name, sizeof(name), "word/part%d.xml", i);
		archive_entry_set_pathname(e, name);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_size(e, (la_int64_t)len);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		assert_int_equal(archive_write_data(a, harmed + draw(100000), len), (la_ssize_t)len);
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	n_file = used;
}

static void make_pdf(size_t n)
{
	static uint8_t packed[SIZE];
	uLongf len = sizeof(packed);

	make_text(n);
	assert_int_equal(compress(packed, &len, file, n_file), Z_OK);
	n_file = 0;
	put_words("%PDF-1.4\n1 0 obj\n<< /Length 9 /Filter /FlateDecode >>\nstream\n");
	put(packed, len);
	put_words("\nendstream\nendobj\nstartxref\n9\n%%EOF\n");
}

/* 12 bits in two bytes, as a CT has them. */
static void make_dicom(size_t n)
{
	n_file = 0;
	memset(file, 0, 128);
	n_file = 128;
	put("DICM", 4);
	while (n_file < n) {
		uint16_t v = (uint16_t)(900 + draw(300));

		put(&v, 2);
	}
}

static void make_doc(size_t n)
{
	n_file = 0;
	put("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	put_text(n);
}

/* Of no known format, and random before and after. */
static void make_random(size_t n)
{
	draw_bytes(file, n_file = n);
	file[0] = 'x';
}

static const struct made {
	const char *name;
	void (*make)(size_t n);
	bool thin;
} kinds[] = {{"text", make_text, true}, {"jpeg", make_jpeg, false}, {"zip", make_zip, false},
    {"pdf", make_pdf, false}, {"dicom", make_dicom, true}, {"doc", make_doc, true}};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* ---- looking ---- */

/* In pieces of that size. */
static struct profile look(const uint8_t *p, size_t n, size_t piece)
{
	static struct profile_reader r;
	struct profile ret;

	profile_begin(&r, draw(1u << 31), true);
	for (size_t at = 0; at < n; at += piece)
		profile_feed(&r, p + at, n - at < piece ? n - at : piece);
	profile_end(&r, &ret);
	return ret;
}

static struct profile look_at_file(void)
{
	return look(file, n_file, SIZE);
}

/* ---- harm ---- */

#define TRIES 9U
enum {
	ALL,
	BEHIND_256,
	BEHIND_4K,
	ENDS_KEPT,
	EVERY_OTHER_16,
	EVERY_OTHER_8K,
	HALVES,
	BASE64,
	HEX,
	ZEROS,
	TEXT,
	HOWS
};
static const char *const hows[] = {"all", "behind 256 bytes", "behind 4 KiB", "ends kept",
    "every other 16 bytes", "every other 8 KiB", "the second half", "base64", "hex", "zeros behind 256",
    "text"};

static void encrypt(size_t from, size_t to)
{
	if (from < to && to <= n_file)
		draw_bytes(harmed + from, to - from);
}

static void harm(int how)
{
	static char b64[2 * SIZE];

	memcpy(harmed, file, n_file);
	switch (how) {
	case ALL:
		encrypt(0, n_file);
		return;
	case BEHIND_256:
		encrypt(256, n_file);
		return;
	case BEHIND_4K:
		encrypt(4096, n_file);
		return;
	case ENDS_KEPT:
		encrypt(1024, n_file - 1024);
		return;
	case EVERY_OTHER_16:
		for (size_t at = 16; at + 16 <= n_file; at += 32)
			encrypt(at, at + 16);
		return;
	case EVERY_OTHER_8K:
		for (size_t at = 8192; at < n_file; at += 16384)
			encrypt(at, at + 8192 < n_file ? at + 8192 : n_file);
		return;
	case HALVES:
		encrypt(n_file / 2, n_file);
		return;
	case BASE64:
		draw_bytes(harmed, n_file);
		sodium_bin2base64(
		    b64, sizeof(b64), harmed, n_file / 4 * 3 - 8, sodium_base64_VARIANT_ORIGINAL);
		memcpy(harmed, b64, n_file - 16);
		memset(harmed + n_file - 16, 'A', 16);
		return;
	case HEX:
		draw_bytes(harmed, n_file);
		sodium_bin2hex(b64, sizeof(b64), harmed, n_file / 2);
		memcpy(harmed, b64, n_file / 2 * 2);
		return;
	case ZEROS:
		memset(harmed + 256, 0, n_file - 256);
		return;
	default:
		for (size_t i = 0; i < n_file; i++)
			harmed[i] = (uint8_t) "The patient is well, see again in two weeks.\n"[i % 45];
	}
}

/* What cannot be told of one file, and why. */
static bool cannot_be_told(const char *name, int how, size_t size)
{
	if (how == TEXT)
		return !strcmp(name, "text") ||
		       !strcmp(name, "doc"); /* text for text; a document saved as text */
	if (!strcmp(name, "doc")) /* pictures are pasted into documents: only when nearly all is random */
		return how == EVERY_OTHER_16 || how == EVERY_OTHER_8K || how == HALVES ||
		       (how == BEHIND_4K && size < 50000) || (how == ENDS_KEPT && size < 8192);
	if (!strcmp(name, "dicom") && how == EVERY_OTHER_8K && size < 50000) /* two windows of five */
		return true;
	if (!strcmp(name, "dicom") && how == EVERY_OTHER_16) /* half of it is as it was: not evenly spread */
		return true;
	return how == BEHIND_4K && size < 8192;
}

static void what_ransomware_leaves_is_told(void **state)
{
	static const size_t sizes[] = {6000, 40000, 200000};
	(void)state;

	for (size_t k = 0; k < KINDS; k++)
		for (size_t s = 0; s < 3; s++)
			for (int how = 0; how < HOWS; how++) {
				unsigned told = 0;

				for (unsigned again = 0; again < TRIES; again++) {
					struct profile before, now;

					kinds[k].make(sizes[s]);
					before = look_at_file();
					harm(how);
					now = look(harmed, n_file, 70000);
					told += profile_harm(&before, &now, true) ||
						!memcmp(file, harmed, n_file);
				}
				/* windows are samples: of a small file that is harmed in part some are missed */
				if (told * 3 < TRIES * 2 && !cannot_be_told(kinds[k].name, how, n_file))
					fail_msg("%s of %zu bytes, %s: told %u times of %u", kinds[k].name,
					    n_file, hows[how], told, TRIES);
			}
}

static void whole_files_are_well(void **state)
{
	static const size_t sizes[] = {300, 3000, 6000, 40000, 200000};
	struct profile zip;
	(void)state;

	for (size_t k = 0; k < KINDS; k++)
		for (size_t s = 0; s < 5; s++)
			for (int again = 0; again < 12; again++) {
				struct profile first, second;
				enum profile_sign sign;

				kinds[k].make(sizes[s]);
				first = look(file, n_file, again % 2 ? 1000 : SIZE);
				sign = profile_sign(&first);
				if (sign != SIGN_NONE && sign != SIGN_TEXT)
					fail_msg("%s of %zu bytes: sign %d (kind %u, inside %x)",
					    kinds[k].name, n_file, sign, first.kind, first.inside);
				kinds[k].make(sizes[s] + sizes[s] / 3);
				second = look_at_file();
				if (profile_harm(&first, &second, false))
					fail_msg(
					    "%s of %zu bytes, another of its kind: told as harm (%x → %x)",
					    kinds[k].name, n_file, first.inside, second.inside);
			}
	make_zip(20000);
	zip = look_at_file();
	assert_int_equal(profile_soundness(&zip), INSIDE_PROVEN);
}

static void what_is_random_stays_so(void **state)
{
	(void)state;
	for (unsigned again = 0; again < 400; again++) {
		struct profile before, now;

		make_random(3000 + draw(40000));
		before = look_at_file();
		make_random(3000 + draw(40000));
		now = look_at_file();
		assert_int_equal(profile_harm(&before, &now, false), 0);
		assert_int_equal(profile_sign(&now), SIGN_OPAQUE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_files_are_well),
	    cmocka_unit_test(what_is_random_stays_so),
	    cmocka_unit_test(what_ransomware_leaves_is_told),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
