#!/usr/bin/env python3
"""A year of nights at a small clinic, and a model that knows what must come of them.

    year.py --bin BKP --restore BKP-RESTORE --root DIR --fake LIB --faults LIB --root-key RW... --nights N --seed N [--profile]

DIR holds the site that 73-year.sh made: policy.yaml, src/, db.dump, the media nas/ (a folder), ssd/ (a small file system of its
own, ssd.img) and the offline medium rdx/ (kept on shelf/), and id.txt.  Every night the tree changes a little, the clock is
that of the night, and 'bkp run --quiet' runs as cron runs it.  Every fifth night something goes wrong, by the seed: a disk is away or
full, a dump fails, the clock jumps, the host is off; or the program itself is harmed (tests/campaign/faults.c: one call or allocation
fails, or all from there on, or it is killed), every other time together with one of the others; so are rotations and expiries.
Three nights a year all files are encrypted, or a person converts them; each month one generation is held and released again.
The model follows along without reading the journal: what each night must come to, what status must say in the morning, what must be
there at the end.  Only what a harmed night came to is read from what bkp reports (and then proved); what expires is bkp's to choose,
the floors, what is protected and what is held are not.  What the campaign's oracle says of the disks holds always.
"""
import argparse, csv, gzip, hashlib, io, json, os, random, re, shutil, subprocess, sys, time
from datetime import datetime, timedelta, timezone

CAMPAIGN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "campaign")
sys.path.insert(0, CAMPAIGN)
import families, oracle, sites

JST = timezone(timedelta(hours=9))
FAULTS = ["host off", "disk full", "dump failing", "disk missing", "clock jump"] + 5 * ["harmed"]
TOGETHER = [None, None, "disk full", "disk missing", "dump failing", None]  # with a harmed program
SETS = ("docs", "db")
MEDIA = ("nas", "ssd", "RDX-01")
WHERE = {"nas": "nas", "ssd": "ssd", "RDX-01": "rdx"}
SWAP_S, DAY_S = 7 * 86400, 86400
JUMP = timedelta(days=40)
# on which the files are encrypted, or once compressed by their owner: which of the first two depends on the seed
ODD = (46, 186, 306)
HOLD, RELEASE = 12, 27  # of each 30 nights
SIGNS = {"○": "met", "△": "attention", "×": "missing"}


class Wrong(Exception):
    pass


def must(condition, what):
    if not condition:
        raise Wrong(what)


class Generation:
    def __init__(self, name, number, begun, verdict, media, content):
        self.name, self.number, self.begun, self.verdict = name, number, begun, verdict
        self.media = set(media)  # verified on them
        self.gone = set()  # expired there
        self.content = content  # a digest of what was captured
        self.suspect = False  # the guard doubts it, until a person accepts it
        self.held = False

    def __str__(self):
        return "%s@%d" % (self.name, self.number)

    def sound(self):
        return self.verdict == "good" and not self.suspect

    def good(self):
        return self.sound() and bool(self.media)


class Disks:
    """The year's site as the campaign's oracle sees it."""

    def __init__(self, year):
        self.year, self.site = year, year.root

    def path(self, *names):
        medium, *rest = os.path.join(*names).split("/")
        where = {"m1": "nas", "m2": "ssd", "m3": "rdx" if os.path.exists(self.year.path("rdx")) else "shelf"}
        return self.year.path(where.get(medium, medium), *rest)


