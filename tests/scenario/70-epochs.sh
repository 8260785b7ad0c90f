#!/bin/bash
# Goal: a host that is taken over today cannot alter yesterday unnoticed.  The root secret leaves at init; each night's key names the
# next and is erased, also from the disk itself; every reader knows all keys; killed at any step, the next run goes on.  A state
# folder that is an old copy, a journal that was cut or rewritten, on the host or on a medium: found by the other side.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
. "$(dirname "$0")/../lib/keys.sh"
AGETOOL=$BKP_BIN/agetool
in_memory # dozens of runs: their fsyncs are not what is looked at here
mkdir -p "$T/src" "$T/m1" "$T/m2"
echo one >"$T/src/a"; head -c 300000 /dev/urandom >"$T/src/b"
age-keygen -o "$T/id.txt" 2>/dev/null
site_policy "  - {name: docs, paths: [$T/src]}"
# shellcheck disable=SC2016
sed -i '$a\  - {name: RDX-01, type: rdx, path: '"$T"'/rdx, offline: true, max_attached: 400d, place: 別棟}' "$T/policy.yaml"
r=$(age-keygen -y "$T/id.txt")
J=$T/state/journal/000001.jsonl
only_key() { (cd "$T/state" && ls signing-*.key) | xargs; }
rejournal() { python3 "$SRC_ROOT/tests/lib/rejournal.py" "$@"; }
epochs() { grep -c '"event":"epoch"' "$1"; }

# ---- init
mkdir "$T/state"
expect 2 "$BKP" init --recipient "$r" --root-key-out "$T/state/root.key"
grep -q 'inside the state folder' "$T/err" || die "the root key would lie in the state folder: $(cat "$T/err")"
echo precious >"$T/root.key"
expect 2 "$BKP" init --recipient "$r" --root-key-out "$T/root.key"
[ "$(cat "$T/root.key")" = precious ] || die "a file was overwritten"
rm "$T/root.key"
[ -z "$(ls -A "$T/state")" ] || die "a refused init left something"
expect 64 "$BKP" init --recipient "$r"
grep -q 'E-INIT-06' "$T/err" && grep -q -- '--root-key-out' "$T/err" || die "a root secret that would be gone is not said"
[ -z "$(ls -A "$T/state")" ] || die "a refused init left something"
expect 0 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r"
expect 0 "$BKP" --lang ja journal verify
rm -rf "$T/state"
mkdir "$T/fs"
truncate -s 24M "$T/disk"; mkfs.ext4 -q "$T/disk"; mount -o loop "$T/disk" "$T/fs"
ln -s "$T/fs/state" "$T/state"
sed -i "s|^state:.*|state: $T/fs/state|" "$T/policy.yaml"
expect 0 "$BKP" init --recipient "$r" --root-key-out "$T/root.key"
[ "$(stat -c %a "$T/root.key")" = 600 ] || die "mode of the root secret"
root=$(sed -n 's/^root public key: //p' "$T/out")
[ -n "$root" ] || die "the root public key is not shown"
echo "lower what was agreed" >"$T/approval"
minisign -S -l -s "$T/root.key" -m "$T/approval" -t 'by hand' >/dev/null || die "stock minisign does not sign with the root secret"
minisign -V -q -P "$root" -m "$T/approval" || die "what the root secret signed is not the root key's"
"$BKP" medium add m1 >/dev/null 2>&1; "$BKP" medium add m2 >/dev/null 2>&1
say "init: the root secret is written once, outside the state folder, and signs with stock minisign; without the option it is said to be" \
	"gone"

# ---- nights
secret_of() { sed -n 2p "$1"; }
secret_of "$T/state/signing-2.key" >"$T/secret.2"
[ "$(only_key)" = signing-2.key ] || die "keys after init: $(only_key)"
for i in 1 2 3; do
	echo "$i" >"$T/src/a"
	[ "$i" = 3 ] && cp -a "$T/fs/state" "$T/state.2"
	[ "$i" = 3 ] && for m in m1 m2; do cp -a "$T/$m" "$T/$m.2"; done
	night 0
	secret_of "$T/state/signing-$((i + 2)).key" >"$T/secret.$((i + 2))" || die "night $i: $(only_key)"
