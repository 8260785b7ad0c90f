"""Made-up charts to be read while systems are down.  No person in them exists.

  charts.py ssmix2 DIR PATIENTS DAYS   an SS-MIX2 storage: basic data, and each day four messages of a patient (ISO-2022-JP, as MSH-18 says)
  charts.py html DIR N                 an export for a browser: a folder a patient, a page a day, an index.html, names of files in CP932 too
  charts.py hostile DIR                what nobody should write into a chart, and files that are no charts at all
"""
import os
import random
import sys

from clinical import FAMILY, GIVEN, element, instance, write

KANA = dict(zip(FAMILY + GIVEN, ("サトウ スズキ タカハシ タナカ イトウ ワタナベ ヤマモト ナカムラ コバヤシ カトウ "
                                 "タロウ ハナコ イチロウ ミサキ ケン ヨウコ ショウ サクラ マコト アオイ").split()))
KINDS = [("ADT-12", "ADT^A04^ADT_A01"), ("OMP-01", "RDE^O11^RDE_O11"), ("OML-11", "ORU^R01^ORU_R01"), ("PPR-01", "PPR^ZD1^PPR_ZD1")]
ITEMS = [("2A030000001930101", "ヘモグロビン", "g/dL", 8, 17), ("3C015000002327101", "カリウム", "mmol/L", 3, 6), ("5C070000002306201", "CRP", "mg/dL", 0, 12)]


def number(i):
    return "%010d" % (1234567 * (i + 1))


def person(i):
    rnd = random.Random(i)
    return rnd.choice(FAMILY), rnd.choice(GIVEN), "%d%02d%02d" % (rnd.randrange(1930, 2020), rnd.randrange(1, 13), rnd.randrange(1, 29)), rnd.choice("MF")


def header(i, event, order, day):
    family, given, born, sex = person(i)
    return ["MSH|^~\\&|HIS|SAKURA|GW|SAKURA|%s093000||%s|%s|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20" % (day, event, order),
            "PID|0001||%s^^^^PI||%s^%s^^^^^L^I~%s^%s^^^^^L^P||%s|%s|||^^^^100-0001^JPN^H^東京都千代田区%d番地||^PRN^PH^^^^^^^^^03-0000-0000"
            % (number(i), family, given, KANA[family], KANA[given], born, sex, i)]


def body(rnd, kind):
    if kind == "OMP-01":
        return ["ORC|NW|1", "RXE||103835401^ムコダイン錠２５０ｍｇ^HOT|1||TAB^錠^MR9P||01^１回目から服用^JHSP0003|||9|TAB^錠^MR9P",
                "TQ1|||1013044400000000&内服・経口・１日３回朝昼夕食後&JAMISDP01|||3^日分&日&ISO+|20261120", "RXR|PO^口^HL70162"]
    if kind == "OML-11":
        return ["OBR|1|||E001^生化学検査^99001"] + ["OBX|%d|NM|%s^%s^JC10||%.1f|%s|%s-%s|%s|||F" % (
            k + 1, code, name, rnd.uniform(low, high), unit, low, high, rnd.choice("NNH")) for k, (code, name, unit, low, high) in enumerate(ITEMS)]
    if kind == "PPR-01":
        return ["PRB|AD|20261120|%s^%s^MDCDX2" % rnd.choice([("20062391", "高血圧症"), ("20054214", "２型糖尿病"), ("20069512", "気管支喘息")])]
    return ["PV1|0001|O|01^^^^^C||||110^医師^%s" % rnd.choice(GIVEN)]


def ssmix2(root, patients, days):
    for i in range(patients):
        rnd = random.Random("s%d" % i)
        base = "%s/%s/%s/%s" % (root, number(i)[:3], number(i)[3:6], number(i))
        todo = [("-", "ADT-00", "ADT^A08^ADT_A01")] + [("202611%02d" % (d + 1), k, e) for d in range(days) for k, e in KINDS]
        for n, (day, kind, event) in enumerate(todo):
            stamp = day if day != "-" else "20261101"
            lines = header(i, event, "%015d" % n, stamp) + (["AL1|1|DA^薬剤^HL70127|1^ペニシリン"] if day == "-" and i % 3 == 0 else []) + body(rnd, kind)
            leaf = "%s_%s_%s_%015d_%s093000000_01_1" % (number(i), day, kind, n, stamp)
            write("%s/%s/%s/%s" % (base, day, kind, leaf), ("\r".join(lines) + "\r").encode("iso2022_jp"))


