#!/bin/bash
# Goal: a suspect generation is kept, marked, goes onto no disk that is kept offline and counts for nothing; the other data sets of its
# run count and go there, unless the policy stops every rotation until somebody accepts or holds it; canaries; a cache that is gone is
# said; what a run saw that reported no generation counts in the next one; the journal records who decided what.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
mkdir -p "$T/src/d" "$T/m1" "$T/RDX-01"
age-keygen -o "$T/id.txt" 2>/dev/null
sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	stop_while_suspect: true
	people:
	  - {name: 佐藤, roles: [operator]}
	  - {name: 鈴木, roles: [auditor]}
	datasets:
	  - name: docs
	    paths: [$T/src]
	    canaries: [$T/src/canary.txt]
	  - name: dump
	    command: cat $T/dump
	    store_as: emr.sql
	media:
	  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
	  - {name: RDX-01, type: rdx, offline: true, max_attached: 400d, path: $T/RDX-01, place: 金庫}
Y
touch "$T/src/MADE-FOR-TESTS"
echo "nobody changes this" >"$T/src/canary.txt"
python3 - "$T/src/d" "$T/dump" <<'P'
import random, sys
rnd = random.Random(66)
for i in range(200):
    open("%s/scan%03d.pdf" % (sys.argv[1], i), "wb").write(b"%PDF-1.4\n" + rnd.randbytes(3000))
