#!/bin/bash
# Goal: what a person did is signed where that person has signed the record of it with a key that the policy names, by stock minisign, on
# whatever computer; else it is a claim, and so it is called wherever it is shown.  Nobody signs for another, no other record, twice, or
# with a key that the policy does not name; verify and minisign check each signature.
. "$(dirname "$0")/../lib/site.sh"
exec </dev/null

mkdir -p "$T/src" "$T/rdx" "$T/people" "$T/sign"
echo 患者 >"$T/src/list"
for p in 山田 佐藤 他人; do minisign -G -W -f -p "$T/people/$p.pub" -s "$T/people/$p.key" >/dev/null; done
key() { tail -n 1 "$T/people/$1.pub"; }
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
cat >>"$T/policy.yaml" <<-Y
	  - {name: RDX-01, type: rdx, path: $T/rdx, offline: true, place: 別棟}
	people:
	  - {name: 山田, roles: [operator, manager], public_key: $(key 山田)}
	  - {name: 佐藤, roles: [witness], public_key: $(key 佐藤)}
	  - {name: 鈴木, roles: [operator]}
Y
sed -i 's/^\t//' "$T/policy.yaml"
site_make 2>/dev/null
J=$T/state/journal/000001.jsonl
"$BKP" medium add RDX-01 >/dev/null 2>&1
expect 0 "$BKP" --quiet run --all
last() { grep -n "\"event\":\"$1\"" "$J" | tail -n 1 | cut -d: -f1; } # the number of the newest record of it
shown() { # NUMBER: how its signature is shown by show, export and as a table
	"$BKP" journal show | sed -n "${1}p" | sed -n 's/.*  (\([^()]*\))$/\1/p'
}
cell() { # NUMBER: the column in the table
	"$BKP" journal export --format csv | python3 -c '
import csv, io, sys
rows = list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode("utf-8-sig"), newline="")))
print(rows[int(sys.argv[1])][rows[0].index("Signature")].lstrip("\x27"))' "$1"
}
is() { # WORDS WANTED HAVE
	[ "$2" = "$3" ] || die "$1: '$3', expected '$2'"
}
sign() { # PERSON NUMBER: a file in $T/sign/PERSON.NUMBER, signed elsewhere
	rm -f "$T/sign/$1.$2" "$T/sign/$1.$2.minisig"
	expect 0 "$BKP" journal head --record "$2" --out "$T/sign/$1.$2"
	sed -n "${2}p" "$J" | tr -d '\n' | sha256sum | cut -c-64 | grep -qf - "$T/sign/$1.$2" || die "it is not that record that is signed"
	minisign -S -s "$T/people/$1.key" -m "$T/sign/$1.$2" >/dev/null
}

# ---- acts: a claim, until it is signed
expect 0 "$BKP" medium hand RDX-01 --to 運送 --operator 山田 --witness 佐藤
expect 0 "$BKP" hold docs@1 --operator 山田 --reason 監査
mv "$T/rdx" "$T/shelf"
expect 0 "$BKP" medium count --place 別棟 --seen RDX-01 --operator 鈴木 --witness 佐藤
expect 0 "$BKP" medium lost RDX-01 --operator 山田 --reason 運送中
handed=$(last medium-handed) held=$(last held) counted=$(last media-counted) lost=$(last medium-lost)
is "before" "山田: claim only, 佐藤: claim only" "$(shown "$handed")"
is "the table" "山田: claim only, 佐藤: claim only" "$(cell "$handed")"
is "a run names nobody" "" "$(cell "$(last begin)")"
is "an outcome only repeats" "" "$(cell "$(last outcome)")"
sign 山田 "$handed"
expect 0 "$BKP" journal countersign "$T/sign/山田.$handed"
is "one of the two" "山田: signed, 佐藤: claim only" "$(shown "$handed")"
sign 佐藤 "$handed"
expect 0 "$BKP" journal countersign "$T/sign/佐藤.$handed"
is "both" "山田: signed, 佐藤: signed" "$(cell "$handed")"
sign 山田 "$held" && expect 0 "$BKP" journal countersign "$T/sign/山田.$held"
is "a decision" "山田: signed" "$(shown "$held")"
sign 佐藤 "$counted" && expect 0 "$BKP" journal countersign "$T/sign/佐藤.$counted"
is "who has no key claims" "鈴木: claim only, 佐藤: signed" "$(shown "$counted")"
is "another act of the same person" "山田: claim only" "$(shown "$lost")"
expect 0 "$BKP" report transfers --csv
grep -q '山田: signed, 佐藤: signed' "$T/out" || fail "the list of transfers does not say it"
expect 0 "$BKP" report losses --csv
grep -q '山田: claim only' "$T/out" || fail "the list of losses does not say it"
expect 0 "$BKP" --lang ja report transfers
grep -q '山田: 署名, 佐藤: 署名' "$T/out" || fail "the form does not say it"
"$BKP" --lang ja journal show | grep -q '山田: 申告' || die "申告 is not said"
say "hand-over, decision, stock-take, loss: a claim until operator and witness sign the record; show, export and the forms say which"

