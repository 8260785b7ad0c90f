#!/bin/bash
# Goal: what is left when more is gone than one server, each document of policies/procedures played as it stands: host-gone.md (the
# repository goes on at another computer), offline-only.md (one disk is left: copied first, compared, brought back by priority), and
# key-from-paper.md (no key is left, two of three shares are).  Stock age, minisign, diff and sha256sum are the judges.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
PROC=$SRC_ROOT/policies/procedures
ROOT_KEY=$T/safe/root.key
mkdir "$T/emr" "$T/docs" "$T/m1" "$T/m2" "$T/safe" "$T/usb" "$T/host" "$T/away"
ln -s "$BKP" "$T/host/bkp"
ln -s "$RESTORE" "$T/away/bkp-restore"
echo nagai-Passphrase-2026 >"$T/pass"
"$RESTORE" --quiet --lang en key make --to "$T/incho" --passphrase-file "$T/pass" >"$T/made"
age-keygen -o "$T/id.txt" 2>/dev/null # the key of which there are shares on paper
seq 200000 >"$T/emr/dump"
for i in $(seq 50); do echo "紹介状 $i" >"$T/docs/$i"; done
site_policy "  - {name: emr, title: 電子カルテ, paths: [$T/emr], priority: 1}
  - {name: documents, title: 文書, paths: [$T/docs], priority: 2}"
"$BKP" init --recipient "incho=$(sed -n 's/^recipient: *//p' "$T/made")" --recipient "shares=$(age-keygen -y "$T/id.txt")" \
	--root-key-out "$ROOT_KEY" >"$T/init.out"
ROOT=$(sed -n 's/^root public key: *//p' "$T/init.out")
for m in m1 m2; do "$BKP" medium add $m >/dev/null 2>&1; done
"$BKP" --quiet run --all
recovery_set_up
play() { # EXIT PROCEDURE [OPTION...]
	local want=$1 p=$2
	shift 2
	expect "$want" timeout 120 python3 "$SRC_ROOT/tests/lib/play_procedure.py" "$T/pass" "$T/host" "$T/away" -- "$RESTORE" --lang ja \
		--medium "$T/shelf" --identity "$T/incho/identity.age" --passphrase-file "$T/pass" drill "$PROC/$p.md" --to "$T/d.$p" \
		--isolation off --operator 院長 --set "root=$ROOT" "$@"
}
is() { jq -e "$2" "$1" >/dev/null || fail "not so: $2" "$1" "$T/out"; }
shelve() { thaw "$T/shelf"; rm -rf "$T/shelf"; cp -a "$T/m1" "$T/shelf"; } # the disk as it was carried away

# ---- the host is gone
shelve
mv "$T/state" "$T/gone.state"
host_gone=(--set "identity=$T/incho/identity.age" --set "root_key=$ROOT_KEY" --set "usb=$T/usb/host-gone" --set "after=$T/m2"
	--set "continue=--continue $T/m1 --continue $T/m2")
