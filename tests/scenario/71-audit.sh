#!/bin/bash
# Goal: an auditor who trusts nobody checks the record.  By hand, with the commands of docs/ja/audit.md as they stand and stock
# tools alone; with bkp from the public key and the file alone; as a table in a spreadsheet.  And what is there to be read:
# every command that changes anything, also when it fails, has left who, in which role, what, and how it ended.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
AGETOOL=$BKP_BIN/agetool
PY=python3
export SUDO_USER=sato
mkdir -p "$T/src" "$T/m1" "$T/m2" "$T/host/etc/cron.d"
echo one >"$T/src/a"
age-keygen -o "$T/id.txt" 2>/dev/null
J=$T/state/journal/000001.jsonl
write_policy() {
	site_policy "  - {name: docs, title: 文書, paths: [$T/src], probe: 'test ! -e $T/noprobe && echo 1'}"
	cat >>"$T/policy.yaml" <<-Y
	  - {name: RDX-01, type: rdx, path: $T/rdx, offline: true, place: 別棟}
	people:
	  - {name: 佐藤, roles: [operator, manager]}
	  - {name: =1+1, roles: [operator]}
	notify: {command: "test ! -e $T/nonotify", when: attention}
	Y
}
write_policy

# ---- who, in which role, what, how it ended
FROM=0
mark() { FROM=$([ ! -e "$J" ] || wc -l <"$J"); FROM=${FROM:-0}; }
# table COMMAND ROLE PERSON EXIT [ARGUMENT...]: bkp ARGUMENT... (or COMMAND) ends so, and its last records say so; "": none
left() { # EVENT COMMAND ROLE PERSON EXIT: among the records since mark
	tail -n "+$((FROM + 1))" "$J" | $PY -c '
import json, sys
event, command, role, person, code = sys.argv[1:]
rs = [json.loads(l) for l in sys.stdin]
mine = [r for r in rs if r["event"] == event]
assert mine, "no record %s: %s" % (event, [r["event"] for r in rs])
r = mine[-1]
assert r["by"] == "root (sudo sato)", r["by"]
assert (r["command"], r["role"], r.get("operator", "")) == (command, role, person), r
if event == "outcome":
    assert r["exit"] == int(code) and r["line"], r
for r in rs:
    assert r.get("command") == command and r.get("role") == role, r
' "$@" || die "the record of '$2' ($1, exit $5)"
}
rows=0
table() {
	local command=$1 role=$2 person=$3 code=$4
	shift 4
	mark
	expect "$code" "$BKP" "$@"
	left outcome "$command" "$role" "$person" "$code"
	echo "$command" >>"$T/done"
	rows=$((rows + 1))
}
did() { left "$1" "$2" "$3" "$4" 0; } # EVENT COMMAND ROLE PERSON: and this one too
R=$(age-keygen -y "$T/id.txt")
table init manager "" 0 init --recipient "$R" --root-key-out "$T/root.key"
did policy init manager ""
did init init manager ""
root=$(sed -n 's/^root public key: //p' "$T/out")
table init manager "" 2 init --recipient "$R" --root-key-out "$T/root2.key"
for m in m1 m2; do table 'medium add' operator "" 0 medium add $m; done
did medium-added 'medium add' operator ""
table 'medium add' operator "" 2 medium add RDX-01
table run capture "" 0 run --all
did begin run capture ""
did committed run capture ""
touch "$T/noprobe"
table run capture "" 1 run --all
did notified run capture ""
mv "$T/src" "$T/src.away"
table run capture "" 2 run --all
mv "$T/src.away" "$T/src"; rm "$T/noprobe"
table verify operator "" 0 verify
did verified verify operator ""
table verify operator "" 3 verify --medium RDX-01
table repair operator "" 0 repair
table repair operator "" 3 repair RDX-01
table hold operator 佐藤 0 hold docs@1 --operator 佐藤 --reason '監査のため保全：「第1回」, 改ざん疑い'
did held hold operator 佐藤
table hold operator 佐藤 2 hold docs@99 --operator 佐藤 --reason x
table release operator =1+1 0 release 1 --operator '=1+1' --reason '＝SUM(A1:A9)'
table release operator 佐藤 2 release 1 --operator 佐藤
table accept operator 佐藤 0 accept 2 --operator 佐藤 --reason '-2+3 とは無関係'
table accept operator 佐藤 2 accept 1 --operator 佐藤 --reason x
# whom the policy does not list
for c in 'hold 1 --reason x' 'release 1' 'accept 1 --reason x' 'expire' 'medium move m1 --place x' rotate \
	'clock attest --reason x' "agree --root-key $T/root.key"; do
	w=${c%% *}
	case $c in 'medium move'* | 'clock attest'*) w=$(cut -d' ' -f1,2 <<<"$c") ;; esac
	role=operator; [ "$w" != agree ] || role=manager
	# shellcheck disable=SC2086
	table "$w" $role Mallory 64 $c --operator Mallory
	tail -n 1 "$J" | grep -q Mallory || die "who was refused: $(tail -n 1 "$J")"
