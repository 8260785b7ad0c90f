#!/bin/bash
# What runs around a capture: `before` and `after` (which runs whatever happened), time limits, standard error in the record,
# signals.  The judge is a log that the commands write themselves, and the journal.
set -eu
. "$(dirname "$0")/../lib/site.sh"
L=$T/log
set_named() { # RUN DATASET: what the journal says became of it, as JSON: its "committed" record, or its line of the run's "failed"
	python3 - "$T/state/journal/000001.jsonl" "$1" "$2" <<'P'
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    o = json.loads(line)
    if o["event"] == "committed" and (o["generation"], o["dataset"]) == (int(sys.argv[2]), sys.argv[3]):
        print(json.dumps(o, ensure_ascii=False))
    if o["event"] == "failed" and o["run"] == int(sys.argv[2]):
        for d in o["datasets"]:
            if d["name"] == sys.argv[3]:
                print(json.dumps(dict(d, verdict="failed"), ensure_ascii=False))
P
}
# words RUN: what the commands of data sets that have no root.age said, read by a person with the identity and stock tools
words() {
	grep -E "\"event\":\"failed\",\"run\":$1," "$T/state/journal/000001.jsonl" |
		sed -n 's/.*"said_age":"\([^"]*\)".*/\1/p' |
		base64 -d | unseal
}
verdict() { set_named "$1" "$2" | grep -q "\"verdict\": \"$3\"" || die "$2 of run $1 is not $3: $(set_named "$1" "$2")"; }

mkdir -p "$T/src"
echo one >"$T/src/file"
env='echo "$0 $BKP_DATASET $BKP_GENERATION ${BKP_RESULT-}"'
say_as() { echo "sh -c '$env >>$L' $1"; }
cat >"$T/sets" <<Y
  - name: tree
    paths: [$T/src]
    before: "$(say_as before | sed 's/"/\\"/g')"
    after: "$(say_as after | sed 's/"/\\"/g')"
    probe: "echo probe >>$L; echo 1"
  - name: dump
    command: "echo dump >>$L; echo content; echo 'warning: old client' >&2"
    store_as: d
    before: "echo preparing 患者; touch $T/frozen"
    after: "rm $T/frozen; echo thawed >&2"
  - name: nobefore
    command: "test -e $T/must-not-be; touch $T/captured"
    store_as: d
    before: "echo 'cannot freeze the volume' >&2; exit 7"
    after: "echo after nobefore \$BKP_RESULT >>$L"
  - name: nodump
    command: "echo half; echo 'connection lost' >&2; exit 3"
    store_as: d
    after: "echo after nodump \$BKP_RESULT >>$L"
  - name: noprobe
    command: "echo x"
    store_as: d
    probe: "exit 1"
    after: "echo after noprobe \$BKP_RESULT >>$L"
  - name: noafter
    command: "echo x"
    store_as: d
    after: "echo 'still mounted' >&2; exit 32"
  - name: noisy
    command: "echo x; seq 1 20000 >&2; printf '\\\\033[2J the end' >&2"
    store_as: d
Y
site_policy "$(cat "$T/sets")"
site_make
expect 1 "$BKP" run --all
[ "$(grep -c . "$L")" = 7 ] || die "the log is not as it should be: $(cat "$L")"
printf 'before tree 1 \nprobe\nafter tree 1 good\ndump\nafter nobefore failed\nafter nodump failed\nafter noprobe partial\n' | cmp - "$L" ||
	die "order, environment: $(cat "$L")"
[ ! -e "$T/frozen" ] && [ ! -e "$T/captured" ] || die "after did not run, or the command ran though before failed"
verdict 1 tree good
verdict 1 dump good
verdict 1 nobefore failed
verdict 1 nodump failed
verdict 1 noprobe partial
verdict 1 noafter partial
set_named 1 nobefore | grep -q '"before: the command failed with status 7"' || die "why before failed is not said: $(set_named 1 nobefore)"
set_named 1 noafter | grep -q '"after: the command failed with status 32"' || die "why after failed is not said"
# here, on the host, their words stand beside it
for w in 'cannot freeze the volume' 'still mounted' 'connection lost' \
	"W-CMD-04: data set 'dump': its commands said 3 lines: .*warning: old client"; do
	grep -q "$w" "$T/err" || fail "not said on the host: $w" "$T/err"
done
say "before runs first and after last, with BKP_DATASET, BKP_GENERATION and BKP_RESULT, also when before, the command or the probe" \
	"failed; the verdicts: 2 good, 2 partial, 2 failed with their own words"

