"""The families of faults.  Each has cases(site), all of them, and run(site, case, full_every): (outcome, faults).

memory, errors and kill go by faults.c: a workload is counted once, then the n-th call or allocation fails, once or from then on.
"""
import datetime
import hashlib
import os
import re
import subprocess
import zlib

import calls
import damage
import disturb
import forge
import full
import mutants
import oracle
import power
import race
import strict
from sites import INIT

RESTORE = ["bkp-restore", "--quiet", "--identity", "{}/id.txt"]
# a drill looks at every process there is; the shell is there because the first one of all cannot be killed
ALONE = ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh"]
SOON = (datetime.date.today() + datetime.timedelta(20)).isoformat()
LONG = "a campaign " * 23  # as long as it may be: its record has several sectors

# name -> (state it starts from, its command; {} is the site, * the recipient)
WORKLOADS = {
    "init": ("bare", ["bkp", "INIT"]),
    "keys": ("bare", ["bkp", "init", "--recipient", "*", "--identity-out", "{}/desk/identity", "--plain", "--root-key-out", "{}/safe/root.key"]),
    "add": ("inited", ["bkp", "medium", "add", "m1"]),
    "first": ("added", ["bkp", "run", "--all", "--quiet"]),
    "night": ("night1", ["bkp", "run", "--all", "--quiet"]),
    "due": ("night1", ["bkp", "run", "--quiet"]),
    "unchanged": ("night2", ["bkp", "run", "--all", "--quiet"]),
    "trio": ("trio", ["bkp", "run", "--all", "--quiet"]),
    "behind": ("behind", ["bkp", "run", "--all", "--quiet"]),
    "died": ("died", ["bkp", "run", "--all", "--quiet"]),
    "remembered": ("remembered", ["bkp", "run", "--all", "--quiet"]),
    "rotate": ("old", ["bkp", "rotate", "m3", "--operator", "Sato", "--quiet", "--yes"]),
    "mend": ("vanished", ["bkp", "rotate", "m3", "--operator", "Sato", "--json", "--quiet", "--yes"]),
    "finish": ("standing", ["bkp", "rotate", "m3", "--operator", "Sato", "--quiet", "--yes"]),
    "expire": ("old", ["bkp", "expire", "--operator", "Sato", "--quiet", "--yes"]),
    "plan": ("old", ["bkp", "expire", "--plan-out", "{}/desk/plan", "--quiet"]),
    "install": ("night2", ["bkp", "schedule", "install", "--root", "{}/sys", "--kind", "cron"]),
    "remove": ("scheduled", ["bkp", "schedule", "remove", "--root", "{}/sys"]),
    "verify": ("night2", ["bkp", "verify", "--quiet", "--identity", "{}/id.txt"]),
    "repair": ("harmed", ["bkp", "repair", "--quiet"]),
    "supply": ("lost", ["bkp", "repair", "--quiet"]),
    "journal": ("torn", ["bkp", "journal", "repair", "--operator", "Sato"]),
    "hold": ("night2", ["bkp", "hold", "1", "--operator", "Sato", "--reason", LONG]),
    "segment": ("brim", ["bkp", "hold", "1", "--operator", "Sato", "--reason", LONG]),
    "release": ("held", ["bkp", "release", "docs@1", "--operator", "Sato"]),
    "accept": ("suspect", ["bkp", "accept", "docs@3", "--operator", "Sato", "--reason", "a campaign"]),
    "finding": ("night2", ["bkp", "finding", "add", "a campaign", "--owner", "Sato", "--due", SOON, "--operator", "Sato"]),
    "announce": ("night2", ["bkp", "announce", "a campaign", "--datasets", "all", "--until", SOON, "--operator", "Sato"]),
    "canary": ("crowded", ["bkp", "guard", "canary", "add", "--datasets", "docs", "--yes", "--quiet", "--operator", "Sato"]),
    "move": ("apart", ["bkp", "medium", "move", "m3", "--operator", "Sato", "--place", "倉庫"]),
    "retire": ("night2", ["bkp", "medium", "retire", "m2", "--operator", "Sato", "--reason", "a campaign"]),
    "data": ("night2", ["bkp", "medium", "set", "m2", "--operator", "Sato", "--maker", LONG, "--use-until", SOON]),
    "count": ("apart", ["bkp", "medium", "count", "--place", "金庫", "--seen", "m3", "--operator", "Sato"]),
    "report": ("night2", ["bkp", "report", "media", "--csv", "--out", "{}/desk/media.csv"]),
    "pack": ("packed", ["bkp", "report", "pack", "--out", "{}/packs/new", "--quiet"]),
    "disc": ("burnable", ["bkp", "disc", "write", "--to", "stdio:{}/desk/disc.iso", "--disc", "50 MiB", "--operator", "Sato", "--quiet"]),
    "stick": ("night2", ["bkp", "rescue-image", "{}/desk/rescue.img", "--quiet"]),
    "import": ("rehearsed", ["bkp", "journal", "import", "{}/desk/drill/drill.json", "--operator", "Sato"]),
    "countersign": ("rehearsed", ["bkp", "journal", "countersign", "{}/desk/head", "--operator", "Sato", "--by", "監査", "--public-key",
                                  "{}/desk/witness.pub"]),
    "head": ("night2", ["bkp", "journal", "head", "--out", "{}/desk/head"]),
    "agree": ("night2", ["bkp", "agree"]),
    "approve": ("night2", ["bkp", "agree", "--procedure", "{}/drill.md", "--operator", "Sato"]),
    "regulate": ("packed", ["bkp", "agree", "--regulation", "{}/desk/regulation.csv", "--operator", "Sato"]),
    "more": ("offered", ["bkp", "key", "add", "jimucho", "--from", "{}/desk/more", "--operator", "Sato"]),
    "less": ("offered", ["bkp", "key", "remove", "hosyu", "--from", "{}/desk/less", "--operator", "Sato", "--renew"]),
    "spread": ("taken", ["bkp", "run", "--all", "--quiet"]),
    "making": ("offered", RESTORE + ["--medium", "{}/m1", "key", "remove", "hosyu", "--to", "{}/to"]),
    "continue": ("gone", ["bkp", "init", "--continue", "{}/m1", "--continue", "{}/m2", "--secrets", "{}/desk/host/secrets.json", "--root-key",
                          "{}/root.key", "--operator", "Sato"]),
    "status": ("night2", ["bkp", "status"]),
    "page": ("night2", ["bkp", "status", "--html", "{}/desk/status.html"]),
    "live": ("night2", ["bkp", "check", "--live"]),
    "export": ("night2", ["bkp", "journal", "export", "--format", "csv", "--out", "{}/desk/journal.csv"]),
    "drill": ("night2", ALONE + RESTORE + ["--medium", "{}/m1", "drill", "{}/drill.md", "--to", "{}/to"]),
    "extract": ("night2", RESTORE + ["--medium", "{}/m1", "extract", "docs@2", "--to", "{}/to"]),
    "deep": ("night2", RESTORE + ["--medium", "{}/m1", "verify", "2", "--deep"]),
}
HARMED = {"harmed": "m2", "vanished": "m3", "lost": "m2"}  # state -> the medium that is not whole there
GOES = ("expire", "finish")  # of which generations go
ERRORS = {
    "open": ("EMFILE", "EIO", "EACCES"), "openat": ("EMFILE", "ENFILE", "EIO", "ENOMEM"), "read": ("EIO", "EINTR", "short"),
    "pread": ("EIO", "short"), "readv": ("EIO",), "write": ("EIO", "ENOSPC", "EDQUOT", "EINTR", "short"),
    "pwrite": ("EIO", "ENOSPC", "short"), "writev": ("EIO", "ENOSPC"), "fsync": ("EIO", "ENOSPC"), "fdatasync": ("EIO",),
    "syncfs": ("EIO",), "rename": ("EIO", "ENOSPC"), "renameat": ("EIO", "ENOSPC", "EROFS"), "renameat2": ("EIO", "ENOSPC", "taken"),
    "link": ("EIO",), "linkat": ("EIO",), "unlink": ("EIO",), "unlinkat": ("EIO", "EROFS"), "mkdir": ("ENOSPC",),
    "mkdirat": ("ENOSPC", "EIO"), "symlinkat": ("ENOSPC",), "ftruncate": ("EIO", "ENOSPC"), "fallocate": ("ENOSPC", "EIO"),
    "mmap": ("ENOMEM", "ENODEV"), "msync": ("EIO",), "stat": ("EIO",), "fstat": ("EIO",), "lstat": ("EIO",),
    "fstatat": ("EIO", "ESTALE"), "readdir": ("EIO",), "fdopendir": ("ENOMEM",), "opendir": ("EMFILE",), "close": ("EIO",),
    "dup": ("EMFILE",), "flock": ("EINTR", "ENOMEM"), "pipe2": ("EMFILE",), "fork": ("EAGAIN",), "fchmod": ("EIO",),
    "fchmodat": ("EIO",), "utimensat": ("EIO",), "futimens": ("EIO",), "fgetxattr": ("EIO",), "flistxattr": ("EIO",),
    "statfs": ("EIO",), "fstatfs": ("EIO",), "statvfs": ("EIO",), "fstatvfs": ("EIO",), "faccessat": ("EIO",),
    "readlinkat": ("EIO",), "waitpid": ("EINTR",), "pthread_create": ("EAGAIN",),
}


