#!/bin/bash
# Goal: three disks in turn for BKP_TURN_WEEKS simulated weeks, as a person does it: plugged in (loop devices with ext4; more than 26 weeks:
# xfs and btrfs too; no fstab, no udev), one command, pulled out, carried away; nights, mornings, Japanese holidays. In the course of ten
# weeks comes each thing that happens to disks once: wrong ones, a clone, a flipped byte, last month's image, a full one, one lost and
# found, a swapped serial number, an old state folder; and BKP_YANKS times one is torn away, or bkp killed, at a random moment. What is
# refused is refused with the code of docs/rotation-refusals.md and not a bit of the device changes; on all other days it is ○ and quiet;
# at the end every generation that is said to be on a disk comes back from that disk alone, as it was when it was captured.
# Adds about 25 s, 22 s of CPU. BKP_SEED=N repeats the moments of a run that failed; BKP_DISK_KINDS="ext4 xfs btrfs" is for the desk.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/plug.sh"
[ "$(id -u)" = 0 ] || die "needs root (loop devices)"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-weeks.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
. "$(dirname "$0")/../lib/fakeclock.sh"
export -n FAKEDISK=
export TZ=Asia/Tokyo
weeks=${BKP_TURN_WEEKS:-10}
[ "$weeks" -gt 26 ] && long=1 || long=
read -ra KINDS <<<"${BKP_DISK_KINDS:-${long:+ext4 xfs btrfs}}"
YANKS=${BKP_YANKS:-${long:+20}} YANKS=${YANKS:-8}
SEED=${BKP_SEED:-$RANDOM}
RANDOM=$SEED
weeks_end() {
	[ $? = 0 ] || echo "to repeat its moments: BKP_SEED=$SEED" >&2
	plug_end
}
trap weeks_end EXIT
HOLIDAYS=$SRC_ROOT/policies/holidays-ja.txt

