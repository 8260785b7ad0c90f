#!/bin/bash
# Goal: a medium outlives this software: sha256sum, minisign, age, tar, lz4, zstd and restore/rescue.py (standard library only) check
# and restore a generation; the journal is checked by hand.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/keys.sh"
mkdir -p "$T/src/漢字/深い"
for i in $(seq 1 50); do echo "record $i" >"$T/src/漢字/深い/$i.txt"; done
head -c 6000000 /dev/urandom >"$T/src/big.bin"
printf 'old name' >"$T/src/$(printf '\x8a\xb3\x8e\xd2.txt')" # CP932
truncate -s 40M "$T/src/sparse"; printf end >>"$T/src/sparse"
ln -s big.bin "$T/src/link"; ln "$T/src/big.bin" "$T/src/hard"
touch -d '2001-02-03 04:05:06.123456789' "$T/src/漢字/深い/1.txt"; touch -d '1969-12-31 23:59:58.250000001 UTC' "$T/src/漢字/深い/3.txt"
chmod 0640 "$T/src/漢字/深い/2.txt"
mkdir "$T/dense"; seq 400000 >"$T/dense/numbers"; seq 300 >"$T/dense/few"; head -c 2000000 /dev/urandom >"$T/dense/noise"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}
  - {name: dense, paths: [$T/dense], compression: zstd}"
site_make
expect 0 "$BKP" run --all
expect 0 "$BKP" run --all
cd "$T"/m1/*-*-*-*-*/ || exit 1
root=$(python3 -c 'import json; print(json.load(open("repository.json"))["keys"][0]["public"])')
grep -q "$root" "$T/init.out" || die "init did not print the root key for paper"
minisign -V -q -P "$root" -m repository.json || die "minisign: repository.json"
signed "$root" . ../bkp-medium.json || die "minisign: bkp-medium.json"
id=$(basename "$PWD") uuids=
for d in docs dense; do
	for g in 1 2; do
		s=datasets/$d/generations/00000$g
		(cd datasets/$d && sha256sum --quiet -c generations/00000$g/SHA256SUMS) || die "sha256sum: $d@$g"
		signed "$root" . $s/SHA256SUMS || die "minisign: $d@$g"
		u=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["uuid"])' $s/manifest.json)
		grep -qx "trusted comment: bkp:1 kind=generation repository=$id dataset=$d generation=$g uuid=$u" $s/SHA256SUMS.minisig ||
			die "trusted comment: $d@$g"
		[ "$(unseal $s/places.age | head -n 1)" = "bkp-places 1 $id $d $g" ] || die "age: places.age of $d@$g"
		uuids="$uuids$g $u
"
	done
done
[ "$(printf %s "$uuids" | sort -u | wc -l)" = 2 ] || die "the data sets of one run do not bear its uuid: $uuids"
# an archive by hand: age, tar, lz4, zstd
n=0 z=0
shopt -s nullglob
for a in datasets/*/archives/*/*.age; do
	[ "$(sha256sum "$a" | cut -c1-64).age" = "$(basename "$a")" ] || die "an archive's name is not its hash"
	mkdir "$T/a$n"
	unseal "$a" | tar -x -C "$T/a$n" || die "age | tar"
	d=${a#datasets/} d=${d%%/*}
	head -n 1 "$T/a$n/INDEX" | grep -q "^bkp-index 1 $id $d [0-9]*$" && tail -n 1 "$T/a$n/INDEX" | grep -q '^end ' || die "INDEX"
	for c in "$T/a$n"/*.lz4; do lz4 -q -d -c "$c" >/dev/null || die "lz4"; done
	for c in "$T/a$n"/*.zst; do zstd -q -d -c "$c" >/dev/null || die "zstd"; z=$((z + 1)); done
	n=$((n + 1))
done
[ $z -ge 3 ] || die "only $z zstd frames were written"
# the stranger's reader
python3 -I "$SRC_ROOT/restore/rescue.py" extract --identity "$T/id.txt" "$T/m2" docs@2 "$T/rescued" || die "rescue.py"
d=$(rsync -aHnc --delete --itemize-changes "$T/src/" "$T/rescued$T/src/")
[ -z "$d" ] || die "rescue.py restored something else: $d"
python3 -I "$SRC_ROOT/restore/rescue.py" extract --identity "$T/id.txt" "$T/m2" dense@latest "$T/rescued-dense" || die "rescue.py"
d=$(rsync -aHnc --delete --itemize-changes "$T/dense/" "$T/rescued-dense$T/dense/")
[ -z "$d" ] || die "rescue.py restored something else of zstd frames: $d"
expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" verify 2 --deep
expect 0 "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract dense@2 --to "$T/restored-dense"
d=$(rsync -aHnc --delete --itemize-changes "$T/dense/" "$T/restored-dense$T/dense/")
[ -z "$d" ] || die "bkp-restore restored something else of zstd frames: $d"
[ "$(find "$T/src" -printf '%P %T@ %m\n' | sort)" = "$(find "$T/rescued$T/src" -printf '%P %T@ %m\n' | sort)" ] ||
	die "rescue.py: times or modes"
[ "$(du -k "$T/rescued$T/src/sparse" | cut -f1)" -lt 2000 ] || die "rescue.py filled the hole"
[ "$(wc -l <"$SRC_ROOT/restore/rescue.py")" -le 720 ] || die "rescue.py has grown beyond 720 lines"
# the journal by hand: chain and signatures
cd journal || exit 1
key=$root
prev=$(printf '0%.0s' $(seq 64))
while IFS= read -r line; do
	printf '%s' "$line" | grep -q "\"prev\":\"$prev\"" || die "the chain breaks: $line"
	printf '%s' "$line" | sed 's/,"sig":"[^"]*"}$/}/' | tr -d '\n' >"$T/signed"
	printf '%s' "$line" | sed 's/.*,"sig":"\([^"]*\)"}$/\1/' | base64 -d >"$T/sig"
	{ printf '0*0\005\006\003+ep\003!\000'; printf %s "$key" | base64 -d | tail -c 32; } >"$T/key.der"
	openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$T/key.der" -in "$T/signed" -sigfile "$T/sig" >/dev/null ||
		die "openssl: $line"
	prev=$(printf '%s' "$line" | sha256sum | cut -c1-64)
	case $line in *',"event":"epoch",'*) key=$(printf %s "$line" | sed 's/.*,"key":"\([^"]*\)".*/\1/') ;; esac
done <000001.jsonl
say "sha256sum, minisign, age|tar|lz4|zstd ($n archives), openssl on $(wc -l <000001.jsonl) journal records, and rescue.py agree with us"
