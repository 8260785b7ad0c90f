#!/bin/bash
# Goal: two disks weekly in turn are quiet and ○ all the year round, holidays and the turn of the year among them: a simulated clock plays
# BKP_TURN_WEEKS weeks of nights, mornings and turns as the plan says them; the days are computed by another program.  Then what goes
# wrong: a turn nobody does (reminders that escalate), a disk out of turn, two at once, none left away, a lost one; and what users of other
# products lose: what is on a plugged disk, the oldest set before the new one is safe, a night because a volume is away.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (disks that are folders in memory)"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-turns.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo
weeks=${BKP_TURN_WEEKS:-10}
HOLIDAYS=$SRC_ROOT/policies/holidays-ja.txt

# at "DATE TIME" COMMAND...: at that local time
at() {
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" FAKECLOCK="$(until_then "$when")" "$@"
}
# look CODE WHEN PYTHON: bkp status --json exits so, and the expression holds ('s' the object, 'p' the pool)
look() {
	local code=0
	at "$2" "$BKP" status --json >"$T/json" 2>"$T/err" || code=$?
	[ "$code" = "$1" ] || fail "status exits $code at $2, expected $1" "$T/json" "$T/err"
	python3 - "$T/json" "$3" <<-'P' || fail "at $2: $3" "$T/json"
	import json, sys
	s = json.load(open(sys.argv[1])); p = s["turns"][0] if s["turns"] else None
	def says(t): return any(t in n for n in s["next"])
	assert eval(sys.argv[2].replace("\n", " ")), sys.argv[2]
	P
}
night() { # DATE
	echo "$1" >>"$T/src/diary"
	status at "$1 02:00:00" "$BKP" run --quiet
	[ "$STATUS" = "${2:-0}" ] || fail "the night of $1 exits $STATUS" "$T/out" "$T/err"
}
plug() { mv "$T/shelf/$1" "$T/$1"; }
pull() { mv "$T/$1" "$T/shelf/$1"; }
turn() { # DATE DISK: brought, rotated, carried away, recorded
	plug "$2"
	status at "$1 09:00:00" "$BKP" rotate "$2" --operator 山田
	[ "$STATUS" = "${3:-0}" ] || fail "the turn of $2 on $1 exits $STATUS" "$T/out" "$T/err"
	pull "$2"
	at "$1 09:30:00" "$BKP" --quiet medium move "$2" --operator 山田 || die "$2 cannot be moved"
}

# ---- the holidays of the sample are those of the law
python3 - "$HOLIDAYS" <<'P' || die "holidays-ja.txt"
import datetime as D, re, sys
def monday(y, m, n):
    d = D.date(y, m, 1)
    return d + D.timedelta((7 - d.weekday()) % 7 + 7 * (n - 1))
def equinox(y, base):
    return int(base + 0.242194 * (y - 1980)) - (y - 1980) // 4
def days(y):
    s = {D.date(y, *md) for md in ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23))}
    s |= {monday(y, 1, 2), monday(y, 7, 3), monday(y, 9, 3), monday(y, 10, 2)}
    s |= {D.date(y, 3, equinox(y, 20.8431)), D.date(y, 9, equinox(y, 23.2488))}
    more = {d + D.timedelta(1) for d in s if d + D.timedelta(2) in s and d + D.timedelta(1) not in s}
    for d in s:
        if d.weekday() == 6:
            while d in s:
                d += D.timedelta(1)
            more.add(d)
    return s | {d for d in more if d.weekday() != 6}
text = open(sys.argv[1], encoding="utf-8").read()
have = {D.date.fromisoformat(d) for d in re.findall(r"^(\d{4}-\d\d-\d\d) ", text, re.M)}
assert have == days(2026) | days(2027), sorted(have ^ (days(2026) | days(2027)))
P

mkdir -p "$T/shelf" "$T/src" "$T/m1" "$T/m2" "$T/RDX-01" "$T/RDX-02"
site_policy "  - {name: docs, title: 文書, paths: [$T/src], guard: {enabled: false}}"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, place: 別棟 保管庫B, max_attached: 4h}
  - {name: RDX-02, type: rdx, offline: true, place: 別棟 保管庫B, max_attached: 4h}
