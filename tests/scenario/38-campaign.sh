#!/bin/bash
# Goal: a sample of the campaign (tests/lib/campaign.sh): failed allocations, failing calls, full disks, damage; evenly over all
# points.  What is asked for and does not exist is refused, and a campaign that is gone on with tries again what failed.  Kills and
# raw system calls are 38a.
. "$(dirname "$0")/../lib/campaign.sh"

refused() { # WORD ARGUMENT...
	local status=0 word=$1
	shift
	"$run_sh" "$@" >"$T/out" 2>&1 || status=$?
	[ $status = 64 ] && grep -q "$word" "$T/out" || { cat "$T/out"; echo "exit $status: $*"; exit 1; }
}
refused "no family 'eror'" --only kill,eror
refused "no family 'kil'" --case kil:night:any:1:kill
refused "no workload 'nihgt'" --only kill --workload nihgt
refused "no case is like that" --only forge --match nihgt
none=(forge:hostile-x forge:script-x forge:cache-x forge:cache-x:1 forge:x)
! "$run_sh" --workers 1 "${none[@]/#/--case=}" >"$T/out" || { cat "$T/out"; exit 1; }
[ "$(grep -c "there is no case 'forge:" "$T/out")" = "${#none[@]}" ] || { cat "$T/out"; exit 1; }
mkdir "$T/begun"
echo "an older program" >"$T/begun/program"
refused "against another program" --only kill --resume "$T/begun"
rm "$T/begun/program"
well='full:night:m1:0k'
printf '%s FAILED\nfull:night:m1:64k 0\n' $well >"$T/begun/tried"
"$run_sh" --only full --match '^full:night:m1:(0|64)k$' --resume "$T/begun" --workers 1 >"$T/out"
grep -q "^tried 2 of 2 (1 now" "$T/out" || { cat "$T/out"; exit 1; }
grep -q "^$well [0-9a-f]" "$T/begun/tried" || { cat "$T/begun/tried"; exit 1; }
echo "proved: what does not exist is refused; what failed is tried again, and only that"

# a sample of families in turns forks no reader late, as a long run of damage does
alike=$(python3 "${run_sh%run.sh}selftest.py" "$BKP_RELEASE" 60)
echo "proved: $alike"
sample "$points" --only memory,errors,full,damage
