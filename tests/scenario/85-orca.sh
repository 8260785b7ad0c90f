#!/bin/bash
# Goal: policies/orca-clinic.yaml, its commands untouched: a real PostgreSQL with a database orca in EUC-JP where patients are being
# registered, its roles, files, scanned documents and images (Orthanc itself is scenario 82); its procedure is drilled: equal probe.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
trees() { python3 "$SRC_ROOT/tests/lib/clinical.py" "$@"; }

pg_new "$T/first" 54385
as postgres "$PG/createdb" -h "$T/run" -p 54385 -T template0 -E EUC_JP --locale=C orca
pg_sql 54385 orca <<'S'
set client_encoding = utf8;
create role orca login password 'only-for-this-test';
alter database orca owner to orca;
create table tbl_ptinf (hospnum numeric(2), ptid numeric(10), kananame varchar(60), name varchar(60), birthday char(8),
	primary key (hospnum, ptid));
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
sqlite3 "$T/images/index" 'create table Resources (internalId integer primary key, resourceType integer);
	insert into Resources (resourceType) values (1), (2), (3), (4)'
printf '#!/bin/sh\necho "$*" >>%s/calls\n' "$T" >"$T/shim/systemctl"
chmod +x "$T/shim/systemctl"
cp "$SRC_ROOT/policies/procedures/orca.md" "$SRC_ROOT/policies/procedures/orthanc.md" "$T/kitei/"
policy_of orca-clinic "s|/etc/jma-receipt, /var/lib/jma-receipt|$T/etc/jma-receipt, $T/var/jma-receipt|" "s|/srv/documents|$T/documents|" \
	"s|/var/lib/orthanc/db-v6|$T/images|" 's|min_bytes: 50 MiB|min_bytes: 8 KiB|' 's|min_entries: 1000|min_entries: 20|' \
	"s|^# procedures: |procedures: |" "s|/srv/kitei|$T/kitei|g" "s|/run/bkp-orca|$T/run/orca|"
export NIGHTLY_PATH=$T/shim:/usr/bin:/bin
nightly_env "PGHOST=$T/run" PGPORT=54385
patients() { pg_sql 54385 orca -c 'select count(*) from tbl_ptinf'; }
# the reception registers patients all the while
echo "insert into tbl_ptinf select 1, max(ptid) + 1, 'テスト', '初診', '20000101' from tbl_ptinf" >"$T/reception.sql"
PGCLIENTENCODING=UTF8 as postgres "$PG/pgbench" -h "$T/run" -p 54385 -c 1 -n -T 300 -f "$T/reception.sql" orca >"$T/pgbench" 2>&1 &
reception=$!
registered() { [ "$(patients)" -gt 1234 ]; }
wait_for "the reception registers" registered
before=$(patients)
expect 0 nightly "$BKP" run --all
kill -0 $reception || die "the reception ended before the capture: nothing was proved"
after=$(patients)
pg_sql 54385 postgres -c "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'pgbench'" >/dev/null
wait $reception || true
night=$(recorded_probe 1 orca)
[ "$night" -ge "$before" ] && [ "$night" -lt "$after" ] || die "the probe is $night, captured between $before and $after"
[ "$(cat "$T/calls")" = "$(printf 'stop orthanc\nstart orthanc')" ] || die "Orthanc was not stopped and started"
restore_to "$T/m1" 1 "$T/back" documents >/dev/null 2>&1
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/documents/" "$T/back$T/documents/")" ] || die "the documents differ"
rows() { "$@" -c "set client_encoding = utf8; select md5(string_agg(p::text, '|' order by ptid)),
	(select count(*) from tbl_jyurrk) from tbl_ptinf p where ptid <= 1234"; }
rows pg_sql 54385 orca >"$T/truth"
pg_stop "$T/first"
recovery_set_up
printf '  - {step: %s, answer: yes, note: 控え}\n' 1 2 eyes >>"$T/attest.yaml"
bring_back() { # drill|recover DIR [OPTION...]
	"$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" "$1" "$(echo "$T"/m1/*-*-*-*-*/procedures/orca.md)" --to "$2" \
		--set "pgbin=$PG" --set "virusdb=$T/virus" --attest "$T/attest.yaml" --operator 事務長 "${@:3}"
}
expect 0 bring_back drill "$T/drill"
[ "$(drill_field "$T/drill" "d['verdict'], [s['check']['found'] for s in d['steps'] if s['id'] == 'patients'], d['erased']['ok']")" \
	= "('passed', ['$night'], True)" ] || die "the drill"
[ ! -e "$T/drill/scratch" ] && ! pgrep -f "$T/drill/scratch" >/dev/null || die "something was left behind"

# ---- the recovery, by the same document: onto another disk, the server of the clinic being gone
echo "confirm: orca@1 orca-roles@1 orca-files@1" >>"$T/attest.yaml"
expect 0 bring_back recover "$T/o/recovery" --set "cluster=$T/o/cluster"
again_sql() { as postgres "$PG/psql" -h "$T/o/cluster" -p 54397 -X -A -t -q -d orca "$@"; }
rows again_sql | cmp - "$T/truth" || die "the restored tables differ"
[ "$(again_sql -c "select tableowner from pg_tables where tablename = 'tbl_ptinf'")$(again_sql -c 'show server_encoding')" = orcaEUC_JP ] ||
	die "owner or encoding"
[ "$(again_sql -c 'select count(*) from tbl_ptinf')" = "$night" ] || die "patients"
as postgres "$PG/pg_ctl" -D "$T/o/cluster" -m fast -w stop >/dev/null
say "ORCA: database (EUC-JP), roles, files, documents and images; $night patients as counted that night between $before and $after;" \
	"drilled, erased; recovered by the same document with gates signed: rows, owners and encoding as they were"
