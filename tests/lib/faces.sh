# shellcheck shell=bash
# For attacks in which a medium, or the index, gives other bytes than were captured.  Sourced after site.sh.

# true_files DIR SOURCE: how many files of SOURCE came back in DIR, each byte by byte; dies of one that is another
true_files() {
	python3 - "$1" "$2" <<-'P' || die "a file with other bytes was given out"
	import os, sys
	dir, source = sys.argv[1:]
	n = 0
	for top, _, files in os.walk(dir):
	    for f in files:
	        path = os.path.join(top, f)
	        true = os.path.join(source, os.path.relpath(path, dir))
	        if open(path, "rb").read() != open(true, "rb").read():
	            sys.exit("FAILED: %s is not what was captured" % path)
	        n += 1
	print(n)
	P
}

root_key() { grep -oE 'RW[A-Za-z0-9+/=]{54}' "$T/init.out" | head -n 1; }

# two_faces TRUE OVERLAY MODE MOUNTPOINT: tests/lib/twofaced.c, which says what they are
two_faces() {
	# shellcheck disable=SC2046
	[ -x "$T/twofaced" ] || gcc -std=gnu11 -O1 -o "$T/twofaced" "$SRC_ROOT/tests/lib/twofaced.c" $(pkg-config --cflags --libs fuse3)
	mkdir -p "$4"
	"$T/twofaced" "$1" "$2" "$3" "$4" -s || die "cannot mount a medium with two faces"
}
one_face() { fusermount3 -u "$1" || umount -l "$1"; }
