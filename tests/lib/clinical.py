"""Made-up clinical trees, the same for the same seed.  No person in them exists.

  clinical.py dicom  DIR N [SEED]             N valid DICOM instances (explicit VR little endian), 3 to a series
  clinical.py pacs   DIR YYYYMMDD N [SEED]    one day of an archive: N studies in DIR/YYYY/MM/DD/STUDY/
  clinical.py ssmix2 DIR N YYYYMMDD [SEED]    one day of N patients: 患者ID先頭3/4-6/患者ID/診療日/種別/message (HL7 v2.5, ISO-2022-JP)
  clinical.py scans  DIR N [SEED]             N scanned documents by year (a PDF's first bytes, then noise)
"""
import os
import random
import struct
import sys

FAMILY = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤".split()
GIVEN = "太郎 花子 一郎 美咲 健 陽子 翔 さくら 誠 葵".split()
ROOT = "2.25.306671877476254503218094760295422682766"  # a random UUID, as ITU-T X.667 lets anybody number things


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def element(group, number, vr, value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, int):
        value = struct.pack("<H" if vr == "US" else "<I", value)
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH", group, number) + vr.encode()
    if vr in ("OB", "OW"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def instance(rnd, day, patient, name, study, series, number, side=32):
    """A whole DICOM file: preamble, DICM, meta group, one small image."""
    sop_class, uid = "1.2.840.10008.5.1.4.1.1.7", "%s.%d" % (series, number)
    meta = (element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", sop_class) + element(2, 3, "UI", uid)
            + element(2, 0x10, "UI", "1.2.840.10008.1.2.1") + element(2, 0x12, "UI", ROOT))
    body = b"".join([
        element(8, 5, "CS", "ISO_IR 192"), element(8, 0x16, "UI", sop_class), element(8, 0x18, "UI", uid),
        element(8, 0x20, "DA", day), element(8, 0x30, "TM", "%02d3000" % rnd.randrange(8, 18)), element(8, 0x50, "SH", study[-8:]),
        element(8, 0x60, "CS", "OT"), element(8, 0x64, "CS", "WSD"), element(0x10, 0x10, "PN", name),
        element(0x10, 0x20, "LO", patient), element(0x10, 0x30, "DA", "19600101"), element(0x10, 0x40, "CS", "O"),
        element(0x20, 0xD, "UI", study), element(0x20, 0xE, "UI", series), element(0x20, 0x10, "SH", "1"),
        element(0x20, 0x11, "IS", "1"), element(0x20, 0x13, "IS", str(number)),
        element(0x28, 2, "US", 1), element(0x28, 4, "CS", "MONOCHROME2"), element(0x28, 0x10, "US", side),
        element(0x28, 0x11, "US", side), element(0x28, 0x100, "US", 8), element(0x28, 0x101, "US", 8),
        element(0x28, 0x102, "US", 7), element(0x28, 0x103, "US", 0),
        element(0x7FE0, 0x10, "OW", rnd.randbytes(side * side))])
    return b"\0" * 128 + b"DICM" + element(2, 0, "UL", len(meta)) + meta + body


def person(rnd):
    return "%s^%s" % (rnd.choice(FAMILY), rnd.choice(GIVEN))


def dicom(root, n, seed=1):
    rnd = random.Random(seed)
    for i in range(n):
        series = i // 3
        study = "%s.%d.%d" % (ROOT, seed, series // 2 + 1)
        who = random.Random("%d-%d" % (seed, series // 4))  # two studies to a patient
        data = instance(rnd, "202611%02d" % (series % 28 + 1), "P%06d" % (series // 4), person(who), study,
                        "%s.%d" % (study, series + 1), i % 3 + 1)
        write("%s/%06d.dcm" % (root, i), data)


def pacs(root, day, n, seed=1):
    rnd = random.Random("%d-%s" % (seed, day))
    for i in range(n):
        study = "%s.%s.%d" % (ROOT, day, i + 1)
        patient, name = "P%06d" % rnd.randrange(900), person(rnd)
        for k in range(rnd.randrange(2, 9)):
            path = "%s/%s/%s/%s/%s/CT%06d.dcm" % (root, day[:4], day[4:6], day[6:], study, k + 1)
            write(path, instance(rnd, day, patient, name, study, study + ".1", k + 1))


KINDS = [("OMP-01", "RDE^O11^RDE_O11"), ("OML-11", "ORU^R01^ORU_R01"), ("PPR-01", "PPR^PC1^PPR_PC1"), ("ADT-12", "ADT^A04^ADT_A01")]


def message(rnd, kind, event, patient, name, day, order):
    lines = ["MSH|^~\\&|HIS|SAKURA|GW|SAKURA|%s||%s|%s|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20" % (day, event, order),
             "PID|0001||%s^^^^PI||%s^^^^^L^I" % (patient, name)]
    lines += ["OBX|%d|NM|3A01%04d||%.1f|g/dL" % (k, k, rnd.uniform(1, 20)) for k in range(rnd.randrange(4, 16))]
    return ("\r".join(lines) + "\r").encode("iso2022_jp")


def ssmix2(root, n, day, seed=1):
    rnd = random.Random("%d-%s" % (seed, day))
    for i in range(n):
        patient = "%010d" % (1234567 * (i + 1))
        name = person(random.Random(patient))
        base = "%s/%s/%s/%s" % (root, patient[:3], patient[3:6], patient)
        kinds = [(day, k, e) for k, e in KINDS if rnd.random() < 0.7] + [("-", "ADT-00", "ADT^A08^ADT_A01")]
        for date, kind, event in kinds:
            order = "%015d" % rnd.randrange(10 ** 12) if date != "-" else "999999999999999"
            # the last field is 1 for a message that holds, 0 for one that was taken back
            leaf = "%s_%s_%s_%s_%s093000000_01_%d" % (patient, date, kind, order, day, 0 if rnd.random() < 0.05 else 1)
            write("%s/%s/%s/%s" % (base, date, kind, leaf), message(rnd, kind, event, patient, name, day, order))


def scans(root, n, seed=1):
    rnd = random.Random(seed)
    for i in range(n):
        path = "%s/%d/%s/同意書 %05d.pdf" % (root, 2020 + i % 7, rnd.choice(FAMILY), i)
        write(path, b"%PDF-1.4\n" + rnd.randbytes(rnd.randrange(500, 8000)) + b"\n%%EOF\n")


def main():
    what, root, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if what in ("dicom", "scans"):
        {"dicom": dicom, "scans": scans}[what](root, *map(int, rest))
    elif what == "pacs":
        pacs(root, rest[0], *map(int, rest[1:]))
    elif what == "ssmix2":
        ssmix2(root, int(rest[0]), rest[1], *map(int, rest[2:]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
