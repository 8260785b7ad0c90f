#!/bin/bash
# Goal: nobody makes good generations expire by trickery: junk in numbers, junk under faked dates, a clock set forward, a policy that
# asks for less, the capture host's signing key without the approver's, forged records, a suspect generation.  After each
# attempt the good generations are where they were, and verify.
. "$(dirname "$0")/../lib/site.sh"
BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN}
. "$(dirname "$0")/../lib/nights.sh"
. "$(dirname "$0")/../lib/forge.sh"
. "$(dirname "$0")/../lib/expiry.sh"
GOOD="1 2 3 4"
good_ones() { # WHERE
	local g m
	for g in $GOOD; do for m in m1 m2; do
		"$RESTORE" --quiet --medium "$T/$m" verify "$g" >"$T/out" 2>&1 ||
			fail "$1: good generation $g on $m does not verify" "$T/out"
	done; done
	"$BKP" journal verify >/dev/null || die "$1: journal verify"
}
junk() { head -c 3000 /dev/urandom >"$T/src/patients"; } # what ransomware would leave of it
refused() { # WHAT TEXT: the journal is refused, and that stops everything
	status "$BKP" journal verify
	[ "$STATUS" != 0 ] || die "$1: the journal is accepted"
	grep -q "E-LEDGER-02" "$T/err" && grep -q "$2" "$T/err" || fail "$1: not told as such" "$T/err"
	status on_day 40 "$BKP" expire --operator Sato
	[ "$STATUS" = 2 ] || die "$1: expire exits $STATUS"
}

mkdir -p "$T/src"
minisign -G -W -p "$T/boss.pub" -s "$T/boss.key" >/dev/null
minisign -G -W -p "$T/thief.pub" -s "$T/thief.key" >/dev/null
# without the guard: what is shown here holds even where nothing looks suspect
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}, generations: 4, protect: 3d}"
ROOT_KEY=$T/root.key site_make 2>/dev/null
for d in 1 2 3 4; do
	echo "patient $d" >>"$T/src/patients"
	night_clock "FAKECLOCK=$((d * 86400))"
	night 0 docs
done
keep

# ---- junk in one night
for _ in 1 2 3 4 5 6; do junk; expect 0 on_day 5 "$BKP" run --quiet --all; done
expire 0 20 --operator Sato
expire 0 30 --operator Sato
GOOD="2 3 4" good_ones "junk in one night"
say "six junk generations of one night are one date: of the four dates that are kept three are of good ones, however long one waits"

# ---- a clock set forward, a night each
start
boot=$((4 * 86400))
STATUS=0
for year in 1 2 3 4 5 6; do
	junk
	status env "${FAKE_ENV[@]}" FAKECLOCK=$((4 * 86400 + year * 31536000)) FAKECLOCK_BOOT=$boot "$BKP" run --quiet --all
	[ "$STATUS" = 1 ] && grep -q W-CLOCK-01 "$T/err" || fail "a clock set a year forward: exit $STATUS" "$T/err"
done
status env "${FAKE_ENV[@]}" FAKECLOCK=$((4 * 86400 + 7 * 31536000)) FAKECLOCK_BOOT=$boot "$BKP" expire --operator Sato
[ "$STATUS" = 2 ] && grep -q E-EXPIRE-02 "$T/err" || fail "expire in 2033: exit $STATUS" "$T/err"
good_ones "clock set forward"
# back in the present, attested: what is dated in the future counts for nothing
expire 2 5 --operator Sato
expect 0 on_day 5 "$BKP" clock attest --operator Sato --reason "looked at my watch"
expire 0 5 --operator Sato
expire 0 30 --operator Sato
grep -q '"event":"expired"' "$T/state/journal/000001.jsonl" && die "something expired"
good_ones "clock set back again and attested"
say "junk under a clock set forward year by year: latched; attested later, what is dated in the future counts for nothing"

# ---- a clock set back: junk with other dates, all before the good ones
start
for back in 400 300 200 100 50 20; do
	junk
	status env "${FAKE_ENV[@]}" FAKECLOCK=$(((4 - back) * 86400)) FAKECLOCK_BOOT=$boot "$BKP" run --quiet --all
	[ "$STATUS" = 1 ] || fail "a clock set back: exit $STATUS" "$T/err"
