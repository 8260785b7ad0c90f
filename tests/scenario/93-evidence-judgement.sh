#!/bin/bash
# Goal: item 3-② of the checklist on a small real site: nights, a rotation, an approved procedure, a drill that is brought home: はい; each
# condition that is broken makes it いいえ and is named on 自己点検表 with what to do, and another program judges so, too; --at gives the
# answer of a former day; what people answered is printed and nothing else is ticked.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (disks that are folders in memory)"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-evidence.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo
at() { # "DATE TIME" COMMAND...
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" FAKECLOCK="$(until_then "$when")" "$@"
}
night() {
	echo "$1" >>"$T/src/diary"
	at "$1 02:00:00" "$BKP" run --quiet --all >"$T/said" 2>&1 || { [ $? = 1 ] && grep -q W-EXPOSED-01 "$T/said"; } ||
		fail "the night of $1" "$T/said"
}
# judged "DATE TIME" WANTED [PATTERN]: 3-② is so; "yes", or the one thing that is not so, on a row of its own; and every cell of forms 01
# and 02 is what Python has from policy and journal
judged() {
	at "$1" "$BKP" report selfcheck --json >"$T/json" 2>"$T/err" || fail "report selfcheck: $2" "$T/err"
	python3 - "$T/json" "$2" "${3:-}" <<-'P' || fail "$1: not '$2' '${3:-}'" "$T/json"
	import json, re, sys
	rows = json.load(open(sys.argv[1]))["rows"]
	item = [r for r in rows if r["number"] == "3-②"][0]
	faults = [r for r in rows if r["number"].startswith("3-② (")]
	assert (item["answer"] == "yes") == (sys.argv[2] == "yes") and item["by"] == "bkp, from the records", item
	if sys.argv[2] == "yes":
	    assert not faults and not item["target"], faults
	else:
	    assert len(faults) == 1, faults
	    assert sys.argv[2] in faults[0]["item"] and re.search(sys.argv[3], faults[0]["note"]) and " → " in faults[0]["note"], faults
	    assert item["target"] == "2027-03-31" and faults[0]["target"] == "2027-03-31", item
	P
	rm -rf "$T/folded"
	mkdir "$T/folded"
	at "$1" "$BKP" report selfcheck --csv --out "$T/folded/01_selfcheck.csv" 2>"$T/err" || fail "report selfcheck --csv" "$T/err"
	at "$1" "$BKP" report evidence --csv --out "$T/folded/02_evidence.csv" 2>"$T/err" || fail "report evidence --csv" "$T/err"
	python3 "$SRC_ROOT/tests/lib/fold_forms.py" "$T/state/journal/000001.jsonl" "$T/policy.yaml" "${1/ /T}+0900" "$T/folded" \
		selfcheck evidence >>"$T/cells" || die "the fold as of $1"
}

mkdir -p "$T/rdx" "$T/src" "$T/logs" "$T/m1" "$T/m2"
echo x >"$T/logs/x"
site_policy "  - {name: docs, title: 文書, paths: [$T/src], importance: A}
  - {name: logs, title: 証跡, paths: [$T/logs], importance: C}"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 別棟, swap_every: 14d, max_attached: 4h}
people:
  - {name: 院長, roles: [manager]}
  - {name: 事務長, roles: [operator]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: 別棟, separate_from: [サーバ室]}
key_drill_every: 9999d
procedures: [$T/docs.md]
excluded:
  - {name: 生データ, reason: 再測定できる, decided_by: 院長, decided_on: 2026-11-01}
contacts:
  - {name: 県警, kind: 都道府県警察の担当部署, confirmed_on: 2026-11-10}
checklist:
  edition: R7
  target: 2027-03-31
  self:
    - {item: 2-4, answer: はい, on: 2026-11-20, by: 院長, document: 権限の台帳}
    - {item: 2-⑧, answer: no, on: 2026-11-20, by: 事務長, why: 次の機器更新で}
    - {item: 2-⑨, answer: no, target: 2026-11-30}
    - {item: 3-②, answer: yes, by: 事務長}
