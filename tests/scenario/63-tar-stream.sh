#!/bin/bash
# `format: tar`: a command's output, entry by entry.  Three writers (GNU tar, bsdtar, Python), all flavours, every oddity of a
# file system; the judge is compare.sh on what comes back.  Then streams that are not whole, or not honest.
set -eu
. "$(dirname "$0")/../lib/site.sh"
COMPARE=$SRC_ROOT/tests/lib/compare.sh
[ "$(id -u)" = 0 ] || die "needs root: owners, devices, attributes"
# in memory, where such a file system holds attributes (Linux 6.6): tens of thousands of files are made and removed
if d=$(mktemp -d /dev/shm/bkp-tar.XXXXXX) && setfattr -n user.x -v y "$d" 2>/dev/null && touch "$d/x" && chattr +i "$d/x" 2>/dev/null; then
	chattr -i "$d/x"
	rm -rf "$T" "$d/x"
	setfattr -x user.x "$d"
	chmod 0755 "$d"
	T=$d
	export BKP_POLICY=$T/policy.yaml
elif [ "$d" ]; then
	rm -rf "$d"
fi
verdict() { # RUN DATASET VERDICT
	"$BKP" generations --json "$2@$1" >"$T/gens"
	python3 - "$T/gens" "$3" <<'P' || die "$2@$1 is not $3: $(cat "$T/err")"
import json, sys
g = json.load(open(sys.argv[1]))["generations"]
sys.exit(0 if [d["verdict"] for d in g] == [sys.argv[2]] else "%s" % g)
P
}
restore() { # GENERATION DATASET DIR
	"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract "$2@$1" --same-owner --to "$3" >"$T/out" 2>"$T/err" ||
		die "restore of $2: $(cat "$T/out" "$T/err")"
}
same() { # WANT GOT [dense]: equal but for the folder at the top, and (dense) for holes, which such a stream does not tell
	touch -r "$1" "$2"
	chmod --reference="$1" "$2"
	"$COMPARE" "$1" "$2" >"$T/cmp" 2>&1 || { [ "${3:-}" ] && ! grep '^--- ' "$T/cmp" | grep -qvx -- '--- allocation'; } ||
		{ head -c 4000 "$T/cmp" >&2; die "$2 differs from $1"; }
}

"$SRC_ROOT/tests/lib/oddities.sh" "$T/odd"
# what no tar can say, or this one not as libarchive reads it: flags, times before 1970 with a fraction, hard links of pipes and devices,
# sockets
chattr -R -f -iadAS "$T/odd/flags" || true
rm -rf "$T/odd/flags" "$T/odd"/hard/{fifo,device}-b "$T/odd/special/socket"
truncate -s 64M "$T/odd/content/all-hole-16G" # the judge reads all of it
touch -d @0 "$T/odd/times/"19* "$T/odd/folders/empty"
for d in hard special times folders ""; do touch -d @1234567890 "$T/odd/$d"; done
# what ustar cannot say either
mkdir "$T/plain"
for d in content folders links hard names two-thousand; do cp -a "$T/odd/$d" "$T/plain/"; done
rm -rf "$T/plain/links/longest" "$T/plain/content/all-hole-16G" "$T/plain/hard/symlink-b" # Python makes two of it
find "$T/plain" -depth -print0 | xargs -0 touch -h -d @1234567890
mkdir "$T/local" "$T/short" # names that old formats have room for
for d in content folders hard; do cp -a "$T/plain/$d" "$T/short/"; done
rm -f "$T/short"/hard/{fifo,device}-a
touch -d @1234567890 "$T/short/hard"
touch -d @1234567890 "$T/short"
cat >"$T/local/py.py" <<'P'
import os, sys, tarfile
os.chdir(sys.argv[1])
t = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT if sys.argv[2] == "pax" else tarfile.GNU_FORMAT)
names = []
for top, dirs, files in os.walk(b"."):
    names += [os.path.join(top, n) for n in dirs + files]
for n in reversed(sorted(names)):
    t.add(os.fsdecode(n), recursive=False)
