#!/bin/bash
# Goal: a sample of the campaign (docs/campaign.md): kills, errors and failed allocations at every command, evenly over all points.
#   BKP_CAMPAIGN_POINTS (80): of each family; 0: all of them, for BKP_CAMPAIGN_MINUTES (240)
# In place of most of the points of 20 and 21, and of a test of allocations (some 250 CPU seconds).
set -eu -o pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
size=(--points "${BKP_CAMPAIGN_POINTS:-80}" --workers 1)
[ "${BKP_CAMPAIGN_POINTS:-80}" != 0 ] || size=(--minutes "${BKP_CAMPAIGN_MINUTES:-240}")
BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN} "$here/campaign/run.sh" "${size[@]}" | tee "$T/out"
echo "proved: $(sed -n 's/^enumerated: //p' "$T/out") points; $(tail -n 1 "$T/out")"
