#!/bin/bash
# Goal: what 'bkp init' and 'bkp medium add' leave behind can be checked and opened with stock tools only (age, minisign,
# sha256sum, openssl), is closed to others, is made once, and is whole or not there when the program is killed at any point.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/keys.sh"
typed() { python3 "$SRC_ROOT/tests/lib/typed.py" "$@"; }
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
pass='correct horse 電池 staple'
mkdir -p "$T/src" "$T/m1" "$T/m2"
site_policy "  - {name: docs, paths: [$T/src]}"

# opens IDENTITY: the host's secrets, by stock age: a person's identity opens that of the period, and that opens repository.age
opens() {
	local f
	for f in "$T"/state/keys/1/*.age; do
		! age -d -i "$1" "$f" >"$T/period" 2>/dev/null || break
	done
	age -d -i "$T/period" "$T/state/repository.age"
}

# --- refused before anything is made
expect 64 "$BKP" init
grep -q age-keygen "$T/err" || die "no recipient: it does not say how to make one"
expect 64 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient age1notarecipient
expect 3 "$BKP" generations
[ ! -e "$T/state" ] || die "a refused init made something"

# --- with identities made elsewhere
age-keygen -o "$T/id.txt" 2>/dev/null
age-keygen -o "$T/id2.txt" 2>/dev/null
r1=$(age-keygen -y "$T/id.txt") r2=$(age-keygen -y "$T/id2.txt")
expect 64 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r1" --recipient "$r1"
expect 0 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --json --recipient "$r1" --recipient "$r2"
root=$(field "$T/out" root_key) id=$(field "$T/out" repository)
[ "$(stat -c %a "$T/state")" = 700 ] || die "mode of the state folder"
for f in secrets.json secrets.json.minisig signing-2.key journal/000001.jsonl lock; do
	[ "$(stat -c %a "$T/state/$f")" = 600 ] || die "mode of $f"
done
find "$T/state" -type f ! -path "*/journal/*" -exec sha256sum {} + | sort >"$T/sums"
cp "$T/state/journal/000001.jsonl" "$T/before.jsonl"
expect 2 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r1"
grep -q E-STATE-05 "$T/err" || die "a second init: no clear refusal"
expect 2 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/never" --plain-identity
[ ! -e "$T/never" ] || die "a refused init left an identity"
find "$T/state" -type f ! -path "*/journal/*" -exec sha256sum {} + | sort | cmp -s - "$T/sums" || die "a second init changed something"
head -c "$(stat -c %s "$T/before.jsonl")" "$T/state/journal/000001.jsonl" | cmp -s - "$T/before.jsonl" ||
	die "a second init changed the journal"
[ "$(tail -n +"$(($(wc -l <"$T/before.jsonl") + 1))" "$T/state/journal/000001.jsonl" |
	grep -c '"event":"outcome","command":"init","exit":2')" = 2 ] ||
	die "that somebody tried to init again is not recorded"
for i in id id2; do
	opens "$T/$i.txt" >"$T/plain" || die "age does not open repository.age"
	cmp -s "$T/plain" "$T/state/secrets.json" || die "repository.age is not the secrets"
done
say "init with two stock age recipients: modes 0700/0600, refused twice, recorded, without another trace, age -d gives the secrets to both"

# --- media
expect 0 "$BKP" medium add m1
expect 0 "$BKP" medium add m2
record outcome | grep -q '"command":"medium add","exit":0,"line":"medium .m2. is registered"' ||
	die "the outcome is not recorded: $(record outcome)"
lines=$(wc -l <"$T/state/journal/000001.jsonl")
expect 0 "$BKP" medium add m1
grep -q 'already' "$T/out" || die "adding twice does not say so"
[ "$(wc -l <"$T/state/journal/000001.jsonl")" = "$lines" ] || die "adding twice wrote a record"
(cd "$T/m1" && minisign -V -P "$(signer "$root" "$T/m1/$id" bkp-medium.json)" -m bkp-medium.json) >"$T/out" ||
	die "minisign: bkp-medium.json"
grep -qx "Trusted comment: bkp:1 kind=medium repository=$id" "$T/out" || die "trusted comment of a medium"
(cd "$T/m1/$id" && minisign -V -P "$root" -m repository.json) >"$T/out" || die "minisign: repository.json"
grep -qx "Trusted comment: bkp:1 kind=repository repository=$id" "$T/out" || die "trusted comment of a repository"
for f in repository.json repository.json.minisig repository.age; do
	cmp -s "$T/state/$f" "$T/m2/$id/$f" || die "$f on the medium differs"
done
[ -z "$(find "$T/m1" "$T/m2" -type f ! -perm 0444)" ] || die "a file on a medium can be written"
expect 2 flock "$T/state/lock" "$BKP" medium add m1
grep -q E-STATE-02 "$T/err" || die "a second program: no clear refusal"
chmod 640 "$T/state/secrets.json"
expect 2 "$BKP" medium add m1
grep -q 'chmod 600' "$T/err" || die "readable secrets: the command to close them is not named"
chmod 600 "$T/state/secrets.json"
mv "$T/m1" "$T/m1.away"; mkdir "$T/m1"
expect 2 "$BKP" medium add m1
[ -z "$(ls -A "$T/m1")" ] || die "the mount point of a registered medium was written to"
rmdir "$T/m1"; mv "$T/m1.away" "$T/m1"
say "medium add: signed identity by minisign -V, files 0444, one program at a time, an unmounted medium stays untouched"

# --- another repository's medium, a forged one
mkdir "$T/other" "$T/m3"
sed "s|$T/state|$T/other/state|; s|$T/m1|$T/m3|" "$T/policy.yaml" >"$T/other.yaml"
expect 0 "$BKP" --policy "$T/other.yaml" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r1"
cp -a "$T/m1/." "$T/m3/"
expect 2 "$BKP" --policy "$T/other.yaml" medium add m1
grep -q E-MEDIA-02 "$T/err" || die "a foreign medium: no clear refusal"
other=$(python3 -c 'import json,sys; print(json.loads(open(sys.argv[1]).readline())["repository"])' "$T/other/state/journal/000001.jsonl")
chmod u+w "$T/m3/bkp-medium.json"
sed -i "s/$id/$other/" "$T/m3/bkp-medium.json"
expect 2 "$BKP" --policy "$T/other.yaml" medium add m1
grep -q E-MEDIA-03 "$T/err" || die "a forged medium: no clear refusal"
say "a medium of another repository and one with a forged identity are refused"

# --- the journal, by hand, exactly as docs/format.md says
check_by_hand() { # JOURNAL
	local prev n=0 line key=$root epoch=1
	prev=$(printf '0%.0s' $(seq 64))
	while IFS= read -r line; do
		n=$((n + 1))
		[ "$(printf %s "$line" |
			python3 -c 'import json,sys; o=json.load(sys.stdin); print(o["seq"], o["prev"], o["epoch"], o["repository"])')" \
			= "$n $prev $epoch $id" ] || return 1
		printf %s "$line" | sed 's/,"sig":"[^"]*"}$/}/' | tr -d '\n' >"$T/signed"
		printf %s "$line" | sed 's/.*,"sig":"\([^"]*\)"}$/\1/' | base64 -d >"$T/sig"
		{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; printf %s "$key" | base64 -d | tail -c 32; } >"$T/key.der"
		openssl pkeyutl -verify -pubin -keyform DER -inkey "$T/key.der" -rawin -in "$T/signed" -sigfile "$T/sig" >/dev/null ||
			return 1
		prev=$(printf %s "$line" | sha256sum | cut -d' ' -f1)
		case $line in *',"event":"epoch",'*)
			epoch=$((epoch + 1))
			key=$(printf %s "$line" | sed 's/.*,"key":"\([^"]*\)".*/\1/') ;;
		esac
	done <"$1"
	echo "$n $prev"
}
head=$(check_by_hand "$T/state/journal/000001.jsonl") || die "the journal does not verify by hand"
expect 0 "$BKP" journal verify --json --root-key "$root"
[ "$(field "$T/out" records) $(field "$T/out" head)" = "$head" ] || die "bkp and sha256sum see different heads"
cp "$T/state/journal/000001.jsonl" "$T/copy.jsonl"
printf '%s\n' "$root" >"$T/root.pub"
(cd / && env -u BKP_POLICY "$BKP" journal verify --file "$T/copy.jsonl" --root-key "$T/root.pub") >/dev/null ||
	die "verify of a copy, without state or policy"
