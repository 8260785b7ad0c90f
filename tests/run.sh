#!/bin/bash
# Everything: installs what is missing (Debian 12), builds with sanitizers, runs tests, ends in "N passed, N failed".
#   tests/run.sh [NAME...]            all tests at their usual size; only those whose name contains one of these
#   tests/run.sh --quick [NAME...]    the house, unit tests, attacks and the quick scenarios (tests/lib/quick.txt): for the
#                                     desk, before a commit
#   tests/run.sh --long [NAME...]     the same tests at the size of a campaign, and those of tests/lib/long.txt (another machine is made, or
#                                     booted), with packages of their own.  Resumable: what passed on this commit is not run again
#                                     (build/long/<commit>/ holds a log each; remove it to begin anew)
# Each line says wall and CPU seconds (of the processes a test waited for); a test above 90 CPU seconds is named at the end.
# Sizes, each may be set:           usual  long
#   BKP_FUZZ_SECONDS                   12   600   per fuzz target
#   BKP_KILL_POINTS                    40  2000   points of the kill tests
#   BKP_SCALE_FILES                 20000  1000000   files of the memory test
#   BKP_YEAR_NIGHTS                    50   365   nights of each simulated year
#   BKP_YEAR_SEEDS                  "1 2" 1 to 6   the years
#   BKP_TURN_WEEKS                     10    52   weeks of two, and of three disks in turn
#   BKP_CAMPAIGN_POINTS                50     0   faults of each family of tests/campaign; 0: all, for BKP_CAMPAIGN_MINUTES (240)
#   BKP_RECOVER_KILLS                   3    20   times that a recovery is killed
#   BKP_LOOK_MEDIA                      4     1   each how-manieth hostile medium is looked at (all are extracted)
#   BKP_RESCUE_BOOT                     0     1   is the rescue image started in QEMU, by BIOS, UEFI and with Secure Boot
#   BKP_TEST_LIMIT                   1800 43200   seconds after which a test has failed
set -u
cd "$(dirname "$0")/.." || exit 1
tier=usual
case ${1:-} in --quick | --long) tier=${1#--}; shift ;; -*) echo "unknown option $1: see the head of tests/run.sh" >&2; exit 64 ;; esac
patterns=("$@")
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_TEST_PACKAGES || exit 1
# shellcheck disable=SC2086
[ "$tier" != long ] || bkp_install $BKP_LONG_PACKAGES || exit 1

size() { # NAME USUAL LONG
	local value=$2
	[ "$tier" != long ] || value=$3
	export "$1=${!1:-$value}"
}
size BKP_FUZZ_SECONDS 12 600
size BKP_KILL_POINTS 40 2000
size BKP_SCALE_FILES 20000 1000000
size BKP_YEAR_NIGHTS 50 365
size BKP_YEAR_SEEDS "1 2" "1 2 3 4 5 6"
size BKP_TURN_WEEKS 10 52
size BKP_CAMPAIGN_POINTS 50 0
size BKP_CAMPAIGN_MINUTES 0 240
size BKP_RECOVER_KILLS 3 20
size BKP_LOOK_MEDIA 4 1
size BKP_RESCUE_BOOT 0 1
size BKP_TEST_LIMIT 1800 43200
export LANG=C.UTF-8 ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
unset BKP_POLICY BKP_LANG
PATH=$PATH:/usr/sbin:/sbin
jobs=$(nproc)
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
touch "$out/results" "$out/costly"
kept= # --long: where the logs of tests that passed stay
if [ "$tier" = long ]; then
	kept=build/long/$(git rev-parse --short HEAD)$(git diff --quiet HEAD || echo -changed)
	mkdir -p "$kept"
fi

wanted() { # NAME
	local p
	[ ${#patterns[@]} -gt 0 ] || return 0
	for p in "${patterns[@]}"; do case "$1" in *"$p"*) return 0 ;; esac; done
	return 1
}

run() { # NAME COMMAND...: starts it; as many run at a time as there are processors, each reports when it ends
	local name=$1
	wanted "$name" || return 0
	if [ "$tier" = quick ]; then
		case $name in scenario/*) grep -qx "${name#scenario/}" tests/lib/quick.txt || return 0 ;; esac
	elif [ "$tier" != long ] && grep -qx "${name#scenario/}" tests/lib/long.txt; then
		return 0
	fi
	if [ -n "$kept" ] && [ -e "$kept/${name//\//-}" ]; then
		echo ok >>"$out/results"
		echo "ok    $name (passed before)"
		return 0
	fi
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
	one "$@" &
}

# What a machine cannot do is not tested there: that is said, never passed over.
remarks() { # LOG
	grep -a '^\[  SKIPPED \] [a-z]' "$1" | sort -u | sed 's/^\[  SKIPPED \]/ SKIPPED here:/' | tr -d '\n'
	grep -a '^proved: ' "$1" | sed '1s/^/\n/; s/^\(\n*\)proved: /\1      /'
}

one() { # NAME COMMAND...
	local name=$1 start=$SECONDS log status=0 cpu
	log=$out/log.${name//\//-}
	shift
	TIMEFORMAT='%U %S'
	local limited=(timeout -k 10 "$BKP_TEST_LIMIT" env "--default-signal=INT,QUIT")
	[ "$(type -t "$1")" != function ] || limited=()
	# a shell lets what runs beside it ignore Ctrl-C, and some tests press it; one that hangs is a failure
	{ time "${limited[@]}" "$@" </dev/null >"$log" 2>&1; } 2>"$log.cpu" || status=$?
	[ $status != 124 ] || echo "no end after $BKP_TEST_LIMIT seconds" >>"$log"
	cpu=$(awk 'NF == 2 {printf "%.0f", $1 + $2}' "$log.cpu")
	[ "${cpu:-0}" -le 90 ] || echo "$name: $cpu" >>"$out/costly"
	if [ $status = 0 ]; then
		echo ok >>"$out/results"
		[ -z "$kept" ] || cp "$log" "$kept/${name//\//-}"
		echo "ok    $name ($((SECONDS - start)) s, CPU $cpu s)$(remarks "$log")"
	else
		echo failed >>"$out/results"
		echo "FAIL  $name ($((SECONDS - start)) s, CPU $cpu s)
$(tail -n 60 "$log" | sed 's/^/      | /')"
	fi
}

build() { # NAME; the demo may have configured it without tests
	tests/build.sh "$1" -DBKP_TESTS=ON -- -j"$jobs" >"$out/build.$1" 2>&1 && return 0
	tail -n 40 "$out/build.$1"
	return 1
}

builds="asan release"
[ "$tier" = quick ] || builds="$builds tsan"
[ -z "${BKP_COVERAGE:-}" ] || builds=coverage # tests/coverage.sh: scenarios and unit tests only
for name in $builds; do
	build $name || { echo "the build '$name' failed"; echo "0 passed, 1 failed"; exit 1; }
done
export BKP_BIN=$PWD/build/asan BKP_RELEASE=$PWD/build/release BKP_SRC=$PWD
[ -z "${BKP_COVERAGE:-}" ] || export BKP_BIN=$PWD/build/coverage BKP_RELEASE=$PWD/build/coverage

if [ -d /dev/shm ]; then # the sites of tests/campaign are made once for all of its scenarios
	BKP_CAMPAIGN_KEPT=$(mktemp -d /dev/shm/bkp-campaign.XXXXXX) && chmod 755 "$BKP_CAMPAIGN_KEPT" || exit 1
	export BKP_CAMPAIGN_KEPT
	trap 'rm -rf "$out" "$BKP_CAMPAIGN_KEPT"' EXIT
fi

for t in "$BKP_BIN"/test_*; do
	[ -x "$t" ] && run "unit/$(basename "$t")" "$t"
done
run house bash tests/house.sh
run attacks env BKP_BIN="$BKP_RELEASE" bash tests/attacks.sh
# the year takes longest: it begins first, so that nothing waits for it alone at the end
for t in tests/scenario/73-*.sh tests/scenario/[0-6]*.sh tests/scenario/7[0-24-9]*.sh tests/scenario/[89]*.sh; do
	run "scenario/$(basename "$t" .sh)" bash "$t"
done
if [ "$tier" != quick ] && [ -z "${BKP_COVERAGE:-}" ]; then
	wait
	run build-clang build clang
	wait
	fuzz=()
	for t in tests/fuzz/fuzz_*.c; do
		t=$(basename "$t" .c)
		! wanted "fuzz/${t#fuzz_}" || fuzz+=("${t#fuzz_}")
	done
	[ ${#fuzz[@]} = 0 ] || one build-fuzz bash tests/fuzz/run.sh --list
	for t in "${fuzz[@]}"; do run "fuzz/$t" env BKP_FUZZ_BUILT=1 bash tests/fuzz/run.sh "$BKP_FUZZ_SECONDS" "$t"; done
fi
wait

[ ! -s "$out/costly" ] || echo "above 90 CPU seconds: $(sort "$out/costly" | tr '\n' ';')"
passed=$(grep -c ok "$out/results")
failed=$(grep -c failed "$out/results")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
