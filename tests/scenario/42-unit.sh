#!/bin/bash
# Goal: the data set is the unit.  One that fails takes nothing from the others; a disk that cannot hold the largest has the others whole,
# and the largest is named before a byte of it is written; a lost or poisoned index costs no byte twice and no file; what a version
# before that made is refused with a word; and a person says which night is meant by its date, whatever clock the reader has.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
. "$(dirname "$0")/../lib/forge.sh"
[ "$(id -u)" = 0 ] || die "needs root (a disk in memory)"
in_memory
export TZ=Asia/Tokyo
printed() { # PYTHON: holds of what was printed as JSON, as o
	python3 -c 'import json, sys
o = json.load(open(sys.argv[1])); assert eval(sys.argv[2].replace("\n", " ")), o' "$T/out" "$1" || die "$1"
}

# ---- one of two data sets fails
mkdir -p "$T/src"
echo 一 >"$T/src/a"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}
	  - {name: db, title: 電子カルテ, priority: 1, command: 'cat $T/dump', store_as: db.dump}"
site_make 2>/dev/null
expect 1 "$BKP" run --all
said 'E-RUN-03: data set .db. failed: '
[ "$(grep -cE '^  (docs@1  good|db@1    failed) ' "$T/out")" = 2 ] || fail "the run does not say what became of each data set"
expect 0 "$BKP" generations
grep -q '^docs@1 .* good .* m1, m2$' "$T/out" && grep -q '^db@1 .* failed .* the command failed with status 1' "$T/out" ||
	fail "generations does not say what became of each data set"
expect 2 "$BKP" status --json # of db there is nothing at all
printed '{d["dataset"]: (d["newest"] or {}).get("generation") for d in o["datasets"]} == {"docs": 1, "db": None}
	and [d["tried_failed"] for d in o["datasets"] if d["dataset"] == "db"] == [True]
	and any("\x27db\x27: generation 1 failed: the command failed" in n for n in o["next"])'
[ ! -e "$(set_of "$T/m1" db)/generations" ] || [ -z "$(ls "$(set_of "$T/m1" db)/generations")" ] || die "what failed has a generation"
expect 1 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract 1 --to "$T/o1"
said 'E-RESTORE-02: db@1 is not here: the command failed'
cmp "$T/src/a" "$T/o1/docs$T/src/a" && [ "$(ls "$T/o1")" = docs ] || die "what was captured beside a failure does not come back"
echo dump >"$T/dump"
expect 0 "$BKP" run --all
[ "$(grep '"event":"committed"' "$T/state/journal/000001.jsonl" | grep -o '"dataset":"[a-z]*","generation":2' | head -n 1)" = \
	'"dataset":"db","generation":2' ] || die "the most urgent data set was not committed first"
expect 0 "$RESTORE" --medium "$T/m2" --identity "$T/id.txt" extract 2 --to "$T/o2"
cmp "$T/dump" "$T/o2/db/db.dump" && cmp "$T/src/a" "$T/o2/docs$T/src/a" || die "all of run 2"
say "a data set that failed has no generation, the other one has: exit 1, and generations, status and a restore of all say which and why"

# ---- a disk that does not hold the largest
mkdir -p "$T/small" "$T/large"
printf abc >"$T/small/three"
head -c 1000000 /dev/urandom >"$T/src/million"
head -c 50000000 /dev/urandom >"$T/large/images"
mkdir "$T/disk"
truncate -s 24M "$T/disk.img"
mkfs.ext4 -q -m 0 -O ^has_journal "$T/disk.img"
mount -o loop "$T/disk.img" "$T/disk"
site_policy "  - {name: images, paths: [$T/large]}
	  - {name: docs, priority: 2, paths: [$T/src]}
	  - {name: emr, priority: 1, paths: [$T/small]}"
sed -i "\$a\\  - {name: RDX-01, type: rdx, offline: true, path: $T/disk, place: 金庫}" "$T/policy.yaml"
expect 0 "$BKP" --quiet medium add RDX-01
expect 0 "$BKP" run --all
status strace -f -qq -y -o "$T/writes" -e trace=write,pwrite64,openat,renameat2 "$BKP" rotate RDX-01 --operator Sato
[ "$STATUS" = 2 ] || fail "a disk that lacks the newest of a data set: exit $STATUS"
grep -q "^  NOT on it: .*images@3" "$T/out" && grep -q "'RDX-01' is too small for all data sets, and is without images@3" "$T/out" ||
	fail "what the disk is without is not said"
