/* help: see app.h.  What each option means; scenario 05 holds this table against the options that the
 * commands have. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"

#define N_(s)  s /* marks a text that is translated where it is shown */
#define COLUMN 27

/* The command's own row, else the one for all (command NULL). */
static const struct row {
	const char *command, *option, *value, *what;
} rows[] = {
    {NULL, "policy", "FILE", N_("the policy (default: $BKP_POLICY, else /etc/bkp/policy.yaml)")},
    {NULL, "lang", "ja|en", N_("language (default: the policy's)")},
    {NULL, "json", NULL, N_("one JSON object on standard output, where the command lists or reports")},
    {NULL, "quiet", NULL, N_("no progress; says something only when a person should look (-q)")},
    {NULL, "help", NULL, N_("this text (-h)")},
    {NULL, "operator", "NAME", N_("who does it: a name of the policy's 'people'; it is recorded")},
    {NULL, "yes", NULL, N_("the operator has read what is about to be deleted and agrees; it is recorded")},
    {NULL, "reason", "TEXT", N_("why; it is recorded")},
    {NULL, "medium", "NAME", N_("this medium only")},
    {NULL, "place", "TEXT", N_("where it is kept, when that is not the place of the policy")},
    {NULL, "root-key", "FILE", N_("the root secret key, from the safe; take it away afterwards")},
    {NULL, "statement-out", "FILE",
	N_("write what is to be signed with the root key elsewhere, and change nothing")},
    {NULL, "statement", "FILE", N_("what --statement-out wrote")},
    {NULL, "signature", "FILE.minisig", N_("its signature by minisign")},
    {"agree", "procedure", "FILE", N_("approve this recovery procedure, as it stands, as a manager")},
    {"agree", "regulation", "FILE",
	N_("approve the operating rules, as 'bkp report regulation' wrote them as CSV")},
    {NULL, "passphrase-file", "FILE", N_("its passphrase, if it should not be asked on the terminal")},
    {"init", "recipient", "[NAME=]age1…",
	N_("who holds a key: a public key of age-keygen, and a name for it; repeatable, give two")},
    {"init", "keys", "DIR", N_("who holds a key, as 'bkp-restore key begin' made it on another computer")},
    {"init", "identity-out", "FILE",
	N_("make a recovery identity into this file, for trials: better made elsewhere")},
    {"init", "plain-identity", NULL, N_("do not protect it by a passphrase")},
    {"init", "root-key-out", "FILE", N_("the root secret key into this file, to be kept in a safe")},
    {"init", "continue", "MEDIUM",
	N_("the host is lost: its repository goes on here, from this medium; repeatable")},
    {"init", "secrets", "FILE", N_("what 'bkp-restore key host' made from such a medium")},
    {"init", "root-key", "FILE", N_("the root secret key: it names the new host's signing key")},
    {"init", "operator", "NAME", N_("who does it, for the record")},
    {"accept", "policy-change", NULL, N_("the changes of the policy that 'bkp status' names are meant")},
    {"accept", "tools", NULL, N_("the changed tools and texts on media are meant")},
    {"announce", "datasets", "NAME,…|all", N_("of which data sets; all: those that the policy has today")},
    {"announce", "until", "DAY",
	N_("the last day, as 2026-11-30: through the night behind it; 31 days at most")},
    {"announce", "from", "DAY", N_("the first day (default: now)")},
    {"announce", "expect", "KIND,…",
	N_("what will be: changed, deleted, renamed, new-kinds (default: these), encrypted")},
    {"announce", "end", "NUMBER", N_("it is over earlier: the number that 'bkp announce' shows")},
    {"finding", "owner", "NAME", N_("who sees to it")},
    {"finding", "due", "DAY", N_("by when, as in 2026-11-30")},
    {"finding", "all", NULL, N_("also those that are closed")},
    {"guard", "datasets", "NAME,…|all", N_("of which data sets (default: all)")},
    {"guard", "per-folder", NULL, N_("a canary in each part of the data set, 64 at most (default)")},
    {"guard", "count", "N", N_("so many of a data set, spread over its parts; 64 at most")},
    {"guard", "exclude", "PATH", N_("none in this folder; repeatable")},
    {"guard", "dry-run", NULL, N_("say which files would be made, and make none")},
    {"guard", "yes", NULL, N_("make them without asking: you have read which")},
    {"check", "diff", NULL, N_("what a change of the policy means: against the one on record")},
    {"check", "live", NULL,
	N_("can the next night work: paths, programs, media, space, mail, clock; changes nothing")},
    {"check", "against", "FILE", N_("against this policy instead")},
    {"run", "all", NULL, N_("every data set, due or not")},
    {"run", "anchor", NULL, N_("store everything anew, referring to no earlier archive")},
    {"run", "timings", NULL, N_("say where the time went")},
    {"run", "until", "HH:MM", N_("stop safely at that time; what was stored is not read again")},
    {"run", "dry-run", NULL, N_("say what is due and why, and do nothing")},
    {"run", "catch-up", NULL, N_("for cron: when another bkp is at work, leave it at that, without a word")},
    {"run", "root-key", "RW…", N_("the root public key from paper: a repository of another is refused")},
    {"key", "from", "DIR", N_("the folder that 'bkp-restore key' made, with its signature")},
    {"key", "renew", NULL, N_("store anew what was captured before, a seventh of it each run")},
    {"key", "import", "FILE...", N_("take over what 'bkp-restore' wrote of each use of a key")},
    {"key", "all", NULL, N_("also what was looked at, and retired envelopes")},
    {"key", "reviewed", NULL, N_("the manager has looked at the uses that are listed")},
    {"key", "person", "NAME", N_("whose key is in the envelope")},
    {"key", "seal", "TEXT", N_("what is on its seal: a number, a signature")},
    {"key", "place", "TEXT", N_("where it is kept")},
    {"key", "holder", "TEXT", N_("who keeps it")},
    {"key", "why", "TEXT", N_("why; it is recorded")},
    {"rescue-image", "kernel", "FILE", N_("the kernel (default: the newest of /boot)")},
    {"rescue-image", "modules", "DIR", N_("its modules, as /lib/modules/VERSION")},
    {"rescue-image", "root-key", "RW…",
	N_("the root public key from paper: it need not be typed on the day")},
    {"rescue-image", "include", "PATH",
	N_("a file or folder of this computer that is to be on it, with its libraries; repeatable")},
    {"rescue-image", "serial", NULL, N_("it is used over a serial console: that entry is the default")},
    {"schedule", "kind", "cron|systemd", N_("what starts the runs (default: what this computer has)")},
    {"schedule", "user", "USER", N_("who they run as (default: root)")},
    {"schedule", "mailto", "ADDRESS", N_("whom cron mails when a person should look")},
    {"schedule", "name", "NAME", N_("name of the files (default: bkp)")},
    {"schedule", "root-key", "RW…",
	N_("the root public key from paper: the runs refuse a repository of another")},
    {"schedule", "root", "DIR", N_("a system below this folder, as when an image is made")},
    {"rotate", "recheck", "all|none|DAYS",
	N_("read again what was verified on it: all, nothing, or what is older than DAYS")},
    {"rotate", "out-of-turn", NULL,
	N_("the medium that is due cannot be had: take the one that is attached")},
    {"rotate", "plan", NULL,
	N_("say which medium of a pool comes when, from where, where it goes; rotate nothing")},
    {"rotate", "weeks", "N", N_("so many weeks of it (default: 13)")},
    {"rotate", "calendar", NULL, N_("three months of it as HTML for A4, to be ticked and signed")},
    {"rotate", "accept-rollback", "REASON",
	N_("take the disk though it is as it was on a former day (E-ROTATE-20)")},
    {"rotate", "wait", "SECONDS",
	N_("wait so long until it is unplugged, and record where it is (at a terminal: as long as it "
	   "takes)")},
    {"rotate", "keep-mounted", NULL, N_("mount and unmount nothing: you do it by hand")},
    {"disc", "to", "DRIVE", N_("the drive with a blank disc: /dev/sr0; stdio:/FILE makes an image")},
    {"disc", "series", "NAME", N_("which series of the policy (default: the only one)")},
    {"disc", "disc", "cd|dvd|bd|bd-dl|SIZE",
	N_("what the disc takes at most (default: what the drive says)")},
    {"disc", "again", NULL, N_("also what is on a disc of the series already")},
    {"disc", "dry-run", NULL, N_("say what would come onto how many discs, and write nothing")},
    {"expire", "dry-run", NULL, N_("say what would go and why, and delete nothing")},
    {"expire", "plan-out", "FILE", N_("write what would go, to be signed by who must approve")},
    {"expire", "plan", "FILE", N_("do what was signed: the file of --plan-out")},
    {"expire", "signature", "FILE.minisig", N_("the approver's signature of it by minisign")},
    {"verify", "identity", "FILE", N_("a recovery identity: everything is decrypted and decoded, too")},
    {"medium", "path", "DIR", N_("where it is mounted now, or is to be (default: the policy's path)")},
    {"medium", "place", "TEXT", N_("where it is")},
    {"medium", "witness", "NAME", N_("the second person who saw it: a name of the policy's 'people'")},
    {"medium", "to", "TEXT", N_("who has it from now on")},
    {"medium", "until", "DATE", N_("when it is to be back: 2027-03-31")},
    {"medium", "method", "TEXT", N_("how it was destroyed")},
    {"medium", "certificate", "NUMBER", N_("of the certificate of its destruction")},
    {"medium", "keys-destroyed", "TEXT", N_("which keys were destroyed with it")},
    {"medium", "seen", "NAME,…", N_("the media that are there, if it should not be asked on the terminal")},
    {"medium", "erase", "WHAT",
	N_("the disk may be erased: WHAT names what it holds, as 'prepare' shows it")},
    {"medium", "fs", "ext4|xfs", N_("the file system to be made (default: ext4)")},
    {"medium", "add", NULL, N_("register it, too, as 'medium add' does")},
    {"medium", "maker", "TEXT", N_("who made it; '' takes away what was recorded, as for all of these")},
    {"medium", "model", "TEXT", N_("its model")},
    {"medium", "serial", "TEXT", N_("its serial number (default: as the disk says)")},
    {"medium", "bought", "DATE", N_("when it was bought")},
    {"medium", "use-until", "DATE", N_("until when it may be used; 'bkp status' warns 90 days before")},
    {"medium", "support-until", "DATE", N_("until when its maker supports it; likewise")},
    {"medium", "lock", "TEXT", N_("what locks its place, and where the key to that is")},
    {"medium", "writing", "once|many", N_("can it be written to once, or many times")},
    {"medium", "custodian", "TEXT", N_("who is responsible for it")},
    {"report", "at", "MOMENT", N_("as of then, from what the journal had: 2026-11-20, '2026-11-20 14:00'")},
    {"report", "csv", NULL, N_("the same as --format csv")},
    {"report", "format", "html|csv|json",
	N_("a page for A4 (default), a table for a spreadsheet, or for programs")},
    {"report", "out", "PATH",
	N_("into this file (a pack: this folder), which must not exist (default: standard output)")},
    {"report", "profile", "clinic|hospital",
	N_("of a pack: three pages in all, or a page for each form (default)")},
    {"report", "signer", "NAME", N_("of a pack: who is to sign it, on paper or with a key of their own")},
    {"report", "dir", "DIR", N_("'index': the folder that the packs are in, each a folder of its own")},
    {"report", "medium", "DIR", N_("from this medium alone, without policy and state folder")},
    {"report", "root-key", "KEY", N_("with --medium: the root public key, from paper, or a file with it")},
    {"status", "short", NULL, N_("one screen: the verdict, a line a data set, what to do next")},
    {"status", "at", "MOMENT", N_("as of then, from what the journal had: 2026-11-20, '2026-11-20 14:00'")},
    {"status", "forecast", NULL, N_("what lapses within 35 days if nobody acts, and what prevents it")},
    {"status", "html", "FILE", N_("write a page to look at into this file")},
    {"status", "prometheus", "FILE", N_("write metrics for Prometheus into this file")},
    {"notify", "test", NULL, N_("tell now, to try whether it arrives")},
    {"generations", "all", NULL, N_("all runs, not the newest ten")},
    {"generations", "medium", "NAME", N_("those that are on this medium")},
    {"journal", "file", "JOURNAL", N_("a copy of the journal (default: that of the state folder)")},
    {"journal", "root-key", "RW…|FILE", N_("the root public key from paper: who must have signed")},
    {"journal", "against", "FILE|DIR|MEDIUM",
	N_("compare with this copy: one must be the beginning of the other")},
    {"journal", "format", "csv|json", N_("as a table, or the records as they are")},
    {"journal", "out", "FILE", N_("into this file (default: standard output)")},
    {"journal", "public-key", "RW…|FILE", N_("the witness's key, where the policy does not have it")},
    {"journal", "by", "NAME", N_("who the witness is that has that key")},
    {"journal", "record", "NUMBER",
	N_("the number that stands beside it on paper; of the record to be signed (default: the last)")},
};

