#!/bin/bash
# Attack: with tonight's signing key "expired" is recorded of generations on a disk kept offline that are days old and protected for
# thirty, then of one that a person holds, behind a forged "released".  The next rotation once deleted them, exit 0, without a word.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../lib/forge.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
. "$(dirname "$0")/../lib/expiry.sh"
mkdir -p "$T/src"
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}, generations: 1, protect: 30d}"
sed -i "s|{name: m2, type: ssd, |{name: m2, type: rdx, offline: true, max_attached: 60d, |" "$T/policy.yaml"
site_make 2>/dev/null
for i in 1 2 3; do
	echo "patient $i" >>"$T/src/patients"
	expect 0 on_day "$i" "$BKP" run --quiet --all
done
expect 0 on_day 3 "$BKP" hold docs@1 --operator Sato --reason "the last one before the intrusion"
expect 0 on_day 3 "$BKP" rotate m2 --quiet --operator Sato
m2=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["medium"])' "$T/m2/bkp-medium.json")
keep
standing() { # WHERE: all three are on the disk still, and whole
	for g in 1 2 3; do "$RESTORE" --quiet --medium "$T/m2" verify "$g" >"$T/out" 2>&1 || fail "$1: generation $g went" "$T/out"; done
}
expired() { # GENERATION
	forge expired "{\"dataset\":\"docs\",\"generation\":$1,\"medium\":\"$m2\",\"files\":0,\"bytes\":0,\"why\":\"covered docs 1/1\"}"
}

expired 2
detected "forged 'expired' of what is protected" E-REAP-05 on_day 3 "$BKP" rotate m2 --operator Sato
standing "rotate"
detected "the same, and the operator agrees to deleting" E-REAP-05 on_day 3 "$BKP" rotate m2 --operator Sato --yes
standing "rotate --yes"
status on_day 3 "$BKP" expire --operator Sato --yes
standing "expire --yes"
expect 0 on_day 3 "$BKP" verify --medium m2 # what stands there and is whole counts again
"$BKP" generations --json | python3 -c 'import json, sys
assert all(m["ok"] for g in json.load(sys.stdin)["generations"] for m in g["media"])' || die "generation 2 does not count again"

# nothing but the hold protects it: released in the journal, so that only a person at the disk can be asked
start
forge released '{"dataset":"docs","generation":1,"operator":"Sato","reason":"not needed"}'
expired 1
detected "forged 'released' and 'expired' of what was held" E-REAP-06 on_day 40 "$BKP" rotate m2 --operator Sato
grep -q "a person held it until" "$T/err" || die "that it was held is not told"
standing "rotate after a forged 'released'"
# who was asked, and agrees, is recorded
expect 0 on_day 40 "$BKP" rotate m2 --quiet --operator Sato --yes
grep -q W-REAP-01 "$T/err" || die "it is deleted unannounced"
record expiry-finished | grep -q '"dataset":"docs","generation":1,.*"operator":"Sato"' || die "who agreed is not recorded"
[ ! -e "$(set_of "$T/m2")/generations/000001" ] || die "an expiry that a person agreed to is not finished"
