"""coverage.py [--functions] FILE: gcovr's JSON as a table, a folder a line; and the functions that were never called."""
import collections
import json
import os
import re
import sys


def share(part, whole):
    return "%6d of %6d %5.1f %%" % (part, whole, 100 * part / whole if whole else 100)


def table(files):
    rows = collections.defaultdict(lambda: [0] * 4)
    for f in files:
        lines = [n for n in f["lines"] if not n.get("gcovr/noncode")]
        branches = [b for n in lines for b in n["branches"]]
        for row in (rows[os.path.dirname(f["file"])], rows["all"]):
            for i, n in enumerate((sum(n["count"] > 0 for n in lines), len(lines), sum(b["count"] > 0 for b in branches), len(branches))):
                row[i] += n
    print("%-20s %-24s %s" % ("folder", "lines", "branches"))
    for name in sorted(rows, key=lambda n: (n == "all", n)):
        r = rows[name]
        print("%-20s %s %s" % (name, share(r[0], r[1]), share(r[2], r[3])))


def never(files):
    for f in sorted(files, key=lambda f: f["file"]):
        for n in f["functions"]:
            if not n["execution_count"]:
                print("never called: %s:%d %s" % (f["file"], n["lineno"], n["name"]))


with open(sys.argv[-1]) as i:
    found = json.load(i)["files"]
for f in found:  # the libraries see their headers by a link
    f["file"] = re.sub("^(bkp/)restore/", "restore/", re.sub("^build/coverage/view/[^/]*/", "bkp/", f["file"]))
table(found)
if "--functions" in sys.argv:
    never(found)
