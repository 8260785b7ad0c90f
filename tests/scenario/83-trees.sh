#!/bin/bash
# Goal: the policies for trees of files, their probes and expectations untouched but for the numbers: policies/ss-mix2.yaml (an
# export that has silently stopped, a tree that is half away), policies/pacs.yaml (only new studies are stored; images that are no
# longer DICOM show in the probe; a mount that was not entered is named), policies/orca-clinic.yaml (a real PostgreSQL with a
# database orca, its files, documents, images; its procedure is drilled).
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
trees() { python3 "$SRC_ROOT/tests/lib/clinical.py" "$@"; }
again() { # a new site
	thaw "$T/m1" "$T/m2"
	rm -rf "$T/state" "$T/m1" "$T/m2" "$T/back"
}
probe() { # GENERATION DATASET: the value that the generation holds, as who has the recovery identity sees it
	"$RESTORE" --lang en --medium "$T/m1" --identity "$T/id.txt" verify "$1" --deep --json 2>/dev/null |
		python3 -c 'import json, sys; print([d["value"] for d in json.load(sys.stdin)["probes"] if d["dataset"] == sys.argv[1]][0])' "$2"
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
probe 1 ssmix2 | cmp - "$T/truth" || die "the probe is not the number of messages of each kind"
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
[ "$(probe 1 pacs)" = "$(printf '80\n./2026/11/20\nDICM %d/%d' "$day" "$day")" ] || die "the probe: $(probe 1 pacs)"
trees pacs "$A" 20261121 10
was=$(du -sb "$(repo_of "$T/m1")/archives" | cut -f1)
expect 0 nightly "$BKP" run pacs
new=$(find "$A/2026/11/21" -name '*.dcm' -printf '%s\n' | awk '{s += $1} END {print s}')
stored=$(($(du -sb "$(repo_of "$T/m1")/archives" | cut -f1) - was))
[ "$stored" -ge "$new" ] && [ "$stored" -le $((new + new / 2)) ] || die "$stored bytes stored for $new bytes of new studies"
restore_to "$T/m1" 2 "$T/back" pacs >/dev/null 2>&1
[ -z "$(rsync -aHAXnc --delete --itemize-changes --exclude incoming --exclude '*.part' "$A/" "$T/back$A/")" ] || die "the restored archive differs"
say "PACS: of three days only the new studies were stored ($stored bytes for $new); restored equal by rsync; what had not arrived is left out"
find "$A/2026/11/21" -name 'CT000001.dcm' -exec sh -c 'head -c 2000 /dev/urandom >"$1"' sh {} \;
status nightly "$BKP" run pacs
n=$(find "$A/2026/11/21" -name '*.dcm' | wc -l)
[ "$(probe 3 pacs | tail -n 1)" = "DICM $((n - 10))/$n" ] || die "the probe does not show what is no longer DICOM: $(probe 3 pacs)"
mount -t tmpfs none "$A/mounted"
status nightly "$BKP" run pacs
umount "$A/mounted"
said "W-FILE-06.*mounted"
say "PACS: ten images that are no longer DICOM show in the probe; a mount that was not entered is named"

# ---- ORCA
again
pg_new "$T/first" 54385
as postgres "$PG/createdb" -h "$T/run" -p 54385 -T template0 -E EUC_JP --locale=C orca
pg_sql 54385 orca <<'S'
set client_encoding = utf8;
create role orca login password 'only-for-this-test';
alter database orca owner to orca;
create table tbl_ptinf (hospnum numeric(2), ptid numeric(10), kananame varchar(60), name varchar(60), birthday char(8), primary key (hospnum, ptid));
insert into tbl_ptinf select 1, i, 'テスト', '患者 ' || i, '19600101' from generate_series(1, 1234) i;
create table tbl_jyurrk (hospnum numeric(2), ptid numeric(10), sryymd char(8), foreign key (hospnum, ptid) references tbl_ptinf);
insert into tbl_jyurrk select 1, 1 + i % 1234, '20261120' from generate_series(1, 5000) i;
alter table tbl_ptinf owner to orca;
alter table tbl_jyurrk owner to orca;
S
mkdir -p "$T/etc/jma-receipt" "$T/var/jma-receipt" "$T/images" "$T/shim" "$T/kitei"
echo 'DBENCODING=EUC-JP' >"$T/etc/jma-receipt/jma-receipt.conf"
echo 様式 >"$T/var/jma-receipt/form.red"
trees scans "$T/documents" 150
# stands for Orthanc, which is scenario 82: its index with a patient, and a systemctl that only notes what it is asked
trees dicom "$T/images" 24
sqlite3 "$T/images/index" 'create table Resources (internalId integer primary key, resourceType integer); insert into Resources (resourceType) values (1), (2), (3), (4)'
printf '#!/bin/sh\necho "$*" >>%s/calls\n' "$T" >"$T/shim/systemctl"
chmod +x "$T/shim/systemctl"
cp "$SRC_ROOT/policies/procedures/orca.md" "$SRC_ROOT/policies/procedures/orthanc.md" "$T/kitei/"
policy_of orca-clinic "s|/etc/jma-receipt, /var/lib/jma-receipt|$T/etc/jma-receipt, $T/var/jma-receipt|" "s|/srv/documents|$T/documents|" \
	"s|/var/lib/orthanc/db-v6|$T/images|" 's|min_bytes: 50 MiB|min_bytes: 20 KiB|' 's|min_entries: 1000|min_entries: 20|' "s|^# procedures: |procedures: |" "s|/srv/kitei|$T/kitei|g"
export NIGHTLY_PATH=$T/shim:/usr/bin:/bin
NIGHTLY_ENV=("PGHOST=$T/run" PGPORT=54385)
export NIGHTLY_ENV
expect 0 nightly "$BKP" run --all
[ "$(probe 1 orca)" = 1234 ] || die "the patients: $(probe 1 orca)"
[ "$(cat "$T/calls")" = "$(printf 'stop orthanc\nstart orthanc')" ] || die "Orthanc was not stopped and started"
restore_to "$T/m1" 1 "$T/back" documents >/dev/null 2>&1
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/documents/" "$T/back$T/documents/")" ] || die "the documents differ"
rows() { "$@" -c "set client_encoding = utf8; select md5(string_agg(p::text, '|' order by ptid)), (select count(*) from tbl_jyurrk) from tbl_ptinf p"; }
rows pg_sql 54385 orca >"$T/truth"
pg_stop "$T/first"
printf 'by: 事務長\nanswers:\n' >"$T/attest.yaml"
for i in 1 2 10; do echo "  - {step: $i, answer: yes}" >>"$T/attest.yaml"; done
drill() { # DIR
	"$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" drill "$(echo "$T"/m1/*-*-*-*-*/procedures/orca.md)" --to "$1" --set "pgbin=$PG" --attest "$T/attest.yaml" --operator 事務長 "${@:2}"
}
expect 0 drill "$T/drill1"
[ "$(drill_field "$T/drill1" "d['verdict'], [s['check']['found'] for s in d['steps'] if s['id'] == 'patients'], d['erased']['ok']")" = "('passed', ['1234'], True)" ] || die "the drill"
[ ! -e "$T/drill1/scratch" ] || die "patients' data were left behind"
expect 0 drill "$T/drill2" --keep
as postgres "$PG/pg_ctl" -D "$T/drill2/scratch/pg" -l /dev/null -w start >/dev/null
again_sql() { as postgres "$PG/psql" -h "$T/drill2/scratch/run" -p 54397 -X -A -t -q -d orca "$@"; }
rows again_sql | cmp - "$T/truth" || die "the restored tables differ"
[ "$(again_sql -c "select tableowner from pg_tables where tablename = 'tbl_ptinf'")$(again_sql -c 'show server_encoding')" = orcaEUC_JP ] || die "owner or encoding"
say "ORCA: database (EUC-JP), roles, files, documents and images; the drill: 1234 patients, their rows, owners and encoding, erased"
