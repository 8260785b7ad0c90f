#!/bin/bash
# Goal: people who can open what is captured come and go, with the root key's signature and without anything on the capturing host that
# opens an archive: who is added opens old and new generations; who is removed opens the old ones and none of the new; what was stored
# before is stored anew where that is asked for.  What is forged, foreign, rolled back or signed by the night alone is refused.
. "$(dirname "$0")/../lib/site.sh"
ROOT_KEY=$T/root.key
mkdir "$T/src"
seq 100000 >"$T/src/a"
for who in incho jimucho hosyu; do age-keygen -o "$T/$who.txt" 2>/dev/null; done
r() { age-keygen -y "$T/$1.txt"; }
cp "$T/incho.txt" "$T/id.txt"
mkdir "$T/m1" "$T/m2"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
expect 64 "$BKP" init --recipient "../x=$(r incho)" --root-key-out "$ROOT_KEY"
said E-INIT-05
expect 64 "$BKP" init --recipient "incho=$(r incho)" --recipient "incho=$(r jimucho)" --root-key-out "$ROOT_KEY"
"$BKP" init --recipient "incho=$(r incho)" --recipient "jimucho=$(r jimucho)" --root-key-out "$ROOT_KEY" >"$T/init.out"
for m in m1 m2; do "$BKP" medium add $m >/dev/null 2>&1; done
night() { date +%N >"$T/src/b"; "$BKP" --quiet run --all; }
opens() { # WHO GENERATION
	rm -rf "$T/out.d"
	"$RESTORE" --quiet --medium "$T/m1" --identity "$T/$1.txt" extract "docs@$2" --to "$T/out.d" >"$T/out" 2>"$T/err"
}
sign() { # DIR: by stock minisign
	local c
	c=$(jq -r '"bkp:1 kind=period repository=\(.repository) period=\(.period) revision=\(.revision)"' "$1/period.json")
	minisign -S -s "$ROOT_KEY" -m "$1/period.json" -t "$c" >/dev/null
}
night
opens incho 1 && opens jimucho 1 || fail "the people of the beginning do not open"
! opens hosyu 1 || die "a stranger opens"
said E-PERIOD-04

# --- one more
key() { "$RESTORE" --quiet --medium "$T/m1" --identity "$T/incho.txt" key "$@"; }
expect 0 key add "hosyu=$(r hosyu)" --to "$T/add"
said 'minisign -S'
expect 2 "$BKP" key add hosyu --from "$T/add" --operator Sato
said "period.json.minisig"
sign "$T/add"
expect 2 "$BKP" key remove jimucho --from "$T/add" --operator Sato
said E-KEYS-01
expect 0 "$BKP" key add hosyu --from "$T/add" --operator Sato
record keys | jq -e '.period == 1 and .revision == 2 and .people == ["incho","jimucho","hosyu"]' >/dev/null || die "$(record keys)"
night
opens hosyu 1 && opens hosyu 2 && opens jimucho 2 || fail "one who was added does not open old and new"
expect 0 "$BKP" verify
expect 2 "$BKP" key add hosyu --from "$T/add" --operator Sato
said E-PERIOD-08
say "one person more: made by a holder, signed by stock minisign, opens old generations and new ones; none of it serves twice"

# --- one less
expect 0 key remove jimucho --to "$T/less"
sign "$T/less"
expect 0 "$BKP" key remove jimucho --from "$T/less" --operator Sato
expect 0 "$BKP" key list
said 'period 2 \(in force\)'
night
opens incho 3 && opens incho 1 && opens hosyu 3 && opens hosyu 1 || fail "those who stay do not open all"
opens jimucho 2 || fail "what one who left could open is not opened any more: an older generation"
! opens jimucho 3 || die "one who was removed opens a new generation"
said 'E-PERIOD-04|E-AGE-03'
set3=$(set_of "$T/m1")/generations/000003
jq -e '.period == 2' "$set3/manifest.json" >/dev/null || die "the new generation is not of the new period"
python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/hosyu.txt" "$T/m1" docs@3 "$T/rescued" >"$T/out" 2>&1 || fail "rescue.py"
diff -r "$T/src" "$T/rescued$T/src" || die "rescue.py: another tree"
! python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/jimucho.txt" "$T/m1" docs@3 "$T/rescued2" >"$T/out" 2>&1 ||
	die "rescue.py opens"
