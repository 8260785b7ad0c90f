#!/bin/bash
# Fuzzes each target for SECONDS: tests/fuzz/run.sh SECONDS [TARGET...]   (TARGET: "age" or "fuzz_age"; default: all)
# One line per target with the number of executions; what breaks a target is kept in build/fuzz/found/.  Exit 1 on any finding.
set -eu
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! { cmake --preset fuzz && cmake --build --preset fuzz -- -j2; } >"$work/build.log" 2>&1; then
	grep -m 20 -E "rror|FAILED" "$work/build.log" >&2 || tail -20 "$work/build.log" >&2
	exit 2
fi
if [ $# -eq 0 ]; then
	for source in tests/fuzz/fuzz_*.c; do set -- "$@" "$(basename "$source" .c)"; done
fi
mkdir -p build/fuzz/found
bad=0
for target in "$@"; do
	name=${target#fuzz_}
	mkdir "$work/$name"
	[ ! -d "tests/fuzz/seeds/$name" ] || cp "tests/fuzz/seeds/$name"/* "$work/$name/"
	status=ok
	build/fuzz/fuzz_"$name" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=25 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/found/$name-" "$work/$name" >"$work/$name.log" 2>&1 || status=FAILED
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
	edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/$name.log" | tail -1)
	echo "fuzz_$name: ${runs:-0} executions in $seconds s, ${edges:-0} edges, $(ls "$work/$name" | wc -l) inputs: $status"
	if [ "$status" != ok ]; then
		tail -40 "$work/$name.log" >&2
		bad=1
	fi
done
exit $bad
