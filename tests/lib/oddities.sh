#!/bin/bash
# oddities.sh DIR: makes a tree with every oddity a file system can hold (as root), or those that an ordinary user can make
# and read back.  DIR must not exist.  Prints nothing.  Remove it with rmtree.sh.
#
# The content is the same every time; "beyond-path-max" and "depth-4096" at the top are deeper than PATH_MAX.
set -eu
exec python3 - "$1" <<'PY'
import errno, fcntl, os, random, socket, stat, struct, subprocess, sys

ROOT = os.geteuid() == 0
TOP = os.fsencode(sys.argv[1])
rnd = random.Random(20261121)
os.umask(0o022)
os.mkdir(TOP)
os.chdir(TOP)

def write(name, data=b"", mode=None):
    with open(name, "wb") as f:
        f.write(data)
    if mode is not None:
        os.chmod(name, mode)

def fill(name, size, parts):
    """A sparse file: data only at (offset, length)."""
    with open(name, "wb") as f:
        for at, length in parts:
            f.seek(at)
            f.write(rnd.randbytes(length))
        f.truncate(size)

def run(*argv):
    """Tools for what Python has no call for; what the file system cannot do is left out."""
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def xattr(name, key, value):
    try:
        os.setxattr(name, key, value, follow_symlinks=False)
    except OSError as e:
        if e.errno not in (errno.ENOTSUP, errno.ENOSPC, errno.E2BIG, errno.EPERM):
            raise

def flags(name, add):
    fd = os.open(name, os.O_RDONLY)
    try:
        old = struct.unpack("i", fcntl.ioctl(fd, 0x80086601, b"\0" * 4))[0]
        fcntl.ioctl(fd, 0x40086602, struct.pack("i", old | add))
    except OSError:
        pass
    os.close(fd)

def mtime(name, sec, ns):
    os.utime(name, ns=(0, sec * 10**9 + ns), follow_symlinks=False)

# ---- content
os.mkdir("content")
write("content/regular", b"one line\n")
write("content/empty")
write("content/random-5M", rnd.randbytes(5 << 20))
write("content/zeros-1M", b"\0" * (1 << 20))
for n in (1, 511, 512, 513, 65535, 262143, 262144, 262145, 1048577):
    write("content/size-%d" % n, rnd.randbytes(n))
fill("content/hole-in-front", 2 << 20, [(1 << 20, 1 << 20)])
fill("content/hole-behind", 2 << 20, [(0, 1 << 20)])
fill("content/hole-within", 3 << 20, [(0, 65536), (2 << 20, 1 << 20)])
fill("content/many-holes", 8 << 20, [(i << 18, 4096) for i in range(0, 32, 2)])
fill("content/all-hole-16G", 16 << 30, [])
fill("content/odd-end", (1 << 20) + 777, [(1 << 20, 777)])

# ---- folders
os.mkdir("folders")
for name, mode in (("empty", 0o755), ("0500", 0o500), ("setgid", 0o2775), ("sticky", 0o1777), ("all", 0o7777)):
    os.mkdir("folders/" + name)
    if name not in ("empty", "0500"):
        write("folders/%s/file" % name, name.encode())
    os.chmod("folders/" + name, mode)
if ROOT:
    os.mkdir("folders/0000")
    write("folders/0000/file", b"hidden")
    os.chmod("folders/0000", 0)

# ---- symbolic links
os.mkdir("links")
write("links/target", b"target")
for name, target in (("relative", b"target"), ("dangling", b"nowhere"), ("absolute", b"/etc/hostname"),
                     ("to-folder", b"../folders"), ("to-itself", b"to-itself"), ("dots", b"./../links//target"),
                     ("longest", b"t" * 4095), ("bytes", b"\x8a\xb3\xff\n"), ("kanji", "患者".encode())):
    os.symlink(target, "links/" + name)

# ---- hard links
os.mkdir("hard")
os.mkdir("hard/elsewhere")
write("hard/two-a", b"two names")
os.link("hard/two-a", "hard/two-b")
write("hard/across", rnd.randbytes(300000))
os.link("hard/across", "hard/elsewhere/across")
os.mkdir("hard/hundred")
write("hard/hundred/000", b"a hundred names")
for i in range(1, 100):
    os.link("hard/hundred/000", "hard/hundred/%03d" % i)
