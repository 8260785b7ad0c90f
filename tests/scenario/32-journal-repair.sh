#!/bin/bash
# Goal: a journal that ends in lines which are no records (signed by this host, and copied to its media) is refused by everything, and
# 'bkp journal repair' is the way back: it cuts no more than that, keeps what it cut, says who did it, mends media's copies (also of
# one that comes later), and touches nothing but an end.
. "$(dirname "$0")/../lib/site.sh"
site_make
echo 1 >"$T/src/a"
expect 0 "$BKP" run --all
J=$T/state/journal/000001.jsonl
cp "$J" "$T/whole"
key=$(echo "$T"/state/signing-*.key)
epoch=${key##*signing-} epoch=${epoch%.key}
sums() { (cd "$T/state" && find . -type f ! -name lock ! -path './cache/*' -exec sha256sum {} + | sort); }

# --- the record behind number n-1 is written a second time, as if the first had not been, and one more behind it
n=$(wc -l <"$T/whole")
python3 "$SRC_ROOT/tests/lib/rejournal.py" "$T/whole" "$T/other" $((n - 1)) "$key" "$epoch" \
	'{"event":"outcome","command":"run","exit":0,"line":"x"}' '{"event":"notified","ok":true,"reason":""}'
tail -n 2 "$T/other" >"$T/bad"
cat "$T/whole" "$T/bad" >"$J"
for m in m1 m2; do cp "$J" "$(repo_of "$T/$m")/journal/000001.jsonl"; done
expect 2 "$BKP" run --all
grep -q 'bkp journal repair' "$T/err" || die "it does not say what mends it"
expect 2 "$BKP" journal verify
before=$(sums)
expect 64 "$BKP" journal repair
[ "$(sums)" = "$before" ] || die "without --operator something was changed"
mv "$T/m2" "$T/away"
mkdir "$T/m2"
expect 0 "$BKP" journal repair --operator 事務長
grep -q "^$n records are kept, 2 lines behind them were cut off" "$T/out" || die "it does not say what was kept"
cut=$(echo "$T"/state/journal-cut-*.jsonl)
cmp -s "$cut" "$T/bad" || die "what was cut off is not kept as it was"
head -n "$n" "$J" | cmp -s - "$T/whole" || die "a record was cut off"
record journal-repaired >"$T/record"
for w in "\"kept\":$n,\"lines\":2" "\"sha256\":\"$(sha256sum <"$T/bad" | cut -c -64)\"" '"command":"journal repair"' '"operator":"事務長"'; do
	grep -qF "$w" "$T/record" || die "the record does not say $w: $(cat "$T/record")"
done
expect 0 "$BKP" journal verify
carried "$(repo_of "$T/m1")/journal/000001.jsonl" || die "the attached medium's copy was not mended"
rmdir "$T/m2"
mv "$T/away" "$T/m2"
expect 0 "$BKP" journal repair --operator 事務長
grep -q 'nothing was cut off; copies on 1 media' "$T/out" || die "the medium that came later: $(cat "$T/out")"
carried "$(repo_of "$T/m2")/journal/000001.jsonl" || die "the copy of the medium that came later was not mended"
expect 0 "$BKP" run --all
expect 0 "$BKP" verify
expect 0 "$BKP" journal verify
say "lines of a repeated number, on the host and both media: refused, cut off, kept, recorded; a medium that was away is mended when it" \
	"comes"

# --- a medium whose copy goes on otherwise is left as it is
cp "$J" "$T/whole"
m1=$(repo_of "$T/m1")/journal/000001.jsonl
{ head -n 5 "$T/whole"; echo '{"seq":6,"not":"ours"}'; } >"$m1"
cp "$m1" "$T/strange"
expect 0 "$BKP" journal repair --operator 事務長
cmp -s "$m1" "$T/strange" || die "a copy that is another was replaced"
cp "$T/whole" "$m1"

# --- a file system that fills the end with zeros after a crash writes no line at all
cp "$J" "$T/whole"
head -c 1500000 /dev/zero >>"$J"
expect 2 "$BKP" journal verify
expect 0 "$BKP" journal repair --operator 事務長
n=$(wc -l <"$T/whole")
head -n "$n" "$J" | cmp -s - "$T/whole" || die "zeros behind the journal: a record was cut off"
say "an end longer than a record can be is cut off like any other"

# --- a medium that cannot be told is none that is away
cp "$T/m1/bkp-medium.json" "$T/identity"
rm -f "$T/m1/bkp-medium.json"
sed 's/"m1"/"mX"/' "$T/identity" >"$T/m1/bkp-medium.json"
expect 3 "$BKP" journal repair --operator 事務長
rm -f "$T/m1/bkp-medium.json"
cp "$T/identity" "$T/m1/bkp-medium.json"
expect 0 "$BKP" journal repair --operator 事務長

# --- a record in the middle that was changed is no end
cp "$J" "$T/whole"
sed '7s/"synced":\(true\|false\)/"synced":null/' "$T/whole" >"$J"
rm "$m1" "$(repo_of "$T/m2")/journal/000001.jsonl"
before=$(sums)
expect 2 "$BKP" journal repair --operator 事務長
grep -q E-JOURNAL-28 "$T/err" || die "a changed record in the middle: $(cat "$T/err")"
[ "$(sums)" = "$before" ] || die "a repair that was refused changed something"
sed 7d "$T/whole" >"$J"
expect 2 "$BKP" journal repair --operator 事務長
grep -q E-JOURNAL-28 "$T/err" || die "a record taken out: $(cat "$T/err")"

# --- nor is what a medium's whole copy goes on with
n=$(wc -l <"$T/whole")
cp "$T/whole" "$m1"
{ head -n $((n - 1)) "$T/whole"; tail -n 1 "$T/whole" | sed 's/"exit":0/"exit":1/'; } >"$J"
expect 2 "$BKP" journal repair --operator 事務長
grep -q E-HISTORY-01 "$T/err" || die "a medium holds the record whole, and it would be cut: $(cat "$T/err")"
rm "$m1"
expect 0 "$BKP" journal repair --operator 事務長
grep -q "^$((n - 1)) records are kept, 1 lines" "$T/out" || die "the last record"
expect 1 "$BKP" run --all # the copies were taken away
expect 0 "$BKP" run --all
say "a changed or missing record in the middle, and one that a medium holds whole, are refused; the last one alone is cut off"
