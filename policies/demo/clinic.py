"""The demo's clinic: `clinic.py make DIR N` makes it with N HL7 files, `clinic.py day DIR N` is one day of work,
`clinic.py encrypt DIR N` what ransomware would do to it. Made-up people."""
import os
import random
import sys

FAMILY = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤".split()
GIVEN = "太郎 花子 一郎 美咲 健 陽子 翔 さくら 誠 葵".split()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def hl7(root, rnd, i):
    name = rnd.choice(FAMILY) + rnd.choice(GIVEN)
    lines = ["MSH|^~\\&|LAB|CLINIC|EMR|CLINIC|20261121||ORU^R01|%08d|P|2.5" % i, "PID|1||%06d||%s" % (i % 900, name)]
    lines += ["OBX|%d|NM|3A01%04d||%.1f|g/dL" % (k, k, rnd.uniform(1, 20)) for k in range(20)]
    write("%s/files/ss-mix2/%03d/%s_%06d.hl7" % (root, i % 97, name, i), "\r".join(lines).encode())


def dicom(root, rnd, i):
    pixels = bytes(rnd.getrandbits(8) for _ in range(4096)) * 300
    noise = rnd.randbytes(200000)
    write("%s/files/画像/%04d/IM%06d" % (root, i % 7, i), b"\0" * 128 + b"DICM" + pixels + noise)


def dump(root, rnd, rows):
    body = "".join("%06d\t%s%s\t%04d-%02d-%02d\n" % (i, rnd.choice(FAMILY), rnd.choice(GIVEN), 1930 + i % 90, 1 + i % 12, 1 + i % 28)
                   for i in range(rows))
    write(root + "/emr.dump", b"PGDMP" + body.encode())


def encrypt(root, rnd):
    for folder, _, names in os.walk(root + "/files"):
        for name in names:
            path = os.path.join(folder, name)
            write(path + ".locked", rnd.randbytes(os.path.getsize(path)))
            os.remove(path)


def main():
    what, root, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rnd = random.Random(n)
    if what == "make":
        for i in range(n):
            hl7(root, rnd, i)
        for i in range(24):
            dicom(root, rnd, i)
        write(root + "/files/文書/診断書（控）.txt", "診断書の控え".encode())
        dump(root, rnd, 20000)
        return
    if what == "encrypt":
        encrypt(root, rnd)
        return
    for i in range(60):
        hl7(root, rnd, n * 100000 + i)
    dicom(root, rnd, n * 1000)
    folder = root + "/files/ss-mix2/%03d" % n
    names = sorted(os.listdir(folder))
    os.remove(folder + "/" + names[0])
    os.rename(folder + "/" + names[1], folder + "/訂正_" + names[1])
    dump(root, rnd, 20000 + 10 * n)


main()
