/* unlocked: from a person's identity to that of the period in force, as a reader goes. */
#ifndef BKP_TESTS_UNLOCKED_H
#define BKP_TESTS_UNLOCKED_H

#include "unit.h"

#include "base/err.h"
#include "format/crypto/age.h"
#include "read/store/store_dir.h"
#include "read/vault/keyring.h"
#include "read/vault/periods.h"
#include "write/state/state.h"

static __attribute__((unused)) struct age_identity unlocked(
    const struct state *s, const struct age_identity *person)
{
	const struct store folder = store_dir_of(state_dirfd(s));
	struct keyring *k = keyring_new();
	struct age_identity ret;
	struct err err = ERR_INIT;
	char text[AGE_IDENTITY_TEXT];
	size_t n;

	age_identity_format(person, text);
	if (keyring_add(k, "person", text, strlen(text), NULL, &err) ||
	    periods_unlock((struct periods *)state_periods(s), &folder, k, NULL, &err))
		fail_msg("%s %s", err.code, err.msg);
	ret = keyring_identities(k, &n)[1];
	assert_int_equal(n, 2);
	keyring_free(k);
	return ret;
}

#endif
