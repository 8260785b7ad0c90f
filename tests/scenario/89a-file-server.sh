#!/bin/bash
# Goal: policies/procedures/file-server.md as it stands: a share with owners, ACLs, attributes, hard links and Japanese names, captured,
# then encrypted; drilled, and carried out as the recovery onto another disk.  rsync and getfacl of what was before are the judges.  A file
# that clamscan finds stops it before anything leaves quarantine.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
exec </dev/null
S=$T/srv/documents
mkdir -p "$S" "$T/kitei" "$T/m1" "$T/m2"
python3 "$SRC_ROOT/tests/lib/clinical.py" scans "$S/scans" 200
mkdir -p "$S/紹介状/2026" "$S/医事課 共有"
for i in $(seq 40); do echo "患者 $i 様 ご紹介" >"$S/紹介状/2026/紹介状 $i \"控え\".txt"; done
printf 'CP932' >"$S/$(printf '\203J\203\213\203e').txt" # カルテ in CP932
ln "$S/紹介状/2026/紹介状 1 \"控え\".txt" "$S/医事課 共有/同じ物.txt"
ln -s ../紹介状 "$S/医事課 共有/近道"
chown -R 1201:1300 "$S/医事課 共有"
chmod 2770 "$S/医事課 共有"
setfacl -m u:1202:rX,d:g:1300:rwX "$S/医事課 共有"
setfattr -n user.DOSATTRIB -v 0x20 "$S/紹介状/2026/紹介状 2 \"控え\".txt"
cp "$SRC_ROOT/policies/procedures/file-server.md" "$T/kitei/"
site_policy "  - {name: documents, title: 文書, paths: [$S], probe: 'find $S -type f | wc -l'}"
echo "procedures: [$T/kitei/file-server.md]" >>"$T/policy.yaml"
site_make
expect 0 "$BKP" run --all

# ---- in the morning it is encrypted; what it was is kept beside, for the judge alone
cp -a "$S" "$T/truth"
acls() { (cd "$1" && find . ! -type l -print0 | sort -z | xargs -0 getfacl -n -p); }
acls "$T/truth" >"$T/acl"
touch "$T/srv/MADE-FOR-TESTS" "$S/MADE-FOR-TESTS"
python3 "$SRC_ROOT/tests/lib/ransom.py" locked "$S" >/dev/null
! diff -rq "$T/truth" "$S" >/dev/null || die "nothing was encrypted: nothing is shown"
recovery_set_up
printf '  - {step: %s, answer: yes, note: 控え}\n' apart eyes resume >>"$T/attest.yaml"
echo "confirm: documents@1" >>"$T/attest.yaml"
P=$(repo_of "$T/m1")/procedures/file-server.md
bring_back() { # drill|recover DIR [OPTION...]
	"$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" "$1" "$P" --to "$2" --attest "$T/attest.yaml" --operator 山田 \
		--set "folder=$S" --set "virusdb=$T/virus" "${@:3}"
}
expect 0 bring_back drill "$T/drill"
[ "$(drill_field "$T/drill" "d['verdict'], d['erased']['ok'], [s['check']['found'] for s in d['steps'] if s['id'] == 'count']")" \
	= "('passed', True, ['$(find "$T/truth" -type f | wc -l)'])" ] || fail "the drill" "$T/drill/drill.json"
expect 0 bring_back recover "$T/o/recovery" --set "share=$T/o/share" --same-owner
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/truth/" "$T/o/share/")" ] ||
	fail "another tree" <(rsync -aHAXnc --delete --itemize-changes "$T/truth/" "$T/o/share/")
acls "$T/o/share" | cmp - "$T/acl" || die "getfacl differs"
grep -q 復旧前確認書 "$T/o/recovery/recovery-before.html" && grep -q 院長 "$T/o/recovery/recovery-before.html" || die "the confirmation on paper"
say "a share that was encrypted: drilled, and recovered with names, owners, ACLs, attributes and links as they were (rsync, getfacl)"

# ---- what clamscan finds does not leave quarantine
f=$(find "$T/truth/scans" -type f | head -n 1)
printf '%s:%s:Found\n' "$(md5sum <"$f" | cut -d' ' -f1)" "$(stat -c %s "$f")" >>"$T/virus/test.hdb"
expect 2 bring_back recover "$T/o/second" --set "share=$T/o/share2" --same-owner
said 'E-DRILL-28'
[ ! -e "$T/o/share2" ] || die "what was found has left quarantine"
say "a file that clamscan finds: named, and nothing is put into place"