open(sys.argv[2], "wb").write(b"PGDMP" + b"a table of contents " * 250)
P
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" --quiet medium add m1 2>/dev/null
"$BKP" --quiet medium add RDX-01 2>/dev/null
marks() { "$BKP" generations --json | python3 -c '
import json, sys
for g in json.load(sys.stdin)["generations"]:
    print("%s@%d" % (g["dataset"], g["generation"]), "suspect" if g["suspect"] else "-", "held" if g["held"] else "-",
          "accepted" if g["accepted"] else "-")'; }
records() { grep -c "\"event\":\"$1\"" "$T/state/journal/000001.jsonl" || true; }
night 0
night 0
expect 0 "$BKP" --quiet rotate --operator 佐藤
cp -a "$T/src" "$T/src.good"

# ---- bad input
decisions() { grep -vc '"event":"outcome"\|"event":"notified"' "$T/state/journal/000001.jsonl"; } # that somebody tried stands there
refused() { # CODE WORD COMMAND...
	local want=$1 word=$2 before
	before=$(decisions)
	shift 2
	expect "$want" "$BKP" "$@"
	grep -q -- "$word" "$T/err" || fail "$*: does not say '$word'" "$T/err"
	[ "$(decisions)" = "$before" ] || die "$*: refused and recorded"
}
refused 64 "takes 1 to" hold --operator 佐藤 --reason x
for g in two docs docs@0 0 docs@two @1 docs@ Docs@1 docs/x@1 18446744073709551617 docs@2026-13-01; do
	refused 64 E-SELECT-01 hold "$g" --operator 佐藤 --reason x
done
refused 64 E-SELECT-01 accept --operator 佐藤 --reason x -- -1
refused 64 E-SELECT-02 hold latest --operator 佐藤 --reason x
refused 64 "--operator" hold docs@1 --reason x
refused 64 "--reason" hold docs@1 --operator 佐藤
refused 64 "--reason" hold docs@1 --operator 佐藤 --reason ""
refused 64 "cannot be recorded" hold docs@1 --operator 佐藤 --reason "$(printf 'a\033[2J')"
refused 64 E-OPERATOR-01 hold docs@1 --operator 山田 --reason x
refused 64 E-OPERATOR-01 accept docs@1 --operator 鈴木 --reason x
refused 2 E-SELECT-03 hold docs@99 --operator 佐藤 --reason x
refused 2 E-SELECT-03 hold 99 --operator 佐藤 --reason x
refused 2 E-SELECT-03 hold other@1 --operator 佐藤 --reason x
for g in docs@1 1; do
	refused 2 E-HOLD-04 release $g --operator 佐藤
	refused 2 E-HOLD-06 accept $g --operator 佐藤 --reason x
done
expect 2 "$BKP" --json accept docs@1 --operator 佐藤 --reason x
python3 -c 'import json, sys
assert [d["error"] for d in json.load(open(sys.argv[1]))["decisions"]] == ["E-HOLD-06"]' "$T/out" || die "no JSON of a refusal"
say "hold, release, accept: 27 kinds of bad input are refused with a next action, and nothing is recorded"

# ---- encrypted: suspect, frozen, accepted
python3 "$SRC_ROOT/tests/lib/ransom.py" in-place "$T/src" >/dev/null
night 1
bad=docs@$G run=$G
grep -q '"suspect":"1 canary.*200 of 20[12] files look encrypted' "$T/json" || die "not said: $(cat "$T/json")"
marks | grep -q "^$bad suspect - -" || die "not marked: $(marks)"
marks | grep -q "^dump@$run - - -" || die "the other data set of that run is marked, too: $(marks)"
"$BKP" generations | grep -q "^$bad .*suspect" || die "bkp generations does not show it"
for d in docs dump; do
	python3 -c 'import json, sys; assert bool(json.load(open(sys.argv[1])).get("suspect")) == (sys.argv[2] == "docs")' \
		"$(set_of "$T/m1" $d)/generations/$(printf %06d "$run")/manifest.json" $d || die "the manifest of $d"
done
(cd "$T/RDX-01" && find . -type f -exec sha256sum {} +) | sort >"$T/before"
refused 2 E-GUARD-02 rotate --operator 佐藤
(cd "$T/RDX-01" && find . -type f -exec sha256sum {} +) | sort | cmp -s - "$T/before" || die "a refused rotation wrote to the disk"
# nor does a repair, not even the identity that it would need to open the disk
thaw "$T/RDX-01"
cp -p "$T/RDX-01/bkp-medium.json.minisig" "$T/identity.sig"
sed -i '2s/./A/20' "$T/RDX-01/bkp-medium.json.minisig"
! cmp -s "$T/identity.sig" "$T/RDX-01/bkp-medium.json.minisig" || die "the identity was not damaged: the test does not test"
damaged=$(sha256sum <"$T/RDX-01/bkp-medium.json.minisig")
refused 2 E-GUARD-02 repair RDX-01
[ "$(sha256sum <"$T/RDX-01/bkp-medium.json.minisig")" = "$damaged" ] || die "a refused repair wrote the disk's identity"
cp -p --remove-destination "$T/identity.sig" "$T/RDX-01/bkp-medium.json.minisig"
night 1 # nothing changed since, but the canary is still another
marks | grep -q "^docs@$G suspect" || die "a canary that is still wrong raises nothing"
second=docs@$G
grep -q "\"suspect\":\"1 canary.*it was suspect in generation ${bad#*@}, and nobody has accepted" "$T/json" ||
	die "what was harmed is forgotten the next night: $(cat "$T/json")"
expect 0 "$BKP" hold "$second" --operator 佐藤 --reason "暗号化された状態の証拠"
refused 2 E-GUARD-02 rotate --operator 佐藤 # the first one is still undecided
refused 2 E-HOLD-03 hold "$second" --operator 佐藤 --reason x
expect 0 "$BKP" --json hold "$bad" --operator 佐藤 --reason "証拠"
python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); d, = o["decisions"]
assert d["event"] == "held" and o["frozen_by"] is None and d["operator"] == "佐藤" and d["dataset"] == "docs", o' "$T/out" ||
	die "hold --json"
marks | grep -q "^$bad suspect held -" || die "not held: $(marks)"
expect 0 "$BKP" --quiet rotate --operator 佐藤
expect 0 "$BKP" release "$bad" --operator 佐藤
grep -q "nobody has decided" "$T/out" || die "release of a suspect one does not say that it freezes again"
refused 2 E-GUARD-02 rotate --operator 佐藤
# as it is typed from the screen
typed=$(env "${NIGHT_ENV[@]}" "$BKP" rotate --operator 佐藤 2>&1 | grep -o "bkp accept $bad --operator NAME --reason TEXT") ||
	die "the way out is not said"
