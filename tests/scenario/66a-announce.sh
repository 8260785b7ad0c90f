#!/bin/bash
# Goal: a change that somebody announced is a notice and no alarm: its generation counts and is rotated, exit 0, and it is said in the
# report, the line, bkp generations, bkp status and the journal. What no announcement explains stays an alarm on the same night: canaries,
# harmed files, what looks encrypted unless that was expected, what was suspect already; so does everything outside its days and data
# sets. What was announced becomes no habit. bkp guard show says in plain words what was found, and its commands are as they are typed.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
mkdir -p "$T/src" "$T/other" "$T/m1" "$T/RDX-01"
age-keygen -o "$T/id.txt" 2>/dev/null
sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	people:
	  - {name: 佐藤, roles: [operator]}
	datasets:
	  - {name: docs, paths: [$T/src], canaries: [$T/src/canary.txt]}
	  - {name: other, paths: [$T/other]}
	media:
	  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
	  - {name: RDX-01, type: rdx, offline: true, max_attached: 400d, path: $T/RDX-01, place: 金庫}
Y
echo "nobody changes this" >"$T/src/canary.txt"
fill() { # FOLDER: 200 notes
	mkdir -p "$1/d"
	python3 - "$1/d" <<'P'
import random, sys
rnd = random.Random(66)
for i in range(200):
    lines = b"".join(b"line %d\n" % rnd.randrange(10**6) for _ in range(300))
    open("%s/scan%03d.txt" % (sys.argv[1], i), "wb").write(lines)
P
}
fill "$T/src"
fill "$T/other"
cp -a "$T/src" "$T/src.good"
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" --quiet medium add m1 2>/dev/null
"$BKP" --quiet medium add RDX-01 2>/dev/null
now() { env "${NIGHT_ENV[@]}" "$BKP" "$@"; } # on the day of the last night
day() { date -d "@$(($(date +%s) + (NIGHT + $1) * 86400))" +%F; } # so many days behind that
records() { grep -c "\"event\":\"$1\"" "$T/state/journal/000001.jsonl" || true; }
delete() { find "$1/d" -name 'scan*' | sort | head -n "${2:-150}" | xargs -r rm; }
back() { rm -rf "$T/src"; cp -a "$T/src.good" "$T/src"; }
accept_all() { # what is undecided
	local g
	g=$(now --json generations | python3 -c 'import json, sys
print(*["%s@%d" % (g["dataset"], g["generation"]) for g in json.load(sys.stdin)["generations"] if g["suspect"]])')
	# shellcheck disable=SC2086 # several
	[ -z "$g" ] || expect 0 now accept $g --operator 佐藤 --reason "a test"
}
notice() { # DATASET: of the last night, as JSON says it
	python3 -c 'import json, sys
print([d for d in json.load(open(sys.argv[1]))["datasets"] if d["dataset"] == sys.argv[2]][0].get("notice", ""))' "$T/json" "$1"
}
for _ in 1 2 3 4 5 6; do night 0; done

# ---- bad input
decisions() { grep -vc '"event":"outcome"' "$T/state/journal/000001.jsonl"; }
refused() { # CODE WORD ARGUMENT...
	local want=$1 word=$2 before
	before=$(decisions)
	shift 2
	expect "$want" now announce "$@"
	grep -q -e "$word" "$T/err" || fail "announce $*: does not say '$word'" "$T/err"
	[ "$(decisions)" = "$before" ] || die "announce $*: refused and recorded"
}
until=(--until "$(day 7)" --operator 佐藤)
refused 64 "in quotes" --datasets docs "${until[@]}"
refused 64 "in quotes" software update --datasets docs "${until[@]}"
refused 64 "say of which" update "${until[@]}"
refused 64 "say of which" update --datasets docs --operator 佐藤
refused 64 "is not a data set" update --datasets dosc "${until[@]}"
refused 64 "names with commas" update --datasets docs, "${until[@]}"
refused 64 "names with commas" update --datasets "" "${until[@]}"
refused 64 "take a day" update --datasets docs --until tomorrow --operator 佐藤
refused 64 "take a day" update --datasets docs --until 2026-02-30 --operator 佐藤
refused 64 "before it begins" update --datasets docs --until "$(day -1)" --operator 佐藤
refused 64 "31 days" update --datasets docs --until "$(day 32)" --operator 佐藤
refused 64 "in the past" update --datasets docs --from "$(day -1)" "${until[@]}"
refused 64 "takes, with commas" update --datasets docs --expect harm "${until[@]}"
refused 64 "cannot be recorded" "$(printf 'a\033[2J')" --datasets docs "${until[@]}"
refused 64 "too long" "$(printf '%0256d' 1)" --datasets docs "${until[@]}"
refused 64 "say who" update --datasets docs --until "$(day 7)"
refused 64 E-OPERATOR-01 update --datasets docs --until "$(day 7)" --operator 鈴木
refused 64 "nothing else" --end x --operator 佐藤
refused 64 "nothing else" --end 1 --datasets docs --operator 佐藤
refused 2 E-GUARD-03 --end 1 --operator 佐藤
expect 0 now announce
said "nobody has announced a change"

# ---- announced: the same change is a notice in docs, and an alarm in other
expect 0 now announce "ソフトウェア更新" --datasets docs --until "$(day 20)" --operator 佐藤
said "until $(day 21) 12:00"
delete "$T/src"
delete "$T/other"
night 1
G0=$G
case $(notice docs) in
*"150 of 201 files were deleted"*"announced: 'ソフトウェア更新' by 佐藤 until $(day 20)"*) ;;
*) die "the notice: $(notice docs)" ;;
esac
python3 - "$T/json" <<'P' || die "the run: $(cat "$T/json")"
import json, sys
o = json.load(open(sys.argv[1]))
d = {d["dataset"]: d for d in o["datasets"]}
assert "suspect" not in d["docs"] and "notice" not in d["other"] and "150 of 200 files were deleted" in d["other"]["suspect"], d
assert "1 of 2 good, 1 changed as announced, 1 warning: other suspect" in o["line"], o["line"]
P
expect 0 now generations "docs@$G"
said "^docs@$G .* good .*notice: 150 of 201 files were deleted"
accept_all
night 0
expect 0 now --quiet rotate --operator 佐藤
[ -e "$(set_of "$T/RDX-01" docs)/generations/$(printf %06d "$G0")" ] || die "a generation with a notice is not rotated"
status now status
said "^announced until $(day 19) 12:00: 'ソフトウェア更新'$"
status now status --short
said "^announced until "
status now --json status
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["announced"] == [1]' "$T/out" || die "status --json"
grep '"event":"committed"' "$T/state/journal/000001.jsonl" | python3 -c '
import json, sys
g = [r for r in map(json.loads, sys.stdin) if r["dataset"] == "docs" and r["generation"] == int(sys.argv[1])][0]["guard"]
assert g["suspect"] is False and "why" not in g and g["reasons"] == ["deleted"] and g["notice"]["announced"] == 1, g' "$G0" ||
	die "the journal does not have the notice"
