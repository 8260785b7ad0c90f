#!/bin/bash
# Goal: one bit anywhere in a file on a medium that belongs to no generation is seen by bkp verify and by bkp-restore verify, which
# name the file; so is a file that does not belong there; bkp repair writes all of it anew, and archives and documents of
# generations from another medium that has them whole.
. "$(dirname "$0")/../lib/site.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore # a hundred runs: without the sanitizers
mkdir "$T/src"
echo content >"$T/src/a"
head -c 600000 /dev/urandom >"$T/src/b"
cat >"$T/p.md" <<'P'
# 復旧

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
site_policy "  - {name: docs, paths: [$T/src]}"
printf 'procedures: [%s]\n' "$T/p.md" >>"$T/policy.yaml"
site_make 2>/dev/null
expect 0 "$BKP" run --all
echo more >"$T/src/c"
expect 0 "$BKP" run --all
expect 0 "$BKP" verify
[ ! -s "$T/err" ] || die "all is well and something is said: $(cat "$T/err")"
expect 0 "$RESTORE" --medium "$T/m1" verify 2
repo=$(repo_of "$T/m1") docs=$(set_of "$T/m1")
thaw "$T/m1"

flip() { # FILE OFFSET: one bit
	python3 - "$1" "$2" <<-'P'
	import sys
	f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1)[0]
	f.seek(int(sys.argv[2])); f.write(bytes([b ^ 1]))
	P
}
others() { (cd "$T/m1" && find . -type f ! -path '*/datasets/*' ! -path '*/tmp/*' -printf '%P\n' | sort); }
tried=0
while read -r f; do
	n=$(stat -c %s "$T/m1/$f")
	[ "$n" -gt 0 ] || continue
	case $f in *bkp-restore) places="4000" ;; *) places="3 $((n / 3)) $((n - 1))" ;; esac
	for at in $places; do
		cp -p "$T/m1/$f" "$T/whole"
		flip "$T/m1/$f" "$at"
		status "$BKP" verify --medium m1 1
		[ "$STATUS" -lt 64 ] || die "bkp verify: exit $STATUS: bit at $at of $f"
		status "$BKP" verify --medium m1
		case $STATUS in 1 | 2 | 3) ;; *) cat "$T/out" "$T/err"; die "bkp verify: exit $STATUS: bit at $at of $f" ;; esac
		grep -qF "${f##*/}" "$T/err" || fail "bkp verify does not name $f (bit at $at)" "$T/err"
		status "$RESTORE" --medium "$T/m1" verify 2
		case $STATUS in 1 | 2 | 3) ;; *) cat "$T/out" "$T/err"; die "bkp-restore verify: exit $STATUS: bit at $at of $f" ;; esac
		grep -qF "${f##*/}" "$T/err" || fail "bkp-restore verify does not name $f (bit at $at)" "$T/err" "$T/out"
		cp -p --remove-destination "$T/whole" "$T/m1/$f"
		tried=$((tried + 1))
	done
done < <(others)
[ "$tried" -ge 30 ] || die "only $tried tries"
expect 0 "$BKP" verify --medium m1
say "$tried flipped bits in $(others | wc -l) files that belong to no generation: each seen and named by bkp verify and bkp-restore verify"

# the line of a generation's signature that nothing signs (damage:laden/#/generations/000001/SHA256SUMS.minisig,0:20:bit1)
sig=$docs/generations/000002/SHA256SUMS.minisig
cp -p "$sig" "$T/whole"; flip "$sig" 20
expect 2 "$RESTORE" --medium "$T/m1" verify 2
grep -q "E-VERIFY-02.*000002/SHA256SUMS.minisig' is not what was written" "$T/err" || die "the first line of a signature: $(cat "$T/err")"
expect 0 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet extract docs@2 --to "$T/first-line"
cp -p --remove-destination "$T/whole" "$sig"

