#!/bin/bash
# Goal: the disk that comes back is hostile until proven.  Every row of docs/rotation-refusals.md is produced on a real ext4 on a loop
# device and held against the table, mounted by hand and left to bkp: code and exit status are those, of what is refused not a byte of the
# disk changes (left to bkp: not a bit of the device) and nothing is recorded but the failure, of what is mended every generation restores
# from the disk alone.  A rotation that is killed at a random moment, or loses its disk, is not taken for any of it and copies nothing
# twice that came whole.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
# shellcheck source=tests/lib/plug.sh
. "$(dirname "$0")/../lib/plug.sh"
# shellcheck source=tests/lib/fakeclock.sh
. "$(dirname "$0")/../lib/fakeclock.sh"
[ "$(id -u)" = 0 ] || die "needs root (loop devices)"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-return.XXXXXX); rm -rf "$T"; T=$d; FAKE=$T/fakeclock.so; export BKP_POLICY=$T/policy.yaml; }
cc -O1 -shared -fPIC -o "$FAKE" "$SRC_ROOT/tests/lib/fakeclock.c"
FAKE_ENV=("LD_PRELOAD=$FAKE" "ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}")
M=$T/rdx

attach() { mkdir -p "${2:-$M}"; mount -o "loop${3:+,$3}" "$1" "${2:-$M}"; }
detach() { sync -f "${1:-$M}"; umount "${1:-$M}"; }
# plug IMAGE [OPTIONS]: a copy of it is the disk from now on, a file of its own each time: where a mount of another test's namespace still
# holds the former one, mount(8) would give that again
IMG='' plugged=0
plug() {
	local was=$IMG
	IMG=$T/disk.$((++plugged)).img
	cp --sparse=always "$1" "$IMG"
	[ -z "$was" ] || rm -f "$was"
	attach "$IMG" "$M" "${2:-}"
}
# What is on the disk, without the times that a mount changes
print_of() { (cd "$M" && find . -printf '%p %y %m %s %T@ %l\n' | sort && find . -type f -exec sha256sum {} + | sort); }
records() { grep -vc '"event":"\(outcome\|notified\)"' "$T/state/journal/000001.jsonl"; }
rotate() { status "${RUN_WITH[@]}" timeout 60 "$BKP" rotate --operator Sato "$@"; }
night() { expect 0 "$BKP" --quiet run --all; }
bytes() { head -c "$2" /dev/urandom >"$T/src/$1"; }

mkdir -p "$T/src" "$T/nas" "$M"
age-keygen -o "$T/id.txt" 2>/dev/null
RUN_WITH=()
policy() {
	sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	archive_size: 1 MiB
	datasets:
	  - {name: docs, paths: [$T/src]}
	media:
	  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
	  - {name: RDX-01, type: rdx, offline: true, path: $M, place: 金庫}
	  - {name: RDX-02, type: rdx, offline: true, path: $T/rdx2, place: 金庫}
	  - {name: RDX-03, type: rdx, offline: true, path: $T/rdx3, place: 金庫}
	  - {name: RDX-04, type: rdx, offline: true, path: $T/rdx4/bkp, place: 金庫}
	Y
}
policy
"$BKP" init --root-key-out "$T/root" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
# shellcheck disable=SC2034 # for plug_end
ID=$(sed -n 's/.*"repository":"\([0-9a-f-]*\)".*/\1/p' "$T/state/repository.json" | head -n 1)
expect 0 "$BKP" --quiet medium add nas
truncate -s 112M "$T/new.img"
mkfs.ext4 -q -m 0 -O ^has_journal "$T/new.img"
keep() { # NAME: disk, NAS and state as they are now
	detach
	mkdir -p "$T/keep.$1"
	cp --sparse=always "$IMG" "$T/keep.$1/disk.img"
	thaw "$T/nas"
	cp -a "$T/state" "$T/nas" "$T/src" "$T/keep.$1/"
	plug "$IMG"
}
plug "$T/new.img"
serial() { # NUMBER [DEVICE]: the disk below the file system says so from now on
	SERIAL=$1
	serial_shown "$1" "${2:-$(findmnt -no SOURCE "$M")}"
	RUN_WITH=("${SERIAL_RUN[@]}")
}
serial WD-A1
expect 0 "${RUN_WITH[@]}" "$BKP" --quiet medium add RDX-01
record medium-added | grep -q '"serial":"WD-A1"' || die "the serial number is not recorded: $(record medium-added)"
RUN_WITH=()
keep registered
for g in 1 2 3; do
	bytes "$g" 1500000
	night
	rotate --quiet
	[ "$STATUS" = 0 ] || fail "the rotation $g"
	keep "$g"