pools:
  - name: weekly
    media: [RDX-01, RDX-02]
    swap_every: 7d
    weekday: mon
    remind:
      - {tell: 事務長, after: 2d}
      - {tell: 院長, after: 4d}
holidays: $HOLIDAYS
schedule: {at: "02:00"}
key_drill_every: 9999d
notify: {command: 'printf "%s\n" "\$BKP_TELL" >>$T/told; cat >>$T/mails'}
people:
  - {name: 山田, roles: [operator]}
  - {name: 事務長, roles: [manager, operator]}
  - {name: 院長, roles: [manager]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: 別棟 保管庫B, separate_from: [サーバ室, 別室]}
Y
age-keygen -o "$T/id.txt" 2>/dev/null
at "2026-12-01 00:00:00" "$BKP" init --root-key-out "$T/root.key" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
fakedisk hdd "$T/m1" "$T/RDX-01" "$T/RDX-02"
fakedisk ssd "$T/m2"
for m in m1 m2; do at "2026-12-01 00:20:00" "$BKP" medium add $m >/dev/null 2>&1 || die "add $m"; done
for m in RDX-01 RDX-02; do at "2026-12-01 00:20:00" "$BKP" medium add $m --path "$T/$m" >/dev/null 2>&1 || die "add $m"; done
look 2 "2026-12-01 00:30:00" 'p["attached_beside"] == "RDX-02" and says("two media of '"'weekly'"' are attached at once")'
for m in RDX-01 RDX-02; do
	pull $m
	at "2026-12-01 00:40:00" "$BKP" --quiet medium move $m --operator 山田 || die "move $m"
done
night 2026-12-01
night 2026-12-02
night 2026-12-03 1 # nothing was ever rotated, for two days
[ "$(cat "$T/told")" = 事務長 ] && grep -q "W-TURN-01: the turn of pool 'weekly' is 2 days late" "$T/err" || fail "it is not told" "$T/told"
rm "$T/told" "$T/mails"
look 1 "2026-12-03 07:00:00" 'p["due"] == "RDX-01" and says("attach RDX-01 (from '"'別棟 保管庫B'"')") and says("never rotated")'
turn 2026-12-03 RDX-01
look 0 "2026-12-03 10:00:00" 's["overall"] == "met" and s["next"] == [] and p["due"] == "RDX-02" and p["newest"] == "RDX-01"'
cp "$T/policy.yaml" "$T/policy.was"

# ---- weeks of them: each morning ○, nothing to do, nobody told; the plan of each week is what another program says
at "2026-12-03 10:00:00" "$BKP" rotate --plan --weeks "$weeks" --json >"$T/plan" || die "no plan"
python3 - "$T/plan" "$HOLIDAYS" "$weeks" >"$T/days" <<'P' || fail "the plan is not what the calendar says" "$T/plan"
import datetime as D, json, re, sys
p = json.load(open(sys.argv[1]))["pools"][0]
closed = set()
for a, b in re.findall(r"^(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))? ", open(sys.argv[2], encoding="utf-8").read(), re.M):
    d = D.date.fromisoformat(a)
    while d <= D.date.fromisoformat(b or a):
        closed.add(d)
        d += D.timedelta(1)
off = lambda d: d in closed or d.weekday() == 6
d, disks, want = D.date(2026, 12, 7), ["RDX-02", "RDX-01"], []
while d <= D.date(2026, 12, 3) + D.timedelta(7 * int(sys.argv[3])):
    e = d
    while off(e):
        e += D.timedelta(1)
    want.append((str(e), str(d), disks[len(want) % 2]))
    d += D.timedelta(7)
