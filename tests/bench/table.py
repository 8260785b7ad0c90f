#!/usr/bin/env python3
"""Medians and ratios of tests/bench/run.sh: lines `tool work wall user sys rss_kib` and `tool work bytes`."""
import collections, statistics, sys

times = collections.defaultdict(list)
for line in open(sys.argv[1]):
    tool, work, *figures = line.split()
    times[work, tool].append([float(x) for x in figures])
stored = collections.defaultdict(list)
for line in open(sys.argv[2]):
    tool, work, n = line.split()
    stored[work, tool].append(int(n))


def median(work, tool):
    return [statistics.median(col) for col in zip(*times[work, tool])] if (work, tool) in times else None


print("%-10s %-8s %8s %9s %8s %10s  %s" % ("work", "tool", "wall s", "cpu s", "rss MiB", "stored MB", "times slower than bkp"))
for work in ["first", "unchanged", "changed", "restore", "verify", "keyless"]:
    ours = median(work, "bkp")
    for tool in ["bkp", "restic", "borg", "find", "cp"]:
        m = median(work, tool)
        if not m:
            continue
        bytes_ = "%10.1f" % (statistics.median(stored[work, tool]) / 1e6) if (work, tool) in stored else " " * 10
        ratio = "" if tool == "bkp" or not ours[0] else "%.2f" % (m[0] / ours[0])
        print("%-10s %-8s %8.2f %9.2f %8.0f %s  %s" % (work, tool, m[0], m[1] + m[2], m[3] / 1024, bytes_, ratio))
