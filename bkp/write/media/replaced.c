/* replaced: see replaced.h. */
#include "write/media/replaced.h"

#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "read/vault/medium.h"
#include "write/state/state.h"

#define RECORDED 100
#define SHOWN	 4
#define SHOW	 256

void replaced_add(struct replaced *r, const char *path)
{
	char show[SHOW];

	if (!r)
		return;
	if (!r->files)
		r->files = json_array();
	if (r->count++ < RECORDED)
		json_array_append_new(r->files, json_string(path_show(path, show, sizeof(show))));
}

static void say_replaced(const struct replaced *r, const struct medium *m, struct err *ret)
{
	char names[SHOWN * SHOW] = "", label[SHOW];
	size_t n = 0;

	for (size_t i = 0; i < SHOWN && i < json_array_size(r->files); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s'%s'", i ? ", " : "",
		    json_string_value(json_array_get(r->files, i)));
	path_show(medium_label(m), label, sizeof(label));
	err_set(ret, "W-DOCS-05",
	    text("medium '%s': %ju files were not what was written there, and are written anew: %s%s"), label,
	    (uintmax_t)r->count, names, r->count > SHOWN ? text(" and more") : "");
	err_hint(ret,
	    text("somebody changed them, or the medium is failing: ask who had it, use nothing that was "
		 "copied from it, "
		 "and run 'bkp verify --medium %s'"),
	    label);
}

int replaced_tell(
    struct replaced *r, struct state *s, const struct medium *m, struct err *ret_said, struct err *err)
{
	int bad;

	if (!r->count)
		return 0;
	say_replaced(r, m, ret_said);
	bad = state_append(s, "repaired",
	    json_pack("{s:s, s:O, s:I}", "medium", medium_uuid(m), "files", r->files, "count",
		(json_int_t)r->count),
	    err);
	replaced_free(r);
	return bad ? -1 : 0;
}

void replaced_free(struct replaced *r)
{
	json_decref(r->files);
	*r = (struct replaced){0};
}
