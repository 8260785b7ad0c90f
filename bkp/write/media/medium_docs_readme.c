/* medium_docs_readme: README.txt: two texts, in which names are replaced and lines chosen; see medium_docs.h.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fill.h"
#include "base/path.h"
#include "base/show/table.h"
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
#define VALUES	   10
#define COLUMNS	   96
#define TITLE	   512

/* The newest generation of the data set of which the journal knows a copy on this medium, or NULL. */
static const struct ledger_generation *newest(const struct medium_docs *d, const char *dataset)
{
	const struct ledger *l = state_ledger(d->state);

	for (size_t i = ledger_generations(l); i-- > 0;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (!strcmp(g->dataset, dataset) &&
		    (ledger_copy_there(g, medium_uuid(d->medium)) ||
			(d->from->coming && d->from->coming(d->from->coming_arg, dataset, g->number))))
			return g;
	}
	return NULL;
}

static unsigned urgency(const struct policy_dataset *d)
{
	return d->priority ? d->priority : UINT_MAX;
}

/* A row of the table: a data set that is on the medium, or is to be. */
static void add_set(const struct medium_docs *d, const char *name, struct table *t)
{
	const struct policy_dataset *p = policy_find_dataset(d->policy, name);
	const struct ledger_generation *g = newest(d, name);
	char label[GENERATION_LABEL], time[CLOCK_TEXT], title[TITLE];

	table_cell(t, "%s", g ? generation_label(name, g->number, label) : name);
	table_cell(t, "%s", g ? clock_format_local(g->begun_ns, time) : "-");
	table_cell(t, "%s", p && p->title ? path_show(p->title, title, sizeof(title)) : "");
}

/* What is on it, and the name of the first: the most urgent first, at the end what has left the policy. */
static int list_sets(
    const struct medium_docs *d, const char *label, struct buf *out, const char **ret_first, struct err *err)
{
	const struct policy_medium *own = policy_medium_of(d->policy, label);
	const struct ledger *l = state_ledger(d->state);
	const struct policy_dataset **sets = calloc(d->policy->n_datasets + 1, sizeof(*sets));
	struct table *t = table_new(3);
	size_t n = 0;
	int r;

	*ret_first = NULL;
	for (size_t i = 0; sets && i < d->policy->n_datasets; i++) {
		const struct policy_dataset *p = &d->policy->datasets[i];
		size_t at = n;

		if (!policy_medium_holds(own, p->name) && !newest(d, p->name))
			continue;
		for (; at && urgency(sets[at - 1]) > urgency(p); at--)
			sets[at] = sets[at - 1];
		sets[at] = p;
		n++;
	}
	for (size_t i = 0; t && i < n; i++) {
		add_set(d, sets[i]->name, t);
		if (!*ret_first)
			*ret_first = sets[i]->name;
	}
	for (size_t i = 0; t && i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (policy_find_dataset(d->policy, g->dataset) || newest(d, g->dataset) != g)
			continue;
		add_set(d, g->dataset, t);
		if (!*ret_first)
			*ret_first = g->dataset;
	}
	r = sets && t ? table_fit(t, 4, COLUMNS, out, err) : err_nomem(err);
	free(sets);
	table_free(t);
	while (!r && out->n && out->p[out->n - 1] == '\n')
		out->n--; /* the line that names it ends itself */
	return r ? -1 : buf_terminate(out, err);
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
	BUF_AUTO out = BUF_INIT(README_MAX), sets = BUF_INIT(README_MAX);
	char site[1024], label[256], key[MINISIG_KEY_TEXT];
	char procedure[GENERATION_UUID + sizeof(d->procedure) + 16];
	const char *first;
	const struct ledger_medium *lm =
	    ledger_medium_by_uuid(state_ledger(d->state), medium_uuid(d->medium));
	struct utsname host;
	size_t keys;

	uname(&host);
	if (list_sets(d, lm ? lm->label : medium_label(d->medium), &sets, &first, err))
		return -1;
	snprintf(procedure, sizeof(procedure), "%s/procedures/%s", state_repository(d->state), d->procedure);
	const struct fill_value values[VALUES] = {
	    {"SITE", path_show(d->policy->site_name, site, sizeof(site))},
	    {"LABEL", path_show(medium_label(d->medium), label, sizeof(label))},
	    {"MEDIUM", medium_uuid(d->medium)},
	    {"REPOSITORY", state_repository(d->state)},
	    {"NEWEST", sets.n ? (char *)sets.p : "    -"},
	    {"FIRST", first ? first : "-"},
	    {"ROOT_KEY", minisig_public_format(state_keys(d->state, &keys), key)},
	    {"MACHINE", host.machine},
	    {"PROCEDURE", procedure},
	    {"VERSION", d->from->version},
	};

	if (add_text(d, readme_ja, readme_ja_len, values, &out, err) ||
	    add_text(d, readme_en, readme_en_len, values, &out, err))
		return -1;
	if (d->from->about && buf_puts(&out, d->from->about, err))
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
