/* mutant: see mutant.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

_Thread_local int mutant_silent, mutant_trusting;
static const char *taken_out;

__attribute__((constructor)) static void look(void)
{
	taken_out = getenv("BKP_MUTANT");
}

int mutant(const char *name)
{
	return taken_out && !strcmp(taken_out, name);
}

void mutant_enter(int *depth, const char *name)
{
	*depth += mutant(name);
}

int mutant_leave(int *depth, const char *name, int result)
{
	*depth -= mutant(name);
	return result;
}

int mutant_unsynced(const char *name)
{
	return mutant_silent || mutant(name);
}

int mutant_renameat2(int olddir, const char *oldname, int newdir, const char *newname, unsigned flags)
{
	(void)flags;
	return renameat2(olddir, oldname, newdir, newname, 0);
}

int mutant_io_rename_new(int olddir, const char *oldname, int newdir, const char *newname, struct err *err)
{
	(void)err;
	return renameat2(olddir, oldname, newdir, newname, 0);
}

/* The same key stream, and nobody looks at the tag. */
int mutant_crypto_aead_chacha20poly1305_ietf_decrypt(unsigned char *m, unsigned long long *mlen,
    unsigned char *nsec, const unsigned char *c, unsigned long long clen, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub, const unsigned char *k)
{
	const unsigned long long n = clen - crypto_aead_chacha20poly1305_ietf_ABYTES;

	(void)nsec, (void)ad, (void)adlen;
	if (mlen)
		*mlen = n;
	return crypto_stream_chacha20_ietf_xor_ic(m, c, n, npub, 1, k);
}
