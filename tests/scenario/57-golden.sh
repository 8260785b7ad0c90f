#!/bin/bash
# Goal: format 1 is frozen.  The media in tests/golden/, one by the product, one by a writer that was written from the documents alone, are
# read to the last byte by every command that reads, by rescue.py, and by hand as docs/format.md says; nothing on them, nor on the
# demo's media, is anything that the documents do not name (tests/lib/format_check.py); both checks can fail.  What is reserved for later
# is ignored, and a generation of a newer format is refused alone.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || { say "nothing, needs root"; exit 0; }
G=$SRC_ROOT/tests/golden
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
check() { python3 "$SRC_ROOT/tests/lib/format_check.py" --docs "$SRC_ROOT/docs" "$@"; }
mine=(--identity "$G/identity.txt" --identity "$G/nested.txt")
cd "$T" || exit 1

(cd "$G" && sha256sum --quiet -c SHA256SUMS) || die "a golden medium is another: README.md there says what that means"
for m in product writer; do
	mkdir $m
	zstd -dcq "$G/$m.tar.zst" | tar -C $m -xp
	zstd -dcq "$G/$m.trees.zst" >$m.trees
done

# ---- reading
want() { sed -n "s/^$2 //p" "$1.trees" | grep -a "^$3"; } # MEDIUM N PATTERN
differs() { # MEDIUM N DIR [without ACLs]: DIR/docs and DIR/emr are not that run, by treedump.py
	(cd "$3/docs/srv/golden" && python3 "$SRC_ROOT/tests/lib/treedump.py" .) | grep -a '^docs' >have
	want "$1" "$2" docs >should
	[ -z "${4:-}" ] || sed -i '/^docs\/rights\/acl/d' have should
	! cmp -s have should || { want "$1" "$2" emr.dump | grep -o 'size=.*' >should
		(cd "$3/emr" && python3 "$SRC_ROOT/tests/lib/treedump.py" .) | grep '^emr.dump' | grep -o 'size=.*' >have
		! cmp -s have should || return 1; }
	diff have should | cat -v | head -n 5
}
same() { ! differs "$@" || die "$1, run $2: another tree in $3"; }
restore() { "$RESTORE" --quiet --lang en --medium "$medium" --root-key "$root" "$@"; }
rescue() { python3 -I "$SRC_ROOT/restore/rescue.py" "$1" --root-key "$root" --identity "$G/identity.txt" "${@:2}"; }

