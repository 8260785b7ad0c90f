#!/bin/bash
# Goal: a sample of the campaign (tests/lib/campaign.sh): power lost while a command writes, on ext4, xfs and btrfs, at each N-th flush; and
# what no sync has promised is gone.  The list of mutants is that of the product.
. "$(dirname "$0")/../lib/campaign.sh"
python3 "${run_sh%run.sh}mutate.py" --check
if [ "$points" = 0 ]; then
	campaign --only power --minutes "$minutes"
else
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
fi
sample $((points / 2)) --only strict
