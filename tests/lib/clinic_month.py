#!/usr/bin/env python3
"""A month of ordinary work in a clinic, the same for the same seed.
  clinic_month.py make DIR --seed N         the tree as it is in the beginning: 1,500 files
  clinic_month.py day DIR NIGHT --seed N    what is done on one day (NIGHT from 1; days 6 and 7 of a week are quiet)
Scans, images and messages come, documents are edited, logs rotated, temporary files come and go; a large import every week;
at the month's end invoices are printed for everybody; on the 28th of each third month old paper is scanned in mass; on night 45
the year ends: a quarter of all images moves into an archive folder and half of the messages are deleted; on the 12th a vendor's update replaces 10 % of the program files (keeping some as .bak); on the 20th a folder is archived (moved)
and documents are saved in a newer format; on the 25th old temporary exports are deleted.  Made-up content."""
import argparse, gzip, os, random, shutil

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("what", choices=["make", "day"])
p.add_argument("dir")
p.add_argument("night", nargs="?", type=int, default=0)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()
rnd = random.Random("%d %d" % (a.seed, a.night))
WORDS = "佐藤 鈴木 高橋 田中 血圧 体温 処方 検査 所見 経過 良好 再診 会計 受付 the of note plan".split()


def text(n):
    return " ".join(rnd.choice(WORDS) for _ in range(n)).encode()


CONTENT = {
    "pdf": lambda: b"%PDF-1.4\n" + rnd.randbytes(rnd.randrange(1500, 9000)),
    "jpg": lambda: b"\xff\xd8\xff\xe0" + rnd.randbytes(rnd.randrange(1500, 9000)),
    "dcm": lambda: bytes(128) + b"DICM" + bytes(1500) + rnd.randbytes(rnd.randrange(1000, 6000)),
    "hl7": lambda: b"MSH|^~\\&|LAB|" + text(rnd.randrange(60, 200)),
    "docx": lambda: b"PK\x03\x04" + rnd.randbytes(rnd.randrange(1500, 5000)),
    "doc": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + text(300),
    "txt": lambda: text(rnd.randrange(10, 300)),
    "tmp": lambda: text(rnd.randrange(10, 60)),
    "dll": lambda: b"MZ\x90\0" + bytes(300) + rnd.randbytes(rnd.randrange(500, 3000)),
    "7z": lambda: b"7z\xbc\xaf\x27\x1c" + rnd.randbytes(2500),
    "sql": lambda: b"-- dump\n" + text(6000),
    "db": lambda: b"SQLite format 3\0" + text(1500),
}


