#!/bin/bash
# Goal: the journal stands in segments: one is closed at its real size in the middle of a run and never changes again, here and on media;
# `cat journal/*.jsonl` is the whole of it for everybody who reads; a row of segments that is none (one is missing, swapped, doubled, too
# long, torn in the middle, beyond a gap) is refused on the host and named on a medium, where 'bkp repair' mends it.
. "$(dirname "$0")/../lib/site.sh"
. "$SRC_ROOT/tests/lib/forge.sh"
MAX=4194304 FULL=$((4194304 - 65536))
site_make
echo 1 >"$T/src/a"
expect 0 "$BKP" run --all
J=$T/state/journal
copies=("$(repo_of "$T/m1")/journal" "$(repo_of "$T/m2")/journal")
size() { stat -c %s "$1"; }

# --- four records of a megabyte, and one that leaves room for a record or two
for _ in 1 2 3 4; do FORGE_FILLER=1000000 forge note '{}'; done
FORGE_FILLER=$((FULL - $(size "$J/000001.jsonl") - 1900)) forge note '{}'
[ ! -e "$J/000002.jsonl" ] || die "it was closed too early"
echo 2 >>"$T/src/a"
expect 0 "$BKP" run --all
[ "$(ls "$J")" = "000001.jsonl
000002.jsonl" ] || die "a run does not begin the next segment"
[ "$(size "$J/000001.jsonl")" -le $FULL ] && [ "$(size "$J/000002.jsonl")" -gt 1000 ] || die "sizes"
[ "$(($(size "$J/000001.jsonl") + $(head -n 1 "$J/000002.jsonl" | wc -c)))" -gt $FULL ] || die "what had fitted stands in the next"
for c in "${copies[@]}"; do
	cmp "$J/000001.jsonl" "$c/000001.jsonl" || die "the closed segment on the medium is another"
	carried_bytes=$(size "$c/000002.jsonl")
	head -c "$carried_bytes" "$J/000002.jsonl" | cmp - "$c/000002.jsonl" || die "the last segment on the medium is another"
done
stat -c '%i %Y %Z' "$J/000001.jsonl" "${copies[@]/%//000001.jsonl}" >"$T/closed"
say "a run closes a segment where the next record would make it longer than $FULL bytes, and both media have it"

# --- it is never touched again
FORGE_FILLER=100000 forge note '{}'
echo 3 >>"$T/src/a"
expect 0 "$BKP" run --all
expect 0 "$BKP" generations
expect 0 "$BKP" journal verify
stat -c '%i %Y %Z' "$J/000001.jsonl" "${copies[@]/%//000001.jsonl}" | cmp - "$T/closed" || die "a closed segment was written again"
say "a closed segment is published once: the next run writes the last one alone"

# --- all of it, for all who read
cat "$J"/*.jsonl >"$T/all"
cp -a "$T/state" "$T/kept"
[ "$(wc -l <"$T/all")" = "$(tail -n 1 "$T/all" | sed 's/{"seq":\([0-9]*\),.*/\1/')" ] || die "cat is not the whole journal in order"
root=$(sed -n '1s/.*"root_key":"\([^"]*\)".*/\1/p' "$T/all")
for f in "$T/all" "$J" "$T/state" "${copies[0]}"; do
	expect 0 "$BKP" journal verify --root-key "$root" --file "$f"
done
for a in m1 "$T/m1" "${copies[1]}" "$(dirname "${copies[1]}")" "$T/all" "$T/kept"; do
	expect 0 "$BKP" journal verify --against "$a"
done
expect 0 "$BKP" journal export --format json --out "$T/records.json"
[ "$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' "$T/records.json")" -ge "$(wc -l <"$T/all")" ] || die "export"
expect 0 "$BKP" medium show m1
for j in "$T/all" "$J" "$T/kept"; do
	expect 0 "$RESTORE" --medium "$T/m1" --journal "$j" --identity "$T/id.txt" extract docs@3 --to "$T/out-$(basename "$j")"
done
cmp "$T/src/a" "$T/out-all$T/src/a" || die "restored"
cp -a "$T/m2" "$T/part"
rm -rf "$(repo_of "$T/part")/datasets/docs/generations/000003"
python3 "$SRC_ROOT/restore/rescue.py" extract "$T/part" 3 "$T/rescued" --identity "$T/id.txt" >"$T/out" 2>"$T/err" || true
said 'docs@3 is not here' # which data sets a run had stands in the second segment
say "show, verify, export, compare, restore and rescue.py read all segments as one; so does who reads what cat makes of them"

# --- the host: what is no row is refused by everybody, and nothing is written
second=$(size "$J/000002.jsonl")
refused() { # WORDS SCRIPT: done in the folder
	rm -rf "$T/state"
	cp -a "$T/kept" "$T/state"
	(cd "$J" && eval "$2")
	(cd "$J" && find . -type f -exec sha256sum {} + | sort) >"$T/before"
	for command in status generations "journal verify" "journal show" "run --all" "journal repair --operator Sato"; do
		status "$BKP" $command
		[ "$STATUS" -ge 2 ] || die "$2: '$command' does not refuse it"
		said "$1"
	done
	(cd "$J" && find . -type f -exec sha256sum {} + | sort) | cmp - "$T/before" || die "$2: something was written"
}
refused 'E-JOURNAL-11|E-JOURNAL-28' 'rm 000001.jsonl'
refused 'E-JOURNAL-02|E-LEDGER-04' 'mv 000001.jsonl x && mv 000002.jsonl 000001.jsonl && mv x 000002.jsonl'
refused 'E-JOURNAL-02|E-HISTORY-01' 'cp 000001.jsonl 000002.jsonl'
refused 'E-JOURNAL-02|E-JOURNAL-28' 'cp 000002.jsonl 000003.jsonl && head -n 1 000002.jsonl >>000002.jsonl'
refused 'E-JOURNAL-11|E-JOURNAL-28' 'cp 000002.jsonl 000004.jsonl'
refused 'E-JOURNAL-11|E-HISTORY-01' 'truncate -s -1 000001.jsonl'
refused 'E-JOURNAL-11|E-HISTORY-01' 'cp 000002.jsonl 000003.jsonl && : >000002.jsonl'
refused 'E-JOURNAL-11|E-JOURNAL-28' \
	'cat 000001.jsonl 000002.jsonl >x && mv x 000001.jsonl && rm 000002.jsonl && [ "$(size 000001.jsonl)" -gt $MAX ]'
refused 'E-IO-01|E-HISTORY-01' 'rm 000002.jsonl && mkdir 000002.jsonl'
refused 'E-LEDGER-05' 'cat *.jsonl >../journal.jsonl && rm *.jsonl'
rm -rf "$T/state"
cp -a "$T/kept" "$T/state"
expect 0 "$BKP" generations
printf '{"seq":' >"$J/000003.jsonl"
expect 1 "$BKP" journal verify
said E-JOURNAL-24
echo 4 >>"$T/src/a"
expect 0 "$BKP" run --all
head -c 7 "$J/000003.jsonl" | grep -q '"seq":' || die "the torn line's place is not taken"
head -c "$second" "$J/000002.jsonl" | cmp - "$T/kept/journal/000002.jsonl" && [ "$(size "$J/000002.jsonl")" = "$second" ] ||
	die "a segment before the last was written to"
say "a segment that is missing, swapped, doubled, too long, torn in the middle or beyond a gap is refused; only the last one may be torn"

# --- the end that is none is cut off where it is: in the last segment, here and on a medium that got it
lines=$(cat "$J"/*.jsonl | wc -l)
printf 'what is no record\n' >>"$J/000003.jsonl"
cp "$J/000003.jsonl" "${copies[0]}/000003.jsonl"
expect 2 "$BKP" journal verify
expect 0 "$BKP" journal repair --operator Sato
said "^$lines records are kept, 1 lines behind them were cut off .*; copies on 1 media were mended"
expect 0 "$BKP" journal verify
tail -n 3 "$J/000003.jsonl" | grep -q '"event":"journal-repaired"' || die "the repair is not recorded in the last segment"
printf 'what is no record\n' >"$J/000004.jsonl" # all of the last one
expect 0 "$BKP" journal repair --operator Sato
head -n 1 "$J/000004.jsonl" | grep -q '"event":"journal-repaired"' || die "the repair does not take the place of what was cut off"
expect 0 "$BKP" run --all
expect 0 "$BKP" journal verify
say "'bkp journal repair' cuts off the end of the last segment and leaves the others"

# --- a medium: named, and mended; what stands on it restores
m=${copies[0]}
rm -rf "$T/m1.kept"
cp -a "$m" "$T/m1.kept"
damaged() { # SCRIPT
	rm -rf "$m"
	cp -a "$T/m1.kept" "$m"
	(cd "$m" && eval "$1")
	status "$BKP" verify --medium m1
	[ "$STATUS" -gt 0 ] || die "$1: verify does not see it"
	said "journal/00000[0-9].jsonl"
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" verify docs@3
	[ "$STATUS" -le 1 ] || fail "$1: the generation does not verify"
	echo "$1" >>"$T/src/a"
	expect 1 "$BKP" run --all
	said 'E-PUBLISH-05|E-IO-01'
	status "$BKP" repair m1
	[ "$STATUS" -le 1 ] || fail "$1: not mended"
	cat "$m"/*.jsonl >"$T/theirs"
	cat "$J"/*.jsonl | head -c "$(size "$T/theirs")" | cmp - "$T/theirs" || die "$1: what was mended is another"
	[ "$(wc -l <"$T/theirs")" -ge "$(wc -l <"$T/all")" ] || die "$1: something is missing"
	expect 0 "$BKP" verify --medium m1
	expect 0 "$BKP" run --all
	rm -rf "$T/m1.kept"
	cp -a "$m" "$T/m1.kept"
}
damaged 'rm 000001.jsonl'
damaged 'rm 000002.jsonl'
damaged 'mv 000001.jsonl x && mv 000002.jsonl 000001.jsonl && mv x 000002.jsonl'
compgen -G "$m/damaged-*-000002" >/dev/null || die "what stood there is not kept"
damaged 'cp 000001.jsonl 000002.jsonl'
damaged 'truncate -s -1 000001.jsonl'
damaged 'cp 000002.jsonl 000009.jsonl'
damaged "truncate -s $((MAX + 1)) 000002.jsonl"
echo x >"$m/notes.jsonl"
status "$BKP" verify --medium m1
said 'journal/notes.jsonl'
rm "$m/notes.jsonl"
mkdir "$T/old"
cp -a "$T/m1/." "$T/old"
(cd "$(repo_of "$T/old")/journal" && cat *.jsonl >journal.jsonl && rm 0*.jsonl)
status "$RESTORE" --medium "$T/old" list
said 'E-VAULT-11: .*journal was one file'
say "on a medium each of these is named, hinders no restore, is kept, and mended by 'bkp repair'"
