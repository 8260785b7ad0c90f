#!/bin/bash
# Goal: the documents say what the programs do, and the tree is what the documents say: man pages for every command and option,
# no broken link, every message code explained, every header complete by itself, the restore side without the writing side.
set -eu
: "${BKP_BIN:?folder of the built programs}"
SRC=${BKP_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
RELEASE=${BKP_RELEASE:-$BKP_BIN}
T=$(mktemp -d "${TMPDIR:-/tmp}/bkp-docs.XXXXXX")
trap 'rm -rf "$T"' EXIT
cd "$SRC"
unset BKP_POLICY BKP_LANG
export LC_ALL=C.UTF-8 COLUMNS=10000 # a synopsis is one line
faults=0
fault() { echo "FAILED: $*" >&2; faults=$((faults + 1)); }
. tests/lib/files.sh
tree_files >"$T/files"

# ---- man pages
for f in docs/man/*.? docs/man/ja/*.?; do
	out=$(mandoc -T lint -W warning "$f" 2>&1) || fault "mandoc: $out"
	out=$(man --warnings -l "$f" 2>&1 >/dev/null) || fault "man: $f: $out"
	[ -z "$out" ] || fault "man: $f: $out"
done
# page HELP-TEXT: it names every long option of the help, and none that the help does not have
options() {
	local page=$1 help=$2 o
	grep -oE -- '--[a-z][a-z-]+' "$help" | sort -u >"$T/of-help"
	grep -oE 'Fl -[a-z][a-z-]+' "$page" | sed 's/^Fl -/--/' | sort -u >"$T/of-page"
	while read -r o; do grep -qx -e "$o" "$T/of-page" "$T/common" || fault "$page does not name $o"; done <"$T/of-help"
	while read -r o; do grep -qx -e "$o" "$T/of-help" || fault "$page names $o, which the program does not have"; done <"$T/of-page"
}
: >"$T/common"
"$BKP_BIN/bkp" help all >"$T/help"
sed -n 's/^  \([a-z-]*\)  .*/\1/p' "$T/help" >"$T/commands"
[ "$(wc -l <"$T/commands")" -ge 7 ] || fault "the commands cannot be read from 'bkp help all'"
"$BKP_BIN/bkp" --help >"$T/help.clinic"
for c in init check run rotate status verify; do grep -q "^  $c  " "$T/help.clinic" || fault "'bkp help' does not show $c"; done
! grep -q '^  journal  ' "$T/help.clinic" || fault "'bkp help' shows more than a clinic needs"
head -n 1 "$T/help" >"$T/help.bkp"
echo "--help --version" >>"$T/help.bkp"
options docs/man/bkp.8 "$T/help.bkp"
printf '%s\n' --policy --lang --json --quiet --help >"$T/common"
while read -r c; do
	[ -f "docs/man/bkp-$c.8" ] || { fault "bkp $c has no man page"; continue; }
	grep -q "^\.It Cm $c\$" docs/man/bkp.8 || fault "bkp.8 does not list the command $c"
	grep -q "Xr bkp-$c 8" docs/man/bkp.8 || fault "bkp.8 does not refer to bkp-$c(8)"
	"$BKP_BIN/bkp" "$c" --help >"$T/help.c"
	options "docs/man/bkp-$c.8" "$T/help.c"
	[ ! -f "docs/man/ja/bkp-$c.8" ] || options "docs/man/ja/bkp-$c.8" "$T/help.c"
	# each option is explained: a line of its own with words behind it (bkp/cmd/app/help.c)
	sed -n '/^  bkp /p' "$T/help.c" | grep -oE -- '--[a-z][a-z-]+' | sort -u | while read -r o; do
		grep -qE -- "^  $o( [^ ]+)?  +[^ ]" "$T/help.c" || echo "$o"
	done >"$T/unexplained"
	[ ! -s "$T/unexplained" ] || fault "bkp $c --help does not explain: $(tr '\n' ' ' <"$T/unexplained")(bkp/cmd/app/help.c)"
	# and takes there what the synopsis says: a public key is no file with a secret one
	sed -n '/^  bkp /p' "$T/help.c" | grep -oE -- '--[a-z][a-z-]+ [^] ]+' | grep -vE -- ' [[|-]| …' | sort -u | while read -r o v; do
		grep -qF -- "  $o $v " "$T/help.c" || echo "$o $v"
	done >"$T/values"
	[ ! -s "$T/values" ] ||
		fault "bkp $c --help: the synopsis has other values than the options: $(tr '\n' ',' <"$T/values")(bkp/cmd/app/help.c)"
	"$BKP_BIN/bkp" help "$c" | cmp -s - "$T/help.c" || fault "bkp help $c is not bkp $c --help"
	# the words behind the command ("add", "list", "show" …)
	sed -n "s/^  bkp $c \([a-z][a-z]*\).*/\1/p" "$T/help.c" | while read -r w; do
		grep -q "Cm $w" "docs/man/bkp-$c.8" || echo "$c $w"
	done >"$T/words"
	[ ! -s "$T/words" ] || fault "not in bkp-$c.8: $(cat "$T/words")"
done <"$T/commands"
for f in docs/man/bkp-*.8; do
	c=${f#docs/man/bkp-}
	grep -qx "${c%.8}" "$T/commands" || fault "$f: there is no such command"
done
: >"$T/common"
"$BKP_BIN/bkp-restore" --help >"$T/help"
options docs/man/bkp-restore.1 "$T/help"
options docs/man/ja/bkp-restore.1 "$T/help"
sed -nE 's/^bkp-restore (--medium DIR )?([a-z]+) .*/\2/p' "$T/help" >"$T/commands.restore"
[ "$(wc -l <"$T/commands.restore")" -ge 8 ] || fault "the commands cannot be read from 'bkp-restore --help'"
while read -r c; do
	grep -q "^\.It Cm $c\$" docs/man/bkp-restore.1 || fault "bkp-restore.1 does not describe $c"
	"$BKP_BIN/bkp-restore" "$c" --help >/dev/null || fault "bkp-restore $c --help"
done <"$T/commands.restore"
# every key of the policy
grep -ohE '\.key = "[a-z_]+"' bkp/format/policy/policy_schema.c | cut -d'"' -f2 | sort -u >"$T/keys"
[ "$(wc -l <"$T/keys")" -ge 30 ] || fault "the policy's keys cannot be read from its schema"
while read -r k; do
	grep -qE "^\.It Ic ([a-z_]+ , )*$k( |\$)" docs/man/bkp-policy.5 || fault "bkp-policy.5 does not describe '$k'"
done <"$T/keys"
# every key of a procedure, in both languages
grep -ohE '\.(key|alias) = "[^"]+"' bkp/format/procedure/procedure_schema.c | cut -d'"' -f2 | sort -u >"$T/keys"
[ "$(wc -l <"$T/keys")" -ge 25 ] || fault "the procedure's keys cannot be read from its schema"
while read -r k; do
	grep -qE "^\.It Ic ([a-z_]+ , )*$k( |\$)" docs/man/bkp-procedure.5 || fault "bkp-procedure.5 does not describe '$k'"
done <"$T/keys"
# the policies in the documents are valid
python3 - "$T" <<'P'
import glob, re, sys
found = [("bkp-policy.5", t) for t in re.findall(r"\.Bd -literal\n(.*?)\.Ed", open("docs/man/bkp-policy.5").read(), re.S)]
for f in ["README.md"] + sorted(glob.glob("docs/**/*.md", recursive=True)):
    text = open(f, encoding="utf-8").read()
    found += [(f, t) for t in re.findall(r"```yaml\n(.*?)```", text, re.S) + re.findall(r"<<'Y'\n(.*?)^Y$", text, re.S | re.M)]
for i, (f, t) in enumerate(found):
    open("%s/policy-%d-%s.yaml" % (sys.argv[1], i, f.replace("/", "_")), "w", encoding="utf-8").write(t)
P
n=0
for p in "$T"/policy-*.yaml; do
	"$BKP_BIN/bkp" check --quiet --policy "$p" 2>"$T/err" || fault "a policy in the documents is not valid: $(cat "$T/err")"
	[ ! -s "$T/err" ] || fault "a policy in the documents is warned of: $(cat "$T/err")"
	n=$((n + 1))
done
[ "$n" -ge 3 ] || fault "the policies in the documents were not found"

# ---- message codes
grep -rhoE '\b[EW]-[A-Z]+-[0-9]{2}\b' --include='*.c' bkp restore | sort -u >"$T/codes"
grep -oE '^\| `[EW]-[A-Z]+-[0-9]{2}`' docs/messages.md | tr -d '|` ' >"$T/listed"
sort "$T/listed" | uniq -d | while read -r c; do echo "$c"; done >"$T/twice"
[ ! -s "$T/twice" ] || fault "docs/messages.md has twice: $(tr '\n' ' ' <"$T/twice")"
sort -u -o "$T/listed" "$T/listed"
d=$(comm -23 "$T/codes" "$T/listed"); [ -z "$d" ] || fault "docs/messages.md does not explain: $(echo $d)"
d=$(comm -13 "$T/codes" "$T/listed"); [ -z "$d" ] || fault "docs/messages.md explains what no program says: $(echo $d)"

while read -r c; do
	for p in bkp bkp-restore; do
		"$BKP_BIN/$p" --lang en explain "$c" >"$T/en" && "$BKP_BIN/$p" --lang ja explain "$c" >"$T/ja" || fault "$p explain $c"
		for l in en ja; do
			[ "$(grep -c . "$T/$l")" = 2 ] && grep -q "^$c: ." "$T/$l" && grep -q '^  → .' "$T/$l" ||
				fault "$p explain $c ($l): $(cat "$T/$l")"
		done
		! cmp -s "$T/en" "$T/ja" || fault "$p explain $c: the same in both languages"
	done
done < <(shuf -n 40 "$T/codes"; tail -n 1 "$T/codes"; head -n 1 "$T/codes")
# the rows are as both languages are cut out of them
grep -E '^\| `[EW]-' docs/messages.md | grep -vE '^\| `[^`]+` \| [^|]+<br>[^|]+ \| [^|]+<br>[^|]+ \|$' >"$T/rows" || true
[ ! -s "$T/rows" ] || fault "docs/messages.md: not two cells in two languages: $(head -n 3 "$T/rows")"

# ---- links and names of files
python3 - "$T/files" >"$T/links" <<'P'
import os, re, sys
files = [l.rstrip("\n") for l in open(sys.argv[1])]
for f in files:
    if not f.endswith(".md"):
        continue
    text = open(f, encoding="utf-8").read()
    plain = re.sub(r"```.*?```", "", text, flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", plain):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        where = os.path.normpath(os.path.join(os.path.dirname(f), path)) if path else f
        if not os.path.exists(where):
            print("%s: broken link %s" % (f, target))
        elif anchor and where.endswith(".md"):
            heads = re.findall(r"^#+ +(.*)$", re.sub(r"```.*?```", "", open(where, encoding="utf-8").read(), flags=re.S), flags=re.M)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in heads}
            if anchor not in slugs:
                print("%s: no heading for %s" % (f, target))
    for name in re.findall(r"`((?:bkp|restore|policies|tests|docs|\.ci)/[\w./\-]*)`", plain):
        if not os.path.exists(name):
            print("%s: there is no %s" % (f, name))
P
while IFS= read -r l; do fault "$l"; done <"$T/links"
[ "$(wc -l <README.md)" -le 250 ] || fault "README.md is longer than 250 lines"
for c in './policies/demo/run.sh' './tests/run.sh'; do
	grep -qF "$c" README.md || fault "README.md does not name $c"
	[ -x "$c" ] || fault "$c cannot be run"
done
# every module stands in its folder's README.md, and every folder of sources has one
grep -E '^(bkp/(base|format|read|write|cmd)|restore)/.*\.h$' "$T/files" | while IFS= read -r h; do
	m=$(basename "$h" .h)
	case $m in *_private) continue ;; esac
	grep -qF "\`$m\`" "$(dirname "$h")/README.md" || echo "$h"
done >"$T/modules"
[ ! -s "$T/modules" ] || fault "the README.md of its folder does not name: $(tr '\n' ' ' <"$T/modules")"

# ---- the tree
cut -d/ -f1 "$T/files" | sort -u |
	grep -vxE 'bkp|restore|policies|tests|docs|CMakeLists\.txt|README\.md|LICENSE|\..*' >"$T/top" || true
[ ! -s "$T/top" ] || fault "does not belong on the top level: $(tr '\n' ' ' <"$T/top")"
tr '\n' '\0' <"$T/files" | xargs -0 grep -nIE '(^|[^A-Za-z0-9_}])/(work|root)/[A-Za-z0-9._-]' -- 2>/dev/null >"$T/paths" || true
[ ! -s "$T/paths" ] || fault "paths of a machine: $(head -n 5 "$T/paths")"

# ---- headers: each compiles alone, seeing its own layer and those below
headers() { find "$1" -name '*.h' | LC_ALL=C sort; } # FOLDER
alone() { # HEADER FLAG...
	local h=$1
	shift
	gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only "$@" -x c "$h" 2>"$T/err" ||
		fault "$h alone: $(head -n 3 "$T/err")"
}
flags=()
for layer in base format read write cmd; do
	mkdir -p "$T/view/$layer"
	ln -s "$SRC/bkp/$layer" "$T/view/$layer/$layer"
	flags+=("-I$T/view/$layer")
	for h in $(headers bkp/"$layer"); do alone "$h" "${flags[@]}"; done
done
for h in $(headers restore); do alone "$h" -I. "-I$T/view/base" "-I$T/view/format" "-I$T/view/read"; done

# ---- authority
above='#include[[:space:]]+["<]([^">]*/)?(write|cmd)/'
! grep -rnE --include='*.[ch]' "$above" restore || fault "restore/ includes the writing side"
! grep -rnE --include='*.[ch]' "$above" bkp/base bkp/format bkp/read || fault "a lower layer includes a higher one"
writing='(store_w|store_x|reap|vault_w|run|pack|capture|medium_w|journal_w|state|mirror|dedup)_[a-z_]+'
grep -rhoE --include='*.h' "^[a-z][a-zA-Z_ *]*\b$writing\(" bkp/write | grep -oE "$writing" | sort -u >"$T/writers"
[ "$(wc -l <"$T/writers")" -ge 30 ] || fault "the writing functions cannot be read from the headers"
nm "$BKP_BIN/bkp-restore" 2>/dev/null | awk 'NF == 3 {print $3}' | sort -u >"$T/symbols"
[ -s "$T/symbols" ] || fault "bkp-restore has no symbols to look at"
d=$(comm -12 "$T/writers" "$T/symbols"); [ -z "$d" ] || fault "bkp-restore can write: $(echo $d)"

# published files are immutable and deleted by reap alone
sources() { grep -rlE --include='*.c' "$1" bkp | LC_ALL=C sort | tr '\n' ' '; } # PATTERN
d=$(sources '(~|&= *~)FS_IMMUTABLE_FL'); [ "$d" = "bkp/write/reap/store_x_dir.c " ] || fault "takes immutable flags off: $d"
d=$(sources '\bstore_x_[a-z]+\('); [ "$d" = "bkp/write/reap/reap.c bkp/write/reap/store_x.c " ] || fault "deletes published files: $d"
d=$(grep -nE '\b(unlink|unlinkat|rmdir|remove)\(' bkp/write/{put,pack,copies,run,rotate}/*.c |
	grep -vE 'unlinkat\(d->tmp,|unlinkat\(dirfd, name,|unlinkat\(dir, next, 0' || true)
[ -z "$d" ] || fault "may delete published files: $d"
d=$(sources '\bstore_w_withdraw\('); [ "$d" = "bkp/write/media/medium_docs.c bkp/write/put/store_w.c " ] || fault "withdraws: $d"

# ---- the program that is carried on media
s=$RELEASE/bkp-restore-static
if [ -x "$s" ]; then
	! readelf -lW "$s" | grep -q INTERP || fault "bkp-restore-static needs a loader"
	! readelf -dW "$s" | grep -q NEEDED || fault "bkp-restore-static needs shared libraries"
	env -i "$s" --version | grep -q '^bkp-restore ' || fault "bkp-restore-static does not run"
elif [ -n "${BKP_RELEASE:-}" ]; then
	fault "there is no bkp-restore-static"
fi

[ "$faults" = 0 ] || exit 1
echo "proved: $(wc -l <"$T/commands") commands and $(wc -l <"$T/commands.restore") of bkp-restore have man pages with all their options;" \
	"$(wc -l <"$T/codes") message codes are explained; links, headers and layers are as described"