n=$(grep -n -m 1 medium-added "$T/copy.jsonl" | cut -d: -f1)
sed -i "${n}s/\"offline\":false/\"offline\":true /" "$T/copy.jsonl"
expect 2 "$BKP" journal verify --file "$T/copy.jsonl" --root-key "$root"
grep -q "line $n" "$T/err" || die "the damaged line is not named"
sed 2d "$T/state/journal/000001.jsonl" >"$T/copy.jsonl"
expect 2 "$BKP" journal verify --file "$T/copy.jsonl" --root-key "$root"
other_root=$(python3 -c 'import json,sys; print(json.loads(open(sys.argv[1]).readline())["root_key"])' \
	"$T/other/state/journal/000001.jsonl")
expect 2 "$BKP" journal verify --root-key "$other_root"
printf '{"seq":5,"ti' >>"$T/state/journal/000001.jsonl"
expect 1 "$BKP" journal verify
expect 0 "$BKP" medium add m1
expect 0 "$BKP" journal verify
[ "$(check_by_hand "$T/state/journal/000001.jsonl")" = "$head" ] || die "cutting off a torn record changed another one"
expect 0 "$BKP" journal show --json
[ "$(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))["records"]))' "$T/out")" \
	= "$(wc -l <"$T/state/journal/000001.jsonl")" ] || die "journal show --json"
