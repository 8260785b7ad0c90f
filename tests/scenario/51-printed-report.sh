#!/bin/bash
# What people hold in their hands: the report of a drill and the blank form of a procedure, opened and printed to A4 by a real
# browser (Debian's chromium), in Japanese and English; read back by poppler.
set -eu
. "$(dirname "$0")/../lib/site.sh"
mkdir -p "$T/src"
seq 1 1000 >"$T/src/list.txt"
site_policy "  - {name: docs, title: 文書, paths: [$T/src], probe: 'wc -l <$T/src/list.txt'}"
site_make
expect 0 "$BKP" run --all
cat >"$T/p.md" <<'M'
# 文書の復旧 <script>alert(1)</script> "quotes"

本文 & 説明。[link](https://example.com/) ![x](http://example.com/x.png)

```procedure
id: docs
version: "2.1"
rto: 4h
contacts: ["事務長 内線10"]
variables:
  - {name: label, value: "none"}
```

```restore
who: 担当 ${label}
what: 文書を取り出す
how: 自動
pass: 不一致なし
minutes: 3
dataset: docs
```

```check
who: 担当
what: 行数
how: 数える
pass: 検証値と同じ
minutes: 1
probe: docs
command: wc -l <"$scratch/docs$(dirname "$(find "$scratch/docs" -name list.txt | sed "s|^$scratch/docs||")")/list.txt"
```

```check
who: 担当
what: わざと失敗する
how: 自動
pass: 一致する
minutes: 1
value: "2"
command: echo 3
```
M
export HOME=$T # chromium's profile
print_pdf() { # HTML PDF
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/chromium" --no-pdf-header-footer \
		--print-to-pdf="$2" "file://$1" >"$T/chromium.log" 2>&1 || { tail -5 "$T/chromium.log" >&2; die "chromium"; }
	pdfinfo "$2" >"$T/info"
	grep -q 'Page size:.*A4' "$T/info" || fail "not A4" "$T/info"
	pdftotext -layout "$2" "$T/text"
}
has() { for w in "$@"; do tr -d ' \n' <"$T/text" | grep -qF "$(echo "$w" | tr -d ' ')" || fail "the page lacks '$w'" "$T/text"; done; }

for lang in ja en; do
	expect 2 "$RESTORE" --lang $lang --medium "$T/m1" --identity "$T/id.txt" drill "$T/p.md" --to "$T/$lang" --operator 山田 \
		--set 'label=$(touch '"$T"'/pwned) "`id`" <b>&'
	print_pdf "$T/$lang/drill.html" "$T/$lang.pdf"
	has '文書の復旧 <script>alert(1)</script>' '$(touch' '<b>&' 1000 山田 docs
	[ "$lang" = ja ] && has 不合格 合格 令和 || has Failed Passed
	# nothing is cut off at the right: every page is as wide as the paper and no wider
	[ "$(pdfinfo "$T/$lang.pdf" | awk '/^Pages/ {print $2}')" -le 4 ] || die "more than four pages for three steps"
	"$RESTORE" --lang $lang procedure print "$T/p.md" >"$T/blank.html"
	print_pdf "$T/blank.html" "$T/blank.pdf"
	has 文書を取り出す
done
[ ! -e "$T/pwned" ] || die "a variable became shell"
sha=$(sha256sum <"$T/ja/drill.json" | cut -c1-64)
print_pdf "$T/ja/drill.html" "$T/again.pdf"
has "$sha"
say "report and blank form print on A4 from chromium in both languages; markup and \$(…) in names, texts and variables stay text"