done
[ "$(only_key)" = signing-5.key ] || die "keys after three nights: $(only_key)"
[ "$(epochs "$J")" = 4 ] || die "$(epochs "$J") epochs"
for m in m1 m2; do
	grep '"event":"epoch"' "$J" | cmp - "$(repo_of "$T/$m")/keys.jsonl" || die "keys.jsonl of $m"
	for g in 1 2 3; do
		f=$(set_of "$T/$m")/generations/00000$g/SHA256SUMS
		signed "$root" "$(repo_of "$T/$m")" "$f" || die "minisign with the key found by openssl: generation $g"
		"$RESTORE-static" --medium "$T/$m" --root-key "$root" verify $g >"$T/out" 2>"$T/err" || fail "bkp-restore-static verify $g"
		grep -q 'reported this very generation' "$T/out" || die "it is not compared with the journal: $(cat "$T/out")"
		python3 -I "$SRC_ROOT/restore/rescue.py" extract --identity "$T/id.txt" --root-key "$root" "$T/$m" docs@$g \
			"$T/rescued.$m.$g" ||
			die "rescue.py: generation $g"
	done
done
[ "$(cut -d'"' -f1 <<<"$(sed -n 's/.*"event":"committed".*"epoch":\([0-9]*\).*/\1/p' "$J" | xargs)")" = "3 4 5" ] ||
	die "the generations were not signed in epochs 3, 4, 5"
expect 0 "$BKP" journal verify --root-key "$root"
expect 0 "$BKP" verify
python3 - "$J" "$(repo_of "$T/m1")" "$(repo_of "$T/m2")" <<'P' || die "the heads on the media are not what is recorded"
import hashlib, json, sys
lines = open(sys.argv[1], "rb").read().splitlines()
records = [json.loads(l) for l in lines]
last = [r for r in records if r["event"] == "heads"][-1]
added = {r["medium"] for r in records if r["event"] == "medium-added"}
assert set(last["media"]) == added and len(added) == 2, last
assert hashlib.sha256(lines[last["upto"] - 1]).hexdigest() == last["sha256"], last
for repo in sys.argv[2:]:
    copy = open(repo + "/journal/000001.jsonl", "rb").read().splitlines()
    assert copy == lines[:last["upto"]], repo
P
say "three nights, three keys: each generation verifies from the root key alone by bkp-restore-static, rescue.py, and openssl with minisign"

# ---- what was erased is gone from the disk itself
sync -f "$T/fs"
umount "$T/fs"
python3 - "$T" <<'P' || die "an old secret can still be read from the disk"
import base64, sys
T = sys.argv[1]
disk = open(T + "/disk", "rb").read()
def find(n):
    line = open("%s/secret.%d" % (T, n)).read().strip()
    raw = base64.b64decode(line)[62:126]  # seed and public key
    return [what in disk for what in (line.encode(), line.encode()[90:130], raw, raw[:32])]
root = base64.b64decode(open(T + "/root.key").read().splitlines()[1])[62:94]
assert any(find(5)), "the current key is not found: the search is no good"
for n in (2, 3, 4):
    assert not any(find(n)), "epoch %d: %s" % (n, find(n))
assert root not in disk and base64.b64encode(b"x" * 62 + root)[84:120] not in disk, "the root secret was on this disk"
P
mount -o loop "$T/disk" "$T/fs"
say "the bytes of the three keys erased, and of the root secret, are nowhere on the ext4 the state folder stands on"

# ---- nor in swap, a core dump, a backup of bkp's own
export ASAN_OPTIONS=detect_leaks=0
strace -f -qq -o "$T/trace" -e trace=mlock,mlock2,prctl,prlimit64,setrlimit,openat \
	"$BKP" medium move m1 --operator Sato --place x >/dev/null 2>&1 || die "under strace"
awk '/mlock2?\(.* = 0$/ {locked++} /PR_SET_DUMPABLE, SUID_DUMP_DISABLE|PR_SET_DUMPABLE, 0/ {dump = 1} /RLIMIT_CORE, \{rlim_cur=0/ {core = 1}
	/openat.*secrets.json"/ && !first {first = locked} END {exit !(first && dump && core)}' "$T/trace" ||
	die "secrets are read into memory that is not locked, or the process can be dumped"
[ -z "$(lsattr "$T/fs/state"/signing-*.key | awk '$1 !~ /d/')" ] ||
	die "the signing key is not marked as nothing for dump(8): $(lsattr "$T/fs/state"/signing-*.key)"
unlockable() { setpriv --bounding-set=-ipc_lock --inh-caps=-all prlimit --memlock=0 "$@"; }
expect 0 unlockable "$BKP" medium move m1 --operator Sato --place x
grep -q 'W-STATE-11' "$T/err" && grep -q 'encrypt the swap' "$T/err" || die "that the key may reach swap is not said: $(cat "$T/err")"
expect 0 "$BKP" medium move m1 --operator Sato --place x
[ ! -s "$T/err" ] || die "all is well and something is said: $(cat "$T/err")"
sed "s|paths: .*|paths: [$T/fs]}|" "$T/policy.yaml" >"$T/greedy.yaml"
expect 64 "$BKP" --policy "$T/greedy.yaml" check
grep -q E-POLICY-24 "$T/err" "$T/out" || die "a policy that captures the state folder: $(cat "$T/err")"
say "the key stands in locked memory of a process that is not dumped, or W-STATE-11; its file is marked nodump; no policy captures the" \
	"state folder"

# ---- taken over today: yesterday cannot be altered unnoticed
today=$T/state/signing-5.key
forge() { # MEDIUM: generation 1 there lists something else in its manifest, signed with today's key
	local repo g comment
	repo=$(repo_of "$1") g=$(set_of "$1")/generations/000001
	thaw "$1"
	chmod -R u+w "$g"
	comment=$(sed -n 's/^trusted comment: //p' "$g/SHA256SUMS.minisig")
	[ "${2:-}" = same ] || sed -i 's/"host":"[^"]*"/"host":"forged"/' "$g/manifest.json"
	sed -i "/manifest.json/s/^[0-9a-f]*/$(sha256sum <"$g/manifest.json" | cut -c1-64)/" "$g/SHA256SUMS"
	"$AGETOOL" minisign sign "$today" "$comment" <"$g/SHA256SUMS" >"$g/SHA256SUMS.minisig"
	(cd "$(set_of "$1")" && sha256sum --quiet -c "$g/SHA256SUMS") && signed "$root" "$repo" "$g/SHA256SUMS" ||
		die "the forgery is not as good as it could be"
}
keep() { thaw "$T/m1" "$T/m2"; rm -rf "${T:?}/keep"; mkdir "$T/keep"; cp -a "$T/m1" "$T/m2" "$T/fs/state" "$T/keep/"; [ ! -d "$T/rdx" ] ||
	cp -a "$T/rdx" "$T/keep/"; }
back() {
	thaw "$T/m1" "$T/m2" "$T/rdx"
	rm -rf "$T/m1" "$T/m2" "$T/fs/state"
	cp -a "$T/keep/m1" "$T/keep/m2" "$T/"
	cp -a "$T/keep/state" "$T/fs/"
}
keep
forge "$T/m1"
expect 2 "$BKP" verify --medium m1
grep -q E-VERIFY-12 "$T/err" && grep -q E-VERIFY-13 "$T/err" || die "bkp verify: $(cat "$T/err")"
[ "$(grep -c 'E-VERIFY-1[23]' "$T/err")" = 2 ] || die "others are named as well: $(cat "$T/err")"
expect 2 "$RESTORE" --medium "$T/m1" --root-key "$root" verify 1
grep -q E-VERIFY-12 "$T/err" || die "bkp-restore verify: $(cat "$T/err")"
back; forge "$T/m1" same
expect 2 "$BKP" verify --medium m1
grep -q E-VERIFY-13 "$T/err" && ! grep -q E-VERIFY-12 "$T/err" || die "signed anew, unchanged: $(cat "$T/err")"
rm "$(repo_of "$T/m1")/journal/000001.jsonl"
expect 1 "$RESTORE" --medium "$T/m1" --root-key "$root" verify 1
grep -q 'W-VAULT-11.*carries no journal' "$T/out" || die "that nothing was compared is not said: $(cat "$T/out")"
# the forgery is not spread: from m1 to a disk that has nothing yet
back; mkdir -p "$T/rdx"; "$BKP" medium add RDX-01 >/dev/null 2>&1; keep
forge "$T/m1"; thaw "$T/m2"; rm -rf "$(set_of "$T/m2")/generations/000001"
status "$BKP" rotate --operator Sato
[ "$STATUS" != 0 ] && grep -q E-MIRROR-04 "$T/err" || fail "a forged generation was rotated: $STATUS"
[ ! -e "$(set_of "$T/rdx")/generations/000001" ] || die "the forged generation is on the disk"
thaw "$T/rdx"; rm -rf "$T/rdx"; cp -a "$T/keep/rdx" "$T/rdx"; back
say "a generation of a former night, altered or not and signed anew with today's key: named by bkp verify, by bkp-restore verify, and not" \
	"copied on"

python3 - "$J" "$T/forged.jsonl" "$today" "$AGETOOL" <<'P'
# from the committed record of generation 1 on, everything is written anew and signed with today's key
import base64, hashlib, json, subprocess, sys
lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
seed = base64.b64decode(open(sys.argv[3]).read().splitlines()[1])[62:94]
open(sys.argv[2] + ".der", "wb").write(bytes.fromhex("302e020100300506032b657004220420") + seed)
at = next(i for i, l in enumerate(lines) if '"event":"committed"' in l)
prev, out = None, lines[:at]
for l in lines[at:]:
    o = json.loads(l)
    if o["event"] == "committed" and o["generation"] == 1:
        o["new_bytes"] = 1
    if prev:
        o["prev"] = prev
    del o["sig"]
    body = json.dumps(o, separators=(",", ":"), ensure_ascii=False).encode()
    open(sys.argv[2] + ".m", "wb").write(body)
    sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", sys.argv[2] + ".der", "-keyform", "DER", "-rawin",
                          "-in", sys.argv[2] + ".m"],
                         stdout=subprocess.PIPE, check=True).stdout
    l = body[:-1].decode() + ',"sig":"' + base64.b64encode(sig).decode() + '"}'
    prev = hashlib.sha256(l.encode()).hexdigest()
    out.append(l)
