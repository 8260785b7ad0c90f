#!/usr/bin/env python3
"""Nights of change on a small site, with the real programs: what waste and fragmentation come to.

    tests/bench/waste.py --bin build/release [--nights 400] [--every 50] [--keep 14] [--mib 160] [--archive 8]
                         [--share 50] [--anchor 180] [--seed 1] [--churn 1] [--only bound|free] [--kind all|hl7|doc|img|db] [--json]

The same tree is captured each night by two sites: one with the bound (retention: live_share, anchor_every), one
without.  Archives of 8 MiB stand for archives of 128 MiB: a tree of 160 MiB for one of 2.5 GiB.  A night changes half
a percent of the files, adds as many and removes as many, and rewrites parts of a database file: small files,
documents, images and a database, all incompressible; --kind: a data set of one of these alone.

Columns: night; live = bytes of the tree; stored = bytes of all archives that the last KEEP generations list, which is
what a medium holds that expires the others; ratio; touched = archives a restore of the newest generation opens;
least = the fewest possible; oldest = generations since the oldest of them was written; written = bytes of archives
a night on average since the line before.  In the end the newest generation is restored and compared.
"""
import argparse, json, os, random, shutil, subprocess, sys, tempfile

ap = argparse.ArgumentParser()
ap.add_argument("--bin", required=True)
for name, value in (("nights", 400), ("every", 50), ("keep", 14), ("mib", 160), ("archive", 8), ("share", 50), ("anchor", 180),
                    ("seed", 1), ("churn", 1)):
    ap.add_argument("--" + name, type=int, default=value)