def put(name):
    path = os.path.join(a.dir, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(CONTENT[name.rsplit(".", 1)[1]]())


def below(folder):
    top = os.path.join(a.dir, folder)
    return sorted(os.path.relpath(os.path.join(d, f), a.dir) for d, _, fs in os.walk(top) for f in fs)


def some(names, k):
    return rnd.sample(names, min(len(names), k))


def make():
    os.makedirs(a.dir, exist_ok=True)
    open(os.path.join(a.dir, "MADE-FOR-TESTS"), "w").write("files here may be destroyed\n")
    open(os.path.join(a.dir, "canary.txt"), "w").write("nobody changes this file\n")
    for i in range(300):
        put("program/m%02d/lib%03d.dll" % (i % 12, i))
    for i in range(380):
        put("documents/d%02d/文書%03d.%s" % (i % 20, i, rnd.choice(["docx", "doc", "doc", "txt"])))
    for i in range(300):
        put("scans/2026-%02d/scan%04d.%s" % (8 + i % 3, i, rnd.choice(["pdf", "pdf", "jpg"])))
    for i in range(250):
        put("pacs/%03d/IM%05d.dcm" % (i // 20, i))
    for i in range(250):
        put("hl7/%02d/%06d.hl7" % (i % 30, i))
    put("db/clinic.db")
    put("dump/emr.sql")
    os.makedirs(a.dir + "/log", exist_ok=True)
    open(a.dir + "/log/app.log", "wb").write(text(200))


def rotate_logs():
    for i in range(6, 0, -1):
        if os.path.exists("%s/log/app.log.%d.gz" % (a.dir, i)):
            os.rename("%s/log/app.log.%d.gz" % (a.dir, i), "%s/log/app.log.%d.gz" % (a.dir, i + 1))
    gzip.open(a.dir + "/log/app.log.1.gz", "wb").write(open(a.dir + "/log/app.log", "rb").read())
    open(a.dir + "/log/app.log", "wb").close()


def update():
    chosen = some(below("program"), 30)
    for i, n in enumerate(chosen):
        if i % 2 == 0:
            shutil.copy2(os.path.join(a.dir, n), os.path.join(a.dir, n + ".bak"))
        put(n)
    for i in range(8):
        put("program/m%02d/new%03d.dll" % (i, a.night))


def archive():
    folders = sorted(os.listdir(a.dir + "/scans"))
    os.makedirs(a.dir + "/archive", exist_ok=True)
    if len(folders) > 1:
        os.rename("%s/scans/%s" % (a.dir, folders[0]), "%s/archive/%s-%d" % (a.dir, folders[0], a.night))
    for n in some([n for n in below("documents") if n.endswith(".doc")], 20):
        os.remove(os.path.join(a.dir, n))
        put(n + "x")


def month_end():
    for i in range(250):
        put("billing/%03d/請求%04d.pdf" % (a.night, i))
    for name in some(below("documents"), 60):
        put(name)


def mass_scan():
    for i in range(700):
        put("scans/paper%03d/p%04d.pdf" % (a.night, i))


def year_end():
    for name in some(below("pacs"), len(below("pacs")) // 4):
        to = os.path.join(a.dir, "archive/2026", name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        os.rename(os.path.join(a.dir, name), to)
    for name in some(below("hl7"), len(below("hl7")) // 2):
        os.remove(os.path.join(a.dir, name))


def day():
    n, month_day = a.night, (a.night - 1) % 30 + 1
    quiet = n % 7 in (6, 0)
    for t in below("tmp"):
        os.remove(os.path.join(a.dir, t))
    for i in range(rnd.randrange(2, 20)):
        put("tmp/~%d-%d.tmp" % (n, i))
    open(a.dir + "/log/app.log", "ab").write(text(100))
    put("db/clinic.db")
    put("dump/emr.sql")
    if n % 7 == 1:
        rotate_logs()
    if quiet:
        return
    for i in range(rnd.randrange(8, 30)):
        put("scans/2026-%02d/n%03d-%03d.%s" % (11 + n // 30, n, i, rnd.choice(["pdf", "pdf", "jpg"])))
    for i in range(rnd.randrange(5, 25)):
        put("pacs/n%03d/IM%05d.dcm" % (n, i))
    for i in range(rnd.randrange(10, 50)):
        put("hl7/%02d/%03d%03d.hl7" % (i % 30, n, i))
    for name in some(below("documents"), rnd.randrange(3, 25)):
        put(name)
    for name in some(below("documents"), rnd.randrange(0, 3)):
        os.remove(os.path.join(a.dir, name))
    if rnd.random() < 0.2:
        put("documents/d00/送付%03d.7z" % n)
    if n % 7 == 3:
        for i in range(rnd.randrange(80, 200)):
            put("pacs/import%03d/IM%05d.dcm" % (n, i))
    if month_day == 12:
        update()
    if month_day == 20:
        archive()
    if month_day == 30:
        month_end()
    if n % 90 == 28:
        mass_scan()
    if n % 365 == 45:
        year_end()
    if month_day == 25:
        for name in some(below("hl7"), 60):
            os.remove(os.path.join(a.dir, name))


{"make": make, "day": day}[a.what]()
