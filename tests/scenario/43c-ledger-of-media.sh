#!/bin/bash
# Goal: the ledger of media says where each medium is, in whose hands and for how long, from its purchase to its disposal; a stock-take
# names what is not there; what is lost counts for nothing until it was found and read back; what contradicts the record is refused, and
# nothing is recorded but that somebody tried.
. "$(dirname "$0")/../lib/site.sh"
day() { date -d "$1 days" +%F; }
mkdir -p "$T/src" "$T/d1" "$T/d2" "$T/d3"
seq 1000 >"$T/src/list.txt"
site_make 2>/dev/null
cat >>"$T/policy.yaml" <<Y
  - {name: RDX-01, type: rdx, offline: true, path: $T/d1, place: 金庫}
  - {name: RDX-02, type: rdx, offline: true, path: $T/d2, place: 金庫}
  - {name: RDX-03, type: rdx, offline: true, path: $T/d3, place: 金庫}
people:
  - {name: 佐藤, roles: [operator]}
  - {name: 院長, roles: [manager]}
  - {name: 伊藤, roles: [witness]}
Y
medium() { "$BKP" medium "$@" --operator 佐藤; }
records() { wc -l <"$T/state/journal/000001.jsonl"; }
# refused CODE COMMAND…: said with what to do; of it the journal has that somebody tried, at most
refused() {
	local code=$1 n
	shift
	n=$(grep -cvE '"event":"outcome"' "$T/state/journal/000001.jsonl")
	status "$@"
	[ "$STATUS" = 2 ] || [ "$STATUS" = 64 ] || fail "exit $STATUS, not refused: $*"
	grep -q "$code" "$T/err" && grep -q '  → ' "$T/err" || fail "not $code with what to do: $*"
	[ "$n" = "$(grep -cvE '"event":"outcome"' "$T/state/journal/000001.jsonl")" ] || die "something was recorded: $*"
}
fact() { "$BKP" report media --json | jq -r --arg n "$1" --arg k "$2" '.rows[] | select(.name == $n) | .[$k]'; }
next() { "$BKP" status >"$T/status" || true; grep -q "$1" "$T/status" || fail "status does not say: $1" "$T/status"; }
quiet() { "$BKP" status >"$T/status" || true; ! grep -q "$1" "$T/status" || fail "status says still: $1" "$T/status"; }

copies() { "$BKP" generations --json | jq --arg m "$1" '[.generations[].media[] | select(.label == $m and .ok)] | length'; }

for m in RDX-01 RDX-02 RDX-03; do expect 0 "$BKP" medium add $m; done
expect 0 "$BKP" run --all --quiet
away() { # MEDIUM FOLDER: rotated, gone, recorded
	status "$BKP" rotate "$1" --operator 佐藤 --quiet
	[ "$STATUS" -le 1 ] || fail "rotate $1"
	mv "$2" "$2.away"
	expect 0 medium move "$1" --place 金庫
}
away RDX-01 "$T/d1"
away RDX-02 "$T/d2"
away RDX-03 "$T/d3"

# ---- what is known of it
expect 64 medium set RDX-01
refused E-USAGE-01 medium set RDX-01 --bought 2026-02-30
refused E-USAGE-01 medium set RDX-01 --writing twice
refused E-OPERATOR-01 "$BKP" medium set RDX-01 --maker A --operator 誰か
refused E-MEDIA-14 medium set RDX-09 --maker A
expect 0 medium set RDX-01 --maker Tandberg --model 'RDX 2TB' --serial S-123 --bought 2024-04-01 --use-until "$(day 89)" --lock 鍵3 \
	--writing many --custodian 鈴木
