#!/usr/bin/env python3
"""format_check.py [--docs DIR] --identity FILE... MEDIUM...: everything on a medium is what docs/format.md and docs/format-writer.md say.

Walks the medium, checks every signature, opens everything, and refuses what the two documents do not name: a file, a member of a JSON
text, an event or a member of one, a form of a line, a field of a header, a pax record, a name in an archive.  What is named is read from
the documents (trees, tables and JSON lines in them), so that they are the authority; what stands here has its section's number.
age, minisign, openssl, zstd and lz4 do the work; nothing of the product nor of rescue.py is used.  Exit 0; 1: what is wrong, a line each."""
import argparse, base64, binascii, functools, hashlib, hmac, itertools, json, os, re, stat, struct, subprocess, sys, tempfile

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SET = r"[a-z][a-z0-9-]{0,31}"
NUMBER = r"(?:0|[1-9][0-9]*)"
HEX = r"[0-9a-f]{64}"
TIME = r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z"
TMP = tempfile.TemporaryDirectory()


class Wrong(Exception):
    pass


def must(fine, *why):
    if not fine:
        raise Wrong(" ".join(str(w) for w in why))


def tool(argv, data=b""):
    p = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    must(p.returncode == 0, argv[0] + ":", p.stderr.decode(errors="replace").strip())
    return p.stdout


def scratch(data, name="scratch"):
    with open(TMP.name + "/" + name, "wb") as f:
        f.write(data)
    return f.name


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- what the documents name

def fences(text):
    return re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)


def rows(text, first):
    """the rows of the table whose first column is called that"""
    found = re.search(r"^\| %s \|.*\n\|[-|]+\n((?:\|.*\n)+)" % re.escape(first), text, re.M)
    must(found, "the documents have no table of", first)
    return [[c.strip() for c in re.split(r"(?<!\\) \| ", l.strip().strip("|").strip())] for l in found[1].splitlines()]


def spans(text):
    return re.findall(r"`([^`]+)`", text)


class Shape:
    """A JSON line of the documents: {"a":<uuid>,"b":[<name>…],"c":{…} or null}.  members None: no object."""
    def __init__(self, text):
        self.text, self.at = re.sub(r"\s*\n\s*", "", text), 0
        self.read = self.value()

    def value(self):
        kinds = [self.one()]
        while True:
            for mark in (" or ", "|"):
                if self.text.startswith(mark, self.at):
                    self.at += len(mark)
                    kinds.append(self.one())
                    break
            else:
                return kinds

    def one(self):
        c = self.text[self.at]
        if c == "{":
            members = {}
            while self.text[self.at] != "}":
                self.at += 1
                m = re.compile(r' ?"([\w*]+)":').match(self.text, self.at)
                if not m:  # " … members of the event …"
                    self.at = re.compile(r"[^,}]*").match(self.text, self.at).end()
                    members["*"] = ["…"]
                    continue
                self.at = m.end()
                members[m[1]] = self.value()
            self.at += 1
            return members
        if c == "[":
            self.at += 1
            inner = self.value()
            self.at = self.text.index("]", self.at) + 1
            return (inner,)
        m = re.compile(r'<[^>]*>(?: digits>)?|"[^"]*"|(?:(?! or )[^,}\]|])+').match(self.text, self.at)
        self.at = m.end()
        return m[0]


def is_leaf(value, want, fixed):
    if isinstance(value, (dict, list)):
        return False
    if want in ("<uuid>", "<time>", "<64 hex digits>") or want.startswith("<uuid"):
        return isinstance(value, str) and re.fullmatch(
            {"<time>": TIME, "<64 hex digits>": HEX}.get(want, UUID), value)
    if want in ("null", "true", "false") or fixed and re.fullmatch(r'[0-9]+|"[^"…]*"', want):
        return value == json.loads(want) and isinstance(value, type(json.loads(want)))
    if re.fullmatch(r'[0-9]+|"[^"]*"', want):  # an example
        return isinstance(value, str if want[0] == '"' else int)
    if re.fullmatch(r"<\w+(\|\w+)+>|<(\w+, )*\w+ or \w+>", want) and "null" not in want:
        return value in re.findall(r"\w+", want.replace(" or ", " "))
    return want != "<text>" and want != "<name>" or isinstance(value, str)


def fits(value, kinds, where, optional=frozenset()):
    """refuses what is of none of these kinds: lists of shapes"""
    why, fixed = None, len(kinds) > 1 or where.rpartition(".")[2] in ("format", "kind")
    for kind in kinds:
        if isinstance(kind, dict) and isinstance(value, dict):
            for name in value:
                must(name in kind, where + ": member", name, "is not named")
                fits(value[name], kind[name], where + "." + name)
            for name in kind:
                must(name in value or name in optional, where + ": member", name, "is missing")
            return
        if isinstance(kind, tuple) and isinstance(value, list):
            for v in value:
                fits(v, kind[0], where + "[]")
            return
        if isinstance(kind, str) and is_leaf(value, kind.rstrip("…") or "…", fixed):
            return
        why = kind
    must(False, where + ":", json.dumps(value)[:80], "is not", why)


