#!/bin/bash
# Goal: a sample of the campaign (docs/campaign.md): failed allocations, failing calls, full disks, damage; evenly over all points.
# Kills and raw system calls are 38a.
#   BKP_CAMPAIGN_POINTS (80): of each family; 0: all of them, for BKP_CAMPAIGN_MINUTES (240)
set -eu -o pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
size=(--points "${BKP_CAMPAIGN_POINTS:-80}" --workers 1)
[ "${BKP_CAMPAIGN_POINTS:-80}" != 0 ] || size=(--minutes "${BKP_CAMPAIGN_MINUTES:-240}")
BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN} "$here/campaign/run.sh" --only memory,errors,full,damage "${size[@]}" | tee "$T/out"
echo "proved: $(sed -n 's/^enumerated: //p' "$T/out") points; $(tail -n 1 "$T/out")"
# a case that there is not is no case that went well
none=(forge:hostile-x forge:script-x forge:cache-x forge:cache-x:1 forge:x)
if BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN} "$here/campaign/run.sh" --workers 1 "${none[@]/#/--case=}" >"$T/out"; then
	echo "FAILED: cases that there are not are accepted"
	exit 1
fi
[ "$(grep -c "there is no case 'forge:" "$T/out")" = "${#none[@]}" ] || { cat "$T/out"; exit 1; }
echo "proved: a forgery that there is not is refused by its name"
