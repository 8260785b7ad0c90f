#!/bin/bash
# Goal: nothing is lost silently: unreadable files and folders, files that change while read, failing and empty dumps, paths
# that are gone: named, exit 1 (2 when nothing is left), and the generation says so for ever.
. "$(dirname "$0")/../lib/site.sh"
mkdir -p "$T/src/locked" "$T/src/open"
echo secret >"$T/src/locked/inside"
echo fine >"$T/src/open/fine"
echo hidden >"$T/src/unreadable"
site_policy "  - {name: docs, paths: [$T/src]}
	  - {name: db, command: 'printf 0123456789', store_as: db.dump}
	  - {name: bad, command: 'printf partial; echo \"connection refused\" >&2; exit 3', store_as: bad.dump}
	  - {name: empty, command: 'true', store_as: empty.dump, expect: {min_bytes: 1 MiB}}
	  - {name: gone, paths: [$T/nowhere]}"
site_make
user() { "$@"; }
if [ "$(id -u)" = 0 ]; then
	# root reads everything: the run itself is done as another user
	chown -R 65534:65534 "$T"
	user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	chown -R 0:0 "$T/src/locked" "$T/src/unreadable"
fi
chmod 0700 "$T/src/locked"; chmod 0600 "$T/src/unreadable"
[ "$(id -u)" = 0 ] || chmod 0 "$T/src/locked" "$T/src/unreadable"
expect 1 user "$BKP" run --all
grep -q "cannot read '.*/src/locked'" "$T/err" || die "the unreadable folder is not named: $(cat "$T/err")"
grep -q "cannot read '.*/src/unreadable'" "$T/err" || die "the unreadable file is not named"
grep -q "'bad' failed.*status 3" "$T/err" && grep -q 'its commands said: command: connection refused' "$T/err" ||
	die "the failed command is not reported: $(cat "$T/err")"
grep -q "'empty' failed" "$T/err" || die "an empty dump passed"
grep -q "'gone' failed" "$T/err" || die "a path that is gone passed"
# for ever: manifests and catalog say so of what there is, the journal of what failed
(cd "$(repo_of "$T/m1")/datasets" && [ "$(echo */generations/*)" = "db/generations/000001 docs/generations/000001" ]) ||
	die "a data set that failed is on the medium: $(find "$(repo_of "$T/m1")/datasets")"
python3 - "$(set_of "$T/m1" docs)" "$(set_of "$T/m1" db)" "$T/state/journal/000001.jsonl" <<'P' || die "it is not recorded what happened"
import json, sys
docs, db = (json.load(open(d + "/generations/000001/manifest.json")) for d in sys.argv[1:3])
assert docs["verdict"] == "partial" and docs["unreadable"] == 2 and db["verdict"] == "good", (docs, db)
failed = [r for r in map(json.loads, open(sys.argv[3])) if r["event"] == "failed"]
assert len(failed) == 1 and failed[0]["run"] == 1, failed
assert [d["name"] for d in failed[0]["datasets"]] == ["bad", "empty", "gone"] and all(d["reason"] for d in failed[0]["datasets"]), failed
P
chmod 0644 "$T/id.txt"
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" list docs@1 >"$T/list"
[ "$(grep -c "could not be read" "$T/list")" -ge 2 ] || die "list does not mark what could not be read: $(cat "$T/list")"
expect 1 restore_to "$T/m1" 1 "$T/out.d"
grep -qi "unreadable\|could not be read" "$T/err" || die "extract does not name what was never captured"
[ "$("$RESTORE" --medium "$T/m1" --identity "$T/id.txt" cat db@1 db.dump)" = 0123456789 ] || die "the good dump"
expect 2 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" cat bad@1 bad.dump
# nothing at all to capture: exit 2, no generation
expect 2 user "$BKP" run bad
[ ! -e "$(set_of "$T/m1" bad)/generations/000002" ] || die "a generation of failures was made"
[ "$("$BKP" generations --json |
	python3 -c 'import json,sys; print(sum(g["state"]=="committed" for g in json.load(sys.stdin)["generations"]))')" = 2 ] ||
	die "generations reports a failed run"

# a file that changes while it is read: read again once, then stored and flagged
cat >"$T/appender.py" <<'P'
import os, sys, time
f = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
end = time.time() + float(sys.argv[2])
while time.time() < end:
    os.write(f, b"x" * 64)
P
head -c 30000000 /dev/urandom >"$T/src/open/growing"
[ "$(id -u)" != 0 ] || chown 65534 "$T/src/open/growing"
python3 "$T/appender.py" "$T/src/open/growing" 40 &
p=$!
for _ in $(seq 200); do [ "$(stat -c %s "$T/src/open/growing")" -gt 30000000 ] && break; sleep 0.1; done
expect 1 user "$BKP" run docs
kill $p 2>/dev/null; wait $p 2>/dev/null || true
grep -q "growing' changed while it was read" "$T/err" || die "a changing file is not named: $(cat "$T/err")"
n=$("$BKP" generations --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["generations"][-1]["generation"])')
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" list "docs@$n" | grep growing | grep -q changed ||
	die "list does not mark the changed file"
say "unreadable, changing, failed, empty and missing sources are named, counted, marked for ever, and change the exit code"
