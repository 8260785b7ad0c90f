#!/usr/bin/env python3
"""A mixed clinical tree, the same for the same parameters.
  tree.py make DIR [--seed N] [--mib N] [--hl7 N]    an HL7 share of small files, images, scans, a database dump
  tree.py day DIR --percent P [--seed N]             one day of work: P % of the files changed, added, a few deleted and renamed
Made-up people.  Prints what it made as one line of JSON."""
import argparse, json, os, random

WORDS = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 血圧 体温 処方 検査 所見 経過 良好 再診".split()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return len(data)


def hl7(rnd, i):
    lines = ["MSH|^~\\&|LAB|HOSP|EMR|HOSP|20261121%06d||ORU^R01|%08d|P|2.5" % (i % 240000, i),
             "PID|1||%08d||%s^%s" % (i % 90000, rnd.choice(WORDS), rnd.choice(WORDS))]
    for k in range(rnd.randrange(4, 30)):
        lines.append("OBX|%d|NM|3A01%04d^%s||%.2f|g/dL|%.1f-%.1f|N|||F" %
                     (k, k * 37 % 9000, rnd.choice(WORDS), rnd.uniform(1, 200), rnd.uniform(1, 50), rnd.uniform(50, 200)))
    return "\r".join(lines).encode()


def image(rnd, mean):
    """Half of it smooth (compresses), half of it sensor noise."""
    n = max(4096, int(rnd.expovariate(1 / mean)))
    row = rnd.randbytes(512)
    smooth = b"".join(bytes([b & 0xF0]) * 8 for b in row)
    return b"\0" * 128 + b"DICM" + (smooth * (n // 2 // len(smooth) + 1))[:n // 2] + rnd.randbytes(n - n // 2)


def dump(rnd, n):
    out, size, i = [], 0, 0
    while size < n:
        line = "%08d\t%s%s\t19%02d-%02d-%02d\t%s\t%d\n" % (i, rnd.choice(WORDS), rnd.choice(WORDS), i % 90 + 10, i % 12 + 1, i % 28 + 1,
                                                  " ".join(rnd.choice(WORDS) for _ in range(6)), rnd.getrandbits(40))
        out.append(line)
        size += len(line.encode())
        i += 1
    return "".join(out).encode()


def make(a):
    rnd = random.Random(a.seed)
    total = files = 0
    for i in range(a.hl7):
        total += write("%s/ss-mix2/%03d/%05d/%06d.hl7" % (a.dir, i % 211, i % 9001, i), hl7(rnd, i))
        files += 1
    budget = a.mib * (1 << 20) - total
    spent = i = 0
    while spent < budget * 0.55:
        spent += write("%s/pacs/%04d/%02d/IM%06d.dcm" % (a.dir, i // 120, i // 20 % 6, i), image(rnd, 520_000))
        files += 1
        i += 1
    k = 0
    while spent < budget * 0.8:
        spent += write("%s/documents/%03d/スキャン%05d.pdf" % (a.dir, k % 97, k), b"%PDF-1.4\n" + rnd.randbytes(rnd.randrange(20_000, 400_000)))
        files += 1
        k += 1
    spent += write(a.dir + "/dump/emr.sql", dump(rnd, int(budget * 0.2)))
    return {"files": files + 1, "bytes": total + spent}


def day(a):
    rnd = random.Random(a.seed)
    names = sorted(os.path.join(d, f) for d, _, fs in os.walk(a.dir) for f in fs)
    n = max(1, int(len(names) * a.percent / 100))
    chosen = rnd.sample(names, n)
    for i, name in enumerate(chosen):
        if i % 10 == 0:
            os.remove(name)
        elif i % 10 == 1:
            os.rename(name, name + ".renamed")
        elif i % 10 < 5:
            size = os.path.getsize(name)
            with open(name, "r+b") as f:
                f.seek(rnd.randrange(size) if size else 0)
                f.write(rnd.randbytes(64))
        else:
            write("%s.new%d" % (name, i), hl7(rnd, i) if name.endswith(".hl7") else rnd.randbytes(min(os.path.getsize(name), 300_000)))
    return {"changed": n}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("what", choices=["make", "day"])
    p.add_argument("dir")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--mib", type=int, default=1600)
    p.add_argument("--hl7", type=int, default=58000)
    p.add_argument("--percent", type=float, default=1)
    a = p.parse_args()
    print(json.dumps({"make": make, "day": day}[a.what](a)))


main()
