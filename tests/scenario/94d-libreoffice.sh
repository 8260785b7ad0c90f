#!/bin/bash
# Goal: the CSV of every form, opened by LibreOffice: rows and columns are those of the file, Japanese text is intact, and no cell became a
# formula, whatever people, places, data sets and media are called.  A table with the same words unguarded shows that it would notice.
# LibreOffice is large, so it belongs to tests/run.sh --long.
. "$(dirname "$0")/../lib/site.sh"
exec </dev/null
command -v soffice >/dev/null || die "no soffice: tests/run.sh --long installs it"
mkdir -p "$T/src" "$T/rdx" "$T/pack" "$T/ods" "$T/xlsx"
echo 1 >"$T/src/list"
site_policy "  - {name: docs, title: '=1+1', paths: [$T/src], owner: '+cmd|'' /C calc''!A0', importance: A, source_host: '@SUM(1+1)'}"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: '-2+3'}
people:
  - {name: '=HYPERLINK("http://x","院長")', roles: [manager]}
  - {name: '-2+3+cmd|'' /C calc''!A0', roles: [operator, witness]}
excluded:
  - {name: '=2*3 予約システム', where: '@A1', reason: "+1", decided_by: '=1', decided_on: 2026-01-10, review_on: 2027-01-10}
external:
  - {name: '=1+2', vendor: 甲社, what: '-給与', how_often: 毎日, generations: 30, method: '+クラウド', place: 甲社DC, contract: '@C-5',
     confirmed_on: 2026-02-01}
contacts:
  - {name: '=3', kind: 保険会社, person: '@山本', tel: '+81-3-0000-0000', confirmed_on: 2026-03-01}
assets:
  - {name: 検査端末, model: '=A1', serial: '-9', place: サーバ室}
Y
site_make 2>/dev/null
"$BKP" medium add RDX-01 >/dev/null 2>&1
expect 0 "$BKP" --quiet run --all
who="-2+3+cmd|' /C calc'!A0"
expect 0 "$BKP" medium set RDX-01 --operator "$who" --serial '=S-1' --custodian '@山田'
mv "$T/rdx" "$T/shelf"
expect 0 "$BKP" medium move RDX-01 --operator "$who" --place '=倉庫'
expect 0 "$BKP" medium lost RDX-01 --operator "$who" --reason '=配送中'
expect 0 "$BKP" finding add '=指摘' --owner '+事務長' --due "$(date -d '+20 days' +%F)" --operator "$who"
for lang in ja en; do
	status "$BKP" --lang $lang report pack --out "$T/pack/$lang"
	[ "$STATUS" -le 1 ] || fail "the pack"
	for f in "$T/pack/$lang"/*.csv; do cp "$f" "$T/ods/$lang-${f##*/}"; done
done
"$BKP" --lang ja journal export --format csv --out "$T/ods/journal.csv"
"$BKP" report index --dir "$T/pack" --csv --out "$T/ods/index.csv"
printf '\xef\xbb\xbf"=1+1","-2+3"\r\n"@SUM(1)","+1+1"\r\n' >"$T/ods/unguarded.csv"
# as UTF-8 (76), which the import of a person at the screen takes from the mark at the beginning; what is a formula is evaluated
for kind in ods xlsx; do
	soffice -env:UserInstallation="file://$T/profile" --headless --infilter='CSV:44,34,76,1,,0,false,true,false,false,false,-1,true' \
		--convert-to $kind --outdir "$T/$kind" "$T"/ods/*.csv >"$T/out" 2>"$T/err" || fail "soffice"
done
python3 - "$T" <<'P' || die "what LibreOffice shows"
import csv, glob, os, re, sys, zipfile
import xml.etree.ElementTree as E
T = sys.argv[1]
O, X, S = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}", "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}", 0
table, office = O % "table", O % "office"
cells = japanese = guarded = 0
for name in sorted(glob.glob(T + "/ods/*.csv")):
    want = list(csv.reader(open(name, encoding="utf-8-sig", newline="")))
    root = E.fromstring(zipfile.ZipFile(name[:-3] + "ods").read("content.xml"))
    sheet = zipfile.ZipFile(T + "/xlsx/" + os.path.basename(name)[:-3] + "xlsx").read("xl/worksheets/sheet1.xml").decode()
    formulas = [c.get(table + "formula") for c in root.iter(table + "table-cell") if c.get(table + "formula")]
    if name.endswith("unguarded.csv"):
        assert formulas and "<f" in sheet, "LibreOffice takes nothing for a formula: this test tells nothing"
        continue
    assert not formulas and not re.search(r"<f[ >]", sheet), (name, formulas)
    rows = []
    for r in root.iter(table + "table-row"):
        row = []
        for c in r.iter(table + "table-cell"):
            text = "\n".join("".join(p.itertext()) for p in c.findall(X + "p"))
            n = int(c.get(table + "number-columns-repeated", 1))
            row += [(c.get(office + "value-type"), text)] * (n if n < 1000 else 0)
        rows += [row] * min(int(r.get(table + "number-rows-repeated", 1)), 1 if any(t for _, t in row) else 0 or 1)
    while rows and not any(t for _, t in rows[-1]):
        rows.pop()
    assert len(rows) == len(want), (name, len(rows), len(want))
    for r, w in zip(rows, want):
        assert len(r) <= len(w) and not any(w[len(r):]), (name, r, w)
        for (kind, text), cell in zip(r, w):
            cells += 1
            # a number or a date is shown its own way; any other text is what the file has
            plain = re.sub(r"\s+", " ", cell).strip()
            if kind in (None, "string"):
                assert re.sub(r"\s+", " ", text).strip() == plain, (name, text, cell)
            else:
                assert re.fullmatch(r"[-0-9:/., TZ%年月日+]+", plain), (name, kind, cell)
            japanese += bool(re.search("[ぁ-んァ-ヶ一-龠]", cell))
            guarded += cell.startswith("'")
assert cells > 800 and japanese > 200 and guarded > 20, (cells, japanese, guarded)
print("%d cells, %d with Japanese text, %d that would have been formulas" % (cells, japanese, guarded))
P
say "LibreOffice shows the CSV of every form as it is: columns and Japanese text, and no cell is a formula"