done
status env "${FAKE_ENV[@]}" FAKECLOCK=$((40 * 86400)) FAKECLOCK_BOOT=$((40 * 86400)) "$BKP" expire --operator Sato
[ "$STATUS" = 2 ] && grep -q W-CLOCK-01 "$T/err" || die "that the clock came back is not told"
expect 1 "$BKP" clock show
expect 0 on_day 40 "$BKP" clock attest --operator Sato --reason "looked at my watch"
expect 0 "$BKP" clock show
expire 0 40 --operator Sato
good_ones "clock set back"
[ "$(python3 -c 'import json, sys
n = 0
for l in open(sys.argv[1]):
    r = json.loads(l)
    n += r["event"] == "expired" and r["generation"] <= 4
print(n)' "$T/state/journal/000001.jsonl")" = 0 ] || die "a good one expired"
say "junk under a clock that was set back is not newer than what it should push out"

# ---- a policy that asks for more, and is said to be approved
start
sed -i 's/generations: 4/generations: 5/' "$T/policy.yaml"
on_day 5 "$BKP" agree --quiet --statement-out "$T/more"
for key in thief root; do # the root key's of something else
	minisign -S -s "$T/$key.key" -m "$T/policy.yaml" -x "$T/more.minisig" >/dev/null
	expect 2 on_day 5 "$BKP" agree --operator Sato --statement "$T/more" --signature "$T/more.minisig"
	grep -qE "E-APPROVAL-02|E-SIG-03" "$T/err" || die "an agreement that nobody has signed: $(cat "$T/err")"
done

# ---- a policy that asks for less
start
sed -i 's/generations: 4, protect: 3d/generations: 1, protect: 1h/' "$T/policy.yaml"
junk
expect 0 on_day 5 "$BKP" run --quiet --all
junk
expect 0 on_day 6 "$BKP" run --quiet --all
expire 0 6 --dry-run
[ "$(python3 -c 'import json, sys; m1 = [m for m in json.load(open(sys.argv[1]))["media"] if m["medium"] == "m1"][0]
print([g["generation"] for g in m1["generations"] if g["goes"]])' "$T/json")" = "[1, 2]" ] ||
	die "the agreed floor is not 4: $(cat "$T/json")"
start
sed -i 's/generations: 4, protect: 3d/generations: 1, protect: 1h/' "$T/policy.yaml"
expire 0 20 --operator Sato
good_ones "policy of one generation"
sed -i 's/name: docs/name: other/' "$T/policy.yaml"
for d in 21 22 23; do
	expect 1 on_day $d "$BKP" run --quiet --all
	grep -q W-POLICY-01 "$T/err" || die "a data set that is gone is not said: $(cat "$T/err")"
done
expire 0 40 --operator Sato
good_ones "data set taken out of the policy"
on_day 40 "$BKP" --json agree >"$T/json"
grep -q '"policy_asks_for_less"' "$T/json" || die "agree does not tell"
# with any other key than the root's nothing is lowered
expect 2 on_day 40 "$BKP" agree --operator Sato --root-key "$T/thief.key"
grep -q E-AGREE-01 "$T/err" || die "not told that it is another key"
on_day 40 "$BKP" agree --quiet --statement-out "$T/less"
minisign -S -s "$T/thief.key" -m "$T/less" >/dev/null
expect 2 on_day 40 "$BKP" agree --operator Sato --statement "$T/less" --signature "$T/less.minisig"
good_ones "agreement with another key"
# the owner of the root key can, in two steps and with a stock signature, prehashed as it is by default
minisign -S -s "$T/root.key" -m "$T/less" >/dev/null
cp "$T/less.minisig" "$T/less.once"
expect 0 on_day 40 "$BKP" agree --operator Sato --statement "$T/less" --signature "$T/less.minisig"
expire 0 40 --dry-run
grep -q '"goes":true' "$T/json" || die "given up by the root key, and still nothing goes"
# but once only: raised again, the old signature is worth nothing
cp "$T/start/policy.yaml" "$T/policy.yaml"
expect 1 on_day 41 "$BKP" run --quiet --all # nobody has accepted it
sed -i 's/generations: 4, protect: 3d/generations: 1, protect: 1h/; s/name: docs/name: other/' "$T/policy.yaml"
expect 2 on_day 41 "$BKP" agree --operator Sato --statement "$T/less" --signature "$T/less.once"
say "a policy that asks for less, or leaves the data set out, changes nothing until the root key has signed; that signature holds once"

# ---- records forged with the signing key
start
repository=$(basename "$(repo_of "$T/m1")")
forge agreed '{"datasets":[{"name":"docs","generations":1,"protect_s":0,"daily":0,"weekly":0,"monthly":0,"yearly":0}],"approvers":[]}'
refused "a forged agreement" "root key"
good_ones_media() { for g in 1 2 3 4; do "$RESTORE" --quiet --medium "$T/m1" verify $g >/dev/null || die "$1"; done; }
good_ones_media "forged agreement"
start
forge agreed '{"datasets":[],"approvers":[]}'
refused "a forged agreement to nothing" "root key"
# well-formed, by the right key, of something else
minisign -S -s "$T/root.key" -m "$T/policy.yaml" -x "$T/elsewhere.minisig" >/dev/null
start
forge agreed "$(python3 -c 'import json, sys; print(json.dumps({"datasets": [], "approvers": [], "approval": open(sys.argv[1]).read()}))' \
	"$T/elsewhere.minisig")"
refused "an agreement with the root key's signature of something else" "root key"
start
forge expired "{\"dataset\":\"docs\",\"generation\":2,\"medium\":\"$(uuid_of m1)\",\"files\":0,\"bytes\":0}"
refused "a forged expiry" "fewer newer generations"
good_ones_media "forged expiry"
start
forge_committed 9 "$repository" 1 ""
status "$BKP" journal verify
[ "$STATUS" != 0 ] || die "a generation that was never begun is accepted"
for members in "$FORGED_DOCS" \
	'{"dataset":"other","verdict":"good","entries":1,"files":1,"bytes":1,"unreadable":0,"changed":0,"skipped":0}'; do
	start
	u=$(python3 -c 'import uuid; print(uuid.uuid4())')
	forge begin "{\"run\":9,\"uuid\":\"$u\",\"datasets\":[\"more\"]}"
	forge_committed 9 "$u" 99 "$members"
	status "$BKP" journal verify
	[ "$STATUS" != 0 ] || die "a generation of a data set that its run did not begin is accepted: $members"
done
start
u=$(python3 -c 'import uuid; print(uuid.uuid4())')
for g in 5 6 7 8; do
	FORGE_TIME=$(date -u -d "$g days" +%Y-%m-%dT%H:%M:%SZ)
	export FORGE_TIME
	forge begin "{\"run\":$g,\"uuid\":\"$u\",\"datasets\":[\"docs\"]}"
	forge_committed $g "$u" 99 "$FORGED_DOCS" m1
	forge verified "{\"medium\":\"$(uuid_of m1)\",\"generations\":[{\"dataset\":\"docs\",\"generation\":$g,\"files\":1,\"bytes\":1}]}"
done
unset FORGE_TIME
expect 0 "$BKP" journal verify # nothing in it contradicts itself
expire 1 30 --dry-run
grep -q E-EXPIRE-08 "$T/json" || die "what is not there counts: $(cat "$T/json")"
status on_day 30 "$BKP" expire --operator Sato
good_ones "forged generations that nobody captured"
say "records forged with the host's own signing key are refused: a lower agreement, an expiry below the floor; generations that stand in" \
	"the journal alone count for nothing"

# ---- another role approves
start
sed -i "s|^datasets:|people: [{name: Sato, roles: [operator]}, {name: Boss, roles: [manager], public_key: $(tail -n 1 \
	"$T/boss.pub")}]\nretention: {expire_by: manager}\n&|" "$T/policy.yaml"
# the first approver is named by the root key alone: not by who may write the policy and has the key of the night
expect 0 on_day 5 "$BKP" run --quiet --all
on_day 5 "$BKP" --json agree | grep -q '"approvers":\[\]' || die "the policy alone names an approver"
expire 2 20 --operator Sato
grep -q E-EXPIRE-10 "$T/json" || die "expired although nobody is agreed: $(cat "$T/json")"
expect 2 on_day 5 "$BKP" agree --operator Boss --root-key "$T/thief.key"
expect 0 on_day 5 "$BKP" agree --quiet --operator Boss --root-key "$T/root.key"
for d in 6 7 8; do echo "day $d" >>"$T/src/patients"; expect 0 on_day $d "$BKP" run --quiet --all; done
keep
expire 2 20 --operator Sato
grep -q E-EXPIRE-03 "$T/json" || die "not told that an approver is missing"
grep -q '"event":"expired"' "$T/state/journal/000001.jsonl" && die "it expired without the approver"
for key in thief root; do
	rm -f "$T/plan" "$T/plan.minisig"
	expire 0 20 --plan-out "$T/plan"
	minisign -S -s "$T/$key.key" -m "$T/plan" >/dev/null
	expire 2 20 --plan "$T/plan" --signature "$T/plan.minisig" --operator Sato
	grep -q E-APPROVAL-02 "$T/json" || die "the $key key approves"
done
# a plan that an approver signed for a journal of that length, and it is not this one
expire 0 20 --plan-out "$T/elsewhere"
sed -i 's/^\(head [0-9]* \)..../\10000/' "$T/elsewhere"
minisign -S -s "$T/boss.key" -m "$T/elsewhere" >/dev/null
for n in 0 1; do # records that stand behind the one that it names
	expire 2 20 --plan "$T/elsewhere" --signature "$T/elsewhere.minisig" --operator Sato
	grep -q E-EXPIRE-04 "$T/json" || die "a plan for another journal is accepted, $n records later: $(cat "$T/json")"
done
# a policy that names nobody, or the thief, changes nothing
sed 's/retention: {expire_by: manager}//' "$T/policy.yaml" >"$T/other.yaml"
BKP_POLICY=$T/other.yaml expire 2 20 --operator Sato
sed "s|$(tail -n 1 "$T/boss.pub")|$(tail -n 1 "$T/thief.pub")|" "$T/policy.yaml" >"$T/other.yaml"
minisign -S -s "$T/thief.key" -m "$T/plan" >/dev/null
BKP_POLICY=$T/other.yaml expire 2 20 --plan "$T/plan" --signature "$T/plan.minisig" --operator Sato
sed "s|^people: \[|&{name: Eve, roles: [manager], public_key: $(tail -n 1 "$T/thief.pub")}, |" "$T/policy.yaml" >"$T/other.yaml"
BKP_POLICY=$T/other.yaml expire 2 20 --plan "$T/plan" --signature "$T/plan.minisig" --operator Sato
start
forge expired "{\"dataset\":\"docs\",\"generation\":1,\"medium\":\"$(uuid_of m1)\",\"files\":0,\"bytes\":0}"
refused "a forged expiry without the approver" "no approver"
start
forge expiry-approved "{\"plan\":\"bkp:1 kind=expiry\\n\",\"signature\":\"x\",\"approver\":\"$(tail -n 1 "$T/boss.pub")\"}"
refused "a forged approval" "not signed by its approver"
start
rm -f "$T/plan"
expire 0 20 --plan-out "$T/plan"
minisign -S -s "$T/boss.key" -m "$T/policy.yaml" -x "$T/elsewhere.minisig" >/dev/null
forge expiry-approved "$(python3 -c 'import json, sys; print(json.dumps({"plan": open(sys.argv[1]).read(),
	"signature": open(sys.argv[2]).read(), "approver": sys.argv[3]}))' "$T/plan" "$T/elsewhere.minisig" "$(tail -n 1 "$T/boss.pub")")"
