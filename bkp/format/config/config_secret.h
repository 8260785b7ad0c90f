/* config_secret: finds what looks like a key or password in a policy, before anything else looks at it.
 *
 * 設定ファイルにパスワードが記載される等があってはならない。 (医療情報システムの安全管理に関するガイドライン)
 * The policy is copied onto media, printed and sent to vendors; a secret in it is a secret lost.  Rather one
 * refusal too many than one too few: each message says where the secret belongs, and none repeats it.
 *
 * E-POLICY-20 a key whose name asks for a secret; E-POLICY-21 a value (or comment) that is or passes one.
 */
#ifndef BKP_FORMAT_CONFIG_CONFIG_SECRET_H
#define BKP_FORMAT_CONFIG_CONFIG_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "format/config/config_problem.h"

struct config_node;

/* The unmistakable ones anywhere in the file's bytes, comments included: age identities, PEM and minisign
 * secret keys. Returns how many. */
size_t config_secret_scan_text(const char *p, size_t n, struct config_problems *problems);

/* Keys and values of the tree; those found are marked refused.  `scanned`: config_secret_scan_text() has
 * already reported the unmistakable ones, which are then only marked. */
void config_secret_scan_tree(struct config_node *root, bool scanned, struct config_problems *problems);

/* For tests and for other files that people write: true when the key's name asks for a secret. */
bool config_secret_is_key(const char *key);

#endif
