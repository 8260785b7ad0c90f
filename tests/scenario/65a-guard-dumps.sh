#!/bin/bash
# Goal: rows that turn to ciphertext, or are gone, inside a dump are seen on their first night and their table is named: pg_dump -Fc,
# its SQL, that compressed, and mysqldump of real servers; and two weeks of a clinic's ordinary nights (growth, a new table of blobs,
# new columns in all rows, archives of old rows, tables written anew, an import) raise nothing.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
. "$(dirname "$0")/../lib/servers.sh"
PORT=54365

# ---- a clinic's data bases
pg_new "$T/pg" $PORT
sql() { pg_sql $PORT emr "$@" >/dev/null; }
pg_sql $PORT postgres -c 'create database emr'
sql <<'S'
create extension pgcrypto;
create table patients (id int primary key, name text, kana text, born date, address text, phone text);
create table visits (id int primary key, patient int, at timestamp, note text);
create table results (id int primary key, patient int, item text, value numeric(8, 2), unit text, at timestamp);
create table documents (id int primary key, patient int, title text, content bytea);
create table sessions (token text, patient int, until timestamp);
create table drug_codes (code text, name text);
create function sentence(seed int) returns text language sql as $$
	select string_agg((array['発熱', '咳嗽', '頭痛', '腹痛', '経過観察', '処方継続', '血圧安定', '食欲良好', '検査予定', '異常なし', 'WBC 6,200', 'BP 128/76'])
		[1 + abs(hashint4(seed * 31 + i)) % 12], '。') from generate_series(1, 4 + abs(hashint4(seed)) % 12) i $$;
create function bytes(seed int, n int) returns bytea language sql as $$
	select substr(string_agg(digest(seed || ':' || i, 'sha512'), ''), 1, n) from generate_series(1, n / 64 + 1) i $$;
create function add_patients(f int, t int) returns void language sql as $$
	insert into patients select i, '患者 ' || i, 'カンジャ ' || i, date '1930-01-01' + i * 11 % 30000,
		'東京都千代田区 ' || i % 9 || '-' || i % 31,
		'090-' || lpad((i * 7919 % 10000)::text, 4, '0') || '-' || lpad((i * 104729 % 10000)::text, 4, '0')
	from generate_series(f, t) i $$;
create function add_visits(f int, t int) returns void language sql as $$
	insert into visits select i, i % 1500, timestamp '2026-01-05 09:00' + i * interval '7 minutes', sentence(i)
	from generate_series(f, t) i $$;
create function add_results(f int, t int) returns void language sql as $$
	insert into results select i, i % 1500, (array['GLU', 'HbA1c', 'CRE', 'BUN', 'AST', 'ALT'])[1 + i % 6],
		abs(hashint4(i)) % 30000 / 100.0, 'mg/dL', timestamp '2026-01-05 09:00' + i * interval '3 minutes'
	from generate_series(f, t) i $$;
-- scanned pages (JPEG), some PDF, HL7 messages as bytea
create function add_documents(f int, t int) returns void language sql as $$
	insert into documents select i, i % 1500, '紹介状 ' || i, case
		when i % 7 = 0 then convert_to('MSH|^~\&|LAB|' || i || '|' || sentence(i), 'UTF8')
		when i % 5 = 0 then '%PDF-1.7'::bytea || bytes(i, 900 + i % 700)
		else '\xffd8ffe000104a464946'::bytea || bytes(i, 1500 + i % 900) end
	from generate_series(f, t) i $$;
create function new_sessions(night int) returns void language sql as $$
	delete from sessions;
	insert into sessions select encode(digest(night || 's' || i, 'sha256'), 'base64'), i, now() from generate_series(1, 120) i $$;
insert into drug_codes select 'D' || i, '薬剤 ' || i || ' 錠 5mg' from generate_series(1, 900) i;
select add_patients(1, 1500), add_visits(1, 6000), add_results(1, 12000), add_documents(1, 300), new_sessions(0);
S
my_new "$T/my"
mysql_() { my_sql "$T/my" emr "$@"; }
my_sql "$T/my" -e 'create database emr character set utf8mb4'
mysql_ <<'S'
create table patients (id int primary key, name varchar(80), address varchar(200), note blob);
create table scans (id int primary key, page longblob);
insert into patients select seq, concat('患者 ', seq), concat('京都市中京区 ', seq % 31, '-', seq % 7),
	concat('it''s (', seq, '), ', repeat('再診。', 1 + seq % 9)) from seq_1_to_1200;
insert into scans select seq, concat(x'ffd8ffe000104a464946', repeat(unhex(sha2(seq, 512)), 12)) from seq_1_to_150;
S

