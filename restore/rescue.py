#!/usr/bin/env python3
"""Restores data sets from a bkp medium.  Needs Python 3.8 or later and nothing else; for data sets stored with zstd also the command
zstd, or Python 3.14.  Written from docs/format.md (FORMAT.md beside this file), whose sections are numbered below; it shares no code with
bkp-restore, which is faster, and alone restores ACLs and file flags and compares a generation with the journal.
  rescue.py list MEDIUM                                    which generations are there
  rescue.py list --identity FILE MEDIUM SELECTOR           what is in them
  rescue.py extract --identity FILE MEDIUM SELECTOR TARGET [PATH...]
SELECTOR: emr@42, emr@latest, emr@2026-11-20 (the newest begun on or before that day), emr@3d; 42 is all of run 42, each data set then
goes to a folder of its name.  PATH: a file, or a folder and all below it, as listed.
FILE: an age identity, plain or protected by a passphrase; or as many shares of one (BKP1 ...) as are needed; or an SSH key or a plug-in's
identity, for which it calls age.  Two factors: --identity twice.
Exit: 0 all was restored and is what was captured; 1 not all: each line on standard error says what; 2 nothing could be done."""
import argparse, base64, contextlib, datetime, functools, getpass, hashlib, hmac, io, json, os, re, shutil, stat, struct, subprocess, sys
import tarfile, time, urllib.parse
from decimal import Decimal

NAME = "(?!(con|prn|aux|nul|com[0-9]|lpt[0-9]|latest)$)[a-z][a-z0-9-]{0,31}"
DOCUMENT, HOLES, SEGMENT, CHUNK, failed = 1 << 28, 1 << 30, 1 << 16, 1 << 22, 0
ERRORS = (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError, tarfile.TarError)

def warn(*what):
    global failed
    failed = 1
    print("rescue.py:", *what, file=sys.stderr)

def fail(why):
    raise ValueError(why)

def shown(name):  # on a terminal: what cannot be printed is escaped
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in (name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name))

def give_up(*why):
    warn(*why)
    sys.exit(2)

def sha256(data):
    return hashlib.sha256(data).hexdigest()

def document(*path):  # read once: what is checked is what is used
    len(path) == 1 or stat.S_ISREG(os.stat(os.path.join(*path)).st_mode) or fail(path[-1] + " is no regular file")
    with open(os.path.join(*path), "rb") as f:
        data = f.read(DOCUMENT + 1)
    return data if len(data) <= DOCUMENT else fail(path[-1] + " is too large")

def entries(folder):  # of what is no folder, or one that cannot be read: none
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []

# ---- ChaCha20-Poly1305 (RFC 8439).  All blocks of a segment at once: word w of block b is the b-th field of 64 bits in a large number, so
# that one addition of Python adds a word of every block; the upper half of a field takes what is carried or shifted out, and is masked.

QUARTER_ROUNDS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))

def keystream(key, nonce, blocks):  # from block 0 on
    one, counter = (int.from_bytes(struct.pack("<%dQ" % blocks, *x), "little") for x in ([1] * blocks, range(blocks)))
    start, mask = [word * one for word in struct.unpack("<16I", b"expand 32-byte k" + key + bytes(4) + nonce)], one * 0xFFFFFFFF
    start[12] = counter
    x = start[:]
    for a, b, c, d in QUARTER_ROUNDS * 10:
        A, B, C, D = x[a], x[b], x[c], x[d]
        A = A + B & mask; D ^= A; D = (D << 16 | D >> 16) & mask
        C = C + D & mask; B ^= C; B = (B << 12 | B >> 20) & mask
        A = A + B & mask; D ^= A; D = (D << 8 | D >> 24) & mask
        C = C + D & mask; B ^= C; B = (B << 7 | B >> 25) & mask
        x[a], x[b], x[c], x[d] = A, B, C, D
    out = bytearray(64 * blocks)
    for w in range(16):  # the lower half of each field goes to its place in its block
        memoryview(out).cast("I")[w::16] = memoryview((x[w] + start[w] & mask).to_bytes(8 * blocks, "little")).cast("I")[::2]
    return out

