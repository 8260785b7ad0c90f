/* medium_docs_readme: README.txt: two texts, in which names are replaced and lines chosen; see medium_docs.h.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/err.h"
#include "base/fill.h"
#include "base/path.h"
#include "format/crypto/minisig.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/medium_docs_private.h"
#include "write/readme_en.h"
#include "write/readme_ja.h"
#include "write/state/state.h"

#define README_MAX ((size_t)256 << 10)
#define VALUES	   11

/* The newest generation of which the journal knows a copy on this medium; 0: none. */
static uint64_t newest(const struct medium_docs *d)
{
	const struct ledger *l = state_ledger(d->state);

	for (size_t i = ledger_generations(l); i-- > 0;)
		if (ledger_copy_there(ledger_generation(l, i), medium_uuid(d->medium)))
			return ledger_generation(l, i)->number;
	return 0;
}

/* A line may begin with a letter and '|': it is for media with the static program (+), without it (-), with
 * tools/ (t), with procedures (p), with procedures and the program to rehearse them (d). */
static bool is_wanted(const struct medium_docs *d, char mark)
{
	bool program = d->ret->tools, procedures = d->ret->procedures > 0;

	return mark == '+'   ? program
	       : mark == '-' ? !program
	       : mark == 't' ? d->sealed_tools
	       : mark == 'p' ? procedures
			     : procedures && program;
}

static int add_text(const struct medium_docs *d, const unsigned char *template, size_t n,
    const struct fill_value *values, struct buf *out, struct err *err)
{
	const char *p = (const char *)template, *end = p + n;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *next = eol ? eol + 1 : end;
		bool marked = next - p > 2 && p[1] == '|';

		if (!marked || is_wanted(d, *p))
			if (fill_text(marked ? p + 2 : p, (size_t)(next - p) - (marked ? 2 : 0), values,
				VALUES, NULL, out, err))
				return -1;
		p = next;
	}
	return 0;
}

int medium_docs_readme(const struct medium_docs *d, struct err *err)
{
	BUF_AUTO out = BUF_INIT(README_MAX);
	char site[1024], label[256], key[MINISIG_KEY_TEXT], number[24], none[] = "-", folder[GENERATION_DIR];
	char procedure[GENERATION_UUID + sizeof(d->procedure) + 16];
	uint64_t n = newest(d);
	const struct ledger_medium *lm =
	    ledger_medium_by_uuid(state_ledger(d->state), medium_uuid(d->medium));
	struct utsname host;
	size_t keys;

	uname(&host);
	snprintf(number, sizeof(number), "%ju", (uintmax_t)(n ? n : 1));
	snprintf(procedure, sizeof(procedure), "%s/procedures/%s", state_repository(d->state), d->procedure);
	const struct fill_value values[VALUES] = {
	    {"SITE", path_show(d->policy->site_name, site, sizeof(site))},
	    {"LABEL", path_show(medium_label(d->medium), label, sizeof(label))},
	    {"MEDIUM", medium_uuid(d->medium)},
	    {"REPOSITORY", state_repository(d->state)},
	    {"NEWEST", n ? number : none},
	    {"NUMBER", number},
	    {"FOLDER", generation_dir(n ? n : 1, folder)},
	    {"ROOT_KEY", minisig_public_format(state_keys(d->state, &keys), key)},
	    {"MACHINE", host.machine},
	    {"PROCEDURE", procedure},
	    {"VERSION", d->from->version},
	};

	if (add_text(d, readme_ja, readme_ja_len, values, &out, err) ||
	    add_text(d, readme_en, readme_en_len, values, &out, err))
		return -1;
	/* elsewhere it names another newest generation every run */
	if (lm && lm->offline) {
		uint8_t hash[DIGEST_LEN];
		char hex[DIGEST_HEX];

		digest_sha256(out.p, out.n, hash);
		if (json_object_set_new(
			d->listed, MEDIUM_DOCS_README, json_string(digest_hex(hash, DIGEST_LEN, hex))))
			return err_nomem(err);
	}
	return medium_docs_signed(d, "readme", MEDIUM_DOCS_README, out.p, out.n, err);
}
