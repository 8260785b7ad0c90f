/* policy: no secret gets through, none is repeated in a message, and what is no secret is left alone. */
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/config/config_secret.h"
#include "format/policy/policy.h"

#define HIDDEN "hunter2" /* stands in every secret below and must not stand in any message */

static const char head[] = "site: {name: A}\nmedia: [{name: m, type: hdd, path: /m}]\n";

static struct config_problems problems;

static int parse(const char *policy_text, struct buf *messages)
{
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	int r = policy_parse("p.yaml", policy_text, strlen(policy_text), &policy, &problems, &err);

	policy_free(policy);
	messages->n = 0;
	assert_int_equal(config_problems_format(&problems, "p.yaml", messages, NULL), 0);
	assert_int_equal(buf_printf(messages, NULL, "%s %s", err.msg, err.hint), 0);
	assert_int_equal(buf_terminate(messages, NULL), 0);
	return r;
}

static bool has(const char *code, unsigned line, unsigned column, const char *hint)
{
	for (size_t i = 0; i < problems.n; i++)
		if (!strcmp(problems.item[i].code, code) && problems.item[i].mark.line == line &&
		    problems.item[i].mark.column == column && strstr(problems.item[i].hint, hint))
			return true;
	return false;
}

static void commands_that_pass_a_password_are_refused(void **state)
{
	static const struct {
		const char *command, *hint;
	} t[] = {
	    {"PGPASSWORD=hunter2 pg_dump emr", ".pgpass"},
	    {"export PGPASSWORD='hunter2'; pg_dump emr", ".pgpass"},
	    {"env \"PGPASSWORD=hunter2\" pg_dump emr", ".pgpass"},
	    {"MYSQL_PWD=hunter2 mysqldump emr", ".my.cnf"},
	    {"mysqldump -u root -phunter2 emr", ".my.cnf"},
	    {"/usr/bin/mysqldump -p'hunter2' emr", ".my.cnf"},
	    {"sudo -u db mariadb-dump emr -p\"hunter2\"", ".my.cnf"},
	    {"cat x | mysql -phunter2", ".my.cnf"},
	    {"pg_dump --password=hunter2 emr", "0600"},
	    {"tool --db-passwd=hunter2", "0600"},
	    {"tool --api-key=hunter2", "0600"},
	    {"tool --auth_token=hunter2", "0600"},
	    {"AWS_SECRET_ACCESS_KEY=hunter2 aws s3 cp a b", ".aws/credentials"},
	    {"RESTIC_PASSWORD=hunter2 restic backup", "0600"},
	    {"API_TOKEN=hunter2 x", "0600"},
	    {"psql 'host=db user=u password=hunter2 dbname=emr'", "0600"},
	    {"sqlcmd -S db -U sa -P hunter2 -Q x", "0600"},
	    {"sqlcmd -Phunter2", "0600"},
	    {"odbc 'DSN=x;PWD2=1;MY_PWD=hunter2'", "0600"},
	    {"sshpass -p hunter2 ssh x", "0600"},
	    {"redis-cli -a hunter2 save", "0600"},
	    {"expdp system/hunter2@orcl full=y", "wallet"},
	    {"exp scott/hunter2 file=x", "wallet"},
	    {"curl -u admin:hunter2 http://h/", ".netrc"},
	    {"curl --user admin:hunter2 http://h/", ".netrc"},
	    {"mount -t cifs -o username=u,password=hunter2 //h/s /mnt", "0600"},
	    {"smbclient -U user%hunter2 //h/s", "0600"},
	    {"smbclient //h/s --user=user%hunter2 -Tc -", "0600"},
	    {"smbclient '//h/s' -Uuser%hunter2 -Tc - .", "0600"},
	    {"smbget -U 'user%hunter2' -a smb://h/s", "0600"},
	    {"mount -t cifs -o user=u,pass=hunter2 //h/s /mnt", "0600"},
	    {"SSHPASS=hunter2 sshpass -e ssh x tar c /srv", "0600"},
	    {"export DB_PASS=hunter2; dump", "0600"},
	    {"ssh h \"PGPASSWORD=hunter2 pg_dump emr\"", ".pgpass"},
	    {"docker exec -e MYSQL_PWD=hunter2 db mysqldump emr", ".my.cnf"},
	    {"docker exec db mariadb-dump -uroot -phunter2 --all-databases", ".my.cnf"},
	    {"mongodump --uri=mongodb://u:hunter2@h/emr --archive", "URL"},
	    {"openssl enc -aes-256-cbc -pass pass:hunter2", "0600"},
	    {"pg_dump postgresql://emr:hunter2@db/emr", "URL"},
	    {"wget https://u:hunter2@host/x", "URL"},
	    {"cd /; curl -s 'http://a:hunter2@10.0.0.1:8042/tools'", "URL"},
	};
	BUF_AUTO out = BUF_INIT(1 << 20);
	char yaml[1024];
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		snprintf(yaml, sizeof(yaml), "%sdatasets:\n- name: a\n  store_as: x\n  command: |\n    %s\n",
		    head, t[i].command);
		assert_int_equal(parse(yaml, &out), -1);
		if (!has("E-POLICY-21", 6, 12, t[i].hint) || problems.n_errors != 1)
			fail_msg("%s: %s", t[i].command, (char *)out.p);
		assert_null(strstr((char *)out.p, HIDDEN));
	}
	snprintf(yaml, sizeof(yaml), "%sdatasets: [{name: a, paths: [/a], probe: PGPASSWORD=hunter2 psql}]\n",
	    head);
	assert_int_equal(parse(yaml, &out), -1);
	assert_true(has("E-POLICY-21", 3, 42, ".pgpass"));
	snprintf(yaml, sizeof(yaml),
	    "%sdatasets: [{name: a, paths: [/a]}]\nnotify: {command: curl https://u:hunter2@h}\n", head);
	assert_int_equal(parse(yaml, &out), -1);
	assert_true(has("E-POLICY-21", 4, 19, ".netrc"));
	assert_null(strstr((char *)out.p, HIDDEN));
}

