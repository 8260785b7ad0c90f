#!/bin/bash
# Goal: policies/postgresql.yaml, its commands untouched, dumps a real PostgreSQL server while pgbench writes to it and patients are
# registered, as cron would start it; restored from a medium into a second server.  The probe must be equal although what it counts
# grows during the dump; psql, PostgreSQL's own checkers and pgbench's invariant (the sums of all balances and of the history are
# equal in every committed state) are the judges.  The base backup is scenario 84.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
. "$(dirname "$0")/../lib/hospital.sh"

# ---- the hospital's server
hospital_new "$T/first" 54380
mkdir -p "$T/kitei"
cp "$SRC_ROOT/policies/procedures/emr-postgresql.md" "$T/kitei/"
policy_of postgresql "s|/etc/postgresql|$T/etc|" 's|min_bytes: 100 MiB|min_bytes: 100 KiB|' \
	"s|^# procedures: .*|procedures: [$T/kitei/emr-postgresql.md]|" \
	"s|/run/bkp-emr|$T/run/emr|"
nightly_env "PGHOST=$T/run" PGPORT=54380

# ---- the night: everything is written to before, during and after
hospital_open 54380
before=$(hospital_written)
patients=$(pg_sql 54380 emr -c 'select count(*) from patient')
expect 0 nightly "$BKP" run emr emr-roles pg-config
hospital_busy || die "the ward's writing ended before the capture: nothing was proved"
after=$(hospital_written)
[ "$after" -gt "$before" ] || die "nothing was written during the capture"
later=$(pg_sql 54380 emr -c 'select count(*) from patient')
say "captured while pgbench committed $((after - before)) transactions and patients went from $patients to $later, from an environment of" \
	"PATH and HOME only"

# a pg_dump that fails in the middle, and one that ends well but is cut: neither is stored
mkdir "$T/shim"
for how in 'exit 3' 'exit 0'; do
	printf '#!/bin/sh\n%s/pg_dump "$@" | head -c 150000\n%s\n' "$PG" "$how" >"$T/shim/pg_dump"
	chmod +x "$T/shim/pg_dump"
	NIGHTLY_PATH=$T/shim:/usr/bin:/bin expect 2 nightly "$BKP" run emr
done
pg_sql 54380 emr -c 'alter table patient rename to elsewhere'
expect 2 nightly "$BKP" run emr
grep -q 'patient.*does not exist' "$T/out" "$T/err" || fail "it is not said what the probe did not find"
pg_sql 54380 emr -c 'alter table elsewhere rename to patient'
say "a pg_dump that fails, a dump that is cut, a probe that finds no table: the data set fails, and what psql said is repeated"
hospital_close 54380

# ---- the dump and the roles, into a second server
hospital_fingerprint pg_sql 54380 emr >"$T/truth"
hospital_roles 54380 >"$T/roles.truth"
pg_stop "$T/first"
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 1 --to "$T/r"
pg_new "$T/second" 54381
grep -v '^CREATE ROLE postgres;$' "$T/r/emr-roles/roles.sql" | pg_sql 54381 postgres >/dev/null
as postgres "$PG/pg_restore" -h "$T/run" -p 54381 -d postgres --create --exit-on-error <"$T/r/emr/emr.dump"
hospital_consistent "restored dump" "$before" "$after" pg_sql 54381 emr
hospital_fingerprint pg_sql 54381 emr | cmp - "$T/truth" || die "the restored tables differ"
hospital_roles 54381 | cmp - "$T/roles.truth" || die "roles, passwords or memberships differ"
as postgres "$PG/pg_amcheck" -h "$T/run" -p 54381 --install-missing emr
[ "$(pg_sql 54381 emr -c "select has_table_privilege('nurse', 'patient', 'select'), has_table_privilege('nurse', 'orders', 'select')")" \
	= 't|f' ] || die "what a nurse may read differs"
found=$(pg_sql 54381 emr -c 'select count(*) from patient')
[ "$(recorded_probe 1 emr)" = "$found" ] || die "the probe is $(recorded_probe 1 emr), the second server counts $found"
[ "$found" -ge "$patients" ] && [ "$found" -lt "$later" ] || die "$found patients, captured between $patients and $later"
pg_stop "$T/second"
say "a second server has equal tables, roles and privileges; every balance agrees; its $found patients are the probe, between $patients" \
	"and $later"

# ---- the procedure, from the medium alone
hospital_attest 8
expect 0 hospital_drill emr-postgresql "$T/drill"
[ "$(drill_field "$T/drill" "d['verdict'], [(s['check']['expected'], s['check']['found']) for s in d['steps'] if s['id'] == 'patients']")" \
	= "('passed', [('$found', '$found')])" ] ||
	die "the drill's probe"
[ ! -e "$T/drill/scratch" ] && [ "$(drill_field "$T/drill" "d['erased']['ok']")" = True ] || die "patients' data were left behind"
! pgrep -f "$T/drill/scratch" >/dev/null || die "a server still runs"
say "the drill: the probe of the night is equal in a new server, which is stopped and erased"
