"""Forge: what stands on a disk was put there by somebody, as far as he can cover it up: with the disk in his hands, with the host's signing
key as well, or with the state folder's cache.  How the commands of the days after end is the outcome; what is restored is what was captured.

Cases: those below; cache-FILE:OFFSET, a bit of what the state folder remembers, and cache-NAME, all records of a kind (cached.py);
hostile-NAME, the media of tests/lib/hostile.py; and for mutants only, script-NAME, attacks and scenarios that have sites of their own
(keys of approvers, drills, timers).
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import cached
import oracle

LIB = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib")
SCRIPTS = ["attacks/" + n for n in (
    "a01-prepared-index a03-forged-expired a04-old-generation-signed-anew "
    "a06-forged-verified-away a07-journal-bricked a11-host-fault a12-zeros-for-names b14-unregistered-medium").split()] + [
    "scenario/" + n for n in "18-verify 32-journal-repair 44-drill 48-hostile-procedure 53-keys 56-key-use 58-new-host 60-schedule 66-hold 67-expire "
    "68-expire-attacks 69-clock 70-epochs 74-policy-diff 77-narrowed".split()]
CACHE_STEP = 7  # bytes of the cache's files: each of those that say something, one bit
# an empty folder is filled; what a signed list says of places.age only who opens it can hold against anything
UNHARMED = ("source-whole", "root-as-it-was", "taken-generation", "places-signed")
FORGED = {}


def forged(f):
    """f(site): makes the forgery in a site."""
    FORGED[f.__name__.replace("_", "-")] = f
    return f


# ---- the forger's hands

def edit(path, b=None, change=None):
    """The file has these bytes, or what `change` makes of those it has."""
    subprocess.run(["chattr", "-f", "-i", path], check=False)
    if change:
        was = oracle.read(path)
        b = change(was)
        if b == was:
            raise ValueError("the forgery of '%s' changes nothing" % os.path.basename(path))
    mode = 0o644
    if os.path.lexists(path):
        mode = os.lstat(path).st_mode & 0o7777
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(b)
    os.chmod(path, mode)


def flip(at, bit=4):
    return lambda b: b[:at % len(b)] + bytes([b[at % len(b)] ^ bit]) + b[at % len(b) + 1:]


def dataset(site, medium, name="docs"):
    return "%s/datasets/%s" % (oracle.repository(site, medium), name)


def generation(site, medium, n, name="docs"):
    return "%s/generations/%06d" % (dataset(site, medium, name), n)


def archives(site, medium, name="docs"):
    top = dataset(site, medium, name) + "/archives"
    return sorted((os.path.join(d, n) for d, _, names in os.walk(top) for n in names), key=os.path.getsize)


def sign(key, path, comment):
    subprocess.run(["chattr", "-f", "-i", path + ".minisig"], check=False)
    subprocess.run(["minisign", "-S", "-l", "-s", key, "-m", path, "-t", comment], check=True, stdout=subprocess.DEVNULL)


def own_key(site):
    """A key of the forger's: (its file, its public half)."""
    key = site.path("other.key")
    subprocess.run(["minisign", "-G", "-W", "-f", "-p", key + ".pub", "-s", key], check=True, stdout=subprocess.DEVNULL)
    return key, oracle.read(key + ".pub").split(b"\n")[1]


def comment_of(path):
    return re.search(b"\ntrusted comment: (.*)\n", oracle.read(path + ".minisig")).group(1).decode()


def signed(site, path, comment=None):
    """The host's key signs it, with the comment that the signature there has, or another."""
    sig = path + ".minisig"
    keys = sorted((n for n in os.listdir(site.path("state")) if re.fullmatch(r"signing-\d+\.key", n)), key=lambda n: int(n[8:-4]))
    sign(site.path("state", keys[-1]), path, comment or comment_of(path))
    edit(sig, re.sub(b"^.*\n", b"untrusted comment: signature from bkp\n", oracle.read(sig), count=1))


def relist(site, medium, n, old, new):
    """SHA256SUMS with `new` for each `old`."""
    edit(generation(site, medium, n) + "/SHA256SUMS", change=lambda b: b.replace(old, new))


def resum(site, medium, n, name):
    """SHA256SUMS says what a document of the generation is now."""
    b = oracle.read(generation(site, medium, n) + "/" + name)
    line = re.compile(b"^[0-9a-f]{64}(?=  .*/" + re.escape(name.encode()) + b"$)", re.M)
    sums = generation(site, medium, n) + "/SHA256SUMS"
    edit(sums, line.sub(hashlib.sha256(b).hexdigest().encode(), oracle.read(sums)))


def more_entries(manifest):
    return re.sub(rb'"entries":(\d+)', rb'"entries":1\1', manifest)


