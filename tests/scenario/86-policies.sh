#!/bin/bash
# Goal: every policy below policies/ passes `bkp check` without a word in both languages, holds no secret and takes none; every
# procedure beside it is valid, can be printed, and names only data sets and probes of the policy that names it; each says in Japanese
# and English what to change, and marks those lines.  hospital.yaml is played with ten media of which none can hold everything,
# clinic.yaml with its three.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
cd "$SRC_ROOT/policies"

for p in *.yaml; do
	for lang in ja en; do
		expect 0 "$BKP" check --policy "$p" --lang $lang
		[ ! -s "$T/err" ] || fail "$p: bkp check says something" "$T/err"
	done
	! grep -q 'NOT MET\|CAUTION' "$T/out" || die "$p does not allow 3-2-1"
	grep -q '^places:' "$p" && grep -q 'separate_from:' "$p" || die "$p: its offline copy could never count, no place is separate"
	# a secret: refused, and not repeated
	sed 's|^schedule: .*|notify: {command: "PGPASSWORD=Zq7xPw3Lk mail"}|; /^notify: .*bkp-/d' "$p" >"$T/secret.yaml"
	expect 64 "$BKP" check --policy "$T/secret.yaml" --lang en
	grep -q 'password' "$T/err" || fail "$p: why it is refused" "$T/err"
	! grep -q Zq7xPw3Lk "$T/out" "$T/err" || die "$p: the secret is repeated"
done
# what is for papers is commented out: without its '#' it is valid, and what is never confirmed or due is said at its line
for p in clinic hospital; do
	sed '/^# excluded:/,$s/^# //' $p.yaml >"$T/papers.yaml"
	expect 0 "$BKP" check --policy "$T/papers.yaml" --lang ja
	[ "$(grep -c 'papers.yaml:[0-9]*:[0-9]*: .*E-POLICY-51' "$T/err")" = 8 ] || fail "$p: eight contacts nobody confirmed" "$T/err"
	grep -q '検査機器の測定生データ' "$T/out" && grep -q '都道府県警察の担当部署' "$T/out" && grep -q 'チェックリスト R7' "$T/out" ||
		fail "$p: not all of it is in the plan" "$T/out"
	! grep -q 'tel:' $p.yaml && ! grep -qE '0[0-9]{1,4}-[0-9]{1,4}-[0-9]{4}' $p.yaml || die "$p: a telephone number"
done
say "$(ls -- *.yaml | wc -l) policies: 'bkp check' is content and silent in both languages, each allows 3-2-1, a secret in them is refused"

