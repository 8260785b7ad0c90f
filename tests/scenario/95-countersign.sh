#!/bin/bash
# Goal: paper and people are witnesses of the journal.  Number and head that stand on a slip find their record; an auditor or one of the
# policy countersigns a head with stock minisign, and from then on a journal that was rewritten, cut or put back is told from what the
# witness holds, also to who has every key of this computer; verify says how much is witnessed, and a stranger checks it by hand.
. "$(dirname "$0")/../lib/site.sh"
exec </dev/null

mkdir -p "$T/src" "$T/people" "$T/paper"
echo 患者 >"$T/src/list"
for p in 院長 監査; do minisign -G -W -f -p "$T/people/$p.pub" -s "$T/people/$p.key" >/dev/null; done
key() { tail -n 1 "$T/people/$1.pub"; }
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
cat >>"$T/policy.yaml" <<-Y
	people:
	- {name: 院長, roles: [manager, witness], public_key: $(key 院長)}
	- {name: 山田, roles: [operator]}
Y
site_make 2>/dev/null
J=$T/state/journal/000001.jsonl
sum_of() { sed -n "${1}p" "$J" | tr -d '\n' | sha256sum | cut -c-64; } # of record N
night() { echo "$RANDOM" >>"$T/src/list"; expect 0 "$BKP" --quiet run --all; }
verified() { "$BKP" journal verify --json 2>"$T/err" | jq -c "$1"; }
cp -a "$T/state" "$T/state.first"
night

# ---- what stands on paper finds its record
expect 0 "$BKP" report receipt m1 --json
jq -r '.journal_on_it | "\(.record) \(.sha256)"' "$T/out" >"$T/on-it"
read -r n sum <"$T/on-it"
on_it=$n
[ "$sum" = "$(sum_of "$n")" ] || die "the slip names another record than the journal has"
jq -r .code "$T/out" | grep -q " j$n $sum" || die "the code on the slip has not the journal's head"
expect 0 "$BKP" journal find "${sum:0:8}" --record "$n"
grep -q "^record $n of .*$sum" "$T/out" && grep -q '○ the number is that of the paper' "$T/out" || fail "it is not found"
expect 0 "$BKP" journal find "$(tr a-f A-F <<<"${sum:0:4} ${sum:4:6}…")" --json
jq -e --argjson n "$n" --arg s "$sum" '.found == 2 and
	.matches[1].member == "sha256" and .matches[0].record == $n and .matches[0].sha256 == $s and
	(.matches[0].what | length > 3) and .matches[0].number_agrees == null' "$T/out" >/dev/null || fail "the JSON of what is found"
expect 2 "$BKP" journal find "${sum:0:8}" --record 1
said E-JOURNAL-35
grep -q '× the paper has another number' "$T/out" || fail "that the number is another"
expect 2 "$BKP" journal find 0123456789
said E-JOURNAL-34
policy=$(sha256sum <"$T/policy.yaml" | cut -c-16)
expect 0 "$BKP" journal find "$policy"
grep -q "its 'sha256' begins so" "$T/out" || fail "the hash of the policy, which stands on paper, too"
for bad in 1234567 0123456g "$sum"0 "" 'ff*' ../x; do expect 64 "$BKP" journal find "$bad"; done
for bad in 0 -1 1x 99999999999999999999; do expect 64 "$BKP" journal find "$sum" --record "$bad"; done
say "8 digits from the slip find record $n, with its number, date and what happened; another number, another hash, what is none: told"

# ---- a head is signed by stock minisign and comes back
[ "$(verified .countersigned)" = null ] || die "a journal without a witness: $(verified .countersigned)"
expect 0 "$BKP" journal head --out "$T/paper/head"
said "minisign -S -m '$T/paper/head'"
n=$(wc -l <"$J")
printf 'bkp:1 kind=head\nrepository %s\nhead %s %s\nrecorded %s\n' "$(jq -r .repository <"$J" | head -n 1)" "$n" "$(sum_of "$n")" \
	"$(tail -n 1 "$J" | jq -r .time)" | cmp - "$T/paper/head" || die "the statement is not what the document says"
"$BKP" journal head | cmp - "$T/paper/head" || die "to standard output"
expect 2 "$BKP" journal head --out "$T/paper/head"
countersign() { # NAME FILE
	minisign -S -s "$T/people/$1.key" -m "$2" >/dev/null
}
countersign 院長 "$T/paper/head"
night
expect 0 "$BKP" journal countersign "$T/paper/head" --operator 山田
said "countersigned up to record $n by 院長"
record countersigned | jq -e --arg k "$(key 院長)" --rawfile s "$T/paper/head" --rawfile m "$T/paper/head.minisig" --argjson n "$n" '
	.upto == $n and .statement == $s and .signature == $m and .key == $k and .name == "院長" and .known and .operator == "山田"' \
	>/dev/null || die "the record: $(record countersigned)"