os.symlink("two-a", "hard/symlink-a")
os.link("hard/symlink-a", "hard/symlink-b", follow_symlinks=False)
os.mkfifo("hard/fifo-a")
os.link("hard/fifo-a", "hard/fifo-b")
if ROOT:
    os.mknod("hard/device-a", stat.S_IFCHR | 0o640, os.makedev(1, 7))
    os.link("hard/device-a", "hard/device-b")
fill("hard/sparse-a", 4 << 20, [(1 << 20, 4096)])
os.link("hard/sparse-a", "hard/sparse-b")

# ---- special files
os.mkdir("special")
os.mkfifo("special/fifo", 0o640)
s = socket.socket(socket.AF_UNIX)
s.bind("special/socket")
s.close()
if ROOT:
    os.mknod("special/char", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod("special/block", stat.S_IFBLK | 0o660, os.makedev(4095, 1048575))

# ---- owners and modes
os.mkdir("owners")
for i, mode in enumerate((0o644, 0o4755, 0o2755, 0o1644, 0o6711, 0o7777, 0o400, 0o200 if ROOT else 0o600)):
    write("owners/mode-%04o" % mode, b"mode", mode)
if ROOT:
    write("owners/mode-0000", b"mode", 0)
    for uid in (1, 12345, 65534, 2**31 - 1, 2**32 - 2):
        write("owners/uid-%d" % uid, b"owner")
        os.chown("owners/uid-%d" % uid, uid, 2**32 - 2 - uid if uid > 1 else 54321)
        os.chmod("owners/uid-%d" % uid, 0o4755)
    os.symlink("x", "owners/link")
    os.chown("owners/link", 12345, 54321, follow_symlinks=False)

# ---- attributes
os.mkdir("attributes")
for name in ("user", "empty", "large", "many", "odd-names"):
    write("attributes/" + name, b"attributes")
xattr("attributes/user", "user.comment", "患者".encode())
xattr("attributes/user", "user.binary", bytes(range(256)))
xattr("attributes/empty", "user.empty", b"")
xattr("attributes/large", "user.large", rnd.randbytes(3072))
for i in range(40):
    xattr("attributes/many", "user.%02d" % i, b"v%d" % i)
for key in (b"user.a=b", b"user.a%20b", b"user.a b", b"user.\n", b"user.\xff\xfe", "user.患者".encode(), b"user." + b"n" * 250):
    xattr("attributes/odd-names", key, b"odd")
os.mkdir("attributes/folder")
xattr("attributes/folder", "user.folder", b"yes")
if ROOT:
    write("attributes/trusted", b"trusted")
    xattr("attributes/trusted", "trusted.secret", b"\0\1\2")
    os.symlink("user", "attributes/link")
    xattr("attributes/link", "trusted.link", b"on the link itself")
    os.mkfifo("attributes/fifo")
    xattr("attributes/fifo", "trusted.fifo", b"on a pipe")
    write("attributes/capability", b"\x7fELF", 0o755)
    run("setcap", "cap_net_raw,cap_sys_time+ep", "attributes/capability")

# ---- access control lists
os.mkdir("acl")
write("acl/access", b"acl")
run("setfacl", "-n", "-m", "u:7:rw,u:12345:-,g:54321:r,g:100:rx,m::rwx", "acl/access")
write("acl/masked", b"acl")
run("setfacl", "-n", "-m", "u::rwx,u:7:rwx,g::rwx,m::r,o::-", "acl/masked")
os.mkdir("acl/default")
run("setfacl", "-n", "-m", "u:7:rx,m::rx", "acl/default")
run("setfacl", "-d", "-n", "-m", "u::rwx,u:7:rwx,g::rx,g:54321:-,m::rwx,o::-", "acl/default")
write("acl/default/inherited", b"acl")
os.mkdir("acl/default/folder")
os.mkdir("acl/default-only")
run("setfacl", "-d", "-n", "-m", "u::rwx,g::rx,o::-", "acl/default-only")
write("acl/many", b"acl")
run("setfacl", "-n", "-m", ",".join("u:%d:%s" % (20000 + i, "rwx"[i % 3]) for i in range(300)), "acl/many")

# ---- names
os.mkdir("names")
names = ["患者一覧.txt".encode(), "患者一覧.txt".encode("cp932"), "患者一覧.txt".encode("euc-jp"), "患者".encode("iso2022_jp"),
         b"new\nline", b"\n", b"tab\there", b" leading", b"trailing ", b" ", b"-rf", b"--help", b"back\\slash", b"'single'",
         b'"double"', b"*", b"?", b"[a-z]", b"$HOME", b"`id`", b"a;b", b"#hash", b"~", b"...", b"..a", b"%41", b"a=b", b"25 path=x\n",
         b"n" * 255, ("あ" * 85).encode(), b"\xff\xfe\x80", b"\xe3\x81", "か\u3099".encode(), "が".encode(), b"Case", b"case",
         b"CASE", "\u202etxt.exe".encode(), b"\x1b[31mred", b"!", b"a!b", b"a", b"{a,b}",
         bytes(b for b in range(1, 256) if b != 0x2f)]
for i, name in enumerate(names):
    try:
        write(b"names/" + name, b"name %d" % i)
    except OSError:
        pass # a file system that takes only some names
for i, name in enumerate(names[:12]):
    try:
        os.mkdir(b"names/folder " + name)
        write(b"names/folder " + name + b"/" + name, b"below")
    except OSError:
        pass
# sorts one way as bytes, another by component
os.mkdir("names/b")
write("names/b/x")
write("names/b!x")
write("names/b-x")

os.mkdir("two-thousand")
for i in range(2000):
    write("two-thousand/%d" % (i * 7919 % 100003), b"%d" % i)

# ---- deep: by descriptor, the names are too long for a path
def deep(name, depth, part):
    os.mkdir(name)
    fd = os.open(name, os.O_RDONLY)
    for i in range(depth):
        if i % 64 == 0 or i == depth - 1:
            f = os.open("file", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=fd)
            os.write(f, b"level %d" % i)
            try:
                os.setxattr(f, "user.level", b"%d" % i)
            except OSError:
                pass
            os.close(f)
            os.link("file", "another", src_dir_fd=fd, dst_dir_fd=fd)
            os.symlink("file", "link", dir_fd=fd)
        if i < depth - 1:
            os.mkdir(part, 0o750, dir_fd=fd)
            below = os.open(part, os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = below
    os.close(fd)

deep("beyond-path-max", 40, "long-" + "n" * 200)
deep("depth-4096", 4096, "d")

# ---- times: behind all else, for making a file changes its folder
os.mkdir("times")
for name, sec, ns in (("1901", -2147472000, 1), ("1969", -1, 999999999), ("1969-half", -1, 500000000), ("1960", -315619200, 250000000),
                      ("epoch", 0, 0), ("epoch-ns", 0, 1), ("2038", 2147483647, 999999999), ("2038-next", 2147483648, 0),
                      ("2106", 4294967296, 123456789), ("2446", 15032385535, 999999999)):
    write("times/" + name, name.encode())
    mtime("times/" + name, sec, ns)
os.mkdir("times/folder")
write("times/folder/file")
os.symlink("x", "times/link")
mtime("times/link", 1000000000, 123456789)
mtime("times/folder", 1000000000, 987654321)
mtime("folders/empty", -1, 1)
mtime("times", 1234567890, 1)

# ---- flags: last, for some of them forbid everything else
os.mkdir("flags")
os.mkdir("flags/nodump-folder")
for name, bit in (("nodump", 0x40), ("noatime", 0x80), ("both", 0xc0), ("sync", 0x8)):
    write("flags/" + name, name.encode())
    flags("flags/" + name, bit)
flags("flags/nodump-folder", 0x40)
if ROOT:
    for name, bit in (("immutable", 0x10), ("append-only", 0x20)):
        write("flags/" + name, name.encode())
        xattr("flags/" + name, "user.flag", name.encode())
        os.chown("flags/" + name, 12345, 54321)
        mtime("flags/" + name, 1000000000, 5)
        flags("flags/" + name, bit)
    os.mkdir("flags/immutable-folder")
    write("flags/immutable-folder/file", b"protected")
    flags("flags/immutable-folder", 0x10)
PY