# severities, and what does not belong there
flip "$T/m1/README.txt" 10
expect 1 "$BKP" verify --medium m1
# which of the two it is nobody can know: one fault
[ "$(grep -c 'E-VERIFY-15.*README.txt.*README.txt.minisig' "$T/err")" = 1 ] && [ "$(grep -c E-VERIFY-15 "$T/err")" = 1 ] ||
	die "a text that was changed: $(cat "$T/err")"
grep -q '2 copies of generations verified, 0 of them damaged; 1 files of no generation not as they must be' "$T/out" ||
	die "verify ends as if all were well: $(cat "$T/out")"
flip "$repo/keys.jsonl" 10
expect 2 "$BKP" verify --medium m1
tail -n 1 "$T/out" | grep -q '0 of them damaged; 2 files of no generation not as' || die "verify ends as if all were well: $(cat "$T/out")"
record outcome | grep -q '"exit":2.*0 of them damaged; 2 files of no generation not as' || die "the record of it: $(record outcome)"
expect 2 "$RESTORE" --medium "$T/m1" verify 2
grep -A1 'docs@2 is whole' "$T/out" | grep -q '^2 files of the medium, of no generation,' ||
	die "bkp-restore verify ends as if all were well: $(cat "$T/out")"
for x in "$T/m1/autorun.inf" "$repo/extra" "$docs/generations/note" "$docs/archives/00x" "$T/m1/tools/evil" \
	"$repo/procedures/other.md"; do : >"$x"; done
mkdir "$T/m1/x-site"; : >"$T/m1/x-site/inventory"
expect 2 "$BKP" verify --medium m1
[ "$(grep -c W-VERIFY-16 "$T/err")" = 6 ] || die "foreign files: $(cat "$T/err")"
rm "$T/m1/autorun.inf" "$repo/extra" "$docs/generations/note" "$docs/archives/00x" "$T/m1/tools/evil" "$repo/procedures/other.md"
expect 0 "$BKP" repair M1 # names of media are typed by hand: in any case
grep -q "README.txt' written anew" "$T/out" && grep -q "keys.jsonl' written anew" "$T/out" || die "repair: $(cat "$T/out")"
expect 0 "$BKP" verify

# the folder as a first run that died may leave it, before its list was announced or behind that (kill:first:any:1492:kill)
mv "$repo/procedures" "$T/procedures"; mkdir "$repo/procedures"; : >"$repo/procedures/.SHA256SUMS.next.tmp"
expect 0 "$BKP" verify --medium m1
: >"$repo/procedures/p.md"
expect 1 "$BKP" verify --medium m1
grep -q "E-VERIFY-17.*procedures/SHA256SUMS' is missing" "$T/err" || die "a procedure without a list: $(cat "$T/err")"
rm -r "$repo/procedures"; mv "$T/procedures" "$repo/procedures"
expect 0 "$BKP" verify --medium m1

# a link in a folder's place leads nowhere, whatever it leads to; one in a file's place is another file, not an unreadable one
thaw "$T/m1"
mkdir "$T/outside"; : >"$T/outside/of-others"
mapfile -t free < <(printf '%02x\n' {0..255} | grep -vxFf <(ls "$docs/archives"))
ln -s "$T/outside" "$docs/archives/${free[0]}"; ln -s "$T/nowhere" "$docs/archives/${free[1]}"
expect 2 "$BKP" verify --medium m1
grep -q "E-VERIFY-15.*archives/${free[0]}" "$T/err" && grep -q "E-VERIFY-15.*archives/${free[1]}" "$T/err" ||
	die "links among the archives: $(cat "$T/err")"
! grep -q of-others "$T/err" || die "a link was followed out of the medium"
expect 2 "$RESTORE" --quiet --medium "$T/m1" verify 1
! grep -q of-others "$T/err" || die "bkp-restore followed a link out of the medium"
rm "$docs/archives/${free[0]}" "$docs/archives/${free[1]}"
mv "$T/m1/README.txt" "$T/readme"; ln -s "$T/readme" "$T/m1/README.txt"
expect 1 "$BKP" verify --medium m1
grep -q "E-VERIFY-15.*README.txt" "$T/err" || die "a link in the place of README.txt: $(cat "$T/err")"
expect 0 "$BKP" repair m1
[ ! -L "$T/m1/README.txt" ] && cmp "$T/readme" "$T/m1/README.txt" || die "README.txt is a link still"

