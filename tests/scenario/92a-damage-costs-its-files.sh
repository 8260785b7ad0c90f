#!/bin/bash
# Goal: bits that flipped in archives cost the files that lie there and no other. With another medium given nothing is lost: extract,
# mount and export bring all of it, and say so; with one medium exactly the files are missing and named that rescue.py, which
# shares no code, cannot read either, all others are equal for rsync, and the exit status is not 0.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
export TZ=UTC LC_ALL=C.UTF-8

mkdir -p "$T/src/a" "$T/src/患者" "$T/src/末"
python3 - "$T/src" <<'P'
import os, random, sys
r = random.Random(7)
for i in range(70):
    open(sys.argv[1] + ("/a/%d" if i % 2 else "/患者/紹介状 %d") % i, "wb").write(r.randbytes(r.randrange(60, 250000)))
open(sys.argv[1] + "/末/big", "wb").write(r.randbytes(4000000))
P
ln "$T/src/a/1" "$T/src/a/linked"
ln "$T/src/末/big" "$T/src/末/linked"
site_make
expect 0 "$BKP" run --all
thaw "$T/m1" "$T/m2"
S=${T#/}/src
flips() { # MEDIUM SEED: a bit in each of two places of its archives; which those are differs with the seed
	python3 - "$(set_of "$T/$1")/archives" "$2" <<'P'
import os, random, sys
r = random.Random(int(sys.argv[2]))
files = sorted(os.path.join(d, f) for d, _, names in os.walk(sys.argv[1]) for f in names if f.endswith(".age"))
files = [f for f in files if os.path.getsize(f) > 100000]  # content, not the catalog
assert files
for _ in range(2):
    f = r.choice(files)
    os.chmod(f, 0o600)
    at = r.randrange(3000, os.path.getsize(f) - 80000)  # behind the header, before INDEX
    with open(f, "r+b") as o:
        o.seek(at)
        b = o.read(1)[0]
        o.seek(at)
        o.write(bytes([b ^ 1 << r.randrange(8)]))
P
}
flips m1 1
flips m2 2

files() { (cd "$1" && find . -type f | sort); }
left_out() { comm -23 <(files "$T/src") <(files "$1"); }
same_but() { # FOLDER LIST: the folder is the source, without the files of LIST
	rsync -aHAXnci --delete --exclude-from="$2" "$T/src/" "$1/" | grep -v '/$' >"$T/differs" || :
	[ ! -s "$T/differs" ] || fail "$1 is not the source" "$T/differs"
}
# what an independent reader cannot have
"${PYTHON:-python3}" -I "$SRC_ROOT/restore/rescue.py" extract --identity "$T/id.txt" "$T/m1" docs@1 "$T/r" >/dev/null 2>"$T/rescue" &&
	die "rescue.py reads it all"
left_out "$T/r/$S" >"$T/lost"
n=$(wc -l <"$T/lost")
[ "$n" -ge 1 ] && [ "$n" -lt 60 ] || fail "$n files are damaged" "$T/lost" "$T/rescue"
sed 's#^\.##' "$T/lost" >"$T/lost-here"

one=("$RESTORE" --medium "$T/m1" --identity "$T/id.txt")
two=("$RESTORE" --medium "$T/m1" --medium "$T/m2" --identity "$T/id.txt")
untar() { rm -rf "$1"; mkdir "$1"; tar -xpf "$T/tar" -C "$1" 2>"$T/tar.err"; }

for program in "$RESTORE" "${BKP_RELEASE:-$BKP_BIN}/bkp-restore-static"; do
	one[0]=$program two[0]=$program
	rm -rf "$T/o" "$T/all"
	expect 2 "${one[@]}" extract docs@1 --to "$T/o"
	cmp -s <(left_out "$T/o/$S") "$T/lost" || fail "other files are missing" <(left_out "$T/o/$S" | diff - "$T/lost") "$T/err"
	same_but "$T/o/$S" "$T/lost-here"
	while read -r f; do grep -qF "/src${f#.}': " "$T/err" || fail "not named: $f"; done <"$T/lost"
	expect 1 "${two[@]}" extract docs@1 --to "$T/all"; said W-ARCHIVE-18
	same_but "$T/all/$S" /dev/null
done
say "extract: $n of $(files "$T/src" | wc -l) files are damaged on one medium and named, as for rescue.py; with two media nothing is lost"

status "${one[@]}" export docs@1
cp "$T/out" "$T/tar"
[ "$STATUS" = 2 ] || fail "export of what is damaged: exit $STATUS"
untar "$T/x" || :
cmp -s <(left_out "$T/x/$S") "$T/lost" || {
	# a large file whose damage shows only behind its header ends the archive
	[ -z "$(comm -13 <(left_out "$T/x/$S") "$T/lost" | grep -v big)" ] || fail "export gives what is damaged" "$T/err"
}
for f in $(cd "$T/x/$S/a" && find . -type f); do cmp -s "$T/x/$S/a/$f" "$T/src/a/$f" || die "export gives another content: $f"; done
expect 1 "${two[@]}" export docs@1
cp "$T/out" "$T/tar"; untar "$T/x" || fail "tar" "$T/tar.err"
same_but "$T/x/$S" /dev/null
say "export: whole with two media; with one the damage is named, exit 2"

[ -c /dev/fuse ] && command -v fusermount3 >/dev/null || { say "no FUSE here: mounts are not tested"; exit 0; }
mkdir "$T/mnt"
with_mount() { # CODE COMMAND...: what of the mount is not as the source, into unread
	local want=$1 pid code=0
	shift
	"$@" mount docs@1 "$T/mnt" >"$T/mount.out" 2>"$T/mount.err" & pid=$!
	for _ in $(seq 600); do ! mountpoint -q "$T/mnt" || break; sleep 0.05; done

	(cd "$T/mnt/$S" && find . -type f | sort | while read -r f; do cmp -s "$f" "$T/src/$f" 2>/dev/null || echo "$f"; done) >"$T/unread"
	kill -INT "$pid"
	wait "$pid" || code=$?
	[ "$code" = "$want" ] || fail "the mount ended with $code, not $want" "$T/mount.err"
}
with_mount 2 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt"
cmp -s "$T/unread" "$T/lost" || fail "mount: other files" <(diff "$T/unread" "$T/lost")
with_mount 1 "$RESTORE" --medium "$T/m1" --medium "$T/m2" --identity "$T/id.txt"
[ ! -s "$T/unread" ] || fail "mount of two media" "$T/unread"
say "mount: the same files, and none with two media"
