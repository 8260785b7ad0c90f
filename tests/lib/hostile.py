#!/usr/bin/env python3
"""Hostile and damaged media by name, and what must come of each.

hostile.py RESTORE SCRATCH [NAME...] makes each medium (mkmedium.py), runs bkp-restore on it and checks: it ends with the exit
code and error code of the case, nothing outside the target changes (the medium and a tree of sentinels beside it), it takes at
most 512 MiB and a minute, and what is unharmed on the medium still comes back equal.  With RESTORE .../rescue.py: the cases that say
what rescue.py is to say.

Unless a case says otherwise the attacker holds the signing key, so that nothing but the reader's own checks is in the way."""
import base64, gzip, hashlib, json, os, re, resource, shutil, signal, stat, struct, subprocess, sys
from mkmedium import *

CASES = []
BIG = (1 << 63) - 1
MEMORY = 512 << 10  # KiB
GOOD = {b"docs/hello": b"hello\n", b"docs/big": bytes(range(256)) * 1500}


class Case:
    def __init__(self, name, make, code, exit=2, args=(), unharmed="good@1", check=None, command="extract", selector="victim@1", root_key=False, rescue=None):
        self.__dict__.update(locals())


def case(code, exit=2, **more):
    def wrap(f):
        CASES.append(Case(f.__name__.replace("_", "-"), f, code, exit, **more))
        return f
    return wrap


def good_entries(gen):
    return [Entry(b"docs", b"5", 0o755)] + [Entry(p, extents=gen.extents(GOOD[p])) for p in sorted(GOOD, key=order)]


def start(out, keys, rid="3f1d6a52-0c6e-4d7b-9a55-0123456789ab"):
    """A medium with good@1.  What is returned is victim@1, the case's business; gen.good is the other one."""
    repo = Repo(out, keys, rid)
    good = good_generation(repo, 1, "good", ["good", "victim"])
    medium(out, repo)
    gen = Generation(repo, "victim")
    gen.good = good
    return gen


def good_generation(repo, number, name="victim", datasets=None):
    gen = Generation(repo, name, number)
    gen.fill(good_entries(gen))
    gen.write(datasets=datasets)
    return gen


# ---- entries: one block, one or a few hostile entries among good ones ----

def entries_case(name, code, entries, exit=2, **more):
    def make(out, keys, env):
        gen = start(out, keys)
        gen.fill(entries(gen, env) if callable(entries) else entries)
        gen.write()
    CASES.append(Case(name, make, code, exit, **more))


def F(path, **k):
    return Entry(path, extents=k.pop("extents", b"0"), **k)


for name, path in [("absolute", b"/etc/x"), ("dotdot", b"../outside/x"), ("inner-dotdot", b"a/../../outside/x"), ("dot", b"./a"),
                   ("dotdot-end", b"a/.."), ("double-slash", b"a//b"), ("slash-end", b"a/"), ("only-dotdot", b".."), ("only-dot", b"."),
                   ("only-slash", b"/")]:
    entries_case("path-" + name, "E-CATALOG", [F(path)])
entries_case("path-empty", "E-CATALOG", [F(b"")])
entries_case("path-with-nul", "", lambda g, e: [F(b"a\0/../../outside/x")], exit=None)
entries_case("path-not-in-order", "E-CATALOG-02", [F(b"b"), F(b"a")])
entries_case("path-twice", "E-CATALOG-02", [F(b"a"), F(b"a")])
entries_case("path-of-1-MiB", "E-CATALOG", [F(b"/".join([b"x" * 200] * 5200))])
entries_case("path-component-too-long", "E-", [F(b"y" * 300)])
entries_case("path-4000-folders-deep", "", lambda g, e: [Entry(b"/".join([b"d"] * i), b"5", 0o755) for i in range(1, 4001)], exit=0)
entries_case("path-file-is-also-a-folder", "E-TARGET-02", [F(b"a"), F(b"a/b")])
entries_case("symlink-then-through-it", "E-TARGET-02", lambda g, e: [Entry(b"a", b"2", link=e.encode() + b"/outside"), F(b"a/x")])
entries_case("symlink-relative-then-through-it", "E-TARGET-02", [Entry(b"a", b"2", link=b"../../outside"), F(b"a/x")])
entries_case("symlink-chain-then-through-it", "E-TARGET-02",
             [Entry(b"a", b"2", link=b"b"), F(b"a/x"), Entry(b"b", b"2", link=b"../../outside"), F(b"b/y")])
entries_case("symlink-without-target", "E-CATALOG-02", [Entry(b"a", b"2")])
entries_case("symlink-to-outside-is-only-a-link", "", lambda g, e: [Entry(b"a", b"2", 0o777, 9, 9, link=e.encode() + b"/outside/secret")], exit=0)
entries_case("hard-link-absolute", "E-CATALOG-02", [F(b"a", typ=b"1", link=b"/etc/passwd")])
entries_case("hard-link-dotdot", "E-CATALOG-02", [F(b"z", typ=b"1", link=b"../../outside/secret")])
FIFO = ((b"bkp.special", b"fifo"),)
entries_case("hard-link-through-symlink", "E-RESTORE-17",
             lambda g, e: [Entry(b"a", b"2", link=e.encode() + b"/outside"), Entry(b"b", b"1", link=b"a/secret", xattrs=FIFO)], exit=1)
entries_case("hard-link-of-nothing", "E-CATALOG-02", [F(b"a"), Entry(b"b", b"1", link=b"a")])
entries_case("hard-link-of-what-is-not-known", "E-CATALOG-02", [F(b"a"), Entry(b"b", b"1", link=b"a", xattrs=((b"bkp.special", b"door"),))])
entries_case("special-that-is-no-hard-link", "E-CATALOG-02", [Entry(b"b", b"6", xattrs=FIFO)])
entries_case("hard-link-of-a-device", "E-RESTORE-06", [Entry(b"b", b"1", link=b"a", xattrs=((b"bkp.special", b"char 1 1"),))], exit=1)
entries_case("hard-link-to-a-symlink-to-outside", "", lambda g, e: [Entry(b"a", b"2", link=e.encode() + b"/outside/secret"),
             Entry(b"b", b"1", 0o777, link=b"a", xattrs=((b"bkp.special", b"symlink x"),)), F(b"c")], exit=0)
entries_case("hard-link-forwards", "E-CATALOG-02", [F(b"a", typ=b"1", link=b"b"), F(b"b")])
entries_case("hard-link-to-itself", "E-CATALOG-02", [F(b"a", typ=b"1", link=b"a")])
entries_case("hard-link-to-a-folder", "E-RESTORE-17", [Entry(b"d", b"5", 0o755), Entry(b"e", b"1", link=b"d", xattrs=FIFO)], exit=1)
entries_case("hard-link-to-nothing", "E-RESTORE-17", [Entry(b"e", b"1", link=b"d", xattrs=FIFO)], exit=1)
entries_case("hard-link-without-link", "E-CATALOG", [F(b"e", typ=b"1")])
entries_case("character-device", "E-RESTORE-06", [Entry(b"mem", b"3", 0o666, major=1, minor=1)], exit=1)
entries_case("block-device", "E-RESTORE-06", [Entry(b"sda", b"4", 0o666, major=8, minor=0)], exit=1)
entries_case("fifo-does-not-hang", "", [Entry(b"f", b"6", 0o644)], exit=0)


