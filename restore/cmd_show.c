/* bkp-restore show PATH@GENERATION: all that is known of one entry. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "format/medium/selector.h"
#include "read/vault/catalog_r.h"
#include "restore/app/app.h"
#include "restore/app/output.h"
#include "restore/app/selection.h"
#include "restore/look/version.h"

#define VALUE_SHOWN 64 /* bytes of an attribute */

/* "a@b.txt@emr@42": the path may have an '@' of its own, so it is looked for from the end. */
static bool split(char *both, char **ret_path, char **ret_selector)
{
	char *at = strrchr(both, '@'), *dataset;
	struct selector s;

	if (!at || at == both)
		return false;
	*at = '\0';
	dataset = strrchr(both, '@');
	*at = '@';
	if (!dataset || selector_parse(dataset + 1, &s, NULL))
		dataset = at;
	if (dataset == both || selector_parse(dataset + 1, &s, NULL))
		return false;
	*dataset = '\0';
	*ret_path = both;
	*ret_selector = dataset + 1;
	return app_entry_path(ret_path);
}

/* What stands in front of a value. */
static void label(const char *words)
{
	int columns = 16 - (int)width_text(words);

	printf("  %s%*s ", words, columns > 0 ? columns : 0, "");
}

static void show_bytes(const uint8_t *p, size_t n)
{
	char text_of[VALUE_SHOWN + 1], shown[4 * VALUE_SHOWN + 1];
	size_t part = n < VALUE_SHOWN ? n : VALUE_SHOWN;

	memcpy(text_of, p, part);
	text_of[part] = '\0';
	if (strlen(text_of) == part)
		output_shown(text_of);
	else
		printf("0x%s", digest_hex(p, part, shown));
	if (part < n)
		printf(text("... (%zu bytes)"), n);
}

static void show_attributes(struct archive_entry *e)
{
	const char *name, *flags = archive_entry_fflags_text(e);
	const int style = ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT |
			  ARCHIVE_ENTRY_ACL_STYLE_SEPARATOR_COMMA;
	char *acl = archive_entry_acl_types(e) ? archive_entry_acl_to_text(e, NULL, style) : NULL;
	const void *value;
	size_t n;

	if (flags) {
		label(text("file flags"));
		output_shown(flags);
		putchar('\n');
	}
	if (acl) {
		label(text("access list"));
		output_shown(acl);
		putchar('\n');
	}
	free(acl);
	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &n) == 0) {
		label(text("attribute"));
		output_shown(name);
		fputs(" = ", stdout);
		show_bytes(value, n);
		putchar('\n');
	}
}

static void show_people(
    const struct app_generation *g, const struct catalog_item *item, const struct version *v)
{
	char hex[DIGEST_HEX];

	printf("%s: ", g->label);
	output_line(item);
	label(text("owner"));
	printf("%" PRId64 ":%" PRId64 "\n", v->e.uid, v->e.gid);
	if (v->e.has_mtime) {
		label(text("changed"));
		printf("%" PRId64 ".%09ld\n", v->e.mtime, v->e.mtime_ns);
	}
	if (v->has_sha256) {
		label("SHA-256");
		puts(digest_hex(v->content, DIGEST_LEN, hex));
	}
	show_attributes(item->entry);
}

static void attributes_json(struct archive_entry *e)
{
	const char *name, *comma = "";
	char hex[2 * VALUE_SHOWN + 1];
	const void *value;
	size_t n;

	fputs(",\"attributes\":[", stdout);
	archive_entry_xattr_reset(e);
	for (; archive_entry_xattr_next(e, &name, &value, &n) == 0; comma = ",") {
		printf("%s{", comma);
		output_json_name("name", name);
		fputs(",\"hex\":\"", stdout);
		for (size_t at = 0, part; at < n; at += part) {
			part = n - at < VALUE_SHOWN ? n - at : VALUE_SHOWN;
			fputs(digest_hex((const uint8_t *)value + at, part, hex), stdout);
		}
		fputs("\"}", stdout);
	}
	putchar(']');
}

static void show_json(
    const struct app_generation *g, const struct catalog_item *item, const struct version *v)
{
	printf("{\"dataset\":\"%s\",\"generation\":%" PRIu64 ",", g->dataset, g->number);
	output_json_name("path", item->path);
	putchar(',');
	output_members_json(&v->e);
	version_print_sha256(v);
	attributes_json(item->entry);
	printf(",\"exit\":%d}\n", APP_OK);
}

static int show(struct app *app, struct app_generation *g, const char *path)
{
	struct err err = ERR_INIT;
	struct catalog_item item;
	struct catalog_r *c;
	struct version v;
	char shown[300];
	int r;

	if (catalog_r_open(g->arc, &g->root->dataset, &c, &err))
		return app_error(&err, APP_FAILED);
	r = catalog_r_find(c, path, &item, &err);
	if (r == CATALOG_R_ABSENT) {
		r = err_set(&err, "E-RESTORE-11", text("nothing is called '%s' in %s"),
		    path_show(path, shown, sizeof(shown)), g->label);
		err_hint(&err, "%s", text("'bkp-restore find' looks for a name in all generations"));
	}
	if (!r)
		r = version_of(&item, &v, &err);
	if (!r)
		(app->json ? show_json : show_people)(g, &item, &v);
	catalog_r_close(c);
	return r ? app_error(&err, APP_FAILED) : app_flush(APP_OK);
}

int cmd_show(struct app *app, int argc, char **argv)
{
	struct app_generation g;
	char *path, *selector, shown[300];
	int r;

	(void)argc;
	path_show(argv[0], shown, sizeof(shown));
	if (!split(argv[0], &path, &selector))
		return app_usage(app, text("'%s' is not PATH@GENERATION, as srv/emr/a.txt@emr@42"), shown);
	r = selection_one(app, selector, &g);
	if (r)
		return r;
	r = show(app, &g, path);
	app_generation_close(&g);
	return r;
}
