#!/bin/bash
# Goal: years of nights: real captures of a small SS-MIX2-like tree and a command's dump onto two online media (one of them small)
# and one kept offline that is rotated each week, with expiry each week, the clock moved; every fifth night a fault (tests/lib/year.py says
# which), by the seed, often two at once: also the program's own calls and allocations fail and it is killed, in nights, rotations and
# expiries.  Three times all files are encrypted, or their owner converts them.  A model knows what must hold: exit codes and the
# silence of each night, every verdict that status prints each morning, in both languages; afterwards the floors hold, every reported
# generation verifies on every medium that is said to hold it, the journal verifies from the root key and against each medium, what
# is restored is the tree as it was that night, and the campaign's oracle finds nothing on the disks.
#   BKP_YEAR_NIGHTS (50)  BKP_YEAR_SEEDS ("1 2"): a year each, two at a time  BKP_YEAR_PROFILE=1: what took the time, on stderr
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: needs root for a file system of its own"; exit 0; }
# hundreds of nights are hundreds of fsyncs: in memory, but for the small disk
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-year.XXXXXX); rm -rf "$T"; T=$d; }
. "$(dirname "$0")/../lib/fakeclock.sh"
cc -O1 -shared -fPIC -w -o "$T/faults.so" "$SRC_ROOT/tests/campaign/faults.c" -ldl || die "faults.c does not compile"
export TZ=Asia/Tokyo
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore

year() { # SEED; in a shell of its own, at a site of its own
	local faults=$T/faults.so root
	T=$T/$1
	FAKEDISK=$T/disks
	export BKP_POLICY=$T/policy.yaml
	mkdir "$T"
	mkdir "$T/src" "$T/nas" "$T/ssd" "$T/rdx"
	truncate -s "${BKP_YEAR_DISK:-48M}" "$T/ssd.img"
	mkfs.ext4 -q -m 0 -E lazy_itable_init=0 "$T/ssd.img"
	mount -o loop "$T/ssd.img" "$T/ssd"
	cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
archive_size: 1 MiB
people:
  - {name: 事務長, roles: [manager, operator]}
datasets:
  - {name: docs, title: SS-MIX2標準化ストレージ, paths: [$T/src], generations: 3, keep: {daily: 7, weekly: 4, monthly: 3}}
  - {name: db, title: db, command: cat $T/db.dump, store_as: db.dump, expect: {min_bytes: 10}, generations: 3,
     keep: {daily: 7, weekly: 4, monthly: 3}}
media:
  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
  - {name: ssd, type: ssd, path: $T/ssd, place: 受付}
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 金庫, swap_every: 7d, max_attached: 4h}
places:
  - {name: サーバ室, originals: true}
  - {name: 受付}
  - {name: 金庫, separate_from: [サーバ室, 受付]}
retention: {protect: 3d}
schedule: {at: "02:00"}
Y
	age-keygen -o "$T/id.txt" 2>/dev/null
	"$BKP" init --recipient "$(age-keygen -y "$T/id.txt")" --root-key-out "$T/root.key" >"$T/init.out"
	fakedisk hdd "$T/nas" "$T/rdx"
	fakedisk ssd "$T/ssd"
	for m in nas ssd RDX-01; do env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" "$BKP" --quiet medium add $m 2>/dev/null; done
	mv "$T/rdx" "$T/shelf"
	"$BKP" --quiet medium move RDX-01 --operator 事務長 --place 金庫
	root=$(sed -n 's/^root public key: //p' "$T/init.out")
	[ -n "$root" ] || die "init does not show the root public key"
	python3 "$SRC_ROOT/tests/lib/year.py" --bin "$BKP" --restore "$RESTORE" --root "$T" --fake "$FAKE" \
		--root-key "$root" --faults "$faults" --nights "${BKP_YEAR_NIGHTS:-50}" --seed "$1" \
		${BKP_YEAR_PROFILE:+--profile} >"$T.said" || die "the year of seed $1"
	umount "$T/ssd"
}

years=()
for seed in ${BKP_YEAR_SEEDS:-1 2}; do
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do sleep 1; done
	(year "$seed") &
	years+=($!)
done
for y in "${years[@]}"; do wait "$y" || bad=1; done
[ -z "${bad:-}" ] || die "a year"
for seed in ${BKP_YEAR_SEEDS:-1 2}; do while read -r line; do say "$line"; done <"$T/$seed.said"; done
