#!/bin/bash
# Goal: how things stand as a page to look at: `bkp status --html`.  One file that fetches nothing and holds no script, whole at every
# moment, readable on a telephone, on A4, without colours and without eyes, in both languages; its verdict, figures and calendar are those
# of --json and of the journal, and a page that cannot be made anew says so instead of going on saying what was.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (disks that are folders in memory)"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-page.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo HOME=$T # chromium's profile
exec </dev/null
at() { # "DATE TIME" COMMAND...
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" FAKECLOCK="$(until_then "$when")" "$@"
}
night() {
	echo "$1" >>"$T/src/diary"
	at "$1 02:00:00" "$BKP" run --quiet --all >"$T/said" 2>&1 || [ $? -le "${2:-1}" ] || fail "the night of $1" "$T/said"
}
page() { # CODE "DATE TIME" [OPTION...]
	local code=$1 when=$2
	shift 2
	expect "$code" at "$when" "$BKP" status --html "$T/page.html" "$@"
}

mkdir -p "$T/rdx" "$T/src" "$T/m1" "$T/m2"
site_policy "  - {name: docs, title: '文書 <b>&amp;', paths: [$T/src]}
	  - {name: dump, title: 検査, command: 'cat $T/dump', store_as: dump}"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: '別棟 <i>', swap_every: 7d, max_attached: 4h}
people:
  - {name: 事務長, roles: [manager, operator]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: '別棟 <i>', separate_from: [サーバ室]}
Y
sed -i "s/テスト診療所/'テスト診療所 <script>alert(1)<\/script> \& \"x\"'/" "$T/policy.yaml"
age-keygen -o "$T/id.txt" 2>/dev/null
at "2026-12-01 00:00:00" "$BKP" init --root-key-out "$T/root" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
fakedisk hdd "$T/m1" "$T/rdx"
fakedisk ssd "$T/m2"
for m in m1 m2 RDX-01; do at "2026-12-01 00:20:00" "$BKP" medium add $m >/dev/null 2>&1; done
echo 1 >"$T/dump"
for d in 01 02 03; do night 2026-12-$d; done
at "2026-12-03 09:00:00" "$BKP" rotate RDX-01 --operator 事務長 --quiet --yes >"$T/said" 2>&1 || fail "rotate" "$T/said"
mv "$T/rdx" "$T/shelf"
at "2026-12-03 09:30:00" "$BKP" medium move RDX-01 --operator 事務長 >"$T/said" 2>&1 || fail "move" "$T/said"
mv "$T/dump" "$T/dump.gone"
night 2026-12-04 2 # the dump fails
mv "$T/dump.gone" "$T/dump"
night 2026-12-05
night 2026-12-07 # nothing on the 6th

# ---- what it is, and that it says the same as --json
code=0
at "2026-12-08 07:00:00" "$BKP" status --json >"$T/json" 2>/dev/null || code=$?
page "$code" "2026-12-08 07:00:00" --lang en
[ ! -s "$T/out" ] || fail "it says something besides"
python3 "$SRC_ROOT/tests/lib/status_page.py" "$T/page.html" >"$T/text" || die "the page"
[ "$(stat -c %a "$T/page.html")" = 644 ] || die "who may look at the page: $(stat -c %a "$T/page.html")"
grep -qF 'テスト診療所 <script>alert(1)</script> & "x"' "$T/text" || fail "markup in a name is not text" "$T/text"
python3 - "$T/page.html" "$T/json" "$T/state/journal/000001.jsonl" <<'P' || die "the page says something else"
import datetime, hashlib, json, re, sys
import xml.etree.ElementTree as E
root = E.fromstring(open(sys.argv[1], encoding="utf-8").read())
s = json.load(open(sys.argv[2]))
lines = open(sys.argv[3], encoding="utf-8").read().splitlines()
text = "\n".join("".join(e.itertext()) for e in root.iter("p"))
sign = {"met": "○", "attention": "△", "missing": "×"}
verdict = [e for e in root.iter("p") if "verdict" in e.attrib.get("class", "")][0].text
assert verdict.startswith(sign[s["overall"]]), verdict
main = list(root.iter("main"))[0]
todo = main[[e.text for e in main].index("What to do next") + 1]
assert s["next"] or todo.text == "Nothing."
assert [re.sub(r" \(for .*\)$", "", e.text.strip()) for e in todo] == s["next"], "what to do next"
tables = {t.find("caption").text: t for t in root.iter("table")}
judged = tables["Generations and 3-2-1 of each data set: have / want"].findall("tbody/tr")
rows = [[("".join(c.itertext())).strip() for c in r] for r in judged]
at = lambda t: datetime.datetime.fromisoformat(t.replace("Z", "+00:00")) + datetime.timedelta(hours=9)
local = lambda t: at(t).strftime("%Y-%m-%d %H:%M")
for r, d in zip(rows, s["datasets"]):
    assert r[0] == d["title"], r
    for c, k in zip(r[1:5], ("generations", "three", "two", "one")):
        assert c == "%s %d/%d" % (sign[d[k]["verdict"]], d[k]["have"], d[k]["want"]), (r, k)
    assert r[5] == "%d  %s" % (d["newest"]["generation"], local(d["newest"]["begun"])), r
    assert r[6] == "%d  %s" % (d["offline_recovery_point"]["generation"], local(d["offline_recovery_point"]["begun"])), r
