#!/bin/bash
# Goal: the four procedures for keys (policies/procedures/key-lost.md, holder-leaves.md, key-stolen.md, root-key-lost.md) are played by the
# drill engine as they stand, at a site with three holders: at each step of a person what the screen tells them to type is typed, on the
# computer that it names.  Afterwards what the documents promise is so, by stock age, minisign and jq.  Who only says yes fails.
. "$(dirname "$0")/../lib/site.sh"
ROOT_KEY=$T/safe/root.key
PROC=$SRC_ROOT/policies/procedures
J=$T/state/journal/000001.jsonl
mkdir "$T/src" "$T/m1" "$T/m2" "$T/safe" "$T/usb" "$T/host" "$T/away"
ln -s "$BKP" "$T/host/bkp"
ln -s "$RESTORE" "$T/away/bkp-restore"
echo nagai-Passphrase-2026 >"$T/pass"
with_pass() { python3 "$SRC_ROOT/tests/lib/with_pass.py" "$T/pass" "$@"; }
plain() { with_pass age -d -o "$1" "$2"; } # an identity without its passphrase, by stock age
for who in incho jimucho hosyu; do
	"$RESTORE" --quiet --lang en key make --to "$T/$who" --passphrase-file "$T/pass" >"$T/$who.made"
	plain "$T/$who.txt" "$T/$who/identity.age"
done
seq 100000 >"$T/src/a"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
cat >>"$T/policy.yaml" <<-Y
people:
  - {name: 院長, roles: [manager, keyholder]}
Y
r() { sed -n 's/^recipient: *//p' "$T/$1.made"; }
RECIPIENTS="--recipient incho=$(r incho) --recipient jimucho=$(r jimucho)"
# shellcheck disable=SC2086 # words
"$BKP" init $RECIPIENTS --recipient "hosyu=$(r hosyu)" --root-key-out "$ROOT_KEY" >"$T/init.out"
ROOT=$(sed -n 's/^root public key: *//p' "$T/init.out")
for m in m1 m2; do "$BKP" medium add $m >/dev/null 2>&1; done
for e in A-1:incho B-1:jimucho C-1:hosyu; do
	"$BKP" --quiet key envelope add ${e%:*} --person ${e#*:} --seal 0001 --place 金庫 --holder 事務長 --operator 院長
done
night() { date +%N >"$T/src/b"; "$BKP" --quiet run --all; }
night
R=$(repo_of "$T/m2")
n=0
drill() { # EXIT PROCEDURE SETTING... [-- OPTION...]: from the medium as it was carried away before
	local want=$1 p=$2
	local sets=(--set "root=$ROOT" --set "identity=$T/incho/identity.age" --set "usb=$T/usb/$2" --set "after=${AFTER:-$T/m2}")
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do sets+=(--set "$1"); shift; done
	[ $# = 0 ] || shift
	thaw "$T/shelf"
	rm -rf "$T/shelf"
	cp -a "$T/m1" "$T/shelf"
	n=$((n + 1))
	D=$T/drill$n
	case " $* " in
	*" --attest "*) PLAY=() ;;
	*) PLAY=(python3 "$SRC_ROOT/tests/lib/play_procedure.py" "$T/pass" "$T/host" "$T/away" --) ;;
	esac
	expect "$want" timeout 60 "${PLAY[@]}" "$RESTORE" --lang ja --medium "$T/shelf" --identity "$T/incho/identity.age" \
		--passphrase-file "$T/pass" drill "$PROC/$p.md" --to "$D" --isolation off --operator 院長 "${sets[@]}" "$@"
}
is() { jq -e "$2" "$1" >/dev/null || fail "not so: $2" "$1" "$T/out"; }
in_journal() { jq -se "$1" "$J" >/dev/null || fail "the record: $1" <(grep -E '"event":"(keys|use|envelope)"' "$J"); }
newest() { ls "$R/datasets/docs/generations" | tail -n 1; }
opens() { age -d -i "$1" "$R/datasets/docs/generations/$2/root.age" 2>/dev/null | grep -q bkp-root; }
period() { age -d -i "$T/$1.txt" -o "$T/$1.p$2" "$R/keys/$2/$3.age" 2>/dev/null; } # PERSON PERIOD FILE

# --- who says yes to all and does nothing fails where the first thing is looked at
attest() { { printf 'by: 院長\nanswers:\n'; printf '  - {step: %s, answer: はい}\n' "$@"; } >"$T/yes.yaml"; }
key_lost=("name=jimucho-2" "new_key=$T/newkey" "root_key=$ROOT_KEY")
attest 1 make add host after drill record
drill 2 key-lost "${key_lost[@]}" -- --attest "$T/yes.yaml"
is "$D/drill.json" '[.steps[] | select(.mark == "failed")] | length == 1 and .[0].id == "sign"'
rmdir "$T/usb/key-lost"
say "a procedure to which everything is answered yes, and nothing done, fails"

