#!/bin/bash
# Goal: data sets do not hold one another. Over sixty weeks with an expiry each week logs stay for 425 days, the dump of the EMR as its own
# policy says, and the archives on the medium are exactly what each data set's generations list. Of a run in which one data set looks as
# if ransomware had been there, one failed and one is good, the good one counts, nothing expires until a person decides, and `status` says
# all three. A data set's folder stands alone: it is checked by itself with stock tools, its loss is named, no other one's is.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
. "$(dirname "$0")/../lib/keys.sh"
export TZ=UTC
in_memory # a hundred runs: their fsyncs are not what is looked at here
WEEKS=60
mkdir -p "$T/logs" "$T/docs"
python3 - "$T/docs" <<'P'
import random, sys
rnd = random.Random(78)
for i in range(40):
    open("%s/scan%02d.pdf" % (sys.argv[1], i), "wb").write(b"%PDF-1.4\n" + rnd.randbytes(500))
P
touch "$T/docs/MADE-FOR-TESTS"
site_policy "  - {name: docs, paths: [$T/docs], generations: 3, priority: 3}
  - {name: emr, title: 電子カルテ, command: cat $T/emr.dump, store_as: emr.dump, generations: 3, protect: 10d, keep: {monthly: 2}, priority: 1}
  - {name: logs, paths: [$T/logs], generations: 3, protect: 425d, priority: 2}"
