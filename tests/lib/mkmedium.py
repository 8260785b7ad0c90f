#!/usr/bin/env python3
"""Writes media of format 1 from docs/format.md alone, with stock age and minisign and none of our own code: what bkp-restore
reads here was never near the library it is tested with.  As a program: mkmedium.py KEYS OUT DATASET=FOLDER... makes run 1
of those folders, a generation each.  As a module: parts from which hostile media are made (hostile.py)."""
import base64, fcntl, hashlib, hmac, json, os, re, stat, struct, subprocess, sys, tempfile

CHUNK = 1 << 20
HOLES = 1 << 30  # the holes of a file that carries bkp.sha256 are no more
BUNDLE = 256 << 10


def sha256(b):
    return hashlib.sha256(b).hexdigest()


def run(args, data=b""):
    p = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        raise SystemExit("%s: %s" % (args[0], p.stderr.decode(errors="replace")))
    return p.stdout


class Keys:
    """An age identity and a minisign key, made once in a folder."""

    def __init__(self, folder):
        self.identity, self.sign = folder + "/identity.txt", folder + "/sign.key"
        if not os.path.exists(self.identity):
            os.makedirs(folder, exist_ok=True)
            run(["age-keygen", "-o", self.identity])
            run(["minisign", "-G", "-W", "-f", "-p", folder + "/sign.pub", "-s", self.sign])
        self.recipient = run(["age-keygen", "-y", self.identity]).decode().strip()
        self.public = open(folder + "/sign.pub").read().split("\n")[1]
        self.person = self.recipient  # who holds the period's key

    def encrypt(self, data, to=None):
        return run(["age", "-r", to or self.recipient], data)

    def raw(self, data):
        """The signature itself, base64, as the lines of a journal carry it."""
        with tempfile.TemporaryDirectory() as t:
            with open(t + "/m", "wb") as f:
                f.write(data)
            self.signature(t + "/m", "x")
            return base64.b64encode(base64.b64decode(open(t + "/m.minisig").read().split("\n")[1])[10:]).decode()

    def signature(self, path, comment):
        run(["minisign", "-S", "-l", "-s", self.sign, "-m", path, "-x", path + ".minisig", "-t", comment])


def xxh32(data, seed=0):
    """XXH32 of less than 16 bytes, enough for the header checksum of an LZ4 frame."""
    m, p = 0xFFFFFFFF, (2654435761, 2246822519, 3266489917, 668265263, 374761393)
    assert len(data) < 16
    h = (seed + p[4] + len(data)) & m
    rot = lambda v, r: ((v << r) | (v >> (32 - r))) & m
    while len(data) >= 4:
        h = rot((h + struct.unpack("<I", data[:4])[0] * p[2]) & m, 17) * p[3] & m
        data = data[4:]
    for b in data:
        h = rot((h + b * p[4]) & m, 11) * p[0] & m
    h = (h ^ (h >> 15)) * p[1] & m
    h = (h ^ (h >> 13)) * p[2] & m
    return h ^ (h >> 16)


def frame(raw, said=None):
    """An LZ4 frame of stored blocks; `said` lies about the content size."""
    head = bytes([0x68, 0x70]) + struct.pack("<Q", len(raw) if said is None else said)
    out = b"\x04\x22\x4d\x18" + head + bytes([(xxh32(head) >> 8) & 255])
    for i in range(0, len(raw), 4 << 20):
        part = raw[i:i + (4 << 20)]
        out += struct.pack("<I", len(part) | 0x80000000) + part
    return out + struct.pack("<I", 0)