done
[ "$(grep -c '"event":"rotated".*"turn":3' "$T/state/journal/000001.jsonl")" = 1 ] || die "the third rotation has another number"
bytes 4 1500000
night
keep now
RUN_WITH=()
unmounted() {
	local m
	for m in $(awk -v t="$T" '$2 ~ "^"t {print $2}' /proc/mounts | sort -r); do umount "$m"; done
}
start() { # [DISK-OF [STATE-OF]]
	unmounted
	thaw "$T/nas"
	rm -rf "$T/state" "$T/nas" "$T/src"
	cp -a "$T/keep.${2:-now}/state" "$T/keep.${2:-now}/nas" "$T/keep.${2:-now}/src" "$T/"
	plug "$T/keep.${1:-now}/disk.img"
	RUN_WITH=() SERIAL='' R=$(repo_of "$M") D=$(set_of "$M") ARGS=()
	thaw "$M"
}
J() { echo "$T/state/journal/000001.jsonl"; }
# A disk of its own: the same files on it, or nothing
other_disk() {
	detach; cp --sparse=always "$T/new.img" "$T/other.img"; other_uuid "$T/other.img"
	plug "$T/other.img"
}

# ---- one function a row: makes the situation; ARGS: what is typed besides
case_empty() { start; other_disk; }
case_another_name() {
	start; detach
	mkdir -p "$T/rdx2"; cp --sparse=always "$T/new.img" "$T/two.$plugged.img"; other_uuid "$T/two.$plugged.img"
	attach "$T/two.$plugged.img" "$T/rdx2"; expect 0 "$BKP" --quiet medium add RDX-02
	detach "$T/rdx2"; IMG=$T/two.$plugged.img; attach "$IMG"; ARGS=(RDX-01)
}
case_another_site() {
	start; other_disk
	sed "s|$T/state|$T/state2|" "$T/policy.yaml" >"$T/policy2.yaml"
	rm -rf "$T/state2"
	BKP_POLICY=$T/policy2.yaml "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
	BKP_POLICY=$T/policy2.yaml "$BKP" --quiet medium add RDX-01 >/dev/null
	ARGS=(RDX-01)
}
case_unregistered() { start; other_disk; ARGS=(RDX-03); }
case_files_copied() { start; mkdir "$T/files"; cp -a "$M/." "$T/files/"; other_disk; cp -a "$T/files/." "$M/"; rm -rf "$T/files"; }
# the disk was registered with the serial number WD-A1
case_serial_changed() {
	start; serial WD-A1
	rotate --quiet; [ "$STATUS" = 0 ] || fail "with its own serial number"
	serial WD-B2
}
case_two_at_once() {
	start; detach; cp --sparse=always "$IMG" "$T/twin.img"
	plug "$IMG"; attach "$T/twin.img" "$T/elsewhere"
}
case_last_months_image() { start 1; }
case_clone_later() {
	start 3; rotate --quiet; [ "$STATUS" = 0 ] || fail "the disk itself"; detach
	plug "$T/keep.3/disk.img"
}
case_before_the_first() { start registered; }
case_cut_and_gone() { start 1; sed -i '$d' "$R/journal/000001.jsonl"; }
case_knows_more() { start 3 2; }
case_knows_more_keys() {
	start 3 3
	expect 0 env "${FAKE_ENV[@]}" FAKECLOCK=90000 "$BKP" --quiet rotate --operator Sato
	rm -rf "$T/state"; cp -a "$T/keep.3/state" "$T/"; thaw "$M"; rm -r "$R/journal"
}
case_unknown_generation() {
	start 3 2; head -n "$(wc -l <"$(J)")" "$R/journal/000001.jsonl" >"$T/cut"
	cat "$T/cut" >"$R/journal/000001.jsonl"
}
case_another_history() { start; sed -i '3s/"by":"/"by":"x/' "$R/journal/000001.jsonl"; }
case_mounted_over() { start; mkdir -p "$T/over"; cp -a "$R/." "$T/over/"; mount --bind "$T/over" "$R"; }
case_read_only() { start; detach; plug "$IMG" ro; }
case_nothing_to_accept() { start; ARGS=(--accept-rollback "no other disk"); }
case_journal_cut() { start; sed -i '$d' "$R/journal/000001.jsonl"; }
case_files_gone() { start; rm "$(find "$D/archives" -name '*.age' | sort | head -n 1)"; }
case_readme_replaced() { start; echo "run autorun.inf" >"$M/README.txt"; }
case_files_added() {
	start; mkdir "$D/evil" "$M/tools/deep"; echo x >"$R/setup.exe"; echo x >"$M/tools/evil.sh"
	ln -s / "$D/generations/link"; ln -s . "$D/loop"; mkfifo "$R/journal/pipe"
}
case_files_beside() {
	start; echo x >"$M/autorun.inf"; printf MZ >"$M/setup.exe"; echo x >"$M/a"; echo x >"$M/b"
	mkdir -p "$D/archives/ab"; echo x >"$D/archives/ab/ab$(printf '0%.0s' $(seq 62)).age"
}
case_rollback_accepted() { start 1; ARGS=(--accept-rollback "the other disk fell into the sea"); }