[ ! -e "$(set_of "$T/disk" images)" ] || [ -z "$(find "$(set_of "$T/disk" images)" -type f)" ] ||
	die "a part of what does not fit was written"
# what was written for archives and documents of generations, through whatever temporary name
bytes=$(sed -nE "s|.*write(64)?\([0-9]+<$T/disk/[^>]*/tmp/[^>]*>.* = ([0-9]+)\$|\2|p" "$T/writes" | awk '{n += $1} END {print n + 0}')
[ "$bytes" -gt 1000000 ] && [ "$bytes" -lt 5000000 ] || die "$bytes bytes were written for what fits"
for g in emr@3 docs@3; do
	expect 0 "$RESTORE" --quiet --medium "$T/disk" verify "$g"
	cmp <(cd "$(set_of "$T/disk" "${g%@3}")" && find . -type f -exec sha256sum {} + | sort) \
		<(cd "$(set_of "$T/m1" "${g%@3}")" && find . -type f -exec sha256sum {} + | sort) ||
		die "$g on the disk is not what the NAS has"
done
record rotated | grep -q '"complete":false' || die "it is recorded as complete"
record verified | grep -o '"dataset":"[a-z]*","generation":3' | head -n 1 | grep -q emr || die "the most urgent was not brought first"
# what the policy says the disk is to hold is what it is judged by
sed -i '/name: RDX-01/s/}$/, datasets: [emr, docs]}/' "$T/policy.yaml"
policy_accept
expect 0 "$BKP" rotate RDX-01 --operator Sato
umount "$T/disk"
expect 0 "$BKP" --quiet medium move RDX-01 --operator Sato
status "$BKP" status --json
printed '{d["dataset"]: (d["offline_recovery_point"] or {}).get("generation") for d in o["datasets"]}
	== {"emr": 3, "docs": 3, "images": None}
	and not any("rotate RDX-01" in n for n in o["next"])'
say "a disk of 24 MB, data sets of 3 bytes, 1 MB and 50 MB: the first two are on it whole, the third is named, and $bytes bytes were" \
	"written"

# ---- the index is a cache: lost, or poisoned and removed, it costs no byte twice, and no file
thaw "$T/m1" "$T/m2"
rm -rf "$T/m1" "$T/m2" "$T/state" "$T/src" "$T/large"
mkdir -p "$T/src/sub" "$T/elsewhere"
python3 - "$T/src" <<'P'
import random, sys
rnd = random.Random(42)
for i in range(60):
    open("%s/sub/f%02d" % (sys.argv[1], i), "wb").write(rnd.randbytes(2000 if i % 2 else rnd.randrange(1, 9000)))
for i in range(6):
    open("%s/same-size-%d" % (sys.argv[1], i), "wb").write(rnd.randbytes(700_000))
P
cp "$T/src/same-size-0" "$T/elsewhere/other"
# live_share: what is stored anew because little of its archive is in use is another matter
site_policy "  - {name: docs, guard: {enabled: false}, paths: [$T/src]}
	  - {name: other, guard: {enabled: false}, paths: [$T/elsewhere]}"