read -ra words <<<"${typed/NAME/佐藤}"
words=("${words[@]:1}")
words[5]=訓練だった
expect 0 "$BKP" "${words[@]}"
grep '"event":"accepted"' "$T/state/journal/000001.jsonl" | grep -q '"terminal":false' ||
	die "a script's decision is recorded like a person's"
expect 0 "$BKP" journal show
grep -q "accepted  .*docs.*terminal=false" "$T/out" || die "journal show does not say that a script accepted it"
expect 0 "$BKP" accept "$second" --operator 佐藤 --reason "訓練だった"
refused 2 E-HOLD-05 accept "$bad" --operator 佐藤 --reason x
marks | grep -q "^$bad - - accepted" || die "not accepted: $(marks)"
expect 0 "$BKP" --quiet rotate --operator 佐藤
[ "$(records held) $(records released) $(records accepted)" = "2 1 2" ] ||
	die "the journal has $(records held) held, $(records released) released, $(records accepted) accepted"
grep -E '"event":"(held|released|accepted)"' "$T/state/journal/000001.jsonl" | grep -qv '"dataset":"docs"' &&
	die "a decision about docs was recorded of another data set"
grep '"event":"held"' "$T/state/journal/000001.jsonl" | head -n 1 | grep -q '"operator":"佐藤".*"reason":"暗号化' ||
	grep '"event":"held"' "$T/state/journal/000001.jsonl" | head -n 1 | grep -q '"reason":"暗号化' || die "who and why are not recorded"
"$BKP" journal verify >/dev/null || die "the journal does not verify"
say "a suspect generation is marked in journal, manifest and list; with stop_while_suspect bkp rotate refuses before it writes until" \
	"somebody accepts or holds each"

# ---- canaries: what was accepted is what they must be now
night 0
echo "somebody did" >>"$T/src/canary.txt"
night 1
grep -q '"suspect":"1 canary' "$T/json" || die "a changed canary is not said: $(cat "$T/json")"
expect 0 "$BKP" accept "docs@$G" --operator 佐藤 --reason "置き直した"
night 0
rm "$T/src/canary.txt"
night 1
grep -q '"suspect":"1 canary' "$T/json" || die "a canary that is gone is not said"
# while it is, the images of a hospital must not keep its EMR from going offline: what is not suspect goes
sed -i 's/^stop_while_suspect: .*/stop_while_suspect: false/' "$T/policy.yaml"
expect 1 "$BKP" rotate --operator 佐藤
said "W-ROTATE-03: 1 generations"
[ -e "$(set_of "$T/RDX-01" dump)/generations/$(printf %06d "$G")" ] || die "the other data set of that run did not go offline"
[ ! -e "$(set_of "$T/RDX-01" docs)/generations/$(printf %06d "$G")" ] || die "a suspect generation is on the disk that is kept offline"
expect 2 "$BKP" expire --operator 佐藤
said E-EXPIRE-01
"$BKP" --json status | python3 -c '
import json, sys
s = json.load(sys.stdin)
d = {d["dataset"]: d for d in s["datasets"]}
n = int(sys.argv[1])
assert s["frozen_by"] == {"dataset": "docs", "generation": n}, s["frozen_by"]
assert d["dump"]["newest"]["generation"] == n and d["docs"]["newest"]["generation"] < n, d' "$G" ||
	die "status: what of that run counts"
expect 0 "$BKP" accept "docs@$G" --operator 佐藤 --reason "不要"
expect 0 "$BKP" --quiet rotate --operator 佐藤
[ -e "$(set_of "$T/RDX-01" docs)/generations/$(printf %06d "$G")" ] || die "accepted, and it does not go"
sed -i 's/^stop_while_suspect: .*/stop_while_suspect: true/' "$T/policy.yaml"
night 1 # that it was false in between is told until a person accepts it
said_so=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["line"])' "$T/json")
case $said_so in *"less is captured or guarded"*stop_while_suspect*) ;; *) die "that less was guarded is not said: $said_so" ;; esac
policy_accept 佐藤 || die "the policy is not accepted"
night 0
say "without it what is not suspect of the same run counts and goes offline, what is suspect stays behind until it is accepted; nothing" \
	"expires meanwhile"
