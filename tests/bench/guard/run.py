#!/usr/bin/env python3
"""What the guard against mass change catches, on which night, and how often it is wrong: real captures of a simulated clinic and simulated
attackers.  Started by tests/bench/guard.sh, whose head says what it prints; docs/guard.md has the tables.

    --tree 2k|60k    how many files (2k)
    --seeds N        clinics (1); --first N: the number of the first
    --nights N       of the year in short, behind the first 30 (60)
    --only REGEX     attacks and events whose names it finds
    --quick          a dozen of each, and no year
    --jobs N         at a time (1)
    --extra TEXT     more of the data sets' policy, as: guard: {sensitivity: high}
    --tar            the files are a data set of a tar stream
    --after TEXT     a command of bkp behind the first capture, as: guard canary add docs
    --json FILE      everything, with the figures of each night
    --list           names only
    --check          whether the contents are what they are called (check.py), instead
    --cost           what the guard costs on a night, instead; BKP_BASE=DIR: a build to compare with (cost.py)
"""
import argparse, json, os, re, resource, sys, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import attacks, events, report  # noqa: E402
from clinic import DAY, Clinic  # noqa: E402
from content import Pool  # noqa: E402
from dump import DROPPED, TABLES, Database  # noqa: E402
from site_of_nights import Site, bind, must, overlay, own_mounts, thaw_and_remove  # noqa: E402

LEARNED = 30  # ordinary nights before anything else happens


