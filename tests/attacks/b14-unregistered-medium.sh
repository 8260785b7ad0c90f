#!/bin/bash
# A medium that the policy names and nobody has registered yet: the night goes on without it, says so, and nothing reads as tampering.
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/src" "$T/m3"
echo x >"$T/src/file"
site_make
echo "  - {name: m3, type: hdd, path: $T/m3, place: 棚}" >>"$T/policy.yaml"
detected "a medium of the policy that is not registered" E-MEDIA-06 "$BKP" run --all
[ "$STATUS" = 1 ] && ! grep -q E-LEDGER "$T/err" || die "the night was lost: exit $STATUS"
record committed | grep -q '"label":"m2"' || die "nothing was committed"
