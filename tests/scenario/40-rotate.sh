#!/bin/bash
# Goal: a medium kept offline (real ext4 on a loop device) is rotated, unmounted, mounted "on another machine" without the
# state folder, and every generation is restored from it alone.  What is not the registered disk is refused: a folder, a disk
# of another site, a copy of the files on another disk, exchanged identities, a write-protected one.  A disk that is too small,
# lost and damaged files are said, and the next rotation goes on.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/keys.sh"
[ "$(id -u)" = 0 ] || die "needs root (loop devices)"

disk() { truncate -s "$2" "$T/$1.img"; mkfs.ext4 -q -m 0 "$T/$1.img"; mkdir -p "$T/$1"; }
attach() { mkdir -p "$T/${2:-$1}"; mount -o "loop${3:+,$3}" "$T/$1.img" "$T/${2:-$1}"; }
detach() { umount "$T/$1"; }
policy() { # OFFLINE-MEDIA
	sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	people:
	  - {name: 事務長, roles: [manager, operator]}
	  - {name: Sato, roles: [operator]}
	  - {name: Kato, roles: [auditor]}
	datasets:
	  - {name: docs, title: 文書, paths: [$T/src], every: day}
	media:
	  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
	$1
	Y
}
rotate() { "$BKP" rotate --operator Sato --quiet "$@"; }
sums() { (cd "$1"/*-*-*-*-*/ && find datasets -type f -exec sha256sum {} + | sort -k2); }
# same NAS DISK: every file of every generation on the disk is the one on the NAS
same() {
	diff <(sums "$1") <(sums "$2") >&2 || die "the disk does not hold what the NAS holds"
	diff -r "$1"/*-*-*-*-*/datasets/docs/archives "$2"/*-*-*-*-*/datasets/docs/archives >&2 || die "diff -r of the archives"
	for g in "$2"/*-*-*-*-*/datasets/docs/generations/*; do
		(cd "$g/../.." && sha256sum --quiet -c "$g/SHA256SUMS") || die "sha256sum -c of $g"
		signed "$ROOT" "$(repo_of "$2")" "$g/SHA256SUMS" || die "minisign of $g"
	done
}
field() { python3 -c 'import json,sys; v=json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v=v[k]
print(str(v).lower() if isinstance(v,bool) else v)' "$T/out" "$1"; }
events() { sed -n 's/.*"event":"\([a-z-]*\)".*/\1/p' "$T/state/journal/000001.jsonl"; }

mkdir -p "$T/src/sub" "$T/nas"
ln -s nowhere "$T/src/link"
echo acl >"$T/src/acl"; setfacl -m u:1:r "$T/src/acl"; setfattr -n user.x -v y "$T/src/acl"
truncate -s 5M "$T/src/sparse"; printf x | dd of="$T/src/sparse" bs=1 seek=3000000 conv=notrunc status=none
head -c 3000000 /dev/urandom >"$T/src/big"
echo one >"$T/src/sub/file"; ln "$T/src/sub/file" "$T/src/hard"
age-keygen -o "$T/id.txt" 2>/dev/null
OFFLINE="  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 別棟 保管庫B}
	  - {name: RDX-02, type: rdx, offline: true, path: $T/rdx2, place: 金庫}"
policy "$OFFLINE"
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >"$T/init.out"
ROOT=$(grep -oE 'RW[A-Za-z0-9+/=]{54}' "$T/init.out" | head -n 1)
disk rdx 80M
disk rdx2 80M
attach rdx
expect 0 "$BKP" --quiet medium add nas
expect 0 "$BKP" --quiet medium add RDX-01
uuid=$(blkid -p -s UUID -o value "$T/rdx.img")
grep -q "\"label\":\"RDX-01\".*\"fs_uuid\":\"$uuid\"" "$T/state/journal/000001.jsonl" || die "the file system's UUID is not recorded"
status rotate
[ "$STATUS" = 2 ] && grep -q E-ROTATE-06 "$T/err" || die "rotated without a generation: $(cat "$T/err")"
for g in 1 2 3; do
	echo "generation $g" >"$T/src/sub/file$g"
	head -c 700000 /dev/urandom >"$T/src/data$g"
	rm -rf "$T/truth$g"; cp -a --reflink=auto "$T/src" "$T/truth$g"
	expect 0 "$BKP" --quiet run --all
done

# ---- the ordinary rotation
expect 0 "$BKP" rotate --operator Sato
cat "$T/out" >"$T/first"
grep -q "unmount it (umount $T/rdx), take it to '別棟 保管庫B', then record it with 'bkp medium move RDX-01 --operator Sato'" "$T/first" ||
	die "what to do next is not said: $(cat "$T/first")"
[ "$(tail -n 1 "$T/first" | grep -c 'RDX-01.*complete')" = 1 ] || die "the last line is not the sentence: $(cat "$T/first")"
! grep -qi worm "$T/first" || die "a disk is called WORM"
same "$T/nas" "$T/rdx"
[ "$(lsattr "$T"/rdx/*/datasets/docs/archives/*/*.age "$T"/rdx/*/datasets/docs/generations/*/* | grep -vc '^....i')" = 0 ] ||
	die "files on the disk are not immutable"
grep -q 'テスト診療所' "$T/rdx/README.txt" || die "README.txt"
carried "$T"/rdx/*/journal/000001.jsonl || die "the journal on the disk is not the journal"
carried "$T"/nas/*/journal/000001.jsonl || die "the journal on the NAS is not the journal"
expect 0 "$BKP" journal verify --file "$T"/rdx/*/journal/000001.jsonl --root-key "$ROOT"
[ "$(events | tail -n 3 | xargs)" = 'rotated heads outcome' ] ||
	die "the last records are not 'rotated', 'heads', 'outcome': $(events | tail -n 3 | xargs)"
record rotated | grep -q '"operator":"Sato","place":"別棟 保管庫B","generations":3,"newest":3,"copied":3,.*"unfrozen":0,"complete":true' ||
	die "the record: $(record rotated)"
expect 0 "$BKP" rotate --operator 事務長 --place 銀行 --json
[ "$(field copied)" = 0 ] && [ "$(field complete)" = true ] && [ "$(field place)" = 銀行 ] || die "again: $(cat "$T/out")"
[ "$(field rechecked)" = 0 ] || die "what was read back just now is read again"
expect 0 "$BKP" rotate RDX-01 --operator Sato --recheck all --json
[ "$(field rechecked)" = 3 ] || die "--recheck all: $(cat "$T/out")"

# ---- another machine: no state folder, another mount point, nothing else attached
detach rdx
expect 0 "$BKP" --quiet medium move RDX-01 --operator Sato
mv "$T/state" "$T/state.away"; mv "$T/nas" "$T/nas.away"
attach rdx elsewhere ro
expect 0 "$RESTORE" --medium "$T/elsewhere" --root-key "$ROOT" generations
for g in 1 2 3; do
	expect 0 "$RESTORE" --quiet --medium "$T/elsewhere" verify $g
	expect 0 restore_to "$T/elsewhere" $g "$T/o$g"
	[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/truth$g/" "$T/o$g$T/src/")" ] ||
		die "generation $g restored from the disk alone differs"
done
umount "$T/elsewhere"
mv "$T/state.away" "$T/state"; mv "$T/nas.away" "$T/nas"
say "3 generations on a real ext4, equal to the NAS (sha256sum, diff -r, minisign), restored from the disk alone equal (rsync -aHAXnc)"

# ---- what is refused.  Nothing of it may change what is there.
refuse() { # EXIT CODE WORDS...: `rotate WORDS` is refused with that code
	local want=$1 code=$2
	shift 2
	status rotate "$@"
	[ "$STATUS" = "$want" ] || fail "exit $STATUS, expected $want: rotate $*"
	grep -q "$code" "$T/err" || die "rotate $*: not $code but $(cat "$T/err")"
	grep -q '→' "$T/err" || die "rotate $*: no next action: $(cat "$T/err")"
}
refuse 2 E-ROTATE-02 RDX-01
[ -z "$(ls -A "$T/rdx")" ] || die "an empty mount point was written to"
refuse 2 E-ROTATE-02
# a place that cannot be looked at is not "nothing there"
rmdir "$T/rdx" && ln -s rdx "$T/rdx"
refuse 2 E-IO-07
refuse 2 E-IO-07 RDX-01
rm "$T/rdx" && mkdir "$T/rdx"
refuse 2 E-MEDIA-06 RDX-02
refuse 64 E-ROTATE-01 nas
refuse 64 E-MEDIA-15 RDX-03
status "$BKP" rotate RDX-01
[ "$STATUS" = 64 ] && grep -q -e --operator "$T/err" || die "without --operator: $STATUS"
status "$BKP" rotate RDX-01 --operator Satoo
[ "$STATUS" = 64 ] && grep -q "'Sato'.*事務長, Sato$" "$T/err" || die "an unknown operator: $STATUS $(cat "$T/err")"
status "$BKP" rotate RDX-01 --operator Kato
[ "$STATUS" = 64 ] && grep -q E-OPERATOR-01 "$T/err" || die "an auditor rotates: $STATUS $(cat "$T/err")"
status "$BKP" rotate RDX-01 --operator Sato --recheck soon
[ "$STATUS" = 64 ] || die "--recheck soon: $STATUS"
# write-protected
attach rdx rdx ro
refuse 2 E-ROTATE-05
detach rdx
# a copy of the files on another disk
attach rdx elsewhere
attach rdx2
cp -a "$T/elsewhere/." "$T/rdx2/"
umount "$T/elsewhere"
sums "$T/rdx2" >"$T/before"
refuse 2 E-DEVICE-02 RDX-01
sums "$T/rdx2" | cmp - "$T/before" || die "a copy that was refused was written to"
detach rdx2
mkfs.ext4 -q -F "$T/rdx2.img"
# exchanged identities: each is signed and of this repository, but on the other's disk
attach rdx; attach rdx2
expect 0 "$BKP" --quiet medium add RDX-02
refuse 64 E-ROTATE-03
for f in bkp-medium.json bkp-medium.json.minisig; do
	cp "$T/rdx/$f" "$T/x"; cp "$T/rdx2/$f" "$T/y"
	cp --remove-destination "$T/y" "$T/rdx/$f"; cp --remove-destination "$T/x" "$T/rdx2/$f"
done
refuse 2 E-DEVICE-02 RDX-01
refuse 2 E-DEVICE-02 RDX-02
for f in bkp-medium.json bkp-medium.json.minisig; do
	cp "$T/rdx/$f" "$T/x"; cp "$T/rdx2/$f" "$T/y"
	cp --remove-destination "$T/y" "$T/rdx/$f"; cp --remove-destination "$T/x" "$T/rdx2/$f"
done
# the disks in each other's place are still the disks they are
detach rdx; detach rdx2
attach rdx rdx2; attach rdx2 rdx
expect 0 rotate RDX-02
same "$T/nas" "$T/rdx"
umount "$T/rdx" "$T/rdx2"
# a disk of another site
(
	T2=$T/site2; mkdir -p "$T2/src" "$T2/nas"; echo x >"$T2/src/x"
	sed "s|$T/|$T2/|g" "$T/policy.yaml" >"$T2/policy.yaml"
	export BKP_POLICY=$T2/policy.yaml
	"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
	truncate -s 20M "$T2/d.img"; mkfs.ext4 -q "$T2/d.img"; mkdir "$T2/rdx"; mount -o loop "$T2/d.img" "$T2/rdx"
	"$BKP" --quiet medium add RDX-01
	umount "$T2/rdx"
)
mount -o loop "$T/site2/d.img" "$T/rdx"
refuse 2 E-MEDIA-02 RDX-01
refuse 2 E-MEDIA-02
umount "$T/rdx"
# nothing to copy from
attach rdx
mv "$T/nas" "$T/nas.away"
refuse 2 E-ROTATE-04
mv "$T/nas.away" "$T/nas"
say "refused with a next action: not attached, not registered, not offline, unknown operator, write-protected, copied files, exchanged" \
	"identities, another site's, no source"

# ---- files that vanished are brought again; files with other bytes are never replaced, but said
repo=$(repo_of "$T/rdx") docs=$(set_of "$T/rdx")
thaw "$T/rdx"
rm -r "$docs"/generations/000002
rm "$(ls "$docs"/archives/*/*.age | head -n 1)" "$docs/generations/000003/root.age" "$repo/repository.age"
expect 1 rotate
grep -q 'W-ROTATE-02: files of .* generations' "$T/err" || die "that files had vanished is not said: $(cat "$T/err")"
same "$T/nas" "$T/rdx"
cmp "$repo/repository.age" "$(repo_of "$T/nas")/repository.age" || die "repository.age was not brought again"
for g in 1 2 3; do expect 0 "$RESTORE" --quiet --medium "$T/rdx" verify $g; done
[ "$(lsattr "$docs"/archives/*/*.age "$docs"/generations/*/* | grep -vc '^....i')" = 0 ] || die "thawed files were not frozen again"
thaw "$T/rdx"
only3=$(comm -13 <(sed 's/.*  //' "$docs/generations/000002/SHA256SUMS" | sort) \
	<(sed 's/.*  //' "$docs/generations/000003/SHA256SUMS" | sort) | grep archives | head -n 1)
