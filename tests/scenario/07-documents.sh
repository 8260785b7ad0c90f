#!/bin/bash
# Goal: the documents for people are executed: every fenced block of docs/ja, README.md and docs/tutorial.md, the README.txt of a
# medium, the examples of the man pages are typed at a terminal of a plain shell at a clinic that lives through them
# (tests/lib/documents.py says in which order), with its paths as they stand, disks mounted noexec, dash and busybox; screens are
# compared with what the documents show.
set -eu
: "${BKP_BIN:?folder of the built programs}"
[ "$(id -u)" = 0 ] || { echo "proved: nothing, needs root"; exit 0; }
SRC=$(cd "${BKP_SRC:-$(dirname "$0")/../..}" && pwd)
BUILD=${BKP_RELEASE:-$BKP_BIN}
if [ "${1:-}" != inside ]; then
	W=$(mktemp -d /dev/shm/bkp-documents.XXXXXX)
	trap 'chattr -R -f -i "$W" 2>/dev/null; rm -rf "$W"' EXIT
	unshare -m --propagation private bash "$0" inside "$W"
	exit
fi
W=$2
unset BKP_POLICY BKP_LANG LANG LC_ALL
export BUILD
mount -t tmpfs none "$W" # with all that is mounted below it, gone when this ends
chmod 0755 "$W"
mkdir -p "$W"/shim "$W"/disks/{nas,ssd,rdx,key} "$W/tree"
# the one that is carried away has a UUID, as a disk has (fakeclock.c, FAKEDISK)
mkdir -p "$W/udev/run/udev/data"
mknod "$W/udev/sdx" b 240 1
echo "E:ID_FS_UUID=1b2c3d4e-0000-4000-8000-000000000001" >"$W/udev/run/udev/data/b240:1"
for d in nas ssd key; do mount -t tmpfs none "$W/disks/$d"; done
mount -t tmpfs "$W/udev/sdx" "$W/disks/rdx"
mount --bind "$SRC" "$W/tree"
cc -O1 -shared -fPIC -o "$W/fakeclock.so" "$SRC/tests/lib/fakeclock.c"

# the computer of the documents: its own /etc, /var/lib and /usr/sbin over those of this machine; bkp alone below /usr/local
for d in /etc /var/lib /usr/sbin; do
	mkdir -p "$W/over$d" "$W/work$d"
	mount -t overlay -o "lowerdir=$d,upperdir=$W/over$d,workdir=$W/work$d" overlay "$d"
done
mount -t tmpfs none /usr/local
cmake --install "$BUILD" --prefix /usr/local >/dev/null
for d in /mnt /srv /tmp /home; do mount -t tmpfs none "$d"; done
mkdir -p /home/it /mnt/{nas,ssd,rdx,key} /srv/documents
for d in nas ssd rdx key; do mount --bind "$W/disks/$d" "/mnt/$d"; done
rm -rf /etc/bkp /etc/cron.d/bkp* /var/lib/bkp
for i in 1 2 3 4; do head -c 500000 /dev/urandom >"/srv/documents/scan-$i.pdf"; done
echo 紹介状 >/srv/documents/紹介状.txt
cp -a /srv/documents "$W/documents.was"

stub() { cat >"$1"; chmod 0755 "$1"; } # in place of what a clinic has: a database, a mailer, a chat, disks that are mounted by name
stub "$W/shim/pg_dump" <<-X
	#!/bin/sh
	[ -e $W/no-dump ] || seq 1 250000
X
printf '#!/bin/sh\necho 1234\n' | stub /usr/local/bin/psql # where a drill looks, too
printf '#!/bin/sh\nexec cat >/dev/null\n' | stub /usr/local/bin/pg_restore
printf '#!/bin/sh\nexec cat >%s/sent\n' "$W" | stub /usr/sbin/sendmail
printf '#!/bin/sh\necho "$*" >%s/sent\n' "$W" | stub "$W/shim/curl"
printf '#!/bin/sh\nexec sleep 100\n' | stub "$W/shim/x-www-browser" # a browser that nobody looks at
stub "$W/shim/mount" <<-X
	#!/bin/bash
	# mount, with the options it is given; only which disk /dev/sdX1 is, and what fstab says of /mnt/rdx, is filled in here
	opts=defaults
	[ "\$1" != -o ] || { opts=\$2; shift 2; }
	case "\$*" in
	/mnt/rdx) exec /bin/mount --bind $W/disks/rdx /mnt/rdx ;;
	"/dev/sdX1 /mnt/medium") d=rdx/bkp ;;
	/dev/sdX1*) d=rdx ;;
	/dev/sdY1*) d=key ;;
	*) echo "mount: \$*: not prepared" >&2; exit 32 ;;
	esac
	/bin/mount --bind $W/disks/\$d "\$2" && exec /bin/mount -o "remount,bind,\$opts\${MOUNT_EXTRA:+,\$MOUNT_EXTRA}" "\$2"
X
cd "$W/tree"
python3 "$W/tree/tests/lib/documents.py" "$W/tree" "$W"
