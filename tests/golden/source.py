#!/usr/bin/env python3
"""source.py DIR NIGHT: what the golden media hold, as it was on that night (1 to 4): DIR/docs, a tree of oddities (as root), and
DIR/emr.dump.  The same bytes, names, owners and times whenever it is run.  DIR must not exist."""
import os, struct, sys

TOP, NIGHT = os.fsencode(sys.argv[1]), int(sys.argv[2])
WHEN = 1_790_000_000


def write(name, data, mode=0o644):
    with open(name, "wb") as f:
        f.write(data)
    os.chmod(name, mode)


def sparse(name, size, *parts):
    with open(name, "wb") as f:
        for at, data in parts:
            f.seek(at)
            f.write(data)
        f.truncate(size)


def acl(name, kind, *entries):  # as the kernel has it: (tag, rights, id)
    raw = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
    os.setxattr(name, b"system.posix_acl_" + kind, raw)


os.umask(0o022)
os.makedirs(TOP)
write(TOP + b"/emr.dump", b"".join(b"INSERT INTO karte VALUES (%d, '%04d-01-01', 'night %d');\n" % (i, 1930 + i % 90, NIGHT)
                                   for i in range(400)))
os.mkdir(TOP + b"/docs")
os.chdir(TOP + b"/docs")
write("empty", b"")
line = "患者番号 氏名 生年月日 病名 処方 ".encode() * 8
write("many-chunks", b"".join(line if i % 40 else b"%08d\n" % i for i in range(16000)))
sparse("hole-in-front", (2 << 20) + 5, (2 << 20, b"end.\n"))
sparse("hole-behind", 3 << 20, (0, b"front"))
sparse("holes", 2 << 20, *((i << 18, b"part %d" % i) for i in range(1, 8, 2)))
sparse("nothing-but-a-hole", 4 << 20)
sparse("more-than-1-GiB-of-holes", (1 << 30) + (1 << 20), (1 << 30, b"far"))
os.mkdir("small")
for i in range(40):
    write("small/%02d" % i, b"small file %d, night %d\n" % (i, NIGHT if i == 7 else 0))
write("new-%d" % NIGHT, b"of night %d\n" % NIGHT)
write("hard-a", b"two names, one file\n")
os.link("hard-a", "small/hard-b")
os.mkfifo("pipe", 0o640)
os.link("pipe", "pipe-b")
os.symlink("hard-a", "symlink")
os.symlink(b"../\x8a\xb3/nowhere\n", "dangling")
os.mknod("null", 0o20666, os.makedev(1, 3))
os.chmod("null", 0o666)
os.mkdir("names")
for i, name in enumerate(["患者一覧.txt".encode(), "患者一覧.txt".encode("cp932"), b"new\nline", b" blank ", b"n" * 255,
                          b"\xff\xfe=%41", "か\u3099".encode()]):
    write(b"names/" + name, b"name %d" % i)
deep = "names"
for i in range(6):
    deep += "/%d-%s" % (i, "d" * 60)
    os.mkdir(deep)
write(deep + "/deep", b"below")
for name in ("a", "a-b", "a.b"):  # in another order as bytes than by component
    os.mkdir("names/" + name)
    write("names/%s/x" % name, name.encode())
os.mkdir("rights")
write("rights/setuid", b"x", 0o4711)
write("rights/owned", b"x")
os.chown("rights/owned", 12345, 4000000000)
os.mkdir("rights/sticky")
os.chmod("rights/sticky", 0o1777)
write("rights/attributes", b"x")
os.setxattr("rights/attributes", "user.bytes", bytes(range(256)))
os.setxattr("rights/attributes", "user.空=% ".encode(), b"")
write("rights/acl", b"x")
acl("rights/acl", b"access", (1, 6, 2**32 - 1), (2, 7, 12345), (4, 7, 2**32 - 1), (8, 4, 54321), (16, 5, 2**32 - 1), (32, 0, 2**32 - 1))
os.mkdir("rights/acl-default")
acl("rights/acl-default", b"default", (1, 7, 2**32 - 1), (2, 5, 7), (4, 5, 2**32 - 1), (16, 5, 2**32 - 1), (32, 0, 2**32 - 1))
times = {b"names/a/x": -1_500_000_000, b"names/a.b/x": 4_294_967_296_123_456_789, b"small": 1}
for folder, folders, files in os.walk(b".", topdown=False):
    for name in folders + files + ([b""] if folder == b"." else []):
        path = os.path.join(folder, name)[2:] or b"."
        t = times.get(path, (WHEN + len(path)) * 10**9 + (500_000_000 if path.endswith(b"x") else 0))
        os.utime(path, ns=(t, t), follow_symlinks=False)
