#!/bin/bash
# Goal: what bkp status foresees comes true, to the minute: two data sets, a disk that is rotated, nights that are played on with a clock
# that is moved; what is said to lapse is met a minute before and not a minute after, on another copy of the site the act that is named
# prevents it.  How long the disk was attached lies within the bounds that are said, by what the test itself did and by a computation
# over the journal's lines; a disk that stays too long is an alarm of run, status, metrics and mail.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (disks that are folders in memory)"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-ahead.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo
BASE=2026-12-01
at() { # "DATE TIME" COMMAND...
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" FAKECLOCK="$(until_then "$when")" "$@"
}
day() { date -d "$BASE + $(($1 - 1)) days" +%F; }
night() {
	echo "$1" | tee -a "$T/src/diary" >>"$T/src2/diary"
	at "$(day "$1") 02:00:00" "$BKP" run --quiet >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "the night of day $1"
}
# rotate DAY HH:MM HH:MM HH:MM: attached and rotated, taken out (nobody looks), and that is recorded
rotate() {
	mv "$T/shelf" "$T/rdx"
	at "$(day "$1") $2:00" "$BKP" rotate RDX-01 --operator 事務長 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "rotate on day $1"
	mv "$T/rdx" "$T/shelf"
	at "$(day "$1") $4:00" "$BKP" medium move RDX-01 --operator 事務長 --place 保管庫B >/dev/null
	echo "$(day "$1") $2 $3" >>"$T/attached"
}
json() { # "DATE TIME": status --json
	at "$1" "$BKP" status --json >"$T/json" 2>"$T/err" || [ $? -le 2 ] || fail "status at $1"
}
holds() { python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))
def rule(d, k): return [x for x in s["datasets"] if x["dataset"] == d][0][k]["verdict"]
def medium(l): return [m for m in s["media"] if m["label"] == l][0]
def says(t): return any(t in n for n in s["next"])
assert eval(sys.argv[2]), sys.argv[2]' "$T/json" "$1" || fail "it does not hold: $1" "$T/json"; }

mkdir -p "$T/src" "$T/src2" "$T/m1" "$T/m2" "$T/rdx"
site_policy "  - {name: emr, paths: [$T/src], generations: 2}
	  - {name: weekly, paths: [$T/src2], generations: 1, every: week, weekday: sat}"
sed -i 's/place: サーバ室}/place: サーバ室, datasets: [emr]}/' "$T/policy.yaml"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 保管庫B, swap_every: 7d, max_attached: 4h}
people:
  - {name: 事務長, roles: [manager, operator]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: 保管庫B, separate_from: [サーバ室]}
schedule: {at: "02:00"}
notify: {command: cat >>$T/mail}
Y
age-keygen -o "$T/id.txt" 2>/dev/null
at "$(day 1) 00:00:00" "$BKP" init --root-key-out "$T/root.key" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
fakedisk hdd "$T/m1" "$T/rdx"
fakedisk ssd "$T/m2"
for m in m1 m2 RDX-01; do at "$(day 1) 00:20:00" "$BKP" medium add $m >/dev/null 2>&1; done
mv "$T/rdx" "$T/shelf"
at "$(day 1) 00:30:00" "$BKP" medium move RDX-01 --operator 事務長 --place 保管庫B >/dev/null
for n in 1 2 3; do night $n; done
rotate 3 07:10 07:40 09:00
night 4
json "$(day 4) 09:00:00"
holds 's["overall"] == "met" and s["forecast"]["lapses"]'
cp "$T/json" "$T/seen"

# ---- by the journal's lines alone
python3 - "$T/seen" "$T/state" <<'P' || fail "the journal says other times" "$T/seen"
import datetime, glob, json, sys
def when(t): return datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))
recs = [json.loads(l) for f in sorted(glob.glob(sys.argv[2] + "/journal/*.jsonl")) for l in open(f)]
rdx = [r["medium"] for r in recs if r["event"] == "medium-added" and r["label"] == "RDX-01"][0]
begun = {r["run"]: when(r["time"]) for r in recs if r["event"] == "begin"}
newest = {}
for r in recs:
    if r["event"] == "verified" and r["medium"] == rdx:
        for g in r["generations"]:
            newest[g["dataset"]] = max(newest.get(g["dataset"], begun[g["generation"]]), begun[g["generation"]])
