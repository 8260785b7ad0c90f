#!/bin/bash
# Goal: people whose keys only stock age knows hold keys like others: SSH keys, and tokens by way of a plug-in; two factors open one layer
# each; the first period's key is made away from the host.  A plug-in that fails, lies, says too much, and a computer without age end in a
# word and an exit code, never in a file that nobody looked at.  Opened by bkp-restore, rescue.py and stock age alike.
. "$(dirname "$0")/../lib/site.sh"
ROOT_KEY=$T/root.key
export PATH=$T/bin:$PATH
mkdir -p "$T/src" "$T/bin" "$T/m1" "$T/m2" "$T/noage"
seq 20000 >"$T/src/a"
cp "$SRC_ROOT/tests/lib/age-plugin-bkptest" "$T/bin/"
typed() { python3 "$SRC_ROOT/tests/lib/typed.py" "$@"; }
age-keygen -o "$T/incho.txt" 2>/dev/null
ssh-keygen -q -t ed25519 -N '' -C 'sato+passphrase@pc' -f "$T/ssh.txt"
ssh-keygen -q -t rsa -b 2048 -N '' -C x -f "$T/rsa.txt"
token=$(age-plugin-bkptest new "$T/token.txt")
token2=$(age-plugin-bkptest new "$T/token2.txt")
incho=$(age-keygen -y "$T/incho.txt")
ssh=$(cut -d' ' -f1,2 "$T/ssh.txt.pub") rsa=$(cut -d' ' -f1,2 "$T/rsa.txt.pub")
echo 'kq7m-xv3p-8wzt-c2rd' >"$T/phrase"
sign() { # DIR
	minisign -S -s "$ROOT_KEY" -m "$1/period.json" -t "$(jq -r '"bkp:1 kind=period repository=\(.repository) period=\(
		.period) revision=\(.revision)"' "$1/period.json")" >/dev/null
}
night() { date +%N >"$T/src/b"; "$BKP" --quiet run --all; }
ids() { local i; for i in "$@"; do printf -- '--identity\n%s\n' "$T/$i.txt"; done; }
opens() { # GENERATION IDENTITY...
	local g=$1 list
	shift
	rm -rf "$T/out.d"
	mapfile -t list < <(ids "$@")
	"$RESTORE" --quiet --medium "$T/m1" "${list[@]}" extract "docs@$g" --to "$T/out.d" >"$T/out" 2>"$T/err" </dev/null
}
rescues() { # GENERATION IDENTITY...
	local g=$1 list
	shift
	rm -rf "$T/out.d"
	mapfile -t list < <(ids "$@")
	python3 "$SRC_ROOT/restore/rescue.py" extract "${list[@]}" "$T/m1" "docs@$g" "$T/out.d" >"$T/out" 2>"$T/err" </dev/null
}
key() { "$RESTORE" --quiet --medium "$T/m1" --identity "$T/incho.txt" key "$@"; }