static const struct row *row_of(const char *command, const char *option)
{
	const struct row *found = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].option, option) &&
		    (!rows[i].command || !strcmp(rows[i].command, command)))
			found = &rows[i]; /* the command's own stand behind those for all */
	return found;
}

/* Commands that share a table of options take those that their usage names, and those of every command. */
static bool takes(const struct app_command *c, const char *option)
{
	static const char *const common[] = {"policy", "lang", "json", "quiet", "help"};
	char word[64];

	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
		if (!strcmp(common[i], option))
			return true;
	snprintf(word, sizeof(word), "--%s", option);
	return strstr(c->usage, word) != NULL;
}

void help_command(const struct app_command *c, const struct option *options)
{
	const char *line = c->usage;

	out_wrapped(stdout, 0, 0, "%s", text(c->summary));
	putchar('\n');
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
		out_wrapped(stdout, 0, 6, "  bkp %.*s", (int)strcspn(line, "\n"), line);
	printf("\n%s\n", text("Options:"));
	for (; options->name; options++) {
		const struct row *r = row_of(c->name, options->name);
		char shown[80];
		int n;

		if (!takes(c, options->name))
			continue;
		snprintf(shown, sizeof(shown), "--%s%s%s", options->name, r && r->value ? " " : "",
		    r && r->value ? r->value : "");
		n = (int)width_text(shown);
		n = n + 2 < COLUMN ? COLUMN : n + 2;
		printf("  %s%*s", shown, n - (int)width_text(shown), "");
		out_wrapped(stdout, (unsigned)n + 2, COLUMN + 2, "%s", r ? text(r->what) : "");
	}
}
