#!/usr/bin/env python3
"""A mender written from docs/format.md, "Parity", alone: mend_parity.py ARCHIVE PARITY SHA256 >MENDED

Shares nothing with the product: GF(2^8) by hand, CRC-32 of zlib.  Exit status 1: more is lost than can be mended."""
import hashlib
import struct
import sys
import zlib

BLOCK = 4096
EXP = [1]
while len(EXP) < 255:
    x = EXP[-1] << 1
    EXP.append(x ^ 0x11D if x > 255 else x)
LOG = {v: i for i, v in enumerate(EXP)}


def inv(a):
    return EXP[-LOG[a] % 255]


def times(c, row):
    if not c:
        return bytes(len(row))
    table = bytes(EXP[(LOG[c] + LOG[b]) % 255] if b else 0 for b in range(256))
    return row.translate(table)


def add(a, b):
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def good_page(page):
    return len(page) == BLOCK and struct.unpack("<I", page[-4:])[0] == zlib.crc32(page[:-4])


def head_of(par, name):
    for first in (par[:BLOCK], par[-BLOCK:]):
        if good_page(first) and first[:16] == b"bkp-parity 1\n\0\0\0" and first[16:48].hex() == name:
            return struct.unpack("<QIIII", first[48:72])
    sys.exit("no head")


def crcs_of(par, pages, blocks):
    payload = b""
    total = len(par) // BLOCK
    for i in range(pages):
        page = par[i * BLOCK:(i + 1) * BLOCK]
        if not good_page(page):
            page = par[(total - 1 - i) * BLOCK:(total - i) * BLOCK]
        if not good_page(page):
            sys.exit("a page of the head is lost")
        payload += page[:-4]
    return struct.unpack("<%dI" % blocks, payload[128:128 + 4 * blocks])


def solve(matrix, rows):
    """Gauss-Jordan: rows of bytes on the right side."""
    n = len(matrix)
    for c in range(n):
        p = next(r for r in range(c, n) if matrix[r][c])
        matrix[c], matrix[p], rows[c], rows[p] = matrix[p], matrix[c], rows[p], rows[c]
        f = inv(matrix[c][c])
        matrix[c] = [EXP[(LOG[v] + LOG[f]) % 255] if v else 0 for v in matrix[c]]
        rows[c] = times(f, rows[c])
        for r in range(n):
            f = matrix[r][c]
            if r != c and f:
                matrix[r] = [v ^ (EXP[(LOG[f] + LOG[w]) % 255] if w else 0) for v, w in zip(matrix[r], matrix[c])]
                rows[r] = add(rows[r], times(f, rows[c]))
    return rows


def main():
    archive, par = (open(f, "rb").read() for f in sys.argv[1:3])
    size, block, k, m, columns = head_of(par, sys.argv[3])
    assert block == BLOCK
    data = -(-size // BLOCK)
    sums = m * columns
    pages = -(-(128 + 4 * (data + sums)) // (BLOCK - 4))
    crcs = crcs_of(par, pages, data + sums)
    blocks = []
    for i in range(data):
        b = archive[i * BLOCK:min((i + 1) * BLOCK, size)]
        blocks.append(b if len(b) == min(BLOCK, size - i * BLOCK) and zlib.crc32(b) == crcs[i] else None)
    for c in range(columns):
        lost = [r for r in range(k) if r * columns + c < data and blocks[r * columns + c] is None]
        if not lost:
            continue
        right, matrix = [], []
        for r in range(m):
            at = (pages + r * columns + c) * BLOCK
            b = par[at:at + BLOCK]
            if len(right) == len(lost) or len(b) != BLOCK or zlib.crc32(b) != crcs[data + r * columns + c]:
                continue
            for j in range(k):
                n = j * columns + c
                if n < data and blocks[n] is not None:
                    b = add(b, times(inv((k + r) ^ j), blocks[n].ljust(BLOCK, b"\0")))
            right.append(b)
            matrix.append([inv((k + r) ^ j) for j in lost])
        if len(right) < len(lost):
            sys.exit("column %d: %d lost, %d of parity left" % (c, len(lost), len(right)))
        for j, b in zip(lost, solve(matrix, right)):
            blocks[j * columns + c] = b[:min(BLOCK, size - (j * columns + c) * BLOCK)]
    whole = b"".join(blocks)
    if hashlib.sha256(whole).hexdigest() != sys.argv[3]:
        sys.exit("what was mended is not the archive")
    sys.stdout.buffer.write(whole)


main()
