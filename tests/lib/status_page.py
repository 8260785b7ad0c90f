#!/usr/bin/env python3
"""status_page.py FILE: refuses a page of 'bkp status --html' that could act or fetch, that is no well-formed document, or that somebody who
sees no colour, sees badly, or sees nothing cannot read: language, order of headings, titles and descriptions of drawings, a table beside each
calendar with the same cells, heads of tables, contrast of 4.5 (of what is drawn 3), computed from its style.  Prints its text."""
import html.parser
import re
import sys
import xml.etree.ElementTree as ElementTree

ALLOWED = set("""html head meta title style body main p h1 h2 ol li div table caption thead tbody tr th td span details summary svg desc text
path""".split())
ATTRIBUTES = set("""lang charset name content http-equiv class scope id role aria-labelledby width height viewBox x y d transform""".split())
EMPTY = {"meta", "path"}
source = open(sys.argv[1], encoding="utf-8", newline="").read()
assert source.startswith("<!DOCTYPE html>\n<html lang="), source[:80]
root = ElementTree.fromstring(source)


def name(e):
    return e.tag.split("}")[-1]


class Html(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in EMPTY, tag
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_comment(self, data):
        raise AssertionError("a comment: " + data)


page = Html()
page.feed(source)
page.close()
assert not page.open and page.tags == [name(e) for e in root.iter()], "XML and HTML see different elements"
for e in root.iter():
    assert name(e) in ALLOWED, e.tag
    assert set(e.attrib) <= ATTRIBUTES, e.attrib
metas = [e.attrib for e in root.iter("meta")]
assert {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"} in metas, metas
assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in metas, metas
assert root.attrib["lang"] in ("ja", "en")
(style,) = list(root.iter("style"))
assert "url(" not in style.text and "@import" not in style.text and "size:A4" in style.text
assert not re.search(r"(?:src|href|url)\s*=", re.sub(r">[^<]*<", "><", source)), "something is fetched"

# headings in order
levels = [int(name(e)[1]) for e in root.iter() if re.fullmatch("h[1-6]", name(e))]
assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels
# drawings are described; identities are given once
ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
assert len(ids) == len(set(ids)), ids
drawings = [e for e in root.iter() if name(e) == "svg"]
for e in drawings:
    assert e.attrib["role"] == "img"
    title, desc = [next(c for c in e if c.attrib.get("id") == i) for i in e.attrib["aria-labelledby"].split()]
    assert name(title) == "title" and name(desc) == "desc" and len(title.text) > 3 and len(desc.text) > 20
# tables have a caption and heads
for t in root.iter("table"):
    assert t.find("caption") is not None and len(t.find("caption").text) > 3
    heads = t.findall("thead/tr/th")
    assert heads and all(h.attrib["scope"] == "col" for h in heads)
    for r in t.findall("tbody/tr"):
        assert r[0].tag == "th" and r[0].attrib["scope"] == "row" and len(r) == len(heads), [c.text for c in r]
# what stands beside a row ends at its place: it must begin within the drawing (11 px letters)
for e in drawings:
    for c in e:
        if c.attrib.get("class") == "r":
            wide = sum(11 if ord(x) > 0x2E80 else 6.4 for x in c.text)
            assert wide <= float(c.attrib["x"]), (c.text, wide, c.attrib["x"])
# each calendar has its table, with the same signs; no sign is told by its colour alone
tables = {t.find("caption").text: t for t in root.iter("table")}
grids = [e for e in drawings if any("rotate" in c.attrib.get("transform", "") for c in e)]
for e in grids:
    t = tables[e[0].text]
    drawn = sorted(c.text for c in e if c.attrib.get("class", "").startswith("s "))
    cells = sorted(d.text for d in t.findall("tbody/tr/td") if d.text)
    assert drawn == cells, "the table says something else than the drawing"
    by = {}
    for c in e:
        if c.attrib.get("class", "").startswith("s "):
            by.setdefault("○" if c.text.isdigit() else c.text, set()).add(c.attrib["class"])
    assert all(len(k) == 1 for k in by.values()), by


# contrast, by WCAG 2.1
def luminance(colour):
    colour = colour.lstrip("#")
    if len(colour) == 3:
        colour = "".join(2 * c for c in colour)
    parts = [int(colour[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    a, b = sorted((luminance(a), luminance(b)), reverse=True)
    return (a + 0.05) / (b + 0.05)


least, pairs = 99, 0
for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style.text):
    rule = dict(p.split(":", 1) for p in body.split(";") if ":" in p)
    pair = []
    if "color" in rule:
        assert "background" in rule, "%s: a colour without its background" % selector
        pair = [(rule["color"], rule["background"], 4.5)]
    if rule.get("fill", "none") != "none":
        pair.append((rule["fill"], "#fff", 4.5))
    if "stroke" in rule:
        pair.append((rule["stroke"], "#fff", 3))
    for a, b, want in pair:
        assert re.fullmatch("#([0-9a-f]{3}|[0-9a-f]{6})", a) and contrast(a, b) >= want, "%s: %s on %s is %.2f" % (
            selector.strip(), a, b, contrast(a, b))
        least, pairs = min(least, contrast(a, b)) if want == 4.5 else least, pairs + 1
assert pairs >= 12, pairs
print("contrast of text at least %.2f" % least)
print("\n".join("".join(e.itertext()).strip() for e in root.iter() if name(e) in ("h1", "h2", "p", "li", "caption", "desc")))
