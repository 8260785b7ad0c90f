#!/bin/bash
# Three folders of one file system that has no UUID, declared as a hard disk, an SSD and an offline RDX: one copy, not 3-2-1.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || die "needs root"
mkdir -p "$T/src" "$T/one"
mount -t tmpfs -o size=64m tmpfs "$T/one"
mkdir "$T/one/m1" "$T/one/m2" "$T/one/rdx"
echo x >"$T/src/file"
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
datasets: [{name: docs, paths: [$T/src], generations: 1}]
media:
  - {name: m1, type: hdd, path: $T/one/m1, place: サーバ室}
  - {name: m2, type: ssd, path: $T/one/m2, place: 別室}
  - {name: RDX-01, type: rdx, offline: true, path: $T/one/rdx, place: 別棟}
people: [{name: 事務長, roles: [manager, operator]}]
Y
site_make 2>/dev/null
"$BKP" medium add RDX-01 >/dev/null 2>&1
expect 0 "$BKP" run --all
status "$BKP" rotate RDX-01 --operator 事務長
mv "$T/one/rdx" "$T/one/shelf"
expect 0 "$BKP" medium move RDX-01 --operator 事務長
detected "three folders of one tmpfs" "'m1' and 'm2' are on one file system" "$BKP" status
"$BKP" status --json | python3 -c '
import json, sys
d = json.load(sys.stdin)["datasets"][0]
assert [d[k]["verdict"] for k in ("three", "two", "one")] == ["attention", "attention", "missing"], d' ||
	{ "$BKP" status; die "the verdicts"; }
