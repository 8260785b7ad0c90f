#!/bin/bash
# Goal: a call that fails (EIO, ENOSPC, EROFS) at many places of a rotation: exit 1 or 2, or 0 only when the disk is really
# complete; what was on the disk is unchanged and verifies; the next rotation succeeds unaided.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/rotation.sh"
steps=${BKP_IO_POINTS:-1 3 10 25}
rotation_make
tried=0 said=0
for call in write fsync openat renameat2 renameat mkdirat fchmod read pread64 close getdents64 fdatasync ioctl newfstatat fallocate syncfs unlinkat; do
	for error in EIO ENOSPC EROFS; do
		[ $error != EROFS ] || case $call in read | pread64 | close | getdents64 | newfstatat) continue ;; esac
		for n in $steps; do
			name=ordinary
			[ $((n % 3)) = 0 ] && name=mending
			when="$name: $call $error $n"
			rotation_start $name
			status strace -qq -o "$T/trace" -e trace=$call -e inject=$call:error=$error:when=$n "$BKP" rotate --operator Sato --json --quiet
			grep -q INJECTED "$T/trace" || break
			tried=$((tried + 1))
			case $STATUS in
			0) rotation_complete "$when: exit 0" ;;
			1 | 2 | 3 | 64 | 127) said=$((said + 1)) ;;
			*) cat "$T/err" >&2; die "$when: exit $STATUS" ;;
			esac
			rotation_check "$when"
			rotation_finish "$when"
		done
	done
done
[ "$tried" -gt 50 ] || die "only $tried errors could be injected: the test does not test"
say "$tried injected errors in rotations ($said said so by their exit code): none lied, what was on the disk verified, the next rotation completed it unaided"
