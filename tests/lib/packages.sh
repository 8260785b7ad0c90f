# shellcheck shell=bash
# What the project needs from Debian 12, and how it gets there.  Sourced by policies/demo/run.sh and tests/run.sh.
# Nothing is installed when everything is there already.

# to build and to run the demo
BKP_BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config gettext python3
  libarchive-dev libsodium-dev libssl-dev liblz4-dev libzstd-dev uuid-dev libjansson-dev libyaml-dev liblmdb-dev
  libcmark-dev libblkid-dev libmount-dev
  libacl1-dev libattr1-dev libbz2-dev liblzma-dev libxml2-dev nettle-dev zlib1g-dev
  age lz4 zstd minisign rsync"
# to test
BKP_TEST_PACKAGES="$BKP_BUILD_PACKAGES clang libclang-rt-14-dev clang-format-14 libcmocka-dev
  postgresql chromium fonts-ipafont-gothic poppler-utils
  cron systemd
  acl attr libcap2-bin e2fsprogs libarchive-tools strace openssl bsdextrautils util-linux procps time man-db mandoc shellcheck python3-prometheus-client"

# bkp_install PACKAGE...: installs what is missing.
bkp_install() {
	local missing=() p
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	local sudo=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || { echo "these packages are missing, run as root: apt-get install ${missing[*]}" >&2; return 1; }
		sudo=sudo
	fi
	echo "installing: ${missing[*]}"
	$sudo apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
