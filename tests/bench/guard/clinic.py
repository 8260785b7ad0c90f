"""A clinic's files, and what is done to them on ordinary days.

Clinic(top, seed) is the tree `top` with all that is remembered of it beside it (clinic.json, clinic.pool); make() makes it, day(n) does
a day's work (n from 1; days 6 and 7 of each week are quiet).  All is the same for the same seed.  Files have the times of the simulated
days: day n is n days after the making, its work was done 2 to 12 hours before the night behind it, which is at n + 1 days
(tests/lib/nights.sh counts so)."""
import json, math, os, random, shutil, time

from content import Maker, Pool, sqlite_grow
from dump import Database

DAY = 86400
DEPARTMENTS = ("総務 医事課 内科 外科 小児科 整形外科 看護部 薬剤部 検査科 放射線科 リハビリ 栄養科 地域連携 医療安全 感染対策 情報システム 経理 人事 院長室 共有").split()
# how many there are in the beginning; sizes in bytes, from and to
SIZES = {
    "2k": {
        "program": 240,
        "documents": 340,
        "scans": 320,
        "photos": 80,
        "pacs": 250,
        "us": 90,
        "hl7": 250,
        "ssmix2": 210,
        "lab": 40,
        "fhir": 40,
        "export": 50,
        "notes": 40,
        "dictation": 10,
        "mail": 10,
    },
    "60k": {
        "program": 800,
        "documents": 3000,
        "scans": 4000,
        "photos": 600,
        "pacs": 5000,
        "us": 1500,
        "hl7": 24000,
        "ssmix2": 20000,
        "lab": 600,
        "fhir": 600,
        "export": 300,
        "notes": 300,
        "dictation": 60,
        "mail": 60,
    },
}
LIMITS = {
    "jpg": (8000, 200000),
    "png": (3000, 9000),
    "dcm": (12000, 200000),
    "dcm_jpeg": (15000, 120000),
    "pdf": (3000, 60000),
    "pdf_scan": (15000, 200000),
    "docx": (4000, 60000),
    "xlsx": (4000, 60000),
    "doc": (12000, 90000),
    "xls": (12000, 120000),
    "txt": (300, 8000),
    "csv": (600, 30000),
    "hl7": (1000, 5000),
    "xml": (1000, 12000),
    "json": (1500, 15000),
    "dll": (8000, 200000),
    "exe": (20000, 300000),
    "js": (800, 20000),
    "config": (400, 5000),
    "wav": (60000, 250000),
    "7z": (5000, 150000),
    "zip": (5000, 100000),
    "log": (3000, 20000),
    "tmp": (100, 20000),
    "vol": (20000, 150000),
    "eml": (1500, 60000),
}
KIND = {"txt": "text", "exe": "dll", "js": "script", "7z": "seven", "zip": "zip_sealed", "vol": "volume", "ini": "config"}


