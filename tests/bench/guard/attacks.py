"""Simulated ransomware.  Only ever run on trees made for tests: the folder must hold a file MADE-FOR-TESTS.

"Encrypted" is random bytes, which nothing can tell from it.  HOW is what is done to a file's bytes (a function of bytes and a source of
randomness) or to the file; SELECT is which files and in which order; ATTACKS names the combinations that tests/bench/guard.sh plays."""
import base64, os, random, re
from dataclasses import dataclass, field

KIB = 1024

# ---- what is done to a file's bytes


def full(d, r):
    return r.randbytes(len(d))


def head_only(n):
    return lambda d, r: r.randbytes(min(n, len(d))) + d[n:]


def pieces(encrypt, step):
    """The first `encrypt` bytes of each `step`."""

    def how(d, r):
        out = bytearray(d)
        for at in range(0, len(d), step):
            n = min(encrypt, len(d) - at)
            out[at : at + n] = r.randbytes(n)
        return bytes(out)

    return how


def percent_pieces(of, n_pieces):
    """n_pieces over the file's length, `of` percent of each encrypted: modes that go by a file's size."""

    def how(d, r):
        step = max(32, len(d) // n_pieces // 16 * 16)
        return pieces(max(16, step * of // 100 // 16 * 16), step)(d, r)

    return how


def every_other_16(d, r):
    out, n = bytearray(d), len(d) // 32
    noise = r.randbytes(16 * n)
    for k in range(16):
        out[k : 32 * n : 32] = noise[k::16]
    return bytes(out) if n else r.randbytes(len(d))


def behind(n):
    return lambda d, r: d[:n] + r.randbytes(max(0, len(d) - n))


def head_and_tail(d, r):
    return d[:4096] + r.randbytes(max(0, len(d) - 5120)) + d[max(4096, len(d) - 1024) :]


def footer(d, r):
    return r.randbytes(len(d) + 512)


def in_base64(d, r):
    return base64.encodebytes(r.randbytes(len(d)))


def in_hex(d, r):
    return r.randbytes(len(d)).hex().encode()


def zeros_behind(d, r):
    return d[:4096] + bytes(max(0, len(d) - 4096)) if len(d) > 4096 else bytes(len(d))


PLAUSIBLE = (
    "患者は良好である。次回は二週間後に再診とする。The patient is well, no complaints, see again in two weeks. 検査結果を確認した。変化なし。"
    "処方を継続し、副作用がないことを説明した。家族に連絡し、同意を得た。血圧は安定している。食事と運動について指導した。\n"
)


def plausible(d, r):
    lines = [s + "。" for s in PLAUSIBLE.split("。")]
    text = "".join(r.choice(lines) + str(r.randrange(10 ** r.randrange(1, 9))) for _ in range(len(d) // 40 + 2)).encode()
    while len(text) < len(d):
        text += text
    return text[: len(d)]


def one_sentence(d, r):
    return (b"The patient is well, no complaints, see again in two weeks. " * (len(d) // 60 + 1))[: len(d)]


def shuffled(d, r):
    blocks = [d[i : i + 4096] for i in range(0, len(d), 4096)]
    r.shuffle(blocks)
    return b"".join(blocks)


def zip_sealed(d, r):
    import content

    return content.zip_of([("data", d)], 0x5A215A21, r.randbytes)


def pgp(d, r):
    import content

    return content.Maker(None, r).gpg(2 * len(d))


def seven(d, r):
    import content

    return content.Maker(None, r).seven(len(d) // 2 + 200)


def emptied(d, r):
    return b""


def second_half(d, r):
    return d[: len(d) // 2] + r.randbytes(len(d) - len(d) // 2)


def middle_block(d, r):
    """What breaks a document with the least that changes."""
    at = len(d) // 2 & ~4095
    return d[:at] + r.randbytes(min(4096, len(d) - at)) + d[at + 4096 :]


def keep(n, how):
    return lambda d, r: d[:n] + how(d[n:], r)


def xored(d, r):
    """By a key of 16 bytes, over and over: what could be compressed still can."""
    key = int.from_bytes(r.randbytes(16) * (len(d) // 16 + 1), "big") >> 8 * (16 - len(d) % 16)
    return (int.from_bytes(d, "big") ^ key).to_bytes(len(d), "big") if d else d


def substituted(d, r):
    """Each byte value by another one: as many of each as there were."""
    table = list(range(256))
    r.shuffle(table)
    return d.translate(bytes(table))


def wrapped(d, r):
    """Ciphertext in a container of the kind that the file was of."""
    import content

    maker, secret = content.Maker(None, r), r.randbytes(len(d))
    if d[:3] == b"\xff\xd8\xff":
        start = d.find(b"\xff\xda") + 12
        return d[:start] + secret[start:].replace(b"\xff", b"\xff\0") + b"\xff\xd9"
    if d[:4] == b"%PDF":
        return maker.pdf_of(maker.pdf_start([4]) + [b"<</Type/Page/Parent 2 0 R/Contents 5 0 R>>", maker.stream(secret)])
    if d[:4] == b"PK\3\4":
        return content.zip_of([("[Content_Types].xml", content.TYPES.encode()), ("word/document.xml", secret)], 0x5A215A21)
    if d[128:132] == b"DICM":
        return d[:1024] + secret[1024:]
    if d[:4] == b"\xd0\xcf\x11\xe0":
        return maker.ole(len(d), "WordDocument", secret[2048:])
    return in_base64(secret[: len(d) * 3 // 4], r)


# ---- which files, in which order

IMAGES = re.compile(r"\.(dcm|jpg|png)$")
DOCUMENTS = re.compile(r"\.(docx|xlsx|doc|xls|pdf|txt|csv)$")
TEXTS = re.compile(r"\.(txt|csv|hl7|xml|json|config|js|log|sql)$|/ssmix2/")


def tree(top):
    return sorted(os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs if f != "MADE-FOR-TESTS")


def like(pattern):
    return lambda names, rnd: shuffle([n for n in names if pattern.search(n)], rnd)


def shuffle(names, rnd):
    rnd.shuffle(names)
    return names


def by_age(newest):
    return lambda names, rnd: sorted(names, key=lambda n: os.stat(n).st_mtime, reverse=newest)


def one_big(names, rnd):
    return [max((n for n in names if n.endswith(".dcm")), key=os.path.getsize)]


def folder_of(pattern):
    def select(names, rnd):
        folders = sorted({m.group(0) for n in names for m in [re.search(pattern, n)] if m})
        of = {f: [n for n in names if f in n] for f in folders}
        return max(of.values(), key=len) if of else []

    return select


SELECT = {
    "all": lambda names, rnd: shuffle(names, rnd),
    "newest": by_age(True),
    "oldest": by_age(False),
    "images": like(IMAGES),
    "documents": like(DOCUMENTS),
    "texts": like(TEXTS),
    "prose": like(re.compile(r"\.txt$")),
    "one big": one_big,
    "a study": folder_of(r"/us/\d+/"),
    "a folder of images": like(re.compile("/photos/")),
    "all images of pacs": like(re.compile("/pacs/")),
    "jpeg": like(re.compile(r"\.jpg$")),
    "data": like(re.compile(r"\.(?!(dll|exe|config|js|tmp|gz|log|db)$)[a-z0-9]+$")),
}


ONCE = ("one big", "a folder of images", "a study")  # the night after there is no other


@dataclass
class Attack:
    name: str
    how: object = full  # of (bytes, rnd); None: only names; "delete", "replace"
    select: str = "all"
    rate: float = 100  # % a night of the files that there were when it began
    rename: str = ""  # "locked", "ext" (another for each file), "names"
    keep_times: bool = False
    arrival: bool = False  # what came in since the night before, and nothing else
    dump: dict = field(default_factory=dict)  # of the database: shares and how (dump.Database), reached at once or `rate` % more each night
    nights: int = 10
    training: int = 0  # nights on which the harm rises slowly, before `rate`
    unseen: str = ""  # why no figure can tell it from work


class Harm:
    """One attack on one tree, night after night."""

    def __init__(self, attack, top, seed=1):
        if not os.path.exists(os.path.join(top, "MADE-FOR-TESTS")):
            raise SystemExit("attacks: %s does not hold MADE-FOR-TESTS: refused" % top)
        self.attack, self.top, self.seed = attack, top, seed
        self.done, self.owed = set(), 0.0
        self.begun = len(tree(top))
        self.before = set()

    def look(self):
        """Before a day's work, so that what arrived is known behind it."""
        self.before = set(tree(self.top))

    def share(self, night):
        a = self.attack
        if not a.training or night > a.training:
            return a.rate
        return 0.02 + 0.18 * (night - 1) / a.training

    def strike(self, night, when=None):
        """How many files were harmed, this night (from 1)."""
        a, rnd = self.attack, random.Random("%d %d %s" % (self.seed, night, self.attack.name))
        if a.dump or night > 1 and a.select in ONCE:
            return 0
        names = [n for n in tree(self.top) if n not in self.done]
        if a.how == "delete":  # what came and went in a day no backup ever had
            names = [n for n in names if n in self.before]
        if a.arrival:
            chosen = [n for n in names if n not in self.before]
        else:
            chosen = SELECT[a.select](names, rnd)
        self.owed = len(chosen) if a.rate >= 100 else self.owed + self.begun * self.share(night) / 100
        harmed = 0
        for name in chosen:
            if harmed + 1 > self.owed:
                break
            harmed += self.harm(name, rnd, when)
        self.owed -= harmed
        return harmed

    def harm(self, name, rnd, when):
        """False: nothing was done, because a file so short would stay what it is."""
        a, to, st = self.attack, name, os.stat(name)
        if a.how == "delete":
            os.remove(name)
            return True
        with open(name, "rb") as f:
            data = f.read()
        if a.how == "replace":
            to = os.path.join(os.path.dirname(name), "%x" % rnd.getrandbits(80))
            with open(to, "wb") as f:
                f.write(rnd.randbytes(len(data) + 512))
            os.remove(name)
        elif a.how:
            new = a.how(data, rnd)
            if new == data:
                self.done.add(name)
                return False
            with open(name, "r+b") as f:
                f.write(new)
                f.truncate()
        if a.rename:
            to = self.renamed(name, rnd)
            os.rename(name, to)
        if a.keep_times or not a.how:
            os.utime(to, ns=(st.st_atime_ns, st.st_mtime_ns))
        elif when:
            os.utime(to, (when, when))
        self.done.add(to)
        return True

    def renamed(self, name, rnd):
        if self.attack.rename == "locked":
            return name + ".locked"
        if self.attack.rename == "ext":
            return name + "." + "".join(rnd.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=5))
        folder, base = os.path.split(name)
        return os.path.join(folder, "%x" % rnd.getrandbits(64) + (os.path.splitext(base)[1] if self.attack.rename == "stems" else ""))


def rates(name, how, of=(100, 10, 2, 1, 0.2), **more):
    return [Attack("%s, %g %%" % (name, r) if r < 100 else name, how, rate=r, **more) for r in of]


ATTACKS = [
    *rates("in place", full, (100, 25, 10, 5, 2, 1, 0.5, 0.2, 0.1)),
    *rates("in place, times kept", full, (100, 1, 0.2), keep_times=True),
    *rates("LockBit: first 4 KiB", head_only(4096), (100, 2, 1, 0.2)),
    Attack("BlackCat: head only, 1 KiB, 1 %", head_only(1024), rate=1),
    Attack("BlackCat: 4 KiB every 64 KiB, 1 %", pieces(4 * KIB, 64 * KIB), rate=1),
    Attack("BlackCat: dots, 256 B every 4 KiB, 1 %", pieces(256, 4 * KIB), rate=1),
    Attack("BlackCat: 10 pieces, a fifth of each, 1 %", percent_pieces(20, 10), rate=1),
    *rates("Play: every other MiB", pieces(1024 * KIB, 2048 * KIB), (100, 1)),
    *rates("Royal: 50 %, in turn", percent_pieces(50, 10), (100, 1, 0.2)),
    *rates("LockFile: every other 16 bytes", every_other_16, (100, 1, 0.2), keep_times=True),
    *rates("first 256 B kept", behind(256), (25, 1, 0.2)),
    *rates("first 4 KiB kept", behind(4096), (100, 10, 2, 1, 0.2)),
    *rates("first 64 KiB kept", behind(65536), (100, 2)),
    *rates("head 4 KiB and tail 1 KiB kept", head_and_tail, (100, 2, 0.5), keep_times=True),
    *rates("second half only", second_half, (100, 1)),
    *rates("one block of 4 KiB in the middle", middle_block, (100, 1)),
    *rates("first 4 KiB kept, base64 behind", keep(4096, in_base64), (1,)),
    *rates("XOR by 16 bytes", xored, (1,)),
    *rates("first 4 KiB kept, XOR by 16 bytes behind", keep(4096, xored), (100, 1)),
    *rates("first 4 KiB kept, bytes substituted behind", keep(4096, substituted), (100, 1)),
    *rates("in a container of its kind", wrapped, (100, 1)),
    *rates("512 bytes of footer", footer, (1,)),
    *rates("renamed .locked", full, (100, 2, 0.5), rename="locked"),
    *rates("renamed, any extension", full, (1,), rename="ext"),
    *rates("renamed, any name", full, (1,), rename="names"),
    *rates("renamed, stems only", full, (1,), rename="stems"),
    *rates("names only, .locked", None, (100, 1), rename="locked"),
    *rates("new file, old one deleted", "replace", (100, 1)),
    *rates("base64 over texts", in_base64, (100, 1), select="texts"),
    *rates("hex over texts", in_hex, (1,), select="texts"),
    *rates("zeros behind 4 KiB", zeros_behind, (100, 1)),
    *rates("emptied", emptied, (1,)),
    *rates("plausible text", plausible, (100, 1)),
    Attack("plausible text over prose, 0.2 %", plausible, "prose", rate=0.2, unseen="it is what people write"),
    *rates("blocks of 4 KiB shuffled", shuffled, (100, 2)),
    *rates("zip with password in place", zip_sealed, (100, 1)),
    *rates("zip with password, name.zip", zip_sealed, (1,), rename="ext"),
    *rates("gpg in place", pgp, (100, 1)),
    *rates("7z with encrypted header in place", seven, (1,)),
    *rates("deleted", "delete", (100, 20, 2, 1)),
    Attack("deleted, newest first, 1 %", "delete", "newest", rate=1),
    Attack("deleted, oldest first, 0.5 %", "delete", "oldest", rate=0.5, unseen="it is what retention does"),
    Attack("a folder of images deleted", "delete", "a folder of images"),
    Attack("a study of some 15 images deleted", "delete", "a study", unseen="as a person deletes one"),
    Attack("all of pacs deleted", "delete", "all images of pacs"),
    Attack("on arrival", full, arrival=True),
    Attack("on arrival, first 4 KiB kept", behind(4096), arrival=True),
    Attack("on arrival, times kept, 256 B kept", behind(256), arrival=True, keep_times=True),
    Attack("all images, first 4 KiB kept", behind(4096), "images"),
    Attack("all images, first 4 KiB and times kept", behind(4096), "images", keep_times=True),
    Attack("all JPEG, first 4 KiB kept", behind(4096), "jpeg"),
    Attack("a folder of images, first 4 KiB kept", behind(4096), "a folder of images"),
    Attack("all documents", full, "documents"),
    Attack("all documents, first 4 KiB kept", behind(4096), "documents"),
    Attack("newest first, 1 %", full, "newest", rate=1),
    Attack("newest first, first 4 KiB kept, 1 %", behind(4096), "newest", rate=1),
    Attack("one big file", full, "one big"),
    Attack("one big file, first 64 KiB kept", behind(65536), "one big"),
    *[Attack("rows of the database, base64, %g %%" % s, dump={"harmed": s / 100, "how": "base64"}) for s in (100, 10, 1)],
    Attack("rows of the database, bytea, 10 %", dump={"harmed": 0.1, "how": "bytea"}),
    Attack("rows of the database emptied, 10 %", dump={"harmed": 0.1, "how": "null"}),
    Attack(
        "rows of the database, values of other patients, 10 %",
        dump={"harmed": 0.1, "how": "swapped"},
        unseen="each value is one that was there",
    ),
    Attack("rows of the database, base64, 1 % more each night", rate=1, dump={"harmed": None, "how": "base64"}),
    Attack("patients deleted, 10 %", dump={"dropped": 0.1}),
    Attack("patients deleted, a third", dump={"dropped": 0.34}),
    Attack("patients deleted, 1 % more each night", rate=1, dump={"dropped": None}),
    Attack("slow training, then 5 %", full, rate=5, training=30, nights=34),
    Attack("slow training, first 4 KiB kept, then 5 %", behind(4096), rate=5, training=30, nights=34),
]
QUICK = (
    "in place",
    "in place, 1 %",
    "in place, times kept, 0.2 %",
    "LockBit: first 4 KiB, 1 %",
    "LockFile: every other 16 bytes, 1 %",
    "first 256 B kept, 25 %",
    "first 4 KiB kept, 1 %",
    "plausible text, 1 %",
    "zip with password in place, 1 %",
    "deleted, 2 %",
    "on arrival",
    "all images, first 4 KiB kept",
    "rows of the database, base64, 10 %",
    "a folder of images deleted",
)
