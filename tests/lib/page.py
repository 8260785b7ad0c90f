#!/usr/bin/env python3
"""page.py FILE: reads a page twice, as XML and as HTML, and refuses anything that could act or fetch.
Prints its text (what a reader sees), one line a block; the parts of a class in front as "CLASS: text"."""
import html.parser
import sys
import xml.etree.ElementTree as ElementTree

ALLOWED = set("""html head meta title style body table thead tbody tfoot tr td th p h1 h2 h3 h4 h5 h6 ul ol li div span section
pre code br hr blockquote em strong svg path""".split())
ATTRIBUTES = {"class", "lang", "charset", "start", "http-equiv", "content"}
DRAWING = {"svg": {"class", "viewBox"}, "path": {"d"}}
EMPTY = {"meta", "br", "hr", "path"}


class Html(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, sorted((k, v or "") for k, v in attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in EMPTY, tag
        self.tags.append((tag, sorted((k, v or "") for k, v in attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError("a comment: " + data)


source = open(sys.argv[1], encoding="utf-8", newline="").read()
assert source.startswith("<!DOCTYPE html>\n<html lang=")
root = ElementTree.fromstring(source)
page = Html()
page.feed(source)
page.close()
assert not page.open, page.open
assert page.tags == [(e.tag, sorted((k.lower(), v) for k, v in e.attrib.items())) for e in root.iter()], "XML and HTML see different elements"
assert "".join(page.text).split() == "".join(root.itertext()).split(), "XML and HTML see different texts"
for e in root.iter():
    assert e.tag in ALLOWED, e.tag
    assert set(e.attrib) <= DRAWING.get(e.tag, ATTRIBUTES), e.attrib
metas = [e.attrib for e in root.iter("meta")]
assert metas == [{"charset": "utf-8"}, {"http-equiv": "Content-Security-Policy",
    "content": "default-src 'none'; style-src 'unsafe-inline'"}], metas
styles = list(root.iter("style"))
assert len(styles) == 1 and "url(" not in styles[0].text and "@import" not in styles[0].text
assert "size:A4" in styles[0].text


def show(e):
    if e.tag == "br":
        return "\n"
    return (e.text or "") + "".join(show(c) + (c.tail or "") for c in e)


for e in root.iter():
    if e.tag in ("title", "h1", "h2", "h3", "p", "li", "pre", "th", "td", "blockquote") or e.get("class") in ("head", "stamp"):
        if e.tag != "td" or not list(e.iter("td"))[1:]:
            print((e.get("class") or e.tag) + ": " + show(e).replace("\n", "\\n"))
