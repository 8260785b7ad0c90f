#!/bin/bash
# Goal: 'bkp report index' says which packs of forms a folder holds, by year, and the months that have none by name.  Each pack is checked
# by signature and digests before a word of it is believed; the folder is hostile: links, pipes, files and lists of any size, names with
# markup and formulas, packs of others.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
export TZ=Asia/Tokyo
exec </dev/null
at() { # "DATE TIME" COMMAND...
	local when=$1
	shift
	env "${FAKE_ENV[@]}" FAKECLOCK="$(until_then "$when")" "$@"
}
mkdir -p "$T/src" "$T/m1" "$T/m2" "$T/packs"
echo 1 >"$T/src/list"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
minisign -G -W -f -p "$T/chief.pub" -s "$T/chief.key" >/dev/null
printf 'people:\n  - {name: 院長, roles: [operator, manager], public_key: %s}\n' "$(tail -n 1 "$T/chief.pub")" >>"$T/policy.yaml"
age-keygen -o "$T/id.txt" 2>/dev/null
at "2025-11-01 00:00:00" "$BKP" init --root-key-out "$T/root" --recipient "$(age-keygen -y "$T/id.txt")" >"$T/init.out"
root=$(sed -n 's/^root public key: //p' "$T/init.out")
for m in m1 m2; do at "2025-11-01 00:01:00" "$BKP" medium add $m >/dev/null 2>&1; done
night() { echo "$1" >>"$T/src/list"; at "$1 02:00:00" "$BKP" run --quiet --all >"$T/said" 2>&1 || fail "the night of $1" "$T/said"; }
pack() { # DATE NAME OPTION...
	local day=$1 to=$T/packs/$2
	shift 2
	at "$day 09:00:00" "$BKP" report pack --out "$to" --quiet "$@" >"$T/said" 2>&1 || fail "the pack of $day" "$T/said"
}
night 2025-11-30
pack 2025-11-30 2025年11月 --signer 院長
night 2026-01-05
pack 2026-01-05 2025年12月 --at 2025-12-31
pack 2026-01-31 '=1+1 <b>&"x' --profile clinic
night 2026-05-31
pack 2026-05-31 2026-05
end="2026-08-10 09:00:00"
index() { # CODE OPTION...
	local code=$1
	shift
	expect "$code" at "$end" "$BKP" report index --dir "$T/packs" "$@"
}

# ---- all is well
index 0 --json
cp "$T/out" "$T/json"
jq -e '[.rows[] | [.year, .folder, .verdict, .profile, .signer]] == [
	["2025", "2025年11月", "○ yes", "hospital", "院長"], ["2025", "2025年12月", "○ yes", "hospital", ""],
	["2026", "=1+1 <b>&\"x", "○ yes", "clinic", ""],
	["2026", "", "× no pack of this month", "", ""], ["2026", "", "× no pack of this month", "", ""],
	["2026", "", "× no pack of this month", "", ""], ["2026", "2026-05", "○ yes", "hospital", ""],
	["2026", "", "× no pack of this month", "", ""], ["2026", "", "× no pack of this month", "", ""]]' "$T/json" >/dev/null ||
	fail "which there are" "$T/json"
[ "$(jq -r '[.rows[] | select(.folder == "") | .date] | join(" ")' "$T/json")" = "2026-02 2026-03 2026-04 2026-06 2026-07" ] ||
	fail "the months that have none" "$T/json"
for p in "$T/packs"/*; do
	jq -e --arg n "${p##*/}" --arg s "$(sha256sum <"$p/SHA256SUMS" | cut -c-64)" --arg d "$(jq -r .foot.date "$p/03_datasets.json")" '
		.rows[] | select(.folder == $n) | .sha256 == $s and .date == $d and (.record | length > 0)' "$T/json" >/dev/null ||
		die "digest or moment of $p"
done
index 0
python3 "$SRC_ROOT/tests/lib/page.py" <(cat "$T/out") >"$T/page" 2>"$T/err" || { cp "$T/out" "$T/page.html"; fail "the page" "$T/err"; }
grep -qF '=1+1 <b>&"x' "$T/page" || fail "a name with markup is not text" "$T/page"
grep -c '<h2>Year 202[56]</h2>' "$T/out" | grep -qx 2 || fail "a heading a year"
index 0 --csv --out "$T/index.csv"
python3 - "$T/index.csv" <<'P' || die "the CSV"
import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8-sig", newline="")))
assert len(rows) == 10 and {len(r) for r in rows} == {10}, rows
assert not any(c and c[0] in "=+-@" for r in rows for c in r) and "'=1+1 <b>&\"x" in [r[2] for r in rows], rows
P
expect 0 at "$end" "$BKP" --lang ja report index --dir "$T/packs"
for w in '○ 照合した' '× この月のものはない' '2026年2月' '<h2>2026年'; do grep -q "$w" "$T/out" || fail "in Japanese: $w"; done
minisign -S -s "$T/chief.key" -m "$T/packs/2025年11月/SHA256SUMS" -x "$T/packs/2025年11月/SHA256SUMS.院長.minisig" >/dev/null
index 0 --json
jq -e '.rows[0].signer == "院長 ○ signed with their key"' "$T/out" >/dev/null || fail "the signature of a person"
# from a medium alone: its copy ends before the record of the last pack, whose signature vouches for it
expect 0 "$BKP" report index --dir "$T/packs" --medium "$T/m1" --root-key "$root" --json
jq -e '[.rows[] | select(.verdict == "○ yes")] | length == 4 and (.[3].note | test("does not name it"))' "$T/out" >/dev/null ||
	fail "from a medium"
