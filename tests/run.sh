#!/bin/bash
# Everything: installs what is missing (Debian 12), builds with sanitizers, runs every test, ends in "N passed, N failed".
#   tests/run.sh [NAME...]      only the tests whose name contains one of these
# Larger campaigns are the same with a bigger setting:
#   BKP_FUZZ_SECONDS (12)  per fuzz target      BKP_KILL_POINTS (60)  points of the kill test
#   BKP_SCALE_FILES (20000)  files of the memory test     BKP_YEAR_NIGHTS (365)  nights of the simulated year
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_TEST_PACKAGES || exit 1

export LANG=C.UTF-8 BKP_FUZZ_SECONDS=${BKP_FUZZ_SECONDS:-12} BKP_KILL_POINTS=${BKP_KILL_POINTS:-60}
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
unset BKP_POLICY BKP_LANG
jobs=$(nproc)
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
touch "$out/results"

wanted() { # NAME PATTERN...
	local name=$1 p
	shift
	[ $# -gt 0 ] || return 0
	for p in "$@"; do case "$name" in *"$p"*) return 0 ;; esac; done
	return 1
}

run() { # NAME COMMAND...: starts it; two run at a time, each reports when it ends
	local name=$1
	wanted "$name" "${patterns[@]+"${patterns[@]}"}" || return 0
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
	one "$@" &
}

one() { # NAME COMMAND...
	local name=$1 start=$SECONDS log
	log=$out/log.${name//\//-}
	shift
	if "$@" </dev/null >"$log" 2>&1; then
		echo ok >>"$out/results"
		# what a machine cannot do is not tested there: that is said, never passed over
		echo "ok    $name ($((SECONDS - start)) s)$(grep -a '^\[  SKIPPED \] [a-z]' "$log" | sort -u | sed 's/^\[  SKIPPED \]/ SKIPPED here:/' | tr -d '\n')$(grep -a '^proved: ' "$log" | sed '1s/^/\n/; s/^\(\n*\)proved: /\1      /')"
	else
		echo failed >>"$out/results"
		echo "FAIL  $name ($((SECONDS - start)) s)
$(tail -n 60 "$log" | sed 's/^/      | /')"
	fi
}

build() { # PRESET
	cmake --preset "$1" >"$out/build" 2>&1 && cmake --build --preset "$1" -- -j"$jobs" >>"$out/build" 2>&1 && return 0
	tail -n 40 "$out/build"
	return 1
}

patterns=("$@")
build asan || { echo "the build with sanitizers failed"; echo "0 passed, 1 failed"; exit 1; }
build release || { echo "the release build failed"; echo "0 passed, 1 failed"; exit 1; }
export BKP_BIN=$PWD/build/asan BKP_RELEASE=$PWD/build/release BKP_SRC=$PWD
PATH=$PATH:/usr/sbin:/sbin

run build-clang build clang
wait
for t in build/asan/test_*; do
	[ -x "$t" ] && run "unit/$(basename "$t")" "$t"
done
# the year takes longest: it begins first, so that nothing waits for it alone at the end
for t in tests/scenario/73-*.sh tests/scenario/[0-6]*.sh tests/scenario/7[0-24-9]*.sh tests/scenario/[89]*.sh; do
	run "scenario/$(basename "$t" .sh)" bash "$t"
done
wait
run fuzz bash tests/fuzz/run.sh "$BKP_FUZZ_SECONDS"
wait

passed=$(grep -c ok "$out/results")
failed=$(grep -c failed "$out/results")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
