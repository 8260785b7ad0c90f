#!/usr/bin/env python3
"""Restores a generation without bkp-restore: needs Python 3 and the commands age, lz4, zstd; openssl, to check signatures.  The
format is described in docs/format.md, whose sections are numbered below.  ACLs and file flags are left to bkp-restore.
  rescue.py --medium DIR --identity FILE [--repository ID] [--root-key RW...] list [N [DATASET]]
  rescue.py --medium DIR --identity FILE [--repository ID] [--root-key RW...] restore N [DATASET] --to DIR
--root-key is the one on paper; without it the medium's own is taken and shown: compare them."""
import argparse, base64, contextlib, functools, hashlib, hmac, io, json, os, re, stat, subprocess, sys, tarfile, tempfile, urllib.parse

CACHED_ARCHIVES, DOCUMENT, HOLES, failed = 4, 1 << 28, 1 << 30, 0
ERRORS = (OSError, ValueError, LookupError, tarfile.TarError, subprocess.CalledProcessError)

def warn(*what):
    global failed
    failed = 1
    print("rescue.py:", *what, file=sys.stderr)

def fail(why):
    raise ValueError(why)

def document(*path):  # read once: what is checked is what is used
    with open(os.path.join(*path), "rb") as f:
        data = f.read(DOCUMENT + 1)
    return data if len(data) <= DOCUMENT else fail(path[-1] + " is too large")

def sha256(data):
    return hashlib.sha256(data).hexdigest()

def digits(text):  # 64 of them
    return text if isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) else fail("not 64 hexadecimal digits")

def signed_by(key, message, signature):  # Ed25519, by openssl; key: "Ed", 8 bytes of its number, 32 of itself
    with tempfile.TemporaryDirectory() as d:
        for name, data in ("k", bytes.fromhex("302a300506032b6570032100") + key[10:]), ("m", message), ("s", signature):
            open(d + "/" + name, "wb").write(data)
        return not subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", d + "/k", "-rawin", "-in",
                                   d + "/m", "-sigfile", d + "/s"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

