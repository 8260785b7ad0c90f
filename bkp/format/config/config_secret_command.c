/* config_secret_command: see config_secret_command.h.
 *
 * The command is cut into words at blanks, commas and redirections; quotes and backslashes are dropped.  `seen` remembers which known
 * programs came in this simple command; ';', '&', '|', parentheses, backquotes and newlines end it.  A known program's habit
 * is looked for in every word behind it.  The beginning of a word (255 bytes) decides.
 *
 * Another program: a row in programs[]. */
#include "format/config/config_secret_command.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define WORD_MAX 256 /* a word's beginning is enough */

enum how { ATTACHED, NEXT, EITHER, NEXT_PAIR, WORD_SLASH, NEXT_PERCENT, WORD_PASS };

/* Programs and how they take a password on the command line.  `family`: also programs whose name only begins
 * so. */
static const struct program {
	const char *name, *option;
	enum how how;
	bool family;
	enum config_secret_way way;
} programs[] = {
    {"mysql", "-p", ATTACHED, true, CONFIG_SECRET_MYSQL},
    {"mariadb", "-p", ATTACHED, true, CONFIG_SECRET_MYSQL},
    {"mariabackup", "-p", ATTACHED, false, CONFIG_SECRET_MYSQL},
    {"xtrabackup", "-p", ATTACHED, false, CONFIG_SECRET_MYSQL},
    {"sshpass", "-p", EITHER, false, CONFIG_SECRET_ARGUMENT},
    {"redis-cli", "-a", EITHER, false, CONFIG_SECRET_ARGUMENT},
    {"sqlcmd", "-P", EITHER, false, CONFIG_SECRET_ARGUMENT},
    {"bcp", "-P", EITHER, false, CONFIG_SECRET_ARGUMENT},
    {"mongodump", "-p", EITHER, false, CONFIG_SECRET_ARGUMENT},
    {"mongodump", "--password", NEXT, false, CONFIG_SECRET_ARGUMENT},
    {"ldapsearch", "-w", EITHER, false, CONFIG_SECRET_ARGUMENT},
    {"smbclient", "-U", NEXT_PERCENT, false, CONFIG_SECRET_ARGUMENT},
    {"smbclient", "--user", NEXT_PERCENT, false, CONFIG_SECRET_ARGUMENT},
    {"smbget", "-U", NEXT_PERCENT, false, CONFIG_SECRET_ARGUMENT},
    {"smbget", "--user", NEXT_PERCENT, false, CONFIG_SECRET_ARGUMENT},
    {"curl", "-u", NEXT_PAIR, false, CONFIG_SECRET_CURL},
    {"curl", "--user", NEXT_PAIR, false, CONFIG_SECRET_CURL},
    {"openssl", "pass:", WORD_PASS, false, CONFIG_SECRET_ARGUMENT},
    {"7z", "-p", ATTACHED, true, CONFIG_SECRET_ARGUMENT},
    {"exp", "", WORD_SLASH, false, CONFIG_SECRET_ORACLE},
    {"expdp", "", WORD_SLASH, false, CONFIG_SECRET_ORACLE},
    {"sqlplus", "", WORD_SLASH, false, CONFIG_SECRET_ORACLE},
    {"rman", "", WORD_SLASH, false, CONFIG_SECRET_ORACLE},
};

#define N_PROGRAMS (sizeof(programs) / sizeof(*programs))

/* ---- NAME=… and --name=… ---- */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static bool names_a_file(const char *name)
{
	return ends_with(name, "file") || ends_with(name, "path") || ends_with(name, "dir") ||
	       ends_with(name, "cmd") || ends_with(name, "command") || ends_with(name, "fd");
}

