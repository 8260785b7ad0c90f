"""The sites that a campaign harms: states on tmpfs, each put back by copy, at one path whoever works on it.

A worker has a mount namespace of its own, and its site is a tmpfs at SITE there: all workers see the same paths, and what one leaves
behind goes with the tmpfs.  States are made once, by the program itself without any fault, and kept below GOLDEN.
"""
import ctypes
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import blockdev
import laden
import oracle

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE, MS_BIND, MNT_DETACH = 0x20000, 0x4000, 0x40000, 0x1000, 2
DAY = 86400


def call(r):
    if r:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Site:
    def __init__(self, root):
        self.root = root
        self.strict = {}  # what strict.py asks for
        self.mutant = self.seen = ""  # what mutants.py has taken out; outcomes of which run count as seen
        self.site = root + "/site"
        self.golden = root + "/golden"
        self.bin = root + "/bin"
        self.work = root + "/work-%d" % os.getpid()

    # ---- where it is

    def alone(self):
        """From now on this process has a mount namespace of its own."""
        call(libc.unshare(CLONE_NEWNS))
        call(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
        let_go()
        self.work = self.root + "/work-%d" % os.getpid()
        os.makedirs(self.work, exist_ok=True)
        self.mounted = False
        self.mounts = 0

    def clear(self):
        if self.mounted:
            call(libc.umount2(self.site.encode(), MNT_DETACH))
        oracle.KNOWN.clear()
        call(libc.mount(b"tmpfs", self.site.encode(), b"tmpfs", 0, b"size=400m"))
        self.mounted = True
        self.mounts += 1

    def reset(self, state):
        if state == "remembered":
            self.remembered()
            return
        self.clear()
        subprocess.run(["cp", "-a", "%s/%s/." % (self.golden, state), self.site], check=True)
        oracle.know("%s/%s" % (self.golden, state), self.site)
        with open("%s/%s.json" % (self.golden, state)) as f:
            self.day = json.load(f)["day"]

    def remembered(self):
        """A night on which what stood in the source was captured twice, and is believed.  That goes by inode and time of change, which no
        copy keeps: this source is the worker's own and stays where it is, changed a little each time, and wherever the days after changed it."""
        own, kept = self.work + "/src", self.work + "/remembered"
        if not os.path.isdir(own):
            self.reset("night2")
            shutil.copytree(self.path("src"), own, symlinks=True)
            for i in range(150):
                with open("%s/sub/more-%d" % (own, i), "w") as f:
                    f.write("%d\n" % i)
            call(libc.mount(own.encode(), self.path("src").encode(), None, MS_BIND, None))
            for self.day in (3, 4):
                self.must("bkp", "run", "--all", "--quiet")
            call(libc.umount2(self.path("src").encode(), MNT_DETACH))
            subprocess.run(["chattr", "-R", "-f", "-i", self.site], check=False)
            shutil.copytree(self.site, kept, symlinks=True, ignore=lambda d, names: names if d == self.path("src") else [])
        self.clear()
        subprocess.run(["cp", "-a", kept + "/.", self.site], check=True)
        call(libc.mount(own.encode(), self.path("src").encode(), None, MS_BIND, None))
        self.day = 5
        for name in ("more-7", "more-140", "1 文書", "later"):
            self.change(name)
        os.unlink(self.path("src", "sub", "later"))

    def change(self, name):
        with open(self.path("src", "sub", name), "w") as f:
            f.write("changed at %d\n" % time.monotonic_ns())

    def tomorrow(self):
        """A day later somebody has worked on two files: one that there was, and one that is new."""
        self.day += 1
        self.change("1 文書")
        self.change("later")

    def keep(self, state):
        subprocess.run(["chattr", "-R", "-f", "-i", self.site], check=False)
        to = "%s/%s" % (self.golden, state)
        os.makedirs(to)
        subprocess.run(["cp", "-a", self.site + "/.", to], check=True)
        with open(to + ".json", "w") as f:
            json.dump({"day": self.day}, f)

    def path(self, *names):
        return os.path.join(self.site, *names)

    # ---- commands

    def env(self, faults=None):
        e = {"PATH": self.bin + ":" + os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/root", "BKP_POLICY": self.path("policy.yaml"),
             "BKP_SLIPS": self.work + "/slips",
             "LD_PRELOAD": preloaded(self.bin), "FAKECLOCK": str(self.day * DAY), "TMPDIR": getattr(self, "tmp", self.work),
             "ASAN_OPTIONS": "detect_leaks=0:exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99"}
        if self.strict:
            e.update(self.strict, LD_PRELOAD=self.strict["LD_PRELOAD"] + ":" + e["LD_PRELOAD"])
        if self.mutant:
            e["BKP_MUTANT"] = self.mutant
        if faults is not None:
            with open(self.work + "/faults", "wb") as f:
                f.write(bytes(4096))
            e.update(FAULTS_STATE=self.work + "/faults", FAULTS=faults)
        return e

    def run(self, argv, faults=None, seconds=60):
        """(exit status, what it said); -N where a signal ended it."""
        e = self.env(faults)
        if faults is not None:
            e["FAULTS_WHO"] = next(os.path.basename(a) for a in argv if os.path.basename(a) in ("bkp", "bkp-restore"))
        try:
            r = subprocess.run(argv, env=e, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
        except subprocess.TimeoutExpired as x:
            return 124, "no end after %d s: %s" % (seconds, (x.output or b"").decode(errors="replace"))
        return -9 if r.returncode == 137 else r.returncode, r.stdout.decode(errors="replace")

    def counts(self):
        """name -> calls of the last command that ran with faults; and whether its fault came."""
        with open(self.work + "/faults", "rb") as f:
            b = f.read()
        n = [int.from_bytes(b[8 * i:8 * i + 8], "little") for i in range(64)]
        return dict(zip(function_names(self.root), n)), b[512] != 0

    def once(self, name, count):
        """What is counted without any fault is the same for each family and, with --kept, for each campaign."""
        path = "%s/counted/%s.json" % (self.root, name)
        if self.mutant:
            return count()
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open("%s.%d" % (path, os.getpid()), "w") as f:
                json.dump(count(), f)
            os.rename("%s.%d" % (path, os.getpid()), path)
        with open(path) as f:
            return json.load(f)

    def taken(self):
        """The name that somebody else took while the last command ran with faults; or None."""
        with open(self.work + "/faults", "rb") as f:
            b = f.read()
        return b[520:].split(b"\0")[0].decode() or None

    def must(self, *argv, codes=(0,)):
        code, said = self.run(list(argv))
        if code not in codes:
            raise RuntimeError("making a site: exit %d: %s\n%s" % (code, " ".join(argv), said))
        return said

    # ---- the states

    def source(self, n):
        """What stands in the source on the n-th day."""
        os.makedirs(self.path("src", "sub"), exist_ok=True)
        for i in range(6):
            with open(self.path("src", "sub", "%d 文書" % i), "w") as f:
                f.write("file %d, day %d\n" % (i, n if i % 3 == n % 3 else 0) * 40)
        with open(self.path("src", "sub", "canary"), "w") as f:
            f.write("nobody changes this\n")
        with open(self.path("src", "image"), "wb") as f:
            f.write(noise(1, 200000) + noise(n, 60000))
        for link in (self.path("src", "hard"), self.path("src", "soft")):
            if os.path.lexists(link):
                os.unlink(link)
        os.link(self.path("src", "image"), self.path("src", "hard"))
        os.symlink("image", self.path("src", "soft"))

    def fill(self):
        """The next record does not fit into the journal's segment any more."""
        p, key = self.path("state", "journal", "000001.jsonl"), glob.glob(self.path("state", "signing-*.key"))[0]
        argv = [sys.executable, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib", "rejournal.py"), p, p]
        while (left := (4 << 20) - (64 << 10) - os.path.getsize(p) - 1200) > 0:
            with open(p, "rb") as f:
                n = f.read().count(b"\n")
            record = '{"event":"note","filler":"%s"}' % ("x" * min(left, 120000))
            subprocess.run(argv + [str(n), key, re.search("[0-9]+", os.path.basename(key)).group()] + [record] * (1 + (left > 2400000) * 9), check=True)

    def make(self):
        self.alone()
        self.clear()
        self.day = 0
        for folder in ("m1", "m2", "m3", "safe", "desk", "sys/etc/cron.d"):  # of timers; before it, of what a command writes
            os.makedirs(self.path(folder))
        with open(self.path("policy.yaml"), "w") as f:
            f.write(POLICY.format(self.site))
        with open(self.path("drill.md"), "w") as f:
            f.write(PROCEDURE)
        self.source(0)
        subprocess.run(["age-keygen", "-o", self.path("id.txt")], check=True, stderr=subprocess.DEVNULL)
        self.keep("bare")
        self.must("bkp", *INIT(self))
        self.keep("inited")
        for m in ("m1", "m2", "m3"):
            self.must("bkp", "medium", "add", m)
        self.keep("added")
        self.night(1)
        self.source(2)
        self.day = 2
        self.keep("night1")
        shutil.move(self.path("m2"), self.path("away"))
        self.night(2, codes=(1,))
        shutil.move(self.path("away"), self.path("m2"))
        self.source(3)
        self.day = 3
        self.keep("behind")
        self.reset("night1")
        self.night(2)
        self.must("bkp", "rotate", "m3", "--operator", "Sato", "--quiet")
        self.day = 3
        self.keep("night2")
        os.mkdir(self.path("packs"))
        with open(self.path("policy.yaml"), "a") as f:
            f.write("people:\n  - {name: Sato, roles: [manager, operator]}\n")  # without whom a form is left out: exit 1
            f.write("status_page: %s\n" % self.path("desk", "status.html"))
        self.must("bkp", "report", "pack", "--out", self.path("packs", "older"), "--quiet")
        self.must("bkp", "report", "regulation", "--csv", "--out", self.path("desk", "regulation.csv"))
        self.keep("packed")
        self.reset("night2")
        self.harm()
        self.keep("harmed")
        self.reset("night2")
        self.lose()
        self.keep("lost")
        self.reset("night2")
        with open(self.path("state", "journal/000001.jsonl"), "ab") as f:
            f.write(b"what is no record\n")
        shutil.copyfile(self.path("state", "journal/000001.jsonl"), oracle.repository(self, "m1") + "/journal/000001.jsonl")
        self.keep("torn")
        self.reset("night2")
        self.fill()
        self.keep("brim")
        self.reset("night2")
        self.must("bkp", "hold", "docs@1", "--operator", "Sato", "--reason", "a campaign")
        self.keep("held")
        self.reset("night2")
        self.source(3)
        with open(self.path("src", "sub", "canary"), "w") as f:
            f.write("changed\n")
        self.day = 3
        self.must("bkp", "run", "--all", "--quiet", codes=(1,))
        self.keep("suspect")
        self.reset("night2")
        os.makedirs(self.path("src", "many"))
        for i in range(25):  # enough for a canary among them
            with open(self.path("src", "many", "%d.txt" % i), "w") as f:
                f.write("file %d\n" % i)
        self.keep("crowded")
        self.reset("night2")
        shutil.move(self.path("m3"), self.path("m3.away"))
        self.keep("apart")
        self.reset("night2")
        self.must("bkp", "schedule", "install", "--root", self.path("sys"), "--kind", "cron")
        self.keep("scheduled")
        self.reset("night2")
        with open(self.path("policy.yaml"), "a") as f:
            f.write("  - {name: BD, type: optical, offline: true, place: 金庫, datasets: [docs, db]}\n")
        self.must("bkp", "verify", "--quiet")  # the policy is on record
        self.keep("burnable")
        self.reset("night2")
        self.must("bkp-restore", "--quiet", "--identity", self.path("id.txt"), "--medium", self.path("m1"), "drill", self.path("drill.md"),
                  "--operator", "Sato", "--to", self.path("desk", "drill"))
        head, witness = self.path("desk", "head"), self.path("desk", "witness")
        self.must("bkp", "journal", "head", "--out", head)
        for argv in (["minisign", "-G", "-W", "-f", "-p", witness + ".pub", "-s", witness + ".key"],
                     ["minisign", "-S", "-s", witness + ".key", "-m", head]):
            subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
        self.keep("rehearsed")
        self.people()
        self.reset("night2")
        for n in range(3, 7):
            self.night(n)
        self.day = 20
        self.keep("old")
        self.vanish()
        self.keep("vanished")
        self.stand()
        self.keep("standing")
        self.reset("night1")
        self.run(["bkp", "run", "--all", "--quiet"], faults="fdatasync:1:kill")  # in the middle of what it wrote to the index
        self.keep("died")
        self.trio()
        laden.make(self, POLICY.format(self.site), INIT)
        call(libc.umount2(self.site.encode(), MNT_DETACH))
        shutil.rmtree(self.work)

    def people(self):
        """Somebody is to come, or to leave: files that the root key signed; the night after that; and a host that is lost."""
        self.reset("night2")
        shutil.copyfile(glob.glob(self.path("root.*"))[0], self.path("root.key"))
        self.holder("add", "hosyu=" + self.recipient("hosyu"), "both")
        self.must("bkp", "key", "add", "hosyu", "--from", self.path("desk", "both"), "--operator", "Sato")
        self.source(3)
        self.must("bkp", "run", "--all", "--quiet")
        self.holder("add", "jimucho=" + self.recipient("jimucho"), "more")
        self.holder("remove", "hosyu", "less")
        self.source(4)
        self.day = 4
        self.keep("offered")
        self.must("bkp", "key", "remove", "hosyu", "--from", self.path("desk", "less"), "--operator", "Sato", "--renew")
        self.keep("taken")
        self.must("bkp-restore", "--quiet", "--medium", self.path("m1"), "--identity", self.path("id.txt"), "key", "host", "--to",
                  self.path("desk", "host"))
        os.rename(self.path("state"), self.path("desk", "former"))
        self.keep("gone")

    def recipient(self, name):
        said = subprocess.run(["age-keygen", "-o", self.path("desk", name + ".txt")], check=True, stderr=subprocess.PIPE, text=True).stderr
        return said.split()[-1]

    def holder(self, what, whom, to):
        """What who holds a key makes, and the root key signs."""
        to = self.path("desk", to)
        self.must("bkp-restore", "--quiet", "--medium", self.path("m1"), "--identity", self.path("id.txt"), "key", what, whom, "--to", to)
        with open(to + "/period.json") as f:
            p = json.load(f)
        subprocess.run(["minisign", "-S", "-s", self.path("root.key"), "-m", to + "/period.json", "-t",
                        "bkp:1 kind=period repository=%s period=%d revision=%d" % (p["repository"], p["period"], p["revision"])],
                       check=True, stdout=subprocess.DEVNULL)

    def night(self, n, codes=(0,)):
        self.source(n)
        self.day = n
        self.must("bkp", "run", "--all", "--quiet", codes=codes)

    def trio(self):
        """Three data sets that take their turns in another order than the policy's, one medium that holds two of them; of the next night
        one fails, and takes nothing with it."""
        self.clear()
        subprocess.run(["cp", "-a", self.golden + "/bare/.", self.site], check=True)
        self.day = 0
        with open(self.path("policy.yaml"), "w") as f:
            f.write(TRIO.format(self.site))
        self.must("bkp", *INIT(self))
        for m in ("m1", "m2", "m3"):
            self.must("bkp", "medium", "add", m)
        self.change("later")
        self.night(1)
        self.source(2)
        os.unlink(self.path("src", "sub", "later"))
        self.day = 2
        self.keep("trio")
        self.must("bkp", "run", "--all", "--quiet", codes=(1,))
        wrong = oracle.night_kept(self, lost=("lab",))
        if wrong:
            raise RuntimeError("a data set that fails: " + "; ".join(wrong))

    def vanish(self):
        """An archive and a generation's signature are gone from m3."""
        subprocess.run(["chattr", "-R", "-f", "-i", self.path("m3")], check=False)
        for d, _, names in sorted(os.walk(self.path("m3"))):
            if d.endswith("/000001"):
                os.unlink(d + "/SHA256SUMS.minisig")
        os.unlink(min(os.path.join(d, f) for d, _, fs in os.walk(self.path("m3")) for f in fs if "/archives/" in d))

    def stand(self):
        """That a generation on m3 expires is recorded, and it stands there."""
        for n in range(1, 40):
            self.reset("old")
            self.must("bkp", "rotate", "m3", "--operator", "Sato", "--quiet")
            self.run(["bkp", "expire", "--operator", "Sato", "--quiet", "--yes"], faults="renameat2:%d:kill" % n)
            if oracle.standing(self, "m3"):
                return
        raise RuntimeError("no call of renameat2 leaves a generation that is recorded as expired")

    def harm(self):
        """A byte of an archive, of the repository's key, and of two texts on m2."""
        subprocess.run(["chattr", "-R", "-f", "-i", self.path("m2")], check=False)
        archive = max((os.path.join(d, f) for d, _, fs in os.walk(self.path("m2")) for f in fs if f.endswith(".age") and "archives" in d),
                      key=os.path.getsize)
        key = oracle.repository(self, "m2") + "/repository.age"
        for p in (archive, key, self.path("m2", "README.txt"), self.path("m2", "tools", "rescue.py")):
            with open(p, "r+b") as f:
                f.seek(300)
                b = f.read(1)
                f.seek(300)
                f.write(bytes([b[0] ^ 4]))


    def lose(self):
        """Of m2 one data set's folder, of the other a generation and two of another's documents, all archives; the tools; a person's file; its
        identity is damaged."""
        subprocess.run(["chattr", "-R", "-f", "-i", self.path("m2")], check=False)
        found = sorted(os.path.join(d, f) for d, _, fs in os.walk(self.path("m2")) for f in fs)
        documents = [p for p in found if p.endswith(("docs/generations/000002/manifest.json", "docs/generations/000002/SHA256SUMS.minisig"))]
        for p in documents:
            os.unlink(p)
        repo = oracle.repository(self, "m2")
        for folder in ("../tools", "datasets/db", "datasets/docs/archives", "datasets/docs/generations/000001"):
            shutil.rmtree(os.path.join(repo, folder))
        os.unlink(repo + "/keys/1/holder-1.age")
        with open(self.path("m2", "bkp-medium.json"), "r+b") as f:
            f.write(b"[")


POLICY = """site: {{name: テスト診療所, language: en}}
state: {0}/state
procedures: [{0}/drill.md]
datasets:
  - {{name: docs, title: 文書, paths: [{0}/src], canaries: ["{0}/src/sub/canary"], generations: 2, protect: 1h}}
  - {{name: db, command: 'cat "{0}/src/sub/1 文書"; echo dump', store_as: db.dump, generations: 2, protect: 1h}}
media:
  - {{name: m1, type: hdd, path: {0}/m1, place: サーバ室}}
  - {{name: m2, type: ssd, path: {0}/m2, place: 別室}}
  - {{name: m3, type: rdx, path: {0}/m3, place: 金庫, offline: true, max_attached: 400d}}
"""

TRIO = """site: {{name: テスト診療所, language: en}}
state: {0}/state
procedures: [{0}/drill.md]
datasets:
  - {{name: db, command: 'cat "{0}/src/sub/1 文書"; echo dump', store_as: db.dump, generations: 2, protect: 1h}}
  - {{name: lab, command: 'cat "{0}/src/sub/later"', store_as: lab.dump, generations: 2, protect: 1h, priority: 2}}
  - {{name: docs, title: 文書, paths: [{0}/src], canaries: ["{0}/src/sub/canary"], generations: 2, protect: 1h, priority: 1}}
media:
  - {{name: m1, type: hdd, path: {0}/m1, place: サーバ室}}
  - {{name: m2, type: ssd, path: {0}/m2, place: 別室, datasets: [docs, lab]}}
  - {{name: m3, type: rdx, path: {0}/m3, place: 金庫, offline: true, max_attached: 400d}}
"""

PROCEDURE = """# A drill of the campaign

```procedure
id: campaign
version: "1.0"
dataset: docs
rto: 1h
```

```restore
誰: 佐藤
何を: 文書を戻す
どのように: 自動
合否条件: 成功
予定分: 1
dataset: docs
```
"""


def INIT(site, recipients={}):
    with open(site.path("id.txt")) as f:
        identity = f.read()
    if identity not in recipients:
        recipients[identity] = subprocess.run(["age-keygen", "-y", site.path("id.txt")], check=True, stdout=subprocess.PIPE).stdout.decode().strip()
    return ["init", "--root-key-out", site.path("root.%s" % os.urandom(6).hex()), "--recipient", recipients[identity]]


def noise(seed, n):
    import random
    return random.Random(seed).randbytes(n)


def function_names(root, cache={}):
    """The table of faults.c, in its order."""
    if not cache:
        with open(root + "/faults.c") as f:
            table = re.search(r"#define FUNCTIONS\(F\)(.*?)\n\n", f.read(), re.S).group(1)
        cache["names"] = re.findall(r"F\((\w+)\)", table)
    return cache["names"]


def let_go():
    """What others have mounted below a folder for temporary files is theirs to unmount: this namespace must not hold it."""
    with open("/proc/self/mounts") as f:
        points = [line.split()[1].encode().decode("unicode_escape") for line in f]
    for p in reversed(points):
        if p.startswith(("/tmp/", "/var/tmp/", "/dev/shm/", tempfile.gettempdir() + "/")):
            libc.umount2(p.encode("latin-1"), MNT_DETACH)


def preloaded(folder, cache={}):
    """What is loaded before the C library; a sanitizer wants to be first."""
    if folder not in cache:
        said = subprocess.run(["ldd", folder + "/bkp"], check=True, stdout=subprocess.PIPE, text=True).stdout
        first = re.search(r"libasan\S* => (\S+)", said)
        cache[folder] = ":".join(([first.group(1)] if first else []) + [folder + "/faults.so", folder + "/fakeclock.so"])
    return cache[folder]


def set_up(root, build, here):
    """The programs and what is loaded into them."""
    os.makedirs(root + "/bin/tools")
    os.mkdir(root + "/bin/rescue")
    with open(root + "/bin/rescue/make.sh", "w") as f:  # quick, in the place of restore/rescue/make.sh: bkp is what is broken
        f.write('yes rescue | head -n 300000 >"$1/image"; echo kernel 6.1; echo secure-boot yes\n')
    os.mkdir(root + "/site")
    os.mkdir(root + "/golden")
    for p in ("bkp", "bkp-restore"):
        shutil.copy2(build + "/" + p, root + "/bin/")
    for p in ("rescue.py", "FORMAT.md"):
        shutil.copy2(build + "/tools/" + p, root + "/bin/tools/")
    shutil.copytree(build + "/checklists", root + "/bin/checklists")
    shutil.copy(here + "/faults.c", root)
    flags = ["-O1", "-shared", "-fPIC", "-w", "-DSANITIZED=%d" % ("asan" in preloaded(root + "/bin"))]
    for so, source in (("faults", "faults.c"), ("pause", "pause.c"), ("fakeclock", "../lib/fakeclock.c"), ("forkserver", "forkserver.c")):
        subprocess.run(["cc"] + flags + ["-o", "%s/bin/%s.so" % (root, so), os.path.join(here, source), "-ldl"], check=True)
    blockdev.build(root + "/bin", here)
