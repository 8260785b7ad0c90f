#!/bin/bash
# Goal: `bkp rescue-image` writes the image of a USB stick that needs nothing but a medium, a key and a second disk: fdisk, fsck.vfat,
# mtools, zstd and cpio open it; nothing secret is in it; it is whole or not there; the same input gives the same bytes; no root is
# needed.  Its menu, run in the unpacked system alone with three disks, changes no bit of medium and key, writes to a disk only what was
# typed, and what it restores is what was captured.  --long (BKP_RESCUE_BOOT=1): Debian's kernel, started in QEMU by BIOS, by UEFI and with
# Secure Boot.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (loop devices)"
export BKP_RESCUE_LEVEL=1 SOURCE_DATE_EPOCH=1700000000
LOOPS=()
rescue_end() {
	local l
	for l in "${LOOPS[@]}"; do
		blockdev --setrw "$l" 2>/dev/null || true
		losetup -d "$l" 2>/dev/null || true
	done
	site_cleanup
}
trap rescue_end EXIT

# ---- a site, its medium on a disk, its identity on another, and a blank one ----
mkdir -p "$T/src/sub"
head -c 3000000 /dev/urandom >"$T/src/a"
ln "$T/src/a" "$T/src/hard"
echo カルテ >"$T/src/sub/患者.txt"
chown 5:6 "$T/src/sub"
cat >"$T/drill.md" <<'P'
# 文書の復旧訓練

```procedure
id: docs
version: "1.0"
dataset: docs
rto: 8h
rpo: 2400h
```

```restore
誰: 事務長
何を: 文書を取り出す
どのように: 自動
合否条件: 不一致がない
予定分: 5
dataset: docs
```

```check
誰: 事務長
何を: ファイルの数を数える
どのように: 自動
合否条件: 3
予定分: 1
command: find "$scratch/docs" -type f | wc -l
value: "3"
```
P
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}
	procedures: [$T/drill.md]"
site_make
expect 0 "$BKP" --quiet run --all
ROOT_PUBLIC=$(sed -n 's/^root public key: //p' "$T/init.out")
truncate -s 64M "$T/medium.img" "$T/blank.img"
truncate -s 8M "$T/key.img"
mkfs.ext4 -q "$T/medium.img"
mkdir "$T/mnt"
mount -o loop "$T/medium.img" "$T/mnt"
cp -a "$T/m1" "$T/mnt/bkp"
umount "$T/mnt"
mkdir "$T/key"
cp "$T/id.txt" "$T/key/identity.txt"
mkfs.ext4 -q -d "$T/key" "$T/key.img" # this kernel may have no vfat
SUMS=$(sha256sum "$T/medium.img" "$T/key.img")
unharmed() { sha256sum --quiet -c <<<"$SUMS" || die "$1: medium or key was changed"; }

# ---- the image; of the kernel only what depmod looks at, so that nothing is fetched ----
V=6.1.0-test
mkdir -p "$T/modules/$V/kernel/drivers/usb/storage" "$T/modules/$V/kernel/drivers/media" "$T/more"
module() { # FILE NEEDS CODE
	printf '%s;static const char a[] __attribute__((section(".modinfo"), used)) = "alias=usb:v*\\0depends=%s\\0vermagic=%s";' \
		"$3" "$2" $V | gcc -xc -c -o "$T/modules/$V/kernel/$1" -
}
module drivers/usb/storage/usb-storage.ko needed "int needed(void);int f(void);int f(void){return needed();}"
module drivers/needed.ko "" \
	'static const char s[] __attribute__((section("__ksymtab_strings"), used)) = "needed"' # it exports that