static bool asks_for_a_secret(const char *name)
{
	static const char *const within[] = {
	    "password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "accesskey"};
	size_t i;

	for (i = 0; i < sizeof(within) / sizeof(*within); i++)
		if (strstr(name, within[i]))
			return true;
	return false;
}

/* The word's name up to '=', in lower case without '-' and '_'; false when there is no "name=value". */
static bool assigned_name(const char *word, char name[WORD_MAX])
{
	const char *equals = strchr(word, '=');
	size_t n = 0;

	if (!equals || equals == word || !equals[1])
		return false;
	for (; word < equals; word++) {
		if (!isalnum((unsigned char)*word) && *word != '_' && *word != '-')
			return false;
		if (*word != '_' && *word != '-')
			name[n++] = (char)tolower((unsigned char)*word);
	}
	name[n] = '\0';
	return n > 0;
}

/* SSHPASS=, DB_PASS=; not BYPASS= */
static bool is_pass(const char *word)
{
	size_t n = strcspn(word, "=");

	return (n >= 5 && !strncmp(word + n - 5, "_PASS", 5)) || !strncmp(word, "SSHPASS=", 8) ||
	       !strncmp(word, "PASS=", 5);
}

static enum config_secret_way scan_assignment(const char *word)
{
	char name[WORD_MAX];
	bool option = word[0] == '-', upper = isupper((unsigned char)word[0]);

	if (!assigned_name(word, name) || names_a_file(name))
		return CONFIG_SECRET_NONE;
	if (!strcmp(name, "pgpassword"))
		return CONFIG_SECRET_PG;
	if (!strcmp(name, "mysqlpwd"))
		return CONFIG_SECRET_MYSQL;
	if (ends_with(name, "accesskeyid")) /* names the account, opens nothing */
		return CONFIG_SECRET_NONE;
	if (!strncmp(name, "aws", 3) && asks_for_a_secret(name))
		return CONFIG_SECRET_AWS;
	if (option)
		return asks_for_a_secret(name) || !strcmp(name, "pass") || !strcmp(name, "pwd")
			   ? CONFIG_SECRET_OPTION
			   : CONFIG_SECRET_NONE;
	if (upper && (asks_for_a_secret(name) || is_pass(word) ||
			 (ends_with(name, "pwd") && strcmp(name, "pwd") != 0 && strcmp(name, "oldpwd") != 0)))
		return CONFIG_SECRET_VARIABLE;
	if (!strcmp(name, "password") || !strcmp(name, "passwd") || !strcmp(name, "passphrase") ||
	    (!upper && (!strcmp(name, "pwd") || !strcmp(name, "pass"))))
		return CONFIG_SECRET_VARIABLE;
	return CONFIG_SECRET_NONE;
}

/* ---- habits of programs ---- */

static bool is_program(const struct program *p, const char *word)
{
	const char *slash = strrchr(word, '/'), *base = slash ? slash + 1 : word;
	size_t n = strlen(p->name);

	return !strncmp(base, p->name, n) && (base[n] == '\0' || p->family);
}

/* user/password or user/password@service, and not a path or /@service */
static bool is_oracle_login(const char *word)
{
	const char *slash = strchr(word, '/');

	if (!slash || slash == word || strchr("-.@", word[0]) || strchr(word, '=') || strchr(slash + 1, '/'))
		return false;
	return slash[1] && slash[1] != '@';
}

static bool passes(const struct program *p, const char *previous, const char *word)
{
	size_t n = strlen(p->option);
	bool attached = !strncmp(word, p->option, n) && word[n],
	     next = !strcmp(previous, p->option) && word[0] != '-';

	switch (p->how) {
	case ATTACHED:
		return attached && word[1] != '-';
	case NEXT:
		return next;
	case EITHER:
		return attached || next;
	case NEXT_PAIR:
		return (attached && strchr(word + n, ':')) || (next && strchr(word, ':'));
	case NEXT_PERCENT:
		return (attached && strchr(word + n, '%')) || (next && strchr(word, '%'));
	case WORD_SLASH:
		return is_oracle_login(word);
	case WORD_PASS:
		return attached;
	}
	return false;
}

/* ---- words ---- */

struct scan {
	char word[WORD_MAX], previous[WORD_MAX];
	size_t n;
	bool seen[N_PROGRAMS]; /* the programs of this command so far */
};

static enum config_secret_way end_of_word(struct scan *c)
{
	enum config_secret_way way;
	size_t i;

	c->word[c->n] = '\0';
	if (!c->n)
		return CONFIG_SECRET_NONE;
	way = scan_assignment(c->word);
	for (i = 0; i < N_PROGRAMS && !way; i++) {
		if (c->seen[i] && passes(&programs[i], c->previous, c->word))
			way = programs[i].way;
		c->seen[i] |= is_program(&programs[i], c->word);
	}
	memcpy(c->previous, c->word, c->n + 1);
	c->n = 0;
	return way;
}

enum config_secret_way config_secret_command_scan(const char *s)
{
	struct scan c = {.n = 0};
	enum config_secret_way way;

	for (;; s++) {
		bool separates = !*s || strchr(";&|()`\n", *s);

		if (separates || strchr(" \t,<>", *s)) {
			way = end_of_word(&c);
			if (way || !*s)
				return way;
			if (separates) {
				memset(c.seen, 0, sizeof(c.seen));
				c.previous[0] = '\0';
			}
		} else if (!strchr("'\"\\", *s) && c.n < WORD_MAX - 1) {
			c.word[c.n++] = *s;
		}
	}
}

const char *config_secret_command_sign(enum config_secret_way way)
{
	switch (way) {
	case CONFIG_SECRET_PG:
		return "PGPASSWORD=";
	case CONFIG_SECRET_MYSQL:
		return "MYSQL_PWD=, mysql -p…";
	case CONFIG_SECRET_AWS:
		return "AWS_SECRET_ACCESS_KEY=";
	case CONFIG_SECRET_ORACLE:
		return "user/…";
	case CONFIG_SECRET_CURL:
		return "-u user:…";
	case CONFIG_SECRET_VARIABLE:
		return "PASSWORD=…";
	case CONFIG_SECRET_OPTION:
		return "--password=…";
	default:
		return "-p…";
	}
}
