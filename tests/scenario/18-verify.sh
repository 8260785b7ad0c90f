#!/bin/bash
# Goal: what verify finds, says and records does not depend on the number of processors; a sector that cannot be read costs no more
# than itself; a disk that turns is read by one reader; the read-back of a night does not read the lists of all the years before.
. "$(dirname "$0")/../lib/site.sh"
[ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] &&
	{ rm -rf "$T"; T=$(mktemp -d /dev/shm/bkp-test.XXXXXX); chmod 0755 "$T"; export BKP_POLICY=$T/policy.yaml; }
mkdir -p "$T/src" "$T/src2"
python3 - "$T/src" <<'P'
import random, sys
rnd = random.Random(1)
for i in range(3000):
    open("%s/f%04d" % (sys.argv[1], i), "wb").write(b"%PDF-1.4\n" + rnd.randbytes(rnd.randrange(1, 400)))
for i in range(7):
    open("%s/big%d" % (sys.argv[1], i), "wb").write(rnd.randbytes(3_000_000) + b"same " * 100_000)
P
site_policy "  - {name: docs, paths: [$T/src]}"
sed -i 's/^datasets:/archive_size: 4 MiB\n&/' "$T/policy.yaml"
site_make
expect 0 "$BKP" run --all
thaw "$T/m1"
chmod -R u+w "$T/m1"
cp -a "$T/m1" "$T/good"
repo=$(set_of "$T/m1")
large() { ls -S "$repo"/archives/*/* | head -n "$1" | tail -n 1; }
reset() { chmod -R u+w "$T/m1"; rm -rf "$T/m1"; cp -a "$T/good" "$T/m1"; cp "$T/journal" "$T/state/journal/000001.jsonl"; }
cp "$T/state/journal/000001.jsonl" "$T/journal"

# everything that is said and recorded, in text and JSON, keyless and deep: $1 holds it; the rest is put before the commands
everything() {
	local out=$1 o j
	shift
	: >"$out"
	for o in "" "--deep --identity $T/id.txt"; do
		for j in "" --json; do
			# shellcheck disable=SC2086
			status "$@" "$RESTORE" --medium "$T/m1" verify 1 $o $j
			{ echo "exit $STATUS"; cat "$T/out" "$T/err"; } >>"$out"
		done
	done
	for o in "" "--identity $T/id.txt"; do
		for j in "" --json; do
			cp "$T/journal" "$T/state/journal/000001.jsonl"
			# shellcheck disable=SC2086
			status "$@" "$BKP" verify --medium m1 $o $j
			{ echo "exit $STATUS"; cat "$T/out" "$T/err"; } >>"$out"
			tail -n +$(($(wc -l <"$T/journal") + 1)) "$T/state/journal/000001.jsonl" |
				sed -E 's/"(time|prev|sig)":"[^"]*"/"\1":""/g; s/"mono_ns":[0-9]*//' >>"$out"
		done
	done
}
same() { # NAME WORD...: one processor and all of them say the same, and every WORD
	local name=$1 word
	shift
	everything "$T/one" taskset -c 0
	everything "$T/all" env
	cmp "$T/one" "$T/all" || { diff "$T/one" "$T/all" | head -n 20 >&2; die "$name: one processor and all of them differ"; }
	for word; do grep -q -- "$word" "$T/all" || fail "$name: '$word' is not said" "$T/all"; done
	cases=$((cases + 1))
}
cases=0
same whole "is whole" '"good":true' '"event":"verified"'
a=$(large 2) b=$(large 4) c=$(large 6)
python3 - "$a" "$b" <<'P'
import sys
for path, places in ((sys.argv[1], (1000, 700_000, 1_500_000)), (sys.argv[2], (-600, 2_000_000))):
    f = bytearray(open(path, "rb").read())
    for at in places:
        f[at] ^= 4
    open(path, "wb").write(f)
P
rm "$c"
same "turned bits and a lost archive" "$(basename "$a").*SHA-256 is another" "$(basename "$b").*SHA-256 is another" \
	"$(basename "$c")' is missing" "$(basename "$a")', chunk 0 at offset 512" '"event":"verify-failed"' \
	"cannot be restored" '"good":false'
# what keyless says is what sha256sum says
status "$RESTORE" --medium "$T/m1" verify 1
[ "$(cd "$repo" && sha256sum -c generations/000001/SHA256SUMS 2>/dev/null | grep -c FAILED)" \
	= "$(grep -c '^bkp-restore: E-VERIFY' "$T/err")" ] || fail "sha256sum disagrees" "$T/err"
reset
a=$(large 1) b=$(large 3) c=$(large 5)
python3 - "$a" "$b" "$c" <<'P'
import os, sys
os.truncate(sys.argv[1], 1_000_000)
with open(sys.argv[2], "r+b") as f:
    f.seek(70_000); f.write(bytes(200_000))
with open(sys.argv[3], "r+b") as f:
    f.seek(30); f.write(b"?")
P
same "cut off, zeroed, without a header" "$(basename "$a")': 1000000 bytes long" "$(basename "$b").*does not authenticate" \
	"$(basename "$c")' is not the file"
reset
say "$cases states of a medium, text, JSON and journal, with and without identity: one processor and all of them say the same"

# the second part of an archive cannot be read: its hash cannot be told, but nothing in it is lost
R=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
a=$(large 2)
gcc -shared -fPIC -o "$T/badpart.so" "$SRC_ROOT/tests/lib/badpart.c" -ldl
for cpus in "taskset -c 0" env; do
	# shellcheck disable=SC2086
	status $cpus env LD_PRELOAD="$T/badpart.so" BADPART="$(basename "$a")" \
		"$R" --medium "$T/m1" --identity "$T/id.txt" --json verify 1 --deep
	python3 - "$T/out" "$(basename "$a")" <<'P' || fail "$cpus: a sector that cannot be read"
