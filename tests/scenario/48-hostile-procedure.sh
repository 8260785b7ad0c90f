#!/bin/bash
# Goal: a hostile procedure, medium, folder or neighbour of a drill.  A procedure that nobody signed is not run wherever it lies on
# the medium; nothing that is not seen on paper is run; nothing is written to the medium, nor in a folder of others; steps that
# plant links, mounts, processes and strange output leave no doubt about what became of the data.  All of it without isolation, which would
# hide most of it: what isolation holds back is 44c.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (chown)"
exec </dev/null
mkdir -p "$T/src" "$T/victim"
echo keep >"$T/victim/keep"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
site_make 2>/dev/null
echo hello >"$T/src/a"
"$BKP" run docs >/dev/null 2>&1
R=$(repo_of "$T/m1")
tried=0
block() { # KIND, keys on standard input
	printf '\n```%s\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 1\n' "$1"; cat -; printf '```\n'
}
procedure() { { printf '# t\n'; cat -; } >"$T/$1"; }
drill() { # EXIT CODE-OR-EMPTY FILE TO OPTIONS...
	local want=$1 code=$2 file=$3 to=$4
	shift 4
	tried=$((tried + 1))
	status timeout -k 1 60 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet drill "$file" --to "$to" \
		--isolation off "$@"
	[ "$STATUS" = "$want" ] || fail "$file: exit $STATUS, expected $want"
	[ -z "$code" ] || grep -q "$code" "$T/err" "$to/drill.json" 2>/dev/null || fail "$file: $code is not said" "$T/err"
	! grep -q 'AddressSanitizer\|runtime error' "$T/err" || fail "$file" "$T/err"
	[ "$(ls -A "$T/victim") $(cat "$T/victim/keep")" = "keep keep" ] || die "$file: something was written through a link"
}
step() { # DIR NUMBER EXPRESSION
	python3 -c 'import json,sys; s=json.load(open(sys.argv[1]))["steps"][int(sys.argv[2])]; print(ascii(eval(sys.argv[3])))' \
		"$1/drill.json" "$2" "$3"
}

# ---- unsigned, somewhere on the medium
block run <<<"command: touch $T/ran" | procedure evil.md
cp "$T/evil.md" "$T/m1/evil.md"
mkdir -p "$R/procedures/sub" "$R/procedures.d" "$T/home"
cp "$T/evil.md" "$R/procedures/sub/x.md"; cp "$T/evil.md" "$R/procedures.d/x.md"; cp "$T/evil.md" "$T/home/x.md"
ln -s "$T/home/x.md" "$R/procedures/linked.md"
ln -s "$T/m1/evil.md" "$T/home/to-medium.md"
for f in "$T/m1/evil.md" "$R/procedures/sub/x.md" "$R/procedures.d/x.md" "$R/procedures/linked.md" "$T/home/to-medium.md" \
	"$R/procedures/../../evil.md"; do
	drill 2 E-DRILL-24 "$f" "$T/no"
done
mkdir "$T/mnt"; mount --bind "$T/m1" "$T/mnt"; drill 2 E-DRILL-24 "$T/mnt/evil.md" "$T/no"; umount "$T/mnt"
rm -rf "$R/procedures"
ln -s procedures.d "$R/procedures"; drill 2 E-DRILL-24 "$R/procedures/x.md" "$T/no"; rm "$R/procedures"
ln -s "$T/home" "$R/procedures"; drill 2 E-DRILL-24 "$R/procedures/x.md" "$T/no"
(cd "$R/procedures.d" && status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet drill x.md --to "$T/no" && [ "$STATUS" = 2 ]) ||
	die "by a relative name"
rm "$R/procedures"
[ ! -e "$T/ran" ] && [ ! -e "$T/no" ] || die "an unsigned procedure was run"
# nor from a second medium; nor from the first one, seen to that it cannot be opened
cp "$T/evil.md" "$T/m2/evil.md"
both() { status timeout -k 1 60 "$RESTORE" --medium "$T/m1" --medium "$T/m2" --identity "$T/id.txt" --quiet "$@"; }
both drill "$T/m2/evil.md" --to "$T/no"
[ "$STATUS" = 2 ] && grep -q E-DRILL-24 "$T/err" || die "from the second medium: $STATUS $(cat "$T/err")"
for to in "$T/m2/out" "$T/m1/out"; do
	both extract docs@1 --to "$to"
	[ "$STATUS" = 2 ] && grep -q E-TARGET-04 "$T/err" && [ ! -e "$to" ] || die "extract --to $to of two media: $STATUS $(cat "$T/err")"
done
mv "$R/repository.json" "$T/repository.json"; echo '{}' >"$R/repository.json"
both drill "$T/m1/evil.md" --to "$T/no"
[ "$STATUS" = 2 ] && grep -q E-DRILL-24 "$T/err" || die "from a medium that cannot be opened: $STATUS $(cat "$T/err")"
both extract docs@1 --to "$T/m1/out"
[ "$STATUS" = 2 ] && grep -q E-TARGET-04 "$T/err" && [ ! -e "$T/m1/out" ] ||
	die "onto a medium that cannot be opened: $STATUS $(cat "$T/err")"