module drivers/media/camera.ko "" "int b"
head -c 2000000 /dev/urandom >"$T/vmlinuz-$V"
cp "$(command -v psql || command -v curl)" "$T/more/included" # with libraries that nothing else has
make=("$BKP" --lang ja rescue-image --kernel "$T/vmlinuz-$V" --modules "$T/modules/$V" --root-key "$ROOT_PUBLIC" --include "$T/more")
expect 0 "${make[@]}" "$T/rescue.img"
said "$(stat -c %s "$T/rescue.img")"
said "$(sha256sum "$T/rescue.img" | cut -c1-64)"
for l in 作成: バイト、SHA-256 "、BIOS と UEFI 用"; do # what the paper shows
	grep -q "$l" "$SRC_ROOT/docs/ja/rescue.md" && said "$l"
done
# and what it tells to type, with a file in the place of the stick
truncate -s 200M "$T/stick"
sed -n 's/^# \(\(dd\|head\) .*\)/\1/p' "$SRC_ROOT/docs/ja/rescue.md" |
	sed "s#/srv/rescue.img#$T/rescue.img#; s#/dev/sdX#$T/stick#; s#97517568#$(stat -c %s "$T/rescue.img")#; s#conv=fsync#&,notrunc#" \
	>"$T/typed"
[ "$(wc -l <"$T/typed")" = 2 ] || fail "the commands of the paper" "$T/typed"
expect 0 sh -e "$T/typed"
said "$(sha256sum "$T/rescue.img" | cut -c1-64)"
[ -z "$(find "$T" -name '.*.making')" ] || die "a folder is left"

# ---- opened by tools that are not ours ----
fdisk -l "$T/rescue.img" >"$T/out"
grep -q 'rescue.img1 \* *2048 .* ef EFI' "$T/out" || fail fdisk
dd if="$T/rescue.img" of="$T/esp.img" bs=1M skip=1 status=none
fsck.vfat -n "$T/esp.img" >"$T/out" || fail fsck.vfat
file() { mtype -i "$T/esp.img" "::$1"; }
file /bkp/vmlinuz | cmp - "$T/vmlinuz-$V" || die "another kernel"
file /EFI/BOOT/BOOTX64.EFI | cmp - /usr/lib/shim/shimx64.efi.signed || die "not Debian's shim"
file /EFI/BOOT/grubx64.efi | cmp - /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed || die "not Debian's GRUB"
file /EFI/debian/grub.cfg >"$T/grub.cfg"
grub-script-check "$T/grub.cfg" || die "grub.cfg"
grep -q '^set default=ja$' "$T/grub.cfg" || fail "the language" "$T/grub.cfg"
head -c 440 "$T/rescue.img" | cmp - <(head -c 440 /usr/lib/grub/i386-pc/boot.img) || die "the boot sector"
R=$T/root
mkdir "$R"
file /bkp/initrd.img | zstd -dcq | (cd "$R" && cpio -idm --quiet) || die "the initramfs"
for f in bash sha256sum mkfs.ext4 rsync minisign age openssl ip fbterm; do
	cmp "$(command -v $f)" "$R$(command -v $f)" || die "$f is not this computer's"
done
cmp "$BKP_BIN/bkp-restore" "$R/usr/bin/bkp-restore" || die "bkp-restore"
cmp "$T/more/included" "$R$T/more/included" || die "--include"
(cd "$R/lib/modules/$V" && find kernel -name '*.ko' | sort | tr '\n' ' ') >"$T/out"
[ "$(cat "$T/out")" = "kernel/drivers/needed.ko kernel/drivers/usb/storage/usb-storage.ko " ] || fail "other drivers"
[ "$(modprobe -d "$R" -S $V --show-depends usb-storage | wc -l)" = 2 ] || die "modprobe"
find "$R" -type f -perm /111 ! -path "*/lib/bkp/*" -print0 | while IFS= read -r -d '' f; do # each finds its libraries there
	! chroot "$R" /lib64/ld-linux-x86-64.so.2 --list "${f#"$R"}" 2>&1 | grep -q 'not found' || echo "$f"
done >"$T/out"
[ ! -s "$T/out" ] || fail "libraries are missing"
# nothing secret: neither an identity nor a secret key, by what they begin with, nor this site's
for f in "$R" "$T/grub.cfg"; do
	! grep -rlaE 'AGE-SECRET-KEY-1[A-Z0-9]{20}|age-encryption.org/v1.-> |untrusted comment: .*(secret|encrypted) key' "$f" \
		--exclude-dir=bin --exclude-dir=sbin --exclude-dir=lib || die "a secret"
