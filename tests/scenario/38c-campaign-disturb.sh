#!/bin/bash
# Goal: a sample of the campaign (docs/campaign.md): files that change while they are captured, signals, disks that go, eight commands at once,
# what hands with a key can forge; and of each kind of case that was a failure once, some (tests/campaign/found.txt).
#   BKP_CAMPAIGN_POINTS (80): a quarter of them of each family; 0: all, for BKP_CAMPAIGN_MINUTES (240), and all mutants
set -eu -o pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
points=${BKP_CAMPAIGN_POINTS:-80}
campaign() { # ARGUMENT...
	BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN} "$here/campaign/run.sh" "$@" | tee "$T/out"
	echo "proved: $(sed -n 's/^enumerated: //p' "$T/out"); $(tail -n 1 "$T/out")"
}
if [ "$points" = 0 ]; then
	campaign --only mutants
	for family in race disturb forge; do campaign --only $family --minutes "${BKP_CAMPAIGN_MINUTES:-240}"; done
	exit
fi
campaign --workers 1 --only race,disturb,forge --points $((points / 4))
campaign --workers 1 --found
