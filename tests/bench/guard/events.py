"""What happens in a clinic now and then, and is no attack.  Each function does it to a Clinic (clinic.py), behind a day's work."""
import gzip, os, shutil, struct, zlib

EVENTS = []


def event(what, **more):
    def kept(f):
        f.what, f.quiet_days, f.days = what, more.get("quiet_days", 0), more.get("days", 1)
        EVENTS.append(f)
        return f

    return kept


@event("all JPEG re-encoded")
def reencode(c):
    for n in c.below("", ".jpg"):
        c.put(n, c.content.jpg(max(3000, int(os.path.getsize(c.path(n)) * 0.8)), quality=75))


@event("DICOM of the ultrasound transcoded to raw")
def transcode(c):
    for n in c.below("us", ".dcm"):
        c.put(n, c.made("dcm"))


@event("DICOM of one folder re-tagged, same length")
def retag(c):
    for n in c.some(c.below("pacs", ".dcm"), 1):
        for m in c.below(os.path.dirname(n), ".dcm"):
            c.put(m, c.get(m).replace(b"MADE-UP INC.", b"MADE UP LTD."), anew=True)


@event("DICOM of a month re-tagged, longer")
def retag_longer(c):
    folder = os.path.dirname(os.path.dirname(c.rnd.choice([n for n in c.below("pacs", ".dcm") if "/cr/" not in n])))
    tag = b"\x08\0\x70\0LO"
    for n in c.below(folder, ".dcm"):
        d = c.get(n)
        at = d.find(tag)
        old, name = struct.unpack("<H", d[at + 6 : at + 8])[0], b"MADE-UP INC. (merged with another maker) "
        name += b" " * (len(name) % 2)
        c.put(n, d[:at] + tag + struct.pack("<H", len(name)) + name + d[at + 8 + old :], anew=True)


