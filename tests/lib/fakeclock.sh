# shellcheck shell=bash
# A clock that can be moved, for scenario tests.  Sourced behind site.sh.  Gives $FAKE_ENV, arguments of env that move no clock yet:
#   env "${FAKE_ENV[@]}" FAKECLOCK=86400 COMMAND…     a day later (tests/lib/fakeclock.c says what else there is)
#   until_then WHEN                                   seconds from now to WHEN, as date -d takes it
FAKE=$T/fakeclock.so
cc -O1 -shared -fPIC -o "$FAKE" "$SRC_ROOT/tests/lib/fakeclock.c" || die "fakeclock.c does not compile"
# shellcheck disable=SC2034 # for those who source this
FAKE_ENV=("LD_PRELOAD=$FAKE" "ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}")
until_then() { echo $(($(date -d "$1" +%s) - $(date +%s))); }
# fakedisk hdd|ssd DIR...: from now on a command with FAKEDISK="$FAKEDISK" in its environment takes each folder for a disk of its own, of
# that type and with a UUID, by which every command then knows it.  Folders in memory only (/dev/shm); a mounted one keeps its device
# and gets the type.  What bkp believes of real devices is shown by tests/attacks/b21, b22.
FAKEDISK=$T/disks
fakedisk() {
	local rotational=0 d n
	[ "$1" != hdd ] || rotational=1
	shift
	mkdir -p "$FAKEDISK"
	[ -s "$FAKEDISK/mountinfo" ] || cp /proc/self/mountinfo "$FAKEDISK/mountinfo"
	for d; do
		n=$(mountpoint -d "$d" 2>/dev/null) || {
			n=240:$((1 + $(wc -l <"$FAKEDISK/mountinfo")))
			mknod "$FAKEDISK/$n" b 240 "${n#*:}"
			echo "$((9000 + ${n#*:})) 1 $n / $d rw,relatime - ext4 $FAKEDISK/$n rw" >>"$FAKEDISK/mountinfo"
		}
		mkdir -p "$FAKEDISK/sys/dev/block/$n/queue" "$FAKEDISK/run/udev/data"
		echo "E:ID_FS_UUID=${n/:/-}" >"$FAKEDISK/run/udev/data/b$n"
		echo "$rotational" >"$FAKEDISK/sys/dev/block/$n/queue/rotational"
	done
}
