#!/bin/bash
# Goal: whatever a tree holds comes back equal, as rsync, getfacl and sha256sum see it; as root with --same-owner everything,
# as an ordinary user all that a user may have.  The medium is written by tests/lib/mkmedium.py, with none of our code.
# shellcheck disable=SC2015,SC2059
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
R=$BKP_BIN/bkp-restore
T=$(mktemp -d)
export BKP_SLIPS=$T/slips
trap 'chattr -R -i -a "$T" 2>/dev/null || :; chmod -R u+rwx "$T" 2>/dev/null || :; rm -rf "$T"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
[ "$(id -u)" = 0 ] || { echo "proved: nothing, needs root"; exit 0; }

S=$T/src
mkdir -p "$S/dir/sub" "$S/empty" "$S/患者" "$S/closed" "$S/sgid"
echo hello >"$S/a"
: >"$S/nothing"
head -c 5000000 /dev/urandom >"$S/dir/big"
truncate -s 40M "$S/dir/sparse"
printf x | dd of="$S/dir/sparse" bs=1 seek=20000000 conv=notrunc status=none
truncate -s 3G "$S/dir/hole"
ln "$S/a" "$S/dir/hard"
ln "$S/a" "$S/zhard"
ln -s ../a "$S/dir/sym"
ln -s /etc/passwd "$S/abs"
ln "$S/abs" "$S/abs-hard" 2>/dev/null || :
mkfifo "$S/fifo"
mknod "$S/null" c 1 3
ln "$S/fifo" "$S/zfifo"
touch "$S/患者/氏名.txt" "$S/$(printf 'cp932-\x8a\xb3\x8e\xd2')" "$S/$(printf 'nl\nline')" "$S/ *?[x]\\ "
for i in $(seq 1 255); do
	[ "$i" = 47 ] && continue
	c=$(printf '\\x%02x' "$i")
	printf '%d' "$i" >"$S/sgid/byte-$(printf "$c")-"
done
echo s >"$S/suid"
echo x >"$S/ro"
chown 1234:2345 "$S/dir/big" "$S/dir" "$S/suid"
chown -h 77:88 "$S/dir/sym"
chmod 4755 "$S/suid"
chmod 0000 "$S/closed" "$S/ro"
chmod 2775 "$S/sgid"
chmod 1777 "$S/empty"
touch -d '1901-12-14 00:00:00 UTC' "$S/a"
touch -d '2446-01-01 00:00:00.999999999 UTC' "$S/dir/big" 2>/dev/null || :
touch -h -d '1999-12-31 23:59:59.5 UTC' "$S/dir/sym"
setfattr -n user.note -v "$(printf 'b\001in')" "$S/a" 2>/dev/null && setfattr -n trusted.t -v 1 "$S/a" || :
setfattr -n user.dir -v d "$S/dir" 2>/dev/null || :
setfacl -m u:1234:rw,g:2345:r "$S/zhard" 2>/dev/null || :
setfacl -m u:7:rx -d -m u:8:rwx "$S/患者" 2>/dev/null || :
setcap cap_net_raw+ep "$S/suid" 2>/dev/null || :
chmod u+s "$S/suid"
touch -d '2001-02-03 04:05:06.000000007 UTC' "$S/dir" "$S/closed" "$S/患者" "$S/sgid" "$S/empty"
mkdir "$S/frozen"; echo x >"$S/frozen/in"; echo y >"$S/log"; ln "$S/frozen/in" "$S/frozen/zin"
touch -d '2010-01-01 UTC' "$S/log" "$S/frozen/in" "$S/frozen"
chattr +d "$S/ro" 2>/dev/null && chattr +a "$S/log" && chattr +i "$S/frozen/in" "$S/frozen" ||
	echo "note: no file flags on this file system"

python3 "$here/lib/mkmedium.py" "$T/keys" "$T/medium" docs="$S" 2>/dev/null
set -- --medium "$T/medium" --identity "$T/keys/identity.txt" --quiet
equal() { # equal A B rsync-options…
	local a=$1 b=$2 out
	shift 2
	out=$(rsync -nci --delete "$@" "$a/" "$b/" | grep -v ' \./$' || :)
	[ -z "$out" ] || fail "differs: $out"
}

