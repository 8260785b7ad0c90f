# shellcheck shell=bash
# A simulated year at a hospital (or a clinic), with faults, for the forms of 'bkp report'. Sourced behind site.sh; needs /dev/shm for many
# nights. Gives
#   forms_site hospital|clinic     policy, source, media, init at the beginning of the year 2026 by a moved clock
#   at "DATE TIME" COMMAND...      a command under that clock
#   forms_year NIGHTS              nights up to 2026-12-31: the last NIGHTS each, those before every two weeks; faults in the course of
#                                  it; forms_also DATE is called at the end of each day, where there is one
# What happens: a dump fails on three nights, the computer is off for nine, files are encrypted once, a disk is lent and comes back, one is
# lost, one is retired, drills are imported, their procedure is edited, the operating rules are approved, an envelope is put away and
# opened, the policy changes.
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-forms.XXXXXX); rm -rf "$T"; T=$d; chmod 0755 "$T"; export BKP_POLICY=$T/policy.yaml; }
. "$SRC_ROOT/tests/lib/fakeclock.sh"
export TZ=Asia/Tokyo
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
# Of the clock that stands still nothing is to be found in a paper: that of the moment, to the second.
at() { # "DATE TIME" COMMAND...
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" FAKECLOCK="$(until_then "$when")" "$@"
}
op() { # "DATE TIME" ARGUMENT...: by the operator; must end well
	local when=$1
	shift
	at "$when" "$BKP" --quiet "$@" --operator 佐藤 >"$T/op" 2>&1 || { [ $? = 1 ] || fail "$* on $when" "$T/op"; }
}

forms_policy() { # hospital|clinic [RPO]
	local sets='' media name=東町病院
	if [ "$1" = hospital ]; then
		sets="  - {name: emr, title: 電子カルテ, command: cat $T/src/emr.dump, store_as: emr.dump, expect: {min_bytes: 10},
     priority: 1, importance: A, owner: 医事課, responsibility: hospital, retention_years: 5, source_host: emr-db,
     rpo: ${2:-24h}, rto: 24h, generations: 5, keep: {daily: 14, weekly: 8, monthly: 12}}
  - {name: rececon, title: レセコン, command: cat $T/src/rececon.dump, store_as: rececon.dump, priority: 2, rpo: 24h, rto: 72h,
     generations: 3, keep: {daily: 7, weekly: 4}}
  - {name: lab, title: 検査, paths: [$T/src/lab], priority: 3, rpo: 24h, generations: 3}
  - {name: docs, title: 文書・スキャン, paths: [$T/src/docs], priority: 4, importance: B, rpo: 24h, rto: 72h, generations: 3, keep: {daily: 7}}
  - {name: config, title: 設定・規程, paths: [$T/src/config], every: week, rpo: 8d, rto: 4h, generations: 3}"
	else
		name=西町クリニック
		sets="  - {name: emr, title: 電子カルテ, paths: [$T/src/docs], priority: 1, importance: A, rpo: 24h, rto: 8h, generations: 3,
     keep: {daily: 7}}
  - {name: orca, title: レセコン, command: cat $T/src/emr.dump, store_as: orca.dump, rpo: 24h, generations: 3, keep: {daily: 7}}"
	fi
	media="  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
  - {name: ssd, type: ssd, path: $T/ssd, place: 受付}
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx1, place: 金庫, swap_every: 35d, max_attached: 4h}"
	[ "$1" = clinic ] || media+="
  - {name: RDX-02, type: rdx, offline: true, path: $T/rdx2, place: 金庫, swap_every: 35d, max_attached: 4h}
  - {name: RDX-03, type: rdx, offline: true, path: $T/rdx3, place: 金庫}"
	cat >"$T/policy.yaml" <<Y
site: {name: $name, language: en}
state: $T/state
archive_size: 1 MiB
people:
  - {name: 佐藤, roles: [operator, restorer]}
  - {name: 院長, roles: [manager]}
  - {name: 伊藤, roles: [witness]}
datasets:
$sets
media:
$media
places:
  - {name: サーバ室, originals: true}
  - {name: 受付}
  - {name: 金庫, separate_from: [サーバ室, 受付]}
