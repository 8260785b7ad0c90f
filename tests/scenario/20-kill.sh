#!/bin/bash
# Goal: SIGKILL before each of several hundred system calls of a capture onto two media.  After each: bkp verify and bkp-restore
# verify of every reported generation pass (I1), nothing unreported is called good (I2), the journal is a valid continuation
# (I3), the next run succeeds unaided (I4), no byte of the earlier generation changed (I5).
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-kill.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore
points=${BKP_KILL_POINTS:-240}
mkdir -p "$T/src/sub"
for i in $(seq 1 8); do echo "file $i" >"$T/src/sub/$i"; done
head -c 3000000 /dev/urandom >"$T/src/big"
ln "$T/src/big" "$T/src/hard"
site_policy "  - {name: docs, paths: [$T/src]}
	  - {name: db, command: 'cat $T/src/sub/1; echo dump', store_as: db.dump}"
site_make
expect 0 "$BKP" run --all
thaw "$T/m1" "$T/m2"
head -c 2000000 /dev/urandom >"$T/src/big2"; echo changed >"$T/src/sub/3"; rm "$T/src/sub/4"
keep() { # NAME: the state of things now is a start
	thaw "$T/m1" "$T/m2"
	mkdir "$T/$1"
	cp -a "$T/state" "$T/m1" "$T/m2" "$T/$1/"
	for m in m1 m2; do (cd "$T/$m"/*-*-*-*-*/ && find archives generations -type f -exec sha256sum {} +) >"$T/$1/$m.sums"; done
}
start() { thaw "$T/m1" "$T/m2"; rm -rf "$T/state" "$T/m1" "$T/m2"; cp -a "$T/$1/." "$T/"; cp "$T/state/journal.jsonl" "$T/journal.before"; }
# two nights to interrupt: an ordinary one, and one that brings a medium up to date which was away the night before
keep ordinary
mv "$T/m2" "$T/away"
expect 1 "$BKP" run --quiet --all
mv "$T/away" "$T/m2"
echo later >"$T/src/sub/5"
keep catching-up
trace() { # NAME: which calls a night from this start makes
	start "$1"
	strace -f -qq -o "$T/trace" "$BKP" run --quiet --all || die "the run under strace"
	# strace counts each call by its name: a point is "the n-th NAME"
	sed -n "s/^$(head -n 1 "$T/trace" | cut -d' ' -f1) *\([a-z0-9_]*\)(.*/\1/p" "$T/trace" | awk '{print $1, ++seen[$1]}' >"$T/calls.$1"
}
trace ordinary
trace catching-up
# a third: archives are sealed by another thread.  strace can follow threads only together with the commands of data sets, so this
# night has none of these, and a point is reached by whichever thread makes its n-th call of that name first
sed '/name: db/d' "$T/policy.yaml" >"$T/threads.yaml"
start ordinary
BKP_POLICY=$T/threads.yaml policy_accept
BKP_POLICY=$T/threads.yaml strace -f -qq -o "$T/trace" "$BKP" run --quiet --all || die "the run under strace"
main=$(head -n 1 "$T/trace" | cut -d' ' -f1)
sed -n "/^$main /d; s/^\([0-9]*\) *\([a-z0-9_]*\)(.*/\1 \2/p" "$T/trace" | awk '{print $2, ++seen[$0]}' | sort -u >"$T/calls.threads"
[ -s "$T/calls.threads" ] || die "no second thread was seen"
total=$(cat "$T"/calls.* | wc -l)
[ "$total" -ge "$points" ] || points=$total
killed=0 finished=0 recovered=0
check_reported() {
	reported_verify "point $1"
	for m in m1 m2; do (cd "$T/$m"/*-*-*-*-*/ && sha256sum --quiet -c "$T/$m.sums") || die "point $1: a byte of an earlier generation changed on $m"; done
	head -c "$(stat -c %s "$T/journal.before")" "$T/state/journal.jsonl" | cmp -s - "$T/journal.before" || die "point $1: the journal lost acknowledged records"
}
for k in $(seq 1 "$points"); do
	name=ordinary
	[ $((k % 4)) = 0 ] && name=catching-up
	[ $((k % 4)) = 2 ] && name=threads
	read -r call nth < <(sed -n "$((1 + (k - 1) * $(wc -l <"$T/calls.$name") / points))p" "$T/calls.$name")
	when="$name: $call $nth"
	follow= from=$name policy=$T/policy.yaml
	[ $name = threads ] && follow=-f from=ordinary policy=$T/threads.yaml
	start $from
	[ $name != threads ] || BKP_POLICY=$policy policy_accept
	BKP_POLICY=$policy status strace $follow -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$nth" "$BKP" run --quiet --all 2>/dev/null
	if [ "$STATUS" = 137 ]; then killed=$((killed + 1)); else
		[ "$STATUS" = 0 ] || { cat "$T/err" >&2; die "point $when: exit $STATUS"; }
		finished=$((finished + 1))
	fi
	check_reported "$when"
	n=$(wc -l <"$T/copies")
	"$BKP" verify --quiet >"$T/out" 2>&1 || { cat "$T/out" >&2; die "point $when: bkp verify"; }
	status "$BKP" run --quiet --all
	[ "$STATUS" = 0 ] || { cat "$T/err" >&2; die "point $when: the next run, unaided: exit $STATUS"; }
	check_reported "$when"
	[ "$(wc -l <"$T/copies")" -ge $((n + 2)) ] || die "point $when: the next run did not add a generation on both media"
	grep -q '"recovered":true' "$T/state/journal.jsonl" && recovered=$((recovered + 1))
	"$BKP" journal verify >/dev/null || [ $? = 1 ] || die "point $when: journal verify"
	if [ $((k % 25)) = 0 ]; then
		rm -rf "$T/o"
		g=$(tail -n 1 "$T/copies" | cut -d' ' -f1)
		"$RESTORE" --quiet --medium "$T/m2" --identity "$T/id.txt" extract "$g" docs --to "$T/o" || die "point $when: extract"
		[ -z "$(rsync -aHAXnc --delete --itemize-changes "$T/src/" "$T/o$T/src/")" ] || die "point $when: what the next run captured differs"
	fi
