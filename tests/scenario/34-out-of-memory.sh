#!/bin/bash
# Goal: an allocation that fails, any one, ends a run or a restore with an exit status of 0 to 3 and a word, never with a signal; nothing
# is recorded as damage; the journal is whole, the next run does its work unaided and verify is content; a restore that says 0 is true.
#   BKP_MALLOC_POINTS (16): so many allocations of `run` and as many of `extract`, evenly; 0: each of them.  BKP_MALLOC_WORKERS (1)
#   BKP_MALLOC_OF (run extract): which
. "$(dirname "$0")/../lib/site.sh"
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
points=${BKP_MALLOC_POINTS:-16} workers=${BKP_MALLOC_WORKERS:-1}
FAIL=$T/failmalloc.so
cc -O1 -shared -fPIC -o "$FAIL" "$SRC_ROOT/tests/lib/failmalloc.c" || die "failmalloc.c does not compile"

bad() { echo "$*" >>"$T/bad"; }
failing() { # POINT COMMAND...: exit status in $STATUS
	local at=$1
	shift
	status env LD_PRELOAD="$FAIL" FAILMALLOC_AT="$at" FAILMALLOC_WHO="$(basename "$1")" "$@"
	cp "$T/out" "$T/failed.out"
	cp "$T/err" "$T/failed.err"
	[ "$STATUS" -le 3 ] || bad "allocation $at of $2: exit $STATUS"
	[ "$STATUS" = 0 ] || [ -s "$T/err" ] || [ -s "$T/out" ] || bad "allocation $at of $2: exit $STATUS without a word"
	echo "$STATUS" >>"$T/statuses"
}
reset() {
	thaw "$T/m1" "$T/m2"
	rm -rf "$T/src" "$T/m1" "$T/m2" "$T/state" "$T/to"
	cp -a "$T/golden/." "$T/"
}
a_run() {
	reset
	failing "$1" "$BKP" --quiet run --all
	grep -q verify-failed "$T/state/journal.jsonl" && bad "allocation $1 of run: recorded as damage of a medium"
	grep -q . "$T/err" && grep -q E-MEM-01 "$T/err" && echo x >>"$T/said"
	status "$BKP" journal verify
	[ "$STATUS" -le 1 ] || bad "allocation $1 of run: the journal: $(head -n 1 "$T/err")"
	status "$BKP" --quiet run --all
	[ "$STATUS" = 0 ] || bad "allocation $1 of run: the next one: exit $STATUS: $(head -n 2 "$T/err" "$T/out" | tr '\n' ' ')"
	status "$BKP" --quiet verify
	[ "$STATUS" = 0 ] || bad "allocation $1 of run: verify behind the next one: exit $STATUS: $(head -n 1 "$T/err")"
}
an_extract() {
	rm -rf "$T/to"
	failing "$1" "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 1 docs --to "$T/to"
	[ "$STATUS" != 0 ] || diff -r "$T/src" "$T/to$T/src" >/dev/null || bad "allocation $1 of extract: exit 0, and something else was written"
	rm -rf "$T/to"
	status "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 1 docs --to "$T/to"
	[ "$STATUS" = 0 ] && diff -r "$T/src" "$T/to$T/src" >/dev/null || bad "allocation $1 of extract: the next one: exit $STATUS"
}
count() { # COMMAND...: allocations
	rm -f "$T/count"
	expect 0 env LD_PRELOAD="$FAIL" FAILMALLOC_COUNT="$T/count" FAILMALLOC_WHO="$(basename "$1")" "$@"
	cut -d ' ' -f 2 "$T/count" | sort -n | tail -n 1
}
each() { # TOTAL FIRST COMMAND: every `workers`-th of the points from FIRST; in an order that one who stops it half-way has them evenly
	local n=$points i
	[ "$1" -gt 1000 ] || die "only '$1' allocations were counted"
	[ "$n" != 0 ] && [ "$n" -le "$1" ] || n=$1
	for ((i = $2; i < n; i += workers)); do "$3" $((1 + i * 7919 % n * $1 / n)); done
}
worker() ( # NUMBER: with a site of its own
	T=$T/w$1
	BKP_POLICY=$T/policy.yaml
	mkdir "$T"
	trap - EXIT
	site_make 2>/dev/null
	mkdir "$T/src/d"
	for i in 1 2 3; do head -c $((i * 3000)) /dev/urandom >"$T/src/d/$i"; done
	ln "$T/src/d/1" "$T/src/hard"
	ln -s d "$T/src/soft"
	expect 0 "$BKP" run --all
	cp -a "$T/src" "$T/was"
	mkdir "$T/golden"
	echo new >"$T/src/d/4"
	cp -a "$T/src" "$T/m1" "$T/m2" "$T/state" "$T/golden"
	total=$(count "$BKP" --quiet run --all)
	case " ${BKP_MALLOC_OF:-run extract} " in *' run '*) each "$total" "$1" a_run ;; esac
	echo "run $total" >"$T/total"
	reset
	rm -rf "$T/src"
	cp -a "$T/was" "$T/src"
	total=$(count "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract 1 docs --to "$T/to")
	case " ${BKP_MALLOC_OF:-run extract} " in *' extract '*) each "$total" "$1" an_extract ;; esac
	echo "extract $total" >>"$T/total"
)
for ((w = 0; w < workers; w++)); do worker "$w" & done
wait
tried=$(cat "$T"/w*/statuses | wc -l)
[ "$(cat "$T"/w*/total | wc -l)" = $((2 * workers)) ] || die "a worker did not come to its end"
cat "$T"/w*/bad 2>/dev/null | sort -V | tee "${BKP_MALLOC_LOG:-/dev/null}" | head -n 60 >&2
[ ! -s "$(ls "$T"/w*/bad 2>/dev/null | head -n 1)" ] || die "$(cat "$T"/w*/bad | wc -l) findings of $tried points"
say "$tried failed allocations ($(sort -u "$T/w0/total" | tr '\n' ' ')in all): exits $(cat "$T"/w*/statuses | sort | uniq -c | awk '{printf "%s×%s ", $2, $1}')"
