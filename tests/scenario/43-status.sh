#!/bin/bash
# Goal: bkp status tells the truth about 3世代 and 3-2-1 through the life of a site, with nights on real dates of a clock that is
# set forward (fakeclock.c): nothing yet, one night, three nights, rotation, the disk away, overdue, one technology only, damage;
# the exit codes are those of a monitor; bkp medium show and move keep the place and the hands of every medium.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (disks that are folders in memory)"
# folders on one disk are one copy, and status says so: here each is taken for a disk of its own
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-status.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo
# at "DATE TIME" COMMAND...: at that local time
at() {
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKEDISK="$FAKEDISK" FAKECLOCK="$(until_then "$when")" "$@"
}
# json CODE "DATE TIME" PYTHON: bkp status --json at that time exits so, and the expression holds ('s' the object, 'd' the data set)
json() {
	local code=0
	at "$2" "$BKP" status --json >"$T/json" 2>"$T/err" || code=$?
	[ "$code" = "$1" ] || fail "status exits $code at $2, expected $1" "$T/json" "$T/err"
	python3 - "$T/json" "$3" <<-'P' || fail "at $2: $3" "$T/json"
	import json, sys
	s = json.load(open(sys.argv[1])); d = s["datasets"][0]
	v = [d[k]["verdict"] for k in ("generations", "three", "two", "one")]
	def says(t): return any(t in n for n in s["next"])
	def medium(l): return [m for m in s["media"] if m["label"] == l][0]
	assert eval(sys.argv[2].replace("\n", " ")), sys.argv[2]
	P
}
night() {
	echo "$1" >>"$T/src/diary"
	# the disk that nobody has taken away yet is an alarm of the nights
	at "$1 02:00:00" "$BKP" run --quiet --all >"$T/said" 2>&1 || { [ $? = 1 ] && grep -q W-EXPOSED-01 "$T/said"; } ||
		fail "the night of $1" "$T/said"
}

mkdir -p "$T/rdx" "$T/src" "$T/m1" "$T/m2"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/rdx, place: 別棟 保管庫B, swap_every: 7d, max_attached: 4h}
people:
  - {name: 事務長, roles: [manager, operator]}
places:
  - {name: サーバ室, originals: true}
  - {name: 別室}
  - {name: 別棟 保管庫B, separate_from: [サーバ室]}
Y
expect 3 "$BKP" status
grep -q 'E-STATE-01.*no repository' "$T/err" || die "no repository is not said"
expect 64 "$BKP" status docs
age-keygen -o "$T/id.txt" 2>/dev/null
at "2026-12-01 00:00:00" "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
json 2 "2026-12-01 00:10:00" 's["nothing"] and v == ["missing"] * 4 and says("docs'"'"' was never captured") and says("bkp medium add m1")
	and medium("m1")["medium"] is None'
fakedisk hdd "$T/m1" "$T/rdx"
fakedisk ssd "$T/m2"
for m in m1 m2 RDX-01; do at "2026-12-01 00:20:00" "$BKP" medium add $m >/dev/null 2>&1; done
json 2 "2026-12-01 00:30:00" 's["overall"] == "missing" and not says("medium add") and medium("RDX-01")["attached"]'
say "nothing is captured: exit 2, and what to do is said; without a repository 3, wrong usage 64"

night 2026-12-01
json 1 "2026-12-01 09:00:00" 'v == ["attention", "met", "met", "missing"] and d["generations"]["have"] == 1
	and d["newest"]["generation"] == 1 and says("generations of 2 more dates")'
# a second one on the same date is no second date
echo again >>"$T/src/diary"
at "2026-12-01 23:50:00" "$BKP" run --quiet --all >"$T/said" 2>&1 || grep -q W-EXPOSED-01 "$T/said" || fail "the second one" "$T/said"
json 1 "2026-12-01 23:55:00" 'd["generations"]["have"] == 1 and d["newest"]["generation"] == 2'
night 2026-12-02
night 2026-12-03
json 1 "2026-12-03 09:00:00" 'v == ["met", "met", "met", "missing"] and d["generations"]["have"] == 3
	and d["offline_recovery_point"] is None and says("bkp rotate RDX-01") and not says("unmount RDX-01")'
