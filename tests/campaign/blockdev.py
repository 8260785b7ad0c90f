"""Disks whose power can be lost: loop devices over blockdev.c.

    with Disks(folder, program, images) as d:    d.device[i] is /dev/loopN
        d.log(); ...; events = d.events()        what was written and flushed since, [("w", disk, offset, length) or ("f", disk)]
        d.durable(i, n); d.show(i, [(n, bytes)]) its hash
        d.fail(i, "eio", n)                      from the n-th write from now on
"""
import ctypes
import fcntl
import os
import subprocess

libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MNT_DETACH = 1, 2
LOOP_SET_STATUS64, LOOP_GET_STATUS64, FLAGS_AT, AUTOCLEAR = 0x4C04, 0x4C05, 52, 4  # linux/loop.h
BLKFLSBUF = 0x1261
OPTIONS = {"ext4": b"", "xfs": b"nouuid", "btrfs": b""}
SIZE = {"ext4": 24 << 20, "xfs": 64 << 20, "btrfs": 120 << 20}
MKFS = {"ext4": ["mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=1", "-J", "size=4"],
        "xfs": ["mkfs.xfs", "-q", "-K", "--unsupported"], "btrfs": ["mkfs.btrfs", "-q", "-K"]}


def make(kind, path):
    """A file system of the kind in an image that is mostly a hole."""
    with open(path, "wb") as f:
        f.truncate(SIZE[kind])
    subprocess.run(MKFS[kind] + [path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def mount(kind, device, where, read_only=False):
    """None, or the errno with which the file system did not come back."""
    if libc.mount(device.encode(), where.encode(), kind.encode(), MS_RDONLY if read_only else 0, OPTIONS[kind]):
        return ctypes.get_errno()
    return None


def umount(where, lazy=False):
    return None if not libc.umount2(where.encode(), MNT_DETACH if lazy else 0) else ctypes.get_errno()


def build(folder, here):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    subprocess.run(["cc", "-O2", "-o", folder + "/blockdev", here + "/blockdev.c"] + flags + ["-lpthread"], check=True)


def held(device):
    """The loop device, open; it goes with whoever holds it, however that ends."""
    fd = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    status = bytearray(232)
    fcntl.ioctl(fd, LOOP_GET_STATUS64, status)
    status[FLAGS_AT] |= AUTOCLEAR
    fcntl.ioctl(fd, LOOP_SET_STATUS64, status)
    return fd


class Disks:
    def __init__(self, folder, program, images):
        self.folder, self.program, self.images, self.device, self.held = folder, program, images, [], []

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        self.process = subprocess.Popen([self.program, self.folder] + self.images, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("blockdev does not start")
        for i in range(len(self.images)):
            r = subprocess.run(["losetup", "-f", "--show", "%s/%d" % (self.folder, i)], check=True, stdout=subprocess.PIPE, text=True)
            self.device.append(r.stdout.strip())
            subprocess.run(["blockdev", "--setrw", self.device[-1]], check=True)  # a mark of a former device of that name stays
            self.held.append(held(self.device[-1]))
        return self

    def __exit__(self, *_):
        for fd in self.held:
            os.close(fd)
        self.process.stdin.close()
        self.process.wait(10)
        subprocess.run(["umount", "-l", self.folder], check=False, stderr=subprocess.DEVNULL)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().rstrip("\n")
        if said.startswith("?") or not said:
            raise RuntimeError("blockdev: %s: %s" % (line[:60], said))
        return said

    def log(self):
        self.ask("log")

    def events(self):
        out = []
        for _ in range(int(self.ask("events"))):
            w = self.process.stdout.readline().split()
            out.append((w[0],) + tuple(int(x) for x in w[1:]))
        return out

    def durable(self, disk, n):
        self.ask("durable %d %d" % (disk, n))

    def show(self, disk, writes):
        fcntl.ioctl(self.held[disk], BLKFLSBUF)  # it is open here, so that the kernel keeps what it had read
        return self.ask("show %d %s" % (disk, " ".join(str(n) if part is None else "%d:%d" % (n, part) for n, part in writes)))

    def fail(self, disk, how, n=0):
        self.ask("fail %d %s %d" % (disk, how, n))

    def writes(self, disk):
        return int(self.ask("writes %d" % disk))