class Bench:
    def __init__(self, a):
        self.a, self.pool, self.figures = a, Pool(), []
        self.at = os.path.join(a.folder, "site")
        os.makedirs(self.at)

    def site(self):
        return Site(self.at, os.environ["BKP_BIN"], self.a.fake, ", " + self.a.extra if self.a.extra else "", self.a.tar)

    def new_database(self, seed):
        """Its dumps of the nights that all attacks and events are played on are made once."""
        self.database = Database(self.pool, seed)
        for n in range(LEARNED + 1, LEARNED + 11):
            self.database.dumps(n, keep=True)

    def kept(self, seed):
        return os.path.join(self.a.folder, "kept%d" % seed)

    def clinic(self, site, seed):
        return Clinic(site.src, seed, self.a.tree, self.pool, site.dumps, self.database)

    # ---- what is played: each gives a dict for the report

    def learn(self, seed):
        """The first 30 nights, plain; every alarm is false, and a person accepts it."""
        bind(self.kept(seed), self.at)
        site = self.site()
        clinic = self.clinic(site, seed)
        clinic.make()
        site.begin()
        said = self.ordinary(site, 0)
        if self.a.after:
            must(site.bkp, *self.a.after.split(), env=site.environment(0))
        for n in range(1, LEARNED + 1):
            clinic.day(n)
            said += self.ordinary(site, n)
        return {
            "kind": "plain",
            "name": "the first nights",
            "seed": seed,
            "nights": LEARNED + 1,
            "alarms": said,
            "files": len(clinic.below()),
        }

    def ordinary(self, site, n):
        suspects = site.run(n)
        if suspects:
            site.accept(n, suspects)
        self.figures.append(site.figures())
        return [{"night": n, "dataset": d, "said": s} for d, s in suspects.items()]

    def year(self, seed):
        site = self.site()
        clinic, said, quiet = self.clinic(site, seed), [], 0
        for k in range(1, self.a.nights + 1):
            happens = getattr(events, events.SEQUENCE.get(k, "holidays"))
            quiet = happens.quiet_days if k in events.SEQUENCE and happens.quiet_days else quiet - 1
            clinic.day(LEARNED + k, quiet=quiet > 0)
            if k in events.SEQUENCE:
                happens(clinic)
            for alarm in self.ordinary(site, LEARNED + k):
                said.append(dict(alarm, behind=happens.what if k in events.SEQUENCE else "ordinary work"))
        return {"kind": "year", "name": "a year in short", "nights": self.a.nights, "alarms": said}

    def event(self, seed, happens):
        site = self.site()
        clinic, said, n = self.clinic(site, seed), [], LEARNED
        for k in range(max(happens.days, happens.quiet_days or 1) + 3):
            n += 1
            clinic.day(n, quiet=k < happens.quiet_days)
            if k < happens.days:
                happens(clinic)
            said += self.ordinary(site, n)
        return {"kind": "event", "name": happens.what, "nights": n - LEARNED, "alarms": said}

    def attack(self, seed, attack):
        site = self.site()
        clinic = self.clinic(site, seed)
        harm, each, caught = attacks.Harm(attack, site.src, seed), [], None
        rows = sum(t[2] for t in TABLES if "dropped" not in attack.dump or t[0] in DROPPED)
        clinic.spoiled = harm.done
        for k in range(1, attack.nights + 1):
            n = LEARNED + k
            harm.look()
            for what, share in attack.dump.items():
                if what != "how":
                    share = attack.rate * k / 100 if share is None else share
                    each.append(int(rows * share) - sum(each))
                setattr(clinic.database, what, share)
            clinic.day(n)
            harmed = harm.strike(k, clinic.start + (n + 1) * DAY - 5400)
            if not attack.dump:
                each.append(harmed)
            suspects = site.run(n)
            self.figures.append(site.figures())
            if suspects:
                caught = {"night": k, "said": suspects}
                break
        return {
            "kind": "attack",
            "name": attack.name,
            "each": each,
            "harmed": sum(each),
            "of": rows if attack.dump else harm.begun,
            "caught": caught,
            "unit": "rows" if attack.dump else "files",
            "unseen": attack.unseen,
            "training": attack.training,
            "rate": attack.rate,
            "once": attack.select in attacks.ONCE,
            "nights": attack.nights,
        }

    # ---- each in a process of its own

    def start(self, seed, what, kind):
        """Forks; what the child found is in a file when it has ended."""
        own = os.path.join(self.a.folder, "own%d" % time.monotonic_ns())
        os.makedirs(own)
        pid = os.fork()
        if pid:
            return pid, own
        status = 1
        try:
            begun = time.monotonic()
            own_mounts()
            if kind != "learn":
                overlay(self.kept(seed), own, self.at)
            found = getattr(self, kind)(seed, *([what] if what else []))
            found.update(seed=seed, seconds=time.monotonic() - begun, figures=self.figures)
            with open(own + ".json", "w") as f:
                json.dump(found, f)
            status = 0
        except BaseException as e:  # said where it happened; the parent counts it
            print("%s %s, clinic %d: %r" % (kind, getattr(what, "name", getattr(what, "what", "")), seed, e), file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(status)

    def play(self, jobs):
        """jobs: (seed, what, kind) in order, some at a time; their findings."""
        found, running, failed, total = [], {}, 0, len(jobs)
        jobs = list(jobs)
        while jobs or running:
            while jobs and len(running) < self.a.jobs:
                seed, what, kind = jobs.pop(0)
                pid, own = self.start(seed, what, kind)
                running[pid] = own
            pid, status = os.wait()
            own = running.pop(pid)
            thaw_and_remove(own)
            if status:
                failed += 1
                continue
            with open(own + ".json") as f:
                found.append(json.load(f))
            os.remove(own + ".json")
            if self.a.verbose:
                print("[%d/%d] %s" % (len(found) + failed, total, report.line(found[-1])), file=sys.stderr, flush=True)
        return found, failed


def chosen(a):
    def wanted(name, quick):
        return (not a.only or re.search(a.only, name)) and (not a.quick or quick)

    return (
        [x for x in attacks.ATTACKS if wanted(x.name, x.name in attacks.QUICK)],
        [f for f in events.EVENTS if wanted(f.what, f.__name__ in events.QUICK)],
    )


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tree", choices=["2k", "60k"], default="2k")
    for name, otherwise in (("seeds", 1), ("first", 1), ("nights", 60), ("jobs", 1), ("rounds", 7)):
        p.add_argument("--" + name, type=int, default=otherwise)
    for name in ("only", "json", "extra", "after", "folder", "fake"):
        p.add_argument("--" + name, default="")
    for name in ("quick", "list", "cost", "check", "tar", "verbose"):
        p.add_argument("--" + name, action="store_true")
    a = p.parse_args()
    some_attacks, some_events = chosen(a)
    if a.list:
        print("\n".join(["attack: " + x.name for x in some_attacks] + ["event: " + f.what for f in some_events]))
        return 0
    if a.check:
        import check

        return check.main()
    if a.cost:
        import cost

        return cost.main(a)
    begun, found, failed = time.monotonic(), [], 0
    own_mounts()
    bench = Bench(a)
    for seed in range(a.first, a.first + a.seeds):
        bench.new_database(seed)
        learned, bad = bench.play([(seed, None, "learn")])
        if bad:
            return 1
        jobs = [(seed, None, "year")] if not a.quick and re.search(a.only, "a year in short") else []
        more, bad = bench.play(jobs + [(seed, f, "event") for f in some_events] + [(seed, x, "attack") for x in some_attacks])
        found, failed = found + learned + more, failed + bad
        thaw_and_remove(bench.kept(seed))
    print(report.tables(found, a, [x.name for x in some_attacks], [f.what for f in some_events]))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        "\n%d s, %d s of CPU, %d jobs at a time%s"
        % (time.monotonic() - begun, sum(u.ru_utime + u.ru_stime for u in used), a.jobs, "; %d FAILED" % failed if failed else "")
    )
    if a.json:
        with open(a.json, "w") as f:
            json.dump(found, f, ensure_ascii=False, indent=1)
    return failed > 0


sys.exit(main())
