"""Full: the state folder or a medium has so many KiB ("12k"), inodes ("3i"), or KiB of its quota ("12q": EDQUOT, which btrfs gives to
root as well) left when a command begins, or /tmp and $TMPDIR have ("tmp"); afterwards there is room again.
"""
import os
import subprocess

import families
import oracle

LEFT = ["%dk" % k for k in list(range(0, 68, 4)) + [80, 96, 128, 192, 256, 384, 512, 768]] + ["%di" % n for n in range(8)]
QUOTA = ["%dq" % k for k in (0, 4, 16, 64, 128, 256, 512, 1024, 2048)]
TMP = ["%dk" % k for k in (0, 4, 8, 16, 64)]
WHERE = ("state", "m1", "m2", "m3")
WORKLOADS = ("add", "first", "night", "unchanged", "behind", "trio", "rotate", "expire", "verify", "repair", "journal", "hold", "segment", "release",
             "accept", "move", "retire", "export", "drill")
READERS = ("status", "live", "agree", "extract", "deep")


def mount(site, where, quota=False):
    """The folder on a tmpfs, or a btrfs that counts, of its own."""
    if where == "tmp":
        site.tmp = site.path("tmp")
        os.mkdir(site.tmp)
        with open(site.tmp + "/another's", "wb") as f:
            f.write(bytes(4096))  # a size of 0 would be no limit
    path, aside = site.path(where), site.path(where + ".aside")
    os.rename(path, aside)
    os.mkdir(path)
    if quota:
        image = site.path(where + ".btrfs")
        with open(image, "wb") as f:
            f.truncate(160 << 20)
        subprocess.run(["mkfs.btrfs", "-q", "-K", image], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", image, path], check=True)
        subprocess.run(["btrfs", "quota", "enable", path], check=True)
    else:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", path], check=True)
    subprocess.run(["cp", "-a", aside + "/.", path], check=True)
    subprocess.run(["rm", "-rf", aside], check=True)
    if where == "tmp":
        os.chmod(path, 0o1777)
        subprocess.run(["mount", "--bind", path, "/tmp"], check=True)


def unmount(site, where, quota):
    if where == "tmp":
        del site.tmp
        subprocess.run(["umount", "-l", "/tmp"], check=True)
    if quota:
        subprocess.run(["umount", "-l", site.path(where)], check=True)


def used(path):
    """Bytes that the quota counts."""
    said = subprocess.run(["btrfs", "qgroup", "show", "--raw", "--sync", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    return next(int(line.split()[1]) for line in said.split("\n") if line.startswith("0/5"))



def leave(site, where, left):
    """So much room, or all of it again ("")."""
    path = site.path(where)
    if left.endswith("q"):
        subprocess.run(["btrfs", "qgroup", "limit", str(used(path) + int(left[:-1]) * 1024), "0/5", path], check=True)
        return
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
    if workload not in ("first", "night", "unchanged", "behind", "trio") or not other:
        return []
    recs, _ = oracle.records(oracle.journal_of(site.path("state")))
    have, begun = oracle.copies(recs), max(r["run"] for r in recs if r["event"] == "begin")
    wanted = {(d, begun) for d in oracle.policy(site)[1][other]} - {("lab", begun)}  # which gives nothing in "trio"
    lacks = {g for g in wanted if (g, oracle.uuid(site, other)) not in have}
    return [] if code < 2 and not lacks else ["%s is full: exit %d, and %s lacks %s" % (where, code, other, sorted(lacks))]


class Full:
    name = "full"

    def cases(self, site):
        mine = [w for w in WORKLOADS if w in families.WORKLOADS]
        out = ["full:%s:%s:%s" % (w, d, left) for w in mine for d in WHERE for left in LEFT + QUOTA
               if not (w in ("rotate",)) ^ (d == "m3") or d == "state"]
        return out + ["full:%s:tmp:%s" % (w, left) for w in mine + [w for w in READERS if w in families.WORKLOADS] for left in TMP]

    def run(self, site, case, full_every):
        _, workload, where, left = case.split(":")
        quota = left.endswith("q")
        argv = families.start(site, workload)
        mount(site, where, quota)
        try:
            return self.filled(site, case, argv)
        finally:
            unmount(site, where, quota)

    def filled(self, site, case, argv):
        _, workload, where, left = case.split(":")
        before = oracle.Before(site)
        leave(site, where, left)
        code, said = site.run(argv)
        if left.endswith("q"):
            subprocess.run(["btrfs", "quota", "disable", site.path(where)], check=True)  # a limit cannot be lifted where it is reached
        else:
            leave(site, where, "")
        faults = [] if code in (0, 1, 2, 3) else ["exit %d" % code]
        if code and not said.strip():
            faults.append("exit %d without a word" % code)
        faults += others_served(site, workload, where, code)
        return families.aftermath(site, case, workload, argv, before, (code, said), faults, 0)
