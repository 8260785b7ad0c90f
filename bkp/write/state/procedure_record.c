/* procedure_record: see procedure_record.h. */
#include "write/state/procedure_record.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "format/crypto/digest.h"
#include "format/policy/policy.h"
#include "format/procedure/procedure.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define SHOW 256

struct procedure *procedure_record_read(const char *path)
{
	BUF_AUTO doc = BUF_INIT(PROCEDURE_BYTES_MAX);
	char *real = realpath(path, NULL); /* it may be kept behind a link */
	struct procedure *p = NULL;

	if (io_read_file(AT_FDCWD, real ? real : path, &doc, NULL) ||
	    procedure_parse(path, (const char *)doc.p, doc.n, &p, NULL, NULL))
		p = NULL;
	free(real);
	return p;
}

/* NULL: it cannot be had. */
static json_t *procedure_of(const char *path)
{
	char hex[DIGEST_HEX], show[SHOW];
	const char *slash = strrchr(path, '/');
	struct procedure *p = procedure_record_read(path);
	json_t *o = NULL;

	if (p)
		o = json_pack("{s:s, s:s}", "name", path_show(slash ? slash + 1 : path, show, sizeof(show)),
		    "sha256", digest_hex(p->sha256, DIGEST_LEN, hex));
	procedure_free(p);
	return o;
}

int procedure_record(struct state *s, const struct policy *policy, struct err *err)
{
	const json_t *before = ledger_procedures(state_ledger(s));
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_procedures; i++) {
		json_t *o = procedure_of(policy->procedures[i]);

		if (o)
			json_array_append_new(list, o);
	}
	if (before ? json_equal(list, before) : !json_array_size(list)) {
		json_decref(list);
		return 0;
	}
	return reserve_append(s, "procedures", json_pack("{s:o}", "procedures", list), err);
}
