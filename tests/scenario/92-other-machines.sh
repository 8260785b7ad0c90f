#!/bin/bash
# Goal: a restore that was cut off goes on where it was: what is there as it is to be is not written again (inode and time of change stay),
# half and other files are replaced, nothing is left out; by size and time, or with --check by content; --exclude leaves out what was named.
# On another machine owners go by name, never to root, nor a setuid bit to somebody else; --limit-rate reads no faster.
# --since brings what changed, --dry-run writes nothing.
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

# ---- only what changed since then; and what would be brought back, with nothing written
touch -d '2020-02-05 00:00:00' "$T/src/a/f10.txt"; touch -d '2020-02-04 23:59:59' "$T/src/a/f11.txt"
touch -h -d '2020-02-06' "$T/src/a/b/symbolic"
expect 0 "$BKP" --quiet run --all
expect 0 "${R[@]}" --quiet extract docs@2 --to "$T/new" --since 2020-02-05
find "$T/src" ! -type d -newermt '2020-02-04 23:59:59.5' -printf '%P\n' | sort >"$T/want"
[ "$(wc -l <"$T/want")" = 2 ] && find "$T/new$T/src" ! -type d -printf '%P\n' | sort | cmp - "$T/want" || fail "--since"
folders() { stat -c '%y %a' "$1/a/b" "$1/a"; }
[ "$(folders "$T/src")" = "$(folders "$T/new$T/src")" ] || die "folders on the way"
[ ! -e "$T/new$T/src/患者" ] || die "--since makes empty folders"
there() { find "$T" ! -path "$T/slips*" ! -name 'would.*' ! -name out ! -name err | sort; } # the key's use is written down all the same
there >"$T/would.before"
expect 0 "${R[@]}" extract docs@2 "$T/src/a" --exclude 'f[0-9]*' --to "$T/would-be/x" --dry-run --since 30000d
grep -q 'hole' "$T/out" && grep -q 'would be brought back: 4 entries' "$T/out" || fail "--dry-run"
expect 0 "${R[@]}" extract docs@2 --to "$T/would-be" --dry-run --json
python3 - "$T/out" "$T/src" <<'P' || fail "--dry-run --json"
import json, os, sys
o = json.load(open(sys.argv[1]))
sizes = {}
n = 0
for d, dirs, files in os.walk(sys.argv[2]):
    n += 1 + len(files)
    for f in files:
        s = os.lstat(os.path.join(d, f))
        if not os.path.islink(os.path.join(d, f)): sizes[s.st_ino] = s.st_size
assert o["entries"] >= n and o["bytes"] >= sum(sizes.values()) and o["needed"] >= o["bytes"] and o["fits"], (o, n, sum(sizes.values()))
P
[ ! -e "$T/would-be" ] || die "--dry-run made its target"
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/would-be"; mount -t tmpfs -o size=1M none "$T/would-be"
	status "${R[@]}" extract docs@2 --to "$T/would-be/x" --dry-run
	[ -z "$(ls "$T/would-be")" ] || die "--dry-run wrote"
	umount "$T/would-be"; rmdir "$T/would-be"
	[ "$STATUS" = 1 ] && said W-RESTORE-24 || fail "exit $STATUS: it does not fit"
fi
there | diff "$T/would.before" - >"$T/would.new" || fail "--dry-run wrote" "$T/would.new"
expect 2 "${R[@]}" extract docs@2 --to "$T/m1/x" --dry-run; said E-TARGET-04 # as without --dry-run
expect 64 "${R[@]}" extract docs@2 --to "$T/x" --dry-run --skip-same
expect 64 "${R[@]}" extract docs@2 --to "$T/x" --since yesterday
expect 2 "${R[@]}" --quiet extract docs@2 no/such/path --to "$T/x" --dry-run; said E-RESTORE-11

# ---- wrong usage
expect 64 "${R[@]}" extract docs@1 --to "$T/x" --check
expect 64 "${R[@]}" list docs@1 --skip-same
expect 64 "${R[@]}" cat docs@1 x --exclude y
expect 2 "${R[@]}" extract docs@1 --to "$T/x" --exclude 'a//b'

# ---- read no faster than that: 6 MB of noise, of which a quarter of a second's share is free
before=$(date +%s%N)
expect 0 "${R[@]}" --quiet --limit-rate 2M extract docs@1 "$T/src/big.bin" --to "$T/slow"
took=$((($(date +%s%N) - before) / 1000000))
[ "$took" -ge 2300 ] && [ "$took" -lt 60000 ] || die "6 MB at 2 MiB/s took $took ms"
cmp "$T/src/big.bin" "$T/slow$T/src/big.bin"
for bad in 0 -1 20X 2MM 99999999999999999999 1 ""; do expect 64 "${R[@]}" --limit-rate "$bad" list docs@1; done
say "a restore that was cut off goes on; parts, and no faster than asked"

