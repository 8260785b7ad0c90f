/* config_secret: see config_secret.h.
 *
 * Two passes.  config_secret_scan_text() looks at the raw bytes, comments included, for what is unmistakable.
 * config_secret_scan_tree() looks at keys and values: the unmistakable again (reported by the first pass already), names
 * that ask for a secret, passwords in URLs, commands that pass one.  What is found is marked refused: nobody looks at it or
 * below it again, so no later message quotes it. */
#include "format/config/config_secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_secret_command.h"

/* ---- the unmistakable ---- */

enum known { KNOWN_NONE, KNOWN_AGE, KNOWN_PEM, KNOWN_MINISIGN };

static const char *find_text(const char *p, size_t n, const char *what)
{
	size_t len = strlen(what);

	for (; n >= len; p++, n--)
		if (!strncasecmp(p, what, len))
			return p;
	return NULL;
}

/* What the line (n bytes) holds, and where it begins. */
static enum known known_in_line(const char *p, size_t n, const char **ret_at)
{
	static const struct {
		const char *begin, *behind;
		enum known known;
	} signs[] = {{"AGE-SECRET-KEY-1", "", KNOWN_AGE}, {"AGE-SECRET-KEY-PQ-1", "", KNOWN_AGE},
	    {"-----BEGIN ", "PRIVATE KEY", KNOWN_PEM}, {"untrusted comment:", "secret key", KNOWN_MINISIGN}};
	size_t i;

	for (i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		const char *at = find_text(p, n, signs[i].begin);
		size_t used = at ? (size_t)(at - p) + strlen(signs[i].begin) : 0;

		if (at && find_text(p + used, n - used, signs[i].behind)) {
			*ret_at = at;
			return signs[i].known;
		}
	}
	return KNOWN_NONE;
}

static void report_known(struct config_problems *problems, struct config_mark mark, enum known known)
{
	struct config_problem *item;

	if (known == KNOWN_AGE) {
		item = config_problem_error(problems, mark, "E-POLICY-21",
		    text("a recovery identity (AGE-SECRET-KEY-…) stands in the policy"));
		config_problem_hint(item, text("make a new one and keep it off this machine: whoever has "
					       "read this file can decrypt every backup "
					       "made for it"));
	} else if (known == KNOWN_PEM) {
		item = config_problem_error(
		    problems, mark, "E-POLICY-21", text("a private key (PEM) stands in the policy"));
		config_problem_hint(item, text("make a new one and keep it in a file that only the job's "
					       "user can read (mode 0600)"));
	} else {
		item = config_problem_error(
		    problems, mark, "E-POLICY-21", text("a secret signing key stands in the policy"));
		config_problem_hint(
		    item, text("make a new one and keep it in a folder that only its user can read"));
	}
}

