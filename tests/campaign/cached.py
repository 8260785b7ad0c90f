"""What the state folder remembers, harmed by one who knows its form: records say something else that can be, and their checksums are of
what they said before.  That costs time, never a file.

    HARMED[name](site)      all records of a kind; of LMDB's, those in pages that are dead as well
"""
import os
import re
import shutil

import oracle

HARMED = {}
GONE = ("index-gone", "all-gone")


def change(site, name, how):
    """The file of the cache has as many bytes as before."""
    path = site.path("state", "cache", *name.split("/"))
    b = bytearray(oracle.read(path))
    n = how(b)
    assert n, "%s has no such record" % name
    with open(path, "r+b") as f:
        f.write(b)


# ---- the index: a leaf is the length of its value (4), flags (2), the length of its key (2), key, value

def leaves(b, key, value):
    """Where the values begin that have these lengths; value: a function of the length as well."""
    found = []
    for m in re.finditer(b"(?=(..)\0\0\0\0%s)" % key.to_bytes(2, "little"), bytes(b), re.S):
        at, n = m.start(), int.from_bytes(m.group(1), "little")
        if at % 2 == 0 and (value(n) if callable(value) else n == value) and at + 8 + key + n <= len(b):
            found.append((at + 8 + key, n))
    return found


def of_index(name, key, value, how, all_is_read=False):
    """all_is_read: nothing is known of the files, so that it is asked for the content of each."""
    def make(site):
        def each(b):
            found = leaves(b, key, value)
            how(b, found)
            return len(found)
        change(site, "dedup/data.mdb", each)
        if all_is_read:
            os.unlink(site.path("state", "cache", "stat", "docs.cache"))
    HARMED[name] = make


def swapped(b, found):
    """Each place is the one of another chunk; the checksum behind it stays."""
    for (at, _), (other, _) in zip(found[::2], found[1::2]):
        b[at:at + 14], b[other:other + 14] = b[other:other + 14], b[at:at + 14]


def at(offset, bit):
    def how(b, found):
        for where, _ in found:
            b[where + offset] ^= bit
    return how


PLACE_KEY, PLACE, ARCHIVE = 18, 20, 96
of_index("places", PLACE_KEY, PLACE, swapped, all_is_read=True)
of_index("archive-size", 8, ARCHIVE, at(0, 1))
of_index("archive-name", 8, ARCHIVE, at(24, 1))
of_index("archive-index", 8, ARCHIVE, at(56, 1))
of_index("layouts", 8, lambda n: n in range(19, 64, 3), at(8 + 1, 64))


# ---- what the last capture refers to: a line, then kind (1), length (4), place (16), payload, checksum (8)

def records(b):
    at = b.index(b"\n") + 1
    while at < len(b):
        n = int.from_bytes(b[at + 1:at + 5], "little")
        yield at + 21, n
        at += 21 + n + 8


def of_waste(name, how):
    def make(site):
        def each(b):
            found = [(at, n) for at, n in records(b) if n]
            how(b, found)
            return len(found)
        change(site, "waste/docs", each)
    HARMED[name] = make


def varints(b, at, end):
    """Where each begins and ends."""
    while at < end:
        start = at
        while b[at] & 128:
            at += 1
        at += 1
        yield start, at


def to_one(b, found):
    """Each reference, four numbers behind the lists of three, is of one byte."""
    for at, n in found:
        numbers = list(varints(b, at, at + n))
        for start, end in numbers[1 + 3 * b[at]:][3::4]:
            b[start:end] = bytes([129] + [128] * (end - start - 2) + [0]) if end - start > 1 else b"\1"


of_waste("references", to_one)


# ---- what is not there any more

def index_gone(site):
    shutil.rmtree(site.path("state", "cache", "dedup"))
    os.unlink(site.path("state", "cache", "stat", "docs.cache"))  # else nobody asks for what is in unchanged files


def all_gone(site):
    shutil.rmtree(site.path("state", "cache"))


HARMED.update({"index-gone": index_gone, "all-gone": all_gone})
