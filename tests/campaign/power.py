"""Power loss: state folder and media stand on logged disks (blockdev.c); whatever could be on them at any instant is mounted and judged.

A case is power:FILE SYSTEM:WORKLOAD[-early][:K/N].  The command runs once, and each write and flush of each disk is kept.  At each flush of any
disk (with K/N: at each N-th of them, from the K-th), and at the end, all disks lose power at the same instant: of the writes that no flush
of their disk had ended, each may be there or not.  All subsets of up to eight; else 64 drawn ones; all beginnings, and these with the next write torn
behind up to sixteen of its sectors.  What has the same blocks is one state; what has the same files is judged once; and of each distinct outcome the first one is
gone on with by all commands.  With -early the kernel is made to write files out before anybody asks for it, as it does when memory is
short: what is not yet synced is then on the disk ahead of what should be there first.

The draw is fixed, but the command's keys and the kernel's timing are not: an instant or two more or less from one time to the next.
"""
import copy
import functools
import hashlib
import os
import random
import shutil
import stat
import subprocess
import threading

import blockdev
import families
import oracle

KINDS = ("ext4", "xfs", "btrfs")
WORKLOADS = ("init", "add", "first", "night", "unchanged", "behind", "trio", "rotate", "expire", "verify", "repair", "journal", "hold", "segment", "release",
             "accept", "retire", "import", "disc", "pack", "extract", "export", "drill")
# a night on whose second medium every write fails from the N-th on
DIES = {"dies-%d" % n: n for n in (1, 8, 40)}
ALL, DRAWN, TEARS, SECTOR = 8, 64, 16, 512
SYNC_FILE_RANGE_WRITE = 2
OUTPUT = {"extract": "to", "export": "to", "drill": "to", "pack": "packs"}  # workload -> the disk that it writes to besides


def disks_of(workload):
    """The folders that are disks: where the state folder is made, its parent is one."""
    return ("",) if workload == "init" else ("state", "m1", "m2", "m3") + ((OUTPUT[workload],) if workload in OUTPUT else ())


def command_of(workload):
    return "night" if workload in DIES else workload


# ---- what was written


def contents(top):
    return {name: entry[3] for name, entry in oracle.tree(top).items()}


class Recording:
    """A command on logged disks: what it wrote, and what it said."""

    def __init__(self, site, kind, workload, early, disks):
        self.site, self.kind, self.workload, self.early, self.disks = site, kind, workload, early, disks
        self.folders, self.state = disks_of(workload), families.WORKLOADS[command_of(workload)][0]
        self.argv = families.start(site, command_of(workload))
        self.argv = [w.replace("/to", "/to/x").replace("/desk/journal.csv", "/to/journal.csv") for w in self.argv]

    def run(self):
        for i, f in enumerate(self.folders):
            self.move_onto(i, f)
        os.sync()
        self.before, self.source = oracle.Before(self.site), contents(self.site.path("src"))
        self.disks.log()
        if self.workload in DIES:
            self.disks.fail(2, "eio", DIES[self.workload])
        with Early([self.site.path(f) for f in self.folders] if self.early else []):
            self.code, self.said = self.site.run(self.argv)
        self.events = self.disks.events()
        if self.workload in DIES:
            self.disks.fail(2, "ok")
        self.after = copy.copy(self.before)  # what stood there; that of a medium that died cannot be looked at now
        self.after.journal = oracle.journal_of(self.site.path("state"))
        for f in reversed(self.folders):
            if blockdev.umount(self.site.path(f)) is not None:
                blockdev.umount(self.site.path(f), lazy=True)

    def move_onto(self, i, folder):
        """The folder's content goes onto the disk, which takes its place."""
        path, aside = self.site.path(folder).rstrip("/"), self.site.work + "/aside"
        os.makedirs(path, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        subprocess.run(["cp", "-a", path, aside], check=True)
        error = blockdev.mount(self.kind, self.disks.device[i], path)
        if error is not None:
            raise OSError(error, "a new %s cannot be mounted" % self.kind)
        subprocess.run(["cp", "-a", aside + "/.", path], check=True)
        shutil.rmtree(aside)


class Early:
    """Writes out what is in these folders, again and again, and flushes nothing."""

    def __init__(self, folders):
        self.folders, self.ended = folders, threading.Event()
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def work(self):
        while self.folders and not self.ended.wait(0.002):
            for top in self.folders:
                for d, _, files in os.walk(top):
                    for n in files:
                        self.write_out(os.path.join(d, n))

    def write_out(self, path):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return
        blockdev.libc.sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE)
        os.close(fd)


def instants(events):
    """(events before it, which of them are pending) at each flush and at the end; each disk's durable frontier with it."""
    frontier, pending = {}, []
    for i, e in enumerate(events + [("end",)]):
        if e[0] == "w":
            pending.append(i)
            continue
        yield i, dict(frontier), list(pending)
        if e[0] == "f":
            frontier[e[1]] = i
            pending = [p for p in pending if events[p][1] != e[1]]


