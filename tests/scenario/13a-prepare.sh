#!/bin/bash
# Goal: an empty disk becomes a medium with one command; what is in use, is a medium of this site, or holds anything that nobody has
# named is not touched by a single bit; what was made is what sfdisk, blkid and fsck say it is.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (loop devices)"
typed() { # ANSWER COMMAND…: at a terminal; what it shows goes to standard error
	local answer=$1
	shift
	printf '%s\n' "$answer" | script -qec "$(printf '%q ' "$@")" /dev/null | tr -d '\r' >&2
	return "${PIPESTATUS[1]}"
}
mkdir -p "$T/src"
seq 1000 >"$T/src/list.txt"
site_make 2>/dev/null
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 金庫}
  - {name: RDX-02-of-a-long-name, type: rdx, offline: true, place: 金庫}
Y
loops=()
drop_loops() {
	local l
	fsfreeze -u "$T/rdx" 2>/dev/null || true
	site_cleanup
	for l in "${loops[@]}"; do losetup -d "$l" || true; done
}
trap drop_loops EXIT
disk() { # FILE SIZE: a loop device of that file, in $L
	[ -e "$1" ] || truncate -s "$2" "$1"
	L=$(loop_of -P "$1")
	loops+=("$L")
}
prepare() { "$BKP" medium prepare "$@" --operator Sato </dev/null; }
untouched() { # WORDS CODE COMMAND…: refused with that code, and not a bit of the disk is another
	local words=$1 code=$2 before image
	shift 2
	image=$(losetup -nO BACK-FILE "$L") # the device's own cache knows nothing of what went through its partition
	sync
	before=$(sha256sum <"$image")
	status "$@"
	[ "$STATUS" = 2 ] && grep -q "bkp: $code: " "$T/err" || fail "$words: exit $STATUS, not $code"
	grep -q '^  → ' "$T/err" || fail "$words: what to do is not said"
	sync
	[ "$before" = "$(sha256sum <"$image")" ] || die "$words: the disk was changed"
}

# ---- an empty disk, in one command
disk "$T/new.img" 96M
expect 0 prepare "$L" RDX-01 --add
grep -q 'it holds nothing' "$T/err" || fail "what it holds is not said"
sfdisk -J "$L" | jq -e '.partitiontable | .label == "gpt" and (.partitions | length == 1)' >/dev/null || die "the partition table"
part=$(findmnt -n -o SOURCE "$T/rdx")
[ "$(blkid -o value -s LABEL "$part")" = RDX-01 ] && [ "$(blkid -o value -s TYPE "$part")" = ext4 ] || die "label and type of $part"
for o in noexec nosuid nodev; do findmnt -n -o OPTIONS "$T/rdx" | grep -qw $o || die "mounted without $o"; done
expect 0 "$BKP" run --all --quiet
status "$BKP" rotate RDX-01 --operator Sato --quiet
[ "$STATUS" -le 1 ] || fail "rotation onto the new disk"
whole "$T/rdx" 1 || fail "what is on the new disk"
record medium-prepared | jq -e --arg u "$(blkid -o value -s UUID "$part")" \
	'.fs_uuid == $u and .label == "RDX-01" and .operator == "Sato" and .held == [] and .bytes == 100663296' >/dev/null ||
	die "the record"
say "an empty disk becomes a medium with one command; sfdisk, blkid and a rotation agree"

