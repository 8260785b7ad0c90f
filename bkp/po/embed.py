"""Writes a file's bytes as a C array: embed.py IN OUT (run by the build for the Japanese messages)."""
import sys

data = open(sys.argv[1], "rb").read()
rows = (",".join(str(b) for b in data[i:i + 32]) for i in range(0, len(data), 32))
with open(sys.argv[2], "w", encoding="ascii") as out:
    out.write("/* generated from bkp/po/ja.po */\n#include <stddef.h>\n")
    out.write("static const size_t text_ja_mo_len = %d;\n" % len(data))
    out.write("static const unsigned char text_ja_mo[] = {\n" + ",\n".join(rows) + "};\n")