class Members:
    """the members of an event as the cell of a table names them: `a`, `b` (`c`, `d`), `e` `[{"f":…}]`"""
    def __init__(self, text):
        self.inner, last, depth = {}, None, 0
        for t in re.findall(r"`[^`]+`|[()→]", text):
            if t in "()":
                depth += 1 if t == "(" else -1
            elif t == "→" and depth and last:
                self.inner[last] = "any"
            elif t[1] in "[{" and last:
                self.inner[last] = Shape(t[1:-1]).read
            elif depth == 0 and re.fullmatch(r"`[a-z_0-9]+`", t):
                last = t[1:-1]
                self.inner.setdefault(last, None)
            elif depth and last and not isinstance(self.inner[last], list) and self.inner[last] != "any" and re.fullmatch(r"`[\w.]+`", t):
                self.inner[last] = (self.inner[last] or ()) + (t[1:-1],)

    def check(self, record, where):
        for name, value in record.items():
            must(name in self.inner, where + ": member", name, "is not named")
            inner = self.inner[name]
            if isinstance(inner, Members):
                inner.check(value, where + "." + name)
            elif inner == "any":
                continue
            elif isinstance(inner, list):
                loosely(value, inner, where + "." + name)
            else:
                for v in value if isinstance(value, list) else [value]:
                    for deeper in v if isinstance(v, dict) else ():
                        must(deeper in (inner or ()), where + "." + name + ": member", deeper, "is not named")


def loosely(value, kinds, where):
    """names alone: which members an event may leave out its table says in words"""
    for kind in kinds:
        if isinstance(kind, list):
            loosely(value, kind, where)
        elif isinstance(kind, dict) and isinstance(value, dict):
            for name in value:
                must(name in kind, where + ": member", name, "is not named")
        elif isinstance(kind, tuple) and isinstance(value, list):
            for v in value:
                loosely(v, kind[0], where)


class Documents:
    def __init__(self, folder):
        self.format = open(folder + "/format.md", encoding="utf-8").read()
        self.writer = open(folder + "/format-writer.md", encoding="utf-8").read()
        self.both = self.format + self.writer
        self.files = [p.split("/") for p in (*self.tree(fences(self.format)[0]), *self.people())]  # a folder ends in ""
        self.kinds = {}
        for m in re.finditer(r'\{"(?:format":1,"kind|kind)":"([a-z-]+)"', self.both):
            self.kinds[m[1]] = Shape(self.both[m.start():]).read
        self.optional = {"bkp-root": {"said"}}  # section 8: "no member when that was nothing"
        self.optional["bkp-generation"] = {n for r in rows(self.section("8"), "member") if "absent" in r[1] for n in spans(r[0])}
        self.archive = Shape(re.search(r'\{"archive":<number>.*?\}', self.format)[0]).read
        self.comments = [pattern(t) for t in re.findall(r"`( ?(?:bkp:1 )?(?:kind|dataset)=[^`]*)`", self.both)]
        self.journal()
        self.pax()

    def section(self, number):
        return re.search(r"^## %s\. .*?(?=^## |\Z)" % number, self.format, re.M | re.S)[0]

    def tree(self, text):
        """section 1: patterns of paths below the medium"""
        stack = [""]
        for line in text.splitlines()[1:]:
            depth = (len(line) - len(line.lstrip())) // 2
            del stack[depth:]
            for name in re.split(r"  |, ", re.sub(r"^(\S+?(?:, \S+)*)(?: …)?  .*", r"\1", line.strip())):
                name = name.replace(" …", "")
                parts = stack[-1] + "/".join(component(p) for p in name.replace("(.minisig)", "").split("/"))
                yield parts
                if name.endswith("(.minisig)"):
                    yield parts + r"\.minisig"
            stack += [parts] * (depth + 1 - len(stack))

    def people(self):
        """section 10"""
        lists = r"SHA256SUMS(\.minisig|\.next)?"
        yield from ("tools/" + lists, UUID + "/procedures/" + lists, r"README\.txt\.next")
        for row in rows(self.writer, "file"):
            for name in spans(row[0]):
                if name.startswith("."):
                    name = last.rsplit(".", 1)[0] + name
                last = name
                yield "/".join(component(p) for p in name.split("/"))

    def journal(self):
        """section 9 of both"""
        text = next(f for f in fences(self.section("9")) if '"seq":1' in f)
        [self.line] = Shape(text).read
        who = re.search(r"Behind the members of the\nevent stand, where they are known, (.*?): who did it", self.writer, re.S)
        guard = Members(re.search(r"^`guard` stands in .*?[^\n]\n\n", self.writer, re.M | re.S)[0].split("data set:", 1)[1])
        guard.inner["measured"] = None
        self.events = {}
        for names, members in rows(self.writer, "event"):
            for name in spans(names):
                m = self.events[name] = Members(members)
                m.inner.update(Members(who[1]).inner)
                for a, b in re.findall(r"`(\w+)` as in `([\w-]+)`", members):
                    m.inner[a] = self.events[b].inner[a]
                if "members of a slip" in members:  # section 9: one line of JSON, described below the table
                    m.inner.update((n, [k]) for n, k in self.kinds["bkp-use"][0].items() if n not in (*self.line, "format", "kind"))
                if "guard" in m.inner:
                    m.inner["guard"] = guard
                must(not set(self.line) & set(m.inner) - {"sig"}, "event", name, "has a member that every line has")

    def pax(self):
        """section 7"""
        s = self.section("7")
        self.fields = []
        for offset, length, name, what in rows(s, "offset"):
            self.fields += zip(map(int, offset.split(",")), map(int, length.split(",")), name.split(", "))
        self.types = set(spans(next(r[3] for r in rows(s, "offset") if r[2] == "type")))
        records = [spans(r[0]) for r in rows(s, "record")]
        self.records = set(itertools.chain(*records)) - {"SCHILY.xattr.<name>"}
        self.words = {w for r in rows(s, "record") if "bkp.flags" in r[0] for w in spans(r[1])}
        self.fflags = set(re.findall(r"`([a-z-]+)`(?: \([a-z ]+\))? [a-zA-Z]\s0x", s))
        must(len(self.fields) > 12 and len(self.types) == 8 and len(self.records) > 10 and self.words and len(self.fflags) == 14,
             "the tables of section 7 are not as this program reads them")


