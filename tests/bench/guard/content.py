"""Made-up contents of a clinic's files, each as valid as the real ones are: a guard that looks inside finds what it would find.

Everything is made from a Pool: pieces that took long to make (entropy-coded pictures, pixels, sentences) are made once, and each file takes
other ones of them.  Maker(pool, rnd).KIND(size) gives bytes; the sizes are about what is asked for.  Nothing here is of a person."""
import array, base64, binascii, gzip, os, pickle, random, re, sqlite3, struct, zlib

from pictures import AC_BITS, AC_VALUES, DC_BITS, DC_VALUES, PIXEL_WIDTH, QUANT, picture_groups, pixel_rows, segment

SURNAMES = (
    "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 阿部 石川 "
    "山下 中島 石井 小川 前田 岡田 長谷川 藤田 後藤 近藤 村上 遠藤 青木 坂本"
).split()
GIVEN = "太郎 花子 一郎 美咲 健太 陽子 誠 由美子 大輔 恵子 翔 さくら 勇 和子 直樹 愛 浩二 久美子 拓也 真由美 茂 節子 進 幸子".split()
KANA = "サトウ スズキ タカハシ タナカ イトウ ワタナベ ヤマモト ナカムラ コバヤシ カトウ ヨシダ ヤマダ ササキ ヤマグチ マツモト イノウエ".split()
NOUNS = (
    "血圧 体温 脈拍 処方 検査 所見 経過 再診 会計 受付 頭痛 咳嗽 発熱 腹痛 胸部X線 心電図 採血 尿検査 糖尿病 高血圧症 脂質異常症 気管支喘息 胃炎 "
    "腰痛症 骨粗鬆症 紹介状 同意書 説明 家族 食事 運動 睡眠 服薬 副作用 アレルギー 既往歴 手術 入院 退院 リハビリ 創部 ガーゼ交換 超音波検査 "
    "内視鏡 眼底検査 予防接種 健康診断 診断書 保険証 限度額認定証 介護保険 訪問看護 往診 連携室 当直 申し送り 在庫 発注 勤務表 研修 委員会 "
    "感染対策 医療安全 議事録 マニュアル 停電 点検 契約 見積 請求 領収書"
).split()
VERBS = (
    "良好である 改善した 変化なし 悪化を認める 説明した 同意を得た 指示した 確認した 依頼した 継続とする 中止した 増量した 減量した 記録した "
    "提出した 予定である 認めない 疑われる 必要である 検討する 共有した 報告した 変更となった 実施した 完了した"
).split()
LINKS = "は が を に ついて のため により とともに および ならびに その後 本日 昨日 来週 次回 前回 念のため".split()
ENGLISH = (
    "patient report normal follow review system error update value date room order result note plan service request file user login "
    "session timeout connect close open write read table index query server client start stop job queue print"
).split()
DRUGS = (
    "アムロジピン錠5mg ロキソプロフェン錠60mg メトホルミン錠250mg アトルバスタチン錠10mg ランソプラゾール錠15mg アセトアミノフェン錠200mg "
    "モンテルカスト錠10mg レボフロキサシン錠500mg プレドニゾロン錠5mg フロセミド錠20mg ワルファリン錠1mg カルボシステイン錠500mg"
).split()
LABS = [
    ("WBC", "/uL", 6200, 1800),
    ("RBC", "10^4/uL", 450, 50),
    ("Hb", "g/dL", 13.8, 1.6),
    ("PLT", "10^4/uL", 23, 6),
    ("AST", "U/L", 24, 9),
    ("ALT", "U/L", 22, 12),
    ("g-GTP", "U/L", 31, 22),
    ("BUN", "mg/dL", 14, 4),
    ("Cr", "mg/dL", 0.8, 0.2),
    ("Na", "mEq/L", 140, 3),
    ("K", "mEq/L", 4.2, 0.4),
    ("Cl", "mEq/L", 104, 3),
    ("CRP", "mg/dL", 0.3, 0.5),
    ("HbA1c", "%", 6.1, 0.9),
    ("Glu", "mg/dL", 108, 28),
    ("TG", "mg/dL", 120, 60),
    ("LDL", "mg/dL", 118, 30),
    ("HDL", "mg/dL", 58, 14),
    ("UA", "mg/dL", 5.4, 1.3),
]

