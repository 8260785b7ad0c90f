#!/bin/bash
# Goal: plug, one command, unplug.  Loop devices with ext4, xfs and btrfs, no fstab, no udev: bkp rotate finds the disk by its signed
# identity, mounts it noexec,nosuid,nodev where nobody else sees it, fills it, unmounts it, waits until it is unplugged, records its place;
# interactive in both languages, 80 columns.  What is not the one is described, and not one bit of it changes, with a log to be
# replayed on it too.  Killed, pulled out, write-protected, in use, cloned: nothing stays mounted or read-only, and the next run goes on.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/plug.sh"
[ "$(id -u)" = 0 ] || die "needs root (loop devices)"
export ASAN_OPTIONS=detect_leaks=0 # it does not work under strace
plug() { # IMAGE [OPTION...]: $DEV
	local image=$1
	shift
	loop_plug "$T/$image.img" "$@"
}
unplug() { loop_unplug; } # all
talk_end() {
	local f
	for f in photos r1 r2; do [ ! -e "$T/out.sh" ] || sh "$T/out.sh" "$T/$f.img"; done
	plug_end
}
trap talk_end EXIT
policy() {
	sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	stop_while_suspect: true
	people:
	  - {name: 事務長, roles: [manager, operator]}
	  - {name: Sato, roles: [operator]}
	datasets:
	  - {name: docs, title: 文書, paths: [$T/src], canaries: [$T/src/canary.txt]}
	media:
	  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
	  - {name: RDX-01, type: rdx, offline: true, place: 別棟 保管庫B}
	  - {name: RDX-02, type: rdx, offline: true, place: 金庫}
	  - {name: RDX-03, type: rdx, offline: true, place: 金庫}
	Y
}
rotate() { "$BKP" rotate --operator Sato "$@"; }
sum() { sha256sum "$T/$1.img" | cut -d' ' -f1; }
# dirty IMAGE: as it is after a power cut: with a log that a mount would replay
dirty() {
	local m=$T/dirty
	mkdir -p "$m"
	mv "$T/$1.img" "$T/$1.was"
	mount -o loop "$T/$1.was" "$m"
	date >"$m/written"; sync -f "$m"; rm "$m/written"; sync -f "$m"
	cp --sparse=always "$T/$1.was" "$T/$1.img"
	umount "$m"
	dumpe2fs -h "$T/$1.img" 2>/dev/null | grep -q needs_recovery || die "the log of $1 is not dirty"
}
# refused EXIT CODE WORDS...: nothing of $IMAGE changes
refused() {
	local want=$1 code=$2 before
	shift 2
	before=$(sum "$IMAGE")
	status rotate "$@"
	blockdev --flushbufs "$DEV"; sync "$T/$IMAGE.img"
	[ "$STATUS" = "$want" ] || fail "exit $STATUS, expected $want: rotate $*"
	grep -q "$code: " "$T/err" || fail "rotate $*: not $code"
	grep -q '→' "$T/err" || fail "rotate $*: no next action"
	[ "$(sum "$IMAGE")" = "$before" ] || die "$code: a bit of the disk changed"
	plug_clean "$code"
}

mkdir -p "$T/src" "$T/nas" "$T/at"
head -c 3000000 /dev/urandom >"$T/src/big"
echo "nobody changes this" >"$T/src/canary.txt"
age-keygen -o "$T/id.txt" 2>/dev/null
policy
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
ID=$(sed -n 's/.*"repository":"\([0-9a-f-]*\)".*/\1/p' "$T/state/repository.json" | head -n 1)
truncate -s 60M "$T/r1.img"; mkfs.ext4 -q -m 0 -L RDX1 "$T/r1.img"
truncate -s 320M "$T/r2.img"; mkfs.xfs -q "$T/r2.img"
truncate -s 120M "$T/r3.img"; mkfs.btrfs -q "$T/r3.img" >/dev/null 2>&1
expect 0 "$BKP" --quiet medium add nas
for n in 1 2 3; do
	mount -o loop "$T/r$n.img" "$T/at"
	[ $n != 1 ] || mkdir "$T/at/bkp"
	expect 0 "$BKP" --quiet medium add RDX-0$n --path "$T/at$([ $n != 1 ] || echo /bkp)"
	umount "$T/at"
