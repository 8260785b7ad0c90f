#!/bin/bash
# Goal: what the host could not do (no descriptors, no memory, an interrupted call, a device that gives an error for one file) is not
# recorded as damage of a medium: exit 3 (verify) or 1 (run), said, and believed as before; a file that was read and is wrong, or is
# missing, still is damage.
. "$(dirname "$0")/../lib/site.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
site_make
head -c 300000 /dev/urandom >"$T/src/a"
expect 0 "$BKP" run --all
repo=$(repo_of "$T/m1") docs=$(set_of "$T/m1")
inject() { # CALL ERROR FILE COMMAND...
	local call=$1 error=$2 file=$3
	shift 3
	status strace -f -qq -o /dev/null -P "$file" -e "trace=$call" -e "inject=$call:error=$error:when=1+" "$@"
}
nothing_recorded() { ! grep -q verify-failed "$T/state/journal/000001.jsonl" || die "$1: recorded as damage: $(record verify-failed)"; }
whole() { expect 0 "$BKP" --quiet verify; }

archive=$(find "$docs/archives" -type f -size +100k)
for error in EMFILE ENFILE ENOMEM ENODEV EIO; do
	for file in "$archive" "$docs/generations/000001/SHA256SUMS" "$docs/generations/000001/manifest.json"; do
		inject read,pread64 "$error" "$file" "$BKP" verify --medium m1
		[ "$STATUS" = 3 ] || fail "$error of $(basename "$file"): exit $STATUS"
		grep -q E-VERIFY-14 "$T/err" || fail "$error: it is not said that nothing is known" "$T/err"
		nothing_recorded "verify, $error"
	done
	inject read,pread64 "$error" "$archive" "$RESTORE" --medium "$T/m1" verify 1
	[ "$STATUS" = 3 ] || die "bkp-restore verify, $error: exit $STATUS"
done
whole
say "five errors of three files: exit 3, E-VERIFY-14, nothing recorded"
for file in "$repo/journal/000001.jsonl" "$repo/keys.jsonl" "$T/m1/README.txt"; do
	[ -e "$file" ] || continue
	inject read,pread64 EIO "$file" "$BKP" verify --medium m1
	[ "$STATUS" = 3 ] && ! grep -q E-VERIFY-15 "$T/err" || fail "EIO of $(basename "$file"): exit $STATUS"
done
inject read,pread64 EIO "$archive" "$BKP" repair m1
[ "$STATUS" = 3 ] && grep -q E-MEND-03 "$T/err" || fail "repair of what cannot be read: exit $STATUS"
nothing_recorded "repair, EIO"
whole

status strace -f -qq -o /dev/null -P "$archive" -e trace=read,pread64 -e inject=read,pread64:error=EINTR:when=1 "$BKP" verify --medium m1
[ "$STATUS" = 0 ] || die "an interrupted call is no fault: exit $STATUS"
for n in $(seq 5 2 31); do
	(ulimit -n "$n"; "$BKP" verify >"$T/out" 2>"$T/err") && r=0 || r=$?
	case $r in 0 | 1 | 2 | 3) ;; *) die "verify with $n descriptors: exit $r" ;; esac
	grep -q DAMAGED "$T/out" && die "verify with $n descriptors speaks of damage"
	nothing_recorded "verify with $n descriptors"
	echo "$n" >"$T/src/b"
	(ulimit -n "$n"; "$BKP" --quiet run --all >"$T/out" 2>"$T/err") && r=0 || r=$?
	case $r in 0 | 1 | 2 | 3) ;; *) die "run with $n descriptors: exit $r" ;; esac
	nothing_recorded "run with $n descriptors"
done
expect 0 "$BKP" --quiet run --all
whole
say "EINTR is gone on from; 5 to 31 descriptors for run and verify: nothing recorded as damage"

next=$(printf %06d $(($(ls "$docs/generations" | tail -n 1 | sed 's/^0*//') + 1)))
echo new >"$T/src/c"
inject read,pread64 ENOMEM "$docs/generations/$next/SHA256SUMS" "$BKP" --quiet run --all
[ "$STATUS" = 1 ] && grep -q 'm1 not read back' "$T/out" || fail "a night that cannot read back: exit $STATUS"
nothing_recorded "a night that cannot read back"
expect 0 "$BKP" --quiet run --all
grep "\"event\":\"verified\",\"medium\":\"$(grep -o '"medium":"[^"]*","label":"m1"' "$T/state/journal/000001.jsonl" | head -n 1 |
	cut -d'"' -f4)" "$T/state/journal/000001.jsonl" | grep -q "\"dataset\":\"docs\",\"generation\":$((10#$next))," ||
	die "the next night does not read it back"
thaw "$T/m1"
mv "$T/m1/README.txt" "$T/readme"
mkdir -p "$T/m1/README.txt/in the way"
echo newer >"$T/src/c"
status "$BKP" run --all
[ "$STATUS" = 1 ] && grep -q E-DOCS-01 "$T/err" && grep -q 'm1: .* read back and equal' "$T/out" &&
	! grep -q 'not read back\|NOT verified' "$T/out" ||
	fail "a night whose papers cannot be brought: exit $STATUS"
