/* mutant: what mutate.py puts into the product.  BKP_MUTANT=NAME: that one step is taken out. */
#ifndef MUTANT_H
#define MUTANT_H

struct err;

int mutant(const char *name); /* is it this one? */

/* Of this thread: how many calls that sync nothing, or that take each signature to be good, it is in. */
extern _Thread_local int mutant_silent, mutant_trusting;
void mutant_enter(int *depth, const char *name);
int mutant_leave(int *depth, const char *name, int result);
int mutant_unsynced(const char *name);

/* in place of calls of the same name */
int mutant_renameat2(int olddir, const char *oldname, int newdir, const char *newname, unsigned flags);
int mutant_io_rename_new(int olddir, const char *oldname, int newdir, const char *newname, struct err *err);
int mutant_crypto_aead_chacha20poly1305_ietf_decrypt(unsigned char *m, unsigned long long *mlen,
    unsigned char *nsec, const unsigned char *c, unsigned long long clen, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub, const unsigned char *k);

#endif
