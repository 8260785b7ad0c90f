"""A clinic's database as pg_dump writes it: as SQL text, and as an archive of the custom format (-Fc, version 1.14, as PostgreSQL
12 to 15 write it to a pipe).  The same rows for the same seed and night; a row of
patients is updated every 37 days, the other tables grow."""
import base64, random, struct, zlib

TABLES = [  # name, columns, rows in the beginning, more a weekday; and which columns hold what somebody wrote (an attacker's)
    ("patients", "id, name, kana, born, sex, address, seen", 2400, 3),
    ("visits", "id, patient, day, department, note", 3200, 30),
    ("results", "id, patient, day, item, value, unit", 5200, 55),
    ("documents", "id, patient, title, body", 500, 4),
    ("images", "id, uid, path", 1800, 12),
    ("users", "id, login, name", 45, 0),
]
DROPPED = ("patients", "visits", "results")  # with whom they are of
TEXT = {"patients": (1, 2, 5), "visits": (4,), "results": (3, 4), "documents": (2, 3), "images": (1, 2), "users": (2,)}


class Database:
    def __init__(self, pool, seed):
        self.pool, self.seed, self.rows = pool, seed, {}
        self.sources = {t[0]: random.Random("%d %s" % (seed, t[0])) for t in TABLES}
        self.more_tables, self.without, self.attachments = False, 0.0, 0  # events: a migration; old rows archived; pictures in a table
        self.harmed, self.how, self.dropped = 0.0, "base64", 0.0  # attacks: shares of rows
        self.made = {}  # dumps of nights that are played many times

    def row(self, table, i, rnd):
        p = rnd.choice(self.pool.patients)
        day = "2026-%02d-%02d" % (1 + i // 400 % 12, 1 + i % 28)
        if table == "patients":
            p = self.pool.patients[i % len(self.pool.patients)]
            return ["%d" % (i + 1), p[1] + " " + p[2], p[3], p[4], p[5], p[6]]
        if table == "visits":
            return ["%d" % (i + 1), p[0], day, rnd.choice(["内科", "外科", "小児科", "整形外科"]), rnd.choice(self.pool.sentences)]
        if table == "results":
            o = rnd.choice(self.pool.obx)
            return ["%d" % (i + 1), p[0], day, o[0], o[1], o[2]]
        if table == "documents":
            return [
                "%d" % (i + 1),
                p[0],
                rnd.choice(self.pool.sentences)[:12],
                "".join(rnd.choices(self.pool.sentences, k=rnd.randrange(2, 12))),
            ]
        if table == "images":
            uid = "1.2.392.200036.9999.%d.%d" % (rnd.randrange(10**6), rnd.randrange(10**9))
            return ["%d" % (i + 1), uid, "/pacs/%03d/IM%05d.dcm" % (i // 20, i)]
        return ["%d" % (i + 1), "user%02d" % i, p[1] + " " + p[2]]

    def grown(self, table, n):
        while len(self.rows.setdefault(table, [])) < n:
            self.rows[table].append(self.row(table, len(self.rows[table]), self.sources[table]))
        return self.rows[table][:n]

    def harm(self, table, i, row):
        row, rnd = list(row), random.Random("%d %s %d harm" % (self.seed, table, i))
        for c in TEXT[table]:
            if self.how == "null":
                row[c] = "\\N"
            elif self.how == "swapped":
                row[c] = self.rows[table][rnd.randrange(len(self.rows[table]))][c]
            else:
                secret = rnd.randbytes(max(16, (len(row[c].encode()) + 15) // 16 * 16))
                row[c] = base64.b64encode(secret).decode() if self.how == "base64" else "\\\\x" + secret.hex()
        return row

    def tables(self, night):
        """(name, columns, lines of COPY) of that night's dump."""
        working = night * 5 // 7
        for name, columns, begun, more in TABLES:
            rows, harmed = self.grown(name, begun + more * working), []
            chosen = random.Random("%d order %s" % (self.seed, name))
            for i, row in enumerate(rows):
                r = chosen.random()
                if name == "patients":
                    row = row + ["night %d" % (night - (night - i) % 37)]
                if r < self.dropped and name in DROPPED:
                    continue
                if self.without and name in ("visits", "results", "images") and i < self.without * len(rows):
                    continue
                harmed.append("\t".join(self.harm(name, i, row) if 1 - r <= self.harmed else row))
            yield name, columns, harmed
        if self.attachments:
            yield "attachments", "id, patient, kind, data", [self.attached(i) for i in range(self.attachments)]
        if self.more_tables:
            for k, name in enumerate(("orders", "care_plans", "consents")):
                yield name, "id, patient, day, text", [
                    "\t".join(("%d" % i, v[1], v[2], v[4], "v%d" % k)[:4]) for i, v in enumerate(self.grown("visits", 1800 + 8 * working))
                ]

    def attached(self, i):
        """A small picture, as applications keep them in a column."""
        rnd = random.Random("%d attached %d" % (self.seed, i))
        picture = base64.b64encode(b"\xff\xd8\xff\xe0" + b"".join(rnd.sample(self.pool.photos, 2)) + b"\xff\xd9").decode()
        return "%d\t%s\timage/jpeg\t%s" % (i, rnd.choice(self.pool.patients)[0], picture)

    def dumps(self, night, keep=False):
        """The SQL text and the archive of a night."""
        state = (night, self.more_tables, self.without, self.attachments, self.harmed, self.dropped)
        both = self.made.get(state) or (self.sql(night), self.custom(night))
        if keep:
            self.made[state] = both
        return both

    def sql(self, night):
        out = [
            "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.14\n-- Dumped by pg_dump version 15.14\n\n"
            "SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\n"
        ]
        for name, columns, lines in self.tables(night):
            out.append(create(name, columns) + "\n\n")
            out.append("%s\n%s\n\\.\n\n\n" % (copy(name, columns), "\n".join(lines)) if lines else "%s\n\\.\n\n\n" % copy(name, columns))
        return ("".join(out) + "--\n-- PostgreSQL database dump complete\n--\n\n").encode()

    def custom(self, night):
        toc, data = [], []
        for i, (name, columns, lines) in enumerate(self.tables(night)):
            toc.append(entry(2 * i + 1, 0, "1259", name, "TABLE", 2, create(name, columns), "DROP TABLE public.%s;\n" % name, None))
            toc.append(entry(2 * i + 2, 1, "0", name, "TABLE DATA", 3, "", "", copy(name, columns) + "\n", 2 * i + 1))
            z = zlib.compress("".join(line + "\n" for line in lines).encode() + b"\\.\n\n\n", 6)
            data.append(
                b"\1"
                + number(2 * i + 2)
                + b"".join(number(len(z[a : a + 4096])) + z[a : a + 4096] for a in range(0, len(z), 4096))
                + number(0)
            )
        head = b"PGDMP" + bytes([1, 14, 0, 4, 8, 1]) + number(-1)
        head += (
            b"".join(number(v) for v in (0, 0, 23, 1 + night % 28, night // 28 % 12, 126, 0))
            + string("emr")
            + string("15.14")
            + string("15.14")
        )
        return head + number(len(toc)) + b"".join(toc) + b"".join(data)


def create(name, columns):
    return "CREATE TABLE public.%s (\n%s\n);\n" % (name, ",\n".join("    %s text" % c for c in columns.split(", ")))


def copy(name, columns):
    return "COPY public.%s (%s) FROM stdin;" % (name, columns)


def number(v):
    return bytes([v < 0]) + struct.pack("<I", abs(v))


def string(s):
    return number(-1) if s is None else number(len(s.encode())) + s.encode()


def entry(ident, data, tableoid, tag, what, section, made, dropped, copied, needs=None):
    out = number(ident) + number(data) + string(tableoid) + string("%d" % (16384 + ident)) + string(tag) + string(what) + number(section)
    out += string(made) + string(dropped) + string(copied) + string("public") + string("" if not data else None)
    out += string("heap" if not data else None) + string("postgres") + string("false")
    out += (string("%d" % needs) if needs else b"") + string(None)
    return out + bytes([1 if data else 3]) + bytes(8)
