#!/bin/bash
# Goal: in the morning one line tells the truth.  Under cron a night that went well writes nothing at all; one that a person should
# look at begins with that line, on stdout, with the details on stderr; the policy's notify command is told the same, and its
# failing does no harm but is not hidden; the journal keeps how each command ended; a Prometheus collector gets it all; and
# Japanese and English come out whatever the locale.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo
PY=python3
[ ! -x /usr/bin/python3 ] || PY=/usr/bin/python3 # the one that Debian's python3-prometheus-client is for

mkdir -p "$T/src" "$T/rdx"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}
	  - {name: lab, title: 検査DB, command: cat $T/lab.sql, store_as: lab.sql, expect: {min_bytes: 10}}"
cat >>"$T/policy.yaml" <<Y
schedule: {at: "02:00"}
notify:
  command: |
    { echo "== \$BKP_COMMAND \$BKP_EXIT run=\$BKP_RUN site=\$BKP_SITE"; echo "\$BKP_LINE"; echo --; cat; } >>$T/told
    test ! -e $T/mute
Y
echo 'select 1; select 2;' >"$T/lab.sql"
echo one >"$T/src/a"
site_make 2>/dev/null
# a socket is noted each night, and is no reason to wake anybody
"$PY" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/src/socket"

# cron CODE DAYS [ARGUMENT...]: a night as cron runs it, so many days from now: nothing in its environment, one mail for both outputs
cron() {
	local want=$1 days=$2 code=0
	shift 2
	rm -f "$T/told"
	env -i PATH=/usr/bin:/bin LANG=C HOME=/ TZ=$TZ BKP_POLICY="$T/policy.yaml" "${FAKE_ENV[@]}" FAKECLOCK=$((days * 86400)) \
		"$BKP" run --quiet --all "$@" >"$T/mail" 2>&1 </dev/null || code=$?
	[ "$code" = "$want" ] || fail "the night exits $code, expected $want" "$T/mail"
}
outcome() { # COMMAND EXIT LINE: the newest outcome record
	record outcome | "$PY" -c 'import json, sys
r = json.loads(sys.stdin.read())
assert [r["command"], str(r["exit"]), r["line"]] == sys.argv[1:], r' "$@" || die "the outcome that is recorded"
}
at() { # DAYS COMMAND...
	local days=$1
	shift
	env "${FAKE_ENV[@]}" FAKECLOCK=$((days * 86400)) "$@"
}
flat() { tr -s ' \n' ' ' <"$T/out"; } # what people read is broken at 80 columns

cron 0 0
[ ! -s "$T/mail" ] || fail "a night that went well is not silent" "$T/mail"
[ ! -e "$T/told" ] || die "somebody was told of a night that went well"
outcome run 0 "2 of 2 good"
at 0 "$BKP" --policy "$T/policy.yaml" run --all >"$T/out" 2>"$T/err"
[ "$(head -n 1 "$T/out")" = "2 of 2 good" ] && grep -q W-FILE-03 "$T/err" || fail "a person at the keyboard is not told"
say "a night that went well writes not one byte and tells nobody; the journal has its outcome"

# ---- the dump is empty
: >"$T/lab.sql"
cron 1 1
line=$(head -n 1 "$T/mail")
case $line in "1 of 2 good, 1 warning: 検査DB failed ("*) ;; *) fail "the mail does not begin with the line" "$T/mail" ;; esac
sed -n '2,$p' "$T/mail" | grep -q "E-RUN-03: data set 'lab' failed" || fail "the mail does not say more" "$T/mail"
grep -q W-FILE-03 "$T/mail" || die "what was held back is not in the mail"
outcome run 1 "$line"
[ "$(sed -n 1p "$T/told")" = "== run 1 run=3 site=テスト診療所" ] && [ "$(sed -n 2p "$T/told")" = "$line" ] &&
	[ "$(sed -n 4p "$T/told")" = "$line" ] || fail "what notify was given" "$T/told"
