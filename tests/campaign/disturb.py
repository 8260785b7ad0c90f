"""Disturb: what happens to a command from outside, before the n-th of its calls.

    disturb:term:WORKLOAD:N, disturb:int:...    a signal; it ends as the signal says, or as a command may end
    disturb:stop:WORKLOAD:N:OTHER               it is stopped, another command is tried, it goes on: both end, neither hangs
    disturb:umount:WORKLOAD:WHERE:N             a medium or the state folder is an ext4 that is unmounted (umount -l), ...
    disturb:readonly:...                        ... becomes read-only,
    disturb:eio:..., disturb:gone:...           ... whose disk gives EIO, or is gone, for good; afterwards it is mounted again
    disturb:crowd:SEED                          eight commands at once

Then oracle.py; and what was unmounted has nothing in the folder beneath it.
"""
import os
import random
import signal
import subprocess
import time
import zlib

import blockdev
import families
import full
import oracle

SECONDS = 60
NAMED = ["--operator", "Sato"]
OTHERS = {
    "run": ["bkp", "run", "--all", "--quiet"],
    "rotate": ["bkp", "rotate", "m3"] + NAMED + ["--quiet", "--yes"],
    "verify": ["bkp", "verify", "--quiet"],
    "expire": ["bkp", "expire"] + NAMED + ["--quiet", "--yes"],
    "status": ["bkp", "status"],
    "journal-verify": ["bkp", "journal", "verify"],
    "hold": ["bkp", "hold", "1"] + NAMED + ["--reason", "a campaign"],
    "release": ["bkp", "release", "docs@1"] + NAMED,
    "move": ["bkp", "medium", "move", "m3"] + NAMED + ["--place", "倉庫"],
    "repair": ["bkp", "repair", "--quiet"],
    "live": ["bkp", "check", "--live"],
    "agree": ["bkp", "agree"],
    "generations": ["bkp", "generations"],
    "export": ["bkp", "journal", "export", "--format", "csv", "--out", "{}/crowd.csv"],
    "deep": ["bkp-restore", "--quiet", "--identity", "{}/id.txt", "--medium", "{}/m1", "verify", "1", "--deep"],
}
SIGNALS = {"term": signal.SIGTERM, "int": signal.SIGINT}
DISKS = ("umount", "readonly", "eio", "gone")
CROWD, CROWDS = 8, 2000
SIZE = 64 << 20
MOST = 10000  # points of a workload: a drill looks at all processes of the machine


