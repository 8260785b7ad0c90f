"""What the documents for people tell them to type, taken out of them block by block and typed.  For tests/scenario/07-documents.sh.

  documents.py SRC WORK     SRC: the tree; WORK: a scratch folder with the disks (disks/…), shim/, fakeclock.so

Every fenced block of docs/ja/*.md, README.md and docs/tutorial.md, every command of the README.txt on a medium, every example of the man pages is a
row of PLAN below; a block without a row fails, a row without a block fails, and what cannot be run has its reason there.  A
transcript is typed line by line at a terminal of a plain shell (dash); each command must end as EXITS says (0 where it says
nothing), and each line of output that the document shows must come, in that order, numbers, dates and keys aside.
"""
import glob, os, pty, re, select, subprocess, sys, time

SRC, WORK = sys.argv[1:3]
DISKS = WORK + "/disks"
DISK_UUID = "1b2c3d4e-0000-4000-8000-000000000001" # 07-documents.sh
PASS = "nagai-Passphrase-2026"
faults, ran, skipped = [], 0, []

# ---- blocks
class Block:
    def __init__(self, doc, line, text):
        self.doc, self.line, self.text = doc, line, text
        self.where = "%s:%d" % (doc, line)

def fenced(doc):
    out, start, fence = [], None, ""
    for n, l in enumerate(open(SRC + "/" + doc, encoding="utf-8").read().split("\n"), 1):
        m = re.match(r"(`{3,})(\S*)$", l)
        if start is None and m:
            start, fence, body = n + 1, m.group(1), []
        elif start is not None and l == fence:
            out.append(Block(doc, start, "\n".join(body) + "\n"))
            start = None
        elif start is not None:
            body.append(l)
    assert start is None, doc + ": a block is not closed"
    return out

def unroff(s):
    for a, b in ((r"\e", "\\"), (r"\-", "-"), (r"\&", "")):
        s = s.replace(a, b)
    return s

def examples(doc):
    out, on, body = [], False, None
    for n, l in enumerate(open(SRC + "/" + doc, encoding="utf-8").read().split("\n"), 1):
        if l.startswith(".Sh"):
            on = l == ".Sh EXAMPLES"
        elif on and l.startswith(".Dl "):
            out.append(Block(doc, n, unroff(l[4:]) + "\n"))
        elif on and l.startswith(".Bd -literal"):
            body = []
        elif body is not None and l == ".Ed":
            out.append(Block(doc, n - len(body), "\n".join(body) + "\n"))
            body = None
        elif body is not None:
            body.append(unroff(l))
    return out

# ---- a terminal with a shell
def row_of_paper(asked):
    """what stands on the page of a share in that row"""
    page = sorted(glob.glob("/tmp/print/share-*.html"))[int(asked.group(1)) - 1]
    return re.findall("<pre>([A-Z0-9 ]+)</pre>", read(page))[int(asked.group(2)) - 1]

ANSWERS = [(r"分割片 (\d+) の (\d+)段目[^\n]*: $", row_of_paper), (r"(?i)passphrase[^\n]*: ?$|のパスフレーズ(（[^\n]*）)?: ?$|もう一度: ?$", PASS), (r"（はい y / いいえ n） ?$", "はい"), (r"確認者の名前（[^\n]*） ?$", ""),
           (r"担当者は(.|\n)*番号（1〜2）[^\n]*: $", "2"), (r"Who does(.|\n)*Number[^\n]*: $", "2"), (r"抜かれるのを待って|Waiting until it is unplugged", lambda asked: unplug()), (r"(どこに保管|is kept)[^\n]*\r?\n> $", ""),
           (r"特記事項（[^\n]*） ?$", "封印異常なし"), (r"\(yes/no\) ?$", "yes"), (r"ここで Enter か Ctrl-C", ""), (r"(your name|remark) [^\n]*\? ?$", ""), (r"(a finding, |指摘)[^\n]*[?）：] ?$", "")]

class Shell:
    """Plain sh with a terminal; commands come by a FIFO, so that what they read is what is typed."""
    def __init__(self, shell=("dash",), env=None):
        fifo = WORK + "/fifo"
        if os.path.exists(fifo):
            os.unlink(fifo)
        os.mkfifo(fifo)
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(shell[0], [*shell, fifo], env)
            finally:
                os._exit(127)
        self.script = os.fdopen(os.open(fifo, os.O_RDWR), "w", encoding="utf-8")  # does not wait for a shell that is not there

    def type(self, command, limit=40):
        """(exit status, what the screen showed)"""
        self.script.write("%s\nprintf '\\n@@%%d@@\\n' $?\n" % command)
        self.script.flush()
        seen, answered, end = b"", 0, time.time() + limit
        while time.time() < end:
            if select.select([self.tty], [], [], 0.2)[0]:
                try:
                    data = os.read(self.tty, 65536)
                except OSError:
                    data = b""
                if not data:
                    return -1, seen.decode("utf-8", "replace").replace("\r\n", "\n")
                seen += data
            m = re.search(rb"\r?\n@@(\d+)@@\r\n", seen)
            if m:
                text = seen[:m.start()].decode("utf-8", "replace").replace("\r\n", "\n")
                return int(m.group(1)), "\n".join(l.split("\r")[-1].removeprefix("\x1b[K") for l in text.split("\n"))  # progress, taken back
            tail = seen[answered:].decode("utf-8", "replace")
            for pattern, answer in ANSWERS:
                asked = re.search(pattern, tail)
                if asked:
                    answered = len(seen)
                    time.sleep(0.05)  # echo is off only after the prompt
                    answer = answer(asked) if callable(answer) else answer
                    if answer is not None:
                        os.write(self.tty, answer.encode() + b"\n")
                    break
        os.kill(self.pid, 9)
        return -2, seen.decode("utf-8", "replace").replace("\r\n", "\n")

    def close(self):
        self.script.close()
        os.waitpid(self.pid, 0)
        os.close(self.tty)

