# shellcheck shell=bash
# Nights one after another, for scenario tests.  Sourced behind site.sh.  What was looked at within a minute of its last change
# is read again the next night, so these nights have a clock of their own (fakeclock.c): each is a day later than the one before.
# The kernel's times of files stay what they are.
#
#   night CODE [ARGUMENT...]   bkp run; $G is the number of its generations ("0": none), $T/json what it printed
#   night_traced CODE …        the same under strace; then `opened` and `bytes_read` say what of $T/src was read
#   night_clock [ARGUMENT...]  of env, for the nights from now on; none: each a day later again
#   same_tree WHAT [MEDIUM]    docs@$G restored is $T/src, judged by compare.sh
NIGHT=${NIGHT:-0}
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore # many nights: without the sanitizers
. "$(dirname "${BASH_SOURCE[0]}")/fakeclock.sh"
NIGHT_CLOCK=()
night_clock() { NIGHT_CLOCK=("$@"); }

in_memory() { # the site's folder moves to memory, before anything is made in it
	local d
	[ -d /dev/shm ] || return 0
	d=$(mktemp -d /dev/shm/bkp-test.XXXXXX)
	chmod 0755 "$d"
	rm -rf "$T"
	T=$d
	export BKP_POLICY=$T/policy.yaml BKP_SLIPS=$T/slips
	. "$SRC_ROOT/tests/lib/fakeclock.sh"
}

at_night() { # COMMAND...: a day later
	NIGHT=$((NIGHT + 1))
	local clock=("FAKECLOCK=$((NIGHT * 86400))")
	[ ${#NIGHT_CLOCK[@]} = 0 ] || clock=("${NIGHT_CLOCK[@]}")
	NIGHT_ENV=("${FAKE_ENV[@]}" "${clock[@]}")
	"$@"
}

night_end() { # CODE: the run's exit code was $STATUS
	[ "$STATUS" = "$1" ] || { cat "$T/err" "$T/json" >&2; die "night $NIGHT: exit $STATUS, expected $1"; }
	G=$(python3 -c 'import json, sys
print(max(d["generation"] or 0 for d in json.load(open(sys.argv[1]))["datasets"]))' "$T/json" 2>/dev/null) || G=0
}

# --all, unless data sets are named
which_sets() {
	local a
	for a in "$@"; do case $a in --* | ??:??) ;; *) return 0 ;; esac done
	echo --all
}

run_night() {
	local want=$1
	shift
	STATUS=0
	# shellcheck disable=SC2046 # nothing, or one word
	env "${NIGHT_ENV[@]}" "$BKP" run --json $(which_sets "$@") "$@" >"$T/json" 2>"$T/err" || STATUS=$?
	night_end "$want"
}

run_traced() {
	local want=$1 e given=()
	shift
	for e in "${NIGHT_ENV[@]}"; do given+=(-E "$e"); done
	STATUS=0
	# shellcheck disable=SC2046 # nothing, or one word
	strace -f -y -qq -s 0 -e trace=open,openat,openat2,read,pread64,readv,mmap "${given[@]}" -o "$T/strace" \
		"$BKP" run --json $(which_sets "$@") "$@" \
		>"$T/json" 2>"$T/err" || STATUS=$?
	night_end "$want"
}

night() { at_night run_night "$@"; }
night_traced() { at_night run_traced "$@"; }

opened() { # regular files of the source that were opened to be read
	sed -n '/O_PATH/d; s/.* = [0-9]*<\(.*\)>$/\1/p' "$T/strace" | grep "^$T/src" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done
}
bytes_read() { # of regular files of the source
	sed -n "s|^[0-9]* *[a-z0-9]*([0-9]*<\($T/src[^>]*\)>.* = \([0-9]*\)\$|\2 \1|p" "$T/strace" |
		while read -r n f; do [ ! -f "$f" ] || echo "$n"; done | awk '{n += $1} END {print n + 0}'
}

field() { # NAME: of what the run printed; of its data sets: of all of them
	python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
print(o[sys.argv[2]] if sys.argv[2] in o else sum(d[sys.argv[2]] for d in o["datasets"]))' "$T/json" "$1"
}

same_tree() {
	rm -rf "$T/o"
	"$RESTORE" --quiet --medium "$T/${2:-m1}" --identity "$T/id.txt" extract "docs@$G" --same-owner --to "$T/o" >"$T/out" 2>&1 ||
		{ cat "$T/out" >&2; die "$1: docs@$G cannot be restored"; }
	"$SRC_ROOT/tests/lib/compare.sh" "$T/src" "$T/o$T/src" >"$T/differences" ||
		{ cat "$T/differences" >&2; die "$1: docs@$G is not the tree"; }
}

block_list() { # GENERATION: where the catalog of the data set docs is, as root.age says, by stock age
	unseal "$(set_of "$T/m1")/generations/$(printf %06d "$1")/root.age" |
		python3 -c 'import json, sys
d = json.loads(sys.stdin.readline())
print(d["blocks"], d["entries"], d["files"], d["bytes"])'
}

changes=0
change() { # WHAT COMMAND...: done to the tree, then a night (exit code $EXPECT)
	local what=$1
	shift
	(cd "$T/src" && "$@") || die "$what: cannot be done here"
	night "${EXPECT:-0}" docs
	same_tree "$what"
	changes=$((changes + 1))
}
sh_c() { bash -euc "$1"; }

site_of_nights() { # 544 files in 18 folders, four of them large; a second data set
	mkdir -p "$T/src" "$T/elsewhere"
	python3 - "$T/src" <<'P'
import os, random, sys
rnd = random.Random(24)
for d in range(6):
    os.makedirs("%s/d%d/sub" % (sys.argv[1], d))
    for i in range(90):
        open("%s/d%d/%s%03d" % (sys.argv[1], d, "sub/" if i % 3 == 0 else "f", i), "wb").write(rnd.randbytes(rnd.randrange(3000)))
for i in range(4):
    open("%s/d5/big%d" % (sys.argv[1], i), "wb").write(rnd.randbytes(3_000_000))
P
	for i in $(seq 200); do echo "$i" >"$T/elsewhere/$i"; done
	site_policy "  - {name: docs, guard: {enabled: false}, paths: [$T/src]} # what is done to the tree here is what a guard is for
	  - {name: other, paths: [$T/elsewhere]}"
	# live_share: where a block is referred to must not hang on whether its archive's other blocks compress better or worse
	sed -i 's/^datasets:/archive_size: 4 MiB\nretention: {live_share: 0 %}\n&/' "$T/policy.yaml"
	site_make 2>/dev/null
}