open(sys.argv[2], "w", encoding="utf-8").write("\n".join(out) + "\n")
P
expect 2 "$BKP" journal verify --file "$T/forged.jsonl" --root-key "$root"
grep -q 'E-JOURNAL-04' "$T/err" || die "a rewritten journal: $(cat "$T/err")"
# the same, called what it is: a later epoch's signature
sed 's/"epoch":[34],"sig"/"epoch":5,"sig"/' "$T/forged.jsonl" >"$T/forged2.jsonl"
expect 2 "$BKP" journal verify --file "$T/forged2.jsonl" --root-key "$root"
grep -q 'E-JOURNAL-06' "$T/err" || die "a rewritten journal, honest about its epoch: $(cat "$T/err")"
# what today's key can do: cut today off and write it anew.  Every medium knows better
cp "$J" "$T/true.jsonl"
n=$(grep -n '"event":"epoch"' "$J" | tail -n 1 | cut -d: -f1)
head -n "$n" "$T/true.jsonl" >"$J"
expect 0 "$BKP" journal verify --root-key "$root" --file "$J"
expect 2 "$BKP" journal verify --root-key "$root"
grep -q E-HISTORY-01 "$T/err" || die "cut, against what is attached: $(cat "$T/err")"
expect 2 "$BKP" journal verify --against m1
grep -q E-HISTORY-01 "$T/err" || die "cut, against a medium: $(cat "$T/err")"
cp "$J" "$T/before"
expect 2 "$BKP" run --all
grep -q "E-HISTORY-01: medium 'm1' knows more" "$T/err" || die "a run over a cut journal: $(cat "$T/err")"
cmp "$J" "$T/before" || { tail -n 1 "$J" >&2; die "something was recorded behind a cut journal"; }
for c in "hold docs@1 --reason x" "verify" "expire" "medium move m1 --place x"; do
	case $c in verify) ;; *) c="$c --operator Sato" ;; esac
	# shellcheck disable=SC2086
	expect 2 "$BKP" $c
	grep -q E-HISTORY-01 "$T/err" || die "bkp $c over a cut journal: $(cat "$T/err")"
	cmp "$J" "$T/before" || die "bkp $c recorded something behind a cut journal"