say "a canary that is changed or gone makes the generation suspect; accepted, it is what the canary must be from then on"

# ---- the dump is no dump any more
head -c 5000 /dev/urandom >"$T/dump"
night 1
grep -q '"dataset":"dump".*"suspect":"what its command gives' "$T/json" ||
	die "the dump lost its kind, and nothing is said: $(cat "$T/json")"
expect 0 "$BKP" accept "$G" --operator 佐藤 --reason "試験" # all of the run: docs has nothing to decide
said "docs@$G is neither suspect nor partial"

# ---- what is remembered is gone
rm "$T/state/cache/stat/docs.cache"
night 1
grep -q '"unguarded":"what is remembered' "$T/json" || die "the guard is blind and does not say so"
night 0
night 0 --anchor
grep -q '"unguarded"' "$T/json" && die "--anchor blinds the guard"
docs_record() { grep "\"dataset\":\"docs\",\"generation\":$G," "$T/state/journal/000001.jsonl" | grep '"committed"'; }
docs_record | grep -q '"measured":true,"before":201,"added":0,"changed":0,"deleted":0' ||
	die "--anchor: files were not compared: $(docs_record)"
say "a cache that is gone is said (exit 1, W-GUARD-01); --anchor compares all the same and finds nothing changed"

# ---- seen by a run that reported nothing: counts in the next one
rm -rf "$T/src"
cp -a "$T/src.good" "$T/src"
night 1
expect 0 "$BKP" accept "$G" --operator 佐藤 --reason "元に戻した"
night 0
rm -f "$T/encrypted.txt"
python3 "$SRC_ROOT/tests/lib/ransom.py" in-place "$T/src" --percent 50 >/dev/null
cp -a "$T/src.good/canary.txt" "$T/src/canary.txt"
thaw "$T/m1"
for d in docs dump; do # captured whole, and no medium takes the generations
	mv "$(set_of "$T/m1" $d)/generations" "$T/generations.$d"
	touch "$(set_of "$T/m1" $d)/generations"
done
night 2
for d in docs dump; do
	rm "$(set_of "$T/m1" $d)/generations"
	mv "$T/generations.$d" "$(set_of "$T/m1" $d)/generations"
done
night 1
grep -q '"suspect":"[0-9]* of 20[0-9] files look encrypted' "$T/json" || die "what a failed night had seen is lost: $(cat "$T/json")"
say "an attack in a night that reported no generation is raised by the next one"

# ---- attacks on the guard itself; without a canary, which would tell every time
expect 0 "$BKP" accept "$G" --operator 佐藤 --reason "試験"
sed -i '/canaries:/d' "$T/policy.yaml"
healed() { env "${NIGHT_ENV[@]}" "$BKP" run --json --all >"$T/json" 2>"$T/err" || [ $? = 1 ]; }
heal() { # the files come back, which is a mass change by itself
	rm -rf "$T/src" "$T/encrypted.txt"
	cp -a "$T/src.good" "$T/src"
	at_night healed
	undecided=$(marks | awk '$2 == "suspect" && $3 == "-" {print $1}')
	# shellcheck disable=SC2086 # several numbers
	[ -z "$undecided" ] || expect 0 "$BKP" accept $undecided --operator 佐藤 --reason "元に戻した"
	policy_accept 佐藤 || die "the policy is not accepted"
	night 0
}
heal
# overwritten with text, and held as bad, it does not become good by waiting
python3 "$SRC_ROOT/tests/lib/ransom.py" text "$T/src" >/dev/null
night 1
expect 0 "$BKP" hold "docs@$G" --operator 佐藤 --reason "改ざん"
for _ in 1 2; do
	night 1
	grep -q '"suspect":"[^"]*it was suspect in generation' "$T/json" ||
		die "harmed files count as good on the second night: $(cat "$T/json")"
