#!/bin/bash
# Goal: whatever stands on a medium, bkp-restore writes nothing outside its target, names what is wrong with a code, stays
# within 512 MiB, and still brings back what is unharmed.  Each case is a medium of its own: tests/lib/hostile.py.  The
# sanitizers see what the memory limit does not, and the other way round: 39 does the same with the static program.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
export BKP_SLIPS=$T/slips
trap 'chattr -R -f -i -a "$T" 2>/dev/null || :; rm -rf "$T"' EXIT
mkdir "$T/a"
python3 "$here/lib/hostile.py" "${HOSTILE_TO:-$BKP_BIN/bkp-restore}" "$T/a" >"$T/log" || { cat "$T/log"; exit 1; }
echo "proved: hostile media: $(tail -1 "$T/log")"