say "the journal verifies by sha256sum and openssl alone; a changed, missing, foreign or torn record is told apart"

# --- an identity made here
rm -rf "$T/state" "$T/m1" "$T/m2"; mkdir "$T/m1" "$T/m2"
expect 2 typed short short13 "only letters" -- "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made"
grep -q '13 characters' "$T/out" || die "a weak passphrase: the rule is not told"
expect 2 typed aaaaaaaaaaaaa abcabcabcabca 1234567890123 -- "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made"
grep -q 'repeats itself' "$T/out" && grep -q 'rows of' "$T/out" || die "a weak passphrase: the reason is not told"
expect 2 typed テスト診療所テスト診療所1 qwertyuiopasdf byouin-password -- "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made"
[ ! -e "$T/made" ] || die "a weak passphrase was taken"
status typed "$pass" "another passphrase" "$pass" "another passphrase" "$pass" "another passphrase" -- \
	"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made"
[ "$STATUS" = 2 ] || { cat "$T/out"; die "two different entries: exit $STATUS"; }
expect 130 typed "$pass" ^C -- "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made"
[ ! -e "$T/made" ] || die "an interrupted init left an identity"
[ ! -e "$T/state" ] || die "an interrupted init left something"
expect 2 setsid -w "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made" </dev/null
grep -q -- --passphrase-file "$T/err" || die "without a terminal: no way out is named"
expect 0 typed "$pass" "$pass" -- "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made"
[ "$(stat -c %a "$T/made")" = 600 ] || die "mode of the identity"
grep -q AGE-SECRET "$T/made" "$T/out" && die "the secret stands somewhere in the open"
typed "$pass" -- sh -c "age -d '$T/made' >'$T/made.txt'" >/dev/null || die "age -d does not open the identity"
grep -q '^# created: ' "$T/made.txt" || die "the identity is not as age-keygen writes it"
[ "$(sed -n 's/^# public key: //p' "$T/made.txt")" = "$(age-keygen -y "$T/made.txt")" ] || die "public key in the identity"
opens "$T/made.txt" | cmp -s - "$T/state/secrets.json" ||
	die "the identity made here does not open the repository"
