#!/bin/bash
# Goal: what is shown to programs and auditors is what is there: --json of check, medium list, bkp-restore generations and procedure check;
# one generation that is verified, and those that share its damage; timings; an init that fails takes back the keys it wrote.
# (What tests/coverage.sh found that no test had ever asked for.  6 s CPU, for those that 23-threads takes less.)
. "$(dirname "$0")/../lib/site.sh"
site_policy "  - {name: docs, title: 文書, paths: [$T/src], exclude: ['*.tmp']}
	  - {name: hourly, command: 'echo dump', store_as: h.dump, every: 6h}"
site_make
json() { # CONDITION: of what was printed, as o
	python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); assert eval(sys.argv[2]), (sys.argv[2], o)' "$T/out" "$1" ||
		die "$1"
}
expect 0 "$BKP" check --json
json "o['valid'] and [d['name'] for d in o['datasets']] == ['docs', 'hourly'] and o['datasets'][0]['paths'] == ['$T/src']"
json "o['datasets'][1]['every'] == '6h' and o['datasets'][1]['command'] == 'echo dump'"
cp "$T/policy.yaml" "$T/bad.yaml"; sed -i 's/type: hdd/type: floppy/' "$T/bad.yaml"
expect 64 "$BKP" check --json --policy "$T/bad.yaml"
json "not o['valid'] and o['problems'][0]['line'] == $(grep -n floppy "$T/bad.yaml" | cut -d: -f1)"
expect 0 "$BKP" medium list --json
json "sorted(m['label'] for m in o['media']) == ['m1', 'm2']"
json "{m['medium'] for m in o['media']} == {json.load(open('$T/%s/bkp-medium.json' % m))['medium'] for m in ('m1', 'm2')}"
say "the plan, its faults with their line, and the media as JSON"

head -c 300000 /dev/urandom >"$T/src/large"
expect 0 "$BKP" run --all --timings
grep -q '^the run ' "$T/err" && grep -q '^ *encrypt, hash, write .* 0\.3$' "$T/err" || die "timings: $(cat "$T/err")"
echo more >"$T/src/more"
expect 0 "$BKP" run --all
expect 0 "$RESTORE" --medium "$T/m1" --json generations
json "[(g['dataset'], g['generation']) for g in o['generations']] == [(d, n) for d in ('docs', 'hourly') for n in (1, 2)]"
json "all(g['verdict'] == 'good' and g['state'] == 'complete' for g in o['generations'])"
json "o['generations'][1]['title'] == '文書' and o['generations'][1]['files'] == 2"
expect 64 "$BKP" verify 2nix
expect 0 "$BKP" verify docs@2 --medium m1
thaw "$T/m1"
shared=$(cd "$(set_of "$T/m1")" && cat generations/*/SHA256SUMS | grep -o 'archives/.*' | sort | uniq -d | xargs ls -S | head -n 1)
[ "$shared" ] || die "the two generations share no archive"
printf XXXX | dd of="$(set_of "$T/m1")/$shared" bs=1 seek=100000 conv=notrunc status=none
expect 2 "$BKP" verify docs@2 --medium m1
grep -q 'docs@1: DAMAGED' "$T/out" || die "that docs@1 rests on the same file is not said: $(cat "$T/out")"
[ "$(grep '"event":"verify-failed"' "$T/state/journal/000001.jsonl" |
	grep -o '"dataset":"docs","generation":[12],' | sort -u | wc -l)" = 2 ] ||
	die "it is not recorded of both"
"$BKP" --lang en journal export --format csv | grep -c 'verify-failed.*was found damaged' | grep -qx 2 ||
	die "an auditor does not read of it: $("$BKP" --lang en journal export --format csv | grep verify-failed)"
expect 0 "$BKP" repair m1
expect 0 "$BKP" verify
say "a generation alone is verified, those that share its damage are marked with it"

expect 0 "$RESTORE" --json procedure check "$SRC_ROOT/policies/demo/procedure.md"
json "o['valid'] and len(o['steps']) > 2 and o['minutes'] > 0"
sed 's/^id: /idd: /' "$SRC_ROOT/policies/demo/procedure.md" >"$T/bad.md"
expect 64 "$RESTORE" --json procedure check "$T/bad.md"
json "not o['valid'] and $(grep -n '^idd:' "$T/bad.md" | cut -d: -f1) in [p['line'] for p in o['problems']]"
say "what a procedure says, and what is wrong in it, as JSON"

mkdir "$T/tiny" "$T/keys"
mount -t tmpfs -o size=64k,nr_inodes=6 tmpfs "$T/tiny"
sed "s|^state: .*|state: $T/tiny/state|" "$T/policy.yaml" >"$T/tiny.yaml"
expect 2 "$BKP" init --policy "$T/tiny.yaml" --recipient "$(age-keygen -y "$T/id.txt")" --identity-out "$T/keys/id" \
	--plain --root-key-out "$T/keys/root"
[ -z "$(ls "$T/keys")" ] || die "keys of a repository that never came to be are left: $(ls "$T/keys")"
umount "$T/tiny"
expect 0 "$BKP" init --policy "$T/tiny.yaml" --recipient "$(age-keygen -y "$T/id.txt")" --identity-out "$T/keys/id" \
	--plain --root-key-out "$T/keys/root"
say "an init that fails takes back the keys it wrote, and can be given again"