class Repository:
    def __init__(self, folder, identity, root_key):
        self.dir, self.identity, self.root_key = folder, open(identity, "rb").read(), root_key
        if self.identity.startswith((b"age-encryption.org/", b"-----BEGIN AGE")):  # asks for the passphrase, once
            self.identity = subprocess.run(["age", "-d", identity], stdout=subprocess.PIPE, check=True).stdout

    def decrypt(self, path, **where):  # raises when it fails
        return subprocess.run(["age", "-d", "-i", "-", path], input=self.identity, check=True, **where)

    def keys(self):  # section 2: each epoch's key is named by the one before it
        facts = json.loads(document(self.dir, "repository.json"))
        key = self.root_key or facts["keys"][0]["public"]
        self.root_key or print("rescue.py: the medium's root key is %s; compare it with the paper" % key, file=sys.stderr)
        yield base64.b64decode(key)
        links = os.path.join(self.dir, "keys.jsonl")
        for line in document(links).splitlines() if os.path.exists(links) else []:
            body, mark, sig = line.rpartition(b',"sig":"')
            signed_by(base64.b64decode(key), body + b"}", base64.b64decode(sig[:-2])) or fail("keys.jsonl: a signature is wrong")
            record = json.loads(line)
            [record["event"], record["repository"]] == ["epoch", facts["repository"]] or fail("keys.jsonl: a foreign record")
            yield base64.b64decode(key := record["key"])

    def check_signature(self, message, path, comment):
        lines = document(path + ".minisig").decode().splitlines()
        raw, both = base64.b64decode(lines[1]), base64.b64decode(lines[3])
        key = next((k for k in self.keys() if raw[:10] == k[:10]), None) or fail("signed by a key that is not this repository's")
        said = lines[2][len("trusted comment: "):]
        said.startswith(comment) and signed_by(key, message, raw[10:]) and signed_by(
            key, raw[10:] + said.encode(), both) or fail("the signature is wrong")

    def open(self, number, tmp):  # section 8
        self.tmp, self.archives, self.bad = tmp, {}, {}
        folder = "generations/%06d/" % number
        try:
            name, sums = folder + "SHA256SUMS", document(self.dir, folder, "SHA256SUMS")
            try:
                self.check_signature(sums, os.path.join(self.dir, name),
                                     "bkp:1 kind=generation repository=%s generation=%d " % (os.path.basename(self.dir), number))
            except FileNotFoundError as e:
                e.filename == "openssl" or fail(e)
                warn("there is no openssl: signatures are NOT checked; use minisign, see README.txt")
            self.sums = {line[66:]: line[:64] for line in sums.decode().splitlines()}
            for name in (folder + "manifest.json", folder + "root.age"):
                manifest, data = data if name.endswith("root.age") else b"{}", document(self.dir, name)
                sha256(data) == self.sums[name] == json.loads(manifest).get("root_sha256", self.sums[name]) or fail("is damaged")
            with open(tmp + "/root.age", "wb") as f:
                f.write(data)
            root = self.decrypt(f.name, stdout=subprocess.PIPE).stdout
            head, *lines = [json.loads(line) for line in root.decode().splitlines()]
            [head["kind"], head["format"], head["generation"]] == ["bkp-root", 1, number] or fail("is of another generation")
            name = "root.age is malformed"
            self.key = bytes.fromhex(digits(head["chunk_id_key"]))
            self.datasets = {x["dataset"]: x for x in lines if "dataset" in x}
            self.table = {x["archive"]: (digits(x["sha256"]), digits(x["index_sha256"])) for x in lines if "archive" in x}
        except ERRORS as e:
            sys.exit("%s: %s" % (name, e))

    # Section 4: the decrypted archive's path and its chunks.  It is read once; its INDEX is the one that root.age names, and each chunk is
    # checked when it is used: so what this file says of itself need not be believed.
    def archive(self, number):
        sha, index = self.table[number]
        name = "archives/%s/%s.age" % (sha[:2], sha)
        if number in self.bad:
            raise self.bad[number]
        if number not in self.archives:
            plain = os.path.join(self.tmp, str(number))
            try:
                with open(plain, "w+b") as f:
                    self.decrypt(os.path.join(self.dir, name), stdout=f)
                    f.seek(max(0, os.path.getsize(plain) - (64 << 10)))
                    f.seek(int(f.read().rstrip(b"\0\n").split(b" ")[-1]))
                    sha256(text := f.read(DOCUMENT).rstrip(b"\0")) == index or fail("INDEX is not the one that root.age names")
                head, *lines = [line.split() for line in text.decode().splitlines()]
                int(head[3]) == number or fail("INDEX is of another archive")
            except ERRORS as e:
                os.path.exists(plain) and os.truncate(plain, 0)
                self.bad[number] = ValueError("%s: %s" % (name, e))  # said for each file that needs it
                raise self.bad[number]
            if len(self.archives) >= CACHED_ARCHIVES:
                os.unlink(self.archives.pop(next(iter(self.archives)))[0])
            self.archives[number] = plain, [(bytes.fromhex(i), *map(int, rest)) for i, *rest in lines[:-1]]
        self.archives[number] = self.archives.pop(number)  # used last
        return self.archives[number]

    def id(self, data):
        return hmac.digest(self.key, data, "sha256")

    @functools.lru_cache(maxsize=16)
    def chunk(self, number, n):
        plain, index = self.archive(number)
        known, offset, stored, raw = index[n]
        with open(plain, "rb") as f:
            frame = os.pread(f.fileno(), stored, offset)
        tool = ("lz4", "zstd")[frame[:4] == b"(\xb5/\xfd"]  # which may give more than anybody has memory for
        data = subprocess.run("%s -dc | head -c %d" % (tool, raw + 1), shell=True, input=frame, stdout=subprocess.PIPE).stdout
        return data if self.id(data) == known else fail("archive %d, chunk %d is not what its id says" % (number, n))

    # The bytes of A:C:O:L:D, piece by piece, after D was compared: a whole chunk's id is that of INDEX, another piece's that of its bytes.
    def run(self, text):
        *place, digest = (re.fullmatch("([0-9]+):([0-9]+):([0-9]+):([0-9]+):([0-9a-f]{64})", text) or fail("a run is malformed")).groups()
        number, first, offset, left = map(int, place)
        pieces, ids, n, index = [], hashlib.sha256(), first, self.archive(number)[1]
        while left:
            take = min(left, index[n][3] - offset)
            take > 0 or fail("a run begins behind its chunk")
            ids.update(index[n][0] if take == index[n][3] else self.id(self.chunk(number, n)[offset:offset + take]))
            pieces.append((n, offset, take))
            n, offset, left = n + 1, 0, left - take
        ids.hexdigest() == digest or fail("archive %d, chunk %d: not what was captured" % (number, first))
        for n, offset, take in pieces:
            yield self.chunk(number, n)[offset:offset + take]

    # Section 6: (bytes, or None for a hole, length) in order.
    def extents(self, text):
        size, runs = int(text.split(" ")[0]), text.split(" ")[1:]
        at = next((i for i, r in enumerate(runs) if r.startswith("@")), len(runs))
        behind = b"".join(part for r in runs[at:] for part in self.run(r[1:])).decode()
        for r in runs[:at] + behind.split():
            for part, length in [(None, int(r[2:]))] if r.startswith("h:") else ((p, len(p)) for p in self.run(r)):
                size -= length
                yield part, length
        size == 0 or fail("extents do not add up")

    # Section 7: tarfile's idea of each entry.
    def entries(self, dataset):
        try:
            blocks = b"".join(part or fail("a hole") for part, _ in self.extents(self.datasets[dataset]["blocks"]))
        except ERRORS as e:
            return warn("data set %s is lost, for its list of blocks is: %s" % (ascii(dataset), e))
        for line in blocks.decode().splitlines():
            run, count, first = line.split(" ")
            try:
                block = io.BytesIO(b"".join(self.run(run)))
                yield from tarfile.open(fileobj=block, mode="r:", encoding="utf-8", errors="surrogateescape")
            except ERRORS as e:
                warn("%s: %s entries from %s on are lost: %s" % (dataset, count, first, e))

