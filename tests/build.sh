#!/bin/bash
# Builds build/NAME: tests/build.sh NAME [-DOPTION=VALUE...] [-- ARGUMENTS OF THE BUILD]
#   release, debug, clang      the programs, with unit tests unless -DBKP_TESTS=OFF
#   asan                       AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan                       ThreadSanitizer: the programs and the unit tests of what has threads
#   coverage                   counts lines and branches (tests/coverage.sh)
#   fuzz                       the libFuzzer targets
set -eu
cd "$(dirname "$0")/.."
name=${1:?release, debug, clang, asan, tsan, coverage or fuzz}
shift
options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
[ $# = 0 ] || shift
own=(-DCMAKE_BUILD_TYPE=Debug)
targets=()
case $name in
release) own=(-DCMAKE_BUILD_TYPE=Release) ;;
debug) ;;
clang) own=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DBKP_STATIC_RESTORE=OFF) ;;
asan) own+=(-DBKP_SANITIZE=ON -DBKP_STATIC_RESTORE=OFF) ;;
tsan)
	own+=(-DBKP_SANITIZE_THREADS=ON -DBKP_STATIC_RESTORE=OFF)
	targets=(bkp bkp-restore test_pipeline test_pack test_content test_queue test_parallel test_ahead test_verify test_arc_r test_walk)
	;;
coverage) own+=(-DBKP_COVERAGE=ON) ;;
fuzz)
	own=(-DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DBKP_FUZZ=ON -DBKP_TESTS=OFF -DBKP_STATIC_RESTORE=OFF)
	targets=(fuzzers)
	;;
*) echo "no such build: $name" >&2; exit 64 ;;
esac
cmake -S . -B "build/$name" -G Ninja "${own[@]}" "${options[@]}"
cmake --build "build/$name" ${targets:+--target "${targets[@]}"} -- "$@"
