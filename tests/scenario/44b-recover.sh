#!/bin/bash
# Goal: a procedure is carried out for real.  Gates must be signed, by as many people as it says, before anything behind them runs; it is
# confirmed by typing; a target that is not empty, too small, a medium or beside the only copy is refused; after kill -9 the same command
# goes on; each choice at a failed step does what it says; what is suspect, or was captured too late, is not taken; a scan lets nothing out.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
[ "$(id -u)" = 0 ] || die "needs root (mounts)"
unset TZ
exec </dev/null

# ---- a site: two clean nights, one after an attack in the morning, and one that looks clean because all was harmed by then
mkdir -p "$T/src" "$T/other" "$T/o"
touch "$T/src/MADE-FOR-TESTS"
for i in $(seq 400); do { echo "患者 $i"; seq "$i" $((i * 5 + 200)); } >"$T/src/report$i.txt"; done
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}
	  - {name: late, title: 後から, paths: [$T/other]}"
minisign -G -W -f -p "$T/boss.pub" -s "$T/boss.key" >/dev/null
printf 'people: [{name: 院長, roles: [manager], public_key: %s}]\n' "$(tail -n 1 "$T/boss.pub")" >>"$T/policy.yaml"
site_make 2>/dev/null
night() { status env "${FAKE_ENV[@]}" FAKECLOCK=$(($1 * 86400)) "$BKP" --quiet run --all; }
for n in 1 2 3 4; do
	echo "$n" >"$T/other/number"
	echo "day $n" >"$T/src/day$n.txt"
	[ "$n" != 3 ] || python3 "$SRC_ROOT/tests/lib/ransom.py" in-place "$T/src" >/dev/null
	[ "$n" != 2 ] || cp -a "$T/src" "$T/clean"
	night "$((n - 1))"
done
cp -a "$T/src" "$T/harmed"
"$RESTORE" --medium "$T/m1" generations --timeline docs >"$T/timeline" 2>&1 || true
grep -qE '^ +3 .*suspect' "$T/timeline" || fail "night 3 is not suspect" "$T/timeline"
mount -t tmpfs -o size=64m none "$T/o"

block() { # KIND WHAT, more keys on standard input
	printf '\n```%s\nwho: 事務長\nwhat: %s\nhow: 自動\npass: 成功\nminutes: 5\n' "$1" "$2"; cat -; printf '```\n'
}
procedure() { { printf '# 文書の復旧\n'; cat -; } >"$T/$1.md"; }
media() { R=("$RESTORE" "$@" --identity "$T/id.txt" --lang en); }
media --medium "$T/m1"
recover() { # PROCEDURE DIR OPTIONS...
	local p=$1 to=$2
	shift 2
	status timeout 120 "${R[@]}" recover "$T/$p.md" --to "$T/o/$to" --operator 山田 "$@"
}
want() { [ "$STATUS" = "$1" ] || fail "exit $STATUS, expected $1"; }
answers() { cat - >"$T/$1.yaml"; }
field() { # DIR EXPRESSION
	python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); s={x["id"]: x for x in d["steps"]}; print(eval(sys.argv[2]))' \
		"$T/o/$1/recovery.json" "$2"
}
is() { # DIR EXPRESSION VALUE
	local v
	v=$(field "$1" "$2") || die "$1: $2"
	[ "$v" = "$3" ] || fail "$1: $2 is '$v', expected '$3'"
}
refused() { # CODE ERROR: said, nothing made
	want "$1"; said "$2"
	[ ! -e "$T/o/no" ] && [ ! -e "$T/ran" ] || die "a refused recovery left something"
}
same() { rsync -rn --delete --checksum --itemize-changes "$1/" "$2/" | grep . && die "$1 and $2 differ" || true; }
at_docs() { echo "$T/o/$1/data/docs$T/src"; }

