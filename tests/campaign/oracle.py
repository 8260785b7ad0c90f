"""What must hold whatever happened.  Shares no code with the product: journal, lists and hashes are read here as docs/format.md says.

    before = Before(site)          what was acknowledged
    faults = look(site, before)    what is wrong on the disks, by themselves
    faults = promised(site, ...)   what is wrong although the command said that all is well
    faults = go_on(site, ...)      what is wrong when the commands of the days after are given
"""
import functools
import glob
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import urllib.parse

MEDIA = ("m1", "m2", "m3")
DOCUMENTS = ("manifest.json", "places.age", "root.age")  # that SHA256SUMS lists
EXPIRED = re.compile(r"expired-(.*)-(\d+)")  # a generation on its way out, in tmp/


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def journal_of(folder):
    """All segments there, one behind the other."""
    try:
        names = sorted(n for n in os.listdir(folder + "/journal") if re.fullmatch("[0-9]{6}[.]jsonl", n))
    except FileNotFoundError:
        names = []
    return b"".join(read(folder + "/journal/" + n) for n in names)


class Before:
    def __init__(self, site):
        self.journal = journal_of(site.path("state"))
        self.seq = self.journal.count(b"\n")
        self.files = {m + p[len(site.path(m)):]: digest(p) for m in MEDIA for p in published(site, m)}
        self.standing = standing(site, "m3")
        self.listed = {n for m in MEDIA for n in listed(site, m)} & set(self.files)
        self.packs = packs(site)


def records(journal):
    """The records, each held against the one before; (list, fault or None).  What has no end does not count."""
    out, prev = [], "0" * 64
    for n, line in enumerate(journal.split(b"\n")[:-1], 1):
        try:
            r = json.loads(line)
        except ValueError:
            return out, "line %d is no JSON" % n
        if r.get("seq") != n or r.get("prev") != prev:
            return out, "line %d is not behind the one before" % n
        prev = hashlib.sha256(line).hexdigest()
        out.append(r)
    return out, None


