"""Damage: a bit, a sector or an end of any file of a medium.  The reader must name the file, and give back either exactly what was captured
or say that it does not; a file that it writes is never another one, and a harmed file costs no more than one that is not there.

Nothing is reset between cases: the programs that read change nothing, and the file gets its bytes back.  One of two runs is looked at, all
its generations, one that needs the file; where both do, they take turns; of some cases (ALL) the other one, too.
"""
import functools
import glob
import os
import re
import shutil
import subprocess
import zlib

import oracle
from forked import Forked

SECTOR = 512
DATA = 20000  # bytes; of larger files one bit a byte, of smaller ones every bit
FEW = 3       # cases before it is worth while to prepare for more
ALL = 16      # every so many cases are looked at by both generations
# state of laden.py -> what is harmed there
STATES = {"laden": "", "sealing": r"/\.|\.next$", "titling": r"/\.|\.next$", "storing": "/tmp/"}
# what a reader may be silent about: what was put aside, what is not finished, what is announced only
SILENT = re.compile(r"/damaged-|/tmp/|/\.[^/]*\.tmp$|\.next$")


# what no restore opens, so that it need not be restored each time (but every ALL-th time)
FOR_PEOPLE = re.compile(r"/tools/|/procedures/|/README\.txt")


def normal(path):
    return re.sub("[0-9a-f]{8,}(-[0-9a-f]{4,})*", "#", re.sub("/archives/../", "/archives/", path))


def medium(site, state):
    """The states have one history, so that their media can stand beside each other."""
    return site.path("m1" if state == "laden" else state)


def put_beside(site):
    site.reset("laden")
    for state in STATES:
        if state != "laden":
            subprocess.run(["cp", "-a", "%s/%s/m1" % (site.golden, state), medium(site, state)], check=True)


def files(site, state):
    """name -> path: what is harmed of the medium, by a name that is the same in every campaign."""
    found, top = {}, medium(site, state)
    for d, _, names in os.walk(top):
        for n in names:
            p = os.path.join(d, n)
            if re.search(STATES[state], p[len(top):]):
                found.setdefault(normal(os.path.relpath(p, top)), []).append(p)
    return {"%s/%s,%d" % (state, n, i): p for n, ps in found.items() for i, p in enumerate(sorted(ps, key=os.path.getsize))}


def points(path):
    size = os.path.getsize(path)
    small, silent = size < DATA, SILENT.search(path)
    out = ["%d:bit%d" % (at, bit) for at in range(size) for bit in (range(8) if small and not silent else (at * 5 % 8,))]
    out += ["%d:%s" % (at, kind) for at in range(0, size, SECTOR) for kind in ("zero", "before", "swap")]
    return out + ["%d:cut" % at for at in range(0, size, 1 if small and not silent else SECTOR)]


class Loaded:
    """The states, whole, and what is known of them."""

    def __init__(self, site):
        put_beside(site)
        self.mounts = site.mounts
        self.paths = {name: path for state in STATES for name, path in files(site, state).items()}
        self.truth = {g: truth(site, g) for g in (1, 2)}
        self.lists = {g: sums(site, g) for g in (1, 2)}
        self.bytes = functools.cache(oracle.read)
        self.costs, self.cases = {}, 0

    def needing(self, path):
        """The generations that need the file: one, or both."""
        own = re.search("/generations/0*([0-9]+)/", path)
        name = os.path.basename(path)
        if own:
            return [int(own.group(1))]
        return [g for g, listed in self.lists.items() if name in listed] or [1, 2]


def tree(top):
    """Without times: the source was made anew."""
    return {n: w[:5] for n, w in oracle.tree(top, content=bytes).items()}


def truth(site, generation):
    """What was captured then, as extract lays it out."""
    site.source(generation)
    out = {"docs" + os.path.join(site.path("src"), n): w for n, w in tree(site.path("src")).items()}
    out["db/db.dump"] = oracle.read(site.path("src", "sub", "1 文書")) + b"dump\n"
    return out


def sums(site, generation):
    there = oracle.generations(oracle.repository(site, "m1")).items()
    lists = [oracle.read(d + "/SHA256SUMS").decode() for (_, n), d in there if n == generation]
    return {os.path.basename(line[66:]) for text in lists for line in text.splitlines()}


class Reader:
    """bkp-restore, forked as late as can be: where it has not yet looked at the file that is harmed."""

    def __init__(self, site):
        self.site, self.early, self.late, self.forked_late = site, Forked(site, "bkp-restore"), {}, 0

    def prepare(self, argvs):
        """While nothing is harmed."""
        for argv in argvs:
            if tuple(argv) not in self.late:
                self.late[tuple(argv)] = Forked(self.site, *argv, late=True)

    def forget(self):
        while self.late:
            self.late.popitem()[1].end()

    def forget_slips(self):
        """Their names are drawn before it is forked: the second one of a server would find its own taken."""
        for name in glob.glob(self.site.work + "/slips/use-*") + glob.glob(self.site.path("to.use-*")):
            os.unlink(name)

    def run(self, argv, harmed=None):
        late = self.late.get(tuple(argv))
        self.forget_slips()
        if not late or late.ended or not harmed or harmed in late.seen:
            return self.early.run(argv)
        self.forked_late += 1
        return late.run()


