#!/bin/bash
# Looking at generations: FILES (60000) files, GENERATIONS (100) of them with few changes each, and one file of GIB (4) GiB.  Prints
#   find    seconds of find over all generations, with the opening of the keys; and of the opening alone (show of one file)
#   ls      seconds from the first ls to its end, right behind the mount; diff -r of the mounted newest generation with the source
#   rss     peak memory of the mount in KiB, after that
#   read    seconds of `extract` of the large file onto a file system in memory, and of reading it through a fresh mount; their ratio
# each with the bound that it is to keep at full size, and the load of others before each: a figure taken while others work says little.
# usage: BKP_BIN=build/release tests/bench/look.sh [FILES [GENERATIONS [GIB]]]; needs root and FUSE; DIR: where it works (default $TMPDIR)
set -eu
: "${BKP_BIN:?folder of the built programs}"
FILES=${1:-60000} GENERATIONS=${2:-100} GIB=${3:-4}
T=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/bkp-look-bench.XXXXXX")
M=
end() {
	[ -z "$M" ] || kill "$M" 2>/dev/null || true
	umount -l "$T/mnt" 2>/dev/null || true
	umount "$T/memory" 2>/dev/null || true
	chattr -R -f -i "$T" 2>/dev/null || true
	rm -rf "$T"
}
trap end EXIT
export BKP_POLICY=$T/policy.yaml BKP_SLIPS=$T/slips
mkdir -p "$T/src" "$T/large" "$T/m" "$T/mnt" "$T/memory"
mount -t tmpfs -o "size=$((GIB + 1))G" tmpfs "$T/memory"
age-keygen -o "$T/id.txt" 2>/dev/null
cat >"$BKP_POLICY" <<-Y
	site: {name: bench, language: en}
	state: $T/state
	datasets:
	  - {name: docs, paths: [$T/src]}
	  - {name: large, paths: [$T/large]}
	media:
	  - {name: m, type: hdd, path: $T/m, place: here}
Y
python3 - "$T/src" "$FILES" <<'P'
import os, sys
for i in range(int(sys.argv[2])):
    d = "%s/%02d/%02d" % (sys.argv[1], i % 60, i // 60 % 10)
    os.makedirs(d, exist_ok=True)
    with open("%s/patient-%06d.txt" % (d, i), "w") as f:
        f.write("%d %s\n" % (i, "x%d" % (i * i) * (i % 40)))
P
# half of it compresses: as clinical data do
python3 - "$T/large/file" "$GIB" <<'P'
import os, sys
with open(sys.argv[1], "wb") as f:
    for _ in range(int(sys.argv[2]) * 512):
        f.write(os.urandom(1 << 20) + b"".join(b"%015d\n" % (i * i) for i in range(65536)))
P
"$BKP_BIN/bkp" --quiet init --root-key-out "$T/root" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP_BIN/bkp" --quiet medium add m 2>/dev/null
run() { "$BKP_BIN/bkp" --quiet run "$@" 2>"$T/err" || [ $? = 1 ] || { cat "$T/err" >&2; exit 1; }; }
run large
for i in $(seq "$GENERATIONS"); do
	for k in 1 2 3; do echo "night $i $k" >"$T/src/$(printf %02d $((i % 60)))/0$k/new-$i.txt"; done
	run docs
done
RESTORE=("$BKP_BIN/bkp-restore" --quiet --medium "$T/m" --identity "$T/id.txt")
load() { cut -d' ' -f1 /proc/loadavg; }
seconds() { # COMMAND...
	local from
	from=$(date +%s%N)
	"$@" >"$T/out" 2>"$T/err" || [ $? = 1 ] || { cat "$T/err" >&2; exit 1; }
	awk -v n=$(($(date +%s%N) - from)) 'BEGIN {printf "%.2f", n / 1e9}'
}
mounted() {
	"${RESTORE[@]}" mount "$1" "$T/mnt" 2>"$T/mount.err" &
	M=$!
	until mountpoint -q "$T/mnt"; do kill -0 "$M" || { cat "$T/mount.err" >&2; exit 1; }; sleep 0.02; done
}
unmounted() {
	kill "$M"
	wait "$M" || true
	M=
}
find=$(seconds "${RESTORE[@]}" find 'new-7*' docs)
echo "find $find s (behind its opening <= 5), its opening $(seconds "${RESTORE[@]}" show "${T#/}/src@docs@latest") s, load $(load)"
mounted docs@latest
echo "ls $(seconds ls "$T/mnt/${T#/}/src") s (<= 1)"
echo "diff -r $(seconds diff -r "$T/src" "$T/mnt/${T#/}/src") s, $(wc -l <"$T/out") differences, load $(load)"
echo "rss $(awk '/VmHWM/ {print $2}' "/proc/$M/status") KiB (<= 153600)"
unmounted
for round in 1 2 3; do
	sync
	echo 3 >/proc/sys/vm/drop_caches
	e=$(seconds "${RESTORE[@]}" extract large@latest --to "$T/memory/back")
	rm -rf "$T/memory/back"
	echo 3 >/proc/sys/vm/drop_caches
	mounted large@latest
	r=$(seconds dd if="$T/mnt/${T#/}/large/file" of=/dev/null bs=1M)
	rss=$(awk '/VmHWM/ {print $2}' "/proc/$M/status")
	unmounted
	ratio=$(awk -v e="$e" -v r="$r" 'BEGIN {printf "%.2f", e / r}')
	echo "read $round: extract $e s, mount $r s, ratio $ratio (>= 0.8), rss $rss KiB (<= 153600), load $(load)"
done