grep -q "E-RUN-03: data set 'lab'" "$T/told" || fail "notify was not given the details" "$T/told"
record notified | grep -q '"ok":true' || die "it is not recorded that somebody was told"
at 1 "$BKP" status --json >"$T/json" 2>&1 || [ $? = 1 ]
"$PY" - "$T/json" "$line" <<'P' || die "status does not know of the last run"
import json, sys
s = json.load(open(sys.argv[1]))
assert s["last_run"]["line"] == sys.argv[2] and s["last_run"]["exit"] == 1, s["last_run"]
assert s["last_notification"]["ok"] and s["last_notification"]["reason"] == "", s["last_notification"]
P
env "${FAKE_ENV[@]}" FAKECLOCK=86400 "$BKP" run lab --json >"$T/out" 2>"$T/err" || [ $? = 2 ]
"$PY" -c 'import json, sys; o = json.load(open(sys.argv[1])); assert o["line"].startswith("nothing was captured: "), o' "$T/out" ||
	die "the line is not in the JSON"
say "a dump that is empty: the line first, then why; notify has line, details and environment; status and journal remember"

# ---- a medium that is not there; nothing at all; another bkp at work
echo 'select 1; select 2;' >"$T/lab.sql"
mv "$T/m2" "$T/m2.away"
cron 1 2
head -n 1 "$T/mail" | grep -q '^2 of 2 good, 1 warning: medium m2 not written (' || fail "a medium that is not there" "$T/mail"
mv "$T/m1" "$T/m1.away"
cron 2 3
grep -q '^nothing was captured: ' <(head -n 1 "$T/mail") && grep -q '^== run 2 run= ' "$T/told" ||
	fail "no medium at all" "$T/mail" "$T/told"
record outcome | grep -q '"command":"run","exit":2' || die "a night that failed is not recorded"
at 3 "$BKP" status >"$T/out" || [ $? = 1 ]
flat | grep -q "data set 'docs'.* failed: no medium is there to write to" ||
	fail "status does not say that the last run failed" "$T/out"
mv "$T/m1.away" "$T/m1"; mv "$T/m2.away" "$T/m2"
before=$(sha256sum <"$T/state/journal/000001.jsonl")
exec 9>>"$T/state/lock"; flock 9
cron 2 3
exec 9>&-
grep -q E-STATE-02 "$T/mail" && grep -q '^== run 2 run= ' "$T/told" || fail "a second run" "$T/mail"
[ "$before" = "$(sha256sum <"$T/state/journal/000001.jsonl")" ] || die "the second run wrote to the journal"
say "media that are missing, no medium at all, another run at work: each is the first line of the mail, and is told"

# ---- the notify command itself
cron 0 4
touch "$T/mute"
: >"$T/lab.sql"
cron 1 5
grep -q 'W-NOTIFY-01.*status 1' "$T/mail" && grep -q 'bkp notify --test' "$T/mail" ||
	fail "a notify command that fails is not said" "$T/mail"
record notified | grep -q '"ok":false,"reason":"nobody was told' || die "it is not recorded that nobody was told"
at 5 "$BKP" status >"$T/out" || [ $? = 1 ]
flat | grep -q "nobody was told.*bkp notify --test" || fail "status does not say that nobody was told" "$T/out"
# told always: a night that went well, but nobody learns of it
echo 'select 1; select 2;' >"$T/lab.sql"
sed -i 's/^notify:/&\n  when: always/' "$T/policy.yaml"
cron 1 6
grep -q W-NOTIFY-01 "$T/mail" || die "a night of which nobody was told exits 1 without a word"
outcome run 0 "2 of 2 good"
expect 1 at 6 "$BKP" notify --test
grep -q W-NOTIFY-01 "$T/err" || die "the test of a notify command that fails"
rm "$T/mute"
expect 0 at 6 "$BKP" notify --test
tail -n 4 "$T/told" | grep -q 'this is a test' || die "the test message"
cron 0 7
[ ! -s "$T/mail" ] && grep -q '^2 of 2 good$' "$T/told" || fail "told always" "$T/mail"
sed -i '/when: always/d' "$T/policy.yaml"
# nights that do not take place tell nobody: that is what bkp notify is for, from a second line of the crontab
cp "$T/policy.yaml" "$T/policy.good"
rm -f "$T/told"
code=0; at 9 "$BKP" notify >"$T/out" 2>"$T/err" || code=$?
[ "$code" = 1 ] && grep -q 'the night run did not run: data set .docs. was due' "$T/told" ||
	fail "a run that did not take place is not told" "$T/out" "$T/err" "$T/told"
