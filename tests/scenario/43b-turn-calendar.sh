#!/bin/bash
# Goal: the calendar for the wall, as people print it: one A4 page a pool and a quarter from a real browser, in both languages, with 令和
# and the western year, holidays, a box to tick and a line to sign for each turn; `bkp rotate --plan` fits 80 columns and says the same
# as its JSON; nothing of names becomes markup; the list of holidays is refused by file and line.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
export HOME=$T # chromium's profile
export TZ=Asia/Tokyo
at() { env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "$WHEN")" "$@"; }
WHEN="2026-12-01 09:00:00"
mkdir -p "$T/src" "$T/m1" "$T/m2"
echo x >"$T/src/x"
cp "$SRC_ROOT/policies/holidays-ja.txt" "$T/holidays.txt"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
sed -i 's/name: テスト診療所/name: "テスト診療所 <b>\&\\"x\\""/' "$T/policy.yaml"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, place: 別棟 保管庫B}
  - {name: RDX-02, type: rdx, offline: true, place: 院長自宅}
  - {name: RDX-03, type: rdx, offline: true, place: 別棟 保管庫B}
  - {name: LTO-1, type: tape, offline: true, place: 別棟 保管庫B}
  - {name: LTO-2, type: tape, offline: true, place: 別棟 保管庫B}
pools:
  - {name: weekly, media: [RDX-01, RDX-02, RDX-03], swap_every: 7d, weekday: mon, away_at_least: 2,
     remind: [{tell: 山田 太郎}, {tell: 事務長, after: 2d}, {tell: 院長, after: 5d}]}
  - {name: monthly, media: [LTO-1, LTO-2], swap_every: 28d, weekday: wed, holds: oldest}
holidays: $T/holidays.txt
people:
  - {name: 山田 太郎, roles: [operator]}
  - {name: 事務長, roles: [manager, operator]}
  - {name: 院長, roles: [manager]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: 別棟 保管庫B, separate_from: [サーバ室]}
  - {name: 院長自宅, separate_from: [サーバ室]}
Y
expect 64 "$BKP" rotate --plan --operator 事務長
expect 64 "$BKP" rotate --plan RDX-01
expect 64 "$BKP" rotate --weeks 4
expect 64 "$BKP" rotate --plan --weeks 0
expect 64 "$BKP" rotate --plan --weeks 5x
age-keygen -o "$T/id.txt" 2>/dev/null
at "$BKP" init --root-key-out "$T/root.key" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
for m in m1 m2 RDX-01 RDX-02 RDX-03 LTO-1 LTO-2; do
	mkdir -p "$T/$m"
	at "$BKP" --quiet medium add $m --path "$T/$m" 2>/dev/null || die "add $m"
	[ -z "${m##m[12]}" ] || { mv "$T/$m" "$T/$m.away"; at "$BKP" --quiet medium move $m --operator 事務長; }
done
at "$BKP" run --quiet --all 2>/dev/null || true

# ---- the table: 80 columns, in both languages, what JSON says
at "$BKP" rotate --plan --json >"$T/json" || die "the plan"
for lang in ja en; do
	COLUMNS=80 at "$BKP" --lang $lang rotate --plan >"$T/$lang.txt" || die "the plan in $lang"
	python3 - "$T/$lang.txt" "$T/json" $lang <<-'P' || fail "the plan in $lang" "$T/$lang.txt"
	import json, sys, unicodedata
	text, o = open(sys.argv[1], encoding="utf-8").read(), json.load(open(sys.argv[2]))
	for line in text.split("\n"):
	    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
	    assert wide <= 80, (wide, line)
	rows = [l.split() for l in text.split("\n") if l.startswith("  2026-") or l.startswith("  2027-")]
	turns = [t for p in o["pools"] for t in p["turns"]]
	assert [(r[0], r[2]) for r in rows] == [(t["date"], t["bring"]) for t in turns], (rows, turns)
	assert len(o["pools"][0]["turns"]) == 14 and o["pools"][1]["holds"] == "oldest"
	assert ("年末年始" in text) and ("成人の日" in text) and ("山田 太郎" in text)
	assert ("どこから" in text) == (sys.argv[3] == "ja")
	P
done
say "rotate --plan: 14 weeks of two pools in 80 columns, Japanese and English, the same as its JSON"

