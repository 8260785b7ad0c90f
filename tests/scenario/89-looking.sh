#!/bin/bash
# Goal: what is on media can be looked at without bringing it back: find, history, show, diff and a mount say what GNU find, diff, rsync and
# sha256sum say of the sources; one opening of the keys serves a session; a mount survives hostile media, ends with the program however that
# ends, and lets nobody else in.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
unset BKP_LANG
R=("$RESTORE" --medium "$T/m1" --medium "$T/m2" --identity "$T/id.txt")
RUN=(env "${BKP_RELEASE:-$BKP_BIN}/bkp" --quiet run --all)
export TZ=UTC LC_ALL=C.UTF-8

# ---- four nights, each source kept
mkdir -p "$T/src/a/b" "$T/src/患者" "$T/nights" "$T/mnt"
for i in $(seq 300); do seq "$i" $((i * 2)) >"$T/src/a/f$i.txt"; done
long=$(printf 'l%.0s' $(seq 250))
echo long >"$T/src/a/$long"
head -c 9000000 /dev/urandom >"$T/src/big.bin"
truncate -s 40M "$T/src/a/hole"; echo end >>"$T/src/a/hole"
truncate -s 5G "$T/src/a/huge"; echo end >>"$T/src/a/huge" # of the first night alone: whoever compares contents reads all of it
ln "$T/src/a/f1.txt" "$T/src/a/b/linked"; ln -s ../a/f2.txt "$T/src/a/b/symbolic"; mkfifo "$T/src/a/b/fifo"
echo letter >"$T/src/患者/$(printf '\223\372').txt"
echo "one" >"$T/src/a/report.txt"
setfattr -n user.note -v hello "$T/src/a/report.txt" 2>/dev/null || true
setfacl -m u:1234:r "$T/src/a/f3.txt" 2>/dev/null || true
touch -d '2020-02-03 04:05:06.789012345' "$T/src/a/f4.txt"
: >"$T/src/empty"
site_make 2>/dev/null
for n in 1 2 3 4; do
	sleep 1.1 # rsync compares the times of folders by the second
	case $n in
	2) rm "$T/src/a/huge"; echo "two" >"$T/src/a/report.txt"; echo new >"$T/src/a/b/newcomer.doc"; chmod 0600 "$T/src/a/f5.txt" ;;
	3) rm "$T/src/a/report.txt"; mv "$T/src/a/f6.txt" "$T/src/a/b/" ;;
	4) echo "two" >"$T/src/a/report.txt"; ln -sfn ../a/f7.txt "$T/src/a/b/symbolic" ;;
	esac
	"${RUN[@]}" >"$T/out" 2>"$T/err" || [ $? = 1 ] || fail "night $n"
	cp -a --sparse=always "$T/src" "$T/nights/$n"
