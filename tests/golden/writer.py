#!/usr/bin/env python3
"""writer.py KEYS OUT SOURCE [FUTURE]: a medium of format 1 in OUT, written from docs/format.md and docs/format-writer.md alone: nobody looked at
the product or at rescue.py for it.  age, zstd, lz4 and openssl do the cryptography and the compression.

KEYS holds identity.txt and nested.txt (two identities, the outer first); SOURCE/1, 2 … are what source.py made of as many nights.
Everything but what age draws by lot is the same each time.  FUTURE: docs@3 says that it is of that format instead."""
import base64, hashlib, hmac, itertools, json, os, re, stat, struct, subprocess, sys, tempfile

CHUNK, BUNDLE, ARCHIVE = 1 << 20, 256 << 10, 3 << 20
TMP = tempfile.TemporaryDirectory()


def tool(*argv, data=b""):
    return subprocess.run(argv, input=data, stdout=subprocess.PIPE, check=True).stdout


def scratch(data):
    path = TMP.name + "/scratch"
    with open(path, "wb") as f:
        f.write(data)
    return path


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def uuid(text):
    h = sha256(text.encode())
    return "-".join((h[:8], h[8:12], "4" + h[13:16], "8" + h[17:20], h[20:32]))


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


# ---- appendix A: identities (age itself encrypts)
def bech32(hrp, data):
    def polymod(values):
        c = 1
        for v in values:
            t = c >> 25
            c = (c & 0x1ffffff) << 5 ^ v
            for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                c ^= g if t >> i & 1 else 0
        return c
    bits = "".join("%08d" % int(bin(b)[2:]) for b in data) + "0000"
    v = [int(bits[i:i + 5], 2) for i in range(0, 260, 5)]
    h = [ord(c) // 32 for c in hrp] + [0] + [ord(c) % 32 for c in hrp]
    check = polymod(h + v + [0] * 6) ^ 1
    return hrp + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[x] for x in v + [check >> 5 * (5 - i) & 31 for i in range(6)])


class Identity:
    def __init__(self, secret):
        self.line = secret
        self.recipient = tool("age-keygen", "-y", scratch(secret.encode() + b"\n")).decode().strip()

    @classmethod
    def of(cls, secret):
        return cls(bech32("age-secret-key-", secret).upper())


def age(data, *recipients):
    return tool("age", *itertools.chain(*(("-r", r) for r in recipients)), data=data)


# ---- section 2
class Key:
    def __init__(self, name):
        self.secret = hashlib.sha256(b"bkp golden, " + name.encode()).digest()
        self.number = hashlib.sha256(self.secret).digest()[:8]
        self.der = TMP.name + "/" + name
        write(self.der, bytes.fromhex("302e020100300506032b657004220420") + self.secret)
        public = tool("openssl", "pkey", "-inform", "DER", "-in", self.der, "-pubout", "-outform", "DER")[-32:]
        self.public = base64.b64encode(b"Ed" + self.number + public).decode()

    def sign(self, data):
        return tool("openssl", "pkeyutl", "-sign", "-keyform", "DER", "-inkey", self.der, "-rawin", "-in", scratch(data))

    def minisig(self, path, kind, more=""):
        text = ("bkp:1 kind=%s repository=%s%s" % (kind, REPO, more)).encode()
        s = self.sign(open(path, "rb").read())
        lines = [b"untrusted comment: signature from bkp", base64.b64encode(b"Ed" + self.number + s),
                 b"trusted comment: " + text, base64.b64encode(self.sign(s + text))]
        write(path + ".minisig", b"\n".join(lines) + b"\n", 0o444)


