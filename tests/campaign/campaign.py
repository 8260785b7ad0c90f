#!/usr/bin/env python3
"""A campaign: every fault of a family at every point of a workload, each judged by an oracle of its own.  See docs/campaign.md.

    campaign.py --build DIR [OPTION …]        (see --help, and run.sh)

A case is FAMILY:WORKLOAD:…, and reproduces alone with --case.  Points are tried in an order that is spread evenly over the whole, so
that one who stops half-way has looked everywhere.  Exit status: 0, 1 something failed, 64 what is asked for does not exist.
"""
import argparse
import fcntl
import glob
import hashlib
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import zlib

import families
import oracle
import sites

STATE = {}


def begin(root, full_every):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    s = sites.Site(root)
    s.alone()
    STATE.update(site=s, full_every=full_every)


def work(case):
    """(case, outcome, faults, counts): one case from a fresh site, with whatever it is that is looked at; a family may count more."""
    s, family = STATE["site"], case.split(":")[0]
    try:
        return ((case,) + families.FAMILIES[family].run(s, case, STATE["full_every"]) + ({},))[:4]
    except Exception as e:  # the campaign's own fault is a failure as well
        return case, "", ["the campaign itself: %s: %s" % (type(e).__name__, e)], {}


def refuse(why):
    print("tests/campaign/run.sh: " + why, file=sys.stderr)
    raise SystemExit(64)


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return f.read().splitlines()


def spread(cases):
    """The same order each time, evenly over all of them."""
    return sorted(cases, key=lambda c: zlib.crc32(c.encode()))


def found(by_family, here):
    """Of each kind of case that was a failure once (found.txt), so many."""
    with open(here + "/found.txt") as f:
        lines = [m for m in (re.match(r"(\d+)\s+(\S+)", line) for line in f) if m]
    out = {}
    for n, kind in (m.groups() for m in lines):
        cases = [c for cases in by_family.values() for c in cases if re.search(kind, c)]
        if not cases:
            raise SystemExit("found.txt: there is no case like '%s' any more" % kind)
        out[kind] = spread(cases)[:int(n)]
    return out


class Log:
    """What was tried, a line each: CASE OUTCOME, or CASE FAILED; with --resume it is gone on with: what failed is tried again.

    DIR/tried these lines, DIR/hours a line for each time it was gone on with, DIR/program the digest of what is tried: a number of a call
    means something else in another one.
    """

    def __init__(self, folder, build, workers):
        self.path = os.path.join(folder, "tried") if folder else ""
        self.tried, self.outcomes, self.counts = set(), set(), {}
        if folder:
            os.makedirs(folder, exist_ok=True)
            self.one_program(folder, build)
        for line in lines_of(self.path):
            case, outcome, *counts = line.split()
            if outcome != "FAILED":
                self.tried.add(case)
                self.outcomes.add(outcome)
                self.add_counts(case, dict((k, int(n)) for k, n in (c.split("=") for c in counts)))
        self.hours_path = os.path.join(folder, "hours") if folder else ""
        self.hours = sum(float(line) for line in lines_of(self.hours_path))
        self.workers, self.noted = workers, time.monotonic()
        self.file = open(self.path, "a") if folder else None

    def one_program(self, folder, build):
        path, digest = os.path.join(folder, "program"), hashlib.sha256(b"".join(oracle.read(build + "/" + p) for p in ("bkp", "bkp-restore")))
        was = lines_of(path)
        if was and was[0] != digest.hexdigest():
            refuse("'%s' is a campaign against another program: build that one, or begin in another folder" % folder)
        with open(path, "w") as f:
            f.write(digest.hexdigest() + "\n")

    def note_hours(self, at_least=0):
        """Machine hours: all workers together."""
        seconds = time.monotonic() - self.noted
        if seconds >= at_least:
            self.noted += seconds
            self.hours += seconds * self.workers / 3600
            if self.hours_path:
                with open(self.hours_path, "a") as f:
                    f.write("%.4f\n" % (seconds * self.workers / 3600))

    def add_counts(self, case, counts):
        family = case.split(":")[0]
        for k, n in counts.items():
            self.counts[family, k] = self.counts.get((family, k), 0) + n

    def add(self, case, outcome, failed, counts):
        if not failed:
            self.tried.add(case)
        self.outcomes.add(outcome)
        self.add_counts(case, counts)
        self.note_hours(60)
        if self.file:
            self.file.write(" ".join([case, "FAILED" if failed else outcome or "-"] + ["%s=%d" % c for c in counts.items()]) + "\n")
            self.file.flush()


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True)
    p.add_argument("--minutes", type=float, help="no case begins later")
    p.add_argument("--only", default="", help="FAMILY,… of " + ", ".join(families.FAMILIES) + "; without it, all but mutants")
    p.add_argument("--workload", default="", help="only these, of the families that have workloads: NAME,…")
    p.add_argument("--match", default="", help="only cases in which this regular expression is found")
    p.add_argument("--resume", metavar="DIR", help="what was tried is noted there, and not tried again unless it failed")
    p.add_argument("--kept", metavar="DIR", default=os.environ.get("BKP_CAMPAIGN_KEPT"),
                   help="an empty folder in memory, for the sites of several campaigns against one program: made once, removed by who made it")
    p.add_argument("--workers", type=int, default=os.cpu_count())
    p.add_argument("--points", type=int, help="of each family, at most")
    p.add_argument("--full", type=int, default=0, help="every N-th case is looked at by all commands, however it ended")
    p.add_argument("--found", action="store_true", help="of each kind of case that failed once, some")
    p.add_argument("--case", action="append", help="this one; may be given again")
    a = p.parse_args()
    a.only = [f for f in a.only.split(",") if f]
    a.workload = [w for w in a.workload.split(",") if w]
    for what, names, known in (("family", a.only, families.FAMILIES), ("workload", a.workload, families.WORKLOADS),
                               ("family", [c.split(":")[0] for c in a.case or ()], families.FAMILIES)):
        for n in names:
            if n not in known:
                refuse("there is no %s '%s': %s" % (what, n, ", ".join(known)))
    return a


