"""Full: the state folder or a medium has so many KiB, or so many inodes, left when a command begins; afterwards there is room again."""
import os
import subprocess

import families
import oracle

LEFT = ["%dk" % k for k in list(range(0, 68, 4)) + [80, 96, 128, 192, 256, 384, 512, 768]] + ["%di" % n for n in range(8)]
WHERE = ("state", "m1", "m2", "m3")
WORKLOADS = ("add", "first", "night", "unchanged", "behind", "rotate", "expire", "verify", "repair", "journal", "hold", "release", "accept", "move", "retire", "export", "drill")


def mount(site, where):
    """The folder on a tmpfs of its own."""
    path, aside = site.path(where), site.path(where + ".aside")
    os.rename(path, aside)
    os.mkdir(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", path], check=True)
    subprocess.run(["cp", "-a", aside + "/.", path], check=True)
    subprocess.run(["rm", "-rf", aside], check=True)


def leave(site, where, left):
    """So much room, or all of it again ("")."""
    path = site.path(where)
    s = os.statvfs(path)
    if not left:
        size = "size=200m,nr_inodes=100000"
    elif left.endswith("k"):
        size = "size=%d" % ((s.f_blocks - s.f_bfree) * s.f_frsize + int(left[:-1]) * 1024)
    else:
        size = "nr_inodes=%d" % (s.f_files - s.f_ffree + int(left[:-1]))
    subprocess.run(["mount", "-o", "remount," + size, path], check=True)


def others_served(site, workload, where, code):
    """A medium that is full keeps nothing from the other one, and is no more than a remark (1)."""
    other = {"m1": "m2", "m2": "m1"}.get(where)
    if workload not in ("first", "night", "unchanged", "behind") or not other:
        return []
    recs, _ = oracle.records(oracle.read(site.path("state", "journal.jsonl")))
    newest = max([g for g, m in oracle.copies(recs) if m == oracle.uuid(site, other)] or [0])
    begun = max(r["generation"] for r in recs if r["event"] == "begin")
    return [] if code < 2 and newest == begun else ["%s is full: exit %d, and %s has %d of %d" % (where, code, other, newest, begun)]


class Full:
    name = "full"

    def cases(self, site):
        return ["full:%s:%s:%s" % (w, d, left) for w in WORKLOADS if w in families.WORKLOADS for d in WHERE for left in LEFT
                if not (w in ("rotate",)) ^ (d == "m3") or d == "state"]

    def run(self, site, case, full_every):
        _, workload, where, left = case.split(":")
        argv = families.start(site, workload)
        mount(site, where)
        before = oracle.Before(site)
        leave(site, where, left)
        code, said = site.run(argv)
        leave(site, where, "")
        faults = [] if code in (0, 1, 2, 3) else ["exit %d" % code]
        if code and not said.strip():
            faults.append("exit %d without a word" % code)
        faults += others_served(site, workload, where, code)
        return families.aftermath(site, case, workload, argv, before, (code, said), faults, 0)