rotated = max(when(r["time"]) for r in recs if r["event"] == "rotated")
week, day, minute = (datetime.timedelta(**k) for k in ({"days": 7}, {"days": 1}, {"minutes": 1}))
want = {("rotation", "RDX-01"): rotated + week}
for d, t in newest.items():
    want["one", d] = t + week
# only the disk and m2 are to hold it, and both must
want["three", "weekly"] = want["two", "weekly"] = newest["weekly"] + week + day
got = {(l["what"], l["dataset"] or l["medium"]): l for l in json.load(open(sys.argv[1]))["forecast"]["lapses"]}
assert set(want) | {('one', 'emr')} == set(got) - {('one+', '')}, (want, got)
for k, l in got.items():
    if k in want:
        assert want[k] < when(l["at"]) <= want[k] + minute, (k, want[k], l)
    assert l["prevented_by"] == "rotate" and l["prevented_with"] == "RDX-01", l
P
at "$(day 9) 20:00:00" "$BKP" status >"$T/out" 2>&1 || true
at "$(day 4) 09:00:00" "$BKP" status --forecast >"$T/out" 2>&1 || fail "status --forecast"
said 'the nightly runs go on as scheduled and succeed'
said '1 OFFLINE of emr is △ attention'
said "before that: attach RDX-01, 'bkp rotate RDX-01 --operator NAME'"
at "$(day 4) 09:00:00" "$BKP" --lang ja status >"$T/out" || fail "status"
said '1週間以内に'
said '1 オフライン'
say "what lapses, and when, is what the journal's lines say; status names what comes within a week, and which disk prevents it"

# ---- it comes true
keep=(state m1 m2 shelf src src2)
mkdir "$T/kept"
for k in "${keep[@]}"; do cp -a "$T/$k" "$T/kept/"; done
n=5
python3 -c 'import datetime, json, sys
for l in json.load(open(sys.argv[1]))["forecast"]["lapses"]:
    t = datetime.datetime.fromisoformat(l["at"].replace("Z", "+00:00")).astimezone()
    print((t - datetime.timedelta(minutes=1)).strftime("%F %T"), (t + datetime.timedelta(minutes=1)).strftime("%F %T"),
          l["what"], l["dataset"] or l["medium"], l["to"])' "$T/seen" >"$T/lapses"
[ "$(wc -l <"$T/lapses")" -ge 4 ] || fail "too little is foreseen" "$T/lapses"
before=$(head -n 1 "$T/lapses" | cut -d' ' -f 1-2)
while read -r d0 t0 d1 t1 what of to; do
	# a run of that night which has not begun when the lapse comes comes after it
	while [[ "$(day $n) 02:00:00" < "$d0 $t0" ]]; do night $n; n=$((n + 1)); done
	for v in "$d0 $t0 before" "$d1 $t1 after"; do
		json "${v% *}"
		case "$what ${v##* }" in
		rotation*before) holds "not medium('$of')['overdue_swap']" ;;
		rotation*) holds "medium('$of')['overdue_swap']" ;;
		*before) holds "rule('$of', '$what') == 'met'" ;;
		*) holds "rule('$of', '$what') == '$to'" ;;
		esac
	done
done <"$T/lapses"
say "$(wc -l <"$T/lapses") lapses are foreseen on day 4: each verdict is met a minute before, and as foreseen a minute after"

# ---- the act that is named prevents it
thaw "$T/m1" "$T/m2" "$T/shelf"
for k in "${keep[@]}"; do rm -rf "${T:?}/$k"; mv "$T/kept/$k" "$T/$k"; done
n=5
while [[ "$(day $n) 02:00:00" < "$before" ]]; do night $n; n=$((n + 1)); done
mv "$T/shelf" "$T/rdx"
at "${before%% *} 01:30:00" "$BKP" rotate RDX-01 --operator 事務長 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "the act"
mv "$T/rdx" "$T/shelf"
at "${before%% *} 01:40:00" "$BKP" medium move RDX-01 --operator 事務長 --place 保管庫B >/dev/null
while read -r d0 t0 d1 t1 what of to; do
	[[ "$d1 $t1" < "$(day $((n + 5))) 00:00" ]] || continue
	while [[ "$(day $n) 02:00:00" < "$d0 $t0" ]]; do night $n; n=$((n + 1)); done
	json "$d1 $t1"
	case $what in
	rotation) holds "not medium('$of')['overdue_swap']" ;;
	*) holds "rule('$of', '$what') == 'met'" ;;
	esac
