#!/usr/bin/env python3
"""What a night over many data sets costs: seconds, calls that wait for a disk, records of the journal, files on the media.

    tests/bench/sets.py --bin build/release [--before DIR] [--nights N] [--in DIR] [--json]

Rows: 8 data sets of 150 files, 100 data sets of 6 files; of each one file is changed each night, another comes.  Two media.
A night's seconds are the median of --nights (5); its calls are counted by strace in a night of their own.  --before: another
program, on the same trees, turn by turn; it may be one of the layout before.
"""
import argparse, collections, json, os, random, re, shutil, statistics, subprocess, sys, tempfile, time

CALLS = ("fsync", "fdatasync", "syncfs")
ROWS = ((8, 150, 40_000), (100, 6, 3_000))  # data sets, files of each, bytes of a file at most
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--bin", required=True)
ap.add_argument("--before")
ap.add_argument("--nights", type=int, default=5)
ap.add_argument("--in", dest="folder", default="/dev/shm")
ap.add_argument("--json", action="store_true")
o = ap.parse_args()
W = tempfile.mkdtemp(prefix="bkp-sets.", dir=o.folder)


class Site:
    """A tree, a program, two media."""

    def __init__(self, name, program, sets, files, size):
        self.d, self.program, self.sets, self.size, self.day = "%s/%s-%d" % (W, name, sets), program, sets, size, 0
        self.rnd = random.Random(sets)
        for m in ("m1", "m2"):
            os.makedirs("%s/%s" % (self.d, m))
        for i in range(sets):
            for k in range(files):
                self.write(i, k)
        with open(self.d + "/policy.yaml", "w") as f:
            f.write("site: {name: bench, language: en}\nstate: %s/state\ndatasets:\n" % self.d)
            f.writelines("  - {name: set%d, paths: [%s/src/%d]}\n" % (i, self.d, i) for i in range(sets))
            f.write("media:\n  - {name: m1, type: hdd, path: %s/m1}\n  - {name: m2, type: ssd, path: %s/m2}\n" % (self.d, self.d))
        self.env = dict(os.environ, BKP_POLICY=self.d + "/policy.yaml", LANG="C.UTF-8")
        subprocess.run(["age-keygen", "-o", self.d + "/id"], check=True, capture_output=True)
        key = subprocess.run(["age-keygen", "-y", self.d + "/id"], check=True, capture_output=True, text=True).stdout.strip()
        for argv in (["init", "--root-key-out", "%s/root.%s" % (W, os.urandom(6).hex()), "--recipient", key], ["medium", "add", "m1"], ["medium", "add", "m2"]):
            self.bkp(*argv)

    def write(self, i, k):
        os.makedirs("%s/src/%d" % (self.d, i), exist_ok=True)
        with open("%s/src/%d/%d" % (self.d, i, k), "wb") as f:
            f.write(self.rnd.randbytes(self.rnd.randrange(200, self.size)))

    def bkp(self, *argv, strace=()):
        r = subprocess.run([*strace, self.program + "/bkp", *argv], env=self.env, capture_output=True, text=True)
        if r.returncode not in (0, 1):
            sys.exit("%s %s: %s%s" % (self.program, " ".join(argv), r.stdout, r.stderr))

    def night(self, strace=()):
        """Seconds."""
        self.day += 1
        for i in range(self.sets):
            self.write(i, 0)
            self.write(i, 1000 + self.day)
        began = time.monotonic()
        self.bkp("run", "--all", "--quiet", strace=strace)
        return time.monotonic() - began

    def standing(self):
        records = collections.Counter()
        for name in sorted(os.listdir(self.d + "/state/journal")):
            with open(self.d + "/state/journal/" + name) as f:
                records.update(json.loads(line)["event"] for line in f)
        names = [os.path.join(d, n) for m in ("m1", "m2") for d, _, ns in os.walk("%s/%s" % (self.d, m)) for n in ns]
        return records, {p: os.path.getsize(p) for p in names}

    def counted(self):
        """(calls, records by event, new files on both media, their bytes) of a night of its own."""
        records, files = self.standing()
        self.night(["strace", "-f", "-q", "-o", self.d + "/trace", "-e", "trace=" + ",".join(CALLS)])
        now, there = self.standing()
        with open(self.d + "/trace") as f:
            calls = collections.Counter(m.group(1) for m in map(re.compile(r"\d+ +(\w+)\(").match, f) if m)
        new = set(there) - set(files)
        return calls, now - records, len(new), sum(there[p] for p in new)


def row(sets, files, size):
    sites = {n: Site(n, os.path.abspath(p), sets, files, size) for n, p in (("before", o.before), ("now", o.bin)) if p}
    seconds = collections.defaultdict(list)
    for name, s in sites.items():
        s.night()
    for _ in range(o.nights):
        for name, s in sites.items():
            seconds[name].append(s.night())
    out = {}
    for name, s in sites.items():
        calls, records, new, size = s.counted()
        out[name] = {"seconds": round(statistics.median(seconds[name]), 3), "calls": dict(calls), "records": dict(records),
                     "files": new, "bytes": size}
    return out


def main():
    result = {}
    for sets, files, size in ROWS:
        result[sets] = row(sets, files, size)
        for name, f in result[sets].items() if not o.json else ():
            print("%4d data sets %-6s %7.2f s %5d calls that wait for a disk (%s), %4d records (%s), %5d files, %8d bytes" % (
                sets, name, f["seconds"], sum(f["calls"].values()), ", ".join("%s %d" % c for c in sorted(f["calls"].items())),
                sum(f["records"].values()), ", ".join("%s %d" % r for r in sorted(f["records"].items())), f["files"], f["bytes"]), flush=True)
    if o.json:
        print(json.dumps(result))


try:
    main()
finally:
    subprocess.run(["chattr", "-R", "-f", "-i", W], stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(W, ignore_errors=True)
