#!/usr/bin/env python3
"""evilarchives.py AGETOOL IDENTITY REPOSITORY OUT [CHUNK-ID-KEY]: for each archive of any data set of REPOSITORY one of the same name below OUT, of the same length, with the
same INDEX and frames of the same lengths that decode to other bytes: whatever lies in a frame uncompressed is turned over.  Encrypted
with the same file key and nonce, so that each segment fits into the true file, too: what somebody can make who knows everything but the signing
key (attack a02).  With CHUNK-ID-KEY the ids in INDEX are those of the other bytes: an archive that agrees with itself."""
import glob, hashlib, hmac, os, subprocess, sys


def run(args, data):
    return subprocess.run(args, input=data, stdout=subprocess.PIPE, check=True).stdout


def turned(frame):
    """An LZ4 frame whose uncompressed blocks are turned over; others stay."""
    out, at = bytearray(frame), 7 + (8 if frame[4] & 8 else 0)
    while at + 4 <= len(out):
        n = int.from_bytes(out[at:at + 4], "little")
        at += 4
        if n & 0x80000000:
            n &= 0x7FFFFFFF
            out[at:at + n] = bytes(b ^ 0xFF for b in out[at:at + n])
        if not n:
            break
        at += n
    return bytes(out)


def main():
    agetool, identity, repository, out, *key = sys.argv[1:]
    changed = 0
    for path in sorted(glob.glob(repository + "/datasets/*/archives/*/*.age")):
        plain = bytearray(run(["age", "-d", "-i", identity, path], b""))
        index = plain[int(bytes(plain).rstrip(b"\0\n").rsplit(b" ", 1)[1]):].rstrip(b"\0").decode().splitlines()
        for line in index[1:-1]:
            cid, offset, stored, size = line.split(" ")
            frame = bytes(plain[int(offset):int(offset) + int(stored)])
            new = turned(frame) if int(size) >= 10000 else frame  # not lists and blocks: those would be seen at once
            changed += new != frame
            plain[int(offset):int(offset) + int(stored)] = new
            if key and new != frame:
                raw = run(["lz4", "-dc"], new)
                plain = plain.replace(cid.encode(), hmac.new(bytes.fromhex(key[0]), raw, hashlib.sha256).hexdigest().encode())
        evil = run([agetool, "reseal", identity, path], bytes(plain))
        assert len(evil) == os.path.getsize(path)
        assert run(["age", "-d", "-i", identity], evil) == bytes(plain)
        to = os.path.join(out, os.path.relpath(path, repository))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(to, "wb") as f:
            f.write(evil)
    print(changed)


main()
