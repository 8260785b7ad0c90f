#!/bin/bash
# Goal: bkp status --at says of a day in the past what bkp status said on that day: a month of nights, rotations, a policy that
# changes, an expiry, damage and its repair are played with a clock that is moved; each morning's --json is kept, and at the end --at of
# each of these moments must give the same.  Where the clock was wrong the last record counted is the one that a search over all cuts finds.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (disks that are folders in memory)"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-at.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo
BASE=2026-12-01
# at DAY TIME COMMAND...: on that day of the month, or beyond it
at() {
	local when
	when="$(date -d "$BASE + $(($1 - 1)) days" +%F) $2"
	shift 2
	env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" FAKECLOCK="$(until_then "$when")" "$@"
}
morning() { # DAY: what status says at 09:00
	local code=0
	at "$1" 09:00:00 "$BKP" status --json >"$T/seen/$1.json" 2>"$T/err" || code=$?
	echo "$code" >"$T/seen/$1.exit"
}
# papers PLACE DAY [OPTION...]: as they are printed on that day, for people, for spreadsheets, for programs
papers() {
	local to=$1 day=$2 r
	shift 2
	mkdir -p "$to"
	for r in media transfers losses "receipt RDX-01"; do
		# shellcheck disable=SC2086 # a name and an operand
		at "$day" 09:00:00 "$BKP" --lang ja report $r --json "$@" |
			sed 's/"date":"\([0-9-]*\)T[^"]*"/"date":"\1"/' >"$to/${r%% *}.json" # the moved clock goes on
		# shellcheck disable=SC2086
		at "$day" 09:00:00 "$BKP" --lang ja report $r "$@" >"$to/${r%% *}.html"
	done
	at "$day" 09:00:00 "$BKP" --lang ja report transfers --csv "$@" >"$to/transfers.csv"
}
night() {
	echo "$1" >>"$T/src/diary"
	at "$1" 02:00:00 "$BKP" run --quiet >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "the night of day $1"
}
rotate() {
	mv "$T/shelf" "$T/rdx"
	at "$1" 07:00:00 "$BKP" rotate RDX-01 --operator 事務長 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "rotate on day $1"
	mv "$T/rdx" "$T/shelf"
	at "$1" 07:20:00 "$BKP" medium move RDX-01 --operator 事務長 --place 保管庫B >/dev/null
}

mkdir -p "$T/src" "$T/m1" "$T/m2" "$T/rdx" "$T/seen"
site_policy "  - {name: docs, title: 文書, paths: [$T/src], generations: 3}"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 保管庫B, swap_every: 7d, max_attached: 4h}
people:
  - {name: 事務長, roles: [manager, operator]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: 保管庫B, separate_from: [サーバ室]}
retention: {protect: 3d}
schedule: {at: "02:00"}
Y
age-keygen -o "$T/id.txt" 2>/dev/null
at 1 00:00:00 "$BKP" init --root-key-out "$T/root.key" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
fakedisk hdd "$T/m1" "$T/rdx"
fakedisk ssd "$T/m2"
for m in m1 m2 RDX-01; do at 1 00:20:00 "$BKP" medium add $m >/dev/null 2>&1; done
mv "$T/rdx" "$T/shelf"
at 1 00:30:00 "$BKP" medium move RDX-01 --operator 事務長 --place 保管庫B >/dev/null
for n in $(seq 30); do
	case $n in
	9) sed -i 's/generations: 3/generations: 5/' "$T/policy.yaml" ;;
	20) sed -i 's/generations: 5/generations: 4/' "$T/policy.yaml" ;;
	esac
	case $n in 13 | 14 | 15) ;; *) night "$n" ;; esac
	case $n in 3 | 8 | 25) rotate "$n" ;; esac
	if [ "$n" = 17 ]; then
		thaw "$T/m1"
		f=$(find "$(set_of "$T/m1")/generations" -name places.age | sort | tail -n 1)
		cp "$f" "$T/kept"
		printf X | dd of="$f" bs=1 seek=20 conv=notrunc status=none
		at 17 04:00:00 "$BKP" verify --medium m1 >/dev/null 2>&1 && die "damage is not found"
	fi
	if [ "$n" = 18 ]; then
		cp "$T/kept" "$f"
		at 18 04:00:00 "$BKP" verify --medium m1 >/dev/null 2>&1 || [ $? = 1 ] || die "what is whole again does not verify"
	fi
	[ "$n" != 22 ] || at 22 05:00:00 "$BKP" expire --operator 事務長 --yes --medium m2 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "expire"
	morning "$n"
	case $n in 1 | 10 | 20) papers "$T/papers/$n" "$n" ;; esac