done
rejournal "$T/before" "$J" 9999 "$today" 5 '{"event":"outcome","command":"run","exit":0,"line":"x"}'
expect 2 "$BKP" journal verify --against "$T/m2"
grep -q 'E-HISTORY-03' "$T/err" || die "cut and gone on: $(cat "$T/err")"
back
say "records of former nights cannot be signed anew; today's, cut off, are missed by every medium: nothing is recorded then"

# ---- what a thief of a former day's key can do: a copy of the state folder from before the night whose key is the newest
rejournal "$J" "$T/f" 9999 "$T/state.2/signing-4.key" 4 '{"event":"outcome","command":"run","exit":0,"line":"x"}'
journal_is() { # WHAT CODE LINE: $T/f is refused for that
	expect 2 "$BKP" journal verify --file "$T/f" --root-key "$root"
	grep -q "$2: .*line $3 " "$T/err" || die "$1: $(cat "$T/err")"
}
last=$(($(wc -l <"$J") + 1))
journal_is "a former key's record at the end" E-JOURNAL-09 $last
sed -i '$s/"epoch":4,"sig"/"epoch":5,"sig"/' "$T/f"
journal_is "the same, lying about its epoch" E-JOURNAL-04 $last
"$AGETOOL" minisign gen "$T/thief.pub" "$T/thief.key" >/dev/null
# the hostile lines: a key nobody named, one that names itself, another repository's record under the true key
rejournal "$J" "$T/f" 9999 "$T/thief.key" 5 '{"event":"epoch","key":"@'"$T/thief.key"'"}'
journal_is "a forged epoch" E-JOURNAL-04 $last
rejournal "$J" "$T/f" 9999 "$T/thief.key" 6 '{"event":"note"}'
journal_is "a key that nobody named" E-JOURNAL-06 $last
rejournal "$J" "$T/f" 9999 "$today" 5 '{"event":"epoch","next":7,"key":"@'"$T/thief.key"'"}'
journal_is "an epoch left out" E-JOURNAL-10 $last
rejournal "$J" "$T/f" 9999 "$today" 5 '{"event":"note","repository":"00000000-0000-4000-8000-000000000000"}'
journal_is "a record of another repository" E-JOURNAL-05 $last
mkdir -p "$T/other" "$T/o1" "$T/o2"
sed "s|$T/fs/state|$T/other/state|; s|$T/m1|$T/o1|; s|$T/m2|$T/o2|" "$T/policy.yaml" >"$T/other.yaml"
expect 0 "$BKP" --policy "$T/other.yaml" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r" --quiet
cp "$T/other/state/journal/000001.jsonl" "$T/f"
journal_is "another repository's journal" E-JOURNAL-04 1
# the fork: it is the true journal up to the theft, then the thief's own.  By itself it verifies, every medium contradicts it
thaw "$T/m1" "$T/m2"; keep
n=$(grep -n '"event":"epoch"' "$J" | tail -n 1 | cut -d: -f1)
rejournal "$J" "$T/fork" $((n - 1)) "$T/state.2/signing-4.key" 4 '{"event":"epoch","key":"@'"$T/thief.key"'"}' \
	'{"event":"outcome","command":"run","exit":0,"line":"all is well"}'
