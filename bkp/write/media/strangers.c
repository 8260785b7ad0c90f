/* strangers: see strangers.h. */
#include "write/media/strangers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/verify/inventory.h"
#include "write/media/device.h"
#include "write/state/state.h"

#define SHOWN 3 /* in a message; so many of each kind are recorded */
#define SHOW  200

enum { OURS, BESIDE, KINDS };

struct strangers {
	struct digest *digest;
	uint64_t count[KINDS];
	char names[KINDS][SHOWN][SHOW];
};

struct strangers *strangers_new(void)
{
	struct strangers *s = calloc(1, sizeof(*s));

	if (s)
		s->digest = digest_new();
	if (s && s->digest)
		return s;
	free(s);
	return NULL;
}

void strangers_free(struct strangers *s)
{
	if (s)
		digest_free(s->digest);
	free(s);
}

void strangers_add(struct strangers *s, const char *path, bool ours)
{
	const int kind = ours ? OURS : BESIDE;

	digest_update(s->digest, path, strlen(path) + 1);
	if (s->count[kind]++ < SHOWN)
		path_show(path, s->names[kind][s->count[kind] - 1], SHOW);
}

/* At the root of the medium's folder stands nothing that bkp reads by a name it did not choose. */
static void on_foreign(void *arg, const char *file, enum inventory_kind kind, const struct err *why)
{
	(void)kind, (void)why;
	strangers_add(arg, file, strchr(file, '/') != NULL);
}

struct root {
	struct strangers *s;
	const char *ours; /* the medium's folder in it */
};

static int each_beside(void *arg, const char *name, struct err *err)
{
	const struct root *r = arg;
	char path[SHOW + 4];

	(void)err;
	if (!strcmp(name, r->ours) || inventory_is_anybodys(name))
		return 0;
	snprintf(path, sizeof(path), "../%s", name);
	strangers_add(r->s, path, false);
	return 0;
}

/* A medium in a folder of the disk: what else lies at the disk's root. */
static void look_beside(struct strangers *s, const struct medium *m, const struct device *d)
{
	char *path = realpath(medium_path(m), NULL), *slash = path ? strrchr(path, '/') : NULL;
	struct root r = {s, slash ? slash + 1 : ""};
	STORE_AUTO disk = {0};

	/* what lies in memory, on a share, or is mounted elsewhere is no business of the medium's */
	if (slash && d->whole && *d->source == '/' && strcmp(path, d->mount_point) != 0 &&
	    !store_open_place(d->mount_point, &disk, NULL) && device_same_mount(&disk, medium_store(m)) &&
	    store_list(&disk, "", each_beside, &r, NULL) < 0)
		strangers_add(s, "../", false);
	free(path);
}

int strangers_look(struct strangers *s, const struct medium *m, const struct device *d,
    const struct vault_r *v, struct err *err)
{
	look_beside(s, m, d);
	return inventory_foreign(medium_store(m), v, on_foreign, s, err);
}

/* "'a', 'b', 'c' and more" */
static char *few_of(const struct strangers *s, int kind, char out[SHOWN * (SHOW + 8)])
{
	size_t n = 0, size = SHOWN * (SHOW + 8);

	*out = '\0';
	for (uint64_t i = 0; i < SHOWN && i < s->count[kind]; i++)
		n += (size_t)snprintf(out + n, size - n, "%s'%s'", i ? ", " : "", s->names[kind][i]);
	if (s->count[kind] > SHOWN)
		snprintf(out + n, size - n, "%s", text(" and more"));
	return out;
}

bool strangers_beside(const struct strangers *s, char out[STRANGERS_BESIDE])
{
	snprintf(out, STRANGERS_BESIDE, "'%s'%s", s->names[BESIDE][0],
	    s->count[BESIDE] > 1 ? text(" and more") : "");
	return s->count[BESIDE] > 0;
}

static void say(const struct strangers *s, const struct medium *m, int kind, struct err *ret)
{
	char few[SHOWN * (SHOW + 8)], label[SHOW];

	if (!s->count[kind])
		return;
	path_show(medium_label(m), label, sizeof(label));
	few_of(s, kind, few);
	if (kind == OURS)
		err_set(ret, "W-ROTATE-20", text("%ju files among those of bkp on '%s' are not of bkp: %s"),
		    (uintmax_t)s->count[kind], label, few);
	else
		err_set(ret, "W-ROTATE-21",
		    text("%ju other files lie on '%s', and others than were recorded: %s"),
		    (uintmax_t)s->count[kind], label, few);
	err_hint(ret, "%s",
	    text("nothing of it was opened, and nothing is deleted: start no program from this disk, ask who "
		 "had "
		 "it, and have it removed by who knows what it is"));
}

static json_t *examples(const struct strangers *s)
{
	json_t *files = json_array();

	for (int kind = 0; kind < KINDS; kind++)
		for (uint64_t i = 0; i < SHOWN && i < s->count[kind]; i++)
			json_array_append_new(files, json_string(s->names[kind][i]));
	return files;
}

int strangers_tell(const struct strangers *s, struct state *state, const struct medium *m,
    struct err *ret_ours, struct err *ret_beside, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(state), medium_uuid(m));
	uint8_t hash[DIGEST_LEN];
	char sha256[DIGEST_HEX];

	say(s, m, OURS, ret_ours);
	digest_final(s->digest, hash);
	digest_hex(hash, DIGEST_LEN, sha256);
	if (!strcmp(lm->strangers_sha256, sha256) ||
	    (!*lm->strangers_sha256 && !s->count[OURS] && !s->count[BESIDE]))
		return 0;
	say(s, m, BESIDE, ret_beside);
	return state_append(state, "strangers",
	    json_pack("{s:s, s:I, s:I, s:s, s:o}", "medium", medium_uuid(m), "ours",
		(json_int_t)s->count[OURS], "beside", (json_int_t)s->count[BESIDE], "sha256", sha256, "files",
		examples(s)),
	    err);
}
