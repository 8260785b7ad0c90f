#!/bin/bash
# Goal: whoever uses a recovery key leaves a trace, wherever that is, whatever becomes of the command: a slip, that its user signs or not,
# that the host takes over once, unforged, and that a manager signs off.  A key drill finds the host that encrypts to a key of its own, and
# shows how far back a holder has opened what is captured; an envelope that nobody tried for long is named.
. "$(dirname "$0")/../lib/site.sh"
. "$SRC_ROOT/tests/lib/fakeclock.sh"
ROOT_KEY=$T/root.key
minisign -G -W -f -p "$T/incho.pub" -s "$T/incho.key" >/dev/null
minisign -G -W -f -p "$T/thief.pub" -s "$T/thief.key" >/dev/null
mkdir "$T/src"
seq 200000 >"$T/src/a"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
cat >>"$T/policy.yaml" <<-Y
people:
  - {name: 院長, roles: [manager, keyholder], public_key: $(tail -n 1 "$T/incho.pub")}
  - {name: Sato, roles: [operator]}
Y
for who in incho hosyu; do age-keygen -o "$T/$who.txt" 2>/dev/null; done
mkdir "$T/m1" "$T/m2"
"$BKP" init --recipient "incho=$(age-keygen -y "$T/incho.txt")" --root-key-out "$ROOT_KEY" >/dev/null
for m in m1 m2; do "$BKP" medium add $m >/dev/null 2>&1; done
"$BKP" --quiet run --all
r() { "$RESTORE" --quiet --medium "$T/m1" --identity "$T/incho.txt" "$@"; }
slip_of() { # a file or folder: the one slip there
	set -- "$1"*use-????????.json
	[ $# = 1 ] && [ -s "$1" ] || die "not one slip: $*"
	echo "$1"
}
is() { jq -e "$2" "$1" >/dev/null || fail "not so: $2" "$1"; }

# --- a slip of each use, beside the output or in the person's own folder
LOGNAME=takeda expect 0 r extract docs@latest "$T/src/a" --to "$T/out1"
one=$(slip_of "$T/out1.")
is "$one" '.format == 1 and .kind == "bkp-use" and .command == "extract" and .what == "docs@1" and .operator == "takeda" and .exit == 0'
is "$one" ".to == \"$T/out1\" and .paths == [\"$T/src/a\"] and .person == {\"period\":1,\"name\":\"incho\"} and .label == \"m1\""
is "$one" ".repository == \"$(basename "$(repo_of "$T/m1")")\" and .medium == $(jq .medium "$T/m1/bkp-medium.json")"
is "$one" '(.begun | fromdate) <= (.finished | fromdate) and ((now - (.finished | fromdate)) | fabs) < 60'
[ "$(stat -c %a "$one")" = 600 ] || die "others can read a slip"
diff -r "$T/src" "$T/out1$T/src" || die "another tree"
n=0
for c in "list docs@1" "cat docs@1 ${T#/}/src/a" "export docs@1"; do
	# shellcheck disable=SC2086 # words
	expect 0 r $c
	n=$((n + 1))
	[ "$(cat "$BKP_SLIPS"/*.json | jq -c 'select(.exit == 0) | .command' | wc -l)" = $n ] || die "no slip of $c"
done
expect 0 r --slip "$T/here/slip.json" list docs@1
is "$T/here/slip.json" '.command == "list"'
expect 0 "$RESTORE" --medium "$T/m1" generations
expect 64 r list nothing@1@
expect 3 "$RESTORE" --medium "$T/src" --identity "$T/incho.txt" list docs@1
[ "$(find "$BKP_SLIPS" -name '*.json' | wc -l)" = 3 ] || die "a slip of what used no key"
rm -r "$BKP_SLIPS"
expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/hosyu.txt" list docs@1
is "$(slip_of "$BKP_SLIPS/")" '.exit == 2 and .person == null'
rm -r "$BKP_SLIPS"
r cat docs@1 "${T#/}/src/a" 2>/dev/null | head -c 1 >/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -d "$BKP_SLIPS" ] && [ -s "$(find "$BKP_SLIPS" -name '*.json')" ] && break; sleep 0.1; done
is "$(slip_of "$BKP_SLIPS/")" '.command == "cat"'
HOME=$T/home BKP_SLIPS='' XDG_STATE_HOME='' r list docs@1 >/dev/null
is "$(slip_of "$T/home/.local/state/bkp-uses/")" '.exit == 0'
if [ -x "$BKP_BIN/tools/bkp-restore" ]; then
	expect 0 "$BKP_BIN/tools/bkp-restore" --quiet --medium "$T/m1" --identity "$T/incho.txt" extract docs@1 --to "$T/out.s"
	is "$(slip_of "$T/out.s.")" '.exit == 0 and .what == "docs@1"'
fi
say "each use leaves a slip: beside the output, or in a folder; one that failed, too, or was cut short; none without a key"