@event("year's end: a quarter of images and scans moved to an archive")
def year_end(c):
    for top in ("pacs", "scans"):
        names = sorted(c.below(top), key=lambda n: os.stat(c.path(n)).st_mtime)
        for n in names[: len(names) // 4]:
            c.move(n, "archive/2025/" + n)


@event("a folder archived as zip, originals deleted")
def zip_folder(c):
    from content import zip_of

    months = sorted(os.listdir(c.path("scans")))
    month = max((m for m in months if m != "簿冊"), key=lambda m: len(os.listdir(c.path("scans/" + m))))
    names = c.below("scans/" + month)
    c.put("archive/scans-%s.zip" % month, zip_of([(os.path.basename(n), c.get(n)) for n in names], 0x5A215A21))
    shutil.rmtree(c.path("scans/" + month))


@event("retention: oldest 30 % of the scans, images and messages deleted")
def retention(c):
    for top in ("scans", "pacs", "hl7", "ssmix2"):
        names = sorted(c.below(top), key=lambda n: os.stat(c.path(n)).st_mtime)
        for n in names[: len(names) * 3 // 10]:
            c.remove(n)


@event("retention within each HL7 folder: oldest half deleted")
def retention_hl7(c):
    for folder in sorted(os.listdir(c.path("hl7"))):
        names = sorted(c.below("hl7/" + folder), key=lambda n: os.stat(c.path(n)).st_mtime)
        for n in names[: len(names) // 2]:
            c.remove(n)


@event("software update: half of the program files, .bak kept")
def update(c):
    names = c.below("program")
    for i, n in enumerate(c.some(names, len(names) // 2)):
        if i % 2 == 0:
            shutil.copy2(c.path(n), c.path(n + ".bak"))
        c.put(n, c.made(n.rsplit(".", 1)[-1]), anew=True)
    for i in range(20):
        c.put("program/m%02d/new%03d-%d.dll" % (i % 12, c.night, i), c.made("dll"))


@event("new modality: 120 files of a new kind")
def modality(c):
    for i in range(120):
        c.put("oct/%03d/V%05d.vol" % (i // 10, i), c.made("vol"))


@event("300 .hl7 compressed to .hl7.gz")
def compress_hl7(c):
    for n in sorted(c.below("hl7", ".hl7"), key=lambda n: os.stat(c.path(n)).st_mtime)[:300]:
        c.put(n + ".gz", c.content.gz(c.get(n)), os.stat(c.path(n)).st_mtime)
        c.remove(n)


@event("30 .csv encrypted with gpg on purpose")
def gpg_csv(c):
    for n in c.some(c.below("export", ".csv"), 30):
        c.put(n + ".gpg", c.content.gpg(os.path.getsize(c.path(n))))
        c.remove(n)


@event("HL7 converted to JSON")
def hl7_json(c):
    for n in c.below("hl7", ".hl7"):
        c.put(n[:-4] + ".json", c.made("json"))
        c.remove(n)


@event("laboratory XML re-encoded from UTF-8 to UTF-16")
def xml_encoding(c):
    for n in c.below("lab", ".xml"):
        c.put(n, c.get(n).decode().replace("UTF-8", "UTF-16").encode("utf-16"))


@event("SS-MIX2 re-encoded from ISO-2022-JP to UTF-8")
def ssmix_encoding(c):
    for n in c.below("ssmix2"):
        c.put(n, c.get(n).decode("iso2022_jp", "replace").replace("ISO IR87", "UNICODE UTF-8").encode())


@event("all mtimes touched")
def touch(c):
    for n in c.below():
        os.utime(c.path(n), (c.today(),) * 2)


@event("owner and mode of all changed")
def chmod_all(c):
    for n in c.below():
        os.chown(c.path(n), 33, 33)
        os.chmod(c.path(n), 0o640)


@event(".doc and .xls saved as .docx and .xlsx")
def convert_documents(c):
    for n in c.below("documents", ".doc", ".xls"):
        c.put(n + "x", c.made("docx" if n.endswith("doc") else "xlsx"))
        c.remove(n)


@event("a week of holidays", quiet_days=7)
def holidays(c):
    pass


@event("mass scan of 700 pages")
def mass_scan(c):
    for i in range(700):
        c.put("scans/paper%03d/p%04d.pdf" % (c.night, i), c.made("pdf_scan"))


@event("big import: 400 images from another clinic")
def big_import(c):
    for i in range(400):
        c.put("pacs/import%03d/%03d/IM%05d.dcm" % (c.night, i // 40, i), c.made("dcm"))


@event("encrypted mail attachments: 12 each day", days=4)
def mails(c):
    for i in range(12):
        c.add_mail(100 + i)


@event("20 archives as 7z for the tax office")
def sevens(c):
    for i in range(20):
        c.put("documents/経理/税務%02d.7z" % i, c.made("7z"))


@event("the tree restored: other inodes, same times")
def other_inodes(c):
    for n in c.below():
        p = c.path(n)
        shutil.copy2(p, p + "~r")
        os.rename(p + "~r", p)


@event("a top folder renamed")
def rename_folder(c):
    os.rename(c.path("scans"), c.path("scans_old_server"))


@event("the scans of all months renamed by a new scheme")
def rename_files(c):
    for i, n in enumerate(c.below("scans")):
        c.move(n, "%s/SCN-%06d%s" % (os.path.dirname(n), i, os.path.splitext(n)[1]))


@event("clean-up: dictation, notes and old exports deleted")
def clean_up(c):
    for n in c.below("dictation") + c.below("notes") + c.some(c.below("export"), 40):
        c.remove(n)


@event("database migrated: three new tables, 40 % larger")
def migrate(c):
    c.database.more_tables = True
    c.dump_all()


@event("database: old rows archived, a fifth smaller")
def vacuum(c):
    c.database.without = 0.31
    c.dump_all()


@event("database: pictures are kept in a table of their own, 40 more each day", days=4)
def attachments(c):
    c.database.attachments += 40
    c.dump_all()


@event("a new scanner sends DICOM in JPEG 2000: 25 images a day", days=4)
def new_scanner(c):
    for i in range(25):
        c.put("pacs/%s/n%06d/IM%05d.dcm" % (c.month_name(c.night), c.night, i), c.content.dcm_2000(c.content.size(15000, 90000)))


@event("find and replace in 60 documents")
def replace_text(c):
    names = [n for n in c.below("documents") if n.endswith((".docx", ".txt", ".csv", ".xlsx"))]
    for n in c.some(names, 60):
        if n.endswith("x"):
            c.put(n, getattr(c.content, n[-4:])(min(200000, int(os.path.getsize(c.path(n)) * 2))), anew=True)
        else:
            c.put(n, c.get(n).replace("一".encode("cp932"), "壱".encode("cp932")))


@event("antivirus: 3 files into quarantine")
def quarantine(c):
    for n in c.some(c.below("documents", ".xls", ".doc", ".docx"), 3):
        c.put("quarantine/%08x.vbn" % c.rnd.getrandbits(32), bytes(b ^ 0x5A for b in c.get(n)))
        c.remove(n)


@event("25 documents of one department get a password")
def passwords(c):
    for n in [n for n in c.below("documents") if n.endswith((".docx", ".xlsx"))][:25]:
        size = os.path.getsize(c.path(n))
        c.put(n, c.content.ole(size, "EncryptedPackage", c.rnd.randbytes(size)), anew=True)


@event("2 files half uploaded")
def half(c):
    for i, n in enumerate(c.some(c.below("scans", ".pdf"), 2)):
        d = c.get(n)
        c.put("scans/%s/upload%d.pdf" % (c.month_name(c.night), i), d[: len(d) * 2 // 3])


@event("all PDF of a month get a stamp appended")
def stamp(c):
    months = [m for m in os.listdir(c.path("scans")) if m != "簿冊"]
    month = max(months, key=lambda m: len(os.listdir(c.path("scans/" + m))))
    for n in c.below("scans/" + month, ".pdf"):
        d = c.get(n)
        body = c.content.stream(zlib.compress(b"q 1 0 0 RG 440 760 100 40 re S Q BT /F1 12 Tf 450 775 Td (STAMPED) Tj ET"))
        at = len(d)
        d += b"90 0 obj\n" + body + b"\nendobj\n"
        d += b"xref\n90 1\n%010d 00000 n \ntrailer\n<</Size 91/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
            at,
            int(d.rsplit(b"startxref\n", 1)[1].split()[0]),
            len(d),
        )
        c.put(n, d)


@event("a user's folder of 120 documents deleted on leaving")
def leaving(c):
    shutil.rmtree(c.path("documents/個人/user07"))


@event("Thumbs.db in every folder of pictures")
def thumbs(c):
    for folder in sorted({os.path.dirname(n) for n in c.below("photos") + c.below("scans") + c.below("us")}):
        c.put(folder + "/Thumbs.db", c.content.thumbs(12000))


@event("log format changed, JSON lines and zstd")
def log_format(c):
    for n in c.below("log"):
        if n.endswith(".gz"):
            c.put(n[:-3] + ".zst", b"\x28\xb5\x2f\xfd\x04\x58" + c.rnd.randbytes(max(200, os.path.getsize(c.path(n)))))
            c.remove(n)
    c.put("log/app.log", b"".join(b"{\"t\": %d, \"m\": \"%s\"}\n" % (i, c.rnd.choice(c.pool.english).encode()) for i in range(400)))


@event("old raw images compressed without loss in place")
def dicom_compress(c):
    names = sorted((n for n in c.below("pacs", ".dcm") if "/cr/" not in n), key=lambda n: os.stat(c.path(n)).st_mtime)
    for n in names[: len(names) // 3]:
        c.put(n, c.made("dcm_jpeg"), anew=True)


@event("month's end: 250 invoices printed, 60 documents edited")
def month_end(c):
    for i in range(250):
        c.put("billing/%s/請求%04d.pdf" % (c.month_name(c.night), i), c.made("pdf"))
    for n in c.recent(c.below("documents"), 60):
        c.edit(n)


QUICK = (
    "reencode",
    "retag_longer",
    "year_end",
    "retention",
    "update",
    "compress_hl7",
    "gpg_csv",
    "hl7_json",
    "touch",
    "convert_documents",
    "migrate",
    "holidays",
)
# a year in 60 nights: the night behind night 30, and what happens on it
SEQUENCE = {
    3: "month_end",
    8: "update",
    14: "clean_up",
    19: "mass_scan",
    25: "convert_documents",
    30: "holidays",
    38: "year_end",
    43: "month_end",
    47: "retention",
    52: "big_import",
    56: "thumbs",
}
