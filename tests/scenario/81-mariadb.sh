#!/bin/bash
# Goal: policies/mariadb.yaml, its command untouched, dumps a real MariaDB server while it is written to, as cron would start it,
# with the password in ~/.my.cnf only; restored into a second server by policies/procedures/mariadb.md and by hand: equal probe,
# equal CHECKSUM TABLE, books that balance.  A dump that is cut short is caught.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"

# ---- the clinic's server
my_new "$T/first"
my_sql "$T/first" <<'S'
create database emr character set utf8mb4;
use emr;
create table patient (id int primary key, name varchar(200) not null, born date, photo blob) engine=InnoDB;
insert into patient select seq, concat('患者 ', seq, ' O''Neil "$(id)" `id` \\ ;😀'),
	date '1930-01-01' + interval seq day, unhex(md5(seq)) from seq_1_to_2345;
create table orders (id bigint auto_increment primary key, patient int not null, ordered_at datetime(3), item varchar(80),
	foreign key (patient) references patient (id)) engine=InnoDB;
insert into orders (patient, ordered_at, item)
	select 1 + seq % 2345, curdate() - interval seq minute, concat('item ', seq) from seq_1_to_20000;
create table account (id int primary key, balance bigint not null) engine=InnoDB;
insert into account select seq, 1000 from seq_1_to_500;
create table book (id bigint auto_increment primary key, debit int, credit int, amount int) engine=InnoDB;
create view newest as select max(ordered_at) at from orders;
create table seen (id int primary key) engine=InnoDB;
delimiter //
create trigger patient_seen after insert on patient for each row insert into seen values (new.id)//
create function sum_of(a int) returns bigint reads sql data return (select balance from account where id = a)//
create event tidy on schedule every 1 day do delete from seen//
create procedure work(n int)
begin
	declare i, a, b, m int default 0;
	while i < n do
		set a = 1 + floor(rand() * 250), b = 251 + floor(rand() * 250), m = floor(rand() * 100), i = i + 1;
		start transaction;
		update account set balance = balance - m where id = a;
		do sleep(0.0005);
		update account set balance = balance + m where id = b;
		insert into book (debit, credit, amount) values (a, b, m);
		insert into orders (patient, ordered_at, item) values (1 + i % 2345, now(3), 'today');
		commit;
	end while;
end//
delimiter ;
create user bkp@localhost identified by 'only-for-this-test';
grant select, show view, trigger, event, lock tables, reload, process on *.* to bkp@localhost;
create user nurse@localhost identified by 'another-for-this-test';
grant select on emr.* to nurse@localhost;
S
mkdir -p "$T/etc" "$T/kitei"
cp /etc/mysql/mariadb.cnf "$T/etc/"
cp "$SRC_ROOT/policies/procedures/mariadb.md" "$T/kitei/"
policy_of mariadb "s|/etc/mysql|$T/etc|" 's|min_bytes: 100 MiB|min_bytes: 100 KiB|' "s|^# procedures: |procedures: |" \
	"s|/srv/kitei|$T/kitei|g"
# the file that the policy's comment describes
printf '[client]\nuser = bkp\npassword = only-for-this-test\nsocket = %s/first/sock\n' "$T" >"$T/home/.my.cnf"
chmod 600 "$T/home/.my.cnf"