retention: {protect: 3d}
schedule: {at: "02:00"}
procedures: [$T/emr.md]
Y
	[ "$1" = clinic ] || cat >>"$T/policy.yaml" <<-'Y'
	excluded:
	  - {name: 予約システム, where: 予約PC, reason: 紙の予約票から再入力できる, decided_by: 院長, decided_on: 2026-01-10,
	     review_on: 2027-01-10}
	  - {name: 試験サーバ}
	external:
	  - {name: 給与, vendor: 甲社, what: 給与と勤怠, how_often: 毎日, generations: 30, method: クラウド, place: 甲社DC,
	     contract: C-5, confirmed_on: 2026-02-01}
	assets:
	  - {name: 電子カルテDB, model: R750, maker: 乙社, serial: S-9, bought_on: 2023-04-01, support_until: 2028-03-31, place: サーバ室,
	     network: 10.0.0.5, users: 情シス, os: Debian 12, system: 電子カルテ, use: DB, data: 診療録, license: L-1}
	  - {name: 検査端末}
	checklist:
	  edition: R7
	  target: 2027-03-31
	  self:
	    - {item: 1-1, answer: yes, on: 2026-04-10, by: 院長, document: 任命書 1 号}
	    - {item: 2-④, answer: はい, on: 2026-04-10, by: 佐藤}
	    - {item: 2-⑧, answer: no, on: 2026-05-20, by: 佐藤, why: 次の機器更新で, target: 2026-11-30}
	    - {item: 2-10, answer: いいえ, target: 2027-09-30}
	    - {item: 2-⑨, by: 伊藤, document: 端末の設定票}
	    - {item: 3-②, answer: yes, by: 佐藤}
	    - {item: 3-③, answer: no, on: 2026-06-01, by: 伊藤, why: =改訂中}
	Y
	cat >>"$T/policy.yaml" <<-'Y'
	contacts:
	  - {name: 電子カルテ 甲社, kind: 医療情報システム事業者, person: 山本, tel: 00-0000-0001, mail: a@example.jp, hours: 24時間,
	     confirmed_on: 2026-12-01}
	  - {name: 県警サイバー, kind: 都道府県警察の担当部署, tel: 00-0000-0002, confirmed_on: 2026-03-01}
	  - {name: 保険 乙社, kind: 保険会社, person: 山本}
	Y
}

forms_site() { # hospital|clinic
	forms_kind=$1
	mkdir -p "$T"/src/{lab,docs,config} "$T/nas" "$T/ssd" "$T"/rdx{1,2,3}
	for f in emr.dump rececon.dump lab/1 config/a docs/{1..30}; do seq -f "$f $RANDOM %g" 40 >"$T/src/$f"; done
	cat >"$T/emr.md" <<-'M'
	# 電子カルテの復旧

	```procedure
	id: emr
	version: "2.1"
	```

	```gate
	id: hole
	who: 責任者
	what: 侵入の原因が塞がれた
	how: 報告書を読む
	pass: 原因が特定されている
	minutes: 1
	role: 責任者
	text: 侵入に使われた穴を特定し、塞いだことを確認しました。
	people: 2
	```

	```restore
	who: 担当
	what: 取り出す
	how: 自動
	pass: 不一致なし
	minutes: 1
	dataset: emr
	```
	M
	cat >"$T/attest.yaml" <<-'Y'
	by: 佐藤
	answers:
	  - {step: hole, answer: yes, by: 院長, note: FW 設定票 3 号}
	  - {step: hole, answer: yes, by: 佐藤, note: =診断 R-12}
	Y
	forms_policy "$1"
	age-keygen -o "$T/id.txt" 2>/dev/null
	at "2026-01-04 09:00:00" "$BKP" init --recipient "$(age-keygen -y "$T/id.txt")" --root-key-out "$T/root.key" >"$T/init.out"
	# shellcheck disable=SC2034 # for those who source this
	ROOT=$(sed -n 's/^root public key: //p' "$T/init.out")
	fakedisk hdd "$T/nas" "$T"/rdx{1,2,3}
	fakedisk ssd "$T/ssd"
	for m in nas ssd RDX-01 $([ "$1" = clinic ] || echo RDX-02 RDX-03); do
		at "2026-01-04 09:10:00" "$BKP" --quiet medium add "$m" 2>/dev/null
	done
	shelf "2026-01-04 10:00:00" RDX-01 "$T/rdx1"
	[ "$1" = clinic ] || { shelf "2026-01-04 10:00:00" RDX-02 "$T/rdx2"; shelf "2026-01-04 10:00:00" RDX-03 "$T/rdx3"; }
}
shelf() { mv "$3" "$3.away"; op "$1" medium move "$2" --place 金庫; }
turn() { # DATE DISK FOLDER: brought, filled, carried away
	mv "$3.away" "$3"
	op "$1 09:00:00" rotate "$2"
	shelf "$1 09:30:00" "$2" "$3"
}
night() { # DATE [nothing new]
	[ -n "${2:-}" ] || printf '%s %s\n' "$1" "$RANDOM" | tee -a "$T/src/emr.dump" "$T/src/rececon.dump" "$T/src/docs/1" >"$T/src/lab/1"
	at "$1 02:00:00" "$BKP" run --quiet >"$T/out" 2>&1 || true
}
forms_drill() { # DATE
	at "$1 13:00:00" "$RESTORE" --medium "$T/nas" --identity "$T/id.txt" drill "$T/emr.md" --to "$T/drill.$1" --operator 佐藤 \
		--attest "$T/attest.yaml" >"$T/out" 2>&1 || fail "the drill of $1"
	op "$1 14:00:00" journal import "$T/drill.$1/drill.json"
}

