/* foreignkey: preloaded (LD_PRELOAD) into bkp, makes a host that encrypts to a key of its own: the FOREIGNKEY-th thing that is encrypted is
 * encrypted to another X25519 point than that of the recipient.  All else is as it was, signatures included. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

static int turn; /* of it the next multiplication is */

int crypto_scalarmult_base(unsigned char *q, const unsigned char *n);
int crypto_scalarmult_base(unsigned char *q, const unsigned char *n)
{
	int (*real)(unsigned char *, const unsigned char *) = dlsym(RTLD_NEXT, "crypto_scalarmult_base");

	turn++;
	return real(q, n);
}

int crypto_scalarmult(unsigned char *q, const unsigned char *n, const unsigned char *p);
int crypto_scalarmult(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
	int (*real)(unsigned char *, const unsigned char *, const unsigned char *) =
	    dlsym(RTLD_NEXT, "crypto_scalarmult");
	const char *which = getenv("FOREIGNKEY");
	static const unsigned char own[32] = {9}; /* the base point: its secret is 1, as good as any other */

	return real(q, n, which && turn == atoi(which) ? own : p);
}
