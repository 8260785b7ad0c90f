#!/bin/bash
# Goal: data comes back without a working system: by rescue.py (Python alone, as is shown where no other program can be found), and by
# the static bkp-restore in an empty root folder where there is no library, no /etc and no /proc.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
export BKP_SLIPS=$T/slips
trap 'rm -rf "$T"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
[ "$(id -u)" = 0 ] || { echo "proved: nothing, needs root"; exit 0; }
S=$T/src
mkdir -p "$S/d/e" "$S/患者"
echo hello >"$S/a"; ln "$S/a" "$S/d/hard"; ln -s ../a "$S/d/sym"; mkfifo "$S/p"; mknod "$S/n" c 1 3
head -c 3000000 /dev/urandom >"$S/d/big"; truncate -s 500M "$S/sparse"
printf x | dd of="$S/sparse" bs=1 seek=300000000 conv=notrunc status=none
: >"$S/$(printf '\x8a\xb3')"; : >"$S/$(printf 'nl\n')"
setfattr -n user.x -v "$(printf 'b\001\377')" "$S/a" || :
chown 5:6 "$S/d/big"; chmod 4711 "$S/d/big"; chmod 0 "$S/d/e"
touch -h -d '1969-01-01 00:00:00 UTC' "$S/d/sym"; touch -d '2100-01-01 00:00:00.123456789 UTC' "$S/d" "$S/a"
python3 "$here/lib/mkmedium.py" "$T/keys" "$T/medium" docs="$S" other="$S/d"
mkdir "$T/nothing"
python=$(python3 -c 'import sys; print(sys.executable)')
rescue() { # COMMAND MEDIUM ARGUMENT...
	local command=$1
	shift
	env -i "PATH=$T/nothing" "$python" -I "$here/../restore/rescue.py" "$command" --identity "$T/keys/identity.txt" "$@"
}
equal() { out=$(rsync -aHXnci --delete "$S/$2" "$1" | grep -v ' \./$' || :); [ -z "$out" ] || fail "$1 differs: $out"; }

rescue extract "$T/medium" docs@1 "$T/r1"; equal "$T/r1/" ""
rescue extract "$T/medium" 1 "$T/r2"; equal "$T/r2/docs/" ""; equal "$T/r2/other/" d/
[ "$(stat -c %b "$T/r1/sparse")" -lt 5000 ] || fail "holes take space"
[ "$(rescue list "$T/medium" docs@latest | wc -l)" = "$(find "$S" -mindepth 1 -printf x | wc -c)" ] || fail "list"
# a damaged archive: its files are named, the others come back
cp -a "$T/medium" "$T/broken"
big=$(find "$T"/broken/*/datasets/docs/archives -name '*.age' -printf '%s %p\n' | sort -n | tail -1 | cut -d' ' -f2)
printf XXXXXXXXXXXXXXXX | dd of="$big" bs=1 seek=2000000 conv=notrunc status=none
rc=0; rescue extract "$T/broken" 1 "$T/r3" 2>"$T/err" || rc=$?
[ $rc = 1 ] && grep -q '^rescue.py: d/big: archives/.*[.]age: segment [0-9]* is damaged' "$T/err" && ! grep -q Traceback "$T/err" ||
	fail "rescue.py: exit $rc on a damaged archive: $(cat "$T/err")"
mkdir "$T/h"
python3 "$here/lib/hostile.py" "$here/../restore/rescue.py" "$T/h" >"$T/log" || { cat "$T/log"; exit 1; }
said="rescue.py ($(wc -l <"$here/../restore/rescue.py") lines; $(tail -1 "$T/log"))"

B=${BKP_RELEASE:-$BKP_BIN}/bkp-restore-static
if [ -x "$B" ]; then
	! readelf -dlW "$B" | grep -E 'INTERP|NEEDED' || fail "it is not static: $(ldd "$B")"
	# getgroups.o (realpath wants it) and gethostname.o (threads bring it) are bare system calls, no database
	! grep -aqE '^ +\.text.*\((getpw|getgr(ent|gid|nam)|getaddrinfo|gethost(by|ent)|getserv|nss)[a-z_]*\.o\)' \
		"${B%/*}/bkp-restore-static.map" || fail "names from the network or NSS are in it"
	mkdir -p "$T/jail/medium" "$T/jail/to"
	cp "$B" "$T/jail/bkp-restore"; cp -a "$T/medium/." "$T/jail/medium"; cp "$T/keys/identity.txt" "$T/jail/id"
	chroot "$T/jail" /bkp-restore --medium /medium --identity /id -q extract docs@1 --to /to/out --same-owner || fail "static extract"
	equal "$T/jail/to/out/" ""
	chroot "$T/jail" /bkp-restore --medium /medium --identity /id -q verify 1 --deep || fail "static verify"
	chroot "$T/jail" /bkp-restore --medium /medium --lang ja generations | grep -q 試験 || fail "static generations"
	said="$said and the static bkp-restore ($(($(stat -c %s "$B") / 1024)) KiB) in an empty root folder"
fi
echo "proved: $said restore equal trees"