to_bytes = lambda s: s.encode("utf-8", "surrogateescape")

def inside(root, path):  # Where an entry is below root; never outside, never through a link.
    parts = path.split(b"/")
    any(p in (b"", b".", b"..") for p in parts) and fail("not an entry path")
    for p in parts[:-1]:
        root += b"/" + p
        os.path.lexists(root) or os.mkdir(root, 0o700)  # what is above the outermost folder is no entry
        stat.S_ISDIR(os.lstat(root).st_mode) or fail("a folder above it is not a folder")
    return root + b"/" + parts[-1]

def metadata(full, e):
    mtime = int((t := str(e.pax_headers.get("mtime", int(e.mtime))).partition("."))[0]) * 10**9 + int(t[2].ljust(9, "0")[:9])  # section 7
    if os.geteuid() == 0:
        os.lchown(full, e.uid, e.gid)
    if not e.issym():
        os.chmod(full, e.mode & (0o1777 if os.geteuid() else 0o7777))
    for key, value in e.pax_headers.items():
        if key.startswith("SCHILY.xattr.") and not key.startswith("SCHILY.xattr.bkp."):
            try:
                os.setxattr(full, urllib.parse.unquote_to_bytes(to_bytes(key[13:])), to_bytes(value), follow_symlinks=False)
            except OSError as x:
                warn(ascii(e.name), key[13:], x.strerror)
    os.utime(full, ns=(mtime, mtime), follow_symlinks=False)

def restore_entry(repo, root, e, folders):
    full, text = inside(root, to_bytes(e.name).rstrip(b"/")), e.pax_headers.get("SCHILY.xattr.bkp.extents")
    if "SCHILY.xattr.bkp.flags" in e.pax_headers:
        warn(ascii(e.name), "is flagged:", e.pax_headers["SCHILY.xattr.bkp.flags"])
    if e.isdir():
        if not os.path.isdir(full) or os.path.islink(full):
            os.mkdir(full, 0o700)
        return folders.append((full, e))
    if e.islnk():
        with contextlib.suppress(*ERRORS):  # its first name is not there: by itself then
            return os.link(inside(root, to_bytes(e.linkname)), full, follow_symlinks=False)
    if e.issym():
        os.symlink(to_bytes(e.linkname), full)
    elif e.isfifo():
        os.mkfifo(full)
    elif e.isdev():
        os.mknod(full, (stat.S_IFCHR if e.ischr() else stat.S_IFBLK) | 0o600, os.makedev(e.devmajor, e.devminor))
    elif text is None:
        fail("has no content")
    else:
        with open(full, "xb") as f:
            try:
                h, holes = hashlib.sha256(), 0
                for part, length in repo.extents(text):
                    f.seek(length, os.SEEK_CUR) if part is None else f.write(part)
                    holes += length if part is None else 0
                    for n in range(0, length, 1 << 20) if holes <= HOLES else ():
                        h.update(bytes(min(length - n, 1 << 20)) if part is None else part[n:n + (1 << 20)])
                e.pax_headers.get("SCHILY.xattr.bkp.sha256") == (h.hexdigest() if holes <= HOLES else None) or fail("SHA-256 of the content is another")
                f.truncate()
            except BaseException:
                os.unlink(full)  # no half file is left
                raise
    metadata(full, e)  # each of the above refuses a name that is there already

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, how in {"--medium": {"required": True}, "--identity": {"required": True}, "--repository": {}, "--root-key": {}, "--to": {},
                      "command": {"choices": ["list", "restore"]}, "n": {"type": int, "nargs": "?"}, "dataset": {"nargs": "?"}}.items():
        p.add_argument(name, **how)
    a = p.parse_args()
    there = [d for d in os.listdir(a.medium) if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", d)]
    if not a.repository and len(there) != 1 or a.command == "restore" and not (a.n and a.to):
        p.error("restore needs N and --to; --repository must be one of: " + " ".join(there))
    repo = Repository(os.path.join(a.medium, a.repository or there[0]), a.identity, a.root_key)
    if a.n is None:
        return print("\n".join(sorted(os.listdir(repo.dir + "/generations"))))
    os.umask(0o077)
    os.makedirs(a.to or ".", exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rescue-", dir=a.to) as tmp:  # decrypted archives, a few at a time
        repo.open(a.n, tmp)
        for dataset in [a.dataset] if a.dataset else repo.datasets:
            root, folders = os.fsencode(a.to or "."), []
            if a.to and not a.dataset:  # a folder for each
                os.makedirs(root := inside(root, to_bytes(dataset.replace("/", "%2F"))), 0o700, exist_ok=True)
            for e in repo.entries(dataset):
                try:
                    if a.command == "restore":
                        restore_entry(repo, root, e, folders)
                    else:
                        print(e.pax_headers.get("SCHILY.xattr.bkp.extents", "-").split(" ")[0].rjust(12), ascii(e.name)[1:-1])
                except ERRORS as x:
                    warn(ascii(e.name), x)
            for full, e in reversed(folders):
                metadata(full, e)
    sys.exit(failed)

if __name__ == "__main__":
    main()
