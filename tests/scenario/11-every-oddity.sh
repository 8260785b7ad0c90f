#!/bin/bash
# Goal: a tree with everything Linux has, captured and restored as root under LANG=C (as cron has it), is equal by rsync, find
# -printf with ns times, getfacl, getfattr, lsattr and a walk by descriptors; as an ordinary user what can be done is done,
# the rest is named.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (devices, owners, capabilities)"

# a real ext4: tmpfs and overlay have neither all attributes nor all flags
truncate -s 900M "$T/disk.img"
mkfs.ext4 -q -O ea_inode "$T/disk.img" 2>/dev/null || mkfs.ext4 -q "$T/disk.img"
mkdir "$T/fs"
mount -o loop,acl,user_xattr "$T/disk.img" "$T/fs"
chmod 0755 "$T/fs"
"$SRC_ROOT/tests/lib/oddities.sh" "$T/fs/src"
site_policy "  - {name: odd, paths: [$T/fs/src]}"
site_make
status env -i LANG=C PATH=/usr/sbin:/usr/bin:/sbin:/bin BKP_POLICY="$T/policy.yaml" "$BKP" run --all
# sockets are named, nothing else is amiss
[ "$STATUS" = 0 ] || fail "run: exit $STATUS" "$T/err"
grep -q 'W-FILE-03' "$T/err" || die "the socket was not named"
grep 'W-FILE-0[124567]' "$T/err" && die "something could not be captured"
status env -i LANG=C PATH=/usr/bin:/bin "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract odd@1 --to "$T/fs/out" --same-owner
[ "$STATUS" = 0 ] || fail "extract: exit $STATUS" "$T/err"
"$SRC_ROOT/tests/lib/compare.sh" "$T/fs/src" "$T/fs/out$T/fs/src" || die "the restored tree differs"
# further names of what is no file stand alone, without their first names
expect 0 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract odd@1 --to "$T/fs/alone" --same-owner \
	"$T"/fs/src/hard/{symlink,fifo,device}-b
for f in symlink fifo device; do
	[ "$(stat -c '%F %a %u %g %Y %t %T %N' "$T/fs/src/hard/$f-b" | sed "s|$T/fs/src|SRC|")" = \
		"$(stat -c '%F %a %u %g %Y %t %T %N' "$T/fs/alone$T/fs/src/hard/$f-b" | sed "s|$T/fs/alone$T/fs/src|SRC|")" ] ||
		die "$f-b alone: $(stat "$T/fs/alone$T/fs/src/hard/$f-b")"
done
# the same tree once more: the catalog is deterministic, so nothing new is stored
expect 0 "$BKP" run --json --all
python3 - "$T/out" <<'P' || die "capturing the same tree again stored content again"
import json, sys
sys.exit(json.load(open(sys.argv[1]))["datasets"][0]["new_bytes"] > 65536)
P
# an ordinary user
"$SRC_ROOT/tests/lib/rmtree.sh" "$T/fs/out"
chmod 0644 "$T/id.txt"
mkdir -m 0777 "$T/fs/user"
status setpriv --reuid 65534 --regid 65534 --clear-groups "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract odd@1 \
	--to "$T/fs/user/out"
[ "$STATUS" = 1 ] || fail "as an ordinary user: exit $STATUS, expected 1" "$T/err"
[ -s "$T/err" ] || die "an ordinary user is not told what could not be done"
find "$T/fs/user/out" -perm /6000 -type f | grep -q . && die "setuid bits were restored for an ordinary user"
n=$(find "$T/fs/src" | wc -l)
say "$n objects of every kind equal after capture and restore as root under LANG=C; an ordinary user is told what is left out"
