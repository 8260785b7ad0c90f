#!/bin/bash
# Goal: a restore does not depend on the number of processors: the same tree, the same messages in the same order, the same counts,
# also with a damaged archive and into a target that is not empty; a full target leaves no half file; a single file needs three
# archives and no more.
. "$(dirname "$0")/../lib/site.sh"
lib=$(dirname "$0")/../lib
[ "$(id -u)" = 0 ] || { echo "proved: nothing, needs root"; exit 0; }
mkdir -p "$T/src"
python3 - "$T/src" <<'P'
import os, random, sys
rnd = random.Random(4)
S = sys.argv[1]
n = 0
for d in range(120):
    p = "%s/%s/%03d" % (S, "abc"[d % 3], d)
    os.makedirs(p)
    for f in range(25):
        open("%s/f%02d" % (p, f), "wb").write(rnd.randbytes(rnd.randrange(0, 6000)) + b"text " * rnd.randrange(800))
        os.utime("%s/f%02d" % (p, f), ns=(1, 1_000_000_000 * rnd.randrange(2_000_000_000) + n))
        n += 1
    if d % 10 == 3:
        open(p + "/big", "wb").write(rnd.randbytes(2_500_000) + b"same " * 200_000)
    if d % 7 == 1:
        os.link(p + "/f03", p + "/zlink")
        os.link("%s/%s/%03d/f01" % (S, "abc"[0], 0), p + "/far")
        os.symlink("f04", p + "/sym")
        with open(p + "/sparse", "wb") as h:
            h.truncate(40_000_000)
            h.seek(20_000_000)
            h.write(b"here")
        os.chmod(p + "/f05", 0o4755)
    os.chmod(p, 0o700 if d % 5 else 0o555)
P
chmod 0000 "$T/src/b/004" "$T/src/a/000/f07"
chown -R 1234:2345 "$T/src/c"
setfacl -R -m u:77:rx "$T/src/c/005" 2>/dev/null || :
setfacl -m d:u:78:rwx "$T/src/c/008" 2>/dev/null || :
setfattr -n user.note -v x "$T/src/c/008/f01" 2>/dev/null || :
find "$T/src" -type d -exec touch -d '2011-12-13 14:15:16.17' {} +
site_policy "  - {name: docs, paths: [$T/src]}"
sed -i 's/^datasets:/archive_size: 4 MiB\n&/' "$T/policy.yaml"
site_make
expect 0 "$BKP" run --all
archives=$(find "$T/m1" -name '*.age' -path '*/archives/*' | wc -l)
[ "$archives" -ge 8 ] || die "only $archives archives"

get() { # CODE WHERE MEDIUM OPTIONS…: everything, as JSON; what was said is in WHERE.said, counts in WHERE.counts
	local want=$1 to=$2 medium=$3 rc=0
	shift 3
	"$RESTORE" --medium "$medium" --identity "$T/id.txt" --quiet "$@" --json extract docs@1 --to "$to" --same-owner ${over:+$over} \
		>"$to.counts" 2>"$to.said" || rc=$?
	sed -i 's/"seconds":[^,]*,//' "$to.counts"
	[ "$rc" = "$want" ] || { head -n 20 "$to.said" >&2; die "exit $rc, expected $want: into $to"; }
}
same() { # A B: two restores
	cmp "$1.said" "$2.said" && cmp "$1.counts" "$2.counts" || die "what was said depends on the threads: $1 $2"
	"$lib/compare.sh" "$1$T/src" "$2$T/src" || die "what was restored depends on the threads: $1 $2"
}
over=
one() { (taskset -cp 0 $BASHPID >/dev/null && get "$@"); }
one 0 "$T/one" "$T/m1"
"$lib/compare.sh" "$T/src" "$T/one$T/src" || die "one processor: not what was captured"
get 0 "$T/all" "$T/m1"
same "$T/one" "$T/all"
say "one processor and all of them restore the same $(find "$T/one" | wc -l) entries from $archives archives, equal to the source"