# what must be given again before the days after are quiet -> how it may end then
AGAIN = {"canary": (0,), "repair": (0,), "supply": (0,), "mend": (0, 1), "journal": (0, 1, 2), "accept": (0, 2), "stick": (0, 2), "pack": (0, 2)}


def once_more(site, workload, argv):
    code, said = site.run(argv) if workload in AGAIN else (0, "")
    wrong = ["once more: exit %d: %s" % (code, said)] if code and code not in AGAIN[workload] else []
    return wrong or (oracle.canaries(site) if workload == "canary" else [])


def start(site, workload):
    state, argv = WORKLOADS[workload]
    site.reset(state)
    site.init = INIT(site)
    argv = site.init if argv[1] == "INIT" else argv[1:]
    if workload == "continue":
        site.init = [w.replace("{}", site.site) for w in argv]
    return [WORKLOADS[workload][1][0]] + [site.init[-1] if w == "*" else w.replace("{}", site.site) for w in argv]


def aftermath(site, case, workload, argv, before, ended, faults, full_every, harmed=None):
    """(outcome, faults) of a command that ended so: exit status, what it said.  harmed: the medium that was not whole."""
    code, said = ended
    harmed = harmed or HARMED.get(WORKLOADS[workload][0])
    if workload == "extract" and code == 0 and oracle.tree(site.path("src")) != oracle.tree(site.path("to") + site.path("src")):
        faults.append("exit 0, and another tree was restored")
    faults += oracle.look(site, before, lost=workload == "journal", harmed=harmed, mended=code == 0, goes=workload in GOES)
    if code == -9 and workload == "repair":
        faults += oracle.replaced(site, before, "m2")
    outcome = oracle.outcome(site, code)
    if not faults:
        faults += oracle.promised(site, workload, code)
    if faults:
        faults.append("it said: " + said[-400:])
    seed = zlib.crc32(case.encode())
    if not faults and (full_every and seed % full_every == 0 or first_of(site, outcome)):
        faults += once_more(site, workload, argv)
        faults += oracle.go_on(site, look_first=seed % 2)
    return outcome, faults