sed -i 's/^datasets:/archive_size: 1 MiB\nretention: {live_share: 0 %}\n&/' "$T/policy.yaml"
site_make 2>/dev/null
gcc -std=gnu11 -O1 -o "$T/swapplaces" "$SRC_ROOT/tests/lib/swapplaces.c" -llmdb -lsodium
truth() { rm -rf "$T/truth$G"; cp -a "$T/src" "$T/truth$G"; }
all_right() { # WHAT: every generation of docs is the tree of its night, on both media
	local g m
	for g in "$T"/truth*; do
		g=${g#"$T"/truth}
		for m in m1 m2; do
			rm -rf "$T/o"
			expect 0 "$RESTORE" --quiet --medium "$T/$m" --identity "$T/id.txt" extract "docs@$g" --to "$T/o"
			diff -r "$T/truth$g" "$T/o$T/src" >&2 || die "$1: docs@$g on $m is another tree"
		done
	done
}
same_night() { # WHAT: the next night stores nothing
	night 0
	[ "$(field new_bytes)" = 0 ] && [ "$(field new_archives)" = 0 ] || fail "$1: $(field new_bytes) bytes are stored twice" "$T/json"
	truth
	all_right "$1"
}
night 0
truth
echo changed >"$T/src/sub/f07"
head -c 700000 /dev/urandom >"$T/src/same-size-3"
night 0
truth
night 0
[ "$(field new_bytes)" = 0 ] || die "the test does not test: an unchanged night stored $(field new_bytes) bytes"
truth
rm -rf "$T/state/cache/dedup"
same_night "the index deleted"
rm -rf "$T/state/cache"
same_night "all of the cache deleted"
[ "$(field refilled)" -gt 0 ] || die "the index was not filled from the media"
moved=$("$T/swapplaces" "$T/state/cache/dedup")
[ "$moved" -gt 20 ] || die "only $moved places were exchanged: the test does not test"
rm -rf "$T/state/cache"
same_night "the index poisoned, then removed"
# and what is content of files that were there already is found where it is
for i in 0 1 2 3 4 5; do cp "$T/src/same-size-$i" "$T/src/again-$i"; done
"$T/swapplaces" "$T/state/cache/dedup" >/dev/null
rm -rf "$T/state/cache/dedup"
night 0
truth
[ "$(field new_bytes)" -lt 200000 ] || die "copies of 4 MB stored $(field new_bytes) bytes behind an index that was removed"
all_right "copies of what was there"
# one medium away, the places that it alone would tell are told by the other
mv "$T/m1" "$T/m1.away"
mkdir "$T/m1"
rm -rf "$T/state/cache"
night 1
[ "$(field new_bytes)" = 0 ] || die "from one medium: $(field new_bytes) bytes are stored twice"
rmdir "$T/m1"
mv "$T/m1.away" "$T/m1"
say "the index deleted, the cache deleted, places of $moved chunks exchanged and the index removed, one medium away: nothing is stored" \
	"twice, and every generation is the tree of its night"

# ---- what a version before this one made
mkdir "$T/old"
cp -a "$T/m1/." "$T/old"
thaw "$T/old"
repo=$(repo_of "$T/old")
mv "$repo/datasets/docs/archives" "$repo/datasets/docs/generations" "$repo/"
rm -r "$repo/datasets"
for command in "generations" "verify 1" "extract docs@1 --to $T/never"; do
	# shellcheck disable=SC2086
	expect 3 "$RESTORE" --medium "$T/old" --identity "$T/id.txt" $command
	said "E-VAULT-11: .*repository '$(basename "$repo")' is of a version in which data sets did not stand alone"
	said "→ use the bkp-restore that the medium carries in its folder 'tools'"
done
[ ! -e "$T/never" ] || die "something was restored from the old layout"
mv "$T/m2" "$T/m2.new"
cp -a "$T/old" "$T/m2"
cp "$T/m2.new"/bkp-medium.json* "$T/m2/"
find "$T/m2" -type f -exec sha256sum {} + >"$T/before"
expect 2 "$BKP" verify --medium m2
said 'E-VAULT-11'
sha256sum --quiet -c "$T/before" || die "a medium of the old layout was changed"
thaw "$T/m2"
rm -rf "$T/m2"
mv "$T/m2.new" "$T/m2"
cp "$T/state/journal/000001.jsonl" "$T/journal.good"
forge begin '{"generation":99,"uuid":"00000000-0000-4000-8000-000000000099","datasets":["docs"]}'
for command in status generations "run --all" "journal verify"; do
	# shellcheck disable=SC2086
	status "$BKP" $command
	[ "$STATUS" = 3 ] || [ "$STATUS" = 2 ] || fail "bkp $command with a journal of the old layout: exit $STATUS"
	said 'E-LEDGER-05: .*this repository was made before each data set stood alone'
done
cp "$T/journal.good" "$T/state/journal/000001.jsonl"
say "a medium and a journal of the layout before this one are refused, with E-VAULT-11 and E-LEDGER-05, and left as they are"

# ---- which night
thaw "$T/m1" "$T/m2"
rm -rf "$T/m1" "$T/m2" "$T/state" "$T/src"
mkdir "$T/src"
site_policy "  - {name: docs, guard: {enabled: false}, paths: [$T/src]}
	  - {name: other, paths: [$T/elsewhere]}"
at() { # "DATE TIME" COMMAND...: at that local time
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "$when")" "$@"
}
year=$(($(date +%Y) + 1))
at "$year-01-01 00:00:00" "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >"$T/init.out" 2>&1
mkdir -p "$T/m1" "$T/m2"
for m in m1 m2; do at "$year-01-01 00:01:00" "$BKP" --quiet medium add $m 2>/dev/null; done
nights=("$year-02-01 02:00:00" "$year-02-02 02:00:00" "$year-02-02 23:30:00" "$year-02-05 02:00:00")
n=0
for when in "${nights[@]}"; do
	n=$((n + 1))
	echo "$n" >"$T/src/night"
	at "$when" "$BKP" run --quiet --all 2>"$T/err" || fail "the night of $when" "$T/err"
