#!/bin/bash
# Goal: the recovery of 88 where nothing of this product is installed: on a bare Debian with PostgreSQL, as the new server would be, with
# the static program that lies on the disk, checked as docs/ja/restore.md says; drilled, recovered, pg_dump equal to the destroyed server.
# It makes that Debian (debootstrap), so it belongs to tests/run.sh --long.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/emr.sh"
[ "$(id -u)" = 0 ] || die "needs root: loop devices, and PostgreSQL runs as another user"
B=$T/bare
inside() { chroot "$B" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
stop_all() {
	for d in "$T/pg" "$B/srv/emr"; do
		[ ! -f "$d/postmaster.pid" ] || kill -QUIT "$(head -n 1 "$d/postmaster.pid")" 2>/dev/null || true
	done
	umount "$T/rdx" 2>/dev/null || true
	[ -z "$LOOP" ] || losetup -d "$LOOP" 2>/dev/null || true
	site_cleanup
}
trap stop_all EXIT
exec </dev/null

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' 'Origin: Debian' | sort -u | head -n 1)
debootstrap --variant=minbase bookworm "$B" "$mirror" >"$T/debootstrap" 2>&1 || fail debootstrap "$T/debootstrap"
cp -a /etc/apt/apt.conf.d/99* "$B/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/resolv.conf "$B/etc/" 2>/dev/null || true
mount -t proc proc "$B/proc"
mount --bind /dev "$B/dev"
printf '#!/bin/sh\nexit 101\n' >"$B/usr/sbin/policy-rc.d"
chmod +x "$B/usr/sbin/policy-rc.d"
{ inside apt-get update -qq && inside apt-get install -y -qq --no-install-recommends postgresql minisign openssl clamav; } >"$T/apt" 2>&1 ||
	fail "apt-get install" "$T/apt"
! inside sh -c 'command -v bkp || command -v bkp-restore' || die "it is not bare"

emr_server
emr_site
emr_night
emr_encrypted
emr_attest
mv "$T/state" "$T/gone.state"
LOOP=$(loop_of --read-only "$T/rdx.img")
mkdir -p "$B/mnt/m" "$B/mnt/key"
mount -o ro,nosuid,nodev,noexec "$LOOP" "$B/mnt/m"
cp "$T/id.txt" "$B/mnt/key/identity.txt"
cp -r "$T/attest.yaml" "$T/virus" "$B/srv/"
ROOT=$(sed -n 's/^root public key: *//p' "$T/init.out")
{
	echo 'set -eu'
	echo "KEY=$ROOT; D=\$(mktemp -d)"
	# where the medium's folder lies is the one line of the page that differs
	sed -n '/^## 1/,/^## 2/{/^```/,/^```/p}' "$SRC_ROOT/docs/ja/restore.md" | grep -v '^```' | sed 's/^# //' |
		sed -n '/cp -r/,$p' | grep -v '^KEY=' | sed 's|/mnt/m/bkp|/mnt/m|g'
	cat <<'S'
PROC=$(echo /mnt/m/*-*-*-*-*/procedures/emr-recovery.md)
emr() { bkp-restore --medium /mnt/m --root-key "$KEY" --identity /mnt/key/identity.txt "$1" "$PROC" --to "$2" --operator 山田 \
	--attest /srv/attest.yaml --set virusdb=/srv/virus --set cluster=/srv/emr; }
emr drill /srv/drill
[ ! -e /srv/emr ] && [ ! -e /srv/drill/scratch ]
mkdir -p /srv/r
emr recover /srv/r
S
} >"$B/srv/as-the-page-says.sh"
expect 0 inside bash /srv/as-the-page-says.sh
said '復旧訓練: 合格'
PGB=$(inside sh -c 'ls -d /usr/lib/postgresql/*/bin' | tail -n 1)
dump_of inside runuser -u postgres -- "$PGB/pg_dump" -h /srv/emr -p 54399 >"$T/found.sql"
cmp "$T/truth.sql" "$T/found.sql" || die "pg_dump of the recovered server differs"
grep -q 復旧報告書 "$B/srv/r/recovery.html" || die "no report"
say "a bare Debian with PostgreSQL, and the disk: its own program, checked by the paper's key, drills and recovers; pg_dump of both equal"