def machine_code():
    """Of programs of this computer: what a DLL holds is nothing else."""
    found = b""
    for name in (
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
        "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0",
    ):
        if os.path.exists(name):
            found += open(name, "rb").read(1800000)
    if not found:
        raise SystemExit("no library of this computer can be read, to take machine code from")
    return found


class Pool:
    def __init__(self):
        rnd = random.Random(16)
        self.photos = picture_groups(rnd, 4000, 0, 0)
        self.papers = picture_groups(rnd, 5000, -0.6, 0.3)
        self.rows = pixel_rows(rnd, 6000)
        self.code = machine_code()
        self.sentences = [self.sentence(rnd) for _ in range(4000)]
        self.english = [self.english_line(rnd) for _ in range(1500)]
        self.obx = [self.observation(rnd) for _ in range(4000)]
        self.patients = [self.patient(rnd, i) for i in range(12000)]
        self.pages = [zlib.compress(self.page(rnd).encode(), 6) for _ in range(150)]
        self.bitmap = [zlib.compress(self.screen(rnd), 6) for _ in range(40)]

    @staticmethod
    def load(path):
        """The pool as it was made before, if it was; path is in a folder of the caller's own."""
        if os.path.exists(path):
            with open(path, "rb") as f:
                return pickle.load(f)
        pool = Pool()
        with open(path + ".part", "wb") as f:
            pickle.dump(pool, f)
        os.rename(path + ".part", path)
        return pool

    def sentence(self, rnd):
        c = rnd.choice
        parts = [c(NOUNS), c(LINKS), c(NOUNS)] + ([c(LINKS), c(NOUNS)] if rnd.random() < 0.6 else [])
        if rnd.random() < 0.4:
            parts.insert(rnd.randrange(len(parts)), "%d%s" % (rnd.randrange(1, 240), c(["mg", "回", "日", "mmHg", "時", "分", "名", "件"])))
        if rnd.random() < 0.2:
            parts.append(c(DRUGS))
        return "".join(parts) + "、" * (rnd.random() < 0.2) + c(VERBS) + "。"

    def english_line(self, rnd):
        return " ".join(rnd.choices(ENGLISH, k=rnd.randrange(3, 9)))

    def observation(self, rnd):
        name, unit, mean, sd = rnd.choice(LABS)
        v = max(mean * 0.1, rnd.gauss(mean, sd))
        return (name, "%.4g" % v, unit, "%.4g-%.4g" % (mean - 2 * sd, mean + 2 * sd), "N" if abs(v - mean) < 2 * sd else "H")

    def patient(self, rnd, i):
        return (
            "%08d" % (100000 + i * 7),
            rnd.choice(SURNAMES),
            rnd.choice(GIVEN),
            rnd.choice(KANA),
            "%04d-%02d-%02d" % (rnd.randrange(1930, 2024), rnd.randrange(1, 13), rnd.randrange(1, 29)),
            rnd.choice("MF"),
            "%s市%d丁目%d-%d" % (rnd.choice("中央 北 東 南 西 緑 青葉 港".split()), rnd.randrange(1, 9), rnd.randrange(1, 30), rnd.randrange(1, 20)),
        )

    def page(self, rnd):
        out = []
        for i in range(rnd.randrange(15, 55)):
            text = rnd.choice(self.sentences).encode("utf-16-be").hex().upper() if hasattr(self, "sentences") else ""
            out.append("BT /F%d %d Tf %d %d Td <%s> Tj ET" % (rnd.randrange(1, 4), rnd.choice([9, 10, 12]), 56, 780 - 13 * i, text))
        return "\n".join(out)

    def screen(self, rnd):
        """A screenshot's rows, filter byte 0: areas of one colour, and letters."""
        width, rows = 240, []
        colours = [rnd.randbytes(3) for _ in range(6)] + [b"\xff\xff\xff", b"\xf0\xf0\xf0", b"\0\0\0"]
        for _ in range(rnd.randrange(60, 220)):
            row, x = b"\0", 0
            while x < width:
                n = min(width - x, rnd.choice([1, 1, 2, 3, 5, 20, 60]))
                row += rnd.choice(colours) * n
                x += n
            rows += [row] * rnd.choice([1, 1, 2, 6])
        return b"".join(rows)


