#!/bin/bash
# Goal: whatever kills a run, the morning line comes, is recorded and told; signals reach the run once; a state disk with 0 to 16 KiB
# free never kills it, and never looks like a good night; on the day of good news a good night is told.
. "$(dirname "$0")/../lib/site.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp
policy() { # NOTIFY
	site_policy "  - {name: docs, paths: [$T/src]}"
	printf '%s\n' "$1" >>"$T/policy.yaml"
}
policy "notify: {command: 'cat >$T/told; echo \"\$BKP_EXIT \$BKP_COMMAND\" >>$T/told'}"
site_make
worker() { # PID of the run: of the process that works
	for _ in $(seq 100); do
		pgrep -P "$1" && return 0
		sleep 0.05
	done
	return 1
}
begin() { # a run that waits in its data set's command; $PID, $CHILD
	rm -f "$T/waits" "$T/told"
	setsid "$BKP" --quiet run --all >"$T/out" 2>"$T/err" &
	PID=$!
	CHILD=$(worker $PID) || fail "there is no working process"
	for _ in $(seq 100); do [ -e "$T/waits" ] && return 0; sleep 0.05; done
	die "the run does not come to its command"
}
ended() { STATUS=0; wait "$PID" || STATUS=$?; }

site_policy "  - {name: docs, paths: [$T/src]}
	  - {name: slow, command: 'touch $T/waits; sleep 20; echo x', time_limit: 1m, store_as: x}"
echo "notify: {command: 'cat >$T/told; echo \"\$BKP_EXIT \$BKP_COMMAND\" >>$T/told'}" >>"$T/policy.yaml"
for sig in BUS SEGV ABRT KILL; do
	begin
	kill -$sig "$CHILD"
	ended
	[ "$STATUS" = 2 ] && [ -s "$T/out" ] && grep -q E-RUN-11 "$T/err" || fail "SIG$sig: exit $STATUS"
	record outcome | grep -q '"command":"run","role":"capture"\|"command":"run","exit":2' ||
		die "SIG$sig is not recorded: $(record outcome)"
	grep -q '^2 run' "$T/told" || die "SIG$sig: nobody was told"
done
say "a run that is killed by four signals: a line, exit 2, recorded, told"

# what asks for an end: to the parent alone, to both, to the child alone; and the whole is gone when the parent is killed
for who in '$PID' '$CHILD' '-- -$PID'; do
	begin
	eval "kill -TERM $who"
	ended
	[ "$STATUS" = 2 ] && grep -q E-RUN-07 "$T/err" || fail "SIGTERM to $who: exit $STATUS"
	! grep -q E-RUN-11 "$T/err" || die "SIGTERM to $who killed it"
done
begin
kill -KILL "$PID"
ended
[ "$STATUS" = 137 ] || die "the parent was not killed"
for _ in $(seq 100); do kill -0 "$CHILD" 2>/dev/null || break; sleep 0.05; done
! kill -0 "$CHILD" 2>/dev/null || die "the working process lives on alone"
say "SIGTERM to either or both ends in good order, once; with the parent the child is gone"

# --- a state folder on a disk of its own that is nearly full
policy "notify: {command: 'cat >$T/told; echo \"\$BKP_EXIT \$BKP_COMMAND\" >>$T/told'}"
expect 0 "$BKP" --quiet run --all
mv "$T/state" "$T/state.was"
mkdir -m 700 "$T/state"
mount -t tmpfs -o size=3m,mode=700 tmpfs "$T/state"
cp -a "$T/state.was/." "$T/state/"
for cache in no yes; do
	for free in 0 2 4 8 16 32 64; do
		[ $cache = yes ] || rm -rf "$T/state/cache"
		rm -f "$T/state/reserve" "$T/told"
		head -c 4M /dev/zero >"$T/state/filler" 2>/dev/null || true
		truncate -s -"$free"K "$T/state/filler"
		echo "$cache $free" >"$T/src/new"
		status "$BKP" --quiet run --all
		case $STATUS in
		0) [ "$free" -gt 0 ] || die "nothing is free, and exit 0" ;;
		1 | 2) [ -s "$T/out" ] && [ -s "$T/err" ] || die "$free KiB free, cache $cache: exit $STATUS without a word" ;;
		*) fail "$free KiB free, cache $cache: exit $STATUS" ;;
		esac
		[ "$STATUS" = 0 ] || [ -s "$T/told" ] || die "$free KiB free: nobody was told"
		! grep -q E-RUN-11 "$T/err" || fail "$free KiB free, cache $cache: the run was killed" "$T/err"
		echo "$STATUS" >>"$T/statuses"
		rm "$T/state/filler"
		status "$BKP" --quiet run --all
		[ "$STATUS" -le 1 ] || fail "behind $free KiB free: exit $STATUS"
		expect 0 "$BKP" journal verify
	done
done
umount "$T/state"
say "14 nearly full state disks: exits $(sort "$T/statuses" | uniq -c | awk '{printf "%s×%s ", $2, $1}'), each with a word, none killed;" \
	"the next run goes on"

# --- good news
thaw "$T/m1" "$T/m2"
rm -rf "$T/m1" "$T/m2" "$T/state"
day=$(LC_ALL=C date +%a | tr A-Z a-z)
policy "notify: {command: 'cat >$T/told', good_news: $day}"
site_make
rm -f "$T/told"
expect 0 "$BKP" --quiet run --all
grep -q '1 of 1 good' "$T/out" && grep -q '1 of 1 good' "$T/told" || die "the good news were not told: $(cat "$T/out")"
rm "$T/told"
expect 0 "$BKP" --quiet run --all
[ ! -s "$T/out" ] && [ ! -e "$T/told" ] || die "good news twice a day"
sed -i "s/good_news: .../good_news: $(LC_ALL=C date -d tomorrow +%a | tr A-Z a-z)/" "$T/policy.yaml"
expect 0 "$BKP" --quiet run --all
[ ! -s "$T/out" ] && [ ! -e "$T/told" ] || die "good news on another day"
say "on its day the first good run is told, once"
