#!/bin/bash
# Goal: an identity is made away from the host, goes onto paper as k of n shares, and comes back from what was printed: typed row by
# row, from a file, by rescue.py, and from the QR code of the page as a browser prints it.
. "$(dirname "$0")/../lib/site.sh"
typed() { python3 "$SRC_ROOT/tests/lib/typed.py" "$@"; }
export HOME=$T # chromium's profile
key() { "$RESTORE" --lang en key "$@"; }
secret() { grep -h AGE-SECRET-KEY "$@"; }
mkdir -p "$T/src"
seq 1 1000 >"$T/src/list.txt"

# --- make: away from the host, 0600, never overwritten, never on a medium
expect 64 key make
expect 0 key make --to "$T/k" --plain-identity
[ "$(stat -c %a "$T/k/identity.txt")" = 600 ] || die "mode of the identity"
r=$(age-keygen -y "$T/k/identity.txt")
grep -q "^recipient: *$r\$" "$T/out" || fail "the recipient is not told" "$T/out"
! secret "$T/out" "$T/err" || die "the secret was shown"
sum=$(sha256sum <"$T/k/identity.txt")
expect 2 key make --to "$T/k" --plain-identity
[ "$sum" = "$(sha256sum <"$T/k/identity.txt")" ] || die "an identity was overwritten"
echo aaaaaaaaaaaaa >"$T/weak"
expect 2 key make --to "$T/weak.d" --passphrase-file "$T/weak"
grep -q E-PASS-04 "$T/err" && [ ! -e "$T/weak.d/identity.age" ] || die "a weak passphrase was taken"
expect 0 typed "" @proposed -- "$RESTORE" --lang en key make --to "$T/p"
proposed=$(tr -d '\r' <"$T/out" | sed -n 's/^    \([a-z0-9-]*\)$/\1/p')
typed "$proposed" -- sh -c "age -d '$T/p/identity.age' >'$T/p.txt'" >/dev/null || die "age -d does not open it"
grep -q "$(age-keygen -y "$T/p.txt")" "$T/out" || die "the recipient of the protected identity"
cp "$T/k/identity.txt" "$T/id.txt"
site_make
expect 0 "$BKP" run --all
for to in "$T/m1" "$T/m1/new" "$(echo "$T"/m1/*-*-*-*)/x"; do
	expect 2 key make --to "$to" --plain-identity
	grep -q '^bkp-restore: E-KEY-07: ' "$T/err" && [ ! -e "$to/identity.txt" ] || fail "a key onto a medium" "$T/err"
done
say "key make: an identity of its own, 0600, opened by stock age with the proposed passphrase, never over another, never on a medium"

# --- split and combine
expect 64 key split "$T/k/identity.txt"
expect 64 key split -k 4 -n 3 "$T/k/identity.txt"
expect 0 key split -k 2 -n 4 "$T/k/identity.txt"
cp "$T/out" "$T/all"
[ "$(grep -c '^BKP1 2' "$T/all")" = 4 ] || fail "four shares" "$T/all"
share() { grep '^BKP1' "${2:-$T/all}" | sed -n "$1p"; }
n=0
for i in 1 2 3 4; do
	for j in 1 2 3 4; do
		[ $i != $j ] || continue
		n=$((n + 1))
		{ share $i; share $j; } >"$T/two"
		expect 0 key combine "$T/two" --to "$T/back$n"
		[ "$(secret "$T/back$n/identity.txt")" = "$(secret "$T/k/identity.txt")" ] || die "shares $i and $j"
		grep -q "$r" "$T/out" || die "the recipient, to be compared"
	done
