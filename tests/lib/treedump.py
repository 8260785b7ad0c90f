#!/usr/bin/env python3
"""treedump.py DIR [--user]: one line for each entry below DIR with all that is known of it, at any depth.

By descriptors and Python's standard library alone, so that it can judge what other programs made.  Two equal trees give
equal lines; sockets are left out; allocation is printed to descriptor 3 when that is open (path, blocks of 512 bytes).
--user: leaves out what an ordinary user cannot restore: owner, device files, set-user-ID, trusted.* and security.*
attributes, flags that only root may set."""
import fcntl, hashlib, os, stat, struct, sys

KEEP = 0x208DB | 0x10000 | 0x20000 | 0x40 | 0x80 | 0x8000 | 0x800000 | 0x20000000  # what lsattr shows and people set
ROOT_ONLY = 0x10 | 0x20 | 0x4000
BLOCK = 65536


def content(fd, size):
    """Equal for equal bytes, however many of the zeros are holes, and quick where there is nothing but holes."""
    digest, at = hashlib.sha256(b"%d" % size), 0
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA) // BLOCK * BLOCK
        except OSError:
            break
        end = min(os.lseek(fd, max(at, os.lseek(fd, at, os.SEEK_DATA)), os.SEEK_HOLE), size)
        while at < end:
            block = os.pread(fd, BLOCK, at)
            if block.strip(b"\0"):
                digest.update(b"%d:" % at + block)
            at += BLOCK
    return digest.hexdigest()


def attributes(path, user):
    found = []
    for name in os.listxattr(path, follow_symlinks=False):
        if user and name.startswith(("trusted.", "security.")):
            continue
        value = os.getxattr(path, name, follow_symlinks=False)
        found.append("%s=%s" % (ascii(os.fsencode(name))[2:-1], value.hex()))
    return ",".join(sorted(found))


def flags(fd, user):
    try:
        value = struct.unpack("i", fcntl.ioctl(fd, 0x80086601, b"\0" * 4))[0] & KEEP
    except OSError:
        return 0
    return value & ~ROOT_ONLY if user else value


def describe(dirfd, name, path, links, user, blocks):
    """One line, or None for what is not compared."""
    st = os.lstat(name, dir_fd=dirfd)
    mode, kind = stat.S_IMODE(st.st_mode), stat.S_IFMT(st.st_mode)
    if kind == stat.S_IFSOCK or (user and kind in (stat.S_IFCHR, stat.S_IFBLK)):
        return st, None
    fields = ["%06o" % (kind | (mode & 0o1777 if user else mode))]
    if not user:
        fields.append("owner=%d:%d" % (st.st_uid, st.st_gid))
    fields.append("mtime=%d" % st.st_mtime_ns)
    shown = ascii(path)[2:-1]
    if kind != stat.S_IFDIR:
        fields.append("names=%d" % st.st_nlink)
        if st.st_nlink > 1:
            fields.append("same-as=" + links.setdefault((st.st_dev, st.st_ino), shown))
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        fields.append("device=%d:%d" % (os.major(st.st_rdev), os.minor(st.st_rdev)))
    if kind == stat.S_IFLNK:
        fields.append("target=" + ascii(os.readlink(name, dir_fd=dirfd))[2:-1])
    fields.append("xattr=" + attributes(b"/proc/self/fd/%d/" % dirfd + name, user))
    if kind in (stat.S_IFREG, stat.S_IFDIR):
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=dirfd)
        fields.append("flags=%x" % flags(fd, user))
        if kind == stat.S_IFREG:
            fields.append("size=%d content=%s" % (st.st_size, content(fd, st.st_size)))
            if blocks:
                blocks.write("%s\t%d\t%d\n" % (shown, st.st_blocks, st.st_size))
        os.close(fd)
    return st, shown + "\t" + " ".join(fields)


def main():
    user = "--user" in sys.argv[2:]
    out = open(1, "w", encoding="ascii", closefd=False)
    try:
        blocks = open(3, "w", encoding="ascii")
    except OSError:
        blocks = None
    fd = os.open(os.fsencode(sys.argv[1]), os.O_RDONLY | os.O_DIRECTORY)
    links, names, path = {}, [], []
    st, line = describe(fd, b".", b".", links, user, None)
    out.write(line + "\n")
    names.append(sorted(map(os.fsencode, os.listdir(fd)), reverse=True))
    while names:
        if not names[-1]:
            names.pop()
            if path:
                up = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = up
                path.pop()
            continue
        name = names[-1].pop()
        st, line = describe(fd, name, b"/".join(path + [name]), links, user, blocks)
        if line:
            out.write(line + "\n")
        if stat.S_ISDIR(st.st_mode):
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = below
            path.append(name)
            names.append(sorted(map(os.fsencode, os.listdir(fd)), reverse=True))
    out.flush()


main()