# ---- the table
cells() { grep '^| `' "$REFUSALS" | sed 's/^| `\([a-z-]*\)` | \([^ ]*\) | \([0-9]*\) |.*/\1 \2 \3/'; }
[ "$(cells | wc -l)" = "$(declare -F | grep -c ' case_')" ] || die "the table and the cases: $(cells | wc -l) rows"
restores() { # every generation that is said to be on the disk comes back from it alone
	local g
	for g in $("$BKP" generations --medium RDX-01 --all --json | python3 -c 'import json,sys
for g in json.load(sys.stdin)["generations"]:
    if any(m["label"] == "RDX-01" and m["ok"] for m in g["media"]): print(g["generation"])'); do
		(cd "$(set_of "$M")" && sha256sum --quiet -c "generations/$(printf %06d "$g")/SHA256SUMS") ||
			die "$1: generation $g is said to be on the disk and is not whole"
	done
}
# The same disk, plugged in and left to bkp to mount: refused before it is mounted for writing
mounted_by_bkp() { # NAME
	local name=$1 code exit option='' before
	[ "$name" != mounted-over ] || return 0 # nobody can: where bkp mounts it nobody else sees it
	read -r code exit <<<"$(refusal "$name")"
	unmounted
	[ "$name" != read-only ] || option=--read-only
	cp --sparse=always "$IMG" "$T/left.img" # another test's mount namespace may still hold the file system of the other
	loop_plug "$T/left.img" $option
	[ -z "$SERIAL" ] || serial "$SERIAL" "$DEV"
	[ "$name" != two-at-once ] || loop_plug "$T/twin.img"
	before=$(sha256sum <"$T/left.img"); n=$(records)
	rotate "${ARGS[@]}"
	loop_unplug
	[ "$STATUS" = "$exit" ] || fail "$name, mounted by bkp: exit $STATUS, the table says $exit"
	grep -q "bkp: $code: " "$T/err" || fail "$name, mounted by bkp: the table says $code"
	grep -q '→' "$T/err" || fail "$name, mounted by bkp: what to do is not said"
	[ "$(sha256sum <"$T/left.img")" = "$before" ] || die "$name: a bit of the disk changed before it was refused"
	[ "$(records)" = "$n" ] || die "$name, mounted by bkp: something was recorded: $(tail -n 2 "$(J)")"
	unchanged=$((unchanged + 1))
}
refused=0 mended=0 unchanged=0
while read -r name code exit; do
	declare -F "case_${name//-/_}" >/dev/null || die "no case for the row '$name'"
	"case_${name//-/_}"
	print_of >"$T/before"; n=$(records)
	find "$D" -path '*/generations/*' -type f -exec sha256sum {} + >"$T/generations" 2>/dev/null || true
	rotate "${ARGS[@]}"
	[ "$STATUS" = "$exit" ] || fail "$name: exit $STATUS, the table says $exit"
	grep -q "bkp: $code: " "$T/err" || fail "$name: the table says $code"
	grep -q '→' "$T/err" || fail "$name: what to do is not said"
	if [ "$exit" = 1 ]; then
		(cd / && sha256sum --quiet -c "$T/generations") || die "$name: a byte of a generation was changed"
		restores "$name"
		mended=$((mended + 1))
	else
		print_of | diff - "$T/before" >&2 || die "$name: the disk was changed"
		[ "$(records)" = "$n" ] || die "$name: something was recorded: $(tail -n 2 "$(J)")"
		cp "$T/err" "$T/err.mounted"
		mounted_by_bkp "$name"
		cp "$T/err.mounted" "$T/err"
		refused=$((refused + 1))
	fi
	case $name in
	two-at-once) grep -q "$M.*as after rotation 3.*$T/elsewhere.*as after rotation 3" "$T/err" || fail "which is which is not said" ;;
	last-months-image | clone-later)
		grep -q "as it was on $(date +%Y-%m-%d).*after rotation [13]" "$T/err" || fail "which day is not said"
		;;
	files-added)
		grep -q 'W-ROTATE-20: 7 files' "$T/err" || fail "not all are counted"
		expect 1 "$BKP" rotate --operator Sato; said W-ROTATE-20 # each time
		[ -e "$M/tools/evil.sh" ] && [ -e "$R/setup.exe" ] || die "something was deleted"
		;;
	files-beside)
		grep -q "W-ROTATE-21: 5 other files.*'a', 'autorun.inf', 'b' and more" "$T/err" || fail "not all are counted"
		expect 0 "$BKP" rotate --operator Sato # once
		echo x >"$M/c"; expect 1 "$BKP" rotate --operator Sato; said W-ROTATE-21
		[ "$(grep -c '"event":"strangers"' "$(J)")" = 2 ] || die "the record"
		;;
	rollback-accepted)
		said W-ROTATE-02
		record rollback-accepted | grep -q '"turn":1,"operator":"Sato","reason":"the other disk fell into the sea"' ||
			die "the record"
		expect 0 "$BKP" rotate --operator Sato
		# the disk that was thought to be lost is the one that knows less now
		detach; plug "$T/keep.now/disk.img"; rotate
		[ "$STATUS" = 2 ] && grep -q 'E-ROTATE-20.*after rotation 3' "$T/err" || fail "the true disk, found again"
		# and neither expiry nor repair makes it know more
		print_of >"$T/before"
		for c in "expire --medium RDX-01 --operator Sato" "repair RDX-01 --operator Sato"; do
			# shellcheck disable=SC2086 # words
			status "$BKP" $c
			cmp -s <(print_of | grep journal) <(grep journal "$T/before") || fail "$c wrote a journal to it"
		done
		;;
	esac
