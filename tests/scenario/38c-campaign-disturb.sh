#!/bin/bash
# Goal: a sample of the campaign (tests/lib/campaign.sh): files that change while they are captured, signals, disks that go, eight
# commands at once, what hands with a key can forge; and of each kind of case that was a failure once, some
# (tests/campaign/found.txt).
. "$(dirname "$0")/../lib/campaign.sh"
[ "$points" != 0 ] || campaign --only mutants
for family in race disturb forge; do sample $((points / 4)) --only $family; done
[ "$points" = 0 ] || campaign --workers 1 --found