next "'RDX-01' is to be used until $(day 89) (days left: 89)"
expect 0 medium set RDX-01 --use-until "$(day 92)"
quiet "RDX-01' is to be used"
expect 0 medium set RDX-01 --use-until "$(day -1)" --support-until "$(day 10)"
next "'RDX-01' was to be used until $(day -1) only: replace it"
next "the maker's support of 'RDX-01' ends on $(day 10)"
expect 0 medium set RDX-01 --use-until '' --support-until ''
quiet "to be used until"
[ "$(fact RDX-01 maker)/$(fact RDX-01 serial)/$(fact RDX-01 custodian)/$(fact RDX-01 use_until)" = Tandberg/S-123/鈴木/ ] || die "the data"
[ "$(fact RDX-01 key_number)" = 1 ] && fact RDX-01 cipher | grep -q ChaCha20 || die "cipher and key"
expect 0 "$BKP" medium show RDX-01
for w in Tandberg S-123 鍵3 鈴木 2024-04-01; do said "$w"; done
say "maker, dates, lock, custodian: recorded, shown, and a person is told 90 days before a disk is too old, and after"

# ---- in whose hands
refused E-USAGE-01 medium hand RDX-01 --to 高橋
refused E-MEDIA-24 medium hand RDX-01 --to 高橋 --witness 佐藤
refused E-OPERATOR-01 medium hand RDX-01 --to 高橋 --witness 院長
expect 0 medium hand RDX-01 --to 高橋 --witness 伊藤
[ "$(fact RDX-01 custodian)" = 高橋 ] || die "the custodian"
refused E-MEDIA-22 medium return RDX-01 --place 金庫
refused E-USAGE-01 medium lend RDX-01 --to 監査法人 --until tomorrow --reason 監査
expect 0 medium lend RDX-01 --to 監査法人 --until "$(day 3)" --reason 監査
refused E-MEDIA-21 medium lend RDX-01 --to 別の人 --until "$(day 3)" --reason 監査
quiet "RDX-01' was lent"
[ "$(fact RDX-01 lent_to)" = 監査法人 ] || die "lent to"
expect 0 medium return RDX-01 --place 金庫
expect 0 medium lend RDX-01 --to 監査法人 --until "$(day -2)" --reason 監査
next "'RDX-01' was lent to 監査法人 until $(day -2) and is not back"
expect 0 medium return RDX-01 --place 金庫 --witness 伊藤
quiet "RDX-01' was lent"
say "handed over before a witness who is somebody else, lent until a day, asked for after it, back; never lent twice"

# ---- the stock-take
expect 64 "$BKP" medium count --place 金庫 --operator 佐藤 </dev/null
refused E-MEDIA-25 medium count --place 銀庫 --seen ''
refused E-MEDIA-14 medium count --place 金庫 --seen RDX-01,RDX-77
expect 0 medium count --place 金庫 --seen RDX-01,RDX-02,RDX-03 --witness 伊藤
expect 0 medium move RDX-03 --place 支店
expect 1 medium count --place 金庫 --seen 'RDX-01, RDX-03'
said 'RDX-02: NOT FOUND' && said 'RDX-03: found here, though it was recorded elsewhere'
[ "$(fact RDX-02 state)/$(fact RDX-03 place)" = "not found/金庫" ] || die "what the stock-take found"
record media-counted | jq -e '(.seen | length) == 2 and (.missing | length) == 1 and .place == "金庫"' >/dev/null || die "the record"
next "'RDX-02' was not found at the stock-take of"
# one that hangs on this computer is in no safe
mv "$T/d3.away" "$T/d3"
refused E-MEDIA-17 medium count --place 支店 --seen RDX-03
refused E-MEDIA-17 medium lost RDX-03 --reason "another one is meant"
refused E-MEDIA-17 medium lend RDX-03 --to 監査法人 --until "$(day 3)" --reason 監査
mv "$T/d3" "$T/d3.away"
# as a person does it, at a terminal
python3 - "$T/shown" "$BKP" <<'P' || fail "at the terminal" "$T/shown"
import os, pty, select, sys
out, bkp = sys.argv[1:]
pid, tty = pty.fork()
if pid == 0:
    os.execv(bkp, [bkp, "--lang", "ja", "medium", "count", "--place", "金庫", "--operator", "佐藤"])
