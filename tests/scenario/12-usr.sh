#!/bin/bash
# Goal: /usr of this machine (tens of thousands of real files) round-trips, by the same comparison.
. "$(dirname "$0")/../lib/site.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
root=/usr
[ "${BKP_USR:-}" = all ] || root=/usr/share # BKP_USR=all for the whole of it
site_policy "  - {name: usr, paths: [$root]}"
site_make
expect 0 "$BKP" run --quiet --all
same=
[ "$(id -u)" = 0 ] && same=--same-owner
expect 0 "$RESTORE" --medium "$T/m2" --identity "$T/id.txt" --quiet extract usr@1 --to "$T/out.d" $same
"$SRC_ROOT/tests/lib/compare.sh" "$root" "$T/out.d$root" || die "$root differs after the round trip"
expect 0 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet verify 1 --deep
say "$root: $(find "$root" -xdev | wc -l) objects equal after capture and restore"
