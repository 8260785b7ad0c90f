"""What the guard costs on a night (run.py --cost): user and system CPU of `bkp run` over the clinic's files, of two variants in turn,
round after round.  A: BKP_BIN.  B: BKP_BASE if it is given, a build to compare with; else BKP_BIN with `guard: {enabled: false}` in the
policy, which says what the guard costs only if a guard that is off measures nothing."""
import os, statistics

from clinic import Clinic
from content import Pool
from site_of_nights import Site, thaw_and_remove

NIGHTS = ("first", "unchanged", "2 % changed")
REPEATED = 4  # times in a round: the short nights


def cpu(site, night):
    """Seconds of one night's run and its children, user and system."""
    pid = os.fork()
    if not pid:
        try:
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os.execve(site.bkp, [site.bkp, "run", "--all"], site.environment(night))
        finally:
            os._exit(127)
    _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) > 1:
        raise RuntimeError("bkp run: status %d; say it by hand: %s" % (status, site.at))
    return used.ru_utime + used.ru_stime


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
    return 0
