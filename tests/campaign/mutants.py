"""Mutants: each step of mutants.txt is taken out, and the cases of the other families are tried until one fails that does not fail with it.
What no case can tell is a hole in the campaign, or a step that is not needed.

BKP_MUTANTS names a built tree of mutate.py; without it one is built below build/mutants.  BKP_MUTANT_SECONDS: for one of them (120).
"""
import itertools
import os
import re
import shutil
import subprocess
import time
import zlib

import forge
import mutate
import strict

OTHERS = ("strict", "forge", "damage", "kill", "errors", "power")  # when what is expected does not do it
NOTHING = "-"  # in the place of families: why no case can tell stands behind it
FEW = 8
DURABLE = ("fsync", "renameat", "renameat2", "unlinkat")
PARTS = 8  # of a case of family power
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
        self.all, self.clean = {}, {}
        self.listed = {m.name: m for m in mutate.listed()[0].values()}

    def cases(self, site):
        _, faults = mutate.steps()
        if faults:
            raise RuntimeError("; ".join(faults))
        programs(site)
        return ["mutants:" + n for n in self.listed]

    def run(self, site, case, full_every):
        m = self.listed[case.split(":", 1)[1]]
        if m.killer == NOTHING:
            print("%-58s told by nothing: %s" % (m.name, m.what), flush=True)
            return "untold", [], {"untold": 1}
        programs(site)
        seconds = float(os.environ.get("BKP_MUTANT_SECONDS", 120))
        plan = ((self.expected(site, m), SHARE), (self.others(site), 1.0))
        began, tried = time.monotonic(), 0
        for cases, share in plan:
            for c in cases:
                if time.monotonic() - began > seconds * share:
                    break
                states, how = self.kills(site, m.name, c)
                tried += states
                if how:
                    print("%-58s killed by %s, %d states, %d s: %s" % (m.name, c, tried, time.monotonic() - began, how), flush=True)
                    return "killed", [], {"killed": 1}
        return "survived", ["%s: survived %d states, %d s" % (m.what, tried, time.monotonic() - began)], {"survived": 1}

    def expected(self, site, m):
        """FAMILY, or FAMILY:REGEX (found anywhere in the case): a few of each that is quick, then taking turns."""
        wants = [w.partition(":")[::2] for w in m.killer.split()]
        lists = [[c for c in self.of(site, family) if re.search(match, c[len(family):])] for family, match in wants]
        few = [l[:FEW] for l, (family, _) in zip(lists, wants) if family != "power"]
        return list(itertools.chain(*few, turns([l[FEW:] if family != "power" else l for l, (family, _) in zip(lists, wants)])))

    def others(self, site):
        yield from turns([self.of(site, f) for f in OTHERS])

    def of(self, site, family):
        """The cases of a family in spread order, what is slow last; what has many states in parts."""
        if family not in self.all:
            site.mutant = ""
            cases = self.families[family].cases(site)
            if family == "forge":
                cases += ["forge:script-" + n for n in forge.SCRIPTS]
            if family in ("kill", "strict"):
                cases = self.at_steps(site, family) + cases
            if family == "power":
                cases = ["%s:%d/%d" % (c, k, PARTS) for c in cases for k in range(PARTS)]
            slow = lambda c: ("script-" in c, not c.endswith(":end"), ":any:" in c, ":btrfs:" in c)
            self.all[family] = sorted(cases, key=lambda c: slow(c) + (zlib.crc32(c.encode()),))
        return self.all[family]

    def at_steps(self, site, family):
        """Kills where something becomes durable: of all calls these tell of an order."""
        out = []
        for w in families().WORKLOADS:
            counts = families().calls_of(site, w)
            calls = [(f, n) for f in DURABLE for n in range(1, counts[f] + 1)]
            if family == "kill":
                calls += [("write", n) for n in range(1, counts["write"] + 1)]
                out += ["kill:%s:%s:%d:kill" % (w, f, n) for f, n in calls]
            else:
                out += ["strict:%s:%s:%s-%d" % (w, what, f, n) for f, n in calls for what in strict.WHAT]
        return out

    def kills(self, site, mutant, case):
        """(states, how the case tells that the step is missing; None: it does not)"""
        outcome, faults, states = self.one(site, mutant, mutant, case)
        if not faults and not case.startswith("forge"):
            return states, None
        if case not in self.clean:
            self.clean[case] = self.one(site, "", "with-" + mutant, case)
        with_it, also, _ = self.clean[case]
        if also:
            return states, None
        if faults:
            return states, faults[0][:200].replace("\n", " / ")
        # what ends now so and now so tells nothing
        ends = lambda of: self.one(site, of, of or "with-" + mutant, case)[0]
        return states, differs(outcome, with_it) if outcome != with_it and (ends(mutant), ends("")) == (outcome, with_it) else None

    def one(self, site, mutant, seen, case):
        """(outcome, faults, states) of a case; what another run of it has seen is looked at anew."""
        family = self.families[case.split(":")[0]]
        site.mutant, site.seen = mutant, seen
        try:
            more = {"only_first": True} if family.name == "power" else {}
            outcome, faults, *counts = family.run(site, case, 0, **more)
        finally:
            site.mutant = site.seen = ""
        return outcome, faults, counts[0]["states"] if counts else 1


def families():
    import families as f  # which imports this one
    return f


def differs(without, with_it):
    """The first of the commands that ended, or spoke, in another way."""
    for n, (a, b) in enumerate(zip(without.split(","), with_it.split(","))):
        if a != b:
            return "command %d ends %s, with it %s" % (n, a, b)
    return "%s, with it %s" % (without, with_it)


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