def component(p):
    """a part of a path in the documents, as a pattern"""
    for what, to in (("<repository-id>", UUID), ("emr", SET), ("<person>.age", SET + r"\.age"), ("000001.jsonl", r"[0-9]{6}\.jsonl"),
                     ("ab12….age", HEX + r"\.age"), ("ab12….par", HEX + r"\.par"), ("period-1.json", r"period-[1-9][0-9]{0,4}\.json"),
                     ("period-1.approver.json", r"period-[1-9][0-9]{0,4}\.approver\.json"), ("ab", "[0-9a-f]{2}"), ("000042", "[0-9]{6,18}")):
        if p == what:
            return to
    if re.fullmatch(r"[1-9]", p):
        return "[1-9][0-9]{0,3}"
    return re.sub(r"<\\?\w+\\?>", ".+", re.escape(p))


def pattern(text):
    """`bkp:1 kind=<a|b> repository=<repository-id>` as one"""
    out = ""
    for t in re.findall(r"<[^>]*>|[^<]+", text):
        out += (re.escape(t) if t[0] != "<" else "(?:%s)" % t[1:-1] if "|" in t else r"\S+")
    return out


# ---- signatures and keys: section 2

class Signed:
    def __init__(self):
        self.verified = set()

    def line(self, text, sig, key):
        """openssl, once for each line: copies are beginnings of one another"""
        if (text, key) in self.verified:
            return
        raw = base64.b64decode(key, validate=True)
        der = scratch(bytes.fromhex("302a300506032b6570032100") + raw[10:], "key")
        tool(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", der, "-rawin", "-in", scratch(text),
              "-sigfile", scratch(base64.b64decode(sig, validate=True), "sig")])
        self.verified.add((text, key))

    def file(self, path, keys, may=("Ed",)):
        """the trusted comment; keys: RW… → epoch"""
        lines = open(path + ".minisig", "rb").read().decode().split("\n")
        must(len(lines) == 5 and lines[4] == "" and lines[0].startswith("untrusted comment: ") and lines[2].startswith("trusted comment: "),
             "the signature has another form")
        raw = base64.b64decode(lines[1], validate=True)
        must(len(raw) == 74 and raw[:2].decode("latin-1") in may, "the signature is of another kind")
        [key] = [k for k in keys if base64.b64decode(k)[2:10] == raw[2:10]] or [None]
        must(key, "signed with a key that is not known")
        tool(["minisign", "-V", "-q", "-P", key, "-m", path, "-x", path + ".minisig"])
        return lines[2][len("trusted comment: "):], keys[key]


SIGNED = Signed()


def loads(text):
    def pairs(found):
        must(len(dict(found)) == len(found), "a member stands twice")
        return dict(found)
    return json.loads(text, object_pairs_hook=pairs)


# ---- age files: appendix A

class Age:
    def __init__(self, identities):
        self.identities = identities

    def plain(self, path, recipients, identities=None):
        """recipients: how many stanzas it has, all X25519; None: any"""
        data = open(path, "rb").read()
        head, mark, _ = data.partition(b"\n--- ")
        must(data.startswith(b"age-encryption.org/v1\n") and mark, "is no age file")
        kinds = re.findall(rb"^-> (\S+)", head, re.M)
        must(recipients is None or kinds == [b"X25519"] * recipients, "has the stanzas", kinds)
        return tool(["age", "-d", *itertools.chain(*(("-i", i) for i in identities or self.identities)), path])


def identity(plain, opened, depth=4):
    """section 3: the plaintext of a person's file, or of one within it"""
    while not re.fullmatch(rb"AGE-SECRET-KEY-1[0-9A-Z]{58}\n?", plain):
        must(depth, "holds no identity")
        plain, depth = opened.plain(scratch(plain, "nested"), None), depth - 1
    return plain


# ---- frames: section 4, appendices B and C

def frame_kind(f, raw):
    if f[:4] == b"\x28\xb5\x2f\xfd":
        flags, at = f[4], 5
        must(flags & 0x1f == 0, "a Zstandard frame with a checksum or a dictionary")
        single = flags >> 5 & 1
        at += not single
        size = {0: 1 if single else 0, 1: 2, 2: 4, 3: 8}[flags >> 6]
        must(size and int.from_bytes(f[at:at + size], "little") + (256 if size == 2 else 0) == raw, "the content size is not raw")
        at += size
        while True:
            h = int.from_bytes(f[at:at + 3], "little")
            must(len(f) - at >= 3 and h >> 1 & 3 < 3, "a Zstandard block is of no kind")
            at += 3 + (1 if h >> 1 & 3 == 1 else h >> 3)
            if h & 1:
                break
        must(at == len(f), "the frame does not end where it should")
        return "zst"
    must(f[:4] == b"\x04\x22\x4d\x18" and f[4] == 0x68 and f[5] in (0x40, 0x50, 0x60, 0x70), "a frame of another kind")
    must(int.from_bytes(f[6:14], "little") == raw, "the content size is not raw")
    at = 15
    while n := int.from_bytes(f[at:at + 4], "little"):
        at += 4 + (n & 0x7fffffff)
        must(at < len(f), "the frame does not end where it should")
    must(at + 4 == len(f), "the frame does not end where it should")
    return "lz4"


def decoded(frames):
    """[(frame, raw)] → contents; the frames of a kind in one go"""
    out = {}
    for kind, program in (("zst", "zstd"), ("lz4", "lz4")):
        these = [(n, f, raw) for n, (f, raw) in enumerate(frames) if frame_kind(f, raw) == kind]
        if not these:
            continue
        plain, at = tool([program, "-q", "-d", "-c"], b"".join(f for _, f, _ in these)), 0
        for n, f, raw in these:
            out[n] = plain[at:at + raw]
            at += raw
        must(at == len(plain), "frames of", kind, "give", len(plain), "bytes, not", at)
        SEEN.add(kind)
    return [out[n] for n in range(len(frames))]


