#!/bin/bash
# Goal: ThreadSanitizer finds nothing in a capture, and what is stored does not depend on the number of processors: the same tree
# gives the same chunk list (INDEX of every archive), on one processor and on all of them.
. "$(dirname "$0")/../lib/site.sh"
cmake -S "$SRC_ROOT" --preset tsan >"$T/build" 2>&1 && (cd "$SRC_ROOT" && cmake --build --preset tsan >>"$T/build" 2>&1) || { tail -n 20 "$T/build"; die "the build"; }
TSAN=$SRC_ROOT/build/tsan
export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
for t in test_pack test_content test_crew test_ahead test_verify test_arc_r test_walk; do
	"$TSAN/$t" >"$T/out" 2>&1 || { tail -n 40 "$T/out" >&2; die "$t under ThreadSanitizer"; }
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
"$TSAN/bkp" run >"$T/out" 2>&1 || { tail -n 40 "$T/out" >&2; die "bkp run under ThreadSanitizer"; }
expect 0 taskset -c 0 "$BKP" run --anchor
expect 0 "$BKP" run --anchor
python3 - "$T" <<'P' || die "what is stored depends on the number of processors"
# the chunk list of each archive of a generation, by stock age and tar
import glob, subprocess, sys, tarfile, io, re
T = sys.argv[1]
repo = glob.glob(T + "/m1/*-*-*-*-*")[0]
seen, lists = set(), []
for n in (1, 2, 3):
    index = []
    for line in open(repo + "/generations/%06d/SHA256SUMS" % n):
        path = line.split()[1]
        if not path.startswith("archives/") or path in seen:
            continue
        seen.add(path)
        plain = subprocess.run(["age", "-d", "-i", T + "/id.txt", repo + "/" + path], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            text = tar.extractfile("INDEX").read().decode()
        number = int(text.split("\n", 1)[0].split()[3])
        index.append((number, text.split("\n", 1)[1]))
    first = min(i[0] for i in index)
    lists.append({number - first: text for number, text in index})
# catalogs hold archive numbers, so only the archives of content can be the same: those before the catalog's, and most of them
same = [k for k in lists[1] if lists[1][k] == lists[2].get(k)]
print("%d archives a night, %d with the same chunks" % (len(lists[1]), len(same)))
assert len(lists[1]) == len(lists[2]) > 6 and len(same) >= len(lists[1]) - 1, (len(lists[1]), len(lists[2]), len(same))
P
# the way back, whole and from a damaged medium
"$TSAN/bkp-restore" --medium "$T/m1" --identity "$T/id.txt" --quiet extract 1 docs --to "$T/back" --same-owner >"$T/out" 2>&1 || { tail -n 40 "$T/out" >&2; die "bkp-restore extract under ThreadSanitizer"; }
diff -r "$T/src" "$T/back$T/src" || die "what came back is not what was captured"
thaw "$T/m1"
repo=$(repo_of "$T/m1")
(cd "$repo" && find $(grep -o 'archives/.*' generations/000001/SHA256SUMS) -size +2M | sed -n '2p') | while read -r f; do
	printf XXXXXXXXXXXXXXXX | dd of="$repo/$f" bs=1 seek=1700000 conv=notrunc status=none
done
STATUS=0
"$TSAN/bkp-restore" --medium "$T/m1" --identity "$T/id.txt" --quiet extract 1 docs --to "$T/back" --same-owner --overwrite >"$T/out" 2>&1 || STATUS=$?
[ "$STATUS" = 2 ] || { tail -n 40 "$T/out" >&2; die "exit $STATUS from a damaged medium under ThreadSanitizer"; }
say "ThreadSanitizer is silent over pack, content, a capture and a restore, also of what is damaged; one processor and all of them store the same chunks"