$R "$@" verify 1 --deep || fail "verify --deep"
$R "$@" extract docs@1 --to "$T/out" --same-owner || fail "extract as root said $?"
equal "$S" "$T/out" -aHAX
acls() { (cd "$1" && find . -mindepth 1 ! -type l -print0 | sort -z | xargs -0 getfacl -pn); }
acls "$S" >"$T/want"; acls "$T/out" | cmp -s - "$T/want" || fail "ACLs"
grep -q '^user:1234:rw-' "$T/want" || echo "note: no ACLs on this file system"
(cd "$S" && find . ! -path . -printf '%p %y %m %U %G %T@ %n %s\n' | sort) >"$T/want"
(cd "$T/out" && find . ! -path . -printf '%p %y %m %U %G %T@ %n %s\n' | sort) >"$T/have"
grep -av ' d ' "$T/want" >"$T/want1"; grep -av ' d ' "$T/have" | cmp -s - "$T/want1" ||
	fail "metadata: $(diff "$T/want" "$T/have" | head -5)"
[ "$(stat -c %b "$T/out/dir/hole")" -lt 100 ] || fail "a hole takes space"

flags() { (cd "$1" && lsattr -R . 2>/dev/null | sed 's/-e-/---/' | grep -aE '^[-a-zA-Z]+ ' | LC_ALL=C sort -k2); }
[ "$(flags "$S")" = "$(flags "$T/out")" ] || fail "file flags: $(diff <(flags "$S") <(flags "$T/out"))"
chattr -R -f -i -a "$T/out" "$S" || :

# a second time: nothing is overwritten, every file is named; with --overwrite all is well again
echo mine >"$T/out/dir/big"
rc=0; $R "$@" extract docs@1 --to "$T/out" --same-owner 2>"$T/err" || rc=$?
[ $rc = 1 ] && [ "$(cat "$T/out/dir/big")" = mine ] && grep -q "E-RESTORE-07: 'dir/big'" "$T/err" || fail "existing files, exit $rc"
chattr -R -f -i -a "$T/out" || :
$R "$@" extract docs@1 --to "$T/out" --same-owner --overwrite || fail "--overwrite"
equal "$S" "$T/out" -aHAX

# some paths only: links among them, parents with their metadata, sources outside untouched
$R "$@" extract docs@1 --to "$T/part" --same-owner dir/hard zhard 'dir/s*' || fail "part"
[ "$(stat -c %i "$T/part/dir/hard")" = "$(stat -c %i "$T/part/zhard")" ] && [ ! -e "$T/part/a" ] || fail "links of a part"
cmp -s "$S/a" "$T/part/zhard" || fail "content of a part"
[ "$(stat -c '%a %u %Y' "$S/dir")" = "$(stat -c '%a %u %Y' "$T/part/dir")" ] || fail "parent folder's metadata"
rc=0; $R "$@" extract docs@1 --to "$T/part2" no/such 2>/dev/null || rc=$?
[ $rc = 2 ] || fail "a path that is not there gave $rc"

# root without --same-owner: nothing that gives privileges
rc=0; $R "$@" extract docs@1 --to "$T/plain" 2>"$T/err" || rc=$?
[ $rc = 1 ] && grep -q "E-RESTORE-06: 'null'" "$T/err" || fail "device, exit $rc"
[ -z "$(lsattr -R "$T/plain" 2>/dev/null | grep -aE '^[-a-zA-Z]*[ia][-a-zA-Z]* ')" ] || fail "immutable without --same-owner"
[ -z "$(find "$T/plain" -perm /6000 -o -type c -o -type b -o ! -uid 0)" ] ||
	fail "privileges: $(find "$T/plain" -perm /6000 -o ! -uid 0 | head -3)"
[ -z "$(getcap -r "$T/plain" 2>/dev/null)" ] && ! getfattr -n trusted.t "$T/plain/a" >/dev/null 2>&1 || fail "capabilities"
equal "$S" "$T/plain" -rlHtc --specials --no-perms --exclude null