def other_archive(site, medium, n):
    """A changed archive under the name that is right for it, in SHA256SUMS as well."""
    sums = oracle.read(generation(site, medium, n) + "/SHA256SUMS")
    path = next(p for p in reversed(archives(site, medium)) if os.path.basename(p)[:64].encode() in sums)
    b = flip(-700)(oracle.read(path))
    old, new = os.path.basename(path)[:64], hashlib.sha256(b).hexdigest()
    to = path.replace("/%s/%s" % (old[:2], old), "/%s/%s" % (new[:2], new))
    os.makedirs(os.path.dirname(to), exist_ok=True)
    edit(to, b)
    relist(site, medium, n, ("archives/%s/%s" % (old[:2], old)).encode(), ("archives/%s/%s" % (new[:2], new)).encode())
    relist(site, medium, n, old.encode(), new.encode())


# ---- lists

@forged
def list_of_another_archive(site):
    other_archive(site, "m1", 2)


@forged
def list_of_another_manifest(site):
    edit(generation(site, "m1", 2) + "/manifest.json", change=more_entries)
    resum(site, "m1", 2, "manifest.json")


@forged
def list_with_a_line_less(site):
    edit(generation(site, "m1", 2) + "/SHA256SUMS", change=lambda b: b[b.index(b"\n") + 1:])


@forged
def list_signed_by_another_key(site):
    path = generation(site, "m1", 2) + "/SHA256SUMS"
    list_of_another_archive(site)
    ours = oracle.read(path + ".minisig").split(b"\n")[1]
    sign(own_key(site)[0], path, comment_of(path))
    line = oracle.read(path + ".minisig").split(b"\n")
    edit(path + ".minisig", b"\n".join([b"untrusted comment: signature from bkp", with_id(line[1], ours)] + line[2:]))


def with_id(line, ours):
    """The signature under the id of our key: an id is anybody's to choose."""
    import base64
    a, b = base64.b64decode(line), base64.b64decode(ours)
    return base64.b64encode(a[:2] + b[2:10] + a[10:])


@forged
def list_signed_with_the_key(site):
    other_archive(site, "m1", 2)
    signed(site, generation(site, "m1", 2) + "/SHA256SUMS")


@forged
def list_with_another_manifest_signed_with_the_key(site):
    edit(generation(site, "m1", 2) + "/manifest.json", change=more_entries)
    resum(site, "m1", 2, "manifest.json")
    signed(site, generation(site, "m1", 2) + "/SHA256SUMS")


@forged
def list_of_the_generation_before(site):
    for n in ("SHA256SUMS", "SHA256SUMS.minisig"):
        edit(generation(site, "m1", 2) + "/" + n, oracle.read(generation(site, "m1", 1) + "/" + n))


@forged
def generations_swapped(site):
    one, two = generation(site, "m1", 1), generation(site, "m1", 2)
    os.rename(one, one + ".x")
    os.rename(two, one)
    os.rename(one + ".x", two)


@forged
def generation_of_the_other_data_set(site):
    """Whole, signed, and in the other one's place, with its archives."""
    shutil.rmtree(generation(site, "m1", 2))
    shutil.copytree(generation(site, "m1", 2, "db"), generation(site, "m1", 2))
    shutil.copytree(dataset(site, "m1", "db") + "/archives", dataset(site, "m1") + "/archives", dirs_exist_ok=True)


@forged
def data_sets_swapped(site):
    """Each has the other's folder; nothing in them is changed."""
    a, b = dataset(site, "m1"), dataset(site, "m1", "db")
    os.rename(a, a + ".x")
    os.rename(b, a)
    os.rename(a + ".x", b)


@forged
def data_set_gone(site):
    """With all that it had there."""
    subprocess.run(["chattr", "-R", "-f", "-i", dataset(site, "m1")], check=False)
    shutil.rmtree(dataset(site, "m1"))


@forged
def data_set_under_another_name(site):
    os.rename(dataset(site, "m1"), dataset(site, "m1", "dock"))


@forged
def data_set_is_a_link(site):
    """To the one of the other medium."""
    os.rename(dataset(site, "m1"), dataset(site, "m1") + ".x")
    os.symlink(dataset(site, "m2"), dataset(site, "m1"))


@forged
def places_of_the_generation_before(site):
    edit(generation(site, "m1", 2) + "/places.age", oracle.read(generation(site, "m1", 1) + "/places.age"))


@forged
def places_gone(site):
    edit(generation(site, "m1", 2) + "/places.age", b"")
    os.unlink(generation(site, "m1", 2) + "/places.age")


@forged
def places_signed(site):
    """Those of the generation before; nothing but the journal tells, and it does not: a document that no reader of data needs."""
    places_of_the_generation_before(site)
    resum(site, "m1", 2, "places.age")
    signed(site, generation(site, "m1", 2) + "/SHA256SUMS")


@forged
def generation_before_under_this_number(site):
    shutil.rmtree(generation(site, "m1", 2))
    shutil.copytree(generation(site, "m1", 1), generation(site, "m1", 2))


@forged
def archives_swapped(site):
    a, b = archives(site, "m1")[-2:]
    x, y = oracle.read(a), oracle.read(b)
    edit(a, y)
    edit(b, x)


