#!/bin/bash
# Goal: the papers that people sign beforehand, from the live policy: the backup chapter of the operating rules (refused while 〇〇 stand in
# the policy, and then left out of a pack by name), the plan of backups kept offline and the sheet for the vendor.  Chromium prints them.
. "$(dirname "$0")/../lib/site.sh"
policy() { # SITE PLACE MANAGER
	cat >"$T/policy.yaml" <<-Y
	site: {name: $1, language: ja}
	state: $T/state
	people:
	  - {name: $3, roles: [manager]}
	  - {name: 担当 田中, roles: [operator, keyholder]}
	  - {name: ベンダ 佐藤, roles: [vendor]}
	datasets:
	  - {name: emr, title: 電子カルテ, paths: [$T/src/emr], rpo: 24h, rto: 8h, priority: 1, generations: 5, responsibility: vendor}
	  - {name: documents, title: 文書, paths: [$T/src/documents], rto: 72h, priority: 2}
	excluded:
	  - {name: 職員の個人フォルダー, reason: 診療に使わない, decided_by: 院長, decided_on: 2026-11-01, review_on: 2036-11-01}
	media:
	  - {name: nas, type: hdd, path: $T/m1, place: サーバ室}
	  - {name: RDX-01, type: rdx, path: $T/m2, offline: true, place: $2}
	Y
}
mkdir -p "$T/src/emr" "$T/src/documents" "$T/m1" "$T/m2"
seq 1000 >"$T/src/emr/a"
echo x >"$T/src/documents/b"
age-keygen -o "$T/id.txt" 2>/dev/null
policy 〇〇病院 別棟 院長
"$BKP" init --recipient "$(age-keygen -y "$T/id.txt")" --root-key-out "$T/root.$RANDOM$RANDOM" >/dev/null
"$BKP" medium add nas >/dev/null 2>&1
"$BKP" --quiet run --all >/dev/null 2>&1 || [ $? = 1 ]

# ---- what is not filled in
refused() { # WHAT
	expect 2 "$BKP" report regulation --out "$T/no.html"
	said "E-REPORT-20.*$1"
	[ ! -e "$T/no.html" ] || die "something was printed"
}
refused "site.name.*〇〇病院"
policy さくら病院 ____ 院長
refused "media.place.*____"
policy さくら病院 別棟 ○○
refused "people.*○○"
sed -i 's/roles: \[manager\]/roles: [auditor]/' "$T/policy.yaml"
policy さくら病院 別棟 〇〇
expect 1 "$BKP" report pack --out "$T/pack1"
said "E-REPORT-20.*people"
[ -e "$T/pack1/17_plan.html" ] && ! ls "$T"/pack1/15_* 2>/dev/null || die "the rules are in the pack, or the plan is not"
(cd "$T/pack1" && sha256sum --quiet -c SHA256SUMS) || die "sha256sum"
policy さくら病院 別棟 院長
sed -i '/name: 担当 田中/d' "$T/policy.yaml"
refused "people.*operator"
say "a site, a place, a person that is not filled in, and nobody who operates: the rules are refused by name, and a pack is made" \
	"without them, exit 1"

# ---- what is printed is what the policy says
policy さくら病院 別棟 院長
policy_accept 院長 || true
expect 0 "$BKP" report regulation --out "$T/15.html"
expect 0 "$BKP" report 15 --format csv --out "$T/15.csv"
expect 0 "$BKP" report plan --out "$T/17.html"
expect 0 "$BKP" report hearing --out "$T/17a.html"
python3 - "$T" <<'P' || fail "the papers" /dev/null
import csv, sys, xml.etree.ElementTree as E
T = sys.argv[1]
rows = list(csv.reader(open(T + "/15.csv", encoding="utf-8-sig")))[1:]
assert [r[0] for r in rows[:-1]] == sorted((r[0] for r in rows[:-1]), key=lambda a: int(a[1:-1])), "articles out of order"
assert rows.pop() == ["", "承認", "まだだれも承認していません（未承認）"]
assert {r[0] for r in rows} == {"第%d条" % i for i in range(1, 13)}, {r[0] for r in rows}
def of(article): return [r[2] for r in rows if r[0] == "第%d条" % article]
assert any("院長" in r for r in of(2)) and any("担当 田中" in r for r in of(2)) and any("ベンダ 佐藤" in r for r in of(2)), of(2)
assert len(of(3)) == 2 and "電子カルテ" in of(3)[0] and "8 時間" in of(3)[0] and "24 時間" in of(3)[0], of(3)
assert len(of(4)) == 1 and "職員の個人フォルダー" in of(4)[0] and "診療に使わない" in of(4)[0], of(4)
assert "5 世代" in of(5)[0], of(5)
assert len(of(6)) == 2 and "別棟" in of(6)[1] and "切り離して" in of(6)[1] and "サーバ室" in of(6)[0], of(6)
assert "担当 田中" in of(8)[0], of(8)
def texts(name): return "".join(E.parse(T + "/" + name).getroot().itertext())
plan, sheet, rules = texts("17.html"), texts("17a.html"), texts("15.html")
for quote in ("バックアップの目的", "対象データ／バックアップ方法", "取得媒体 等／オフラインバックアップ計画の合意"):
    assert quote in plan, quote
