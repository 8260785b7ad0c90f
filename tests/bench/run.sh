#!/bin/bash
# Ratios against restic and borg (Debian's), in one run, on one machine, on tmpfs: A B C A B C.  Not a test: nothing here fails
# because of a time.
#   tests/bench/run.sh [--rounds N] [--mib N] [--hl7 N] [--seed N] [--compression lz4|zstd]
#   tests/bench/run.sh --scale [FILES]       tests/bench/scale.sh: many files, many chunks
# A line of primitives (bench_primitives) says what the same data costs one thread when nothing else is done.
# Prints one table: medians of wall time, user+sys CPU, peak RSS and bytes stored, and the ratio of the faster peer to bkp.
set -eu
cd "$(dirname "$0")/../.."
rounds=3 mib=1600 hl7=58000 seed=1 compression=lz4
[ "${1:-}" != --scale ] || exec bash tests/bench/scale.sh "${@:2}"
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2 ;;
	--mib) mib=$2 ;;
	--hl7) hl7=$2 ;;
	--seed) seed=$2 ;;
	--compression) compression=$2 ;;
	*) echo "unknown option $1" >&2; exit 64 ;;
	esac
	shift 2
done
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_BUILD_PACKAGES libcmocka-dev restic borgbackup time
unset BKP_POLICY BKP_LANG
cmake --preset release -DBKP_TESTS=ON >/dev/null && cmake --build --preset release >/dev/null
BIN=$PWD/build/release
W=$(mktemp -d /dev/shm/bkp-bench.XXXXXX)
trap 'chattr -R -f -i "$W" 2>/dev/null || true; rm -rf "$W"' EXIT
export BKP_POLICY=$W/policy.yaml RESTIC_PASSWORD=bench BORG_PASSPHRASE=bench BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export BORG_BASE_DIR=$W/borg.home RESTIC_CACHE_DIR=$W/restic.cache LANG=C.UTF-8
age-keygen -o "$W/id.txt" 2>/dev/null
recipient=$(age-keygen -y "$W/id.txt")

timed() { # TOOL WORK COMMAND...
	local tool=$1 work=$2
	shift 2
	/usr/bin/time -q -o "$W/time" -f '%e %U %S %M' "$@" >"$W/log" 2>&1 || [ "$tool $?" = "bkp 1" ] || { cat "$W/log" >&2; echo "$tool $work failed" >&2; exit 1; }
	echo "$tool $work $(cat "$W/time")" >>"$W/times"
}
stored() { echo "$1 $2 $(du -sb --apparent-size "$3" | cut -f1)" >>"$W/stored"; }

bkp_init() {
	chattr -R -f -i "$W/nas" 2>/dev/null || true
	rm -rf "$W/nas" "$W/state"
	mkdir "$W/nas"
	cat >"$BKP_POLICY" <<-Y
	site: {name: bench, language: en}
	state: $W/state
	datasets: [{name: all, paths: [$W/tree], compression: $compression}]
	media: [{name: nas, type: hdd, path: $W/nas}]
	Y
	"$BIN/bkp" init --recipient "$recipient" >/dev/null
	"$BIN/bkp" --quiet medium add nas >/dev/null 2>&1
}
bkp_capture() {
	# what was changed less than a minute before a capture is read again by the next one: a night lies in between
	[ "$1" != first ] || sleep 62
	timed bkp "$1" "$BIN/bkp" --quiet run --timings --all
	# the same run without its reading back
	awk -v work="$1" -v rss="$(cut -d' ' -f4 "$W/time")" '/^(capture|commit) /{wall += $2; cpu += $3; user += $4} END{print "bkp", work "-commit", wall, user, cpu - user, rss}' "$W/log" >>"$W/times"
}
bkp_restore() { timed bkp restore "$BIN/bkp-restore" --quiet --medium "$W/nas" --identity "$W/id.txt" extract 1 all --to "$W/out"; }
bkp_verify() { timed bkp verify "$BIN/bkp-restore" --quiet --medium "$W/nas" --identity "$W/id.txt" verify 1 --deep; }
bkp_keyless() { timed bkp keyless "$BIN/bkp-restore" --quiet --medium "$W/nas" verify 1; }

restic_init() { rm -rf "$W/restic" "$W/restic.cache"; restic -q init -r "$W/restic" >/dev/null; }
restic_capture() { timed restic "$1" restic -q -r "$W/restic" backup "$W/tree"; }
restic_restore() { timed restic restore restic -q -r "$W/restic" restore latest --target "$W/out"; }
restic_verify() { timed restic verify restic -q -r "$W/restic" check --read-data; }

borg_init() { rm -rf "$W/borg" "$W/borg.home"; borg init -e repokey "$W/borg" >/dev/null 2>&1; }
borg_n=0
borg_capture() { borg_n=$((borg_n + 1)); timed borg "$1" borg create -C lz4 "$W/borg::a$borg_n" "$W/tree"; }
borg_restore() { mkdir "$W/out"; ( cd "$W/out" && timed borg restore borg extract "$W/borg::a$borg_n" ); }
borg_verify() { timed borg verify borg check --verify-data "$W/borg"; }

compare() { # the restored tree is the tree
	[ -z "$(rsync -rlptHnc --delete --itemize-changes "$W/tree/" "$W/out$W/tree/" | head -n 3)" ] || { echo "$1 restored another tree" >&2; exit 1; }
}

made=$(python3 tests/bench/tree.py make "$W/tree" --seed "$seed" --mib "$mib" --hl7 "$hl7")
cp -a "$W/tree" "$W/tree.0"
for round in $(seq "$rounds"); do
	for tool in bkp restic borg; do
		rm -rf "$W/tree"
		cp -a "$W/tree.0" "$W/tree"
		${tool}_init
		${tool}_capture first
		case $tool in bkp) stored bkp first "$W/nas" ;; *) stored $tool first "$W/$tool" ;; esac
		rm -rf "$W/out"
		${tool}_restore
		[ "$round" = 1 ] && compare "$tool"
		rm -rf "$W/out"
		${tool}_verify
		[ $tool != bkp ] || bkp_keyless
		${tool}_capture unchanged
		python3 tests/bench/tree.py day "$W/tree" --seed "$round" --percent 1 >/dev/null
		${tool}_capture changed
	done
	timed find unchanged find "$W/tree.0" -printf '%p %s %T@ %C@ %i\n'
	"$BIN/bench_primitives" "$W/tree.0" >>"$W/primitives"
	timed cp restore cp -a "$W/tree.0" "$W/out"
	rm -rf "$W/out"
done
echo "tree: $made; $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1); $(restic version | cut -d' ' -f1,2), $(borg --version); $rounds rounds, medians"
python3 tests/bench/table.py "$W/times" "$W/stored" "$W/primitives"
