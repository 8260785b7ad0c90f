#!/bin/bash
# Goal: what judges every restore must itself be judged.  compare.sh accepts a true copy of the tree of oddities (made by
# tar, cp and Python, not by us) and refuses it after each of many single changes.
set -eu
[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 0; }
lib=$(dirname "$(realpath "$0")")/../lib
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
trap '"$lib/rmtree.sh" "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

"$lib/oddities.sh" "$work/src"
mkdir "$work/dst"

# ---- a true copy: tar for what paths can name, Python for the rest, chattr for the flags
tar -C "$work/src" --format=posix --acls --xattrs --xattrs-include='*.*' --sparse --numeric-owner --warning=none \
	--exclude=./beyond-path-max --exclude=./depth-4096 --exclude=./special/socket -cf - . |
	tar -C "$work/dst" --acls --xattrs --xattrs-include='*.*' --numeric-owner --same-owner --warning=none -xpf -
for kind in fifo device; do # GNU tar makes two of it
	ln -f "$work/dst/hard/$kind-a" "$work/dst/hard/$kind-b"
done
touch -r "$work/src/hard" "$work/dst/hard"
python3 - "$work" <<'PY'
import os, stat, sys

work = sys.argv[1]

def copy_level(a, b):
    """Everything in folder a into folder b but the folder in it, whose name is returned."""
    first = below = None
    for name in sorted(os.listdir(a)):
        st = os.lstat(name, dir_fd=a)
        if stat.S_ISDIR(st.st_mode):
            os.mkdir(name, 0o700, dir_fd=b)
            below = name
        elif stat.S_ISLNK(st.st_mode):
            os.symlink(os.readlink(name, dir_fd=a), name, dir_fd=b)
        elif first:
            os.link(first, name, src_dir_fd=b, dst_dir_fd=b)
        else:
            first = name
            f, g = os.open(name, os.O_RDONLY, dir_fd=a), os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=b)
            os.write(g, os.read(f, 100))
            for key in os.listxattr(f):
                os.setxattr(g, key, os.getxattr(f, key))
            os.fchmod(g, stat.S_IMODE(st.st_mode))
            os.close(f)
            os.close(g)
        if not stat.S_ISDIR(st.st_mode):
            os.utime(name, ns=(0, st.st_mtime_ns), dir_fd=b, follow_symlinks=False)
    return below

for top in ("beyond-path-max", "depth-4096"):
    os.mkdir(work + "/dst/" + top)
    a, b = os.open(work + "/src/" + top, os.O_RDONLY), os.open(work + "/dst/" + top, os.O_RDONLY)
    depth = 0
    while below := copy_level(a, b):
        c, d = os.open(below, os.O_RDONLY, dir_fd=a), os.open(below, os.O_RDONLY, dir_fd=b)
        os.close(a)
        os.close(b)
        a, b, depth = c, d, depth + 1
    # the folders' own modes and times when nothing below changes any more
    while True:
        st = os.fstat(a)
        os.fchmod(b, stat.S_IMODE(st.st_mode))
        os.utime(b, ns=(0, st.st_mtime_ns))
        if not depth:
            break
        c, d = os.open("..", os.O_RDONLY, dir_fd=a), os.open("..", os.O_RDONLY, dir_fd=b)
        os.close(a)
        os.close(b)
        a, b, depth = c, d, depth - 1
PY
set_flags() {
	(cd "$1/flags" && chattr +d nodump nodump-folder both && chattr +A noatime both && chattr +S sync &&
		chattr +i immutable immutable-folder && chattr +a append-only)
}
set_flags "$work/dst"
touch -r "$work/src" "$work/dst"
"$lib/compare.sh" "$work/src" "$work/dst" || fail "a true copy is refused"
"$lib/compare.sh" "$work/src" "$work/dst" --user || fail "a true copy is refused with --user"

refused() { # what [compare.sh's arguments]: the two trees must differ
	local what=$1 out
	shift
	out=$("$lib/compare.sh" "$@") && fail "not noticed: $what"
	[ -n "$out" ] || fail "noticed without a word: $what"
	count=$((count + 1))
}
count=0

# ---- changes where only descriptors reach
in_deepest() { # top python: runs it in the deepest folder
	python3 -c "
import os, sys
os.chdir(sys.argv[1])
while True:
    names = [n for n in os.listdir('.') if os.path.isdir(n) and not os.path.islink(n)]
    if not names: break
    os.chdir(names[0])
$2" "$work/dst/$1"
}
for top in beyond-path-max depth-4096; do
	in_deepest "$top" "t = os.stat('file').st_mtime_ns; f = open('file', 'r+b'); f.write(b'L'); f.close(); os.utime('file', ns=(0, t))"
	refused "a byte in the depths of $top" "$work/src" "$work/dst"
	in_deepest "$top" "t = os.stat('file').st_mtime_ns; f = open('file', 'r+b'); f.write(b'l'); f.close(); os.utime('file', ns=(0, t))"
done
in_deepest depth-4096 "os.setxattr('file', 'user.level', b'x')"
refused "an attribute in the depths" "$work/src" "$work/dst"
in_deepest depth-4096 "os.setxattr('file', 'user.level', b'4095')"

