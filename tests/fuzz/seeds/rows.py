#!/usr/bin/env python3
# Seeds of fuzz_rows: small dumps of each kind; the first byte says how it is cut.  Usage: rows.py FOLDER
import base64, gzip, hashlib, os, sys, zlib

out = sys.argv[1]


def put(name, data):
    open(os.path.join(out, name), "wb").write(bytes([len(name) % 6]) + data)


def row(i, sealed):
    h = hashlib.sha512(b"%d" % i).digest()
    return b"%d\t%s\n" % (i, base64.b64encode(h) if sealed else b"\\\\x" + h.hex().encode() if i % 9 == 0 else "異常なし".encode())


def copy(name, n, sealed=0):
    return b"COPY %s (id, note) FROM stdin;\n" % name + b"".join(row(i, i >= n - sealed) for i in range(n)) + b"\\.\n\n"


def i(v):
    return bytes([v < 0]) + abs(v).to_bytes(4, "little")


def s(t):
    return i(-1) if t is None else i(len(t)) + t


def pgdump(kind, pack):
    b = b"PGDMP" + bytes([1, 15, 0, 4, 8, 1, kind]) + i(1) * 7 + s(b"emr") * 3 + i(2)
    for n, what, stmt in ((7, b"TABLE DATA", b"COPY public.t (id, note) FROM stdin;\n"), (8, b"BLOBS", None)):
        b += i(n) + i(1) + s(b"1") * 2 + s(b"t") + s(what) + i(3) + s(None) * 2 + s(stmt) + s(b"public") + s(None) + s(b"heap")
        b += s(b"me") + s(b"false") + s(None) + b"\1" + bytes(8)
    text = pack(copy(b"t", 90, 20).split(b"\n", 1)[1])
    return b + b"\1" + i(7) + i(len(text)) + text + i(0) + b"\3" + i(8) + i(16001) + s(pack(bytes(range(256)) * 3)) + i(0) + i(0)


sql = b"-- PostgreSQL database dump\n" + copy(b"public.patients", 200) + copy(b'public."x (y"', 90, 90)
put("sql", sql)
put("sql-gz", gzip.compress(sql[:3000], mtime=0) + gzip.compress(sql[3000:], mtime=0))
put("pgdump-plain", pgdump(0, bytes))
put("pgdump-zlib-1", pgdump(1, zlib.compress))
put("mysql", b"CREATE TABLE `t` (\n  `a` int,\n  `b` blob\n);\nINSERT INTO `t` VALUES (1,'x)'),(2,'\xff\xd8\xff\\0'),\n(3,'it\\'s');\n" * 3)
put("inserts", b"INSERT INTO public.t (a, b) VALUES (1, 'x;\ny');\nREPLACE INTO `u` VALUES\n(1),\n(2);\n" * 5)
put("remembered", b"bkp-rows 1\n\0" + bytes(192))
put("text", "発熱、咳嗽。".encode() * 300)