done
table 'medium move' operator 佐藤 0 medium move m1 --operator 佐藤 --place '@倉庫'
did medium-moved 'medium move' operator 佐藤
table 'medium move' operator 佐藤 2 medium move nothing --operator 佐藤 --place x
table rotate operator 佐藤 2 rotate --operator 佐藤
mkdir "$T/rdx"
table 'medium add' operator "" 0 medium add RDX-01
table rotate operator 佐藤 0 rotate --operator 佐藤
did rotated rotate operator 佐藤
table 'medium move' operator 佐藤 2 medium move RDX-01 --operator 佐藤
table expire operator 佐藤 0 expire --operator 佐藤
mv "$T/m1" "$T/m1.x"; mv "$T/m2" "$T/m2.x"; mv "$T/rdx" "$T/rdx.x"
table expire operator 佐藤 2 expire --operator 佐藤
mv "$T/m1.x" "$T/m1"; mv "$T/m2.x" "$T/m2"; mv "$T/rdx.x" "$T/rdx"
table 'schedule install' manager "" 0 schedule install --kind cron --root "$T/host"
did scheduled 'schedule install' manager ""
echo '# changed' >>"$(ls "$T"/host/etc/cron.d/*)"
table 'schedule install' manager "" 2 schedule install --kind cron --root "$T/host"
rm "$T"/host/etc/cron.d/*
table 'schedule remove' manager "" 0 schedule remove --kind cron --root "$T/host"
minisign -G -W -f -p "$T/auditor.pub" -s "$T/auditor.key" >/dev/null
expect 0 "$BKP" journal head --out "$T/head"
minisign -S -s "$T/auditor.key" -m "$T/head" >/dev/null
table 'journal countersign' manager 佐藤 0 journal countersign "$T/head" --public-key "$T/auditor.pub" --by '監査 太郎' --operator 佐藤
did countersigned 'journal countersign' manager 佐藤
table 'journal countersign' manager "" 2 journal countersign "$T/head"
# the policy asks for less: the root key agrees
table agree manager 佐藤 2 agree --operator 佐藤 --root-key "$T/id.txt"
sed -i 's/, probe:/, generations: 4, probe:/' "$T/policy.yaml"
table run capture "" 0 run --all
did policy run capture ""
did agreed run capture ""
sed -i 's/generations: 4/generations: 3/' "$T/policy.yaml"
table agree manager 佐藤 0 agree --operator 佐藤 --root-key "$T/root.key"
did agreed agree manager 佐藤
table 'clock attest' operator 佐藤 2 clock attest --operator 佐藤 --reason x
# 400 days later by the wall, not by the time since boot
mark
status env "${FAKE_ENV[@]}" FAKECLOCK=$((400 * 86400)) FAKECLOCK_BOOT=60 "$BKP" run --all
left clock-jump run capture "" 0
mark
expect 0 env "${FAKE_ENV[@]}" FAKECLOCK=$((400 * 86400 + 60)) FAKECLOCK_BOOT=120 "$BKP" clock attest --operator 佐藤 --reason '電波時計と一致'
left outcome 'clock attest' operator 佐藤 0
did clock-attested 'clock attest' operator 佐藤
mark
expect 0 "$BKP" notify --test
left notified notify operator "" 0
tail -n 1 "$J" | grep -q '"ok":true' || die "notify: $(tail -n 1 "$J")"
touch "$T/nonotify"
mark
expect 1 "$BKP" notify --test
left notified notify operator "" 0
tail -n 1 "$J" | grep -q '"ok":false' || die "notify: $(tail -n 1 "$J")"
expect 1 flock "$T/state/lock" "$BKP" notify --test
grep -q W-NOTIFY-01 "$T/err" && ! grep -q E-STATE "$T/err" || die "notify while another bkp is at work: $(cat "$T/err")"
rm "$T/nonotify"
# none is forgotten: what is not in the table above only looks, and leaves the journal as it is
"$BKP" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -vxE 'check|status|generations|journal|notify|explain' | while read -r c; do
	cut -d' ' -f1 "$T/done" | grep -qx "$c" || die "'bkp $c' is not in this table"
done
cp "$J" "$T/before"
while read -r c; do
	# shellcheck disable=SC2086
	status "$BKP" $c
	[ "$STATUS" -le 1 ] || die "bkp $c: exit $STATUS: $(cat "$T/err")"
	cmp "$J" "$T/before" || die "bkp $c left a record"
done <<C
check
check --diff
status
status --prometheus $T/prom
status --html $T/status.html
generations
medium list
medium show m1
journal show
journal verify
journal verify --against m1
journal export --format json
journal head
journal find $(tail -n 1 "$J" | tr -d '\n' | sha256sum | cut -c-12)
agree
clock show
schedule show --root $T/host
run --all --dry-run
expire --dry-run
C
say "$rows runs of every command that changes anything, half of them failing or refused: each left user, sudo user, role, person, and how" \
	"it ended; 19 that only look left nothing"

# ---- by hand, from the document
mv "$T/rdx" "$T/shelf" # for more than a year it would be attached for too long
# shellcheck disable=SC2034 # for nights.sh
for i in 1 2; do echo "$i" >"$T/src/a"; NIGHT=$((400 + i)); night 0; done
[ "$(grep -c '"event":"epoch"' "$J")" -ge 4 ] || die "too few changes of keys to follow: $(grep -c '"event":"epoch"' "$J")"
awk '/^```sh$/ {on = 1; next} /^```$/ {on = 0} on' "$SRC_ROOT/docs/ja/audit.md" >"$T/audit.sh"
[ "$(grep -c '^```sh$' "$SRC_ROOT/docs/ja/audit.md")" = 8 ] || die "eight blocks of commands were to be in audit.md"
mkdir "$T/tools"
for p in sh cat sed base64 tail head grep cut wc tr seq mktemp sha256sum openssl minisign cmp jq; do ln -s "$(command -v $p)" \
	"$T/tools/$p"; done
audit() { # REPO JOURNAL ROOT GENERATION [OTHER]
	sed -e "s|^REPO=[^ ]*|REPO='$1'|" -e "s|^cat .*|cat '$2' >\"\$J\"|" -e "s|^ROOT=[^ ]*|ROOT='$3'|" \
		-e "s|^S=[^ ]* G=[^ ]*|S=docs G=$4|" -e "s|^N=[^ ]* H=[^ ]*|N=5 H=$paper|" \
		-e "s|^OTHER=[^ ]*|OTHER='${5:-$2}'|" "$T/audit.sh" >"$T/audit.this"
	env -i PATH="$T/tools" TMPDIR="$T" "$T/tools/sh" "$T/audit.this" >"$T/out" 2>"$T/err" </dev/null || true
}
paper=$(sed -n 5p "$J" | tr -d '\n' | sha256sum | cut -c-8)
good() { grep -c '^○' "$T/out"; }
repo=$(repo_of "$T/m1")
begun=$(date +%s%N)
audit "$repo" "$repo/journal/000001.jsonl" "$root" "$G" "$J"
ms=$((($(date +%s%N) - begun) / 1000000))
[ "$(good)" = 8 ] && ! grep -q '×' "$T/out" || fail "audit.md finds fault with what is whole"
grep -q "^○ 監査 太郎（鍵 $(tail -n 1 "$T/auditor.pub")）が $(sed -n 's/^head \([0-9]*\) .*/\1/p' "$T/head") 行目まで連署" "$T/out" ||
	fail "the countersignature by hand"