refused "an approval with the approver's signature of something else" "not signed by its approver"
start
# a plan that was changed behind the approver's back; then the real thing
rm -f "$T/plan" "$T/plan.minisig"
expire 0 20 --plan-out "$T/plan"
minisign -S -s "$T/boss.key" -m "$T/plan" >/dev/null
sed 's/^generation docs@4 .*//' "$T/plan" >"$T/plan.changed"
! cmp -s "$T/plan" "$T/plan.changed" || fail "the plan does not name docs@4: the test does not test" "$T/plan"
expire 2 20 --plan "$T/plan.changed" --signature "$T/plan.minisig" --operator Sato
grep -q E-SIG-03 "$T/json" || die "a changed plan is not told"
expire 2 80 --plan "$T/plan" --signature "$T/plan.minisig" --operator Sato
grep -q E-EXPIRE-04 "$T/json" || die "an old plan is not told"
expire 0 20 --plan "$T/plan" --signature "$T/plan.minisig" --operator Sato
[ "$(grep -c '"event":"expired"' "$T/state/journal/000001.jsonl")" = 8 ] || die "the approved plan was not carried out: $(cat "$T/json")"
expect 0 "$BKP" journal verify
# what the auditor does with the record, without bkp
python3 -c 'import json, sys
for l in open(sys.argv[1]):
    r = json.loads(l)
    if r["event"] == "expiry-approved":
        open(sys.argv[2], "w").write(r["plan"])
        open(sys.argv[2] + ".minisig", "w").write(r["signature"])' "$T/state/journal/000001.jsonl" "$T/audit"