done
! find "$R" \( -perm /6000 -o ! -user 0 -o -perm -0002 ! -type l ! -path "$R/tmp*" \) -print | grep . || die "modes"
say "fdisk, fsck.vfat, mtools, zstd and cpio open the image ($(($(stat -c %s "$T/rescue.img") / 1000000)) MB);" \
	"all programs find their libraries in it, nothing secret is in it"

# ---- the same bytes again, by who is nobody; and what is refused ----
install -d -o 65534 "$T/nobody"
expect 0 setpriv --reuid 65534 --clear-groups "${make[@]}" "$T/nobody/again.img"
cmp "$T/rescue.img" "$T/nobody/again.img" || die "other bytes"
rm "$T/nobody/again.img"
expect 2 "${make[@]}" "$T/rescue.img"; said E-RESCUE-04
ln -s /dev/null "$T/link"
expect 2 "${make[@]}" "$T/link"; said E-RESCUE-04
expect 2 "${make[@]}" "$T/nowhere/x.img"; said E-IO-07
expect 2 "$BKP" rescue-image --kernel "$T/vmlinuz-$V" --modules "$T/more" "$T/x.img"; said "E-RESCUE-02.*more"
expect 2 "${make[@]}" --include "$T/not-there" "$T/x.img"; said "E-RESCUE-02.*not-there"
expect 64 "$BKP" rescue-image --root-key RWabc "$T/x.img"; said E-SIG
expect 64 "$BKP" rescue-image --kernel "$T/vmlinuz-$V" "$T/x.img"; said E-USAGE-01
expect 64 "$BKP" rescue-image; said E-USAGE-01
mkdir "$T/stub"
cat >"$T/stub/dpkg-query" <<'S'
#!/bin/sh
for a; do case $a in fbterm | mtools) exit 1 ;; esac; done
exec /usr/bin/dpkg-query "$@"
S
chmod +x "$T/stub/dpkg-query"
expect 2 env "PATH=$T/stub:$PATH" "${make[@]}" "$T/x.img"
said E-RESCUE-01
said "→ apt-get install --no-install-recommends fbterm mtools$"
mkdir "$T/.x.img.making"
exec 8<"$T/.x.img.making"
flock 8
expect 2 "${make[@]}" "$T/x.img"; said E-RESCUE-05
exec 8<&-
[ ! -e "$T/x.img" ] || die "a refused image is there"
# killed in the middle: nothing of that name; the next one clears up and goes on
"${make[@]}" "$T/x.img" >"$T/out" 2>&1 &
until [ -d "$T/.x.img.making/tree/usr/bin" ]; do sleep 0.05; done
kill -9 $!
wait $! 2>/dev/null || true
[ ! -e "$T/x.img" ] || die "half an image"
for ((i = 0; i < 1200; i++)); do # make.sh, which still has the lock, ends by itself
	status "${make[@]}" "$T/x.img"
	grep -q E-RESCUE-05 "$T/err" || break
	sleep 0.1
done
[ "$STATUS" = 0 ] && cmp "$T/rescue.img" "$T/x.img" || fail "after a killed one: exit $STATUS"
[ ! -e "$T/.x.img.making" ] || die "its folder is left"
say "it is whole or not there, needs no root, and gives the same bytes each time; packages that are missing are named"