t.close()
P
PY=$(python3 -c 'import sys; print(sys.executable)')
cat >"$T/sets" <<Y
  - {name: gnu-pax, format: tar, command: "tar -C $T/odd --xattrs --xattrs-include='*' --acls --format=pax --sparse -cf - ."}
  - {name: gnu-gnu, format: tar, command: "cd $T/plain && tar --format=gnu --sparse -cf - ."}
  - {name: gnu-ustar, format: tar, command: "tar -C $T/short --format=ustar -cf - ."}
  - {name: gnu-v7, format: tar, command: "tar -C $T/short --format=v7 -cf - ."}
  # it says that names are no UTF-8, and stores them as they are
  - {name: bsd-pax, format: tar, stderr: ignore, command: "cd $T/odd && bsdtar --format=pax -cf - ."}
  - {name: bsd-ustar, format: tar, command: "cd $T/short && bsdtar --format=ustar -cf - ."}
  - {name: py-pax, format: tar, command: "$PY $T/local/py.py $T/plain pax"}
  - {name: py-gnu, format: tar, command: "$PY $T/local/py.py $T/plain gnu"}
  - {name: sparse1, format: tar, command: "tar -C $T/odd/content --format=pax --sparse --sparse-version=1.0 -cf - ."}
  - {name: sparse01, format: tar, command: "tar -C $T/odd/content --format=pax --sparse --sparse-version=0.1 -cf - ."}
  - {name: sparse00, format: tar, command: "tar -C $T/odd/content --format=pax --sparse --sparse-version=0.0 -cf - ."}
Y
site_policy "$(cat "$T/sets")"
site_make
# the bare environment of cron
expect 0 env -i LANG=C PATH="$PATH" HOME=/root BKP_POLICY="$T/policy.yaml" ASAN_OPTIONS="${ASAN_OPTIONS-}" "$BKP" run --all
for d in gnu-pax bsd-pax; do
	restore 1 $d "$T/r"
	same "$T/odd" "$T/r"
	"$SRC_ROOT/tests/lib/rmtree.sh" "$T/r"
done
for d in gnu-gnu gnu-ustar gnu-v7 bsd-ustar py-pax py-gnu; do
	restore 1 $d "$T/r"
	case $d in
	*-ustar | *-v7) same "$T/short" "$T/r" dense ;;
	py-*) same "$T/plain" "$T/r" dense ;;
	*) same "$T/plain" "$T/r" ;;
	esac
	case $d in
	gnu-gnu) [ "$(stat -c %b "$T/r/content/hole-within")" -le "$(stat -c %b "$T/plain/content/hole-within")" ] ||
		die "holes are filled" ;;
	esac
	rm -rf "$T/r"
done
for d in sparse1 sparse01 sparse00; do
	restore 1 $d "$T/r"
	same "$T/odd/content" "$T/r"
	for f in hole-within many-holes all-hole-16G; do
		[ "$(stat -c %b "$T/r/$f")" -le "$(stat -c %b "$T/odd/content/$f")" ] || die "$d: holes of $f are filled"
	done
	rm -rf "$T/r"
done
"$RESTORE" --quiet --medium "$T/m2" --identity "$T/id.txt" verify 1 --deep >/dev/null || die "it does not verify"
unseal "$(set_of "$T/m1" gnu-pax)"/generations/000001/root.age | grep -q '"source": *"tar"' || die "the source is not said"
say "GNU tar (pax, gnu, ustar, v7; sparse 0.0, 0.1, 1.0), bsdtar and Python give back what was there under LANG=C:" \
	"$(find "$T/odd" | wc -l) entries with links, holes, attributes, ACLs, names of any bytes"

