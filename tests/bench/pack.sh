#!/bin/bash
# A year of a hospital's journal, and what papers of it cost: NIGHTS (365) nights of eight data sets on two media, each night with a signing
# key of its own.  Two nights are run; the others are the second one's records again, under their own number, time and key (rejournal.py).
# Prints seconds, user time and peak memory in MiB of `report pack` (all forms, signed), `status --html`, `status` and `journal verify`.
# usage: BKP_BIN=build/release tests/bench/pack.sh [NIGHTS]
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/fakeclock.sh"
NIGHTS=${1:-365}
export TZ=Asia/Tokyo
at() { # DAYS-AGO COMMAND...
	local ago=$1
	shift
	env "${FAKE_ENV[@]}" FAKECLOCK=$((-86400 * ago)) "$@"
}
mkdir -p "$T/src" "$T/m1" "$T/m2" "$T/keys"
sets=
for i in 1 2 3 4 5 6 7 8; do
	echo "$i" >"$T/src/$i"
	sets+="  - {name: set$i, title: 対象データ$i, paths: [$T/src/$i], importance: A, priority: $i, rpo: 24h, rto: 24h, generations: 3}
"
done
site_policy "$sets"
cat >>"$T/policy.yaml" <<Y
people:
  - {name: 院長, roles: [manager]}
  - {name: 佐藤, roles: [operator]}
Y
age-keygen -o "$T/id.txt" 2>/dev/null
at $((NIGHTS + 1)) "$BKP" init --root-key-out "$T/root" --recipient "$(age-keygen -y "$T/id.txt")" >"$T/said"
for m in m1 m2; do at $((NIGHTS + 1)) "$BKP" medium add $m >"$T/said" 2>&1; done
for i in 0 1; do
	for s in "$T"/src/*; do echo $i >>"$s"; done
	at $((NIGHTS - i)) "$BKP" --quiet run --all >"$T/said" 2>&1 || fail "night $i" "$T/said"
done
python3 - "$T" "$SRC_ROOT/tests/lib/rejournal.py" "$NIGHTS" <<'P'
import datetime, glob, json, os, re, subprocess, sys, uuid
T, rejournal, nights = sys.argv[1], sys.argv[2], int(sys.argv[3])
path = T + "/state/journal/000001.jsonl"
lines = open(path, encoding="utf-8").read().splitlines()
records = [json.loads(l) for l in lines]
first = [i for i, r in enumerate(records) if r["event"] == "begin"][-1]
first -= records[first - 1]["event"] == "epoch"
drop = ("seq", "boot", "synced", "version", "by", "repository", "prev", "epoch", "sig")
night = [{k: v for k, v in r.items() if k not in drop} for r in records[first:] if r["event"] != "epoch"]
run, was = [(r["run"], r["uuid"]) for r in night if r["event"] == "begin"][0]
key = glob.glob(T + "/state/signing-*.key")[0]
epoch = int(re.search(r"(\d+)\.key$", key).group(1))
again = []
for n in range(1, nights - 1):
    new = "%s/keys/%d" % (T, epoch + n)
    subprocess.run(["minisign", "-G", "-W", "-f", "-p", new + ".pub", "-s", new], stdout=subprocess.DEVNULL, check=True)
    own = str(uuid.UUID(int=n, version=4))
    text = json.dumps(night).replace(was, own)
    one = json.loads(text)
    shift = lambda t: (datetime.datetime.fromisoformat(t.replace("Z", "+00:00")) + datetime.timedelta(n)).strftime("%Y-%m-%dT%H:%M:%SZ")
    begun = shift(one[0]["time"])
    again.append([{"event": "epoch", "next": epoch + n, "key": "@" + new, "time": begun, "mono_ns": one[0]["mono_ns"] + n * 86400 * 10**9}])
    for r in one:
        for at in [r] + [g for g in r.get("generations", []) if isinstance(g, dict)]:
            for k in ("run", "generation"):
                if at.get(k) == run:
                    at[k] = run + n
        r["time"], r["mono_ns"] = shift(r["time"]), r["mono_ns"] + n * 86400 * 10**9
    again[-1] += one
for i in range(0, len(again), 10):
    some = [json.dumps(r, ensure_ascii=False) for night in again[i:i + 10] for r in night]
    subprocess.run([sys.executable, rejournal, path, path, str(len(lines)), key, str(epoch)] + some, check=True)
    lines = open(path, encoding="utf-8").read().splitlines()
    key, epoch = "%s/keys/%d" % (T, epoch + len(again[i:i + 10])), epoch + len(again[i:i + 10])
if again:
    for old in glob.glob(T + "/state/signing-*.key"):
        os.unlink(old)
    with open(key) as f, open("%s/state/signing-%d.key" % (T, epoch), "w", opener=lambda p, fl: os.open(p, fl, 0o600)) as to:
        to.write(f.read())
    os.unlink(path)
    number, size, to = 0, 1 << 30, None
    for l in lines:
        if size + len(l.encode()) + 1 > (4 << 20) - (64 << 10):
            number, size, to = number + 1, 0, open("%s/%06d.jsonl" % (os.path.dirname(path), number + 1), "w", encoding="utf-8")
        to.write(l + "\n")
        size += len(l.encode()) + 1
print("%d nights, %d records, %d keys, %.1f MB in %d files" % (nights, len(lines), epoch, sum(len(l.encode()) + 1 for l in lines) / 1e6,
      number if again else 1))
P
mv "$T/m1" "$T/m1.away" # their copies of the journal end with the second night
mv "$T/m2" "$T/m2.away"
measure() { # NAME COMMAND...
	local name=$1 code=0
	shift
	/usr/bin/time -f '%e %U %M' -o "$T/time" "$@" >"$T/out" 2>"$T/err" || code=$?
	[ "$code" -le "${MAX:-1}" ] || fail "$name: exit $code"
	awk -v n="$name" 'END {printf "%-16s %6.2f s (user %5.2f)  %6.1f MiB\n", n, $1, $2, $3 / 1024}' "$T/time"
	awk -v max="${WITHIN:-1e9}" 'END {exit !($1 <= max)}' "$T/time" || die "$name: more than $WITHIN s"
}
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
WITHIN=60 measure "report pack" "$BKP" report pack --out "$T/pack"
(cd "$T/pack" && sha256sum --quiet -c SHA256SUMS) || die "the pack"
MAX=2 measure "status --html" "$BKP" status --html "$T/page.html"
MAX=2 measure "status" "$BKP" status
measure "journal verify" "$BKP" journal verify --file "$T/state/journal"
du -k "$T/page.html" | awk '{printf "the page has %d KiB\n", $1}'
du -sk "$T/pack" | awk '{printf "the pack has %.1f MB\n", $1 / 1000}'