at() { # "DATE TIME" COMMAND...
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "$when")" "$@"
}
night() { # DATE: something new, a run, and a copy of what it was to capture
	runs=$((runs + 1))
	head -c 6000 /dev/urandom >"$T/src/日誌.new"
	mv "$T/src/日誌.new" "$T/src/日誌-$((runs % 5))"
	echo "$1" >>"$T/src/diary"
	[ $((runs % 7)) != 0 ] || { rm -rf "$T/src/週"; mkdir "$T/src/週"; ln -s ../diary "$T/src/週/$1"; }
	FAKEDISK=$T/shows status at "$1 02:00:00" "$BKP" run --quiet
	[ "$STATUS" = 0 ] && [ ! -s "$T/out" ] && [ ! -s "$T/err" ] || fail "the night of $1 exits $STATUS, or says something"
	cp -a "$T/src" "$T/as-it-was/$runs"
}
fine() { # "DATE TIME" [DISK]: ○, nothing to do; and that one is due
	FAKEDISK=$T/shows status at "$1" "$BKP" status --json
	[ "$STATUS" = 0 ] && grep -q '"overall": *"met"' "$T/out" && grep -q '"next": *\[\]' "$T/out" ||
		die "it is not ○ on $1: exit $STATUS, $(grep -o '"next": *\[[^]]*\]' "$T/out")"
	[ -z "${2:-}" ] || grep -q "\"due\": *\"$2\"" "$T/out" || fail "$2 is not due on $1"
}
img() { echo "$T/${1}.img"; }
rotate() { # "DATE TIME" ARGUMENT...: what is plugged in
	local when=$1
	shift
	status at "$when" "${SEEN[@]}" timeout 60 "$BKP" rotate --operator 山田 "$@"
}
turn() { # DATE DISK [EXITS]: brought, filled, carried away, recorded; an image is made of it, the former one is kept
	loop_plug "$(img "$2")"
	rotate "$1 ${HOUR:-09}:00:00"
	plug_clean "the turn of $2 on $1"
	loop_unplug
	[[ "${3:-0}" = *"$STATUS"* ]] || fail "the turn of $2 on $1 exits $STATUS"
	status at "$1 ${HOUR:-09}:30:00" "$BKP" --quiet medium move "$2" --operator 山田
	[ "$STATUS" = 0 ] || fail "$2 cannot be moved"
	newest=$2
	had[$2]=$runs
	[ ! -e "$T/image.$2" ] || mv "$T/image.$2" "$T/former.$2"
	cp --sparse=always "$(img "$2")" "$T/image.$2"
}
# refused CASE WHEN IMAGE[,IMAGE] [ARGUMENT...]: as the table says, and no bit of the devices changes
refused() {
	local row=$1 when=$2 images=${3//,/ } code='' exit=''
	shift 3
	read -r code exit <<<"$(refusal "$row")"
	for f in $images; do loop_plug "$f"; done
	[ -z "$SHOWN" ] || { serial_shown "$SHOWN" "$DEV"; SEEN=("${SERIAL_RUN[@]}"); }
	# shellcheck disable=SC2086 # words
	sha256sum $images >"$T/sums"
	rotate "$when" "$@"
	plug_clean "$row"
	loop_unplug
	SEEN=() SHOWN=
	[ "$STATUS" = "$exit" ] || fail "$row on $when: exit $STATUS, the table says $exit"
	grep -q "$code: " "$T/err" && grep -q '→' "$T/err" || fail "$row on $when: the table says $code"
	sha256sum --quiet -c "$T/sums" || die "$row on $when: a bit of the disk changed"
	refusals=$((refusals + 1))
}
by_hand() { # DISK: mounted at $T/hand
	mkdir -p "$T/hand"
	loop_plug "$(img "$1")"
	mount "$DEV" "$T/hand"
}
hand_off() { umount "$T/hand"; loop_unplug; }
yank() { # DATE DISK: a rotation that is killed, or whose disk goes, at a random moment of it
	local pid how=kill ms=$((RANDOM % took))
	loop_plug "$(img "$2")"
	[ $((yanks % 2)) = 0 ] || case $(lsblk -no FSTYPE "$DEV") in ext4 | xfs) how=tear ;; esac
	env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "$1 07:45:00")" "$BKP" --quiet rotate --operator 山田 >"$T/out" 2>"$T/err" &
	pid=$!
	yanks=$((yanks + 1))
	if [ $how = kill ]; then
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		! kill -9 $pid 2>/dev/null || hits=$((hits + 1))
	else
		! torn_away $pid "$ID" "0.$(printf %03d $((ms % 1000 / 2)))" || hits=$((hits + 1))
	fi
	wait $pid 2>/dev/null || true
	! grep -q /run/bkp /proc/self/mountinfo || die "torn away on $1: something is mounted"
	loop_unplug
}
finished() { # torn away too late: its turn was done; known to be gone, it is even refused if plugged in again
	cat "$T"/state/journal/*.jsonl | grep -oE '"event":"(rotated|medium-attached)"' | tail -n 1 | grep -q rotated
}

# ---- what happens in the course of ten weeks; each leaves the disk $2 in a state that its turn mends
photos() {
	[ -e "$T/photos.img" ] || {
		mkdir -p "$T/photos/DCIM"; head -c 100000 /dev/urandom >"$T/photos/DCIM/1.jpg"
		truncate -s 8M "$T/photos.img"; mkfs.ext4 -q -d "$T/photos" "$T/photos.img"
	}
	refused empty "$1 08:00:00" "$T/photos.img"
	refused not-its-turn "$1 08:01:00" "$(img "$newest")"
	refused another-name "$1 08:02:00" "$(img "$newest")" "$2"
}
clone() {
	cp --sparse=always "$(img "$2")" "$T/clone.img"
	refused two-at-once "$1 08:00:00" "$T/clone.img,$(img "$2")"
	turn "$1" "$2"
	refused clone-later "$1 11:00:00" "$T/clone.img" --out-of-turn
	rm "$T/clone.img"
}
flipped() { # read at the turn, mended from the parity beside it
	local archive
	by_hand "$2"
	archive=$(find "$(set_of "$T/hand")/archives" -name '*.age' -size +2k | shuf -n 1 --random-source=<(yes "$SEED"))
	thaw "$archive"
	python3 - "$archive" "$RANDOM" <<-'P'
	import os, sys
	with open(sys.argv[1], "r+b") as f:
	    at = int(sys.argv[2]) % os.path.getsize(sys.argv[1])
	    f.seek(at); b = f.read(1)[0]; f.seek(at); f.write(bytes([b ^ 0x10]))
	P
	hand_off
	loop_plug "$(img "$2")"
	rotate "$1 08:00:00" --recheck all
	loop_unplug
	[ "$STATUS" != 0 ] && said 'damaged' || fail "a flipped byte is not told: exit $STATUS"
	by_hand "$2"
	status at "$1 08:10:00" "$BKP" repair "$2"
	[ "$STATUS" -le 1 ] || fail "it is not mended: exit $STATUS"
	hand_off
}
last_month() { refused last-months-image "$1 08:00:00" "$T/former.$2"; }
full() { # by what somebody else keeps on it: to the last byte, and with a little room
	local left named=
	for left in 0 400; do
		by_hand "$2"
		head -c 1G /dev/zero >"$T/hand/holiday.mp4" 2>/dev/null || truncate -s "-${left}K" "$T/hand/holiday.mp4"
		hand_off
		loop_plug "$(img "$2")"
		rotate "$1 08:00:00"
		loop_unplug
		[ "$STATUS" = 2 ] && said 'full|does not fit' || fail "a full disk is not told: exit $STATUS"
		! grep -q 'holiday.mp4' "$T/err" || named=1 # once, where it is rotated all the same
	done
	[ -n "$named" ] || fail "what lies on it is not named"
	by_hand "$2"
	rm "$T/hand/holiday.mp4"
	hand_off
}
lost() {
	status at "$1 08:00:00" "$BKP" --quiet medium lost "$2" --reason 配送中 --operator 事務長
	[ "$STATUS" = 0 ] || fail "$2 cannot be lost"
	refused recorded-lost "$1 08:10:00" "$(img "$2")" "$2"
	missing=$2
}
found() {
	status at "$1 07:10:00" "$BKP" --quiet medium found "$missing" --place '別棟 保管庫B' --operator 事務長
	[ "$STATUS" = 0 ] || fail "$missing cannot be found"
	missing=
}
swapped() { SHOWN=WD-9 refused serial-changed "$1 08:00:00" "$(img "$2")"; }
old_state() {
	mkdir "$T/old"
	cp -a "$T/state" "$T/old/"
	turn "$1" "$2"
	mv "$T/state" "$T/newest"; mv "$T/old/state" "$T/state"
	refused knows-more "$1 11:00:00" "$(img "$2")"
	rm -rf "$T/state" "$T/old"; mv "$T/newest" "$T/state"
}
EVENTS=(- photos clone flipped last_month full lost found swapped old_state)

# ---- the site
mkdir -p "$T/src" "$T/as-it-was" "$T/m1" "$T/m2" "$T/hand"
for m in m1 m2; do
	truncate -s 200M "$(img $m)"; mkfs.ext4 -q -m 0 "$(img $m)"
	mount -o loop "$(img $m)" "$T/$m"
	n=$(mountpoint -d "$T/$m") # what a loop device does not show: what it is made of
	mkdir -p "$T/shows/sys/dev/block/$n/queue"
	if [ $m = m1 ]; then echo 1; else echo 0; fi >"$T/shows/sys/dev/block/$n/queue/rotational"
done
site_policy "  - {name: docs, title: 文書, paths: [$T/src], guard: {enabled: false}}"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, place: 別棟 保管庫B}
  - {name: RDX-02, type: rdx, offline: true, place: 別棟 保管庫B}
  - {name: RDX-03, type: rdx, offline: true, place: 別棟 保管庫B}
pools:
  - {name: weekly, media: [RDX-01, RDX-02, RDX-03], swap_every: 7d, weekday: mon}
holidays: $HOLIDAYS
schedule: {at: "02:00"}
archive_size: 1 MiB
key_drill_every: 9999d
people:
  - {name: 山田, roles: [operator]}
  - {name: 事務長, roles: [manager, operator]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: 別棟 保管庫B, separate_from: [サーバ室, 別室]}
Y
age-keygen -o "$T/id.txt" 2>/dev/null
at "2026-12-01 00:00:00" "$BKP" init --root-key-out "$T/root.key" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
ID=$(sed -n 's/.*"repository":"\([0-9a-f-]*\)".*/\1/p' "$T/state/repository.json" | head -n 1)
declare -A had=()
SEEN=() SHOWN='' newest='' missing='' runs=0 yanks=0 hits=0 refusals=0 late=0 took=200
for m in m1 m2; do FAKEDISK=$T/shows at "2026-12-01 00:10:00" "$BKP" --quiet medium add $m 2>/dev/null || die "add $m"; done
for n in 1 2 3; do
	kind=${KINDS[$((n - 1))]:-ext4}
	case $kind in
	ext4) truncate -s $((weeks > 26 ? 160 : 48))M "$(img RDX-0$n)"; mkfs.ext4 -q -m 0 -J size=4 "$(img RDX-0$n)" ;;
	xfs) truncate -s 320M "$(img RDX-0$n)"; mkfs.xfs -q "$(img RDX-0$n)" ;;
	btrfs) truncate -s 256M "$(img RDX-0$n)"; mkfs.btrfs -q "$(img RDX-0$n)" >/dev/null 2>&1 ;;
	esac
	by_hand RDX-0$n
	serial_shown WD-$n "$DEV"
	at "2026-12-01 00:2$n:00" "${SERIAL_RUN[@]}" "$BKP" --quiet medium add RDX-0$n --path "$T/hand" || die "add RDX-0$n"
	hand_off
	status at "2026-12-01 00:3$n:00" "$BKP" --quiet medium move RDX-0$n --operator 山田
	[ "$STATUS" = 0 ] || fail "RDX-0$n cannot be moved"
