#!/bin/bash
# Goal: policies/postgresql.yaml, its commands untouched, captures a real PostgreSQL server while pgbench writes to it, as cron
# would start it; each of its three ways is restored from a medium into a second server.  psql, PostgreSQL's own checkers and
# pgbench's invariant (the sums of all balances and of the history are equal in every committed state) are the judges.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"

# ---- the hospital's server
pg_new "$T/first" 54380
as postgres "$PG/createdb" -h "$T/run" -p 54380 emr
pg_sql 54380 emr <<'S'
create table patient (id int primary key, name text not null, born date);
insert into patient select i, '患者 ' || i || E' O''Neil "$(id)" `id` \\ ;', date '1930-01-01' + i from generate_series(1, 2345) i;
create table orders (id bigserial primary key, patient int references patient, ordered_at timestamptz, item text);
insert into orders (patient, ordered_at, item)
	select 1 + i % 2345, timestamptz '2026-11-21 17:00:00+09' - i * interval '1 minute', 'item ' || i from generate_series(1, 10000) i;
create role nurse login password 'only-for-this-test';
create role ward nologin;
grant ward to nurse;
grant select on patient to ward;
S
as postgres "$PG/pgbench" -h "$T/run" -p 54380 -i -s 2 -q emr >/dev/null 2>&1
mkdir -p "$T/etc/15/main"
cp "$T/first/postgresql.conf" "$T/etc/15/main/"

mkdir -p "$T/kitei"
cp "$SRC_ROOT/policies/procedures/emr-postgresql.md" "$SRC_ROOT/policies/procedures/emr-basebackup.md" "$T/kitei/"
policy_of postgresql "s|/etc/postgresql|$T/etc|" 's|min_bytes: 100 MiB|min_bytes: 100 KiB|' "s|^# procedures: |procedures: |" "s|/srv/kitei|$T/kitei|g"
NIGHTLY_ENV=("PGHOST=$T/run" PGPORT=54380)

# ---- the night: pgbench writes before, during and after
as postgres "$PG/pgbench" -h "$T/run" -p 54380 -c 2 -n -T 120 emr >"$T/pgbench" 2>&1 &
bench=$!
written() { pg_sql 54380 emr -c 'select count(*) from pgbench_history'; }
writes() { [ "$(written)" -gt 0 ]; }
wait_for "pgbench writes" writes
before=$(written)
expect 0 nightly "$BKP" run --all
kill -0 $bench || die "pgbench ended before the capture: nothing was proved"
after=$(written)
[ "$after" -gt "$before" ] || die "nothing was written during the capture"
pg_sql 54380 postgres -c "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'pgbench'" >/dev/null
wait $bench || true
say "captured while pgbench committed $((after - before)) transactions, from an environment of PATH and HOME only"

