#!/bin/bash
# Goal: a year at a hospital and a year at a clinic, with faults (tests/lib/forms_year.sh), and what 'bkp report pack' makes of them: every
# cell of every form is what a fold over journal.jsonl in Python has (tests/lib/fold_forms.py, which shares no code with bkp; 3-② is judged
# once more by fold_checklist.py; of 18 what to do next is not compared); the pack that was made in summer is what is made of that day at
# the year's end, byte for byte but for the signature; a cell or a record that is altered is found; printed by a browser every page is A4
# with foot and number, nothing stands over its edge, a clinic's are three; no cell of a CSV is a formula; what is there is whole or not
# there.
#   BKP_FORMS_NIGHTS (24): of the hospital's year that many are each of them played; those before every two weeks.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/forms_year.sh"
[ "$(id -u)" = 0 ] || die "needs root (a file system that is full)"
export HOME=$T # chromium's profile
base=$T
FOLD=$SRC_ROOT/tests/lib/fold_forms.py

pack() { # "DATE TIME" DIR OPTION...: how it ends is in $STATUS
	local when=$1 to=$2
	shift 2
	status at "$when" "$BKP" report pack --out "$to" "$@"
}
made() { [ "$STATUS" = 0 ] || fail "no pack: exit $STATUS"; }
policy_of() { echo "$T/state/policies/$(jq -r .foot.policy_sha256 "$1/03_datasets.json").yaml"; }
folded() { # DATE PACK: equal cells, how many is in $cells
	cells=$(python3 "$FOLD" "$T/state/journal/000001.jsonl" "$(policy_of "$2")" "$1T23:59:59+0900" "$2") || die "the fold as of $1"
	(cd "$2" && sha256sum --quiet -c SHA256SUMS) || die "SHA256SUMS of $2"
}
# same A B: all that is signed, and no file more
same() {
	diff -rq --exclude=SHA256SUMS.minisig --exclude=keys.jsonl "$1" "$2" >"$T/diff" || fail "another pack of the same moment" "$T/diff"
	(cd "$1" && ls) >"$T/names"
	(cd "$2" && ls) | diff "$T/names" - || die "other files"
}
# pages HTML: as chromium prints it, into $T/p.pdf; how many is in $n
pages() {
	rm -f "$T/p.pdf"
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/chromium" --no-pdf-header-footer \
		--print-to-pdf="$T/p.pdf" "file://$1" >"$T/chromium.log" 2>&1 || fail "chromium" "$T/chromium.log"
	pdfinfo "$T/p.pdf" >"$T/info"
	grep -q 'Page size:.*A4' "$T/info" || fail "not A4: $1" "$T/info"
	n=$(awk '/^Pages/ {print $2}' "$T/info")
	pdftotext -bbox "$T/p.pdf" "$T/boxes"
	pdffonts "$T/p.pdf" | awk 'NR > 2 && $(NF-4) != "yes" {exit 1}' || die "a font of $1 is not in the PDF"
	# within the margins of 15 mm, and each page with its number and its foot
	python3 - "$T/boxes" "$n" <<-'P' || die "the pages of $1"
	import re, sys
	pages = open(sys.argv[1], encoding="utf-8").read().split("<page ")[1:]
	for i, page in enumerate(pages, 1):
	    width, height = (float(x) for x in re.match(r'width="([\d.]+)" height="([\d.]+)"', page).groups())
	    words = [([float(x) for x in b], w) for *b, w in
	             re.findall(r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', page)]
	    assert words, "page %d is empty" % i
	    out = [w for (a, t, b, u), w in words if a < 41 or b > width - 41 or t < 20 or u > height - 12]
	    assert not out, "page %d: over the edge: %s" % (i, out)
	    text = "".join(w for _, w in words)
	    assert "%d/%s" % (i, sys.argv[2]) in text, "page %d of %s has no number" % (i, sys.argv[2])
	    assert text.count("SHA-256") >= 2, "page %d has no foot" % i
	    assert min(a for (a, *_), _ in words) < 46, "page %d is made smaller: something in it is wider than the paper" % i
	    foot = max(t for (_, t, *_), w in words if "SHA-256" in w)
	    body = [w for (_, t, *_), w in words if t < foot - 14 and not re.match("(Made|Checked|Manager|by|date|.*署名・日付)", w)]
	    assert body, "page %d has nothing but signatures" % i
	P
}
no_formula() { # PACK
	python3 - "$1" <<-'P' || die "a cell of a CSV is a formula"
	import csv, glob, sys
	for f in sorted(glob.glob(sys.argv[1] + "/*.csv")):
	    assert open(f, "rb").read(3) == b"\xef\xbb\xbf", f
	    rows = list(csv.reader(open(f, encoding="utf-8-sig", newline="")))
	    for row in rows:
	        assert len(row) == len(rows[0]), (f, row)
	        assert not any(c and c[0] in "=+-@\t\r" for c in row), (f, row)
	P
}

# ---- a hospital
mkdir "$base/hospital" "$base/clinic"
T=$base/hospital
BKP_POLICY=$T/policy.yaml
FAKEDISK=$T/disks
forms_site hospital
forms_also() { # DATE
	case $1 in
	2026-06-16) pack "$1 08:00:00" "$T/then" --at 2026-06-15 && made ;;
	2026-09-22) pack "$1 08:00:00" "$T/now" && made ;;
	esac
}
forms_year "${BKP_FORMS_NIGHTS:-24}"
end="2027-01-01 09:00:00"
begun=$(date +%s%N)
pack "$end" "$T/year" --at 2026-12-31 --signer 院長
ms=$((($(date +%s%N) - begun) / 1000000))
made
records=$(wc -l <"$T/state/journal/000001.jsonl")
[ "$ms" -le 60000 ] || die "the pack of a year took $ms ms"
folded 2026-12-31 "$T/year"
year_cells=$cells
for w in '× no generation' 'suspect' 'failed' 'days: 9, nothing was captured'; do
	grep -q "$w" "$T/year/04_generations.csv" || fail "the year has no '$w'" "$T/year/04_generations.csv"