done
head -c 300000 /dev/urandom >"$T/src/レセプト"
night 2026-12-01
begun=$(date +%s%3N)
for n in 1 2 3; do HOUR=0$((n + 5)) turn 2026-12-01 RDX-0$n; done
took=$((($(date +%s%3N) - begun) / 3))
night 2026-12-02 # generations of three dates are asked for
night 2026-12-03
fine "2026-12-03 12:00:00" RDX-01

# ---- the weeks: Mondays, or the working day behind
python3 - "$HOLIDAYS" $((weeks + YANKS)) >"$T/days" <<'P'
import datetime as D, re, sys
closed = set()
for a, b in re.findall(r"^(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))? ", open(sys.argv[1], encoding="utf-8").read(), re.M):
    d = D.date.fromisoformat(a)
    while d <= D.date.fromisoformat(b or a):
        closed.add(d)
        d += D.timedelta(1)
for w in range(int(sys.argv[2])):
    d = D.date(2026, 12, 7) + D.timedelta(7 * w)
    while d in closed or d.weekday() == 6:
        d += D.timedelta(1)
    print(d)
P
declare -A torn=()
# not where what is shown next rests on a disk that was not touched since its last turn, or on something that is left to write
for n in $(seq 1 "$YANKS"); do
	while w=$((RANDOM % weeks)); do case ${EVENTS[$((w % ${#EVENTS[@]}))]} in photos | clone | full | lost) ;; *) break ;; esac done
	torn[$w]=$((${torn[$w]:-0} + 1))
done
queue=(RDX-01 RDX-02 RDX-03) day=2026-12-04 w=0 slot=0 quiet=0
while read -r date; do
	event=${EVENTS[$((slot % ${#EVENTS[@]}))]}
	while [[ $day < $date || $day = "$date" ]]; do
		night "$day"
		[ -n "$missing" ] || { fine "$day 07:00:00"; quiet=$((quiet + 1)); }
		day=$(date -d "$day + 1 day" +%F)
	done
	[ "$event" != found ] || { [ -z "$missing" ] || $event "$date"; event=-; }
	[ -n "$missing" ] || fine "$date 07:30:00" "${queue[0]}"
	done=
	for n in $(seq 1 "${torn[$slot]:-0}"); do
		yank "$date" "${queue[0]}"
		! finished || { done=02 late=$((late + 1)); break; }
	done
	torn[$slot]=0
	[ -n "$done" ] || [ "$event" = - ] || $event "$date" "${queue[0]}"
	[ -z "$missing" ] || queue=("${queue[1]}" "${queue[0]}" "${queue[2]}")
	[ "$newest" = "${queue[0]}" ] || turn "$date" "${queue[0]}" "$done"
	[ -n "$missing" ] || fine "$date 12:00:00"
	if [ -n "$missing" ]; then queue=("${queue[1]}" "${queue[2]}" "${queue[0]}"); else queue=("${queue[@]:1}" "${queue[0]}"); fi
	w=$((w + 1))
	[ -n "$done" ] || slot=$((slot + 1)) # what was to happen this week happens in the next
	[ $slot -lt "$weeks" ] || break
done <"$T/days"
[ $slot = "$weeks" ] || die "$late disks were torn away too late, and too little happened"
[ "$hits" -ge $((yanks / 2)) ] || die "of $yanks disks only $hits were torn away in time"
say "$w weeks of three disks (${KINDS[*]:-ext4}), $runs nights, $quiet mornings ○ with nothing to do;" \
	"$refusals refusals as the table says, not a bit of a" \
	"refused device changed; $hits rotations killed or torn away: the next one went on"

# ---- every copy, from its disk alone
cat >"$T/back.sh" <<'R'
# DISK GENERATION: comes back as it was captured
to=$T/back.$1.$2
"$RESTORE" --quiet --medium "$T/$1" --identity "$T/id.txt" extract "docs@$2" --to "$to" --same-owner >"$to.log" 2>&1 ||
	{ echo "docs@$2 does not come back from $1:"; cat "$to.log"; exit 1; }
rsync -aHAXnc --delete --itemize-changes "$T/as-it-was/$2/" "$to$T/src/" >"$to.log" 2>&1 && [ ! -s "$to.log" ] ||
	{ echo "docs@$2 from $1 is not what was captured:"; cat "$to.log"; exit 1; }
rm -rf "$to" "$to.log"
R
export T RESTORE
for n in 1 2 3; do
	at "$day 12:00:00" "$BKP" generations --medium RDX-0$n --all --json >"$T/said.$n" || die "generations on RDX-0$n"
	python3 - "$T/said.$n" RDX-0$n "${had[RDX-0$n]}" <<-'P' || fail "what is said to be on RDX-0$n" "$T/said.$n"
	import json, sys
	name, had = sys.argv[2], int(sys.argv[3])
	there = [g["generation"] for g in json.load(open(sys.argv[1]))["generations"]
	         if any(m["label"] == name and m["ok"] for m in g["media"])]
	assert sorted(there) == list(range(1, had + 1)), (had, sorted(there))
	for n in there:
	    print(name, n)
	P
done >"$T/copies"
umount "$T/m1" "$T/m2"
mv "$T/state" "$T/away"
for n in 1 2 3; do
	mkdir "$T/RDX-0$n"
	mount -o loop,ro "$(img RDX-0$n)" "$T/RDX-0$n"
done
xargs -P "$(nproc)" -n 2 bash "$T/back.sh" <"$T/copies" >"$T/wrong" 2>&1 || fail "a copy is not what was captured" "$T/wrong"
say "$(wc -l <"$T/copies") copies of $runs generations, each said to be on a disk and restored from that disk alone, are what was" \
	"captured: rsync -c"
