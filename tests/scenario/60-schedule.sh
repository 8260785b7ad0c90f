#!/bin/bash
# Goal: 'bkp run' captures what is due, once for each slot, in one run: under a clock that is set forward night by night,
# after nights switched off, after failures and a killed run, where clocks change, and when the clock itself is wrong.  Two runs never
# overlap.  'bkp schedule' writes files that fit the policy, and touches no others.
. "$(dirname "$0")/../lib/site.sh"
export TZ=Asia/Tokyo
. "$(dirname "$0")/../lib/fakeclock.sh"
# at "DATE TIME" COMMAND...: at that local time
at() {
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "$when")" "$@"
}
# run "DATE TIME" "NAME…": bkp run --json captures exactly these, exit 0; "-": nothing, and no run is begun
runs=0
run() {
	local got
	expect 0 at "$1" "$BKP" run --json
	got=$(python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
print(" ".join(d["dataset"] for d in o["datasets"]) or "-")' "$T/out")
	[ "$got" = "$2" ] || { at "$1" "$BKP" run --dry-run >&2; die "at $1 ($TZ) captured '$got', expected '$2'"; }
	[ "$2" = - ] || runs=$((runs + 1))
}
due() { # "DATE TIME" "NAME…": --dry-run says the same, and does nothing
	local got
	expect 0 at "$1" "$BKP" run --dry-run --json
	got=$(python3 -c 'import json, sys; print(" ".join(json.load(open(sys.argv[1]))["would_capture"]) or "-")' "$T/out")
	[ "$got" = "$2" ] || fail "at $1 due is '$got', expected '$2'" "$T/out"
}
begun() { grep -c '"event":"begin"' "$T/state/journal/000001.jsonl" || true; }

mkdir -p "$T/src" "$T/week" "$T/hours" "$T/m1" "$T/m2"
for d in src week hours; do echo "$d" >"$T/$d/file"; done
site_policy "  - {name: docs, paths: [$T/src]}
	  - {name: week, paths: [$T/week], every: week, weekday: wed, at: \"03:00\"}
	  - {name: hours, paths: [$T/hours], every: 6h, at: \"02:00\"}"
sed -i 's/^datasets:/schedule: {at: "02:00"}\n&/' "$T/policy.yaml"
site_make 2>/dev/null

# ---- one week, Monday 2026-11-30
due "2026-11-30 10:00" "docs week hours"
[ "$(begun)" = 0 ] || die "a dry run began a run"
run "2026-11-30 10:00" "docs week hours"
run "2026-11-30 10:01" -
at "2026-11-30 10:02" "$BKP" run >"$T/out"
grep -q '^nothing is due; next: data set hours at 2026-11-30 14:00$' "$T/out" || fail "what is due next is not said" "$T/out"
run "2026-11-30 13:59:59" -
run "2026-11-30 14:00:00" hours
run "2026-11-30 20:00:05" hours
run "2026-12-01 02:00:00" "docs hours"
run "2026-12-01 02:30" -
run "2026-12-02 02:00:01" "docs hours"
run "2026-12-02 03:00:01" week
run "2026-12-02 03:00:59" -
[ "$(begun)" = "$runs" ] || die "$(begun) runs were begun, $runs captured"
say "each data set in its own slots, all that is due in one run; nothing due: exit 0, no run, and what is next"

# ---- quiet
at "2026-12-02 04:00" "$BKP" run --quiet >"$T/out" 2>&1 || die "quiet: exit $?"
[ ! -s "$T/out" ] || die "quiet says something when nothing is due"
at "2026-12-02 08:00" "$BKP" run --quiet >"$T/out" 2>&1 || die "quiet: exit $?"
[ ! -s "$T/out" ] || die "quiet says something when all is well"
[ "$(begun)" = $((runs += 1)) ] || die "quiet did not capture"
say "with --quiet nothing at all is said when all is well"

# ---- nights switched off
run "2026-12-08 09:12" "docs hours"
run "2026-12-08 09:13" -
run "2026-12-12 07:00" "docs week hours" # Saturday; the Wednesday before was missed
run "2026-12-13 02:00:00" "docs hours"
say "nights and weeks switched off are caught up once"

# ---- what fails is tried again
mv "$T/src" "$T/gone"
expect 1 at "2026-12-14 02:00:00" "$BKP" run --json # hours was captured
runs=$((runs + 1))
due "2026-12-14 03:00" docs
at "2026-12-14 03:00" "$BKP" run --dry-run >"$T/out"
grep -A 1 "^docs " "$T/out" | grep -q "due: it failed in run $runs " || fail "why it is due is not said" "$T/out"
expect 2 at "2026-12-14 03:00" "$BKP" run
mv "$T/gone" "$T/src"
run "2026-12-14 04:00" docs
run "2026-12-14 04:10" -
runs=$(begun)
say "a data set that failed is due until it is captured"

# ---- the clock is wrong
run "2026-12-14 20:00:00" hours
run "2026-12-15 02:00:30" "docs hours"
run "2026-12-14 23:00" - # set back by three hours
run "2026-12-15 02:00:00" -
run "2026-12-15 02:01" -
run "2040-01-01 02:00" "docs week hours" # the battery was empty, for one night
run "2026-12-15 03:00" -
run "2026-12-16 02:00:00" "docs hours"
run "2026-12-16 03:00:00" week
run "2040-01-01 03:00" "docs week hours"
run "2026-12-16 09:00" hours # of 08:00
[ "$(begun)" = "$runs" ] || die "$(begun) runs were begun, $runs captured"
say "a clock that goes back captures no slot twice; a night begun in 2040 keeps none from being captured"

# ---- where clocks change: they skip 02:00 to 03:00 on 2027-03-28, and 02:00 to 03:00 comes twice on 2026-10-25
cp "$T/policy.yaml" "$T/policy.all"
sed -i 's/at: "02:00"}$/at: "02:30"}/; /name: week/d; /name: hours/d' "$T/policy.yaml"
export TZ=Europe/Berlin
at "2027-03-27 02:00:00" "$BKP" accept --policy-change --operator Sato --reason "a test" >/dev/null
run "2027-03-27 02:30:00" docs
run "2027-03-28 01:59:30" - # some seconds pass before the run looks at the clock
due "2027-03-28 03:00:00" docs
run "2027-03-28 03:00:00" docs
run "2027-03-28 03:30:00" -
run "2027-03-29 02:30:00" docs
run "2027-10-31 02:30:00 CEST" docs
run "2027-10-31 02:30:00 CET" -
run "2027-10-31 02:59:00 CET" -
run "2027-11-01 02:29:00" -
run "2027-11-01 02:30:00" docs
export TZ=Asia/Tokyo
say "a time of day that is skipped is captured when the clocks have changed, one that comes twice is captured once"

# ---- a run that was killed when one medium had the whole generation: it serves the slot
strace -f -y -qq -o "$T/strace" -e trace=renameat2 -E "${FAKE_ENV[0]}" -E "${FAKE_ENV[1]}" \
	-E "FAKECLOCK=$(until_then "2027-12-01 02:30:00")" \
	"${BKP_RELEASE:-$BKP_BIN}/bkp" run --quiet || die "run under strace"
k=$(awk -v w="/generations>" '/renameat2/ {n[$1]++; if (index($0, w) && !/journal/) last = n[$1]} END {print last}' "$T/strace")
[ "${k:-0}" -ge 2 ] || fail "the publication is not seen" "$T/strace"
before=$(begun)
(exec 2>/dev/null # the shell's word of the kill
	strace -f -qq -o /dev/null -e trace=renameat2 -e "inject=renameat2:signal=KILL:when=$k" -E "${FAKE_ENV[0]}" -E "${FAKE_ENV[1]}" \
	-E "FAKECLOCK=$(until_then "2027-12-02 02:30:00")" "${BKP_RELEASE:-$BKP_BIN}/bkp" run --quiet >/dev/null) && die "it was not killed"
[ "$(begun)" = $((before + 1)) ] || die "nothing was begun"
expect 0 at "2027-12-02 03:00:00" "$BKP" run
grep -q '^nothing is due; next' "$T/out" || fail "a slot that a killed run had served was captured again" "$T/out"
[ "$(begun)" = $((before + 1)) ] || die "a second run was begun for one slot"
reported_verify "after the kill"
say "what a killed run left complete serves its slot"

# ---- two never overlap
mkfifo "$T/wait"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 別棟}
Y
sed -i "s|^media:|  - {name: slow, command: cat $T/wait, store_as: slow.txt}\n&|" "$T/policy.yaml"
mkdir "$T/rdx"
"$BKP" medium add RDX-01 >/dev/null 2>&1 || die "medium add"
"$BKP" run --quiet slow >"$T/slow.out" 2>&1 &
pid=$!
for _ in $(seq 100); do grep -q '"begin".*"slow"' "$T/state/journal/000001.jsonl" && break; sleep 0.1; done
worker=$(pgrep -P "$pid") || worker=$pid # the parent only waits
records=$(wc -l <"$T/state/journal/000001.jsonl")
for c in "run" "run docs" "run --all" "rotate RDX-01 --operator 事務長"; do
	# shellcheck disable=SC2086 # words
	expect 2 "$BKP" $c
	grep -q "E-STATE-02: .*process $worker since .*: .*bkp run --quiet slow" "$T/err" ||
		fail "'$c': who is at work is not said" "$T/err"
done
expect 0 "$BKP" run --catch-up
[ ! -s "$T/out" ] && [ ! -s "$T/err" ] || die "--catch-up complains of another run"
"$BKP" status >/dev/null 2>&1 || [ $? -le 2 ] || die "status waits for the run"
[ "$(wc -l <"$T/state/journal/000001.jsonl")" = "$records" ] || die "the second one wrote to the journal"
echo "done" >"$T/wait"
wait "$pid" || die "the first run"
say "a second run, or a rotation beside a run, says who is at work, exits 2 and records nothing"

# ---- files for cron and systemd
cp "$T/policy.all" "$T/policy.yaml"
mkdir -p "$T/host/etc/cron.d" "$T/host/etc/systemd/system" "$T/host/usr/sbin"
r=(--root "$T/host")
cron=$T/host/etc/cron.d/bkp
expect 1 "$BKP" schedule show "${r[@]}"
expect 0 "$BKP" schedule install "${r[@]}" --kind cron --mailto jimu@example.jp
[ "$(stat -c '%a %u' "$cron")" = "644 0" ] || [ "$(id -u)" != 0 ] || die "cron would not take $(stat -c '%a %u' "$cron")"
grep -v '^#' "$cron" | sed "s|$BKP|BKP|; s|$T/policy.yaml|POLICY|" >"$T/lines"
cat >"$T/want" <<'Y'
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CONTENT_TYPE="text/plain; charset=UTF-8"
MAILTO=jimu@example.jp
0 2,8,14,20 * * * root BKP run --quiet --policy POLICY
0 3 * * 3 root BKP run --quiet --policy POLICY
@reboot root sleep 120; BKP run --quiet --catch-up --policy POLICY
Y
cmp -s "$T/lines" "$T/want" || { command diff "$T/want" "$T/lines" >&2; die "the lines for cron"; }
before=$(sha256sum "$cron")
records=$(grep -c '"event":"scheduled"' "$T/state/journal/000001.jsonl")
expect 0 "$BKP" schedule install "${r[@]}" --kind cron
[ "$before" = "$(sha256sum "$cron")" ] && [ "$records" = "$(grep -c '"event":"scheduled"' "$T/state/journal/000001.jsonl")" ] ||
	die "installing twice is not installing once"
expect 0 "$BKP" schedule show "${r[@]}"
sed -i 's/every: 6h/every: day/' "$T/policy.yaml"
expect 1 "$BKP" schedule show "${r[@]}"
grep -q "run 'bkp schedule install' again" "$T/out" || die "what to do is not said"
expect 0 "$BKP" schedule install "${r[@]}" --kind cron
grep -q '^MAILTO=jimu' "$cron" && grep -q '^0 2 \* \* \* root' "$cron" && grep -q -- '^0 7 \* \* \* root .* --catch-up ' "$cron" ||
	fail "the new lines" "$cron"
expect 2 "$BKP" schedule install "${r[@]}" --kind systemd
grep -q E-SCHED-07 "$T/err" || die "two schedules for one policy"
cp "$T/policy.yaml" "$T/second policy 100%.yaml"
expect 2 "$BKP" --policy "$T/second policy 100%.yaml" schedule install "${r[@]}" --kind cron
grep -q E-SCHED-03 "$T/err" || die "another policy's file is written over"
expect 0 "$BKP" --policy "$T/second policy 100%.yaml" schedule install "${r[@]}" --kind cron --name bkp-second
grep -qF "'$T/second policy 100\\%.yaml'" "$T/host/etc/cron.d/bkp-second" || fail "spaces and %" "$T/host/etc/cron.d/bkp-second"
expect 0 "$BKP" --policy "$T/second policy 100%.yaml" schedule remove "${r[@]}" --name bkp-second
cp "$T/policy.yaml" "$T/it's.yaml"
expect 2 "$BKP" --policy "$T/it's.yaml" schedule install "${r[@]}" --kind cron --name third
grep -q E-SCHED-04 "$T/err" || die "a quote in a path"
expect 2 "$BKP" schedule install "${r[@]}" --kind cron --user 'root; rm'
expect 64 "$BKP" schedule install "${r[@]}" --kind cron --name ../x
expect 2 "$BKP" schedule install "${r[@]}" --kind cron --name a.b # cron would pass over it
expect 64 "$BKP" schedule install "${r[@]}" --kind anacron
expect 2 "$BKP" schedule install --root "$T/nowhere" --kind cron
grep -q "make the folder '$T/nowhere/etc/cron.d' first" "$T/err" && ! grep -q -e --kind "$T/err" ||
	die "what is missing is not named: $(cat "$T/err")"
# the file of the secret key, where the public one is meant
printf 'untrusted comment: minisign secret key\nRW%0210d\n' 0 >"$T/secret.key"
expect 2 "$BKP" schedule install "${r[@]}" --kind cron --root-key "$T/secret.key"
grep -q "E-SCHED-04: .*is the file of a secret key" "$T/err" || die "the secret key: $(cat "$T/err")"
expect 2 "$BKP" run --all --root-key "$T/secret.key"
grep -q "E-RUN-08: .*is the file of a secret key" "$T/err" || die "the secret key: $(cat "$T/err")"
status "$BKP" journal verify --root-key "$T/secret.key"
grep -q "E-SIG-05: .*is the file of a secret key" "$T/err" || die "the secret key: $(cat "$T/err")"
sed -i 's/^0 7/0 8/' "$cron"
expect 2 "$BKP" schedule install "${r[@]}" --kind cron
grep -q E-SCHED-02 "$T/err" || die "changes by hand are lost"
expect 2 "$BKP" schedule remove "${r[@]}"
expect 1 "$BKP" schedule show "${r[@]}"
echo '0 1 * * * root /bin/true' >"$cron"
expect 2 "$BKP" schedule install "${r[@]}" --kind cron
grep -q E-SCHED-01 "$T/err" || die "somebody else's file is written over"
expect 2 "$BKP" schedule remove "${r[@]}"
[ "$(cat "$cron")" = '0 1 * * * root /bin/true' ] || die "somebody else's file was touched"
rm "$cron"
expect 0 "$BKP" schedule remove "${r[@]}"
say "the lines for cron fit the policy, installing twice is installing once, a change is noticed; files of others, of another policy and" \
	"changed by hand are not touched"

# ---- systemd's, judged by systemd itself
sed 's/weekday: wed/weekday: sun/; s/every: day, at: "02:00"/every: month, monthday: 28, at: "02:30"/' "$T/policy.yaml" >"$T/sunday 5%.yaml"
expect 0 "$BKP" --policy "$T/sunday 5%.yaml" schedule install "${r[@]}" --kind systemd
expect 0 "$BKP" --policy "$T/sunday 5%.yaml" schedule show "${r[@]}"
unit=$T/host/etc/systemd/system/bkp
grep -qF -- "--policy \"$T/sunday 5%%.yaml\"" "$unit.service" || fail "the command" "$unit.service"
# an `after` that brings a service back is not ended together with bkp when the computer is switched off
grep -qx KillMode=mixed "$unit.service" && grep -qx TimeoutStopSec=6min "$unit.service" || fail "how it is stopped" "$unit.service"
if command -v systemd-analyze >/dev/null; then
	sed -i.orig '/^Documentation=/d' "$unit.service" # the page need not be installed here
	systemd-analyze verify --man=no "$unit.service" "$unit.timer" >"$T/out" 2>&1 || fail "systemd-analyze verify" "$T/out"
	! grep -q "bkp\.\(service\|timer\)" "$T/out" || fail "systemd complains" "$T/out"
	mv "$unit.service.orig" "$unit.service"
	sed -n 's/^OnCalendar=//p' "$unit.timer" |
		while IFS= read -r line; do systemd-analyze calendar --base-time="2026-11-21 00:00:00 UTC" "$line"; done >"$T/calendar" ||
		die "systemd-analyze calendar"
	sed -n 's/.*Next elapse: //p' "$T/calendar" | tr '\n' ';' >"$T/next"
	printf '%s JST;' "Sun 2026-11-22 02:00:00" "Sun 2026-11-22 03:00:00" "Sat 2026-11-28 02:30:00" "Sun 2026-11-22 07:00:00" |
		cmp -s - "$T/next" ||
		fail "systemd would start it at $(cat "$T/next")" "$unit.timer" "$T/calendar"
	say "systemd takes the service and the timer, and would start it when data sets are due"
fi
expect 64 "$BKP" --policy "$T/sunday 5%.yaml" schedule install "${r[@]}" --kind systemd --mailto a@example.jp
expect 0 "$BKP" --policy "$T/sunday 5%.yaml" schedule remove "${r[@]}" --kind systemd
[ -z "$(find "$T/host/etc" -name "bkp*")" ] || die "something is left"
python3 - "$T/state/journal/000001.jsonl" <<'P' || die "the record of what was scheduled"
import json, sys
got = [(o["action"], o["kind"]) for o in map(json.loads, open(sys.argv[1])) if o["event"] == "scheduled"]
assert got == [("install", "cron")] * 3 + [("remove", "cron"), ("install", "systemd"), ("remove", "systemd")], got
P
# an image of a system that has neither cron nor systemd yet
mkdir "$T/image"
for kind in cron systemd; do
	expect 0 "$BKP" schedule install --root "$T/image" --kind $kind
	expect 0 "$BKP" schedule remove --root "$T/image"
done
"$BKP" journal verify >/dev/null || die "the journal does not verify"
say "what was scheduled and removed stands in the journal"