"$BKP" journal head --file "$repo/journal" | cmp - "$(sed -n 's/^署名する文：//p' "$T/out")" || die "the statement by hand is another"
lines=$(wc -l <"$repo/journal/000001.jsonl")
grep -q "^○ $lines 行すべて正しい。最後の行の SHA-256：$(tail -n 1 "$repo/journal/000001.jsonl" | tr -d '\n' | sha256sum | cut -c1-64)" "$T/out" ||
	die "the head by hand"
audit "$(repo_of "$T/m2")" "$J" "$root" 1 "$repo/journal/000001.jsonl"
[ "$(good)" = 8 ] || fail "audit.md with another medium, generation 1"
bad() { # WHAT LINE TEXT: copy.jsonl is found at that line, by hand and by bkp
	audit "$repo" "$T/copy.jsonl" "$root" "$G"
	grep -q "^× $2 行目：.*$3" "$T/out" || fail "by hand: $1" "$T/out"
	expect 2 "$BKP" journal verify --file "$T/copy.jsonl" --root-key "$root"
	grep -q "line $2 " "$T/err" || die "bkp: $1: $(cat "$T/err")"
}
sed '7s/"by":"root/"by":"toor/' "$J" >"$T/copy.jsonl"; bad "a name is another" 7 署名
sed 7d "$J" >"$T/copy.jsonl"; bad "a record is gone" 7 番号
sed '7{h;d};8G' "$J" >"$T/copy.jsonl"; bad "two records have changed places" 7 番号
sed '8s/^{"seq":8,/{"seq":8, /' "$J" >"$T/copy.jsonl"; bad "a blank" 8 署名
# the record that stands on paper, and the one that was countersigned
n=$(sed -n 's/^head \([0-9]*\) .*/\1/p' "$T/head")
sed "5s/\"by\":\"root/\"by\":\"toor/; ${n}s/\"by\":\"root/\"by\":\"toor/" "$J" >"$T/copy.jsonl"
audit "$repo" "$T/copy.jsonl" "$root" "$G"
for w in '5 行目：.*署名' '5 行目は紙と違う' '監査 太郎 の連署が合わない'; do grep -q "^× $w" "$T/out" || fail "by hand: $w" "$T/out"; done
n=$(grep -n '"event":"epoch"' "$J" | sed -n 3p | cut -d: -f1)
k=$(grep '"event":"epoch"' "$J" | sed -n 2p | sed 's/.*"key":"\([^"]*\)".*/\1/')
sed "${n}s|\"key\":\"[^\"]*\"|\"key\":\"$k\"|" "$J" >"$T/copy.jsonl"; bad "another key is named" "$n" 署名
audit "$repo" "$J" "$k" "$G"
grep -q '^× 1 行目：署名' "$T/out" || die "another root key, by hand"
head -n -3 "$J" >"$T/copy.jsonl"
audit "$repo" "$T/copy.jsonl" "$root" 1 "$repo/journal/000001.jsonl"
grep -q "（$(wc -l <"$T/copy.jsonl") 行と $lines 行）" "$T/out" || die "a record that was cut does not show beside a medium's: $(cat "$T/out")"
# a generation made anew with the newest key
cp -a "$repo" "$T/forged"; thaw "$T/forged"
g=$(printf %06d 1)
chmod -R u+w "$T/forged/datasets/docs/generations/$g"
sed -i 's/"host":"[^"]*"/"host":"forged"/' "$T/forged/datasets/docs/generations/$g/manifest.json"
sed -i "/manifest.json/s/^[0-9a-f]*/$(sha256sum <"$T/forged/datasets/docs/generations/$g/manifest.json" | cut -c1-64)/" \
	"$T/forged/datasets/docs/generations/$g/SHA256SUMS"