# the calendar, by another fold over the journal
records = [json.loads(l) for l in lines]
day = lambda r: local(r["time"])[5:10]
began = {r["run"]: day(r) for r in records if r["event"] == "begin"}
want = {}
for r in records:
    if r["event"] == "committed":
        want[began[r["generation"]], r["dataset"]] = "○" if r["verdict"] == "good" else "△"
    if r["event"] == "failed":
        for d in r["datasets"]:
            want.setdefault((began[r["run"]], d["name"]), "×")
label = {r["medium"]: r["label"] for r in records if r["event"] == "medium-added"}
for r in records:
    if r["event"] == "verified":
        want.setdefault((day(r), label[r["medium"]]), "○")
    if r["event"] == "rotated":
        want[day(r), label[r["medium"]]] = "●"
heads = [h.text for h in tables["The last days"].findall("thead/tr/th")]
assert heads[1:] == ["docs", "dump", "m1", "m2", "RDX-01", "drills"], heads
seen = 0
for r in tables["The last days"].findall("tbody/tr"):
    for h, c in zip(heads[1:], r[1:]):
        is_set = h in ("docs", "dump")
        assert (c.text or "") == want.get((r[0].text[:5], h), "－" if is_set else ""), (r[0].text, h, c.text)
        seen += 1
assert seen == 8 * 6, seen
assert want["12-04", "dump"] == "×" and ("12-06", "docs") not in want and want["12-03", "RDX-01"] == "●"
week = tables["The last year"].findall("tbody/tr")
assert len(week) == 2 and [c.text for c in week[0]][1:3] == ["5", "4"], [c.text for c in week[0]]
# the offline recovery point is that of 12-03: five days old
assert "Today: 5 days" in text, text
head = hashlib.sha256(lines[-1].encode()).hexdigest()
assert "record %d of the journal, SHA-256 %s" % (len(lines), head) in text, text
P
sed -i 's/language: en/language: ja/' "$T/policy.yaml"
page "$code" "2026-12-08 07:00:00"
python3 "$SRC_ROOT/tests/lib/status_page.py" "$T/page.html" >"$T/text" || die "the page, in Japanese"
grep -q '次にすること' "$T/text" && grep -q '令和8年' "$T/text" || fail "the Japanese page" "$T/text"
say "the page is well-formed, holds no script, fetches nothing; verdict, next steps, figures are those of --json, its calendar that of" \
	"another fold over the journal: a failed dump, a night without, a rotation; $(head -n 1 "$T/text"); each drawing has its table"

# ---- whole or not there
before=$(stat -c %i "$T/page.html")
page "$code" "2026-12-08 08:00:00"
[ "$(stat -c %i "$T/page.html")" != "$before" ] || die "the page is written into, not replaced"
mkdir "$T/closed"
expect 2 at "2026-12-08 08:00:00" "$BKP" status --html "$T/nowhere/page.html"
said 'E-IO-07'
expect 64 "$BKP" status --html "$T/page.html" --at 2026-12-03
expect 64 "$BKP" status --html - --json
at "2026-12-08 08:00:00" "$BKP" status --html - >"$T/out" 2>/dev/null || true
grep -q '^</html>' "$T/out" || fail "to standard output"
[ "$(find "$T" -maxdepth 1 -name '*.html*' | wc -l)" = 1 ] || die "something is left beside the page"
# what is not known any more
mv "$T/state/journal" "$T/journal.away"
status at "2026-12-08 09:00:00" "$BKP" status --html "$T/page.html"
[ "$STATUS" = 3 ] || fail "exit $STATUS where nothing is known"
python3 "$SRC_ROOT/tests/lib/status_page.py" "$T/page.html" >"$T/text" || die "the page of what is not known"
grep -q '× 不明' "$T/text" && ! grep -q '○ 適合' "$T/text" || fail "the page goes on saying what was" "$T/text"
mv "$T/journal.away" "$T/state/journal"
say "it is replaced in one step; a journal that cannot be read makes it say that nothing is known"