expect 0 "$BKP" journal verify --file "$T/fork" --root-key "$root"
for m in m1 m2; do
	expect 2 "$BKP" journal verify --file "$T/fork" --against "$T/$m"
	grep -q "E-HISTORY-03.*from record $n on" "$T/err" || die "a fork against $m: $(cat "$T/err")"
done
# brought to one medium with its own keys, and a generation of the stolen epoch: the host and the other medium tell
repo=$(repo_of "$T/m1")
cp "$T/fork" "$repo/journal/000001.jsonl"
chmod u+w "$repo/keys.jsonl"; grep '"event":"epoch"' "$T/fork" >"$repo/keys.jsonl"
expect 2 "$BKP" journal verify --against m1
grep -q E-HISTORY-03 "$T/err" || die "a fork on m1: $(cat "$T/err")"
status "$BKP" run --all
[ "$STATUS" != 0 ] && grep -q 'E-PUBLISH-0[57]' "$T/err" || die "a run beside a fork: exit $STATUS: $(cat "$T/err")"
cmp -s "$T/fork" "$repo/journal/000001.jsonl" || die "the proof on m1 was written over"
back
# today's key on a medium's copy: a former generation that is begun once more there stays what it was
repo=$(repo_of "$T/m1")
rejournal "$repo/journal/000001.jsonl" "$T/f" 9999 \
	"$today" 5 '{"event":"begin","run":1,"uuid":"00000000-0000-4000-8000-000000000000","datasets":["docs"]}'