# a share whose server is gone: the night hangs on it, with the lock; who asks, and who is told in the morning, is not kept waiting
cat >"$T/hang.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void hang(const char *p) { while (p && getenv("HANG") && !strcmp(p, getenv("HANG"))) pause(); }
int open(const char *p, int f, ...) {
	va_list a; va_start(a, f); int m = va_arg(a, int); va_end(a);
	hang(p);
	return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(p, f, m);
}
int open64(const char *p, int f, ...) {
	va_list a; va_start(a, f); int m = va_arg(a, int); va_end(a);
	hang(p);
	return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64"))(p, f, m);
}
C
cc -O1 -shared -fPIC -o "$T/hang.so" "$T/hang.c" || die "hang.c does not compile"
exec 9>>"$T/state/lock"; flock -n 9 || die "the lock of the state folder"
rm -f "$T/told"
code=0
env "${FAKE_ENV[@]}" LD_PRELOAD="$T/hang.so $FAKE" HANG="$T/m1" FAKECLOCK=$((9 * 86400)) timeout 40 \
	"$BKP" notify >"$T/out" 2>"$T/err" 9>&- || code=$?
exec 9>&-
[ "$code" = 1 ] && grep -q "cannot be told whether 'm1' is attached" "$T/told" ||
	fail "bkp notify while a medium hangs: exit $code" "$T/told" "$T/out" "$T/err"
sed -i '/^notify:/,$d' "$T/policy.yaml"
expect 64 "$BKP" notify --test
grep -q E-NOTIFY-02 "$T/err" || die "a policy without notify"
cp "$T/policy.good" "$T/policy.yaml"
say "a notify command that fails is said, recorded and exits 1; told always; tested; a night that did not take place is told by 'bkp" \
	"notify', and one that hangs on a medium that does not answer"

# ---- every command that changes something
expect 0 "$BKP" medium move m1 --operator 佐藤 --place サーバ室2
outcome "medium move" 0 "'m1' is at 'サーバ室2'"
status strace -f -qq -o /dev/null -P "$T/state/journal/000001.jsonl" -e trace=write -e inject=write:error=ENOSPC:when=2+ \
	"$BKP_RELEASE/bkp" medium move m1 --operator 佐藤 --place 廊下
[ "$STATUS" = 2 ] && grep -q 'how it ended cannot be recorded' "$T/err" || fail "an outcome that cannot be recorded: exit $STATUS" "$T/err"
expect 0 "$BKP" journal verify --quiet
say "an outcome that cannot be written is an error of its own"

# ---- Prometheus
cp "$T/policy.yaml" "$T/policy.good"
sed -i 's/^site: .*/site: {name: '"'"'a "b" \\ 診療所'"'"', language: ja}/' "$T/policy.yaml"
mkdir "$T/textfile"
code=0; at 7 "$BKP" status --prometheus "$T/textfile/bkp.prom" >"$T/out" 2>"$T/err" || code=$?
[ "$code" = 1 ] && [ ! -s "$T/out" ] && [ ! -s "$T/err" ] || fail "--prometheus exits $code"
[ "$(stat -c %a "$T/textfile/bkp.prom")" = 644 ] && [ "$(ls -A "$T/textfile")" = bkp.prom ] || die "the file, its mode"
inode=$(stat -c %i "$T/textfile/bkp.prom")
at 7 "$BKP" status --prometheus "$T/textfile/bkp.prom" || [ $? = 1 ]
[ "$inode" != "$(stat -c %i "$T/textfile/bkp.prom")" ] || die "the file is not replaced in one step"
at 7 "$BKP" status --prometheus - >"$T/prom" || [ $? = 1 ]
at 7 "$BKP" status --json >"$T/json" || [ $? = 1 ]
"$PY" - "$T/textfile/bkp.prom" "$T/prom" "$T/json" <<'P' || die "the metrics"
import calendar, json, re, sys, time
try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    sys.exit("python3-prometheus-client is not installed")
def read(path):
    v = {}
    for f in text_string_to_metric_families(open(path, encoding="utf-8").read()):
        assert f.type == "gauge" and f.documentation, f
        assert re.fullmatch(r"bkp_[a-z_]+", f.name), f.name
        for s in f.samples:
            key = (s.name,) + tuple(sorted(s.labels.items()))
            assert key not in v, key
            v[key] = s.value
    return v
