"""Forms 01 and 02 once more, for fold_forms.py: the edition of the checklist, the policy and the lines of the journal, and 3-② judged as
docs/man/bkp-report.8 and the issue of the forms say it.  Every cell in full, the sentences too.

Beyond fold_forms.py these sites have no shares of one file system, no `together`, and no medium of which only the mount is gone."""
import hashlib
import math
import os
import unicodedata
from datetime import date, timedelta

import yaml
from fold_forms import DAY, MET, day_of, seconds, span, when

EDITIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../policies/checklists")
TITLES = {"03": "Data sets", "04": "Generations, and dates without one", "05": "Judgement of 3-2-1", "06a": "Media that may be connected",
          "10": "Recovery procedures", "11": "Drills and recoveries", "13": "Contacts in an emergency", "14": "Who may do what",
          "14a": "Register of keys", "15": "Operating rules, chapter on backups", "16": "Table for the business continuity plan",
          "20": "Register of equipment"}
# condition: its name, the form that shows it
CONDITIONS = {"dates": ("generations of three dates", "04"), "fresh": ("newest generation", "04"), "gap": ("no gaps", "04"),
              "3-2-1": ("3-2-1", "05"), "offline": ("offline recovery point", "05"), "suspect": ("nothing suspect", "04"),
              "procedure": ("approved procedure", "10"), "drill": ("drill", "11"), "excluded": ("exclusions decided", "03"),
              "contacts": ("contacts", "13"), "datasets": ("data sets that count", "03")}
SCHEDULE = "run 'bkp run %s', and see why the schedule did not"
REHEARSE = "rehearse it on a restore computer with 'bkp-restore drill', and bring its record here with 'bkp journal import'"


def document(number):
    return "form %s %s" % (number, TITLES[number])


def same_item(number):  # 2-④ is 2-4
    return unicodedata.normalize("NFKC", number)


def joined(*words):
    return ", ".join(w for w in words if w)


