#!/bin/bash
# The mission, for real: a PostgreSQL server filled by pgbench, with patients in Japanese, is captured and carried offline; in the morning
# its files are encrypted.  policies/procedures/emr-recovery.md is drilled from the offline disk, and carried out as the recovery over the
# destroyed server, killed BKP_RECOVER_KILLS times and gone on with each time.  pg_dump of both servers is the judge.
set -eu
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root: loop devices, and PostgreSQL runs as another user"
PG=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
KILLS=${BKP_RECOVER_KILLS:-3}
as_pg() { (cd /; runuser -u postgres -- "$@"); }
LOOP=
stop_all() {
	for d in "$T/pg" "$T/o/cluster" "$T"/o/*/scratch/target; do
		[ ! -f "$d/postmaster.pid" ] || as_pg "$PG/pg_ctl" -D "$d" -m immediate stop >/dev/null 2>&1 || true
	done
	umount "$T/rdx" 2>/dev/null || true
	[ -z "$LOOP" ] || losetup -d "$LOOP" 2>/dev/null || true
	site_cleanup
}
trap stop_all EXIT
exec </dev/null

# ---- the hospital's server
install -d -o postgres -g postgres -m 0700 "$T/pg"
as_pg "$PG/initdb" -D "$T/pg" -E UTF8 --locale=C.UTF-8 -A peer >/dev/null
printf "listen_addresses = ''\nport = 54391\nunix_socket_directories = '%s'\nfsync = off\n" "$T/pg" >>"$T/pg/postgresql.conf"
as_pg "$PG/pg_ctl" -D "$T/pg" -l "$T/pg/log" -w start >/dev/null
pg() { local p=$1; shift; as_pg "$PG/$p" -h "$T/pg" -p 54391 "$@"; }
pg createdb emr
pg pgbench -i -q -s 3 emr >/dev/null 2>&1
pg psql -X -q -v ON_ERROR_STOP=1 -d emr <<'S'
create table patient (id int primary key, name text not null, kana text, born date, note text);
insert into patient select i, '髙橋 患者' || i || E' O''Neil "$(id)" `id` \\ ;', 'ﾀｶﾊｼ', date '1930-01-01' + i, repeat(md5(i::text), 4)
	from generate_series(1, 12345) i;
S
pg pgbench -n -c 2 -t 500 emr >/dev/null 2>&1
dump_of() { "$@" -d emr --no-owner --no-privileges | grep -v '^\\\(un\)\?restrict'; }
dump_of pg pg_dump >"$T/truth.sql"
grep -q 髙橋 "$T/truth.sql" && [ "$(grep -c . "$T/truth.sql")" -gt 300000 ] || die "the server was not filled"

# ---- the site: a NAS, and a disk that is kept offline
mkdir -p "$T/nas" "$T/rdx" "$T/o" "$T/src"
truncate -s 300M "$T/rdx.img"
mkfs.ext4 -q -L RDX-01 "$T/rdx.img"
LOOP=$(loop_of "$T/rdx.img")
mount "$LOOP" "$T/rdx"
cp "$SRC_ROOT/policies/procedures/emr-recovery.md" "$T/emr-recovery.md"
for p in 院長 ベンダ; do minisign -G -W -f -p "$T/$p.pub" -s "$T/$p.key" >/dev/null; done
cat >"$T/policy.yaml" <<Y
site: {name: テスト病院, language: ja}
state: $T/state
people:
  - {name: 山田, roles: [operator]}
  - {name: 院長, roles: [manager], public_key: $(tail -n 1 "$T/院長.pub")}
datasets:
  - name: emr
    title: 電子カルテ
    command: cd / && runuser -u postgres -- $PG/pg_dump -h $T/pg -p 54391 -Fc emr
    store_as: emr.dump
    probe: cd / && runuser -u postgres -- $PG/psql -h $T/pg -p 54391 -X -A -t -q -c 'select count(*) from patient' emr
    expect: {min_bytes: 1 KiB}
    generations: 3
media:
  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
  - {name: RDX-01, type: rdx, path: $T/rdx, offline: true, place: 別棟 保管庫B, swap_every: 7d}
procedures: [$T/emr-recovery.md]
Y
age-keygen -o "$T/id.txt" 2>/dev/null
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" medium add nas >/dev/null
"$BKP" medium add RDX-01 >/dev/null
expect 0 "$BKP" run --all
expect 0 "$BKP_RELEASE/bkp" rotate RDX-01 --operator 山田
umount "$T/rdx"; losetup -d "$LOOP"; LOOP=

# ---- in the morning: the server's files are encrypted, and so is the NAS
as_pg "$PG/pg_ctl" -D "$T/pg" -m immediate stop >/dev/null
touch "$T/pg/MADE-FOR-TESTS" "$T/nas/MADE-FOR-TESTS"
chattr -R -f -i "$T/nas" || true
for d in pg nas; do python3 "$SRC_ROOT/tests/lib/ransom.py" locked "$T/$d" >/dev/null; done
! as_pg "$PG/pg_ctl" -D "$T/pg" -w start >/dev/null 2>&1 || die "the server still starts"
mv "$T/state" "$T/gone.state"
mount -t tmpfs -o size=900m,mode=755 none "$T/o"
LOOP=$(loop_of --read-only "$T/rdx.img")
mount -o ro "$LOOP" "$T/rdx"
proc=$(echo "$T"/rdx/*-*-*-*-*/procedures/emr-recovery.md)
[ -f "$proc" ] || die "the procedure does not lie on the disk"
cat >"$T/attest.yaml" <<'Y'
by: 山田
confirm: emr@1
again: yes
answers:
  - {step: found, answer: yes, note: 07:40 受付の端末}
  - {step: contain, answer: yes, note: 一覧 1 枚}
  - {step: call, answer: yes, by: 事務部長 田中, note: 6 か所}
  - {step: care, answer: yes, note: 紙カルテ}
  - {step: evidence, answer: yes, note: 証拠-1～4}
  - {step: when, answer: yes, note: 6 時ごろ}
  - {step: security, answer: yes, note: 画面の写し 1～3}
  - {step: hole, answer: yes, by: 院長, note: 調査報告書 第2版}
  - {step: hole, answer: yes, by: ベンダ 佐藤, note: 診断 R-12}
  - {step: accounts, answer: yes, note: 名簿と照合 台帳 7 頁}
  - {step: eyes, answer: yes, by: 医事課 鈴木, note: 3 名一致}
  - {step: resume, answer: yes, note: 外来から}
  - {step: backlog, answer: yes, note: 医事課 3 名で 2 日}
  - {step: normal, answer: yes, note: 山田}
