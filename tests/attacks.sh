#!/bin/bash
# Attacks: what was once reported good and was not.  Each script in tests/attacks/ makes a fresh site, does one attack, and must see
# it found by the program: an exit status of 1, 2 or 3, and the words that name it.
#   tests/attacks.sh [NAME...]      only the attacks whose file name contains one of these
# Prints a line an attack: number, attack, detected by, exit status.  Ends in "N attacks, N not detected"; exit 1 if there is one.
# Wants BKP_BIN (folder of the built programs); BKP_RELEASE and BKP_SRC as in the scenarios.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${BKP_BIN:=$PWD/build/release}"
export BKP_BIN BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN} BKP_SRC=$PWD LANG=C.UTF-8
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

wanted() { # NAME PATTERN...
	local name=$1 p
	shift
	[ $# -gt 0 ] || return 0
	for p in "$@"; do case "$name" in *"$p"*) return 0 ;; esac; done
	return 1
}

one() { # SCRIPT: its table lines; a script that ends otherwise than it should is an attack that was not detected
	local name
	name=$(basename "$1" .sh)
	if bash "$1" >"$out/$name.out" 2>"$out/$name.err" </dev/null && grep -q '^attack' "$out/$name.out"; then
		grep -a '^attack' "$out/$name.out"
	else
		printf 'attack\t%s\tNOT DETECTED\t\n' "$name"
		tail -n 12 "$out/$name.out" "$out/$name.err" | sed 's/^/      | /' >"$out/$name.missed"
	fi
}

for s in tests/attacks/[a-z]*-*.sh; do
	wanted "$(basename "$s" .sh)" "$@" || continue
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	one "$s" >"$out/$(basename "$s" .sh).table" &
done
wait
cat "$out"/*.table 2>/dev/null | cut -f 2- | while IFS=$'\t' read -r attack by status; do
	printf '%-70s  %-44s  %s\n' "$attack" "$by" "${status:+exit $status}"
done
total=$(cat "$out"/*.table 2>/dev/null | wc -l)
missed=$(cat "$out"/*.table 2>/dev/null | grep -c 'NOT DETECTED')
cat "$out"/*.missed 2>/dev/null # last, where whoever reads the end of a log sees it
echo "$total attacks, $missed not detected"
[ "$total" -gt 0 ] && [ "$missed" = 0 ]
