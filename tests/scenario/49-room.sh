#!/bin/bash
# Goal: one disk, three data sets, of which the largest does not fit: it is named before its first byte, the others are captured, night
# after night; also when a command brings more than there is room for, or when a person has it tried.  What compresses is not refused
# for its size, and where another medium has room it is captured there.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: needs root for a file system of its own"; exit 0; }
mkdir "$T/m1" "$T/m2" "$T/small" "$T/mid" "$T/big"
truncate -s 80M "$T/m1.img"
mkfs.ext4 -q -m 0 -E lazy_itable_init=0 "$T/m1.img"
mount -o loop "$T/m1.img" "$T/m1"
for i in $(seq 100); do head -c 1M /dev/urandom >"$T/big/$i"; done
age-keygen -o "$T/id.txt" 2>/dev/null
policy() { # SET TEXT...: the sets behind small and mid; media m1, and m2 when $SECOND is set
	local s
	{
		printf 'site: {name: t, language: en}\nstate: %s\narchive_size: 1 MiB\ndatasets:\n' "$T/state"
		printf '  - {name: small, paths: [%s], priority: 1}\n  - {name: mid, paths: [%s], priority: 2}\n' "$T/small" "$T/mid"
		for s in "$@"; do printf '  - {%s, priority: 3}\n' "$s"; done
		printf 'media:\n  - {name: m1, type: hdd, path: %s, place: a}\n' "$T/m1"
		[ -z "${SECOND:-}" ] || printf '  - {name: m2, type: ssd, path: %s, place: b}\n' "$T/m2"
	} >"$T/policy.yaml"
	[ ! -e "$T/state" ] || policy_accept
}
night() { # CODE ARGUMENT...: what is small and middling is new each night
	date +%N >"$T/small/a"
	head -c 2M /dev/urandom >"$T/mid/a"
	expect "$1" "$BKP" run "${@:2}"
}
stored() { find "$(repo_of "$T/m1")/datasets/$1" -name '*.age' -printf '%s\n' 2>/dev/null | awk '{s+=$1} END {print s+0}'; }

policy "name: big, paths: [$T/big]"
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
"$BKP" medium add m1 >/dev/null
for n in 1 2 3; do
	night 1 --all
	said "big@$n +failed +- +- +about 1[01][0-9] MB are to come, 'm1' has [1-7][0-9] MB free for it"
	said "mid@$n +good"
	[ "$(stored big)" = 0 ] || die "night $n: something of what does not fit was written"
done
say "what does not fit is named before its first byte, and the others have their generations"

# 100 MB of which little is left
mkdir "$T/csv"
seq -f "%.0f,Yamada,Taro,2026-11-23,normal" 1 3000000 >"$T/csv/a"
policy "name: csv, paths: [$T/csv]"
night 0 --all
said "csv@4 +good"
say "100 MB that compress are not refused for their size"

policy "name: big, paths: [$T/big]"
night 2 big
[ "$(stored big)" -gt 20000000 ] || die "named on the command line, it was not tried"
for n in 6 7; do
	night 1 --all
	said "mid@$n +good"
done
say "tried because a person said so, it fills the disk but for what the others bring in a week"

policy "name: dump, command: head -c 100000000 /dev/urandom, store_as: d"
for n in 8 9; do
	night 1 --all
	said "mid@$n +good"
	said "dump@$n +failed"
done
say "so it does when a command brings more than anybody knew"

"$BKP" --quiet verify --medium m1 >"$T/out" 2>&1 || fail "what was reported does not verify"

# a second medium has room: captured there; what is missing on the first one is said
SECOND=1 policy "name: big, paths: [$T/big]"
"$BKP" medium add m2 >/dev/null
night 1 --all
said "big@10 +good"
said "E-RUN-09: m1: about 1[01][0-9] MB are to come"
restore_to "$T/m2" 10 "$T/back" big
diff -r "$T/big" "$T/back$T/big" || die "what came back from the medium that had room is not what was there"
say "where another medium has room it is captured there, and the one that has none is named"
