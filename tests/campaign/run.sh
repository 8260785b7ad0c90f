#!/bin/bash
# A campaign of faults against every command, judged by an oracle that shares no code with the product: docs/campaign.md.
#   tests/campaign/run.sh [--minutes N] [--only FAMILY,…] [--workload NAME,…] [--match REGEX] [--points N] [--resume DIR] [--workers N]
#                         [--full N] [--found] [--case CASE …]        (--help says which families there are)
# Without $BKP_RELEASE (a built tree) it builds one.  Needs root: each worker has a mount namespace of its own.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${BKP_RELEASE:-}" ]; then
	. tests/lib/packages.sh
	# shellcheck disable=SC2086
	bkp_install $BKP_TEST_PACKAGES
	tests/build.sh release -DBKP_TESTS=ON >/dev/null
	BKP_RELEASE=$PWD/build/release
fi
exec python3 tests/campaign/campaign.py --build "$BKP_RELEASE" "$@"