# --- one is lost
drill 0 key-lost "${key_lost[@]}"
tail -n 1 "$T/out"
is "$D/drill.json" '.verdict == "passed" and all(.steps[]; .mark == "passed")'
plain "$T/jimucho-2.txt" "$T/newkey/identity.age"
period jimucho-2 1 jimucho-2 || die "stock age: the new key opens nothing"
for g in 000001 "$(newest)"; do opens "$T/jimucho-2.p1" "$g" || die "stock age: the new key does not open $g"; done
period jimucho 1 jimucho && opens "$T/jimucho.p1" "$(newest)" || die "what the document says of the lost key is not so"
minisign -V -q -P "$ROOT" -m "$R/keys/1/period-2.json" || die "minisign: the change"
in_journal 'map(select(.event == "keys")) | last | .revision == 2 and .people == ["incho","jimucho","hosyu","jimucho-2"]'
in_journal 'map(select(.event == "use")) | map(.command) == ["key add","key drill"] and (last | .person.name == "jimucho-2" and .exit == 0)'
"$BKP" --json key envelope list --all >"$T/list"
is "$T/list" '[.envelopes[] | {id: (.id // .number), person, seal}] | map(.person) == ["incho","jimucho","hosyu","jimucho-2"]'
is "$T/list" '(.envelopes[] | select(.person == "jimucho-2") | .drill != null and .seal == "0002")'
"$BKP" key envelope list >"$T/list"
! grep -q 'B-1 ' "$T/list" || fail "the lost envelope is not retired" "$T/list"
say "a key is lost: the new one opens old and new generations (stock age), the envelopes and the key drill are on the record"

# --- somebody leaves
before=$(newest)
drill 0 holder-leaves name=hosyu old_envelope=C-1 "root_key=$ROOT_KEY"
tail -n 1 "$T/out"
is "$D/drill.json" '.verdict == "passed"'
[ "$before" != "$(newest)" ] || die "no generation since"
period hosyu 1 hosyu && opens "$T/hosyu.p1" "$before" || die "what was stored before is not opened any more"
! opens "$T/hosyu.p1" "$(newest)" && [ ! -e "$R/keys/2/hosyu.age" ] || die "who left opens a new generation"
for who in incho jimucho jimucho-2; do
	! period hosyu 2 $who || die "who left opens the key of $who"
	period $who 2 $who && opens "$T/$who.p2" "$(newest)" || die "stock age: $who, who stays, does not open the new generation"
	age -d -i "$T/$who.p2" -o "$T/$who.p1" "$R/keys/2/previous.age" && opens "$T/$who.p1" "$before" || die "$who: the old ones"
done
minisign -V -q -P "$ROOT" -m "$R/keys/2/period-1.json" || die "minisign: the change"
in_journal 'map(select(.event == "keys")) | last | .period == 2 and .people == ["incho","jimucho","jimucho-2"]'
in_journal 'map(select(.event == "use" and .command == "key drill")) | last | .envelope == "A-1" and .person == {period: 2, name: "incho"}'
"$BKP" key envelope list >"$T/list"
! grep -q 'C-1 ' "$T/list" && grep -q 'A-1 .*0003' "$T/list" || fail "the envelopes" "$T/list"
say "somebody leaves: opens nothing of the next period, the rest open all (stock age); the envelope is retired, a key drill on the record"

# --- one is stolen
drill 0 key-stolen name=jimucho-2 old_envelope=B-2 seal=0004 "root_key=$ROOT_KEY"
tail -n 1 "$T/out"
is "$D/drill.json" '.verdict == "passed"'
for p in 1 2; do period jimucho-2 $p jimucho-2 || die "the test is no test"; done
for g in "$R"/datasets/docs/generations/*; do
	g=${g##*/}
	if opens "$T/jimucho-2.p1" "$g" || opens "$T/jimucho-2.p2" "$g"; then echo "${R##*/}/datasets/docs/generations/$g"; fi
