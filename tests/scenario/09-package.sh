#!/bin/bash
# Goal: the Debian package installs on a bare Debian 12 with what the archive has, brings programs, manual, completions and /etc/bkp/,
# and starts nothing; over a former version the policy, the state and a sealed disk are accepted as they are; removed, it leaves what
# the site wrote.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (chroot)"
PROGRAMS=${BKP_RELEASE:-$BKP_BIN}

# ---- two packages: this version, and one that says it is a former one ----
package() { # BUILD TO
	cpack --config "$1/CPackConfig.cmake" -B "$2" >"$T/cpack" 2>&1 || fail cpack "$T/cpack"
	find "$2" -maxdepth 1 -name '*.deb'
}
options=(-DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O0 -DBKP_TESTS=OFF -DBKP_VERSION=0.0.9)
{ cmake -S "$SRC_ROOT" -B "$T/former" -G Ninja "${options[@]}" && cmake --build "$T/former"; } >"$T/build" 2>&1 ||
	{ tail -n 20 "$T/build" >&2; die "the build of a former version"; }
mkdir "$T/debs"
former=$(package "$T/former" "$T/debs/former")
now=$(package "$PROGRAMS" "$T/debs/now")
version=$("$PROGRAMS/bkp" --version)
say "$(basename "$former") and $(basename "$now") are made"

# ---- a bare system: what debootstrap makes of where this machine has its packages from ----
B=$T/bare
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' 'Origin: Debian' | sort -u | head -n 1)
debootstrap --variant=minbase bookworm "$B" "$mirror" >"$T/debootstrap" 2>&1 || fail debootstrap "$T/debootstrap"
cp -a /etc/apt/apt.conf.d/99* "$B/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/resolv.conf "$B/etc/" 2>/dev/null || true
mount -t proc proc "$B/proc"
inside() { chroot "$B" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
install() { # DEB
	cp "$1" "$B/tmp/bkp.deb"
	inside apt-get install -y -qq --no-install-recommends /tmp/bkp.deb >"$T/apt" 2>&1 || fail "apt-get install" "$T/apt"
}
inside apt-get update -qq >"$T/apt" 2>&1 || fail "apt-get update" "$T/apt"
install "$former"
[ "$(inside bkp --version)" = "bkp 0.0.9" ] || die "the former version is not there"
[ -d "$B/etc/bkp" ] && [ -z "$(ls "$B/etc/bkp")" ] || die "/etc/bkp: $(ls "$B/etc/bkp")"
for page in bkp.8 bkp-run.8 bkp-policy.5 bkp-restore.1; do
	[ -e "$B/usr/share/man/man${page##*.}/$page" ] || die "no manual page $page"
done
[ ! -e "$B/etc/systemd/system/timers.target.wants/bkp-run.timer" ] && ! ls "$B"/etc/cron.d/bkp* 2>/dev/null ||
	die "something is started"
mkdir "$T/units"
for unit in service timer; do sed "s#/usr/sbin/bkp#$BKP#" "$B/usr/lib/systemd/system/bkp-run.$unit" >"$T/units/bkp-run.$unit"; done
systemd-analyze verify --man=no "$T"/units/* >"$T/out" 2>&1 || fail "systemd does not take the units" "$T/out"
! grep bkp-run "$T/out" || die "systemd has something to say of the units"
completed() { # WORD...: what the last one may become
	inside bash -c '. /usr/share/bash-completion/completions/bkp
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bkp; echo "${COMPREPLY[@]}"' - "$@"
}
{ completed bkp rota && completed bkp rotate --oper && completed bkp-restore extr; } >"$T/out"
[ "$(tr "\n" " " <"$T/out")" = "rotate --operator extract " ] || fail "completion" "$T/out"
say "on a bare Debian 12 it installs with $(grep -c ' newly installed\|^Setting up' "$T/apt") packages of the archive, and starts nothing"

# ---- a site of the former version ----
mkdir -p "$B"/srv/documents "$B"/mnt/{nas,usb,rdx}
head -c 300000 /dev/urandom >"$B/srv/documents/scan"
cat >"$B/etc/bkp/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: /var/lib/bkp
	datasets:
	  - {name: docs, paths: [/srv/documents]}
	media:
	  - {name: nas, type: hdd, path: /mnt/nas, place: サーバ室}
	  - {name: usb, type: ssd, path: /mnt/usb, place: 受付}
	  - {name: RDX-01, type: rdx, path: /mnt/rdx, offline: true, place: 金庫}
Y
cp -a "$B/etc/bkp/policy.yaml" "$T/policy.was"
inside sh -ec 'bkp --quiet init --identity-out /srv/id.txt --plain-identity --root-key-out /srv/root.key
	for m in nas usb RDX-01; do bkp --quiet medium add $m; done
	bkp --quiet run --all' >"$T/out" 2>"$T/err" || fail "the former version's first run"
inside bkp --quiet rotate RDX-01 --operator Sato >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "the former version's rotation"
tools() { "$B/mnt/rdx/tools/bkp-restore" --version | cut -d" " -f2; } # the version that the disk carries
[ "$(tools)" = 0.0.9 ] || die "the disk carries $(tools)"

# ---- this version over it ----
install "$now"
[ "$(inside bkp --version)" = "$version" ] || die "after the upgrade it is $(inside bkp --version)"
cmp "$T/policy.was" "$B/etc/bkp/policy.yaml" || die "the upgrade changed the policy"
inside bkp --quiet verify >"$T/out" 2>"$T/err" || fail "what the former version wrote is not accepted"
echo more >"$B/srv/documents/more"
inside bkp run --all >"$T/out" 2>"$T/err" || fail "the first run after the upgrade"
status inside bkp rotate RDX-01 --operator Sato
[ "$STATUS" -le 1 ] && ! grep -q 'W-DOCS\|E-' "$T/err" && grep -q sealed "$T/out" || fail "the sealed disk after the upgrade: exit $STATUS"
[ "$(tools)" = "${version#bkp }" ] || die "the disk still carries the former tools"
"$B/mnt/rdx/tools/bkp-restore" --quiet --medium "$B/mnt/rdx" --identity "$B/srv/id.txt" extract docs@2 --to "$T/back" || die "extract"
[ -z "$(rsync -aHnc --delete --itemize-changes "$B/srv/documents/" "$T/back/srv/documents/")" ] || die "another tree comes back"
say "over a former version: policy untouched, repository and sealed disk accepted, its tools are this version's"

inside apt-get remove -y -qq bkp >"$T/apt" 2>&1 || fail "apt-get remove" "$T/apt"
[ ! -e "$B/usr/sbin/bkp" ] && [ -e "$B/etc/bkp/policy.yaml" ] && [ -e "$B/var/lib/bkp/journal/000001.jsonl" ] ||
	die "removal took what the site wrote"
say "removed, it leaves policy, state and media"