# ---- gates, typed confirmation, record
{
	cat <<'Y'

```procedure
id: docs
version: "1.0"
dataset: docs
rto: 1h
```
Y
	block gate 侵入の原因が塞がれた <<'Y'
id: hole
role: 責任者
text: 侵入に使われた穴を特定し、塞いだことを確認しました。
people: 2
Y
	block restore 文書を戻す <<'Y'
id: docs
dataset: docs
select: newest-not-suspect
Y
	block scan 隔離した文書を調べる <<'Y'
id: scan
command: |
  ! grep -rlx EVIL "$scratch/docs"
Y
	block run 戻す <<Y
id: out
command: |
  cp -a "\$scratch/docs$T/src" "$T/o/live.\$(basename "\$(dirname "\$scratch")")"
  touch $T/ran
Y
} | procedure good
answers yes <<'Y'
by: 山田
confirm: docs@2
answers:
  - {step: hole, answer: yes, by: 院長, note: FW 設定票 3 号}
  - {step: hole, answer: yes, by: ベンダ 佐藤, note: 脆弱性診断 R-12}
Y
grep -v ベンダ "$T/yes.yaml" >"$T/one.yaml"
grep -v hole "$T/yes.yaml" | sed 's/^answers:.*/answers: []/' >"$T/unsigned.yaml"
recover good no; refused 2 E-RECOVER-09
sed 's/^confirm:.*/confirm: docs@4/' "$T/yes.yaml" >"$T/typo.yaml"
recover good no --attest "$T/typo.yaml"; refused 2 E-RECOVER-09; said 'docs@2'
said 'docs@3 is suspect'; said '→ docs@2'
recover good g --attest "$T/unsigned.yaml"; want 2; said 'E-DRILL-27'; said "good.md:$(grep -n '```gate' "$T/good.md" | cut -d: -f1)"
said '0 of 2'; [ ! -e "$T/o/g/data/docs" ] && [ ! -e "$T/ran" ] || die "something ran before the gate was signed"
recover good g --attest "$T/one.yaml"; want 2; said '1 of 2'; [ ! -e "$T/o/g/data/docs" ] || die "one of two people was enough"
sed 's/ベンダ 佐藤/院長/' "$T/yes.yaml" >"$T/twice.yaml"
recover good g --attest "$T/twice.yaml"; want 64; said 'twice.yaml:5:.*same person.*E-DRILL-09'
sed 's/, note: FW[^}]*//' "$T/yes.yaml" >"$T/bare.yaml"
recover good g --attest "$T/bare.yaml"; want 64; said "bare.yaml:4:.*E-DRILL-08"
grep -v 院長 "$T/yes.yaml" >"$T/other.yaml" # the one who signed yesterday need not sign again
recover good g --attest "$T/other.yaml" --sign-slip "$T/boss.key" --json; want 0
cmp "$T/out" "$T/o/g/recovery.json" || die "--json is not the record"
same "$T/clean" "$T/o/live.g"
is g "d['kind'], d['verdict'], d['recovery']['resumed'], [x['mark'] for x in d['steps']]" \
	"('bkp-recovery', 'passed', 2, ['passed', 'passed', 'passed', 'passed'])"
is g "[(p['by'], p['evidence']) for p in s['hole']['gate']['signed']]" "[('院長', 'FW 設定票 3 号'), ('ベンダ 佐藤', '脆弱性診断 R-12')]"
is g "s['docs']['restore']['generation'], d['operator']" "(2, '山田')"
minisign -V -q -p "$T/boss.pub" -m "$T/o/g/recovery.json" || die "stock minisign does not accept the record's signature"
python3 - "$T/o/g" <<'P'
import hashlib, sys, xml.etree.ElementTree as E
sha = hashlib.sha256(open(sys.argv[1] + "/recovery.json", "rb").read()).hexdigest()
for page, words in (("recovery-before.html", ("院長", "FW 設定票 3 号", "ベンダ 佐藤", "docs@2", "穴を特定し")),
                    ("recovery.html", (sha, "院長", "docs@2"))):
    text = "".join(E.fromstring(open(f"{sys.argv[1]}/{page}", encoding="utf-8").read().split("\n", 1)[1]).itertext())
    for w in words:
        assert w in text, (page, w)
P
recover good g --attest "$T/yes.yaml"; want 2; said 'E-RECOVER-06.*has ended'
status "$BKP" journal import "$T/o/g/recovery.json" --operator 院長; [ "$STATUS" -le 1 ] || fail "import"
record drill | jq -e '.kind == "recovery" and .verdict == "passed" and .signed_by == "院長" and .datasets[0].generation == 2' >/dev/null ||
	die "the journal does not hold the recovery: $(record drill)"
