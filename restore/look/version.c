/* version: see version.h. */
#include "restore/look/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "read/file/digestset.h"

static void feed(struct digest *d, const void *p, size_t n)
{
	digest_update(d, &n, sizeof(n));
	if (n)
		digest_update(d, p, n);
}

static int digest_attributes(struct archive_entry *e, struct version *v, struct err *err)
{
	const int style = ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT |
			  ARCHIVE_ENTRY_ACL_STYLE_EXTRA_ID | ARCHIVE_ENTRY_ACL_STYLE_MARK_DEFAULT;
	const char *name, *flags = archive_entry_fflags_text(e);
	int types = archive_entry_acl_types(e);
	struct digest *d = digest_new();
	const void *value;
	char *acl = NULL;
	size_t n;

	if (!d)
		return err_nomem(err);
	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &n) == 0) {
		feed(d, name, strlen(name));
		feed(d, value, n);
	}
	feed(d, flags, flags ? strlen(flags) : 0);
	v->has_acl = types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	if (types && !(acl = archive_entry_acl_to_text(e, NULL, style))) {
		digest_free(d);
		return err_nomem(err);
	}
	feed(d, acl, acl ? strlen(acl) : 0);
	free(acl);
	digest_final(d, v->attributes);
	digest_free(d);
	return 0;
}

/* Of a hard link: what it is a name of. */
static int find_kind(const struct catalog_item *item, struct version *v, struct err *err)
{
	static const char symlink[] = "symlink ";
	struct archive_entry *alone;
	struct output_entry is;

	v->target = v->e.letter == 'l' ? v->e.link : NULL;
	v->kind = v->e.letter == 'h' ? '-' : v->e.letter;
	if (v->e.letter != 'h' || !item->special)
		return 0;
	alone = archive_entry_clone(item->entry);
	if (!alone)
		return err_nomem(err);
	if (!catalog_alone(alone, item)) {
		output_entry_of(&(struct catalog_item){.entry = alone}, &is);
		v->kind = is.letter;
		v->e.major = is.major;
		v->e.minor = is.minor;
		if (is.letter == 'l')
			v->target = item->special + strlen(symlink);
	}
	archive_entry_free(alone);
	return 0;
}

int version_of(const struct catalog_item *item, struct version *ret, struct err *err)
{
	struct version v = {.has_sha256 = item->sha256};

	output_entry_of(item, &v.e);
	if (item->sha256)
		memcpy(v.content, item->sha256, DIGEST_LEN);
	else if (item->extents)
		digestset_key_of(item->extents, item->extents_len, v.content);
	if (find_kind(item, &v, err) || digest_attributes(item->entry, &v, err))
		return -1;
	*ret = v;
	return 0;
}

struct version *version_copy(const struct version *v, size_t *ret_bytes)
{
	const char *texts[] = {v->e.path, v->e.link, v->e.user, v->e.group, v->target};
	const size_t n = sizeof(texts) / sizeof(*texts);
	size_t size = sizeof(*v);
	struct version *copy;
	char *at;

	for (size_t i = 0; i < n; i++)
		size += texts[i] ? strlen(texts[i]) + 1 : 0;
	copy = malloc(size);
	if (!copy)
		return NULL;
	*copy = *v;
	at = (char *)(copy + 1);
	for (size_t i = 0; i < n; i++) {
		const char **to[] = {
		    &copy->e.path, &copy->e.link, &copy->e.user, &copy->e.group, &copy->target};

		if (!texts[i])
			continue;
		*to[i] = memcpy(at, texts[i], strlen(texts[i]) + 1);
		at += strlen(at) + 1;
	}
	if (ret_bytes)
		*ret_bytes += size;
	return copy;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

unsigned version_differs(const struct version *a, const struct version *b)
{
	const struct output_entry *x = &a->e, *y = &b->e;
	const unsigned owners = x->uid != y->uid || x->gid != y->gid || !same_text(x->user, y->user) ||
				!same_text(x->group, y->group);
	const bool contents = x->size != y->size || memcmp(a->content, b->content, DIGEST_LEN) != 0;

	return (a->kind != b->kind || x->major != y->major || x->minor != y->minor ? VERSION_KIND : 0u) |
	       (contents ? VERSION_CONTENT : 0u) |
	       (same_text(x->link, y->link) && same_text(a->target, b->target) ? 0u : VERSION_LINK) |
	       (x->perm != y->perm ? VERSION_MODE : 0u) | (owners ? VERSION_OWNER : 0u) |
	       (x->mtime != y->mtime || x->mtime_ns != y->mtime_ns || x->has_mtime != y->has_mtime
		       ? VERSION_TIME
		       : 0u) |
	       (memcmp(a->attributes, b->attributes, DIGEST_LEN) != 0 ? VERSION_ATTRIBUTES : 0u) |
	       (x->flags != y->flags ? VERSION_CAPTURE : 0u);
}

void version_print_parts(unsigned parts, bool json)
{
	static const char *const words[] = {TEXT_LATER("kind"), TEXT_LATER("content"), TEXT_LATER("link"),
	    TEXT_LATER("mode"), TEXT_LATER("owner"), TEXT_LATER("time"), TEXT_LATER("attributes"),
	    TEXT_LATER("how it was captured")};
	static const char *const json_words[] = {
	    "kind", "content", "link", "mode", "owner", "time", "attributes", "capture"};
	const char *comma = "";

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (parts & 1u << i) {
			printf(json ? "%s\"%s\"" : "%s%s", comma, json ? json_words[i] : text(words[i]));
			comma = json ? "," : ", ";
		}
}

void version_print_sha256(const struct version *v)
{
	char hex[DIGEST_HEX];

	if (v->has_sha256)
		printf(",\"sha256\":\"%s\"", digest_hex(v->content, DIGEST_LEN, hex));
}