m, other, s = read(sys.argv[1]), read(sys.argv[2]), json.load(open(sys.argv[3]))
assert set(m) == set(other)
def seconds(t): return calendar.timegm(time.strptime(t, "%Y-%m-%dT%H:%M:%SZ")) if t else 0
verdicts = {"met": 0, "attention": 1, "missing": 2}
for d in s["datasets"]:
    l = ("dataset", d["dataset"])
    assert m[("bkp_last_good_timestamp_seconds", l)] == seconds(d["newest"]["begun"])
    assert m[("bkp_next_due_timestamp_seconds", l)] == seconds(d["due"])
    assert m[("bkp_last_verified_timestamp_seconds", l)] == seconds(d["verified"])
    assert m[("bkp_offline_recovery_point_timestamp_seconds", l)] == 0
    assert m[("bkp_generations_counting", l)] == d["generations"]["have"]
    assert m[("bkp_suspect", l)] == 0 and m[("bkp_run_missed", l)] == 0
    for rule in ("generations", "three", "two", "one"):
        assert m[("bkp_rule_verdict", l, ("rule", rule))] == verdicts[d[rule]["verdict"]], (rule, d)
for e in s["media"]:
    l = (("medium", e["label"]), ("offline", str(e["offline"]).lower()), ("type", e["type"]))
    assert m[("bkp_medium_attached",) + l] == e["attached"]
    assert m[("bkp_medium_generations",) + l] == e["generations"]
assert m[("bkp_last_run_exit",)] == 0 and m[("bkp_status_exit",)] == 1
assert m[("bkp_last_run_timestamp_seconds",)] == seconds(s["last_run"]["ended"])
assert m[("bkp_journal_records",)] == s["journal_records"]
assert m[("bkp_clock_latched",)] == 0 and m[("bkp_notify_failed",)] == 0
info = [k for k in m if k[0] == "bkp_info"][0]
assert ("site", 'a "b" \\ 診療所') in info, info
P
expect 2 at 7 "$BKP" status --prometheus "$T/nowhere/bkp.prom"
expect 64 "$BKP" status --json --prometheus -
cp "$T/state/journal/000001.jsonl" "$T/journal.good"
sed -i '3s/"time"/"tame"/' "$T/state/journal/000001.jsonl"
expect 3 at 7 "$BKP" status --prometheus "$T/textfile/bkp.prom"
grep -qx 'bkp_status_exit 3' "$T/textfile/bkp.prom" && ! grep -q 'dataset=' "$T/textfile/bkp.prom" ||
	die "an old verdict stays when nothing is known"
cp "$T/journal.good" "$T/state/journal/000001.jsonl"
cp "$T/policy.good" "$T/policy.yaml"
say "the metrics parse with python3-prometheus-client, agree with status --json, appear in one step for everybody, and say 3 when nothing" \
	"is known"

# ---- the language is the policy's, or --lang, and never the locale's
mkdir "$T/no-locales"
bare() { env -i PATH=/usr/bin:/bin LANG=C LC_ALL=C LOCPATH="$T/no-locales" BKP_POLICY="$T/policy.yaml" TZ=$TZ \
	"${FAKE_ENV[@]}" FAKECLOCK=$((8 * 86400)) "$@"; }
