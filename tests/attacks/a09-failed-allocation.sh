#!/bin/bash
# A9: memory runs out while a run or a restore is at work (a limit of the container, say).  The campaign (S38) fails one allocation
# after the other; here it is shown by a few of them: the end is a word and an exit status, the journal is whole, the next one does
# its work.
. "$(dirname "$0")/lib.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
cc -O1 -shared -fPIC -w -o "$T/faults.so" "$SRC_ROOT/tests/campaign/faults.c"
site_make
echo 1 >"$T/src/a"
expect 0 "$BKP" run --all

# the first of these allocations whose failing is not made up for: E-MEM-01
fails() { # ATTACK PROGRAM COMMAND...: FROM and STEP from the environment
	local attack=$1 who=$2 at last
	shift 2
	for ((at = FROM; at < FROM + 40 * STEP; at += STEP)); do
		echo "$at" >"$T/src/a"
		rm -rf "$T/to"
		head -c 4096 /dev/zero >"$T/faults"
		status env LD_PRELOAD="$T/faults.so" FAULTS_STATE="$T/faults" FAULTS="alloc:$at:ENOMEM" FAULTS_WHO="$who" "$@"
		[ "$STATUS" -le 3 ] || die "$attack: allocation $at: exit $STATUS: $(cat "$T/err")"
		! grep -q verify-failed "$T/state/journal/000001.jsonl" || die "$attack: allocation $at: recorded as damage"
		[ "$STATUS" != 2 ] || ! grep -q E-MEM-01 "$T/out" "$T/err" || break
	done
	# what that one recorded moves the allocations of the next, which may make up for this number
	for ((last = at + 40 * STEP; at < last; at += STEP)); do
		echo "$at" >"$T/src/b" # there is something to store again
		rm -rf "$T/to"
		head -c 4096 /dev/zero >"$T/faults"
		! (detected "$attack" E-MEM-01 env LD_PRELOAD="$T/faults.so" FAULTS_STATE="$T/faults" FAULTS="alloc:$at:ENOMEM" \
			FAULTS_WHO="$who" "$@") 2>"$T/not" || break
	done
	[ "$at" -lt "$last" ] || fail "$attack: none is told" "$T/not"
	expect 0 "$BKP" journal verify
	expect 0 "$BKP" run --all
	expect 0 "$BKP" --quiet verify
}
FROM=2000 STEP=1 fails "an allocation fails early in a run" bkp "$BKP" run --all
FROM=5000 STEP=1 fails "an allocation fails while a run captures" bkp "$BKP" run --all
FROM=3000 STEP=1 fails "an allocation fails in a restore" bkp-restore \
	"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract docs@1 --to "$T/to"
