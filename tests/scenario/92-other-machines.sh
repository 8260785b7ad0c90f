#!/bin/bash
# Goal: a restore that was cut off goes on where it was: what is there as it is to be is not written again (inode and time of change stay),
# half and other files are replaced, nothing is left out; by size and time, or with --check by content; --exclude leaves out what was named.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
export TZ=UTC LC_ALL=C.UTF-8
R=("$RESTORE" --medium "$T/m1" --identity "$T/id.txt")

mkdir -p "$T/src/a/b" "$T/src/患者"
for i in $(seq 400); do seq "$i" $((i * 9)) >"$T/src/a/f$i.txt"; done
head -c 6000000 /dev/urandom >"$T/src/big.bin"
truncate -s 20M "$T/src/a/hole"; echo end >>"$T/src/a/hole"
ln "$T/src/a/f1.txt" "$T/src/a/b/linked"; ln -s ../a/f2.txt "$T/src/a/b/symbolic"; : >"$T/src/empty"
echo letter >"$T/src/患者/紹介状.txt"; echo junk >"$T/src/患者/x.tmp"; echo junk >"$T/src/a/b/y.tmp"
chmod 0640 "$T/src/a/f3.txt"; find "$T/src" -exec touch -h -d '2020-02-03 04:05:06.789012345' {} +
site_make
expect 0 "$BKP" run --all

back=$T/back$T/src
all() { rsync -aHnci --delete "$T/src/" "$back/" | grep -v '/$' || :; }
marks() { (cd "$back" && find . ! -type d -printf '%P %i %C@\n' | sort); }
count() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$T/out" "$1"; }
again() { # CODE OPTIONS…
	local want=$1 rc=0
	shift
	"${R[@]}" --quiet --json extract docs@1 --to "$T/back" "$@" >"$T/out" 2>"$T/err" || rc=$?
	[ "$rc" = "$want" ] || die "exit $rc, expected $want: $(cat "$T/err")"
}

# ---- killed: the half file is seen by its time, what was whole is not touched
"${R[@]}" --quiet extract docs@1 --to "$T/back" >/dev/null 2>&1 & pid=$!
for _ in $(seq 2000); do [ ! -s "$back/a/f50.txt" ] || break; sleep 0.002; done
kill -9 "$pid" 2>/dev/null || :
wait "$pid" || :
again 0 --skip-same --overwrite
[ -z "$(all)" ] || die "after a kill: $(all)"

# ---- one of each kind is not as it was; the others stay as they stand
head -c 100 "$back/big.bin" >"$T/half"; cp "$T/half" "$back/big.bin"
rm "$back/a/f9.txt" "$back/a/b/symbolic" "$back/a/b/linked"; ln -s elsewhere "$back/a/b/symbolic"
cp -p "$back/a/f1.txt" "$back/a/b/linked"; chmod 0600 "$back/a/f3.txt"; touch "$back/a/f4.txt"
marks >"$T/before"
again 1 --skip-same
[ "$(grep -c '^bkp-restore: E-RESTORE-07' "$T/err")" = 5 ] || die "five are other ones: $(cat "$T/err")"
marks | grep -v '^a/f9.txt ' | cmp - "$T/before" || die "without --overwrite something was touched"
again 0 --skip-same --overwrite
[ -z "$(all)" ] || die "gone on with: $(all)"
[ "$(count same)" = 403 ] && [ "$(count files)" = 3 ] && [ "$(count links)" = 2 ] || die "counts: $(cat "$T/out")"
marks | diff "$T/before" - | grep '^>' | cut -d' ' -f2 | sort >"$T/written"
printf '%s\n' a/b/linked a/b/symbolic a/f3.txt a/f4.txt a/f9.txt big.bin | grep -v 'a/f9' | sort >"$T/want"
grep -v 'a/f9.txt\|a/f1.txt' "$T/written" | cmp - "$T/want" || die "written again: $(cat "$T/written")"

# ---- same size and time, other content: --check alone sees it
printf X | dd of="$back/a/f7.txt" conv=notrunc status=none
touch -d '2020-02-03 04:05:06.789012345' "$back/a/f7.txt"
again 0 --skip-same --overwrite
cmp -s "$T/src/a/f7.txt" "$back/a/f7.txt" && die "the test changed nothing"
again 0 --skip-same --overwrite --check
[ -z "$(all)" ] && [ "$(count files)" = 1 ] || die "--check: $(all) $(cat "$T/out")"

# ---- not through a link, and no other name of a file elsewhere is changed
echo mine >"$T/mine"; touch -d '2001-01-01' "$T/mine"
ln -sf "$T/src/a/f8.txt" "$back/a/f8.txt"; ln -f "$T/mine" "$back/a/f6.txt"
again 0 --skip-same --overwrite
[ -z "$(all)" ] && [ ! -L "$back/a/f8.txt" ] && [ "$(cat "$T/mine")" = mine ] || die "links: $(all)"

# ---- left out
expect 0 "${R[@]}" --quiet extract docs@1 --to "$T/part" --exclude '*.tmp' --exclude "$T/src/a"
rsync -aHnci --delete --exclude '*.tmp' --exclude /a/ "$T/src/" "$T/part$T/src/" | grep -v '/$' && die "--exclude"
[ ! -e "$T/part$T/src/a" ] && [ ! -e "$T/part$T/src/患者/x.tmp" ] || die "--exclude left it in"
expect 0 "${R[@]}" --quiet extract docs@1 "$T/src/a" --to "$T/part2" --exclude '*.tmp' --exclude 'f[0-9]*'
[ "$(cd "$T/part2$T/src" && find . ! -type d | sort | tr '\n' ' ')" = "./a/b/linked ./a/b/symbolic ./a/hole " ] || die "part and --exclude"

# ---- wrong usage
expect 64 "${R[@]}" extract docs@1 --to "$T/x" --check
expect 64 "${R[@]}" list docs@1 --skip-same
expect 64 "${R[@]}" cat docs@1 x --exclude y
expect 2 "${R[@]}" extract docs@1 --to "$T/x" --exclude 'a//b'