age -d -i "$T/incho.txt" "$(repo_of "$T/m1")/keys/2/incho.age" >"$T/p2"
age -d -i "$T/p2" "$(repo_of "$T/m1")/keys/2/previous.age" >"$T/p1"
age -d -i "$T/p2" "$set3/root.age" | grep -q bkp-root || die "stock age does not open period 2"
age -d -i "$T/p1" "$(set_of "$T/m1")/generations/000001/root.age" | grep -q bkp-root || die "stock age does not open period 1 by way of 2"
expect 0 "$BKP" verify --identity "$T/incho.txt"
expect 0 key open --to "$T/opened"
said '2 periods'
[ "$(stat -c %a "$T/opened/period-2.txt")" = 600 ] || die "others can read a period's identity"
for n in 1 2; do
	cmp <(age-keygen -y "$T/opened/period-$n.txt") <(age-keygen -y "$T/p$n") || die "key open: another identity of period $n"
done
expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/incho.txt" key open --to "$T/m2/x"
said E-KEY-07
say "one person less: the rest open everything, who left nothing of the new period; by bkp-restore, rescue.py and stock age"

# --- what was stored before is stored anew
expect 0 key remove hosyu --to "$T/renew"
sign "$T/renew"
expect 0 "$BKP" key remove hosyu --from "$T/renew" --renew --operator Sato
left() { "$BKP" key list --json | jq .former_bytes; }
all=$(left)
[ "$all" -gt 0 ] || die "nothing is said to open with a former key"
"$BKP" status >"$T/out" || true
said "opens with a key of a former period"
"$BKP" key list >"$T/out"
said "on 'm1': 3 generations, for good"
for n in 1 2 3 4 5 6 7; do
	night
	[ "$(left)" -le "$all" ] || die "run $n: $(left) bytes are left, $all before"
	all=$(left)
done
[ "$all" = 0 ] || die "after seven runs $all bytes are left"
last=$(set_of "$T/m1")/generations/000010
grep -o 'archives/.*' "$last/SHA256SUMS" | while read -r a; do
	age -d -i "$T/p2" -o /dev/null "$(set_of "$T/m1")/$a" 2>/dev/null || continue
	echo "$a"
done >"$T/old"
[ ! -s "$T/old" ] || die "after seven runs a generation still refers to what the former key opens: $(wc -l <"$T/old")"
opens incho 10 || fail "the one who stays"
diff -r "$T/src" "$T/out.d$T/src" || die "another tree"
say "--renew: after seven runs no new generation refers to anything that the former key opens"

# --- what is refused
repo=$(repo_of "$T/m1")
expect 0 key add "jimucho=$(r jimucho)" --to "$T/forged"
bad() { # WHY DIR [add|remove]: refused, and nothing is changed by it
	cp -a "$T/state" "$T/state.was"
	expect 2 "$BKP" key "${3:-add}" jimucho --from "$2" --operator Sato
	diff -rq -x 'journal*' -x cache -x lock -x 'policies*' "$T/state" "$T/state.was" >"$T/diff" ||
		fail "$1: something was changed" "$T/diff"
	rm -rf "$T/state.was"
}
minisign -G -W -f -p "$T/other.pub" -s "$T/other.key" >/dev/null 2>&1
cp -a "$T/forged" "$T/f1"
(ROOT_KEY=$T/other.key; sign "$T/f1")
bad "signed by another" "$T/f1"
said E-PERIOD-02
cp -a "$T/forged" "$T/f2"
minisign -S -s "$ROOT_KEY" -m "$T/f2/period.json" -t "bkp:1 kind=repository repository=x" >/dev/null
bad "signed as something else" "$T/f2"
cp -a "$T/forged" "$T/f3"
sign "$T/f3"
rm -f "$T/f3/jimucho.age"
age -r "$(r hosyu)" -o "$T/f3/jimucho.age" "$T/hosyu.txt"
bad "another file" "$T/f3"
said E-PERIOD-03
bad "of the first days" "$T/add"
said E-PERIOD-08
altered() { # WHY FILTER WORDS [DIR add|remove]: the root key has signed what does not follow the keys in force
	rm -rf "$T/f"
	cp -a "${4:-$T/forged}" "$T/f"
	jq -c "$2" "${4:-$T/forged}/period.json" >"$T/f/period.json"
	sign "$T/f"
	bad "$1" "$T/f" "${5:-add}"
	said "E-PERIOD-08.*$3"
}
zeros=$(printf '%064d' 0)
altered "of another recipient" ".recipient = \"$(r hosyu)\"" 'another period'
altered "behind another period" ".previous.period_sha256 = \"$zeros\"" 'another period'
altered "with another key of the former period" ".previous.identity_sha256 = \"$zeros\"" 'another period'
altered "with another file of who has a key" ".people[0].sha256 = \"$zeros\"" 'somebody is missing'
say "signed by another key, signed as something else, with another file, from former days, not behind the keys in force:" \
	"refused, and nothing is changed"

