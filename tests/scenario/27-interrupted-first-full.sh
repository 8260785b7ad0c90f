#!/bin/bash
# Goal: a first full takes many nights.  Killed in the middle, or stopped by --until, again and again: what was durable is not
# written again, files that are stored are not opened again, each run says how far it came, nothing half counts, and data sets
# that were done are committed whole.  A command that is stopped is ended, one that hangs does not hang bkp.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
ARCHIVE=$((4 << 20))
src=$T/src
mkdir -p "$src" "$T/small"
for i in $(seq 30); do echo "$i" >"$T/small/$i"; done
python3 - "$src" <<'P'
import os, random, sys
rnd = random.Random(27)
for d in range(8):
    os.makedirs("%s/d%d" % (sys.argv[1], d))
    for i in range(120):
        open("%s/d%d/f%03d" % (sys.argv[1], d, i), "wb").write(b"%PDF-1.4\n" + rnd.randbytes(rnd.randrange(100000)))
    open("%s/d%d/large" % (sys.argv[1], d), "wb").write(b"%PDF-1.4\n" + rnd.randbytes(5_000_000))
P
site_policy "  - {name: docs, paths: [$src]}
	  - {name: small, paths: [$T/small]}"
sed -i 's/^datasets:/archive_size: 4 MiB\n&/' "$T/policy.yaml"
site_make
keep() { thaw "$T/m1" "$T/m2"; mkdir "$T/$1"; cp -a "$T/state" "$T/m1" "$T/m2" "$T/policy.yaml" "$T/$1/"; }
start() { thaw "$T/m1" "$T/m2"; rm -rf "$T/state" "$T/m1" "$T/m2"; cp -a "$T/empty/." "$T/"; }
files() { find "$(set_of "$T/m1")/archives" -name '*.age' 2>/dev/null | sort; } # none before the first
stored() { files | tr '\n' '\0' | xargs -0 -r stat -c %s | awk '{n += $1} END {print n + 0}'; }
outcome() { # DATASET: verdict and reason
	python3 -c 'import json, sys
for d in json.load(open(sys.argv[1]))["datasets"]:
    if d["dataset"] == sys.argv[2]:
        print(d["verdict"], d.get("reason", ""))' "$T/json" "$1"
}
keep empty

# ---- what it takes in one go
night 0 docs
same_tree "in one go"
whole=$(stored)
archives=$(files | wc -l)
[ "$archives" -gt 15 ] || die "only $archives archives: the test does not test"
period_key >/dev/null
# the largest catalog block: where blocks end hangs on this repository's key
block=$(python3 "$SRC_ROOT/tests/lib/blocks.py" "$T" "$G" docs 2>/dev/null | awk '$2 > n {n = $2} END {print n + 0}')
[ "$block" -gt 1000000 ] || die "no catalog blocks: $block"

# ---- killed, three times, then done
interrupted_by_kill() { # CALLS: killed when the sealer publishes its n-th file
	NIGHT=$((NIGHT + 1))
	status strace -f -qq -o /dev/null -E "LD_PRELOAD=$FAKE" -E "FAKECLOCK=$((NIGHT * 86400))" \
		-e trace=renameat2 -e inject=renameat2:signal=KILL:when="$1" "$BKP" run docs
	[ "$STATUS" = 137 ] || die "the run was not killed: exit $STATUS"
}
again() { # WHAT [INTERRUPTIONS]: done now (after so many interruptions); little was written twice, and little was read twice
	local left opened durable
	files >"$T/before"
	durable=$(stored)
	night_traced 0 docs
	same_tree "$1"
	opened | sort -u >"$T/opened"
	# what was not durable has to be read, and at each interruption what was in flight and the catalog block being made
	opened=$(tr '\n' '\0' <"$T/opened" | xargs -0 -r stat -c %s | awk '{n += $1} END {print n + 0}')
	left=$((whole - durable))
	[ "$opened" -lt $((left + ${2:-1} * 6 * ARCHIVE + block)) ] ||
		die "$1: files of $opened bytes were opened where $left bytes were not stored yet"
	[ "$(files | comm -13 - "$T/before" | wc -l)" = 0 ] || die "$1: archives vanished"
	# in flight at each interruption: an archive of each of two streams, and what waits behind them
	[ "$(stored)" -lt $((whole + ${2:-1} * 4 * ARCHIVE)) ] || die "$1: $(stored) bytes on the medium where $whole are enough"
}
start
interrupted_by_kill 32
[ "$(files | wc -l)" -gt 4 ] || die "the test does not test: killed with $(files | wc -l) archives"
again "killed"
"$BKP" journal verify >/dev/null || die "journal"
kill_bytes=$(stored)
start
for n in 14 14 14; do
	interrupted_by_kill $n
done
again "killed three times" 3
say "killed in the middle of the first full and run again: $kill_bytes bytes on the medium, $whole without being killed; what was stored" \
	"was not read again"

