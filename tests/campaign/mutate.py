#!/usr/bin/env python3
"""The product once more, each step that can be taken out behind a switch: BKP_MUTANT=NAME in the environment takes NAME out.

    mutate.py OUT       the tree, rewritten; build it as the product is built (cmake -S OUT, C flags: -include OUT/mutant.h)
    mutate.py --check   whether mutants.txt and the product name the same steps, in either direction

Nothing of this stands in the product.  A mutant is CALL@FUNCTION (#2: the second such call there; MODULE.FUNCTION where two modules
have a function of that name), so that it survives when code moves; or a text of a function in mutants.txt and what stands there instead.
"""
import collections
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))

# what a call becomes.  sync, same: it is not made, and has succeeded
SYNC = "fsync fdatasync syncfs io_sync io_sync_dir io_sync_parent".split()
WITHIN = "io_write_new io_replace io_add store_w_add store_w_replace".split()  # made, but nothing is synced within it
REPLACES = "io_rename_new renameat2".split()  # what stands there is replaced
SAME = "sodium_memcmp minisig_raw_verify".split()
TRUSTS = "minisig_verify minisig_verify_any minisig_verify_one_of vault_r_verify_signature approval_verify".split()
OPENS = "crypto_aead_chacha20poly1305_ietf_decrypt".split()
DIGEST = re.compile(r", (\(size_t\)2 \* )?(DIGEST_LEN|\w*_CHECK|\w*SUM|8|sizeof\((hash|head|given|\*root|\*keys|root->pub\.key)\))\)$")
ALWAYS = SYNC + WITHIN + REPLACES + SAME + TRUSTS + OPENS + ["memcmp", "crypto_sign_verify_detached", "EVP_DecryptFinal_ex"]
HOME = "io"  # where those of WITHIN call one another

Step = collections.namedtuple("Step", "name path start end before after")
Listed = collections.namedtuple("Listed", "name killer what old new")


def wrap(call, name):
    """(before, after) of the call; before with None: it stands for the call's name."""
    n = '"%s"' % name
    if call in SYNC:
        return "(mutant_unsynced(%s) ? 0 : " % n, ")"
    if call in WITHIN:
        return "(mutant_enter(&mutant_silent, %s), mutant_leave(&mutant_silent, %s, " % (n, n), "))"
    if call in TRUSTS:
        return "(mutant_enter(&mutant_trusting, %s), mutant_leave(&mutant_trusting, %s, " % (n, n), "))"
    if call in REPLACES + OPENS:
        return "(mutant(%s) ? mutant_%s : %s)" % (n, call, call), None
    if call == "crypto_sign_verify_detached":
        return "(mutant_trusting || mutant(%s) ? 0 : " % n, ")"
    return "(mutant(%s) ? %d : " % (n, call == "EVP_DecryptFinal_ex"), ")"


def functions(text):
    """(name, start, end) of each body: from a brace that begins a line to the one that does next."""
    for m in re.finditer(r"^\{\n.*?^\}", text, re.S | re.M):
        head = re.split(r"\n\n|[;}]\n|\*/\n", text[:m.start()])[-1]
        name = re.search(r"(\w+)\(", head)
        if name:
            yield name.group(1), m.start(), m.end()