# an unchanged stream costs nothing, whatever its order; one entry can be restored alone
for d in "$T/state/cache"/*; do [ -d "$d" ] || die "the cache folder holds a file: $d"; done
cat >"$T/sets" <<Y
  - name: gnu-pax
    format: tar
    command: "cd $T/plain && find . -mindepth 1 -print0 | sort -zr | tar --format=gnu --no-recursion --null -T - -cf -"
    exclude: [two-thousand/, "*.none", /content/random-5M, /names/b]
    guard: {enabled: false} # most of it is excluded now, which is what a guard is there to find
Y
site_policy "$(cat "$T/sets")"
# what the first night's archives hold of what is excluded now is no reason to store the rest once more (docs/format-writer.md, section 11)
sed -i 's/^datasets:/retention: {live_share: 0 %}\n&/' "$T/policy.yaml"
status "$BKP" run --all
restore 2 gnu-pax "$T/r"
[ ! -e "$T/r/two-thousand" ] && [ ! -e "$T/r/content/random-5M" ] && [ ! -e "$T/r/names/b" ] && [ -e "$T/r/names/b-x" ] || die "exclude"
mkdir "$T/r/two-thousand"
cp -a "$T/plain/two-thousand/." "$T/r/two-thousand/"
cp -a "$T/plain/content/random-5M" "$T/r/content/"
cp -a "$T/plain/names/b" "$T/r/names/"
touch -d @1234567890 "$T/r/content" "$T/r/names" "$T/r/two-thousand"
same "$T/plain" "$T/r" dense
rm -rf "$T/r"
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract gnu-pax@2 hard/two-b --to "$T/r" >/dev/null
[ "$(cat "$T/r/hard/two-b")" = "two names" ] || die "a hard link alone"
# once more in another order
sed -i 's/sort -zr/sort -z/' "$T/policy.yaml"
policy_accept
expect 0 "$BKP" run --all
python3 - "$T/state/journal/000001.jsonl" <<'P' || die "content was stored again"
import json, sys
new = [o["new_bytes"] for o in map(json.loads, open(sys.argv[1])) if o["event"] == "committed" and o["dataset"] == "gnu-pax"]
assert new[2] < 600000, new
P
say "in reverse order, with hard links before their first names in the catalog: the same comes back, content is stored once, exclude" \
	"leaves out what it names"

# ---- streams that are not whole: nothing of them counts, and it is said where
make_bad() { # NAME: a stream into $T/bad/NAME
	cat >"$T/bad/$1.tar"
}
mkdir "$T/bad"
tar -b1 -C "$T/plain/content" -cf "$T/bad/good.tar" regular size-1 size-65535 zeros-1M
G=$T/bad/good.tar
head -c 70000 "$G" | make_bad cut-content
head -c 1024 "$G" | make_bad cut-boundary # behind a whole entry
head -c 1300 "$G" | make_bad cut-header
n=$(stat -c %s "$G")
head -c $((n - 512)) "$G" | make_bad cut-mark
: | make_bad nothing
(cat "$G"; echo garbage) | make_bad garbage
cat "$G" "$G" | make_bad two
gzip -c "$G" | make_bad compressed
head -c 100000 /dev/urandom | make_bad noise
(echo "Welcome to fileserver"; cat "$G") | make_bad banner
(head -c 1024 "$G"; printf X; tail -c +1026 "$G") | make_bad damaged
head -c 10240 /dev/zero | make_bad empty
yes '<html>404' | head -c 300000 | make_bad page # more than is read at once
python3 - "$T/bad" <<'P'
import io, struct, sys, tarfile
def header(name, size, extra=b""):
    t = tarfile.TarInfo(name)
    b = bytearray(t.tobuf(tarfile.GNU_FORMAT))
    b[124:136] = b"\x80" + size.to_bytes(11, "big")
    b[148:156] = b" " * 8
    b[148:156] = b"%06o\0 " % sum(b)
    return bytes(b)
end = b"\0" * 1024
open(sys.argv[1] + "/huge.tar", "wb").write(header("x", 1 << 60) + end)
open(sys.argv[1] + "/huger.tar", "wb").write(header("x", (1 << 63) - 1) + end)
open(sys.argv[1] + "/large.tar", "wb").write(header("x", 1 << 40) + end)
open(sys.argv[1] + "/negative.tar", "wb").write(header("x", (1 << 88) - 5) + end)
def pax(name, records, body=b""):
    t = tarfile.TarInfo(name); t.size = len(body)
    r = b"".join(records)
    x = tarfile.TarInfo("pax"); x.type = tarfile.XHDTYPE; x.size = len(r)
    return x.tobuf() + r + b"\0" * (-len(r) % 512) + t.tobuf() + body + b"\0" * (-len(body) % 512)
def record(k, v):
    n = len(k) + len(v) + 3
    while len(b"%d" % n) + len(k) + len(v) + 3 != n: n = len(b"%d" % n) + len(k) + len(v) + 3
    return b"%d %s=%s\n" % (n, k, v)
open(sys.argv[1] + "/sparse-huge.tar", "wb").write(pax("x", [record(b"GNU.sparse.major", b"1"), record(b"GNU.sparse.minor", b"0"),
    record(b"GNU.sparse.realsize", b"%d" % (1 << 62))], b"1\n0\n0\n".ljust(512, b"\0")) + end)
n = 5000000 # a sparse map of 20 MB; each of its entries takes ten times that when it is read
open(sys.argv[1] + "/flood.tar", "wb").write(pax("x", [record(b"GNU.sparse.major", b"1"), record(b"GNU.sparse.minor", b"0"),
    record(b"GNU.sparse.realsize", b"1")], (b"%d\n" % n + b"0\n0\n" * n).ljust(20971520, b"\0")) + end)
open(sys.argv[1] + "/sum.tar", "wb").write(b"".join(pax("x%d" % i, [record(b"GNU.sparse.major", b"1"), record(b"GNU.sparse.minor", b"0"),
    record(b"GNU.sparse.realsize", b"%d" % ((1 << 56) - 1))], b"1\n0\n0\n".ljust(512, b"\0")) for i in range(70)) + end)
open(sys.argv[1] + "/pax-flood.tar", "wb").write(pax("x", [record(b"SCHILY.xattr.user.x", b"v" * (2 << 20))]) + end)
open(sys.argv[1] + "/pax-broken.tar", "wb").write(pax("short", [b"99 path=long\n"]) + end)
P
{
	for f in "$T/bad"/*.tar; do echo "  - {name: $(basename "$f" .tar), format: tar, command: \"cat $f\"}"; done
	echo "  - {name: dies, format: tar, command: \"head -c 70000 $G; echo 'ssh: connection lost' >&2; exit 255\"}"
	echo "  - {name: dies-whole, format: tar, command: \"cat $G; exit 1\"}"
	echo "  - {name: endless, format: tar, command: \"cat $G; yes\"}"
	echo "  - {name: zeros, format: tar, command: \"cat $G /dev/zero\"}"
} >"$T/sets"
site_policy "$(cat "$T/sets")"
# -b1: two blocks of zeros are all that is behind the entries
expect 1 "$BKP" run --all
cp "$T/err" "$T/said"
verdict 4 good good
for f in "$T/bad"/*.tar dies dies-whole endless zeros; do
	d=$(basename "$f" .tar)
	[ "$d" = good ] || verdict 4 "$d" failed
done
said() { grep -q "'$1' failed: .*$2" "$T/said" || die "of $1 is said: $(grep "'$1'" "$T/said")"; }
said cut-content 'too early: at byte 70000'
said cut-boundary 'at byte 1024 without its end mark'
said cut-header 'too early'
said cut-mark 'without its end mark'
said nothing 'gave nothing'
said garbage "behind its end"
said two "behind its end"
said compressed compressed
said noise 'no tar stream'
said banner 'no tar stream'
said page 'at byte 0: Unrecognized'
said damaged 'at byte 1024'
said empty 'nothing is in it'
said huge 'claims to have 1152921504606846976'
said sparse-huge 'claims to have'
said large 'too early'
said dies 'status 255'
grep -A 2 "'dies' failed" "$T/said" | grep -q 'its commands said: command: ssh: connection lost' || die "what ssh said is not shown"
said dies-whole 'status 1'
said endless 'behind its end'
said zeros 'zeros without end'
said flood 'header of the entry at byte .* does not end'
said sum 'claims to have'
said pax-flood 'damaged'
restore 4 good "$T/g"
cmp "$T/g/size-65535" "$T/plain/content/size-65535"
"$RESTORE" --quiet --medium "$T/m1" verify good@4 >/dev/null || die "good@4 does not verify"
[ "$(cd "$(repo_of "$T/m1")/datasets" && echo */generations/000004)" = good/generations/000004 ] ||
	die "there are generations of streams that are not whole: $(ls -d "$(repo_of "$T/m1")"/datasets/*/generations/000004)"
