#!/bin/bash
# Goal: an archive that several generations share rots, and one of them is verified: none of them counts any more, and the next
# night does not call whole what rests on it.
. "$(dirname "$0")/../lib/site.sh"
mkdir -p "$T/src"
head -c 3000000 /dev/urandom >"$T/src/big"
site_policy "  - {name: docs, paths: [$T/src]}"
site_make
for g in 1 2 3; do
	echo $g >"$T/src/small"
	expect 0 "$BKP" run --all
done
thaw "$T/m1"
chmod -R u+w "$T/m1"
repo=$(set_of "$T/m1")
a=$(for x in $(grep -o 'archives/.*' "$repo/generations/000001/SHA256SUMS"); do echo "$(stat -c %s "$repo/$x") $x"; done | sort -n |
	tail -n 1 | cut -d' ' -f2)
grep -q "$a" "$repo/generations/000003/SHA256SUMS" || die "nothing is shared: the test tests nothing"
printf X | dd of="$repo/$a" bs=1 seek=100000 conv=notrunc status=none
# a medium that is pulled out meanwhile (everything on it fails from then on) is no damaged one
cp "$T/state/journal/000001.jsonl" "$T/before"
R=${BKP_RELEASE:-$BKP_BIN}/bkp
reads=read,pread64
strace -f -qq -y -o "$T/reads" -P "$repo/$a" -P "$T/m1/bkp-medium.json" -e trace=$reads \
	"$R" verify --medium m1 --quiet >"$T/out" 2>&1 || true
n=$(grep -n archives/ "$T/reads" | head -n 1 | cut -d: -f1)
[ "${n:-0}" -gt 0 ] || fail "no archive is read: the test does not test" "$T/reads" "$T/out"
cp "$T/before" "$T/state/journal/000001.jsonl"
status strace -f -qq -o /dev/null -P "$repo/$a" -P "$T/m1/bkp-medium.json" -e trace=$reads -e inject=$reads:error=EIO:when="$n+" \
	"$R" verify --medium m1 1
[ "$STATUS" = 3 ] && grep -q "E-VERIFY-11" "$T/err" || fail "exit $STATUS: a medium that does not answer"
# that it was tried and came to nothing stands in the journal, and nothing about the copies
grep -v '"event":"outcome","command":"verify","exit":3' "$T/state/journal/000001.jsonl" | cmp -s "$T/before" - ||
	die "something was recorded of a medium that does not answer"
expect 2 "$BKP" verify --medium m1 1
for g in 1 2 3; do
	grep -q "\"event\":\"verify-failed\".*\"dataset\":\"docs\",\"generation\":$g," "$T/state/journal/000001.jsonl" ||
		die "docs@$g is still believed"
	grep -q "docs@$g: DAMAGED" "$T/out" || die "generation $g is not named"
done
status "$BKP" status --json
python3 - "$T/out" <<'P' || fail "status believes what is damaged" "$T/out"
import json, sys
m = [m for m in json.load(open(sys.argv[1]))["media"] if m["label"] == "m1"][0]
assert m["damaged"] == 3 and m["generations"] == 0, m
P
say "a medium that stops answering while it is verified: exit 3, nothing recorded"
say "three generations share the archive: one is verified, all three are recorded as damaged"
echo 4 >"$T/src/small"
expect 1 "$BKP" run --all
! grep "\"event\":\"verified\",\"medium\":\"$(python3 \
	-c 'import json,sys; print(json.load(open(sys.argv[1]))["medium"])' "$T/m1/bkp-medium.json")" "$T/state/journal/000001.jsonl" |
	grep -q '"generation":4,' ||
	die "the next night vouched for the damaged archive"
expect 0 "$BKP" verify --medium m2
say "the next night reads the archive again before it counts the new generation on that medium"

# ---- it is cut everywhere: what lies in it is stored once more, and the guard counts what changed at the source
for m in m1 m2; do
	thaw "$T/$m"
	chmod u+w "$(set_of "$T/$m")/$a"
	truncate -s -1 "$(set_of "$T/$m")/$a"
done
chmod 0600 "$T/src/big"
touch -r "$T/src/small" "$T/when"
echo 5 >"$T/src/small"
touch -r "$T/when" "$T/src/small"
status "$BKP" run --all
python3 - "$T/state/journal/000001.jsonl" <<'P' || fail "the guard counts what is stored once more, or misses another content"
import json, sys
c = [r for r in map(json.loads, open(sys.argv[1])) if r["event"] == "committed"][-1]
assert c["generation"] == 5 and c["new_bytes"] > 3000000, c
assert c["guard"]["changed"] == 1, c["guard"]
P
say "content that is stored once more for a damaged archive, its file's mode changed, is no change; another content under its old time is"