c=$(sed -n 's/^trusted comment: //p' "$T/forged/datasets/docs/generations/$g/SHA256SUMS.minisig")
"$AGETOOL" minisign sign "$(ls "$T"/state/signing-*.key)" \
	"$c" <"$T/forged/datasets/docs/generations/$g/SHA256SUMS" >"$T/forged/datasets/docs/generations/$g/SHA256SUMS.minisig"
audit "$T/forged" "$J" "$root" 1
[ "$(good)" = 6 ] && grep -q 'ファイルはすべて署名のとおり' "$T/out" || fail "a generation made anew with today's key is not told by hand" "$T/out"
say "the commands of audit.md as they stand, by sh, sha256sum, openssl and minisign alone ($lines records in $ms ms): what is whole is" \
	"whole; a record changed, gone, moved, a key exchanged, a record cut, a generation made anew: found"

# ---- bkp, from the public key and the file alone
mkdir "$T/alone"
cp "$J" "$T/alone/journal"; echo "$root" >"$T/alone/root"
printf 'untrusted comment: minisign public key\n%s\n' "$root" >"$T/alone/root.pub"
chmod -R a+rX "$T/alone"
chmod 700 "$T/state" "$T/src"
cp "$BKP" "$T/alone/bkp"
for k in root root.pub; do
	(cd "$T/alone" && env -i setpriv --reuid=65534 --regid=65534 --clear-groups ./bkp --lang en journal verify --root-key $k \
		--file journal) >"$T/out" 2>"$T/err" ||
		fail "verify from key and file alone ($k)" "$T/err"
	grep -q "$(tail -n 1 "$J" | tr -d '\n' | sha256sum | cut -c1-64)" "$T/out" || die "the head is not shown"
