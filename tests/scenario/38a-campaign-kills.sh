#!/bin/bash
# Goal: a sample of the campaign (docs/campaign.md): SIGKILL before calls, system calls of any thread that fail or are the last, those on what is
# remembered of the last night; and more of all that in rotations.
#   BKP_CAMPAIGN_POINTS (80): half of them of each family; 0: all, for BKP_CAMPAIGN_MINUTES (240)
set -eu -o pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
points=${BKP_CAMPAIGN_POINTS:-80}
campaign() { # POINTS ARGUMENT...
	local size=(--points "$1" --workers 1)
	[ "$points" != 0 ] || size=(--minutes "${BKP_CAMPAIGN_MINUTES:-240}")
	shift
	BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN} "$here/campaign/run.sh" "${size[@]}" "$@" | tee "$T/out"
	echo "proved: $(sed -n 's/^enumerated: //p' "$T/out") points; $(tail -n 1 "$T/out")"
}
campaign $((points / 2)) --only kill,calls,cache
campaign $((points / 3)) --only kill,calls,errors --workload rotate,mend
