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
"Encrypted" is random bytes, which nothing can tell from it.  The folder must hold a file MADE-FOR-TESTS.  Prints how many files.  What is
done is tests/bench/guard/attacks.py; a file gets the time of the newest one, so that it is harmed on the simulated day."""
import argparse, os, random, sys, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "guard"))
import attacks  # noqa: E402

HOW = {
    "in-place": {},
    "locked": {"rename": "locked"},
    "replace": {"how": "replace"},
    "rename": {"how": None, "rename": "locked"},
    "header": {"how": attacks.behind(4096)},
    "text": {"how": attacks.one_sentence},
    "wipe": {"how": attacks.emptied},
    "delete": {"how": "delete"},
}
p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("how", choices=HOW)
p.add_argument("dir")
p.add_argument("--keep-times", action="store_true")
p.add_argument("--percent", type=float, default=100)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()
harm = attacks.Harm(attacks.Attack(a.how, keep_times=a.keep_times, **HOW[a.how]), a.dir, a.seed)
done_list = os.path.join(os.path.dirname(a.dir.rstrip("/")), "encrypted.txt")  # what a slow one did before
if os.path.exists(done_list):
    with open(done_list, errors="surrogateescape") as f:
        harm.done = set(f.read().split("\n"))
names = attacks.tree(a.dir)
newest = max([time.time()] + [os.stat(n).st_mtime for n in names])
left = [n for n in names if n not in harm.done]
rnd = random.Random(a.seed)
chosen = left if a.percent >= 100 else rnd.sample(left, min(len(left), max(1, round((len(left) + len(harm.done)) * a.percent / 100))))
for name in chosen:
    harm.harm(name, rnd, newest)
with open(done_list, "w", errors="surrogateescape") as f:
    f.write("\n".join(sorted(harm.done)))
print(len(chosen))