done >"$T/thief"
[ "$(wc -l <"$T/thief")" = "$(($(ls "$R/datasets/docs/generations" | wc -l) - 1))" ] || fail "not all but the newest" "$T/thief"
cmp "$T/thief" "$T/usb/key-stolen/thief.txt" || fail "what the thief can open is listed otherwise" "$T/thief" "$T/usb/key-stolen/thief.txt"
for m in m1 m2; do grep -q ">$m<" "$T/usb/key-stolen/media.html" || die "$m is not on the page of media"; done
in_journal 'map(select(.event == "keys")) | last | .period == 3 and .renew == true and .people == ["incho","jimucho"]'
"$BKP" key list >"$T/list"
grep -q 'With keys of former periods open' "$T/list" || fail "what the note of the procedure tells to look for is not said" "$T/list"
for _ in 1 2 3 4 5 6; do night; done # the first was in the procedure
"$BKP" key list >"$T/list"
! grep -q 'With keys of former periods open' "$T/list" || fail "after seven runs it is still said" "$T/list"
grep -o 'archives/.*' "$R/datasets/docs/generations/$(newest)/SHA256SUMS" | while read -r a; do
	for p in 1 2; do ! age -d -i "$T/jimucho-2.p$p" -o /dev/null "$R/datasets/docs/$a" 2>/dev/null || echo "$a"; done
done >"$T/old"
[ ! -s "$T/old" ] || fail "after seven runs the thief opens a part of the newest generation" "$T/old"
period incho 3 incho && opens "$T/incho.p3" "$(newest)" || die "stock age: who stays"
say "a key is stolen: listed is what it opens and nothing else (stock age), and after seven runs it opens nothing of the newest generation"

# --- the root key is lost: a copy is found and taken
mkdir "$T/root2"
cp "$ROOT_KEY" "$T/root2/"
mv "$ROOT_KEY" "$T/lost.key" # what nobody has from here on
root_lost=("people=--recipient incho=$(r incho) --recipient jimucho=$(r jimucho)" "policy=$T/policy-2.yaml" "media=n1 n2"
	"new_root=$T/new_root")
AFTER=$T/n2
attest works policy init after overlap old
drill 2 root-key-lost "copy=$T/root2/root.key" "${root_lost[@]}" -- --attest "$T/yes.yaml"
is "$D/drill.json" '.steps[0] | .check.found == "写しあり" and .mark == "failed"'
is "$D/drill.json" '.steps[1:] | all(.mark == "not-done")'
minisign -G -W -f -p "$T/x.pub" -s "$T/root2/other.key" >/dev/null
drill 2 root-key-lost "copy=$T/root2/other.key" "${root_lost[@]}" -- --attest "$T/yes.yaml"
is "$D/drill.json" '.steps[0] | .check.found == "別の鍵の写し"'

# --- and there is none
mkdir "$T/n1" "$T/n2" "$T/new_root"
sed "s|^state: .*|state: $T/state-2|; s|name: m\([12]\), \(.*\)path: $T/m|name: n\1, \2path: $T/n|" "$T/policy.yaml" >"$T/policy-2.yaml"
drill 0 root-key-lost "copy=$T/none/root.key" "${root_lost[@]}"
tail -n 1 "$T/out"
is "$D/drill.json" '.verdict == "passed"'
old=$(jq -s 'length' "$J")
night
opens "$T/incho.p3" "$(newest)" && [ "$(jq -s 'length' "$J")" -gt "$old" ] || die "the former repository does not go on"
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/incho.txt" key remove jimucho --to "$T/less" >"$T/out" 2>&1 || fail "key remove"
minisign -S -s "$T/new_root/root.key" -m "$T/less/period.json" \
	-t "$(jq -r '"bkp:1 kind=period repository=\(.repository) period=\(.period) revision=\(.revision)"' "$T/less/period.json")" \
	>/dev/null
expect 2 "$BKP" key remove jimucho --from "$T/less" --operator 院長
said E-PERIOD-02
N=$(repo_of "$T/n2")
NEW=$(jq -r '.keys[0].public' "$N/repository.json")
minisign -V -q -P "$NEW" -m "$N/keys/1/period-1.json" || die "minisign: the new repository"
grep -q "$(echo "$NEW" | cut -c 1-4)" "$T/usb/root-key-lost/root.html" || die "the new root key's page"
for who in incho jimucho; do
	age -d -i "$T/$who.txt" -o "$T/$who.n1" "$N/keys/1/$who.age" &&
		age -d -i "$T/$who.n1" "$N/datasets/docs/generations/000001/root.age" | grep -q bkp-root ||
		die "stock age: the same identity of $who does not open the new repository"
done
"$RESTORE" --quiet --medium "$T/n1" --root-key "$NEW" --identity "$T/incho.txt" extract docs@1 --to "$T/back"
cmp "$T/src/a" "$T/back$T/src/a" || die "another tree"
say "the root key is lost: a copy is told from another key; without one the nights go on, people cannot be changed any more, and the same" \
	"identities open a new repository with a root key of its own"