static unsigned characters(const char *p, const char *end)
{
	unsigned n = 0;

	for (; p < end; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

size_t config_secret_scan_text(const char *p, size_t n, struct config_problems *problems)
{
	const char *end = p + n, *at;
	struct config_mark mark = {1, 1};
	size_t found = 0;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;
		enum known known = known_in_line(p, (size_t)(stop - p), &at);

		if (known) {
			mark.column = characters(p, at) + 1;
			report_known(problems, mark, known);
			found++;
		}
		mark.line++;
		p = stop + 1;
	}
	return found;
}

/* ---- keys ---- */

bool config_secret_is_key(const char *key)
{
	static const char *const within[] = {"password", "passwd", "passphrase", "secret", "token", "apikey",
	    "privatekey", "accesskey", "credential", "パスワード", "暗証番号", "秘密鍵"};
	static const char *const whole[] = {"pass", "pw", "pin"};
	char folded[64];
	size_t n = 0, i;

	for (; *key && n < sizeof(folded) - 1; key++)
		if (!strchr("_-. ", *key))
			folded[n++] = (char)tolower((unsigned char)*key);
	folded[n] = '\0';
	for (i = 0; i < sizeof(within) / sizeof(*within); i++)
		if (strstr(folded, within[i]))
			return true;
	for (i = 0; i < sizeof(whole) / sizeof(*whole); i++)
		if (!strcmp(folded, whole[i]))
			return true;
	return n >= 3 && !strcmp(folded + n - 3, "pwd");
}

static bool refuse_key(struct config_node *node, struct config_problems *problems)
{
	char shown[CONFIG_SHOWN];
	struct config_problem *item;

	if (!node->key || !config_secret_is_key(node->key))
		return false;
	item = config_problem_error(problems, node->key_mark, "E-POLICY-20",
	    text("'%s' would put a secret into the policy"),
	    config_problem_show(node->key, strlen(node->key), shown));
	config_problem_hint(item, text("keep it outside: a database password in ~/.pgpass or ~/.my.cnf of "
				       "the job's user, anything else in a file "
				       "only that user can read (mode 0600) that the command names"));
	return true;
}

/* ---- values ---- */

/* scheme://user:password@host */
static bool has_url_password(const char *s)
{
	while ((s = strstr(s, "://"))) {
		const char *user = s += 3;
		size_t n = strcspn(user, "/?# \t\n\"'<>"), i;
		const char *at = NULL, *colon = memchr(user, ':', n);

		for (i = 0; i < n; i++)
			if (user[i] == '@')
				at = user + i;
		if (at && colon && colon + 1 < at)
			return true;
	}
	return false;
}

static void report_command(
    struct config_problems *problems, struct config_mark mark, enum config_secret_way way)
{
	struct config_problem *item = config_problem_error(problems, mark, "E-POLICY-21",
	    text("this command passes a password (%s)"), config_secret_command_sign(way));
	const char *hint =
	    text("let the command read it from a file that only the job's user can read (mode 0600)");

	if (way == CONFIG_SECRET_PG)
		hint = text(
		    "put it into ~/.pgpass of the job's user (mode 0600); psql and pg_dump find it there");
	else if (way == CONFIG_SECRET_MYSQL)
		hint = text("put it into ~/.my.cnf of the job's user (mode 0600), section [client]");
	else if (way == CONFIG_SECRET_AWS)
		hint = text("put it into ~/.aws/credentials of the job's user (mode 0600)");
	else if (way == CONFIG_SECRET_ORACLE)
		hint =
		    text("use an Oracle wallet (secure external password store) and connect with /@service");
	else if (way == CONFIG_SECRET_CURL)
		hint = text("put it into ~/.netrc of the job's user (mode 0600) and use curl --netrc");
	config_problem_hint(item, "%s", hint);
}

/* True when s is or passes a secret; reports it unless it is unmistakable and was reported by the text scan.
 */
static bool refuse_text(
    const char *s, struct config_mark mark, bool scanned, struct config_problems *problems)
{
	const char *line = s, *at;
	enum config_secret_way way;
	struct config_problem *item;

	for (;;) {
		size_t n = strcspn(line, "\n");
		enum known known = known_in_line(line, n, &at);

		if (known) {
			if (!scanned)
				report_known(problems, mark, known);
			return true;
		}
		if (!line[n])
			break;
		line += n + 1;
	}
	if (has_url_password(s)) {
		item = config_problem_error(
		    problems, mark, "E-POLICY-21", text("a password stands in this URL"));
		config_problem_hint(item, text("leave only the user in the URL, and put the password into "
					       "~/.pgpass, ~/.netrc or a file that only "
					       "the job's user can read (mode 0600)"));
		return true;
	}
	way = config_secret_command_scan(s);
	if (way)
		report_command(problems, mark, way);
	return way != CONFIG_SECRET_NONE;
}

void config_secret_scan_tree(struct config_node *node, bool scanned, struct config_problems *problems)
{
	struct config_node *child;

	if (!node || node->refused)
		return;
	if ((node->key && refuse_text(node->key, node->key_mark, scanned, problems)) ||
	    refuse_key(node, problems) ||
	    (node->kind == CONFIG_SCALAR && refuse_text(node->s, node->mark, scanned, problems))) {
		node->refused = true;
		return;
	}
	for (child = node->first; child; child = child->next)
		config_secret_scan_tree(child, scanned, problems);
}
