#!/usr/bin/env python3
"""Seeds for fuzz_parity: first pages of parity files: parity.py FOLDER"""
import os
import struct
import sys
import zlib

for i, (size, k, m, columns) in enumerate([(1, 1, 2, 1), (5000, 2, 2, 1), (128 << 20, 200, 10, 164), (4 << 20, 171, 9, 6),
                                           (1 << 32, 200, 10, 5243), (1 << 30, 32, 16, 8192), (4096, 0, 2, 1), (4096, 1, 255, 1)]):
    head = b"bkp-parity 1\n\0\0\0" + bytes(range(32)) + struct.pack("<QIIII", size, 4096, k, m, columns)
    page = head.ljust(4092, b"\0")
    with open(os.path.join(sys.argv[1], "head%d" % i), "wb") as f:
        f.write(page + struct.pack("<I", zlib.crc32(page)))
