#!/usr/bin/env python3
"""places.py SITE AGETOOL: in each places.age on SITE's media the places of contents of one length change hands, and the host's key signs it:
what who has the capture host can write (docs/format.md).  Prints how many were moved."""
import collections, glob, hashlib, json, os, re, subprocess, sys

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(word, data):
    """BIP 173."""
    def polymod(values):
        c = 1
        for v in values:
            top, c = c >> 25, (c & 0x1ffffff) << 5 ^ v
            for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                c ^= g if top >> i & 1 else 0
        return c
    bits = "".join("%08d" % int(bin(b)[2:]) for b in data)
    five = [int(bits[i:i + 5].ljust(5, "0"), 2) for i in range(0, len(bits), 5)]
    check = polymod([ord(c) >> 5 for c in word] + [0] + [ord(c) & 31 for c in word] + five + [0] * 6) ^ 1
    return word + "1" + "".join(ALPHABET[v] for v in five + [check >> 5 * (5 - i) & 31 for i in range(6)])


def run(argv, data=b""):
    return subprocess.run(argv, input=data, check=True, stdout=subprocess.PIPE).stdout


def exchanged(text):
    """(text, how many lines have another's place)"""
    lines, alike = text.split("\n"), collections.defaultdict(list)
    archive = 0
    for i, line in enumerate(lines):
        words = line.split(" ")
        archive += words[0] == "archive"
        if len(words) == 5 and len(words[0]) == 32:
            alike[archive, words[3], words[4]].append(i)
    moved = 0
    for those in alike.values():
        places = [lines[i][33:] for i in those]
        for i, place in zip(those, places[1:] + places[:1]):
            moved += lines[i][33:] != place
            lines[i] = lines[i][:33] + place
    return "\n".join(lines), moved


def main():
    site, agetool = sys.argv[1:3]
    with open(site + "/state/secrets.json") as f:
        key = bytes.fromhex(json.load(f)["chunk_id_key"])
    own = site + "/host.txt"
    with open(own, "w") as f:
        f.write(bech32("age-secret-key-", hashlib.sha256(b"bkp:1 index key" + key).digest()).upper() + "\n")
    to = [w for i in (own, site + "/id.txt") for w in ("-r", run(["age-keygen", "-y", i]).decode().strip())]
    signing = max(glob.glob(site + "/state/signing-*.key"), key=lambda p: int(re.findall(r"\d+", p)[-1]))
    moved = 0
    for path in sorted(glob.glob(site + "/m?/*-*-*-*-*/datasets/*/generations/*/places.age")):
        folder = os.path.dirname(path)
        text, n = exchanged(run(["age", "-d", "-i", own, path]).decode())
        moved += n
        new = run(["age", *to], text.encode())
        with open(folder + "/SHA256SUMS") as f:
            sums = re.sub(r"(?m)^[0-9a-f]{64}(?=  .*/places\.age$)", hashlib.sha256(new).hexdigest(), f.read()).encode()
        with open(folder + "/SHA256SUMS.minisig") as f:
            comment = re.search(r"(?m)^trusted comment: (.*)$", f.read()).group(1)
        sig = run([agetool, "minisign", "sign", signing, comment], sums)
        for name, data in (("places.age", new), ("SHA256SUMS", sums), ("SHA256SUMS.minisig", sig)):
            os.chmod(folder + "/" + name, 0o644)
            with open(folder + "/" + name, "wb") as f:
                f.write(data)
    print(moved)


main()