done < <(cells)
say "$refused situations refused, $mended mended," \
	"each with the code, exit status and outcome of docs/rotation-refusals.md; nothing of what is" \
	"refused was changed; $unchanged of them once more, plugged in and left to bkp: sha256sum of the device is the same"

# ---- a medium in a folder of the disk: what lies at the disk's root
start
cp --sparse=always "$T/new.img" "$T/four.img"; other_uuid "$T/four.img"
attach "$T/four.img" "$T/rdx4"; mkdir "$T/rdx4/bkp"; echo x >"$T/rdx4/autorun.inf"
expect 0 "$BKP" --quiet medium add RDX-04
rotate RDX-04
[ "$STATUS" = 1 ] && grep -q "W-ROTATE-21: 1 other files.*'../autorun.inf'" "$T/err" || fail "autorun.inf at the root of the disk"
expect 0 "$BKP" --quiet rotate RDX-04 --operator Sato

# ---- as many names as fit
start
python3 - "$D/archives" "$R/tools2" <<'P'
import os, sys
os.mkdir(sys.argv[2])
fds = os.open(sys.argv[2], os.O_RDONLY)
os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=fds))
for d, to in ((fds, "g%d"), (os.open(sys.argv[1], os.O_RDONLY), "h%d")):
    for i in range(30000):
        os.link("f", to % i, src_dir_fd=fds, dst_dir_fd=d)