done
grep -q '"event":"expired"' "$T/state/journal/000001.jsonl" || die "nothing expired: the test does not test"

# as it is now, the disks lie elsewhere: nothing may be looked at
mv "$T/m1" "$T/gone1"
mv "$T/m2" "$T/gone2"
for n in $(seq 30); do
	now=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["now"])' "$T/seen/$n.json")
	code=0
	at 45 12:00:00 "$BKP" status --at "$now" --json >"$T/seen/$n.then" 2>"$T/err" || code=$?
	[ "$code" = "$(cat "$T/seen/$n.exit")" ] || fail "status --at $now exits $code, that morning it was $(cat "$T/seen/$n.exit")"
	[ ! -s "$T/err" ] || fail "something is said of --at $now"
done
python3 - "$T/seen" <<'P' || die "the past is told otherwise than it was"
import json, sys
verdicts, changed = set(), 0
for n in range(1, 31):
    was, then = (json.load(open("%s/%d.%s" % (sys.argv[1], n, k))) for k in ("json", "then"))
    at = then.pop("at")
    was.pop("forecast"), then.pop("forecast")
    assert was.pop("at") is None and at["policy"] == "as of then" and at["dated_later"] == at["dated_earlier"] == 0
    assert at["record"] == was["journal_records"] == then["journal_records"] and at["time"] == was["now"]
    for s in (was, then):
        for m in s["media"]:
            m.pop("sight")
    if was != then:
        for k in was:
            if was[k] != then.get(k):
                print(n, k, "\n  was ", was[k], "\n  then", then.get(k))
        sys.exit(1)
    d = was["datasets"][0]
    verdicts.add(tuple(d[k]["verdict"] for k in ("generations", "three", "two", "one")))
    changed += d["generations"]["want"]
assert len(verdicts) >= 4 and changed == 8 * 3 + 11 * 5 + 11 * 5, (verdicts, changed)
P
say "of 30 mornings --at says what was said then, in every member but what was seen: verdicts, media, what to do next, exit status"

# ---- papers of a day in the past
for n in 1 10 20; do
	now=$(jq -r .now "$T/seen/$n.json")
	papers "$T/papers/$n.then" 45 --at "$now"
	diff -r "$T/papers/$n" "$T/papers/$n.then" >"$T/out" || fail "the papers of day $n are others than they were"
done
[ "$(jq -c '[.rows | length]' "$T"/papers/{1,10,20}/transfers.json | tr -d '\n')" = "[1][5][5]" ] || die "rows of the transfers"
expect 3 at 45 12:00:00 "$BKP" report media --at 2026-11-30
said E-STATUS-01
expect 64 at 45 12:00:00 "$BKP" report media --at yesterday
expect 3 at 45 12:00:00 "$BKP" report receipt RDX-01 --at 2026-11-01
say "bkp report --at gives the papers of that day to the byte: slip, ledger, hand-overs, losses; as HTML, CSV, JSON"

# ---- other forms of the same
LC_ALL=C at 45 12:00:00 "$BKP" status --at 2026-12-10 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "--at a day"
said 'as of 2026-12-10 23:59: up to record [0-9]+ of [0-9]+ \(2026-12-10 02:0'
expect 1 at 45 12:00:00 "$BKP" status --at '2026-12-14 14:00' --quiet
[ ! -s "$T/out" ] || fail "--quiet prints"
at 45 12:00:00 "$BKP" status --short --at 2026-12-10T10:00:00+09:00 >"$T/out" || [ $? = 1 ] || fail "--short --at"
[ "$(wc -l <"$T/out")" -le 24 ] || fail "--short --at takes more than a screen"
for bad in 2026-11-31 yesterday 2026-12-01T25:00:00Z 2026-12-10T10:00:00 '2026-12-10  10:00' 2026-12-10T10:00:00-24:00; do
	expect 64 at 45 12:00:00 "$BKP" status --at "$bad"
	said "E-USAGE-01: '$bad' is no moment"