done
! secret "$T/out" "$T/err" || die "the secret was shown"
share 1 | key combine --to "$T/one" 2>"$T/err" && die "one share was enough"
grep -q 'E-SHARE-05.*2 are needed' "$T/err" || fail "what is missing" "$T/err"
[ ! -e "$T/one/identity.txt" ] || die "an identity of one share"
# as people write: small letters, dashes, rows, full-width letters, lines of their own
{ echo '# found in the safe'; share 1 | tr 'A-Z ' 'a-z-' | fold -w 20; echo
	share 3 | python3 -c 'import sys
print("".join(chr(ord(c) + 0xfee0) if c.isalnum() else "　" for c in sys.stdin.read().strip()))'; } >"$T/written"
expect 0 key combine - --to "$T/written.d" <"$T/written"
cmp <(secret "$T/written.d/identity.txt") <(secret "$T/k/identity.txt") || die "shares as people write them"
# wrong ones are named
{ share 1 | sed "s/./?/26"; share 2; } >"$T/wrong"
expect 2 key combine "$T/wrong" --to "$T/w"
grep -q 'row 2, group 2, character 1' "$T/err" || fail "the place of an unreadable character" "$T/err"
{ share 1; share 2 | python3 -c 'import sys
s = list(sys.stdin.read())
i = next(i for i in range(45, 60) if s[i] != s[i + 1] and " " not in s[i:i + 2])
s[i], s[i + 1] = s[i + 1], s[i]
print("".join(s), end="")'; } >"$T/wrong"
expect 2 key combine "$T/wrong" --to "$T/w"
grep -q 'E-SHARE-02' "$T/err" && [ "$(grep -o 'row [34]' "$T/err" | wc -l)" = 2 ] || fail "the places of transposed characters" "$T/err"
! grep -qiE "$(share 2 | cut -c11-30)" "$T/err" || die "a share is in a message"
{ share 1; share 2 | sed 's/.$//'; } >"$T/wrong"
expect 2 key combine "$T/wrong" --to "$T/w"
grep -q 'missing' "$T/err" || fail "a missing character" "$T/err"
{ share 1; share 1; } >"$T/wrong"
expect 2 key combine "$T/wrong" --to "$T/w"
grep -q 'E-SHARE-04' "$T/err" || fail "one share twice" "$T/err"
expect 0 key split -k 2 -n 4 "$T/k/identity.txt"
cp "$T/out" "$T/other"
{ share 1; share 2 "$T/other"; } >"$T/wrong"
expect 2 key combine "$T/wrong" --to "$T/w"
names=$(share 1 | cut -c7-9,11 | tr A-Z a-z) others=$(share 1 "$T/other" | cut -c7-9,11 | tr A-Z a-z)
grep -q "E-SHARE-03.*$names.*$others" "$T/err" || fail "two sets, by name" "$T/err"
[ -z "$(ls "$T/w")" ] || die "an identity of wrong shares"
say "key split and combine: each pair of four gives it back; one does not; mistyped, foreign and doubled shares are named, with their place"

# --- typed on a terminal, row by row: a short row and a wrong one are asked for again, and they alone
rows() { share "$1" | tr -d ' ' | fold -w 16; }
mapfile -t a < <(rows 2) && mapfile -t b < <(rows 4)
c=${b[2]:5:1}
[ "$c" = Q ] && wrong=P || wrong=Q
python3 - "$T/typed.out" "$RESTORE" "$T/typed.d" "${a[0]}" "${a[1]:1}" "${a[1]}" "${a[@]:2}" \
	"${b[@]:0:2}" "${b[2]:0:5}$wrong${b[2]:6}" "${b[@]:3}" "${b[2]}" <<'P' || fail "typed row by row" "$T/typed.out"
import os, pty, select, sys
out, program, to, *answers = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(program, [program, "--lang", "en", "key", "combine", "--to", to])
shown, asked = b"", 0
while select.select([fd], [], [], 20)[0]:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    shown += data
    if shown.endswith(b": ") and asked < len(answers):
        os.write(fd, answers[asked].lower().encode() + b"\n")
        asked += 1
open(out, "wb").write(shown)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert status == 0 and asked == len(answers), (status, asked, len(answers))
assert b"this row has 15 characters, not 16" in shown
assert b"row 3, group 2, character 2" in shown
P
cmp <(secret "$T/typed.d/identity.txt") <(secret "$T/k/identity.txt") || die "typed shares"
say "typed row by row: a row too short and a row with a wrong character are asked for again, and no other"

# --- a stranger: Python alone, the shares in the place of the identity
{ share 4; share 2; } >"$T/two"
python3 -I "$SRC_ROOT/restore/rescue.py" extract --identity "$T/two" "$T/m1" docs@latest "$T/rescued" || die "rescue.py with two shares"
cmp "$T/src/list.txt" "$T/rescued$T/src/list.txt" || die "rescue.py restored something else"
sed -i 's/.$/?/' "$T/two"
! python3 -I "$SRC_ROOT/restore/rescue.py" list --identity "$T/two" "$T/m1" docs@latest 2>"$T/err" || die "rescue.py and a mistyped share"
grep -q mistyped "$T/err" || fail "rescue.py: a mistyped share is not said" "$T/err"
# the standard's own example, under its own name (BIP-93, test vector 3)
python3 - "$SRC_ROOT/restore/rescue.py" <<'P' || die "rescue.py and the vectors of BIP-93"
import importlib.util, itertools, sys
spec = importlib.util.spec_from_file_location("rescue", sys.argv[1])
m = importlib.util.module_from_spec(spec)
spec.loader.exec_module(m)
cash = [m.share_of(s, "ms") for s in """ms13casha320zyxwvutsrqpnmlkjhgfedca2a8d0zehn8a0t ms13cashcacdefghjklmnpqrstuvwxyz023949xq35my48dr
    ms13cashd0wsedstcdcts64cd7wvy4m90lm28w4ffupqs7rm ms13casheekgpemxzshcrmqhaydlp6yhms3ws7320xyxsar9
    ms13cashf8jh6sdrkpyrsp5ut94pj8ktehhw2hfvyrj48704""".split()]
for three in itertools.combinations(cash, 3):
    assert m.joined(three).hex() == "ffeeddccbbaa99887766554433221100"
P
say "rescue.py opens a medium with two shares in the place of the identity, and agrees with BIP-93"

# --- the pages
seen() { zbarimg -q --raw "$1" 2>"$T/zbar.log"; } # it complains of a missing D-Bus
for lang in ja en; do
	expect 0 "$RESTORE" --lang $lang key split -k 2 -n 3 "$T/k/identity.txt" --to "$T/pages-$lang"
	[ "$(stat -c %a "$T/pages-$lang"/share-*.html | sort -u)" = 600 ] || die "mode of the pages"
	for f in "$T/pages-$lang"/share-*.html; do
		python3 "$SRC_ROOT/tests/lib/page.py" "$f" >"$f.txt" || die "the page"
		# the code, drawn by another program than a browser
		sed -n 's/.*\(<svg .*<\/svg>\).*/\1/p' "$f" | sed 's/<svg /<svg xmlns="http:\/\/www.w3.org\/2000\/svg" /' >"$T/qr.svg"
		rsvg-convert -w 400 -b white "$T/qr.svg" -o "$T/qr.png"
		seen "$T/qr.png" >>"$T/scanned-$lang"
		sed -n 's/^pre: //p' "$f.txt" | tr -d '\n' >>"$T/rows-$lang"
		echo >>"$T/rows-$lang"
	done
	cmp <(tr -d ' ' <"$T/rows-$lang") "$T/scanned-$lang" || die "the rows and the code say different things"
	head -n 2 "$T/scanned-$lang" | key combine --to "$T/scan-$lang" >"$T/out" 2>&1 || fail "from the code" "$T/out"
	cmp <(secret "$T/scan-$lang/identity.txt") <(secret "$T/k/identity.txt") || die "an identity from the code"
done
grep -q '封筒番号' "$T"/pages-ja/*.txt && grep -q 'Envelope number' "$T"/pages-en/*.txt || die "languages of the pages"
expect 0 "$BKP" --lang ja key page root
cp "$T/out" "$T/root.html"
root=$("$BKP" journal show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["records"][0]["root_key"])')
python3 "$SRC_ROOT/tests/lib/page.py" "$T/root.html" >"$T/root.txt"
[ "$(sed -n 's/^pre: //p' "$T/root.txt" | tr -d ' \n')" = "$root" ] || fail "the root key in groups" "$T/root.txt"
sums=$(dirname "$BKP")/tools/bkp-restore
[ ! -e "$sums" ] || grep -q "$(sha256sum <"$sums" | cut -c-64)" "$T/root.txt" || fail "the program's SHA-256" "$T/root.txt"
expect 0 "$BKP" --lang ja key page media
cp "$T/out" "$T/media.html"
python3 "$SRC_ROOT/tests/lib/page.py" "$T/media.html" >"$T/media.txt"
for w in m1 m2 サーバ室 別室 "$("$BKP" medium list --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["media"][0]["medium"])')"; do
	grep -qF "$w" "$T/media.txt" || fail "the list of media lacks $w" "$T/media.txt"
done
expect 64 "$BKP" key page
say "pages in two languages: rows and QR code say the same and give the identity back; the root key and the media stand on theirs"

# --- as a browser prints them on A4, scanned
scan() { # HTML
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/chromium" --no-pdf-header-footer \
		--print-to-pdf="$T/page.pdf" "file://$1" >"$T/chromium.log" 2>&1 || { tail -5 "$T/chromium.log" >&2; die "chromium"; }
	pdfinfo "$T/page.pdf" >"$T/info"
	grep -q 'Page size:.*A4' "$T/info" && grep -q '^Pages: *1$' "$T/info" || fail "not one page of A4" "$T/info"
	pdftoppm -r 150 -png "$T/page.pdf" "$T/page"
	seen "$T"/page-1.png
}
for f in "$T"/pages-ja/share-*-[ac].html; do scan "$f"; done >"$T/printed"
pdftotext -layout "$T/page.pdf" - | grep -oE '[1-5] +[A-Z0-9]{4}( [A-Z0-9]{2,4}){2,3}' | cut -c2- | tr -d ' \n' >"$T/read"
[ "$(cat "$T/read")" = "$(tail -n 1 "$T/printed")" ] || fail "what is printed in rows" "$T/read"
key combine "$T/printed" --to "$T/printed.d" >"$T/out" 2>&1 || fail "from the printed pages" "$T/out"
cmp <(secret "$T/printed.d/identity.txt") <(secret "$T/k/identity.txt") || die "an identity from the printed pages"
[ "$(scan "$T/root.html")" = "$root" ] || die "the printed root key"
say "two shares as chromium prints them on A4, scanned at 150 dpi, give the identity back; the root key is read from its page"