rm "$T/m2/evil.md" "$R/repository.json"; mv "$T/repository.json" "$R/repository.json"
[ ! -e "$T/ran" ] && [ ! -e "$T/no" ] || die "an unsigned procedure of one of two media was run"
drill 0 '' "$T/home/x.md" "$T/own"; rm "$T/ran"; rm -rf "$T/own"
say "a procedure that nobody signed is not run from anywhere on the medium, by whatever name or link; one's own file is"

# ---- the medium is not written to, nor a folder of others
list() { find "$T/m1" | sort; }
list >"$T/before"
ln -s "$T/m1" "$T/home/link"
for to in "$T/m1/drill" "$T/m1/deep/er/drill" "$R/tmp" "$T/home/link/x" "$T/m1"; do
	drill 2 E-TARGET-04 "$T/evil.md" "$to"
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract docs@1 --to "$to"
	[ "$STATUS" = 2 ] && grep -q E-TARGET-04 "$T/err" || die "extract --to $to: $STATUS $(cat "$T/err")"
done
list | cmp - "$T/before" || die "the medium was written to"
mkdir -m 755 "$T/theirs"; chown 1000 "$T/theirs"; drill 2 E-DRILL-01 "$T/evil.md" "$T/theirs"
mkdir -m 1777 "$T/shared"; chmod 1777 "$T/shared"; drill 2 E-DRILL-01 "$T/evil.md" "$T/shared"
mkdir "$T/group"; chmod 775 "$T/group"; drill 2 E-DRILL-01 "$T/evil.md" "$T/group"
[ ! -e "$T/ran" ] && [ -z "$(find "$T/theirs" "$T/shared" "$T/group" -mindepth 1)" ] || die "a drill began in a folder of others"
say "a drill or a restoration into the medium, and a drill in a folder that others can change, are refused"

# ---- what is not seen
python3 - "$T" <<'P'
import sys
bad = {"rlo": "\u202e", "lri": "\u2066", "alm": "\u061c", "rlm": "\u200f", "zwsp": "\u200b", "wj": "\u2060",
    "shy": "\u00ad", "tag": "\U000e0041", "filler": "\u3164", "bom": "\ufeff"}
for name, c in bad.items():
    esc = "\\U%08x" % ord(c)
    for kind, text in (("raw", c), ("escaped", esc)):
        for key in ("command", "how"):
            keys = {"who": "a", "what": "b", "how": "c", "pass": "d", "command": "true"}
            keys[key] = '"true # %s x"' % text
            with open(f"{sys.argv[1]}/seen-{name}-{kind}-{key}.md", "w") as f:
                f.write("# t\n\n```run\nminutes: 1\n" + "".join(f"{k}: {v}\n" for k, v in keys.items()) + "```\n")
open(f"{sys.argv[1]}/fine.md", "w").write("# 葛\U000e0100城 \u200d👨\u200d⚕️\n\n```run\nwho: 葛\U000e0100城\n"
    "what: b\nhow: 👨\u200d⚕️\npass: d\nminutes: 1\ncommand: \"true\"\n```\n")
P
for f in "$T"/seen-*.md; do
	tried=$((tried + 1))
	status "$RESTORE" procedure check "$f"
	[ "$STATUS" = 64 ] && grep -qE 'E-PROC-(01|10)' "$T/err" || fail "${f##*/}: exit $STATUS" "$T/err"
done
expect 0 "$RESTORE" procedure check "$T/fine.md"
{ printf '\n```procedure\nvariables: [{name: v, type: text, value: x}]\n```\n'; block run <<<'command: "true"'; } | procedure value.md
drill 64 E-PROC-20 "$T/value.md" "$T/no" --set "v=$(printf 'a\342\200\256b')"
# what the page shows is what is run: entities, markup and fences in a command stay what they are
block run <<'Y' | procedure shown.md
command: |
  : '&#x202e; &lt;b&gt; <!-- x --> </pre><script>alert(1)</script>'
  : '~~~' `: '~~~~'`; cat <<'E' >/dev/null
  # heading  [a](javascript:x) ${home}
  E
Y
drill 0 '' "$T/shown.md" "$T/shown"
python3 - "$T" <<'P'
import html.parser, re, sys
t = sys.argv[1]
class P(html.parser.HTMLParser):
    on, pre = False, ""
    def handle_starttag(self, tag, a):
        assert tag != "script"
        self.on |= tag == "pre"
    def handle_endtag(self, tag): self.on &= tag != "pre"
    def handle_data(self, d): self.pre += d if self.on else ""
p = P(); p.feed(open(t + "/shown/drill.html", encoding="utf-8").read())
source = open(t + "/shown.md").read().split("command: |\n")[1].split("```")[0]
assert p.pre.strip() == re.sub("(?m)^  ", "", source).strip(), p.pre
P
say "characters that are not seen, or turn what is, are refused raw and as escapes; the page shows a command as it is run"

