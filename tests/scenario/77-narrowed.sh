#!/bin/bash
# Goal: what makes nights quiet is not quiet: a policy by which less is captured or guarded stays in the status and in the morning line
# until a person accepts it; a scheduled run knows its repository, and refuses one that somebody made anew.
. "$(dirname "$0")/../lib/site.sh"
mkdir -p "$T/src" "$T/other"
echo a >"$T/src/a"; echo b >"$T/other/b"
site_policy "  - {name: docs, paths: [$T/src, $T/other]}
  - {name: more, paths: [$T/other]}"
site_make 2>/dev/null
root=$("$BKP" journal verify | grep -oE 'RW[A-Za-z0-9+/=]{54}' | head -n 1)
expect 0 "$BKP" run --quiet --all
[ ! -s "$T/err" ] || die "an ordinary night says something: $(cat "$T/err")"
cp "$T/policy.yaml" "$T/wide.yaml"
night() { status "$BKP" run --quiet --all; [ "$STATUS" -le 1 ] || fail "exit $STATUS"; } # the guard may have its say, too
narrowed() { # WHAT KEY: by now the policy is another one
	night
	[ "$STATUS" = 1 ] && grep -q W-POLICY-01 "$T/err" || die "$1: a quiet night does not say it: exit $STATUS"
	record policy | grep -q "\"narrows\":\[\"[^]]*$2" || die "$1: not recorded: $(record policy)"
	night
	grep -q W-POLICY-01 "$T/out" "$T/err" || die "$1: the next night is silent"
	status "$BKP" status
	grep -q 'bkp accept --policy-change' "$T/out" || die "$1: the status does not say it"
	expect 0 "$BKP" journal show
	grep '  policy  ' "$T/out" | tail -n 1 | grep -q "narrows=\[[^]0-9]*$2" ||
		die "$1: journal show does not say what: $(grep ' policy ' "$T/out")"
	"$BKP" journal export --format csv | grep '"policy"' | tail -n 1 | grep -q "less is captured or guarded: .*$2" ||
		die "$1: the export does not say what"
	grep '"command":"run"' "$T/state/journal/000001.jsonl" | tail -n 1 | grep -q 'so that less is captured or guarded' ||
		die "$1: not in the line of the night"
	cp "$T/wide.yaml" "$T/policy.yaml"
	night # mended without a word: it still waits
	grep -q W-POLICY-01 "$T/err" || die "$1: put back, and nobody has looked"
	status "$BKP" status
	for f in "$T/err" "$T/out"; do ! grep -q 'captures or guards less' "$f" ||
		die "$1: put back, and it is said as if it were so now: $(cat "$f")"; done
	grep 'so that less is captured or guarded' "$T/out" | grep -q "at 20.*undone or not" || die "$1: put back: $(cat "$T/out")"
	expect 64 "$BKP" accept --policy-change --operator Sato
	expect 0 "$BKP" accept --policy-change --operator Sato --reason "asked the vendor"
	grep -q 'the policy is accepted' "$T/out" || die "$1: accepted, and nothing says so"
	night
	! grep -q W-POLICY-01 "$T/err" || die "$1: accepted, and it is said still"
}
sed -i "s|paths: \[$T/src, $T/other\]|&, exclude: ['/**/a']|" "$T/policy.yaml"
narrowed "exclude" datasets/docs/exclude
sed -i "s|paths: \[$T/src, $T/other\]|paths: [$T/src]|" "$T/policy.yaml"
narrowed "fewer paths" datasets/docs/paths
sed -i "s|name: docs,|&  guard: {enabled: false},|" "$T/policy.yaml"
narrowed "guard" datasets/docs/guard
sed -i "s|name: docs,|&  expect: {max_age: 72h, min_entries: 1, shrink_alarm: 90%},|" "$T/wide.yaml"
cp "$T/wide.yaml" "$T/policy.yaml"
night
! grep -q W-POLICY-01 "$T/err" || die "a new expectation is held against the policy: $(cat "$T/err")"
sed -i "s|max_age: 72h|max_age: 48h|; s|min_entries: 1|min_entries: 2|" "$T/wide.yaml"
cp "$T/wide.yaml" "$T/policy.yaml"
night
! grep -q W-POLICY-01 "$T/err" || die "a stricter expectation is held against the policy: $(cat "$T/err")"
sed -i "s|max_age: 48h|max_age: 49h|" "$T/policy.yaml"
narrowed "a longer max_age" datasets/docs/expect/max_age
sed -i "s|min_entries: 2|min_entries: 1|" "$T/policy.yaml"
narrowed "a smaller min_entries" datasets/docs/expect/min_entries
sed -i "s|, shrink_alarm: 90%||" "$T/policy.yaml"
narrowed "an alarm taken off" datasets/docs/expect/shrink_alarm
sed -i "/name: more/d" "$T/policy.yaml"
narrowed "a data set gone" datasets/more
sed -i "s|name: docs,|&  guard: {enabled: false},|" "$T/policy.yaml"
rm -r "$T/state/policies"
narrowed "its former text erased" policy
# more is nobody's business
sed -i "s|name: docs,|&  generations: 9,|" "$T/policy.yaml"
expect 0 "$BKP" run --quiet --all
[ ! -s "$T/err" ] || die "asking for more is held against the policy: $(cat "$T/err")"
say "a wider exclude, fewer paths, a guard switched off, a laxer expectation (never a stricter one), a data set gone, a former text" \
	"erased: said every night and in the status, until a person accepts it by name"

expect 0 "$BKP" run --quiet --all --root-key "$root"
mkdir -p "$T/host/etc/cron.d"
expect 0 "$BKP" schedule install --kind cron --root "$T/host" --root-key "$root"
line=$(grep -h 'run --quiet' "$T"/host/etc/cron.d/* | head -n 1)
case $line in *"--root-key $root "*) ;; *) die "the scheduled command does not name the root key: $line" ;; esac
expect 0 "$BKP" schedule install --kind cron --root "$T/host" # written again it stays
grep -q -e "--root-key $root " "$T"/host/etc/cron.d/* || die "written again the schedule lost the root key"
mv "$T/state" "$T/state.was"
thaw "$T/m1" "$T/m2"; rm -rf "$T/m1" "$T/m2"; mkdir "$T/m1" "$T/m2"
site_make 2>/dev/null # by somebody else
expect 2 "$BKP" run --quiet --all --root-key "$root"
grep -q E-RUN-08 "$T/err" || die "a repository made anew is filled by the scheduled run: $(cat "$T/err")"
! grep -q '"event":"begin"' "$T/state/journal/000001.jsonl" || die "it was captured into"
say "a scheduled run that names the root key refuses a repository that was made anew"