# What happens on a day, whether a run did or not.
forms_day() { # DATE
	case $1 in
	2026-03-02) op "$1 10:00:00" key envelope add E-1 --person holder-1 --seal S-77 --place 金庫 --holder 院長 ;;
	2026-05-11 | 2026-08-17 | 2026-12-09) forms_drill "$1" ;;
	2026-06-01) echo '追記' >>"$T/emr.md" ;;
	2026-05-12 | 2026-09-01) at "$1 15:00:00" "$BKP" --quiet agree --procedure "$T/emr.md" --operator 院長 >"$T/op" 2>&1 ||
		fail "the approval on $1" "$T/op" ;;
	2026-09-07) op "$1 10:00:00" key envelope opened E-1 --why 訓練 ;;
	2026-10-05) op "$1 10:00:00" medium lend RDX-01 --to 監査法人 --until 2026-10-20 --reason 監査 --witness 伊藤 ;;
	2026-0[4-9]-06 | 2026-11-06) op "$1 11:00:00" expire ;;
	2026-10-09) op "$1 10:00:00" medium return RDX-01 --place 金庫 --witness 伊藤 ;;
	esac
	[ "$forms_kind" = hospital ] || return 0
	case $1 in
	2026-05-12) # the RPO that changes in July is a clause of it
		at "$1 16:00:00" "$BKP" report regulation --csv --out "$T/15.csv"
		at "$1 16:00:00" "$BKP" --quiet agree --regulation "$T/15.csv" --operator 院長 >"$T/op" 2>&1 ||
			fail "the rules on $1" "$T/op" ;;
	2026-07-06) forms_policy hospital 12h ;;
	2026-08-03) op "$1 10:00:00" medium retire RDX-03 --reason 使用期限 --method 破砕 --certificate C-9 --witness 伊藤 ;;
	2026-12-07) op "$1 10:00:00" medium lost RDX-02 --reason '=配送中に所在不明' ;;
	esac
}
forms_year() { # NIGHTS that are each of them played
	local day=2026-01-05 n=0 last
	last=$((362 - $1))
	while [ "$day" != 2027-01-01 ]; do
		n=$((n + 1))
		if [ $((n % 14)) = 1 ] || [ $n -ge $last ]; then
			case $day in
			2026-12-1[6-9] | 2026-12-2[0-4]) ;; # off for nine nights
			2026-12-1[13] | 2026-12-26) mv "$T/src/emr.dump" "$T/emr.away"
				night "$day" still
				mv "$T/emr.away" "$T/src/emr.dump" ;;
			2026-12-28) # all documents are encrypted, and nobody has looked yet
				for f in "$T"/src/docs/*; do head -c 3000 /dev/urandom >"$f"; done
				night "$day" still ;;
			*) night "$day" ;;
			esac
			[ $((n % 28)) != 1 ] || turn "$day" RDX-01 "$T/rdx1"
			[ "$forms_kind" = clinic ] || [ $((n % 28)) != 15 ] || [[ $day > 2026-12-06 ]] || turn "$day" RDX-02 "$T/rdx2"
		fi
		forms_day "$day"
		! declare -F forms_also >/dev/null || forms_also "$day"
		day=$(date -d "$day 12:00 +1 day" +%F)
	done
}
