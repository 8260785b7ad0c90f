#!/bin/bash
# Goal: one flipped bit, a truncated file, a missing archive, a swapped archive, a forged signature, a generation copied from
# another repository or data set: each detected and named, exit 2, and everything unharmed still restores.
. "$(dirname "$0")/../lib/site.sh"
mkdir -p "$T/src" "$T/src2"
head -c 5000000 /dev/urandom >"$T/src/big"; echo small >"$T/src/small"
head -c 3000000 /dev/urandom >"$T/src2/other"
site_policy "  - {name: docs, paths: [$T/src]}
	  - {name: more, paths: [$T/src2]}"
site_make
expect 0 "$BKP" run --all
echo two >>"$T/src/small"
expect 0 "$BKP" run --anchor --all
thaw "$T/m1"
chmod -R u+w "$T/m1"
cp -a "$T/m1" "$T/good"
cases=0
reset() { rm -rf "$T/m1"; cp -a "$T/good" "$T/m1"; }
# check NAME GENERATION WORD [other]: verify (ours, keyless) of docs@GENERATION fails naming WORD; docs@other is unharmed, and so is the
# other data set of that run
check() {
	cases=$((cases + 1))
	expect 2 "$RESTORE" --medium "$T/m1" verify "docs@$2"
	grep -q -- "$3" "$T/err" "$T/out" || die "$1: '$3' is not named: $(cat "$T/err" "$T/out")"
	expect 2 "$BKP" verify --medium m1 "docs@$2"
	if [ -n "${4:-}" ]; then
		expect 0 "$RESTORE" --medium "$T/m1" verify "docs@$4"
		[ $((cases % 5)) != 0 ] || expect 0 "$BKP" verify --medium m1 more@1
		rm -rf "$T/o"
		expect 0 restore_to "$T/m1" "$4" "$T/o"
	fi
	reset
}
flip() { # FILE OFFSET
	python3 - "$1" "$2" <<'P'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); b = f.read(1); f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 1]))
P
}
archives_of() { grep -o 'archives/.*' "$repo/generations/$1/SHA256SUMS"; }
repo=$(set_of "$T/m1")
for a in $(archives_of 000001); do
	size=$(stat -c %s "$repo/$a")
	for at in 0 300 $((size / 2)) $((size - 1)); do flip "$repo/$a" $at; check "bit flip" 1 "$(basename "$a")" 2; done
	truncate -s $((size - 1)) "$repo/$a"; check truncated 1 "$(basename "$a")" 2
	rm "$repo/$a"; check missing 1 "$(basename "$a")" 2
	b=$(archives_of 000002 | head -n 1)
	cp "$repo/$b" "$repo/$a"; check swapped 1 "$(basename "$a")" 2
done
for f in manifest.json root.age places.age SHA256SUMS SHA256SUMS.minisig; do
	p=$repo/generations/000001/$f
	for at in 0 $(($(stat -c %s "$p") / 2)); do flip "$p" "$at"; check "bit flip in $f" 1 E- 2; done
	truncate -s 10 "$p"; check "truncated $f" 1 E- 2
	rm "$p"; check "missing $f" 1 E- 2
done
# a flipped bit in a file's content: the other data set of the same run still restores, the bad file is named
a=$(for x in $(archives_of 000001); do echo "$(stat -c %s "$repo/$x") $x"; done | sort -n | tail -n 1 | cut -d' ' -f2)
flip "$repo/$a" 1000000
rm -rf "$T/o"
expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract 1 --to "$T/o"
grep -q 'E-' "$T/err" || die "extract does not name the damage"
n=$(find "$T/o" -type f | wc -l)
[ "$n" = 2 ] || { cat "$T/err" "$T/out"; find "$T/o"; die "beside one damaged file $n of 2 others were restored"; }
for f in $(cd "$T/o" && find . -type f); do cmp -s "$T/o/$f" "/${f#./*/}" || [ "$(basename "$f")" = small ] ||
	die "a damaged file was left behind: $f"; done
reset
# a forger who knows only the recipients: a chunk id key of their own beside a damaged archive gives nothing of it; a restore has
# its key from root.age, so all that is unharmed comes back, and verify --deep names the file
flip "$repo/$a" 1000000
printf '{"format":1,"kind":"bkp-repository-secrets","repository":"%s","chunk_id_key":"%064d","chunker_seed":"%064d"}' \
	"$(basename "$(repo_of "$T/m1")")" 0 0 | age -r "$(age-keygen -y "$T/id.txt")" >"$T/forged.age"
cp "$T/forged.age" "$(repo_of "$T/m1")/repository.age"
rm -rf "$T/o"
expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract 1 --to "$T/o"
[ "$(find "$T/o" -type f | wc -l)" = 2 ] || die "beside one damaged file not both others were restored"
expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" verify 1 --deep
grep -q 'E-VAULT-10' "$T/err" "$T/out" || die "a forged repository.age is not named"
cases=$((cases + 1))
reset
# forged: signed with another key
minisign -G -f -W -p "$T/evil.pub" -s "$T/evil.key" >/dev/null 2>&1
comment=$(sed -n 's/^trusted comment: //p' "$repo/generations/000001/SHA256SUMS.minisig")
rm "$repo/generations/000001/SHA256SUMS.minisig"
minisign -S -l -s "$T/evil.key" -t "$comment" -m "$repo/generations/000001/SHA256SUMS" >/dev/null
check forged 1 E- 2
# a generation renumbered, one of another data set, and one of another repository
rm -rf "$repo/generations/000001"; cp -a "$repo/generations/000002" "$repo/generations/000001"; check renumbered 1 E- 2
more=$(set_of "$T/m1" more)
rm -rf "$repo/generations/000001"; cp -a "$more/generations/000001" "$repo/generations/"; cp -a "$more"/archives/* "$repo/archives/"
check "of another data set" 1 E- 2
mv "$T/state" "$T/state1"; mv "$T/m2" "$T/m2.1"; mkdir "$T/m2" "$T/x1"; mv "$T/m1" "$T/m1.1"; mkdir "$T/m1"
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" medium add m1 >/dev/null; "$BKP" medium add m2 >/dev/null
expect 0 "$BKP" run --all
thaw "$T/m1" "$T/m2"; mv "$T/m1" "$T/foreign"; foreign=$(set_of "$T/foreign")
rm -rf "$T/m2" "$T/state"; mv "$T/state1" "$T/state"; mv "$T/m2.1" "$T/m2"; mv "$T/m1.1" "$T/m1"
rm -rf "$repo/generations/000001"; cp -a "$foreign/generations/000001" "$repo/generations/"; cp -a "$foreign"/archives/* "$repo/archives/"
check "copied from another repository" 1 E- 2
say "$cases kinds of damage detected and named, exit 2; the other generation verified and restored after each"
