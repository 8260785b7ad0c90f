#!/bin/bash
# Goal: what rots on a disk is mended from the parity beside it, from other media, or from what is left on several, judged by sha256sum
# and by a mender in Python that was written from docs/format.md; what cannot be mended is said to be lost and stays as it is; parity comes
# to be by itself, is renewed when it is damaged, follows the policy and goes with its archive; and all of a medium is read again in time.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
# the policy, with the lines given before `datasets`
policy() {
	site_policy "  - {name: docs, paths: [$T/src], protect: 1h, generations: 1}"
	local line
	for line; do sed -i "s/^datasets:/$line\n&/" "$T/policy.yaml"; done
	"$BKP" --quiet accept --policy-change --operator Sato --reason test >/dev/null 2>&1 || true
}
mkdir -p "$T/src"
head -c 9000000 /dev/urandom >"$T/src/big"; echo small >"$T/src/small"
policy 'archive_size: 4 MiB'
site_make
expect 0 "$BKP" run
repo=$(set_of "$T/m1"); par=$(repo_of "$T/m1")/parity/docs
largest() { find "$repo/archives" -name '*.age' -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2; }
a=$(largest); name=$(basename "$a" .age); p=$par/${name:0:2}/$name.par; short=datasets/docs/archives/${name:0:2}/$name.age
field() { python3 -c 'import json, sys; o = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): o = o[int(k)] if k.isdigit() else o[k]
print(o)' "$T/out" "$1"; }
spoil() { # FILE OFFSET BYTES
	thaw "$1"
	dd if=/dev/urandom of="$1" bs=4096 iflag=fullblock oflag=seek_bytes seek="$2" count=$((($3 + 4095) / 4096)) conv=notrunc status=none
}
whole() { # MEDIUM: all archives on it hash to their names, by sha256sum
	find "$T/$1" -name '*.age' -path '*/archives/*' | while read -r f; do echo "$(basename "$f" .age)  $f"; done | sha256sum -c --quiet
}
as_new() { # every archive has its parity, the same as on the other medium, and nothing else is there
	local f
	diff -r "$(repo_of "$T/m1")/parity" "$(repo_of "$T/m2")/parity" || die "the parity of both media differs"
	[ "$(find "$par" -name '*.par' | wc -l)" = "$(find "$repo/archives" -name '*.age' | wc -l)" ] || die "an archive without parity"
	for f in "$par"/*/*; do
		[ -e "$repo/archives/${f:$((${#par} + 1)):2}/$(basename "$f" .par).age" ] || die "parity without an archive: $f"
	done
}
as_new
flip() { python3 -c 'import sys
with open(sys.argv[1], "r+b") as f: f.seek(int(sys.argv[2])); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 4]))' "$@"; }
for at in 0 200 4095 5000 $(($(stat -c %s "$p") - 1)) $(($(stat -c %s "$p") - 4000)); do
	chmod u+w "$p"; flip "$p" "$at"
	expect 1 "$BKP" verify --medium m1; said "E-VERIFY-15: m1: .*$name.par"
	expect 0 "$BKP" repair m1; said "$name.par' written anew"
	expect 0 "$BKP" verify --medium m1
done
as_new
say "any flipped bit of a parity file is found, and it is made anew"
share=$(($(stat -c %s "$p") * 1000 / $(stat -c %s "$a")))
[ "$share" -ge 50 ] && [ "$share" -le 70 ] || die "5 % of parity are $share per mille"
! lsattr "$p" | grep -q '^....i' || die "parity is frozen: it could not be renewed"
say "each archive of a run has its 5 % of parity on each medium"

# a run of 150 KiB and scattered sectors; the mender that shares no code with us; repair; sha256sum
spoil "$a" 1000000 150000; for at in 1 500000 2000001 3333333; do spoil "$a" $at 1; done
expect 2 "$BKP" verify --medium m1 --json
[ "$(field archives.0.verdict) $(field archives.0.how) $(field archives.0.file)" = "mendable parity $short" ] &&
	[ "$(field mendable) $(field lost)" = "1 0" ] ||
	fail "verify --json"
expect 2 "$BKP" verify --medium m1
said "m1: '$short': mendable from its parity"
python3 "$SRC_ROOT/tests/lib/mend_parity.py" "$a" "$p" "$name" | sha256sum | grep -q "^$name" || die "the mender in Python does not mend it"
mv "$T/m2" "$T/away"
expect 1 "$BKP" repair
said "m1: '.*$short' mended from its parity"
whole m1 || die "not mended"
[ "$(stat -c %a "$a")" = 444 ] && { ! lsattr "$a" >/dev/null 2>&1 || lsattr "$a" | grep -q '^....i'; } || die "mended, and not sealed again"
mv "$T/away" "$T/m2"
record repaired | grep -q '"parity":1' || die "the journal does not say how it was mended"
expect 0 "$BKP" verify
say "150 KiB in a run and scattered sectors are mended from parity, with no other medium there"

# truncated; and a byte more or less is no reason to be lost
thaw "$a"; chmod u+w "$a"; truncate -s -100000 "$a"
expect 0 "$BKP" repair m1; said 'mended from its parity'; whole m1 || die "the end is missing"
thaw "$a"; chmod u+w "$a"; echo more >>"$a"
expect 0 "$BKP" repair m1; whole m1 || die "with more at its end"

# sectors that give EIO: the device does not say what stands there
gcc -shared -fPIC -o "$T/badsector.so" "$SRC_ROOT/tests/lib/badsector.c" -ldl
sick() {
	LD_PRELOAD="$T/badsector.so" ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-} BADINODE="$inode" \
		BADSECTORS='8192+512 1500000+70000 4000000+100' "$@"
}
mv "$T/m2" "$T/away"
inode=$(stat -c %i "$a"); sha256sum "$a" >"$T/before"
expect 3 sick "$BKP" verify --medium m1
said "m1: '$short': mendable from its parity"
expect 1 sick "$BKP" repair
said "$short' mended from its parity"
[ "$(stat -c %i "$a")" != "$inode" ] || die "it was not written anew"
sha256sum -c --quiet "$T/before" || die "mended into another"
mv "$T/away" "$T/m2"
say "a truncated archive, one with a tail, one with sectors that cannot be read: mended"

# beyond the share: lost here, mendable from the other medium; and when both are so, from both halves
spoil "$a" 0 2000000
mv "$T/m2" "$T/away"
sha256sum "$a" >"$T/before"
expect 2 "$BKP" verify --medium m1; said "m1: '$short': LOST"
expect 2 "$BKP" repair
said E-MEND-01
sha256sum -c --quiet "$T/before" || die "what was lost was changed"
[ -z "$(ls -A "$(repo_of "$T/m1")/tmp")" ] || die "something was left under tmp/"
mv "$T/away" "$T/m2"
expect 2 "$BKP" verify --medium m1; said "m1: '$short': mendable from medium 'm2'"
b=${a/"$T/m1"/"$T/m2"}
spoil "$b" 2200000 1500000
# and of the parity there is one half left as well
spoil "$p" 4096 8000
expect 2 "$BKP" verify --json
[ "$(field archives.0.how) $(field archives.1.how) $(field lost)" = "several several 0" ] || fail "two halves"
expect 0 "$BKP" repair
said "m1: '.*$short' put together from what several media still have of it"
said "m2: '.*$short' copied from medium 'm1'"
whole m1 && whole m2 || die "two halves made no whole"
as_new
expect 0 "$BKP" verify
say "beyond the share it is lost and stays as it is; with two media one half of each is enough"

# a hostile parity file: any bytes, or the head of another one
# shellcheck disable=SC2016 # what each makes of $p
for make in 'head -c 200000 /dev/urandom >$p' ': >$p' 'rm $p; mkdir $p' 'rm $p; ln -s /dev/zero $p' 'rm $p; mkfifo $p' \
	'cp $(ls $par/*/*.par | grep -v $name | head -n 1) $p'; do
	chmod u+w "$p"; eval "$make"
	status "$BKP" verify --medium m1
	[ "$STATUS" = 1 ] || { [ "${make#rm \$p; mkdir}" != "$make" ] && [ "$STATUS" -lt 4 ]; } || fail "verify: $STATUS: $make"
	said "$name.par"
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" verify docs@1 --deep
	[ "$STATUS" != 2 ] && grep -q 'docs@1 is whole' "$T/out" || fail "bkp-restore verify: $make"
	spoil "$a" 1000 1
	expect 2 "$BKP" verify --medium m1; said "mendable from medium 'm2'"
	status "$BKP" repair m1
	whole m1 || fail "with a hostile parity file: $make"
	[ ! -d "$p" ] || rmdir "$p"
	expect 0 "$BKP" repair m1
	[ -f "$p" ] || { spoil "$a" 1000 1; "$BKP" repair m1 >/dev/null 2>&1 || true; expect 0 "$BKP" repair m1; }
	cmp -s "$p" "${p/"$T/m1"/"$T/m2"}" || fail "parity was not made anew after: $make"
done
say "whatever stands in the place of a parity file harms nothing, and is replaced"

# who never heard of parity restores: the static reader, and rescue.py, which is what a stranger would write
expect 0 restore_to "$T/m1" 1 "$T/o1"; diff -r "$T/src" "$T/o1$T/src" || die "restored otherwise"
expect 0 python3 "$SRC_ROOT/restore/rescue.py" --identity "$T/id.txt" extract "$T/m1" docs@1 "$T/o2"
diff -r "$T/src" "$T/o2$T/src" || die "rescue.py restored otherwise"

# another share: what is read again follows it; none: what there is stays, nothing new comes
policy 'archive_size: 4 MiB' 'parity: 20 %'
expect 0 "$BKP" repair
as_new
[ "$(stat -c %s "$p")" -gt $(($(stat -c %s "$a") / 5)) ] || die "the share did not follow the policy"
policy 'archive_size: 4 MiB' 'parity: 0 %'
echo two >"$T/src/two"
expect 0 "$BKP" run docs
[ "$(find "$par" -name '*.par' | wc -l)" -lt "$(find "$repo/archives" -name '*.age' | wc -l)" ] || die "parity: 0 % made some"
policy 'archive_size: 4 MiB' 'parity: 5 %'
expect 0 "$BKP" repair
as_new
say "another share, none, and again: the media follow the policy as they are read"

# all of a medium is read again within the period, a part each night; what has rotted is found, recorded and told
policy 'archive_size: 4 MiB' 'verify_every: 10d'
spoil "$a" 77777 1
parts() { python3 - "$T/state/journal/000001.jsonl" "$1" <<'P'
import json, sys
rows = [o for o in map(json.loads, open(sys.argv[1], encoding="utf-8"))]
m = next(o["medium"] for o in rows if o["event"] == "medium-added" and o["label"] == sys.argv[2])
seen = {}
for o in rows:
    if o["event"] == "reread" and o["medium"] == m:
        for i in range(o["parts"]):
            seen[(o["first"] + i) % 256] = seen.get((o["first"] + i) % 256, 0) + 1
print(len(seen), max(seen.values(), default=0))
P
}
found=0
for day in 1 2 3 4 5 6 7 8 9 10; do
	echo "$day" >"$T/src/day"
	status env "${FAKE_ENV[@]}" FAKECLOCK=$((day * 86400)) "$BKP" run docs
	! grep -q "$name" "$T/out" "$T/err" || { found=$day; [ "$STATUS" = 1 ] || fail "rot was found, exit $STATUS"; }
done
[ "$found" -gt 0 ] || fail "ten nights did not find it"
[ "$(parts m1 | cut -d' ' -f1)" = 256 ] || die "after ten nights $(parts m1) of 256 parts were read"
grep -q '"event":"verify-failed"' "$T/state/journal/000001.jsonl" || die "it is not recorded"
expect 0 env "${FAKE_ENV[@]}" FAKECLOCK=$((10 * 86400 + 3600)) "$BKP" repair
whole m1 || die "what the night found was not mended"
status env "${FAKE_ENV[@]}" FAKECLOCK=$((10 * 86400 + 4000)) "$BKP" status
! grep -q 'was not read through' "$T/out" "$T/err" || fail "status complains after ten nights"
status env "${FAKE_ENV[@]}" FAKECLOCK=$((26 * 86400)) "$BKP" status
said "'m1' was not read through since .*: run 'bkp verify --medium m1'"
say "ten nights read all of a medium again and found what had rotted on day $found; status says when they do not"

# it goes with its archive
rm "$T/src/big"; head -c 3000000 /dev/urandom >"$T/src/new"
for day in 27 28; do expect 0 env "${FAKE_ENV[@]}" FAKECLOCK=$((day * 86400)) "$BKP" run --anchor docs; done
expect 0 env "${FAKE_ENV[@]}" FAKECLOCK=$((29 * 86400)) "$BKP" expire --yes --operator Sato
[ ! -e "$a" ] || fail "the archive did not expire: the test is none"
[ ! -e "$p" ] || die "parity stayed behind its archive"
as_new
say "an archive that expires takes its parity along"
