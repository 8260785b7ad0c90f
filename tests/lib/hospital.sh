# shellcheck shell=bash
# A hospital's database "emr" on a real PostgreSQL server, with a ward that writes to it, for scenario tests.
# Sourced behind site.sh and servers.sh.
#
#   hospital_new DIR PORT      patients, orders up to yesterday, roles with a password and a membership, pgbench's tables
#   hospital_open PORT         the ward begins: pgbench's own transactions, registered patients, today's orders; returns when it writes
#   hospital_written           committed transactions of pgbench      hospital_busy   does the ward still write?
#   hospital_close PORT        the ward ends
#   hospital_consistent WHERE BEFORE AFTER PSQL...   all balances agree, and the state is one between those two counts
#   hospital_fingerprint PSQL...   every row that the ward does not touch      hospital_roles PORT
#   hospital_attest STEP       $T/attest.yaml: steps 1, 2 and STEP confirmed
#   hospital_drill PROCEDURE DIR [ARGUMENT...]   of run 1, the procedure as it lies on the medium
HOSPITAL_WARD=

hospital_new() {
	local dir=$1 port=$2
	pg_new "$dir" "$port"
	as postgres "$PG/createdb" -h "$T/run" -p "$port" emr
	pg_sql "$port" emr <<'S'
create table patient (id serial primary key, name text not null, born date);
insert into patient (name, born) select '患者 ' || i || E' O''Neil "$(id)" `id` \\ ;', date '1930-01-01' + i from generate_series(1, 2345) i;
create table orders (id bigserial primary key, patient int references patient, ordered_at timestamptz, item text);
insert into orders (patient, ordered_at, item)
	select 1 + i % 2345, date_trunc('day', now(), 'Asia/Tokyo') - i * interval '1 minute', 'item ' || i
	from generate_series(1, 10000) i;
create role nurse login password 'only-for-this-test';
create role ward nologin;
grant ward to nurse;
grant select on patient to ward;
S
	as postgres "$PG/pgbench" -h "$T/run" -p "$port" -i -s 2 -q emr >/dev/null 2>&1
	mkdir -p "$T/etc/15/main"
	cp "$dir/postgresql.conf" "$T/etc/15/main/"
	cat >"$T/ward.sql" <<-'S'
	insert into patient (name, born) values ('初診', current_date);
	insert into orders (patient, ordered_at, item) values (1 + random() * 2344, now(), 'today');
	S
}

hospital_written() { pg_sql "$HOSPITAL_PORT" emr -c 'select count(*) from pgbench_history'; }
hospital_writes() {
	[ "$(pg_sql "$HOSPITAL_PORT" emr -c "select count(*) > 2345 and (select count(*) from pgbench_history) > 0 from patient")" = t ]
}
hospital_busy() { kill -0 "$HOSPITAL_WARD"; }
hospital_open() {
	HOSPITAL_PORT=$1
	as postgres "$PG/pgbench" -h "$T/run" -p "$1" -c 2 -n -T 300 -b tpcb-like@3 -f "$T/ward.sql@1" emr >"$T/pgbench" 2>&1 &
	HOSPITAL_WARD=$!
	wait_for "the ward writes" hospital_writes
}
hospital_close() {
	pg_sql "$1" postgres -c "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'pgbench'" \
		>/dev/null
	wait "$HOSPITAL_WARD" || true
}

hospital_consistent() {
	local where=$1 from=$2 to=$3 b n
	shift 3
	b=$("$@" -c "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from pgbench_branches),
		(select sum(tbalance) from pgbench_tellers), (select sum(delta) from pgbench_history)")
	[ "$(tr '|' '\n' <<<"$b" | sort -u | wc -l)" = 1 ] || die "$where: balances differ: $b"
	n=$("$@" -c 'select count(*) from pgbench_history')
	[ "$n" -ge "$from" ] && [ "$n" -le "$to" ] || die "$where: $n transactions, captured between $from and $to"
}
hospital_fingerprint() {
	"$@" -c "select (select md5(string_agg(p::text, '|' order by id)) from patient p where id <= 2345),
		(select md5(string_agg(o::text, '|' order by id)) from orders o where id <= 10000)"
}
hospital_roles() { as postgres "$PG/pg_dumpall" -h "$T/run" -p "$1" -g | grep -v '^-- \|^\\'; }

hospital_attest() {
	printf 'by: 事務長\nanswers:\n  - {step: 1, answer: yes}\n  - {step: 2, answer: yes}\n  - {step: %s, answer: yes, by: 医事課 鈴木}\n' \
		"$1" >"$T/attest.yaml"
}
hospital_drill() {
	"$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" drill "$(echo "$T"/m1/*-*-*-*-*/procedures/"$1".md)" --to "$2" \
		--at 1 \
		--set "pgbin=$PG" --attest "$T/attest.yaml" --operator 事務長 "${@:3}"
}
