#!/bin/bash
# The whole job in a screenful: installs what is missing (Debian 12), builds, makes a small clinic, captures it three times with
# changes between onto two media, verifies, rotates an "offline" medium, meets ransomware, and restores each generation from that
# medium alone; at the end the recovery procedure is replayed from it.  Proof: rsync, sha256sum, and the values recorded at capture.
#   policies/demo/run.sh [--keep]     --keep leaves the scratch folder for a look around
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_BUILD_PACKAGES
unset BKP_POLICY BKP_LANG
log=$(mktemp)
tests/build.sh release -DBKP_TESTS=OFF >"$log" 2>&1 || { cat "$log"; exit 1; }
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
mkdir -p "$T/nas" "$T/ssd" "$T/rdx" "$T/shelf"
sed "s|@T@|$T|g; s|@D@|$demo|g" "$demo/policy.yaml" >"$T/policy.yaml"
export BKP_POLICY=$T/policy.yaml
du -sh --apparent-size "$T/clinic" | sed 's|\t.*|  in '"$(find "$T/clinic" -type f | wc -l)"' files|'

step "keys: the recovery identity is made with stock age-keygen and would now go into a safe; the host keeps its public half"
age-keygen -o "$T/recovery.txt" 2>/dev/null
bkp init --recipient "$(age-keygen -y "$T/recovery.txt")" --root-key-out "$T/root.key"
bkp medium add nas
bkp medium add ssd
bkp medium add RDX-01

for n in 1 2 3; do
	step "night $n"
	[ $n = 1 ] || python3 "$demo/clinic.py" day "$T/clinic" $n
	bkp run --all
	cp -a "$T/clinic" "$T/truth$n"
done

step "verify: every file of every generation, read from the media"
bkp verify
bkp generations

step "rotation: the offline medium is filled, read back, sealed, and carried to another building"
bkp rotate RDX-01 --operator 事務長
mv "$T/rdx" "$T/shelf/RDX-01" # stands for: unmount, pull out, carry
bkp medium move RDX-01 --operator 事務長

step "how things stand: three nights on one day are one date, so the three generations (3世代) are honestly not met"
bkp status || [ $? = 1 ]

step "the schedule as cron would get it: from here on nobody has to think of it, and a good night says nothing"
mkdir -p "$T/host/etc/cron.d"
bkp --quiet schedule install --kind cron --root "$T/host"
grep ' run ' "$T/host/etc/cron.d/bkp"

step "a night on which ransomware was there: kept, marked, told in one line; nothing expires, no disk is written to until a person decides"
python3 "$demo/clinic.py" encrypt "$T/clinic" 4
bkp run --all --quiet && { echo "nobody noticed"; exit 1; }
for refused in "expire --operator 事務長" "rotate RDX-01 --operator 事務長"; do
	mv "$T/shelf/RDX-01" "$T/rdx"
	# shellcheck disable=SC2086
	bkp $refused && { echo "it was not stopped"; exit 1; }
	mv "$T/rdx" "$T/shelf/RDX-01"
done
bkp generations
bkp journal verify --against "$T/shelf/RDX-01"

step "the state folder, the NAS and the SSD are gone; what is left is the disk from the shelf and the identity from the safe"
mkdir "$T/gone"; mv "$T/state" "$T/nas" "$T/ssd" "$T/gone/"
for n in 1 2 3; do
	bkp-restore --quiet --medium "$T/shelf/RDX-01" --identity "$T/recovery.txt" extract $n --to "$T/restored$n"
	d=$(rsync -aHAXnc --delete --itemize-changes "$T/truth$n/files/" "$T/restored$n/files$T/clinic/files/")
	[ -z "$d" ] || { echo "$d"; echo "generation $n DIFFERS"; exit 1; }
	a=$(sha256sum <"$T/truth$n/emr.dump"); b=$(sha256sum <"$T/restored$n/emr/emr.dump")
	[ "$a" = "$b" ] || { echo "generation $n: the dump DIFFERS"; exit 1; }
	echo "generation $n: $(find "$T/restored$n" -type f | wc -l) files restored, equal by rsync -aHAXnc and sha256sum"
done

step "without this software: sha256sum, minisign, and restore/rescue.py (Python's standard library, zstd)"
( cd "$T"/shelf/RDX-01/*-*-*-*-*/datasets/files
  sha256sum --quiet -c generations/000003/SHA256SUMS && echo "sha256sum: every file of files@3 is whole"
  # the key of that time; README.txt says how each is proved by the one before it, the first by the root key on paper
  minisign -V -P "$(sed -n '$s/.*"key":"\([^"]*\)".*/\1/p' ../../keys.jsonl)" -m generations/000003/SHA256SUMS | sed -n 1,2p )
python3 restore/rescue.py extract --identity "$T/recovery.txt" "$T/shelf/RDX-01" files@3 "$T/rescued" >/dev/null
[ -z "$(rsync -aHnc --delete --itemize-changes "$T/truth3/files/" "$T/rescued$T/clinic/files/")" ] || { echo "rescue.py DIFFERS"; exit 1; }
echo "rescue.py: files@3 restored, equal by rsync -aHnc"

step "the drill: the procedure that lies on the disk is replayed from the disk alone, timed, and compared with the night it was captured"
printf 'by: 事務長\nanswers: [{step: 1, answer: yes, note: 番号一致}]\n' >"$T/attest.yaml"
reports=$(mktemp -d "${TMPDIR:-/tmp}/bkp-drill.XXXXXX")
bkp-restore --medium "$T/shelf/RDX-01" --identity "$T/recovery.txt" drill "$T"/shelf/RDX-01/*-*-*-*-*/procedures/procedure.md \
	--to "$reports" --operator 事務長 --attest "$T/attest.yaml"
echo "the report to print and sign: $reports/drill.html"

step "done in $(($(date +%s) - started)) s; the recovery identity was never on the host that captures"
[ "${1:-}" = --keep ] && echo "everything is left in $T"
exit 0
