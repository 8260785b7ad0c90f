#!/usr/bin/env python3
"""A ransomware simulator: makes the files below DIR what ransomware makes them.  Only ever run on trees made for tests.
  ransom.py in-place DIR [--keep-times]    each file encrypted where it is
  ransom.py locked DIR                     encrypted and renamed: report.pdf.locked
  ransom.py replace DIR                    a new file of a random name is written, the old one deleted
  ransom.py rename DIR                     renamed only: report.pdf.locked
  ransom.py header DIR                     encrypted in place but for the first 4 KiB of each file, which stay
  ransom.py text DIR                       overwritten with plausible text of the same length
  ransom.py wipe DIR                       each file cut to nothing
  ransom.py delete DIR                     each file deleted
  --percent P                              of the files that are not encrypted yet
"Encrypted" is random bytes, which nothing can tell from it.  The folder must hold a file MADE-FOR-TESTS.  Prints how many files."""
import argparse, os, random, sys

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("how", choices=["in-place", "locked", "replace", "rename", "header", "text", "wipe", "delete"])
p.add_argument("dir")
p.add_argument("--keep-times", action="store_true")
p.add_argument("--percent", type=float, default=100)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()
if not os.path.exists(os.path.join(a.dir, "MADE-FOR-TESTS")):
    sys.exit("ransom.py: %s does not hold MADE-FOR-TESTS: refused" % a.dir)
rnd = random.Random(a.seed)
done_list = os.path.join(os.path.dirname(a.dir.rstrip("/")), "encrypted.txt")  # what a slow one did before
done = set(open(done_list).read().split("\n")) if os.path.exists(done_list) else set()
names = sorted(os.path.join(d, f) for d, _, fs in os.walk(a.dir) for f in fs if f != "MADE-FOR-TESTS")
names = [n for n in names if n not in done]
chosen = names if a.percent >= 100 else rnd.sample(names, min(len(names), max(1, round((len(names) + len(done)) * a.percent / 100))))
for name in chosen:
    st = os.stat(name)
    to = name
    if a.how == "delete":
        os.remove(name)
        continue
    if a.how == "rename":
        to = name + ".locked"
        os.rename(name, to)
    elif a.how == "replace":
        to = os.path.join(os.path.dirname(name), "%x" % rnd.getrandbits(80))
        open(to, "wb").write(rnd.randbytes(st.st_size + 512))
        os.remove(name)
    else:
        with open(name, "r+b") as f:
            if a.how == "header":
                f.seek(4096)
                f.write(rnd.randbytes(max(0, st.st_size - 4096)))
            elif a.how == "text":
                f.write((b"The patient is well, no complaints, see again in two weeks. " * (st.st_size // 60 + 1))[:st.st_size])
            elif a.how != "wipe":
                f.write(rnd.randbytes(st.st_size))
            if a.how == "wipe":
                f.truncate(0)
        if a.keep_times:
            os.utime(name, ns=(st.st_atime_ns, st.st_mtime_ns))
        if a.how == "locked":
            to = name + ".locked"
            os.rename(name, to)
    done.add(to)
open(done_list, "w").write("\n".join(sorted(done)))
print(len(chosen))
