"""Strict: the power goes, and what no sync has promised is gone.  File systems keep more than POSIX says (ext4, xfs and btrfs write a
folder's names with the next file that is synced), so that a sync that is missing may not show on them (family power); here it does.

strict:WORKLOAD:WHAT:N    the command is killed before its N-th call (FUNCTION-N: the N-th of that function; "end": after its end), and
                          then the power goes.  WHAT is left:
    old     names and bytes as they were when they were synced last
    new     the names as they are, bytes as they were synced last
    again   the command is given again after the kill and comes to its end; then as "old": it must not rely on what the first one left
strict.c, preloaded, keeps copies of what is synced.
"""
import os
import shutil
import stat
import subprocess

import families
import oracle

READS = ("extract", "deep", "drill", "status", "live")
WHAT = ("old", "new", "again")
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
        self.first = {}
        for d, dirs, files in os.walk(site.site):
            self.first[os.lstat(d).st_ino] = {n: entry(os.path.join(d, n)) for n in dirs + files}
            for n in files:
                p = os.path.join(d, n)
                if not os.path.islink(p):
                    shutil.copyfile(p, "%s/%d.f" % (self.folder, os.lstat(p).st_ino))

    def close(self):
        self.site.strict = {}

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

    def put(self, to, path, inode, old):
        """The folder `path`, of that inode, as it comes back, at `to`."""
        for name, (number, mode, uid, gid, mtime, target) in (self.names(inode) if old else self.now(path)).items():
            at, p = os.path.join(path, name), os.path.join(to, name)
            if stat.S_ISDIR(mode):
                os.mkdir(p)
                self.put(p, at, number, old)
            elif stat.S_ISLNK(mode):
                os.symlink(target, p)
                continue
            elif stat.S_ISREG(mode):
                bytes_ = "%s/%d.f" % (self.folder, number)
                if os.path.exists(bytes_):
                    shutil.copyfile(bytes_, p)
                else:
                    open(p, "w").close()
            os.chown(p, uid, gid)
            os.chmod(p, stat.S_IMODE(mode))
            os.utime(p, ns=(mtime, mtime))

    def power_goes(self, old):
        """All but the source stands as it comes back."""
        to = self.site.path("strict.to")
        os.mkdir(to)
        top = self.names(os.lstat(self.site.site).st_ino) if old else self.now(self.site.site)
        keep = ("src", "strict.to")
        for name, e in top.items():
            if name not in keep and stat.S_ISDIR(e[1]):
                os.mkdir(os.path.join(to, name))
                self.put(os.path.join(to, name), self.site.path(name), e[0], old)
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
        n = oracle.newest(site, m) if oracle.repository(site, m) else 0
        if n:
            code, said = site.run(["bkp-restore", "--quiet", "--medium", site.path(m), "verify", str(n)])
            faults += ["%s, read before this host is back: exit %d: %s" % (m, code, said)] if code else []
    return faults


class Strict:
    name = "strict"

    def cases(self, site):
        out = []
        for w in families.WORKLOADS:
            if w in READS:
                continue
            families.site_count(site, w)
            n = site.counts()[0]["any"]
            out += ["strict:%s:%s:%s" % (w, what, k) for what in WHAT for k in (["end"] if what != "again" else []) + list(range(1, n + 1))]
        return out

    def run(self, site, case, full_every):
        _, workload, what, n = case.split(":")
        argv = families.start(site, workload)
        before = oracle.Before(site)
        shadow = Shadow(site)
        try:
            code, said = site.run(argv, faults="" if n == "end" else "%s:kill" % n.replace("-", ":") if "-" in n else "any:%s:kill" % n)
            faults = families.FAMILIES["kill"].judge(code, said)
            ended = code in (0, 1) and n == "end"
            if what == "again":
                code, said = site.run(argv)
                ended = code in (0, 1)
        finally:
            shadow.close()
        acknowledged = oracle.Before(site) if ended and workload != "journal" else before
        if what == "again":  # what the first one left and nobody refers to may go
            acknowledged.files = {n: d for n, d in acknowledged.files.items() if "/archives/" not in n or n in acknowledged.listed}
        shadow.power_goes(what != "new")
        faults += oracle.look(site, acknowledged, lost=workload == "journal", goes=workload == "expire",
                              harmed=families.HARMED.get(families.WORKLOADS[workload][0]), mended=ended and not code)
        if ended and not code and not faults:
            faults += oracle.promised(site, workload, code) or readers(site)
        outcome = oracle.outcome(site, code)
        if not faults and families.first_of(site, outcome):
            # what came to its end is not to be given again
            faults += (families.once_more(site, workload, argv) if not ended or code else []) + oracle.go_on(site)
        return outcome, faults + (["it said: " + said[-300:]] if faults else [])