sums() { (cd "$1" && find . -type f ! -name 'more-than-1-GiB*' -print0 | sort -z | xargs -0 sha256sum); }
by_programs() { # N
	local one with=(--identity "$G/identity.txt")
	rm -rf o
	restore "${with[@]}" extract "$1" --to o --same-owner && same $m "$1" o || return 1
	restore "${with[@]}" list "docs@$1" | grep -o ' srv/golden/docs.*' >list || return 1
	[ "$(wc -l <list)" = "$(want $m "$1" docs | wc -l)" ] || { echo "list: $(wc -l <list) entries"; return 1; }
	for one in many-chunks holes small/07 hard-a; do
		restore "${with[@]}" cat "docs@$1" "srv/golden/docs/$one" | cmp - "o/docs/srv/golden/docs/$one" || return 1
	done
	if [ "$1" = 3 ]; then # a GiB of zeros goes through the pipe
		restore "${with[@]}" export "docs@$1" | tar -C o -xp --exclude='more-than-1-GiB*' &&
			sums o/srv/golden/docs >exported || return 1
		sums o/docs/srv/golden/docs | cmp - exported || return 1
	fi
	restore verify "$1" >said || return 1
	restore --identity "$G/nested.txt" verify "$1" --deep >said || return 1
	rm -rf o
	rescue list "$medium" "docs@$1" >list && rescue extract "$medium" "$1" o && same $m "$1" o without-acls
}
by_hand() { # N PERIOD: the blocks of docs/format.md
	local b
	rm -rf doc blocks
	mkdir doc blocks
	awk -v to="blocks/" '/^```sh$/ {on = 1; n++; next} /^```$/ {on = 0} on {print > (to n)}' "$SRC_ROOT/docs/format.md"
	sed -i "s/period-1/period-$2/" blocks/5
	for b in 1 2 3 5; do
		(cd doc && M=$medium R=$(repo_of "$medium") S=docs N=00000$1 ID=$by KEY=$root sh -eu "../blocks/$b") >"hand.$b" 2>&1 ||
			{ cat "hand.$b"; return 1; }
	done
	grep -q 'comment signature verified' hand.5 && grep -q '"kind":"bkp-root"' hand.5
}
reads() { # MEDIUM ALL [N…]: those generations, by default all; what is wrong is said
	local n m=${1##*/} medium=$T/$1 root by
	root=$(cat "$G/$m.root") # on paper
	[ "$(restore generations --json | jq -r '.generations[] | "\(.dataset)@\(.generation) \(.state)"' | sort)" = "$(
		for n in $2; do echo "docs@$n complete" "emr@$n complete"; done | tr ' ' '\n' | paste -d' ' - - | sort)" ] ||
		{ echo "other generations"; return 1; }
	for n in ${3:-$2}; do by_programs "$n" || return 1; done
	by=$G/identity.txt
	by_hand 2 1 || return 1
	by=$G/nested.txt
	by_hand 3 2 || return 1
	check "${mine[@]}" "$medium"
}
reads product "2 3 4" >out 2>&1 || fail "the product's golden medium" out
reads writer "1 2 3" "1 3" >>out 2>&1 || fail "the other writer's golden medium" out
for f in @ hole "more than 1 GiB of holes" "several chunks" slice lz4 zst xattr SCHILY.acl.default nested previous.age segments together \
	probe said "event expired" "event keys" approver continued "type 6" hdrcharset linkpath; do
	grep -q "seen:.*\( \)$f\(,\|$\)" out || fail "no golden medium has: $f" out
done
say "both golden media: each generation by bkp-restore, rescue.py and by hand, with a plain and a nested identity"

# ---- it can fail
repo=$(cd product && echo ????????-*) flips=0
for f in README.txt "$repo"/{keys.jsonl,keys/1/period-1.json,keys/2/previous.age,journal/000001.jsonl} \
	"$repo"/datasets/docs/generations/000003/{manifest.json,places.age,SHA256SUMS.minisig} \
	"$(cd product && ls -S "$repo"/datasets/docs/archives/*/*.age | head -n 1)"; do
	flips=$((flips + 1))
	cp -a product flip$flips
	python3 - "flip$flips/$f" <<'P'
import os, sys
mode = os.stat(sys.argv[1]).st_mode
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) * 3 // 4] ^= 1
os.chmod(sys.argv[1], 0o644)
open(sys.argv[1], "wb").write(data)
os.chmod(sys.argv[1], mode)
P
	case $f in *3/SHA256SUMS* | */archives/*) mv product whole; mv flip$flips product
		! reads product "2 3 4" 3 >out 2>&1 || fail "a flipped byte in $f is read over" out
		mv product flip$flips; mv whole product ;;
	esac
done
check "${mine[@]}" product flip* >out || true
grep -q '^product: .* 0 faults' out && [ "$(grep -c '^flip.* [1-9][0-9]* faults' out)" = $flips ] || fail "a flipped byte is not found" out
cp "$G"/*.zst "$G/SHA256SUMS" .
printf x | dd of=writer.tar.zst bs=1 seek=5000 conv=notrunc status=none
! sha256sum --quiet -c SHA256SUMS >out 2>&1 || die "a golden file that was replaced is not noticed"
say "one byte flipped in each of $flips kinds of files is found, and so is a golden medium that was replaced"

# what no document names: the writer makes media of two files that have it, properly signed
mkdir -p tiny/1/docs
seq 1000 >tiny/1/docs/a
echo x | tee tiny/1/docs/b >tiny/1/emr.dump
setfattr -n user.x -v y tiny/1/docs/b
patterns=()
names() { # SED PATTERN: what the checker is to say of the medium of a writer that was changed so
	local n=${#patterns[@]}
	patterns+=("$2")
	mkdir -p "t$n/tests/golden"
	ln -s "$SRC_ROOT/docs" "t$n/docs"
	sed "$1" "$G/writer.py" >"t$n/tests/golden/writer.py"
	[ $n = 0 ] || ! cmp -s "t$n/tests/golden/writer.py" "$G/writer.py" || die "nothing is changed by $1"
	python3 "t$n/tests/golden/writer.py" "$G" "odd$n" tiny >/dev/null &
	[ $((n % 2)) = 0 ] || wait
}
names '' '0 faults'
names 's/"utc_offset": 32400/&, "mood": "good"/' 'bkp-generation: member mood is not named'
names 's/"probe": "400"/"weather": 1, &/; s/else None, \*\*/else None, "weather": 1, **/' 'bkp-root: member weather is not named'
names 's/SCHILY.xattr." + key/SCHILY.fancy." + key/' 'the record SCHILY.fancy.user.x is not named'
names 's/"archive": number, "sha256"/"archive": number, "codec": "zstd", "sha256"/' 'a line of root.age: member codec is not named'
names 's/record("outcome"/record("finale"/' 'the event finale is not named'
names 's/recovered=False/&, luck=7/' 'event committed: member luck is not named'
names 's/"frozen": False/&, "warm": True/' 'event committed.media: member warm is not named'
names 's/header(b"INDEX", b"0", 0)/header(b"NOTES", b"0", 0) + &/' 'an entry is called NOTES'
names 's/s155s12x"/s155s11sx"/; s/device, b"")/device, b"", b"!")/' 'says something in a field that is not named'
names 's/index += "end %d %d\\n"/index += "codec zstd\\n"; &/' 'INDEX (says|ends|has another)'
names 's/"--no-check", path/"--check", path/' 'a Zstandard frame with a checksum'
names 's/"bkp-places 1 /"bkp-places 1  /' 'places.age begins with'
names 's/kind=%s repository=%s%s"/kind=%s by=me repository=%s%s"/' 'the trusted comment is'
wait
n=${#patterns[@]}
cp -a odd0 odd$n
patterns+=('notes.txt: no document names this file')
touch "$(repo_of odd$n)/datasets/emr/notes.txt"
n=${#patterns[@]}
cp -a odd0 odd$n
patterns+=('tools/lib: no document names this folder')
mkdir odd$n/tools/lib
check "${mine[@]}" odd* >out 2>err || true
for n in "${!patterns[@]}"; do
	grep -qE "^odd$n: .*${patterns[n]}" out || fail "of odd$n it is not said: ${patterns[n]}" out err
done
say "the checker refuses a file, a folder, members of manifest.json, root.age and of events, an event, a pax record, a name and a field" \
	"in an archive, lines, a frame and a comment that the documents do not name"

# ---- the demo's media, made by its policy of fewer files; and everything a site does in its first week
mkdir nas ssd rdx
python3 "$SRC_ROOT/policies/demo/clinic.py" make clinic 200
sed "s|@T@|$T|g; s|@D@|$SRC_ROOT/policies/demo|g" "$SRC_ROOT/policies/demo/policy.yaml" >policy.yaml
age-keygen -o id.txt 2>/dev/null
"$BKP" init --recipient "$(age-keygen -y id.txt)" --root-key-out root.key >init.out
for n in nas ssd RDX-01; do "$BKP" medium add $n >out 2>&1; done
status "$BKP" --quiet run --all
python3 "$SRC_ROOT/policies/demo/clinic.py" day clinic 2
sed 's/cat @T@.*/false/; s|@T@|'"$T"'|g; s|@D@|'"$SRC_ROOT"'/policies/demo|g' "$SRC_ROOT/policies/demo/policy.yaml" >policy.yaml
"$BKP" --quiet accept --policy-change --operator 事務長 --reason test >out 2>&1 || true
status "$BKP" --quiet run --all
sed "s|@T@|$T|g; s|@D@|$SRC_ROOT/policies/demo|g" "$SRC_ROOT/policies/demo/policy.yaml" >policy.yaml
"$BKP" --quiet accept --policy-change --operator 事務長 --reason test >out 2>&1 || true
status "$BKP" --quiet run --all
status "$BKP" rotate RDX-01 --operator 事務長
python3 "$SRC_ROOT/policies/demo/clinic.py" encrypt clinic 3
status "$BKP" --quiet run --all
status "$BKP" hold files@4 --operator 事務長 --reason test
status "$BKP" release files@4 --operator 事務長 --reason test
status "$BKP" accept files@4 --operator 事務長 --reason test
status "$BKP" --quiet schedule install --kind cron --root "$T/host"
status "$BKP" verify
mv rdx shelf
status "$BKP" medium move RDX-01 --operator 事務長
status "$BKP" --quiet run --all
check --identity id.txt nas ssd shelf >out || fail "the demo's media" out
grep -q 'event failed.*event held.*event medium-moved.*event rotated' out || fail "the demo's journal" out
say "the demo's media: $(sed -n 's/^nas: //p' out), on three media"

# ---- what is reserved is ignored; a newer generation is refused, and nothing else
mkdir s f
for n in 1 2 3; do cp -a tiny/1 s/$n; done
python3 "$G/writer.py" "$G" f s 2 >/dev/null
repo=$(repo_of f)
for d in f "$repo"; do
	for n in rotations x-site; do mkdir -p "$d/$n/deep" && echo "not ours" >"$d/$n/deep/file"; done
	echo "not ours" >"$d/x-file"
done
mkdir -p "$repo/keys/vendor/1" f/00000000-1111-4222-8333-444444444444
echo "not ours" | tee "$repo/keys/vendor/1/period.json" "$repo/journal/damaged-000001" >"$repo/.keys.jsonl.tmp"
root=$(cat "$G/writer.root") medium=f
restore --repository "$(basename "$repo")" verify emr@3 >out 2>err || fail "what is reserved is not ignored"
! grep -q W- out err || fail "what is reserved is not ignored"
mkdir -p f/policy/deep "$repo/policy" # in a repository it has files of its own
restore --repository "$(basename "$repo")" verify emr@3 >out 2>err || fail "what is reserved is not ignored"
echo "not ours" >"$repo/policy/file"
! restore --repository "$(basename "$repo")" verify emr@3 >out 2>err || fail "a foreign file among the policies is ignored"
said W-VERIFY-16
rm -r "$repo/policy"
mkdir "$repo/others"
! restore --repository "$(basename "$repo")" verify emr@3 >out 2>err || fail "what is not reserved is ignored"
said W-VERIFY-16
rmdir "$repo/others" f/0*
expect 1 restore generations --json
[ "$(jq -c '[.generations[].state]' out)" = '["complete","complete","newer","complete","complete","complete"]' ] || fail "states"
expect 2 restore --identity "$G/identity.txt" extract docs@3 --to o3
said 'E-GEN-02.*format is 2'
expect 2 restore verify docs@3
said 'E-GEN-02'
expect 2 restore --identity "$G/identity.txt" extract docs@latest --to o3
for g in docs@2 emr@3; do expect 0 restore --identity "$G/identity.txt" extract $g --to "o.$g"; done
status rescue extract f docs@3 o4
said 'docs@3: its format is 2'
status rescue extract f docs@2 o4
cmp s/2/docs/a o4/srv/golden/docs/a || fail "rescue.py beside a newer generation"
say "reserved names, rings and another repository are ignored; a generation of format 2 is refused by its format, the others are read"
