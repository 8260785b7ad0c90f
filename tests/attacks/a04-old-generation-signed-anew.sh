#!/bin/bash
# A4: a generation of a former night, altered and signed anew with today's stolen key, restored and drilled as "passed": only verify
# looked at the journal.
# shellcheck disable=SC2086
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
mkdir -p "$T/src"
echo one >"$T/src/a"
site_make 2>/dev/null
for i in 1 2 3; do echo "$i" >"$T/src/a"; night 0; done
cat >"$T/drill.md" <<'P'
# 復旧訓練

```procedure
id: t
version: "1.0"
dataset: docs
```

```restore
id: docs
dataset: docs
誰: 事務長
何を: 文書を戻す
どのように: 自動
合否条件: 成功
予定分: 5
```
P
read_by() { # WORD COMMAND...: as any of the reading commands
	local what=$1 word=$2
	shift 2
	detected "$what" "$word" "$RESTORE" "$@" --medium "$T/m1" --identity "$T/id.txt" $more
}
each_reader() { # WHAT WORD
	rm -rf "$T/back" "$T/drill"
	read_by "$1" "$2" list docs@1
	read_by "$1" "$2" cat docs@1 "$T/src/a"
	read_by "$1" "$2" extract docs@1 --to "$T/back"
	read_by "$1" "$2" export docs@1
	read_by "$1" "$2" verify 1
	read_by "$1" "$2" drill "$T/drill.md" --at 1 --to "$T/drill"
}
more=
for g in 1 2 3; do
	rm -rf "$T/back"
	expect 0 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract $g --to "$T/back"
done
expect 0 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" drill "$T/drill.md" --at 1 --to "$T/drill"

# the night's own key, stolen in that night: what generation 2 held, under the number, manifest and signature of generation 3
thaw "$T/m1"
key=$(echo "$T"/state/signing-*.key) all=$(set_of "$T/m1")/generations
cp -a "$all" "$T/generations.was"
chmod -R u+w "$all"
uuid=$(sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p' "$all/000003/manifest.json" | head -n 1)
unseal "$all/000002/root.age" | sed "1s/\"generation\":2/\"generation\":3/; 1s/\"uuid\":\"[^\"]*\"/\"uuid\":\"$uuid\"/" |
	age -r "$(age-keygen -y "$(period_key)")" >"$T/root.age"
cat "$T/root.age" >"$all/000003/root.age"
{ grep archives/ "$all/000002/SHA256SUMS"
  for f in manifest.json places.age root.age; do
	echo "$(sha256sum <"$all/000003/$f" | cut -c1-64)  generations/000003/$f"
  done; } >"$T/sums"
cat "$T/sums" >"$all/000003/SHA256SUMS"
comment=$(sed -n 's/^trusted comment: //p' "$all/000003/SHA256SUMS.minisig")
"$BKP_BIN/agetool" minisign sign "$key" "$comment" <"$all/000003/SHA256SUMS" >"$all/000003/SHA256SUMS.minisig"
rm -rf "$T/back"
detected "yesterday's content under the name of tonight" E-VAULT-07 \
	"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract 3 --to "$T/back"
[ ! -e "$T/back$T/src/a" ] && [ ! -e "$T/back/docs" ] || die "something was restored from it"
detected "yesterday's content under the name of tonight" E-VAULT-07 "$RESTORE" --medium "$T/m1" verify 3
detected "yesterday's content under the name of tonight" E-VAULT-07 "$BKP" verify --medium m1
chmod -R u+w "$all" && rm -rf "$all" && mv "$T/generations.was" "$all"

# today's key signs generation 1 again
repo=$(repo_of "$T/m1") g=$(set_of "$T/m1")/generations/000001 key=$(echo "$T"/state/signing-*.key)
thaw "$T/m1"
chmod -R u+w "$g"
comment=$(sed -n 's/^trusted comment: //p' "$g/SHA256SUMS.minisig")
sign() { "$BKP_BIN/agetool" minisign sign "$key" "$comment" <"$g/SHA256SUMS" >"$g/SHA256SUMS.minisig"; }
sign
each_reader "signed anew with today's key" E-VERIFY-13
[ ! -e "$T/back$T/src/a" ] && [ ! -e "$T/back/docs" ] || die "something was restored from it"
sed -i 's/"host":"[^"]*"/"host":"forged"/' "$g/manifest.json"
sed -i "/manifest.json/s/^[0-9a-f]*/$(sha256sum <"$g/manifest.json" | cut -c1-64)/" "$g/SHA256SUMS"
sign
each_reader "altered and signed anew" E-VERIFY-12
# the journal of the medium is cut, or gone: nothing vouches; another copy of it contradicts
n=$(grep -n '"event":"begin","run":1,' "$repo/journal/000001.jsonl" | cut -d: -f1)
sed -i "$n,\$d" "$repo/journal/000001.jsonl"
each_reader "and the medium's journal cut" W-VAULT-11
rm "$repo/journal/000001.jsonl"
each_reader "and the medium's journal taken away" W-VAULT-11
more="--journal $T/state/journal/000001.jsonl"
each_reader "with another copy of the journal" E-VERIFY-12
more="--medium $T/m2"
each_reader "with a second medium" E-VERIFY-12
