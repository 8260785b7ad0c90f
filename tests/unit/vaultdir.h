/* vaultdir: a repository's folder by descriptor, opened to be added to. */
#ifndef TESTS_UNIT_VAULTDIR_H
#define TESTS_UNIT_VAULTDIR_H

#include "read/store/store_dir.h"
#include "write/put/store_w.h"
#include "write/pack/vault_w.h"

static inline int vault_w_open_dir(int fd, struct vault_w **ret, struct err *err)
{
	const struct store s = store_dir_of(fd);

	return vault_w_open(&s, ret, err);
}

#endif