ap.add_argument("--only", choices=("bound", "free"))
ap.add_argument("--kind", choices=("all", "hl7", "doc", "img", "db"), default="all")
ap.add_argument("--json", action="store_true")
o = ap.parse_args()
rng = random.Random(o.seed)
W = tempfile.mkdtemp(prefix="bkp-waste.", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
TREE = W + "/tree"


def write(name, n):
    os.makedirs(os.path.dirname(f"{TREE}/{name}"), exist_ok=True)
    with open(f"{TREE}/{name}", "wb") as f:
        f.write(rng.randbytes(n))


class Tree:
    """A third small files, a third documents, a quarter images and the database; or one of these."""

    def __init__(self):
        self.names = []
        self.serial = 0
        for kind, part in (("hl7", 3), ("doc", 3), ("img", 4)):
            left = o.mib * 2**20 // (part if o.kind == "all" else 1) if o.kind in ("all", kind) else 0
            while left > 0:
                left -= self.add(kind)
        self.database = o.mib * 2**20 // (12 if o.kind == "all" else 1) if o.kind in ("all", "db") else 0
        if self.database:
            write("db/base", self.database)

    def size(self, kind):
        return {"hl7": rng.randrange(500, 6000), "doc": rng.randrange(30000, 400000), "img": rng.randrange(500000, 3000000)}[kind]

    def add(self, kind):
        self.serial += 1
        name, n = f"{kind}/{self.serial % 97:02}/{self.serial:06}", self.size(kind)
        write(name, n)
        self.names.append(name)
        return n

    def night(self):
        for _ in range(max(1, o.churn * len(self.names) // 200) if self.names else 0):
            i = rng.randrange(len(self.names))  # one goes, one of its kind comes
            name = self.names[i]
            self.names[i] = self.names[-1]
            self.names.pop()
            os.unlink(f"{TREE}/{name}")
            self.add(name[:3])
        for _ in range(max(1, o.churn * len(self.names) // 200) if self.names else 0):
            name = rng.choice(self.names)
            write(name, os.path.getsize(f"{TREE}/{name}"))
        if not self.database:
            return
        with open(TREE + "/db/base", "r+b") as f:
            for _ in range(4):
                f.seek(rng.randrange(self.database - 8192))
                f.write(rng.randbytes(8192))

    def bytes(self):
        return sum(os.path.getsize(f"{d}/{f}") for d, _, fs in os.walk(TREE) for f in fs)


class Site:
    def __init__(self, name, retention):
        self.d = f"{W}/{name}"
        self.first = {}  # archive -> generation that listed it first
        self.sizes = {}
        self.lists = []
        self.written = self.before = 0
        os.makedirs(self.d + "/m")
        with open(self.d + "/policy.yaml", "w") as f:
            f.write(f"""site: {{name: bench, language: en}}
state: {self.d}/state
archive_size: {o.archive} MiB
datasets: [{{name: all, paths: [{TREE}]}}]
media: [{{name: m, type: hdd, path: {self.d}/m}}]
retention: {retention}
""")
        self.env = dict(os.environ, BKP_POLICY=self.d + "/policy.yaml", LANG="C.UTF-8")
        subprocess.run(["age-keygen", "-o", self.d + "/id"], check=True, capture_output=True)
        key = subprocess.run(["age-keygen", "-y", self.d + "/id"], check=True, capture_output=True, text=True).stdout.strip()
        self.run("init", "--root-key-out", self.d + "/root.key", "--recipient", key)
        self.run("medium", "add", "m")
        self.repo = next(e.path for e in os.scandir(self.d + "/m") if len(e.name) == 36) + "/datasets/all"

    def run(self, *args):
        p = subprocess.run([o.bin + "/bkp", *args], env=self.env, capture_output=True, text=True)
        if p.returncode not in (0, 1):
            sys.exit(f"bkp {' '.join(args)}: {p.stderr}")

    def night(self, n):
        self.run("--quiet", "run", "--all")
        g = sorted(os.listdir(self.repo + "/generations"))[-1]
        with open(f"{self.repo}/generations/{g}/SHA256SUMS") as f:
            now = {line.split("  ")[1].strip() for line in f if "  archives/" in line}
        for a in now - self.first.keys():
            self.first[a] = n
            self.sizes[a] = os.path.getsize(f"{self.repo}/{a}")
            self.written += self.sizes[a]
        self.lists = (self.lists + [now])[-o.keep:]

    def restores(self, n):
        p = subprocess.run([o.bin + "/bkp-restore", "--quiet", "--medium", self.d + "/m", "--identity", self.d + "/id",
                            "extract", "all@%d" % n, "--to", self.d + "/out"], env=self.env, capture_output=True, text=True)
        if p.returncode or subprocess.run(["diff", "-r", TREE, self.d + "/out" + TREE]).returncode:
            sys.exit(f"generation {n} is not what was captured: {p.stderr}")

    def figures(self, n, live, nights):
        now = self.lists[-1]
        stored = sum(self.sizes[a] for a in set().union(*self.lists))
        f = {"night": n, "live": live, "stored": stored, "ratio": round(stored / live, 3), "touched": len(now),
             "least": -(-live // (o.archive * 2**20)), "oldest": n - min(self.first[a] for a in now),
             "written": (self.written - self.before) // nights}
        self.before = self.written
        return f


def main():
    tree = Tree()
    sites = {}
    if o.only != "free":
        sites["bound"] = Site("bound", f"{{live_share: {o.share} %, anchor_every: {o.anchor}}}")
    if o.only != "bound":
        sites["free"] = Site("free", "{live_share: 0 %, anchor_every: 0}")
    result = {name: [] for name in sites}
    if not o.json:
        print(f"{'site':6} {'night':>5} {'live MB':>8} {'stored MB':>9} {'ratio':>6} {'touched':>7} {'least':>5} {'oldest':>6} {'written MB':>10}")
    for n in range(1, o.nights + 1):
        if n > 1:
            tree.night()
        for name, site in sites.items():
            site.night(n)
            if n == 1 or n % o.every == 0 or n == o.nights:
                f = site.figures(n, tree.bytes(), 1 if n == 1 else n % o.every or o.every - (n == o.every))
                result[name].append(f)
                if not o.json:
                    print(f"{name:6} {n:5} {f['live'] / 1e6:8.1f} {f['stored'] / 1e6:9.1f} {f['ratio']:6.2f} {f['touched']:7} "
                          f"{f['least']:5} {f['oldest']:6} {f['written'] / 1e6:10.2f}", flush=True)
    for site in sites.values():
        site.restores(o.nights)
    if o.json:
        print(json.dumps(result))


try:
    main()
finally:
    subprocess.run(["chattr", "-R", "-f", "-i", W], stderr=subprocess.DEVNULL)
    shutil.rmtree(W)
