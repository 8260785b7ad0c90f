#!/bin/bash
# The mission in one piece, with nothing made up: a real PostgreSQL server is dumped onto a NAS, an offline disk (ext4 on a loop
# device) is rotated, the site is gone, and policies/procedures/emr-postgresql.md is replayed from that disk alone into a new
# server.  psql on both servers is the judge.  A dump without the patients is caught by the probe.
set -eu
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root: loop devices, and PostgreSQL runs as another user"
PG=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
as_pg() { (cd /; runuser -u postgres -- "$@"); }
LOOP=
stop_all() {
	for d in "$T/pg" "$T"/drill*/scratch/pg; do
		[ ! -f "$d/postmaster.pid" ] || as_pg "$PG/pg_ctl" -D "$d" -m immediate stop >/dev/null 2>&1 || true
	done
	umount "$T/rdx" 2>/dev/null || umount "$T/elsewhere" 2>/dev/null || true
	[ -z "$LOOP" ] || losetup -d "$LOOP" 2>/dev/null || true
	site_cleanup
}
trap stop_all EXIT

# ---- the hospital's server: 12,345 patients, their orders, names with every quote there is
install -d -o postgres -g postgres -m 0700 "$T/pg"
install -d -o postgres -g postgres -m 0755 "$T/run"
as_pg "$PG/initdb" -D "$T/pg" -E UTF8 --locale=C.UTF-8 -A peer >/dev/null
printf "listen_addresses = ''\nport = 54390\nunix_socket_directories = '%s'\nfsync = off\n" "$T/run" >>"$T/pg/postgresql.conf"
as_pg "$PG/pg_ctl" -D "$T/pg" -l "$T/pg/log" -w start >/dev/null
sql() { as_pg "$PG/psql" -h "$T/run" -p 54390 -X -A -t -q -v ON_ERROR_STOP=1 -d emr "$@"; }
as_pg "$PG/createdb" -h "$T/run" -p 54390 emr
sql <<'S'
create table patient (id int primary key, name text not null, born date, note text);
insert into patient select i, '患者 ' || i || E' O''Neil "$(id)" `id` \\ ;', date '1930-01-01' + i, repeat(md5(i::text), 4)
	from generate_series(1, 12345) i;
create table orders (id bigserial primary key, patient int references patient, ordered_at timestamptz default now(), item text);
insert into orders (patient, item) select 1 + i % 12345, 'item ' || i from generate_series(1, 50000) i;
create index on orders (patient);
S
fingerprint() { # of a server: everything in both tables, in order
	"$@" -c "select md5(string_agg(p::text, '|' order by id)),
		(select md5(string_agg(o::text, '|' order by id)) from orders o) from patient p"
}
sql -c 'set timezone to utc' >/dev/null
fingerprint sql >"$T/truth"

# ---- the site: a NAS that is always there, an RDX that is kept offline
mkdir -p "$T/nas" "$T/rdx" "$T/elsewhere"
truncate -s 300M "$T/rdx.img"
mkfs.ext4 -q -L RDX-01 "$T/rdx.img"
LOOP=$(loop_of "$T/rdx.img")
mount "$LOOP" "$T/rdx"
cp "$SRC_ROOT/policies/procedures/emr-postgresql.md" "$T/emr-postgresql.md"
cat >"$T/policy.yaml" <<Y
site: {name: テスト病院, language: ja}
state: $T/state
people:
  - {name: 山田, roles: [operator]}
datasets:
  - name: emr
    title: 電子カルテ
    command: cd / && runuser -u postgres -- $PG/pg_dump -h $T/run -p 54390 -Fc emr
    store_as: emr.dump
    probe: cd / && runuser -u postgres -- $PG/psql -h $T/run -p 54390 -X -A -t -q -c 'select count(*) from patient' emr
    expect: {min_bytes: 1 KiB}
    generations: 3
media:
  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
  - {name: RDX-01, type: rdx, path: $T/rdx, offline: true, place: 別棟 保管庫B, swap_every: 7d}
