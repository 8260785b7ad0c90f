#!/bin/bash
# rmtree.sh DIR…: removes trees that rm cannot: immutable files, folders without permissions, any depth.
set -eu
for dir; do
	[ -e "$dir" ] || [ -L "$dir" ] || continue
	python3 - "$dir" <<'PY'
import fcntl, os, struct, sys

FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, PROTECTED = 0x80086601, 0x40086602, 0x30

def unprotect(fd):
    try:
        flags = struct.unpack("i", fcntl.ioctl(fd, FS_IOC_GETFLAGS, b"\0" * 4))[0]
        if flags & PROTECTED:
            fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack("i", flags & ~PROTECTED))
    except OSError:
        pass

def opened(name, dir_fd, flags):
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | flags, dir_fd=dir_fd)
    unprotect(fd)
    return fd

def open_dir(name, dir_fd):
    try:
        fd = opened(name, dir_fd, os.O_DIRECTORY)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=dir_fd)
        fd = opened(name, dir_fd, os.O_DIRECTORY)
    try:
        os.fchmod(fd, 0o700)
    except OSError:
        pass
    return fd

def remove(name, fd):
    """True when it is gone; False when it is a folder with something in it."""
    st = os.lstat(name, dir_fd=fd)
    if (st.st_mode & 0o170000) == 0o040000:
        sub = open_dir(name, fd)
        empty = not os.listdir(sub)
        os.close(sub)
        if empty:
            os.rmdir(name, dir_fd=fd)
        return empty
    if (st.st_mode & 0o170000) == 0o100000:
        try:
            os.close(opened(name, fd, 0))
        except OSError:
            pass
    os.unlink(name, dir_fd=fd)
    return True

root = os.fsencode(sys.argv[1])
if not os.path.isdir(root) or os.path.islink(root):
    remove(root, None)
    sys.exit(0)
# one descriptor at a time: down into the first folder that is not empty, up again when it is
fd, path = open_dir(root, None), []
while True:
    for name in os.listdir(fd):
        name = os.fsencode(name)
        if not remove(name, fd):
            sub = open_dir(name, fd)
            os.close(fd)
            fd = sub
            path.append(name)
            break
    else:
        if not path:
            break
        up = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = up
        os.rmdir(path.pop(), dir_fd=fd)
os.close(fd)
os.rmdir(root)
PY
done