# ---- tar: section 7

class Header:
    def __init__(self, h, docs):
        must(len(h) == 512, "a header is cut")
        covered = bytearray(512)
        self.raw = {}
        for offset, length, name in docs.fields:
            self.raw[name] = h[offset:offset + length]
            covered[offset:offset + length] = b"\1" * length
        must(not any(b for b, c in zip(h, covered) if not c), "a header says something in a field that is not named")
        must(self.raw["magic"] == b"ustar\00000" and self.number("checksum") == sum(h) - sum(h[148:156]) + 256, "magic or checksum")
        self.type = self.raw["type"].decode("latin-1")
        for name in ("mode", "uid", "gid", "size", "mtime", "devmajor", "devminor"):
            self.number(name)
        must(self.number("mode") <= 0o7777, "mode")

    def number(self, name):
        text = re.split(rb"[\0 ]", self.raw[name].lstrip(b" "), maxsplit=1)[0]
        must(re.fullmatch(rb"[0-7]*", text), "the field", name, "is no octal number")
        return int(text or b"0", 8)

    def text(self, name):
        return self.raw[name].split(b"\0")[0]


def end_of_archive(data, at):
    must(data[at:] == bytes(1024), "the end of an archive is not 1,024 zero bytes")


class Archive:
    """section 4"""
    def __init__(self, plain, docs, repository, data_set, key):
        names, at, self.at = [], 0, {}
        while plain[at:at + 512].strip(b"\0"):
            h = Header(plain[at:at + 512], docs)
            must(h.type == "0" and h.type in docs.types, "an entry of type", h.type)
            names.append(h.text("name").decode("latin-1"))
            must(re.fullmatch(r"%s\.(lz4|zst)|INDEX" % HEX, names[-1]) and not h.text("prefix"), "an entry is called", names[-1])
            self.at[names[-1]] = (at + 512, h.number("size"))
            end = at + 512 + h.number("size")
            at = end + -end % 512
            must(not plain[end:at].strip(b"\0"), "not filled with zeros")
        end_of_archive(plain, at)
        must(names and names[-1] == "INDEX" and names.count("INDEX") == 1, "INDEX is not the last entry")
        begin, size = self.at["INDEX"]
        index = plain[begin:begin + size]
        self.index_sha256 = sha256(index)
        lines = index.decode().split("\n")
        head = re.fullmatch(r"bkp-index 1 (%s) (%s) (%s)" % (UUID, SET, NUMBER), lines[0])
        must(head and (head[1], head[2]) == (repository, data_set), "INDEX begins with", lines[0])
        self.number = int(head[3])
        must(lines[-1] == "" and lines[-2] == "end %d %d" % (len(lines) - 3, begin), "INDEX ends with", lines[-2])
        must(len(names) == len(lines) - 2 and len(names) <= 100001, "INDEX has another number of lines than there are chunks")
        frames, self.ids = [], []
        for line, name in zip(lines[1:-2], names):
            m = re.fullmatch(r"(%s) (%s) (%s) (%s)" % (HEX, NUMBER, NUMBER, NUMBER), line)
            must(m and name[:64] == m[1] and self.at[name] == (int(m[2]), int(m[3])) and 0 < int(m[4]) <= 4 << 20, "INDEX says", line)
            frames.append((plain[int(m[2]):int(m[2]) + int(m[3])], int(m[4])))
            must(name[65:] == frame_kind(*frames[-1]) , name, "holds a frame of another kind")
            self.ids.append(bytes.fromhex(m[1]))
        self.chunks = decoded(frames)
        for i, c in zip(self.ids, self.chunks):
            must(hmac.digest(key, c, "sha256") == i, "chunk", i.hex(), "has another content")


class Content:
    """section 6: runs of a data set"""
    def __init__(self, archives, key):
        self.archives, self.key = archives, key

    def run(self, text):
        m = re.fullmatch(r"(%s):(%s):(%s):([1-9][0-9]*):(%s)" % (NUMBER, NUMBER, NUMBER, HEX), text)
        must(m, "a run of another form:", text)
        a, c, o, left = (int(m[i]) for i in range(1, 5))
        must(a in self.archives, "refers to archive", a)
        a, out, ids = self.archives[a], [], b""
        while left:
            must(c < len(a.chunks), "a run goes beyond its archive")
            piece = a.chunks[c][o:o + left]
            must(piece, "a run begins behind its chunk")
            ids += a.ids[c] if len(piece) == len(a.chunks[c]) else hmac.digest(self.key, piece, "sha256")
            SEEN.add("slice" if len(piece) != len(a.chunks[c]) else "several chunks" if out else "chunk")
            out.append(piece)
            left, c, o = left - len(piece), c + 1, 0
        must(sha256(ids) == m[5], "a run has another digest")
        return b"".join(out)

    def parts(self, text):
        """(size, [bytes, or the length of a hole])"""
        size, *runs = text.split(" ")
        must(re.fullmatch(NUMBER, size), "a size:", size)
        at = [r.startswith("@") for r in runs]
        must(sorted(at) == at, "a run behind @")
        out = [r for r in runs if r[0] != "@"]
        if any(at):
            SEEN.add("@")
            more = b"".join(self.run(r[1:]) for r in runs if r[0] == "@").decode()
            out += more[more.startswith(" "):].split(" ")
        out = [int(r[2:]) if re.fullmatch(r"h:[1-9][0-9]*", r) else self.run(r) for r in out]
        must(sum(p if isinstance(p, int) else len(p) for p in out) == int(size), "the runs do not add up")
        return int(size), out

    def all(self, text):
        return b"".join(self.parts(text)[1])