Y
mkdir "$T/virus"; echo "$(echo evil | md5sum | cut -c-32):5:Evil" >"$T/virus/test.hdb" # no database can be had here
common=(--lang ja --medium "$T/rdx" --identity "$T/id.txt" --set "pgbin=$PG" --set "virusdb=$T/virus"
	--attest "$T/attest.yaml" --operator 山田)
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); s={x["id"]: x for x in d["steps"]}; print(eval(sys.argv[2]))' "$@"; }

# ---- the drill, from the same document
install -d -m 755 "$T/o/precious"; echo keep >"$T/o/precious/file"
expect 0 "$RESTORE" "${common[@]}" drill "$proc" --to "$T/o/drill" --set "cluster=$T/o/precious"
[ "$(ls "$T/o/precious")" = file ] || die "a drill touched what the procedure's target names"
[ "$(field "$T/o/drill/drill.json" "d['verdict'], s['patients']['check']['expected'], s['patients']['check']['found']")" \
	= "('passed', '12345', '12345')" ] ||
	fail "the drill" "$T/o/drill/drill.json"
said '訓練.*合格'; [ ! -e "$T/o/drill/scratch" ] || die "patients' data were left behind"
! pgrep -f "$T/o/drill" >/dev/null || die "the drill's server still runs"
say "a drill from the offline disk by the procedure that lies on it: gates met, probe equal, the target's place untouched"