# a target that is not empty: files are kept, or replaced whole; folders keep what is in them
for k in one all; do
	rm -rf "${T:?}/$k"
	mkdir -p "$T/$k$T/src/a/000" "$T/$k$T/src/b/001/f02" "$T/$k$T/src/a/003"
	echo mine >"$T/$k$T/src/a/000/f01"
	echo mine >"$T/$k$T/src/a/003/f09"
	echo other >"$T/$k$T/src/c"
	touch -d '2020-01-01 UTC' "$T/$k$T/src/a/000/f01" "$T/$k$T/src/a/003/f09" "$T/$k$T/src/b/001/f02" "$T/$k$T/src/c"
	setfacl -d -m u:99:rwx "$T/$k$T/src/a/003" 2>/dev/null || :
done
one 2 "$T/one" "$T/m1"
get 2 "$T/all" "$T/m1"
same "$T/one" "$T/all"
[ "$(grep -c "explain E-RESTORE-07" "$T/one.said")" = 1 ] || die "what to do is not said once: $(head -6 "$T/one.said")"
grep -q E-RESTORE-07 "$T/one.said" || die "nothing was said of what is there already"
over=--overwrite
one 2 "$T/one" "$T/m1"
get 2 "$T/all" "$T/m1"
same "$T/one" "$T/all"
over=
[ -d "$T/all$T/src/b/001/f02" ] && cmp -s "$T/src/a/000/f01" "$T/all$T/src/a/000/f01" || die "overwriting"
getfacl -cp "$T/all$T/src/a/003/f09" | grep -q :99: && die "a file inherited an ACL that it did not have"
find "$T/all" "$T/one" -name '.bkp-restore*' | grep -q . && die "temporary files were left behind"
say "into a target with files, folders and default ACLs in the way: the same outcome on one processor and on all"

# two archives damaged in the middle of things, one gone
cp -a "$T/m1" "$T/bad"
thaw "$T/bad"
find "$T/bad" -name '*.age' -path '*/archives/*' -size +3M | sort | sed -n '2p;4p' | while read -r f; do
	printf XXXXXXXXXXXXXXXX | dd of="$f" bs=1 seek=1700000 conv=notrunc status=none
done
rm "$(find "$T/bad" -name '*.age' -path '*/archives/*' -size +3M | sort | sed -n 5p)"
rm -rf "$T/one" "$T/all"
one 2 "$T/one" "$T/bad"
lost=$(grep -c "E-AGE-\|E-ARCHIVE-1[25]" "$T/one.said")
[ "$lost" -ge 3 ] || fail "only $lost faults were said" "$T/one.said"
for _ in 1 2; do # twice: timing differs
	rm -rf "$T/all"
	get 2 "$T/all" "$T/bad"
	same "$T/one" "$T/all"
done
(cd "$T/all$T/src" && find . -type f ! -perm 0000 -print0 | while IFS= read -r -d '' f; do cmp -s "$f" "$T/src/$f" || echo "$f"; done) \
	>"$T/half"
[ -s "$T/half" ] && fail "files that are not what was captured" "$T/half"
say "damaged and missing archives: $lost faults named, in the same order whatever the timing, and every file that is there is whole"

# a full target
mkdir "$T/small"
mount -t tmpfs -o size=24M,nr_inodes=100000 none "$T/small"
rc=0
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet extract docs@1 --to "$T/small" >"$T/out" 2>"$T/err" || rc=$?
[ "$rc" = 2 ] && grep -q E-RESTORE-10 "$T/err" && [ "$(grep -c E-RESTORE "$T/err")" = 1 ] || fail "exit $rc on a full target" "$T/err"
(cd "$T/small$T/src" && find . -type f -print0 | while IFS= read -r -d '' f; do cmp -s "$f" "$T/src/$f" || echo "$f"; done) >"$T/half"
[ -s "$T/half" ] && fail "half files on a full target" "$T/half"
umount "$T/small"
say "a full target: said once, exit 2, no half file"

