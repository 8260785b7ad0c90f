#!/usr/bin/env python3
"""What a thief of a folder gets: thief.py QUESTION FOLDER ...; answers one a line, "path: what"; nothing is good.

  secrets FOLDER NAME=HEX...      where those bytes stand, as they are, in hexadecimal, base64 or bech32; and every age identity and every
                                  secret key of minisign, SSH or PEM, whosever it is
  passphrases FOLDER              every age file, armoured or not, that a passphrase alone opens, also in the middle of another file
  filekeys FOLDER FILE.age...     whether any 16 bytes there, as they are or in hexadecimal, are the file key of one of those

Written from https://age-encryption.org/v1 and BIP 173 alone."""
import base64, hmac, os, re, sys

KEYS = {
    "an age identity": rb"(?i)AGE-(SECRET-KEY|PLUGIN-[A-Z0-9]+)-1[02-9AC-HJ-NP-Z]{20,}",
    "a secret key of minisign": rb"RW(QAAEIy|RTY0Iy)[A-Za-z0-9+/]{100}",
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}",
}
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def files(top):
    for folder, _, names in os.walk(top):
        for path in (os.path.join(folder, n) for n in sorted(names)):
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    yield os.path.relpath(path, top), f.read()


def encodings(secret):
    """As it may stand there, wherever in base64 it begins; of bech32 the part that does not depend on what stands before it."""
    bits = "".join(format(b, "08b") for b in secret)
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + secret)[4 if shift else 0:len(secret) * 4 // 3 - 4]
    words = "".join(BECH32[int(bits[i:i + 5], 2)] for i in range(0, len(bits) - 4, 5))
    yield words.encode()
    yield words.upper().encode()


def secrets(top, *wanted):
    known = [(n, list(encodings(bytes.fromhex(h)))) for n, h in (w.split("=", 1) for w in wanted)]
    for path, data in files(top):
        for name, ways in known:
            if any(w in data for w in ways):
                print("%s: %s" % (path, name))
        for name, pattern in KEYS.items():
            if re.search(pattern, data):
                print("%s: %s" % (path, name))


def passphrases(top):
    begin = b"age-encryption.org/v1\n"
    for path, data in files(top):
        armoured = [base64.b64decode(re.sub(rb"\s", b"", m[1])[:400])
                    for m in re.finditer(rb"-----BEGIN AGE ENCRYPTED FILE-----([A-Za-z0-9+/=\s]{400,})", data)]
        for text in [data[m.start():m.start() + 4096] for m in re.finditer(re.escape(begin), data)] + armoured:
            if text[len(begin):].startswith(b"-> scrypt ") and text.startswith(begin):
                print("%s: a passphrase opens it" % path)


def file_keys(top, *ages):
    """The header's MAC says whether a file key is right: HMAC of the header by HKDF of it."""
    heads = []
    for a in ages:
        with open(a, "rb") as f:
            m = re.match(rb"(?s)(age-encryption.org/v1\n.*?\n---) ([A-Za-z0-9+/]+)\n", f.read(1 << 16))
        heads.append((a, m[1], base64.b64decode(m[2] + b"=")))
    for path, data in files(top):
        there = {data[i:i + 16] for i in range(len(data) - 15)}
        there.update(bytes.fromhex(m[1].decode()) for m in re.finditer(rb"(?=([0-9a-f]{32}))", data))
        for key in there:
            mac = hmac.digest(hmac.digest(b"", key, "sha256"), b"header\1", "sha256")
            for name, head, tag in heads:
                if hmac.digest(mac, head, "sha256") == tag:
                    print("%s: the file key of %s" % (path, name))


{"secrets": secrets, "passphrases": passphrases, "filekeys": file_keys}[sys.argv[1]](*sys.argv[2:])
