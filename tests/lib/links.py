"""Where the first link of a page leads to whose text fits: links.py FILE PATTERN (searched for; ^ and $ as usual)"""
import re
import sys
from html.parser import HTMLParser


class Links(HTMLParser):
    href, text, found = None, "", None

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.href, self.text = dict(attrs).get("href"), ""

    def handle_data(self, data):
        self.text += data

    def handle_endtag(self, tag):
        if tag == "a" and self.found is None and re.search(sys.argv[2], self.text):
            self.found = self.href


p = Links()
p.feed(open(sys.argv[1], encoding="utf-8").read())
if p.found is None:
    sys.exit("no link is called " + sys.argv[2])
print(p.found)