def transcript(text):
    """[(command, [lines of output])]; text without a prompt is commands alone"""
    lines, out = text.rstrip("\n").split("\n"), []
    prompted = any(re.match(r"[$#] ", l) for l in lines)
    while lines:
        l = lines.pop(0)
        if prompted and not re.match(r"[$#] ", l):
            out[-1][1].append(l)
            continue
        c = l[2:] if prompted else l
        while c.endswith("\\") or re.search(r"\($", c) or incomplete(c):
            if not lines:
                break
            c += "\n" + lines.pop(0)
        out.append((c, []))
    return out

def incomplete(c):
    m = re.search(r"<<'(\w+)'", c)
    if m:
        return not c.endswith("\n" + m.group(1))
    return subprocess.run(["dash", "-n", "-c", c], stderr=subprocess.DEVNULL).returncode != 0

def shape(l):
    """a line without what differs from one day and site to the next"""
    l = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "U", l)
    l = re.sub(r"age1([0-9a-z]{20,}|…)|RW[A-Za-z0-9+/]{54}", "KEY", l.replace("...", "…"))
    l = re.sub(r"[0-9][0-9,]*(\.[0-9]+)?( ?([kKMGT]i?)?B\b)?", "N", l)
    l = re.sub(r"N( (千万|億|万))", "N", l)
    return re.sub(r"[\s　]+", " ", l).strip()

def shown(block, command, wanted, screen):
    """each line that the document shows comes, in that order"""
    # of two programs in a pipe either may be the first to say something: age's question, or age-keygen's public key
    have = [shape(l) for l in re.split(r"\n|(?<=: )(?=Public key: )", screen)]
    at = 0
    for w in wanted:
        w = re.sub(r"　?（(以下同様|略)）$|   （.*）$", "", w)
        s = shape(w)
        if s in ("…", "", "（略）"):
            continue
        like = re.compile(" ?".join(".*" if p == "…" else re.escape(p.strip()) for p in re.split("(…)", s)))
        for i in range(at, len(have)):
            if like.fullmatch(have[i]):
                at = i + 1
                break
        else:
            fault(block, "the screen does not show: %s\n      after: %s\n%s" % (w, command, indent(screen)))
            return

def indent(s):
    return "".join("      | %s\n" % l for l in s.rstrip("\n").split("\n")[:40])

def fault(block, text):
    faults.append("%s: %s" % (block.where, text))
    print("FAILED: %s: %s" % (block.where, text), file=sys.stderr)

def replaced(text, subs):
    for a, b in subs:
        text = re.sub(a, lambda m: b, text, flags=re.M)
    return text

def typed(sh, block, subs=(), exits=(), instead=None):
    """types the block; returns all screens"""
    global ran
    screens = ""
    for command, wanted in transcript(replaced(instead or block.text, subs)):
        status, screen = sh.type(command)
        want = next((e for p, e in exits if p in command), 0)
        ran += 1
        if status != want:
            fault(block, "exit %d, expected %d: %s\n%s" % (status, want, command, indent(screen)))
        else:
            shown(block, command, wanted, screen)
        screens += screen + "\n"
    return screens

# ---- the prepared site
def day(text):
    """seconds from now to that time, as date -d takes it"""
    return int(subprocess.check_output(["date", "-d", text, "+%s"], env=ENV)) - int(time.time())

def soon():
    """a day that is announced in the documents' place"""
    return subprocess.check_output(["date", "-d", "@%d" % (time.time() + int(CLOCK[0]) + 3 * 86400), "+%F"], env=ENV, text=True).strip()

ENV = {"PATH": WORK + "/shim:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/home/it", "TZ": "JST-9", "LANG": "C.UTF-8",
       "TERM": "xterm", "FAKEDISK": WORK + "/udev", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
CLOCK = ["0"]

def clocked():
    return {**ENV, "LD_PRELOAD": WORK + "/fakeclock.so", "FAKECLOCK": CLOCK[0]}

def at(sh, when):
    CLOCK[0] = str(day(when))
    if sh:
        sh.type("export FAKECLOCK=" + CLOCK[0])

def need(command, code=0):
    """what is prepared between the blocks"""
    r = subprocess.run(["sh", "-c", command], env=clocked(), capture_output=True, text=True)
    if r.returncode != code:
        raise SystemExit("cannot prepare: exit %d: %s\n%s%s" % (r.returncode, command, r.stdout, r.stderr))
    return r.stdout

def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)

def read(path):
    return open(path, encoding="utf-8").read()