# ---- the recovery, killed again and again; at random moments of the time that a whole one takes
begun=$(date +%s%N)
expect 0 "$RESTORE" "${common[@]}" recover "$proc" --to "$T/o/whole" --set "cluster=$T/o/cluster"
took=$((($(date +%s%N) - begun) / 1000000))
as_pg "$PG/pg_ctl" -D "$T/o/cluster" -m immediate stop >/dev/null
rm -rf "$T/o/cluster" "$T/o/whole"
RANDOM=${BKP_SEED:-$$}
killed=0 round=1
recovery() { "$RESTORE" "${common[@]}" --sign-slip "$T/院長.key" recover "$proc" --to "$T/o/real$round" --set "cluster=$T/o/cluster"; }
judge() { # of the recovery that has ended
	local d=$T/o/real$round
	[ "$(field "$d/recovery.json" "d['verdict'], [x['mark'] for x in d['steps']].count('passed'), s['patients']['check']['found']")" \
		= "('passed', 19, '12345')" ] || fail "the recovery" "$d/recovery.json"
	dump_of as_pg "$PG/pg_dump" -h "$T/o/cluster" -p 54399 >"$T/found.sql"
	cmp "$T/truth.sql" "$T/found.sql" || die "pg_dump of the recovered server differs"
	[ "$(ps -eo args | grep -c "^[^ ]*postgres -D $T/o/cluster")" = 1 ] || die "not just one server runs on the recovered cluster"
	minisign -V -q -p "$T/院長.pub" -m "$d/recovery.json" || die "the signature"
	grep -q '院長' "$d/recovery-before.html" && grep -q '復旧前確認書' "$d/recovery-before.html" &&
		grep -q '復旧報告書' "$d/recovery.html" ||
		die "the pages"
}
while [ "$killed" -lt "$KILLS" ]; do
	ms=$((RANDOM * took / 32768))
	setsid "$RESTORE" "${common[@]}" --sign-slip "$T/院長.key" recover "$proc" --to "$T/o/real$round" \
		--set "cluster=$T/o/cluster" >"$T/out" 2>"$T/err" &
	pid=$!
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	if kill -9 "$pid" 2>/dev/null; then
		killed=$((killed + 1))
		at=$(jq -r '[.steps[] | select(.running) | .id] | join(" ")' "$T/o/real$round/recovery.state.json" 2>/dev/null) || at=
		echo "killed after $ms ms, in: $at" >>"$T/kills"
	fi
	STATUS=0; { wait "$pid"; } 2>/dev/null || STATUS=$?
	[ "$STATUS" = 137 ] || [ "$STATUS" = 0 ] || fail "exit $STATUS after $killed kills"
	[ "$STATUS" = 0 ] || continue
	judge # it came to its end: over a destroyed server once more
	as_pg "$PG/pg_ctl" -D "$T/o/cluster" -m immediate stop >/dev/null
	rm -rf "$T/o/cluster" "$T/o/real$round"
	round=$((round + 1))
done
# the state says that it has ended, and a kill was too late to stop it
jq -e .finished "$T/o/real$round/recovery.state.json" >/dev/null 2>&1 || expect 0 recovery
judge
[ "$killed" -ge 1 ] || die "it was never killed: nothing is shown"
rto=$(field "$T/o/real$round/recovery.json" "d['rto']['measured_s'], d['rto']['met'], d['recovery']['resumed']")
cat "$T/kills"
say "over the encrypted server: killed $killed times in $round recoveries (one takes $took ms), gone on with, pg_dump of both equal;" \
	"RTO measured, met, times resumed: $rto"