# ---- stopped at the time given, until it is done.  A clock sixty times as fast, set so that the minute comes amid the capture
until_night() { # CODE SECONDS [DATASET...]: --until comes so many (real) seconds after the start
	local code=$1 seconds=$2
	shift 2
	# 05:59:00 less nothing: at speed x a minute passes in 60 / x seconds
	night_clock "FAKECLOCK=$(until_then "$(date -d "+$((NIGHT + 40)) days" +%F) 05:59:00")" \
		"FAKECLOCK_RATE=$(awk -v s="$seconds" 'BEGIN {print int(60 / s)}')"
	night "$code" --until 06:00 "$@"
	night_clock
}
slow=$T/slow # the same tree on a slow disk: each read of a file takes its time
cat >"$slow" <<X
#!/bin/sh
exec strace -f -qq -o /dev/null -e trace=read -e inject=read:delay_enter=${BKP_SLOW_US:-4000} $BKP "\$@"
X
chmod +x "$slow"
start
PROGRAM=$BKP
BKP=$slow
runs=0
while :; do
	runs=$((runs + 1))
	[ "$runs" -lt 12 ] || die "not done after $runs runs"
	STATUS=0
	files >"$T/before"
	before=$(wc -l <"$T/before")
	if [ "$runs" -lt 3 ]; then
		until_night 2 2 docs small
	else
		BKP=$PROGRAM
		break
	fi
	outcome docs >"$T/docs"
	grep -q "^failed stopped at the time given, [0-9]* MiB" "$T/docs" || fail "stopped: this is not what was said" "$T/docs"
	grep -q "the next run goes on from here" "$T/docs" || die "it was not said what the next run does"
	grep -q "more runs" "$T/docs" || die "it was not said how many runs are left: $(cat "$T/docs")"
	[ "$(outcome small)" = "failed not begun: the run was to end before its turn came" ] ||
		die "of the data set that was not begun it was said: $(outcome small)"
	[ "$(files | wc -l)" -gt "$before" ] || die "nothing durable came of run $runs"
	tail -n 8 "$T/state/journal/000001.jsonl" | grep -q '"failed"' || die "the journal does not say that the run failed"
	"$BKP" generations --json | grep -q committed && die "a data set that was stopped is reported"
done
again "stopped twice" 2
say "stopped by --until in $((runs - 1)) runs and then done: $(stored) bytes on the medium, $whole in one go; each run said how far it came"

# ---- other data sets of such a run are committed whole
start
BKP=$slow
until_night 1 2 small docs
BKP=$PROGRAM
[ "$(outcome small)" = "good " ] || die "the data set that was done is not good: $(outcome small)"
outcome docs | grep -q "^failed stopped" || die "the data set that was stopped: $(outcome docs)"
[ "$G" != 0 ] || die "there is no generation of the data set that was done"
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract "small@$G" --to "$T/os" >/dev/null 2>&1 || die "extract"
[ -z "$(rsync -rlptnc --delete --itemize-changes "$T/small/" "$T/os$T/small/")" ] || die "the data set that was done differs"
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract "docs@$G" --to "$T/os" >/dev/null 2>&1 &&
	die "a data set that was stopped can be restored"
again "beside a data set that was done"
for bad in 6:00 24:00 06:60 0600 "06:00 " ""; do
	expect 64 "$BKP" run --until "$bad"
done
say "a data set that was done before the time given is committed whole, the other says that it failed"

# ---- commands
start
sed -i '/name: small/d' "$T/policy.yaml"
policy_accept
cat >>"$T/commands" <<Y
  - {name: silent, store_as: dump, command: 'echo begun; echo \$\$ >$T/pid; exec sleep 1000'}
  - {name: talking, store_as: dump, command: 'echo \$\$ >$T/pid; while :; do head -c 100000 /dev/urandom; sleep 0.05; done'}
Y
sed -i "/name: docs/r $T/commands" "$T/policy.yaml"
for set in silent talking; do
	begun=$SECONDS
	until_night 2 2 "$set"
	[ $((SECONDS - begun)) -lt 20 ] || die "$set: ended only after $((SECONDS - begun)) s"
	outcome $set | grep -q "^failed its command was ended at the time given" || die "$set: $(outcome $set)"
	sleep 0.2
	[ ! -e "/proc/$(cat "$T/pid")" ] || die "$set: the command still runs"
done
night 0 docs
same_tree "after commands that were stopped"
# no medium takes anything any more, and the command goes on for ever
cat >"$T/commands" <<Y
  - {name: hangs, store_as: dump, command: 'echo \$\$ >$T/pid; head -c 60000000 /dev/urandom; exec sleep 1000'}
Y
sed -i "/name: docs/r $T/commands" "$T/policy.yaml"
if [ "$(id -u)" = 0 ]; then
	thaw "$T/m1" "$T/m2"
	for m in m1 m2; do
		mv "$T/$m" "$T/$m.real"
		mkdir "$T/$m"
		mount -t tmpfs -o size=$(($(du -sk "$T/$m.real" | cut -f1) + 12000))k tmpfs "$T/$m"
		cp -a "$T/$m.real/." "$T/$m/"
	done
	begun=$SECONDS
	night 2 hangs
	[ $((SECONDS - begun)) -lt 20 ] || die "a command that hangs kept bkp for $((SECONDS - begun)) s when the media were full"
	sleep 0.2
	[ ! -e "/proc/$(cat "$T/pid")" ] || die "the command that hangs still runs"
	reported_verify "after the media were full"
fi
say "a command is ended at the time given, silent or not, and when no medium takes what it gives; nothing of it counts"
