#!/bin/bash
# Ratios against restic and borg, in one run, on one machine: A B C A B C.  Not a test: nothing here fails because of a time.
#   tests/bench/run.sh [--rounds N] [--mib N] [--hl7 N] [--seed N] [--compression lz4|zstd] [--minutes N]
#                      [--in DIR] [--cold] [--slow MB] [--processors N]
#   tests/bench/run.sh --scale [FILES]       tests/bench/scale.sh: many files, many chunks
#   tests/bench/run.sh --sets [OPTION...]    tests/bench/sets.py: what a night over 8, over 100 data sets costs
# Everything (tree, repositories, caches, temporary files of all tools) is in a new folder below --in, /dev/shm if not given.
#   --cold          caches are written out and dropped before each measured command (with --in on a disk)
#   --slow MB       repositories on two loop devices that the kernel holds to MB megabytes a second (cgroup v1 blkio): bkp fills both
#                   media in one run, restic and borg back up twice, one after the other
#   --processors N  each command may use N processors only
#   --minutes N     no round is begun that would end later (6)
# restic: $BKP_BENCH_RESTIC, a program; else Debian trixie's (0.18) if apt can fetch it, unpacked beside the rest; else this Debian's.
# A line of primitives (bench_primitives) says what the same data costs one thread when nothing else is done.
# Prints one table: medians of wall time, user+sys CPU, peak RSS and bytes stored, and the ratio of each peer to bkp.
set -eu
cd "$(dirname "$0")/../.."
begun=$SECONDS
rounds=3 mib=1000 hl7=36000 seed=1 compression=lz4 minutes=6 in=/dev/shm cold='' slow='' processors=''
[ "${1:-}" != --scale ] || exec bash tests/bench/scale.sh "${@:2}"
[ "${1:-}" != --sets ] || exec python3 tests/bench/sets.py --bin build/release "${@:2}"
while [ $# -gt 0 ]; do
	case $1 in
	--rounds | --mib | --hl7 | --seed | --compression | --minutes | --in | --slow | --processors)
		declare "${1#--}=$2"
		shift
		;;
	--cold) cold=1 ;;
	*) echo "unknown option $1" >&2; exit 64 ;;
	esac
	shift
done
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_BUILD_PACKAGES libcmocka-dev restic borgbackup time
unset BKP_POLICY BKP_LANG
tests/build.sh release -DBKP_TESTS=ON >/dev/null
BIN=$PWD/build/release
W=$(mktemp -d "$in/bkp-bench.XXXXXX")
THROTTLE=/sys/fs/cgroup/blkio/blkio.throttle
loops=""
cleanup() {
	local d
	for d in $loops; do
		for r in read write; do echo "$(cat "/sys/block/$d/dev") 0" >$THROTTLE.${r}_bps_device; done
		umount "$W/slow-$d" && losetup -d "/dev/$d"
	done
	chattr -R -f -i "$W" 2>/dev/null || true
	rm -rf "$W"
}
trap cleanup EXIT
mkdir "$W/tmp" "$W/r1" "$W/r2"
# packs that a tool makes before it stores them must not lie on another disk than everything else
export TMPDIR=$W/tmp
run_on=()
[ -z "$processors" ] || run_on=(taskset -c "0-$((processors - 1))")

# the newest restic that Debian has, from lists of its own: nothing of this machine's apt is changed
newest_restic() (
	set -e
	mkdir -p "$W/apt/lists/partial" "$W/apt/cache/archives/partial"
	cd "$W/apt"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >list
	o=(-qq -o "Dir::Etc::sourcelist=$W/apt/list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$W/apt/lists" \
		-o "Dir::Cache=$W/apt/cache")
	timeout 60 apt-get "${o[@]}" update
	timeout 60 apt-get "${o[@]}" download restic
	dpkg -x restic_*.deb "$W/apt/unpacked"
	"$W/apt/unpacked/usr/bin/restic" version
) >"$W/apt.log" 2>&1
RESTIC=${BKP_BENCH_RESTIC:-}
[ -n "$RESTIC" ] || { newest_restic && RESTIC=$W/apt/unpacked/usr/bin/restic; } || RESTIC=restic

