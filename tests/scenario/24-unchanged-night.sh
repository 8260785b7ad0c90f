#!/bin/bash
# Goal: a night reads what changed and nothing else, and what it stores is what it would have stored had it read everything:
# after every kind of change the generation restored is the tree, judged by rsync, getfacl and others; whatever has become of
# what was remembered (statcache.h), it costs time and never content.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
[ "$(id -u)" = 0 ] || { say "nothing: owners, mounts and flags need root"; exit 0; }
src=$T/src
mkdir -p "$src"
python3 - "$src" <<'P'
import os, random, sys
rnd = random.Random(24)
for d in range(6):
    os.makedirs("%s/d%d/sub" % (sys.argv[1], d))
    for i in range(90):
        open("%s/d%d/%s%03d" % (sys.argv[1], d, "sub/" if i % 3 == 0 else "f", i), "wb").write(rnd.randbytes(rnd.randrange(3000)))
for i in range(4):
    open("%s/d5/big%d" % (sys.argv[1], i), "wb").write(rnd.randbytes(3_000_000))
P
site_policy "  - {name: docs, paths: [$src]}
	  - {name: other, paths: [$T/elsewhere]}"
sed -i 's/^datasets:/archive_size: 4 MiB\n&/' "$T/policy.yaml"
mkdir "$T/elsewhere"
for i in $(seq 200); do echo "$i" >"$T/elsewhere/$i"; done
site_make
cache=$T/state/cache/stat

# ---- a night that changes nothing
NIGHT_CLOCK=("FAKETIME=+0d") # what is a minute old at most is not believed
night 0 docs
NIGHT_CLOCK=()
night_traced 0 docs
[ "$(opened | sort -u | wc -l)" = 544 ] || die "files that had just been made were believed: $(opened | sort -u | wc -l) of 544 were read again"
same_tree "read twice"
night_traced 0 docs
[ "$(opened | wc -l)" = 0 ] || die "an unchanged night opened $(opened | head -n 3)"
[ "$(bytes_read)" = 0 ] || die "an unchanged night read $(bytes_read) bytes"
[ "$(field new_bytes)" = 0 ] && [ "$(field new_archives)" = 0 ] || die "an unchanged night stored $(field new_bytes) bytes"
same_tree "an unchanged night"
remembered=$(block_list "$G")
for i in 1 2; do # entries also keep the block boundaries when blocks are made of spliced entries
	echo "$i" >"$src/d2/f040"
	night_traced 0 docs
	[ "$(opened)" = "$src/d2/f040" ] || die "one file changed, and these were opened: $(opened | head -n 3)"
	remembered=$(block_list "$G")
	rm "$cache/docs.cache"
	night 0 docs
	[ -n "$remembered" ] && [ "$(block_list "$G")" = "$remembered" ] || die "the block list made without what was remembered is another"
	night 0 docs
	[ "$(block_list "$G")" = "$remembered" ] || die "the block list of an unchanged night is another"
done
ln "$src/d1/f001" "$src/d3/linked"
night 0 docs
night_traced 0 docs
[ "$(bytes_read)" = 0 ] || die "the content of a file with two names was read again"
say "an unchanged night opens no file, reads no byte of content and stores no archive; its block list is that of a night that remembers nothing"

