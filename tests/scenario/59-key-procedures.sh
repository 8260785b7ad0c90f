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
for e in A-1:incho B-1:jimucho; do
	"$BKP" --quiet key envelope add ${e%:*} --person ${e#*:} --seal 0001 --place 金庫 --holder 事務長 --operator 院長
done
night() { date +%N >"$T/src/b"; "$BKP" --quiet run --all; }
night
R=$(repo_of "$T/m2")
n=0
drill() { # EXIT PROCEDURE SETTING... [-- OPTION...]: from the medium as it was carried away before
	local want=$1 p=$2 sets=(--set "root=$ROOT" --set "identity=$T/incho/identity.age" --set "usb=$T/usb/$2" --set "after=$T/m2")
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
	expect "$want" "${PLAY[@]}" "$RESTORE" --lang ja --medium "$T/shelf" --identity "$T/incho/identity.age" --passphrase-file "$T/pass" \
		drill "$PROC/$p.md" --to "$D" --operator 院長 "${sets[@]}" "$@"
}
is() { jq -e "$2" "$1" >/dev/null || fail "not so: $2" "$1" "$T/out"; }
in_journal() { jq -se "$1" "$J" >/dev/null || fail "the record: $1" "$J"; }
newest() { ls "$R/datasets/docs/generations" | tail -n 1; }
opens() { age -d -i "$1" "$R/datasets/docs/generations/$2/root.age" 2>/dev/null | grep -q bkp-root; }
period() { age -d -i "$T/$1.txt" -o "$T/$1.p$2" "$R/keys/$2/$3.age" 2>/dev/null; } # PERSON PERIOD FILE

# --- who says yes to all and does nothing fails where the first thing is looked at
for s in make add host after drill record 1 remove handover facts media; do
	echo "  - {step: $s, answer: はい}"
done >"$T/all"
attest() { { printf 'by: 院長\nanswers:\n'; for s in "$@"; do grep "step: $s," "$T/all"; done; } >"$T/yes.yaml"; }
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
is "$T/list" '[.envelopes[] | {id: (.id // .number), person, seal}] | map(.person) == ["incho","jimucho","jimucho-2"]'
is "$T/list" '(.envelopes[] | select(.person == "jimucho-2") | .drill != null and .seal == "0002")'
"$BKP" key envelope list >"$T/list"
! grep -q 'B-1 ' "$T/list" || fail "the lost envelope is not retired" "$T/list"
say "a key is lost: the new one opens old and new generations (stock age), the envelopes and the key drill are on the record"

# --- somebody leaves
before=$(newest)
drill 0 holder-leaves name=hosyu old_envelope=none "root_key=$ROOT_KEY" || true
tail -n 1 "$T/out"