say "$(ls "$T/bad" | wc -l) streams cut off, damaged, with something behind their end, of impossible sizes, compressed, or of a command" \
	"that failed: only the whole one counts, each of the others is said with its byte"

# ---- streams that are whole, and hostile
python3 - "$T/hostile.tar" <<'P'
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
def add(name, data=None, **kw):
    i = tarfile.TarInfo(name)
    for k, v in kw.items(): setattr(i, k, v)
    if data is not None: i.size = len(data)
    t.addfile(i, io.BytesIO(data) if data is not None else None)
add("../../etc/outside", b"no")
add("a/../../outside", b"no")
add("/srv/absolute", b"absolute")
add("././x//y/./dotted", b"dotted")
add("twice", b"first"); add("hard-to-first", type=tarfile.LNKTYPE, linkname="./twice"); add("twice", b"second")
add("z-first", b"content"); add("a-link", type=tarfile.LNKTYPE, linkname="z-first"); add("b-chain", type=tarfile.LNKTYPE, linkname="a-link")
add("to-nothing", type=tarfile.LNKTYPE, linkname="later"); add("later", b"later")
add("to-outside", type=tarfile.LNKTYPE, linkname="../../etc/passwd")
add("evil", type=tarfile.SYMTYPE, linkname="/etc"); add("evil/passwd", b"owned")
add("file", b"file"); add("file/below", b"no"); add("file/below/deeper", b"no")
add("folder-first/inside", b"inside"); add("folder-first", b"a file now")
add("empty-link", type=tarfile.SYMTYPE, linkname="")
add("ids", b"ids", uid=-5, gid=2**33, mode=0o7777777)
add("odd-attr", b"attr", pax_headers={"SCHILY.xattr.bkp.extents": "1 0:0:0:1", "SCHILY.xattr.user.ok": "yes",
    "SCHILY.acl.access": "nonsense:::x"})