def closing(text, at):
    """Behind the parenthesis that closes the one at `at`."""
    depth = 0
    for m in re.finditer(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[()]', text[at:]):
        depth += {"(": 1, ")": -1}.get(m.group(), 0)
        if not depth:
            return at + m.end()
    raise ValueError("no end")


def sources():
    for top in ("bkp", "restore"):
        for d, _, names in os.walk(os.path.join(TREE, top)):
            for n in sorted(names):
                if n.endswith(".c"):
                    path = os.path.join(d, n)
                    with open(path, encoding="utf-8") as f:
                        yield os.path.relpath(path, TREE), n[:-2], f.read()


def calls(more):
    """All of them in the product: [(call, module, function, nth, how many, path, start, end)].  more: calls besides those of ALWAYS."""
    out = []
    for path, module, text in sources():
        for function, start, end in functions(text):
            for call in sorted(set(ALWAYS) | more):
                found = []
                for m in re.finditer(r"(?<![\w.>])%s\(" % call, text[start:end]):
                    at = start + m.start()
                    stop = closing(text, start + m.end() - 1)
                    if call != "memcmp" or DIGEST.search(" ".join(text[at:stop].split())):
                        found.append((at, stop))
                if call not in WITHIN or module != HOME:
                    out += [(call, module, function, i + 1, len(found), path, at, stop) for i, (at, stop) in enumerate(found)]
    return out


def listed():
    """mutants.txt: NAME | FAMILY:REGEX | what it is; behind an order '-' and '+' lines; !NAME | why it is none."""
    out, none = {}, {}
    with open(os.path.join(HERE, "mutants.txt"), encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if line[:2] in ("- ", "+ "):
                name = list(out)[-1]
                old, new = out[name].old, out[name].new
                out[name] = out[name]._replace(**({"old": old + line[2:] + "\n"} if line[0] == "-" else {"new": new + line[2:] + "\n"}))
            elif line and line[0] == "!":
                name, why = (w.strip() for w in line[1:].split(" | ", 1))
                none[name] = why
            elif line and line[0] != "#":
                name, killer, what = (w.strip() for w in line.split(" | ", 2))
                out[name] = Listed(name, killer, what, "", "")
    return out, none


def order(m):
    """The text of a function that is put another way."""
    # however it is broken into lines, and comments of the product may stand between
    old = re.compile(r"(?:\s|/\*.*?\*/)*".join(re.escape(w) for w in re.findall(r"\w+|\S", m.old)), re.S)
    *of, function = m.name.split("@")[1].split(".")
    for path, module, text in sources():
        for name, start, end in functions(text):
            hit = old.search(text, start, end) if name == function and of in ([], [module]) else None
            if hit:
                statement = ";" in m.old
                before = 'if (mutant("%s")) { %s } else {' if statement else '(mutant("%s") ? (%s) : ('
                return Step(m.name, path, hit.start(), hit.end(), before % (m.name, " ".join(m.new.split())), "}" if statement else "))")
    return None


def steps():
    """All that can be taken out, and what is wrong with the list."""
    want, none = listed()
    more = {n.split("@")[0] for n, m in want.items() if not m.old} - set(ALWAYS)
    found, faults, out = calls(more), [], []
    homes = collections.defaultdict(set)
    for call, module, function, *_ in found:
        homes[call, function].add(module)
    names = set()
    for call, module, function, nth, n, path, start, end in found:
        name = "%s@%s%s%s" % (call, module + "." if len(homes[call, function]) > 1 else "", function, "#%d" % nth if n > 1 else "")
        names.add(name)
        if name in want:
            before, after = wrap(call, name)
            out.append(Step(name, path, start, end if after else start + len(call), before, after))
        elif call in ALWAYS and name not in none:
            faults.append("the product has %s, mutants.txt has not" % name)
    for name, m in want.items():
        if m.old:
            step = order(m)
            out += [step] if step else []
            names |= {name} if step else set()
    faults += ["mutants.txt has %s, the product has not" % n for n in list(want) + list(none) if n not in names]
    return out, faults


def rewritten(text, here):
    """The outermost first where two begin or end together; one that stands for a name swallows it."""
    edits = []
    for s in here:
        size = s.end - s.start
        edits.append((s.start, 1, -size, s.before, s.end if s.after is None else s.start))
        if s.after:
            edits.append((s.end, 0, size, s.after, s.end))
    out, at = [], 0
    for where, _, _, put, to in sorted(edits):
        out += [text[at:where], put]
        at = max(at, to)
    return "".join(out) + text[at:]


def write(path, text):
    """Only what changed, so that a build goes on where it was."""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def make(out):
    all_steps, _ = steps()
    for top in ("bkp", "restore", "docs", "policies", "CMakeLists.txt"):
        for d, _, names in os.walk(os.path.join(TREE, top)) if os.path.isdir(os.path.join(TREE, top)) else [(TREE, [], [top])]:
            for n in names:
                if not n.endswith(".c"):
                    to = os.path.join(out, os.path.relpath(os.path.join(d, n), TREE))
                    os.makedirs(os.path.dirname(to), exist_ok=True)
                    if not os.path.exists(to) or os.path.getmtime(to) != os.path.getmtime(os.path.join(d, n)):
                        shutil.copy2(os.path.join(d, n), to)
    for path, _, text in sources():
        write(os.path.join(out, path), rewritten(text, [s for s in all_steps if s.path == path]))
    for n, to in (("mutant.h", "mutant.h"), ("mutant.c", "bkp/format/mutant.c")):
        with open(os.path.join(HERE, n), encoding="utf-8") as f:
            write(os.path.join(out, to), f.read())


def main():
    if sys.argv[1] != "--check":
        return make(os.path.abspath(sys.argv[1]))
    all_steps, faults = steps()
    print("\n".join(faults + ["%d mutants, %d differences" % (len(all_steps), len(faults))]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