def repository(site, medium):
    try:
        names = [n for n in os.listdir(site.path(medium)) if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", n)]
    except FileNotFoundError:
        return None
    return site.path(medium, names[0]) if names else None


KNOWN = {}  # (device, inode, size, mtime, ctime) -> digest, of files of the site as it was put back
GOLDEN = {}  # path -> digest


def sign_of(path):
    s = os.lstat(path)
    return s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns


def know(top, copy):
    """What stands at `copy` was copied from `top`, which nobody changes, with its times: whoever writes to it gives it a new one."""
    KNOWN.clear()
    for d, _, names in os.walk(top):
        for n in names:
            p = d + "/" + n
            s = os.lstat(p)
            if stat.S_ISREG(s.st_mode):
                if p not in GOLDEN:
                    GOLDEN[p] = hashlib.sha256(read(p)).hexdigest()
                KNOWN[sign_of(copy + p[len(top):])] = GOLDEN[p]


def digest(path):
    try:
        return KNOWN.get(sign_of(path)) or hashlib.sha256(read(path)).hexdigest()
    except FileNotFoundError:
        return hashlib.sha256(b"").hexdigest()


def shown(generation):
    return "%s@%d" % generation


def folders(top):
    return sorted(n for n in os.listdir(top) if os.path.isdir(top + "/" + n)) if os.path.isdir(top) else []


def sets(repo):
    """The folders of data sets."""
    return {n: "%s/datasets/%s" % (repo, n) for n in folders((repo or "") + "/datasets")}


def generations(repo):
    """(data set, number) -> its folder, of all that have their place."""
    return {(name, int(n)): "%s/generations/%s" % (top, n) for name, top in sets(repo).items() for n in folders(top + "/generations")}


def folder_of(repo, generation):
    return "%s/datasets/%s/generations/%06d" % ((repo,) + generation)


def published(site, medium):
    """The files of all generations: what stands there is never written again."""
    return [os.path.join(d, n) for top in sets(repository(site, medium)).values() for part in ("archives", "generations")
            for d, _, names in os.walk(top + "/" + part) for n in names]


def listed(site, medium):
    """The archives that a generation lists, be it one on its way out."""
    repo = repository(site, medium)
    if not repo:
        return set()
    lists = [(g[0], read(d + "/SHA256SUMS")) for g, d in generations(repo).items()]
    for n in folders(repo + "/tmp"):
        gone = EXPIRED.fullmatch(n)
        lists += [(gone.group(1), read("%s/tmp/%s/SHA256SUMS" % (repo, n)))] if gone else []
    return {os.path.join(medium, os.path.basename(repo), "datasets", name, line[66:].decode()) for name, sums in lists
            for line in sums.splitlines() if line[66:75] == b"archives/"}


def copies(recs):
    """{((data set, number), medium's UUID)} that are reported to be there."""
    have = set()
    for r in recs:
        if r["event"] == "committed":
            have |= {((r["dataset"], r["generation"]), m["medium"]) for m in r["media"] if m["ok"]}
        elif r["event"] in ("copied", "verified"):
            have |= {((g["dataset"], g["generation"]), r["medium"]) for g in r["generations"]}
        elif r["event"] in ("expired", "verify-failed"):
            have.discard(((r["dataset"], r["generation"]), r["medium"]))
    return have


def standing(site, medium):
    """Generations that are recorded as expired there, and stand there."""
    recs, repo = records(journal_of(site.path("state")))[0], repository(site, medium)
    gone = {(r["dataset"], r["generation"]) for r in recs if repo and r["event"] == "expired" and r["medium"] == uuid(site, medium)}
    return {g for g in gone if os.path.isdir(folder_of(repo, g))}


def replaced(site, before, medium):
    """A damaged archive goes when a whole one is there to take its place."""
    staged = {digest(os.path.join(d, n)) for d, _, names in os.walk((repository(site, medium) or "") + "/tmp") for n in names}
    return ["%s is gone, and nothing stands by for it" % n for n in before.files
            if n.startswith(medium + "/") and "/archives/" in n and not os.path.exists(site.path(n)) and os.path.basename(n)[:64] not in staged]


def registered(recs):
    have = set()
    for r in recs:
        if r["event"] in ("medium-added", "medium-retired"):
            (set.add if r["event"] == "medium-added" else set.discard)(have, r["medium"])
    return have


def complete(repo, generation):
    """None, or what is not as SHA256SUMS of the generation says.  It stands alone: nothing in it is of another data set."""
    d, (name, number) = folder_of(repo, generation), generation
    sums = read(d + "/SHA256SUMS")
    if not sums or not read(d + "/SHA256SUMS.minisig"):
        return "it has no signed list"
    if " dataset=%s generation=%d " % generation not in read(d + "/SHA256SUMS.minisig").decode(errors="replace"):
        return "its signature is of another one"
    paths = {line[66:]: line[:64] for line in sums.decode().splitlines()}
    own = {"generations/%06d/%s" % (number, n) for n in DOCUMENTS}
    if not own <= set(paths) or any(not p.startswith("archives/") for p in set(paths) - own):
        return "its list has other documents than its own"
    for p, want in paths.items():
        if digest(os.path.join(repo, "datasets", name, p)) != want:
            return p + " is not what is listed"
    manifest = json.loads(read(d + "/manifest.json"))
    return None if (manifest["dataset"], manifest["generation"]) == generation else "its manifest is of another one"


def halves(site, medium, complete=complete):
    """Generations that have their place on the medium, and are not whole: reported or not, there is no half one."""
    repo = repository(site, medium)
    there = [(g, complete(repo, g)) for g in generations(repo)]
    return ["%s: generation %s is there, and %s" % (medium, shown(g), why) for g, why in there if why]


def papers(site, medium):
    """Each tool and procedure on the medium is what the list beside it says, or the one that is announced; a list that is signed names
    what is there."""
    faults = []
    for folder in [site.path(medium, "tools")] + [(repository(site, medium) or "") + "/procedures"]:
        lists = read(folder + "/SHA256SUMS") + read(folder + "/SHA256SUMS.next")
        for n in os.listdir(folder) if os.path.isdir(folder) else []:
            if not n.startswith((".", "SHA256SUMS")) and ("%s  %s\n" % (digest(folder + "/" + n), n)).encode() not in lists:
                faults.append("%s: no list has '%s' as it is" % (medium, os.path.relpath(folder + "/" + n, site.path(medium))))
    return faults


def unsupported(site, medium):
    """Generations that have a signature, and not the documents that it is for."""
    out = []
    for g, d in generations(repository(site, medium)).items():
        named = re.findall(r"(?m)^([0-9a-f]{64})  generations/\d+/(.*)$", read(d + "/SHA256SUMS").decode())
        if os.path.exists(d + "/SHA256SUMS.minisig") and (not named or any(digest(os.path.join(d, n)) != h for h, n in named)):
            out.append("%s: generation %s has its signature before its documents" % (medium, shown(g)))
    return out


def keys_kept(site, recs):
    """The keys that the journal names last are in the state folder."""
    said = [r for r in recs if r["event"] in ("init", "keys")]
    if not said:
        return []
    folder = site.path("state", "keys", str(said[-1].get("period", 1)))
    period = "%s/period-%d.json" % (folder, said[-1].get("revision", 1))
    if digest(period) != said[-1]["period_sha256"]:
        return ["the keys that the journal names are not there"]
    return ["the file of %s is not what was signed" % p["name"] for p in json.loads(read(period))["people"]
            if digest("%s/%s.age" % (folder, p["name"])) != p["sha256"]]


def undecided(recs):
    """Each data set of a run that came to its end has a generation of it, or a record says why not."""
    faults, open_sets = [], {}
    for r in recs:
        if r["event"] == "begin":
            open_sets = {n: r["run"] for n in r["datasets"]}
        elif r["event"] == "committed":
            open_sets.pop(r["dataset"], None)
        elif r["event"] == "failed":
            for d in r["datasets"]:
                open_sets.pop(d["name"], None)
        elif r["event"] == "outcome" and r["command"] == "run" and r["exit"] in (0, 1):
            faults += ["run %d ended, and nothing says what became of '%s'" % (run, name) for name, run in open_sets.items()]
            open_sets = {}
    return faults


def untouched(site, before, harmed, goes):
    """What stood on the media is there still, byte by byte; goes: unless it is to go."""
    faults = []
    for name, was in before.files.items():
        p = site.path(name)
        there = os.path.exists(p)
        if not (harmed and name.startswith(harmed + "/")) and (there or not goes) and (not there or digest(p) != was):
            faults.append("%s %s" % (name, "changed" if there else "is gone"))
    return faults


def packs(site):
    """name -> SHA-256 of each file, of each folder of forms that has its name."""
    top = site.path("packs")
    return {p: {f: digest(os.path.join(top, p, f)) for f in os.listdir(os.path.join(top, p))}
            for p in (os.listdir(top) if os.path.isdir(top) else []) if p != "lost+found" and not p.startswith(".")}


def half_packs(site, before):
    """Folders of forms that are not whole, and older ones that are not what they were."""
    now = packs(site)
    faults = ["the older pack '%s' was harmed" % p for p, files in before.packs.items() if now.get(p) != files]
    for p, files in now.items():
        sums = read(site.path("packs", p, "SHA256SUMS"))
        listed_files = {line[66:]: line[:64] for line in sums.decode().splitlines()}
        files = {n: d for n, d in files.items() if n not in ("SHA256SUMS", "SHA256SUMS.minisig", "keys.jsonl")}
        if not signed_by_newest(sums, *(read(site.path("packs", p, n)) for n in ("SHA256SUMS.minisig", "keys.jsonl"))):
            faults.append("the pack '%s' is there, and its signature is not" % p)
        if files != listed_files or not any(n.startswith("00_index") for n in files):
            faults.append("the pack '%s' is there, and is not what its list says" % p)
    return faults


@functools.lru_cache(None)
def signed_by_newest(sums, signature, keys):
    """Stock minisign: by the last key that a pack brings."""
    if not (sums and signature and keys.endswith(b"}\n")):
        return False
    with tempfile.TemporaryDirectory() as d:
        for name, b in (("sums", sums), ("sums.minisig", signature)):
            with open(os.path.join(d, name), "wb") as f:
                f.write(b)
        return not subprocess.run(["minisign", "-V", "-q", "-P", json.loads(keys.splitlines()[-1])["key"], "-m", d + "/sums"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def look(site, before, lost=False, harmed=False, mended=False, goes=False, complete=complete):
    """lost: the host's journal had lost its end; harmed: the medium that was; mended: and is no more; goes: generations expire."""
    journal = journal_of(site.path("state"))
    faults = []
    if not lost and not journal.startswith(before.journal):
        faults.append("the journal lost what it had acknowledged")
    recs, why = records(journal)
    if why and not lost:
        faults.append("the host's journal: " + why)
    if not harmed:
        faults += ["recorded as damage: generation %s@%s" % (r["dataset"], r["generation"]) for r in recs[before.seq:]
                   if r["event"] == "verify-failed"]
    faults += ["the policy of record %d is not there" % r["seq"] for r in recs if r["event"] == "policy" and
               digest(site.path("state", "policies", r["sha256"] + ".yaml")) != r["sha256"]]
    faults += ["what was cut off by record %d is not there" % r["seq"] for r in recs if r["event"] == "journal-repaired" and
               digest(site.path("state", r["file"])) != r["sha256"]]
    faults += undecided(recs) + turns(site, recs) + keys_kept(site, recs)
    faults += untouched(site, before, harmed, goes) + half_packs(site, before)
    if goes:
        now = {n for m in MEDIA for n in listed(site, m)}
        faults += ["%s: no list names it any more, its room is lost" % n for n in before.listed - now if os.path.exists(site.path(n))]
    spoken = {(r["dataset"], r["generation"]) for r in recs[before.seq:] if r["event"] == "expiry-finished"}
    faults += ["generation %s went from m3, and whose word that was is not recorded" % shown(g)
               for g in sorted(before.standing - standing(site, "m3") - spoken) if repository(site, "m3")]
    names = {}
    none = not journal and not before.journal  # a host that is to go on for a lost one has nothing yet
    for m in MEDIA:
        faults += unsupported(site, m)
        if m != harmed or mended:
            faults += halves(site, m, complete) + papers(site, m)
        try:
            names[json.loads(read(site.path(m, "bkp-medium.json")))["medium"]] = m
        except (ValueError, KeyError):
            pass
        repo = repository(site, m)
        theirs = journal_of(repo) if repo else b""
        theirs = theirs[:theirs.rfind(b"\n") + 1]
        if not lost and not none and not journal.startswith(theirs):
            faults.append("%s: its journal knows what the host's does not" % m)
    for generation, medium in sorted(copies(recs)):
        m = names.get(medium)
        if m and (m != harmed or mended):
            why = complete(repository(site, m), generation)
            if why:
                faults.append("generation %s is reported on %s: %s" % (shown(generation), m, why))
    return faults


def tree(top, content=lambda b: hashlib.sha256(b).hexdigest()):
    out = {}
    for d, dirs, files in os.walk(top):
        for n in dirs + files:
            p = d + "/" + n
            s = os.lstat(p)
            more = tuple((x, os.getxattr(p, x, follow_symlinks=False)) for x in sorted(os.listxattr(p, follow_symlinks=False)))
            kind = os.readlink(p) if stat.S_ISLNK(s.st_mode) else None if stat.S_ISDIR(s.st_mode) else content(read(p))
            out[p[len(top) + 1:]] = (s.st_mode, s.st_uid, s.st_gid, kind, s.st_nlink if os.path.isfile(p) else 0, s.st_mtime_ns, more)
    return out


def newest(site, medium, name="docs"):
    """The number of the data set's newest generation there that is signed; 0: there is none."""
    there = generations(repository(site, medium)).items()
    return max([n for (of, n), d in there if of == name and os.path.exists(d + "/SHA256SUMS.minisig")] or [0])


def policy(site):
    """As sites.py writes it: data set -> (priority, the one file it is stored as, or None), medium -> the data sets it is to hold."""
    datasets, media = {}, {}
    for line in read(site.path("policy.yaml")).decode().splitlines():
        name, own = re.search(r"- {name: ([\w-]+),", line), re.search(r" datasets: \[(.*?)\]", line)
        if name and (" paths: " in line or " command: " in line):
            stored = re.search(r" store_as: ([\w.]+)", line)
            datasets[name.group(1)] = (int((re.search(r" priority: (\d+)", line) or [0, 100])[1]), stored and stored.group(1))
        elif name:
            media[name.group(1)] = set(own.group(1).split(", ")) if own else None
    return datasets, {m: own or set(datasets) for m, own in media.items()}


def turns(site, recs):
    """The data sets of a run are committed by priority, then in the policy's order."""
    datasets, _ = policy(site)
    order, faults, last = {n: (p, i) for i, (n, (p, _)) in enumerate(datasets.items())}, [], {}
    for r in recs:
        if r["event"] == "committed" and r["dataset"] in order:
            turn = order[r["dataset"]]
            faults += ["%s@%d was committed before what has its turn earlier" % (r["dataset"], r["generation"])] \
                if turn < last.get(r["generation"], turn) else []
            last[r["generation"]] = turn
    return faults


def content_of(site, stored):
    """What the command of that data set gives, or the tree: sites.py."""
    if not stored:
        return tree(site.path("src"))
    return read(site.path("src", "sub", "1 文書")) + b"dump\n" if stored == "db.dump" else read(site.path("src", "sub", "later"))


def restored(site, medium, times=True):
    """None, or how the newest generations restored differ from the source and from what the commands give."""
    to, (datasets, media) = site.path("restored-" + medium), policy(site)
    for name in sorted(media[medium]):
        code, said = site.run(["bkp-restore", "--quiet", "--medium", site.path(medium), "--identity", site.path("id.txt"), "extract",
                               "%s@%d" % (name, newest(site, medium, name)), "--to", to])
        if code:
            return "extract of %s from %s: exit %d: %s" % (name, medium, code, said)
        stored = datasets[name][1]
        back, source = read(to + "/" + stored) if stored else tree(to + site.path("src")), content_of(site, stored)
        shutil.rmtree(to)
        if not times and not stored:
            source, back = ({n: e[:5] for n, e in t.items()} for t in (source, back))
        if source != back:
            return "restored from %s '%s' is another one" % (medium, name)
    return None


def uuid(site, medium):
    return json.loads(read(site.path(medium, "bkp-medium.json")))["medium"]


def night_kept(site, lost=(), due=False):
    """A night that ended well: of each data set but the lost ones what it began is on each medium that is to hold it, was read back there,
    and is the source.  due: of a data set that it left out, what was begun last."""
    recs, _ = records(journal_of(site.path("state")))
    have, begun = copies(recs), {d: r["run"] for r in recs if r["event"] == "begin" for d in r["datasets"]}
    begun = begun if due else dict.fromkeys(begun, max(begun.values()))
    proved = copies([r for r in recs if r["event"] in ("verified", "verify-failed")])
    faults = ["it ended well, and generation %s@%d is not on %s, or was not read back" % (d, begun[d], m) for m in ("m1", "m2")
              for d in policy(site)[1][m] if d not in lost and ((d, begun[d]), uuid(site, m)) not in have & proved]
    faults += ["%s@%d is reported, and there is no such content" % g for g, _ in have if g[0] in lost and g[1] == begun[g[0]]]
    return faults or [why for why in ([] if lost else [restored(site, "m1")]) if why]


def rotation_kept(site):
    """A rotation that ended well: the disk has all that m1 has, nothing half, the journal, the page, and this is recorded."""
    recs, _ = records(journal_of(site.path("state")))
    last = [r for r in recs if r["event"] == "rotated"][-1]
    there = repository(site, "m3")
    faults = [] if last["medium"] == uuid(site, "m3") and last["complete"] else ["exit 0, and the rotation is recorded as %s" % last]
    # what was published and then recorded as failed is nobody's generation
    lacks = {g for g, m in copies(recs) if m == uuid(site, "m1")} - set(generations(there))
    faults += ["exit 0, and the disk lacks generation %s" % shown(g) for g in sorted(lacks)] + halves(site, "m3")
    theirs = records(journal_of(there))[0]
    if not theirs or {r["event"] for r in recs[len(theirs):]} - {"heads", "outcome", "notified"}:
        faults.append("exit 0, and the disk's journal ends at record %d of %d" % (len(theirs), len(recs)))
    if os.listdir(there + "/tmp"):
        faults.append("exit 0, and rubbish is left in the disk's tmp")
    return faults if read(site.path("m3", "README.txt")) else faults + ["exit 0, and the disk has no README.txt"]


STICK = b"rescue\n" * 300000  # what the make.sh of sites.py writes
# what a command writes for a person -> whether it is that; a file that is not there is empty
WRITTEN = {
    "keys": {"desk/identity": lambda b: b"\nAGE-SECRET-KEY-" in b, "safe/root.key": lambda b: b.startswith(b"untrusted comment: ")},
    "plan": {"desk/plan": lambda b: b.endswith(b"\n")},
    "export": {"desk/journal.csv": lambda b: b.endswith(b"\n")},
    "report": {"desk/media.csv": lambda b: b.endswith(b"\n")},
    "pack": {"packs/new/SHA256SUMS": lambda b: b.endswith(b"  00_index.html\n"), "desk/status.html": lambda b: b.endswith(b"</html>\n")},
    "page": {"desk/status.html": lambda b: b.endswith(b"</html>\n")},
    "head": {"desk/head": lambda b: b.count(b"\n") == 4},
    "install": {"sys/etc/cron.d/bkp": lambda b: b.endswith(b"\n")},
    "remove": {"sys/etc/cron.d/bkp": lambda b: not b},
}


def canaries(site):
    """Every file that was not there before is one of the list that the journal signs for, as it says; and each of the list is there."""
    made = {site.path("src", "many", n) for n in os.listdir(site.path("src", "many"))} - {site.path("src", "many", "%d.txt" % i) for i in range(25)}
    if not made:
        return []
    told = [r for r in records(journal_of(site.path("state")))[0] if r["event"] == "canary-placed"]
    lines = [line.split(" ") for line in read(site.path("state/canaries/docs")).decode().splitlines()[1:]]
    listed = {urllib.parse.unquote(path): sha256 for _, sha256, path in lines}
    if not told or digest(site.path("state/canaries/docs")) != told[-1]["list_sha256"] or os.path.exists(site.path("state/canaries/docs.new")):
        return ["the list of canaries is not the one on record"]
    return ["'%s' is a canary that is not as listed" % p for p in made ^ set(listed) | {p for p in listed if digest(p) != listed[p]}]


# workload -> the record that exit 0 promises
RECORDED = {"announce": "announced", "more": "keys", "less": "keys", "continue": "epoch", "disc": "disc-written", "import": "drill",
            "approve": "procedure-approved", "regulate": "regulation-approved", "finding": "finding", "pack": "pack", "countersign": "countersigned"}


def disc_kept(site):
    """The newest generation of each data set is taken out of the image by a stock tool, and each of its files is what is listed."""
    to, faults = site.path("to"), []
    os.makedirs(to, exist_ok=True)
    r = subprocess.run(["bsdtar", "-xf", site.path("desk/disc.iso"), "-C", to], capture_output=True)
    lists = sorted(glob.glob(to + "/*/datasets/*/generations/*/SHA256SUMS"))
    if r.returncode or not lists:
        faults.append("exit 0, and the disc holds %d generations: %s" % (len(lists), r.stderr.decode(errors="replace")[-200:]))
    for p in lists:
        folder = os.path.dirname(os.path.dirname(os.path.dirname(p)))
        if subprocess.run(["sha256sum", "--quiet", "-c", p], cwd=folder, capture_output=True).returncode:
            faults.append("exit 0, and %s is not whole on the disc" % p[len(to):])
    subprocess.run(["chmod", "-R", "u+w", to], check=False)
    shutil.rmtree(to)
    return faults


def promised(site, workload, code):
    """What exit 0 promises."""
    if code == 0 and workload in RECORDED:
        recs, _ = records(journal_of(site.path("state")))
        return ([] if any(r["event"] == RECORDED[workload] for r in recs[-4:]) else ["exit 0, and nothing says so"]) + \
            (disc_kept(site) if workload == "disc" else [])
    if workload == "stick":  # whole or not there, whatever the end
        there = read(site.path("desk/rescue.img")) if code == 0 or os.path.exists(site.path("desk/rescue.img")) else STICK
        return [] if there == STICK else ["half an image is there"]
    if code == 0 and workload == "canary":
        return canaries(site) or ([] if os.path.exists(site.path("state/canaries/docs")) else ["exit 0, and none was made"])
    if code == 0 and workload in ("first", "night", "due", "unchanged", "behind", "died", "remembered", "spread"):
        return night_kept(site, due=workload == "due")
    if code == 0 and workload in ("rotate", "mend", "finish"):
        return rotation_kept(site)
    if code == 0 and workload == "journal":
        ours = journal_of(site.path("state"))
        return ["exit 0, and %s's journal goes on with what was cut off" % m for m in MEDIA
                if not ours.startswith(journal_of(repository(site, m)))]
    wrong = [n for n, is_right in WRITTEN.get(workload, {}).items() if code == 0 and not is_right(read(site.path(n)))]
    return ["exit 0, and '%s' is not as it says" % n for n in wrong]


def believed(site):
    """What 'bkp generations' says is where is what the journal says."""
    code, said = site.run(["bkp", "generations", "--json"])
    if code:
        return ["generations: exit %d: %s" % (code, said)]
    recs = records(journal_of(site.path("state")))[0]
    retired = {r["medium"] for r in recs if r["event"] == "medium-retired"}  # a disc that was broken off: what was brought to it counts nowhere
    told = {((g["dataset"], g["generation"]), m["medium"]) for g in json.loads(said)["generations"] if g["state"] == "committed"
            for m in g["media"] if m["ok"] and not m["expired"] and m["medium"] not in retired}
    there = {(g, m) for g, m in copies(recs) if m not in retired}
    return ["generations shows %s, the journal has %s" % (sorted(told - there), sorted(there - told))] if told != there else []


def papers_to_come(reported, said):
    """After the first night that could not bring a medium all that is not of a generation, verify says so until the next one has."""
    codes = set(re.findall(r"[EW]-[A-Z]+-\d+", said))
    return {number for (_, number), _ in reported} == {1} and codes == {"E-VERIFY-17", "W-VERIFY-18"} and \
        not re.search("archives/|generations/|journal/", said)


def go_on(site, look_first=False):
    """The days after, without help.  look_first: somebody verifies before the next night runs."""
    faults = []
    if not journal_of(site.path("state")):
        code, said = site.run(["bkp"] + site.init)
        if code:
            return ["init again: exit %d: %s" % (code, said)]
    known = registered(records(journal_of(site.path("state")))[0])
    for m in MEDIA:
        if os.path.exists(site.path(m + ".away")):
            os.rename(site.path(m + ".away"), site.path(m))
        if read(site.path(m, "bkp-medium.json")).endswith(b"}\n") and uuid(site, m) in known:
            continue
        code, said = site.run(["bkp", "medium", "add", m])
        if code and not re.search("is already|registered", said):
            faults.append("medium add %s: exit %d: %s" % (m, code, said))
    site.tomorrow()
    any_there = copies(records(journal_of(site.path("state")))[0])
    first = ((["verify", "--quiet"], (0,) if any_there else (0, 3)),) if look_first else ()
    then = () if look_first else ((["verify", "--quiet"], (0,)),)
    for argv, codes in first + ((["journal", "verify"], (0, 1)), (["run", "--all", "--quiet"], (0,))) + then + (
                        (["rotate", "m3", "--operator", "Sato", "--quiet", "--yes"], (0,)), (["journal", "verify"], (0,)),
                        (["expire", "--operator", "Sato", "--quiet", "--yes"], (0, 1)), (["verify", "--quiet"], (0,))):
        code, said = site.run(["bkp"] + argv)
        if code == 1 and set(re.findall(r"[EW]-[A-Z]+-\d+", said)) == {"W-GUARD-01"}:
            code, said = site.run(["bkp"] + argv)  # what is remembered was lost with the fault, which is said once
        if code not in codes and not (first and argv is first[0][0] and papers_to_come(any_there, said)):
            faults.append("afterwards, bkp %s: exit %d: %s" % (" ".join(argv), code, said))
        if argv[0] == "rotate" and not faults:
            faults += rotation_kept(site)
    for m in MEDIA:
        why = restored(site, m) if not faults else None
        if why:
            faults.append(why)
    return faults or believed(site) + look(site, Before(site))


FAN, NUMBER = re.compile("[0-9a-f]{2}"), re.compile("[0-9a-f]{8,}")


def outcome(site, code):
    """What of the state matters: two cases with the same are looked at by the commands once."""
    def shape(top):
        out = []
        for d, dirs, files in os.walk(top):
            rel = d[len(top) + 1:] and d[len(top) + 1:] + "/"
            for n in files:
                size = os.lstat(d + "/" + n).st_size
                out.append((rel + n, size if rel != "journal/" and not rel.startswith("cache/") else size > 0))
            out += [(rel + n, -1) for n in dirs if not (rel.endswith("archives/") and FAN.fullmatch(n))]
        return sorted((NUMBER.sub("#", n), s) for n, s in out)
    recs, why = records(journal_of(site.path("state")))
    events = [(r["event"], r.get("command"), r.get("exit"), r.get("dataset"), r.get("generation"),
               [m["ok"] for m in r.get("media", []) if isinstance(m, dict)]) for r in recs[-16:]]
    media = []
    for m in MEDIA:
        repo = repository(site, m)
        media.append(len(journal_of(repo).split(b"\n")) if repo else None)
    return hashlib.sha256(repr((code, why, len(recs), events, media, [shape(site.path(x)) for x in ("state",) + MEDIA])).encode()).hexdigest()