def opened(key, nonce, sealed):  # the plaintext, or None: it is not what was sealed with this key and nonce
    n = len(sealed) - 16
    stream = keystream(key, nonce, 1 + -(-n // 64))
    r, s = int.from_bytes(stream[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, int.from_bytes(stream[16:32], "little")
    tag, prime = 0, (1 << 130) - 5
    for low, high in struct.iter_unpack("<QQ", sealed[:n] + bytes(-n % 16) + struct.pack("<QQ", 0, n)):
        tag = (tag + low + (high << 64) + (1 << 128)) * r % prime
    if not hmac.compare_digest((tag + s & (1 << 128) - 1).to_bytes(16, "little"), sealed[n:]):
        return None
    return (int.from_bytes(sealed[:n], "little") ^ int.from_bytes(stream[64:64 + n], "little")).to_bytes(n, "little")

# ---- Curve25519: Ed25519 (RFC 8032) and X25519 (RFC 7748), both on the Edwards curve; points are (X, Y, Z, T) of RFC 8032, section 5.1.4.

P = 2**255 - 19
ORDER, D, ROOT = 2**252 + 27742317777372353535851937790883648493, -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)

def added(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        q, p, n = added(q, p) if n & 1 else q, added(p, p), n >> 1
    return q

def point(data):  # 32 bytes: y, and in the highest bit whether x is odd
    y, odd = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    y < P and (x * x - square) % P == 0 or fail("not a point of the curve")
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def signed_by(key, message, signature):  # key: "Ed", 8 bytes of its number, 32 of itself
    try:
        n, s = hashlib.sha512(signature[:32] + key[10:] + message).digest(), int.from_bytes(signature[32:], "little")
        p, q = times(s, BASE), added(point(signature[:32]), times(int.from_bytes(n, "little") % ORDER, point(key[10:])))
        return len(key) == 42 and len(signature) == 64 and s < ORDER and not any((p[i] * q[2] - q[i] * p[2]) % P for i in (0, 1))
    except ValueError:
        return False

def x25519(secret, u):  # by y = (u - 1) / (u + 1), section 4.1 of RFC 7748; the sign of x does not matter
    n, u = int.from_bytes(secret, "little") & (1 << 254) - 8 | 1 << 254, int.from_bytes(u, "little") & (1 << 255) - 1
    p = times(n, point(((u - 1) * pow(u + 1, -1, P) % P).to_bytes(32, "little")))
    return ((p[2] + p[1]) * pow(p[2] - p[1], -1, P) % P).to_bytes(32, "little")

# ---- age v1 (https://age-encryption.org/v1)

def hkdf(key, salt, info):
    return hmac.digest(hmac.digest(salt, key, "sha256"), info + b"\1", "sha256")

def unbase64(text):
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

def bech32(text, kind="age-secret-key-"):  # BIP 173: AGE-SECRET-KEY-1…, age1…
    values = [BECH32.find(c) for c in text.lower()[len(kind) + 1:]]
    check = 1
    for v in [ord(c) >> 5 for c in kind] + [0] + [ord(c) & 31 for c in kind] + values:
        check, top = (check & 0x1FFFFFF) << 5 ^ v, check >> 25
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= g if top >> i & 1 else 0
    check == 1 and len(values) == 58 and min(values) >= 0 or fail("an identity or a recipient is mistyped")
    return (int("".join(format(v, "05b") for v in values[:52]), 2) >> 4).to_bytes(32, "big")

# ---- codex32 (BIP-93): k shares of an identity, from paper.  Symbols are elements of GF(32), polynomials over GF(2) modulo x^5 + x^3 + 1.

def product(a, b):
    r = 0
    for i in range(5):
        r ^= a << i if b >> i & 1 else 0
    for i in range(8, 4, -1):
        r ^= 0b101001 << i - 5 if r >> i & 1 else 0
    return r

def share_of(line, hrp="bkp"):  # k, id (4), index, payload, as numbers
    values, rest = [BECH32.find(c) for c in line[len(hrp) + 1:]], [0] * 12 + [1]
    for v in [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp] + values:
        rest = [a ^ product(rest[0], BECH32.find(g)) for a, g in zip(rest[1:] + [v], "em3gqeeelmcss")]
    right = line.startswith(hrp + "1") and min(values) >= 0 and rest == [BECH32.find(c) for c in "secretshare32"]
    right or fail("share %s is mistyped" % line[:9])
    return values[:-13]

def joined(shares):  # the secret: where their curves are at index "s"
    k, indices, secret = int(BECH32[shares[0][0]]), [s[5] for s in shares], [0] * (len(shares[0]) - 6)
    len({(*s[:5], len(s)) for s in shares}) == 1 or fail("the shares are of different sets")
    len(set(indices)) == len(indices) == k or fail("%d different shares are needed" % k)
    for s in shares:
        weight = 1
        for i in indices:
            if i != s[5]:  # divided by a is times a^30
                weight = functools.reduce(product, [i ^ s[5]] * 30, product(weight, i ^ BECH32.find("s")))
        secret = [a ^ product(weight, v) for a, v in zip(secret, s[6:])]
    bits = "".join(format(v, "05b") for v in secret)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits) - 7, 8))

class Age:
    """An age file that is open; read(offset, n) gives plaintext.  Only the segments that are asked for are read, each is authenticated."""

    def __init__(self, file, identities, passphrase=None):
        self.file, stanzas, header = file, [], b""
        while not (line := file.readline(1 << 16)).startswith(b"---"):
            header += line
            if line.startswith(b"-> "):
                stanzas.append((line.split()[1:], []))
            elif len(stanzas):
                stanzas[-1][1].append(line.strip())
            line.endswith(b"\n") and len(header) < 1 << 20 and header.startswith(b"age-encryption.org/v1\n") or fail("not an age file")
        any(a[0] == b"scrypt" for a, _ in stanzas[1:]) and fail("an age file for a passphrase and for others")
        key = next(filter(None, (self.unwrap(a, unbase64(b"".join(b)), identities, passphrase) for a, b in stanzas)), None)
        key or fail("wrong passphrase" if passphrase else "encrypted to somebody else: it is not this identity's")
        hmac.compare_digest(hmac.digest(hkdf(key, b"", b"header"), header + b"---", "sha256"), unbase64(line[4:].strip())) or fail(
            "its header was altered")
        self.key, self.begin = hkdf(key, file.read(16), b"payload"), file.tell()
        ciphertext = file.seek(0, os.SEEK_END) - self.begin
        self.last = max(0, ciphertext - 1) // (SEGMENT + 16)
        self.size = ciphertext - 16 * (self.last + 1)

    @staticmethod
    def unwrap(args, body, identities, passphrase):  # the file key, if this stanza is for us
        if args[0] == b"scrypt" and passphrase:
            cost = int(args[2]) if int(args[2]) <= 20 else fail("its scrypt takes more memory than this reader uses")
            return opened(hashlib.scrypt(passphrase, salt=b"age-encryption.org/v1/scrypt" + unbase64(args[1]), n=1 << cost, r=8, p=1,
                                         maxmem=(1 << 31) - 1, dklen=32), bytes(12), body)
        for secret, public in identities if args[0] == b"X25519" and len(body) == 32 else ():
            with contextlib.suppress(ValueError):  # not a point: for nobody
                share = unbase64(args[1])
                key = opened(hkdf(x25519(secret, share), share + public, b"age-encryption.org/v1/X25519"), bytes(12), body)
                if key:
                    return key
        return None

    @functools.lru_cache(maxsize=4)
    def segment(self, i):
        self.file.seek(self.begin + i * (SEGMENT + 16))
        data = opened(self.key, i.to_bytes(11, "big") + bytes([i == self.last]), self.file.read(SEGMENT + 16))
        return fail("segment %d is damaged" % i) if data is None else data

    def read(self, offset=0, n=None):
        n = self.size if n is None else n
        0 <= offset <= offset + n <= self.size or fail("shorter than it must be")
        parts = [self.segment(i) for i in range(offset // SEGMENT, -(-(offset + n) // SEGMENT))]
        return b"".join(parts)[offset % SEGMENT:][:n]

def identities_of(paths, passphrase_file):  # (secret, public); a file's name where stock age knows it: an SSH key, a plug-in's
    found = []
    for path in paths:
        data = sys.stdin.buffer.read() if path == "-" else document(path)
        age = b"AGE-PLUGIN-" in data or data.startswith(b"-----BEGIN ") and b"PRIVATE KEY-----" in data
        found += [path] if age else identities_in(data, path, passphrase_file)
    return found

def opened_by(data, identities):
    try:
        return Age(io.BytesIO(data), [i for i in identities if type(i) is tuple]).read()
    except ValueError as x:
        files = [i for i in identities if type(i) is str]
        if "encrypted to somebody else" not in str(x) or not files:
            raise
        shutil.which("age") or give_up("for SSH keys and plug-ins the program 'age' is needed")
        for path in files:
            age = subprocess.run(["age", "-d", "-i", path], input=data, stdout=subprocess.PIPE, timeout=180)
            if not age.returncode:
                return age.stdout
        raise

def identities_in(data, name, passphrase_file):
    if data.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----"):
        data = base64.b64decode(b"".join(data.splitlines()[1:-1]))
    if data.startswith(b"age-encryption.org/"):
        typed = document(passphrase_file).splitlines()[0] if passphrase_file else getpass.getpass("passphrase of %s: " % name).encode()
        data = Age(io.BytesIO(data), (), typed).read()
    text = re.sub(r"(?m)^#.*|[\s-]", "", data.decode()).lower()
    if text.startswith("bkp1"):  # shares, as they stand on paper
        secrets = [joined([share_of("bkp1" + x) for x in text.split("bkp1")[1:]])]
    else:
        secrets = [bech32(line) for line in data.decode().split() if line.upper().startswith("AGE-SECRET-KEY-1")]
    return [(s, x25519(s, (9).to_bytes(32, "little"))) for s in secrets] or fail("there is no age identity in it")

# ---- the frames of section 4: each must give exactly n bytes

def unlz4(frame, n):  # https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
    out, at = bytearray(), 15
    frame[:4] == b"\4\x22\x4d\x18" and frame[4] & 0xDF == 0x48 and struct.unpack_from("<Q", frame, 6)[0] == n or fail("its LZ4 frame is malformed")
    while size := struct.unpack_from("<I", frame, at)[0]:
        block = frame[at + 4:at + 4 + (size & 0x7FFFFFFF)]
        at += 4 + len(block)
        if size >> 31:
            out += block
        else:
            unlz4_block(block, out, n)
        len(out) <= n or fail("its LZ4 frame is too long")
    return bytes(out) if at + 4 == len(frame) else fail("its LZ4 frame is malformed")

def unlz4_block(block, out, limit):  # sequences: token, literals, how far back a match begins, its length
    at, end = 0, len(block)
    while True:
        token, at = block[at], at + 1
        n = token >> 4
        if n == 15:
            n, at = long_length(block, at, n)
        out += block[at:at + n]
        at += n
        if at >= end:
            return
        back, n, at = block[at] | block[at + 1] << 8, (token & 15) + 4, at + 2
        if n == 19:
            n, at = long_length(block, at, n)
        start = len(out) - back
        0 <= start < len(out) and len(out) + n <= limit or fail("its LZ4 block is malformed")
        out += out[start:start + n] if n <= back else (out[start:] * (n // back + 1))[:n]

def long_length(block, at, n):
    while block[at] == 255:
        n, at = n + 255, at + 1
    return n + block[at], at + 1

def unzstd(frame, n):
    try:
        from compression import zstd  # Python 3.14
        return zstd.ZstdDecompressor().decompress(frame, n + 1)
    except ImportError:
        shutil.which("zstd") or give_up("this data set is stored with zstd: install the command zstd, or Python 3.14 or later")
        return subprocess.run("zstd -dc | head -c %d" % (n + 1), shell=True, input=frame, stdout=subprocess.PIPE).stdout

# ---- sections 1 to 3: the repository, and who signs for it

def signed_file(key, text, folder, name, comment):  # by a person, with whatever minisign is there
    lines = document(folder, name + ".minisig").decode().splitlines()
    raw = base64.b64decode(lines[1])
    return lines[2] == "trusted comment: " + comment and raw[2:10] == key[2:10] and signed_by(
        key, hashlib.blake2b(text).digest() if raw[:2] == b"ED" else text, raw[10:]) and signed_by(
        key, raw[10:] + comment.encode(), base64.b64decode(lines[3]))

class Repository:
    def __init__(self, medium, wanted, root_key):
        there = [d for d in os.listdir(medium) if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", d)]
        self.id = wanted or (there[0] if len(there) == 1 else give_up("--repository must be one of:", *there))
        self.dir = os.path.join(medium, self.id)
        facts = document(self.dir, "repository.json")
        named = json.loads(facts)["keys"][0]["public"]
        root_key in (None, named) or fail("the medium's root key is %s, not the one that was given" % shown(named))
        root_key or print("rescue.py: the medium's root key is %s; compare it with the paper" % shown(named), file=sys.stderr)
        self.keys = [base64.b64decode(named)]  # as far as they were needed yet
        self.links = (line for line in (document(self.dir, "keys.jsonl") if os.path.exists(self.dir + "/keys.jsonl") else b"").splitlines())
        self.check_signature(facts, os.path.join(self.dir, "repository.json"), "bkp:1 kind=repository repository=" + self.id)
        [json.loads(facts).get(k) for k in ("kind", "format", "repository")] == ["bkp-repository", 1, self.id] or fail(
            "repository.json is another repository's, or of a later format")

    def key(self, number):  # the key of that number: each epoch's is named by the one before it
        for key in self.keys:
            if key[:10] == number:
                return key
        for line in self.links:
            body, _, sig = line.rpartition(b',"sig":"')
            any(signed_by(by, body + b"}", base64.b64decode(sig[:-2])) for by in (self.keys[-1], self.keys[0])) or fail(
                "keys.jsonl: a signature is wrong")
            record = json.loads(line)
            [record[k] for k in ("event", "repository", "epoch", "next")] == ["epoch", self.id, len(self.keys), len(self.keys) + 1] or fail(
                "keys.jsonl: a foreign record")
            self.keys.append(base64.b64decode(record["key"]))
            if self.keys[-1][:10] == number:
                return self.keys[-1]
        return fail("signed by a key that is not this repository's")

    def check_signature(self, message, path, comment):
        lines = document(path + ".minisig").decode().splitlines()
        raw, both = base64.b64decode(lines[1]), base64.b64decode(lines[3])
        lines[2] == "trusted comment: " + comment and signed_by(key := self.key(raw[:10]), message, raw[10:]) and signed_by(
            key, raw[10:] + comment.encode(), both) or fail("its signature is wrong")

    def revision(self, number, folder, name):  # of a period: who can open what was captured in it; signed wherever the root key is
        said = json.loads(text := document(folder, name))
        comment = "bkp:1 kind=period repository=%s period=%d revision=%d" % (self.id, number, said["revision"])
        by = self.keys[0]
        if not signed_file(by, text, folder, name, comment) and os.path.exists(os.path.join(folder, by_whom := name[:-4] + "approver.json")):
            named = json.loads(approver := document(folder, by_whom))
            signed_file(by, approver, folder, by_whom, "bkp:1 kind=key-approver repository=" + self.id) and named[
                "repository"] == self.id and said["begun"] <= named["until"] or fail("approver.json: not the root key's, or its time is over")
            by = base64.b64decode(named["public"])
        signed_file(by, text, folder, name, comment) or fail("its signature is not the root key's, nor an approver's")
        [said.get(k) for k in ("kind", "format", "repository", "period")] == ["bkp-period", 1, self.id, number] and name == "period-%d.json" % said["revision"] or fail(
            "it is another's")
        return said

    def period(self, number, folder):  # (the highest revision that is as it was signed, or None; is one of them not?)
        names, wrong = [m for m in (re.fullmatch("period-([1-9][0-9]{0,4}).json", f) for f in entries(folder)) if m and int(m[1]) < 1 << 16], False
        names or warn("keys/%d: nothing says which key it is" % number)
        for m in sorted(names, key=lambda m: -int(m[1])):
            try:
                return self.revision(number, folder, m[0]), wrong
            except ERRORS as x:  # what can be read is read all the same
                wrong = True
                warn("keys/%d/%s: %s" % (number, m[0], x))
        return None, True

    def unlock(self, own, passphrase_file):  # section 3: a person's identity opens those of the periods; the newest hands on the others
        native = [i for i in own if type(i) is tuple]
        self.periods, found, handed, top = {}, list(native), [], os.path.join(self.dir, "keys")
        for n in sorted((int(d) for d in os.listdir(top) if re.fullmatch("[1-9][0-9]{0,3}", d) and int(d) <= 4096), reverse=True):
            said, wrong = self.period(n, folder := os.path.join(top, str(n)))
            if said:
                self.periods[n] = said
            files = [((folder, p["name"] + ".age"), p["sha256"], own) for p in said["people"] if re.fullmatch(NAME, p["name"])
                     ] if said else []
            if wrong:  # what is damaged may name somebody more
                files += [((folder, f), None, own) for f in entries(folder) if f.endswith(".age") and f != "previous.age"]
            if handed:
                after = self.periods.get(n + 1)
                files.insert(0, ((top, str(n + 1), "previous.age"), after and after["previous"]["identity_sha256"], handed))
            public, handed = said and bech32(said["recipient"], "age"), [i for i in native if said and i[1] == bech32(said["recipient"], "age")]
            for path, sha, by in files if not handed else ():
                try:
                    data = document(*path)
                    sha in (None, sha256(data)) or fail("is not the file that was signed")
                    data = opened_by(data, by)
                    while data.startswith(b"age-encryption.org/") and b"-> scrypt " not in data[:64]:  # the next factor
                        data = opened_by(data, by)
                    handed = [i for i in identities_in(data, os.path.join(*path), passphrase_file) if public in (None, i[1])] or fail("holds another key")
                    break
                except ERRORS as x:
                    "encrypted to somebody else" in str(x) or warn("%s: %s" % (os.path.join(*path), x))
            found += handed
        len(found) > len(native) or any(i[1] == bech32(p["recipient"], "age") for i in native for p in self.periods.values()) or fail(
            "the identity opens none of the files below " + top)
        return found

    def generations(self):  # {data set: numbers, the newest first}
        top, name = os.path.join(self.dir, "datasets"), NAME
        there = {n: os.listdir(f) if os.path.isdir(f := os.path.join(top, n, "generations")) else [] for n in sorted(os.listdir(top))
                 if re.fullmatch(name, n)}
        return {n: sorted((int(d) for d in there[n] if re.fullmatch("[0-9]{6,18}", d) and "%06d" % int(d) == d), reverse=True) for n in there}

    def selected(self, text):  # generations
        there, (name, at, which) = self.generations(), text.rpartition("@")
        if not at and which.isdigit():
            names = [n for n in there if int(which) in there[n]]
            self.name_missing(int(which), names)
            return [Generation(self, n, int(which)) for n in names]
        for number in there.get(name, ()):
            g = Generation(self, name, number)
            if which == str(number) or os.path.exists(os.path.join(g.dir, g.folder, "SHA256SUMS.minisig")) and g.fits(which):
                return [g]
        give_up("there is no %s; there is:" % text, *("%s@%d" % (n, i) for n in there for i in there[n]))

    def name_missing(self, run, found):  # section 9; unproven: it only says what to look for
        with contextlib.suppress(*ERRORS):
            for line in (line for name in sorted(os.listdir(os.path.join(self.dir, "journal"))) if re.fullmatch(r"\d{6}\.jsonl", name)
                         for line in document(self.dir, "journal/" + name).splitlines()):
                if b'"event":"begin"' in line and (record := json.loads(line))["run"] == run:
                    for name in set(record["datasets"]).difference(found):
                        warn("%s@%d is not here: it failed, expired, or is on another medium" % (shown(name), run))

# ---- sections 4 to 8: a generation

class Generation:
    def __init__(self, repo, name, number):
        self.repo, self.name, self.number, self.label = repo, name, number, "%s@%d" % (name, number)
        self.dir, self.folder = os.path.join(repo.dir, "datasets", name), "generations/%06d/" % number

    def check(self):  # section 8: all documents but what is in root.age
        manifest, sums, self.root = (document(self.dir, self.folder + n) for n in ("manifest.json", "SHA256SUMS", "root.age"))
        self.manifest = json.loads(manifest)
        self.repo.check_signature(sums, os.path.join(self.dir, self.folder + "SHA256SUMS"), "bkp:1 kind=generation repository=%s dataset=%s "
                                  "generation=%d uuid=%s" % (self.repo.id, self.name, self.number, self.manifest["uuid"]))
        self.sums = {line[66:]: line[:64] for line in sums.decode().splitlines()}
        archives = [n for n, sha in self.sums.items() if n == "archives/%s/%s.age" % (sha[:2], sha)]
        list(self.sums) == sorted(archives) + [self.folder + n for n in ("manifest.json", "places.age", "root.age")] and len(
            archives) == self.manifest["archives"] or fail("its SHA256SUMS is malformed")
        sha256(manifest) == self.sums[self.folder + "manifest.json"] or fail("its manifest.json is damaged")
        sha256(self.root) == self.sums[self.folder + "root.age"] == self.manifest["root_sha256"] or fail("its root.age is damaged")
        self.agreed(self.manifest, "bkp-generation")
        return self

    def agreed(self, said, kind):
        want = {"kind": kind, "format": 1, "repository": self.repo.id, "dataset": self.name, "generation": self.number,
                "uuid": self.manifest["uuid"]}
        said.get("format", 1) == 1 or fail("its format is %s: this program reads format 1" % said["format"])
        return said if {k: said.get(k) for k in want} == want else fail("its %s says that it is another generation" % kind)

    def begun(self):  # seconds, and the text of it by the calendar and clock of where it was captured
        at = datetime.datetime.strptime(self.manifest["begun"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z")
        return at.timestamp(), (at + datetime.timedelta(seconds=self.manifest["utc_offset"])).strftime("%Y-%m-%d %H:%M")

    def fits(self, which):  # what stands behind the @
        if which == "latest" or which.isdigit():
            return which == "latest"
        re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,5}d", which) or give_up("'%s' is none of 42, latest, 2026-11-20, 3d" % which)
        at, text = self.check().begun()
        return text[:10] <= which if which[-1] != "d" else at <= time.time() - 86400 * int(which[:-1])

    def open(self, identities):
        self.identities, self.archives, period = identities, {}, self.repo.periods.get(self.check().manifest["period"])
        period and period["recipient"] != self.manifest["recipient"] and fail("it names another key than the root key signed")
        head, *table = [json.loads(x) for x in Age(io.BytesIO(self.root), identities).read().decode().splitlines()]
        self.blocks, key = self.agreed(head, "bkp-root")["blocks"], bytes.fromhex(head["chunk_id_key"])
        self.id = lambda data: hmac.digest(key, data, "sha256")
        self.table = {x["archive"]: ("archives/%s/%s.age" % (x["sha256"][:2], x["sha256"]), x["index_sha256"]) for x in table}
        {name for name, _ in self.table.values()} == {n for n in self.sums if n.startswith("archives/")} or fail(
            "its root.age is of other archives")
        return self

    # Section 4.  INDEX is read once and must be the one that root.age names; each chunk is checked when it is used.  So what this file says
    # of itself need not be believed, and whatever is unharmed in a damaged archive can be had.
    def archive(self, number):
        if number not in self.archives:
            while len(self.archives) >= 64:
                self.archives.pop(next(iter(self.archives)))
            self.archives[number] = self.open_archive(*self.table[number], number)
        found = self.archives[number]
        return found if isinstance(found, tuple) else fail(found)  # said for each file that needs it

    def open_archive(self, name, index_sha256, number):
        try:
            age = Age(open(os.path.join(self.dir, name), "rb"), self.identities)
            end = age.read(max(0, age.size - SEGMENT), min(SEGMENT, age.size)).rstrip(b"\0")
            at = int(end[:-1].rpartition(b" ")[2])
            text = age.read(at, age.size - at).rstrip(b"\0") if age.size - at <= 1 << 24 else fail("INDEX is too large")
            sha256(text) == index_sha256 or fail("INDEX is not the one that root.age names")
            head, *lines = text.decode().splitlines()
            head == "bkp-index 1 %s %s %d" % (self.repo.id, self.name, number) or fail("INDEX is of another archive")
            return age, [(bytes.fromhex(i), *map(int, rest)) for i, *rest in map(str.split, lines[:-1])]
        except ERRORS as e:
            return "%s: %s" % (name, e)

    @functools.lru_cache(maxsize=16)
    def chunk(self, number, n):
        age, index = self.archive(number)
        known, offset, stored, raw = index[n]
        0 < raw <= CHUNK and stored <= 2 * CHUNK or fail("archive %d, chunk %d has an impossible size" % (number, n))
        try:
            frame = age.read(offset, stored)
        except ERRORS as e:
            fail("%s: %s" % (self.table[number][0], e))
        data = (unzstd if frame[:4] == b"(\xb5/\xfd" else unlz4)(frame, raw)
        return data if self.id(data) == known and len(data) == raw else fail("archive %d, chunk %d is not what its id says" % (number, n))

    # Section 6.  The bytes of A:C:O:L:D, piece by piece, after D was compared: a whole chunk's id is that of INDEX, another piece's that of
    # its bytes.
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

    def extents(self, text):  # (bytes, or None for a hole, length) in order
        size, *runs = text.split(" ")
        left, at = int(size), next((i for i, r in enumerate(runs) if r.startswith("@")), len(runs))
        sum(int(r.split(":")[3]) for r in runs[at:]) <= DOCUMENT or fail("extents are too long")
        behind = b"".join(part for r in runs[at:] for part in self.run(r[1:])).decode()
        for r in runs[:at] + behind.split():
            for part, length in [(None, int(r[2:]))] if re.fullmatch("h:[0-9]{1,18}", r) else ((p, len(p)) for p in self.run(r)):
                left -= length
                yield part, length if left >= 0 else fail("extents do not add up")
        left == 0 or fail("extents do not add up")

    def entries(self, paths):  # section 7: tarfile's idea of each entry; blocks that can hold nothing wanted are passed over
        try:
            int(self.blocks.split(" ")[0]) <= DOCUMENT or fail("it is too long")
            blocks = b"".join(part or fail("a hole") for part, _ in self.extents(self.blocks)).decode().splitlines()
        except ERRORS as e:
            return warn("%s is lost, for its list of blocks is: %s" % (self.label, e))
        firsts = [urllib.parse.unquote_to_bytes(line.split(" ")[2]).split(b"/") for line in blocks] + [[b"\xff" * 300]]
        last = []
        for line, first, beyond in zip(blocks, firsts, firsts[1:]):
            if paths and not any(first[:len(p)] == p or first < p < beyond for p in paths):
                continue
            run, count, name = line.split(" ")
            try:
                int(run.split(":")[3]) <= CHUNK or fail("the block is too large")
                block = io.BytesIO(b"".join(self.run(run)))
                for e in tarfile.open(fileobj=block, mode="r:", encoding="utf-8", errors="surrogateescape"):
                    last < (last := to_bytes(e.name).split(b"/")) or fail("an entry does not stand behind the one before it")
                    if wanted(e.name, paths):
                        yield e
            except ERRORS as e:
                warn("%s: %s entries from %s on are lost: %s" % (self.label, count, name, e))

# ---- restoring

def to_bytes(s):
    return s.encode("utf-8", "surrogateescape")

def wanted(name, paths):
    parts = to_bytes(name).split(b"/")
    return not paths or any(parts[:len(p)] == p for p in paths)

def inside(root, path):  # where an entry is below root; never outside, never through a link
    parts = path.split(b"/")
    any(p in (b"", b".", b"..") for p in parts) and fail("not an entry path")
    for p in parts[:-1]:
        root += b"/" + p
        os.path.lexists(root) or os.mkdir(root, 0o700)  # what is above the outermost folder is no entry
        stat.S_ISDIR(os.lstat(root).st_mode) or fail("a folder above it is not a folder")
    return root + b"/" + parts[-1]

def metadata(full, e):
    mtime = int(Decimal(e.pax_headers.get("mtime", int(e.mtime))) * 10**9)
    if os.geteuid() == 0:
        os.lchown(full, *(x if 0 <= x < 2**32 - 1 else fail("has an impossible owner") for x in (e.uid, e.gid)))
    for key, value in e.pax_headers.items():
        if key.startswith("SCHILY.xattr.") and not key.startswith("SCHILY.xattr.bkp."):
            try:
                os.setxattr(full, urllib.parse.unquote_to_bytes(to_bytes(key[13:])), to_bytes(value), follow_symlinks=False)
            except OSError as x:
                warn(shown(e.name), key[13:], x.strerror)
    if not os.path.islink(full):
        os.chmod(full, e.mode & (0o1777 if os.geteuid() else 0o7777))
    os.utime(full, ns=(mtime, mtime), follow_symlinks=False)

def write_content(generation, f, e, text):
    h, holes = hashlib.sha256(), 0
    for part, length in generation.extents(text):
        f.seek(length, os.SEEK_CUR) if part is None else f.write(part)
        holes += length if part is None else 0
        for n in range(0, length, 1 << 20) if holes <= HOLES else ():
            h.update(bytes(min(length - n, 1 << 20)) if part is None else part[n:n + (1 << 20)])
    f.truncate()
    e.pax_headers.get("SCHILY.xattr.bkp.sha256") == (h.hexdigest() if holes <= HOLES else None) or fail("SHA-256 of the content is another")

def restore_entry(generation, root, e, folders, made):
    full = inside(root, to_bytes(e.name).rstrip(b"/"))
    text, special, flags = (e.pax_headers.get("SCHILY.xattr.bkp." + name, "") for name in ("extents", "special", "flags"))
    flags and warn(shown(e.name), "is flagged:", flags)
    e.size == 0 or fail("has a body")
    if e.isdir():
        if not os.path.isdir(full) or os.path.islink(full):
            os.mkdir(full, 0o700)
        return folders.append((full, e))
    if e.islnk() and made(e.linkname):  # else by itself, as its extents, or what else it says to be
        return os.link(inside(root, to_bytes(e.linkname)), full, follow_symlinks=False)
    if e.issym() or special.startswith("symlink "):
        os.symlink(to_bytes(special[8:] or e.linkname), full)
    elif e.isfifo() or special == "fifo":
        os.mkfifo(full)
    elif e.isdev() or special:
        kind, major, minor = special.split(" ") if special else ("char" if e.ischr() else "block", e.devmajor, e.devminor)
        os.mknod(full, {"char": stat.S_IFCHR, "block": stat.S_IFBLK}[kind] | 0o600, os.makedev(int(major), int(minor)))
    elif not text:
        fail("has no content")
    else:
        with open(full, "xb") as f:
            try:
                write_content(generation, f, e, text)
            except BaseException:
                os.unlink(full)  # no half file is left
                raise
    metadata(full, e)  # each of the above refuses a name that is there already

def restore(generation, root, paths):
    folders, refused, seen = [], set(), set()
    made = lambda name: name not in refused and wanted(name, paths)
    for e in generation.entries(paths):
        seen.update(i for i, p in enumerate(paths) if wanted(e.name, [p]))
        attempt(e, refused, restore_entry, generation, root, e, folders, made)
    for full, e in reversed(folders):
        attempt(e, refused, metadata, full, e)
    for i in set(range(len(paths))).difference(seen):
        warn(shown(b"/".join(paths[i])), "is not in", generation.label)

def attempt(e, refused, f, *args):
    try:
        f(*args)
    except ERRORS as x:
        refused.add(e.name)
        warn(shown(e.name) + ":", x)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, how in {"--identity": {"action": "append"}, "--passphrase-file": {}, "--repository": {}, "--root-key": {}, "command": {"choices": ["list", "extract"]},
                      "medium": {}, "selector": {"nargs": "?"}, "target": {"nargs": "?"}, "path": {"nargs": "*"}}.items():
        p.add_argument(name, **how)
    a = p.parse_intermixed_args()
    (a.command == "extract") == bool(a.target) or p.error("list MEDIUM [SELECTOR], or extract MEDIUM SELECTOR TARGET [PATH...]")
    a.selector and not a.identity and p.error("--identity is needed")
    os.umask(0o077)
    paths = [os.fsencode(x.strip("/")).split(b"/") for x in a.path]
    try:
        repo = Repository(a.medium, a.repository, a.root_key)
        identities = repo.unlock(identities_of(a.identity, a.passphrase_file), a.passphrase_file) if a.selector else ()
        chosen = repo.selected(a.selector) if a.selector else [Generation(repo, n, i) for n, numbers in repo.generations().items() for i in numbers]
    except ERRORS as e:
        give_up(e)
    for g in chosen:
        try:
            if a.target:
                os.makedirs(root := os.path.join(a.target, "." if "@" in a.selector else g.name), 0o700, exist_ok=True)
                restore(g.open(identities), os.fsencode(root), paths)
            elif a.selector:
                for e in g.open(identities).entries(()):
                    print(e.pax_headers.get("SCHILY.xattr.bkp.extents", "-").split(" ")[0].rjust(12), shown(e.name))
            else:
                m = g.check().manifest
                print("%-20s  %s  %-7s %12d files %15d bytes%s" % (g.label, g.begun()[1], m["verdict"], m["files"], m["bytes"],
                                                                  " SUSPECT" if "suspect" in m else ""))
        except ERRORS as e:
            warn("%s: %s" % (g.label, e))
    sys.exit(failed)

if __name__ == "__main__":
    main()