# ---- their policy
postgres="cd / && /usr/sbin/runuser -u postgres --"
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
datasets:
  - name: fc
    command: "$postgres pg_dump -h $T/run -p $PORT -Fc emr"
    store_as: emr.dump
    expect: {content: pgdump}
    probe: "$postgres psql -h $T/run -p $PORT -XAt -c 'select count(*) from patients' emr"
  - name: sql
    command: "$postgres pg_dump -h $T/run -p $PORT emr"
    store_as: emr.sql
  - name: gz
    command: "$postgres pg_dump -h $T/run -p $PORT emr | gzip -1"
    store_as: emr.sql.gz
    expect: {content: gzip}
  - name: mysql
    command: "mariadb-dump --no-defaults -S $T/my/sock emr"
    store_as: emr.sql
    expect: {content: mysqldump}
media:
  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
Y
mkdir -p "$T/m1"
age-keygen -o "$T/id.txt" 2>/dev/null
"$BKP" init --root-key-out "$T/root" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" --quiet medium add m1 2>/dev/null

# suspicion DATASET: what the last night said of it
suspicion() {
	python3 -c 'import json, sys
for d in json.load(open(sys.argv[1]))["datasets"]:
    if d["dataset"] == sys.argv[2]:
        print(d.get("suspect") or "")' "$T/json" "$1"
}
quiet() { # WHAT: an ordinary night
	local d
	STATUS=0
	at_night run_any
	for d in fc sql gz mysql; do
		[ -z "$(suspicion $d)" ] || die "$1: a false alarm of $d: $(suspicion $d)"
	done
	[ "$STATUS" = 0 ] || fail "$1: exit $STATUS" "$T/err"
}
run_any() {
	STATUS=0
	env "${NIGHT_ENV[@]}" "$BKP" run --json --all >"$T/json" 2>"$T/err" || STATUS=$?
}

# ---- two weeks
quiet "the first night"
p=1500 v=6000 r=12000 d=300
for n in $(seq 14); do
	sql -c "select add_patients($((p + 1)), $((p + 4))), add_visits($((v + 1)), $((v + 90))),
		add_results($((r + 1)), $((r + 160))), add_documents($((d + 1)), $((d + 9))), new_sessions($n)"
	p=$((p + 4)) v=$((v + 90)) r=$((r + 160)) d=$((d + 9))
	mysql_ -e "insert into patients (id, name, address, note) select 1200 + $n * 9 + seq, concat('初診 ', seq), '京都市', '初診。'
			from seq_1_to_9;
		insert into scans select 150 + $n * 3 + seq, concat(x'89504e470d0a1a0a', repeat(unhex(sha2($n * 3 + seq, 512)), 9))
			from seq_1_to_3"
	sql -c "update visits set note = note || '。追記' where id % 97 = $n"
	case $n in
	3) # blobs of no known format
		sql -c "create table thumbnails as select id, digest(id::text, 'sha512') || bytes(id, 300) as picture from documents" ;;
	5) sql -c "alter table results add column checked_by text" -c "update results set checked_by = '検査技師 ' || id % 5" ;;
	6) sql -c "alter table patients add column insurance text default '社保', add column created timestamp default now()" ;;
	8) sql -c "delete from results where id < (select min(id) + 0.15 * count(*) from results)" ;;
	9) # all rows are written anew, in another order
		sql -c 'vacuum full visits'
		sql -c 'cluster results using results_pkey' ;;
	11) sql -c "select add_results(500001, 501500)" ;; # of another laboratory
	12) mysql_ -e 'alter table patients add column kana varchar(80) default "カンジャ"' ;;
	13) sql -c "delete from visits where id < (select min(id) + 0.15 * count(*) from visits)" ;;
	esac
	quiet "night $n"
done
say "15 ordinary nights of a clinic's dumps (growth, a new table of blobs, new columns in all rows, two archives of 15 %, tables" \
	"written anew, an import) raise nothing"