verified .countersigned | jq -e --argjson n "$n" --argjson all "$(wc -l <"$J")" \
	'.upto == $n and .newer == $all - $n and .name == "院長" and .of_policy' >/dev/null || die "verify: $(verified .countersigned)"
expect 0 "$BKP" journal verify
said "院長 countersigned it up to record $n \([0-9]+%\)"
expect 0 "$BKP" journal countersign "$T/paper/head"
said 'on record already'
[ "$(grep -c '"event":"countersigned"' "$J")" = 1 ] || die "one countersignature is on record twice"
# an auditor whom the policy does not know
cp "$T/paper/head" "$T/paper/audit"
countersign 監査 "$T/paper/audit"
expect 2 "$BKP" journal countersign "$T/paper/audit"
said E-USE-04
expect 64 "$BKP" journal countersign "$T/paper/audit" --public-key "$(key 監査)"
expect 64 "$BKP" journal countersign "$T/paper/audit" --by 監査
expect 2 "$BKP" journal countersign "$T/paper/audit" --public-key "$(key 院長)" --by 監査
expect 0 "$BKP" journal countersign "$T/paper/audit" --public-key "$T/people/監査.pub" --by '監査法人 田中'
said 'The key is not in the policy'
record countersigned | jq -e '.name == "監査法人 田中" and (.known | not)' >/dev/null || die "the auditor's record"
"$BKP" --lang ja journal export --format csv | grep -q "監査法人 田中.*運用方針にない" || die "the table does not say it"
say "stock minisign countersigns a head: by a person of the policy, by an auditor's key that was only given (said); once each"

# ---- by hand, without this software
for at in $(grep -n '"event":"countersigned"' "$J" | cut -d: -f1); do
	sed -n "${at}p" "$J" | jq -j .statement >"$T/hand"
	sed -n "${at}p" "$J" | jq -j .signature >"$T/hand.minisig"
	minisign -V -q -P "$(sed -n "${at}p" "$J" | jq -r .key)" -m "$T/hand" || die "minisign does not accept it"
	[ "$(sed -n 's/^head [0-9]* //p' "$T/hand")" = "$(sum_of "$(sed -n 's/^head \([0-9]*\) .*/\1/p' "$T/hand")")" ] ||
		die "the head by hand"
done

# ---- hostile statements and signatures: refused with words, and nothing is on record
was=$(grep -c '"event":"countersigned"' "$J")
refused() { # CODE FILE
	expect 2 "$BKP" journal countersign "$2"
	grep -q "$1: " "$T/err" || fail "$1 is not said of $2"
	[ "$(grep -c '"event":"countersigned"' "$J")" = "$was" ] || die "$2 is on record"
}
signed_edit() { # SED-EXPRESSION: the head with that change, signed by a person of the policy
	sed "$1" "$T/paper/head" >"$T/paper/bad"
	rm -f "$T/paper/bad.minisig"
	countersign 院長 "$T/paper/bad"
}
for e in 's/kind=head/kind=expiry/' 's/^head [0-9]*/head 0/' 's/^head [0-9]*/head 007/' 's/^head /head  /' 1d 2d 3d 4d '$a\extra' \
	's/^recorded .*/recorded yesterday/' 's/^repository .*/repository ../' 's/^head \([0-9]*\) .*/head \1 00/' \
	's/^head \([0-9]*\)/head 99999999999999999999/' 's/^head .*/head -1 0/'; do
	signed_edit "$e" && refused E-APPROVAL-03 "$T/paper/bad"
done
signed_edit 's/^repository .*/repository 00000000-0000-4000-8000-000000000000/' && refused E-JOURNAL-31 "$T/paper/bad"
signed_edit 's/^head [0-9]*/head 9999/' && refused E-JOURNAL-32 "$T/paper/bad"
signed_edit 's/^head \([0-9]*\) .*/head \1 '"$(printf '0%.0s' {1..64})/" && refused E-JOURNAL-33 "$T/paper/bad"
signed_edit 's/^recorded .*/recorded 2020-01-01T00:00:00Z/' && refused E-JOURNAL-33 "$T/paper/bad"
head -c 100000 /dev/zero | tr '\0' a >"$T/paper/bad" && refused E-IO-08 "$T/paper/bad"
printf 'bkp:1 kind=head\nrepository \0' >"$T/paper/bad" && refused E-APPROVAL-03 "$T/paper/bad"
: >"$T/paper/bad" && refused E-APPROVAL-03 "$T/paper/bad"
expect 0 "$BKP" journal head --out "$T/paper/next"
refused 'E-[A-Z]*-[0-9]*' "$T/paper/next" # without a signature
cp "$T/paper/head.minisig" "$T/paper/next.minisig" && refused E-USE-04 "$T/paper/next" # that of another statement
head -c 20 "$T/paper/head.minisig" >"$T/paper/next.minisig" && refused E-USE-04 "$T/paper/next"
head -c 100000 /dev/zero >"$T/paper/next.minisig" && refused E-IO-08 "$T/paper/next"
rm "$T/paper/next.minisig" && minisign -S -s "$T/people/院長.key" -t "$(printf 'a\xffb')" -m "$T/paper/next" >/dev/null &&
	refused E-JOURNAL-37 "$T/paper/next"
