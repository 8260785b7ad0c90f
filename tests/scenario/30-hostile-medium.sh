#!/bin/bash
# Goal: whatever stands on a medium, bkp-restore writes nothing outside its target, names what is wrong with a code, stays
# within 512 MiB, and still brings back what is unharmed.  Each case is a medium of its own: tests/lib/hostile.py.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'chattr -R -f -i -a "$T" 2>/dev/null || :; rm -rf "$T"' EXIT
mkdir "$T/a" "$T/b"
# the sanitizers see what the memory limit does not, and the other way round
python3 "$here/lib/hostile.py" "$BKP_BIN/bkp-restore" "$T/a" >"$T/log" || { cat "$T/log"; exit 1; }
said=$(tail -1 "$T/log")
if [ -n "${BKP_RELEASE:-}" ] && [ -x "$BKP_RELEASE/bkp-restore-static" ]; then
	python3 "$here/lib/hostile.py" "$BKP_RELEASE/bkp-restore-static" "$T/b" >"$T/log" || { cat "$T/log"; exit 1; }
	said="$said; static: $(tail -1 "$T/log")"
fi
echo "proved: hostile media: $said"
