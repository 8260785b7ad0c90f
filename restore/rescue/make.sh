#!/bin/bash
# Makes the rescue image of 'bkp rescue-image' (bkp/cmd/cmd_rescue_image.c starts it): a raw disk image for a USB stick, by BIOS and UEFI.
#   make.sh WORK RESTORE LANG SERIAL ROOT-KEY KERNEL MODULES INCLUDE...
# WORK: an empty folder; WORK/image appears there.  RESTORE: the program bkp-restore.  LANG: ja or en.  SERIAL: 1 or 0.  ROOT-KEY, KERNEL,
# MODULES: may be empty.  INCLUDE: more files and folders of this computer that the rescue system is to have, where they are here.
# No device is touched and no root needed.  Said on standard output, a word and its value a line: missing PACKAGE (exit 3), kernel VERSION,
# secure-boot yes|no, without PACKAGE.  Standard error is for people (exit 1).  The same input gives the same bytes (SOURCE_DATE_EPOCH).
set -Eeuo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
umask 022
here=$(cd "$(dirname "$0")" && pwd)
trap 'echo "make.sh, line $LINENO: $BASH_COMMAND" >&2' ERR
trap 'find "$work" -mindepth 1 -maxdepth 1 ! -name image -exec rm -rf {} +' EXIT
trap 'exit 1' HUP INT TERM
work=$(realpath "$1") restore=$2 lang=$3 serial=$4 root_key=$5 kernel=$6 modules=$7
shift 7
die() { echo "$*" >&2; exit 1; }

# What must be there; all programs of these packages come along but for those of TOOLS and of kbd, which is loadkeys alone.
PROGRAMS="bash coreutils findutils grep sed tar gzip util-linux mount fdisk e2fsprogs kmod procps iproute2 busybox age
	minisign openssl rsync lz4 zstd fbterm"
TOOLS="kbd fonts-ipafont-gothic cpio dosfstools mtools grub-pc-bin grub-efi-amd64-bin grub-common"
# What comes along where it is installed.
WELCOME="xfsprogs btrfs-progs dosfstools exfatprogs openssh-client less nano diffutils gddrescue smartmontools pciutils usbutils lvm2
	cryptsetup-bin mdadm"
FONT=/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

