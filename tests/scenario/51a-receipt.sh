#!/bin/bash
# Goal: the slip that goes with a medium and the lists of the ledger print on A4 from a real browser in both languages, and the code on
# the label is read back from the printed page; what they say is what the journal says, by other tools; markup and formulas that people
# type stay text.
. "$(dirname "$0")/../lib/site.sh"
export HOME=$T # chromium's profile
EVIL='<script>alert(1)</script> & "x"'
FORMULA='=HYPERLINK("http://example.com")'
mkdir -p "$T/src" "$T/d1" "$T/d2"
seq 1000 >"$T/src/list.txt"
site_make 2>/dev/null
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/d1, place: 金庫}
  - {name: RDX-02, type: rdx, offline: true, path: $T/d2, place: 金庫}
people:
  - {name: 佐藤, roles: [operator, manager]}
  - {name: 伊藤, roles: [operator]}
Y
medium() { "$BKP" --quiet medium "$@" --operator 佐藤; }
"$BKP" -q medium add RDX-01
"$BKP" -q medium add RDX-02
expect 0 "$BKP" run --all --quiet
for m in RDX-01 RDX-01 RDX-02; do status "$BKP" rotate $m --operator 佐藤 --quiet; done
medium set RDX-01 --maker "$EVIL" --serial "$FORMULA" --model +1 --lock @x --use-until 2028-02-29 --custodian -鈴木
mv "$T/d1" "$T/d1.away"
medium move RDX-01 --place 金庫
medium hand RDX-01 --to "$EVIL" --witness 伊藤
medium lend RDX-01 --to 監査法人 --until 2026-12-20 --reason "$FORMULA"
mv "$T/d2" "$T/d2.away"
medium move RDX-02 --place 金庫
medium lost RDX-02 --reason 配送中 >/dev/null
medium retire RDX-02 --reason 期限 --method 破砕 --witness 伊藤 --certificate C-9

# ---- what they say, held against the journal by other tools
line=$(sed -n "$(wc -l <"$T/state/journal/000001.jsonl")p" "$T/state/journal/000001.jsonl")
head=$(printf '%s' "$line" | sha256sum | cut -c-64)
number=$(jq .seq <<<"$line")
expect 0 "$BKP" report media --json
jq -e --arg h "$head" --argjson n "$number" --arg p "$(sha256sum <"$T/policy.yaml" | cut -c-64)" \
	'.foot.journal == {record: $n, sha256: $h} and .foot.policy_sha256 == $p and .foot.site == "テスト診療所" and (.rows | length) == 4' \
	"$T/out" >/dev/null || fail "the foot is not the journal's"
expect 0 "$BKP" report receipt RDX-01 --json
cp "$T/out" "$T/slip.json"
copy=$(grep '"event":"heads"' "$T/state/journal/000001.jsonl" | jq -sc --arg m "$(jq -r .medium.uuid "$T/slip.json")" \
	'[.[] | select(.media | index($m))] | last | {record: .upto, sha256}')
jq -e --argjson c "$copy" '.journal_on_it == $c and .rotation == 2' "$T/slip.json" >/dev/null ||
	fail "the journal on the medium" "$T/slip.json"
# and by the copy that is on the disk itself
sed -n "$(jq .record <<<"$copy")p" "$(repo_of "$T/d1.away")/journal/000001.jsonl" | tr -d '\n' | sha256sum |
	grep -q "^$(jq -r .sha256 <<<"$copy")" || die "the disk's own copy has another record"
want="bkp1 RDX-01 $(jq -r .medium.uuid "$T/slip.json") r2 j$(jq -r .record <<<"$copy") $(jq -r .sha256 <<<"$copy") docs@1"
[ "$(jq -r .code "$T/slip.json")" = "$want" ] || fail "the code is not $want" "$T/slip.json"
say "foot and code name the policy, the journal's head, and the record that the disk's own copy ends with: sha256sum agrees"

