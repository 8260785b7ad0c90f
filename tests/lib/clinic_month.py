#!/usr/bin/env python3
"""A month of ordinary work in a clinic, the same for the same seed.
  clinic_month.py make DIR --seed N         the tree as it is in the beginning: some 2,100 files
  clinic_month.py day DIR NIGHT --seed N    what is done on one day (NIGHT from 1; days 6 and 7 of a week are quiet)
The clinic is that of tests/bench/guard/clinic.py.  Beside DIR it keeps clinic.json and clinic.pool."""
import argparse, os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "guard"))
from clinic import Clinic  # noqa: E402

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("what", choices=["make", "day"])
p.add_argument("dir")
p.add_argument("night", nargs="?", type=int, default=0)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()
clinic = Clinic(a.dir, a.seed)
if a.what == "make":
    clinic.make()
else:
    clinic.day(a.night)
