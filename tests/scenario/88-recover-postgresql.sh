#!/bin/bash
# The mission, for real: a PostgreSQL server filled by pgbench, with patients in Japanese, is captured and carried offline; in the morning
# its files are encrypted.  policies/procedures/emr-recovery.md is drilled from the offline disk, and carried out as the recovery over the
# destroyed server, killed BKP_RECOVER_KILLS times and gone on with each time.  pg_dump of both servers is the judge.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/emr.sh"
[ "$(id -u)" = 0 ] || die "needs root: loop devices, and PostgreSQL runs as another user"
KILLS=${BKP_RECOVER_KILLS:-3}
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

emr_server
emr_site
emr_night
emr_encrypted
mv "$T/state" "$T/gone.state"
mount -t tmpfs -o size=900m,mode=755 none "$T/o"
LOOP=$(loop_of --read-only "$T/rdx.img")
mount -o ro "$LOOP" "$T/rdx"
proc=$(echo "$T"/rdx/*-*-*-*-*/procedures/emr-recovery.md)
[ -f "$proc" ] || die "the procedure does not lie on the disk"
emr_attest
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
