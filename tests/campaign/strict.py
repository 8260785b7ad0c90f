"""Strict: the power goes, and what no sync has promised is gone.  File systems keep more than POSIX says (ext4, xfs and btrfs write a
folder's names with the next file that is synced), so that a sync that is missing may not show on them (family power); here it does.

strict:WORKLOAD:WHAT:N    the command is killed before its N-th call (FUNCTION-N: the N-th of that function; "end": after its end), and
                          then the power goes.  WHAT is left:
    old     names and bytes as they were when they were synced last
    new     the names as they are, bytes as they were synced last
    mixed   of each folder's names, and of each sector of a file, either; what was renamed is in one place at least
    again   the command is given again after the kill and comes to its end; then as "old": it must not rely on what the first one left
strict.c, preloaded, keeps copies of what is synced.
"""
import os
import random
import re
import shutil
import stat
import subprocess

import families
import oracle

# they change nothing here, or are bkp-restore's, which may write nowhere but to its target: not what strict.c would keep
READS = ("extract", "deep", "drill", "status", "live", "making")
WHAT = ("old", "new", "mixed", "again")
SECTOR = 512
INDEX, MAGIC = "/cache/dedup/data.mdb", b"\xde\xc0\xef\xbe"
LOOSE = re.compile(r"/cache/(dedup|waste|places)/|/tmp/|/reserve$")  # an index that syncs by page, hints, what is staged, room
HERE = os.path.dirname(os.path.abspath(__file__))


def build(folder):
    so = folder + "/strict.so"
    if not os.path.exists(so):
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", "%s.%d" % (so, os.getpid()), HERE + "/strict.c", "-ldl"], check=True)
        os.rename("%s.%d" % (so, os.getpid()), so)
    return so


def entry(path):
    s = os.lstat(path)
    return s.st_ino, s.st_mode, s.st_uid, s.st_gid, s.st_mtime_ns, os.readlink(path) if stat.S_ISLNK(s.st_mode) else None


class Shadow:
    """What is durable: bytes and names by inode."""

    def __init__(self, site):
        self.site, self.folder = site, site.work + "/strict"
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)
        site.strict = {"STRICT": self.folder, "STRICT_ROOT": site.site, "LD_PRELOAD": build(site.root)}
        self.first, self.keys, self.began, self.index = {}, {}, self.whole(), os.path.exists(site.path("state") + INDEX)
        for d, dirs, files in os.walk(site.site):
            self.first[os.lstat(d).st_ino] = {n: entry(os.path.join(d, n)) for n in dirs + files}
            for n in files:
                p = os.path.join(d, n)
                if not os.path.islink(p):
                    shutil.copyfile(p, "%s/%d.f" % (self.folder, os.lstat(p).st_ino))
                    if re.fullmatch(r"signing-\d+\.key", n):
                        self.keys[p] = os.lstat(p).st_ino, oracle.read(p)

    def close(self):
        self.site.strict = {}
        self.ended = self.whole()

    def whole(self):
        """What stands in each file of the state folder and the media."""
        return {p: oracle.digest(p) for top in ("state",) + oracle.MEDIA for d, _, files in os.walk(self.site.path(top))
                for p in (os.path.join(d, n) for n in files) if not LOOSE.search(p)}

    def torn(self):
        """Files that are neither what they were before the command nor what they were at its end."""
        return ["%s is neither what it was nor what it is" % os.path.relpath(p, self.site.site) for p, now in self.whole().items()
                if p in self.ended and now not in (self.began.get(p), self.ended[p])]

    def headless(self):
        """The index is written page by page, and is never without its head."""
        p = self.site.path("state") + INDEX
        return ["the index has no head"] if self.index and os.path.exists(p) and oracle.read(p)[16:20] != MAGIC else []

    def keys_left(self):
        """Signing keys that have no name any more, and bytes: whoever has the disk finds them."""
        return ["%s is erased, and its bytes are on the disk" % os.path.basename(p) for p, (inode, was) in self.keys.items()
                if not os.path.exists(p) and oracle.read("%s/%d.f" % (self.folder, inode)) == was]

    def names(self, inode):
        """The folder's names as they were synced last."""
        path = "%s/%d.d" % (self.folder, inode)
        if not os.path.exists(path):
            return self.first.get(inode, {})
        out, words = {}, oracle.read(path).decode(errors="surrogateescape").split("\0")
        while len(words) > 1:
            number, mode, uid, gid, mtime, name = words.pop(0).split(" ", 5)
            mode = int(mode, 8)
            out[name] = (int(number), mode, int(uid), int(gid), int(mtime), words.pop(0) if stat.S_ISLNK(mode) else None)
        return out

    def now(self, path):
        return {n: entry(os.path.join(path, n)) for n in os.listdir(path)}

    def put(self, to, path, inode):
        """The folder `path`, of that inode, as it comes back, at `to`."""
        for name, (number, mode, uid, gid, mtime, target) in self.comes_back(path, inode).items():
            at, p = os.path.join(path, name), os.path.join(to, name)
            if stat.S_ISDIR(mode):
                os.mkdir(p)
                self.put(p, at, number)
            elif stat.S_ISLNK(mode):
                os.symlink(target, p)
                continue
            elif stat.S_ISREG(mode):
                with open(p, "wb") as f:
                    f.write(self.bytes_of(number))
            os.chown(p, uid, gid)
            os.chmod(p, stat.S_IMODE(mode))
            os.utime(p, ns=(mtime, mtime))

    def comes_back(self, path, inode):
        if inode in self.old or self.what in ("old", "again"):
            return self.names(inode)
        path = self.where.get(inode, path)  # it may have another name by now
        return self.now(path) if os.path.isdir(path) else {}

    def bytes_of(self, inode):
        was, path = oracle.read("%s/%d.f" % (self.folder, inode)), self.where.get(inode)
        if self.what != "mixed" or not path:
            return was
        now = oracle.read(path)
        if was == now:
            return was
        size = self.draw.choice((len(was), len(now), len(now), len(now)))
        blocks = [self.draw.choice((was, now))[at:at + SECTOR].ljust(min(SECTOR, size - at), b"\0") for at in range(0, size, SECTOR)]
        out = b"".join(blocks)[:size]
        self.half |= path.endswith(INDEX) and out not in (was, now)
        return out

    def mix(self, seed):
        """Draws the folders whose names are the old ones.  What one of the others gave to one of them would be nowhere: it is none."""
        self.draw = random.Random(seed)
        folders = {i: p for i, p in self.where.items() if os.path.isdir(p)}
        self.old = {i for i in folders if self.draw.random() < 0.5}
        had = {i: {e[0] for e in self.names(i).values()} for i in folders}
        has = {i: {e[0] for e in self.now(p).values()} for i, p in folders.items()}
        more = True
        while more:
            gone = set().union(*(had[i] - has[i] for i in folders if i not in self.old), *())
            more = {i for i in self.old if (has[i] - had[i]) & gone}
            self.old -= more

    def power_goes(self, what, seed):
        """All but the source stands as it comes back."""
        to, self.what, self.old, self.half = self.site.path("strict.to"), what, set(), False
        self.where = {os.lstat(p).st_ino: p for d, dirs, files in os.walk(self.site.site) for p in [d] + [os.path.join(d, n) for n in files]}
        if what == "mixed":
            self.mix(seed)
        top = self.comes_back(self.site.site, os.lstat(self.site.site).st_ino)
        os.mkdir(to)
        keep = ("src", "strict.to")
        for name, e in top.items():
            if name not in keep and stat.S_ISDIR(e[1]):
                os.mkdir(os.path.join(to, name))
                self.put(os.path.join(to, name), self.site.path(name), e[0])
                shutil.copystat(self.site.path(name), os.path.join(to, name)) if os.path.isdir(self.site.path(name)) else None
        subprocess.run(["chattr", "-R", "-f", "-i", self.site.site], check=False)
        for name in os.listdir(self.site.site):
            if name not in keep and os.path.isdir(self.site.path(name)):
                shutil.rmtree(self.site.path(name))
        for name in os.listdir(to):
            os.rename(os.path.join(to, name), self.site.path(name))
        os.rmdir(to)


