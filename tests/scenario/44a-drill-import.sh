#!/bin/bash
# Goal: a drill counts from the day its record is brought to the host, once, as who signed it; it holds no longer when its procedure was
# edited, the source's software or its computer is another, or it is too long ago; status says what to rehearse, and the list of drills
# says the figures of each record.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
exec </dev/null

mkdir -p "$T/src" "$T/other" "$T/people"
head -c 12000000 /dev/urandom >"$T/src/image"
echo 患者 >"$T/other/list"
echo 1.4.2 >"$T/version"
for p in 院長 業者; do minisign -G -W -f -p "$T/people/$p.pub" -s "$T/people/$p.key" >/dev/null; done
key() { tail -n 1 "$T/people/$1.pub"; }
policy() { # EXTRA LINES
	site_policy "  - {name: docs, title: 文書, paths: [$T/src], version: cat $T/version, rto: 1h, rpo: 2d}
	  - {name: list, title: 一覧, paths: [$T/other]}"
	cat >>"$T/policy.yaml" <<-Y
	procedures: [$T/docs.md]
	key_drill_every: 9999d
	people:
	  - {name: 院長, roles: [manager], public_key: $(key 院長)}
	  - {name: 山田, roles: [operator, manager]}
	  - {name: 受付, roles: [operator]}
	$1
	Y
}
procedure() { # VERSION
	cat >"$T/docs.md" <<-P
	# 文書の復旧

	\`\`\`procedure
	version: "$1"
	dataset: docs
	rto: 8h
	\`\`\`

	\`\`\`restore
	who: 事務長
	what: 文書を戻す
	how: 自動
	pass: 成功
	minutes: 5
	dataset: docs
	\`\`\`
	P
}
procedure 1.0
policy ""
site_make 2>/dev/null
drill() { # DIR OPTIONS...: exit status in $STATUS
	local to=$1
	shift
	sleep 1.1 # two drills of one medium are told apart by the second in which they began
	status "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" --operator 情シス drill "$T/docs.md" --to "$T/$to" "$@"
}
night() { expect 0 env "${FAKE_ENV[@]}" FAKECLOCK="${1:-0}" "$BKP" --quiet run --all; }
days() { echo $(($1 * 86400)); }
# state DATASET [DAYS LATER]: how its drills are judged; what to do next in $T/next
state() {
	env "${FAKE_ENV[@]}" FAKECLOCK="$(days "${2:-0}")" "$BKP" status --json >"$T/status" 2>"$T/err" || [ $? -le 2 ]
	jq -r '.next[]' "$T/status" >"$T/next"
	jq -r --arg d "$1" '.datasets[] | select(.dataset == $d) | .drill | "\(.state) \(.due)"' "$T/status"
}
is() { # WORDS WANTED HAVE
	[ "$2" = "$3" ] || fail "$1: '$3', expected '$2'" "$T/status"
}
drills() { grep -c '"event":"drill"' "$T/state/journal/000001.jsonl" || true; }

# ---- never rehearsed: asked for after a quarter of the time, not before
night
is "a new site" "never false" "$(state docs)"
is "after three months" "never true" "$(state docs 100)"
grep -q "data set 'docs' (like that: 2): nobody has rehearsed to bring it back yet; rehearse it" "$T/next" ||
	fail "it is not asked for" "$T/next"
record procedures | jq -e --arg s "$(sha256sum <"$T/docs.md" | cut -c-64)" \
	'.procedures == [{name: "docs.md", sha256: $s}]' >/dev/null ||
	die "the procedure in force is not on record"
[ "$(grep -c '"event":"procedures"' "$T/state/journal/000001.jsonl")" = 1 ] || die "procedures are recorded each time"
record committed | jq -e '.source_version == null' >/dev/null || die "a version where none is asked for"
grep '"event":"committed"' "$T/state/journal/000001.jsonl" | jq -se '.[0].source_version == "1.4.2"' >/dev/null ||
	die "the source's version"

# ---- one truth: the policy's RTO, from its text on the medium; the procedure states another one
"$BKP" check --json >"$T/out"
jq -e '[.problems[] | select(.code == "E-POLICY-52") | .message | test("docs.md.* 8 h, and the policy 1 h for .docs.")] == [true]' \
	"$T/out" >/dev/null ||
	fail "bkp check does not name the procedure" "$T/out"
rto() { jq -c '[.rto.target_s, .rto.procedure_s, .rto.met, .policy]' "$T/$1/drill.json"; }
drill d1
[ "$STATUS" = 0 ] || fail "the drill"
grep -q "W-DRILL-02: the procedure states an RTO of 8 h.*, and the policy 1 h.* for 'docs': the policy's counts" "$T/err" ||
	fail "two targets are not said"
is "the target" "[3600,28800,true,\"$(sha256sum <"$T/policy.yaml" | cut -c-64)\"]" "$(rto d1)"
grep -q 'RTO, of the policy' "$T/d1/drill.html" && grep -q 'ANOTHER ONE' "$T/d1/drill.html" || die "the page"
cp -r "$T/m1" "$T/copy"
without() { # DIR: a drill from the copy, whose policy is not to be had
	rm -rf "${T:?}/$1"
	status "$RESTORE" --medium "$T/copy" --identity "$T/id.txt" --operator 情シス drill "$T/docs.md" --to "$T/$1"
	grep -q 'RTO: 8 h.*, by the procedure: no text of the policy is at hand' "$T/err" || fail "which target it was is not said"
	is "the procedure's" "[28800,28800,true,null]" "$(rto "$1")"
}
chmod -R u+w "$T/copy" && chattr -R -i "$T/copy" 2>/dev/null || true
for f in "$T"/copy/*/policy/*.yaml; do sed -i 's/rto: 1h/rto: 9h/' "$f"; done
without d0
rm -r "$T"/copy/*/policy
without d0
rm -rf "$T/d0" "$T/copy"
say "the policy's RTO is the target, from the signed medium: another one in the procedure is named by check, drill, record and page;" \
	"a policy that was changed there counts for nothing"

# ---- one drill, signed by whom the policy knows
minisign -S -s "$T/people/院長.key" -m "$T/d1/drill.json" >/dev/null
expect 0 "$BKP" journal import "$T/d1/drill.json" --operator 山田
grep -q "drill of '文書の復旧' by 情シス: passed, signed" "$T/out" || fail "it is not told"
record drill | jq -e --slurpfile d "$T/d1/drill.json" --arg s "$(sha256sum <"$T/d1/drill.json" | cut -c-64)" '
	$d[0] as $d | .file_sha256 == $s and .signed_by == "院長" and .carried_by == "山田" and .operator == "情シス" and .kind == "drill" and
	.procedure.sha256 == $d.procedure.sha256 and .medium == $d.medium.uuid and .begun == $d.begun and .erased and
	.verdict == "passed" and .procedure_rto_s == 28800 and
	.datasets == [{dataset: "docs", generation: 1, uuid: $d.generations[0].uuid, bytes: $d.steps[0].restore.bytes,
		ms: ($d.steps[0].seconds * 1000 | round)}]' >/dev/null || die "the record: $(record drill)"
is "it is proved" "holds false" "$(state docs 100)"
grep -q "the procedure by which .docs. was brought back states an RTO of 8 hours, and the policy .*1 hour\|60 minutes" "$T/next" ||
	fail "status: two targets" "$T/next"
is "the other one is not" "never true" "$(state list 100)"
expect 0 "$BKP" journal import "$T/d1/drill.json"
grep -q 'on record already' "$T/out" || fail "the second time"
[ "$(drills)" = 1 ] || die "a drill counts twice"
"$BKP" status >"$T/out" 2>&1 || true
grep -q '1 of 2 data sets were brought back' "$T/out" || fail "status does not tell"
say "a drill of a real medium is taken over once, with who signed, carried and did it; its data set is proved, the other is asked for"

# ---- a manager approves the procedure as it stands: declared, or signed by himself
approve() { status "$BKP" agree --procedure "$@"; }
approve "$T/docs.md" --operator 院長
[ "$STATUS" = 0 ] || fail "the procedure is not approved"
record procedure-approved | jq -e --arg s "$(sha256sum <"$T/docs.md" | cut -c-64)" \
	'.name == "docs.md" and .sha256 == $s and .operator == "院長" and .signed_by == null' >/dev/null || die "the approval's record"
minisign -S -s "$T/people/院長.key" -m "$T/docs.md" >/dev/null
approve "$T/docs.md" --operator 山田
[ "$STATUS" = 2 ] && grep -q 'E-AGREE-04: the signature beside the file is that of another person' "$T/err" || fail "another's signature"
approve "$T/docs.md" --operator 院長
record procedure-approved | jq -e '.signed_by == "院長"' >/dev/null || fail "a signed approval"
minisign -S -s "$T/people/業者.key" -m "$T/docs.md" >/dev/null
approve "$T/docs.md" --operator 院長
[ "$STATUS" = 2 ] && grep -q E-USE-04 "$T/err" || fail "approved with a stranger's signature"
rm "$T/docs.md.minisig"
sed 's/自動/手で/' "$T/docs.md" >"$T/other.md"
for f in other.md people/院長.pub; do
	approve "$T/$f" --operator 院長
	[ "$STATUS" = 2 ] && grep -q 'E-AGREE-04: the file is none of the procedures in force' "$T/err" || fail "$f is approved"
done
approve "$T/docs.md" --operator 受付
[ "$STATUS" = 2 ] && grep -q 'E-AGREE-04: a recovery procedure, and the operating rules, are approved by a manager' "$T/err" ||
	fail "approved by who is no manager"
approve "$T/docs.md" --operator 情シス
[ "$STATUS" = 64 ] && grep -q E-OPERATOR-01 "$T/err" || fail "approved by somebody"
[ "$(grep -c '"event":"procedure-approved"' "$T/state/journal/000001.jsonl")" = 2 ] || die "what was refused is on record"
say "a manager approves a procedure as it stands, declared or signed; another text, another's signature and a stranger's are refused"

# ---- what is no such record
refused() { # CODE FILE
	expect 2 "$BKP" journal import "$2"
	grep -q "$1: '$2'" "$T/err" || fail "$1 is not said"
	[ "$(drills)" = "$was" ] || die "$2 is on record"
}
was=$(drills)
edit() { jq -c "$1" "$T/d1/drill.json" >"$T/$2.json"; }
edit '.verdict = "late"' altered && refused E-USE-03 "$T/altered.json"
edit '.repository = "00000000-0000-4000-8000-000000000000" | .begun = "2026-01-01T00:00:00Z"' foreign && refused E-USE-02 "$T/foreign.json"
for bad in '.format = 2' '.verdict = "splendid"' '.begun = "yesterday"' 'del(.finished)' '.operator = "a\nb"' '.procedure.sha256 = "00"' \
	'.rto.measured_s = -1' '.rto.measured_s = 1e300' '.steps[0].restore.bytes = -1' '.steps[0].restore.bytes = 1e30' \
	'.steps[0].seconds = "1"' \
	'.generations = []' '.steps[0].restore.dataset = "../docs"' '.medium.uuid = "m1"'; do
	edit "$bad" bad && refused E-IMPORT-01 "$T/bad.json"
done
edit '.steps = [range(300) as $i | .steps[0] | .restore.generation = $i]' many && refused E-IMPORT-01 "$T/many.json"
edit '.kind = "invoice"' bad && refused E-IMPORT-02 "$T/bad.json"
head -c 20M /dev/zero >"$T/large.json"
expect 2 "$BKP" journal import "$T/large.json"
drill d2
cp "$T/d2/drill.json" "$T/byother.json"
minisign -S -s "$T/people/業者.key" -m "$T/byother.json" >/dev/null
refused E-USE-04 "$T/byother.json"
status "$BKP" journal import
[ "$STATUS" = 64 ] || fail "no file: exit $STATUS"
status "$BKP" journal import "$T/d2/drill.json" --operator 業者
[ "$STATUS" = 64 ] && [ "$(drills)" = "$was" ] || fail "an operator whom the policy does not know: exit $STATUS"
say "altered, foreign, malformed in 16 ways, signed by a stranger: refused with the member, and nothing is on record"

# ---- recorded, and proves nothing
drill d3 --keep
expect 1 "$BKP" journal import "$T/d3/drill.json"
grep -q 'W-IMPORT-01: what it restored was not erased' "$T/err" || fail "kept data is not told"
jq -c '.verdict = "failed" | .steps[0].mark = "failed" | .begun = "2020-11-01T00:00:00Z" | .finished = "2020-11-01T01:00:00Z"' \
	"$T/d2/drill.json" >"$T/failed.json"
expect 1 "$BKP" journal import "$T/failed.json"
grep -q 'W-IMPORT-01: a step failed' "$T/err" || fail "a failed drill is not told"
jq -c '.generations[0].uuid = "00000000-0000-4000-8000-000000000000" | .begun = "2026-11-02T00:00:00Z"' "$T/d2/drill.json" >"$T/others.json"
expect 1 "$BKP" journal import "$T/others.json"
grep -q "W-IMPORT-01: docs@1, which was brought back, is not the one that was captured here" "$T/err" || fail "another's generation"
is "what failed in the past is over" "holds" "$(state docs | cut -d' ' -f1)"
jq -c '.verdict = "failed" | .steps[0] += {mark: "not-done", restore: null} | .begun = "2026-11-04T00:00:00Z" |
	.finished = (now | todate)' \
	"$T/d2/drill.json" >"$T/vain.json"
expect 1 "$BKP" journal import "$T/vain.json"
is "the last one failed" "failed true" "$(state docs)"
grep -q 'the last drill failed' "$T/next" || fail "what to do" "$T/next"
record drill | jq -e '.datasets == [{dataset: "docs", generation: 1, uuid: .datasets[0].uuid, bytes: null, ms: null}]' >/dev/null ||
	die "what it was to bring back: $(record drill)"
drill d5
expect 0 "$BKP" journal import "$T/d5/drill.json"
is "the next one did not" "holds false" "$(state docs)"
jq -e --slurpfile d "$T/d5/drill.json" '.datasets[0].drill.recovery_s == ($d[0].rto.measured_s | round)' \
	"$T/status" >/dev/null || die "the last that counts"
say "a drill that fails takes the proof away until one passes; kept data, another site's generation: exit 1 with the reason, and no proof"

# ---- what takes the proof away
is "still" "holds false" "$(state docs 300)"
is "after a year, when item 3-② and the operating rules take it for too old" "overdue true" "$(state docs 370)"
grep -q "the last drill is too long ago" "$T/next" || fail "overdue" "$T/next"
procedure 1.1
night 100
is "edited" "procedure-edited true" "$(state docs)"
grep -q 'the procedure was edited since its last drill' "$T/next" || fail "edited" "$T/next"
cp "$T/policy.yaml" "$T/before.yaml"
printf 'notify:\n  command: cat >>%s\n  when: attention\n' "$T/mail" >>"$T/policy.yaml"
env "${FAKE_ENV[@]}" FAKECLOCK=100 "$BKP" notify >"$T/out" 2>"$T/err" || true
grep -q 'the procedure was edited since its last drill' "$T/mail" || fail "the morning's message does not say it" "$T/mail"
mv "$T/before.yaml" "$T/policy.yaml"
procedure 1.0
night 200
is "put back" "holds false" "$(state docs)"
echo 2.0.0 >"$T/version"
night 300
is "another version" "source-updated true" "$(state docs)"
drill d4
expect 0 "$BKP" journal import "$T/d4/drill.json"
grep -q 'declared only' "$T/out" || fail "unsigned"
is "rehearsed again" "holds false" "$(state docs)"
echo false >"$T/version.sh"
sed -i "s|version: cat $T/version|version: sh $T/version.sh|" "$T/policy.yaml"
policy_accept 山田
status env "${FAKE_ENV[@]}" FAKECLOCK=400 "$BKP" run --all
[ "$STATUS" = 1 ] && grep -q 'version: ' "$T/err" || fail "a version that cannot be told: exit $STATUS"
is "it says no version" "holds false" "$(state docs)"
sed -i "s|rto: 1h|rto: 1m|" "$T/policy.yaml"
jq -c '.rto.measured_s = 7200.4 | .begun = "2026-11-03T00:00:00Z" | .finished = (now | todate)' "$T/d4/drill.json" >"$T/slow.json"
expect 0 "$BKP" journal import "$T/slow.json"
state docs >/dev/null
grep -q "to bring 'docs' back took 2 hours in the last drill, and may take 1 minute" "$T/next" || fail "too slow" "$T/next"
if unshare --uts true 2>/dev/null; then
	expect 1 unshare --uts sh -c "hostname other; exec '$BKP' --quiet run --all"
	is "another computer" "host-changed true" "$(state docs)"
else
	say "no namespace for another host's name here: not tried"
fi
say "edited, another version, another computer, too long ago, too slow: each asks for a drill; a version that cannot be told spoils nothing"

# ---- the list
expect 0 "$BKP" report drills --csv --out "$T/list.csv"
python3 - "$T/list.csv" "$T/d1/drill.json" "$T/state/journal/000001.jsonl" <<'P' || fail "the list" "$T/list.csv"
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8-sig")))
d = json.load(open(sys.argv[2]))
records = [r for r in map(json.loads, open(sys.argv[3])) if r["event"] == "drill"]
assert len(rows) == len(records) == 8, len(rows)
r, s = rows[0], d["steps"][0]
want = "%.1f" % (round(s["seconds"] * 1000) / 1e3 / (s["restore"]["bytes"] / 1e9))
assert (r["Bytes restored"], r["Seconds per GB"], r["Generations"], r["Signed by"]) == (str(s["restore"]["bytes"]), want, "docs@1", "院長"), r
assert [x["Verdict"] for x in rows] == [x["verdict"] for x in records], rows
assert (r["RTO, of the policy"], r["RTO, of the procedure"]) == ("1 minute", "8 hours"), r
assert [x["Erased"] for x in rows[:2]] == ["yes", "no"], rows
P
expect 0 "$BKP" report drills --out "$T/list.html"
grep -q 文書の復旧 "$T/list.html" || die "the page"
expect 0 "$BKP" journal verify
say "the list of drills says what each record says: bytes, seconds per GB, times against the policy's, erased, verdict, who signed"

# ---- the trend: from the same medium slower and slower, and a Python fold says the same
expect 0 "$BKP" medium set m1 --model X-100 --operator 山田
other=11111111-2222-4333-8444-555555555555
day=1
for s in 20 22 21.5 60; do
	jq -c --argjson s "$s" --arg d "2026-10-0$day" '.steps[0].restore.bytes = 1000000000 | .steps[0].seconds = $s |
		.begun = $d + "T01:00:00Z" | .finished = $d + "T02:00:00Z" | .medium.uuid = $m | .medium.label = "old disk"' \
		--arg m $other "$T/d5/drill.json" >"$T/pace.json"
	expect 0 "$BKP" journal import "$T/pace.json"
	day=$((day + 1))
done
expect 0 "$BKP" report pace --format csv --out "$T/pace.csv"
PYTHONPATH=$SRC_ROOT/tests/lib python3 - "$T/pace.csv" "$T/state/journal/000001.jsonl" $other <<'P' || fail "the trend" "$T/pace.csv"
import csv, json, sys
import fold_forms
_, *rows = csv.reader(open(sys.argv[1], encoding="utf-8-sig", newline=""))
drills = [r for r in map(json.loads, open(sys.argv[2])) if r["event"] == "drill"]
want = list(fold_forms.pace_rows(drills, {"docs": "文書"}.get, lambda uuid: "" if uuid == sys.argv[3] else "X-100"))
assert rows == want, (rows, want)
other = [r[4:] for r in rows if r[1] == "old disk"]
assert other == [["20.0", "", ""], ["22.0", "", ""], ["21.5", "21.0", ""], ["60.0", "21.5", "SLOWER: 2.8 times"]], other
assert sum(r[2] == "X-100" for r in rows) >= 3, rows
P
state docs >/dev/null
grep -q "'docs' came back from 'old disk' at 60.0 seconds per GB in the last drill, and at 21.5 before" "$T/next" ||
	fail "status: slower" "$T/next"
say "seconds per GB of each data set from each medium, drill by drill, are what a fold in Python has; what became slower is named"
