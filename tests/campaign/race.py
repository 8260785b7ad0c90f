"""Race: a file is changed while it is captured, exactly before the n-th call that concerns it (pause.c), once or before every later one.

    race:FS:WORKLOAD:FILE:KIND:N[:on]

Every 4 KiB block of the files says its file, version and number, so that a torn file is seen by anyone.  What there was after each change
is kept; what is restored is, name by name, something that stood there at one moment of the run, its time of modification with it, or
the run has named the file, ended with 1, and the generation's list marks it.  A name that was there all the time is there.  The
night after, when nothing moves any more, captures and restores exactly the source.
"""
import ctypes
import errno
import functools
import hashlib
import mmap
import os
import shutil
import stat
import subprocess
import time

import oracle

BLOCK = 4096
SMALL = 2 * BLOCK
FILES = {"small": SMALL, "middle": 200 << 10, "large": 1200 << 10, "sparse": 600 << 10, "two": 10 * BLOCK, "empty": 0}
FS = ("tmpfs", "ext4", "coarse")
TICK = 10_000_000  # ns, of "coarse": what a kernel of 100 HZ tells
LEAST = {"first": 15, "night": 6, "changed": 15}  # workload -> calls on a file that there are at least; "night": it is known and not read
SECONDS = 30  # a run takes less than one
RUN = ["bkp", "run", "--all", "--quiet"]
OUTSIDE = b"this is outside of what is captured\n"


