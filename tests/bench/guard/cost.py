"""What the guard costs on a night (run.py --cost): user and system CPU of `bkp run` over the clinic's files, of two variants in turn,
round after round.  A: BKP_BIN.  B: BKP_BASE if it is given, a build to compare with; else BKP_BIN with `guard: {enabled: false}` in the
policy, which says what the guard costs only if a guard that is off measures nothing.

Where there is perf (package linux-perf), also which share of the samples of A's nights fell into the guard's own functions and into
zlib, which opens ZIP archives for it alone: that a machine is busy with other things does not change."""
import glob, os, re, shutil, statistics, subprocess

from clinic import Clinic
from content import Pool
from site_of_nights import Site, thaw_and_remove

NIGHTS = ("first", "unchanged", "2 % changed")
REPEATED = 4  # times in a round: the short nights


def cpu(site, night, before=()):
    """Seconds of one night's run and its children, user and system."""
    command = list(before) + [site.bkp, "run", "--all"]
    pid = os.fork()
    if not pid:
        try:
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os.execvpe(command[0], command, site.environment(night))
        finally:
            os._exit(127)
    _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) > 1:
        raise RuntimeError("bkp run: status %d; say it by hand: %s" % (status, site.at))
    return used.ru_utime + used.ru_stime


def of_guard(programs):
    """The names of the guard's own functions, of the build's objects."""
    objects = [o for o in glob.glob(programs + "/**/*.o", recursive=True) if re.search(r"/(format|write)/(guard|dump)/", o)]
    lines = subprocess.run(["nm"] + objects, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {l.split()[2].split(".")[0] for l in lines if re.fullmatch(r"[0-9a-f]+ [tT] .*", l)}


def shares(data, own):
    """Samples of all, of the guard, of zlib, of ISA-L (parity, which is no guard's)."""
    told = subprocess.run(["perf", "report", "-q", "-i", data, "--no-children", "-F", "sample,dso,sym"], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    sums = [0, 0, 0, 0]
    for n, where, _, what in (l.split(None, 3) for l in told.splitlines() if len(l.split(None, 3)) == 4):
        sums[0] += int(n)
        sums[1] += int(n) if where == "bkp" and what.split(".")[0].strip() in own else 0
        sums[2] += int(n) if where.startswith("libz.") else 0
        sums[3] += int(n) if where.startswith("libisal") else 0
    return sums


def sample(a, clinic, programs):
    """Which share of a night's samples is the guard's."""
    own, data = of_guard(programs), os.path.join(a.folder, "perf.data")
    record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "5000", "-o", data]
    sums = {n: [0, 0, 0, 0] for n in NIGHTS}
    for r in range(3):
        site = Site(os.path.join(a.folder, "share%d" % r), programs, a.fake)
        site.src = clinic.top
        site.begin(sets=("docs",), guard=True)
        for n, night in enumerate([NIGHTS[0]] + REPEATED * [NIGHTS[1]] + REPEATED * [NIGHTS[2]]):
            if night == NIGHTS[2]:
                change(clinic, 1000 + 10 * r + n, 2)
            cpu(site, n, record)
            sums[night] = [x + y for x, y in zip(sums[night], shares(data, own))]
        thaw_and_remove(site.at)
    print("\n| night | samples (0.2 ms) | the guard | zlib | both | parity |\n|---|---|---|---|---|---|")
    for night, (t, guard, z, isal) in sums.items():
        print("| %s | %d | %.1f %% | %.1f %% | %.1f %% | %.1f %% |" % (night, t, 100 * guard / t, 100 * z / t, 100 * (guard + z) / t, 100 * isal / t))


def change(clinic, night, percent):
    """That many files are written anew, each by content of its kind."""
    clinic.begin(night, "cost")
    names = [n for n in clinic.below() if n.rsplit(".", 1)[-1] in ("dcm", "pdf", "jpg", "docx", "xlsx", "hl7", "txt", "csv", "xml", "dll")]
    for n in clinic.some(names, len(names) * percent // 100):
        clinic.put(n, clinic.made(n.rsplit(".", 1)[-1]))


def main(a):
    base = os.environ.get("BKP_BASE")
    variants = [("guard on", os.environ["BKP_BIN"], True), ("base" if base else "guard off", base or os.environ["BKP_BIN"], bool(base))]
    pool, took = Pool(), {v[0]: {n: [] for n in NIGHTS} for v in variants}
    clinic = Clinic(os.path.join(a.folder, "tree", "src"), a.first, a.tree, pool)
    os.makedirs(clinic.beside)
    clinic.make()
    for r in range(a.rounds):
        sites = []
        for name, programs, on in variants if r % 2 == 0 else variants[::-1]:
            site = Site(os.path.join(a.folder, "cost%d-%s" % (r, name.split()[-1])), programs, a.fake)
            site.src = clinic.top
            site.begin(sets=("docs",), guard=on)
            sites.append((name, site))
        for n, night in enumerate([NIGHTS[0]] + REPEATED * [NIGHTS[1]] + REPEATED * [NIGHTS[2]]):
            if night == NIGHTS[2]:
                change(clinic, 10 * r + n, 2)
            for name, site in sites if n % 2 == 0 else sites[::-1]:
                took[name][night].append(cpu(site, n))
        for _, site in sites:
            thaw_and_remove(site.at)
    files, size = len(clinic.below()), sum(os.path.getsize(clinic.path(n)) for n in clinic.below())
    print("%d files, %d MB, %d rounds in turn; user and system CPU, median (least), ms.\n" % (files, size // 10**6, a.rounds))
    a_name, b_name = variants[0][0], variants[1][0]
    print("| night | %s | %s | more, by medians | by pairs: median (half of them) |\n|---|---|---|---|---|" % (a_name, b_name))
    for night in NIGHTS:
        x, y = took[a_name][night], took[b_name][night]
        show = lambda v: "%.1f (%.1f)" % (1000 * statistics.median(v), 1000 * min(v))
        pairs = statistics.quantiles([100 * (p / q - 1) for p, q in zip(x, y)], n=4)
        more = 100 * (statistics.median(x) / statistics.median(y) - 1)
        print("| %s | %s | %s | %+.1f %% | %+.1f %% (%+.1f to %+.1f) |" % (night, show(x), show(y), more, pairs[1], pairs[0], pairs[2]))
    if shutil.which("perf"):
        sample(a, clinic, variants[0][1])
    return 0
