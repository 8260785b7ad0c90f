#!/bin/bash
# The whole job in a screenful: installs what is missing (Debian 12), builds, makes a small clinic, captures it three times with
# changes between onto two media, verifies, and restores each generation from one medium alone.  Proof: rsync and sha256sum.
#   policies/demo/run.sh [--keep]     --keep leaves the scratch folder for a look around
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_BUILD_PACKAGES
unset BKP_POLICY BKP_LANG
log=$(mktemp)
cmake --preset release -DBKP_TESTS=OFF >"$log" 2>&1 && cmake --build --preset release >>"$log" 2>&1 || { cat "$log"; exit 1; }
rm -f "$log"
PATH=$PWD/build/release:$PATH
demo=$PWD/policies/demo

T=$(mktemp -d "${TMPDIR:-/tmp}/bkp-demo.XXXXXX")
clean() { chattr -R -f -i "$T" 2>/dev/null || true; rm -rf "$T"; }
[ "${1:-}" = --keep ] || trap clean EXIT
started=$(date +%s)
step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

step "さくら内科クリニック: an electronic record's dump, images, thousands of HL7 files"
python3 "$demo/clinic.py" make "$T/clinic" 4000
mkdir -p "$T/nas" "$T/ssd"
sed "s|@T@|$T|g" "$demo/policy.yaml" >"$T/policy.yaml"
export BKP_POLICY=$T/policy.yaml
du -sh --apparent-size "$T/clinic" | sed 's|\t.*|  in '"$(find "$T/clinic" -type f | wc -l)"' files|'

step "keys: the recovery identity is made with stock age-keygen and would now go into a safe; the host keeps its public half"
age-keygen -o "$T/recovery.txt" 2>/dev/null
bkp init --recipient "$(age-keygen -y "$T/recovery.txt")"
bkp medium add nas
bkp medium add ssd

for n in 1 2 3; do
	step "night $n"
	[ $n = 1 ] || python3 "$demo/clinic.py" day "$T/clinic" $n
	bkp run
	cp -a "$T/clinic" "$T/truth$n"
done

step "verify: every file of every generation, read from the media"
bkp verify
bkp generations

step "the state folder is gone, one medium is left, and the identity from the safe"
mv "$T/state" "$T/gone"; mv "$T/nas" "$T/gone.nas"
for n in 1 2 3; do
	bkp-restore --quiet --medium "$T/ssd" --identity "$T/recovery.txt" extract $n --to "$T/restored$n"
	d=$(rsync -aHAXnc --delete --itemize-changes "$T/truth$n/files/" "$T/restored$n/files$T/clinic/files/")
	[ -z "$d" ] || { echo "$d"; echo "generation $n DIFFERS"; exit 1; }
	a=$(sha256sum <"$T/truth$n/emr.dump"); b=$(sha256sum <"$T/restored$n/emr/emr.dump")
	[ "$a" = "$b" ] || { echo "generation $n: the dump DIFFERS"; exit 1; }
	echo "generation $n: $(find "$T/restored$n" -type f | wc -l) files restored, equal by rsync -aHAXnc and sha256sum"
done

step "without this software: sha256sum, minisign, and restore/rescue.py (python, age, lz4)"
( cd "$T"/ssd/*-*-*-*-*
  sha256sum --quiet -c generations/000003/SHA256SUMS && echo "sha256sum: every file of generation 3 is whole"
  minisign -V -P "$(python3 -c 'import json; print(json.load(open("repository.json"))["keys"][0]["public"])')" \
	-m generations/000003/SHA256SUMS | sed -n 1,2p )
python3 restore/rescue.py --medium "$T/ssd" --identity "$T/recovery.txt" restore 3 files --to "$T/rescued" >/dev/null
[ -z "$(rsync -aHnc --delete --itemize-changes "$T/truth3/files/" "$T/rescued$T/clinic/files/")" ] || { echo "rescue.py DIFFERS"; exit 1; }
echo "rescue.py: generation 3 restored, equal by rsync -aHnc"

step "done in $(($(date +%s) - started)) s; the recovery point was never on the host that captures"
[ "${1:-}" = --keep ] && echo "everything is left in $T"
exit 0
