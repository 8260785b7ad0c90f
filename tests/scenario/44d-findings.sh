#!/bin/bash
# Goal: a drill that is more than a replay (issue 18, point 2): its medium and generation are drawn and can be drawn again by the seed, its
# scenario stands on paper, gates are played and confirm nothing, patients are looked at one by one by name, and what is to be mended has an
# owner and a day, comes into the journal with the drill's record, and is asked for by status until somebody records that it is mended.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
exec </dev/null

mkdir -p "$T/src"
echo 患者 >"$T/src/a"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
printf 'procedures: [%s]\npeople:\n  - {name: 山田, roles: [operator, manager]}\n' "$T/docs.md" >>"$T/policy.yaml"
cat >"$T/docs.md" <<'P'
# 文書の復旧

```procedure
version: "1.0"
dataset: docs
想定: |
  日曜の夜、電子カルテが <b>暗号化</b> された。
  ネットワークは切り離してある。
variables:
  - {name: first, value: 山田 太郎}
```

```gate
id: hole
who: 病院長
what: 脆弱性を塞いだ
how: 報告書を見る
pass: 塞がれている
minutes: 1
role: 責任者
people: 2
```

```restore
who: 事務長
what: 文書を戻す
how: 自動
pass: 成功
minutes: 5
dataset: docs
```

```run
who: 事務長
what: 名簿を作る
how: 自動
pass: 成功
minutes: 1
command: |
  printf '佐藤 花子\n鈴木 \033[2J一郎\n\n高橋 <i>次郎</i>\n' >"$scratch/list"
```

```confirm
id: eyes
who: 看護師長
what: 患者 1 名の記録を見る
how: 画面
pass: 本人のもの
minutes: 1
氏名: ["${first}"]
```

```confirm
id: more
who: 看護師長
what: 患者 3 名の記録を見る
how: 画面
pass: 本人のもの
minutes: 1
名簿: list
```
P
site_make 2>/dev/null
for n in 1 2 3 4 5 6; do
	echo $n >"$T/src/n"
	"$BKP" --quiet run --all
done
drill() { # DIR OPTIONS...
	local to=$1
	shift
	sleep 1.1 # two drills of one medium are told apart by the second in which they began
	status "$RESTORE" --quiet --medium "$T/m1" --medium "$T/m2" --identity "$T/id.txt" --operator 情シス \
		drill "$T/docs.md" --to "$T/$to" "$@"
}
of() { jq -r "$2" "$T/$1/drill.json"; }

# ---- drawn, and drawn again
cat >"$T/yes.yaml" <<'Y'
by: 山田
answers:
  - {step: hole, answer: yes, by: 院長, note: 模擬}
  - {step: hole, answer: yes, by: 業者, note: 模擬}
  - {step: eyes, answer: yes}
  - {step: more, answer: yes, note: 三名とも}
Y
what() { of "$1" '[.medium.label, (.generations[] | .generation)] | join(" ")'; }
for s in 1 2 3 4 5 6 7 8; do
	drill "r$s" --attest "$T/yes.yaml" --random --seed "$s"
	[ "$STATUS" = 0 ] || fail "seed $s: exit $STATUS" "$T/r$s/drill.json"
	[ "$(of "r$s" .random.seed)" = "$s" ] || die "the seed is not recorded"
	what "r$s"
done >"$T/drawn"
[ "$(sort -u "$T/drawn" | wc -l)" -ge 3 ] && [ "$(cut -d' ' -f1 "$T/drawn" | sort -u | wc -l)" = 2 ] ||
	fail "eight draws of two media and six generations" "$T/drawn"
sleep 1.1
status "$RESTORE" --quiet --medium "$T/m2" --medium "$T/m1" --identity "$T/id.txt" --operator 情シス drill "$T/docs.md" --to "$T/again" \
	--attest "$T/yes.yaml" --random --seed 5
[ "$STATUS" = 0 ] && [ "$(what again)" = "$(sed -n 5p "$T/drawn")" ] ||
	fail "the same seed, the media in another order: $(what again)" "$T/drawn"
