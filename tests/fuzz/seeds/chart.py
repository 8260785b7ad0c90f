"""Seeds for fuzz_chart: messages and DICOM heads as exports have them."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import charts
import clinical

out = sys.argv[1]
for kind, event in charts.KINDS:
    text = "\r".join(charts.header(1, event, "1", "20261120") + charts.body(random.Random(1), kind)) + "\r"
    for codec in ("iso2022_jp", "cp932", "euc_jp", "utf-8"):
        with open("%s/%s-%s" % (out, kind, codec), "wb") as f:
            f.write(text.encode(codec))
explicit = clinical.instance(random.Random(1), "20261120", "P1", "Yamada^Tarou=山田^太郎", "1.2.3", "1.2.3.4", 1, 4)
with open(out + "/explicit.dcm", "wb") as f:
    f.write(explicit)
with open(out + "/implicit.dcm", "wb") as f:
    f.write(explicit[:132] + clinical.element(2, 0x10, "UI", "1.2.840.10008.1.2") + b"\x08\0\x05\0\x0a\0\0\0ISO_IR 192\x10\0\x10\0\x04\0\0\0A^B ")
