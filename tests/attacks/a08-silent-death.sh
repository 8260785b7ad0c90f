#!/bin/bash
# A8: a run that dies says nothing, and --quiet makes that look like a good night: killed by a signal, and on a state disk without room.
. "$(dirname "$0")/lib.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp
site_policy "  - {name: docs, paths: [$T/src]}
	  - {name: slow, command: 'touch $T/waits; sleep 20; echo x', time_limit: 1m, store_as: x}"
site_make
killed() { # kills whatever holds the state folder's lock, when the run waits for its command
	"$BKP" --quiet run --all &
	local pid=$!
	while [ ! -e "$T/waits" ]; do sleep 0.05; done
	kill -BUS "$(pgrep -P $pid || echo $pid)"
	wait $pid
}
detected "a run is killed by SIGBUS" E-RUN-11 killed
site_policy "  - {name: docs, paths: [$T/src]}"
mv "$T/state" "$T/was"
mkdir -m 700 "$T/state"
mount -t tmpfs -o size=3m,mode=700 tmpfs "$T/state"
cp -a "$T/was/." "$T/state/"
rm -rf "$T/state/cache" "$T/state/reserve"
head -c 4M /dev/zero >"$T/state/filler" 2>/dev/null || true
detected "nothing is free in the state folder" 'bkp: E-' "$BKP" --quiet run --all
[ -s "$T/out" ] || die "the morning line is missing"
