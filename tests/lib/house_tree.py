"""The floor plan, as docs/architecture.md states it: house_tree.py [TREE] prints each offence, and exits 1 if there is one.

A folder of sources holds at most FILES files and a README.md, and stands in bkp/README.md.  Folders include each other in one direction only, and so do the modules of
a folder, unless a header says "circle: OTHER, WHY".  A layer includes what lies below it.  tests/unit has the folders of the product.
"""
import collections
import os
import re
import sys

FILES = 30
LAYERS = ["base", "format", "read", "write", "cmd"]
TOPS = ["bkp/" + layer for layer in LAYERS] + ["restore"]
TEXT_MAX = 40  # lines of a README.md


def folders(tree):
    for top in TOPS:
        for d, _, names in os.walk(os.path.join(tree, top)):
            names = [n for n in names if not n.startswith(".")]
            if any(n.endswith((".c", ".h")) for n in names):
                yield os.path.relpath(d, tree), sorted(names)


def read(tree, path):
    with open(os.path.join(tree, path), encoding="utf-8") as f:
        return f.read()


def includes(tree, path):
    """Paths from the top of the tree, of those that are the product's own."""
    for name in re.findall(r'^#include "([^"]+)"', read(tree, path), re.M):
        full = name if name.startswith("restore/") else "bkp/" + name
        if os.path.exists(os.path.join(tree, full)):
            yield full


def module(folder, name, headers):
    """What a file belongs to: its own header, else the longest one whose name it begins with."""
    stem = name[:-2].removesuffix("_private")
    while stem + ".h" not in headers and "_" in stem:
        stem = stem.rsplit("_", 1)[0]
    return folder + "/" + stem


def circles(edges):
    """Each set of nodes that reach one another, once."""
    def reached(a):
        seen, todo = set(), [a]
        while todo:
            for b in edges.get(todo.pop(), ()):
                if b not in seen:
                    seen.add(b)
                    todo.append(b)
        return seen
    reach = {a: reached(a) for a in edges}
    return {tuple(sorted(b for b in reach[a] if a in reach.get(b, ()))) for a in edges if a in reach[a]}


def layer(path):
    top = path.split("/")
    return "restore" if top[0] == "restore" else top[1]


def may_include(a, b):
    if a == "restore":
        return b in ("restore", "base", "format", "read")
    return b in LAYERS[:LAYERS.index(a) + 1]


def offences(tree):
    between, within, said = collections.defaultdict(set), collections.defaultdict(set), set()
    plan = dict(folders(tree))
    index = read(tree, "bkp/README.md")
    for folder, names in plan.items():
        if len(names) > FILES:
            yield "%s: %d files, at most %d" % (folder, len(names), FILES)
        if "| `%s/` |" % os.path.relpath(folder, "bkp") not in index and folder != "bkp/base/malloc":
            yield "%s: not in bkp/README.md" % folder
        if "README.md" not in names:
            yield "%s: no README.md" % folder
        elif len(read(tree, folder + "/README.md").splitlines()) > TEXT_MAX:
            yield "%s/README.md: more than %d lines" % (folder, TEXT_MAX)
        headers = {n for n in names if n.endswith(".h") and not n.endswith("_private.h")}
        for n in names:
            if not n.endswith((".c", ".h")):
                continue
            path = folder + "/" + n
            mine = module(folder, n, headers)
            said |= {frozenset((mine, folder + "/" + o)) for o in re.findall(r"circle: (\w+),", read(tree, path))}
            for other in includes(tree, path):
                there = os.path.dirname(other)
                if not may_include(layer(path), layer(other)):
                    yield "%s includes %s, of a layer above" % (path, other)
                if there != folder:
                    between[folder].add(there)
                else:
                    its = module(folder, os.path.basename(other), headers)
                    if its != mine:
                        within[mine].add(its)
    for circle in sorted(circles(between)):
        yield "folders include one another: " + " ".join(circle)
    for circle in sorted(circles({a: {b for b in bs if frozenset((a, b)) not in said} for a, bs in within.items()})):
        yield "modules include one another: " + " ".join(circle)
    homes = {os.path.relpath(d, os.path.join(tree, "tests/unit")) for d, _, names in os.walk(os.path.join(tree, "tests/unit")) if any(n.endswith(".c") for n in names)}
    for h in sorted(homes):
        if h not in plan and "bkp/" + h not in plan:
            yield "tests/unit/%s: the product has no such folder" % h


def main():
    found = list(offences(sys.argv[1] if len(sys.argv) > 1 else "."))
    for offence in found:
        print(offence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
