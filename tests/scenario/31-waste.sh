#!/bin/bash
# Goal: what lies on a medium and what a restore has to open stay bounded however long a site goes on; without the bound the same
# nights exceed every limit here.  The newest generation restores as it was.
#   BKP_WASTE_NIGHTS (40): 400 for the campaign (tests/bench/waste.py prints the table)
. "$(dirname "$0")/../lib/site.sh"
nights=${BKP_WASTE_NIGHTS:-40}
python3 "$SRC_ROOT/tests/bench/waste.py" --bin "${BKP_RELEASE:-$BKP_BIN}" --nights "$nights" --every "$nights" --keep 3 --mib 24 \
	--archive 2 \
	--share 50 --anchor 30 --churn 5 --json >"$T/waste.json" || die "the nights"
python3 - "$T/waste.json" <<'P' || die "the bound"
import json, sys
r = json.load(open(sys.argv[1]))
bound, free = r["bound"][-1], r["free"][-1]
limits = {"ratio": 2.3, "touched": 3 * bound["least"], "oldest": 29}
for what, limit in limits.items():
    print(f"{what}: {bound[what]} with the bound, {free[what]} without, limit {limit}")
    if bound[what] > limit:
        sys.exit(f"{what} is {bound[what]}, more than {limit}")
    if free[what] <= limit:
        sys.exit(f"{what} is {free[what]} without the bound as well: this test shows nothing")
P
say "after $nights nights a medium holds, and a restore opens, no more than the bound allows; without it both exceed it; the newest" \
	"generation restores as it was"