have = [(t["date"], t["planned"], t["bring"]) for t in p["turns"]]
# the first turn was on a Thursday: the Monday behind it is four days later
assert have == want, (have, want)
assert all(t["who"] == ["山田", "事務長"] and t["to"] == t["from"] == "別棟 保管庫B" and t["take_away"] == t["bring"] for t in p["turns"])
assert {t["holiday"] for t in p["turns"] if t["planned"] == "2027-01-11"} <= {"成人の日"}
print("\n".join("%s %s" % (a, c) for a, _, c in have))
P
day=2026-12-04
while read -r date disk; do
	while [[ $day < $date ]] || [ "$day" = "$date" ]; do
		night $day
		[ ! -s "$T/out" ] && [ ! -s "$T/err" ] || fail "the night of $day says something" "$T/out" "$T/err"
		look 0 "$day 07:00:00" 's["overall"] == "met" and s["next"] == [] and p["days_late"] == 0 and not p["to_be_told"]'
		last=$day
		day=$(date -d "$day + 1 day" +%F)
	done
	look 0 "$date 08:00:00" "p['due'] == '$disk' and p['date'] == '$date'"
	turn "$date" "$disk"
	look 0 "$date 10:00:00" 's["overall"] == "met" and s["next"] == [] and p["newest"] == "'"$disk"'"'
done <"$T/days"
look 0 "$last 10:00:00" 'p["room"] == [m["room"] for m in s["media"] if m["label"] == p["full_first"]][0]'
[ ! -s "$T/told" ] || fail "somebody was told" "$T/mails"
say "$weeks weeks, $(wc -l <"$T/days") turns of two disks, holidays among them: each morning ○, nothing to do, nobody told"

