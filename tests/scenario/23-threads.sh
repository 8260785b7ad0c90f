#!/bin/bash
# Goal: ThreadSanitizer finds nothing in a capture, and what is stored does not depend on the number of processors: the same tree
# gives the same chunk list (INDEX of every archive), on one processor and on all of them.
. "$(dirname "$0")/../lib/site.sh"
"$SRC_ROOT/tests/build.sh" tsan >"$T/build" 2>&1 || { tail -n 20 "$T/build"; die "the build"; }
TSAN=$SRC_ROOT/build/tsan
export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
# what takes long and says nothing of threads: thousands of files that one makes and removes, each size once
declare -A skip=([test_walk]=very_many_missing [test_content]=sizes_at_every_boundary)
for t in test_pipeline test_pack test_content test_queue test_parallel test_ahead test_verify test_arc_r test_walk; do
	BKP_TEST_SKIP=${skip[$t]:-} "$TSAN/$t" >"$T/out" 2>&1 || { tail -n 40 "$T/out" >&2; die "$t under ThreadSanitizer"; }
done
mkdir -p "$T/src"
python3 - "$T/src" <<'P'
import random, sys
rnd = random.Random(1)
for i in range(2000):
    open("%s/f%04d" % (sys.argv[1], i), "wb").write(rnd.randbytes(rnd.randrange(1, 4000)) + b"x" * rnd.randrange(4000))
for i in range(6):
    open("%s/big%d" % (sys.argv[1], i), "wb").write(rnd.randbytes(3_000_000) + b"same " * 300_000)
P
site_policy "  - {name: docs, paths: [$T/src]}"
sed -i 's/^datasets:/archive_size: 4 MiB\n&/' "$T/policy.yaml"
site_make
. "$(dirname "$0")/../lib/fakeclock.sh"
tsan_run() { # WHAT [OPTIONS [CODE]]: an hour from now: what is a minute old is believed
	local code=0
	env "${FAKE_ENV[@]}" FAKECLOCK=3600 FAKECLOCK_RATE="${RATE:-1}" "$TSAN/bkp" run --all ${2:-} >"$T/out" 2>&1 || code=$?
	[ "$code" = "${3:-0}" ] && ! grep -q ThreadSanitizer "$T/out" ||
		{ tail -n 40 "$T/out" >&2; die "bkp run under ThreadSanitizer, $1: exit $code"; }
}
ln "$T/src/f0001" "$T/src/f0001.also"
mkfifo "$T/src/pipe"
tsan_run "a first night"
tsan_run "nothing changed"
for i in 0003 0900 1700; do echo changed >"$T/src/f$i"; done
rm "$T/src/f0500" "$T/src/big3"
ln "$T/src/f1000" "$T/src/second-name"
printf 'x' | dd of="$T/state/cache/stat/docs.cache" bs=1 seek=30000 conv=notrunc status=none
tsan_run "some changes, and damage to what is remembered"
cp "$T/policy.yaml" "$T/policy.before"
sed -i "s|paths: .*|command: 'echo begun; exec sleep 1000', store_as: dump}|" "$T/policy.yaml"
RATE=60 tsan_run "stopped" "--until $(date -d '+3720 seconds' +%H:%M)" 2
cp "$T/policy.before" "$T/policy.yaml"
policy_accept
expect 0 taskset -c 0 "$BKP" run --anchor --all
expect 0 "$BKP" run --anchor --all
period_key >/dev/null
g=$(find "$T"/m1/*-*-*-*-*/datasets/docs/generations -mindepth 1 -maxdepth 1 | sort | tail -n 2 | sed "s|.*/||")
python3 - "$T" $g <<'P' || die "what is stored depends on the number of processors"
# the chunk list of each archive of a generation, by stock age and tar
import glob, subprocess, sys, tarfile, io, re
T, generations = sys.argv[1], [int(n) for n in sys.argv[2:]]
repo = glob.glob(T + "/m1/*-*-*-*-*/datasets/docs")[0]
seen, lists = set(), []
for n in generations:
    index = []
    for line in open(repo + "/generations/%06d/SHA256SUMS" % n):
        path = line.split()[1]
        if not path.startswith("archives/") or path in seen:
            continue
        seen.add(path)
        plain = subprocess.run(["age", "-d", "-i", T + "/period.key", repo + "/" + path], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            text = tar.extractfile("INDEX").read().decode()
        number = int(text.split("\n", 1)[0].split()[4])
        index.append((number, text.split("\n", 1)[1]))
    first = min(i[0] for i in index)
    lists.append({number - first: text for number, text in index})
# catalogs hold archive numbers, so only the archives of content can be the same: those before the catalog's, and most of them
same = [k for k in lists[0] if lists[0][k] == lists[1].get(k)]
print("%d archives a night, %d with the same chunks" % (len(lists[0]), len(same)))
assert len(lists[0]) == len(lists[1]) > 6 and len(same) >= len(lists[0]) - 1, (len(lists[0]), len(lists[1]), len(same))
P
last=$((10#${g##*[!0-9]}))
# the way back, whole and from a damaged medium
"$TSAN/bkp-restore" --medium "$T/m1" --identity "$T/id.txt" --quiet extract "docs@$last" --to "$T/back" --same-owner >"$T/out" 2>&1 ||
	{ tail -n 40 "$T/out" >&2; die "bkp-restore extract under ThreadSanitizer"; }
[ -z "$(rsync -aHnc --delete --itemize-changes "$T/src/" "$T/back$T/src/")" ] || die "what came back is not what was captured"
thaw "$T/m1"
repo=$(set_of "$T/m1")
(cd "$repo" && grep -o 'archives/.*' "generations/$(printf %06d "$last")/SHA256SUMS" | xargs -I{} find {} -size +2M | sed -n '2p') |
	while read -r f; do
	printf XXXXXXXXXXXXXXXX | dd of="$repo/$f" bs=1 seek=1700000 conv=notrunc status=none
done
STATUS=0
"$TSAN/bkp-restore" --medium "$T/m1" --identity "$T/id.txt" --quiet extract "docs@$last" --to "$T/back" \
	--same-owner --overwrite >"$T/out" 2>&1 || STATUS=$?
[ "$STATUS" = 2 ] || { tail -n 40 "$T/out" >&2; die "exit $STATUS from a damaged medium under ThreadSanitizer"; }
say "ThreadSanitizer is silent over pack, content, a first night, an unchanged one, a changed one and a stopped one, and a restore, also" \
	"of what is damaged; one processor and all of them store the same chunks"