def main():
    a = arguments()
    for w in [w for w in families.WORKLOADS if a.workload and w not in a.workload]:
        del families.WORKLOADS[w]
    here = os.path.dirname(os.path.abspath(__file__))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what it made in memory goes
    return in_folder(a.kept, lambda root: campaign(a, root, here))


def in_a_process(f, *args):
    """What changes its mount namespace does so in a process of its own."""
    with multiprocessing.get_context("fork").Pool(1, signal.signal, (signal.SIGTERM, signal.SIG_DFL)) as pool:
        return pool.apply(f, args)


def make(root):
    sites.Site(root).make()


def count(root, only):
    s = sites.Site(root)
    s.alone()
    return {name: f.cases(s) for name, f in families.FAMILIES.items() if (name in only if only else not hasattr(f, "on_request"))}


def ready(root, build, here):
    """The programs and the sites below root, by whoever comes first."""
    with open(root + "/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(root + "/made"):
            sites.set_up(root, build, here)
            in_a_process(make, root)
            open(root + "/made", "w").close()


def in_folder(kept, f):
    """f(folder): kept, from which workers that have ended are cleared; or one in memory that goes."""
    root = os.path.abspath(kept) if kept else tempfile.mkdtemp(prefix="bkp-campaign.", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    os.chmod(root, 0o755)
    try:
        return f(root)
    finally:
        for d in glob.glob(root + "/work-*") if kept else [root]:
            if not kept or not os.path.exists("/proc/" + d.rpartition("-")[2]):
                shutil.rmtree(d, ignore_errors=True)


def campaign(a, root, here):
    log = Log(a.resume, os.path.abspath(a.build), a.workers)
    ready(root, os.path.abspath(a.build), here)
    for outcome in log.outcomes:
        families.first_of(sites.Site(root), outcome)
    if a.case:
        by_family = {"case": a.case}
    else:
        by_family = in_a_process(count, root, a.only)
        by_family = {n: [c for c in cases if re.search(a.match, c)] for n, cases in by_family.items()}
        by_family = found(by_family, here) if a.found else by_family
    total = sum(len(c) for c in by_family.values())
    if not total:
        refuse("no case is like that")
    todo = []
    for cases in by_family.values():
        cases = spread(cases) if not a.case else cases
        todo.append([c for c in cases[:a.points] if c not in log.tried])
    print("enumerated: " + ", ".join("%s %d" % (n, len(c)) for n, c in by_family.items()), flush=True)
    # families take turns, in proportion to their length
    order = sorted(((i + 0.5) / len(t), c) for t in todo for i, c in enumerate(t))
    began, tried, failed, missed = time.monotonic(), 0, 0, 0
    end = began + a.minutes * 60 if a.minutes else None
    with multiprocessing.get_context("fork").Pool(a.workers, begin, (root, 1 if a.case else a.full)) as pool:
        for case, outcome, faults, counts in pool.imap_unordered(work, (c for _, c in order if not end or time.monotonic() < end), chunksize=1):
            tried += 1
            missed += outcome == "not-reached"
            log.add(case, outcome, faults, counts)
            if faults:
                failed += 1
                print("FAILED: tests/campaign/run.sh --case '%s': %s" % (case, "; ".join(faults).replace("\n", " / ")), flush=True)
            elif a.case:
                print("ok: %s" % case, flush=True)
            if end and time.monotonic() > end:
                pool.terminate()
                break
    seconds = time.monotonic() - began
    log.note_hours()
    for family, cases in by_family.items():
        if len(by_family) > 1 and not a.found:
            print("%s: %d of %d tried" % (family, sum(c in log.tried for c in cases), len(cases)))
    for (family, what), n in log.counts.items():
        print("%s: %d %s" % (family, n, what))
    lost = missed > tried / 10 and not a.case
    if lost:
        print("FAILED: %d faults did not come: what is counted is not what is run" % missed, flush=True)
    print("tried %d of %d (%d now, %d not reached, %d per hour; %.2f machine hours), %d distinct outcomes, %d failed" %
          (len(log.tried), total, tried, missed, tried / max(seconds, 1) * 3600, log.hours, len(log.outcomes), failed), flush=True)
    return 1 if failed or lost else 0


if __name__ == "__main__":
    sys.exit(main())