def no_privileges(out, env):
    for top, dirs, files in os.walk(out):
        for n in [top] + [os.path.join(top, x) for x in dirs + files]:
            st = os.lstat(n)
            assert not st.st_mode & 0o6000 or os.path.islink(n), "%s is setuid or setgid" % n
            assert st.st_uid == os.geteuid(), "%s belongs to %d" % (n, st.st_uid)
            for x in os.listxattr(n, follow_symlinks=False):
                assert x.startswith("user."), "%s has %s" % (n, x)
            if os.path.isfile(n) and not os.path.islink(n):
                flags = subprocess.run(["lsattr", "-d", n], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.split(b" ")[0]
                assert b"i" not in flags and b"a" not in flags, "%s is immutable" % n


entries_case("setuid-root", "", [F(b"su", mode=0o6755)], exit=0, check=no_privileges)
entries_case("setgid-folder", "", [Entry(b"d", b"5", 0o2777)], exit=0, check=no_privileges)
entries_case("foreign-owner", "", [F(b"f", uid=1000, gid=1000)], exit=0, check=no_privileges)
CAP = struct.pack("<IIIII", 0x02000001, 0xFFFFFFFF, 0, 0, 0)
entries_case("capabilities", "", [F(b"f", mode=0o755, xattrs=((b"security.capability", CAP),))], exit=0, check=no_privileges)
entries_case("trusted-attribute", "", [F(b"f", xattrs=((b"trusted.overlay.opaque", b"y"),))], exit=0, check=no_privileges)
entries_case("acl-as-raw-attribute", "", [F(b"f", xattrs=((b"system.posix_acl_access", b"\2\0\0\0\1\0\7\0\xff\xff\xff\xff"),))], exit=0, check=no_privileges)
entries_case("immutable-flag", "", [F(b"f", records=((b"SCHILY.fflags", b"schg,sappnd"),)), F(b"g")], exit=0, check=no_privileges)
entries_case("attribute-without-a-namespace", "", [F(b"f", xattrs=((b"evil", b"y"), (b"../x", b"y")))], exit=0, check=no_privileges)
entries_case("impossible-owner", "", [F(b"f", records=((b"uid", b"99999999999"),))], exit=None, check=no_privileges)
entries_case("owner-minus-one", "", [F(b"f", records=((b"uid", b"-1"),))], exit=None, check=no_privileges)
entries_case("has-a-body", "E-CATALOG-01", [Entry(b"f", extents=b"0", size=5, body=b"12345")])
entries_case("claims-a-body-of-8-GiB", "E-CATALOG", [Entry(b"f", extents=b"0", size=(8 << 30) - 1)])
entries_case("pax-size-of-8-EiB", "E-CATALOG", [F(b"f", records=((b"size", str(BIG).encode()),))])
entries_case("no-extents", "E-CATALOG-02", [Entry(b"f")])
entries_case("extents-on-a-folder", "E-CATALOG-02", [Entry(b"d", b"5", 0o755, extents=b"0")])
entries_case("malformed-flags", "E-CATALOG-02", [F(b"f", flags=b"changed,,UNREADABLE")])
entries_case("flagged-unreadable", "E-RESTORE-03", [Entry(b"f", flags=b"unreadable")], exit=1)
entries_case("flagged-changed", "E-RESTORE-04", [F(b"f", flags=b"changed")], exit=1)
entries_case("unknown-type", "", [Entry(b"f", b"Z", extents=b"0")], exit=None)
entries_case("gnu-sparse-type", "", [Entry(b"f", b"S", extents=b"0")], exit=None)
entries_case("gnu-long-name", "", [Entry(b"f", b"L", extents=b"0", size=20, body=b"../../outside/x\0\0\0\0\0")], exit=None)
entries_case("global-pax-header", "", lambda g, e: [Raw(b"a", pad(tar_header(b"g", 30, b"g")) + pad(record(b"path", b"../../outside/x"))), F(b"b")], exit=None)
entries_case("gnu-sparse-pax", "", [F(b"f", records=((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"../../outside/x"), (b"GNU.sparse.realsize", b"99999999999")))], exit=None)
entries_case("nfs4-acl", "", [F(b"f", records=((b"SCHILY.acl.ace", b"owner@:rwxp--aARWcCos:-------:allow"),))], exit=None)
entries_case("malformed-acl", "", [F(b"f", records=((b"SCHILY.acl.access", b"user::rwx,,,:::x," * 2000),))], exit=None)
entries_case("pax-record-length-lies", "", lambda g, e: [Raw(b"a", pad(tar_header(b"x", 40, b"x")) + pad(b"99999 path=../../outside/x\n") + tar_header(b"a", 0))], exit=None)
entries_case("time-out-of-range", "", [F(b"f", records=((b"mtime", b"9" * 40),))], exit=None)
entries_case("ten-thousand-attributes", "", [F(b"f", xattrs=[(b"user.%d" % i, b"v") for i in range(10000)])], exit=None)


class Raw(Entry):
    def __init__(self, path, raw):
        Entry.__init__(self, path)
        self.raw = raw

    def pack(self):
        return self.raw


# ---- extents ----

def extents_case(name, code, text, exit=2, sha=None, **more):
    def entries(gen, env):
        t = text(gen) if callable(text) else text
        t = t if isinstance(t, bytes) else extents_of(gen.proven(t), sha or "0" * 64)
        return [F(b"before", extents=gen.extents(b"before")), F(b"file", extents=t), F(b"later", extents=gen.extents(b"later"))]
    entries_case("extents-" + name, code, entries, exit, **more)


def victim_rest(out, env):
    """The files beside the bad one are there, the bad one is not."""
    assert open(out + "/before").read() == "before" and open(out + "/later").read() == "later", "good files beside it are missing"
    assert not os.path.lexists(out + "/file"), "a file with wrong content was left"


def one(gen, raw=b"0123456789"):
    return gen.arc.number, gen.arc.add(raw)


for name, text in [("empty", ""), ("garbage", "nonsense"), ("leading-zero", "010 h:10"), ("two-spaces", "10  h:10"), ("space-at-end", "10 h:10 "),
                   ("zero-length-run", "0 h:0"), ("negative", "-5 h:5"), ("above-63-bits", "9223372036854775808 h:1"), ("above-64-bits", "99999999999999999999999 h:1"),
                   ("sum-overflows", "9223372036854775807 h:9223372036854775807 h:9223372036854775807"), ("too-short", "11 h:10"), ("too-long", "9 h:10"),
                   ("nothing-for-something", "5"), ("binary", "5 \1\2\3"), ("letters-in-numbers", "5 1:0:0:5x")]:
    extents_case(name, "E-", text)
extents_case("unknown-archive", "E-ARCHIVE-11", "5 999:0:0:5", check=victim_rest)
extents_case("archive-number-of-64-bits", "E-", "5 %d:0:0:5" % BIG)
extents_case("chunk-out-of-range", "E-ARCHIVE-15", lambda g: "5 %d:9999:0:5" % g.arc.number, check=victim_rest)
extents_case("chunk-of-32-bits", "E-ARCHIVE-15", lambda g: "5 %d:4294967295:0:5" % g.arc.number, check=victim_rest)
extents_case("offset-behind-chunk", "E-EXTENT-11", lambda g: "5 %d:%d:10:5" % one(g), check=victim_rest)
extents_case("behind-the-last-chunk", "E-", lambda g: "%d %d:0:0:%d" % (1 << 40, g.arc.number, 1 << 40), check=victim_rest)
extents_case("hole-of-8-EiB", "E-", lambda g: b"%d h:%d" % (BIG, BIG), check=victim_rest)
extents_case("overlap-is-only-reuse", "", lambda g: "20 {0}:{1}:0:10 {0}:{1}:0:10".format(*one(g)), exit=0, sha=sha256(b"0123456789" * 2))
extents_case("indirect-in-indirect", "E-EXTENT-12", lambda g: at(g, b"@1:0:0:5"), check=victim_rest)
extents_case("indirect-to-itself", "E-EXTENT", lambda g: "5 @%d:%d:0:12" % (g.arc.number, g.arc.add(b"@%d:%d:0:12" % (g.arc.number, g.arc.n))), check=victim_rest)
extents_case("indirect-garbage", "E-EXTENT", lambda g: at(g, b"\0" * 100), check=victim_rest)
extents_case("indirect-adds-up-wrongly", "E-EXTENT-02", lambda g: at(g, b"h:99"), check=victim_rest)
extents_case("indirect-too-long", "E-EXTENT", lambda g: "5 @%d:%d:0:%d" % (g.arc.number, g.arc.add(b"h:5"), 300 << 20))
extents_case("indirect-then-a-run", "E-", lambda g: "5 @%d:%d:0:3 h:2" % (g.arc.number, g.arc.add(b"h:3")))
extents_case("indirect-missing-chunk", "E-ARCHIVE-15", lambda g: "5 @%d:9999:0:3" % g.arc.number, check=victim_rest)
extents_case("indirect-lists-unknown-archive", "E-ARCHIVE-11", lambda g: at(g, b"999:0:0:5"), check=victim_rest)
extents_case("indirect-that-nothing-needs", "E-", lambda g: "5 h:5 @%d:%d:0:3" % (g.arc.number, g.arc.add(b"h:5")))


def at(gen, text, size=5):
    n, text = gen.arc.number, gen.proven(text.decode("latin-1")).encode("latin-1")
    return "%d @%d:%d:0:%d" % (size, n, gen.arc.add(text), len(text))


def many_runs(gen):
    n, c = one(gen, b"x")
    text = (b"%d:%d:0:1 " % (n, c)) * 40000
    return at(gen, text[:-1], 40000)


extents_case("indirect-40000-runs-of-one-byte", "", many_runs, exit=0, sha=sha256(b"x" * 40000))


def many_same(gen):
    c = gen.arc.add(b"h:1 " * (1 << 20))
    return "%d %s" % (1 << 40, " ".join("@%d:%d:0:4194304" % (gen.arc.number, c) for _ in range(70)))


extents_case("indirect-280-MiB-of-lists", "E-", many_same, check=victim_rest)


# ---- the chain from root.age to each byte (docs/format.md, section 6); the attacker has the key, so each link stands alone ----

LONG = bytes(range(251)) * 20000  # five chunks


def chain_case(name, code, build, exit=2, check=victim_rest, rescue="", **more):
    """build(gen) gives the extents of the file, or an Entry."""
    def entries(gen, env):
        e = build(gen)
        return [F(b"before", extents=gen.extents(b"before")), e if isinstance(e, Entry) else F(b"file", extents=e), F(b"later", extents=gen.extents(b"later"))]
    entries_case("chain-" + name, code, entries, exit, check=check, rescue=rescue or (code and "before any byte|not what was captured"), **more)


def content(want):
    def check(out, env):
        with open(out + "/file", "rb") as f:
            assert f.read() == want, "the file came back wrong"
        assert open(out + "/before").read() == "before" and open(out + "/later").read() == "later", "good files beside it are missing"
    return check


def digit(text, i=-1):
    """The text with another hexadecimal digit at i."""
    b = bytearray(text)
    b[i] = ord("1") if b[i] == ord("0") else ord("0")
    return bytes(b)


def swapped(gen, a, b):
    """Extents of the content a, whose places are those of the content b."""
    there, here = gen.extents(b).split(b" "), gen.extents(a).split(b" ")
    runs = [y.rsplit(b":", 1)[0] + b":" + x.rsplit(b":", 1)[1] for x, y in zip(here[1:], there[1:])]
    return extents_of(b" ".join([here[0]] + runs), sha256(a))


def slices(gen, parts):
    """Extents that are slices of one chunk, one after the other: a bundle."""
    n, at, runs = gen.arc.add(b"".join(parts)), 0, []
    for p in parts:
        runs.append(gen.arc.run(n, at, len(p)))
        at += len(p)
    return runs


def liar(gen, raw, true):
    """A chunk of these bytes that stands in INDEX and D as that of others."""
    n = gen.arc.add(raw, cid=gen.repo.piece(true).hex())
    return extents_of("%d %s" % (len(true), gen.arc.run(n, 0, len(true))), sha256(true))


def whole_run(gen, raw, bad=None):
    """One run of many whole chunks, and `bad` in place of the third."""
    first = gen.arc.n
    for i in range(0, len(raw), CHUNK):
        gen.arc.add(raw[i:i + CHUNK])
    run = gen.arc.run(first, 0, len(raw))
    if bad is not None:
        run = run.rsplit(":", 1)[0] + ":" + sha256(b"".join(gen.repo.piece(bad if i == 2 * CHUNK else raw[i:i + CHUNK]) for i in range(0, len(raw), CHUNK)))
    return extents_of("%d %s" % (len(raw), run), sha256(raw))


def named(gen, sha, raw=b"0123456789"):
    return F(b"file", extents=gen.extents(raw), sha=sha)


chain_case("wrong-digest", "E-EXTENT-13", lambda g: extents_of(digit(g.extents(b"0123456789")), sha256(b"0123456789")))
chain_case("swapped-places", "E-EXTENT-13", lambda g: swapped(g, b"a" * 5000, b"b" * 5000))
chain_case("swapped-places-of-many-chunks", "E-EXTENT-13", lambda g: swapped(g, LONG, LONG[::-1]))
chain_case("digest-of-another-order", "E-EXTENT-13", lambda g: whole_run(g, LONG, LONG[:CHUNK]))
chain_case("run-of-many-chunks", "", lambda g: whole_run(g, LONG), exit=0, check=content(LONG))
chain_case("swapped-slices", "E-EXTENT-13", lambda g: (lambda r: extents_of("5 " + r[1].rsplit(":", 1)[0] + ":" + r[0].rsplit(":", 1)[1], sha256(b"11111")))(slices(g, [b"11111", b"22222"])))
chain_case("slice", "", lambda g: extents_of("5 " + slices(g, [b"11111", b"22222"])[1], sha256(b"22222")), exit=0, check=content(b"22222"))
chain_case("run-from-inside-a-chunk-over-its-end", "", lambda g: extents_of("10 " + g.arc.run((g.arc.add(b"x" * 100), g.arc.add(b"y" * 100))[0], 95, 10), sha256(b"xxxxxyyyyy")), exit=0, check=content(b"xxxxxyyyyy"))
chain_case("digest-of-the-slice-as-if-whole", "E-EXTENT-13", lambda g: extents_of("5 %d:%d:0:5:%s" % (g.arc.number, g.arc.add(b"1111122222"), sha256(g.repo.piece(b"1111122222"))), sha256(b"11111")))
chain_case("chunk-is-not-its-id", "E-ARCHIVE-17", lambda g: liar(g, b"evil!", b"good!"), rescue="is not what its id says")
chain_case("slice-of-a-chunk-that-is-not-its-id", "E-ARCHIVE-17", lambda g: extents_of("4 " + (lambda n: g.arc.run(n, 0, 4))(g.arc.add(b"evil!", cid=g.repo.piece(b"good!").hex())), sha256(b"evil")), rescue="is not what its id says")
for name, f in [("missing", lambda t: t.rsplit(b":", 1)[0]), ("of-63-digits", lambda t: t[:-1]), ("of-65-digits", lambda t: t + b"0"), ("empty", lambda t: t.rsplit(b":", 1)[0] + b":"),
                ("in-capitals", lambda t: t.rsplit(b":", 1)[0] + b":" + t.rsplit(b":", 1)[1].upper().replace(b"0", b"A")), ("twice", lambda t: t + b":" + t.rsplit(b":", 1)[1]),
                ("not-hexadecimal", lambda t: t[:-64] + b"g" * 64)]:
    chain_case("digest-" + name, "E-", (lambda f: lambda g: extents_of(f(g.extents(b"0123456789")), sha256(b"0123456789")))(f), check=None, rescue="file.*malformed")
chain_case("digest-on-a-hole", "E-", lambda g: extents_of("5 h:5:" + "0" * 64, sha256(bytes(5))), check=None, rescue="file.*(invalid|malformed)")
chain_case("digest-of-the-list-of-runs-wrong", "E-EXTENT-13", lambda g: extents_of(digit(g.proven(at(g, b"h:5")).encode()), sha256(bytes(5))))
chain_case("digest-in-the-list-of-runs-wrong", "E-EXTENT-13", lambda g: (lambda t: extents_of(g.proven(at(g, digit(t.split(b" ", 1)[1]), 10)), sha256(b"0123456789")))(g.extents(b"0123456789")))
chain_case("sha256-wrong", "E-EXTENT-14", lambda g: named(g, sha256(b"others").encode()), rescue="file.*SHA-256")
chain_case("sha256-missing", "E-CATALOG-02", lambda g: named(g, b""), check=None, rescue="file.*SHA-256")
chain_case("sha256-of-63-digits", "E-CATALOG-02", lambda g: named(g, sha256(b"0123456789").encode()[:-1]), check=None, rescue="file.*SHA-256")
chain_case("sha256-in-capitals", "E-CATALOG-02", lambda g: named(g, b"A" * 64), check=None, rescue="file.*SHA-256")
chain_case("sha256-binary", "E-CATALOG-02", lambda g: named(g, hashlib.sha256(b"0123456789").digest()), check=None, rescue="file")
chain_case("sha256-of-an-empty-file-wrong", "E-EXTENT-14", lambda g: F(b"file", sha=b"0" * 64), rescue="file.*SHA-256")
chain_case("sha256-of-an-empty-file-missing", "E-CATALOG-02", lambda g: F(b"file", sha=b""), check=None, rescue="file.*SHA-256")
chain_case("sha256-without-the-hole", "E-EXTENT-14", lambda g: F(b"file", extents=extents_of("100 h:100", sha256(b""))), rescue="file.*SHA-256")
chain_case("sha256-with-the-hole", "", lambda g: F(b"file", extents=extents_of("100 h:100", sha256(bytes(100)))), exit=0, check=content(bytes(100)))
chain_case("sha256-missing-at-1-GiB-of-holes", "E-CATALOG-02", lambda g: F(b"file", extents=b"%d h:%d" % (HOLES, HOLES)), check=None, rescue="file.*SHA-256")
chain_case("sha256-missing-above-1-GiB-of-holes", "", lambda g: F(b"file", extents=b"%d h:%d h:1" % (HOLES + 1, HOLES)), exit=0, check=None)
chain_case("sha256-above-1-GiB-of-holes", "E-CATALOG-02", lambda g: F(b"file", extents=b"%d h:%d h:1" % (HOLES + 1, HOLES), sha=b"0" * 64), check=None, rescue="file.*SHA-256")
chain_case("sha256-without-extents", "E-CATALOG-02", lambda g: Entry(b"file", b"2", link=b"x", records=((b"SCHILY.xattr.bkp.sha256", b"0" * 64),)), check=None)
CASES[-1].rescue = None  # it makes the symbolic link
chain_case("sha256-of-a-hard-link-missing", "E-CATALOG-02", lambda g: F(b"file", typ=b"1", link=b"before", extents=g.extents(b"before"), sha=b""), check=None)
CASES[-1].rescue = None  # it makes the link


def link_case(name, code, root=None, rescue=None, **seal):
    """A generation with true data, and a hostile line of root.age."""
    def make(out, keys, env):
        gen = start(out, keys)
        gen.fill(good_entries(gen))
        gen.seal(**seal)
        if root:
            root(gen)
        gen.write()
    CASES.append(Case("chain-" + name, make, code, rescue=rescue, check=lambda out, env: nothing_given(out), **({"unharmed": None} if root else {})))


def nothing_given(out):
    for p in GOOD:
        assert not os.path.lexists(os.path.join(os.fsencode(out), p)), "%s was given out" % p


def cut_root(archive, member, value=None):
    """root.age, whose first line, or that of the last archive, has another member, or none."""
    def root(gen):
        true = gen.root_lines

        def lines():
            out = true()
            line = out[-1 if archive else 0]
            line.pop(member) if value is None else line.update({member: value})
            return out
        gen.root_lines = lines
    return root


def wrong_list(gen):
    gen.list_extents = digit(gen.list_extents.encode()).decode()


link_case("index-is-not-the-proven-one", "E-ARCHIVE-14", index_sha256="0" * 64, rescue="INDEX")
link_case("index-sha256-missing", "E-GEN-01", cut_root(True, "index_sha256"), rescue="victim@1: .*index_sha256")
link_case("index-sha256-malformed", "E-GEN-01", cut_root(True, "index_sha256", "0" * 63))
link_case("index-sha256-in-capitals", "E-GEN-01", cut_root(True, "index_sha256", "A" * 64))
link_case("index-sha256-is-a-number", "E-GEN-01", cut_root(True, "index_sha256", 7))
link_case("chunk-id-key-missing", "E-GEN-01", cut_root(False, "chunk_id_key"), rescue="victim@1: .*chunk_id_key")
link_case("chunk-id-key-malformed", "E-GEN-01", cut_root(False, "chunk_id_key", "zz" * 32), rescue="victim@1: .*hexadecimal")
link_case("chunk-id-key-short", "E-GEN-01", cut_root(False, "chunk_id_key", "00" * 31), rescue="victim@1 is lost")
link_case("chunk-id-key-is-another", "E-ARCHIVE-17", cut_root(False, "chunk_id_key", "00" * 32), rescue="not what")
link_case("digest-of-the-block-list-wrong", "E-EXTENT-13", wrong_list, rescue="not what was captured")


def other_index(path, gen):
    """An archive made by someone who knows the recipients and what is in it: two chunks of one length have changed places."""
    with open(path, "rb") as f:
        plain = run(["age", "-d", "-i", gen.repo.keys.identity], f.read())
    at = int(plain.rstrip(b"\0\n").rsplit(b" ", 1)[1])
    head, a, b, *rest = plain[at:].split(b"\n")
    cut = lambda x, y: b" ".join(x.split(b" ")[:1] + y.split(b" ")[1:])
    with open(path, "wb") as f:
        f.write(gen.repo.keys.encrypt(plain[:at] + b"\n".join([head, cut(a, b), cut(b, a)] + rest)))


# ---- blocks and block lists ----

def list_case(name, code, lines, exit=2, **more):
    def make(out, keys, env):
        gen = start(out, keys)
        gen.fill([F(b"a"), F(b"b")])
        r = lines(gen)
        if isinstance(r, str):
            gen.list_extents = gen.proven(r)
        else:
            gen.list_extents = gen.extents(r if isinstance(r, Extents) else gen.proven(r.decode()).encode()).decode()
        gen.write()
    CASES.append(Case("blocks-" + name, make, code, exit, **more))


def run_of(gen, raw):
    return "%d:%d:0:%d" % (gen.arc.number, gen.arc.add(raw), len(raw))


def line(gen, raw, n, path):
    return ("%s %d %s\n" % (run_of(gen, raw), n, path)).encode()


ab = block([F(b"a"), F(b"b")])
list_case("list-garbage", "E-CATALOG-11", lambda g: b"nonsense\n")
list_case("list-without-newline", "E-CATALOG-11", lambda g: line(g, ab, 2, "a")[:-1])
list_case("list-with-hostile-path", "E-CATALOG-11", lambda g: line(g, ab, 2, "../a"))
list_case("list-with-bad-escape", "E-CATALOG-11", lambda g: line(g, ab, 2, "%zz"))
list_case("list-not-ascending", "E-CATALOG-11", lambda g: line(g, block([F(b"z")]), 1, "z") + line(g, ab, 2, "a"))
list_case("same-block-twice", "E-CATALOG-11", lambda g: line(g, ab, 2, "a") * 2)
list_case("overlapping-blocks", "E-CATALOG", lambda g: line(g, ab, 2, "a") + line(g, block([F(b"aa"), F(b"c")]), 2, "aa"))
list_case("fewer-entries-than-said", "E-CATALOG-12", lambda g: line(g, ab, 3, "a"))
list_case("more-entries-than-said", "E-CATALOG-12", lambda g: line(g, ab, 1, "a"))
list_case("no-entries-said", "E-CATALOG", lambda g: line(g, ab, 0, "a"))
list_case("another-first-path", "E-CATALOG-12", lambda g: line(g, ab, 2, "b"))
list_case("block-of-5-MiB", "E-CATALOG-11", lambda g: ("%d:%d:0:%d 2 a\n" % (g.arc.number, g.arc.add(ab), 5 << 20)).encode())
list_case("block-in-unknown-archive", "E-ARCHIVE-11", lambda g: b"77:0:0:2048 2 a\n")
list_case("block-is-not-tar", "E-CATALOG-01", lambda g: line(g, b"\xff" * 4096, 2, "a"))
list_case("block-of-zeros", "E-CATALOG", lambda g: line(g, b"\0" * 4096, 2, "a"))
list_case("block-without-end", "E-CATALOG-01", lambda g: line(g, ab[:-1024], 2, "a"))
list_case("block-cut", "E-CATALOG-01", lambda g: line(g, ab[:-1100], 2, "a"))
list_case("block-with-more-behind", "E-CATALOG", lambda g: line(g, ab + ab, 2, "a"))
list_case("block-is-gzip", "E-CATALOG", lambda g: line(g, gzip.compress(ab), 2, "a"))
list_case("block-is-cpio", "E-CATALOG", lambda g: line(g, run(["bsdcpio", "-o", "--quiet"], b"/etc/hostname\n") if shutil.which("bsdcpio") else b"070701", 1, "a"))
list_case("block-of-5000-entries", "E-CATALOG", lambda g: line(g, block([Light(b"%05d" % i) for i in range(8000)]), 8000, "00000"))
list_case("list-is-a-hole-of-1-EiB", "E-MEM-02", lambda g: "%d h:%d" % (1 << 60, 1 << 60))
list_case("list-extents-garbage", "E-EXTENT-01", lambda g: "x")
list_case("list-extents-unknown-archive", "E-ARCHIVE-11", lambda g: "10 55:0:0:10")


class Light(Entry):
    """An entry of one header block only: a symbolic link."""

    def __init__(self, path):
        Entry.__init__(self, path)

    def pack(self):
        return tar_header(self.path, 0, b"2", link=b"x")


def gigabyte_of_zeros(g):
    c = g.arc.add(b"\0" * (4 << 20), lz4=bomb_frame(4 << 20))
    return "%d %s" % (1 << 30, " ".join("%d:%d:0:4194304" % (g.arc.number, c) for _ in range(256)))


list_case("list-is-a-gigabyte-of-zeros", "E-MEM-02", gigabyte_of_zeros)
list_case("digest-of-a-block-wrong", "E-EXTENT-13", lambda g: line(g, ab, 2, "a").replace(b" ", b":" + b"0" * 64 + b" ", 1), rescue="2 entries from a on are lost")
list_case("digest-of-a-block-missing", "E-CATALOG-11", lambda g: extents_of(line(g, ab, 2, "a"), "as it is"), rescue="2 entries from a on are lost|malformed")



# ---- archives: victim's is damaged; the attacker has no key ----

def archive_case(name, code, damage, exit=2, **more):
    def make(out, keys, env):
        gen = start(out, keys)
        text = "".join("line %d\n" % i for i in range(30000)).encode()
        gen.fill([F(b"a", extents=gen.extents(text)), F(b"b", extents=gen.extents(text[::-1]))])
        gen.write()
        damage(archive_of(gen), gen)
    CASES.append(Case("archive-" + name, make, code, exit, **more))


def archive_of(gen):
    """The path of its first archive."""
    sha = gen.table[0][1]
    return "%s/%s/archives/%s/%s.age" % (gen.repo.dir, gen.folder, sha[:2], sha)


def edit(f):
    def damage(path, gen):
        with open(path, "rb") as h:
            b = bytearray(h.read())
        b = f(b, gen) or b
        with open(path, "wb") as h:
            h.write(b)
    return damage


def flip(at):
    def f(b, gen):
        b[at if at >= 0 else len(b) + at] ^= 1
    return edit(f)


archive_case("flipped-in-header", "E-A(GE|RCHIVE)", flip(30))
archive_case("flipped-in-data", "E-A(GE|RCHIVE)", flip(100000))
archive_case("flipped-at-end", "E-A(GE|RCHIVE)", flip(-1))
archive_case("truncated", "E-ARCHIVE-13", edit(lambda b, g: b[:-1]))
archive_case("cut-at-a-segment", "E-", edit(lambda b, g: b[:200 + 65552]))
archive_case("longer", "E-ARCHIVE-13", edit(lambda b, g: b + b"x"))
archive_case("empty", "E-ARCHIVE-13", lambda p, g: open(p, "wb").close())
archive_case("missing", "E-ARCHIVE-12", lambda p, g: os.unlink(p))
archive_case("is-a-symlink", "E-ARCHIVE-16|E-IO-01", lambda p, g: (os.rename(p, p + "x"), os.symlink(p + "x", p)))
archive_case("is-a-fifo", "E-IO-01", lambda p, g: (os.unlink(p), os.mkfifo(p)))
archive_case("is-a-folder", "E-IO-01", lambda p, g: (os.unlink(p), os.mkdir(p)))
archive_case("is-in-a-symlinked-folder", "E-IO-01", lambda p, g: (os.rename(os.path.dirname(p), g.repo.dir + "/elsewhere"), os.symlink(g.repo.dir + "/elsewhere", os.path.dirname(p))), unharmed=None)
archive_case("swapped-with-another", "E-ARCHIVE-1[34]", lambda p, g: shutil.copy(archive_of(g.good), p))
archive_case("zeroed", "E-A(GE|RCHIVE)", edit(lambda b, g: bytearray(len(b))))
archive_case("is-text", "E-A(GE|RCHIVE)", edit(lambda b, g: bytearray(b"hello " * 100000)[:len(b)].ljust(len(b))))


def forged(path, gen):
    """Made by someone who knows the recipients, of exactly the same length: only the hash tells."""
    with open(path, "rb") as f:
        plain = bytearray(run(["age", "-d", "-i", gen.repo.keys.identity], f.read()))
    at = plain.find(b"line 7\n")
    plain[at:at + 7] = b"lies 7\n"
    b = gen.repo.keys.encrypt(bytes(plain))
    with open(path, "wb") as f:
        f.write(b)


archive_case("forged-for-our-recipient", "E-ARCHIVE-17", forged, rescue="is not what its id says")
archive_case("forged-with-another-index", "E-ARCHIVE-14", other_index, rescue="INDEX")


# ---- archives: what is inside, made by whoever holds the key ----

def inside_case(name, code, build, exit=2, **more):
    def make(out, keys, env):
        gen = start(out, keys)
        gen.fill([F(b"a", extents=gen.extents(b"content of a")), F(b"b", extents=gen.extents(b"content of b"))])
        r = build(gen.arc, gen)
        gen.seal(**(r if isinstance(r, dict) else {"data": r}))
        gen.write()
    CASES.append(Case("inside-" + name, make, code, exit, **more))


def index(f):
    return lambda arc, gen: arc.finish(index=f(arc.index().decode(), arc).encode())


def change(i, col, value):
    def f(arc, gen):
        arc.lines[i][col] = value(arc) if callable(value) else value
        return arc.finish()
    return f


inside_case("index-of-another-number", "E-ARCHIVE-02", index(lambda t, a: t.replace(" %d\n" % a.number, " %d\n" % (a.number + 5), 1)))
inside_case("index-of-another-repository", "E-ARCHIVE-02", index(lambda t, a: t.replace("3f1d6a52", "00000000", 1)))
inside_case("index-of-another-data-set", "E-ARCHIVE-02", index(lambda t, a: t.replace(" victim ", " good ", 1)))
inside_case("index-of-no-data-set", "E-ARCHIVE-0[12]", index(lambda t, a: t.replace(" victim ", " ", 1)))
inside_case("index-version-2", "E-ARCHIVE-01", index(lambda t, a: t.replace("bkp-index 1", "bkp-index 2", 1)))
inside_case("index-count-lies", "E-ARCHIVE-01", index(lambda t, a: t.replace("end %d" % a.n, "end %d" % (a.n + 1))))
inside_case("index-line-missing", "E-ARCHIVE-01", index(lambda t, a: t.split("\n")[0] + "\n" + t.split("\n", 2)[2]))
inside_case("index-points-behind-the-end", "E-ARCHIVE-01", index(lambda t, a: t[:t.rindex(" ") + 1] + "99999999\n"))
inside_case("index-points-before-itself", "E-ARCHIVE-14", index(lambda t, a: t[:t.rindex(" ") + 1] + "0\n"))
inside_case("index-garbage", "E-ARCHIVE-01", index(lambda t, a: "\xff" * 500))
inside_case("index-empty", "E-ARCHIVE-01", index(lambda t, a: ""))
inside_case("index-of-20-MiB", "E-ARCHIVE-01", index(lambda t, a: t.split("\n")[0] + "\n" + ("0" * 64 + " 512 1 1\n") * 270000 + "end 270000 %d\n" % (len(a.plain) + 512)))
inside_case("index-missing", "E-ARCHIVE-01", lambda a, g: g.repo.keys.encrypt(a.plain + b"\0" * 1024))
inside_case("offset-behind-index", "E-ARCHIVE-01", change(0, 1, lambda a: len(a.plain) + 5000))
inside_case("offsets-overlap", "E-ARCHIVE-01", change(1, 1, lambda a: a.lines[0][1]))
inside_case("offset-of-64-bits", "E-ARCHIVE-01", change(0, 1, BIG * 2))
inside_case("stored-length-behind-index", "E-ARCHIVE-01", change(0, 2, 1 << 21))
inside_case("stored-length-zero", "E-ARCHIVE-01", change(0, 2, 0))
inside_case("raw-length-too-long", "E-CODEC-01", change(0, 3, 4 << 20))
inside_case("raw-length-too-short", "E-EXTENT-13", change(0, 3, 3))
inside_case("raw-length-above-4-MiB", "E-ARCHIVE-01", change(0, 3, (4 << 20) + 1))
inside_case("raw-length-zero", "E-ARCHIVE-01", change(0, 3, 0))


def with_chunk(lz4, said):
    def build(arc, gen):
        n = arc.add(b"x", lz4=lz4, said_raw=said)
        gen.list_extents = "%d %s" % (said, arc.run(n, 0, said))
        return arc.finish()
    return build


inside_case("lz4-bomb-of-1-GiB-said-4-MiB", "E-CODEC-01", with_chunk(bomb_frame(1 << 30)[:4 << 20], 4 << 20))
inside_case("lz4-bomb-of-1-GiB-said-1-byte", "E-CODEC-01", with_chunk(bomb_frame(1 << 29), 1))
inside_case("lz4-garbage", "E-CODEC-01", with_chunk(b"\xff" * 1000, 1000))
inside_case("lz4-two-frames", "E-CODEC-01", with_chunk(frame(b"aa") + frame(b"bb"), 4))
inside_case("lz4-cut", "E-CODEC-01", with_chunk(frame(b"abcdefgh")[:-6], 8))
inside_case("lz4-skippable-frame", "E-CODEC-01", with_chunk(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + frame(b"x"), 1), exit=None)
inside_case("lz4-content-size-lies", "E-CODEC-01", with_chunk(frame(b"abc", said=1 << 40), 3))
inside_case("zst-bomb-of-1-GiB-said-4-MiB", "E-CODEC-01", with_chunk(zst_frame(4 << 20, 8192), 4 << 20))
inside_case("zst-bomb-of-1-GiB-said-1-byte", "E-CODEC-01", with_chunk(zst_frame(1, 8192), 1))
inside_case("zst-says-1-GiB", "E-CODEC-01", with_chunk(zst_frame(1 << 30, 8192), 4 << 20))
inside_case("zst-says-1-TiB-in-a-window-of-1-TiB", "E-CODEC-01", with_chunk(zst_frame(1 << 40, 32, 0xF0), 4 << 20))
inside_case("zst-window-of-1-TiB", "E-", with_chunk(zst_frame(4 << 20, 32, 0xF0), 4 << 20))
inside_case("zst-garbage", "E-CODEC-01", with_chunk(b"\x28\xb5\x2f\xfd" + b"\xff" * 1000, 1000))
inside_case("zst-two-frames", "E-CODEC-01", with_chunk(zst(b"aa") + zst(b"bb"), 4))
inside_case("zst-cut", "E-CODEC-01", with_chunk(zst(b"abcdefgh" * 99)[:-3], 8 * 99))
inside_case("zst-behind-a-skippable-frame", "E-CODEC-01", with_chunk(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zst(b"x"), 1))
inside_case("zst-before-a-skippable-frame", "E-CODEC-01", with_chunk(zst(b"x") + b"\x50\x2a\x4d\x18\x04\0\0\0abcd", 1))
inside_case("zst-without-content-size", "E-CODEC-01", with_chunk(run(["zstd", "-q", "-c"], b"abc"), 3))
inside_case("zst-good-deep", "", lambda a, g: (a.add(b"x", lz4=zst(b"x")), a.finish())[-1], exit=0, command="verify", args=("--deep",), unharmed=None)
inside_case("zst-named-lz4-deep", "E-VERIFY-04", lambda a, g: (a.add(b"x", lz4=zst(b"x"), suffix=b".lz4"), a.finish())[-1], command="verify", args=("--deep",), unharmed=None)
inside_case("lz4-named-zst-deep", "E-VERIFY-04", lambda a, g: (a.add(b"x", suffix=b".zst"), a.finish())[-1], command="verify", args=("--deep",), unharmed=None)
inside_case("not-age", "E-AGE", lambda a, g: a.plain + b"x" * 3000)
inside_case("age-for-somebody-else", "E-AGE-03", lambda a, g: run(["age", "-r", other_recipient(g)], a.plain))
inside_case("age-for-a-thousand-others", "E-AGE", lambda a, g: many_stanzas(a, g, 1000))
inside_case("age-header-without-end", "E-AGE", lambda a, g: b"age-encryption.org/v1\n" + b"-> X " + b"a" * (3 << 20))
inside_case("age-scrypt-work-factor-30", "E-AGE", lambda a, g: b"age-encryption.org/v1\n-> scrypt " + base64.b64encode(b"s" * 16).rstrip(b"=") + b" 30\n" + base64.b64encode(b"k" * 32).rstrip(b"=") + b"\n--- " + base64.b64encode(b"m" * 32).rstrip(b"=") + b"\n" + b"n" * 16 + b"c" * 100)
inside_case("tar-header-lies-deep", "E-VERIFY-04", lambda a, g: a.__dict__.update(plain=a.plain.replace(b".lz4", b".exe", 1)) or a.finish(), command="verify", args=("--deep",), unharmed=None)
inside_case("no-end-of-tar-deep", "E-VERIFY-04", lambda a, g: a.finish(tail=b"\0" * 512), command="verify", args=("--deep",), unharmed=None)
inside_case("more-behind-the-end-deep", "E-", lambda a, g: a.finish(tail=b"\0" * 4096), command="verify", args=("--deep",), unharmed=None)
inside_case("chunk-id-wrong-deep", "E-VERIFY-05", change(0, 0, "ab" * 32), command="verify", args=("--deep",), unharmed=None)


def other_recipient(gen, cache={}):
    if "r" not in cache:
        cache["r"] = run(["sh", "-c", "age-keygen 2>/dev/null | age-keygen -y"]).decode().strip()
    return cache["r"]


def many_stanzas(arc, gen, n):
    return run(["age"] + ["-r", other_recipient(gen)] * n, arc.plain)


# ---- generations: victim@1 is hostile, victim@2 and good@1 are good ----

def generation_case(name, code, build, exit=2, signed=True, unharmed="victim@2", **more):
    def make(out, keys, env):
        gen = start(out, keys)
        repo = gen.repo
        gen.fill(good_entries(gen))
        if signed:
            gen.seal()
            r = build(gen)
            if isinstance(r, dict):
                gen.write(**r)
            elif r != "written":
                gen.write()
            good_generation(repo, 2)
        else:
            gen.write()
            good_generation(repo, 2)
            build(gen)
    CASES.append(Case("generation-" + name, make, code, exit, unharmed=unharmed, **more))


def file_of(gen, name):
    return "%s/%s/%s" % (gen.repo.dir, gen.dir, name)


def edit_file(name, f):
    def build(gen):
        edit(lambda b, g: f(b))(file_of(gen, name), gen)
    return build


def flip_file(name, at):
    def build(gen):
        flip(at)(file_of(gen, name), gen)
    return build


def manifest(**members):
    return lambda gen: {"manifest": members}


def root(f):
    def build(gen):
        lines = gen.root_lines()
        lines = f(lines) or lines
        return {"root": "".join(json.dumps(x) + "\n" for x in lines).encode()}
    return build


def sums(f):
    def build(gen):
        gen.write()
        gen.repo.write(gen.dir + "/SHA256SUMS", f(gen.sums(), gen))
        gen.sign()
        return "written"
    return build


U = dict(signed=False)
generation_case("sums-flipped", "E-VAULT-06", flip_file("SHA256SUMS", 3), **U)
generation_case("sums-cut", "E-VAULT-06", edit_file("SHA256SUMS", lambda b: b[:-140]), **U)
generation_case("sums-missing", "E-VAULT-07", lambda g: os.unlink(file_of(g, "SHA256SUMS")), **U)
generation_case("signature-flipped", "E-VAULT-06", flip_file("SHA256SUMS.minisig", 60), **U)
generation_case("signature-empty", "E-VAULT-06", edit_file("SHA256SUMS.minisig", lambda b: bytearray(b"\n")), **U)
generation_case("signature-missing", "E-VAULT-05", lambda g: os.unlink(file_of(g, "SHA256SUMS.minisig")), **U)
generation_case("signature-of-another-key", "E-VAULT-06", lambda g: sign_with_other(g), **U)
generation_case("signature-prehashed", "E-VAULT-06", lambda g: run(["minisign", "-S", "-s", g.repo.keys.sign, "-m", file_of(g, "SHA256SUMS"), "-t", "bkp:1 kind=generation repository=%s dataset=victim generation=1 uuid=%s" % (g.repo.id, g.uuid)]), **U)
generation_case("signature-of-another-generation", "E-VAULT-06", lambda g: shutil.copy(file_of(g, "SHA256SUMS.minisig").replace("000001", "000002"), file_of(g, "SHA256SUMS.minisig")), **U)
generation_case("signature-of-1-MiB", "E-", edit_file("SHA256SUMS.minisig", lambda b: b + b"x" * (1 << 20)), **U)
generation_case("manifest-flipped", "E-VAULT-07", flip_file("manifest.json", 50), **U)
generation_case("manifest-missing", "E-VAULT-08", lambda g: os.unlink(file_of(g, "manifest.json")), **U)
generation_case("manifest-is-a-symlink", "E-IO-01", lambda g: (os.rename(file_of(g, "manifest.json"), file_of(g, "m")), os.symlink("m", file_of(g, "manifest.json"))), **U)
generation_case("manifest-is-a-fifo", "E-IO-01", lambda g: (os.unlink(file_of(g, "manifest.json")), os.mkfifo(file_of(g, "manifest.json"))), **U)
generation_case("sums-is-a-fifo", "E-IO-01", lambda g: (os.unlink(file_of(g, "SHA256SUMS")), os.mkfifo(file_of(g, "SHA256SUMS"))), **U)
generation_case("manifest-of-40-MiB", "E-", edit_file("manifest.json", lambda b: b + b" " * (40 << 20)), **U)
generation_case("root-flipped", "E-VAULT-07|E-AGE-0[24]", flip_file("root.age", -20), **U)
generation_case("root-missing", "E-VAULT-08", lambda g: os.unlink(file_of(g, "root.age")), **U)
generation_case("root-of-another-generation", "E-VAULT-07", lambda g: shutil.copy(file_of(g, "root.age").replace("000001", "000002"), file_of(g, "root.age")), **U)
generation_case("folder-is-a-symlink", "E-IO-01|E-VAULT-04", lambda g: (os.rename(g.repo.dir + "/" + g.dir, g.repo.dir + "/x"), os.symlink("../../../x", g.repo.dir + "/" + g.dir)), **U)
generation_case("folder-renumbered", "E-VAULT-06", lambda g: (shutil.rmtree(g.repo.dir + "/" + g.dir), shutil.copytree(g.repo.dir + "/" + g.dir.replace("000001", "000002"), g.repo.dir + "/" + g.dir)), **U)
generation_case("copied-from-another-data-set", "E-VAULT-06", lambda g: from_another_set(g), **U)
generation_case("copied-from-another-repository", "E-VAULT-06", lambda g: foreign(g, True), **U)
generation_case("copied-from-another-site", "E-VAULT-06", lambda g: foreign(g, False), **U)
generation_case("manifest-of-another-kind", "E-GEN-01", manifest(kind="bkp-medium"))
generation_case("manifest-of-format-2", "E-GEN-02", manifest(format=2))
generation_case("manifest-without-uuid", "E-GEN-01", manifest(uuid=None))
generation_case("manifest-uuid-with-slashes", "E-GEN-01", manifest(uuid="../../../../../outside/aaaaaaaaaaaaaaa"))
generation_case("manifest-is-not-json", "E-GEN-01", lambda g: {"manifest": b"{" * 5000})
generation_case("manifest-deeply-nested", "E-GEN-01", lambda g: {"manifest": b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"})
generation_case("manifest-of-another-number", "E-VAULT-06", manifest(generation=2))
generation_case("manifest-of-number-zero", "E-", manifest(generation=0))
generation_case("manifest-number-of-64-bits", "E-", manifest(generation=1 << 64))
generation_case("manifest-of-another-repository", "E-VAULT-06", manifest(repository="00000000-0000-4000-8000-000000000000"))
generation_case("manifest-of-another-uuid", "E-VAULT-06", manifest(uuid="00000000-0000-4000-8000-000000000000"))
generation_case("manifest-counts-other-archives", "E-VAULT-06", manifest(archives=7))
generation_case("manifest-without-data-set", "E-GEN-01", manifest(dataset=None))
generation_case("manifest-of-another-data-set", "E-VAULT-06", manifest(dataset="good"))
generation_case("manifest-data-set-named-dotdot", "E-GEN-01", manifest(dataset="../outside"))
generation_case("manifest-data-set-named-latest", "E-GEN-01", manifest(dataset="latest"))
generation_case("manifest-data-set-of-another-case", "E-GEN-01", manifest(dataset="VICTIM"))
generation_case("manifest-with-strange-verdict", "E-GEN-01", manifest(verdict="splendid"))
generation_case("manifest-of-what-failed", "E-GEN-01", manifest(verdict="failed"))
generation_case("manifest-offset-of-a-week", "E-GEN-01", manifest(utc_offset=604800))
generation_case("manifest-offset-is-a-text", "E-GEN-01", manifest(utc_offset="+09:00"))
generation_case("manifest-without-offset", "E-GEN-01", manifest(utc_offset=None))
generation_case("manifest-without-root-sha256", "E-GEN-01", manifest(root_sha256=None))
generation_case("manifest-of-another-root", "E-VAULT-0[67]", manifest(root_sha256="0" * 64))
generation_case("manifest-time-impossible", "E-GEN-01", manifest(finished="2026-02-30T99:99:99Z"))
generation_case("comment-of-another-kind", "E-VAULT-06", lambda g: {"comment": " kind=medium"})
generation_case("comment-of-another-number", "E-VAULT-06", lambda g: {"comment": " dataset=victim generation=2 uuid=" + g.uuid})
generation_case("comment-of-another-data-set", "E-VAULT-06", lambda g: {"comment": " dataset=good generation=1 uuid=" + g.uuid})
generation_case("comment-of-no-data-set", "E-VAULT-06", lambda g: {"comment": " generation=1 uuid=" + g.uuid})
generation_case("comment-with-more", "E-VAULT-06", lambda g: {"comment": " dataset=victim generation=1 uuid=%s trust=me" % g.uuid})
generation_case("sums-with-dotdot", "E-GEN-03", sums(lambda s, g: b"%s  ../../outside/secret\n" % (b"0" * 64) + s))
generation_case("sums-with-absolute-path", "E-GEN-03", sums(lambda s, g: b"%s  /etc/passwd\n" % (b"0" * 64) + s))
generation_case("sums-with-a-line-twice", "E-GEN-03", sums(lambda s, g: s.split(b"\n")[0] + b"\n" + s))
generation_case("sums-not-sorted", "E-GEN-03", sums(lambda s, g: b"\n".join(reversed(s.strip().split(b"\n"))) + b"\n"))
generation_case("sums-with-capital-digits", "E-GEN-03", sums(lambda s, g: s[:64].upper() + s[64:] if s[:64] != s[:64].upper() else b"A" + s[1:]))
generation_case("sums-empty", "E-VAULT-06", sums(lambda s, g: b""))
generation_case("sums-without-newline", "E-GEN-03", sums(lambda s, g: s[:-1]))
generation_case("sums-with-nul", "E-GEN-03", sums(lambda s, g: s[:-10] + b"\0" + s[-9:]))
generation_case("sums-name-is-not-the-hash", "E-GEN-03", sums(lambda s, g: (b"0" * 64) + s[64:]))
generation_case("sums-lists-another-generation", "E-VAULT-06", sums(lambda s, g: s + b"%s  generations/000002/manifest.json\n" % (b"0" * 64)))
generation_case("sums-without-root", "E-VAULT-06", sums(lambda s, g: b"".join(x + b"\n" for x in s.strip().split(b"\n") if b"root.age" not in x)))
generation_case("sums-without-places", "E-VAULT-06", sums(lambda s, g: b"".join(x + b"\n" for x in s.strip().split(b"\n") if b"places.age" not in x)))
generation_case("sums-relative-to-the-repository", "E-GEN-03", sums(lambda s, g: s.replace(b"  ", b"  datasets/victim/")))
generation_case("sums-lists-another-data-set", "E-GEN-03", sums(lambda s, g: s + b"%s  ../good/generations/000001/manifest.json\n" % (b"0" * 64)))
generation_case("sums-lists-a-missing-archive", "E-VAULT-06", sums(lambda s, g: b"%s  archives/00/%s.age\n" % (b"0" * 64, b"0" * 64) + s))
generation_case("root-of-another-kind", "E-GEN-01", root(lambda l: l[0].update(kind="bkp-generation")))
generation_case("root-of-format-9", "E-GEN-01", root(lambda l: l[0].update(format=9)))
generation_case("root-of-another-number", "E-VAULT-06", root(lambda l: l[0].update(generation=2)))
generation_case("root-of-another-uuid", "E-VAULT-06", root(lambda l: l[0].update(uuid="00000000-0000-4000-8000-000000000000")))
generation_case("root-of-another-repository", "E-VAULT-06", root(lambda l: l[0].update(repository="00000000-0000-4000-8000-000000000000")))
generation_case("root-without-its-archive", "E-VAULT-06", root(lambda l: l[:-1]))
generation_case("root-with-another-archive", "E-VAULT-06", root(lambda l: l[-1].update(sha256="0" * 64)))
generation_case("root-with-one-archive-more", "E-VAULT-06", root(lambda l: l + [{"archive": 99, "sha256": "f" * 64, "size": 5, "index_sha256": "f" * 64}]))
generation_case("root-archive-number-twice", "E-GEN-01", root(lambda l: l + [{**l[-1], "sha256": "f" * 64}]))
generation_case("root-archive-of-another-size", "E-ARCHIVE-13", root(lambda l: l[-1].update(size=5)))
generation_case("root-of-another-data-set", "E-VAULT-06", root(lambda l: l[0].update(dataset="good")))
generation_case("root-of-no-data-set", "E-GEN-01", root(lambda l: l[0].pop("dataset") and None))
generation_case("root-data-set-named-dotdot", "E-GEN-01", root(lambda l: l[0].update(dataset="../outside")))
generation_case("root-unknown-line", "E-GEN-01", root(lambda l: [l[0], {"surprise": 1}] + l[1:]))
generation_case("root-garbage", "E-GEN-01", lambda g: {"root": b"\0\xff" * 1000})
generation_case("root-empty", "E-GEN-01", lambda g: {"root": b""})
generation_case("root-line-of-2-MiB", "E-GEN-01", lambda g: {"root": b'{"kind":"' + b"x" * (2 << 20) + b'"}\n'})
generation_case("root-of-270-MiB", "E-MEM-02|E-GEN", lambda g: {"root": b" " * (270 << 20)})
generation_case("asked-for-9", "E-VAULT-04", lambda g: None, selector="victim@9", **U)
generation_case("asked-for-a-folder", "E-SELECT", lambda g: None, exit=64, selector="../outside@1", **U)
# no reader of data needs places.age: that it is missing or damaged is damage, and all comes back
V = dict(command="verify", **U)
generation_case("places-missing", "E-VERIFY|E-VAULT", lambda g: os.unlink(file_of(g, "places.age")), **V)
generation_case("places-flipped", "E-VERIFY|E-VAULT", flip_file("places.age", -20), **V)
generation_case("places-is-a-fifo", "E-IO-01|E-VERIFY", lambda g: (os.unlink(file_of(g, "places.age")), os.mkfifo(file_of(g, "places.age"))), **V)
generation_case("places-is-a-symlink", "E-IO-01|E-VERIFY", lambda g: (os.unlink(file_of(g, "places.age")), os.symlink("../../../../../../outside/secret", file_of(g, "places.age"))), **V)
generation_case("places-of-another-generation", "E-VERIFY|E-VAULT", lambda g: shutil.copy(file_of(g, "places.age").replace("000001", "000002"), file_of(g, "places.age")), **V)
generation_case("places-missing-and-nobody-minds", "", lambda g: os.unlink(file_of(g, "places.age")), exit=0, check=lambda out, env: given_all(out), **U)


def given_all(out):
    for p, content in GOOD.items():
        with open(os.path.join(os.fsencode(out), p), "rb") as f:
            assert f.read() == content, "%s came back wrong" % p


def sign_with_other(gen):
    other = Keys(gen.repo.dir + "/../../otherkeys")
    other.signature(file_of(gen, "SHA256SUMS"), "bkp:1 kind=generation repository=%s dataset=victim generation=1 uuid=%s" % (gen.repo.id, gen.uuid))


def take_over(gen, theirs):
    """What is signed of theirs in the place of gen, with its archives."""
    shutil.rmtree(gen.repo.dir + "/" + gen.dir)
    shutil.copytree(theirs.repo.dir + "/" + theirs.dir, gen.repo.dir + "/" + gen.dir)
    for _, sha, _, _ in theirs.table:
        to = "%s/%s/archives/%s" % (gen.repo.dir, gen.folder, sha[:2])
        os.makedirs(to, exist_ok=True)
        shutil.copy("%s/%s/archives/%s/%s.age" % (theirs.repo.dir, theirs.folder, sha[:2], sha), to)


def from_another_set(gen):
    take_over(gen, gen.good)


def foreign(gen, same_key):
    base = gen.repo.dir + "/../../foreign"
    os.makedirs(base)
    repo = Repo(base, gen.repo.keys if same_key else Keys(base + "/keys"), "aaaaaaaa-0000-4000-8000-000000000001")
    take_over(gen, good_generation(repo, 1))


# ---- folders of data sets: what is called so that no data set can be, or is no folder, is passed over; all of the run comes back ----

def folder_case(name, build, code="", exit=0, **more):
    def make(out, keys, env):
        gen = start(out, keys)
        gen.fill(good_entries(gen))
        gen.write()
        build(gen, gen.repo.dir + "/datasets/")
    CASES.append(Case("folder-" + name, make, code, exit, selector="1", check=more.pop("check", lambda out, env: (given_all(out + "/victim"), given_all(out + "/good"))), **more))


for name, called in [("named-latest", "latest"), ("named-as-a-device", "con"), ("with-a-capital", "Victim"), ("with-a-space", "vic tim"), ("with-a-dot", "victim.1"),
                     ("hidden", ".victim"), ("to-deceive-a-terminal", "\x1b[2Jx"), ("of-200-characters", "v" * 200), ("with-an-at", "victim@1"), ("of-digits", "1")]:
    folder_case(name, lambda g, d, called=called: shutil.copytree(d + "victim", d + called))
folder_case("is-a-file", lambda g, d: open(d + "other", "w").close())
folder_case("is-a-fifo", lambda g, d: os.mkfifo(d + "other"))
folder_case("is-a-symlink", lambda g, d: os.symlink("victim", d + "other"))
folder_case("is-a-symlink-to-outside", lambda g, d: os.symlink("../../../outside", d + "other"))
folder_case("copied-under-another-name", lambda g, d: shutil.copytree(d + "victim", d + "other"), "E-VAULT-06", 2)
folder_case("named-otherwise", lambda g, d: os.rename(d + "victim", d + "other"), "E-VAULT-06", 2, check=lambda out, env: given_all(out + "/good"))
folder_case("victim-is-a-symlink", lambda g, d: (os.rename(d + "victim", d + "../v"), os.symlink("../v", d + "victim")), "E-RESTORE-02", 1, check=lambda out, env: given_all(out + "/good"))
folder_case("victim-is-gone", lambda g, d: shutil.rmtree(d + "victim"), "E-RESTORE-02", 1, check=lambda out, env: given_all(out + "/good"))
folder_case("a-thousand-of-them", lambda g, d: [os.makedirs(d + "other-%d/generations/000001" % i) for i in range(1000)], "", None, check=None)


# ---- repositories ----

def repository_case(name, code, build, exit=3, **more):
    def make(out, keys, env):
        repo = start(out, keys).repo
        good_generation(repo, 1)
        build(repo, out)
    CASES.append(Case("repository-" + name, make, code, exit, unharmed=None, **more))


def facts(f, key=None):
    def build(repo, out):
        path = repo.dir + "/repository.json"
        d = json.load(open(path))
        f(d)
        json.dump(d, open(path, "w"))
        (key(repo) if key else repo.keys).signature(path, "bkp:1 kind=repository repository=%s" % repo.id)
    return build


def attacker(repo):
    return Keys(repo.dir + "/../../attacker")


repository_case("json-flipped", "E-REPO-0", lambda r, o: flip(40)(r.dir + "/repository.json", None))
repository_case("signature-missing", "E-REPO-0", lambda r, o: os.unlink(r.dir + "/repository.json.minisig"))
repository_case("json-missing", "E-REPO-01|E-VAULT", lambda r, o: os.unlink(r.dir + "/repository.json"))
repository_case("json-not-json", "E-REPO-0", lambda r, o: edit(lambda b, g: bytearray(b"[" * 9999))(r.dir + "/repository.json", None))
repository_case("of-another-kind", "E-REPO-0", facts(lambda d: d.update(kind="bkp-medium")))
repository_case("of-format-2", "E-REPO-0", facts(lambda d: d.update(format=2)))
repository_case("without-keys", "E-REPO-0", facts(lambda d: d.update(keys=[])))
repository_case("attacker-adds-a-key-and-signs-with-it", "E-REPO-0|E-VAULT", lambda r, o: facts(lambda d: d["keys"].append({"epoch": 2, "public": attacker(r).public}), attacker)(r, o))
repository_case("attacker-replaces-the-key", "E-VAULT-03", lambda r, o: facts(lambda d: d.update(keys=[{"epoch": 1, "public": attacker(r).public}]), attacker)(r, o), root_key=True)
repository_case("signed-as-something-else", "E-REPO-03", lambda r, o: r.keys.signature(r.dir + "/repository.json", "bkp:1 kind=tools repository=%s" % r.id))
repository_case("folder-renamed", "E-VAULT-06|E-REPO", lambda r, o: os.rename(r.dir, o + "/00000000-0000-4000-8000-000000000000"))
repository_case("is-a-symlink", "E-VAULT-01", lambda r, o: (os.rename(r.dir, o + "/x"), os.symlink("x", r.dir)))
repository_case("two-of-them", "E-VAULT-01", lambda r, o: Repo(o, r.keys, "aaaaaaaa-0000-4000-8000-000000000001"))
repository_case("none", "E-VAULT-01", lambda r, o: shutil.rmtree(r.dir))
repository_case("of-the-old-layout", "E-VAULT-11", lambda r, o: [os.rename(r.dir + "/datasets/victim/" + n, r.dir + "/" + n) for n in ("generations", "archives")] + [shutil.rmtree(r.dir + "/datasets")])
repository_case("with-generations-of-the-old-layout", "E-VAULT-11", lambda r, o: os.rename(r.dir + "/datasets", r.dir + "/generations"))
repository_case("with-the-old-layout-beside-it", "", lambda r, o: [shutil.copytree(r.dir + "/datasets/victim/" + n, r.dir + "/" + n) for n in ("generations", "archives")], exit=0, check=lambda out, env: given_all(out))
repository_case("datasets-is-a-symlink", "E-", lambda r, o: (os.rename(r.dir + "/datasets", r.dir + "/x"), os.symlink("x", r.dir + "/datasets")), exit=None)
repository_case("datasets-is-a-file", "E-", lambda r, o: (shutil.rmtree(r.dir + "/datasets"), open(r.dir + "/datasets", "w").close()), exit=None)
repository_case("thousands-of-folders", "E-VAULT-01", lambda r, o: [os.mkdir("%s/%08x-0000-4000-8000-000000000000" % (o, i)) for i in range(3000)])


# ---- keys/: who can open it.  The attacker has not the root key; he knows everybody's recipient.  The period's key is not the person's here ----

NOTHING = dict(exit=2, check=lambda out, env: nothing_given(out))
WHOLE = dict(exit=0, check=lambda out, env: given_all(out))
TOLD = dict(exit=1, check=lambda out, env: given_all(out))


def keys_case(name, code, build, rescue="", made=None, **more):
    def make(out, keys, env):
        period = Keys(SCRATCH + "/period")
        period.sign, period.public, period.person = keys.sign, keys.public, keys.recipient
        gen = start(out, period)
        gen.fill(good_entries(gen))
        gen.write(**(made(gen) if made else {}))
        build(gen.repo, gen.repo.dir + "/keys/")
    CASES.append(Case("keys-" + name, make, code, unharmed=None, rescue=rescue, root_key=True, **more))


def thief():
    return Keys(SCRATCH + "/thief")


def person(repo, path, identity, to=None):
    """A person's file of the period whose identity is in that file."""
    with open(identity, "rb") as f:
        sealed = repo.keys.encrypt(f.read(), to or repo.keys.person)
    repo.write(path, sealed)
    return sha256(sealed)


def revision(repo, number, n, people, by=None, previous=None, recipient=None, keys=None, signed=None, **more):
    """keys/<number>/period-<n>.json as `by` signs it; people: {name: the SHA-256 of the file}."""
    path = "keys/%d/period-%d.json" % (number, n)
    repo.write(path, json.dumps({
        "format": 1, "kind": "bkp-period", "repository": repo.id, "period": number, "revision": n, "begun": "2026-11-21T02:00:00Z",
        "recipient": recipient or repo.keys.recipient,
        "people": [{"name": k, "recipient": repo.keys.person, "sha256": v} for k, v in people.items()], "previous": previous, **more}).encode())
    (by or repo.keys).signature("%s/%s" % (repo.dir, path), signed or "bkp:1 kind=period repository=%s period=%d revision=%d" % (repo.id, number, n))
    return path


def approver(repo, n, by, until):
    """The thief is named as an approver beside that revision of period 1."""
    path = "keys/1/period-%d.approver.json" % n
    repo.write(path, json.dumps({
        "format": 1, "kind": "bkp-key-approver", "repository": repo.id, "name": "thief", "public": thief().public, "until": until}).encode())
    by.signature("%s/%s" % (repo.dir, path), "bkp:1 kind=key-approver repository=%s" % repo.id)


def to_thief(number):
    """The generation is captured to the thief's key, by who has the host of the night, and says that it is of that period."""
    def made(gen):
        gen.repo.keys.recipient = thief().recipient
        return {"manifest": {"period": number}}
    return made


def forged_period(by, sign=True, json=True):
    def build(repo, d):
        sha = person(repo, "keys/2/tester.age", thief().identity)
        with open(repo.keys.identity, "rb") as f:  # he does not have it: what he hands on is noise
            repo.write("keys/2/previous.age", repo.keys.encrypt(b"AGE-SECRET-KEY-1\n", thief().recipient))
        path = revision(repo, 2, 1, {"tester": sha}, by(repo), {"period_sha256": "0" * 64, "identity_sha256": sha}, thief().recipient)
        if not sign:
            os.unlink(repo.dir + "/" + path + ".minisig")
        if not json:
            os.unlink(repo.dir + "/" + path)
    return build


def of_another(root, rid):
    """In the place of keys/ another repository's, of a thief who lets the same person open it."""
    def build(repo, d):
        shutil.rmtree(d)
        other = thief()
        other.person = repo.keys.person
        if root:
            other.sign, other.public = repo.keys.sign, repo.keys.public
        theirs = Repo(repo.dir + "/../../foreign", other, rid)
        shutil.copytree(theirs.dir + "/keys", d)
    return build


def thiefs_revision(n, by, until="2027-01-01T00:00:00Z"):
    """A revision above the true one, in which the thief's key is the period's; signed by him, named by whom `by` gives."""
    def build(repo, d):
        sha = person(repo, "keys/1/thief.age", repo.keys.identity, thief().recipient)
        revision(repo, 1, n, {"thief": sha}, thief(), recipient=thief().recipient)
        if by:
            approver(repo, n, by(repo), until)
    return build


def in_place(name, f):
    def build(repo, d):
        if os.path.isdir(d + name):
            shutil.rmtree(d + name)
        else:
            os.unlink(d + name)
        f(d + name)
    return build


def large(path):
    with open(path, "wb") as f:
        f.truncate(100 << 20)


def rolled_back(repo, d):
    """Who was added later is not there any more: the period's first revision, and its files, as they were then."""
    sha = person(repo, "keys/1/other.age", repo.keys.identity, thief().recipient)
    revision(repo, 1, 1, {"other": sha})
    os.unlink(d + "1/tester.age")


def people_swapped(repo, d):
    other = person(repo, "keys/1/other.age", repo.keys.identity, thief().recipient)
    with open(d + "1/tester.age", "rb") as f:
        revision(repo, 1, 2, {"other": other, "tester": sha256(f.read())})
    os.rename(d + "1/other.age", d + "x")
    os.rename(d + "1/tester.age", d + "1/other.age")
    os.rename(d + "x", d + "1/tester.age")


def second_period(previous):
    """A true period 2; its previous.age becomes what `previous` makes.  The generation is of period 1, and only tester of 2 is there."""
    def build(repo, d):
        period2 = Keys(SCRATCH + "/period2")
        with open(repo.keys.identity, "rb") as f:
            handed = repo.keys.encrypt(f.read(), period2.recipient)
        repo.write("keys/2/previous.age", handed)
        sha = person(repo, "keys/2/tester.age", period2.identity)
        with open(d + "1/period-1.json", "rb") as f:
            was = {"period_sha256": sha256(f.read()), "identity_sha256": sha256(handed)}
        revision(repo, 2, 1, {"tester": sha}, previous=was, recipient=period2.recipient)
        os.unlink(d + "1/tester.age")
        previous(repo, d + "2/previous.age", period2)
    return build


def other_previous(repo, path, period2):
    with open(thief().identity, "rb") as f:
        repo.write("keys/2/previous.age", repo.keys.encrypt(f.read(), period2.recipient))


def copied(n, as_):
    def build(repo, d):
        for end in (".json", ".json.minisig"):
            shutil.copy(d + n + end, d + as_ + end)
    return build


def garbage(*names):
    def build(repo, d):
        for n in names:
            os.makedirs(os.path.dirname(d + n), exist_ok=True)
            with open(d + n, "w") as f:
                f.write("{}")
    return build


keys_case("as-they-should-be", "", lambda r, d: None, **WHOLE)
keys_case("of-two-periods", "", second_period(lambda r, p, k: None), **WHOLE)
keys_case("none", "E-PERIOD-06", lambda r, d: shutil.rmtree(d), rescue="keys", **NOTHING)
keys_case("of-another-root", "E-PERIOD-02", of_another(False, "3f1d6a52-0c6e-4d7b-9a55-0123456789ab"), rescue="signature", **NOTHING)
keys_case("of-another-repository", "E-PERIOD-02", of_another(True, "aaaaaaaa-0000-4000-8000-000000000001"), rescue="signature", **NOTHING)
keys_case("forged-period", "E-PERIOD-02", forged_period(lambda r: thief()), rescue="keys/2/period-1.json", made=to_thief(2), **TOLD)
keys_case("forged-period-without-a-signature", "E-", forged_period(lambda r: thief(), sign=False), rescue="keys/2/period-1.json", made=to_thief(2), **TOLD)
keys_case("forged-period-that-nothing-describes", "E-PERIOD-06", forged_period(lambda r: thief(), json=False), rescue="keys/2", made=to_thief(2), **TOLD)
keys_case("forged-period-beside-the-true-one", "E-PERIOD-02", forged_period(lambda r: thief()), rescue="keys/2/period-1.json", **TOLD)
keys_case("another-key-under-the-true-period", "E-PERIOD-05", lambda r, d: None, rescue="another key than the root key signed", made=to_thief(1), **NOTHING)
keys_case("rolled-back", "E-PERIOD-04", rolled_back, rescue="opens none", **NOTHING)
keys_case("people-swapped", "E-PERIOD-03", people_swapped, rescue="not the file that was signed", **NOTHING)
keys_case("previous-of-another-period", "E-PERIOD-03", second_period(other_previous), rescue="previous.age: is not the file", **NOTHING)
keys_case("previous-is-missing", "previous.age", second_period(lambda r, p, k: os.unlink(p)), rescue="previous.age", **NOTHING)
keys_case("revision-65535-of-nobody", "E-", garbage("1/period-65535.json"), rescue="period-65535.json", **TOLD)
keys_case("revisions-that-are-none", "", garbage("1/period-0.json", "1/period-007.json", "1/period-65536.json", "1/period-01.json", "1/period--1.json", "1/period-.json"), **WHOLE)
keys_case("numbers-that-are-none", "", garbage("0/period-1.json", "007/period-1.json", "4097/period-1.json", "x/period-1.json", "-1/period-1.json"), **WHOLE)
keys_case("revision-under-another-number", "E-PERIOD-02", copied("1/period-1", "1/period-2"), rescue="keys/1/period-2.json", **TOLD)
keys_case("period-under-another-number", "E-PERIOD-02", lambda r, d: shutil.copytree(d + "1", d + "2"), rescue="keys/2/period-1.json", **TOLD)
keys_case("five-thousand-periods", "E-PERIOD-06", lambda r, d: [os.mkdir(d + str(i)) for i in range(2, 5001)], rescue="keys/2", **TOLD)
keys_case("twelve-thousand-revisions", "E-", lambda r, d: garbage(*("1/period-%d.json" % i for i in range(2, 12001)))(r, d), rescue="period-12000.json", **TOLD)
for name, called, code in [("json", "1/period-1.json", "E-"), ("signature", "1/period-1.json.minisig", "E-")]:
    keys_case(name + "-is-missing", code, in_place(called, lambda p: None), rescue="keys/1|period-1", **TOLD)
    keys_case(name + "-of-100-MiB", code, in_place(called, large), rescue="period-1.json", **TOLD)
    keys_case(name + "-is-a-fifo", code, in_place(called, os.mkfifo), rescue="period-1.json", **TOLD)
    keys_case(name + "-is-a-symlink", code, in_place(called, lambda p: os.symlink("../../../../outside/secret", p)), rescue="period-1.json", **TOLD)
    keys_case(name + "-is-a-folder", code, in_place(called, os.mkdir), rescue="period-1.json", **TOLD)
for name, f in [("missing", lambda p: None), ("of-100-MiB", large), ("a-fifo", os.mkfifo), ("a-symlink", lambda p: os.symlink("../../../../outside/secret", p))]:
    keys_case("person-is-" + name, "E-", in_place("1/tester.age", f), rescue="tester.age", **NOTHING)
for name, f in [("a-file", lambda p: open(p, "w").close()), ("a-fifo", os.mkfifo), ("a-symlink-to-itself", lambda p: os.symlink("1", p))]:
    keys_case("folder-is-" + name, "E-PERIOD", in_place("1", f), rescue="keys", **NOTHING)
    keys_case("folder-beside-is-" + name, "E-", lambda r, d, f=f: f(d + "2"), rescue="keys/2", **TOLD)
keys_case("approver-whom-nobody-named", "E-PERIOD-02", thiefs_revision(2, None), rescue="keys/1/period-2.json", **TOLD)
keys_case("approver-who-named-himself", "E-PERIOD-09", thiefs_revision(2, lambda r: thief()), rescue="approver.json", **TOLD)
keys_case("approver-whose-time-is-over", "E-PERIOD-09", thiefs_revision(2, lambda r: r.keys, "2026-11-20T00:00:00Z"), rescue="approver.json", **TOLD)


# ---- running ----

def snapshot(top, without):
    """Everything below top but `without`: kind, mode, owner, times, size, content, attributes."""
    out = {}
    for d, dirs, files in os.walk(top):
        if d == without:
            dirs[:] = []
            continue
        dirs[:] = [x for x in dirs if os.path.join(d, x) != without]
        for n in [d] + [os.path.join(d, f) for f in files] + [os.path.join(d, x) for x in dirs]:
            st = os.lstat(n)
            key = [st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_size, st.st_mtime_ns if n != os.path.dirname(without) else 0]
            if stat.S_ISREG(st.st_mode) and st.st_size < 50 << 20:
                with open(n, "rb") as f:
                    key.append(hashlib.sha256(f.read()).hexdigest())
            elif stat.S_ISLNK(st.st_mode):
                key.append(os.readlink(n))
            out[n] = key
    return out


def invoke(args):
    """Exit code, stderr, peak memory in KiB."""
    err = open(SCRATCH + "/stderr", "w+b")
    pid = os.fork()
    if pid == 0:
        os.dup2(err.fileno(), 2)
        os.dup2(os.open("/dev/null", os.O_RDWR), 1)
        os.dup2(1, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 30, 8 << 30))
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            os.execv(args[0], args)
        finally:
            os._exit(127)
    signal.alarm(120)
    _, status, usage = os.wait4(pid, 0)
    signal.alarm(0)
    err.seek(0)
    return (os.waitstatus_to_exitcode(status), err.read().decode(errors="replace"), usage.ru_maxrss)


def unharmed(c, restore, keys, top):
    if not c.unharmed:
        return
    out = top + "/target/good"
    code, err, _ = invoke([restore, "--medium", top + "/medium", "--identity", keys.identity, "--quiet", "--slip", slip_file(), "extract",
                            c.unharmed, "--to", out])
    assert code == 0, "what is unharmed gave exit %d: %s" % (code, err)
    given_all(out)


def slip_file():
    """Where the record of the key's use goes: not beside the target, where nothing else may come to be."""
    slip = SCRATCH + "/slip.json"
    if os.path.exists(slip):
        os.remove(slip)
    return slip


def run_case(c, restore, keys, sanitized):
    top = SCRATCH + "/case"
    out = top + "/target/out"
    for d in ("/medium", "/target", "/outside"):
        os.makedirs(top + d)
    with open(top + "/outside/secret", "w") as f:
        f.write("untouched")
    c.make(top + "/medium", keys, top)
    before = snapshot(top, top + "/target")
    if restore.endswith("rescue.py"):
        return run_rescue(c, restore, keys, top, out, before)
    slip = slip_file()
    args = [restore, "--medium", top + "/medium", "--identity", keys.identity, "--quiet", "--slip", slip]
    if c.root_key:
        args += ["--root-key", keys.public]
    args += [c.command, c.selector] + list(c.args) + (["--to", out] if c.command == "extract" else [])
    code, err, peak = invoke(args)
    after = snapshot(top, top + "/target")
    assert before == after, "something outside the target changed: %s" % sorted(k for k in set(before) | set(after) if before.get(k) != after.get(k))[:3]
    assert set(os.listdir(top + "/target")) <= {"out"}, "something beside the target was made"
    if os.path.exists(slip):
        with open(slip) as f:
            said = json.load(f)
        assert said["kind"] == "bkp-use" and said["exit"] == code, "the record of the key's use says something else: %s" % said
    assert code in (0, 1, 2, 3) or code == c.exit, "exit %s: %s" % (code, err[-2000:])
    assert c.exit is None or code == c.exit, "exit %d instead of %d: %s" % (code, c.exit, err)
    assert re.search(c.code, err) if c.code else True, "no %s in: %s" % (c.code, err)
    assert code == 0 or "bkp-restore: E-" in err, "exit %d without a code: %s" % (code, err)
    assert not any(ord(x) < 32 and x not in "\n\t" for x in err), "control characters on the terminal"
    assert sanitized or peak <= MEMORY, "%d KiB of memory" % peak
    if c.check:
        c.check(out, top)
    unharmed(c, restore, keys, top)
    return peak


def run_rescue(c, restore, keys, top, out, before):
    args = [sys.executable, "-I", restore, "extract", "--identity", keys.identity, "--root-key", keys.public, top + "/medium"]
    code, err, peak = invoke(args + [c.selector, out])
    assert before == snapshot(top, top + "/target") and set(os.listdir(top + "/target")) <= {"out"}, "something outside the target changed"
    assert code in ((1, 2) if c.exit else (0,)), "rescue.py: exit %d: %s" % (code, err)
    assert re.search(c.rescue, err), "rescue.py does not say '%s': %s" % (c.rescue, err)
    assert "Traceback" not in err, err
    if c.check:
        c.check(out, top)
    if c.unharmed:
        code, err, _ = invoke(args + [c.unharmed, top + "/target/good"])
        assert code == 0, "rescue.py: what is unharmed gave exit %d: %s" % (code, err)
    return peak


def main():
    global SCRATCH
    restore, SCRATCH, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    keys = Keys(SCRATCH + "/keys")
    with open(restore, "rb") as f:
        sanitized = b"__asan_init" in f.read()
    failed, peaks = 0, [0]
    unknown = set(names) - {c.name for c in CASES}
    if unknown:
        sys.exit("there is no case '%s'" % min(unknown))
    for c in CASES:
        if names and c.name not in names or c.rescue is None and restore.endswith("rescue.py"):
            continue
        try:
            peaks.append(run_case(c, restore, keys, sanitized))
        except (AssertionError, OSError) as e:
            failed += 1
            print("FAILED %s: %s" % (c.name, e))
            if names:
                sys.exit(1)
        subprocess.run(["chattr", "-R", "-f", "-i", "-a", SCRATCH + "/case"], stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", SCRATCH + "/case"])
    assert len({c.name for c in CASES}) == len(CASES), "two cases have one name"
    print("%d cases, %d failed, peak memory %d MiB%s" % (len(peaks) - 1 + failed, failed, max(peaks) // 1024, " (sanitized)" if sanitized else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
