#!/bin/bash
# Runs the fuzz targets (libFuzzer, ASan + UBSan):  tests/fuzz/run.sh SECONDS [TARGET...];  --list: builds them and names them
# Two at a time.  One line a target; a crash makes it fail and leaves the input's name in the output.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
shift || true
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
# BKP_FUZZ_BUILT: who called has built them a moment ago (two builds in one folder would meet)
[ -n "${BKP_FUZZ_BUILT:-}" ] || tests/build.sh fuzz >"$log/build" 2>&1 ||
	{ tail -n 40 "$log/build" >&2; exit 1; }
built=()
for t in build/fuzz/fuzz_*; do [ -x "$t" ] && built+=("$(basename "$t" | sed s/^fuzz_//)"); done
targets=(tests/fuzz/fuzz_*.c)
[ ${#built[@]} = ${#targets[@]} ] || { echo "${#built[@]} of ${#targets[@]} fuzz targets were built" >&2; exit 1; }
[ "$seconds" != --list ] || { printf '%s\n' "${built[@]}"; exit; }
if [ $# -gt 0 ]; then targets=("$@"); else targets=("${built[@]}"); fi

one() { # TARGET
	local t=$1 corpus=$log/corpus-$1 dict=
	mkdir -p "$corpus" "build/fuzz/crashes"
	if [ -e "tests/fuzz/seeds/$t.py" ]; then
		python3 "tests/fuzz/seeds/$t.py" "$corpus"
	else
		cp tests/fuzz/seeds/"$t"/* "$corpus"/
	fi || { echo "$t: no seeds" >"$log/$t.result"; return 1; }
	[ ! -e "tests/fuzz/$t.dict" ] || dict=-dict=tests/fuzz/$t.dict
	if "build/fuzz/fuzz_$t" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/crashes/$t-" $dict "$corpus" >"$log/$t" 2>&1; then
		awk -v t="$t" '/number_of_executed_units/ {n=$2} /peak_rss_mb/ {m=$2}
			END {print "proved: fuzz " t ": " n " executions, no finding, peak " m " MB"}' "$log/$t" >"$log/$t.result"
	else
		{ echo "FAILED: fuzz $t"; tail -n 30 "$log/$t"; } >"$log/$t.result"
		return 1
	fi
}

status=0
for ((i = 0; i < ${#targets[@]}; i += 2)); do
	pids=()
	for t in "${targets[@]:i:2}"; do one "$t" & pids+=($!); done
	for p in "${pids[@]}"; do wait "$p" || status=1; done
	for t in "${targets[@]:i:2}"; do cat "$log/$t.result"; done
done
exit $status
