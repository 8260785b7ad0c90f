#!/bin/bash
# Goal: who takes the capturing host, on whatever day, or a medium, gets what docs/threat-model.md says, and no more: no file of the state
# folder holds anything that opens what is captured, on the first day, after nights, and after another host went on; its keys make nobody
# a holder; nothing on a medium is guarded by a passphrase alone; keys/ of former days put back is told.  Each search is shown to find.
. "$(dirname "$0")/../lib/site.sh"
ROOT_KEY=$T/root.key
mkdir "$T/src" "$T/m1" "$T/m2" "$T/begun.d"
echo "患者 太郎 SECRET-OF-A-PATIENT" >"$T/src/NAME-OF-A-PATIENT.txt"
seq 30000 >>"$T/src/NAME-OF-A-PATIENT.txt"
echo 'kq7m-xv3p-8wzt-c2rd' >"$T/phrase"
typed() { python3 "$SRC_ROOT/tests/lib/typed.py" "$@"; }
thief() { python3 "$SRC_ROOT/tests/lib/thief.py" "$@"; }
key() { "$RESTORE" --quiet key "$@"; }
hex() { # an age identity's 32 bytes, or a minisign secret key's, in hexadecimal
	python3 - "$1" "$SRC_ROOT/restore/rescue.py" <<-'Y'
		import base64, importlib.util, re, sys
		spec = importlib.util.spec_from_file_location("rescue", sys.argv[2])
		m = importlib.util.module_from_spec(spec)
		spec.loader.exec_module(m)
		text = open(sys.argv[1]).read()
		age = re.search("AGE-SECRET-KEY-1[0-9A-Z]+", text)
		print((m.bech32(age[0]) if age else base64.b64decode(text.splitlines()[1])[62:94]).hex())
	Y
}
nothing() { [ ! -s "$T/found" ] || fail "$1" "$T/found"; }
sign() { # KEY DIR
	minisign -S -s "$1" -m "$2/period.json" -t "$(jq -r '"bkp:1 kind=period repository=\(.repository) period=\(
		.period) revision=\(.revision)"' "$2/period.json")" >/dev/null
}

# --- the first day: two factors, shares on paper, an identity under a passphrase at home; the key made elsewhere
age-keygen -o "$T/incho.txt" 2>/dev/null
expect 0 key make --to "$T/paper" --plain-identity
expect 0 key split -k 2 -n 3 "$T/paper/identity.txt"
grep '^BKP1' "$T/out" | head -n 2 >"$T/shares"
expect 0 key combine "$T/shares" --to "$T/holder"
expect 0 "$RESTORE" key make --to "$T/home" --passphrase-file "$T/phrase"
sato=$(sed -n 's/^recipient: *//p' "$T/out")
expect 0 key begin "incho=$(age-keygen -y "$T/incho.txt")+passphrase" "jimucho=$(age-keygen -y "$T/paper/identity.txt")" "sato=$sato" \
	--passphrase-file "$T/phrase" --to "$T/begun"
age -d -i "$T/paper/identity.txt" "$T/begun/jimucho.age" >"$T/period1"
typed "$(cat "$T/phrase")" -- sh -c "age -d '$T/home/identity.age' >'$T/sato.txt'" >/dev/null
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
"$BKP" init --keys "$T/begun" --root-key-out "$ROOT_KEY" >"$T/init.out"
opening=("period-1=$(hex "$T/period1")" "incho=$(hex "$T/incho.txt")" "jimucho=$(hex "$T/paper/identity.txt")" "sato=$(hex "$T/sato.txt")"
	"root=$(hex "$ROOT_KEY")")
holds() { # FOLDER: what opens, or signs for the root key; what a night's key is the state folder has to hold
	thief secrets "$1" "${opening[@]}" | grep -v 'signing-[0-9]*\.key: a secret key of minisign$' >"$T/found" || true
}
holds "$T/begun"
nothing "the folder that goes to the host holds what opens"
holds "$T/state"
nothing "the state folder of the first day holds what opens"
for m in m1 m2; do "$BKP" medium add $m >/dev/null 2>&1; done
night() { date +%N >"$T/src/b"; "$BKP" --quiet run --all; }
night
night
cp -a "$T/state" "$T/stolen" # the thief of the night

