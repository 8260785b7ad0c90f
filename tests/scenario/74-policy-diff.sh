#!/bin/bash
# Goal: every policy that a changing command was run with is on record: its hash in the signed journal, its text in the state
# folder, told by stock sha256sum; and 'bkp check --diff' says what a change means before it happens: keys, what becomes due,
# what is kept at least, 3-2-1.
. "$(dirname "$0")/../lib/site.sh"
# folders on one disk are one copy: here each is taken for a disk of its own
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-diff.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
export TZ=Asia/Tokyo
. "$(dirname "$0")/../lib/fakeclock.sh"
mkdir -p "$T/src" "$T/other" "$T/m1" "$T/m2"
echo 診療録 >"$T/src/a"
echo 1 >"$T/other/b"
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
schedule: {at: "02:00"}
datasets:
  - {name: docs, paths: [$T/src], generations: 5, keep: {daily: 7}}
media:
  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
  - {name: m2, type: ssd, path: $T/m2, place: 別室}
Y
# events NAME: the journal's records of that event, one a line
events() { python3 - "$T/state/journal/000001.jsonl" "$1" <<'P'
import json, sys
for l in open(sys.argv[1]):
    o = json.loads(l)
    if o["event"] == sys.argv[2]:
        print(json.dumps(o, ensure_ascii=False))
P
}
# diff CODE PYTHON [ARGUMENT...]: bkp check --diff --json exits so, and the expression holds of the object d
diff() {
	local code=$1 expression=$2
	shift 2
	status env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "2026-12-02 10:00:00")" "$BKP" check --diff --json "$@"
	[ "$STATUS" = "$code" ] || fail "check --diff exits $STATUS, expected $code"
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
def change(k): return [(c["kind"], c["from"], c["to"]) for c in d["changes"] if c["key"] == k]
assert eval(sys.argv[2].replace("\n", " ")), d' "$T/out" "$expression" || die "$expression"
}

# ---- without a repository two files can be compared
cp "$T/policy.yaml" "$T/other.yaml"
diff 0 'd["same"]' --against "$T/other.yaml"
expect 3 "$BKP" check --diff
grep -q E-RECORD-02 "$T/err" || die "nothing on record is not said"

# ---- the record
fakedisk hdd "$T/m1"; fakedisk ssd "$T/m2"
kept=${ASAN_OPTIONS-}
export "${FAKE_ENV[@]}" FAKEDISK
site_make 2>/dev/null
unset LD_PRELOAD FAKEDISK; export ASAN_OPTIONS=$kept
first=$(sha256sum <"$T/policy.yaml" | cut -d' ' -f1)
[ "$(events policy | wc -l)" = 1 ] || die "one policy, $(events policy | wc -l) records"
events policy | grep -q "\"sha256\": \"$first\"" || die "the record does not name the policy's hash"
cmp "$T/policy.yaml" "$T/state/policies/$first.yaml" || die "the text on record is another"
[ "$(stat -c %a "$T/state/policies/$first.yaml" "$T/state/policies" | tr '\n' ' ')" = "600 700 " ] || die "others can read it"
env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "2026-12-02 02:00:00")" "$BKP" run --quiet || die "run"
[ "$(events policy | wc -l)" = 1 ] || die "an unchanged policy was recorded again"
diff 0 'd["same"] and d["changes"] == [] and d["due"] == []'
printf '# a remark\n' >>"$T/policy.yaml"
sed -i 's/generations: 5/every: day, generations: 5/' "$T/policy.yaml"
diff 0 'd["same"]'
say "the policy is on record once, by stock sha256sum, closed to others; remarks and defaults written out are no change"

# ---- what a change means
cp "$T/policy.yaml" "$T/good.yaml"
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
schedule: {at: "02:00"}
datasets:
  - {name: docs, paths: [$T/src, $T/other], generations: 1, protect: 1d, at: "09:00", keep: {daily: 7}}
  - {name: more, paths: [$T/other]}
media:
  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
Y
diff 1 'change("datasets/docs/generations") == [("changed", "5", "1")] and change("datasets/more") == [("added", None, None)]
	and change("media/m2") == [("removed", None, None)] and change("datasets/docs/paths") == [("added", None, "'"$T"'/other")]'
diff 1 'sorted((f["key"], f["from"], f["to"], f["agreed"]) for f in d["floors"])
	== [("generations", 5, 1, True), ("protect", 1209600, 86400, True)]'
diff 1 '[(x["dataset"], x["before"] and x["before"]["due"], x["after"]["due"], x["after"]["next"]) for x in d["due"]]
	== [("docs", False, True, "2026-12-03T00:00:00Z"), ("more", None, True, "2026-12-02T17:00:00Z")]'