# ---- what is no signature of theirs
was=$(grep -c '"event":"countersigned"' "$J")
sign 他人 "$lost"
expect 2 "$BKP" journal countersign "$T/sign/他人.$lost"
expect 0 "$BKP" journal countersign "$T/sign/他人.$lost" --public-key "$(key 他人)" --by 山田 # taken in, and said to be no key of the policy
said 'not in the policy'
is "a stranger who calls himself so" "山田: claim only" "$(shown "$lost")"
sign 佐藤 "$lost" && expect 0 "$BKP" journal countersign "$T/sign/佐藤.$lost"
is "another person's" "山田: claim only" "$(shown "$lost")"
sed "s/^head $handed /head $lost /" "$T/sign/山田.$handed" >"$T/sign/moved"
cp "$T/sign/山田.$handed.minisig" "$T/sign/moved.minisig"
expect 2 "$BKP" journal countersign "$T/sign/moved"
said E-JOURNAL-33
is "moved to another record" "山田: claim only" "$(shown "$lost")"
expect 64 "$BKP" journal head --record 0
expect 2 "$BKP" journal head --record 99999
said E-JOURNAL-30
[ "$(grep -c '"event":"countersigned"' "$J")" = $((was + 2)) ] || die "countersignatures on record"
expect 0 "$BKP" journal verify
said '[0-9]+ name a person: 4 are signed by them, [0-9]+ are claims only'
cp "$T/out" "$T/acts"
expect 0 "$BKP" journal verify --json
jq -e --argjson h "$handed" --argjson d "$held" --argjson c "$counted" --argjson l "$lost" '
	.acts as $a | ($a.people | map({(.name): .}) | add) as $p |
	($p["山田"].signed == [$h, $d]) and ($p["山田"].claims | index($l)) and ($p["佐藤"].signed == [$h, $c]) and
	($p["鈴木"].claims | index($c)) and ($p["鈴木"].signed == []) and ($a.not_theirs | length == 1) and
	$a.not_theirs[0].of == $l and $a.not_theirs[0].name == "山田"' \
	"$T/out" >/dev/null || fail "the acts of verify"
at=$(jq '.acts.not_theirs[0].record' "$T/out")
sed -n "${at}p" "$J" | jq -e '.event == "countersigned" and (.known | not)' >/dev/null || die "record $at is not the stranger's signature"
grep -q "× record $at signs record $lost as 山田 with a key that the policy did not have" "$T/acts" ||
	fail "the text names no record" "$T/acts"
grep -q "山田: 2 signed, .* claims only (records .*$lost" "$T/acts" || fail "who signed how much" "$T/acts"
# each by stock minisign
grep '"event":"countersigned"' "$J" | while IFS= read -r l; do
	jq -j .statement <<<"$l" >"$T/hand"; jq -j .signature <<<"$l" >"$T/hand.minisig"
	minisign -V -q -P "$(jq -r .key <<<"$l")" -m "$T/hand" || die "minisign"
done
say "a stranger's key with a person's name, another person's signature, one of another record: the act stays a claim"