Y
sed 's/^\t//' >"$T/docs.md" <<'P'
	# 文書の復旧

	```procedure
	version: "1"
	dataset: docs
	```

	```restore
	who: 事務長
	what: 文書を戻す
	how: 自動
	pass: 成功
	minutes: 5
	dataset: docs
	```
P
age-keygen -o "$T/id.txt" 2>/dev/null
at "2026-12-01 00:00:00" "$BKP" init --root-key-out "$T/root.key" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
fakedisk hdd "$T/m1" "$T/rdx"
fakedisk ssd "$T/m2"
for m in m1 m2 RDX-01; do at "2026-12-01 00:20:00" "$BKP" medium add $m >/dev/null 2>&1; done
for n in 01 02 03; do night 2026-12-$n; done
status at "2026-12-03 09:01:00" "$BKP" rotate RDX-01 --operator 事務長
[ "$STATUS" -le 1 ] || fail "rotate"
mv "$T/rdx" "$T/shelf"
expect 0 at "2026-12-03 09:30:00" "$BKP" medium move RDX-01 --operator 事務長
at "2026-12-03 10:00:00" "$BKP" report selfcheck --json >"$T/json"
python3 - "$T/json" <<'P' || fail "a site that never rehearsed" "$T/json"
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
faults = [(r["item"], r["note"]) for r in rows if r["number"].startswith("3-② (")]
assert [f[0] for f in faults] == ["文書: approved procedure", "文書: drill"], faults
assert "bkp agree --procedure" in faults[0][1] and "bkp-restore drill" in faults[1][1], faults
P
say "three nights, 3-2-1, but no approval and no drill: いいえ, both are named, of the data set that counts and not of the other"

# ---- はい
expect 0 at "2026-12-03 11:00:00" "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" --operator 事務長 drill "$T/docs.md" --to "$T/d1"
expect 0 at "2026-12-03 12:00:00" "$BKP" journal import "$T/d1/drill.json" --operator 事務長
judged "2026-12-03 12:10:00" "approved procedure" "nobody has approved the recovery procedure '文書の復旧' as it stands"
expect 0 at "2026-12-03 12:20:00" "$BKP" agree --procedure "$T/docs.md" --operator 院長
judged "2026-12-03 13:00:00" yes
cp "$T/json" "$T/yes.json"
cp "$T/policy.yaml" "$T/policy.was"
say "approved, drilled, brought home: はい"

# ---- what people answered, and nothing else is ticked
python3 - "$T/json" <<'P' || fail "what people answered" "$T/json"
import json, sys
rows = {r["number"]: r for r in json.load(open(sys.argv[1]))["rows"]}
assert rows["2-④"]["answer"] == "yes" and rows["2-④"]["by"] == "院長 (also the manager: 兼務)" and rows["2-④"]["on"] == "2026-11-20"
assert "権限の台帳" in rows["2-④"]["document"] and "管理者権限対象者の明確化を行っている" in rows["2-④"]["item"]
assert rows["2-⑧"]["answer"] == "no" and rows["2-⑧"]["target"] == "2027-03-31" and rows["2-⑧"]["note"] == "次の機器更新で"
assert rows["2-⑧"]["by"] == "事務長"
assert rows["2-⑨"]["target"] == "2026-11-30" and "OVERDUE (超過)" in rows["2-⑨"]["note"]
assert "own answer is not used" in rows["3-②"]["note"]
assert "「インシデント発生時に診療を継続するために必要な情報を検討し、データやシステムのバックアップの実施と復旧手順を確認している」" == rows["3-②"]["item"]
others = [n for n in rows if n not in ("2-④", "2-⑧", "2-⑨", "3-②", "")]
assert len(others) == 13 and all(rows[n]["answer"] == "" and rows[n]["on"] == "" for n in others), others
P
at "2026-12-03 13:00:00" "$BKP" report selfcheck --lang ja --out "$T/self.html"
grep -q '兼務' "$T/self.html" && grep -q '超過' "$T/self.html" || die "the page in Japanese"
head=$(tail -n 1 "$T/state/journal/000001.jsonl" | tr -d '\n' | sha256sum | cut -c-64)
at "2026-12-03 13:00:00" "$BKP" report evidence --json >"$T/json"
python3 - "$T/json" "$(sha256sum <"$T/docs.md" | cut -c-64)" "$(sha256sum <"$T/d1/drill.json" | cut -c-64)" \
	"$(sha256sum <"$T/policy.yaml" | cut -c-64)" "$head" <<'P' || fail "the list of evidence" "$T/json"