done
grep -q '院長 (declared only: 申告)' "$T/year/10_procedures.csv" || fail "who approved it" "$T/year/10_procedures.csv"
folded 2026-06-15 "$T/then"
grep -q '"form 15 .*clauses changed since its approval' "$T/year/02_evidence.csv" &&
	! grep -q 'clauses changed since its approval' "$T/then/02_evidence.csv" || die "the operating rules changed in July, not before"
say "a hospital's year ($records records): $year_cells cells of its forms, and $cells of those of 15 June, are what a fold in Python has;" \
	"nine dates without a generation, failed dumps and a suspect night are named; $ms ms"

# ---- the same moment, on another day
pack "$end" "$T/again" --at 2026-06-15
made
same "$T/then" "$T/again"
[ "$(policy_of "$T/then")" != "$(policy_of "$T/year")" ] || die "one policy was in force all the year"
moment=$(jq -r .foot.date "$T/now/03_datasets.json")
pack "$end" "$T/now2" --at "$moment"
made
same "$T/now" "$T/now2"
cmp -s "$T/now/SHA256SUMS.minisig" "$T/now2/SHA256SUMS.minisig" && die "signed with one key on two days"
[ "$(grep -c '"event":"pack"' "$T/state/journal/000001.jsonl")" = 5 ] || die "not every pack is on record"
record pack | grep -q "\"sums_sha256\":\"$(sha256sum <"$T/now2/SHA256SUMS" | cut -c-64)\"" || die "the record of the pack"
say "made then and made today for that moment: equal to the byte but for the signature, by the policy of then; each is on record"

# ---- altered
for f in 01_selfcheck 02_evidence 04_generations; do
	rm -rf "$T/forged"
	cp -a "$T/year" "$T/forged"
	case $f in
	01*) sed -i '/^"3-② (2)"/s/4 days old/3 days old/' "$T/forged/$f.csv" ;;
	02*) sed -i '/"record of a drill/s/2026-12-09/2026-12-08/' "$T/forged/$f.csv" ;;
	04*) sed -i '0,/"good"/s//"held"/' "$T/forged/$f.csv" ;;
	esac
	! cmp -s "$T/year/$f.csv" "$T/forged/$f.csv" || die "nothing is altered in $f"
	! python3 "$FOLD" "$T/state/journal/000001.jsonl" "$(policy_of "$T/year")" 2026-12-31T23:59:59+0900 "$T/forged" 2>"$T/err" ||
		die "the fold does not notice a cell of $f"
	grep -q "^$f.csv: row" "$T/err" || fail "the fold names no row of $f" "$T/err"
	! (cd "$T/forged" && sha256sum --quiet -c SHA256SUMS) >"$T/out" 2>&1 || die "SHA256SUMS does not notice a cell of $f"
done
line=$(grep -n '"event":"committed"' "$T/state/journal/000001.jsonl" | sed -n 40p | cut -d: -f1)
cp -a "$T/state" "$T/whole"
sed -i "${line}s/\"bytes\":\([0-9]\)/\"bytes\":9\1/" "$T/state/journal/000001.jsonl"
for at in --at=2026-12-31 --at=2026-06-15 ''; do
	# shellcheck disable=SC2086 # or none
	pack "$end" "$T/refused" $at
	[ "$STATUS" -ge 2 ] && grep -q "line $line " "$T/err" || fail "an altered record: exit $STATUS"
	[ ! -e "$T/refused" ] || die "a pack of an altered journal"