@forged
def root_of_the_generation_before(site):
    edit(generation(site, "m1", 2) + "/root.age", oracle.read(generation(site, "m1", 1) + "/root.age"))
    resum(site, "m1", 2, "root.age")
    signed(site, generation(site, "m1", 2) + "/SHA256SUMS")


def root_signed(name, change):
    """root.age is another one, and all that names it says so: signed with the key."""
    def make(site):
        d = generation(site, "m1", 2)
        was = oracle.read(d + "/root.age")
        edit(d + "/root.age", change(site, was))
        now = oracle.read(d + "/root.age")
        old, new = (hashlib.sha256(b).hexdigest().encode() for b in (was, now))
        edit(d + "/manifest.json", oracle.read(d + "/manifest.json").replace(old, new))
        for n in ("root.age", "manifest.json"):
            resum(site, "m1", 2, n)
        signed(site, d + "/SHA256SUMS")
    FORGED["root-" + name] = make


def with_a_stanza(site, b):
    """One more of those whom it is for: the header's MAC is not of it."""
    at = b.index(b"\n--- ") + 1
    return b[:at] + b"-> forged x\n\n" + b[at:]


def with_a_digit(site, b):
    """A bit of the cipher is a bit of the text: the tag is not of it."""
    text = opened(site, b)
    head = b.index(b"\n", b.index(b"\n--- ") + 1) + 1 + 16
    return flip(head + re.search(rb'"entries":(\d)', text).start(1), 1)(b)


def with_another_name(site, b):
    return written_anew(site, b, lambda text: text.replace(b'"docs"', b'"db"', 1))


def with_an_archive_of_the_other(site, b):
    """The table names an archive of the data set "db" as well, whose file lies among those of this one; the list names it, too."""
    n, root = generation(site, "m1", 2), generation(site, "m1", 2, "db") + "/root.age"
    theirs = opened(site, oracle.read(root)).splitlines(True)[1]
    there = json.loads(theirs)
    path = "archives/%s/%s.age" % (there["sha256"][:2], there["sha256"])
    os.makedirs(os.path.dirname(os.path.join(dataset(site, "m1"), path)), exist_ok=True)
    edit(os.path.join(dataset(site, "m1"), path), oracle.read(os.path.join(dataset(site, "m1", "db"), path)))
    line = ("%s  %s\n" % (there["sha256"], path)).encode()
    edit(n + "/SHA256SUMS", change=lambda s: b"".join(sorted(s.splitlines(True) + [line], key=lambda l: l[66:])))
    edit(n + "/manifest.json", change=lambda m: counted_anew(m, there["size"]))
    number = lambda l: json.loads(l).get("archive", 0)
    free = 900  # numbers are given out by data set: that one's may be taken here
    theirs = re.sub(rb'"archive": ?\d+', b'"archive":%d' % free, theirs)
    return written_anew(site, b, lambda text: b"".join(sorted(text.splitlines(True) + [theirs], key=number)))


def counted_anew(manifest, size):
    more = lambda m: m.group(1) + b"%d" % (int(m.group(2)) + size)
    manifest = re.sub(rb'("archives":)(\d+)', lambda m: m.group(1) + b"%d" % (int(m.group(2)) + 1), manifest)
    return re.sub(rb'("archive_bytes":)(\d+)', more, manifest)


def period(site):
    """The identity of the first period, by stock age from the person's."""
    key = site.work + "/period.key"
    own = oracle.repository(site, "m1") + "/keys/1/holder-1.age"
    subprocess.run(["age", "-d", "-i", site.path("id.txt"), "-o", key, own], check=True)
    return key


def opened(site, b):
    return subprocess.run(["age", "-d", "-i", period(site)], input=b, check=True, stdout=subprocess.PIPE).stdout


def with_another_key(site, b):
    return written_anew(site, b, lambda text: other_digit("chunk_id_key", text))


def other_digit(member, text):
    """The first one of a value in hex."""
    other = lambda m: m.group(1) + (b"0" if m.group(2) != b"0" else b"1")
    return re.sub(rb'("%s": ?")(\w)' % member.encode(), other, text)


def written_anew(site, b, change=lambda text: text, others=()):
    """For the same people, behind others."""
    text = change(opened(site, b))
    to = [w for r in (*others, recipient(period(site))) for w in ("-r", r)]
    return subprocess.run(["age"] + to, input=text, check=True, stdout=subprocess.PIPE).stdout


def recipient(identity):
    return subprocess.run(["age-keygen", "-y", identity], check=True, stdout=subprocess.PIPE).stdout.decode().strip()


def other_identity(site):
    subprocess.run(["age-keygen", "-o", site.path("other.txt")], check=True, stderr=subprocess.DEVNULL)
    return site.path("other.txt")


