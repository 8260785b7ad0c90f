#!/bin/bash
# Goal: what may go goes, and nothing else.  Floors per medium, keep, protect; a dry run changes nothing and says what will happen;
# archives that are listed by what stays, or by nobody, stay; immutable files; a full medium and a full disk under the state folder;
# SIGKILL at file-changing system calls, after which every reported generation verifies and the next expiry or run completes it.
. "$(dirname "$0")/../lib/site.sh"
BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN}
. "$(dirname "$0")/../lib/nights.sh"
points=${BKP_KILL_POINTS:-36}
on_day() { # DAY COMMAND...
	local d=$1
	shift
	env "${FAKE_ENV[@]}" "FAKECLOCK=$((d * 86400))" "$@"
}
night_on() { # DAY CODE
	night_clock "FAKECLOCK=$(($1 * 86400))"
	night "$2" docs
}
expire() { # CODE DAY ARGUMENT...: $T/json is what it printed
	local want=$1 d=$2
	shift 2
	STATUS=0
	on_day "$d" "$BKP" expire --json "$@" >"$T/json" 2>"$T/err" || STATUS=$?
	[ "$STATUS" = "$want" ] || fail "expire $*: exit $STATUS, expected $want" "$T/json" "$T/err"
}
going() { # MEDIUM: numbers that go, on one line
	python3 -c 'import json, sys
for m in json.load(open(sys.argv[1]))["media"]:
    if m["medium"] == sys.argv[2]:
        print(*[g["generation"] for g in m["generations"] if g["goes"]])' "$T/json" "$1"
}
reason() { # MEDIUM GENERATION: words of why
	python3 -c 'import json, sys
for m in json.load(open(sys.argv[1]))["media"]:
    for g in m["generations"]:
        if m["medium"] == sys.argv[2] and g["generation"] == int(sys.argv[3]):
            print(*[w["reason"] for w in g["why"]])' "$T/json" "$1" "$2"
}
on_disk() { # MEDIUM: numbers of the generations that stand there, on one line
	(cd "$(set_of "$T/$1")/generations" && echo *) | sed 's/\b0*//g'
}
same() { [ "$2" = "$3" ] || die "$1: '$2', expected '$3'"; }
all_listed() { # MEDIUM: its archives are exactly those that its generations list, and $T/unlisted.MEDIUM
	(
		cd "$(set_of "$T/$1")" || exit 1
		cat generations/*/SHA256SUMS | sed -n 's/^[0-9a-f]*  *\(archives\/.*\)/\1/p' | cat - "$T/unlisted.$1" | sort -u >"$T/want"
		find archives -type f | sort >"$T/have"
	)
	cmp -s "$T/want" "$T/have" || { diff "$T/want" "$T/have" >&2 || true; die "$1: archives are not those that are listed"; }
}
touch "$T/unlisted.m1" "$T/unlisted.m2"
mkdir -p "$T/src"
site_policy "  - {name: docs, paths: [$T/src], generations: 3, protect: 2d}"
sed -i 's/^datasets:/archive_size: 1 MiB\n&/' "$T/policy.yaml"
site_make 2>/dev/null
for d in $(seq 1 9); do
	head -c 20000 /dev/urandom >"$T/src/f$d"
	rm -f "$T/src/f$((d - 4))"
	[ "$d" != 7 ] || mv "$T/m2" "$T/away" # m2 misses two nights
	[ "$d" != 9 ] || mv "$T/away" "$T/m2"
	EXPECT=0
	[ "$d" != 7 ] && [ "$d" != 8 ] || EXPECT=1
	night_on "$d" $EXPECT
done
# an archive of a run that died: nobody lists it
head -c 1000 /dev/urandom >"$T/stray"
h=$(sha256sum "$T/stray" | cut -d' ' -f1)
mkdir -p "$(set_of "$T/m1")/archives/${h:0:2}"
cp "$T/stray" "$(set_of "$T/m1")/archives/${h:0:2}/$h.age"

# ---- a dry run is what happens
find "$T/m1" "$T/m2" "$T/state" -printf '%p %s %T@\n' | sort >"$T/before"
expire 0 10 --dry-run
find "$T/m1" "$T/m2" "$T/state" -printf '%p %s %T@\n' | sort | cmp - "$T/before" || die "a dry run changed something"
same "dry run, m1" "$(going m1)" "1 2 3 4 5 6"
same "dry run, m2" "$(going m2)" "1 2 3 4 5 6"
same "why 9 stays" "$(reason m1 9)" "protected floor"
same "why 6 goes" "$(reason m1 6)" "covered"
frees=$(python3 -c 'import json, sys; print([m["frees"] for m in json.load(open(sys.argv[1]))["media"] if m["medium"] == "m1"][0])' \
	"$T/json")
# generation 8 damaged on m1: it does not count there, so one more stays
(cd "$(set_of "$T/m1")" && cp generations/000008/root.age "$T/root8" && thaw "$PWD/generations/000008" &&
	chmod u+w generations/000008/root.age && echo x >>generations/000008/root.age)
status on_day 10 "$BKP" verify --medium m1
expire 0 10 --dry-run
same "a damaged one does not count" "$(going m1)" "1 2 3 4 5"
same "on the other medium it does" "$(going m2)" "1 2 3 4 5 6"
cp "$T/root8" "$(set_of "$T/m1")/generations/000008/root.age"
expect 0 on_day 10 "$BKP" verify --medium m1
expire 0 10 --dry-run --medium m1
same "verified again" "$(going m1)" "1 2 3 4 5 6"
# without an operator nothing happens, and a medium that is not there is said
expire 64 10
expire 64 10 --operator Sato --medium m3
mv "$T/m2" "$T/away"
expire 2 10 --operator Sato --medium m2
mv "$T/away" "$T/m2"
expect 0 "$BKP" journal verify
say "dry run: nothing changes; reasons are told; damaged copies do not count, per medium"

# ---- a longer protection and keep hold more
sed 's/protect: 2d/protect: 6d/' "$T/policy.yaml" >"$T/other.yaml"
BKP_POLICY=$T/other.yaml expire 0 10 --dry-run
same "protect" "$(going m1)" "1 2 3 4"
sed 's/protect: 2d/protect: 2d, keep: {daily: 5, yearly: 9}/' "$T/policy.yaml" >"$T/other.yaml"
BKP_POLICY=$T/other.yaml expire 0 10 --dry-run
same "keep daily" "$(going m1)" "1 2 3 4"
same "why 5 stays" "$(reason m1 5)" "daily"
expire 0 30 --dry-run # time alone
same "age alone" "$(going m1)" "1 2 3 4 5 6"
expire 0 3000 --dry-run
same "age alone, years later" "$(going m1)" "1 2 3 4 5 6"
say "protect and keep hold more; age alone lets nothing more go"

# ---- killed
keep() {
	thaw "$T/m1" "$T/m2"
	mkdir "$T/start"
	cp -a "$T/state" "$T/m1" "$T/m2" "$T/start/"
}
start() {
	thaw "$T/m1" "$T/m2"
	rm -rf "$T/state" "$T/m1" "$T/m2"
	cp -a "$T/start/." "$T/"
	cp "$T/state/journal/000001.jsonl" "$T/journal.before"
}
keep
echo "archives/${h:0:2}/$h.age" >"$T/unlisted.m1"
fake=(-E "LD_PRELOAD=$FAKE" -E "FAKECLOCK=$((10 * 86400))")
strace -f -qq -o "$T/trace" "${fake[@]}" "$BKP" expire --operator Sato --quiet || die "expire under strace"
same "under strace, m1" "$(on_disk m1)" "7 8 9"
sed -n 's/^[0-9]* *\([a-z0-9_]*(.*\)/\1/p' "$T/trace" | awk -F'(' '{
	n = ++seen[$1]
	if ($1 ~ /^(renameat2?|unlinkat|fsync|ftruncate|syncfs|mkdirat|fallocate|fchmod)$/ ||
	    ($1 ~ /^p?write(64)?$/ && !/^write\([012],/) ||
	    ($1 == "openat" && /O_CREAT/) || ($1 == "ioctl" && /SETFLAGS/)) print $1, n}' >"$T/calls"
total=$(wc -l <"$T/calls")
[ "$total" -ge "$points" ] || points=$total
[ "$total" -gt 100 ] || die "only $total calls change files"
killed=0
for k in $(seq 1 "$points"); do
	read -r call nth < <(sed -n "$((1 + (k - 1) * total / points))p" "$T/calls")
	start
	status strace -f -qq -o /dev/null "${fake[@]}" -e trace="$call" -e inject="$call:signal=KILL:when=$nth" \
		"$BKP" expire --operator Sato --quiet 2>/dev/null
	[ "$STATUS" = 137 ] && killed=$((killed + 1))
	when="killed at $call $nth"
	reported_verify "$when"
	[ "$(grep -c ' m1$' "$T/copies")" -ge 3 ] || die "$when: too few are left"
	head -c "$(stat -c %s "$T/journal.before")" "$T/state/journal/000001.jsonl" | cmp -s - "$T/journal.before" ||
		die "$when: the journal lost records"
	if [ $((k % 3)) = 0 ]; then # a run finishes what was recorded, and adds one
		expect 0 on_day 10 "$BKP" run --quiet --all
		for m in m1 m2; do
			[ -z "$(ls -A "$(repo_of "$T/$m")/tmp")" ] || die "$when: the next run left rubbish on $m"
			all_listed $m
		done
	fi
	expire 0 10 --operator Sato
	reported_verify "$when, then the next expiry"
	case "$(on_disk m1)" in "7 8 9" | "7 8 9 10" | "8 9 10") ;; *) die "$when: left on m1: $(on_disk m1)" ;; esac
	[ -z "$(ls -A "$(repo_of "$T/m1")/tmp")" ] || die "$when: rubbish"
	all_listed m1
	expect 0 "$BKP" journal verify
done
[ "$killed" -gt $((points * 9 / 10)) ] || die "only $killed of $points points killed the expiry"
say "SIGKILL at $killed of $total file-changing calls of an expiry: every reported generation verifies, the next expiry or run completes" \
	"it, archives are exactly those listed"

# ---- a list that cannot be believed: no archive is deleted, until it can
start
sums=$(set_of "$T/m1")/generations/000008/SHA256SUMS
cp "$sums" "$T/sums8"
chmod u+w "$sums"
sed -i '1d' "$sums"
(cd "$(set_of "$T/m1")" && find archives -type f | sort >"$T/archives.before")
expire 1 10 --operator Sato --medium m1
grep -q E-EXPIRE-08 "$T/json" || die "it counts, and nobody looked whether it stands there"
same "nothing went" "$(on_disk m1)" "1 2 3 4 5 6 7 8 9"
status on_day 10 "$BKP" verify --medium m1 # now it counts for nothing
expire 1 10 --operator Sato
same "the others went" "$(on_disk m1)" "6 7 8 9"
grep -q E-REAP-03 "$T/json" || die "that no archive was deleted is not said"
(cd "$(set_of "$T/m1")" && find archives -type f | sort | cmp - "$T/archives.before") ||
	die "archives were deleted beside a list that cannot be verified"
cp "$T/sums8" "$sums"
chmod 0444 "$sums"
expect 0 on_day 10 "$BKP" verify --medium m1
expire 0 10 --operator Sato
[ -z "$(ls -A "$(repo_of "$T/m1")/tmp")" ] || die "what was left is not finished"
all_listed m1
say "what is recorded as verified and cannot be is no reason to let others go; beside a generation whose list cannot be verified no" \
	"archive is deleted; when it can, the next expiry does it"

# ---- done, and it stays done
start
find "$T"/m[12]/*-*/datasets -type f -exec chattr +i {} + 2>/dev/null || echo "(no immutable files here)"
expire 0 10 --operator Sato
freed=$(python3 -c 'import json, sys; print([m["freed"] for m in json.load(open(sys.argv[1]))["media"] if m["medium"] == "m1"][0])' \
	"$T/json")
[ "$freed" -ge "$frees" ] || die "freed $freed bytes, announced $frees"
carried "$(repo_of "$T/m1")/journal/000001.jsonl" || die "the medium does not carry the record"
head -c 500 /dev/urandom >"$T/src/f10"
night_on 10 0
same "a night brings nothing back" "$(on_disk m1) $(on_disk m2)" "7 8 9 10 7 8 9 10"
expect 0 on_day 10 "$BKP" verify
same_tree "after an expiry"
"$RESTORE" --quiet --medium "$T/m2" --identity "$T/id.txt" extract docs@7 --to "$T/o7" || die "the oldest one cannot be restored"
grep -q '"event":"expired".*"why":"covered 3/3"' "$T/state/journal/000001.jsonl" || die "the record does not say why"
say "nothing that expired comes back, nothing is missed"

# ---- what is named goes, and nothing beside it; what may not go is refused, and then nothing goes
start
expire 0 10 --dry-run docs@2
same "a dry run of one" "$(going m1)" 2
expire 2 10 --operator Sato docs@2 docs@8
grep -q 'E-EXPIRE-11.*docs@8 may not go.*newer verified ones on 1 of 3 dates here' "$T/json" || fail "the reason is not said" "$T/json"
same "one of them may not: nothing went" "$(on_disk m1)" "1 2 3 4 5 6 7 8 9"
expire 2 10 --operator Sato docs@99
expire 64 10 --operator Sato --plan x --signature y docs@2
expire 0 10 --operator Sato docs@2
same "what was named went" "$(on_disk m1) / $(on_disk m2)" "1 3 4 5 6 7 8 9 / 1 3 4 5 6 7 8 9"
expire 2 10 --operator Sato docs@2 # it is gone
all_listed m1
expire 0 10 --operator Sato --medium m1 docs
same "of the data set what may" "$(on_disk m1) / $(on_disk m2)" "7 8 9 / 1 3 4 5 6 7 8 9"
reported_verify "what was named"
say "bkp expire docs@2 lets that one go; what a rule keeps is refused with the reason, and nothing goes"

# ---- a medium that is no longer to hold the data set: what was agreed goes on holding there
start
cp "$T/policy.yaml" "$T/policy.was"
mkdir -p "$T/src2"
sed -i "s|^media:|  - {name: more, paths: [$T/src2], generations: 3}\n&|; /name: m1/s/}/, datasets: [more]}/" "$T/policy.yaml"
expire 0 10 --dry-run
same "the rule goes on applying" "$(going m1) / $(going m2)" "1 2 3 4 5 6 / 1 2 3 4 5 6"
expire 0 10 --operator Sato
expect 0 on_day 11 "$BKP" run docs # nothing of it is for m1, and that is as it should be
said "medium m1: nothing of this run is for it"
same "none comes to it any more" "$(on_disk m1) / $(on_disk m2)" "7 8 9 / 7 8 9 10"
expire 0 40 --operator Sato
same "the newest stay there for good" "$(on_disk m1) / $(on_disk m2)" "7 8 9 / 8 9 10"
grep -q 'the policy brings no more' "$T/json" || fail "that no newer ones come is not said" "$T/json"
cp "$T/policy.was" "$T/policy.yaml"
say "of a data set that a medium is no longer to hold older ones go as before, the agreed number of dates stays, and why is said"

# ---- no room anywhere
start
for d in m1 state; do
	mv "$T/$d" "$T/$d.was"
	mkdir "$T/$d"
	mount -t tmpfs -o size=$(($(du -sk "$T/$d.was" | cut -f1) + 1600))k,mode=0700 none "$T/$d" || die "cannot mount"
	cp -a "$T/$d.was/." "$T/$d/"
done
rm -f "$T/state/reserve"
night_on 10 0
[ -s "$T/state/reserve" ] || die "no reserve was kept"
for d in m1 state; do mkdir -p "$T/$d/lost+found"; cat /dev/zero >"$T/$d/lost+found/filler" 2>/dev/null ||
	true; for i in $(seq 99); do echo x >"$T/$d/lost+found/fill$i" 2>/dev/null || break; done; done
[ "$(df --output=avail "$T/m1" "$T/state" | tail -n +2 | tr -d ' \n')" = 00 ] || die "the disks are not full"
echo "# let it go" >>"$T/policy.yaml" # that the policy is another one now has to be recorded, too
expire 0 10 --operator Sato
same "on a full medium" "$(on_disk m1)" "8 9 10"
expect 0 "$BKP" journal verify
tail -n 3 "$T/state/journal/000001.jsonl" | grep -q '"event":"outcome".*"command":"expire"' ||
	die "how it ended is not recorded: $(tail -n 3 "$T/state/journal/000001.jsonl")"
reported_verify "full"
say "with a medium 100 % full and no room under the state folder it expires, and records it"