assert "病院（署名・日付）" in plan and "ベンダ（署名・日付）" in plan and "RDX-01" in plan
assert sheet.count("いつまでに使えるようにするか") == 2 and "ベンダ" in sheet
assert "上記1-3のすべての項目について、具体的な実施方法を運用管理規程等に定めている。" in rules
P
sum=$(sha256sum <"$T/policy.yaml" | cut -d' ' -f1)
"$BKP" --quiet run --all >/dev/null 2>&1 || [ $? = 1 ] # the journal learns of the policy
expect 0 "$BKP" report regulation --format json
grep -q "$sum" "$T/out" || fail "the chapter does not name the policy that it is of: $sum"
expect 0 "$BKP" --lang en report regulation --format csv
said 'Art. 12'
! grep -P '[\p{Han}]' "$T/out" | grep -vE '電子カルテ|文書|院長|田中|佐藤|別棟|サーバ室|職員|診療に' | grep -q . || fail "Japanese among the English"
for f in 15 17 17a; do
	chromium --headless --no-sandbox --disable-gpu --disable-background-networking --user-data-dir="$T/chromium" \
		--no-pdf-header-footer --print-to-pdf="$T/$f.pdf" "file://$T/$f.html" >/dev/null 2>&1
	pdfinfo "$T/$f.pdf" | grep -q 'Page size:.*A4' || die "$f: no page of A4"
	n=$(pdfinfo "$T/$f.pdf" | sed -n 's/^Pages: *//p')
	[ "$n" -ge 1 ] && [ "$n" -le 3 ] || die "$f: $n pages"
done
[ -z "${BKP_KEEP_PAGES:-}" ] || cp "$T"/1*.pdf "$BKP_KEEP_PAGES"
say "rules, plan and the vendor's sheet: each data set, person and place of the policy, in twelve articles, the founding words exactly, A4"

# ---- approved, and changed since
approve() { expect "$1" "$BKP" --lang ja agree --regulation "$2" --operator "${3:-院長}"; }
print15() { expect 0 "$BKP" --lang "${2:-ja}" report 15 --csv --out "$1"; }
rm -f "$T/15.csv"
print15 "$T/15.csv"
sed 's/5 世代/2 世代/' "$T/15.csv" >"$T/other.csv"
approve 2 "$T/other.csv"; said "E-AGREE-04.*今印刷される運用管理規程ではありません"
approve 2 "$T/15.csv" '担当 田中'; said "E-AGREE-04.*責任者が承認"
approve 64 "$T/15.csv" だれか; said E-OPERATOR-01
expect 64 "$BKP" agree --regulation "$T/15.csv" --procedure "$T/15.csv" --operator 院長
! grep -q '"event":"regulation-approved"' "$T/state/journal/000001.jsonl" || die "what was refused is on record"
approve 0 "$T/15.csv"
sum=$(sha256sum <"$T/15.csv" | cut -c-64)
record regulation-approved | jq -e --arg s "$sum" '.sha256 == $s and .operator == "院長" and .lang == "ja" and .signed_by == null and
	([.clauses[].article] | index("第12条") | not) and (.clauses | length > 15)' >/dev/null || die "the record of the approval"
approve 2 "$T/15.csv"; said E-AGREE-04 # it is printed with its approval now
expect 0 "$BKP" report 15 --csv
grep -q "承認\",\"院長が.*に承認（申告のみ）。承認した文面の SHA-256：$sum" "$T/out" && ! grep -q 承認後の変更 "$T/out" ||
	fail "approved, and not a word changed"
