/* checklist_file: the edition of the checklist that the policy asks for, from the file that is installed (share/bkp/checklists/), or lies where
 * the program was built.
 *
 * Errors: E-CHECKLIST-01 there is no such edition; E-POLICY-NN what is wrong with the file.
 */
#ifndef BKP_CMD_APP_CHECKLIST_FILE_H
#define BKP_CMD_APP_CHECKLIST_FILE_H

struct checklist;
struct err;
struct policy;

/* sha256_hex: room for the file's SHA-256 (DIGEST_HEX). */
int checklist_file_read(const struct policy *policy, struct checklist **ret, char *sha256_hex,
    struct err *err) __attribute__((warn_unused_result));

#endif
