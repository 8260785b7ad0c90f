# shellcheck shell=bash
# Who signed what, by hand: the keys of all epochs from the root key on, checked with openssl alone, and minisign with the one that
# fits.  Sourced.  docs/ja/audit.md and README.txt of every medium show the same steps.
#
#   keys_of ROOT KEYS.JSONL      every key, one a line, epoch 1 first; not 0 when the chain breaks
#   signer ROOT REPO FILE        the key that FILE.minisig names; REPO is <repository-id>/ of a medium
#   signed ROOT REPO FILE        minisign -V with that key
keys_of() {
	local k=$1 d l by
	d=$(mktemp -d)
	echo "$k"
	while IFS= read -r l; do
		printf %s "$l" | sed 's/,"sig":"[^"]*"}$/}/' | tr -d '\n' >"$d/l"
		printf %s "$l" | sed 's/.*,"sig":"\([^"]*\)"}$/\1/' | base64 -d >"$d/s"
		for by in "$k" "$1"; do
			{ printf '0*0\005\006\003+ep\003!\000'; printf %s "$by" | base64 -d | tail -c 32; } >"$d/k"
			openssl pkeyutl -verify -pubin -keyform DER -inkey "$d/k" -rawin -in "$d/l" -sigfile "$d/s" >/dev/null && break
		done || { rm -r "$d"; return 1; }
		k=$(printf %s "$l" | sed -n 's/.*,"event":"epoch","next":[0-9]*,"key":"\(RW[^"]*\)".*/\1/p')
		[ -n "$k" ] || { rm -r "$d"; return 1; }
		echo "$k"
	done <"$2"
	rm -r "$d"
}
signer() { keys_of "$1" "$2/keys.jsonl" | grep "^$(sed -n 2p "$3.minisig" | cut -c-13)"; }
signed() { minisign -V -q -P "$(signer "$1" "$2" "$3")" -m "$3"; }
