#!/bin/bash
# Goal: whatever becomes of what is remembered of the last capture (statcache.h), it costs time and never content: cut, changed,
# of another data set or repository, without room, read-only, about archives that are gone, numbers that were given out twice.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
[ "$(id -u)" = 0 ] || { say "nothing: mounts and flags need root"; exit 0; }
src=$T/src
site_of_nights
cache=$T/state/cache/stat
night 0 docs
change "two files of two names" sh_c 'ln d1/f001 d3/linked; ln d4/f002 d4/f003.also'
# ---- what is remembered is damaged, or not ours
night 0 other
cp "$cache/other.cache" "$T/other.cache"
mkdir "$T/n1"
cat >"$T/policy2.yaml" <<Y
site: {name: other, language: en}
state: $T/state2
datasets:
  - {name: docs, paths: [$src]}
media:
  - {name: n1, type: hdd, path: $T/n1, place: x}
Y
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --policy "$T/policy2.yaml" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" medium add n1 --policy "$T/policy2.yaml" >/dev/null 2>&1
night 0 --policy "$T/policy2.yaml" docs
damage() { # WHAT PYTHON: done to the bytes p of the cache; a night that changes two files
	python3 - "$cache/docs.cache" "$2" <<'P'
import random, sys
rnd = random.Random(5)
p = bytearray(open(sys.argv[1], "rb").read())
exec(sys.argv[2])
open(sys.argv[1], "wb").write(p)
P
	EXPECT=0 change "what is remembered, $1" sh_c "echo $RANDOM >d1/f010; echo $RANDOM >d4/f010"
	night_traced 0 docs
	[ "$(opened | sort -u | while read -r f; do [ "$(stat -c %h "$f")" -gt 1 ] || echo "$f"; done | wc -l)" = 0 ] ||
		die "$1: the night after opened files again"
	EXPECT=0 change "the night after: $1" true
}
damage "half of it" 'del p[len(p) // 2:]'
damage "empty" 'p = b""'
damage "50 bytes changed" 'for _ in range(50): p[rnd.randrange(len(p))] ^= 1 << rnd.randrange(8)'
damage "50 others" 'for _ in range(50): p[64 + rnd.randrange(len(p) - 64)] = rnd.randrange(256)'
damage "a part of it twice" 'p[1000:1000] = p[500:9000]'
cp "$T/other.cache" "$T/x"
damage "of another data set" "p = open('$T/x', 'rb').read()"
damage "of another repository" "p = open('$T/state2/cache/stat/docs.cache', 'rb').read()"
mv "$cache" "$cache.real"
mkdir -m 700 "$cache"
mount -t tmpfs -o size=16k,mode=700 tmpfs "$cache"
EXPECT=1 change "no room for it" true
grep -q '"slow":".*docs' "$T/json" || die "it was not told that nothing can be remembered"
umount "$cache"
mount -t tmpfs -o ro,mode=700 tmpfs "$cache"
EXPECT=1 change "read-only" true
grep -q '"slow":".*docs' "$T/json" || die "it was not told that nothing can be remembered"
umount "$cache"
rmdir "$cache"
mv "$cache.real" "$cache"
change "no file with two names" rm d3/linked d4/f003.also # entries of such are made anew every night
night 0 docs
mount --bind "$cache" "$cache"
mount -o remount,bind,ro "$cache"
EXPECT=0 change "read-only, and nothing changed" true
EXPECT=1 change "read-only, and a change" sh_c 'echo ro >d1/f011'
umount "$cache"
change "writable again" true

# ---- archives that are not there any more
m1=$(set_of "$T/m1") m2=$(set_of "$T/m2")
thaw "$T/m1" "$T/m2"
# the archives that hold most of what is read: all but the youngest three
for a in $(cd "$m1/archives" && find . -name '*.age' | sort | tail -n 12 | head -n 9); do
	rm "$m1/archives/$a" "$m2/archives/$a"
done
night 0 docs
[ "$(field new_bytes)" -gt 100000 ] || die "the test does not test: nothing was stored again"
same_tree "archives gone from all media"
mv "$T/m2" "$T/m2.away"
mkdir "$T/m2"
EXPECT=1 change "on one medium" sh_c 'head -c 2000000 /dev/urandom >d1/new; for i in $(seq 50); do echo "$i new" >d1/new-$i; done'
mv "$T/m1" "$T/m1.away"
mkdir "$T/m1"
rmdir "$T/m2"
mv "$T/m2.away" "$T/m2"
night 1 docs
same_tree "on the other medium" m2
rmdir "$T/m1"
mv "$T/m1.away" "$T/m1"
night 0 docs
same_tree "both again"
same_tree "both again" m2

# ---- numbers that a run had given out when it was killed
for when in 2 4 6; do
	find "$src" -name 'new*' -delete
	for i in $(seq 40); do head -c 200000 /dev/urandom >"$src/d1/new-$i"; done
	NIGHT=$((NIGHT + 1))
	status strace -f -qq -o /dev/null -E "LD_PRELOAD=$FAKE" -E "FAKECLOCK=$((NIGHT * 86400))" \
		-e trace=renameat2 -e inject=renameat2:signal=KILL:when=$when "$BKP" run docs
	[ "$STATUS" = 137 ] || die "the run was not killed: $STATUS"
	for i in $(seq 40); do [ $((i % 3)) = 0 ] || head -c 200000 /dev/urandom >"$src/d1/new-$i"; done
	change "killed, then other content under the same numbers" true
done
# ---- damaged when it is spliced, while a path of the data set is not there: that stays told
mkdir -p "$T/twice/a" "$T/twice/b"
for i in $(seq 600); do echo "$i" >"$T/twice/a/f$i"; done
echo x >"$T/twice/b/x"
sed "s|^media:|  - {name: twice, paths: [$T/twice/a, $T/twice/b]}\n&|" "$T/policy.yaml" >"$T/policy3.yaml"
night 0 --policy "$T/policy3.yaml" twice
mv "$T/twice/b" "$T/twice/away"
echo changed >"$T/twice/a/f77"
python3 - "$cache/twice.cache" <<'P'
import sys
p, i = bytearray(open(sys.argv[1], "rb").read()), 64
while i < len(p): # a byte of the body of every record (statcache_private.h)
    head, body = (int.from_bytes(p[i + at:i + at + 4], "little") for at in (8, 12))
    p[i + 48 + head + body // 2] ^= 1
    i += 48 + head + body
open(sys.argv[1], "wb").write(p)
P
night 1 --policy "$T/policy3.yaml" twice
grep -q '"verdict":"partial"' <(tr -d ' ' <"$T/json") || die "a path that is not there was forgotten with the cache"
say "what is remembered cut, changed, exchanged, without room, read-only, of archives that are gone or numbers given out again: right" \
	"generations"