def selections(pending, events, draw):
    """What of the pending writes may be there: lists of (event, None: all of it, or its first bytes)."""
    n = len(pending)
    if n <= ALL:
        for mask in range(1 << n):
            yield [(p, None) for k, p in enumerate(pending) if mask >> k & 1]
    else:
        for _ in range(DRAWN):
            share = draw.choice((0.2, 0.5, 0.8))
            yield [(p, None) for p in pending if draw.random() < share]
    ends = range(n + 1) if n <= DRAWN else sorted(draw.sample(range(n + 1), DRAWN))
    for k in ends:
        there = [(p, None) for p in pending[:k]]
        if n > ALL:
            yield there
        sectors = events[pending[k]][3] // SECTOR if k < n else 0
        for torn in draw.sample(range(1, sectors), min(TEARS, sectors - 1)) if sectors > 1 else ():
            yield there + [(pending[k], torn * SECTOR)]


# ---- what is there afterwards


class Store:
    """File trees by their content, on tmpfs; files with the same bytes are one."""

    def __init__(self, top):
        self.top = top
        shutil.rmtree(top, ignore_errors=True)
        os.makedirs(top + "/bytes")
        self.meta = {}

    def take(self, where):
        """The key of the tree that is mounted there."""
        found = []
        for d, dirs, files in os.walk(where):
            rel = os.path.relpath(d, where)
            if rel == "lost+found":
                continue
            found.append((rel, self.entry(d)))
            found += [(os.path.normpath(os.path.join(rel, n)), self.entry(os.path.join(d, n))) for n in files]
        found.sort()
        key = hashlib.sha256(repr([(n, e[:4]) for n, e in found]).encode()).hexdigest()
        if key not in self.meta:
            self.meta[key] = found
            self.make(key, found)
        return key

    def entry(self, path):
        """(mode, owner, content, why it cannot be read, time)"""
        s = os.lstat(path)
        content = error = None
        try:
            if stat.S_ISLNK(s.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(s.st_mode):
                with open(path, "rb") as f:
                    b = f.read()
                content = hashlib.sha256(b).hexdigest()
                if not os.path.exists(self.top + "/bytes/" + content):
                    with open(self.top + "/bytes/" + content, "wb") as f:
                        f.write(b)
        except OSError as e:
            error = e.errno
        return s.st_mode, s.st_uid, content, error, s.st_mtime_ns

    def make(self, key, found):
        for name, (mode, _, content, error, _) in found:
            p = os.path.join(self.top, key, name)
            if stat.S_ISDIR(mode):
                os.makedirs(p, exist_ok=True)
            elif stat.S_ISLNK(mode):
                os.symlink(content, p)
            elif stat.S_ISREG(mode) and error is None:
                os.link(self.top + "/bytes/" + content, p)

    def path(self, key):
        return os.path.join(self.top, key)

    def give(self, key, to):
        """The tree, as it was, at a folder that may be there."""
        subprocess.run(["cp", "-r", "--no-preserve=links", "-P", self.path(key) + "/.", to], check=True)
        for name, (mode, uid, _, _, mtime) in reversed(self.meta[key]):
            p = os.path.join(to, name)
            if not stat.S_ISLNK(mode) and os.path.lexists(p):
                os.chown(p, uid, uid)
                os.chmod(p, stat.S_IMODE(mode))
                os.utime(p, ns=(mtime, mtime))


class View:
    """A state as a site: for the oracle, which only reads."""

    def __init__(self, site, store, folders, keys):
        self.site, self.store, self.keys = site, store, dict(zip(folders, keys))

    def path(self, *names):
        p = os.path.join("", *names)
        for folder, key in self.keys.items():
            if not folder or p == folder or p.startswith(folder + "/"):
                return os.path.normpath(os.path.join(self.store.path(key), os.path.relpath(p or ".", folder or ".")))
        return self.site.path(*names)


class Judge:
    """Shows each state of a recording, and says what is wrong with it."""

    def __init__(self, recording, site, name, only_first):
        self.r, self.site, self.name, self.only_first = recording, site, name, only_first
        self.store = Store(site.work + "/store")
        self.where = site.work + "/shown"
        os.makedirs(self.where, exist_ok=True)
        self.hashes, self.trees, self.blocks, self.judged = {}, {}, set(), set()
        self.states, self.dead, self.mounts, self.gone_on, self.faults = 0, 0, 0, 0, []
        self.complete = functools.lru_cache(None)(oracle.complete)

    def all(self, k, every):
        draw = random.Random(self.name)
        frontier = [0] * len(self.r.folders)
        n = len(self.r.events)
        for number, (at, durable, pending) in enumerate(instants(self.r.events)):
            if number % every != k and at != n:
                continue
            for disk, f in durable.items():
                if f != frontier[disk]:
                    frontier[disk] = f
                    self.r.disks.durable(disk, f)
            for chosen in selections(pending, self.r.events, draw):
                self.one(frontier, chosen, at == n)
                if self.only_first and self.faults:
                    return

    def one(self, frontier, chosen, ended):
        keys, blocks = [], []
        for disk in range(len(self.r.folders)):
            mine = tuple(c for c in chosen if self.r.events[c[0]][1] == disk)
            block, key = self.tree(disk, frontier[disk], mine)
            blocks.append(block)
            keys.append(key)
        blocks = tuple(blocks)
        if (blocks, ended) in self.blocks:
            return
        new = (blocks, not ended) not in self.blocks
        self.blocks.add((blocks, ended))
        self.states += new
        if None in keys:
            self.dead += new
        elif (tuple(keys), ended) not in self.judged:
            self.judged.add((tuple(keys), ended))
            self.judge(keys, ended, "events %s, writes %s" % (frontier, " ".join("%d%s" % (p, ":%d" % b if b else "") for p, b in chosen)))

    def tree(self, disk, frontier, mine):
        """(hash of its blocks, key of its files); no key where the file system does not come back."""
        at = (disk, frontier, mine)
        if at not in self.hashes:
            self.hashes[at] = (disk, self.r.disks.show(disk, mine))
            if self.hashes[at] not in self.trees:
                self.trees[self.hashes[at]] = self.mounted(disk)
        return self.hashes[at], self.trees[self.hashes[at]]

    def mounted(self, disk):
        self.mounts += 1
        if blockdev.mount(self.r.kind, self.r.disks.device[disk], self.where, read_only=True) is not None:
            return None
        try:
            return self.store.take(self.where)
        finally:
            blockdev.umount(self.where)

    def judge(self, keys, ended, which):
        view = View(self.site, self.store, self.r.folders, keys)
        w = self.r.workload
        faults = oracle.look(view, self.r.after if ended and w != "journal" else self.r.before, lost=w == "journal",
                             harmed=families.HARMED.get(self.r.state), mended=ended and self.r.code == 0, goes=w in families.GOES,
                             complete=self.complete)
        if ended and self.r.code == 0 and w in OUTPUT:
            faults += self.output(view)
        if not faults:
            outcome = oracle.outcome(view, None)
            if families.first_of(self.site, outcome):
                self.gone_on += 1
                faults = self.go_on(keys)
        if faults:
            self.faults.append("%s%s: %s" % (which, " (after its end)" if ended else "", "; ".join(faults)))

    def output(self, view):
        """What the command said that it wrote, is there when the power goes behind it."""
        if self.r.workload == "extract" and contents(view.path("to", "x") + self.site.path("src")) != self.r.source:
            return ["exit 0, and what was restored is not there"]
        if self.r.workload == "export" and not oracle.read(view.path("to", "journal.csv")).endswith(b"\n"):
            return ["exit 0, and what was exported is not there"]
        if self.r.workload == "pack" and "new" not in oracle.packs(view):
            return ["exit 0, and there is no pack"]
        for name, end in (("drill.json", b"}"), ("drill.html", b"</html>")):
            if self.r.workload == "drill" and not oracle.read(view.path("to", "x", name)).rstrip().endswith(end):
                return ["exit 0, and the drill's %s is not there" % name]
        return []

    def go_on(self, keys):
        workload = command_of(self.r.workload)
        argv = families.start(self.site, workload)
        for folder, key in zip(self.r.folders, keys):
            if folder:
                subprocess.run(["chattr", "-R", "-f", "-i", self.site.path(folder)], check=False)
                shutil.rmtree(self.site.path(folder), ignore_errors=True)
                os.makedirs(self.site.path(folder))
            else:
                self.site.clear()
            self.store.give(key, self.site.path(folder))
        return families.once_more(self.site, workload, argv) + oracle.go_on(self.site)


class Power:
    name = "power"

    def cases(self, site):
        return ["power:%s:%s%s" % (k, w, early) for k in KINDS for w in WORKLOADS + tuple(DIES) if command_of(w) in families.WORKLOADS
                for early in ("", "-early")]

    def run(self, site, case, full_every, only_first=False):
        _, kind, workload, part = (case + ":0/1").split(":")[:4]
        k, every = (int(x) for x in part.split("/"))
        early, workload = workload.endswith("-early"), workload.removesuffix("-early")
        site.clear()
        images = []
        for i, _ in enumerate(disks_of(workload)):
            images.append("%s/image%d" % (site.work, i))
            blockdev.make(kind, images[-1])
        with blockdev.Disks(site.work + "/disks", site.bin + "/blockdev", images) as disks:
            recording = Recording(site, kind, workload, early, disks)
            recording.run()
            faults = families.judge_end(recording.code, recording.said)
            judge = Judge(recording, site, "%s:%s" % (kind, workload), only_first)
            judge.all(k % every, every)
        faults += judge.faults
        if faults:
            faults.append("it said: " + recording.said[-400:])
        shutil.rmtree(judge.store.top)
        counts = {"states": judge.states, "mounts": judge.mounts, "judged": len(judge.judged), "gone-on": judge.gone_on, "dead": judge.dead,
                  "events": len(recording.events)}
        return "exit-%d" % recording.code, faults, counts
