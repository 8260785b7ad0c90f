#!/bin/bash
# Attack 1: who has the capture host exchanges places in its index of stored content (cache/dedup; its checks are not keyed).  The nights
# after it refer to other bytes than they read.  Whoever reads must see it, from the digests that were made of the source, name the
# files, and give out none of those bytes.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/faces.sh
. "$(dirname "$0")/../lib/faces.sh"

gcc -std=gnu11 -O1 -o "$T/swapplaces" "$SRC_ROOT/tests/lib/swapplaces.c" -llmdb -lsodium
mkdir -p "$T/src/small" "$T/src/whole"
for i in $(seq 1 40); do head -c 4000 /dev/urandom >"$T/src/small/$i"; done
for i in $(seq 1 12); do head -c 300000 /dev/urandom >"$T/src/whole/$i"; done
head -c 6000000 /dev/urandom >"$T/src/large"
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}}
  - {name: tape, command: 'tar -cf - -C $T/src small whole', format: tar, guard: {enabled: false}}
  - {name: dump, store_as: dump.bin, command: 'cat $T/src/whole/*', guard: {enabled: false}}"
site_make
READ=("$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" --root-key "$(root_key)")
expect 0 "$BKP" run --all
expect 0 "${READ[@]}" verify 1 --deep

moved=$("$T/swapplaces" "$T/state/cache/dedup")
[ "$moved" -ge 40 ] || die "only $moved places were exchanged"
for g in 2 3; do
	find "$T/src" -type f -exec touch {} + # each file is read again, and looked up
	expect 0 "$BKP" run --all              # the capture host has no identity: it cannot see it
done
same() { [ "$(true_files "$1$T/src" "$T/src")" -ge "${2:-0}" ] || die "only $(true_files "$1$T/src" "$T/src") files came back"; }

for g in 2 3; do
	detected "places exchanged in the index" E-EXTENT-13 "${READ[@]}" extract docs@$g --to "$T/r$g"
	same "$T/r$g"
	grep -q "small/\|whole/" "$T/err" || die "no file is named: $(cat "$T/err")"
	detected "the same, all of it decrypted" E-EXTENT-13 "$RESTORE" --quiet --medium "$T/m2" --identity "$T/id.txt" verify $g --deep
done
detected "places exchanged in the index, a stream" E-EXTENT-13 "${READ[@]}" extract tape@2 --to "$T/tape"
[ "$(true_files "$T/tape" "$T/src")" -lt 52 ] || die "the stream has its own places"
# chunks of one long stream have hardly ever the same length, so that there was nothing to exchange
status "${READ[@]}" extract dump@2 --to "$T/dump"
[ $STATUS = 2 ] || cmp -s "$T/dump/dump.bin" <(cat "$T"/src/whole/*) || die "a stream of other bytes, exit $STATUS"
wrong=0
for f in small/1 small/7 whole/3 whole/9; do
	status "${READ[@]}" cat docs@3 "${T#/}/src/$f"
	cmp -s "$T/out" "$T/src/$f" && continue
	[ $STATUS -ge 2 ] || die "cat gave other bytes with exit $STATUS"
	cmp -s "$T/out" <(head -c "$(stat -c %s "$T/out")" "$T/src/$f") || die "cat printed bytes of another file"
	wrong=$((wrong + 1))
done
[ $wrong -ge 3 ] || die "only $wrong files had another place"
detected "one of the files to standard output" E-EXTENT-13 "${READ[@]}" cat docs@3 "${T#/}/src/small/1"
"${READ[@]}" export docs@3 >"$T/export.tar" 2>"$T/err" && die "export: exit 0"
mkdir "$T/x"; tar -x -C "$T/x" -f "$T/export.tar" 2>/dev/null || :
same "$T/x"
detected "the same, as a pax archive" E-EXTENT-13 "${READ[@]}" export docs@3
mkdir "$T/rescued"
detected "the same, by rescue.py" "not what was captured" python3 -I "$SRC_ROOT/restore/rescue.py" extract \
	--identity "$T/id.txt" "$T/m1" docs@3 "$T/rescued"
same "$T/rescued"
# run 1 is older than the attack
expect 0 "${READ[@]}" extract docs@1 --to "$T/r1"
same "$T/r1" 53
# what mends it: the cache deleted, everything captured anew
rm -rf "$T/state/cache"
expect 0 "$BKP" run --all --anchor
expect 0 "${READ[@]}" extract docs@4 --to "$T/r4"
same "$T/r4" 53
