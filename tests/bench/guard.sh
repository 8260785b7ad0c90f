#!/bin/bash
# What the guard against mass change catches, on which night, and how often it is wrong: real captures of a simulated clinic
# (tests/lib/clinic_month.py) and simulated attackers (tests/lib/ransom.py).  The tables in docs/guard.md are what this prints.
#   tests/bench/guard.sh [--seeds N] [--nights N] [--attacks N]
#     --seeds N    clinics of ordinary work (default 20), of --nights nights each (default 60); --attacks N of them are then
#                  attacked in each way (default 5), behind night 30
set -u
cd "$(dirname "$0")/../.." || exit 1
seeds=20 nights=60 attacks=5
while [ $# -gt 0 ]; do
	case $1 in
	--seeds) seeds=$2 ;;
	--nights) nights=$2 ;;
	--attacks) attacks=$2 ;;
	*) echo "unknown option $1" >&2; exit 64 ;;
	esac
	shift 2
done
export BKP_BIN=${BKP_BIN:-$PWD/build/release} BKP_RELEASE=${BKP_RELEASE:-$PWD/build/release} BKP_SRC=$PWD
. tests/lib/site.sh
set +e
. tests/lib/nights.sh
in_memory
clinic() { python3 "$SRC_ROOT/tests/lib/clinic_month.py" "$1" "$T/src" "${@:2}"; }
begin() { # SEED
	chattr -R -f -i "$T/m1" 2>/dev/null
	rm -rf "$T/src" "$T/state" "$T/m1" "$T/encrypted.txt"
	mkdir -p "$T/m1"
	NIGHT=0
	clinic make --seed "$1"
	"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
	"$BKP" --quiet medium add m1 2>/dev/null
}
a_night() { # 0: nothing raised; 1: suspect; what it said in $T/json
	at_night a_run
	python3 -c 'import json, sys; sys.exit(any(d.get("suspect") for d in json.load(open(sys.argv[1]))["datasets"]))' "$T/json"
}
a_run() {
	env "${NIGHT_ENV[@]}" "$BKP" run --all --json >"$T/json" 2>"$T/err"
}
said() {
	python3 -c 'import json, sys
print(next(d["suspect"] for d in json.load(open(sys.argv[1]))["datasets"] if d.get("suspect")))' "$T/json"
}
age-keygen -o "$T/id.txt" 2>/dev/null
policy() { # with or without a canary
	cat >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	datasets: [{name: docs, paths: [$T/src]$1}]
	media: [{name: m1, type: hdd, path: $T/m1, place: サーバ室}]
	Y
}
keep() { # the site as it is, behind night 30
	chattr -R -f -i "$T/m1" 2>/dev/null
	mkdir "$T/at$1"
	cp -a "$T/src" "$T/state" "$T/m1" "$T/at$1/"
}
back() {
	chattr -R -f -i "$T/m1" 2>/dev/null
	rm -rf "$T/src" "$T/state" "$T/m1" "$T/encrypted.txt"
	cp -a "$T/at$1/." "$T/"
	# shellcheck disable=SC2034 # for nights.sh
	NIGHT=31
}
policy ""
alarms=0 ran=0
for seed in $(seq "$seeds"); do
	begin "$seed"
	a_night
	for n in $(seq "$nights"); do
		clinic day "$n" --seed "$seed"
		ran=$((ran + 1))
		if ! a_night; then
			alarms=$((alarms + 1))
			echo "wrongly raised: clinic $seed, night $n: $(said)"
			"$BKP" --quiet accept "docs@$(field run)" --operator Sato --reason "ordinary work" >/dev/null
		fi
		[ "$n" = 30 ] && [ "$seed" -le "$attacks" ] && keep "$seed"
	done
done
echo "ordinary nights: $ran in $seeds clinics of $nights nights; wrongly raised: $alarms"
echo
echo "| attack | caught on night (of $attacks clinics) | files harmed by then | what was said first |"
echo "|---|---|---|---|"
attack() { # WHAT WITHIN CANARY RANSOM-ARGUMENTS...
	local what=$1 within=$2 canary=$3 seed n total list="" harmed="" first=""
	shift 3
	for seed in $(seq "$attacks"); do
		back "$seed"
		policy ""
		[ -z "$canary" ] || policy ", canaries: [$T/src/canary.txt]"
		[ -z "$canary" ] || a_night
		total=0
		for n in $(seq "$within"); do
			clinic day $((30 + n)) --seed "$seed"
			[ "$1" = canary ] && echo gone >"$T/src/canary.txt"
			[ "$1" = canary ] || total=$((total + $(python3 tests/lib/ransom.py "$@" "$T/src" --seed "$n")))
			a_night || break
			[ "$n" = "$within" ] && n=-
		done
		list="$list $n" harmed="$harmed $total"
		[ "$n" = - ] || first=$(said)
	done
	echo "| $what |$list |$harmed | ${first:-nothing} |"
}
attack "encrypted in place" 1 "" in-place
attack "encrypted in place, times put back" 1 "" in-place --keep-times
attack "encrypted and renamed (.locked)" 1 "" locked
attack "renamed only (.locked)" 1 "" rename
attack "new random file, old one deleted" 1 "" replace
attack "encrypted, first 4 KiB kept" 1 "" header
attack "overwritten with plausible text" 1 "" text
attack "cut to nothing" 1 "" wipe
attack "deleted" 1 "" delete
attack "a tenth, in place" 1 "" in-place --percent 10
attack "a tenth, first 4 KiB kept" 20 "" header --percent 10
attack "2 % a night, in place" 20 "" in-place --percent 2
attack "2 % a night, renamed" 20 "" locked --percent 2
attack "2 % a night, new file" 20 "" replace --percent 2
attack "2 % a night, first 4 KiB kept" 20 "" header --percent 2
attack "2 % a night, plausible text" 20 "" text --percent 2
attack "2 % a night, deleted" 20 "" delete --percent 2
attack "0.3 % a night, in place" 20 "" in-place --percent 0.3
attack "the canary alone" 1 canary canary