expect 0 now journal export --format csv
said "announced until .*number 1: 'ソフトウェア更新', of docs"
expect 0 now guard show docs
said "^docs@$G0 .*as somebody had announced"
said "150 files were deleted"
! grep -q "What to do" "$T/out" || die "a notice asks for something to be done"
say "the same deletion on one night is a notice where it was announced (counted, rotated, said in six places) and an alarm where not"

# ---- what is announced is no habit, though it came three times
back; night 0 docs # back again: everything is new
for _ in 1 2 3; do
	delete "$T/src"; night 0 docs
	[ -n "$(notice docs)" ] || die "not noticed"
	back; night 0 docs
done
expect 0 now announce --end 1 --operator 佐藤
expect 2 now announce --end 1 --operator 佐藤
delete "$T/src"
night 1 docs
grep -q '"suspect":"[^"]*150 of 201 files were deleted' "$T/json" || die "after it was ended it is still no alarm: $(cat "$T/json")"
# after the fact: it stays suspect, tonight and tomorrow
expect 1 now announce "片付け" --datasets docs --until "$(day 7)" --operator 佐藤
said "W-GUARD-02: docs@$G is suspect already"
night 1 docs
grep -q '"suspect":"[^"]*it was suspect in generation' "$T/json" || die "what was announced after the fact is accepted"
accept_all
back
night 0 docs
expect 0 now --json announce
python3 - "$T/out" <<'P' || die "announce --json: $(cat "$T/out")"
import json, sys
a = json.load(open(sys.argv[1]))["announcements"]
assert [x["number"] for x in a] == [2, 1] and [x["state"] for x in a] == ["in force", "ended"], a
assert a[0]["expects"] == ["changed", "deleted", "renamed", "new-kinds"] and a[1]["ended_by"] == "佐藤" and a[0]["datasets"] == ["docs"], a
P
say "announced thrice it is an alarm the fourth time; what was suspect before stays so until it is accepted"

