#!/bin/bash
# Attack: "verified", or "copied", is recorded with tonight's signing key of a disk that lies in the safe, so that the offline recovery
# point seems to be of tonight.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../lib/forge.sh"
mkdir -p "$T/src"
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}}"
sed -i "s|{name: m2, type: ssd, |{name: m2, type: rdx, offline: true, |" "$T/policy.yaml"
site_make 2>/dev/null
echo "patient 1" >"$T/src/patients"
expect 0 "$BKP" run --quiet --all
expect 0 "$BKP" rotate m2 --quiet --operator Sato
mv "$T/m2" "$T/safe"
expect 0 "$BKP" medium move m2 --operator Sato --place safe --quiet
echo "patient 2" >>"$T/src/patients"
expect 0 "$BKP" run --quiet --all
m2=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["medium"])' "$T/safe/bkp-medium.json")
cp -a "$T/state" "$T/state.before"
for event in verified copied; do
	rm -rf "$T/state"
	cp -a "$T/state.before" "$T/state"
	forge $event "{\"medium\":\"$m2\",\"generations\":[{\"dataset\":\"docs\",\"generation\":2,\"files\":9,\"bytes\":9999}]}"
	detected "forged '$event' of a disk in the safe" "the medium was away" "$BKP" status
	detected "the same" "the medium was away" "$BKP" run --quiet --all
done
# what comes back is recorded as there before anything is recorded of it
rm -rf "$T/state"
mv "$T/state.before" "$T/state"
mv "$T/safe" "$T/m2"
expect 0 "$BKP" verify --medium m2
record verified | grep -q "$m2" && record medium-attached | grep -q "$m2" || die "a disk that came back cannot be verified"
