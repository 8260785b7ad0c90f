/* checklist_file: see checklist_file.h. */
#include "cmd/app/checklist_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/tools_folder.h"
#include "format/config/config_value.h"
#include "format/crypto/digest.h"
#include "format/policy/checklist.h"
#include "format/policy/policy.h"

#define SHOW 128

int checklist_file_read(
    const struct policy *policy, struct checklist **ret, char *sha256_hex, struct err *err)
{
	const char *edition = policy->checklist.edition ? policy->checklist.edition : CHECKLIST_DEFAULT;
	BUF_AUTO b = BUF_INIT(CHECKLIST_BYTES_MAX);
	char folder[PATH_MAX], path[PATH_MAX + 32], show[SHOW];
	uint8_t sha256[DIGEST_LEN];

	/* it is part of a path */
	if (!config_value_is_medium_name(edition) || !tools_folder_of("checklists", BKP_CHECKLISTS, folder) ||
	    snprintf(path, sizeof(path), "%s/%s.yaml", folder, edition) >= PATH_MAX ||
	    io_read_file(AT_FDCWD, path, &b, NULL)) {
		err_set(err, "E-CHECKLIST-01", text("there is no edition '%s' of the checklist"),
		    path_show(edition, show, sizeof(show)));
		return err_hint(err, "%s",
		    text("correct 'edition' below 'checklist' in the policy, or install "
			 "share/bkp/checklists/EDITION.yaml"));
	}
	digest_sha256(b.p, b.n, sha256);
	digest_hex(sha256, sizeof(sha256), sha256_hex);
	return checklist_parse(path, (const char *)b.p, b.n, ret, NULL, err);
}
