#!/bin/bash
# Goal: policies/pacs.yaml, its probe and expectations untouched but for the numbers: only new studies are stored; images that are no
# longer DICOM show in the probe; a mount that was not entered is named; restored equal.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
trees() { python3 "$SRC_ROOT/tests/lib/clinical.py" "$@"; }

# ---- PACS: two days of studies, then a third
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
was=$(du -sb "$(set_of "$T/m1" pacs)/archives" | cut -f1)
expect 0 nightly "$BKP" run pacs
new=$(find "$A/2026/11/21" -name '*.dcm' -printf '%s\n' | awk '{s += $1} END {print s}')
stored=$(($(du -sb "$(set_of "$T/m1" pacs)/archives" | cut -f1) - was))
# noise, with a header that is packed; and up to a tenth of the whole again, which archives that are mostly dead hold
# (docs/format-writer.md, 11)
again=$(($(find "$A" -name '*.dcm' -printf '%s\n' | awk '{s += $1} END {print s}') / 10))
[ "$stored" -ge $((new / 2)) ] && [ "$stored" -le $((new + new / 2 + again)) ] || die "$stored bytes stored for $new bytes of new studies"
restore_to "$T/m1" 2 "$T/back" pacs >/dev/null 2>&1
[ -z "$(rsync -aHAXnc --delete --itemize-changes --exclude incoming --exclude '*.part' "$A/" "$T/back$A/")" ] ||
	die "the restored archive differs"
say "PACS: of three days only the new studies were stored ($stored bytes for $new); restored equal by rsync; what had not arrived is left" \
	"out"
find "$A/2026/11/21" -name 'CT000001.dcm' -exec sh -c 'head -c 2000 /dev/urandom >"$1"' sh {} \;
status nightly "$BKP" run pacs
n=$(find "$A/2026/11/21" -name '*.dcm' | wc -l)
[ "$(recorded_probe 3 pacs | tail -n 1)" = "DICM $((n - 10))/$n" ] ||
	die "the probe does not show what is no longer DICOM: $(recorded_probe 3 pacs)"
mount -t tmpfs none "$A/mounted"
status nightly "$BKP" run pacs
umount "$A/mounted"
said "W-FILE-06.*mounted"
say "PACS: ten images that are no longer DICOM show in the probe; a mount that was not entered is named"