os.makedirs(sys.argv[1] + "/zz")
P
SECONDS=0; rotate
[ "$STATUS" = 1 ] && grep -q "W-ROTATE-20: 30002 files" "$T/err" || fail "30,000 names among the archives, a folder of 30,000, and one"
[ "$SECONDS" -lt 30 ] || die "it took $SECONDS s"

# ---- interrupted: it goes on, nothing that came whole is copied again, and nobody takes it for a former day
inodes() { find "$D" -type f -printf '%P %i %s\n' | sort; }
tries=0 twice=0
for n in $(seq 1 "${YANKS:-8}"); do
	start; night; bytes big 12000000; night; inodes >"$T/had"
	"$BKP" --quiet rotate --operator Sato >/dev/null 2>&1 &
	pid=$!
	sleep "0.$(printf %03d $((RANDOM % (n % 2 ? 60 : 250))))" # a release is done with it in a tenth of a second
	kill -9 $pid 2>/dev/null && tries=$((tries + 1))
	wait $pid 2>/dev/null || true
	if [ $((n % 2)) = 0 ]; then detach; plug "$IMG"; fi # pulled out, and back
	inodes >"$T/came"
	whole_there=$(awk '{n += $3} END {print n + 0}' "$T/came")
	rotate --json
	[ "$STATUS" = 0 ] || fail "after a kill: exit $STATUS"
	inodes >"$T/all"
	[ -z "$(comm -23 "$T/came" "$T/all")" ] || die "a file that had come whole was written again"
	python3 - "$T/out" "$whole_there" "$(awk '{n += $3} END {print n + 0}' "$T/all")" <<-'P' || twice=$((twice + 1))
	import json, sys
	copied, there, everything = json.load(open(sys.argv[1]))["bytes"], int(sys.argv[2]), int(sys.argv[3])
	sys.exit(0 if copied == everything - there else "%d bytes were copied, %d were missing" % (copied, everything - there))
	P
	restores "after a kill"
done
[ "$tries" -gt 0 ] && [ "$twice" = 0 ] || die "$tries kills, bytes copied twice in $twice"
say "$tries rotations killed at random moments: the next one copied exactly the bytes that were missing"

# ---- before the first byte: how much, how long, and what the time rests on
start; bytes big 40000000; night
rotate; said "'RDX-01': [0-9]* generations, .* to copy and read back, .*: about a minute \(a guess: nothing has been measured yet\)"
record rotated | grep -q '"write_ms":[0-9]*,"read_bytes":[0-9]*,"read_ms":' || die "what was measured is not recorded: $(record rotated)"
bytes big 1000000; night
rotate --json
python3 - "$T/out" <<'P' || die "expected: $(cat "$T/out")"
import json, sys
o = json.load(open(sys.argv[1]))
e = o["expected"]
assert e["basis"] == "measured" and e["generations"] == 1 and 0 <= o["bytes"] - e["bytes"] < 65536 and o["number"] == 5, o
P
# the whole disk is due to be read again (verify_every): the minutes hold that, too
night
RUN_WITH=(env "${FAKE_ENV[@]}" FAKECLOCK=$((100 * 86400)))
rotate --json
python3 - "$T/out" "$(cat "$M"/*-*-*-*-*/datasets/docs/archives/*/* | wc -c)" <<'P' || die "expected, all being due: $(cat "$T/out")"
import json, sys
e = json.load(open(sys.argv[1]))["expected"]
assert 0.8 < e["read_again"] / int(sys.argv[2]) < 1.2, e
P
say "the minutes are announced before the first byte, with what is to be read again, and rest on what was measured"
