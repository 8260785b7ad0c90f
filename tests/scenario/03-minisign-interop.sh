#!/bin/bash
# Goal: the stock `minisign` accepts our signatures and keys, we accept its own, and both refuse every forgery.
set -eu
: "${BKP_BIN:?the folder of the built programs}"
tool=$(cd "$BKP_BIN" && pwd)/agetool
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "03-minisign-interop: $*" >&2; exit 1; }
stock_accepts() { minisign -V -q -p "$1" -x "$2" -m "$3" >/dev/null 2>&1; }
we_accept() { "$tool" minisign verify "$1" "$2" <"$3" >/dev/null 2>&1; }

head -c 100000 /dev/urandom >large
: >empty
printf 'SHA256SUMS\n' >text
"$tool" minisign gen ours.pub ours.key
minisign -G -W -p stock.pub -s stock.key >/dev/null

# keys: each reads the other's
minisign -R -p again.pub -s ours.key >/dev/null
[ "$(tail -1 again.pub)" = "$(tail -1 ours.pub)" ] || fail "stock minisign finds another public key in our secret key"
[ "$("$tool" minisign public stock.key)" = "$(cat stock.pub)" ] || fail "we find another public key in a stock secret key"

# signatures: four ways to sign, two ways to verify
for file in large empty text; do
	"$tool" minisign sign ours.key "対象データ 世代 42" <$file >oo.sig
	"$tool" minisign sign stock.key "by us" <$file >os.sig
	minisign -S -l -W -s ours.key -x so.sig -t "by stock" -m $file >/dev/null
	minisign -S -l -W -s stock.key -x ss.sig -m $file >/dev/null
	for pair in "ours oo" "stock os" "ours so" "stock ss"; do
		set -- $pair
		stock_accepts "$1.pub" "$2.sig" $file || fail "$file: stock minisign refuses $2.sig"
		we_accept "$1.pub" "$2.sig" $file || fail "$file: we refuse $2.sig"
	done
	minisign -V -q -P "$(tail -1 ours.pub)" -x oo.sig -m $file >/dev/null || fail "$file: key on the command line"
	# Ed25519 has one signature for a message and key, so both must have written the same
	minisign -S -l -W -s ours.key -x same.sig -t "対象データ 世代 42" -m $file >/dev/null
	[ "$(tail -3 same.sig)" = "$(tail -3 oo.sig)" ] || fail "$file: not the signature that minisign makes"
done
[ "$("$tool" minisign verify ours.pub oo.sig <text)" = "対象データ 世代 42" ] || fail "the trusted comment"

# forgeries: both refuse
forgeries=0
both_refuse() {
	! stock_accepts "$2" "$3" "$4" || fail "stock minisign accepts: $1"
	! we_accept "$2" "$3" "$4" || fail "we accept: $1"
	forgeries=$((forgeries + 1))
}
for sig in oo ss; do
	[ $sig = oo ] && pub=ours.pub other=stock.pub || { pub=stock.pub; other=ours.pub; }
	sed '3s/.*/trusted comment: forged/' $sig.sig >f
	both_refuse "a forged trusted comment" $pub f text
	sed '3s/$/ /' $sig.sig >f
	both_refuse "a blank behind the trusted comment" $pub f text
	sed '3d' $sig.sig >f
	both_refuse "no trusted comment" $pub f text
	head -3 $sig.sig >f
	both_refuse "no second signature" $pub f text
	head -2 $sig.sig >f
	both_refuse "half a file" $pub f text
	both_refuse "another message" $pub $sig.sig large
	both_refuse "another key" $other $sig.sig text
	"$tool" minisign sign "${pub%.pub}.key" "another comment" <text >g
	{ head -3 $sig.sig; tail -1 g; } >f
	both_refuse "the second signature of another file" $pub f text
	{ head -1 $sig.sig; sed -n 2p os.sig; tail -2 so.sig; } >f
	both_refuse "halves of two files" $pub f text
	sed '2s/^\(.\{40\}\)./\1*/' $sig.sig >f
	both_refuse "not base64" $pub f text
done

# what we refuse by decision, with its reason
minisign -S -W -s stock.key -x f -m text >/dev/null
! "$tool" minisign verify stock.pub f <text >/dev/null 2>msg || fail "a prehashed signature is accepted"
grep -q prehashed msg || fail "the reason for refusing a prehashed signature"
cp stock.key locked.key
printf 'pw\npw\n' | minisign -C -s locked.key >/dev/null 2>&1 || fail "cannot set a password"
! "$tool" minisign public locked.key >/dev/null 2>msg || fail "a secret key under a password is read"
grep -q password msg || fail "the reason for refusing a secret key under a password"
printf 'pw\n' | minisign -C -W -s locked.key >/dev/null 2>&1 || fail "cannot remove the password"
[ "$("$tool" minisign public locked.key)" = "$(cat stock.pub)" ] || fail "a key whose password was removed"
echo "03-minisign-interop: $(minisign -v) and this agree both ways on keys and signatures; both refuse $forgeries forgeries"