# --- the first period, begun away from the host
begin() { "$RESTORE" --quiet key begin "$@"; }
expect 64 begin "incho=passphrase" --to "$T/b0"
said 'E-PERIOD-07.*never the only'
expect 64 begin "incho=passphrase+$incho" --to "$T/b0"
expect 64 begin "incho=$incho+$incho" --to "$T/b0"
expect 64 begin "incho=$(cat "$T/ssh.txt.pub")" --to "$T/b0" # its comment could be a factor that was mistyped
expect 64 begin "incho=AGE-SECRET-KEY-1X" --to "$T/b0"
expect 64 begin "a=$token+passphrase" "b=$token2+passphrase" --passphrase-file "$T/phrase" --to "$T/b0"
expect 2 begin "incho=${ssh/AAAAC3/AAAAC4}" --to "$T/b0"
said E-AGE-11
[ ! -e "$T/b0" ] || die "something was written"
expect 0 begin "incho=$incho" "sato=$ssh" "rsa=$rsa" --to "$T/begun"
recipient=$(jq -r .recipient "$T/begun/period.json")
said "^recipient: *$recipient"
jq -e --arg s "$ssh" '.people[1].recipient == $s' "$T/begun/period.json" >/dev/null || die "the comment of a key stands in it"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
cp "$T/incho.txt" "$T/id.txt"
init() { "$BKP" init "$@" --root-key-out "$ROOT_KEY"; }
expect 64 init --keys "$T/begun" --recipient "$incho"
hostile() { # WHY CODE
	expect 2 init --keys "$T/bad"
	said "$2"
	[ ! -e "$T/state" ] && [ ! -e "$ROOT_KEY" ] || die "$1: a repository was made"
	rm -rf "$T/bad"
}
copy() { cp -a "$T/begun" "$T/bad"; }
json() { jq -c "$1" "$T/begun/period.json" >"$T/bad/period.json"; }
copy; head -c 300 /dev/urandom >>"$T/bad/sato.age"; hostile "another file" E-PERIOD-03
copy; rm "$T/bad/rsa.age"; hostile "a file is missing" 'rsa.age'
copy; rm "$T/bad/rsa.age"; ln -s ../begun/rsa.age "$T/bad/rsa.age"; hostile "a link" 'rsa.age'
copy; rm "$T/bad/rsa.age"; mkfifo "$T/bad/rsa.age"; hostile "a pipe" 'rsa.age'
copy; json '.people[0].name = "../../x"'; hostile "a name with ../" E-PERIOD-01
copy; json '.people[0].recipient = "\u001b[31m"'; hostile "a recipient that is none" 'E-AGE-06'
! grep -q $'\e' "$T/err" || die "a terminal is told what stands in it"
copy; json '.period = 2 | .previous = {"period_sha256": .people[0].sha256, "identity_sha256": .people[0].sha256}'
hostile "period 2" E-PERIOD-08
copy; json '.repository = "11111111-1111-4111-8111-111111111111"'; hostile "of a repository" E-PERIOD-08
typed "$(cat "$T/phrase")" "$(cat "$T/phrase")" -- sh -c "age -p -o '$T/p.age' '$T/incho.txt'" >/dev/null
copy; cp "$T/p.age" "$T/bad/sato.age"
json ".people[1].sha256 = \"$(sha256sum "$T/bad/sato.age" | cut -c1-64)\""
hostile "a file that a passphrase alone opens" 'E-PERIOD-07.*leisure'
copy; head -c 300000 /dev/zero >"$T/bad/sato.age"; hostile "a file that is too large" 'sato.age|E-MEM-02'
expect 0 init --keys "$T/begun"
said "^recipient: *$recipient"
sed "s|$T/state|$T/state2|" "$BKP_POLICY" >"$T/2.yaml"
expect 2 "$BKP" --policy "$T/2.yaml" init --recipient "a=$incho+passphrase" --root-key-out "$T/root2.key"
said 'E-PERIOD-07'
expect 0 "$BKP" --policy "$T/2.yaml" init --recipient "a=$incho+$ssh" --recipient "b=$token" --root-key-out "$T/root2.key"
age -d -i "$T/incho.txt" "$T/state2/keys/1/a.age" | age -d -i "$T/ssh.txt" | age-keygen -y |
	grep -qx "$(jq -r .recipient "$T/state2/keys/1/period-1.json")" || die "bkp init: two factors, by stock age"
rm -rf "$T/state2"
for m in m1 m2; do "$BKP" medium add $m >/dev/null 2>&1; done
cmp "$T/begun/sato.age" "$T/state/keys/1/sato.age" || die "another file than was made"
minisign -V -q -p <(printf 'untrusted comment: x\n%s\n' "$(jq -r '.keys[0].public' "$T/state/repository.json")") \
	-m "$T/state/keys/1/period-1.json" || die "the first period is not signed by the root key"
