#!/usr/bin/env python3
"""A Zstandard decoder written from docs/format.md, appendix C, alone: does what stands there suffice?

    unzstd.py FILE...     each is one frame, beside it stock zstd; equal, or exit 1
"""
import struct, subprocess, sys

LITERAL_LENGTHS = [(i, 0) for i in range(16)]
LITERAL_LENGTHS += [(16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3), (48, 4), (64, 6)]
LITERAL_LENGTHS += [(1 << i, i) for i in range(7, 17)]
MATCH_LENGTHS = [(i + 3, 0) for i in range(32)]
MATCH_LENGTHS += [(35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3), (67, 4), (83, 4), (99, 5)]
MATCH_LENGTHS += [((1 << i) + 3, i) for i in range(7, 17)]
SHARES = (([4, 3] + [2] * 11 + [1] * 3 + [2] * 9 + [3, 2] + [1] * 5 + [-1] * 4, 6, 9), ([1] * 6 + [2] * 3 + [1] * 15 + [-1] * 5, 5, 8),
          ([1, 4, 3] + [2] * 6 + [1] * 37 + [-1] * 7, 6, 9))


class Stream:  # read from its end
    def __init__(self, data):
        assert data[-1]
        self.all = int.from_bytes(data, "little")
        self.left = self.all.bit_length() - 1

    def look(self, n):
        return (self.all >> self.left - n if self.left >= n else self.all << n - self.left) & (1 << n) - 1

    def read(self, n):
        value = self.look(n)
        self.left -= n
        return value


def fse_description(data, most):
    bits = int.from_bytes(data, "little")
    a, at, shares = (bits & 15) + 5, 4, []
    assert a <= most
    left = 1 << a
    while left > 0:
        k = (left + 1).bit_length()
        u = 2 ** k - 2 - left
        v = bits >> at & (1 << k - 1) - 1
        at += k - 1
        if v >= u:
            v |= (bits >> at & 1) << k - 1
            at += 1
            v -= u if v >= 2 ** (k - 1) else 0
        shares.append(v - 1)
        left -= abs(v - 1)
        while v == 1:
            more = bits >> at & 3
            at += 2
            shares += [0] * more
            v = 1 if more == 3 else 0
    assert left == 0
    return shares, a, (at + 7) // 8


def fse_table(shares, a):
    size, place, end = 1 << a, 0, (1 << a) - 1
    symbols = [0] * size
    for s, share in enumerate(shares):
        if share == -1:
            symbols[end] = s
            end -= 1
    for s, share in enumerate(shares):
        for _ in range(max(share, 0)):
            symbols[place] = s
            place = (place + 2 ** (a - 1) + 2 ** (a - 3) + 3) % size
            while place > end:
                place = (place + 2 ** (a - 1) + 2 ** (a - 3) + 3) % size
    x, table = [abs(share) for share in shares], []
    for s in symbols:
        b = a - (x[s].bit_length() - 1)
        table.append((s, b, (x[s] << b) - size))
        x[s] += 1
    return table, a


def huffman_table(data):  # and what is left of data
    h = data[0]
    if h >= 128:
        n = 1 + (h - 126) // 2
        weights = [w for byte in data[1:n] for w in (byte >> 4, byte & 15)][:h - 127]
    else:
        n = 1 + h
        shares, a, used = fse_description(data[1:n], 6)
        table, stream, weights, turn = fse_table(shares, a)[0], Stream(data[1 + used:n]), [], 0
        states = [stream.read(a), stream.read(a)]
        while stream.left >= 0:
            s, b, base = table[states[turn]]
            weights.append(s)
            states[turn] = base + stream.read(b)
            turn = 1 - turn
        weights.append(table[states[turn]][0])
    total = sum(1 << w - 1 for w in weights if w)
    m = total.bit_length()
    rest = (1 << m) - total
    assert m <= 11 and rest & rest - 1 == 0
    weights.append(rest.bit_length())
    table = [(byte, m + 1 - w) for w in range(1, m + 1) for byte, is_ in enumerate(weights) if is_ == w for _ in range(1 << w - 1)]
    return (table, m), data[n:]


def huffman_stream(data, size, huffman):
    table, m = huffman
    stream, out = Stream(data), bytearray()
    while len(out) < size:
        byte, b = table[stream.look(m)]
        stream.left -= b
        out.append(byte)
    assert stream.left == 0
    return out