def readers(site):
    """Who reads a medium before this host has seen it again finds nothing that is amiss."""
    faults = []
    for m in oracle.MEDIA:
        for name in oracle.sets(oracle.repository(site, m)):
            n = oracle.newest(site, m, name)
            code, said = site.run(["bkp-restore", "--quiet", "--medium", site.path(m), "verify", "%s@%d" % (name, n)]) if n else (0, "")
            faults += ["%s, read before this host is back: exit %d: %s" % (m, code, said)] if code else []
    return faults


def runs(site):
    return sum(r["event"] == "begin" for r in oracle.records(oracle.journal_of(site.path("state")))[0])


class Strict:
    name = "strict"

    def cases(self, site):
        out = []
        for w in families.WORKLOADS:
            if w in READS:
                continue
            n = families.calls_of(site, w)["any"]
            out += ["strict:%s:%s:%s" % (w, what, k) for what in WHAT for k in (["end"] if what != "again" else []) + list(range(1, n + 1))]
        return out

    def run(self, site, case, full_every):
        _, workload, what, n = case.split(":")
        argv = families.start(site, workload)
        before = oracle.Before(site)
        shadow, idle = Shadow(site), False
        try:
            code, said = site.run(argv, faults="" if n == "end" else "%s:kill" % n.replace("-", ":") if "-" in n else "any:%s:kill" % n)
            faults = families.FAMILIES["kill"].judge(code, said)
            ended = code in (0, 1) and n == "end"
            if what == "again":
                begun = runs(site)
                code, said = site.run(argv)
                ended = code in (0, 1)
                # nothing was due when the first one had recorded all: then it opens no medium, and promises nothing of them
                idle = workload == "due" and runs(site) == begun
        finally:
            shadow.close()
        acknowledged = oracle.Before(site) if ended and workload != "journal" else before
        if what == "again":  # what the first one left and nobody refers to may go
            acknowledged.files = {n: d for n, d in acknowledged.files.items() if "/archives/" not in n or n in acknowledged.listed}
        acknowledged.listed |= before.listed  # what it let go of must not come back and be nobody's
        shadow.power_goes(what, case)
        faults += shadow.keys_left() + shadow.headless() + (shadow.torn() if ended and not code else [])
        faults += oracle.look(site, acknowledged, lost=workload == "journal", goes=workload in families.GOES,
                              harmed=families.HARMED.get(families.WORKLOADS[workload][0]), mended=ended and not code)
        if ended and not code and not idle and not faults:
            faults += oracle.promised(site, workload, code) or readers(site)
        outcome = oracle.outcome(site, code) + ("-half" if shadow.half else "")  # nobody but the program can tell what that index is worth
        if not faults and families.first_of(site, outcome):
            # what came to its end is not to be given again
            faults += (families.once_more(site, workload, argv) if not ended or code else []) + oracle.go_on(site)
        return outcome, faults + (["it said: " + said[-300:]] if faults else [])
