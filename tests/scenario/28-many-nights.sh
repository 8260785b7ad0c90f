#!/bin/bash
# Goal: twenty nights of random changes (a seed for each), over many archives: each generation restored is the tree, judged by
# rsync, getfacl and others.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
mkdir "$T/src"
site_policy "  - {name: docs, paths: [$T/src], guard: {enabled: false}}"
sed -i 's/^datasets:/archive_size: 4 MiB\n&/' "$T/policy.yaml"
site_make 2>/dev/null
python3 - "$T/src" <<'P'
import os, random, sys
rnd = random.Random(240)
for i in range(300):
    p = "%s/r/%d/%d" % (sys.argv[1], rnd.randrange(12), rnd.randrange(3))
    os.makedirs(p, exist_ok=True)
    open("%s/%d" % (p, i), "wb").write(rnd.randbytes(rnd.choice((0, 100, 3000, 40000, 300000))))
P
night 0 docs
for n in $(seq 20); do
	python3 - "$T/src/r" "$n" <<'P'
import os, random, sys
top, rnd = sys.argv[1], random.Random(int(sys.argv[2]))
def files():
    return sorted(os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs if not os.path.islink(os.path.join(d, f)))
def folders():
    return sorted(d for d, _, _ in os.walk(top))
def fresh(d):
    return os.path.join(d, "%d-%x" % (rnd.randrange(1000), rnd.randrange(1 << 30)))
def content():
    return rnd.randbytes(rnd.choice((0, 1, 500, 5000, 70000, 270000, 1200000)))
for _ in range(rnd.randrange(1, 40)):
    f, d = rnd.choice(files()), rnd.choice(folders())
    what = rnd.randrange(14)
    if what <= 2:
        open(f, "wb").write(content())
    elif what == 3:
        open(f, "ab").write(b"more")
    elif what == 4:
        st = os.stat(f)
        open(f, "wb").write(rnd.randbytes(st.st_size))
        os.utime(f, ns=(0, st.st_mtime_ns))
    elif what <= 6:
        open(fresh(d), "wb").write(content())
    elif what == 7:
        os.unlink(f)
    elif what == 8:
        os.rename(f, fresh(d))
    elif what == 9:
        os.link(f, fresh(d))
    elif what == 10:
        os.chmod(f, rnd.choice((0o600, 0o644, 0o755)))
    elif what == 11:
        os.mkdir(fresh(d))
    elif what == 12 and d != top:
        to = rnd.choice(folders())
        if not (to + "/").startswith(d + "/"):
            os.rename(d, fresh(to))
    elif what == 13:
        os.symlink("x", fresh(d))
P
	# some generations were made by runs that remembered nothing
	[ $((n % 7)) != 0 ] || rm "$T/state/cache/stat/docs.cache"
	change "random changes of night $n" true
done
archives=$(find "$T"/m1/*-*-*-*-*/datasets/docs/archives -name '*.age' | wc -l)
[ "$archives" -gt 20 ] || die "only $archives archives: the test does not test"
say "20 nights of random changes, over $archives archives: each generation restored is the tree"
