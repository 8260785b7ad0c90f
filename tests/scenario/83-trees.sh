#!/bin/bash
# Goal: the policies for trees of files, their probes and expectations untouched but for the numbers: policies/ss-mix2.yaml (an
# export that has silently stopped, a tree that is half away), policies/pacs.yaml (only new studies are stored; images that are no
# longer DICOM show in the probe; a mount that was not entered is named).
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
trees() { python3 "$SRC_ROOT/tests/lib/clinical.py" "$@"; }
again() { # a new site
	thaw "$T/m1" "$T/m2"
	rm -rf "$T/state" "$T/m1" "$T/m2" "$T/back"
}
said() { grep -qE "$1" "$T/out" "$T/err" || { cat "$T/out" "$T/err" >&2; die "it is not said: $1"; }; }

# ---- SS-MIX2: 300 patients, two days
S=$T/ssmix2/standard
trees ssmix2 "$S" 300 20261119
trees ssmix2 "$S" 300 20261120
trees scans "$T/ssmix2/extension" 120
mkdir -p "$S/.transaction"
echo half >"$S/.transaction/0001.lock"
policy_of ss-mix2 "s|/srv/ssmix2|$T/ssmix2|g" 's|min_entries: 100000,|min_entries: 2000,|' 's|min_entries: 1000,|min_entries: 100,|'
expect 0 nightly "$BKP" run --all
find "$S" -type f -name '*_1' | sed 's|.*/\([^/]*\)/[^/]*$|\1|' | LC_ALL=C sort | uniq -c | awk '{print $2, $1}' >"$T/truth"
[ "$(wc -l <"$T/truth")" = 5 ] || die "the tree has no five kinds of messages"
recorded_probe 1 ssmix2 | cmp - "$T/truth" || die "the probe is not the number of messages of each kind"
restore_to "$T/m1" 1 "$T/back" ssmix2 >/dev/null 2>&1
[ -z "$(rsync -aHAXnc --delete --itemize-changes --exclude .transaction "$S/" "$T/back$S/")" ] || die "the restored tree differs"
[ ! -e "$T/back$S/.transaction" ] || die "what is excluded was captured"
say "SS-MIX2: $(find "$S" -type f | wc -l) messages, the probe is their number by kind, restored equal by rsync"

find "$T/ssmix2" -type f -exec touch -d '3 days ago' {} +
expect 1 nightly "$BKP" run ssmix2
said '(newest|新しい)'
say "SS-MIX2: an export that stopped three days ago is told, though every file is there"
trees ssmix2 "$S" 300 20261121
expect 0 nightly "$BKP" run ssmix2
mkdir "$T/away"
mv "$S"/0[012]* "$T/away"
expect 1 nightly "$BKP" run ssmix2
mv "$T/away"/* "$S"
say "SS-MIX2: the next day's messages make it good again; with most of the tree away it is not"

# ---- PACS: two days of studies, then a third
again
A=$T/pacs/archive01
trees pacs "$A" 20261119 40
trees pacs "$A" 20261120 40
trees pacs "$T/pacs/key" 20261120 40
mkdir -p "$A/incoming" "$A/mounted"
echo half >"$A/incoming/CT000001.dcm"
echo half >"$A/2026/11/20/CT.part"
policy_of pacs "s|/srv/pacs|$T/pacs|g" 's|min_entries: 10000,|min_entries: 300,|'
expect 0 nightly "$BKP" run --all
day=$(find "$A/2026/11/20" -name '*.dcm' | wc -l)
[ "$(recorded_probe 1 pacs)" = "$(printf '80\n./2026/11/20\nDICM %d/%d' "$day" "$day")" ] || die "the probe: $(recorded_probe 1 pacs)"
trees pacs "$A" 20261121 10
was=$(du -sb "$(repo_of "$T/m1")/archives" | cut -f1)
expect 0 nightly "$BKP" run pacs
new=$(find "$A/2026/11/21" -name '*.dcm' -printf '%s\n' | awk '{s += $1} END {print s}')
stored=$(($(du -sb "$(repo_of "$T/m1")/archives" | cut -f1) - was))
# noise, with a header that is packed
[ "$stored" -ge $((new / 2)) ] && [ "$stored" -le $((new + new / 2)) ] || die "$stored bytes stored for $new bytes of new studies"
restore_to "$T/m1" 2 "$T/back" pacs >/dev/null 2>&1
[ -z "$(rsync -aHAXnc --delete --itemize-changes --exclude incoming --exclude '*.part' "$A/" "$T/back$A/")" ] || die "the restored archive differs"
say "PACS: of three days only the new studies were stored ($stored bytes for $new); restored equal by rsync; what had not arrived is left out"
find "$A/2026/11/21" -name 'CT000001.dcm' -exec sh -c 'head -c 2000 /dev/urandom >"$1"' sh {} \;
status nightly "$BKP" run pacs
n=$(find "$A/2026/11/21" -name '*.dcm' | wc -l)
[ "$(recorded_probe 3 pacs | tail -n 1)" = "DICM $((n - 10))/$n" ] || die "the probe does not show what is no longer DICOM: $(recorded_probe 3 pacs)"
mount -t tmpfs none "$A/mounted"
status nightly "$BKP" run pacs
umount "$A/mounted"
said "W-FILE-06.*mounted"
say "PACS: ten images that are no longer DICOM show in the probe; a mount that was not entered is named"