done
(cd "$T/alone" && strace -f -qq -o "$T/trace" -e trace=openat,open,connect,socket env -i "$BKP" --lang en journal verify --root-key root \
	--file journal) >/dev/null 2>&1 || die "verify, traced"
grep -q '"journal"\|/journal"' "$T/trace" || die "the trace shows nothing"
! grep -E "/state/|$T/policy|socket|connect" "$T/trace" || die "more than key and file was looked at"
say "bkp journal verify --root-key FILE: as nobody, in an empty environment, without state folder, policy, network"

# ---- the table
expect 0 "$BKP" --lang ja journal export --format csv --out "$T/j.csv"
[ "$(stat -c %a "$T/j.csv")" = 600 ] || die "mode of the table"
expect 2 "$BKP" --lang ja journal export --format csv --out "$T/j.csv"
grep -q E-JOURNAL-25 "$T/err" || die "a table was overwritten"
"$BKP" --lang ja journal export --format json >"$T/j.json"
"$BKP" --lang en journal export --format csv >"$T/en.csv"
$PY - "$T" "$J" <<'P' || die "the table"
import csv, io, json, re, sys
T, J = sys.argv[1:]
records = [json.loads(l) for l in open(J, encoding="utf-8")]
assert json.load(open(T + "/j.json", encoding="utf-8")) == records, "JSON"
raw = open(T + "/j.csv", "rb").read()
assert raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\xef\xbb\xbf") == 1, "BOM"
text = raw[3:].decode("utf-8")
assert text.endswith("\r\n") and not re.search(r"(?<!\r)\n|\r(?!\n)", text), "CRLF"
assert all(re.fullmatch(r'("([^"\r\n]|"")*",)*"([^"\r\n]|"")*"', l) for l in text.split("\r\n")[:-1]), "RFC 4180"
rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
assert len(rows) == len(records) + 1 and len({len(r) for r in rows}) == 1, "rows"
head = list(csv.reader(io.StringIO(open(T + "/en.csv", "rb").read()[3:].decode(), newline=""), strict=True))[0]
at = {h: i for i, h in enumerate(head)}
def plain(cell):
    return cell[1:] if cell.startswith("'") else cell
for row, r in zip(rows[1:], records):
    for c in row:
        assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", c), "a formula: " + c
        assert not re.search(r"[\x00-\x1f\x7f]", c), c
    assert row[at["No."]] == str(r["seq"]) and row[at["time (UTC)"]] == r["time"]
    assert (row[at["user"]], row[at["by sudo from"]]) == ("root", "sato"), row
    assert row[at["role"]] == r.get("role", "") and plain(row[at["operator"]]) == r.get("operator", ""), row
    assert row[at["command"]] == r.get("command", "") and row[at["event"]] == r["event"]
def said(event, what):
    assert any(r[at["event"]] == event and what in r[at["what"]] for r in rows[1:]), what
said("held", "監査のため保全：「第1回」, 改ざん疑い")
said("released", "＝SUM(A1:A9)")
said("accepted", "-2+3 とは無関係")
assert any(r[at["operator"]] == "'=1+1" for r in rows[1:]), "an operator who looks like a formula"
P
sed -i '7s/"by":"root/"by":"toor/' "$T/alone/journal"
expect 2 "$BKP" journal export --format csv --file "$T/alone/journal" --out "$T/bad.csv"
[ ! -e "$T/bad.csv" ] || die "a table of what does not verify"
say "journal export: CSV with BOM and CRLF after RFC 4180, no cell a formula, Japanese reasons whole; JSON equal to the records; nothing" \
	"of a journal that does not verify"