# --- an approver signs in the place of the root key, as long as it said so
minisign -G -W -f -p "$T/appr.pub" -s "$T/appr.key" >/dev/null 2>&1
expect 64 key approver "jimucho=RWnokey" 2099-12-31 --to "$T/appr"
approver() { # DAY DIR
	expect 0 key approver "jimucho=$(tail -n 1 "$T/appr.pub")" "$1" --to "$2"
	said 'kind=key-approver'
	minisign -S -s "$ROOT_KEY" -m "$2/approver.json" \
		-t "bkp:1 kind=key-approver repository=$(jq -r .repository "$2/approver.json")" >/dev/null
}
approver 2099-12-31 "$T/appr"
approver 2026-01-01 "$T/over"
by_approver() { # DIR APPROVER'S: the period in DIR, signed by the approver
	cp "$2"/approver.json* "$1/"
	(ROOT_KEY=$T/appr.key; sign "$1")
}
cp -a "$T/forged" "$T/f4"
(ROOT_KEY=$T/appr.key; sign "$T/f4")
bad "by an approver whom nobody named" "$T/f4"
said E-PERIOD-02
by_approver "$T/f4" "$T/over"
bad "by an approver whose time is over" "$T/f4"
said E-PERIOD-09
sed 's/2026-01-01/2098-01-01/' "$T/over/approver.json" >"$T/f4/approver.json"
bad "with a time that somebody else wrote" "$T/f4"
said E-PERIOD-09
night_key=$(find "$T/state" -name 'signing-*.key')
cp -a "$T/forged" "$T/f5"
(ROOT_KEY=$night_key; sign "$T/f5")
bad "signed by the night's key" "$T/f5"
said E-PERIOD-02
by_approver "$T/forged" "$T/appr"
expect 0 "$BKP" key add jimucho --from "$T/forged" --operator Sato
record keys | jq -e '.signed_by == "jimucho" and .revision == 2' >/dev/null || die "$(record keys)"
night
opens jimucho 11 || fail "who was added by an approver does not open"
p=$repo/keys/3
minisign -V -q -P "$(sed -n 's/^root public key: *//p' "$T/init.out")" -m "$p/period-2.approver.json" || die "minisign: who may sign"
minisign -V -q -P "$(jq -r .public "$p/period-2.approver.json")" -m "$p/period-2.json" || die "minisign: who signed"
rm -rf "$T/rescued"
python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/jimucho.txt" "$T/m1" docs@11 "$T/rescued" >"$T/out" 2>&1 || fail "rescue.py"
! grep -q 'period-' "$T/out" || fail "rescue.py does not take the approver" "$T/out"
expect 0 "$BKP" verify
say "an approver signs in the place of the root key, up to the day that it said; the night's key does not"

expect 0 key remove jimucho --to "$T/next"
altered "a period behind another one" ".previous.period_sha256 = \"$zeros\"" 'another change' "$T/next" remove

# a medium that shows former keys, or none: what can be read is read, and it is said
chmod -R u+w "$repo/keys"
thaw "$repo/keys"
cp -a "$repo/keys" "$T/keys.was"
expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/incho.txt" extract docs@11 --to "$T/o1"
printf x >>"$repo/keys/3/period-2.json"
for who in incho jimucho; do # who is named in what is damaged, and who was before
	rm -rf "$T/o2"
	expect 1 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/$who.txt" extract docs@11 --to "$T/o2"
	said 'E-PERIOD-0[12]'
	diff -r "$T/src" "$T/o2$T/src" || die "with a damaged period-2.json"
done
rm -rf "$T/rescued"
python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/jimucho.txt" "$T/m1" docs@11 "$T/rescued" >"$T/out" 2>&1 || [ $? = 1 ]
grep -q 'keys/3/period-2.json' "$T/out" || fail "rescue.py does not say what is damaged" "$T/out"
diff -r "$T/src" "$T/rescued$T/src" || die "rescue.py: with a damaged period-2.json"
expect 2 "$BKP" verify
said 'keys/3/period-2.json'
rm "$repo/keys/3/period-1.json" # one that a later one replaced: nobody needs it
expect 0 "$BKP" repair m1
expect 0 "$BKP" verify
say "a damaged revision of a period is said, and does not keep anybody from what can be read; bkp repair writes it anew"
