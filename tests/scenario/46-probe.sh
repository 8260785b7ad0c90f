#!/bin/bash
# Goal: the value of a data set's probe is taken at capture and is found again by whoever holds the recovery identity, and by
# nobody else; a capture without its value is not called good.
. "$(dirname "$0")/../lib/site.sh"

mkdir -p "$T/src" "$T/p"
echo data >"$T/src/file"
# one data set per way a probe can go; the scripts, so that values do not stand in the policy
probe() { # NAME COMMAND
	printf '#!/bin/sh\n%s\n' "$2" >"$T/p/$1"
	chmod 0755 "$T/p/$1"
	echo "  - {name: $1, paths: [$T/src], probe: $T/p/$1}" >>"$T/sets"
}
probe count 'echo 4711-PATIENTS'
probe lines 'printf "患者 12\\n外来\\t3\\n\\n\\n"'
probe slow 'sleep 2; echo SLOW-VALUE'
probe full 'head -c 4096 /dev/zero | tr "\\0" x; echo'
probe failing 'echo SECRET-VALUE; echo "relation patient does not exist" >&2; exit 3'
probe empty 'printf "\\n\\n"'
probe huge 'yes HUGE-VALUE'
probe over 'head -c 4097 /dev/zero | tr "\\0" x'
probe latin 'printf "caf\\351\\n"'
probe zero 'printf "1\\0002\\n"'
probe escape 'printf "\\033[2J1\\n"'
probe killed 'kill -9 $$'
echo "  - {name: noprobe, paths: [$T/src]}" >>"$T/sets"
echo "  - {name: dump, command: cat $T/nothing, store_as: d, probe: touch $T/ran-after-a-failure}" >>"$T/sets"
site_policy "$(cat "$T/sets")"
site_make
expect 1 "$BKP" run --all
cp "$T/err" "$T/said"
for d in failing empty huge over latin zero escape killed; do
	grep -q "W-RUN-06: data set '$d' is partial: probe: " "$T/said" || die "nothing is said of $d: $(cat "$T/said")"
done
grep -A 3 "'failing'.*status 3" "$T/said" | grep -q "its commands said: probe: relation patient does not exist" ||
	die "the failing probe's words are not shown"
for d in count lines slow full noprobe; do ! grep -q "'$d'" "$T/said" || die "$d is complained of: $(cat "$T/said")"; done
[ ! -e "$T/ran-after-a-failure" ] || die "a probe was run for a data set that failed"

# the verdicts, in the journal and on the medium
"$BKP" generations --json >"$T/gens"
python3 - "$T/gens" "$(repo_of "$T/m1")" <<'P'
import json, os, sys
seen = {g["dataset"]: g for g in json.load(open(sys.argv[1]))["generations"]}
top = sys.argv[2] + "/datasets/"
manifest = {d: json.load(open(top + d + "/generations/000001/manifest.json")) for d in os.listdir(top)}
assert set(seen) == set(manifest) | {"dump"} and len(seen) == 14, (seen.keys(), manifest.keys())
for name in seen:
    want = "good" if name in ("count", "lines", "slow", "full", "noprobe") else "failed" if name == "dump" else "partial"
    for where in (seen, manifest)[:1 if name == "dump" else 2]:
        assert where[name]["verdict"] == want, (name, where[name])
        if want == "partial":
            assert where[name]["reason"].startswith("probe: "), where[name]
    assert want == "failed" or seen[name]["entries"] == 2, seen[name]
P

# the values: by stock age and Python, the same on both media
for m in m1 m2; do
	for d in "$(repo_of "$T/$m")"/datasets/*; do unseal "$d/generations/000001/root.age" | head -n 1; done >"$T/root"
	python3 - "$T/root" <<'P'
import json, sys
sets = {o["dataset"]: o for o in map(json.loads, open(sys.argv[1], encoding="utf-8"))}
want = {"count": "4711-PATIENTS", "lines": "患者 12\n外来\t3", "slow": "SLOW-VALUE", "full": "x" * 4096}
for name, o in sets.items():
    assert o["probe"] == want.get(name), (name, o)
assert set(want) <= set(sets) and len(sets) == 13, sets.keys()
P
done
# and nowhere in the clear
for v in 4711-PATIENTS '患者 12' SLOW-VALUE SECRET-VALUE HUGE-VALUE xxxxxxxxxxxxxxxx 'caf\\'; do
	! grep -rqaF -e "$v" "$T/m1" "$T/m2" "$T/state" "$T/out" "$T/said" ||
		die "'$v' is in the clear: $(grep -rlaF -e "$v" "$T/m1" "$T/m2" "$T/state" "$T/out" "$T/said")"
done

# a person sees them with the identity, and not without
expect 1 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --lang en verify 1 --deep # the dump of that run is not there
grep -A2 'count@1 is whole' "$T/out" | grep -qx 'probe at capture: 4711-PATIENTS' ||
	die "verify --deep does not show the value: $(cat "$T/out")"
expect 1 "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --json verify 1 --deep
python3 -c 'import json, sys
p = {g["dataset"]: g["probe"] for g in json.load(open(sys.argv[1]))["generations"] if g["probe"]}
assert len(p) == 4 and p["lines"] == "患者 12\n外来\t3", p' "$T/out"
expect 1 "$RESTORE" --medium "$T/m1" --lang en verify 1
grep -q "E-RESTORE-02: dump@1 is not here: the command failed" "$T/err" || die "what is missing of the run is not said"
! grep -q PATIENTS "$T/out" || die "the value is shown without the identity"
expect 0 "$RESTORE" --medium "$T/m1" --lang en generations
grep -A1 'empty@1 .* partial ' "$T/out" | grep -q 'probe: it printed nothing' ||
	die "bkp-restore generations does not say why: $(cat "$T/out")"
say "4 probes' values come back by age and Python from both media and stand nowhere in the clear; 8 probes without a value make their" \
	"data sets partial, exit 1, each with its reason"
