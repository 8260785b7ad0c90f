"""What must hold whatever happened.  Shares no code with the product: journal, lists and hashes are read here as docs/format.md says.

    before = Before(site)          what was acknowledged
    faults = look(site, before)    what is wrong on the disks, by themselves
    faults = go_on(site, ...)      what is wrong when the commands of the days after are given
"""
import hashlib
import json
import os
import re

MEDIA = ("m1", "m2", "m3")


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


class Before:
    def __init__(self, site):
        self.journal = read(site.path("state", "journal.jsonl"))
        self.seq = self.journal.count(b"\n")


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


def copies(recs):
    """{(generation, medium's UUID)} that are reported to be there."""
    have = set()
    for r in recs:
        if r["event"] == "committed":
            have |= {(r["generation"], m["medium"]) for m in r["media"] if m["ok"]}
        elif r["event"] in ("copied", "verified"):
            have.add((r["generation"], r["medium"]))
        elif r["event"] in ("expired", "verify-failed"):
            have.discard((r["generation"], r["medium"]))
    return have


def complete(repo, generation):
    """None, or what is not as SHA256SUMS of the generation says."""
    d = os.path.join(repo, "generations", "%06d" % generation)
    sums = read(d + "/SHA256SUMS")
    if not sums or not read(d + "/SHA256SUMS.minisig"):
        return "it has no signed list"
    for line in sums.decode().splitlines():
        want, name = line[:64], line[66:]
        if hashlib.sha256(read(os.path.join(repo, name))).hexdigest() != want:
            return name + " is not what is listed"
    return None


def look(site, before, lost=False, harmed=False, complete=complete):
    journal = read(site.path("state", "journal.jsonl"))
    faults = []
    if not lost and not journal.startswith(before.journal):
        faults.append("the journal lost what it had acknowledged")
    recs, why = records(journal)
    if why and not lost:
        faults.append("the host's journal: " + why)
    if not harmed:
        faults += ["recorded as damage: generation %s" % r.get("generation") for r in recs[before.seq:] if r["event"] == "verify-failed"]
    names = {}
    for m in MEDIA:
        try:
            names[json.loads(read(site.path(m, "bkp-medium.json")))["medium"]] = m
        except (ValueError, KeyError):
            pass
        repo = repository(site, m)
        theirs = read(repo + "/journal/journal.jsonl") if repo else b""
        theirs = theirs[:theirs.rfind(b"\n") + 1]
        if not lost and not journal.startswith(theirs):
            faults.append("%s: its journal knows what the host's does not" % m)
    for generation, medium in sorted(copies(recs)):
        m = names.get(medium)
        if m and not (harmed and m == harmed):
            why = complete(repository(site, m), generation)
            if why:
                faults.append("generation %d is reported on %s: %s" % (generation, m, why))
    return faults


def tree(top):
    out = {}
    for d, dirs, files in os.walk(top):
        for n in dirs + files:
            p = os.path.join(d, n)
            s = os.lstat(p)
            kind = os.readlink(p) if os.path.islink(p) else None if os.path.isdir(p) else hashlib.sha256(read(p)).hexdigest()
            out[os.path.relpath(p, top)] = (s.st_mode, s.st_uid, s.st_gid, kind, s.st_nlink if os.path.isfile(p) else 0)
    return out


def newest(site, medium):
    repo = repository(site, medium)
    there = [int(n) for n in os.listdir(repo + "/generations") if os.path.exists("%s/generations/%s/SHA256SUMS.minisig" % (repo, n))]
    return max(there) if there else 0


def restored(site, medium):
    """None, or how the newest generation restored differs from the source."""
    to = site.path("restored-" + medium)
    code, said = site.run(["bkp-restore", "--quiet", "--medium", site.path(medium), "--identity", site.path("id.txt"), "extract",
                           str(newest(site, medium)), "docs", "--to", to])
    if code:
        return "extract from %s: exit %d: %s" % (medium, code, said)
    if tree(site.path("src")) != tree(to + site.path("src")):
        return "restored from %s it is another tree" % medium
    return None


def go_on(site, mended=False):
    """The days after, without help.  mended: what is damaged was mended before (verify must be content)."""
    faults = []
    if not read(site.path("state", "journal.jsonl")):
        code, said = site.run(["bkp"] + site.init)
        if code:
            return ["init again: exit %d: %s" % (code, said)]
    for m in MEDIA:
        if os.path.exists(site.path(m + ".away")):
            os.rename(site.path(m + ".away"), site.path(m))
        code, said = site.run(["bkp", "medium", "add", m])
        if code and not re.search("is already|registered", said):
            faults.append("medium add %s: exit %d: %s" % (m, code, said))
    for argv, codes in ((["journal", "verify"], (0, 1)), (["run", "--all", "--quiet"], (0,)), (["verify", "--quiet"], (0,)),
                        (["rotate", "m3", "--operator", "Sato", "--quiet", "--yes"], (0,)), (["journal", "verify"], (0,)),
                        (["expire", "--operator", "Sato", "--quiet", "--yes"], (0, 1)), (["verify", "--quiet"], (0,))):
        code, said = site.run(["bkp"] + argv)
        if code == 1 and set(re.findall(r"[EW]-[A-Z]+-\d+", said)) == {"W-GUARD-01"}:
            code, said = site.run(["bkp"] + argv)  # what is remembered was lost with the fault, which is said once
        if code not in codes:
            faults.append("afterwards, bkp %s: exit %d: %s" % (" ".join(argv), code, said))
    for m in MEDIA:
        why = restored(site, m) if not faults else None
        if why:
            faults.append(why)
    return faults or look(site, Before(site))


def outcome(site, code):
    """What of the state matters: two cases with the same are looked at by the commands once."""
    def shape(top):
        out = []
        for d, dirs, files in os.walk(top):
            for n in files:
                p = os.path.join(d, n)
                name = re.sub("[0-9a-f]{8,}", "#", os.path.relpath(p, top))
                size = os.lstat(p).st_size
                out.append((name, size if n != "journal.jsonl" and not name.startswith("cache/") else size > 0))
            out += [(os.path.relpath(os.path.join(d, n), top), -1) for n in dirs if not re.fullmatch("[0-9a-f]{2}", n)]
        return sorted((re.sub("[0-9a-f]{8,}", "#", n), s) for n, s in out)
    recs, why = records(read(site.path("state", "journal.jsonl")))
    events = [(r["event"], r.get("command"), r.get("exit"), r.get("generation"), [m["ok"] for m in r.get("media", []) if isinstance(m, dict)])
              for r in recs[-12:]]
    media = []
    for m in MEDIA:
        repo = repository(site, m)
        media.append(len(read(repo + "/journal/journal.jsonl").split(b"\n")) if repo else None)
    return hashlib.sha256(repr((code, why, len(recs), events, media, [shape(site.path(x)) for x in ("state",) + MEDIA])).encode()).hexdigest()