# ---- kinds of change
changes=0
change() { # WHAT COMMAND...: done to the tree, then a night
	local what=$1
	shift
	(cd "$src" && "$@") || die "$what: cannot be done here"
	night "${EXPECT:-0}" docs
	same_tree "$what"
	changes=$((changes + 1))
}
quietly() { # FILE: other content, same size, modification time put back
	local t
	t=$(stat -c %y "$1")
	head -c "$(stat -c %s "$1")" /dev/urandom >"$1.new" && cat "$1.new" >"$1" && rm "$1.new" && touch -d "$t" "$1"
}
sh_c() { bash -euc "$1"; }
folder_quietly() { local t; t=$(stat -c %y d1); quietly d1/f001; touch -d "$t" d1; }
change "content, with size and time put back" folder_quietly
change "mode" chmod 4711 d0/f001
change "owner" chown 12345:54321 d0/f002 d0/sub
change "attribute" setfattr -n user.note -v 1 d0/f004
change "attribute of a folder" setfattr -n user.note -v 2 d1
change "attribute removed" setfattr -x user.note d0/f004
change "access control list" setfacl -n -m u:7:rw,m::rwx d0/f005
change "default access control list" setfacl -d -m u:7:rw d1
change "time" touch -d 2001-01-01 d0/f007
change "renamed" mv d0/f008 d0/e008
change "two files change places" sh_c 'mv d0/f010 x; mv d0/f011 d0/f010; mv x d0/f011'
change "folder moved" mv d4 d0/zz
change "folder moved back" mv d0/zz d4
change "in front of all" sh_c 'echo x >" first"; mkdir " folder"; echo y >" folder/f"'
change "behind all" sh_c 'echo x >"~last"; mkdir "~~"; echo y >"~~/f"'
change "between" sh_c 'echo x >d2/f0405; echo y >d2/sub.txt'
change "removed" rm d3/f031 " first" "~last"
change "a block's worth removed" rm -r d2 d3
change "and put back as others" cp -r d4 d2
change "a hard link" ln d0/f001 d5/second
change "a third name in front of the first" ln d0/f001 " a"
change "the first name removed" rm " a"
change "the folder of the first name renamed" mv d0 z0
change "and back" mv z0 d0
change "down to one name" rm d5/second
change "content of a file with two names" sh_c 'ln d1/f004 d5/two; echo other >d5/two'
change "its attributes" chmod 600 d5/two
change "a file becomes a folder" sh_c 'rm d1/f007; mkdir d1/f007; echo in >d1/f007/side'
change "the folder a link" sh_c 'rm -r d1/f007; ln -s nowhere d1/f007'
change "the link another" ln -sfn elsewhere d1/f007
change "the link a pipe" sh_c 'rm d1/f007; mkfifo d1/f007'
change "the pipe a file" sh_c 'rm d1/f007; echo again >d1/f007'
change "sparse" sh_c 'truncate -s 3G d1/sparse; echo x | dd of=d1/sparse bs=1M seek=700 conv=notrunc status=none'
change "another hole" sh_c 'echo y | dd of=d1/sparse bs=1M seek=100 conv=notrunc status=none'
change "empty folders" mkdir d1/empty d5/zz-empty
change "an empty folder vanishes" rmdir d1/empty
change "an empty file" sh_c ': >d1/nothing'
change "it grows" sh_c 'echo x >d1/nothing'
change "a file of 100 MB" sh_c 'head -c 100000000 /dev/urandom >d1/large'
change "a hundred bytes within it" sh_c 'head -c 100 /dev/zero | dd of=d1/large bs=1 seek=50000000 conv=notrunc status=none'
rm "$src/d1/large" "$src/d1/sparse"

# a mount over a folder, and off again: the site's rule is one file system
mkdir "$src/d4/over"
for i in $(seq 150); do echo "$i" >"$src/d4/over/$i"; done
change "a folder to mount over" true
mount -t tmpfs tmpfs "$src/d4/over"
night 0 docs
grep -q "W-FILE-06.*over" "$T/err" || die "the mount point was not told of"
same_tree "mounted over"
night 0 docs
same_tree "still mounted over"
echo "not seen" >"$src/d4/over/not-seen"
umount "$src/d4/over"
change "unmounted" true

# exclude changed in the policy
cp "$T/policy.yaml" "$T/policy.before"
sed -i "s|paths: \[$src\]|&, exclude: ['/**/sub']|" "$T/policy.yaml"
grep -q exclude "$T/policy.yaml" || die "the policy was not changed"
night 0 docs
rm -rf "$T/o"
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract "$G" docs --same-owner --to "$T/o" >/dev/null 2>&1 || die "extract"
rsync -aHAXnc --delete --exclude=sub --itemize-changes "$src/" "$T/o$src/" >"$T/differences"
[ ! -s "$T/differences" ] || { cat "$T/differences" >&2; die "names that are not excluded are missing"; }
[ -z "$(find "$T/o$src" -name sub)" ] || die "an excluded folder was captured"
cp "$T/policy.before" "$T/policy.yaml"
change "excluded no more" true