add("患者".encode("cp932").decode("utf-8", "surrogateescape"), b"cp932")
add("n/" * 150000 + "n", b"no"); add("owner", b"owner", uname="u" * 100000); add("target", type=tarfile.SYMTYPE, linkname="t" * 70000)
add("acl", b"acl", pax_headers={"SCHILY.acl.access": ",".join("user:%d:rwx" % i for i in range(30000))})
add("attrs", b"attrs", pax_headers={"SCHILY.xattr.user.%d" % i: "v" for i in range(6000)})
add("dev", type=tarfile.BLKTYPE, devmajor=8, devminor=1); add("pipe", type=tarfile.FIFOTYPE)
t.close()
P
cat >"$T/sets" <<Y
  - {name: hostile, format: tar, command: "cat $T/hostile.tar"}
Y
site_policy "$(cat "$T/sets")"
expect 1 "$BKP" run --all
verdict 5 hostile partial
for c in 01 04 08 09 10 11; do grep -q "W-FILE-$c" "$T/err" || die "W-FILE-$c is not said: $(cat "$T/err")"; done
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract hostile@5 --same-owner --to "$T/h" >"$T/out" 2>"$T/err" || true
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" verify 5 --deep >/dev/null || die "run 5 does not verify"
cd "$T/h"
[ "$(cat twice hard-to-first z-first a-link b-chain later file srv/absolute x/y/dotted)" \
	= "secondfirstcontentcontentcontentlaterfileabsolutedotted" ] ||
	die "contents: $(cat twice hard-to-first z-first a-link b-chain later file srv/absolute x/y/dotted)"
