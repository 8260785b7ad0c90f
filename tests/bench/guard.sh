#!/bin/bash
# What the guard against mass change catches, on which night, and how often it is wrong: captures by `bkp run` of a simulated clinic, with
# ordinary events and simulated attackers (tests/bench/guard/: clinic.py, events.py, attacks.py).  docs/guard.md has what this prints.
#   tests/bench/guard.sh [--tree 2k|60k] [--seeds N] [--nights N] [--only REGEX] [--quick] [--jobs N] [--json FILE] [--verbose]
#   tests/bench/guard.sh --list | --cost | --check | --help
# For each clinic: 30 plain nights; then, each on a copy of the site as it was then, a year in short (60 nights with its events), each
# ordinary event by itself, and each attack until it is caught or 10 nights have passed.  BKP_BIN: the build, release.  Needs root, memory.
set -u
cd "$(dirname "$0")/../.." || exit 1
case " $* " in *" --list "* | *" --help "* | *" --check "*) exec python3 tests/bench/guard/run.py "$@" ;; esac
export BKP_BIN=${BKP_BIN:-$PWD/build/release} BKP_SRC=$PWD
. tests/lib/site.sh
set +e
. tests/lib/nights.sh
in_memory
python3 tests/bench/guard/run.py --folder "$T" --fake "$FAKE" "$@"
