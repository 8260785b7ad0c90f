#!/bin/bash
# A7: a line with a number that was given already, properly signed, on the host and both media; and a repair that is asked to cut what is
# not the end.
. "$(dirname "$0")/lib.sh"
site_make
echo 1 >"$T/src/a"
expect 0 "$BKP" run --all
J=$T/state/journal/000001.jsonl
cp "$J" "$T/whole"
key=$(echo "$T"/state/signing-*.key)
epoch=${key##*signing-}
python3 "$SRC_ROOT/tests/lib/rejournal.py" "$J" "$T/other" $(($(wc -l <"$J") - 1)) "$key" "${epoch%.key}" \
	'{"event":"outcome","command":"run","exit":0,"line":"x"}'
tail -n 1 "$T/other" >>"$J"
for m in m1 m2; do cp "$J" "$(repo_of "$T/$m")/journal/000001.jsonl"; done
detected "a number was given twice, here and on both media" E-JOURNAL-02 "$BKP" run --all
expect 0 "$BKP" journal repair --operator manager
expect 0 "$BKP" journal verify
expect 0 "$BKP" run --all
sed -i '5s/"synced":\(true\|false\)/"synced":null/' "$J"
rm -f "$T"/m?/*/journal/000001.jsonl
detected "a repair is to cut off what stands behind a changed record" E-JOURNAL-28 "$BKP" journal repair --operator manager