japanese() { "$PY" -c 'import re, sys
t = sys.stdin.buffer.read().decode("utf-8"); sys.exit(not re.search("[\u3041-\u30ff\u4e00-\u9fff]", t))'; }
foreign() { "$PY" -c 'import re, sys
t = re.sub("文書|検査DB|テスト診療所|サーバ室2?|別室|廊下", "", sys.stdin.buffer.read().decode("utf-8"))
sys.exit(not re.search("[\u3041-\u30ff\u4e00-\u9fff]", t))'; }
: >"$T/lab.sql"
for lang in ja en; do
	sed "s/language: en/language: $lang/" "$T/policy.good" >"$T/policy.yaml"
	sed 's/^state:.*/&\nnonsense: 1/' "$T/policy.yaml" >"$T/bad.yaml"
	for opt in "" "--lang en" "--lang ja"; do
		want=${opt#--lang } want=${want:-$lang}
		# shellcheck disable=SC2086 # an option and its value, or nothing
		{
			# what is recorded is in the language of its day, so the run comes first
			rm -f "$T/told"
			bare "$BKP" $opt run --all --quiet || true
			cat "$T/told"
			bare "$BKP" $opt status || true
			bare "$BKP" $opt status --nonsense || true
			bare "$BKP" $opt --policy "$T/bad.yaml" check || true
			bare "$BKP" $opt notify --test
		} >"$T/$lang.$want" 2>&1
		if [ "$want" = en ]; then
			! foreign <"$T/$lang.$want" || fail "Japanese where English was asked for (policy $lang, '$opt')" "$T/$lang.$want"
			grep -q '^DATA SET  GENERATIONS ' "$T/$lang.$want" || die "no English"
		else
			japanese <"$T/$lang.$want" && grep -q '^対象データ  世代 ' "$T/$lang.$want" ||
				fail "no Japanese (policy $lang, '$opt')" "$T/$lang.$want"
		fi
		for c in E-USAGE-01 E-POLICY-08 E-RUN-03; do grep -q "$c" "$T/$lang.$want" ||
			die "code $c is not said (policy $lang, '$opt')"; done
	done
done
# nothing in the environment at all; and before the policy can be read
empty() { env -i "$BKP" "$@" 2>&1 || true; }
for lang in ja en; do
	sed "s/language: en/language: $lang/" "$T/policy.good" >"$T/policy.yaml"
	echo 'media: [' | cat "$T/policy.yaml" - >"$T/torn.yaml"
	{
		empty --policy "$T/policy.yaml" --help
		empty --policy "$T/policy.yaml" --nonsense
		empty --policy "$T/policy.yaml" status --nonsense
		empty --policy "$T/policy.yaml" generations docs
		empty --policy "$T/torn.yaml" status
		empty --lang $lang --policy "$T/nowhere.yaml" status
		empty status --policy "$T/nowhere.yaml" --lang $lang
	} >"$T/empty.$lang"
	[ "$(grep -c 'E-USAGE-01\|E-POLICY-0\|E-IO-01' "$T/empty.$lang")" = 5 ] || fail "not every fault has its code" "$T/empty.$lang"
done
japanese <"$T/empty.ja" && ! grep -q 'usage:\|unknown\|cannot' "$T/empty.ja" ||
	fail "English in an empty environment, where the policy says Japanese" "$T/empty.ja"
! foreign <"$T/empty.en" || fail "Japanese in an empty environment, where the policy says English" "$T/empty.en"
! empty --policy "$T/nowhere.yaml" status | foreign || die "Japanese where nobody asked for it"
grep -hoE '[EW]-[A-Z]+-[0-9]{2}' "$T/ja.ja" | sort >"$T/codes.ja"
grep -hoE '[EW]-[A-Z]+-[0-9]{2}' "$T/ja.en" | sort >"$T/codes.en"
cmp "$T/codes.ja" "$T/codes.en" || die "the codes depend on the language"
say "with LANG=C and no locale, and in an empty environment, the policy's language is spoken, also of a policy that is not valid; --lang" \
	"wins; the codes are the same"
