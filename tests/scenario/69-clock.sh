#!/bin/bash
# Goal: a clock that was moved is noticed by whoever works next, recorded, and, when it went forward, lets nothing expire until a
# person attests it; captures go on.  Three witnesses: the time since boot, the journal, the clock of network storage.
. "$(dirname "$0")/../lib/site.sh"
BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN}
. "$(dirname "$0")/../lib/nights.sh"
. "$(dirname "$0")/../lib/forge.sh"
at() { # WALL BOOT COMMAND...: seconds
	local wall=$1 boot=$2
	shift 2
	env "${FAKE_ENV[@]}" "FAKECLOCK=$wall" "FAKECLOCK_BOOT=$boot" "$@"
}
jumps() { grep -c '"event":"clock-jump"' "$T/state/journal/000001.jsonl" || true; }
warned() { grep -q W-CLOCK-01 "$T/err" || fail "$1: not told" "$T/err"; }
quiet() { [ ! -s "$T/err" ] || fail "$1: something was told" "$T/err"; }
keep() { thaw "$T/m1" "$T/m2"; rm -rf "$T/start"; mkdir "$T/start"; cp -a "$T/state" "$T/m1" "$T/m2" "$T/start/"; }
start() { thaw "$T/m1" "$T/m2"; rm -rf "$T/state" "$T/m1" "$T/m2"; cp -a "$T/start/." "$T/"; }
day=86400
mkdir -p "$T/src"
echo data >"$T/src/f"
minisign -G -W -p "$T/boss.pub" -s "$T/boss.key" >/dev/null
site_policy "  - {name: docs, paths: [$T/src]}"
ROOT_KEY=$T/root.key site_make 2>/dev/null
expect 0 "$BKP" run --quiet --all
keep

# ---- what is no jump: nine minutes, a day that passed, a computer that was off for six weeks
for off in 540 -540; do
	start
	expect 0 at $off 0 "$BKP" run --quiet --all
	quiet "$off seconds"
done
start
expect 0 at $day $day "$BKP" run --quiet --all
quiet "a day later"
FORGE_BOOT=11111111-2222-4333-8444-555555555555 forge outcome '{"command":"test","exit":0}'
expect 0 at $((44 * day)) 100 "$BKP" run --quiet --all
quiet "switched off for six weeks"
[ "$(jumps)" = 0 ] || die "a jump was recorded where there was none"
say "nine minutes, a day that passed, six weeks switched off are no jump"

# ---- since boot
start
expect 1 at 700 0 "$BKP" run --quiet --all
warned "set 700 s forward"
expect 1 "$BKP" clock show
expect 1 at -700 0 "$BKP" run --quiet --all # and back again
warned "set back"
[ "$(jumps)" = 2 ] || die "$(jumps) jumps recorded instead of 2"
expect 1 "$BKP" clock show # back again opens nothing
grep -qE '"event":"clock-jump","source":"monotonic","before":"[^"]*","after":"[^"]*","seconds":(699|7[0-9][0-9])' \
	"$T/state/journal/000001.jsonl" || die "not recorded as it is"
expect 1 at -700 0 "$BKP" run --quiet --all # captures go on; that nobody has attested it is said each morning
[ "$(jumps)" = 2 ] && grep -q "1 of 1 good, 1 warning: the clock jumped by 11 minutes" "$T/out" || fail "the night after"
expect 2 at -700 0 "$BKP" expire --operator Sato
grep -q E-EXPIRE-02 "$T/err" || die "expire does not say why"
expect 64 at -700 0 "$BKP" clock attest --operator Sato
# nobody has to sign here; what comes with a signature is not said to be signed when it is not
minisign -S -s "$T/root.key" -m "$T/policy.yaml" -x "$T/elsewhere.minisig" >/dev/null
expect 2 at -700 0 "$BKP" clock attest --operator Sato --reason "compared with the radio clock" --signature "$T/elsewhere.minisig"
expect 0 at -700 0 "$BKP" clock attest --operator Sato --reason "compared with the radio clock"
expect 0 "$BKP" clock show
expect 0 at -700 0 "$BKP" expire --operator Sato
expect 2 at -700 0 "$BKP" clock attest --operator Sato --reason "once more"
start
expect 1 at -$((3 * day)) 0 "$BKP" run --quiet --all
warned "set back three days"
expect 0 "$BKP" clock show
start
expect 2 at $((3000 * day)) 0 "$BKP" expire --operator Sato
warned "expire years later"
grep -q E-EXPIRE-02 "$T/err" || die "expire goes on"
say "against the time since boot: 700 s forward latch until attested, back is told and opens nothing; captures go on"

# ---- a command that does not watch the clock hides nothing from the next one that does
for c in "hold docs@1 --operator Sato --reason x" verify "schedule remove --root $T/host"; do
	start
	mkdir -p "$T/host/etc/cron.d" "$T/host/etc/systemd/system"
	# shellcheck disable=SC2086 # words
	expect 0 at $((400 * day)) 0 "$BKP" $c
	expect 2 at $((400 * day)) 0 "$BKP" expire --operator Sato
	warned "hidden by '$c'"
	grep -q E-EXPIRE-02 "$T/err" || die "hidden by '$c': expire goes on"
	[ "$(jumps)" = 1 ] || die "hidden by '$c': recorded $(jumps) times"
done
start
expect 0 at $((400 * day)) 0 "$BKP" verify
expect 1 at 100 100 "$BKP" run --quiet --all # and back again before anybody watched
expect 1 "$BKP" clock show
say "a jump forward that stands between records of commands that do not watch latches all the same"