check_packages() {
	local p missing=0
	[ "$(dpkg --print-architecture)" = amd64 ] || die "the rescue image is for amd64, and this computer is not"
	for p in $PROGRAMS $TOOLS; do
		installed "$p" || { echo "missing $p"; missing=1; }
	done
	[ -n "$kernel" ] || kernel=$(find /boot -maxdepth 1 -name 'vmlinuz-*' | sort -V | tail -n 1)
	[ -n "$kernel" ] || { echo "missing linux-image-amd64"; missing=1; }
	[ $missing = 0 ] || exit 3
	[ -n "$modules" ] || modules=/lib/modules/${kernel##*/vmlinuz-}
	[ -r "$kernel" ] || die "'$kernel' cannot be read"
	[ -d "$modules/kernel" ] || die "'$modules' is no folder of a kernel's modules"
	version=$(basename "$modules")
}

# ---- the rescue system's files, in $tree ----

# take FILE: it stands at the same place there; a link stays one only within its folder
take() {
	local to=$tree$1 link
	[ ! -e "$to" ] || return 0
	mkdir -p "${to%/*}"
	link=$(readlink "$1") || link=/
	case $link in
	*/*)
		cp -pL "$1" "$to"
		chmod u+w,u-s,g-s "$to" ;;
	*)
		ln -sf "$link" "$to"
		take "${1%/*}/$link" ;;
	esac
	case $1 in *.so | *.so.*) programs+=("$1") ;; *) [ ! -x "$1" ] || programs+=("$1") ;; esac
}

take_libraries() {
	local lib
	while read -r lib; do take "$lib"; done < <(printf '%s\0' "${programs[@]}" | xargs -0 ldd 2>/dev/null |
		sed -n 's/^.* => \(\/[^ ]*\) (0x.*$/\1/p; s/^\t\(\/[^ ]*\) (0x.*$/\1/p' | sort -u)
	take /lib/x86_64-linux-gnu/libgcc_s.so.1 # a thread that ends asks for it by name
}

take_programs() {
	local p f
	programs=()
	for p in $PROGRAMS $WELCOME; do
		installed "$p" || { echo "without $p"; continue; }
		while read -r f; do [ ! -x "$f" ] || [ -d "$f" ] || take "$f"; done \
			< <(dpkg-query -L "$p" | grep -E '^(/usr)?/s?bin/[^/]*$')
	done
	take "$(command -v loadkeys)"
	install -m 0755 "$restore" "$tree/usr/bin/bkp-restore"
	programs+=("$restore")
	take $FONT
	[ ! -e /etc/localtime ] || take /etc/localtime
	for f in "$@"; do
		[ -e "$f" ] || die "'$f' is not there"
		while IFS= read -r -d '' p; do take "$p"; done < <(find -L "$(realpath -s "$f")" -type f -print0)
	done
	take_libraries
	while read -r f; do # what has no program of its own
		[ -e "$tree/bin/$f" ] || [ -e "$tree/sbin/$f" ] || ln -s busybox "$tree/usr/bin/$f"
	done < <(busybox --list)
}

# Which drivers: disks of all kinds, keyboards, file systems, wired networks.  The screen is the firmware's own (efifb, vesafb).
DRIVERS="arch/x86/crypto crypto lib drivers/ata drivers/nvme drivers/scsi drivers/message drivers/cdrom drivers/block drivers/mmc
	drivers/virtio drivers/usb/core drivers/usb/common drivers/usb/host drivers/usb/storage drivers/usb/typec drivers/usb/roles
	drivers/usb/dwc3 drivers/hid drivers/input/keyboard drivers/input/serio drivers/i2c/busses drivers/mfd drivers/pci drivers/hv
	drivers/thunderbolt drivers/net/ethernet drivers/net/phy drivers/net/mdio drivers/net/pcs drivers/net/usb
	drivers/net/virtio_net.ko drivers/net/vmxnet3 drivers/net/hyperv drivers/md drivers/pinctrl drivers/char/virtio_console.ko
	drivers/char/hw_random fs/ext4 fs/jbd2 fs/mbcache.ko fs/xfs fs/btrfs fs/fat fs/exfat fs/ntfs3 fs/isofs fs/udf fs/fuse fs/nls
	fs/overlayfs fs/squashfs net/packet"
take_modules() {
	local base=$tree/lib/modules/$version all=$work/all d
	mkdir -p "$base" "$all/lib/modules"
	ln -s "$(realpath "$modules")" "$all/lib/modules/$version"
	for d in $DRIVERS; do echo "^kernel/${d}[/:]"; done >"$work/wanted"
	# each one that is wanted, and what it needs: depmod's own words, because an unpacked package has no modules.dep yet
	depmod -n -b "$all" "$version" | grep -E '^kernel/[^ ]*:' | grep -Ef "$work/wanted" | tr -d : | tr ' ' '\n' |
		sed '/^$/d; /scsi_debug/d' | sort -u >"$work/modules"
	(cd "$modules" && cpio --quiet -pdmL "$base") <"$work/modules"
	for d in modules.builtin modules.builtin.modinfo modules.order; do
		[ ! -e "$modules/$d" ] || cp "$modules/$d" "$base/"
	done
	depmod -b "$tree" "$version"
	grep -q '/usb-storage.ko:' "$base/modules.dep" || die "'$modules' has no driver for USB disks"
	echo "kernel $version"
}

make_tree() {
	local d
	tree=$work/tree
	mkdir -p "$tree"/{usr/{bin,sbin,lib,lib64,lib/bkp},dev,proc,sys,run,tmp,root,var/tmp,etc/bkp,etc/fonts}
	for d in bin sbin lib lib64; do ln -s "usr/$d" "$tree/$d"; done
	take_programs "$@"
	take_modules
	cp "$here/init" "$tree/init"
	cp "$here/menu" "$tree/usr/lib/bkp/menu"
	chmod 0755 "$tree/init" "$tree/usr/lib/bkp/menu"
	cp "$here/jp106.kmap" "$tree/usr/lib/bkp/"
	printf '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig><dir>%s</dir>%s</fontconfig>\n' \
		${FONT%/*} '<cachedir>/var/cache/fontconfig</cachedir>' \
		>"$tree/etc/fonts/fonts.conf"
	printf 'font-names=IPAGothic\nfont-size=20\n' >"$tree/root/.fbtermrc"
	echo 'root:x:0:0:root:/root:/bin/bash' >"$tree/etc/passwd"
	echo 'root:x:0:' >"$tree/etc/group"
	ln -s /proc/mounts "$tree/etc/mtab"
	[ -z "$root_key" ] || echo "$root_key" >"$tree/etc/bkp/root-key"
	"$restore" --version >"$tree/etc/bkp/version"
}

make_initramfs() {
	find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	(cd "$tree" && find . -print0 | sort -z | cpio --quiet --reproducible -0 -o -H newc -R 0:0) |
		zstd -q -"${BKP_RESCUE_LEVEL:-12}" -T0 >"$work/initrd.img"
}

# ---- the image: one partition, FAT32, that UEFI finds; for BIOS GRUB stands in front of it ----

grub_cfg() {
	local options="quiet loglevel=3" t=""
	[ "$serial" = 0 ] || t="serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial"
	sed -e "s|@DEFAULT@|$([ "$serial" = 1 ] && echo serial || echo "$lang")|" -e "s|@OPTIONS@|$options|" "$here/grub.cfg" |
		while IFS= read -r line; do
			if [ "$line" = @SERIAL@ ]; then echo "$t"; else printf '%s\n' "$line"; fi
		done
}

make_efi() { # FOLDER
	local signed=/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed shim=/usr/lib/shim/shimx64.efi.signed
	mkdir -p "$1/EFI/BOOT" "$1/EFI/debian"
	if [ -e $signed ] && [ -e $shim ]; then
		cp $shim "$1/EFI/BOOT/BOOTX64.EFI"
		cp $signed "$1/EFI/BOOT/grubx64.efi"
		[ ! -e ${shim%/*}/mmx64.efi.signed ] || cp ${shim%/*}/mmx64.efi.signed "$1/EFI/BOOT/mmx64.efi"
		echo "secure-boot yes"
	else
		# shellcheck disable=SC2086
		grub-mkimage -O x86_64-efi -p /EFI/debian -o "$1/EFI/BOOT/BOOTX64.EFI" $GRUB efi_gop efi_uga
		echo "secure-boot no"
	fi
	grub_cfg >"$1/EFI/debian/grub.cfg"
}

GRUB="part_msdos fat normal linux all_video echo test configfile search minicmd reboot halt serial"
make_image() {
	local esp=$work/esp image=$work/image id kib f
	id=$(sha256sum <"$work/initrd.img" | cut -c1-8)
	mkdir -p "$esp/bkp"
	make_efi "$esp"
	cp "$kernel" "$esp/bkp/vmlinuz"
	mv "$work/initrd.img" "$esp/bkp/initrd.img"
	cp "$here/stick.txt" "$esp/README.txt"
	find "$esp" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	# clusters of 4 KiB and the tables beside; FAT32 has 65,525 clusters at least
	kib=$(($(du -sk --apparent-size "$esp" | cut -f1) * 102 / 100 + 4096))
	[ $kib -ge 40960 ] || kib=40960
	truncate -s $(((kib + 1024 + 1023) / 1024))M "$image"
	printf 'label: dos\nlabel-id: 0x%s\nstart=2048, type=ef, bootable\n' "$id" | sfdisk -q "$image"
	mkfs.vfat --invariant -i "$id" -n BKPRESCUE -F 32 -s "$([ $kib -lt 300000 ] && echo 1 || echo 8)" --offset 2048 "$image" \
		$((($(stat -c %s "$image") - 1048576) / 1024)) >/dev/null
	export MTOOLS_SKIP_CHECK=1
	(cd "$esp" && find . -mindepth 1 -type d | sort) | while read -r f; do mmd -i "$image@@1M" "::${f#.}"; done
	(cd "$esp" && find . -type f | sort) | while read -r f; do mcopy -m -i "$image@@1M" "$esp/$f" "::${f#.}"; done
	# shellcheck disable=SC2086
	grub-mkimage -O i386-pc -p '(,msdos1)/EFI/debian' -o "$work/core.img" biosdisk $GRUB
	[ "$(stat -c %s "$work/core.img")" -le $((2047 * 512)) ] || die "GRUB for BIOS is too large"
	dd if=/usr/lib/grub/i386-pc/boot.img of="$image" bs=440 count=1 conv=notrunc status=none
	dd if="$work/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
}

find "$work" -mindepth 1 -delete # of one that was killed
check_packages
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(stat -L -c %Y "$kernel")}"
make_tree "$@"
make_initramfs
make_image
