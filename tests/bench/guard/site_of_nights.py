"""One site (a tree, dumps, state folder, medium) whose nights are played with `bkp run` and a clock of its own.

The site always stands at the same path.  What is tried begins on copies of it that cost nothing and are the site itself to bkp, with the
same inodes and times: a mount namespace of its own, in which an overlay of the kept site (below) and an empty folder (above) is mounted
there.  Copying it would make everything be read again the next night.  Needs root."""
import ctypes, json, os, shutil, signal, subprocess

CLONE_NEWNS, PR_SET_PDEATHSIG = 0x20000, 1


def command(*argv, **more):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def must(*argv, **more):
    r = command(*argv, **more)
    if r.returncode:
        raise RuntimeError(
            "%s: exit %d: %s%s" % (" ".join(argv[:4]), r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace"))
        )
    return r


def own_mounts():
    """Of this process and those it starts: nobody else sees what they mount, and it is gone with them."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise SystemExit("guard.sh: no mount namespace of its own (%s): run it as root" % os.strerror(ctypes.get_errno()))
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # what is left of it would go on at the same place
    must("mount", "--make-rprivate", "/")


def bind(kept, at):
    os.makedirs(kept, exist_ok=True)
    os.makedirs(at, exist_ok=True)
    must("mount", "--bind", kept, at)


def overlay(kept, own, at):
    for d in ("upper", "work"):
        os.makedirs(os.path.join(own, d))
    must(
        "mount",
        "-t",
        "overlay",
        "overlay",
        "-o",
        "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,redirect_dir=on,index=off,metacopy=off" % (kept, own, own),
        at,
    )


def thaw_and_remove(folder):
    command("chattr", "-R", "-f", "-i", folder)
    shutil.rmtree(folder, ignore_errors=True)


class Site:
    def __init__(self, at, bkp, fake, extra="", tar=False):
        """bkp: the folder of the programs; fake: tests/lib/fakeclock.c as a library; extra: more of the data sets'
        policy; tar: the files come as a tar stream."""
        self.at, self.bkp, self.fake, self.extra, self.tar = at, os.path.join(bkp, "bkp"), fake, extra, tar
        self.src, self.dumps = os.path.join(at, "src"), os.path.join(at, "dumps")

    def environment(self, night):
        return dict(
            os.environ,
            BKP_POLICY=self.at + "/policy.yaml",
            LD_PRELOAD=self.fake,
            FAKECLOCK=str((night + 1) * 86400),
            BKP_SLIPS=self.at + "/slips",
            COLUMNS="10000",
        )

    def policy(self, sets=("docs", "sql", "custom"), guard=True):
        more = self.extra + ("" if guard else ", guard: {enabled: false}")
        files = "command: tar -C %s -c --sort=name --format=pax ., format: tar" if self.tar else "paths: [%s]"
        lines = {
            "docs": "  - {name: docs, %s%s}" % (files % self.src, more),
            "sql": "  - {name: sql, command: cat %s/emr.sql, store_as: emr.sql, expect: {content: pgdumpall}%s}" % (self.dumps, more),
            "custom": "  - {name: custom, command: cat %s/emr.dump, store_as: emr.dump, expect: {content: pgdump}%s}" % (self.dumps, more),
        }
        with open(self.at + "/policy.yaml", "w") as f:
            f.write(
                "site: {name: テスト診療所, language: en}\nstate: %s/state\ndatasets:\n%s\n"
                "media:\n  - {name: m1, type: hdd, path: %s/m1, place: サーバ室}\n"
                % (self.at, "\n".join(lines[s] for s in sets), self.at)
            )

    def begin(self, **policy):
        os.makedirs(self.at + "/m1", exist_ok=True)
        self.policy(**policy)
        identity = must("age-keygen").stdout.decode()
        recipient = next(line.split()[-1] for line in identity.splitlines() if "public key" in line)
        must(self.bkp, "init", "--recipient", recipient, "--root-key-out", self.at + "/root.key", env=self.environment(-1))
        must(self.bkp, "--quiet", "medium", "add", "m1", env=self.environment(-1))

    def run(self, night):
        """What the run printed, and of each data set that is suspect why: {name: sentence}."""
        r = command(self.bkp, "run", "--all", "--json", env=self.environment(night))
        try:
            said = json.loads(r.stdout)
            bad = [d for d in said["datasets"] if d["verdict"] == "failed" or not d["generation"]]
        except ValueError:
            said, bad = None, []
        if said is None or bad or r.returncode > 1:
            raise RuntimeError(
                "night %d: exit %d: %s\n%s" % (night, r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace"))
            )
        self.last = said
        return {d["dataset"]: d["suspect"] for d in said["datasets"] if d.get("suspect")}

    def accept(self, night, names):
        of = {d["dataset"]: d["generation"] for d in self.last["datasets"]}
        for name in names:
            must(
                self.bkp,
                "--quiet",
                "accept",
                "%s@%d" % (name, of[name]),
                "--operator",
                "Sato",
                "--reason",
                "ordinary work",
                env=self.environment(night),
            )

    def figures(self):
        """What the journal says of the last run's guard, by data set."""
        out = {}
        folder = self.at + "/state/journal"
        for name in sorted(os.listdir(folder)):
            for line in open(os.path.join(folder, name), "rb"):
                if b'"committed"' in line:
                    r = json.loads(line)
                    if r.get("event") == "committed":
                        out[r.get("dataset")] = r.get("guard", {})
        return out