chmod u+w "$docs/$only3"
python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(1000); b = f.read(1); f.seek(1000); f.write(bytes([b[0] ^ 1]))' "$docs/$only3"
cp "$docs/$only3" "$T/damaged"
expect 0 rotate # nothing is missing, and all was read back lately
expect 2 rotate --recheck all
cmp "$docs/$only3" "$T/damaged" || die "a damaged file was replaced"
grep -q "$only3" "$T/err" || die "the damaged file is not named: $(cat "$T/err")"
expect 2 "$BKP" rotate --operator Sato --json
[ "$(field damaged)" = 1 ] && [ "$(field newest)" = 2 ] && [ "$(field complete)" = false ] || die "damage is not said: $(cat "$T/out")"
grep -q '"event":"verify-failed"' "$T/state/journal/000001.jsonl" || die "the damage is not recorded"
for g in 1 2; do expect 0 "$RESTORE" --quiet --medium "$T/rdx" verify $g; done
thaw "$T/rdx"
rm -f "$docs/$only3"
expect 0 rotate
same "$T/nas" "$T/rdx"
# half a file: cannot be replaced either
thaw "$T/rdx"
truncate -s 100 "$docs/$only3" 2>/dev/null || { chmod u+w "$docs/$only3"; truncate -s 100 "$docs/$only3"; }
expect 2 rotate
grep -q E-PUBLISH-03 "$T/err" || die "a file that was cut: $(cat "$T/err")"
thaw "$T/rdx"; rm -f "$docs/$only3"
expect 0 rotate
detach rdx
say "vanished archives, documents and generations are brought again; a damaged file is named, recorded, never replaced; the others stay" \
	"valid"