cp "$T/f" "$repo/journal/000001.jsonl"
expect 0 "$RESTORE" --medium "$T/m1" --root-key "$root" verify docs@1
grep -q 'reported this very generation' "$T/out" || die "a second begin: $(cat "$T/out" "$T/err")"
back
# generations: of the epoch that was stolen the manifest tells, of a later one the epoch as well; nothing of it is believed
sign_3=$today; today=$T/state.2/signing-4.key
forge_generation() { # NUMBER: as forge(), of that generation, on m1
	sed "s|generations/000001|generations/00000$1|" <<<"$(declare -f forge)" >"$T/forge.sh"
	# shellcheck disable=SC1091
	(. "$T/forge.sh"; forge "$T/m1")
}
forge_generation 3
expect 2 "$BKP" verify --medium m1
grep -q E-VERIFY-12 "$T/err" && grep -q 'E-VERIFY-13.*begun in epoch 5.*key of epoch 4' "$T/err" ||
	die "a later generation under a former key: $(cat "$T/err")"
back; forge_generation 2
expect 2 "$BKP" verify --medium m1
grep -q E-VERIFY-12 "$T/err" && ! grep -q E-VERIFY-13 "$T/err" || die "a generation of the stolen epoch: $(cat "$T/err")"
expect 2 "$RESTORE" --medium "$T/m1" --root-key "$root" verify 2
today=$sign_3; back
# keys.jsonl with a key that nobody named, or of another repository: said, not followed, mended
for f in "$T/thief.links" "$T/other.links"; do
	back; repo=$(repo_of "$T/m1"); chmod u+w "$repo/keys.jsonl"
	rejournal "$J" "$T/thief.journal" 9999 "$T/thief.key" 5 '{"event":"epoch","key":"@'"$T/thief.key"'"}'
	grep '"event":"epoch"' "$T/thief.journal" >"$T/thief.links"
	grep '"event":"epoch"' "$T/other/state/journal/000001.jsonl" >"$T/other.links"
	cp "$f" "$repo/keys.jsonl"
	expect 2 "$RESTORE" --medium "$T/m1" --root-key "$root" verify 3
	grep -q E-REPO-05 "$T/err" || die "forged keys are not said: $(cat "$T/err")"
	expect 1 "$RESTORE" --medium "$T/m1" --root-key "$root" generations # what it could do was done, and a person should look
	expect 1 "$BKP" run --all
	grep -q "W-DOCS-05: .*/keys.jsonl'" "$T/err" || die "forged keys are mended without a word: $(cat "$T/err")"
	grep '"event":"epoch"' "$J" | cmp - "$repo/keys.jsonl" || die "forged keys were not mended"
done
back
say "a former day's key: it signs neither records nor generations of later days; the fork it can begin verifies by itself only, and each" \
	"medium, and the host, contradict it; forged, skipped, foreign links are refused"