night
for who in incho ssh rsa; do
	opens 1 $who || fail "$who does not open"
	! grep -q 'no identity matched' "$T/err" || fail "noise of age"
	diff -r "$T/src" "$T/out.d$T/src" || die "$who: another tree"
	[ $who = ssh ] || continue
	rescues 1 $who || fail "rescue.py: $who"
	diff -r "$T/src" "$T/out.d$T/src" || die "rescue.py: $who: another tree"
done
cp "$T/ssh.txt" "$T/locked.txt"
cp "$T/ssh.txt.pub" "$T/locked.txt.pub"
ssh-keygen -q -p -N "$(cat "$T/phrase")" -f "$T/locked.txt" >/dev/null
expect 0 typed "$(cat "$T/phrase")" -- "$RESTORE" --quiet --medium "$T/m1" --identity "$T/locked.txt" extract docs@1 --to "$T/l"
diff -r "$T/src" "$T/l$T/src" || die "an SSH key that a passphrase protects"
! opens 1 token || die "a stranger opens"
said 'E-PERIOD-04'
age -d -i "$T/ssh.txt" "$(repo_of "$T/m1")/keys/1/sato.age" | age-keygen -y | grep -qx "$recipient" || die "stock age, SSH"
say "the first period's key is made elsewhere; SSH keys open it like others; what is hostile in the folder makes no repository"

# --- more people: a token, two factors
add() { # NAME RECIPIENT [OPTION...]
	local name=$1
	expect 0 key add "$name=$2" --to "$T/add.$name" "${@:3}"
	sign "$T/add.$name"
	expect 0 "$BKP" key add "$name" --from "$T/add.$name" --operator Sato
	night
}
add tok "$token"
add two "$token2+$ssh"
add pass "$rsa+passphrase" --passphrase-file "$T/phrase"
expect 0 "$BKP" key list
said "two +$token2\\+ssh-ed25519 "
said 'pass +ssh-rsa .*\+passphrase$'
repo=$(repo_of "$T/m1")
opens 1 token && opens 3 token || fail "the token"
said 'touch the token'
rescues 3 token || fail "rescue.py: the token"
mv "$repo/keys/1/sato.age" "$T/sato.age" # so that it is the other factor's file that opens
mv "$repo/keys/1/rsa.age" "$T/rsa.age"
opens 3 token2 ssh || fail "two factors"
rescues 3 token2 ssh || [ $? = 1 ] || fail "rescue.py: two factors" # 1: files of others are missing, as it says
cmp "$T/src/a" "$T/out.d$T/src/a" || die "rescue.py: another file"
! opens 3 token2 || die "one factor of two opens"
said 'E-PERIOD-04.*another age file'
! opens 3 ssh || die "the inner factor alone opens"
age -d -i "$T/token2.txt" "$repo/keys/1/two.age" 2>/dev/null | age -d -i "$T/ssh.txt" | age-keygen -y | grep -qx "$recipient" ||
	die "stock age, two factors"
! opens 3 rsa || die "opens without the passphrase"
said E-KEY-04
expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/rsa.txt" --passphrase-file "$T/phrase" extract docs@4 --to "$T/p"
expect 1 python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/rsa.txt" --passphrase-file "$T/phrase" "$T/m1" docs@4 "$T/q"
diff -r "$T/src" "$T/p$T/src" && diff -r "$T/src" "$T/q$T/src" || die "another tree"
age -d -i "$T/rsa.txt" "$repo/keys/1/pass.age" >"$T/inner.age"
typed "$(cat "$T/phrase")" -- sh -c "age -d '$T/inner.age' >'$T/inner'" >/dev/null
[ "$(age-keygen -y "$T/inner")" = "$recipient" ] || die "stock age, a passphrase within"
cp -a "$T/sato.age" "$T/rsa.age" "$repo/keys/1/"
expect 0 "$BKP" verify --identity "$T/token.txt"
say "a token by its plug-in; two factors, each alone opens nothing; a passphrase within; each by bkp-restore, rescue.py and stock age"