diff 1 '("docs", "three", "met", "attention") in [(s["dataset"], s["rule"], s["before"], s["after"]) for s in d["standing"]]'
expect 1 env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "2026-12-02 10:00:00")" "$BKP" check --diff
for said in 'datasets/docs/generations: 5 -> 1' 'docs *due 2026-12-03 02:00 *due now, then 2026-12-03 09:00' \
	'docs: protect: 14 days -> 24 h' \
	'docs: 3 copies: met -> attention' 'docs: generations: 5 -> 1: agreed stays 5: only the root key'; do
	grep -q "$said" "$T/out" || fail "'$said' is not said" "$T/out"
done
[ "$(events policy | wc -l)" = 1 ] || die "check changed the journal"
say "a change is told before it happens: keys, what becomes due and when, lowered floors, 3-2-1; exit 1, nothing is written"

# ---- back to the first one, then the new one for good
diff 1 'change("datasets/docs/generations") == [("changed", "5", "1")]' --against "$T/good.yaml"
"$BKP" run --quiet more || die "run more"
events policy | tail -n 1 | grep -q 'datasets/docs/generations: 5 -> 1' || die "the record does not say what changed"
! events policy | grep -q "$T/other" || die "a path stands in the journal"
"$BKP" journal show | grep -q 'changes=\[.*datasets/docs/generations: 5 -> 1; ' || die "journal show does not say what changed"
"$BKP" journal export --format csv | grep '"policy"' | tail -n 1 | grep -q 'changed: .*datasets/docs/generations: 5 -> 1' ||
	die "the export does not say what changed"
diff 0 'd["same"]'
cp "$T/good.yaml" "$T/policy.yaml"
diff 1 'change("datasets/more") == [("removed", None, None)] and d["due"][-1]["after"] is None'
say "the journal says in which keys policies differ, but no paths and no commands"

# ---- a text on record that is not what was recorded
sha=$(sha256sum <"$T/good.yaml" | cut -d' ' -f1)
last=$(events policy | tail -n 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["sha256"])')
sed -i 's/generations: 1/generations: 9/' "$T/state/policies/$last.yaml"
expect 3 "$BKP" check --diff
grep -q E-RECORD-01 "$T/err" || fail "a forged text is believed" "$T/err"
rm "$T/state/policies/$last.yaml"
expect 3 "$BKP" check --diff
grep -q E-RECORD-01 "$T/err" || die "a missing text is not said"
"$BKP" run --quiet --all >"$T/out" 2>&1 && die "a former text that is gone is passed over"
grep -q W-POLICY-01 "$T/out" || die "a former text that is gone is not said"
policy_accept || die "the policy is not accepted"
"$BKP" run --quiet --all || die "run with the old policy again"
[ -s "$T/state/policies/$sha.yaml" ] || die "the policy was not recorded"
diff 0 'd["same"]'
"$BKP" journal verify >/dev/null || die "the journal does not verify"
expect 64 "$BKP" check --against "$T/good.yaml"
expect 64 "$BKP" check --diff --against "$T/none.yaml"
say "a text on record that was changed or is gone is refused; the next change sets it right"

# ---- what could expire, before and after: six nights, looked at in January
mkdir -p "$T/m3"
sed "s|$T/state|$T/state2|; s|generations: 5, keep: {daily: 7}|generations: 2|; /name: m[12]/d" "$T/good.yaml" >"$T/policy.yaml"
echo "  - {name: m3, type: hdd, path: $T/m3}" >>"$T/policy.yaml"
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
env "${FAKE_ENV[@]}" "$BKP" medium add m3 >/dev/null 2>&1
for day in 02 03 04 05 06 07; do
	env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "2026-12-$day 02:00:00")" "$BKP" run --quiet || die "the night of $day"
done
cp "$T/policy.yaml" "$T/two.yaml"
sed -i 's/generations: 2/generations: 5/' "$T/policy.yaml"
until_then() { echo $(($(date -d "2027-01-10 10:00" +%s) - $(date +%s))); }
diff 1 'd["expiry"] == [{"medium": "m3", "dataset": "docs", "generation": n, "may_go": False} for n in (2, 3, 4)] and d["floors"] == []'
cp "$T/two.yaml" "$T/policy.yaml"
sed -i 's/generations: 2/generations: 1/' "$T/policy.yaml"
diff 1 'd["expiry"] == [] and d["floors"] == [{"dataset": "docs", "key": "generations", "from": 2, "to": 1, "agreed": True}]'
say "generations that an expiry could take, and no longer could, are told; what was agreed keeps them whatever the policy says"
