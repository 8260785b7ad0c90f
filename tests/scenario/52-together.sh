#!/bin/bash
# Goal: data sets that are captured together: one behind the other, as urgent as the most urgent of them; when one fails none of that
# run counts, and the next run captures both; neither expires while the other stays; onto a disk with room for one only neither goes; who
# restores one of them alone is told.
. "$(dirname "$0")/../lib/site.sh"
site_policy "  - {name: emr, paths: [$T/emr], priority: 3, together: [documents]}
  - {name: alone, paths: [$T/alone], priority: 2}
  - {name: documents, command: cat $T/documents, store_as: d, priority: 1}"
mkdir "$T/emr" "$T/alone"
site_make
night() { # CODE ARGUMENT...
	date +%N | tee "$T/emr/a" "$T/alone/a" >"$T/documents"
	expect "$1" "$BKP" run "${@:2}"
}
night 0 --all
[ "$(record begin | jq -c '[.datasets, .together]')" = '[["emr","documents","alone"],[["emr","documents"]]]' ] ||
	die "not captured together: $(record begin)"
jq -e '.together == ["documents"]' "$(set_of "$T/m1" emr)/generations/000001/manifest.json" >/dev/null || die "the manifest does not say it"
jq -e 'has("together") | not' "$(set_of "$T/m1" alone)/generations/000001/manifest.json" >/dev/null ||
	die "one that stands alone names others"
say "captured one behind the other, as urgent as the more urgent one"

# one fails: the other is there, and does not count
rm "$T/documents"
echo x >"$T/emr/a"
expect 1 "$BKP" run --all
expect 0 "$BKP" generations
said "emr@2 .*does not count without that of documents"
expect 1 "$BKP" status --json
jq -e '.datasets[] | select(.dataset == "emr") | .newest.generation == 1' "$T/out" >/dev/null &&
	jq -e '[.next[] | select(test("emr@?.*generation 2|read back"))] == []' "$T/out" >/dev/null || fail "status counts emr@2"
expect 1 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract emr@latest --to "$T/alone2"
said "W-RESTORE-20: emr@2 was captured together with documents@2, which is not here"
expect 0 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract emr@1 --to "$T/both"
say "where one fails the other one does not count, and who restores it is told"

# the next run wants one of them, and captures both
night 0 documents
[ "$(record begin | jq -c .datasets)" = '["emr","documents"]' ] || die "named alone it was captured alone: $(record begin)"
expect 0 "$BKP" generations
said "emr@3 +.*good"
say "a run that captures one of them captures both, with a new number"

# what they must have in common
for change in 'generations: 5' 'every: week' 'keep: {weekly: 3}' 'protect: 3d'; do
	sed "s/together: \[documents\]/together: [documents], $change/" "$T/policy.yaml" >"$T/other.yaml"
	expect 64 "$BKP" check --policy "$T/other.yaml"
	said "other.yaml:4:[0-9]+: error: 'emr' and 'documents' are captured together and differ in '${change%%:*}' .E-POLICY-40"
done
sed "s/together: \[documents\]/together: [pacs]/" "$T/policy.yaml" >"$T/other.yaml"
expect 64 "$BKP" check --policy "$T/other.yaml"
said "other.yaml:4:[0-9]+: error: there is no data set 'pacs' .E-POLICY-36"
say "two that are captured together have one rhythm, one retention and the same media"

# a disk with room for one of them gets neither
[ "$(id -u)" = 0 ] || exit 0
head -c 40M /dev/urandom >"$T/documents"
status "$BKP" run --all
status "$BKP" accept documents@4 --operator Sato --reason "larger on purpose"
truncate -s 30M "$T/rdx.img"
mkfs.ext4 -q -m 0 "$T/rdx.img"
mkdir "$T/rdx"
mount -o loop "$T/rdx.img" "$T/rdx"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 金庫}
people:
  - {name: 事務長, roles: [manager, operator]}
Y
"$BKP" medium add RDX-01 >/dev/null 2>&1
status "$BKP" rotate RDX-01 --operator 事務長 --place 金庫
[ -d "$(set_of "$T/rdx" alone)/generations/000004" ] || fail "what fits was not copied"
[ ! -e "$(set_of "$T/rdx" documents)/generations/000004" ] || fail "what does not fit was copied"
[ ! -e "$(set_of "$T/rdx" emr)/generations/000004" ] || fail "half of what was captured together was copied"
said "(emr@4.*documents@4|documents@4.*emr@4)"
say "onto a disk with room for one of them neither goes, and both are named"
