#!/usr/bin/env python3
# Seeds of fuzz_tar: small tar streams of all flavours.  Usage: tar.py FOLDER
import io, os, struct, sys, tarfile

out = sys.argv[1]


def put(name, data):
    open(os.path.join(out, name), "wb").write(data)


def member(name, data=None, **kw):
    i = tarfile.TarInfo(name)
    for k, v in kw.items():
        setattr(i, k, v)
    if data is not None:
        i.size = len(data)
    return i, data


def stream(members, fmt):
    b = io.BytesIO()
    t = tarfile.open(fileobj=b, mode="w", format=fmt)
    for i, data in members:
        t.addfile(i, io.BytesIO(data) if data is not None else None)
    end = b.tell()
    t.close()
    return b.getvalue()[:end + 1024]


T = tarfile
plain = [member("./d/", type=T.DIRTYPE, mode=0o755), member("./d/f", b"content\n" * 100), member("./d/empty", b""),
         member("./d/l", type=T.LNKTYPE, linkname="./d/f"), member("./s", type=T.SYMTYPE, linkname="d/f"),
         member("./p", type=T.FIFOTYPE), member("./b", type=T.BLKTYPE, devmajor=8, devminor=1)]
for name, fmt in (("ustar", T.USTAR_FORMAT), ("gnu", T.GNU_FORMAT), ("pax", T.PAX_FORMAT)):
    put(name, stream(plain, fmt))
put("cut", stream(plain, T.PAX_FORMAT)[:-700])
put("long", stream([member("n" * 120 + "/" + "m" * 120, b"x"), member("k", type=T.SYMTYPE, linkname="t" * 300)], T.GNU_FORMAT))
put("attributes", stream([member("a", b"a", uname="\u60a3\u8005", mtime=1.5, pax_headers={
    "SCHILY.xattr.user.x": "v", "LIBARCHIVE.xattr.user.%25": "dg", "SCHILY.acl.access": "user::rw-,user:root:r--,group::r--,mask::r--,other::---",
    "SCHILY.fflags": "nodump", "comment": "c"})], T.PAX_FORMAT))
put("hostile", stream([member("../out", b"no"), member("a/../../out", b"no"), member("/abs", b"y"), member("twice", b"1"),
    member("hard", type=T.LNKTYPE, linkname="twice"), member("twice", b"2"), member("evil", type=T.SYMTYPE, linkname="/etc"),
    member("evil/passwd", b"no"), member("ids", b"i", uid=-5, gid=2 ** 33), member("back", type=T.LNKTYPE, linkname="later"),
    member("later", b"l"), member("later", type=T.DIRTYPE), member("big", b"", mtime=2 ** 40)], T.PAX_FORMAT))
sparse = b"2\n512\n512\n4096\n512\n".ljust(512, b"\0") + b"s" * 1024
put("sparse1", stream([member("GNUSparseFile.0/s", sparse, pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
    "GNU.sparse.name": "s", "GNU.sparse.realsize": "8192"})], T.PAX_FORMAT))
put("sparse0", stream([member("s", b"s" * 1024, pax_headers={"GNU.sparse.size": "8192", "GNU.sparse.numblocks": "2",
    "GNU.sparse.map": "0,512,4096,512", "GNU.sparse.name": "s0"})], T.PAX_FORMAT))


def header(name, size, kind, tail=b""):
    h = bytearray(name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size + b"00000000000\0" + b" " * 8 + kind)
    h = h.ljust(257, b"\0") + b"ustar  \0"
    h = h.ljust(386, b"\0") + tail
    h = h.ljust(512, b"\0")
    h[148:155] = b"%06o\0" % sum(h)
    return bytes(h)


old = header(b"s", b"00000002000\0", b"S", b"00000000000\0" + b"00000001000\0" + b"00000010000\0" + b"00000001000\0" + bytes(49) + b"00000020000\0")
put("sparse-gnu", old + b"s" * 1024 + bytes(1024))
put("negative", header(b"n", b"\xff" * 12, b"0") + bytes(1024))
for power in (20, 56, 60, 63):
    put("huge%d" % power, header(b"h", b"\x80" + bytes(3) + struct.pack(">Q", (1 << power) - (power == 63)), b"0") + bytes(1024))
put("sparse-huge", stream([member("GNUSparseFile.0/s", b"1\n0\n0\n".ljust(512, b"\0"), pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
    "GNU.sparse.name": "s", "GNU.sparse.realsize": str(1 << 55)})], T.PAX_FORMAT))
put("volume", header(b"label", b"00000000000\0", b"V") + header(b"m", b"00000000000\0", b"M") + bytes(1024))
put("zeros", bytes(1024))