# ---- too small: what fits is there, the newest first
policy "  - {name: RDX-09, type: rdx, offline: true, path: $T/small, place: 金庫}
	  - {name: RDX-10, type: rdx, offline: true, path: $T/big, place: 金庫}"
# so much that a second rotation, for which less can be held back, does not bring it either
head -c 16000000 /dev/urandom >"$T/src/more"
expect 0 "$BKP" --quiet run --all # 4: refers to what 1 to 3 brought
# in a folder of its own: where it gets the inode of a text file of the same folder it is taken for that file, renamed and encrypted
rm -rf "$T/src"; mkdir -p "$T/src/elsewhere"; head -c 9000000 /dev/urandom >"$T/src/elsewhere/new"
expect 0 "$BKP" --quiet run --all # 5: 9 MB of its own
disk small 90M; attach small
expect 0 "$BKP" --quiet medium add RDX-09
free=$(df --output=avail -k "$T/small" | tail -n 1)
head -c $(((free - 29000) * 1024)) /dev/zero >"$T/small/lost+found/ballast" # room for 5 and the tools, not for all
status "$BKP" rotate --operator Sato --json
[ "$STATUS" = 1 ] || fail "a disk that fills up: exit $STATUS"
[ "$(field full)" = true ] && [ "$(field newest)" = 5 ] && [ "$(field complete)" = false ] && [ "$(field lacking_bytes)" -gt 0 ] ||
	die "a disk that fills up: $(cat "$T/out")"