echo '# 条文に関わらない' >>"$T/policy.yaml"
expect 0 "$BKP" report 15 --csv
! grep -q 承認後の変更 "$T/out" || fail "a comment in the policy is no change of the rules"
sed -i -e 's/rto: 8h/rto: 4h/' -e 's/name: 職員の個人フォルダー/name: 試験サーバ/' -e 's/別棟/本館地下/' -e 's/name: 担当 田中/name: 担当 鈴木/' "$T/policy.yaml"
for lang in ja en; do
	rm -f "$T/now.csv"
	print15 "$T/now.csv" $lang
	python3 - "$T/now.csv" <<-'P' || fail "what changed, in $lang" "$T/now.csv"
	import csv, sys
	rows = [r for r in csv.reader(open(sys.argv[1], encoding="utf-8-sig")) if r[1] in ("承認後の変更", "CHANGED since the approval")]
	def of(article): return [r[2] for r in rows if r[0] == article]
	assert of("第2条") == ["操作担当：担当 田中 → 担当 鈴木", "鍵保管者：担当 田中 → 担当 鈴木"], rows
	(rto,) = of("第3条")
	assert rto.startswith("電子カルテ：") and "8 時間" in rto.split("→")[0] and "4 時間" in rto.split("→")[1] and len(rto) < 60, rto
	assert any(r.endswith(("（なくなった）", "(no longer there)")) and "職員の個人フォルダー" in r for r in of("第4条")), rows
	assert any(r.startswith(("（なかった）", "(was not there)")) and "試験サーバ" in r for r in of("第4条")), rows
	assert len(of("第6条")) == 1 and "別棟" in of("第6条")[0].split("→")[0] and "本館地下" in of("第6条")[0].split("→")[1], rows
	assert not of("第5条") and not of("第12条"), rows
	P
done
"$BKP" status >"$T/out" 2>&1 || true
said '運用管理規程が、院長の承認した文面と違います（変わった条文 [0-9]+、第2条'
expect 0 "$BKP" report evidence --csv
grep '15 運用管理規程' "$T/out" | grep -q 承認後に条文が変わっています || fail "the list of evidence"
rm -f "$T/15.csv"
print15 "$T/15.csv" en; said W-REPORT-05 # nobody has recorded the edited policy yet
approve 2 "$T/15.csv"
rm -f "$T/15.csv"
print15 "$T/15.csv" en
! grep -q W-REPORT-05 "$T/err" || fail "it is on record now"
approve 0 "$T/15.csv"
expect 0 "$BKP" report 15 --csv
! grep -q 承認後の変更 "$T/out" || fail "approved anew"
"$BKP" status >"$T/out" 2>&1 || true
! grep -q 運用管理規程 "$T/out" || fail "status after the new approval"
# ---- signed by the one who approves it, or by somebody else
for p in 院長 他人; do minisign -G -W -f -p "$T/$p.pub" -s "$T/$p.key" >/dev/null; done
sed -i "s|name: 院長, roles: \[manager\]|name: 院長, roles: [manager], public_key: $(tail -n 1 "$T/院長.pub")|" "$T/policy.yaml"
sed -i "s|name: ベンダ 佐藤, roles: \[vendor\]|name: ベンダ 佐藤, roles: [vendor], public_key: $(tail -n 1 "$T/他人.pub")|" "$T/policy.yaml"
"$BKP" --quiet run --all >/dev/null 2>&1 || [ $? = 1 ] # who has which key is on record
rm -f "$T/15.csv"
print15 "$T/15.csv"
minisign -S -s "$T/他人.key" -m "$T/15.csv" >/dev/null
approve 2 "$T/15.csv"; said 'E-AGREE-04.*別の人'
minisign -S -s "$T/院長.key" -m "$T/15.csv" >/dev/null
approve 0 "$T/15.csv"
record regulation-approved | jq -e '.signed_by == "院長"' >/dev/null || die "the record does not say who signed"
expect 0 "$BKP" report 15 --csv
grep -q '承認","院長が.*に承認（署名あり）' "$T/out" || fail "that it is signed is not printed"
say "a manager approves the rules as they are printed, word by word; another text, another person: refused; what changed since is" \
	"named, old and new, by article, in either language, in form 15, the list of evidence, status; a change that is no clause is none"
