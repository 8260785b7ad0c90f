#!/bin/bash
# A11: the host runs out of memory while a whole disk is read: nothing may be recorded of the disk.
. "$(dirname "$0")/lib.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp
site_make
head -c 300000 /dev/urandom >"$T/src/a"
expect 0 "$BKP" run --all
for error in EMFILE ENOMEM ENODEV; do
	detected "$error while a whole archive is read" E-VERIFY-14 strace -f -qq -o /dev/null \
		-P "$(find "$(set_of "$T/m1")/archives" -type f -size +100k)" \
		-e trace=read,pread64 -e inject=read,pread64:error=$error:when=1+ "$BKP" verify --medium m1
done
! grep -q verify-failed "$T/state/journal/000001.jsonl" || die "recorded as damage"
