/* secret_file: an unencrypted secret key file of minisign, in memory that is locked and wiped.
 *
 * secret_file_read() → secret_file_forget().  Errors: E-IO-02, E-SIG-05.
 */
#ifndef BKP_READ_FILE_SECRET_FILE_H
#define BKP_READ_FILE_SECRET_FILE_H

#include "format/crypto/minisig.h"

struct err;

int secret_file_read(const char *path, struct minisig_secret **ret, struct err *err)
    __attribute__((warn_unused_result));
void secret_file_forget(struct minisig_secret *key); /* NULL is fine */

#endif
