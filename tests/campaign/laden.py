"""States in which one medium carries whatever a medium can: docs/format.md, sections 1 and 10.  Made by the program itself.

    laden     two generations, procedures, and a journal that was damaged and put aside
    storing   the third night died while its archives were written        (tmp/)
    sealing   it died when the new list of procedures had no signature yet (SHA256SUMS.next, .NAME.tmp)
    titling   it died when the new README.txt had none                     (README.txt.next, .NAME.tmp)
"""
import os
import subprocess

import oracle


def make(site, policy, init):
    site.clear()
    site.day = 0
    os.mkdir(site.path("m1"))
    one = [line for line in policy.splitlines() if "path: " not in line or "/m1," in line]
    with open(site.path("policy.yaml"), "w") as f:
        f.write("\n".join(one) + "\n")
    subprocess.run(["cp", site.golden + "/bare/drill.md", site.golden + "/bare/id.txt", site.site], check=True)
    site.source(0)
    site.must("bkp", *init(site))
    site.must("bkp", "medium", "add", "m1")
    site.night(1)
    with open(oracle.repository(site, "m1") + "/journal/000001.jsonl", "r+b") as f:
        f.seek(1000)
        f.write(b"\0")
    site.must("bkp", "repair", "m1", "--quiet")
    site.night(2)
    site.keep("laden")
    die(site, "storing", "renameat2", "tmp/stage-0")
    die(site, "sealing", "renameat", "procedures/.SHA256SUMS.minisig.tmp")
    die(site, "titling", "renameat", "../.README.txt.minisig.tmp")


def die(site, state, function, left):
    """The night in which README.txt and a procedure change is killed before that call of the function that leaves this file."""
    for n in range(1, 40):
        site.reset("laden")
        site.day = 3
        subprocess.run(["sed", "-i", "s/テスト診療所/別の診療所/", site.path("policy.yaml")], check=True)
        with open(site.path("drill.md"), "a") as f:
            f.write("\nmore\n")
        site.run(["bkp", "run", "--all", "--quiet"], faults="%s:%d:kill" % (function, n))
        if os.path.exists(os.path.join(oracle.repository(site, "m1"), left)):
            return site.keep(state)
    raise RuntimeError("no call of %s leaves %s" % (function, left))