old=$(du -sb "$(set_of "$T/m1" emr)/archives" | cut -f1)
play 0 host-gone "${host_gone[@]}"
tail -n 1 "$T/out"
is "$T/d.host-gone/drill.json" '.verdict == "passed" and all(.steps[]; .mark == "passed")'
[ ! -e "$T/usb/host-gone/secrets.json" ] || die "the secrets were left on the stick"
[ "$(ls "$(set_of "$T/m1" emr)/generations" | wc -l)" = 2 ] || die "no night at the new host"
[ "$(du -sb "$(set_of "$T/m1" emr)/archives" | cut -f1)" -lt $((old + 200000)) ] || die "what was stored is stored again"
jq -se 'map(select(.event == "epoch")) | last | .continued == true and .operator == "院長"' "$T"/state/journal/*.jsonl >/dev/null ||
	die "the journal does not say that another host goes on"
jq -se 'any(.[]; .event == "use" and .command == "key drill")' "$T"/state/journal/*.jsonl >/dev/null || die "the key drill"
sed "s|$T/state|$T/gone.state|" "$T/policy.yaml" >"$T/former.yaml"
date >"$T/emr/new"
! "$BKP" --policy "$T/former.yaml" --quiet run --all >"$T/out" 2>"$T/err" || die "the former host goes on"
said E-HISTORY-01
say "the capture host is gone: another one goes on as the document says, nothing is stored twice, every medium refuses the former one"

# ---- one disk is left
shelve
{
	printf 'by: 山田\nconfirm: emr@2 documents@2\nanswers:\n'
	printf '  - {step: %s, answer: yes, note: 控え}\n' last away eyes
} >"$T/attest.yaml"
bring_back() { # drill|recover DIR [OPTION...]
	"$RESTORE" --lang ja --medium "$T/shelf" --identity "$T/id.txt" "$1" "$PROC/offline-only.md" --to "$2" --attest "$T/attest.yaml" \
		--operator 山田 --set "root=$ROOT" --set "virusdb=$T/virus" "${@:3}"
}
expect 0 bring_back drill "$T/d.offline"
[ "$(drill_field "$T/d.offline" "d['verdict'], d['erased']['ok']")" = "('passed', True)" ] || fail "the drill" "$T/d.offline/drill.json"
before=$(python3 "$SRC_ROOT/tests/lib/treedump.py" "$T/shelf" | sha256sum)
expect 0 bring_back recover "$T/o/recovery" --set "copy=$T/o/copy"
[ "$before" = "$(python3 "$SRC_ROOT/tests/lib/treedump.py" "$T/shelf" | sha256sum)" ] || die "the one disk was changed"
diff -r "$T/shelf" "$T/o/copy" || die "the copy differs"
cmp "$T/emr/dump" "$T/o/recovery/data/emr$T/emr/dump" && diff -r "$T/docs" "$T/o/recovery/data/documents$T/docs" || die "another tree"
jq -e '[.steps[] | select(.kind == "restore") | .id] == ["first","second"]' "$T/o/recovery/recovery.json" >/dev/null ||
	fail "not by priority" "$T/o/recovery/recovery.json"
other=$(minisign -G -W -f -p "$T/other.pub" -s "$T/other.key" >/dev/null; tail -n 1 "$T/other.pub")
expect 2 "$RESTORE" --lang ja --medium "$T/shelf" --identity "$T/id.txt" drill "$PROC/offline-only.md" --to "$T/d.other" \
	--attest "$T/attest.yaml" --operator 山田 --set "root=$other" --set "virusdb=$T/virus"
jq -e '[.steps[] | select(.mark == "failed") | .id] == ["ours"]' "$T/d.other/drill.json" >/dev/null ||
	fail "a disk of others is taken" "$T/out"
say "one disk is left: shown to be ours by the paper, copied and compared first, not changed by a bit, brought back by priority"

# ---- no key is left, but shares on paper
"$RESTORE" --quiet --lang en key split -k 2 -n 3 "$T/id.txt" >"$T/shares"
grep -i '^bkp1' "$T/shares" | tr -d ' ' >"$T/lines" || true
[ "$(wc -l <"$T/lines")" = 3 ] || fail "shares" "$T/shares"
rows() { sed -n "$1p" "$T/lines" | fold -w 16 | sed "s/.*/': \$=>&'/" | tr '\n' ' '; }
rm "$T/away/bkp-restore"
# the holders type the rows of their papers where they are asked for; all else is typed as it stands
cat >"$T/away/bkp-restore" <<S
#!/bin/sh
case "\$1 \$2" in
'key combine') exec python3 "$SRC_ROOT/tests/lib/talk.py" $(rows 1) $(rows 3) -- "$RESTORE" "\$@" ;;
esac
exec "$RESTORE" "\$@"
S
chmod +x "$T/away/bkp-restore"
SHM=$(mktemp -d /dev/shm/bkp-test.XXXXXX)
trap 'rm -rf "$SHM"; servers_stop' EXIT
"$BKP" --quiet key envelope add S-1 --person shares --seal 1 --place 金庫 --holder 院長 --operator 院長
play 0 key-from-paper \
	--set "recipient=$(age-keygen -y "$T/id.txt")" --set "folder=$SHM/kagi" --set "usb=$T/usb/paper"
tail -n 1 "$T/out"
is "$T/d.key-from-paper/drill.json" '.verdict == "passed" and all(.steps[]; .mark == "passed")'
[ -z "$(find "$SHM" -name 'identity*')" ] || die "the key was left in memory"
jq -se 'map(select(.event == "use" and .command == "key drill")) | last | .person.name == "shares" and .exit == 0' \
	"$T"/state/journal/*.jsonl >/dev/null || die "the key drill of the key from paper is not on the record"
say "no key is left: two of three shares typed row by row give it back, it opens every generation, and it is wiped"