class Command:
    """A command under way, with a fault (faults.c) that it comes to by itself."""

    def __init__(self, site, argv, faults=None):
        self.site = site
        self.out = open("%s/said-%d" % (site.work, time.monotonic_ns()), "w+b")
        e = site.env(faults)
        if faults:
            e["FAULTS_WHO"] = os.path.basename(argv[0])
        self.p = subprocess.Popen([w.replace("{}", site.site) for w in argv], env=e, stdin=subprocess.DEVNULL, stdout=self.out,
                                  stderr=subprocess.STDOUT, start_new_session=True)

    def stopped(self):
        """The process that stopped itself; 0: the command ended before."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with open(self.site.work + "/faults", "rb") as f:
                pid = int.from_bytes(f.read()[516:520], "little")
            if pid and process_state(pid) == "T":
                return pid
            if self.p.poll() is not None:
                return 0
            time.sleep(0.0005)
        return 0

    def end(self):
        """(exit status, what it said)"""
        try:
            code = self.p.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.p.pid, signal.SIGKILL)
            self.p.wait()
            code = 124
        self.out.seek(0)
        said = self.out.read().decode(errors="replace")
        self.out.close()
        os.unlink(self.out.name)
        return code, said if code != 124 else "no end after %d s: %s" % (SECONDS, said)


def process_state(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


class Disk:
    """A folder of the site on an ext4 of its own, that can be disturbed."""

    def __init__(self, site, where):
        self.site, self.path = site, site.path(where)
        self.image = site.work + "/disturb.ext4"
        if not os.path.exists(self.image):
            with open(self.image, "wb") as f:
                f.truncate(SIZE)
            subprocess.run(blockdev.MKFS["ext4"] + [self.image], check=True)

    def __enter__(self):
        self.disks = blockdev.Disks(self.site.work + "/disks", self.site.bin + "/blockdev", [self.image])
        self.disks.__enter__()
        aside = self.path + ".aside"
        os.rename(self.path, aside)
        os.mkdir(self.path)
        self.mount()
        subprocess.run(["cp", "-a", aside + "/.", self.path], check=True)
        subprocess.run(["chattr", "-R", "-f", "-i", aside], check=False)
        subprocess.run(["rm", "-rf", aside], check=True)
        os.sync()
        self.disks.log()
        return self

    def __exit__(self, *_):
        blockdev.umount(self.path, lazy=True)
        self.disks.__exit__()

    def mount(self):
        error = blockdev.mount("ext4", self.disks.device[0], self.path)
        if error:
            raise OSError(error, "the disk does not come back")

    def disturb(self, how):
        if how == "umount":
            blockdev.umount(self.path, lazy=True)
        elif how == "readonly":
            for option in ("ro", "ro,abort"):  # what is open for writing refuses the first
                if not subprocess.run(["mount", "-o", "remount," + option, self.path], stderr=subprocess.DEVNULL, check=False).returncode:
                    break
        else:
            self.disks.fail(0, how)

    def put_right(self):
        """The folder beneath it, and the disk back; what was written beneath it is a fault."""
        blockdev.umount(self.path)
        if os.path.ismount(self.path):
            raise OSError("the disk is still held")
        beneath = os.listdir(self.path)
        for n in beneath:
            subprocess.run(["rm", "-rf", self.path + "/" + n], check=True)
        self.disks.fail(0, "ok")
        self.mount()
        return ["in the folder beneath it: " + " ".join(beneath)] if beneath else []


class Disturb:
    name = "disturb"

    def cases(self, site):
        others = sorted(OTHERS)
        out = ["disturb:crowd:%d" % n for n in range(CROWDS)]
        for w in families.WORKLOADS:
            calls = families.calls_of(site, w)["any"]
            ns = range(1, calls + 1, 1 + calls // MOST)
            out += ["disturb:%s:%s:%d" % (s, w, n) for s in SIGNALS for n in ns]
            out += ["disturb:stop:%s:%d:%s" % (w, n, others[zlib.crc32(b"%d" % n) % len(others)]) for n in ns]
            if w in full.WORKLOADS:
                out += ["disturb:%s:%s:%s:%d" % (k, w, d, n) for k in DISKS for d in full.WHERE
                        if (w == "rotate") == (d == "m3") or d == "state" for n in ns]
        return out

    def run(self, site, case, full_every):
        _, how, rest = case.split(":", 2)
        self.case = case
        if how == "crowd":
            return self.crowd(site, int(rest))
        if how in SIGNALS:
            workload, n = rest.split(":")
            return self.one(site, workload, lambda argv: self.signalled(site, argv, how, n), signals=how)
        if how == "stop":
            workload, n, other = rest.split(":")
            return self.one(site, workload, lambda argv: self.stopped(site, argv, n, other))
        workload, where, n = rest.split(":")
        return self.one(site, workload, lambda argv: self.paused(site, argv, n, lambda: self.disk.disturb(how)), where=where)

    def one(self, site, workload, act, signals=None, where=None):
        argv = families.start(site, workload)
        if not where:
            return self.judged(site, workload, argv, act, signals, lambda: [])
        with Disk(site, where) as self.disk:
            return self.judged(site, workload, argv, act, signals, self.disk.put_right)

    def judged(self, site, workload, argv, act, signals, put_right):
        before = oracle.Before(site)
        code, said, faults, came = act(argv)
        faults += put_right()
        if not came:
            return "not-reached", faults
        if not signals or code != -SIGNALS[signals]:
            faults += families.judge_end(code, said)
        return families.aftermath(site, self.case, workload, argv, before, (code, said), faults, 0)

    # ---- what is done to it: (exit status, words, faults, whether it came to that)

    def signalled(self, site, argv, how, n):
        code, said = site.run(argv, faults="any:%s:%s" % (n, how))
        return code, said, [], site.counts()[1]

    def paused(self, site, argv, n, do):
        c = Command(site, argv, "any:%s:stop" % n)
        pid = c.stopped()
        faults = []
        if pid:
            try:
                faults = do() or []
            finally:
                os.kill(pid, signal.SIGCONT)
        code, said = c.end()
        return code, said, faults, pid

    def stopped(self, site, argv, n, other):
        def do():
            c = Command(site, OTHERS[other])
            code, said = c.end()
            return ["meanwhile %s: %s" % (other, f) for f in families.judge_end(code, said)]
        return self.paused(site, argv, n, do)

    def crowd(self, site, seed):
        draw = random.Random(seed)
        site.reset(draw.choice(("night2", "held", "old", "behind")))
        site.init = []
        before = oracle.Before(site)
        under_way = []
        for _ in range(CROWD):
            name = draw.choice(sorted(OTHERS))
            under_way.append((name, Command(site, OTHERS[name])))
            time.sleep(draw.choice((0, 0, 0.005, 0.02, 0.05)))
        ends = [(name,) + c.end() for name, c in under_way]
        faults = ["%s: %s" % (name, f) for name, code, said in ends for f in families.judge_end(code, said)]
        faults += oracle.look(site, before)
        if not faults:
            faults += oracle.go_on(site)
        return "crowd-%s" % "".join(str(code) for _, code, _ in ends), faults