PROCEDURE = """# 電子カルテと文書の復旧

```procedure
id: emr
version: "1.0"
dataset: emr
rto: 8h
variables:
  - {name: port, title: 番号, type: number, value: "54399"}
```
""" + "".join("\n```%s\n誰: 事務長\n何を: %s\nどのように: %s\n合否条件: 一致する\n予定分: %d\n%s```\n" % s for s in (
    ("confirm", "媒体の番号を媒体受渡票と照らし合わせる", "ラベルを読み上げ、もう一人が受渡票を見る", 1, ""),
    ("restore", "世代 ${generation} の電子カルテのダンプを取り出す", "自動", 5, "dataset: emr\n"),
    ("restore", "文書を取り出す", "自動", 5, "dataset: documents\n"),
    ("check", "患者の数", "自動", 5, "probe: emr\ncommand: psql -Atqc 'select count(*) from patient' emr\n"),
    ("run", "片付け", "自動", 2, "command: \"true\"\n")))

# ---- what becomes of each block: a function, or the reason why it cannot be run
DONE, SUBS = set(), {}

def person():
    """a shell of the person at the prepared site, with what people read off paper and cards in place of the placeholders"""
    return Shell(env=clocked())

def take(known, doc, begin, f=None, **how):
    """runs the block, once"""
    key = (doc, begin)
    if key not in known:
        return ""
    DONE.add(key)
    return f(known[key]) if f else typed(how.pop("sh"), known[key], **how)

def policy(fragment="", dataset="", name="policy.yaml"):
    """is it valid, as a policy of its own or with the rest around it?"""
    def check(b):
        global ran
        text = b.text
        if fragment:
            text = read("/etc/bkp/" + fragment) + text
        elif dataset:
            body = re.sub("^    ", "", b.text, flags=re.M) if b.text.startswith("    ") else b.text
            body = "  - name: x\n" + b.text if b.text.startswith("    ") else b.text
            text = "site: {name: x, language: en}\nstate: /var/lib/x\ndatasets:\n%smedia:\n  - {name: m, type: hdd, path: /mnt/x}\n" % body
        write(WORK + "/" + name, text)
        r = subprocess.run(["bkp", "--policy", WORK + "/" + name, "check", "--quiet"], env=clocked(), capture_output=True, text=True)
        ran += 1
        if r.returncode or r.stderr:
            fault(b, "not valid: %s%s" % (r.stdout, r.stderr))
    return check

def procedure_file(b):
    global ran
    write(WORK + "/procedure.md", b.text)
    r = subprocess.run(["bkp-restore", "procedure", "check", WORK + "/procedure.md"], env=ENV, capture_output=True, text=True)
    ran += 1
    if r.returncode:
        fault(b, r.stdout + r.stderr)

def notify(b):
    """the command of a policy's notify: gets the line to whom it is for"""
    global ran
    write(WORK + "/notify.yaml", read("/etc/bkp/site.yaml") + b.text)
    if os.path.exists(WORK + "/sent"):
        os.unlink(WORK + "/sent")
    r = subprocess.run(["bkp", "--policy", WORK + "/notify.yaml", "notify", "--test"], env=clocked(), capture_output=True, text=True)
    ran += 1
    if r.returncode or not os.path.exists(WORK + "/sent"):
        fault(b, "notify --test: exit %d: %s%s" % (r.returncode, r.stdout, r.stderr))