root_signed("stanza", with_a_stanza)
root_signed("digit", with_a_digit)
root_signed("key", with_another_key)
root_signed("name", with_another_name)
root_signed("archive-of-the-other", with_an_archive_of_the_other)
root_signed("as-it-was", lambda site, b: b)
root_signed("for-two", lambda site, b: written_anew(site, b, others=[recipient(other_identity(site))]))


@forged
def root_written_anew(site):
    """For the same people, the same text: a recipient is no secret.  Nothing else says so."""
    path = generation(site, "m1", 2) + "/root.age"
    edit(path, written_anew(site, oracle.read(path)))


# ---- lists by which archives are deleted

def expired_list(name, signature):
    """A generation's folder is gone, and lies as the list of one that has expired.  Its archives on that medium are the last ones."""
    def make(site):
        site.reset("old")
        first = oracle.read(generation(site, "m1", 1) + "/SHA256SUMS.minisig")
        site.run(EXPIRE)
        sums, own = (oracle.read(generation(site, "m1", 6) + "/SHA256SUMS" + x) for x in ("", ".minisig"))
        mine = only_in(site, 6)
        shutil.rmtree(generation(site, "m1", 6))
        to = oracle.repository(site, "m1") + "/tmp/expired-docs-000001"
        os.mkdir(to)
        edit(to + "/SHA256SUMS", sums)
        edit(to + "/SHA256SUMS.minisig", {"own": own, "first": first}[signature])
        site.run(EXPIRE)
        for p in mine:
            for m in ("m2", "m3"):
                other = p.replace(oracle.repository(site, "m1"), oracle.repository(site, m))
                if os.path.exists(other):
                    edit(other, change=flip(-700))
    FORGED["expired-list-" + name] = make


EXPIRE = ["bkp", "expire", "--operator", "Sato", "--yes"]
expired_list("of-another-generation", "own")
expired_list("that-is-another-text", "first")


# ---- signatures of something else

def other(name, path):
    def make(site):
        p = path(site)
        if p:
            signed(site, p, "bkp something else")
    FORGED["other-" + name] = make


other("list", lambda s: generation(s, "m1", 2) + "/SHA256SUMS")
other("identity", lambda s: s.path("m1", "bkp-medium.json"))
other("readme", lambda s: s.path("m1", "README.txt"))
other("tools", lambda s: s.path("m1", "tools", "SHA256SUMS"))


@forged
def other_papers_list(site):
    """The signed list of another folder."""
    for n in ("SHA256SUMS", "SHA256SUMS.minisig"):
        edit(site.path("m1", "tools", n), oracle.read(generation(site, "m1", 2) + "/" + n))


@forged
def other_readme_is_a_list(site):
    edit(site.path("m1", "README.txt"), oracle.read(generation(site, "m1", 2) + "/SHA256SUMS"))
    edit(site.path("m1", "README.txt.minisig"), oracle.read(generation(site, "m1", 2) + "/SHA256SUMS.minisig"))


@forged
def other_comment(site):
    """What was signed as the list of tools, and the comment says that it was signed as the readme."""
    comment = comment_of(site.path("m1", "README.txt")).encode()
    text, sig = (oracle.read(site.path("m1", "tools", "SHA256SUMS" + x)) for x in ("", ".minisig"))
    edit(site.path("m1", "README.txt"), text)
    edit(site.path("m1", "README.txt.minisig"), re.sub(rb"(?<=\ntrusted comment: ).*", comment, sig))


@forged
def other_announced(site):
    """README.txt.next carries what the key has signed for something else; README.txt is that text."""
    text, sig = (oracle.read(generation(site, "m1", 2) + "/SHA256SUMS" + x) for x in ("", ".minisig"))
    edit(site.path("m1", "README.txt"), text)
    edit(site.path("m1", "README.txt.next"), sig + text)


# ---- identities

@forged
def identity_with_another_name(site):
    edit(site.path("m1", "bkp-medium.json"), change=lambda b: b.replace(b'"type":"hdd"', b'"type":"ssd"'))


@forged
def identity_of_the_other_medium(site):
    for n in ("bkp-medium.json", "bkp-medium.json.minisig"):
        edit(site.path("m1", n), oracle.read(site.path("m2", n)))


@forged
def identity_with_another_uuid(site):
    edit(site.path("m1", "bkp-medium.json"), change=lambda b: other_digit("medium", b))


@forged
def root_key_of_another(site):
    """repository.json names a key of the forger, and is signed with it."""
    path = oracle.repository(site, "m1") + "/repository.json"
    key, public = own_key(site)
    edit(path, change=lambda b: re.sub(rb'"public":"[^"]+"', b'"public":"' + public + b'"', b))
    sign(key, path, comment_of(path))


@forged
def repository_with_another_site(site):
    edit(oracle.repository(site, "m1") + "/repository.json", change=lambda b: b.replace("テスト".encode(), "ニセ物".encode()))


@forged
def repository_age_of_the_forger(site):
    edit(oracle.repository(site, "m1") + "/repository.age", oracle.read(generation(site, "m1", 1) + "/root.age"))