todo, shown = ["はい", "maybe", "いいえ", "y", "m1"], b""
while select.select([tty], [], [], 20)[0]:
    try:
        data = os.read(tty, 4096)
    except OSError:
        break
    shown += data
    if todo and shown.decode(errors="replace").rstrip().endswith(("いいえ）", ":")):
        os.write(tty, todo.pop(0).encode() + b"\n")
        shown += b"\n"
open(out, "wb").write(shown)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
text = shown.decode()
assert status == 1 and not todo, (status, todo)
assert text.count("RDX-02（製造番号") == 2, "asked again after an answer that is none"
assert "RDX-02: 見つかりません" in text and "m1: 別の場所の記録でした" in text and "RDX-01: あります" in text
P
[ "$(fact m1 place)" = 金庫 ] || die "what was named at the end"
expect 0 medium found RDX-02 --place 金庫
quiet "was not found at the stock-take"
refused E-MEDIA-23 medium found RDX-02 --place 金庫
expect 0 medium count --place 金庫 --seen RDX-01,RDX-02,RDX-03,m1
say "a stock-take, at the terminal and by --seen: what is not there is named until it is found, what is elsewhere is corrected"

# ---- lost and found
expect 0 medium lost RDX-02 --reason 配送中
said "on it: 'docs', generations: 1" && said 'ChaCha20-Poly1305' && said 'the key of holder-1 opens it'
[ "$(copies RDX-02)" = 0 ] || die "its copies count"
next "medium 'RDX-02' was lost, but the policy still names it"
mv "$T/d2.away" "$T/d2"
refused E-MEDIA-20 "$BKP" rotate RDX-02 --operator 佐藤
refused E-MEDIA-20 "$BKP" medium add RDX-02
refused E-MEDIA-20 medium hand RDX-02 --to 高橋 --witness 伊藤
refused E-MEDIA-20 medium lost RDX-02 --reason again
expect 0 "$BKP" medium list
said 'RDX-02 .*lost since'
expect 0 medium found RDX-02 --place 警察署
expect 0 "$BKP" medium show RDX-02
[ "$(copies RDX-02)" = 0 ] || die "it counts unread"
status "$BKP" rotate RDX-02 --operator 佐藤
[ "$STATUS" -le 1 ] && grep -q 'read back and equal: 1' "$T/out" || fail "the found disk is read back"
[ "$(copies RDX-02)" = 1 ] || die "it does not count again"
mv "$T/d2" "$T/d2.away"
expect 0 medium move RDX-02
say "lost: nothing on it counts, nobody can use it or take its name, and who must be told what is said; found: counts when it was read back"

# ---- disposal
refused E-USAGE-01 medium retire RDX-03 --reason 期限 --method 破砕
refused E-MEDIA-24 medium retire RDX-03 --reason 期限 --method 破砕 --witness 佐藤
expect 0 medium retire RDX-03 --reason 期限 --method 破砕 --certificate C-9 --keys-destroyed なし --witness 伊藤
record medium-retired | jq -e '.method == "破砕" and .certificate == "C-9" and .witness == "伊藤" and .keys_destroyed == "なし"' >/dev/null ||
	die "the record"
refused E-MEDIA-06 medium set RDX-03 --maker A
expect 0 "$BKP" journal verify
expect 0 "$BKP" journal export --format csv
for w in 'lent to' 'stock-take of' 'the medium is lost: 配送中' 'destroyed: 破砕; witness 伊藤; certificate C-9' 'handed over to 高橋'; do
	grep -q "$w" "$T/out" || fail "the journal in words lacks: $w"
done
# by another reader
grep -c '"event":"medium-' "$T/state/journal/000001.jsonl" >/dev/null && n=$(records) &&
	[ "$("$BKP" journal show --json | jq '.records | length')" = "$n" ] || die "records: $n"
say "retired with method, witness and certificate; the journal says all of it in words, and verifies"