class Year:
    def __init__(self, a):
        self.a, self.rnd = a, random.Random(a.seed)
        self.root = a.root
        self.generations = {}  # (data set, number) -> Generation
        self.begun_numbers = 0  # numbers that were given out
        self.tried = {}  # data set -> (number, begun, good)
        self.rdx_home = True
        self.rotated = None
        self.attached = False
        self.files = []
        self.counts = dict.fromkeys(FAULTS, 0)
        self.disks, self.counted, self.harms, self.spec = Disks(self), {}, 0, None
        self.good_nights = self.restored = self.verified = self.expired = 0
        self.suspects = self.holds = self.pages = self.reported_copies = 0
        self.held = None
        self.pending = None
        self.spent = {}  # what was run -> [times, seconds]

    # ---- running things

    def path(self, *names):
        return os.path.join(self.root, *names)

    def env(self, when, jump=None):
        e = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", "HOME": "/", "TZ": "Asia/Tokyo", "BKP_POLICY": self.path("policy.yaml")}
        if when:
            offset = int(when.timestamp() - time.time()) + 2  # never before its time
            e.update(LD_PRELOAD=self.a.fake, FAKECLOCK=str(offset), FAKEDISK=self.path("disks"))
            if jump:
                e.update(FAKECLOCK=str(offset + int(jump.total_seconds())), FAKECLOCK_BOOT=str(offset))
        return e

    def harming(self, spec):
        with open(self.path("faults"), "wb") as f:
            f.write(bytes(4096))
        return {"LD_PRELOAD": self.a.faults + ":" + self.a.fake, "FAULTS_STATE": self.path("faults"),
            "FAULTS_WHO": os.path.basename(self.a.bin), "FAULTS": spec}

    def counts_of(self):
        with open(self.path("faults"), "rb") as f:
            b = f.read()
        return {name: int.from_bytes(b[8 * i:8 * i + 8], "little") for i, name in enumerate(sites.function_names(CAMPAIGN))}

    def draw(self, verb):
        """A fault of the next command of that kind, by what the last one called."""
        n, kind = self.counted[verb], self.rnd.choice(("error", "error", "memory", "kill"))
        if kind == "kill":
            return "any:%d:kill" % self.rnd.randint(1, n["any"])
        on = ":on" if self.rnd.random() < 0.3 else ""
        if kind == "memory":
            return "alloc:%d:ENOMEM%s" % (self.rnd.randint(1, n["alloc"]), on)
        f = self.rnd.choice([f for f in sorted(families.ERRORS) if n[f]])
        error = self.rnd.choice(families.ERRORS[f])
        return "%s:%d:%s%s" % (f, self.rnd.randint(1, n[f]), error, on if error not in ("short", "EINTR") else "")

    def harmed(self, when, *args, goes=False):
        """The command with a fault inside; what it leaves is looked at."""
        before, self.spec = oracle.Before(self.disks), self.draw(args[0])
        o = self.bkp(when, *args, spec=self.spec)
        must(o.returncode in (0, 1, 2, 3, 64) or o.returncode == -9 and self.spec.endswith("kill"),
            "%s exits %d:\n%s%s" % (args[0], o.returncode, o.stdout, o.stderr))
        must(o.returncode <= 0 or o.stdout + o.stderr, "%s exits %d without a word" % (args[0], o.returncode))
        self.harms += 1
        self.given_up()
        return o, before, goes

    def given_up(self):
        """What somebody else put under a name meanwhile stays as he put it, until he takes it away again."""
        with open(self.path("faults"), "rb") as f:
            path = f.read()[520:].split(b"\0")[0]
        if path and os.path.isfile(path):
            with open(path, "rb") as f:
                must(f.read() == b"somebody else's\n", "what somebody else had at %s was replaced" % path)
            subprocess.run(["chattr", "-f", "-i", path], check=False)
            os.unlink(path)

    def sound_disks(self, before=None, goes=False):
        faults = oracle.look(self.disks, before or oracle.Before(self.disks), goes=goes)
        must(not faults, "on the disks: " + "; ".join(faults))

    def call(self, name, command, env):
        begun = time.monotonic()
        o = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        spent = self.spent.setdefault(name, [0, 0.0])
        spent[0] += 1
        spent[1] += time.monotonic() - begun
        return o

    def bkp(self, when, *args, jump=None, spec=None):
        env = self.env(when, jump)
        if spec is not None:
            env.update(self.harming(spec))
        o = self.call("bkp " + args[0], [self.a.bin, *args], env)
        if spec == "":
            self.counted[args[0]] = self.counts_of()
        return o

    def restore(self, *args):
        verb = "verify" if "verify" in args else "extract"
        return self.call("bkp-restore " + verb, [self.a.restore, "--quiet", *args], self.env(None))

    def as_operator(self, when, *args, breakable=False):
        args += ("--operator", "事務長")
        if breakable and args[0] in self.counted and self.rnd.random() < 0.3:
            _, before, goes = self.harmed(when, *args, goes=args[0] == "expire")
            self.sound_disks(before, goes)
            when += timedelta(minutes=3)
        o = self.bkp(when, *args, spec="" if breakable else None)
        must(o.returncode == 0, "%s exits %d:\n%s%s" % (" ".join(args), o.returncode, o.stdout, o.stderr))
        return o

    def sh(self, *args):
        subprocess.run(args, check=True, stdout=subprocess.DEVNULL)

    # ---- the tree

    def new_file(self, day):
        patient = self.rnd.randrange(10**8)
        p = "%08d" % patient
        d = self.path("src", p[:3], p[3:6], p, day.strftime("%Y%m%d"), self.rnd.choice(["OML-11", "OMP-01", "ADT-00"]))
        os.makedirs(d, exist_ok=True)
        f = os.path.join(d, "%s_%d_1" % (p, self.rnd.randrange(10**6)))
        self.write(f)
        self.files.append(f)

    def write(self, f):
        # HL7 in ISO-2022-JP is what SS-MIX2 holds
        text = "MSH|^~\\&|HIS||%d\rPID|||%s||$B@n|%d\r" % (self.rnd.randrange(10**9), os.path.basename(f)[:8], self.rnd.randrange(10**9))
        data = (text * self.rnd.randrange(1, 40)).encode()
        with open(f, "wb") as o:
            o.write(gzip.compress(data) if f.endswith(".gz") else data)

    def change_tree(self, day):
        for _ in range(self.rnd.randrange(2, 5)):
            self.new_file(day)
        self.write(self.rnd.choice(self.files))
        if self.rnd.random() < 0.3:
            os.unlink(self.files.pop(self.rnd.randrange(len(self.files))))
        with open(self.path("db.dump"), "a") as o:
            o.write("insert into visit values (%d);\n" % self.rnd.randrange(10**9))

    def digest(self, top):
        h = hashlib.sha256()
        for folder, folders, files in os.walk(top):
            folders.sort()
            st = os.stat(folder)
            h.update(("%s %o %d\n" % (os.path.relpath(folder, top), st.st_mode, st.st_mtime_ns)).encode())
            for f in sorted(files):
                p = os.path.join(folder, f)
                st = os.stat(p)
                h.update(("%s %o %d\n" % (f, st.st_mode, st.st_mtime_ns)).encode())
                with open(p, "rb") as i:
                    h.update(hashlib.sha256(i.read()).digest())
        return h.hexdigest()

    def contents(self):
        """Of each data set what a capture of now must hold."""
        dump = None
        if os.path.exists(self.path("db.dump")):
            with open(self.path("db.dump"), "rb") as i:
                dump = hashlib.sha256(i.read()).hexdigest()
        return {"docs": self.digest(self.path("src")), "db": dump}

    def of(self, name):
        return [g for g in self.generations.values() if g.name == name]

    # ---- the nights

    def reported(self, when):
        o = self.bkp(when, "generations", "--json")
        must(o.returncode == 0, "generations: %s" % o.stderr)
        return {(g["dataset"], g["generation"]): g for g in json.loads(o.stdout)["generations"]}

    def add(self, begun, verdicts, media, suspect=()):
        self.begun_numbers += 1
        contents = self.contents()
        for name, verdict in verdicts.items():
            g = Generation(name, self.begun_numbers, begun, verdict, media, contents[name])
            g.suspect = name in suspect
            if verdict != "failed":  # what failed has no generation
                self.generations[name, g.number] = g
            self.tried[name] = (g.number, begun, g.good())
        for other in self.generations.values():  # what a medium lacks is brought to it
            for m in media:
                if m not in other.gone:
                    other.media.add(m)

    def run(self, when, want, jump=None):
        o = self.bkp(when, "run", "--quiet", jump=jump, spec="" if not want else None)
        if o.returncode != want or (want == 0) != (o.stdout == "") or (want == 0 and o.stderr):
            raise Wrong("the run exits %d, expected %d:\n%s%s" % (o.returncode, want, o.stdout, o.stderr))
        if want:
            must(len(o.stdout.splitlines()) == 1 and len(o.stdout) <= 201, "not one line: %r" % o.stdout)
        return o

    def ordinary(self, when):
        self.run(when, 0)
        self.settle(when)
        self.add(when, {s: "good" for s in SETS}, ("nas", "ssd"))
        self.good_nights += 1

    def beset(self, fault):
        """What is wrong with the site; gives what puts it right again."""
        other = self.path("ssd", "other people's file")
        if fault == "disk full":
            st = os.statvfs(self.path("ssd"))
            with open(other, "wb", buffering=0) as o:
                for size in (65536, 1024, 1024):  # what is left between, when all of it has its place on the disk
                    try:
                        while o.write(b"\0" * size) == size:
                            pass
                    except OSError:
                        pass
                    os.fsync(o.fileno())
            must(os.statvfs(self.path("ssd")).f_bavail < st.f_bavail, "the disk does not fill")
            return lambda: os.unlink(other)
        if fault == "dump failing":
            os.rename(self.path("db.dump"), self.path("db.away"))
            return lambda: os.rename(self.path("db.away"), self.path("db.dump"))
        if fault == "disk missing":
            self.sh("umount", self.path("ssd"))
            return lambda: self.sh("mount", "-o", "loop", self.path("ssd.img"), self.path("ssd"))
        return lambda: None

    def night(self, when, fault):
        self.fault, self.off = fault, False
        good = {s: "good" for s in SETS}
        if fault == "host off":
            self.off = True
        elif fault in ("disk full", "disk missing"):
            right = self.beset(fault)
            o = self.run(when, 1)
            must("medium ssd not written" in o.stdout, "the line of a disk that is full or missing: " + o.stdout)
            right()
            self.add(when, good, ("nas",))
        elif fault == "dump failing":
            right = self.beset(fault)
            o = self.run(when, 1)
            must("1 of 2 good" in o.stdout and "db failed" in o.stdout, "the line of a dump that fails: " + o.stdout)
            right()
            self.add(when, {"docs": "good", "db": "failed"}, ("nas", "ssd"))
        elif fault == "harmed":
            self.harmed_night(when, self.rnd.choice(TOGETHER))
        elif fault == "clock jump":
            o = self.run(when, 1, jump=JUMP)
            must("the clock jumped" in o.stdout, "the line of a clock that jumped: " + o.stdout)
            self.add(when + JUMP, good, ("nas", "ssd"))
            self.nothing_goes(when + timedelta(hours=5), "latched", True)
            self.as_operator(when + timedelta(hours=6), "clock", "attest", "--reason", "117")
        else:
            self.ordinary(when)

    def nothing_goes(self, when, why, value):
        """Whatever the policy says: while nobody has looked, nothing expires, not even when it is asked for."""
        for args in (("expire", "--dry-run", "--json"), ("expire", "--json", "--operator", "事務長")):
            o = self.bkp(when, *args)
            e = json.loads(o.stdout)
            must(e[why] == value and not e["acted"], "%s of '%s': %s" % (why, " ".join(args), {k: v for k, v in e.items() if k != "media"}))
            goes = [g["generation"] for m in e["media"] for g in m["generations"] if g["goes"] or g["may_go"]]
            must(not goes, "%s would go" % goes)

    # ---- the guard

    def everything_else(self, convert):
        """All files become something else: encrypted, or compressed under another name."""
        files = []
        for f in self.files:
            with open(f, "rb") as i:
                data = i.read()
            with open(f, "wb") as o:
                o.write(gzip.compress(data) if convert else self.rnd.randbytes(len(data)))
            if convert:
                os.rename(f, f + ".gz")
            files.append(f + ".gz" if convert else f)
        self.files = files

    def suspicious(self, when, convert):
        """A night after which a person must look; and what that person decides at eight."""
        self.fault, self.off = "suspect", False
        shutil.copytree(self.path("src"), self.path("src.good"), symlinks=True)
        files = list(self.files)
        self.everything_else(convert)
        number = self.doubted(when, "the files are other ones")
        self.morning(when.replace(hour=7))
        self.nothing_goes(when.replace(hour=7, minute=30), "frozen_by", {"dataset": "docs", "generation": number})
        if convert:
            self.decide(when.replace(hour=8), "accept", number)
            shutil.rmtree(self.path("src.good"))
        else:
            self.decide(when.replace(hour=8), "hold", number)
            shutil.rmtree(self.path("src"))
            os.rename(self.path("src.good"), self.path("src"))
            self.files = files
            # put back, and captured again, for what is held counts for nothing: every file is another one than last
            # night once more, and a person says that this is meant
            again = when.replace(hour=8, minute=10)
            self.decide(again.replace(minute=20), "accept", self.doubted(again, "all files were put back", "--all"))
            self.fault = None

    def doubted(self, when, what, *args):
        """A run that finds docs suspect, and db not.  The number of its generations."""
        o = self.bkp(when, "run", "--quiet", *args)
        must(o.returncode == 1 and "SS-MIX2標準化ストレージ suspect (" in o.stdout.splitlines()[0], "%s, and the line is: %s%s" % (what, o.stdout, o.stderr))
        self.add(when, {s: "good" for s in SETS}, ("nas", "ssd"), {"docs"})
        self.suspects += 1
        return self.begun_numbers

    def decide(self, when, verb, number):
        g = self.generations["docs", number]
        self.as_operator(when, verb, str(g), "--reason", "見ました")
        if verb == "accept":
            g.suspect = False
            self.tried["docs"] = (number, g.begun, g.good())
        else:
            g.held = True

    def hold_one(self, when):
        """A person keeps one that would expire otherwise."""
        there = [g for g in self.generations.values() if len(g.media) == 3 and not g.held and not g.suspect]
        self.held = min(there, key=lambda g: (g.number, g.name))
        self.as_operator(when, "hold", str(self.held), "--reason", "監査")
        self.held.held = True
        self.holds += 1

    def release_one(self, when):
        must(len(self.held.media) == 3, "%s is held, and is on %s" % (self.held, self.held.media))
        self.as_operator(when, "release", str(self.held))
        self.held.held, self.held = False, None

    def harmed_night(self, when, other):
        was = {key: set(g.media) for key, g in self.generations.items()}
        whole = self.contents()
        right = self.beset(other)
        o, before, _ = self.harmed(when, "run", "--quiet")
        right()
        self.sound_disks(before)
        # what it had begun may be reported already, or later, or given up
        self.pending = (when, whole)
        self.settle(when, False)
        came = [g for g in self.generations.values() if g.number > self.begun_numbers]
        must(o.returncode != 0 or (not other and len(came) == len(SETS) and all(g.good() and g.media == {"nas", "ssd"} for g in came)),
            "exit 0, with %s, and it came to %s" % (other, [(str(g), g.verdict, g.media) for g in came]))
        now = self.reported(when)
        for key, media in was.items():
            there = {m["label"] for m in now[key]["media"] if m["ok"]}
            must(media == there, "%s@%d was on %s, and is on %s" % (*key, media, there))

    def settle(self, when, final=True):
        """What became of a harmed night is what bkp reports of it: at once, or by the next run."""
        if not self.pending:
            return
        begun, contents = self.pending
        numbers = [self.begun_numbers]
        for (name, number), g in self.reported(when).items():
            # one that finds its index damaged begins once more; what came later is the next night's
            if number <= self.begun_numbers or abs(self.seconds(g["begun"]) - begun.timestamp()) > 60:
                continue
            numbers.append(number)
            if g["state"] == "committed":
                there = [m["label"] for m in g["media"] if m["ok"] and m["verified"]]
                self.generations[name, number] = Generation(name, number, begun, g["verdict"], there, contents[name])
        if final:
            self.begun_numbers = max(numbers)
            self.pending = None

    @staticmethod
    def seconds(text):
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()

    # ---- the week

    def rotate(self, when):
        os.rename(self.path("shelf"), self.path("rdx"))
        self.as_operator(when, "rotate", "RDX-01", breakable=True)
        os.rename(self.path("rdx"), self.path("shelf"))
        self.as_operator(when + timedelta(minutes=20), "medium", "move", "RDX-01")
        for g in self.generations.values():
            if g.media and "RDX-01" not in g.gone and not g.suspect:  # what is held as suspect stays behind
                g.media.add("RDX-01")
        self.rotated = when

    def expire(self, when):
        """What goes is bkp's to decide; the floor is not: that is held here against what was to stay."""
        os.rename(self.path("shelf"), self.path("rdx"))
        self.as_operator(when, "expire", "--yes", breakable=True)
        os.rename(self.path("rdx"), self.path("shelf"))
        now = self.reported(when)
        for g in self.generations.values():
            there = {m["label"] for m in now[g.name, g.number]["media"] if m["ok"]}
            must(not g.held or not g.media - there, "%s is held, and went from %s" % (g, g.media - there))
            for m in g.media - there:
                g.gone.add(m)
                self.expired += 1
            must(not there - g.media, "%s is said to be on %s" % (g, there - g.media))
            g.media &= there
        self.as_operator(when + timedelta(minutes=10), "medium", "move", "RDX-01", "--place", "金庫")
        self.floors(when)

    def dates(self, name, medium):
        return {g.begun.astimezone(JST).date() for g in self.of(name) if g.sound() and medium in g.media}

    def floors(self, when):
        """Each data set keeps as many dates on each medium as the policy says, as soon as so many were ever there."""
        for name in SETS:
            for m in MEDIA:
                ever = {g.begun.astimezone(JST).date() for g in self.of(name) if g.sound() and (m in g.media or m in g.gone)}
                must(len(self.dates(name, m)) >= min(3, len(ever)), "%s: %s has %d dates on %s" % (when, name, len(self.dates(name, m)), m))
        # and nothing younger than it is protected ever went
        for g in self.generations.values():
            if g.gone:
                must(when - g.begun >= timedelta(days=3), "%s of %s went on %s already" % (g, g.begun, when))

    # ---- what status must say

    def newest_on(self, name, medium):
        there = [g for g in self.of(name) if g.good() and medium in g.media]
        return max(there, key=lambda g: g.number) if there else None

    def expected(self, name, now):
        counting = [g for g in self.of(name) if g.good()]
        if not counting:
            return None
        newest = max(counting, key=lambda g: g.number)
        dates = len({g.begun.astimezone(JST).date() for g in counting})
        age = lambda g: max(0, (now - g.begun).total_seconds())
        e = {"newest": newest.number, "dates": dates, "generations": "met" if dates >= 3 else "attention"}
        if age(newest) > 1.5 * DAY_S:
            e["generations"] = "attention"
        online = [m for m in ("nas", "ssd") if self.newest_on(name, m) is newest]
        rdx = self.newest_on(name, "RDX-01")
        fresh = rdx is not None and age(rdx) <= SWAP_S + DAY_S
        copies = len(online) + fresh
        e["three"] = "met" if copies >= 2 else "attention" if copies else "missing"
        kinds = {"ssd"} & set(online) | ({"magnetic"} if "nas" in online or fresh else set())
        e["two"] = "met" if len(kinds) >= 2 else "attention" if kinds else "missing"
        e["one"] = "missing" if not fresh else "attention" if age(rdx) > SWAP_S else "met"
        e["offline"] = rdx.number if rdx else None
        return e

    def said(self, d):
        """What status --json says of a data set, in the model's words."""
        return {"newest": d["newest"]["generation"], "dates": d["generations"]["have"], "generations": d["generations"]["verdict"],
            "three": d["three"]["verdict"], "two": d["two"]["verdict"], "one": d["one"]["verdict"],
            "offline": (d["offline_recovery_point"] or {}).get("generation")}

    def morning(self, now):
        o = self.bkp(now, "status", "--json")
        must(o.returncode in (0, 1, 2) and o.stdout, "status: " + o.stderr)
        s = json.loads(o.stdout)
        well = True
        for d in s["datasets"]:
            e = self.expected(d["dataset"], now)
            if not e:
                must(d["newest"] is None, "a generation out of nothing")
                well = False
                continue
            if self.said(d) != e:
                raise Wrong("status of %s on %s says %s, the model %s: %s" % (
                    d["dataset"], now, self.said(d), e, [d[k]["why"] for k in ("generations", "three", "two", "one")]))
            doubted = [g.number for g in self.of(d["dataset"]) if g.suspect and not g.held]
            must((d["suspect"] or {}).get("generation") == (max(doubted) if doubted else None), "suspect: %s, the model %s" % (d["suspect"], doubted))
            if self.off:
                must(d["missed"], "a night that did not take place is not said")
                well = False
            elif self.fault != "harmed":
                must(not d["missed"], "missed: %s" % d["missed"])
                must(d["tried_failed"] == (not self.tried[d["dataset"]][2]), "tried_failed of %s" % d["dataset"])
            well = well and {e[k] for k in ("generations", "three", "two", "one")} == {"met"} and not doubted
            well = well and (self.fault == "harmed" or self.tried[d["dataset"]][2])
        if self.off:
            must(any("the night run did not run" in n for n in s["next"]), "next: %s" % s["next"])
        if self.fault in ("disk full", "disk missing"):
            must(any(("'ssd' is full and lacks generation" if self.fault == "disk full" else "'ssd' lacks generation") in n for n in s["next"]), "next: %s" % s["next"])
        if self.fault == "suspect":
            by = s["frozen_by"]
            must(not by or s["next"][0].startswith("'%s@%d' is suspect" % (by["dataset"], by["generation"])), "next: %s" % s["next"])
        must((o.returncode == 0) == (s["overall"] == "met") == (not s["next"]), "exit %d, %s, next: %s" % (o.returncode, s["overall"], s["next"]))
        # what a harmed night came to is not known before the next
        must(self.fault == "harmed" or (o.returncode == 0) == well, "on %s status exits %d, the model says %s; next: %s" % (now, o.returncode, well, s["next"]))
        if self.fault or now.weekday() == 0:
            self.page(now, o.returncode, {d["dataset"]: self.expected(d["dataset"], now) for d in s["datasets"]}, s["next"])

    def page(self, now, code, expected, todo):
        """What is printed, in the language that nobody's locale speaks here, is the same."""
        lang = "ja" if now.day % 2 else "en"
        o = self.bkp(now, "--lang", lang, "status")
        must(o.returncode == code, "the page exits %d, the JSON %d" % (o.returncode, code))
        rows = [line.split() for line in o.stdout.splitlines()]
        for name, e in expected.items():
            mine = [r for r in rows if r and r[0] == name]
            must(len(mine) == 2, "rows of %s:\n%s" % (name, o.stdout))
            signs = [SIGNS[w] for w in mine[0] if w in SIGNS]
            must(not e or signs == [e[k] for k in ("generations", "three", "two", "one")], "%s on the page: %s, the model: %s" % (name, signs, e))
            numbers = [w for k, w in enumerate(mine[1]) if w.isdigit() and mine[1][k + 1].startswith("20")]
            want = [str(n) for n in (e["newest"], e["offline"]) if n] if e else []
            must(numbers == want, "%s on the page: %s, the model: %s" % (name, numbers, want))
        printed = sum(bool(re.match(r" +[0-9]+\. ", line)) for line in o.stdout.splitlines())
        must(printed == len(todo), "%d things to do on the page, %d in the JSON:\n%s" % (printed, len(todo), o.stdout))
        one_line = " ".join(o.stdout.split())
        must(lang == "ja" or all(" ".join(t.split()) in one_line for t in todo), "what to do is not on the page:\n" + o.stdout)
        self.pages += 1

    # ---- checkpoints

    def verify_all(self, only=None):
        for g in sorted(self.generations.values(), key=lambda g: -g.number):
            if only and g.number < self.begun_numbers - only:
                continue
            for m in sorted(g.media):
                o = self.restore("--medium", self.path("shelf" if m == "RDX-01" else WHERE[m]), "verify", str(g))
                must(o.returncode == 0, "%s on %s: %s" % (g, m, o.stderr))
                self.verified += 1

    def restore_some(self, n):
        there = [g for g in self.generations.values() if g.media]
        for g in self.rnd.sample(there, min(n, len(there))):
            m = self.rnd.choice(sorted(g.media))
            out = self.path("out")
            shutil.rmtree(out, ignore_errors=True)
            o = self.restore("--medium", self.path("shelf" if m == "RDX-01" else WHERE[m]), "--identity", self.path("id.txt"), "extract", str(g), "--same-owner", "--to", out)
            must(o.returncode == 0, "%s from %s: %s" % (g, m, o.stderr))
            if g.name == "docs":
                must(self.digest(out + self.path("src")) == g.content, "%s from %s is not the tree of that night" % (g, m))
            else:
                with open(os.path.join(out, "db.dump"), "rb") as i:
                    must(hashlib.sha256(i.read()).hexdigest() == g.content, "%s from %s is not the dump of that night" % (g, m))
            self.restored += 1

    def journal(self, when, *args):
        o = self.bkp(when, "journal", "verify", "--quiet", *args)
        must(o.returncode == 0, "journal verify %s exits %d: %s" % (" ".join(args), o.returncode, o.stderr))

    def told(self, when):
        """Each record of a year has words in what is exported: not one is only its event."""
        o = self.bkp(when, "journal", "export", "--format", "csv", "--quiet")
        must(o.returncode == 0, "journal export exits %d: %s" % (o.returncode, o.stderr))
        rows = list(csv.reader(io.StringIO(o.stdout.lstrip("\ufeff"))))[1:]
        events = [json.loads(line)["event"] for line in oracle.journal_of(self.path("state")).splitlines()]
        must([r[9] for r in rows] == events[:len(rows)] and len(events) - len(rows) < 3, "what is exported is not the journal")
        mute = sorted({r[9] for r in rows if not r[14].strip() or r[14] == r[9]})
        must(not mute, "nothing is said of " + ", ".join(mute))

    def checkpoint(self, when, last=False):
        for m in MEDIA:  # each time every signature, from the root key on
            self.journal(when, "--root-key", self.a.root_key, "--against", self.path("shelf" if m == "RDX-01" else WHERE[m]))
        said = {("%s@%d" % key, m["label"]) for key, g in self.reported(when).items() if g["state"] == "committed" for m in g["media"] if m["ok"]}
        model = {(str(g), m) for g in self.generations.values() for m in g.media}
        must(said == model, "reported and not in the model: %s; in the model and not reported: %s" % (sorted(said - model), sorted(model - said)))
        self.reported_copies = len(said)
        self.floors(when)
        self.sound_disks()
        self.verify_all(None if last else 10)
        self.restore_some(12 if last else 2)
        if last:
            self.told(when)

    def what(self, n):
        """The fault of a night, or None."""
        return self.rnd.choice(FAULTS) if n % 5 == 4 else None

    def odd(self, n):
        """None, or whether it is on this night that all files become other ones, and whether their owner does it."""
        return ODD.index(n % 365) == self.a.seed % 2 if n % 365 in ODD else None

    def go(self):
        first = datetime.now(JST).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=1)
        for _ in range(120):
            self.new_file(first)
        with open(self.path("db.dump"), "w") as o:
            o.write("create table visit (n bigint);\n" * 4)
        for n in range(self.a.nights):
            when = first + timedelta(days=n)
            self.change_tree(when)
            fault, odd = self.what(n), self.odd(n)
            if fault:
                self.counts[fault] += 1
            if odd is not None:
                self.suspicious(when, odd)
            else:
                self.night(when, fault)
            morning = when.replace(hour=9, minute=30)
            if n % 7 == 0 and fault != "harmed":
                self.rotate(when.replace(hour=8, minute=30))
            self.morning(morning)
            if n % 30 == HOLD:
                self.hold_one(morning.replace(minute=40))
            if n % 30 == RELEASE and self.held:
                self.release_one(morning.replace(minute=40))
            if n % 7 == 3 and fault not in ("harmed", "clock jump"):
                self.expire(morning.replace(hour=10))
            if n % 30 == 25:
                self.checkpoint(morning.replace(hour=11))
        end = first + timedelta(days=self.a.nights)
        self.night(end, None)
        self.morning(end.replace(hour=9, minute=30))
        self.checkpoint(end.replace(hour=11), last=True)