drill new --attest "$T/yes.yaml" --random
seed=$(of new .random.seed)
drill new2 --attest "$T/yes.yaml" --random --seed "$seed"
[ "$STATUS" = 0 ] && [ "$(what new)" = "$(what new2)" ] || die "a seed that was made is not one that repeats: $seed"
drill at --attest "$T/yes.yaml" --random --at 2
[ "$(of at '.generations[0].generation')" = 2 ] || die "--at is not kept"
for bad in '--seed 5' '--random --seed x' '--random --seed -1'; do
	# shellcheck disable=SC2086
	drill no --attest "$T/yes.yaml" $bad
	[ "$STATUS" = 64 ] && [ ! -e "$T/no" ] || fail "$bad: exit $STATUS"
done
say "drawn: $(sort -u "$T/drawn" | wc -l) different of 12 in eight seeds; the same seed draws the same, whatever the order of the media"

# ---- scenario, mock gate, names
[ "$(of r1 '.procedure.scenario | split("\n")[0]')" = "日曜の夜、電子カルテが <b>暗号化</b> された。" ] ||
	die "the scenario is not recorded"
grep -q 'ネットワークは切り離してある' "$T/r1/drill.html" && ! grep -q '<b>暗号化' "$T/r1/drill.html" ||
	die "the scenario on the page"
"$RESTORE" --lang ja procedure print "$T/docs.md" | grep -q '想定' || die "the scenario on the form"
[ "$(of r1 '.steps[0].gate | .mock, (.signed | length)' | tr '\n' ' ')" = "true 2 " ] &&
	grep -q 'Signed (MOCK, drill)' "$T/r1/drill.html" ||
	die "the gate does not say that it was played"
of r1 '.steps[4].confirm.names[] | "\(.name) \(.answer)"' >"$T/names"
printf '佐藤 花子 yes\n鈴木 \357\277\275[2J一郎 yes\n高橋 <i>次郎</i> yes\n' | cmp - "$T/names" || fail "who was looked at" "$T/names"
[ "$(of r1 '.steps[3].confirm.names[0].name')" = "山田 太郎" ] || die "a name of the procedure"
! grep -q $'<i>次郎\|\033' "$T/r1/drill.html" || die "a name is markup"
sed 's/step: more, answer: yes/step: more, answer: no/' "$T/yes.yaml" >"$T/no.yaml"
drill refused --attest "$T/no.yaml"
[ "$STATUS" = 2 ] && [ "$(of refused '.steps[4].confirm.names[0].answer')" = no ] || fail "a patient who is another: exit $STATUS"
for bad in 'true' 'ln -s /etc/passwd list' 'yes x | head -n 30 >list' 'mkdir list' 'mkfifo list' \
	'head -c 20000 /dev/zero | tr "\0" x >list'; do
	sed "s#^  printf .*#  $(printf %s "$bad" | sed 's/[\\&#]/\\&/g')#" "$T/docs.md" >"$T/bad.md"
	rm -rf "$T/bad"
	status timeout 60 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" drill "$T/bad.md" --to "$T/bad" --attest "$T/yes.yaml"
	[ "$STATUS" = 2 ] && [ "$(of bad '.steps[4].fault.code')" = E-DRILL-30 ] || fail "$bad: exit $STATUS" "$T/bad/drill.json"
done
for bad in 's|名簿: list|名簿: ../list|' 's|名簿: list|名簿: /etc/passwd|' 's|^名簿: list|names: [a]\n&|' \
	's|氏名: .*|氏名: ["${nobody}"]|'; do
	sed "$bad" "$T/docs.md" >"$T/bad.md"
	status "$RESTORE" procedure check "$T/bad.md"
	[ "$STATUS" = 64 ] && grep -qE 'bad.md:[0-9]+:[0-9]+: .*E-PROC-1[456]' "$T/err" || fail "$bad: exit $STATUS"
done
say "the scenario is printed, a gate in a drill says that it is played," \
	" each patient has an answer of his own; lists that are none are refused"

# ---- on a terminal: names one by one, findings at the end
python3 - "$RESTORE" "$T" <<'P'
import os, pty, sys
restore, t = sys.argv[1:]
say = ["院長", "yes", "会議録", "業者", "yes", "報告書", "yes", "", "事務長", "", "yes", "", "no", "別人", "yes", "", "", "",
    "名簿の番号が読めない", "医事課", "来週", "2026-13-01", "2026-12-25", ""]
pid, fd = pty.fork()
if pid == 0:
    os.execv(restore, [restore, "--lang", "en",
        "--medium", t + "/m1", "--identity", t + "/id.txt", "drill", t + "/docs.md", "--to", t + "/tty"])