def html(root, n):
    for k in range(n):
        i, day = k // 10, "202611%02d" % (k % 10 + 1)
        family, given, born, _ = person(i)
        name = b"%s_%s.html" % (day.encode(), "経過記録".encode("cp932" if k % 50 == 7 else "utf-8"))
        write(os.fsencode("%s/%s/" % (root, number(i))) + name, (
            "<!DOCTYPE html><html lang=ja><meta charset=utf-8><title>%s %s</title><h1>%s %s（%s 生）</h1><p>%s 経過良好。" % (
                family, given, family, given, born, day) + "処方継続。" * random.Random(k).randrange(50, 400)).encode())
    write("%s/index.html" % root, "<!DOCTYPE html><meta charset=utf-8><title>目次</title><h1>書き出しの目次</h1>".encode())


def hostile(root):
    evil = "<script>alert(1)</script>\"'&\u202eevil"
    ids = ["66600066%02d" % k for k in range(12)]
    msh = "MSH|^~\\&|A|B|C|D|20261120||ADT^A08|1|P|2.5"
    pid = "PID|1||%s||" + evil + "^<img src=x onerror=alert(2)>^^^^^L^I~\x1b]0;title\x07^^^^^^^P||<b>|"
    texts = [
        (msh + "\r" + pid % ids[0] + "\r").encode(),
        b"MSH|^~\\&" + b"|" * 300000,
        b"MSH\\\\\\\\\\\\\\\\",
        b"MSH|" + b"\x1b$B" + b"0!" * 5000,
        (msh + "\r" + pid % ids[4] + "\r").encode() + b"OBX|1|TX|" + b"a^" * 200000 + b"\r",
        (msh + "\r" + "X\r" * 50000).encode(),
        b"",
        b"no message at all \x00\xff",
        msh.encode() + b"\rPID|1||\xff\xfe^\x80||\x81\xff\xfc^\x8f\x1b$(D~~~\r",
        (msh + "\rPID|1||x||\\F\\\\S\\\\T\\\\R\\\\E\\\\.br\\\\X41\\^\\H\\bold\\N\\\r").encode(),
        b"MSH|^~\\&\x1b$B\r\nPID",
        (msh + "\rPID|1||" + "9" * 3000 + "||" + "名" * 3000 + "\r").encode(),
    ]
    for who, data in zip(ids, texts):
        write("%s/ss/%s/%s/%s/-/ADT-00/%s_-_ADT-00_9_20261120_01_1" % (root, who[:3], who[3:6], who, who), data)
    write("%s/ss/666/000/6660006600/20261120/%s/6660006600_x_1" % (root, "<b>kind"), texts[0])
    os.symlink("/etc/passwd", "%s/ss/666/000/6660006600/-/ADT-00/6660006600_link_1" % root)
    os.symlink("/etc", "%s/link.html" % root)
    os.mkfifo("%s/fifo.html" % root)
    for name in [b"<script>alert(1)</script>.html", b"a\"b'c&d.pdf", b"line\nend.txt", b"\x1b[31mred.html", b"\xff\xfe\x80.html", "\u202egpj.html".encode(),
                 b"%2e%2e%2f#?x.html", "".join(map(chr, range(1, 32))).encode() + b".html"]:
        write(os.fsencode(root) + b"/docs/" + name, b"<script>fetch('http://192.0.2.1/')</script><h1>read me</h1>")
    rnd = random.Random(1)
    good = instance(rnd, "20261120", "P1", evil + "^x=\u5c71\u7530^\u592a\u90ce", "1.2.3", "1.2.3.4", 1)
    write("%s/dicom/good" % root, good)
    for k in range(60):
        broken = bytearray(good[:rnd.randrange(132, len(good))])
        for _ in range(k):
            broken[rnd.randrange(132, len(broken))] = rnd.randrange(256)
        write("%s/dicom/%d.dcm" % (root, k), bytes(broken))
    deep = good[:132] + element(2, 0x10, "UI", "1.2.840.10008.1.2") + b"\x08\0\x40\x11\xff\xff\xff\xff" * 5000
    write("%s/dicom/deep" % root, deep)
    path = root + "/deep"
    for _ in range(80):
        path += "/d"
    write(path + "/x.html", b"x")


def main():
    what, root, rest = sys.argv[1], sys.argv[2], [int(x) for x in sys.argv[3:]]
    {"ssmix2": ssmix2, "html": html, "hostile": hostile}[what](root, *rest)


if __name__ == "__main__":
    main()