[ "$(stat -c %i z-first)" = "$(stat -c %i a-link)" ] && [ "$(stat -c %i z-first)" = "$(stat -c %i b-chain)" ] || die "hard links are not"
for f in to-nothing to-outside evil/passwd-owned empty-link outside n target; do [ ! -e "$f" ] || die "$f is there"; done
[ "$(readlink evil)" = /etc ] && [ "$(cat file)" = file ] && [ -b dev ] && [ -p pipe ] || die "types"
! grep -q owned /etc/passwd || die "it wrote through a link"
[ "$(cat owner acl attrs)" = owneraclattrs ] || die "what is too large to be kept has taken its file along"
[ "$(cat odd-attr)" = attr ] && [ "$(getfattr --only-values -n user.ok odd-attr 2>/dev/null || true)" != nonsense ] || die "attributes"
[ "$(cat "$(printf '\212\263\216\322')")" = cp932 ] || die "a name in CP932"
cd - >/dev/null
say "names that lead out, links to what is not there or elsewhere, entries below files and links, forged attributes and owners, giant" \
	"names and lists: refused or made harmless, told, the data set partial; of two of one name the last one" \
	"counts, and a hard link keeps what it was made of"

# ---- 200,000 entries in no order: memory stays bounded
if [ -x "$BKP_RELEASE/bkp" ]; then
	cat >"$T/local/many.py" <<'P'
import sys, tarfile
out = sys.stdout.buffer
i = tarfile.TarInfo()
body = b"\0" * 512
for k in range(200000):
    x = k * 7919 % 200003
    i.name = "%02x/%04x/file-with-a-name-of-some-length-%06d.dcm" % (x % 50, x % 3000, x)
    i.size = 7
    out.write(i.tobuf(tarfile.USTAR_FORMAT))
    out.write((b"%07d" % x).ljust(512, b"\0"))
out.write(b"\0" * 1024)
P
	site_policy "  - {name: many, format: tar, command: \"$PY $T/local/many.py\"}"
	/usr/bin/env python3 - "$BKP_RELEASE/bkp" >"$T/rss" <<'P'