# ---- its menu, in the unpacked system, with nothing but three disks ----
for i in medium key blank; do LOOPS+=("$(loop_of -P "$T/$i.img")"); done
M=${LOOPS[0]#/dev/} B=${LOOPS[2]#/dev/}
cat >"$T/system" <<'S'
set -e
R=$1
shift
mount --bind "$R" "$R"
mount -t tmpfs none "$R/dev"
mount -t proc none "$R/proc"
mount -t sysfs -o ro none "$R/sys"
mount -t tmpfs none "$R/run"
mount -t tmpfs none "$R/tmp"
for d in null zero full random urandom tty; do cp -a "/dev/$d" "$R/dev/"; done
ln -s /proc/self/fd "$R/dev/fd"
for d; do cp -a "$d" "$R/dev/"; done
mkdir -p "$R/mnt"
cd "$R"
pivot_root . mnt # as in the real one / is what the mounts begin at: a drill's isolation needs that
umount -l /mnt
exec env -i BKP_LANG="$BKP_LANG" ASAN_OPTIONS="${ASAN_OPTIONS:-}" TERM=vt100 HOME=/root /usr/lib/bkp/menu
S
menu() { # LANGUAGE PATTERN=>ANSWER...
	local lang=$1
	shift
	STATUS=0
	TALK_SECONDS=300 BKP_LANG=$lang python3 "$SRC_ROOT/tests/lib/talk.py" "$@" -- unshare -m bash "$T/system" "$R" "${LOOPS[@]}" \
		>"$T/out" 2>"$T/err" || STATUS=$?
	[ "$STATUS" = 10 ] || fail "menu: exit $STATUS"
	unharmed menu
}
blank() { [ "$(tr -d '\0' <"$T/blank.img" | head -c 1 | wc -c)" = 0 ]; }
restored() { # FOLDER...: on the second disk, as another computer mounts it
	local d
	mkdir -p "$T/back"
	d=$(loop_of -P "${IMAGE:-$T/blank.img}")
	partx -u "$d" 2>/dev/null || true
	mount -o ro "${d}p1" "$T/back" || die "the second disk has no file system"
	for f; do [ -e "$T/back/$f" ] || fail "there is no $f: $(ls "$T/back")"; done
	[ -z "$(rsync -aHXnci --delete "$T/src/" "$T/back/$1$T/src/")" ] || die "another tree was restored"
	umount "$T/back"
	losetup -d "$d"
}
menu ja "番号：=>2" "同じなら=>" "で続けます=>" "番号：=>4" "どの世代=>docs@latest" "sda など=>$B" "打ってください（ほか=>yes" "で続けます=>" "番号：=>4" \
	"どの世代=>docs@latest" "sda など=>$M" "で続けます=>" "番号：=>0"
said "媒体「m1」"; said "復旧鍵"; said "空（何も入っていない）"; said "docs@1 "; said "中止しました"
said "その名前のディスクはありません"
sed -n '/^ どのディスクも/,/^ 9 /p' "$SRC_ROOT/docs/ja/rescue.md" | while IFS= read -r l; do
	grep -qxF -e "$l" "$T/out" || die "docs/ja/rescue.md has another menu: $l"
done
blank || die "something was written though nobody had typed the disk's name"
for l in "${LOOPS[@]}"; do [ "$(blockdev --getro "$l")" = 1 ] || die "$l may be written to"; done
menu ja "番号：=>4" "同じなら=>" "どの世代=>docs@latest" "sda など=>$B" "打ってください（ほか=>$B" "で続けます=>" "番号：=>5" "残す名前=>Sato" \
	"sda など=>$B" "打ってください（ほか=>$B" "指摘=>" "で続けます=>" "番号：=>0"
said "終了コード 0"; ! grep -q "終了コード [^0]" "$T/out" || fail "the menu's commands"
restored docs-latest-1 drill-1
blockdev --setrw "${LOOPS[2]}"
say "in the unpacked system the menu finds medium and key, restores (rsync equal) and drills to the disk that was typed, and writes" \
	"nothing before"

# ---- a disk that holds something, and another root key than on paper ----
wipefs -qa "${LOOPS[2]}"
partx -d "${LOOPS[2]}" 2>/dev/null || true
mkfs.ext4 -q -F -L $'OLD\033[2J' "${LOOPS[2]}" # what it calls itself clears the screen
was=$(sha256sum <"$T/blank.img")
menu en "number:=>4" "it is the same=>" "Which generation=>docs@latest" "as sda=>$B" "anything else stops=>$B" "goes on=>" "number:=>0"
said "in use: .*OLD.*ext4"
! grep -q $'\033\\[2J' "$T/out" || die "a label writes on the terminal"
[ "$was" = "$(sha256sum <"$T/blank.img")" ] || die "a disk that holds something was written to for its name alone"
menu en "number:=>4" "it is the same=>" "Which generation=>docs@latest" "as sda=>$B" "anything else stops=>erase $B" \
	"goes on=>" "number:=>0"
said "Exit status 0"
restored docs-latest-1
other=$(tr 'A-Za-z' 'B-ZAb-za' <<<"${ROOT_PUBLIC:10:6}")
menu en "number:=>2" "it is the same=>n" "from paper=>RWshort" "from paper=>${ROOT_PUBLIC:0:10}${other}${ROOT_PUBLIC:16}" \
	"goes on=>" "number:=>0"
said "E-VAULT-03"; said "56 characters"
say "a disk that holds something is erased only for the words 'erase NAME'; a root key that is not the paper's is refused"

# ---- for real: Debian's kernel, started by each firmware ----
[ "${BKP_RESCUE_BOOT:-0}" = 1 ] || exit 0
unset BKP_RESCUE_LEVEL SOURCE_DATE_EPOCH
deb=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
(cd "$T" && apt-get download -qq "$deb" && dpkg -x linux-image-*.deb kernel) >"$T/out" 2>"$T/err" || fail "no kernel to be had"
V=$(ls "$T/kernel/lib/modules")
make=("$BKP" --quiet --lang ja rescue-image --root-key "$ROOT_PUBLIC"
	--kernel "$T/kernel/boot/vmlinuz-$V" --modules "$T/kernel/lib/modules/$V")
expect 0 "${make[@]}" --serial "$T/serial.img"
expect 0 "${make[@]}" "$T/screen.img"
for i in "${!LOOPS[@]}"; do blockdev --setrw "${LOOPS[$i]}"; losetup -d "${LOOPS[$i]}"; done
LOOPS=()
# one disk after the other may be there when the first menu comes; which name the blank one has is read from the screen
cat >"$T/script" <<'S'
番号： => 1
(sd[a-z]) [^\n]*\n +空（何も(?:.|\n)*番号： => 4
同じなら => @enter
どの世代 => docs@latest
sda など => %1
打ってください（ほか => %1
終了コード 0(?:.|\n)*で続けます => @enter
番号： => 5
残す名前 => Sato
sda など => %1
打ってください（ほか => %1
指摘 => @enter
終了コード 0(?:.|\n)*で続けます => @enter
番号： => 0
 => @end
S
disks=(--image "ro=$T/medium.img" --image "rw=$T/second.img" --image "ro=$T/key.img")
started() { # FIRMWARE IMAGE
	python3 "$SRC_ROOT/tests/lib/talk_qemu.py" --firmware "$1" --seconds 1800 --image "boot=$T/$2.img" "${disks[@]}" "$T/script" \
		>"$T/out" 2>"$T/err" || fail "$1, $2"
}
for firmware in bios uefi secure; do
	rm -f "$T/second.img"
	truncate -s 64M "$T/second.img"
	started $firmware serial
	IMAGE=$T/second.img restored docs-latest-1 drill-1
	unharmed $firmware
	say "started by $firmware in QEMU, it restores (rsync equal) and drills from a USB medium to a second USB disk"
done
# on a screen and its keyboard: fbterm draws the menu, & is where a Japanese keyboard has it
cat >"$T/script" <<S
Booting \`bkp rescue: Nihongo => @steady $T/screen1.ppm
 => @key 9 ret
 => @steady $T/screen2.ppm
 => @key p g r e p spc f b t e r m shift+6 shift+6 p o w e r o f f spc minus f ret
 => @end
S
started bios screen
say "on a screen fbterm shows the menu, and a Japanese keyboard types what stands on it"
[ -z "${BKP_KEEP_SCREENS:-}" ] || cp "$T"/screen?.ppm "$BKP_KEEP_SCREENS/" # to be looked at