# ---- journals

def journal(where, name, change):
    def make(site):
        p = site.path("state", "journal/000001.jsonl") if where == "host" else oracle.repository(site, "m1") + "/journal/000001.jsonl"
        edit(p, change=change)
    FORGED["journal-%s-%s" % (where, name)] = make


def lines(f):
    return lambda b: b"".join(f(b.splitlines(True)))


for WHERE in ("host", "medium"):
    journal(WHERE, "cut", lines(lambda l: l[:-3]))
    journal(WHERE, "word", lambda b: b.replace(b'"place":"', b'"place":"x', 1))
    journal(WHERE, "last-word", lines(lambda l: l[:-1] + [re.sub(rb'"by":"', b'"by":"x', l[-1])]))
    journal(WHERE, "first-word", lines(lambda l: [re.sub(rb'"by":"', b'"by":"x', l[0])] + l[1:]))
    journal(WHERE, "one-less", lines(lambda l: l[:5] + l[6:]))
    journal(WHERE, "swapped", lines(lambda l: l[:5] + [l[6], l[5]] + l[7:]))
    journal(WHERE, "last-signature", lines(lambda l: l[:-1] + [flip(-20, 1)(l[-1])]))
    journal(WHERE, "one-signature", lines(lambda l: l[:6] + [flip(-20, 1)(l[6])] + l[7:]))
    journal(WHERE, "number", lines(lambda l: l[:-1] + [l[-1].replace(b'{"seq":', b'{"seq":1')]))


def segments(where, name, change):
    """The journal in three segments, of which the middle one ends behind its line 8; then `change` of the folder."""
    def make(site):
        folder = (site.path("state") if where == "host" else oracle.repository(site, "m1")) + "/journal"
        lines = oracle.read(folder + "/000001.jsonl").splitlines(True)
        for n, part in enumerate((lines[:4], lines[4:8], lines[8:]), 1):
            with open("%s/%06d.jsonl" % (folder, n), "wb") as f:
                f.write(b"".join(part))
        change(lambda n: "%s/%06d.jsonl" % (folder, n))
    FORGED["segments-%s-%s" % (where, name)] = make


def swap(path):
    os.rename(path(2), path(7))
    os.rename(path(1), path(2))
    os.rename(path(7), path(1))


for WHERE in ("host", "medium"):
    segments(WHERE, "one-less", lambda path: os.unlink(path(2)))
    segments(WHERE, "first-less", lambda path: os.unlink(path(1)))
    segments(WHERE, "swapped", swap)
    segments(WHERE, "twice", lambda path: shutil.copyfile(path(1), path(2)))
    segments(WHERE, "gap", lambda path: os.rename(path(3), path(4)))
    segments(WHERE, "torn", lambda path: os.truncate(path(2), os.path.getsize(path(2)) - 1))
    segments(WHERE, "long", lambda path: edit(path(3), change=lambda b: b + b.splitlines(True)[-1] * 9000))


@forged
def journal_word_and_chain(site):
    """A word is changed, and each later record continues the one before it: no signature is made."""
    p = site.path("state", "journal/000001.jsonl")
    out, prev = [], None
    for n, line in enumerate(oracle.read(p).splitlines()):
        line = line.replace(b'"place":"', b'"place":"x', 1) if n == 4 else line
        line = re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"%s"' % prev, line) if prev else line
        prev = hashlib.sha256(line).hexdigest().encode()
        out.append(line)
    edit(p, b"\n".join(out) + b"\n")


@forged
def journal_last_words_and_chain(site):
    """The same within the newest key's records."""
    p = site.path("state", "journal/000001.jsonl")
    l = oracle.read(p).splitlines()
    l[-2] = l[-2].replace(b'"by":"', b'"by":"x')
    l[-1] = re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"%s"' % hashlib.sha256(l[-2]).hexdigest().encode(), l[-1])
    edit(p, b"\n".join(l) + b"\n")


@forged
def journal_of_two_histories(site):
    """A record of one, and behind it what followed another: each signed, with the number that belongs there."""
    site.reset("held")
    one = oracle.journal_of(site.path("state")).splitlines(True)
    site.reset("night2")
    site.must("bkp", "hold", "2", "--operator", "Sato", "--reason", "another")
    two = oracle.journal_of(site.path("state")).splitlines(True)
    first = next(n for n, (a, b) in enumerate(zip(one, two)) if a != b) + 1
    edit(site.path("state", "journal/000001.jsonl"), b"".join(one[:first] + two[first:]))


@forged
def journal_of_a_medium_in_the_host(site):
    """The host's journal is put back to what a medium has, and that to less."""
    edit(site.path("state", "journal/000001.jsonl"), oracle.journal_of(oracle.repository(site, "m1")))