done
expect 0 "$BKP" --quiet run --all

# ---- nothing is there; plugged in is not away, also where no udev tells
refused_nothing() { status rotate "$@"; [ "$STATUS" = 2 ] && grep -q E-ROTATE-02 "$T/err" || fail "nothing is plugged in"; }
refused_nothing
refused_nothing RDX-01
plug r1
status "$BKP" medium move RDX-01 --operator Sato
[ "$STATUS" = 2 ] && grep -q E-MEDIA-18 "$T/err" || fail "plugged in, and recorded as away"

# ---- what is not the one: not a bit of it changes, though its log waits to be replayed
unplug
cp --sparse=always "$T/r1.img" "$T/copy.img"
e2fsck -fy "$T/copy.img" >/dev/null 2>&1 || true
other_uuid "$T/copy.img" 11111111-2222-3333-4444-555555555555
dirty copy; dirty r1; plug r1; IMAGE=r1
refused 2 E-MEDIA-04 RDX-02
grep -q "RDX1.*is medium 'RDX-01', not 'RDX-02'" "$T/err" || fail "what it is is not said"
refused 2 E-MEDIA-18 --keep-mounted RDX-01
unplug
cp --sparse=always "$T/r1.img" "$T/clone.img"; plug clone; plug r1
refused 2 E-DISK-11
unplug
plug copy; IMAGE=copy
refused 2 E-DEVICE-02
unplug
plug r1 -r; IMAGE=r1
before=$(sum r1)
status rotate
[ "$STATUS" = 2 ] && grep -q E-DISK-05 "$T/err" && [ "$(sum r1)" = "$before" ] || fail "write-protected"
unplug
plug r1
unshare -m --propagation private bash -c "mount -o ro,noload $DEV $T/at && touch $T/held && sleep 30" & holder=$!
until [ -e "$T/held" ]; do sleep 0.05; done
status rotate
[ "$STATUS" = 2 ] && grep -q E-DISK-08 "$T/err" || fail "in use by another"
kill $holder $(pgrep -P $holder) 2>/dev/null; wait $holder 2>/dev/null || true
unplug
# another site's, with a dirty log; a disk of photographs; a container; nothing at all
(
	T2=$T/site2; mkdir -p "$T2/src" "$T2/at"; echo x >"$T2/src/x"
	sed -e "s|$T/|$T2/|g" -e 's/テスト診療所/となりの病院/' "$T/policy.yaml" >"$T2/policy.yaml"
	truncate -s 20M "$T/other.img"; mkfs.ext4 -q "$T/other.img"
	export BKP_POLICY=$T2/policy.yaml
	"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
	mount -o loop "$T/other.img" "$T2/at"
	"$BKP" --quiet medium add RDX-02 --path "$T2/at"
	umount "$T2/at"
)
dirty other; plug other; IMAGE=other
refused 2 E-MEDIA-02
grep -q 'となりの病院' "$T/err" || fail "whose it is is not said"
unplug
mkdir -p "$T/photos/DCIM"; head -c 100000 /dev/urandom >"$T/photos/DCIM/1.jpg"
truncate -s 20M "$T/photos.img"; mkfs.ext4 -q -L MYPHOTOS -d "$T/photos" "$T/photos.img"
dirty photos; plug photos; IMAGE=photos
refused 2 E-DISK-04
grep -q "MYPHOTOS.*DCIM" "$T/err" && grep -q E-ROTATE-02 "$T/err" || fail "what is on it is not said"
status rotate --json
[ "$STATUS" = 2 ] && python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$T/out" || fail "--json of a refusal"
unplug
truncate -s 20M "$T/luks.img"
printf 'LUKS\272\276\0\1' | dd of="$T/luks.img" conv=notrunc status=none
printf '%s' 12345678-1234-1234-1234-123456789abc | dd of="$T/luks.img" bs=1 seek=168 conv=notrunc status=none
plug luks; IMAGE=luks
refused 2 E-DISK-07
unplug
truncate -s 20M "$T/empty.img"; plug empty; IMAGE=empty
refused 2 E-DISK-04
unplug
say "another medium, a copy, a clone, another site's, photographs, a container, an empty disk, one in use, a write-protected one:" \
	"described, exit 2 with a next action, and sha256sum of the whole device is the same, logs to be replayed included"