# ---- in use, a medium of this site, another name's
fsfreeze -f "$T/rdx" # ext4 fills its inode tables in the background
untouched "mounted" E-PREPARE-02 prepare "$L" RDX-02-of-a-long-name --erase "$(blkid -o value -s UUID "$part")"
grep -q "mounted at '$T/rdx'" "$T/err" || fail "where it is mounted is not said"
fsfreeze -u "$T/rdx"
umount "$T/rdx"
[ "$(fsck.ext4 -fn "$part" >"$T/fsck" 2>&1; echo $?)" = 0 ] || fail "fsck" "$T/fsck"
uuid=$(blkid -o value -s UUID "$part")
untouched "a medium in use" E-PREPARE-03 prepare "$L" RDX-02-of-a-long-name --erase "$uuid"
grep -q "is the medium 'RDX-01' of this site" "$T/err" || fail "which medium it is is not said"
untouched "a name in use" E-MEDIA-19 prepare "$L" RDX-01 --erase "$uuid"
# registered under another file system's UUID: what it carries tells all the same
other_uuid "$part"
uuid=$(blkid -o value -s UUID "$part")
untouched "a medium in use, by its identity" E-PREPARE-03 prepare "$L" RDX-02-of-a-long-name --erase "$uuid"
"$BKP" -q medium lost RDX-01 --reason test --operator Sato >/dev/null
untouched "a lost medium" E-PREPARE-03 prepare "$L" RDX-02-of-a-long-name --erase "$uuid"
for bad in "$T/src" /dev/null "$part" "$T/nothing"; do
	status prepare "$bad" RDX-02-of-a-long-name
	[ "$STATUS" = 2 ] && grep -q E-PREPARE-01 "$T/err" || fail "no disk: $bad"
done
status prepare "$L" RDX-99
[ "$STATUS" = 64 ] && grep -q E-MEDIA-15 "$T/err" || fail "a name that the policy does not have"
say "what is mounted, a medium of this site (by UUID, by its identity, lost), no disk, an unknown name: refused, not a bit changed"

# ---- it holds something
"$BKP" -q medium retire RDX-01 --reason test --operator Sato
untouched "nobody agreed" E-PREPARE-06 prepare "$L" RDX-01
grep -q "it holds: ext4 'RDX-01' $uuid" "$T/err" || fail "what it holds is not said"
grep -q "it holds: bkp medium 'RDX-01' of repository $(basename "$(repo_of "$T/m1")")" "$T/err" ||
	fail "what it holds is not said"
untouched "another disk was meant" E-PREPARE-05 prepare "$L" RDX-01 --erase 12345678-dead
untouched "a wrong word is typed" E-PREPARE-05 typed yes "$BKP" medium prepare "$L" RDX-01 --operator Sato
expect 0 typed "$uuid" "$BKP" medium prepare "$L" RDX-01 --operator Sato
[ "$(blkid -o value -s UUID "$(findmnt -n -o SOURCE "$T/rdx")")" != "$uuid" ] || die "it was not made anew"
umount "$T/rdx"
disk "$T/stick.img" 64M
head -c 3000000 /dev/urandom | dd of="$L" bs=1M seek=20 conv=fsync 2>/dev/null
untouched "bytes that nobody knows" E-PREPARE-06 prepare "$L" RDX-01
disk "$T/empty.img" 64M
untouched "an empty disk where another was meant" E-PREPARE-05 prepare "$L" RDX-01 --erase 12345678-dead
disk "$T/small.img" 8M
untouched "too small" E-PREPARE-04 prepare "$L" RDX-01
mkswap "$T/stick.img" >/dev/null 2>&1
disk "$T/stick.img" 64M
swap=$(blkid -o value -s UUID "$L")
expect 0 prepare "$L" RDX-02-of-a-long-name --erase "$swap" --json
jq -e '.label == "RDX-02-of-a-long-name" and .path == null' "$T/out" >/dev/null || fail "--json"
[ "$(blkid -o value -s LABEL "$(jq -r .device "$T/out")")" = RDX-02-of-a-long ] || die "as much of the name as a label holds"
disk "$T/x.img" 400M
expect 0 prepare "$L" RDX-01 --fs xfs --path "$T/x"
[ "$(findmnt -n -o FSTYPE "$T/x")" = xfs ] || die "xfs"
say "what a disk holds is said, and it goes only by the leave of who names it, typed or with --erase; xfs, a name longer than a label"
expect 0 "$BKP" journal verify
