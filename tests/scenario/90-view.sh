#!/bin/bash
# Goal: charts are read in a browser while systems are down: an SS-MIX2 storage, DICOM and exports become pages that Chromium opens; what
# hostile charts hold stays text, and is never followed; `view` shows them from a medium to a browser that reaches nothing, and leaves
# nothing.
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

# ---- from the medium: mounted, brought back, by the medium's own program; a browser that reaches nothing; nothing is left
mkdir -p "$T/src"
charts ssmix2 "$T/src/ss" 6 1
charts html "$T/src/html" 20
site_make 2>/dev/null
expect 0 "$BKP" --quiet run --all
sha256sum "$T/id.txt" >"$T/id.sum"
# what the browser is told, and what it may: written where it alone may write
cat >"$T/chromium-here" <<-B
	#!/bin/sh
	for last; do :; done
	{
		echo "\$@"; id -u; cat /proc/net/dev; wc -c <$T/id.txt; ls $T/view/scratch/data
		for f in $T/leak /dev/shm/leak.\$\$ /proc/sys/kernel/core_pattern; do echo x >\$f && echo "WROTE \$f"; done
		chromium --headless=new --disable-gpu --disable-dev-shm-usage --user-data-dir=\$HOME/own --dump-dom "\$last"
		echo seen
	} >\$HOME/log 2>&1
	exec sleep 300
B
chmod 755 "$T/chromium-here"
VIEW=(env "BROWSER=$T/chromium-here" "$RESTORE" --medium "$T/m1" --identity "$T/id.txt")
LOG=$T/view/scratch/home/log
wait_for() { for _ in $(seq 1200); do ! "$@" 2>/dev/null || return 0; kill -0 "$V" 2>/dev/null || return 1; sleep 0.1; done; return 1; }
viewing() { # COMMAND...: the view is up: $V
	rm -f "$T"/view.use-*
	"$@" >"$T/view.out" 2>"$T/view.err" </dev/null &
	V=$!
	wait_for grep -q 'index.html' "$T/view.out" || fail "no first page" "$T/view.err"
}
ended() { # CODE
	local code=0
	wait "$V" || code=$?
	[ "$code" = "$1" ] || fail "the view ended with $code" "$T/view.err"
	[ ! -e "$T/view" ] && ! grep -q "$T/view" /proc/mounts || die "something is left: $(find "$T/view" | head)"
	jq -e '.command == "view" and (.what | contains("docs@1"))' "$T"/view.use-*.json >/dev/null ||
		die "no record of the key's use"
}
FUSE=
[ -c /dev/fuse ] && command -v fusermount3 >/dev/null && FUSE=yes
viewing "${VIEW[@]}" view docs --to "$T/view"
[ -z "$FUSE" ] || grep -q "$T/view/scratch/data fuse.*ro,nosuid,nodev,noexec" /proc/mounts || die "not mounted"
wait_for grep -q '^seen' "$LOG" || fail "the browser" "$LOG"
grep -q '患者\|Patients' "$LOG" && grep -qx tmp "$LOG" || fail "the browser does not show the charts" "$LOG"
[ "$(sed -n '/Inter-/,/^[0-9]/p' "$LOG" | grep -cE '^ *[a-z0-9]+:')" = 1 ] || fail "a network other than lo" "$LOG"
! grep -q '^WROTE' "$LOG" && [ "$(sed -n 2p "$LOG")" != 0 ] && grep -qx 0 "$LOG" ||
	fail "what the browser may" "$LOG"
wait_for grep -q '患者 1\|html\|patients' "$T/view.err" || fail "the pages are not finished" "$T/view.err"
kill -INT "$V"
ended 0
(cd "$T" && sha256sum -c --quiet id.sum) && [ ! -e "$T/leak" ] || die "the browser wrote outside"
! pgrep -f "$T/chromium-here" >/dev/null || die "the browser lives on"
say "view: docs in Chromium, $([ -z "$FUSE" ] || echo mounted,) with no network, no key, no file outside the scratch; nothing is left"