class Clinic:
    def __init__(self, top, seed=1, size="2k", pool=None, dumps=None, database=None):
        """dumps: a folder that each day's dumps of the database are written to, for data sets that are a command's output."""
        self.top, self.seed, self.dumps = top, seed, dumps
        self.beside = os.path.dirname(top.rstrip("/"))
        memory = os.path.join(self.beside, "clinic.json")
        kept = json.load(open(memory)) if os.path.exists(memory) else {}
        self.start, self.size = kept.get("start", int(time.time())), kept.get("size", size)
        self.pool = pool or Pool.load(os.path.join(self.beside, "clinic.pool"))
        self.database = database or Database(self.pool, seed)
        self.scale = 1 if self.size == "2k" else 4
        style = random.Random("style %d" % seed)  # no two clinics have as much of each
        self.much = {f: 1 if seed == 1 else math.exp(style.uniform(-0.7, 0.7)) for f in sorted(SIZES[self.size])}
        self.small = 1 if self.size == "2k" else 0.25  # of the sizes of pictures and documents, so that 60,000 fit into memory
        self.night = 0
        self.spoiled = set()  # paths of files that cannot be opened any more: nobody edits them
        self.begin(0)

    def begin(self, n, salt=""):
        self.night = n
        self.rnd = random.Random("%d %d %s" % (self.seed, n, salt))
        self.content = Maker(self.pool, self.rnd)

    # ---- files

    def path(self, name):
        return os.path.join(self.top, name)

    def today(self):
        return self.start + (self.night + 1) * DAY - self.rnd.uniform(2, 12) * 3600

    def made(self, kind):
        """Content of a kind: the name of a maker, or an extension."""
        low, high = LIMITS.get(kind, LIMITS.get({"text": "txt", "script": "js"}.get(kind, ""), (1000, 10000)))
        if high > 20000:
            low, high = max(1500, int(low * self.small)), int(high * self.small)
        size = self.content.size(low, high)
        if kind == "txt":
            return self.content.text(size, self.rnd.choice(["cp932", "cp932", "utf-8"]))
        if kind == "jpg":
            return self.content.jpg(size)
        return getattr(self.content, KIND.get(kind, kind))(size)

    def put(self, name, data, when=None, anew=False):
        """anew: as programs do that write a new file and rename it to the old name."""
        path = self.path(name)
        to = path + "~new" if anew and os.path.exists(path) else path
        try:
            f = open(to, "wb")
        except FileNotFoundError:
            os.makedirs(os.path.dirname(to), exist_ok=True)
            f = open(to, "wb")
        with f:
            f.write(data)
        if to != path:
            os.rename(to, path)
        when = when or self.today()
        os.utime(path, (when, when))

    def get(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def below(self, folder="", *ends):
        top, out = self.path(folder) if folder else self.top, []
        for d, _, files in os.walk(top):
            rel = os.path.relpath(d, self.top)
            out += [f if rel == "." else rel + "/" + f for f in files if not ends or f.endswith(ends)]
        return sorted(out)

    def some(self, names, k):
        return self.rnd.sample(names, min(len(names), int(k)))

    def recent(self, names, k):
        """As people take documents up again: mostly those of the last weeks."""
        names = sorted(names, key=lambda n: (-os.stat(self.path(n)).st_mtime, n))
        at = [min(len(names) - 1, int(self.rnd.expovariate(1) * len(names) / 12)) for _ in range(k)] if names else []
        return [names[i] for i in dict.fromkeys(at)]

    def move(self, name, to):
        os.makedirs(os.path.dirname(self.path(to)), exist_ok=True)
        os.rename(self.path(name), self.path(to))

    def remove(self, name):
        os.remove(self.path(name))

    # ---- names of what comes in

    def day_name(self, n):
        t = time.gmtime(1790000000 + n * DAY)
        return time.strftime("%Y%m%d", t)

    def month_name(self, n):
        return self.day_name(n)[:6]

    def add_document(self, i, when):
        if self.rnd.random() < 0.06:
            return self.add_oddity(i, when)
        kind = self.rnd.choice(["docx"] * 5 + ["xlsx"] * 4 + ["doc"] * 3 + ["xls"] * 3 + ["txt"] * 2 + ["csv"] * 2 + ["pdf"] * 2 + ["jpg"])
        what = self.rnd.choice(["議事録", "勤務表", "報告書", "申請書", "予算", "手順書", "一覧", "資料"])
        self.put("documents/%s/%s%05d.%s" % (DEPARTMENTS[i % 20], what, i, kind), self.made(kind), when)

    def add_oddity(self, i, when):
        """What every share has a little of: with passwords, under wrong names, cut off, empty, of programs nobody knows."""
        rnd, c = self.rnd, self.content
        size = c.size(2000, int(80000 * self.small))
        end, data = rnd.choice(
            [
                ("docx", lambda: c.ole(size, "EncryptedPackage", rnd.randbytes(size))),
                ("xlsx", lambda: c.ole(size, "EncryptedPackage", rnd.randbytes(size))),
                ("pdf", lambda: c.pdf_sealed(size)),
                ("zip", lambda: c.zip_sealed(size)),
                ("JPG", lambda: c.jpg(size)),
                ("png", lambda: c.jpg(size)),
                ("txt", lambda: b""),
                ("dat", lambda: rnd.randbytes(size)),
                ("dat", lambda: bytes(size)),
                ("dat", lambda: c.tables(size // 8)),
                ("mp4", lambda: c.video(size)),
                ("pdf", lambda: c.pdf(size)[: size // 2]),
                ("xls", lambda: c.csv(size)),
                ("doc", lambda: b"{\\rtf1\\ansi " + c.log(size) + b"}"),
                ("", lambda: c.script(size)),
                ("lnk", lambda: b"L\0\0\0\x01\x14\x02\0" + bytes(60) + c.tables(30)),
                ("html", lambda: c.xml(size)),
                ("bak", lambda: c.xlsx(size)),
                ("asc", lambda: c.armour(size)),
            ]
        )
        self.put("documents/%s/その他%05d%s" % (DEPARTMENTS[i % 20], i, "." + end if end else ""), data(), when)

    def add_scan(self, i, n, when=None):
        kind = self.rnd.choice(["pdf", "pdf", "jpg"])
        data = (
            self.made("pdf_scan")
            if kind == "pdf"
            else self.content.jpg(self.content.size(8000, int(150000 * self.small)), colour=False, paper=True)
        )
        self.put("scans/%s/%s_%05d.%s" % (self.month_name(n), self.day_name(n), i, kind), data, when)

    def add_study(self, n, images, when=None):
        study = self.rnd.randrange(10**6)
        for i in range(images):
            self.put("pacs/%s/%06d/IM%05d.dcm" % (self.month_name(n), study, i), self.made("dcm"), when)

    def add_message(self, i, n, when=None):
        self.put("hl7/%02d/%s%06d.hl7" % (i % 30, self.day_name(n), i), self.made("hl7"), when)

    def add_ssmix(self, i, n, when=None):
        p = self.pool.patients[self.rnd.randrange(120 * self.scale)][0]
        kind = self.rnd.choice(["ADT-12", "OMP-01", "OML-11", "PPR-01"])
        self.put("ssmix2/%s/%s/%s_%s_%s_%015d_1" % (p[-3:], p, p, self.day_name(n), kind, i), self.made("hl7"), when)

    def add_mail(self, i, when=None):
        kind = self.rnd.choice(["zip", "7z"])
        self.put("mail/添付/%s_%04d.%s" % (self.day_name(self.night), i, kind), self.made(kind), when)

    def add_letter(self, i, when=None):
        self.put("mail/%s_%05d.eml" % (self.day_name(self.night), i), self.made("eml"), when)

    # ---- the beginning

    def make(self):
        os.makedirs(self.top, exist_ok=True)
        with open(os.path.join(self.beside, "clinic.json"), "w") as f:
            json.dump({"start": self.start, "size": self.size}, f)
        self.put("MADE-FOR-TESTS", b"files here may be destroyed\n")
        self.put("canary.txt", b"nobody changes this file\n")
        many, rnd = {f: max(8, int(n * self.much[f])) for f, n in SIZES[self.size].items()}, self.rnd
        past = lambda days: self.start - rnd.uniform(0.2, days) * DAY
        for i in range(many["program"]):
            kind = rnd.choice(["dll"] * 6 + ["exe", "xml", "config", "config", "js", "js"])
            self.put("program/m%02d/lib%04d.%s" % (i % 12, i, kind), self.made(kind), self.start - 400 * DAY)
        for i in range(many["documents"]):
            self.add_document(i, self.start - min(4000, 1 + rnd.expovariate(1 / 500)) * DAY)
        for i in range(many["scans"]):
            n = -int(rnd.uniform(0, 700))
            self.add_scan(i, n, self.start + (n - 0.3) * DAY)
        for i in range(many["photos"]):
            kind = rnd.choice(["jpg", "jpg", "png"])
            self.put("photos/%s/IMG_%05d.%s" % (self.pool.patients[i // 3][0], i, kind), self.made(kind), past(900))
        left = many["pacs"]
        while left > 0:
            n, images = -int(rnd.uniform(0, 900)), min(left, rnd.randrange(4, 26))
            self.add_study(n, images, self.start + (n - 0.3) * DAY)
            left -= images
        for i in range(many["us"]):
            self.put("us/%03d/US%05d.dcm" % (i // 15, i), self.made("dcm_jpeg"), past(600))
        for i in range(many["hl7"]):
            n = -int(rnd.uniform(0, 90))
            self.add_message(i, n, self.start + (n - 0.3) * DAY)
        for i in range(many["ssmix2"]):
            n = -int(rnd.uniform(0, 900))
            self.add_ssmix(i, n, self.start + (n - 0.3) * DAY)
        for i in range(many["lab"]):
            self.put("lab/%02d/R%06d.xml" % (i % 12, i), self.made("xml"), past(300))
        for i in range(many["fhir"]):
            self.put("fhir/%02d/B%06d.json" % (i % 12, i), self.made("json"), past(300))
        for i in range(many["export"]):
            self.put("export/%s_%03d.csv" % (self.day_name(-i), i), self.made("csv"), past(400))
        for i in range(many["notes"]):
            self.put("notes/%04d.txt" % i, self.made("txt"), past(800))
        for i in range(many["dictation"]):
            self.put("dictation/DS%05d.wav" % i, self.made("wav"), past(200))
        for i in range(many["mail"]):
            self.add_mail(i, past(300))
        for i in range(4 * many["mail"]):
            self.add_letter(i, past(300))
        self.big_files()
        for i in range(120):  # of a user who will leave
            kind = ("docx", "xlsx", "txt", "pdf")[i % 4]
            self.put("documents/個人/user07/file%03d.%s" % (i, kind), self.made(kind), self.start - (10 + 3 * i) * DAY)
        self.put("log/app.log", self.made("log"))
        self.write_opaque(0)
        for i in range(24):
            self.put("camera/%03d.dav" % i, self.content.camera(60000), self.start - (24 - i) / 3 * DAY)
        self.dump_all()

    def big_files(self):
        c = self.content
        for i in range(3):
            self.put("scans/簿冊/register%d.pdf" % i, self.big_scan(5), self.start - 300 * DAY)
            self.put("pacs/cr/CR%05d.dcm" % i, c.dcm(2 * 1024 * 1400), self.start - 200 * DAY)
        self.put("program/m00/setup.exe", c.dll(3500000), self.start - 400 * DAY)
        self.put("export/all_results.csv", c.csv(1500000), self.start - 90 * DAY)
        self.put("dictation/meeting.wav", c.wav(4000000), self.start - 60 * DAY)
        self.put("documents/共有/全患者一覧.xlsx", c.xlsx(4000000), self.start - 20 * DAY)

    def big_scan(self, pages):
        c = self.content
        numbers = [4 + 3 * i for i in range(pages)]
        objects = c.pdf_start(numbers)
        for n in numbers:
            picture = c.jpg(350000, colour=False, exif=False, paper=True)
            objects += [
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I %d 0 R>>>>/Contents %d 0 R>>" % (n + 1, n + 2),
                c.stream(
                    picture, b"/Type/XObject/Subtype/Image/Width 768/Height 4096/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
                ),
                c.stream(b"q 595 0 0 842 0 0 cm /I Do Q", b""),
            ]
        return c.pdf_of(objects)

    def dump_all(self):
        sql, custom = self.database.dumps(self.night) if self.dumps else (self.database.sql(self.night), b"")
        self.put("dump/emr.sql", sql)
        os.makedirs(self.path("db"), exist_ok=True)
        if not self.night or os.path.exists(self.path("db/clinic.db")):
            sqlite_grow(self.path("db/clinic.db"), self.pool, self.rnd, 40 if self.night else 3000)
        if not self.dumps:
            return
        os.makedirs(self.dumps, exist_ok=True)
        for name, data in (("emr.sql", sql), ("emr.dump", custom)):
            with open(os.path.join(self.dumps, name), "wb") as f:
                f.write(data)

    # ---- an ordinary day

    def day(self, n, quiet=False):
        """quiet: nobody works, as on days 6 and 7."""
        self.begin(n)
        rnd, k = self.rnd, self.scale
        for t in self.below("tmp"):
            self.remove(t)
        for i in range(rnd.randrange(2, 20)):
            self.put("tmp/~%d-%d.tmp" % (n, i), self.made(rnd.choice(["log", "docx", "txt", "jpg"])))
        self.write_logs(n)
        self.write_opaque(n)
        self.run_camera(n)
        self.dump_all()
        if quiet or n % 7 in (6, 0):
            for i in range(rnd.randrange(0, 4)):
                self.add_message(1000 * n + i, n)
            return
        more = lambda folder, low, high: range(int(rnd.randrange(low, high) * k * self.much[folder]))
        for i in more("scans", 5, 15):
            self.add_scan(i, n)
        for _ in range(max(1, round(k * self.much["pacs"]))):
            self.add_study(n, rnd.randrange(4, 14))
        for i in more("us", 1, 6):
            self.put("us/n%03d/US%05d.dcm" % (n, i), self.made("dcm_jpeg"))
        for i in more("hl7", 6, 25):
            self.add_message(1000 * n + i, n)
        for i in more("ssmix2", 5, 20):
            self.add_ssmix(1000 * n + i, n)
        for i in more("photos", 0, 4):
            self.put("photos/%s/IMG_%d%03d.jpg" % (rnd.choice(self.pool.patients[:400])[0], n, i), self.made("jpg"))
        for i in range(rnd.randrange(1, 4)):
            self.put("lab/%02d/R%d%03d.xml" % (i, n, i), self.made("xml"))
            self.put("fhir/%02d/B%d%03d.json" % (i, n, i), self.made("json"))
        self.put("export/%s.csv" % self.day_name(n), self.made("csv"))
        for i in range(rnd.randrange(1, 5) * k):
            self.add_letter(1000 * n + i)
        self.edit_documents(n)
        if rnd.random() < 0.3:
            self.add_mail(n)

    def write_opaque(self, n):
        """What nobody can look into, and changes all the same: a store of passwords, an encrypted container, what the vendor exports."""
        if n % 7 in (0, 2):
            self.put("documents/情報システム/passwords.kdbx", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + self.rnd.randbytes(9000))
        if n % 14 in (0, 4):
            self.put("documents/院長室/private.hc", self.rnd.randbytes(600000))
        self.put("export/vendor/%s.zip" % self.day_name(n), self.made("zip"))
        for old in self.below("export/vendor")[:-7]:
            self.remove(old)

    def run_camera(self, n):
        for i in range(3):
            self.put("camera/%03d.dav" % (24 + 3 * n + i), self.content.camera(60000))
        for old in sorted(self.below("camera"))[:-24]:
            self.remove(old)

    def write_logs(self, n):
        with open(self.path("log/app.log"), "ab") as f:
            f.write(self.made("log"))
        os.utime(self.path("log/app.log"), (self.today(),) * 2)
        if n % 7 == 1:
            for i in range(8, 0, -1):
                if os.path.exists(self.path("log/app.log.%d.gz" % i)):
                    os.rename(self.path("log/app.log.%d.gz" % i), self.path("log/app.log.%d.gz" % (i + 1)))
            self.put("log/app.log.1.gz", self.content.gz(self.get("log/app.log")))
            self.put("log/app.log", b"")

    def edit_documents(self, n):
        rnd = self.rnd
        for lock in self.below("documents"):
            if "/~$" in lock:
                self.remove(lock)
        documents = self.below("documents")
        for name in self.recent(documents, rnd.randrange(3, 25) * self.scale):
            self.edit(name)
            if name.endswith("x") and rnd.random() < 0.15:  # left open over night
                folder, base = os.path.split(name)
                self.put("%s/~$%s" % (folder, base[2:]), b"\x05user%02d" % rnd.randrange(60) + bytes(153))
        for i in range(rnd.randrange(1, 6) * self.scale):
            self.add_document(n * 1000 + i, None)
        for name in self.some(self.below("documents"), rnd.randrange(0, 3)):
            self.remove(name)
        if rnd.random() < 0.5:
            name = rnd.choice(self.below("documents"))
            stem, end = os.path.splitext(name)
            self.move(name, "%s(改%d)%s" % (stem, n, end))
        for name in self.recent(self.below("notes"), 2):
            self.edit(name)

    def edit(self, name):
        """A document is opened, changed and saved: its size is about what it was."""
        if self.path(name) in self.spoiled:
            return
        end, old = name.rsplit(".", 1)[-1], os.path.getsize(self.path(name))
        if end == "txt":
            self.put(name, self.get(name) + self.content.text(300, "cp932"))
        elif end == "csv":
            self.put(name, self.get(name) + self.content.csv(400))
        elif end in ("docx", "xlsx"):
            self.put(name, getattr(self.content, end)(min(200000, int(old * self.rnd.uniform(1.4, 2.6)))), anew=True)
        elif end in ("doc", "xls"):
            data = bytearray(self.get(name))
            at = self.rnd.randrange(max(1, len(data) // 2))
            new = self.content.sentences(500).encode("utf-16-le")
            at = min(len(data) - 1, max(1600, at & ~1))
            data[at : at + len(new)] = new[: len(data) - at]
            self.put(name, bytes(data))
        elif end == "jpg":
            self.put(name, self.content.jpg(max(3000, old)))
        elif end not in KIND and not hasattr(Maker, end):
            return  # nobody edits such
        else:
            self.put(name, self.made(end), anew=True)
