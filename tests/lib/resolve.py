#!/usr/bin/env python3
"""resolve.py IDENTITY CHUNK-ID-KEY FOLDER: reads the archives of a data set, whose folder that is, with stock age, tar, lz4 and zstd
alone (docs/format.md, sections 4 to 6).  Every archive must be what its name says, every chunk what its id says, every run what its digest says.  Lines on
stdin, "<sha256> <extents>", must resolve to bytes of that hash.  Prints one line per archive: number, bytes of plaintext, chunks."""
import glob, hashlib, hmac, io, subprocess, sys, tarfile

KEY = b""  # the chunk id key


def run(args, data):
    return subprocess.run(args, input=data, stdout=subprocess.PIPE, check=True).stdout


def read_archives(identity, key, folder):
    global KEY
    KEY, archives = key, {}
    for path in sorted(glob.glob(folder + "/archives/*/*")):
        data = open(path, "rb").read()
        name = hashlib.sha256(data).hexdigest()
        assert path.endswith("/archives/%s/%s.age" % (name[:2], name)), path
        plain = run(["age", "-d", "-i", identity], data)
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            names = [m.name for m in tar.getmembers()]
            lines = tar.extractfile("INDEX").read().decode().split("\n")
        kind, form, _, dataset, number = lines[0].split(" ")
        assert (kind, form, dataset) == ("bkp-index", "1", folder.rstrip("/").rsplit("/", 1)[1]) and lines[-2].startswith("end ") and lines[-1] == ""
        index = [line.split(" ") for line in lines[1:-2]]
        frames = [plain[int(o):int(o) + int(s)] for _, o, s, _ in index]
        zst = [f[:4] == b"\x28\xb5\x2f\xfd" for f in frames]
        assert names == [i[0] + (".zst" if z else ".lz4") for i, z in zip(index, zst)] + ["INDEX"]
        # both take one frame behind the other
        raw = {z: run([tool, "-dc"], b"".join(f for f, k in zip(frames, zst) if k == z)) if z in zst else b""
               for z, tool in ((False, "lz4"), (True, "zstd"))}
        at, chunks = {False: 0, True: 0}, []
        for (i, _, _, n), z in zip(index, zst):
            chunks.append(raw[z][at[z]:at[z] + int(n)])
            at[z] += int(n)
            assert hmac.new(key, chunks[-1], hashlib.sha256).hexdigest() == i
        assert all(at[z] == len(raw[z]) for z in raw) and int(number) not in archives
        archives[int(number)] = chunks
        print(number, len(plain), len(chunks))
    return archives


def data_run(archives, run_):
    *place, digest = run_.split(":")
    a, c, o, n = map(int, place)
    out, ids = b"", b""
    while n:
        part = archives[a][c][o:o + n]
        assert part, "run %s goes beyond its archive" % run_
        out += part
        ids += hmac.new(KEY, part, hashlib.sha256).digest()
        n -= len(part)
        c, o = c + 1, 0
    assert hashlib.sha256(ids).hexdigest() == digest, "run %s has another digest" % run_
    return out


def resolve(archives, extents):
    size, *runs = extents.split(" ")
    direct = [r for r in runs if r[0] != "@"]
    indirect = [r[1:] for r in runs if r[0] == "@"]
    assert runs == direct + ["@" + r for r in indirect]
    if indirect:
        text = b"".join(data_run(archives, r) for r in indirect).decode()
        assert "@" not in text
        direct += text.split(" ")
    out = b"".join(bytes(int(r[2:])) if r.startswith("h:") else data_run(archives, r) for r in direct)
    assert len(out) == int(size), "%d bytes instead of %s" % (len(out), size)
    return out


def main():
    identity, key, folder = sys.argv[1:4]
    archives = read_archives(identity, bytes.fromhex(key), folder)
    for line in sys.stdin:
        want, extents = line.rstrip("\n").split(" ", 1)
        got = hashlib.sha256(resolve(archives, extents)).hexdigest()
        if got != want:
            sys.exit("%s resolves to %s" % (line[:300].rstrip(), got))


if __name__ == "__main__":
    main()