# all of them at once, and then archives and documents of generations
while read -r f; do [ ! -s "$T/m1/$f" ] || flip "$T/m1/$f" 3; done < <(others)
expect 0 "$BKP" repair m1
expect 0 "$BKP" verify
compgen -G "$repo/journal/damaged-*" >/dev/null || die "the damaged copy of the journal was not kept"
record repaired | grep -q '"medium":' || die "the repair is not in the journal"
expect 0 "$BKP" journal show
grep '  repaired  ' "$T/out" | tail -n 1 | grep -q 'files=\[[^];]*; [^];]*; [^];]*; … ([0-9]* in all)\]' ||
	die "which files: $(grep repaired "$T/out")"
"$BKP" journal export --format csv | grep '"repaired"' | tail -n 1 | grep -q 'written anew: [0-9]* ([^;]*; .* in all)' ||
	die "the export does not say which files"
hashes() { (cd "$1" && find . -type f -path '*/datasets/*' -exec sha256sum {} + | sort -k 2); }
hashes "$T/m2" >"$T/truth"
thaw "$T/m1"
flip "$docs/$(cd "$docs" && find archives -name '*.age' | head -n 1)" 500
rm "$docs/$(cd "$docs" && find archives -name '*.age' | tail -n 1)"
flip "$docs/generations/000001/root.age" 30
rm "$docs/generations/000002/places.age"
flip "$docs/generations/000002/SHA256SUMS" 30
flip "$docs/generations/000002/SHA256SUMS.minisig" 80
expect 2 "$BKP" verify --medium m1
# one medium alone does not do; with the other one everything comes back, and it is said
both() { "$RESTORE" --medium "$T/m1" --medium "$T/m2" --identity "$T/id.txt" "$@"; }
expect 2 restore_to "$T/m1" 2 "$T/alone"
for g in 1 2; do
	expect 1 both extract "docs@$g" --to "$T/both$g"
	grep -q 'W-ARCHIVE-18\|E-VAULT-0\|root.age' "$T/err" || die "that a medium is damaged is not said: $(cat "$T/err")"
	cmp "$T/both$g$T/src/b" "$T/src/b" && cmp "$T/both$g$T/src/a" "$T/src/a" || die "generation $g from two media"
done
say "what is damaged on one medium is taken from the second --medium: all restored, exit 1, said"
expect 0 "$BKP" repair
hashes "$T/m1" | cmp - "$T/truth" || die "repair did not make of m1 what m2 is"
record verified | grep -q '"files":[1-9][0-9]*,"bytes":[1-9]' || die "what was read anew is not in the record: $(record verified)"
expect 0 "$BKP" verify --quiet
thaw "$T/m1"
for g in 1 2; do grep -o 'archives/.*' "$docs/generations/00000$g/SHA256SUMS" | sort >"$T/list$g"; done
flip "$docs/$(comm -12 "$T/list1" "$T/list2" | head -n 1)" 500
expect 0 "$BKP" repair
[ "$(grep -c 'mended from its parity' "$T/out")" = 1 ] ||
	die "mended again for each generation that shares it: $(cat "$T/out")"
