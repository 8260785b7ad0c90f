#!/usr/bin/env python3
# Seeds of fuzz_catalog: extent lists (behind an 'e') and catalog blocks, as a writer of media makes them.  Usage: catalog.py FOLDER
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from mkmedium import Entry, block, extents_of, sha256

out, D, T = sys.argv[1], ":" + "5f" * 32, 1700000000 * 10**9


def put(name, data):
    open(os.path.join(out, name), "wb").write(data)


def content(text):
    return extents_of(text, sha256(text.encode()))


for i, text in enumerate(["1048600 7:0:0:1048576" + D + " h:24", "0", "7:1:2:3" + D, "7:1:2:3", "9 1:2:3:4" + D + " h:5",
                          "5 1:2:3:4" + D + " @9223372036854775807:4294967295:4194303:268435456" + D]):
    put("extents%d" % i, b"e" + text.encode())
put("empty", block([]))
put("links", block([
    Entry(b"a", b"5", 0o755, mtime_ns=T),
    Entry("a/患".encode(), mtime_ns=T + 5, extents=content("9 1:2:3:4" + D + " h:5"), flags=b"changed"),
    Entry("a/患z".encode(), b"1", link="a/患".encode(), mtime_ns=T + 5, extents=content("9 1:2:3:4" + D + " h:5"), flags=b"changed"),
    Entry(b"b", b"2", link=b"../x", mtime_ns=T), Entry(b"c", b"6", mtime_ns=T), Entry(b"d", flags=b"unreadable", mtime_ns=T)]))
put("special", block([
    Entry(b"a", b"2", link=b"../x", mtime_ns=-T - 5), Entry(b"b", b"1", link=b"a", xattrs=[(b"bkp.special", b"symlink ../x")], mtime_ns=-5),
    Entry(b"c", b"1", link=b"a", xattrs=[(b"bkp.special", b"char 1 3")]), Entry(b"d", b"1", link=b"a", xattrs=[(b"bkp.special", b"fifo")]),
    Entry(b"e", b"1", link=b"d", flags=b"unreadable")]))
put("attributes", block([
    Entry(b"x", uid=4294967294, gid=1 << 22, mtime_ns=-1, extents=content("5 @1:2:3:4" + D), flags=b"attributes-incomplete",
          xattrs=[(b"user.%E6%82%A3", b"\0\xff"), (b"user.b", b"v" * 300)],
          records=[(b"SCHILY.acl.access", b"user::rw-,user:1000:r--,group::r--,mask::r--,other::r--"), (b"uname", b"www-data")]),
    Entry(b"y", b"3", mtime_ns=T, major=4095, minor=1048575), Entry(b"z" * 200 + b"/" + b"z" * 100, b"5", mtime_ns=T)]))
put("holes", block([Entry(b"sparse", mtime_ns=T, extents=("%d h:%d" % (2 << 30, 2 << 30)).encode(), sha=b"")]))