# ---- a turn that nobody does: late behind its day, not behind a holiday; the line of the morning names the medium, and who is told grows
plus() { date -d "$last + $1 days" +%F; }
at "$last 10:00:00" "$BKP" rotate --plan --json >"$T/plan"
read -r date disk < <(python3 -c 'import json, sys
t = json.load(open(sys.argv[1]))["pools"][0]["turns"][0]
print(t["date"], t["bring"])' "$T/plan")
newest=RDX-01
[ "$disk" != RDX-01 ] || newest=RDX-02
gap=$((($(date -d "$date" +%s) - $(date -d "$last" +%s)) / 86400)) # the turn is so many days behind the last one
for n in $(seq 1 "$gap"); do night "$(plus "$n")"; done
look 0 "$(plus "$gap") 07:00:00" 'p["days_late"] == 0 and s["next"] == []'
night "$(plus $((gap + 1)))"
look 1 "$(plus $((gap + 1))) 07:00:00" 'p["days_late"] == 1 and not p["to_be_told"] and says("attach '"$disk"' (from") and says("1 day")'
[ ! -s "$T/told" ] || fail "told too early" "$T/mails"
night "$(plus $((gap + 2)))" 1
grep -q "W-TURN-01: the turn of pool 'weekly' is 2 days late: bring $disk (from '別棟 保管庫B')" "$T/err" || fail "it is not said"
[ "$(cat "$T/told")" = 事務長 ] || fail "who is told after two days" "$T/told"
echo more >>"$T/src/diary"
expect 0 at "$(plus $((gap + 2))) 12:00:00" "$BKP" run --all --quiet # once a day is enough
night "$(plus $((gap + 3)))" 1
night "$(plus $((gap + 4)))" 1
[ "$(tail -n 1 "$T/told")" = "事務長, 院長" ] || fail "who is told after four days" "$T/told"
grep -q "bring $disk" "$T/mails" || fail "the mail does not say what to do" "$T/mails"
look 1 "$(plus $((gap + 4))) 07:00:00" 'p["to_be_told"] == ["事務長", "院長"] and says("to be told: 事務長, 院長")'
at "$(plus $((gap + 4))) 07:00:00" "$BKP" notify || true
[ "$(tail -n 1 "$T/told")" = "事務長, 院長" ] || fail "whom bkp notify names" "$T/told"
say "a turn nobody does: △ the day behind, 事務長 after two days, 院長 after four, once a day, by name to the notify command"

# ---- a disk out of turn
late=$(plus $((gap + 4)))
sums() { # DIR: what is not written anew at each rotation
	(cd "$1" && find . -type f ! -name 'journal*' ! -path '*/journal/*' ! -name keys.jsonl | LC_ALL=C sort | xargs -d '\n' sha256sum)
}
plug $newest
look 1 "$late 08:00:00" 'says("'"$newest is attached and not due"'") and p["due"] == "'"$disk"'"'
sums "$T/$newest" >"$T/before"
expect 2 at "$late 08:10:00" "$BKP" rotate --operator 山田
grep -q "E-ROTATE-11: '$newest' holds the newest offline copy of pool 'weekly': the one that is due is '$disk'" "$T/err" ||
	fail "the newest copy"
sums "$T/$newest" | cmp - "$T/before" || die "the newest offline copy was written to"
plug "$disk"
look 1 "$late 08:20:00" 'p["attached_beside"] == "'"$newest"'" and says("unmount '"$newest"' and take it to")'
for m in $newest "$disk" ''; do
	expect 2 at "$late 08:30:00" "$BKP" rotate $m --operator 山田
	grep -q "E-ROTATE-10: two media of pool 'weekly' are attached at once: '$disk' and '$newest'" "$T/err" || fail "two at once"
	grep -q "unmount $newest, take it to '別棟 保管庫B'.*then 'bkp rotate $disk" "$T/err" || fail "which of two goes"
done
pull $newest
sums "$T/$disk" >"$T/before"
expect 0 at "$late 09:00:00" "$BKP" rotate --operator 山田
expect 0 at "$late 09:05:00" "$BKP" rotate --operator 山田 # the same command again is no other turn
pull "$disk"
at "$late 09:30:00" "$BKP" --quiet medium move "$disk" --operator 山田
say "the newest offline copy is not written to while the other can be used, two are not attached at once: what goes is named"

# ---- what others lose: rotated drives counted as one set, so that a plugged disk loses what is on it
sums "$T/shelf/$disk" | sort >"$T/after"
sort "$T/before" | comm -23 - "$T/after" | grep '/datasets/' && die "files of a plugged disk are gone"
[ "$(wc -l <"$T/after")" -gt "$(wc -l <"$T/before")" ] || die "nothing came to it"
say "rotated drives are no set: nothing that was on the plugged disk is gone or changed"

# ---- none left away: the other one is at the place of the originals
look 0 "$late 10:00:00" 's["next"] == []'
at "$late 10:20:00" "$BKP" --quiet medium move "$disk" --operator 山田 --place サーバ室
look 1 "$late 10:30:00" 'p["take_away_first"] == "'"$disk"'"
	and says("'"$disk"' is at '"'サーバ室'"', which is not separate from the originals")'
at "$late 10:30:00" "$BKP" rotate --plan >"$T/out"
grep -q "$newest .*first take $disk to '別棟 保管庫B'" "$T/out" || fail "the plan does not say what goes first"
at "$late 10:40:00" "$BKP" --quiet medium move "$disk" --operator 山田
look 0 "$late 10:50:00" 's["next"] == [] and p["away"] == 2'

# ---- what others lose: a volume that is away blocks the job
day=$(date -d "$late + 1 day" +%F)
night "$day"
at "$day 09:00:00" "$BKP" --quiet medium retire $newest --operator 事務長 --reason 紛失
look 1 "$day 10:00:00" 'p["due"] == "'"$disk"'" and [m["left_out"] for m in p["media"] if m["medium"] == "'"$newest"'"] == ["retired"]'
at "$day 10:00:00" "$BKP" status >"$T/out" || true
grep -q "turns of 'weekly': next $disk .*left out: $newest (retired)" "$T/out" || fail "what is left out is not named"
next=$(date -d "$day + 1 day" +%F)
night "$next"
plug "$disk"
expect 0 at "$next 09:00:00" "$BKP" rotate --operator 山田
pull "$disk"
at "$next 09:30:00" "$BKP" --quiet medium move "$disk" --operator 山田
say "a volume that is lost blocks nothing: nights and the other disk's rotation go on, and it is named"

# ---- a new one takes its place; what the pool holds: the newest, the oldest
gens() { # DISK
	(cd "$T/shelf/$1"/*-*-*-*-*/datasets/docs/generations && find . -mindepth 1 -maxdepth 1 -type d) |
		sed 's|./0*||' | sort -n | tr '\n' ' '
}
sed -i "s/$newest/RDX-09/g; s/    swap_every: 7d/&\n    holds: newest/" "$T/policy.yaml"
mkdir "$T/RDX-09"
fakedisk hdd "$T/RDX-09"
at "$next 10:00:00" "$BKP" medium add RDX-09 --path "$T/RDX-09" >/dev/null 2>&1 || die "add RDX-09"
expect 0 at "$next 10:10:00" "$BKP" rotate --operator 山田
pull RDX-09
at "$next 10:30:00" "$BKP" --quiet medium move RDX-09 --operator 山田
newest_run=$(at "$next 11:00:00" "$BKP" status --json |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["datasets"][0]["newest"]["generation"])')
[ "$(gens RDX-09)" = "$newest_run " ] || die "holds: newest brought $(gens RDX-09), not $newest_run"
look 0 "$next 11:00:00" 's["overall"] == "met" and s["next"] == []
	and [m["missing"] for m in s["media"] if m["label"] == "RDX-09"] == [0]'
# the oldest set is not deleted before the new one is safe: a rotation that fails leaves all that was there
day=$(date -d "$next + 1 day" +%F)
night "$day"
had=$(gens "$disk")
for m in m1 m2; do
	thaw "$T/$m"
	find "$T/$m" -path '*/archives/*' -newer "$T/shelf/RDX-09" -name '*.age' |
		while read -r f; do printf x | dd of="$f" bs=1 seek=300 conv=notrunc status=none; done
done
plug "$disk"
status at "$day 09:00:00" "$BKP" rotate --operator 山田
[ "$STATUS" = 2 ] || fail "a rotation that could not bring the newest exits $STATUS"
pull "$disk"
[ "$(gens "$disk")" = "$had" ] || fail "generations went before the new one was safe: $had, now $(gens "$disk")"
for g in $had; do expect 0 "$RESTORE" --medium "$T/shelf/$disk" --identity "$T/id.txt" verify "docs@$g"; done
say "holds: newest brings one generation a data set; a rotation that fails leaves the old set whole, which verifies"

# holds: oldest: a new disk gets the three oldest that stand on a medium kept online, restores them alone, and is not told to lack the newer
at "$day 09:30:00" "$BKP" --quiet medium move "$disk" --operator 山田
sed -i 's/RDX-09/RDX-08/g; s/    holds: newest/    holds: oldest/' "$T/policy.yaml"
mkdir "$T/RDX-08"
fakedisk hdd "$T/RDX-08"
at "$day 10:00:00" "$BKP" medium add RDX-08 --path "$T/RDX-08" >/dev/null 2>&1 || die "add RDX-08"
status at "$day 10:10:00" "$BKP" rotate RDX-08 --operator 山田
[ "$STATUS" = 0 ] || fail "the rotation of the oldest exits $STATUS" "$T/out" "$T/err"
pull RDX-08
oldest=$(cd "$(set_of "$T/m1")/generations" && find . -mindepth 1 -maxdepth 1 -type d | sed 's|./0*||' | sort -n | head -n 3 | tr '\n' ' ')
[ "$(gens RDX-08)" = "$oldest" ] || die "holds: oldest brought $(gens RDX-08), not $oldest"
for g in $oldest; do
	rm -rf "$T/back"
	expect 0 "$RESTORE" --medium "$T/shelf/RDX-08" --identity "$T/id.txt" extract "docs@$g" --to "$T/back"
	[ "$(find "$T/back" -name diary -exec tail -n 1 {} +)" = "$(sed -n "${g}p" "$T/src/diary")" ] || die "docs@$g is not of its night"
done
at "$day 11:00:00" "$BKP" medium move RDX-08 --operator 山田 --quiet || die "move RDX-08"
at "$day 11:10:00" "$BKP" status --json >"$T/json" || true
[ "$(jq -c '[.media[] | select(.label == "RDX-08") | .missing], .turns[0].holds' "$T/json" | tr -d '\n')" = '[0]"oldest"' ] ||
	fail "what it is to hold is said to be missing" "$T/json"
say "holds: oldest brings the three oldest generations; each restores from that disk alone"