# what could not be read yesterday, or changed while it was read
chown 12345 "$src/d4/f001" && chmod 0 "$src/d4/f001"
night 0 docs
chmod 600 "$src/d4/f001" && chmod 0 "$src/d4/f001"
PROGRAM=$BKP
BKP=$T/without-power
printf '#!/bin/sh\nexec setpriv --bounding-set -dac_override,-dac_read_search %s "$@"\n' "$PROGRAM" >"$BKP"
chmod +x "$BKP"
night 1 docs
grep -q "W-FILE-01.*d4/f001" "$T/err" || die "the unreadable file was not told of"
night 1 docs
grep -q "W-FILE-01.*d4/f001" "$T/err" || die "a file that is unreadable for the second night was not told of"
BKP=$PROGRAM
change "readable again, without a change" true
head -c 60000000 /dev/urandom >"$src/d4/busy"
(while [ ! -e "$T/enough" ]; do echo x >>"$src/d4/busy"; done) &
writer=$!
night 1 docs
touch "$T/enough"
wait "$writer"
grep -q "W-FILE-02.*busy" "$T/err" || die "the test does not test: no file changed while it was read"
change "changed while it was read, yesterday" true
rm "$src/d4/busy"
say "after each of $changes kinds of change the generation restored is the tree"

# ---- many nights of many changes
python3 - "$src" 0 <<'P'
import os, random, shutil, sys
rnd = random.Random(240)
shutil.rmtree(sys.argv[1] + "/d5")
for i in range(300):
    p = "%s/r/%d/%d" % (sys.argv[1], rnd.randrange(12), rnd.randrange(3))
    os.makedirs(p, exist_ok=True)
    open("%s/%d" % (p, i), "wb").write(rnd.randbytes(rnd.choice((0, 100, 3000, 40000, 300000))))
P
night 0 docs
for n in $(seq 20); do
	python3 - "$src/r" "$n" <<'P'
import os, random, sys
top, rnd = sys.argv[1], random.Random(int(sys.argv[2]))
def files():
    return sorted(os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs if not os.path.islink(os.path.join(d, f)))
def folders():
    return sorted(d for d, _, _ in os.walk(top))
def fresh(d):
    return os.path.join(d, "%d-%x" % (rnd.randrange(1000), rnd.randrange(1 << 30)))
def content():
    return rnd.randbytes(rnd.choice((0, 1, 500, 5000, 70000, 270000, 1200000)))
for _ in range(rnd.randrange(1, 40)):
    f, d = rnd.choice(files()), rnd.choice(folders())
    what = rnd.randrange(14)
    if what <= 2:
        open(f, "wb").write(content())
    elif what == 3:
        open(f, "ab").write(b"more")
    elif what == 4:
        st = os.stat(f)
        open(f, "wb").write(rnd.randbytes(st.st_size))
        os.utime(f, ns=(0, st.st_mtime_ns))
    elif what <= 6:
        open(fresh(d), "wb").write(content())
    elif what == 7:
        os.unlink(f)
    elif what == 8:
        os.rename(f, fresh(d))
    elif what == 9:
        os.link(f, fresh(d))
    elif what == 10:
        os.chmod(f, rnd.choice((0o600, 0o644, 0o755)))
    elif what == 11:
        os.mkdir(fresh(d))
    elif what == 12 and d != top:
        to = rnd.choice(folders())
        if not (to + "/").startswith(d + "/"):
            os.rename(d, fresh(to))
    elif what == 13:
        os.symlink("x", fresh(d))
P
	# some generations were made by runs that remembered nothing
	[ $((n % 7)) != 0 ] || rm "$cache/docs.cache"
	change "random changes of night $n" true
done
archives=$(find "$T"/m1/*-*-*-*-*/archives -name '*.age' | wc -l)
[ "$archives" -gt 20 ] || die "only $archives archives: the test does not test"
say "20 nights of random changes, over $archives archives: each generation restored is the tree"

# ---- what is remembered is damaged, or not ours
night 0 other
cp "$cache/other.cache" "$T/other.cache"
mkdir "$T/n1"
printf 'site: {name: other, language: en}\nstate: %s\ndatasets:\n  - {name: docs, paths: [%s]}\nmedia:\n  - {name: n1, type: hdd, path: %s, place: x}\n' \
	"$T/state2" "$src" "$T/n1" >"$T/policy2.yaml"