# --- what cannot be written is said, and keeps nobody from a restore
expect 1 r --slip /proc/none/slip.json extract docs@1 --to "$T/out2"
said W-USE-01
diff -r "$T/src" "$T/out2$T/src" || die "another tree"
expect 1 r --slip "$one" list docs@1
said W-USE-01
is "$one" '.command == "extract"'
expect 1 r --slip "$T/m1/slip.json" list docs@1
said "'$T/m1/slip.json' lies on the medium"
[ ! -e "$T/m1/slip.json" ] || die "a slip on a medium"
say "a slip that cannot be written is said, exit 1; it replaces nothing, stands on no medium, and the restore is whole"

# --- signed
expect 0 r --sign-slip "$T/incho.key" --operator 院長 extract docs@1 --to "$T/out3"
two=$(slip_of "$T/out3.")
minisign -V -q -p "$T/incho.pub" -m "$two" || die "minisign does not verify it"
grep -qxF "trusted comment: bkp:1 kind=use repository=$(jq -r .repository "$two") id=$(jq -r .id "$two")" "$two.minisig" ||
	fail "another comment" "$two.minisig"
expect 0 r --operator 院長 extract docs@1 --to "$T/out4"
three=$(slip_of "$T/out4.")
minisign -S -s "$T/incho.key" -m "$three" >/dev/null
expect 2 r --sign-slip "$T/src/a" list docs@1

# --- onto the record
expect 0 "$BKP" key use --import "$one" "$two" "$three"
grep '"event":"use"' "$T/state/journal/000001.jsonl" >"$T/uses"
jq -se 'map(.signed_by) == [null, "院長", "院長"] and map(.command) == ["extract", "extract", "extract"]' "$T/uses" >/dev/null ||
	fail "another record" "$T/uses"
record use | jq -e ".slip_sha256 == \"$(sha256sum <"$three" | cut -c-64)\" and .id == $(jq .id "$three") and .what == \"docs@1\"" \
	>/dev/null || die "$(record use)"
expect 0 "$BKP" key use --import "$one"
said 'on record already'
[ "$(grep -c '"event":"use"' "$T/state/journal/000001.jsonl")" = 3 ] || die "a slip counts twice"
refused() { # CODE FILE
	expect 2 "$BKP" key use --import "$2"
	said "$1: '$2'"
}
expect 0 r --operator 院長 list docs@1 --slip "$T/f.json"
cp "$T/f.json" "$T/f1.json"
minisign -S -s "$T/thief.key" -m "$T/f1.json" >/dev/null
refused E-USE-04 "$T/f1.json"
cp "$two.minisig" "$T/f1.json.minisig"
refused E-USE-04 "$T/f1.json"
sed 's/"operator":"takeda"/"operator":"sato"/' "$one" >"$T/f2.json"
refused E-USE-03 "$T/f2.json"
sed 's/"repository":"[0-9a-f]*/"repository":"00000000/' "$T/f.json" >"$T/f3.json"
refused E-USE-02 "$T/f3.json"
sed 's/"begun":"[^"]*"/"begun":"yesterday"/' "$T/f.json" >"$T/f4.json"
refused E-USE-01 "$T/f4.json"
head -c 70000 /dev/zero >"$T/f5.json"
refused E-IMPORT-02 "$T/f5.json"
[ "$(grep -c '"event":"use"' "$T/state/journal/000001.jsonl")" = 3 ] || die "something that was refused is on record"
say "signed by bkp-restore or minisign, taken over once; signed by or for another, edited, foreign, malformed, too long: refused"

# --- the sign-off
"$BKP" status >"$T/out" || true
said 'recovery key used .* 3 uses, of which 1 are declared only'
"$BKP" --json status >"$T/out" || true
jq -e '.key_uses == {"since":null,"uses":3,"declared":1}' "$T/out" >/dev/null || fail "status --json"
expect 0 "$BKP" key use
said 'takeda +incho +extract +docs@1 +m1@.* 0 +declared only'
expect 64 "$BKP" key use --reviewed
expect 0 "$BKP" key use --reviewed --operator 院長
record uses-reviewed | jq -e '.uses == 3 and .declared == 1 and .operator == "院長"' >/dev/null || die "$(record uses-reviewed)"
"$BKP" status >"$T/out" || true
! grep -q 'recovery key used' "$T/out" || die "signed off, and still shown"
expect 0 "$BKP" key use
! grep -q takeda "$T/out" || die "signed off, and still listed"
expect 0 "$BKP" key use --all
said takeda
expect 0 "$BKP" journal export --format csv
said 'the key of incho was used at .*: extract docs@1; signed'
expect 0 "$BKP" journal verify
say "bkp status counts the uses since the last sign-off, and those that are declared only; a manager's sign-off ends that"