# ---- CSV
expect 0 "$BKP" --lang ja report media --csv
[ "$(head -c 3 "$T/out" | od -An -tx1 | tr -d ' ')" = efbbbf ] || die "no byte order mark"
python3 - "$T/out" "$EVIL" "$FORMULA" <<'P' || fail "the CSV"
import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8-sig", newline="")))
head, rows = rows[0], [dict(zip(rows[0], r)) for r in rows[1:]]
assert len(head) == 24 and len(rows) == 4, (len(head), len(rows))
r = next(r for r in rows if r["媒体"] == "RDX-01")
assert r["メーカー"] == sys.argv[2] and r["製造番号"] == "'" + sys.argv[3], r
assert r["型番"] == "'+1" and r["施錠"] == "'@x" and r["使用期限"] == "2028-02-29" and r["貸出先"] == "監査法人", r
for row in rows:
    for cell in row.values():
        assert cell[:1] not in "=+-@" or not cell, cell
P
for r in allowed transfers disposals losses; do
	expect 0 "$BKP" report $r --csv
	"$BKP" report $r --json | jq '.rows | length' >"$T/n"
	python3 - "$T/out" "$(cat "$T/n")" <<-'P' || fail "rows of $r"
	import csv, sys
	assert len(list(csv.reader(open(sys.argv[1], encoding="utf-8-sig", newline="")))) == int(sys.argv[2]) + 1
	P
done
[ "$("$BKP" report transfers --json | jq -c '[.rows[].record | tonumber]')" = "$(grep -E '"event":"(rotated|medium-(moved|handed|lent))"' \
	"$T/state/journal/000001.jsonl" | jq -sc '[.[].seq]')" ] || die "records of the transfers"
"$BKP" report losses --json | jq -e '.rows[0] | .held == "docs: 1 generations, newest 1"' >/dev/null || die "what was on the lost one"
"$BKP" report disposals --json | jq -e '[.rows[] | [.name, .method, .certificate, .witness]] == [["RDX-02", "破砕", "C-9", "伊藤"]]' \
	>/dev/null || die "the disposal"
"$BKP" report allowed --json | jq -e '[.rows[].name] == ["m1", "m2", "RDX-01"]' >/dev/null || die "the media that may be connected"
say "CSV with a byte order mark, as many rows as records, no cell that is a formula, what people typed as it is"

# ---- every form there is, by its name and by its number, in each format
expect 0 "$BKP" report
grep -q '^▲04 *generations' "$T/out" || fail "the list of forms"
"$BKP" report --json | jq -r '.reports[] | .number + " " + .report' >"$T/forms"
[ "$(wc -l <"$T/forms")" -ge 14 ] || die "not all forms are listed"
while read -r number name; do
	expect 0 "$BKP" --lang ja report "$number" --out "$T/$name.html"
	python3 "$SRC_ROOT/tests/lib/page.py" "$T/$name.html" >"$T/page" || fail "the page of $name" "$T/page"
	grep -qE "^foot: .*テスト診療所.*令和.*SHA-256 [0-9a-f]{16}.*SHA-256 [0-9a-f]{16}" "$T/page" || fail "the foot of $name" "$T/page"
	"$BKP" report "$name" --format csv >"$T/as.csv"
	"$BKP" report "$number" --csv | cmp -s - "$T/as.csv" || die "$name by its number"
	"$BKP" report "$name" --format json >"$T/as.json"
	python3 - "$T/as.csv" "$T/as.json" <<-'P' || die "$name: CSV and JSON differ"
	import csv, json, sys
	rows = list(csv.reader(open(sys.argv[1], encoding="utf-8-sig", newline="")))
	o = json.load(open(sys.argv[2]))
	assert rows[0] == [c["head"] for c in o["columns"]] and len(rows) == len(o["rows"]) + 1
	for row, texts in zip(rows[1:], o["rows"]):
	    for c, cell in zip(o["columns"], row):
	        assert c["kind"] != "text" or cell.lstrip("'") == texts[c["key"]].lstrip("'"), (c, cell, texts[c["key"]])
	        assert not cell or cell[0] not in "=+-@\t\r" or cell == "-", cell
	P
done <"$T/forms"
say "each form of the list in HTML, CSV and JSON, which say the same; the foot of each names site, day, policy and record"