class Checklist:
    def __init__(self, site):
        self.site, self.p, self.w, self.at = site, site.p, site.w, site.at
        self.policy = site.p.get("checklist", {})
        edition = self.policy.get("edition", "R7")
        with open(os.path.join(EDITIONS, edition + ".yaml"), "rb") as f:
            data = f.read()
        self.edition, self.sha256 = yaml.safe_load(data), hashlib.sha256(data).hexdigest()
        self.today = day_of(self.at)
        important = [d for d in site.sets if d.get("importance") in ("A", "B")]
        self.sets = important if any("importance" in d for d in site.sets) else site.sets
        self.faults = list(self.judge())  # condition, data set or None, what is not so, what to do

    # ---- 3-②
    def judge(self):
        for d in self.sets:
            for look in (self.dates, self.fresh, self.gap, self.rule, self.offline, self.suspect, self.procedure, self.drill):
                yield from ((look.__name__.replace("rule", "3-2-1"), d, *found) for found in [look(d)] if found)
        yield from (("suspect", None, *f) for f in self.undecided(self.w.g.values())[:1] if not any(self.suspect(d) for d in self.sets))
        for x in self.p.get("excluded", []):
            decided = x.get("reason") and x.get("decided_by") and x.get("decided_on", date.max) <= self.today
            if not decided or x.get("review_on", date.max) < self.today:
                yield ("excluded", None, "that '%s' is not captured is not decided, or was to be reviewed" % x["name"],
                       "decide it, and write 'reason', 'decided_by', 'decided_on' and 'review_on' below 'excluded' in the policy")
        if not self.p.get("contacts"):
            yield "contacts", None, "the policy names no contacts", "write whom to call below 'contacts' in the policy"
        for c in self.p.get("contacts", []):
            if self.site.stale(c):
                yield ("contacts", None, "contact '%s' was not confirmed within six months" % c["name"],
                       "call it, and write the day into 'confirmed_on'")
        if not self.sets:
            yield ("datasets", None, "no data set has importance A or B",
                   "decide which data care depends on, and write 'importance: A' or 'B' at it")

    def dates(self, d):
        n = len({day_of(g.begun) for g in self.site.counting(d["name"])})
        if n < 3:
            return "good, verified generations of %d of 3 dates" % n, "let 'bkp run' go on, or run 'bkp run %s'" % d["name"]

    def fresh(self, d):
        newest = max((g.begun for g in self.site.counting(d["name"])), default=None)
        if not newest:
            return "there is no good, verified generation", "run 'bkp run %s'" % d["name"]
        age = (self.at - newest).total_seconds()
        if age > 1.5 * self.site.every(d):
            return ("the newest good, verified generation is %s old, planned is one every %s" % (span(age), d.get("every", "day")),
                    SCHEDULE % d["name"])

    def was_good(self, name):
        return [g for g in self.site.of(name) if g.proved and g.sound() and not g.suspect and g.state in ("committed", "expired")]

    def gap(self, d):
        allowed = max(3, math.ceil(1.5 * self.site.every(d) / 86400))
        days = [day_of(g.begun) for g in self.was_good(d["name"])]
        begin = self.today - 90 * DAY
        for a, b in zip(days, days[1:] + [self.today]):
            if (b - max(a, begin)).days > allowed:
                what = "no good, verified generation between %s and %s (%d days, %d are allowed)" % (a, b, (b - a).days, allowed)
                if b == self.today and days[-1] != b:
                    return what, SCHEDULE % d["name"]
                return what, "write down why, and let no night be missed: it is out of sight on %s" % (b + (90 - allowed) * DAY)

    def rule(self, d):
        for digit, (verdict, _), why in zip("321", self.site.rule_of(d)[:3], self.site.rule_of(d)[5]):
            if verdict != MET:
                return "3-2-1, the '%s': %s" % (digit, why), "see 'bkp status', and do what it says about media"

    def offline(self, d):
        g = self.site.rule_of(d)[4]
        bring = "bring the medium whose turn it is and run 'bkp rotate'"
        if not g:
            return "no medium that is removed holds a good, verified generation", bring
        age = (self.at - g.begun).total_seconds()
        what = "the newest generation on a medium that is removed is %s old" % span(age)
        if "offline_rpo" in d:
            most = seconds(d["offline_rpo"])
            return (what + ", at most %s are allowed" % span(most), bring) if age > most else None
        behind = next((o.begun for o in self.was_good(d["name"]) if o.number > g.number), self.at)
        for pm, m in self.site.declared():
            if m and pm.get("offline") and not m.attached and self.site.sound_on(g, m) and \
                    (self.at - behind).total_seconds() <= self.site.swap(pm):
                return None
        return what + ": its turn is past", bring

    def undecided(self, generations):
        found = sorted((g for g in generations if g.suspect and g.state == "committed" and not g.held), key=lambda g: -g.number)
        return [("'%s' is suspect, and nobody has decided" % g, "look at it: then 'bkp accept %s' or 'bkp hold %s'" % (g, g)) for g in found]

    def suspect(self, d):
        return next(iter(self.undecided(self.site.of(d["name"]))), None)

    def last_drill(self, d, proves=True):
        """when it ended, its record, the generation it brought back"""
        found = [(min(when(r["finished"]), when(r["time"])), r, self.w.g[d["name"], x["generation"]])
                 for r in self.w.drills for x in r["datasets"] if x["dataset"] == d["name"] and
                 (r["verdict"] in ("passed", "late") and (r["erased"] or r["kind"] == "recovery") and x["bytes"] is not None if proves
                  else r["verdict"] == "failed")]
        return max(found, key=lambda f: f[0], default=(None, None, None))

    def procedure(self, d):
        _, last, _ = self.last_drill(d)
        in_force = {p["sha256"]: p["name"] for p in self.w.procedures}
        if not in_force:
            return ("no recovery procedure is on record", "name it below 'procedures' in the policy, run 'bkp run', and approve it with "
                    "'bkp agree --procedure FILE --operator NAME'")
        if last and last["procedure"]["sha256"] in in_force:
            in_force = {last["procedure"]["sha256"]: last["procedure"]["title"]}
        for sha256, name in in_force.items():
            if sha256 not in self.w.approved:
                return ("nobody has approved the recovery procedure '%s' as it stands" % name,
                        "let a manager read it, then 'bkp agree --procedure FILE --operator NAME'")

    def drill(self, d):
        at, last, brought = self.last_drill(d)
        failed = self.last_drill(d, False)[0]
        newest = next((g for g in reversed(self.site.of(d["name"])) if g.state == "committed"), None)

        def other(a, b):
            return a and b and a != b
        what = None
        if failed and (not at or failed > at):
            what = "the last drill failed"
        elif not at:
            what = "nobody has rehearsed to bring it back yet"
        elif self.w.procedures and last["procedure"]["sha256"] not in [p["sha256"] for p in self.w.procedures]:
            what = "the procedure was edited since its last drill: it is not proved as it stands"
        elif newest and other(brought.version, newest.version):
            what = "its software is of another version than in the last drill"
        elif newest and other(brought.host, newest.host):
            what = "another computer captures it than in the last drill"
        elif (day_of(at).year + 1, day_of(at).month, day_of(at).day) < (self.today.year, self.today.month, self.today.day):
            what = "the last drill was on %s, more than a year ago" % day_of(at)
        return (what, REHEARSE) if what else None

    # ---- 目標日
    def late(self, target):
        japan = (self.at + timedelta(hours=9) - self.at.utcoffset()).date()
        end = date(japan.year + (japan.month > 3), 3, 31)
        return "no day by which it is met is stated: it must be" if not target else "OVERDUE (超過)" if target < japan else \
            "the day by which it is met is not within this fiscal year" if target > end else ""

    # ---- the forms
    def of(self, dataset):
        return self.site.title(dataset["name"]) if dataset else "the site"

    def answer(self, item):
        """what people wrote of it, and yes, no or nothing; 'on', yes and no are booleans to this reader of YAML"""
        x = next((x for x in self.policy.get("self", []) if same_item(x["item"]) == same_item(item["number"])), None)
        word = {True: "yes", "はい": "yes", False: "no", "いいえ": "no", None: ""}[(x or {}).get("answer")]
        return x, word, str((x or {}).get("on", (x or {}).get(True, "")))

    def selfcheck(self):
        for item in self.edition["items"]:
            text = "「%s」" % item["quote"] if "quote" in item else item["gist"] + " (in our words)"
            documents = [document(n) for n in item.get("documents", [])]
            x, word, on = self.answer(item)
            target = self.policy.get("target")
            if item.get("kind") == "computed":
                no = bool(self.faults)
                note = joined("%d conditions fail, below" % len(self.faults) if no else "data sets judged: %d" % len(self.sets),
                              self.late(target) if no else "", "the policy's own answer is not used" if x else "")
                day = str(target or "") if no else ""
                yield [item["number"], text, "no" if no else "yes", str(self.today), day, joined(*documents), "bkp, from the records", note]
                for i, (condition, d, what, then) in enumerate(self.faults):
                    yield ["%s (%d)" % (item["number"], i + 1), "%s: %s" % (self.of(d), CONDITIONS[condition][0]), "no", "", day, "", "",
                           "%s → %s" % (what, then)]
                continue
            x = x or {}
            target = x.get("target", target) if word == "no" else None
            by = x.get("by", "")
            if any(p["name"] == by and "manager" in p["roles"] for p in self.site.people):
                by += " (also the manager: 兼務)"
            yield [item["number"], text, word, on, str(target or ""), joined(x.get("document", ""), *documents), by,
                   joined("" if word else "to be answered by a person", self.late(target) if word == "no" else "", x.get("why", ""))]
        yield ["", self.edition["title"], "", "", "", "", "", "edition %s, SHA-256 %s" % (self.edition["edition"], self.sha256)]

    def evidence(self):
        for item in self.edition["items"]:
            if item.get("kind") == "computed":
                rows = self.shown(item)
            else:
                rows = self.answered(item)
            for row in rows:
                yield [item["number"], *row]

    def form(self, number, unmet=""):
        if number == "15":
            unmet = joined(unmet, self.site.rules_note())
        return [document(number), str(self.today), "", "", "this folder; its SHA-256 stands in 00", unmet]

    def answered(self, item):
        x, word, on = self.answer(item)
        paper = (x or {}).get("document", "")
        unmet = {"": "not answered", "yes": "", "no": (x or {}).get("why", "answered with no")}[word]
        for i, number in enumerate(item.get("documents", [])):
            yield self.form(number, "" if i or paper else unmet)
        if paper or not item.get("documents"):
            yield [paper, on, "", "", "", unmet]

    def shown(self, item):
        for number in item["documents"]:
            yield self.form(number)
            for condition, d, what, _ in self.faults:
                if CONDITIONS[condition][1] == number:
                    yield ["", "", "", "", "", "%s: %s" % (self.of(d), what)]
        yield ["policy", "", "", self.w.policy, "policy/ on each medium", ""]
        for p in self.w.procedures:
            a = self.w.approved.get(p["sha256"])
            yield ["recovery procedure " + p["name"], str(day_of(when(a["time"]))) if a else "", "", p["sha256"], "procedures/ on each medium",
                   "" if a else "nobody has approved it as it stands"]
        for d in self.sets:
            at, last, _ = self.last_drill(d)
            if at:
                yield ["record of a drill: " + self.of(d), str(day_of(at)), "", last["file_sha256"], "journal, record %d" % last["seq"],
                       "" if last["signed_by"] else "declared only (申告)"]
        record, line = self.w.last()
        yield ["journal", str(day_of(when(record["time"]))), "", hashlib.sha256(line).hexdigest(), "journal/ on each medium; record %d"
               % record["seq"], ""]