[ "$(stat -c %a "$T/state/cache/stat/fc.rows")" = 600 ] || die "others may read what is remembered"
! grep -qa 'patients\|患者\|visits' "$T"/state/cache/stat/*.rows || die "names stand in what is remembered"

# ---- attacks, each behind those nights
thaw "$T/m1"
mkdir "$T/start"
cp -a "$T/state" "$T/m1" "$T/start/"
pg_sql $PORT postgres -c 'create database before_ template emr'
mariadb-dump --no-defaults -S "$T/my/sock" emr >"$T/my.sql"
START_NIGHT=$NIGHT
back() {
	thaw "$T/m1"
	rm -rf "$T/state" "$T/m1"
	cp -a "$T/start/." "$T/"
	pg_sql $PORT postgres -c 'drop database emr' -c 'create database emr template before_'
	mysql_ <"$T/my.sql"
	NIGHT=$START_NIGHT
}
attack() { # WHAT WORDS DATASETS STATEMENT...: the words are said of each of these data sets, and nothing of the others
	local what=$1 words=$2 sets=" $3 " d
	shift 3
	back
	for statement; do
		case $sets in *mysql*) mysql_ -e "$statement" ;; *) sql -c "$statement" ;; esac
	done
	at_night run_any
	for d in fc sql gz mysql; do
		case $sets in
		*" $d "*) suspicion "$d" | grep -qF "$words" || die "$what: '$words' is not said of $d: $(suspicion "$d")" ;;
		*) [ -z "$(suspicion "$d")" ] || die "$what: something is said of $d: $(suspicion "$d")" ;;
		esac
	done
	[ "$STATUS" = 1 ] || die "$what: exit $STATUS"
	d=${sets# }
	echo "$what: $(suspicion "${d%% *}")"
}
aes() { echo "encode(encrypt($1::bytea, 'key', 'aes'), '$2')"; }
pgp="encode(pgp_sym_encrypt(note, 'key'), 'base64')"
PG_SETS="fc sql gz"
attack "the newest tenth" visits "$PG_SETS" \
	"update visits set note = $pgp where id > (select max(id) - 0.1 * count(*) from visits)"
attack "every tenth row" visits "$PG_SETS" "update visits set note = $pgp where id % 10 = 0" \
	"cluster visits using visits_pkey"
attack "a tenth, in hexadecimal" visits "$PG_SETS" "update visits set note = $(aes note hex) where id % 10 = 3"
attack "a tenth, without the marks of base64" visits "$PG_SETS" \
	"update visits set note = translate($(aes note base64), E'+/=\n', '') where id % 10 = 3"
attack "all rows" visits "$PG_SETS" "update visits set note = $pgp"
attack "names and addresses" patients "$PG_SETS" \
	"update patients set name = $(aes name base64), kana = $(aes kana base64), address = $(aes address base64)"
attack "documents" documents "$PG_SETS" "update documents set content = pgp_sym_encrypt_bytea(content, 'key')"
attack "a fifth of the documents" documents "$PG_SETS" \
	"update documents set content = encrypt(content, 'key', 'aes') where id % 5 = 1"
attack "patients deleted by 40 %" patients "$PG_SETS" "delete from patients where id % 5 < 2"
attack "a table dropped" "tables are gone: 1" "$PG_SETS" "drop table results"
attack "values emptied" visits "$PG_SETS" "update visits set note = ''"
attack "MySQL, raw" patients mysql "update patients set note = aes_encrypt(note, 'key') where id % 10 = 0"
attack "MySQL, base64" patients mysql "update patients set note = to_base64(aes_encrypt(note, 'key')) where id % 10 = 0"
attack "MySQL, scans" scans mysql "update scans set page = aes_encrypt(page, 'key') where id % 5 = 0"
attack "MySQL, deleted" patients mysql "delete from patients where id % 5 < 2"
say "ciphertext in a tenth of a table's rows, in text and in bytea, values emptied, rows and tables gone: each is seen on its first" \
	"night, and of the table's name"

# ---- behind an alarm
back
sql -c "delete from patients where id % 5 < 2"
night 1 fc
suspicion fc | grep -q 'probe' || die "that the probe's value fell is not said: $(suspicion fc)"
! suspicion fc | grep -qw "$(pg_sql $PORT emr -c 'select count(*) from patients')" || die "the value itself is said: $(suspicion fc)"
night 1 fc
suspicion fc | grep -q patients || die "on the second night it is forgotten"
expect 0 "$BKP" accept "fc@$G" --operator Sato --reason "duplicates were merged"
night 0 fc
[ -z "$(suspicion fc)" ] || die "what was accepted is suspect: $(suspicion fc)"
sql -c "update visits set note = $pgp where id % 4 = 0"
night 1 fc
suspicion fc | grep -q visits || die "behind an accepted night nothing is seen"
rm "$T/state/cache/stat/sql.rows"
at_night run_any
grep -q "what is remembered of its tables is gone" "$T/err" "$T/json" || fail "that nothing is remembered is not said" "$T/err" "$T/json"
say "it stays suspect until somebody accepts it, is quiet from then on, sees the next attack, and says when it remembers nothing"
