"""Writes what the tools of this build are, as the SHA256SUMS that media carry, into a C string: tools_sums.py OUT FILE..."""
import hashlib, os, sys

lines = []
for path in sorted(sys.argv[2:], key=os.path.basename):
    with open(path, "rb") as f:
        lines.append("%s  %s\n" % (hashlib.sha256(f.read()).hexdigest(), os.path.basename(path)))
with open(sys.argv[1], "w", encoding="ascii") as f:
    f.write("/* generated: the tools of this build */\n#define TOOLS_SUMS \\\n")
    f.write(" \\\n".join('\t"%s"' % line.replace("\n", "\\n") for line in lines) + "\n")