expect 0 key add "y=$incho" --to "$T/y"
cp -f "$T/p.age" "$T/y/y.age"
jq -c "(.people[] | select(.name == \"y\")).sha256 = \"$(sha256sum <"$T/p.age" | cut -c1-64)\"" "$T/y/period.json" >"$T/y.json"
cp -f "$T/y.json" "$T/y/period.json"
sign "$T/y"
expect 2 "$BKP" key add y --from "$T/y" --operator Sato
said 'E-PERIOD-07.*leisure'

# --- one less: the others' files are made anew, by age
expect 0 typed "$(cat "$T/phrase")" "$(cat "$T/phrase")" -- \
	"$RESTORE" --medium "$T/m1" --identity "$T/incho.txt" key remove sato --to "$T/less"
sign "$T/less"
expect 0 "$BKP" key remove sato --from "$T/less" --operator Sato
night
opens 5 token && opens 1 token && opens 5 token2 ssh || fail "those who stay"
! opens 5 ssh || die "one who was removed opens a new generation"
say "one person less: files for tokens, SSH keys and passphrases are made anew"

# --- plug-ins that fail, and computers without age
for how in fail garbage huge; do
	BKPTEST=$how expect 2 key add "x=$token" --to "$T/x"
	said E-AGE-11
	[ "$(stat -c %s "$T/err")" -lt 20000 ] || die "$how: $(stat -c %s "$T/err") bytes on standard error"
	[ ! -e "$T/x" ] || die "$how: a file was made"
	! BKPTEST=$how opens 5 token || die "$how opens"
	said E-AGE-11
done
! BKPTEST=lie opens 5 token || die "a plug-in that lies"
said 'E-AGE-11'
mv "$T/bin/age-plugin-bkptest" "$T/bin/away"
! opens 5 token || die "without the plug-in"
said 'E-AGE-11'
mv "$T/bin/away" "$T/bin/age-plugin-bkptest"
cat >"$T/bin/age" <<-'S'
	#!/bin/sh
	case $FAKE in
	plain) cat ;;
	huge) cat /dev/zero ;;
	early) exit 0 ;;
	other) echo AGE-SECRET-KEY-1$(head -c 100 /dev/zero | tr '\0' Q) ;;
	esac
S
chmod +x "$T/bin/age"
for how in plain huge early; do
	FAKE=$how expect 2 key add "x=$ssh" --to "$T/x"
	said 'E-AGE-11|E-PERIOD-07'
	[ ! -e "$T/x" ] || die "$how: a file was made"
done
for how in plain huge early other; do ! FAKE=$how opens 5 token || die "$how: opens"; done
rm "$T/bin/age"
for p in "$RESTORE" "${BKP_RELEASE:-$BKP_BIN}/tools/bkp-restore"; do
	expect 2 env PATH="$T/noage" "$p" --quiet --medium "$T/m1" --identity "$T/token.txt" extract docs@5 --to "$T/n"
	said "E-AGE-10.*'age' cannot be started"
	expect 0 env PATH="$T/noage" "$p" --quiet --medium "$T/m1" --identity "$T/incho.txt" extract docs@5 --to "$T/n"
	rm -rf "$T/n"
done
expect 2 env PATH="$T/noage" /usr/bin/python3 "$SRC_ROOT/restore/rescue.py" extract --identity "$T/token.txt" "$T/m1" docs@5 "$T/n"
said "'age' is needed"
expect 2 "$RESTORE" --quiet --medium "$T/m1" --identity <(cat "$T/token.txt") extract docs@5 --to "$T/n"
said 'E-KEY-02'
say "plug-ins that fail, lie or say too much, a false age, no age: refused with a word, nothing made; who has an age identity needs none"