def literals(block, huffman):  # them, the table, and what follows
    t, s = block[0] & 3, block[0] >> 2 & 3
    if t < 2:
        n = (1, 2, 1, 3)[s]
        size = int.from_bytes(block[:n], "little") >> (3 if n == 1 else 4)
        return (block[n:n + size], huffman, block[n + size:]) if t == 0 else (block[n:n + 1] * size, huffman, block[n + 1:])
    n, width = ((3, 10), (3, 10), (4, 14), (5, 18))[s]
    both = int.from_bytes(block[:n], "little") >> 4
    size, packed = both & (1 << width) - 1, both >> width
    data, block = block[n:n + packed], block[n + packed:]
    if t == 2:
        huffman, data = huffman_table(data)
    if s == 0:
        return huffman_stream(data, size, huffman), huffman, block
    lengths, data, out, part = struct.unpack("<3H", data[:6]), data[6:], bytearray(), (size + 3) // 4
    for n in lengths:
        out += huffman_stream(data[:n], part, huffman)
        data = data[n:]
    return out + huffman_stream(data, size - 3 * part, huffman), huffman, block


def sequences(block, tables):  # offset value, match length, literal length of each
    n, block = block[0], block[1:]
    if 128 <= n < 255:
        n, block = (n - 128) * 256 + block[0], block[1:]
    elif n == 255:
        n, block = 32512 + block[0] + 256 * block[1], block[2:]
    if not n:
        assert not block
        return
    modes, block = block[0], block[1:]
    for i, (shares, a, most) in enumerate(SHARES):
        mode = modes >> 6 - 2 * i & 3
        if mode == 0:
            tables[i] = fse_table(shares, a)
        elif mode == 1:
            tables[i], block = ([(block[0], 0, 0)], 0), block[1:]
        elif mode == 2:
            shares, a, used = fse_description(block, most)
            tables[i], block = fse_table(shares, a), block[used:]
    stream = Stream(block)
    states = [stream.read(table[1]) for table in tables]
    for k in range(n):
        (l, *l_move), (o, *o_move), (m, *m_move) = (tables[i][0][states[i]] for i in range(3))
        offset = 2 ** o + stream.read(o)
        match = MATCH_LENGTHS[m][0] + stream.read(MATCH_LENGTHS[m][1])
        yield offset, match, LITERAL_LENGTHS[l][0] + stream.read(LITERAL_LENGTHS[l][1])
        if k < n - 1:
            for i, (b, base) in ((0, l_move), (2, m_move), (1, o_move)):
                states[i] = base + stream.read(b)
    assert stream.left == 0


def unzstd(frame, raw):
    flags, at, out, former, huffman, tables = frame[4], 5, bytearray(), [1, 4, 8], None, [None] * 3
    assert frame[:4] == b"\x28\xb5\x2f\xfd" and not flags & 0x1F
    single = flags >> 5 & 1
    n, at = (single, 2, 4, 8)[flags >> 6], at + (not single)
    assert n and int.from_bytes(frame[at:at + n], "little") + (256 if n == 2 else 0) == raw
    at += n
    last = False
    while not last:
        head = int.from_bytes(frame[at:at + 3], "little")
        last, kind, n, at = head & 1, head >> 1 & 3, head >> 3, at + 3
        if kind == 1:
            out += frame[at:at + 1] * n
            at += 1
            continue
        block, at = frame[at:at + n], at + n
        if kind == 0:
            out += block
            continue
        assert kind == 2
        text, huffman, block = literals(block, huffman)
        for offset, match, length in sequences(block, tables):
            i = offset - 1 + (length == 0)
            if offset > 3 or i >= 2:
                offset = offset - 3 if offset > 3 else former[2] if i == 2 else former[0] - 1
                former = [offset, former[0], former[1]]
            elif i == 1:
                former = [former[1], former[0], former[2]]
            offset = former[0]
            assert len(text) >= length and 0 < offset <= len(out) + length
            out += text[:length]
            text = text[length:]
            for _ in range(match):
                out.append(out[-offset])
        out += text
    assert at == len(frame) and len(out) == raw
    return bytes(out)


def main():
    for name in sys.argv[1:]:
        with open(name, "rb") as f:
            frame = f.read()
        want = subprocess.run(["zstd", "-dc"], input=frame, stdout=subprocess.PIPE, check=True).stdout
        if unzstd(frame, len(want)) != want:
            sys.exit("%s: something else" % name)
    print(len(sys.argv) - 1)


if __name__ == "__main__":
    main()
