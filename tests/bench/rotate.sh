#!/bin/bash
# How much of what the device gives does a rotation use?  `bkp rotate` of MIB (1024) MiB onto an empty ext4 on a loop device without a cache
# of its own (direct I/O: without it, reading back would measure this computer's memory), against `dd conv=fsync` and `dd` reading back past
# the cache, in turn, ROUNDS (3) times.
# The same device: the file system is made anew before each of them.  The same bytes: dd writes as one file what a rotation has left there
# (archives, their parity, lists, papers), and reads back as many of them as the rotation says in the journal that it has (all but
# parity, tools and papers).  Both take them from memory, and both end when everything is on the device.
# Prints each pair: seconds of dd's writing and reading, of bkp rotate, of its processor time, the ratio (dd's seconds through bkp's), and
# the load of others before it: a figure taken while others work says little.
# usage: BKP_BIN=build/release tests/bench/rotate.sh [MIB [ROUNDS]]; needs root; DIR: where the image lies (default $TMPDIR; no tmpfs)
#        SLOW=MB: the kernel holds the device to MB megabytes a second, as a disk in a case is (cgroup v1's blkio)
set -eu
: "${BKP_BIN:?folder of the built programs}"
MIB=${1:-1024} ROUNDS=${2:-3}
THROTTLE=/sys/fs/cgroup/blkio/blkio.throttle
[ -z "${SLOW:-}" ] || [ -w "$THROTTLE.write_bps_device" ] ||
	{ echo "SLOW wants root and cgroup v1's blkio controller" >&2; exit 64; }
T=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/bkp-rotate-bench.XXXXXX")
S=$T
[ ! -d /dev/shm ] || S=$(mktemp -d /dev/shm/bkp-rotate-bench.XXXXXX)
LOOP=
hold() { # BYTES: a second, of the disk; 0: as fast as it is
	local rw
	[ -z "${SLOW:-}" ] || for rw in read write; do
		echo "$(cat "/sys/block/${LOOP##*/}/dev") $1" >"$THROTTLE.${rw}_bps_device"
	done
}
drop() { # the disk that is there
	while mountpoint -q "$T/rdx" && ! umount "$T/rdx" 2>/dev/null; do sleep 0.2; done
	[ -z "$LOOP" ] || { hold 0 && losetup -d "$LOOP"; }
	LOOP=
	rm -f "$T"/img.*
}
end() {
	drop
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
disks=0
ID=$(cat /proc/sys/kernel/random/uuid) # the disk is made anew each time, and stays the registered one
fresh() {
	local img=$T/img.$((++disks)) # a loop device that another namespace holds would be given again
	drop
	truncate -s "$((MIB * 2 + 512))M" "$img"
	mkfs.ext4 -q -F -m 0 -U "$ID" -E lazy_itable_init=0,lazy_journal_init=0 "$img"
	LOOP=$(losetup -f --show --direct-io=on "$img")
	mount "$LOOP" "$T/rdx"
	hold "$((${SLOW:-0} * 1000000))"
}
registered() { # the disk and the computer as they were before the rotation
	fresh
	cp -a "$T/registered/." "$T/rdx/"
	rm -rf "$T/state"
	cp -a "$T/state.before" "$T/state"
	cp -a "$T/journal.before/." "$S"/nas/*/journal/
	sync
}
seconds() { # COMMAND...: how long, and how much of the processors; GNU time knows hundredths only
	local from
	from=$(date +%s%N)
	/usr/bin/time -q -o "$T/time" -f '%U %S' "$@" >"$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	echo "$(date +%s%N) $from $(cat "$T/time")" | awk '{printf "%.2f %.2f", ($1 - $2) / 1e9, $3 + $4}'
}
rotate() { seconds "$BKP" --quiet rotate --operator bench; }
fresh
"$BKP" --quiet medium add RDX-01
"$BKP" --quiet run --all
cp -a "$T/rdx" "$T/registered"
cp -a "$T/state" "$T/state.before"
cp -a "$S"/nas/*/journal "$T/journal.before"
rm -rf "$S/src"
rotate >/dev/null
find "$T/rdx" -type f -print0 | sort -z | xargs -0 cat >"$S/bytes"
read_back=$("$BKP" journal show --json | grep -o '"read_bytes":[0-9]*' | tail -n 1 | cut -d: -f2)
whole=$(((read_back + 4095) / 4096 * 4096)) # past the cache in whole blocks only
written=$(stat -c %s "$S/bytes")
echo "$written bytes written, $read_back of them read back"
echo "seconds: dd's writing, dd's reading, bkp rotate, its processor time; ratio; load before"
for i in $(seq 1 "$ROUNDS"); do
	load=$(cut -d' ' -f1 /proc/loadavg)
	fresh
	sync
	read -r w _ <<<"$(seconds dd if="$S/bytes" of="$T/rdx/all" bs=1M conv=fsync status=none)"
	read -r r _ <<<"$(seconds dd if="$T/rdx/all" of=/dev/null bs=1M iflag=direct,count_bytes count="$whole" status=none)"
	registered
	read -r b cpu <<<"$(rotate)"
	echo "$i $w $r $b $cpu $(awk -v d="$w" -v e="$r" -v b="$b" 'BEGIN {printf "%.2f", (d + e) / b}') $load"
done
