#!/bin/bash
# Goal: every command that docs/format.md and docs/format-writer.md print works as it stands, with stock tools, on a medium; what they
# describe in words alone is enough: a Zstandard decoder written from appendix C reads what is there.
. "$(dirname "$0")/../lib/site.sh"
mkdir -p "$T/src/漢字" "$T/doc" "$T/blocks"
cp "$SRC_ROOT"/docs/*.md "$T/src"
for i in $(seq 300); do echo "record $i" >"$T/src/漢字/$i"; done
head -c 700000 /dev/urandom >"$T/src/noise"
site_policy "  - {name: docs, paths: [$T/src]}
  - {name: broken, command: 'echo 接続できません >&2; exit 1', store_as: x}"
mkdir "$T/m1" "$T/m2"
age-keygen -o "$T/one" 2>/dev/null
age-keygen -o "$T/two" 2>/dev/null
cat "$T/one" "$T/two" >"$T/id.txt" # one person of two factors
"$BKP" init --recipient "incho=$(age-keygen -y "$T/one")+$(age-keygen -y "$T/two")" --root-key-out "$T/root.key" >"$T/init.out"
for m in m1 m2; do "$BKP" medium add $m >/dev/null; done
for _ in 1 2; do
	status "$BKP" run --all
	grep -q "docs@.*good" "$T/out" || fail "run: exit $STATUS"
done
M=$T/m1 R=$(repo_of "$T/m1") S=docs N=000002 ID=$T/id.txt
KEY=$(sed -n 's/^root public key: //p' "$T/init.out")
export M R S N ID KEY P

# what an approver signed, as the journal keeps it
cp -a "$R" "$T/approved"
thaw "$T/approved"
(
	cd "$T" || exit 1
	minisign -G -W -f -p approver.pub -s approver.key >/dev/null
	printf 'bkp:1 kind=expiry\nrepository %s\nhead 7 %064d\nmedium %s m1\ngeneration docs@1 %s\n# 古い\n' \
		"$(basename "$R")" 0 "$(basename "$R")" "$(basename "$R")" >plan.signed
	minisign -S -s approver.key -m plan.signed -x plan.sig >/dev/null
	python3 -c 'import json
print(json.dumps({"seq": 999, "event": "expiry-approved", "plan": open("plan.signed").read(), "signature": open("plan.sig").read()},
                 ensure_ascii=False))' >>approved/journal/000001.jsonl
)
P=$(sed -n 2p "$T/approver.pub")

# ---- the blocks, in the order in which they stand
for f in format format-writer; do
	awk -v to="$T/blocks/$f-" '/^```sh$/ {on = 1; n++; next} /^```$/ {on = 0} on {print > (to sprintf("%02d", n))}' \
		"$SRC_ROOT/docs/$f.md"
done
n=0
for b in "$T"/blocks/*; do
	! grep -q 'expiry-approved' "$b" || R=$T/approved
	o=$T/out.$(basename "$b")
	(cd "$T/doc" && sh -eu "$b") >"$o" 2>"$T/err" </dev/null || fail "$(basename "$b") does not work" "$b" "$o" "$T/err"
	n=$((n + 1))
done
R=$(repo_of "$T/m1")
[ "$(ls "$T/blocks")" = "$(printf '%s\n' format-0{1..5} format-writer-0{1..3})" ] ||
	die "the documents have other recipes: $(echo "$T"/blocks/*)"
gives() { # BLOCK PATTERN: what it printed
	grep -q -e "$2" "$T/out.$1" || fail "$1 does not give '$2'" "$T/out.$1"
}
cd "$T/doc" || exit 1
[ "$(wc -l <keys)" = $(($(wc -l <"$R/keys.jsonl") + 1)) ] && [ "$(wc -l <keys)" -ge 2 ] || die "keys: $(cat keys)"
gives format-01 'Signature Verified Successfully'
gives format-03 "^bkp-index 1 $(basename "$R") docs "
key=$(age -d -i "$T/doc/period-1" "$R/datasets/docs/generations/000001/root.age" | head -n 1 |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["chunk_id_key"])')
id=$(openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" <chunk | sed 's/.*= *//')
tar -tf plain.tar | head -n 1 | grep -q "^$id\." || die "the first chunk's id is another: $id"
d=$(cut -d' ' -f1 "$T/out.format-04")
grep -q "5 7:3:0:5:$d" "$SRC_ROOT/docs/format.md" || die "the example of a digest: $d"
head -c 1048576 /dev/zero | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(printf '0%.0s' $(seq 64))" -binary |
	sha256sum | cut -c1-64 | xargs -I@ grep -q "0:1048576:@ h:24" "$SRC_ROOT/docs/format.md" || die "the example with a hole"
gives format-05 'Signature and comment signature verified'
gives format-05 '"kind":"bkp-root"'
gives format-writer-01 '^broken: command: 接続できません'
gives format-writer-02 'Signature and comment signature verified'
cmp plan "$T/plan.signed" || die "the plan is not as it was signed"
gives format-writer-03 'FORMAT.md: OK'
cmp "$SRC_ROOT/docs/format.md" "$M/tools/FORMAT.md" || die "another document is on the medium"
say "$n blocks of commands of the two documents, typed as they stand, do what they say"

# ---- appendix C
mkdir "$T/frames"
for a in "$R"/datasets/docs/archives/*/*.age; do age -d -i "$T/doc/period-1" "$a" | tar -x -C "$T/frames"; done
find "$T/frames" -name '*.zst' | head -n 40 >"$T/list"
[ -s "$T/list" ] || die "there are no zstd frames"
xargs python3 "$SRC_ROOT/tests/lib/unzstd.py" <"$T/list" >"$T/out" || fail "appendix C"
for l in --fast=5 -1 -3 -12 -19; do
	for f in docs/format.md bkp/po/ja.po; do
		for c in 1 40 700 30000 400000; do
			head -c $c "$SRC_ROOT/$f" >"$T/plain"
			zstd -q -f --no-check $l "--stream-size=$(stat -c %s "$T/plain")" -o "$T/frame$l-$c-$(basename $f).zst" <"$T/plain"
		done
	done
done
python3 "$SRC_ROOT/tests/lib/unzstd.py" "$T"/frame*.zst >"$T/out.stock" || fail "appendix C, other levels"
say "a decoder written from appendix C reads $(cat "$T/out") frames of the medium and $(cat "$T/out.stock") of stock zstd of every kind"