# --- envelopes
expect 2 "$BKP" key envelope add A-1 --person nobody --seal 0017 --place 院長室の金庫 --holder 事務長 --operator 院長
said E-ENVELOPE-02
expect 0 "$BKP" key envelope add A-1 --person incho --seal 0017 --place 院長室の金庫 --holder 事務長 --operator 院長
expect 2 "$BKP" key envelope opened B-9 --why x --operator 院長
said E-ENVELOPE-01
expect 64 "$BKP" key envelope sealed A-1 --operator 院長
later() { env "${FAKE_ENV[@]}" FAKECLOCK=$(($1 * 86400)) "$BKP" status >"$T/out" 2>"$T/err" || true; }
overdue='nobody has tried the key in envelope A-1 \(院長室の金庫\) for long'
later 30
! grep -qE "$overdue|has opened" "$T/out" || fail "it nags in the first month"
later 120
said "no holder of a key has opened 'docs' yet"
! grep -qE "$overdue" "$T/out" || fail "the envelope is not overdue yet"
later 400
said "$overdue"

# --- the key drill
expect 0 r key drill --envelope A-1 --sign-slip "$T/incho.key" --slip "$T/drill1.json"
is "$T/drill1.json" '.command == "key drill" and .envelope == "A-1" and .drill.archives > 0 and .drill.failed == []'
is "$T/drill1.json" ".drill.opened == [{\"dataset\":\"docs\",\"generation\":1,\"manifest_sha256\":\"$(
	sha256sum <"$(set_of "$T/m1")/generations/000001/manifest.json" | cut -c-64)\"}]"
[ "$(jq .drill.archives "$T/drill1.json")" = "$(grep -c archives/ "$(set_of "$T/m1")/generations/000001/SHA256SUMS")" ] ||
	die "not every archive was opened"
expect 0 "$BKP" key use --import "$T/drill1.json"
expect 0 "$BKP" key list
said 'docs@1 .*'
expect 0 "$BKP" key envelope list
said 'A-1 +incho +0017 .* not sealed again'
expect 0 "$BKP" key envelope sealed A-1 --seal 0018 --operator 院長
expect 0 "$BKP" --json key envelope list
jq -e '.envelopes[0] | .seal == "0018" and .drill != null and .opened == .drill and (.overdue | not)' "$T/out" >/dev/null || fail "list"
later 380
! grep -qE "$overdue|has opened|tried" <(sed -n '/next/,/^$/p' "$T/out") || fail "it nags after a drill"
said 'key drill .* a holder has opened 1 of 1 data sets, the oldest at docs@1$'
later 400
said "the newest generation of 'docs' that a holder of a key has opened is docs@1"
said "$overdue"
expect 0 "$BKP" key envelope opened A-1 --why 点検 --operator 院長
expect 0 "$BKP" key envelope retire A-1 --why 廃棄 --operator 院長
later 400
! grep -q 'envelope A-1' "$T/out" || die "a retired envelope"
say "a key drill opens the newest generation and its archives; status, key list and the envelope know of it, and how long ago"

# --- a host that encrypts to a key of its own: only a key drill finds it
date +%N >"$T/src/b"
cc -O1 -shared -fPIC -o "$T/foreign.so" "$SRC_ROOT/tests/lib/foreignkey.c"
env LD_PRELOAD="$T/foreign.so" FOREIGNKEY=1 ASAN_OPTIONS="verify_asan_link_order=0:${ASAN_OPTIONS:-}" "$BKP" --quiet run --all
age -d -i "$T/incho.txt" "$T/state/keys/1/incho.age" >"$T/period.key"
(cd "$(set_of "$T/m1")" && grep -o 'archives/.*' generations/000002/SHA256SUMS | while read -r a; do
	age -d -i "$T/period.key" -o /dev/null "$a" 2>/dev/null || echo "docs/$a"
done) >"$T/foreign"
[ "$(wc -l <"$T/foreign")" = 1 ] || fail "not one archive is of another key: the test is no test" "$T/foreign"
expect 0 "$BKP" verify
expect 2 r key drill --slip "$T/drill2.json"
said "E-USE-05: '$(cat "$T/foreign")'"
is "$T/drill2.json" ".exit == 2 and .drill.failed == [\"$(cat "$T/foreign")\"] and .drill.failed_total == 1"
new=$(comm -13 <(grep -o 'archives/.*' "$(set_of "$T/m1")/generations/000001/SHA256SUMS" | sort) \
	<(grep -o 'archives/.*' "$(set_of "$T/m1")/generations/000002/SHA256SUMS" | sort) | wc -l)
[ "$(jq '.drill.archives + .drill.failed_total' "$T/drill2.json")" = "$new" ] || fail "not those since the last drill" "$T/drill2.json"
expect 2 r key drill --since 0 --slip "$T/drill3.json"
[ "$(jq '.drill.archives + 1' "$T/drill3.json")" = "$(grep -c archives/ "$(set_of "$T/m1")/generations/000002/SHA256SUMS")" ] ||
	fail "--since 0 does not open all" "$T/drill3.json"
expect 0 r key drill --since 2
expect 1 "$BKP" key use --import "$T/drill2.json"
said W-USE-02
"$BKP" status >"$T/out" || true
said 'in the key drill of .* 1 archives or generations did not open'
said 'a holder has opened 1 of 1 data sets, the oldest at docs@1$'
expect 64 r key drill --since x
expect 64 r key drill --envelope 'a b'
say "a host that encrypts an archive to its own key passes all checks without the key; the drill names the archive, and the record says so"