"$BKP" init --policy "$T/policy2.yaml" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" medium add n1 --policy "$T/policy2.yaml" >/dev/null 2>&1
night 0 --policy "$T/policy2.yaml" docs
damage() { # WHAT PYTHON: done to the bytes p of the cache; a night that changes two files
	python3 - "$cache/docs.cache" "$2" <<'P'
import random, sys
rnd = random.Random(5)
p = bytearray(open(sys.argv[1], "rb").read())
exec(sys.argv[2])
open(sys.argv[1], "wb").write(p)
P
	EXPECT=0 change "what is remembered, $1" sh_c "echo $RANDOM >d1/f010; echo $RANDOM >d4/f010"
	night_traced 0 docs
	[ "$(opened | sort -u | while read -r f; do [ "$(stat -c %h "$f")" -gt 1 ] || echo "$f"; done | wc -l)" = 0 ] || die "$1: the night after opened files again"
	EXPECT=0 change "the night after: $1" true
}
damage "half of it" 'del p[len(p) // 2:]'
damage "empty" 'p = b""'
damage "50 bytes changed" 'for _ in range(50): p[rnd.randrange(len(p))] ^= 1 << rnd.randrange(8)'
damage "50 others" 'for _ in range(50): p[64 + rnd.randrange(len(p) - 64)] = rnd.randrange(256)'
damage "a part of it twice" 'p[1000:1000] = p[500:9000]'
cp "$T/other.cache" "$T/x"
damage "of another data set" "p = open('$T/x', 'rb').read()"
damage "of another repository" "p = open('$T/state2/cache/stat/docs.cache', 'rb').read()"
mv "$cache" "$cache.real"
mkdir -m 700 "$cache"
mount -t tmpfs -o size=16k,mode=700 tmpfs "$cache"
EXPECT=1 change "no room for it" true
grep -q "W-CAPTURE-01" "$T/err" || die "it was not told that nothing can be remembered"
umount "$cache"
mount -t tmpfs -o ro,mode=700 tmpfs "$cache"
EXPECT=1 change "read-only" true
grep -q "W-CAPTURE-01" "$T/err" || die "it was not told that nothing can be remembered"
umount "$cache"
rmdir "$cache"
mv "$cache.real" "$cache"
mount --bind "$cache" "$cache"
mount -o remount,bind,ro "$cache"
EXPECT=0 change "read-only, and nothing changed" true
EXPECT=1 change "read-only, and a change" sh_c 'echo ro >d1/f011'
umount "$cache"
change "writable again" true

# ---- archives that are not there any more
m1=$(echo "$T"/m1/*-*-*-*-*) m2=$(echo "$T"/m2/*-*-*-*-*)
thaw "$T/m1" "$T/m2"
# the archives that hold most of what is read: all but the youngest three
for a in $(cd "$m1/archives" && find . -name '*.age' | sort | tail -n 12 | head -n 9); do
	rm "$m1/archives/$a" "$m2/archives/$a"
done
night 0 docs
[ "$(field new_bytes)" -gt 100000 ] || die "the test does not test: nothing was stored again"
same_tree "archives gone from all media"
mv "$T/m2" "$T/m2.away"
mkdir "$T/m2"
EXPECT=1 change "on one medium" sh_c 'head -c 2000000 /dev/urandom >d1/new; for i in $(seq 50); do echo "$i new" >d1/new-$i; done'
mv "$T/m1" "$T/m1.away"
mkdir "$T/m1"
rmdir "$T/m2"
mv "$T/m2.away" "$T/m2"
night 1 docs
same_tree "on the other medium" m2
rmdir "$T/m1"
mv "$T/m1.away" "$T/m1"
night 0 docs
same_tree "both again"
same_tree "both again" m2

# ---- numbers that a run had given out when it was killed
for when in 2 4 6; do
	find "$src" -name 'new*' -delete
	for i in $(seq 40); do head -c 200000 /dev/urandom >"$src/d1/new-$i"; done
	NIGHT=$((NIGHT + 1))
	status strace -f -qq -o /dev/null -E "LD_PRELOAD=$FAKE" -E NO_FAKE_STAT=1 -E FAKETIME_DONT_FAKE_MONOTONIC=1 -E "FAKETIME=+${NIGHT}d" \
		-e trace=renameat2 -e inject=renameat2:signal=KILL:when=$when "$BKP" run docs
	[ "$STATUS" = 137 ] || die "the run was not killed: $STATUS"
	for i in $(seq 40); do [ $((i % 3)) = 0 ] || head -c 200000 /dev/urandom >"$src/d1/new-$i"; done
	change "killed, then other content under the same numbers" true
done
say "what is remembered cut, changed, exchanged, without room, read-only, of archives that are gone or numbers given out again: right generations"