class Calls:
    """The n-th call of a function, or allocation, of a workload."""

    def __init__(self, points):
        self.points = points  # counts -> [(function, N, what)]

    def cases(self, site):
        out = []
        for w in WORKLOADS:
            out += ["%s:%s:%s" % (self.name, w, p) for p in self.points(calls_of(site, w))]
        return out

    def run(self, site, case, full_every):
        _, workload, spec = case.split(":", 2)
        argv = start(site, workload)
        before = oracle.Before(site)
        code, said = site.run(argv, faults=spec)
        _, came = site.counts()
        if not came:
            return "not-reached", []
        if workload == "page":  # what is amiss stands on the page
            said += "".join(re.findall("[△×]", oracle.read(site.path("desk/status.html")).decode()))
        where, faults = given_up(site)
        return aftermath(site, case, workload, argv, before, (code, said), self.judge(code, said) + faults, full_every, where)

    def judge(self, code, said):
        return judge_end(code, said)


def given_up(site):
    """What somebody else put under a name stays his until he takes it away again: (the medium that it stood on, faults)."""
    path = site.taken()
    if not path:
        return None, []
    was, where = oracle.read(path), os.path.relpath(path, site.site)
    if os.path.isfile(path):
        subprocess.run(["chattr", "-f", "-i", path], check=False)
        os.unlink(path)
    return where.split("/")[0], [] if was == b"somebody else's\n" else ["what somebody else had at %s was replaced" % where]


class Kills(Calls):
    def judge(self, code, said):
        # 2: the parent of a run that was killed says so
        return [] if code in (-9, 0, 1, 2) else ["exit %d: %s" % (code, said[-300:])]


def judge_end(code, said):
    """How a command may end that nobody killed."""
    if code not in (0, 1, 2, 3, 64):
        return ["exit %d: %s" % (code, said[-300:])]
    if code and not said.strip():
        return ["exit %d without a word" % code]
    return ["it does not say what it was: " + said[-300:]] if "E-BKP-00" in said else []


def calls_of(site, workload):
    """name -> how many of them there are without any fault."""
    def count():
        code, said = site.run(start(site, workload), faults="")
        if code not in (0, 1):
            raise RuntimeError("%s without a fault: exit %d: %s" % (workload, code, said))
        return site.counts()[0]
    return site.once("calls-" + workload, count)


def first_of(site, outcome):
    """Whether any worker sees this outcome for the first time."""
    try:
        os.close(os.open("%s/seen-%s%s" % (site.root, hashlib.sha256(outcome.encode()).hexdigest(), site.seen), os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def allocations(counts):
    return ["alloc:%d:ENOMEM" % n for n in range(1, counts["alloc"] + 1)] + ["alloc:%d:ENOMEM:on" % n for n in range(1, counts["alloc"] + 1, 7)]


def errors(counts):
    return ["%s:%d:%s%s" % (f, n, e, on) for f, es in ERRORS.items() for n in range(1, counts[f] + 1) for e in es
            for on in (("", ":on") if e not in ("short", "EINTR", "taken") else ("",))]


def kills(counts):
    return ["any:%d:kill" % n for n in range(1, counts["any"] + 1)]


FAMILIES = {"memory": Calls(allocations), "errors": Calls(errors), "kill": Kills(kills), "damage": damage.Damage(), "full": full.Full(),
            "calls": calls.Raw(), "cache": calls.Cache(), "power": power.Power(), "race": race.Race(), "disturb": disturb.Disturb(),
            "forge": forge.Forge(), "strict": strict.Strict()}
FAMILIES["mutants"] = mutants.Mutants(FAMILIES)
for name in FAMILIES:
    FAMILIES[name].name = name