# ---- cut back, and any one medium remembers
keep; mv "$T/keep" "$T/keep.0"
expect 0 "$BKP" rotate --operator Sato
expect 0 "$BKP" run --all
thaw "$T/m1" "$T/m2" "$T/rdx"; keep
cut=$(($(wc -l <"$(repo_of "$T/rdx")/journal/000001.jsonl") - 2))
for m in m1 m2 rdx; do
	# the host and all media but this one are cut alike, by somebody who holds them all
	back; rm -rf "$T/rdx"; cp -a "$T/keep/rdx" "$T/rdx"
	head -n $cut "$J" >"$T/x"; cat "$T/x" >"$J"
	for o in m1 m2 rdx; do [ "$o" = "$m" ] || cp "$T/x" "$(repo_of "$T/$o")/journal/000001.jsonl"; done
	expect 0 "$BKP" journal verify --root-key "$root" --file "$J"
	expect 2 "$BKP" journal verify --against "$T/$m"
	grep -q E-HISTORY-01 "$T/err" || die "cut, against $m: $(cat "$T/err")"
	cp "$J" "$T/before"
	case $m in rdx) expect 2 "$BKP" rotate --operator Sato ;; *) expect 2 "$BKP" run --all ;; esac
	grep -q "E-HISTORY-01" "$T/err" || die "only $m remembers: $(cat "$T/err")"
	cmp "$J" "$T/before" || die "only $m remembers, and something was recorded"
	# an old copy of the whole state folder, likewise, of a day when there was no disk kept offline yet
	[ "$m" != rdx ] || continue
	rm -rf "$T/fs/state"; cp -a "$T/state.2" "$T/fs/state"
	for o in m1 m2; do
		[ "$o" != "$m" ] || continue
		cp "$J" "$(repo_of "$T/$o")/journal/000001.jsonl"
		cp "$(repo_of "$T/m1.2")/keys.jsonl" "$(repo_of "$T/$o")/"
	done
	cp "$J" "$T/before"
	expect 2 "$BKP" run --all
	grep -q "E-HISTORY-01" "$T/err" || die "an old state folder, only $m remembers: $(cat "$T/err")"
	cmp "$J" "$T/before" || die "an old state folder, only $m remembers, and something was recorded"
done
rm -rf "$T/keep"; mv "$T/keep.0" "$T/keep"
back; rm -rf "$T/rdx"; cp -a "$T/keep/rdx" "$T/rdx"
say "host and all media but one cut back alike, or put back to an old day: whichever one remembers is enough, for run, rotate and journal" \
	"verify; nothing is recorded"

# ---- an old state folder
thaw "$T/m1" "$T/m2"; keep
rm -rf "$T/fs/state"; cp -a "$T/state.2" "$T/fs/state"
cp "$J" "$T/before"; only_key >"$T/key.before"
night 2
grep -q 'E-HISTORY-01' "$T/err" || die "an old state folder: $(cat "$T/err")"
grep -q 'bring its newest one back' "$T/err" || die "an old state folder: what to do is not said"
expect 2 "$BKP" rotate --operator Sato
cmp "$J" "$T/before" && [ "$(only_key)" = "$(cat "$T/key.before")" ] || die "an old state folder was written to"
# the media's journals are gone, the keys are not
for m in m1 m2; do rm "$(repo_of "$T/$m")/journal/000001.jsonl"; done
night 2
grep -q 'E-HISTORY-01.*list of keys' "$T/err" || die "an old state folder, no journals: $(cat "$T/err")"
cmp "$J" "$T/before" || die "an old state folder was written to"
# its journal brought back from a medium, its key of former days: a mixture
cp "$T/keep/state/journal/000001.jsonl" "$J"
night 2
grep -q E-STATE-08 "$T/err" || die "a mixture: $(cat "$T/err")"
back
say "an old copy of the state folder: neither run nor rotate records anything, by journal or by keys; a mixture of two days is refused"

# ---- a medium's copies, cut, rewritten, damaged
repo=$(repo_of "$T/m1")
sed -i '$d' "$repo/journal/000001.jsonl"
expect 1 "$BKP" journal verify --against m1
grep -q W-HISTORY-02 "$T/err" || die "a cut copy, by hand: $(cat "$T/err")"
expect 1 "$BKP" run --all
grep -q 'W-HISTORY-02: m1: ' "$T/err" || die "a cut copy: $(cat "$T/err")"
[ "$(grep -c '"event":"history".*"found":"truncated"' "$J")" = 1 ] || die "the cut is not recorded"
expect 0 "$BKP" run --all
expect 0 "$BKP" journal verify --against m1
rm "$repo/journal/000001.jsonl"
expect 1 "$BKP" run --all
grep -q 'W-HISTORY-02: m1: .* has 0 records' "$T/err" || die "a copy that is gone: $(cat "$T/err")"
sed -i '4s/"by":"/"by":"x/' "$repo/journal/000001.jsonl"
for i in 1 2; do
	expect 1 "$BKP" run --all
	grep -q 'E-PUBLISH-05' "$T/err" || die "a rewritten copy: $(cat "$T/err")"
done
[ "$(grep -c '"event":"history".*"found":"forked","line":4' "$J")" = 1 ] ||
	die "the rewriting is not recorded once: $(grep '"history"' "$J")"