import json, sys
rows = [r for r in json.load(open(sys.argv[1]))["rows"] if r["item"] == "3-②"]
assert set(sys.argv[2:]) == {r["sha256"] for r in rows} - {""}, rows
assert [r["unmet"] for r in rows if r["unmet"]] == ["declared only (申告)"], rows
P
say "自己点検表 has what people answered and ticks nothing else; the list of evidence has the SHA-256 of policy, procedure, drill and journal"

# ---- each condition broken alone is named
broken() { # WANTED PATTERN SED
	sed -i "$3" "$T/policy.yaml"
	! cmp -s "$T/policy.yaml" "$T/policy.was" || die "nothing is broken: $3"
	judged "2026-12-03 13:00:00" "$1" "$2"
	cp "$T/policy.was" "$T/policy.yaml"
}
broken "the site: contacts" "'県警' was not confirmed" 's/confirmed_on: 2026-11-10/confirmed_on: 2026-05-10/'
broken "the site: contacts" "names no contacts" '/^contacts:/,/県警/d'
broken "the site: exclusions decided" "'生データ'" 's/, decided_by: 院長//'
broken "the site: data sets that count" "importance A or B" 's/importance: A/importance: C/'
broken "文書: 3-2-1" "the '1'" 's/{name: 別棟, separate_from: \[サーバ室\]}/{name: 別棟}/'
broken "文書: offline recovery point" "at most 60 min" 's/importance: A/importance: A, offline_rpo: 1h/'
judged "2026-12-04 15:00:00" "文書: newest generation" "37 hours old"
cp "$T/docs.md" "$T/docs.was"
sed -i 's/"1"/"2"/' "$T/docs.md"
night 2026-12-04
expect 0 at "2026-12-04 08:00:00" "$BKP" agree --procedure "$T/docs.md" --operator 院長
judged "2026-12-04 09:00:00" "文書: drill" "edited since its last drill"
cp "$T/docs.was" "$T/docs.md"
night 2026-12-05 # no gap: the text that was drilled is in force again, and its approval holds
judged "2026-12-05 09:00:00" yes
for n in 06 07; do night 2026-12-$n; done
night 2026-12-11
judged "2026-12-11 09:00:00" "文書: no gaps" "2026-12-07 and 2026-12-11 .4 days, 3 are allowed.*on 2027-03-08"
say "forms 01 and 02 at $(wc -l <"$T/cells") moments: $(awk '{n += $1} END {print n}' "$T/cells") cells are what a fold in Python has"
say "contacts, exclusions, importance, places, the offline point, an old night, an edited procedure, missed nights: each alone is named"

# ---- the answer of a former day
at "2026-12-11 10:00:00" "$BKP" report selfcheck --json --at "2026-12-03 13:00" >"$T/then.json" 2>"$T/err" || fail "--at" "$T/err"
python3 - "$T/yes.json" "$T/then.json" <<'P' || fail "it is not the answer of that day" "$T/then.json"
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
assert a["rows"] == b["rows"], b
P
sed -i 's/edition: R7/edition: R99/' "$T/policy.yaml"
status at "2026-12-11 10:00:00" "$BKP" report selfcheck --json
[ "$STATUS" != 0 ] && grep -q "E-CHECKLIST-01: there is no edition 'R99'" "$T/err" || fail "an edition that is not there"
status at "2026-12-12 12:00:00" "$BKP" --lang en report pack --out "$T/without"
[ "$STATUS" = 1 ] && [ "$(grep -c "E-CHECKLIST-01: left out: 0[12] .*R99" "$T/err")" = 2 ] || fail "a pack without an edition: $STATUS"
[ -e "$T/without/05_rule.html" ] && ! ls "$T"/without/0[12]_* 2>/dev/null || die "01 or 02 is there, or nothing is"
(cd "$T/without" && sha256sum --quiet -c SHA256SUMS) || die "SHA256SUMS without 01 and 02"
say "--at gives the answer of that day; an edition that is not there is said, and a pack is made without 01 and 02"
