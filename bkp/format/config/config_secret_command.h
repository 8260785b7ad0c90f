/* config_secret_command: does this shell command pass a password in its text?
 *
 * Looks at words, not at shell grammar: variables like PGPASSWORD=…, options like --password=…, and the
 * habits of the programs that hospitals dump with (mysqldump -p…, expdp user/…, curl -u user:…).  A reference
 * to a file
 * (--password-file=…, PGPASSFILE=…) is not a password. */
#ifndef BKP_FORMAT_CONFIG_CONFIG_SECRET_COMMAND_H
#define BKP_FORMAT_CONFIG_CONFIG_SECRET_COMMAND_H

enum config_secret_way {
	CONFIG_SECRET_NONE,
	CONFIG_SECRET_PG,
	CONFIG_SECRET_MYSQL,
	CONFIG_SECRET_AWS,
	CONFIG_SECRET_ORACLE,
	CONFIG_SECRET_CURL,
	CONFIG_SECRET_VARIABLE, /* NAME=… */
	CONFIG_SECRET_OPTION,	/* --name=… */
	CONFIG_SECRET_ARGUMENT, /* an option of a program that is known to take one */
};

enum config_secret_way config_secret_command_scan(const char *s);

/* How it is passed, without what: "PGPASSWORD=", "-p…". */
const char *config_secret_command_sign(enum config_secret_way way);

#endif
