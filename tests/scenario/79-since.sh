#!/bin/bash
# Goal: which generation is the last clean one is found and is right: by figures alone (bkp guard since, generations --timeline), by a list
# of SHA-256, by ClamAV and by scanners of other habits, each content looked at once; compared with sha256sum over what each generation
# gives back.  What cannot be read is never clean; the scanner sees no key and no name, and nothing is left behind.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
unset BKP_LANG
export TMPDIR=$T/tmp
mkdir -p "$T/tmp" "$T/src/a" "$T/src/b" "$T/src/患者"

# ---- eight nights: an evil file from night 5 to 7, moved in between, twice in night 6; one that was bad from 2 to 5 and was repaired
evil="evil-$RANDOM$RANDOM" bad="bad-$RANDOM$RANDOM"
for i in $(seq 300); do seq "$i" $((i * 3)) >"$T/src/a/f$i.txt"; done
head -c 3000000 /dev/urandom >"$T/src/b/big.bin"
: >"$T/src/b/empty"
ln "$T/src/a/f7.txt" "$T/src/b/linked"
echo "a letter" >"$T/src/患者/$(printf '\223\372').txt"
echo "a good report" >"$T/src/a/report.doc"
site_make 2>/dev/null
for n in $(seq 8); do
	echo "day $n" >"$T/src/a/day$n.txt"
	case $n in
	2) echo "$bad" >"$T/src/a/report.doc" ;;
	5) echo "$evil" >"$T/src/患者/山田 花子.EXE" ;;
	6) mv "$T/src/患者/山田 花子.EXE" "$T/src/b/moved.dat"; cp "$T/src/b/moved.dat" "$T/src/b/again.dat"
		echo "a good report" >"$T/src/a/report.doc" ;;
	7) rm "$T/src/b/again.dat" ;;
	8) rm "$T/src/b/moved.dat" ;;
	esac
	night 0
done
of() { echo "$1" | sha256sum | cut -d' ' -f1; }
printf '# of the police\n%s  evil.exe\n' "$(of "$evil")" >"$T/evil.list"
printf '%s *report\r\n' "$(of "$bad" | tr a-f A-F)" >"$T/bad.list"
cat "$T/evil.list" "$T/bad.list" >"$T/both.list"
R=("$RESTORE" --medium "$T/m1" --identity "$T/id.txt")

# the oracle: what each generation gives back, by sha256sum
for n in $(seq 8); do
	"${R[@]}" --quiet extract "docs@$n" --to "$T/back/$n" >/dev/null 2>&1 || die "docs@$n cannot be restored"
	(cd "$T/back/$n" && find . -type f -exec sha256sum -z {} + | tr '\0' '\n') >"$T/sums.$n"
done
cat >"$T/judge.py" <<'P'
import json, re, sys
T, out, exit_code, scanned = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3]), sys.argv[5:] == ["scanned"]
bad = set(l.split()[0].lower() for l in open(sys.argv[4]) if not l.startswith("#"))
holds = {}
for n in range(1, 9):
    for l in open("%s/sums.%d" % (T, n), "rb"):
        sha, name = l[:64].decode(), l[66:].rstrip(b"\n").removeprefix(b"./")
        if sha in bad:
            holds.setdefault(sha, {}).setdefault(n, set()).add(name)
gens = sorted({n for h in holds.values() for n in h})
want = {"first_with": gens[0] if gens else None,
        "last_without": max([n for n in range(1, gens[0] if gens else 9)], default=None),
        "without_again": max([n for n in range(gens[0], 9) if n not in gens], default=None) if gens else None}
for k, v in want.items():
    assert out[k] == v, (k, out[k], v)
assert [g["generation"] for g in out["generations"]] == list(range(8, 0, -1))
for g in out["generations"]:
    n = g["generation"]
    assert g["state"] == ("unclean" if n in gens else "clean"), g
    assert g["bad_files"] == sum(len(h.get(n, ())) for h in holds.values()), g
    assert g["files"] == sum(1 for _ in open("%s/sums.%d" % (T, n), "rb")), g
