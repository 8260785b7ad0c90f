"""Are the contents what they are called?  (run.py --check)  Each kind is read by a reader of its own, and by `file`; where PostgreSQL is
there, the dump by pg_restore, gpg's packets by gpg.  Each attack is done to files of all lengths."""
import glob, gzip, io, os, random, re, sqlite3, struct, subprocess, tempfile, zipfile, zlib

import attacks
from content import Maker, Pool, sqlite_grow
from dump import Database
from pictures import AC, DC, GROUP


def need(ok, what):
    if not ok:
        raise SystemExit("check: " + what)


def jpeg_blocks(data):
    """Decodes the entropy-coded segment of a picture of ours: how many blocks, and where it ends."""
    dc, ac = {c: v for v, c in DC.items()}, {c: v for v, c in AC.items()}
    at = 2
    while data[at + 1] != 0xDA:
        need(data[at] == 0xFF, "a marker of a JPEG")
        if data[at + 1] == 0xC0:
            height, width, parts = struct.unpack(">HHB", data[at + 5 : at + 10])
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    end = data.index(b"\xff\xd9", at)
    body = data[at:end]
    need(body.count(b"\xff") == body.count(b"\xff\0"), "0xff without 00 behind it in a JPEG")
    bits = format(int.from_bytes(b"\1" + body.replace(b"\xff\0", b"\xff"), "big"), "b")[1:]
    at = blocks = 0

    def code(table):
        nonlocal at
        for n in range(1, 17):
            if bits[at : at + n] in table:
                at += n
                return table[bits[at - n : at]]
        need(False, "no code of the table in a JPEG")

    while at < len(bits):
        size = code(dc)
        at, k = at + size, 1
        while k < 64:
            v = code(ac)
            if v == 0:
                break
            at += v & 15
            k += (v >> 4) + 1
        need(k <= 64, "too many coefficients in a JPEG")
        blocks += 1
    need(at == len(bits) and blocks % GROUP == 0 and blocks == width // 8 * (height // 8) * parts, "a JPEG's size: %d blocks" % blocks)
    return end + 2


def jpg(d):
    need(jpeg_blocks(d) == len(d), "a JPEG's end")


def png(d):
    at, idat = 8, b""
    while at < len(d):
        n, kind = struct.unpack(">I4s", d[at : at + 8])
        need(zlib.crc32(d[at + 4 : at + 8 + n]) == struct.unpack(">I", d[at + 8 + n : at + 12 + n])[0], "a CRC of a PNG")
        if kind == b"IHDR":
            width, height = struct.unpack(">II", d[at + 8 : at + 16])
        idat += d[at + 8 : at + 8 + n] if kind == b"IDAT" else b""
        at += 12 + n
    need(len(zlib.decompress(idat)) == height * (3 * width + 1), "the rows of a PNG")


def dcm(d):
    at = 132
    while struct.unpack("<H", d[at : at + 2])[0] != 0x7FE0:
        kind = d[at + 4 : at + 6]
        long = kind in (b"OB", b"OW", b"SQ")
        n = struct.unpack("<I", d[at + 8 : at + 12])[0] if long else struct.unpack("<H", d[at + 6 : at + 8])[0]
        need(n % 2 == 0, "an odd length in DICOM")
        at += n + (12 if long else 8)
    n = struct.unpack("<I", d[at + 8 : at + 12])[0]
    if n == 0xFFFFFFFF:
        n = struct.unpack("<I", d[at + 24 : at + 28])[0]
        need(d[at + 20 : at + 24] == b"\xfe\xff\0\xe0", "the item of an encapsulated picture")
        picture = d[at + 28 : at + 28 + n]
        if picture.startswith(b"\xff\x4f"):
            need(not re.search(rb"\xff[\x94-\xff]", picture[80:-3]), "a marker within the bits of JPEG 2000")
        else:
            jpeg_blocks(picture)
    else:
        need(at + 12 + n == len(d), "the pixels of a DICOM file")


def office(d):
    with zipfile.ZipFile(io.BytesIO(d)) as z:
        need(z.testzip() is None and z.namelist()[0] == "[Content_Types].xml", "an OOXML file")


def zip_sealed(d):
    with zipfile.ZipFile(io.BytesIO(d)) as z:
        need(all(i.flag_bits & 1 for i in z.infolist()), "a ZIP's password")


def pdf(d):
    at = int(d.rsplit(b"startxref\n", 1)[1].split()[0])
    need(d[at : at + 4] == b"xref" and d.endswith(b"%%EOF\n"), "where a PDF's xref is")
    for i, line in enumerate(d[at : d.index(b"trailer", at)].split(b"\n")[3:-1], 1):
        need(d[int(line[:10]) :].startswith(b"%d 0 obj" % i), "an object of a PDF")
    for part in d.split(b"/Filter/FlateDecode>>\nstream\n")[1:]:
        zlib.decompressobj().decompress(part)


def ole(d):
    (fats,) = struct.unpack("<I", d[44:48])
    (directory,) = struct.unpack("<I", d[48:52])
    fat = struct.unpack("<%dI" % (128 * fats), d[512 : 512 + 512 * fats])
    entry = d[512 * (directory + 1) + 128 :][:128]
    start, size = struct.unpack("<IQ", entry[116:128])
    n, at = 0, start
    while at != 0xFFFFFFFE:
        n, at = n + 1, fat[at]
    need(512 * (n - 1) < size <= 512 * n and 512 * (start + 1 + n) == len(d), "the chain of a compound file")


def seven(d):
    offset, size, crc = struct.unpack("<QQI", d[12:32])
    need(
        zlib.crc32(d[12:32]) == struct.unpack("<I", d[8:12])[0] and zlib.crc32(d[32 + offset :]) == crc and 32 + offset + size == len(d),
        "a 7z header",
    )


def decodes(code):
    return lambda d: d.decode(code)


KINDS = {  # maker: reader, what `file` says of it
    "jpg": (jpg, "JPEG image data"),
    "png": (png, "PNG image data"),
    "dcm": (dcm, "DICOM"),
    "dcm_jpeg": (dcm, "DICOM"),
    "dcm_2000": (dcm, "DICOM"),
    "pdf": (pdf, "PDF document"),
    "pdf_scan": (pdf, "PDF document"),
    "docx": (office, "Microsoft Word 2007"),
    "xlsx": (office, "Microsoft Excel 2007"),
    "doc": (ole, "Composite Document|CDFV2"),
    "xls": (ole, "Composite Document|CDFV2"),
    "thumbs": (ole, "Composite Document|CDFV2"),
    "zip_sealed": (zip_sealed, "Zip archive"),
    "seven": (seven, "7-zip"),
    "dll": (len, "PE32"),
    "csv": (decodes("cp932"), ""),
    "hl7": (decodes("iso2022_jp"), ""),
    "xml": (decodes("utf-8"), "XML"),
    "json": (decodes("utf-8"), "JSON|UTF-8|data"),
    "log": (decodes("ascii"), "ASCII text"),
    "script": (decodes("ascii"), ""),
    "config": (decodes("ascii"), "ASCII text"),
    "wav": (len, "RIFF"),
    "camera": (len, ""),
    "gpg": (len, ""),
    "armour": (decodes("ascii"), "PGP message"),
    "eml": (decodes("utf-8"), ""),
    "pdf_sealed": (len, "PDF document"),
    "volume": (len, ""),
}


def says(program, *argv, given=None):
    return subprocess.run([program, *argv], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main():
    pool = Pool()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f")
        for kind, (reader, words) in KINDS.items():
            for seed in range(6):
                d = getattr(Maker(pool, random.Random(seed)), kind)(1500 * 4 ** (seed % 4))
                reader(d)
                with open(path, "wb") as f:
                    f.write(d)
                said = says("file", "-b", path).stdout.decode(errors="replace")
                need(re.search(words, said), "%s is taken for: %s" % (kind, said))
        packets = says("gpg", "--batch", "--list-packets", "--list-only", given=Maker(pool, random.Random(1)).gpg(3000)).stdout
        need(b"symkey enc packet" in packets and b"encrypted data packet" in packets, "gpg's packets: %r" % packets)
        need(gzip.decompress(Maker(pool, random.Random(1)).gz(b"a" * 5000)) == b"a" * 5000, "gzip")
        os.remove(path)
        need(sqlite_grow(path, pool, random.Random(1), 500), "an SQLite database")
        db = sqlite3.connect(path)
        need(db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "an SQLite database's integrity")
        db.close()
        database = Database(pool, 1)
        for restore in glob.glob("/usr/lib/postgresql/*/bin/pg_restore")[-1:]:
            with open(path, "wb") as f:
                f.write(database.custom(30))
            text = says(restore, "-f", "-", path).stdout.decode()
            for _, _, lines in database.tables(30):
                need("\n".join(lines) in text, "pg_restore gives other rows")
    for a in attacks.ATTACKS:
        if callable(a.how):
            for n in (0, 1, 15, 4095, 4096, 70000):
                d = random.Random(n).randbytes(n)
                out = a.how(d, random.Random(1))
                need(
                    n < 100 or out != d or n <= 4096 and "kept" in a.name or "64 KiB" in a.name or "shuffled" in a.name,
                    "%s harms nothing of %d bytes" % (a.name, n),
                )
    print("%d kinds of content are what they are called" % (len(KINDS) + 4))
    return 0