done <"$T/lapses"
say "the disk that is named, rotated before, keeps each of them met"

# ---- how long it was attached: what was done lies within what is said
out() { # DAY HH:MM: it is taken out, which nobody sees
	mv "$T/rdx" "$T/shelf"
	echo "$(day "$1") $2" >>"$T/gone"
}
come() {
	mv "$T/shelf" "$T/rdx"
	echo "$(day "$1") $2" >>"$T/came"
}
e=$((n + 1))
while [ "$n" -lt "$e" ]; do night $n; n=$((n + 1)); done
come $e 05:00
at "$(day $e) 06:00:00" "$BKP" rotate RDX-01 --operator 事務長 >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "rotate"
out $e 06:30
at "$(day $e) 08:00:00" "$BKP" medium move RDX-01 --operator 事務長 --place 保管庫B >/dev/null
night 30
come 30 20:00
night 31
json "$(day 31) 05:59:00"
holds 'not medium("RDX-01")["overdue_attached"]'
json "$(day 31) 06:10:00"
holds 'medium("RDX-01")["overdue_attached"] and says("has been attached for 4 hours, at most 4 h")'
at "$(day 31) 06:10:00" "$BKP" status --prometheus - | grep -q '^bkp_medium_attached_too_long{medium="RDX-01".* 1$' || die "no metric of it"
rm -f "$T/mail"
echo 32 >>"$T/src/diary"
expect 1 at "$(day 32) 02:00:00" "$BKP" run --quiet
said "W-EXPOSED-01: 'RDX-01' has been attached for 2[34] hours, at most 4 h"
grep -q "'RDX-01' has been attached for 2[34] hours" "$T/mail" || fail "the mail does not say it" "$T/mail"
json "$(day 33) 01:00:00"
holds '[t[:15] for n, t in zip(s["next"], s["next_since"]) if "attached for" in n] == ["2026-12-30T21:0"]'
at "$(day 33) 01:00:00" "$BKP" status >"$T/out" || true
said 'has been attached for 4[67] hours, at most 4 h are planned: .* \(for 4[23] hours\)'
out 32 12:00
night 33
say "a disk that stays attached is said by status, metrics, the nightly run (W-EXPOSED-01) and its mail"
at "$(day 33) 09:00:00" "$BKP" medium show RDX-01 --json >"$T/shown"
cat >"$T/bounds.py" <<'P'
# a computation of its own over the journal's lines, in exact minutes of Asia/Tokyo's months
import datetime, glob, json, math, sys
def when(t): return datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).astimezone()
recs = [json.loads(l) for f in sorted(glob.glob(sys.argv[1] + "/journal/*.jsonl")) for l in open(f)]
shown, now = json.load(open(sys.argv[2])), datetime.datetime.fromisoformat(sys.argv[3] + "T09:00:00+09:00")
rdx, known, stays, here = shown["medium"], None, [], None  # known: (is it here, since when, proved last)
def proof(is_here, t, fresh=False):
    global known, here
    if is_here and here:
        here[2] = max(here[2], t)
    elif is_here:
        here = [t if fresh else known, t, t, None]
        stays.append(here)
    else:
        if here:
            here[3] = t
        here, known = None, t
for r in recs:
    t, e = when(r["time"]), r["event"]
    media = [m if isinstance(m, str) else m["medium"] for m in r.get("media", []) if isinstance(m, str) or m.get("ok")]
    if e == "begin" and rdx in r.get("away", []):
        proof(False, when(r["looked"]))
    elif e == "begin" and rdx in r.get("here", []):
        proof(True, when(r["looked"]))
    elif e in ("medium-detached", "medium-moved") and r["medium"] == rdx and r.get("detached", True):
        proof(False, t)
    elif r.get("medium") == rdx and e not in ("medium-moved", "medium-renamed", "history"):
        proof(True, t, e == "medium-added")
    elif e in ("committed", "heads") and rdx in media:
        proof(True, t)
