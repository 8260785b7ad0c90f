# shellcheck shell=bash
# A hospital's PostgreSQL server, its site, its night and its morning after, for scenarios.  Sourced behind site.sh.  $PG: its programs.
#   emr_server       fills a server in $T/pg by pgbench and with patients in Japanese; $T/truth.sql is what pg_dump says of it
#   emr_site         a NAS at $T/nas, a disk that is kept offline in $T/rdx.img; emr-recovery.md is the site's procedure
#   emr_night        the capture; the disk is filled, sealed and away
#   emr_encrypted    server and NAS are encrypted
#   emr_attest       answers to all of the procedure, $T/attest.yaml; a database of viruses, $T/virus
PG=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
LOOP=
as_pg() { (cd /; runuser -u postgres -- "$@"); }
pg() { local p=$1; shift; as_pg "$PG/$p" -h "$T/pg" -p 54391 "$@"; }
# what a dump is compared by: newer programs add a random word at its ends
dump_of() { "$@" -d emr --no-owner --no-privileges | grep -v '^\\\(un\)\?restrict'; }

emr_server() {
	install -d -o postgres -g postgres -m 0700 "$T/pg"
	as_pg "$PG/initdb" -D "$T/pg" -E UTF8 --locale=C.UTF-8 -A peer >/dev/null
	printf "listen_addresses = ''\nport = 54391\nunix_socket_directories = '%s'\nfsync = off\n" "$T/pg" >>"$T/pg/postgresql.conf"
	as_pg "$PG/pg_ctl" -D "$T/pg" -l "$T/pg/log" -w start >/dev/null
	pg createdb emr
	pg pgbench -i -q -s 3 emr >/dev/null 2>&1
	pg psql -X -q -v ON_ERROR_STOP=1 -d emr <<'S'
create table patient (id int primary key, name text not null, kana text, born date, note text);
insert into patient select i, '髙橋 患者' || i || E' O''Neil "$(id)" `id` \\ ;', 'ﾀｶﾊｼ', date '1930-01-01' + i, repeat(md5(i::text), 4)
	from generate_series(1, 12345) i;
S
	pg pgbench -n -c 2 -t 500 emr >/dev/null 2>&1
	dump_of pg pg_dump >"$T/truth.sql"
	grep -q 髙橋 "$T/truth.sql" && [ "$(grep -c . "$T/truth.sql")" -gt 300000 ] || die "the server was not filled"
}

emr_site() {
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
	"$BKP" --lang en init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >"$T/init.out"
	"$BKP" medium add nas >/dev/null
	"$BKP" medium add RDX-01 >/dev/null
}

emr_night() {
	expect 0 "$BKP" run --all
	expect 0 "$BKP_RELEASE/bkp" rotate RDX-01 --operator 山田
	umount "$T/rdx"; losetup -d "$LOOP"; LOOP=
}

emr_encrypted() {
	as_pg "$PG/pg_ctl" -D "$T/pg" -m immediate stop >/dev/null
	touch "$T/pg/MADE-FOR-TESTS" "$T/nas/MADE-FOR-TESTS"
	chattr -R -f -i "$T/nas" || true
	for d in pg nas; do python3 "$SRC_ROOT/tests/lib/ransom.py" locked "$T/$d" >/dev/null; done
	! as_pg "$PG/pg_ctl" -D "$T/pg" -w start >/dev/null 2>&1 || die "the server still starts"
}

emr_attest() {
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
}