for d in dump noisy; do unseal "$(set_of "$T/m1" $d)"/generations/000001/root.age; done >"$T/root"
python3 - "$T/root" <<'P'
import json, sys
said = {o["dataset"]: o.get("said") for o in map(json.loads, open(sys.argv[1], encoding="utf-8")) if "dataset" in o}
assert said["dump"] == "before: preparing 患者; command: warning: old client; after: thawed", said
assert len(said["noisy"].encode()) <= 600 and said["noisy"].endswith("20000 / \\033[2J the end"), said["noisy"]
P
clear=("$T/state/journal/000001.jsonl" "$(repo_of "$T/m1")"/{journal/000001.jsonl,datasets/*/generations/000001/manifest.json})
! grep -E 'old client|preparing|thawed|033.2J the end|freeze the volume|still mounted|connection lost' "${clear[@]}" ||
	die "what commands said stands in the clear"
printf '%s\n' 'nobefore: before: cannot freeze the volume' 'nodump: command: connection lost' | cmp - <(words 1) ||
	die "what failed commands said cannot be read with the identity: $(words 1)"
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" verify dump@1 --deep >"$T/out" 2>&1 || true
grep -q 'standard error at capture: before: preparing 患者; command: warning: old client' "$T/out" ||
	die "verify --deep does not show it: $(cat "$T/out")"
for d in dump noisy; do restore_to "$T/m1" 1 "$T/r-$d" $d >"$T/out" 2>&1 || die "restore of $d: $(cat "$T/out")"; done
[ "$(cat "$T/r-dump/d") $(cat "$T/r-noisy/d")" = "content x" ] || die "standard error is in the data"
say "what the commands wrote to standard error is in root.age, encrypted, at most 600 bytes, the end of it, safe on a terminal, or, where" \
	"they failed, in the journal, encrypted; in the clear nowhere; nothing of it is in the data"

# ---- time limits: each of the four, and one that is deaf to SIGTERM; nothing is left running
mark=4713.$$
cat >"$T/sets" <<Y
  - {name: cmd, command: "echo waiting for a lock >&2; echo x; sleep $mark", store_as: d, time_limit: 1m,
     after: "echo after cmd \$BKP_RESULT >>$L"}
  - {name: bef, command: "echo x", store_as: d, before: "sleep $mark & sleep $mark", time_limit: 1m,
     after: "echo after bef \$BKP_RESULT >>$L"}
  - {name: aft, command: "echo x", store_as: d, after: "trap '' TERM; sleep $mark; sleep $mark", time_limit: 1m}
  - {name: prb, command: "echo x", store_as: d, probe: "sleep $mark", time_limit: 1m}
Y
site_policy "$(cat "$T/sets")"
rm "$L"
# a minute is the shortest that a policy can say; the clock that is lent to bkp goes thirty times faster
. "$(dirname "$0")/../lib/fakeclock.sh"
expect 0 "$BKP" check
begun=$(date +%s)
status env "${FAKE_ENV[@]}" FAKECLOCK_RATE=30 "$BKP" run --all
[ "$STATUS" = 1 ] || die "exit $STATUS: $(cat "$T/err")"
[ $(($(date +%s) - begun)) -lt 40 ] || die "it took $(($(date +%s) - begun)) s"
! pgrep -f "^sleep $mark" >/dev/null || die "something is still running"
verdict 2 cmd failed
verdict 2 bef failed
verdict 2 aft partial
verdict 2 prb partial
for d in cmd bef aft prb; do set_named 2 $d | grep -q 'did not end within its time limit of 1 min' || die "$d: $(set_named 2 $d)"; done
words 2 | grep -q '^cmd: command: waiting for a lock$' || die "its last words are lost: $(words 2)"
printf 'after cmd failed\nafter bef failed\n' | cmp - "$L" || die "after: $(cat "$L")"
say "a command, before, after and probe that do not end are ended after their time_limit with all they started, also one that is deaf to" \
	"SIGTERM; after runs all the same"

# ---- a hanging probe does not outlast --until; after still runs
cat >"$T/sets" <<Y
  - {name: prb, command: "echo x", store_as: d, probe: "sleep $mark", after: "echo after prb \$BKP_RESULT >>$L"}
  - {name: next, command: "echo x", store_as: d, before: "echo before next >>$L", after: "echo after next >>$L"}
Y
site_policy "$(cat "$T/sets")"
rm "$L"
at=$(date -d '+1 minute' +%H:%M)
left=$((60 - 10#$(date +%S)))
# ten times as fast, so that it is that time soon
status env "${FAKE_ENV[@]}" FAKECLOCK_RATE=15 timeout 60 "$BKP" run --all --until "$at"
[ "$STATUS" = 1 ] || die "exit $STATUS ($left s): $(cat "$T/err")"
verdict 3 prb partial
verdict 3 next failed
grep -q 'not begun' "$T/err" || die "the second is not said to be not begun"
[ "$(cat "$L")" = "after prb partial" ] || die "after: $(cat "$L")"
! pgrep -f "^sleep $mark" >/dev/null || die "the probe is still running"
say "a hanging probe ends with --until; the next data set is not begun, and its before and after do not run"

# ---- SIGTERM and SIGINT to bkp run: as --until, after runs, exit 2, nothing is left running, the next run is as usual
cat >"$T/sets" <<Y
  - {name: quick, command: "echo x", store_as: d}
  - {name: long, command: "echo y; touch $T/running; sleep $mark", store_as: d, before: "touch $T/frozen",
     after: "rm $T/frozen; echo after long \$BKP_RESULT >>$L"}
  - {name: never, command: "echo x", store_as: d, before: "echo before never >>$L", after: "echo after never >>$L"}
Y
site_policy "$(cat "$T/sets")"
generation=4
for sig in TERM INT; do
	rm -f "$L" "$T/running"
	# a shell that is no terminal's lets its background ignore SIGINT
	python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
		"$BKP" run --all >"$T/out" 2>"$T/err" &
	pid=$!
	for _ in $(seq 100); do [ ! -e "$T/running" ] || break; sleep 0.1; done
	begun=$(date +%s)
	kill -$sig $pid
	code=0
	wait $pid || code=$?
	[ "$code" = 2 ] || die "SIG$sig: exit $code: $(cat "$T/err")"
	[ $(($(date +%s) - begun)) -lt 15 ] || die "SIG$sig: it took too long"
	grep -q 'E-RUN-07: ended by signal' "$T/err" || die "SIG$sig is not said: $(cat "$T/err")"
	! grep -q 'E-RUN-05' "$T/err" || die "SIG$sig: a medium that nobody read back is called faulty: $(cat "$T/err")"
	[ "$(grep -c 'W-RUN-12: m[12]: interrupted: not read back' "$T/err")" = 2 ] && ! grep -q 'NOT verified' "$T/out" ||
		die "SIG$sig: $(cat "$T/out" "$T/err")"
	[ "$(cat "$L")" = "after long failed" ] && [ ! -e "$T/frozen" ] || die "SIG$sig: after: $(cat "$L")"
	! pgrep -f "^sleep $mark" >/dev/null || die "SIG$sig: the command is still running"
	verdict $generation quick good
	set_named $generation long | grep -q 'told to end' || die "SIG$sig: the reason: $(set_named $generation long)"
	generation=$((generation + 1))
done
sed -i "s/sleep $mark/true/" "$T/policy.yaml"
policy_accept
expect 0 "$BKP" run --all
reported_verify "after signals"
say "SIGTERM and SIGINT end a run as --until does: the command is ended, after runs, what was whole has its generation, exit 2, and the" \
	"next run is as usual"

# ---- ended when all was captured: nothing failed, and nobody says so
site_policy "  - {name: quick, command: \"echo z\", store_as: d, after: \"kill -TERM \$PPID\"}"
policy_accept
expect 2 "$BKP" run --all
verdict 7 quick good
grep -q '^1 of 1 good, 3 warnings: .*the run was ended early by signal 15' "$T/out" || die "the line of the morning: $(cat "$T/out")"
expect 0 "$BKP" verify
status "$BKP" status
tr -s ' \n' ' ' <"$T/out" >"$T/flat"
grep -q 'was ended early by a person or the system (signal 15)' "$T/flat" && ! grep -q 'the last run [^.]* failed' "$T/flat" ||
	die "status: $(cat "$T/out")"
say "a run that a signal ended when all was captured is told as ended early, not as failed"

# ---- ended in the middle of a large file: each data set has its own reason, and what is stored is the number that is said
head -c 200M /dev/urandom >"$T/src/large"
site_policy "  - {name: large, paths: [$T/src]}
  - {name: other, command: \"echo x\", store_as: d}"
sed -i 's/^datasets:/archive_size: 4 MiB\n&/' "$T/policy.yaml"
policy_accept
archives() { find "$T/m1" -path '*/archives/*' -type f | wc -l; }
before=$(archives)
"$BKP" run --all >"$T/out" 2>"$T/err" &
pid=$!
for _ in $(seq 1000); do [ "$(archives)" -lt $((before + 3)) ] || break; sleep 0.01; done
kill -TERM $pid
code=0
wait $pid || code=$?
[ "$code" = 2 ] && grep -q 'E-RUN-01' "$T/err" || die "exit $code: $(cat "$T/out" "$T/err")"
grep -q ' [1-9][0-9]* MiB of it are stored, which the next run need not write again' "$T/err" || die "what is stored: $(cat "$T/err")"
stored=$(sed -n 's/.* \([0-9]*\) MiB of it are stored.*/\1/p' "$T/err" | head -1)
status "$BKP" status
grep -q "large@8: failed: stopped because" "$T/out" && grep -q "other@8: failed: not begun" "$T/out" ||
	die "the reasons: $(cat "$T/out")"
expect 0 "$BKP" --json run --all
new=$(python3 -c 'import json,sys; print(sum(d["new_bytes"] for d in json.load(open(sys.argv[1]))["datasets"]) >> 20)' "$T/out")
[ "$new" -le $((200 - stored + 2)) ] || die "$stored MiB were said to be stored, and $new of 200 were written again"
say "a run ended in a large file says $stored MiB stored, the next wrote $new of 200; each data set of it has its own reason"
