#!/bin/bash
# Attack: bkp-restore in the folder of tools is changed on the host.  It once went onto the sealed disk, with our own signature over it.
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/src" "$T/sbin"
cp "$BKP_RELEASE/bkp" "$T/sbin/"
cp -r "$BKP_RELEASE/tools" "$T/sbin/"
BKP=$T/sbin/bkp
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}}"
sed -i "s|{name: m2, type: ssd, |{name: m2, type: rdx, offline: true, |" "$T/policy.yaml"
site_make 2>/dev/null
echo "patient 1" >"$T/src/patients"
expect 0 "$BKP" run --quiet --all
expect 0 "$BKP" rotate m2 --quiet --operator Sato
tool=bkp-restore
[ -e "$T/m2/tools/$tool" ] || tool=rescue.py # a build without the static program
cp "$T/m2/tools/$tool" "$T/good"
record documents | grep -q "$(sha256sum <"$T/good" | cut -d' ' -f1)  $tool" || die "the journal does not say which tools the disk carries"
echo "# steals the recovery identity" >>"$T/sbin/tools/$tool"
detected "a changed $tool, at the rotation" E-DOCS-04 "$BKP" rotate m2 --operator Sato
cmp "$T/good" "$T/m2/tools/$tool" || die "the changed $tool is on the disk"
(cd "$T/m2/tools" && sha256sum --quiet -c SHA256SUMS) || die "what stood in tools/ lost its list"
detected "a changed $tool, at night" E-DOCS-04 "$BKP" run --all
cmp "$T/good" "$T/m1/tools/$tool" || die "the changed $tool is on m1"
# a person who changed it knowingly says so, by name, once
expect 64 "$BKP" accept --tools --operator Sato
expect 0 "$BKP" accept --tools --operator Sato --reason "built here" --quiet
expect 0 "$BKP" rotate m2 --quiet --operator Sato
cmp "$T/sbin/tools/$tool" "$T/m2/tools/$tool" || die "accepted, and not brought"
record tools-accepted | grep -q '"operator":"Sato"' || die "who accepted it is not recorded"
# installed again it needs nobody
cp "$BKP_RELEASE/tools/$tool" "$T/sbin/tools/$tool"
expect 0 "$BKP" rotate m2 --quiet --operator Sato
cmp "$T/good" "$T/m2/tools/$tool" || die "the installed one is not brought"
expect 0 "$BKP" journal verify