done
rm -rf "$T/state"; mv "$T/whole" "$T/state"
say "one cell of a form altered, of 01, 02 and 04: the fold and sha256sum say so; one record altered: no pack, and its line is named"

# ---- whole or not there
pack "$end" "$T/year"
[ "$STATUS" = 2 ] && said E-REPORT-01 || fail "a folder that is there"
mkdir "$T/.killed.tmp" "$T/small"
echo half >"$T/.killed.tmp/03_datasets.html"
pack "$end" "$T/killed"
made
[ ! -e "$T/.killed.tmp" ] || die "what a killed one left is there still"
mount -t tmpfs -o size=64k none "$T/small"
pack "$end" "$T/small/pack"
[ "$STATUS" = 2 ] && grep -q '  → \|No space\|cannot' "$T/err" || fail "a full disk: exit $STATUS"
[ -z "$(ls -A "$T/small")" ] || die "a full disk keeps half a pack"
umount "$T/small"
pack "$end" "$T/x" --signer だれか
[ "$STATUS" = 64 ] && said E-REPORT-02 && [ ! -e "$T/x" ] || fail "a signer who is nobody"
for wrong in '--profile school' '--format csv' '--root-key x'; do
	# shellcheck disable=SC2086 # words
	pack "$end" "$T/x" $wrong
	[ "$STATUS" = 64 ] && [ ! -e "$T/x" ] || fail "$wrong: exit $STATUS"
done
expect 64 "$BKP" report pack
say "a pack is whole or not there: not over another, not on a full disk; what a killed one left goes; a signer is one of the people"

# ---- on paper, in Japanese
at "$end" "$BKP" --lang ja report pack --at 2026-12-31 --out "$T/ja" --signer 院長 >"$T/out"
[ -e "$T/ja/00_目次.html" ] || die "no 目次"
no_formula "$T/ja"
no_formula "$T/year"
grep -q "'=配送中に所在不明" "$T/ja/09_losses.csv" || die "what people typed"
total=0
for f in 00_目次 03_datasets 04_generations 05_rule 06_media 08_disposals 10_procedures 11_drills 13_contacts 13a_wall 15_regulation \
	18_month 20_assets; do
	python3 "$SRC_ROOT/tests/lib/page.py" "$T/ja/$f.html" >"$T/page" || fail "the page $f" "$T/page"
	pages "$T/ja/$f.html"
	total=$((total + n))
	case $f in
	03* | 05* | 08* | 10* | 11* | 13* | 18* | 20*) [ "$n" = 1 ] || die "$f has $n pages" ;;
	00*) [ "$n" = 3 ] || die "the first has $n pages" ;;
	esac
	pdftotext -layout "$T/p.pdf" - | tr -d ' \n' >"$T/text"
	grep -q '令和8年（2026年）12月31日' "$T/text" || die "$f: no 令和"
done
grep -q 'システムを使用しなくとも診療を継続するために必要なデータ・情報を洗い出します。' "$T/ja/03_datasets.html" ||
	die "the quote"
grep -q '院長' "$T/ja/00_目次.html" || die "who is to sign"
! grep -q '<td[^>]*>2026-' "$T/ja/04_generations.html" || die "two formats of dates on one page"
for f in 01_selfcheck 10_procedures 18_month; do
	pages "$T/year/$f.html"
	total=$((total + n))
done
[ "$n" = 1 ] || die "the month's report in English has $n pages"
say "$total pages of 16 forms as chromium prints them: A4, foot and number on each, within the margins, fonts in it;" \
	"CSV with BOM and no formula"

# ---- a clinic: three pages in all
T=$base/clinic
# shellcheck disable=SC2034 # for those who are sourced
BKP_POLICY=$T/policy.yaml
# shellcheck disable=SC2034
FAKEDISK=$T/disks
unset -f forms_also
forms_site clinic
forms_year 12
for lang in en ja; do
	at "$end" "$BKP" --lang $lang report pack --at 2026-12-31 --out "$T/$lang" --profile clinic >"$T/out" || fail "the clinic's pack"
	[ "$(find "$T/$lang" -name '*.html' | wc -l)" = 1 ] || die "more than one file of pages"
	pages "$T/$lang/00_"*.html
	[ "$n" = 3 ] || die "a clinic's pack has $n pages ($lang)"
done
folded 2026-12-31 "$T/en"
no_formula "$T/en"
say "a clinic's pack has three pages in all, in both languages; $cells cells of its forms are what the fold has"