def zip_of(members, stamp, sealed=None):
    """A ZIP of (name, plain bytes); sealed: by a password, the bytes of whose members are what this function of a length gives."""
    out, central = [], []
    at = 0
    for name, plain in members:
        z = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = z.compress(plain) + z.flush()
        method, flags = (8, 0) if len(data) < len(plain) else (0, 0)
        if method == 0:
            data = plain
        if sealed:
            data, flags = sealed(len(data) + 12), 1
        name = name.encode()
        flags |= 0x800
        fields = struct.pack("<HHHIIIII", 20, flags, method, stamp, binascii.crc32(plain), len(data), len(plain), len(name))
        local = b"PK\x03\x04" + fields + name
        central.append(b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHII", 0, 0, 0, 0, at)[:-4] + struct.pack("<I", at) + name)
        out += [local, data]
        at += len(local) + len(data)
    directory = b"".join(central)
    return b"".join(out) + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(central), len(central), len(directory), at, 0)


class Maker:
    def __init__(self, pool, rnd):
        self.pool, self.rnd = pool, rnd

    def size(self, low, high):
        """Sizes of files are spread over orders of magnitude."""
        return int(low * (high / low) ** self.rnd.random())

    def any_patient(self):
        return self.pool.patients[self.rnd.randrange(3000)]

    def date(self):
        return "%04d%02d%02d%02d%02d%02d" % (
            self.rnd.randrange(2022, 2027),
            self.rnd.randrange(1, 13),
            self.rnd.randrange(1, 29),
            self.rnd.randrange(8, 19),
            self.rnd.randrange(60),
            self.rnd.randrange(60),
        )

    # -- text
    def sentences(self, size):
        out, left = [], size
        while left > 0:
            s = self.rnd.choice(self.pool.sentences)
            out.append(s if self.rnd.random() < 0.8 else s + "(%s)\n" % self.date())
            left -= 3 * len(out[-1])
        return "".join(out)

    def text(self, size, code="utf-8"):
        p = self.any_patient()
        return ("%s %s 様 ID %s %s\r\n%s\r\n" % (p[1], p[2], p[0], self.date(), self.sentences(size))).encode(code, "replace")

    def csv(self, size):
        out = ["患者番号,氏名,カナ,生年月日,性別,検査日,項目,値,単位"]
        left = size
        while left > 0:
            p, o = self.any_patient(), self.rnd.choice(self.pool.obx)
            out.append(",".join((p[0], p[1] + " " + p[2], p[3], p[4], p[5], self.date()[:8], o[0], o[1], o[2])))
            left -= 70
        return ("\r\n".join(out) + "\r\n").encode("cp932", "replace")

    def hl7(self, size, code="iso2022_jp"):
        p, d = self.any_patient(), self.date()
        out = [
            "MSH|^~\\&|LAB|HOSP|EMR|HOSP|%s||ORU^R01^ORU_R01|%s%04d|P|2.5||||||~ISO IR87||ISO 2022-1994"
            % (d, d, self.rnd.randrange(10000)),
            "PID|1||%s^^^^PI||%s^%s^^^^^L^I~%s^^^^^^L^P||%s|%s|||%s" % (p[0], p[1], p[2], p[3], p[4].replace("-", ""), p[5], p[6]),
            "PV1|1|O|%02d^^^^^C||||%05d^%s" % (self.rnd.randrange(1, 20), self.rnd.randrange(10000), self.rnd.choice(SURNAMES)),
            "ORC|RE|%015d||||||||%s" % (self.rnd.randrange(10**12), d),
        ]
        n = max(1, (size - 500) // 75)
        for i, o in enumerate(self.rnd.choices(self.pool.obx, k=n), 1):
            out.append("OBX|%d|NM|%s^%s^JC10||%s|%s|%s|%s|||F|||%s" % (i, o[0], o[0], o[1], o[2], o[3], o[4], d))
        if self.rnd.random() < 0.3:
            out.append("NTE|1||" + self.rnd.choice(self.pool.sentences))
        return ("\r".join(out) + "\r").encode(code, "replace")

    def xml(self, size):
        p = self.any_patient()
        rows = "".join(
            "  <observation code=\"%s\"><value unit=\"%s\">%s</value><range>%s</range><flag>%s</flag></observation>\n"
            % (o[0], o[2], o[1], o[3], o[4])
            for o in self.rnd.choices(self.pool.obx, k=max(1, size // 115))
        )
        return (
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<report date=\"%s\">\n <patient id=\"%s\"><name>%s %s</name><birth>%s</birth></patient>\n"
            "%s <comment>%s</comment>\n</report>\n" % (self.date(), p[0], p[1], p[2], p[4], rows, self.sentences(200))
        ).encode()

    def json(self, size):
        p = self.any_patient()
        rows = ",\n".join(
            "  {\"resourceType\": \"Observation\", \"code\": \"%s\", \"value\": %s, \"unit\": \"%s\", \"interpretation\": \"%s\"}"
            % (o[0], o[1], o[2], o[4])
            for o in self.rnd.choices(self.pool.obx, k=max(1, size // 95))
        )
        return (
            "{\"resourceType\": \"Bundle\", \"timestamp\": \"%s\", \"patient\": \"%s\", \"name\": \"%s %s\",\n \"entry\": [\n%s\n ]}\n"
            % (self.date(), p[0], p[1], p[2], rows)
        ).encode()

    def log(self, size):
        out, left = [], size
        while left > 0:
            d = self.date()
            out.append(
                "2026-%s-%s %s:%s:%s.%03d [%s] %s id=%d"
                % (
                    d[4:6],
                    d[6:8],
                    d[8:10],
                    d[10:12],
                    d[12:14],
                    self.rnd.randrange(1000),
                    self.rnd.choice(["INFO", "INFO", "DEBUG", "WARN", "ERROR"]),
                    self.rnd.choice(self.pool.english),
                    self.rnd.randrange(10**6),
                )
            )
            left -= len(out[-1])
        return ("\n".join(out) + "\n").encode()

    def script(self, size):
        lines, left = ["// version %d.%d" % (self.rnd.randrange(9), self.rnd.randrange(99))], size
        while left > 0:
            w = self.rnd.choices(ENGLISH, k=5)
            lines.append(
                "function %s_%s%d(%s, %s) {\n\treturn %s.%s(%s) + \"%s\";\n}"
                % (w[0], w[1], self.rnd.randrange(99), w[2], w[3], w[2], w[4], w[3], self.rnd.choice(self.pool.english))
            )
            left -= len(lines[-1])
        return "\n".join(lines).encode() + b"\n"

    def config(self, size):
        n = max(3, size // 70)
        return (
            "<configuration>\r\n"
            + "".join(
                "  <add key=\"%s.%s%d\" value=\"%s\" />\r\n"
                % (self.rnd.choice(ENGLISH), self.rnd.choice(ENGLISH), i, self.rnd.choice(self.pool.english))
                for i in range(n)
            )
            + "</configuration>\r\n"
        ).encode()

    # -- pictures
    def jpg(self, size, colour=None, quality=None, exif=True, paper=False):
        rnd = self.rnd
        colour = rnd.random() < 0.4 if colour is None else colour
        groups = self.pool.papers if paper else self.pool.photos
        n = max(1, min(len(groups) - 1, size * len(groups) // sum(map(len, groups[:50])) * 50 // len(groups)))
        at = rnd.randrange(len(groups) - n)
        width, parts = (256, 3) if colour else (768, 1)
        scale = quality or rnd.choice([40, 50, 60])
        out = [b"\xff\xd8", segment(0xE0, b"JFIF\0\1\1\1\0\x96\0\x96\0\0")]
        if exif:
            stamp = self.date()
            tag = b"%s:%s:%s %s:%s:%s\0" % tuple(stamp[a:b].encode() for a, b in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14)))
            out.append(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x32\x01\x02\0\x14\0\0\0\x1a\0\0\0\0\0\0\0" + tag))
        out.append(segment(0xDB, b"\0" + bytes(max(1, min(255, (q * scale + 50) // 100)) for q in QUANT)))
        out.append(segment(0xC0, struct.pack(">BHHB", 8, 8 * n, width, parts) + b"".join(bytes([c, 0x11, 0]) for c in range(1, parts + 1))))
        out.append(segment(0xC4, b"\x00" + bytes(DC_BITS) + DC_VALUES + b"\x10" + bytes(AC_BITS) + AC_VALUES))
        out.append(segment(0xDA, bytes([parts]) + b"".join(bytes([c, 0]) for c in range(1, parts + 1)) + b"\0\x3f\0"))
        return b"".join(out + groups[at : at + n]) + b"\xff\xd9"

    def png(self, size):
        data = self.rnd.choice(self.pool.bitmap)
        rows = len(zlib.decompress(data)) // 721

        def chunk(kind, body):
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", binascii.crc32(kind + body))

        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", 240, rows, 8, 2, 0, 0, 0))
            + chunk(b"tEXt", b"Comment\0" + self.date().encode() + b" %d" % self.rnd.randrange(10**9))
            + chunk(b"IDAT", data)
            + chunk(b"IEND", b"")
        )

    @staticmethod
    def element(group, number, vr, value):
        value += (b"\0" if vr == b"UI" else b" ") * (len(value) % 2)
        if vr in (b"OB", b"OW", b"SQ"):
            return struct.pack("<HH", group, number) + vr + struct.pack("<HI", 0, len(value)) + value
        return struct.pack("<HH", group, number) + vr + struct.pack("<H", len(value)) + value

    def dicom_head(self, syntax, rows, cols, colour=False):
        e, p, d = self.element, self.any_patient(), self.date().encode()
        uid = b"1.2.392.200036.9999.%d.%d.%s" % (self.rnd.randrange(10**6), self.rnd.randrange(10**9), d)
        meta = (
            e(2, 1, b"OB", b"\0\1")
            + e(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.2")
            + e(2, 3, b"UI", uid)
            + e(2, 0x10, b"UI", syntax)
            + e(2, 0x12, b"UI", b"1.2.392.200036.9999.1")
        )
        us = lambda v: struct.pack("<H", v)
        return (
            bytes(128)
            + b"DICM"
            + e(2, 0, b"UL", struct.pack("<I", len(meta)))
            + meta
            + e(8, 5, b"CS", b"\\ISO 2022 IR 87")
            + e(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2")
            + e(8, 0x18, b"UI", uid)
            + e(8, 0x20, b"DA", d[:8])
            + e(8, 0x30, b"TM", d[8:])
            + e(8, 0x60, b"CS", b"CT")
            + e(8, 0x70, b"LO", b"MADE-UP INC.")
            + e(0x10, 0x10, b"PN", (p[3] + "=" + p[1] + "^" + p[2]).encode("iso2022_jp"))
            + e(0x10, 0x20, b"LO", p[0].encode())
            + e(0x10, 0x30, b"DA", p[4].replace("-", "").encode())
            + e(0x18, 0x50, b"DS", b"5.0")
            + e(0x20, 0x0D, b"UI", uid[:-2])
            + e(0x20, 0x13, b"IS", b"%d" % self.rnd.randrange(400))
            + e(0x28, 2, b"US", us(3 if colour else 1))
            + e(0x28, 4, b"CS", b"RGB " if colour else b"MONOCHROME2")
            + e(0x28, 0x10, b"US", us(rows))
            + e(0x28, 0x11, b"US", us(cols))
            + e(0x28, 0x100, b"US", us(8 if colour else 16))
            + e(0x28, 0x101, b"US", us(12))
        )

    def dcm(self, size):
        n = max(16, min(len(self.pool.rows) - 1, size // (2 * PIXEL_WIDTH)))
        at = self.rnd.randrange(len(self.pool.rows) - n)
        return self.dicom_head(b"1.2.840.10008.1.2.1", n, PIXEL_WIDTH) + self.element(
            0x7FE0, 0x10, b"OW", b"".join(self.pool.rows[at : at + n])
        )

    def dcm_2000(self, size):
        """JPEG 2000: a codestream that looks as random as ciphertext does."""
        picture = b"\xff\x4f\xff\x51" + struct.pack(">HHII", 41, 0, 512, 512) + bytes(31) + b"\xff\x52\0\x0c" + bytes(10)
        picture += b"\xff\x90\0\x0a" + bytes(8)
        picture += b"\xff\x93" + re.sub(rb"\xff[\x90-\xff]", b"\xff\x21", self.rnd.randbytes(size)) + b"\xff\xd9"
        return self.encapsulated(b"1.2.840.10008.1.2.4.90", picture)

    def dcm_jpeg(self, size):
        picture = self.jpg(size, colour=False, exif=False)
        return self.encapsulated(b"1.2.840.10008.1.2.4.50", picture)

    def encapsulated(self, syntax, picture):
        picture += b"\0" * (len(picture) % 2)
        item = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + struct.pack("<HHI", 0xFFFE, 0xE000, len(picture)) + picture
        item += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        return self.dicom_head(syntax, 256, 768) + b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + item

    # -- documents
    def pdf_of(self, objects):
        out, at, places = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"], 15, []
        for i, body in enumerate(objects, 1):
            places.append(at)
            out.append(b"%d 0 obj\n%s\nendobj\n" % (i, body))
            at += len(out[-1])
        out.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % a for a in places))
        ident = self.rnd.randbytes(16).hex().upper().encode()
        out.append(
            b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, ident, ident, at)
        )
        return b"".join(out)

    def pdf_start(self, pages):
        kids = b" ".join(b"%d 0 R" % n for n in pages)
        return [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids),
            b"<</Producer(Made up 1.0)/CreationDate(D:%s+09'00')>>" % self.date().encode(),
        ]

    @staticmethod
    def stream(data, more=b"/Filter/FlateDecode"):
        return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(data), more, data)

    def pdf(self, size):
        streams = [zlib.compress(self.pool.page(self.rnd).encode(), 6)]
        while sum(map(len, streams)) < size:
            streams.append(self.rnd.choice(self.pool.pages))
        objects = self.pdf_start([4 + 2 * i for i in range(len(streams))])
        for i, s in enumerate(streams):
            objects += [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R>>" % (5 + 2 * i), self.stream(s)]
        return self.pdf_of(objects)

    def pdf_sealed(self, size):
        """With a password: strings and streams are encrypted."""
        objects = self.pdf_start([4]) + [
            b"<</Type/Page/Parent 2 0 R/Contents 5 0 R>>",
            self.stream(self.rnd.randbytes(size)),
            b"<</Filter/Standard/V 2/R 3/Length 128/P -3904/O<%s>/U<%s>>>" % ((self.rnd.randbytes(32).hex().encode(),) * 2),
        ]
        return self.pdf_of(objects).replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 6 0 R")

    def pdf_scan(self, size):
        picture = self.jpg(size, colour=False, exif=False, paper=True)
        objects = self.pdf_start([4]) + [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 5 0 R>>>>/Contents 6 0 R>>",
            self.stream(
                picture, b"/Type/XObject/Subtype/Image/Width 768/Height 1024/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
            ),
            self.stream(b"q 595 0 0 842 0 0 cm /I Do Q", b""),
        ]
        return self.pdf_of(objects)

    def office(self, size, sheet):
        rnd = self.rnd
        if sheet:
            rows = "".join(
                "<row r=\"%d\"><c r=\"A%d\" t=\"s\"><v>%d</v></c><c r=\"B%d\"><v>%.2f</v></c><c r=\"C%d\"><v>%d</v></c></row>"
                % (i, i, rnd.randrange(900), i, rnd.gauss(100, 30), i, rnd.randrange(10**6))
                for i in range(1, max(4, size // 40))
            )
            strings = "".join("<si><t>%s</t></si>" % s for s in rnd.choices(self.pool.sentences, k=max(5, size // 400)))
            members = [
                ("xl/worksheets/sheet1.xml", "<worksheet><sheetData>%s</sheetData></worksheet>" % rows),
                ("xl/sharedStrings.xml", "<sst>%s</sst>" % strings),
                ("xl/workbook.xml", "<workbook><sheets><sheet name=\"Sheet1\"/></sheets></workbook>"),
                ("xl/styles.xml", STYLES),
            ]
        else:
            runs = "".join(
                "<w:p w:rsidR=\"%08X\"><w:r><w:rPr><w:sz w:val=\"%d\"/></w:rPr><w:t>%s</w:t></w:r></w:p>"
                % (rnd.getrandbits(32), rnd.choice([21, 24]), s)
                for s in rnd.choices(self.pool.sentences, k=max(4, size // 60))
            )
            members = [
                ("word/document.xml", "<w:document><w:body>%s</w:body></w:document>" % runs),
                ("word/styles.xml", STYLES),
                ("docProps/core.xml", "<cp:coreProperties><dcterms:modified>%s</dcterms:modified></cp:coreProperties>" % self.date()),
            ]
        members = [("[Content_Types].xml", TYPES), ("_rels/.rels", TYPES[::-1])] + members
        members = [(n, b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n" + t.encode()) for n, t in members]
        if rnd.random() < 0.15:
            members.append((("xl" if sheet else "word") + "/media/image1.jpeg", self.jpg(size * 2)))
        return zip_of(members, rnd.getrandbits(32) & 0x7F7F7F7F)

    def docx(self, size):
        return self.office(size, False)

    def xlsx(self, size):
        return self.office(size, True)

    def ole(self, size, name, body):
        """A compound file (MS-CFB): header, sectors of 512 bytes, one FAT, a directory."""
        sectors = (len(body) + 511) // 512
        fats = (sectors + 2 + 127) // 128 + 1
        end, fat_mark = 0xFFFFFFFE, 0xFFFFFFFD
        head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
        head += struct.pack("<IIIIIIII", fats, fats, 0, 4096, end, 0, end, 0)
        head += b"".join(struct.pack("<I", i) for i in range(fats)) + b"\xff" * (436 - 4 * fats)
        chain = [fat_mark] * fats + [end] + [fats + 2 + i for i in range(sectors - 1)] + [end]
        fat = struct.pack("<%dI" % len(chain), *chain)
        fat += b"\xff" * (512 * fats - len(fat))

        def entry(label, kind, start, length):
            text = label.encode("utf-16-le")
            return (
                text
                + bytes(64 - len(text))
                + struct.pack("<HBBIII", len(text) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, 1 if kind == 5 else 0xFFFFFFFF)
                + bytes(36)
                + struct.pack("<IQ", start, length)
            )

        directory = entry("Root Entry", 5, end, 0) + entry(name, 2, fats + 1, len(body)) + bytes(256)
        return head + fat + directory + body + bytes(-len(body) % 512)

    def tables(self, n):  # of small numbers, as offsets and formats are
        return b"".join(struct.pack("<HHI", i % 97, 3 * i & 0x3FF, 20 * i) for i in range(n))

    def doc(self, size):
        text = self.sentences(size // 2).encode("utf-16-le")
        body = (
            b"\xec\xa5\xc1\x00"
            + struct.pack("<HHH", 0x411, 9, 0x1000)
            + bytes(1400)
            + text
            + bytes(-len(text) % 512)
            + self.tables(size // 40)
            + bytes(size // 6)
        )
        if self.rnd.random() < 0.12:
            body += self.jpg(size)
        return self.ole(size, "WordDocument", body)

    def xls(self, size):
        out = [b"\x09\x08\x10\0\0\6\5\0\xbb\x0d\xcc\7\0\0\0\0\6\0\0\0"]
        for i in range(max(8, size // 26)):
            out.append(struct.pack("<HHHHHd", 0x203, 14, i // 8, i % 8, 15, round(self.rnd.gauss(100, 40), 1)))
            if i % 12 == 0:
                t = self.rnd.choice(self.pool.sentences)[:20].encode("utf-16-le")
                out.append(struct.pack("<HHHHH", 0x204, 9 + len(t), i // 8, i % 8, 15) + struct.pack("<HB", len(t) // 2, 1) + t)
        return self.ole(size, "Workbook", b"".join(out) + b"\x0a\0\0\0" + bytes(size // 8))

    def thumbs(self, size):
        return self.ole(size, "256_1", b"".join(self.jpg(2500, colour=True) for _ in range(max(2, size // 3000))))

    # -- others
    def dll(self, size):
        code = self.pool.code
        at = self.rnd.randrange(len(code) - size - 1) & ~15
        stub = (
            b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8"
            + bytes(43)
            + struct.pack("<I", 0x80)
            + b"\x0e\x1f\xba\x0e\0\xb4\x09\xcd!This program cannot be run in DOS mode.\r\r\n$"
        )
        stub += (
            bytes(0x80 - len(stub))
            + b"PE\0\0"
            + struct.pack("<HHIIIHH", 0x8664, 3, self.rnd.getrandbits(31), 0, 0, 0xF0, 0x2022)
            + b"\x0b\2"
            + bytes(238)
        )
        return stub + bytes(1024 - len(stub)) + code[at : at + size]

    def seven(self, size):
        body, header = self.rnd.randbytes(size), self.rnd.randbytes(90)
        start = struct.pack("<QQI", len(body), len(header), binascii.crc32(header))
        return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", binascii.crc32(start)) + start + body + header

    def zip_sealed(self, size, name="送付資料.xlsx"):
        return zip_of([(name, bytes(size))], self.rnd.getrandbits(32) & 0x7F7F7F7F, lambda _: self.rnd.randbytes(size))

    def gpg(self, plain_size):
        """RFC 4880: a session key by password (3), then encrypted data with a code (18), in one packet of a length of five bytes."""
        n = plain_size // 2 + 60
        return (
            b"\x8c\x0d\4\x09\3\x0a"
            + self.rnd.randbytes(8)
            + b"\xff"
            + b"\xd2\xff"
            + struct.pack(">I", n + 1)
            + b"\1"
            + self.rnd.randbytes(n)
        )

    def armour(self, size):
        return b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(self.gpg(size)) + b"=Ab3x\n-----END PGP MESSAGE-----\n"

    def eml(self, size):
        """A letter, half of them with something attached."""
        p, d = self.any_patient(), self.date()
        head = (
            "From: user%d@clinic.example\r\nTo: office@clinic.example\r\nDate: %s\r\n"
            "Message-ID: <%s.%d@clinic.example>\r\nSubject: =?UTF-8?B?%s?=\r\nMIME-Version: 1.0\r\n"
            % (self.rnd.randrange(60), d, d, self.rnd.randrange(10**9), base64.b64encode(p[1].encode()).decode())
        )
        body = self.sentences(900)
        if self.rnd.random() < 0.5:
            return (head + "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body).encode()
        mark, data = "=_%08x" % self.rnd.getrandbits(32), self.rnd.choice([self.jpg, self.pdf, self.xlsx])(size)
        return (
            (
                head
                + "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n"
                "Content-Type: text/plain; charset=UTF-8\r\n\r\n%s\r\n--%s\r\n"
                "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" % (mark, mark, body, mark)
            ).encode()
            + base64.encodebytes(data).replace(b"\n", b"\r\n")
            + b"--%s--\r\n" % mark.encode()
        )

    def video(self, size):
        box = lambda kind, body: struct.pack(">I", len(body) + 8) + kind + body
        return (
            box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
            + box(b"moov", box(b"mvhd", bytes(100)) + self.tables(40))
            + box(b"mdat", self.rnd.randbytes(size))
        )

    def camera(self, size):
        """What a surveillance camera writes: frames of a codec of its own."""
        return b"".join(b"DHAV\xfd\0\0\0" + struct.pack("<II", i, 4096) + self.rnd.randbytes(4080) for i in range(size // 4096))

    def gz(self, plain):
        return gzip.compress(plain, 6, mtime=self.rnd.getrandbits(30))

    def wav(self, size):
        rnd = self.rnd
        grain = array.array("h", [int(rnd.gauss(0, 300) * (1 + 4 * ((i // 400) % 7 == 0))) for i in range(4000)]).tobytes()
        data = (grain * (size // len(grain) + 1))[: size & ~1]
        return (
            b"RIFF"
            + struct.pack("<I", 36 + len(data))
            + b"WAVEfmt "
            + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
            + b"data"
            + struct.pack("<I", len(data))
            + data
        )

    def volume(self, size):
        """What a new modality writes: 32-bit floats behind a header of text."""
        n = size // (2 * PIXEL_WIDTH)
        at = self.rnd.randrange(max(1, len(self.pool.rows) - n))
        values = array.array("H", b"".join(self.pool.rows[at : at + n // 2 + 1]))
        return b"OCTVOL 2.1\nid: %s\nencoding: float32\n\n" % self.date().encode() + array.array("f", values).tobytes()


STYLES = "<w:styles>%s</w:styles>" % "".join(
    "<w:style w:type=\"paragraph\" w:styleId=\"a%d\"><w:name w:val=\"heading %d\"/><w:uiPriority w:val=\"%d\"/></w:style>" % (i, i, i % 9)
    for i in range(60)
)
TYPES = "<Types>%s</Types>" % "".join(
    "<Override PartName=\"/part%d.xml\" ContentType=\"application/vnd.openxmlformats+xml\"/>" % i for i in range(12)
)


# ---- databases


def sqlite_grow(path, pool, rnd, rows):
    """False: what stands there is no database any more, and its program cannot work."""
    db = sqlite3.connect(path)
    try:
        sqlite_rows(db, pool, rnd, rows)
    except sqlite3.DatabaseError:
        return False
    finally:
        db.close()
    return True


def sqlite_rows(db, pool, rnd, rows):
    db.execute("PRAGMA journal_mode = MEMORY")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("CREATE TABLE IF NOT EXISTS visit (id INTEGER PRIMARY KEY, patient TEXT, day TEXT, note TEXT)")
    db.executemany(
        "INSERT INTO visit (patient, day, note) VALUES (?, ?, ?)",
        [
            (rnd.choice(pool.patients)[0], "2026-%02d-%02d" % (rnd.randrange(1, 13), rnd.randrange(1, 29)), rnd.choice(pool.sentences))
            for _ in range(rows)
        ],
    )
    db.execute("UPDATE visit SET note = note || '済' WHERE id %% 97 = %d" % rnd.randrange(97))
    db.commit()