# ---- output
block check <<'Y' | procedure output.md
command: printf '\033]0;x\007\342\200\256evil \377 <script>alert(1)</script> ]]> \000 \355\240\200'
value: "<b>x</b>"
Y
drill 2 E-DRILL-16 "$T/output.md" "$T/output" --operator '<i>"x'
python3 -c 'import json,sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$T/output/drill.json"
! grep -qP '\x1b|\x07' "$T/err" "$T/output/drill.html" &&
	! grep -q $'\342\200\256' "$T/err" "$T/output/drill.html" "$T/output/drill.json" || die "control characters got through"
! grep -q '<script>\|<i>\|<b>' "$T/output/drill.html" || die "markup got through"
long=$(printf '%1024s' '' | tr ' ' x)
for n in 4095 4096 4097; do
	{ printf '\n```procedure\nvariables: [{name: v, type: text, value: %s}]\n```\n' "$long"
	block check <<<"command: head -c $n /dev/zero | tr '\\0' x; echo
value: \${v}\${v}\${v}\${v}"; } | procedure exact.md
	if [ $n = 4096 ]; then drill 0 '' "$T/exact.md" "$T/exact$n"; else drill 2 'E-DRILL-1[67]' "$T/exact.md" "$T/exact$n"; fi
done
say "output of a command reaches terminal, record and page as text; a value of 4,096 bytes and a newline is one, as for a probe"

# ---- links and mounts that a step plants
{ block run <<<"command: ln -s $T/victim docs"; block restore <<<'dataset: docs'; } | procedure l1.md; drill 2 E-IO-07 "$T/l1.md" "$T/l1"
{ block run <<<"command: ln -s $T/victim a"; block restore <<<'dataset: docs
to: a/b'; } | procedure l2.md; drill 2 E-TARGET-02 "$T/l2.md" "$T/l2"
{ block run <<<"command: mkdir docs; ln -s $T/victim docs/$(echo "$T" | cut -d/ -f2)"; block restore <<<'dataset: docs'; } | procedure l3.md
drill 2 E-TARGET-02 "$T/l3.md" "$T/l3"
block run <<<"command: |
  ln -s $T/victim/keep \"\$scratch/../.drill.json.tmp\"
  ln -s $T/victim/keep \"\$scratch/../drill.json\"
  ln -s $T/victim x" | procedure l4.md
drill 0 '' "$T/l4.md" "$T/l4"
[ -f "$T/l4/drill.json" ] && [ ! -L "$T/l4/drill.json" ] || die "the record was written through a link"
block run <<<"command: mkdir -p \"\$scratch/../drill.json/x\"" | procedure l5.md; drill 2 E-DRILL-22 "$T/l5.md" "$T/l5"
block run <<<"command: mkdir m; mount --bind $T/victim m" | procedure l6.md; drill 1 E-DRILL-21 "$T/l6.md" "$T/l6"; umount "$T/l6/scratch/m"
block run <<<"command: mount --bind $T/victim \"\$scratch\"" | procedure l7.md; drill 1 E-DRILL-21 "$T/l7.md" "$T/l7"
umount "$T/l7/scratch"
block run <<<"command: mv \"\$scratch\" \"\$scratch.x\"; ln -s $T/victim \"\$scratch\"" | procedure l8.md
drill 1 E-DRILL-21 "$T/l8.md" "$T/l8"
say "links and mounts that a step plants are followed by no later step, by no record and not by the erasure"

# ---- a process that a step leaves behind holds what was erased
{ block restore <<<'dataset: docs'; block run <<Y; } | procedure holder.md
command: |
  setsid sh -c 'trap "" TERM; exec 3<"\$0"; cd /; sleep 300 & echo \$! >$T/pid; wait' "docs$T/src/a" >/dev/null 2>&1 &
  while [ ! -s $T/pid ]; do sleep 0.1; done
Y
drill 1 E-DRILL-25 "$T/holder.md" "$T/holder"
kill -9 "$(cat "$T/pid")" 2>/dev/null || true
grep -q "sleep ($(cat "$T/pid"))" "$T/err" || fail "who holds it is not named" "$T/err"
[ "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["erased"]["ok"])' "$T/holder/drill.json")" = False ] ||
	die "recorded as erased"
! grep -q '>erased' "$T/holder/drill.html" || die "the page says erased"
{ block restore <<<'dataset: docs'; block run <<<'command: sleep 0.5 <docs'"$T"'/src/a >/dev/null 2>&1 &'; } | procedure ends.md
drill 0 '' "$T/ends.md" "$T/ends"
say "erased data that a process left behind still holds open is not called erased: the process is named"
# ---- a step that kills the drill
block run <<<'command: kill -9 $PPID' | procedure kill.md
(drill 137 '' "$T/kill.md" "$T/kill") 2>/dev/null || die "a step that kills the drill"
drill 2 E-DRILL-01 "$T/evil.md" "$T/kill"; grep -q "patients' data" "$T/err" || die "what a killed drill left is not said"
say "$tried hostile cases"
