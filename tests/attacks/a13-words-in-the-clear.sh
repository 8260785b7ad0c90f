#!/bin/bash
# What a failing command writes to standard error names patients' files: it stands in the clear on no medium and in no record, in a
# night of which nothing came either; who holds the identity can read it, with stock tools.
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/src"
echo x >"$T/src/file"
name='山田太郎-0042-HIV.dcm'
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
datasets:
  - {name: docs, paths: [$T/src]}
  - {name: pacs, command: "tar -cf - -C $T '$name'", format: tar}
  - {name: lab, command: "echo y", store_as: l, probe: "echo 'no such table of $name' >&2; exit 4"}
media:
  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
  - {name: m2, type: ssd, path: $T/m2, place: 別室}
notify: {when: always, command: "cat >>$T/told; echo 'refused $name' >&2; exit 1"}
Y
site_make
detected "a night of which nothing came, by a command that names a patient" E-RUN-01 "$BKP" run pacs
grep -q "$name" "$T/err" || die "the host does not say why"
detected "a data set that failed, another's probe, and notify, that name a patient" E-RUN-03 "$BKP" run --all
grep -q "$name" "$T/err" || die "the host does not say why"
# the policy's own text lies in policy/ in the clear, as docs/threat-model.md says: whatever else names the file is what the commands said
grep -rlF --exclude-dir=policy "$name" "$T/m1" "$T/m2" "$T/state/journal/000001.jsonl" && die "a patient's file is named in the clear"
for g in 1 2; do
	grep -E "\"event\":\"failed\",\"run\":$g," "$T/state/journal/000001.jsonl" |
		sed -n 's/.*"said_age":"\([^"]*\)".*/\1/p' |
		base64 -d | unseal | grep -qF "pacs: command: tar: $name" ||
		die "run $g: not to be read with the identity"
done
unseal "$(set_of "$T/m1" lab)/generations/000002/root.age" | grep -qF "$name" || die "what the probe said is not in root.age"
expect 0 "$BKP" journal verify