def cron(**exits):
    """a line of a crontab: five fields, a user, a command that runs in cron's environment"""
    def f(b):
        global ran
        fields = b.text.strip().split(None, 6)
        if not all(re.fullmatch(r"[0-9*/,-]+", x) for x in fields[:5]) or fields[5] != "root":
            fault(b, "not a line of a crontab")
            return
        env = {k: v for k, v in clocked().items() if k in ("LD_PRELOAD", "FAKECLOCK", "TZ")}
        r = subprocess.run(["/bin/sh", "-c", fields[6]], env={**env, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
        ran += 1
        if r.returncode not in exits.get("codes", (0,)):
            fault(b, "exit %d: %s\n%s%s" % (r.returncode, fields[6], r.stdout, r.stderr))
    return f

JA = "docs/ja/"
TUTORIAL = ("$ mkdir -p /tmp/try", "$ cat >policy.yaml", "$ bkp init", "$ bkp rotate", "$ mkdir lost", "$ cp /usr/local", "$ cd shelf", "$ mv lost")
PLAN = {
    (JA + "recover.md", "# bkp-restore"): "its procedure wants gates signed and a server of its own: typed by tests/scenario/88 and 44b",
    (JA + "recover.md", "by:"): "answers to that procedure, likewise",
    (JA + "drill.md", "30 4"): "scenario 44e has Debian's cron begin it, as it stands",
    ("docs/man/bkp-recover.1", "# bkp-restore"): "likewise",
    (JA + "rescue.md", "# bkp --lang ja rescue-image"): "needs a kernel's package: 91 makes it, and compares what is said",
    (JA + "rescue.md", "# lsblk"): "writes to a stick: 91 types it with a file in its place",
    (JA + "rescue.md", "# head"): "likewise",
    (JA + "rescue.md", " どの"): "the menu: 91 compares it with what is shown",
    ("docs/man/bkp-rescue-image.8", "# bkp rescue-image"): "needs a kernel's package: 91",
    (JA + "audit.md", "PACK="): "94a types it at a pack of its own, with sh, openssl, sha256sum and minisign alone",
    (JA + "audit.md", "cd \"$PACK"): "likewise",
    ("README.md", "./policies/demo/run.sh"): "builds the programs and runs this very suite; 05 looks that both scripts are there",
    ("docs/man/bkp-key.8", "$ bkp-restore"): "59 plays such a change, as policies/procedures/holder-leaves.md says it",
    ("docs/man/bkp-key.8", "# bkp key remove"): "59 likewise",
    ("README.md", "apt-get install"): "installs packages and builds, as tests/run.sh did before this; its list is compared with tests/lib/packages.sh",
}
for doc, begins in {
    "docs/tutorial.md": TUTORIAL,
    JA + "first-night.md": ("$ export BKP_LANG", "site:", "# bkp init", "# bkp key page", "# findmnt", "# bkp run", "$ bkp-restore"),
    JA + "nightly.md": ("成功 7/8", "schedule:", "bkp schedule install", "30 8"),
    JA + "rotation.md": ("# bkp rotate", "# mount"),
    JA + "status.md": ("× 不適合",),
    JA + "restore.md": ("# mkdir", "# bkp-restore --medium /mnt/m/bkp --root-key $KEY generations\n", "# bkp-restore --medium /mnt/m/bkp --root-key $KEY generations --timeline", "# bkp-restore --medium /mnt/m/bkp --root-key $KEY --identity", "# cd $REPO"),
    JA + "looking.md": ("# bkp-restore", "# printf"),
    JA + "view.md": ("# bkp-restore",),
    JA + "drill.md": ("# P=", "# bkp-restore", "by:"),
    JA + "audit.md": ("REPO=", "key=", "grep '\"event\":\"epoch\"'", "OTHER=", "cd \"$REPO", "N=", "grep '\"event\":\"counter", "n=$(wc"),
    JA + "suspect.md": ("bkp guard show", "bkp accept", "bkp announce"),
    "docs/man/bkp-announce.8": ("# bkp announce",),
    "docs/man/bkp-check.8": ("$ bkp --policy",),
    "docs/man/bkp-drill.1": ("# bkp-restore",),
    "docs/man/bkp-explain.8": ("$ bkp explain",),
    "docs/man/bkp-finding.8": ("# bkp finding",),
    "docs/man/bkp-expire.8": ("# bkp expire --dry-run", "# bkp expire --medium"),
    "docs/man/bkp-generations.8": ("$ bkp generations 42",),
    "docs/man/bkp-guard.8": ("# bkp guard canary",),
    "docs/man/bkp-init.8": ("$ age-keygen", "# bkp init"),
    "docs/man/bkp-journal.8": ("$ bkp journal verify --root-key", "$ bkp journal verify --against", "$ bkp --lang", "# bkp journal head", "# bkp journal countersign", "$ bkp journal find", "# bkp journal repair"),
    "docs/man/bkp-notify.8": ("notify:\n  command: |\n    {", "notify:\n  command: |\n    curl"),
    "docs/man/bkp-policy.5": ("site:", "    command: |", "  - name: share"),
    "docs/man/bkp-procedure.5": ("# Recovery",),
    "docs/man/bkp-repair.8": ("# bkp verify", "# mount", "# bkp repair"),
    "docs/man/bkp-restore.1": ("$ bkp-restore --medium", "$ bkp-restore ... cat", "# bkp-restore ... extract"),
    "docs/man/bkp-rotate.8": ("# bkp rotate\n", "# bkp rotate RDX-01", "# mount", "# umount", "# bkp medium",
                              "# bkp rotate --plan --weeks", "# bkp rotate --plan --calendar"),
    "docs/man/bkp-run.8": ("# bkp schedule", "# bkp run --dry-run", "# bkp run emr", "0 22"),
    "docs/man/bkp-schedule.8": ("# bkp schedule install", "# bkp schedule show", "# bkp --policy"),
    "docs/man/bkp-status.8": ("*/10", "5 *"),
}.items():
    for begin in begins:
        PLAN[(doc, begin)] = None

def first_night(known):
    doc, sh = JA + "first-night.md", person()
    at(sh, "yesterday 17:00")
    sh.type("mkdir -p /mnt/key2 /mnt/safe /mnt/usb; cd /home/it")
    made = take(known, doc, "$ export BKP_LANG", sh=sh)
    SUBS["A"], SUBS["B"] = re.findall("age1[0-9a-z]{50,}", made)[:2]
    sh.type("unset BKP_LANG")
    take(known, doc, "site:", lambda b: write("/etc/bkp/policy.yaml", b.text))
    write("/etc/bkp/procedures/emr.md", PROCEDURE)
    screen = take(known, doc, "# bkp init", sh=sh, subs=[("age1s8lf……", SUBS["A"]), ("age1h4q8……", SUBS["B"])])
    SUBS["ROOT"] = re.search("RW[A-Za-z0-9+/]{54}", screen).group()
    take(known, doc, "# bkp key page", sh=sh)
    take(known, doc, "# findmnt", sh=sh)
    take(known, doc, "# bkp run", sh=sh)
    sh.type("export BKP_LANG=ja")
    take(known, doc, "$ bkp-restore", sh=sh)
    sh.close()
    need("umount /mnt/rdx")  # it is taken to the cabinet until the first rotation
    write("/etc/bkp/site.yaml", read("/etc/bkp/policy.yaml"))

def screens(sh):
    """in Japanese nothing stays English but names, commands and what the policy's keys are called"""
    for command in ("status", "generations", "verify", "agree", "clock show", "check", "medium list", "medium show RDX-01", "schedule show", "journal verify", "run --dry-run", "expire --dry-run"):
        block = Block("bkp " + command, 0, "")
        status, screen = sh.type("bkp " + command)
        if status > 1:
            fault(block, "exit %d\n%s" % (status, indent(screen)))
        for l in screen.split("\n"):
            plain = re.sub(r"'[^']*'|RW[A-Za-z0-9+/]{54}|[0-9a-f-]{16,}|[\w./-]*[/.][\w./-]*|--?[a-z-]+|bkp( [a-z]+)+|"
                           r"\b(emr|documents|nas|ssd|bkp|cron|systemd|root|count|from|patient|select|psql|pg_dump|age\w*|tmpfs|overlay|RDX|command|schedule|install|run|Atqc|Fc)\b", " ", l)
            if re.search(r"\?。|[A-Za-z]{4,}", plain):
                fault(block, "not Japanese: %s" % l)

def unborne(text):
    """disks of memory bear out no technology, so what the policy says of theirs is shown as a claim that counts for nothing"""
    text = re.sub(r"^((?:nas|RDX-01) +磁気ディスク|ssd +SSD) ", r"\1（申告） ", text, flags=re.M)
    text = text.replace("○ 2/2 ", "△ 1/2 ")
    return re.sub(r"^(  emr, documents, )(1 オフライン)", r"\1 2 種類: …\n\1\2", text, flags=re.M)

def nights(known):
    """twelve nights, the disk brought once"""
    sh = person()
    for n in range(12):
        at(sh, "%d days 02:00" % n)
        need("bkp run --all --quiet")
        if n == 2:
            at(None, "%d days 09:00" % n)
            need("mount /mnt/rdx && bkp rotate --operator 山田 && umount /mnt/rdx && bkp medium move RDX-01 --operator 山田")
    at(sh, "11 days 10:00")
    screens(sh)
    take(known, JA + "status.md", "× 不適合", lambda b: typed(sh, b, instead="# bkp status\n" + unborne(b.text), exits=[("bkp status", 1)]))
    take(known, JA + "rotation.md", "# bkp rotate", lambda b: plugged(lambda: typed(sh, b, instead=re.sub(r"/dev/sdb1( \(.*?\))?", "…", b.text))))
    take(known, JA + "rotation.md", "# mount", sh=sh)
    sh.close()

LOOP = [""]

def unplug():
    """at the moment when it is asked for; nothing is typed"""
    need("losetup -d " + LOOP[0])

def plugged(f):
    """the disk as one that is plugged in and mounted nowhere: its files on an ext4 with its UUID, on a loop device"""
    image, point, disk = WORK + "/rdx.img", WORK + "/rdx.d", DISKS + "/rdx"
    need("truncate -s 200M %s && mkfs.ext4 -q -U %s %s && mkdir -p %s && /bin/mount -o loop %s %s && cp -a %s/. %s && umount %s" %
         (image, DISK_UUID, image, point, image, point, disk, point, point))
    LOOP[0] = need("l=$(losetup -f --show %s) && blockdev --setrw $l && echo $l" % image).strip()
    f()
    need("losetup -d %s 2>/dev/null; /bin/mount -o loop %s %s && chattr -R -f -i %s %s; rm -rf %s/bkp && cp -a %s/bkp %s/ && umount %s && rm %s" %
         (LOOP[0], image, point, point, disk, disk, point, disk, point, image))

def nightly(known):
    doc, sh = JA + "nightly.md", person()
    take(known, doc, "schedule:", policy(fragment="site.yaml", name="nightly.yaml"))
    need("cp %s/nightly.yaml /etc/bkp/policy.yaml" % WORK)
    take(known, doc, "bkp schedule install", sh=sh)
    if "Subject: =?UTF-8?B?" not in read(WORK + "/sent"):
        fault(known[(doc, "schedule:")], "the mail has no subject")
    take(known, doc, "30 8", cron(codes=(0, 1)))
    take(known, doc, "成功 7/8", lambda b: typed(sh, b, instead="# touch %s/no-dump; bkp run --all\n%s" % (WORK, b.text.replace("検査DB", "電子カルテ")), exits=[("bkp run", 1)]))
    need("rm %s/no-dump" % WORK)
    sh.close()

def suspect(known):
    sh = person()
    need("cd /srv/documents && for f in *; do head -c 200000 /dev/urandom >$f.locked && rm $f; done")
    need("bkp run --all --quiet", 1)
    g = need("bkp generations --json | python3 -c 'import json, sys; print(*[\"%s@%d\" % (g[\"dataset\"], g[\"generation\"]) for g in json.load(sys.stdin)[\"generations\"] if g[\"suspect\"]])'").strip()
    screen = take(known, JA + "suspect.md", "bkp guard show", sh=sh, exits=[("bkp guard show", 1)])
    if "bkp accept %s --operator 担当者名" % g not in re.sub(r"\s+", " ", screen) or "個のファイル" not in screen or "オフライン媒体をつながない" not in screen:
        fault(known[(JA + "suspect.md", "bkp guard show")], "it does not say what the document says:\n" + indent(screen))
    take(known, JA + "suspect.md", "bkp accept", sh=sh, subs=[("世代", g), ("自分の名前", "山田")])
    take(known, JA + "suspect.md", "bkp announce", sh=sh, subs=[("自分の名前", "山田"), ("2026-11-30", soon())])
    sh.close()

def restore(known):
    doc, sh = JA + "restore.md", person()
    take(known, doc, "# mkdir", sh=sh, subs=[("RW…", SUBS["ROOT"])])
    take(known, doc, "# bkp-restore --medium /mnt/m/bkp --root-key $KEY generations\n", sh=sh)
    write(DISKS + "/key/bad.txt", "# a list\n%s  evil.exe\n" % ("0123456789abcdef" * 4))
    take(known, doc, "# bkp-restore --medium /mnt/m/bkp --root-key $KEY generations --timeline", sh=sh)
    take(known, doc, "# bkp-restore --medium /mnt/m/bkp --root-key $KEY --identity", sh=sh)
    for begins in ("# bkp-restore", "# printf"):
        screen = take(known, JA + "looking.md", begins, sh=sh)
        if "srv/documents/紹介状.txt" not in screen:
            fault(known[(JA + "looking.md", begins)], "it does not find the letter:\n" + indent(screen))
    screen = take(known, JA + "view.md", "# bkp-restore", sh=sh)
    if "pages/index.html" not in screen or "消去しました" not in screen:
        fault(known[(JA + "view.md", "# bkp-restore")], "it does not show the charts and erase them:\n" + indent(screen))
    take(known, doc, "# cd $REPO", sh=sh)
    need("diff -r /srv/back /srv/rescued && diff -r %s/documents.was /srv/back/documents/srv/documents" % WORK)
    doc = JA + "drill.md"
    take(known, doc, "# P=", sh=sh)
    take(known, doc, "# bkp-restore", sh=sh)
    def answers(b):
        write("/srv/answers.yaml", b.text)
        typed(sh, b, instead="# bkp-restore --medium /mnt/m/bkp --root-key $KEY --identity /mnt/key/identity.age drill $P --to /srv/d2 --attest /srv/answers.yaml\n")
    take(known, doc, "by:", answers)
    # with a list of keys in which one signature is another's, the tools are not believed
    status, screen = sh.type("cp $REPO/keys.jsonl $D/; sed -i '3s/\"time\":\"2/\"time\":\"1/' $D/keys.jsonl; REPO=$D; keys 2>/dev/null | wc -l")
    if screen.strip() != "3":
        fault(known[(JA + "restore.md", "# mkdir")], "a forged link of the chain of keys is followed: " + screen)
    sh.type("cd /; umount /mnt/m")
    sh.close()

def readme_txt(known):
    """the README.txt of a medium, both halves, in plain shells with plain tools, from a medium that is mounted noexec"""
    global ran
    text = read(DISKS + "/rdx/bkp/README.txt")
    halves = text[:text.index("\nThis disk holds")], text[text.index("\nThis disk holds"):]
    lines = [re.sub(r"\\\n *", "", h) for h in halves]
    lines = [[l[5:] for l in h.split("\n") if l.startswith("   $ ")] for h in lines]
    b = Block("README.txt", 1, "")
    if len(lines[0]) < 18 or lines[0] != lines[1]:
        fault(b, "its commands cannot be found, or differ between the languages")
    by_hand = [l for l in lines[0] if "bkp-restore" not in l and "/procedures" not in l]
    if len(by_hand) != 17:
        fault(b, "from the shelf to a file by stock tools it takes %d commands, not 17" % len(by_hand))
    tools = WORK + "/plain"  # nothing but busybox and the tools that README.txt names
    os.makedirs(tools)
    for applet in subprocess.check_output(["busybox", "--list"], text=True).split():
        os.symlink("/bin/busybox", tools + "/" + applet)
    for t in "openssl", "minisign", "python3", "age", "lz4", "zstd":
        if os.path.lexists(tools + "/" + t):
            os.unlink(tools + "/" + t)
        os.symlink("/usr/bin/" + t, tools + "/" + t)
    os.unlink(tools + "/mount")
    os.symlink(WORK + "/shim/mount", tools + "/mount")
    os.symlink("/bin/bash", tools + "/bash")
    for shell, path, options in ((("dash",), None, "noexec"), (("/bin/busybox", "sh"), tools, "noexec"), (("bash",), None, "exec")):
        need("rm -rf /srv/restored /srv/rescued /srv/drill /mnt/medium; mkdir -p /srv/restored; mkdir -p %s/home; cp /mnt/key/identity.age %s/disks/key/id.txt" % (WORK, WORK))
        env = {**ENV, "MOUNT_EXTRA": options, **({"PATH": path} if path else {})}
        sh = Shell(shell, env)
        again = [l.replace("S=emr", "S=documents") for l in lines[0] if re.search(r"S=emr|\$S|\$B", l)]  # "then let S be the next name"
        for l in lines[0] + again:
            where = Block("README.txt by %s" % " ".join(shell), text.count("\n", 0, text.find(l[:20])) + 1, "")
            status, screen = sh.type(l)
            ran += 1
            if status:
                fault(where, "exit %d: %s\n%s" % (status, l, indent(screen)))
        sh.type("cd /; umount /mnt/medium")
        sh.close()
        need("diff -r -x '*.use-*.json' /srv/restored /srv/rescued && diff -r %s/documents.was /srv/restored/documents/srv/documents && test -s /srv/drill/drill.json" % WORK)
    need("rm -rf /srv/restored /srv/rescued /srv/drill")

def audit(known):
    doc = JA + "audit.md"
    need("mount /mnt/rdx")
    repo = glob.glob("/mnt/rdx/bkp/*-*-*-*-*")[0]
    sh = person()
    subs = [("^REPO=[^ ]*", "REPO=" + repo), ("^ROOT=[^ ]*", "ROOT=" + SUBS["ROOT"]), ("^S=[^ ]* G=[^ ]*", "S=documents G=2"), ("^OTHER=[^ ]*", "OTHER=$(echo /mnt/nas/bkp/*-*/journal/000001.jsonl)"), ("^N=[^ ]* H=[^ ]*", "N=5 H=$(sed -n 5p $J | tr -d '\\n' | sha256sum | cut -c-8)")]
    good = "".join(take(known, doc, b, sh=sh, subs=subs) for b in ("REPO=", "key=", "grep '\"event\":\"epoch\"'", "OTHER=", "cd \"$REPO", "N=", "grep '\"event\":\"counter", "n=$(wc"))
    if good.count("○") != 7 or "×" in good:
        fault(known[(doc, "key=")], "what is whole is not found good:\n" + indent(good))
    sh.close()

def manual(known):
    """the examples of the man pages, at the same site"""
    sh = person()
    P = "docs/man/bkp-"
    names = [("Yamada|Sato", "山田")]
    repo = os.path.basename(glob.glob("/mnt/rdx/bkp/*-*-*-*-*")[0])
    sh.type("mkdir -p /home/it/man && cd /home/it/man && cp /mnt/key/identity.age recovery.txt && cp /etc/bkp/policy.yaml new.yaml")
    take(known, P + "announce.8", "# bkp announce", sh=sh, subs=names + [("2026-11-30", soon())])
    take(known, P + "check.8", "$ bkp --policy", sh=sh)
    take(known, P + "drill.1", "# bkp-restore", sh=sh, subs=names + [("/mnt/rdx", "/mnt/rdx/bkp"), (r"RW\.\.\.", SUBS["ROOT"]), ("emr-postgresql", "emr")])
    take(known, P + "explain.8", "$ bkp explain", sh=sh)
    take(known, P + "finding.8", "# bkp finding", sh=sh, subs=names)
    take(known, P + "expire.8", "# bkp expire --dry-run", sh=sh)
    take(known, P + "expire.8", "# bkp expire --medium", sh=sh, subs=names)
    take(known, P + "generations.8", "$ bkp generations 42", lambda b: typed(sh, b, instead="\n".join(b.text.replace("bkp generations 42", "bkp --lang en generations 13").split("\n")[:2]) + "\n"))
    take(known, P + "guard.8", "# bkp guard canary", sh=sh, exits=[("canary add", 1)])  # there are no 20 files
    take(known, P + "journal.8", "$ bkp journal verify --root-key", sh=sh, subs=[(r"RW\.\.\.", SUBS["ROOT"]), (r"/mnt/usb/1f28\.\.\.", "/mnt/rdx/bkp/" + repo)])
    take(known, P + "journal.8", "$ bkp journal verify --against", sh=sh, subs=[("/mnt/usb", "/mnt/rdx/bkp")])
    take(known, P + "journal.8", "$ bkp --lang", sh=sh)
    take(known, P + "journal.8", "# bkp journal head", sh=sh)
    sh.type("minisign -G -W -f -p witness.pub -s witness.key && minisign -S -s witness.key -m head")
    take(known, P + "journal.8", "# bkp journal countersign", sh=sh, subs=[('--operator "Sato Hanako"', '--by 監査 --public-key witness.pub --operator 山田')])
    take(known, P + "journal.8", "$ bkp journal find", sh=sh, subs=[("4f0c21d9 --record 1234", "$(head -n 1 /var/lib/bkp/journal/000001.jsonl | tr -d '\\n' | sha256sum | cut -c-8) --record 1")])
    take(known, P + "journal.8", "# bkp journal repair", sh=sh, subs=[("Sato Hanako", "山田")])
    take(known, P + "notify.8", "notify:\n  command: |\n    {", notify)
    take(known, P + "notify.8", "notify:\n  command: |\n    curl", notify)
    take(known, P + "policy.5", "site:", policy())
    take(known, P + "policy.5", "    command: |", policy(dataset="x"))
    take(known, P + "policy.5", "  - name: share", policy(dataset="x"))
    take(known, P + "procedure.5", "# Recovery", procedure_file)
    subs = [("/mnt/usb", "/mnt/rdx/bkp"), (r"RW\.\.\.", SUBS["ROOT"]), (r"\b42\b", "13"), (r" \.\.\. ", " --medium /mnt/rdx/bkp --root-key %s --identity recovery.txt " % SUBS["ROOT"])]
    sh.type("rm -rf /srv/back")
    take(known, "docs/man/bkp-restore.1", "$ bkp-restore --medium", sh=sh, subs=subs)
    take(known, "docs/man/bkp-restore.1", "$ bkp-restore ... cat", sh=sh, subs=subs)
    sh.type("rm -rf /srv/back")
    take(known, "docs/man/bkp-restore.1", "# bkp-restore ... extract", sh=sh, subs=subs)
    sh.type("umount /mnt/rdx")
    for begin in "# bkp verify", "# mount", "# bkp repair":
        take(known, P + "repair.8", begin, sh=sh)
    sh.type("umount /mnt/rdx")
    plugged(lambda: take(known, P + "rotate.8", "# bkp rotate\n", sh=sh))
    plugged(lambda: take(known, P + "rotate.8", "# bkp rotate RDX-01", sh=sh, subs=names))
    take(known, P + "rotate.8", "# mount", sh=sh, subs=names)
    take(known, P + "rotate.8", "# umount", sh=sh)
    take(known, P + "rotate.8", "# bkp medium", sh=sh, subs=names)
    sh.type("sed 's|^  - {name: RDX-01.*|  - {name: RDX-01, type: rdx, offline: true}\\n  - {name: RDX-02, type: rdx, offline: true}|' "
            "/etc/bkp/site.yaml >/etc/bkp/pools.yaml; echo 'pools: [{name: w, media: [RDX-01, RDX-02], swap_every: 7d}]' >>/etc/bkp/pools.yaml")
    sh.type("export BKP_POLICY=/etc/bkp/pools.yaml")
    take(known, P + "rotate.8", "# bkp rotate --plan --weeks", sh=sh)
    take(known, P + "rotate.8", "# bkp rotate --plan --calendar", sh=sh)
    sh.type("unset BKP_POLICY")
    take(known, P + "run.8", "# bkp schedule", sh=sh)
    take(known, P + "run.8", "# bkp run --dry-run", sh=sh)
    take(known, P + "run.8", "# bkp run emr", sh=sh)
    take(known, P + "run.8", "0 22", cron())
    sh.type("bkp schedule remove --kind cron; sed 's|^site:|state: /var/lib/second\\n&|' /etc/bkp/site.yaml >/etc/bkp/second.yaml")
    sh.type("export BKP_POLICY=/etc/bkp/second.yaml")
    sh.type("mkdir -p /home/it/init && cd /home/it/init")
    key = re.search("age1[0-9a-z]{50,}", take(known, P + "init.8", "$ age-keygen", sh=sh)).group()
    take(known, P + "init.8", "# bkp init", sh=sh, subs=[(r"age1\.\.\. --recipient age1\.\.\.", "%s --recipient %s" % (key, SUBS["B"])), ("/mnt/key/", "/mnt/usb/")])
    sh.type("unset BKP_POLICY")
    take(known, P + "schedule.8", "# bkp schedule install", sh=sh)
    take(known, P + "schedule.8", "# bkp schedule show", sh=sh)
    take(known, P + "schedule.8", "# bkp --policy", sh=sh)
    sh.type("mkdir -p /var/lib/prometheus/node-exporter")
    sh.type("mkdir -p /var/lib/bkp-page")
    take(known, P + "status.8", "*/10", cron(codes=(0, 1, 2)))
    take(known, P + "status.8", "5 *", cron(codes=(0, 1, 2)))
    sh.close()

def tutorial(known):
    CLOCK[0] = "0"
    sh = Shell(env=ENV)
    sh.type("umask 022; cd " + SRC)
    for begin in TUTORIAL:
        take(known, "docs/tutorial.md", begin, sh=sh, exits=[("bkp status", 1), ("bkp run --all --quiet", 1)])
    sh.close()
    b = known[("README.md", "apt-get install")]
    have = set(re.sub(r"\\\n", " ", b.text.split("\ncmake")[0]).split()[2:])
    want = set(re.search(r'BKP_BUILD_PACKAGES="([^"]*)"', read(SRC + "/tests/lib/packages.sh")).group(1).split())
    if have != want:
        fault(b, "not the packages of tests/lib/packages.sh: %s" % " ".join(sorted(have ^ want)))

def main():
    blocks = [b for d in ["README.md", "docs/tutorial.md"] + sorted(os.path.relpath(f, SRC) for f in glob.glob(SRC + "/docs/ja/*.md")) for b in fenced(d)]
    blocks += [b for f in sorted(glob.glob(SRC + "/docs/man/*.[1-8]")) for b in examples(os.path.relpath(f, SRC))]
    known = {}
    for b in blocks:
        rows = [k for k in PLAN if k[0] == b.doc and b.text.startswith(k[1])]
        if len(rows) == 1 and rows[0] not in known:
            known[rows[0]] = b
        else:
            fault(b, "no test runs this block, or two do: " + b.text.split("\n")[0])
    for k in PLAN:
        if k not in known:
            fault(Block(k[0], 0, ""), "has no block that begins with '%s'" % k[1])
    only = sys.argv[3:]
    for part in (first_night, nights, restore, readme_txt, nightly, suspect, audit, manual, tutorial):
        if not faults or only != ["--stop"]:
            begun = time.time()
            try:
                part(known)
            except (OSError, AttributeError, IndexError, KeyError, SystemExit) as e:
                fault(Block(part.__name__, 0, ""), "cannot go on: %r" % e)
            print("%s: %.1f s" % (part.__name__, time.time() - begun), file=sys.stderr)
    for k, b in known.items():
        if PLAN[k] is None and k not in DONE:
            fault(b, "was not run")
    if faults:
        sys.exit("%d faults in the documents' blocks" % len(faults))
    why = ["%s: %s" % (known[k].where, r) for k, r in PLAN.items() if r]
    print("proved: %d commands of %d blocks in %d documents work as they stand, and the screens are as the documents show them" % (
        ran, len(blocks) - len(why), len({b.doc for b in blocks})))
    for w in why:
        print("proved: not run: " + w)

main()
