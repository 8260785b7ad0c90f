#!/usr/bin/env python3
"""Medians and ratios of tests/bench/run.sh: lines `tool work wall user sys rss_kib`, `tool work bytes`, `primitive cpu mb`."""
import collections, statistics, sys

times = collections.defaultdict(list)
for line in open(sys.argv[1]):
    tool, work, *figures = line.split()
    times[work, tool].append([float(x) for x in figures])
stored = collections.defaultdict(list)
for line in open(sys.argv[2]):
    tool, work, n = line.split()
    stored[work, tool].append(int(n))
primitives = collections.defaultdict(list)
for line in open(sys.argv[3]):
    name, cpu, mb = line.split()
    primitives[name].append(float(cpu))

WORKS = [("first-commit", "first, to the commit"), ("first", "first, read back"), ("unchanged", "unchanged"), ("changed", "1 % changed"),
         ("restore", "restore"), ("verify", "verify, identity"), ("keyless", "verify, keyless")]
PEERS = {"first-commit": "first"}


def median(work, tool):
    return [statistics.median(col) for col in zip(*times[work, tool])] if (work, tool) in times else None


print("%-21s %-8s %8s %8s %8s %10s  %s" % ("work", "tool", "wall s", "cpu s", "rss MiB", "stored MB", "bkp is times faster"))
for work, shown in WORKS:
    ours = median(work, "bkp")
    if not ours:
        continue
    for tool in ["bkp", "restic", "borg", "find", "cp"]:
        m = ours if tool == "bkp" else median(PEERS.get(work, work), tool)
        if not m:
            continue
        bytes_ = "%10.1f" % (statistics.median(stored[work, tool]) / 1e6) if (work, tool) in stored else " " * 10
        ratio = "" if tool == "bkp" or not ours[0] else "%.2f" % (m[0] / ours[0])
        print("%-21s %-8s %8.2f %8.2f %8.0f %s  %s" % (shown, tool, m[0], m[1] + m[2], m[3] / 1024, bytes_, ratio))
        shown = ""
print("primitives, one thread, CPU s: " + ", ".join("%s %.2f" % (n, statistics.median(v)) for n, v in primitives.items()))
first, total = median("first-commit", "bkp"), statistics.median(primitives["sum"])
print("first capture to the commit: user CPU %.2f s = %.2f times the primitives, with the kernel's %.2f s = %.2f times" %
      (first[1], first[1] / total, first[1] + first[2], (first[1] + first[2]) / total))