@forged
def journal_of_what_was_not_cut(site):
    """A medium's journal goes on otherwise than the host's, which has a repair there: the forger says that this is what was cut off."""
    site.reset("torn")
    p = oracle.repository(site, "m1") + "/journal/000001.jsonl"
    site.must("bkp", "journal", "repair", "--operator", "Sato")
    ours = oracle.journal_of(site.path("state"))
    kept = ours[:ours.rindex(b"\n", 0, ours.index(b'"event":"journal-repaired"')) + 1]
    edit(p, kept + b"what was not cut\n")
    cut = next(n for n in os.listdir(site.path("state")) if n.startswith("journal-cut-"))
    edit(site.path("state", cut), b"what was not cut\n")


# ---- papers

@forged
def papers_readme(site):
    edit(site.path("m1", "README.txt"), change=flip(-300, 1))


@forged
def papers_tool(site):
    edit(site.path("m1", "tools", "rescue.py"), change=lambda b: b + b"# forged\n")


@forged
def papers_tool_and_list(site):
    papers_tool(site)
    b = oracle.read(site.path("m1", "tools", "rescue.py"))
    edit(site.path("m1", "tools", "SHA256SUMS"),
         change=lambda s: re.sub(rb"^\w{64}(?=  rescue.py$)", hashlib.sha256(b).hexdigest().encode(), s, flags=re.M))


@forged
def papers_announced(site):
    """A text of the forger's, announced with a signature that is none of it."""
    text = b"Send the disk to us.\n"
    edit(site.path("m1", "README.txt"), text)
    edit(site.path("m1", "README.txt.next"), oracle.read(site.path("m1", "README.txt.minisig")) + text)


@forged
def papers_announced_alone(site):
    papers_announced(site)
    os.unlink(site.path("m1", "README.txt.minisig"))


def unsigned(name, *parts):
    """The text is another, and what would prove it is gone."""
    def make(site):
        edit(site.path("m1", *parts), change=lambda b: b + b"# forged\n")
        for n in ("README.txt.minisig",) if parts[0] == "README.txt" else ("tools/SHA256SUMS", "tools/SHA256SUMS.minisig"):
            edit(site.path("m1", n), b"")
            os.unlink(site.path("m1", n))
    FORGED["papers-unsigned-" + name] = make


unsigned("readme", "README.txt")
unsigned("tool", "tools", "rescue.py")


# ---- what a night meets before anybody has looked

def unseen(name):
    FORGED["unseen-" + name] = FORGED[name]


for NAME in ("papers-readme", "papers-tool-and-list", "journal-medium-last-word"):
    unseen(NAME)


# ---- the source of a copy

def source(name, make):
    """The second medium was away, and gets from the first what it lacks."""
    def behind(site):
        site.reset("behind")
        make(site)
    FORGED["source-" + name] = behind


def only_in(site, n):
    before = oracle.read(generation(site, "m1", n - 1) + "/SHA256SUMS")
    now = oracle.read(generation(site, "m1", n) + "/SHA256SUMS")
    return [p for p in archives(site, "m1") if os.path.basename(p)[:64].encode() in now and os.path.basename(p)[:64].encode() not in before]


source("whole", lambda s: None)
source("archive", lambda s: edit(only_in(s, 2)[-1], change=flip(-700)))
source("manifest", lambda s: edit(generation(s, "m1", 2) + "/manifest.json", change=lambda b: b.replace(b'"docs"', b'"dosc"')))
source("root", lambda s: edit(generation(s, "m1", 2) + "/root.age", change=flip(-70)))
source("list", list_of_another_archive)
source("other", lambda s: signed(s, generation(s, "m1", 2) + "/SHA256SUMS", "bkp something else"))
source("reported", list_with_another_manifest_signed_with_the_key)
source("generation", generation_before_under_this_number)


@forged
def source_and_copy(site):
    """An archive is damaged here and there."""
    p = only_in(site, 2)[-1]
    edit(p, change=flip(-700))
    edit(p.replace(oracle.repository(site, "m1"), oracle.repository(site, "m2")), change=flip(-900))


# ---- names that are taken

@forged
def taken_generation(site):
    os.mkdir(generation(site, "m1", 3))


@forged
def taken_generation_by_documents(site):
    shutil.copytree(generation(site, "m1", 2), generation(site, "m1", 3))


@forged
def taken_by_one_without_its_list(site):
    for n in ("SHA256SUMS", "SHA256SUMS.minisig"):
        os.unlink(generation(site, "m1", 2) + "/" + n)


