#!/bin/bash
# Goal: a medium that is missing, unmounted, swapped or full fails alone: the others get the generation, exit 1, and the next
# run brings it up to date; a generation is self-sufficient on every medium that reports it.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (loop devices)"

truncate -s 60M "$T/disk.img"
mkfs.ext4 -q "$T/disk.img"
mkdir -p "$T/m2"
mount -o loop "$T/disk.img" "$T/m2"
mkdir -p "$T/src"
head -c 8000000 /dev/urandom >"$T/src/a"
site_make
expect 0 "$BKP" run --all

# unmounted: the folder is there, empty; it must not be written to
umount "$T/m2"
echo new >"$T/src/b"
expect 1 "$BKP" run --all
grep -q 'E-MEDIA-01' "$T/err" || die "an unmounted medium is not named: $(cat "$T/err")"
[ -z "$(ls -A "$T/m2")" ] || die "an unmounted medium's folder was written to"
# back again: the next run brings it up to date
mount -o loop "$T/disk.img" "$T/m2"
echo newer >"$T/src/c"
expect 0 "$BKP" run --all
for g in 1 2 3; do expect 0 "$RESTORE" --medium "$T/m2" verify $g; done
expect 0 restore_to "$T/m2" 2 "$T/o2"
[ "$(cat "$T/o2$T/src/b")" = new ] || die "generation 2 on the medium that was away"
[ ! -e "$T/o2$T/src/c" ] || die "generation 2 holds what came later"

# full: fails alone, and what was on it stays whole
head -c 70000000 /dev/urandom >"$T/src/big"
expect 1 "$BKP" run --all
grep -qi 'no space' "$T/err" || die "the full medium is not named: $(cat "$T/err")"
grep -q 'this one gets it when there is room on it' "$T/err" && ! grep -q 'the next run brings' "$T/err" ||
	die "a full medium is to catch up: $(cat "$T/err")"
status "$BKP" status
grep -q "'m2' is full and lacks generation docs@4: make room with 'bkp expire" "$T/out" && ! grep -q "brings it up to date" "$T/out" ||
	die "the status sends a person in a circle: $(cat "$T/out")"
expect 0 "$RESTORE" --medium "$T/m1" verify 4
for g in 1 2 3; do expect 0 "$RESTORE" --medium "$T/m2" verify $g; done
expect 2 "$RESTORE" --medium "$T/m2" verify 4
[ -z "$(ls -A "$T"/m2/*/tmp)" ] || die "unfinished files take space on the full medium"
# still full: again exit 1, nothing else
rm "$T/src/big"
expect 1 "$BKP" run --all
# a larger disk in its place is another medium: not written to until it is registered
expect 0 "$BKP" verify --quiet

# another medium of the same repository under the wrong name
umount "$T/m2"
cp "$T/m1/bkp-medium.json" "$T/m1/bkp-medium.json.minisig" "$T/m2/"
expect 1 "$BKP" run --all
grep -q 'E-MEDIA-0[45]' "$T/err" || die "a medium under the wrong name: $(cat "$T/err")"
rm "$T/m2"/bkp-medium.json*