def minutes(a, b): return max(0, (b - a).total_seconds()) / 60
times = shown["exposure"]["times"]
assert len(times) == len(stays) == 5, (len(times), len(stays), stays)
for s, j in zip(stays, times):
    assert [when(j[k]) for k in ("away", "here", "last", "gone")] == s, (s, j)
    assert j["minutes"] == {"at_least": math.floor(minutes(s[1], s[2])), "at_most": math.ceil(minutes(s[0], s[3]))}, (s, j)
months = {}
for m in shown["exposure"]["months"]:
    y, k = map(int, m["month"].split("-"))
    lo = datetime.datetime(y, k, 1).astimezone()
    hi = datetime.datetime(y + k // 12, k % 12 + 1, 1).astimezone()
    cut = lambda t: min(max(t, lo), hi)
    want = (sum(minutes(cut(s[1]), cut(s[2])) for s in stays), sum(minutes(cut(s[0]), cut(s[3])) for s in stays))
    assert m["minutes"] == {"at_least": math.floor(want[0]), "at_most": math.ceil(want[1])}, (m, want)
    months[m["month"]] = want
assert list(months) == ["2026-12", "2027-01"] and min(months["2027-01"]) > 0, months
# what was really done, which no record has
local = lambda l: datetime.datetime.fromisoformat(l.strip().replace(" ", "T") + ":00+09:00")
real = list(zip(map(local, open(sys.argv[4])), map(local, open(sys.argv[5]))))
for came, gone in real:
    s = [s for s in stays if s[0] <= came and gone <= s[3]]
    assert len(s) == 1 and minutes(s[0][1], s[0][2]) <= minutes(came, gone) <= minutes(s[0][0], s[0][3]), (came, gone, stays)
P
python3 "$T/bounds.py" "$T/state" "$T/shown" "$(day 33)" "$T/came" "$T/gone" || fail "how long it was attached" "$T/shown"
at "$(day 33) 09:00:00" "$BKP" medium show RDX-01 >"$T/out"
said '^  2026-12  at least [0-9]+, at most [0-9]+ minutes'
say "minutes attached, by rotation and by month, are bounds around what was really done, as a computation over the journal's lines has them"

# ---- when a medium will be full: by a computation over the journal's lines
python3 - "$T/shown" "$T/state" <<'P' || fail "when it will be full" "$T/shown"
import datetime, glob, json, statistics, sys
def when(t): return datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).astimezone()
recs = [json.loads(l) for f in sorted(glob.glob(sys.argv[2] + "/journal/*.jsonl")) for l in open(f)]
shown = json.load(open(sys.argv[1]))
room, rdx = shown["room"], shown["medium"]
seen = [r for r in recs if r["event"] == "verified" and r["medium"] == rdx and "free" in r][-1]
assert room["free"] == seen["free"] > 0 and room["seen"] == seen["time"]
begun = {r["run"]: when(r["time"]) for r in recs if r["event"] == "begin"}
nights, sets = {}, set()
for r in recs:
    if r["event"] == "committed":
        if r["dataset"] in sets:
            nights.setdefault(begun[r["generation"]].date(), []).append(r)
        sets.add(r["dataset"])
dates = sorted(nights)[-30:]
bytes_ = sorted(sum(r["new_bytes"] for r in nights[d]) for d in dates)
first = min(begun[r["generation"]] for r in nights[dates[0]])
last = max(begun[r["generation"]] for r in nights[dates[-1]])
days = (last - first) / datetime.timedelta(days=1) + 1
n = len(bytes_)
slow = min(statistics.median(bytes_), statistics.mean(bytes_)) * 0.9 * n / days
fast = statistics.mean(bytes_[n // 2:]) * 1.1 * n / days
assert n >= 7 and room["nights"] == n and room["largest"] == bytes_[-1] and room["median"] == int(statistics.median(bytes_))
for rate, said in ((fast, room["full_from"]), (slow, room["full_to"])):
    wait = room["free"] / rate
    if wait < 20 * 365.25:
        assert abs((when(seen["time"]) + datetime.timedelta(days=wait) - when(said)).total_seconds()) < 2, (wait, room)
    else:
        assert said is None, (wait, room)
assert room["state"] == ("filling" if room["free"] / fast < 20 * 365.25 else "not filling"), room
P
say "when a medium will be full is between the two dates that a computation over the journal's lines has"