# ---- what a consistent state must hold, and what did not change
balance() { "$@" -c "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from pgbench_branches),
	(select sum(tbalance) from pgbench_tellers), (select sum(delta) from pgbench_history)"; }
consistent() { # WHERE COMMAND...: and it is of the time between
	local where=$1 b n
	shift
	b=$(balance "$@")
	[ "$(tr '|' '\n' <<<"$b" | sort -u | wc -l)" = 1 ] || die "$where: balances differ: $b"
	n=$("$@" -c 'select count(*) from pgbench_history')
	[ "$n" -ge "$before" ] && [ "$n" -le "$after" ] || die "$where: $n transactions, captured between $before and $after"
}
fingerprint() { "$@" -c "select (select md5(string_agg(p::text, '|' order by id)) from patient p), (select md5(string_agg(o::text, '|' order by id)) from orders o)"; }
fingerprint pg_sql 54380 emr >"$T/truth"
as postgres "$PG/pg_dumpall" -h "$T/run" -p 54380 -g | grep -v '^-- \|^\\' >"$T/roles.truth"
# a server with a tablespace cannot be captured that way: that is said, never passed over
install -d -o postgres -g postgres "$T/space"
pg_sql 54380 emr -c "create tablespace ward location '$T/space'"
expect 2 nightly "$BKP" run emr-base
grep -q 'tablespace' "$T/out" "$T/err" || { cat "$T/out" "$T/err" >&2; die "it is not said why"; }
say "pg_basebackup of a server with a tablespace fails, and why is said"
pg_stop "$T/first"

# ---- the dump and the roles, into a second server
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 1 --to "$T/r"
pg_new "$T/second" 54381
grep -v '^CREATE ROLE postgres;$' "$T/r/emr-roles/roles.sql" | pg_sql 54381 postgres >/dev/null
as postgres "$PG/pg_restore" -h "$T/run" -p 54381 -d postgres --create --exit-on-error <"$T/r/emr/emr.dump"
consistent "restored dump" pg_sql 54381 emr
fingerprint pg_sql 54381 emr | cmp - "$T/truth" || die "the restored tables differ"
as postgres "$PG/pg_dumpall" -h "$T/run" -p 54381 -g | grep -v '^-- \|^\\' | cmp - "$T/roles.truth" || die "roles, passwords or memberships differ"
as postgres "$PG/pg_amcheck" -h "$T/run" -p 54381 --install-missing emr
"$RESTORE" --lang en --medium "$T/m1" --identity "$T/id.txt" verify 1 --deep >"$T/deep" 2>&1 || { cat "$T/deep" >&2; die "verify --deep"; }
grep -q "emr.*\b$(pg_sql 54381 emr -c 'select count(*) from patient')\b" "$T/deep" || { cat "$T/deep" >&2; die "the probe is not what the second server counts"; }
pg_stop "$T/second"
say "pg_dump and pg_dumpall -g: the second server has equal tables, roles and probe; every balance agrees; pg_amcheck is content"

# ---- the base backup, by its procedure
cat >"$T/attest.yaml" <<'Y'
by: 事務長
answers:
  - {step: 1, answer: yes}
  - {step: 2, answer: yes}
  - {step: 8, answer: yes, by: 医事課 鈴木}
Y
proc=$(echo "$T"/m1/*-*-*-*-*/procedures/emr-basebackup.md)
drill() { # DIR
	"$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" drill "$proc" --to "$1" --generation 1 --set "pgbin=$PG" --attest "$T/attest.yaml" --operator 事務長 "${@:2}"
}
expect 0 drill "$T/drill1" --keep
[ "$(drill_field "$T/drill1" "d['verdict']")" = passed ] || die "verdict"
probes=$(drill_field "$T/drill1" "[s['check']['found'] for s in d['steps'] if s['id'] == 'orders' and s['check']['found'] == s['check']['expected']]")
[ "$probes" = "['10000|2026-11-21 16:59:00']" ] || die "the newest order: $probes"
sed -n 's/.*\(redo starts at.*\|database system was not properly.*\|starting backup recovery.*\|consistent recovery state.*\)/\1/p' "$T/drill1/scratch/run/server.log" >"$T/redo"
grep -q 'redo starts' "$T/redo" || { cat "$T/drill1/scratch/run/server.log" >&2; die "no WAL was replayed"; }
as postgres "$PG/pg_ctl" -D "$T/drill1/scratch/emr-base" -l /dev/null -w start >/dev/null
base() { as postgres "$PG/psql" -h "$T/drill1/scratch/run" -p 54398 -X -A -t -q -d emr "$@"; }
consistent "base backup" base
fingerprint base | cmp - "$T/truth" || die "the tables of the base backup differ"
as postgres "$PG/pg_ctl" -D "$T/drill1/scratch/emr-base" -m fast -w stop >/dev/null
say "pg_basebackup as a tar stream: pg_verifybackup, replay of its WAL, probe, pg_amcheck, pg_checksums, every balance: all content"

expect 0 drill "$T/drill2"
[ ! -e "$T/drill2/scratch" ] && [ "$(drill_field "$T/drill2" "d['erased']['ok']")" = True ] || die "patients' data were left behind"
say "the drill stops its server and erases what it restored"