# ---- single changes to a smaller copy, each made and taken back
mkdir "$work/a"
for part in acl attributes content folders hard links owners special times; do
	cp -a --sparse=always "$work/src/$part" "$work/a/$part"
done
cp -a "$work/src/flags" "$work/a/flags" && set_flags "$work/a"
rm "$work/a/content/all-hole-16G" "$work/a/special/socket"
cp -a --sparse=always "$work/a" "$work/b" && set_flags "$work/b"
touch -r "$work/a" "$work/b"
"$lib/compare.sh" "$work/a" "$work/b" || fail "cp -a is refused"

change() { # what, how, how back: folder times are put back too, so that only the change itself can be noticed
	local what=$1
	(cd "$work/b" && eval "$2") || fail "cannot make the change: $what"
	(cd "$work/a" && find . -type d ! -path './flags/immutable-folder' -print0) | (cd "$work/b" &&
		xargs -0 -I{} sh -c '[ ! -d "$1" ] || touch -m -r "$0/$1" "$1"' "$work/a" {})
	refused "$what" "$work/a" "$work/b"
	(cd "$work/b" && eval "$3") || fail "cannot take back: $what"
	(cd "$work/a" && find . -type d ! -path './flags/immutable-folder' -print0) | (cd "$work/b" &&
		xargs -0 -I{} touch -m -r "$work/a/{}" {})
}
again() { echo "cp -a --sparse=always '$work/a/$1' '$1'"; }
same_time() { echo "touch -m -r '$work/a/$1' '$1'"; }

change "one byte of content" \
	"printf X | dd of=content/random-5M bs=1 seek=4000000 conv=notrunc status=none; $(same_time content/random-5M)" \
	"$(again content/random-5M)"
change "mtime by one nanosecond" "touch -m -d '2001-09-09 01:46:40.987654320 UTC' times/folder/.
	touch -m -d '1970-01-01 00:00:00.000000002 UTC' times/epoch-ns" \
	"$(same_time times/epoch-ns)"
change "mtime before 1970" "touch -m -d '1969-12-31 23:59:59.999999998 UTC' times/1969" "$(same_time times/1969)"
change "mode" "chmod 0645 owners/mode-0644" "chmod 0644 owners/mode-0644"
change "set-user-ID lost" "chmod u-s owners/mode-4755" "chmod 4755 owners/mode-4755"
change "sticky lost on a folder" "chmod -t folders/sticky" "chmod 1777 folders/sticky"
change "owner" "chown -h 12346 owners/link" "chown -h 12345 owners/link"
change "group" "chgrp 54322 flags/nodump" "chgrp 0 flags/nodump"
change "attribute's value" "setfattr -n user.00 -v other attributes/many" "setfattr -n user.00 -v v0 attributes/many"
change "attribute gone" "setfattr -x user.empty attributes/empty" "setfattr -n user.empty attributes/empty"
change "trusted attribute of a symbolic link" "setfattr -h -x trusted.link attributes/link" \
	"setfattr -h -n trusted.link -v 'on the link itself' attributes/link"
change "capability" "setcap -q -r attributes/capability" "setcap cap_net_raw,cap_sys_time+ep attributes/capability"
change "ACL entry" "setfacl -n -m u:7:r acl/access" "setfacl -n -m u:7:rw acl/access"
change "default ACL" "setfacl -k acl/default-only" "setfacl -d -n -m u::rwx,g::rx,o::- acl/default-only"
change "missing file" "rm content/empty" "$(again content/empty)"
change "extra file" "touch content/extra" "rm content/extra"
change "missing empty folder" "rmdir folders/empty" "$(again folders/empty)"
change "hard link broken into two files" "cp -a hard/two-b hard/x; mv hard/x hard/two-b" "ln -f hard/two-a hard/two-b"
change "hard link of a FIFO broken" "rm hard/fifo-b; mkfifo hard/fifo-b; touch -m -r $work/a/hard/fifo-b hard/fifo-b" \
	"ln -f hard/fifo-a hard/fifo-b"
change "hole filled with zeros" \
	"dd if=/dev/zero of=content/hole-in-front bs=64K count=16 conv=notrunc status=none; $(same_time content/hole-in-front)" \
	"rm content/hole-in-front; $(again content/hole-in-front)"
change "nodump flag" "chattr -d flags/nodump" "chattr +d flags/nodump"
change "immutable flag" "chattr -i flags/immutable" "chattr +i flags/immutable"
change "symbolic link's target" "ln -sfn nowhere2 links/dangling; touch -h -m -r '$work/a/links/dangling' links/dangling" \
	"rm links/dangling; $(again links/dangling)"
change "symbolic link turned into its file" "rm links/relative; cp -a links/target links/relative" \
	"rm links/relative; $(again links/relative)"
change "device number" "rm special/char; mknod -m 666 special/char c 1 5; chmod 644 special/char; $(same_time special/char)" \
	"rm special/char; $(again special/char)"
change "name in another encoding" "mv content/regular \$'content/regul\\xe4r'" "mv \$'content/regul\\xe4r' content/regular"
"$lib/compare.sh" "$work/a" "$work/b" || fail "the changes were not taken back"

echo "compare.sh accepts true copies (tar, cp -a, Python) and refuses each of $count single changes"
