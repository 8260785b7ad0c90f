#!/bin/bash
# How much of what the device gives does a rotation use?  `bkp rotate` of MIB (1024) MiB onto an empty ext4 on a loop device, against
# `dd conv=fsync` of the same archives onto the same file system and `dd` reading them back past the cache; in turn, ROUNDS (3) times.
# Prints each pair, the ratio (dd's seconds through bkp's), and the load of others before it: a figure taken while others work says little.
# usage: BKP_BIN=build/release tests/bench/rotate.sh [MIB [ROUNDS]]; needs root; DIR: where the image lies (default $TMPDIR)
set -eu
: "${BKP_BIN:?folder of the built programs}"
MIB=${1:-1024} ROUNDS=${2:-3}
T=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/bkp-rotate-bench.XXXXXX")
S=$T
[ ! -d /dev/shm ] || S=$(mktemp -d /dev/shm/bkp-rotate-bench.XXXXXX)
end() {
	umount "$T/rdx" 2>/dev/null || true
	chattr -R -f -i "$S" 2>/dev/null || true
	rm -rf "$T" "$S"
}
trap end EXIT
BKP=$BKP_BIN/bkp
export BKP_POLICY=$T/policy.yaml
mkdir -p "$S/src" "$S/nas" "$T/rdx"
age-keygen -o "$T/id.txt" 2>/dev/null
cat >"$BKP_POLICY" <<-Y
	site: {name: bench, language: en}
	state: $T/state
	datasets:
	  - {name: docs, paths: [$S/src]}
	media:
	  - {name: nas, type: hdd, path: $S/nas, place: here}
	  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: there}
Y
for i in $(seq 1 "$((MIB / 64))"); do head -c 64M /dev/urandom >"$S/src/$i"; done
"$BKP" init --root-key-out "$T/root" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" --quiet medium add nas
IMG=$T/img.0 disks=0
ID=$(cat /proc/sys/kernel/random/uuid) # the disk is made anew each time, and stays the registered one
fresh() {
	while mountpoint -q "$T/rdx" && ! umount "$T/rdx" 2>/dev/null; do sleep 0.2; done
	rm -f "$IMG"
	IMG=$T/img.$((++disks)) # a loop device that another namespace holds would be given again
	truncate -s "$((MIB * 2 + 512))M" "$IMG"
	mkfs.ext4 -q -F -m 0 -U "$ID" -E lazy_itable_init=0,lazy_journal_init=0 "$IMG"
	mount -o loop "$IMG" "$T/rdx"
}
fresh
"$BKP" --quiet medium add RDX-01
"$BKP" --quiet run --all
cp -a "$T/rdx" "$T/registered"
cp -a "$T/state" "$T/state.before"
cp -a "$S"/nas/*/journal "$T/journal.before"
rm -rf "$S/src"
seconds() { # COMMAND...: how long
	local from
	from=$(date +%s%N)
	"$@" >"$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	echo $(($(date +%s%N) - from))
}
put() {
	find "$S/nas" -name '*.age' -path '*/archives/*' -print0 | sort -z | xargs -0 cat |
		dd of="$T/rdx/all" bs=1M iflag=fullblock conv=fsync status=none
}
get() { dd if="$T/rdx/all" of=/dev/null bs=1M iflag=direct status=none; }
dd_both() { put && get; }
rotate() { "$BKP" --quiet rotate --operator bench; }
bytes=$(find "$S/nas" -name '*.age' -path '*/archives/*' -printf '%s\n' | awk '{n += $1} END {print n}')
echo "$bytes bytes of archives; ns: dd's writing and reading back, bkp rotate, their ratio, load before"
for i in $(seq 1 "$ROUNDS"); do
	load=$(cut -d' ' -f1 /proc/loadavg)
	fresh; sync; d=$(seconds dd_both)
	fresh
	cp -a "$T/registered/." "$T/rdx/"
	rm -rf "$T/state"; cp -a "$T/state.before" "$T/state"
	cp -a "$T/journal.before/." "$S"/nas/*/journal/
	sync; r=$(seconds rotate)
	echo "$i $d $r $(awk -v d="$d" -v r="$r" 'BEGIN {printf "%.2f", d / r}') $load"
done
