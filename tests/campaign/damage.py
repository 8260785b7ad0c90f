"""Damage: a bit, a sector or an end of any file of a medium.  The reader must name the file, and give back either exactly what was captured
or say that it does not; a file that it writes is never another one.

Nothing is reset between cases: the programs that read change nothing, and the file gets its bytes back.
"""
import os
import re
import shutil

import oracle

SECTOR = 512
DATA = 20000  # bytes; of larger files one bit a byte, of smaller ones every bit


def normal(path):
    return re.sub("[0-9a-f]{8,}(-[0-9a-f]{4,})*", "#", re.sub("/archives/../", "/archives/", path))


def files(site):
    """name -> path: what stands on the medium, by a name that is the same in every campaign."""
    found = {}
    for d, _, names in os.walk(site.path("m1")):
        for n in names:
            p = os.path.join(d, n)
            found.setdefault(normal(os.path.relpath(p, site.path("m1"))), []).append(p)
    return {"%s,%d" % (n, i): p for n, ps in found.items() for i, p in enumerate(sorted(ps, key=os.path.getsize))}


class Damage:
    name = "damage"

    def cases(self, site):
        site.reset("night2")
        out = []
        for name, path in sorted(files(site).items()):
            size = os.path.getsize(path)
            out += ["damage:%s:%d:bit%d" % (name, at, bit) for at in range(size) for bit in (range(8) if size < DATA else (at * 5 % 8,))]
            out += ["damage:%s:%d:%s" % (name, at, kind) for at in range(0, size, SECTOR) for kind in ("zero", "before", "cut")]
        return out

    def load(self, site):
        site.reset("night2")
        site.loaded = site.mounts
        site.there = files(site)
        site.truth = oracle.tree(site.path("src"))

    def run(self, site, case, full_every):
        _, name, at, kind = case.split(":")
        if getattr(site, "loaded", None) != site.mounts:
            self.load(site)
        path = site.there[name]
        whole = oracle.read(path)
        harmed = harm(whole, int(at), kind)
        if harmed == whole:
            return "the-same", []
        put(path, harmed)
        try:
            return self.judge(site, os.path.basename(path), kind)
        finally:
            put(path, whole)
            shutil.rmtree(site.path("to"), ignore_errors=True)

    def judge(self, site, file, kind):
        reader = ["bkp-restore", "--medium", site.path("m1"), "--identity", site.path("id.txt")]
        newest, said = site.run(reader + ["verify", "2"])
        other, words = site.run(reader + ["verify", "1"])
        seen, said = max(newest, other), said + words
        faults = []
        if seen not in (1, 2, 3):
            faults.append("verify: exit %d" % seen)
        elif file.removesuffix(".minisig")[:40] not in said and "bkp-medium.json" not in said and "repository" not in said:
            faults.append("verify does not name '%s': %s" % (file, said))
        code, words = site.run(reader + ["--quiet", "extract", "2", "docs", "--to", site.path("to")])
        if code not in (0, 1, 2, 3):
            faults.append("extract: exit %d: %s" % (code, words))
        top = site.path("to") + site.path("src")
        back = oracle.tree(top) if os.path.isdir(top) else {}
        if code == 0 and back != site.truth:
            faults.append("extract: exit 0, and another tree")
        for n, what in back.items():
            if what[3] is not None and n in site.truth and what[3] != site.truth[n][3]:
                faults.append("extract: '%s' was written and is another one (exit %d)" % (n, code))
        return "%s-%d-%d" % (kind[:3], seen, code), faults


def harm(b, at, kind):
    if kind.startswith("bit"):
        return b[:at] + bytes([b[at] ^ 1 << int(kind[3:])]) + b[at + 1:]
    if kind == "cut":
        return b[:at]
    n = min(SECTOR, len(b) - at)
    other = bytes(n) if kind == "zero" else b[max(at - SECTOR, 0):][:n].ljust(n, b"\0")
    return b[:at] + other + b[at + n:]


def put(path, b):
    s = os.stat(path)
    with open(path, "r+b") as f:
        f.truncate(len(b))
        f.write(b)
    os.utime(path, ns=(s.st_atime_ns, s.st_mtime_ns))
