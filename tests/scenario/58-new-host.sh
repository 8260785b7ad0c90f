#!/bin/bash
# Goal: the capturing host is lost.  On another computer its repository goes on: from a medium, with the secrets that somebody who
# holds a key made from it, under the root key; what is stored is not stored again, old generations open, and what the former host
# signs from now on is not taken.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/keys.sh"
ROOT_KEY=$T/root.key
mkdir "$T/src" "$T/m1" "$T/m2"
head -c 20000000 /dev/urandom >"$T/src/big"
seq 50000 >"$T/src/a"
for who in incho jimucho stranger; do age-keygen -o "$T/$who.txt" 2>/dev/null; done
r() { age-keygen -y "$T/$1.txt"; }
cp "$T/incho.txt" "$T/id.txt"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
"$BKP" init --recipient "incho=$(r incho)" --recipient "jimucho=$(r jimucho)" --root-key-out "$ROOT_KEY" >"$T/init.out"
for m in m1 m2; do "$BKP" medium add $m >/dev/null 2>&1; done
night() { date +%N >"$T/src/b"; "$BKP" --quiet run --all; }
night
night
# a second period, so that keys/ has a history
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/incho.txt" key remove jimucho --to "$T/less" >/dev/null
c=$(jq -r '"bkp:1 kind=period repository=\(.repository) period=\(.period) revision=\(.revision)"' "$T/less/period.json")
minisign -S -s "$ROOT_KEY" -m "$T/less/period.json" -t "$c" >/dev/null
"$BKP" key remove jimucho --from "$T/less" --operator Sato >/dev/null
night
# two more policies, so that what was is judged by that of then
sleep 1
then=$(date '+%Y-%m-%dT%H:%M:%S%:z')
sleep 1
for title in 文書その二 文書その三; do
	sed -i "s/title: [^,]*,/title: $title,/" "$T/policy.yaml"
	night
done
mv "$T/state" "$T/lost" # the host is gone; what it was stands here only to play its thief
before=$(du -sb "$(set_of "$T/m1")/archives" | cut -f1)
from() { "$RESTORE" --quiet --medium "$T/m1" --identity "$T/$1.txt" key host --to "$2"; }

# --- what is refused
! "$RESTORE" --medium "$T/m1" --identity "$T/stranger.txt" key host --to "$T/s0" >"$T/out" 2>"$T/err" || die "a stranger makes secrets"
expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/incho.txt" key host --to "$T/m2/x"
said E-KEY-07
from incho "$T/s"
[ "$(stat -c %a "$T/s/secrets.json")" = 600 ] || die "others can read it"
age -d -i "$T/incho.txt" "$(repo_of "$T/m1")/keys/2/incho.age" >"$T/p2"
age -d -i "$T/p2" "$(repo_of "$T/m1")/keys/2/previous.age" >"$T/p1"
age -d -i "$T/p1" "$(repo_of "$T/m1")/repository.age" | cmp - "$T/s/secrets.json" || die "not what stock age finds in repository.age"
go_on() { "$BKP" init --continue "$T/m1" --continue "$T/m2" --secrets "${2:-$T/s/secrets.json}" --root-key "$1" --operator Sato; }
minisign -G -W -f -p "$T/other.pub" -s "$T/other.key" >/dev/null 2>&1
expect 2 go_on "$T/other.key"
said 'E-VAULT-0[23]'
sed 's/"repository":"......../"repository":"00000000/' "$T/s/secrets.json" >"$T/s/foreign.json"
expect 2 go_on "$ROOT_KEY" "$T/s/foreign.json"
said E-CONTINUE-02
expect 64 "$BKP" init --continue "$T/m1" --root-key "$ROOT_KEY"
repo1=$(repo_of "$T/m1")
thaw "$repo1"
cp -a "$repo1/repository.age" "$T/age.was"
chmod u+w "$repo1/repository.age"
printf x >>"$repo1/repository.age"
expect 2 go_on "$ROOT_KEY"
said E-CONTINUE-03
cp -a --remove-destination "$T/age.was" "$repo1/repository.age"
j2=$(repo_of "$T/m2")/journal
thaw "$j2"
cp -a "$j2" "$T/j2"
sed -i '5s/"seq"/"sEq"/' "$j2/000001.jsonl"
expect 2 go_on "$ROOT_KEY"
said 'E-JOURNAL|E-CONTINUE-01'
rm -r "$j2" && cp -a "$T/j2" "$j2"
[ ! -e "$T/state" ] && [ -z "$(find "$T" -maxdepth 1 -name '.state.new' -prune -exec find {} -type f \;)" ] ||
	die "what was refused left something behind"
say "a stranger, another root key, another repository's secrets, another repository.age, a journal that was rewritten:" \
	"refused, and nothing is left behind"

