#!/bin/bash
# Goal: a tape is a folder with rules (LTFS): files grow at their end, nothing is rewritten, there are no hard links, no chattr, no
# renameat2().  run, rotate, verify and restore keep them, which a file system that refuses and counts every breach shows; each file lies on
# the tape in one piece, and reading goes forward.  No tape drive was there: what LTFS itself does with it is not shown.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] && [ -c /dev/fuse ] || die "needs root and FUSE"
# shellcheck disable=SC2046
gcc -std=gnu11 -O1 -Wall -Wextra -o "$T/tapefs" "$SRC_ROOT/tests/lib/tapefs.c" $(pkg-config --cflags --libs fuse3)

load() { # TAPE MOUNTPOINT [OPTIONS]
	mkdir -p "$T/tape.$1" "$T/$2"
	"$T/tapefs" "$T/tape.$1" "$T/report.$1" "$T/$2" -o "fsname=ltfs:$1,subtype=ltfs,default_permissions,allow_other${3:+,$3}"
}
eject() { # TAPE MOUNTPOINT: what was done to it is in report.TAPE
	umount "$T/$2"
	for _ in $(seq 100); do [ -s "$T/report.$1" ] && return; sleep 0.1; done
	die "the tape did not come out"
}
count() { sed -n "s/^$2 //p" "$T/report.$1"; } # TAPE WHAT
kept() { # TAPE WHAT [SWITCHES]: no rule was broken
	[ "$(count "$1" rewrites)" = 0 ] || fail "$2: something was rewritten" "$T/report.$1"
	[ "$(count "$1" switches)" -le "${3:-0}" ] || fail "$2: a file lies in pieces between others" "$T/report.$1"
	rm "$T/report.$1"
}

# the rules themselves: a test that cannot fail shows nothing
load self lto
printf one >"$T/lto/a"
printf two >>"$T/lto/a"
! printf x 2>/dev/null | dd of="$T/lto/a" bs=1 seek=1 conv=notrunc status=none 2>/dev/null || die "it lets rewrite"
! truncate -s 2 "$T/lto/a" 2>/dev/null || die "it lets cut"
! ln "$T/lto/a" "$T/lto/b" 2>/dev/null || die "it lets link"
! chattr +i "$T/lto/a" 2>/dev/null || die "it has flags"
[ "$(cat "$T/lto/a")" = onetwo ] || die "it does not keep what it was given"
{ printf 1; printf 2 >"$T/lto/d"; printf 3; } >"$T/lto/c"
eject self lto
[ "$(count self rewrites)" = 2 ] && [ "$(count self refused)" -ge 1 ] && [ "$(count self switches)" = 1 ] ||
	fail "it does not count" "$T/report.self"

# ---- a site with a NAS, a tape that every run writes to, and one that is kept offline
mkdir -p "$T/src/sub" "$T/nas"
head -c 5000000 /dev/urandom >"$T/src/big"
for i in $(seq 300); do echo "file $i" >"$T/src/sub/$i"; done
age-keygen -o "$T/id.txt" 2>/dev/null
sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	archive_size: 1 MiB
	datasets:
	  - {name: docs, title: 文書, paths: [$T/src]}
	media:
	  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
	  - {name: LTO-00, type: tape, path: $T/lto0, place: サーバ室}
	  - {name: LTO-01, type: tape, offline: true, path: $T/lto1, place: 金庫}
Y
"$BKP" init --recipient "$(age-keygen -y "$T/id.txt")" --root-key-out "$T/root.key" >"$T/init.out"
load 0 lto0
load 1 lto1
expect 0 "$BKP" --quiet medium add nas
expect 0 "$BKP" --quiet medium add LTO-00
expect 0 "$BKP" --quiet medium add LTO-01
record medium-added | grep -q '"shows":"tape"' || die "the device does not show that it is a tape: $(record medium-added)"
for g in 1 2; do
	head -c 1500000 /dev/urandom >"$T/src/new$g"
	rm -rf "$T/truth$g"; cp -a "$T/src" "$T/truth$g"
	expect 0 "$BKP" --quiet run --all
	status "$BKP" rotate LTO-01 --operator Sato --quiet
	[ "$STATUS" -le 1 ] || fail "rotate $g: exit $STATUS"
done
record rotated | grep -q '"generations":2,.*"complete":true' || die "the rotation: $(record rotated)"
expect 0 "$BKP" verify --medium LTO-00
expect 0 "$BKP" verify --medium LTO-01
eject 0 lto0
eject 1 lto1
cat "$T/report.0" "$T/report.1" >"$T/counts"
# a run stores data and catalogs side by side: the archive of the one may lie in pieces around that of the other
kept 0 "run, verify" 20
kept 1 "rotate, verify"
diff -r "$T/nas/"*-*-*-*-*/datasets "$T/tape.1/"*-*-*-*-*/datasets >&2 || die "the tape holds other files than the NAS"
diff -r "$T/nas/"*-*-*-*-*/datasets "$T/tape.0/"*-*-*-*-*/datasets >&2 || die "the tape of the runs holds other files than the NAS"
expect 0 "$BKP" --quiet medium move LTO-01 --operator Sato
say "run, rotate and verify on two tapes: nothing rewritten, and what rotate writes lies in one piece each"

# ---- restored from the tape alone, write-protected, elsewhere; how often the tape is moved is bounded by its files
mv "$T/nas" "$T/nas.away"; mv "$T/state" "$T/state.away"
load 1 elsewhere ro
expect 0 "$RESTORE" --medium "$T/elsewhere" --quiet verify 2
expect 0 restore_to "$T/elsewhere" 2 "$T/o"
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/truth2/" "$T/o$T/src/")" ] || die "restored from the tape alone it differs"
eject 1 elsewhere
kept 1 "restore"
say "restored from the tape alone, read-only, equal (rsync -aHAXnc)"
sed 's/^/    /' "$T/counts"