# form 12 says what recover printed, row by row
expect 0 "$BKP" --lang ja report gates --format csv
cp "$T/out" "$T/gates.csv"
python3 - "$T/o/g/recovery-before.html" "$T/gates.csv" <<'P' || fail "form 12 and the paper of recover differ" "$T/gates.csv"
import csv, sys, xml.etree.ElementTree as E
page = E.fromstring(open(sys.argv[1], encoding="utf-8").read().split("\n", 1)[1])
cells = ["".join(c.itertext()).strip() for c in page.iter() if c.tag.split("}")[-1] in ("td", "th", "dd", "dt")]
rows = list(csv.DictReader(open(sys.argv[2], encoding="utf-8-sig")))
assert [r["氏名"] for r in rows] == ["院長", "ベンダ 佐藤"], rows
assert [r["役割"] for r in rows] == ["責任者（1人目／2人）", "責任者（2人目／2人）"], rows
for r in rows:
    assert r["種別"] == "復旧" and r["世代"] == "docs@2" and r["記録の署名"] == "院長", r
    for w in (r["確認文"], r["証跡"], r["合否条件"]):
        assert w and w in cells, (w, cells)
    assert any(c.startswith(r["氏名"] + " ") for c in cells), (r["氏名"], cells)
P
# hostile: each of these is refused by the member's name, and what is well-formed is shown as it is
record drill | jq -e '.gates[0].signed | length == 2' >/dev/null || die "no gates on record"
gate_edit() { jq -c ".begun = \"2026-01-01T00:00:0$1Z\" | $2" "$T/o/g/recovery.json" >"$T/edit.json"; }
for bad in '.signed[0].by = "a\nb"' '.signed[0].by = ""' '.signed[0].when = "soon"' '.people = 0' '.people = 99999999999' '.role = 7' \
	'.text = null' '.signed = {}' '.signed = [range(10) as $i | .signed[0]]' 'del(.signed[0].evidence)'; do
	gate_edit 1 ".steps[0].gate |= ($bad)"
	expect 2 "$BKP" journal import "$T/edit.json"
	said "E-IMPORT-01.*'gates'"
done
gate_edit 1 '.steps = [range(60) as $i | .steps[0]]'
expect 2 "$BKP" journal import "$T/edit.json"; said "E-IMPORT-01.*'gates'"
gate_edit 2 '.steps[0].gate |= (.text = "<script>x</script>\n" + ("あ" * 2000) | .signed = [.signed[0] | .evidence = "=1+1"])'
status "$BKP" journal import "$T/edit.json"; [ "$STATUS" -le 1 ] || fail "a long text"
gate_edit 3 'del(.steps[0])'
status "$BKP" journal import "$T/edit.json"; [ "$STATUS" -le 1 ] || fail "without a gate"
expect 0 "$BKP" --lang en report gates --format csv
for w in 'NO GATE stands' 'NOT SIGNED' "'=1+1" ; do grep -q "$w" "$T/out" || fail "form 12 without '$w'" "$T/out"; done
expect 0 "$BKP" --lang en report gates
! grep -q '<script>x' "$T/out" || die "a gate's text is markup"
say "form 12 from the journal says what recover printed: both people, what they signed, on what evidence; a gate that nobody signed and a" \
	"recovery without any are named; 11 hostile records are refused by name, and what is long or markup is shown as text"
rm -f "$T/ran"
status "${R[@]}" --quiet drill "$T/good.md" --to "$T/o/drill" --attest "$T/unsigned.yaml"
want 64; said E-DRILL-07
status "${R[@]}" --quiet drill "$T/good.md" --to "$T/o/drill" --attest "$T/yes.yaml"
want 0
[ ! -e "$T/o/drill/scratch" ] && grep -q 'R-12' "$T/o/drill/drill.html" || die "the drill of the same procedure"
status "$BKP" journal import "$T/o/drill/drill.json"; [ "$STATUS" -le 1 ] || fail "import of the drill"
expect 0 "$BKP" --lang en report gates --format csv
[ "$(grep -c 'drill: played, confirms nothing.*declared only' "$T/out")" = 2 ] || fail "the gates of a drill"
rm -rf "$T/ran" "$T/o/live.drill" "$T/o/drill"
say "two people sign with evidence before anything runs, over two days; docs@2 is typed and brought back, docs@4, which was" \
	"captured behind the attack, is not; stock minisign and bkp journal import take the record; a drill meets the same gate"