expect 2 "$BKP" journal verify --against m1
expect 1 "$RESTORE" --medium "$T/m1" --root-key "$root" verify 3
grep -q 'is not valid' "$T/out" || die "bkp-restore does not say that the journal is damaged: $(cat "$T/out")"
cp "$(repo_of "$T/m2")/journal/000001.jsonl" "$repo/journal/000001.jsonl"
expect 0 "$BKP" run --all
# the list of keys
chmod u+w "$repo/keys.jsonl"
sed -i '2s/"by":"/"by":"x/' "$repo/keys.jsonl"
expect 2 "$RESTORE" --medium "$T/m1" --root-key "$root" verify 3
grep -q E-REPO-05 "$T/err" || die "a damaged list of keys is not said: $(cat "$T/err")"
rm "$repo/keys.jsonl"
expect 1 "$RESTORE" --medium "$T/m1" --root-key "$root" verify 3
grep -q E-REPO-04 "$T/err" || die "a missing list of keys is not said: $(cat "$T/err")"
expect 0 "$BKP" run --all
grep '"event":"epoch"' "$J" | cmp - "$repo/keys.jsonl" || die "the list of keys was not mended"
say "a medium's copy of the journal that was cut, removed or rewritten is said, recorded once and never replaced if it is another; its" \
	"list of keys is mended"

# ---- killed at every step of a change of epochs
export ASAN_OPTIONS=detect_leaks=0
keep
night_clock FAKECLOCK=$((30 * 86400))
n=$(sed -n 's/.*signing-\([0-9]*\).key.*/\1/p' <<<"$(only_key)")
calls=openat,write,pwrite64,fsync,fdatasync,unlinkat,renameat,renameat2,ftruncate,ioctl,close
strace -f -qq -o "$T/trace" -E "LD_PRELOAD=$FAKE" -E "FAKECLOCK=$((30 * 86400))" -e trace=$calls "$BKP" run --all >/dev/null 2>&1 ||
	die "under strace"
main=$(head -n 1 "$T/trace" | cut -d' ' -f1)
sed -n "s/^$main *\([a-z0-9_]*(.*\)/\1/p" "$T/trace" |
	awk -F'(' -v first="signing-$((n + 1)).key" -v last="unlinkat.*signing-$n.key" '
		{c[$1]++} index($0, first) && /O_CREAT/ {on = 1} on {print $1 ":" c[$1]}
		on && $0 ~ last {rest = 12; } rest && !--rest {exit}' >"$T/points"
total=$(wc -l <"$T/points")
[ "$total" -gt 20 ] || die "only $total points in a change of epochs"
died=0 both=0
while read -r point <&3; do
	back
	call=${point%:*} k=${point#*:}
	{ status strace -qq -o /dev/null -E "LD_PRELOAD=$FAKE" -E "FAKECLOCK=$((30 * 86400))" -e trace="$call" \
		-e inject="$call:signal=KILL:when=$k" "$BKP" run --all; } 2>/dev/null
	[ "$STATUS" != 137 ] || died=$((died + 1))
	[ "$(only_key | wc -w)" = 1 ] || both=$((both + 1))
	"$BKP" journal verify --quiet --root-key "$root" || [ $? = 1 ] || die "killed at $point: the journal"
	night 0
	case $(only_key) in signing-$((n + 1)).key | signing-$((n + 2)).key) ;; *) die "killed at $point: keys: $(only_key)" ;; esac
	"$BKP" journal verify --quiet --root-key "$root" || die "killed at $point: the journal behind the next run"
	for m in m1 m2; do
		grep '"event":"epoch"' "$J" | cmp - "$(repo_of "$T/$m")/keys.jsonl" || die "killed at $point: keys.jsonl of $m"
		"$RESTORE" --quiet --medium "$T/$m" --root-key "$root" verify "$G" >/dev/null 2>"$T/err" ||
			fail "killed at $point: generation $G on $m" "$T/err"
	done
done 3<"$T/points"
[ "$died" -gt $((total * 8 / 10)) ] || die "only $died of $total points killed the run: the test does not test"
[ "$both" -gt 2 ] || die "the moments with two keys were not hit"
say "SIGKILL before each of $total calls of a change of epochs ($died died, $both of them with two keys in the folder): the next run goes" \
	"on unaided, one key is left, every reader follows the chain"
umount "$T/fs"
