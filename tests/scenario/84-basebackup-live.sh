#!/bin/bash
# Goal: policies/postgresql.yaml takes pg_basebackup of a real PostgreSQL server as a tar stream while pgbench writes to it, catalogued
# file by file; a second server is started on it by policies/procedures/emr-basebackup.md from a medium alone, replays its WAL and has
# an equal probe; pg_verifybackup, pg_amcheck, pg_checksums and pgbench's invariant are the judges.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
. "$(dirname "$0")/../lib/hospital.sh"

hospital_new "$T/first" 54384
newest=$(pg_sql 54384 emr -c "select max(ordered_at at time zone 'Asia/Tokyo') from orders")
mkdir -p "$T/kitei"
cp "$SRC_ROOT/policies/procedures/emr-basebackup.md" "$T/kitei/"
policy_of postgresql "s|/etc/postgresql|$T/etc|" 's|min_bytes: 100 MiB|min_bytes: 100 KiB|' \
	"s|^# procedures: .*|procedures: [$T/kitei/emr-basebackup.md]|" \
	"s|/run/bkp-emr|$T/run/emr|"
nightly_env "PGHOST=$T/run" PGPORT=54384

# ---- the night
hospital_open 54384
before=$(hospital_written)
expect 0 nightly "$BKP" run emr-base emr-roles
hospital_busy || die "the ward's writing ended before the capture: nothing was proved"
after=$(hospital_written)
[ "$after" -gt "$before" ] || die "nothing was written during the capture"
today=$(pg_sql 54384 emr -c "select count(*) from orders where ordered_at >= date_trunc('day', now(), 'Asia/Tokyo')")
[ "$today" -gt 0 ] || die "no order of today was written"
say "pg_basebackup while pgbench committed $((after - before)) transactions and $today orders were written, from an environment of PATH" \
	"and HOME only"
hospital_close 54384
hospital_fingerprint pg_sql 54384 emr >"$T/truth"
hospital_roles 54384 >"$T/roles.truth"

# entry by entry: one table's file can be named, and a night when nobody wrote stores little
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" list emr-base@1 >"$T/list"
file=$(pg_sql 54384 emr -c "select pg_relation_filepath('patient')")
grep -q "$file\$" "$T/list" && grep -q 'backup_manifest$' "$T/list" || die "the files of the server are not in the catalog"
stored() { du -sb "$(set_of "$T/m1" emr-base)/archives" | cut -f1; }
first=$(stored)
expect 0 nightly "$BKP" run emr-base
second=$(stored)
expect 0 nightly "$BKP" run emr-base
quiet=$(($(stored) - second))
[ "$quiet" -lt $((first / 2)) ] || die "a quiet night stored $quiet bytes, the first $first"
say "its $(wc -l <"$T/list") entries are catalogued one by one; a night when nobody wrote stores $quiet bytes, the first $first"

# a server with a tablespace cannot be captured that way: that is said, never passed over
install -d -o postgres -g postgres "$T/space"
pg_sql 54384 emr -c "create tablespace ward location '$T/space'"
expect 2 nightly "$BKP" run emr-base
grep -q 'tablespace' "$T/out" "$T/err" || fail "it is not said why"
say "pg_basebackup of a server with a tablespace fails, and why is said"
pg_stop "$T/first"

# ---- the second server, by the procedure
hospital_attest 8
expect 0 hospital_drill emr-basebackup "$T/drill1" --keep
[ "$(drill_field "$T/drill1" "d['verdict']")" = passed ] || die "verdict"
orders="[s['check'] for s in d['steps'] if s['id'] == 'orders']"
[ "$(drill_field "$T/drill1" "[(c['found'] == c['expected'], c['found'].split('|', 1)[1]) for c in $orders]")" \
	= "[(True, '10000|$newest')]" ] ||
	die "the probe: $(drill_field "$T/drill1" "$orders")"
grep -q 'redo starts' "$T/drill1/scratch/run/server.log" || fail "no WAL was replayed" "$T/drill1/scratch/run/server.log"
as postgres "$PG/pg_ctl" -D "$T/drill1/scratch/emr-base" -l /dev/null -w start >/dev/null
base() { as postgres "$PG/psql" -h "$T/drill1/scratch/run" -p 54398 -X -A -t -q -d emr "$@"; }
hospital_consistent "base backup" "$before" "$after" base
hospital_fingerprint base | cmp - "$T/truth" || die "the tables of the base backup differ"
# the roles are in the area too, and equal to what pg_dumpall -g gave that night
as postgres "$PG/pg_dumpall" -h "$T/drill1/scratch/run" -p 54398 -g | grep -v '^-- \|^\\' | cmp - "$T/roles.truth" || die "roles differ"
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract emr-roles@1 --to "$T/r"
grep -v '^-- \|^\\' "$T/r/roles.sql" | cmp - "$T/roles.truth" || die "pg_dumpall -g differs"
as postgres "$PG/pg_ctl" -D "$T/drill1/scratch/emr-base" -m fast -w stop >/dev/null
say "a second server on it: pg_verifybackup, replay of its WAL, equal probe, pg_amcheck, pg_checksums, roles, every balance: all content"

# a file of the area that is lost is found by PostgreSQL's own manifest before anything is started
sed "s|^  \"\$pgbin/pg_verifybackup\"|  rm \"\$scratch/emr-base/$file\"\n&|" "$T/kitei/emr-basebackup.md" >"$T/lost.md"
expect 2 "$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" drill "$T/lost.md" --to "$T/drill2" --at 1 --set "pgbin=$PG" \
	--attest "$T/attest.yaml" --operator 事務長
[ "$(drill_field "$T/drill2" "d['verdict'], [s['mark'] for s in d['steps'] if s['id'] == 'manifest']")" = "('failed', ['failed'])" ] ||
	die "a lost file was not found"
[ ! -e "$T/drill2/scratch" ] && [ "$(drill_field "$T/drill2" "d['erased']['ok']")" = True ] || die "patients' data were left behind"
! pgrep -f "$T/drill2/scratch" >/dev/null || die "a server still runs"
say "a lost table is found by pg_verifybackup in the drill, which erases what it restored all the same"