# an archive lost on one medium is supplied again from the other
mount -o loop "$T/disk.img" "$T/m2"
newest=$(ls -d "$T"/m1/*/datasets/docs/generations/* | tail -n 1)
a=$(cd "${newest%/generations/*}" && sed -n 's/.*  archives/archives/p' "$newest/SHA256SUMS" | xargs ls -S | head -n 1)
a=${newest%/generations/*}/$a
thaw "$T/m1"
rm "$a"
expect 2 "$BKP" verify --medium m1 --quiet
status "$BKP" run --all
[ -e "$a" ] || die "a lost archive was not supplied from the other medium"
# lost everywhere: captured again
thaw "$T/m1" "$T/m2"
find "$T/m1" "$T/m2" -path '*archives*' -name '*.age' -delete
status "$BKP" run --all
[ "$STATUS" = 0 ] || [ "$STATUS" = 1 ] || die "run after all archives were lost: $STATUS"
g=$("$BKP" generations --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["generations"][-1]["generation"])')
expect 0 restore_to "$T/m1" "$g" "$T/o9"
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/src/" "$T/o9$T/src/")" ] || die "generation $g after the loss differs"
# a disk that was not mounted when it was registered: a second disk does not take its name over, until a person gives the first one up
sed -i "\$a\\  - {name: m3, type: ssd, path: $T/m3, place: 棚}" "$T/policy.yaml"
mkdir "$T/m3"
expect 0 "$BKP" medium add m3
wrong=$(grep -o 'medium [0-9a-f-]*$' "$T/out")
mv "$T/m3" "$T/hidden"; mkdir "$T/m3"
expect 2 "$BKP" medium add m3 # an empty folder is no disk
mount -t tmpfs -o size=40m tmpfs "$T/m3"
expect 2 "$BKP" medium add m3
grep -q E-MEDIA-16 "$T/err" && grep -q 'bkp medium retire' "$T/err" || die "a second disk takes a registered name over"
expect 64 "$BKP" medium retire m3 --operator Sato
expect 0 "$BKP" medium retire m3 --operator Sato --reason "the disk was not mounted"
expect 2 "$BKP" medium show m3
status "$BKP" status
grep -q "'m3' was retired, but the policy still names it: take it out of the policy" "$T/out" &&
	! grep -q "register medium 'm3'" "$T/out" ||
	die "a retired medium is to be registered: $(cat "$T/out")"
expect 0 "$BKP" medium add m3
[ "$(grep -o 'medium [0-9a-f-]*$' "$T/out")" != "$wrong" ] || die "the folder's identity was given to the disk"
status "$BKP" run --all # generations that were lost everywhere are still missed: 1
[ "$STATUS" = 0 ] || [ "$STATUS" = 1 ] || die "run with a third medium: $STATUS"
thaw "$T/m3"; umount "$T/m3"
mount -t tmpfs -o size=40m tmpfs "$T/m3"
expect 2 "$BKP" medium add m3
grep -q E-MEDIA-16 "$T/err" || die "a name in use was given to a second disk"
# one that the policy names and nobody has registered yet costs the night nothing but a word
thaw "$T/m3"; umount "$T/m3"
sed -i "\$a\\  - {name: m4, type: ssd, path: $T/m4, place: 棚}" "$T/policy.yaml"
mkdir "$T/m4"
expect 1 "$BKP" run --all
grep -q "E-MEDIA-06: m4: 'm4' is not a registered medium" "$T/err" && grep -q 'bkp medium add m4' "$T/err" ||
	die "an unregistered medium is not named: $(cat "$T/err")"
! grep -q E-LEDGER "$T/err" || die "an unregistered medium reads as tampering"
record committed >"$T/record"
grep -q '"label":"m1"' "$T/record" && ! grep -q '"m4"' "$T/record" || die "what has no identity was recorded"
expect 0 "$BKP" journal verify
expect 0 restore_to "$T/m1" "$("$BKP" generations --json |
	python3 -c 'import json,sys; print(json.load(sys.stdin)["generations"][-1]["generation"])')" "$T/o10"
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/src/" "$T/o10$T/src/")" ] || die "the generation beside an unregistered medium differs"
say "a medium that is not registered yet is skipped, said with E-MEDIA-06, exit 1"
# another name: the policy says it first; the medium may be anywhere
sed -i 's/name: m2,/name: shelf,/' "$T/policy.yaml"
expect 2 "$BKP" medium rename m2 nowhere --operator Sato
expect 2 "$BKP" medium rename m2 m1 --operator Sato
grep -q E-MEDIA-19 "$T/err" || die "two media of one name"
expect 0 "$BKP" medium rename m2 shelf --operator Sato
expect 0 "$BKP" verify --medium shelf "$g"
expect 0 "$BKP" medium retire m3 --operator Sato --reason "broken" --quiet
sed -i '/name: m[34],/d' "$T/policy.yaml"
status "$BKP" status --json
python3 -c 'import json, sys
assert {m["label"] for m in json.load(open(sys.argv[1]))["media"]} == {"m1", "shelf"}' "$T/out" ||
	die "a retired medium is counted: $(cat "$T/out")"
"$BKP" generations --json | python3 -c 'import json, sys
assert not any(m["ok"] for g in json.load(sys.stdin)["generations"] for m in g["media"] if m["label"] == "m3")' ||
	die "copies on a retired medium count"
expect 0 "$BKP" journal verify
say "a registered name is never taken over; media are renamed and retired, by name of who did it"
say "unmounted, full, swapped and damaged media fail alone; the next run brings them up to date; lost archives are supplied or captured" \
	"again"