done
# a fourth: what is remembered of the last night is read and written, and believed (fakeclock.c)
start ordinary
for i in $(seq 300); do echo "$i" >"$T/src/sub/more-$i"; done
rm "$T/src/big2" "$T/src/sub/3"
NIGHT_CLOCK=(FAKECLOCK=86400)
night 0 docs
NIGHT_CLOCK=(FAKECLOCK=172800)
night 0 docs
keep remembered
remembered=0
for i in 7 150; do echo changed >"$T/src/sub/more-$i"; done
cache=$T/state/cache/stat
for call in openat fstat newfstatat pread64 read write unlinkat sync_file_range fsync close renameat fsync; do
	for n in 1 2 3; do
		start remembered
		status strace -f -qq -o "$T/trace" -P "$cache" -P "$cache/docs.cache" -P "$cache/docs.cache.part" -E "LD_PRELOAD=$FAKE" \
			-E FAKECLOCK=259200 -e trace=$call -e inject=$call:signal=KILL:when=$n "$BKP" run --quiet docs 2>/dev/null
		[ "$STATUS" = 137 ] || break
		remembered=$((remembered + 1))
		echo "$n $call" >"$T/src/sub/more-200" # after the kill
		NIGHT_CLOCK=(FAKECLOCK=345600)
		night 0 docs
		same_tree "killed at $call $n of what is remembered"
		check_reported "killed at $call $n of what is remembered"
	done
done
[ "$remembered" -gt 6 ] || die "only $remembered points of what is remembered were reached: the test does not test"
[ "$killed" -gt $((points * 9 / 10)) ] || die "only $killed of $points points killed the run: the test does not test"
say "SIGKILL at $remembered calls on what is remembered of the last night: the next one is the tree"
say "SIGKILL before $killed of the run's $total system calls ($finished ran through, $recovered generations recovered): every reported generation verified, the next run succeeded unaided"
