#!/usr/bin/env python3
# Seeds of fuzz_dumpcheck: a small whole one of each kind; the first byte says which.  Usage: dumpcheck.py FOLDER
import gzip, io, os, sys, tarfile, zipfile

out = sys.argv[1]


def put(name, kind, data):
    for step in (1, 5):
        open(os.path.join(out, "%s-%d" % (name, step)), "wb").write(bytes([kind + 6 * step]) + data)


def i(v):
    return bytes([v < 0]) + abs(v).to_bytes(4, "little")


def s(t):
    return i(-1) if t is None else i(len(t)) + t


def pgdump(minor):
    b = b"PGDMP" + bytes([1, minor, 0, 4, 8, 1]) + (b"\0" if minor >= 15 else i(-1)) + i(1) * 7 + s(b"emr") + s(b"15") * 2 + i(2)
    for n in (7, 8):
        b += i(n) + i(1) + s(b"1") * 4 + (i(3) if minor >= 11 else b"") + s(b"x") * 5 + (s(b"heap") if minor >= 14 else b"")
        b += (i(114) if minor >= 16 else b"") + s(b"me") + s(b"false") + s(b"7") + s(None) + b"\1" + bytes(8)
    return b + b"\1" + i(7) + s(b"row" * 20) + i(0) + b"\3" + i(8) + i(16001) + s(b"object") + i(0) + i(0)


for minor in (11, 14, 16, 99):
    put("pgdump-%d" % minor, 0, pgdump(minor))
put("pgdump", 1, b"--\n-- PostgreSQL database dump\n--\n\n\\restrict k\nSELECT 1;\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict k\n\n")
put("pgdumpall", 1, b"--\n-- PostgreSQL database cluster dump\n--\n\n--\n-- PostgreSQL database cluster dump complete\n--\n\n")
put("mysqldump", 2, b"-- MariaDB dump 10.19\nCREATE TABLE t (a int);\n-- Dump completed on 2026-11-21  2:00:01\n")
put("gzip", 3, gzip.compress(b"content" * 50, mtime=0) + gzip.compress(b"", mtime=0) + bytes(5))
b = io.BytesIO()
with zipfile.ZipFile(b, "w") as z:
    z.writestr(zipfile.ZipInfo("x"), b"1" * 30)
    z.comment = b"said"
put("zip", 4, b.getvalue())
b = io.BytesIO()
with tarfile.open(fileobj=b, mode="w", format=tarfile.PAX_FORMAT) as t:
    m = tarfile.TarInfo("f")
    m.size, m.pax_headers = 600, {"comment": "c"}
    t.addfile(m, io.BytesIO(b"c" * 600))
    m = tarfile.TarInfo("n" * 120)
    t.addfile(m)
    end = b.tell()
put("tar", 5, b.getvalue()[:end + 1024])
