"""The pieces that pictures are made of: entropy-coded blocks of baseline JPEG, and the pixels of a CT."""
import array, struct

# ---- baseline JPEG, by the tables of ITU-T T.81 Annex K (luminance), which all components use
DC_BITS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
DC_VALUES = bytes(range(12))
AC_BITS = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D]
AC_VALUES = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a"
    "535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6"
    "c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
QUANT = [
    16,
    11,
    12,
    14,
    12,
    10,
    16,
    14,
    13,
    14,
    18,
    17,
    16,
    19,
    24,
    40,
    26,
    24,
    22,
    22,
    24,
    49,
    35,
    37,
    29,
    40,
    58,
    51,
    61,
    60,
    57,
    51,
    56,
    55,
    64,
    72,
    92,
    78,
    64,
    68,
    87,
    69,
    55,
    56,
    80,
    109,
    81,
    87,
    95,
    98,
    103,
    104,
    103,
    62,
    77,
    113,
    121,
    112,
    100,
    120,
    92,
    101,
    103,
    99,
]
GROUP = 96  # blocks whose bits end with a byte: a line of a grey picture 768 pixels wide, or of a coloured one 256 pixels wide


def huffman(bits, values):
    codes, code, at = {}, 0, 0
    for length, n in enumerate(bits, 1):
        for _ in range(n):
            codes[values[at]] = format(code, "0%db" % length)
            code, at = code + 1, at + 1
        code <<= 1
    return codes


DC, AC = huffman(DC_BITS, DC_VALUES), huffman(AC_BITS, AC_VALUES)


def signed(v):  # category, and the bits behind its code
    n = abs(v).bit_length()
    return n, format(v if v > 0 else v + (1 << n) - 1, "0%db" % n) if n else ""


def block(rnd, busy):
    """A block's bits: coefficients after quantization have Laplace's distribution, the narrower the higher their frequency."""
    n, extra = signed(max(-900, min(900, int(rnd.gauss(0, 1 + 2 * busy)))))
    out, run = [DC[n], extra], 0
    for k in range(1, 64):
        scale = 40 * busy / (k + 1) ** 1.6
        if scale < 0.16:
            break
        v = int(rnd.expovariate(1 / scale))
        if not v:
            run += 1
            continue
        while run > 15:
            out.append(AC[0xF0])
            run -= 16
        n, extra = signed(min(v, 1000) if rnd.random() < 0.5 else -min(v, 1000))
        out += AC[run << 4 | n], extra
        run = 0
    return "".join(out) + (AC[0] if run or scale < 0.16 else "")  # none behind the last coefficient


def picture_groups(rnd, n, activity, white):
    """white: the share of a group that is runs of flat blocks, as paper is."""
    blocks = [block(rnd, rnd.lognormvariate(activity, 0.5)) for _ in range(16000)]
    ending = {r: [b for b in blocks[:2000] if len(b) % 8 == r] for r in range(8)}
    flat, groups = DC[0] + AC[0], []
    for _ in range(n):
        chosen = rnd.choices(blocks, k=GROUP - 1)
        while white and rnd.random() < 0.75:
            at, run = rnd.randrange(GROUP - 1), int(GROUP * white * rnd.random())
            chosen[at : at + run] = [flat] * len(chosen[at : at + run])
        bits = "".join(chosen)
        bits += rnd.choice(ending[-len(bits) % 8])
        groups.append(int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0"))
    return groups


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


# ---- pixels as a CT gives them: 12 bits of 16, air 0, tissue about 1040, noise of a scanner
PIXEL_WIDTH = 256


def pixel_rows(rnd, n):
    noise = [int(rnd.gauss(0, 14)) for _ in range(60000)]
    rows, slice_rows = [], 256
    for i in range(n):
        y = i % slice_rows
        if y == 0:
            organs = [(rnd.randrange(70, 186), rnd.randrange(70, 186), rnd.randrange(8, 40), rnd.randrange(20, 260)) for _ in range(7)]
        half = int(110 * (1 - ((y - 128) / 120) ** 2) ** 0.5) if abs(y - 128) < 120 else 0
        line = [0] * (128 - half) + [1040] * (2 * half) + [0] * (128 - half)
        for ox, oy, r, more in organs:
            w = int((r * r - (y - oy) ** 2) ** 0.5) if abs(y - oy) < r else 0
            for x in range(max(128 - half, ox - w), min(128 + half, ox + w)):
                line[x] = 1000 + more
        at = rnd.randrange(len(noise) - PIXEL_WIDTH)
        body = [max(0, min(4095, a + b)) if a else (b & 7 if b > 0 else 0) for a, b in zip(line, noise[at : at + PIXEL_WIDTH])]
        rows.append(array.array("H", body).tobytes())
    return rows
