/* cmd_journal_find: bkp journal find: which record is it that a paper names by the first digits of a hash?
 *
 * Found are records whose own hash begins so (the head of a day, as it stands at the foot of every form), and those that name such a hash
 * (of a policy, a manifest, a procedure).  The whole journal is checked before anything of it is shown. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/cmd_journal.h"
#include "cmd/show/journal_words.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"

#define DIGITS_MIN 8
#define MEMBER	   64
#define SHOWN_MAX  200

struct finding {
	struct app *app;
	const struct ledger *l;
	char digits[DIGEST_HEX];
	uint64_t number;   /* that the paper names; 0: none was given */
	json_t *rows;	   /* of --json */
	uint64_t own, all; /* records whose own hash it is; all that were found */
	bool agrees;	   /* one of them has the number */
};

static bool begins(const char *hex, const char *digits)
{
	return hex && strlen(hex) == DIGEST_HEX - 1 && !strncmp(hex, digits, strlen(digits));
}

/* The member that holds it, at any depth; false: none does. */
static bool find_member(const json_t *v, const char *key, const char *digits, char ret[MEMBER])
{
	const char *k;
	const json_t *in;
	size_t i;

	if (begins(json_string_value(v), digits)) {
		snprintf(ret, MEMBER, "%s", key);
		return true;
	}
	json_object_foreach((json_t *)v, k, in)
	{
		if (strcmp(k, "prev") != 0 && find_member(in, k, digits, ret))
			return true;
	}
	json_array_foreach((json_t *)v, i, in)
	{
		if (find_member(in, key, digits, ret))
			return true;
	}
	return false;
}

static int keep_row(
    struct finding *f, const struct journal_record *r, const char *hex, const char *member, const char *words)
{
	return json_array_append_new(f->rows,
	    json_pack("{s:I, s:s, s:s, s:s, s:s, s:s*, s:o}", "record", (json_int_t)r->seq, "sha256", hex,
		"time", journal_text(r->json, "time"), "event", r->event, "what", words, "member", member,
		"number_agrees", f->number ? json_boolean(f->number == r->seq) : json_null()));
}

static void print_row(const struct finding *f, const struct journal_record *r, const char *hex,
    const char *member, const char *words)
{
	char time[CLOCK_TEXT], show[MEMBER * 4];

	printf(text("record %ju of %ju, %s, SHA-256 %s\n"), (uintmax_t)r->seq, (uintmax_t)ledger_seq(f->l),
	    clock_format_local(r->wall_ns, time), hex);
	printf("  %s: %s\n", r->event, words);
	if (member)
		printf(text("  it is not this record's own: its '%s' begins so\n"),
		    path_show(member, show, sizeof(show)));
	else if (f->number)
		printf("  %s\n", f->number == r->seq ? text("○ the number is that of the paper")
						     : text("× the paper has another number"));
}

static int look_at(void *arg, const struct journal_record *r, struct err *err)
{
	struct finding *f = arg;
	const struct ledger_head *h = ledger_head_of(f->l, r->seq);
	char hex[DIGEST_HEX], words[JOURNAL_WORDS], member[MEMBER];
	bool own;

	digest_hex(h->sha256, DIGEST_LEN, hex);
	own = begins(hex, f->digits);
	if (!own && !find_member(r->json, "", f->digits, member))
		return 0;
	f->own += own;
	f->agrees |= own && f->number == r->seq;
	if (f->all++ >= SHOWN_MAX)
		return 0;
	journal_words_what(r, words);
	if (f->app->json)
		return keep_row(f, r, hex, own ? NULL : member, words) ? err_nomem(err) : 0;
	print_row(f, r, hex, own ? NULL : member, words);
	return 0;
}

static int judge(struct finding *f)
{
	struct err err = ERR_INIT;

	if (f->own && (!f->number || f->agrees) && f->own == 1)
		return APP_OK;
	if (!f->all)
		err_set(&err, "E-JOURNAL-34",
		    text("no record of this journal has, or names, a SHA-256 that begins with %s"),
		    f->digits);
	else if (f->own && f->number && !f->agrees)
		err_set(&err, "E-JOURNAL-35",
		    text("the record is there, but not as number %ju, as the paper says"),
		    (uintmax_t)f->number);
	else if (f->own > 1 && !f->agrees) {
		err_set(&err, "W-JOURNAL-36", text("%ju records begin so"), (uintmax_t)f->own);
		err_hint(&err, "%s", text("type more digits of the paper"));
		return app_error(&err, APP_ATTENTION);
	} else
		return APP_OK;
	err_hint(&err, "%s",
	    text(
		"look whether it was typed right; if it was, this is not the journal that the paper was made "
		"from: keep both, and "
		"compare with the copies on media: 'bkp journal verify'"));
	return app_error(&err, APP_FAILED);
}

static int find_records(struct finding *f, struct store_file *journal, const char *name)
{
	struct ledger *again = NULL;
	struct err err = ERR_INIT;
	int code;

	f->rows = json_array();
	if (ledger_load_file(journal, name, ledger_root(f->l), look_at, f, &again, &err)) {
		json_decref(f->rows);
		return app_error(&err, APP_FAILED);
	}
	ledger_free(again);
	if (f->all > SHOWN_MAX && !f->app->json)
		printf(text("… (%ju in all)\n"), (uintmax_t)f->all);
	code = judge(f);
	if (!f->app->json) {
		json_decref(f->rows);
		return app_flush(code);
	}
	return out_json(json_pack("{s:s, s:I, s:I, s:o}", "digits", f->digits, "records",
			    (json_int_t)ledger_seq(f->l), "found", (json_int_t)f->all, "matches", f->rows),
	    code);
}

/* As it stands on paper: capitals, blanks between groups and the … behind it are left out. */
static bool take_digits(const char *typed, char out[DIGEST_HEX])
{
	size_t n = 0;

	for (; *typed && strcmp(typed, "…") != 0; typed++) {
		const char c = *typed >= 'A' && *typed <= 'F' ? (char)(*typed + ('a' - 'A')) : *typed;

		if (c == ' ')
			continue;
		if (n == DIGEST_HEX - 1 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n >= DIGITS_MIN;
}

int cmd_journal_find(struct app *app, struct cmd_journal_options *o)
{
	struct finding f = {.app = app};
	STORE_FILE_AUTO journal = {0};
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	char name[4096];
	int code;

	if (!take_digits(o->words[0], f.digits))
		return app_usage(app, text("'journal find' takes %d to %d digits of a SHA-256"), DIGITS_MIN,
		    DIGEST_HEX - 1);
	code = cmd_journal_number(app, o->record, &f.number);
	if (!code)
		code = cmd_journal_open(app, o, &journal, name, sizeof(name));
	if (code)
		return code;
	if (ledger_load_file(&journal, name, NULL, NULL, NULL, &l, &err))
		return app_error(&err, APP_FAILED);
	f.l = l;
	code = find_records(&f, &journal, name);
	ledger_free(l);
	return code;
}
