#!/bin/bash
# Goal: policies/ss-mix2.yaml, its probe and expectations untouched but for the numbers: an export that has silently stopped, a tree that
# is half away; restored equal.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
trees() { python3 "$SRC_ROOT/tests/lib/clinical.py" "$@"; }

# ---- SS-MIX2: 150 patients, two days
S=$T/ssmix2/standard
trees ssmix2 "$S" 150 20261119
trees ssmix2 "$S" 150 20261120
trees scans "$T/ssmix2/extension" 120
mkdir -p "$S/.transaction"
echo half >"$S/.transaction/0001.lock"
# the export's last message is of yesterday
find "$T/ssmix2" -type f -exec touch -d '30 hours ago' {} +
policy_of ss-mix2 "s|/srv/ssmix2|$T/ssmix2|g" 's|min_entries: 100000,|min_entries: 1000,|' 's|min_entries: 1000,|min_entries: 100,|'
expect 0 nightly "$BKP" run --all
find "$S" -type f -name '*_1' | sed 's|.*/\([^/]*\)/[^/]*$|\1|' | LC_ALL=C sort | uniq -c | awk '{print $2, $1}' >"$T/truth"
[ "$(wc -l <"$T/truth")" = 5 ] || die "the tree has no five kinds of messages"
recorded_probe 1 ssmix2 | cmp - "$T/truth" || die "the probe is not the number of messages of each kind"
restore_to "$T/m1" 1 "$T/back" ssmix2 >/dev/null 2>&1
[ -z "$(rsync -aHAXnc --delete --itemize-changes --exclude .transaction "$S/" "$T/back$S/")" ] || die "the restored tree differs"
[ ! -e "$T/back$S/.transaction" ] || die "what is excluded was captured"
say "SS-MIX2: $(find "$S" -type f | wc -l) messages, the probe is their number by kind, restored equal by rsync"

# the same files, which are now too old: nothing else is wrong
sed -i 's/max_age: 36h/max_age: 24h/' "$BKP_POLICY"
expect 1 nightly "$BKP" run ssmix2
said '(newest|最新)'
say "SS-MIX2: an export that has stopped is told, though every file is there"
trees ssmix2 "$S" 150 20261121
expect 0 nightly "$BKP" run ssmix2
mkdir "$T/away"
mv "$S"/0[012]* "$T/away"
expect 1 nightly "$BKP" run ssmix2
mv "$T/away"/* "$S"
say "SS-MIX2: the next day's messages make it good again; with most of the tree away it is not"
