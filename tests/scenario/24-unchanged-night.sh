#!/bin/bash
# Goal: a night reads what changed and nothing else, and what it stores is what it would have stored had it read everything:
# after every kind of change the generation restored is the tree, judged by rsync, getfacl and others.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
[ "$(id -u)" = 0 ] || { say "nothing: owners, mounts and flags need root"; exit 0; }
src=$T/src
site_of_nights
cache=$T/state/cache/stat

# ---- a night that changes nothing
night_clock "FAKECLOCK=0" # what is a minute old at most is not believed
night 0 docs
night_clock
night_traced 0 docs
[ "$(opened | sort -u | wc -l)" = 544 ] ||
	die "files that had just been made were believed: $(opened | sort -u | wc -l) of 544 were read again"
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
	[ -n "$remembered" ] && [ "$(block_list "$G")" = "$remembered" ] ||
		die "the block list made without what was remembered is another: $remembered | $(block_list "$G")"
	night 0 docs
	[ "$(block_list "$G")" = "$remembered" ] || die "the block list of an unchanged night is another"
done
ln "$src/d1/f001" "$src/d3/linked"
night 0 docs
night_traced 0 docs
[ "$(bytes_read)" = 0 ] || die "the content of a file with two names was read again"
say "an unchanged night opens no file, reads no byte of content and stores no archive; its block list is that of a night that remembers" \
	"nothing"

# ---- kinds of change
changes=0
quietly() { # FILE: other content, same size, modification time put back
	local t
	t=$(stat -c %y "$1")
	head -c "$(stat -c %s "$1")" /dev/urandom >"$1.new" && cat "$1.new" >"$1" && rm "$1.new" && touch -d "$t" "$1"
}
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
policy_accept
night 0 docs
rm -rf "$T/o"
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract "docs@$G" --same-owner --to "$T/o" >/dev/null 2>&1 || die "extract"
rsync -aHAXnc --delete --exclude=sub --itemize-changes "$src/" "$T/o$src/" >"$T/differences"
[ ! -s "$T/differences" ] || fail "names that are not excluded are missing" "$T/differences"
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
