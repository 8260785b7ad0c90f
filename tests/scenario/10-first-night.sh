#!/bin/bash
# Goal: a folder is captured onto two media three times with changes between; every generation restores from either medium
# alone, with the identity only, and equals what was there, by rsync and sha256sum.
. "$(dirname "$0")/../lib/site.sh"

site_make
mkdir -p "$T/src/患者/空" "$T/src/dicom"
for i in $(seq 1 300); do printf 'MSH|^~\\&|LAB|%s|山田太郎\r' "$i" >"$T/src/患者/$i.hl7"; done
head -c 9000000 /dev/urandom >"$T/src/dicom/image1.dcm"
: >"$T/src/empty"
ln -s dicom/image1.dcm "$T/src/latest"

gen() { # N: run, keep a copy of the truth
	expect 0 "$BKP" run --all
	cp -a "$T/src" "$T/truth$1"
}
gen 1
printf changed >"$T/src/患者/7.hl7"
rm "$T/src/患者/8.hl7"
mv "$T/src/患者/9.hl7" "$T/src/患者/九.hl7"
gen 2
dd if=/dev/urandom of="$T/src/dicom/image1.dcm" bs=1 seek=4000000 count=100 conv=notrunc status=none
gen 3

for g in 1 2 3; do
	for m in m1 m2; do
		expect 0 restore_to "$T/$m" $g "$T/tree"
		d=$(rsync -aHAXnc --delete --itemize-changes "$T/truth$g/" "$T/tree${T}/src/")
		[ -z "$d" ] || die "generation $g from $m differs: $d"
		rm -rf "$T/tree"
	done
done
# self-sufficient: one medium away, the state folder away
mv "$T/m2" "$T/away"; mv "$T/state" "$T/state-away"
expect 0 restore_to "$T/m1" 2 "$T/tree"
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/truth2/" "$T/tree${T}/src/")" ] || die "generation 2 without the rest differs"
mv "$T/away" "$T/m2"; mv "$T/state-away" "$T/state"

# an unchanged night adds next to nothing, a changed byte adds about a chunk
before=$(du -sb "$T/m1" | cut -f1)
expect 0 "$BKP" run --all
after=$(du -sb "$T/m1" | cut -f1)
[ $((after - before)) -lt 60000 ] || die "an unchanged night added $((after - before)) bytes"
"$BKP" verify --quiet || die "verify"
expect 0 "$BKP" verify --identity "$T/id.txt" --json
grep -q '"bad":0' "$T/out" || die "verify --json: $(cat "$T/out")"
[ "$("$BKP" generations --json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["generations"]))')" = 4 ] || die "generations"
# the capture host cannot read what it wrote: no identity in the state folder, and none of its secrets opens an archive
grep -rqa 'AGE-SECRET-KEY' "$T/state" && die "an identity lies in the state folder"
a=$(find "$T/m1" -name '*.age' -path '*archives*' | head -n 1)
for k in "$T"/state/*; do [ -f "$k" ] && age -d -i "$k" -o /dev/null "$a" 2>/dev/null && die "$k opens an archive"; done
say "3 generations x 2 media restored equal (rsync -aHAXnc); an unchanged night added $((after - before)) bytes; the state folder opens no archive"

# media that take turns in one drive have no path in the policy: the registered one is where they are looked for
sed -i "\$a\\  - {name: RDX-09, type: rdx, offline: true, place: 棚}" "$T/policy.yaml"
mkdir "$T/drive"
expect 64 "$BKP" medium add RDX-09
expect 0 "$BKP" medium add RDX-09 --path "$T/drive"
expect 0 "$BKP" rotate RDX-09 --operator 事務長
expect 0 "$BKP" verify --medium RDX-09
[ "$(grep -c '^RDX-09: generation .*whole' "$T/out")" = 4 ] || { cat "$T/out"; die "verify of a medium without a path"; }
mv "$T/drive" "$T/shelf"
expect 3 "$BKP" verify --medium RDX-09
say "an offline medium without a path in the policy is registered, rotated and verified where it was registered"