@functools.lru_cache(200)
def content(name, version, size):
    blocks = (hashlib.shake_128(b"%s %d %d" % (name.encode(), version, i)).digest(BLOCK - 64) for i in range((size + BLOCK - 1) // BLOCK))
    return b"".join((b"%s version %d block %d\n" % (name.encode(), version, i)).ljust(64) + b for i, b in enumerate(blocks))[:size]


def versions(b):
    """What a file is made of: the versions of its blocks, one behind the other, without repetition."""
    found = []
    for at in range(0, len(b), BLOCK):
        words = b[at:at + 64].split()
        v = words[2].decode() if len(words) > 2 and words[1] == b"version" else "?"
        if not found or found[-1] != v:
            found.append(v)
    return ",".join(found)


# ---- the changes; p is the file's path, v its new version, from 2 on

def size_of(p):
    return os.path.getsize(p) if os.path.isfile(p) else FILES.get(os.path.basename(p), SMALL)


def clear(p):
    if os.path.isdir(p) and not os.path.islink(p):
        shutil.rmtree(p)
    elif os.path.lexists(p):
        os.unlink(p)


def write(p, v, mode="wb", size=None):
    with open(p, mode, buffering=0) as f:
        f.write(content(os.path.basename(p), v, size_of(p) if size is None else size))


def overwrite(p, v):
    write(p, v, "r+b")


def half(p, v):
    """The first half with an even version, then the second."""
    n = (size_of(p) // BLOCK + 1) // 2 * BLOCK
    b = content(os.path.basename(p), v // 2 * 2, size_of(p))
    with open(p, "r+b", buffering=0) as f:
        f.seek(v % 2 * n)
        f.write(b[n:] if v % 2 else b[:n])


def put_back(p, v):
    s = os.stat(p)
    overwrite(p, v)
    os.utime(p, ns=(s.st_atime_ns, s.st_mtime_ns))


def append(p, v):
    with open(p, "ab", buffering=0) as f:
        f.write(content(os.path.basename(p), v, 3000))


def cut(p, v):
    os.truncate(p, size_of(p) // 2)


def rewrite(p, v):
    write(p, v, size=FILES[os.path.basename(p)])


def rename(p, v):
    write(p, v)
    os.replace(p, p + ".tmp")
    os.rename(p + ".tmp", p)


def aside(p, v):
    """The new version in a file of its own."""
    clear(p + ".tmp")
    with open(p + ".tmp", "wb") as f:
        f.write(content(os.path.basename(p), v, size_of(p)))
    return p + ".tmp"


def over(p, v):
    os.replace(aside(p, v), p)


def over_put_back(p, v):
    s, new = os.stat(p), aside(p, v)
    shutil.copystat(p, new)
    os.utime(new, ns=(s.st_atime_ns, s.st_mtime_ns))
    os.replace(new, p)


def instead(make):
    """Something else in its place; and, at the next change, a file again."""
    def change(p, v):
        clear(p)
        if v % 2:
            write(p, v)
        else:
            make(p)
    return change


def folder(p):
    os.mkdir(p)
    with open(p + "/within", "wb") as f:
        f.write(content("within", 1, SMALL))


def outside(p):
    return os.path.dirname(os.path.dirname(os.path.dirname(p))) + "/outside"


def delete(p, v):
    if os.path.lexists(p):
        os.unlink(p)
    else:
        write(p, v)


def anew(p, v):
    n = size_of(p)
    clear(p)
    write(p, v, size=n)


FALLOC_PUNCH = 3  # PUNCH_HOLE | KEEP_SIZE
libc = ctypes.CDLL(None, use_errno=True)


def punch(p, v):
    fd = os.open(p, os.O_RDWR)
    try:
        at = v % 4 * BLOCK
        if libc.fallocate(fd, FALLOC_PUNCH, ctypes.c_long(at), ctypes.c_long(4 * BLOCK)) and ctypes.get_errno() != errno.EOPNOTSUPP:
            raise OSError(ctypes.get_errno(), "fallocate")
    finally:
        os.close(fd)


def stretch(p, v):
    os.truncate(p, size_of(p) + 100 * BLOCK)


def mapped(p, v):
    n = size_of(p)
    with open(p, "r+b") as f:
        if n:
            with mmap.mmap(f.fileno(), n) as m:
                m[:] = content(os.path.basename(p), v, n)


HELD = {}  # path -> its mapping


def held(p, v):
    """As a database does it: the file is mapped, and its pages are dirty, since before the run (see begin())."""
    HELD[p][:] = content(os.path.basename(p), v, len(HELD[p]))


def hold(p):
    with open(p, "r+b") as f:
        HELD[p] = mmap.mmap(f.fileno(), 0)
    held(p, 1)


def attributes(p, v):
    os.chmod(p, 0o600 + v % 8)
    os.setxattr(p, "user.version", b"%d" % v)


def exchange(p, v):
    new = aside(p, v)
    if libc.renameat2(-100, new.encode(), -100, p.encode(), 2):
        raise OSError(ctypes.get_errno(), "renameat2")


def moved(p, v):
    """Under another name that is captured earlier, then later, then the first again."""
    names = [p, os.path.dirname(p) + "/0", os.path.dirname(p) + "/zz"]
    os.rename(names[(v - 2) % 3], names[(v - 1) % 3])


def parent(p, v):
    """Its folder goes, and another one comes."""
    d = os.path.dirname(p)
    clear(d + ".was")
    os.rename(d, d + ".was")
    os.mkdir(d)
    write(p, v, size=SMALL)


def parent_link(p, v):
    """Its folder goes, and a link to a folder elsewhere comes."""
    d = os.path.dirname(p)
    if os.path.islink(d):
        os.unlink(d)
        os.rename(d + ".was", d)
    else:
        os.rename(d, d + ".was")
        os.symlink(outside(p) + ".d", d)


KINDS = {
    "overwrite": overwrite, "half": half, "put-back": put_back, "append": append, "cut": cut, "rewrite": rewrite, "over": over,
    "over-put-back": over_put_back, "fifo": instead(os.mkfifo), "folder": instead(folder),
    "symlink": instead(lambda p: os.symlink(outside(p), p)), "delete": delete, "anew": anew, "punch": punch, "stretch": stretch,
    "mapped": mapped, "held": held, "attributes": attributes, "exchange": exchange, "moved": moved, "parent": parent,
    "parent-link": parent_link,
}
IN_PLACE = ("overwrite", "half", "put-back", "cut", "append", "rewrite", "mapped", "held")


def kinds(fs, workload, file):
    """tmpfs does not tell of what is written through a map, nor does a page that was dirty already to who believes it an hour old."""
    for k in KINDS:
        if (fs == "coarse" and k not in IN_PLACE) or (k in ("mapped", "held") and fs != "ext4"):
            continue
        if k == "held" and workload != "first":
            continue
        if k == "punch" and FILES[file] < 8 * BLOCK:
            continue
        if file == "empty" and k in ("overwrite", "half", "put-back", "cut", "rewrite", "mapped", "held"):
            continue
        yield k


# ---- what there is

def state(p, tick=1):
    """(kind, content or target, time of modification in steps of tick)."""
    s = os.lstat(p)
    kind = stat.S_IFMT(s.st_mode)
    if stat.S_ISREG(kind):
        return kind, oracle.read(p), s.st_mtime_ns // tick
    return kind, os.readlink(p) if stat.S_ISLNK(kind) else None, 0


def states(top, tick=1):
    paths = [os.path.join(d, n) for d, dirs, names in os.walk(top) for n in dirs + names]
    return {os.path.relpath(p, top): state(p, tick) for p in paths}


def only(there, path, top, tick):
    """As states(), where nothing but the file was changed: it must be quick, for the next change comes within the same tick."""
    name, new = os.path.relpath(path, top), state(path, tick)
    return {**there, name: new, **({name + ".other": new} if name.endswith("/two") else {})}


class Race:
    name = "race"

    def cases(self, site):
        out = []
        for w in LEAST:
            for file in FILES:
                self.begin(site, "tmpfs", w, file)
                code, said, state = self.paused(site, "tmpfs", file, "0", lambda: None)
                if code:
                    raise RuntimeError("race without a change: exit %d: %s" % (code, said))
                calls = int.from_bytes(state[:4], "little")
                if calls < LEAST[w]:
                    raise RuntimeError("race: %d calls on '%s' are seen, and there are more" % (calls, file))
                # the others' clock is an hour ahead, so that files are old enough to be remembered: none is within a tick
                out += ["race:%s:%s:%s:%s:%d%s" % (fs, w, file, k, n, on) for fs in FS if fs != "coarse" or w == "first"
                        for k in kinds(fs, w, file) for n in range(1, calls + 1) for on in ("", ":on")]
        return out

    def run(self, site, case, full_every):
        _, fs, workload, file, kind, spec = case.split(":", 5)
        self.begin(site, fs, workload, file)
        path, top = site.path("src", "race", file), site.path("src")
        tick = TICK if fs == "coarse" else 1
        if kind == "held":
            hold(path)
        there, version = [states(top, tick)], [1]
        before = oracle.Before(site)

        def change():
            version[0] += 1
            try:
                KINDS[kind](path, version[0])
            except FileNotFoundError:
                pass  # as the change before left it
            there.append(only(there[-1], path, top, tick) if kind in IN_PLACE else states(top, tick))

        code, said, _ = self.paused(site, fs, file, spec, change)
        if version[0] == 1:
            return "not-reached", []
        faults = [] if code in (0, 1) or (code == 2 and kind.startswith("parent")) else ["exit %d" % code]
        if code and not said.strip():
            faults.append("exit %d without a word" % code)
        faults += oracle.look(site, before)
        if not faults:
            faults += self.captured(site, there, code, said, kind, tick)
        if not faults:
            faults += self.after(site, fs)
        return "%s-%d" % (kind, code), faults + (["it said: " + said[-600:]] if faults else [])

    # ---- the site

    def begin(self, site, fs, workload, file):
        site.reset("added")
        if fs == "ext4":
            self.on_ext4(site)
        site.day = 0
        d = site.path("src", "race")
        os.mkdir(d)
        for name, size in FILES.items():
            write(d + "/" + name, 1, size=size)
        os.link(d + "/two", d + "/two.other")
        for at in (0, 300 << 10):  # sparse: data where holes were punched around
            fd = os.open(d + "/sparse", os.O_RDWR)
            libc.fallocate(fd, FALLOC_PUNCH, ctypes.c_long(at + 2 * BLOCK), ctypes.c_long(200 << 10))
            os.close(fd)
        os.mkdir(site.path("outside.d"))
        for p in [site.path("outside")] + [site.path("outside.d", n) for n in FILES]:
            with open(p, "wb") as f:
                f.write(OUTSIDE)
        many = site.path("src", "many")  # enough names for helpers to look ahead
        os.mkdir(many)
        for i in range(80):
            with open("%s/%d" % (many, i), "w") as f:
                f.write("%d\n" % i)
        if workload != "first":
            site.day = 1 / 24
            site.must(*RUN)
        if workload == "changed":
            write(d + "/" + file, 1)

    def on_ext4(self, site):
        """The source on an ext4 of the worker's own."""
        mount = site.work + "/ext4"
        if not os.path.ismount(mount):
            os.mkdir(mount)
            with open(site.work + "/image", "wb") as f:
                f.truncate(64 << 20)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", site.work + "/image"], check=True)
            subprocess.run(["mount", "-o", "loop", site.work + "/image", mount], check=True)
        top = mount + "/src"
        clear(top)
        shutil.copytree(site.path("src"), top, symlinks=True)
        subprocess.run(["mount", "--bind", top, site.path("src")], check=True)

    def env(self, site, fs, file="none", spec="0"):
        e = site.env()
        e["LD_PRELOAD"] = e["LD_PRELOAD"].replace(site.bin + "/faults.so", site.bin + "/pause.so:" + site.bin + "/faults.so")
        e["FAKECLOCK"] = str(int(site.day * 86400))
        e.update(PAUSE_STATE=site.work + "/pause", PAUSE_WHO="bkp", PAUSE_FILE=site.path("src", "race", file), PAUSE=spec)
        if fs == "coarse":
            e["PAUSE_TICK"] = str(TICK)
        return e

    def paused(self, site, fs, file, spec, change):
        """(exit status, words, state) of a run during which change() is called before the calls that spec says."""
        page = site.work + "/pause"
        with open(page, "wb") as f:
            f.write(bytes(BLOCK))
        e = self.env(site, fs, file, spec)
        said = site.work + "/said"
        with open(said, "wb") as out, open(page, "r+b") as f, mmap.mmap(f.fileno(), BLOCK) as state:
            p = subprocess.Popen(RUN, env=e, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            try:
                end = time.monotonic() + SECONDS
                while p.poll() is None and time.monotonic() < end:
                    if state[4:8] != state[8:12]:
                        change()
                        state[8:12] = state[4:8]
                    if fs != "coarse":
                        time.sleep(0.0001)
                if p.poll() is None:
                    return 124, "no end after %d s" % SECONDS, state[:]
            finally:
                p.kill()
                p.wait()
            return p.returncode, oracle.read(said).decode(errors="replace"), state[:]

    # ---- the oracle

    def reader(self, site):
        return ["bkp-restore", "--quiet", "--medium", site.path("m1"), "--identity", site.path("id.txt")]

    def captured(self, site, there, code, said, kind, tick):
        generation = "docs@%d" % max(oracle.newest(site, m) for m in ("m1", "m2"))
        if generation == "docs@0" or (code == 2 and kind.startswith("parent")):
            return [] if code else ["exit 0, and no generation"]
        to = site.path("to")
        reader = self.reader(site)
        got, words = site.run(reader + ["extract", generation, "--to", to])
        if got not in (0, 1):
            return ["extract: exit %d: %s" % (got, words)]
        marks = site.run(reader + ["list", generation])[1]
        back = states(to + site.path("src"), tick) if os.path.isdir(to + site.path("src")) else {}
        faults = []
        for name in sorted(set(back).union(*there)):
            why = self.one(to + site.path("src"), name, back.get(name), [t.get(name) for t in there])
            if not why:
                continue
            if not flagged(name, code, said):
                faults.append("'%s': %s, and nobody says so" % (name, why))
            elif name in back and not any(name in line and ("changed" in line or "unreadable" in line) for line in marks.split("\n")):
                faults.append("'%s': %s, and the generation's list does not mark it" % (name, why))
        if kind == "moved" and not any("race/" + n in back for n in (os.path.basename(self.at(there)), "0", "zz")) and not code:
            faults.append("it was there all the time, is under none of its names, and nobody says so")
        shutil.rmtree(to)
        return faults[:5]

    def at(self, there):
        """The name that was moved."""
        return next(n for n in there[0] if any(n not in t for t in there))

    def one(self, top, name, got, were):
        """None, or how what was restored is nothing that was there."""
        if got is None:
            return None if None in were else "it was there all the time, and is missing"
        if got in were:
            return None
        alike = [w for w in were if w and w[:2] == got[:2]]
        if not alike:
            made_of = versions(oracle.read(os.path.join(top, name))) if stat.S_ISREG(got[0]) else ""
            return "it is what never stood there (versions %s)" % made_of
        return None if got[0] == stat.S_IFDIR else "its time of modification is another version's"

    def after(self, site, fs):
        """The night after, nobody changes anything."""
        e = self.env(site, fs)
        for argv in (RUN, ["bkp", "verify", "--quiet"]):
            r = subprocess.run(argv, env=e, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            if r.returncode:
                return ["the night after, %s: exit %d: %s" % (" ".join(argv), r.returncode, r.stdout.decode(errors="replace"))]
        to = site.path("to")
        code, said = site.run(self.reader(site) + ["extract", "docs@%d" % oracle.newest(site, "m1"), "--to", to])
        if code:
            return ["the night after, extract: exit %d: %s" % (code, said)]
        now, back = (states(top, TICK if fs == "coarse" else 1) for top in (site.path("src"), to + site.path("src")))
        shutil.rmtree(to)
        return ["the night after, '%s' is another one" % n for n in sorted(set(now) | set(back)) if now.get(n) != back.get(n)][:5]


def flagged(name, code, said):
    """Whether the run named it, the first of its names, or a folder that it is in, and did not end well."""
    parts = name.removesuffix(".other").split("/")
    above = ["/src/" + "/".join(parts[:n]) + "'" for n in range(1, len(parts) + 1)]
    return code != 0 and any(a in said for a in above)