def bomb_frame(n):
    """An LZ4 frame, one compressed block, that holds n zeros (n up to 4 MiB a block, many blocks) in few bytes."""
    head = bytes([0x68, 0x70]) + struct.pack("<Q", n)
    out = b"\x04\x22\x4d\x18" + head + bytes([(xxh32(head) >> 8) & 255])
    while n:
        part = min(n, 4 << 20)
        match = part - 1 - 5
        block = bytes([0x1F, 0, 1, 0])
        rest = match - 19
        block += b"\xff" * (rest // 255) + bytes([rest % 255]) + bytes([0x50]) + b"\0" * 5
        out += struct.pack("<I", len(block)) + block
        n -= part
    return out + struct.pack("<I", 0)


def tar_header(name, size, typ=b"0", mode=0o644, uid=0, gid=0, mtime=0, link=b"", major=0, minor=0):
    o = lambda v, n: (b"%0*o" % (n - 1, v)) + b"\0"
    h = name[:100].ljust(100, b"\0") + o(mode & 0o7777, 8) + o(uid if uid < 1 << 21 else 0, 8) + o(gid if gid < 1 << 21 else 0, 8)
    h += o(size, 12) + o(min(max(mtime, 0), (1 << 33) - 1), 12) + b" " * 8 + typ + link[:100].ljust(100, b"\0")
    h += b"ustar\x0000" + b"\0" * 64 + o(major, 8) + o(minor, 8) + b"\0" * 155 + b"\0" * 12
    return h[:148] + b"%06o\0 " % sum(h) + h[156:]


def pad(b):
    return b + b"\0" * (-len(b) % 512)


def record(key, value):
    n = len(key) + len(value) + 3
    while len(str(n)) + len(key) + len(value) + 3 != n:
        n = len(str(n)) + len(key) + len(value) + 3
    return b"%d %s=%s\n" % (n, key, value)


class Extents(bytes):
    """Extents that know the SHA-256 of the content they stand for, or None."""
    sha = None


def extents_of(text, sha):
    out = Extents(text if isinstance(text, bytes) else text.encode())
    out.sha = sha
    return out


class Entry:
    """One entry of a catalog.  `records` are further pax records as they are.  `sha` is the record bkp.sha256: what the extents know
    unless it is given; b"" leaves it out."""

    def __init__(self, path, typ=b"0", mode=0o644, uid=0, gid=0, mtime_ns=0, link=b"", extents=None, flags=b"", xattrs=(),
                 records=(), major=0, minor=0, size=0, body=b"", sha=None):
        self.__dict__.update(locals())

    def content(self):
        if self.extents is None or self.sha is not None:
            return self.sha
        sha = sha256(b"") if self.extents == b"0" else getattr(self.extents, "sha", None)
        return sha and sha.encode()

    def pack(self):
        r = record(b"hdrcharset", b"BINARY") + record(b"path", self.path + (b"/" if self.typ == b"5" else b""))
        if self.link:
            r += record(b"linkpath", self.link)
        r += record(b"mtime", (b"-" if self.mtime_ns < 0 else b"") + b"%d.%09d" % divmod(abs(self.mtime_ns), 10**9))
        if max(self.uid, self.gid) >= 1 << 21:
            r += record(b"uid", b"%d" % self.uid) + record(b"gid", b"%d" % self.gid)
        for k, v in self.records:
            r += record(k, v)
        for k, v in self.xattrs:
            r += record(b"SCHILY.xattr." + k, v)
        if self.extents is not None:
            r += record(b"SCHILY.xattr.bkp.extents", self.extents)
        if self.content():
            r += record(b"SCHILY.xattr.bkp.sha256", self.content())
        if self.flags:
            r += record(b"SCHILY.xattr.bkp.flags", self.flags)
        return pad(tar_header(b"PaxHeader/x", len(r), b"x")) + pad(r) + tar_header(
            self.path[-90:].replace(b"/", b"_"), self.size, self.typ, self.mode, self.uid, self.gid, self.mtime_ns // 10**9, self.link,
            self.major, self.minor) + pad(self.body)


def block(entries):
    return b"".join(e.pack() for e in entries) + b"\0" * 1024


def percent(path):
    keep = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
    return "".join(chr(c) if c in keep else "%%%02X" % c for c in path)


class Archive:
    """Chunks under way into one archive file."""

    def __init__(self, repo, dataset, number):
        self.repo, self.number, self.plain, self.lines, self.n = repo, number, b"", [], 0
        self.repository, self.dataset, self.raws, self.index_sha256 = repo.id, dataset, [], None

    def add(self, raw, lz4=None, cid=None, said_raw=None, suffix=None):
        lz4 = frame(raw) if lz4 is None else lz4
        cid = cid or self.repo.piece(raw).hex()
        suffix = suffix or (b".zst" if lz4[:4] == b"\x28\xb5\x2f\xfd" else b".lz4")
        self.plain += tar_header(cid.encode() + suffix, len(lz4))
        self.lines.append([cid, len(self.plain), len(lz4), len(raw) if said_raw is None else said_raw])
        self.plain += pad(lz4)
        self.raws.append(raw)
        self.n += 1
        return self.n - 1

    def digest(self, chunk, offset, length):
        """D of a run: SHA-256 over the ids of its pieces (docs/format.md, section 6)."""
        ids = b""
        while length > 0 and chunk < self.n:
            part = self.raws[chunk][offset:offset + length]
            cid, _, _, said = self.lines[chunk]
            whole = offset == 0 and length >= said
            ids += bytes.fromhex(cid) if whole else self.repo.piece(part)
            chunk, offset, length = chunk + 1, 0, length - (said if whole else max(len(part), 1))
        return sha256(ids)

    def run(self, chunk, offset, length):
        return "%d:%d:%d:%d:%s" % (self.number, chunk, offset, length, self.digest(chunk, offset, length))

    def index(self):
        at = len(self.plain) + 512
        text = "bkp-index 1 %s %s %d\n" % (self.repository, self.dataset, self.number)
        text += "".join("%s %d %d %d\n" % tuple(x) for x in self.lines) + "end %d %d\n" % (len(self.lines), at)
        return text.encode()

    def finish(self, index=None, tail=b"\0" * 1024, encrypt=None):
        text = self.index() if index is None else index
        self.index_sha256 = sha256(text)
        plain = self.plain + tar_header(b"INDEX", len(text)) + pad(text) + tail
        return (encrypt or self.repo.keys.encrypt)(plain)


def zst(raw):
    """A zstd frame by the stock program, with its content size."""
    return run(["zstd", "-q", "-c", "--no-check", "--stream-size=%d" % len(raw)], raw)


def zst_frame(says, blocks, window=None):
    """A zstd frame (RFC 8878) of run-length blocks of 128 KiB of zeros, 4 bytes each, whose header says anything."""
    head = bytes([0xE0]) if window is None else bytes([0xC0, window])
    out = b"\x28\xb5\x2f\xfd" + head + struct.pack("<Q", says)
    return out + b"".join(struct.pack("<I", (1 if i == blocks - 1 else 0) | 1 << 1 | (128 << 10) << 3)[:3] + b"\0" for i in range(blocks))


class Repo:
    def __init__(self, out, keys, rid="3f1d6a52-0c6e-4d7b-9a55-0123456789ab"):
        self.keys, self.id, self.dir = keys, rid, "%s/%s" % (out, rid)
        self.chunk_key = hashlib.sha256(b"test chunk id key").digest()
        self.next_archive = {}
        self.journal, self.runs = [], set()
        os.makedirs(self.dir + "/datasets", exist_ok=True)
        secrets = keys.encrypt(json.dumps({
            "format": 1, "kind": "bkp-repository-secrets", "repository": rid, "chunk_id_key": self.chunk_key.hex(),
            "chunker_seed": "00" * 32}).encode())
        self.write("repository.json", json.dumps({
            "format": 1, "kind": "bkp-repository", "repository": rid, "site": "試験", "created": "2026-11-21T02:00:00Z",
            "keys": [{"epoch": 1, "public": keys.public}], 
            "chunker": {"min": 262144, "average": 1048576, "max": 4194304}, "secrets_sha256": sha256(secrets)}).encode())
        self.sign("repository.json", "repository")
        self.write("repository.age", secrets)
        self.write_period()

    def write(self, path, data):
        path = "%s/%s" % (self.dir, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    def sign(self, path, kind, more=""):
        self.keys.signature("%s/%s" % (self.dir, path), "bkp:1 kind=%s repository=%s%s" % (kind, self.id, more))

    def write_period(self):
        """The only period's key is the only person's, too, unless there is another person: the tests' archives open with that identity alone."""
        with open(self.keys.identity, "rb") as f:
            sealed = self.keys.encrypt(f.read(), self.keys.person)
        period = json.dumps({
            "format": 1, "kind": "bkp-period", "repository": self.id, "period": 1, "revision": 1, "begun": "2026-11-21T02:00:00Z",
            "recipient": self.keys.recipient, "people": [{"name": "tester", "recipient": self.keys.person, "sha256": sha256(sealed)}],
            "previous": None}).encode()
        self.period_sha256 = sha256(period)
        self.write("keys/1/tester.age", sealed)
        self.write("keys/1/period-1.json", period)
        self.sign("keys/1/period-1.json", "period", " period=1 revision=1")

    def record(self, event, **members):
        """The journal grows by this record (docs/format.md, section 9)."""
        o = {"seq": len(self.journal) + 1, "time": "2026-11-21T02:00:00Z", "boot": "00000000-0000-4000-8000-000000000000",
             "mono_ns": len(self.journal), "synced": True, "version": "0", "by": "test", "repository": self.id, "event": event}
        o.update(members)
        o.update(prev=sha256(self.journal[-1]) if self.journal else "0" * 64, epoch=1)
        line = json.dumps(o, separators=(",", ":")).encode()
        self.journal.append(line[:-1] + b',"sig":"%s"}' % self.keys.raw(line).encode())
        self.write("journal/000001.jsonl", b"".join(x + b"\n" for x in self.journal))

    def begin(self, number, uuid, datasets):
        """A run begins, once, of these data sets."""
        if not self.journal:
            self.record("init", site="test", root_key=self.keys.public, recipient=self.keys.recipient, period_sha256=self.period_sha256)
        if number not in self.runs:
            self.runs.add(number)
            self.record("begin", run=number, uuid=uuid, datasets=datasets)

    def report(self, gen, manifest):
        self.begin(gen.number, gen.uuid, [gen.name])
        self.record("committed", dataset=gen.name, generation=gen.number, uuid=gen.uuid, manifest_sha256=sha256(manifest),
                    archives=len(gen.table), archive_bytes=gen.archive_bytes(), new_bytes=gen.archive_bytes(),
                    next_archive=self.next_archive[gen.name], media=[], **gen.counts(), unreadable=0, changed=0, skipped=0)

    def piece(self, raw):
        return hmac.new(self.chunk_key, raw, hashlib.sha256).digest()

    def archive(self, dataset):
        number = self.next_archive.get(dataset, 1)
        self.next_archive[dataset] = number + 1
        return Archive(self, dataset, number)

    def store(self, dataset, data):
        name = sha256(data)
        self.write("datasets/%s/archives/%s/%s.age" % (dataset, name[:2], name), data)
        return name


class Generation:
    """Collects a data set's entries and archives; write() puts it on the medium.  Every part can be replaced before."""

    def __init__(self, repo, name, number=1, uuid=None, verdict="good"):
        self.repo, self.name, self.number, self.verdict = repo, name, number, verdict
        self.uuid = uuid or "11111111-2222-4333-8444-%012d" % number  # of the run
        self.table, self.arc, self.chunk_key = [], repo.archive(name), repo.chunk_key.hex()
        self.entries, self.bytes, self.list_extents, self.previous = 0, 0, None, None

    def data(self, raw):
        """Extent runs of these bytes in the archive under way."""
        runs = []
        for i in range(0, len(raw), CHUNK):
            part = raw[i:i + CHUNK]
            runs.append(self.arc.run(self.arc.add(part), 0, len(part)))
        return runs

    def extents(self, raw):
        return extents_of(" ".join([str(len(raw))] + self.data(raw)), sha256(raw))

    def proven(self, text):
        """The extents (or the line of a block list) with D put behind each run that has none, true where the archive under way can say."""
        def add(m):
            a, c, o, n = map(int, m.group(2).split(":"))
            return m.group(1) + m.group(2) + ":" + (self.arc.digest(c, o, n) if a == self.arc.number else "0" * 64)
        return re.sub(r"(^|[ @\n])([0-9]+:[0-9]+:[0-9]+:[0-9]+)(?=[ \n]|$)", add, text)

    def seal(self, data=None, number=None, sha=None, size=None, index_sha256=None):
        """Ends the archive under way and starts another."""
        arc, data = self.arc, data
        data = arc.finish() if data is None else data
        name = self.repo.store(self.name, data)
        self.table.append((arc.number if number is None else number, sha or name, len(data) if size is None else size,
                           index_sha256 or arc.index_sha256 or sha256(arc.index())))
        self.arc = self.repo.archive(self.name)
        return name

    def fill(self, entries, lines=None, per_block=700):
        """Blocks and block list of sorted entries; `lines` replaces the list's text."""
        text, part, size = "", [], 0
        for i, e in enumerate(entries):
            part.append(e)
            size += len(e.pack())
            if len(part) == per_block or size > 1 << 20 or i + 1 == len(entries):
                raw = block(part)
                text += "%s %d %s\n" % (self.arc.run(self.arc.add(raw), 0, len(raw)), len(part), percent(part[0].path))
                part, size = [], 0
        self.list_extents = self.extents(text.encode() if lines is None else lines).decode()
        self.entries = len(entries)
        self.bytes = sum(int(e.extents.split()[0]) for e in entries if e.extents and e.extents.split()[0].isdigit()) % (1 << 62)

    def counts(self):
        return {"verdict": self.verdict, "entries": self.entries, "files": self.entries, "bytes": self.bytes}

    def archive_bytes(self):
        return sum(size for _, _, size, _ in self.table)

    def root_lines(self):
        head = {"kind": "bkp-root", "format": 1, "repository": self.repo.id, "dataset": self.name, "generation": self.number,
                "uuid": self.uuid, "chunk_id_key": self.chunk_key, "source": "paths", "blocks": self.list_extents, "probe": None}
        head.update(self.counts())
        return [head] + [{"archive": n, "sha256": s, "size": z, "index_sha256": i} for n, s, z, i in self.table]

    def manifest(self):
        """root_sha256 is put in by write()."""
        m = {"format": 1, "kind": "bkp-generation", "repository": self.repo.id, "dataset": self.name, "generation": self.number,
             "uuid": self.uuid, "begun": "2026-11-20T17:00:00Z", "finished": "2026-11-20T17:05:00Z", "utc_offset": 32400,
             "host": "test", "version": "0", "title": self.name, "unreadable": 0, "changed": 0, "skipped": 0,
             "period": 1, "recipient": self.repo.keys.recipient, "archives": len(self.table), "archive_bytes": self.archive_bytes(), "previous": self.previous,
             "journal": {"seq": 1, "sha256": "00" * 32}}
        m.update(self.counts())
        return m

    def places(self):
        """Plaintext of places.age: it says of no archive what is in it, which is less than a host would, and allowed."""
        return ("bkp-places 1 %s %s %d\nend 0\n" % (self.repo.id, self.name, self.number)).encode()

    @property
    def folder(self):
        return "datasets/%s" % self.name

    @property
    def dir(self):
        return "%s/generations/%06d" % (self.folder, self.number)

    def sums(self):
        lines = ["%s  archives/%s/%s.age" % (s, s[:2], s) for _, s, _, _ in self.table]
        for name in ("manifest.json", "places.age", "root.age"):
            with open("%s/%s/%s" % (self.repo.dir, self.dir, name), "rb") as f:
                lines.append("%s  generations/%06d/%s" % (sha256(f.read()), self.number, name))
        return "".join(x + "\n" for x in sorted(lines, key=lambda x: x[66:])).encode()

    def sign(self, comment=None):
        self.repo.sign(self.dir + "/SHA256SUMS", "generation", " dataset=%s generation=%d uuid=%s" % (self.name, self.number, self.uuid)
                       if comment is None else comment)

    def write(self, manifest=None, root=None, sums=None, comment=None, datasets=None):
        """datasets: all that the run was to capture.  manifest: bytes, or members to stand in it in place of the true ones (None: in place
        of one that is left out)."""
        if self.arc.n:
            self.seal()
        root = "".join(json.dumps(x) + "\n" for x in self.root_lines()).encode() if root is None else root
        root = self.repo.keys.encrypt(root)
        self.repo.write(self.dir + "/root.age", root)
        self.repo.write(self.dir + "/places.age", self.repo.keys.encrypt(self.places()))
        if not isinstance(manifest, bytes):
            members = {**self.manifest(), "root_sha256": sha256(root), **(manifest or {})}
            manifest = json.dumps({k: v for k, v in members.items() if v is not None or k == "previous"}).encode() + b"\n"
        self.repo.write(self.dir + "/manifest.json", manifest)
        self.repo.write(self.dir + "/SHA256SUMS", self.sums() if sums is None else sums)
        self.sign(comment)
        self.repo.begin(self.number, self.uuid, datasets or [self.name])
        self.repo.report(self, manifest)


def acl_text(raw):
    """The kernel's system.posix_acl_* as libarchive writes it."""
    out = []
    for i in range(4, len(raw), 8):
        tag, perm, who = struct.unpack("<HHI", raw[i:i + 8])
        name = {1: "user", 2: "user", 4: "group", 8: "group", 16: "mask", 32: "other"}[tag]
        text = "%s:%s:%s" % (name, who if tag in (2, 8) else "", "".join(c if perm & b else "-" for c, b in zip("rwx", (4, 2, 1))))
        out.append(text + (":%d" % who if tag in (2, 8) else ""))
    return ",".join(out).encode()


def acl_mode(raw, mode):
    """st_mode with the group bits that the owning group really had: its entry and the mask."""
    perms = {tag: perm for tag, perm, _ in (struct.unpack("<HHI", raw[i:i + 8]) for i in range(4, len(raw), 8))}
    return mode & ~0o70 | (perms[4] & perms.get(16, 7)) << 3


def file_flags(path):
    """File flags by libarchive's names: FS_IOC_GETFLAGS."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        bits = struct.unpack("l", fcntl.ioctl(fd, 0x80086601, b"\0" * 8))[0]
    except OSError:
        bits = 0
    finally:
        os.close(fd)
    return b",".join(n for b, n in ((0x10, b"schg"), (0x20, b"sappnd"), (0x40, b"nodump"), (0x80, b"noatime")) if bits & b)


def order(path):
    return path.split(b"/")


def tree(gen, folder, name=None):
    """Entries of a folder, its content in the archive under way; paths relative to it."""
    folder = os.fsencode(folder)
    paths = []
    for top, dirs, files in os.walk(folder):
        for n in dirs + files:
            paths.append(os.path.relpath(top + b"/" + n, folder))
    entries, seen, bundle = [], {}, []
    for path in sorted(paths, key=order):
        full = folder + b"/" + path
        st = os.lstat(full)
        e = Entry(path, mode=stat.S_IMODE(st.st_mode), uid=st.st_uid, gid=st.st_gid, mtime_ns=st.st_mtime_ns)
        for x in os.listxattr(full, follow_symlinks=False):
            v = os.getxattr(full, x, follow_symlinks=False)
            if x.startswith("system.posix_acl_"):
                e.records += ((b"SCHILY.acl." + os.fsencode(x)[17:], acl_text(v)),)
                e.mode = acl_mode(v, e.mode) if x.endswith("access") else e.mode
            else:
                e.xattrs += ((os.fsencode(x), v),)
        fmt = stat.S_IFMT(st.st_mode)
        e.typ = {stat.S_IFDIR: b"5", stat.S_IFLNK: b"2", stat.S_IFIFO: b"6", stat.S_IFCHR: b"3", stat.S_IFBLK: b"4"}.get(fmt, b"0")
        if e.typ in b"05" and file_flags(full):
            e.records += ((b"SCHILY.fflags", file_flags(full)),)
        if e.typ in b"34":
            e.major, e.minor = os.major(st.st_rdev), os.minor(st.st_rdev)
        if e.typ == b"2":
            e.link = os.readlink(full)
        if e.typ != b"5" and st.st_nlink > 1 and st.st_ino in seen:
            first = seen[st.st_ino]
            special = {b"2": b"symlink " + e.link, b"3": b"char %d %d" % (e.major, e.minor), b"4": b"block %d %d" % (e.major, e.minor),
                       b"6": b"fifo"}.get(e.typ)
            if special:
                e.xattrs += ((b"bkp.special", special),)
            e.typ, e.link, e.extents = b"1", first.path, first.extents
        elif e.typ != b"5":
            seen[st.st_ino] = e
        if e.typ == b"0":
            e.extents = file_extents(gen, full, st.st_size)
        entries.append(e)
    return entries


def file_extents(gen, path, size):
    runs, at, holes, h = [str(size)], 0, 0, hashlib.sha256()
    with open(path, "rb") as f:
        while at < size:
            try:
                start = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                start = size
            if start > at:
                runs.append("h:%d" % (start - at))
                holes += start - at
                if holes <= HOLES:
                    h.update(bytes(start - at))
            if start >= size:
                break
            end = os.lseek(f.fileno(), start, os.SEEK_HOLE)
            os.lseek(f.fileno(), start, os.SEEK_SET)
            part = f.read(end - start)
            runs += gen.data(part)
            h.update(part)
            at = end
    return extents_of(" ".join(runs), h.hexdigest() if holes <= HOLES else None)


def medium(out, repo):
    with open(out + "/bkp-medium.json", "w") as f:
        json.dump({"format": 1, "kind": "bkp-medium", "repository": repo.id, "medium": "99999999-2222-4333-8444-000000000001",
                   "label": "TEST", "type": "hdd", "first_use": "2026-11-21T02:00:00Z"}, f)
    repo.keys.signature(out + "/bkp-medium.json", "bkp:1 kind=medium repository=%s" % repo.id)


def main():
    keys, out = Keys(sys.argv[1]), sys.argv[2]
    os.makedirs(out, exist_ok=True)
    repo = Repo(out, keys)
    sets = [arg.split("=", 1) for arg in sys.argv[3:]]
    for name, folder in sets:
        gen = Generation(repo, name)
        gen.fill(tree(gen, folder))
        gen.write(datasets=[n for n, _ in sets])
    medium(out, repo)


if __name__ == "__main__":
    main()
