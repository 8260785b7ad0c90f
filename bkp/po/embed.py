"""Writes a file's bytes as a C array: embed.py IN OUT NAME (run by the build for texts that are linked into the programs)."""
import os, sys

source, out, name = sys.argv[1:4]
with open(source, "rb") as f:
    data = f.read()
rows = (",".join(str(b) for b in data[i:i + 32]) for i in range(0, len(data), 32))
with open(out, "w", encoding="ascii") as f:
    f.write("/* generated from %s */\n#include <stddef.h>\n" % os.path.basename(source))
    f.write("static const size_t %s_len = %d;\n" % (name, len(data)))
    f.write("static const unsigned char %s[] = {\n" % name + ",\n".join(rows) + "};\n")
