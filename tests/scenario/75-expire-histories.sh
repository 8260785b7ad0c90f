#!/bin/bash
# Goal: what makes good generations go must be what all know and what stands there: not an old copy of the state folder from before
# more was agreed, as long as any attached medium remembers better, and not records of expiries that nobody has carried out yet.
. "$(dirname "$0")/../lib/site.sh"
BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN}
. "$(dirname "$0")/../lib/nights.sh"
. "$(dirname "$0")/../lib/forge.sh"
. "$(dirname "$0")/../lib/expiry.sh"

# ---- an old copy of the state folder, from before more was agreed
mkdir -p "$T/src"
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}, generations: 1, protect: 1h}"
sed -i "s|{name: m2, type: ssd, |{name: m2, type: rdx, offline: true, max_attached: 400d, |" "$T/policy.yaml"
site_make 2>/dev/null
for d in 1 2 3 4; do echo "day $d" >>"$T/src/patients"; expect 0 on_day $d "$BKP" run --quiet --all; done
expect 0 on_day 4 "$BKP" rotate --quiet m2 --operator Sato
cp -a "$T/state" "$T/state.old"
sed -i 's/generations: 1, protect: 1h/generations: 9, protect: 1h/' "$T/policy.yaml"
expect 0 on_day 4 "$BKP" run --quiet --all # the same epoch: no key tells the two apart
expire 0 20 --dry-run
! grep -q '"goes":true' "$T/json" || die "nine are agreed, and something goes"
keep
rm -rf "$T/state"
cp -a "$T/state.old" "$T/state"
sed -i 's/generations: 9, protect: 1h/generations: 1, protect: 1h/' "$T/policy.yaml"
expire 2 20 --operator Sato
grep -q E-HISTORY-01 "$T/err" || die "what m1 knows does not keep m2 from losing: $(cat "$T/json")"
# with a record of its own it is another history, no less signed
mv "$T/m1" "$T/away"
expect 0 on_day 5 "$BKP" hold docs@1 --operator Sato --reason "to hide it"
mv "$T/away" "$T/m1"
expire 2 20 --operator Sato --medium m2
grep -q E-HISTORY-01 "$T/json" && die "not told that there are two histories"
grep -q E-PUBLISH-05 "$T/json" || die "another history on m1 does not keep m2 from losing: $(cat "$T/json")"
for g in 1 2 3 4; do "$RESTORE" --quiet --medium "$T/m2" verify $g >/dev/null || die "old state: generation $g"; done
# bytes that nobody signed speak for nobody
printf 'junk\n' >"$(repo_of "$T/m1")/journal/000001.jsonl"
expire 1 20 --dry-run
grep -q '"goes":true' "$T/json" || die "junk in the place of a journal stops everything"
say "an old state folder, from before more was agreed: what one medium remembers keeps all others from losing anything, also when the old" \
	"one was gone on with"

# ---- a forged journal that is found by who comes next
start
sed -i 's/generations: 9, protect: 1h/generations: 1, protect: 1h/' "$T/policy.yaml"
thaw "$T/m1" "$T/m2"
rm -rf "$T/state" "$T/m1" "$T/m2"
mkdir "$T/m1" "$T/m2"
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
"$BKP" --quiet medium add m1
"$BKP" --quiet medium add m2
for d in 1 2 3 4; do echo "day $d" >>"$T/src/patients"; expect 0 on_day $d "$BKP" run --quiet --all; done
expect 0 on_day 4 "$BKP" rotate --quiet m2 --operator Sato
keep
expire 1 20 --operator Sato
grep -q E-EXPIRE-09 "$T/json" || die "nobody at the disk agreed: $(cat "$T/json")"
for g in 1 2 3; do
	"$RESTORE" --quiet --medium "$T/m2" verify $g >/dev/null || die "generation $g went from a disk kept offline, and nobody said --yes"
	[ ! -e "$(set_of "$T/m1")/generations/00000$g" ] || die "generation $g stays on m1"
done
expire 0 20 --operator Sato --yes
[ ! -e "$(set_of "$T/m2")/generations/000001" ] && record expired | grep -q '"operator":"Sato"' ||
	die "with --yes nothing goes: $(cat "$T/json")"
say "from a disk kept offline nothing goes before the operator has agreed at the disk"
u=$(python3 -c 'import uuid; print(uuid.uuid4())')
forge_newer() { # a fifth generation that nobody captured, verified everywhere
	FORGE_TIME=$(date -u -d "5 days" +%Y-%m-%dT%H:%M:%SZ)
	export FORGE_TIME
	forge begin "{\"run\":5,\"uuid\":\"$u\",\"datasets\":[\"docs\"]}"
	forge_committed 5 "$u" 99 "$FORGED_DOCS" m1 m2
	for m in m1 m2; do forge verified \
		"{\"medium\":\"$(uuid_of $m)\",\"generations\":[{\"dataset\":\"docs\",\"generation\":5,\"files\":1,\"bytes\":1}]}"; done
	for g in 1 2 3 4; do for m in m1 m2; do forge expired \
		"{\"dataset\":\"docs\",\"generation\":$g,\"medium\":\"$(uuid_of $m)\",\"files\":0,\"bytes\":0}"; done; done
	unset FORGE_TIME
}
for then in "" damaged; do
	start
	forge_newer
	[ -z "$then" ] || for m in m1 m2; do forge verify-failed \
		"{\"medium\":\"$(uuid_of $m)\",\"dataset\":\"docs\",\"generation\":5}"; done
	expect 0 "$BKP" journal verify
	status on_day 6 "$BKP" run --quiet --all
	status on_day 6 "$BKP" rotate --quiet m2 --operator Sato
	status on_day 6 "$BKP" expire --operator Sato
	for g in 1 2 3 4; do for m in m1 m2; do
		"$RESTORE" --quiet --medium "$T/$m" verify $g >"$T/out" 2>&1 ||
			fail "generation $g on $m went on the word of a journal alone" "$T/out"
	done; done
done
say "expiries that stand in the journal alone, forged with newer generations that nobody captured, delete nothing when the next run," \
	"rotation or expiry finds them"
