#!/bin/bash
# What of bkp/ and restore/ the tests run: lines and branches per folder.
#   tests/coverage.sh [--functions] [NAME...]    runs the suite, or the tests that tests/run.sh runs for these names, with programs that
#                                                count (build/coverage), and prints a table; --functions: and what no test calls
#   tests/coverage.sh --report [--functions]     the table of what was counted before
# Counted is every process that ends by itself, in whatever way; not one that is killed.
# Some tests fail with this build (those that look for confinement, or at timing): that is said, and what they ran counts.
set -eu -o pipefail
cd "$(dirname "$0")/.."
functions='' report=''
while :; do
	case ${1:-} in
	--functions) functions=1 ;;
	--report) report=1 ;;
	-*) echo "unknown option $1: see the head of tests/coverage.sh" >&2; exit 64 ;;
	*) break ;;
	esac
	shift
done
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_TEST_PACKAGES gcovr
if [ -z "$report" ]; then
	find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	BKP_COVERAGE=1 tests/run.sh "$@" || echo "some tests failed: what they ran is counted all the same"
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
gcovr --root . --object-directory build/coverage --filter bkp/ --filter restore/ --exclude-unreachable-branches \
	--gcov-ignore-parse-errors -j "$(nproc)" --json "$out/json" build/coverage
python3 tests/lib/coverage.py ${functions:+--functions} "$out/json"