# ---- selections
sel() { { block restore 文書 <<<"id: docs
dataset: docs
$1"; } | procedure sel; }
newest() { # SELECT NUMBER
	sel "select: $1"
	printf 'by: x\nanswers: []\nconfirm: docs@%s\n' "$2" >"$T/sel.yaml"
	recover sel "sel$2" --attest "$T/sel.yaml"; want "${3:-0}"
	is "sel$2" "s['docs']['restore']['generation']" "$2"
	rm -rf "$T/o/sel$2"
}
newest latest 4; newest newest-not-suspect 2
newest "newest-before $(date -d '+1 day' +%F)" 1
newest "newest-before $(date -d '+2 days -1 hour' '+%F %H:%M')" 2
newest "newest-before $(date -d '+3 days' +%F)" 3
for bad in newest-before 'newest-before 2026-02-30' older 'latest 2'; do
	sel "select: $bad"; recover sel no; refused 64 'sel.md:11:[0-9]+: .*E-PROC-11'
done
sel "select: latest
generation: 2"; recover sel no; refused 64 'sel.md:11:[0-9]+: .*E-PROC-15'
sel "select: newest-before $(date -d '-9 days' +%F)"; recover sel no; refused 2 'E-DRILL-06'; said 'sel.md:3'
sel "select: newest-not-suspect"
{ sha256sum "$T/clean/day2.txt"; echo "$(echo x | sha256sum | cut -c-64)  nowhere"; } >"$T/bad.list"
sed 's/^confirm:.*/confirm: docs@1/' "$T/sel.yaml" >"$T/known.yaml"
recover sel known --attest "$T/known.yaml" --known-bad "$T/bad.list"; want 0; said 'docs@2 is the first with a file of the list'
is known "s['docs']['restore']['generation']" 1; rm -rf "$T/o/known"
sha256sum "$T/clean/day1.txt" >"$T/all.list"; recover sel no --known-bad "$T/all.list"; refused 2 E-DRILL-06
recover sel no --known-bad "$T/sel.yaml"; refused 64 E-BISECT-01
sel "select: latest"; recover sel no --known-bad "$T/bad.list"; refused 64 'known-bad'
say "latest, newest-not-suspect, with a list of files that are known to be bad too," \
	"newest-before a day and before a time choose what they say, and nonsense is refused with its place"

# ---- the target
printf 'by: x\nanswers: []\nconfirm: docs@2\n' >"$T/sel.yaml"
sel "select: newest-not-suspect"
try() { recover sel "$@" --attest "$T/sel.yaml"; }
mkdir "$T/o/full"; echo precious >"$T/o/full/file"; try full; want 2; said E-RECOVER-01; [ "$(ls "$T/o/full")" = file ] || die "full"
mkdir -p "$T/o/fulldata/data"; echo precious >"$T/o/fulldata/data/file"; try fulldata; want 2; said E-RECOVER-01
[ -s "$T/o/fulldata/data/file" ] || die "a folder of the same name was touched"
for to in ../m1/out ../m1 ../m2/../m1/x/y; do try "$to"; want 2; said E-TARGET-04; done
[ ! -e "$T/m1/out" ] || die "a recovery onto the medium"
try ../beside; want 2; said E-RECOVER-03; [ ! -e "$T/beside" ] || die "beside the only copy"
mkdir "$T/m3"; mount -t tmpfs -o size=256m none "$T/m3"; cp -a "$T/m1/." "$T/m3/"
media --medium "$T/m1" --medium "$T/m3"; try ../beside; want 0; rm -rf "$T/beside"; media --medium "$T/m1"
mkdir "$T/small"; mount -t tmpfs -o size=64k none "$T/small"; try ../small/x; want 2; said E-RECOVER-04
[ ! -e "$T/small/x" ] || die "small"
umount "$T/small"
chmod 777 "$T/o/full"; rm "$T/o/full/file"; try full; want 2; said E-DRILL-01; rm -rf "$T/o/full" "$T/o/fulldata"
sed 's/^# .*/&\n\n```procedure\ntarget: live\nvariables: [{name: live, type: path}]\n```/' "$T/sel.md" >"$T/target.md"
recover target no; refused 64 'E-DRILL-03'
mkdir "$T/o/destroyed"; echo ransom >"$T/o/destroyed/README"
recover target no --set "live=$T/o/destroyed" --attest "$T/sel.yaml"; refused 2 'E-RECOVER-01: .*target.md:5'
recover target no --set "live=$T/m1/x" --attest "$T/sel.yaml"; refused 2 E-TARGET-04
rm -rf "$T/o/destroyed"; recover target tgt --set "live=$T/o/destroyed" --attest "$T/sel.yaml"; want 0
is tgt "d['recovery']['target']" "$T/o/destroyed"
rm -rf "$T/o/tgt"
say "refused: a target that is not empty, on a medium, beside the only copy at hand, too small or of others; what it names as target too"

# ---- hostile procedures
hostile() { # LINE CODE: where a key is missing the table that begins in the next line is named
	recover bad no; refused 64 "bad.md:($1|$(($1 + 1))):[0-9]+: .*$2"
}
line() { grep -n "$1" "$T/bad.md" | tail -n 1 | cut -d: -f1; }
block gate x <<<'people: 2' | procedure bad; hostile "$(line '```gate')" E-PROC-08
block gate x <<<'role: a
people: 0' | procedure bad; hostile "$(line people)" E-PROC-11
block gate x <<<'role: a
always: true' | procedure bad; hostile "$(line always)" E-PROC-15
block gate x <<<'role: a
command: touch /x' | procedure bad; hostile "$(line command)" E-PROC-07
block gaet x <<<'role: a' | procedure bad; hostile "$(line gaet)" E-PROC-04
block scan x </dev/null | procedure bad; hostile "$(line '```scan')" E-PROC-08
block restore x <<<'dataset: docs
priority: 0' | procedure bad; hostile "$(line priority)" E-PROC-11
{ block restore x <<<'dataset: docs'; block run let-out <<<'command: "true"'; block scan x <<<'command: "true"'; } | procedure bad
hostile "$(line '```run')" E-PROC-21
{ block restore x <<<'dataset: docs'; block restore x <<<'dataset: late
to: docs/late'; } | procedure bad; recover bad no; refused 2 E-RECOVER-08; said "bad.md:$(line '```restore')"
printf '# x\n\n```procedure\ntarget: nowhere\n```\n' | cat - "$T/sel.md" >"$T/bad.md"; hostile 4 E-PROC-14
printf 'by: x\nanswers: []\ndecisions: [{step: docs, choice: skip}]\n' >"$T/bad.yaml"
recover sel no --attest "$T/bad.yaml"; refused 64 'bad.yaml:3:.*E-DRILL-08'
cp "$T/good.md" "$T/m1/evil.md"
status "${R[@]}" recover "$T/m1/evil.md" --to "$T/o/no" --attest "$T/yes.yaml"
refused 2 E-DRILL-24
rm "$T/m1/evil.md"
say "malformed gates, scans and priorities, a command between restoration and scan, shared folders: refused with file and line"

# ---- priorities and parallel steps
{
	block restore 文書 <<<'id: docs
dataset: docs
generation: 2
priority: 2'
	block restore 後から <<<'id: late
dataset: late
priority: 1'
} | procedure order
printf 'by: x\nanswers: []\nconfirm: docs@2 late@4\n' >"$T/order.yaml"
recover order order --attest "$T/order.yaml"; want 0
grep -n 'took' "$T/err" | head -n 1 | grep -q '後から' || fail "the more urgent one did not come first"
sed -i 's/^priority: .*/parallel: true/' "$T/order.md"
recover order par --attest "$T/order.yaml"; want 0
same "$T/clean" "$(at_docs par)"; [ "$(cat "$T/o/par/data/late$T/other/number")" = 4 ] || die "late"
is par "s['docs']['begun'] == s['late']['begun']" True
rm -rf "$T/o/order" "$T/o/par"
say "restore steps behind one another go by their priority, and together where the procedure says so"

# ---- what is done about a failed step
{
	block restore 文書 <<<'id: docs
dataset: docs'
	block check 数 <<Y
id: count
command: test ! -e "\$scratch/docs$T/src/day3.txt"
Y
	block run 後 <<<"id: after
command: test -e $T/may"
	block run 後始末 <<<'id: clear
always: true
command: touch cleared'
} | procedure fails
decide() { # DIR "STEP CHOICE; …"
	local d=$1 step choice
	{
		printf 'by: 佐藤\nconfirm: docs@4\nanswers: []\n'
		[ -z "$2" ] || echo decisions:
		tr ';' '\n' <<<"$2" | while read -r step choice; do
			[ -z "$step" ] || echo "  - {step: $step, choice: $choice, reason: 理由}"
		done
	} >"$T/decide.yaml"
	recover fails "$d" --attest "$T/decide.yaml"
}
decide stop 'after skip'; want 2; said 'stops at step 2'; [ ! -e "$T/o/stop/recovery.json" ] || die "a stopped recovery has a record"
decide stop 'count skip;after skip'; want 1
is stop "(d['verdict'], [x['mark'] for x in d['steps']],
	[(y['choice'], y['by'], y['reason'], y['fault']) for y in s['count']['decisions']])" \
	"('failed', ['passed', 'skipped', 'skipped', 'passed'], [('skip', '佐藤', '理由', 'E-DRILL-14')])"
grep -q 'steps were skipped' "$T/o/stop/recovery.html" && grep -q '理由' "$T/o/stop/recovery.html" || die "the report is silent about it"
decide older 'count older;count older;after abort'; want 2
is older "[x['mark'] for x in d['steps']], s['docs']['restore']['generation'], s['docs']['tries']" \
	"(['passed', 'passed', 'failed', 'passed'], 2, 3)"
same "$T/clean" "$(at_docs older)"; [ -e "$T/o/older/data/cleared" ] || die "always"
decide older ''; want 2; said E-RECOVER-06
touch "$T/may"; decide retry 'count older;count older'; want 0; rm "$T/may"
decide retry2 'count retry;count retry'; want 2; [ "$(jq '.steps[1].tries' "$T/o/retry2/recovery.state.json")" = 3 ] || die "tries"
decide oldest 'count older;count older;after older;after older'; want 2; said 'E-DRILL-06'
decide med 'count medium'; want 2; said 'E-RECOVER-10.*no other medium'
touch "$T/may"
media --medium "$T/m3" --medium "$T/m1"
decide med2 'count medium;count older;count older'; want 0; said "from now on the first medium is $T/m1"
is med2 "s['docs']['restore']['generation'], [y['choice'] for y in s['count']['decisions']]" "(2, ['medium', 'older', 'older'])"
same "$T/clean" "$(at_docs med2)"; media --medium "$T/m1"; rm "$T/may"
sed 's/answer: yes, by: 院長/answer: no, by: 院長/' "$T/yes.yaml" >"$T/nogate.yaml"
printf 'decisions: [{step: hole, choice: skip, reason: x}]\n' >>"$T/nogate.yaml"
recover good gate --attest "$T/nogate.yaml"; want 2; said E-RECOVER-10; [ ! -e "$T/ran" ] || die "a gate was skipped"
rm -rf "$T"/o/{stop,older,retry,retry2,oldest,med,med2,gate}
say "once more, next medium, older generation, skip with a reason, abort: each does what it says and stands in the record; a gate cannot" \
	"be skipped"

# ---- a scan lets nothing out
sed 's/EVIL/"患者 7"/; s/select: .*/generation: 2/' "$T/good.md" >"$T/scan.md"
recover scan scan --attest "$T/yes.yaml"; want 2; said 'E-DRILL-28: .*report7.txt'
[ ! -e "$T/ran" ] && [ ! -e "$T/o/live.scan" ] || die "what a scan marked went out"
rm -rf "$T/o/scan"
say "files that a scan names stop the recovery before anything leaves the quarantine"

# ---- kill -9 at three moments, and on
{
	block restore 文書 <<<'id: docs
dataset: docs
generation: 2'
	block run 長い <<Y
id: long
command: |
  rm -rf work; mkdir work; cd work
  for i in \$(seq 40); do echo "\$i" >"f\$i"; sleep 0.05; done
  echo begun >>$T/runs
  sleep 1000 & echo \$! >$T/child
  [ -e $T/go ] || { touch $T/inside; wait; }
  kill "\$(cat $T/child)"
Y
	block check 数 <<<'id: count
command: ls work | wc -l
value: "40"'
} | procedure kill
printf 'by: x\nanswers: []\nconfirm: docs@2\nagain: yes\n' >"$T/kill.yaml"
kills() { # CONDITION: kill -9 as soon as it holds
	setsid "${R[@]}" recover "$T/kill.md" --to "$T/o/kill" --attest "$T/kill.yaml" >"$T/out" 2>"$T/err" &
	pid=$!
	for _ in $(seq 3000); do
		if eval "$1"; then break; fi
		kill -0 "$pid" 2>/dev/null || fail "it ended before: $1"
		sleep 0.01
	done
	kill -9 "$pid"; wait "$pid" 2>/dev/null || true
}
kills '[ -e "$T/o/kill/recovery.state.json" ]'
kills '[ -n "$(find "$T/o/kill/data/docs" -name "report*" 2>/dev/null | head -n 1)" ]'
kills '[ -e "$T/inside" ]'
child=$(cat "$T/child"); kill -0 "$child" || die "the command ended with the program: nothing is shown"
sed '/again/d' "$T/kill.yaml" >"$T/kill2.yaml"
recover kill kill --attest "$T/kill2.yaml"; want 2; said 'E-RECOVER-07'; said "kill.md:$(grep -n '```run' "$T/kill.md" | cut -d: -f1)"
touch "$T/go"
recover kill kill --attest "$T/kill.yaml"; want 0; said 'processes that the step had started were ended'
! kill -0 "$child" 2>/dev/null || die "what the cut-off command had started still runs"
same "$T/clean" "$(at_docs kill)"
is kill "d['recovery']['resumed'] >= 1, [x['mark'] for x in d['steps']], s['docs']['tries'] in (1, 2, 3), s['long']['tries'] in (2, 3, 4)" \
	"(True, ['passed', 'passed', 'passed'], True, True)"
[ "$(grep -c begun "$T/runs")" = 2 ] || die "the command was not run again exactly once"
sed -i 's/^value: .*/value: "39"/' "$T/kill.md"; rm -rf "$T/o/kill"
recover kill kill --attest "$T/kill.yaml"; want 2; echo >>"$T/kill.md"; recover kill kill --attest "$T/kill.yaml"; want 2
said 'E-RECOVER-06.*another procedure'
(flock 9; recover sel locked --attest "$T/sel.yaml"; want 0) 9>"$T/lock"
mkdir "$T/o/busy"; flock "$T/o/busy" sleep 5 & sleep 0.3; recover sel busy --attest "$T/sel.yaml"; want 2; said E-RECOVER-02; wait
say "killed three times, in the state, in a restoration and in a command: it goes on, ends what the command had left running, asks before" \
	"running it again, and what is there is what was captured; another procedure or a second recovery in the same folder is refused"

# ---- on a terminal
python3 - "$RESTORE" "$T" <<'P'
import os, pty, sys
restore, t = sys.argv[1:]
answers = ["docs@2", "院長", "はい", "票 3", "院長", "y", "x", "佐藤", "y", "診断", ""]
pid, fd = pty.fork()
if pid == 0:
    os.execv(restore, [restore, "--lang", "ja", "--medium", t + "/m1", "--identity", t + "/id.txt", "recover",
        t + "/good.md", "--to", t + "/o/tty"])
seen = b""
at = 0
while True:
    try:
        got = os.read(fd, 65536)
    except OSError:
        break
    if not got:
        break
    seen += got
    asked = seen[at:].rstrip(b" ").endswith(("？".encode(), b"?", "：".encode(), b":", "）".encode()))
    if answers and asked and b"\r\n    " in seen[at:]:
        at = len(seen)
        os.write(fd, (answers.pop(0) + "\n").encode())
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 0 and not answers, (status, answers, seen.decode())
P
is tty "[(p['by'], p['evidence']) for p in s['hole']['gate']['signed']]" "[('院長', '票 3'), ('佐藤', '診断')]"
say "on a terminal, in Japanese: what is brought back is typed, each gate asked, of each person once"