# a single file: all archives are gone but those that are asked for, one after the other
cp -a "$T/m1" "$T/few"
thaw "$T/few"
repo=$(set_of "$T/few")
mv "$repo/archives" "$T/aside"
mkdir "$repo/archives"
path=${T#/}/src/b/031/f11
need() { # COMMAND…: brings the archives that it names as missing, until it is content
	local k f
	for k in $(seq 1 9); do
		status "$@"
		[ "$STATUS" = 0 ] && return
		f=$(grep -o 'archives/[0-9a-f]*/[0-9a-f]*.age' "$T/err" | head -n 1)
		[ -n "$f" ] && [ -e "$T/aside/${f#archives/}" ] || fail "$*" "$T/err"
		mkdir -p "$repo/${f%/*}"
		cp "$T/aside/${f#archives/}" "$repo/$f"
	done
	die "$*: needs more than 8 archives"
}
need "$RESTORE" --medium "$T/few" --identity "$T/id.txt" list docs@1 "$path"
grep -q f11 "$T/out" || die "list"
listed=$(find "$repo/archives" -name '*.age' | wc -l)
need "$RESTORE" --medium "$T/few" --identity "$T/id.txt" cat docs@1 "$path"
cmp "$T/out" "$T/src/b/031/f11" || die "cat"
"$RESTORE" --medium "$T/few" --identity "$T/id.txt" --quiet extract docs@1 "$path" --to "$T/single" --same-owner >"$T/out" 2>&1 ||
	{ cat "$T/out"; die "extract of a single file"; }
needed=$(find "$repo/archives" -name '*.age' | wc -l)
cmp "$T/single/$path" "$T/src/b/031/f11" && [ "$(find "$T/single" -type f | wc -l)" = 1 ] || die "extract"
[ "$(stat -c '%a %Y' "$T/single$T/src/b/031")" = "$(stat -c '%a %Y' "$T/src/b/031")" ] || die "the folders above it are not as they were"
[ "$listed" -le 2 ] && [ "$needed" -le 3 ] || die "$listed archives to list a path, $needed for its content"
say "a single file of $archives archives: $listed to list it, $needed for its content by cat and extract, all others gone"

# a few paths far from each other: what lies between is passed over, the folders above each are as they were
set -- "${T#/}/src/a/000/f01" "${T#/}/src/b/031" "${T#/}/src/c/119" "${T#/}/src/c/08*/f2?"
status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet extract docs@1 "$@" --to "$T/far" --same-owner
[ "$STATUS" = 0 ] || fail "several paths: exit $STATUS" "$T/err"
(cd "$T/far$T/src" && find . ! -path . -printf '%P %y %m %U %G %T@\n' | sort) >"$T/have"
(cd "$T/src" && find a a/000 b c c/08[0-9] -maxdepth 0 -printf '%p %y %m %U %G %T@\n' &&
	find a/000/f01 b/031 c/119 c/08?/f2? -printf '%p %y %m %U %G %T@\n') | sort -u >"$T/want"
diff "$T/want" "$T/have" || die "several paths"
diff -r "$T/src/c/119" "$T/far$T/src/c/119" && cmp "$T/src/c/083/f24" "$T/far$T/src/c/083/f24" || die "several paths: content"
say "four paths far from each other: $(wc -l <"$T/have") entries, the folders above them as they were"

# targets that become full at any moment: the reason is that, whoever of the writers met it and whoever was stopped by it
for k in 3 9 15 21; do
	rm -rf "$T/small"; mkdir "$T/small"
	mount -t tmpfs -o size="${k}M",nr_inodes=100000 none "$T/small"
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet extract docs@1 --to "$T/small"
	umount "$T/small"
	[ "$STATUS" = 2 ] && [ "$(grep -o 'E-RESTORE-[0-9]*' "$T/err" | tr '\n' ' ')" = "E-RESTORE-10 " ] ||
		fail "exit $STATUS on a target of $k MiB" "$T/err"
done
mkdir "$T/long"
for k in 1 2 3 4 5 6; do head -c 9000000 /dev/urandom >"$T/long/$k"; done
truncate -s 7000000 "$T/long/1" # ends amid an archive
cat >>"$T/policy.yaml.new" <<Y
  - {name: long, paths: [$T/long]}
Y
sed -i "/name: docs/r $T/policy.yaml.new" "$T/policy.yaml"
find "$T/m1" -name '*.age' -path '*/archives/*' | sort >"$T/before"
expect 0 "$BKP" run long
for k in 12 21 30 40; do
	rm -rf "$T/small"; mkdir "$T/small"
	mount -t tmpfs -o size="${k}M" none "$T/small"
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet extract long@2 --to "$T/small"
	left=$(find "$T/small" -type f ! -name 1 -size -9000000c | wc -l)
	umount "$T/small"
	[ "$STATUS" = 2 ] && [ "$left" = 0 ] && [ "$(grep -o 'E-RESTORE-[0-9]*' "$T/err" | tr '\n' ' ')" = "E-RESTORE-10 " ] ||
		fail "exit $STATUS, $left half files, on a target of $k MiB" "$T/err"
done
say "targets of 8 sizes become full at as many moments: each time that is the one reason given, not that writing was interrupted"

# damage outside what is wanted, in any archive of a long file: said, whichever of its archives it is, and no drill is proved by it
{
	printf '# t\n\n```procedure\nid: t\nversion: "1.0"\ndataset: long\nrto: 1h\nrpo: 24h\n```\n'
	printf '\n```restore\n誰: t\n何を: t\nどのように: t\n合否条件: t\n予定分: 5\ndataset: long\nid: long\npaths: ["%s"]\n```\n' "${T#/}/long/1"
} >"$T/long.md"
thaw "$T/m1"
one_file() { status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet extract long@2 "${T#/}/long/1" --to "$T/o$1"; }
told=0
n=0
for f in $(find "$T/m1" -name '*.age' -path '*/archives/*' -size +1M | sort | comm -13 "$T/before" -); do
	n=$((n + 1))
	mv "$f" "$T/away"
	one_file "$n.1"
	[ "$STATUS" != 0 ] || { mv "$T/away" "$f"; continue; } # it is not needed
	cp "$T/away" "$f"
	python3 - "$f" <<'P'
import os, sys
at = os.path.getsize(sys.argv[1]) * 19 // 20
with open(sys.argv[1], "r+b") as f:
    f.seek(at); b = f.read(1); f.seek(at); f.write(bytes([b[0] ^ 1]))
P
	one_file "$n.2"
	if cmp -s "$T/long/1" "$T/o$n.2$T/long/1"; then # what it needs is unharmed
		[ "$STATUS" = 0 ] || fail "exit $STATUS though all that was asked for is exact" "$T/err"
		status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet drill "$T/long.md" --to "$T/drill$n"
		[ "$STATUS" = 0 ] || fail "exit $STATUS: a drill of a file that is exact" "$T/err"
		told=$((told + 1))
	else
		[ "$STATUS" = 2 ] && grep -q "$(basename "$f")" "$T/err" && [ ! -e "$T/o$n.2$T/long/1" ] ||
			fail "exit $STATUS with a damaged archive of a long file" "$T/err"
	fi
	status "$RESTORE" --medium "$T/m1" --quiet verify 2
	[ "$STATUS" = 2 ] || die "verify does not see the flipped bit"
	rm "$f"
	mv "$T/away" "$f"
done
[ "$told" -ge 1 ] || die "no archive was damaged outside the file's chunks"
say "a bit flipped outside a long file's chunks, in any of its archives: the file is exact, exit 0, and verify says which archive it is"