# an archive that only a damaged list names
flip "$docs/$(comm -13 "$T/list1" "$T/list2" | head -n 1)" 500
flip "$docs/generations/000002/SHA256SUMS" 30
expect 0 "$BKP" repair
hashes "$T/m1" | cmp - "$T/truth" || die "an archive that only a damaged list names was left"
expect 0 restore_to "$T/m1" 2 "$T/back"
cmp "$T/back$T/src/b" "$T/src/b" || die "what was repaired does not restore"
# of an online medium that is away nobody knows whether it is whole; as verify says it
mv "$T/m2" "$T/away"
expect 1 "$BKP" repair
grep -q "E-MEDIA-01: .*m2" "$T/err" || die "that m2 was not looked at is not said: $(cat "$T/err")"
expect 0 "$BKP" repair m1
mv "$T/away" "$T/m2"
expect 0 "$BKP" repair
say "bkp repair: everything that belongs to no generation anew from this host; archives and documents of generations from the sister medium"

# a source that is itself damaged: nothing good goes for it, what it has whole is still taken, the rest is not left undone
other=$(repo_of "$T/m2")
thaw "$T/m1" "$T/m2"
cp -a "$other" "$T/other"
large=$(cd "$docs" && ls -S archives/*/*.age | head -n 1)
flip "$docs/$large" 500
flip "$docs/generations/000001/manifest.json" 30
flip "$other/datasets/docs/generations/000001/root.age" 30
rm "$other/datasets/docs/generations/000002/root.age"
mkfifo "$other/datasets/docs/generations/000002/root.age"
kept=$(sha256sum <"$docs/generations/000001/root.age")
expect 2 "$BKP" repair m1
[ "$(sha256sum <"$docs/generations/000001/root.age")" = "$kept" ] || die "a damaged source made repair delete a good document"
cmp "$docs/$large" "$T/other/datasets/docs/$large" || die "a damaged source kept repair from what it has whole: $(cat "$T/err")"
thaw "$T/m1" "$T/m2"
cp -a --remove-destination "$T/other/." "$other"
flip "$docs/$large" 500
touch "$T/m1/autorun.inf"
expect 1 "$BKP" repair m1 # the list and what it lists, in one go
grep -A1 W-VERIFY-16 "$T/err" | grep -q → || die "what to do about a foreign file: $(cat "$T/err")"
rm "$T/m1/autorun.inf"
grep -q "manifest.json\|generations/000001" "$T/out" && grep -q "${large##*/}' mended from its parity" "$T/out" ||
	die "repair: $(cat "$T/out" "$T/err")"
hashes "$T/m1" | cmp - "$T/truth" || die "repair did not make of m1 what m2 is"
expect 0 "$BKP" verify --quiet
say "a damaged source of a repair harms nothing, and hinders nothing"

# what a repair cannot mend it calls as bad as verify does
mkdir "$T/sbin"; cp "$BKP" "$T/sbin/"; cp -r "${BKP%/bkp}/tools" "$T/sbin/"
echo "# another" >>"$T/sbin/tools/rescue.py"
thaw "$T/m1"; flip "$T/m1/tools/rescue.py" 300
expect 2 "$T/sbin/bkp" verify --medium m1
expect 2 "$T/sbin/bkp" repair m1
expect 0 "$BKP" repair m1

# the other medium has it no better: said, once for each of the two though both generations rest on it, exit 2, nothing deleted
thaw "$T/m1" "$T/m2"
a=$(comm -12 "$T/list1" "$T/list2" | head -n 1)
flip "$docs/$a" 500
flip "$(set_of "$T/m2")/$a" 700
rm -r "$(repo_of "$T/m1")/parity" "$(repo_of "$T/m2")/parity"
sum=$(sha256sum <"$docs/$a")
expect 2 "$BKP" repair
[ "$(grep -c E-MEND-01 "$T/err")" = 2 ] || die "that nobody has it whole: $(cat "$T/err")"
grep -q '^0 files mended, 2 could not be' "$T/out" || die "what could not be mended is miscounted: $(cat "$T/out")"
status "$BKP" status
grep -q "are damaged, .*'bkp repair m1'" "$T/out" || die "the status does not lead to a repair: $(cat "$T/out")"
[ "$(sha256sum <"$docs/$a")" = "$sum" ] || die "a damaged archive went though nobody has another"
say "what no medium has whole is named and stays as it is"