# an ordinary user
mkdir -m 777 "$T/user"; chmod 755 "$T"; cp "$T/keys/identity.txt" "$T/id"; chmod 644 "$T/id"
rc=0; setpriv --reuid 65534 --regid 65534 --clear-groups "$R" --medium "$T/medium" --identity "$T/id" -q extract docs@1 \
	--to "$T/user/out" 2>"$T/err" || rc=$?
[ $rc = 1 ] || fail "as a user: exit $rc: $(cat "$T/err")"
[ "$(grep -c '^bkp-restore: E-' "$T/err")" = 1 ] || fail "as a user: $(cat "$T/err")"
equal "$S" "$T/user/out" -rlHtc --specials --no-perms --exclude null
rc=0; setpriv --reuid 65534 --regid 65534 --clear-groups "$R" --medium "$T/medium" --identity "$T/id" extract docs@1 --to "$T/user/o2" \
	--same-owner 2>/dev/null || rc=$?
[ $rc = 64 ] || fail "--same-owner as a user gave $rc"

# streams
$R "$@" cat docs@1 dir/big | cmp -s - "$S/dir/big" || fail "cat"
$R "$@" cat docs@1 /dir/sparse | cmp -s - "$S/dir/sparse" || fail "cat of a sparse file"
$R "$@" cat docs@1 zhard | cmp -s - "$S/a" || fail "cat of a hard link"
$R "$@" cat docs@1 dir/big | head -c 10 >/dev/null || :
$R "$@" list docs@1 --json | python3 -c '
import base64, json, os, sys
d = json.load(sys.stdin)
have = {base64.b64decode(e["path_b64"]) if "path_b64" in e else e["path"].encode() for e in d["entries"]}
want = {os.path.relpath(os.path.join(t, n), sys.argv[1].encode()) for t, ds, fs in os.walk(sys.argv[1].encode()) for n in ds + fs}
assert have == want, have ^ want' "$S" || fail "list --json"
[ "$($R "$@" list docs@1 | wc -l)" = "$(find "$S" -mindepth 1 -printf x | wc -c)" ] || fail "list: a name broke a line"

# a full target: said once, with what to do, exit 2, and no half file
mkdir "$T/small"
if mount -t tmpfs -o size=2M none "$T/small" 2>/dev/null; then
	rc=0; $R "$@" extract docs@1 --to "$T/small/out" 2>"$T/err" || rc=$?
	umount "$T/small" || umount -l "$T/small"
	[ $rc = 2 ] && grep -q E-RESTORE-10 "$T/err" && ! grep -q "E-RESTORE-09" "$T/err" || fail "a full target: exit $rc: $(cat "$T/err")"
fi

# export: both tars extract the same (holes are plain there, so not the 3 GB file)
rm "$S/dir/hole"
echo masked >"$S/dir/masked"
chmod 0600 "$S/dir/masked"
masked= # its group may do all, and its mask lets it read: who knows no ACLs must not give it more
! setfacl -m u:7:rw,g::rwx,m::r "$S/dir/masked" 2>/dev/null || masked=yes
python3 "$here/lib/mkmedium.py" "$T/keys" "$T/medium2" docs="$S" 2>/dev/null
E="$R --medium $T/medium2 --identity $T/keys/identity.txt --quiet export docs@1"
mkdir "$T/gnu" "$T/bsd" "$T/none"
if [ -n "$masked" ]; then
	$E | tar -C "$T/none" --warning=no-unknown-keyword --no-acls -xpf - --wildcards '*dir/masked' || fail "GNU tar without ACLs"
	[ "$(stat -c %a "$T/none/dir/masked")" = 640 ] || fail "exported with an ACL of mask r: mode $(stat -c %a "$T/none/dir/masked")"
fi
$E | tar -C "$T/gnu" --warning=no-unknown-keyword --xattrs --xattrs-include='*' --acls --same-owner -xpf - || fail "GNU tar"
equal "$S" "$T/gnu" -aHAX
if command -v bsdtar >/dev/null; then
	$E | LC_ALL=C.UTF-8 bsdtar -C "$T/bsd" --acls --xattrs -xpf - || fail "bsdtar"
	equal "$S" "$T/bsd" -aHAX
fi
echo "proved: $(wc -l <"$T/want") entries of every kind came back equal as root, stripped as a user, through both tars and in part"
