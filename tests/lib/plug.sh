# shellcheck shell=bash
# Disks that are plugged in, pulled out and torn away, as loop devices, without fstab or udev.  Sourced behind site.sh.  $ID is the
# repository's id.  Gives:
#   loop_plug IMAGE [OPTION...]   losetup; its name in $DEV
#   loop_unplug                   all of them are gone, nobody holds them any more
#   serial_shown NUMBER DEVICE    "${SERIAL_RUN[@]}" COMMAND... sees that the disk has this serial number: a folder stands for its sysfs
#   plug_clean WHERE              nothing of $DEV is mounted or in use, and the kernel may write to it
#   torn_away PID ID SECONDS      the disk that bkp, PID, has mounted for writing for so long is gone (of repository ID); 1: it ended before
#   refusal CASE                  code and exit status that docs/rotation-refusals.md ($REFUSALS) has for a disk that bkp is to mount
REFUSALS=$SRC_ROOT/docs/rotation-refusals.md
refusal() {
	local row="^| [*\`]*${1}[*\`]* | \\([A-Z]-[A-Z0-9-]*\\) | \\([0-9]*\\) |.*"
	# a case stands there twice where it is another code when bkp mounts it
	sed -n "s/$row/\\1 \\2/p" "$REFUSALS" | tail -n 1 | grep . || die "no row '$1' in the table"
}
declare -A LOOPS=()
loop_plug() {
	local image=$1
	shift
	DEV=$(loop_of "$@" "$image")
	LOOPS[$DEV]=$image
}
# A bkp that was killed leaves its mark on the device, and the kernel keeps it for who gets that number next.
loop_away() {
	local l
	for l in "${!LOOPS[@]}"; do
		# the number may be somebody else's by now
		[[ $(losetup -n -O BACK-FILE "$l" 2>/dev/null) == "${LOOPS[$l]}"* ]] || continue
		blockdev --setrw "$l" 2>/dev/null || true
		losetup -d "$l" 2>/dev/null || true
	done
}
# One that another test's mount namespace still holds, or that of a process which was just killed, would be written to after it is gone.
loop_unplug() {
	local l end=$((SECONDS + 20))
	loop_away
	for l in "${LOOPS[@]}"; do
		while [ -e "$l" ] && [ -n "$(losetup -j "$l")" ]; do
			[ $SECONDS -lt $end ] || die "$l is still in use: $(losetup -j "$l")"
			sleep 0.02
		done
	done
	LOOPS=()
}
plug_end() {
	loop_away
	site_cleanup
	rm -rf "/run/bkp/${ID:-none}"
}
trap plug_end EXIT

serial_shown() {
	local of=/sys/devices/virtual/block/${2#/dev/} stands=$T/sys.$1 f
	rm -rf "$stands"
	mkdir -p "$stands/queue" "$stands/loop"
	for f in dev size ro removable diskseq loop/autoclear; do
		[ ! -e "$of/$f" ] || cat "$of/$f" >"$stands/$f"
	done
	echo "$1" >"$stands/serial"
	# slave: what others unmount meanwhile is not held here
	# shellcheck disable=SC2016,SC2034 # for the inner shell; for those who source this
	SERIAL_RUN=(unshare -m --propagation slave sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$stands" "$of")
}

plug_clean() {
	! grep -q /run/bkp /proc/self/mountinfo || die "$1: something is mounted"
	[ "$(blockdev --getro "$DEV")" = 0 ] || die "$1: $DEV is left read-only"
	python3 -c 'import os,sys; os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)' "$DEV" || die "$1: $DEV is in use"
}

# EXT4_IOC_SHUTDOWN (that of xfs has the same number) without flushing the log: nothing comes to the disk any more, as when it is gone
torn_away() {
	python3 - "$@" <<-'P'
	import fcntl, os, struct, sys, time
	pid, folder, seconds = sys.argv[1], "/run/bkp/%s/medium" % sys.argv[2], float(sys.argv[3])
	while True:
	    try:
	        for l in open("/proc/%s/mountinfo" % pid):
	            if folder not in l or " rw," not in l:
	                continue
	            fd = os.open("/proc/%s/root%s" % (pid, folder), os.O_RDONLY)
	            on = os.fstat(fd).st_dev
	            if l.split()[2] != "%d:%d" % (os.major(on), os.minor(on)):
	                os.close(fd)  # unmounted meanwhile: the file system below it is this computer's own
	                continue
	            time.sleep(seconds)
	            fcntl.ioctl(fd, 0x8004587d, struct.pack("I", 2))
	            sys.exit(0)
	    except OSError:
	        sys.exit(1)
	    time.sleep(0.001)
	P
}