# ---- a computer without a battery starts in 2000, until the time server answers
start
export FORGE_BOOT=11111111-2222-4333-8444-555555555555
forge outcome '{"command":"test","exit":0}'
unset FORGE_BOOT
expect 1 at $((-9000 * day)) 0 "$BKP" run --quiet --all
warned "started in 2000"
expect 0 at 100 100 "$BKP" run --quiet --all
quiet "set right by the time server"
expect 0 "$BKP" clock show
expect 1 at $((100 * day)) 100 "$BKP" run --quiet --all
expect 1 "$BKP" clock show
say "a clock that was wrong after a boot and is set right latches nothing; one that is set further does"

# ---- after a boot: against the journal
start
FORGE_BOOT=11111111-2222-4333-8444-555555555555 forge outcome '{"command":"test","exit":0}'
expect 1 at $((46 * day)) 100 "$BKP" run --quiet --all
warned "46 days later after a boot"
grep -q '"source":"journal"' "$T/state/journal/000001.jsonl" || die "another witness"
expect 1 "$BKP" clock show
start
sed 's/name: docs,/&, every: month,/; s/,,/,/' "$T/policy.yaml" >"$T/monthly.yaml"
FORGE_BOOT=11111111-2222-4333-8444-555555555555 forge outcome '{"command":"test","exit":0}'
BKP_POLICY=$T/monthly.yaml expect 0 at $((46 * day)) 100 "$BKP" run --quiet --all
start
FORGE_BOOT=11111111-2222-4333-8444-555555555555 forge outcome '{"command":"test","exit":0}'
expect 1 at -$day 100 "$BKP" run --quiet --all
warned "a day back after a boot"
expect 0 "$BKP" clock show
say "against the journal after a boot: 46 days are too many for a daily policy, not for a monthly one; back is told"

# ---- network storage has a clock of its own
start
expect 1 env FAKECLOCK_STORAGE=1 "${FAKE_ENV[@]}" FAKECLOCK=$((2 * day)) FAKECLOCK_BOOT=$((2 * day)) "$BKP" run --quiet --all
warned "two days ahead of the NAS"
grep -q '"source":"filesystem"' "$T/state/journal/000001.jsonl" || die "another witness"
n=$(jumps)
expect 1 env FAKECLOCK_STORAGE=1 "${FAKE_ENV[@]}" FAKECLOCK=$((2 * day)) FAKECLOCK_BOOT=$((2 * day)) "$BKP" run --quiet --all
[ "$(jumps)" = "$n" ] || die "the same difference is recorded every night"
start
expect 0 env FAKECLOCK_STORAGE=1 "${FAKE_ENV[@]}" FAKECLOCK=3600 FAKECLOCK_BOOT=3600 "$BKP" run --quiet --all
expect 0 at $((2 * day)) $((2 * day)) "$BKP" run --quiet --all # a local disk has no clock
for m in m1 m2; do [ -z "$(ls -A "$(repo_of "$T/$m")/tmp")" ] || die "a file was left"; done
say "against network storage: more than a day ahead of its clock latches; a local disk is not asked"

# ---- with an approver agreed, attesting needs a signature
start
sed -i "s|^datasets:|people: [{name: Sato, roles: [operator]}, {name: Boss, roles: [manager], public_key: $(tail -n 1 \
	"$T/boss.pub")}]\nretention: {expire_by: manager}\n&|" "$T/policy.yaml"
expect 0 "$BKP" agree --quiet --operator Boss --root-key "$T/root.key"
expect 1 at $((200 * day)) 0 "$BKP" run --quiet --all
later=("$((200 * day))" 0)
expect 2 at "${later[@]}" "$BKP" clock attest --operator Sato --reason "it is right"
grep -q E-CLOCK-02 "$T/err" || die "not told that it must be signed"
forge clock-attested '{"operator":"Sato","reason":"it is right"}'
status "$BKP" journal verify
[ "$STATUS" != 0 ] || die "a forged attestation is accepted"
sed -i '$d' "$T/state/journal/000001.jsonl"
minisign -S -s "$T/boss.key" -m "$T/policy.yaml" -x "$T/elsewhere.minisig" >/dev/null
forge clock-attested "$(python3 -c 'import json, sys
print(json.dumps({"operator": "Sato", "reason": "it is right", "approval": open(sys.argv[1]).read()}))' "$T/elsewhere.minisig")"
status "$BKP" journal verify
[ "$STATUS" != 0 ] || die "an attestation with the approver's signature of something else is accepted"
sed -i '$d' "$T/state/journal/000001.jsonl"
expect 0 at "${later[@]}" "$BKP" clock attest --operator Sato --reason "it is right" --statement-out "$T/statement"
minisign -S -s "$T/boss.key" -m "$T/statement" >/dev/null
expect 2 at "${later[@]}" "$BKP" clock attest --operator Sato --reason "another reason" --signature "$T/statement.minisig"
expect 0 at "${later[@]}" "$BKP" clock attest --operator Sato --reason "it is right" --signature "$T/statement.minisig"
expect 0 "$BKP" clock show
expect 0 "$BKP" journal verify
expect 1 at $((400 * day)) 0 "$BKP" run --quiet --all
warned "the next jump"
expect 2 at $((400 * day)) 0 "$BKP" clock attest --operator Sato --reason "it is right" --signature "$T/statement.minisig"
say "where an approver is agreed attesting needs a signature, for this jump and no other"