viewing "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" view docs@1 '**/0001234567' --to "$T/view" --no-browser
wait_for test -s "$T/view/scratch/pages/chart-000000-20261101-1.html" || fail "one patient's charts" "$T/view.err"
grep -q 0001234567 "$T/view/scratch/pages/pn-0-00000.html" && [ "$(ls "$T/view/scratch/pages"/chart-??????.html | wc -l)" = 1 ] ||
	die "others than who was named"
grep -qF "$(cat "$T/view.out")" <<<"file://$T/view/scratch/pages/index.html" || die "the address"
kill -9 "$V"
wait "$V" 2>/dev/null || true
for _ in $(seq 300); do [ -e "$T/view" ] || break; sleep 0.1; done
[ ! -e "$T/view" ] || die "killed, it leaves charts behind"
python3 - "$T" "${VIEW[@]:2:5}" view docs --no-browser --to "$T/view" <<'P' || fail "Enter does not end it"
import os, pty, sys
pid, tty = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        data = os.read(tty, 65536)
    except OSError:
        break
    seen += data
    if b"Ctrl-C" in seen and not seen.endswith(b"@"):
        os.write(tty, b"\n")
        seen = seen.replace(b"Ctrl-C", b"") + b"@"
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert code == 0 and not os.path.exists(sys.argv[1] + "/view"), (code, seen)
P
viewing env BROWSER=/bin/true "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" view docs --to "$T/view"
wait_for grep -q E-VIEW-04 "$T/view.err" || fail "a browser that ends at once" "$T/view.err"
kill -TERM "$V"
ended 1
STATIC=${BKP_RELEASE:-$BKP_BIN}/bkp-restore-static
if [ -x "$STATIC" ]; then
	viewing "$STATIC" --medium "$T/m1" --identity "$T/id.txt" view docs --to "$T/view" --no-browser
	wait_for test -s "$T/view/scratch/pages/chart-000005-20261101-1.html" || fail "the program from the medium" "$T/view.err"
	grep -q '佐藤\|鈴木\|高橋\|田中\|伊藤\|渡辺\|山本\|中村\|小林\|加藤' "$T/view/scratch/pages/pn-0-00000.html" || die "no Japanese without iconv"
	kill -INT "$V"
	ended 0
fi
expect 2 "${VIEW[@]}" view docs@7 --to "$T/view"; [ ! -e "$T/view" ] || die "a folder of what could not be shown"
expect 2 "${VIEW[@]}" view docs --to "$T/m1/x"; said E-TARGET-04
expect 2 "${VIEW[@]}" view docs --to "$T/src"; said E-DRILL-01
expect 64 "${VIEW[@]}" list docs@1 --no-browser
say "view: one patient alone, killed, ended by Enter, a browser that does not come, the medium's own program: nothing is left"

# ---- the procedure, as it stands but for the data set's name
sed 's/dataset: viewer/dataset: docs/; s/index viewer/index docs/' "$SRC_ROOT/policies/procedures/viewer.md" >"$T/viewer.md"
expect 0 "$RESTORE" --lang ja procedure check "$T/viewer.md"
{ printf 'by: 看護部\nanswers:\n'; printf '  - {step: %s, answer: はい}\n' 1 4; } >"$T/answers.yaml"
expect 0 "$RESTORE" --lang ja --set "program=$RESTORE" --medium "$T/m1" --identity "$T/id.txt" drill "$T/viewer.md" \
	--isolation off \
	--to "$T/drill" --attest "$T/answers.yaml"
jq -e '[.. | objects | select(.id? == "charts")][0] | tostring | contains("\"3\"")' "$T/drill/drill.json" >/dev/null ||
	fail "three charts" "$T/drill/drill.json"
# no charts, no drill that counts
sed 's/^  "$program" index docs.*/  mkdir pages; echo file:\/\/\/x\/index.html >address/' "$T/viewer.md" >"$T/none.md"
expect 2 "$RESTORE" --lang ja --set "program=$RESTORE" --medium "$T/m1" --identity "$T/id.txt" drill "$T/none.md" \
	--isolation off \
	--to "$T/drill2" --attest "$T/answers.yaml"
say "procedures/viewer.md: drilled as it stands, Chromium opens three charts; without them it fails"