say "three nights on three dates are 3世代, two generations on one date are not; the disk that was never away does not count"

# ---- the rotation, and the way to the other building
at "2026-12-03 09:00:00" "$BKP" medium move RDX-01 --operator 事務長 --place 車 >"$T/out" 2>"$T/err" && die "moved while attached"
grep -q "E-MEDIA-17: 'RDX-01' is still attached at '$T/rdx'" "$T/err" || fail "still attached is not said" "$T/err"
status at "2026-12-03 09:01:00" "$BKP" rotate RDX-01 --operator 事務長
[ "$STATUS" -le 1 ] || fail "rotate" # 1: no static bkp-restore is built here
json 1 "2026-12-03 09:05:00" 'v[:3] == ["met", "met", "met"] and d["one"]["have"] == 0
	and d["offline_recovery_point"] is None and says("RDX-01")'
mv "$T/rdx" "$T/shelf"
json 1 "2026-12-03 09:10:00" 'd["one"]["have"] == 0 and says("RDX-01 is no longer attached: record where it is")'
expect 64 at "2026-12-03 09:11:00" "$BKP" medium move RDX-01 --operator 事務局長
grep -q "E-OPERATOR-01" "$T/err" || die "a stranger is not named"
expect 64 at "2026-12-03 09:11:00" "$BKP" medium move RDX-01
expect 64 at "2026-12-03 09:11:00" "$BKP" medium move RDX-01 --operator 事務長 --place "$(printf 'a\033[2J')"
expect 2 at "2026-12-03 09:11:00" "$BKP" medium move RDX-02 --operator 事務長
grep -q "did you mean 'RDX-01'" "$T/err" || die "the near name is not suggested"
expect 64 at "2026-12-03 09:11:00" "$BKP" medium move m1 --operator 事務長
expect 0 at "2026-12-03 09:30:00" "$BKP" medium move RDX-01 --operator 事務長 --json
python3 -c 'import json, sys; o = json.load(open(sys.argv[1]))
assert o["detached"] and o["place"] == "別棟 保管庫B" and o["operator"] == "事務長", o' "$T/out"
json 0 "2026-12-03 10:00:00" 'v == ["met"] * 4 and s["next"] == [] and d["offline_recovery_point"]["generation"] == 4
	and not medium("RDX-01")["attached"] and medium("RDX-01")["custodian"] == "事務長"'
at "2026-12-03 10:00:00" "$BKP" status >"$T/met.en"
# away is not enough: a shelf beside the server burns with it, and what is not said is not believed
cp "$T/policy.yaml" "$T/policy.was"
sed -i 's/, separate_from: .*}/}/' "$T/policy.yaml"
json 1 "2026-12-03 10:00:00" 'v == ["met", "met", "met", "attention"]'
sed -i '/^places:/,$d' "$T/policy.yaml"
json 1 "2026-12-03 10:00:00" 'v == ["met", "met", "met", "attention"]
	and "whether at a separate place the policy does not say" in d["one"]["why"]'
cp "$T/policy.was" "$T/policy.yaml"
# what somebody has set in his terminal holds there, and --lang holds against it
sed -i 's/language: en/language: ja/' "$T/policy.yaml"
BKP_LANG=en at "2026-12-03 10:00:00" "$BKP" status | grep -q '^○ met  2026-12-03 10:00' || die "BKP_LANG=en gives the policy's language"
BKP_LANG=en at "2026-12-03 10:00:00" "$BKP" --lang ja status | grep -q '^○ 適合  2026-12-03 10:00' ||
	die "--lang does not hold against BKP_LANG"