# --- it goes on; the texts of policies come from whichever medium has them as they were
first=$(jq -r 'select(.event == "policy") | .sha256' "$T/lost/journal/000001.jsonl" | head -n 1)
second=$(jq -r 'select(.event == "policy") | .sha256' "$T/lost/journal/000001.jsonl" | sed -n 2p)
thaw "$repo1" "$(repo_of "$T/m2")"
chmod u+w "$repo1/policy/$first.yaml" && printf x >>"$repo1/policy/$first.yaml"
cp "$repo1/policy/$second.yaml" "$T/second.yaml"
rm "$repo1/policy/$second.yaml" "$(repo_of "$T/m2")/policy/$second.yaml"
expect 0 go_on "$ROOT_KEY"
said 'epoch'
said 'texts of 1 former policies are on none of these media'
(cd "$T/lost/policies" && for p in *; do [ "$p" = "$second.yaml" ] || cmp "$p" "$T/state/policies/$p"; done) || die "the texts of policies"
[ ! -e "$T/state/policies/$second.yaml" ] || die "a text from nowhere"
cp "$T/second.yaml" "$T/state/policies/$second.yaml"
status "$BKP" status --at "$then"
! grep -q W-STATUS-01 "$T/err" || fail "what was is not judged by the policy of then"
said '文書'
expect 2 go_on "$ROOT_KEY"
said E-STATE-05
[ "$(stat -c %a "$T/state")" = 700 ] || die "mode of the state folder"
expect 0 "$BKP" journal verify
jq -se 'map(select(.event == "epoch")) | last | .continued == true and .operator == "Sato"' "$T"/state/journal/*.jsonl >/dev/null ||
	die "the journal does not say that another host goes on"
date +%N >"$T/src/b"
expect 1 "$BKP" run --all # what the guard remembered went with the former host
said W-GUARD-01
after=$(du -sb "$(set_of "$T/m1")/archives" | cut -f1)
[ $((after - before)) -lt 2000000 ] || die "what was stored is stored again: $((after - before)) bytes more"
expect 0 "$BKP" verify
expect 0 "$BKP" verify --identity "$T/incho.txt"
for g in 1 2 3 6; do
	rm -rf "$T/out.d"
	expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/incho.txt" extract "docs@$g" --to "$T/out.d"
done
diff -r "$T/src" "$T/out.d$T/src" || die "another tree"
python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/incho.txt" "$T/m2" docs@6 "$T/rescued" >"$T/out" 2>&1 || fail "rescue.py"
diff -r "$T/src" "$T/rescued$T/src" || die "rescue.py: another tree"
expect 1 "$BKP" status # two folders of one disk: what it says of 3-2-1 is not this test's
said "1 of 1 good"
root=$(sed -n 's/^root public key: *//p' "$T/init.out")
signed "$root" "$(repo_of "$T/m1")" "$(set_of "$T/m1")/generations/000006/SHA256SUMS" || die "openssl does not find who signed it"
sed -n '/^## 2/,/^## 3/{/^```sh/,/^```$/p}' "$SRC_ROOT/docs/ja/audit.md" | grep -v '^```' >"$T/audit"
# shellcheck disable=SC2030,SC2034 # the block reads them
(ROOT=$root W=$T/w J=$T/j && mkdir "$W" && cat "$T"/state/journal/*.jsonl >"$J" && . "$T/audit") >"$T/out" 2>&1
said '^○ '
say "another host goes on: $((after - before)) bytes more for a night, all generations verify, open, and are read by rescue.py"

# --- the former host, or its thief, is not taken for it any more
sed "s|$T/state|$T/lost|" "$T/policy.yaml" >"$T/lost.yaml"
date +%N >"$T/src/b"
! "$BKP" --policy "$T/lost.yaml" --quiet run --all >"$T/out" 2>"$T/err" || die "the former host goes on"
said E-HISTORY-01
expect 0 "$BKP" verify

# --- nobody but the root key can do this, and it can do nothing else: a record of another key, a record of another event
python3 - "$T" "$SRC_ROOT" <<'P' || fail "what only the root key may say"
import base64, hashlib, json, os, subprocess, sys
T, src = sys.argv[1:]
lines = open(T + "/state/journal/000001.jsonl", "rb").read().splitlines()
def seed(path): # of a minisign secret key without a password
    return base64.b64decode(open(path).read().splitlines()[1])[62:94]
def sign(body, secret):
    open(T + "/der", "wb").write(bytes.fromhex("302e020100300506032b657004220420") + secret)
    open(T + "/msg", "wb").write(body)
    out = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", T + "/der", "-keyform", "DER", "-rawin", "-in", T + "/msg"],
                         capture_output=True, check=True).stdout
    return body[:-1] + b',"sig":"' + base64.b64encode(out) + b'"}'
n = next(i for i, l in enumerate(lines) if b'"continued":true' in l)
was = json.loads(lines[n])
def verdict(line):
    os.makedirs(T + "/forged/journal", exist_ok=True)
    open(T + "/forged/journal/000001.jsonl", "wb").write(b"\n".join(lines[:n] + [line, b""]))
    return subprocess.run([os.environ["BKP_BIN"] + "/bkp", "journal", "verify", "--file", T + "/forged/journal", "--root-key",
                           was_root], capture_output=True, text=True)
was_root = json.loads(lines[0])["root_key"]
body = lines[n].rpartition(b',"sig":"')[0] + b"}"
assert verdict(lines[n]).returncode == 0, verdict(lines[n])
assert verdict(sign(body, seed(T + "/root.key"))).returncode == 0
r = verdict(sign(body, seed(T + "/other.key")))
assert r.returncode and "E-JOURNAL-04" in r.stderr, r
other = body.replace(b'"event":"epoch"', b'"event":"hatch"')
r = verdict(sign(other, seed(T + "/root.key")))
assert r.returncode and "E-JOURNAL-04" in r.stderr, r
P
say "the former host is refused by every medium"
