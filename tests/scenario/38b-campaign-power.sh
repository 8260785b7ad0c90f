#!/bin/bash
# Goal: a sample of the campaign (docs/campaign.md): power lost while a command writes, on ext4, xfs and btrfs, at each N-th flush; and what no
# sync has promised is gone.  The list of mutants is that of the product.
#   BKP_CAMPAIGN_POINTS (80): that many flushes and kills in all; 0: all, for BKP_CAMPAIGN_MINUTES (240)
set -eu -o pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
points=${BKP_CAMPAIGN_POINTS:-80}
campaign() { # ARGUMENT...
	BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN} "$here/campaign/run.sh" "$@" | tee "$T/out"
	echo "proved: $(tail -n 1 "$T/out"); $(sed -n 's/^power: \([0-9]* \(states\|judged\|gone-on\)\)$/\1/p' "$T/out" | paste -sd, | sed 's/,/, /g')"
}
python3 "$here/campaign/mutate.py" --check
if [ "$points" = 0 ]; then
	campaign --only power --minutes "${BKP_CAMPAIGN_MINUTES:-240}"
	campaign --only strict --minutes "${BKP_CAMPAIGN_MINUTES:-240}"
	exit
fi
cases=()
n=0
for workload in first-early night behind rotate expire repair add dies-8 init-early journal; do
	for fs in ext4 xfs btrfs; do
		n=$((n + 1))
		grep -qw $fs /proc/filesystems || { echo "[  SKIPPED ] power on $fs: this kernel has none"; continue; }
		cases+=(--case "power:$fs:$workload:$((n * 7 % 90))/90")
	done
done
campaign --workers 1 "${cases[@]}"
campaign --workers 1 --only strict --points $((points / 2))