static void honest_commands_pass(void **state)
{
	static const char *const t[] = {"pg_dump -Fc emr", "psql -Atqc 'select count(*) from patient' emr",
	    "PGPASSFILE=/etc/bkp/pgpass pg_dump emr", "pg_dump -w -p 5432 emr",
	    "mysqldump --defaults-extra-file=/etc/bkp/my.cnf emr", "mysqldump -P 3306 --protocol=tcp emr",
	    "mysqldump -p", "tool --password-file=/etc/bkp/pw", "RESTIC_PASSWORD_FILE=/etc/pw restic",
	    "tool --token-path=/x", "RESTIC_PASSWORD_COMMAND=x restic", "PWD=/tmp OLDPWD=/ ls",
	    "expdp /@orcl full=y", "exp parfile=/etc/exp.par", "curl --netrc http://host:8042/patients",
	    "curl -u admin http://h", "ssh user@host cat /x", "rsync u@host:/a/b /c",
	    "psql postgresql://emr@db:5432/emr", "mkdir -p /a/b", "tar -cpf - /srv",
	    "sqlcmd -S db -E -Q 'select 1'", "find /srv -name 'a:b@c'", "curl 'http://h/?mail=a:b@c'",
	    "AWS_ACCESS_KEY_ID=AKIA aws s3 ls", "password= x", "cat x | mysql emr; mkdir -p /x",
	    "BYPASS=1 tool", "COMPASS=north tool --compass=x", "sshpass -f /etc/bkp/pw ssh h tar c /srv",
	    "sshpass -e ssh h tar c /srv", "smbclient -A /etc/bkp/smb //h/s -Tc -",
	    "smbclient -U user //h/s -Tc -", "ssh -p 2222 -i /etc/bkp/pull bkp@h tar -cpf - /srv",
	    "docker exec -u postgres db pg_dump -p 5433 -Fc emr", "tar -C /srv --format=pax -c .",
	    "find / -name '*.pass' -newer /x", "date +%H:%M@host",
	    "mysqldump --defaults-extra-file=/etc/p --single-transaction -P 3307 emr",
	    "rsync -e 'ssh -p 22' h:/a /b"};
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct policy *policy = NULL;
		struct err err = ERR_INIT;
		char yaml[1024];

		snprintf(yaml, sizeof(yaml), "%sdatasets:\n- name: a\n  store_as: x\n  command: |-\n    %s\n",
		    head, t[i]);
		if (policy_parse("p", yaml, strlen(yaml), &policy, NULL, &err))
			fail_msg("%s: %s", t[i], err.msg);
		assert_string_equal(policy->datasets[0].command, t[i]);
		policy_free(policy);
	}
}