say "packs by year with moment, signer and digest, the months without one by name; page, CSV and JSON, both languages; from a medium, too"

# ---- what is not what was made
bad() { # FOLDER WORDS: it is not verified, and why
	index 1 --json
	jq -e --arg f "$1" --arg w "$2" '[.rows[] | select(.folder == $f)] |
		length == 1 and (.[0].verdict == "× no") and (.[0].note | test($w))' "$T/out" >/dev/null || fail "$1: $2"
	rm -rf "$T/packs/${3:-$1}"
}
forge() { cp -a "$T/packs/2026-05" "$T/packs/$1"; } # NAME
forge altered; sed -i 's/<h1>/<h1>!/' "$T/packs/altered/05_rule.html"; bad altered "'05_rule.html': it was altered"
forge less; rm "$T/packs/less/05_rule.csv"; bad less "'05_rule.csv': it is missing"
forge linked; ln -sf /etc/passwd "$T/packs/linked/05_rule.csv"; bad linked 05_rule.csv
forge pipe; rm "$T/packs/pipe/05_rule.csv"; mkfifo "$T/packs/pipe/05_rule.csv"; bad pipe 05_rule.csv
forge huge; truncate -s 20G "$T/packs/huge/05_rule.csv"; bad huge 05_rule.csv
forge list; truncate -s 20G "$T/packs/list/SHA256SUMS"; bad list SHA256SUMS
forge nothing; rm "$T/packs/nothing/SHA256SUMS"; bad nothing "'SHA256SUMS': it is missing"
forge empty; : >"$T/packs/empty/SHA256SUMS"; bad empty SHA256SUMS
forge keys; head -n 1 "$T/packs/keys/keys.jsonl" >"$T/keys"; cp "$T/keys" "$T/packs/keys/keys.jsonl"; bad keys 'keys.jsonl'
ln -s 2026-05 "$T/packs/link"; bad link 'it is a link'
ln -s / "$T/packs/root"; bad root 'it is a link'
mkfifo "$T/packs/fifo"; mkdir "$T/packs/.new.tmp"; echo x >"$T/packs/file"
index 0 --json
rm -r "$T/packs/fifo" "$T/packs/.new.tmp" "$T/packs/file"
# another's signature; one of this repository, of something else; no signature, and no record
minisign -G -W -f -p "$T/thief.pub" -s "$T/thief.key" >/dev/null
theirs() { # NAME COMMENT
	forge "$1"
	echo "<p>all is well</p>" >"$T/packs/$1/05_rule.html"
	(cd "$T/packs/$1" && rm SHA256SUMS.minisig &&
		sed -i "s/^.*  05_rule.html$/$(sha256sum 05_rule.html | cut -c-64)  05_rule.html/" SHA256SUMS)
	[ -z "$2" ] || minisign -S -l -s "$T/thief.key" -m "$T/packs/$1/SHA256SUMS" -t "$2" >/dev/null
}
theirs thief "$(sed -n 's/^trusted comment: //p' "$T/packs/2026-05/SHA256SUMS.minisig")"
bad thief 'not this repository'
theirs unsigned ''
bad unsigned 'nobody vouches for it'
set=$(set_of "$T/m1")/generations/000003
mkdir "$T/packs/generation"
cp "$set/SHA256SUMS" "$set/SHA256SUMS.minisig" "$(repo_of "$T/m1")/keys.jsonl" "$T/packs/generation"
bad generation "'SHA256SUMS.minisig': it is not this repository's signature of a pack"
# a list that leads out of its folder is refused, whoever signed it: the key of the newest epoch does
key=$(find "$T/state" -name 'signing-*.key')
cp -a "$T/packs/2026-05" "$T/packs/out"
for line in '/etc/passwd' '../x' '.hidden' ''; do
	echo "$(sha256sum </etc/passwd | cut -c-64)  $line" >"$T/packs/out/SHA256SUMS"
	grep '"event":"epoch"' "$T/state/journal/000001.jsonl" >"$T/packs/out/keys.jsonl"
	minisign -S -l -W -s "$key" -m "$T/packs/out/SHA256SUMS" \
		-t "bkp:1 kind=pack repository=$(basename "$(repo_of "$T/m1")") record=9" >/dev/null
	index 1 --json
	jq -e '.rows[] | select(.folder == "out") | .note | test("it has a line that is none")' "$T/out" >/dev/null ||
		fail "a list with '$line'"
done
rm -r "$T/packs/out"
# no signature, but the journal names its list: what is made of that moment from a medium
rm "$T/packs/2026-05/SHA256SUMS.minisig"
echo more >"$T/packs/2026-05/99_more.html"
index 0 --json
jq -e '.rows[] | select(.folder == "2026-05") | .verdict == "○ yes" and (.note | test("does not name: 1"))' "$T/out" >/dev/null ||
	fail "a file more"
expect 64 "$BKP" report index
expect 64 "$BKP" report media --dir "$T"
expect 2 "$BKP" report index --dir "$T/none"
say "altered, missing, linked, endless, signed by others, lists that lead out of the folder: each is × with its reason, nothing is followed"