named=
for p in postgresql mariadb orca-clinic orthanc pacs ss-mix2; do
	grep -q '直すところ' $p.yaml && grep -q '^# In English: ' $p.yaml || die "$p: it is not said what to change"
	[ "$(sed 1,/^site:/d $p.yaml | grep -c '← 直す')" -ge 2 ] || die "$p: no marked lines"
	# the procedures that it names, commented out until its user has adapted them
	for f in $(sed -n 's/^# procedures: \[\(.*\)\]/\1/p' $p.yaml | tr , ' '); do
		f=procedures/${f##*/}
		named="$named $f"
		expect 0 "$RESTORE" procedure check "$f"
		expect 0 "$RESTORE" procedure print "$f"
		grep -q '<html' "$T/out" || die "$f: nothing to print"
		for d in $(sed -n 's/^dataset: //p' "$f"); do
			grep -q "^  - name: $d\$" $p.yaml || die "$f: the data set $d is not in $p.yaml"
		done
		for d in $(sed -n 's/^probe: //p' "$f"); do
			sed -n "/^  - name: $d\$/,/^\$/p" $p.yaml | grep -q '^    probe: ' ||
				die "$f: the data set $d of $p.yaml has no probe"
		done
		grep -q '^always: true' "$f" || die "$f: what it starts is not stopped when a step fails"
	done
done
for f in procedures/*.md; do
	case " $named " in *" $f "*) continue ;; esac
	# a sample for any tree of files: README.md says which policies it suits
	grep -qF "($f)" README.md || die "$f: neither a policy nor policies/README.md names it"
	expect 0 "$RESTORE" procedure check "$f"
	expect 0 "$RESTORE" procedure print "$f"
done
say "each says in Japanese and English what to change and marks it; $(ls procedures | wc -l) procedures are valid, printable, and fit the" \
	"policy that names them"

# ---- hospital.yaml is played, 1 TB as 1 MB: no medium can hold everything, each holds what the policy says, and what is short of room
# goes by urgency
[ "$(id -u)" = 0 ] || exit 0 # media of a size
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
M=$T/mnt S=$T/shelf W="情報システム課 担当"
fill() { # FOLDER KIB [FILES]
	mkdir -p "$1"
	for i in $(seq "${3:-4}"); do head -c $(($2 * 1024 / ${3:-4})) /dev/urandom >"$1/$i"; done
}
fill "$T/srv/viewer" 30; fill "$T/etc" 2; fill "$T/srv/kitei" 1; fill "$T/srv/procedures" 1; fill "$T/emr" 2000 900
fill "$T/srv/pacs/key" 200; fill "$T/srv/pacs/archive01" 16000; fill "$T/srv/pacs/archive02" 16000; fill "$T/srv/pacs/archive03" 13000
fill "$T/srv/ssmix2/standard/000/1/0/1" 100 40; fill "$T/srv/ssmix2/extension" 50; fill "$T/srv/documents" 3000 50; fill "$T/log" 100
# what is asked of servers comes from files
sed -e "s|^state: .*|state: $T/state|; s|/srv/|$T/srv/|g; s|/etc,|$T/etc,|; s|/var/log|$T/log|; s|^notify: .*||" \
	-e "s|/mnt/backup/bkp|$M/backup-storage|; s|/mnt/images/bkp|$M/image-storage|; s|language: ja|language: en|" \
	-e "s|pg_basebackup .*|tar -C $T/emr -cf - .|; s|pg_dump -Fc .*|cat $T/emr/1|;
	s|probe: psql .*|probe: echo 1|; s|content: pgdump, ||" \
	-e 's|min_bytes: 1 TB|min_bytes: 1 MB|; s|min_bytes: [0-9]* [MG]i*B|min_bytes: 1 kB|' hospital.yaml >"$T/hospital.yaml"
export BKP_POLICY=$T/hospital.yaml
everything=$(du -sk "$T/srv" "$T/etc" "$T/emr" "$T/log" | awk '{n += $1} END {print n}')
papers=16384 # the room that a rotation keeps for README.txt and tools/ (RESERVE_BYTES), whatever the size of the medium
disks=0
mkdir -p "$FAKEDISK/run/udev/data"
medium() { # NAME TB: on the shelf; a tape or disk of its own (it has a UUID) that has them free beside the papers
	local n=240:$((++disks))
	mkdir -p "$S/$1" "$M/$1"
	mknod "$FAKEDISK/$n" b 240 "$disks"
	echo "E:ID_FS_UUID=${n/:/-}" >"$FAKEDISK/run/udev/data/b$n"
	mount -t tmpfs -o size=$(($2 * 1000 + papers + 400))k,mode=0755 "$FAKEDISK/$n" "$S/$1"
	[ "$(($2 * 1000))" -lt "$everything" ] || die "$1 could hold everything"
}
attach() { mount --bind "$S/$1" "$M/$1"; }
detach() { umount "$M/$1"; }
[ -s "$T/id.txt" ] || age-keygen -o "$T/id.txt" 2>/dev/null
export "${FAKE_ENV[@]}" FAKEDISK
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
# as many as there are: name and size
while read -r name size; do medium "$name" "$size"; done <<-Y
	backup-storage 20
	image-storage 47
	LTO-A1 4
	LTO-A2 18
	LTO-P1 18
	LTO-P2 18
	LTO-P3 18
	LTO-P4 18
	RDX-01 8
	RDX-02 8
Y
for m in "$S"/*; do
	attach "${m##*/}"
	"$BKP" --quiet medium add "${m##*/}" --path "$M/${m##*/}" || die "medium add ${m##*/}"
	case $m in *-storage) ;; *) detach "${m##*/}" ;; esac
done
wanted() { # MEDIUM: its data sets, as the policy says
	"$BKP" check --json | python3 -c 'import json, sys
print(*sorted([m["datasets"] for m in json.load(sys.stdin)["media"] if m["name"] == sys.argv[1]][0]))' "$1"
}
stands() {
	(cd "$(repo_of "$S/$1")/datasets" && for d in *; do ls "$d/generations" >/dev/null 2>&1 && printf '%s ' "$d"; done | sed 's/ $//')
}
expect 0 "$BKP" run --all
for m in backup-storage image-storage; do
	[ "$(stands $m)" = "$(wanted $m)" ] || die "$m holds '$(stands $m)', not '$(wanted $m)'"
done
for m in LTO-A2 LTO-P1 LTO-P2 LTO-P3 LTO-P4 RDX-01 RDX-02; do
	attach $m
	expect 0 "$BKP" rotate $m --operator "$W"
	detach $m
	expect 0 "$BKP" medium move $m --operator "$W"
	[ "$(stands $m)" = "$(wanted $m)" ] || die "$m holds '$(stands $m)', not '$(wanted $m)'"
