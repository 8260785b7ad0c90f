#!/bin/bash
# Goal: charts are read in a browser while systems are down: an SS-MIX2 storage, DICOM and exports become pages that Chromium opens; what
# hostile charts hold stays text, and is never followed.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
export LC_ALL=C.UTF-8 HOME=$T # chromium's profile
charts() { python3 "$SRC_ROOT/tests/lib/charts.py" "$@"; }
# seen URL: the text of that page as Chromium has it, in a network of its own that leads nowhere
seen() {
	unshare --user --map-user=1000 --map-group=1000 --net chromium --headless=new --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$T/profile" --dump-dom "$1" 2>"$T/chromium.err" >"$T/dom" || fail "chromium $1" "$T/chromium.err"
}
has() { grep -qF -e "$1" "$T/dom" || fail "the page lacks '$1'" "$T/dom"; }
# link PATTERN: where the first link of $T/dom whose text fits leads to
link() { python3 "$SRC_ROOT/tests/lib/links.py" "$T/dom" "$1"; }

# ---- a folder that was brought back
C=$T/charts
charts ssmix2 "$C/srv/ssmix2/standard" 450 1
charts html "$C/srv/export" 60
python3 "$SRC_ROOT/tests/lib/clinical.py" dicom "$C/srv/pacs" 24
expect 0 "$RESTORE" --lang ja index "$C" --to "$T/pages"
[ "$(cat "$T/out")" = "file://$T/pages/index.html" ] && said '450 人.*4 件.*61 件' || fail "index"
seen "file://$T/pages/index.html"
has 患者番号順; has "0001234567 … "; has 書き出し元の目次
for order in pn pk pd; do [ "$(ls "$T/pages/$order"-0-* | wc -l)" = 3 ] || die "450 patients are not three pages of 200"; done
# three charts, from the index on: by number, by name, by date
n=0
for range in '^0001234567 …' '^イトウ' '2026-11-01'; do
	seen "file://$T/pages/index.html"
	seen "file://$T/pages/$(link "$range")"
	chart=$(link '^[^ ]+ [^ ]+$')
	seen "file://$T/pages/$chart"
	who=$(grep -oE '<h1>[0-9]{10} [^<]+' "$T/dom" | sed 's/<h1>//')
	has "${who%% *}"; has 患者基本情報; has 千代田区
	seen "file://$T/pages/$(link '2026-11-01')"
	has ヘモグロビン; has ムコダイン錠２５０ｍｇ; has 検体検査結果; has "${who%% *}"
	n=$((n + 1))
done
[ $n = 3 ] || die "three charts"
# the same patients as the files say, by python's own codec
python3 - "$C" "$T/pages" <<'P' || die "names in the lists are not those of the messages"
import glob, html, re, sys
want = set()
for f in glob.glob(sys.argv[1] + "/srv/ssmix2/standard/*/*/*/-/ADT-00/*"):
    pid = re.search("PID[^\r]*", open(f, "rb").read().decode("iso2022_jp")).group().split("|")
    kanji, kana = (n.split("^") for n in pid[5].split("~"))
    b = pid[7]
    want.add((pid[3].split("^")[0], kanji[0] + " " + kanji[1], kana[0] + " " + kana[1], b[:4] + "-" + b[4:6] + "-" + b[6:]))
for order in "nkd":
    is_ = []
    for f in sorted(glob.glob(sys.argv[2] + "/p%s-0-*" % order)):
        is_ += re.findall(r'<tr><td>(\d+)</td><td><a href="[^"]*">([^<]*)</a></td><td>([^<]*)</td><td>([^<]*)</td>', open(f).read())
    assert len(is_) == 450 and set(is_) == want, (order, len(is_), len(set(is_) ^ want))
    key = {"n": 0, "k": 2}.get(order)
    assert key is None or [r[key] for r in is_] == sorted(r[key] for r in is_), order
P
seen "file://$T/pages/dn-0-00000.html"
url=$(link '経過記録')
seen "$url"; has 経過良好
cp932=$(grep -o 'href="file:[^"]*%8C%6F%89%DF\|href="file:[^"]*%8Co%89%DF[^"]*' "$T/pages"/dn-0-00000.html | head -1 | cut -d'"' -f2)
[ -n "$cp932" ] || die "no name in CP932 was listed"
seen "$cp932"; has 経過良好
grep -q 'images\|画像' "$T/pages"/sn-0-00000.html && grep -qF 'P000000' "$T/pages"/sn-0-00000.html || die "studies"
[ -z "$(grep -L "default-src 'none'" "$T"/pages/*.html)" ] || die "a page without its policy"
say "index: 450 patients of SS-MIX2, 4 studies, 61 documents; three charts found and opened by Chromium, names as Python reads them"

# ---- what nobody should write into a chart
mkdir "$T/evil"
charts hostile "$T/evil"
timeout 60 "$RESTORE" index "$T/evil" --to "$T/evilpages" >"$T/out" 2>"$T/err" && STATUS=0 || STATUS=$?
[ "$STATUS" = 1 ] || fail "hostile charts: exit $STATUS"
said W-VIEW-02
! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037]')" "$T/out" "$T/err" || fail "control characters on the terminal"
python3 - "$T/evilpages" <<'P' || die "hostile charts"
import glob, sys, xml.etree.ElementTree as E
seen = 0
for f in glob.glob(sys.argv[1] + "/*.html"):
    text = open(f, encoding="utf-8").read()
    tree = E.fromstring(text.split("\n", 1)[1])  # well-formed
    tags = {e.tag for e in tree.iter()}
    assert not tags & {"script", "img", "b", "iframe"}, (f, tags)
    assert "\u202e" not in text and "root:x:0" not in text, f
    seen += "<script>alert" in "".join(tree.itertext())
    for e in tree.iter("a"):
        assert e.get("href").startswith("file:///") or "/" not in e.get("href"), (f, e.get("href"))
assert seen >= 4, seen
P
for f in "$T"/evilpages/dk-0-00000.html "$T"/evilpages/chart-000000.html; do
	seen "file://$f"
	! grep -q '<script\|<img' "$T/dom" || fail "a script in $f" "$T/dom"
done
expect 2 "$RESTORE" index "$T/no-such" --to "$T/x"; said E-VIEW-03
expect 2 "$RESTORE" index "$C" --to "$T/pages"; said E-VIEW-03
expect 64 "$RESTORE" index "$C"
say "hostile charts: 12 messages, 60 broken DICOM files, names of any bytes, links and pipes: text on the pages, nothing followed"