# ---- the night
balance() { "$@" -e 'select (select sum(balance) from emr.account), (select count(*) from emr.book),
	(select sum(abs(a.balance - 1000 + coalesce((select sum(amount) from emr.book where debit = a.id), 0)
		- coalesce((select sum(amount) from emr.book where credit = a.id), 0))) from emr.account a)'; }
checksums() { # DIR: of every table that is not the server's own
	local t
	my_sql "$1" -e "select concat(table_schema, '.', table_name) from information_schema.tables
		where table_type = 'BASE TABLE' and table_schema = 'emr' order by 1" |
		while read -r t; do my_sql "$1" -e "checksum table $t extended" </dev/null; done
}
my_sql "$T/first" emr -e 'call work(100000)' >/dev/null 2>&1 &
worker=$!
written() { my_sql "$T/first" -e 'select count(*) from emr.book'; }
writes() { [ "$(written)" -gt 0 ]; }
wait_for "the ward writes" writes
before=$(written)
expect 0 nightly "$BKP" run --all
kill -0 $worker || die "the writer ended before the capture: nothing was proved"
after=$(written)
[ "$after" -gt "$before" ] || die "nothing was written during the capture"
my_sql "$T/first" -e "select id from information_schema.processlist where db = 'emr'" |
	while read -r id; do my_sql "$T/first" -e "kill $id" </dev/null; done
wait $worker || true
say "captured while $((after - before)) transactions were committed, from an environment of PATH and HOME only"
! grep -rqa 'only-for-this-test' "$T/policy.yaml" "$T/state" "$T/m1" "$T/m2" || die "the password is somewhere in the clear"

# ---- a second server
checksums "$T/first" >"$T/truth"
my_new "$T/second"
load() { # GENERATION
	rm -rf "$T/r"
	"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract "mariadb@$1" --to "$T/r"
	my_sql "$T/second" <"$(find "$T/r" -name mariadb.sql)"
}
load 1
checksums "$T/second" >"$T/found"
for t in patient seen; do
	[ "$(grep "emr.$t" "$T/found")" = "$(grep "emr.$t" "$T/truth")" ] || die "CHECKSUM TABLE of $t differs"
done
yesterday() { my_sql "$1" -e "select count(*), sum(crc32(concat_ws('|', id, patient, ordered_at, item)))
	from emr.orders where ordered_at < curdate()"; }
[ "$(yesterday "$T/first")" = "$(yesterday "$T/second")" ] || die "the orders up to yesterday differ"
orders=$(my_sql "$T/second" -e 'select count(*) from emr.orders')
[ "$orders" -gt 20000 ] || die "no order of today is in the dump"
read -r sum n off < <(balance my_sql "$T/second")
[ "$sum" = 500000 ] && [ "$off" = 0 ] || die "the books do not balance: sum $sum, off by $off"
[ "$n" -ge "$before" ] && [ "$n" -le "$after" ] || die "$n transactions, captured between $before and $after"
[ "$(my_sql "$T/second" -e 'select emr.sum_of(1) is not null')" = 1 ] || die "the function is not there"
[ "$(my_sql "$T/second" -e "select count(*) from information_schema.events where event_schema = 'emr'")" = 1 ] ||
	die "the event is not there"
[ "$(my_sql "$T/second" -e "select count(*) from information_schema.triggers where trigger_schema = 'emr'")" = 1 ] ||
	die "the trigger is not there"
my_sql "$T/second" --user=nurse --password=another-for-this-test -e 'select count(*) from emr.patient' >/dev/null ||
	die "a user's password was not restored"
say "restored into a second server: equal CHECKSUM TABLE, balanced books, functions, triggers, events, users with their passwords"

# quiet: everything is equal
expect 0 nightly "$BKP" run --all
load 2
checksums "$T/first" >"$T/truth"
checksums "$T/second" | cmp - "$T/truth" || die "CHECKSUM TABLE differs"
say "of a quiet server every table's CHECKSUM TABLE is equal"
my_stop "$T/second"

# ---- a dump that is cut short but ends well
sed "s/--flush-privileges --all-databases/& | head -c 200000/" "$BKP_POLICY" >"$T/cut.yaml"
expect 2 nightly BKP_POLICY="$T/cut.yaml" "$BKP" run mariadb
say "a dump that is cut short is caught, although the command ended well"
newest=$(my_sql "$T/first" -e 'select curdate(), 20000, max(ordered_at) from emr.orders where ordered_at < curdate()')
my_stop "$T/first"

# ---- the drill, from the medium alone
printf 'by: 事務長\nanswers:\n' >"$T/attest.yaml"
for i in 1 2 8; do echo "  - {step: $i, answer: yes}" >>"$T/attest.yaml"; done
probe=${newest//$'\t'/\\t} # as Python shows it
proc=$(echo "$T"/m1/*-*-*-*-*/procedures/mariadb.md)
expect 0 "$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" drill "$proc" --to "$T/drill" --at 1 \
	--attest "$T/attest.yaml" --operator 事務長
[ "$(drill_field "$T/drill" "d['verdict'], [(s['check']['expected'], s['check']['found']) for s in d['steps'] if s['id'] == 'orders']")" \
	= "('passed', [('$probe', '$probe')])" ] || die "the drill's probe"
[ ! -e "$T/drill/scratch" ] && [ "$(drill_field "$T/drill" "d['erased']['ok']")" = True ] || die "patients' data were left behind"
! pgrep -f "$T/drill/scratch" >/dev/null || die "a server still runs"
say "the drill of the busy night: the probe ($probe) is equal in a new server, which is stopped and erased"