import json, sys
o = json.load(open(sys.argv[1]))
assert len(o["faults"]) == 1 and o["faults"][0]["fault"]["code"] == "E-VERIFY-03" and sys.argv[2] in o["faults"][0]["file"], o["faults"]
g = o["generations"][0]
assert (g["dataset"], g["entries"], g["entries_bad"], g["good"]) == ("docs", 3008, 0, False), o
P
done
# from some archive on nothing can be read any more: the medium was pulled out
paths="-P $T/m1/bkp-medium.json"
for f in "$repo"/archives/*/*; do paths="$paths -P $f"; done
# shellcheck disable=SC2086
strace -f -qq -y -o "$T/reads" $paths -e trace=read,pread64 "${R%-restore}" verify --medium m1 --quiet >"$T/out" 2>"$T/err"
n=$(sed '/archives/,$d' "$T/reads" | wc -l)
[ "$n" -gt 0 ] || fail "nothing is read of the medium before its archives: the test does not test" "$T/reads"
cp "$T/journal" "$T/state/journal/000001.jsonl"
for cpus in "taskset -c 0" env; do
	# shellcheck disable=SC2086
	status $cpus strace -f -qq -o /dev/null $paths -e trace=read,pread64 -e inject=read,pread64:error=EIO:when="$((n + 4))+" \
		"${R%-restore}" verify --medium m1
	# that it was tried and came to nothing stands in the journal, and nothing about the copies
	[ "$STATUS" = 3 ] && grep -q E-VERIFY-11 "$T/err" &&
		cmp -s "$T/journal" <(grep -v '"event":"outcome","command":"verify","exit":3' "$T/state/journal/000001.jsonl") ||
		fail "exit $STATUS: a medium that was pulled out"
	cp "$T/journal" "$T/state/journal/000001.jsonl"
done
say "a sector that cannot be read: named, every entry is still found good; a medium pulled out: exit 3, nothing recorded of it"

# one reader where a disk turns, several where none does: which archive each read is for, in order
# Each read takes 3 ms: one reader must not be through while another waits for a busy machine.
readers() { # 0 or 1: what the kernel is to say of the disk; prints how often a reader turned from one archive to another
	echo "$1" >"/sys/block/$(basename "$loop")/queue/rotational"
	strace -f -qq -y -o "$T/trace" -e trace=read,pread64 -e inject=read,pread64:delay_exit=3000 \
		"$R" --medium "$T/disk" verify 1 --quiet >"$T/out" 2>&1 ||
		fail "verify on a loop device" "$T/out"
	grep -o 'archives/[^>]*' "$T/trace" | uniq | wc -l
}
truncate -s 64M "$T/image"
mkdir "$T/disk"
if [ "$(id -u)" = 0 ] && mkfs.ext4 -q "$T/image" && loop=$(loop_of "$T/image" 2>/dev/null); then
	trap 'umount -l "$T/disk" 2>/dev/null; losetup -d "$loop" 2>/dev/null; site_cleanup' EXIT
	mount "$loop" "$T/disk"
	cp -a "$T/m1/." "$T/disk/"
	sync
	archives=$(ls "$repo"/archives/*/* | wc -l)
	[ "$(readers 1)" = "$archives" ] || die "two readers on a disk that turns"
	turns=$(readers 0)
	[ "$(nproc)" = 1 ] || [ "$turns" -gt "$archives" ] ||
		die "one reader on a disk that does not turn: $turns turns, $archives archives"
	umount "$T/disk"; losetup -d "$loop"
	trap site_cleanup EXIT
	say "a disk that turns is read archive by archive ($archives), another by several readers ($turns turns)"
else
	say "no loop device here: readers of a disk were not looked at"
fi

# many small nights, with a data set that is captured the first time and the last
rm -rf "$T/src" "$T/state"
thaw "$T/m1" "$T/m2"
rm -rf "$T/m1" "$T/m2"
mkdir "$T/src"
head -c 3000000 /dev/urandom >"$T/src2/monthly"
site_policy "  - {name: docs, paths: [$T/src]}
	  - {name: monthly, paths: [$T/src2]}"
site_make
for night in $(seq 12); do
	echo "$night" >"$T/src/note"
	# shellcheck disable=SC2046
	expect 0 "$BKP" run $([ "$night" = 1 ] || echo docs)
done
echo 13 >"$T/src/note"
status strace -f -qq -y -o "$T/trace" -e trace=openat "${R%-restore}" run docs
[ "$STATUS" = 0 ] || fail "exit $STATUS: a night"
lists=$(grep -o '/m1/[^>]*/generations/[0-9]*>, "SHA256SUMS"' "$T/trace" | sort -u | wc -l)
[ "$lists" -ge 2 ] && [ "$lists" -le 5 ] ||
	{ grep SHA256SUMS "$T/trace" | tail -n 40 >&2; die "a night after 12 others reads $lists lists"; }
expect 0 "$BKP" run --all
python3 - "$T/state/journal/000001.jsonl" <<'P' || die "what was not captured for a while was read again"
import json, sys
last = [r for r in map(json.loads, open(sys.argv[1])) if r["event"] == "verified"][-2:]
for r in last:
    print([(g["dataset"], g["generation"], g["files"], g["bytes"]) for g in r["generations"]])
    assert [g["dataset"] for g in r["generations"]] == ["docs", "monthly"] and {g["generation"] for g in r["generations"]} == {14}
    assert 0 < sum(g["bytes"] for g in r["generations"]) < 100_000
P
say "the 13th night reads $lists lists of signatures on a medium; a data set captured 13 nights ago is not read again"