# ---- section 9
class Journal:
    def __init__(self):
        self.segments, self.seq, self.prev, self.epoch, self.keys = [[]], 0, "0" * 64, 1, []
        self.key = self.root = Key("root")

    def record(self, event, **members):
        self.seq += 1
        line = {"seq": self.seq, "time": self.now(), "boot": uuid("boot"), "mono_ns": self.seq * 10**9, "synced": True,
                "version": "golden writer", "by": "root", "repository": REPO, "event": event, **members, "prev": self.prev,
                "epoch": self.epoch}
        text = dump(line)
        text = text[:-1] + b',"sig":"%s"}' % base64.b64encode(self.key.sign(text))
        self.segments[-1].append(text)
        self.prev = sha256(text)
        return text

    def next_epoch(self, **continued):
        key = Key("epoch %d" % (self.epoch + 1))
        if continued:
            self.key = self.root
        self.keys.append(self.record("epoch", next=self.epoch + 1, key=key.public, **continued))
        self.epoch, self.key = self.epoch + 1, key

    def now(self):
        return "2026-11-%02dT%02d:%02d:%02dZ" % (21 + NIGHT, 2, self.seq // 60, self.seq % 60)


# ---- sections 4 to 7
class DataSet:
    def __init__(self, name, codec):
        self.name, self.codec, self.where = name, codec, {}
        self.archives, self.said = {}, 0  # number -> (sha256, size, index_sha256, generation, contents); said in places.age up to
        self.chunks, self.contents, self.bundle, self.bundled = [], [], b"", []

    folder = property(lambda self: "%s/%s/datasets/%s" % (OUT, REPO, self.name))

    def cid(self, data):
        return hmac.digest(CHUNK_KEY, data, "sha256")

    def chunk(self, data):
        if sum(len(c) for c in self.chunks) >= ARCHIVE:
            self.close()
        self.chunks.append(data)
        return max(self.archives, default=-1) + 1, len(self.chunks) - 1

    def keep(self, data, place, kind):
        i = self.cid(data)
        self.contents.append((i, place[1], place[2], len(data), kind))
        self.where[i] = place
        return i

    def piece(self, data):
        """(where: filled in at the latest by flush, length, id, whole)"""
        i = self.cid(data)
        if i not in self.where:
            if len(data) > BUNDLE:
                self.keep(data, self.chunk(data) + (0,), "w")
            else:
                if len(self.bundle) + len(data) > CHUNK:
                    self.flush()
                self.where[i] = None
                self.bundled.append((len(self.bundle), data))
                self.bundle += data
        return i, len(data)

    def flush(self):
        if self.bundle:
            a, c = self.chunk(self.bundle)
            for at, data in self.bundled:
                self.keep(data, (a, c, at), "s")
            self.bundle, self.bundled = b"", []

    def frame(self, data):
        path = scratch(data)
        z = tool("zstd", "-q", "-c", "--no-check", path) if self.codec == "zstd" else b""
        if z and len(z) < len(data):
            return ".zst", z
        return ".lz4", tool("lz4", "-q", "-c", "-BI", "-B7", "--content-size", "--no-frame-crc", path)

    def close(self):
        if not self.chunks:
            return
        number, tar, index = max(self.archives, default=-1) + 1, b"", "bkp-index 1 %s %s %d\n" % (
            REPO, self.name, max(self.archives, default=-1) + 1)
        for data in self.chunks:
            i = self.cid(data).hex()
            suffix, frame = self.frame(data)
            tar += header(i.encode() + suffix.encode(), b"0", len(frame), mode=0o444)
            index += "%s %d %d %d\n" % (i, len(tar), len(frame), len(data))
            tar += padded(frame)
        tar += header(b"INDEX", b"0", 0)
        index += "end %d %d\n" % (len(self.chunks), len(tar))
        index = index.encode()
        tar = tar[:-512] + header(b"INDEX", b"0", len(index), mode=0o444) + padded(index) + bytes(1024)
        file = age(tar, RECIPIENT)
        h = sha256(file)
        write("%s/archives/%s/%s.age" % (self.folder, h[:2], h), file, 0o444)
        self.archives[number] = (h, len(file), sha256(index), NIGHT, self.contents)
        self.chunks, self.contents = [], []

    def runs(self, parts):
        """section 6: parts are pieces, or ("h", length)"""
        out = []  # [archive, chunk, offset, length, ids, next chunk or None]
        for p in parts:
            if p[0] == "h":
                out.append(p)
                continue
            i, length = p
            a, c, o = self.where[i]
            whole = o == 0 and length > BUNDLE
            if whole and out and out[-1][0] == a and out[-1][5] == c:
                out[-1][3] += length
                out[-1][4] += i
                out[-1][5] += 1
            else:
                out.append([a, c, o, length, i, c + 1 if whole else None])
        return ["h:%d" % r[1] if r[0] == "h" else "%d:%d:%d:%d:%s" % (*r[:4], sha256(r[4])) for r in out]

    def cut(self, data):
        return [self.piece(data[i:i + CHUNK]) for i in range(0, len(data), CHUNK)]

    def stored(self, data):
        """runs of a text of ours, which is not shared with others"""
        parts = self.cut(data)
        self.flush()
        return self.runs(parts)

    def extents(self, size, parts):
        runs = self.runs(parts)
        if len(runs) > 4:  # more than a reader wants in a header, if this were in earnest
            runs = runs[:1] + ["@" + r for r in self.stored(" ".join(runs[1:]).encode())]
        return " ".join([str(size)] + runs)


def padded(data):
    return data + bytes(-len(data) % 512)


def header(name, kind, size, mode=0, uid=0, gid=0, mtime=0, link=b"", user=b"", group=b"", dev=(0, 0)):
    device = b"%07o\0%07o\0" % dev if kind in b"34" else bytes(16)
    h = struct.pack("100s8s8s8s12s12s8sc100s8s32s32s16s155s12x", name, b"%07o\0" % mode, b"%07o\0" % uid, b"%07o\0" % gid,
                    b"%011o\0" % size, b"%011o\0" % mtime, b" " * 8, kind, link, b"ustar\00000", user, group, device, b"")
    return h[:148] + b"%06o\0 " % sum(h) + h[156:]


def pax(key, value):
    n = len(key) + len(value) + 3
    while n != len(b"%d %s=%s\n" % (n, key, value)):
        n = len(b"%d %s=%s\n" % (n, key, value))
    return b"%d %s=%s\n" % (n, key, value)


def acl_text(raw):
    """the list, and the group's bits of `mode`"""
    words, group, mask = [], 0, 7
    for tag, rights, who in struct.iter_unpack("<HHI", raw[4:]):
        text = "".join(c if rights & b else "-" for c, b in zip("rwx", (4, 2, 1)))
        kind = {1: "user", 2: "user", 4: "group", 8: "group", 16: "mask", 32: "other"}[tag]
        words.append("%s:%s:%s" % (kind, who if tag in (2, 8) else "", text))
        group, mask = rights if tag == 4 else group, rights if tag == 16 else mask
    return ",".join(words).encode(), group & mask


class Entry:
    def __init__(self, path, real):
        self.path, self.real, self.st = path, real, os.lstat(real)
        self.kind = {stat.S_IFREG: b"0", stat.S_IFLNK: b"2", stat.S_IFCHR: b"3", stat.S_IFBLK: b"4", stat.S_IFDIR: b"5",
                     stat.S_IFIFO: b"6"}[stat.S_IFMT(self.st.st_mode)]
        self.parts, self.sha256, self.first, self.holes = [], None, None, 0

    def read(self, data_set):
        fd = os.open(self.real, os.O_RDONLY)
        at, h = 0, hashlib.sha256()
        while at < self.st.st_size:
            try:
                begin = os.lseek(fd, at, os.SEEK_DATA)
            except OSError:
                begin = self.st.st_size
            end = os.lseek(fd, begin, os.SEEK_HOLE) if begin < self.st.st_size else begin
            if begin > at:
                self.parts.append(("h", begin - at))
                self.holes += begin - at
            data = os.pread(fd, end - begin, begin)
            self.parts += data_set.cut(data)
            if self.holes <= 1 << 30:
                h.update(bytes(begin - at) + data)
            at = end
        os.close(fd)
        self.sha256 = h.hexdigest() if self.holes <= 1 << 30 else None

    def block(self, data_set):
        records, st = [], self.st
        mode, name = stat.S_IMODE(st.st_mode), self.path + (b"/" if self.kind == b"5" and not self.first else b"")
        link = self.first.path if self.first else os.readlink(self.real) if self.kind == b"2" else b""
        def text(key, value, room):
            if len(value) > room or not value.isascii():
                if not value.isascii():
                    records.insert(0, (b"hdrcharset", b"BINARY"))
                records.append((key, value))
                return b"" if key == b"linkpath" else value[:room]
            return value
        field, linkfield = text(b"path", name, 100), text(b"linkpath", link, 100)
        records[:] = [r for n, r in enumerate(records) if r not in records[:n]]
        ids = [v if v < 1 << 21 else records.append((k, b"%d" % v)) or 0 for k, v in ((b"uid", st.st_uid), (b"gid", st.st_gid))]
        second, ns = divmod(st.st_mtime_ns, 10**9)
        if ns or not 0 <= second < 1 << 33:
            sign, ns = (b"-", -st.st_mtime_ns) if second < 0 else (b"", st.st_mtime_ns)
            records.append((b"mtime", sign + (b"%d.%09d" % divmod(ns, 10**9)).rstrip(b"0").rstrip(b".")))
            second = 0
        for x in sorted(os.listxattr(self.real, follow_symlinks=False)):
            value = os.getxattr(self.real, x, follow_symlinks=False)
            if x.startswith("system.posix_acl_"):
                value, group = acl_text(value)
                mode = mode & ~0o070 | group << 3 if x.endswith("access") else mode
                records.append((b"SCHILY.acl." + x[17:].encode(), value))
            else:
                key = b"".join(b"%%%02X" % b if b < 33 or b > 126 or b in b"%=" else bytes([b]) for b in os.fsencode(x))
                records.append((b"SCHILY.xattr." + key, value))
        of = self.first or self
        if of.kind == b"0":
            records.append((b"SCHILY.xattr.bkp.extents", data_set.extents(st.st_size, of.parts).encode()))
            if of.sha256:
                records.append((b"SCHILY.xattr.bkp.sha256", of.sha256.encode()))
        elif self.first:
            records.append((b"SCHILY.xattr.bkp.special", {b"6": lambda: b"fifo", b"2": lambda: b"symlink " + os.readlink(self.real)}[of.kind]()))
        body = b"".join(pax(*r) for r in records)
        return (header(b"././@PaxHeader", b"x", len(body)) + padded(body) if body else b"") + header(
            field, b"1" if self.first else self.kind, 0, mode, *ids, second, linkfield, b"root" if st.st_uid == 0 else b"",
            b"root" if st.st_gid == 0 else b"", (os.major(st.st_rdev), os.minor(st.st_rdev)))


def entries_of(path, real):
    found = [Entry(path, real)]
    for folder, folders, files in os.walk(real):
        found += [Entry(path + os.path.join(folder, n)[len(real):], os.path.join(folder, n)) for n in folders + files]
    found.sort(key=lambda e: e.path.split(b"/"))
    names = {}
    for e in found:
        if e.kind != b"5" and e.st.st_nlink > 1:
            e.first = names.setdefault((e.st.st_dev, e.st.st_ino), e)
            e.first = None if e.first is e else e.first
    return found


def block_list(data_set, found):
    """the entries, thirteen a block; and the text that says where they are"""
    blocks = [found[i:i + 13] for i in range(0, len(found), 13)]
    text = b""
    for b in blocks:
        data = b"".join(e.block(data_set) for e in b) + bytes(1024)
        [run] = data_set.stored(data)
        first = re.sub(rb"[^A-Za-z0-9._~/-]", lambda m: b"%%%02X" % m[0][0], b[0].path)
        text += b"%s %d %s\n" % (run.encode(), len(b), first)
    return text


# ---- section 8
def capture(data_set, source, what, path, previous, together):
    found = entries_of(path, path_of(source, what))
    for e in found:
        if e.kind == b"0" and not e.first:
            e.read(data_set)
    data_set.flush()
    text = block_list(data_set, found)
    blocks = " ".join([str(len(text))] + data_set.stored(text))
    data_set.close()
    files = [e for e in found if e.kind == b"0" and not e.first]
    run, folder = uuid("run %d" % NIGHT), "%s/generations/%06d" % (data_set.folder, NIGHT)
    counts = {"entries": len(found), "files": len(files), "bytes": sum(e.st.st_size for e in files)}
    same = {"repository": REPO, "dataset": data_set.name, "generation": NIGHT, "uuid": run}
    form = FUTURE if (data_set.name, NIGHT) == ("docs", 3) else 1
    root = dump({"kind": "bkp-root", "format": form, **same, "chunk_id_key": CHUNK_KEY.hex(), "verdict": "good",
                 "source": "paths" if what == "docs" else "command", **counts, "blocks": blocks,
                 "probe": "400" if what != "docs" else None, **({"said": "dumped\n"} if what != "docs" else {})}) + b"\n"
    for number, a in sorted(data_set.archives.items()):
        root += dump({"archive": number, "sha256": a[0], "size": a[1], "index_sha256": a[2]}) + b"\n"
    root = age(root, RECIPIENT)
    index = Identity.of(hashlib.sha256(b"bkp:1 index key" + CHUNK_KEY).digest()).recipient
    places = "bkp-places 1 %s %s %d\n" % (REPO, data_set.name, NIGHT)
    new = {n: a for n, a in sorted(data_set.archives.items()) if n >= data_set.said}
    for number, (h, size, index_sha, made, contents) in new.items():
        places += "archive %d %s %d %s %d\n" % (number, h, size, index_sha, made)
        places += "".join("%s %d %d %d %s\n" % (i[:16].hex(), c, o, n, k) for i, c, o, n, k in contents)
    data_set.said = max(data_set.archives) + 1
    places = age((places + "end %d\n" % len(new)).encode(), RECIPIENT, index)
    manifest = {"format": form, "kind": "bkp-generation", **same, "begun": JOURNAL.now(), "finished": JOURNAL.now(), "utc_offset": 32400,
                "host": "golden", "version": "golden writer", "title": {"docs": "文書", "emr": "電子カルテ"}[data_set.name],
                "verdict": "good", **counts, "unreadable": 0, "changed": 0, "skipped": 0, "together": together,
                "period": PERIOD, "recipient": RECIPIENT, "archives": len(data_set.archives),
                "archive_bytes": sum(a[1] for a in data_set.archives.values()), "previous": previous,
                "root_sha256": sha256(root), "journal": {"seq": JOURNAL.seq, "sha256": JOURNAL.prev}}
    files = {"generations/%06d/%s" % (NIGHT, n): d for n, d in (("manifest.json", dump(manifest) + b"\n"), ("places.age", places),
                                                                ("root.age", root))}
    for name, data in files.items():
        write("%s/%s" % (data_set.folder, name), data, 0o444)
    sums = {n: sha256(d) for n, d in files.items()}
    sums.update(("archives/%s/%s.age" % (a[0][:2], a[0]), a[0]) for a in data_set.archives.values())
    write(folder + "/SHA256SUMS", "".join("%s  %s\n" % (h, n) for n, h in sorted(sums.items())).encode(), 0o444)
    JOURNAL.key.minisig(folder + "/SHA256SUMS", "generation", " dataset=%s generation=%d uuid=%s" % (data_set.name, NIGHT, run))
    done = {"dataset": data_set.name, "generation": NIGHT, "uuid": run, "manifest_sha256": sums["generations/%06d/manifest.json" % NIGHT]}
    JOURNAL.record("committed", **done, archives=len(data_set.archives), archive_bytes=manifest["archive_bytes"],
                   new_bytes=sum(a[1] for a in new.values()), next_archive=data_set.said, verdict="good", **counts, unreadable=0, changed=0,
                   skipped=0, media=[{"medium": MEDIUM, "label": "golden", "ok": True, "frozen": False}], recovered=False)
    return {"generation": NIGHT, "manifest_sha256": done["manifest_sha256"]}


def path_of(source, what):
    return os.fsencode("%s/%d/%s" % (source, NIGHT, what))


# ---- section 3
def period(number, revision, identity, people, previous):
    """people: name -> (recipient for people, the file); previous: (identity, revision) of the period before"""
    folder = "%s/%s/keys/%d" % (OUT, REPO, number)
    for name, (_, file) in people.items():
        write("%s/%s.age" % (folder, name), file, 0o444)
    before = None
    if previous:
        file = age(previous[0].line.encode() + b"\n", identity.recipient)
        write(folder + "/previous.age", file, 0o444)
        before = {"period_sha256": sha256(previous[1]), "identity_sha256": sha256(file)}
    text = dump({"format": 1, "kind": "bkp-period", "repository": REPO, "period": number, "revision": revision, "begun": JOURNAL.now(),
                 "recipient": identity.recipient, "people": [{"name": n, "recipient": r, "sha256": sha256(f)}
                                                             for n, (r, f) in people.items()], "previous": before}) + b"\n"
    name = "%s/period-%d" % (folder, revision)
    write(name + ".json", text, 0o444)
    signer = JOURNAL.root
    if previous:
        signer = Key("approver")
        write(name + ".approver.json", dump({"format": 1, "kind": "bkp-key-approver", "repository": REPO, "name": "jimucho",
                                               "public": signer.public, "until": "2099-12-31T00:00:00Z"}) + b"\n", 0o444)
        JOURNAL.root.minisig(name + ".approver.json", "key-approver")
    signer.minisig(name + ".json", "period", " period=%d revision=%d" % (number, revision))
    return text


def sums_of(folder, kind):
    names = sorted(os.listdir(folder))
    write(folder + "/SHA256SUMS", "".join("%s  %s\n" % (sha256(open(folder + "/" + n, "rb").read()), n) for n in names).encode())
    JOURNAL.key.minisig(folder + "/SHA256SUMS", kind)


def documents(doc):
    write(OUT + "/README.txt", "format 1 の見本。TEST: nothing of value is here. See tools/FORMAT.md.\n".encode())
    JOURNAL.key.minisig(OUT + "/README.txt", "readme")
    for kind, folder, name, data in (("tools", OUT + "/tools", "FORMAT.md", doc),
                                     ("procedures", "%s/%s/procedures" % (OUT, REPO), "emr.md", "# 復旧\n".encode())):
        for n in os.listdir(folder) if os.path.isdir(folder) else ():
            os.unlink(folder + "/" + n)
        write(folder + "/" + name, data)
        sums_of(folder, kind)


def main(keys, source):
    global NIGHT, PERIOD, RECIPIENT
    me, outer, inner = [Identity(l.strip()) for f in ("identity.txt", "nested.txt") for l in open(keys + "/" + f) if l.startswith("AGE")]
    periods = [Identity.of(hashlib.sha256(b"bkp golden, period %d" % n).digest()) for n in (1, 2)]
    def people(identity):
        text = identity.line.encode() + b"\n"
        yield "incho", (me.recipient, age(text, me.recipient))
        yield "jimucho", (outer.recipient, age(age(text, inner.recipient), outer.recipient))
        if identity is periods[0]:
            yield "hosyu", ("age1 of one who left", age(text, Identity.of(hashlib.sha256(b"bkp golden, hosyu").digest()).recipient))
    folder = "%s/%s" % (OUT, REPO)
    RECIPIENT = periods[0].recipient
    first = period(1, 1, periods[0], dict(people(periods[0])), None)
    JOURNAL.record("init", site="見本", root_key=JOURNAL.root.public, recipient=RECIPIENT, period_sha256=sha256(first))
    JOURNAL.next_epoch()
    JOURNAL.record("medium-added", medium=MEDIUM, label="golden", type="hdd", path="/golden", place="tests", offline=False, store="golden",
                   shows="", command="medium add")
    secrets = age(dump({"format": 1, "kind": "bkp-repository-secrets", "repository": REPO, "chunk_id_key": CHUNK_KEY.hex(),
                        "chunker_seed": sha256(b"seed")}), RECIPIENT)
    write(folder + "/repository.age", secrets)
    write(folder + "/repository.json", dump({
        "format": 1, "kind": "bkp-repository", "repository": REPO, "site": "見本", "created": JOURNAL.now(),
        "keys": [{"epoch": 1, "public": JOURNAL.root.public}], "chunker": {"min": 262144, "average": 1048576, "max": 4194304},
        "secrets_sha256": sha256(secrets)}) + b"\n")
    JOURNAL.root.minisig(folder + "/repository.json", "repository")
    write(OUT + "/bkp-medium.json", dump({"format": 1, "kind": "bkp-medium", "repository": REPO, "medium": MEDIUM, "label": "golden",
                                          "type": "hdd", "first_use": JOURNAL.now()}) + b"\n")
    JOURNAL.key.minisig(OUT + "/bkp-medium.json", "medium")
    sets = [("docs", DataSet("docs", "zstd"), b"srv/golden/docs"), ("emr.dump", DataSet("emr", "lz4"), b"emr.dump")]
    last = {}
    for NIGHT in range(1, 1 + len(os.listdir(source))):
        if NIGHT == 2:
            JOURNAL.segments.append([])
        if NIGHT == 3:
            PERIOD, RECIPIENT = 2, periods[1].recipient
            period(2, 1, periods[1], dict(people(periods[1])), (periods[0], first))
        JOURNAL.next_epoch(**({"continued": True} if NIGHT == 3 else {}))
        JOURNAL.record("begin", run=NIGHT, uuid=uuid("run %d" % NIGHT), datasets=["docs", "emr"], together=[["docs", "emr"]],
                       command="run", role="capture")
        for what, s, path in sets:
            last[s.name] = capture(s, source, what, path, last.get(s.name), ["emr" if s.name == "docs" else "docs"])
        JOURNAL.record("verified", medium=MEDIUM, generations=[{"dataset": s.name, "generation": NIGHT, "files": 4, "bytes": 0}
                                                              for _, s, _ in sets])
        JOURNAL.record("outcome", command="run", exit=0, line="all well", role="capture")
    documents(open(os.path.dirname(os.path.abspath(__file__)) + "/../../docs/format.md", "rb").read())
    JOURNAL.segments.append([])
    for n, lines in enumerate(JOURNAL.segments, 1):
        write("%s/journal/%06d.jsonl" % (folder, n), b"".join(l + b"\n" for l in lines))
    write(folder + "/keys.jsonl", b"".join(l + b"\n" for l in JOURNAL.keys))
    print(JOURNAL.root.public)


if __name__ == "__main__":
    OUT, NIGHT, PERIOD, FUTURE = sys.argv[2], 0, 1, int((sys.argv + [1])[4])
    REPO, MEDIUM, CHUNK_KEY = uuid("repository"), uuid("medium"), hashlib.sha256(b"bkp golden, chunk ids").digest()
    JOURNAL = Journal()
    main(sys.argv[1], sys.argv[3])
