/* policy_secret_command: does this shell command pass a password in its text?
 *
 * Looks at words, not at shell grammar: variables like PGPASSWORD=…, options like --password=…, and the
 * habits of the programs that hospitals dump with (mysqldump -p…, expdp user/…, curl -u user:…).  A reference
 * to a file
 * (--password-file=…, PGPASSFILE=…) is not a password. */
#ifndef BKP_FORMAT_CONFIG_POLICY_SECRET_COMMAND_H
#define BKP_FORMAT_CONFIG_POLICY_SECRET_COMMAND_H

enum policy_secret_way {
	POLICY_SECRET_NONE,
	POLICY_SECRET_PG,
	POLICY_SECRET_MYSQL,
	POLICY_SECRET_AWS,
	POLICY_SECRET_ORACLE,
	POLICY_SECRET_CURL,
	POLICY_SECRET_VARIABLE, /* NAME=… */
	POLICY_SECRET_OPTION,	/* --name=… */
	POLICY_SECRET_ARGUMENT, /* an option of a program that is known to take one */
};

enum policy_secret_way policy_secret_command_scan(const char *s);

/* How it is passed, without what: "PGPASSWORD=", "-p…". */
const char *policy_secret_command_sign(enum policy_secret_way way);

#endif