done
means() { # SELECTOR NUMBER: to bkp, and to bkp-restore on clocks around the world
	local zone
	expect 0 at "$year-02-06 09:00:00" "$BKP" generations --json "docs@$1"
	printed "[(g['dataset'], g['generation']) for g in o['generations']] == [('docs', $2)]"
	for zone in Asia/Tokyo UTC America/Los_Angeles Pacific/Kiritimati; do
		expect 0 at "$year-02-06 09:00:00" env "TZ=$zone" "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" \
			cat "docs@$1" "${T#/}/src/night"
		[ "$(cat "$T/out")" = "$2" ] || die "docs@$1 in $zone is night $(cat "$T/out"), not $2"
	done
	rm -rf "$T/rescued"
	expect 0 at "$year-02-06 09:00:00" env TZ=UTC python3 -I "$SRC_ROOT/restore/rescue.py" extract --identity "$T/id.txt" "$T/m2" \
		"docs@$1" "$T/rescued"
	[ "$(cat "$T/rescued$T/src/night")" = "$2" ] || die "docs@$1 is night $(cat "$T/rescued$T/src/night") to rescue.py, not $2"
}
means latest 4
means 2 2
means "$year-02-01" 1
means "$year-02-02" 3 # the second one of that day
means "$year-02-04" 3 # the newest on or before it
means "$year-12-31" 4
means 2d 3
means 3d 3
means 4d 2
none() { # SELECTOR CODE: of which there is nothing
	status at "$year-02-06 09:00:00" "$BKP" generations "$1"
	[ "$STATUS" = 2 ] && grep -q 'E-SELECT-03' "$T/err" || fail "bkp generations $1: exit $STATUS"
	status at "$year-02-06 09:00:00" "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" list "$1"
	[ "$STATUS" = 2 ] && grep -q 'there is: docs@1.* docs@4' "$T/err" || fail "bkp-restore list $1: exit $STATUS"
}
none "docs@$year-01-31"
none docs@99
none docs@9d
for wrong in docs@ docs@0 docs@-1 docs@2026-13-01 "docs@$year-02-30" docs@yesterday @4 docs@1@2 ../docs@1 Docs@1 docs@０; do
	expect 64 "$BKP" verify "$wrong"
	expect 64 "$RESTORE" --medium "$T/m1" verify "$wrong"
	grep -q 'E-SELECT-01' "$T/err" || fail "$wrong"
done
# of all of a run each data set goes to a folder of its name; a file is asked of one of them
expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 3 --to "$T/all"
[ "$(cat "$T/all/docs$T/src/night")" = 3 ] && cmp "$T/elsewhere/other" "$T/all/other$T/elsewhere/other" || die "all of run 3"
expect 64 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" cat 3 "${T#/}/src/night"
said 'E-SELECT-02'
# whoever holds, accepts, verifies and releases says it in the same way
expect 0 at "$year-02-06 09:00:00" "$BKP" hold "docs@$year-02-02" --operator Sato --reason 監査
record held | grep -q '"dataset":"docs","generation":3,' || die "held: $(record held)"
expect 0 at "$year-02-06 09:01:00" "$BKP" release docs@3 --operator Sato
expect 0 at "$year-02-06 09:02:00" "$BKP" verify docs@4d other@latest --json
printed "sorted({(v['dataset'], v['generation'], v['ok']) for v in o['verified']}) == [('docs', 2, True), ('other', 4, True)]"
say "emr@42, @latest, a date, so many days ago: the same night to bkp, bkp-restore and rescue.py, on clocks of four zones; what is none" \
	"of these is refused"