done
S=${T#/}/src

# ---- find: the same as GNU find over the sources of each night
expect 0 "${R[@]}" find '*[of]*' --json
cp "$T/out" "$T/found"
for n in 1 2 3 4; do (cd "$T/nights/$n" && find . -name '*[of]*' -printf "$n $S/%P\n"); done | LC_ALL=C sort >"$T/of-find"
python3 - "$T/found" <<'P' | LC_ALL=C sort >"$T/of-us"
import base64, json, sys
for f in json.load(open(sys.argv[1]))["found"]:
    p = base64.b64decode(f["path_b64"]) if "path_b64" in f else f["path"].encode()
    for v in f["versions"]:
        assert v["last"] - v["first"] + 1 == v["generations"]
        for g in range(v["first"], v["last"] + 1):
            sys.stdout.buffer.write(b"%d %s\n" % (g, p))
P
cmp -s "$T/of-find" "$T/of-us" || fail "find is not GNU find" <(diff "$T/of-find" "$T/of-us")
[ "$(wc -l <"$T/of-us")" -ge 1000 ] || fail "nothing was compared"
expect 0 "${R[@]}" find newcomer.doc docs --generations 2-3
grep -q '^docs@2 - docs@3 .*/newcomer.doc$' "$T/out" || fail "find within a range"
expect 0 "${R[@]}" find '**/b/f6.txt' --since 1d
expect 1 "${R[@]}" find newcomer.DOC; said E-LOOK-03
expect 2 "${R[@]}" find x --generations 90-; said E-LOOK-02
for bad in "find" "find x EMR!" "find x --since never" "find x --since 2026-02-30" "history a//b" "show x" "show @docs@1" "diff docs@1" \
	"diff docs@1 docs@2 --same-owner" "mount docs@1" "shell --idle 5" "shell --idle 99h" "show $S/empty@docs@1 --idle 1m"; do
	# shellcheck disable=SC2086
	expect 64 "${R[@]}" $bad
done
say "find names what GNU find does, generation by generation"

# ---- history and show: as the nights were
expect 0 "${R[@]}" history "/$S/a/report.txt"
[ "$(grep -c . "$T/out")" = 4 ] && grep -q '^docs@1 .*report.txt$' "$T/out" && grep -q '^docs@2 .*(content, time' "$T/out" &&
	grep -q '^docs@3  *not there$' "$T/out" && grep -q '^docs@4 ' "$T/out" || fail "history"
for n in 1 2 4; do
	expect 0 "${R[@]}" show "$S/a/report.txt@docs@$n" --json
	[ "$(jq -r .sha256 "$T/out")" = "$(sha256sum <"$T/nights/$n/a/report.txt" | cut -d' ' -f1)" ] || fail "show docs@$n: SHA-256"
done
expect 0 "${R[@]}" show "$S/a/f4.txt@docs@latest"; said '789012345$'
expect 2 "${R[@]}" show "$S/a/report.txt@docs@3"; said E-RESTORE-11
say "history and show tell each version as it was"

# ---- diff: what rsync says of the kept sources
for pair in "1 2" "2 3" "1 4" "4 4"; do
	a=${pair% *} b=${pair#* }
	rsync -aAXni --no-o --no-g --delete "$T/nights/$b/" "$T/nights/$a/" >"$T/rsync" # symbolic link's content counts as it stands
	python3 - "$T/rsync" <<'P' | LC_ALL=C sort >"$T/of-rsync"
import re, sys
for l in open(sys.argv[1], errors="surrogateescape"):
    flags, name = l.rstrip("\n").split(" ", 1)
    name = re.sub(r" -> .*", "", name.strip()).rstrip("/")
    what = "-" if flags.startswith("*del") else "+" if "+++" in flags else "~"
    if name not in (".", ""): print(what, name)
P
	status "${R[@]}" --quiet diff "docs@$a" "docs@$b"
	[ "$STATUS" = "$([ "$a" = "$b" ] && echo 0 || echo 1)" ] || fail "diff $pair: exit $STATUS"
	sed -n "s#^\(.\) $S/#\1 #p" "$T/out" | sed 's/ ([a-z, ]*)$//' | LC_ALL=C sort >"$T/of-diff"
	cmp -s "$T/of-rsync" "$T/of-diff" || fail "diff $pair is not rsync's" <(diff "$T/of-rsync" "$T/of-diff")
done
expect 0 "${R[@]}" diff docs@4 /
expect 1 "${R[@]}" diff docs@3 /; grep -q "^+ $S/a/report.txt\$" "$T/out" || fail "diff with what is on disk"
"${R[@]}" --quiet extract docs@2 --to "$T/back" >/dev/null
expect 0 "${R[@]}" diff docs@2 "$T/back"
printf x | dd of="$T/back/$S/big.bin" bs=1 seek=7654321 conv=notrunc status=none; touch -r "$T/nights/2/big.bin" "$T/back/$S/big.bin"
rm "$T/back/$S/empty"; : >"$T/back/$S/a/extra"; touch -r "$T/nights/2/a" "$T/back/$S/a"; touch -r "$T/nights/2" "$T/back/$S"
expect 1 "${R[@]}" diff docs@2 "$T/back"
[ "$(sed "s#$S/##" "$T/out")" = "+ a/extra
~ big.bin (content)
- empty" ] || fail "diff with a folder"
# what may not be read there is not called missing
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
if [ "$(id -u)" = 0 ]; then
	cp "$T/id.txt" "$T/id-of-all"; chmod 644 "$T/id-of-all"; chmod 755 "$T"
	chmod -R a+rX "$T/back"; chmod 700 "$T/back/$S/a"
	status as_user "$RESTORE" --medium "$T/m1" --identity "$T/id-of-all" diff docs@2 "$T/back"
	[ "$STATUS" = 2 ] && grep -q "E-LOOK-04.*$S/a'" "$T/err" && grep -q "^- $S/empty" "$T/out" && ! grep -q "^- $S/a" "$T/out" ||
		fail "exit $STATUS: a folder that may not be read" "$T/err" "$T/out"
fi
say "diff is what rsync says; one byte of a file with the old time is found"

# ---- mount
[ -c /dev/fuse ] && command -v fusermount3 >/dev/null || { say "no FUSE here: mounts are not tested"; exit 0; }
mounted() { # OPERAND...: mounted on $T/mnt, by $M
	"${R[@]}" mount "$@" "$T/mnt" >"$T/mount.out" 2>"$T/mount.err" &
	M=$!
	for _ in $(seq 600); do ! mountpoint -q "$T/mnt" || return 0; kill -0 $M 2>/dev/null || return 1; sleep 0.05; done
	return 1
}
gone() { for _ in $(seq 200); do mountpoint -q "$T/mnt" || return 0; sleep 0.05; done; return 1; }
ends() { # CODE HOW...: the mount ends so
	local want=$1 code=0
	shift
	"$@"
	wait $M || code=$?
	[ "$code" = "$want" ] || fail "the mount ended with $code" "$T/mount.err"
	gone || die "still mounted"
}
mounted docs@4 || fail "mount" "$T/mount.err"
grep -q umount "$T/mount.err" || fail "it does not say how to unmount" "$T/mount.err"
diff -r --no-dereference "$T/nights/4" "$T/mnt/$S" -x fifo >"$T/out" || fail "diff -r finds something"
[ -z "$(rsync -aHAXnci --delete --max-size=1G "$T/nights/4/" "$T/mnt/$S/" | tee "$T/out")" ] || fail "rsync finds something" "$T/out"
[ "$(sha256sum <"$T/mnt/$S/a/hole")" = "$(sha256sum <"$T/src/a/hole")" ] || die "a file with holes"
[ "$(stat -c '%i %h' "$T/mnt/$S/a/f1.txt")" = "$(stat -c '%i %h' "$T/mnt/$S/a/b/linked")" ] &&
	[ "$(stat -c %h "$T/mnt/$S/a/f1.txt")" = 2 ] ||
	die "two names of one file"
python3 - "$T/mnt/$S/big.bin" "$T/src/big.bin" <<'P' || die "reads at random"
import os, random, sys
a, b = (os.open(p, os.O_RDONLY) for p in sys.argv[1:])
rnd = random.Random(1)
for _ in range(300):
    at, n = rnd.randrange(9100000), rnd.randrange(1, 300000)
    assert os.pread(a, n, at) == os.pread(b, n, at), (at, n)
P
python3 - "$T/mnt/$S/a" <<'P' || die "whoever seeks in a folder reads something else"
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
real = set(os.listdir(os.fsencode(sys.argv[1]))) | {b".", b".."}
buf = ctypes.create_string_buffer(65536)
for off in [*range(600), 4098, 8195, 2**31, 2**37, 2**40 + 5, 2**62, 2**63 - 1]:
    fd = os.open(sys.argv[1], os.O_RDONLY)
    os.lseek(fd, off, 0)
    n = libc.syscall(61 if os.uname().machine == "aarch64" else 217, fd, buf, 65536)
    assert n >= 0, (off, os.strerror(ctypes.get_errno()))
    at = 0
    while at < n:
        size = struct.unpack_from("=QqH", buf, at)[2]
        name = buf.raw[at + 19:at + size].split(b"\0")[0]
        assert name in real, (off, name)
        at += size
    os.close(fd)
P
for c in "touch $T/mnt/x" "rm $T/mnt/$S/empty" "chmod 777 $T/mnt/$S/empty" "sh -c 'echo >>$T/mnt/$S/empty'"; do
	! eval "$c" 2>"$T/err" || die "$c"
	grep -q Read-only "$T/err" || fail "$c: $(cat "$T/err")"
done
grep -q "$T/mnt fuse.* ro,nosuid,nodev,noexec" /proc/mounts || die "$(grep "$T/mnt" /proc/mounts)"
[ "$(id -u)" != 0 ] || ! as_user ls "$T/mnt" >/dev/null 2>&1 || die "somebody else may look"
[ -z "$(find /tmp "${TMPDIR:-/tmp}" -maxdepth 1 -newer "$T/mount.out" -name 'bkp-restore*')" ] || die "something was written outside"
ends 0 kill -INT $M
mounted 1 docs@4 docs@latest docs@2 || fail "mount of several" "$T/mount.err"
[ "$(ls "$T/mnt" | tr '\n' ' ')" = "docs@1 docs@2 docs@4 " ] || die "$(ls "$T/mnt")"
for n in 1 2 4; do diff -r --no-dereference "$T/nights/$n" "$T/mnt/docs@$n/$S" -x fifo -x huge >"$T/out" || fail "docs@$n"; done
[ "$(tail -c 1000 "$T/mnt/docs@1/$S/a/huge" | sha256sum)" = "$(tail -c 1000 "$T/nights/1/a/huge" | sha256sum)" ] || die "a file of 5 GiB"
ends 0 umount "$T/mnt"
mounted docs@2 || fail mount "$T/mount.err"
(cd "$T/mnt" && kill -TERM $M && wait $M 2>/dev/null || true; gone) || die "who stands in it holds it"
wait $M 2>/dev/null || true
mounted docs@2 || fail mount "$T/mount.err"
kill -9 $M
wait $M 2>/dev/null || true
gone || die "killed, it leaves a folder that answers nothing"
expect 2 "${R[@]}" mount docs@2 "$T/no-such-folder"; said E-MOUNT-01
expect 2 "${R[@]}" mount docs@77 "$T/mnt"
expect 2 "${R[@]}" mount docs@2 "$T/m1"; said E-TARGET-04
! mountpoint -q "$T/mnt" || die "mounted all the same"
if [ "$(id -u)" = 0 ]; then
	mounted docs@4 --allow-other || fail "--allow-other" "$T/mount.err"
	as_user cat "$T/mnt/$S/a/f2.txt" >/dev/null || die "--allow-other: nobody else may look"
	! as_user cat "$T/mnt/$S/a/f5.txt" >/dev/null 2>&1 || die "--allow-other shows a file of mode 0600"
	ends 0 kill -TERM $M
	S_STATIC=${BKP_RELEASE:-$BKP_BIN}/bkp-restore-static
	if [ -x "$S_STATIC" ]; then
		expect 2 "$S_STATIC" --medium "$T/m1" --identity "$T/id.txt" mount docs@4 "$T/mnt"; said E-MOUNT-04
		expect 0 "$S_STATIC" --medium "$T/m1" --identity "$T/id.txt" find newcomer.doc
	fi
fi
say "a mount is the source, read-only, for who mounted it; it ends by Ctrl-C, umount, a kill"

# ---- shell
cat >"$T/lines" <<-L
	find newcomer.doc
	show '$S/a/report.txt@docs@2'
	nonsense
	extract docs@1 $S/a/report.txt --to one
	extract docs@2 $S/a/report.txt --to two
	extract docs@2 --to ../out
	list docs@1 --medium $T/m2
	history "$S/a/report.txt"
	quit
	find never
L
rm -rf "$T/slips"
status bash -c 'lines=$1; shift; exec "$@" <"$lines"' - "$T/lines" "${R[@]}" shell --to "$T/session"
[ "$STATUS" = 2 ] || fail "shell: exit $STATUS"
[ "$(cat "$T/session/one/$S/a/report.txt")" = one ] && [ "$(cat "$T/session/two/$S/a/report.txt")" = two ] || fail "extract in a session"
grep -q newcomer.doc "$T/out" && grep -q 'not there' "$T/out" && ! grep -q never "$T/out" "$T/err" || fail "lines of a session"
[ "$(grep -c E-USAGE-01 "$T/err")" = 3 ] && [ ! -e "$T/out.d" ] && [ ! -e "$T/session/../out/$S" ] || fail "what a line may not"
[ "$(ls "$T"/session.use-*.json | wc -l)" = 1 ] &&
	jq -e '.what | contains("docs@2")' "$T"/session.use-*.json >/dev/null || fail "one slip" "$T"/session.use-*
status bash -c '(echo "find newcomer.doc"; sleep 5) | "$@"' - "${R[@]}" shell --idle 1s
[ "$STATUS" = 1 ] && grep -q W-SHELL-01 "$T/err" && grep -q newcomer "$T/out" || fail "idle: exit $STATUS"
status bash -c 'echo "extract docs@1" | "$@"' - "${R[@]}" shell
[ "$STATUS" = 2 ] && grep -q 'shell --to' "$T/err" || fail "extract without --to: exit $STATUS"
say "a session opens the keys once, restores below its folder alone, and ends when nobody types"

# ---- what is damaged: never absent, never different; the rest is there
thaw "$T/m1" "$T/m2"
big=$(find "$(set_of "$T/m1")/archives" -name '*.age' -size +4M | head -n 1)
for m in m1 m2; do
	f=$(set_of "$T/$m")/archives/${big##*archives/}
	chmod u+w "$f"; printf 'damaged!' | dd of="$f" bs=1 seek=3000000 conv=notrunc status=none
done
mounted docs@4 || fail "mount of what is damaged" "$T/mount.err"
! cat "$T/mnt/$S/big.bin" >"$T/got" 2>"$T/err" && grep -q 'Input/output' "$T/err" || fail "a damaged file is read"
cmp -s -n "$(stat -c %s "$T/got")" "$T/got" "$T/src/big.bin" || die "what was read before is not the file's"
diff -r --no-dereference "$T/nights/4" "$T/mnt/$S" -x fifo -x big.bin >"$T/out" || fail "the rest is not there"
ends 2 kill -INT $M
grep -q 'E-ARCHIVE\|E-AGE' "$T/mount.err" || fail "the damage is not said" "$T/mount.err"
say "of what is damaged the rest is shown, and a read of it fails"

# ---- hostile media, through all of it
cat >"$T/hostile_look.py" <<'P'
import os, shutil, signal, subprocess, sys, time
sys.path.insert(0, sys.argv[3])
sys.argv[1:], (RESTORE, SCRATCH) = [sys.argv[1], sys.argv[2]], sys.argv[1:3]
import hostile
hostile.SCRATCH = SCRATCH
keys = hostile.Keys(SCRATCH + "/keys")
done = shown = 0
cases = [c for c in hostile.CASES if not c.root_key and c.command == "extract"]
for c in cases[1::int(os.environ.get("BKP_LOOK_MEDIA", "4"))]:
    top = SCRATCH + "/case"
    for d in ("/medium", "/target", "/outside", "/mnt"):
        os.makedirs(top + d)
    c.make(top + "/medium", keys, top)
    base = [RESTORE, "--medium", top + "/medium", "--identity", keys.identity, "--quiet", "--slip"]
    looks = "find *\nhistory docs/hello\nshow docs/hello@{0}\ndiff {0} good@1\ndiff {0} {1}\n".format(c.selector, top + "/outside")
    p = subprocess.run(base + [top + "/slip.s", "shell"], input=looks.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert p.returncode in (0, 1, 2, 3, 64), (c.name, p.returncode, p.stderr[-2000:])
    assert not any(b < 32 and b not in (9, 10) for b in p.stdout + p.stderr), (c.name, "control characters")
    p = subprocess.Popen(base + [top + "/slip.m", "mount", c.selector, "good@1", top + "/mnt"],
                         stdout=subprocess.DEVNULL, stderr=open(top + "/err", "wb"))
    for _ in range(400):
        if os.path.ismount(top + "/mnt") or p.poll() is not None:
            break
        time.sleep(0.02)
    if p.poll() is None:
        shown += 1
        walk = "find . -ls; find . -type f -size -64M -exec cat {} + | head -c 200000000; getfattr -R -d -m - ."
        subprocess.run(["timeout", "60", "sh", "-c", walk], cwd=top + "/mnt", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if c.unharmed == "good@1":
            assert open(top + "/mnt/good@1/docs/hello").read() == "hello\n", (c.name, "what is unharmed")
        assert p.poll() is None, (c.name, p.returncode, open(top + "/err", errors="replace").read()[-3000:])
        p.send_signal(signal.SIGINT)
    code = p.wait(timeout=60)
    assert code in (0, 1, 2, 3, 64), (c.name, code, open(top + "/err", errors="replace").read()[-3000:])
    time.sleep(0.02)
    assert not os.path.ismount(top + "/mnt") and os.listdir(top + "/outside") == [], c.name
    subprocess.run(["chattr", "-R", "-f", "-i", "-a", top], stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
    subprocess.run(["rm", "-rf", top])
    done += 1
assert done >= 40 and shown >= 20, (done, shown)
print("proved: %d hostile media looked at, %d of them through a mount: nothing crashed, what is unharmed was there" % (done, shown))
P
mkdir "$T/hostile"
python3 "$T/hostile_look.py" "$RESTORE" "$T/hostile" "$SRC_ROOT/tests/lib" >"$T/out" 2>"$T/err" || fail "hostile media"
cat "$T/out"