# ---- the one: how it is mounted, and that nothing stays
ordinary() { # IMAGE NAME FILE-SYSTEM
	local pid seen=
	plug "$1"
	"$BKP" rotate "$2" --operator Sato >"$T/out" 2>"$T/err" &
	pid=$!
	while [ -z "$seen" ] && kill -0 $pid 2>/dev/null; do
		seen=$(grep " rw,.* - $3 /dev/" "/proc/$pid/mountinfo" 2>/dev/null | grep "/run/bkp/$ID/medium") || true
		! grep -q /run/bkp /proc/self/mountinfo || die "others see the mount"
	done
	wait $pid || fail "rotate $2"
	[[ $seen == *nosuid,nodev,noexec* ]] || die "$2: how it is mounted: $seen"
	plug_clean "$2"
	grep -q "unplug it (it is unmounted), take it to" "$T/out" || fail "what to do is not said"
	record rotated | grep -q '"complete":true' || die "$2: $(record rotated)"
	expect 2 "$BKP" medium move "$2" --operator Sato
	unplug
	expect 0 "$BKP" --quiet medium move "$2" --operator Sato
}
ordinary r1 RDX-01 ext4
ordinary r2 RDX-02 xfs
ordinary r3 RDX-03 btrfs
plug r1
expect 0 "$BKP" expire --medium RDX-01 --operator Sato # what 'bkp rotate' says of a full one works on one that it unmounted
grep -q "'RDX-01' is unmounted" "$T/out" || fail "expire"
plug_clean expire
# verify and repair, by name: a byte that rotted is found, mended and gone, and each time nothing stays mounted
expect 0 "$BKP" verify --medium RDX-01
grep -q "'RDX-01' is unmounted: unplug it, take it to '別棟 保管庫B'" "$T/out" || fail "verify of a disk that is plugged in"
plug_clean verify
unplug
mount -o loop "$T/r1.img" "$T/at"
thaw "$T/at"
rotten=$(find "$T/at" -name '*.age' -path '*/archives/*' -size +100k | sort | head -n 1)
whole=$(sha256sum <"$rotten") rotten=${rotten#"$T/at/"}
chmod u+w "$T/at/$rotten"
printf '\1\2\3' | dd of="$T/at/$rotten" bs=1 seek=70000 conv=notrunc status=none
umount "$T/at"
plug r1
status "$BKP" verify --medium RDX-01
[ "$STATUS" = 2 ] && grep -q "$(basename "$rotten")" "$T/err" || fail "verify: exit $STATUS" "$T/out" "$T/err"
plug_clean "verify of what is damaged"
expect 0 "$BKP" repair RDX-01
grep -q "'RDX-01' is unmounted: unplug it" "$T/out" && grep -q "^1 files mended" "$T/out" || fail "repair"
plug_clean repair
expect 0 "$BKP" verify --medium RDX-01 --quiet
[ ! -s "$T/out" ] || fail "verify --quiet speaks"
unplug
status "$BKP" verify --medium RDX-01
[ "$STATUS" = 3 ] || fail "verify of what is not there: exit $STATUS" "$T/out" "$T/err"
cp --sparse=always "$T/r1.img" "$T/twin.img"; plug twin; plug r1
status "$BKP" verify --medium RDX-01
[ "$STATUS" = 3 ] && grep -q E-DISK-11 "$T/err" || fail "verify, two are the same: exit $STATUS" "$T/out" "$T/err"
status "$BKP" repair RDX-01
[ "$STATUS" = 2 ] && grep -q E-DISK-11 "$T/err" || fail "repair, two are the same: exit $STATUS" "$T/out" "$T/err"
unplug
mount -o loop,ro "$T/r1.img" "$T/at"
[ "$(sha256sum <"$T/at/$rotten")" = "$whole" ] || die "what was mended is not what it was"
umount "$T/at"
expect 0 "$BKP" --quiet medium move RDX-01 --operator Sato
plug r1
plug r2
expect 64 rotate
grep -q E-DISK-03 "$T/err" || fail "two are plugged in"
unplug
plug r1
(sleep 1.5; losetup -d "$DEV") &
expect 0 rotate --wait 20
grep -q "'RDX-01' is gone from here and recorded at '別棟 保管庫B', by Sato" "$T/out" || fail "--wait"
record medium-moved | grep -q '"place":"別棟 保管庫B".*"detached":true' || die "the record: $(record medium-moved)"
plug r1
expect 1 rotate --wait 1
grep -q W-DISK-02 "$T/err" || fail "--wait is over"
expect 1 rotate --wait 1 --json
python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["complete"]' "$T/out" || fail "--json"
expect 64 rotate --wait soon
unplug
mount -o loop "$T/r1.img" "$T/at" # by hand: stays
expect 0 rotate
grep -q "unmount it (umount $T/at)" "$T/out" && mountpoint -q "$T/at" || fail "mounted by hand"
umount "$T/at"
mkdir "$T/look"
mount -o loop,ro "$T/r1.img" "$T/look"
expect 0 "$RESTORE" --quiet --medium "$T/look/bkp" verify 1
umount "$T/look"
say "ext4, xfs and btrfs are found, mounted rw,nosuid,nodev,noexec for the command alone, filled and unmounted; --wait sees the disk" \
	"go and records its place; one that is mounted by hand stays"
say "verify and repair by name do the same: a byte that rotted is found and mended from parity; two with one identity are refused"

# ---- full of somebody else's files: whose is said, also where nothing at all can be written any more
for kind in "r1 RDX-01" "r2 RDX-02" "r3 RDX-03"; do
	read -r image name <<<"$kind"
	head -c 900000 /dev/urandom >"$T/src/new.$name"
	expect 0 "$BKP" --quiet run --all
	mount -o loop "$T/$image.img" "$T/at"
	head -c 1G /dev/zero >"$T/at/holiday.mp4" 2>/dev/null || sync -f "$T/at"
	umount "$T/at"
	plug "$image"
	status rotate "$name"
	[ "$STATUS" = 2 ] && grep -q 'full\|does not fit' "$T/err" && grep -q "holiday.mp4" "$T/err" ||
		fail "$name is full, and it is not said of what: exit $STATUS"
	plug_clean "full $name"
	unplug
	mount -o loop "$T/$image.img" "$T/at"
	rm "$T/at/holiday.mp4"
	umount "$T/at"
	plug "$image"
	expect 0 rotate "$name"
	unplug
done
say "a disk that is full of somebody else's files is refused by name of them, on ext4, xfs and btrfs; without them it goes on"

# ---- killed with the device marked read-only, and with the disk mounted for writing; pulled out
head -c 3000000 /dev/urandom >"$T/src/more"
expect 0 "$BKP" --quiet run --all
plug r1
killed() { # SYSCALL WHEN
	status strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=KILL:when=$2" "$BKP" rotate --operator Sato --quiet
	[ "$STATUS" = 137 ] || fail "not killed at $1 $2"
	! grep -q /run/bkp /proc/self/mountinfo || die "killed at $1 $2: something is mounted"
}
killed mount 2
[ "$(blockdev --getro "$DEV")" = 1 ] || die "killed with the device marked: it is not"
IMAGE=r1
refused 2 E-MEDIA-04 RDX-02 # and is tidied up after
killed umount2 1
killed mount 3
killed syncfs 1
killed umount2 2
expect 0 rotate
plug_clean "after kills"
record rotated | grep -q '"complete":true' || die "after kills: $(record rotated)"
strace -f -qq -o /dev/null -e trace=mount -e inject=mount:delay_exit=400000 \
	"$BKP" rotate --operator Sato --quiet >"$T/out" 2>"$T/err" &
pid=$!
sleep 0.2
kill -TERM "$(pgrep -P $pid)" 2>/dev/null || true
wait $pid || true
plug_clean "SIGTERM"
unplug
head -c 8000000 /dev/urandom >"$T/src/more"
expect 0 "$BKP" --quiet run --all
plug r1
strace -f -qq -o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_enter=50000 \
	"$BKP" rotate --operator Sato >"$T/out" 2>"$T/err" &
pid=$!
until child=$(pgrep -x -P $pid bkp); do sleep 0.01; done
torn_away "$child" "$ID" 0.3 || die "it was never mounted"
wait $pid && die "a disk that was pulled out was rotated"
grep -q '→' "$T/err" || fail "pulled out: no next action"
! grep -q /run/bkp /proc/self/mountinfo || die "pulled out: something is mounted"
expect 0 rotate
plug_clean "after it was pulled out"
unplug
say "killed at any step, or pulled out: nothing is mounted, the next command takes the read-only mark back and goes on"

# ---- at a terminal
talk() { python3 "$SRC_ROOT/tests/lib/talk.py" "$@" >"$T/out" 2>"$T/err" || fail "the talk: exit $?"; }
# what the person does with a disk meanwhile: in.sh IMAGE, out.sh IMAGE
printf 'l=$(losetup -f --show "$1") && blockdev --setrw "$l"\n' >"$T/in.sh"
printf 'losetup -nO NAME -j "$1" | xargs -r -n 1 losetup -d\n' >"$T/out.sh"
hand() { echo "!sh $T/$1.sh $T/$2.img"; }
# other tests' disks may be there: then those are described
none_en='(No disk is found|bkp: E-)(.|\n)*It is:(.|\n)*> $' none_ja='(ディスクは見つかりません|bkp: E-)(.|\n)*> $'
sh "$T/in.sh" "$T/photos.img"
talk "Number.*: $=>2" "MYPHOTOS(.|\n)*It is:(.|\n)*> $=>$(hand out photos)" "> $=>" "$none_en=>$(hand in r1)" "> $=>" \
	"Waiting until=>$(hand out r1)" "Where is 'RDX-01'(.|\n)*> $=>" -- "$BKP" --lang en rotate
grep -q "gone from here and recorded at '別棟 保管庫B', by Sato" "$T/out" || fail "the talk in English"
talk "担当者は(.|\n)*: $=>９" ": $=>１" "$none_ja=>$(hand in r1); $(hand in r2 | cut -c2-)" "> $=>" "複数の媒体(.|\n)*: $=>２" \
	"抜かれるのを待って=>$(hand out r1); $(hand out r2 | cut -c2-)" "どこに保管(.|\n)*> $=>銀行の貸金庫" -- "$BKP" --lang ja rotate
grep -q "銀行の貸金庫" "$T/out" || fail "the talk in Japanese"
record medium-moved | grep -q '"operator":"事務長","place":"銀行の貸金庫"' || die "the record: $(record medium-moved)"
plug r1
sleep 1.1 # turns are told apart by the second: RDX-01 is the one rotated last, as the pool below shall see it
talk "Waiting until=>^C" -- bash -c "'$BKP' --lang en rotate RDX-01 --operator Sato; [ \$? = 1 ]"
grep -q W-DISK-02 "$T/out" || fail "Ctrl-C while it waits"
unplug
talk "Number.*: $=>q" -- bash -c "'$BKP' --lang en rotate; [ \$? = 2 ]"
say "at a terminal in English and Japanese: who, which disk, plug it in, unplug it, where to; full-width digits; 80 columns"

# ---- the newest copy of a pool, out of its turn: refused before it is mounted for writing
expect 0 "$BKP" --quiet medium move RDX-01 --operator Sato
sed -i 's/^media:/pools:\n  - {name: weekly, media: [RDX-01, RDX-02], swap_every: 7d}\n&/' "$T/policy.yaml"
dirty r1; plug r1; IMAGE=r1
refused 2 E-ROTATE-11
unplug
say "a medium that is not to be written to in this turn is refused with not a bit of it changed"

# ---- a computer that may be infected gets no disk
echo "somebody did" >"$T/src/canary.txt"
status "$BKP" --quiet run --all
plug r1
status strace -f -qq -o "$T/trace" -e trace=mount,unshare "$BKP" rotate --operator Sato
[ "$STATUS" = 2 ] && grep -q E-GUARD-02 "$T/err" && [ ! -s "$T/trace" ] || fail "while a generation is suspect: $(cat "$T/trace")"
say "while a generation is suspect and the policy says so, nothing is mounted"