import os, resource, subprocess, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], [sys.argv[1], "--quiet", "run", "--all"])
_, status, usage = os.wait4(pid, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
print(usage.ru_maxrss // 1024)
P
	verdict 6 many good
	[ "$(cat "$T/rss")" -lt 150 ] || die "$(cat "$T/rss") MiB"
	say "200,000 entries in no order: $(cat "$T/rss") MiB at most"
fi

# ---- from another host: real ssh, with a key for this alone; what ssh would ask at a terminal, it does not
if [ -x /usr/sbin/sshd ]; then
	D=$T/ssh
	mkdir "$D"
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$D/host"
	ssh-keygen -q -t ed25519 -N '' -f "$D/pull"
	for _ in 1 2 3 4 5 6 7 8; do
		port=$((20000 + RANDOM % 20000))
		cat >"$D/config" <<C
Port $port
ListenAddress 127.0.0.1
HostKey $D/host
PidFile $D/pid
AuthorizedKeysFile $D/authorized
StrictModes no
PasswordAuthentication yes
PermitRootLogin yes
UsePAM no
C
		/usr/sbin/sshd -f "$D/config" -E "$D/log" && break
	done
	for _ in $(seq 50); do [ ! -s "$D/pid" ] || break; sleep 0.1; done
	sshd_pid=$(cat "$D/pid") || die "sshd does not start: $(cat "$D/log")"
	trap 'kill "$sshd_pid"; site_cleanup' EXIT
	# the key may run this one command, and nothing else
	may() { echo "command=\"$1\",restrict $(cat "$D/pull.pub")" >"$D/authorized"; }
	may "tar -C $T/plain --format=pax --xattrs -c ."
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$D/host.pub")" >"$D/known"
	ssh="ssh -F /dev/null -p $port -o UserKnownHostsFile=$D/known -o GlobalKnownHostsFile=/dev/null"
	cat >"$T/sets" <<Y
  - {name: pulled, format: tar, command: "$ssh -i $D/pull -o IdentitiesOnly=yes -o BatchMode=yes root@127.0.0.1", time_limit: 5m}
  - {name: stranger, format: tar, command: "${ssh/known/unknown} -i $D/pull -o IdentitiesOnly=yes root@127.0.0.1", time_limit: 5m}
  - {name: asks, format: tar, command: "$ssh -o PubkeyAuthentication=no root@127.0.0.1 tar -c /etc", time_limit: 5m}
Y
	site_policy "$(cat "$T/sets")"
	begun=$(date +%s)
	# at a terminal, where ssh would ask whether it knows the host, and for a password
	STATUS=0
	python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
		"$BKP" run --all >"$T/out" </dev/null || STATUS=$?
	[ "$STATUS" = 1 ] || die "exit $STATUS: $(cat "$T/out")"
	[ $(($(date +%s) - begun)) -lt 60 ] || die "ssh has waited for somebody"
	"$BKP" generations --json >"$T/gens"
	g=$(python3 -c 'import json, sys; print(max(g["generation"] for g in json.load(open(sys.argv[1]))["generations"]))' "$T/gens")
	verdict "$g" pulled good
	verdict "$g" stranger failed
	verdict "$g" asks failed
	record failed | sed -n 's/.*"said_age":"\([^"]*\)".*/\1/p' | base64 -d | unseal |
		grep -q 'Host key verification failed' ||
		die "what ssh said is not in the record"
	! record failed | grep -q 'Host key' || die "what ssh said stands in the clear"
	restore "$g" pulled "$T/pulled"
	same "$T/plain" "$T/pulled" dense
	# the connection breaks in the middle
	may "tar -C $T/plain --format=pax -c . | head -c 3000000; kill -9 \$PPID"
	sed -i '/stranger\|asks/d' "$T/policy.yaml"
	expect 2 "$BKP" run --all
	grep -q "'pulled'.*status 255" "$T/err" || die "a broken connection: $(cat "$T/err")"
	say "pulled over ssh from a host where the key may run one command: the same comes back; an unknown host key and a password that" \
		"is asked for fail at once, also at a terminal; a connection that breaks is not believed"
fi

# ---- killed in the middle: no name is left in the clear, no other user could have read one, and the next run clears up
cat >"$T/local/some.py" <<'P'
import sys, tarfile
i = tarfile.TarInfo()
for k in range(3000):
    i.name = "kanja-yamada-%06d" % k
    sys.stdout.buffer.write(i.tobuf(tarfile.USTAR_FORMAT))
sys.stdout.flush()
P
site_policy "  - {name: some, format: tar, command: \"$PY $T/local/some.py; touch $T/sent; read x <$T/wait; head -c 1024 /dev/zero\"}"
mkfifo "$T/wait"
"$BKP" --quiet run --all >"$T/out" 2>&1 &
pid=$!
for _ in $(seq 200); do [ ! -e "$T/sent" ] || break; sleep 0.1; done
sleep 1
[ "$(find "$T/state/cache/names" "$T/state/cache/links" -name data.mdb -perm 600 | wc -l)" = 2 ] ||
	die "tables of the run: $(ls -lR "$T/state/cache")"
kill -9 $pid
wait $pid 2>/dev/null || true
echo >"$T/wait"
! grep -rqa 'kanja-yamada' "$T/state" "$T/m1" "$T/m2" || die "names in the clear: $(grep -rla 'kanja-yamada' "$T/state" "$T/m1" "$T/m2")"
[ "$(stat -c %a "$T/state/cache")" = 700 ] || die "the cache folder is open to others"
(sleep 3; echo >"$T/wait") &
expect 0 "$BKP" run --all
[ -z "$(find "$T/state/cache/names" "$T/state/cache/links" -type f)" ] || die "files are left: $(find "$T/state/cache")"
say "killed in the middle of a tar stream nothing is left that has a name of it in the clear, and the next run leaves nothing behind"