done
expect 3 at 45 12:00:00 "$BKP" status --at 2026-11-30
said 'E-STATUS-01: the journal begins at 2026-12-01 00:00'
expect 64 at 45 12:00:00 "$BKP" status --at 2027-03-01
said 'E-STATUS-02'
expect 64 at 45 12:00:00 "$BKP" status --at 2026-12-10 --prometheus -
say "a day means its end; what is no moment, what is before the journal and what is yet to come are refused, with the next action"

# ---- the text of the policy of then is gone, or is another
mv "$T/gone1" "$T/m1"
mv "$T/gone2" "$T/m2"
old=$(grep -o '"event":"policy","sha256":"[0-9a-f]*' "$T/state/journal/000001.jsonl" | head -n 1 | grep -o '[0-9a-f]*$')
mv "$T/state/policies/$old.yaml" "$T/old.yaml"
at 45 12:00:00 "$BKP" status --at 2026-12-05 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "--at without the policy"
said "JUDGED BY TODAY'S POLICY"
said 'W-STATUS-01'
at 45 12:00:00 "$BKP" status --json --at 2026-12-05 2>/dev/null >"$T/json" || [ $? = 1 ]
python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))
assert s["at"]["policy"] == "today'"'"'s" and s["datasets"][0]["generations"]["want"] == 4, s["at"]' "$T/json" ||
	fail "today's policy" "$T/json"
echo '# another' | cat "$T/old.yaml" - >"$T/state/policies/$old.yaml"
at 45 12:00:00 "$BKP" status --at 2026-12-05 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "--at with another policy"
said 'W-STATUS-01.*is not the policy that was recorded'
cp "$T/old.yaml" "$T/state/policies/$old.yaml"
say "where the policy of then is not to be had, or was changed, that is said loudly, in JSON too"

# ---- a clock that is wrong for a night
at 31 02:00:00 "$BKP" run --quiet >/dev/null 2>&1 || true
at 5000 02:00:00 "$BKP" run --quiet >/dev/null 2>&1 || true
for n in 33 34 35 36; do night "$n"; done
at -900 02:00:00 "$BKP" run --all --quiet >/dev/null 2>&1 || true
for n in 37 38; do night "$n"; done
cat >"$T/cuts.py" <<'P'
import datetime, glob, json, subprocess, sys
lines = [json.loads(l) for f in sorted(glob.glob(sys.argv[1] + "/journal/*.jsonl")) for l in open(f)]
times = [datetime.datetime.fromisoformat(r["time"].replace("Z", "+00:00")) for r in lines]
for day in ["2026-12-%02d" % n for n in range(1, 32, 5)] + ["2027-01-%02d" % n for n in range(1, 9)]:
    at = datetime.datetime.fromisoformat(day + "T05:00:00+09:00")
    wrong = [sum(t > at for t in times[:k]) + sum(t <= at for t in times[k:]) for k in range(len(times) + 1)]
    best = max(k for k in range(len(wrong)) if wrong[k] == min(wrong))
    said = subprocess.run([sys.argv[2], "status", "--json", "--at", day + " 05:00"], capture_output=True).stdout
    is_ = json.loads(said)["at"]
    assert is_["record"] == best, (day, is_, best)
    assert is_["dated_later"] == sum(t > at for t in times[:best]), (day, is_)
    assert is_["dated_earlier"] == sum(t <= at for t in times[best:]), (day, is_)
    assert is_["record_time"] == lines[best - 1]["time"]
    print(day, best, is_["dated_later"], is_["dated_earlier"])
P
at 45 12:00:00 python3 "$T/cuts.py" "$T/state" "$BKP" >"$T/cuts" || fail "the cut" "$T/cuts"
[ "$(awk '$3 || $4' "$T/cuts" | wc -l)" -gt 4 ] || fail "the clock was never wrong: the test does not test" "$T/cuts"
at 45 12:00:00 "$BKP" status --at '2027-01-05 05:00' >"$T/out" 2>&1 || true
said 'the clock was wrong at times: of the records counted'
say "after nights under a wrong clock the chain decides: the last record counted is that with the fewest contradictions, and it is said"