thaw "$T/m1"
rm -r "$T/m1/README.txt"
expect 0 "$BKP" --quiet run --all
cmp -n 300 "$T/readme" "$T/m1/README.txt" || die "the next night does not bring the papers" # a date follows
say "papers that cannot be brought are named, and the read-back is not denied for it"
thaw "$T/m1"
rm "$archive"
expect 2 "$BKP" verify --medium m1
grep -q verify-failed "$T/state/journal/000001.jsonl" || die "a missing archive is no longer damage"
say "a night that cannot read back says so, and the next one does; what is missing is damage as before"

echo "nobody changes this" >"$T/src/canary"
site_policy "  - {name: docs, paths: [$T/src], canaries: [$T/src/canary]}"
expect 0 "$BKP" --quiet run --all
inject newfstatat EIO "$T/src/canary" "$BKP" --quiet run --all
[ "$STATUS" = 1 ] && grep -q "its canary.*cannot be read" "$T/err" && ! grep -q E-GUARD-01 "$T/err" ||
	fail "a canary that cannot be looked at: exit $STATUS"
expect 0 "$BKP" --quiet run --all
say "a canary that cannot be looked at makes nothing suspect"

mkdir "$T/m3"
echo "  - {name: m3, type: rdx, path: $T/m3, place: 金庫, offline: true}" >>"$T/policy.yaml"
expect 0 "$BKP" --quiet medium add m3
rotate() { "$BKP" rotate m3 --operator Sato --quiet; }
status rotate
[ "$STATUS" -le 1 ] || fail "rotation: exit $STATUS"
last=$(echo "$T"/m3/*-*-*-*-*/datasets/docs/generations/* | tr ' ' '\n' | tail -n 1)
thaw "$T/m3"
rm "$last/manifest.json"
inject read,pread64 EIO "$last/SHA256SUMS" "$BKP" rotate m3 --operator Sato --quiet
[ "$STATUS" = 1 ] && grep -q "could not be looked at" "$T/err" && record rotated | grep -q '"complete":false' ||
	fail "a rotation that cannot look at what the disk has: exit $STATUS"
status rotate
[ "$STATUS" -le 1 ] && [ -e "$last/manifest.json" ] || fail "the next rotation: exit $STATUS"
say "a rotation that cannot look at what the disk has does not call it complete; the next one mends it"

# the n-th time that something in the state folder is opened it cannot be
for n in $(seq 1 60); do
	status strace -f -qq -o "$T/trace" -P "$T/state" -e trace=openat -e "inject=openat:error=EIO:when=$n" \
		"$BKP" --quiet run --all
	grep -q INJECTED "$T/trace" || break
	[ "$STATUS" != 0 ] || for m in m1 m2; do
		carried "$(repo_of "$T/$m")"/journal/000001.jsonl || die "nothing can be opened ($n): exit 0, and $m does not carry it"
	done
done
[ "$n" -gt 8 ] || die "the state folder is used $n times only: the test does not test"
expect 0 "$BKP" --quiet run --all
say "what cannot be opened in the state folder, at each of $((n - 1)) times: exit 0 only where every medium carries the journal"

# the index of what is stored is a cache: one that is damaged, so that LMDB dies of it or gives up, does not cost the night
for i in $(seq 300); do echo "$i" >"$T/src/many-$i"; done
status "$BKP" --quiet run --all
expect 0 "$BKP" --quiet run --all
index=$T/state/cache/dedup/data.mdb
again=0 tried=0
for page in $(seq 2 3 $(($(stat -c %s "$index") / 4096 - 1))); do
	for at in 10 12 16; do
		[ -e "$index" ] || expect 0 "$BKP" --quiet run --all # what could not be mended is made by the next run
		[ "$(stat -c %s "$index")" -gt $((page * 4096 + at)) ] || continue # it was begun anew
		printf '\377' | dd of="$index" bs=1 seek=$((page * 4096 + at)) conv=notrunc 2>/dev/null
		head -c 30000 /dev/urandom >"$T/src/new"
		status "$BKP" --quiet run --all
		tried=$((tried + 1))
		[ "$STATUS" = 0 ] || { [ "$STATUS" = 1 ] && grep -q W-RUN-13 "$T/err" && again=$((again + 1)); } ||
			fail "the index is damaged in page $page at $at: exit $STATUS"
	done
done
[ "$again" -gt 0 ] || die "none of $tried damages of the index ended a run: the test does not test"
rm -rf "$T/o"
"$RESTORE" --quiet --medium "$T/m2" --identity "$T/id.txt" extract \
	docs@latest --to "$T/o" || die "extract"
[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/src/" "$T/o$T/src/")" ] || die "behind a damaged index another tree was captured"
say "$tried damages of the index of what is stored: $again runs were begun once more, none was lost"
