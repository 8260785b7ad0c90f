# shellcheck shell=bash
# What the project needs from Debian 12, and how it gets there.  Sourced by policies/demo/run.sh and tests/run.sh.
# Nothing is installed when everything is there already.

# to build and to run the demo
BKP_BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config gettext python3
  libarchive-dev libsodium-dev libssl-dev liblz4-dev libzstd-dev uuid-dev libjansson-dev libyaml-dev liblmdb-dev
  libcmark-dev libqrcodegen-dev libblkid-dev libmount-dev libisal-dev libfuse3-dev fuse3
  libacl1-dev libattr1-dev libbz2-dev liblzma-dev libxml2-dev nettle-dev zlib1g-dev
  age lz4 zstd minisign openssl rsync"
# to test
# shellcheck disable=SC2034 # for tests/run.sh
BKP_TEST_PACKAGES="$BKP_BUILD_PACKAGES clang libclang-rt-14-dev debootstrap dpkg-dev clang-format-14 libcmocka-dev
  postgresql mariadb-server mariadb-client orthanc sqlite3 curl
  chromium fonts-ipafont-gothic poppler-utils zbar-tools librsvg2-bin
  clamav samba smbclient ntfs-3g
  cron systemd openssh-server openssh-client zip busybox
  jq fdisk xorriso
  cpio dosfstools mtools kbd kmod iproute2 fbterm grub-common grub-pc-bin grub-efi-amd64-bin grub-efi-amd64-signed shim-signed
  acl attr libcap2-bin e2fsprogs xfsprogs btrfs-progs libarchive-tools strace bsdextrautils util-linux procps time man-db mandoc shellcheck
  python3-prometheus-client python3-yaml"

# to test with tests/run.sh --long (tests/lib/long.txt)
# shellcheck disable=SC2034 # for tests/run.sh
BKP_LONG_PACKAGES="qemu-system-x86 ovmf libreoffice-calc-nogui" # 91 starts the rescue image; its kernel is fetched, not installed; 94d

# What Debian starts when it is installed, by package.  The tests start their own, below their own folders.
BKP_SERVICES="postgresql:postgresql mariadb-server:mariadb orthanc:orthanc openssh-server:ssh
  clamav:clamav-freshclam samba:smbd samba:nmbd samba:samba-ad-dc"

# bkp_quietly COMMAND...: what it installs is not started.  policy-rc.d is Debian's way to say so: it holds under systemd, under
# SysV init and in a chroot, and touches no service that runs already.  One that is there is the machine's own, and stays.
bkp_quietly() (
	rcd=${BKP_POLICY_RCD:-/usr/sbin/policy-rc.d}
	[ ! -e "$rcd" ] || { "$@"; exit; }
	# shellcheck disable=SC2064
	trap "$sudo rm -f '$rcd'" EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$rcd" >/dev/null
	$sudo chmod 0755 "$rcd"
	"$@"
)

# bkp_install PACKAGE...: installs what is missing.  A server that it brings is neither started nor enabled: Orthanc would listen to
# the network.  One that was there before is left alone.
bkp_install() {
	local missing=() p s sudo=
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			{ echo "these packages are missing, run as root: apt-get install ${missing[*]}" >&2; return 1; }
		sudo=sudo
	fi
	echo "installing: ${missing[*]}"
	$sudo apt-get update -qq
	bkp_quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
		return 1
	for s in $BKP_SERVICES; do
		case " ${missing[*]} " in
		*" ${s%%:*} "*) $sudo update-rc.d "${s#*:}" disable >/dev/null 2>&1 || echo "could not disable the service ${s#*:}" >&2 ;;
		esac
	done
}