at "2026-12-03 10:00:00" "$BKP" status | grep -q '^○ 適合  2026-12-03 10:00' ||
	die "the policy's language"
sed -i 's/language: ja/language: en/' "$T/policy.yaml"
grep -q '^○ met  2026-12-03 10:00' "$T/met.en" || fail "the page does not say met" "$T/met.en"
[ -z "$(at "2026-12-03 10:00:00" "$BKP" status --quiet)" ] || die "quiet is not quiet"
say "attached: not offline; gone: not recorded; carried away and recorded: everything is met, exit 0, オフライン保証復旧点 is the newest generation"

# ---- it reads only, without the lock
before=$(sha256sum <"$T/state/journal/000001.jsonl")
expect 0 flock "$T/state/lock" env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "2026-12-03 10:00:00")" "$BKP" status
[ "$before" = "$(sha256sum <"$T/state/journal/000001.jsonl")" ] || die "status wrote to the journal"
say "status works while another program holds the lock, and writes nothing"

# ---- time goes by
json 1 "2026-12-04 23:00:00" 'v == ["attention", "met", "met", "met"] and says("run '"'"'bkp run docs'"'"'")'
for n in 04 05 06 07 08 09 10 11 12; do night 2026-12-$n; done
json 1 "2026-12-12 10:00:00" 'v == ["met", "met", "met", "missing"] and d["offline_recovery_point"]["generation"] == 4
	and says("attach RDX-01 (from \x27別棟 保管庫B\x27) and run \x27bkp rotate RDX-01 --operator NAME\x27: its last rotation was "
		"9 days ago, planned every 7 days")'
json 1 "2026-12-02 10:00:00" '"the clock says 2026-12-02 10:00" in s["next"][0]'
say "nights that do not come, a rotation that is overdue, a clock that is behind: each is said with what to do"

# ---- the night sees media come and go
mv "$T/shelf" "$T/rdx"
night 2026-12-13
mv "$T/rdx" "$T/shelf"
night 2026-12-14
at "2026-12-14 09:00:00" "$BKP" medium show RDX-01 --json >"$T/show"
python3 - "$T/show" <<'P' || fail "medium show" "$T/show"
import json, sys
o = json.load(open(sys.argv[1]))
events = [h["event"] for h in o["history"]]
assert events == ["medium-added", "rotated", "medium-moved", "medium-attached", "medium-detached"], events
assert o["history"][2]["operator"] == "事務長" and o["history"][2]["detached"] is True
assert [g["generation"] for g in o["on_it"]] == [1, 2, 3, 4] and all(g["verified"] for g in o["on_it"])
assert o["place"] == "別棟 保管庫B" and not o["attached"] and o["sight"] == "not seen"
P
at "2026-12-14 09:00:00" "$BKP" medium show rdx-01 >"$T/out"
grep -q 'in the hands of  *事務長' "$T/out" || fail "medium show does not name the custodian" "$T/out"
at "2026-12-14 09:00:00" "$BKP" medium list >"$T/out"
grep -q '^RDX-01 .*removed since 2026-12-14 02:00.*not recorded' "$T/out" || fail "medium list" "$T/out"
cp -a "$T/state" "$T/state.was"
at "2026-12-14 09:00:00" "$BKP" status >"$T/out" || :
grep -q "RDX-01 was detached, and nobody recorded where it is now: 'bkp medium move RDX-01 " "$T/out" &&
	! grep -q "from '別棟 保管庫B'" "$T/out" ||
	fail "status says a place that nobody recorded" "$T/out"
expect 0 at "2026-12-14 09:00:00" "$BKP" medium move RDX-01 --operator 事務長 # to the place of the policy
at "2026-12-14 09:00:00" "$BKP" medium list | grep -q '^RDX-01 .*別棟 保管庫B' || die "the place of the policy is not recorded"
rm -r "$T/state"; mv "$T/state.was" "$T/state"
expect 2 "$BKP" medium show RDX-99
say "every night records which offline media came and went; medium show gives place, hands, generations and history"