# ---- the page that the policy asks for: made anew by what changes how things stand, without anybody's cron
mkdir "$T/www"
cat >>"$T/policy.yaml" <<Y
status_page: $T/www/index.html
notify: {command: 'cat >>$T/told; echo "\$BKP_EXIT" >>$T/told'}
Y
made() { # SINCE-RECORD: it is as of the newest record but that of the outcome's being told of, and mode 0644
	python3 "$SRC_ROOT/tests/lib/status_page.py" "$T/www/index.html" >"$T/text" || die "the page of the policy"
	n=$(sed -n 's/.*監査記録の \([0-9]*\) 番の記録まで.*/\1/p' "$T/text" | tail -n 1)
	[ "$n" -gt "$1" ] && [ "$(stat -c %a "$T/www/index.html")" = 644 ] || fail "the page is of record '$n', not behind $1" "$T/text"
	sed -n "${n}p" "$T/state/journal/000001.jsonl" | grep -q '"event":"outcome"' || fail "it does not know how it ended" "$T/text"
}
last() { wc -l <"$T/state/journal/000001.jsonl"; }
was=$(last)
night 2026-12-08
made "$was"
was=$(last)
mv "$T/shelf" "$T/rdx"
at "2026-12-08 09:00:00" "$BKP" rotate RDX-01 --operator 事務長 --quiet --yes >"$T/said" 2>&1 || fail "rotate" "$T/said"
made "$was"
was=$(last)
mv "$T/rdx" "$T/shelf"
at "2026-12-08 09:30:00" "$BKP" medium move RDX-01 --operator 事務長 >"$T/said" 2>&1 || fail "move" "$T/said"
made "$was"
[ "$(ls -A "$T/www")" = index.html ] || die "something is left beside the page"
# a medium that is to be there always, and is not, is no ○
mv "$T/m2" "$T/m2.away"
status at "2026-12-08 10:00:00" "$BKP" status --html "$T/gone.html"
grep -q '<th scope="row">m2</th><td><span class="a">△ 見つからない</span>' "$T/gone.html" || fail "a medium that is gone" "$T/gone.html"
mv "$T/m2.away" "$T/m2"
rm "$T/gone.html"
# where it cannot be written: said, exit 1, on record, and somebody is told
mv "$T/www" "$T/www.away"
rm -f "$T/told"
echo 9 >>"$T/src/diary"
expect 1 at "2026-12-09 02:00:00" "$BKP" run --quiet --all
said "E-IO-07.*$T/www/index.html"
record outcome | jq -e '.command == "status page" and .exit == 1 and (.line | test("index.html"))' >/dev/null ||
	fail "the record" <(record outcome)
grep -q "$T/www/index.html" "$T/told" && grep -qx 1 "$T/told" || fail "nobody is told" "$T/told"
mv "$T/www.away" "$T/www"
# where nothing is known any more it says so
mv "$T/state/journal" "$T/journal.away"
status at "2026-12-09 03:00:00" "$BKP" run --quiet --all
[ "$STATUS" -ge 2 ] && grep -q '× 不明' "$T/www/index.html" || fail "the page goes on saying what was: exit $STATUS"
mv "$T/journal.away" "$T/state/journal"
for bad in "$T/state/x.html" "$T/m1/x.html"; do
	sed "s,^status_page:.*,status_page: $bad," "$T/policy.yaml" >"$T/bad.yaml"
	expect 64 "$BKP" --policy "$T/bad.yaml" check
	said E-POLICY-24
done
"$BKP" check >"$T/out" 2>&1 || true
said "$T/www/index.html"
sed -i '/^status_page:/d; /^notify:/d' "$T/policy.yaml"
say "the policy's page follows each night, rotation and move, how it ended included; where it cannot be written the exit status, the" \
	"journal and the mail say so"

# ---- on paper and on a telephone
for lang in ja en; do
	status at "2026-12-08 07:00:00" "$BKP" --lang $lang status --html "$T/$lang.html"
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/chromium" --no-pdf-header-footer \
		--print-to-pdf="$T/$lang.pdf" "file://$T/$lang.html" >"$T/chromium.log" 2>&1 || fail "chromium" "$T/chromium.log"
	pdfinfo "$T/$lang.pdf" | grep -q 'Page size:.*A4' || fail "no A4" <(pdfinfo "$T/$lang.pdf")
	[ "$(pdfinfo "$T/$lang.pdf" | sed -n 's/^Pages: *//p')" -le 4 ] || die "more than four pages"
	pdftotext -layout "$T/$lang.pdf" "$T/$lang.txt"
	[ "$(pdffonts "$T/$lang.pdf" | tail -n +3 | grep -c .)" -ge 1 ] || die "no fonts"
	# nothing is wider than the telephone but what scrolls by itself: its last column is drawn where the page ends
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/chromium" --hide-scrollbars \
		--window-size=360,800 --screenshot="$T/$lang.png" "file://$T/$lang.html" >"$T/chromium.log" 2>&1 ||
		fail "chromium" "$T/chromium.log"
done
grep -q 'What to do next' "$T/en.txt" && grep -q '次にすること' "$T/ja.txt" || die "the printed page"
say "on A4 from chromium in at most four pages, and drawn 360 pixels wide"