grep -q 'larger disk' "$T/out" || die "what to do is not said: $(cat "$T/out")"
expect 0 "$RESTORE" --quiet --medium "$T/small" verify 5
[ -z "$(ls -A "$T"/small/*/tmp)" ] || die "unfinished files take room on the full disk"
[ -s "$T/small/README.txt" ] || die "no README.txt on the full disk"
carried "$T"/small/*/journal/000001.jsonl || die "no journal on the full disk"
# again: still full, still valid
expect 1 rotate
expect 0 "$RESTORE" --quiet --medium "$T/small" verify 5
carried "$T"/small/*/journal/000001.jsonl || die "no journal on the full disk the second time"
rm "$T/small/lost+found/ballast"
expect 0 rotate
same "$T/nas" "$T/small"
detach small
# too small even for the newest: exit 2; with room it goes on
disk big 90M; attach big
expect 0 "$BKP" --quiet medium add RDX-10
free=$(df --output=avail -k "$T/big" | tail -n 1)
head -c $(((free - 9000) * 1024)) /dev/zero >"$T/big/lost+found/ballast"
expect 2 "$BKP" rotate --operator Sato
grep -q E- "$T/err" || die "too small for the newest, and nothing is said"
grep -q 'NOT sealed' "$T/out" && ! grep -q '^  sealed' "$T/out" || die "nothing is on it, and it is called sealed: $(cat "$T/out")"
record rotated | grep -q '"full":true' || die "that it was full is not recorded: $(record rotated)"
status "$BKP" status
grep -q "'RDX-10' was full at its last rotation .*'bkp expire --operator NAME --medium RDX-10'" "$T/out" &&
	! grep -q "run 'bkp rotate RDX-10" "$T/out" ||
	die "the status sends a person in a circle: $(cat "$T/out")"
