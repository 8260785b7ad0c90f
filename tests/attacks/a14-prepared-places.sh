#!/bin/bash
# Attack: who has the capture host exchanges places in each places.age on the media, signs that with tonight's key, and takes the index
# away, which the next night fills from them.  That night refers to other bytes than it read: whoever reads must see it, name the files,
# and give out none of those bytes; and who reads what was captured before is not concerned.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/faces.sh
. "$(dirname "$0")/../lib/faces.sh"

mkdir -p "$T/src/small" "$T/src/whole"
for i in $(seq 1 40); do head -c 4000 /dev/urandom >"$T/src/small/$i"; done
for i in $(seq 1 12); do head -c 300000 /dev/urandom >"$T/src/whole/$i"; done
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}}"
site_make
READ=("$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" --root-key "$(root_key)")
expect 0 "$BKP" run --all
cp -a "$T/state" "$T/state.before"
thaw "$T/m1" "$T/m2"
cp -a "$T/m1" "$T/m2" "$T/state.before/"

# what the index is filled from is there: nothing is stored again of what stands there
rm -rf "$T/state/cache"
expect 0 "$BKP" run --all --json
python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))["datasets"][0]
assert d["new_bytes"] < d["bytes"] / 10, d' "$T/out" || fail "an index that is gone is not filled from places.age"
expect 0 "${READ[@]}" verify docs@2 --deep

thaw "$T/m1" "$T/m2"
rm -rf "$T/state" "$T/m1" "$T/m2"
cp -a "$T/state.before" "$T/state"
mv "$T/state/m1" "$T/state/m2" "$T/"
moved=$(python3 "$SRC_ROOT/tests/attacks/places.py" "$T" "$BKP_BIN/agetool")
[ "$moved" -ge 80 ] || die "only $moved places were exchanged"
rm -rf "$T/state/cache"
status "$BKP" run --all # the capture host has no identity: it cannot see it
[ "$STATUS" -le 1 ] || fail "the night: exit $STATUS"
same() { [ "$(true_files "$1$T/src" "$T/src")" -ge "${2:-0}" ] || die "only $(true_files "$1$T/src" "$T/src") files came back"; }
detected "places exchanged in places.age, from which the index is filled" E-EXTENT-13 "${READ[@]}" extract docs@2 --to "$T/r"
same "$T/r"
grep -q "small/\|whole/" "$T/err" || die "no file is named: $(cat "$T/err")"
detected "the same, all of it decrypted" E-EXTENT-13 "$RESTORE" --quiet --medium "$T/m2" --identity "$T/id.txt" verify docs@2 --deep
mkdir "$T/rescued"
detected "the same, by rescue.py" "not what was captured" python3 -I "$SRC_ROOT/restore/rescue.py" extract \
	--identity "$T/id.txt" "$T/m1" docs@2 "$T/rescued"
same "$T/rescued"
expect 0 "${READ[@]}" extract docs@1 --to "$T/r1"
same "$T/r1" 52
# what mends it: everything captured anew
expect 0 "$BKP" run --all --anchor
expect 0 "${READ[@]}" extract docs@3 --to "$T/r3"
same "$T/r3" 52