# ---- two hard disks and an RDX are one technology
sed -i 's/type: ssd/type: hdd/' "$T/policy.yaml"
json 1 "2026-12-14 10:00:00" 'v[2] == "attention" and d["two"]["have"] == 1
	and says("all media are of one technology (magnetic disk): add a medium of another one")'
sed -i '/name: m2/s/type: hdd/type: ssd/' "$T/policy.yaml"
json 1 "2026-12-14 10:00:00" 'v[2] == "met"'
say "hard disks and RDX count as one technology; with an SSD they are two"

# ---- a share that is unmounted is named for what it is, and is not the copy that is offline
sed -i "/name: RDX-01/a\\  - {name: far, type: hdd, offline: true, path: $T/far, place: 別棟 保管庫B, swap_every: 7d}" "$T/policy.yaml"
mkdir "$T/far" # of no disk: its UUID is not known
at "2026-12-14 10:00:00" "$BKP" medium add far >/dev/null 2>&1
status at "2026-12-14 10:01:00" "$BKP" rotate far --operator 事務長
[ "$STATUS" -le 1 ] || fail "rotate far" "$T/err"
mv "$T/far" "$T/elsewhere"
expect 0 at "2026-12-14 10:02:00" "$BKP" medium move far --operator 事務長
json 1 "2026-12-14 10:03:00" 'v[3] == "attention" and d["one"]["have"] == 0 and "logically separated only" in d["one"]["why"]
	and d["offline_recovery_point"]["generation"] == 4 and medium("far")["offline_kind"] == "logically separated"
	and medium("RDX-01")["offline_kind"] == "removed" and medium("m1")["offline_kind"] is None'
at "2026-12-14 10:03:00" "$BKP" medium list | grep -q '^far .*logically separated since 2026-12-14 10:02' || die "the kind of offline"
at "2026-12-14 10:03:00" "$BKP" medium show far | grep -q 'kind of offline  *logically separated: its mount' || die "medium show far"
at "2026-12-14 10:03:00" "$BKP" medium show RDX-01 | grep -q 'kind of offline  *removed: it would be seen' || die "medium show RDX-01"
sed -i '/name: far/d' "$T/policy.yaml"
say "a disk that is away is removed; a share of which only the mount is gone is logically separated, and no offline copy"

# ---- damage
last=$(ls -d "$(set_of "$T/m1")"/generations/* | tail -n 1)
archive=$(set_of "$T/m1")/$(grep -o 'archives/.*' "$last/SHA256SUMS" | tail -n 1)
thaw "$T/m1"
chmod u+w "$archive"
printf X | dd of="$archive" bs=1 seek=300 conv=notrunc status=none
expect 2 at "2026-12-14 11:00:00" "$BKP" verify --medium m1
json 1 "2026-12-14 11:30:00" 'medium("m1")["damaged"] > 0 and "damaged" in s["next"][0] and "'"'m1'"'" in s["next"][0]
	and d["generations"]["have"] >= 3 and v[1] == "attention"'
say "what bkp verify finds damaged no longer counts, and is the first thing said"

# ---- the journal itself
cp "$T/state/journal/000001.jsonl" "$T/journal.good"
sed -i '3s/"time"/"tame"/' "$T/state/journal/000001.jsonl"
expect 3 at "2026-12-14 12:00:00" "$BKP" status
expect 3 at "2026-12-14 12:00:00" "$BKP" status --json
[ ! -s "$T/out" ] || die "a status was shown from a damaged journal"
cp "$T/journal.good" "$T/state/journal/000001.jsonl"
json 1 "2026-12-14 12:00:00" 's["journal_records"] > 20'
say "a journal that was changed gives exit 3 and no verdict"