rm "$T/big/lost+found/ballast"
expect 0 rotate
record rotated | grep -q '"full":false' || die "it is called full though all is on it: $(record rotated)"
same "$T/nas" "$T/big"
say "a full disk: the newest generation, README.txt and the journal are on it, exit 1 (2 without the newest), how much is missing; with" \
	"room the next one goes on"

# ---- the disk is pulled out in the middle: the file system answers nothing but errors from then on
detach big
head -c 4000000 /dev/urandom >"$T/src/later"
expect 0 "$BKP" --quiet run --all
pull() { # MOUNT-POINT: EXT4_IOC_SHUTDOWN without flushing the log, as when the device is gone
	python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))' "$1"
}
attach big
cp "$T/state/journal/000001.jsonl" "$T/journal.before"
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=3000000:when=1 \
	"$BKP" rotate --operator Sato --recheck all >"$T/out" 2>"$T/err" &
job=$!
for _ in $(seq 1 200); do
	! compgen -G "$T/big/*/tmp/*stage*" >/dev/null || break
	sleep 0.05
done
pull "$T/big"
STATUS=0; wait $job || STATUS=$?
[ "$STATUS" = 2 ] && grep -q 'E-ROTATE-08' "$T/err" || fail "the disk was pulled: exit $STATUS"
grep -q '→.*run the same command again' "$T/err" || die "the disk was pulled: no next action: $(cat "$T/err")"
! tail -n "+$(($(wc -l <"$T/journal.before") + 1))" "$T/state/journal/000001.jsonl" |
	grep -qE '"event":"(verified|verify-failed|rotated)"' ||
	die "a pulled disk is recorded as verified, damaged or rotated"
detach big
attach big
for g in 1 2 3 4 5; do expect 0 "$RESTORE" --quiet --medium "$T/big" verify $g; done
[ ! -e "$(set_of "$T/big")/generations/000006" ] || die "half a generation appeared"
expect 0 rotate
same "$T/nas" "$T/big"
# pulled while old copies are read back: that says nothing about the copies
cp "$T/state/journal/000001.jsonl" "$T/journal.before"
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace=fallocate -e inject=fallocate:delay_enter=2500000:when=1 \
	"$BKP" rotate --operator Sato --recheck all >"$T/out" 2>"$T/err" &
job=$!
for _ in $(seq 1 200); do
	[ ! -e "$(repo_of "$T/big")/tmp/reserve" ] || break
	sleep 0.05
done
pull "$T/big"
STATUS=0; wait $job || STATUS=$?
[ "$STATUS" = 2 ] && grep -q 'E-ROTATE-08' "$T/err" || fail "the disk was pulled while it was read: exit $STATUS"
carried "$T/journal.before" || die "a pulled disk's copies are recorded as damaged"
detach big
attach big
expect 0 rotate --recheck all
same "$T/nas" "$T/big"
detach big
say "a disk pulled out in the middle: exit 2, nothing claimed; what was on it verifies, the next rotation completes it"

# ---- no memory to collect what the notify command gets: the operator is told all the same
cat >"$T/none.c" <<'C'
#include <errno.h>
#include <stdio.h>
FILE *open_memstream(char **p, size_t *n) { *p = NULL; *n = 0; errno = ENOMEM; return NULL; }
C
cc -shared -fPIC -o "$T/none.so" "$T/none.c" || die "none.c does not compile"
status env LD_PRELOAD="$T/none.so" "${BKP_RELEASE:-$BKP_BIN}/bkp" rotate --operator Sato RDX-01
[ "$STATUS" != 0 ] && grep -q '^bkp: E-' "$T/err" && grep -q '→' "$T/err" || fail "nothing is said of why the rotation failed: exit $STATUS"
say "a rotation that fails says why, also without memory to collect it"