[ -z "$(tail -n 1 "$J" | jq -r 'select(.event != "outcome" or .exit != 2)')" ] || die "that somebody tried is not on record"
say "statements with another kind, number, hash, time, repository, too long or short, with bytes that are no text, and signatures of" \
	"others: refused with words, nothing on record but that somebody tried"

# ---- the alarm: what the witness holds, and a journal that somebody with every key of this computer has made anew
forge() { # JOURNAL LINES RECORD...: $T/forged, signed with the newest key of that state folder
	local at=$1 lines=$2
	shift 2
	python3 "$SRC_ROOT/tests/lib/rejournal.py" "$at/journal/000001.jsonl" "$T/forged" "$lines" "$(ls "$at"/signing-*.key)" \
		"$(head -n "$lines" "$at/journal/000001.jsonl" | tail -n 1 | jq .epoch)" "$@"
}
mv "$T/m1" "$T/m1.away"; mv "$T/m2" "$T/m2.away" # only paper and the witness are left
mv "$T/state" "$T/state.true"
cp -a "$T/state.first" "$T/state"
lines=$(wc -l <"$T/state.first/journal/000001.jsonl")
made=()
for i in $(seq $((n + 3 - lines))); do made+=("{\"event\":\"outcome\",\"command\":\"run\",\"exit\":0,\"line\":\"$i\"}"); done
forge "$T/state.first" "$lines" "${made[@]}"
cp "$T/forged" "$J"
expect 0 "$BKP" journal verify
said 'every record is in its place, unchanged and signed'
expect 2 "$BKP" journal countersign "$T/paper/head"
said 'E-JOURNAL-33.*the witness signed another journal: record'
expect 2 "$BKP" journal find "$sum" --record "$on_it"
said E-JOURNAL-34
rm -rf "$T/state"; cp -a "$T/state.first" "$T/state"
expect 2 "$BKP" journal countersign "$T/paper/head"
said "E-JOURNAL-32.*the witness signed $n records"
# a countersignature of less, or of another key, than it says: the thief signs the record anew, and every reader refuses it
rm -rf "$T/state"; mv "$T/state.true" "$T/state"
at=$(grep -n '"event":"countersigned"' "$J" | tail -n 1 | cut -d: -f1)
members() { # JQ EDIT: what the record says, without what stands around it
	sed -n "${at}p" "$J" | jq -c "$1 | del(.seq,.time,.boot,.mono_ns,.synced,.version,.by,.repository,.prev,.epoch,.sig)"
}
again() { # JQ EDIT, WORDS
	forge "$T/state" $((at - 1)) "$(members "$1")"
	expect 2 "$BKP" journal verify --file "$T/forged"
	grep -q "$2" "$T/err" || fail "$1: $2"
}
forge "$T/state" $((at - 1)) "$(members .)"
expect 0 "$BKP" journal verify --file "$T/forged"
again '.upto -= 1' 'E-LEDGER-02.*what was countersigned is not this journal'
again '.upto = 99999' 'E-LEDGER-02.*there is no such record yet'
again '.upto = 0' 'E-LEDGER-02.*there is no such record yet'
again ".key = \"$(key 院長)\" | .name = \"院長\"" 'E-LEDGER-02.*not by that key'
again '.key = "RWnothing"' "E-LEDGER-01.*'key'"
again '.signature = ""' "E-LEDGER-01.*'signature'"
again '.statement = 1' "E-LEDGER-01.*'statement'"
again 'del(.known)' "E-LEDGER-01.*'known'"
forge "$T/state" "$at" "$(members .)"
expect 2 "$BKP" journal verify --file "$T/forged"
said 'E-LEDGER-02.*on record already'
say "a journal made anew with every key of this computer is whole in itself; the witness's file and the paper tell it; one that" \
	"was put back is told by its length; a countersignature that says more than was signed is refused by every reader"
