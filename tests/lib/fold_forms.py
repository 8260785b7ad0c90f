#!/usr/bin/env python3
"""fold_forms.py JOURNAL POLICY DATE PACK [FORM...]: each form of an English pack (or those that are named) once more, from the lines of the
journal and the text of the policy alone, and compared with the pack cell by cell. Shares no code with bkp: a fold of its own, dates of its
own, the rules as docs/man/bkp-report.8 and the founding documents say them. Prints how many cells were compared; the first that differs
ends it.

Only what these sites have is known here: no pools, no shares, no announcements; local time is that of TZ."""
import csv
import hashlib
import json
import os
import re
import statistics
import sys
from datetime import date, datetime, timedelta, timezone

import yaml

DAY = timedelta(days=1)
MAGNETIC = {"hdd": "magnetic disk", "rdx": "magnetic disk", "ssd": "SSD", "tape": "tape", "optical": "optical disc", "object": "object store"}
MET, ATTENTION, MISSING = "○ met", "△ attention", "× not met"
RANK = {MET: 0, ATTENTION: 1, MISSING: 2}


def when(s):
    return datetime.strptime(s, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def local(t):
    return t.astimezone().strftime("%Y-%m-%d %H:%M") if t else ""


def day_of(t):
    return t.astimezone().date()


def seconds(s):
    return int(s[:-1]) * {"m": 60, "h": 3600, "d": 86400, "w": 604800}[s[-1]]


def short(s):  # as a policy's duration is printed: "24 h", "3 days"
    if not s:
        return ""
    if s % 86400 == 0 and s > 86400:
        return "%d days" % (s // 86400)
    return "%d h" % (s // 3600) if s % 3600 == 0 else "%d min" % (s // 60)


def span(s):  # what was measured: whole days, hours, minutes
    if s >= 2 * 86400:
        return "%d days" % (s // 86400)
    return "%d hours" % (s // 3600) if s >= 2 * 3600 else "%d minutes" % (s // 60)


def article(n, subject, *rules):
    return [["Art. %d" % n, subject, r] for r in rules]


DUTY = {None: "", "hospital": "the hospital", "vendor": "the vendor"}
CONTACTS = [  # in English, in the policy; in the order of the boxes
    ("vendor of the information systems", "医療情報システム事業者"), ("information security company", "情報セキュリティ事業者"),
    ("outside expert (optional)", "外部有識者(任意)"), ("police of the prefecture", "都道府県警察の担当部署"),
    ("Ministry of Health, Labour and Welfare", "厚生労働省"), ("health department of the prefecture", "各都道府県衛生主管部（局）"),
    ("insurance company", "保険会社"), ("Japan Medical Association", "日本医師会")]


def pace_rows(drills, title=str, model=lambda uuid: ""):
    """each data set from each medium, drill by drill: seconds per GB, the median of those before, half as much again is slower"""
    series = {}
    for d in drills:
        at = min(when(d["finished"]), when(d["time"]))
        for s in d["datasets"]:
            if s["ms"] is not None and (s["bytes"] or 0) >= 10 ** 7:
                key = (s["dataset"], d["medium"] or "", "" if d["medium"] else d["label"] or "")
                series.setdefault(key, []).append((at, s["ms"] / 1e3 / (s["bytes"] / 1e9), d["label"] or ""))
    for (dataset, uuid, _), points in sorted(series.items()):
        points.sort(key=lambda p: p[0])
        for i, (at, pace, label) in enumerate(points):
            former = statistics.median(p[1] for p in points[:i]) if i >= 2 else 0
            yield [title(dataset), label, model(uuid), local(at), "%.1f" % pace, "%.1f" % former if former else "",
                   "SLOWER: %.1f times" % (pace / former) if former and pace > 1.5 * former else ""]


class Generation:
    def __init__(self, dataset, number, begun):
        self.dataset, self.number, self.begun = dataset, number, begun
        self.state, self.verdict, self.reason, self.suspect, self.why = "begun", None, "", False, ""
        self.held = self.held_why = None
        self.accepted = False
        self.copies = {}  # medium -> [ok, verified, damaged]
        self.new, self.proved = 0, False
        self.version = self.host = ""

    def __str__(self):
        return "%s@%d" % (self.dataset, self.number)

    def verified(self):
        return max((c[1] for c in self.copies.values() if c[1] and not c[2]), default=None)

    def sound(self):
        return self.verdict == "good" or self.verdict == "partial" and self.accepted

    def counts(self):
        return self.state == "committed" and self.sound() and not self.suspect


class Medium:
    def __init__(self, r):
        self.uuid, self.label, self.type, self.place, self.offline = r["medium"], r["label"], r["type"], r["place"], r["offline"]
        self.added, self.fs = when(r["time"]), r["fs_uuid"]
        self.attached, self.rotated, self.moved, self.lost, self.retired = True, None, None, None, None
        self.lent, self.custodian = None, ""
        self.data = {"serial": r["serial"]}


class World:
    def __init__(self, path, at):
        self.g, self.m, self.records, self.drills, self.keys, self.uses = {}, {}, [], [], [], []
        self.findings = {}
        self.at, self.policy, self.procedures, self.created, self.next, self.approved = at, "", [], None, 1, {}
        self.rules = None
        for line in open(path, "rb"):
            r = json.loads(line)
            if when(r["time"]) <= at:
                self.records.append((r, line.rstrip(b"\n")))
        for r, _ in self.records:
            getattr(self, "on_" + r["event"].replace("-", "_"), lambda r: None)(r)

    def last(self):
        return self.records[-1]

    # ---- what happened
    def on_init(self, r):
        self.created = when(r["time"])
        self.keys.append(r)

    def on_policy(self, r):
        self.policy = r["sha256"]

    def on_medium_added(self, r):
        self.m[r["medium"]] = Medium(r)

    def on_begin(self, r):
        for g in self.g.values():
            if g.state == "begun":
                g.state = "abandoned"
        for name in r["datasets"]:
            g = self.g[name, r["run"]] = Generation(name, r["run"], when(r["time"]))
            g.host = r.get("host", "")
        for m in r.get("here", []):
            self.m[m].attached = True
        self.next = r["run"] + 1

    def on_committed(self, r):
        g = self.g[r["dataset"], r["generation"]]
        g.state, g.verdict, g.new, g.reason = "committed", r["verdict"], r["new_bytes"], r.get("reason") or ""
        g.version, g.bytes = r.get("source_version", ""), r["bytes"]
        guard = r.get("guard") or {}
        g.suspect, g.why = guard.get("suspect", False), guard.get("why", "")
        for c in r["media"]:
            g.copies[c["medium"]] = [c["ok"], None, None]

    def on_failed(self, r):
        for d in r["datasets"]:
            g = self.g[d["name"], r["run"]]
            g.state, g.reason = "failed", d["reason"]

    def on_verified(self, r):
        for x in r["generations"]:
            c = self.g[x["dataset"], x["generation"]].copies.setdefault(r["medium"], [True, None, None])
            c[1], c[2] = when(r["time"]), None
            self.g[x["dataset"], x["generation"]].proved = True

    def on_copied(self, r):
        for x in r["generations"]:
            self.g[x["dataset"], x["generation"]].copies[r["medium"]] = [True, None, None]

    def on_verify_failed(self, r):
        self.g[r["dataset"], r["generation"]].copies[r["medium"]][2] = when(r["time"])

    def drop(self, g, medium):
        if medium in g.copies:
            g.copies[medium][:2] = [False, None]
        if g.state == "committed" and not any(c[0] for c in g.copies.values()):
            g.state = "expired"

    def on_expired(self, r):
        self.drop(self.g[r["dataset"], r["generation"]], r["medium"])

    def on_medium_attached(self, r):
        self.m[r["medium"]].attached = True

    def on_medium_detached(self, r):
        self.m[r["medium"]].attached = False

    def on_rotated(self, r):
        m = self.m[r["medium"]]
        m.attached, m.rotated, m.custodian = True, when(r["time"]), r["operator"]

    def on_medium_moved(self, r):
        m = self.m[r["medium"]]
        m.place, m.moved, m.custodian = r["place"], when(r["time"]), r["operator"]
        if r["detached"]:
            m.attached = False

    def on_medium_lent(self, r):
        m = self.m[r["medium"]]
        m.lent, m.custodian = r, r["to"]

    def on_medium_returned(self, r):
        m = self.m[r["medium"]]
        m.lent, m.place, m.custodian = None, r["place"], r["operator"]

    def on_medium_lost(self, r):
        m = self.m[r["medium"]]
        m.lost, m.attached = when(r["time"]), False
        for g in self.g.values():
            self.drop(g, r["medium"])

    def on_medium_retired(self, r):
        self.m[r["medium"]].retired = when(r["time"])
        for g in self.g.values():
            self.drop(g, r["medium"])

    def on_accepted(self, r):
        g = self.g[r["dataset"], r["generation"]]
        g.accepted, g.suspect = True, False

    def on_held(self, r):
        g = self.g[r["dataset"], r["generation"]]
        g.held, g.held_why = when(r["time"]), r["reason"] or ""

    def on_released(self, r):
        self.g[r["dataset"], r["generation"]].held = None

    def on_drill(self, r):
        self.drills.append(r)
        for i, f in enumerate(r.get("findings", [])):
            self.findings["%d.%d" % (r["seq"], i + 1)] = dict(f, at=when(r["time"]), source=r["procedure"]["title"])

    def on_finding(self, r):
        if r["action"] == "raised":
            self.findings["%d.1" % r["seq"]] = dict(text=r["text"], owner=r["owner"], due=r["due"], at=when(r["time"]), source="")
            return
        f = self.findings[r["finding"]]
        f[r["action"]] = r
        f["due"] = r.get("due", f["due"])

    def on_procedures(self, r):
        self.procedures = r["procedures"]

    def on_procedure_approved(self, r):
        self.approved[r["sha256"]] = r

    def on_regulation_approved(self, r):
        self.rules = r

    def on_keys(self, r):
        self.keys.append(r)

    on_envelope = on_keys

    def on_use(self, r):
        self.uses.append(r)


class Site:
    """The policy's text and the world at that moment, and what follows from the two."""

    def __init__(self, policy, world):
        self.p, self.w, self.at = policy, world, world.at
        self.sets = policy["datasets"]
        self.people = policy.get("people", [])

    def title(self, name):
        return next((d.get("title", name) for d in self.sets if d["name"] == name), name)

    def of(self, name):
        return sorted((g for g in self.w.g.values() if g.dataset == name), key=lambda g: g.number)

    def medium(self, name):  # as the policy's name of it leads to one that is in use
        return next((m for m in self.w.m.values() if m.label == name and not m.lost and not m.retired), None)

    def declared(self):
        return [(m, self.medium(m["name"])) for m in self.p["media"]]

    def every(self, d):
        return {"day": 86400, "week": 604800, "month": 30 * 86400}.get(d.get("every", "day")) or seconds(d["every"])

    def sound_on(self, g, m):
        c = g.copies.get(m.uuid)
        return bool(c and c[0] and c[1] and not c[2] and g.state == "committed")

    def counting(self, name):
        known = [m for _, m in self.declared() if m]
        return [g for g in self.of(name) if g.counts() and any(self.sound_on(g, m) for m in known)]

    def swap(self, pm):
        return seconds(pm["swap_every"]) if "swap_every" in pm else 34 * 86400

    def separate(self, place):
        places = {p["name"]: p for p in self.p["places"]}
        there = [p["name"] for p in self.p["places"] if p.get("originals")]
        def apart(a, b):
            return b in places[a].get("separate_from", []) or a in places[b].get("separate_from", [])
        return place in places and place not in there and all(apart(place, o) for o in there)

    # ---- 3-2-1, as docs/man/bkp-status.8 and compliance.h say it
    def copies(self, d):
        """media that count as a copy, and (generation, medium) of each medium kept offline and away"""
        counted = self.counting(d["name"])
        latest = counted[-1] if counted else None
        fresh, away = [], []
        for pm, m in self.declared():
            if not m:
                continue
            on = [g for g in counted if self.sound_on(g, m)]
            if not on:
                continue
            if pm.get("offline") and not m.attached:
                away.append((on[-1], pm, m))
            age = (self.at - on[-1].begun).total_seconds()
            if age <= self.swap(pm) + 86400 if pm.get("offline") else on[-1] is latest:
                fresh.append((on[-1], pm, m))
        return counted, fresh, away

    def rule_of(self, d):
        counted, fresh, away = self.copies(d)
        why = ["", "", ""]
        n = len(fresh)
        three = MET if n >= 2 else ATTENTION if n else MISSING
        if three != MET:
            why[0] = ("%d media hold a verified copy that is recent enough; 2 are needed beside the original" % n)
        kinds = {MAGNETIC[m.type] for _, _, m in fresh}
        two = MET if len(kinds) >= 2 else ATTENTION if kinds else MISSING
        if not kinds:
            why[1] = "no medium holds a verified copy"
        elif len(kinds) == 1:
            why[1] = "every copy is on one technology: " + kinds.copy().pop()
        out = [(g, pm, m) for g, pm, m in fresh if pm.get("offline")]
        gone = [x for x in out if not x[2].attached and self.separate(x[2].place)]
        lapsing = [x for x in gone if (self.at - x[0].begun).total_seconds() > self.swap(x[1])]
        inside = [x for x in out if x[2].attached]
        near = [x for x in out if not x[2].attached and not gone]
        one = MET if gone else MISSING
        if gone and len(lapsing) == len(gone):
            one = ATTENTION
            why[2] = "the rotation of the offline copy is due"
        elif near:
            one = ATTENTION
            why[2] = "'%s' is away, but by the policy its place '%s' is not separate from the originals" % (near[-1][1]["name"], near[-1][2].place)
        elif not gone and inside:
            one = ATTENTION
            why[2] = "'%s' is not recorded as detached" % inside[0][1]["name"]
        elif not gone:
            why[2] = "no medium kept offline holds a verified copy that is recent enough"
        newest = counted[-1] if counted else None
        offline = max((g for g, _, _ in away), key=lambda g: g.number, default=None)
        return (three, n + 1), (two, min(len(kinds), 2) if len(kinds) < 3 else len(kinds)), (one, len(gone)), newest, offline, why

    # ---- the forms: rows as CSV shows them
    def schedule(self, d):
        at = self.p["schedule"]["at"]
        return "every week, Sunday at " + at if d.get("every") == "week" else "every day at " + at

    def datasets(self):
        for d in self.sets:
            where = ", ".join(d["paths"]) if "paths" in d else "output of a command, as " + d["store_as"]
            where = (d["source_host"] + ": " if "source_host" in d else "") + where
            yield [d.get("title", d["name"]), where, d.get("owner", ""), d.get("importance", ""), str(d.get("priority", "")), short(seconds(d["rpo"])) if "rpo" in d else "",
                   short(seconds(d["rto"])) if "rto" in d else "", self.schedule(d), str(d["generations"]),
                   "%d years" % d["retention_years"] if "retention_years" in d else "", "", DUTY[d.get("responsibility")], "", ""]
        for x in self.p.get("external", []):
            yield [x["name"], x.get("place", ""), "", "", "", "", "", x.get("how_often", ""), str(x.get("generations", "")), "", "",
                   DUTY["vendor"] + (": " + x["vendor"] if "vendor" in x else ""), "", ""]
        for x in self.p.get("excluded", []):
            yield [x["name"], x.get("where", ""), "", "", "", "", "", "", "", "", x.get("reason", "left out; why was not said"), "",
                   x.get("decided_by", ""), str(x.get("decided_on", ""))]

    def external(self):
        for x in self.p.get("external", []):
            yield [str(x.get(k, "")) for k in ("name", "vendor", "what", "how_often", "generations", "method", "place", "contract", "confirmed_on")]

    def stale(self, contact):
        since = contact.get("confirmed_on")
        month = since and since.month + 6
        return not since or day_of(self.at) > date(since.year + (month - 1) // 12, (month - 1) % 12 + 1, 1) + (since.day - 1) * DAY

    def contact_rows(self):
        all_of = self.p.get("contacts", [])
        for word, kind in CONTACTS:
            mine = [c for c in all_of if c["kind"] == kind]
            for c in mine:
                dual = any(o["kind"] != kind and o.get("person") == c.get("person", 0) for o in all_of)
                yield {"Kind": word, "Whom to call": c["name"], "Person": c.get("person", ""), "Telephone": c.get("tel", ""),
                       "Mail": c.get("mail", ""), "Hours": c.get("hours", ""), "Confirmed on": str(c.get("confirmed_on", "")),
                       "State": "to be confirmed again" if self.stale(c) else "confirmed", "Several roles (兼務)": "yes (兼務)" if dual else ""}
            if not mine:
                yield dict.fromkeys(("Whom to call", "Person", "Telephone", "Mail", "Hours", "Confirmed on", "Several roles (兼務)"), "") | {
                    "Kind": word, "State": "not filled in (未記入)"}

    def assets(self):
        for a in self.p.get("assets", []):
            yield [str(a.get(k, "")) for k in ("name", "model", "maker", "serial", "bought_on", "support_until", "place", "network", "users", "os",
                                               "system", "use", "data", "license")]

    def generations(self):
        for d in self.sets:
            yield from self.dates(d)

    def dates(self, d):
        step = max(self.every(d) // 86400, 1)
        floor = day_of(self.at) - 366 * DAY
        last = None

        def was_good(g):
            return (g.state == "expired" or g.state == "committed" and g.verified()) and g.sound() and not g.suspect

        def gap(until):
            first = max(last + step * DAY, floor)
            if first >= until:
                return
            tried = []
            for g in self.of(d["name"]):
                if first <= day_of(g.begun) < until and not was_good(g):
                    word = "suspect" if g.suspect else "failed" if g.state == "failed" else "not verified or partial" \
                        if g.state == "committed" else "not finished"
                    tried.append("%s %s%s" % (g, word, ": " + g.reason if g.reason else ""))
            days = (until - first).days
            yield [self.title(d["name"]), str(first) if days == 1 else "%s to %s" % (first, until - DAY), "", "× no generation", "", "", "",
                   "days: %d, %s" % (days, ", ".join(tried) or "nothing was captured")]

        for g in sorted(self.of(d["name"]), key=lambda g: (g.begun, g.number)):
            if was_good(g) and (not last or day_of(g.begun) > last):
                if last:
                    yield from gap(day_of(g.begun))
                last = day_of(g.begun)
            if g.state == "committed":
                state = "suspect" if g.suspect else "held" if g.held else "not verified" if not g.verified() else \
                    "good" if g.verdict == "good" else "partial, accepted" if g.accepted else "partial"
                yield [self.title(d["name"]), str(day_of(g.begun)), str(g), state, local(g.begun), local(g.verified()),
                       ", ".join(self.w.m[m].label for m, c in g.copies.items() if c[0]), g.held_why if g.held else g.why if g.suspect else ""]
        if last:
            yield from gap(day_of(self.at + timedelta(seconds=1)))

    def rule(self):
        for d in self.sets:
            three, two, one, newest, offline, why = self.rule_of(d)
            worst = max((three[0], two[0], one[0]), key=RANK.get)
            yield [self.title(d["name"]), "%s: %d, wanted 3" % three, "%s: %d, wanted 2" % two, "%s: %d, wanted 1" % one,
                   local(newest and newest.begun), local(offline and offline.begun), short(seconds(d["rpo"])) if "rpo" in d else "", worst,
                   ", ".join(filter(None, why))]

    def facts(self, m):
        """of the ledger of media, by its column"""
        on = [g for g in self.w.g.values() if g.state == "committed" and g.copies.get(m.uuid, [0])[0]]
        pm = next((x for x in self.p["media"] if x["name"] == m.label), {})
        state = "retired" if m.retired else "lost" if m.lost else "lent" if m.lent else "online" if not m.offline else \
            "attached" if m.attached else "offline, in its place"
        newest = max((g.begun for g in on), default=None)
        return {"Medium": m.label, "State": state, "Technology": MAGNETIC[m.type], "Serial number": m.data["serial"], "Writing": "many times",
                "Cipher": "age v1 (X25519, ChaCha20-Poly1305)", "Key number (period)": "1" if on else "", "Place": "" if m.lost else m.place,
                "Lent to": m.lent["to"] if m.lent else "", "Lent until": m.lent["until"] if m.lent else "", "Registered": local(m.added),
                "Last rotation": local(m.rotated), "Last stock-take": "", "Newest generation on it": local(newest), "Generations": str(len(on)),
                "Identity": m.uuid, "File system": m.fs, "Maker": "", "Model": "", "Bought": "", "To be used until": "",
                "Maker's support until": "", "Lock": "", "Custodian": m.custodian}

    def by_head(self, heads, facts):
        return [facts[h] for h in heads]

    def media(self, heads):
        for m in self.w.m.values():
            yield self.by_head(heads, self.facts(m))

    def allowed(self, heads):
        for m in self.w.m.values():
            if not m.lost and not m.retired and any(x["name"] == m.label for x in self.p["media"]):
                yield self.by_head(heads, self.facts(m))

    def records(self, heads, words, **more):
        for r, _ in self.w.records:
            if r["event"] not in words:
                continue
            facts = self.facts(self.w.m[r["medium"]])
            facts.update({"No.": str(r["seq"]), "Time": local(when(r["time"])), "What happened": words[r["event"]]})
            for head, key in (("From", "from"), ("To", "to"), ("Until", "until"), ("Operator", "operator"), ("Witness", "witness"),
                              ("Reason", "reason"), ("Method", "method"), ("Certificate number", "certificate"), ("Place", "place")):
                facts[head] = r.get(key) or ""
            facts["To"] = facts["To"] or r.get("place") or ""
            signed = {s["name"] for s, _ in self.w.records if s["event"] == "countersigned" and s["upto"] == r["seq"] and s["known"]}
            facts["Signature"] = ", ".join("%s: %s" % (r[k], "signed" if r[k] in signed else "claim only")
                                           for k in ("operator", "witness") if r.get(k))
            facts["Keys destroyed"] = r.get("keys_destroyed") or ""
            facts["What was on it"] = "; ".join("%s: %d generations, newest %d" % (k, v["generations"], v["newest"])
                                                for k, v in r.get("held", {}).items())
            yield self.by_head(heads, facts)

    def transfers(self, heads):
        return self.records(heads, {"rotated": "rotated, to be taken away", "medium-moved": "moved", "medium-handed": "handed over",
                                    "medium-lent": "lent", "medium-returned": "brought back"})

    def disposals(self, heads):
        return self.records(heads, {"medium-retired": "retired"})

    def losses(self, heads):
        return self.records(heads, {"medium-lost": "lost", "medium-found": "found again"})

    def procedures(self):
        for p in self.w.procedures:
            d = next((d for d in reversed(self.w.drills) if d["procedure"]["sha256"] == p["sha256"]), None)
            proves = d and d["verdict"] in ("passed", "late") and d["erased"]
            yield [p["name"], d["procedure"]["title"] if d else "", d["procedure"]["version"] if d else "", p["sha256"],
                   local(when(d["finished"])) if d else "", d["verdict"] if d else "",
                   "rehearsed as it stands" if proves else "NOT REHEARSED as it stands (未検証)",
                   *self.approval(p["sha256"])]

    def approval(self, sha256):
        r = self.w.approved.get(sha256)
        return (r["operator"] + ("" if r["signed_by"] else " (declared only: 申告)"), local(when(r["time"]))) if r else ("", "")

    def drill_rows(self):
        for d in self.w.drills:
            sets = [next(s for s in self.sets if s["name"] == x["dataset"]) for x in d["datasets"]]
            bytes_, ms = sum(x["bytes"] for x in d["datasets"]), sum(x["ms"] for x in d["datasets"])
            strict = [min((seconds(s[k]) for s in sets if k in s), default=0) for k in ("rto", "rpo")]
            p = d["procedure"]
            yield {"No.": str(d["seq"]), "Ended": local(when(d["finished"])), "Kind": d["kind"], "Procedure": p["title"] + " " + p["version"],
                   "Verdict": d["verdict"], "Medium": "%s (%s)" % (d["label"], d["type"]),
                   "Generations": ", ".join("%s@%d" % (x["dataset"], x["generation"]) for x in d["datasets"]), "Bytes restored": str(bytes_),
                   "Seconds per GB": "%.1f" % (ms / 1e3 / (bytes_ / 1e9)) if bytes_ >= 1e7 else "", "RTO, measured": span(d["recovery_s"]),
                   "RTO, of the policy": span(strict[0]) if strict[0] else "",
                   "RTO, of the procedure": span(d["procedure_rto_s"]) if d.get("procedure_rto_s") else "", "RPO, measured": span(d["rpo_s"]),
                   "RPO, of the policy": span(strict[1]) if strict[1] else "", "Steps: all, failed, late": "%(steps)d, %(failed)d, %(late)d" % d,
                   "Isolated": {True: "yes", False: "no", None: ""}[d.get("isolated")],
                   "Erased": "yes" if d["erased"] else "no", "Operator": d["operator"], "Computer": d["host"],
                   "Signed by": d["signed_by"] or "declared only", "Brought by": d["carried_by"]}

    def gates(self):
        for r in self.w.drills:
            for g in r["gates"]:
                for i in range(g["people"]):
                    p = g["signed"][i] if i < len(g["signed"]) else {"by": "NOT SIGNED", "evidence": "", "when": None}
                    yield [str(r["seq"]), local(when(r["begun"])), "drill: played, confirms nothing" if r["kind"] == "drill" else "recovery",
                           " ".join(filter(None, (r["procedure"]["title"], r["procedure"]["version"]))),
                           ", ".join("%s@%d" % (d["dataset"], d["generation"]) for d in r["datasets"]), str(g["step"]), g["text"],
                           g["pass"] or "", "%s, %d of %d" % (g["role"], i + 1, g["people"]), p["by"], local(p["when"] and when(p["when"])),
                           p["evidence"], r["signed_by"] or "declared only"]

    def named(self, role):
        return ", ".join(p["name"] for p in self.people if role in p["roles"])

    def stated(self, d, key):
        return short(seconds(d[key])) if key in d else "(not stated)"

    def how_made(self, d):
        return "files and folders" if "paths" in d else "dump by a command"

    def newest_size(self, d):
        counted = self.counting(d["name"])
        return size(counted[-1].bytes) if counted else ""

    def regulation(self):
        yield from self.clauses()
        yield from article(12, "Changes", "this chapter is that of the policy with SHA-256 %s; whoever changes the policy has it signed anew"
                           % self.w.policy)
        r = self.w.rules
        yield ["", "Approval", "approved by %s on %s (%s), SHA-256 of the text: %s" % (
            r["operator"], day_of(when(r["time"])), "signed" if r["signed_by"] else "declared only", r["sha256"]) if r else
            "NOT APPROVED by anybody yet"]
        yield from self.rules_changed()

    def rules_changed(self):
        """each clause that is not as it was approved (in English, here), by its parts; the part before the first mark is what it is about"""
        def parts(rule):
            return re.findall(r".+?(?:[:;,] |[：；、。]|$)", rule)

        def key(clause):
            return clause[0], parts(clause[2])[0]
        now = list(self.clauses())
        was = [[c["article"], c["subject"], c["rule"]] for c in self.w.rules["clauses"]] if self.w.rules else now
        gone, come = [c for c in was if c not in now], [c for c in now if c not in was]
        for old in gone:
            new = next((c for c in come if key(c) == key(old)), None)
            if not new:
                line = old[2] + " → (no longer there)"
            else:
                come.remove(new)
                a, b = parts(old[2]), parts(new[2])
                while a[1:] and b[1:] and a[-1] == b[-1]:
                    a, b = a[:-1], b[:-1]
                first = next(i for i in range(len(a)) if a[i] != b[i])
                line = (a[0] if first else "") + "".join(a[first:]) + " → " + "".join(b[first:])
            yield [old[0], "CHANGED since the approval", line]
        for c in come:
            yield [c[0], "CHANGED since the approval", "(was not there) → " + c[2]]

    def rules_note(self):
        return "nobody has approved it as it stands" if not self.w.rules else \
            "clauses changed since its approval: form 15 names them" if any(self.rules_changed()) else ""

    def clauses(self):
        """15, but for the article that names the policy: no agreed figure is above the policy's here"""
        roles = ("manager", "operator", "witness", "restorer", "keyholder", "vendor", "auditor")
        yield from article(1, "Purpose", "so that patients can be treated when systems fail or are attacked, the data named below is backed up, "
                           "kept away from the network, and its recovery rehearsed (checklist, item 3-②)")
        yield from article(2, "Who does what", *("%s: %s" % (r, self.named(r)) for r in roles if self.named(r)))
        yield from article(3, "What is backed up", *(
            "%s: captured %s; recovery point within %s, in use again within %s; restored in the order of its priority (%s)" % (
                d.get("title", d["name"]), self.schedule(d), self.stated(d, "rpo"), self.stated(d, "rto"), d.get("priority", "-"))
            for d in self.sets))
        left = ["%s is not backed up: %s" % (x["name"], x.get("reason", "reason not on record")) for x in self.p.get("excluded", [])] + \
            ["%s is backed up by %s: %s" % (x["name"], x["vendor"], x["how_often"]) for x in self.p.get("external", [])]
        yield from article(4, "What is not", *(left or ["nothing that is needed for treatment is left out"]))
        yield from article(5, "Generations", *(
            "%s: at least %d verified generations are kept; a failed or partial one never counts" % (d.get("title", d["name"]), d["generations"])
            for d in self.sets), "generations expire by 'bkp expire' alone, which a person runs; no figure agreed here is lowered without the "
            "approval that the policy names")
        yield from article(6, "Media and places", *("%s (%s): %s" % (
            m["name"], MAGNETIC[m["type"]], ("kept offline at " if m.get("offline") else "attached, at ") + m["place"]) for m in self.p["media"]))
        yield from article(7, "Rotation of media kept offline", "an operator attaches the medium, 'bkp rotate' fills, verifies and seals it; it "
                           "is taken away at once, its place is recorded, and two people sign the slip")
        yield from article(8, "Encryption and keys", "what is captured is encrypted; the capturing computer holds public keys alone. Recovery "
                           "keys are kept by: " + (self.named("keyholder") or "nobody named"),
                           "a holder opens what is captured every 396 days")
        yield from article(9, "Watching", "each morning somebody looks at the line that the night has left; a data set that looks as if it had "
                           "been encrypted is held, nothing expires and it goes onto no offline medium until a manager has decided")
        yield from article(10, "Recovery and drills", "recovery follows the procedures in force (form 10); a real recovery begins only when its "
                           "confirmations (form 12) are signed", "recovery is rehearsed every 365 days, and after each change of a procedure or "
                           "of the source's version")
        yield from article(11, "Records and audit", "every act is recorded in the signed journal, which is not shortened; an auditor verifies it "
                           "once a year with the public key alone")

    def plan(self):
        purpose, agreement = "Purpose of the backup", "Agreement on the plan"
        yield [purpose, "Item of the checklist", "3-②"]
        yield [purpose, "Purpose", "patients can be treated with restored data although every system and every copy that was attached to the "
               "network is lost"]
        for d in self.sets:
            yield ["Data and how it is backed up", d.get("title", d["name"]), "%s; captured %s; %d generations; recovery point within %s; %s" % (
                self.how_made(d), self.schedule(d), d["generations"], self.stated(d, "rpo"), self.newest_size(d))]
        for m in self.p["media"]:
            yield ["Media", m["name"], "%s, %s, at %s" % (MAGNETIC[m["type"]], "kept offline" if m.get("offline") else "attached", m["place"])]
        yield [agreement, "Operators", self.named("operator")]
        yield [agreement, "Witnesses", self.named("witness")]
        yield [agreement, "Vendor", self.named("vendor")]
        yield [agreement, "In force from", ""]
        yield [agreement, "Looked at again on", ""]

    def hearing(self):
        where = {row[0]: row[1] for row in self.datasets()}
        for d in self.sets:
            name = d.get("title", d["name"])
            for question, answer in (
                    ("Where is the data, and on which computer?", where[name]),
                    ("How large is it, and how much changes a day?", self.newest_size(d)),
                    ("How is a consistent copy made while it is in use?", self.how_made(d)),
                    ("When may it be captured?", self.schedule(d)), ("How soon must it be in use again?", self.stated(d, "rto")),
                    ("Whose duty is the backup, and whose the recovery?", DUTY[d.get("responsibility")]),
                    ("Software and version that a recovery needs", ""),
                    ("What else is needed to start it (licences, accounts, order)", "")):
                yield [name, question, answer, ""]

    def pace_rows(self):
        yield from pace_rows(self.w.drills, self.title, lambda uuid: self.w.m[uuid].data.get("model", "") if uuid in self.w.m else "")

    def findings(self):
        for number, f in self.w.findings.items():
            end = f.get("closed")
            yield [number, local(f["at"]), f["source"], f["text"], f["owner"], f["due"], f["measure"]["text"] if "measure" in f else "",
                   end["text"] if end else "", end["operator"] if end else "",
                   "closed" if end else "OVERDUE" if str(day_of(self.at)) > f["due"] else "open"]

    MAY = {"manager": "decides, approves, looks at uses of keys", "operator": "brings media in and takes them away",
           "witness": "signs when a medium changes hands", "restorer": "restores, with a key that somebody hands over"}

    def people_rows(self):
        order = ["manager", "operator", "witness", "keyholder", "restorer", "auditor", "vendor"]
        for p in self.people:
            roles = sorted(p["roles"], key=order.index)
            yield [p["name"], ", ".join(roles), ", ".join(self.MAY[r] for r in roles), "", "yes (兼務)" if len(roles) > 1 else "", ""]
        yield ["bkp on the capturing computer", "capture",
               "captures, writes media; holds public keys alone: cannot decrypt what it has written", "", "", ""]

    def key_rows(self):
        words = {"added": "envelope put away", "opened": "envelope opened", "sealed": "envelope sealed again", "retired": "envelope given up"}
        for r in self.w.keys:
            envelope = r["event"] == "envelope"
            yield [str(r["seq"]), local(when(r["time"])), "first period" if r["event"] == "init" else words[r["action"]],
                   "" if envelope else "1, 1", r.get("person") or "" if envelope else ", ".join(r.get("people", [])), r.get("number") or "",
                   r.get("seal") or "", r.get("place") or "", r.get("holder") or "", r.get("why") or "", r.get("operator") or ""]

    # ---- drills
    def drilled(self, d):
        """the newest drill that proves, is one due, and how long it took"""
        mine = [x for x in self.w.drills if any(s["dataset"] == d["name"] for s in x["datasets"])]
        good = next((x for x in reversed(mine) if x["verdict"] in ("passed", "late") and x["erased"]), None)
        reported = [g for g in self.of(d["name"]) if g.state == "committed"]
        if not reported:
            return good, False
        if not good:
            return None, self.at >= self.w.created + timedelta(days=365 / 4)
        edited = self.w.procedures and all(p["sha256"] != good["procedure"]["sha256"] for p in self.w.procedures)
        return good, edited or self.at >= when(good["finished"]) + timedelta(days=365)

    def bcp(self):
        for d in self.sets:
            good, _ = self.drilled(d)
            made = "files and folders" if "paths" in d else "dump by a command"
            yield [self.title(d["name"]), self.schedule(d), made, ", ".join(m["name"] for m in self.p["media"] if self.medium(m["name"])),
                   good["procedure"]["title"] if good else "", short(seconds(d["rto"])) if "rto" in d else "",
                   self.took(d["name"], good) if good and good["recovery_s"] else ""]

    def took(self, name, good):
        """of the last one, and between which all of them lie"""
        all_ = [x["recovery_s"] for x in self.w.drills if x["verdict"] in ("passed", "late") and x["erased"] and
                any(s["dataset"] == name for s in x["datasets"])]
        if len(all_) == 1:
            return span(good["recovery_s"]) + " (measured once)"
        return "%s (the last of %d: %s to %s)" % (span(good["recovery_s"]), len(all_), span(min(all_)), span(max(all_)))

    # ---- the month; what to do next is sentences, not figures: they are not compared
    def month(self):
        first = day_of(self.at).replace(day=1)
        def inside(t):
            return bool(t) and day_of(t) >= first and t <= self.at
        gs = [g for g in self.w.g.values() if inside(g.begun)]
        there = [g for g in gs if g.state in ("committed", "expired")]
        good, partial = (sum(g.verdict == v for g in there) for v in ("good", "partial"))
        failed = sum(g.state in ("failed", "abandoned") for g in gs)
        suspect = [g for g in gs if g.suspect]
        yield ["Month", "%s to %s" % (first, day_of(self.at)), "", ""]
        yield ["How things stand", "", None, ""]
        yield ["Captures in this month", "good %d, partial %d, failed %d" % (good, partial, failed),
               MISSING if failed or not good else ATTENTION if partial else MET, ""]
        yield ["Stored in this month", size(sum(g.new for g in there)), "", ""]
        yield ["Suspect, undecided, of this month", str(len(suspect)), MISSING if suspect else MET, ", ".join(map(str, suspect))]
        verdicts = []
        for d in self.sets:
            dates = {day_of(g.begun) for g in self.counting(d["name"])}
            newest = max((g.begun for g in self.counting(d["name"])), default=None)
            v = MET if len(dates) >= d["generations"] else ATTENTION if dates else MISSING
            if newest and (self.at - newest).total_seconds() > 1.5 * self.every(d):
                v = ATTENTION
            verdicts.append(v)
        yield self.sum_up("Three generations", verdicts)
        rules = [self.rule_of(d) for d in self.sets]
        yield self.sum_up("3-2-1", [max((r[0][0], r[1][0], r[2][0]), key=RANK.get) for r in rules])
        none = [self.title(d["name"]) for d, r in zip(self.sets, rules) if not r[4]]
        oldest = min(((r[4].begun, i) for i, r in enumerate(rules) if r[4]), default=None)
        yield ["Oldest recovery point that is offline", "none" if none else local(oldest[0]), MISSING if none else "",
               ", ".join(none) if none else self.title(self.sets[oldest[1]]["name"])]
        known = [(pm, m) for pm, m in self.declared() if m and pm.get("offline")]
        late = [pm["name"] for pm, m in known if not m.rotated or (self.at - m.rotated).total_seconds() > self.swap(pm)]
        turned = sum(inside(m.rotated) for m in self.w.m.values() if m.offline)
        yield ["Media kept offline", "%d rotated, %d overdue" % (turned, len(late)), ATTENTION if late else MET, ", ".join(late)]
        lost = [m.label for m in self.w.m.values() if m.lost and not m.retired]
        yield ["Media lost or not found", str(len(lost)), MISSING if lost else MET, ", ".join(lost)]
        due = [self.title(d["name"]) for d in self.sets if self.drilled(d)[1]]
        n = sum(inside(when(d["finished"])) for d in self.w.drills)
        yield ["Drills, recoveries", "%d in this month; due for %d data sets" % (n, len(due)), ATTENTION if due else MET, ", ".join(due)]
        uses = sum(inside(when(u["begun"])) for u in self.w.uses)
        yield ["Uses of recovery keys", "%d in this month; %d not looked at yet" % (uses, len(self.w.uses)),
               ATTENTION if self.w.uses else MET, ""]

    def sum_up(self, item, verdicts):
        bad = [self.title(d["name"]) for d, v in zip(self.sets, verdicts) if v != MET]
        return [item, "%d of %d data sets" % (len(verdicts) - len(bad), len(verdicts)), max(verdicts, key=RANK.get), ", ".join(bad)]


def size(n):
    if n < 1024:
        return "%d B" % n
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        n /= 1024
        if n < 1024 or unit == "TiB":
            return ("%.1f %s" if n < 10 else "%.0f %s") % (n, unit)


def main(journal, policy, at, pack, *only):
    from fold_checklist import Checklist  # it takes its dates from here
    world = World(journal, datetime.strptime(at, "%Y-%m-%dT%H:%M:%S%z"))
    site = Site(yaml.safe_load(open(policy, encoding="utf-8")), world)
    checklist = Checklist(site)
    by_name = {"selfcheck": checklist.selfcheck, "evidence": checklist.evidence, "datasets": site.datasets, "external": site.external,
               "generations": site.generations, "rule": site.rule, "media": site.media, "allowed": site.allowed, "transfers": site.transfers,
               "disposals": site.disposals, "losses": site.losses, "procedures": site.procedures, "drills": site.drill_rows,
               "pace": site.pace_rows, "gates": site.gates, "contacts": site.contact_rows, "wall": site.contact_rows,
               "people": site.people_rows, "keys": site.key_rows, "regulation": site.regulation, "bcp": site.bcp, "plan": site.plan,
               "hearing": site.hearing, "month": site.month, "findings": site.findings, "assets": site.assets}
    cells = 0
    seen = set()
    for name in sorted(os.listdir(pack)):
        m = re.fullmatch(r"\d\d[a-z]?_([a-z]+)\.csv", name)
        if not m:
            continue
        if m[1] not in by_name:
            sys.exit("not folded here: " + name)
        seen.add(m[1])
        heads, *rows = csv.reader(open(os.path.join(pack, name), encoding="utf-8-sig", newline=""))
        f = by_name[m[1]]
        want = list(f(heads) if m[1] in ("media", "allowed", "transfers", "disposals", "losses") else f())
        want = [[w[h] for h in heads] if isinstance(w, dict) else w for w in want]
        if m[1] == "month":  # sentences of what to do next
            rows = [r for r in rows if r[0] and r[0] != "What to do next"]
        if len(rows) != len(want):
            sys.exit("%s: %d rows, the fold has %d\n%s" % (name, len(rows), len(want), first_other(rows, want)))
        for i, (row, w) in enumerate(zip(rows, want)):
            for head, cell, other in zip(heads, row, w, strict=True):
                cell = cell[1:] if cell[:2] in ("'=", "'+", "'-", "'@") else cell
                cells += 1
                if other is not None and cell != other:
                    sys.exit("%s: row %d, '%s' is '%s', the fold has '%s'" % (name, i + 1, head, cell, other))
    if seen != set(only or by_name):
        sys.exit("the pack has no form: %s" % ", ".join(set(only or by_name) - seen))
    if not only:
        look_at_foot(world, pack)
    print(cells)


def look_at_foot(world, pack):
    record, line = world.last()
    foot = json.load(open(os.path.join(pack, "03_datasets.json"), encoding="utf-8"))["foot"]
    if (foot["journal"]["record"], foot["journal"]["sha256"]) != (record["seq"], hashlib.sha256(line).hexdigest()):
        sys.exit("the foot names record %d, the fold ends with %d" % (foot["journal"]["record"], record["seq"]))
    if foot["policy_sha256"] != world.policy:
        sys.exit("the foot names another policy")


def first_other(rows, want):
    for a, b in zip(rows, want):
        if [x for x in a] != [x for x in b]:
            return "%s\n%s" % (a, b)
    return str((rows + want)[min(len(rows), len(want)):][:1])


if __name__ == "__main__":
    main(*sys.argv[1:])
