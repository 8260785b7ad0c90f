#!/bin/bash
# Goal: what this software encrypts, the stock `age` decrypts, and the other way round: every size around the edges of a
# segment, several recipients, passphrases, armoured and encrypted identities; and both refuse the same malformed files.
set -eu
: "${BKP_BIN:?the folder of the built programs}"
here=$(cd "$(dirname "$0")" && pwd)
tool=$(cd "$BKP_BIN" && pwd)/agetool
headers=$(cd "$BKP_BIN" && pwd)/test_age_header
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "02-age-interop: $*" >&2; exit 1; }
with_pass() { python3 "$here/../lib/with_pass.py" "$@"; }

for who in a b c; do age-keygen -o $who.id 2>/dev/null; age-keygen -y $who.id >$who.pub; done
"$tool" keygen >ours.id
[ "$("$tool" recipient a.id)" = "$(cat a.pub)" ] || fail "recipient of a stock identity"
[ "$("$tool" recipient ours.id)" = "$(age-keygen -y ours.id)" ] || fail "recipient of our identity"

sizes="0 1 65535 65536 65537 131072 100000000"
for n in $sizes; do
	openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null | head -c "$n" >plain || true
	[ "$(stat -c %s plain)" = "$n" ] || fail "cannot make $n bytes"
	"$tool" encrypt -r "$(cat a.pub)" <plain >ours.age
	age -r "$(cat a.pub)" <plain >stock.age
	[ "$(stat -c %s ours.age)" -le "$(stat -c %s stock.age)" ] || fail "$n bytes: larger than stock age's"
	age -d -i a.id ours.age | cmp - plain || fail "$n bytes: stock age does not read ours"
	"$tool" decrypt a.id <stock.age | cmp - plain || fail "$n bytes: we do not read stock age's"
	for range in "0 $n" "0 1" "65535 2" "65536 65536" "$((n / 2)) 70000" "$((n > 0 ? n - 1 : 0)) 5"; do
		set -- $range
		"$tool" decrypt-at a.id "$1" "$2" <stock.age >part
		tail -c +$(($1 + 1)) plain | head -c "$2" | cmp - part || fail "$n bytes: range $range"
	done
done
# 64 MiB of address space are enough for 10^8 bytes (the address sanitizer alone reserves more, so not with it)
nm -D "$tool" | grep __asan >/dev/null || (ulimit -v 65536; "$tool" decrypt a.id <stock.age | cmp - plain) ||
	fail "memory is not bounded"

head -c 200000 plain >p
"$tool" encrypt -r "$(cat a.pub)" -r "$(cat b.pub)" -r "$(cat c.pub)" <p >ours.age
age -r "$(cat a.pub)" -r "$(cat b.pub)" -r "$(cat c.pub)" <p >stock.age
for who in a b c; do
	age -d -i $who.id ours.age | cmp - p || fail "recipient $who alone, stock"
	"$tool" decrypt $who.id <stock.age | cmp - p || fail "recipient $who alone, ours"
done
cat a.id b.id >two.id
age -r "$(cat b.pub)" <p | "$tool" decrypt two.id | cmp - p || fail "an identity file of two"
! "$tool" decrypt ours.id <stock.age >out 2>msg || fail "a stranger's identity opens it"
grep -q E-AGE-03 msg && [ ! -s out ] || fail "a stranger is not told so"

# passphrases, both ways; stock age asks on a terminal
echo 'correct horse battery staple' >pass
echo 'another one' >wrong
with_pass pass age -p -o stock.age p
"$tool" decrypt-pass pass <stock.age | cmp - p || fail "passphrase file of stock age"
! "$tool" decrypt-pass wrong <stock.age >out 2>msg || fail "a wrong passphrase opens it"
grep -q E-AGE-07 msg && [ ! -s out ] || fail "a wrong passphrase is not named"
"$tool" encrypt-pass pass <p >ours.age
with_pass pass age -d -o out ours.age
cmp out p || fail "our passphrase file"
! with_pass wrong age -d -o out ours.age 2>/dev/null || fail "stock age opens it with a wrong passphrase"

# an identity file that is itself encrypted and armoured
with_pass pass age -p -a -o a.id.age a.id
"$tool" encrypt -r "$(cat a.pub)" <p >ours.age
"$tool" decrypt a.id.age pass <ours.age | cmp - p || fail "armoured, encrypted identity"
"$tool" encrypt-pass pass 12 <a.id >our-id.age
with_pass pass age -d -i our-id.age -o out ours.age
cmp out p || fail "stock age with an identity that we encrypted"

# the same verdict on every malformed header; the identity is 32 bytes 0x07 as in test_age_header.c.  One exception: stock age
# stops reading at the first stanza that fits, we check them all.
mkdir cases
AGE_CASES_DIR=$dir/cases "$headers" >/dev/null 2>&1 || fail "test_age_header"
echo AGE-SECRET-KEY-1QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSKMP32K >cases.id
echo 'correct horse' >pass
count=0
for file in cases/key-* cases/pass-*; do
	case $file in
	*-malformed-behind-match) continue ;;
	*/key-*) age -d -i cases.id -o out "$file" 2>/dev/null && stock=good || stock=bad ;;
	*) with_pass pass age -d -o out "$file" 2>/dev/null && stock=good || stock=bad ;;
	esac
	case $file in */*-$stock-*) ;; *) fail "stock age says $stock to $file" ;; esac
	count=$((count + 1))
done
echo "02-age-interop: stock age $(age --version) and this agree both ways on sizes $sizes, recipients, passphrases and $count headers"
