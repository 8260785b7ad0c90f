#!/bin/bash
# What a medium is, is what its device shows: a folder declared as an object store is refused, and one in memory that is called a disk
# earns nothing for two technologies.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || die "needs root"
mkdir -p "$T/src" "$T/m1" "$T/m2"
mount -t tmpfs -o size=64m tmpfs "$T/m1"
mount -t tmpfs -o size=64m tmpfs "$T/m2"
echo x >"$T/src/file"
site_make 2>/dev/null
expect 0 "$BKP" run --all
detected "two file systems in memory, declared hdd and ssd" "is declared only" "$BKP" status
grep '^docs' "$T/out" | grep -q 'met 2/2' && die "two technologies: $(cat "$T/out")"
grep -q 'SSD (declared)' "$T/out" || die "the table does not say that it is a claim: $(cat "$T/out")"
"$BKP" medium show m1 | grep -q 'declared: its device does not show it' || die "medium show"
sed -i 's/type: ssd/type: object/' "$T/policy.yaml"
expect 64 "$BKP" check
grep -q 'object store.*E-POLICY-35' "$T/out" "$T/err" || die "an object store is not refused: $(cat "$T/out" "$T/err")"