procedures: [$T/emr-postgresql.md]
Y
age-keygen -o "$T/id.txt" 2>/dev/null
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" medium add nas >/dev/null
"$BKP" medium add RDX-01 >/dev/null
expect 0 "$BKP" run --all
# the next night somebody "optimised" the dump: it ends well and holds no patient
sed -i "s|-Fc emr|-Fc --exclude-table-data=patient --exclude-table-data=orders emr|" "$T/policy.yaml"
policy_accept 山田 || die "$(cat "$T/accepted")"
expect 1 "$BKP" run --all
said '2 個の表（計 62345 行）がなくなりました' # the guard saw it, and nobody looked
expect 0 "$BKP" accept emr@2 --operator 山田 --reason 高速化
# the release build: the static bkp-restore, which the medium carries, is not there in the one with sanitizers
expect 0 "$BKP_RELEASE/bkp" rotate RDX-01 --operator 山田
umount "$T/rdx"
losetup -d "$LOOP"
LOOP=

# ---- the disaster: server, state folder and NAS are gone; the disk is attached to another machine
as_pg "$PG/pg_ctl" -D "$T/pg" -m immediate stop >/dev/null
mv "$T/state" "$T/gone.state"
mv "$T/nas" "$T/gone.nas"
mv "$T/pg" "$T/gone.pg"
LOOP=$(loop_of --read-only "$T/rdx.img")
mount -o ro "$LOOP" "$T/elsewhere"
cat >"$T/attest.yaml" <<'Y'
by: 山田
answers:
  - {step: 1, answer: yes, note: LAN なし}
  - {step: 2, answer: yes}
  - {step: 8, answer: yes, by: 医事課 鈴木, note: 3 名一致}
Y
proc=$(echo "$T"/elsewhere/*-*-*-*-*/procedures/emr-postgresql.md)
[ -f "$proc" ] || die "the procedure does not lie on the disk"
drill() { # GENERATION DIR
	"$RESTORE" --lang ja --medium "$T/elsewhere" --identity "$T/id.txt" drill "$proc" --to "$2" --at "$1" --set "pgbin=$PG" \
		--attest "$T/attest.yaml" --operator 山田 "${@:3}"
}
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1/drill.json" "$2"; }

expect 0 drill 1 "$T/drill1"
[ "$(field "$T/drill1" "d['verdict']")" = passed ] || die "verdict"
[ "$(field "$T/drill1" "[(s['check']['expected'], s['check']['found']) for s in d['steps'] if s['id'] == 'patients']")" \
	= "[('12345', '12345')]" ] ||
	die "the probe is not what psql counted"
[ ! -e "$T/drill1/scratch" ] && [ "$(field "$T/drill1" "d['erased']['ok']")" = True ] || die "patients' data were left behind"
grep -q 12345 "$T/drill1/drill.html" || die "the page does not show the count"
! grep -rq 'Neil' "$T/drill1" || die "a patient's name is in the report"
say "PostgreSQL: dumped, rotated to ext4, the site gone, replayed from the disk alone: 12345 patients, equal to the probe"

expect 0 drill 1 "$T/drill2" --keep
as_pg "$PG/pg_ctl" -D "$T/drill2/scratch/pg" -l /dev/null -w start >/dev/null
fingerprint as_pg "$PG/psql" -h "$T/drill2/scratch/run" -p 54399 -X -A -t -q -d emr >"$T/found"
cmp "$T/truth" "$T/found" || die "the restored tables differ"
as_pg "$PG/pg_ctl" -D "$T/drill2/scratch/pg" -m immediate stop >/dev/null
say "every row of both tables is the same: md5 by psql on the first and on the second server"

expect 2 drill 2 "$T/drill3"
[ "$(field "$T/drill3" "d['verdict']")" = failed ] || die "a dump without patients passed"
[ "$(field "$T/drill3" "[(s['check']['expected'], s['check']['found']) for s in d['steps'] if s['id'] == 'patients']")" \
	= "[('12345', '0')]" ] || die "found"
[ "$(field "$T/drill3" "[s['mark'] for s in d['steps'] if s['id'] == 'stop']")" = "['passed']" ] || die "the server was not stopped"
! pgrep -f "$T/drill3" >/dev/null || die "a server still runs"
say "a dump that lost the patients table is caught by the probe, and the server is stopped all the same"