typed "$pass" -- sh -c "age -d -i '$T/made' '$T/state/keys/1/holder-1.age' >'$T/period'" >/dev/null
age -d -i "$T/period" "$T/state/repository.age" >"$T/plain"
cmp -s "$T/plain" "$T/state/secrets.json" || die "age -d -i with the protected identity"
rm -rf "$T/state"
expect 2 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made" --passphrase-file "$T/root.pub"
grep -q 'exists already' "$T/err" || die "an identity would have been overwritten"
rm "$T/made"
echo "Pw 123456" >"$T/pw"
expect 2 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made" --passphrase-file "$T/pw"
grep -q '^bkp: E-PASS-04: ' "$T/err" && [ ! -e "$T/made" ] || die "a weak passphrase from a file was taken"
echo "kaze tachinu #7" >"$T/pw"
expect 0 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made" --passphrase-file "$T/pw"
typed "kaze tachinu #7" -- sh -c "age -d '$T/made' >'$T/made.txt'" >/dev/null || die "age -d, passphrase from a file"
rm -rf "$T/state" "$T/made"
expect 0 typed "" @proposed -- "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made"
proposed=$(tr -d '\r' <"$T/out" | sed -n 's/^    \([a-z0-9-]*\)$/\1/p')
[ ${#proposed} = 23 ] || die "no passphrase was proposed"
typed "$proposed" -- sh -c "age -d '$T/made' >'$T/made.txt'" >/dev/null || die "age -d, the proposed passphrase"
rm -rf "$T/state" "$T/made"
expect 0 "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --identity-out "$T/made" --plain-identity --recipient "$r1"
opens "$T/made" | cmp -s - "$T/state/secrets.json" || die "a plain identity"
say "an identity made here: never shown, opens with stock age and its passphrase; the terminal keeps its echo after ^C"

# --- killed before any of its system calls; then run again, unaided
export ASAN_OPTIONS=detect_leaks=0
calls=openat,mkdirat,write,fsync,renameat,renameat2,rename,unlinkat,ftruncate,fchmod,fchmodat,flock,linkat,exit_group
# strace counts each kind of call by itself: a point is "the k-th openat", read off a trace of an undisturbed run
trace() { # FIRST COMMAND...: writes the points from the first call that matches FIRST on to $T/points
	local first=$1
	shift
	strace -f -qq -o "$T/trace" -e trace=$calls "$@" >/dev/null 2>&1 || die "under strace: $*"
	sed -n 's/^[0-9]* *\([a-z0-9_]*(.*\)/\1/p' "$T/trace" |
		awk -F'(' -v first="$first" '$0 ~ first {on = 1} {n[$1]++} on {print $1 ":" n[$1]}' >"$T/points"
	total=$(wc -l <"$T/points")
	[ "$total" -gt 30 ] || die "the trace has $total points only"
	# BKP_KILL_POINTS of them at most, and always the last one
	awk -v step=$(((total + ${BKP_KILL_POINTS:-240} - 1) / ${BKP_KILL_POINTS:-240})) -v total="$total" '(total - NR) % step == 0' \
		"$T/points" >"$T/chosen" && mv "$T/chosen" "$T/points"
}
kill_at() { # POINT COMMAND...
	local call=${1%:*} n=${1#*:}
	shift
	{ status strace -f -qq -o /dev/null -e trace="$call" -e inject="$call":signal=KILL:when="$n" "$@"; } 2>/dev/null
}
rm -rf "$T/state" "$T/made"
trace mkdirat "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r1"
died=0 tried=0
while read -r n <&3; do
	rm -rf "$T/state"
	tried=$((tried + 1))
	kill_at "$n" "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r1"
	[ "$STATUS" != 137 ] || died=$((died + 1))
	status "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$r1"
	if [ "$STATUS" = 2 ]; then
		grep -q E-STATE-05 "$T/err" || { cat "$T/err"; die "killed at $n: init again fails"; }
	elif [ "$STATUS" != 0 ]; then
		cat "$T/err"; die "killed at $n: init again: exit $STATUS"
	fi
	[ ! -e "$T/.state.new" ] || die "killed at $n: something is left beside the state folder"
	"$BKP" journal verify --quiet || die "killed at $n: the journal"
	opens "$T/id.txt" | cmp -s - "$T/state/secrets.json" || die "killed at $n: the secrets"
done 3<"$T/points"
say "bkp init killed before $died of the $total file system calls from the first change on ($tried tried): run again, the repository is" \
	"whole"

trace '"lock"' "$BKP" medium add m1
died=0 tried=0
cp -a "$T/state" "$T/fresh"
sed -i '3,$d' "$T/fresh/journal/000001.jsonl"
while read -r n <&3; do
	rm -rf "$T/state" "$T/m1"
	cp -a "$T/fresh" "$T/state"; mkdir "$T/m1"
	tried=$((tried + 1))
	kill_at "$n" "$BKP" medium add m1
	[ "$STATUS" != 137 ] || died=$((died + 1))
	expect 0 "$BKP" medium add m1
	"$BKP" journal verify --quiet || die "killed at $n: the journal"
	[ "$(grep -c medium-added "$T/state/journal/000001.jsonl")" = 1 ] || die "killed at $n: the medium is recorded twice or never"
	root=$(python3 -c 'import json,sys; print(json.loads(open(sys.argv[1]).readline())["root_key"])' "$T/state/journal/000001.jsonl")
	signed "$root" "$(repo_of "$T/m1")" "$T/m1/bkp-medium.json" || die "killed at $n: the identity of the medium"
	(cd "$T/m1"/*-*-*-*-*/ && minisign -Vq -P "$root" -m repository.json) || die "killed at $n: the repository on the medium"
	grep '"event":"medium-added"' "$T/state/journal/000001.jsonl" | head -n 1 >"$T/added"
	[ "$(field "$T/m1/bkp-medium.json" medium)" = "$(field "$T/added" medium)" ] ||
		die "killed at $n: the record names another medium"
	[ -z "$(ls -A "$T/m1"/*-*-*-*-*/tmp)" ] || die "killed at $n: something is left in tmp/"
	[ "$(find "$T/m1" -mindepth 1 -maxdepth 1 | wc -l)" = 3 ] || die "killed at $n: something is left over"
done 3<"$T/points"
say "bkp medium add killed before $died of the $total file system calls from the lock on ($tried tried): run again, it is complete"
