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
# three records less, of which the media know one, or none: only the copies tell
cp "$T/state/journal/000001.jsonl" "$T/whole.jsonl"
expect 0 "$BKP" journal verify
for f in "$T"/m?/*/journal; do grep -qF "'$f' holds" "$T/out" || die "not compared with $f: $(cat "$T/out")"; done
head -n -3 "$T/whole.jsonl" >"$T/state/journal/000001.jsonl"
expect 2 "$BKP" journal verify
grep -q E-HISTORY-01 "$T/err" || die "three records cut off: $(cat "$T/err")"
head -n -2 "$T/whole.jsonl" >"$T/state/journal/000001.jsonl"
expect 1 "$BKP" journal verify
grep -q W-HISTORY-04 "$T/err" || die "the record of copying cut off: $(cat "$T/err")"
cp "$T/whole.jsonl" "$T/state/journal/000001.jsonl"
say "records cut off the end of the journal: found by the copies on the attached media, without being asked to look"
"$BKP" verify --quiet || die "verify"
expect 0 "$BKP" verify --identity "$T/id.txt" --json
grep -q '"bad":0' "$T/out" || die "verify --json: $(cat "$T/out")"
[ "$("$BKP" generations --json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["generations"]))')" = 4 ] || die "generations"
# the capture host cannot read what it wrote: no identity in the state folder, and none of its secrets opens an archive
grep -rqa 'AGE-SECRET-KEY' "$T/state" && die "an identity lies in the state folder"
a=$(find "$T/m1" -name '*.age' -path '*archives*' | head -n 1)
for k in "$T"/state/*; do [ -f "$k" ] && age -d -i "$k" -o /dev/null "$a" 2>/dev/null && die "$k opens an archive"; done
say "3 generations x 2 media restored equal (rsync -aHAXnc); an unchanged night added $((after - before)) bytes; the state folder opens" \
	"no archive"

# media that take turns in one drive have no path in the policy: the registered one is where they are looked for
sed -i "\$a\\  - {name: RDX-09, type: rdx, offline: true, place: 棚}" "$T/policy.yaml"
mkdir "$T/drive"
expect 64 "$BKP" medium add RDX-09
expect 0 "$BKP" medium add RDX-09 --path "$T/drive"
expect 0 "$BKP" rotate RDX-09 --operator 事務長
expect 0 "$BKP" verify --medium RDX-09
[ "$(grep -c '^RDX-09: docs@.*whole' "$T/out")" = 4 ] || { cat "$T/out"; die "verify of a medium without a path"; }
mv "$T/drive" "$T/shelf"
expect 3 "$BKP" verify --medium RDX-09
say "an offline medium without a path in the policy is registered, rotated and verified where it was registered"

# how far a run is: on a terminal a line that is drawn anew, of each part with its own total; the speed is that of what is new
head -c 12000000 /dev/urandom >"$T/disk"
slowly="for i in 0 1 2 3 4; do dd if=$T/disk bs=2400000 skip=\$i count=1 status=none; sleep 0.4; done"
sed -i "s|^media:|  - {name: slow, store_as: disk, command: '$slowly'}\n&|" "$T/policy.yaml"
drawn() { # LANG FIRST|AGAIN
	expect 0 python3 "$SRC_ROOT/tests/lib/typed.py" -- "$BKP" --lang "$1" run docs slow
	python3 - "$T/out" "$@" <<'P' || { cat -v "$T/out" | tail -n 20 >&2; die "progress of a run ($*)"; }
import re, sys, unicodedata
lines = [l.split("\r")[0].split("\n")[0] for l in open(sys.argv[1], newline="").read().split("\r\x1b[K")[1:]]
ja, again = sys.argv[2] == "ja", sys.argv[3] == "again"
assert all(sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in l) <= 79 for l in lines), "too wide"
size, speed = r"[0-9.]+ (?:B|KiB|MiB)", r"  新規 (.*)/秒" if ja else r"  (.*)/s new"
what = "1/3 取得 slow" if ja else "1/3 capture slow"
total = " / %s%s  ([0-9]+) %%" % ("約 " if ja else "about ", size) if again else "()"
left = ("  残り (.*)" if ja else "  (.*) left") if again else "()"
seen = [m for m in (re.fullmatch(what + "  (" + size + ")" + total + speed + left, l) for l in lines) if m]
assert len(seen) > 3, lines
if again:
    percents = [int(m[2]) for m in seen]
    assert percents == sorted(percents) and percents[0] < 80 < percents[-1] <= 100, percents
    assert all(re.fullmatch("0:00:0[0-9]", m[4]) for m in seen), seen
    assert not any("MiB" in m[3] for m in seen), "what was stored before counts as speed"
else:
    assert any("MiB" in m[3] for m in seen), seen
part = "読み戻し照合" if ja else "read-back"
for n, medium in (2, "m1"), (3, "m2"):
    assert any(re.match("%d/3 %s %s  %s / %s  [0-9]+ %%" % (n, part, medium, size, size), l) for l in lines), lines
P
}
drawn en first
drawn ja again
drawn en again
expect 0 "$BKP" run docs
! grep -q % "$T/err" || die "progress of a short run where no terminal is: $(cat "$T/err")"
expect 0 python3 "$SRC_ROOT/tests/lib/typed.py" -- "$BKP" run --quiet docs
[ ! -s "$T/out" ] || die "--quiet on a terminal: $(cat "$T/out")"
say "a run on a terminal draws total, percent and time left, also of the read-back; what was stored before is no speed"
