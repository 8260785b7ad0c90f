#!/bin/bash
# What holds of every file of the tree.  Each check is a function that prints its offences, FILE:LINE: WHAT, one a line; a new one is
# added to the list at the end.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/lib/files.sh
. tests/lib/packages.sh
export LC_ALL=C.UTF-8
bkp_install clang-format-14 shellcheck python3 >&2 || exit 1

# each N COMMAND...: of the names on standard input, N at a time, on every processor
each() { xargs -d '\n' -r -P "$(nproc)" -n "$@"; }

formatted() { # as .clang-format says; another version of the program would say something else
	tree_files | grep '\.[ch]$' | each 50 clang-format-14 --dry-run -Werror 2>&1 |
		sed -n '/^[^ ]*:[0-9]*:[0-9]*: /p; /^Error/p'
}

shell() {
	tree_scripts | each 8 shellcheck -S warning -f gcc
}

columns() { # of a script: 140 characters, a tab up to the next of eight
	tree_scripts | each 1000 python3 -c 'import sys
for name in sys.argv[1:]:
    for n, line in enumerate(open(name, encoding="utf-8", errors="replace"), 1):
        width = len(line.rstrip("\n").expandtabs(8))
        if width > 140:
            print(f"{name}:{n}: {width} columns, 140 at most")'
}

ends() { # what the fuzzers begin with is cut off where it is, and vectors of others stay as they are
	tree_files | grep -vE '^tests/(fuzz/seeds|vectors)/' | each 1000 python3 -c 'import sys
for name in sys.argv[1:]:
    text = open(name, "rb").read()
    if text and b"\0" not in text and (not text.endswith(b"\n") or text.endswith((b"\n\n", b"\r\n"))):
        print("%s:%d: does not end with exactly one newline" % (name, len(text.splitlines())))'
}

floor_plan() { # folders, READMEs, circles, layers: docs/architecture.md
	python3 tests/lib/house_tree.py
}

kinds() { # what a program does next depends on an error's kind (bkp/base/err.h)
	! tree_files | grep -E '^(bkp|restore)/.*\.c$' | each 100 grep -nE 'strn?cmp\([^;]*code[^;]*"[EW]-[A-Z]'
}

status=0
for check in formatted shell columns ends floor_plan kinds; do
	ended=0
	offences=$($check) || ended=$?
	[ -n "$offences" ] || [ $ended = 0 ] || offences="$check: the check itself fails: exit $ended"
	[ -z "$offences" ] || { printf '%s\n' "$offences"; status=1; }
done
exit $status