class Entry:
    def __init__(self, h, records, docs, content):
        text = lambda field, record: records.get(record, h.text(field))
        must(h.type in docs.types - {"x"} and h.number("size") == 0, "an entry of type", h.type)
        must(b"path" not in records or not h.text("prefix"), "prefix before a record path")
        path = text("name", b"path")
        must(path.endswith(b"/") == (h.type == "5"), "a slash at the end")
        self.path = path[:-1] if h.type == "5" else path
        must(all(p not in (b"", b".", b"..") for p in self.path.split(b"/")) and b"\0" not in self.path, "a path", self.path)
        self.type, self.link = h.type, text("link", b"linkpath")
        SEEN.add("type " + h.type)
        for k, v in records.items():
            self.record(k.decode("latin-1"), v, docs)
        flags = records.get(b"SCHILY.xattr.bkp.flags", b"").decode().split(",")
        self.flags = {f for f in flags if f}
        must(self.flags <= docs.words, "flags", flags)
        self.extents = records.get(b"SCHILY.xattr.bkp.extents")
        special = records.get(b"SCHILY.xattr.bkp.special")
        must(h.type in "01" or self.extents is None, "extents of what is no file")
        must(special is None or h.type == "1", "bkp.special of what is no hard link")
        must("unreadable" in self.flags or h.type != "0" or self.extents is not None, "no extents")
        must(h.type != "1" or (self.extents is None) != (special is None), "a hard link of neither or both")
        must(special is None or re.fullmatch(rb"symlink .+|(char|block) [0-9]+ [0-9]+|fifo", special, re.S), "bkp.special")
        self.size, parts = content.parts(self.extents.decode()) if self.extents else (0, [])
        holes = sum(p for p in parts if isinstance(p, int))
        said = records.get(b"SCHILY.xattr.bkp.sha256")
        must((said is not None) == (self.extents is not None and holes <= 1 << 30), "bkp.sha256")
        SEEN.update(["hole"] * bool(holes) + ["more than 1 GiB of holes"] * (holes > 1 << 30))
        if said:
            d = hashlib.sha256()
            for p in parts:
                if isinstance(p, int):
                    for n in range(0, p, 1 << 20):
                        d.update(bytes(min(1 << 20, p - n)))
                else:
                    d.update(p)
            must(d.hexdigest().encode() == said, "the content has another SHA-256")

    def record(self, key, value, docs):
        if key.startswith("SCHILY.xattr.") and not key.startswith("SCHILY.xattr.bkp."):
            must(re.fullmatch(r"(?:[!-$&-<>-~]|%(?:[01][0-9A-F]|2[05]|3D|7F|[89A-F][0-9A-F]))+", key[13:]), "an attribute's name:", key)
            SEEN.add("xattr")
            return
        must(key in docs.records, "the record", key, "is not named")
        SEEN.add(key)
        known = {"hdrcharset": rb"BINARY", "mtime": rb"-?[0-9]+(\.[0-9]{1,9})?", "uid": rb"[0-9]+", "gid": rb"[0-9]+",
                 "SCHILY.xattr.bkp.sha256": HEX.encode()}.get(key)
        if key.startswith("SCHILY.acl."):
            rights = rb"[r-][w-][x-]"
            one = rb"(?:user|group|mask|other)::%s|(?:user|group):[^:,]+:%s(?::[0-9]+)?" % (rights, rights)
            known = rb"(?:%s)(?:,(?:%s))*" % (one, one)
        if key == "SCHILY.fflags":
            must(set(value.decode().split(",")) <= docs.fflags, "file flags", value)
        must(known is None or re.fullmatch(known, value), "the record", key, "has another form")


def entries(block, docs, content):
    at, records = 0, {}
    while block[at:at + 512].strip(b"\0"):
        h = Header(block[at:at + 512], docs)
        at += 512
        if h.type != "x":
            yield Entry(h, records, docs, content)
            records = {}
            continue
        body = block[at:at + h.number("size")]
        must(len(body) <= 900 << 10 and not records, "records")
        at += len(body) + -len(body) % 512
        while body:
            m = re.match(rb"([1-9][0-9]*) ([^=]+)=", body)
            must(m and body[int(m[1]) - 1:int(m[1])] == b"\n" and m[2] not in records, "a record of another form, or twice")
            records[m[2]] = body[m.end():int(m[1]) - 1]
            body = body[int(m[1]):]
    must(not records, "records without an entry")
    end_of_archive(block, at)


# ---- a medium