assert {b["sha256"] for b in out["bad"]} == set(holds)
for b in out["bad"]:
    h = holds[b["sha256"]]
    assert (b["first"], b["last"]) == (min(h), max(h)), b
    if b["paths"] is not None:
        import base64
        paths = {base64.b64decode(p["path_b64"]) if "path_b64" in p else p["path"].encode() for p in b["paths"]}
        assert paths == set().union(*h.values()), (paths, h)
assert exit_code == (1 if gens else 0) == out["exit"]
if scanned:  # each content once
    unique = set()
    for n in range(1, 9):
        for l in open("%s/sums.%d" % (T, n), "rb"):
            unique.add(l[:64])
    unique.discard(b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    looked = sum(g["new_contents"] for g in out["generations"])
    assert looked == len(unique), (looked, len(unique))
P
judge() { # LIST WORDS ARGUMENT...: of bisect
	local list=$1 words=$2 code=0
	shift 2
	rm -f "$T/json"
	(umask 077; : >"$T/json")
	"${R[@]}" bisect docs --json "$@" >"$T/json" 2>"$T/err" || code=$?
	# shellcheck disable=SC2086 # none, or one word
	python3 "$T/judge.py" "$T" "$T/json" "$code" "$list" $words || fail "bisect $*: is not what the generations hold" "$T/json" "$T/err"
}
: >"$T/none.list"
of nothing-of-that-kind >"$T/other.list"
for l in evil bad both other; do judge "$T/$l.list" "" --known-bad "$T/$l.list"; done
say "a list of SHA-256: the first and the last generation of each, with all names, as sha256sum finds them in what is restored"

# ---- ClamAV, with signatures of the two files (no database can be had here)
for s in "$evil:Test.Evil" "$bad:Test.Bad"; do
	echo "$(of "${s%%:*}"):$(echo "${s%%:*}" | wc -c):${s#*:}"
done >"$T/test.hsb"
judge "$T/both.list" scanned --scan "clamscan --no-summary --infected -r -d '$T/test.hsb' {}"
python3 - "$T/json" <<'P' || fail "names of ClamAV" "$T/json"
import json, sys
o = json.load(open(sys.argv[1]))
assert {b["found"] for b in o["bad"]} == {"Test.Evil.UNOFFICIAL", "Test.Bad.UNOFFICIAL"}
# the check; 8, with nothing in it; 7, with one content, and nothing left to be given to it once more; 5, likewise; 6, 4 to 1 have new ones
assert o["scanner_runs"] <= 11, o["scanner_runs"]
P
judge "$T/both.list" scanned --scan "clamscan --no-summary --infected -d '$T/test.hsb' --file-list={list}"
md5=$(echo "$evil" | md5sum | cut -d' ' -f1)
echo "$md5:$(echo "$evil" | wc -c):Test.Evil" >"$T/test.hdb"
judge "$T/evil.list" scanned --scan "clamscan --no-summary --infected -r -d '$T/test.hdb' {}"
judge "$T/both.list" "" --known-bad "$T/bad.list" --scan "clamscan --no-summary --infected -r -d '$T/test.hdb' {}"
say "ClamAV finds the same, each content once"

# ---- scanners of other habits
pattern="^$evil\$|^$bad\$"
judge "$T/both.list" scanned --scan "! grep -qrE '$pattern' {}"                                   # says nothing of which
judge "$T/both.list" scanned --scan "f=\$(grep -lrE '$pattern' {} | head -n 1)
	[ -z \"\$f\" ] || { echo \"\$f: X FOUND\"; exit 1; }" # the first
judge "$T/both.list" scanned --scan "f=\$(grep -lrE '$pattern' {} || :)
	[ -z \"\$f\" ] || { rm \$f; echo found; exit 1; }" # takes it away
judge "$T/both.list" scanned --scan "for f in {}/*; do case \$(head -c 99 \$f | tr -d '\0') in $evil|$bad) echo \"\$f: X FOUND\"; r=1;; esac
	done; exit \${r:-0}"
# both are new in docs@5: whoever names one, or none, is asked again
for c in "f=\$(grep -lrE '$pattern' {} | head -n 1); [ -z \"\$f\" ] || { echo \"\$f: X FOUND\"; exit 1; }" "! grep -qrE '$pattern' {}"; do
	expect 1 "${R[@]}" bisect docs --generations 5 --scan "$c"
	[ "$(grep -cE "^($(of "$evil")|$(of "$bad")) " "$T/out")" = 2 ] || fail "of two contents one is found: $c"
done
# one that cannot judge a file: what holds that is unknown, and nothing of it is said to be clean
expect 3 "${R[@]}" bisect docs --scan "! grep -qrx 'day 3' {} || exit 7"
said 'E-BISECT-03: .*SHA-256 '"$(of 'day 3')"
for n in 8 7 6 5 4 3; do grep -q "^docs@$n .*UNKNOWN" "$T/out" || fail "docs@$n holds what could not be judged"; done
for n in 2 1; do grep -q "^docs@$n .*none found" "$T/out" || fail "docs@$n does not"; done
grep -q '^the last without any: docs@2 ' "$T/out" || fail "the last clean one"
# ones that do not work at all are told before anything is looked at
for c in "no-such-program {}" "exit 2; {}" "kill -9 \$\$; {}" "echo x: y FOUND; exit 1; {}"; do
	expect 2 "${R[@]}" bisect docs --scan "$c"
	said E-BISECT-02
	! grep -q docs@ "$T/out" || fail "a scanner that does not work judges: $c"
done
expect 64 "${R[@]}" bisect docs --scan "clamscan -r"
expect 64 "${R[@]}" bisect docs
expect 64 "${R[@]}" bisect docs --known-bad "$T/none.list"
printf '%s\n\nd41d8cd98f00b204e9800998ecf8427e x\n' "$(of x)" >"$T/md5.list"
expect 64 "${R[@]}" bisect docs --known-bad "$T/md5.list"
said "E-BISECT-01: '$T/md5.list': line 3 is MD5"
expect 2 "${R[@]}" bisect nothing --known-bad "$T/evil.list"
said 'there is: docs@1 … docs@8'
say "scanners that name nothing, one, or take away what they find lead to the same; what one cannot judge is unknown; one that does not" \
	"work is told"

# ---- what the scanner can reach, and what it cannot
mkdir "$T/outside"
cat >"$T/probe.sh" <<P
{ env | grep -v ^PATH=; stat -c '%a %n' "\$1" "\$1/.." "\$1/../.."; ls "\$1" | sed 's/^[0-9]*//' | sort | uniq -c; } >"\$TMPDIR/said" 2>&1
! cat "$T/id.txt" >"\$TMPDIR/key" 2>/dev/null || :
for f in "$T/m1/x" "$T/outside/x" "$T/state/x"; do echo x 2>/dev/null >"\$f" && echo "wrote \$f" >>"\$TMPDIR/said"; done
cp /bin/true "\$TMPDIR/true" && "\$TMPDIR/true" 2>/dev/null && echo "executed" >>"\$TMPDIR/said"
timeout 3 bash -c 'echo >/dev/tcp/127.0.0.1/@PORT@' 2>/dev/null && echo "connected" >>"\$TMPDIR/said"
cat "\$TMPDIR/said" "\$TMPDIR/key" | head -c 3000 >&2
exit 0
P
python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(5); print(s.getsockname()[1], flush=True); time.sleep(60)' >"$T/port" &
listener=$!
while [ ! -s "$T/port" ]; do sleep 0.05; done
sed -i "s/@PORT@/$(cat "$T/port")/" "$T/probe.sh"
bash -c "echo >/dev/tcp/127.0.0.1/$(cat "$T/port")" || die "the test's own port"
# what it said is kept by a status that is none: the last line of it
cat >"$T/keep.sh" <<P
sh "$T/probe.sh" "\$1" 2>"\$TMPDIR/all"
! ls "\$1" | grep -q EXE || { tr '\n' '|' <"\$TMPDIR/all" >&2; exit 9; }
P
status env SECRET=of-the-operator "${R[@]}" bisect docs --generations 5 --scan "bash '$T/keep.sh' {}"
kill "$listener"
[ "$STATUS" = 3 ] || fail "the probe said nothing"
reached=$(tr '|' '\n' <"$T/err")
grep -q '^TMPDIR=' <<<"$reached" || fail "what the scanner said is not there"
for w in SECRET of-the-operator AGE-SECRET "id.txt" wrote executed connected 山田; do
	! grep -q "$w" <<<"$reached" || fail "the scanner reaches: $w"
done
grep -qE '\.EXE$' <<<"$reached" || fail "the ending is kept"
[ "$(grep -cE '^700 ' <<<"$reached")" = 3 ] || fail "folders are open to others"
[ ! -e "$T/m1/x" ] && [ ! -e "$T/outside/x" ] && [ ! -e "$T/state/x" ] || die "the scanner wrote outside"
[ -z "$(ls -A "$T/tmp")" ] || die "something is left: $(ls -R "$T/tmp")"
say "the scanner sees neither key nor names nor the operator's environment, writes nowhere else, executes nothing of it, and has no network"

# ---- names: to a terminal, or into a file that nobody else can read
names="${R[*]} bisect docs --known-bad $T/evil.list"
script -qec "$names" /dev/null </dev/null >"$T/tty" 2>&1 || [ $? = 1 ]
grep -q '山田 花子.EXE' "$T/tty" && grep -q 'moved.dat' "$T/tty" || fail "no names on a terminal" "$T/tty"
$names 2>&1 | cat >"$T/piped"
(umask 022; $names >"$T/open" 2>/dev/null) || [ $? = 1 ]
(umask 077; $names >"$T/shut" 2>/dev/null) || [ $? = 1 ]
grep -q '山田' "$T/shut" || fail "no names in a file of mode 0600" "$T/shut"
for f in piped open; do
	grep -q 'from\|the last time in docs@7' "$T/$f" && grep -q 'names are shown' "$T/$f" || fail "nothing is said" "$T/$f"
	! grep -q '山田\|moved' "$T/$f" || fail "names where others can read them" "$T/$f"
done
! grep -rq '山田\|moved' "$T/slips" || die "names in a slip"
[ "$(cat "$T"/slips/*.json | python3 -c 'import json, sys
print({json.loads(l)["command"] for l in sys.stdin if l.strip()})')" != "" ] || die "no slip"
grep -lq '"command":"bisect"' "$T"/slips/*.json || die "the use of the key left no slip"
say "names of files are shown on a terminal and in a file of mode 0600 only; the use of the key leaves a slip"

# ---- ends early: at the first clean one, by a person, by force
expect 0 "${R[@]}" bisect docs --known-bad "$T/evil.list" --until-clean
[ "$(grep -c '^docs@' "$T/out")" = 1 ] || fail "not at the first clean one"
expect 1 "${R[@]}" bisect docs --known-bad "$T/evil.list" --until-clean --generations 2-7
[ "$(grep -c '^docs@' "$T/out")" = 4 ] && said 'last without any: docs@4 ' && said 'older ones were not looked at' || fail "not from 7 to 4"
expect 1 "${R[@]}" bisect docs --known-bad "$T/evil.list" --generations 6-7
said 'none of those that were looked at'
for signal in INT TERM KILL; do
	"${R[@]}" bisect docs --to "$T/quarantine" --scan "[ \$(ls {} | wc -l) = 1 ] || sleep 30; : {}" >"$T/out" 2>"$T/err" &
	pid=$!
	for _ in $(seq 200); do [ "$(ls "$T/quarantine/scratch/run" 2>/dev/null | wc -l)" -gt 100 ] && break; sleep 0.05; done
	[ "$(ls "$T/quarantine/scratch/run" | wc -l)" -gt 100 ] || fail "nothing is being scanned"
	begun=$SECONDS
	kill -$signal $pid
	code=0; wait $pid 2>/dev/null || code=$?
	if [ $signal = KILL ]; then
		for _ in $(seq 800); do [ -e "$T/quarantine" ] || break; sleep 0.05; done
	else
		[ $code = 3 ] && grep -q E-RESTORE-15 "$T/err" || fail "$signal: exit $code"
		[ $((SECONDS - begun)) -lt 15 ] || die "$signal: it waited for the scanner"
	fi
	[ ! -e "$T/quarantine" ] || die "$signal: patients' data is left: $(find "$T/quarantine" | head)"
	rm -rf "$T"/quarantine.use-*
done
mkdir "$T/full"; touch "$T/full/x"
expect 2 "${R[@]}" bisect docs --to "$T/full" --scan ": {}"
expect 2 "${R[@]}" bisect docs --to "$T/m1/x" --scan ": {}"
said E-TARGET-04
[ -e "$T/full/x" ] && [ ! -e "$T/m1/x" ] || die "a folder that was not ours"
say "it ends at the first clean one, when a person wants it, and by force, and leaves nothing"

# ---- what cannot be read is not clean
cp -a "$T/m1" "$T/m3"; thaw "$T/m3"
python3 - "$(set_of "$T/m3")/archives" <<'P'
import glob, sys
for f in glob.glob(sys.argv[1] + "/*/*.age"):  # the middle of the largest: the big file
    import os
    if os.path.getsize(f) > 2000000:
        b = bytearray(open(f, "rb").read()); b[len(b) // 2] ^= 1
        open(f, "wb").write(b)
P
D=("$RESTORE" --medium "$T/m3" --identity "$T/id.txt")
expect 3 "${D[@]}" bisect docs --scan "! grep -qrE '$pattern' {}"
said 'E-AGE-04: .*chunk'
[ "$(grep -c E-AGE-04: "$T/err")" = 1 ] || fail "one fault is said once"
for n in 8 1; do grep -q "^docs@$n .*UNKNOWN" "$T/out" || fail "docs@$n is damaged"; done
for n in 7 6 5 4 3 2; do grep -q "^docs@$n .*FOUND" "$T/out" || fail "docs@$n is bad whatever else is damaged"; done
grep -q '^none of those' "$T/out" || fail "a damaged one is taken for clean"
# catalogs are whole: for a list that is enough
expect 1 "${D[@]}" bisect docs --known-bad "$T/both.list"
# the same with another copy beside it
expect 1 "${D[@]}" --medium "$T/m1" bisect docs --scan "! grep -qrE '$pattern' {}"
said 'W-ARCHIVE-18'
grep -q '^the last without any: docs@1 ' "$T/out" || fail "with a second copy"
# a generation whose documents are damaged
printf x >>"$(set_of "$T/m3")/generations/000004/root.age"
expect 3 "${D[@]}" bisect docs --known-bad "$T/evil.list"
said 'last without any: docs@3 '
said 'not known to be clean: docs@4 '
grep -q '^docs@4 .*UNKNOWN' "$T/out" || fail "docs@4 cannot be opened"
# more than 1 GiB of holes: there is no SHA-256 to compare
truncate -s 1500M "$T/src/b/sparse"
night 0
expect 3 "${R[@]}" bisect docs --known-bad "$T/evil.list"
said 'E-BISECT-04'
grep -q '^docs@9 .*UNKNOWN' "$T/out" || fail "what has no SHA-256 is not known"
rm "$T/src/b/sparse"
say "what is damaged, cannot be opened or has no SHA-256 is said and unknown, never clean; another copy helps"

# ---- figures alone: the guard's, on the host and on a medium
python3 - "$T/src" <<'P'
import os, sys
d = sys.argv[1] + "/a"
for i in range(1, 12):
    open("%s/f%d.txt" % (d, i), "wb").write(os.urandom(4000))
P
night 1
expect 1 "$BKP" guard since 1 docs
cp "$T/out" "$T/since"
expect 1 "$RESTORE" --medium "$T/m1" generations --timeline docs --svg "$T/x.svg"
cmp -s "$T/since" "$T/out" || fail "the medium says something else than the host" "$T/since" "$T/out"
[ "$(awk '{print length}' "$T/since" | sort -n | tail -n 1)" -le 80 ] || fail "wider than 80 columns" "$T/since"
grep -q '^the first sign: docs@10 ' "$T/since" && grep -q '^the newest before the first sign: docs@9 ' "$T/since" || fail "since" "$T/since"
"$BKP" guard since 3 --json >"$T/json" || [ $? = 1 ]
python3 - "$T/json" "$T/state/journal/000001.jsonl" <<'P' || fail "not what the journal has" "$T/json"
import json, sys
o, journal = json.load(open(sys.argv[1])), {}
for l in open(sys.argv[2]):
    r = json.loads(l)
    if r["event"] == "committed":
        journal[r["generation"]] = r["guard"]
d, = o["datasets"]
assert [g["generation"] for g in d["generations"]] == list(range(3, 11))
for g in d["generations"]:
    for k, v in g["figures"].items():
        assert v == journal[g["generation"]].get(k, 0), (g, k)
    assert (g["verdict"] == "suspect") == journal[g["generation"]]["suspect"], g
assert (d["first_sign"], d["first_alarm"], d["newest_before"]) == (10, 10, 9), d
P
[ "$(stat -c %a "$T/x.svg")" = 600 ] || die "the drawing can be read by others"
rsvg-convert "$T/x.svg" -o "$T/x.png" && python3 - "$T/x.png" "$T/x.svg" <<'P' || fail "the drawing" "$T/x.svg"
import struct, sys
b = open(sys.argv[1], "rb").read()
w, h = struct.unpack(">II", b[16:24])
assert b[:4] == b"\x89PNG" and abs(w / h - 297 / 210) < 0.01, (w, h)
s = open(sys.argv[2]).read()
assert "docs@9" in s and "http" not in s.replace("http://www.w3.org/2000/svg", "") and "<script" not in s
P
expect 2 "$RESTORE" --medium "$T/m1" generations --timeline --svg "$T/x.svg" # nothing is replaced
expect 2 "$RESTORE" --medium "$T/m1" generations --timeline --svg "$T/m1/x.svg"
said E-TARGET-04
"$BKP" --quiet accept docs@10 --operator Sato --reason "a test" 2>/dev/null
expect 0 "$BKP" guard since docs@3
grep -q '  accepted$' "$T/out" && grep -q '^nothing is out of the ordinary' "$T/out" || fail "accepted is no sign"
expect 0 "$BKP" guard since 1 --json
expect 2 "$BKP" guard since 99
expect 64 "$BKP" guard since
expect 64 "$BKP" guard since x
expect 64 "$BKP" guard since 1 dosc
said "did you mean 'docs'"
expect 64 "$RESTORE" --medium "$T/m1" generations docs
for range in 3- 3 3-9 9-3 -3 3-x x 0-3; do
	case $range in 9-3 | -3 | 3-x | x | 0-3) want=64 ;; *) want=0 ;; esac
	expect $want "$RESTORE" --medium "$T/m1" generations "--generations=$range"
done
"$RESTORE" --quiet --medium "$T/m1" generations --generations 3-4 --json | python3 -c 'import json, sys
assert [g["generation"] for g in json.load(sys.stdin)["generations"]] == [3, 4]' || die "a range of generations"
# the copy of the journal on a medium that was not there last: it ends before
sed -i '/RDX/d' "$T/policy.yaml"
thaw "$T/m3"
expect 0 "$RESTORE" --medium "$T/m3" generations --timeline
! grep -q '^ *10 ' "$T/out" || fail "a copy that ends before knows of it"
expect 0 "$RESTORE" --medium "$T/m3" --journal "$T/state" generations --timeline
grep -q '(10) ' "$T/out" || fail "what is not on the medium is not marked"
say "the figures are the journal's; the newest before the first sign is named, the same on the host and from a medium without a key"
