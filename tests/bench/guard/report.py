"""The tables of what was played (run.py)."""
QUICK_ENOUGH = 2  # nights, for what harms 1 % a night or more
SLOW_ENOUGH = 7  # nights, for 0.2 %


SETS = 3  # the clinic's files, its database as SQL text and as an archive


def aim(x):
    """The nights within which it is to be caught; None: it is only reported."""
    if x["unseen"]:
        return None
    if x["training"]:
        return x["training"] + QUICK_ENOUGH
    share = x["rate"] / 100 if x["rate"] < 100 else (x["each"][0] or sum(x["each"]) / len(x["each"])) / x["of"]
    return QUICK_ENOUGH if share >= 0.01 else SLOW_ENOUGH if share >= 0.002 and not x["once"] else None


def line(x):
    if x["kind"] == "attack":
        return "%5.1f s  %-50s %s, %d %s" % (
            x["seconds"],
            x["name"],
            "night %d" % x["caught"]["night"] if x["caught"] else "NOT CAUGHT",
            x["harmed"],
            x["unit"],
        )
    return "%5.1f s  %-50s %d false in %d nights" % (x["seconds"], x["name"], len(x["alarms"]), x["nights"])


def first_said(x):
    return "; ".join("%s: %s" % (d, s) for d, s in x["caught"]["said"].items()) if x["caught"] else "nothing"


def attack_table(found, order):
    out = ["| attack | caught on night | aim | harmed by then | what was said first |", "|---|---|---|---|---|"]
    for name in order:
        of = [x for x in found if x["kind"] == "attack" and x["name"] == name]
        if not of:
            continue
        nights = " ".join(str(x["caught"]["night"]) if x["caught"] else "-" for x in of)
        harmed = " ".join("%d" % x["harmed"] for x in of)
        said = next((first_said(x) for x in of if x["caught"]), "nothing")
        out.append(
            "| %s | %s | %s | %s of %d %s | %s |"
            % (name, nights, "(%s)" % of[0]["unseen"] if of[0]["unseen"] else aim(of[0]) or "", harmed, of[0]["of"], of[0]["unit"], said)
        )
    return out


def event_table(found, order):
    out = ["| ordinary event | false alarms | of nights | what was said first |", "|---|---|---|---|"]
    for kind, names in (("plain", ["the first nights"]), ("year", ["a year in short"]), ("event", order)):
        for name in names:
            of = [x for x in found if x["kind"] == kind and x["name"] == name]
            if of:
                said = [s for x in of for s in x["alarms"]]
                first = (
                    "%s, night %d%s: %s"
                    % (said[0]["dataset"], said[0]["night"], ", " + said[0]["behind"] if "behind" in said[0] else "", said[0]["said"])
                    if said
                    else ""
                )
                out.append(
                    "| %s | %s | %d | %s |" % (name, " ".join(str(len(x["alarms"])) for x in of), sum(x["nights"] for x in of), first)
                )
    return out


def summary(found):
    out = []
    played = [x for x in found if x["kind"] == "attack"]
    for nights, words in ((QUICK_ENOUGH, "1 % a night or more, within 2 nights"), (SLOW_ENOUGH, "0.2 % a night or more, within 7 nights")):
        of = [x for x in played if aim(x) and (aim(x) == nights or nights == QUICK_ENOUGH and x["training"])]
        caught = [x for x in of if x["caught"] and x["caught"]["night"] <= aim(x)]
        late = sorted(
            {"%s (%s)" % (x["name"], "night %d" % x["caught"]["night"] if x["caught"] else "never") for x in of if x not in caught}
        )
        out.append("attacks of %s: %d of %d caught%s" % (words, len(caught), len(of), "; not: " + ", ".join(late) if late else ""))
    rest = [x for x in played if not aim(x)]
    if rest:
        out.append(
            "others: %d of %d caught within %d nights; not: %s"
            % (
                sum(1 for x in rest if x["caught"]),
                len(rest),
                10,
                ", ".join(sorted({x["name"] for x in rest if not x["caught"]})) or "none",
            )
        )
    for kinds, words in (
        (("plain", "year"), "plain nights and the year in short"),
        (("event",), "each event by itself, on purpose the worst days"),
    ):
        of = [x for x in found if x["kind"] in kinds]
        if of:
            alarms, nights = sum(len(x["alarms"]) for x in of), sum(x["nights"] for x in of)
            out.append(
                "false alarms, %s: %d in %d nights = %.1f a year, %.1f a data set%s"
                % (
                    words,
                    alarms,
                    nights,
                    alarms * 365 / nights,
                    alarms * 365 / nights / SETS,
                    "" if "event" not in kinds else " (%d of %d events)" % (sum(1 for x in of if x["alarms"]), len(of)),
                )
            )
    return out


def tables(found, a, attack_order, event_order):
    plain = [x for x in found if x["kind"] == "plain"]
    out = [
        "Tree %s: %d files behind 30 nights; %d clinics; three data sets (files, SQL text, pg_dump -Fc)."
        % (a.tree, plain[0]["files"], len(plain)),
        "",
    ]
    return "\n".join(
        out + event_table(found, event_order) + [""] + attack_table(found, attack_order) + [""] + ["- " + s for s in summary(found)]
    )
