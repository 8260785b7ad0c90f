#!/bin/bash
# A10: a hard link could not be made and a copy was written: exit 0 and not a word.
. "$(dirname "$0")/lib.sh"
mkdir "$T/src"
echo content >"$T/src/first"
ln "$T/src/first" "$T/src/second"
site_make
expect 0 "$BKP" run
R=${BKP_RELEASE:-$BKP_BIN}/bkp-restore # a sanitiser's leak check does not work under strace
detected "a hard link became a copy" E-RESTORE-17 strace -f -qq -o /dev/null -e trace=linkat -e inject=linkat:error=EMLINK \
	"$R" --medium "$T/m1" --identity "$T/id.txt" extract docs@1 --to "$T/back"
grep -aF "'${T#/}/src/second'" "$T/err" >/dev/null || die "the link is not named"
cmp -s "$T/src/second" "$T/back$T/src/second" || die "the copy is not the content"