# ---- owners on another machine
[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || { say "no root or no mount namespaces here: owners are not tested"; exit 0; }
here() { # PASSWD GROUP COMMAND...: where these are the users
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group || exit 99; shift 2; exec "$@"' - "$@"
}
users() { printf '%s:x:%s:%s::/:/bin/false\n' root 0 0 "$@"; }
groups() { printf '%s:x:%s:\n' root 0 "$@"; }
users suzuki 5001 5001 tanaka 5002 5002 gone 5003 5003 boss 5004 5004 yamada 5005 5005 >"$T/pw1"
groups iji 5001 kango 5002 lost 5003 >"$T/gr1"
users suzuki 6001 6001 tanaka 5002 5002 sato 5003 5003 boss 0 0 yama 7005 7005 >"$T/pw2"
groups iji 6001 kango 5002 >"$T/gr2"
mkdir -m 755 "$T/src/o"
own() { echo "$1" >"$T/src/o/$1"; chown "$2" "$T/src/o/$1"; chmod "$3" "$T/src/o/$1"; }
own by-name 5001:5001 6755; own same 5002:5002 6755; own taken 5003:5003 6755; own no-name 5009:5009 6755; own root 0:0 6755
own boss 5004:0 4755
own mapped 5005:5001 6755; own nameless-taken 6001:0 4755
mkdir "$T/src/o/folder"; chown 5001:5001 "$T/src/o/folder"; chmod 2775 "$T/src/o/folder"
ln -s nowhere "$T/src/o/link"; chown -h 5001:5001 "$T/src/o/link"
here "$T/pw1" "$T/gr1" "$BKP" --quiet run --all || [ $? = 1 ] || die "second night"
owners() { (cd "$1$T/src/o" && stat -c '%n %u:%g %a' * | sort | tr '\n' ' '); }
printf '# whoever was yamada is yama\n\nuser yamada yama\ngroup 5001 kango\n' >"$T/map"
for program in "$RESTORE" "${BKP_RELEASE:-$BKP_BIN}/bkp-restore-static"; do
	O=(here "$T/pw2" "$T/gr2" "$program" --medium "$T/m1" --identity "$T/id.txt" --quiet extract docs@3 "$T/src/o" --same-owner)
	rm -rf "$T/o"
	expect 1 "${O[@]}" --to "$T/o"
	[ "$(owners "$T/o")" = "boss 5004:0 4755 by-name 6001:6001 6755 folder 6001:6001 2775 link 6001:6001 777 mapped 5005:6001 6755 \
nameless-taken 6001:0 755 no-name 5009:5009 6755 root 0:0 6755 same 5002:5002 6755 taken 5003:5003 2755 " ] ||
		fail "owners by name: $(owners "$T/o")"
	for w in "22: 'gone'.*5003.*'sato'" "21: 'yamada'" "21: 'lost'" "21: 'boss'" "23: .*/o/taken'" "23: .*/nameless-taken'"; do
		grep -q "W-RESTORE-$w" "$T/err" || fail "it is not said: $w"
	done
	[ "$(grep -c '^bkp-restore: W-RESTORE' "$T/err")" = 6 ] || fail "what is said of owners"
	rm -rf "$T/o"
	expect 0 "${O[@]}" --to "$T/o" --numeric-owner
	rsync -aHnci --delete "$T/src/o/" "$T/o$T/src/o/" >"$T/out"; [ ! -s "$T/out" ] || fail "--numeric-owner"
	rm -rf "$T/o"
	expect 1 "${O[@]}" --to "$T/o" --owner-map "$T/map"
	case " $(owners "$T/o")" in
	*" by-name 6001:5002 4755 "*" mapped 7005:5002 755 "*) ;;
	*) fail "--owner-map: $(owners "$T/o")" ;;
	esac
done
n=0
while IFS=@ read -r line words; do
	n=$((n + 1))
	printf '# a comment\n%b' "$line" >"$T/map"
	expect 2 "${O[@]}" --to "$T/never" --owner-map "$T/map"
	grep -q "E-OWNER-03: .*/map:$words" "$T/err" || fail "a map: $line"
done <<-'L'
	person a tanaka@2: 'person'
	user a@2:
	user a tanaka more@2:
	user a nobody-here@2: 'nobody-here'
	user a root@2: 'root'
	group a 0@2: '0'
	user a boss@2: 'boss'
	user a 4294967295@2: '4294967295'
	user a tanaka\nuser b tanaka\nuser a 5@4: 'a'
	user a \x1b[2J@2: '[^[:cntrl:]]*\[2J'
	L
[ "$n" = 10 ] || die "$n maps"
printf 'user a\0b tanaka\n' >"$T/map"; expect 2 "${O[@]}" --to "$T/never" --owner-map "$T/map"; said 'E-OWNER-02.*is no text'
expect 2 "${O[@]}" --to "$T/never" --owner-map "$T/no-such-map"; said 'E-OWNER-02.*No such file'
expect 2 "${O[@]}" --to "$T/never" --owner-map "$T"; said 'E-OWNER-02.*not a regular file'
expect 64 "${R[@]}" extract docs@1 --to "$T/x" --numeric-owner
expect 64 "${R[@]}" extract docs@1 --to "$T/x" --owner-map "$T/map"
say "on another machine owners go by name, never to root; a setuid bit goes to nobody else"