seen = b""
while True:
    try:
        got = os.read(fd, 65536)
    except OSError:
        break
    if not got:
        break
    seen += got
    if say and seen.rstrip().endswith((b"?", b"(yes/no)", b"name:", b"empty)?", b"2026-11-30)?")) and not seen.rstrip().endswith(b"\n."):
        os.write(fd, (say.pop(0) + "\n").encode())
        seen += b"\n."
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 2 and not say, (status, say, seen.decode())
assert "MOCK".encode() in seen
P
[ "$(of tty '[.steps[4].confirm.names[] | "\(.answer) \(.note)"] | join(",")')" = "yes null,no 別人,yes null" ] ||
	die "$(of tty '.steps[4].confirm')"
[ "$(of tty '.findings | length, .[0].text, .[0].owner, .[0].due' | tr '\n' ' ')" = "1 名簿の番号が読めない 医事課 2026-12-25 " ] ||
	die "the finding: $(of tty .findings)"
say "on a terminal each is asked by name, and at the end what is to be mended, by whom and by a day that is one"

# ---- into the journal
due() { date -d "$1 days" +%F; }
{
	cat "$T/yes.yaml"
	printf 'findings:\n  - {step: eyes, text: 画面の <b>操作</b>が手順書にない, owner: 情シス, due: %s}\n' "$(due 10)"
	printf '  - {text: 封筒がない, owner: 事務長, due: %s}\n' "$(due 20)"
} >"$T/found.yaml"
drill found --attest "$T/found.yaml"
[ "$STATUS" = 0 ] && grep -q '封筒がない; 事務長, by' "$T/found/drill.html" &&
	! grep -q '<b>操作' "$T/found/drill.html" || fail "findings: exit $STATUS"
[ "$(of found '.findings[0].step')" = 4 ] || die "of which step: $(of found .findings)"
for bad in 'due: 2026-13-40' 'owner: x' 'due: 2026-11-30, text: x' 'due: 2026-11-30, owner: y, text: x, step: nothing'; do
	sed "\$a findings: [{$bad}]" "$T/yes.yaml" >"$T/bad.yaml"
	drill no --attest "$T/bad.yaml"
	[ "$STATUS" = 64 ] && grep -qE 'bad.yaml:[0-9]+:' "$T/err" || fail "$bad: exit $STATUS"
done
expect 0 "$BKP" journal import "$T/found/drill.json" --operator 山田
seq=$(record drill | jq .seq)
record drill | jq -e '.isolated == true and
	 (.findings | length) == 2 and .findings[1] == {text: "封筒がない", owner: "事務長", due: .findings[1].due}' \
	>/dev/null || die "the record: $(record drill)"
