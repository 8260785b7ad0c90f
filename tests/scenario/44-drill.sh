#!/bin/bash
# Goal: a recovery procedure is replayed from a medium into an empty folder, timed, compared and recorded; what is wrong with it
# is said before anything is run, with its line; a failure, an interrupt and hostile values leave no data and no doubt behind.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
unset TZ
exec </dev/null

mkdir -p "$T/src/d/e" "$T/other"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}
	  - {name: late, title: 後から, paths: [$T/other]}"
site_make 2>/dev/null
echo hello >"$T/src/a"; echo x >"$T/src/d/e/患者"; head -c 3000000 /dev/urandom >"$T/src/d/big"
"$BKP" run docs >/dev/null 2>&1   # run 1: without "late"
echo more >"$T/other/file"; echo two >"$T/src/b"
"$BKP" run --all >/dev/null 2>&1  # run 2: both
[ "$("$RESTORE" --medium "$T/m1" generations 2>/dev/null | grep -c '@[12]  .* good ')" = 3 ] || die "three generations were not made"

# procedure FILE: opening, then the blocks on standard input
procedure() {
	cat - >"$T/$1.md"
}
common() { printf '誰: 事務長\n何を: %s\nどのように: 自動\n合否条件: 成功\n予定分: %s\n' "$1" "${2:-5}"; }
block() { # KIND WHAT MINUTES, more keys on standard input
	printf '\n```%s\n' "$1"; common "$2" "$3"; cat -; printf '```\n'
}
drill() { # PROCEDURE DIR OPTIONS...
	local p=$1 to=$2
	shift 2
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet drill "$T/$p.md" --to "$T/$to" "$@"
}
want() { # CODE: of the last drill; no scratch folder, no patient's data
	[ "$STATUS" = "$1" ] || fail "exit $STATUS, expected $1"
}
field() { # DIR EXPRESSION
	python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); s={x["id"]: x for x in d["steps"]}; print(eval(sys.argv[2]))' \
		"$T/$1/drill.json" "$2"
}
is() { # DIR EXPRESSION VALUE
	local v
	v=$(field "$1" "$2") || die "$1: $2"
	[ "$v" = "$3" ] || fail "$1: $2 is '$v', expected '$3'" "$T/err"
}
clean() { # DIR...: only the record and the page are there
	local d
	for d in "$@"; do [ "$(ls -A "$T/$d")" = "drill.html
drill.json" ] || die "$d holds: $(ls -A "$T/$d")"; done
}
refused() { # CODE ERROR LINE: said with file:line, nothing made, nothing run
	want "$1"
	grep -q "$2" "$T/err" || fail "not said: $2" "$T/err"
	[ -z "$3" ] || grep -qE "\.(md|yaml):$3(:|\b)" "$T/err" || fail "line $3 is not named" "$T/err"
	[ ! -e "$T/no" ] || die "a refused drill left $(ls -A "$T/no")"
	[ ! -e "$T/ran" ] || die "a refused drill ran a step"
}

# ---- a good one
opening() {
	printf '# 復旧訓練 <b>"&amp;"</b>\n\n本文 <script>alert(1)</script>\n\n'
	printf '```procedure\nid: t\nversion: "1.0"\ndataset: docs\nrto: 1h\nrpo: 24h\n'
	printf 'variables:\n  - {name: patient, title: 患者, type: text, value: 山田}\n  - {name: count, type: number, value: "4"}\n```\n'
}
{
	opening
	block confirm ラベル 1 <<<'id: label'
	block restore '世代 ${generation} の文書' 5 <<<'dataset: docs
id: docs'
	block restore '一部だけ' 5 <<<'dataset: late
id: part
to: a/b
generation: latest
paths: ["fil?"]'
	block check 件数 1 <<'Y'
id: count
command: |
  find "$scratch/docs" -type f | wc -l
value: ${count}
Y
	block run 値 1 <<'Y'
id: value
command: |
  printf '%s\n' "$patient" $patient >/dev/null
  [ "$scratch" = "$HOME" ]
  [ "$TMPDIR" = "$scratch/tmp" ]
  [ "${generation% late@*}" = docs@2 ]
  [ -f "$medium/bkp-medium.json" ]
  [ -f "$procedure" ]
  [ "$PWD" = "$scratch" ]
  [ -w "$TMPDIR" ]
  [ -z "${SECRET:-}" ]
  [ "$(umask)" = 0077 ]
  touch file 'x y'; mkdir -p deep/er; ln -s / deep/root
Y
	block note 覚え書き 0 </dev/null
} | procedure good
cat >"$T/yes.yaml" <<'Y'
by: 事務長
answers:
  - {step: label, answer: yes, note: 番号一致}
Y
SECRET=1 drill good ok --attest "$T/yes.yaml" --operator '山田 太郎' --json
want 0
clean ok
cmp "$T/out" "$T/ok/drill.json" || die "--json is not the record"
is ok "d['verdict'], d['operator'], d['medium']['label'], d['repository'] != ''" "('passed', '山田 太郎', 'm1', True)"
is ok "[(g['dataset'], g['generation']) for g in d['generations']]" "[('docs', 2), ('late', 2)]"
is ok "[x['mark'] for x in d['steps']] == ['passed'] * 6 and all(x['seconds'] >= 0 and x['begun'] for x in d['steps'])" True
is ok "s['count']['check']" "{'probe': None, 'expected': '4', 'found': '4'}"
is ok "s['label']['confirm']" "{'by': '事務長', 'answer': 'yes', 'note': '番号一致', 'names': []}"
is ok "s['docs']['restore']['files'], s['part']['restore']['files'], s['part']['restore']['to']" "(4, 1, 'a/b')"
is ok "d['erased']['ok'], d['erased']['files'] >= 8, d['rto']['met'], d['rpo']['met'], d['planned_minutes']" "(True, True, True, True, 13)"
is ok "d['procedure']['sha256']" "$(sha256sum <"$T/good.md" | cut -d' ' -f1)"
[ "$(stat -c %a "$T/ok/drill.json")" = 600 ] || die "others can read the record"
python3 - "$T/ok" <<'P'
import hashlib, html.parser, sys
page = open(sys.argv[1] + "/drill.html", encoding="utf-8").read()
class Parser(html.parser.HTMLParser):
    tags, text, stack = set(), [], []
    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in ("meta", "br", "hr", "img", "input", "link", "col", "wbr"):
            self.stack.append(tag)
        assert not any(k in ("src", "href", "onclick", "onload") for k, v in attrs), attrs
    def handle_endtag(self, tag):
        if tag not in ("meta", "br", "hr", "img", "input", "link", "col", "wbr"):
            assert self.stack.pop() == tag, tag
    def handle_data(self, data):
        self.text.append(data)
p = Parser()
p.feed(page)
p.close()
assert not p.stack and "script" not in p.tags, p.tags
text = "".join(p.text)
sha = hashlib.sha256(open(sys.argv[1] + "/drill.json", "rb").read()).hexdigest()
for w in ("復旧訓練", "番号一致", "山田", "m1", sha, "世代 docs@2 late@2 の文書"):
    assert w in text, w
P
BKP_LANG=ja drill good ja --attest "$T/yes.yaml"; want 0
grep -q 'lang="ja"' "$T/ja/drill.html" || die "the page is not Japanese"
say "a drill of 6 steps: restored, compared, recorded as JSON and as a page of sound HTML that names the record's SHA-256; nothing of the" \
	"data is left"

# ---- values are never shell
n=0
for v in '$(touch pwned)' '`touch pwned`' '"; touch pwned; "' \
	"'; touch pwned; '" '${IFS}$(touch${IFS}pwned)' '| touch pwned' '-rf /' '../../etc' '<script>alert(1)</script>' '%s%n' '\'; do
	n=$((n + 1))
	drill good "v$n" --attest "$T/yes.yaml" --set "patient=$v" --keep
	want 0
	[ -z "$(find "$T" -name pwned)" ] || die "'$v' was run"
	[ "$(field "v$n" "d['variables']['patient']")" = "$v" ] || die "'$v' became something else"
	! grep -q '<script>' "$T/v$n/drill.html" || die "a script is in the page"
	rm -rf "${T:?}/v$n"
done
drill good no --set "patient=$(printf 'a\nb')" --attest "$T/yes.yaml"; refused 64 E-PROC-20 12
drill good no --set 'count=4; touch pwned' --attest "$T/yes.yaml"; refused 64 E-PROC-20 13
drill good no --set 'counts=4' --attest "$T/yes.yaml"; refused 64 E-DRILL-02 ''
grep -q "did you mean 'count' (line 13)" "$T/err" || die "no proposal"
drill good no --set 'scratch=/etc' --attest "$T/yes.yaml"; refused 64 E-DRILL-02 ''
drill good no --set '$(touch pwned)' --attest "$T/yes.yaml"; refused 64 E-DRILL-02 ''
[ -z "$(find "$T" . -maxdepth 3 -name pwned)" ] || die "something was run"
say "$n values full of quotes, commands and dashes stay values; newlines and names that are not declared are refused with the line"

# ---- refused before anything is run
bad() { { printf '# t\n\n'; block run 印 1 <<<"command: touch $T/ran"; cat -; } | procedure bad; }
line() { grep -n "$1" "$T/bad.md" | tail -n 1 | cut -d: -f1; }
for k in retore chek; do
	bad < <(block "$k" x 1 </dev/null)
	drill bad no; refused 64 E-PROC-04 "$(line '```'"$k")"
	status "$RESTORE" procedure check "$T/bad.md"; want 64
	grep -qE "bad\.md:$(line '```'"$k"):[0-9]+: error: " "$T/err" || die "check does not name the line"
done
bad < <(block restore x 1 <<<'dataset: docs
generation: 7'); drill bad no; refused 2 E-DRILL-04 "$(line '```restore')"
grep -q 'there is: docs@1, docs@2' "$T/err" || die "which generations there are is not said"
bad < <(block restore x 1 <<<'dataset: nothing
generation: 2'); drill bad no; refused 2 E-DRILL-05 "$(line '```restore')"
bad < <(block restore x 1 <<<'dataset: nothing'); drill bad no; refused 2 E-DRILL-05 "$(line '```restore')"
bad < <(block check x 1 <<<'probe: nothing
command: echo'); drill bad no; refused 2 E-DRILL-05 "$(line '```check')"
bad < <(block restore x 1 <<<'dataset: docs
to: ../../etc'); drill bad no; refused 64 E-PROC-16 "$(line 'to:')"
{ printf '# t\n\n```procedure\nvariables: [{name: where, type: text}]\n```\n'; block restore x 1 <<<'dataset: docs
to: ${where}'; } | procedure bad
drill bad no; refused 64 E-DRILL-03 4
for w in ../../etc /etc . a/../../b tmp tmp/x ''; do
	drill bad no --set "where=$w"
	[ "$STATUS" != 0 ] && [ ! -e "$T/no" ] || die "to: '$w' was taken"
done
drill good no --at 9 --attest "$T/yes.yaml"; refused 2 E-DRILL-04 ''
drill good no --at x --attest "$T/yes.yaml"; refused 64 E-DRILL-11 ''
drill good g1 --at 1 --set count=3 --attest "$T/yes.yaml"; want 2
is g1 "s['docs']['restore']['generation'], s['docs']['restore']['files'], s['part']['restore']['generation'], s['value']['mark']" \
	"(1, 3, 2, 'failed')"
drill good no; refused 64 E-DRILL-07 ''
grep -q "in line $(grep -n '```confirm' "$T/good.md" | cut -d: -f1)" "$T/err" || die "the line of the question is not named"
printf 'by: x\nanswers: []\n' >"$T/none.yaml"; drill good no --attest "$T/none.yaml"; refused 64 E-DRILL-07 ''
printf 'by: x\nanswers:\n  - {step: lable, answer: yes}\n' >"$T/wrong.yaml"; drill good no --attest "$T/wrong.yaml"; refused 64 E-DRILL-09 3
mkdir "$T/full"; echo precious >"$T/full/file"
drill good full --attest "$T/yes.yaml"; want 2; grep -q E-DRILL-01 "$T/err" && [ "$(cat "$T/full/file")" = precious ] ||
	die "a folder that is not empty"
age-keygen -o "$T/id2.txt" 2>/dev/null
status "$RESTORE" --medium "$T/m1" --identity "$T/id2.txt" -q drill "$T/good.md" --to "$T/no" --attest "$T/yes.yaml"
refused 2 E-PERIOD-04 ''
status "$RESTORE" --medium "$T/src" --identity "$T/id.txt" -q drill "$T/good.md" --to "$T/no" --attest "$T/yes.yaml"; refused 3 E-VAULT ''
say "unknown steps, bad variables, generations and data sets that are not there, questions without an answer: refused with the line," \
	"before anything is run"

# ---- what a drill finds
{
	printf '# t\n'
	block restore 文書 5 <<<'dataset: docs'
	block check 違う 1 <<<'id: wrong
command: printf "\033[2J5\n"
value: "4"'
	block run 後 1 <<<'id: after
command: touch "$scratch/../../ran"'
	block run 後始末 1 <<<'id: clear
always: true
command: echo cleared'
} | procedure wrong
drill wrong w1; want 2; clean w1
is w1 "d['verdict'], [x['mark'] for x in d['steps']]" "('failed', ['passed', 'failed', 'not-done', 'passed'])"
is w1 "s['wrong']['fault']['code'], s['wrong']['check']['expected'], s['wrong']['check']['found'], s['after']['begun']" \
	"('E-DRILL-16', '4', '�[2J5', None)"
grep -q "wrong.md:$(grep -n '```check' "$T/wrong.md" | cut -d: -f1):" "$T/err" || die "the line of the failure is not said"
! grep -q $'\033' "$T/err" "$T/w1/drill.html" || die "a control character got through"
[ ! -e "$T/ran" ] || die "a step was done after a failure"
{ printf '# t\n'; block run 長い 0 <<<'command: sleep 1.2'; block run 速い 1 <<<'command: true'; } | procedure slow
drill slow s1; want 1; is s1 "d['verdict'], [x['mark'] for x in d['steps']]" "('late', ['late', 'passed'])"
{ printf '# t\n'; block run 鍵 1 <<<'command: echo "no such server" >&2; exit 3'; } | procedure fails
drill fails f1; want 2; is f1 "d['steps'][0]['fault']['code'], d['steps'][0]['exit_status'], d['steps'][0]['output_tail']" \
	"('E-DRILL-14', 3, 'no such server\\n')"
{ printf '# t\n'; block check 出力 1 <<<'command: head -c 30000000 /dev/zero | tr "\0" x
value: x'; } | procedure loud
drill loud l1; want 2; is l1 "d['steps'][0]['fault']['code']" E-DRILL-17
{ printf '# t\n'; block check 検証値 1 <<<'command: echo 1
probe: docs'; } | procedure probe
drill probe p1; want 2; is p1 "d['steps'][0]['fault']['code']" E-DRILL-18
sed 's/answer: yes/answer: no/' "$T/yes.yaml" >"$T/no.yaml"
drill good n1 --attest "$T/no.yaml"; want 2; clean n1
is n1 "d['verdict'], s['label']['confirm']['answer'], s['docs']['mark']" "('failed', 'no', 'not-done')"
drill good k1 --attest "$T/yes.yaml" --keep; want 0
[ "$(cat "$T/k1/scratch/docs/$T/src/a")" = hello ] && is k1 "d['erased']['kept']" True && grep -q 'NOT ERASED' "$T/k1/drill.html" ||
	die "--keep"
{ printf '# t\n'; block run 掛けた 1 <<<'command: mkdir m; mount -t tmpfs -o size=64k none m; touch m/x'; } | procedure mounts
drill mounts m1d --isolation off
if [ "$STATUS" != 2 ]; then
	want 1; is m1d "d['verdict'], d['erased']['ok'], d['erased']['fault']['code']" "('passed', False, 'E-DRILL-21')"
	[ -f "$T/m1d/scratch/m/x" ] || die "a mount was erased"
	umount "$T/m1d/scratch/m"
fi
say "a wrong value, a failure, lateness, too much output, a missing probe and a mount left behind are told apart and recorded"

# ---- time limit, interrupt
{
	printf '# t\n'
	block restore 文書 5 <<<'dataset: docs'
	block run 止まらない 1 <<<"id: hangs
limit: 1m
command: |
  touch started
  sleep 271.828 & sleep 271.828"
	block run 後 1 <<<'command: true'
	block run 後始末 1 <<<'id: clear
always: true
command: "[ -d docs ]"'
} | procedure hangs
for signal in TERM INT; do
	"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet drill "$T/hangs.md" --to "$T/i$signal" >"$T/out" 2>"$T/err" &
	pid=$!
	for _ in $(seq 300); do [ ! -e "$T/i$signal/scratch/started" ] || break; sleep 0.1; done
	[ "$signal" = TERM ] || { # a background job of a script ignores SIGINT from the start; held back it counts all the same
		! grep -q '^SigIgn:.*[2367abef]$' "/proc/$pid/status" || signal=HUP
	}
	kill -"$signal" "$pid"
	STATUS=0; wait "$pid" || STATUS=$?
	want 2
done
for d in iTERM iINT; do
	clean "$d"
	is "$d" "d['verdict'], d['interrupted'], d['erased']['ok'], [x['mark'] for x in d['steps']]" \
		"('failed', True, True, ['passed', 'failed', 'not-done', 'passed'])"
	is "$d" "s['hangs']['fault']['code']" E-DRILL-20
done
! pgrep -f 'sleep 271[.]828' >/dev/null || die "a command still runs"
say "SIGTERM in the middle: the command and what it started are ended, always-steps done, the data erased, the drill recorded as" \
	"interrupted"

# ---- on a terminal
python3 - "$RESTORE" "$T" <<'P'
import os, pty, sys
restore, t = sys.argv[1:]
answers = ["perhaps", "はい", "佐藤", "番号 12 一致", ""]
pid, fd = pty.fork()
if pid == 0:
    os.execv(restore, [restore, "--lang", "en", "--medium", t + "/m1", "--identity", t + "/id.txt",
        "drill", t + "/good.md", "--to", t + "/tty"])
seen = b""
while True:
    try:
        got = os.read(fd, 65536)
    except OSError:
        break
    if not got:
        break
    seen += got
    if answers and seen.rstrip().endswith((b"(yes/no)", b"operator)?", b"empty)?", b"no more)?")):
        os.write(fd, (answers.pop(0) + "\n").encode())
        seen += b"\n."
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 0, (status, seen.decode())
assert "ラベル".encode() in seen
P
is tty "s['label']['confirm']" "{'by': '佐藤', 'answer': 'yes', 'note': '番号 12 一致', 'names': []}"
say "on a terminal a person is asked, and the answer, name and remark are in the record"

# ---- a procedure that lies on the medium: its commands count only when the repository signed it
cp "$T/slow.md" "$T/on-medium.md"
echo "procedures: [$T/on-medium.md]" >>"$T/policy.yaml"
"$BKP" run --all >/dev/null 2>&1
P=$(repo_of "$T/m1")/procedures
[ -f "$P/on-medium.md" ] || die "the procedure is not on the medium"
on_medium() { status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet drill "$1" --to "$T/$2"; }
on_medium "$P/on-medium.md" signed; want 1; is signed "d['procedure']['signed']" True; is s1 "d['procedure']['signed']" False
cp "$T/slow.md" "$P/added.md"; on_medium "$P/added.md" no; refused 2 E-DRILL-24 ''
ln -s "$P/added.md" "$T/elsewhere.md"; on_medium "$T/elsewhere.md" no; refused 2 E-DRILL-24 ''
thaw "$P"; chmod -R u+w "$P"
cp -a "$P" "$T/procedures"
sed -i "s|sleep 1.2|touch $T/ran|" "$P/on-medium.md"; on_medium "$P/on-medium.md" no; refused 2 E-DRILL-24 ''
(cd "$P" && sha256sum on-medium.* >SHA256SUMS); on_medium "$P/on-medium.md" no; refused 2 E-DRILL-24 ''
cp -a "$T/procedures/." "$P"; cp "$(set_of "$T/m1")"/generations/000001/SHA256SUMS* "$P/"; on_medium "$P/on-medium.md" no
refused 2 E-DRILL-24 ''
cp -a "$T/procedures/." "$P"
key=$(find "$T/state" -name 'signing-*.key' | sort -V | tail -n 1)
minisign -S -l -s "$key" -m "$P/SHA256SUMS" -t "bkp something else" >/dev/null; on_medium "$P/on-medium.md" no; refused 2 E-DRILL-24 ''
rm -f "$P"/SHA256SUMS.minisig; on_medium "$P/on-medium.md" no; refused 2 E-DRILL-24 ''
say "a procedure on the medium that was added, changed, or is in a list that is forged or signed for something else is not run"

# ---- a damaged medium
thaw "$T/m1"
big=$(find "$T"/m1/*/datasets/docs/archives -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
chmod u+w "$big"
python3 - "$big" <<'P'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(1000000)
    b = f.read(1)
    f.seek(1000000)
    f.write(bytes([b[0] ^ 1]))
P
drill good damaged --attest "$T/yes.yaml"; want 2; clean damaged
is damaged "d['verdict'], s['docs']['mark'], s['count']['mark']" "('failed', 'failed', 'not-done')"
say "one flipped bit in an archive: the drill has failed, and nothing is left of what was restored"

if [ -x "${BKP_RELEASE:-}/bkp-restore-static" ]; then
	RESTORE=$BKP_RELEASE/bkp-restore-static
	status env -i "$RESTORE" --medium "$T/m2" --identity "$T/id.txt" --quiet drill "$T/good.md" --to "$T/static" --at 2 \
		--attest "$T/yes.yaml"
	want 0; clean static; is static "d['verdict'], d['medium']['label']" "('passed', 'm2')"
	say "the static program does the same drill"
fi