# --- after nights: every file, every string of it
repo=$(repo_of "$T/m1")
captured() { find "$repo/datasets" -name root.age -o -path '*/archives/*' -name '*.age'; }
holds "$T/stolen"
nothing "the state folder holds what opens"
mapfile -t ages < <(captured)
[ ${#ages[@]} -gt 3 ] || die "nothing was captured"
thief filekeys "$T/stolen" "${ages[@]}" >"$T/found"
nothing "the state folder holds the file key of an archive"
find "$T/stolen" -type f | while IFS= read -r f; do
	! age -d -i "$f" "${ages[0]}" >/dev/null 2>&1 || die "$f opens"
done
# the searches find: the period's key in five shapes, and the key of one file
mkdir "$T/planted"
raw=$(hex "$T/period1")
{ echo xx; echo "$raw"; } >"$T/planted/hex"
{ echo x; xxd -r -p <<<"$raw"; } >"$T/planted/raw"
{ printf x; xxd -r -p <<<"$raw"; } | base64 -w0 >"$T/planted/base64"
grep AGE- "$T/period1" | tr A-Z a-z >"$T/planted/bech32"
cp "$ROOT_KEY" "$T/planted/minisign"
holds "$T/planted"
for f in hex raw base64 bech32; do grep -qx "$f: period-1" "$T/found" || fail "the search does not find $f" "$T/found"; done
grep -qx 'minisign: root' "$T/found" && grep -qx 'bech32: an age identity' "$T/found" || fail "the search finds no keys" "$T/found"
python3 - "$SRC_ROOT/restore/rescue.py" "$T/period1" "${ages[0]}" "$T/planted/filekey" <<'Y'
import importlib.util, sys
spec = importlib.util.spec_from_file_location("rescue", sys.argv[1])
m = importlib.util.module_from_spec(spec)
spec.loader.exec_module(m)
was, keys = m.opened, []
m.opened = lambda *a: keys.append(was(*a)) or keys[-1]
m.Age(open(sys.argv[3], "rb"), m.identities_of([sys.argv[2]], None))
open(sys.argv[4], "wb").write(b"xyz" + next(filter(None, keys)) + b"xyz")
Y
thief filekeys "$T/planted" "${ages[0]}" >"$T/found"
grep -q '^filekey: ' "$T/found" || fail "the search finds no file key" "$T/found"
say "the state folder, on the first day and after nights: no file, no string, no 16 bytes of it open any of ${#ages[@]} files"

# --- the night's key makes nobody a holder, and no approver
night_key=$(find "$T/stolen" -name 'signing-*.key')
age-keygen -o "$T/thief.txt" 2>/dev/null
expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/holder/identity.txt" key add "eve=$(age-keygen -y "$T/thief.txt")" --to "$T/eve"
cp -a "$T/eve" "$T/true" # what a holder was talked into, unsigned
sign "$night_key" "$T/eve"
expect 2 "$BKP" key add eve --from "$T/eve" --operator Eve
said E-PERIOD-02
minisign -G -W -f -p "$T/eve.pub" -s "$T/eve.key" >/dev/null 2>&1
expect 0 key approver "eve=$(tail -n 1 "$T/eve.pub")" 2099-12-31 --to "$T/appr" --medium "$T/m1"
minisign -S -s "$night_key" -m "$T/appr/approver.json" \
	-t "bkp:1 kind=key-approver repository=$(jq -r .repository "$T/appr/approver.json")" >/dev/null
cp "$T"/appr/approver.json* "$T/eve/"
sign "$T/eve.key" "$T/eve"
expect 2 "$BKP" key add eve --from "$T/eve" --operator Eve
said E-PERIOD-09
# the same written onto an attached medium by root: told by everybody who reads it, and it opens nothing that was captured
thaw "$repo/keys"
cp -a "$repo/keys" "$T/keys.1"
put() { rm -rf "$repo/keys"; cp -a "$1" "$repo/keys"; } # FOLDER: as keys/ of the medium
for f in json json.minisig; do cp "$T/eve/period.$f" "$repo/keys/1/period-2.$f"; done
for f in json json.minisig; do cp "$T/eve/approver.$f" "$repo/keys/1/period-2.approver.$f"; done
expect 2 "$BKP" verify --medium m1
said 'keys/1/period-2.json'
expect 1 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/holder/identity.txt" extract docs@1 --to "$T/o1"
said E-PERIOD-09
expect 1 python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/shares" "$T/m1" docs@1 "$T/o2"
said 'approver.json'
diff -r "$T/o1" "$T/o2" || die "rescue.py: another tree"
put "$T/keys.1"
say "the night's key signs no period and names no approver: refused by the host, told by every reader of a medium it was written to"

# --- a medium, and no identity
night
chunk=$(jq -r .chunk_id_key "$T/state/secrets.json")
seed=$(jq -r .chunker_seed "$T/state/secrets.json")
on_medium() { # FOLDER
	thief secrets "$1" "${opening[@]}" "night=$(hex "$night_key")" "chunk-id-key=$chunk" "chunker-seed=$seed" >"$T/found"
	thief passphrases "$1" >>"$T/found"
	grep -rlaE 'SECRET-OF-A-PATIENT|NAME-OF-A-PATIENT|患者 太郎' "$1" >>"$T/found" || true
}
on_medium "$T/m1"
nothing "a medium alone gives something away"
n=0
while read -r f; do
	n=$((n + 1))
	! typed "$(cat "$T/phrase")" -- age -d -o "$T/opened" "$f" >/dev/null 2>&1 || die "the right passphrase opens $f"
	[ "$(tail -c +23 "$f" | head -c 9)" = '-> X25519' ] || die "another recipient than a key: $f"
done < <(find "$T/m1" -name '*.age')
[ "$(find "$T/m1" -path '*/keys/1/*.age' | wc -l)" = 3 ] && [ $n -gt 6 ] || die "too few files to try: $n"
# the inner layer of the one with two factors is what a passphrase opens: behind its key only
age -d -i "$T/incho.txt" "$repo/keys/1/incho.age" >"$T/inner"
mkdir "$T/show"
cp "$T/inner" "$T/show/in-binary"
cp "$T/home/identity.age" "$T/show/at-home"
{ echo x; cat "$T/inner"; } >"$T/show/in-the-middle"
typed "$(cat "$T/phrase")" "$(cat "$T/phrase")" -- sh -c "age -a -p -o '$T/show/armoured' '$T/incho.txt'" >/dev/null
cp "$T/incho.txt" "$T/show/identity"
cp "$night_key" "$T/show/night"
cp "$T/state/secrets.json" "$T/show/secrets"
cp "$T/src/NAME-OF-A-PATIENT.txt" "$T/show/plain"
cp -a "$T/show" "$T/m1/"
on_medium "$T/m1"
for f in in-binary at-home in-the-middle armoured identity night secrets plain; do
	grep -q "show/$f" "$T/found" || fail "not found on a medium: $f" "$T/found"
done
rm -r "$T/m1/show"
say "a medium alone: of $n age files none is a passphrase's; no identity, no signing key, no secret, no name or content; the search finds"

# --- keys/ of former days, and worse, put back on a medium
sign "$ROOT_KEY" "$T/true"
expect 0 "$BKP" key add eve --from "$T/true" --operator Sato
expect 0 "$BKP" verify --medium m1 # which has not heard of it yet
night
cp -a "$repo/keys" "$T/keys.2"
put "$T/keys.1" # eve, who is meant to hold one, is not there
expect 2 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/thief.txt" extract docs@latest --to "$T/o3"
said E-PERIOD-04
expect 0 "$RESTORE" --quiet --medium "$T/m1" --medium "$T/m2" --identity "$T/holder/identity.txt" extract docs@latest --to "$T/o3"
expect 1 "$RESTORE" --quiet --medium "$T/m1" --medium "$T/m2" --identity "$T/thief.txt" extract docs@latest --to "$T/o4"
said E-PERIOD-04
diff -r "$T/o3" "$T/o4" || die "opened by way of the other medium: another tree"
expect 2 "$BKP" verify --medium m1
said 'E-VERIFY-17.*keys/1/period-2.json. is missing'
expect 2 "$RESTORE" --medium "$T/m1" verify docs@latest
said 'E-VERIFY-17.*keys/1/period-2.json. is missing'
expect 0 "$BKP" repair m1
expect 0 "$BKP" verify --medium m1
put "$T/keys.2"
hostile() { # WORD COMMAND...: in keys/1; said by bkp verify, which ends
	local word=$1
	shift
	(cd "$repo/keys/1" && "$@")
	expect 2 timeout 30 "$BKP" verify --medium m1
	said "$word"
	put "$T/keys.2"
}
hostile 'period-2.json' truncate -s 100M period-2.json
hostile 'period-2.json' sh -c 'rm period-2.json && mkfifo period-2.json'
hostile 'period-2.json' sh -c 'rm period-2.json && ln -s ../../../../stolen/secrets.json period-2.json'
hostile 'sato.age' sh -c 'mv sato.age x && mv eve.age sato.age && mv x eve.age'
hostile 'period-65535.json' cp period-2.json period-65535.json
hostile 'keys/4096/' sh -c 'for i in $(seq 2 5000); do mkdir ../$i; done'
hostile 'keys/2' cp -a . ../2
say "keys/ of former days are told, and another medium opens; links, FIFOs, 100 MiB, 5,000 folders, swapped files: bkp verify says so"

# --- another host goes on
mv "$T/state" "$T/lost"
expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/holder/identity.txt" key host --to "$T/host"
holds "$T/host"
nothing "what is carried to another host holds what opens"
expect 0 "$BKP" init --continue "$T/m1" --continue "$T/m2" --secrets "$T/host/secrets.json" --root-key "$ROOT_KEY" --operator Sato
holds "$T/state"
nothing "the state folder of another host holds what opens"
date +%N >"$T/src/b"
expect 1 "$BKP" --quiet run --all
holds "$T/state"
nothing "the state folder of another host holds what opens after a night"
mapfile -t ages < <(captured)
thief filekeys "$T/state" "${ages[@]}" >"$T/found"
nothing "the state folder of another host holds a file key"
say "another host that goes on: nothing of what is carried there, nor of its state folder, opens any of ${#ages[@]} files"