def main():
    p = argparse.ArgumentParser()
    for name in ("--bin", "--restore", "--root", "--fake", "--faults", "--root-key"):
        p.add_argument(name, required=True)
    p.add_argument("--nights", type=int, default=365)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--profile", action="store_true")
    begun, year = time.monotonic(), Year(p.parse_args())
    try:
        year.go()
    except Wrong as e:
        sys.exit("seed %d, night %d (%s %s): %s" % (year.a.seed, year.begun_numbers, getattr(year, "fault", None), year.spec, e))
    if year.a.profile:
        for name, (n, s) in sorted(year.spent.items(), key=lambda i: -i[1][1]):
            print("%-22s %5d times %7.1f s, %6.0f ms each" % (name, n, s, s / n * 1000), file=sys.stderr)
    print("%d nights (seed %d), %d of them with not one byte to say; faults: %s; %d commands harmed; suspect %d, held %d" % (
        year.a.nights + 1, year.a.seed, year.good_nights, ", ".join("%s %d" % i for i in year.counts.items()), year.harms, year.suspects, year.holds))
    print("%d generations, %d copies of %d of them reported at the end; %d copies verified, %d generations restored and equal; %d copies expired; "
        "%d pages of status as the model says; %d s" % (len(year.generations), year.reported_copies, sum(bool(g.media) for g in year.generations.values()),
        year.verified, year.restored, year.expired, year.pages, time.monotonic() - begun))


main()
