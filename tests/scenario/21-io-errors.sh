#!/bin/bash
# Goal: a call that fails (EIO, ENOSPC) at any place of a capture: exit 1 or 2, never 0 with something missing; every reported
# generation verifies; the next run succeeds unaided.  And a file system that fills up at many sizes.
# BKP_IO_POINTS: at which n-th call; more of them for a campaign.
. "$(dirname "$0")/../lib/site.sh"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-eio.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
mkdir -p "$T/src"
for i in $(seq 1 4); do echo "file $i" >"$T/src/$i"; done
head -c 3000000 /dev/urandom >"$T/src/big"
site_make
expect 0 "$BKP" run --all
thaw "$T/m1" "$T/m2"
head -c 2000000 /dev/urandom >"$T/src/big2"
mkdir "$T/start"; cp -a "$T/state" "$T/m1" "$T/m2" "$T/start/"
start() { thaw "$T/m1" "$T/m2"; rm -rf "$T/state" "$T/m1" "$T/m2"; cp -a "$T/start/." "$T/"; }
check_reported() { reported_verify "$1"; }
tried=0 failed=0 points=${BKP_IO_POINTS:-2 8 34}
for call in write fsync close openat renameat2 mkdirat fchmod read pread64 getdents64 fdatasync ioctl newfstatat lseek unlinkat; do
	for error in EIO ENOSPC; do
		for n in $points; do
			start
			status strace -f -qq -o "$T/trace" -e trace=$call -e inject=$call:error=$error:when=$n "$BKP" run --quiet --json --all
			grep -q INJECTED "$T/trace" || break
			tried=$((tried + 1))
			[ "$STATUS" = 0 ] || failed=$((failed + 1))
			[ "$STATUS" -lt 4 ] || [ "$STATUS" = 64 ] || [ "$STATUS" = 127 ] || { cat "$T/err" >&2; die "$call $error $n: exit $STATUS"; }
			if [ "$STATUS" = 0 ]; then
				# it went well in spite of the error: then it must really have gone well, on both media
				check_reported "$call $error $n"
				[ "$(grep -c '^2 ' "$T/copies")" = 2 ] || die "$call $error $n: exit 0, but generation 2 is not on both media"
				rm -rf "$T/o"
				"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 2 docs --to "$T/o" || die "$call $error $n: extract"
				[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/src/" "$T/o$T/src/")" ] || die "$call $error $n: exit 0 and something is missing"
			fi
			status "$BKP" run --quiet --all
			[ "$STATUS" = 0 ] || { cat "$T/err" >&2; die "$call $error $n: the next run, unaided: exit $STATUS"; }
			check_reported "$call $error $n"
		done
	done
done
# what is remembered of the last capture: an error there costs the next night time, and this one nothing
slow=0
for call in openat write renameat ftruncate fsync mkdirat unlinkat pread64; do
	for error in EIO ENOSPC EROFS; do
		for n in 1 2 3 4; do
			start
			status strace -f -qq -y -P "$T/state/cache/stat" -P "$T/state/cache/stat/docs.cache" -P "$T/state/cache/stat/docs.cache.part" \
				-o "$T/trace" -e trace=$call -e inject=$call:error=$error:when=$n "$BKP" run --quiet --all
			grep -q INJECTED "$T/trace" || break
			tried=$((tried + 1))
			[ "$STATUS" -le 1 ] || { cat "$T/err" >&2; die "$call $error $n on what is remembered: exit $STATUS"; }
			[ "$STATUS" = 0 ] || { slow=$((slow + 1)) && grep -qE "W-(CAPTURE|GUARD)-01" "$T/err"; } || { cat "$T/err" >&2; die "$call $error $n: nobody is told"; }
			check_reported "$call $error $n on what is remembered"
			[ "$(grep -c '^2 ' "$T/copies")" = 2 ] || die "$call $error $n on what is remembered: generation 2 is not on both media"
			expect 0 "$BKP" run --quiet --all
			rm -rf "$T/o"
			"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 3 docs --to "$T/o" || die "$call $error $n: extract"
			[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/src/" "$T/o$T/src/")" ] || die "$call $error $n on what is remembered: something is missing"
		done
	done
done
[ "$slow" -gt 3 ] || die "only $slow errors on what is remembered were seen: the test does not test"
full=0
if [ "$(id -u)" = 0 ]; then
	have=$(du -sk --apparent-size "$T/start/m2" | cut -f1)
	for k in $(seq 100 100 5000); do
		start
		rm -rf "$T/m2"; mkdir "$T/m2"
		mount -t tmpfs -o size="$((have + 400 + k))k" tmpfs "$T/m2"
		cp -a "$T/start/m2/." "$T/m2/"
		status "$BKP" run --quiet --all
		[ "$STATUS" = 0 ] || [ "$STATUS" = 1 ] || { cat "$T/err" >&2; die "full at +$k KiB: exit $STATUS"; }
		[ "$STATUS" = 0 ] || full=$((full + 1))
		check_reported "full at +$k KiB"
		grep -q '^2 m1' "$T/copies" || die "full at +$k KiB: the other medium has no generation 2"
		thaw "$T/m2"
		mount -o remount,size=40000k "$T/m2"
		status "$BKP" run --quiet --all
		[ "$STATUS" = 0 ] || { cat "$T/err" >&2; die "after room was made (+$k KiB): exit $STATUS"; }
		check_reported "after room was made (+$k KiB)"
		grep -q '^2 m2' "$T/copies" || die "+$k KiB: the medium was not brought up to date"
		thaw "$T/m2"; umount "$T/m2"
	done
	[ "$full" -gt 3 ] || die "the medium was never full: the test does not test"
fi
say "$tried injected errors ($failed runs said so by their exit code, $slow that the next night will be slow), $full runs onto a medium that filled up: reported generations verified, next runs succeeded unaided"