done
# a tape that is too small even for what it is to hold: the documents (3 TB) do not come, not even in part; all that is more urgent does
attach LTO-A1
expect 2 "$BKP" rotate LTO-A1 --operator "$W"
said 'documents@1'
detach LTO-A1
[ "$(stands LTO-A1)" = "config emr emr-orders key-images logs orca ssmix2 viewer" ] || die "LTO-A1 holds '$(stands LTO-A1)'"
[ -z "$(find "$(repo_of "$S/LTO-A1")" -path '*documents*' -type f)" ] || die "a part of the documents is on it"
"$RESTORE" --medium "$S/LTO-A1" verify 1 --quiet >"$T/out" 2>&1 || [ $? = 1 ] || fail "what did come is not whole"
# RDX-01 alone, and the identity: the records and what is looked at, whole; the rest of that night is named
rm -rf "$T/back"
expect 1 "$RESTORE" --medium "$S/RDX-01" --identity "$T/id.txt" extract 1 --to "$T/back"
said "E-RESTORE-02.*pacs-1@1|E-RESTORE-02.*documents@1"
diff -r "$T/emr" "$T/back/emr" >&2 && diff -r "$T/srv/viewer" "$T/back/viewer$T/srv/viewer" >&2 || die "what came back differs"
# 3-2-1 is judged for each data set from the media that hold it
status "$BKP" status --json
python3 - "$T/out" <<'P' || fail "the verdicts"
import json, sys
s = json.load(open(sys.argv[1]))
assert len(s["datasets"]) == 12
for d in s["datasets"]:
    assert d["three"]["have"] >= 3 and d["one"]["verdict"] == "met", d
P
say "hospital.yaml, 1 TB as 1 MB: ten media of which none can hold everything; each has the data sets that it is to hold, and of a tape" \
	"that is too small for those the most urgent ones, whole; one RDX disk brings records and viewer back; 3-2-1 for each data set"

# ---- clinic.yaml likewise: the NAS and two SSDs of which each can hold everything, one is away, and it alone brings all of it back
C=$T/clinic W=事務長
fill "$C/srv/emr/attachments" 80 40; fill "$C/srv/emr/viewer" 10; fill "$C/images" 800 60; fill "$C/etc" 2; fill "$C/srv/kitei" 1
fill "$C/dumps" 20 3
echo x >"$C/srv/emr/attachments/Thumbs.db"
sed -e "s|^state: .*|state: $C/state|; s|/srv/|$C/srv/|g; s|/etc,|$C/etc,|; s|/var/lib/orthanc/db-v6|$C/images|; s|^notify: .*||" \
	-e "s|/mnt/nas/bkp|$M/clinic-nas|; s|language: ja|language: en|; s|systemctl s[a-z]* orthanc|true|" \
	-e "s|pg_dump -Fc emr|cat $C/dumps/1|; s|pg_dump -Fc orca|cat $C/dumps/2|; s|pg_dumpall -g|cat $C/dumps/3|" \
	-e 's|probe: psql .*|probe: echo 1|; s|content: pgdump[a-z]*, ||; s|min_bytes: [0-9]* [MG]*i*B|min_bytes: 1 kB|' clinic.yaml \
	>"$C/clinic.yaml"
export BKP_POLICY=$C/clinic.yaml
everything=999999999 # of these each can hold it
for m in clinic-nas SSD-01 SSD-02; do medium $m 4; attach $m; done
"$BKP" init --root-key-out "$C/root.key" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
for m in nas:clinic-nas SSD-01:SSD-01 SSD-02:SSD-02; do "$BKP" --quiet medium add "${m%:*}" --path "$M/${m#*:}" || die "medium add $m"; done
detach SSD-02
expect 0 "$BKP" medium move SSD-02 --operator "$W" --place "院長自宅 耐火金庫"
expect 0 "$BKP" run --all
expect 0 "$BKP" rotate SSD-01 --operator "$W"
detach SSD-01
expect 0 "$BKP" medium move SSD-01 --operator "$W"
for m in clinic-nas SSD-01; do
	[ "$(stands $m)" = "attachments config emr emr-roles images orca viewer" ] || die "$m holds '$(stands $m)'"
done
rm -rf "$T/back"
expect 0 "$RESTORE" --medium "$S/SSD-01" --identity "$T/id.txt" extract 1 --to "$T/back"
rm "$C/srv/emr/attachments/Thumbs.db" # excluded
diff -r "$C/srv/emr/attachments" "$T/back/attachments$C/srv/emr/attachments" >&2 && diff -r "$C/images" "$T/back/images$C/images" >&2 &&
	cmp "$C/dumps/1" "$T/back/emr/emr.dump" || die "what came back differs"
status "$BKP" status --json
python3 - "$T/out" <<'P' || fail "the verdicts"
import json, sys
s = json.load(open(sys.argv[1]))
assert len(s["datasets"]) == 7
assert {m["label"]: m["offline_kind"] for m in s["media"]} == {"nas": None, "SSD-01": "removed", "SSD-02": "removed"}
for d in s["datasets"]:
    assert d["three"]["have"] == 3 and d["one"]["have"] == 1, d
P
say "clinic.yaml, 1 TB as 1 MB: seven data sets on the NAS and on an SSD that is away, which alone brings all of them back; 3-2-1 for each"
