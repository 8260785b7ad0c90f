#!/bin/bash
# expect: what the policy expects of a data set.  A dump that is cut off has failed; one that shrank, or whose newest file is too
# old, is captured and does not count.  The judges are the journal and the exit status.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
G=0
run_as() { # EXIT [FAKECLOCK]: one more night
	G=$((G + 1))
	expect "$1" env "${FAKE_ENV[@]}" FAKECLOCK="${2:-0}" "$BKP" run --all
	cp "$T/err" "$T/said"
	"$BKP" generations --json >"$T/gens"
}
is() { # DATASET VERDICT [WORDS in the reason]
	python3 - "$T/gens" "$G" "$@" <<'P' || die "run $G, not as expected: $*"
import json, re, sys
g = json.load(open(sys.argv[1]))["generations"]
d = [d for d in g if (d["generation"], d["dataset"]) == (int(sys.argv[2]), sys.argv[3])][0]
ok = d["verdict"] == sys.argv[4] and (len(sys.argv) < 6 or re.search(sys.argv[5], d.get("reason") or ""))
sys.exit(0 if ok else "%s" % d)
P
}
mkdir -p "$T/src" "$T/files"
for i in $(seq 1 40); do { echo "%PDF-1.4"; head -c 2991 /dev/urandom; } >"$T/src/$i"; done
cp "$T/src"/* "$T/files/"

# ---- dumps: whole, cut off, of another kind
seq 1 50000 | gzip >"$T/a.gz"
(cd "$T/src" && zip -q "$T/a.zip" 1 2 3)
tar -C "$T/src" -cf "$T/a.tar" .
printf -- '-- MariaDB dump 10.19\nCREATE TABLE t (a int);\n-- Dump completed on 2026-11-21  2:00:00\n' >"$T/a.mysql"
printf -- '--\n-- PostgreSQL database cluster dump\n--\n\nCREATE ROLE emr;\n\n--\n-- PostgreSQL database cluster dump complete\n--\n\n' \
	>"$T/a.sql"
python3 - "$T" <<'P'
import sys
i = lambda v: bytes([v < 0]) + abs(v).to_bytes(4, "little")
s = lambda t: i(-1) if t is None else i(len(t)) + t
def dump(minor):
    b = b"PGDMP" + bytes([1, minor, 0, 4, 8, 1]) + (b"\0" if minor >= 15 else i(-1)) + i(1) * 7 + s(b"emr") + s(b"15") * 2 + i(1)
    b += i(7) + i(1) + s(b"1") * 4 + i(3) + s(b"x") * 5 + s(b"heap") + (i(114) if minor >= 16 else b"") + s(b"me") + s(b"false") + s(None)
    return b + b"\1" + bytes(8) + b"\1" + i(7) + s(b"row" * 50000) + i(0)
open(sys.argv[1] + "/a.pg", "wb").write(dump(14))
open(sys.argv[1] + "/new.pg", "wb").write(dump(99))
P
kinds="gz:gzip zip:zip tar:tar mysql:mysqldump sql:pgdumpall pg:pgdump"
{
	for k in $kinds; do
		f=$T/a.${k%:*} n=$(stat -c %s "$T/a.${k%:*}") c=${k#*:}
		echo "  - {name: $c-whole, command: \"cat $f\", store_as: d, expect: {content: $c}}"
		echo "  - {name: $c-half, command: \"head -c $((n / 2)) $f\", store_as: d, expect: {content: $c}}"
		echo "  - {name: $c-other, command: \"echo 'error: no such database'\", store_as: d, expect: {content: $c}}"
		echo "  - {name: $c-nothing, command: \"true\", store_as: d, expect: {content: $c}}"
	done
	echo "  - {name: pgdump-one, command: \"head -c -1 $T/a.pg\", store_as: d, expect: {content: pgdump}}"
	echo "  - {name: pgdump-behind, command: \"cat $T/a.pg; echo\", store_as: d, expect: {content: pgdump}}"
	echo "  - {name: pgdump-new, command: \"cat $T/new.pg\", store_as: d, expect: {content: pgdump}}"
	echo "  - {name: small, command: \"echo x\", store_as: d, expect: {min_bytes: 1 KiB}}"
} >"$T/sets"
site_policy "$(cat "$T/sets")"
site_make
run_as 1
for k in $kinds; do
	c=${k#*:}
	is "$c-whole" good
	is "$c-half" failed "cut off at byte $(($(stat -c %s "$T/a.${k%:*}") / 2))"
	is "$c-other" failed
	is "$c-nothing" failed 'gave nothing'
done
is pgdump-one failed "cut off at byte $(($(stat -c %s "$T/a.pg") - 1)), with 0 of 1 tables whole"
is pgdump-behind failed 'behind its end'
is pgdump-new good
grep -q 'W-EXPECT-01: pgdump-new: .*version 1.99' "$T/said" || die "that it cannot be checked is not said: $(cat "$T/said")"
is small failed 'gave 2 bytes where at least 1024'
say "dumps of 6 kinds: whole ones count; cut in half, empty, of another kind, a byte short or with a byte behind they fail with the byte;" \
	"one of a later version is captured and said to be unchecked"

# ---- shrink_alarm, min_entries, min_bytes of files
cat >"$T/sets" <<Y
  - {name: dump, command: "seq 1 \$(cat $T/rows)", store_as: d, expect: {shrink_alarm: 50 %}}
  - {name: tree, paths: [$T/files], expect: {shrink_alarm: 40 %, min_entries: 10, min_bytes: 5 kB}}
  - {name: stream, format: tar, command: "tar -C $T -cf - files", expect: {shrink_alarm: 40 %, min_entries: 10, min_bytes: 5 kB}}
Y
site_policy "$(cat "$T/sets")"
echo 1000 >"$T/rows"
run_as 0 # 2: nothing to compare with
echo 700 >"$T/rows"
rm "$T/files"/1?
run_as 0 # 3: less, but not by so much
echo 200 >"$T/rows"
rm "$T/files"/2? "$T/files"/3?
run_as 1 # 4
for d in tree stream; do is $d partial 'shrank by more than 40 %: 30000 bytes, 90000 in generation 3'; done
is dump partial 'shrank by more than 50 %: 692 bytes, 2692 in generation 3'
grep -q "bkp accept" "$T/said" || die "what to do is not said"
run_as 1 # 5: it stays so: a generation that does not count is nothing to compare with
for d in tree stream; do is $d partial 'in generation 3'; done
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract tree@5 --to "$T/r" >/dev/null 2>&1
[ "$(find "$T/r" -type f | wc -l)" = 10 ] || die "what shrank is not captured"
echo 700 >"$T/rows"
cp "$T/src"/2? "$T/files/"
run_as 0 # 6: it is back
rm "$T/files"/2? "$T/files"/[5-9]
sed -i 's/shrink_alarm: .. %, //' "$T/policy.yaml"
run_as 1 # 7
for d in tree stream; do is $d partial 'has 6 entries where at least 10 are expected'; done
rm "$T/files"/[2-4] "$T/files/40"
sed -i 's/min_entries: 10, //' "$T/policy.yaml"
run_as 1 # 8
for d in tree stream; do is $d partial 'has 3000 bytes where at least 5000 are expected'; done
say "a tree, a tar stream and a dump that shrank by more than shrink_alarm since they were good last, or below min_entries or min_bytes," \
	"are captured, partial, exit 1, every night until they are right again"

# ---- max_age: the export has silently stopped
cat >"$T/sets" <<Y
  - {name: tree, paths: [$T/files], expect: {max_age: 2d}}
  - {name: stream, format: tar, command: "tar -C $T -cf - files", expect: {max_age: 2d}}
  - {name: none, format: tar, command: "mkdir -p $T/hollow/x; tar -C $T/hollow -cf - x", expect: {max_age: 2d}}
Y
site_policy "$(cat "$T/sets")"
touch -d '5 days ago' "$T/files"/*
echo new >"$T/files/export"
touch -d '2040-01-01' "$T/files/from-a-wrong-clock" # says nothing of today
run_as 1 # 9
is tree good
is stream good
is none partial 'no file in it'
run_as 1 $((3 * 86400)) # 10: three days later, from what is remembered: nothing is read
for d in tree stream; do is $d partial 'newest file is of .*, older than 2 d|newest file is of '; done
grep -q 'what writes it has stopped' "$T/said" || die "it is not said: $(cat "$T/said")"
touch -d '3 days' "$T/files/export"
run_as 1 $((3 * 86400)) # 11
for d in tree stream; do is $d good; done
say "files of which the newest is older than max_age make a data set partial, also when nothing had to be read; a date in the future does" \
	"not hide it"
