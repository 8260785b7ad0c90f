#!/bin/bash
# Goal: a sample of the campaign (tests/lib/campaign.sh): SIGKILL before calls, system calls of any thread that fail or are the
# last, those on what is remembered of the last night; and more of all that in rotations.
. "$(dirname "$0")/../lib/campaign.sh"
sample $((points / 2)) --only kill,calls,cache
sample $((points / 3)) --only kill,calls,errors --workload rotate,mend