minisign -V -q -p "$T/boss.pub" -m "$T/audit" || die "the recorded plan does not verify with stock minisign"
reported_verify "approved expiry"
say "where the agreement names a role nothing expires without its signature, whatever the policy says and whoever has the host's keys;" \
	"the plan and its signature stand in the journal"

# ---- a suspect generation
start
sed -i 's/retention: {expire_by: manager}//' "$T/policy.yaml"
u=$(python3 -c 'import uuid; print(uuid.uuid4())')
forge begin "{\"run\":9,\"uuid\":\"$u\",\"datasets\":[\"docs\"]}"
forge_committed 9 "$u" 1 "${FORGED_DOCS%\}},\"guard\":{\"measured\":true,\"suspect\":true,\"why\":\"test\"}}"
expire 2 20 --operator Sato
grep -q E-EXPIRE-01 "$T/json" || die "not frozen: $(cat "$T/json")"
expire 1 20 --dry-run
grep -q '"frozen_by":{"dataset":"docs","generation":9}' "$T/json" && ! grep -q '"goes":true' "$T/json" || die "frozen, and something goes"
forge expired "{\"dataset\":\"docs\",\"generation\":1,\"medium\":\"$(uuid_of m1)\",\"files\":0,\"bytes\":0}"
refused "a forged expiry while frozen" "suspect"
say "while a generation is suspect nothing expires anywhere, and the journal refuses a record that says so"