@forged
def taken_archive(site):
    """A copy has to be made where something else of that name stands."""
    subprocess.run(["chattr", "-R", "-f", "-i", site.path("m2")], check=False)
    shutil.rmtree(generation(site, "m2", 2))
    path = only_in(site, 2)[-1].replace(oracle.repository(site, "m1"), oracle.repository(site, "m2"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    edit(path, b"not the archive of that name")


@forged
def taken_place_of_the_expired(site):
    site.reset("old")
    for n in range(1, 9):
        os.mkdir("%s/tmp/expired-docs-%06d" % (oracle.repository(site, "m1"), n))


@forged
def taken_place_of_the_damaged(site):
    """Each name that a journal can be put aside under."""
    FORGED["journal-medium-first-word"](site)
    for n in range(99):
        edit("%s/journal/damaged-%d-000001" % (oracle.repository(site, "m1"), n), b"the first one\n")


# ---- the state folder

@forged
def state_secrets(site):
    edit(site.path("state", "secrets.json"), change=lambda b: other_digit("chunk_id_key", b))


@forged
def state_seed(site):
    edit(site.path("state", "secrets.json"), change=lambda b: other_digit("chunker_seed", b))


@forged
def state_repository_age(site):
    edit(site.path("state", "repository.age"), oracle.read(generation(site, "m1", 1) + "/root.age"))


@forged
def state_key_of_the_forger(site):
    name = next(n for n in os.listdir(site.path("state")) if n.startswith("signing-"))
    edit(site.path("state", name), oracle.read(own_key(site)[0]))


def key_file(name, at):
    def make(site):
        import base64
        path = site.path("state", next(n for n in os.listdir(site.path("state")) if n.startswith("signing-")))
        head, line = oracle.read(path).split(b"\n")[:2]
        edit(path, head + b"\n" + base64.b64encode(flip(at)(base64.b64decode(line))) + b"\n")
    FORGED["state-key-" + name] = make


key_file("seed", 62 + 5)
key_file("public-half", 62 + 32 + 5)
key_file("checksum", 62 + 64 + 5)


@forged
def state_policy_text(site):
    d = site.path("state", "policies")
    for n in os.listdir(d):
        edit(os.path.join(d, n), change=lambda b: b.replace(b"generations: 2", b"generations: 9"))
    edit(site.path("policy.yaml"), change=lambda b: b + b"# another\n")


# ---- encryption

def age(name, change):
    def make(site):
        edit(oracle.repository(site, "m1") + "/repository.age", change=change)
    FORGED["age-" + name] = make


age("mac", lambda b: re.sub(rb"(\n--- )(\w)", lambda m: m.group(1) + (b"A" if m.group(2) != b"A" else b"B"), b))
age("body", flip(-20))


def repository_age(name, change):
    def make(site):
        path = oracle.repository(site, "m1") + "/repository.age"
        edit(path, change(site, oracle.read(path)))
    FORGED["age-" + name] = make


repository_age("stanza", with_a_stanza)
repository_age("key", with_another_key)
repository_age("anew", written_anew)


# ----

READ = [["verify", "1"], ["verify", "2"], ["verify", "2", "--deep"]]
HOST = [["journal", "verify"], ["verify"], ["verify", "--identity", "{}/id.txt"], ["repair"], ["run", "--all"], ["verify"],
        ["rotate", "m3", "--operator", "Sato", "--yes"], ["expire", "--operator", "Sato", "--yes"], ["journal", "verify"]]

# of some forgeries, by how their name begins: with what nobody has looked at yet
FIRST = {"source": ["run", "--all"], "unseen": ["run", "--all"], "journal-of-what": ["journal", "repair", "--operator", "Sato"]}


def end(code, said):
    """How a command ended, and the codes of what it said."""
    return "+".join(["%d" % code] + sorted(set(re.findall(r"\b[EW]-[A-Z]+-\d+", said))))


def families():
    import families as f  # which imports this one
    return f


def hostile_names():
    sys.path.insert(0, LIB)
    import hostile
    return [c.name for c in hostile.CASES]


class Forge:
    name = "forge"

    def cases(self, site):
        out = ["forge:" + n for n in FORGED]
        out += ["forge:hostile-" + n for n in hostile_names()]
        site.reset("remembered")
        out += ["forge:cache-" + n for n in cached.HARMED]
        for name, path in sorted(self.cached(site).items()):
            out += ["forge:cache-%s:%d" % (name, at) for at, b in enumerate(oracle.read(path)) if b and at % CACHE_STEP == 0]
        return out

    def has(self, site, kind, rest):
        if kind == "cache":
            return rest in cached.HARMED or (rest.rpartition(":")[0] in self.cached(site) and rest.rpartition(":")[2].isdigit())
        return rest in {"hostile": hostile_names, "script": lambda: SCRIPTS}.get(kind, list)()

    def cached(self, site):
        found = {}
        for d, _, names in os.walk(site.path("state", "cache")):
            for n in sorted(names):
                if n != "lock.mdb":
                    found[os.path.relpath(os.path.join(d, n), site.path("state", "cache"))] = os.path.join(d, n)
        return found

    def run(self, site, case, full_every):
        name = case.split(":", 1)[1]
        kind, rest = (name.split("-", 1) + [""])[:2]
        site.reset("remembered" if kind == "cache" else "night2")
        if name not in FORGED and not self.has(site, kind, rest):
            raise LookupError("there is no case '%s'" % case)
        if kind == "hostile":
            return self.program(site, [sys.executable, LIB + "/hostile.py", site.bin + "/bkp-restore", site.work + "/hostile", rest])
        if kind == "script":
            return self.program(site, ["bash", "%s/../%s.sh" % (LIB, rest)])
        if kind == "cache":
            return self.cache(site, rest)
        FORGED[name](site)
        return self.judge(site, name)

    def program(self, site, argv):
        """A test that judges by itself."""
        e = dict(site.env(), BKP_BIN=site.bin, BKP_RELEASE=site.bin, BKP_SRC=os.path.dirname(os.path.dirname(LIB)))
        for n in ("LD_PRELOAD", "FAKECLOCK", "BKP_POLICY"):
            del e[n]
        shutil.rmtree(site.work + "/hostile", ignore_errors=True)
        os.makedirs(site.work + "/hostile")
        try:
            r = subprocess.run(argv, env=e, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180)
        except subprocess.TimeoutExpired:
            return "slow", ["no end after 180 s"]
        return "exit-%d" % r.returncode, [r.stdout.decode(errors="replace")[-400:]] if r.returncode else []

    def cache(self, site, rest):
        """The cache is only a help: a night goes by, and what is restored of it is what stands there.  What it cost is in the journal: how much
        was stored again, and how many files the guard knew."""
        name, _, at = rest.rpartition(":")
        if name:
            edit(self.cached(site)[name], change=flip(int(at), 1 << int(at) % 8))
        else:
            cached.HARMED[rest](site)
        code, said = site.run(["bkp", "run", "--all", "--quiet"])
        faults = [] if code in (0, 1) else ["run: exit %d: %s" % (code, said)]
        faults += [] if faults else oracle.night_kept(site) + (self.stored_again(site) if rest in cached.GONE else [])
        outcome = "cache-%s,%s" % (end(code, said), self.cost(site))
        if not faults and families().first_of(site, outcome):
            faults += oracle.go_on(site)
        return outcome, faults

    def cost(self, site):
        recs, _ = oracle.records(oracle.journal_of(site.path("state")))
        begun = max(r["run"] for r in recs if r["event"] == "begin")
        last = [r for r in recs if r["event"] == "committed" and r["generation"] == begun]
        knew = [[r.get("guard", {}).get(k) for k in ("measured", "before", "added", "changed")] for r in last]
        return hashlib.sha256(repr((knew, [(r["archives"], r["new_bytes"].bit_length()) for r in last])).encode()).hexdigest()[:8]

    def stored_again(self, site):
        """An index that is gone is filled from what stands on the media: of what is there little is stored once more."""
        recs, _ = oracle.records(oracle.journal_of(site.path("state")))
        last = [r for r in recs if r["event"] == "committed" and r["dataset"] == "docs"][-1]
        return ["%d of %d bytes were stored again" % (last["new_bytes"], last["bytes"])] if last["new_bytes"] > last["bytes"] / 2 else []

    def judge(self, site, name):
        faults = []
        ends = [self.read(site, faults)]
        seen = bool(re.search("[1-9]", re.sub(r"[+][^/]*", "", ends[0])))
        site.source(3)
        for argv in [a for n, a in FIRST.items() if name.startswith(n)] + HOST:
            code, said = site.run(["bkp"] + [w.replace("{}", site.site) for w in argv])
            ends.append(end(code, said))
            seen |= code != 0
            if code not in (0, 1, 2, 3):
                faults.append("bkp %s: exit %d: %s" % (" ".join(argv), code, said))
            if code and not said.strip():
                faults.append("bkp %s: exit %d without a word" % (" ".join(argv), code))
            if "E-BKP-00" in said:
                faults.append("bkp %s does not say what it was: %s" % (" ".join(argv), said))
        ends.append(self.read(site, faults))
        if seen == (name in UNHARMED):
            faults.append("somebody saw it" if seen else "nobody saw it")
        return ",".join(ends), faults

    def read(self, site, faults):
        reader = ["bkp-restore", "--quiet", "--medium", site.path("m1"), "--identity", site.path("id.txt")]
        ends = [end(*site.run(reader + argv)) for argv in READ]
        to = site.path("to")
        shutil.rmtree(to, ignore_errors=True)
        code, said = site.run(reader + ["extract", "docs@2", "--to", to])
        ends.append(end(code, said))
        back = untimed(to + site.path("src")) if os.path.isdir(to + site.path("src")) else {}
        truth = getattr(site, "truth2", None)
        if truth is None or not truth:
            truth = site.truth2 = captured(site)
        if code == 0 and back != truth:
            faults.append("extract: exit 0, and another tree")
        if code not in (0, 1, 2, 3):
            faults.append("extract: exit %d: %s" % (code, said))
        return "/".join(ends)


def untimed(top):
    """Each state has its source written at another moment."""
    return {n: e[:5] for n, e in oracle.tree(top).items()}


def captured(site):
    """What docs@2 holds: the source of the golden site."""
    return untimed(os.path.join(site.golden, "night2", "src"))