later() { local d=$1; shift; env "${FAKE_ENV[@]}" FAKECLOCK=$((d * 86400)) "$@"; }
state() { # DAYS: of all that are open
	later "$1" "$BKP" finding list --json >"$T/list" 2>"$T/err" || [ $? = 1 ]
	later "$1" "$BKP" status --json >"$T/status" 2>"$T/err" || true
	jq -e --slurpfile l "$T/list" '.findings == $l[0].findings' "$T/status" >/dev/null || echo "status --json has others"
	jq -r '[.findings[] | "\(.finding) \(.state)"] | join(", ")' "$T/list"
}
is() { [ "$2" = "$3" ] || fail "$1: '$3', expected '$2'" "$T/list"; }
is "brought in" "$seq.1 open, $seq.2 open" "$(state 0)"
is "after 15 days" "$seq.1 overdue, $seq.2 open" "$(state 15)"
later 15 "$BKP" status >"$T/out" 2>"$T/err" || true
grep -q "finding $seq.1 '画面の" "$T/out" && grep -q 'open: 2, overdue: 1' "$T/out" || fail "status does not ask for it"
"$BKP" status >"$T/out" 2>"$T/err" || true
! grep -q "finding $seq.1" "$T/out" && grep -q 'open: 2, overdue: 0' "$T/out" || fail "asked for before its day"
# the morning's message
cp "$T/policy.yaml" "$T/before.yaml"
printf 'notify:\n  command: cat >>%s\n  when: attention\n' "$T/mail" >>"$T/policy.yaml"
later 15 "$BKP" notify >"$T/out" 2>"$T/err" || true
grep -q "finding $seq.1" "$T/mail" || fail "the morning's message does not say it" "$T/mail"
rm "$T/mail"
later 400 "$BKP" notify >"$T/out" 2>"$T/err" || true
grep -q "the last drill is too long ago" "$T/mail" || fail "an overdue drill is not in the morning's message" "$T/mail"
rm "$T/mail"
mv "$T/before.yaml" "$T/policy.yaml"
expect 0 "$BKP" finding measure "$seq.1" '手順書に図を入れた' --due "$(due 40)" --operator 山田
is "with another day" "$seq.1 open, $seq.2 open" "$(state 15)"
expect 0 "$BKP" finding close "$seq.1" '次の訓練で迷わなかった' --operator 山田
expect 0 "$BKP" finding add '<i>鍵</i>の封筒の番号' --owner 院長 --due "$(due 5)" --operator 山田
is "one closed, one new" "$seq.2 overdue, $(record finding | jq -r .seq).1 overdue" "$(state 50)"
refused() { # EXIT CODE-OR-EMPTY ARGUMENT...
	local n=$1 code=$2 was
	shift 2
	was=$(grep -c '"event":"finding"' "$T/state/journal/000001.jsonl")
	status "$BKP" finding "$@"
	[ "$STATUS" = "$n" ] && { [ -z "$code" ] || grep -q "$code" "$T/err"; } || fail "finding $*: exit $STATUS"
	[ "$(grep -c '"event":"finding"' "$T/state/journal/000001.jsonl")" = "$was" ] || die "finding $*: on record"
}
refused 2 E-FINDING-01 close "$seq.1" x --operator 山田
refused 2 E-FINDING-01 measure 9.9 x --operator 山田
refused 64 '' close "$seq.2" x --operator 誰か
refused 64 '' add x --owner y --due 2026-13-01 --operator 山田
refused 64 '' add x --due "$(due 1)" --operator 山田
refused 64 '' close "$seq.2" --operator 山田
refused 64 '' add "$(printf 'a\nb')" --owner y --due "$(due 1)" --operator 山田
refused 64 '' mend x
expect 0 "$BKP" finding list --all --json
jq -e --arg s "$seq.1" '.findings[0] | .finding == $s and .state == "closed" and .measure.text == "手順書に図を入れた" and
	.closed.operator == "山田" and .procedure == "文書の復旧"' "$T/out" >/dev/null || fail "closed"
# a record of the time before there were findings is taken as ever; a forged member is not
jq 'del(.findings, .isolation) | .begun = "2026-11-01T00:00:00Z"' "$T/found/drill.json" >"$T/old.json"
expect 0 "$BKP" journal import "$T/old.json"
for bad in '.findings[0].due = "soon"' '.findings[0].text = "a\nb"' '.findings = [range(200) as $i | .findings[0]]'; do
	jq "$bad | .begun = \"2026-11-02T00:00:00Z\"" "$T/found/drill.json" >"$T/forged.json"
	expect 2 "$BKP" journal import "$T/forged.json"
	grep -q E-IMPORT-01 "$T/err" || fail "$bad"
done
expect 0 "$BKP" report findings --csv --out "$T/list.csv"
expect 0 "$BKP" report findings --out "$T/list.html"
python3 - "$T" "$seq" <<'P'
import csv, json, sys
t, seq = sys.argv[1:]
rows = list(csv.DictReader(open(t + "/list.csv", encoding="utf-8-sig")))
# an independent fold over the journal
found = {}
for r in map(json.loads, open(t + "/state/journal/000001.jsonl")):
    if r["event"] == "drill":
        for i, f in enumerate(r.get("findings", [])):
            found["%d.%d" % (r["seq"], i + 1)] = dict(f, measure="", closed="")
    elif r["event"] == "finding" and r["action"] == "raised":
        found["%d.1" % r["seq"]] = dict(text=r["text"], owner=r["owner"], due=r["due"], measure="", closed="")
    elif r["event"] == "finding":
        f = found[r["finding"]]
        f["measure" if r["action"] == "measure" else "closed"] = r["text"]
        f["due"] = r.get("due") or f["due"]
got = {r["No."]: dict(text=r["Finding"], owner=r["Owner"], due=r["Due"], measure=r["Measure"], closed=r["Follow-up"]) for r in rows}
assert got == found and len(found) == 3, (got, found)
html = open(t + "/list.html", encoding="utf-8").read()
assert "手順書に図を入れた" in html and "<i>鍵" not in html
P
expect 0 "$BKP" journal verify
say "findings come in with the drill's record, are asked for when their day is past, get a measure and" \
	"another day, and are closed; the list says what an independent fold of the journal says"
