#!/bin/bash
# Goal: behind thirty ordinary nights of a clinic each kind of attack is caught on its first night, a slow one (2 % a night) within
# the first nights; and over a month of ordinary nights the guard is not wrong once (GUARD_MONTHS=N: at most once in three).
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
ATTENTION=${GUARD_MONTHS:-1} # months of ordinary work, each with its seed; tests/bench/guard.sh runs many
ransom() { python3 "$SRC_ROOT/tests/lib/ransom.py" "$@" "$T/src" >"$T/harmed"; }
clinic() { python3 "$SRC_ROOT/tests/lib/clinic_month.py" "$1" "$T/src" "${@:2}"; }
figures() { # of docs@$G
	python3 - "$T/state/journal/000001.jsonl" "$G" <<'P'
import json, sys
for line in open(sys.argv[1]):
    r = json.loads(line)
    if r["event"] == "committed" and r["generation"] == int(sys.argv[2]):
        g = r.get("guard", {})
        keys = ("before", "added", "changed", "deleted", "renamed", "dense", "lost", "strange")
        print(" ".join("%s %d" % (k, g[k]) for k in keys if k in g))
P
}
begin() { # SEED
	chattr -R -f -i "$T/m1" 2>/dev/null || true
	rm -rf "$T/src" "$T/state" "$T/m1" "$T/encrypted.txt"
	mkdir -p "$T/m1"
	clinic make --seed "$1"
	"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
	"$BKP" --quiet medium add m1 2>/dev/null
}
any_night() { # an ordinary night: 1 is a false alarm, which a person accepts
	at_night run_any
}
run_any() {
	STATUS=0
	env "${NIGHT_ENV[@]}" "$BKP" run --json docs >"$T/json" 2>"$T/err" || STATUS=$?
	[ "$STATUS" -le 1 ] || night_end 0
	G=$(field generation)
}
age-keygen -o "$T/id.txt" 2>/dev/null
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
datasets:
  - {name: docs, paths: [$T/src]}
media:
  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
Y

# ---- months of ordinary work
alarms=0 nights=0
for seed in $(seq "$ATTENTION"); do
	begin "$seed"
	night 0 docs
	for n in $(seq 30); do
		clinic day "$n" --seed "$seed"
		any_night
		nights=$((nights + 1))
		[ "$STATUS" = 0 ] && continue
		grep -q E-GUARD-01 "$T/err" || grep -q '"suspect"' "$T/json" ||
			fail "night $n of month $seed: exit 1 for another reason" "$T/err"
		alarms=$((alarms + 1))
		echo "false alarm: month $seed, night $n: $(figures)"
		expect 0 "$BKP" accept "$G" --operator Sato --reason "ordinary work"
	done
done
say "false alarms: $alarms in $nights nights of ordinary work ($ATTENTION months)"
[ "$alarms" -le $((ATTENTION / 3)) ] || die "too many false alarms"

# ---- attacks, each behind the thirty nights of the last month
thaw "$T/m1"
mkdir "$T/start"
cp -a "$T/src" "$T/state" "$T/m1" "$T/start/"
START_NIGHT=$NIGHT
back() {
	thaw "$T/m1"
	rm -rf "$T/src" "$T/state" "$T/m1" "$T/encrypted.txt"
	cp -a "$T/start/." "$T/"
	NIGHT=$START_NIGHT
}
caught() { # WHAT WITHIN RANSOM-ARGUMENTS...: ordinary work and the attack each night, until it is caught
	local what=$1 within=$2 n total=0
	shift 2
	back
	for n in $(seq "$within"); do
		clinic day $((30 + n)) --seed "$ATTENTION"
		ransom "$@" --seed "$n"
		total=$((total + $(cat "$T/harmed")))
		any_night
		[ "$STATUS" = 0 ] || break
	done
	[ "$STATUS" = 1 ] && "$BKP" generations --json | grep -q '"suspect":true' || die "$what: not caught in $within nights"
	echo "$what: caught on night $n, after $total files ($(figures))"
	python3 -c 'import json, sys; print("    " + json.load(open(sys.argv[1]))["datasets"][0]["suspect"])' "$T/json"
}
caught "encrypted in place" 1 in-place
caught "encrypted in place, times put back" 1 in-place --keep-times
caught "encrypted and renamed" 1 locked
caught "new file written, old one deleted" 1 replace
caught "cut to nothing" 1 wipe
caught "deleted" 1 delete
caught "a tenth encrypted in place" 1 in-place --percent 10
caught "2 % a night, in place" 2 in-place --percent 2
caught "2 % a night, renamed" 2 locked --percent 2
caught "2 % a night, replaced" 3 replace --percent 2
caught "0.3 % a night, in place" 6 in-place --percent 0.3
caught "0.3 % a night, times put back" 6 in-place --percent 0.3 --keep-times
# an unchanged copy of everything (other inodes, other times of change) is no change
back
# what lies in archives that are mostly dead is stored once more (docs/format-writer.md, section 11), and would be counted: not
# in this night
sed -i 's/^datasets:/retention: {live_share: 0 %}\n&/' "$T/policy.yaml"
any_night
[ "$STATUS" = 0 ] || die "files that were only copied to another disk raise an alarm: $(cat "$T/err")"
case $(figures) in *" changed 0 deleted 0 renamed 0 dense 0 lost 0 "*) ;; *) die "a copied tree is counted as changed: $(figures)" ;; esac
say "seven attacks at once are caught on their first night, 2 % a night within three, 0.3 % a night within six; a tree copied to another" \
	"disk is no change"