# ---- what no announcement explains, all of it on nights on which everything else is announced
expect 0 now announce "すべて" --datasets all --until "$(day 30)" --expect changed,deleted,renamed,new-kinds,encrypted --operator 佐藤
mv "$T/src/canary.txt" "$T/src/canary"
night 1 docs
grep -q '"suspect":"1 canary' "$T/json" || die "a canary that is gone was announced away"
accept_all
back; night 1 docs # it is there again, which is not what was accepted
accept_all; night 0 docs
for f in "$T"/src/d/*; do head -c "$(stat -c %s "$f")" /dev/zero >"$T/zeros" && cat "$T/zeros" >"$f"; done
night 1 docs
[ -z "$(notice docs)" ] || die "files that lost what they held were announced away: $(cat "$T/json")"
grep -qE '"suspect":"[^"]*200 of 20[0-9] files (look|hold nothing but zero)' "$T/json" || die "harm is not said: $(cat "$T/json")"

# ---- in words: what, three files, what to do; the commands are as they are typed
bad=docs@$G
names="^  $T/src/d/scan[0-9]*.txt \(looks harmed\)"
expect 1 "$BKP" guard show
[ "$(grep -cE "$names" "$T/out")" = 3 ] || fail "three of the files are not named"
[ "$(stat -c %a "$T/state/cache/guard/docs.examples")" = 600 ] || die "others can read the names"
! grep -q "scan0" "$T/json" "$T/err" "$T"/state/journal/*.jsonl || die "a name is in the report or the journal"
echo "ordinary work" >"$T/src/d/later.txt" # the night behind it names no other files, and nobody has decided yet
night 1 docs
both="$bad docs@$G"
expect 1 "$BKP" guard show
said "^$bad "
[ "$(grep -cE "$names" "$T/out")" = 3 ] || fail "the night after forgets the files"
printf 'harmed\t%s\nnonsense\nharmed\tsrv/%%1B%%5B2J\nharmed\t%%zz\ndeleted\tsrv/c\n' "srv/documents/%E5%B1%B1%E7%94%B0.pdf" \
	>"$T/state/cache/guard/docs.examples"
expect 1 env COLUMNS=80 "$BKP" guard show
said "^$bad .*suspect, and nobody has decided"
said "^  to be decided on: $both$"
[ "$(grep -c "^  200 files look encrypted or destroyed" "$T/out")" = 1 ] || fail "the harm is not said, or twice"
! grep -q "no longer what they were" "$T/out" || fail "a file is told of twice"
said "^  /srv/documents/山田.pdf \(looks harmed\)"
said '^  /srv/\\033\[2J'
said "^  /srv/c \(was deleted\)"
! grep -qi incompressible "$T/out" || fail "words that nobody understands"
python3 - "$T/out" <<'P' || die "wider than 80 columns, or not in order"
import re, sys, unicodedata
t = open(sys.argv[1], encoding="utf-8").read()
assert max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in l) for l in t.split("\n")) <= 80
assert [m for m in re.findall(r"^ +(\d[ab]?)\. ", t, re.M)] == ["1", "2", "3", "4a", "4b"], t
assert t.index("Attach no disk") < t.index("Open the files above") < t.index("bkp accept") < t.index("bkp hold")
P
expect 1 "$BKP" --lang ja guard show docs
said "200 個のファイルが、暗号化.*（普段は 0 個）"
said "オフライン媒体をつながない"
expect 1 "$BKP" --json guard show "$bad"
python3 - "$T/out" "$both" <<'P' || die "guard show --json: $(cat "$T/out")"
import json, sys
o = json.load(open(sys.argv[1]))
assert o["undecided"] and "harm" in o["reasons"] and o["figures"]["harmed"] == {"now": 200, "recent": 200, "usual": 0}, o
assert len(o["examples"]) == 3 and len(o["steps"]) == 5 and "bkp accept %s --operator" % sys.argv[2] in o["steps"][3], o
P
expect 0 "$BKP" guard show other
expect 64 "$BKP" guard show nothing
expect 2 "$BKP" guard show docs@999
expect 64 "$BKP" guard
expect 64 "$BKP" guard show --count 3
typed=$("$BKP" guard show | tr -s '\n ' ' ' | grep -o "bkp accept $both --operator NAME --reason TEXT") || die "the way out is not said"
read -ra words <<<"${typed/NAME/佐藤}"
expect 0 now "${words[@]:1}"
said "The guard has learned from it"
expect 0 "$BKP" guard show docs
[ "$(records announced) $(records announcement-ended)" = "3 1" ] || die "the journal has $(records announced) announcements"
"$BKP" journal verify >/dev/null || die "the journal does not verify"
say "canaries and harmed files are alarms whatever was announced; bkp guard show says what was found, names files, and what to do in order"

# ---- outside its days: not yet, and over; the clock that is set back brings none back
back; night 0 docs
expect 0 now announce --end 2 --operator 佐藤
expect 0 now announce --end 3 --operator 佐藤
change() { for f in "$T"/src/d/*; do echo more >>"$f"; done; }
expect 0 now announce "来週" --datasets docs --from "$(day 3)" --until "$(day 4)" --operator 佐藤
NIGHT=$((NIGHT + 3))
change
night 0 docs
[ -n "$(notice docs)" ] || die "not in force on its days"
NIGHT=$((NIGHT + 2))
night 0 docs # it is over
NIGHT=$((NIGHT - 4))
change
night 1 docs
grep -q '"suspect":"[^"]*files were changed' "$T/json" || die "set back, the clock brings an announcement back: $(cat "$T/json")"
NIGHT=$((NIGHT + 4))
accept_all
night 0 docs
expect 0 now announce "来月" --datasets docs --from "$(day 3)" --until "$(day 4)" --operator 佐藤
for f in "$T"/src/d/*; do mv "$f" "${f/scan/page}"; done
night 1 docs # the day after tomorrow is not tonight
grep -q '"suspect":"[^"]*files were renamed' "$T/json" || die "it is in force before its first day: $(cat "$T/json")"
say "an announcement holds on its days alone, and a clock that is set back brings none back"