# ---- on paper
for lang in ja en; do
	at "$BKP" --lang $lang rotate --plan --calendar >"$T/$lang.html" || die "the calendar in $lang"
	python3 "$SRC_ROOT/tests/lib/page.py" "$T/$lang.html" >"$T/$lang.page" || die "the page"
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/chromium" --no-pdf-header-footer \
		--print-to-pdf="$T/$lang.pdf" "file://$T/$lang.html" >"$T/chromium.log" 2>&1 || fail "chromium" "$T/chromium.log"
	pdfinfo "$T/$lang.pdf" >"$T/info"
	grep -q 'Page size:.*A4' "$T/info" && grep -q '^Pages: *2$' "$T/info" || fail "not a page of A4 for each of two pools" "$T/info"
	pdftotext -layout "$T/$lang.pdf" "$T/text"
	tr -d ' \n' <"$T/text" >"$T/dense"
	has() { for w in "$@"; do grep -qF "$(echo "$w" | tr -d ' ')" "$T/dense" || fail "the page lacks '$w'" "$T/text"; done; }
	has 'テスト診療所 <b>&"x"' RDX-01 RDX-02 RDX-03 '院長自宅' 成人の日 weekly monthly 山田太郎
	[ "$lang" = en ] || has 令和8年（2026年）12月1日 令和9年（2027年）2月28日 2027年1月 1月12日（火） 担当 立会 '山田 太郎（当日に知らせる）' '院長（5 日後に知らせる）'
	[ "$lang" = ja ] || has 2026-12-01 2027-02-28 '1-12 (Tue)' Operator Witness
	[ "$(grep -o □ "$T/text" | wc -l)" -ge 45 ] || fail "boxes to tick" "$T/text"
done
[ -z "${BKP_KEEP:-}" ] || cp "$T"/*.pdf "$T"/*.html "$T"/*.txt "$BKP_KEEP"
say "the calendar: a page of A4 a pool from chromium, in Japanese with 令和 and English, names stay text"

# ---- the list of holidays: by file and line, and no night fails for it
line() { # LINE WORDS: in the list
	printf '# a\n2026-11-23 勤労感謝の日\n%s\n' "$1" >"$T/holidays.txt"
	expect 64 "$BKP" check
	grep -q "E-POLICY-47: $T/holidays.txt:3: $2" "$T/err" || fail "'$1' is not refused: $2"
}
line '2026-02-30 x' 'the line begins with no date'
line '2026-1-1 x' 'the line begins with no date'
line '2026/11/03 文化の日' 'the line begins with no date'
line '2026-12-29..12-31 x' "behind '..' stands no date"
line '2026-12-29..2026-12-28 x' 'the second date lies before'
line '2026-12-29..2028-12-28 x' 'the second date lies before'
line '2026-11-03文化の日' 'a blank must stand'
line 'every day' "'every' goes with a day of the week"
line 'every s' "'every' goes with a day of the week"
printf '2026-11-03 \x95\xb6\n' >"$T/holidays.txt"
expect 64 "$BKP" check
grep -q "E-POLICY-47: $T/holidays.txt:1:12: this is not UTF-8" "$T/err" || fail "Shift_JIS is not refused"
expect 64 "$BKP" check --json
python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
assert not o["valid"] and o["problems"][0]["code"] == "E-POLICY-47"' "$T/out"
WHEN="2026-12-02 02:00:00"
status at "$BKP" run --quiet --all
[ "$STATUS" -le 1 ] && ! grep -q E-POLICY "$T/err" || fail "a night fails for a list of holidays"
at "$BKP" status >"$T/out" || true
grep -q "the holidays are not known, and turns are judged without them: $T/holidays.txt:1:12" "$T/out" || fail "status does not say it"
rm "$T/holidays.txt"
expect 64 "$BKP" check
grep -q "E-POLICY-48: the holidays cannot be read: $T/holidays.txt" "$T/err" || fail "a list that is not there"
printf '\xef\xbb\xbf\r\n  every Sun\r\nevery saturday 土曜 休診\r\n2026-12-07 \r\n' >"$T/holidays.txt"
expect 0 "$BKP" check
at "$BKP" rotate --plan --weeks 2 >"$T/out"
grep -q "2026-12-08 Tue.*for 12-07 (holiday)" "$T/out" || fail "a list as Windows writes it"
grep -q "listed until 2026-12-07 only" "$T/out" || fail "where the list ends"
say "a malformed list of holidays: refused by check with file and line, in words; the night goes on, and status says it"

# ---- the past: closed days are on no record, and that is said; what the list says now changes nothing
WHEN="2026-12-03 02:00:00"
for list in '2026-11-23 勤労感謝の日' ''; do
	echo "$list" >"$T/holidays.txt"
	status at "$BKP" status --at 2026-12-02 --json
	cp "$T/out" "$T/past.${list:+1}"
	grep -q W-STATUS-03 "$T/err" || fail "closed days are left out silently: status --at"
	status at "$BKP" report month --at 2026-12-02 --csv
	grep -q W-STATUS-03 "$T/err" || fail "closed days are left out silently: report"
done
cmp "$T/past.1" "$T/past." || die "the list of today changes how things stood"
status at "$BKP" status
! grep -q W-STATUS-03 "$T/err" || fail "status of now knows the list"
say "as of the past, and on papers, turns are judged without closed days, which are on no record: it is said, and today's list" \
	"changes nothing"