# ---- refusals
expect 64 "$BKP" report receit RDX-01
said 'receipt'
expect 64 "$BKP" report receipt RDX-01 --csv
expect 64 "$BKP" report media --format xml
expect 64 "$BKP" report media --format html --csv
expect 2 "$BKP" report receipt RDX-1
said "E-MEDIA-14.*" && said "did you mean 'RDX-01'"
echo keep >"$T/there"
expect 2 "$BKP" report media --out "$T/there"
said E-REPORT-01
[ "$(cat "$T/there")" = keep ] || die "a file was overwritten"

# ---- as a browser prints them
print_pdf() { # HTML PDF PAGES
	python3 "$SRC_ROOT/tests/lib/page.py" "$1" >"$T/page.txt" || fail "the page is not well-formed" "$T/page.txt"
	! grep -q '<script' "$1" || die "markup that somebody typed is markup"
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/chromium" --no-pdf-header-footer \
		--print-to-pdf="$2" "file://$1" >"$T/chromium.log" 2>&1 || { tail -5 "$T/chromium.log" >&2; die "chromium"; }
	pdfinfo "$2" >"$T/info"
	grep -q 'Page size:.*A4' "$T/info" && grep -q "^Pages: *$3\$" "$T/info" || fail "not A4, or not $3 pages: $1" "$T/info"
	pdftotext -layout "$2" "$T/text"
}
has() { for w in "$@"; do tr -d ' \n\f' <"$T/text" | grep -qF -e "$(echo "$w" | tr -d ' ')" || fail "the page lacks '$w'" "$T/text"; done; }
for lang in ja en; do
	for r in media "receipt RDX-01" transfers; do
		# shellcheck disable=SC2086 # a name and an operand
		expect 0 "$BKP" --lang $lang report $r --out "$T/${r%% *}-$lang.html"
	done
	[ "$(stat -c %a "$T/receipt-$lang.html")" = 600 ] || die "mode"
	print_pdf "$T/receipt-$lang.html" "$T/receipt.pdf" 1
	has "$EVIL" "$FORMULA" RDX-01 docs@1 "$(jq -r .sha256 <<<"$copy")" "1/1" テスト診療所 "${head:0:16}"
	[ "$lang" = ja ] && has 媒体受渡票 担当者 立会者 受取者 '令和10年（2028年）2月29日' 基準日 || has 'Hand-over slip' Witness 2028-02-29
	pdftoppm -r 150 -png "$T/receipt.pdf" "$T/slip"
	[ "$(zbarimg -q --raw "$T/slip-1.png" 2>"$T/zbar.log")" = "$want" ] || die "the code as it is printed says something else"
	print_pdf "$T/media-$lang.html" "$T/media.pdf" 2
	has "$EVIL" RDX-02 1/2 2/2
	[ "$(tr -d ' \n' <"$T/text" | grep -oF "${head:0:16}" | wc -l)" = 2 ] || die "the foot is not on both pages"
	[ "$lang" != ja ] || has 媒体管理台帳 廃止 貸出
	print_pdf "$T/transfers-$lang.html" "$T/transfers.pdf" 1
	has 監査法人
done
# a code that many data sets would make too long still is one
sets=$(for i in $(seq 60); do printf '  - {name: a-data-set-%02d, paths: [%s]}\\n' "$i" "$T/src"; done)
sed -i "s|^media:|${sets}media:|" "$T/policy.yaml"
policy_accept 佐藤
expect 0 "$BKP" run --all --quiet
medium return RDX-01 --place 金庫
mv "$T/d1.away" "$T/d1"
status "$BKP" rotate RDX-01 --operator 佐藤 --quiet
expect 0 "$BKP" report receipt RDX-01 --json
jq -e '(.newest | length) == 61 and (.code | utf8bytelength) < 480 and (.code | test("docs@"))' "$T/out" >/dev/null ||
	fail "sixty data sets"
expect 0 "$BKP" report receipt RDX-01 --out "$T/many.html"
print_pdf "$T/many.html" "$T/many.pdf" 2
say "slip and ledger print on A4 from chromium in both languages, with foot and page number on each; the printed code is read back"