class Medium:
    def __init__(self, path, docs, opened):
        self.root, self.docs, self.opened, self.faults = path, docs, opened, []
        self.counts = dict.fromkeys(("files", "archives", "entries", "records"), 0)

    def each(self, where, what, *arguments):
        """a fault is said, and the rest goes on"""
        try:
            return what(*arguments)
        except (Wrong, OSError, ValueError, KeyError, IndexError, binascii.Error, AttributeError, TypeError) as e:
            self.faults.append("%s: %s" % (where, e if isinstance(e, Wrong) else "%s: %s" % (type(e).__name__, e)))
            return None

    def read(self, name):
        with open(self.root + "/" + name, "rb") as f:
            return f.read()

    def check(self):
        for folder, folders, files in os.walk(os.fsencode(self.root)):
            for name in files + [d for d in folders if os.path.islink(os.path.join(folder, d))]:
                path = os.fsdecode(os.path.join(folder, name))
                self.each(path, self.name, os.path.relpath(path, self.root), path)
            for name in folders:
                path = os.path.relpath(os.fsdecode(os.path.join(folder, name)), self.root)
                self.each(path, self.folder, path)
        [self.repo] = [d for d in os.listdir(self.root) if re.fullmatch(UUID, d)]
        self.each("repository.json", self.repository)
        self.each("journal", self.journal)
        for name in ("bkp-medium.json", "README.txt", "tools/SHA256SUMS", self.repo + "/procedures/SHA256SUMS"):
            if os.path.exists(self.root + "/" + name):
                self.each(name, self.signed, name)
        for d in ("tools", self.repo + "/procedures"):
            self.each(d, self.listed, d)
        self.each("keys", self.periods)
        self.each("repository.age", self.secrets)
        sets = self.root + "/" + self.repo + "/datasets"
        for s in sorted(os.listdir(sets)) if os.path.isdir(sets) else ():
            self.each("datasets/" + s, self.data_set, s)
        return self.faults

    def name(self, path, real):
        self.counts["files"] += 1
        st = os.lstat(real)
        must(stat.S_ISREG(st.st_mode), "is no regular file")
        parts = path.split("/")
        must(any(len(parts) == len(p) and all(map(re.fullmatch, p, parts)) for p in self.docs.files), "no document names this file")
        must("/datasets/" not in path or stat.S_IMODE(st.st_mode) == 0o444, "its mode is not 0444")
        if path.endswith(".json"):
            self.json(path)

    def folder(self, path):
        parts = path.split("/")
        must(any(len(parts) < len(p) and all(map(re.fullmatch, p, parts)) for p in self.docs.files), "no document names this folder")

    @functools.lru_cache(None)
    def json(self, path):
        value = loads(self.read(path))
        kind = value.get("kind")
        must(kind in self.docs.kinds, "the kind", kind, "is not named")
        fits(value, self.docs.kinds[kind], kind, self.docs.optional.get(kind, frozenset()))
        return value

    def repository(self):
        self.facts = self.json(self.repo + "/repository.json")
        must(self.facts["repository"] == self.repo, "is of another repository")
        self.keys = {self.facts["keys"][0]["public"]: 1}
        self.signed(self.repo + "/repository.json")

    def comment(self, want, name, may=("Ed",), keys=None):
        comment, epoch = SIGNED.file(self.root + "/" + name, keys or self.keys, may)
        must(any(re.fullmatch(p, comment) or re.match(p + " dataset=", comment) for p in self.docs.comments), "the trusted comment is", comment)
        must(comment == want, "the trusted comment is", comment)
        return epoch

    def signed(self, name):
        kind = {"bkp-medium.json": "medium", "repository.json": "repository", "README.txt": "readme"}.get(
            os.path.basename(name), os.path.basename(os.path.dirname(name)))
        self.comment("bkp:1 kind=%s repository=%s" % (kind, self.repo), name)

    def listed(self, folder):
        """tools/ and procedures/: section 10"""
        if not os.path.isdir(self.root + "/" + folder):
            return
        sums = dict(reversed(l.split("  ")) for l in self.read(folder + "/SHA256SUMS").decode().splitlines())
        must(list(sums) == sorted(sums), "SHA256SUMS is not sorted")
        for n in sums:
            must(sha256(self.read(folder + "/" + n)) == sums[n], n, "is not what SHA256SUMS says")

    def journal(self):
        """section 9; makes self.keys, self.records"""
        folder = self.repo + "/journal"
        names = sorted(os.listdir(self.root + "/" + folder))
        must(names == ["%06d.jsonl" % (i + 1) for i in range(len(names))], "segments:", names)
        lines = []
        for n, name in enumerate(names):
            data = self.read(folder + "/" + name)
            must(len(data) <= 4 << 20 and (n == len(names) - 1 or data) and data[-1:] in (b"", b"\n"), name, "has no end")
            lines += data.splitlines()
        SEEN.update(["segments"] * (len(names) > 1))
        self.records, self.hashes, epoch, links = [], ["0" * 64], 1, b""
        key = next(iter(self.keys))
        for n, line in enumerate(lines, 1):
            self.each("%s: line %d" % (folder, n), self.record, n, line, key, epoch)
            self.hashes.append(sha256(line))
            r = json.loads(line)
            self.records.append(r)
            SEEN.update(["event " + r["event"]] + ["continued"] * ("continued" in r))
            if r["event"] == "epoch":
                key, epoch, links = r["key"], r["next"], links + line + b"\n"
                self.keys[key] = epoch
        self.counts["records"] = len(lines)
        must(self.read(self.repo + "/keys.jsonl").startswith(links), "keys.jsonl has other lines")

    def record(self, n, line, key, epoch):
        r = loads(line)
        must(r["event"] in self.docs.events, "the event", r["event"], "is not named")
        names, want = list(r), [m for m in self.docs.line if m != "*"]
        behind = want.index("event") + 1
        must(names[:behind] == want[:behind] and names[behind - len(want):] == want[behind:], "the members stand in another order")
        where = "event " + r["event"]
        self.docs.events[r["event"]].check({k: r[k] for k in names[behind:behind - len(want)]}, where)
        fits({k: r[k] for k in want}, [{**{k: self.docs.line[k] for k in want}, "seq": ["<number>"], "time": ["<time>"]}], where)
        text = line.decode()
        must(json.dumps(r, ensure_ascii=False, separators=(",", ":")) == text, "is not written without blanks")
        must(r["seq"] == n and r["prev"] == self.hashes[n - 1] and r["epoch"] == epoch and r["repository"] == self.repo, "the chain")
        sig = re.search(r',"sig":"([^"]*)"\}$', text)
        SIGNED.line((text[:sig.start()] + "}").encode(), sig[1], next(iter(self.keys)) if r.get("continued") else key)

    def revision(self, name, number, revision, rootkey):
        """(what it says, the names that belong to it)"""
        p, signers, approver, own = self.json(name + ".json"), rootkey, name + ".approver.json", os.path.basename(name)
        documents = {own + ".json", own + ".json.minisig"}
        if os.path.exists(self.root + "/" + approver):
            SEEN.add("approver")
            self.comment("bkp:1 kind=key-approver repository=%s" % self.repo, approver, ("Ed", "ED"), rootkey)
            must(p["begun"] <= self.json(approver)["until"], "the approver's time was over")
            signers = {self.json(approver)["public"]: 0}
            documents |= {own + ".approver.json", own + ".approver.json.minisig"}
        self.comment("bkp:1 kind=period repository=%s period=%d revision=%d" % (self.repo, number, revision), name + ".json", ("Ed", "ED"), signers)
        must(p["period"] == number and p["revision"] == revision and p["repository"] == self.repo, name)
        must(len({q["name"] for q in p["people"]}) == len(p["people"]), "two people of one name", name)
        must((p["previous"] is None) == (number == 1), "previous of", name)
        return p, documents

    def periods(self):
        """section 3; makes self.recipients and self.identities"""
        self.recipients, self.identities, known = {}, [], {}
        folder = self.repo + "/keys/"
        numbers = sorted((int(d) for d in os.listdir(self.root + "/" + folder) if d.isdigit()), reverse=True)
        must(numbers == list(range(len(numbers), 0, -1)), "periods", numbers)
        rootkey = {k: e for k, e in self.keys.items() if e == 1}
        for n in numbers:
            there = set(os.listdir("%s/%s%d" % (self.root, folder, n)))
            revisions = sorted(int(m[1]) for m in (re.fullmatch(r"period-([1-9][0-9]*)\.json", f) for f in there) if m)
            must(revisions, "revisions of period", n)
            documents = set()
            for revision in revisions:  # the last one counts
                p, more = self.revision("%s%d/period-%d" % (folder, n, revision), n, revision, rootkey)
                documents |= more
            names = {q["name"] + ".age": q["sha256"] for q in p["people"]}
            if n > 1:
                names["previous.age"] = p["previous"]["identity_sha256"]
            must(there == set(names) | documents, "files of", n)
            for name, h in names.items():
                must(sha256(self.read("%s%d/%s" % (folder, n, name))) == h, name, "is another")
            if n + 1 in known:
                SEEN.add("previous.age")
                known[n] = identity(self.opened.plain("%s/%s%d/previous.age" % (self.root, folder, n + 1), 1, [known[n + 1]]), self.opened)
            for name in sorted(set(names) - {"previous.age"}):
                try:
                    outer = self.opened.plain("%s/%s%d/%s" % (self.root, folder, n, name), None)
                    inner = identity(outer, self.opened)
                except Wrong:
                    continue
                SEEN.update(["nested"] * (inner != outer))
                must(n not in known or not isinstance(known[n], bytes) or known[n].strip() == inner.strip(), name, "holds another identity")
                known[n] = inner
            must(n in known, "nothing opens period", n)
            recipient = tool(["age-keygen", "-y", scratch(known[n])]).decode().strip()
            must(recipient == p["recipient"], "the identity of period", n, "is that of another recipient")
            known[n] = scratch(known[n], "period-%d" % n)
            self.recipients[n] = recipient
            SEEN.update(["several periods"] * (n > 1))
        self.identities = list(known.values())

    def secrets(self):
        data = self.read(self.repo + "/repository.age")
        must(sha256(data) == self.facts["secrets_sha256"], "is another")
        value = loads(self.opened.plain("%s/%s/repository.age" % (self.root, self.repo), 1, self.identities))
        fits(value, self.docs.kinds["bkp-repository-secrets"], "bkp-repository-secrets")
        self.key = bytes.fromhex(value["chunk_id_key"])

    def data_set(self, name):
        base = "%s/datasets/%s/" % (self.repo, name)
        archives = {}
        for folder, _, files in os.walk(self.root + "/" + base + "archives"):
            for f in files:
                path = os.path.join(folder, f)
                a = self.each(path, self.archive, path, name)
                if a:
                    must(a.number not in archives or a.sha256 == archives[a.number].sha256, "two archives of number", a.number)
                    archives[a.number] = a
        for g in sorted(os.listdir(self.root + "/" + base + "generations")):
            self.each(base + "generations/" + g, self.generation, name, base, g, archives)

    def archive(self, path, name):
        self.counts["archives"] += 1
        a = Archive(self.opened.plain(path, 1, self.identities), self.docs, self.repo, name, self.key)
        a.sha256, a.size = sha256(open(path, "rb").read()), os.path.getsize(path)
        must(os.path.basename(path) == a.sha256 + ".age" and os.path.basename(os.path.dirname(path)) == a.sha256[:2], "its name is another")
        return a

    def generation(self, name, base, folder, archives):
        """section 8"""
        there, number = base + "generations/" + folder + "/", int(folder)
        must("%06d" % number == folder, "a number so written")
        m = self.json(there + "manifest.json")
        must((m["repository"], m["dataset"], m["generation"]) == (self.repo, name, number), "manifest.json is of another generation")
        epoch = self.comment("bkp:1 kind=generation repository=%s dataset=%s generation=%d uuid=%s" % (self.repo, name, number, m["uuid"]),
                             there + "SHA256SUMS")
        sums = [l.split("  ") for l in self.read(there + "SHA256SUMS").decode().splitlines()]
        names = [n for _, n in sums]
        must(names == sorted(names) and [n for n in names if n[:9] != "archives/"] == [
            "generations/%s/%s" % (folder, n) for n in ("manifest.json", "places.age", "root.age")], "SHA256SUMS has other lines")
        for h, n in sums:
            must(sha256(self.read(base + n)) == h, n, "is another")
        must(m["root_sha256"] == dict((n, h) for h, n in sums)["generations/%s/root.age" % folder], "root_sha256")
        must(m["recipient"] == self.recipients[m["period"]], "the recipient is not that of the period")
        must(m["previous"] is None or m["previous"]["generation"] < number, "previous")
        must(self.hashes[m["journal"]["seq"]] == m["journal"]["sha256"], "the journal is another")
        [begin] = [r for r in self.records if r["event"] == "begin" and r["run"] == number]
        [done] = [r for r in self.records if r["event"] == "committed" and (r["dataset"], r["generation"]) == (name, number)]
        must(begin["uuid"] == done["uuid"] == m["uuid"] and begin["epoch"] == epoch and done["manifest_sha256"] == sha256(
            self.read(there + "manifest.json")), "the journal reports another generation")
        for a in set(m) & set(done) - {"journal", "version", "repository", "media"}:
            must(m[a] == done[a], a, "is not what the journal says")
        self.whole(m, self.root + "/" + there, archives, [n for n in names if n[:9] == "archives/"])

    def whole(self, m, there, archives, names):
        lines = self.opened.plain(there + "root.age", 1, self.identities)
        must(lines.endswith(b"\n"), "root.age has no end")
        root, *needed = [loads(l) for l in lines.splitlines()]
        fits(root, self.docs.kinds["bkp-root"], "bkp-root", self.docs.optional["bkp-root"])
        for n in needed:
            fits(n, self.docs.archive, "a line of root.age")
            a = archives[n["archive"]]
            must((a.sha256, a.size, a.index_sha256) == (n["sha256"], n["size"], n["index_sha256"]), "archive", n["archive"], "is another")
        must([n["archive"] for n in needed] == sorted({n["archive"] for n in needed}), "archives of root.age")
        must(sorted("archives/%s/%s.age" % (n["sha256"][:2], n["sha256"]) for n in needed) == names, "root.age has other archives")
        must(m["archives"] == len(needed) and m["archive_bytes"] == sum(n["size"] for n in needed), "archives of the manifest")
        for a in ("repository", "dataset", "generation", "uuid", "verdict", "entries", "files", "bytes"):
            must(m[a] == root[a], a, "is another in root.age")
        SEEN.update(["source " + root["source"]] + ["probe"] * (root["probe"] is not None) + ["said"] * ("said" in root))
        SEEN.update(k for k in ("together", "title", "suspect", "reason") if k in m)
        key = bytes.fromhex(root["chunk_id_key"])
        content = Content({n["archive"]: archives[n["archive"]] for n in needed}, key)
        before, files = None, []
        for line in content.all(root["blocks"]).decode().splitlines():
            f = re.fullmatch(r"(\S+) ([1-9][0-9]*) ((?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+)", line)
            must(f, "the block list has the line", line)
            found = list(entries(content.run(f[1]), self.docs, content))
            must(len(found) == int(f[2]) and found[0].path == re.sub(rb"%(..)", lambda x: bytes([int(x[1], 16)]), f[3].encode()),
                 "a block of other entries:", line)
            for e in found:
                must(before is None or before < e.path.split(b"/"), "not in order:", e.path)
                before = e.path.split(b"/")
                files.append(e)
        self.counts["entries"] += len(files)
        own = [e for e in files if e.type == "0"]
        first = {e.path: e for e in files}
        for e in files:
            if e.type == "1":
                must(e.link in first and first[e.link].type not in "15" and e.link.split(b"/") < e.path.split(b"/"), "a hard link to", e.link)
                must(e.extents is None or e.size == first[e.link].size, "a hard link of another content")
        must((len(files), len(own), sum(e.size for e in own)) == (root["entries"], root["files"], root["bytes"]), "counts of the catalog")
        must(sum("changed" in e.flags for e in files) == m["changed"], "changed")
        self.places(m, there, archives, key)

    def places(self, m, there, archives, key):
        """section 12"""
        lines = self.opened.plain(there + "places.age", 2, self.identities).decode().split("\n")
        must(lines[0] == "bkp-places 1 %s %s %d" % (self.repo, m["dataset"], m["generation"]), "places.age begins with", lines[0])
        a = n = None
        for line in lines[1:-2]:
            f = line.split(" ")
            if f[0] == "archive":
                a, n = archives.get(int(f[1])), (n or 0) + 1
                want = [str(a.number), a.sha256, str(a.size), a.index_sha256] if a else f[1:5]
                must(f[1:5] == want and len(f) == 6 and 0 < int(f[5]) <= m["generation"], "places.age says", line)
                continue
            must(n and re.fullmatch(r"[0-9a-f]{32}(?: %s){3} [ws]" % NUMBER, line), "places.age says", line)
            if a:
                c, o, length = map(int, f[1:4])
                must(hmac.digest(key, a.chunks[c][o:o + length], "sha256")[:16].hex() == f[0] and length and
                     (f[4] == "s" or o == 0 and length == len(a.chunks[c])), "places.age says wrongly", line)
        must(lines[-2:] == ["end %d" % (n or 0), ""], "places.age ends with", lines[-2:])


SEEN = set()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--docs", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs"))
    p.add_argument("--identity", action="append", required=True)
    p.add_argument("medium", nargs="+")
    o = p.parse_args()
    docs, wrong = Documents(o.docs), 0
    for path in o.medium:
        m = Medium(path, docs, Age(o.identity))
        for fault in m.check():
            wrong = 1
            print("%s: %s" % (path, fault))
        print("%s: %s; %d faults" % (path, ", ".join("%d %s" % (n, w) for w, n in m.counts.items()), len(m.faults)))
    print("seen: " + ", ".join(sorted(SEEN)))
    return wrong


if __name__ == "__main__":
    sys.exit(main())