class Damage:
    name = "damage"

    def cases(self, site):
        out = []
        put_beside(site)
        for state in STATES:
            out += ["damage:%s:%s" % (name, p) for name, path in sorted(files(site, state).items()) for p in points(path)]
        return out

    def run(self, site, case, full_every):
        _, name, at, kind = case.split(":")
        at = int(at)
        now = self.load(site)
        site.medium = medium(site, name.split("/")[0])
        path = now.paths[name]
        whole = now.bytes(path)
        harmed = harm(whole, at, kind)
        if harmed == whole:
            return "the-same", []
        turn = zlib.crc32(case.encode())
        needing = now.needing(path)
        first = needing[turn % len(needing)]
        costs = self.costs(site, now, path)
        now.cases += 1
        if now.cases > FEW:
            site.reader.prepare(c for g in (1, 2) for c in (verify(site, g), extract(site, g)))
        put(path, whole, harmed, at)
        try:
            restore = not FOR_PEOPLE.search(path) or turn // 2 % ALL == 0
            outcome, faults = self.look(site, now, path, first, True, costs[first], restore)
            if turn // 2 % ALL == 0:
                faults += self.look(site, now, path, 3 - first, 3 - first in needing, costs[3 - first])[1]
        finally:
            put(path, harmed, whole, at)
        return "%s-%s" % (kind[:3], outcome), faults

    def load(self, site):
        now = getattr(site, "loaded", None)
        if not now or now.mounts != site.mounts:
            if hasattr(site, "reader"):
                site.reader.forget()
            now = site.loaded = Loaded(site)
            if not hasattr(site, "reader"):
                site.reader = Reader(site)
        return now

    def costs(self, site, now, path):
        """generation -> what cannot be had of it while the file is away."""
        if path not in now.costs:
            os.rename(path, site.path("away"))
            now.costs[path] = {g: set(now.truth[g]) - self.back(site, now, None, g, [])[1] for g in (1, 2)}
            os.rename(site.path("away"), path)
        return now.costs[path]

    def look(self, site, now, path, generation, needs, costs, restore=True):
        faults = []
        seen, said = site.reader.run(verify(site, generation), os.path.basename(path))
        silent = SILENT.search(path)
        if seen not in (0, 1, 2, 3) or (seen == 0 and needs and not silent):
            faults.append("verify %d: exit %d: %s" % (generation, seen, said))
        elif seen and not names_it(path, said):
            faults.append("verify %d does not name '%s': %s" % (generation, os.path.basename(path), said))
        if not restore:
            return str(seen), faults
        code, good = self.back(site, now, os.path.basename(path), generation, faults)
        missed = set(now.truth[generation]) - good - costs
        if missed:
            faults.append("extract %d: exit %d, and '%s' is not there, though without the file it is" % (generation, code, min(missed)))
        return "%d-%d" % (seen, code), faults

    def back(self, site, now, harmed, generation, faults):
        """(exit status, the names that extract gives back as they were)."""
        to, truth = site.path("to"), now.truth[generation]
        code, words = site.reader.run(extract(site, generation), harmed)
        if code not in (0, 1, 2, 3):
            faults.append("extract %d: exit %d: %s" % (generation, code, words))
        elif code and not words:
            faults.append("extract %d: exit %d without a word" % (generation, code))
        there = restored(to)
        shutil.rmtree(to, ignore_errors=True)
        good = {n for n, what in truth.items() if there.get(n) == what}
        if code == 0 and len(good) < len(truth):
            faults.append("extract %d: exit 0, and another tree" % generation)
        for n in there:
            if n not in good and content(there[n]) is not None and n in truth and content(there[n]) != content(truth[n]):
                faults.append("extract %d: '%s' was written and is another one (exit %d)" % (generation, n, code))
        return code, good


def reader(site, *command):
    return ["bkp-restore", "--medium", site.medium, "--identity", site.path("id.txt"), *command]


def verify(site, generation):
    return reader(site, "verify", str(generation))


def extract(site, generation):
    return reader(site, "--quiet", "extract", str(generation), "--to", site.path("to"))


def restored(to):
    there = tree(to) if os.path.isdir(to) else {}
    if "db/db.dump" in there:
        there["db/db.dump"] = content(there["db/db.dump"])  # a command's output has no owner and no mode
    return there


def content(what):
    return what[3] if isinstance(what, tuple) else what


def names_it(path, said):
    """By its own name, or that of the text it signs or announces; what says which medium it is may be missed as a whole."""
    name = os.path.basename(path).removesuffix(".minisig").removesuffix(".next")
    return name[:40] in said or "bkp-medium.json" in said or "repository" in said


def harm(b, at, kind):
    if kind.startswith("bit"):
        return b[:at] + bytes([b[at] ^ 1 << int(kind[3:])]) + b[at + 1:]
    if kind == "cut":
        return b[:at]
    if kind == "swap":
        return b[:at] + b[at + SECTOR:at + 2 * SECTOR] + b[at:at + SECTOR] + b[at + 2 * SECTOR:]
    n = min(SECTOR, len(b) - at)
    other = bytes(n) if kind == "zero" else b[max(at - SECTOR, 0):][:n].ljust(n, b"\0")
    return b[:at] + other + b[at + n:]


def put(path, there, b, at):
    """`there` stands in the file, b is to, which is another from `at` on: where harm() can reach."""
    fd = os.open(path, os.O_WRONLY)
    s = os.fstat(fd)
    os.ftruncate(fd, len(b))
    os.pwrite(fd, b[at:at + 2 * SECTOR] if len(there) == len(b) else b[at:], at)
    os.utime(fd, ns=(s.st_atime_ns, s.st_mtime_ns))
    os.close(fd)
