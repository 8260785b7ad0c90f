"""Mutants: each step of mutants.txt is taken out, and the cases of the other families are tried until one fails that does not fail with it.
What no case can tell is a hole in the campaign, or a step that is not needed.

BKP_MUTANTS names a built tree of mutate.py; without it one is built below build/mutants.  BKP_MUTANT_SECONDS: for one of them (120).
"""
import os
import re
import shutil
import subprocess
import time
import zlib

import mutate

OTHERS = ("forge", "damage", "kill", "power", "errors")  # when what is expected does not do it
SHARE = 0.7  # of the time is for what is expected
FLAGS = "-include %s/mutant.h"


def build():
    out = os.path.join(mutate.TREE, "build", "mutants")
    mutate.make(out)
    for argv in (["cmake", "-S", out, "-B", out + "/build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBKP_TESTS=OFF",
                  "-DBKP_STATIC_RESTORE=OFF", "-DCMAKE_C_FLAGS=" + FLAGS % out], ["cmake", "--build", out + "/build", "--", "-j2"]):
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return out + "/build"


class Mutants:
    name = "mutants"
    on_request = True

    def __init__(self, families):
        self.families = families
        self.all = {}
        self.listed = {m.name: m for m in mutate.listed()[0].values()}

    def cases(self, site):
        _, faults = mutate.steps()
        if faults:
            raise RuntimeError("; ".join(faults))
        programs(site)
        return ["mutants:" + n for n in self.listed]

    def run(self, site, case, full_every):
        m = self.listed[case.split(":", 1)[1]]
        programs(site)
        began, tried = time.monotonic(), 0
        seconds = float(os.environ.get("BKP_MUTANT_SECONDS", 120))
        for kind, todo, part in ((m.killer, self.expected(site, m), SHARE), ("others", None, 1.0)):
            for c in todo if todo is not None else self.rest(site, m):
                if time.monotonic() - began > seconds * part:
                    break
                tried += 1
                how = self.kills(site, m.name, c)
                if how:
                    tell(site, "%-64s killed by %s  (%d states, %d s)  %s" % (m.name, c, tried, time.monotonic() - began, how))
                    return "killed", []
        tell(site, "%-64s SURVIVED %d states, %d s: %s" % (m.name, tried, time.monotonic() - began, m.what))
        return "survived", ["%d states: %s" % (tried, m.what)]

    def expected(self, site, m):
        """FAMILY, or FAMILY:REGEX, several of them taking turns."""
        lists = []
        for want in m.killer.split():
            family, _, match = want.partition(":")
            lists.append([c for c in self.of(site, family) if re.search("^%s:%s" % (family, match), c)])
        return turns(lists)

    def rest(self, site, m):
        return turns([self.of(site, f) for f in OTHERS])

    def of(self, site, family):
        """The cases of a family in spread order; for what is slow, those that are quick first."""
        if family not in self.families:
            return []
        if family not in self.all:
            site.mutant = ""
            cases = self.families[family].cases(site)
            self.all[family] = sorted(cases, key=lambda c: ("script-" in c, zlib.crc32(c.encode())))
        return self.all[family]

    def kills(self, site, mutant, case):
        """How the case tells that the step is missing; None: it does not."""
        family = self.families[case.split(":")[0]]
        site.mutant = mutant
        try:
            outcome, faults = family.run(site, case, 0)[:2]
            if not faults and family.name != "forge":
                return None
            site.mutant = ""
            with_it, also = self.clean(site, family, case)
            if faults and not also:
                return faults[0][:160].replace("\n", " / ")
            return None if outcome == with_it else "%s, with it %s" % (outcome, with_it)
        finally:
            site.mutant = ""

    def clean(self, site, family, case):
        """What the case comes to with all steps; once for all mutants of a worker."""
        key = ("clean", case)
        if key not in self.all:
            self.all[key] = family.run(site, case, 1)[:2]
        return self.all[key]


def programs(site):
    """The programs with switches in the place of the others."""
    site.bin = site.root + "/mutants"
    if os.path.exists(site.bin):
        return
    built = os.environ.get("BKP_MUTANTS") or build()
    shutil.copytree(site.root + "/bin", site.bin + ".new")
    for p in ("bkp", "bkp-restore"):
        shutil.copy2(os.path.join(built, p), site.bin + ".new")
    os.rename(site.bin + ".new", site.bin)


def turns(lists):
    for i in range(max(map(len, lists), default=0)):
        for l in lists:
            if i < len(l):
                yield l[i]


def tell(site, line):
    """The table, as it grows."""
    print(line, flush=True)
