#!/bin/bash
# Goal: SIGKILL before each of several hundred system calls of a rotation (one that brings two generations, one that mends what
# vanished).  After each: what was on the disk is unchanged and verifies, no half generation appears, the journal is a valid
# continuation, and the next rotation succeeds unaided and ends complete.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/rotation.sh"
points=${BKP_KILL_POINTS:-120}
rotation_make
for name in ordinary mending; do
	rotation_start $name
	status strace -f -qq -o "$T/trace" "$BKP" rotate --operator Sato --quiet
	rotation_well || die "the rotation under strace"
	rotation_complete "under strace"
	# a point is "the n-th call of that name"
	sed -n "s/^$(head -n 1 "$T/trace" | cut -d' ' -f1) *\([a-z0-9_]*\)(.*/\1/p" "$T/trace" | awk '{print $1, ++seen[$1]}' >"$T/calls.$name"
done
total=$(cat "$T"/calls.* | wc -l)
[ "$total" -ge "$points" ] || points=$total
killed=0 finished=0
for k in $(seq 1 "$points"); do
	name=ordinary
	[ $((k % 3)) = 0 ] && name=mending
	read -r call nth < <(sed -n "$((1 + (k - 1) * $(wc -l <"$T/calls.$name") / points))p" "$T/calls.$name")
	when="$name: $call $nth"
	rotation_start $name
	status strace -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$nth" "$BKP" rotate --operator Sato --quiet 2>/dev/null
	if [ "$STATUS" = 137 ]; then killed=$((killed + 1)); else
		rotation_well || { cat "$T/err" >&2; die "$when: exit $STATUS"; }
		finished=$((finished + 1))
	fi
	rotation_check "$when"
	rotation_finish "$when"
done
[ "$killed" -gt $((points * 9 / 10)) ] || die "only $killed of $points points killed the rotation: the test does not test"
say "SIGKILL before $killed of a rotation's $total system calls ($finished ran through): what was on the disk verified, no half generation, the next rotation completed it unaided"