slow_medium() { # FOLDER: an ext4 of its own there, on a loop device that is slow
	local img=$W/${1##*/}.img d
	truncate -s $((mib * 4 + 512))M "$img"
	mkfs.ext4 -q "$img"
	d=$(basename "$(losetup -f --show --direct-io=on "$img" 2>/dev/null || losetup -f --show "$img")")
	ln -s "${1##*/}" "$W/slow-$d"
	mount "/dev/$d" "$1"
	loops="$loops $d"
	for r in read write; do echo "$(cat "/sys/block/$d/dev") $((slow * 1000000))" >$THROTTLE.${r}_bps_device; done
}
if [ -n "$slow" ]; then
	[ -w "$THROTTLE.write_bps_device" ] || { echo "--slow wants root and cgroup v1's blkio controller" >&2; exit 64; }
	slow_medium "$W/r1"
	slow_medium "$W/r2"
fi
export BKP_POLICY=$W/policy.yaml RESTIC_PASSWORD=bench BORG_PASSPHRASE=bench BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export BORG_BASE_DIR=$W/borg.home RESTIC_CACHE_DIR=$W/restic.cache LANG=C.UTF-8
age-keygen -o "$W/id.txt" 2>/dev/null
recipient=$(age-keygen -y "$W/id.txt")

timed() { # TOOL WORK COMMAND...
	local tool=$1 work=$2
	shift 2
	[ -z "$cold" ] || { sync; echo 3 >/proc/sys/vm/drop_caches; }
	"${run_on[@]}" /usr/bin/time -q -o "$W/time" -f '%e %U %S %M' "$@" >"$W/log" 2>&1 || [ "$tool $?" = "bkp 1" ] ||
		{ cat "$W/log" >&2; echo "$tool $work failed" >&2; exit 1; }
	echo "$tool $work $(cat "$W/time")" >>"$W/times"
}
stored() { echo "$1 $2 $(du -sb --apparent-size "$3" | cut -f1)" >>"$W/stored"; }
# each tool has its own copy of the tree, and the first medium for itself while its turn lasts; two: into both of them
two() { # COMMAND TEXT, in which r1 is the first repository's folder: with --slow again with the second's
	local again=${1//"/r1/"/"/r2/"}
	echo "$1${slow:+ && $again}"
}
emptied() { chattr -R -f -i "$W"/r?/* 2>/dev/null || true; rm -rf "$W"/r?/[!l]*; }

bkp_init() {
	rm -rf "$W/state"
	mkdir "$W/r1/bkp" "$W/r2/bkp"
	cat >"$BKP_POLICY" <<-Y
	site: {name: bench, language: en}
	state: $W/state
	datasets: [{name: all, paths: [$W/tree.bkp], compression: $compression}]
	media:
	  - {name: one, type: hdd, path: $W/r1/bkp}
	  ${slow:+- {name: two, type: hdd, path: $W/r2/bkp\}}
	Y
	"$BIN/bkp" init --root-key-out "$W/root.$RANDOM$RANDOM" --recipient "$recipient" >/dev/null 2>&1
	"$BIN/bkp" --quiet medium add one >/dev/null 2>&1
	[ -z "$slow" ] || "$BIN/bkp" --quiet medium add two >/dev/null 2>&1
}
bkp_capture() {
	# what was changed less than a minute before a capture is read again by the next one: a night lies in between
	[ "$1" != first ] || while [ $((SECONDS - copied)) -lt 62 ]; do sleep 1; done
	timed bkp "$1" "$BIN/bkp" --quiet run --timings --all
	# the same run without its reading back
	awk -v work="$1" -v rss="$(cut -d' ' -f4 "$W/time")" \
		'/^(capture|commit) /{wall += $2; cpu += $3; user += $4} END{print "bkp", work "-commit", wall, user, cpu - user, rss}' \
		"$W/log" >>"$W/times"
}
bkp_restore() { timed bkp restore "$BIN/bkp-restore" --quiet --medium "$W/r1/bkp" --identity "$W/id.txt" extract all@1 --to "$W/out"; }
bkp_verify() { timed bkp verify "$BIN/bkp-restore" --quiet --medium "$W/r1/bkp" --identity "$W/id.txt" verify 1 --deep; }
bkp_keyless() { timed bkp keyless "$BIN/bkp-restore" --quiet --medium "$W/r1/bkp" verify 1; }

restic_init() { rm -rf "$W/restic.cache"; sh -c "$(two "$RESTIC -q init -r $W/r1/restic")" >/dev/null; }
restic_capture() { timed restic "$1" sh -c "$(two "$RESTIC -q -r $W/r1/restic backup $W/tree.restic")"; }
restic_restore() { timed restic restore "$RESTIC" -q -r "$W/r1/restic" restore latest --target "$W/out"; }
restic_verify() { timed restic verify "$RESTIC" -q -r "$W/r1/restic" check --read-data; }

borg_init() { rm -rf "$W/borg.home"; sh -c "$(two "borg init -e repokey $W/r1/borg")" >/dev/null 2>&1; }
borg_n=0
borg_capture() { borg_n=$((borg_n + 1)); timed borg "$1" sh -c "$(two "borg create -C lz4 $W/r1/borg::a$borg_n $W/tree.borg")"; }
borg_restore() { mkdir "$W/out"; ( cd "$W/out" && timed borg restore borg extract "$W/r1/borg::a$borg_n" ); }
borg_verify() { timed borg verify borg check --verify-data "$W/r1/borg"; }

compare() { # the restored tree is the tree
	[ -z "$(rsync -rlptHnc --delete --itemize-changes "$W/tree.$1/" "$W/out$W/tree.$1/" | head -n 3)" ] ||
		{ echo "$1 restored another tree" >&2; exit 1; }
}

made=$(python3 tests/bench/tree.py make "$W/tree.0" --seed "$seed" --mib "$mib" --hl7 "$hl7")
did=0 longest=0
while [ "$did" -lt "$rounds" ] && [ $((SECONDS - begun + longest)) -lt $((minutes * 60)) ]; do
	at=$SECONDS
	did=$((did + 1))
	for tool in restic borg bkp; do
		rm -rf "$W/tree.$tool"
		cp -a "$W/tree.0" "$W/tree.$tool"
	done
	copied=$SECONDS
	# bkp last: by then its tree is older than a minute
	for tool in restic borg bkp; do
		emptied
		${tool}_init
		${tool}_capture first
		stored $tool first "$W/r1/$tool"
		rm -rf "$W/out"
		${tool}_restore
		[ "$did" != 1 ] || compare "$tool"
		rm -rf "$W/out"
		${tool}_verify
		[ $tool != bkp ] || bkp_keyless
		${tool}_capture unchanged
		python3 tests/bench/tree.py day "$W/tree.$tool" --seed "$did" --percent 1 >/dev/null
		${tool}_capture changed
	done
	timed find unchanged find "$W/tree.0" -printf '%p %s %T@ %C@ %i\n'
	"$BIN/bench_primitives" "$W/tree.0" >>"$W/primitives"
	timed cp restore cp -a "$W/tree.0" "$W/out"
	rm -rf "$W/out"
	[ $((SECONDS - at)) -le "$longest" ] || longest=$((SECONDS - at))
done
echo "$(date -u +%F), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), ${processors:-$(nproc)} of $(nproc) processors;" \
	"$(stat -f -c %T "$W")${cold:+, caches dropped}${slow:+, two media of $slow MB/s}; $compression"
echo "tree: $made; $("$RESTIC" version | cut -d' ' -f1,2), $(borg --version); medians of $did rounds"
python3 tests/bench/table.py "$W/times" "$W/stored" "$W/primitives"