done
"$BKP" --json status | python3 -c '
import json, sys
s = json.load(sys.stdin)
d = [d for d in s["datasets"] if d["dataset"] == "docs"][0]
run = int(sys.argv[1])
assert s["frozen_by"]["generation"] == run and d["newest"]["generation"] < run - 2, (s["frozen_by"], d["newest"])' "$G" ||
	die "status counts them"
refused 2 E-GUARD-02 rotate --operator 佐藤
# the data set leaves the policy under that name: it stays frozen, and status says by what
cp "$T/policy.yaml" "$T/policy.whole"
sed -i 's/- name: docs/- name: documents/' "$T/policy.yaml"
expect 2 "$BKP" status
tr -s ' \n' ' ' <"$T/out" | grep -q "is suspect, and the policy does not declare its data set any more" ||
	die "what freezes everything is not said: $(cat "$T/out")"
expect 2 "$BKP" rotate --operator 佐藤
grep -q E-GUARD-02 "$T/err" || die "another name thaws the rotation"
cp "$T/policy.whole" "$T/policy.yaml"
heal
say "what was harmed and held does not count on the nights after it, nor under another name, until the files are back and accepted"

# what is remembered is deleted in the night of the attack
python3 "$SRC_ROOT/tests/lib/ransom.py" in-place "$T/src" >/dev/null
rm -rf "$T/state/cache"
night 1
grep '"unguarded":"what is remembered' "$T/json" | grep -q '"suspect":"[^"]*\(look encrypted\|came to look\)' ||
	die "an attack that deletes the cache first goes unseen: $(cat "$T/json")"
heal
# it is forged: every byte of a kind is set to that of an unknown format
python3 "$SRC_ROOT/tests/lib/ransom.py" in-place "$T/src" --keep-times >/dev/null
head -c 4000 /dev/urandom | dd of="$T/state/cache/stat/docs.cache" bs=1 seek=300 conv=notrunc status=none
night 1
grep -q '"suspect":"[^"]*\(look encrypted\|came to look\)' "$T/json" || die "an attack that damages the cache goes unseen: $(cat "$T/json")"
heal
# the same with a dump
cp "$T/dump" "$T/dump.random"
python3 -c 'import sys; open(sys.argv[1], "wb").write(b"PGDMP" + b"a table of contents " * 250)' "$T/dump"
night 0
cp "$T/dump.random" "$T/dump"
rm -rf "$T/state/cache"
night 1
grep -q '"dataset":"dump".*"suspect":"what its command gives' "$T/json" ||
	die "a dump that is none any more, and no cache: $(cat "$T/json")"
expect 0 "$BKP" accept "$G" --operator 佐藤 --reason "試験"
night 0
# another name, to lose the history; the guard switched off
python3 "$SRC_ROOT/tests/lib/ransom.py" in-place "$T/src" >/dev/null
sed -i 's/- name: docs/- name: documents/' "$T/policy.yaml"
night 1
grep -q '"unguarded":"it is captured for the first time under this name, and 20[0-9] of its 20[0-9] files look encrypted"' "$T/json" ||
	die "encrypted files under a new name go unseen: $(cat "$T/json")"
cp "$T/policy.whole" "$T/policy.yaml"
sed -i 's/- name: docs/- {name: docs, guard: {enabled: false}, paths: [X]}/; s|, paths: \[X\]}|, paths: ['"$T/src"']}|; /^ *paths: \[/d' \
	"$T/policy.yaml"
night 1
grep -q '"unguarded":"the policy has switched its guard off' "$T/json" ||
	die "the guard is switched off and nobody is told: $(cat "$T/json")"
say "a cache that is deleted or damaged hides nothing that is encrypted in that night; a new name for encrypted files, and a guard that" \
	"is switched off, are said"