static void keys_for_secrets_are_refused_at_any_depth(void **state)
{
	static const char *const yes[] = {"password", "Passwd", "db_password", "PGPASSWORD", "pwd", "db-pwd",
	    "passphrase", "secret", "secret_key", "token", "api_key", "apiKey", "API-KEY", "private_key",
	    "privateKey", "access_key", "pass", "credentials", "パスワード"};
	static const char *const no[] = {"name", "path", "paths", "key", "state", "place", "command",
	    "store_as", "passage", "pinned", "compass"};
	BUF_AUTO out = BUF_INIT(1 << 20);
	char yaml[1024];
	(void)state;

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		snprintf(yaml, sizeof(yaml), "%sdatasets:\n- name: a\n  paths: [/a]\n  %s: hunter2\n", head,
		    yes[i]);
		assert_int_equal(parse(yaml, &out), -1);
		if (!has("E-POLICY-20", 6, 3, "0600") || problems.n_errors != 1)
			fail_msg("%s: %s", yes[i], (char *)out.p);
		assert_null(strstr((char *)out.p, HIDDEN));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(config_secret_is_key(no[i]));
	snprintf(yaml, sizeof(yaml),
	    "%sdatasets: [{name: a, paths: [/a]}]\nx: [{y: {z: [{password: {a: hunter2}}]}}]\n", head);
	assert_int_equal(parse(yaml, &out), -1);
	assert_true(has("E-POLICY-20", 4, 15, "pgpass"));
	assert_true(has("E-POLICY-08", 4, 1, "")); /* x is unknown as well */
	assert_null(strstr((char *)out.p, HIDDEN));
}

static void keys_and_identities_are_refused_anywhere(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
	} t[] = {
	    {"# AGE-SECRET-KEY-1HUNTER2TESTDATA\n", 4, 3}, /* a comment is part of the file */
	    {"state: AGE-SECRET-KEY-1HUNTER2TESTDATA\n", 4, 8},
	    {"state: age-secret-key-1hunter2testdata\n", 4, 8},
	    {"AGE-SECRET-KEY-1HUNTER2TESTDATA: x\n", 4, 1},
	    {"notify:\n  command: |\n    -----BEGIN OPENSSH PRIVATE KEY-----\n    hunter2\n", 6, 5},
	    {"notify:\n  command: |\n    -----BEGIN RSA PRIVATE KEY-----\n    hunter2\n", 6, 5},
	    {"notify:\n  command: |\n    untrusted comment: minisign encrypted secret key\n    hunter2\n", 6,
		5},
	    {"# 患者 untrusted comment: signify secret key\n", 4, 6},
	    {"state: \"AGE\\x2dSECRET-KEY-1HUNTER2\"\n", 4, 8},	   /* hidden by an escape */
	    {"state: [broken\n# AGE-SECRET-KEY-1HUNTER2\n", 5, 3}, /* even when the rest cannot be read */
	};
	BUF_AUTO out = BUF_INIT(1 << 20);
	char yaml[1024];
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		snprintf(yaml, sizeof(yaml), "%sdatasets: [{name: a, paths: [/a]}]\n%s", head, t[i].text);
		assert_int_equal(parse(yaml, &out), -1);
		if (!has("E-POLICY-21", t[i].line, t[i].column, "make a new one"))
			fail_msg("%s: %s", t[i].text, (char *)out.p);
		assert_true(problems.n_errors == (i == 9 ? 2 : 1));
		assert_null(strstr((char *)out.p, HIDDEN));
		assert_null(strstr((char *)out.p, "HUNTER2"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_that_pass_a_password_are_refused),
	    cmocka_unit_test(honest_commands_pass),
	    cmocka_unit_test(keys_for_secrets_are_refused_at_any_depth),
	    cmocka_unit_test(keys_and_identities_are_refused_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