site_make 2>/dev/null
in_week() { # WEEK COMMAND...
	local w=$1
	shift
	env "${FAKE_ENV[@]}" "FAKECLOCK=$((w * 7 * 86400))" "$@"
}
stands() { (cd "$(set_of "$T/$1" "$2")/generations" && echo *) | sed 's/\b0*//g'; } # MEDIUM DATASET: numbers, on one line
same() { [ "$2" = "$3" ] || die "$1: '$2', expected '$3'"; }
all_listed() { # DATASET: its archives are exactly those that its generations list, on both media
	local m
	for m in m1 m2; do
		(
			cd "$(set_of "$T/$m" "$1")"
			cat generations/*/SHA256SUMS | sed -n 's/^[0-9a-f]*  *\(archives\/.*\)/\1/p' | sort -u >"$T/want"
			find archives -type f | sort | diff "$T/want" - >&2
		) || die "$1 on $m: archives are not those that are listed"
	done
}
weekly() { # WEEK: what there is to capture
	head -c 20000 /dev/urandom >"$T/emr.dump"
	echo "week $1: $RANDOM" >"$T/logs/$1.log"
	rm -f "$T/logs/$(($1 - 4)).log" # the system's own rotation keeps four
}
kept() { # WEEK: which generations of emr must stand: the newest three, and the newest of this month and of the one before
	python3 - "$1" "$(in_week 0 date +%s)" <<'P'
import datetime, sys
last, start = int(sys.argv[1]), int(sys.argv[2])
month = lambda g: datetime.datetime.fromtimestamp(start + (g - 1) * 7 * 86400, datetime.timezone.utc).strftime("%Y%m")
newest = {month(g): g for g in range(1, last + 1)}
print(*sorted(set(range(max(1, last - 2), last + 1)) | set(sorted(newest.values())[-2:])))
P
}

# ---- sixty weeks
for w in $(seq 0 $((WEEKS - 1))); do
	weekly "$w"
	[ "$w" != 0 ] || cp -a "$T/logs" "$T/logs.0"
	expect 0 in_week "$w" "$BKP" run --quiet --all
	expect 0 in_week "$w" "$BKP" expire --quiet --operator Sato
	[ $((w % 20)) != 19 ] || same "emr, week $w" "$(stands m1 emr)" "$(kept $((w + 1)))"
done
for m in m1 m2; do
	same "logs on $m" "$(stands $m logs)" "$(seq -s ' ' $WEEKS)"
	same "emr on $m" "$(stands $m emr)" "$(kept $WEEKS)"
	same "docs on $m" "$(stands $m docs)" "$((WEEKS - 2)) $((WEEKS - 1)) $WEEKS"
done
for d in docs emr logs; do all_listed $d; done
expect 0 in_week $((WEEKS - 1)) "$BKP" verify
restore_to "$T/m2" 1 "$T/back" logs >/dev/null 2>&1 || die "logs@1 cannot be restored"
diff -r "$T/logs.0" "$T/back$T/logs" || die "logs of week 0 are not what they were"
say "sixty weeks, an expiry each week: all $WEEKS generations of the logs stand, of the EMR $(stands m1 emr | wc -w)" \
	"as its policy says, archives" \
	"are those that each data set lists"

# ---- one suspect, one failed, one good
w=$WEEKS run=$((WEEKS + 1))
weekly $w
python3 "$SRC_ROOT/tests/lib/ransom.py" in-place "$T/docs" >/dev/null
mv "$T/emr.dump" "$T/emr.away"
expect 1 in_week $w "$BKP" run --all --json
python3 - "$T/out" $run <<'P' || fail "what the run says"
import json, sys
o, run = json.load(open(sys.argv[1])), int(sys.argv[2])
assert o["run"] == run and [d["dataset"] for d in o["datasets"]] == ["emr", "logs", "docs"], "not by priority"
emr, logs, docs = o["datasets"]
assert emr["generation"] is None and emr["verdict"] == "failed" and "status 1" in emr["reason"], emr
assert logs["generation"] == run and logs["verdict"] == "good" and "suspect" not in logs, logs
assert docs["generation"] == run and "40 of 41 files look encrypted" in docs["suspect"], docs
P
python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["line"])' "$T/out" >"$T/line"
grep -q '^1 of 3 good' "$T/line" || fail "the line of the morning" "$T/line"
same "committed" "$(grep -c "\"event\":\"committed\".*\"generation\":$run," "$T/state/journal/000001.jsonl")" 2
record failed | grep -q "\"run\":$run,.*\"datasets\":\[{\"name\":\"emr\"," || die "the failure is not recorded: $(record failed)"
[ ! -e "$(set_of "$T/m1" emr)/generations/$(printf %06d $run)" ] || die "a data set that failed has a generation"
expect 0 in_week $w "$BKP" generations $run
grep -q "^docs@$run .*suspect" "$T/out" && grep -q "^emr@$run .*failed" "$T/out" && grep -q "^logs@$run .*good" "$T/out" ||
	fail "bkp generations $run"
status in_week $w "$BKP" status --json
python3 - "$T/out" $run <<'P' || fail "what counts"
import json, sys
s, run = json.load(open(sys.argv[1])), int(sys.argv[2])
d = {d["dataset"]: d for d in s["datasets"]}
assert s["frozen_by"] == {"dataset": "docs", "generation": run}, s["frozen_by"]
assert d["logs"]["newest"]["generation"] == run, "the good one does not count"
assert d["docs"]["newest"]["generation"] == run - 1 and d["emr"]["newest"]["generation"] == run - 1, "what does not count counts"
P
status in_week $w "$BKP" status
tr -s ' \n' ' ' <"$T/out" >"$T/flat"
for said in "'docs@$run' is suspect" "emr@$run: failed: " "bkp accept docs@$run --operator NAME"; do
	grep -qF "$said" "$T/flat" || fail "status does not say: $said"
done
! grep -q "logs@$run" "$T/flat" || fail "status has something to say of what is good"
# nothing expires, of no data set, though logs@1 is 427 days old two weeks later and the EMR's policy would let one go
mv "$T/emr.away" "$T/emr.dump"
for w in $((WEEKS + 1)) $((WEEKS + 2)); do
	weekly $w
	expect 1 in_week $w "$BKP" run --quiet --all # docs is still what it was made
	expect 2 in_week $w "$BKP" expire --operator Sato
	said E-EXPIRE-01
done
for m in m1 m2; do
	same "logs on $m" "$(stands $m logs)" "$(seq -s ' ' $((run + 2)))"
	same "emr on $m" "$(stands $m emr)" "$(kept $WEEKS) $((run + 1)) $((run + 2))"
done
status in_week $w "$BKP" status --json
python3 -c 'import json, sys
d = {d["dataset"]: d["newest"]["generation"] for d in json.load(open(sys.argv[1]))["datasets"]}
assert d == {"docs": int(sys.argv[2]) - 1, "emr": int(sys.argv[2]) + 2, "logs": int(sys.argv[2]) + 2}, d' "$T/out" $run ||
	fail "what counts"
# a person decides: then each goes by its own rule
for g in $run $((run + 1)) $((run + 2)); do
	expect 0 in_week $w "$BKP" accept "docs@$g" --operator Sato --reason "converted by the vendor"
done
expect 0 in_week $w "$BKP" expire --operator Sato
for m in m1 m2; do
	same "logs on $m" "$(stands $m logs)" "$(seq -s ' ' 3 $((run + 2)))" # 434 and 427 days: they may go; 420: not yet
	same "docs on $m" "$(stands $m docs)" "$run $((run + 1)) $((run + 2))"
done
for d in docs emr logs; do all_listed $d; done
say "of a run with a suspect, a failed and a good data set the good one counts; nothing expires anywhere, and status says why, until a" \
	"person decides; then each data set goes by its own rule"

# ---- a data set's folder stands alone
G=$((run + 2))
last=generations/$(printf %06d $G)
ROOT=$("$BKP" journal verify | grep -oE 'RW[A-Za-z0-9+/=]{54}' | head -n 1)
mkdir "$T/alone"
cp -a "$(set_of "$T/m1" logs)" "$(repo_of "$T/m1")/keys.jsonl" "$T/alone/"
keys_of "$ROOT" "$T/alone/keys.jsonl" >"$T/keys"
(cd "$T/alone/logs" && for g in generations/*; do
	sha256sum --quiet -c "$g/SHA256SUMS" &&
		minisign -V -q -P "$(grep "^$(sed -n 2p "$g/SHA256SUMS.minisig" | cut -c-13)" "$T/keys")" -m "$g/SHA256SUMS" || exit 1
done) || die "a data set's folder cannot be checked by itself"
cp -a "$T/m1" "$T/lost"
thaw "$T/lost" "$T/m1"
# one data set is gone: it is named, the others come back
rm -rf "$(set_of "$T/lost" docs)"
expect 1 "$RESTORE" --medium "$T/lost" --identity "$T/id.txt" extract $G --to "$T/rest"
said "E-RESTORE-02: docs@$G is not here"
cmp "$T/emr.dump" "$T/rest/emr/emr.dump" && diff -r "$T/logs" "$T/rest/logs$T/logs" || die "the others did not come back whole"
mv "$T/m1" "$T/m1.true"; mv "$T/lost" "$T/m1"
expect 2 in_week $w "$BKP" verify --medium m1
grep -q "docs@$G" "$T/err" && ! grep -q "DAMAGED" <(grep -v "docs@" "$T/out") || fail "what is damaged"
thaw "$T/m1"; rm -rf "$T/m1"; cp -a "$T/m1.true" "$T/m1"
# places.age: damage, and nobody needs it to restore
for how in "rm -f" "truncate -s 100"; do
	chmod -R u+w "$(set_of "$T/m1" logs)/$last"
	$how "$(set_of "$T/m1" logs)/$last/places.age"
	expect 2 "$RESTORE" --medium "$T/m1" verify logs@$G
	said 'places.age'
	expect 0 "$RESTORE" --medium "$T/m1" verify emr@$G
	rm -rf "$T/rest"
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract logs@$G --to "$T/rest"
	diff -r "$T/logs" "$T/rest$T/logs" || fail "nothing comes back without places.age"
	thaw "$T/m1"; rm -rf "$T/m1"; cp -a "$T/m1.true" "$T/m1"
done
# a generation of one data set passed off as another's
cp -a "$(set_of "$T/m1" docs)/$last" "$(set_of "$T/m1" emr)/generations/000999"
mv "$(set_of "$T/m1" docs)" "$(set_of "$T/m1" scans)"
for g in emr@999 scans@$G; do
	expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract "$g" --to "$T/none"
	said E-VAULT-06
done
thaw "$T/m1"; rm -rf "$T/m1"; mv "$T/m1.true" "$T/m1"
say "a data set's folder is checked by itself with sha256sum and minisign; one that is gone is named and the others come back; without" \
	"places.age all comes back; a generation under another data set's name is refused"
