#!/usr/bin/env python3
"""Does a command that forkserver.c forks end as one that is started?  Exit status, words and what is restored, of cases all over damage.

    selftest.py BUILD [N]
"""
import multiprocessing
import os
import shutil
import sys

import campaign
import damage
import sites


class Both:
    """Each command by both; the second one finds no folder of the first one."""

    def __init__(self, site, forked):
        self.site, self.forked, self.commands, self.codes = site, forked, 0, set()

    def prepare(self, argvs):
        self.forked.prepare(argvs)

    def run(self, argv, harmed=None):
        ends = []
        for run in (self.site.run, lambda argv: self.forked.run(argv, harmed)):
            shutil.rmtree(self.site.path("to"), ignore_errors=True)
            code, said = run(argv)
            there = damage.restored(self.site.path("to"))
            ends.append((code, said, {n: hash(w) for n, w in there.items()}))
        if ends[0] != ends[1]:
            raise AssertionError("%s: started %r, forked %r" % (" ".join(argv), ends[0], ends[1]))
        self.commands += 1
        self.codes.add((argv[-1] if "verify" in argv else "extract", ends[0][0]))
        return ends[1][:2]


def compare(root, n):
    site, family = sites.Site(root), damage.Damage()
    site.alone()
    cases = campaign.spread(family.cases(site))[:n]
    family.load(site)
    site.reader = Both(site, site.reader)
    for case in cases:
        family.run(site, case, 0)
    both = site.reader
    return ("%d cases, %d commands, %d of them forked late: started and forked they end alike, in %d ways" %
            (len(cases), both.commands, both.forked.forked_late, len(both.codes)))


def main():
    build, n = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500

    def both_ways(root):
        campaign.ready(root, build, os.path.dirname(os.path.abspath(__file__)))
        print(campaign.in_a_process(compare, root, n), flush=True)

    campaign.in_folder(os.environ.get("BKP_CAMPAIGN_KEPT"), both_ways)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
